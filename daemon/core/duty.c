#include "daemon/core/duty.h"

#include <errno.h>

#include "daemon/core/command.h"
#include "protocol/base/error.h"

#define NIGHT_MS INT64_C(86400000) /* a shift that ends in the span may have begun a day before */

static int zone_of(struct ck_zones *zones, const char *name, const struct ck_zone **zone)
{
    int r = ck_zones_find(zones, name, zone);
    return r > 0 ? -EUCLEAN : r;
}

/* The shifts of somebody that can matter from `at` on. */
static int shifts_from(struct ck_store *store, const struct ck_zone *zone, int64_t staff,
                       struct ck_wall at, struct ck_shift_row *rows, size_t *count)
{
    struct ck_date date = ck_zone_local(zone, ck_wall_add_ms(at, -NIGHT_MS)).date;
    return ck_shifts_of(store, staff, date, rows, count);
}

/* Which of somebody's shifts say when they are there: those in the duty room where the question is
 * about it and there are any, otherwise all. */
static bool by_duty_shifts(const struct ck_shift_row *rows, size_t count, bool duty)
{
    for (size_t i = 0; duty && i < count; i++) {
        if (rows[i].duty) {
            return true;
        }
    }
    return false;
}

static bool in_shift(const struct ck_shift_row *rows, size_t count, bool duty,
                     const struct ck_zone *zone, struct ck_wall at)
{
    bool duty_only = by_duty_shifts(rows, count, duty);
    for (size_t i = 0; i < count; i++) {
        if ((!duty_only || rows[i].duty) && ck_shift_covers(&rows[i].shift, zone, at)) {
            return true;
        }
    }
    return count == 0;
}

int ck_duty_presence(struct ck_store *store, struct ck_zones *zones, int64_t staff, bool duty,
                     struct ck_wall at, enum ck_presence *presence)
{
    struct ck_staff_place place;
    struct ck_shift_row shifts[CK_SHIFTS_MAX];
    struct ck_interval absences[CK_ABSENCES_MAX];
    const struct ck_zone *zone = NULL;
    size_t shift_count = 0, absence_count = 0;
    int r = ck_staff_place(store, staff, &place);
    if (r == CK_E_NOT_FOUND || (r == 0 && place.disabled)) {
        *presence = CK_PRESENCE_GONE;
        return 0;
    }
    r = r == 0 ? zone_of(zones, place.zone, &zone) : r;
    r = r == 0 ? ck_absences_of(store, staff, (struct ck_interval){at, ck_wall_add_ms(at, 1)},
                                absences, &absence_count)
               : r;
    r = r == 0 ? shifts_from(store, zone, staff, at, shifts, &shift_count) : r;
    if (r != 0) {
        return r;
    }
    *presence = absence_count > 0                               ? CK_PRESENCE_ABSENT
                : in_shift(shifts, shift_count, duty, zone, at) ? CK_PRESENCE_THERE
                                                                : CK_PRESENCE_OFF;
    return 0;
}

