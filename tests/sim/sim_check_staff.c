/* What must hold of ladders, digests, safety steps, absences and blackouts. */
#include <sqlite3.h>

#include "tests/sim/sim.h"

static void check_ladder(struct sim_check *check)
{
    sim_check_none(
        check, "a step of the ladder that reached nobody and was not held against us",
        "SELECT i.checkin_id, i.id AS incident FROM said s JOIN incident i ON i.id = s.id WHERE "
        "s.action = 'INCIDENT_STEP_FIRED' AND NOT EXISTS (SELECT 1 FROM notice n WHERE "
        "n.incident_id = s.id AND n.fire = s.fire AND n.staff_id IS NOT NULL) AND NOT EXISTS "
        "(SELECT 1 FROM told t WHERE t.incident_id = s.id AND t.fire = s.fire) AND NOT EXISTS "
        "(SELECT 1 FROM said f WHERE f.action = 'STAFF_FAULT' AND f.id = s.id)");
    /* What became as grave as that only later is told at once from then on. */
    sim_check_none(
        check, "a digest that holds back what must never wait",
        "SELECT i.checkin_id, i.id AS incident FROM digest_item d JOIN incident i ON i.id = "
        "d.incident_id WHERE i.severity = 'top' AND (SELECT max(f.idx) FROM said f WHERE f.action "
        "= 'INCIDENT_STEP_FIRED' AND f.id = i.id AND f.fire = d.fire) > ifnull((SELECT max(b.idx) "
        "FROM said b WHERE b.action = 'INCIDENT_BANDED' AND b.id = i.id), 0)");
    sim_check_none(check, "a digest that tells nothing",
                   "SELECT 0 FROM notice n WHERE n.template = 'digest' AND n.channel <> 'webhook' "
                   "AND NOT EXISTS (SELECT 1 FROM digest_item d WHERE d.notice_id = n.id)");
}

static void check_safety(struct sim_check *check)
{
    sim_check_none(check, "a safety step that was closed without a result",
                   "SELECT i.checkin_id, i.id AS incident FROM incident i WHERE i.kind = 'safety' "
                   "AND i.state = 'closed' AND NOT EXISTS (SELECT 1 FROM conclusion c WHERE "
                   "c.incident_id = i.id AND c.conclusion IN ('safe', 'help_sent', 'not_found'))");
    sim_check_none(check, "both sides of a missed check-in concluded by the same officer",
                   "SELECT a.checkin_id FROM incident a JOIN incident b ON b.checkin_id = "
                   "a.checkin_id AND b.kind = 'safety' JOIN conclusion x ON x.incident_id = a.id "
                   "JOIN conclusion y ON y.incident_id = b.id WHERE a.kind = 'no_contact' AND "
                   "x.by_staff = y.by_staff");
}

/* ---- leave ---- */

/* When somebody is on leave, and from which entry of the log to which that was so: new rules of
 * their zone move the ends, and whatever was decided before them was decided by the old ones. */
static void note_leave(struct sim_check *check, int64_t absence, int64_t staff, int64_t from_ms,
                       int64_t until_ms, int64_t first, int64_t last)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(check->db, "INSERT INTO leave VALUES (?1, ?2, ?3, ?4, ?5, ?6)", -1,
                       &statement, NULL);
    const int64_t values[] = {absence, staff, from_ms, until_ms, first, last};
    for (int i = 0; i < 6; i++) {
        sqlite3_bind_int64(statement, i + 1, values[i]);
    }
    sqlite3_step(statement);
    sqlite3_finalize(statement);
}

