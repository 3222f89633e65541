/* Rows of shifts, absences and stand-ins: who of the staff is there when. */
#ifndef DAEMON_STORE_ROSTER_H
#define DAEMON_STORE_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "scheduler/shift.h"

#define CK_SHIFTS_MAX 64      /* of one member of staff that have not ended; one more is refused */
#define CK_ABSENCES_MAX 32    /* the same */
#define CK_STAND_INS_MAX 4    /* of one member of staff */
#define CK_DUTY_POOL_MAX 64   /* officers of one unit who may be on duty; more are not looked at */
#define CK_LOCAL_TEXT_SIZE 17 /* "2026-11-29T18:30" and its zero */

struct ck_shift_row {
    int64_t id;
    int64_t staff;
    bool duty; /* in the duty room */
    struct ck_shift shift;
};

/* Sets row->id. */
int ck_shift_insert(struct ck_store *store, struct ck_shift_row *row, int64_t by,
                    struct ck_wall now);
/* CK_E_NOT_FOUND: not there, or taken out already. */
int ck_shift_load(struct ck_store *store, int64_t id, struct ck_shift_row *row);
int ck_shift_remove(struct ck_store *store, int64_t id, struct ck_wall now);
/* Those of one member of staff whose last date is not before `date`; at most CK_SHIFTS_MAX. */
int ck_shifts_of(struct ck_store *store, int64_t staff, struct ck_date date,
                 struct ck_shift_row rows[static CK_SHIFTS_MAX], size_t *count);

struct ck_absence_row {
    int64_t id;
    int64_t staff;
    int64_t stand_in; /* 0: as the list says */
    char from_local[CK_LOCAL_TEXT_SIZE], until_local[CK_LOCAL_TEXT_SIZE];
    struct ck_wall from, until;
    const char *reason; /* a literal: "leave", "sick", "training", "other"; not read back */
    struct ck_wall next_at;
    int64_t fence;
};

/* Sets row->id. */
int ck_absence_insert(struct ck_store *store, struct ck_absence_row *row, int64_t by,
                      struct ck_wall now);
/* CK_E_NOT_FOUND: not there, or taken out. */
int ck_absence_load(struct ck_store *store, int64_t id, struct ck_absence_row *row);
/* Its times and next_at, under the fence. CK_E_FENCED. */
int ck_absence_save(struct ck_store *store, const struct ck_absence_row *row);
int ck_absence_remove(struct ck_store *store, int64_t id, struct ck_wall now);
/* Those of one member of staff that touch [from, until), by beginning. */
int ck_absences_of(struct ck_store *store, int64_t staff, struct ck_interval span,
                   struct ck_interval intervals[static CK_ABSENCES_MAX], size_t *count);
/* The absences of a unit's staff that have not ended, by id and with ids above `after`: asked again
 * from the last one until it gives fewer than `capacity`. */
int ck_absences_ahead(struct ck_store *store, int64_t unit, struct ck_wall now, int64_t after,
                      int64_t *ids, size_t capacity, size_t *count);

/* Replaces the list. CK_E_CONFLICT: somebody twice. */
int ck_stand_ins_set(struct ck_store *store, int64_t staff, const int64_t *stand_ins, size_t count);
int ck_stand_ins_of(struct ck_store *store, int64_t staff, int64_t *ids, size_t capacity,
                    size_t *count);
/* Who stands in for somebody at an instant, the first to be asked first; none where they are not
 * absent. Shifts are not looked at. 1 + CK_STAND_INS_MAX is enough: one that the absence names. */
int ck_stand_ins_at(struct ck_store *store, int64_t staff, struct ck_wall at, int64_t *ids,
                    size_t capacity, size_t *count);
/* The first of them: whoever has the caseload. CK_E_NOT_FOUND. */
int ck_stand_in_at(struct ck_store *store, int64_t staff, struct ck_wall at, int64_t *stand_in);
/* Whose stand-ins somebody is among. */
int ck_stand_in_for(struct ck_store *store, int64_t staff, int64_t *ids, size_t capacity,
                    size_t *count);

/* How many inspectors besides `but` may have their caseload with somebody: those whose list names
 * them, and those whose absence, not over at `now`, does. */
int ck_stand_in_duties(struct ck_store *store, int64_t stand_in, int64_t but, struct ck_wall now,
                       int64_t *count);

/* ---- caseloads that are with a stand-in ---- */

/* `stand_in` 0: nobody. *changed says whether it was different. */
int ck_cover_set(struct ck_store *store, int64_t inspector, int64_t stand_in, struct ck_wall now,
                 bool *changed);
/* Whose caseloads somebody has besides their own. */
int ck_cover_of(struct ck_store *store, int64_t staff, int64_t *inspectors, size_t capacity,
                size_t *count);

/* ---- staff, as their times need them ---- */

struct ck_staff_place {
    char zone[64]; /* of the unit */
    int64_t unit;
    int64_t roles;
    bool on_duty; /* in the duty pool */
    bool disabled;
};
int ck_staff_place(struct ck_store *store, int64_t staff, struct ck_staff_place *place);

/* Officers of a unit (0: of all) in the duty pool: by their account, or by a shift in the duty
 * room. */
int ck_duty_pool(struct ck_store *store, int64_t unit, int64_t *ids, size_t capacity,
                 size_t *count);
/* Members of a unit (0: of all) with a role who are not disabled. */
int ck_staff_of_role(struct ck_store *store, int64_t unit, unsigned role, int64_t *ids,
                     size_t capacity, size_t *count);

/* Inspectors who have persons of a unit. */
int ck_caseloads_of_unit(struct ck_store *store, int64_t unit, int64_t *ids, size_t capacity,
                         size_t *count);

/* ---- for the pages ---- */

/* Shift, Absence and StandIn lists of a unit, of what has not ended before a date. */
int ck_query_shifts(struct ck_store *store, int64_t unit, const char *date, json_t **list);
int ck_query_absences(struct ck_store *store, int64_t unit, struct ck_wall from, json_t **list);
int ck_query_stand_ins(struct ck_store *store, int64_t unit, json_t **list);

#endif
