#include "daemon/core/plan_request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/canonical.h"

#define HORIZON_DAYS 14
#define RULE_TEXT_MAX 512
#define REQUEST_TEXT_MAX 8192
#define DAY_MIN (24 * 60)

/* "HH:MM" as minutes; "24:00" is the end of the day. */
static bool read_minutes(const char *text, int32_t *minutes)
{
    if (text == NULL || strlen(text) != 5 || text[2] != ':') {
        return false;
    }
    for (int i = 0; i < 5; i++) {
        if (i != 2 && (text[i] < '0' || text[i] > '9')) {
            return false;
        }
    }
    int32_t value =
        ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
    if (text[3] > '5' || value > DAY_MIN) {
        return false;
    }
    *minutes = value;
    return true;
}

static int read_window(const json_t *item, size_t index, const struct ck_order_brief *order,
                       struct ck_plan_window *window, int64_t *draws, struct ck_refusal *refusal)
{
    char field[48];
    int32_t start = 0, end = 0;
    snprintf(field, sizeof field, "windows[%zu].start", index);
    if (!read_minutes(json_string_value(json_object_get(item, "start")), &start)) {
        return ck_refuse(refusal, CK_E_INVALID, field, "must be a time of day, HH:MM");
    }
    snprintf(field, sizeof field, "windows[%zu].end", index);
    if (!read_minutes(json_string_value(json_object_get(item, "end")), &end)) {
        return ck_refuse(refusal, CK_E_INVALID, field, "must be a time of day, HH:MM");
    }
    if (end <= start) {
        end += DAY_MIN; /* past midnight */
    }
    int32_t hours_end = order->hours_end_min <= order->hours_start_min
                            ? order->hours_end_min + DAY_MIN
                            : order->hours_end_min;
    if (start < order->hours_start_min || end > hours_end) {
        return ck_refuse(refusal, CK_E_INVALID, field,
                         "the order allows contacts from %02d:%02d to %02d:%02d only",
                         (int)order->hours_start_min / 60, (int)order->hours_start_min % 60,
                         (int)order->hours_end_min / 60, (int)order->hours_end_min % 60);
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

static int read_windows(const json_t *request, const struct ck_order_brief *order,
                        struct ck_plan *plan, struct ck_refusal *refusal)
{
    const json_t *list = json_object_get(request, "windows");
    size_t count = json_array_size(list);
    if (count < 1 || count > CK_PLAN_WINDOWS_MAX) {
        return ck_refuse(refusal, CK_E_INVALID, "windows", "must be a list of 1 to %d windows",
                         CK_PLAN_WINDOWS_MAX);
    }
    int64_t draws = 0;
    for (size_t i = 0; i < count; i++) {
        int r = read_window(json_array_get(list, i), i, order, &plan->windows[i], &draws, refusal);
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

static const char *field_of(enum ck_plan_reason reason)
{
    switch (reason) {
    case CK_PLAN_NO_DATES:
    case CK_PLAN_ORDER_DATES:
        return "recurrence";
    default:
        return "windows";
    }
}

int ck_plan_request_read(const json_t *request, const struct ck_order_brief *order,
                         const struct ck_subject *subject, const struct ck_checkin_policy *house,
                         struct ck_plan *plan, struct ck_checkin_policy *policy,
                         const char **warning, struct ck_refusal *refusal)
{
    static const char *const kinds[] = {"live", "unattended", NULL};
    struct ck_plan read;
    struct ck_checkin_policy read_rules;
    int kind = 0;
    memset(&read, 0, sizeof read);
    int r = ck_body_word(request, "kind", kinds, &kind, refusal);
    if (r == 0) {
        r = ck_body_flag(request, "mandatory", &read.mandatory, refusal);
    }
    if (r == 0) {
        r = read_policy(request, house, &read_rules, refusal);
    }
    if (r == 0) {
        r = read_rule(request, &read, refusal);
    }
    if (r != 0) {
        return r;
    }
    read.kind = kind == 0 ? CK_KIND_LIVE : CK_KIND_UNATTENDED;
    read.person = subject->id;
    read.inspector = subject->inspector;
    read.band = ck_band_of(subject->band);
    read.order_from = order->from;
    read.order_until = order->until;
    read.horizon_days = HORIZON_DAYS;
    read.tail_ms = read_rules.response_ms + read_rules.grace_ms;
    read.min_gap_ms = read.tail_ms; /* two check-ins of one person never overlap */
    r = read_windows(request, order, &read, refusal);
    if (r != 0) {
        return r;
    }
    enum ck_plan_reason reason = ck_plan_check(&read);
    if (reason != CK_PLAN_OK && reason != CK_PLAN_GAP_PREDICTABLE) {
        return ck_refuse(refusal, CK_E_INVALID, field_of(reason), "%s",
                         ck_plan_reason_text(reason));
    }
    *warning = reason == CK_PLAN_OK ? NULL : ck_plan_reason_text(reason);
    *plan = read;
    *policy = read_rules;
    return 0;
}

char *ck_plan_request_text(const json_t *request)
{
    static const char *const members[] = {
        "order_id",          "kind",    "mandatory",   "recurrence",
        "first_date",        "windows", "attempts",    "attempt_spacing_s",
        "response_window_s", "grace_s", "late_limit_s"};
    ck_cleanup(ck_freep) char *text = calloc(1, REQUEST_TEXT_MAX);
    json_t *kept = json_object();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_object_set(kept, members[i], json_object_get(request, members[i]));
    }
    struct ck_writer writer = ck_writer_of(text, REQUEST_TEXT_MAX - 1);
    int r = text == NULL ? -ENOMEM : ck_canonical_write(&writer, kept);
    json_decref(kept);
    return r == 0 ? ck_take(text) : NULL;
}

/* ---- preview ---- */

static json_t *preview_window(const struct ck_plan *plan, const struct ck_zone *zone,
                              struct ck_date date, uint32_t index)
{
    char day[CK_DATE_TEXT_SIZE], start[CK_WALL_TEXT_SIZE], end[CK_WALL_TEXT_SIZE];
    struct ck_local from = {date, plan->windows[index].start_min * 60};
    struct ck_local until = {date, plan->windows[index].end_min * 60};
    ck_date_text(date, day);
    ck_wall_text(ck_zone_instant(zone, from, CK_ZONE_FIRST, NULL), start);
    ck_wall_text(ck_zone_instant(zone, until, CK_ZONE_LAST, NULL), end);
    return json_pack("{s:s, s:s, s:s, s:i}", "date", day, "start", start, "end", end, "draws",
                     (int)plan->draws);
}

static json_t *preview_windows(const struct ck_plan *plan, const struct ck_zone *zone,
                               struct ck_wall now)
{
    json_t *windows = json_array();
    struct ck_date today = ck_zone_local(zone, now).date, date;
    struct ck_date last = {today.day + CK_PLAN_PREVIEW_DAYS};
    struct ck_rule_walk walk = ck_rule_walk_from(&plan->rule, plan->first);
    if (plan->order_until.day < last.day) {
        last = plan->order_until;
    }
    while (ck_rule_walk_next(&plan->rule, plan->first, last, &walk, &date)) {
        for (uint32_t i = 0; i < plan->window_count; i++) {
            if (date.day >= today.day && date.day >= plan->order_from.day) {
                json_array_append_new(windows, preview_window(plan, zone, date, i));
            }
        }
    }
    return windows;
}

int ck_plan_preview(struct ck_store *store, const char *zone_dir, int64_t person,
                    const json_t *request, struct ck_wall now, json_t **preview,
                    struct ck_refusal *refusal)
{
    struct ck_subject subject;
    struct ck_order_brief order;
    struct ck_plan plan;
    struct ck_checkin_policy policy;
    const struct ck_zone *zone = NULL;
    const char *warning = NULL;
    int64_t order_id = 0;
    int r = ck_body_id(request, "order_id", &order_id, refusal);
    if (r == 0) {
        r = ck_subject_load(store, person, &subject);
    }
    if (r == 0) {
        r = ck_order_brief_load(store, order_id, &order);
    }
    if (r == CK_E_NOT_FOUND || (r == 0 && order.person != person)) {
        return ck_refuse(refusal, CK_E_NOT_FOUND, "order_id", "the person has no such order");
    }
    if (r == 0) {
        /* What the request does not say matters to no window. */
        const struct ck_house_rules rules = ck_house_rules_default();
        r = ck_plan_request_read(request, &order, &subject, &rules.checkin, &plan, &policy,
                                 &warning, refusal);
    }
    if (r != 0) {
        return r;
    }
    struct ck_zones *zones = ck_zones_create(zone_dir);
    r = zones == NULL ? -ENOMEM : ck_zones_find(zones, subject.zone, &zone);
    if (r == 0) {
        json_t *warnings = json_array();
        if (warning != NULL) {
            json_array_append_new(warnings, json_string(warning));
        }
        *preview = json_pack("{s:o, s:o}", "windows", preview_windows(&plan, zone, now), "warnings",
                             warnings);
        r = *preview == NULL ? -ENOMEM : 0;
    }
    ck_zones_destroy(zones);
    return r > 0 ? -EUCLEAN : r;
}
