/* Between the files of the check-in machine. */
#ifndef SCHEDULER_CHECKIN_IMPL_H
#define SCHEDULER_CHECKIN_IMPL_H

#include "scheduler/checkin.h"

/* One decision in the making. */
struct ck_checkin_turn {
    struct ck_checkin row; /* becomes the next row */
    struct ck_effects effects;
    const struct ck_checkin_event *event;
    const struct ck_checkin_policy *policy;
    struct ck_wall now;
};

/* checkin_end.c: how a check-in ends, and what it leaves behind. */

/* Grace is over without contact: says what it would be, and opens the incident. */
void ck_checkin_missed(struct ck_checkin_turn *turn);
/* The one terminal outcome, with all that follows from it. */
void ck_checkin_finish(struct ck_checkin_turn *turn, enum ck_outcome outcome, enum ck_cause cause);
/* Accepted contact: COMPLETED or LATE. */
void ck_checkin_finish_contact(struct ck_checkin_turn *turn, enum ck_cause cause);
/* The late limit has come. */
void ck_checkin_finish_late_limit(struct ck_checkin_turn *turn);
/* A recording waits for a human. */
void ck_checkin_await_review(struct ck_checkin_turn *turn, struct ck_wall review_by);
void ck_checkin_review_overdue(struct ck_checkin_turn *turn);

/* checkin_evidence.c: facts that are noted without a change of state. */
void ck_checkin_note(struct ck_checkin_turn *turn, enum ck_evidence evidence, struct ck_wall at);
void ck_checkin_note_faults(struct ck_checkin_turn *turn, uint32_t faults);
void ck_checkin_note_answerable(struct ck_checkin_turn *turn, int64_t ms);
bool ck_checkin_has(const struct ck_checkin *row, enum ck_evidence evidence);

#endif
