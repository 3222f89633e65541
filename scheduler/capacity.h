/* Who has time when. Live check-ins reserve an inspector; where the assigned one has none, the
 * team, then the duty pool; where nobody has, another place in the window, then unattended
 * (plan.h). */
#ifndef SCHEDULER_CAPACITY_H
#define SCHEDULER_CAPACITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/error.h"
#include "protocol/base/time.h"
#include "scheduler/draw.h"

/* In the order in which they are asked. */
enum ck_relation {
    CK_RELATION_ASSIGNED = 0,
    CK_RELATION_STAND_IN,
    CK_RELATION_TEAM,
    CK_RELATION_DUTY,
    CK_RELATION_COUNT,
};

/* One member of staff around a time. Intervals need no order and may overlap. */
struct ck_capacity_person {
    int64_t staff;
    enum ck_relation relation;
    const struct ck_interval *shifts; /* on duty */
    size_t shift_count;
    const struct ck_interval *absences; /* taken out of the shifts */
    size_t absence_count;
    const struct ck_interval *reserved; /* by other check-ins */
    size_t reserved_count;
};

/* Whether this person can take a call of `length_ms` that begins at `at`: on duty all the time, and
 * free. */
bool ck_capacity_is_free(const struct ck_capacity_person *person, struct ck_wall at,
                         int64_t length_ms);

/* The first who can, by relation, then with the fewest reservations, then by staff id. 0 and
 * *index, or CK_E_NOT_FOUND. */
int ck_capacity_pick(const struct ck_capacity_person *people, size_t count, struct ck_wall at,
                     int64_t length_ms, size_t *index);

/* The beginnings in `span` at which nobody can take a call: the `busy` of ck_plan_expand(). */
void ck_capacity_busy(const struct ck_capacity_person *people, size_t count,
                      struct ck_interval span, int64_t length_ms, struct ck_interval_set *busy);

/* Overload ahead: a stretch in which more check-ins are due at once than people can take. */
struct ck_overload {
    struct ck_interval during;
    uint32_t due;  /* most at once */
    uint32_t able; /* people on duty then */
};

#define CK_OVERLOADS_MAX 32

/* Looks at `span` in steps of `step_ms`: check-ins are due at `dues` for `length_ms` each
 * (reservations of the people are not looked at: they are the same check-ins). Stretches that touch
 * are one. At most CK_OVERLOADS_MAX, the first. */
size_t ck_capacity_overloads(const struct ck_capacity_person *people, size_t count,
                             const struct ck_wall *dues, size_t due_count, int64_t length_ms,
                             struct ck_interval span, int64_t step_ms,
                             struct ck_overload overloads[static CK_OVERLOADS_MAX]);

const char *ck_relation_name(enum ck_relation relation);

#endif
