/* The relay that we tell agencies to run (systemd/turnserver.conf) in a real coturn: who gets in,
 * and where he gets from there. The worker's address is played by 127.0.0.2; everything else on
 * this machine and in the networks behind it must be out of reach. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "daemon/notify/turn.h"
#include "protocol/base/bytes.h"
#include "tests/client/stun.h"

#define TURNSERVER "/usr/bin/turnserver"
#define WORKER_ADDRESS "127.0.0.2"
#define COOKIE 0x2112a442U
#define HEADER 20
#define MESSAGE_MAX 1024
#define TEXT_MAX 160
#define ANSWER_MS 3000
#define START_MS 10000
#define ADDRESSES 40      /* that the server gives at one time */
#define USER_ADDRESSES 16 /* to one name; so small here, as large as is shipped */
#define MISMATCH 437      /* the end has an address already */
#define SILENT_MS 700     /* a server of which no answer is wanted */
#define LOOKUP_MS 1000    /* of a name behind a dead name server */
#define TRY_MS 50

/* RFC 8656 section 18. */
enum method {
    ALLOCATE = 0x0003,
    PERMIT = 0x0008,
    BIND_CHANNEL = 0x0009,
    SEND = 0x0016, /* an indication */
};
enum attribute {
    USERNAME = 0x0006,
    MESSAGE_INTEGRITY = 0x0008,
    CHANNEL_NUMBER = 0x000c,
    PEER_ADDRESS = 0x0012,
    DATA = 0x0013,
    REALM = 0x0014,
    NONCE = 0x0015,
    ADDRESS_FAMILY = 0x0017,
    TRANSPORT = 0x0019,
};
#define ERROR_BIT 0x0110
#define SUCCESS_BIT 0x0100

struct server {
    pid_t pid;
    uint16_t port, tls_port;
    char folder[64];
    char secret[33];
};

/* A visitor: a socket, and what the server and he know of each other. */
struct visitor {
    int fd;
    char username[TEXT_MAX];
    char password[64];
    char realm[TEXT_MAX];
    char nonce[TEXT_MAX];
    uint8_t id;
};

struct message {
    uint8_t bytes[MESSAGE_MAX];
    size_t size;
};

/* --- the server -------------------------------------------------------------------------------
 */

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* The file as it is shipped, and behind it the lines that it leaves to the agency. */
static void write_configuration(const struct server *server, const char *path)
{
    char line[512];
    FILE *shipped = fopen(CK_SOURCE_DIR "/systemd/turnserver.conf", "re");
    FILE *made = fopen(path, "we");
    assert_non_null(shipped);
    assert_non_null(made);
    while (fgets(line, sizeof line, shipped) != NULL) {
        if (strncmp(line, "user-quota=", 11) == 0) {
            snprintf(line, sizeof line, "user-quota=%d\n", USER_ADDRESSES);
        }
        fputs(line, made);
    }
    fprintf(made,
            "listening-ip=127.0.0.1\nlistening-port=%u\nrelay-ip=127.0.0.1\nrelay-ip=::1\n"
            "static-auth-secret=%s\nallowed-peer-ip=" WORKER_ADDRESS "\nallow-loopback-peers\n"
            "tls-listening-port=%u\ncert=%s/cert.pem\npkey=%s/key.pem\ntotal-quota=%u\npidfile=%s/"
            "pid\nuserdb=%s/db\nlog-file=%s/log\nsimple-log\n",
            server->port, server->secret, server->tls_port, server->folder, server->folder,
            ADDRESSES, server->folder, server->folder, server->folder);
    fclose(shipped);
    assert_int_equal(fclose(made), 0);
}

/* Whether it answers a question that needs no name. */
static bool answers(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct ck_tstun_check question = {.type = CK_TSTUN_REQUEST};
    uint8_t bytes[CK_TSTUN_MAX];
    size_t size = ck_tstun_write(&question, bytes);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    bool answered = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                    send(fd, bytes, size, 0) > 0 && poll(&ready, 1, TRY_MS) == 1 &&
                    recv(fd, bytes, sizeof bytes, 0) > 0;
    close(fd);
    return answered;
}

