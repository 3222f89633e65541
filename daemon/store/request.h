/* What a person asks for in writing, and the answer: another time, or that a result is wrong. */
#ifndef DAEMON_STORE_REQUEST_H
#define DAEMON_STORE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/query_checkin.h"
#include "daemon/store/store.h"

struct ck_request {
    int64_t id, person;
    int64_t checkin; /* 0: none */
    bool dispute;    /* else: another time */
    bool answered;
};

/* CK_E_CONFLICT: this check-in is disputed already. Sets request->id. */
int ck_request_insert(struct ck_store *store, struct ck_request *request, const char *text,
                      struct ck_wall now);
/* CK_E_NOT_FOUND. */
int ck_request_load(struct ck_store *store, int64_t id, struct ck_request *request);
/* How many of a person's wait for an answer. */
int ck_request_open_count(struct ck_store *store, int64_t person, int64_t *count);
/* CK_E_CONFLICT: it was answered before. */
int ck_request_answer(struct ck_store *store, int64_t id, bool accepted, const char *answer,
                      int64_t staff, struct ck_wall now);

/* The ended check-in of a person's receipt. CK_E_NOT_FOUND. */
int ck_request_checkin(struct ck_store *store, int64_t person, const char *receipt,
                       int64_t *checkin);

/* Those in scope: open ones first, oldest first; then the latest answered ones; at most
 * CK_REQUESTS_MAX. */
#define CK_REQUESTS_MAX 200
int ck_request_list(struct ck_store *store, const struct ck_scope *scope, json_t **list);
/* The person's own, newest first, for their page: no names. */
#define CK_REQUESTS_OWN_MAX 20
int ck_request_own(struct ck_store *store, int64_t person, json_t **list);

#endif
