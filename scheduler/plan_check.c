#include "scheduler/plan.h"

#define MINUTE_MS INT64_C(60000)

enum { DAY_MIN = 24 * 60 };

#define SILENCE_MIN_MS (60 * MINUTE_MS)
#define SECOND_MIN_MS (5 * MINUTE_MS)
#define SILENCE_MAX_MS (MINUTE_MS * DAY_MIN * 366)

/* Where a check-in may begin in a window. */
static int64_t span_ms(const struct ck_plan *plan, uint32_t index)
{
    const struct ck_plan_window *window = &plan->windows[index];
    return (window->end_min - window->start_min) * MINUTE_MS - plan->tail_ms;
}

static enum ck_plan_reason check_windows(const struct ck_plan *plan)
{
    if (plan->window_count < 1 || plan->window_count > CK_PLAN_WINDOWS_MAX) {
        return CK_PLAN_NO_WINDOW;
    }
    for (uint32_t i = 0; i < plan->window_count; i++) {
        const struct ck_plan_window *window = &plan->windows[i];
        if (window->start_min < 0 || window->start_min >= DAY_MIN ||
            window->end_min <= window->start_min || window->end_min > 2 * DAY_MIN) {
            return CK_PLAN_WINDOW_RANGE;
        }
        if (i > 0 && window->start_min < plan->windows[i - 1].end_min) {
            return CK_PLAN_WINDOWS_OVERLAP;
        }
        if (plan->tail_ms < 0 || span_ms(plan, i) < MINUTE_MS) {
            return CK_PLAN_WINDOW_TOO_SHORT;
        }
    }
    /* The last window may go past midnight, into the morning of the next date. */
    if (plan->windows[plan->window_count - 1].end_min - DAY_MIN > plan->windows[0].start_min) {
        return CK_PLAN_WINDOWS_OVERLAP;
    }
    return CK_PLAN_OK;
}

static bool fixed_fits(const struct ck_plan *plan, int32_t minute)
{
    for (uint32_t i = 0; i < plan->window_count; i++) {
        int64_t into_ms = (minute - plan->windows[i].start_min) * MINUTE_MS;
        if (into_ms >= 0 && into_ms <= span_ms(plan, i)) {
            return true;
        }
    }
    return false;
}

static enum ck_plan_reason check_fixed(const struct ck_plan *plan)
{
    if (plan->fixed_count < 1 || plan->fixed_count > CK_PLAN_FIXED_MAX) {
        return CK_PLAN_FIXED_RANGE;
    }
    for (uint32_t i = 0; i < plan->fixed_count; i++) {
        if (!fixed_fits(plan, plan->fixed_min[i])) {
            return CK_PLAN_FIXED_RANGE;
        }
        if (i > 0 &&
            (plan->fixed_min[i] <= plan->fixed_min[i - 1] ||
             (plan->fixed_min[i] - plan->fixed_min[i - 1]) * MINUTE_MS < plan->min_gap_ms)) {
            return CK_PLAN_FIXED_ORDER;
        }
    }
    return CK_PLAN_OK;
}

/* S5: each draw needs enough to choose from; and the gaps must leave the last draw a choice. */
static enum ck_plan_reason check_draws(const struct ck_plan *plan)
{
    enum ck_plan_reason warning = CK_PLAN_OK;
    if (plan->draws > CK_PLAN_DRAWS_MAX) {
        return CK_PLAN_DRAWS_RANGE;
    }
    for (uint32_t i = 0; i < plan->window_count; i++) {
        int64_t span = span_ms(plan, i);
        if (span < plan->draws * CK_PLAN_FLOOR_MS) {
            return CK_PLAN_PREDICTABLE;
        }
        if (plan->min_gap_ms * (plan->draws - 1) > span) {
            return CK_PLAN_GAP_TOO_LARGE;
        }
        if (plan->draws > 1 && plan->min_gap_ms * plan->draws * 2 > span) {
            warning = CK_PLAN_GAP_PREDICTABLE;
        }
    }
    return warning;
}

static enum ck_plan_reason check_dates(const struct ck_plan *plan)
{
    if (plan->order_until.day < plan->order_from.day) {
        return CK_PLAN_ORDER_DATES;
    }
    struct ck_rule_walk walk = ck_rule_walk_from(&plan->rule, plan->first);
    struct ck_date date;
    while (ck_rule_walk_next(&plan->rule, plan->first, plan->order_until, &walk, &date)) {
        if (date.day >= plan->order_from.day) {
            return CK_PLAN_OK;
        }
    }
    return CK_PLAN_NO_DATES;
}

