/* Ladders that two supervisors agree on: the check before a proposal is kept, and what an approval
 * carries out. {request: {band, ladder, apply_open}} */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/ladder_request.h"
#include "daemon/core/live_impl.h"
#include "daemon/store/ladder.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define APPLIED_MAX 500 /* open incidents that one new ladder is laid under */

struct wanted {
    int64_t unit, proposer;
    const char *band;
    bool apply_open;
    struct ck_ladder ladder;
};

/* Everybody whom it names must be there, or the name stands for nobody. */
static int check_named(struct ck_turn *turn, const struct wanted *wanted,
                       struct ck_refusal *refusal)
{
    for (uint32_t s = 0; s < wanted->ladder.step_count; s++) {
        const struct ck_ladder_step *step = &wanted->ladder.steps[s];
        for (uint32_t t = 0; t < step->target_count; t++) {
            struct ck_recipient person;
            if (step->targets[t].kind != CK_TARGET_NAMED) {
                continue;
            }
            int r = ck_recipient_load(turn->store, step->targets[t].staff, &person);
            bool fits = r == 0 && !person.disabled && person.unit == wanted->unit &&
                        (person.roles & (CK_ROLE_OFFICER | CK_ROLE_SUPERVISOR)) != 0;
            if (r == CK_E_NOT_FOUND || (r == 0 && !fits)) {
                return ck_refuse(refusal, CK_E_INVALID, "steps",
                                 "a named person must be an officer or supervisor of the unit");
            }
            if (r != 0) {
                return r;
            }
        }
    }
    return 0;
}

static int read_wanted(struct ck_turn *turn, const json_t *body, struct wanted *wanted,
                       struct ck_refusal *refusal)
{
    const json_t *request = json_object_get(body, "request");
    int band = 0;
    *wanted = (struct wanted){
        .unit = json_integer_value(json_object_get(body, "unit")),
        .proposer = json_integer_value(json_object_get(body, "proposer")),
    };
    int r = ck_body_word(request, "band", ck_ladder_bands, &band, refusal);
    r = r == 0 ? ck_body_flag(request, "apply_open", &wanted->apply_open, refusal) : r;
    r = r == 0
            ? ck_ladder_request_read(json_object_get(request, "ladder"), &wanted->ladder, refusal)
            : r;
    wanted->band = ck_ladder_bands[band];
    return r == 0 ? check_named(turn, wanted, refusal) : r;
}

/* A ladder that never reaches anybody is refused; what else is to be said is shown (ladder.check),
 * not decided here. */
static int check_reach(struct ck_turn *turn, const struct wanted *wanted,
                       struct ck_refusal *refusal)
{
    struct ck_reach reach = ck_turn_reach(turn, wanted->unit, 0);
    bool anybody = false;
    int r = ck_reach_anybody(&reach, &wanted->ladder, turn->now.wall, &anybody);
    return r == 0 && !anybody ? ck_refuse(refusal, CK_E_INVALID, "steps", "it reaches nobody") : r;
}

static int proposed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    (void)actor;
    (void)result;
    struct wanted wanted;
    int r = read_wanted(turn, body, &wanted, refusal);
    return r == 0 ? check_reach(turn, &wanted, refusal) : r;
}

/* What it waits for is over as early as the new ladder says: never later than by the old one. */
static struct ck_wall sooner(const struct ck_incident *step, const struct ck_ladder *ladder,
                             struct ck_wall now)
{
    struct ck_wall end = step->next_at;
    if (step->held_until.ms != 0) {
        end = now;
    } else if (step->state == CK_INCIDENT_ACKNOWLEDGED) {
        end = ck_wall_add_ms(step->acked_at, ladder->ack_hold_ms);
    } else if (step->state == CK_INCIDENT_OPEN && step->fired > 0 && !step->calm) {
        end = ck_wall_add_ms(step->fired_at, ladder->steps[step->fired_step].ack_timeout_ms);
    }
    return ck_wall_before(end, step->next_at) ? end : step->next_at;
}

