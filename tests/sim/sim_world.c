#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/cases/cases.h"
#include "daemon/core/rules.h"
#include "daemon/store/person.h"
#include "daemon/store/staff.h"
#include "daemon/store/store.h"
#include "scheduler/effects.h"
#include "tests/sim/memory_vfs.h"
#include "tests/sim/sim.h"

#define HEALTH_EVERY_MS 15000 /* further apart they would prove nothing */

#define CHECKPOINT_PAGES 1000
#define COMMANDS_MAX 16384 /* its memory is cleared at every start */

#define LADDERS_PER_UNIT 4

/* So many incidents in ten minutes are a storm: what an hour's outage makes. */
#define STORM_MIN 4
#define STORM_PEOPLE 60

void sim_fail(struct sim *sim, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "seed %llu, %lld ms after the start: ", (unsigned long long)sim->options.seed,
            (long long)(sim->now_ms - sim->start_ms));
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

void sim_wrong(struct sim *sim, struct sim_about about, const char *format, ...)
{
    char what[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    if (!sim_wanted(sim, what) || ++sim->wrong > 10) {
        return; /* the rest is counted */
    }
    fprintf(stderr, "WRONG, seed %llu, %+.1f s: %s", (unsigned long long)sim->options.seed,
            (double)(sim->now_ms - sim->start_ms) / 1000, what);
    if (about.checkin != 0) {
        fprintf(stderr, " (check-in %lld)", (long long)about.checkin);
    }
    fprintf(stderr, "\n");
    if (sim->options.brief) {
        if (sim_reader(sim) != NULL) {
            sim_check_trace(sim, sim_reader(sim), about);
        }
        sim_found(sim);
    }
}

bool sim_wanted(const struct sim *sim, const char *what)
{
    return sim->options.only == NULL || strstr(what, sim->options.only) != NULL;
}

void sim_found(struct sim *sim)
{
    sim_zones_remove(sim);
    exit(1);
}

static void must(struct sim *sim, int code, const char *what)
{
    if (code != 0) {
        sim_fail(sim, "%s: %d", what, code);
    }
}

/* ---- randomness
 * ---------------------------------------------------------------------------------- */

static uint64_t split_mix(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t sim_random(struct sim *sim)
{
    return split_mix(&sim->random);
}

int64_t sim_below(struct sim *sim, int64_t n)
{
    return (int64_t)(sim_random(sim) % (uint64_t)n);
}

bool sim_chance(struct sim *sim, int percent)
{
    return sim_below(sim, 100) < percent;
}

int64_t sim_seconds(struct sim *sim, int64_t min, int64_t max)
{
    int64_t at_ms = sim->now_ms + (min + sim_below(sim, max - min + 1)) * 1000;
    return (at_ms + 4999) / 5000 * 5000 - sim->now_ms;
}

static void fill_random(void *user, void *bytes, size_t size)
{
    struct sim *sim = user;
    uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(split_mix(&sim->engine_random) >> 56);
    }
}

/* ---- events
 * -------------------------------------------------------------------------------------- */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->number < b->number;
}

static void heap_push(struct sim *sim, const struct sim_event *event)
{
    if (sim->heap_count == sim->heap_size) {
        sim->heap_size = sim->heap_size == 0 ? 1024 : sim->heap_size * 2;
        sim->heap = realloc(sim->heap, sim->heap_size * sizeof(*sim->heap));
        if (sim->heap == NULL) {
            abort();
        }
    }
    size_t i = sim->heap_count++;
    while (i > 0 && is_before(event, &sim->heap[(i - 1) / 2])) {
        sim->heap[i] = sim->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    sim->heap[i] = *event;
}

static struct sim_event heap_pop(struct sim *sim)
{
    struct sim_event first = sim->heap[0];
    struct sim_event last = sim->heap[--sim->heap_count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= sim->heap_count) {
            break;
        }
        if (child + 1 < sim->heap_count && is_before(&sim->heap[child + 1], &sim->heap[child])) {
            child++;
        }
        if (!is_before(&sim->heap[child], &last)) {
            break;
        }
        sim->heap[i] = sim->heap[child];
        i = child;
    }
    sim->heap[i] = last;
    return first;
}

void sim_later(struct sim *sim, int64_t in_ms, enum sim_event_kind kind, int64_t a, int64_t b,
               int64_t c)
{
    heap_push(sim, &(struct sim_event){.at_ms = sim->now_ms + in_ms,
                                       .number = sim->events_made++,
                                       .kind = kind,
                                       .a = a,
                                       .b = b,
                                       .c = c,
                                       .epoch = sim->epoch});
}