/* A certificate for localhost that this process trusts. */
static bool make_certificate(const struct server *server)
{
    char command[512], path[96];
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
             "/CN=localhost -addext subjectAltName=DNS:localhost -keyout %s/key.pem -out "
             "%s/cert.pem 2>%s/openssl",
             server->folder, server->folder, server->folder);
    snprintf(path, sizeof path, "%s/cert.pem", server->folder);
    return system(command) == 0 && setenv("SSL_CERT_FILE", path, 1) == 0;
}

static int start_server(void **state)
{
    static struct server server;
    char path[96];
    server = (struct server){.folder = "/tmp/ck-turn-XXXXXX",
                             .secret = "5f3c9b1e77aa40d2b6c80e4d1f2a9c63"};
    if (mkdtemp(server.folder) == NULL || access(TURNSERVER, X_OK) != 0 ||
        !make_certificate(&server)) {
        return -1;
    }
    server.port = free_port();
    server.tls_port = free_port();
    snprintf(path, sizeof path, "%s/conf", server.folder);
    write_configuration(&server, path);
    server.pid = fork();
    if (server.pid == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL ||
            freopen("/dev/null", "w", stderr) == NULL) {
            _exit(127);
        }
        execl(TURNSERVER, TURNSERVER, "-c", path, (char *)NULL);
        _exit(127);
    }
    *state = &server;
    for (int waited = 0; waited < START_MS; waited += TRY_MS) {
        if (answers(server.port)) {
            return 0;
        }
        poll(NULL, 0, TRY_MS); /* refused at once where nobody listens yet */
    }
    return -1;
}

static int stop_server(void **state)
{
    struct server *server = *state;
    char command[128];
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    snprintf(command, sizeof command, "rm -rf %s", server->folder);
    return system(command);
}

/* --- messages ---------------------------------------------------------------------------------
 */

static void begin(struct message *message, struct visitor *visitor, uint16_t type)
{
    memset(message, 0, sizeof *message);
    ck_put_u16(message->bytes, type);
    ck_put_u32(message->bytes + 4, COOKIE);
    message->bytes[8] = ++visitor->id;
    message->size = HEADER;
}

static void put(struct message *message, uint16_t type, const void *value, size_t size)
{
    uint8_t *at = message->bytes + message->size;
    assert_true(message->size + 4 + size + 3 <= MESSAGE_MAX);
    ck_put_u16(at, type);
    ck_put_u16(at + 2, (uint16_t)size);
    memcpy(at + 4, value, size);
    message->size += 4 + (size + 3) / 4 * 4;
    ck_put_u16(message->bytes + 2, (uint16_t)(message->size - HEADER));
}

static void put_peer(struct message *message, const char *address, uint16_t port)
{
    uint8_t value[20] = {0, 1};
    size_t size = strchr(address, ':') == NULL ? 4 : 16;
    assert_int_equal(inet_pton(size == 4 ? AF_INET : AF_INET6, address, value + 4), 1);
    value[1] = size == 4 ? 1 : 2;
    ck_put_u16(value + 2, (uint16_t)(port ^ COOKIE >> 16));
    for (size_t i = 0; i < size; i++) { /* the cookie and the number are neighbours in the header */
        value[4 + i] ^= message->bytes[4 + i];
    }
    put(message, PEER_ADDRESS, value, 4 + size);
}

