/* Who acts for the agency, and what befalls a caseload: leave, blackouts, ends of orders. */
#include <string.h>

#include <sqlite3.h>

#include "protocol/base/time.h"
#include "tests/sim/sim.h"

struct ck_actor sim_staff(const struct sim *sim, int unit, int64_t staff)
{
    unsigned roles = staff == sim->officers[unit]      ? CK_ROLE_OFFICER
                     : staff == sim->supervisors[unit] ? CK_ROLE_SUPERVISOR
                                                       : CK_ROLE_INSPECTOR;
    return (struct ck_actor){.kind = CK_ACTOR_STAFF,
                             .roles = roles,
                             .staff_id = staff,
                             .unit_id = sim->units[unit],
                             .peer = "127.0.0.1:1"};
}

/* A matter of the system is no unit's: whoever is told of it belongs to one all the same. */
int sim_unit_of(const struct sim *sim, int64_t unit, int64_t staff)
{
    for (int i = 0; i < SIM_UNITS; i++) {
        bool theirs = staff == sim->officers[i] || staff == sim->supervisors[i] ||
                      staff == sim->colleagues[i] || staff == sim->spares[i];
        if (unit == 0 ? theirs : sim->units[i] == unit) {
            return i;
        }
    }
    return 0;
}

int64_t sim_taker(const struct sim *sim, int unit, int64_t inspector)
{
    return sim->absent_until_ms[inspector] > sim->now_ms ? sim->colleagues[unit] : inspector;
}

bool sim_has_shifts(int unit)
{
    return unit % 2 == 0;
}

bool sim_has_phones(int unit)
{
    return unit % 3 == 0;
}

static void set_shifts(struct sim *sim, int unit)
{
    char from[SIM_DATE_SIZE], start[16], end[16];
    const struct ck_actor actor = sim_staff(sim, unit, sim->supervisors[unit]);
    sim_date(sim, -1, from);
    snprintf(start, sizeof(start), "%02d:00", SIM_SHIFT_FROM_H);
    snprintf(end, sizeof(end), "%02d:00", SIM_SHIFT_UNTIL_H);
    sim_submit(sim, "shift.create", &actor,
               json_pack("{s:I, s:s, s:s, s:[i, i, i, i, i, i, i], s:s, s:s}", "staff",
                         (json_int_t)sim->colleagues[unit], "kind", "work", "from_date", from,
                         "weekdays", 0, 1, 2, 3, 4, 5, 6, "start", start, "end", end),
               0);
}

void sim_set_stand_ins(struct sim *sim)
{
    int64_t last[SIM_UNITS] = {0};
    for (int i = 0; i < sim->person_count; i++) {
        const struct sim_person *person = &sim->people[i];
        int unit = person->unit_index;
        if (person->inspector == last[unit]) {
            continue;
        }
        last[unit] = person->inspector;
        const struct ck_actor actor = sim_staff(sim, unit, sim->supervisors[unit]);
        sim_submit(sim, "stand_ins.set", &actor,
                   json_pack("{s:I, s:[I, I]}", "staff", (json_int_t)person->inspector, "stand_ins",
                             (json_int_t)sim->colleagues[unit], (json_int_t)sim->spares[unit]),
                   0);
    }
    for (int unit = 0; unit < SIM_UNITS; unit++) {
        if (sim_has_shifts(unit)) {
            set_shifts(sim, unit);
        }
    }
}

/* ---- incidents ---- */

void sim_acknowledge(struct sim *sim, const struct sim_event *event)
{
    const struct ck_actor actor = sim_staff(sim, (int)event->c, event->b);
    if (sim_submit(sim, "incident.acknowledge", &actor,
                   json_pack("{s:I}", "incident", (json_int_t)event->a), 0) &&
        sim_chance(sim, sim->calm ? 100 : 85)) {
        /* Some take longer than an acknowledgement holds. */
        int64_t in_ms =
            sim_chance(sim, 80) ? sim_seconds(sim, 300, 1700) : sim_seconds(sim, 1700, 7200);
        sim_later(sim, in_ms, EVENT_CONCLUDE, event->a, event->b, event->c);
    }
}

/* The check-in whose review an incident is about, and which is still missing; 0: none. */
static int64_t missing_review(struct sim *sim, int64_t incident)
{
    static const char sql[] =
        "SELECT c.id FROM incident i JOIN checkin c ON c.id = i.checkin_id WHERE i.id = ?1 AND "
        "i.kind = 'review_overdue' AND c.state = 'awaiting_review'";
    sqlite3_stmt *statement = sim_ask(sim, sql);
    int64_t checkin = 0;
    sqlite3_bind_int64(statement, 1, incident);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        checkin = sqlite3_column_int64(statement, 0);
    }
    sqlite3_reset(statement);
    return checkin;
}

