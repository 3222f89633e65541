/* What must hold of ladders: which one an incident climbs, how often it stays on a step, through
 * which channels it asks, that whoever is off is passed over, and what waits by night. What a
 * ladder says is read from its text. */
#include <sqlite3.h>

#include "tests/sim/sim.h"

#define DAY_S 86400
#define HOUR_S 3600

/* ---- which ladder ---- */

/* The band by which an incident asks: its own, not what the person's has become since. */
static void check_in_force(struct sim_check *check)
{
    sim_check_run(
        check,
        /* The log names a policy by a pseudonym of its own. */
        "CREATE TEMP TABLE force AS SELECT s.idx, l.unit_id AS unit, l.band, s.policy FROM said s "
        "JOIN ladder l ON l.id = s.id WHERE s.action = 'LADDER_IN_FORCE';"
        "CREATE TEMP TABLE named AS SELECT DISTINCT s.policy AS name, l.policy_id AS id FROM said "
        "s JOIN ladder l ON l.id = s.id WHERE s.action = 'LADDER_IN_FORCE' UNION SELECT "
        "s.policy, i.policy_id FROM said s JOIN incident i ON i.id = s.id WHERE s.action = "
        "'INCIDENT_OPENED' AND NOT EXISTS (SELECT 1 FROM said c WHERE c.action = "
        "'INCIDENT_LADDER_CHANGED' AND c.id = s.id);"
        "CREATE INDEX named_name ON named (name);"
        "CREATE TEMP TABLE climbs AS SELECT i.id, i.checkin_id, i.unit_id AS unit, i.policy_id, "
        "s.idx, s.policy, CASE WHEN i.kind = 'safety' THEN 'safety' ELSE CASE ifnull((SELECT "
        "w.rank FROM weighed w WHERE w.id = i.id), (SELECT b.rank FROM band_at b WHERE b.person = "
        "i.person_id AND b.idx < s.idx ORDER BY b.idx DESC LIMIT 1)) WHEN 0 THEN 'low' WHEN 1 THEN "
        "'medium' WHEN 2 THEN 'high' ELSE 'top' END END AS band FROM incident i JOIN said s ON "
        "s.action = 'INCIDENT_OPENED' AND s.id = i.id WHERE i.kind IN ('no_contact', 'silence', "
        "'safety');");
    sim_check_none(check, "two ladders under one name in the log",
                   "SELECT 0 FROM named GROUP BY name HAVING count(*) > 1");
    sim_check_none(
        check, "an incident on another ladder than the one in force when it was opened",
        "SELECT c.checkin_id, c.id, c.unit, c.band FROM climbs c WHERE CASE WHEN EXISTS (SELECT 1 "
        "FROM force f WHERE "
        "f.unit = c.unit AND f.band = c.band AND f.idx < c.idx) THEN c.policy <> (SELECT f.policy "
        "FROM force f WHERE f.unit = c.unit AND f.band = c.band AND f.idx < c.idx ORDER BY f.idx "
        "DESC LIMIT 1) ELSE c.policy IN (SELECT policy FROM force) END");
    sim_check_none(
        check, "an incident that changed its ladder, and the log does not say so",
        "SELECT i.checkin_id, i.id AS incident FROM incident i WHERE i.policy_id <> (SELECT n.id "
        "FROM said s JOIN named n ON n.name = s.policy WHERE s.action IN ('INCIDENT_OPENED', "
        "'INCIDENT_LADDER_CHANGED') AND s.id = i.id ORDER BY s.idx DESC LIMIT 1)");
}

/* ---- steps ---- */

/* The ladder that the incident climbed at an entry `s` of the log. */
#define CLIMBED                                                                                    \
    "(SELECT n.id FROM said p JOIN named n ON n.name = p.policy WHERE p.action IN "                \
    "('INCIDENT_OPENED', 'INCIDENT_LADDER_CHANGED') AND p.id = s.id AND p.idx < s.idx ORDER BY "   \
    "p.idx DESC LIMIT 1) AS policy"

