/* A plan as the pages ask for it (PlanRequest of the HTTP API) as the scheduler's plan and policy.
 */
#ifndef DAEMON_CORE_PLAN_REQUEST_H
#define DAEMON_CORE_PLAN_REQUEST_H

#include <jansson.h>

#include "daemon/core/command.h"
#include "daemon/store/order.h"
#include "daemon/store/plan.h"
#include "scheduler/plan.h"

/* Fills plan and policy from a request, an order and a person, and checks the plan by itself
 * (demand.h measures it against the order). CK_E_INVALID with *refusal. *warning is CK_PLAN_OK or
 * what speaks against it without forbidding it. */
int ck_plan_request_read(const json_t *request, const struct ck_order_record *order,
                         const struct ck_subject *subject, const struct ck_checkin_policy *house,
                         struct ck_plan *plan, struct ck_checkin_policy *policy,
                         enum ck_plan_reason *warning, struct ck_refusal *refusal);

/* The same from a plan in the store, which was checked when it was made: an order that has been
 * shortened since leaves it fewer dates, or none. -EUCLEAN: the row is damaged. */
int ck_plan_record_read(const struct ck_plan_record *record, const struct ck_order_record *order,
                        const struct ck_subject *subject, const struct ck_checkin_policy *house,
                        struct ck_plan *plan, struct ck_checkin_policy *policy);

/* The plan whose place the request takes ("replaces"), 0 where it takes none. */
int ck_plan_replaced(const json_t *request, int64_t *plan, struct ck_refusal *refusal);

/* The members of a request that are kept, as canonical JSON; NULL where memory ends. */
char *ck_plan_request_text(const json_t *request);

#endif
