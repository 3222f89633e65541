/* Commands about sessions and about access itself, for the engine.
 *
 * | command | body | result |
 * |---|---|---|
 * | session.open | staff, token_hash (hex), expires (ms) | {session} |
 * | session.close | | {} of the actor's own session |
 * | session.touch | expires (ms) | {} |
 * | session.refused | login | {}: a log-in that failed, for the log |
 * | access.denied | action, object?, object_id?, person? | {}: a request that policy refused |
 * | read | object ("person", "checkin", "incident", "photo", "thumbnail", "messages", "today",
 * "persons", "log"), id | {}: a read, for the log; refuses what is out of scope | |
 * password.changed | hash | {}: the actor's own, ends the actor's other sessions | */
#ifndef DAEMON_ACCESS_ACCESS_H
#define DAEMON_ACCESS_ACCESS_H

#include "daemon/core/command.h"

#define CK_SESSION_TOKEN_SIZE 32

void ck_access_register(struct ck_registry *registry);

#endif
