/* Between the files of the plan. */
#ifndef SCHEDULER_PLAN_IMPL_H
#define SCHEDULER_PLAN_IMPL_H

#include "scheduler/plan.h"

/* The instants of window `index` of a date; `extended` says whether a clock change cut it and its
 * end was moved. */
struct ck_interval ck_plan_window_of(const struct ck_plan *plan, const struct ck_zone *zone,
                                     struct ck_date date, uint32_t index, bool *extended);

#endif
