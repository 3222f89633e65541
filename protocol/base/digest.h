/* Digests, authenticated encryption and signatures, over libcrypto. The only header through which
 * protocol/ and daemon/ reach cryptography; checkin-media's DTLS and SRTP use OpenSSL directly.
 *
 * Every function is thread-safe and keeps no state. A failure of the library itself (out of memory)
 * is -ENOMEM. Random bytes are arguments, never drawn here. */
#ifndef PROTOCOL_BASE_DIGEST_H
#define PROTOCOL_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CK_SHA256_SIZE 32
#define CK_KEY_SIZE 32 /* AES-256 and HMAC keys */
#define CK_GCM_NONCE_SIZE 12
#define CK_GCM_TAG_SIZE 16
#define CK_ED25519_SIZE 32
#define CK_ED25519_SIGNATURE_SIZE 64

struct ck_slice {
    const void *data;
    size_t size;
};

/* SHA-256 (FIPS 180-4) over the concatenation of `count` slices. */
int ck_sha256(const struct ck_slice *slices, size_t count, uint8_t digest[static CK_SHA256_SIZE]);

/* MD5 (RFC 1321) over the concatenation of `count` slices, for the long-term credentials of STUN
 * alone (RFC 8489 section 9.2.2). */
#define CK_MD5_SIZE 16
int ck_md5(const struct ck_slice *slices, size_t count, uint8_t digest[static CK_MD5_SIZE]);

/* HMAC-SHA-256 (RFC 2104) over the concatenation of `count` slices. */
int ck_hmac_sha256(const void *key, size_t key_size, const struct ck_slice *slices, size_t count,
                   uint8_t tag[static CK_SHA256_SIZE]);

/* HMAC-SHA-1 (RFC 2104), for the protocols that know nothing else: STUN (RFC 8489 section 14.5),
 * one-time passwords (RFC 6238), TURN REST credentials. */
#define CK_SHA1_SIZE 20
int ck_hmac_sha1(const void *key, size_t key_size, const struct ck_slice *slices, size_t count,
                 uint8_t tag[static CK_SHA1_SIZE]);

/* HKDF-SHA-256 (RFC 5869), extract and expand, into `size` bytes (at most 255 * 32). */
int ck_hkdf(const void *secret, size_t secret_size, const void *salt, size_t salt_size,
            const char *info, void *out, size_t size);

/* AES-256-GCM (NIST SP 800-38D). `out` gets size + CK_GCM_TAG_SIZE bytes: ciphertext, then tag; it
 * may be `in`. The caller never uses one nonce twice under one key. */
int ck_gcm_seal(const uint8_t key[static CK_KEY_SIZE],
                const uint8_t nonce[static CK_GCM_NONCE_SIZE], const void *aad, size_t aad_size,
                const void *in, size_t size, void *out);

/* The reverse: `size` counts the tag; `out` gets size - CK_GCM_TAG_SIZE bytes and may be `in`.
 * CK_E_AUTH where the tag does not verify or size is below the tag's; what `out` then holds is
 * zeros. */
int ck_gcm_open(const uint8_t key[static CK_KEY_SIZE],
                const uint8_t nonce[static CK_GCM_NONCE_SIZE], const void *aad, size_t aad_size,
                const void *in, size_t size, void *out);

/* Ed25519 (RFC 8032) with a 32-byte private seed. */
int ck_ed25519_public(const uint8_t seed[static CK_ED25519_SIZE],
                      uint8_t public_key[static CK_ED25519_SIZE]);
int ck_ed25519_sign(const uint8_t seed[static CK_ED25519_SIZE], const void *message, size_t size,
                    uint8_t signature[static CK_ED25519_SIGNATURE_SIZE]);
/* 0, or CK_E_AUTH. */
int ck_ed25519_verify(const uint8_t public_key[static CK_ED25519_SIZE], const void *message,
                      size_t size, const uint8_t signature[static CK_ED25519_SIGNATURE_SIZE]);

/* Equality in time that depends on `size` alone. */
bool ck_equal_secret(const void *a, const void *b, size_t size);

/* Overwrites a secret in a way the compiler keeps. */
void ck_wipe(void *secret, size_t size);

#endif
