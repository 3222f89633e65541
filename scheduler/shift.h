/* Shifts: when a member of staff is there, as wall times of the unit's zone. The start of a shift
 * is the first occurrence of its wall time, its end the last one (S3), so that a change of the
 * clock never takes an hour of cover away. */
#ifndef SCHEDULER_SHIFT_H
#define SCHEDULER_SHIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/date.h"
#include "scheduler/draw.h"
#include "scheduler/zone.h"

/* One weekday's shift from its first to its last date; a shift of one day has both the same. */
struct ck_shift {
    enum ck_weekday weekday;    /* of the day that it starts on */
    struct ck_date from, until; /* dates of its start, both within; CK_DATE_MAX: without end */
    int32_t start_s;            /* of the day, 0 to 86399 */
    int32_t end_s;              /* of the day; not after the start: of the next day */
};

/* NULL where it is sound; otherwise the name of the first member that is not. */
const char *ck_shift_fault(const struct ck_shift *shift);

/* Whether the instant lies in an occurrence: [start, end). */
bool ck_shift_covers(const struct ck_shift *shift, const struct ck_zone *zone, struct ck_wall at);

/* The occurrences that touch `span`, ascending and whole. Returns how many, at most `capacity`: the
 * first. */
size_t ck_shift_intervals(const struct ck_shift *shift, const struct ck_zone *zone,
                          struct ck_interval span, struct ck_interval *intervals, size_t capacity);

#endif
