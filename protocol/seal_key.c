#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/seal.h"

#define WRAP_VERSION 1
#define WRAP_INFO "checkind recording key v1"
#define KEY_ID_INFO "checkind master key id v1"
#define KEY_ID_SALT "checkind"

/* Offsets in a wrapped key: version, key id, nonce, encrypted key, tag. */
enum {
    AT_KEY_ID = 1,
    AT_NONCE = AT_KEY_ID + CK_SEAL_KEY_ID_SIZE,
    AT_KEY = AT_NONCE + CK_GCM_NONCE_SIZE,
};

/* What is authenticated beside the key itself: version, key id, recording. */
#define AAD_SIZE (AT_NONCE + 8)

static void aad_of(const uint8_t *wrapped, uint64_t recording, uint8_t aad[static AAD_SIZE])
{
    memcpy(aad, wrapped, AT_NONCE);
    ck_put_u64(aad + AT_NONCE, recording);
}

static int wrapping_key(const uint8_t *master, uint64_t recording, uint8_t key[static CK_KEY_SIZE])
{
    uint8_t salt[8];
    ck_put_u64(salt, recording);
    return ck_hkdf(master, CK_KEY_SIZE, salt, sizeof salt, WRAP_INFO, key, CK_KEY_SIZE);
}

int ck_seal_key_id(const uint8_t master[static CK_KEY_SIZE],
                   uint8_t key_id[static CK_SEAL_KEY_ID_SIZE])
{
    return ck_hkdf(master, CK_KEY_SIZE, KEY_ID_SALT, strlen(KEY_ID_SALT), KEY_ID_INFO, key_id,
                   CK_SEAL_KEY_ID_SIZE);
}

int ck_seal_wrap(const uint8_t master[static CK_KEY_SIZE], uint64_t recording,
                 const uint8_t nonce[static CK_GCM_NONCE_SIZE],
                 const uint8_t key[static CK_KEY_SIZE],
                 uint8_t wrapped[static CK_SEAL_WRAPPED_SIZE])
{
    uint8_t out[CK_SEAL_WRAPPED_SIZE] = {WRAP_VERSION};
    uint8_t aad[AAD_SIZE];
    uint8_t under[CK_KEY_SIZE];
    int r = ck_seal_key_id(master, out + AT_KEY_ID);
    if (r == 0) {
        r = wrapping_key(master, recording, under);
    }
    if (r != 0) {
        return r;
    }
    memcpy(out + AT_NONCE, nonce, CK_GCM_NONCE_SIZE);
    aad_of(out, recording, aad);
    r = ck_gcm_seal(under, nonce, aad, sizeof aad, key, CK_KEY_SIZE, out + AT_KEY);
    ck_wipe(under, sizeof under);
    if (r == 0) {
        memcpy(wrapped, out, sizeof out);
    }
    return r;
}

int ck_seal_unwrap(const uint8_t master[static CK_KEY_SIZE], uint64_t recording,
                   const void *wrapped, size_t size, uint8_t key[static CK_KEY_SIZE])
{
    const uint8_t *in = wrapped;
    uint8_t key_id[CK_SEAL_KEY_ID_SIZE];
    uint8_t aad[AAD_SIZE];
    uint8_t under[CK_KEY_SIZE];
    uint8_t plain[CK_KEY_SIZE];
    if (size != CK_SEAL_WRAPPED_SIZE || in[0] != WRAP_VERSION) {
        return CK_E_SYNTAX;
    }
    int r = ck_seal_key_id(master, key_id);
    if (r != 0) {
        return r;
    }
    if (memcmp(key_id, in + AT_KEY_ID, sizeof key_id) != 0) {
        return CK_E_NOT_FOUND;
    }
    r = wrapping_key(master, recording, under);
    if (r != 0) {
        return r;
    }
    aad_of(in, recording, aad);
    r = ck_gcm_open(under, in + AT_NONCE, aad, sizeof aad, in + AT_KEY,
                    CK_KEY_SIZE + CK_GCM_TAG_SIZE, plain);
    if (r == 0) {
        memcpy(key, plain, sizeof plain);
    }
    ck_wipe(under, sizeof under);
    ck_wipe(plain, sizeof plain);
    return r;
}

int ck_seal_wrapped_key_id(const void *wrapped, size_t size,
                           uint8_t key_id[static CK_SEAL_KEY_ID_SIZE])
{
    const uint8_t *in = wrapped;
    if (size != CK_SEAL_WRAPPED_SIZE || in[0] != WRAP_VERSION) {
        return CK_E_SYNTAX;
    }
    memcpy(key_id, in + AT_KEY_ID, CK_SEAL_KEY_ID_SIZE);
    return 0;
}
