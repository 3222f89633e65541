/* When the room on the disk ends: below a reserve only what must go on goes on, so that what is
 * left lasts for it. Decisions, ladders, notices, joining, answering, acknowledging and looking at
 * what has to do with an open incident go on; recordings, administration and ordinary reads stop.
 */
#ifndef DAEMON_CORE_RESERVE_H
#define DAEMON_CORE_RESERVE_H

#include <stdbool.h>

#include "daemon/core/command.h"

/* 0: it goes on; CK_E_BUSY with *refusal filled: it waits for room. */
int ck_reserve_check(struct ck_turn *turn, const char *command, const json_t *body,
                     struct ck_refusal *refusal);

/* The record of it, and the alarm, each time that it begins or ends. */
int ck_reserve_note(struct ck_turn *turn);

#endif
