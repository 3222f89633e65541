#include "media/transport/dtls.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "media/transport/algorithms.h"
#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"

#define RECORD_HEADER_SIZE 13
#define DATAGRAM_MAX 2048 /* larger ones are not DTLS of this kind */
#define RECORD_ALERT 21
#define RECORD_HANDSHAKE 22
#define CLIENT_HELLO 1
#define CERTIFICATES_MAX 16384 /* bytes of a peer's certificate list */
#define CERTIFICATE_SECONDS (365L * 24 * 3600)
#define UDP_IP_OVERHEAD 48 /* IPv6 and UDP */
#define EXPORTER "EXTRACTOR-dtls_srtp"

struct ck_dtls_context {
    struct ck_algorithms algorithms;
    SSL_CTX *ssl;
    BIO_METHOD *method;
    char fingerprint[CK_DTLS_FINGERPRINT_TEXT_SIZE];
};

struct ck_dtls {
    struct ck_dtls_context *context;
    SSL *ssl;
    enum ck_dtls_state state;
    unsigned rebuilds;
    struct ck_dtls_fingerprint peer;
    ck_dtls_send *send;
    void *user;
    const uint8_t *in; /* the datagram being read; NULL: taken */
    size_t in_size;
    enum ck_srtp_profile profile;
    struct ck_srtp_keys keys_in;
    struct ck_srtp_keys keys_out;
};

size_t ck_dtls_digest_size(uint8_t hash)
{
    return hash == CK_DTLS_SHA256 ? 32 : hash == CK_DTLS_SHA384 ? 48 : 64;
}

/* --- datagrams in and out of OpenSSL
 * -------------------------------------------------------------- */

/* Copies a datagram without the alerts of epoch 0, which nobody has authenticated: coming
 * in, anybody may have written them; going out, they would end the handshake of a true client for
 * what a stranger wrote. Returns the size. */
static size_t without_clear_alerts(const uint8_t *bytes, size_t size, uint8_t *out)
{
    size_t kept = 0;
    for (size_t at = 0; size - at >= RECORD_HEADER_SIZE;) {
        size_t length = RECORD_HEADER_SIZE + ck_get_u16(bytes + at + 11);
        if (length > size - at) {
            break;
        }
        if (bytes[at] != RECORD_ALERT || ck_get_u16(bytes + at + 3) != 0) {
            memcpy(out + kept, bytes + at, length);
            kept += length;
        }
        at += length;
    }
    return kept;
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
    struct ck_dtls *dtls = BIO_get_data(bio);
    uint8_t clean[DATAGRAM_MAX];
    if (size < 0 || size > DATAGRAM_MAX) {
        return -1;
    }
    size_t kept = without_clear_alerts((const uint8_t *)bytes, (size_t)size, clean);
    if (kept > 0) {
        dtls->send(dtls->user, clean, kept);
    }
    return size;
}

static int bio_read(BIO *bio, char *bytes, int room)
{
    struct ck_dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (dtls->in == NULL || room <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t size = dtls->in_size < (size_t)room ? dtls->in_size : (size_t)room;
    memcpy(bytes, dtls->in, size);
    dtls->in = NULL;
    return (int)size;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return CK_DTLS_LINK_MTU - UDP_IP_OVERHEAD;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return UDP_IP_OVERHEAD;
    default:
        return 0;
    }
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

/* --- context
 * ---------------------------------------------------------------------------------------- */

static void pkey_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void x509_freep(X509 **certificate)
{
    X509_free(*certificate);
}

/* The certificate proves nothing by itself, the fingerprint in the SDP does: its name says nothing
 * either. */
static X509 *certificate_of(EVP_PKEY *key)
{
    ck_cleanup(x509_freep) X509 *made = X509_new();
    uint64_t serial = 0;
    if (made == NULL || RAND_bytes((uint8_t *)&serial, sizeof serial) != 1) {
        return NULL;
    }
    X509_NAME *name = X509_get_subject_name(made);
    if (X509_set_version(made, X509_VERSION_3) != 1 ||
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), serial >> 1) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(made), -24L * 3600) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(made), CERTIFICATE_SECONDS) == NULL ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"media", -1, -1,
                                   0) != 1 ||
        X509_set_issuer_name(made, name) != 1 || X509_set_pubkey(made, key) != 1 ||
        X509_sign(made, key, EVP_sha256()) == 0) {
        return NULL;
    }
    return ck_take(made);
}

/* No chain is built and no signature of an issuer looked at: the certificate is compared with the
 * fingerprint after the handshake, before any key is taken (RFC 8122 section 6.2). */
static int accept_any(X509_STORE_CTX *store, void *user)
{
    (void)store;
    (void)user;
    return 1;
}

