#include "protocol/base/gcm128.h"

#include <errno.h>
#include <limits.h>

#include <openssl/evp.h>

#include "protocol/base/cleanup.h"

static void cipher_ctx_freep(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

int ck_gcm128_seal(const uint8_t key[static CK_GCM128_KEY_SIZE],
                   const uint8_t nonce[static CK_GCM_NONCE_SIZE], const struct ck_slice *slices,
                   size_t count, void *out)
{
    ck_cleanup(cipher_ctx_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t *cipher = out;
    int got = 0;
    size_t at = 0;
    if (ctx == NULL || EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, key, nonce) != 1) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (slices[i].size > INT_MAX) {
            return -EINVAL;
        }
        if (slices[i].size > 0 &&
            EVP_EncryptUpdate(ctx, cipher + at, &got, slices[i].data, (int)slices[i].size) != 1) {
            return -ENOMEM;
        }
        at += slices[i].size;
    }
    if (EVP_EncryptFinal_ex(ctx, cipher + at, &got) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CK_GCM_TAG_SIZE, cipher + at) != 1) {
        return -ENOMEM;
    }
    return 0;
}
