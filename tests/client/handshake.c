/* DTLS 1.2 (RFC 6347) as client, over OpenSSL, with use_srtp (RFC 5764). */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "protocol/base/error.h"
#include "tests/client/client_impl.h"

#define MTU 1200
#define DEFAULT_PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"
#define FILLER_TYPE 0xfa32 /* an extension that nobody knows, as browsers send them on purpose */
#define FILLER_SIZE 1120   /* about a post-quantum key share */
#define FIRST_TIMER_US 50000
#define LAST_TIMER_US 1000000

/* A BIO whose writes are datagrams to the owner and whose reads are the one datagram at hand. */

static int bio_write(BIO *bio, const char *data, int size)
{
    struct handshake *handshake = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    handshake->emit(handshake->arg, (const uint8_t *)data, (size_t)size);
    return size;
}

static int bio_read(BIO *bio, char *data, int size)
{
    struct handshake *handshake = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (handshake->datagram == NULL) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t count =
        handshake->datagram_size < (size_t)size ? handshake->datagram_size : (size_t)size;
    memcpy(data, handshake->datagram, count);
    handshake->datagram = NULL;
    return (int)count;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return MTU;
    default:
        return 0;
    }
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *bio_method(void)
{
    static BIO_METHOD *method;
    if (method == NULL) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "test datagrams");
        if (method != NULL) {
            BIO_meth_set_write(method, bio_write);
            BIO_meth_set_read(method, bio_read);
            BIO_meth_set_ctrl(method, bio_ctrl);
            BIO_meth_set_create(method, bio_create);
        }
    }
    return method;
}

static unsigned next_timer(SSL *ssl, unsigned timer_us)
{
    (void)ssl;
    if (timer_us == 0) {
        return FIRST_TIMER_US;
    }
    return timer_us * 2 > LAST_TIMER_US ? LAST_TIMER_US : timer_us * 2;
}

/* The filler extension of a big ClientHello. */

static int add_filler(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                      size_t *size, X509 *x, size_t chain, int *alert, void *arg)
{
    (void)type, (void)context, (void)x, (void)chain, (void)alert, (void)arg;
    static const unsigned char filler[FILLER_SIZE];
    const struct handshake *handshake = SSL_get_app_data(ssl);
    if (!handshake->big_hello) {
        return 0;
    }
    *out = filler;
    *size = sizeof filler;
    return 1;
}

static int accept_any(int ok, X509_STORE_CTX *store)
{
    (void)ok;
    (void)store;
    return 1; /* the fingerprint of the answer decides, after the handshake */
}

static void name_fingerprint(struct ck_identity *identity)
{
    static const char digits[] = "0123456789ABCDEF";
    char *at = identity->fingerprint;
    for (size_t i = 0; i < 32; i++) {
        *at++ = digits[identity->digest[i] >> 4];
        *at++ = digits[identity->digest[i] & 15];
        *at++ = i < 31 ? ':' : '\0';
    }
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    if (x == NULL) {
        return NULL;
    }
    X509_NAME *name = X509_get_subject_name(x);
    bool good = X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(x), -86400) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(x), 30L * 86400) != NULL &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                           (const unsigned char *)"test client", -1, -1, 0) == 1 &&
                X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1 &&
                X509_sign(x, key, EVP_sha256()) > 0;
    if (!good) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static bool set_up_context(struct ck_identity *identity, EVP_PKEY *key, X509 *certificate)
{
    unsigned size = sizeof identity->digest;
    SSL_CTX *context = identity->context;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_use_certificate(context, certificate) == 1 &&
           SSL_CTX_use_PrivateKey(context, key) == 1 &&
           SSL_CTX_add_custom_ext(context, FILLER_TYPE, SSL_EXT_CLIENT_HELLO, add_filler, NULL,
                                  NULL, NULL, NULL) == 1 &&
           X509_digest(certificate, EVP_sha256(), identity->digest, &size) == 1;
}

