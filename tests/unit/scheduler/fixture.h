/* Rows, events and policies to start from; and effects and states as text. */
#ifndef TESTS_UNIT_SCHEDULER_FIXTURE_H
#define TESTS_UNIT_SCHEDULER_FIXTURE_H

#include <stddef.h>

#include "scheduler/checkin.h"
#include "scheduler/effects.h"

/* When the check-ins of the fixtures are due. */
#define FIXTURE_DUE INT64_C(1800000000000)

struct checkin_case {
    struct ck_checkin row;
    struct ck_checkin_event event;
    struct ck_checkin_policy policy;
    struct ck_wall now;
};

/* A live, mandatory check-in of band 3 brought into "state" or "state/phase" by its own steps,
 * answerable all the time, and an event with plain contents, at a plain time: the timer exactly
 * when it is due, everything else a second after the state was entered. "ringing/missed" is RINGING
 * after grace. */
void checkin_case_begin(struct checkin_case *c, const char *state, const char *event);

/* Feeds one event and takes the next row over; fails the test on a refusal. */
void checkin_feed(struct checkin_case *c, const struct ck_checkin_event *event,
                  struct ck_effects *effects);

/* "state", "state/phase" or "done: outcome, cause". */
void checkin_state_text(const struct ck_checkin *row, char *text, size_t size);

/* "ring 1, outcome no_answer, +armed": effects in order, audit facts with a plus; "-" for none. */
void effects_text_of(const struct ck_effects *effects, char *text, size_t size);

const char *refusal_name(int code);

/* How many effects of a kind there are; for OPEN_INCIDENT of one incident kind. */
int effects_count(const struct ck_effects *effects, enum ck_effect_kind kind);
int effects_incidents(const struct ck_effects *effects, enum ck_incident_kind kind);
const struct ck_effect *effects_find(const struct ck_effects *effects, enum ck_effect_kind kind);

/* SplitMix64, for walks that are reproducible from a printed seed. */
uint64_t random_next(uint64_t *state);
int64_t random_below(uint64_t *state, int64_t n);

#endif
