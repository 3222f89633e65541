/* The engine under its peak: 10,000 check-ins whose grace ends in one minute while 10,000 others
 * begin to ring, with 10 k, 100 k and 1 M persons in the store, on SQLite on the disk of the
 * present folder with synchronous=FULL, in real time, on a thread of its own. Channels are played:
 * each notice is accepted as soon as it is handed out.
 *
 *   bench_scheduler [--json] [--persons N] [--due N] [--seconds S]
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
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/core/engine.h"
#include "daemon/core/rules.h"
#include "daemon/store/checkin.h"
#include "daemon/store/store.h"
#include "scheduler/effects.h"
#include "tests/bench/figure.h"

#define LEAD_MS 4000 /* from the start of the engine to the first end of grace */
#define TAIL_MS 20000

struct bench {
    char folder[32], path[64];
    int64_t persons, due, seconds;
    int64_t base_ms; /* when the first grace ends and the first check-in rings */
    struct ck_registry registry;
    struct ck_engine *engine;
    int wake;
    int64_t *decided, *noticed, *rung; /* lateness in ms by number of the check-in; -1: not yet */
    int64_t decided_count, noticed_count, rung_count;
};

static void check(int code, const char *what)
{
    if (code != 0) {
        fprintf(stderr, "bench_scheduler: %s: %d\n", what, code);
        exit(1);
    }
}

static int64_t wall_ms(void)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return at.tv_sec * INT64_C(1000) + at.tv_nsec / 1000000;
}

static double mono_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* ---- the store ---- */

static void run_sql(sqlite3 *db, const char *sql)
{
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
        fprintf(stderr, "bench_scheduler: %s in %.200s\n", error, sql);
        exit(1);
    }
}

static int64_t policy_row(const char *path)
{
    struct ck_store *store = NULL;
    int64_t id = 0;
    const struct ck_house_rules rules = ck_house_rules_default();
    char *text = ck_checkin_policy_text(&rules.checkin);
    check(ck_store_open(&store, path), "store");
    check(ck_store_begin(store), "begin");
    check(ck_policy_intern(store, "checkin", text, &id), "policy");
    check(ck_store_commit(store), "commit");
    ck_store_close(store);
    free(text);
    return id;
}

/* A caseload in bulk: an inspector for 500 persons, an order and a plan each, and a check-in that
 * is planned for another day. */
static void seed_people(sqlite3 *db, int64_t persons, int64_t base_ms, int64_t policy)
{
    char sql[4096];
    snprintf(
        sql, sizeof(sql),
        "INSERT INTO unit (id, name, zone, created_at) SELECT value, 'u' || value, 'Asia/Almaty', "
        "1 "
        "FROM number WHERE value <= 40;"
        "INSERT INTO staff (id, login, name, password, roles, unit_id, language, email, on_duty, "
        "pseudonym, created_at) SELECT value, 's' || value, 's', 'x', CASE WHEN value <= 40 THEN 2 "
        "ELSE 1 END, (value - 1) %% 40 + 1, 'ru', 's' || value || '@staff.invalid', 1, "
        "randomblob(16), 1 FROM number WHERE value <= 40 + %lld;"
        "INSERT INTO person (id, reference, name, birth_date, phone, language, unit_id, "
        "inspector_id, band, pseudonym, salt, created_at) SELECT value, 'P-' || value, 'p', "
        "'1990-01-01', '+7700' || value, 'kk', (value / 500) %% 40 + 1, 41 + value / 500, 'low', "
        "randomblob(16), randomblob(32), 1 FROM number WHERE value <= %lld;"
        "INSERT INTO contact_order (id, person_id, kind, article, number, issuer, from_date, "
        "until_date, conditions, contacts_per_period, period_days, hours_start, hours_end, "
        "created_at) SELECT id, id, 'protective_order', '20', '17', 'police', '2026-01-01', "
        "'2027-12-31', '', 2, 1, '00:00', '24:00', 1 FROM person;"
        "INSERT INTO plan (id, person_id, order_id, kind, mandatory, rule, state, expanded_until, "
        "created_at, next_at) SELECT id, id, id, 'live', 1, '{}', 'active', '2027-01-01', 1, %lld "
        "+ "
        "86400000 + id FROM person;"
        "INSERT INTO checkin (person_id, unit_id, inspector_id, plan_id, plan_version, local_date, "
        "slot, drawn, zone, zone_version, kind, mandatory, policy_id, window_start_at, "
        "window_end_at, due_at, state, machine, attempts, created_at, next_at, next_what) SELECT "
        "id, unit_id, inspector_id, id, 1, '2027-01-01', 0, 0, 'Asia/Almaty', 'x', 'live', 1, "
        "%lld, "
        "%lld + id, %lld + 7200000 + id, %lld + id, 'planned', '{}', 3, 1, %lld + id, 'ring' FROM "
        "person;",
        (long long)persons / 500 + 1, (long long)persons, (long long)base_ms, (long long)policy,
        (long long)base_ms + 86400000, (long long)base_ms + 86400000, (long long)base_ms + 86400000,
        (long long)base_ms + 86000000);
    run_sql(db, sql);
}

