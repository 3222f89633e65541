/* What relaying costs: the same synthetic calls (50 packets of 80 bytes and 68 of 1,100 a second
 * each way) through checkin-media, recorded or not, and through the bare loop, alternating in one
 * run.
 *
 * bench_media [--json] [--calls 1,10,50] [--seconds 6] [--folder DIR]
 * One JSON object a line (figure.h). Ends with 1 where a target is missed. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/figure.h"
#include "tests/bench/floor.h"
#include "tests/media/film.h"

#define CALLS_MAX 1000
#define POINTS_MAX 16
#define SETTLE_MS 1500 /* before the measurement, for caches and key frames */
#define FLOOR_SHARE 1.5
#define JANUS_US 21.3 /* 200 calls, this machine class; a fifth of it is the target */
#define P99_US 2000
#define LOSS_PERCENT 0.1
#define FLOOR_BUFFER (8 << 20) /* bytes of its socket */

struct plan {
    unsigned calls[POINTS_MAX];
    size_t points;
    int seconds;
    const char *folder;
};

/* What one run of one number of calls gave. */
struct outcome {
    double us_per_packet;
    double client_us_per_packet;
    double loss_percent;
    double packets_per_s;
    double p50_us;
    double p99_us;
    double kib_per_call;
    unsigned threads;
    double core_percent;
    struct ck_figure_machine other; /* during the measurement: not ours */
    bool failed;
};

/* The state at one end of the measurement. */
struct look {
    double cpu_s;
    double own_s;
    int64_t at_us;
    uint64_t got;
    struct ck_figure_machine machine;
};

struct bench {
    struct ck_crowd *crowd;
    struct ck_histogram latency;
    struct ck_tclient *client[2 * CALLS_MAX];
    unsigned calls;
    pid_t pid; /* of the server */
};

static struct look look_at(struct bench *bench)
{
    struct look look = {.cpu_s = ck_figure_cpu_s(bench->pid),
                        .own_s = ck_figure_own_cpu_s(),
                        .at_us = ck_crowd_now(bench->crowd).us,
                        .machine = ck_figure_machine()};
    for (unsigned i = 0; i < 2 * bench->calls; i++) {
        const struct ck_tclient_stats *stats = ck_tclient_stats(bench->client[i]);
        look.got += stats->account[0].packets + stats->account[1].packets;
    }
    return look;
}

static double loss_percent(const struct bench *bench)
{
    uint64_t lost = 0;
    uint64_t sent = 0;
    for (unsigned i = 0; i < 2 * bench->calls; i++) {
        for (unsigned kind = 0; kind < 2; kind++) {
            lost += ck_tclient_lost(bench->client[i], bench->client[i ^ 1], kind, NULL);
            sent += ck_tclient_stats(bench->client[i])->sent[kind];
        }
    }
    return sent == 0 ? 100 : 100.0 * (double)lost / (double)sent;
}

static bool payloads_are_wrong(const struct bench *bench, const char *name)
{
    bool wrong = false;
    for (unsigned i = 0; i < 2 * bench->calls; i++) {
        char text[512];
        if (ck_tclient_faults(bench->client[i], text)[0] != '\0' && !wrong) {
            fprintf(stderr, "%s, client %u: %s\n", name, i, text);
            wrong = true;
        }
    }
    return wrong;
}

