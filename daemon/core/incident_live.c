/* Incidents: opening, stepping and carrying out what the ladder wants. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/band_live.h"
#include "daemon/core/confidence.h"
#include "daemon/core/live_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

/* ---- ladders ---- */

int ck_ladder_of(struct ck_turn *turn, int64_t policy, struct ck_ladder *ladder)
{
    struct ck_engine *engine = turn->engine;
    size_t slot = (size_t)policy % CK_POLICY_CACHE_SIZE;
    if (engine->ladders[slot].id != policy) {
        ck_cleanup(ck_freep) char *body = NULL;
        int r = ck_policy_body(turn->store, policy, &body);
        if (r == 0) {
            r = ck_ladder_parse(body, policy, &engine->ladders[slot].ladder);
        }
        if (r != 0) {
            return r;
        }
        engine->ladders[slot].id = policy;
    }
    *ladder = engine->ladders[slot].ladder;
    return 0;
}

/* The ladder in force for a unit and the incident's own band, whatever the person's has become
 * since; that of the house rules where none is set. Restricted kinds have one of their own. */
static int ladder_for(struct ck_turn *turn, int64_t unit, enum ck_band band,
                      enum ck_incident_kind kind, int64_t *policy)
{
    const char *row = ck_is_restricted(kind) ? "safety" : ck_band_class(band);
    int r = ck_ladder_in_force(turn->store, unit, row, policy);
    if (r != CK_E_NOT_FOUND) {
        return r;
    }
    const struct ck_ladder ladder = ck_is_restricted(kind)
                                        ? ck_house_safety_ladder(&turn->engine->rules)
                                        : ck_house_ladder(&turn->engine->rules, band);
    ck_cleanup(ck_freep) char *text = ck_ladder_text(&ladder);
    return text == NULL ? -ENOMEM : ck_policy_of(turn, "ladder", text, policy);
}

struct ck_reach ck_turn_reach(struct ck_turn *turn, int64_t unit, int64_t inspector)
{
    const struct ck_engine *engine = turn->engine;
    uint32_t channels = engine->options.channels | CK_CHANNEL_BIT(CK_CHANNEL_CONSOLE);
    return (struct ck_reach){
        .store = turn->store,
        .zones = engine->zones,
        .channels = engine->options.webhook_count == 0
                        ? channels
                        : channels | CK_CHANNEL_BIT(CK_CHANNEL_WEBHOOK),
        .unit = unit,
        .inspector = inspector,
    };
}

int ck_incident_beside(struct ck_turn *turn, const struct ck_incident *row, int64_t *staff)
{
    struct ck_incident_row other;
    int64_t id = 0;
    *staff = 0;
    if (row->checkin == 0 ||
        (!ck_is_restricted(row->kind) && row->kind != CK_INCIDENT_NO_CONTACT)) {
        return 0;
    }
    enum ck_incident_kind kind =
        row->kind == CK_INCIDENT_NO_CONTACT ? CK_INCIDENT_SAFETY : CK_INCIDENT_NO_CONTACT;
    int r = ck_incident_of_checkin(turn->store, row->checkin, kind, &id);
    r = r == 0 ? ck_incident_load(turn->store, id, &other) : r;
    if (r == 0 && other.step.state == CK_INCIDENT_ACKNOWLEDGED) {
        *staff = other.step.acked_by;
    } else if (r == 0 && other.step.state == CK_INCIDENT_CLOSED) {
        *staff = other.step.concluded_by;
    }
    return r == CK_E_NOT_FOUND ? 0 : r;
}

int ck_ladder_resolve(struct ck_turn *turn, const struct ck_incident_row *row,
                      const struct ck_ladder *ladder, struct ck_ladder_roster *roster)
{
    struct ck_reach reach = ck_turn_reach(turn, row->unit, row->inspector);
    int r = row->step.checkin == 0 ? 0 : ck_incident_beside(turn, &row->step, &reach.but);
    return r == 0 ? ck_reach_resolve(&reach, ladder, turn->now.wall, roster) : r;
}

/* ---- opening ---- */

static int tell(struct ck_turn *turn, const struct ck_incident_row *row)
{
    const struct ck_output output = {
        .kind = CK_OUTPUT_INCIDENT,
        .id = row->step.id,
        .unit_id = row->unit,
        .staff_id = row->inspector,
        .person_id = row->step.person,
        .checkin_id = row->step.checkin,
        .incident_id = row->step.id,
    };
    int r = ck_turn_output(turn, &output);
    if (r == 0) {
        struct ck_output today = output;
        today.kind = CK_OUTPUT_TODAY;
        r = ck_turn_output(turn, &today);
    }
    return r;
}

