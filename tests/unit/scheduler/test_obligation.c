/* What an order allows, what a band proposes, and what a score is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "protocol/base/error.h"
#include "scheduler/cadence.h"
#include "scheduler/obligation.h"
#include "scheduler/odara.h"

#define MINUTE INT64_C(60000)
#define DAY (24 * 60 * MINUTE)

static struct ck_date day(const char *text)
{
    struct ck_date date;
    assert_int_equal(ck_date_parse(text, &date), 0);
    return date;
}

static struct ck_rule rule_of(const char *text)
{
    struct ck_rule rule;
    struct ck_rule_fault fault;
    assert_int_equal(ck_rule_parse(text, strlen(text), &rule, &fault), 0);
    return rule;
}

/* Thirty days, one live video contact in any seven. */
static struct ck_order good_order(void)
{
    struct ck_order order = ck_order_default(day("2026-11-01"), day("2026-11-30"));
    order.domestic_violence = true;
    order.requirement_count = 1;
    order.requirements[0] = (struct ck_requirement){
        .source = CK_SOURCE_STATUTE,
        .count = 1,
        .days = 7,
        .modes = CK_MODE_BIT(CK_MODE_IN_PERSON) | CK_MODE_BIT(CK_MODE_LIVE_VIDEO),
        .mandatory = true,
    };
    return order;
}

static struct ck_plan weekly_plan(void)
{
    return (struct ck_plan){
        .id = 3,
        .version = 1,
        .kind = CK_KIND_LIVE,
        .mandatory = true,
        .first = day("2026-11-02"),
        .rule = rule_of("FREQ=WEEKLY"),
        .order_from = day("2026-11-01"),
        .order_until = day("2026-11-30"),
        .window_count = 1,
        .windows = {{18 * 60, 22 * 60}},
        .draws = 1,
        .tail_ms = 20 * MINUTE,
        .horizon_days = 14,
    };
}

static void expect(const struct ck_order *order, const struct ck_plan *plan,
                   enum ck_obligation_reason reason)
{
    enum ck_obligation_reason found = ck_obligation_check(order, &plan, 1, 0, NULL);
    if (found != reason) {
        fail_msg("\"%s\", not \"%s\"", ck_obligation_reason_text(found),
                 ck_obligation_reason_text(reason));
    }
}

static void test_orders_are_checked(void **state)
{
    (void)state;
    struct ck_order order = good_order();
    struct ck_plan plan = weekly_plan();
    expect(&order, &plan, CK_OBLIGATION_OK);
    order.minor = true;
    expect(&order, &plan, CK_OBLIGATION_MINOR);
    order = good_order();
    order.until = day("2026-10-31");
    expect(&order, &plan, CK_OBLIGATION_ORDER_DATES);
    static const int32_t hours[][2] = {{-1, 600}, {1440, 1500}, {600, 600}, {600, 2881}};
    for (size_t i = 0; i < 4; i++) {
        order = good_order();
        order.hours_start_min = hours[i][0];
        order.hours_end_min = hours[i][1];
        expect(&order, &plan, CK_OBLIGATION_HOURS_RANGE);
    }
    order = good_order();
    order.from = order.until = plan.order_from = plan.order_until = plan.first;
    expect(&order, &plan, CK_OBLIGATION_OK);
    plan = weekly_plan();
    order = good_order();
    order.hours_start_min = 0;
    order.hours_end_min = 2880;
    expect(&order, &plan, CK_OBLIGATION_OK);
    order = good_order();
    order.requirement_count = CK_REQUIREMENTS_MAX + 1;
    expect(&order, &plan, CK_OBLIGATION_REQUIREMENT_RANGE);
    order = good_order();
    order.requirements[0].count = 0;
    expect(&order, &plan, CK_OBLIGATION_REQUIREMENT_RANGE);
    order = good_order();
    order.requirements[0].days = CK_REQUIREMENT_DAYS_MAX + 1;
    expect(&order, &plan, CK_OBLIGATION_REQUIREMENT_RANGE);
    order = good_order();
    order.requirements[0].modes = 0;
    expect(&order, &plan, CK_OBLIGATION_REQUIREMENT_RANGE);
    order.requirements[0].modes = CK_MODE_BIT(CK_MODE_COUNT);
    expect(&order, &plan, CK_OBLIGATION_REQUIREMENT_RANGE);
}

/* "Replaces visits" needs the text that allows it and two different people. */
static void test_replacing_visits(void **state)
{
    (void)state;
    struct ck_order order = good_order();
    struct ck_plan plan = weekly_plan();
    struct ck_requirement *requirement = &order.requirements[0];
    requirement->video_replaces = true;
    expect(&order, &plan, CK_OBLIGATION_REPLACES_CITATION);
    requirement->has_citation = true;
    expect(&order, &plan, CK_OBLIGATION_REPLACES_PERSONS);
    requirement->approved_by[0] = 5;
    expect(&order, &plan, CK_OBLIGATION_REPLACES_PERSONS);
    requirement->approved_by[1] = 5;
    expect(&order, &plan, CK_OBLIGATION_REPLACES_PERSONS);
    requirement->approved_by[1] = 6;
    expect(&order, &plan, CK_OBLIGATION_OK);
}

