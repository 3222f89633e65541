/* For handlers: the incident that a body names. */
#ifndef DAEMON_CORE_INCIDENT_BODY_H
#define DAEMON_CORE_INCIDENT_BODY_H

#include "daemon/core/body.h"
#include "daemon/store/incident.h"

/* The incident named by "incident", for a member of staff in scope: what is restricted (safety,
 * concern) is not its inspector's, what belongs to no unit is every officer's and supervisor's.
 * CK_E_INVALID, CK_E_NOT_FOUND, CK_E_DENIED (logged) with *refusal filled. */
int ck_body_incident(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     struct ck_incident_row *row, struct ck_refusal *refusal);

#endif
