/* A ladder as pages write it (Ladder of http.yaml) and as the scheduler has it. Pure. */
#ifndef DAEMON_CORE_LADDER_REQUEST_H
#define DAEMON_CORE_LADDER_REQUEST_H

#include <jansson.h>

#include "daemon/core/command.h"
#include "scheduler/incident.h"

/* CK_E_INVALID with *refusal naming the member ("steps[1].channels"). */
int ck_ladder_request_read(const json_t *request, struct ck_ladder *ladder,
                           struct ck_refusal *refusal);

/* A new object; NULL where memory ends. */
json_t *ck_ladder_request_write(const struct ck_ladder *ladder);

/* "low", "medium", "high", "top", and "safety" for the ladder of safety checks; NULL-terminated. */
extern const char *const ck_ladder_bands[];

/* The scheduler's band of one of them; safety checks are as urgent as the top band. */
enum ck_band ck_ladder_band(const char *word);

#endif
