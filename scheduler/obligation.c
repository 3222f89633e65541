#include "scheduler/obligation.h"

#include <assert.h>

#define MINUTE_MS INT64_C(60000)

enum { DAY_MIN = 24 * 60, MINUTE_S = 60 };

struct ck_order ck_order_default(struct ck_date from, struct ck_date until)
{
    return (struct ck_order){
        .from = from,
        .until = until,
        .hours_start_min = 8 * 60,
        .hours_end_min = 22 * 60,
        .per_day_max = 3,
    };
}

/* ---- the order by itself
 * ------------------------------------------------------------------------- */

static enum ck_obligation_reason check_requirement(const struct ck_requirement *requirement)
{
    if (requirement->count < 1 || requirement->days > CK_REQUIREMENT_DAYS_MAX ||
        requirement->modes == 0 || requirement->modes >= CK_MODE_BIT(CK_MODE_COUNT)) {
        return CK_OBLIGATION_REQUIREMENT_RANGE;
    }
    if (!requirement->video_replaces) {
        return CK_OBLIGATION_OK;
    }
    if (!requirement->has_citation) {
        return CK_OBLIGATION_REPLACES_CITATION;
    }
    if (requirement->approved_by[0] == 0 || requirement->approved_by[1] == 0 ||
        requirement->approved_by[0] == requirement->approved_by[1]) {
        return CK_OBLIGATION_REPLACES_PERSONS;
    }
    return CK_OBLIGATION_OK;
}

enum ck_obligation_reason ck_order_check(const struct ck_order *order)
{
    if (order->minor) {
        return CK_OBLIGATION_MINOR;
    }
    if (order->until.day < order->from.day) {
        return CK_OBLIGATION_ORDER_DATES;
    }
    if (order->hours_start_min < 0 || order->hours_start_min >= DAY_MIN ||
        order->hours_end_min <= order->hours_start_min || order->hours_end_min > 2 * DAY_MIN) {
        return CK_OBLIGATION_HOURS_RANGE;
    }
    if (order->requirement_count > CK_REQUIREMENTS_MAX) {
        return CK_OBLIGATION_REQUIREMENT_RANGE;
    }
    for (uint32_t i = 0; i < order->requirement_count; i++) {
        enum ck_obligation_reason reason = check_requirement(&order->requirements[i]);
        if (reason != CK_OBLIGATION_OK) {
            return reason;
        }
    }
    return CK_OBLIGATION_OK;
}

/* ---- plans --------------------------------------------------------------------------------------
 */

static enum ck_contact_mode mode_of(enum ck_checkin_kind kind)
{
    return kind == CK_KIND_UNATTENDED ? CK_MODE_UNATTENDED_VIDEO : CK_MODE_LIVE_VIDEO;
}

/* Contacts that a plan makes on each of its dates. */
static uint32_t per_date(const struct ck_plan *plan)
{
    return plan->draws > 0 ? plan->draws * plan->window_count : plan->fixed_count;
}

/* The hours of one date reach those of the next: any hour. */
static bool is_any_hour(const struct ck_order *order)
{
    return order->hours_end_min - order->hours_start_min >= DAY_MIN;
}

/* A wall time later than midnight belongs to the hours of the day before, where those go past
 * midnight. Any hour has no seam there but where the order ends. */
static bool inside_hours(const struct ck_order *order, bool last, int32_t start_min,
                         int32_t end_min)
{
    if (end_min <= order->hours_end_min) {
        return start_min >= order->hours_start_min || is_any_hour(order) ||
               end_min + DAY_MIN <= order->hours_end_min;
    }
    return is_any_hour(order) && !last;
}

int32_t ck_order_hours_end(const struct ck_order *order, const struct ck_local *at)
{
    int32_t minute = at->second / MINUTE_S;
    if (is_any_hour(order) && at->date.day < order->until.day) {
        return minute + DAY_MIN;
    }
    /* Those that began the day before. */
    bool since_yesterday = minute < order->hours_start_min && !is_any_hour(order);
    return since_yesterday ? order->hours_end_min - DAY_MIN : order->hours_end_min;
}

struct ck_date ck_order_last_date(const struct ck_order *order, const struct ck_plan *plan)
{
    struct ck_date last = order->until;
    for (uint32_t i = 0; i < plan->window_count; i++) {
        if (is_any_hour(order) && plan->windows[i].end_min > order->hours_end_min) {
            last.day = order->until.day - 1;
        }
    }
    return last;
}

/* Where a walk over the dates of one plan stands. */
struct cursor {
    const struct ck_plan *plan;
    struct ck_rule_walk walk;
    struct ck_date first; /* no date before it counts */
    struct ck_date date;
    bool live;
};