/* Long-term credentials: RFC 8489 section 9.2. */
static void put_proof(struct message *message, const struct visitor *visitor)
{
    uint8_t key[16];
    uint8_t tag[20];
    unsigned length = sizeof tag;
    char text[3 * TEXT_MAX];
    put(message, USERNAME, visitor->username, strlen(visitor->username));
    put(message, REALM, visitor->realm, strlen(visitor->realm));
    put(message, NONCE, visitor->nonce, strlen(visitor->nonce));
    int size = snprintf(text, sizeof text, "%s:%s:%s", visitor->username, visitor->realm,
                        visitor->password);
    assert_int_equal(EVP_Digest(text, (size_t)size, key, NULL, EVP_md5(), NULL), 1);
    ck_put_u16(message->bytes + 2, (uint16_t)(message->size - HEADER + 4 + sizeof tag));
    HMAC(EVP_sha1(), key, sizeof key, message->bytes, message->size, tag, &length);
    put(message, MESSAGE_INTEGRITY, tag, sizeof tag);
}

static void take_text(const struct message *message, uint16_t type, char text[static TEXT_MAX])
{
    for (size_t at = HEADER; at + 4 <= message->size;) {
        size_t size = ck_get_u16(message->bytes + at + 2);
        if (ck_get_u16(message->bytes + at) == type && size < TEXT_MAX) {
            memcpy(text, message->bytes + at + 4, size);
            text[size] = '\0';
        }
        at += 4 + (size + 3) / 4 * 4;
    }
}

/* Sends, and waits for the answer to that: 0 where it is a success, else its code. */
static unsigned ask(struct visitor *visitor, const struct message *message)
{
    struct message answer;
    struct ck_tstun_seen seen;
    unsigned type = ck_get_u16(message->bytes);
    struct pollfd ready = {.fd = visitor->fd, .events = POLLIN};
    assert_int_equal(send(visitor->fd, message->bytes, message->size, 0), message->size);
    for (;;) {
        if (poll(&ready, 1, ANSWER_MS) != 1) {
            fail_msg("no answer to a request of type %04x", type);
        }
        ssize_t size = recv(visitor->fd, answer.bytes, sizeof answer.bytes, 0);
        assert_true(size >= HEADER);
        answer.size = (size_t)size;
        if (memcmp(answer.bytes + 8, message->bytes + 8, 12) == 0) {
            break;
        }
    }
    memset(&seen, 0, sizeof seen);
    assert_int_equal(ck_tstun_read(answer.bytes, answer.size, NULL, &seen), 0);
    take_text(&answer, REALM, visitor->realm);
    take_text(&answer, NONCE, visitor->nonce);
    if (seen.type == (type | SUCCESS_BIT)) {
        return 0;
    }
    assert_int_equal(seen.type, type | ERROR_BIT);
    assert_true(seen.error_code >= 300);
    return seen.error_code;
}

/* --- a visitor --------------------------------------------------------------------------------
 */

/* The REST scheme, as the daemon gives credentials out. */
static void credentials(struct visitor *visitor, const char *username, const char *secret)
{
    uint8_t tag[20];
    unsigned length = sizeof tag;
    snprintf(visitor->username, sizeof visitor->username, "%s", username);
    HMAC(EVP_sha1(), secret, (int)strlen(secret), (const uint8_t *)username, strlen(username), tag,
         &length);
    EVP_EncodeBlock((uint8_t *)visitor->password, tag, (int)length);
}

