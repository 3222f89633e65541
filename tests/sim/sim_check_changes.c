/* What must hold where something changes while a check-in is drawn, rings, goes on or was missed:
 * another band, another plan, the end of an order, a blackout that ends early; and the longest
 * silence, which none of it moves. All of it is read from the log and from what the world knows. */
#include <string.h>

#include <sqlite3.h>

#include "tests/sim/sim.h"

/* ---- bands ---- */

#define RANK(word)                                                                                 \
    "(CASE " word " WHEN 'low' THEN 0 WHEN 'medium' THEN 1 WHEN 'high' THEN 2 ELSE 3 END)"

/* From which entry of the log on somebody is of a band. */
static void gather_bands(struct sim_check *check)
{
    sqlite3_stmt *statement = NULL;
    sim_check_run(check, "CREATE TEMP TABLE band_at (person INTEGER, idx INTEGER, rank INTEGER);");
    sqlite3_prepare_v2(check->db, "INSERT INTO band_at VALUES (?1, 0, ?2)", -1, &statement, NULL);
    for (int i = 0; i < check->sim->person_count; i++) {
        sqlite3_bind_int64(statement, 1, check->sim->people[i].id);
        sqlite3_bind_int64(statement, 2, check->sim->people[i].band);
        sqlite3_step(statement);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    sim_check_run(
        check,
        "INSERT INTO band_at SELECT id, idx, " RANK(
            "word") " FROM said WHERE action = "
                    "'PERSON_BAND_SET';"
                    "CREATE INDEX band_of ON band_at (person, idx);"
                    /* What rings or goes on takes only a higher band over: the highest since the
                       first ring. */
                    "CREATE TEMP TABLE missed AS SELECT i.id, i.checkin_id, i.person_id, "
                    "i.severity, i.kind, "
                    "s.idx AS opened, s.word AS begun_as, ifnull((SELECT min(r.idx) FROM said r "
                    "WHERE r.action "
                    "= 'CHECKIN_RING' AND r.id = i.checkin_id), s.idx) AS begun, ifnull((SELECT "
                    "min(x.idx) "
                    "FROM said x WHERE x.action = 'INCIDENT_CONCLUDED' AND x.id = i.id), "
                    "0x7fffffffffffffff) "
                    "AS closed, ifnull((SELECT min(x.idx) FROM said x WHERE x.action IN "
                    "('INCIDENT_REACHED', "
                    "'INCIDENT_ANSWERED_LATE') AND x.id = i.id), 0x7fffffffffffffff) AS reached "
                    "FROM incident "
                    "i JOIN said s ON s.action = 'INCIDENT_OPENED' AND s.id = i.id WHERE i.kind = "
                    "'no_contact';"
                    "CREATE TEMP TABLE weighed AS SELECT m.*, (SELECT max(b.rank) FROM band_at b "
                    "WHERE "
                    "b.person = m.person_id AND b.idx <= m.opened AND b.idx >= (SELECT max(x.idx) "
                    "FROM band_at "
                    "x WHERE x.person = m.person_id AND x.idx <= m.begun)) AS rank, (SELECT "
                    "max(b.rank) FROM "
                    "band_at b WHERE b.person = m.person_id AND b.idx > m.opened AND b.idx < "
                    "m.closed) AS "
                    "later, EXISTS (SELECT 1 FROM band_at b WHERE b.person = m.person_id AND "
                    "b.rank = 3 AND "
                    "b.idx > m.opened AND b.idx < m.closed AND b.idx < m.reached) AS looked_after "
                    "FROM missed "
                    "m;"
                    "CREATE INDEX weighed_of ON weighed (id);"
                    "CREATE INDEX weighed_checkin ON weighed (checkin_id);");
}

#define SEVERITY(rank) "(CASE " rank " WHEN 3 THEN 'top' WHEN 2 THEN 'high' ELSE 'normal' END)"

static void check_bands(struct sim_check *check)
{
    gather_bands(check);
    sim_check_none(check, "an incident that is not as grave as the band when it was opened",
                   "SELECT checkin_id FROM weighed WHERE begun_as <> " SEVERITY("rank"));
    sim_check_none(check, "an incident that is not as grave as the highest band while it was open",
                   "SELECT checkin_id FROM weighed WHERE severity <> " SEVERITY(
                       "max(rank, ifnull(later, 0))"));
    sim_check_none(
        check, "a missed check-in of the top band without its one safety step",
        "SELECT w.checkin_id FROM weighed w LEFT JOIN incident s ON s.checkin_id = w.checkin_id "
        "AND s.kind = 'safety' WHERE w.rank = 3 OR w.looked_after GROUP BY w.id HAVING count(s.id) "
        "<> 1");
    sim_check_none(check, "a safety step of another band",
                   "SELECT s.checkin_id FROM incident s LEFT JOIN weighed w ON w.checkin_id = "
                   "s.checkin_id AND (w.rank = 3 OR w.looked_after) WHERE s.kind = 'safety' AND "
                   "w.id IS NULL");
}

/* ---- plans ---- */

/* The first ring and the outcome of each check-in. */
static void gather_lives(struct sim_check *check)
{
    sim_check_run(
        check,
        "CREATE TEMP TABLE life AS SELECT c.id, c.plan_id, c.person_id, c.make_up_of, c.slot, "
        "c.outcome, (SELECT min(r.idx) FROM said r WHERE r.action = 'CHECKIN_RING' AND r.id = "
        "c.id) AS rung, o.idx AS ended, o.word AS cause, (SELECT min(m.idx) FROM said m WHERE "
        "m.action IN ('CHECKIN_PLANNED', 'CHECKIN_MAKE_UP', 'CHECKIN_SECOND', "
        "'CHECKIN_ON_DEMAND') AND m.id = c.id) AS made FROM checkin c LEFT JOIN said o ON o.action "
        "= 'CHECKIN_OUTCOME' AND o.id = c.id;"
        "CREATE INDEX life_of ON life (id, cause);"
        "CREATE INDEX life_plan ON life (plan_id);"
        "CREATE INDEX life_person ON life (person_id);");
}

static void check_ended_plans(struct sim_check *check)
{
    sim_check_none(
        check, "what had not begun when its plan ended, and was not let go",
        "SELECT l.id FROM said e JOIN life l ON l.plan_id = e.id AND l.made < e.idx WHERE e.action "
        "= 'PLAN_ENDED' AND l.ended > e.idx AND (l.rung IS NULL OR l.rung > e.idx) AND (l.outcome "
        "<> 'waived' OR l.rung IS NOT NULL) AND NOT (l.make_up_of IS NOT NULL AND EXISTS (SELECT 1 "
        "FROM plan n WHERE n.replaces_id = l.plan_id))");
    sim_check_none(
        check, "what had begun when another plan took the place of its own, and was let go",
        "SELECT l.id FROM said e JOIN life l ON l.plan_id = e.id WHERE e.action = 'PLAN_ENDED' AND "
        "l.rung < e.idx AND l.ended > e.idx AND l.cause = 'waived_plan_changed'");
    sim_check_none(check, "a contact that a plan made after its end",
                   "SELECT l.id FROM said e JOIN life l ON l.plan_id = e.id AND l.made > e.idx AND "
                   "l.make_up_of IS NULL WHERE e.action = 'PLAN_ENDED'");
}

/* Dates, in the zone of the person, on which a plan of theirs began or ended: they may have fewer
 * contacts then; not more, unless it began for itself and not in the place of another. */
static void gather_stirred(struct sim_check *check)
{
    struct sim *sim = check->sim;
    sqlite3_stmt *found = NULL, *into = NULL;
    sim_check_run(
        check, "CREATE TEMP TABLE stirred (person, date, most, PRIMARY KEY (person, date, most));");
    sqlite3_prepare_v2(check->db,
                       "INSERT OR IGNORE INTO stirred VALUES (?1, date(?2, 'unixepoch'), ?3)", -1,
                       &into, NULL);
    sqlite3_prepare_v2(
        check->db,
        "SELECT p.person_id, u.unit_id, e.at, CASE WHEN e.action = 'PLAN_CREATED' "
        "AND length(ifnull(e.of, 0)) <= 1 THEN 4 ELSE 2 END FROM said e JOIN plan p ON p.id = e.id "
        "JOIN person u ON u.id = p.person_id WHERE e.action IN ('PLAN_CREATED', "
        "'PLAN_ENDED') ORDER BY u.unit_id",
        -1, &found, NULL);
    int entered = -1;
    while (sqlite3_step(found) == SQLITE_ROW) {
        int unit = sim_unit_of(sim, sqlite3_column_int64(found, 1), 0);
        if (unit != entered) {
            sim_zone_enter(sim, unit, true);
            entered = unit;
        }
        for (int side = -1; side <= 1; side += 2) { /* the clock may be wrong, and rules change */
            sqlite3_bind_int64(into, 1, sqlite3_column_int64(found, 0));
            sqlite3_bind_int64(into, 3, sqlite3_column_int64(found, 3));
            sqlite3_bind_int64(into, 2,
                               sim_zone_local(sqlite3_column_int64(found, 2) + side * SIM_HOUR_MS));
            sqlite3_step(into);
            sqlite3_reset(into);
        }
    }
    sim_zone_leave();
    sqlite3_finalize(found);
    sqlite3_finalize(into);
    /* Where the clock was hours ahead tomorrow had begun before it came. */
    for (int i = 0; i < sim->leap_count && i < SIM_LEAPS_MAX; i++) {
        char sql[240];
        snprintf(sql, sizeof(sql),
                 "INSERT OR IGNORE INTO stirred SELECT p.id, date(%lld + d.value * 86400, "
                 "'unixepoch'), 4 FROM person p, json_each('[-1, 0, 1]') d",
                 (long long)(sim->leaps_ms[i] / 1000));
        sim_check_run(check, sql);
    }
}

/* Whoever has an order that no court ended has two contacts on each of its dates, whatever plan
 * they are of; make-ups and second checks apart, and dates on which no plan ran. What was drawn
 * anew counts as it was drawn last. Where the plan changed on a date: not more. */
static void check_dates(struct sim_check *check)
{
    char sql[2000], first[SIM_DATE_SIZE], last[SIM_DATE_SIZE];
    gather_stirred(check);
    sim_date(check->sim, 1, first);
    sim_date(check->sim, check->sim->options.days, last);
    snprintf(
        sql, sizeof(sql),
        "CREATE TEMP TABLE owed AS WITH RECURSIVE dates (date) AS (SELECT '%s' UNION ALL "
        "SELECT date(date, '+1 day') FROM dates WHERE date < '%s') SELECT o.person_id AS "
        "person, d.date AS date, count(c.id) AS contacts, max(c.id) AS checkin FROM "
        "contact_order o JOIN dates d LEFT JOIN checkin c ON c.person_id = o.person_id AND "
        "c.local_date = d.date AND c.plan_id IS NOT NULL AND c.make_up_of IS NULL AND c.slot "
        "%% 10000 < 2000 AND NOT EXISTS (SELECT 1 FROM checkin r WHERE r.plan_id = c.plan_id AND "
        "r.local_date = c.local_date AND r.slot = c.slot + 10000) AND NOT (c.outcome = 'waived' "
        "AND (EXISTS (SELECT 1 FROM life l WHERE l.id = "
        "c.id AND l.cause = 'waived_plan_changed') OR EXISTS (SELECT 1 FROM checkin n WHERE "
        "n.person_id = c.person_id AND n.local_date = c.local_date AND n.plan_id > c.plan_id AND "
        "NOT EXISTS (SELECT 1 FROM life m WHERE m.id = n.id AND m.cause = "
        "'waived_plan_changed')))) WHERE o.ended_date IS NULL GROUP BY o.person_id, d.date",
        first, last);
    sim_check_run(check, sql);
    sim_check_none(check, "a date that lost an obligation, or has one twice",
                   "SELECT checkin, contacts, person, date FROM owed w WHERE contacts <> 2 AND "
                   "contacts > ifnull((SELECT max(s.most) FROM stirred s WHERE s.person = "
                   "w.person AND s.date = w.date), -1) AND (contacts > 2 OR EXISTS (SELECT 1 FROM "
                   "plan p WHERE p.person_id = w.person AND p.created_at < (strftime('%s', w.date) "
                   "- 50400) * 1000 AND (p.ended_at IS NULL OR p.ended_reason = 'the order is "
                   "over' OR p.ended_at > (strftime('%s', w.date) + 129600) * 1000)))");
}

/* ---- the end of an order ---- */

static void check_orders_over(struct sim_check *check)
{
    sim_check_run(
        check, "CREATE TEMP TABLE over AS SELECT o.person_id AS person, e.idx AS idx FROM said e "
               "JOIN contact_order o ON o.id = e.id WHERE e.action = 'ORDER_OVER';"
               "CREATE INDEX over_person ON over (person);");
    sim_check_none(check, "a ring of what an order demanded that is over",
                   "SELECT l.id FROM over e JOIN life l ON l.person_id = e.person AND l.made < "
                   "e.idx JOIN said r ON r.action = 'CHECKIN_RING' AND r.id = l.id AND r.idx > "
                   "e.idx");
    sim_check_none(check, "a ring that the end of the order did not end",
                   "SELECT l.id FROM over e JOIN life l ON l.person_id = e.person AND l.made < "
                   "e.idx JOIN checkin c ON c.id = l.id WHERE l.rung < e.idx AND l.ended > e.idx "
                   "AND c.connected_at IS NULL AND l.outcome <> 'waived' AND NOT EXISTS (SELECT 1 "
                   "FROM said m WHERE m.action = 'CHECKIN_MISSED' AND m.id = l.id AND m.idx < "
                   "e.idx) AND NOT EXISTS (SELECT 1 FROM said m WHERE m.action = 'CHECKIN_JOINED' "
                   "AND m.id = l.id AND m.idx < e.idx)");
    /* What was had before, and was looked at only after it, is apart. */
    sim_check_none(check, "a duty after the end of the order",
                   "SELECT i.checkin_id, i.id AS incident FROM over e JOIN incident i ON "
                   "i.person_id = e.person AND i.kind IN ('no_contact', 'silence') JOIN said s ON "
                   "s.action = 'INCIDENT_OPENED' AND s.id = i.id AND s.idx > e.idx LEFT JOIN "
                   "checkin c ON c.id = i.checkin_id WHERE c.review_deadline_at IS NULL");
    sim_check_none(check, "a miss that the end of the order took away",
                   "SELECT l.id FROM over e JOIN life l ON l.person_id = e.person WHERE l.cause = "
                   "'waived_order_ended' AND EXISTS (SELECT 1 FROM incident i WHERE i.checkin_id = "
                   "l.id AND i.kind = 'no_contact')");
}

/* ---- blackouts that end early ---- */

/* When a window of that date begins for whoever draws from it at an entry of the log: by the rules
 * of its zone as they were known there. What is waived keeps the instants that it was made with. */
static int64_t window_start_ms(struct sim_check *check, int unit, int64_t entry, int64_t made_ms,
                               const char *date, const char *start)
{
    struct sim *sim = check->sim;
    char local[SIM_DATE_SIZE + 8];
    if (sim->zones_changed_ms == 0 || !sim_zone_changes(unit) ||
        entry < sim_check_zone_entry(check, "ZONE_RULES_CHANGED", unit)) {
        return made_ms;
    }
    snprintf(local, sizeof(local), "%sT%s", date, start);
    return sim_zone_instant(sim, unit, local, true);
}

/* Under the order, at the entry in which the blackout ended: beside what had come in its place. */
#define ROOM                                                                                       \
    "(SELECT count(*) FROM checkin x JOIN life y ON y.id = x.id WHERE x.person_id = c.person_id "  \
    "AND x.local_date = c.local_date AND x.kind <> 'inbound' AND y.made < b.over AND NOT "         \
    "(y.ended < b.over AND x.outcome IN ('waived', 'system_fault', 'unstaffed'))) < (SELECT "      \
    "min(o.per_day_max, r.count) FROM contact_order o JOIN requirement r ON r.order_id = o.id "    \
    "WHERE o.person_id = c.person_id)"

/* Of whom there is one blackout alone: what it had waived ahead is drawn anew when it ends early,
 * and what lies after it is when it is entered. What is left of a window is drawn from. Where
 * another plan has taken the place by then it is that one's dates. */
static void check_given_back(struct sim_check *check)
{
    static const char sql[] =
        "SELECT c.id, c.unit_id, c.local_date, json_extract(p.rule, '$.windows[' || (c.slot % "
        "10000 / 16) || '].start'), c.window_start_at, b.over, b.over_at FROM lone b JOIN life l "
        "ON l.person_id = b.person AND l.ended < b.over AND l.cause LIKE 'waived_%' AND l.cause "
        "NOT IN ('waived_order_ended', 'waived_plan_changed', 'waived_no_room') JOIN checkin c ON "
        "c.id = l.id JOIN plan p ON p.id = c.plan_id WHERE b.over IS NOT NULL AND c.slot % 10000 < "
        "2000 AND c.make_up_of IS NULL AND NOT EXISTS (SELECT 1 FROM said e WHERE e.action = "
        "'PLAN_ENDED' AND e.id = c.plan_id AND e.idx < b.over) AND NOT EXISTS (SELECT 1 FROM plan "
        "s JOIN said e ON e.action = 'PLAN_CREATED' AND e.id = s.id WHERE s.replaces_id = "
        "c.plan_id "
        "AND s.begins_date <= c.local_date AND e.idx < b.over) AND NOT EXISTS (SELECT 1 FROM "
        "checkin d WHERE d.plan_id = c.plan_id AND d.local_date = c.local_date AND d.slot % 10000 "
        "= c.slot % 10000 AND d.slot > c.slot) AND " ROOM;
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(check->db, sql, -1, &statement, NULL);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int unit = sim_unit_of(check->sim, sqlite3_column_int64(statement, 1), 0);
        int64_t start_ms = window_start_ms(check, unit, sqlite3_column_int64(statement, 5),
                                           sqlite3_column_int64(statement, 4),
                                           (const char *)sqlite3_column_text(statement, 2),
                                           (const char *)sqlite3_column_text(statement, 3));
        if (start_ms > sqlite3_column_int64(statement, 6) + SIM_HOUR_MS) {
            sim_check_wrong(check, sqlite3_column_int64(statement, 0),
                            "what a blackout had waived, and was not drawn anew when it ended "
                            "early");
        }
    }
    sqlite3_finalize(statement);
}

