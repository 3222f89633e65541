#include "daemon/core/plan_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/live_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/canonical.h"

#define HORIZON_DAYS 14
#define RULE_TEXT_MAX 512
#define REQUEST_TEXT_MAX 8192
#define DAY_S INT64_C(86400)
#define YEAR_S (366 * DAY_S)

static int read_window(const json_t *item, size_t index, struct ck_plan_window *window,
                       int64_t *draws, struct ck_refusal *refusal)
{
    char field[48];
    int32_t start = ck_day_minute(json_string_value(json_object_get(item, "start")));
    int32_t end = ck_day_minute(json_string_value(json_object_get(item, "end")));
    snprintf(field, sizeof field, "windows[%zu].start", index);
    if (start < 0) {
        return ck_refuse(refusal, CK_E_INVALID, field, "must be a time of day, HH:MM");
    }
    snprintf(field, sizeof field, "windows[%zu].end", index);
    if (end < 0) {
        return ck_refuse(refusal, CK_E_INVALID, field, "must be a time of day, HH:MM");
    }
    if (end <= start) {
        end += CK_DAY_MINUTES; /* past midnight */
    }
    const json_t *count = json_object_get(item, "draws");
    snprintf(field, sizeof field, "windows[%zu].draws", index);
    if (!json_is_integer(count) || json_integer_value(count) < 0 ||
        json_integer_value(count) > CK_PLAN_DRAWS_MAX) {
        return ck_refuse(refusal, CK_E_INVALID, field, "must be between 0 and %d",
                         CK_PLAN_DRAWS_MAX);
    }
    if (index > 0 && json_integer_value(count) != *draws) {
        return ck_refuse(refusal, CK_E_INVALID, field, "must be the same in every window");
    }
    *draws = json_integer_value(count);
    *window = (struct ck_plan_window){start, end};
    return 0;
}

static int read_windows(const json_t *request, struct ck_plan *plan, struct ck_refusal *refusal)
{
    const json_t *list = json_object_get(request, "windows");
    size_t count = json_array_size(list);
    if (count < 1 || count > CK_PLAN_WINDOWS_MAX) {
        return ck_refuse(refusal, CK_E_INVALID, "windows", "must be a list of 1 to %d windows",
                         CK_PLAN_WINDOWS_MAX);
    }
    int64_t draws = 0;
    for (size_t i = 0; i < count; i++) {
        int r = read_window(json_array_get(list, i), i, &plan->windows[i], &draws, refusal);
        if (r != 0) {
            return r;
        }
    }
    plan->window_count = (uint32_t)count;
    plan->draws = (uint32_t)draws;
    if (draws > 0) {
        return 0;
    }
    /* Due at the start; the window goes at least as far as rings and grace do, and leaves the
     * minute that ck_plan_check() wants to begin in. */
    int32_t needed = (int32_t)((plan->tail_ms + 59999) / 60000) + 1;
    for (size_t i = 0; i < count; i++) {
        plan->fixed_min[i] = plan->windows[i].start_min;
        if (plan->windows[i].end_min < plan->windows[i].start_min + needed) {
            plan->windows[i].end_min = plan->windows[i].start_min + needed;
        }
    }
    plan->fixed_count = (uint32_t)count;
    return 0;
}

static int read_policy(const json_t *request, const struct ck_checkin_policy *house,
                       struct ck_checkin_policy *policy, struct ck_refusal *refusal)
{
    int64_t attempts = 0, spacing = 0, response = 0, grace = 0, late = 0;
    int r = ck_body_int(request, "attempts", 1, 5, &attempts, refusal);
    if (r == 0) {
        r = ck_body_int(request, "attempt_spacing_s", 1, 86400, &spacing, refusal);
    }
    if (r == 0) {
        r = ck_body_int(request, "response_window_s", 1, 86400, &response, refusal);
    }
    if (r == 0) {
        r = ck_body_int(request, "grace_s", 0, 86400, &grace, refusal);
    }
    if (r == 0) {
        r = ck_body_int(request, "late_limit_s", 0, 604800, &late, refusal);
    }
    if (r != 0) {
        return r;
    }
    *policy = *house;
    policy->attempts = (uint32_t)attempts;
    policy->ring_spacing_ms = spacing * 1000;
    policy->response_ms = response * 1000;
    policy->grace_ms = grace * 1000;
    policy->late_ms = late * 1000;
    const char *fault = ck_checkin_policy_fault(policy);
    if (fault != NULL) {
        const char *field = strcmp(fault, "ring_spacing_ms") == 0 ? "attempt_spacing_s"
                            : strcmp(fault, "response_ms") == 0   ? "response_window_s"
                                                                  : fault;
        return ck_refuse(refusal, CK_E_INVALID, field,
                         "all attempts must fall inside the response window");
    }
    return 0;
}

