/* What a plan will do, for the pages and checkinctl: its windows, never a drawn instant. On any
 * connection; nothing is saved. */
#ifndef DAEMON_CORE_PLAN_PREVIEW_H
#define DAEMON_CORE_PLAN_PREVIEW_H

#include <jansson.h>

#include "daemon/core/command.h"
#include "daemon/store/store.h"

#define CK_PLAN_PREVIEW_DAYS 14
#define CK_PLAN_PREVIEW_WINDOWS 128
#define CK_PLAN_DIFFERENCE_DAYS 28
#define CK_PLAN_DIFFERENCES 64

/* PlanPreview of a request: the windows of the next CK_PLAN_PREVIEW_DAYS days in which something
 * can still be planned, from the date on which the plan would begin to serve; warnings, what the
 * order says against it ("refused", or null), and, where it replaces a plan, on which dates of the
 * next CK_PLAN_DIFFERENCE_DAYS days it differs. CK_E_INVALID where the request makes no sense by
 * itself. `zone_dir` as in the engine's options. */
int ck_plan_preview(struct ck_store *store, const char *zone_dir, int64_t person,
                    const json_t *request, struct ck_wall now, json_t **preview,
                    struct ck_refusal *refusal);

/* {plan, person, windows}: the same windows of a plan in the store. CK_E_NOT_FOUND. */
int ck_plan_ahead(struct ck_store *store, const char *zone_dir, int64_t plan, struct ck_wall now,
                  json_t **ahead);

#endif