static void check_redrawn(struct sim_check *check)
{
    sim_check_run(check,
                  "CREATE TEMP TABLE lone AS SELECT max(b.id) AS id, b.person_id AS person, "
                  "max(b.until_at) AS until_at, (SELECT m.idx FROM said m WHERE m.action = "
                  "'BLACKOUT_CREATED' AND m.id = b.id) AS entered, (SELECT e.idx FROM said e WHERE "
                  "e.action = 'BLACKOUT_ENDED' AND e.id = b.id) AS over, (SELECT e.at FROM said e "
                  "WHERE e.action = 'BLACKOUT_ENDED' AND e.id = b.id) AS over_at FROM blackout b "
                  "GROUP BY b.person_id HAVING count(*) = 1;");
    check_given_back(check);
    sim_check_none(
        check, "what was drawn anew before the blackout was over",
        "SELECT c.id FROM lone b JOIN checkin c ON c.person_id = b.person WHERE c.slot >= 10000 "
        "AND b.over IS NOT NULL AND (SELECT l.made FROM life l WHERE l.id = c.id) > b.over AND "
        "c.due_at < b.over_at - 7200000");
}

/* ---- the longest silence ---- */

/* A pause of the plan, a daemon that is down, a clock that is wrong. */
#define SILENCE_SLACK_MS (8 * SIM_HOUR_MS)
#define CONTACTS_MAX 256