/* Measures for `seconds` what flows already. */
static void measure(struct bench *bench, int seconds, struct outcome *outcome)
{
    memset(&bench->latency, 0, sizeof bench->latency);
    struct look from = look_at(bench);
    ck_crowd_until(bench->crowd, NULL, NULL, seconds * 1000);
    struct look to = look_at(bench);
    double packets = (double)(to.got - from.got);
    double elapsed_s = (double)(to.at_us - from.at_us) / 1e6;
    double cpu_s = to.cpu_s - from.cpu_s;
    double own_s = to.own_s - from.own_s;
    outcome->us_per_packet = packets > 0 ? cpu_s * 1e6 / packets : 0;
    outcome->client_us_per_packet = packets > 0 ? own_s * 1e6 / packets : 0;
    outcome->packets_per_s = packets / elapsed_s;
    outcome->core_percent = 100 * cpu_s / elapsed_s;
    outcome->p50_us = (double)ck_histogram_quantile(&bench->latency, 0.5);
    outcome->p99_us = (double)ck_histogram_quantile(&bench->latency, 0.99);
    outcome->other.steal_s = to.machine.steal_s - from.machine.steal_s;
    outcome->other.busy_s = to.machine.busy_s - from.machine.busy_s - cpu_s - own_s;
}

/* Calls come at random moments, so that their packets do not march in step. */
static int pause_ms(uint64_t *random)
{
    *random = *random * 6364136223846793005U + 1442695040888963407U;
    return 5 + (int)(*random >> 60);
}

static void film_all(struct ck_rig *rig, struct ck_film *films, unsigned count, const char *folder)
{
    for (unsigned i = 0; i < count; i++) {
        int error = ck_film_create(&films[i], i + 1, i + 1, folder);
        if (error != 0) {
            fprintf(stderr, "no file in %s: %s\n", folder, strerror(-error));
            exit(1);
        }
        ck_film_start(rig, &films[i]);
        if (i % 16 == 15) {
            ck_rig_run(rig, 5);
        }
    }
}

static struct outcome run_worker(const struct plan *plan, unsigned calls, bool record)
{
    static struct ck_film films[2 * CALLS_MAX];
    struct outcome outcome = {.failed = true};
    struct bench bench = {.calls = calls};
    struct ck_rig *rig = NULL;
    uint64_t random = 7;
    int status;
    struct ck_rig_options options = {.legs_max = 2 * calls + 2};
    if (ck_rig_start(&options, &rig) != 0) {
        return outcome;
    }
    bench.crowd = ck_rig_crowd(rig);
    bench.pid = ck_rig_pid(rig);
    struct ck_rig_usage before = ck_rig_usage(rig);
    struct ck_tclient_config config = {.latency = &bench.latency};
    for (unsigned call = 0; call < calls; call++) {
        uint64_t legs[2];
        ck_rig_call(rig, call + 1, &config, legs);
        bench.client[2 * call] = ck_rig_client(rig, legs[0]);
        bench.client[2 * call + 1] = ck_rig_client(rig, legs[1]);
        ck_rig_run(rig, pause_ms(&random));
    }
    if (ck_rig_await_media(rig, 20000) == 0) {
        if (record) {
            film_all(rig, films, 2 * calls, plan->folder);
        }
        ck_rig_run(rig, SETTLE_MS);
        measure(&bench, plan->seconds, &outcome);
        struct ck_rig_usage after = ck_rig_usage(rig);
        outcome.kib_per_call = (double)(after.rss_kib - before.rss_kib) / calls;
        outcome.threads = after.threads;
        ck_rig_settle(rig);
        outcome.loss_percent = loss_percent(&bench);
        outcome.failed = payloads_are_wrong(&bench, "checkin-media");
    } else {
        fprintf(stderr, "%u calls: not all connected\n", calls);
    }
    if (ck_rig_stop(rig, &status) != 0 || status != 0) {
        fprintf(stderr, "checkin-media ended with status %d\n", status);
        outcome.failed = true;
    }
    for (unsigned i = 0; record && i < 2 * calls; i++) {
        ck_film_destroy(&films[i]);
    }
    return outcome;
}

/* The floor in a process of its own, as the worker is. */
static pid_t fork_floor(int fd, const struct ck_floor_leg *legs, size_t count, int *stop)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[1]);
        _exit(ck_floor_run(fd, legs, count, pair[0]) == 0 ? 0 : 1);
    }
    close(pair[0]);
    *stop = pair[1];
    return pid;
}

