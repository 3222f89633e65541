#include "scheduler/recurrence.h"

static int32_t monday_before(struct ck_date date)
{
    return date.day - (int32_t)ck_date_weekday(date);
}

/* Whether the date lies in a day, week or month that the rule's interval does not skip. */
static bool in_phase(const struct ck_rule *rule, struct ck_date first, struct ck_date date)
{
    int32_t apart;
    switch (rule->frequency) {
    case CK_DAILY:
        apart = date.day - first.day;
        break;
    case CK_WEEKLY:
        apart = (monday_before(date) - monday_before(first)) / 7;
        break;
    default: {
        struct ck_civil a = ck_date_civil(first);
        struct ck_civil b = ck_date_civil(date);
        apart = (b.year - a.year) * 12 + b.month - a.month;
        break;
    }
    }
    return apart % (int32_t)rule->interval == 0;
}

/* Whether the date is the ordinal-th of its weekday in its month. */
static bool is_ordinal(struct ck_civil civil, int32_t ordinal)
{
    if (ordinal > 0) {
        return (civil.day - 1) / 7 + 1 == ordinal;
    }
    return (ck_month_days(civil.year, civil.month) - civil.day) / 7 + 1 == -ordinal;
}

static bool matches_byday(const struct ck_rule *rule, struct ck_date date)
{
    for (uint32_t i = 0; i < rule->byday_count; i++) {
        if (rule->byday[i].weekday != ck_date_weekday(date)) {
            continue;
        }
        if (rule->byday[i].ordinal == 0 ||
            is_ordinal(ck_date_civil(date), rule->byday[i].ordinal)) {
            return true;
        }
    }
    return false;
}

static bool matches_bymonthday(const struct ck_rule *rule, struct ck_date date)
{
    struct ck_civil civil = ck_date_civil(date);
    int32_t from_end = civil.day - ck_month_days(civil.year, civil.month) - 1;
    for (uint32_t i = 0; i < rule->bymonthday_count; i++) {
        if (rule->bymonthday[i] == civil.day || rule->bymonthday[i] == from_end) {
            return true;
        }
    }
    return false;
}

/* Without any BY part a week repeats the first date's weekday, and a month its day. */
static bool matches_first(const struct ck_rule *rule, struct ck_date first, struct ck_date date)
{
    switch (rule->frequency) {
    case CK_DAILY:
        return true;
    case CK_WEEKLY:
        return ck_date_weekday(date) == ck_date_weekday(first);
    default:
        return ck_date_civil(date).day == ck_date_civil(first).day;
    }
}

static bool matches(const struct ck_rule *rule, struct ck_date first, struct ck_date date)
{
    if (!in_phase(rule, first, date)) {
        return false;
    }
    if (rule->byday_count == 0 && rule->bymonthday_count == 0) {
        return matches_first(rule, first, date);
    }
    return (rule->byday_count == 0 || matches_byday(rule, date)) &&
           (rule->bymonthday_count == 0 || matches_bymonthday(rule, date));
}

static bool listed(const struct ck_date *dates, uint32_t count, struct ck_date date)
{
    for (uint32_t i = 0; i < count; i++) {
        if (dates[i].day == date.day) {
            return true;
        }
    }
    return false;
}

struct ck_rule_walk ck_rule_walk_from(const struct ck_rule *rule, struct ck_date first)
{
    struct ck_rule_walk walk = {.next = first};
    for (uint32_t i = 0; i < rule->rdate_count; i++) {
        if (rule->rdate[i].day < walk.next.day) {
            walk.next = rule->rdate[i];
        }
    }
    return walk;
}

/* Whether the rule itself gives the date; counts it. */
static bool ruled(const struct ck_rule *rule, struct ck_date first, struct ck_date date,
                  struct ck_rule_walk *walk)
{
    if (date.day < first.day || (rule->has_until && date.day > rule->until.day) ||
        (rule->count != 0 && walk->counted >= rule->count) || !matches(rule, first, date)) {
        return false;
    }
    walk->counted++;
    return true;
}

bool ck_rule_walk_next(const struct ck_rule *rule, struct ck_date first, struct ck_date last,
                       struct ck_rule_walk *walk, struct ck_date *date)
{
    while (walk->next.day <= last.day) {
        struct ck_date at = walk->next;
        walk->next.day++;
        bool given = ruled(rule, first, at, walk);
        if ((given || listed(rule->rdate, rule->rdate_count, at)) &&
            !listed(rule->exdate, rule->exdate_count, at)) {
            *date = at;
            return true;
        }
    }
    return false;
}