static void test_plans_within_the_order(void **state)
{
    (void)state;
    struct ck_order order = good_order();
    struct ck_plan plan = weekly_plan();
    plan.order_from = day("2026-10-31");
    expect(&order, &plan, CK_OBLIGATION_NOT_IN_FORCE);
    plan = weekly_plan();
    plan.order_until = day("2026-12-01");
    expect(&order, &plan, CK_OBLIGATION_NOT_IN_FORCE);
    plan = weekly_plan();
    plan.windows[0] = (struct ck_plan_window){7 * 60, 9 * 60};
    expect(&order, &plan, CK_OBLIGATION_OUTSIDE_HOURS);
    plan.windows[0] = (struct ck_plan_window){21 * 60, 22 * 60 + 1};
    expect(&order, &plan, CK_OBLIGATION_OUTSIDE_HOURS);
    /* Hours past midnight take the early morning of the next date in. */
    order.hours_start_min = 20 * 60;
    order.hours_end_min = 26 * 60;
    plan.windows[0] = (struct ck_plan_window){21 * 60, 25 * 60};
    expect(&order, &plan, CK_OBLIGATION_OK);
    plan.windows[0] = (struct ck_plan_window){0, 2 * 60};
    expect(&order, &plan, CK_OBLIGATION_OK);
    plan.windows[0] = (struct ck_plan_window){0, 3 * 60};
    expect(&order, &plan, CK_OBLIGATION_OUTSIDE_HOURS);
}

/* No midnight is the end of any hour, but that of the order's last date. */
static void test_any_hour_has_no_seam_but_the_end_of_the_order(void **state)
{
    (void)state;
    static const int32_t from[] = {0, 9 * 60};
    for (size_t i = 0; i < 2; i++) {
        struct ck_order order = good_order();
        order.hours_start_min = from[i];
        order.hours_end_min = from[i] + 24 * 60;
        struct ck_plan plan = weekly_plan();
        plan.windows[0] = (struct ck_plan_window){from[i] + 23 * 60, from[i] + 25 * 60};
        expect(&order, &plan, CK_OBLIGATION_OUTSIDE_HOURS);
        plan.order_until = ck_order_last_date(&order, &plan);
        assert_int_equal(plan.order_until.day, order.until.day - 1);
        expect(&order, &plan, CK_OBLIGATION_OK);
        plan.windows[0] = (struct ck_plan_window){from[i], from[i] + 24 * 60};
        assert_int_equal(ck_order_last_date(&order, &plan).day, order.until.day);
        expect(&order, &plan, CK_OBLIGATION_OK);

        struct ck_extra extra = {
            .at = {day("2026-11-29"), 86399}, .tail_ms = 20 * MINUTE, .mode = CK_MODE_LIVE_VIDEO};
        assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_OK);
        assert_int_equal(ck_order_hours_end(&order, &extra.at), 23 * 60 + 59 + 24 * 60);
        extra.at.second = from[i] * 60;
        assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_OK);
        extra.at = (struct ck_local){order.until, 23 * 3600 + 40 * 60};
        assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_OK);
        assert_int_equal(ck_order_hours_end(&order, &extra.at), order.hours_end_min);
        extra.at.second++;
        assert_int_equal(ck_obligation_check_extra(&order, &extra),
                         i == 0 ? CK_OBLIGATION_OUTSIDE_HOURS : CK_OBLIGATION_OK);
        extra.at.second = 9 * 3600 - 600; /* over the seam of the second order */
        assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_OK);
        assert_int_equal(ck_order_hours_end(&order, &extra.at), order.hours_end_min);
    }
}

static void test_when_the_hours_end(void **state)
{
    (void)state;
    struct ck_order order = good_order();
    struct ck_local at = {day("2026-11-05"), 19 * 3600};
    assert_int_equal(ck_order_hours_end(&order, &at), order.hours_end_min);
    order.hours_start_min = 20 * 60;
    order.hours_end_min = 28 * 60;
    at.second = 23 * 3600;
    assert_int_equal(ck_order_hours_end(&order, &at), 28 * 60);
    at.second = 2 * 3600; /* those of the day before */
    assert_int_equal(ck_order_hours_end(&order, &at), 4 * 60);
    struct ck_plan plan = weekly_plan();
    plan.windows[0] = (struct ck_plan_window){21 * 60, 27 * 60};
    assert_int_equal(ck_order_last_date(&order, &plan).day, order.until.day);
}

