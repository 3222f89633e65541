/* Rows of orders, what each requires, and blackouts: times in which a person owes no contact. */
#ifndef DAEMON_STORE_ORDER_H
#define DAEMON_STORE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "scheduler/date.h"
#include "scheduler/draw.h"
#include "scheduler/obligation.h"

/* ---- orders ---- */

struct ck_order_row {
    int64_t id, person;
    const char *kind, *article, *number, *issuer, *from, *until, *conditions, *hours_start,
        *hours_end;
    int64_t per_day_max;
    uint32_t requirement_count;
    struct ck_requirement requirements[CK_REQUIREMENTS_MAX];
    const char *citations[CK_REQUIREMENTS_MAX]; /* NULL: none */
};

/* Sets row->id. The order is due at once: whoever decides about it sets when it is over. */
int ck_order_insert(struct ck_store *store, struct ck_order_row *row, struct ck_wall now);

/* From `date` on it is not in force any more. CK_E_CONFLICT: an end was decided already, or it is
 * not there. */
int ck_order_end(struct ck_store *store, int64_t id, const char *date, const char *reason);

struct ck_order_record {
    int64_t id, person;
    bool ended;            /* an end was decided; it may lie ahead: rules.until knows */
    struct ck_order rules; /* `until` is the last date in force */
    int64_t requirement_ids[CK_REQUIREMENTS_MAX];
    struct ck_wall next_at; /* when it is over; 0: it is, and its plans have ended */
    int64_t fence;
};

/* CK_E_NOT_FOUND. */
int ck_order_load(struct ck_store *store, int64_t id, struct ck_order_record *record);
/* Saves next_at and ends the claim. CK_E_FENCED. */
int ck_order_save(struct ck_store *store, const struct ck_order_record *record);

/* The person's orders in force on a date; at most `capacity`. */
int ck_order_in_force(struct ck_store *store, int64_t person, struct ck_date date,
                      struct ck_order_record *records, size_t capacity, size_t *count);

/* From now on video takes the place of a visit for this requirement of the order. CK_E_CONFLICT: it
 * does already, or the order has no such requirement. */
int ck_requirement_replace(struct ck_store *store, int64_t order, int64_t requirement,
                           const char *citation, int64_t proposer, int64_t approver);

/* "court", "statute", "agency"; "in_person", "live", "unattended". NULL outside. */
const char *ck_source_name(enum ck_requirement_source source);
const char *ck_contact_mode_name(enum ck_contact_mode mode);

/* Requirement list of an order, for the pages. */
int ck_query_requirements(struct ck_store *store, int64_t order, json_t **list);

/* ---- contacts that count ---- */

/* Which contacts are counted. */
struct ck_contacts_of {
    uint32_t modes;  /* mask of CK_MODE_BIT */
    bool mandatory;  /* only those */
    int64_t order;   /* of plans under it, and of none; 0: of all */
    int64_t leaving; /* a plan that is to end, with those that wait to take its place: what they
                        made and has not begun does not count, make-ups apart; 0: none */
    struct ck_date leaves; /* … from this date on */
};

/* How many contacts of a person there are on each of `days` dates from `from` on: not the waived
 * ones, and not those that failed through us. Counts are added to what `counts` holds. */
int ck_contacts_on(struct ck_store *store, int64_t person, struct ck_date from, size_t days,
                   const struct ck_contacts_of *of, uint32_t *counts);

/* ---- blackouts ---- */

#define CK_BLACKOUT_SOURCES 4 /* court, hospital, custody, absence */
const char *ck_blackout_source_name(int source);

struct ck_blackout_row {
    int64_t id, person;
    const char *source, *reason;
    struct ck_wall from, until;
    int64_t by, approver; /* staff; the same person where the source needs no second */
};

int ck_blackout_insert(struct ck_store *store, struct ck_blackout_row *row, struct ck_wall now);
/* Cuts it at `now`; *until is when it would have been over. CK_E_CONFLICT: it is over already;
 * CK_E_NOT_FOUND. */
int ck_blackout_end(struct ck_store *store, int64_t id, int64_t *person, struct ck_wall *until,
                    struct ck_wall now);

/* The person's blackouts that touch [from, until), at most `capacity`, by beginning; `sources` (may
 * be NULL) says which kind each is. */
int ck_blackouts_of(struct ck_store *store, int64_t person, struct ck_wall from,
                    struct ck_wall until, struct ck_interval *blackouts, int *sources,
                    size_t capacity, size_t *count);

/* Blackout list of a person, newest first, at most CK_QUERY_BLACKOUTS_MAX. */
#define CK_QUERY_BLACKOUTS_MAX 50
int ck_query_blackouts(struct ck_store *store, int64_t person, json_t **list);

#endif
