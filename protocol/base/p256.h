/* The curve P-256 (NIST SP 800-186), over libcrypto: key agreement and signatures with keys as
 * plain bytes, as Web Push and the keys of browsers want them. Thread-safe, keeps no state.
 *
 * A private key is a number from 1 to the order of the curve, 32 bytes; a public key is an
 * uncompressed point, 65 bytes that begin with 4. Private keys are arguments, never drawn here; a
 * signature's own random number is drawn by libcrypto. A failure of the library is -ENOMEM. */
#ifndef PROTOCOL_BASE_P256_H
#define PROTOCOL_BASE_P256_H

#include <stddef.h>
#include <stdint.h>

#define CK_P256_PRIVATE_SIZE 32
#define CK_P256_PUBLIC_SIZE 65
#define CK_P256_SECRET_SIZE 32
#define CK_P256_SIGNATURE_SIZE 64

/* The public key of a private one. CK_E_INVALID where it is no private key. */
int ck_p256_public(const uint8_t private_key[static CK_P256_PRIVATE_SIZE],
                   uint8_t public_key[static CK_P256_PUBLIC_SIZE]);

/* ECDH (NIST SP 800-56A): the x coordinate that both sides get. CK_E_INVALID where one of them is
 * no key. */
int ck_p256_shared(const uint8_t private_key[static CK_P256_PRIVATE_SIZE],
                   const uint8_t peer_key[static CK_P256_PUBLIC_SIZE],
                   uint8_t secret[static CK_P256_SECRET_SIZE]);

/* ECDSA with SHA-256; the signature is r and s, 32 bytes each (RFC 7518 section 3.4, WebCrypto).
 * CK_E_INVALID where it is no private key. */
int ck_p256_sign(const uint8_t private_key[static CK_P256_PRIVATE_SIZE], const void *message,
                 size_t size, uint8_t signature[static CK_P256_SIGNATURE_SIZE]);

/* 0; CK_E_AUTH where the signature is not of this key; CK_E_INVALID where it is no public key. */
int ck_p256_verify(const uint8_t public_key[static CK_P256_PUBLIC_SIZE], const void *message,
                   size_t size, const uint8_t signature[static CK_P256_SIGNATURE_SIZE]);

#endif
