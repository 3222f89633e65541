/* The handshake against an OpenSSL client: good, wrong, and written into by somebody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "media/transport/algorithms.h"
#include "media/transport/dtls.h"

#define DATAGRAMS_MAX 64

/* A datagram from one side to the other. */
struct datagram {
    size_t size;
    uint8_t bytes[2048];
};

struct post {
    unsigned count;
    struct datagram datagrams[DATAGRAMS_MAX];
};

static struct ck_dtls_context *context;
static SSL_CTX *client_context;
static struct ck_dtls_fingerprint client_print;

/* A client with a certificate for this key, which is taken over. */
static SSL_CTX *client_with(EVP_PKEY *key, struct ck_dtls_fingerprint *print)
{
    X509 *certificate = X509_new();
    SSL_CTX *made = SSL_CTX_new(DTLS_client_method());
    unsigned size = 0;
    assert_true(key != NULL && made != NULL && certificate != NULL);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 3600));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(made, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(made, key), 1);
    print->hash = CK_DTLS_SHA256;
    assert_int_equal(X509_digest(certificate, EVP_sha256(), print->digest, &size), 1);
    EVP_PKEY_free(key);
    X509_free(certificate);
    return made;
}

static int set_up(void **state)
{
    (void)state;
    if (ck_dtls_context_create(&context) != 0) {
        return -1;
    }
    client_context = client_with(EVP_EC_gen("P-256"), &client_print);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ck_dtls_context_destroy(context);
    SSL_CTX_free(client_context);
    return 0;
}

static void post(void *user, const uint8_t *bytes, size_t size)
{
    struct post *box = user;
    assert_true(box->count < DATAGRAMS_MAX && size <= CK_DTLS_LINK_MTU);
    memcpy(box->datagrams[box->count].bytes, bytes, size);
    box->datagrams[box->count++].size = size;
}

struct pair {
    struct ck_dtls *server;
    struct post from_server;
    SSL *client;
    BIO *in;
    BIO *out;
};

static void pair_init(struct pair *pair, const struct ck_dtls_fingerprint *expected,
                      const char *profiles)
{
    memset(pair, 0, sizeof *pair);
    assert_int_equal(ck_dtls_create(&pair->server, context, expected, post, &pair->from_server), 0);
    pair->client = SSL_new(client_context);
    pair->in = BIO_new(BIO_s_mem());
    pair->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(pair->in, -1);
    SSL_set_bio(pair->client, pair->in, pair->out);
    SSL_set_connect_state(pair->client);
    SSL_set_options(pair->client, SSL_OP_NO_QUERY_MTU);
    DTLS_set_link_mtu(pair->client, 1200);
    if (profiles != NULL) {
        assert_int_equal(SSL_set_tlsext_use_srtp(pair->client, profiles), 0);
    }
}

static void pair_deinit(struct pair *pair)
{
    ck_dtls_destroy(pair->server);
    SSL_free(pair->client);
}

/* Lets the client think and takes what it says, record by record, since a memory BIO glues them. */
static unsigned client_says(struct pair *pair, struct datagram *said, unsigned room)
{
    static uint8_t all[16384];
    unsigned count = 0;
    (void)SSL_do_handshake(pair->client);
    int size = BIO_read(pair->out, all, sizeof all);
    for (int at = 0; at + 13 <= size;) {
        size_t length = 13 + (size_t)(all[at + 11] << 8 | all[at + 12]);
        assert_true(count < room && length <= sizeof said[0].bytes);
        memcpy(said[count].bytes, all + at, length);
        said[count++].size = length;
        at += (int)length;
    }
    return count;
}

static void client_hears(struct pair *pair)
{
    for (unsigned i = 0; i < pair->from_server.count; i++) {
        (void)BIO_write(pair->in, pair->from_server.datagrams[i].bytes,
                        (int)pair->from_server.datagrams[i].size);
    }
    pair->from_server.count = 0;
}

static enum ck_dtls_state shake(struct pair *pair)
{
    static struct datagram said[DATAGRAMS_MAX];
    enum ck_dtls_state state = CK_DTLS_HANDSHAKING;
    for (unsigned turn = 0; turn < 10; turn++) {
        unsigned count = client_says(pair, said, DATAGRAMS_MAX);
        for (unsigned i = 0; i < count; i++) {
            state = ck_dtls_input(pair->server, said[i].bytes, said[i].size);
        }
        client_hears(pair);
    }
    (void)SSL_do_handshake(pair->client);
    return state;
}

