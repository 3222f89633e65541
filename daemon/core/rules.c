#include "daemon/core/rules.h"

#define DAY_MS INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)
#define TOP_BAND_MS (5 * MINUTE_MS)
#define SLOWEST_TRY_MS 30000 /* by the configuration's defaults: a mail */
#define SEND_MARGIN_MS 5000

/* Until a notice in sending counts as lost: longer than it can wait and be tried by its channel, or
 * it would go out a second time while it is still on its way. */
static int64_t send_timeout_ms(int64_t slowest_try_ms)
{
    return CK_NOTICE_WAIT_MAX_MS + slowest_try_ms + SEND_MARGIN_MS;
}

struct ck_house_rules ck_house_rules_default(void)
{
    struct ck_house_rules rules = {
        .checkin = ck_checkin_policy_default(),
        .notice = ck_notice_policy_default(),
        .storm = ck_storm_policy_default(),
        .ladder_inspector_ms = 15 * MINUTE_MS,
        .ladder_duty_ms = 15 * MINUTE_MS,
        .ladder_repeat_ms = 15 * MINUTE_MS,
        .ack_timeout_ms = 30 * MINUTE_MS,
        .challenge_count = 4,
        .norms = ck_norms_proportional(),
    };
    static const int64_t days[CK_KEEP_COUNT] = {
        [CK_KEEP_RECORDING] = 90,  [CK_KEEP_PHOTO] = 30,    [CK_KEEP_CONTACT] = 90,
        [CK_KEEP_MESSAGES] = 365,  [CK_KEEP_CONCERN] = 365, [CK_KEEP_CASE_FILE] = 1095,
        [CK_KEEP_ACCESS_LOG] = 365};
    for (int keep = 0; keep < CK_KEEP_COUNT; keep++) {
        rules.retention.keep_ms[keep] = days[keep] * DAY_MS;
    }
    rules.notice.send_timeout_ms = send_timeout_ms(SLOWEST_TRY_MS);
    return rules;
}

static int64_t slowest_try_ms(const struct ck_config *config)
{
    const int64_t tries[] = {config->smtp.timeout_ms, config->sms.timeout_ms,
                             config->voice.timeout_ms, config->webhook_common.timeout_ms,
                             config->web_push.timeout_ms};
    int64_t slowest = 0;
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        slowest = tries[i] > slowest ? tries[i] : slowest;
    }
    return slowest;
}

struct ck_house_rules ck_house_rules_of(const struct ck_config *config)
{
    struct ck_house_rules rules = ck_house_rules_default();
    struct ck_checkin_policy *checkin = &rules.checkin;
    int64_t before_late = config->policy.response_window_ms + config->policy.grace_ms;
    checkin->attempts = (uint32_t)config->policy.attempts;
    checkin->ring_spacing_ms = config->policy.attempt_spacing_ms;
    checkin->response_ms = config->policy.response_window_ms;
    checkin->grace_ms = config->policy.grace_ms;
    /* The configuration counts from the time due, the policy from the end of grace. */
    checkin->late_ms =
        config->policy.late_limit_ms > before_late ? config->policy.late_limit_ms - before_late : 0;
    checkin->answerable_percent = (uint32_t)config->policy.answerable_percent;
    checkin->make_up_delay_ms = config->policy.makeup_delay_ms;
    checkin->live_wait_ms = config->policy.live_wait_ms;
    checkin->call_max_ms = config->policy.call_max_ms;
    checkin->rejoin_ms = config->policy.rejoin_ms;
    for (int band = 0; band < CK_BAND_COUNT; band++) {
        checkin->review_ms[band] =
            band == CK_BAND_TOP ? config->policy.review_top_ms : config->policy.review_ms;
    }
    rules.notice.send_timeout_ms = send_timeout_ms(slowest_try_ms(config));
    rules.notice.backoff_first_ms = config->policy.notice_retry_first_ms;
    rules.notice.backoff_max_ms = config->policy.notice_retry_max_ms;
    rules.notice.receipt_wait_ms = config->policy.receipt_wait_ms;
    rules.ladder_inspector_ms = config->policy.ladder_inspector_ms;
    rules.ladder_duty_ms = config->policy.ladder_duty_ms;
    rules.ladder_repeat_ms = config->policy.ladder_repeat_ms;
    rules.ack_timeout_ms = config->policy.ack_timeout_ms;
    rules.challenge_count = (int)config->policy.challenge_count;
    rules.retention =
        (struct ck_retention_rules){{[CK_KEEP_RECORDING] = config->retention.recording_ms,
                                     [CK_KEEP_RISK] = config->retention.risk_ms,
                                     [CK_KEEP_PHOTO] = config->retention.photo_ms,
                                     [CK_KEEP_CONTACT] = config->retention.contact_ms,
                                     [CK_KEEP_MESSAGES] = config->retention.messages_ms,
                                     [CK_KEEP_CONCERN] = config->retention.concern_ms,
                                     [CK_KEEP_CASE_FILE] = config->retention.case_file_ms,
                                     [CK_KEEP_ACCESS_LOG] = config->retention.access_log_ms}};
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

struct ck_ladder ck_house_safety_ladder(const struct ck_house_rules *rules)
{
    const struct ck_ladder whole = ck_house_ladder(rules, CK_BAND_TOP);
    struct ck_ladder ladder = whole;
    ladder.step_count = whole.step_count - 1;
    for (uint32_t i = 0; i < ladder.step_count; i++) { /* without the inspector's step */
        ladder.steps[i] = whole.steps[i + 1];
    }
    ladder.late_answer_calms = false; /* that the person called in says nothing about the other */
    return ladder;
}

const char *ck_house_rules_fault(const struct ck_house_rules *rules)
{
    const char *fault = ck_checkin_policy_fault(&rules->checkin);
    if (fault == NULL) {
        fault = ck_notice_policy_fault(&rules->notice);
    }
    if (fault == NULL) {
        fault = ck_storm_policy_fault(&rules->storm);
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
