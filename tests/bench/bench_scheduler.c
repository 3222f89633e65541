/* The engine under its peak, on SQLite on the disk of the present folder with synchronous=FULL, in
 * real time, on a thread of its own. Channels are played: each notice is accepted as soon as it is
 * handed out.
 *
 *   bench_scheduler [--json] [--persons N] [--due N] [--seconds S]
 *
 * Of the check-ins that are due half come to the end of their grace and half begin to ring, of
 * another person each: whoever is rung while missed would be put off. So 10,000 persons have 10,000
 * things in the minute at most, and the same 10,000 are due with 10 k, 100 k and 1 M persons in the
 * store: three rows that differ in nothing but its size, and what a check-in costs in each. Then
 * twice as much at 1 M: 10,000 ends of grace while 10,000 others begin to ring.
 *
 * Lateness of a decision: from the end of grace to the batch that is handed out (the commit was
 * before). Lateness of the first notice: from there to its hand-over to the channel. */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/engine.h"
#include "daemon/core/rules.h"
#include "daemon/store/log.h"
#include "scheduler/effects.h"
#include "tests/bench/caseload.h"
#include "tests/bench/figure.h"

#define LEAD_MS 4000 /* from the start of the engine to the first end of grace */
#define TAIL_MS 20000
/* What a check-in costs at 1 M persons over what it costs at 10 k: the depth of the indices, and
 * pages that are not warm. */
#define COST_OF_SIZE_MAX 1.5

struct bench {
    char folder[32], path[64];
    struct ck_peak peak;
    struct ck_registry registry;
    struct ck_engine *engine;
    int wake;
    int64_t *decided, *noticed, *rung; /* lateness in ms by number of the check-in; -1: not yet */
    int64_t decided_count, noticed_count, rung_count;
    int64_t turns; /* that said something */
};

static double mono_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* ---- the run ---- */

static void fill_random(void *user, void *bytes, size_t size)
{
    (void)user;
    if (getrandom(bytes, size, 0) != (ssize_t)size) {
        abort();
    }
}

static void read_clock(void *user, struct ck_now *now)
{
    (void)user;
    now->wall.ms = ck_bench_wall_ms();
    now->mono.us = (int64_t)(mono_s() * 1e6);
    now->synchronised = true;
}

static void on_wake(void *user)
{
    const struct bench *bench = user;
    const uint64_t one = 1;
    if (write(bench->wake, &one, sizeof(one)) != sizeof(one)) {
        abort();
    }
}

static void start(struct bench *bench)
{
    static const uint8_t master_key[CK_KEY_SIZE] = {7};
    /* No digests: a notice each is what is measured. */
    struct ck_house_rules rules = ck_house_rules_default();
    rules.storm.incidents = UINT32_MAX;
    const struct ck_engine_options options = {
        .rules = &rules,
        .store_path = bench->path,
        .registry = &bench->registry,
        .master_key = master_key,
        .zone_dir = "/usr/share/zoneinfo",
        .commands_max = 100000,
        .channels = CK_CHANNEL_BIT(CK_CHANNEL_EMAIL) | CK_CHANNEL_BIT(CK_CHANNEL_SMS),
        .random = fill_random,
        .clock = read_clock,
        .wake = on_wake,
        .user = bench,
    };
    ck_bench_check(ck_engine_create(&bench->engine, &options), "engine");
}

static void note(int64_t *list, int64_t *count, const struct bench *bench, int64_t number,
                 int64_t late_ms)
{
    if (number >= 0 && number < bench->peak.due && list[number] < 0) {
        list[number] = late_ms;
        (*count)++;
    }
}

static void accept_notice(const struct bench *bench, const struct ck_output *output)
{
    const struct ck_command command = {
        .name = "notice.result",
        .actor = {.kind = CK_ACTOR_GATEWAY, .peer = "127.0.0.1:1"},
        .body = json_pack("{s:I, s:O, s:s}", "notice", (json_int_t)output->id, "try",
                          json_object_get(output->body, "try"), "result", "accepted"),
    };
    ck_bench_check(ck_engine_submit(bench->engine, &command), "submit");
}

