#include "daemon/notify/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <uv.h>

#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/stun.h"

#define HOST_MAX 256
#define ROUNDS_MAX 3     /* no name; with a name; with a fresh nonce */
#define RESEND_MS 500    /* RFC 8489 section 6.2.1; doubled each time */
#define UNAUTHORISED 401 /* RFC 8489 section 9.2.4 */
#define STALE_NONCE 438
#define QUOTA_REACHED 486 /* RFC 8656 section 19 */
#define NO_CAPACITY 508

struct server {
    bool secure, stream;
    char host[HOST_MAX], port[8];
};

/* The way to it. */
struct line {
    int fd;
    bool stream;
    SSL_CTX *context;
    SSL *ssl; /* NULL: in the clear */
    uint64_t until_ns;
    char *detail;
};

static bool fail(const struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(const struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line->detail, CK_TURN_DETAIL_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

int ck_turn_name(struct ck_slice secret, bool staff, int64_t id,
                 char name[static CK_TURN_NAME_SIZE])
{
    uint8_t mac[CK_SHA1_SIZE];
    char text[CK_TURN_USER_SIZE];
    snprintf(text, sizeof text, "%s %lld", staff ? "staff" : "person", (long long)id);
    const struct ck_slice one = {text, strlen(text)};
    int r = ck_hmac_sha1(secret.data, secret.size, &one, 1, mac);
    if (r == 0) {
        ck_hex_encode(mac, (CK_TURN_NAME_SIZE - 1) / 2, name);
    }
    return r;
}

int ck_turn_credentials(struct ck_slice secret, int64_t until_s, const char *name,
                        char user[static CK_TURN_USER_SIZE],
                        char password[static CK_TURN_PASSWORD_SIZE])
{
    uint8_t mac[CK_SHA1_SIZE];
    snprintf(user, CK_TURN_USER_SIZE, "%lld:%s", (long long)until_s, name);
    const struct ck_slice text = {user, strlen(user)};
    int r = ck_hmac_sha1(secret.data, secret.size, &text, 1, mac);
    if (r == 0) {
        ck_base64_encode(mac, sizeof mac, password);
    }
    return r;
}

/* The configuration has been checked: turn[s]:HOST[:PORT][?transport=udp|tcp]. */
static void read_url(const char *url, struct server *server)
{
    const char *host = strchr(url, ':') + 1;
    const char *tail = strchr(host, '?');
    size_t size = tail == NULL ? strlen(host) : (size_t)(tail - host);
    *server = (struct server){.secure = strncmp(url, "turns:", 6) == 0};
    server->stream = tail == NULL ? server->secure : strcmp(tail, "?transport=tcp") == 0;
    snprintf(server->port, sizeof server->port, "%s", server->secure ? "5349" : "3478");
    const char *bracket = *host == '[' ? memchr(host, ']', size) : NULL;
    const char *name = bracket == NULL ? host : host + 1;
    const char *end = bracket == NULL ? host + size : bracket;
    const char *colon = memchr(end == bracket ? bracket : host, ':',
                               (size_t)(host + size - (end == bracket ? bracket : host)));
    if (colon != NULL) {
        snprintf(server->port, sizeof server->port, "%.*s", (int)(host + size - colon - 1),
                 colon + 1);
        end = bracket == NULL ? colon : end;
    }
    snprintf(server->host, sizeof server->host, "%.*s", (int)(end - name), name);
}

unsigned ck_turn_kind(const char *url)
{
    struct server server;
    read_url(url, &server);
    return (unsigned)server.secure << 1 | (unsigned)server.stream;
}

/* ---- the line ---- */

/* Waits for `events`, not beyond the end of the whole question. False: it was too long. */
static bool ready(const struct line *line, short events, int at_most_ms)
{
    uint64_t now_ns = uv_hrtime();
    if (now_ns >= line->until_ns) {
        return false;
    }
    uint64_t left_ms = (line->until_ns - now_ns) / 1000000 + 1;
    struct pollfd one = {.fd = line->fd, .events = events};
    return poll(&one, 1, left_ms < (uint64_t)at_most_ms ? (int)left_ms : at_most_ms) == 1;
}

/* Whether to try once more what the library could not do at once. */
static bool again(const struct line *line, int result)
{
    int error = SSL_get_error(line->ssl, result);
    return (error == SSL_ERROR_WANT_READ && ready(line, POLLIN, RESEND_MS * ROUNDS_MAX)) ||
           (error == SSL_ERROR_WANT_WRITE && ready(line, POLLOUT, RESEND_MS * ROUNDS_MAX));
}

static bool push(const struct line *line, const void *bytes, size_t size)
{
    int sent;
    if (line->ssl == NULL) {
        return send(line->fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
    }
    do {
        sent = SSL_write(line->ssl, bytes, (int)size);
    } while (sent <= 0 && again(line, sent));
    return sent == (int)size;
}

/* Up to `size` bytes, or one datagram; 0 or less where none came within `wait_ms`. */
static int pull(const struct line *line, void *bytes, size_t size, int wait_ms)
{
    int got = 0;
    if (line->ssl == NULL) {
        return ready(line, POLLIN, wait_ms) ? (int)recv(line->fd, bytes, size, 0) : 0;
    }
    do {
        got = SSL_read(line->ssl, bytes, (int)size);
    } while (got <= 0 && again(line, got));
    return got;
}

static bool dial(struct line *line, const struct addrinfo *at)
{
    int why = 0;
    socklen_t size = sizeof why;
    line->fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool begun = line->fd >= 0 &&
                 (connect(line->fd, at->ai_addr, at->ai_addrlen) == 0 || errno == EINPROGRESS);
    if (!begun || !ready(line, POLLOUT, RESEND_MS * ROUNDS_MAX) ||
        getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &why, &size) != 0 || why != 0) {
        return fail(line, "no connection: %s", why != 0 ? uv_strerror(-why) : "no answer");
    }
    return true;
}

/* TLS, or DTLS where it goes by datagrams. */
static bool secure(struct line *line, const struct server *server)
{
    line->context = SSL_CTX_new(line->stream ? TLS_client_method() : DTLS_client_method());
    line->ssl = line->context == NULL ? NULL : SSL_new(line->context);
    BIO *bio =
        line->stream ? BIO_new_socket(line->fd, BIO_NOCLOSE) : BIO_new_dgram(line->fd, BIO_NOCLOSE);
    if (line->ssl == NULL || bio == NULL) {
        BIO_free(bio);
        return fail(line, "out of memory");
    }
    if (!line->stream) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        if (getpeername(line->fd, (struct sockaddr *)&peer, &size) == 0) {
            BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer);
        }
    }
    SSL_set_bio(line->ssl, bio, bio);
    SSL_CTX_set_default_verify_paths(line->context);
    SSL_set_verify(line->ssl, SSL_VERIFY_PEER, NULL);
    char name[sizeof server->host]; /* the macro's cast takes no const */
    memcpy(name, server->host, sizeof name);
    if (SSL_set_tlsext_host_name(line->ssl, name) != 1 || SSL_set1_host(line->ssl, name) != 1) {
        return fail(line, "out of memory");
    }
    int done;
    do {
        done = SSL_connect(line->ssl);
    } while (done <= 0 && again(line, done));
    long verdict = SSL_get_verify_result(line->ssl);
    return done == 1 ||
           fail(line, "no TLS: %s",
                verdict == X509_V_OK ? "no handshake" : X509_verify_cert_error_string(verdict));
}