struct span {
    int64_t from_ms, until_ms;
};

struct spans {
    struct span at[CONTACTS_MAX];
    size_t count;
};

/* Of one person. */
struct silences {
    int64_t person;
    int64_t begins_ms; /* the first date of the first plan */
    struct spans contacts;
    struct spans excused;   /* times in which none was owed */
    struct spans alarms;    /* of a silence … */
    struct spans concluded; /* … and the ends of their incidents */
    struct spans pauses;    /* from the end of a plan to the day after another one was made */
};

static void gather_spans(struct sim_check *check, const char *sql, int64_t person,
                         struct spans *spans)
{
    sqlite3_stmt *statement = NULL;
    spans->count = 0;
    sqlite3_prepare_v2(check->db, sql, -1, &statement, NULL);
    sqlite3_bind_int64(statement, 1, person);
    while (spans->count < CONTACTS_MAX && sqlite3_step(statement) == SQLITE_ROW) {
        spans->at[spans->count++] =
            (struct span){sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1)};
    }
    sqlite3_finalize(statement);
}

/* When it begins to count: a plan whose times of the day are over begins on the next. */
static int64_t first_begins_ms(struct sim_check *check, const struct sim_person *person)
{
    static const char sql[] =
        "SELECT begins_date || 'T00:00' FROM plan WHERE person_id = ?1 ORDER BY id LIMIT 1";
    sqlite3_stmt *statement = NULL;
    int64_t begins_ms = check->sim->start_ms;
    sqlite3_prepare_v2(check->db, sql, -1, &statement, NULL);
    sqlite3_bind_int64(statement, 1, person->id);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        int64_t midnight_ms = sim_zone_instant(
            check->sim, person->unit_index, (const char *)sqlite3_column_text(statement, 0), false);
        begins_ms = midnight_ms > begins_ms ? midnight_ms : begins_ms;
    }
    sqlite3_finalize(statement);
    return begins_ms;
}