static int read_rule(const json_t *request, struct ck_plan *plan, struct ck_refusal *refusal)
{
    const char *text = NULL, *first = NULL;
    struct ck_rule_fault fault;
    int r = ck_body_text(request, "recurrence", RULE_TEXT_MAX, false, &text, refusal);
    if (r != 0) {
        return r;
    }
    if (ck_rule_parse(text, strlen(text), &plan->rule, &fault) != 0) {
        return ck_refuse(refusal, CK_E_INVALID, "recurrence", "%s (at %zu)",
                         ck_rule_reason_text(fault.reason), fault.at);
    }
    r = ck_body_text(request, "first_date", 10, false, &first, refusal);
    if (r == 0 && ck_date_parse(first, &plan->first) != 0) {
        r = ck_refuse(refusal, CK_E_INVALID, "first_date", "must be a date, YYYY-MM-DD");
    }
    return r;
}

/* A list of dates that the rule gets beside those it gives, or loses. */
static int read_dates(const json_t *request, const char *name, struct ck_date *dates,
                      uint32_t *count, struct ck_refusal *refusal)
{
    const json_t *list = json_object_get(request, name);
    size_t size = json_array_size(list);
    if ((list != NULL && !json_is_array(list)) || size > CK_RULE_DATES_MAX) {
        return ck_refuse(refusal, CK_E_INVALID, name, "must be a list of at most %d dates",
                         CK_RULE_DATES_MAX);
    }
    for (size_t i = 0; i < size; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL || ck_date_parse(text, &dates[i]) != 0) {
            return ck_refuse(refusal, CK_E_INVALID, name, "must be dates, YYYY-MM-DD");
        }
    }
    *count = (uint32_t)size;
    return 0;
}

/* A number of seconds that may be missing. */
static int read_seconds(const json_t *object, const char *name, int64_t max_s, int64_t missing_ms,
                        int64_t *ms, struct ck_refusal *refusal)
{
    int64_t seconds = 0;
    const json_t *value = json_object_get(object, name);
    if (value == NULL || json_is_null(value)) {
        *ms = missing_ms;
        return 0;
    }
    int r = ck_body_int(object, name, 0, max_s, &seconds, refusal);
    if (r == 0) {
        *ms = seconds * 1000;
    }
    return r;
}

/* Gap, longest silence, second checks. */
static int read_distances(const json_t *request, struct ck_plan *plan, struct ck_refusal *refusal)
{
    const json_t *second = json_object_get(request, "second");
    int64_t percent = 0;
    int r = read_seconds(request, "min_gap_s", YEAR_S, plan->tail_ms, &plan->min_gap_ms, refusal);
    if (r == 0 && plan->min_gap_ms < plan->tail_ms) {
        plan->min_gap_ms = plan->tail_ms; /* two check-ins of one person never overlap */
    }
    r = r == 0 ? read_seconds(request, "max_silence_s", YEAR_S, 0, &plan->max_silence_ms, refusal)
               : r;
    if (r == 0 && plan->max_silence_ms > 0 && !plan->mandatory) {
        return ck_refuse(refusal, CK_E_INVALID, "max_silence_s",
                         "only a mandatory plan has a longest silence");
    }
    if (r != 0 || second == NULL || json_is_null(second)) {
        return r;
    }
    r = ck_body_int(second, "percent", 1, 100, &percent, refusal);
    r = r == 0 ? read_seconds(second, "after_min_s", DAY_S, 0, &plan->second_min_ms, refusal) : r;
    r = r == 0 ? read_seconds(second, "after_max_s", DAY_S, 0, &plan->second_max_ms, refusal) : r;
    plan->second_percent = (uint32_t)percent;
    return r;
}

static const char *field_of(enum ck_plan_reason reason)
{
    switch (reason) {
    case CK_PLAN_NO_DATES:
    case CK_PLAN_ORDER_DATES:
        return "recurrence";
    case CK_PLAN_GAP_TOO_LARGE:
        return "min_gap_s";
    case CK_PLAN_SILENCE_RANGE:
        return "max_silence_s";
    case CK_PLAN_SECOND_RANGE:
        return "second";
    default:
        return "windows";
    }
}