static void hang_up(struct line *line)
{
    SSL_free(line->ssl);
    SSL_CTX_free(line->context);
    ck_closep(&line->fd);
}

/* ---- question and answer ---- */

struct text {
    uint8_t bytes[CK_STUN_MESSAGE_MAX * 2];
    size_t size;
};

static bool is_answer(const struct text *answer, const struct text *question, struct ck_stun *read)
{
    return ck_stun_read(answer->bytes, answer->size, read) == 0 &&
           (read->klass == CK_STUN_SUCCESS || read->klass == CK_STUN_ERROR) &&
           memcmp(answer->bytes + 8, question->bytes + 8, CK_STUN_TRANSACTION_SIZE) == 0;
}

static bool pull_message(const struct line *line, struct text *answer)
{
    size_t wanted = CK_STUN_HEADER_SIZE;
    answer->size = 0;
    while (answer->size < wanted) {
        int got =
            pull(line, answer->bytes + answer->size, wanted - answer->size, RESEND_MS * ROUNDS_MAX);
        if (got <= 0) {
            return false;
        }
        answer->size += (size_t)got;
        if (answer->size == CK_STUN_HEADER_SIZE) {
            wanted += ck_get_u16(answer->bytes + 2);
        }
        if (wanted > sizeof answer->bytes) {
            return false;
        }
    }
    return true;
}