static void gather_silences(struct sim_check *check, const struct sim_person *of,
                            struct silences *all)
{
    const int64_t person = of->id;
    all->person = person;
    all->begins_ms = first_begins_ms(check, of);
    gather_spans(check,
                 "SELECT ifnull(connected_at, ifnull(nullif(json_extract(machine, '$.joined_at'), "
                 "0), decided_at)), decided_at FROM checkin WHERE person_id = ?1 AND outcome IN "
                 "('completed', 'late') AND merged_into IS NULL ORDER BY decided_at",
                 person, &all->contacts);
    /* As they were entered: what ended early has excused until then and no longer. */
    gather_spans(check,
                 "SELECT b.from_at, max(b.until_at, CAST(strftime('%s', s.word) AS INTEGER) * "
                 "1000) FROM blackout b JOIN said s ON s.action = 'BLACKOUT_CREATED' AND s.id = "
                 "b.id WHERE b.person_id = ?1",
                 person, &all->excused);
    gather_spans(check,
                 "SELECT at, at FROM said WHERE action = 'PERSON_SILENCE' AND id = ?1 ORDER BY idx",
                 person, &all->alarms);
    gather_spans(check,
                 "SELECT s.at, s.at FROM incident i JOIN said s ON s.action = 'INCIDENT_CONCLUDED' "
                 "AND s.id = i.id WHERE i.person_id = ?1 AND i.kind = 'silence' ORDER BY s.idx",
                 person, &all->concluded);
    /* Nothing limits a silence then, and the next plan asks for nothing of the time before it.
     * Where no other one was made, and none serves, that is for good. */
    gather_spans(check,
                 "SELECT e.at, ifnull((SELECT x.at + 86400000 FROM plan q CROSS JOIN said x ON "
                 "x.action = 'PLAN_CREATED' AND x.id = q.id AND x.idx > e.idx WHERE q.person_id = "
                 "?1 ORDER BY x.idx LIMIT 1), CASE WHEN EXISTS (SELECT 1 FROM plan q WHERE "
                 "q.person_id = ?1 AND q.id <> p.id AND (q.ended_at IS NULL OR q.ended_at > e.at) "
                 "AND (q.until_date IS NULL OR q.until_date >= date(e.at / 1000, 'unixepoch'))) "
                 "THEN e.at ELSE 253402300799000 END) FROM said e JOIN plan p ON p.id = e.id WHERE "
                 "e.action = 'PLAN_ENDED' AND p.person_id = ?1 ORDER BY e.idx",
                 person, &all->pauses);
}

