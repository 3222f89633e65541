/* Rows of browsers that have subscribed to Web Push: consoles of staff, pages of persons. */
#ifndef DAEMON_STORE_PUSH_H
#define DAEMON_STORE_PUSH_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"

#define CK_PUSH_BROWSERS_MAX 5 /* of one member of staff or person; the oldest makes room */
#define CK_PUSH_TEXT_SIZE 1025 /* a subscription as JSON, and its zero */

/* Adds one, or the same again where it is there. `staff` or `person` is 0. */
int ck_push_insert(struct ck_store *store, int64_t staff, int64_t person, const char *subscription,
                   struct ck_wall now);
/* Takes out one by its text, whoever's it is among the two; nothing where there is none. */
int ck_push_remove(struct ck_store *store, int64_t staff, int64_t person, const char *subscription);
/* The ids of somebody's, newest first. */
int ck_push_of(struct ck_store *store, int64_t staff, int64_t person, int64_t *ids, size_t capacity,
               size_t *count);
/* CK_E_NOT_FOUND. */
int ck_push_text(struct ck_store *store, int64_t id, char text[static CK_PUSH_TEXT_SIZE]);

#endif