/* The other side of a missed check-in, while it is open; 0: none. */
static int64_t other_side(struct sim *sim, int64_t incident)
{
    static const char sql[] =
        "SELECT b.id FROM incident a JOIN incident b ON b.checkin_id = a.checkin_id AND b.state <> "
        "'closed' WHERE a.id = ?1 AND (a.kind = 'safety') + (b.kind = 'safety') = 1 AND "
        "'no_contact' IN (a.kind, b.kind)";
    sqlite3_stmt *statement = sim_ask(sim, sql);
    int64_t other = 0;
    sqlite3_bind_int64(statement, 1, incident);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        other = sqlite3_column_int64(statement, 0);
    }
    sqlite3_reset(statement);
    return other;
}

void sim_conclude(struct sim *sim, const struct sim_event *event)
{
    const struct ck_actor actor = sim_staff(sim, (int)event->c, event->b);
    int64_t other = other_side(sim, event->a);
    int64_t checkin = missing_review(sim, event->a);
    if (checkin != 0) { /* nothing else ends it */
        sim_submit(sim, "checkin.review", &actor,
                   json_pack("{s:I, s:s, s:s}", "checkin", (json_int_t)checkin, "decision",
                             sim_visit(sim, checkin)->doubtful ? "doubt" : "accept", "note",
                             "looked"),
                   0);
    }
    const char *word = sim_chance(sim, 20)   ? "breach"
                       : sim_chance(sim, 50) ? "excused"
                                             : "no_action";
    /* A breach may be refused; then it is no action, and a safety check has words of its own.
     * Whoever comes second is refused as well. */
    const char *const words[] = {word, "no_action", "safe"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        sim_submit(sim, "incident.conclude", &actor,
                   json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)event->a, "conclusion",
                             words[i], "reason", "looked into"),
                   0);
    }
    if (other != 0 && sim_chance(sim, 20)) { /* is told that somebody else has to */
        sim->seen[SEEN_ONE_OFFICER]++;
        sim_submit(sim, "incident.conclude", &actor,
                   json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)other, "conclusion",
                             "excused", "reason", "the same"),
                   0);
    }
}

/* A digest leads to the list of incidents: they take over what it tells of, and what it is about.
 */
void sim_read_digest(struct sim *sim, const struct sim_event *event)
{
    static const char sql[] = "SELECT incident_id FROM digest_item WHERE notice_id = ?1 UNION "
                              "SELECT incident_id FROM notice WHERE id = ?1";
    sqlite3_stmt *statement = sim_ask(sim, sql);
    sqlite3_bind_int64(statement, 1, event->a);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        sim_later(sim, sim_seconds(sim, 10, 300), EVENT_ACKNOWLEDGE,
                  sqlite3_column_int64(statement, 0), event->b, event->c);
    }
    sqlite3_reset(statement);
}

void sim_release(struct sim *sim)
{
    const struct ck_actor actor = ck_actor_system();
    static const char sql[] = "SELECT kind, row_id FROM quarantine WHERE freed_at IS NULL";
    sqlite3_stmt *statement = sim_ask(sim, sql);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        if (sim_chance(sim, sim->calm ? 100 : 30)) {
            sim_submit(sim, "quarantine.release", &actor,
                       json_pack("{s:s, s:I}", "kind",
                                 (const char *)sqlite3_column_text(statement, 0), "id",
                                 (json_int_t)sqlite3_column_int64(statement, 1)),
                       0);
        }
    }
    sqlite3_reset(statement);
}

/* ---- what befalls a caseload ---- */

void sim_date(const struct sim *sim, int64_t days, char text[SIM_DATE_SIZE])
{
    char instant[CK_WALL_TEXT_SIZE];
    ck_wall_text((struct ck_wall){sim->start_ms + days * SIM_DAY_MS}, instant);
    snprintf(text, SIM_DATE_SIZE, "%.10s", instant);
}

/* A date near now; the zone of the unit may already have the next one. */
static void date_text(const struct sim *sim, int64_t in_ms, char text[SIM_DATE_SIZE])
{
    sim_date(sim, (sim->now_ms + in_ms - sim->start_ms) / SIM_DAY_MS, text);
}

static void end_order(struct sim *sim, const struct sim_person *person)
{
    char date[SIM_DATE_SIZE];
    const struct ck_actor actor = sim_staff(sim, person->unit_index, person->inspector);
    date_text(sim, sim_chance(sim, 50) ? -SIM_DAY_MS : 0, date);
    sim_submit(sim, "order.end", &actor,
               json_pack("{s:I, s:s, s:s}", "order", (json_int_t)person->order, "date", date,
                         "reason", "ended by the court"),
               0);
}

