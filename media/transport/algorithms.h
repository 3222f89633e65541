/* An OpenSSL library context that knows the algorithms of our DTLS and no others.
 *
 * OpenSSL 3.0 walks over everything a context has ever fetched, of every kind, whenever it reads a
 * public key (OSSL_DECODER_CTX_new_for_pkey(3)): with the whole default provider that is a third of
 * the instructions of a handshake. Here a provider of our own hands out the default provider's
 * implementations, chosen by name; it implements nothing. */
#ifndef MEDIA_TRANSPORT_ALGORITHMS_H
#define MEDIA_TRANSPORT_ALGORITHMS_H

#include <openssl/crypto.h>
#include <openssl/provider.h>

struct ck_algorithms {
    OSSL_LIB_CTX *library;
    OSSL_PROVIDER *provider;
};

/* A library context for ECDHE over X25519, P-256 and P-384, ECDSA or RSA certificates of the peer,
 * AES-GCM and ChaCha20-Poly1305 with SHA-256 to SHA-512. Not for two threads at once. -ENOMEM, or
 * -EIO where this OpenSSL lacks one of them. */
int ck_algorithms_init(struct ck_algorithms *algorithms);
void ck_algorithms_deinit(struct ck_algorithms *algorithms); /* one that is all zeros is taken */

#endif
