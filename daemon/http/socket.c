/* WebSockets: the check of an upgrade, whole messages in, a bounded queue out, pings, goodbye. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "daemon/http/server_impl.h"
#include "daemon/http/syntax.h"
#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define GOODBYE_MS 5000 /* for what is queued and the close frame */
#define UNHEARD_MAX                                                                                \
    (256u << 10)     /* bytes meanwhile: what may have been on the way, and no flood               \
                      */
#define FRAME_HEAD 6 /* of a frame from a browser, at least */

static void forget_queue(struct ck_http_socket *socket)
{
    while (socket->first != NULL) {
        struct out_message *next = socket->first->next;
        free(socket->first);
        socket->first = next;
    }
    socket->last = &socket->first;
    socket->queued = 0;
}

static void socket_free(struct ck_http_socket *socket)
{
    forget_queue(socket);
    free(socket->cookies);
    free(socket->user_agent);
    free(socket->in);
    free(socket);
}

static const struct ck_http_endpoint *endpoint_of(struct connection *connection)
{
    struct ck_http *http = connection->http;
    char *path;
    int size;
    if (lws_http_get_uri_and_method(connection->wsi, &path, &size) != LWSHUMETH_GET) {
        return NULL;
    }
    for (size_t i = 0; i < http->handlers.endpoint_count; i++) {
        if (strlen(http->endpoints[i].path) == (size_t)size &&
            memcmp(http->endpoints[i].path, path, (size_t)size) == 0) {
            return &http->endpoints[i];
        }
    }
    return NULL;
}

/* 0 and connection->upgrading, or the status to refuse with. */
static unsigned check_upgrade(struct connection *connection, const char *protocol)
{
    struct lws *wsi = connection->wsi;
    const struct ck_http_endpoint *endpoint = endpoint_of(connection);
    if (strcasecmp(protocol, "websocket") != 0) {
        return 400;
    }
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0 ||
        lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0) {
        return 400;
    }
    unsigned status = ck_http_check_host(connection, true, true);
    if (status != 0) {
        return status;
    }
    if (endpoint == NULL) {
        return 404;
    }
    ck_cleanup(ck_freep) char *version = NULL;
    if (ck_http_header_copy(wsi, WSI_TOKEN_VERSION, 8, &version) != 0 ||
        strcmp(version, "13") != 0 || lws_hdr_total_length(wsi, WSI_TOKEN_KEY) != 24 ||
        lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 0) {
        return 400;
    }
    struct ck_http_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL) {
        return 503;
    }
    socket->connection = connection;
    socket->endpoint = endpoint;
    socket->last = &socket->first;
    int cookies =
        ck_http_header_copy(wsi, WSI_TOKEN_HTTP_COOKIE, CK_HTTP_COOKIES_MAX, &socket->cookies);
    int agent = ck_http_header_copy(wsi, WSI_TOKEN_HTTP_USER_AGENT, CK_HTTP_HEADER_VALUE_MAX,
                                    &socket->user_agent);
    bool admitted = ck_http_admit(connection, socket->address);
    if (!admitted || cookies == CK_E_LIMIT || agent == CK_E_LIMIT || cookies < 0 || agent < 0) {
        socket_free(socket);
        return !admitted ? 429 : 431;
    }
    connection->upgrading = socket;
    return 0;
}

int ck_http_socket_upgrade(struct connection *connection, const char *protocol)
{
    unsigned status = check_upgrade(connection, protocol);
    if (status == 0) {
        return 0;
    }
    connection->http->counts.malformed++;
    return ck_http_answer_raw(connection->wsi, status);
}

int ck_http_socket_established(struct connection *connection)
{
    struct ck_http *http = connection->http;
    struct ck_http_socket *socket = connection->upgrading;
    if (socket == NULL) {
        return -1;
    }
    connection->upgrading = NULL;
    connection->socket = socket;
    http->counts.sockets++;
    http->counts.sockets_open++;
    socket->pinged = socket->heard = ck_http_now(http);
    ck_http_phase(connection, PHASE_SOCKET, 0);
    lws_set_timeout(connection->wsi, NO_PENDING_TIMEOUT, 0);
    lws_rx_flow_control(connection->wsi, 0);
    socket->endpoint->open(http->handlers.user, socket);
    free(socket->cookies);
    socket->cookies = NULL;
    return 0;
}