static void take(struct bench *bench)
{
    struct ck_batch *batch = ck_engine_take(bench->engine);
    while (batch != NULL) {
        struct ck_batch *next = batch->next;
        bench->turns++;
        int64_t now_ms = ck_bench_wall_ms();
        for (size_t i = 0; i < batch->output_count; i++) {
            const struct ck_output *output = &batch->outputs[i];
            int64_t missed = output->checkin_id - CK_CASELOAD_GRACE;
            int64_t ringing = output->checkin_id - CK_CASELOAD_RING;
            int64_t number = ringing >= 0 ? ringing : missed;
            int64_t at_ms = ck_peak_at_ms(&bench->peak, number);
            if (output->kind == CK_OUTPUT_INCIDENT && ringing < 0) {
                note(bench->decided, &bench->decided_count, bench, missed, now_ms - at_ms);
            } else if (output->kind == CK_OUTPUT_SEND && output->incident_id != 0) {
                note(bench->noticed, &bench->noticed_count, bench, missed,
                     now_ms - at_ms -
                         (missed >= 0 && missed < bench->peak.due ? bench->decided[missed] : 0));
            } else if (output->kind == CK_OUTPUT_SEND && ringing >= 0) {
                note(bench->rung, &bench->rung_count, bench, ringing, now_ms - at_ms);
            }
            if (output->kind == CK_OUTPUT_SEND) {
                accept_notice(bench, output);
            }
        }
        ck_batch_free(batch);
        batch = next;
    }
}

/* Until all is decided and told, or long after the last was due. */
static void run(struct bench *bench)
{
    int64_t until_ms = bench->peak.base_ms + bench->peak.spread_ms + TAIL_MS;
    ck_bench_check(ck_engine_start(bench->engine), "start");
    while (ck_bench_wall_ms() < until_ms &&
           bench->decided_count + bench->noticed_count + bench->rung_count < 3 * bench->peak.due) {
        struct pollfd poll_on = {.fd = bench->wake, .events = POLLIN};
        uint64_t count = 0;
        if (poll(&poll_on, 1, 100) > 0 && read(bench->wake, &count, sizeof(count)) < 0) {
            abort();
        }
        take(bench);
    }
    ck_engine_stop(bench->engine);
}

/* ---- figures ---- */

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool lateness(const struct bench *bench, const char *name, int64_t *list, double target_s,
                     bool judged)
{
    char figure[64], detail[64];
    bool good = true;
    qsort(list, (size_t)bench->peak.due, sizeof(list[0]), by_size);
    if (list[0] < 0) {
        fprintf(stderr, "bench_scheduler: %s: not all of them happened\n", name);
        return false;
    }
    snprintf(detail, sizeof(detail), "\"persons\":%lld,\"due\":%lld",
             (long long)bench->peak.persons, (long long)bench->peak.due * 2);
    const struct {
        const char *name;
        int64_t at;
        bool judged;
    } points[] = {{"p50", bench->peak.due / 2, false},
                  {"p99", bench->peak.due * 99 / 100, judged},
                  {"max", bench->peak.due - 1, false}};
    for (size_t i = 0; i < 3; i++) {
        snprintf(figure, sizeof(figure), "%s_%s", name, points[i].name);
        good &= ck_figure(figure, (double)list[points[i].at] / 1000, "s",
                          points[i].judged ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, target_s, detail);
    }
    return good;
}

/* Entries of the audit log. */
static int64_t log_size(const struct bench *bench)
{
    struct ck_store *store = NULL;
    struct ck_log_head head;
    ck_bench_check(ck_store_open_reader(&store, bench->path), "reader");
    ck_bench_check(ck_log_load_head(store, &head), "log");
    ck_store_close(store);
    return (int64_t)head.frontier.size;
}

static double memory_mib(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident) != 2) {
        resident = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

/* In a process of its own: what it needs of memory is not the engine's. */
static void make_store(struct bench *bench)
{
    int pipes[2];
    ck_bench_check(pipe(pipes), "pipe");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        ck_caseload_make(bench->path, bench->peak.persons);
        bench->peak.base_ms = ck_bench_wall_ms() + LEAD_MS + bench->peak.due / 2;
        ck_caseload_peak(bench->path, &bench->peak);
        bool told = write(pipes[1], &bench->peak.base_ms, sizeof(int64_t)) == sizeof(int64_t);
        _exit(told ? 0 : 1);
    }
    close(pipes[1]);
    if (child < 0 ||
        read(pipes[0], &bench->peak.base_ms, sizeof(int64_t)) != (ssize_t)sizeof(int64_t) ||
        waitpid(child, NULL, 0) != child) {
        fprintf(stderr, "bench_scheduler: the store was not made\n");
        exit(1);
    }
    close(pipes[0]);
}