/* Some leave is entered when it has begun. */
static void leave(struct sim *sim, int64_t index)
{
    char from[SIM_DATE_SIZE], until[SIM_DATE_SIZE];
    const struct sim_person *person = &sim->people[index];
    const struct ck_actor actor =
        sim_staff(sim, person->unit_index, sim->supervisors[person->unit_index]);
    if (sim->absent_until_ms[person->inspector] != 0) {
        return; /* once */
    }
    date_text(sim, sim_chance(sim, 30) ? -SIM_DAY_MS : 0, from);
    date_text(sim, 2 * SIM_DAY_MS, until);
    snprintf(from + strlen(from), sizeof(from) - strlen(from), "T08:00");
    snprintf(until + strlen(until), sizeof(until) - strlen(until), "T20:00");
    if (sim_submit(sim, "absence.create", &actor,
                   json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)person->inspector, "from",
                             from, "until", until, "reason", "leave"),
                   SIM_TICKET(TICKET_ABSENCE, index))) {
        sim->absent_until_ms[person->inspector] = sim->now_ms + 2 * SIM_DAY_MS;
    }
}

void sim_absence_made(struct sim *sim, int64_t person, const struct ck_result *result)
{
    if (result->code == 0 && sim_chance(sim, 50)) {
        sim_later(sim, sim_seconds(sim, 600, 60000), EVENT_ABSENCE_END, person,
                  json_integer_value(json_object_get(result->body, "absence")), 0);
    }
}

static void take_back(struct sim *sim, const struct sim_person *person, int64_t absence)
{
    const struct ck_actor actor =
        sim_staff(sim, person->unit_index, sim->supervisors[person->unit_index]);
    if (sim_submit(sim, "absence.remove", &actor,
                   json_pack("{s:I}", "absence", (json_int_t)absence), 0)) {
        sim->absent_until_ms[person->inspector] = sim->now_ms;
    }
}

/* From some hours ago, or in some hours; past: since yesterday. */
static void black_out(struct sim *sim, int64_t index, bool past)
{
    static const char *const sources[] = {"court", "hospital", "custody"};
    const struct sim_person *person = &sim->people[index];
    const struct ck_actor actor = sim_staff(sim, person->unit_index, person->inspector);
    char from[CK_WALL_TEXT_SIZE], until[CK_WALL_TEXT_SIZE];
    int64_t wall_ms = sim->now_ms + sim->clock_offset_ms;
    int64_t from_ms = wall_ms + (past ? -24 : sim_below(sim, 54) - 36) * SIM_HOUR_MS;
    int64_t until_ms = wall_ms + (12 + sim_below(sim, 36)) * SIM_HOUR_MS;
    ck_wall_text((struct ck_wall){from_ms}, from);
    ck_wall_text((struct ck_wall){until_ms}, until);
    sim_submit(sim, "blackout.create", &actor,
               json_pack("{s:I, s:s, s:s, s:s, s:s}", "person", (json_int_t)person->id, "source",
                         sources[sim_below(sim, 3)], "from", from, "until", until, "reason",
                         "the hospital has called"),
               SIM_TICKET(TICKET_BLACKOUT, index));
}

void sim_blackout_made(struct sim *sim, int64_t person, const struct ck_result *result)
{
    if (result->code == 0 && sim_chance(sim, 30)) {
        sim_later(sim, sim_seconds(sim, 3600, 72000), EVENT_BLACKOUT_END, person,
                  json_integer_value(json_object_get(result->body, "blackout")), 0);
    }
}

void sim_change_caseload(struct sim *sim, const struct sim_event *event)
{
    const struct sim_person *person = &sim->people[event->a];
    const struct ck_actor actor = sim_staff(sim, person->unit_index, person->inspector);
    switch (event->kind) {
    case EVENT_ORDER_END:
        end_order(sim, person);
        break;
    case EVENT_ON_DEMAND:
        sim_submit(sim, "checkin.on_demand", &actor,
                   json_pack("{s:I, s:s, s:s}", "person", (json_int_t)person->id, "reason",
                             "a neighbour has called", "kind", "live"),
                   0);
        break;
    case EVENT_ABSENCE_END:
        take_back(sim, person, event->b);
        break;
    case EVENT_BLACKOUT:
        black_out(sim, event->a, event->b != 0);
        break;
    case EVENT_BLACKOUT_END:
        sim_submit(
            sim, "blackout.end", &actor,
            json_pack("{s:I, s:s}", "blackout", (json_int_t)event->b, "reason", "out of hospital"),
            0);
        break;
    default:
        leave(sim, event->a);
        break;
    }
}
