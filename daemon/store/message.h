/* Rows of the message threads: one with each person, one about each incident. What is written is
 * sealed before it comes here. */
#ifndef DAEMON_STORE_MESSAGE_H
#define DAEMON_STORE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "protocol/base/digest.h"

/* Whose a thread is: one of the two is 0. */
struct ck_thread_of {
    int64_t person, incident;
};

/* The thread's number and its wrapped key, into at most `capacity` bytes. CK_E_NOT_FOUND: no thread
 * yet (*id is 0), or its key was destroyed (*id is the thread's). */
int ck_thread_find(struct ck_store *store, const struct ck_thread_of *of, int64_t *id,
                   void *wrapped, size_t capacity, size_t *size);
/* The number that the next thread gets: its key is bound to it. */
int ck_thread_next_id(struct ck_store *store, int64_t *id);
/* A new thread, or another key for one whose key was destroyed. */
int ck_thread_insert(struct ck_store *store, int64_t id, const struct ck_thread_of *of,
                     const void *wrapped, size_t size, struct ck_wall now);

struct ck_message_row {
    int64_t id, thread;
    int64_t from_staff; /* 0: from the person */
    const char *client_id;
    uint8_t nonce[CK_GCM_NONCE_SIZE];
    const void *sealed;
    size_t size;
};

/* CK_E_CONFLICT: this sender sent this client_id already; row->id is then the earlier one's. */
int ck_message_insert(struct ck_store *store, struct ck_message_row *row, struct ck_wall now);

/* A sealed file. Free with ck_message_file_clear(). */
struct ck_message_file {
    uint8_t nonce[CK_GCM_NONCE_SIZE];
    void *sealed;
    size_t size;
};
int ck_message_file_insert(struct ck_store *store, int64_t message,
                           const struct ck_message_file *file);
/* CK_E_NOT_FOUND. */
int ck_message_file_load(struct ck_store *store, int64_t message, struct ck_message_file *file);
void ck_message_file_clear(struct ck_message_file *file);
/* How many messages this sender (0: the person) wrote into a thread since then. */
int ck_message_count_since(struct ck_store *store, int64_t thread, int64_t from_staff,
                           struct ck_wall since, int64_t *count);
/* How many files this sender (0: the person) put into a thread since then. */
int ck_message_files_since(struct ck_store *store, int64_t thread, int64_t from_staff,
                           struct ck_wall since, int64_t *count);

/* The sender's name as the other side sees it, into `name`. `person` is whose thread it is. */
int ck_message_author(struct ck_store *store, int64_t person, int64_t from_staff, char *name,
                      size_t size);

/* Marks what the other side of `by_person` sent, up to an id. *changed: how many were not marked
 * before. Read implies delivered. */
int ck_message_delivered(struct ck_store *store, int64_t person, bool by_person, int64_t up_to,
                         struct ck_wall now, int64_t *changed);
int ck_message_read(struct ck_store *store, int64_t person, bool by_person, int64_t up_to,
                    struct ck_wall now, int64_t *changed);
/* A colleague has read the thread about an incident up to an id. *changed: 0 where they had. */
int ck_thread_read(struct ck_store *store, int64_t incident, int64_t staff, int64_t up_to,
                   struct ck_wall now, int64_t *changed);

/* What persons wrote to this inspector, or to those whose stand-in they are, and no page of theirs
 * has had yet: [{person, up_to}], at most CK_UNDELIVERED_MAX. */
#define CK_UNDELIVERED_MAX 256
int ck_query_undelivered(struct ck_store *store, int64_t inspector, json_t **list);

/* Messages before an id (0: the newest), oldest first, sealed: {messages, next, thread, key}, each
 * as Message of http.yaml with `nonce` and `sealed` in hexadecimal in place of `text` and `file`;
 * of an incident's thread also `readers`. */
#define CK_QUERY_MESSAGES_MAX 100 /* of one page */
int ck_query_messages(struct ck_store *store, const struct ck_thread_of *of, int64_t before,
                      json_t **page);
/* A person's messages from `from` to `until` behind the id `after`, oldest first, in the form above
 * without `next`; at most `limit`. */
int ck_query_messages_between(struct ck_store *store, int64_t person, struct ck_wall from,
                              struct ck_wall until, int64_t after, int64_t limit, json_t **page);
/* Whose thread a message is in. CK_E_NOT_FOUND. */
int ck_message_owner(struct ck_store *store, int64_t id, struct ck_thread_of *of);

/* One message: {thread, person, incident, key, nonce, sealed}; CK_E_NOT_FOUND. */
int ck_query_message(struct ck_store *store, int64_t id, json_t **message);

#endif