struct visit *sim_visit(struct sim *sim, int64_t checkin)
{
    size_t id = (size_t)checkin;
    if (id >= sim->visit_count) {
        size_t count = id + 4096;
        sim->visits = realloc(sim->visits, count * sizeof(*sim->visits));
        if (sim->visits == NULL) {
            abort();
        }
        memset(sim->visits + sim->visit_count, 0,
               (count - sim->visit_count) * sizeof(*sim->visits));
        for (size_t i = sim->visit_count; i < count; i++) {
            sim->visits[i].person = -1;
        }
        sim->visit_count = count;
    }
    return &sim->visits[id];
}

/* ---- the daemon
 * ---------------------------------------------------------------------------------- */

/* ---- plans of statements
 * ------------------------------------------------------------------------- */

static sqlite3 *newest_db;

static int on_open(sqlite3 *db, char **error, const struct sqlite3_api_routines *api)
{
    (void)error;
    (void)api;
    newest_db = db;
    return SQLITE_OK;
}

/* Tables that grow with the years. */
static const char *const large_tables[] = {
    "person",        "plan",   "contact_order", "checkin",   "attempt",   "fact",      "link",
    "incident",      "notice", "incident_line", "log_entry", "log_plain", "session",   "conclusion",
    "contact_order", "review", "outcome_form",  "recording", "message",   "challenge", "expiry"};

static bool reads_all(const char *detail)
{
    if (strncmp(detail, "SCAN ", 5) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(large_tables) / sizeof(large_tables[0]); i++) {
        size_t length = strlen(large_tables[i]);
        if (strncmp(detail + 5, large_tables[i], length) == 0 &&
            (detail[5 + length] == '\0' || detail[5 + length] == ' ')) {
            return true;
        }
    }
    return false;
}

struct sqlite3 *sim_reader(struct sim *sim)
{
    if (sim->reader == NULL &&
        sqlite3_open_v2(sim->uri, &sim->reader, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) !=
            SQLITE_OK) {
        sqlite3_close(sim->reader);
        sim->reader = NULL;
    }
    return sim->reader;
}

struct sqlite3_stmt *sim_ask(struct sim *sim, const char *sql)
{
    size_t i = 0;
    while (sim->asked[i].sql != NULL && sim->asked[i].sql != sql) {
        i++;
        must(sim, i == SIM_QUESTIONS, "too many questions");
    }
    if (sim->asked[i].sql == NULL) {
        if (sim_reader(sim) == NULL ||
            sqlite3_prepare_v3(sim->reader, sql, -1, SQLITE_PREPARE_PERSISTENT,
                               &sim->asked[i].statement, NULL) != SQLITE_OK) {
            return NULL;
        }
        sim->asked[i].sql = sql;
    }
    return sim->asked[i].statement;
}

/* Whether this statement was looked at in an earlier life of the daemon; from now on it was. */
static bool plan_seen(struct sim *sim, const char *sql)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    for (const char *at = sql; *at != '\0'; at++) {
        sum = (sum ^ (unsigned char)*at) * UINT64_C(1099511628211);
    }
    for (size_t i = 0; i < sim->plans_seen_count; i++) {
        if (sim->plans_seen[i] == sum) {
            return true;
        }
    }
    sim->plans_seen =
        realloc(sim->plans_seen, (sim->plans_seen_count + 1) * sizeof(*sim->plans_seen));
    if (sim->plans_seen == NULL) {
        abort();
    }
    sim->plans_seen[sim->plans_seen_count++] = sum;
    return false;
}

/* A change of a rule is about all that it holds for. */
static bool may_read_all(const char *sql)
{
    static const char reckon[] = "UPDATE expiry SET next_at = since_at + ?2 WHERE class = ?1";
    return strncmp(sql, reckon, sizeof(reckon) - 1) == 0;
}

static void check_plan(struct sim *sim, const char *text)
{
    char sql[8192];
    sqlite3_stmt *plan = NULL;
    snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", text);
    if (sqlite3_prepare_v2(sim_reader(sim), sql, -1, &plan, NULL) != SQLITE_OK) {
        return; /* BEGIN and its like */
    }
    while (sqlite3_step(plan) == SQLITE_ROW) {
        if (reads_all((const char *)sqlite3_column_text(plan, 3))) {
            sim_wrong(sim, (struct sim_about){0}, "a statement reads a whole table: %s: %s",
                      (const char *)sqlite3_column_text(plan, 3), text);
        }
    }
    sqlite3_finalize(plan);
}