/* The ends are the world's own: from the wall times that were entered. */
static void gather_leave(struct sim_check *check)
{
    struct sim *sim = check->sim;
    sqlite3_stmt *statement = NULL;
    sqlite3_exec(check->db,
                 "CREATE TEMP TABLE leave (absence INTEGER, staff INTEGER, from_at INTEGER, "
                 "until_at INTEGER, first INTEGER, last INTEGER);"
                 "CREATE INDEX leave_of ON leave (staff);",
                 NULL, NULL, NULL);
    sqlite3_prepare_v2(
        check->db,
        "SELECT a.id, a.staff_id, s.unit_id, a.from_local, a.until_local, "
        "a.from_at, a.until_at, min(m.idx), (SELECT min(b.idx) FROM said b WHERE "
        "b.action = 'ABSENCE_REMOVED' AND b.id = a.staff_id) FROM absence a JOIN staff s ON s.id = "
        "a.staff_id JOIN said m ON m.action = 'ABSENCE_ENTERED' AND m.id = "
        "a.staff_id GROUP BY a.id",
        -1, &statement, NULL);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int64_t absence = sqlite3_column_int64(statement, 0);
        int64_t staff = sqlite3_column_int64(statement, 1);
        int unit = sim_unit_of(sim, sqlite3_column_int64(statement, 2), 0);
        const char *from = (const char *)sqlite3_column_text(statement, 3);
        const char *until = (const char *)sqlite3_column_text(statement, 4);
        int64_t entered = sqlite3_column_int64(statement, 7);
        bool removed = sqlite3_column_type(statement, 8) != SQLITE_NULL;
        int64_t end = removed ? sqlite3_column_int64(statement, 8) : INT64_MAX;
        bool moves = sim->zones_changed_ms != 0 && sim_zone_changes(unit);
        int64_t told = moves ? sim_check_zone_entry(check, "ZONE_RULES_CHANGED", unit) : INT64_MAX;
        int64_t placed = moves ? sim_check_zone_entry(check, "ZONE_PLACED", unit) : INT64_MAX;
        int64_t from_ms = sim_zone_instant(sim, unit, from, moves);
        int64_t until_ms = sim_zone_instant(sim, unit, until, moves);
        int64_t old_until_ms = sim_zone_instant(sim, unit, until, false);
        note_leave(check, absence, staff, sim_zone_instant(sim, unit, from, false), old_until_ms,
                   entered, told < end ? told : end);
        if (placed < end) {
            note_leave(check, absence, staff, from_ms, until_ms,
                       entered > placed ? entered : placed, end);
        }
        /* Leave that was over is not placed anew. */
        bool over = old_until_ms < sim->zones_changed_ms + SIM_HOUR_MS;
        if ((from_ms != sqlite3_column_int64(statement, 5) ||
             until_ms != sqlite3_column_int64(statement, 6)) &&
            !removed && !(moves && over)) {
            sim_check_wrong(check, 0, "leave that lost its wall time");
        }
    }
    sqlite3_finalize(statement);
}

/* The first notice of a fire to somebody; further channels of the same fire may follow later. */
static void check_absences(struct sim_check *check)
{
    gather_leave(check);
    sim_check_none(
        check, "a step of the ladder that went to somebody on leave",
        "SELECT ifnull(n.checkin_id, 0), n.incident_id AS incident FROM notice n JOIN said q ON "
        "q.action = 'NOTICE_QUEUED' AND q.id = n.id JOIN leave a ON a.staff = n.staff_id WHERE "
        "n.template = 'incident' AND q.idx > a.first AND q.idx < a.last AND n.created_at >= "
        "a.from_at AND n.created_at < a.until_at AND NOT EXISTS (SELECT 1 FROM notice f WHERE "
        "f.incident_id = n.incident_id AND f.fire = n.fire AND f.staff_id = n.staff_id AND f.id < "
        "n.id)");
    sim_check_none(check, "a caseload without its stand-in",
                   "SELECT 0, a.id AS absence, a.staff_id AS staff FROM absence a WHERE "
                   "a.removed_at IS NULL AND a.from_at < (SELECT at "
                   "FROM ended) - 3600000 AND NOT EXISTS (SELECT 1 FROM said s WHERE s.action = "
                   "'CASELOAD_WITH_STAND_IN' AND s.id = a.staff_id)");
}

