/* How long a call takes to come about: from the offer leaving to the first relayed packet at either
 * side, at a steady rate of new calls and with as many as go, and what that costs the server: ours
 * (both offers leave at once) and Janus (one offer leaves, Janus makes the other). Beside them what
 * the handshakes alone cost (handshakes.h): at few calls a second every cache is cold.
 *
 * The target of 1.2 ms was set on a machine that takes 0.258 ms for one handshake with hot caches.
 * Others are faster or slower, and none is the same all day: the cost is told as it is, and as it
 * would be there, by what such a handshake takes here in the same minute.
 *
 * bench_setup [--json] [--no-janus] [--rates 20,100,0] [--calls 300]
 * Rate 0: as many as go, IN_FLIGHT at a time. One JSON object a line (figure.h). Ends with 1 where
 * a target is missed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/figure.h"
#include "tests/bench/handshakes.h"
#include "tests/bench/janus.h"
#include "tests/media/rig.h"

#define CALLS_MAX (CK_JANUS_ENDS_MAX / 2)
#define RATES_MAX 8
#define IN_FLIGHT 32
#define TURN_US 1000
#define PATIENCE_MS 30000
#define P50_MS 10
#define P99_MS 30
#define CPU_MS 1.2
#define HOT_MS 0.258 /* a handshake, where CPU_MS was set */
#define HOT_COUNT 50

struct plan {
    unsigned rates[RATES_MAX];
    size_t count;
    unsigned calls;
    bool janus;
};

struct call {
    uint64_t legs[2]; /* of the rig */
    unsigned end;     /* of Janus */
    struct ck_tclient *client[2];
    int64_t opened_us;
    bool over;
};

struct bench {
    struct ck_crowd *crowd;
    struct ck_rig *rig; /* one of the two */
    struct ck_janus *janus;
    struct ck_identity *identity;
    struct ck_clip *clip;
    pid_t pid;
    struct call call[CALLS_MAX];
    unsigned opened;
    unsigned over;
    unsigned calls;
    unsigned rate;
    unsigned scan;   /* first call that is not over */
    double floor_ms; /* of a call's handshakes; 0: not compared */
    double hot_ms;   /* of one handshake with hot caches */
    int64_t first_us;
    int64_t last_us;
    struct ck_crowd_timer timer;
    struct ck_histogram answer;
    struct ck_histogram dtls;
    struct ck_histogram first; /* per call: the first relayed packet at either side */
    struct ck_histogram each;  /* per leg: its own first relayed packet */
};

/* --- the two servers --------------------------------------------------------------------------
 */

static void call_janus(struct bench *bench, struct call *call, unsigned number)
{
    for (unsigned side = 0; side < 2; side++) {
        struct ck_tclient_config config = {.crowd = bench->crowd,
                                           .identity = bench->identity,
                                           .clip = bench->clip,
                                           .call = number,
                                           .leg = (uint8_t)side,
                                           .seed = (uint64_t)(2 * number + side) << 16,
                                           .full_peer = true,
                                           .local = ck_janus_address()};
        if (ck_tclient_create(&config, &call->client[side]) != 0) {
            fprintf(stderr, "no client\n");
            exit(1);
        }
    }
    call->end = ck_janus_call(bench->janus, call->client[0], call->client[1]);
}

static void open_call(struct bench *bench, int64_t now)
{
    struct call *call = &bench->call[bench->opened++];
    call->opened_us = now;
    if (bench->janus != NULL) {
        call_janus(bench, call, bench->opened);
        return;
    }
    ck_rig_call(bench->rig, bench->opened, NULL, call->legs);
    for (unsigned side = 0; side < 2; side++) {
        call->client[side] = ck_rig_client(bench->rig, call->legs[side]);
    }
}

static void end_call(struct bench *bench, struct call *call)
{
    for (unsigned side = 0; side < 2; side++) {
        ck_tclient_hang_up(call->client[side]);
    }
    if (bench->janus != NULL) {
        ck_janus_end(bench->janus, call->end);
    }
    for (unsigned side = 0; side < 2; side++) {
        if (bench->janus != NULL) {
            ck_tclient_destroy(call->client[side]);
        } else {
            ck_rig_drop_client(bench->rig, call->legs[side]);
        }
    }
}

/* --- the clock of the benchmark ---------------------------------------------------------------
 */

static void take_times(struct bench *bench, struct call *call)
{
    int64_t first = 0;
    if (bench->janus != NULL) { /* attaching and registering come before, and do not count */
        call->opened_us = ck_janus_offered_us(bench->janus, call->end);
    }
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_tclient_stats *stats = ck_tclient_stats(call->client[side]);
        int64_t took = stats->first_packet_us - call->opened_us;
        ck_histogram_add(&bench->answer, (uint64_t)(stats->answered_us - call->opened_us));
        ck_histogram_add(&bench->dtls, (uint64_t)(stats->dtls_us - call->opened_us));
        ck_histogram_add(&bench->each, (uint64_t)took);
        first = first == 0 || took < first ? took : first;
    }
    ck_histogram_add(&bench->first, (uint64_t)first);
}

