#include "tests/bench/caseload.h"

#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "daemon/core/rules.h"
#include "daemon/store/checkin.h"
#include "daemon/store/store.h"
#include "protocol/base/error.h"

static void check(int code, const char *what)
{
    if (code != 0) {
        fprintf(stderr, "the caseload cannot be made: %s: %d\n", what, code);
        exit(1);
    }
}

/* One statement with numbers for ?1, ?2, …. */
#define RUN(db, sql, ...)                                                                          \
    run_sql(db, sql, (const int64_t[]){__VA_ARGS__},                                               \
            (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

static void run_sql(sqlite3 *db, const char *sql, const int64_t *values, int count)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    for (int i = 0; code == SQLITE_OK && i < sqlite3_bind_parameter_count(statement) && i < count;
         i++) {
        code = sqlite3_bind_int64(statement, i + 1, values[i]);
    }
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
    }
    if (code != SQLITE_DONE) {
        fprintf(stderr, "the caseload cannot be made: %s in %.300s\n", sqlite3_errmsg(db), sql);
        exit(1);
    }
    sqlite3_finalize(statement);
}

static sqlite3 *open_fast(const char *path)
{
    sqlite3 *db = NULL;
    check(sqlite3_open(path, &db), "open");
    RUN(db, "PRAGMA synchronous = OFF", 0);
    RUN(db, "PRAGMA cache_size = -400000", 0);
    RUN(db, "PRAGMA temp_store = MEMORY", 0);
    RUN(db, "BEGIN", 0);
    return db;
}

static void close_fast(sqlite3 *db)
{
    RUN(db, "COMMIT", 0);
    RUN(db, "PRAGMA wal_checkpoint(TRUNCATE)", 0);
    check(sqlite3_close(db), "close");
}

/* A table with the numbers from 0 to `last`. */
static void make_numbers(sqlite3 *db, int64_t last)
{
    RUN(db, "CREATE TEMP TABLE number (value INTEGER PRIMARY KEY)", 0);
    RUN(db,
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) INSERT INTO "
        "number SELECT i FROM n",
        last);
}

static int64_t policy_row(const char *path)
{
    struct ck_store *store = NULL;
    int64_t id = 0;
    const struct ck_house_rules rules = ck_house_rules_default();
    char *text = ck_checkin_policy_text(&rules.checkin);
    check(ck_store_open(&store, path), "store");
    check(ck_store_begin(store), "begin");
    int r = ck_policy_row_find(store, "checkin", text, &id);
    check(r == CK_E_NOT_FOUND ? ck_policy_row_insert(store, "checkin", text, &id) : r, "policy");
    check(ck_store_commit(store), "commit");
    ck_store_close(store);
    free(text);
    return id;
}

#define CHECKIN_COLUMNS                                                                            \
    "person_id, unit_id, inspector_id, local_date, slot, drawn, zone, zone_version, kind, "        \
    "mandatory, policy_id, window_start_at, window_end_at, due_at, state, machine, attempt, "      \
    "attempts, created_at, next_at, next_what"

void ck_caseload_make(const char *path, int64_t persons)
{
    int64_t policy = policy_row(path);
    /* Far from any peak: what is planned falls due in years. */
    const int64_t later_ms = INT64_C(4102444800000);
    sqlite3 *db = open_fast(path);
    make_numbers(db, persons + 100);
    RUN(db,
        "INSERT INTO unit (id, name, zone, created_at) SELECT value, 'u' || value, 'Asia/Almaty', "
        "1 "
        "FROM number WHERE value BETWEEN 1 AND 40",
        0);
    RUN(db,
        "INSERT INTO staff (id, login, name, password, roles, unit_id, language, email, on_duty, "
        "pseudonym, created_at) SELECT value, 's' || value, 's', 'x', CASE WHEN value <= 40 THEN 2 "
        "ELSE 1 END, (value - 1) % 40 + 1, 'ru', 's' || value || '@staff.example', 1, "
        "randomblob(16), 1 FROM number WHERE value BETWEEN 1 AND 41 + ?1 / 500",
        persons);
    RUN(db,
        "INSERT INTO person (id, reference, name, birth_date, phone, language, unit_id, "
        "inspector_id, band, pseudonym, salt, created_at) SELECT value, 'P-' || value, 'p', "
        "'1990-01-01', '+7700' || value, 'kk', (value / 500) % 40 + 1, 41 + value / 500, 'low', "
        "randomblob(16), randomblob(32), 1 FROM number WHERE value BETWEEN 1 AND ?1",
        persons);
    RUN(db,
        "INSERT INTO contact_order (id, person_id, kind, article, number, issuer, from_date, "
        "until_date, conditions, per_day_max, hours_start, hours_end, "
        "created_at, next_at) SELECT id, id, 'protective_order', '20', '17', 'police', "
        "'2026-01-01', '2099-12-31', '', 24, '00:00', '00:00', 1, ?1 + id FROM person",
        later_ms);
    RUN(db,
        "INSERT INTO requirement (order_id, source, count, days, modes, mandatory, replaces) "
        "SELECT id, 'court', 2, 1, '[\"live\",\"unattended\"]', 1, 0 FROM contact_order",
        0);
    RUN(db,
        "INSERT INTO plan (id, person_id, order_id, kind, mandatory, rule, state, expanded_until, "
        "begins_date, created_at, next_at) SELECT id, id, id, 'live', 1, '{}', 'active', "
        "'2099-01-01', '2026-01-01', 1, ?1 + "
        "id FROM person",
        later_ms);
    RUN(db,
        "INSERT INTO checkin (plan_id, plan_version, " CHECKIN_COLUMNS ") SELECT id, 1, id, "
        "unit_id, inspector_id, '2100-01-01', 0, 0, 'Asia/Almaty', 'x', 'live', 1, ?2, ?1 + id, ?1 "
        "+ 7200000 + id, ?1 + id, 'planned', '{}', 0, 3, 1, ?1 + id, 'ring' FROM person",
        later_ms, policy);
    close_fast(db);
}