static int use_certificate(struct ck_dtls_context *context)
{
    ck_cleanup(pkey_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    ck_cleanup(x509_freep) X509 *certificate = key == NULL ? NULL : certificate_of(key);
    uint8_t digest[32];
    unsigned size = 0;
    if (certificate == NULL || SSL_CTX_use_certificate(context->ssl, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(context->ssl, key) != 1 ||
        X509_digest(certificate, EVP_sha256(), digest, &size) != 1) {
        return -EIO;
    }
    for (size_t i = 0; i < sizeof digest; i++) {
        (void)snprintf(context->fingerprint + 3 * i, 4, "%02X%s", digest[i],
                       i + 1 < sizeof digest ? ":" : "");
    }
    return 0;
}

static int set_up(struct ck_dtls_context *context)
{
    SSL_CTX *ssl = context->ssl;
    char groups[] = "X25519:P-256:P-384"; /* OpenSSL's macro wants it mutable */
    /* A TLS 1.2 list: forward secrecy and authenticated encryption only; the groups need the
     * certificate's curve. */
    if (SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ssl, DTLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ssl, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                                     "ECDHE-ECDSA-CHACHA20-POLY1305") != 1 ||
        SSL_CTX_set1_groups_list(ssl, groups) != 1 ||
        SSL_CTX_set_tlsext_use_srtp(ssl, "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80") != 0) {
        return -EIO;
    }
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ssl, accept_any, NULL);
    SSL_CTX_set_options(ssl, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_max_cert_list(ssl, CERTIFICATES_MAX);
    return use_certificate(context);
}

static void context_freep(struct ck_dtls_context **context)
{
    ck_dtls_context_destroy(*context);
}

int ck_dtls_context_create(struct ck_dtls_context **context)
{
    ck_cleanup(context_freep) struct ck_dtls_context *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    int error = ck_algorithms_init(&made->algorithms);
    if (error != 0) {
        ERR_clear_error();
        return error;
    }
    made->ssl = SSL_CTX_new_ex(made->algorithms.library, NULL, DTLS_server_method());
    made->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram");
    if (made->ssl == NULL || made->method == NULL ||
        BIO_meth_set_write(made->method, bio_write) != 1 ||
        BIO_meth_set_read(made->method, bio_read) != 1 ||
        BIO_meth_set_ctrl(made->method, bio_ctrl) != 1 ||
        BIO_meth_set_create(made->method, bio_create) != 1) {
        return -ENOMEM;
    }
    error = set_up(made);
    ERR_clear_error();
    if (error == 0) {
        *context = ck_take(made);
    }
    return error;
}

void ck_dtls_context_destroy(struct ck_dtls_context *context)
{
    if (context != NULL) {
        SSL_CTX_free(context->ssl);
        BIO_meth_free(context->method);
        ck_algorithms_deinit(&context->algorithms);
        free(context);
    }
}

const char *ck_dtls_context_fingerprint(const struct ck_dtls_context *context)
{
    return context->fingerprint;
}

/* --- one leg
 * ---------------------------------------------------------------------------------------- */

static unsigned next_timer(SSL *ssl, unsigned timer_us)
{
    (void)ssl;
    if (timer_us == 0) {
        return CK_DTLS_TIMER_FIRST_MS * 1000;
    }
    return timer_us >= CK_DTLS_TIMER_MAX_MS * 500 ? CK_DTLS_TIMER_MAX_MS * 1000 : 2 * timer_us;
}

static int build(struct ck_dtls *dtls)
{
    SSL *ssl = SSL_new(dtls->context->ssl);
    BIO *bio = ssl == NULL ? NULL : BIO_new(dtls->context->method);
    if (bio == NULL) {
        SSL_free(ssl);
        return -ENOMEM;
    }
    BIO_set_data(bio, dtls);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    DTLS_set_link_mtu(ssl, CK_DTLS_LINK_MTU);
    DTLS_set_timer_cb(ssl, next_timer);
    dtls->ssl = ssl;
    return 0;
}

int ck_dtls_create(struct ck_dtls **dtls, struct ck_dtls_context *context,
                   const struct ck_dtls_fingerprint *peer, ck_dtls_send *send, void *user)
{
    struct ck_dtls *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->context = context;
    made->peer = *peer;
    made->send = send;
    made->user = user;
    int error = build(made);
    if (error != 0) {
        free(made);
        return error;
    }
    *dtls = made;
    return 0;
}

void ck_dtls_destroy(struct ck_dtls *dtls)
{
    if (dtls != NULL) {
        SSL_free(dtls->ssl);
        ck_wipe(&dtls->keys_in, sizeof dtls->keys_in);
        ck_wipe(&dtls->keys_out, sizeof dtls->keys_out);
        free(dtls);
    }
}

static bool certificate_matches(struct ck_dtls *dtls)
{
    ck_cleanup(x509_freep) X509 *certificate = SSL_get1_peer_certificate(dtls->ssl);
    const EVP_MD *md = dtls->peer.hash == CK_DTLS_SHA256   ? EVP_sha256()
                       : dtls->peer.hash == CK_DTLS_SHA384 ? EVP_sha384()
                                                           : EVP_sha512();
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    return certificate != NULL && X509_digest(certificate, md, digest, &size) == 1 &&
           size == ck_dtls_digest_size(dtls->peer.hash) &&
           ck_equal_secret(digest, dtls->peer.digest, size);
}

/* RFC 5764 section 4.2: client key, server key, client salt, server salt. */
static bool export_keys(struct ck_dtls *dtls)
{
    const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(dtls->ssl);
    if (profile == NULL) {
        return false;
    }
    dtls->profile = (enum ck_srtp_profile)profile->id;
    size_t salt = ck_srtp_salt_size(dtls->profile);
    uint8_t bytes[2 * (CK_SRTP_KEY_SIZE + CK_SRTP_SALT_MAX)];
    size_t size = 2 * (CK_SRTP_KEY_SIZE + salt);
    if (SSL_export_keying_material(dtls->ssl, bytes, size, EXPORTER, sizeof EXPORTER - 1, NULL, 0,
                                   0) != 1) {
        return false;
    }
    memcpy(dtls->keys_in.key, bytes, CK_SRTP_KEY_SIZE);
    memcpy(dtls->keys_out.key, bytes + CK_SRTP_KEY_SIZE, CK_SRTP_KEY_SIZE);
    memcpy(dtls->keys_in.salt, bytes + (size_t)2 * CK_SRTP_KEY_SIZE, salt);
    memcpy(dtls->keys_out.salt, bytes + (size_t)2 * CK_SRTP_KEY_SIZE + salt, salt);
    ck_wipe(bytes, sizeof bytes);
    return true;
}

static void finish(struct ck_dtls *dtls)
{
    if (!certificate_matches(dtls)) {
        dtls->state = CK_DTLS_MISMATCH;
    } else if (!export_keys(dtls)) {
        dtls->state = CK_DTLS_FAILED;
    } else {
        dtls->state = CK_DTLS_CONNECTED;
    }
}

/* A broken handshake is not the peer's fault for sure: somebody may have written into it. */
static void rebuild(struct ck_dtls *dtls)
{
    SSL_free(dtls->ssl);
    dtls->ssl = NULL;
    if (++dtls->rebuilds > CK_DTLS_REBUILDS_MAX || build(dtls) != 0) {
        dtls->state = CK_DTLS_FAILED;
    }
}

static void shake(struct ck_dtls *dtls)
{
    ERR_clear_error();
    int done = SSL_do_handshake(dtls->ssl);
    if (done == 1) {
        finish(dtls);
    } else if (SSL_get_error(dtls->ssl, done) != SSL_ERROR_WANT_READ) {
        rebuild(dtls);
    }
    ERR_clear_error();
}

/* After the handshake only close_notify, repeated Finished messages and junk can come. */
static void listen(struct ck_dtls *dtls)
{
    uint8_t nothing[64];
    ERR_clear_error();
    int count;
    do { /* there is no application data in this protocol */
        count = SSL_read(dtls->ssl, nothing, sizeof nothing);
    } while (count > 0);
    if (count <= 0 && SSL_get_error(dtls->ssl, count) == SSL_ERROR_ZERO_RETURN) {
        dtls->state = CK_DTLS_CLOSED;
    }
    ERR_clear_error();
}

enum ck_dtls_state ck_dtls_input(struct ck_dtls *dtls, const uint8_t *bytes, size_t size)
{
    uint8_t clean[DATAGRAM_MAX];
    if (size > sizeof clean ||
        (dtls->state != CK_DTLS_HANDSHAKING && dtls->state != CK_DTLS_CONNECTED)) {
        return dtls->state;
    }
    dtls->in = clean;
    dtls->in_size = without_clear_alerts(bytes, size, clean);
    if (dtls->in_size > 0) {
        if (dtls->state == CK_DTLS_HANDSHAKING) {
            shake(dtls);
        } else {
            listen(dtls);
        }
    }
    dtls->in = NULL;
    return dtls->state;
}

enum ck_dtls_state ck_dtls_tick(struct ck_dtls *dtls)
{
    if (dtls->state == CK_DTLS_HANDSHAKING) {
        ERR_clear_error();
        if (DTLSv1_handle_timeout(dtls->ssl) < 0) {
            rebuild(dtls);
        }
        ERR_clear_error();
    }
    return dtls->state;
}

enum ck_dtls_state ck_dtls_state(const struct ck_dtls *dtls)
{
    return dtls->state;
}

unsigned ck_dtls_rebuilds(const struct ck_dtls *dtls)
{
    return dtls->rebuilds;
}

enum ck_srtp_profile ck_dtls_keys(const struct ck_dtls *dtls, struct ck_srtp_keys *in,
                                  struct ck_srtp_keys *out)
{
    assert(dtls->state == CK_DTLS_CONNECTED);
    *in = dtls->keys_in;
    *out = dtls->keys_out;
    return dtls->profile;
}

void ck_dtls_close(struct ck_dtls *dtls)
{
    if (dtls->state == CK_DTLS_CONNECTED) {
        ERR_clear_error();
        (void)SSL_shutdown(dtls->ssl);
        ERR_clear_error();
    }
}

bool ck_dtls_is_client_hello(const uint8_t *bytes, size_t size)
{
    return size > RECORD_HEADER_SIZE && bytes[0] == RECORD_HANDSHAKE && bytes[1] == 0xfe &&
           ck_get_u16(bytes + 3) == 0 && bytes[RECORD_HEADER_SIZE] == CLIENT_HELLO;
}
