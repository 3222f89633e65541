/* Rows that were taken out of the schedule because they could not be decided. */
#ifndef DAEMON_STORE_QUARANTINE_H
#define DAEMON_STORE_QUARANTINE_H

#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"

/* Those that are there now: [{kind, id, since, error}]. Any connection. */
int ck_store_quarantine_list(struct ck_store *store, json_t **rows);

/* Puts the row back: due at `now`, as if it had never failed. CK_E_NOT_FOUND: it is not in
 * quarantine. */
int ck_store_quarantine_release(struct ck_store *store, enum ck_due_kind kind, int64_t id,
                                struct ck_wall now);

#endif