/* A datagram may be lost: it is sent again. What answers nothing of ours is passed over. */
static bool exchange(const struct line *line, const struct text *question, struct text *answer,
                     struct ck_stun *read)
{
    if (line->stream) {
        return push(line, question->bytes, question->size) && pull_message(line, answer) &&
               is_answer(answer, question, read);
    }
    for (int wait_ms = RESEND_MS; uv_hrtime() < line->until_ns; wait_ms *= 2) {
        int got;
        if (!push(line, question->bytes, question->size)) {
            return false;
        }
        while ((got = pull(line, answer->bytes, sizeof answer->bytes, wait_ms)) > 0) {
            answer->size = (size_t)got;
            if (is_answer(answer, question, read)) {
                return true;
            }
        }
        if (got < 0) {
            return false; /* nobody listens there */
        }
    }
    return false;
}

/* What both sides know of each other by now. */
struct talk {
    const char *user, *password;
    char realm[CK_STUN_TEXT_MAX], nonce[CK_STUN_TEXT_MAX];
    size_t realm_size, nonce_size;
    uint8_t key[CK_STUN_LONG_TERM_KEY_SIZE];
    uint8_t transaction[CK_STUN_TRANSACTION_SIZE];
    bool full; /* it knows the user and has no address left */
};

static int compose(struct talk *talk, uint16_t method, struct text *question)
{
    struct ck_stun_write what = {.method = method,
                                 .transaction = talk->transaction,
                                 .relayed_udp = method == CK_STUN_ALLOCATE,
                                 .has_lifetime = method == CK_STUN_REFRESH};
    if (uv_random(NULL, NULL, talk->transaction, sizeof talk->transaction, 0, NULL) != 0) {
        return -EIO;
    }
    if (talk->nonce_size > 0) {
        what.username = talk->user;
        what.username_size = strlen(talk->user);
        what.realm = (struct ck_slice){talk->realm, talk->realm_size};
        what.nonce = (struct ck_slice){talk->nonce, talk->nonce_size};
        what.password = talk->key;
        what.password_size = sizeof talk->key;
    }
    return ck_stun_write(&what, question->bytes, CK_STUN_MESSAGE_MAX, &question->size);
}

static int learn(struct talk *talk, const struct ck_stun *answer)
{
    if (answer->realm.size == 0 || answer->nonce.size == 0) {
        return CK_E_SYNTAX;
    }
    memcpy(talk->realm, answer->realm.data, answer->realm.size);
    memcpy(talk->nonce, answer->nonce.data, answer->nonce.size);
    talk->realm_size = answer->realm.size;
    talk->nonce_size = answer->nonce.size;
    return ck_stun_long_term_key(talk->user, answer->realm, talk->password, talk->key);
}

/* The server would keep the address for ten minutes; with the connection it goes by itself. */
static void give_back(const struct line *line, struct talk *talk)
{
    struct text question;
    if (!line->stream && compose(talk, CK_STUN_REFRESH, &question) == 0) {
        push(line, question.bytes, question.size);
    }
}

static bool allocate(const struct line *line, struct talk *talk)
{
    struct text question, answer;
    struct ck_stun read;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (compose(talk, CK_STUN_ALLOCATE, &question) != 0) {
            return fail(line, "the question cannot be written");
        }
        if (!exchange(line, &question, &answer, &read)) {
            return fail(line, "no answer to a question for an address");
        }
        if (read.klass == CK_STUN_SUCCESS) {
            if (ck_stun_verify(answer.bytes, answer.size, &read, talk->key, sizeof talk->key) !=
                0) {
                return fail(line, "the answer is not signed with the shared secret");
            }
            give_back(line, talk);
            return true;
        }
        bool named = talk->nonce_size > 0;
        if ((read.error_code != UNAUTHORISED || named) && read.error_code != STALE_NONCE) {
            talk->full =
                named && (read.error_code == QUOTA_REACHED || read.error_code == NO_CAPACITY);
            return fail(line, "no address is given: error %u", read.error_code);
        }
        if (learn(talk, &read) != 0) {
            return fail(line, "it asks for a name and tells no realm");
        }
    }
    return fail(line, "it goes on asking for a name");
}

