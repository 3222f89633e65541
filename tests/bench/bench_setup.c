/* How long a call takes to come about: from both offers leaving to the first relayed packet at each
 * side, at a steady rate of new calls, and what that costs the worker.
 *
 * bench_setup [--json] [--rates 20,100] [--calls 200]
 * One JSON object a line (figure.h). Ends with 1 where a target is missed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/figure.h"
#include "tests/media/rig.h"

#define CALLS_MAX 4000
#define RATES_MAX 8
#define P50_MS 10
#define P99_MS 30
#define CPU_MS 1.2

struct plan {
    unsigned rates[RATES_MAX];
    size_t count;
    unsigned calls;
};

struct call {
    uint64_t legs[2];
    int64_t opened_us;
    bool over;
};

struct bench {
    struct ck_rig *rig;
    struct call call[CALLS_MAX];
    unsigned opened;
    unsigned over;
    unsigned calls;
    unsigned rate;
    unsigned scan; /* first call that is not over */
    int64_t first_us;
    struct ck_crowd_timer timer;
    struct ck_histogram answer;
    struct ck_histogram dtls;
    struct ck_histogram first; /* per call: the first relayed packet at either side */
    struct ck_histogram each;  /* per leg: its own first relayed packet */
};

static void take_times(struct bench *bench, struct call *call)
{
    int64_t first = 0;
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_tclient_stats *stats = ck_rig_stats(bench->rig, call->legs[side]);
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
    if (call->over) {
        return;
    }
    if (ck_rig_stats(bench->rig, call->legs[0])->first_packet_us == 0 ||
        ck_rig_stats(bench->rig, call->legs[1])->first_packet_us == 0) {
        return;
    }
    take_times(bench, call);
    call->over = true;
    bench->over++;
    for (unsigned side = 0; side < 2; side++) {
        ck_tclient_hang_up(ck_rig_client(bench->rig, call->legs[side]));
        ck_rig_drop_client(bench->rig, call->legs[side]);
    }
}

static void turn(void *arg)
{
    struct bench *bench = arg;
    int64_t now = ck_crowd_now(ck_rig_crowd(bench->rig)).us;
    while (bench->opened < bench->calls &&
           now >= bench->first_us + (int64_t)bench->opened * 1000000 / bench->rate) {
        struct call *call = &bench->call[bench->opened++];
        call->opened_us = now;
        ck_rig_call(bench->rig, bench->opened, NULL, call->legs);
    }
    while (bench->scan < bench->opened && bench->call[bench->scan].over) {
        bench->scan++;
    }
    for (unsigned i = bench->scan; i < bench->opened; i++) {
        follow(bench, &bench->call[i]);
    }
    ck_crowd_arm(ck_rig_crowd(bench->rig), &bench->timer, (struct ck_mono){now + 2000});
}

static bool all_over(void *arg)
{
    const struct bench *bench = arg;
    return bench->over == bench->calls;
}

static bool report(struct bench *bench, double cpu_ms, double own_ms)
{
    char detail[96];
    snprintf(detail, sizeof detail, "\"rate\":%u,\"calls\":%u", bench->rate, bench->calls);
    bool slow = bench->rate <= 20;
    bool good = ck_figure("setup.failed", bench->calls - bench->over, "calls", CK_FIGURE_AT_MOST, 0,
                          detail);
    const struct {
        const char *name;
        const struct ck_histogram *histogram;
        bool target;
    } rows[] = {
        {"setup.answer", &bench->answer, false},
        {"setup.dtls", &bench->dtls, false},
        {"setup.first_packet", &bench->first, true},
        {"setup.first_packet_each_leg", &bench->each, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[64];
        bool target = rows[i].target && slow;
        snprintf(name, sizeof name, "%s_p50", rows[i].name);
        good &= ck_figure(name, (double)ck_histogram_quantile(rows[i].histogram, 0.5) / 1000, "ms",
                          target ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, P50_MS, detail);
        snprintf(name, sizeof name, "%s_p99", rows[i].name);
        good &= ck_figure(name, (double)ck_histogram_quantile(rows[i].histogram, 0.99) / 1000, "ms",
                          target ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, P99_MS, detail);
    }
    good &= ck_figure("setup.cpu_per_call", cpu_ms, "ms", CK_FIGURE_AT_MOST, CPU_MS, detail);
    ck_figure("setup.client_cpu_per_call", own_ms, "ms", CK_FIGURE_SHOWN, 0, detail);
    return good;
}

static bool run_rate(const struct plan *plan, unsigned rate)
{
    static struct bench bench;
    int status;
    memset(&bench, 0, sizeof bench);
    bench.calls = plan->calls;
    bench.rate = rate;
    if (ck_rig_start(&(struct ck_rig_options){.legs_max = 2048}, &bench.rig) != 0) {
        fprintf(stderr, "checkin-media does not start\n");
        return false;
    }
    bench.timer = (struct ck_crowd_timer){.due = turn, .arg = &bench};
    double cpu_s = ck_figure_cpu_s(ck_rig_pid(bench.rig));
    double own_s = ck_figure_own_cpu_s();
    bench.first_us = ck_crowd_now(ck_rig_crowd(bench.rig)).us;
    ck_crowd_arm(ck_rig_crowd(bench.rig), &bench.timer, (struct ck_mono){bench.first_us});
    int limit_ms = (int)(plan->calls * 1000 / rate) + 15000;
    ck_crowd_until(ck_rig_crowd(bench.rig), all_over, &bench, limit_ms);
    cpu_s = ck_figure_cpu_s(ck_rig_pid(bench.rig)) - cpu_s;
    own_s = ck_figure_own_cpu_s() - own_s;
    ck_crowd_disarm(ck_rig_crowd(bench.rig), &bench.timer);
    bool good = report(&bench, cpu_s * 1000 / plan->calls, own_s * 1000 / plan->calls);
    if (ck_rig_stop(bench.rig, &status) != 0 || status != 0) {
        fprintf(stderr, "checkin-media ended with status %d\n", status);
        good = false;
    }
    return good;
}

static bool read_rates(const char *text, struct plan *plan)
{
    plan->count = 0;
    while (*text != '\0' && plan->count < RATES_MAX) {
        char *end;
        unsigned long value = strtoul(text, &end, 10);
        if (end == text || value == 0 || value > 2000 || (*end != ',' && *end != '\0')) {
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
        if (strcmp(arguments[i], "--json") == 0) {
            continue;
        }
        if (i + 1 == count) {
            return false;
        }
        const char *value = arguments[++i];
        if (strcmp(arguments[i - 1], "--rates") == 0 && read_rates(value, plan)) {
            continue;
        }
        if (strcmp(arguments[i - 1], "--calls") == 0 && atoi(value) > 0 &&
            atoi(value) <= CALLS_MAX) {
            plan->calls = (unsigned)atoi(value);
            continue;
        }
        return false;
    }
    return true;
}

int main(int count, char **arguments)
{
    struct plan plan = {.rates = {20, 100}, .count = 2, .calls = 300};
    if (!read_arguments(count, arguments, &plan)) {
        fprintf(stderr, "usage: %s [--json] [--rates 20,100] [--calls N]\n", arguments[0]);
        return 2;
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
