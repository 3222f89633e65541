/* SHA256_Init() and its kind are deprecated in favour of EVP, see ck_sha256(). */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "protocol/base/digest.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/md5.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

static void md_ctx_freep(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

static void kdf_freep(EVP_KDF **kdf)
{
    EVP_KDF_free(*kdf);
}

static void kdf_ctx_freep(EVP_KDF_CTX **ctx)
{
    EVP_KDF_CTX_free(*ctx);
}

static void cipher_ctx_freep(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

static void pkey_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

/* By the functions beneath the library's general interface, which allocates a context and looks up
 * its methods for each digest: the tree of the audit log hashes 65 bytes at a time, and that would
 * cost more than hashing them. */
int ck_sha256(const struct ck_slice *slices, size_t count, uint8_t digest[static CK_SHA256_SIZE])
{
    SHA256_CTX ctx;
    bool good = SHA256_Init(&ctx) == 1;
    for (size_t i = 0; good && i < count; i++) {
        good = SHA256_Update(&ctx, slices[i].data, slices[i].size) == 1;
    }
    return good && SHA256_Final(digest, &ctx) == 1 ? 0 : -ENOMEM;
}

int ck_md5(const struct ck_slice *slices, size_t count, uint8_t digest[static CK_MD5_SIZE])
{
    MD5_CTX ctx;
    bool good = MD5_Init(&ctx) == 1;
    for (size_t i = 0; good && i < count; i++) {
        good = MD5_Update(&ctx, slices[i].data, slices[i].size) == 1;
    }
    return good && MD5_Final(digest, &ctx) == 1 ? 0 : -ENOMEM;
}

#define HMAC_BLOCK_SIZE 64 /* of SHA-1 and of SHA-256 */

/* The two blocks that lead the inner and the outer text of RFC 2104. False where the library fails.
 */
static bool hmac_pads(const void *key, size_t key_size,
                      bool (*shorten)(const void *, size_t, uint8_t *),
                      uint8_t inner[static HMAC_BLOCK_SIZE], uint8_t outer[static HMAC_BLOCK_SIZE])
{
    uint8_t block[HMAC_BLOCK_SIZE] = {0};
    bool ok = true;
    if (key_size > sizeof block) {
        ok = shorten(key, key_size, block);
    } else if (key_size > 0) {
        memcpy(block, key, key_size);
    }
    for (size_t i = 0; i < sizeof block; i++) {
        inner[i] = block[i] ^ 0x36;
        outer[i] = block[i] ^ 0x5c;
    }
    ck_wipe(block, sizeof block);
    return ok;
}

static bool sha256_key(const void *key, size_t size, uint8_t *out)
{
    return SHA256(key, size, out) != NULL;
}

static bool sha1_key(const void *key, size_t size, uint8_t *out)
{
    return SHA1(key, size, out) != NULL;
}

/* RFC 2104: H(key ^ opad || H(key ^ ipad || text)). */
int ck_hmac_sha256(const void *key, size_t key_size, const struct ck_slice *slices, size_t count,
                   uint8_t tag[static CK_SHA256_SIZE])
{
    SHA256_CTX ctx;
    uint8_t inner[HMAC_BLOCK_SIZE], outer[HMAC_BLOCK_SIZE], digest[CK_SHA256_SIZE];
    bool ok = hmac_pads(key, key_size, sha256_key, inner, outer) && SHA256_Init(&ctx) == 1 &&
              SHA256_Update(&ctx, inner, sizeof inner) == 1;
    for (size_t i = 0; ok && i < count; i++) {
        ok = SHA256_Update(&ctx, slices[i].data, slices[i].size) == 1;
    }
    ok = ok && SHA256_Final(digest, &ctx) == 1 && SHA256_Init(&ctx) == 1 &&
         SHA256_Update(&ctx, outer, sizeof outer) == 1 &&
         SHA256_Update(&ctx, digest, sizeof digest) == 1 && SHA256_Final(tag, &ctx) == 1;
    ck_wipe(&ctx, sizeof ctx);
    ck_wipe(inner, sizeof inner);
    ck_wipe(outer, sizeof outer);
    return ok ? 0 : -ENOMEM;
}

/* As above: a worker answers every connectivity check with two of them, and to look the general
 * interface's methods up took five times what they do. */
int ck_hmac_sha1(const void *key, size_t key_size, const struct ck_slice *slices, size_t count,
                 uint8_t tag[static CK_SHA1_SIZE])
{
    SHA_CTX ctx;
    uint8_t inner[HMAC_BLOCK_SIZE], outer[HMAC_BLOCK_SIZE], digest[CK_SHA1_SIZE];
    bool ok = hmac_pads(key, key_size, sha1_key, inner, outer) && SHA1_Init(&ctx) == 1 &&
              SHA1_Update(&ctx, inner, sizeof inner) == 1;
    for (size_t i = 0; ok && i < count; i++) {
        ok = SHA1_Update(&ctx, slices[i].data, slices[i].size) == 1;
    }
    ok = ok && SHA1_Final(digest, &ctx) == 1 && SHA1_Init(&ctx) == 1 &&
         SHA1_Update(&ctx, outer, sizeof outer) == 1 &&
         SHA1_Update(&ctx, digest, sizeof digest) == 1 && SHA1_Final(tag, &ctx) == 1;
    ck_wipe(&ctx, sizeof ctx);
    ck_wipe(inner, sizeof inner);
    ck_wipe(outer, sizeof outer);
    return ok ? 0 : -ENOMEM;
}

int ck_hkdf(const void *secret, size_t secret_size, const void *salt, size_t salt_size,
            const char *info, void *out, size_t size)
{
    /* OSSL_PARAM wants pointers to mutable memory although it only reads them. */
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret,
                                          secret_size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, salt_size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info,
                                          strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    ck_cleanup(kdf_freep) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    ck_cleanup(kdf_ctx_freep) EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    if (ctx == NULL || EVP_KDF_derive(ctx, out, size, params) != 1) {
        return -ENOMEM;
    }
    return 0;
}

static EVP_CIPHER_CTX *gcm_start(const uint8_t *key, const uint8_t *nonce, const void *aad,
                                 size_t aad_size, int encrypt)
{
    ck_cleanup(cipher_ctx_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int got;
    if (ctx == NULL || EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) != 1 ||
        (aad_size > 0 && EVP_CipherUpdate(ctx, NULL, &got, aad, (int)aad_size) != 1)) {
        return NULL;
    }
    return ck_take(ctx);
}

int ck_gcm_seal(const uint8_t key[static CK_KEY_SIZE],
                const uint8_t nonce[static CK_GCM_NONCE_SIZE], const void *aad, size_t aad_size,
                const void *in, size_t size, void *out)
{
    if (size > INT_MAX - CK_GCM_TAG_SIZE || aad_size > INT_MAX) {
        return -EINVAL;
    }
    ck_cleanup(cipher_ctx_freep) EVP_CIPHER_CTX *ctx = gcm_start(key, nonce, aad, aad_size, 1);
    int got;
    uint8_t *cipher = out;
    if (ctx == NULL || (size > 0 && EVP_CipherUpdate(ctx, cipher, &got, in, (int)size) != 1) ||
        EVP_CipherFinal_ex(ctx, cipher + size, &got) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CK_GCM_TAG_SIZE, cipher + size) != 1) {
        return -ENOMEM;
    }
    return 0;
}

int ck_gcm_open(const uint8_t key[static CK_KEY_SIZE],
                const uint8_t nonce[static CK_GCM_NONCE_SIZE], const void *aad, size_t aad_size,
                const void *in, size_t size, void *out)
{
    if (size < CK_GCM_TAG_SIZE) {
        return CK_E_AUTH;
    }
    if (size > INT_MAX || aad_size > INT_MAX) {
        return -EINVAL;
    }
    size_t text_size = size - CK_GCM_TAG_SIZE;
    uint8_t tag[CK_GCM_TAG_SIZE];
    memcpy(tag, (const uint8_t *)in + text_size, sizeof tag);
    ck_cleanup(cipher_ctx_freep) EVP_CIPHER_CTX *ctx = gcm_start(key, nonce, aad, aad_size, 0);
    int got;
    uint8_t *plain = out;
    uint8_t none;
    if (ctx == NULL ||
        (text_size > 0 && EVP_CipherUpdate(ctx, plain, &got, in, (int)text_size) != 1) ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, CK_GCM_TAG_SIZE, tag) != 1) {
        return -ENOMEM;
    }
    if (EVP_CipherFinal_ex(ctx, &none, &got) != 1) {
        if (text_size > 0) {
            memset(plain, 0, text_size);
        }
        return CK_E_AUTH;
    }
    return 0;
}