static void advance(struct cursor *cursor, struct ck_date last)
{
    const struct ck_plan *plan = cursor->plan;
    struct ck_date until = plan->order_until.day < last.day ? plan->order_until : last;
    do {
        cursor->live =
            ck_rule_walk_next(&plan->rule, plan->first, until, &cursor->walk, &cursor->date);
    } while (cursor->live && cursor->date.day < cursor->first.day);
}

static struct ck_date later_date(struct ck_date a, struct ck_date b)
{
    return a.day > b.day ? a : b;
}

static struct ck_date day_after(struct ck_date date)
{
    return (struct ck_date){date.day + 1};
}

static struct cursor cursor_of(const struct ck_plan *plan, struct ck_date first,
                               struct ck_date last)
{
    struct cursor cursor = {.plan = plan,
                            .walk = ck_rule_walk_from(&plan->rule, plan->first),
                            .first = later_date(plan->order_from, first)};
    advance(&cursor, last);
    return cursor;
}

/* More plans than this for one person are refused as too many. */
enum { PLANS_MAX = 16 };

/* Contacts of all plans on the dates of an order, one date after the other. */
struct calendar {
    size_t count;
    struct cursor cursors[PLANS_MAX];
    struct ck_date first, last;
    bool mandatory_only;
    uint32_t modes; /* of those that are counted */
    const struct ck_contacts_made *made;
    const uint32_t *counts; /* of `made`, that count here; NULL: none */
};

static bool is_counted(const struct calendar *calendar, const struct ck_plan *plan, size_t index)
{
    bool elsewhere =
        calendar->made != NULL && (calendar->made->elsewhere & UINT32_C(1) << index) != 0;
    return (!calendar->mandatory_only || (plan->mandatory && !elsewhere)) &&
           (calendar->modes & CK_MODE_BIT(mode_of(plan->kind))) != 0;
}

/* What is over cannot be asked for less of: only what reaches today is walked. */
static void calendar_begin(struct calendar *calendar, const struct ck_order *order,
                           const struct ck_plan *const *plans, size_t count)
{
    const struct ck_contacts_made *made = calendar->made;
    calendar->count = 0;
    calendar->first = made == NULL ? order->from : later_date(order->from, made->from);
    calendar->last = order->until;
    for (size_t i = 0; i < count; i++) {
        if (is_counted(calendar, plans[i], i)) {
            struct ck_date first = calendar->first;
            if (made != NULL) {
                first = later_date(first, day_after(made->after[i]));
            }
            calendar->cursors[calendar->count++] = cursor_of(plans[i], first, calendar->last);
        }
    }
}

static uint32_t made_on(const struct calendar *calendar, struct ck_date date)
{
    const struct ck_contacts_made *made = calendar->made;
    if (calendar->counts == NULL || date.day >= made->from.day + (int32_t)made->days) {
        return 0;
    }
    return calendar->counts[date.day - made->from.day];
}

static uint32_t contacts_on(struct calendar *calendar, struct ck_date date)
{
    uint32_t contacts = made_on(calendar, date);
    for (size_t i = 0; i < calendar->count; i++) {
        struct cursor *cursor = &calendar->cursors[i];
        if (cursor->live && cursor->date.day == date.day) {
            contacts += per_date(cursor->plan);
            advance(cursor, calendar->last);
        }
    }
    return contacts;
}

/* The first date from which more than `limit` contacts fall into the period; false where none does.
 */
static bool exceeds(struct calendar *calendar, uint32_t days, uint32_t limit,
                    struct ck_excess *excess)
{
    uint32_t ring[CK_REQUIREMENT_DAYS_MAX] = {0};
    uint32_t sum = 0;
    int32_t first = calendar->first.day;
    int32_t today = calendar->made == NULL ? first : calendar->made->today.day;
    for (struct ck_date date = {first}; date.day <= calendar->last.day; date.day++) {
        uint32_t contacts = contacts_on(calendar, date);
        struct ck_civil civil = ck_date_civil(date);
        if (days == CK_REQUIREMENT_MONTH) {
            sum = civil.day == 1 ? contacts : sum + contacts;
        } else {
            uint32_t *slot = &ring[(uint32_t)(date.day - first) % days];
            sum += contacts - *slot;
            *slot = contacts;
        }
        if (sum > limit && date.day >= today) {
            int32_t back = days == CK_REQUIREMENT_MONTH ? civil.day - 1 : (int32_t)days - 1;
            *excess = (struct ck_excess){
                .from = later_date((struct ck_date){date.day - back}, calendar->first),
                .found = sum,
                .limit = limit,
                .days = days,
            };
            return true;
        }
    }
    return false;
}

