/* A text in a row of the store under a key of its own, which lies wrapped beside it. */
#ifndef DAEMON_CORE_SEALED_H
#define DAEMON_CORE_SEALED_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/core/command.h"
#include "daemon/core/wrap.h"

#define CK_SEALED_TEXT_MAX 16384

struct ck_sealed {
    uint8_t wrapped[CK_WRAPPED_SIZE]; /* the key */
    uint8_t nonce[CK_GCM_NONCE_SIZE];
    uint8_t *bytes; /* to be freed */
    size_t size;
};

/* Under a new key, wrapped for this purpose (wrap.h) and row. CK_E_LIMIT: longer than
 * CK_SEALED_TEXT_MAX; -ENOMEM. */
int ck_sealed_make(struct ck_turn *turn, const char *purpose, int64_t id, const char *text,
                   struct ck_sealed *sealed);

/* Takes the members "key", "nonce" and "sealed" (hexadecimal) out of a row of a query. *text:
 * what they hold, to be wiped and freed; NULL where the key is null: it was erased. -EUCLEAN: it
 * does not open. Any thread. */
int ck_sealed_open(const uint8_t master[static CK_KEY_SIZE], const char *purpose, int64_t id,
                   json_t *row, char **text);

#endif