static void assert_same_keys(struct pair *pair, enum ck_srtp_profile expected)
{
    struct ck_srtp_keys in;
    struct ck_srtp_keys out;
    uint8_t theirs[60];
    size_t salt = ck_srtp_salt_size(expected);
    assert_int_equal(ck_dtls_keys(pair->server, &in, &out), expected);
    assert_int_equal(SSL_export_keying_material(pair->client, theirs, 32 + 2 * salt,
                                                "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0),
                     1);
    assert_memory_equal(in.key, theirs, 16);
    assert_memory_equal(out.key, theirs + 16, 16);
    assert_memory_equal(in.salt, theirs + 32, salt);
    assert_memory_equal(out.salt, theirs + 32 + salt, salt);
}

static void test_profiles(void **state)
{
    (void)state;
    static const struct {
        const char *offered;
        enum ck_srtp_profile chosen;
    } cases[] = {
        {"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM",
         CK_SRTP_AEAD_AES_128_GCM}, /* as Chromium lists them */
        {"SRTP_AES128_CM_SHA1_80", CK_SRTP_AES128_CM_SHA1_80},
    };
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        pair_init(&pair, &client_print, cases[i].offered);
        assert_int_equal(shake(&pair), CK_DTLS_CONNECTED);
        assert_same_keys(&pair, cases[i].chosen);
        assert_int_equal(ck_dtls_rebuilds(pair.server), 0);
        pair_deinit(&pair);
    }
}

/* Every key a browser or another WebRTC library may bring, by every cipher and group that we offer:
 * the context of our DTLS knows few algorithms. */
static void test_every_peer(void **state)
{
    (void)state;
    static const char *const ciphers[] = {"ECDHE-ECDSA-AES128-GCM-SHA256",
                                          "ECDHE-ECDSA-AES256-GCM-SHA384",
                                          "ECDHE-ECDSA-CHACHA20-POLY1305"};
    /* A client lists the curves of both certificates, too. */
    char groups[][24] = {"X25519:P-256:P-384", "P-256:P-384", "P-384:P-256"};
    SSL_CTX *usual = client_context;
    for (unsigned i = 0; i < 27; i++) {
        struct ck_dtls_fingerprint print;
        struct pair pair;
        EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), EVP_RSA_gen(2048)};
        client_context = client_with(keys[i % 3], &print);
        EVP_PKEY_free(keys[(i + 1) % 3]);
        EVP_PKEY_free(keys[(i + 2) % 3]);
        assert_int_equal(SSL_CTX_set_cipher_list(client_context, ciphers[i / 3 % 3]), 1);
        assert_int_equal(SSL_CTX_set1_groups_list(client_context, groups[i / 9]), 1);
        pair_init(&pair, &print, "SRTP_AEAD_AES_128_GCM");
        assert_int_equal(shake(&pair), CK_DTLS_CONNECTED);
        assert_same_keys(&pair, CK_SRTP_AEAD_AES_128_GCM);
        assert_int_equal(ck_dtls_rebuilds(pair.server), 0);
        pair_deinit(&pair);
        SSL_CTX_free(client_context);
    }
    client_context = usual;
}

static void test_algorithms(void **state)
{
    (void)state;
    struct ck_algorithms few;
    assert_int_equal(ck_algorithms_init(&few), 0);
    EVP_MD *known = EVP_MD_fetch(few.library, "SHA256", NULL);
    assert_non_null(known);
    assert_null(EVP_MD_fetch(few.library, "MD5", NULL));
    assert_null(EVP_KEYMGMT_fetch(few.library, "DH", NULL));
    EVP_MD_free(known);
    ck_algorithms_deinit(&few);
}

static void test_no_common_profile(void **state)
{
    (void)state;
    static const char *const profiles[] = {NULL, "SRTP_AES128_CM_SHA1_32"};
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        pair_init(&pair, &client_print, profiles[i]);
        assert_int_equal(shake(&pair), CK_DTLS_FAILED);
        pair_deinit(&pair);
    }
}

static void test_wrong_certificate(void **state)
{
    (void)state;
    struct pair pair;
    struct ck_dtls_fingerprint other = client_print;
    other.digest[31] ^= 1;
    pair_init(&pair, &other, "SRTP_AEAD_AES_128_GCM");
    assert_int_equal(shake(&pair), CK_DTLS_MISMATCH);
    pair_deinit(&pair);
}