void sim_check_plans(struct sim *sim)
{
    must(sim, sim_reader(sim) == NULL, "a reader");
    for (sqlite3_stmt *at = sqlite3_next_stmt(sim->engine_db, NULL); at != NULL;
         at = sqlite3_next_stmt(sim->engine_db, at)) {
        if (!plan_seen(sim, sqlite3_sql(at)) && !may_read_all(sqlite3_sql(at))) {
            check_plan(sim, sqlite3_sql(at));
        }
    }
}

static void at_point(void *user, const char *name)
{
    sim_at_point(user, name);
}

void sim_start_daemon(struct sim *sim)
{
    static const uint8_t master_key[CK_KEY_SIZE] = {7};
    struct ck_house_rules rules = ck_house_rules_default();
    rules.storm.incidents = (uint32_t)(STORM_MIN + sim->person_count / STORM_PEOPLE);
    const struct ck_engine_options options = {
        .rules = &rules,
        .store_path = sim->uri,
        .registry = &sim->registry,
        .master_key = master_key,
        .zone_dir = sim->zones,
        .commands_max = COMMANDS_MAX,
        .channels = CK_CHANNEL_BIT(CK_CHANNEL_EMAIL) | CK_CHANNEL_BIT(CK_CHANNEL_SMS),
        .sms_receipts = true,
        .webhooks = {"dispatch"},
        .webhook_count = 1,
        .random = fill_random,
        .user = sim,
    };
    newest_db = NULL;
    sim->refusing = false;
    int code = ck_engine_create(&sim->engine, &options);
    sim->engine_db = newest_db;
    /* Often: the power is cut in some of them, and what is written stays near. */
    sqlite3_wal_autocheckpoint(newest_db, CHECKPOINT_PAGES);
    if (code != 0) {
        sim_fail(sim, "the daemon does not start again: %d", code);
    }
    ck_engine_set_crash_point(sim->engine, at_point, sim);
    sim->epoch++;
    sim->next_turn_ms = sim->now_ms;
    sim->reported_ms = 0;
}

void sim_stop_daemon(struct sim *sim)
{
    for (size_t i = 0; i < SIM_QUESTIONS; i++) {
        sqlite3_finalize(sim->asked[i].statement);
    }
    memset(sim->asked, 0, sizeof(sim->asked));
    sqlite3_close(sim->reader);
    sim->reader = NULL;
    ck_engine_destroy(sim->engine);
    sim->engine = NULL;
}

bool sim_submit(struct sim *sim, const char *name, const struct ck_actor *actor, json_t *body,
                uint64_t ticket)
{
    const struct ck_command command = {
        .name = name, .actor = *actor, .body = body, .ticket = ticket};
    if (body == NULL) {
        abort();
    }
    if (sim->engine == NULL) {
        json_decref(body);
        return false;
    }
    int code = ck_engine_submit(sim->engine, &command);
    if (code != 0) {
        sim_fail(sim, "%s is not taken: %d", name, code);
    }
    sim->commands++;
    sim->queued++;
    sim->next_turn_ms = sim->now_ms;
    return true;
}

static void take_batches(struct sim *sim)
{
    struct ck_batch *batch = ck_engine_take(sim->engine);
    while (batch != NULL) {
        struct ck_batch *next = batch->next;
        for (size_t i = 0; i < batch->result_count; i++) {
            sim_result(sim, &batch->results[i]);
        }
        for (size_t i = 0; i < batch->output_count; i++) {
            sim_output(sim, &batch->outputs[i]);
        }
        ck_batch_free(batch);
        batch = next;
    }
}

static struct ck_now clocks(const struct sim *sim)
{
    return (struct ck_now){.wall = {sim->now_ms + sim->clock_offset_ms},
                           .mono = {sim->now_ms * 1000},
                           .synchronised = sim->synchronised};
}

bool sim_turn(struct sim *sim)
{
    struct ck_now now = clocks(sim);
    struct ck_wall next = now.wall;
    int code = ck_engine_turn(sim->engine, &now, &next);
    sim->turns++;
    sim->queued = 0;
    sim->turns_failed += code != 0;
    sim->next_turn_ms = next.ms - sim->clock_offset_ms;
    if (sim->next_turn_ms < sim->now_ms) {
        sim->next_turn_ms = sim->now_ms;
    }
    return code == 0;
}