static int bind_floor(struct sockaddr_in *address)
{
    int buffer = FLOOR_BUFFER;
    socklen_t size = sizeof *address;
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &size) != 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) != 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    }
    return fd;
}

static bool make_plain_clients(struct bench *bench, struct ck_identity *identity,
                               struct ck_clip *clip, struct ck_floor_leg *legs)
{
    for (unsigned i = 0; i < 2 * bench->calls; i++) {
        struct ck_tclient_config config = {.crowd = bench->crowd,
                                           .identity = identity,
                                           .clip = clip,
                                           .call = i / 2 + 1,
                                           .leg = (uint8_t)(i % 2),
                                           .seed = i,
                                           .latency = &bench->latency};
        struct sockaddr_storage address;
        if (ck_tclient_create(&config, &bench->client[i]) != 0 ||
            ck_tclient_address(bench->client[i], &address) != 0) {
            return false;
        }
        memcpy(&legs[i].address, &address, sizeof legs[i].address);
        for (size_t k = 0; k < CK_FLOOR_KEYS_SIZE; k++) {
            legs[i].keys[k] = (uint8_t)(i * 131 + k * 17 + (i >> 5));
        }
        legs[i].peer = i ^ 1;
    }
    return true;
}

static struct outcome run_floor(const struct plan *plan, unsigned calls)
{
    static struct ck_floor_leg legs[2 * CALLS_MAX];
    struct outcome outcome = {.failed = true, .threads = 1};
    struct bench bench = {.calls = calls};
    struct ck_identity *identity = NULL;
    struct ck_clip *clip = NULL;
    struct sockaddr_in address;
    uint64_t random = 7;
    int stop = -1;
    int status = 1;
    int fd = bind_floor(&address);
    if (fd < 0 || ck_crowd_create(&bench.crowd) != 0 || ck_identity_create(&identity) != 0 ||
        ck_clip_create(440, 100, &clip) != 0 || !make_plain_clients(&bench, identity, clip, legs)) {
        return outcome;
    }
    bench.pid = fork_floor(fd, legs, 2 * calls, &stop);
    close(fd);
    for (unsigned i = 0; i < 2 * calls; i++) {
        ck_tclient_plain(bench.client[i], (struct sockaddr *)&address, legs[i].keys);
        if (i % 2 == 1) {
            ck_crowd_until(bench.crowd, NULL, NULL, pause_ms(&random));
        }
    }
    ck_crowd_until(bench.crowd, NULL, NULL, SETTLE_MS);
    measure(&bench, plan->seconds, &outcome);
    for (unsigned i = 0; i < 2 * calls; i++) {
        ck_tclient_send(bench.client[i], false, false);
    }
    ck_crowd_until(bench.crowd, NULL, NULL, 500);
    outcome.loss_percent = loss_percent(&bench);
    outcome.failed = payloads_are_wrong(&bench, "floor");
    for (unsigned i = 0; i < 2 * calls; i++) {
        ck_tclient_destroy(bench.client[i]);
    }
    close(stop);
    waitpid(bench.pid, &status, 0);
    ck_clip_destroy(clip);
    ck_identity_destroy(identity);
    ck_crowd_destroy(bench.crowd);
    return outcome;
}

static const char *detail_of(const char *server, unsigned calls, const struct outcome *outcome,
                             char text[static 256])
{
    snprintf(text, 256, "\"server\":\"%s\",\"calls\":%u,\"steal_s\":%.2f,\"others_busy_s\":%.2f",
             server, calls, outcome->other.steal_s, outcome->other.busy_s);
    return text;
}