static enum ck_turn_verdict ask_address(const struct server *server, const struct addrinfo *at,
                                        const char *user, const char *password, int timeout_ms,
                                        char *detail)
{
    struct talk talk = {.user = user, .password = password};
    struct line line = {.fd = -1,
                        .stream = server->stream,
                        .until_ns = uv_hrtime() + (uint64_t)timeout_ms * 1000000,
                        .detail = detail};
    bool gives =
        dial(&line, at) && (!server->secure || secure(&line, server)) && allocate(&line, &talk);
    hang_up(&line);
    return gives ? CK_TURN_GIVES : talk.full ? CK_TURN_FULL : CK_TURN_SILENT;
}

enum ck_turn_verdict ck_turn_answers(const char *url, const char *user, const char *password,
                                     int timeout_ms, char detail[static CK_TURN_DETAIL_SIZE])
{
    struct server server;
    struct addrinfo *list = NULL;
    read_url(url, &server);
    const struct addrinfo hints = {.ai_socktype = server.stream ? SOCK_STREAM : SOCK_DGRAM};
    int error = getaddrinfo(server.host, server.port, &hints, &list);
    if (error != 0) {
        snprintf(detail, CK_TURN_DETAIL_SIZE, "%.100s: %.50s", server.host, gai_strerror(error));
        return CK_TURN_SILENT;
    }
    enum ck_turn_verdict best = CK_TURN_SILENT;
    int asked = 0;
    for (const struct addrinfo *at = list;
         at != NULL && asked < CK_TURN_ADDRESSES_MAX && best != CK_TURN_GIVES; at = at->ai_next) {
        enum ck_turn_verdict verdict = ask_address(&server, at, user, password, timeout_ms, detail);
        best = verdict > best ? verdict : best;
        asked++;
    }
    freeaddrinfo(list);
    if (best == CK_TURN_GIVES) {
        *detail = '\0';
    }
    return best;
}

enum ck_turn_verdict ck_turn_round(const char *const *urls, size_t count, const char *user,
                                   const char *password, int timeout_ms,
                                   char detail[static CK_TURN_ROUND_DETAIL_SIZE])
{
    enum ck_turn_verdict best[CK_TURN_KINDS] = {CK_TURN_SILENT};
    bool asked[CK_TURN_KINDS] = {false};
    *detail = '\0';
    for (size_t i = 0; i < count; i++) {
        char one[CK_TURN_DETAIL_SIZE];
        unsigned kind = ck_turn_kind(urls[i]);
        asked[kind] = true;
        if (best[kind] == CK_TURN_GIVES) {
            continue;
        }
        enum ck_turn_verdict verdict = ck_turn_answers(urls[i], user, password, timeout_ms, one);
        best[kind] = verdict > best[kind] ? verdict : best[kind];
        if (verdict != CK_TURN_GIVES) {
            snprintf(detail, CK_TURN_ROUND_DETAIL_SIZE, "%.255s: %s", urls[i], one);
        }
    }
    enum ck_turn_verdict worst = CK_TURN_GIVES;
    for (unsigned kind = 0; kind < CK_TURN_KINDS; kind++) {
        worst = asked[kind] && best[kind] < worst ? best[kind] : worst;
    }
    return worst;
}

uint64_t ck_turn_round_ms(size_t count, int timeout_ms)
{
    return count * (CK_TURN_LOOKUP_MS + CK_TURN_ADDRESSES_MAX * (uint64_t)timeout_ms);
}

bool ck_turn_judge(enum ck_turn_verdict verdict, unsigned *silent)
{
    *silent = verdict == CK_TURN_SILENT ? *silent + 1 : 0;
    return *silent < CK_TURN_SILENT_ROUNDS;
}