static void come(struct visitor *visitor, const struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *visitor = (struct visitor){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    assert_true(visitor->fd >= 0);
    assert_int_equal(connect(visitor->fd, (struct sockaddr *)&address, sizeof address), 0);
}

/* Asks for a relayed address: first without a name, which brings realm and nonce. */
static unsigned allocate(struct visitor *visitor, bool v6)
{
    static const uint8_t udp[4] = {17};
    static const uint8_t family[4] = {2};
    struct message message;
    for (unsigned round = 0;; round++) {
        begin(&message, visitor, ALLOCATE);
        put(&message, TRANSPORT, udp, sizeof udp);
        if (v6) {
            put(&message, ADDRESS_FAMILY, family, sizeof family);
        }
        if (round == 1) {
            put_proof(&message, visitor);
            return ask(visitor, &message);
        }
        unsigned code = ask(visitor, &message);
        if (code == MISMATCH) {
            return code;
        }
        assert_int_equal(code, 401);
        assert_true(visitor->nonce[0] != '\0');
    }
}

static unsigned permit(struct visitor *visitor, const char *peer)
{
    struct message message;
    begin(&message, visitor, PERMIT);
    put_peer(&message, peer, 0);
    put_proof(&message, visitor);
    return ask(visitor, &message);
}

static unsigned bind_channel(struct visitor *visitor, const char *peer, uint16_t port)
{
    static const uint8_t number[4] = {0x40};
    struct message message;
    begin(&message, visitor, BIND_CHANNEL);
    put(&message, CHANNEL_NUMBER, number, sizeof number);
    put_peer(&message, peer, port);
    put_proof(&message, visitor);
    return ask(visitor, &message);
}

static void send_to(struct visitor *visitor, const char *peer, uint16_t port, const char *text)
{
    struct message message;
    begin(&message, visitor, SEND);
    put_peer(&message, peer, port);
    put(&message, DATA, text, strlen(text));
    assert_int_equal(send(visitor->fd, message.bytes, message.size, 0), message.size);
}

static void with_good_credentials(struct visitor *visitor, const struct server *server)
{
    char username[TEXT_MAX];
    come(visitor, server);
    snprintf(username, sizeof username, "%lld:checkind", (long long)time(NULL) + 3600);
    credentials(visitor, username, server->secret);
}

/* Who listens at a peer's address. */
static int listen_at(const char *address, uint16_t *port)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t size = sizeof own;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(inet_pton(AF_INET, address, &own.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
    *port = ntohs(own.sin_port);
    return fd;
}

/* --- the tests --------------------------------------------------------------------------------
 */

static void turn_refuses_credentials_that_are_over_or_forged(void **state)
{
    const struct server *server = *state;
    char text[TEXT_MAX];
    const struct {
        const char *what;
        long long lifetime_s;
        const char *name; /* behind the time; NULL: no time at all */
        const char *secret;
        unsigned code;
    } cases[] = {
        {"good", 3600, ":checkind", server->secret, 0},
        {"over for a minute", -60, ":checkind", server->secret, 401},
        {"over for a day", -86400, ":checkind", server->secret, 401},
        {"of another secret", 3600, ":checkind", "another secret", 401},
        {"of no secret", 3600, ":checkind", "", 401},
        {"without an end", 0, NULL, server->secret, 401},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visitor visitor;
        come(&visitor, server);
        snprintf(text, sizeof text, "%lld%s", (long long)time(NULL) + cases[i].lifetime_s,
                 cases[i].name == NULL ? "" : cases[i].name);
        credentials(&visitor, cases[i].name == NULL ? "checkind" : text, cases[i].secret);
        unsigned code = allocate(&visitor, false);
        if (code != cases[i].code) {
            fail_msg("%s: %u, not %u", cases[i].what, code, cases[i].code);
        }
        close(visitor.fd);
    }
}

/* A true name with a later end: the password is of the old one. */
static void turn_refuses_a_longer_life_than_was_given(void **state)
{
    const struct server *server = *state;
    struct visitor visitor;
    with_good_credentials(&visitor, server);
    snprintf(visitor.username, sizeof visitor.username, "%lld:checkind",
             (long long)time(NULL) + 10 * 3600);
    assert_int_equal(allocate(&visitor, false), 401);
    close(visitor.fd);
}

static void turn_reaches_the_worker(void **state)
{
    const struct server *server = *state;
    struct visitor visitor;
    char got[16];
    uint16_t port;
    int worker = listen_at(WORKER_ADDRESS, &port);
    struct pollfd ready = {.fd = worker, .events = POLLIN};
    with_good_credentials(&visitor, server);
    assert_int_equal(allocate(&visitor, false), 0);
    assert_int_equal(permit(&visitor, WORKER_ADDRESS), 0);
    send_to(&visitor, WORKER_ADDRESS, port, "hello");
    assert_int_equal(poll(&ready, 1, ANSWER_MS), 1);
    assert_int_equal(recv(worker, got, sizeof got, 0), 5);
    assert_memory_equal(got, "hello", 5);
    assert_int_equal(bind_channel(&visitor, WORKER_ADDRESS, port), 0);
    close(worker);
    close(visitor.fd);
}

static void turn_refuses_every_other_peer(void **state)
{
    static const char *const peers[] = {
        "127.0.0.1",  "127.0.0.3",       "10.0.0.1",       "172.16.0.1", "192.168.1.1",
        "100.64.0.1", "169.254.169.254", "0.0.0.0",        "192.0.2.1",  "203.0.113.7",
        "198.18.0.1", "224.0.0.251",     "255.255.255.255"};
    const struct server *server = *state;
    struct visitor visitor;
    with_good_credentials(&visitor, server);
    assert_int_equal(allocate(&visitor, false), 0);
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        unsigned permitted = permit(&visitor, peers[i]);
        unsigned bound = bind_channel(&visitor, peers[i], 9);
        if (permitted != 403 || bound != 403) {
            fail_msg("%s: permission %u, channel %u", peers[i], permitted, bound);
        }
    }
    close(visitor.fd);
}

static void turn_refuses_every_peer_of_ipv6(void **state)
{
    static const char *const peers[] = {"::1",     "::",          "fd00::1",
                                        "fe80::1", "2001:db8::1", "::ffff:127.0.0.1"};
    const struct server *server = *state;
    struct visitor visitor;
    with_good_credentials(&visitor, server);
    assert_int_equal(allocate(&visitor, true), 0);
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        unsigned permitted = permit(&visitor, peers[i]);
        unsigned bound = bind_channel(&visitor, peers[i], 9);
        if (permitted != 403 || bound != 403) {
            fail_msg("%s: permission %u, channel %u", peers[i], permitted, bound);
        }
    }
    close(visitor.fd);
}

