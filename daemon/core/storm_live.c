/* Many incidents at once: digests for those who are told, and a question to ourselves. */
#include <errno.h>
#include <stdio.h>

#include "daemon/core/live_impl.h"
#include "protocol/base/error.h"

#define FACTS_SIZE 256

/* What we know about ourselves at that moment goes into the incident: the common cause may be us.
 */
static int ask_ourselves(struct ck_turn *turn, const struct ck_effect_incident *effect,
                         const struct ck_storm_policy *policy, int64_t *question)
{
    const struct ck_actor actor = ck_actor_system();
    char facts[FACTS_SIZE];
    /* One for each storm: the one before may still be open. */
    int r =
        ck_incident_open(turn, &actor,
                         &(struct ck_incident_opening){
                             .cause = "many incidents at once", .effect = *effect, .id = question});
    r = r == 0 ? ck_storm_facts(turn->store, ck_wall_add_ms(turn->now.wall, -policy->window_ms),
                                facts, sizeof facts)
               : r;
    return r == 0 ? ck_incident_line(turn->store, *question, turn->now.wall, "storm_facts", 0, 0,
                                     facts)
                  : r;
}

static int record(struct ck_turn *turn, enum ck_fact fact, int64_t value)
{
    const struct ck_actor actor = ck_actor_system();
    char action[64];
    ck_action_name("", ck_fact_name(fact), action);
    return ck_turn_audit(
        turn, &actor,
        &(struct ck_record){.action = action,
                            .object = "system",
                            .open = json_pack("{s:I}", "value", (json_int_t)value)});
}

int ck_storm_look(struct ck_turn *turn, bool *on)
{
    const struct ck_storm_policy policy = turn->engine->rules.storm;
    struct ck_effects effects = {.count = 0};
    struct ck_storm storm, next;
    int64_t question = 0, opened = 0;
    if (policy.incidents == UINT32_MAX) {
        *on = false;
        return 0;
    }
    int r = ck_storm_load(turn->store, &storm, &question);
    r = r == 0 ? ck_incidents_since(turn->store, ck_wall_add_ms(turn->now.wall, -policy.window_ms),
                                    policy.incidents, &opened)
               : r;
    if (r != 0) {
        return r;
    }
    ck_storm_step(&storm, (uint32_t)opened, &policy, turn->now.wall, &next, &effects);
    *on = next.on;
    for (uint32_t i = 0; r == 0 && i < effects.count; i++) {
        const struct ck_effect *effect = &effects.items[i];
        r = effect->kind == CK_EFFECT_OPEN_INCIDENT
                ? ask_ourselves(turn, &effect->incident, &policy, &question)
                : record(turn, effect->audit.fact, effect->audit.value);
    }
    return r == 0 && effects.count > 0 ? ck_storm_save(turn->store, &next, next.on ? question : 0)
                                       : r;
}