enum ck_plan_reason ck_plan_check(const struct ck_plan *plan)
{
    if (plan->kind != CK_KIND_LIVE && plan->kind != CK_KIND_UNATTENDED) {
        return CK_PLAN_KIND;
    }
    if (plan->horizon_days < 1 || plan->horizon_days > CK_PLAN_HORIZON_MAX_DAYS) {
        return CK_PLAN_HORIZON_RANGE;
    }
    if (plan->max_silence_ms != 0 &&
        (plan->max_silence_ms < SILENCE_MIN_MS || plan->max_silence_ms > SILENCE_MAX_MS)) {
        return CK_PLAN_SILENCE_RANGE;
    }
    if (plan->min_gap_ms < 0 || plan->min_gap_ms > SILENCE_MAX_MS) {
        return CK_PLAN_GAP_TOO_LARGE;
    }
    if (plan->second_percent > 100 ||
        (plan->second_percent > 0 &&
         (plan->second_min_ms < SECOND_MIN_MS || plan->second_max_ms <= plan->second_min_ms))) {
        return CK_PLAN_SECOND_RANGE;
    }
    enum ck_plan_reason reason = check_windows(plan);
    if (reason != CK_PLAN_OK) {
        return reason;
    }
    if (plan->draws > 0 && plan->fixed_count > 0) {
        return CK_PLAN_DRAWS_AND_FIXED;
    }
    reason = check_dates(plan);
    if (reason != CK_PLAN_OK) {
        return reason;
    }
    return plan->draws > 0 ? check_draws(plan) : check_fixed(plan);
}

const char *ck_plan_reason_text(enum ck_plan_reason reason)
{
    static const char *const texts[CK_PLAN_REASON_COUNT] = {
        [CK_PLAN_OK] = "the plan can be used",
        [CK_PLAN_NO_WINDOW] = "a plan needs one to four windows",
        [CK_PLAN_WINDOW_RANGE] = "a window must begin within its date and end after it begins",
        [CK_PLAN_WINDOWS_OVERLAP] = "windows must be in order and must not overlap",
        [CK_PLAN_WINDOW_TOO_SHORT] = "a window is too short for its rings and grace",
        [CK_PLAN_DRAWS_RANGE] = "at most six draws per window",
        [CK_PLAN_FIXED_RANGE] = "a fixed time must lie in a window, with room for rings and grace",
        [CK_PLAN_FIXED_ORDER] = "fixed times must be in order and keep the minimum gap",
        [CK_PLAN_DRAWS_AND_FIXED] = "either draws or fixed times, not both",
        [CK_PLAN_PREDICTABLE] = "each draw needs at least 30 minutes to choose from",
        [CK_PLAN_GAP_TOO_LARGE] = "the minimum gap does not fit into the window",
        [CK_PLAN_GAP_PREDICTABLE] =
            "the minimum gap takes over half of the window: the last draw is easy to guess",
        [CK_PLAN_ORDER_DATES] = "the order ends before it begins",
        [CK_PLAN_NO_DATES] = "the rule gives no date within the order",
        [CK_PLAN_HORIZON_RANGE] = "the horizon must be 1 to 62 days",
        [CK_PLAN_SILENCE_RANGE] = "the longest silence must be an hour to a year",
        [CK_PLAN_KIND] = "a plan makes live or unattended check-ins",
        [CK_PLAN_SECOND_RANGE] = "a second check comes at least five minutes after the first",
    };
    return (unsigned)reason < CK_PLAN_REASON_COUNT ? texts[reason] : NULL;
}

const char *ck_plan_reason_name(enum ck_plan_reason reason)
{
    static const char *const names[CK_PLAN_REASON_COUNT] = {
        [CK_PLAN_OK] = "ok",
        [CK_PLAN_NO_WINDOW] = "no_window",
        [CK_PLAN_WINDOW_RANGE] = "window_range",
        [CK_PLAN_WINDOWS_OVERLAP] = "windows_overlap",
        [CK_PLAN_WINDOW_TOO_SHORT] = "window_too_short",
        [CK_PLAN_DRAWS_RANGE] = "draws_range",
        [CK_PLAN_FIXED_RANGE] = "fixed_range",
        [CK_PLAN_FIXED_ORDER] = "fixed_order",
        [CK_PLAN_DRAWS_AND_FIXED] = "draws_and_fixed",
        [CK_PLAN_PREDICTABLE] = "predictable",
        [CK_PLAN_GAP_TOO_LARGE] = "gap_too_large",
        [CK_PLAN_GAP_PREDICTABLE] = "gap_predictable",
        [CK_PLAN_ORDER_DATES] = "order_dates",
        [CK_PLAN_NO_DATES] = "no_dates",
        [CK_PLAN_HORIZON_RANGE] = "horizon_range",
        [CK_PLAN_SILENCE_RANGE] = "silence_range",
        [CK_PLAN_KIND] = "kind",
        [CK_PLAN_SECOND_RANGE] = "second_range",
    };
    return (unsigned)reason < CK_PLAN_REASON_COUNT ? names[reason] : NULL;
}