int ck_incident_open(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct ck_incident_opening *opening)
{
    const struct ck_checkin_row *checkin = opening->checkin;
    struct ck_subject subject = {.band = "low", .unit = opening->unit};
    struct ck_ladder ladder;
    int r = 0;
    if (opening->person != 0) {
        r = ck_subject_load(turn->store, opening->person, &subject);
    }
    struct ck_incident_row row = {
        .step = {.checkin = checkin == NULL ? 0 : checkin->step.id,
                 .person = opening->person,
                 .band = checkin == NULL ? ck_band_of(subject.band) : checkin->step.band,
                 .mandatory = checkin != NULL && checkin->step.mandatory},
        .unit = opening->unit,
        .inspector = checkin == NULL ? subject.inspector : checkin->step.inspector,
    };
    snprintf(row.cause, sizeof row.cause, "%s", opening->cause == NULL ? "" : opening->cause);
    if (r == 0) {
        r = ladder_for(turn, opening->unit, row.step.band, opening->effect.kind, &row.policy);
    }
    if (r == 0) {
        r = ck_ladder_of(turn, row.policy, &ladder);
    }
    if (r != 0) {
        return r;
    }
    ck_incident_begin(&row.step, &opening->effect, turn->now.wall);
    row.steps = ladder.step_count;
    r = ck_incident_insert(turn->store, &row);
    if (r == 0) {
        r = ck_incident_line(turn->store, row.step.id, turn->now.wall, "opened", 0, 0,
                             opening->cause);
    }
    if (r == 0) {
        r = ck_record_incident(
            turn, actor, &row, "INCIDENT_OPENED",
            json_pack("{s:s, s:I, s:s, s:s, s:s, s:I}", "kind",
                      ck_incident_kind_name(row.step.kind), "checkin",
                      (json_int_t)(ck_is_restricted(row.step.kind) ? 0 : row.step.checkin),
                      "finding", ck_outcome_name(opening->effect.finding), "cause",
                      ck_cause_name(opening->effect.cause), "severity",
                      ck_severity_name(row.step.severity), "policy", (json_int_t)row.policy));
    }
    bool storm = false;
    r = r == 0 ? tell(turn, &row) : r;
    if (r == 0 && opening->id != NULL) {
        *opening->id = row.step.id;
    }
    return r == 0 && row.step.kind != CK_INCIDENT_SYSTEM ? ck_storm_look(turn, &storm) : r;
}

/* ---- effects ---- */

static json_t *fact_members(enum ck_fact fact, int64_t value)
{
    switch (fact) {
    case CK_FACT_STEP_FIRED:
        return json_pack("{s:I, s:I}", "step", (json_int_t)(value >> 32), "fire",
                         (json_int_t)(value & UINT32_MAX));
    case CK_FACT_OUTCOME_KNOWN:
        return json_pack("{s:s}", "outcome", ck_outcome_name((enum ck_outcome)value));
    case CK_FACT_CONCLUDED:
        return json_pack("{s:s}", "conclusion", ck_conclusion_name((enum ck_conclusion)value));
    case CK_FACT_REACHED:
        return json_pack("{s:I}", "checkin", (json_int_t)value);
    case CK_FACT_BANDED:
        return json_pack("{s:s}", "band", ck_band_name((enum ck_band)value));
    case CK_FACT_ACKNOWLEDGED:
    case CK_FACT_ACK_EXPIRED:
    case CK_FACT_ACK_RELEASED:
    case CK_FACT_ESCALATED_BY_HAND:
    case CK_FACT_SILENT_AGAIN:
    case CK_FACT_NOTE:
        return NULL; /* the value is a member of staff, who is the actor or is told sealed */
    default:
        return json_pack("{s:I}", "value", (json_int_t)value);
    }
}

static bool names_staff(enum ck_fact fact)
{
    return fact == CK_FACT_ACKNOWLEDGED || fact == CK_FACT_ACK_EXPIRED ||
           fact == CK_FACT_ACK_RELEASED || fact == CK_FACT_ESCALATED_BY_HAND ||
           fact == CK_FACT_NOTE;
}

/* The words of a line about the fact; NULL: it has none. */
static const char *fact_text(enum ck_fact fact, int64_t value, char until[CK_WALL_TEXT_SIZE])
{
    if (fact == CK_FACT_HELD) {
        ck_wall_text((struct ck_wall){value}, until);
        return until;
    }
    return fact == CK_FACT_OUTCOME_KNOWN ? ck_outcome_name((enum ck_outcome)value) : NULL;
}