static bool serves(const struct ck_requirement *requirement, enum ck_contact_mode mode)
{
    return requirement->mandatory && (requirement->modes & CK_MODE_BIT(mode)) != 0;
}

static bool any_mandatory(const struct ck_order *order)
{
    for (uint32_t i = 0; i < order->requirement_count; i++) {
        if (order->requirements[i].mandatory) {
            return true;
        }
    }
    return false;
}

bool ck_obligation_serves(const struct ck_order *order, enum ck_contact_mode mode)
{
    for (uint32_t i = 0; i < order->requirement_count; i++) {
        if (serves(&order->requirements[i], mode)) {
            return true;
        }
    }
    return false;
}

/* Contacts of one mode may serve several requirements; each of those caps them. */
static enum ck_obligation_reason check_counts(const struct ck_order *order,
                                              const struct ck_plan *const *plans, size_t count,
                                              enum ck_contact_mode mode,
                                              const struct ck_contacts_made *made,
                                              struct ck_excess *excess)
{
    for (uint32_t i = 0; i < order->requirement_count; i++) {
        const struct ck_requirement *requirement = &order->requirements[i];
        if (!serves(requirement, mode)) {
            continue;
        }
        struct calendar calendar = {.mandatory_only = true,
                                    .modes = requirement->modes,
                                    .made = made,
                                    .counts = made == NULL ? NULL : made->served[i]};
        calendar_begin(&calendar, order, plans, count);
        if (exceeds(&calendar, requirement->days, requirement->count, excess)) {
            return CK_OBLIGATION_TOO_MANY;
        }
    }
    return CK_OBLIGATION_OK;
}

static enum ck_obligation_reason check_hours(const struct ck_order *order,
                                             const struct ck_plan *plan)
{
    bool last = plan->order_until.day == order->until.day;
    for (uint32_t i = 0; i < plan->window_count; i++) {
        if (!inside_hours(order, last, plan->windows[i].start_min, plan->windows[i].end_min)) {
            return CK_OBLIGATION_OUTSIDE_HOURS;
        }
    }
    return CK_OBLIGATION_OK;
}

static enum ck_obligation_reason check_demand(const struct ck_order *order, bool mandatory,
                                              enum ck_contact_mode mode)
{
    if (!mandatory) {
        return CK_OBLIGATION_OK;
    }
    if (!any_mandatory(order)) {
        return CK_OBLIGATION_NOT_REQUIRED;
    }
    return ck_obligation_serves(order, mode) ? CK_OBLIGATION_OK : CK_OBLIGATION_MODE;
}

enum ck_obligation_reason ck_obligation_measure(const struct ck_order *order,
                                                const struct ck_plan *const *plans, size_t count,
                                                size_t index, const struct ck_contacts_made *made,
                                                struct ck_excess *excess)
{
    assert(index < count);
    const struct ck_plan *plan = plans[index];
    enum ck_obligation_reason reason = ck_order_check(order);
    if (reason != CK_OBLIGATION_OK) {
        return reason;
    }
    if (plan->order_from.day < order->from.day || plan->order_until.day > order->until.day) {
        return CK_OBLIGATION_NOT_IN_FORCE;
    }
    reason = check_hours(order, plan);
    if (reason == CK_OBLIGATION_OK) {
        reason = check_demand(order, plan->mandatory, mode_of(plan->kind));
    }
    if (reason != CK_OBLIGATION_OK) {
        return reason;
    }
    if (count > PLANS_MAX) {
        return CK_OBLIGATION_TOO_MANY_PLANS;
    }
    if (made != NULL && !cursor_of(plan, day_after(made->after[index]), order->until).live) {
        return CK_OBLIGATION_NO_DATES;
    }
    if (plan->mandatory) {
        reason = check_counts(order, plans, count, mode_of(plan->kind), made, excess);
        if (reason != CK_OBLIGATION_OK) {
            return reason;
        }
    }
    struct calendar all = {.mandatory_only = false,
                           .modes = UINT32_MAX,
                           .made = made,
                           .counts = made == NULL ? NULL : made->all};
    calendar_begin(&all, order, plans, count);
    return exceeds(&all, 1, order->per_day_max, excess) ? CK_OBLIGATION_PER_DAY : CK_OBLIGATION_OK;
}

enum ck_obligation_reason ck_obligation_check(const struct ck_order *order,
                                              const struct ck_plan *const *plans, size_t count,
                                              size_t index, struct ck_date *on)
{
    struct ck_excess excess;
    enum ck_obligation_reason reason =
        ck_obligation_measure(order, plans, count, index, NULL, &excess);
    bool dated = reason == CK_OBLIGATION_TOO_MANY || reason == CK_OBLIGATION_PER_DAY;
    if (dated && on != NULL) {
        *on = excess.from;
    }
    return reason;
}

