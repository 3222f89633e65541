#include "raw.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned server_port;

void clients_use_port(unsigned port)
{
    server_port = port;
}

/* ---- clients ---- */

struct client {
    int fd;
    SSL *tls;
    char *text;
    size_t size, room;
};

static SSL_CTX *client_context(void)
{
    static SSL_CTX *context;
    if (context == NULL) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    }
    return context;
}

struct client *client_open_bare(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server_port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct client *client = calloc(1, sizeof *client);
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval most = {.tv_sec = CLIENT_PATIENCE_MS / 1000};
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    if (connect(client->fd, (struct sockaddr *)&to, sizeof to) != 0) {
        client_close(client);
        return NULL;
    }
    return client;
}

bool client_say_bare(struct client *client, const void *bytes, size_t size)
{
    return send(client->fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

bool client_is_closed_bare(struct client *client, int ms)
{
    char waste[4096];
    struct pollfd wait = {.fd = client->fd, .events = POLLIN};
    while (poll(&wait, 1, ms) > 0) {
        if (recv(client->fd, waste, sizeof waste, 0) <= 0) {
            return true;
        }
    }
    return false;
}

static struct client *client_begin(const unsigned char *alpn, unsigned alpn_size)
{
    struct client *client = client_open_bare();
    if (client == NULL) {
        return NULL;
    }
    client->tls = SSL_new(client_context());
    SSL_set_fd(client->tls, client->fd);
    if (alpn != NULL) {
        SSL_set_alpn_protos(client->tls, alpn, alpn_size);
    }
    if (SSL_connect(client->tls) != 1) {
        ERR_clear_error();
        client_close(client);
        return NULL;
    }
    /* From now on without blocking: a session ticket makes the socket readable, yet gives no byte.
     */
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    return client;
}

/* Waits for what the session needs after `result`; false where it is broken or nothing comes in
 * time. */
static bool patience(struct client *client, int result, int ms, bool *closed)
{
    int error = SSL_get_error(client->tls, result);
    ERR_clear_error();
    *closed = error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
    struct pollfd wait = {.fd = client->fd,
                          .events = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN};
    return !*closed && poll(&wait, 1, ms) > 0;
}

struct client *client_open(void)
{
    return client_begin(NULL, 0);
}

const char *client_alpn(void)
{
    static char name[32];
    struct client *client = client_begin((const unsigned char *)"\x02h2\x08http/1.1", 12);
    const unsigned char *chosen = NULL;
    unsigned size = 0;
    if (client != NULL) {
        SSL_get0_alpn_selected(client->tls, &chosen, &size);
    }
    snprintf(name, sizeof name, "%.*s", (int)size, chosen == NULL ? "" : (const char *)chosen);
    client_close(client);
    return name;
}

void client_close(struct client *client)
{
    if (client == NULL) {
        return;
    }
    SSL_free(client->tls);
    close(client->fd);
    free(client->text);
    free(client);
}

bool client_send(struct client *client, const void *bytes, size_t size)
{
    while (size > 0) {
        int sent = SSL_write(client->tls, bytes, size > 16384 ? 16384 : (int)size);
        bool closed;
        if (sent <= 0) {
            if (!patience(client, sent, CLIENT_PATIENCE_MS, &closed)) {
                return false;
            }
            continue;
        }
        bytes = (const char *)bytes + sent;
        size -= (size_t)sent;
    }
    return true;
}

bool client_say(struct client *client, const char *text)
{
    return client_send(client, text, strlen(text));
}

/* Reads some bytes into the text; 0: closed, -1: nothing came in time. */
static int more(struct client *client, int ms)
{
    if (client->room - client->size < 65536 + 1) {
        client->room = client->room * 2 + 65536 + 1;
        client->text = realloc(client->text, client->room);
    }
    for (;;) {
        int got = SSL_read(client->tls, client->text + client->size, 65536);
        bool closed;
        if (got > 0) {
            client->size += (size_t)got;
            client->text[client->size] = '\0';
            return got;
        }
        if (!patience(client, got, ms, &closed)) {
            return closed ? 0 : -1;
        }
    }
}

static void restart(struct client *client)
{
    client->size = 0;
    if (client->text == NULL) {
        client->room = 65536 + 1;
        client->text = malloc(client->room);
    }
    client->text[0] = '\0';
}

const char *client_read_all(struct client *client, int ms, size_t *size)
{
    restart(client);
    while (more(client, ms) > 0) {
    }
    if (size != NULL) {
        *size = client->size;
    }
    return client->text;
}

static const char *find_header(const char *answer, const char *name)
{
    const char *end = strstr(answer, "\r\n\r\n");
    for (const char *line = strstr(answer, "\r\n"); line != NULL && line < end;
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, strlen(name)) == 0) {
            return line + 2 + strlen(name);
        }
    }
    return NULL;
}

