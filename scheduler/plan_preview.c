#include "scheduler/plan_preview.h"

#include "scheduler/plan_impl.h"

static struct ck_date later_date(struct ck_date a, struct ck_date b)
{
    return a.day > b.day ? a : b;
}

static struct ck_date earlier_date(struct ck_date a, struct ck_date b)
{
    return a.day < b.day ? a : b;
}

size_t ck_preview_windows(const struct ck_plan *plan, const struct ck_zone *zone,
                          struct ck_wall now, struct ck_date until,
                          struct ck_preview_window *windows, size_t max)
{
    size_t count = 0;
    struct ck_date first = later_date(ck_zone_local(zone, now).date, plan->order_from);
    struct ck_date last = earlier_date(until, plan->order_until);
    struct ck_rule_walk walk = ck_rule_walk_from(&plan->rule, plan->first);
    struct ck_date date;
    while (ck_rule_walk_next(&plan->rule, plan->first, last, &walk, &date)) {
        for (uint32_t i = 0; i < plan->window_count && date.day >= first.day; i++) {
            uint32_t contacts = ck_plan_left(plan, zone, date, i, now);
            if (contacts == 0) {
                continue;
            }
            if (count == max) {
                return count;
            }
            struct ck_preview_window *window = &windows[count++];
            window->date = date;
            window->window = i;
            window->instants = ck_plan_window_of(plan, zone, date, i, &window->extended);
            window->contacts = contacts;
        }
    }
    return count;
}

/* Where a walk over one plan's dates stands. */
struct cursor {
    const struct ck_plan *plan;
    struct ck_rule_walk walk;
    struct ck_date date;
    bool live;
};

static void advance(struct cursor *cursor, struct ck_date from, struct ck_date until)
{
    const struct ck_plan *plan = cursor->plan;
    struct ck_date first = later_date(from, plan->order_from);
    struct ck_date last = earlier_date(until, plan->order_until);
    do {
        cursor->live =
            ck_rule_walk_next(&plan->rule, plan->first, last, &cursor->walk, &cursor->date);
    } while (cursor->live && cursor->date.day < first.day);
}

static uint32_t contacts_of(const struct ck_plan *plan)
{
    return plan->draws > 0 ? plan->draws * plan->window_count : plan->fixed_count;
}

static bool same_day(const struct ck_plan *a, const struct ck_plan *b)
{
    if (a->window_count != b->window_count || a->draws != b->draws ||
        a->fixed_count != b->fixed_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->window_count; i++) {
        if (a->windows[i].start_min != b->windows[i].start_min ||
            a->windows[i].end_min != b->windows[i].end_min) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->fixed_count; i++) {
        if (a->fixed_min[i] != b->fixed_min[i]) {
            return false;
        }
    }
    return true;
}

size_t ck_preview_differences(const struct ck_plan *before, const struct ck_plan *after,
                              struct ck_date from, struct ck_date until,
                              struct ck_plan_difference *differences, size_t max)
{
    struct cursor old = {.plan = before, .walk = ck_rule_walk_from(&before->rule, before->first)};
    struct cursor new = {.plan = after, .walk = ck_rule_walk_from(&after->rule, after->first)};
    bool same = same_day(before, after);
    size_t count = 0;
    advance(&old, from, until);
    advance(&new, from, until);
    while ((old.live || new.live) && count < max) {
        bool has_old = old.live && (!new.live || old.date.day <= new.date.day);
        bool has_new = new.live && (!old.live || new.date.day <= old.date.day);
        struct ck_plan_difference difference = {
            .date = has_old ? old.date : new.date,
            .difference = !has_old   ? CK_DIFFERENCE_ADDED
                          : !has_new ? CK_DIFFERENCE_REMOVED
                                     : CK_DIFFERENCE_CHANGED,
            .contacts_before = has_old ? contacts_of(before) : 0,
            .contacts_after = has_new ? contacts_of(after) : 0,
        };
        if (!has_old || !has_new || !same) {
            differences[count++] = difference;
        }
        if (has_old) {
            advance(&old, from, until);
        }
        if (has_new) {
            advance(&new, from, until);
        }
    }
    return count;
}

const char *ck_difference_name(enum ck_difference difference)
{
    static const char *const names[CK_DIFFERENCE_COUNT] = {
        [CK_DIFFERENCE_ADDED] = "added",
        [CK_DIFFERENCE_REMOVED] = "removed",
        [CK_DIFFERENCE_CHANGED] = "changed",
    };
    return (unsigned)difference < CK_DIFFERENCE_COUNT ? names[difference] : NULL;
}