static void test_only_what_is_required_is_mandatory(void **state)
{
    (void)state;
    struct ck_order order = good_order();
    struct ck_plan plan = weekly_plan();
    order.requirements[0].mandatory = false;
    expect(&order, &plan, CK_OBLIGATION_NOT_REQUIRED);
    order.requirement_count = 0;
    expect(&order, &plan, CK_OBLIGATION_NOT_REQUIRED);
    plan.mandatory = false;
    expect(&order, &plan, CK_OBLIGATION_OK);
    order = good_order();
    plan = weekly_plan();
    plan.kind = CK_KIND_UNATTENDED;
    expect(&order, &plan, CK_OBLIGATION_MODE);
    order.requirements[0].modes = CK_MODE_BIT(CK_MODE_UNATTENDED_VIDEO);
    expect(&order, &plan, CK_OBLIGATION_OK);
}

static void test_not_more_than_the_order_says(void **state)
{
    (void)state;
    struct ck_order order = good_order();
    struct ck_plan plan = weekly_plan();
    const struct ck_plan *plans[2] = {&plan, &plan};
    struct ck_date on = {0};
    plan.rule = rule_of("FREQ=WEEKLY;BYDAY=MO,TH");
    expect(&order, &plan, CK_OBLIGATION_TOO_MANY);
    assert_int_equal(ck_obligation_check(&order, plans, 1, 0, &on), CK_OBLIGATION_TOO_MANY);
    assert_int_equal(
        on.day,
        day("2026-11-01").day); /* the seven days that end on Thursday 5th begin before the order */
    plan.mandatory = false;
    expect(&order, &plan, CK_OBLIGATION_OK);
    /* Every sixth date is too often for once in seven. */
    plan = weekly_plan();
    plan.rule = rule_of("FREQ=DAILY;INTERVAL=6");
    assert_int_equal(ck_obligation_check(&order, plans, 1, 0, &on), CK_OBLIGATION_TOO_MANY);
    assert_int_equal(on.day, day("2026-11-02").day);
    plan.rule = rule_of("FREQ=DAILY;INTERVAL=7");
    expect(&order, &plan, CK_OBLIGATION_OK);
    /* Two draws on a date are two contacts. */
    plan = weekly_plan();
    plan.draws = 2;
    expect(&order, &plan, CK_OBLIGATION_TOO_MANY);
    order.requirements[0].count = 2;
    expect(&order, &plan, CK_OBLIGATION_OK);
    plan.draws = 0;
    plan.fixed_count = 3;
    plan.fixed_min[0] = 18 * 60;
    plan.fixed_min[1] = 19 * 60;
    plan.fixed_min[2] = 20 * 60;
    expect(&order, &plan, CK_OBLIGATION_TOO_MANY);
}

static void test_calendar_months(void **state)
{
    (void)state;
    struct ck_order order = good_order();
    order.until = day("2027-10-31");
    order.requirements[0].days = CK_REQUIREMENT_MONTH;
    order.requirements[0].count = 4;
    struct ck_plan plan = weekly_plan();
    plan.order_until = order.until;
    const struct ck_plan *plans[1] = {&plan};
    struct ck_date on;
    /* Five Mondays in November 2026. */
    assert_int_equal(ck_obligation_check(&order, plans, 1, 0, &on), CK_OBLIGATION_TOO_MANY);
    assert_int_equal(on.day, day("2026-11-01").day);
    plan.first = day("2026-11-03");
    assert_int_equal(ck_obligation_check(&order, plans, 1, 0, &on), CK_OBLIGATION_TOO_MANY);
    assert_int_equal(on.day, day("2026-12-01").day);
    plan.rule = rule_of("FREQ=MONTHLY;BYDAY=1MO,2MO,3MO,4MO");
    assert_int_equal(ck_obligation_check(&order, plans, 1, 0, &on), CK_OBLIGATION_OK);
}

