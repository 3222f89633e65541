/* What the server shows in a TLS handshake: its certificate, the rest of the chain and the key,
 * read from PEM and found to belong together. */
#ifndef DAEMON_HTTP_IDENTITY_H
#define DAEMON_HTTP_IDENTITY_H

#include <stddef.h>

struct ck_identity;
struct ssl_st; /* SSL of OpenSSL */

/* Reads both texts; neither is kept. CK_E_SYNTAX where one of them holds nothing that can be read
 * (a key under a passphrase cannot); CK_E_INVALID where the key is that of another certificate;
 * -ENOMEM. */
int ck_identity_create(struct ck_identity **identity, const char *certificate_pem,
                       size_t certificate_size, const char *key_pem, size_t key_size);

/* Takes NULL. Handshakes that use it go on. */
void ck_identity_destroy(struct ck_identity *identity);

/* Shows this identity and no other in one handshake. 0, or -EINVAL where TLS refuses it. */
int ck_identity_show(const struct ck_identity *identity, struct ssl_st *tls);

#endif
