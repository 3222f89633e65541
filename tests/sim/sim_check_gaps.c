/* The minimum gap between two due times of a person, as the table of the scheduler has it for each
 * kind; and that nobody can know a drawn one before it comes. */
#include <string.h>

#include <sqlite3.h>

#include "protocol/base/time.h"
#include "tests/sim/sim.h"

#define TAIL_MS ((SIM_RESPONSE_S + SIM_GRACE_S) * INT64_C(1000)) /* no plan has a smaller gap */

/* Units whose rules have changed: whatever is ahead is moved then, each to where there is room. */
static void gather_moved(struct sim_check *check)
{
    char sql[120];
    sim_check_run(check, "CREATE TEMP TABLE moved_unit (id PRIMARY KEY);");
    for (int unit = 0; unit < SIM_UNITS; unit++) {
        if (check->sim->zones_changed_ms != 0 && sim_zone_changes(unit)) {
            snprintf(sql, sizeof(sql), "INSERT INTO moved_unit VALUES (%lld)",
                     (long long)check->sim->units[unit]);
            sim_check_run(check, sql);
        }
    }
}

/* Each check-in by the row of the table that it is of. Nothing keeps to the last one. */
static void gather_placed(struct sim_check *check)
{
    char sql[1400];
    snprintf(sql, sizeof(sql),
             "CREATE TEMP TABLE placed AS SELECT c.id, c.person_id AS person, c.due_at AS due, "
             "l.made, l.ended, l.cause, c.outcome, c.make_up_of, c.plan_id AS plan, c.local_date, "
             "c.slot, CASE WHEN c.make_up_of IS NOT NULL THEN 'make-up' WHEN c.plan_id IS NULL "
             "THEN 'on demand' WHEN c.slot %% 10000 >= 2000 THEN 'second check' WHEN c.drawn = 1 "
             "THEN 'drawn' ELSE 'fixed' END AS what, max(%lld, "
             "ifnull(json_extract(p.rule, '$.min_gap_s'), 0) * 1000) AS gap FROM checkin c JOIN "
             "life l ON l.id = c.id LEFT JOIN plan p ON p.id = c.plan_id WHERE c.kind <> 'inbound' "
             "AND c.unit_id NOT IN (SELECT id FROM moved_unit);"
             "CREATE INDEX placed_of ON placed (person, due);",
             (long long)TAIL_MS);
    sim_check_run(check, sql);
}

/* What was there when another was placed: ahead, going on, or over and not for nothing. What a
 * make-up makes up for was for nothing; a second check lies near its first by its purpose. */
static void check_gaps(struct sim_check *check)
{
    gather_moved(check);
    gather_placed(check);
    sim_check_none(
        check, "a check-in nearer to another one of the person than the minimum gap",
        "SELECT d.id, d.what AS this, x.id AS other, x.what AS that, (x.due - d.due) / 1000 AS "
        "seconds FROM placed d JOIN placed x ON x.person = d.person AND x.id <> d.id AND x.due > "
        "d.due - d.gap AND x.due < d.due + d.gap WHERE d.what IN ('drawn', 'make-up', 'second "
        "check') AND d.cause IS NOT 'waived_no_room' AND x.cause IS NOT 'waived_no_room' AND "
        "x.made < d.made AND NOT (x.ended < d.made AND x.outcome IN ('waived', 'system_fault', "
        "'unstaffed')) AND d.make_up_of IS NOT x.id AND NOT (d.what = 'second check' AND x.plan = "
        "d.plan AND x.local_date = d.local_date AND x.slot = d.slot - 2000)");
}

/* ---- what nobody may know ---- */

/* The log of whoever it is about says the moment openly between the draw and the first ring. When
 * windows begin and end anybody may know, and until when a contact waits for its review: whole
 * hours from the entry that says so, which are the moment of another draw by chance alone. */
static void check_leaks(struct sim_check *check)
{
    sim_check_run(
        check,
        "CREATE TEMP TABLE telling AS SELECT l.person_id AS person, l.idx AS idx, "
        "json_remove(json_extract(CAST(e.leaf AS TEXT), '$.open'), '$.window_start', "
        "'$.window_end', CASE WHEN l.action = 'CHECKIN_AWAITING_REVIEW' AND (strftime('%s', "
        "json_extract(CAST(e.leaf AS TEXT), '$.open.by')) - e.at / 1000) % 3600 = 0 THEN '$.by' "
        "ELSE '$.window_end' END) AS open FROM log_plain l JOIN log_entry e ON e.idx = l.idx WHERE "
        "+l.person_id IS NOT NULL AND l.action NOT LIKE 'NOTICE_%' AND l.action NOT LIKE "
        "'INCIDENT_%' AND l.action NOT LIKE 'BLACKOUT_%' AND instr(substr(e.leaf, instr(e.leaf, "
        "CAST('\"open\":' AS BLOB))), CAST('Z\"' AS BLOB)) > 0;"
        "CREATE INDEX telling_of ON telling (person, idx);");
    sim_check_none(check, "an instant that leaked before its time",
                   "SELECT c.id, min(t.idx) AS entry FROM checkin c JOIN life l ON l.id = c.id "
                   "JOIN telling t ON t.person = c.person_id AND t.idx >= l.made AND t.idx < "
                   "min(ifnull(l.rung, l.ended), l.ended) AND instr(t.open, "
                   "strftime('%Y-%m-%dT%H:%M:%S', c.due_at / 1000, 'unixepoch') || "
                   "printf('.%03dZ', c.due_at % 1000)) > 0 WHERE c.drawn = 1 GROUP BY c.id");
}

void sim_check_gaps(struct sim_check *check)
{
    check_gaps(check);
    check_leaks(check);
}

/* ---- while it goes on ---- */

/* The drawn check-in of a person that has not begun and is due then; 0: none. */
static int64_t hidden_at(struct sim *sim, int64_t person, struct ck_wall at)
{
    static const char sql[] = "SELECT id FROM checkin WHERE person_id = ?1 AND due_at = ?2 AND "
                              "drawn = 1 AND state IN ('planned', 'armed')";
    sqlite3_stmt *statement = sim_reader(sim) == NULL ? NULL : sim_ask(sim, sql);
    if (statement == NULL) {
        return 0;
    }
    sqlite3_bind_int64(statement, 1, person);
    sqlite3_bind_int64(statement, 2, at.ms);
    int64_t id = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    return id;
}

void sim_watch_instants(struct sim *sim, int64_t person, json_t *value)
{
    const char *key;
    json_t *member;
    size_t index;
    struct ck_wall at;
    json_object_foreach(value, key, member)
    {
        sim_watch_instants(sim, person, member);
    }
    json_array_foreach(value, index, member)
    {
        sim_watch_instants(sim, person, member);
    }
    if (person != 0 && json_is_string(value) && ck_wall_parse(json_string_value(value), &at) == 0) {
        int64_t checkin = hidden_at(sim, person, at);
        if (checkin != 0) {
            sim_wrong(sim, (struct sim_about){.checkin = checkin},
                      "an instant that went out before its time");
        }
    }
}