/* `due` check-ins whose grace ends in these seconds, reached and answerable all the time, and as
 * many that begin to ring; evenly spread over the persons and the time. */
static void seed_due(const struct bench *bench, sqlite3 *db, int64_t policy)
{
    const struct ck_house_rules rules = ck_house_rules_default();
    const struct ck_checkin_policy *times = &rules.checkin;
    int64_t window_ms = times->response_ms + times->grace_ms;
    char sql[4096];
    snprintf(
        sql, sizeof(sql),
        "CREATE TEMP TABLE now_due AS SELECT value AS n, value * %lld / %lld + 1 AS person, %lld + "
        "value * %lld / %lld AS at FROM (SELECT 0 AS value UNION ALL SELECT value FROM number "
        "WHERE value <= %lld);"
        "INSERT INTO checkin (id, person_id, unit_id, inspector_id, local_date, slot, drawn, zone, "
        "zone_version, kind, mandatory, policy_id, window_start_at, window_end_at, due_at, state, "
        "machine, attempt, attempts, created_at, next_at, next_what) SELECT 100000000 + n, person, "
        "p.unit_id, p.inspector_id, '2026-01-02', n, 0, 'Asia/Almaty', 'x', 'live', 1, %lld, at - "
        "%lld, at + 7200000, at - %lld, 'ringing', json_object('opened_at', at - %lld, "
        "'respond_until', at - %lld, 'answer_until', at, 'late_until', at + 3600000, 'evidence', "
        "3, "
        "'evidence_at', json_array(at - %lld, at - %lld)), 3, 3, 1, at, 'decide' FROM now_due JOIN "
        "person p ON p.id = person;"
        "INSERT INTO notice (reference, checkin_id, step, fire, person_id, channel, template, "
        "language, address, state, machine, receipts, tries, created_at, deadline_at, accepted_at, "
        "delivered_at) SELECT 'N-' || n, 100000000 + n, 0, 1, person, 'sms', 'ring', 'kk', '+7', "
        "'delivered', '{}', 1, 1, at - %lld, at, at - %lld, at - %lld FROM now_due;"
        "INSERT INTO checkin (id, person_id, unit_id, inspector_id, local_date, slot, drawn, zone, "
        "zone_version, kind, mandatory, policy_id, window_start_at, window_end_at, due_at, state, "
        "machine, attempts, created_at, next_at, next_what) SELECT 200000000 + n, p.id, p.unit_id, "
        "p.inspector_id, '2026-01-03', n, 0, 'Asia/Almaty', 'x', 'live', 1, %lld, at, at + "
        "7200000, "
        "at, 'armed', '{}', 3, 1, at, 'ring' FROM now_due JOIN person p ON p.id = (person + 1) %% "
        "%lld + 1;"
        "INSERT INTO health (from_at, until_at, bits) VALUES (%lld - 7200000, %lld + 7200000, 15);",
        (long long)(bench->persons - 2), (long long)bench->due, (long long)bench->base_ms,
        (long long)bench->seconds * 1000, (long long)bench->due, (long long)bench->due - 1,
        (long long)policy, (long long)window_ms, (long long)window_ms, (long long)window_ms,
        (long long)times->grace_ms, (long long)window_ms, (long long)window_ms,
        (long long)window_ms, (long long)window_ms, (long long)window_ms, (long long)policy,
        (long long)bench->persons, (long long)bench->base_ms, (long long)bench->base_ms);
    run_sql(db, sql);
}