/* Nothing gets to a service of this machine, whatever a browser sends without asking. What does
 * arrive behind it shows that it was not merely slow. */
static void turn_carries_nothing_to_a_refused_peer(void **state)
{
    const struct server *server = *state;
    struct visitor visitor;
    char got[16];
    uint16_t port;
    uint16_t worker_port;
    int service = listen_at("127.0.0.1", &port);
    int worker = listen_at(WORKER_ADDRESS, &worker_port);
    struct pollfd ready = {.fd = worker, .events = POLLIN};
    with_good_credentials(&visitor, server);
    assert_int_equal(allocate(&visitor, false), 0);
    assert_int_equal(permit(&visitor, WORKER_ADDRESS), 0);
    assert_int_equal(permit(&visitor, "127.0.0.1"), 403);
    for (unsigned i = 0; i < 20; i++) {
        send_to(&visitor, "127.0.0.1", port, "GET /");
    }
    send_to(&visitor, WORKER_ADDRESS, worker_port, "last");
    assert_int_equal(poll(&ready, 1, ANSWER_MS), 1);
    assert_int_equal(recv(service, got, sizeof got, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    close(service);
    close(worker);
    close(visitor.fd);
}

/* ---- the daemon's own question ---- */

/* Two names that are known here alone: one whose look-up is slow, and one with two addresses of
 * which the first is a socket that never answers. */
int __real_getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list);
int __wrap_getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list);
static char silent_port[8];

int __wrap_getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list)
{
    if (strcmp(name, "slow.example") == 0) {
        poll(NULL, 0, LOOKUP_MS);
        return __real_getaddrinfo("127.0.0.1", port, hints, list);
    }
    if (strcmp(name, "two.example") == 0) {
        int error = __real_getaddrinfo("127.0.0.1", silent_port, hints, list);
        return error != 0 ? error : __real_getaddrinfo("127.0.0.1", port, hints, &(*list)->ai_next);
    }
    return __real_getaddrinfo(name, port, hints, list);
}