static int refuse(struct connection *connection, unsigned code)
{
    connection->http->counts.malformed++;
    ck_http_socket_close(connection->socket, code, "");
    return 0;
}

int ck_http_socket_receive(struct connection *connection, const void *data, size_t size)
{
    struct ck_http_socket *socket = connection->socket;
    if (socket == NULL) {
        return 0;
    }
    if (socket->closing) {
        socket->unheard += size + FRAME_HEAD;
        return socket->unheard > UNHEARD_MAX ? -1 : 0;
    }
    if (lws_frame_is_binary(connection->wsi)) {
        return refuse(connection, CK_HTTP_CLOSE_UNSUPPORTED);
    }
    if (size > socket->endpoint->message_max - socket->in_size) {
        return refuse(connection, CK_HTTP_CLOSE_TOO_BIG);
    }
    char *grown = realloc(socket->in, socket->in_size + size + 1);
    if (grown == NULL) {
        return refuse(connection, CK_HTTP_CLOSE_OVERLOAD);
    }
    socket->in = grown;
    memcpy(grown + socket->in_size, data, size);
    socket->in_size += size;
    grown[socket->in_size] = '\0';
    if (!lws_is_final_fragment(connection->wsi)) {
        return 0;
    }
    ck_cleanup(ck_freep) char *text = ck_take(socket->in);
    size_t text_size = socket->in_size;
    socket->in_size = 0;
    struct ck_http *http = connection->http;
    socket->endpoint->message(http->handlers.user, socket, text, text_size);
    return 0;
}

static int write_first(struct connection *connection, struct ck_http_socket *socket)
{
    struct out_message *message = socket->first;
    socket->first = message->next;
    if (socket->first == NULL) {
        socket->last = &socket->first;
    }
    socket->queued -= message->size;
    int result =
        lws_write(connection->wsi, message->bytes + LWS_PRE, message->size, LWS_WRITE_TEXT);
    free(message);
    return result < 0 ? -1 : 0;
}

/* The close frame by hand (RFC 6455 section 5.5.1): on libuv, libwebsockets closes before its own
 * is out. The peer's answer, or its silence for GOODBYE_MS, ends the connection. */
static int write_goodbye(struct connection *connection, struct ck_http_socket *socket)
{
    uint8_t room[LWS_PRE + 4 + sizeof socket->close_reason];
    size_t size = strlen(socket->close_reason); /* at most 123, so that the short form does */
    struct ck_writer frame = ck_writer_of(room + LWS_PRE, sizeof room - LWS_PRE);
    ck_write_u8(&frame, 0x88);
    ck_write_u8(&frame, (uint8_t)(2 + size));
    ck_write_u16(&frame, (uint16_t)socket->close_code);
    ck_write_bytes(&frame, socket->close_reason, size);
    socket->said_goodbye = true;
    return lws_write(connection->wsi, frame.data, frame.size, LWS_WRITE_RAW) < 0 ? -1 : 0;
}

int ck_http_socket_writable(struct connection *connection)
{
    struct ck_http_socket *socket = connection->socket;
    if (socket == NULL) {
        return 0;
    }
    if (socket->ping_due && !socket->closing) {
        uint8_t room[LWS_PRE + 4] = {0}; /* some payload: of an empty pong we would not be told */
        socket->ping_due = false;
        if (lws_write(connection->wsi, room + LWS_PRE, 4, LWS_WRITE_PING) < 0) {
            return -1;
        }
    } else if (socket->first != NULL) {
        if (write_first(connection, socket) != 0) {
            return -1;
        }
    } else if (socket->closing && !socket->said_goodbye) {
        return write_goodbye(connection, socket);
    }
    if (socket->first != NULL || (socket->closing && !socket->said_goodbye)) {
        lws_callback_on_writable(connection->wsi);
    }
    return 0;
}

