/* Rows of plans, the keys of their draws, and what the engine must know of a person. */
#ifndef DAEMON_STORE_PLAN_H
#define DAEMON_STORE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/checkin.h"
#include "daemon/store/order.h"
#include "daemon/store/store.h"
#include "protocol/base/digest.h"
#include "scheduler/date.h"
#include "scheduler/silence.h"

/* ---- the person, as far as the engine is concerned ---- */

struct ck_subject {
    int64_t id;
    int64_t unit;
    int64_t inspector;
    char band[8]; /* "low" … "top" */
    char language[4];
    char phone[32];               /* "": none */
    char email[256];              /* "": none */
    char zone[CK_ZONE_NAME_SIZE]; /* of the unit */
    int64_t notice_version;       /* rights and recording notice acknowledged; 0: not yet */
    struct ck_wall last_contact;
    struct ck_silence silence;
    struct ck_wall created;
    int64_t fence;
};

/* CK_E_NOT_FOUND. */
int ck_subject_load(struct ck_store *store, int64_t person, struct ck_subject *subject);
/* Saves last_contact and silence, and ends the claim. CK_E_FENCED. */
int ck_subject_save(struct ck_store *store, const struct ck_subject *subject);
int ck_subject_set_notice(struct ck_store *store, int64_t person, int64_t version,
                          struct ck_wall at);

/* The zone of a unit; CK_E_NOT_FOUND. */
int ck_unit_zone(struct ck_store *store, int64_t unit, char zone[CK_ZONE_NAME_SIZE]);

/* ---- plans ---- */

struct ck_plan_record {
    int64_t id;
    int64_t person;
    int64_t order;
    int64_t version;
    bool unattended;
    bool mandatory;
    bool active;
    char *rule;              /* the request as canonical JSON; owned */
    struct ck_date begins;   /* the first date that it serves; set once */
    struct ck_date expanded; /* occurrences up to and with this date exist */
    struct ck_date until;    /* the last date that it serves, where another plan takes its place on
                                the next; day 0: while its order is in force */
    int64_t replaces;        /* the plan that serves until this one begins; 0: none */
    struct ck_wall next_at;
    struct ck_wall created;
    int64_t fence;
};

void ck_plan_record_clear(struct ck_plan_record *record);

/* Inserts version 1 and sets record->id. */
int ck_plan_insert(struct ck_store *store, struct ck_plan_record *record, int64_t staff,
                   struct ck_wall now);
/* CK_E_NOT_FOUND. On success clear it with ck_plan_record_clear(). */
int ck_plan_load(struct ck_store *store, int64_t id, struct ck_plan_record *record);
/* Saves `expanded` and `next_at` and ends the claim. CK_E_FENCED. */
int ck_plan_save(struct ck_store *store, const struct ck_plan_record *record);
/* The plans of a unit with check-ins ahead that have not the time of their inspector (checkin.h)
 * are due now. */
int ck_plan_ask_again(struct ck_store *store, int64_t unit, struct ck_wall now);
/* How many of its check-ins of a date have begun. */
int ck_plan_begun_on(struct ck_store *store, int64_t id, struct ck_date date, int64_t *count);
/* Another plan takes its place after this date (day 0: none does any more): it is due now, and ends
 * by itself. CK_E_CONFLICT: it has ended. */
int ck_plan_leave(struct ck_store *store, int64_t id, struct ck_date until, struct ck_wall now);
/* Which plan serves until this one begins; 0: it has begun by `today`, or none serves until then.
 */
int ck_plan_before(struct ck_store *store, int64_t id, struct ck_date today, int64_t *before);
/* Whoever waits to take the place of `id` takes that of `before`. */
int ck_plan_pass_place(struct ck_store *store, int64_t id, int64_t before);
/* The active plan that takes the place of this one; 0: none. */
int ck_plan_after(struct ck_store *store, int64_t id, int64_t *after);
/* CK_E_CONFLICT: it has ended. */
int ck_plan_end(struct ck_store *store, int64_t id, const char *reason, struct ck_wall now);
/* The active plans of a person, and of an order. */
int ck_plan_of_person(struct ck_store *store, int64_t person, int64_t *ids, size_t capacity,
                      size_t *count);
int ck_plan_of_order(struct ck_store *store, int64_t order, int64_t *ids, size_t capacity,
                     size_t *count);

/* ---- keys of the draws ---- */

/* CK_E_NOT_FOUND: the epoch has none yet. `wrapped` holds at most `capacity` bytes. */
int ck_draw_key_load(struct ck_store *store, int64_t epoch, void *wrapped, size_t capacity,
                     size_t *size);
/* `reveal_at`: when it falls due. */
int ck_draw_key_insert(struct ck_store *store, int64_t epoch, const void *wrapped, size_t size,
                       const uint8_t commitment[CK_SHA256_SIZE], struct ck_wall reveal_at,
                       struct ck_wall now);
/* It has been revealed: nothing more falls due. CK_E_FENCED. */
int ck_draw_key_revealed(struct ck_store *store, int64_t epoch, int64_t fence, struct ck_wall now);
#endif
