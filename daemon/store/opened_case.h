/* Cases that somebody opened outside the own caseload: for a while, to read. */
#ifndef DAEMON_STORE_OPENED_CASE_H
#define DAEMON_STORE_OPENED_CASE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"

int ck_opened_insert(struct ck_store *store, int64_t staff, int64_t person, struct ck_wall now,
                     struct ck_wall until, int64_t *id);
/* Ends one now. *person is whose it was. CK_E_NOT_FOUND: not of this member of staff, or over. */
int ck_opened_close(struct ck_store *store, int64_t id, int64_t staff, struct ck_wall now,
                    int64_t *person);
/* The persons whose cases are open to somebody now. */
int ck_opened_of(struct ck_store *store, int64_t staff, struct ck_wall now, int64_t *persons,
                 size_t capacity, size_t *count);
/* How many somebody opened since then. */
int ck_opened_since(struct ck_store *store, int64_t staff, struct ck_wall since, int64_t *count);
/* The person with this reference, whatever the unit. CK_E_NOT_FOUND. */
int ck_person_by_reference(struct ck_store *store, const char *reference, int64_t *person);

/* {opened: [{id, person_id, person_name, reference, opened, until}]}: of one member of staff, now.
 * Any connection. */
int ck_query_opened(struct ck_store *store, int64_t staff, struct ck_wall now, json_t **out);

#endif
