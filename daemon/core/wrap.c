#include "daemon/core/wrap.h"

#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

int ck_key_wrap(const uint8_t master[static CK_KEY_SIZE], const char *purpose, int64_t id,
                const uint8_t nonce[static CK_GCM_NONCE_SIZE],
                const uint8_t key[static CK_KEY_SIZE], uint8_t wrapped[static CK_WRAPPED_SIZE])
{
    uint8_t derived[CK_KEY_SIZE], bound[8];
    ck_put_u64(bound, (uint64_t)id);
    int r = ck_hkdf(master, CK_KEY_SIZE, bound, sizeof bound, purpose, derived, sizeof derived);
    if (r == 0) {
        r = ck_gcm_seal(derived, nonce, bound, sizeof bound, key, CK_KEY_SIZE,
                        wrapped + CK_GCM_NONCE_SIZE);
    }
    if (r == 0) {
        memcpy(wrapped, nonce, CK_GCM_NONCE_SIZE);
    }
    ck_wipe(derived, sizeof derived);
    return r;
}

int ck_key_unwrap(const uint8_t master[static CK_KEY_SIZE], const char *purpose, int64_t id,
                  const void *wrapped, size_t size, uint8_t key[static CK_KEY_SIZE])
{
    const uint8_t *bytes = wrapped;
    uint8_t derived[CK_KEY_SIZE], bound[8];
    if (size != CK_WRAPPED_SIZE) {
        return CK_E_SYNTAX;
    }
    ck_put_u64(bound, (uint64_t)id);
    int r = ck_hkdf(master, CK_KEY_SIZE, bound, sizeof bound, purpose, derived, sizeof derived);
    if (r == 0) {
        r = ck_gcm_open(derived, bytes, bound, sizeof bound, bytes + CK_GCM_NONCE_SIZE,
                        CK_WRAPPED_SIZE - CK_GCM_NONCE_SIZE, key);
    }
    ck_wipe(derived, sizeof derived);
    return r;
}