static bool any_within(const struct spans *spans, int64_t from_ms, int64_t until_ms)
{
    for (size_t i = 0; i < spans->count; i++) {
        if (spans->at[i].until_ms > from_ms && spans->at[i].from_ms <= until_ms) {
            return true;
        }
    }
    return false;
}

static void tell_silence(struct sim_check *check, const struct silences *all, struct span span,
                         const char *what)
{
    char text[200];
    snprintf(text, sizeof(text), "%s; person: %lld, from %+.1f to %+.1f s", what,
             (long long)all->person, (double)(span.from_ms - check->sim->start_ms) / 1000,
             (double)(span.until_ms - check->sim->start_ms) / 1000);
    sim_check_wrong_of(check, (struct sim_about){.person = all->person}, text);
}

/* Between the last contact for certain, or the end of the incident about the silence before, and
 * the next contact perhaps. */
static void check_gap(struct sim_check *check, const struct silences *all, struct span gap)
{
    int64_t most_ms = SIM_SILENCE_S * INT64_C(1000);
    for (size_t i = 0; i < all->excused.count; i++) {
        const struct span *excused = &all->excused.at[i];
        int64_t from_ms = excused->from_ms > gap.from_ms ? excused->from_ms : gap.from_ms;
        int64_t until_ms = excused->until_ms < gap.until_ms ? excused->until_ms : gap.until_ms;
        most_ms += until_ms > from_ms ? until_ms - from_ms : 0;
    }
    if (gap.until_ms - gap.from_ms > most_ms + SILENCE_SLACK_MS &&
        !any_within(&all->alarms, gap.from_ms, gap.from_ms + most_ms + SILENCE_SLACK_MS)) {
        tell_silence(check, all, gap, "a silence that was too long and not alarmed in time");
    }
}

