/* Every column that holds a key wrapped under the master key, so that all of them can be wrapped
 * anew. A column that is marked "wrapped" in the schema and missing here is found by a test. */
#ifndef DAEMON_STORE_WRAPPED_H
#define DAEMON_STORE_WRAPPED_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"

enum ck_wrapped {
    CK_WRAPPED_RECORDING = 0, /* in the form of protocol/seal.h; the others in that of wrap.h */
    CK_WRAPPED_PHOTO,
    CK_WRAPPED_THREAD,
    CK_WRAPPED_ASSESSMENT,
    CK_WRAPPED_CONFIDENCE,
    CK_WRAPPED_DRAW_KEY, /* by epoch */
    CK_WRAPPED_TOTP,     /* by member of staff */
    CK_WRAPPED_TOTP_PENDING,
    CK_WRAPPED_COUNT,
};

/* "recording.key", …. */
const char *ck_wrapped_name(enum ck_wrapped wrapped);

#define CK_WRAPPED_BYTES_MAX 128

struct ck_wrapped_row {
    int64_t id;
    uint8_t bytes[CK_WRAPPED_BYTES_MAX];
    size_t size;
};

/* At most `capacity` rows with a key behind `after`, by id. -EUCLEAN: one is longer than any key.
 */
int ck_wrapped_list(struct ck_store *store, enum ck_wrapped wrapped, int64_t after,
                    struct ck_wrapped_row *rows, size_t capacity, size_t *count);
int ck_wrapped_save(struct ck_store *store, enum ck_wrapped wrapped,
                    const struct ck_wrapped_row *row);

#endif
