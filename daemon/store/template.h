/* Texts that a unit keeps ready for messages, in the three languages. */
#ifndef DAEMON_STORE_TEMPLATE_H
#define DAEMON_STORE_TEMPLATE_H

#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"

struct ck_template_row {
    int64_t id, unit, by_staff;
    const char *kk, *ru, *en;
};

/* Inserts and sets *id. */
int ck_template_insert(struct ck_store *store, const struct ck_template_row *row,
                       struct ck_wall now, int64_t *id);
/* CK_E_NOT_FOUND: no such one in this unit, or removed. */
int ck_template_update(struct ck_store *store, const struct ck_template_row *row,
                       struct ck_wall now);
int ck_template_remove(struct ck_store *store, int64_t id, int64_t unit, struct ck_wall now);
/* How many a unit has now. */
int ck_template_count(struct ck_store *store, int64_t unit, int64_t *count);

/* {templates: [{id, kk, ru, en, changed, by}]}: those of a unit, the oldest first. Any connection.
 */
int ck_query_templates(struct ck_store *store, int64_t unit, json_t **out);

#endif
