/* What must hold in the end, asked of the store with a connection of its own. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/audit/verify.h"
#include "daemon/store/store.h"
#include "scheduler/checkin.h"
#include "tests/sim/sim.h"

/* Told at most so often; the rest is counted. */
#define TOLD_MAX 3

/* The last lines of it. */
#define TRACE_MAX 40

void sim_check_trace(const struct sim *sim, sqlite3 *db, struct sim_about about)
{
    char lines[TRACE_MAX][240];
    int64_t count = 0;
    sqlite3_stmt *statement = NULL;
    static const char sql[] =
        "SELECT e.at, l.action, json_extract(CAST(e.leaf AS TEXT), '$.open') FROM log_plain l JOIN "
        "log_entry e ON e.idx = l.idx WHERE ((l.object = 'checkin' AND l.object_id = ?1) OR "
        "(l.object = 'incident' AND l.object_id IN (SELECT id FROM incident WHERE checkin_id = ?1 "
        "OR id = ?2)) OR (l.object = 'notice' AND l.object_id IN (SELECT id FROM notice WHERE "
        "checkin_id = ?1 OR incident_id = ?2)) OR (l.object IN ('blackout', 'order', 'person', "
        "'plan') AND l.person_id = (SELECT person_id FROM checkin WHERE id = ?1)) OR l.person_id = "
        "?3) AND NOT (l.action = "
        "'NOTICE_STATE' AND json_extract(CAST(e.leaf AS TEXT), '$.open.state') = 'sending') ORDER "
        "BY e.idx";
    sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (statement == NULL) {
        return;
    }
    sqlite3_bind_int64(statement, 1, about.checkin);
    sqlite3_bind_int64(statement, 2, about.incident);
    sqlite3_bind_int64(statement, 3, about.checkin == 0 && about.incident == 0 ? about.person : 0);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        snprintf(lines[count++ % TRACE_MAX], sizeof(lines[0]), "    %+9.1f s %s %s",
                 (double)(sqlite3_column_int64(statement, 0) - sim->start_ms) / 1000,
                 (const char *)sqlite3_column_text(statement, 1),
                 (const char *)sqlite3_column_text(statement, 2));
    }
    sqlite3_finalize(statement);
    for (int64_t i = count > TRACE_MAX ? count - TRACE_MAX : 0; i < count; i++) {
        fprintf(stderr, "%s\n", lines[i % TRACE_MAX]);
    }
}

void sim_check_wrong_of(struct sim_check *check, struct sim_about about, const char *what)
{
    if (!sim_wanted(check->sim, what)) {
        return;
    }
    check->wrong++;
    if (check->told++ >= TOLD_MAX) {
        return;
    }
    fprintf(stderr, "WRONG, seed %llu: %s", (unsigned long long)check->sim->options.seed, what);
    if (about.checkin != 0) {
        const struct visit *visit = sim_visit(check->sim, about.checkin);
        fprintf(stderr, " (check-in %lld: %s, first notice at %+.1f s, answerable %lld s)",
                (long long)about.checkin, truth_name(visit->truth),
                (double)(visit->first_send_ms - check->sim->start_ms) / 1000,
                (long long)visit->ok_ms / 1000);
    }
    fprintf(stderr, "\n");
    sim_check_trace(check->sim, check->db, about);
    if (check->sim->options.brief) {
        sim_found(check->sim);
    }
}

void sim_check_wrong(struct sim_check *check, int64_t checkin, const char *what)
{
    sim_check_wrong_of(check, (struct sim_about){.checkin = checkin}, what);
}

void sim_check_none(struct sim_check *check, const char *what, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(check->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(check->db));
        exit(1);
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
        char text[400];
        int length = snprintf(text, sizeof(text), "%s", what);
        struct sim_about about = {.checkin = sqlite3_column_int64(statement, 0)};
        for (int i = 1; i < sqlite3_column_count(statement) && length < (int)sizeof(text); i++) {
            const unsigned char *value = sqlite3_column_text(statement, i);
            const char *name = sqlite3_column_name(statement, i);
            if (strcmp(name, "incident") == 0) {
                about.incident = sqlite3_column_int64(statement, i);
            } else if (strcmp(name, "person") == 0) {
                about.person = sqlite3_column_int64(statement, i);
            }
            length +=
                snprintf(text + length, sizeof(text) - (size_t)length, "%s %s: %s",
                         i == 1 ? ";" : ",", name, value == NULL ? "none" : (const char *)value);
        }
        sim_check_wrong_of(check, about, text);
    }
    sqlite3_finalize(statement);
}

