#include "daemon/core/demand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/body.h"
#include "daemon/core/plan_request.h"
#include "daemon/core/rules.h"
#include "protocol/base/cleanup.h"

/* ---- plans ---- */

/* The active plans of an order as the scheduler's; `plans` has room for
 * CK_DEMAND_PLANS_MAX. */
static int load_plans(struct ck_store *store, const struct ck_order_record *order,
                      const struct ck_subject *subject, const struct ck_checkin_policy *house,
                      struct ck_plan *plans, struct ck_date *expanded, size_t *count)
{
    int64_t ids[CK_DEMAND_PLANS_MAX + 1];
    struct ck_checkin_policy policy;
    size_t found = 0, loaded = 0;
    int r = ck_plan_of_order(store, order->id, ids, CK_DEMAND_PLANS_MAX + 1, &found);
    for (size_t i = 0; r == 0 && i < found; i++) {
        ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
        if (loaded == CK_DEMAND_PLANS_MAX) {
            return CK_E_LIMIT;
        }
        r = ck_plan_load(store, ids[i], &record);
        r = r == 0 ? ck_plan_record_read(&record, order, subject, house, &plans[loaded], &policy)
                   : r;
        if (r == 0) {
            expanded[loaded++] = record.expanded;
        }
    }
    *count = loaded;
    return r;
}

/* Which member of the request the reason is about. */
static const char *field_of(enum ck_obligation_reason reason)
{
    switch (reason) {
    case CK_OBLIGATION_OUTSIDE_HOURS:
        return "windows";
    case CK_OBLIGATION_NOT_REQUIRED:
    case CK_OBLIGATION_MODE:
        return "mandatory";
    case CK_OBLIGATION_TOO_MANY:
    case CK_OBLIGATION_TOO_MANY_PLANS:
    case CK_OBLIGATION_PER_DAY:
    case CK_OBLIGATION_NO_DATES:
        return "recurrence";
    default:
        return "order_id";
    }
}

/* "5 in 7 days, 3 are allowed" */
static void excess_text(const struct ck_excess *excess, char *text, size_t size)
{
    if (excess->days == 1) {
        snprintf(text, size, "%u on one day, %u are allowed", excess->found, excess->limit);
    } else if (excess->days == CK_REQUIREMENT_MONTH) {
        snprintf(text, size, "%u in one month, %u are allowed", excess->found, excess->limit);
    } else {
        snprintf(text, size, "%u in %u days, %u are allowed", excess->found, excess->days,
                 excess->limit);
    }
}

int ck_demand_refuse(const struct ck_order *rules, const struct ck_demand_fault *fault,
                     struct ck_refusal *refusal)
{
    char date[CK_DATE_TEXT_SIZE], numbers[64];
    const char *field = field_of(fault->reason), *text = ck_obligation_reason_text(fault->reason);
    if (fault->reason == CK_OBLIGATION_OUTSIDE_HOURS) {
        return ck_refuse(refusal, CK_E_INVALID, field,
                         "%s: %02d:%02d to %02d:%02d, rings and grace included", text,
                         (int)rules->hours_start_min / 60, (int)rules->hours_start_min % 60,
                         (int)rules->hours_end_min / 60 % 24, (int)rules->hours_end_min % 60);
    }
    if (fault->excess.from.day != 0) {
        ck_date_text(fault->excess.from, date);
        excess_text(&fault->excess, numbers, sizeof numbers);
        return ck_refuse(refusal, CK_E_INVALID, field, "%s, first from %s on: %s", text, date,
                         numbers);
    }
    return ck_refuse(refusal, CK_E_INVALID, field, "%s", text);
}

#define MADE_BACK (2 * CK_REQUIREMENT_DAYS_MAX) /* dates before today that are counted … */
#define MADE_AHEAD                                                                                 \
    (2 * CK_REQUIREMENT_DAYS_MAX) /* … and from today on: more than is ever drawn                \
                                   */
#define MADE_DAYS (MADE_BACK + MADE_AHEAD)

