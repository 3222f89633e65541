/* A person's band is another one: what is planned, what goes on and what is open goes by it from
 * now on. Engine thread and inside a turn. */
#ifndef DAEMON_CORE_BAND_LIVE_H
#define DAEMON_CORE_BAND_LIVE_H

#include <jansson.h>

#include "daemon/core/command.h"
#include "scheduler/effects.h"

/* Bands of the score as the four classes that persons, ladders and reviews are handled by: "low",
 * "medium", "high", "top"; without a score "medium". */
const char *ck_band_class(enum ck_band band);

/* After the person's row was written. Every check-in that has not begun takes the new band over;
 * what rings, waits for its review or was missed, and every open incident, takes a higher one over
 * and never a lower one: graver at once, in the top band with its safety row. The band of the
 * silence follows. Records PERSON_BAND_SET with both bands and how much of it there was; `more`
 * (taken over, may be NULL) are further open members. Nothing where the bands are the same. */
int ck_person_banded(struct ck_turn *turn, const struct ck_actor *actor, int64_t person,
                     const char *was, const char *band, json_t *more);

#endif
