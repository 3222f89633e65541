/* An OpenSSL library context that knows the algorithms of our DTLS and no others.
 *
 * OpenSSL 3.0 walks over everything a context has ever fetched, of every kind, whenever it reads a
 * public key (OSSL_DECODER_CTX_new_for_pkey(3)): with the whole default provider that is a third of
 * the instructions of a handshake. Here a provider of our own hands out the default provider's
 * implementations, chosen by name; it implements nothing. */
#ifndef MEDIA_TRANSPORT_ALGORITHMS_H
#define MEDIA_TRANSPORT_ALGORITHMS_H

#include <openssl/crypto.h>

/* A context for ECDHE over X25519 and P-256, ECDSA or RSA certificates of the peer, AES-GCM and
 * ChaCha20-Poly1305 with SHA-256 to SHA-512. Not for two threads at once. NULL: no memory, or this
 * OpenSSL lacks one of them. To be freed by OSSL_LIB_CTX_free(3). */
OSSL_LIB_CTX *ck_algorithms_create(void);

#endif
