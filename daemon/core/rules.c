#include "daemon/core/rules.h"

#define MINUTE_MS INT64_C(60000)
#define TOP_BAND_MS (5 * MINUTE_MS)

struct ck_house_rules ck_house_rules_default(void)
{
    struct ck_house_rules rules = {
        .checkin = ck_checkin_policy_default(),
        .notice = ck_notice_policy_default(),
        .ladder_inspector_ms = 15 * MINUTE_MS,
        .ladder_duty_ms = 15 * MINUTE_MS,
        .ladder_repeat_ms = 15 * MINUTE_MS,
        .ack_timeout_ms = 30 * MINUTE_MS,
        .challenge_count = 4,
        .norms = ck_norms_proportional(),
    };
    /* The safety step is a matter of its own, with its own officers: it is not part of a check-in.
     */
    rules.checkin.safety_check = false;
    rules.notice.send_timeout_ms = 45000; /* above every channel's own time-out */
    return rules;
}

struct ck_ladder ck_house_ladder(const struct ck_house_rules *rules, enum ck_band band)
{
    struct ck_ladder ladder = ck_ladder_default(band);
    const int64_t waits[] = {rules->ladder_inspector_ms, rules->ladder_duty_ms,
                             rules->ladder_repeat_ms};
    for (uint32_t i = 0; i < ladder.step_count; i++) {
        struct ck_ladder_step *step = &ladder.steps[i];
        int64_t wait = waits[i < 3 ? i : 2];
        step->ack_timeout_ms = band == CK_BAND_TOP && wait > TOP_BAND_MS ? TOP_BAND_MS : wait;
        step->rounds = 1;
        if (step->min_interval_ms > step->ack_timeout_ms) {
            step->min_interval_ms = step->ack_timeout_ms;
        }
    }
    ladder.ack_hold_ms = rules->ack_timeout_ms;
    return ladder;
}

const char *ck_house_rules_fault(const struct ck_house_rules *rules)
{
    const char *fault = ck_checkin_policy_fault(&rules->checkin);
    if (fault == NULL) {
        fault = ck_notice_policy_fault(&rules->notice);
    }
    for (int band = 0; fault == NULL && band < CK_BAND_COUNT; band++) {
        const struct ck_ladder ladder = ck_house_ladder(rules, (enum ck_band)band);
        fault = ck_ladder_fault(&ladder);
    }
    if (fault == NULL &&
        (rules->challenge_count < 1 || rules->challenge_count > CK_CHALLENGES_MAX)) {
        fault = "challenge_count";
    }
    return fault;
}