static int record_fact(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_incident_row *row, enum ck_fact fact, int64_t value)
{
    char action[64], until[CK_WALL_TEXT_SIZE];
    ck_action_name("incident_", ck_fact_name(fact), action);
    int r = ck_turn_audit(
        turn, actor,
        &(struct ck_record){
            .action = action,
            .object = "incident",
            .object_id = row->step.id,
            .person_id = row->step.person,
            .open = fact_members(fact, value),
            .sealed = names_staff(fact) ? json_pack("{s:I}", "staff", (json_int_t)value) : NULL,
        });
    /* Requests of people write lines of their own, with their words. */
    if (r == 0 && actor->kind != CK_ACTOR_STAFF) {
        r = ck_incident_line(turn->store, row->step.id, turn->now.wall, ck_fact_name(fact),
                             names_staff(fact) ? value : 0, 0, fact_text(fact, value, until));
    }
    return r;
}

/* Nobody at all can be reached: every console of the unit and the duty roster, whatever the shifts
 * say. The ladder comes here again until somebody takes the incident over. */
static int alarm_all(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct ck_incident_row *row)
{
    char reference[32], path[48];
    snprintf(reference, sizeof reference, "INCIDENT-%" PRId64, row->step.id);
    snprintf(path, sizeof path, "/#/incidents/%" PRId64, row->step.id);
    int r = ck_record_incident(turn, actor, row, "INCIDENT_NOBODY_REACHED",
                               json_pack("{s:I}", "step", (json_int_t)row->step.step));
    r = r == 0 ? ck_incident_line(turn->store, row->step.id, turn->now.wall, "nobody_reached", 0, 0,
                                  NULL)
               : r;
    return r != 0
               ? r
               : ck_turn_output(turn, &(struct ck_output){
                                          .kind = CK_OUTPUT_NOBODY_REACHED,
                                          .id = row->step.id,
                                          .unit_id = row->unit,
                                          .incident_id = row->step.id,
                                          .body = json_pack("{s:s, s:s, s:o}", "reference",
                                                            reference, "path", path, "roster",
                                                            json_deep_copy(turn->engine->roster))});
}

/* Beside an incident whose person is in the top band only since. */
static int open_safety(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_incident_row *row, const struct ck_effect *effect)
{
    struct ck_checkin_row checkin;
    int r = ck_checkin_load(turn->store, row->step.checkin, &checkin);
    return r == 0 ? ck_incident_open(turn, actor,
                                     &(struct ck_incident_opening){.checkin = &checkin,
                                                                   .person = row->step.person,
                                                                   .unit = row->unit,
                                                                   .effect = effect->incident})
                  : r;
}

static int carry_out(struct ck_turn *turn, const struct ck_actor *actor,
                     struct ck_incident_row *row, const struct ck_effect *effect)
{
    switch (effect->kind) {
    case CK_EFFECT_NOTIFY:
        return ck_notice_staff(turn,
                               &(struct ck_notice_about){.incident = row->step.id,
                                                         .checkin = row->step.checkin,
                                                         .unit = row->unit,
                                                         .person = row->step.person},
                               &effect->notify);
    case CK_EFFECT_STAFF_FAULT:
        return ck_turn_audit(
            turn, actor,
            &(struct ck_record){
                .action = "STAFF_FAULT",
                .object = "incident",
                .object_id = row->step.id,
                .person_id = row->step.person,
                .open = json_pack("{s:s, s:I}", "cause", ck_cause_name(effect->staff_fault.cause),
                                  "step", (json_int_t)effect->staff_fault.step),
                .sealed = effect->staff_fault.staff == 0
                              ? NULL
                              : json_pack("{s:I}", "staff", (json_int_t)effect->staff_fault.staff),
            });
    case CK_EFFECT_OPEN_SAFETY:
        return open_safety(turn, actor, row, effect);
    case CK_EFFECT_ALARM:
        return alarm_all(turn, actor, row);
    case CK_EFFECT_AUDIT:
        return record_fact(turn, actor, row, effect->audit.fact, effect->audit.value);
    default:
        return -EUCLEAN; /* not an effect of an incident */
    }
}

/* Whom the last fire reached first: what the pages show as next. */
static void keep_target(struct ck_incident_row *row, const struct ck_effects *effects)
{
    for (uint32_t i = 0; i < effects->count; i++) {
        if (effects->items[i].kind == CK_EFFECT_NOTIFY) {
            row->target = effects->items[i].notify.staff;
            return;
        }
    }
}

