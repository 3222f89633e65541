#include "protocol/base/p256.h"

#include <errno.h>
#include <stdbool.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define NUMBER_SIZE 32
#define DER_MAX 80 /* an ECDSA signature of this curve */

#define FREE_FUNCTION(name, type, function)                                                        \
    static void name(type **at)                                                                    \
    {                                                                                              \
        function(*at);                                                                             \
    }

FREE_FUNCTION(pkey_freep, EVP_PKEY, EVP_PKEY_free)
FREE_FUNCTION(pkey_ctx_freep, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
FREE_FUNCTION(md_ctx_freep, EVP_MD_CTX, EVP_MD_CTX_free)
FREE_FUNCTION(bn_freep, BIGNUM, BN_clear_free)
FREE_FUNCTION(group_freep, EC_GROUP, EC_GROUP_free)
FREE_FUNCTION(point_freep, EC_POINT, EC_POINT_free)
FREE_FUNCTION(builder_freep, OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
FREE_FUNCTION(params_freep, OSSL_PARAM, OSSL_PARAM_free)
FREE_FUNCTION(sig_freep, ECDSA_SIG, ECDSA_SIG_free)

/* The number, where it can be a private key; NULL with *error set otherwise. */
static BIGNUM *read_private(const EC_GROUP *group, const uint8_t *bytes, int *error)
{
    BIGNUM *number = BN_secure_new();
    if (number == NULL || BN_bin2bn(bytes, CK_P256_PRIVATE_SIZE, number) == NULL) {
        BN_clear_free(number);
        *error = -ENOMEM;
        return NULL;
    }
    if (BN_is_zero(number) || BN_cmp(number, EC_GROUP_get0_order(group)) >= 0) {
        BN_clear_free(number);
        *error = CK_E_INVALID;
        return NULL;
    }
    return number;
}

int ck_p256_public(const uint8_t private_key[static CK_P256_PRIVATE_SIZE],
                   uint8_t public_key[static CK_P256_PUBLIC_SIZE])
{
    int error = -ENOMEM;
    ck_cleanup(group_freep) EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    if (group == NULL) {
        return error;
    }
    ck_cleanup(bn_freep) BIGNUM *number = read_private(group, private_key, &error);
    ck_cleanup(point_freep) EC_POINT *point = EC_POINT_new(group);
    if (number == NULL || point == NULL) {
        return error;
    }
    if (EC_POINT_mul(group, point, number, NULL, NULL, NULL) != 1 ||
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, public_key,
                           CK_P256_PUBLIC_SIZE, NULL) != CK_P256_PUBLIC_SIZE) {
        return -ENOMEM;
    }
    return 0;
}

/* A key for the library; `number` may be NULL for a public one. NULL where the bytes are no key. */
static EVP_PKEY *make_key(const BIGNUM *number, const uint8_t *public_key)
{
    ck_cleanup(builder_freep) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    ck_cleanup(pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    if (builder == NULL || ctx == NULL ||
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
            1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, public_key,
                                         CK_P256_PUBLIC_SIZE) != 1 ||
        (number != NULL &&
         OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number) != 1)) {
        return NULL;
    }
    ck_cleanup(params_freep) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    int selection = number != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, selection, params) != 1) {
        return NULL;
    }
    return key;
}

/* Both 0 and *key, or an error. */
static int private_pkey(const uint8_t *private_key, EVP_PKEY **key)
{
    uint8_t public_key[CK_P256_PUBLIC_SIZE];
    int error = ck_p256_public(private_key, public_key);
    if (error != 0) {
        return error;
    }
    error = -ENOMEM;
    ck_cleanup(group_freep) EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    ck_cleanup(bn_freep) BIGNUM *number =
        group == NULL ? NULL : read_private(group, private_key, &error);
    *key = number == NULL ? NULL : make_key(number, public_key);
    return *key == NULL ? -ENOMEM : 0;
}

/* The library refuses points that are not on the curve. */
static int public_pkey(const uint8_t *public_key, EVP_PKEY **key)
{
    *key = public_key[0] == 4 ? make_key(NULL, public_key) : NULL;
    return *key == NULL ? CK_E_INVALID : 0;
}

int ck_p256_shared(const uint8_t private_key[static CK_P256_PRIVATE_SIZE],
                   const uint8_t peer_key[static CK_P256_PUBLIC_SIZE],
                   uint8_t secret[static CK_P256_SECRET_SIZE])
{
    ck_cleanup(pkey_freep) EVP_PKEY *own = NULL;
    ck_cleanup(pkey_freep) EVP_PKEY *peer = NULL;
    int error = private_pkey(private_key, &own);
    if (error == 0) {
        error = public_pkey(peer_key, &peer);
    }
    if (error != 0) {
        return error;
    }
    ck_cleanup(pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    size_t size = CK_P256_SECRET_SIZE;
    if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, peer) != 1 ||
        EVP_PKEY_derive(ctx, secret, &size) != 1 || size != CK_P256_SECRET_SIZE) {
        return -ENOMEM;
    }
    return 0;
}

/* The two numbers out of the DER that the library signs with. */
static bool raw_of_der(const uint8_t *der, size_t size, uint8_t *signature)
{
    ck_cleanup(sig_freep) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)size);
    return sig != NULL &&
           BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, NUMBER_SIZE) == NUMBER_SIZE &&
           BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + NUMBER_SIZE, NUMBER_SIZE) == NUMBER_SIZE;
}

int ck_p256_sign(const uint8_t private_key[static CK_P256_PRIVATE_SIZE], const void *message,
                 size_t size, uint8_t signature[static CK_P256_SIGNATURE_SIZE])
{
    ck_cleanup(pkey_freep) EVP_PKEY *key = NULL;
    ck_cleanup(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[DER_MAX];
    size_t der_size = sizeof der;
    int error = private_pkey(private_key, &key);
    if (error != 0) {
        return error;
    }
    if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(ctx, der, &der_size, message, size) != 1 ||
        !raw_of_der(der, der_size, signature)) {
        return -ENOMEM;
    }
    return 0;
}

/* The DER of the two numbers; its size, 0 where memory is short. */
static size_t der_of_raw(const uint8_t *signature, uint8_t der[static DER_MAX])
{
    ck_cleanup(sig_freep) ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, NUMBER_SIZE, NULL);
    BIGNUM *s = BN_bin2bn(signature + NUMBER_SIZE, NUMBER_SIZE, NULL);
    if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return 0;
    }
    uint8_t *at = der;
    int size = i2d_ECDSA_SIG(sig, &at);
    return size > 0 ? (size_t)size : 0;
}

int ck_p256_verify(const uint8_t public_key[static CK_P256_PUBLIC_SIZE], const void *message,
                   size_t size, const uint8_t signature[static CK_P256_SIGNATURE_SIZE])
{
    ck_cleanup(pkey_freep) EVP_PKEY *key = NULL;
    ck_cleanup(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[DER_MAX];
    int error = public_pkey(public_key, &key);
    if (error != 0) {
        return error;
    }
    size_t der_size = der_of_raw(signature, der);
    if (ctx == NULL || der_size == 0 ||
        EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) != 1) {
        return -ENOMEM;
    }
    return EVP_DigestVerify(ctx, der, der_size, message, size) == 1 ? 0 : CK_E_AUTH;
}
