#include "tests/bench/runs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/floor.h"
#include "tests/bench/janus.h"
#include "tests/media/film.h"

#define SETTLE_MS 1500         /* before the measurement, for caches and key frames */
#define MEDIA_MS 20000         /* for all calls to have media */
#define QUIET_MS 500           /* for the last packets to arrive */
#define FLOOR_BUFFER (8 << 20) /* bytes of its socket */

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
    struct ck_tclient *client[2 * CK_RUN_CALLS_MAX];
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
static void measure(struct bench *bench, int seconds, struct ck_run_outcome *outcome)
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

/* No more is sent, and what is under way arrives. */
static void settle(struct bench *bench)
{
    for (unsigned i = 0; i < 2 * bench->calls; i++) {
        ck_tclient_send(bench->client[i], false, false);
    }
    ck_crowd_until(bench->crowd, NULL, NULL, QUIET_MS);
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

/* How late the clients, one process, are at the worst: what they do late is their own doing. */
static double late_us(const struct bench *bench)
{
    int64_t most = 0;
    for (unsigned i = 0; i < 2 * bench->calls; i++) {
        int64_t late = ck_tclient_stats(bench->client[i])->late_us;
        most = late > most ? late : most;
    }
    return (double)most;
}

/* Where packets stayed, when some did: the clients are one process, and may be the ones that are
 * too slow. Where nothing of the sound is lost and no socket threw anything away, pictures were
 * left out on purpose, for so many ends. */
static void tell_losses(const char *name, const struct bench *bench, double percent)
{
    uint64_t dropped = 0;
    uint64_t unsent = 0;
    uint64_t lost[2] = {0};
    unsigned without = 0; /* some of the picture */
    for (unsigned i = 0; i < 2 * bench->calls; i++) {
        uint64_t before = lost[1];
        for (unsigned kind = 0; kind < 2; kind++) {
            lost[kind] += ck_tclient_lost(bench->client[i], bench->client[i ^ 1], kind, NULL);
        }
        without += lost[1] > before;
        dropped += ck_tclient_stats(bench->client[i])->kernel_drops;
        unsent += ck_tclient_stats(bench->client[i])->send_fails;
    }
    if (percent > 0) {
        fprintf(stderr,
                "%s: %.3f %% lost: %llu of sound, %llu of the picture of %u ends; clients' sockets "
                "threw away %llu, did not take %llu; clients late by %.0f ms at most\n",
                name, percent, (unsigned long long)lost[0], (unsigned long long)lost[1], without,
                (unsigned long long)dropped, (unsigned long long)unsent, late_us(bench) / 1000);
    }
}

static void tell_worker_losses(struct ck_rig *rig, const struct ck_run_outcome *outcome)
{
    size_t count = ck_rig_count(rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0);
    const struct ck_worker_message *last =
        ck_rig_find(rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0, count);
    if (outcome->loss_percent > 0 && last != NULL) {
        fprintf(stderr, "checkin-media: %llu datagrams lost in its socket, %llu not taken\n",
                (unsigned long long)last->heartbeat.socket_lost,
                (unsigned long long)last->heartbeat.dropped);
    }
}

/* Of all heartbeats behind the first `before`. */
static double longest_turn_us(struct ck_rig *rig, size_t before)
{
    uint64_t longest = 0;
    size_t count = ck_rig_count(rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0);
    for (size_t n = before + 1; n <= count; n++) {
        const struct ck_worker_message *one =
            ck_rig_find(rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0, n);
        longest = one->heartbeat.lag_us > longest ? one->heartbeat.lag_us : longest;
    }
    return (double)longest;
}

struct ck_run_outcome ck_run_worker(const struct ck_run *run)
{
    static struct ck_film films[2 * CK_RUN_CALLS_MAX];
    struct ck_run_outcome outcome = {.failed = true};
    struct bench bench = {.calls = run->calls};
    struct ck_rig *rig = NULL;
    uint64_t random = 7;
    int status;
    struct ck_rig_options options = {.legs_max = 2 * run->calls + 2};
    if (ck_rig_start(&options, &rig) != 0) {
        return outcome;
    }
    bench.crowd = ck_rig_crowd(rig);
    bench.pid = ck_rig_pid(rig);
    struct ck_rig_usage before = ck_rig_usage(rig);
    struct ck_tclient_config config = {.latency = &bench.latency};
    for (unsigned call = 0; call < run->calls; call++) {
        uint64_t legs[2];
        ck_rig_call(rig, call + 1, &config, legs);
        bench.client[2 * call] = ck_rig_client(rig, legs[0]);
        bench.client[2 * call + 1] = ck_rig_client(rig, legs[1]);
        ck_rig_run(rig, pause_ms(&random));
    }
    if (ck_rig_await_media(rig, MEDIA_MS) == 0) {
        if (run->record) {
            film_all(rig, films, 2 * run->calls, run->folder);
        }
        ck_rig_run(rig, SETTLE_MS);
        /* the next heartbeat still tells of the time before */
        size_t heartbeats = ck_rig_count(rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0) + 1;
        measure(&bench, run->seconds, &outcome);
        outcome.turn_us = longest_turn_us(rig, heartbeats);
        struct ck_rig_usage after = ck_rig_usage(rig);
        outcome.kib_per_call = (double)(after.rss_kib - before.rss_kib) / run->calls;
        outcome.threads = after.threads;
        ck_rig_settle(rig);
        outcome.loss_percent = loss_percent(&bench);
        outcome.late_us = late_us(&bench);
        outcome.failed = payloads_are_wrong(&bench, "checkin-media");
        tell_losses("checkin-media", &bench, outcome.loss_percent);
        tell_worker_losses(rig, &outcome);
    } else {
        fprintf(stderr, "%u calls: not all connected\n", run->calls);
    }
    if (ck_rig_stop(rig, &status) != 0 || status != 0) {
        fprintf(stderr, "checkin-media ended with status %d\n", status);
        outcome.failed = true;
    }
    for (unsigned i = 0; run->record && i < 2 * run->calls; i++) {
        ck_film_destroy(&films[i]);
    }
    return outcome;
}

/* The floor in a process of its own, as the worker is. */
static pid_t fork_floor(int fd, const struct ck_floor_leg *legs, size_t count, bool gso, int *stop)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[1]);
        _exit(ck_floor_run(fd, legs, count, gso, pair[0]) == 0 ? 0 : 1);
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