int ck_incident_feed(struct ck_turn *turn, const struct ck_actor *actor,
                     struct ck_incident_row *row, const struct ck_incident_event *event)
{
    struct ck_ladder ladder;
    struct ck_incident next;
    struct ck_effects effects = {.count = 0};
    int r = ck_ladder_of(turn, row->policy, &ladder);
    if (r == 0) {
        r = ck_incident_step(&row->step, event, &ladder, turn->now.wall, &next, &effects);
    }
    if (r != 0) {
        return r;
    }
    /* Both were copied whole, padding and all.
     * NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
    bool same = memcmp(&row->step, &next, sizeof next) == 0;
    row->step = next;
    keep_target(row, &effects);
    r = ck_incident_save(turn->store, row);
    for (uint32_t i = 0; r == 0 && i < effects.count; i++) {
        r = carry_out(turn, actor, row, &effects.items[i]);
    }
    return r == 0 && !(same && effects.count == 0) ? tell(turn, row) : r;
}

#define QUIET_FROM_S (22 * 3600) /* of the unit's day: no calls at home then (practice) … */
#define QUIET_UNTIL_S (8 * 3600) /* … until then */
#define DAY_S 86400

/* The end of the quiet hours that it is in, in the unit's zone; 0 in none. */
static int quiet_until(struct ck_turn *turn, int64_t unit, struct ck_wall *until)
{
    char name[CK_ZONE_NAME_SIZE];
    const struct ck_zone *zone = NULL;
    *until = (struct ck_wall){0};
    if (unit == 0) {
        return 0;
    }
    int r = ck_unit_zone(turn->store, unit, name);
    r = r == 0 ? ck_zones_find(turn->engine->zones, name, &zone) : r;
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    struct ck_local local = ck_zone_local(zone, turn->now.wall);
    if (local.second >= QUIET_FROM_S || local.second < QUIET_UNTIL_S) {
        local.second = local.second < QUIET_UNTIL_S ? QUIET_UNTIL_S : DAY_S + QUIET_UNTIL_S;
        *until = ck_zone_instant(zone, local, CK_ZONE_FIRST, NULL);
    }
    return 0;
}

int ck_incident_due(struct ck_turn *turn, const struct ck_due *due)
{
    struct ck_incident_row row;
    struct ck_ladder ladder;
    struct ck_ladder_roster roster;
    int r = ck_incident_load(turn->store, due->id, &row);
    if (r == 0 && row.fence != due->fence) {
        r = CK_E_FENCED;
    }
    if (r == 0) {
        r = ck_ladder_of(turn, row.policy, &ladder);
    }
    if (r == 0) {
        r = ck_ladder_resolve(turn, &row, &ladder, &roster);
    }
    if (r != 0) {
        return r;
    }
    struct ck_incident_event event = {.kind = CK_INCIDENT_TIMER, .roster = &roster};
    r = ck_storm_look(turn, &event.storm);
    r = r != 0 ? r : ladder.quiet_hours ? quiet_until(turn, row.unit, &event.quiet_until) : 0;
    const struct ck_actor actor = ck_actor_system();
    return r == 0 ? ck_incident_feed(turn, &actor, &row, &event) : r;
}

/* ---- matters of the system ---- */

int ck_quarantine(struct ck_turn *turn, const struct ck_due *due, const char *reason)
{
    const struct ck_actor actor = ck_actor_system();
    int64_t person = 0, unit = 0;
    int r = ck_store_quarantine(turn->store, due, turn->now.wall, reason);
    if (r == CK_E_FENCED) {
        return 0;
    }
    if (r == 0) {
        r = ck_due_owner(turn->store, due, &person, &unit);
    }
    if (r == 0) {
        r = ck_turn_audit(
            turn, &actor,
            &(struct ck_record){
                .action = "QUARANTINED",
                .object = ck_due_name(due->kind),
                .object_id = due->id,
                .person_id = person,
                .result = "failed",
                .open = json_pack("{s:s, s:i}", "reason", reason, "crashes", due->claims),
            });
    }
    if (r != 0) {
        return r;
    }
    char cause[64];
    snprintf(cause, sizeof cause, "%s %lld was taken aside", ck_due_name(due->kind),
             (long long)due->id);
    return ck_incident_open(turn, &actor,
                            &(struct ck_incident_opening){
                                .person = person,
                                .unit = unit,
                                .cause = cause,
                                .effect = {.kind = CK_INCIDENT_SYSTEM,
                                           .severity = CK_SEVERITY_HIGH,
                                           .first_step_at = turn->now.wall},
                            });
}

int ck_recovered(struct ck_turn *turn)
{
    if (!turn->engine->failing) {
        return 0;
    }
    char from[CK_WALL_TEXT_SIZE];
    const struct ck_now *since = &turn->engine->failing_since;
    ck_wall_text(since->wall, from);
    const struct ck_actor actor = ck_actor_system();
    int r = ck_turn_audit(turn, &actor,
                          &(struct ck_record){
                              .action = "STORE_FAILED",
                              .object = "system",
                              .result = "failed",
                              .open = json_pack("{s:s}", "from", from),
                          });
    if (r != 0) {
        return r;
    }
    int64_t lasted_ms = (turn->now.mono.us - since->mono.us) / 1000;
    return ck_turn_output(
        turn, &(struct ck_output){.kind = CK_OUTPUT_ALARM_OVER,
                                  .body = json_pack("{s:s, s:I}", "from", from, "lasted_ms",
                                                    (json_int_t)lasted_ms)});
}