static double seed(struct bench *bench)
{
    double started = mono_s();
    sqlite3 *db = NULL;
    int64_t policy = policy_row(bench->path);
    check(sqlite3_open(bench->path, &db), "open");
    run_sql(db, "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN");
    char numbers[256];
    snprintf(
        numbers, sizeof(numbers),
        "CREATE TEMP TABLE number (value INTEGER PRIMARY KEY); WITH RECURSIVE n (i) AS (SELECT "
        "1 UNION ALL SELECT i + 1 FROM n WHERE i < %lld) INSERT INTO number SELECT i FROM n",
        (long long)(bench->persons > bench->due ? bench->persons : bench->due) + 100);
    run_sql(db, numbers);
    bench->base_ms = wall_ms() + 3600000; /* moved when the store is ready */
    seed_people(db, bench->persons, bench->base_ms, policy);
    run_sql(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE); BEGIN");
    bench->base_ms = wall_ms() + LEAD_MS + bench->due / 5;
    seed_due(bench, db, policy);
    run_sql(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    check(sqlite3_close(db), "close");
    return mono_s() - started;
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
    now->wall.ms = wall_ms();
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
    const struct ck_engine_options options = {
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
    check(ck_engine_create(&bench->engine, &options), "engine");
}

static void note(int64_t *list, int64_t *count, const struct bench *bench, int64_t number,
                 int64_t late_ms)
{
    if (number >= 0 && number < bench->due && list[number] < 0) {
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
    check(ck_engine_submit(bench->engine, &command), "submit");
}

static void take(struct bench *bench)
{
    struct ck_batch *batch = ck_engine_take(bench->engine);
    while (batch != NULL) {
        struct ck_batch *next = batch->next;
        int64_t now_ms = wall_ms();
        for (size_t i = 0; i < batch->output_count; i++) {
            const struct ck_output *output = &batch->outputs[i];
            int64_t missed = output->checkin_id - 100000000;
            int64_t ringing = output->checkin_id - 200000000;
            int64_t number = ringing >= 0 ? ringing : missed;
            int64_t at_ms = bench->base_ms + number * bench->seconds * 1000 / bench->due;
            if (output->kind == CK_OUTPUT_INCIDENT && ringing < 0) {
                note(bench->decided, &bench->decided_count, bench, missed, now_ms - at_ms);
            } else if (output->kind == CK_OUTPUT_SEND && output->incident_id != 0) {
                note(bench->noticed, &bench->noticed_count, bench, missed,
                     now_ms - at_ms -
                         (missed >= 0 && missed < bench->due ? bench->decided[missed] : 0));
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
    int64_t until_ms = bench->base_ms + bench->seconds * 1000 + TAIL_MS;
    check(ck_engine_start(bench->engine), "start");
    while (wall_ms() < until_ms &&
           bench->decided_count + bench->noticed_count + bench->rung_count < 3 * bench->due) {
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
    qsort(list, (size_t)bench->due, sizeof(list[0]), by_size);
    if (list[0] < 0) {
        fprintf(stderr, "bench_scheduler: %s: not all of them happened\n", name);
        return false;
    }
    snprintf(detail, sizeof(detail), "\"persons\":%lld", (long long)bench->persons);
    const struct {
        const char *name;
        int64_t at;
        bool judged;
    } points[] = {{"p50", bench->due / 2, false},
                  {"p99", bench->due * 99 / 100, judged},
                  {"max", bench->due - 1, false}};
    for (size_t i = 0; i < 3; i++) {
        snprintf(figure, sizeof(figure), "%s_%s", name, points[i].name);
        good &= ck_figure(figure, (double)list[points[i].at] / 1000, "s",
                          points[i].judged ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, target_s, detail);
    }
    return good;
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

static bool measure(int64_t persons, int64_t due, int64_t seconds, bool judged)
{
    static struct bench bench;
    char command[96], detail[64];
    struct stat file;
    bench = (struct bench){.persons = persons, .due = due, .seconds = seconds};
    snprintf(bench.folder, sizeof(bench.folder), "bench-scheduler-XXXXXX");
    if (mkdtemp(bench.folder) == NULL) {
        perror(bench.folder);
        exit(1);
    }
    snprintf(bench.path, sizeof(bench.path), "%s/store", bench.folder);
    snprintf(detail, sizeof(detail), "\"persons\":%lld", (long long)persons);
    int64_t *lists = malloc(3 * (size_t)due * sizeof(*lists));
    bench.wake = eventfd(0, EFD_CLOEXEC);
    if (lists == NULL || bench.wake < 0) {
        abort();
    }
    memset(lists, 0xff, 3 * (size_t)due * sizeof(*lists));
    bench.decided = lists;
    bench.noticed = lists + due;
    bench.rung = lists + 2 * due;
    ck_core_register(&bench.registry);
    ck_figure("store_made_in", seed(&bench), "s", CK_FIGURE_SHOWN, 0, detail);
    check(stat(bench.path, &file), "stat");
    ck_figure("store_size", (double)file.st_size / 1048576, "MiB", CK_FIGURE_SHOWN, 0, detail);
    double started = mono_s();
    struct ck_now now;
    struct ck_wall next;
    start(&bench);
    read_clock(NULL, &now);
    check(ck_engine_turn(bench.engine, &now, &next), "first turn");
    ck_figure("start_up", (mono_s() - started) * 1000, "ms", CK_FIGURE_SHOWN, 0, detail);
    if (wall_ms() >= bench.base_ms) {
        fprintf(stderr,
                "bench_scheduler: the store took too long to make; ends were already due\n");
    }
    double cpu = ck_figure_own_cpu_s();
    run(&bench);
    cpu = ck_figure_own_cpu_s() - cpu;
    bool good = lateness(&bench, "decided_late", bench.decided, 2, judged);
    good &= lateness(&bench, "first_notice_after", bench.noticed, 5, judged);
    good &= lateness(&bench, "ring_late", bench.rung, 0, false);
    /* One decision with its incident and first notice, and one ring. */
    ck_figure("cpu_per_checkin", cpu / (double)(2 * due) * 1e6, "us", CK_FIGURE_SHOWN, 0, detail);
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
    int64_t due = argument(count, arguments, "--due", 10000);
    int64_t seconds = argument(count, arguments, "--seconds", 60);
    int64_t only = argument(count, arguments, "--persons", 0);
    if (only > 0) {
        return measure(only, due, seconds, true) ? 0 : 1;
    }
    bool good = measure(10000, due, seconds / 3, false);
    good &= measure(100000, due, seconds / 3, false);
    good &= measure(1000000, due, seconds, true);
    return good ? 0 : 1;
}