/* Plans are counted together, each by its own dates; voluntary ones only against the day. */
static void test_plans_are_counted_together(void **state)
{
    (void)state;
    struct ck_order order = good_order();
    order.per_day_max = 2;
    struct ck_plan first = weekly_plan();
    struct ck_plan second = weekly_plan();
    const struct ck_plan *plans[2] = {&first, &second};
    second.first = day("2026-11-04");
    assert_int_equal(ck_obligation_check(&order, plans, 2, 1, NULL), CK_OBLIGATION_TOO_MANY);
    second.mandatory = false;
    assert_int_equal(ck_obligation_check(&order, plans, 2, 1, NULL), CK_OBLIGATION_OK);
    second.draws = 2;
    assert_int_equal(ck_obligation_check(&order, plans, 2, 1, NULL), CK_OBLIGATION_OK);
    second.first = day("2026-11-02");
    struct ck_date on;
    assert_int_equal(ck_obligation_check(&order, plans, 2, 1, &on), CK_OBLIGATION_PER_DAY);
    assert_int_equal(on.day, day("2026-11-02").day);
    /* A voluntary one beside a mandatory one; dates outside a plan's own order, before and after,
     * do not count. */
    second.draws = 1;
    assert_int_equal(ck_obligation_check(&order, plans, 2, 0, NULL), CK_OBLIGATION_OK);
    second = weekly_plan();
    second.first = day("2026-10-05");
    second.order_from = day("2026-11-28");
    second.order_until = day("2026-12-31");
    assert_int_equal(ck_obligation_check(&order, plans, 2, 0, NULL), CK_OBLIGATION_TOO_MANY);
    second = weekly_plan();
    second.rule = rule_of("FREQ=DAILY");
    second.order_until = day("2026-11-01");
    assert_int_equal(ck_obligation_check(&order, plans, 2, 0, NULL), CK_OBLIGATION_OK);
    second.first = day("2026-10-05");
    second.order_from = day("2026-12-01");
    second.order_until = day("2026-12-31");
    assert_int_equal(ck_obligation_check(&order, plans, 2, 0, NULL), CK_OBLIGATION_OK);
    /* Another mode has a requirement of its own. */
    second = weekly_plan();
    second.kind = CK_KIND_UNATTENDED;
    order.requirement_count = 2;
    order.requirements[1] = order.requirements[0];
    order.requirements[1].modes = CK_MODE_BIT(CK_MODE_UNATTENDED_VIDEO);
    assert_int_equal(ck_obligation_check(&order, plans, 2, 1, NULL), CK_OBLIGATION_OK);
    order.requirements[0].mandatory = false;
    assert_int_equal(ck_obligation_check(&order, plans, 2, 1, NULL), CK_OBLIGATION_OK);
    const struct ck_plan *many[17];
    for (int i = 0; i < 17; i++) {
        many[i] = &second;
    }
    assert_int_equal(ck_obligation_check(&order, many, 17, 0, NULL), CK_OBLIGATION_TOO_MANY_PLANS);
}

/* What there is already counts beside what the plans will make; what is over is not measured. */
static void test_contacts_that_were_made_count(void **state)
{
    (void)state;
    struct ck_order order = good_order();
    struct ck_plan friday = weekly_plan(), daily = weekly_plan();
    const struct ck_plan *plans[2] = {&daily, &friday};
    uint32_t all[62] = {0}, served[62] = {0};
    struct ck_date after[2] = {day("2026-11-10"), day("2026-11-10")};
    struct ck_contacts_made made = {.today = day("2026-11-11"),
                                    .from = day("2026-10-11"),
                                    .days = 62,
                                    .all = all,
                                    .served = {served},
                                    .after = after};
    struct ck_excess excess;
    friday.first = day("2026-11-06");
    const struct ck_plan *alone[1] = {&friday};
    assert_int_equal(ck_obligation_measure(&order, alone, 1, 0, &made, &excess), CK_OBLIGATION_OK);
    made.days = 20; /* nothing is there behind them */
    assert_int_equal(ck_obligation_measure(&order, alone, 1, 0, &made, &excess), CK_OBLIGATION_OK);
    made.days = 62;
    served[day("2026-11-09").day - made.from.day] = 1;
    assert_int_equal(ck_obligation_measure(&order, alone, 1, 0, &made, &excess),
                     CK_OBLIGATION_TOO_MANY);
    assert_int_equal(excess.from.day, day("2026-11-07").day);
    assert_int_equal(excess.found, 2);
    assert_int_equal(excess.limit, 1);
    assert_int_equal(excess.days, 7);
    made.days = 30; /* of what comes after them nothing is made yet */
    assert_int_equal(ck_obligation_measure(&order, alone, 1, 0, &made, &excess),
                     CK_OBLIGATION_TOO_MANY);
    made.days = 62;
    after[0] = day("2026-11-13"); /* it begins a week later */
    assert_int_equal(ck_obligation_measure(&order, alone, 1, 0, &made, &excess), CK_OBLIGATION_OK);
    /* Twice in one week that is over: nobody can take that back. */
    served[day("2026-11-02").day - made.from.day] = 2;
    assert_int_equal(ck_obligation_measure(&order, alone, 1, 0, &made, &excess), CK_OBLIGATION_OK);
    order.requirements[0].days = CK_REQUIREMENT_MONTH;
    assert_int_equal(ck_obligation_measure(&order, alone, 1, 0, &made, &excess),
                     CK_OBLIGATION_TOO_MANY);
    assert_int_equal(excess.days, CK_REQUIREMENT_MONTH);
    order = good_order();
    served[day("2026-11-02").day - made.from.day] = 0;
    /* Another order's plan counts for the date alone. */
    daily.rule = rule_of("FREQ=DAILY");
    made.elsewhere = 1;
    order.per_day_max = 2;
    after[0] = day("2026-11-10");
    after[1] = day("2026-11-13");
    assert_int_equal(ck_obligation_measure(&order, plans, 2, 1, &made, &excess), CK_OBLIGATION_OK);
    order.per_day_max = 1;
    assert_int_equal(ck_obligation_measure(&order, plans, 2, 1, &made, &excess),
                     CK_OBLIGATION_PER_DAY);
    assert_int_equal(excess.from.day, day("2026-11-20").day);
    order.per_day_max = 2;
    all[day("2026-11-12").day - made.from.day] = 2;
    assert_int_equal(ck_obligation_measure(&order, plans, 2, 1, &made, &excess),
                     CK_OBLIGATION_PER_DAY);
    assert_int_equal(excess.found, 3);
    made.elsewhere = 0;
    assert_int_equal(ck_obligation_measure(&order, plans, 2, 1, &made, &excess),
                     CK_OBLIGATION_TOO_MANY);
}

