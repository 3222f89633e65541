#include "scheduler/cadence.h"

#include <string.h>

#include "protocol/base/error.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (MINUTE_MS * 60 * 24)

enum { DAY_MIN = 24 * 60 };

struct ck_cadence_table ck_cadence_default(void)
{
    const struct ck_cadence fortnight = {
        .contacts = 1, .weeks = 2, .start_min = 18 * 60, .end_min = 22 * 60, .random = true};
    struct ck_cadence week = fortnight;
    week.weeks = 1;
    struct ck_cadence twice = week;
    twice.contacts = 2;
    twice.weekly_visit = true;
    twice.supervisor_review = true;
    struct ck_cadence thrice = twice;
    thrice.contacts = 3;
    thrice.case_conference = true;
    thrice.max_silence_ms = 7 * DAY_MS;
    return (struct ck_cadence_table){
        .bands =
            {
                [CK_BAND_UNSCORED] = fortnight,
                [CK_BAND_0] = fortnight,
                [CK_BAND_1] = fortnight,
                [CK_BAND_2] = fortnight,
                [CK_BAND_3] = week,
                [CK_BAND_4] = week,
                [CK_BAND_5_6] = twice,
                [CK_BAND_7_13] = thrice,
            },
    };
}

static const char *one_fault(const struct ck_cadence *cadence)
{
    if (cadence->contacts < 1 || cadence->contacts > CK_CADENCE_CONTACTS_MAX) {
        return "contacts";
    }
    if (cadence->weeks < 1 || cadence->weeks > CK_CADENCE_WEEKS_MAX ||
        (cadence->weeks > 1 && cadence->contacts > 1)) {
        return "weeks";
    }
    if (cadence->start_min < 0 || cadence->start_min >= DAY_MIN ||
        cadence->end_min <= cadence->start_min || cadence->end_min > 2 * DAY_MIN) {
        return "window";
    }
    if (cadence->max_silence_ms < 0) {
        return "max_silence_ms";
    }
    return NULL;
}

const char *ck_cadence_fault(const struct ck_cadence_table *table, enum ck_band *band)
{
    for (int b = 0; b < CK_BAND_COUNT; b++) {
        const char *fault = one_fault(&table->bands[b]);
        if (fault != NULL) {
            *band = (enum ck_band)b;
            return fault;
        }
    }
    return NULL;
}

/* `contacts` weekdays, as evenly over the week as they go, the first being that of `first`. */
static void set_rule(struct ck_rule *rule, uint32_t contacts, uint32_t weeks, struct ck_date first)
{
    memset(rule, 0, sizeof(*rule));
    rule->frequency = CK_WEEKLY;
    rule->interval = weeks;
    rule->byday_count = contacts;
    for (uint32_t i = 0; i < contacts; i++) {
        struct ck_date date = {first.day + (int32_t)(i * 7 / contacts)};
        rule->byday[i].weekday = (uint8_t)ck_date_weekday(date);
    }
}

/* Whether the order requires live video at all, so that a plan for it can be mandatory. */
static bool requires_video(const struct ck_order *order)
{
    for (uint32_t i = 0; i < order->requirement_count; i++) {
        if (order->requirements[i].mandatory &&
            (order->requirements[i].modes & CK_MODE_BIT(CK_MODE_LIVE_VIDEO)) != 0) {
            return true;
        }
    }
    return false;
}

static bool set_window(const struct ck_cadence *cadence, const struct ck_order *order,
                       struct ck_plan *plan, uint32_t *gave_way)
{
    struct ck_plan_window window = {cadence->start_min, cadence->end_min};
    if (window.start_min < order->hours_start_min) {
        window.start_min = order->hours_start_min;
        *gave_way |= CK_CADENCE_HOURS;
    }
    if (window.end_min > order->hours_end_min) {
        window.end_min = order->hours_end_min;
        *gave_way |= CK_CADENCE_HOURS;
    }
    int64_t span_ms = (window.end_min - window.start_min) * MINUTE_MS - plan->tail_ms;
    if (span_ms < MINUTE_MS) {
        return false;
    }
    plan->window_count = 1;
    plan->windows[0] = window;
    if (cadence->random && span_ms >= CK_PLAN_FLOOR_MS) {
        plan->draws = 1;
        return true;
    }
    if (cadence->random) {
        *gave_way |= CK_CADENCE_FIXED;
    }
    plan->fixed_count = 1;
    plan->fixed_min[0] = window.start_min;
    return true;
}

int ck_cadence_propose(const struct ck_cadence_table *table, enum ck_band band,
                       const struct ck_order *order, struct ck_date first, int64_t tail_ms,
                       struct ck_plan *plan, uint32_t *gave_way)
{
    const struct ck_cadence *cadence = &table->bands[band];
    struct ck_plan made;
    memset(&made, 0, sizeof(made));
    uint32_t mask = 0;
    made.kind = CK_KIND_LIVE;
    made.band = band;
    made.first = first.day < order->from.day ? order->from : first;
    made.order_from = order->from;
    made.order_until = order->until;
    made.tail_ms = tail_ms;
    made.max_silence_ms = cadence->max_silence_ms;
    made.horizon_days = 14;
    made.mandatory = requires_video(order);
    if (!made.mandatory) {
        mask |= CK_CADENCE_VOLUNTARY;
    }
    if (ck_order_check(order) != CK_OBLIGATION_OK || !set_window(cadence, order, &made, &mask)) {
        return CK_E_NOT_FOUND;
    }
    /* Fewer a week, then once in more weeks, until the order allows it. */
    uint32_t contacts = cadence->contacts;
    uint32_t weeks = cadence->weeks;
    while (weeks <= CK_CADENCE_WEEKS_MAX) {
        const struct ck_plan *plans[1] = {&made};
        set_rule(&made.rule, contacts, weeks, made.first);
        enum ck_plan_reason sound = ck_plan_check(&made);
        if (sound == CK_PLAN_OK &&
            ck_obligation_check(order, plans, 1, 0, NULL) == CK_OBLIGATION_OK) {
            *plan = made;
            *gave_way = mask;
            return 0;
        }
        mask |= CK_CADENCE_FEWER;
        if (contacts > 1) {
            contacts--;
        } else {
            weeks++;
        }
    }
    return CK_E_NOT_FOUND;
}