/* Where people do something as well: together they cost one turn. */
static int64_t next_report(const struct sim *sim)
{
    return (sim->reported_ms / HEALTH_EVERY_MS + 1) * HEALTH_EVERY_MS;
}

static void report_health(struct sim *sim)
{
    const struct ck_actor actor = ck_actor_system();
    if (sim->engine != NULL && sim->now_ms >= next_report(sim)) {
        sim->reported_ms = sim->now_ms;
        sim_submit(sim, "health.report", &actor,
                   json_pack("{s:b, s:b}", "probe", sim->probe_down == 0, "worker", 1), 0);
    }
}

bool sim_ours_well(const struct sim *sim)
{
    return sim->engine != NULL && sim->probe_down == 0 && sim->synchronised && !sim->disk->broken &&
           !sim->refusing && !sim->stalling;
}

/* ---- time
 * ---------------------------------------------------------------------------------------- */

static void move_to(struct sim *sim, int64_t at_ms)
{
    if (at_ms > sim->now_ms) {
        bool well = sim_ours_well(sim);
        sim->ok_ms += well ? at_ms - sim->now_ms : 0;
        sim->now_ms = at_ms;
        sim->well_since_ms = well ? sim->well_since_ms : at_ms;
    }
}

/* What the last turn came to leaves the daemon when the disk has it. */
static void wait_for_disk(struct sim *sim)
{
    if (sim->stalled_ms > 0) {
        int64_t until_ms = sim->now_ms + sim->stalled_ms;
        sim->seen[SEEN_STALL]++;
        sim->stalling = true;
        move_to(sim, until_ms);
        sim->stalling = false;
        sim->stalled_ms = 0;
    }
}

static int64_t next_moment(const struct sim *sim)
{
    int64_t next = INT64_MAX;
    if (sim->heap_count > 0) {
        next = sim->heap[0].at_ms;
    }
    if (sim->engine != NULL) {
        next = sim->next_turn_ms < next ? sim->next_turn_ms : next;
        int64_t report = next_report(sim);
        next = report < next ? report : next;
    }
    return next;
}

static void handle(struct sim *sim, const struct sim_event *event)
{
    switch (event->kind) {
    case EVENT_FAULT:
    case EVENT_FAULT_END:
    case EVENT_START:
        sim_fault_event(sim, event);
        break;
    default:
        sim_person_event(sim, event);
        break;
    }
}

/* As the engine's thread does it. */
static void run_turn(struct sim *sim)
{
    const struct ck_now began = clocks(sim);
    bool ok = sim_turn(sim);
    sim->refusing = !ok;
    sim_theft_end(sim);
    bool died = sim_died(sim);
    wait_for_disk(sim);
    if (died) {
        return;
    }
    if (!ok && sim->disk_trouble == 0) {
        sim_fail(sim, "a turn failed on a good disk");
    }
    take_batches(sim);
    const struct ck_now ended = clocks(sim);
    ck_engine_note_turn(sim->engine, &began, &ended);
}

void sim_run_until(struct sim *sim, int64_t at_ms)
{
    int idle = 0;
    for (;;) {
        int64_t next = next_moment(sim);
        if (next > at_ms) {
            break;
        }
        idle = next > sim->now_ms ? 0 : idle + 1;
        if (idle > 100000) {
            sim_fail(sim, "time does not go on");
        }
        move_to(sim, next);
        while (sim->heap_count > 0 && sim->heap[0].at_ms <= sim->now_ms) {
            struct sim_event event = heap_pop(sim);
            handle(sim, &event);
        }
        report_health(sim);
        if (sim->engine != NULL && sim->next_turn_ms <= sim->now_ms) {
            run_turn(sim);
        }
    }
    move_to(sim, at_ms);
}

/* ---- making the world
 * ---------------------------------------------------------------------------- */

/* Midnights two or three days before clocks change: in Europe and the Near East (October, March),
 * in North America (November, March) and Morocco, in the South (April). */
static const int64_t starts_ms[] = {
    INT64_C(1792627200000), /* 2026-10-22 */
    INT64_C(1793318400000), /* 2026-10-30 */
    INT64_C(1804809600000), /* 2027-03-12 */
    INT64_C(1806019200000), /* 2027-03-26 */
    INT64_C(1806624000000), /* 2027-04-02 */
};