void ck_caseload_peak(const char *path, const struct ck_peak *peak)
{
    const struct ck_house_rules rules = ck_house_rules_default();
    int64_t grace_ms = rules.checkin.grace_ms, all_ms = rules.checkin.response_ms + grace_ms;
    int64_t policy = policy_row(path);
    sqlite3 *db = open_fast(path);
    int64_t apart = peak->persons / (peak->rings ? 2 * peak->due : peak->due);
    check(apart < 1, "fewer persons than have something in the peak");
    make_numbers(db, peak->due - 1);
    /* Who is rung lies in the middle between two whose grace ends. */
    RUN(db,
        "CREATE TEMP TABLE now_due AS SELECT value AS n, value * ?1 + 1 AS person, value * ?1 + 1 "
        "+ ?2 AS rung, ?4 + value * ?5 / ?3 AS at FROM number",
        peak->rings ? 2 * apart : apart, apart, peak->due, peak->base_ms, peak->spread_ms);
    RUN(db,
        "INSERT INTO checkin (id, " CHECKIN_COLUMNS ") SELECT ?1 + n, person, p.unit_id, "
        "p.inspector_id, '2026-01-02', n, 0, 'Asia/Almaty', 'x', 'live', 1, ?2, at - ?3, at + "
        "7200000, at - ?3, 'ringing', json_object('opened_at', at - ?3, 'respond_until', at - ?4, "
        "'answer_until', at, 'late_until', at + 3600000, 'evidence', 3, 'evidence_at', "
        "json_array(at - ?3, at - ?3)), 3, 3, 1, at, 'decide' FROM now_due JOIN person p ON p.id = "
        "person",
        CK_CASELOAD_GRACE, policy, all_ms, grace_ms);
    RUN(db,
        "INSERT INTO notice (reference, checkin_id, step, fire, person_id, channel, template, "
        "language, address, state, machine, receipts, tries, created_at, deadline_at, accepted_at, "
        "delivered_at) SELECT 'N-' || n, ?1 + n, 0, 1, person, 'sms', 'ring', 'kk', '+7', "
        "'delivered', '{}', 1, 1, at - ?2, at, at - ?2, at - ?2 FROM now_due",
        CK_CASELOAD_GRACE, all_ms);
    if (peak->rings) {
        RUN(db,
            "INSERT INTO checkin (id, " CHECKIN_COLUMNS ") SELECT ?1 + n, p.id, p.unit_id, "
            "p.inspector_id, '2026-01-03', n, 0, 'Asia/Almaty', 'x', 'live', 1, ?2, at, at + "
            "7200000, at, 'armed', '{}', 0, 3, 1, at, 'ring' FROM now_due JOIN person p ON p.id = "
            "rung",
            CK_CASELOAD_RING, policy);
    }
    RUN(db, "INSERT INTO health (from_at, until_at, bits) VALUES (?1, ?2, 15)",
        peak->base_ms - 2 * all_ms, peak->base_ms + peak->spread_ms + 7200000);
    close_fast(db);
}

int64_t ck_peak_at_ms(const struct ck_peak *peak, int64_t number)
{
    return peak->base_ms + number * peak->spread_ms / peak->due;
}