/* Each fire with what its step says, and the steps that nobody stood on. */
static void gather_fires(struct sim_check *check)
{
    sim_check_run(
        check,
        "CREATE TEMP TABLE fires AS SELECT s.id AS incident, s.idx, s.at, s.step, s.fire, " CLIMBED
        " FROM said s WHERE s.action = 'INCIDENT_STEP_FIRED';"
        "CREATE TEMP TABLE empty AS SELECT s.id AS incident, s.idx, s.at, s.step, 0 AS "
        "fire, " CLIMBED
        " FROM said s WHERE s.action = 'INCIDENT_STEP_SKIPPED' AND s.step IS NOT (SELECT f.step "
        "FROM said f WHERE f.action = 'INCIDENT_STEP_FIRED' AND f.id = s.id AND f.idx < s.idx "
        "ORDER BY f.idx DESC LIMIT 1);"
        "CREATE INDEX fires_of ON fires (incident, fire);"
        "CREATE TEMP TABLE steps AS SELECT p.id AS policy, s.key AS step, "
        "json_array_length(p.body, '$.steps') AS count, json_extract(s.value, '$.rounds') AS "
        "rounds, ifnull(json_extract(s.value, '$.parallel'), 0) AS parallel, EXISTS (SELECT 1 FROM "
        "json_each(s.value, '$.targets') t WHERE json_extract(t.value, '$.kind') = 2) AS stand_in "
        "FROM policy p, json_each(p.body, '$.steps') s WHERE p.kind = 'ladder';"
        "CREATE INDEX steps_of ON steps (policy, step);"
        "CREATE TEMP TABLE asked AS SELECT n.id, n.incident_id AS incident, n.fire, n.staff_id AS "
        "staff, n.channel, n.state, n.created_at, n.template FROM notice n WHERE n.incident_id IS "
        "NOT NULL AND n.staff_id IS NOT NULL;"
        "CREATE INDEX asked_of ON asked (incident, fire, staff);");
}

static void check_rounds(struct sim_check *check)
{
    sim_check_none(
        check, "a step of a ladder that was fired more often than its rounds",
        "SELECT i.checkin_id, i.id AS incident FROM fires f JOIN steps s ON s.policy = f.policy "
        "AND s.step = f.step JOIN incident i ON i.id = f.incident WHERE s.step < s.count - 1 AND "
        "NOT EXISTS (SELECT 1 FROM said x WHERE x.action IN ('INCIDENT_ANSWERED_LATE', "
        "'INCIDENT_LADDER_CHANGED', 'INCIDENT_LADDER_WRAPPED', 'INCIDENT_OUTCOME_KNOWN', "
        "'INCIDENT_REACHED') AND x.idx < f.idx AND x.id = f.incident) GROUP BY f.incident, f.step "
        "HAVING count(*) > s.rounds");
}

/* ---- channels in order ---- */

static void check_order(struct sim_check *check)
{
    sim_check_run(
        check,
        "CREATE TEMP TABLE in_order AS SELECT f.incident, f.fire, f.idx, f.at, a.staff, "
        "count(*) AS channels, sum(a.created_at = (SELECT min(b.created_at) FROM asked b WHERE "
        "b.incident = a.incident AND b.fire = a.fire AND b.staff = a.staff) AND a.state NOT IN "
        "('failed_perm', 'expired')) AS at_once, "
        "sum(a.state NOT IN ('failed_perm', 'expired')) AS alive, max(a.channel = 'email') AS "
        "last, (SELECT min(x.idx) FROM said x WHERE x.id = f.incident AND x.idx > f.idx AND "
        "x.action IN ('INCIDENT_ACKNOWLEDGED', 'INCIDENT_CONCLUDED', 'INCIDENT_STEP_FIRED', "
        "'INCIDENT_ACK_EXPIRED', 'INCIDENT_LADDER_CHANGED', 'INCIDENT_STEP_SKIPPED')) AS until, "
        "sum(a.state = 'expired') AS expired FROM fires f JOIN steps s ON s.policy = f.policy AND "
        "s.step = f.step AND s.parallel = 0 JOIN asked a ON a.incident = f.incident AND a.fire = "
        "f.fire AND a.template = 'incident' GROUP BY f.incident, f.fire, a.staff;");
    /* One that is lost at once is followed at once. */
    sim_check_none(check, "channels in order that were asked at once",
                   "SELECT i.checkin_id, i.id AS incident FROM in_order o JOIN incident i ON i.id "
                   "= o.incident WHERE o.at_once > 1");
    /* Whom the first ways lost is asked by the last: unless somebody has taken it over by then. */
    sim_check_none(check, "a way to somebody that was lost, and the next one was not taken",
                   "SELECT i.checkin_id, i.id AS incident FROM in_order o JOIN incident i ON i.id "
                   "= o.incident WHERE o.alive = 0 AND o.expired = 0 AND o.last = 0 AND (o.until "
                   "IS NULL OR NOT EXISTS (SELECT 1 FROM said x WHERE x.idx = o.until AND x.action "
                   "IN ('INCIDENT_ACKNOWLEDGED', 'INCIDENT_CONCLUDED', 'INCIDENT_STEP_FIRED')))");
    /* And nobody is left waiting for a fire that reached no human. */
    sim_check_none(
        check, "a fire that lost every way to everybody, and the ladder waited",
        "SELECT i.checkin_id, i.id AS incident FROM fires f JOIN incident i ON i.id = f.incident "
        "WHERE EXISTS (SELECT 1 FROM asked a WHERE a.incident = f.incident AND a.fire = f.fire) "
        "AND NOT EXISTS (SELECT 1 FROM asked a WHERE a.incident = f.incident AND a.fire = f.fire "
        "AND (a.state <> 'failed_perm' OR a.template <> 'incident')) AND NOT EXISTS (SELECT 1 FROM "
        "told t WHERE t.incident_id = f.incident AND t.fire = f.fire) AND ifnull((SELECT x.action "
        "FROM said x WHERE x.id = f.incident AND x.idx > f.idx AND x.action IN "
        "('INCIDENT_ACKNOWLEDGED', 'INCIDENT_CONCLUDED', 'INCIDENT_STEP_FIRED', "
        "'INCIDENT_LADDER_CHANGED', 'INCIDENT_STEP_SKIPPED') ORDER BY x.idx LIMIT 1), "
        "'INCIDENT_STEP_FIRED') = 'INCIDENT_STEP_FIRED'");
}

