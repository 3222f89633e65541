/* Ladders: how they are changed while incidents climb them, and that none is forgotten. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "scheduler/incident.h"
#include "tests/sim/sim.h"

/* ---- two agree on another one ---- */

static json_t *step(const char *target, const char *second, json_t *channels, bool parallel,
                    int timeout_s, int rounds)
{
    json_t *targets = json_pack("[{s:s}]", "kind", target);
    if (second != NULL) {
        json_array_append_new(targets, json_pack("{s:s}", "kind", second));
    }
    return json_pack("{s:o, s:o, s:b, s:i, s:i, s:i}", "targets", targets, "channels", channels,
                     "parallel", (int)parallel, "ack_timeout_s", timeout_s, "rounds", rounds,
                     "min_interval_s", 60);
}

static json_t *all_channels(void)
{
    return json_pack("[s, s]", "console", "email");
}

/* First a machine, then what rings loudest. */
static json_t *in_order(void)
{
    return json_pack("[s, s, s, s]", "webhook", "console", "sms", "email");
}

static json_t *ladder(json_t *steps, int hold_s)
{
    return json_pack("{s:o, s:i, s:b, s:i}", "steps", steps, "ack_hold_s", hold_s,
                     "late_answer_calms", 1, "calm_interval_s", 43200);
}

static json_t *quick_ladder(void)
{
    return ladder(json_pack("[o, o]", step("inspector", "stand_in", all_channels(), true, 300, 1),
                            step("supervisor", "duty", all_channels(), true, 300, 1)),
                  900);
}

static json_t *slow_ladder(void)
{
    return ladder(json_pack("[o, o, o, o]",
                            step("inspector", "stand_in", all_channels(), true, 3600, 1),
                            step("stand_in", NULL, all_channels(), true, 1800, 1),
                            step("duty", NULL, all_channels(), true, 7200, 2),
                            step("supervisor", "duty", all_channels(), true, 10800, 1)),
                  7200);
}

static json_t *ordered_ladder(void)
{
    return ladder(json_pack("[o, o, o]", step("inspector", "stand_in", in_order(), false, 900, 1),
                            step("duty", NULL, in_order(), false, 900, 2),
                            step("supervisor", "duty", in_order(), false, 900, 1)),
                  1800);
}

bool sim_is_quiet_hour(int64_t second)
{
    return second < SIM_QUIET_UNTIL_H * 3600 || second >= SIM_QUIET_FROM_H * 3600;
}

void sim_propose_ladder(struct sim *sim, int unit)
{
    static const char *const bands[] = {"low", "medium", "high", "top", "safety"};
    const char *band = bands[sim_below(sim, 5)];
    const struct ck_actor actor = sim_staff(sim, unit, sim->supervisors[unit]);
    int64_t draw = sim_below(sim, 100);
    json_t *wanted = sim_has_phones(unit) && draw < 60 ? ordered_ladder()
                     : draw < 80                       ? slow_ladder()
                                                       : quick_ladder();
    /* Every second one waits by night with what may wait. */
    json_object_set_new(wanted, "quiet_hours", json_boolean(draw % 2 == 0));
    sim_submit(sim, "approval.propose", &actor,
               json_pack("{s:s, s:s, s:{s:s, s:o, s:b}}", "kind", "ladder", "reason",
                         "nights are different", "request", "band", band, "ladder", wanted,
                         "apply_open", (int)sim_chance(sim, 70)),
               SIM_TICKET(TICKET_LADDER, unit));
}

/* The only supervisor of a unit asks one of another. */
void sim_ladder_proposed(struct sim *sim, int64_t unit, const struct ck_result *result)
{
    int other = ((int)unit + 1) % SIM_UNITS;
    const struct ck_actor actor = sim_staff(sim, other, sim->supervisors[other]);
    if (result->code == 0) {
        sim_submit(sim, "approval.decide", &actor,
                   json_pack("{s:O, s:b, s:s}", "approval", json_object_get(result->body, "id"),
                             "approve", 1, "reason", "so it is"),
                   0);
    }
}

/* ---- none is forgotten ---- */

/* What an incident may need beyond a pause of its ladder: turns that fail, a disk that stalls. */
#define SLACK_MS 1100000

static void *grow(void *items, size_t *count, size_t wanted, size_t size)
{
    if (wanted >= *count) {
        size_t more = wanted + 256;
        items = realloc(items, more * size);
        if (items == NULL) {
            abort();
        }
        memset((char *)items + *count * size, 0, (more - *count) * size);
        *count = more;
    }
    return items;
}