static void own_credentials(char *user, char *password)
{
    const char *secret = "5f3c9b1e77aa40d2b6c80e4d1f2a9c63";
    assert_int_equal(ck_turn_credentials((struct ck_slice){secret, strlen(secret)},
                                         (int64_t)time(NULL) + 60, CK_TURN_OWN_NAME, user,
                                         password),
                     0);
}

static bool daemon_gets_in(const char *host, uint16_t port, const char *tail, const char *password)
{
    static char user[CK_TURN_USER_SIZE], good[CK_TURN_PASSWORD_SIZE];
    char url[96], detail[CK_TURN_DETAIL_SIZE];
    own_credentials(user, good);
    snprintf(url, sizeof url, "%s:%u%s", host, port, tail);
    bool in = ck_turn_answers(url, user, password == NULL ? good : password, ANSWER_MS, detail) ==
              CK_TURN_GIVES;
    if (in == (*detail != '\0')) {
        fail_msg("%s: %d, %s", url, in, detail);
    }
    return in;
}

static void turn_gives_the_daemon_an_address(void **state)
{
    const struct server *server = *state;
    assert_true(daemon_gets_in("turn:127.0.0.1", server->port, "", NULL));
    assert_true(daemon_gets_in("turn:127.0.0.1", server->port, "?transport=udp", NULL));
    assert_true(daemon_gets_in("turn:127.0.0.1", server->port, "?transport=tcp", NULL));
    assert_true(daemon_gets_in("turns:localhost", server->tls_port, "", NULL));
    assert_true(daemon_gets_in("turns:localhost", server->tls_port, "?transport=tcp", NULL));
    assert_true(daemon_gets_in("turns:localhost", server->tls_port, "?transport=udp", NULL));
}