static void test_stronger_digests(void **state)
{
    (void)state;
    const EVP_MD *digests[] = {EVP_sha384(), EVP_sha512()};
    for (uint8_t i = 0; i < 2; i++) {
        struct pair pair;
        struct ck_dtls_fingerprint print = {.hash = (uint8_t)(CK_DTLS_SHA384 + i)};
        unsigned size = 0;
        assert_int_equal(
            X509_digest(SSL_CTX_get0_certificate(client_context), digests[i], print.digest, &size),
            1);
        pair_init(&pair, &print, "SRTP_AEAD_AES_128_GCM");
        assert_int_equal(shake(&pair), CK_DTLS_CONNECTED);
        pair_deinit(&pair);
    }
}

/* Fatal alerts in the clear, before and during the handshake, from whoever knows the address. */
static void test_alerts_in_the_clear_do_nothing(void **state)
{
    (void)state;
    static const uint8_t alert[] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40};
    static struct datagram said[DATAGRAMS_MAX];
    struct pair pair;
    enum ck_dtls_state reached = CK_DTLS_HANDSHAKING;
    pair_init(&pair, &client_print, "SRTP_AEAD_AES_128_GCM");
    for (unsigned turn = 0; turn < 10; turn++) {
        unsigned count = client_says(&pair, said, DATAGRAMS_MAX);
        for (unsigned i = 0; i < count; i++) {
            (void)ck_dtls_input(pair.server, alert, sizeof alert);
            uint8_t glued[2048]; /* and one in the same datagram */
            memcpy(glued, alert, sizeof alert);
            memcpy(glued + sizeof alert, said[i].bytes, said[i].size);
            reached = ck_dtls_input(pair.server, glued, sizeof alert + said[i].size);
        }
        client_hears(&pair);
    }
    assert_int_equal(reached, CK_DTLS_CONNECTED);
    assert_int_equal(ck_dtls_rebuilds(pair.server), 0);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(ck_dtls_input(pair.server, alert, sizeof alert), CK_DTLS_CONNECTED);
    }
    pair_deinit(&pair);
}

/* A forged ClientHello that OpenSSL chokes on breaks its handshake; the true one that comes after
 * goes through. */
static void test_broken_handshake_begins_again(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, &client_print, "SRTP_AEAD_AES_128_GCM");
    uint8_t forged[] = {22,  0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13, /* record */
                        1,   0,    0,    1, 0, 0, 0, 0, 0, 0, 0, 1,     /* ClientHello of 1 byte */
                        0x41};
    (void)ck_dtls_input(pair.server, forged, sizeof forged);
    assert_int_equal(ck_dtls_rebuilds(pair.server), 1);
    assert_int_equal(pair.from_server.count,
                     0); /* an alert would end the true client's handshake */
    assert_int_equal(shake(&pair), CK_DTLS_CONNECTED);
    pair_deinit(&pair);
}

static void test_broken_again_and_again(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, &client_print, "SRTP_AEAD_AES_128_GCM");
    uint8_t forged[] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13,
                        1,  0,    0,    1, 0, 0, 0, 0, 0, 0, 0, 1, 0x41};
    enum ck_dtls_state reached = CK_DTLS_HANDSHAKING;
    for (unsigned i = 0; i < CK_DTLS_REBUILDS_MAX; i++) {
        reached = ck_dtls_input(pair.server, forged, sizeof forged);
        assert_int_equal(reached, CK_DTLS_HANDSHAKING);
    }
    assert_int_equal(ck_dtls_input(pair.server, forged, sizeof forged), CK_DTLS_FAILED);
    assert_int_equal(ck_dtls_input(pair.server, forged, sizeof forged), CK_DTLS_FAILED);
    assert_int_equal(ck_dtls_tick(pair.server), CK_DTLS_FAILED);
    pair_deinit(&pair);
}

/* Fragments of messages that never become whole: memory stays within what OpenSSL bounds, and the
 * truth goes through. */
static void test_fragments_without_end(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, &client_print, "SRTP_AEAD_AES_128_GCM");
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t fragment[25 + 100] = {22, 0xfe, 0xfd};
        fragment[8] = (uint8_t)(i >> 16);
        fragment[9] = (uint8_t)(i >> 8);
        fragment[10] = (uint8_t)i;
        fragment[12] = 12 + 100;
        fragment[13] = 1;                    /* ClientHello */
        fragment[15] = 0x30;                 /* of 12288 bytes */
        fragment[17] = 0;                    /* message number */
        fragment[18] = (uint8_t)(1 + i % 9); /* one that is still ahead */
        fragment[20] = (uint8_t)(i % 40);    /* fragment's offset */
        fragment[24] = 100;                  /* and length */
        (void)ck_dtls_input(pair.server, fragment, sizeof fragment);
        if (ck_dtls_state(pair.server) != CK_DTLS_HANDSHAKING) {
            break;
        }
    }
    pair.from_server.count = 0;
    pair_deinit(&pair);
}

