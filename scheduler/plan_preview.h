/* What a plan will do, before it is saved: its next windows, and what is different from the plan it
 * replaces. Windows only: the instants inside them are drawn later and are nobody's business here.
 */
#ifndef SCHEDULER_PLAN_PREVIEW_H
#define SCHEDULER_PLAN_PREVIEW_H

#include <stddef.h>

#include "scheduler/plan.h"

struct ck_preview_window {
    struct ck_date date;
    uint32_t window;
    struct ck_interval instants;
    /* How many check-ins fall into it; less than the plan says where it has begun. */
    uint32_t contacts;
    bool extended; /* cut by a clock change, end moved */
};

/* The windows in which something can still be planned at `now`, from its date to `until` (both
 * included), at most `max`. Returns how many. */
size_t ck_preview_windows(const struct ck_plan *plan, const struct ck_zone *zone,
                          struct ck_wall now, struct ck_date until,
                          struct ck_preview_window *windows, size_t max);

enum ck_difference {
    CK_DIFFERENCE_ADDED = 0,
    CK_DIFFERENCE_REMOVED,
    CK_DIFFERENCE_CHANGED, /* other windows or another number of contacts */
    CK_DIFFERENCE_COUNT,
};

struct ck_plan_difference {
    struct ck_date date;
    enum ck_difference difference;
    uint32_t contacts_before, contacts_after;
};

/* The dates from `from` to `until` on which the two plans differ, at most `max`. Returns how many.
 */
size_t ck_preview_differences(const struct ck_plan *before, const struct ck_plan *after,
                              struct ck_date from, struct ck_date until,
                              struct ck_plan_difference *differences, size_t max);

const char *ck_difference_name(enum ck_difference difference);

#endif
