/* Rows of check-ins: the deciding values of scheduler/checkin.h and what the daemon keeps beside
 * them. */
#ifndef DAEMON_STORE_CHECKIN_H
#define DAEMON_STORE_CHECKIN_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/store.h"
#include "scheduler/checkin.h"
#include "scheduler/date.h"
#include "scheduler/zone.h"

#define CK_ZONE_NAME_SIZE 64
#define CK_ZONE_VERSION_SIZE 32 /* "2024b/1f3c9d2a" */
#define CK_RECEIPT_SIZE 24      /* of a receipt or a reference as text, and its zero */

struct ck_checkin_row {
    struct ck_checkin step;
    int64_t unit;
    int64_t policy;            /* row of `policy` */
    int64_t plan_version;      /* 0: no plan */
    int64_t fence;             /* the number to save it under; 0 while it is not inserted */
    struct ck_date date;       /* local date of the occurrence */
    struct ck_local due_local; /* the wall time that it was placed at; date 0: none */
    int64_t slot;              /* within the date, over all windows */
    bool drawn;
    uint32_t attempts; /* rings that the policy wants */
    char zone[CK_ZONE_NAME_SIZE];
    char zone_version[CK_ZONE_VERSION_SIZE];
    struct ck_wall waiting_since; /* the console rings; 0: not */
    struct ck_wall connected_at;
    struct ck_wall decided_at;
    int64_t taken_by;              /* staff member who conducts or conducted it */
    int64_t reserved;              /* whose time a live check-in has; 0: nobody's */
    struct ck_wall put_off_to;     /* from then on, where it rings later; 0: from when it is due */
    char receipt[CK_RECEIPT_SIZE]; /* "" until it has an outcome */
};

/* Inserts the row and sets row->step.id and row->fence. CK_E_CONFLICT: the plan's occurrence of
 * this date and slot exists. `reason` of an on-demand check-in, or NULL. */
int ck_checkin_insert(struct ck_store *store, struct ck_checkin_row *row, const char *reason,
                      struct ck_wall now);

/* CK_E_NOT_FOUND; -EUCLEAN: the row cannot be read. */
int ck_checkin_load(struct ck_store *store, int64_t id, struct ck_checkin_row *row);

/* Saves what may change and ends the claim. CK_E_FENCED: somebody else has claimed it since it was
 * loaded. */
int ck_checkin_save(struct ck_store *store, const struct ck_checkin_row *row);

/* Whether a receipt of this number was given to somebody. */
int ck_checkin_receipt_taken(struct ck_store *store, const char *receipt, bool *taken);

int ck_checkin_set_declined(struct ck_store *store, int64_t id, const char *reason);

/* How often the person has called in by themselves since `since`. */
int ck_checkin_called_in(struct ck_store *store, int64_t person, struct ck_wall since,
                         int64_t *count);

/* The person's check-in, but `but`, that rings and is not missed yet, or is connected (0: none). */
int ck_checkin_other_live(struct ck_store *store, int64_t person, int64_t but, int64_t *id);
/* Only one that is connected. */
int ck_checkin_in_call(struct ck_store *store, int64_t person, int64_t but, int64_t *id);
/* The one that the person's page shows: the one that they are in, else the one that rings, else one
 * that was missed and is still waited for (0: none). */
int ck_checkin_to_answer(struct ck_store *store, int64_t person, int64_t *id);

/* Armed check-ins whose time has passed: what piled up while nothing ran. Counts no further than
 * `max`. */
int ck_checkin_backlog(struct ck_store *store, struct ck_wall now, int64_t max, int64_t *count);

/* The person's last due instant before `before` (0: none). */
int ck_checkin_previous_due(struct ck_store *store, int64_t person, struct ck_wall before,
                            struct ck_wall *due);

/* Due instants that others keep their distance to, in [from, until), ascending; at most `capacity`:
 * of the person's check-ins but `but`, ahead, going on or over. Not of the waived, of those that
 * failed through us, or of those in which the person called in by themselves. */
int ck_checkin_neighbours(struct ck_store *store, int64_t person, int64_t but, struct ck_wall from,
                          struct ck_wall until, struct ck_wall *due, size_t capacity,
                          size_t *count);