static void test_close_notify(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair, &client_print, "SRTP_AEAD_AES_128_GCM");
    assert_int_equal(shake(&pair), CK_DTLS_CONNECTED);
    (void)SSL_shutdown(pair.client);
    uint8_t bytes[512];
    int size = BIO_read(pair.out, bytes, sizeof bytes);
    assert_true(size > 13);
    uint8_t changed[512];
    memcpy(changed, bytes, (size_t)size);
    changed[size - 1] ^= 1; /* not authentic */
    assert_int_equal(ck_dtls_input(pair.server, changed, (size_t)size), CK_DTLS_CONNECTED);
    assert_int_equal(ck_dtls_input(pair.server, bytes, (size_t)size), CK_DTLS_CLOSED);
    pair_deinit(&pair);

    pair_init(&pair, &client_print, "SRTP_AEAD_AES_128_GCM");
    assert_int_equal(shake(&pair), CK_DTLS_CONNECTED);
    pair.from_server.count = 0;
    ck_dtls_close(pair.server);
    assert_int_equal(pair.from_server.count, 1);
    pair_deinit(&pair);
}

/* The client's last flight was lost on its way back: it repeats its own, and ours comes again. */
static void test_repeated_finish_is_answered(void **state)
{
    (void)state;
    static struct datagram last[DATAGRAMS_MAX];
    struct pair pair;
    unsigned count = 0;
    pair_init(&pair, &client_print, "SRTP_AEAD_AES_128_GCM");
    for (unsigned turn = 0; ck_dtls_state(pair.server) == CK_DTLS_HANDSHAKING; turn++) {
        assert_true(turn < 10);
        if (turn > 0) {
            client_hears(&pair);
        }
        count = client_says(&pair, last, DATAGRAMS_MAX);
        for (unsigned i = 0; i < count; i++) {
            (void)ck_dtls_input(pair.server, last[i].bytes, last[i].size);
        }
    }
    pair.from_server.count = 0; /* our finish is lost */
    for (unsigned i = 0; i < count; i++) {
        (void)ck_dtls_input(pair.server, last[i].bytes, last[i].size);
    }
    /* What was seen before counts as a replay and says nothing; a real client repeats under new
     * numbers, which needs its timer. */
    assert_int_equal(ck_dtls_state(pair.server), CK_DTLS_CONNECTED);
    pair_deinit(&pair);
}

static void test_junk(void **state)
{
    (void)state;
    struct pair pair;
    uint32_t seed = 1;
    pair_init(&pair, &client_print, "SRTP_AEAD_AES_128_GCM");
    for (unsigned i = 0; i < 20000 && ck_dtls_state(pair.server) == CK_DTLS_HANDSHAKING; i++) {
        uint8_t junk[200];
        for (size_t at = 0; at < sizeof junk; at++) {
            seed = seed * 1664525 + 1013904223;
            junk[at] = (uint8_t)(seed >> 24);
        }
        junk[0] = (uint8_t)(20 + seed % 4);
        junk[1] = 0xfe;
        (void)ck_dtls_input(pair.server, junk, (seed >> 8) % sizeof junk);
        pair.from_server.count = 0;
    }
    pair_deinit(&pair);
}

static void test_client_hello_is_known(void **state)
{
    (void)state;
    static struct datagram said[DATAGRAMS_MAX];
    struct pair pair;
    pair_init(&pair, &client_print, "SRTP_AEAD_AES_128_GCM");
    assert_true(client_says(&pair, said, DATAGRAMS_MAX) > 0);
    assert_true(ck_dtls_is_client_hello(said[0].bytes, said[0].size));
    assert_false(ck_dtls_is_client_hello(said[0].bytes, 13));
    said[0].bytes[4] = 1; /* another epoch */
    assert_false(ck_dtls_is_client_hello(said[0].bytes, said[0].size));
    pair_deinit(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_every_peer),
        cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_no_common_profile),
        cmocka_unit_test(test_wrong_certificate),
        cmocka_unit_test(test_stronger_digests),
        cmocka_unit_test(test_alerts_in_the_clear_do_nothing),
        cmocka_unit_test(test_broken_handshake_begins_again),
        cmocka_unit_test(test_broken_again_and_again),
        cmocka_unit_test(test_fragments_without_end),
        cmocka_unit_test(test_close_notify),
        cmocka_unit_test(test_repeated_finish_is_answered),
        cmocka_unit_test(test_junk),
        cmocka_unit_test(test_client_hello_is_known),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
