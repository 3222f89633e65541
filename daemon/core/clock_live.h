/* The wall clock under the engine, when it is wrong or was set back (S17): a machine whose clock
 * was hours ahead until it was synchronised must neither leave a ladder asleep for these hours nor
 * have destroyed, ended or told what cannot be taken back. Engine thread. */
#ifndef DAEMON_CORE_CLOCK_LIVE_H
#define DAEMON_CORE_CLOCK_LIVE_H

#include <stdbool.h>

#include "daemon/core/engine_impl.h"

/* Learns from the log how late it was in an earlier life. */
int ck_clock_begin(struct ck_engine *engine);

/* Whether the clock was set back by more than 2 s since the newest turn or record: a turn is due.
 */
bool ck_clock_is_back(const struct ck_engine *engine, struct ck_wall now);

/* At the beginning of a turn: where the clock is back, what was to happen after a pause happens
 * that much earlier, and a record says so. A pause that began before the clock was wrong may so end
 * too early: a ladder that climbs early can be stopped, one that sleeps cannot. */
int ck_clock_look(struct ck_turn *turn);

/* The turn at `now` is committed. */
void ck_clock_note(struct ck_engine *engine, struct ck_wall now);

/* Whether a row of this kind waits until the clock is synchronised, because what it does cannot be
 * taken back: the end of an order, the destruction of what is kept no longer, the telling of a
 * key of draws. ck_clock_wait() puts it off by ten minutes. */
bool ck_clock_waits(const struct ck_turn *turn, enum ck_due_kind kind);
int ck_clock_wait(struct ck_turn *turn, const struct ck_due *due);

#endif
