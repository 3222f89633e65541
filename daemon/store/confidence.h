/* Texts that were confided, sealed (daemon/core/confidence.h). */
#ifndef DAEMON_STORE_CONFIDENCE_H
#define DAEMON_STORE_CONFIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"
#include "protocol/base/digest.h"

struct ck_confidence_row {
    int64_t id, person;
    const void *key; /* wrapped */
    size_t key_size;
    const uint8_t *nonce; /* CK_GCM_NONCE_SIZE bytes */
    const void *sealed;
    size_t size;
};

/* Ids begin at 1; wrap the key for ck_confidence_next_id() first. */
int ck_confidence_next_id(struct ck_store *store, int64_t *id);
int ck_confidence_insert(struct ck_store *store, const struct ck_confidence_row *row,
                         struct ck_wall now);

#endif