int ck_identity_create(struct ck_identity **identity)
{
    struct ck_identity *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key == NULL ? NULL : make_certificate(key);
    made->context = SSL_CTX_new(DTLS_client_method());
    bool good =
        certificate != NULL && made->context != NULL && set_up_context(made, key, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (!good) {
        ck_identity_destroy(made);
        return -ENOMEM;
    }
    name_fingerprint(made);
    *identity = made;
    return 0;
}

void ck_identity_destroy(struct ck_identity *identity)
{
    if (identity != NULL) {
        SSL_CTX_free(identity->context);
        free(identity);
    }
}

int handshake_init(struct handshake *handshake, const struct ck_identity *identity,
                   const char *profiles, bool big_hello)
{
    BIO_METHOD *method = bio_method();
    BIO *bio = method == NULL ? NULL : BIO_new(method);
    handshake->big_hello = big_hello;
    handshake->ssl = SSL_new(identity->context);
    if (handshake->ssl == NULL || bio == NULL) {
        BIO_free(bio);
        return -ENOMEM;
    }
    BIO_set_data(bio, handshake);
    SSL_set_bio(handshake->ssl, bio, bio);
    SSL_set_app_data(handshake->ssl, handshake);
    SSL_set_connect_state(handshake->ssl);
    DTLS_set_timer_cb(handshake->ssl, next_timer);
    SSL_set_mtu(handshake->ssl, MTU);
    /* 0 is success here, unlike everywhere else in that library. */
    if (SSL_set_tlsext_use_srtp(handshake->ssl, profiles != NULL ? profiles : DEFAULT_PROFILES) !=
        0) {
        return CK_E_INVALID;
    }
    return 0;
}

void handshake_deinit(struct handshake *handshake)
{
    SSL_free(handshake->ssl);
    handshake->ssl = NULL;
}

static void judge(struct handshake *handshake, int result)
{
    int error = SSL_get_error(handshake->ssl, result);
    ERR_clear_error();
    if (error == SSL_ERROR_ZERO_RETURN) {
        handshake->state = HANDSHAKE_CLOSED;
    } else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        handshake->state = HANDSHAKE_FAILED;
    }
}

static void advance(struct handshake *handshake)
{
    ERR_clear_error();
    if (handshake->state == HANDSHAKE_RUNNING) {
        int result = SSL_do_handshake(handshake->ssl);
        if (result == 1) {
            handshake->state = HANDSHAKE_DONE;
        } else {
            judge(handshake, result);
        }
    }
    if (handshake->state == HANDSHAKE_DONE) {
        uint8_t data[256];
        int result = SSL_read(handshake->ssl, data, sizeof data);
        if (result <= 0) {
            judge(handshake, result);
        }
    }
}

void handshake_start(struct handshake *handshake)
{
    handshake->state = HANDSHAKE_RUNNING;
    advance(handshake);
}

void handshake_input(struct handshake *handshake, const uint8_t *data, size_t size)
{
    if (handshake->state != HANDSHAKE_RUNNING && handshake->state != HANDSHAKE_DONE) {
        return;
    }
    handshake->datagram = data;
    handshake->datagram_size = size;
    advance(handshake);
    handshake->datagram = NULL;
}

void handshake_timeout(struct handshake *handshake)
{
    if (handshake->state == HANDSHAKE_RUNNING) {
        ERR_clear_error();
        if (DTLSv1_handle_timeout(handshake->ssl) < 0) {
            handshake->state = HANDSHAKE_FAILED;
        }
    }
}

int64_t handshake_wait_us(struct handshake *handshake)
{
    struct timeval left;
    if (handshake->state != HANDSHAKE_RUNNING || DTLSv1_get_timeout(handshake->ssl, &left) != 1) {
        return -1;
    }
    return (int64_t)left.tv_sec * 1000000 + left.tv_usec;
}

void handshake_close(struct handshake *handshake)
{
    if (handshake->state == HANDSHAKE_DONE) {
        SSL_shutdown(handshake->ssl);
        ERR_clear_error();
        handshake->state = HANDSHAKE_CLOSED;
    }
}

bool handshake_certificate_is(const struct handshake *handshake, const uint8_t digest[32])
{
    uint8_t found[32];
    unsigned size = sizeof found;
    const X509 *certificate = SSL_get0_peer_certificate(handshake->ssl);
    return certificate != NULL && X509_digest(certificate, EVP_sha256(), found, &size) == 1 &&
           size == sizeof found && memcmp(found, digest, sizeof found) == 0;
}

int handshake_keys(const struct handshake *handshake, unsigned *profile,
                   uint8_t keys[CK_TCLIENT_KEYS_SIZE])
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(handshake->ssl);
    if (chosen == NULL || (chosen->id != CK_TCLIENT_GCM_128 && chosen->id != CK_TCLIENT_CM_80)) {
        return CK_E_INVALID;
    }
    size_t size = chosen->id == CK_TCLIENT_GCM_128 ? 56 : 60;
    if (SSL_export_keying_material(handshake->ssl, keys, size, label, sizeof label - 1, NULL, 0,
                                   0) != 1) {
        return CK_E_INVALID;
    }
    *profile = (unsigned)chosen->id;
    return 0;
}