/* A plan that is to be made, and all that it is measured with. */
struct measured {
    struct ck_store *store;
    const struct ck_order_record *order;
    const struct ck_plan_asked *asked;
    struct ck_order
        rules; /* of the order, with the least number a day of any that asks for contact */
    struct ck_plan plans[CK_DEMAND_PLANS_MAX];
    const struct ck_plan *all[CK_DEMAND_PLANS_MAX + 1];
    struct ck_date after[CK_DEMAND_PLANS_MAX + 1];
    uint32_t counts[CK_REQUIREMENTS_MAX + 1][MADE_DAYS];
    struct ck_contacts_made made;
    const struct ck_succession *succession;
    size_t count;
};

/* One more of the person's plans, under whatever order. */
static int add_plan(struct measured *measured, int64_t id)
{
    ck_cleanup(ck_freep) struct ck_order_record *order = calloc(1, sizeof *order);
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    struct ck_checkin_policy policy;
    size_t at = measured->count;
    int r = order == NULL ? -ENOMEM : ck_plan_load(measured->store, id, &record);
    r = r == 0 ? ck_order_load(measured->store, record.order, order) : r;
    r = r == 0 ? ck_plan_record_read(&record, order, measured->asked->subject,
                                     measured->asked->house, &measured->plans[at], &policy)
               : r;
    if (r != 0) {
        return r;
    }
    if (record.order != measured->order->id) {
        measured->made.elsewhere |= UINT32_C(1) << at;
    }
    if (order->rules.per_day_max < measured->rules.per_day_max) {
        measured->rules.per_day_max = order->rules.per_day_max;
    }
    measured->all[at] = &measured->plans[at];
    measured->after[at] = record.expanded;
    measured->count++;
    return 0;
}

static bool is_withdrawn(const struct ck_succession *succession, int64_t plan)
{
    bool found = false;
    for (size_t i = 0; i < succession->withdrawn_count; i++) {
        found = found || succession->withdrawn[i] == plan;
    }
    return found;
}

static int add_plans(struct measured *measured)
{
    const struct ck_succession *succession = measured->succession;
    const struct ck_date begins = succession->begins;
    int64_t ids[CK_DEMAND_PLANS_MAX + 2];
    size_t found = 0;
    int r = ck_plan_of_person(measured->store, measured->order->person, ids,
                              CK_DEMAND_PLANS_MAX + 2, &found);
    for (size_t i = 0; r == 0 && i < found; i++) {
        bool goes = ids[i] == succession->leaves;
        if ((goes && begins.day <= measured->asked->today.day) ||
            is_withdrawn(succession, ids[i])) {
            continue;
        }
        r = measured->count == CK_DEMAND_PLANS_MAX ? CK_E_LIMIT : add_plan(measured, ids[i]);
        if (r == 0 && goes) { /* it serves until then */
            struct ck_date *last = &measured->plans[measured->count - 1].order_until;
            last->day = last->day < begins.day ? last->day : begins.day - 1;
        }
    }
    return r;
}

int ck_demand_replaced(struct ck_store *store, int64_t person, int64_t replaced,
                       struct ck_refusal *refusal)
{
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    int r = replaced == 0 ? 0 : ck_plan_load(store, replaced, &record);
    if (r == CK_E_NOT_FOUND || (r == 0 && replaced != 0 && record.person != person)) {
        return ck_refuse(refusal, CK_E_INVALID, "replaces", "the person has no such plan");
    }
    if (r == 0 && replaced != 0 && !record.active) {
        return ck_refuse(refusal, CK_E_CONFLICT, "replaces", "that plan has ended");
    }
    return r == 0 && record.until.day != 0
               ? ck_refuse(refusal, CK_E_CONFLICT, "replaces", "another plan takes its place")
               : r;
}

/* Whether the plan that serves today, of those whose place is asked for, has begun the day. */
static int day_is_begun(struct ck_store *store, const struct ck_plan_asked *asked, bool *is)
{
    int64_t serves = asked->replaced, before = serves, begun = 0;
    int r = 0;
    while (r == 0 && before != 0) {
        serves = before;
        r = ck_plan_before(store, serves, asked->today, &before);
    }
    r = r == 0 ? ck_plan_begun_on(store, serves, asked->today, &begun) : r;
    *is = begun > 0;
    return r;
}