/* What rang before the blackout was entered goes on, and its history says so. */
#define NOT_BEGUN                                                                                  \
    " AND NOT (EXISTS (SELECT 1 FROM said b WHERE b.action = 'CHECKIN_RING' AND b.id = c.id AND "  \
    "b.idx < m.idx) AND EXISTS (SELECT 1 FROM said b WHERE b.action = "                            \
    "'CHECKIN_BLACKOUT_ENTERED' AND b.id = c.id))"

static void check_blackouts(struct sim_check *check)
{
    sim_check_none(check, "a ring in a blackout",
                   "SELECT c.id FROM said r JOIN checkin c ON c.id = r.id JOIN blackout b ON "
                   "b.person_id = c.person_id AND c.due_at >= b.from_at AND c.due_at < b.until_at "
                   "JOIN said m ON m.action = 'BLACKOUT_CREATED' AND m.id = b.id WHERE r.action = "
                   "'CHECKIN_RING' AND r.idx > m.idx AND c.connected_at IS NULL" NOT_BEGUN);
    sim_check_none(check, "a first ring in a blackout, later than it was due",
                   "SELECT c.id FROM said r JOIN checkin c ON c.id = r.id JOIN blackout b ON "
                   "b.person_id = c.person_id AND r.at >= b.from_at AND r.at < b.until_at JOIN "
                   "said m ON m.action = 'BLACKOUT_CREATED' AND m.id = b.id WHERE r.action = "
                   "'CHECKIN_RING' AND r.attempt = 1 AND r.idx > m.idx");
    sim_check_none(check, "a check-in in a blackout that was not waived",
                   "SELECT c.id FROM said o JOIN checkin c ON c.id = o.id JOIN blackout b ON"
                   " b.person_id = c.person_id AND c.due_at >= b.from_at AND c.due_at < "
                   "b.until_at JOIN said m ON m.action = 'BLACKOUT_CREATED' AND m.id = b.id "
                   "WHERE o.action = 'CHECKIN_OUTCOME' AND o.idx > m.idx AND c.outcome NOT "
                   "IN ('waived', 'completed', 'late', 'identity_doubt')" NOT_BEGUN);
    sim_check_none(check, "a miss in a blackout that was entered afterwards and not excused",
                   "SELECT c.id FROM said o JOIN checkin c ON c.id = o.id JOIN blackout b ON "
                   "b.person_id = c.person_id AND c.due_at >= b.from_at AND c.due_at < b.until_at "
                   "JOIN said m ON m.action = 'BLACKOUT_CREATED' AND m.id = b.id WHERE o.action = "
                   "'CHECKIN_OUTCOME' AND o.idx < m.idx AND c.outcome IN ('declined', 'no_answer', "
                   "'person_fault', 'identity_doubt') AND NOT EXISTS (SELECT 1 FROM conclusion x "
                   "WHERE x.checkin_id = c.id AND x.conclusion = 'excused')");
}

static void check_quarantine(struct sim_check *check)
{
    sim_check_none(check, "a row that was taken aside although it was at no two deaths",
                   "SELECT 0 FROM quarantine WHERE reason <> 'present at two crashes'");
    sim_check_none(check, "a row that was taken aside and nobody was told of",
                   "SELECT 0 FROM quarantine q WHERE NOT EXISTS (SELECT 1 FROM incident i WHERE "
                   "i.kind = 'system' AND i.cause LIKE q.kind || ' ' || q.row_id || '%')");
}