const char *client_read_answer(struct client *client, size_t *size)
{
    restart(client);
    for (;;) {
        const char *end = strstr(client->text, "\r\n\r\n");
        if (end != NULL) {
            const char *length = find_header(client->text, "content-length: ");
            size_t whole =
                (size_t)(end + 4 - client->text) + (length == NULL ? 0 : (size_t)atol(length));
            if (client->size >= whole) {
                if (size != NULL) {
                    *size = whole;
                }
                return client->text;
            }
        }
        if (more(client, CLIENT_PATIENCE_MS) <= 0) {
            return "";
        }
    }
}

bool client_read(struct client *client, void *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        int got = SSL_read(client->tls, (char *)bytes + at, (int)(size - at));
        bool closed;
        if (got > 0) {
            at += (size_t)got;
        } else if (!patience(client, got, CLIENT_PATIENCE_MS, &closed)) {
            return false;
        }
    }
    return true;
}

bool client_is_closed(struct client *client, int ms)
{
    restart(client);
    int result;
    while ((result = more(client, ms)) > 0) {
    }
    return result == 0;
}

const char *ask(const char *text)
{
    static char *answer;
    free(answer);
    answer = NULL;
    struct client *client = client_open();
    if (client != NULL && client_say(client, text)) {
        const char *got = client_read_all(client, CLIENT_PATIENCE_MS, NULL);
        answer = strdup(got);
    }
    client_close(client);
    return answer == NULL ? "" : answer;
}

unsigned status_of(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? (unsigned)atoi(answer + 9) : 0;
}

const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end == NULL ? "" : end + 4;
}

/* ---- WebSockets ---- */

bool socket_upgrade(struct client *client, const char *path, const char *lines)
{
    char text[4096];
    snprintf(text, sizeof text,
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nOrigin: https://127.0.0.1:%u\r\n"
             "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
             path, server_port, server_port, lines);
    if (!client_say(client, text)) {
        return false;
    }
    /* Byte by byte: what follows the header block is a frame already. */
    char answer[2048];
    size_t size = 0;
    while (size < sizeof answer - 1 && client_read(client, answer + size, 1)) {
        answer[++size] = '\0';
        if (size >= 4 && memcmp(answer + size - 4, "\r\n\r\n", 4) == 0) {
            /* The accept value of RFC 6455 section 1.3. */
            return status_of(answer) == 101 &&
                   strstr(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != NULL;
        }
    }
    return false;
}

bool socket_send(struct client *client, unsigned fin_op, const void *payload, size_t size)
{
    uint8_t *frame = malloc(size + 14);
    size_t at = 0;
    frame[at++] = (uint8_t)fin_op;
    if (size < 126) {
        frame[at++] = (uint8_t)(0x80 | size);
    } else if (size < 65536) {
        frame[at++] = 0x80 | 126;
        frame[at++] = (uint8_t)(size >> 8);
        frame[at++] = (uint8_t)size;
    } else {
        frame[at++] = 0x80 | 127;
        for (int i = 7; i >= 0; i--) {
            frame[at++] = (uint8_t)((uint64_t)size >> (8 * i));
        }
    }
    static const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
    memcpy(frame + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < size; i++) {
        frame[at + i] = ((const uint8_t *)payload)[i] ^ mask[i % 4];
    }
    bool sent = client_send(client, frame, at + size);
    free(frame);
    return sent;
}

bool socket_say(struct client *client, const char *text)
{
    return socket_send(client, 0x81, text, strlen(text));
}

int socket_read_raw(struct client *client, char *payload, size_t capacity, size_t *size)
{
    uint8_t head[2], more_size[8];
    if (!client_read(client, head, 2)) {
        return -1;
    }
    uint64_t length = head[1] & 0x7f;
    size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (extra > 0) {
        if (!client_read(client, more_size, extra)) {
            return -1;
        }
        length = 0;
        for (size_t i = 0; i < extra; i++) {
            length = length << 8 | more_size[i];
        }
    }
    if (length >= capacity || !client_read(client, payload, (size_t)length)) {
        return -1;
    }
    payload[length] = '\0';
    if (size != NULL) {
        *size = (size_t)length;
    }
    return head[0] & 0x0f;
}

int socket_read(struct client *client, char *payload, size_t capacity, size_t *size)
{
    for (;;) {
        size_t got;
        int opcode = socket_read_raw(client, payload, capacity, &got);
        if (opcode == 9) {
            socket_send(client, 0x8a, payload, got);
            continue;
        }
        if (size != NULL) {
            *size = got;
        }
        return opcode;
    }
}

unsigned socket_read_close(struct client *client)
{
    static char payload[1 << 17];
    size_t size;
    int opcode;
    while ((opcode = socket_read(client, payload, sizeof payload, &size)) >= 0) {
        if (opcode == 8) {
            return size < 2 ? 1005 : (unsigned)((uint8_t)payload[0] << 8 | (uint8_t)payload[1]);
        }
    }
    return 0;
}