/* The person's check-ins that are not over, by id and with ids above `after`: asked again from the
 * last one until it gives fewer than `capacity`. */
int ck_checkin_open_of(struct ck_store *store, int64_t person, int64_t after, int64_t *ids,
                       size_t capacity, size_t *count);

/* The same of the check-ins of a plan. */
int ck_checkin_open_of_plan(struct ck_store *store, int64_t plan, int64_t after, int64_t *ids,
                            size_t capacity, size_t *count);

/* The same of the check-ins of all plans under an order, ended ones too: a make-up may come after
 * the end of its plan. */
int ck_checkin_open_of_order(struct ck_store *store, int64_t order, int64_t after, int64_t *ids,
                             size_t capacity, size_t *count);

/* The same of the person's check-ins that no plan made. */
int ck_checkin_open_unplanned(struct ck_store *store, int64_t person, int64_t after, int64_t *ids,
                              size_t capacity, size_t *count);

/* Check-ins of a plan for live ones, behind `now` and not armed, that have not the time of their
 * inspector: somebody else's, nobody's, or made unattended for it. Soonest first; at most
 * `capacity`. */
int ck_checkin_without_inspector(struct ck_store *store, int64_t plan, struct ck_wall now,
                                 int64_t *ids, size_t capacity, size_t *count);

/* From when on the check-ins but `but`, not over, that have this member of staff's time take it, in
 * [from, until), ascending; at most `capacity`: when they are due, or what was put off after an
 * outage when it was to ring. */
int ck_checkin_reserved(struct ck_store *store, int64_t staff, int64_t but, struct ck_wall from,
                        struct ck_wall until, struct ck_wall *at, size_t capacity, size_t *count);

/* Whether this member of staff's time is another check-in's (not over), less than `call_ms` away
 * from `at`, that has it before: it is armed, or takes it before `at`; of two that begin together
 * the lower number does. */
int ck_checkin_reserved_before(struct ck_store *store, int64_t staff, int64_t id, struct ck_wall at,
                               int64_t call_ms, bool *taken);

/* Check-ins that have not rung and take this member of staff's time from a moment in [from, until)
 * on. Soonest first; at most `capacity`. */
int ck_checkin_reserved_ahead(struct ck_store *store, int64_t staff, struct ck_wall from,
                              struct ck_wall until, int64_t *ids, size_t capacity, size_t *count);

/* The person's check-ins that have not rung are another inspector's, or another unit's, from now
 * on. The time that `before` had reserved for them is the new inspector's. What others had is, in
 * another unit and but for what is armed, nobody's until it is asked for (ck_plan_ask_again()). */
int ck_checkin_hand_over(struct ck_store *store, int64_t person, int64_t before, int64_t inspector,
                         int64_t unit);

/* Whether a check-in of the person that rings or is connected has this member of staff's time: for
 * as long they may see whom they talk to. */
int ck_checkin_reserved_now(struct ck_store *store, int64_t person, int64_t staff, bool *reserved);

/* A unit's check-ins ahead, in [from, until), of plans for live ones that have nobody's time: those
 * that were made unattended for it, and those that stay live. */
int ck_checkin_unreserved(struct ck_store *store, int64_t unit, struct ck_wall from,
                          struct ck_wall until, int64_t *unattended, int64_t *live);

/* Due instants of a unit's live check-ins that have not begun, in [from, until), ascending; at most
 * `capacity`. */
int ck_checkin_live_dues(struct ck_store *store, int64_t unit, struct ck_wall from,
                         struct ck_wall until, struct ck_wall *due, size_t capacity, size_t *count);

/* The person's check-ins whose due instant lies in [from, until), by id and with ids above `after`:
 * asked again from the last one until it gives fewer than `capacity`. */
int ck_checkin_due_between(struct ck_store *store, int64_t person, struct ck_wall from,
                           struct ck_wall until, int64_t after, int64_t *ids, size_t capacity,
                           size_t *count);

/* What is drawn and not armed yet of the person's plans but one, make-ups and second checks apart,
 * and due in [from, until). `redraw` as below. */