/* Everything but whether the plan makes sense. */
static int parse(const json_t *request, const struct ck_order_record *order,
                 const struct ck_subject *subject, const struct ck_checkin_policy *house,
                 struct ck_plan *plan, struct ck_checkin_policy *policy, struct ck_refusal *refusal)
{
    static const char *const kinds[] = {"live", "unattended", NULL};
    int kind = 0;
    memset(plan, 0, sizeof *plan);
    int r = ck_body_word(request, "kind", kinds, &kind, refusal);
    r = r == 0 ? ck_body_flag(request, "mandatory", &plan->mandatory, refusal) : r;
    r = r == 0 ? read_policy(request, house, policy, refusal) : r;
    r = r == 0 ? read_rule(request, plan, refusal) : r;
    r = r == 0
            ? read_dates(request, "extra_dates", plan->rule.rdate, &plan->rule.rdate_count, refusal)
            : r;
    r = r == 0 ? read_dates(request, "except_dates", plan->rule.exdate, &plan->rule.exdate_count,
                            refusal)
               : r;
    if (r != 0) {
        return r;
    }
    plan->kind = kind == 0 ? CK_KIND_LIVE : CK_KIND_UNATTENDED;
    plan->person = subject->id;
    plan->inspector = subject->inspector;
    plan->band = ck_band_of(subject->band);
    plan->order_from = order->rules.from;
    plan->horizon_days = HORIZON_DAYS;
    plan->tail_ms = policy->response_ms + policy->grace_ms;
    /* What the order demands live is not asked for as a recording when no inspector has time. */
    policy->unattended_fallback =
        policy->unattended_fallback &&
        (!plan->mandatory || ck_obligation_serves(&order->rules, CK_MODE_UNATTENDED_VIDEO));
    r = read_distances(request, plan, refusal);
    r = r == 0 ? read_windows(request, plan, refusal) : r;
    plan->order_until = ck_order_last_date(&order->rules, plan);
    return r;
}

int ck_plan_request_read(const json_t *request, const struct ck_order_record *order,
                         const struct ck_subject *subject, const struct ck_checkin_policy *house,
                         struct ck_plan *plan, struct ck_checkin_policy *policy,
                         enum ck_plan_reason *warning, struct ck_refusal *refusal)
{
    ck_cleanup(ck_freep) struct ck_plan *read = calloc(1, sizeof *read);
    struct ck_checkin_policy read_rules;
    int r =
        read == NULL ? -ENOMEM : parse(request, order, subject, house, read, &read_rules, refusal);
    if (r != 0) {
        return r;
    }
    enum ck_plan_reason reason = ck_plan_check(read);
    if (reason != CK_PLAN_OK && reason != CK_PLAN_GAP_PREDICTABLE) {
        return ck_refuse(refusal, CK_E_INVALID, field_of(reason), "%s",
                         ck_plan_reason_text(reason));
    }
    *warning = reason;
    *plan = *read;
    *policy = read_rules;
    return 0;
}

int ck_plan_record_read(const struct ck_plan_record *record, const struct ck_order_record *order,
                        const struct ck_subject *subject, const struct ck_checkin_policy *house,
                        struct ck_plan *plan, struct ck_checkin_policy *policy)
{
    struct ck_refusal refusal;
    ck_cleanup(json_decrefp) json_t *request = json_loads(record->rule, 0, NULL);
    int r =
        request == NULL ? -EUCLEAN : parse(request, order, subject, house, plan, policy, &refusal);
    plan->id = record->id;
    plan->version = (uint32_t)record->version;
    if (record->begins.day > plan->order_from.day) {
        plan->order_from = record->begins;
    }
    if (record->until.day != 0 && record->until.day < plan->order_until.day) {
        plan->order_until = record->until;
    }
    return r > 0 ? -EUCLEAN : r;
}

int ck_plan_replaced(const json_t *request, int64_t *plan, struct ck_refusal *refusal)
{
    const json_t *value = json_object_get(request, "replaces");
    *plan = 0;
    return value == NULL || json_is_null(value) ? 0
                                                : ck_body_id(request, "replaces", plan, refusal);
}

char *ck_plan_request_text(const json_t *request)
{
    static const char *const members[] = {
        "order_id",     "kind",        "mandatory",         "recurrence",        "first_date",
        "windows",      "attempts",    "attempt_spacing_s", "response_window_s", "grace_s",
        "late_limit_s", "extra_dates", "except_dates",      "min_gap_s",         "max_silence_s",
        "second",       "replaces"};
    ck_cleanup(ck_freep) char *text = calloc(1, REQUEST_TEXT_MAX);
    json_t *kept = json_object();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *value = json_object_get(request, members[i]);
        if (value != NULL && !json_is_null(value)) {
            json_object_set(kept, members[i], value);
        }
    }
    struct ck_writer writer = ck_writer_of(text, REQUEST_TEXT_MAX - 1);
    int r = text == NULL ? -ENOMEM : ck_canonical_write(&writer, kept);
    json_decref(kept);
    return r == 0 ? ck_take(text) : NULL;
}