/* A date before it begins is none of it. */
static void test_a_plan_whose_dates_are_over(void **state)
{
    (void)state;
    struct ck_order order = good_order();
    struct ck_plan plan = weekly_plan();
    const struct ck_plan *plans[1] = {&plan};
    struct ck_date after[1] = {day("2026-11-12")};
    struct ck_contacts_made made = {
        .today = day("2026-11-11"), .from = day("2026-10-11"), .after = after};
    struct ck_excess excess;
    plan.first = day("2026-11-06");
    plan.rule = rule_of("FREQ=WEEKLY;COUNT=2");
    assert_int_equal(ck_obligation_measure(&order, plans, 1, 0, &made, &excess), CK_OBLIGATION_OK);
    after[0] = day("2026-11-13");
    assert_int_equal(ck_obligation_measure(&order, plans, 1, 0, &made, &excess),
                     CK_OBLIGATION_NO_DATES);
    assert_int_equal(ck_obligation_measure(&order, plans, 1, 0, NULL, &excess), CK_OBLIGATION_OK);
}

static void test_extras_obey_the_same(void **state)
{
    (void)state;
    const struct ck_order order = good_order();
    const struct ck_extra good = {
        .at = {day("2026-11-05"), 19 * 3600},
        .tail_ms = 20 * MINUTE,
        .mandatory = true,
        .mode = CK_MODE_LIVE_VIDEO,
    };
    struct ck_extra extra = good;
    assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_OK);
    extra.at.date = day("2026-12-01");
    assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_NOT_IN_FORCE);
    extra.at.date = day("2026-10-31");
    assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_NOT_IN_FORCE);
    extra = good;
    extra.at.second = 21 * 3600 + 40 * 60;
    assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_OK);
    extra.at.second++;
    assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_OUTSIDE_HOURS);
    extra = good;
    extra.in_period[0] = 1;
    assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_TOO_MANY);
    extra.mandatory = false;
    assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_OK);
    extra.on_date = order.per_day_max;
    assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_PER_DAY);
    extra = good;
    extra.mode = CK_MODE_UNATTENDED_VIDEO;
    assert_int_equal(ck_obligation_check_extra(&order, &extra), CK_OBLIGATION_MODE);
    struct ck_order minor = order;
    minor.minor = true;
    assert_int_equal(ck_obligation_check_extra(&minor, &good), CK_OBLIGATION_MINOR);
    /* A requirement that this mode does not serve does not cap it. */
    struct ck_order two = order;
    two.requirement_count = 2;
    two.requirements[1] = two.requirements[0];
    two.requirements[1].modes = CK_MODE_BIT(CK_MODE_IN_PERSON);
    extra = good;
    extra.in_period[1] = 5;
    assert_int_equal(ck_obligation_check_extra(&two, &extra), CK_OBLIGATION_OK);
    for (unsigned i = 0; i < CK_OBLIGATION_REASON_COUNT; i++) {
        assert_non_null(ck_obligation_reason_text(i));
    }
    assert_null(ck_obligation_reason_text(CK_OBLIGATION_REASON_COUNT));
}

/* ---- the score
 * --------------------------------------------------------------------------------------- */

static const struct ck_odara_eligibility eligible = {true, true, true, true};

static struct ck_odara_result score(uint32_t present, uint32_t unknown,
                                    const struct ck_odara_eligibility *eligibility)
{
    enum ck_odara_answer items[CK_ODARA_ITEMS];
    for (uint32_t i = 0; i < CK_ODARA_ITEMS; i++) {
        items[i] = i < present             ? CK_ODARA_PRESENT
                   : i < present + unknown ? CK_ODARA_UNKNOWN
                                           : CK_ODARA_ABSENT;
    }
    struct ck_odara_norms norms = ck_odara_norms_proportional();
    struct ck_odara_result result;
    assert_int_equal(ck_odara_score(items, eligibility, &norms, &result), 0);
    return result;
}

