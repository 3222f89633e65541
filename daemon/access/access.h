/* Commands about sessions and about access itself, for the engine.
 *
 * Of each command: what the body has → what the result has.
 *
 *   session.open      staff, token_hash (hex), expires (ms), code?, device? → session; AUTH about
 *                     "code" where the account has a second factor and this is not its code
 *   session.close     nothing → nothing; the actor's own session ends
 *   session.end       session → nothing; one of the actor's own, or anybody's for an administrator
 *   second_factor.begin    code? → key (base32); a new second factor that counts once confirmed
 *   second_factor.ask_reset  staff, reason → id of the approval that it waits for
 *   second_factor.confirm  code → nothing; ends the actor's other sessions
 *   session.touch     expires (ms) → nothing
 *   session.refused   login → nothing; a log-in that failed, for the log
 *   access.denied     action → nothing; a request that policy refused, for the log
 *   read              object ("person", "checkin", "incident", "photo", "thumbnail", "messages",
 *                     "today", "persons", "log"), id → nothing; a read, for the log; refuses what
 *                     is out of scope
 *   password.changed  hash → nothing; the actor's own; ends the actor's other sessions */
#ifndef DAEMON_ACCESS_ACCESS_H
#define DAEMON_ACCESS_ACCESS_H

#include "daemon/core/command.h"

#define CK_SESSION_TOKEN_SIZE 32

void ck_access_register(struct ck_registry *registry);

#endif
