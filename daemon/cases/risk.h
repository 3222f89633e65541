/* The risk compartment: the thirteen items of the score, what came of them, and the professional
 * judgement beside it. Sealed in rows of their own, read by a right of their own with a record of
 * each read, part of nothing else: no list, no page of the person, no export carries them.
 *
 * The score is a value of the records of one index incident alone (scheduler/odara.h). It is never
 * changed: a new index incident or corrected records give a new one. From the newest score, or the
 * newest judgement, the policy table gives a proposal; a supervisor approves it; statute and court
 * win, because the plan is made by "plan.create" under the order.
 *
 * Commands, body → result:
 *   risk.score     person, index_date, eligibility {known_to_police, partner, contact_or_threat,
 *                  adult_man_to_woman}, items (13 of 1, 0 or null for unknown), note → id: person
 *   risk.judge     person, band (low … top), reasons → id: person
 *   risk.propose   person, order_id, basis (score | judgement), reason → id of the request
 *   proposed.cadence.change, approved.cadence.change, approved.plan.proposal   approval.h
 *
 * Log: RISK_SCORED (person; norms version; no figure), RISK_JUDGED, CADENCE_CHANGED; reads are
 * READ with what "risk". */
#ifndef DAEMON_CASES_RISK_H
#define DAEMON_CASES_RISK_H

#include <jansson.h>

#include "daemon/config/norms.h"
#include "daemon/core/command.h"
#include "daemon/core/rules.h"
#include "daemon/store/store.h"

/* {scores, judgements}: what the compartment holds of a person, opened, newest first. Any
 * connection. An entry whose key was erased has only id, by and at. CK_E_CONFLICT: a key that the
 * log says was destroyed is there again. */
int ck_risk_open(struct ck_store *store, const uint8_t master[static CK_KEY_SIZE], int64_t person,
                 json_t **risk);

/* RiskProposal: band, request (a PlanRequest), gave_way, advice; CK_E_CONFLICT with *refusal where
 * there is nothing to propose from, or the order leaves no room. Any connection. `basis`: "score"
 * or "judgement". */
struct ck_proposal_asked {
    const char *zone_dir;
    int64_t person, order;
    const char *basis;
    const struct ck_checkin_policy *house;
    struct ck_wall now;
};
int ck_risk_proposal(struct ck_store *store, const uint8_t master[static CK_KEY_SIZE],
                     const struct ck_proposal_asked *asked, json_t **proposal,
                     struct ck_refusal *refusal);

/* The policy table in force as Cadence, with when it was approved (null: the product's own). */
int ck_cadence_json(struct ck_store *store, json_t **cadence);

#endif