/* The table of practice: raw sum down, missing across. */
static void test_proration(void **state)
{
    (void)state;
    static const uint8_t table[9][6] = {
        {0, 0, 0, 0, 0, 0},  {1, 1, 1, 1, 1, 2},   {2, 2, 2, 3, 3, 3},
        {3, 3, 4, 4, 4, 5},  {4, 4, 5, 5, 6, 7},   {5, 5, 6, 7, 7, 8},
        {6, 7, 7, 8, 9, 10}, {7, 8, 8, 9, 10, 11}, {8, 9, 9, 10, 12, 13},
    };
    for (uint32_t raw = 0; raw <= 8; raw++) {
        for (uint32_t missing = 0; missing <= 5; missing++) {
            struct ck_odara_result result = score(raw, missing, &eligible);
            assert_int_equal(result.prorated, table[raw][missing]);
            assert_int_equal(result.raw, raw);
            assert_int_equal(result.missing, missing);
            assert_int_equal(result.low, raw);
            assert_int_equal(result.high, raw + missing);
            assert_true(result.enough);
        }
    }
}

static void test_bands(void **state)
{
    (void)state;
    static const enum ck_band bands[CK_ODARA_ITEMS + 1] = {
        CK_BAND_0,    CK_BAND_1,    CK_BAND_2,    CK_BAND_3,    CK_BAND_4,
        CK_BAND_5_6,  CK_BAND_5_6,  CK_BAND_7_13, CK_BAND_7_13, CK_BAND_7_13,
        CK_BAND_7_13, CK_BAND_7_13, CK_BAND_7_13, CK_BAND_7_13,
    };
    for (uint32_t raw = 0; raw <= CK_ODARA_ITEMS; raw++) {
        struct ck_odara_result result = score(raw, 0, &eligible);
        assert_int_equal(result.band, bands[raw]);
        assert_int_equal(result.handled_as, bands[raw]);
        assert_false(result.uncertain);
    }
}

/* Missing is never zero: where the bounds reach the top band the case is handled as one, and says
 * so. */
static void test_bounds(void **state)
{
    (void)state;
    struct ck_odara_result result = score(4, 3, &eligible);
    assert_int_equal(result.band, CK_BAND_5_6);
    assert_true(result.uncertain);
    assert_int_equal(result.handled_as, CK_BAND_TOP);
    result = score(3, 3, &eligible);
    assert_false(result.uncertain);
    assert_int_equal(result.handled_as, CK_BAND_4);
    result = score(7, 3, &eligible);
    assert_false(result.uncertain);
    result = score(5, 6, &eligible);
    assert_false(result.enough);
    assert_int_equal(result.band, CK_BAND_UNSCORED);
    assert_int_equal(result.handled_as, CK_BAND_UNSCORED);
    assert_int_equal(result.prorated, 0);
    assert_true(result.uncertain);
}

static void test_eligibility(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct ck_odara_eligibility not = eligible;
        bool *const fields[4] = {&not .known_to_police, &not .partner, &not .contact_or_threat,
                                 &not .adult_man_to_woman};
        *fields[i] = false;
        struct ck_odara_result result = score(9, 0, &not );
        assert_false(result.eligible);
        assert_int_equal(result.raw, 9);
        assert_int_equal(result.band, CK_BAND_UNSCORED);
    }
    enum ck_odara_answer items[CK_ODARA_ITEMS] = {[12] = CK_ODARA_ANSWER_COUNT};
    struct ck_odara_norms norms = ck_odara_norms_proportional();
    struct ck_odara_result result = {.raw = 77};
    assert_int_equal(ck_odara_score(items, &eligible, &norms, &result), CK_E_INVALID);
    assert_int_equal(result.raw, 77);
}

static void test_norms_are_checked(void **state)
{
    (void)state;
    struct ck_odara_norms norms = ck_odara_norms_proportional();
    assert_null(ck_odara_norms_fault(&norms));
    for (uint32_t missing = 6; missing <= CK_ODARA_MISSING_MAX; missing++) {
        for (uint8_t raw = 0; raw <= CK_ODARA_ITEMS; raw++) {
            norms.prorated[missing][raw] = raw;
        }
    }
    norms.missing_max = CK_ODARA_MISSING_MAX;
    assert_null(ck_odara_norms_fault(&norms));
    norms.missing_max = CK_ODARA_MISSING_MAX + 1;
    assert_string_equal(ck_odara_norms_fault(&norms), "missing_max");
    norms = ck_odara_norms_proportional();
    norms.prorated[2][5] = 4;
    assert_string_equal(ck_odara_norms_fault(&norms), "prorated");
    norms.prorated[2][5] = 8;
    assert_string_equal(ck_odara_norms_fault(&norms), "prorated");
    norms = ck_odara_norms_proportional();
    norms.prorated[3][5] = 6;
    norms.prorated[3][4] = 7;
    assert_string_equal(ck_odara_norms_fault(&norms), "prorated");
    norms = ck_odara_norms_proportional();
    norms.band_from[CK_BAND_0] = 1;
    assert_string_equal(ck_odara_norms_fault(&norms), "band_from");
    norms = ck_odara_norms_proportional();
    norms.band_from[CK_BAND_TOP] = 14;
    assert_string_equal(ck_odara_norms_fault(&norms), "band_from");
    norms = ck_odara_norms_proportional();
    norms.band_from[CK_BAND_3] = 2;
    assert_string_equal(ck_odara_norms_fault(&norms), "band_from");
}

