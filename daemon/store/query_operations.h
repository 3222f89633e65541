/* What operators look at: counts without anything of a case. For readers. */
#ifndef DAEMON_STORE_QUERY_OPERATIONS_H
#define DAEMON_STORE_QUERY_OPERATIONS_H

#include <jansson.h>

#include "daemon/store/store.h"

/* {incidents_open, incidents_overdue (steps more than a minute late), step_due, checkin_due,
 * notice_due (the soonest timer of incidents, check-ins and notices, or null), outbox_oldest (time
 * of the oldest notice that no channel has taken, or null), quarantined, log_size, staff}. */
int ck_query_operations(struct ck_store *store, struct ck_wall now, json_t **operations);

/* Rows in quarantine: [{kind, id, since, error}], oldest first, at most 1000. */
int ck_query_quarantine(struct ck_store *store, json_t **rows);

#endif