void sim_check_run(struct sim_check *check, const char *sql)
{
    char *error = NULL;
    sqlite3_exec(check->db, sql, NULL, NULL, &error);
    if (error != NULL) {
        fprintf(stderr, "%s: %s\n", sql, error);
        exit(1);
    }
}

int64_t sim_check_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t result = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        result = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return result;
}

int64_t sim_check_zone_entry(struct sim_check *check, const char *action, int unit)
{
    char sql[240];
    snprintf(sql, sizeof(sql),
             "SELECT ifnull(min(idx), 0x7fffffffffffffff) FROM said WHERE action = '%s' AND zone = "
             "'%s'",
             action, sim_zone_names[unit]);
    return sim_check_number(check->db, sql);
}

static void check_log(struct sim_check *check, struct sim_matrix *matrix)
{
    struct ck_store *store = NULL;
    struct ck_audit_report report = {0};
    if (ck_store_open_reader(&store, check->sim->uri) != 0 ||
        ck_audit_verify(store, &report) != 0 || report.findings != 0) {
        sim_check_wrong(check, 0, "the log does not verify");
    }
    matrix->entries = (int64_t)report.entries;
    ck_store_close(store);
}

/* What the log says of each check-in, incident and zone, and when it ends: beside it for the
 * queries. One walk, and a leaf is only taken apart where something in it is asked for. */