/* ---- shifts ---- */

/* Whether somebody with the world's shifts is there at a local time; false as well in the hour
 * around both ends, where clocks may differ. */
static bool is_off(int64_t local_s)
{
    int64_t second = local_s % DAY_S;
    return second < (SIM_SHIFT_FROM_H - 1) * HOUR_S || second >= (SIM_SHIFT_UNTIL_H + 1) * HOUR_S;
}

/* Fires by night at a step for the stand-in, in units whose first one has shifts, and such steps
 * that were passed over: the first is not asked, and the second is where the inspector is on leave;
 * a safety step may pass over whoever is on the other side. */
static void check_shifts(struct sim_check *check)
{
    static const char sql[] =
        "SELECT i.checkin_id, i.unit_id, f.at, EXISTS (SELECT 1 FROM asked a WHERE a.incident = "
        "f.incident AND a.fire = f.fire AND a.staff = ?1 AND a.template = 'incident'), EXISTS "
        "(SELECT 1 FROM asked a WHERE a.incident = f.incident AND a.fire = f.fire AND a.staff = "
        "?2) OR EXISTS (SELECT 1 FROM told t JOIN notice n ON n.id = t.notice WHERE t.incident_id "
        "= f.incident AND t.fire = f.fire AND n.staff_id = ?2), EXISTS (SELECT 1 FROM leave l "
        "WHERE l.staff = i.inspector_id AND f.idx > l.first AND f.idx < l.last AND f.at >= "
        "l.from_at AND f.at < l.until_at) FROM (SELECT *, 1 AS fired FROM fires UNION ALL "
        "SELECT *, 0 FROM empty) f JOIN steps s ON s.policy = f.policy AND s.step = f.step AND "
        "s.stand_in JOIN incident i ON i.id = f.incident AND i.unit_id = ?3 WHERE f.fired OR "
        "i.kind <> 'safety'";
    struct sim *sim = check->sim;
    for (int unit = 0; unit < SIM_UNITS; unit++) {
        sqlite3_stmt *statement = NULL;
        if (!sim_has_shifts(unit) || (sim->zones_changed_ms != 0 && sim_zone_changes(unit))) {
            continue;
        }
        sim_zone_enter(sim, unit, true);
        sqlite3_prepare_v2(check->db, sql, -1, &statement, NULL);
        sqlite3_bind_int64(statement, 1, sim->colleagues[unit]);
        sqlite3_bind_int64(statement, 2, sim->spares[unit]);
        sqlite3_bind_int64(statement, 3, sim->units[unit]);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            int64_t checkin = sqlite3_column_int64(statement, 0);
            bool on_leave = sqlite3_column_int(statement, 5) != 0;
            if (!is_off(sim_zone_local(sqlite3_column_int64(statement, 2)))) {
                continue;
            }
            sim->seen[SEEN_OFF_SHIFT] += on_leave;
            if (sqlite3_column_int(statement, 3) != 0) {
                sim_check_wrong(check, checkin, "a step of the ladder for somebody who is off");
            }
            if (on_leave && sqlite3_column_int(statement, 4) == 0) {
                sim_check_wrong(check, checkin,
                                "a stand-in who is there and was not asked, for the first is off");
            }
        }
        sqlite3_finalize(statement);
        sim_zone_leave();
    }
}