static void follow(struct bench *bench, struct call *call)
{
    if (call->over || ck_tclient_stats(call->client[0])->first_packet_us == 0 ||
        ck_tclient_stats(call->client[1])->first_packet_us == 0) {
        return;
    }
    take_times(bench, call);
    call->over = true;
    bench->over++;
    bench->last_us = ck_crowd_now(bench->crowd).us;
    end_call(bench, call);
}

static bool time_for_another(const struct bench *bench, int64_t now)
{
    if (bench->opened == bench->calls) {
        return false;
    }
    if (bench->rate == 0) {
        return bench->opened - bench->over < IN_FLIGHT;
    }
    return now >= bench->first_us + (int64_t)bench->opened * 1000000 / bench->rate;
}

static void turn(void *arg)
{
    struct bench *bench = arg;
    int64_t now = ck_crowd_now(bench->crowd).us;
    while (bench->scan < bench->opened && bench->call[bench->scan].over) {
        bench->scan++;
    }
    for (unsigned i = bench->scan; i < bench->opened; i++) {
        follow(bench, &bench->call[i]);
    }
    while (time_for_another(bench, now)) {
        open_call(bench, now);
    }
    if (bench->over == bench->calls) {
        return;
    }
    int64_t next = now + TURN_US;
    if (bench->opened == bench->over && bench->rate > 0) { /* nothing to follow until then */
        next = bench->first_us + (int64_t)bench->opened * 1000000 / bench->rate;
    }
    ck_crowd_arm(bench->crowd, &bench->timer, (struct ck_mono){next});
}

static bool all_over(void *arg)
{
    const struct bench *bench = arg;
    return bench->over == bench->calls;
}

/* --- what comes out ---------------------------------------------------------------------------
 */

static bool report(const struct bench *bench, double cpu_ms, double own_ms)
{
    char detail[128];
    bool ours = bench->janus == NULL;
    bool slow = bench->rate > 0 && bench->rate <= 20;
    const struct {
        const char *name;
        const struct ck_histogram *histogram;
        bool target;
    } rows[] = {
        {"setup.answer", &bench->answer, false},
        {"setup.dtls", &bench->dtls, false},
        {"setup.first_packet", &bench->first, ours && slow},
        {"setup.first_packet_each_leg", &bench->each, false},
    };
    snprintf(detail, sizeof detail, "\"server\":\"%s\",\"rate\":%u,\"calls\":%u",
             ours ? "checkin-media" : "janus", bench->rate, bench->calls);
    bool good = ck_figure("setup.failed", bench->calls - bench->over, "calls",
                          ours ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, 0, detail);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[64];
        enum ck_figure_goal goal = rows[i].target ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN;
        snprintf(name, sizeof name, "%s_p50", rows[i].name);
        good &= ck_figure(name, (double)ck_histogram_quantile(rows[i].histogram, 0.5) / 1000, "ms",
                          goal, P50_MS, detail);
        snprintf(name, sizeof name, "%s_p99", rows[i].name);
        good &= ck_figure(name, (double)ck_histogram_quantile(rows[i].histogram, 0.99) / 1000, "ms",
                          goal, P99_MS, detail);
    }
    double seconds = (double)(bench->last_us - bench->first_us) / 1e6;
    ck_figure("setup.rate", seconds > 0 ? bench->over / seconds : 0, "calls/s", CK_FIGURE_SHOWN, 0,
              detail);
    ck_figure("setup.cpu_per_call", cpu_ms, "ms", CK_FIGURE_SHOWN, 0, detail);
    if (ours) {
        good &= ck_figure("setup.cpu_per_call_reference", cpu_ms * HOT_MS / bench->hot_ms, "ms",
                          CK_FIGURE_AT_MOST, CPU_MS, detail);
        ck_figure("setup.share_of_handshakes", cpu_ms / bench->floor_ms, "", CK_FIGURE_SHOWN, 0,
                  detail);
    }
    ck_figure("setup.client_cpu_per_call", own_ms, "ms", CK_FIGURE_SHOWN, 0, detail);
    return good;
}

static bool run(struct bench *bench)
{
    bench->timer = (struct ck_crowd_timer){.due = turn, .arg = bench};
    double cpu_s = ck_figure_cpu_s(bench->pid);
    double own_s = ck_figure_own_cpu_s();
    ck_crowd_until(bench->crowd, NULL, NULL, 1); /* brings its clock up to date */
    bench->first_us = ck_crowd_now(bench->crowd).us;
    ck_crowd_arm(bench->crowd, &bench->timer, (struct ck_mono){bench->first_us});
    int limit_ms = PATIENCE_MS + (int)(bench->rate > 0 ? bench->calls * 1000 / bench->rate : 0);
    ck_crowd_until(bench->crowd, all_over, bench, limit_ms);
    cpu_s = ck_figure_cpu_s(bench->pid) - cpu_s;
    own_s = ck_figure_own_cpu_s() - own_s;
    ck_crowd_disarm(bench->crowd, &bench->timer);
    return report(bench, cpu_s * 1000 / bench->calls, own_s * 1000 / bench->calls);
}