int ck_checkin_drawn_around(struct ck_store *store, int64_t person, int64_t but,
                            struct ck_wall from, struct ck_wall until, int64_t redraw, int64_t *ids,
                            size_t capacity, size_t *count);

/* Waived check-ins of the person's active plans whose window touches [from, until), the newest of
 * their place alone: their slots count anew from each multiple of `redraw`. By id and with ids
 * above `after`, as above. */
int ck_checkin_waived_in(struct ck_store *store, int64_t person, struct ck_wall from,
                         struct ck_wall until, int64_t redraw, int64_t after, int64_t *ids,
                         size_t capacity, size_t *count);

/* Those of one plan of dates from `from` on, whether it serves them or not. */
int ck_checkin_waived_of(struct ck_store *store, int64_t plan, struct ck_date from, int64_t redraw,
                         int64_t after, int64_t *ids, size_t capacity, size_t *count);

/* The person's other check-ins that a contact in `but` also serves: those that ring, wait for it,
 * or are to make up. */
int ck_checkin_served_of(struct ck_store *store, int64_t person, int64_t but, int64_t *ids,
                         size_t capacity, size_t *count);

/* ---- what belongs to one ---- */

int ck_attempt_insert(struct ck_store *store, int64_t checkin, uint32_t number, struct ck_wall at);

/* source: "page", "server", "worker". */
int ck_fact_insert(struct ck_store *store, int64_t checkin, uint32_t attempt, struct ck_wall at,
                   const char *source, const char *fact, const char *detail);

/* Whether this source has told it at `since` or later. */
int ck_fact_told(struct ck_store *store, int64_t checkin, const char *source, const char *fact,
                 struct ck_wall since, bool *told);

/* Number of facts of a check-in: a page that repeats itself for ever is cut off. */
int ck_fact_count(struct ck_store *store, int64_t checkin, int64_t *count);

struct ck_challenge {
    int number;
    char kind[16];
    char digits[8];
    int seconds;
};

int ck_challenge_insert(struct ck_store *store, int64_t checkin,
                        const struct ck_challenge *challenge);
int ck_challenge_count(struct ck_store *store, int64_t checkin, int64_t *count);
int ck_challenge_load(struct ck_store *store, int64_t checkin, int number,
                      struct ck_challenge *challenge);
/* When it was shown, and where that is in the recording; the first time counts. CK_E_NOT_FOUND. */
int ck_challenge_mark(struct ck_store *store, int64_t checkin, int number, struct ck_wall at,
                      int64_t at_ms);

/* `confidence`: what it says (confidence.h). */
int ck_concern_insert(struct ck_store *store, int64_t checkin, int64_t staff, struct ck_wall at,
                      int64_t confidence);

struct ck_outcome_form {
    const char *result;
    bool identity_confirmed;
    const char *behaviours; /* JSON list */
    const char *note;
};
/* CK_E_CONFLICT: there is one. */
int ck_outcome_form_insert(struct ck_store *store, int64_t checkin,
                           const struct ck_outcome_form *form, int64_t staff, struct ck_wall at);
int ck_review_insert(struct ck_store *store, int64_t checkin, const char *decision,
                     const char *note, int64_t staff, struct ck_wall at);
/* One of the two ids is 0. `confidence`: where the reason was confided, which is "" then; or 0. */
int ck_conclusion_insert(struct ck_store *store, int64_t checkin, int64_t incident,
                         const char *conclusion, const char *reason, int64_t confidence,
                         int64_t staff, struct ck_wall at);

/* ---- policies, shared ---- */

/* The id of the row with this body. kind: "checkin" or "ladder". CK_E_NOT_FOUND. */
int ck_policy_row_find(struct ck_store *store, const char *kind, const char *body, int64_t *id);
int ck_policy_row_insert(struct ck_store *store, const char *kind, const char *body, int64_t *id);
/* CK_E_NOT_FOUND. The text is the caller's to free. */
int ck_policy_body(struct ck_store *store, int64_t id, char **body);

char *ck_checkin_policy_text(const struct ck_checkin_policy *policy);
/* -EUCLEAN: not a policy. */
int ck_checkin_policy_parse(const char *text, struct ck_checkin_policy *policy);

#endif