/* What is drawn anew after a blackout has its slot ten thousands further on. */
static void check_second(struct sim_check *check)
{
    sim_check_none(check, "a second check that follows no first one that was had",
                   "SELECT s.id FROM checkin s WHERE s.slot % 10000 >= 2000 AND s.make_up_of IS "
                   "NULL AND (s.slot % 10000 >= 3000 OR NOT EXISTS (SELECT 1 FROM checkin f WHERE "
                   "f.plan_id = s.plan_id AND f.local_date = s.local_date AND f.slot = s.slot - "
                   "2000 AND (f.outcome = 'completed' OR f.review_deadline_at IS NOT NULL)))");
    sim_check_none(check, "a second check outside its window",
                   "SELECT id FROM checkin WHERE slot % 10000 >= 2000 AND slot % 10000 < 3000 AND "
                   "make_up_of IS NULL AND (due_at < window_start_at OR due_at >= window_end_at)");
    sim_check_none(check, "a second check that was repeated",
                   "SELECT max(s.id) FROM checkin s WHERE s.slot % 10000 >= 2000 AND s.make_up_of "
                   "IS NULL GROUP BY s.plan_id, s.local_date, s.slot / 10000, s.slot % 1000 HAVING "
                   "count(*) > 1");
}

/* Minutes of the day of "HH:MM". */
static int minutes_of(const char *text)
{
    return text == NULL
               ? -1
               : ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
}

/* Whatever the clocks do, a window begins at its wall time: by the tables as they are in the end,
 * for what was not armed when they changed. An hour that a change of clocks skips is apart. */
static void check_wall_times(struct sim_check *check)
{
    struct sim *sim = check->sim;
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(
        check->db,
        "SELECT c.id, c.unit_id, c.window_start_at, json_extract(p.rule, "
        "'$.windows[0].start'), json_extract(p.rule, '$.windows[1].start'), (SELECT "
        "min(a.idx) FROM said a WHERE a.action = 'CHECKIN_ARMED' AND a.id = c.id) "
        "FROM checkin c JOIN plan p ON p.id = c.plan_id WHERE c.make_up_of IS NULL AND "
        "c.slot < 2000 AND c.outcome <> 'waived' AND c.window_start_at > ?1",
        -1, &statement, NULL);
    sqlite3_bind_int64(statement, 1, sim->zones_changed_ms + 4 * SIM_HOUR_MS);
    while (sim->zones_changed_ms != 0 && sqlite3_step(statement) == SQLITE_ROW) {
        int unit = sim_unit_of(sim, sqlite3_column_int64(statement, 1), 0);
        int64_t at_ms = sqlite3_column_int64(statement, 2);
        int64_t told = sim_check_zone_entry(check, "ZONE_RULES_CHANGED", unit);
        /* A clock that is ahead arms early. */
        bool armed = sqlite3_column_type(statement, 5) != SQLITE_NULL &&
                     sqlite3_column_int64(statement, 5) < told;
        int64_t offset_s = sim_zone_offset(sim, unit, at_ms);
        bool near_change = sim_zone_offset(sim, unit, at_ms - 3 * SIM_HOUR_MS) != offset_s ||
                           sim_zone_offset(sim, unit, at_ms + 3 * SIM_HOUR_MS) != offset_s;
        int64_t local = (at_ms / 1000 + offset_s) % 86400 / 60;
        if (!armed && !near_change &&
            local != minutes_of((const char *)sqlite3_column_text(statement, 3)) &&
            local != minutes_of((const char *)sqlite3_column_text(statement, 4))) {
            sim_check_wrong(check, sqlite3_column_int64(statement, 0),
                            "a window that lost its wall time");
        }
    }
    sqlite3_finalize(statement);
}

void sim_check_staff(struct sim_check *check)
{
    /* Whom a digest tells of a step. */
    sqlite3_exec(check->db,
                 "CREATE TEMP TABLE told AS SELECT d.incident_id, d.fire, d.notice_id AS notice "
                 "FROM digest_item d JOIN "
                 "notice n ON n.id = d.notice_id WHERE n.staff_id IS NOT NULL;"
                 "CREATE INDEX told_of ON told (incident_id, fire);",
                 NULL, NULL, NULL);
    check_ladder(check);
    check_safety(check);
    check_absences(check);
    check_blackouts(check);
    check_second(check);
    check_quarantine(check);
    check_wall_times(check);
}
