/* What needs two persons: one proposes, another approves, and in the transaction of the approval it
 * is carried out. General: a kind of request is a row in the table of approval.c and one or two
 * handlers that the registry knows.
 *
 *   approved.KIND  carries the request out. Required. Runs with the approver as actor, inside the
 *                  transaction of "approval.decide"; what it refuses is the refusal of the
 *                  decision, and the request stays open.
 *   proposed.KIND  checks a request before it is kept, and changes nothing. Optional: only a kind
 *                  that has one can be proposed over the API ("approval.propose"); the others come
 *                  from a handler that calls ck_approval_propose().
 *
 * Both get the body {approval (0 while it is proposed), proposer, unit, person (0: nobody's),
 * request, reason} and rely on: proposer and approver are two different members of staff, each with
 * a role that the kind wants and in the scope of the request; request was not changed in between.
 * They are never run by a command from outside.
 *
 * In a unit in which nobody but the proposer could decide (one supervisor alone), the supervisors
 * of all units may: a request must never wait because an office is small. approved.KIND then runs
 * as if the approver belonged to the unit; the log has the approver as they are.
 *
 * Life of a request: open until it is approved, refused, withdrawn by its proposer, or its time is
 * over: then it cannot be approved any more and is shown as expired. Nothing else falls due.
 *
 * Log: APPROVAL_PROPOSED, APPROVAL_GIVEN, APPROVAL_REFUSED, APPROVAL_WITHDRAWN, beside whatever
 * approved.KIND appends; request and reasons are sealed members.
 *
 * Commands, body → result:
 *   approval.propose    kind, request, reason, person? → id
 *   approval.decide     approval, approve: true | false, reason → id, and what approved.KIND gave
 *                       as "result"
 *   approval.withdraw   approval, reason → id */
#ifndef DAEMON_CASES_APPROVAL_H
#define DAEMON_CASES_APPROVAL_H

#include <jansson.h>

#include "daemon/core/command.h"

#define CK_APPROVAL_TEXT_MAX 16384 /* bytes of a request as canonical JSON */
#define CK_APPROVAL_OPEN_MAX 200   /* open requests of one unit; one more is CK_E_LIMIT */
#define CK_APPROVAL_REASON_MAX 1000

struct ck_approval_kind {
    const char *name;
    unsigned propose; /* CK_ROLE_*: one of them may propose … */
    unsigned approve; /* … and one of them may decide */
    int64_t lifetime_ms;
};

/* NULL where there is no such kind. */
const struct ck_approval_kind *ck_approval_kind_find(const char *name);

/* The names of the kinds that these roles may decide, with a comma before and after each. */
#define CK_APPROVAL_KINDS_SIZE 512
void ck_approval_kinds_of(unsigned roles, char kinds[static CK_APPROVAL_KINDS_SIZE]);

/* For handlers: keeps a request, with roles and limits checked but without proposed.KIND; whoever
 * calls has checked the request itself and the scope. `request` stays the caller's. `person` and
 * `unit` as in the row. CK_E_DENIED, CK_E_LIMIT, CK_E_INVALID (too large) with *refusal filled. */
struct ck_approval_request {
    const char *kind;
    int64_t unit, person;
    const json_t *request;
    const char *reason;
};
int ck_approval_propose(struct ck_turn *turn, const struct ck_actor *actor,
                        const struct ck_approval_request *asked, int64_t *id,
                        struct ck_refusal *refusal);

#endif