static int first_date(struct ck_store *store, const struct ck_plan_asked *asked,
                      const struct ck_plan *plan, struct ck_date *begins)
{
    uint32_t left = 0;
    bool begun = false;
    for (uint32_t i = 0; i < plan->window_count; i++) {
        left += ck_plan_left(plan, asked->zone, asked->today, i, asked->now);
    }
    bool over = left == 0;
    int r = asked->replaced == 0 ? 0 : day_is_begun(store, asked, &begun);
    begins->day = asked->today.day + (over || begun ? 1 : 0);
    begins->day = begins->day < plan->first.day ? plan->first.day : begins->day;
    begins->day = begins->day < plan->order_from.day ? plan->order_from.day : begins->day;
    return r;
}

/* `asked->replaced` is 0, or a plan that is active and that none waits to replace. CK_E_LIMIT: more
 * wait than there can be plans. */
static int find_succession(struct ck_store *store, const struct ck_plan_asked *asked,
                           const struct ck_plan *plan, struct ck_succession *succession)
{
    *succession = (struct ck_succession){.leaves = asked->replaced};
    int r = first_date(store, asked, plan, &succession->begins);
    while (r == 0 && succession->leaves != 0) {
        ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
        r = ck_plan_load(store, succession->leaves, &record);
        if (r != 0 || record.begins.day < succession->begins.day) {
            return r;
        }
        if (succession->withdrawn_count == CK_DEMAND_PLANS_MAX) {
            return CK_E_LIMIT;
        }
        succession->withdrawn[succession->withdrawn_count++] = record.id;
        r = ck_plan_before(store, record.id, asked->today, &succession->leaves);
    }
    return r;
}

static void add_new(struct measured *measured, const struct ck_plan *plan)
{
    measured->after[measured->count].day = measured->succession->begins.day - 1;
    measured->all[measured->count] = plan;
}

/* What the others that go wait for. */
static int64_t first_that_goes(const struct ck_succession *succession)
{
    return succession->leaves != 0 || succession->withdrawn_count == 0
               ? succession->leaves
               : succession->withdrawn[succession->withdrawn_count - 1];
}

static int count_made(struct measured *measured)
{
    struct ck_contacts_made *made = &measured->made;
    const struct ck_succession *succession = measured->succession;
    struct ck_contacts_of of = {
        .modes = UINT32_MAX, .leaving = first_that_goes(succession), .leaves = succession->begins};
    made->today = measured->asked->today;
    made->from.day = made->today.day - MADE_BACK;
    made->days = MADE_DAYS;
    made->after = measured->after;
    made->all = measured->counts[CK_REQUIREMENTS_MAX];
    int r = ck_contacts_on(measured->store, measured->order->person, made->from, MADE_DAYS, &of,
                           measured->counts[CK_REQUIREMENTS_MAX]);
    of.mandatory = true;
    of.order = measured->order->id;
    for (uint32_t i = 0; r == 0 && i < measured->rules.requirement_count; i++) {
        of.modes = measured->rules.requirements[i].modes;
        made->served[i] = measured->counts[i];
        r = ck_contacts_on(measured->store, measured->order->person, made->from, MADE_DAYS, &of,
                           measured->counts[i]);
    }
    return r;
}

int ck_demand_plan(struct ck_store *store, const struct ck_order_record *order,
                   const struct ck_plan_asked *asked, const struct ck_plan *plan,
                   struct ck_succession *succession, struct ck_demand_fault *fault)
{
    ck_cleanup(ck_freep) struct measured *measured = calloc(1, sizeof *measured);
    if (measured == NULL) {
        return -ENOMEM;
    }
    *fault = (struct ck_demand_fault){CK_OBLIGATION_OK, {{0}, 0, 0, 0}};
    measured->store = store;
    measured->order = order;
    measured->asked = asked;
    measured->rules = order->rules;
    int r = find_succession(store, asked, plan, succession);
    measured->succession = succession;
    r = r == 0 ? add_plans(measured) : r;
    if (r == CK_E_LIMIT) {
        fault->reason = CK_OBLIGATION_TOO_MANY_PLANS;
        return 0;
    }
    if (r == 0) {
        add_new(measured, plan);
        r = count_made(measured);
    }
    if (r == 0) {
        fault->reason = ck_obligation_measure(&measured->rules, measured->all, measured->count + 1,
                                              measured->count, &measured->made, &fault->excess);
    }
    return r;
}

