/* Whose time a live check-in has. Everything here runs in the turn's transaction.
 *
 * A reservation says who is rung besides the caseload, and keeps others from being drawn to the
 * same minutes; it forbids nobody to take the call. */
#ifndef DAEMON_CORE_CAPACITY_LIVE_H
#define DAEMON_CORE_CAPACITY_LIVE_H

#include "daemon/core/live_impl.h"
#include "scheduler/capacity.h"

#define CK_CAPACITY_CALL_MS INT64_C(900000) /* a live check-in takes so much of an inspector */
#define CK_CAPACITY_RESERVED_MAX 256        /* of one of them in a span; more are not looked at */
#define CK_CAPACITY_LEAVE_MAX 32 /* passed on in one turn of an absence; the rest in the next */

/* The people who can be asked for check-ins of one caseload in a span, and when they are taken. */
struct ck_capacity_look;

/* `span`: where check-ins may begin; at most CK_DUTY_SPAN_MS. What `but` has reserved (a check-in;
 * 0: none) takes nobody's time. */
int ck_capacity_look(struct ck_turn *turn, int64_t unit, int64_t inspector, int64_t but,
                     struct ck_interval span, struct ck_capacity_look **look);
/* For ck_cleanup. */
void ck_capacity_look_destroy(struct ck_capacity_look **look);

/* Where in the span none can begin for want of somebody. */
void ck_capacity_look_busy(const struct ck_capacity_look *look, struct ck_interval span,
                           struct ck_interval_set *busy);

/* Takes the time of whoever is asked first and can; 0: nobody can (then *relation is not set). */
int64_t ck_capacity_take(struct ck_capacity_look *look, struct ck_wall at,
                         enum ck_relation *relation);

/* Sets row->reserved of a row that is not inserted yet: 0 where nobody can, or where it is not
 * live. */
int ck_capacity_reserve(struct ck_turn *turn, struct ck_checkin_row *row);

/* When the check-in is armed: where who has it reserved will not be there, or will be in a call
 * that began before, somebody else. Saves and records the change; nobody there is recorded against
 * ourselves. */
int ck_capacity_confirm(struct ck_turn *turn, struct ck_checkin_row *row);

/* When nobody has time for a live check-in that could not be rung in time, in the next
 * CK_CATCH_UP_MAX_MS. */
int ck_capacity_catch_up(struct ck_turn *turn, const struct ck_checkin_row *row,
                         struct ck_interval_set *busy);
/* It is put off, or rings now: whose time it takes then. Saves and records it; nobody there is
 * recorded against ourselves. */
int ck_capacity_caught_up(struct ck_turn *turn, struct ck_checkin_row *row);
/* It rings for the first time. More than `late_ms` later than the time that it has it asks anew: it
 * waited for another one of its person, or was late once more after it had been put off. */
int ck_capacity_rung(struct ck_turn *turn, struct ck_checkin_row *row, int64_t late_ms);

/* Somebody will be away: what has their time then and has not rung gets somebody else's, or
 * nobody's (which is asked again, and held against us, when it is armed). *more: there is more of
 * it. */
int ck_capacity_leave(struct ck_turn *turn, int64_t staff, struct ck_interval absence, bool *more);

/* What a plan's check-ins ahead, not yet armed, did not get when they were made: the time of their
 * inspector where that is free now; where nobody had time, anybody's, and one that was made
 * unattended for it is live again. Its place in the window stays. At most CK_CAPACITY_LEAVE_MAX of
 * them, the soonest; the rest when the plan is due again, a day later at most. */
int ck_capacity_again(struct ck_turn *turn, int64_t plan);

/* The record that a live check-in has nobody's time: a fault of the staff. */
int ck_capacity_fault(struct ck_turn *turn, const struct ck_checkin_row *row);

#endif