static void gather_log(struct sim_check *check)
{
    static const char sql[] =
        "PRAGMA temp_store = MEMORY;"
        "CREATE TEMP TABLE said AS SELECT l.object_id AS id, l.action AS action, l.idx AS idx, "
        "e.at AS at, CASE WHEN l.action IN ('ZONE_RULES_CHANGED', 'ZONE_PLACED') THEN "
        "json_extract(CAST(e.leaf AS TEXT), '$.open.zone') END AS zone, CASE WHEN l.action IN "
        "('CHECKIN_RING') THEN json_extract(CAST(e.leaf AS TEXT), '$.open.attempt') END AS "
        "attempt, CASE WHEN l.action IN ('CHECKIN_RING') THEN json_extract(CAST(e.leaf AS "
        "TEXT), '$.open.notices') END AS notices, CASE WHEN l.action IN "
        "('INCIDENT_STEP_FIRED') THEN json_extract(CAST(e.leaf AS TEXT), '$.open.fire') END AS "
        "fire, CASE WHEN l.action IN ('INCIDENT_STEP_FIRED') THEN json_extract(CAST(e.leaf AS "
        "TEXT), '$.open.step') WHEN l.action IN ('INCIDENT_HELD', 'INCIDENT_STEP_SKIPPED') THEN "
        "json_extract(CAST(e.leaf AS TEXT), '$.open.value') END AS step, CASE WHEN l.action IN "
        "('ZONE_PLACED') THEN json_extract(CAST(e.leaf AS TEXT), '$.open.moved') END AS moved, "
        "CASE WHEN l.action IN ('INCIDENT_OPENED', 'INCIDENT_LADDER_CHANGED', "
        "'LADDER_IN_FORCE') THEN json_extract(CAST(e.leaf AS TEXT), '$.open.policy') END AS "
        "policy, CASE l.action WHEN 'PERSON_BAND_SET' THEN json_extract(CAST(e.leaf AS TEXT), "
        "'$.open.band') WHEN 'LADDER_IN_FORCE' THEN json_extract(CAST(e.leaf AS TEXT), "
        "'$.open.band') WHEN 'INCIDENT_BANDED' THEN json_extract(CAST(e.leaf AS TEXT), "
        "'$.open.band') WHEN 'INCIDENT_OPENED' THEN json_extract(CAST(e.leaf AS TEXT), "
        "'$.open.severity') WHEN 'BLACKOUT_CREATED' THEN json_extract(CAST(e.leaf AS TEXT), "
        "'$.open.until') WHEN 'CHECKIN_OUTCOME' THEN json_extract(CAST(e.leaf AS TEXT), "
        "'$.open.cause') WHEN 'PLAN_ENDED' THEN json_extract(CAST(e.leaf AS TEXT), "
        "'$.open.cause') END AS word, CASE l.action WHEN 'PLAN_CREATED' THEN "
        "json_extract(CAST(e.leaf AS TEXT), '$.open.replaces') WHEN 'STAFF_FAULT' THEN l.object "
        "END AS of, CASE WHEN l.action IN ('CHECKIN_PLANNED', 'CHECKIN_MAKE_UP', "
        "'CHECKIN_SECOND', 'CHECKIN_RESERVED') THEN "
        "json_extract(CAST(e.leaf AS TEXT), '$.open.reserved') END AS reserved FROM log_plain l "
        "JOIN log_entry e ON e.idx = l.idx WHERE l.action IN ('ABSENCE_ENTERED', "
        "'ABSENCE_REMOVED', 'BLACKOUT_CREATED', 'BLACKOUT_ENDED', 'CASELOAD_WITH_STAND_IN', "
        "'CHECKIN_ARMED', 'CHECKIN_AWAITING_REVIEW', 'CHECKIN_BLACKOUT_ENTERED', "
        "'CHECKIN_CALL_LOST', 'CHECKIN_CAUGHT_UP', 'CHECKIN_DELAYED', 'CHECKIN_JOINED', "
        "'CHECKIN_MAKE_UP', 'CHECKIN_MISSED', 'CHECKIN_MOVED', 'CHECKIN_NO_INSPECTOR', "
        "'CHECKIN_NO_MAKE_UP', 'CHECKIN_NO_SECOND', 'CHECKIN_ON_DEMAND', 'CHECKIN_OUTCOME', "
        "'CHECKIN_PLANNED', "
        "'CHECKIN_RESERVED', 'CHECKIN_REVIEW_OVERDUE', 'CHECKIN_RING', 'CHECKIN_SECOND', "
        "'INCIDENT_ACKNOWLEDGED', 'INCIDENT_ACK_EXPIRED', 'INCIDENT_ANSWERED_LATE', "
        "'INCIDENT_BANDED', 'INCIDENT_CONCLUDED', 'INCIDENT_HELD', 'INCIDENT_LADDER_CHANGED', "
        "'INCIDENT_LADDER_WRAPPED', 'INCIDENT_OPENED', 'INCIDENT_OUTCOME_KNOWN', "
        "'INCIDENT_REACHED', "
        "'INCIDENT_STEP_FIRED', 'INCIDENT_STEP_SKIPPED', 'LADDER_IN_FORCE', 'NOTICE_QUEUED', "
        "'ORDER_ENDED', 'ORDER_OVER', 'PERSON_BAND_SET', 'PERSON_SILENCE', 'PLAN_CREATED', "
        "'PLAN_ENDED', 'STAFF_FAULT', 'STORM', 'ZONE_PLACED', 'ZONE_RULES_CHANGED');"
        "CREATE INDEX said_id ON said (action, id, idx);"
        "CREATE INDEX said_idx ON said (idx);"
        "CREATE INDEX said_of ON said (id, idx);"
        "CREATE TEMP TABLE ended AS SELECT max(at) AS at FROM log_entry;";
    sim_check_run(check, sql);
}

