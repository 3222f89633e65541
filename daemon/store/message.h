/* Rows of the message threads, one thread a person. Texts are sealed before they come here. */
#ifndef DAEMON_STORE_MESSAGE_H
#define DAEMON_STORE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "protocol/base/digest.h"

/* The wrapped key of a person's thread into at most `capacity` bytes. CK_E_NOT_FOUND: no thread
 * yet, or erased. */
int ck_thread_key(struct ck_store *store, int64_t person, void *wrapped, size_t capacity,
                  size_t *size);
int ck_thread_insert(struct ck_store *store, int64_t person, const void *wrapped, size_t size,
                     struct ck_wall now);

struct ck_message_row {
    int64_t id, person;
    int64_t from_staff; /* 0: from the person */
    const char *client_id;
    uint8_t nonce[CK_GCM_NONCE_SIZE];
    const void *sealed;
    size_t size;
};

/* CK_E_CONFLICT: this sender sent this client_id already; row->id is then the earlier one's. */
int ck_message_insert(struct ck_store *store, struct ck_message_row *row, struct ck_wall now);

/* The sender's name as the other side sees it, into `name`. */
int ck_message_author(struct ck_store *store, int64_t person, int64_t from_staff, char *name,
                      size_t size);

/* Marks what the other side of `by_person` sent, up to an id. *changed: how many were not marked
 * before. Read implies delivered. */
int ck_message_delivered(struct ck_store *store, int64_t person, bool by_person, int64_t up_to,
                         struct ck_wall now, int64_t *changed);
int ck_message_read(struct ck_store *store, int64_t person, bool by_person, int64_t up_to,
                    struct ck_wall now, int64_t *changed);

/* What persons wrote to this inspector, or to those whose stand-in they are, and no page of theirs
 * has had yet: [{person, up_to}], at most CK_UNDELIVERED_MAX. */
#define CK_UNDELIVERED_MAX 256
int ck_query_undelivered(struct ck_store *store, int64_t inspector, json_t **list);

#endif