static void turn_that_gives_none_is_told(void **state)
{
    const struct server *server = *state;
    uint16_t port = 0;
    int silent = listen_at("127.0.0.1", &port); /* by datagrams, and never answers */
    assert_false(
        daemon_gets_in("turn:127.0.0.1", server->port, "", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    assert_false(
        daemon_gets_in("turns:127.0.0.1", server->tls_port, "", NULL)); /* another's name */
    assert_false(daemon_gets_in("turn:127.0.0.1", free_port(), "", NULL));
    assert_false(daemon_gets_in("turn:127.0.0.1", free_port(), "?transport=tcp", NULL));
    assert_false(daemon_gets_in("turn:127.0.0.1", port, "", NULL));
    assert_false(daemon_gets_in("turns:127.0.0.1", port, "?transport=udp", NULL));
    assert_false(daemon_gets_in("turn:no.such.name.invalid", server->port, "", NULL));
    close(silent);
}

static void turn_is_asked_after_the_name_was_looked_up(void **state)
{
    const struct server *server = *state;
    char user[CK_TURN_USER_SIZE], password[CK_TURN_PASSWORD_SIZE], detail[CK_TURN_DETAIL_SIZE];
    char url[96];
    own_credentials(user, password);
    snprintf(url, sizeof url, "turn:slow.example:%u", server->port);
    assert_int_equal(ck_turn_answers(url, user, password, SILENT_MS, detail), CK_TURN_GIVES);
}

static void turn_is_asked_at_each_address(void **state)
{
    const struct server *server = *state;
    char user[CK_TURN_USER_SIZE], password[CK_TURN_PASSWORD_SIZE], detail[CK_TURN_DETAIL_SIZE];
    char url[96];
    uint16_t port = 0;
    int silent = listen_at("127.0.0.1", &port);
    snprintf(silent_port, sizeof silent_port, "%u", port);
    own_credentials(user, password);
    snprintf(url, sizeof url, "turn:two.example:%u", server->port);
    assert_int_equal(ck_turn_answers(url, user, password, SILENT_MS, detail), CK_TURN_GIVES);
    assert_string_equal(detail, "");
    snprintf(url, sizeof url, "turn:two.example:%u", port);
    assert_int_equal(ck_turn_answers(url, user, password, SILENT_MS, detail), CK_TURN_SILENT);
    close(silent);
}

static void turn_of_one_kind_stands_in_for_a_dead_one(void **state)
{
    const struct server *server = *state;
    char user[CK_TURN_USER_SIZE], password[CK_TURN_PASSWORD_SIZE];
    char detail[CK_TURN_ROUND_DETAIL_SIZE], dead[96], good[96], other[96];
    const char *urls[] = {dead, dead, good, other};
    uint16_t port = 0;
    int silent = listen_at("127.0.0.1", &port);
    own_credentials(user, password);
    snprintf(dead, sizeof dead, "turn:127.0.0.1:%u", port);
    snprintf(good, sizeof good, "turn:127.0.0.1:%u", server->port);
    snprintf(other, sizeof other, "turn:127.0.0.1:%u?transport=tcp", free_port());
    assert_int_equal(ck_turn_round(urls, 3, user, password, SILENT_MS, detail), CK_TURN_GIVES);
    assert_int_equal(ck_turn_round(urls, 2, user, password, SILENT_MS, detail), CK_TURN_SILENT);
    assert_int_equal(strncmp(detail, dead, strlen(dead)), 0);
    assert_int_equal(ck_turn_round(urls, 4, user, password, SILENT_MS, detail), CK_TURN_SILENT);
    close(silent);
}

/* A round has its time for every server, and one that is silent is no fault yet. */
static void one_silent_round_is_no_fault(void **state)
{
    (void)state;
    unsigned silent = 0;
    assert_true(ck_turn_round_ms(2, 2000) >= 2 * (CK_TURN_LOOKUP_MS + 2000));
    assert_true(ck_turn_judge(CK_TURN_SILENT, &silent));
    assert_true(ck_turn_judge(CK_TURN_GIVES, &silent));
    assert_true(ck_turn_judge(CK_TURN_SILENT, &silent));
    assert_false(ck_turn_judge(CK_TURN_SILENT, &silent));
    assert_false(ck_turn_judge(CK_TURN_SILENT, &silent));
    assert_true(ck_turn_judge(CK_TURN_FULL, &silent));
    assert_true(ck_turn_judge(CK_TURN_SILENT, &silent));
}

static void names_are_of_one_user_each(void **state)
{
    (void)state;
    const struct ck_slice secret = {"5f3c9b1e77aa40d2", 16};
    char person[CK_TURN_NAME_SIZE], again[CK_TURN_NAME_SIZE], next[CK_TURN_NAME_SIZE];
    char staff[CK_TURN_NAME_SIZE];
    assert_int_equal(ck_turn_name(secret, false, 17, person), 0);
    assert_int_equal(ck_turn_name(secret, false, 17, again), 0);
    assert_int_equal(ck_turn_name(secret, false, 18, next), 0);
    assert_int_equal(ck_turn_name(secret, true, 17, staff), 0);
    assert_int_equal(strlen(person), CK_TURN_NAME_SIZE - 1);
    assert_string_equal(person, again);
    assert_string_not_equal(person, next);
    assert_string_not_equal(person, staff);
}

/* Takes addresses under a name, each time with an end of its own, until there are no more. An end
 * on the port of an earlier one is that one to the server (437, RFC 8656 section 7.2): another one
 * comes in its place. */
static unsigned take_all(const struct server *server, const char *name, unsigned most)
{
    unsigned taken = 0, code = 0;
    while ((code == 0 || code == MISMATCH) && taken < most) {
        struct visitor visitor;
        char username[TEXT_MAX];
        come(&visitor, server);
        snprintf(username, sizeof username, "%lld:%s", (long long)time(NULL) + 3600 + taken, name);
        credentials(&visitor, username, server->secret);
        code = allocate(&visitor, false);
        taken += code == 0;
        close(visitor.fd);
    }
    if (code != 0 && code != 486 && code != 508) { /* no more for this name, or for anybody */
        fail_msg("%s: after %u addresses error %u", name, taken, code);
    }
    return taken;
}

/* Whoever takes what is to be had takes it from nobody else; and where all is taken, the server is
 * full and not dead. The last test: what was taken stays so for ten minutes. */
static void turn_that_is_full_is_told_from_a_dead_one(void **state)
{
    const struct server *server = *state;
    char user[CK_TURN_USER_SIZE], password[CK_TURN_PASSWORD_SIZE], detail[CK_TURN_DETAIL_SIZE];
    char url[96], name[16];
    own_credentials(user, password);
    snprintf(url, sizeof url, "turn:127.0.0.1:%u", server->port);
    assert_int_equal(take_all(server, "greedy", ADDRESSES), USER_ADDRESSES);
    assert_int_equal(ck_turn_answers(url, user, password, ANSWER_MS, detail), CK_TURN_GIVES);
    for (unsigned i = 0, taken = 1; taken > 0; i++) {
        assert_true(i < ADDRESSES);
        snprintf(name, sizeof name, "crowd%u", i);
        taken = take_all(server, name, ADDRESSES);
    }
    for (int waited = 0; ck_turn_answers(url, user, password, ANSWER_MS, detail) == CK_TURN_GIVES;
         waited += TRY_MS) { /* one that was given back is counted for a second more */
        assert_true(waited < START_MS);
        take_all(server, "last", 1);
        poll(NULL, 0, TRY_MS);
    }
    assert_int_equal(ck_turn_answers(url, user, password, ANSWER_MS, detail), CK_TURN_FULL);
    assert_true(*detail != '\0');
}

/* The server counts an address for a second longer than it is kept; one that is not given back, for
 * ten minutes. */
static void turn_gets_its_address_back(void **state)
{
    const struct server *server = *state;
    struct visitor visitor;
    unsigned refused = 0;
    for (int i = 0; i < ADDRESSES && refused == 0; i++) {
        refused = !daemon_gets_in("turn:127.0.0.1", server->port, "", NULL);
    }
    assert_int_equal(refused, 1);
    for (int waited = 0; refused != 0 && waited < START_MS; waited += TRY_MS) {
        with_good_credentials(&visitor, server);
        refused = allocate(&visitor, false);
        close(visitor.fd);
        poll(NULL, 0, TRY_MS);
    }
    assert_int_equal(refused, 0);
}

static void ways_in_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(ck_turn_kind("turn:a.example"),
                     ck_turn_kind("turn:b.example:1?transport=udp"));
    assert_int_equal(ck_turn_kind("turns:a.example"),
                     ck_turn_kind("turns:[2001:db8::1]:443?transport=tcp"));
    assert_true(ck_turn_kind("turn:a.example") != ck_turn_kind("turn:a.example?transport=tcp"));
    assert_true(ck_turn_kind("turn:a.example?transport=tcp") != ck_turn_kind("turns:a.example"));
    assert_true(ck_turn_kind("turns:a.example") != ck_turn_kind("turns:a.example?transport=udp"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turn_refuses_credentials_that_are_over_or_forged),
        cmocka_unit_test(turn_refuses_a_longer_life_than_was_given),
        cmocka_unit_test(turn_reaches_the_worker),
        cmocka_unit_test(turn_refuses_every_other_peer),
        cmocka_unit_test(turn_refuses_every_peer_of_ipv6),
        cmocka_unit_test(turn_carries_nothing_to_a_refused_peer),
        cmocka_unit_test(turn_gives_the_daemon_an_address),
        cmocka_unit_test(turn_that_gives_none_is_told),
        cmocka_unit_test(turn_gets_its_address_back),
        cmocka_unit_test(ways_in_are_told_apart),
        cmocka_unit_test(turn_is_asked_after_the_name_was_looked_up),
        cmocka_unit_test(turn_is_asked_at_each_address),
        cmocka_unit_test(turn_of_one_kind_stands_in_for_a_dead_one),
        cmocka_unit_test(one_silent_round_is_no_fault),
        cmocka_unit_test(names_are_of_one_user_each),
        cmocka_unit_test(turn_that_is_full_is_told_from_a_dead_one),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