struct ck_run_outcome ck_run_floor(const struct ck_run *run)
{
    static struct ck_floor_leg legs[2 * CK_RUN_CALLS_MAX];
    struct ck_run_outcome outcome = {.failed = true, .threads = 1};
    struct bench bench = {.calls = run->calls};
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
    bench.pid = fork_floor(fd, legs, 2 * run->calls, run->gso, &stop);
    close(fd);
    for (unsigned i = 0; i < 2 * run->calls; i++) {
        ck_tclient_plain(bench.client[i], (struct sockaddr *)&address, legs[i].keys);
        if (i % 2 == 1) {
            ck_crowd_until(bench.crowd, NULL, NULL, pause_ms(&random));
        }
    }
    ck_crowd_until(bench.crowd, NULL, NULL, SETTLE_MS);
    measure(&bench, run->seconds, &outcome);
    settle(&bench);
    outcome.loss_percent = loss_percent(&bench);
    outcome.failed = payloads_are_wrong(&bench, "floor");
    tell_losses("bare loop", &bench, outcome.loss_percent);
    for (unsigned i = 0; i < 2 * run->calls; i++) {
        ck_tclient_destroy(bench.client[i]);
    }
    close(stop);
    waitpid(bench.pid, &status, 0);
    ck_clip_destroy(clip);
    ck_identity_destroy(identity);
    ck_crowd_destroy(bench.crowd);
    return outcome;
}

/* --- Janus ------------------------------------------------------------------------------------
 */

static bool make_full_clients(struct bench *bench, struct ck_identity *identity,
                              struct ck_clip *clip)
{
    for (unsigned i = 0; i < 2 * bench->calls; i++) {
        struct ck_tclient_config config = {.crowd = bench->crowd,
                                           .identity = identity,
                                           .clip = clip,
                                           .call = i / 2 + 1,
                                           .leg = (uint8_t)(i % 2),
                                           .seed = (uint64_t)i << 16,
                                           .full_peer = true,
                                           .local = ck_janus_address(),
                                           .latency = &bench->latency};
        if (ck_tclient_create(&config, &bench->client[i]) != 0) {
            return false;
        }
    }
    return true;
}

