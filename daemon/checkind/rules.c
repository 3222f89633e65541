/* The house rules out of the configuration. */
#include "daemon/checkind/product_impl.h"

struct ck_house_rules ck_product_rules(const struct ck_config *config)
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
    rules.notice.backoff_first_ms = config->policy.notice_retry_first_ms;
    rules.notice.backoff_max_ms = config->policy.notice_retry_max_ms;
    rules.notice.receipt_wait_ms = config->policy.receipt_wait_ms;
    rules.ladder_inspector_ms = config->policy.ladder_inspector_ms;
    rules.ladder_duty_ms = config->policy.ladder_duty_ms;
    rules.ladder_repeat_ms = config->policy.ladder_repeat_ms;
    rules.ack_timeout_ms = config->policy.ack_timeout_ms;
    rules.challenge_count = (int)config->policy.challenge_count;
    return rules;
}