/* The peer closes, or answers our close frame; in that case there is nothing to answer. */
int ck_http_socket_peer_closes(struct connection *connection)
{
    return connection->socket != NULL && connection->socket->said_goodbye ? -1 : 0;
}

void ck_http_socket_gone(struct connection *connection)
{
    struct ck_http *http = connection->http;
    if (connection->upgrading != NULL) {
        socket_free(connection->upgrading);
        connection->upgrading = NULL;
    }
    struct ck_http_socket *socket = connection->socket;
    if (socket == NULL) {
        return;
    }
    connection->socket = NULL;
    socket->connection = NULL;
    http->counts.sockets_open--;
    socket->endpoint->close(http->handlers.user, socket);
    socket_free(socket);
}

void ck_http_socket_sweep(struct connection *connection, struct ck_mono now)
{
    struct ck_http_socket *socket = connection->socket;
    if (socket == NULL) {
        return;
    }
    if (now.us - socket->heard.us >= INT64_C(1000) * CK_HTTP_PONG_MS) {
        connection->http->counts.timed_out++;
        ck_http_phase(connection, PHASE_CLOSING, INT32_MAX);
        ck_http_kill(connection);
    } else if (now.us - socket->pinged.us >= INT64_C(1000) * CK_HTTP_PING_MS) {
        socket->pinged = now;
        socket->ping_due = true;
        lws_callback_on_writable(connection->wsi);
    }
}

/* ---- what the owner of a socket does ---- */

const char *ck_http_socket_address(const struct ck_http_socket *socket)
{
    return socket->address;
}

const char *ck_http_socket_user_agent(const struct ck_http_socket *socket)
{
    return socket->user_agent == NULL ? "" : socket->user_agent;
}

int ck_http_socket_cookie(const struct ck_http_socket *socket, const char *name, char *value,
                          size_t capacity)
{
    return socket->cookies == NULL ? CK_E_NOT_FOUND
                                   : ck_http_cookie_value(socket->cookies, name, value, capacity);
}

void ck_http_socket_set_context(struct ck_http_socket *socket, void *context)
{
    socket->context = context;
}

void *ck_http_socket_context(const struct ck_http_socket *socket)
{
    return socket->context;
}

void ck_http_socket_start(struct ck_http_socket *socket)
{
    if (!socket->started && !socket->closing) {
        socket->started = true;
        lws_rx_flow_control(socket->connection->wsi, 1);
    }
}

void ck_http_socket_send(struct ck_http_socket *socket, const char *text, size_t size)
{
    if (socket->closing) {
        return;
    }
    struct out_message *message = NULL;
    if (size <= CK_HTTP_SOCKET_QUEUE_MAX - socket->queued) {
        message = malloc(sizeof *message + LWS_PRE + size);
    }
    if (message == NULL) {
        socket->connection->http->counts.overflowed++;
        forget_queue(socket); /* of no use to a peer that does not read */
        ck_http_socket_close(socket, CK_HTTP_CLOSE_OVERLOAD, "too much waits to be read");
        return;
    }
    message->next = NULL;
    message->size = size;
    memcpy(message->bytes + LWS_PRE, text, size);
    *socket->last = message;
    socket->last = &message->next;
    socket->queued += size;
    lws_callback_on_writable(socket->connection->wsi);
}

void ck_http_socket_close(struct ck_http_socket *socket, unsigned code, const char *reason)
{
    if (socket->closing) {
        return;
    }
    socket->closing = true;
    socket->close_code = code;
    snprintf(socket->close_reason, sizeof socket->close_reason, "%s", reason);
    ck_http_phase(socket->connection, PHASE_CLOSING, GOODBYE_MS);
    lws_rx_flow_control(socket->connection->wsi, 1); /* the peer's close frame is to be seen */
    lws_callback_on_writable(socket->connection->wsi);
}
