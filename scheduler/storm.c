#include "scheduler/storm.h"

#include "scheduler/effects_impl.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (MINUTE_MS * 60 * 24)

struct ck_storm_policy ck_storm_policy_default(void)
{
    return (struct ck_storm_policy){
        .incidents = 20, .window_ms = 10 * MINUTE_MS, .digest_ms = 5 * MINUTE_MS};
}

const char *ck_storm_policy_fault(const struct ck_storm_policy *policy)
{
    if (policy->incidents < 2) {
        return "incidents";
    }
    if (policy->window_ms < MINUTE_MS || policy->window_ms > DAY_MS) {
        return "window_ms";
    }
    if (policy->digest_ms < MINUTE_MS || policy->digest_ms > DAY_MS) {
        return "digest_ms";
    }
    return NULL;
}

void ck_storm_step(const struct ck_storm *row, uint32_t opened,
                   const struct ck_storm_policy *policy, struct ck_wall now, struct ck_storm *next,
                   struct ck_effects *effects)
{
    struct ck_storm turn = *row;
    struct ck_effects made = {.count = 0};
    if (!turn.on && opened >= policy->incidents) {
        turn = (struct ck_storm){.on = true, .since = now};
        ck_effects_audit(&made, CK_FACT_STORM, opened);
        ck_effects_add(&made, CK_EFFECT_OPEN_INCIDENT)->incident = (struct ck_effect_incident){
            .kind = CK_INCIDENT_SYSTEM,
            .severity = CK_SEVERITY_HIGH,
            .finding = CK_OUTCOME_OPEN,
            .first_step_at = now,
        };
    } else if (turn.on && opened * 2 < policy->incidents) {
        ck_effects_audit(&made, CK_FACT_STORM_OVER, now.ms - turn.since.ms);
        turn = (struct ck_storm){.on = false};
    }
    *next = turn;
    ck_effects_give(&made, effects);
}

struct ck_wall ck_storm_digest_at(struct ck_wall last, const struct ck_storm_policy *policy,
                                  struct ck_wall now)
{
    struct ck_wall at = ck_wall_add_ms(last, policy->digest_ms);
    return last.ms == 0 || ck_wall_before(at, now) ? now : at;
}

bool ck_digest_before(const struct ck_digest_line *a, const struct ck_digest_line *b)
{
    if (a->severity != b->severity) {
        return a->severity > b->severity;
    }
    return ck_wall_before(a->opened_at, b->opened_at);
}
