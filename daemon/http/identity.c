#include "daemon/http/identity.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

struct ck_identity {
    X509 *certificate;
    STACK_OF(X509) * chain; /* what follows it */
    EVP_PKEY *key;
};

/* A key under a passphrase is none: nobody is there to type it. */
static int no_passphrase(char *text, int size, int writing, void *user)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)user;
    return -1;
}

static int read_chain(struct ck_identity *identity, BIO *pem)
{
    identity->certificate = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL);
    identity->chain = sk_X509_new_null();
    if (identity->certificate == NULL) {
        return CK_E_SYNTAX;
    }
    for (X509 *one; (one = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL)) != NULL;) {
        if (identity->chain == NULL || sk_X509_push(identity->chain, one) == 0) {
            X509_free(one);
            return -ENOMEM;
        }
    }
    return identity->chain == NULL ? -ENOMEM : 0;
}

static void identity_freep(struct ck_identity **identity)
{
    ck_identity_destroy(*identity);
}

static void bio_freep(BIO **bio)
{
    BIO_free(*bio);
}

int ck_identity_create(struct ck_identity **identity, const char *certificate_pem,
                       size_t certificate_size, const char *key_pem, size_t key_size)
{
    ck_cleanup(identity_freep) struct ck_identity *made = calloc(1, sizeof *made);
    ck_cleanup(bio_freep) BIO *certificate =
        BIO_new_mem_buf(certificate_pem, (int)certificate_size);
    ck_cleanup(bio_freep) BIO *key = BIO_new_mem_buf(key_pem, (int)key_size);
    if (made == NULL || certificate == NULL || key == NULL) {
        return -ENOMEM;
    }
    int result = read_chain(made, certificate);
    made->key = result == 0 ? PEM_read_bio_PrivateKey(key, NULL, no_passphrase, NULL) : NULL;
    ERR_clear_error(); /* the end of a text is one, and the next handshake would take it for its own
                        */
    if (result != 0) {
        return result;
    }
    if (made->key == NULL) {
        return CK_E_SYNTAX;
    }
    if (X509_check_private_key(made->certificate, made->key) != 1) {
        return CK_E_INVALID;
    }
    *identity = ck_take(made);
    return 0;
}

void ck_identity_destroy(struct ck_identity *identity)
{
    if (identity != NULL) {
        X509_free(identity->certificate);
        sk_X509_pop_free(identity->chain, X509_free);
        EVP_PKEY_free(identity->key);
        free(identity);
    }
}

int ck_identity_show(const struct ck_identity *identity, SSL *tls)
{
    SSL_certs_clear(tls); /* one with a key of another kind would stay beside it */
    return SSL_use_cert_and_key(tls, identity->certificate, identity->key, identity->chain, 1) == 1
               ? 0
               : -EINVAL;
}
