/* Who may do what: one table of every action of the HTTP API and the WebSockets. The dispatcher
 * asks it once for each request; an action that is not in it does not exist.
 *
 * Two questions are asked: may this kind of actor do this at all (roles), and how far do they see
 * (scope). The scope goes into every query and is checked again by every command inside the
 * engine's transaction (ck_in_scope). */
#ifndef DAEMON_ACCESS_POLICY_H
#define DAEMON_ACCESS_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/core/command.h"
#include "daemon/store/query_checkin.h"

enum ck_who {
    CK_WHO_ANYBODY, /* no session needed */
    CK_WHO_STAFF,
    CK_WHO_PERSON,
};

struct ck_policy {
    const char *action;
    enum ck_who who;
    unsigned roles; /* CK_ROLE_*: one of them is needed; 0: any */
};

/* NULL where the action is unknown. */
const struct ck_policy *ck_policy_find(const char *action);
/* The whole table, for tests. */
const struct ck_policy *ck_policy_all(size_t *count);

/* 0; CK_E_AUTH: a session is needed; CK_E_DENIED. `actor` NULL: no session. */
int ck_policy_check(const struct ck_policy *policy, const struct ck_actor *actor);

/* Roles are a union, but one acts in those that grant the action: what another role would let an
 * actor see does not widen it. These are what the rest of the request goes on with. */
unsigned ck_policy_roles(const struct ck_policy *policy, const struct ck_actor *actor);

/* How far this actor sees: an inspector the own caseload, an officer or supervisor the unit,
 * everybody else nothing. */
struct ck_scope ck_policy_scope(const struct ck_actor *actor);

#endif