static bool all_have_media(void *arg)
{
    const struct bench *bench = arg;
    for (unsigned i = 0; i < 2 * bench->calls; i++) {
        const struct ck_tclient_stats *stats = ck_tclient_stats(bench->client[i]);
        if (!stats->account[0].any || !stats->account[1].any) {
            return false;
        }
    }
    return true;
}

/* Marks that did not come through as they were sent; what else Janus does is its own matter. */
static bool marks_are_wrong(const struct bench *bench)
{
    for (unsigned i = 0; i < 2 * bench->calls; i++) {
        const struct ck_tclient_stats *stats = ck_tclient_stats(bench->client[i]);
        const struct ck_account *account = stats->account;
        if (stats->profile != CK_TCLIENT_GCM_128 || stats->bad_tags + account[0].corrupt > 0 ||
            account[1].corrupt + account[0].foreign + account[1].foreign > 0) {
            fprintf(stderr, "Janus, client %u: profile %u, %llu bad tags, corrupt %llu and %llu\n",
                    i, stats->profile, (unsigned long long)stats->bad_tags,
                    (unsigned long long)account[0].corrupt, (unsigned long long)account[1].corrupt);
            return true;
        }
    }
    return false;
}

static void measure_janus(struct bench *bench, struct ck_janus *janus, const struct ck_run *run,
                          struct ck_run_outcome *outcome)
{
    uint64_t random = 7;
    char folder[256];
    char command[300];
    struct ck_rig_usage before = ck_usage_of(bench->pid);
    snprintf(folder, sizeof folder, "%s/bench-janus-XXXXXX", run->folder);
    if (run->record && mkdtemp(folder) == NULL) {
        fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        exit(1);
    }
    for (unsigned call = 0; call < bench->calls; call++) {
        ck_janus_call(janus, bench->client[2 * call], bench->client[2 * call + 1]);
        ck_crowd_until(bench->crowd, NULL, NULL, pause_ms(&random));
    }
    if (ck_crowd_until(bench->crowd, all_have_media, bench, MEDIA_MS) != 0) {
        fprintf(stderr, "Janus, %u calls: not all connected\n", bench->calls);
        return;
    }
    for (unsigned end = 0; run->record && end < 2 * bench->calls; end++) {
        ck_janus_record(janus, end, folder);
    }
    ck_crowd_until(bench->crowd, NULL, NULL, SETTLE_MS);
    measure(bench, run->seconds, outcome);
    struct ck_rig_usage after = ck_usage_of(bench->pid);
    outcome->kib_per_call = (double)(after.rss_kib - before.rss_kib) / bench->calls;
    outcome->threads = after.threads;
    settle(bench);
    outcome->loss_percent = loss_percent(bench);
    outcome->failed = marks_are_wrong(bench);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (run->record && system(command) != 0) {
        outcome->failed = true;
    }
}

struct ck_run_outcome ck_run_janus(const struct ck_run *run)
{
    struct ck_run_outcome outcome = {.failed = true};
    struct bench bench = {.calls = run->calls};
    struct ck_identity *identity = NULL;
    struct ck_clip *clip = NULL;
    if (ck_crowd_create(&bench.crowd) != 0 || ck_identity_create(&identity) != 0 ||
        ck_clip_create(440, 100, &clip) != 0 || !make_full_clients(&bench, identity, clip)) {
        return outcome;
    }
    struct ck_janus *janus = ck_janus_start(bench.crowd);
    bench.pid = ck_janus_pid(janus);
    measure_janus(&bench, janus, run, &outcome);
    for (unsigned i = 0; i < 2 * run->calls; i++) {
        ck_tclient_destroy(bench.client[i]);
    }
    ck_janus_stop(janus);
    ck_clip_destroy(clip);
    ck_identity_destroy(identity);
    ck_crowd_destroy(bench.crowd);
    return outcome;
}