/* ---- extras
 * -------------------------------------------------------------------------------------- */

enum ck_obligation_reason ck_obligation_check_extra(const struct ck_order *order,
                                                    const struct ck_extra *extra)
{
    enum ck_obligation_reason reason = ck_order_check(order);
    if (reason != CK_OBLIGATION_OK) {
        return reason;
    }
    if (extra->at.date.day < order->from.day || extra->at.date.day > order->until.day) {
        return CK_OBLIGATION_NOT_IN_FORCE;
    }
    int32_t start_min = extra->at.second / MINUTE_S;
    int32_t end_min =
        (int32_t)((extra->at.second * INT64_C(1000) + extra->tail_ms + MINUTE_MS - 1) / MINUTE_MS);
    if (!inside_hours(order, extra->at.date.day == order->until.day, start_min, end_min)) {
        return CK_OBLIGATION_OUTSIDE_HOURS;
    }
    reason = check_demand(order, extra->mandatory, extra->mode);
    if (reason != CK_OBLIGATION_OK) {
        return reason;
    }
    for (uint32_t i = 0; extra->mandatory && i < order->requirement_count; i++) {
        if (serves(&order->requirements[i], extra->mode) &&
            extra->in_period[i] >= order->requirements[i].count) {
            return CK_OBLIGATION_TOO_MANY;
        }
    }
    return extra->on_date >= order->per_day_max ? CK_OBLIGATION_PER_DAY : CK_OBLIGATION_OK;
}

const char *ck_obligation_reason_text(enum ck_obligation_reason reason)
{
    static const char *const texts[CK_OBLIGATION_REASON_COUNT] = {
        [CK_OBLIGATION_OK] = "the order allows it",
        [CK_OBLIGATION_MINOR] = "nobody under 18 is enrolled",
        [CK_OBLIGATION_ORDER_DATES] = "the order ends before it begins",
        [CK_OBLIGATION_HOURS_RANGE] = "the hours of the order are not a part of a day",
        [CK_OBLIGATION_REQUIREMENT_RANGE] = "a requirement of the order is not complete",
        [CK_OBLIGATION_REPLACES_CITATION] =
            "video replaces visits only with the text that allows it",
        [CK_OBLIGATION_REPLACES_PERSONS] =
            "video replaces visits only where two people have approved it",
        [CK_OBLIGATION_NOT_IN_FORCE] = "the order is not in force on these dates",
        [CK_OBLIGATION_OUTSIDE_HOURS] = "outside the hours that the order allows",
        [CK_OBLIGATION_NOT_REQUIRED] = "the order requires no contact: it can only be voluntary",
        [CK_OBLIGATION_MODE] = "the order does not require this kind of contact",
        [CK_OBLIGATION_TOO_MANY] = "more mandatory contacts than the order says",
        [CK_OBLIGATION_PER_DAY] = "more contacts on one day than are allowed",
        [CK_OBLIGATION_TOO_MANY_PLANS] = "more plans than one person can have",
        [CK_OBLIGATION_NO_DATES] = "all dates of the rule lie before the plan would begin",
    };
    return (unsigned)reason < CK_OBLIGATION_REASON_COUNT ? texts[reason] : NULL;
}

const char *ck_obligation_reason_name(enum ck_obligation_reason reason)
{
    static const char *const names[CK_OBLIGATION_REASON_COUNT] = {
        [CK_OBLIGATION_OK] = "ok",
        [CK_OBLIGATION_MINOR] = "minor",
        [CK_OBLIGATION_ORDER_DATES] = "order_dates",
        [CK_OBLIGATION_HOURS_RANGE] = "hours_range",
        [CK_OBLIGATION_REQUIREMENT_RANGE] = "requirement_range",
        [CK_OBLIGATION_REPLACES_CITATION] = "replaces_citation",
        [CK_OBLIGATION_REPLACES_PERSONS] = "replaces_persons",
        [CK_OBLIGATION_NOT_IN_FORCE] = "not_in_force",
        [CK_OBLIGATION_OUTSIDE_HOURS] = "outside_hours",
        [CK_OBLIGATION_NOT_REQUIRED] = "not_required",
        [CK_OBLIGATION_MODE] = "mode",
        [CK_OBLIGATION_TOO_MANY] = "too_many",
        [CK_OBLIGATION_PER_DAY] = "per_day",
        [CK_OBLIGATION_TOO_MANY_PLANS] = "too_many_plans",
        [CK_OBLIGATION_NO_DATES] = "no_dates",
    };
    return (unsigned)reason < CK_OBLIGATION_REASON_COUNT ? names[reason] : NULL;
}
