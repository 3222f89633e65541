/* What an order allows: the hours, how much in a day, and that only duties are duties. */
#include <sqlite3.h>

#include "tests/sim/sim.h"

#define DAY_S INT64_C(86400)

/* Minutes of the day of "HH:MM". */
static int64_t minutes_of(const char *text)
{
    return ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
}

/* From the first moment in which it may ring to the last of its grace. */
static bool inside(int64_t local_s, int64_t start_min, int64_t end_min)
{
    int64_t second = local_s % DAY_S;
    int64_t last = second + SIM_RESPONSE_S + SIM_GRACE_S;
    bool over_midnight = end_min <= start_min;
    if (!over_midnight) {
        return second >= start_min * 60 && last <= end_min * 60;
    }
    return second >= start_min * 60 ? last <= DAY_S + end_min * 60 : last <= end_min * 60;
}

struct counted {
    int64_t person, date; /* of whom it is counted, and on which */
    int64_t contacts, duties, limit, duties_limit;
    int64_t last; /* check-in */
};

static void count(struct sim_check *check, struct counted *sum, const struct counted *one)
{
    if (one->person == sum->person && one->date == sum->date) {
        sum->contacts += one->contacts;
        sum->duties += one->duties;
        sum->last = one->last;
        return;
    }
    if (sum->contacts > sum->limit) {
        sim_check_wrong(check, sum->last, "more contacts on a date than the order allows");
    }
    if (sum->duties > sum->duties_limit) {
        sim_check_wrong(check, sum->last, "more duties on a date than the order says");
    }
    *sum = *one;
}

/* Everything that was due; what our faults did not achieve, and what was let go, does not count.
 * Where the rules of a zone changed meanwhile, hours and dates were others. */
static void check_hours_and_numbers(struct sim_check *check)
{
    static const char sql[] =
        "SELECT c.id, c.unit_id, c.person_id, c.due_at, o.hours_start, o.hours_end, o.per_day_max, "
        "(SELECT r.count FROM requirement r WHERE r.order_id = o.id), c.outcome NOT IN ('waived', "
        "'system_fault', 'unstaffed'), c.mandatory, c.outcome = 'waived' FROM checkin c JOIN "
        "contact_order o ON o.person_id = c.person_id WHERE c.kind <> 'inbound' AND o.per_day_max "
        "<= 3 AND NOT EXISTS (SELECT 1 FROM said e WHERE e.action = 'ORDER_ENDED' AND e.id = o.id) "
        "ORDER BY c.unit_id, c.person_id, c.due_at";
    struct sim *sim = check->sim;
    struct counted sum = {.limit = 100, .duties_limit = 100};
    sqlite3_stmt *statement = NULL;
    int entered = -1;
    sqlite3_prepare_v2(check->db, sql, -1, &statement, NULL);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int unit = sim_unit_of(sim, sqlite3_column_int64(statement, 1), 0);
        if (sim->zones_changed_ms != 0 && sim_zone_changes(unit)) {
            continue;
        }
        if (unit != entered) {
            sim_zone_enter(sim, unit, true);
            entered = unit;
        }
        int64_t due_ms = sqlite3_column_int64(statement, 3);
        int64_t local_s = sim_zone_local(due_ms);
        /* An hour that a change of clocks skips or repeats moves what is in it. */
        bool changes = local_s - sim_zone_local(due_ms - DAY_S * 1000) != DAY_S ||
                       sim_zone_local(due_ms + DAY_S * 1000) - local_s != DAY_S;
        if (!changes && sqlite3_column_int(statement, 10) == 0 &&
            !inside(local_s, minutes_of((const char *)sqlite3_column_text(statement, 4)),
                    minutes_of((const char *)sqlite3_column_text(statement, 5)))) {
            sim_check_wrong(check, sqlite3_column_int64(statement, 0),
                            "a contact outside the hours of the order");
        }
        bool counts = sqlite3_column_int(statement, 8) != 0;
        count(check, &sum,
              &(struct counted){.person = sqlite3_column_int64(statement, 2),
                                .date = local_s / DAY_S,
                                .contacts = counts,
                                .duties = counts && sqlite3_column_int(statement, 9) != 0,
                                .limit = sqlite3_column_int64(statement, 6),
                                .duties_limit = sqlite3_column_int64(statement, 7),
                                .last = sqlite3_column_int64(statement, 0)});
    }
    count(check, &sum, &(struct counted){.person = -1});
    sim_zone_leave();
    sqlite3_finalize(statement);
}

static void check_voluntary(struct sim_check *check)
{
    sim_check_none(check, "a duty under an order that knows none",
                   "SELECT c.id FROM checkin c JOIN contact_order o ON o.person_id = c.person_id "
                   "WHERE c.mandatory = 1 AND NOT EXISTS (SELECT 1 FROM requirement r WHERE "
                   "r.order_id = o.id AND r.mandatory = 1)");
    sim_check_none(check, "a breach of what was voluntary, or never counts",
                   "SELECT i.checkin_id, i.id AS incident FROM conclusion x JOIN incident i ON "
                   "i.id = x.incident_id LEFT JOIN checkin c ON c.id = i.checkin_id WHERE "
                   "x.conclusion = 'breach' AND (c.id IS NULL OR c.mandatory = 0 OR c.outcome NOT "
                   "IN ('declined', 'no_answer', 'person_fault', 'identity_doubt'))");
    sim_check_none(check, "a silence of somebody who owes no contact",
                   "SELECT 0, i.id AS incident, p.id AS person FROM incident i JOIN person p ON "
                   "p.id = i.person_id WHERE i.kind = 'silence' AND NOT EXISTS (SELECT 1 FROM plan "
                   "n WHERE n.person_id = p.id AND n.mandatory = 1)");
}

/* Nothing is left of a plan that was refused, and the one before goes on: what gives its place
 * gives it to one that was made. */
static void check_refused(struct sim_check *check)
{
    sim_check_none(check, "a plan that was to be refused and is there",
                   "SELECT 0, person_id AS person FROM plan WHERE json_extract(rule, "
                   "'$.late_limit_s') = 3599");
    sim_check_none(check, "a plan that the log has and the store has not",
                   "SELECT 0, s.id AS plan FROM said s WHERE s.action = 'PLAN_CREATED' AND NOT "
                   "EXISTS (SELECT 1 FROM plan p WHERE p.id = s.id)");
    sim_check_none(
        check, "a plan that gave its place to none",
        "SELECT 0, p.id AS plan, p.person_id AS person FROM plan p WHERE p.until_date IS "
        "NOT NULL AND NOT EXISTS (SELECT 1 FROM plan n WHERE n.replaces_id = p.id)");
}

void sim_check_orders(struct sim_check *check)
{
    check_refused(check);
    check_hours_and_numbers(check);
    check_voluntary(check);
}
