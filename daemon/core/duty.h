/* Who of the staff is there at an instant: shifts, absences and stand-ins in the zone of each one's
 * unit. Whoever has shifts is there within them, whoever has none at any time; an absence is taken
 * out of both. In the duty room is who has a shift there, or, without such shifts, a member of the
 * duty pool who is there.
 *
 * For the engine's thread and for readers; `zones` is the caller's own. Errors of the store, and
 * those of ck_zones_find() as -EUCLEAN: a unit always has a zone that was known when it was made.
 */
#ifndef DAEMON_CORE_DUTY_H
#define DAEMON_CORE_DUTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/zones.h"
#include "daemon/store/roster.h"
#include "scheduler/capacity.h"

enum ck_presence {
    CK_PRESENCE_THERE = 0,
    CK_PRESENCE_OFF,    /* outside the shifts */
    CK_PRESENCE_ABSENT, /* on leave, sick, … */
    CK_PRESENCE_GONE,   /* the account is disabled, or there is none */
};

/* `duty`: in the duty room, not merely at work. */
int ck_duty_presence(struct ck_store *store, struct ck_zones *zones, int64_t staff, bool duty,
                     struct ck_wall at, enum ck_presence *presence);

/* Officers in the duty room of a unit (0: of every unit), by id. */
int ck_duty_officers(struct ck_store *store, struct ck_zones *zones, int64_t unit,
                     struct ck_wall at, int64_t *ids, size_t capacity, size_t *count);

/* Who is told in the place of an inspector who is absent at an instant: the first of the stand-ins
 * who is there then, shifts and all. CK_E_NOT_FOUND. */
int ck_duty_stand_in(struct ck_store *store, struct ck_zones *zones, int64_t inspector,
                     struct ck_wall at, int64_t *stand_in);

/* ---- a span of time: for capacity (scheduler/capacity.h) ---- */

#define CK_DUTY_PEOPLE_MAX 32                    /* asked for one check-in; more are not */
#define CK_DUTY_INTERVALS_MAX 128                /* shifts of one of them in the span */
#define CK_DUTY_SPAN_MS (INT64_C(32) * 86400000) /* the longest span */

/* One member of staff, with room for what `person` points to. */
struct ck_duty_person {
    struct ck_capacity_person person; /* reserved: none */
    struct ck_interval shifts[CK_DUTY_INTERVALS_MAX];
    struct ck_interval absences[CK_ABSENCES_MAX];
};

/* The times of one member of staff in a span. CK_E_NOT_FOUND: no such account, or disabled. */
int ck_duty_times(struct ck_store *store, struct ck_zones *zones, int64_t staff, bool duty,
                  struct ck_interval span, struct ck_duty_person *person);

/* Everybody who can be asked to take a check-in of this inspector's caseload, in the order of
 * enum ck_relation: the inspector, stand-ins, the other inspectors of the unit, the duty room. At
 * most `capacity` (CK_DUTY_PEOPLE_MAX is enough). */
int ck_duty_people(struct ck_store *store, struct ck_zones *zones, int64_t unit, int64_t inspector,
                   struct ck_interval span, struct ck_duty_person *people, size_t capacity,
                   size_t *count);

#endif