/* The longest pause of a ladder, and how long an acknowledgement holds: read from its text. */
static const struct sim_limit *limit_of(struct sim *sim, int64_t policy)
{
    static const char sql[] =
        "SELECT json_extract(p.body, '$.ack_hold_ms'), (SELECT max(max(json_extract(s.value, "
        "'$.ack_timeout_ms'), json_extract(s.value, '$.min_interval_ms'))) FROM "
        "json_each(p.body, '$.steps') s), json_extract(p.body, '$.quiet_hours') FROM policy p "
        "WHERE p.id = ?1";
    sim->limits = grow(sim->limits, &sim->limit_count, (size_t)policy, sizeof(*sim->limits));
    struct sim_limit *limit = &sim->limits[policy];
    if (limit->known) {
        return limit;
    }
    sqlite3_stmt *statement = sim_ask(sim, sql);
    sqlite3_bind_int64(statement, 1, policy);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        *limit = (struct sim_limit){.known = true,
                                    .quiet = sqlite3_column_int(statement, 2) != 0,
                                    .held_ms = sqlite3_column_int64(statement, 0),
                                    .open_ms = sqlite3_column_int64(statement, 1)};
    }
    sqlite3_reset(statement);
    return limit;
}

/* Time so far that was no quiet hour of the unit, as the daemon's clock has it. */
static void count_days(struct sim *sim)
{
    int64_t since_ms = sim->now_ms - sim->watched_ms;
    for (int unit = 0; unit < SIM_UNITS; unit++) {
        int64_t at_ms = sim->now_ms + sim->clock_offset_ms;
        int64_t second = (at_ms / 1000 + sim_zone_offset(sim, unit, at_ms)) % 86400;
        int64_t day_ms = (second - SIM_QUIET_UNTIL_H * INT64_C(3600)) * 1000;
        if (!sim_is_quiet_hour(second)) {
            sim->day_ms[unit] += day_ms < since_ms ? day_ms : since_ms;
        }
    }
    sim->watched_ms = sim->now_ms;
}

/* For how long nothing has been added to its history, by the world's own time; without the quiet
 * hours of its unit, where it waits for their end. */
static int64_t quiet_ms(struct sim *sim, int64_t incident, int64_t line, int unit, bool waits)
{
    sim->quiet = grow(sim->quiet, &sim->quiet_count, (size_t)incident, sizeof(*sim->quiet));
    struct sim_quiet *quiet = &sim->quiet[incident];
    if (quiet->line != line) {
        *quiet = (struct sim_quiet){
            .line = line, .since_ms = sim->now_ms, .since_day_ms = sim->day_ms[unit]};
    }
    return waits ? sim->day_ms[unit] - quiet->since_day_ms : sim->now_ms - quiet->since_ms;
}

/* Calm ones, whose person was reached after all, wait by days; repeats about an overdue review by
 * hours. What is grave, or was taken over, waits for no morning. */
void sim_watch_ladders(struct sim *sim)
{
    static const char sql[] =
        "SELECT i.checkin_id, i.id, i.state = 'open', i.kind = 'review_overdue', i.policy_id, "
        "(SELECT max(l.id) FROM incident_line l WHERE l.incident_id = i.id AND l.what <> "
        "'notice_delayed'), i.severity IN ('low', 'normal'), i.unit_id FROM incident i WHERE "
        "i.state <> 'closed' AND i.quarantined = 0 AND "
        "ifnull(json_extract(i.machine, '$.calm'), 0) = 0";
    bool well = sim_ours_well(sim);
    sqlite3_stmt *statement = sim_ask(sim, sql);
    count_days(sim);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int64_t incident = sqlite3_column_int64(statement, 1);
        const struct sim_limit *limit = limit_of(sim, sqlite3_column_int64(statement, 4));
        bool open = sqlite3_column_int(statement, 2) != 0;
        bool waits = limit->quiet && open && sqlite3_column_int(statement, 6) != 0;
        int unit = sim_unit_of(sim, sqlite3_column_int64(statement, 7), 0);
        int64_t limit_ms = open ? limit->open_ms : limit->held_ms;
        if (sqlite3_column_int(statement, 3) != 0 && limit_ms < CK_REVIEW_REPEAT_MAX_MS) {
            limit_ms = CK_REVIEW_REPEAT_MAX_MS;
        }
        limit_ms += SLACK_MS;
        int64_t line = sqlite3_column_int64(statement, 5);
        if (quiet_ms(sim, incident, line, unit, waits) > limit_ms && well &&
            sim->now_ms - sim->well_since_ms > limit_ms) {
            sim_wrong(sim,
                      (struct sim_about){.checkin = sqlite3_column_int64(statement, 0),
                                         .incident = incident},
                      "incident %lld is silent for longer than its ladder says",
                      (long long)incident);
        }
    }
    sqlite3_reset(statement);
}
