/* A plan as the pages ask for it (PlanRequest of the HTTP API) as the scheduler's plan and policy.
 */
#ifndef DAEMON_CORE_PLAN_REQUEST_H
#define DAEMON_CORE_PLAN_REQUEST_H

#include <jansson.h>

#include "daemon/core/command.h"
#include "daemon/store/plan.h"
#include "daemon/store/store.h"
#include "scheduler/plan.h"

/* Fills plan and policy from a request, an order and a person. Everything is checked; a plan that
 * demands contacts outside the order's hours or dates is refused. CK_E_INVALID with *refusal.
 * *warning is NULL or a text. */
int ck_plan_request_read(const json_t *request, const struct ck_order_brief *order,
                         const struct ck_subject *subject, const struct ck_checkin_policy *house,
                         struct ck_plan *plan, struct ck_checkin_policy *policy,
                         const char **warning, struct ck_refusal *refusal);

/* The members of a request that are kept, as canonical JSON; NULL where memory ends. */
char *ck_plan_request_text(const json_t *request);

/* PlanPreview: the windows of the next `CK_PLAN_PREVIEW_DAYS` days, never the drawn instants. On
 * any connection. `zone_dir` as in the engine's options. */
#define CK_PLAN_PREVIEW_DAYS 14
int ck_plan_preview(struct ck_store *store, const char *zone_dir, int64_t person,
                    const json_t *request, struct ck_wall now, json_t **preview,
                    struct ck_refusal *refusal);

#endif
