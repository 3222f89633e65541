#include "scheduler/capacity.h"

static bool touches_any(const struct ck_interval *intervals, size_t count,
                        struct ck_interval wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (wanted.from.ms < intervals[i].until.ms && intervals[i].from.ms < wanted.until.ms) {
            return true;
        }
    }
    return false;
}

/* Whether shifts, perhaps several that follow each other, cover all of it. */
static bool covers(const struct ck_interval *shifts, size_t count, struct ck_interval wanted)
{
    struct ck_interval_set left;
    ck_interval_set_of(wanted, &left);
    for (size_t i = 0; i < count; i++) {
        ck_interval_set_take(&left, shifts[i]);
    }
    return left.count == 0;
}

static bool on_duty(const struct ck_capacity_person *person, struct ck_interval wanted)
{
    return covers(person->shifts, person->shift_count, wanted) &&
           !touches_any(person->absences, person->absence_count, wanted);
}

bool ck_capacity_is_free(const struct ck_capacity_person *person, struct ck_wall at,
                         int64_t length_ms)
{
    struct ck_interval wanted = {at, ck_wall_add_ms(at, length_ms)};
    return on_duty(person, wanted) &&
           !touches_any(person->reserved, person->reserved_count, wanted);
}

static bool is_better(const struct ck_capacity_person *a, const struct ck_capacity_person *b)
{
    if (a->relation != b->relation) {
        return a->relation < b->relation;
    }
    if (a->reserved_count != b->reserved_count) {
        return a->reserved_count < b->reserved_count;
    }
    return a->staff < b->staff;
}

int ck_capacity_pick(const struct ck_capacity_person *people, size_t count, struct ck_wall at,
                     int64_t length_ms, size_t *index)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        if (ck_capacity_is_free(&people[i], at, length_ms) &&
            (best == count || is_better(&people[i], &people[best]))) {
            best = i;
        }
    }
    if (best == count) {
        return CK_E_NOT_FOUND;
    }
    *index = best;
    return 0;
}

/* The beginnings in `span` at which this one person can take a call. */
static void free_beginnings(const struct ck_capacity_person *person, struct ck_interval span,
                            int64_t length_ms, struct ck_interval_set *set)
{
    /* What is no shift is a hole like an absence: a call must not reach into it. */
    struct ck_interval reach = {span.from, ck_wall_add_ms(span.until, length_ms)};
    struct ck_interval_set off;
    ck_interval_set_of(reach, &off);
    for (size_t i = 0; i < person->shift_count; i++) {
        ck_interval_set_take(&off, person->shifts[i]);
    }
    ck_interval_set_of(span, set);
    const struct {
        const struct ck_interval *items;
        size_t count;
    } holes[] = {
        {off.items, off.count},
        {person->absences, person->absence_count},
        {person->reserved, person->reserved_count},
    };
    for (int kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < holes[kind].count; i++) {
            struct ck_interval hole = holes[kind].items[i];
            hole.from = ck_wall_add_ms(hole.from, 1 - length_ms);
            ck_interval_set_take(set, hole);
        }
    }
}

void ck_capacity_busy(const struct ck_capacity_person *people, size_t count,
                      struct ck_interval span, int64_t length_ms, struct ck_interval_set *busy)
{
    ck_interval_set_of(span, busy);
    for (size_t i = 0; i < count; i++) {
        struct ck_interval_set set;
        free_beginnings(&people[i], span, length_ms, &set);
        for (uint32_t piece = 0; piece < set.count; piece++) {
            ck_interval_set_take(busy, set.items[piece]);
        }
    }
}

static uint32_t people_on_duty(const struct ck_capacity_person *people, size_t count,
                               struct ck_wall at)
{
    struct ck_interval instant = {at, ck_wall_add_ms(at, 1)};
    uint32_t able = 0;
    for (size_t i = 0; i < count; i++) {
        able += on_duty(&people[i], instant);
    }
    return able;
}

static uint32_t due_at(const struct ck_wall *dues, size_t count, int64_t length_ms,
                       struct ck_wall at)
{
    uint32_t due = 0;
    for (size_t i = 0; i < count; i++) {
        due += dues[i].ms <= at.ms && at.ms < dues[i].ms + length_ms;
    }
    return due;
}

size_t ck_capacity_overloads(const struct ck_capacity_person *people, size_t count,
                             const struct ck_wall *dues, size_t due_count, int64_t length_ms,
                             struct ck_interval span, int64_t step_ms,
                             struct ck_overload overloads[static CK_OVERLOADS_MAX])
{
    size_t found = 0;
    bool open = false;
    for (struct ck_wall at = span.from; at.ms < span.until.ms; at.ms += step_ms) {
        uint32_t due = due_at(dues, due_count, length_ms, at);
        uint32_t able = people_on_duty(people, count, at);
        if (due <= able) {
            open = false;
            continue;
        }
        if (!open && found == CK_OVERLOADS_MAX) {
            break;
        }
        if (!open) {
            overloads[found++] = (struct ck_overload){.during = {at, at}, .able = able};
            open = true;
        }
        struct ck_overload *overload = &overloads[found - 1];
        overload->during.until = ck_wall_add_ms(at, step_ms);
        overload->due = due > overload->due ? due : overload->due;
        overload->able = able < overload->able ? able : overload->able;
    }
    return found;
}

const char *ck_relation_name(enum ck_relation relation)
{
    static const char *const names[CK_RELATION_COUNT] = {
        [CK_RELATION_ASSIGNED] = "assigned",
        [CK_RELATION_STAND_IN] = "stand_in",
        [CK_RELATION_TEAM] = "team",
        [CK_RELATION_DUTY] = "duty",
    };
    return (unsigned)relation < CK_RELATION_COUNT ? names[relation] : NULL;
}
