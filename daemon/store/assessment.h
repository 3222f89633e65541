/* Rows of the risk compartment: scores and judgements, sealed (daemon/cases/risk.h). */
#ifndef DAEMON_STORE_ASSESSMENT_H
#define DAEMON_STORE_ASSESSMENT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "protocol/base/digest.h"

#define CK_ASSESSMENTS_MAX 40 /* of one person that are read at once, the newest */

struct ck_assessment_row {
    int64_t id, person;
    const char *kind; /* "score", "judgement" */
    const void *key;  /* wrapped */
    size_t key_size;
    uint8_t nonce[CK_GCM_NONCE_SIZE];
    const void *sealed;
    size_t size;
    int64_t by;
};

/* Ids begin at 1; wrap keys and seal for ck_assessment_next_id() first. */
int ck_assessment_next_id(struct ck_store *store, int64_t *id);
int ck_assessment_insert(struct ck_store *store, const struct ck_assessment_row *row,
                         struct ck_wall now);

/* {id, kind, by, at, key, nonce, sealed} of a person, newest first, the last three in hexadecimal
 * (key null once erased). Any connection. `kind` NULL: both. */
int ck_query_assessments(struct ck_store *store, int64_t person, const char *kind, json_t **list);

#endif