/* ---- extras ---- */

#define SPAN_MAX (2 * CK_REQUIREMENT_DAYS_MAX + 1)

static uint32_t per_date(const struct ck_plan *plan)
{
    return plan->draws > 0 ? plan->draws * plan->window_count : plan->fixed_count;
}

/* What the plans will still make on dates they have not come to. */
static void add_ahead(const struct ck_plan *plan, struct ck_date expanded, struct ck_date from,
                      size_t days, uint32_t modes, uint32_t *counts)
{
    uint32_t mode =
        plan->kind == CK_KIND_UNATTENDED ? CK_MODE_UNATTENDED_VIDEO : CK_MODE_LIVE_VIDEO;
    struct ck_date last = {from.day + (int32_t)days - 1}, date;
    if (!plan->mandatory || (modes & CK_MODE_BIT(mode)) == 0) {
        return;
    }
    last.day = plan->order_until.day < last.day ? plan->order_until.day : last.day;
    struct ck_rule_walk walk = ck_rule_walk_from(&plan->rule, plan->first);
    while (ck_rule_walk_next(&plan->rule, plan->first, last, &walk, &date)) {
        if (date.day > expanded.day && date.day >= from.day && date.day >= plan->order_from.day) {
            counts[date.day - from.day] += per_date(plan);
        }
    }
}

/* The most contacts in any `days` dates that follow each other and contain the middle one of
 * 2 × days - 1. */
static uint32_t most_in(const uint32_t *counts, uint32_t days)
{
    uint32_t most = 0;
    for (uint32_t start = 0; start < days; start++) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < days; i++) {
            sum += counts[start + i];
        }
        most = sum > most ? sum : most;
    }
    return most;
}

struct around {
    struct ck_store *store;
    const struct ck_order_record *order;
    struct ck_plan *plans;
    struct ck_date expanded[CK_DEMAND_PLANS_MAX];
    size_t plan_count;
};

static int count_period(const struct around *around, const struct ck_requirement *requirement,
                        struct ck_date date, uint32_t *in_period)
{
    uint32_t counts[SPAN_MAX] = {0};
    struct ck_civil civil = ck_date_civil(date);
    bool month = requirement->days == CK_REQUIREMENT_MONTH;
    struct ck_date from = {month ? date.day - civil.day + 1
                                 : date.day - (int32_t)requirement->days + 1};
    size_t days = month ? CK_REQUIREMENT_DAYS_MAX : 2 * requirement->days - 1;
    if (month) { /* the days of this month alone */
        while (ck_date_civil((struct ck_date){from.day + (int32_t)days - 1}).month != civil.month) {
            days--;
        }
    }
    const struct ck_contacts_of of = {.modes = requirement->modes, .mandatory = true};
    int r = ck_contacts_on(around->store, around->order->person, from, days, &of, counts);
    for (size_t i = 0; r == 0 && i < around->plan_count; i++) {
        add_ahead(&around->plans[i], around->expanded[i], from, days, requirement->modes, counts);
    }
    if (r == 0 && month) {
        *in_period = 0;
        for (size_t i = 0; i < days; i++) {
            *in_period += counts[i];
        }
    } else if (r == 0) {
        *in_period = most_in(counts, requirement->days);
    }
    return r;
}