/* A gap is over where a plan ends, and begins where the next one has begun. */
static void check_gap_by_plans(struct sim_check *check, const struct silences *all, struct span gap)
{
    for (size_t i = 0; i < all->pauses.count; i++) {
        const struct span *pause = &all->pauses.at[i];
        if (pause->until_ms > gap.from_ms && pause->from_ms < gap.until_ms) {
            check_gap(check, all, (struct span){gap.from_ms, pause->from_ms});
            gap.from_ms = pause->until_ms;
        }
    }
    check_gap(check, all, gap);
}

/* From each contact, and from each conclusion with no contact since its alarm. */
static void check_alarmed(struct sim_check *check, const struct silences *all)
{
    const struct spans *contacts = &all->contacts;
    int64_t end_ms = check->sim->start_ms + check->sim->options.days * SIM_DAY_MS;
    struct span gap = {.from_ms = all->begins_ms};
    for (size_t i = 0; i < contacts->count; i++) {
        gap.until_ms = contacts->at[i].from_ms;
        check_gap_by_plans(check, all, gap);
        gap.from_ms = contacts->at[i].until_ms;
    }
    gap.until_ms = end_ms;
    check_gap_by_plans(check, all, gap);
    for (size_t k = 0; k < all->concluded.count; k++) {
        gap = (struct span){all->concluded.at[k].from_ms, end_ms};
        for (size_t i = 0; i < contacts->count; i++) {
            bool next = contacts->at[i].until_ms > gap.from_ms - SIM_DAY_MS;
            gap.until_ms = next && contacts->at[i].from_ms < gap.until_ms ? contacts->at[i].from_ms
                                                                          : gap.until_ms;
        }
        check_gap_by_plans(check, all, gap);
    }
}