static void count_clock_changes(struct sim *sim)
{
    int64_t end_ms = sim->start_ms + sim->options.days * SIM_DAY_MS;
    for (int unit = 0; unit < SIM_UNITS; unit++) {
        sim->seen[SEEN_CLOCKS] +=
            sim_zone_offset(sim, unit, sim->start_ms) != sim_zone_offset(sim, unit, end_ms);
    }
}

static int64_t add_staff(struct sim *sim, struct ck_store *store, const char *login, int64_t roles,
                         int unit, bool on_duty)
{
    char email[80];
    snprintf(email, sizeof(email), "%s@staff.invalid", login);
    struct ck_staff_row row = {.login = login,
                               .name = login,
                               .language = "ru",
                               .email = email,
                               .phone = sim_has_phones(unit) ? "+77010000000" : NULL,
                               .roles = roles,
                               .unit = sim->units[unit],
                               .on_duty = on_duty,
                               .password = "x"};
    fill_random(sim, row.pseudonym, sizeof(row.pseudonym));
    must(sim, ck_staff_insert(store, &row, (struct ck_wall){sim->now_ms}), "staff");
    must(sim, (size_t)row.id >= sizeof(sim->absent_until_ms) / sizeof(sim->absent_until_ms[0]),
         "too many of the staff");
    return row.id;
}

const char *const sim_bands[4] = {"low", "medium", "high", "top"};

static void add_person(struct sim *sim, struct ck_store *store, int index, int64_t inspector)
{
    static const uint8_t bands[] = {0, 0, 1, 1, 2, 3};
    struct sim_person *person = &sim->people[index];
    char reference[24], phone[24], email[40];
    uint8_t pseudonym[16], salt[32];
    snprintf(reference, sizeof(reference), "P-%d", index);
    snprintf(phone, sizeof(phone), "+7700%07d", index);
    snprintf(email, sizeof(email), "p%d@person.invalid", index);
    fill_random(sim, pseudonym, sizeof(pseudonym));
    fill_random(sim, salt, sizeof(salt));
    person->email = sim_chance(sim, 40);
    person->watched = sim_chance(sim, 20);
    person->nature = (uint8_t)sim_below(sim, 4);
    person->band = bands[sim_below(sim, 6)];
    sim_draw_demand(sim, person);
    struct ck_person_row row = {.reference = reference,
                                .name = reference,
                                .birth_date = "1990-01-01",
                                .language = "kk",
                                .phone = phone,
                                .email = person->email ? email : NULL,
                                .band = sim_bands[person->band],
                                .unit = person->unit,
                                .inspector = inspector,
                                .pseudonym = pseudonym,
                                .salt = salt};
    must(sim, ck_person_insert(store, &row, (struct ck_wall){sim->now_ms}), "person");
    person->id = row.id;
    person->inspector = inspector;
}

static void seed_store(struct sim *sim)
{
    struct ck_store *store = NULL;
    must(sim, ck_store_open(&store, sim->uri), "store");
    must(sim, ck_store_begin(store), "begin");
    int inspectors = 0;
    int64_t inspector = 0;
    for (int unit = 0; unit < SIM_UNITS; unit++) {
        char login[40];
        must(sim,
             ck_unit_insert(store, sim_zone_names[unit], sim_zone_names[unit],
                            (struct ck_wall){sim->now_ms}, &sim->units[unit]),
             "unit");
        snprintf(login, sizeof(login), "officer%d", unit);
        sim->officers[unit] = add_staff(sim, store, login, CK_ROLE_OFFICER, unit, true);
        snprintf(login, sizeof(login), "supervisor%d", unit);
        sim->supervisors[unit] = add_staff(sim, store, login, CK_ROLE_SUPERVISOR, unit, false);
        snprintf(login, sizeof(login), "colleague%d", unit);
        sim->colleagues[unit] = add_staff(sim, store, login, CK_ROLE_INSPECTOR, unit, false);
        snprintf(login, sizeof(login), "spare%d", unit);
        sim->spares[unit] = add_staff(sim, store, login, CK_ROLE_INSPECTOR, unit, false);
        for (int i = unit; i < sim->person_count; i += SIM_UNITS) {
            if (i / SIM_UNITS % SIM_PEOPLE_PER_INSPECTOR == 0) {
                snprintf(login, sizeof(login), "inspector%d", inspectors++);
                inspector = add_staff(sim, store, login, CK_ROLE_INSPECTOR, unit, false);
            }
            sim->people[i].unit = sim->units[unit];
            sim->people[i].unit_index = unit;
            add_person(sim, store, i, inspector);
            sim->people[i].order = sim_add_order(sim, store, &sim->people[i]);
        }
    }
    must(sim, ck_store_commit(store), "commit");
    ck_store_close(store);
    sim->first_person_id = sim->people[0].id;
}