static bool run_ours(struct bench *bench)
{
    int status;
    if (ck_rig_start(&(struct ck_rig_options){.legs_max = 2048}, &bench->rig) != 0) {
        fprintf(stderr, "checkin-media does not start\n");
        return false;
    }
    bench->crowd = ck_rig_crowd(bench->rig);
    bench->pid = ck_rig_pid(bench->rig);
    bool good = run(bench);
    if (ck_rig_stop(bench->rig, &status) != 0 || status != 0) {
        fprintf(stderr, "checkin-media ended with status %d\n", status);
        good = false;
    }
    return good;
}

static void run_janus(struct bench *bench)
{
    if (ck_crowd_create(&bench->crowd) != 0 || ck_identity_create(&bench->identity) != 0 ||
        ck_clip_create(440, 100, &bench->clip) != 0) {
        fprintf(stderr, "no clients\n");
        exit(1);
    }
    bench->janus = ck_janus_start(bench->crowd);
    bench->pid = ck_janus_pid(bench->janus);
    run(bench);
    for (unsigned i = 0; i < bench->opened; i++) {
        if (!bench->call[i].over) {
            ck_tclient_destroy(bench->call[i].client[0]);
            ck_tclient_destroy(bench->call[i].client[1]);
        }
    }
    ck_janus_stop(bench->janus);
    ck_clip_destroy(bench->clip);
    ck_identity_destroy(bench->identity);
    ck_crowd_destroy(bench->crowd);
}

/* What OpenSSL alone takes for the two handshakes of a call, at the same rate in the same minute:
 * caches are as cold, and the machine as busy. */
static double report_floor(const struct plan *plan, unsigned rate)
{
    char detail[64];
    struct ck_handshakes_outcome floor = ck_handshakes_run(plan->calls, rate);
    snprintf(detail, sizeof detail, "\"server\":\"handshakes\",\"rate\":%u,\"calls\":%u", rate,
             plan->calls);
    ck_figure("setup.failed", floor.failed, "calls", CK_FIGURE_SHOWN, 0, detail);
    ck_figure("setup.cpu_per_call", floor.cpu_ms, "ms", CK_FIGURE_SHOWN, 0, detail);
    return floor.cpu_ms;
}

static bool run_rate(const struct plan *plan, unsigned rate)
{
    static struct bench bench;
    double floor_ms = report_floor(plan, rate);
    bench = (struct bench){.calls = plan->calls,
                           .rate = rate,
                           .floor_ms = floor_ms,
                           .hot_ms = ck_handshakes_hot(HOT_COUNT)};
    ck_figure("setup.handshake_hot", bench.hot_ms, "ms", CK_FIGURE_SHOWN, 0, "");
    bool good = run_ours(&bench);
    if (plan->janus) {
        bench = (struct bench){.calls = plan->calls, .rate = rate};
        run_janus(&bench);
    }
    return good;
}

/* --- arguments --------------------------------------------------------------------------------
 */

static bool read_rates(const char *text, struct plan *plan)
{
    plan->count = 0;
    while (*text != '\0' && plan->count < RATES_MAX) {
        char *end;
        unsigned long value = strtoul(text, &end, 10);
        if (end == text || value > 2000 || (*end != ',' && *end != '\0')) {
            return false;
        }
        plan->rates[plan->count++] = (unsigned)value;
        text = *end == ',' ? end + 1 : end;
    }
    return plan->count > 0;
}

static bool read_arguments(int count, char **arguments, struct plan *plan)
{
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i];
        if (strcmp(name, "--json") == 0) {
            continue;
        }
        if (strcmp(name, "--no-janus") == 0) {
            plan->janus = false;
            continue;
        }
        const char *value = i + 1 < count ? arguments[++i] : NULL;
        if (value == NULL) {
            return false;
        }
        if (strcmp(name, "--rates") == 0 && read_rates(value, plan)) {
            continue;
        }
        if (strcmp(name, "--calls") != 0 || atoi(value) <= 0 || atoi(value) > CALLS_MAX) {
            return false;
        }
        plan->calls = (unsigned)atoi(value);
    }
    return true;
}

int main(int count, char **arguments)
{
    struct plan plan = {.rates = {20, 100, 0}, .count = 3, .calls = 300, .janus = true};
    if (!read_arguments(count, arguments, &plan)) {
        fprintf(stderr, "usage: %s [--json] [--no-janus] [--rates 20,100,0] [--calls N]\n",
                arguments[0]);
        return 2;
    }
    if (plan.janus && (!ck_janus_installed() || ck_janus_namespace() != 0)) {
        fprintf(stderr,
                "%s: " CK_JANUS_PROGRAM " and a network namespace for it are needed; "
                "--no-janus does without\n",
                arguments[0]);
        return 1;
    }
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    bool good = true;
    for (size_t i = 0; i < plan.count; i++) {
        good &= run_rate(&plan, plan.rates[i]);
    }
    ck_tclient_library_deinit();
    return good ? 0 : 1;
}