/* Lays it under an incident that is open: it goes on at the step where it stood, or at the last. */
static int apply_to(struct ck_turn *turn, const struct ck_actor *actor, int64_t id, int64_t policy,
                    const struct ck_ladder *ladder)
{
    struct ck_incident_row row;
    int r = ck_incident_load(turn->store, id, &row);
    if (r != 0) {
        return r;
    }
    uint32_t last = ladder->step_count - 1;
    row.step.step = row.step.step > last ? last : row.step.step;
    row.step.fired_step = row.step.fired_step > last ? last : row.step.fired_step;
    row.step.lost = 0;
    row.step.next_at = sooner(&row.step, ladder, turn->now.wall);
    row.policy = policy;
    row.steps = ladder->step_count;
    r = ck_incident_save_policy(turn->store, &row);
    r = r == 0 ? ck_incident_save(turn->store, &row) : r;
    r = r == 0 ? ck_incident_line(turn->store, id, turn->now.wall, "ladder_changed",
                                  actor->staff_id, 0, NULL)
               : r;
    return r == 0 ? ck_record_incident(turn, actor, &row, "INCIDENT_LADDER_CHANGED",
                                       json_pack("{s:I}", "policy", (json_int_t)policy))
                  : r;
}

static int apply_open(struct ck_turn *turn, const struct ck_actor *actor,
                      const struct wanted *wanted, int64_t policy, struct ck_refusal *refusal)
{
    int64_t ids[APPLIED_MAX];
    size_t count = 0;
    int r = strcmp(wanted->band, "safety") == 0
                ? ck_incidents_restricted(turn->store, wanted->unit, ids, APPLIED_MAX, &count)
                : ck_incidents_of_band(turn->store, wanted->unit, ck_band_of(wanted->band), ids,
                                       APPLIED_MAX, &count);
    if (r == 0 && count == APPLIED_MAX) {
        return ck_refuse(refusal, CK_E_LIMIT, "apply_open", "%d incidents are open", APPLIED_MAX);
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = apply_to(turn, actor, ids[i], policy, &wanted->ladder);
    }
    return r;
}

static int approved(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    struct wanted wanted;
    int64_t policy = 0, version = 0;
    int r = read_wanted(turn, body, &wanted, refusal);
    r = r == 0 ? check_reach(turn, &wanted, refusal) : r;
    if (r != 0) {
        return r;
    }
    ck_cleanup(ck_freep) char *text = ck_ladder_text(&wanted.ladder);
    r = text == NULL ? -ENOMEM : ck_policy_of(turn, "ladder", text, &policy);
    r = r == 0 ? ck_ladder_insert(turn->store,
                                  &(struct ck_ladder_row){.unit = wanted.unit,
                                                          .band = wanted.band,
                                                          .policy = policy,
                                                          .by = wanted.proposer,
                                                          .approved_by = actor->staff_id},
                                  turn->now.wall, &version)
               : r;
    r = r == 0 ? ck_turn_audit(
                     turn, actor,
                     &(struct ck_record){
                         .action = "LADDER_IN_FORCE",
                         .object = "ladder",
                         .object_id = version,
                         .open = json_pack("{s:s, s:I, s:I, s:s, s:b}", "band", wanted.band, "unit",
                                           (json_int_t)wanted.unit, "policy", (json_int_t)policy,
                                           "ladder", text, "apply_open", (int)wanted.apply_open),
                         .sealed = json_pack("{s:I}", "proposer", (json_int_t)wanted.proposer)})
               : r;
    r = r == 0 && wanted.apply_open ? apply_open(turn, actor, &wanted, policy, refusal) : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "ladder", (json_int_t)version);
    }
    return r;
}

const struct ck_handler_entry ck_ladder_handlers[] = {
    {"proposed.ladder", proposed},
    {"approved.ladder", approved},
};
const size_t ck_ladder_handler_count = sizeof ck_ladder_handlers / sizeof ck_ladder_handlers[0];