static void check_checkins(struct sim_check *check)
{
    sim_check_none(check, "a check-in without an outcome",
                   "SELECT id FROM checkin WHERE state <> 'done'");
    sim_check_none(
        check, "not exactly one outcome in the log",
        "SELECT c.id FROM checkin c WHERE (SELECT count(*) FROM said s WHERE s.id = c.id AND "
        "s.action = 'CHECKIN_OUTCOME') <> 1");
    sim_check_none(check, "NO_ANSWER without enough answerable time",
                   "SELECT id FROM checkin WHERE outcome IN ('no_answer', 'person_fault') AND "
                   "answerable_ms < 540000");
    sim_check_none(
        check, "not exactly one make-up of a fault of ours",
        "SELECT c.id FROM checkin c LEFT JOIN checkin m ON m.make_up_of = c.id WHERE c.outcome = "
        "'system_fault' AND c.mandatory = 1 AND c.make_up_of IS NULL GROUP BY c.id HAVING "
        "count(m.id) + EXISTS (SELECT 1 FROM said s WHERE s.id = c.id AND s.action = "
        "'CHECKIN_NO_MAKE_UP') <> 1");
    sim_check_none(
        check, "a make-up of what was no fault of ours",
        "SELECT c.id FROM checkin c JOIN checkin m ON m.make_up_of = c.id WHERE c.outcome <> "
        "'system_fault' OR c.make_up_of IS NOT NULL");
    /* A call that was lost is rung for again. */
    sim_check_none(
        check, "more rings than the policy wants",
        "SELECT c.id FROM checkin c JOIN attempt a ON a.checkin_id = c.id GROUP BY c.id HAVING "
        "count(*) <> c.attempt OR count(*) > c.attempts + (SELECT count(*) FROM said s WHERE s.id "
        "= "
        "c.id AND s.action = 'CHECKIN_CALL_LOST')");
    sim_check_none(
        check, "a ring without its notices",
        "SELECT s.id FROM said s WHERE s.action = 'CHECKIN_RING' AND s.notices <> (SELECT "
        "count(*) FROM notice n WHERE n.checkin_id = s.id AND n.incident_id IS NULL AND "
        "n.person_id IS NOT NULL AND n.fire = s.attempt)");
}

/* Two rings of a check-in, as far as the clock was not moved around them. */
static void check_rings(struct sim_check *check)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(check->db,
                       "SELECT a.checkin_id, a.at, b.at FROM attempt a JOIN attempt b ON "
                       "b.checkin_id = a.checkin_id AND b.number = a.number + 1 WHERE b.at - a.at "
                       "< ?1 AND NOT EXISTS (SELECT 1 FROM said s WHERE s.id = a.checkin_id AND "
                       "s.action = 'CHECKIN_CALL_LOST')",
                       -1, &statement, NULL);
    sqlite3_bind_int64(statement, 1, SIM_SPACING_S * INT64_C(1000));
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const struct sim *sim = check->sim;
        bool moved = false;
        for (int i = 0; i < sim->step_count; i++) {
            int64_t before_ms = sqlite3_column_int64(statement, 1) - sim->steps_ms[i];
            int64_t after_ms = sqlite3_column_int64(statement, 2) - sim->steps_ms[i];
            moved = moved || (before_ms < SIM_JUMP_MS && after_ms > -SIM_JUMP_MS);
        }
        if (!moved) {
            sim_check_wrong(check, sqlite3_column_int64(statement, 0),
                            "rings that are closer than they may be");
        }
    }
    sqlite3_finalize(statement);
}

static void check_incidents(struct sim_check *check)
{
    sim_check_none(
        check, "a mandatory check-in without contact and without its one incident",
        "SELECT c.id FROM checkin c LEFT JOIN incident i ON i.checkin_id = c.id AND i.kind = "
        "'no_contact' WHERE c.mandatory = 1 AND c.outcome NOT IN ('completed', 'late', 'waived') "
        "GROUP BY c.id HAVING count(i.id) <> 1");
    sim_check_none(check, "an incident of a check-in that was in time, waived or voluntary",
                   "SELECT c.id FROM checkin c JOIN incident i ON i.checkin_id = c.id AND i.kind = "
                   "'no_contact' WHERE c.mandatory = 0 OR c.outcome IN ('completed', 'waived')");
    sim_check_none(
        check, "a late contact without an incident before it",
        "SELECT c.id FROM checkin c LEFT JOIN incident i ON i.checkin_id = c.id AND i.kind = "
        "'no_contact' WHERE c.mandatory = 1 AND c.outcome = 'late' AND i.id IS NULL");
    sim_check_none(
        check, "an incident that nobody concluded",
        "SELECT checkin_id, id AS incident FROM incident WHERE state <> 'closed' AND opened_at < "
        "(SELECT at FROM ended) - 86400000");
    sim_check_none(
        check, "a closed incident without a named person",
        "SELECT i.checkin_id, i.id AS incident FROM incident i LEFT JOIN conclusion c ON "
        "c.incident_id = i.id WHERE i.state = 'closed' GROUP BY i.id HAVING count(c.id) = 0");
    sim_check_none(check, "a silence that was too long and not alarmed",
                   "SELECT 0, s.id AS person FROM said s WHERE s.action = 'PERSON_SILENCE' AND NOT "
                   "EXISTS (SELECT 1 FROM "
                   "incident i WHERE i.person_id = s.id AND i.kind = 'silence')");
    sim_check_none(check, "a silence that was alarmed although the log does not say so",
                   "SELECT 0, i.person_id AS person FROM incident i WHERE i.kind = 'silence' AND "
                   "NOT EXISTS (SELECT 1 FROM said s "
                   "WHERE s.action = 'PERSON_SILENCE' AND s.id = i.person_id)");
}