/* `due` in all; *cpu_us: what one of them cost. */
static bool measure(int64_t persons, int64_t due, int64_t seconds, bool judged, double *cpu_us)
{
    static struct bench bench;
    char command[96], detail[64];
    struct stat file;
    bench = (struct bench){
        .peak = {.persons = persons, .due = due / 2, .spread_ms = seconds * 1000, .rings = true}};
    snprintf(bench.folder, sizeof(bench.folder), "bench-scheduler-XXXXXX");
    if (mkdtemp(bench.folder) == NULL) {
        perror(bench.folder);
        exit(1);
    }
    snprintf(bench.path, sizeof(bench.path), "%s/store", bench.folder);
    snprintf(detail, sizeof(detail), "\"persons\":%lld,\"due\":%lld", (long long)persons,
             (long long)due);
    const int64_t half = bench.peak.due;
    int64_t *lists = malloc(3 * (size_t)half * sizeof(*lists));
    bench.wake = eventfd(0, EFD_CLOEXEC);
    if (lists == NULL || bench.wake < 0) {
        abort();
    }
    memset(lists, 0xff, 3 * (size_t)half * sizeof(*lists));
    bench.decided = lists;
    bench.noticed = lists + half;
    bench.rung = lists + 2 * half;
    ck_core_register(&bench.registry);
    double started = mono_s();
    make_store(&bench);
    ck_figure("store_made_in", mono_s() - started, "s", CK_FIGURE_SHOWN, 0, detail);
    ck_bench_check(stat(bench.path, &file), "stat");
    ck_figure("store_size", (double)file.st_size / 1048576, "MiB", CK_FIGURE_SHOWN, 0, detail);
    started = mono_s();
    struct ck_now now;
    struct ck_wall next;
    start(&bench);
    read_clock(NULL, &now);
    ck_bench_check(ck_engine_turn(bench.engine, &now, &next), "first turn");
    ck_figure("start_up", (mono_s() - started) * 1000, "ms", CK_FIGURE_SHOWN, 0, detail);
    if (ck_bench_wall_ms() >= bench.peak.base_ms) {
        fprintf(stderr,
                "bench_scheduler: the store took too long to make; ends were already due\n");
    }
    double cpu = ck_figure_own_cpu_s();
    int64_t entries = log_size(&bench);
    run(&bench);
    cpu = ck_figure_own_cpu_s() - cpu;
    entries = log_size(&bench) - entries;
    bool good = lateness(&bench, "decided_late", bench.decided, 2, judged);
    good &= lateness(&bench, "first_notice_after", bench.noticed, 5, judged);
    good &= lateness(&bench, "ring_late", bench.rung, 0, false);
    /* Half of them a decision with its incident and first notice, half a ring. */
    *cpu_us = cpu / (double)due * 1e6;
    ck_figure("cpu_per_checkin", *cpu_us, "us", CK_FIGURE_SHOWN, 0, detail);
    /* How many entries share a commit: what bench_audit appends as a group. */
    ck_figure("log_entries_per_turn", (double)entries / (double)(bench.turns + 1), "",
              CK_FIGURE_SHOWN, 0, detail);
    ck_figure("memory", memory_mib(), "MiB", CK_FIGURE_SHOWN, 0, detail);
    ck_engine_destroy(bench.engine);
    close(bench.wake);
    free(lists);
    snprintf(command, sizeof(command), "rm -rf %s", bench.folder);
    return system(command) == 0 && good;
}

static int64_t argument(int count, char **arguments, const char *name, int64_t otherwise)
{
    for (int i = 1; i + 1 < count; i++) {
        if (strcmp(arguments[i], name) == 0) {
            return atoll(arguments[i + 1]);
        }
    }
    return otherwise;
}

int main(int count, char **arguments)
{
    static const int64_t sizes[] = {10000, 100000, 1000000};
    int64_t due = argument(count, arguments, "--due", 10000);
    int64_t seconds = argument(count, arguments, "--seconds", 60);
    int64_t only = argument(count, arguments, "--persons", 0); /* 0: all three */
    double cpu_us[3], once;
    bool good = true;
    if (due < 2 || due % 2 != 0 || seconds < 1 || (only != 0 && only < due)) {
        fprintf(stderr, "bench_scheduler: --due must be even and at most --persons, --seconds at "
                        "least 1\n");
        return 2;
    }
    if (only > 0) {
        return measure(only, due, seconds, true, &once) ? 0 : 1;
    }
    for (size_t i = 0; i < 3; i++) {
        good &= measure(sizes[i], due, seconds, sizes[i] == 1000000, &cpu_us[i]);
    }
    good &= ck_figure("cost_of_size", cpu_us[2] / cpu_us[0], "times", CK_FIGURE_AT_MOST,
                      COST_OF_SIZE_MAX, "");
    good &= measure(1000000, 2 * due, seconds, true, &once);
    return good ? 0 : 1;
}
