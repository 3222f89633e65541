/* Queries about the audit log, in the shapes of the pages' API. Proofs are daemon/audit's
 * (audit/proof.h). */
#ifndef DAEMON_STORE_QUERY_LOG_H
#define DAEMON_STORE_QUERY_LOG_H

#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"

#define CK_QUERY_LOG_MAX 100

/* Zero and NULL mean "any". */
struct ck_log_filter {
    int64_t unit;   /* entries about persons or by staff of other units are left out */
    int64_t before; /* index: only below it; 0 and 1 alike give the newest */
    int64_t after;  /* index: only above it, oldest first; -1: not */
    int64_t person;
    int64_t staff;
    const char *action;         /* whole, or a beginning with a star behind it: "INCIDENT_*" */
    struct ck_wall from, until; /* half-open */
};

/* {entries: LogEntry[], next, size, root}, newest first. */
/* Its statement, for a test of the way that the database takes through it. */
const char *ck_query_log_sql(const struct ck_log_filter *filter);

int ck_query_log(struct ck_store *store, const struct ck_log_filter *filter, json_t **page);

/* LogEntry with leaf and leaf_hash; CK_E_NOT_FOUND (also where it is of another unit). */
int ck_query_log_entry(struct ck_store *store, int64_t unit, int64_t index, json_t **entry);

/* When the log was last verified and what came of it: {at, good, entry}, or null where it never
 * was. */
int ck_query_log_verified(struct ck_store *store, json_t **verified);

#endif