/* ---- proposals
 * -------------------------------------------------------------------------------------------- */

static int propose(enum ck_band band, const struct ck_order *order, struct ck_plan *plan,
                   uint32_t *gave_way)
{
    struct ck_cadence_table table = ck_cadence_default();
    return ck_cadence_propose(&table, band, order, day("2026-11-04"), 20 * MINUTE, plan, gave_way);
}

/* Whatever is proposed passes both checks. */
static void test_every_proposal_is_allowed(void **state)
{
    (void)state;
    uint64_t seed = 11;
    int none = 0;
    for (int i = 0; i < 3000; i++) {
        struct ck_order order = good_order();
        order.until.day = order.from.day + (int32_t)random_below(&seed, 200);
        order.hours_start_min = (int32_t)random_below(&seed, 1440);
        order.hours_end_min = order.hours_start_min + 1 + (int32_t)random_below(&seed, 1000);
        order.per_day_max = (uint32_t)random_below(&seed, 3);
        order.requirement_count = (uint32_t)random_below(&seed, 2);
        order.requirements[0].count = 1 + (uint32_t)random_below(&seed, 4);
        order.requirements[0].days = (uint32_t)random_below(&seed, 32);
        order.requirements[0].mandatory = random_below(&seed, 4) != 0;
        order.requirements[0].modes = 1 + (uint32_t)random_below(&seed, 7);
        struct ck_plan plan;
        uint32_t gave_way;
        int code = propose(random_below(&seed, CK_BAND_COUNT), &order, &plan, &gave_way);
        if (code != 0) {
            assert_int_equal(code, CK_E_NOT_FOUND);
            none++;
            continue;
        }
        const struct ck_plan *plans[1] = {&plan};
        assert_int_equal(ck_plan_check(&plan), CK_PLAN_OK);
        assert_int_equal(ck_obligation_check(&order, plans, 1, 0, NULL), CK_OBLIGATION_OK);
    }
    assert_in_range(none, 100, 2900);
}

static void test_bands_propose_their_cadence(void **state)
{
    (void)state;
    static const struct {
        enum ck_band band;
        uint32_t contacts;
        uint32_t weeks;
    } expected[] = {
        {CK_BAND_UNSCORED, 1, 2}, {CK_BAND_0, 1, 2},   {CK_BAND_2, 1, 2},    {CK_BAND_3, 1, 1},
        {CK_BAND_4, 1, 1},        {CK_BAND_5_6, 2, 1}, {CK_BAND_7_13, 3, 1},
    };
    struct ck_order order = good_order();
    order.requirements[0].count = 7;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct ck_plan plan;
        uint32_t gave_way = 99;
        assert_int_equal(propose(expected[i].band, &order, &plan, &gave_way), 0);
        assert_int_equal(plan.rule.byday_count, expected[i].contacts);
        assert_int_equal(plan.rule.interval, expected[i].weeks);
        assert_int_equal(plan.rule.byday[0].weekday, CK_WEDNESDAY);
        assert_int_equal(plan.draws, 1);
        assert_true(plan.mandatory);
        assert_int_equal(gave_way, 0);
    }
}

static void test_the_order_wins(void **state)
{
    (void)state;
    struct ck_order order = good_order();
    struct ck_plan plan;
    uint32_t gave_way;
    assert_int_equal(propose(CK_BAND_TOP, &order, &plan, &gave_way), 0);
    assert_int_equal(gave_way, CK_CADENCE_FEWER);
    assert_int_equal(plan.rule.byday_count, 1);
    order.requirements[0].days = 21;
    assert_int_equal(propose(CK_BAND_TOP, &order, &plan, &gave_way), 0);
    assert_int_equal(plan.rule.interval, 3);
    order = good_order();
    order.requirement_count = 0;
    assert_int_equal(propose(CK_BAND_TOP, &order, &plan, &gave_way), 0);
    assert_int_equal(gave_way, CK_CADENCE_VOLUNTARY);
    assert_false(plan.mandatory);
    assert_int_equal(plan.max_silence_ms, 7 * DAY);
    order = good_order();
    order.hours_start_min = 19 * 60;
    order.hours_end_min = 21 * 60;
    assert_int_equal(propose(CK_BAND_3, &order, &plan, &gave_way), 0);
    assert_int_equal(gave_way, CK_CADENCE_HOURS);
    assert_int_equal(plan.windows[0].start_min, 19 * 60);
    assert_int_equal(plan.windows[0].end_min, 21 * 60);
    order.hours_end_min = 19 * 60 + 49;
    assert_int_equal(propose(CK_BAND_3, &order, &plan, &gave_way), 0);
    assert_int_equal(gave_way, CK_CADENCE_HOURS | CK_CADENCE_FIXED);
    assert_int_equal(plan.fixed_min[0], 19 * 60);
    order.hours_end_min = 19 * 60 + 20;
    assert_int_equal(propose(CK_BAND_3, &order, &plan, &gave_way), CK_E_NOT_FOUND);
    order = good_order();
    order.per_day_max = 0;
    assert_int_equal(propose(CK_BAND_3, &order, &plan, &gave_way), CK_E_NOT_FOUND);
    order = good_order();
    order.minor = true;
    assert_int_equal(propose(CK_BAND_3, &order, &plan, &gave_way), CK_E_NOT_FOUND);
    /* An order that has not begun. */
    order = good_order();
    order.from = day("2026-11-10");
    assert_int_equal(propose(CK_BAND_3, &order, &plan, &gave_way), 0);
    assert_int_equal(plan.first.day, order.from.day);
}