static bool report(const char *server, unsigned calls, const struct outcome *outcome)
{
    char text[256];
    const char *detail = detail_of(server, calls, outcome, text);
    bool ours = strcmp(server, "floor") != 0;
    bool big = ours && calls == 200;
    bool good = !outcome->failed;
    good &=
        ck_figure("media.payloads_wrong", outcome->failed, "bool", CK_FIGURE_AT_MOST, 0, detail);
    good &= ck_figure("media.cpu_per_packet", outcome->us_per_packet, "us",
                      big ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, JANUS_US / 5, detail);
    ck_figure("media.client_cpu_per_packet", outcome->client_us_per_packet, "us", CK_FIGURE_SHOWN,
              0, detail);
    ck_figure("media.packets", outcome->packets_per_s, "1/s", CK_FIGURE_SHOWN, 0, detail);
    ck_figure("media.core", outcome->core_percent, "%", CK_FIGURE_SHOWN, 0, detail);
    good &= ck_figure("media.loss", outcome->loss_percent, "%",
                      ours ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, LOSS_PERCENT, detail);
    ck_figure("media.latency_p50", outcome->p50_us, "us", CK_FIGURE_SHOWN, 0, detail);
    good &= ck_figure("media.latency_p99", outcome->p99_us, "us",
                      big ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, P99_US, detail);
    if (ours) {
        ck_figure("media.memory_per_call", outcome->kib_per_call, "KiB", CK_FIGURE_SHOWN, 0,
                  detail);
        ck_figure("media.threads", outcome->threads, "", CK_FIGURE_SHOWN, 0, detail);
    }
    return good;
}

static bool run_point(const struct plan *plan, unsigned calls)
{
    struct outcome floor = run_floor(plan, calls);
    struct outcome plain = run_worker(plan, calls, false);
    struct outcome filmed = run_worker(plan, calls, true);
    struct outcome again = run_floor(plan, calls);
    char detail[64];
    bool good = report("floor", calls, &floor);
    good &= report("checkin-media", calls, &plain);
    good &= report("checkin-media, recording", calls, &filmed);
    double both = (floor.us_per_packet + again.us_per_packet) / 2;
    snprintf(detail, sizeof detail, "\"calls\":%u,\"floor_us\":%.3f", calls, both);
    if (both > 0) {
        good &= ck_figure("media.times_floor", plain.us_per_packet / both, "x",
                          calls == 200 ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, FLOOR_SHARE, detail);
        ck_figure("media.times_floor_recording", filmed.us_per_packet / both, "x", CK_FIGURE_SHOWN,
                  0, detail);
    }
    return good;
}

static bool read_calls(const char *text, struct plan *plan)
{
    plan->points = 0;
    while (*text != '\0' && plan->points < POINTS_MAX) {
        char *end;
        unsigned long value = strtoul(text, &end, 10);
        if (end == text || value == 0 || value > CALLS_MAX || (*end != ',' && *end != '\0')) {
            return false;
        }
        plan->calls[plan->points++] = (unsigned)value;
        text = *end == ',' ? end + 1 : end;
    }
    return plan->points > 0;
}

static bool read_arguments(int count, char **arguments, struct plan *plan)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--json") == 0) {
            continue;
        }
        if (i + 1 == count) {
            return false;
        }
        const char *value = arguments[++i];
        if (strcmp(arguments[i - 1], "--calls") == 0 && read_calls(value, plan)) {
            continue;
        }
        if (strcmp(arguments[i - 1], "--seconds") == 0 && atoi(value) > 0) {
            plan->seconds = atoi(value);
            continue;
        }
        if (strcmp(arguments[i - 1], "--folder") == 0) {
            plan->folder = value;
            continue;
        }
        return false;
    }
    return true;
}

int main(int count, char **arguments)
{
    struct plan plan = {
        .calls = {1, 10, 50, 100, 200}, .points = 5, .seconds = 6, .folder = "/var/tmp"};
    if (!read_arguments(count, arguments, &plan)) {
        fprintf(stderr, "usage: %s [--json] [--calls 1,10,50] [--seconds N] [--folder DIR]\n",
                arguments[0]);
        return 2;
    }
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    bool good = true;
    for (size_t i = 0; i < plan.points; i++) {
        good &= run_point(&plan, plan.calls[i]);
    }
    ck_tclient_library_deinit();
    return good ? 0 : 1;
}