int ck_demand_extra(struct ck_store *store, const struct ck_order_record *order,
                    const struct ck_demand *demand, enum ck_obligation_reason *reason)
{
    ck_cleanup(ck_freep) struct ck_plan *plans = calloc(CK_DEMAND_PLANS_MAX, sizeof *plans);
    struct around around = {.store = store, .order = order, .plans = plans};
    struct ck_extra extra = {
        .at = demand->at,
        .tail_ms = demand->tail_ms,
        .mandatory = demand->mandatory,
        .mode = demand->unattended ? CK_MODE_UNATTENDED_VIDEO : CK_MODE_LIVE_VIDEO,
    };
    struct ck_subject subject;
    /* Of the plans only dates and numbers matter, and no rule of the house changes those. */
    const struct ck_house_rules house = ck_house_rules_default();
    int r = plans == NULL ? -ENOMEM : ck_subject_load(store, order->person, &subject);
    r = r == 0 ? load_plans(store, order, &subject, &house.checkin, plans, around.expanded,
                            &around.plan_count)
               : r;
    const struct ck_contacts_of any = {.modes = UINT32_MAX};
    r = r == 0 ? ck_contacts_on(store, order->person, extra.at.date, 1, &any, &extra.on_date) : r;
    for (uint32_t i = 0; r == 0 && i < order->rules.requirement_count; i++) {
        r = count_period(&around, &order->rules.requirements[i], extra.at.date,
                         &extra.in_period[i]);
    }
    if (r == 0) {
        *reason = ck_obligation_check_extra(&order->rules, &extra);
    }
    return r > 0 ? -EUCLEAN : r;
}

/* Reasons against its being a duty, not against its being. */
static bool only_duty(enum ck_obligation_reason reason)
{
    return reason == CK_OBLIGATION_NOT_REQUIRED || reason == CK_OBLIGATION_MODE ||
           reason == CK_OBLIGATION_TOO_MANY;
}

static int check_blackout(struct ck_store *store, int64_t person, const struct ck_demand *demand,
                          struct ck_refusal *refusal)
{
    struct ck_interval blackout;
    char until[CK_WALL_TEXT_SIZE];
    int source = 0;
    size_t count = 0;
    int r = ck_blackouts_of(store, person, demand->begin,
                            ck_wall_add_ms(demand->begin, demand->tail_ms), &blackout, &source, 1,
                            &count);
    if (r == 0 && count > 0) {
        ck_wall_text(blackout.until, until);
        return ck_refuse(refusal, CK_E_CONFLICT, "", "no contact is owed until %s (%s)", until,
                         ck_blackout_source_name(source));
    }
    return r;
}

int ck_demand_extra_any(struct ck_store *store, int64_t person, struct ck_demand *demand, bool must,
                        struct ck_refusal *refusal)
{
    ck_cleanup(ck_freep) struct ck_order_record *orders =
        calloc(CK_DEMAND_ORDERS_MAX, sizeof *orders);
    enum ck_obligation_reason first = CK_OBLIGATION_OK;
    bool wished = demand->mandatory, allowed = false;
    size_t count = 0;
    int r = orders == NULL ? -ENOMEM : check_blackout(store, person, demand, refusal);
    r = r == 0 ? ck_order_in_force(store, person, demand->at.date, orders, CK_DEMAND_ORDERS_MAX,
                                   &count)
               : r;
    if (r == 0 && count == 0) {
        orders[0].person = person;
        orders[0].rules = ck_order_default(demand->at.date, demand->at.date);
        count = 1;
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        enum ck_obligation_reason reason = CK_OBLIGATION_OK;
        demand->mandatory = wished;
        r = ck_demand_extra(store, &orders[i], demand, &reason);
        if (r == 0 && reason == CK_OBLIGATION_OK) {
            demand->hours_end_min = ck_order_hours_end(&orders[i].rules, &demand->at);
            return 0;
        }
        first = first == CK_OBLIGATION_OK ? reason : first;
        if (r == 0 && !must && only_duty(reason)) {
            demand->mandatory = false;
            r = ck_demand_extra(store, &orders[i], demand, &reason);
            if (r == 0 && reason == CK_OBLIGATION_OK) {
                allowed = true;
                demand->hours_end_min = ck_order_hours_end(&orders[i].rules, &demand->at);
            }
        }
    }
    demand->mandatory = false;
    if (r != 0 || allowed) {
        return r;
    }
    return ck_refuse(refusal, CK_E_CONFLICT, wished && only_duty(first) ? "mandatory" : "", "%s",
                     ck_obligation_reason_text(first));
}