static void test_not_every_cadence_is_random(void **state)
{
    (void)state;
    struct ck_cadence_table table = ck_cadence_default();
    table.bands[CK_BAND_3].random = false;
    struct ck_order order = good_order();
    struct ck_plan plan;
    uint32_t gave_way;
    assert_int_equal(ck_cadence_propose(&table, CK_BAND_3, &order, day("2026-11-04"), 20 * MINUTE,
                                        &plan, &gave_way),
                     0);
    assert_int_equal(plan.draws, 0);
    assert_int_equal(plan.fixed_count, 1);
    assert_int_equal(gave_way, 0);
}

static void test_cadence_tables_are_checked(void **state)
{
    (void)state;
    enum ck_band band = CK_BAND_0;
    struct ck_cadence_table table = ck_cadence_default();
    assert_null(ck_cadence_fault(&table, &band));
#define FAULT(field, name)                                                                         \
    do {                                                                                           \
        table = ck_cadence_default();                                                              \
        struct ck_cadence *cadence = &table.bands[CK_BAND_4];                                      \
        field;                                                                                     \
        assert_string_equal(ck_cadence_fault(&table, &band), name);                                \
        assert_int_equal(band, CK_BAND_4);                                                         \
    } while (0)
    FAULT(cadence->contacts = 0, "contacts");
    FAULT(cadence->contacts = 8, "contacts");
    FAULT(cadence->weeks = 0, "weeks");
    FAULT(cadence->weeks = 9, "weeks");
    FAULT(cadence->weeks = 2; cadence->contacts = 2, "weeks");
    FAULT(cadence->start_min = -1, "window");
    FAULT(cadence->start_min = 1440, "window");
    FAULT(cadence->end_min = cadence->start_min, "window");
    FAULT(cadence->end_min = 2881, "window");
    FAULT(cadence->max_silence_ms = -1, "max_silence_ms");
#undef FAULT
}

/* Pages say a refusal in their own language by its name, so no two may have one. */
static void test_reasons_have_names_of_their_own(void **state)
{
    (void)state;
    for (unsigned one = 0; one < CK_OBLIGATION_REASON_COUNT; one++) {
        assert_non_null(ck_obligation_reason_name(one));
        for (unsigned other = 0; other < one; other++) {
            assert_string_not_equal(ck_obligation_reason_name(one),
                                    ck_obligation_reason_name(other));
        }
    }
    assert_null(ck_obligation_reason_name(CK_OBLIGATION_REASON_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders_are_checked),
        cmocka_unit_test(test_reasons_have_names_of_their_own),
        cmocka_unit_test(test_replacing_visits),
        cmocka_unit_test(test_plans_within_the_order),
        cmocka_unit_test(test_any_hour_has_no_seam_but_the_end_of_the_order),
        cmocka_unit_test(test_when_the_hours_end),
        cmocka_unit_test(test_only_what_is_required_is_mandatory),
        cmocka_unit_test(test_not_more_than_the_order_says),
        cmocka_unit_test(test_calendar_months),
        cmocka_unit_test(test_plans_are_counted_together),
        cmocka_unit_test(test_contacts_that_were_made_count),
        cmocka_unit_test(test_a_plan_whose_dates_are_over),
        cmocka_unit_test(test_extras_obey_the_same),
        cmocka_unit_test(test_proration),
        cmocka_unit_test(test_bands),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_eligibility),
        cmocka_unit_test(test_norms_are_checked),
        cmocka_unit_test(test_every_proposal_is_allowed),
        cmocka_unit_test(test_bands_propose_their_cadence),
        cmocka_unit_test(test_the_order_wins),
        cmocka_unit_test(test_not_every_cadence_is_random),
        cmocka_unit_test(test_cadence_tables_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