static void check_rest(struct sim_check *check)
{
    sim_check_none(check, "a row in quarantine", "SELECT 0 FROM quarantine WHERE freed_at IS NULL");
    sim_check_none(check, "a notice without an end",
                   "SELECT checkin_id, id AS notice, incident_id AS incident FROM notice WHERE "
                   "state IN ('queued', 'sending', 'unknown', 'failed_temp') AND created_at < "
                   "(SELECT at FROM ended) - 86400000");
    sim_check_none(
        check, "a notice that the log does not know",
        "SELECT n.checkin_id FROM notice n WHERE NOT EXISTS (SELECT 1 FROM said s WHERE s.action = "
        "'NOTICE_QUEUED' AND s.id = n.id)");
    sim_check_none(check, "an incident that the log does not know",
                   "SELECT i.checkin_id, i.id AS incident FROM incident i WHERE NOT EXISTS (SELECT "
                   "1 FROM said s WHERE s.action = 'INCIDENT_OPENED' AND s.id = i.id)");
    sim_check_none(
        check, "a ring that the log does not know",
        "SELECT a.checkin_id FROM attempt a WHERE NOT EXISTS (SELECT 1 FROM said s WHERE s.action "
        "= "
        "'CHECKIN_RING' AND s.id = a.checkin_id AND s.attempt = a.number)");
}

/* For whoever asks more of it than is asked here. */
static void keep(struct sim_check *check)
{
    char sql[400];
    if (check->sim->options.keep != NULL) {
        snprintf(sql, sizeof(sql), "VACUUM INTO 'file:%s?vfs=unix'", check->sim->options.keep);
        if (sqlite3_exec(check->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
            sim_fail(check->sim, "the store cannot be kept: %s", sqlite3_errmsg(check->db));
        }
    }
}

int64_t sim_check(struct sim *sim, struct sim_matrix *matrix)
{
    struct sim_check check = {.sim = sim};
    memset(matrix, 0, sizeof *matrix);
    if (sqlite3_open_v2(sim->uri, &check.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) !=
        SQLITE_OK) {
        return 1;
    }
    gather_log(&check);
    check_checkins(&check);
    check_rings(&check);
    check_incidents(&check);
    check_rest(&check);
    sim_check_staff(&check);
    sim_check_changes(&check);
    sim_check_gaps(&check);
    sim_check_reserved(&check);
    sim_check_orders(&check);
    sim_check_ladders(&check);
    sim_check_rules(&check);
    matrix->checkins = sim_check_number(check.db, "SELECT count(*) FROM checkin");
    matrix->incidents = sim_check_number(check.db, "SELECT count(*) FROM incident");
    matrix->notices = sim_check_number(check.db, "SELECT count(*) FROM notice");
    matrix->make_ups =
        sim_check_number(check.db, "SELECT count(*) FROM checkin WHERE make_up_of IS NOT NULL");
    sim_matrix_fill(&check, matrix);
    sim_check_proof(&check);
    sim_look_back(sim, check.db);
    check_log(&check, matrix);
    keep(&check);
    sqlite3_close(check.db);
    return check.wrong + sim->wrong;
}