int ck_duty_officers(struct ck_store *store, struct ck_zones *zones, int64_t unit,
                     struct ck_wall at, int64_t *ids, size_t capacity, size_t *count)
{
    int64_t pool[CK_DUTY_POOL_MAX];
    size_t pool_count = 0, found = 0;
    int r = ck_duty_pool(store, unit, pool, CK_DUTY_POOL_MAX, &pool_count);
    for (size_t i = 0; r == 0 && i < pool_count && found < capacity; i++) {
        enum ck_presence presence;
        r = ck_duty_presence(store, zones, pool[i], true, at, &presence);
        if (r == 0 && presence == CK_PRESENCE_THERE) {
            ids[found++] = pool[i];
        }
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

int ck_duty_stand_in(struct ck_store *store, struct ck_zones *zones, int64_t inspector,
                     struct ck_wall at, int64_t *stand_in)
{
    int64_t ids[1 + CK_STAND_INS_MAX];
    size_t count = 0;
    int r = ck_stand_ins_at(store, inspector, at, ids, 1 + CK_STAND_INS_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        enum ck_presence presence = CK_PRESENCE_GONE;
        r = ck_duty_presence(store, zones, ids[i], false, at, &presence);
        if (r == 0 && presence == CK_PRESENCE_THERE) {
            *stand_in = ids[i];
            return 0;
        }
    }
    return r == 0 ? CK_E_NOT_FOUND : r;
}

/* ---- spans ---- */

int ck_duty_times(struct ck_store *store, struct ck_zones *zones, int64_t staff, bool duty,
                  struct ck_interval span, struct ck_duty_person *person)
{
    struct ck_staff_place place;
    struct ck_shift_row rows[CK_SHIFTS_MAX];
    const struct ck_zone *zone = NULL;
    size_t count = 0, absences = 0;
    int r = ck_staff_place(store, staff, &place);
    if (r == 0 && place.disabled) {
        return CK_E_NOT_FOUND;
    }
    r = r == 0 ? zone_of(zones, place.zone, &zone) : r;
    r = r == 0 ? ck_absences_of(store, staff, span, person->absences, &absences) : r;
    r = r == 0 ? shifts_from(store, zone, staff, span.from, rows, &count) : r;
    if (r != 0) {
        return r;
    }
    size_t shifts = 0;
    bool duty_only = by_duty_shifts(rows, count, duty);
    for (size_t i = 0; i < count; i++) {
        if (!duty_only || rows[i].duty) {
            shifts += ck_shift_intervals(&rows[i].shift, zone, span, person->shifts + shifts,
                                         CK_DUTY_INTERVALS_MAX - shifts);
        }
    }
    if (count == 0) {
        person->shifts[shifts++] = span;
    }
    person->person = (struct ck_capacity_person){.staff = staff,
                                                 .shifts = person->shifts,
                                                 .shift_count = shifts,
                                                 .absences = person->absences,
                                                 .absence_count = absences};
    return 0;
}

struct asked {
    struct ck_store *store;
    struct ck_zones *zones;
    struct ck_interval span;
    struct ck_duty_person *people;
    size_t capacity, count;
};

/* Adds somebody who is not there yet. */
static int ask(struct asked *asked, int64_t staff, enum ck_relation relation)
{
    for (size_t i = 0; i < asked->count; i++) {
        if (asked->people[i].person.staff == staff) {
            return 0;
        }
    }
    if (asked->count == asked->capacity) {
        return 0;
    }
    struct ck_duty_person *person = &asked->people[asked->count];
    int r = ck_duty_times(asked->store, asked->zones, staff, relation == CK_RELATION_DUTY,
                          asked->span, person);
    if (r == 0) {
        person->person.relation = relation;
        asked->count++;
    }
    return r == CK_E_NOT_FOUND ? 0 : r;
}

static int ask_all(struct asked *asked, const int64_t *ids, size_t count, enum ck_relation relation)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = ask(asked, ids[i], relation);
    }
    return r;
}

int ck_duty_people(struct ck_store *store, struct ck_zones *zones, int64_t unit, int64_t inspector,
                   struct ck_interval span, struct ck_duty_person *people, size_t capacity,
                   size_t *count)
{
    struct asked asked = {store, zones, span, people, capacity, 0};
    int64_t ids[CK_DUTY_POOL_MAX];
    size_t found = 0;
    int r = ask(&asked, inspector, CK_RELATION_ASSIGNED);
    r = r == 0 ? ck_stand_ins_of(store, inspector, ids, CK_STAND_INS_MAX, &found) : r;
    r = r == 0 ? ask_all(&asked, ids, found, CK_RELATION_STAND_IN) : r;
    r = r == 0 ? ck_staff_of_role(store, unit, CK_ROLE_INSPECTOR, ids, CK_DUTY_POOL_MAX, &found)
               : r;
    r = r == 0 ? ask_all(&asked, ids, found, CK_RELATION_TEAM) : r;
    r = r == 0 ? ck_duty_pool(store, unit, ids, CK_DUTY_POOL_MAX, &found) : r;
    r = r == 0 ? ask_all(&asked, ids, found, CK_RELATION_DUTY) : r;
    if (r == 0) {
        *count = asked.count;
    }
    return r;
}