/* What else happens to a caseload. */
static void make_changes(struct sim *sim)
{
    static const struct {
        int percent;
        enum sim_event_kind kind;
    } changes[] = {
        {4, EVENT_ORDER_END}, {5, EVENT_ON_DEMAND},
        {8, EVENT_BLACKOUT},  {200 / SIM_PEOPLE_PER_INSPECTOR, EVENT_ABSENCE},
        {8, EVENT_REPLACE},   {4, EVENT_PAUSE},
        {8, EVENT_BAND},      {6, EVENT_DEMAND},
    };
    for (int i = 0; i < sim->person_count; i++) {
        int64_t in_ms = SIM_HOUR_MS * (12 + sim_below(sim, 24 * sim->options.days));
        /* A silence goes on under another plan. */
        if (sim->people[i].watched && sim_chance(sim, 50)) {
            sim_later(sim, SIM_HOUR_MS * sim_below(sim, 24 * sim->options.days), EVENT_REPLACE, i,
                      0, 0);
        }
        for (size_t c = 0; c < sizeof(changes) / sizeof(changes[0]); c++) {
            if (sim_chance(sim, changes[c].percent)) {
                sim_later(sim, in_ms + sim_below(sim, 3600) * 1000, changes[c].kind, i, 0, 0);
                break;
            }
        }
    }
    for (int i = 0; i < LADDERS_PER_UNIT * SIM_UNITS; i++) {
        sim_later(sim, SIM_HOUR_MS * sim_below(sim, 24 * sim->options.days), EVENT_LADDER,
                  i % SIM_UNITS, 0, 0);
    }
}

void sim_settle(struct sim *sim)
{
    while (sim->next_turn_ms <= sim->now_ms) {
        if (!sim_turn(sim)) {
            sim_fail(sim, "the world cannot be made");
        }
        take_batches(sim);
    }
}

void sim_open(struct sim *sim, const struct sim_options *options)
{
    memset(sim, 0, sizeof(*sim));
    sim->options = *options;
    sim->random = options->seed * 2 + 1;
    sim->engine_random = options->seed * 2;
    sim->start_ms = starts_ms[(options->seed - 1) % (sizeof(starts_ms) / sizeof(starts_ms[0]))];
    sim->now_ms = sim->start_ms;
    sim->synchronised = true;
    /* Two a day, and make-ups, second checks and the days at both ends: a little more than is asked
     * for comes of so many. */
    sim->person_count = (int)(options->checkins * 100 / (305 * options->days));
    if (sim->person_count < SIM_UNITS) {
        sim->person_count = SIM_UNITS;
    }
    sim->people = calloc((size_t)sim->person_count, sizeof(*sim->people));
    if (sim->people == NULL) {
        abort();
    }
    sim->uri = "file:/store?vfs=" FAULT_VFS_NAME;
    ck_core_register(&sim->registry);
    ck_cases_register(&sim->registry);
    sim->disk = fault_vfs_in_memory();
    sqlite3_auto_extension((void (*)(void))on_open);
    sim_zones_make(sim);
    seed_store(sim);
    sim_start_daemon(sim);
    sim_set_stand_ins(sim);
    sim_make_plans(sim);
    make_changes(sim);
    count_clock_changes(sim);
    fault_vfs_track();
    sim_faults_plan(sim);
    sim_later(sim, 6 * SIM_HOUR_MS, EVENT_QUEUE, 0, 0, 0);
    sim_later(sim, SIM_HOUR_MS, EVENT_WATCH, 0, 0, 0);
}

void sim_close(struct sim *sim)
{
    sim_stop_daemon(sim);
    memory_vfs_clear();
    sim_zones_remove(sim);
    free(sim->heap);
    for (int i = 0; sim->people != NULL && i < sim->person_count; i++) {
        sim_forget_windows(&sim->people[i]);
    }
    free(sim->people);
    free(sim->visits);
    free(sim->references);
    free(sim->quiet);
    free(sim->limits);
    free(sim->plans_seen);
}