int ck_ed25519_public(const uint8_t seed[static CK_ED25519_SIZE],
                      uint8_t public_key[static CK_ED25519_SIZE])
{
    ck_cleanup(pkey_freep) EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, CK_ED25519_SIZE);
    size_t size = CK_ED25519_SIZE;
    if (key == NULL || EVP_PKEY_get_raw_public_key(key, public_key, &size) != 1) {
        return -ENOMEM;
    }
    return 0;
}

int ck_ed25519_sign(const uint8_t seed[static CK_ED25519_SIZE], const void *message, size_t size,
                    uint8_t signature[static CK_ED25519_SIGNATURE_SIZE])
{
    ck_cleanup(pkey_freep) EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, CK_ED25519_SIZE);
    ck_cleanup(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t got = CK_ED25519_SIGNATURE_SIZE;
    if (key == NULL || ctx == NULL || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(ctx, signature, &got, message, size) != 1) {
        return -ENOMEM;
    }
    return 0;
}

int ck_ed25519_verify(const uint8_t public_key[static CK_ED25519_SIZE], const void *message,
                      size_t size, const uint8_t signature[static CK_ED25519_SIGNATURE_SIZE])
{
    ck_cleanup(pkey_freep) EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, CK_ED25519_SIZE);
    ck_cleanup(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (key == NULL || ctx == NULL || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1) {
        return -ENOMEM;
    }
    return EVP_DigestVerify(ctx, signature, CK_ED25519_SIGNATURE_SIZE, message, size) == 1
               ? 0
               : CK_E_AUTH;
}

bool ck_equal_secret(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

void ck_wipe(void *secret, size_t size)
{
    OPENSSL_cleanse(secret, size);
}