static bool clock_moved(const struct sim *sim, int64_t from_ms, int64_t until_ms)
{
    bool moved = false;
    for (int i = 0; i < sim->step_count; i++) {
        moved = moved || (sim->steps_ms[i] > from_ms - SIM_JUMP_MS &&
                          sim->steps_ms[i] < until_ms + SIM_JUMP_MS);
    }
    return moved;
}

/* Each alarm is as long after the last contact, and the end of the incident before it, as a silence
 * may be. */
static void check_alarms(struct sim_check *check, const struct silences *all)
{
    struct sim *sim = check->sim;
    for (size_t a = 0; a < all->alarms.count; a++) {
        int64_t at_ms = all->alarms.at[a].from_ms;
        int64_t last_ms = sim->start_ms;
        for (size_t i = 0; i < all->contacts.count; i++) {
            const struct span *contact = &all->contacts.at[i];
            bool before = contact->until_ms < at_ms - SIM_HOUR_MS;
            last_ms = before && contact->from_ms > last_ms ? contact->from_ms : last_ms;
        }
        int64_t before_ms = a == 0 ? 0 : all->alarms.at[a - 1].from_ms;
        bool again = a > 0 && !any_within(&all->contacts, before_ms - SIM_HOUR_MS, at_ms);
        for (size_t k = 0; again && k < all->concluded.count; k++) {
            int64_t over_ms = all->concluded.at[k].from_ms;
            last_ms = over_ms < at_ms && over_ms > last_ms ? over_ms : last_ms;
        }
        if (clock_moved(sim, last_ms, at_ms)) {
            continue;
        }
        if (at_ms - last_ms < SIM_SILENCE_S * INT64_C(1000) - 2 * SIM_HOUR_MS) {
            tell_silence(check, all, (struct span){last_ms, at_ms},
                         "a silence that was alarmed although it was not long");
        }
    }
}

static void check_silence_of(struct sim_check *check, const struct sim_person *person)
{
    static struct silences all;
    gather_silences(check, person, &all);
    check_alarmed(check, &all);
    check_alarms(check, &all);
}

static void check_silences(struct sim_check *check)
{
    char sql[200];
    for (int i = 0; i < check->sim->person_count; i++) {
        const struct sim_person *person = &check->sim->people[i];
        snprintf(sql, sizeof(sql),
                 "SELECT count(*) FROM contact_order WHERE id = %lld AND ended_date IS NULL",
                 (long long)person->order);
        if (person->watched && person->mandatory && sim_check_number(check->db, sql) == 1) {
            check_silence_of(check, person);
        }
    }
}

void sim_check_changes(struct sim_check *check)
{
    check_bands(check);
    gather_lives(check);
    check_ended_plans(check);
    check_dates(check);
    check_orders_over(check);
    check_redrawn(check);
    check_silences(check);
}