/* ---- quiet hours ---- */

/* Longer than a fire waits for the one before it. */
#define HELD_LONG_S 1800

/* Each fire, and each wait that is long, by a ladder with quiet hours: with how grave it was then.
 */
static void gather_nights(struct sim_check *check)
{
    char sql[1600];
    snprintf(sql, sizeof(sql),
             "CREATE TEMP TABLE night AS SELECT s.id AS incident, s.idx, s.at, CASE s.action WHEN "
             "'INCIDENT_HELD' THEN s.step END AS until, EXISTS (SELECT 1 FROM said b JOIN incident "
             "i ON i.id = b.id WHERE b.id = s.id AND b.idx < s.idx AND ((b.action = "
             "'INCIDENT_OPENED' AND b.word IN ('high', 'top')) OR (b.action = 'INCIDENT_BANDED' "
             "AND i.kind IN ('no_contact', 'review_overdue') AND (b.word = '7_13' OR (b.word = "
             "'5_6' AND i.kind = 'no_contact'))))) AS "
             "grave, " CLIMBED " FROM said s WHERE s.action = 'INCIDENT_STEP_FIRED' OR (s.action = "
             "'INCIDENT_HELD' AND s.step - s.at > %d);"
             "DELETE FROM night WHERE policy NOT IN (SELECT id FROM policy WHERE kind = 'ladder' "
             "AND json_extract(body, '$.quiet_hours')) AND until IS NULL;",
             HELD_LONG_S * 1000);
    sim_check_run(check, sql);
}

/* Whether a time is eight o'clock there. */
static bool is_morning(int64_t at_ms)
{
    return sim_zone_local(at_ms) % DAY_S == SIM_QUIET_UNTIL_H * HOUR_S;
}

/* By the rules of the zone that the daemon knew at that entry. */
static void check_nights_of(struct sim_check *check, int unit, int64_t told, bool changed)
{
    static const char sql[] =
        "SELECT i.checkin_id, n.incident, n.at, n.until, n.grave FROM night n JOIN incident i ON "
        "i.id = n.incident WHERE i.unit_id = ?1 AND (n.idx > ?2) = ?3";
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(check->db, sql, -1, &statement, NULL);
    sqlite3_bind_int64(statement, 1, check->sim->units[unit]);
    sqlite3_bind_int64(statement, 2, told);
    sqlite3_bind_int(statement, 3, changed);
    sim_zone_enter(check->sim, unit, changed);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const struct sim_about about = {.checkin = sqlite3_column_int64(statement, 0),
                                        .incident = sqlite3_column_int64(statement, 1)};
        bool held = sqlite3_column_type(statement, 3) != SQLITE_NULL;
        bool grave = sqlite3_column_int(statement, 4) != 0;
        int64_t second = sim_zone_local(sqlite3_column_int64(statement, 2)) % DAY_S;
        check->sim->seen[SEEN_HELD] += held;
        if (!held && !grave && sim_is_quiet_hour(second)) {
            sim_check_wrong_of(check, about, "a step in the quiet hours of its unit");
        } else if (held && grave) {
            sim_check_wrong_of(check, about, "something grave that waited for the morning");
        } else if (held &&
                   !(sim_is_quiet_hour(second) && is_morning(sqlite3_column_int64(statement, 3)))) {
            sim_check_wrong_of(check, about, "a wait that does not end with the quiet hours");
        }
    }
    sim_zone_leave();
    sqlite3_finalize(statement);
}

/* What is not grave waits for eight o'clock of its unit, where the ladder says so, and nothing else
 * does. That it goes on then is watched meanwhile (sim_watch_ladders()). */
static void check_nights(struct sim_check *check)
{
    gather_nights(check);
    for (int unit = 0; unit < SIM_UNITS; unit++) {
        int64_t told = check->sim->zones_changed_ms != 0 && sim_zone_changes(unit)
                           ? sim_check_zone_entry(check, "ZONE_RULES_CHANGED", unit)
                           : INT64_MAX;
        check_nights_of(check, unit, told, false);
        if (told != INT64_MAX) {
            check_nights_of(check, unit, told, true);
        }
    }
}

void sim_check_ladders(struct sim_check *check)
{
    check_in_force(check);
    gather_fires(check);
    check_rounds(check);
    check_order(check);
    check_shifts(check);
    check_nights(check);
}
