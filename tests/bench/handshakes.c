#include "tests/bench/handshakes.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/figure.h"

#define MTU 1200
#define KEYS_SIZE 56 /* two keys and two salts of AES-128-GCM */
#define EXPORTER "EXTRACTOR-dtls_srtp"
#define CERTIFICATE_SECONDS 86400
#define HOT_ROUNDS 10

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "handshakes: %s\n", what);
        exit(2);
    }
}

static int accept_any(int good, X509_STORE_CTX *store)
{
    (void)good;
    (void)store;
    return 1;
}

static void use_certificate(SSL_CTX *context)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    need(key != NULL && x != NULL && X509_set_version(x, X509_VERSION_3) == 1 &&
             ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
             X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL &&
             X509_gmtime_adj(X509_getm_notAfter(x), CERTIFICATE_SECONDS) != NULL &&
             X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha256()) > 0 &&
             SSL_CTX_use_certificate(context, x) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1,
         "no certificate");
    X509_free(x);
    EVP_PKEY_free(key);
}

static SSL_CTX *make_context(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);
    need(context != NULL && SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
             SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1 &&
             SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AEAD_AES_128_GCM") == 0,
         "no context");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    use_certificate(context);
    return context;
}

static SSL *make_end(SSL_CTX *context, int fd)
{
    SSL *ssl = SSL_new(context);
    BIO *bio = BIO_new_dgram(fd, BIO_NOCLOSE);
    need(ssl != NULL && bio != NULL, "no memory");
    SSL_set_bio(ssl, bio, bio);
    SSL_set_mtu(ssl, MTU);
    return ssl;
}

static bool export_keys(SSL *ssl)
{
    uint8_t keys[KEYS_SIZE];
    return SSL_get_selected_srtp_profile(ssl) != NULL &&
           SSL_export_keying_material(ssl, keys, sizeof keys, EXPORTER, sizeof EXPORTER - 1, NULL,
                                      0, 0) == 1;
}

/* --- the server: until it is killed
 * ------------------------------------------------------------------------------------- */

static void serve(int fd)
{
    SSL_CTX *context = make_context(DTLS_server_method());
    for (;;) {
        SSL *ssl = make_end(context, fd);
        if (SSL_accept(ssl) == 1) {
            (void)export_keys(ssl);
        }
        SSL_free(ssl);
    }
}

static pid_t start_server(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    need(fd >= 0 && bind(fd, (struct sockaddr *)address, size) == 0 &&
             getsockname(fd, (struct sockaddr *)address, &size) == 0,
         "no socket");
    fflush(stdout);
    pid_t pid = fork();
    need(pid >= 0, "no process");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(fd);
    }
    close(fd);
    return pid;
}

/* --- the client
 * ------------------------------------------------------------------------------------- */

static bool shake(SSL_CTX *context, const struct sockaddr_in *server)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    BIO_ADDR *to = BIO_ADDR_new();
    need(fd >= 0 && connect(fd, (const struct sockaddr *)server, sizeof *server) == 0 &&
             to != NULL &&
             BIO_ADDR_rawmake(to, AF_INET, &server->sin_addr, sizeof server->sin_addr,
                              server->sin_port) == 1,
         "no socket");
    SSL *ssl = make_end(context, fd);
    BIO_ctrl(SSL_get_rbio(ssl), BIO_CTRL_DGRAM_SET_CONNECTED, 0, to);
    BIO_ADDR_free(to);
    bool good = SSL_connect(ssl) == 1 && export_keys(ssl);
    SSL_free(ssl);
    close(fd);
    return good;
}

static void sleep_until(const struct timespec *from, double s)
{
    struct timespec at = {from->tv_sec + (time_t)s, from->tv_nsec};
    at.tv_nsec += (long)((s - (double)(time_t)s) * 1e9);
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0) {
    }
}

struct ck_handshakes_outcome ck_handshakes_run(unsigned calls, unsigned rate)
{
    struct ck_handshakes_outcome outcome = {.failed = 0};
    struct sockaddr_in address;
    struct timespec from;
    SSL_CTX *context = make_context(DTLS_client_method());
    pid_t pid = start_server(&address);
    need(shake(context, &address), "no handshake"); /* the first waits for the server */
    double cpu_s = ck_figure_cpu_s(pid);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned i = 0; i < calls; i++) {
        if (rate > 0) {
            sleep_until(&from, (double)i / rate);
        }
        bool good = shake(context, &address);
        good &= shake(context, &address);
        outcome.failed += good ? 0 : 1;
    }
    outcome.cpu_ms = (ck_figure_cpu_s(pid) - cpu_s) * 1000 / calls;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    SSL_CTX_free(context);
    return outcome;
}

/* --- hot
 * ------------------------------------------------------------------------------------- */

static double thread_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static SSL *make_memory_end(SSL_CTX *context, BIO *in, BIO *out)
{
    SSL *ssl = SSL_new(context);
    need(ssl != NULL && BIO_up_ref(in) == 1 && BIO_up_ref(out) == 1, "no memory");
    SSL_set_bio(ssl, in, out);
    SSL_set_mtu(ssl, MTU);
    return ssl;
}

/* What the server took for one, in milliseconds. */
static double shake_in_memory(SSL_CTX *contexts[2])
{
    BIO *up = BIO_new(BIO_s_mem());
    BIO *down = BIO_new(BIO_s_mem());
    need(up != NULL && down != NULL, "no memory");
    BIO_set_mem_eof_return(up, -1);
    BIO_set_mem_eof_return(down, -1);
    SSL *client = make_memory_end(contexts[1], down, up);
    double before = thread_ms();
    SSL *server = make_memory_end(contexts[0], up, down);
    double took = thread_ms() - before;
    while (!SSL_is_init_finished(client) || !SSL_is_init_finished(server)) {
        int sent = SSL_connect(client);
        need(sent == 1 || SSL_get_error(client, sent) == SSL_ERROR_WANT_READ, "no handshake");
        before = thread_ms();
        sent = SSL_accept(server);
        need(sent == 1 || SSL_get_error(server, sent) == SSL_ERROR_WANT_READ, "no handshake");
        took += thread_ms() - before;
    }
    before = thread_ms();
    need(export_keys(server), "no keys");
    SSL_free(server);
    took += thread_ms() - before;
    SSL_free(client);
    BIO_free(up);
    BIO_free(down);
    return took;
}

double ck_handshakes_hot(unsigned handshakes)
{
    SSL_CTX *contexts[2] = {make_context(DTLS_server_method()), make_context(DTLS_client_method())};
    double fastest = 0;
    shake_in_memory(contexts); /* what OpenSSL looks up once */
    for (unsigned round = 0; round < HOT_ROUNDS; round++) {
        double took = 0;
        for (unsigned i = 0; i < handshakes; i++) {
            took += shake_in_memory(contexts);
        }
        fastest = round == 0 || took < fastest ? took : fastest;
    }
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
    return fastest / handshakes;
}
