/* What expires when, and the holds, for a supervisor. */
#ifndef DAEMON_STORE_QUERY_RETENTION_H
#define DAEMON_STORE_QUERY_RETENTION_H

#include <jansson.h>

#include "daemon/store/store.h"

#define CK_QUERY_EXPIRY_MAX 200

struct ck_expiry_filter {
    int64_t unit;
    const char *keep; /* NULL: every class */
    int64_t person;   /* 0: everybody */
    bool erased;      /* what has had its time; otherwise what waits */
    int64_t after;    /* an id of before: go on behind it; at most 0: from the beginning */
};

/* ExpiryItem without "expires" where a hold is on it: [{id, class, person_id, …}], what is held
 * first, then soonest first, what is gone newest first; at most CK_QUERY_EXPIRY_MAX. */
int ck_query_expiry(struct ck_store *store, const struct ck_expiry_filter *filter, json_t **list);

/* [{class, waiting, held, first}] of a unit. */
int ck_query_expiry_totals(struct ck_store *store, int64_t unit, json_t **list);

/* Holds of a unit that are on, soonest review first; or of one person. */
int ck_query_holds(struct ck_store *store, int64_t unit, int64_t person, json_t **list);

#endif
