/* Answers: headers, bodies, ranges and streams, written as the client takes them. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/http/server_impl.h"
#include "daemon/http/syntax.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define HEADERS_MAX 4096 /* bytes of an answer's header block */

/* On every answer. connect-src names no host: 'self' covers wss of the same host and port in every
 * browser that has WebRTC with unified plan. */
static const char strict_headers[] =
    "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    "strict-transport-security: max-age=31536000\r\n"
    "x-content-type-options: nosniff\r\n"
    "x-frame-options: DENY\r\n"
    "referrer-policy: no-referrer\r\n"
    "permissions-policy: camera=(self), microphone=(self), screen-wake-lock=(self), "
    "display-capture=(), geolocation=()\r\n"
    "cross-origin-opener-policy: same-origin\r\n"
    "cross-origin-resource-policy: same-origin\r\n";

static const char *reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {206, "Partial Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {421, "Misdirected Request"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Status";
}

/* Code of an ApiError for a status that the server itself refuses with. */
static const char *code_of(unsigned status)
{
    switch (status) {
    case 403:
    case 421:
        return "denied";
    case 404:
        return "not_found";
    case 413:
    case 414:
    case 431:
        return "limit";
    case 429:
        return "busy";
    case 503:
        return "unavailable";
    default:
        return "invalid";
    }
}

/* ---- the header block ---- */

struct block {
    char *at;
    size_t left;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void put(struct block *block, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int size = vsnprintf(block->at, block->left, format, list);
    va_end(list);
    if (size < 0 || (size_t)size >= block->left) {
        block->failed = true;
        return;
    }
    block->at += size;
    block->left -= (size_t)size;
}

/* A header value of ours can never end its line. */
static bool is_value(const char *value)
{
    return value[strcspn(value, "\r\n")] == '\0';
}

struct head {
    unsigned status;
    const char *type, *cache, *etag, *encoding;
    const struct ck_http_header *headers;
    size_t header_count;
    uint64_t length;
    bool has_range;
    uint64_t first, count, whole; /* of a 206; `whole` also of a 416 */
    bool keep_alive;
};

static void put_head(struct block *block, const struct head *head)
{
    put(block, "HTTP/1.1 %u %s\r\n", head->status, reason_of(head->status));
    put(block, "%s", strict_headers);
    put(block, "cache-control: %s\r\n", head->cache != NULL ? head->cache : "no-store");
    if (head->type != NULL) {
        put(block, "content-type: %s\r\n", head->type);
    }
    if (head->etag != NULL) {
        put(block, "etag: %s\r\nvary: accept-encoding\r\n", head->etag);
    }
    if (head->encoding != NULL) {
        put(block, "content-encoding: %s\r\n", head->encoding);
    }
    if (head->has_range) {
        put(block, "accept-ranges: bytes\r\n");
    }
    if (head->status == 206) {
        put(block, "content-range: bytes %llu-%llu/%llu\r\n", (unsigned long long)head->first,
            (unsigned long long)(head->first + head->count - 1), (unsigned long long)head->whole);
    } else if (head->status == 416) {
        put(block, "content-range: bytes */%llu\r\n", (unsigned long long)head->whole);
    } else if (head->status == 405) {
        put(block, "allow: GET, HEAD, POST\r\n");
    }
    for (size_t i = 0; i < head->header_count; i++) {
        assert(is_value(head->headers[i].value));
        put(block, "%s: %s\r\n", head->headers[i].name, head->headers[i].value);
    }
    if (head->status != 304 && head->status != 204) {
        put(block, "content-length: %llu\r\n", (unsigned long long)head->length);
    }
    put(block, "connection: %s\r\n\r\n", head->keep_alive ? "keep-alive" : "close");
}

static void go_on_soon(struct connection *connection);

/* Puts the head in front of what goes out and wakes the connection. */
static void launch(struct ck_http_request *request, struct head *head)
{
    struct connection *connection = request->connection;
    assert(!request->answered);
    if (connection == NULL) {
        ck_http_request_free(request);
        return;
    }
    head->keep_alive = request->keep_alive && !connection->http->stopping;
    request->keep_alive = head->keep_alive;
    request->headers = malloc(HEADERS_MAX);
    if (request->headers != NULL) {
        struct block block = {.at = request->headers, .left = HEADERS_MAX};
        put_head(&block, head);
        assert(!block.failed);
        request->headers_size = HEADERS_MAX - block.left;
    }
    request->answered = true;
    ck_http_phase(connection, PHASE_ANSWER, CK_HTTP_STALL_MS);
    go_on_soon(connection);
}

void ck_http_answer(struct ck_http_request *request, const struct ck_http_answer *answer)
{
    struct head head = {.status = answer->status,
                        .type = answer->type,
                        .cache = answer->cache,
                        .headers = answer->headers,
                        .header_count = answer->header_count,
                        .length = answer->size};
    if (answer->size > 0 && !request->head && request->connection != NULL) {
        request->out_owned = malloc(answer->size);
        if (request->out_owned == NULL) {
            head.status = 503;
            head.type = NULL;
            head.length = 0;
        } else {
            memcpy(request->out_owned, answer->body, answer->size);
            request->out = request->out_owned;
            request->out_size = answer->size;
        }
    }
    launch(request, &head);
}

static int error_body(unsigned status, char *body, size_t capacity)
{
    return snprintf(body, capacity,
                    "{\"error\":{\"code\":\"%s\",\"field\":null,\"message\":\"%s\"}}",
                    code_of(status), reason_of(status));
}

void ck_http_answer_status(struct ck_http_request *request, unsigned status)
{
    static const struct ck_http_header retry = {"retry-after", "2"};
    char body[160];
    struct ck_http_answer answer = {.status = status,
                                    .type = "application/json",
                                    .body = body,
                                    .size = (size_t)error_body(status, body, sizeof body),
                                    .headers = &retry,
                                    .header_count = status == 429 || status == 503};
    ck_http_answer(request, &answer);
}

int ck_http_answer_raw(struct lws *wsi, unsigned status)
{
    char body[160];
    char room[LWS_PRE + HEADERS_MAX];
    struct block block = {.at = room + LWS_PRE, .left = HEADERS_MAX};
    int size = error_body(status, body, sizeof body);
    struct head head = {.status = status, .type = "application/json", .length = (uint64_t)size};
    put_head(&block, &head);
    put(&block, "%s", body);
    assert(!block.failed);
    lws_write(wsi, (unsigned char *)room + LWS_PRE, HEADERS_MAX - block.left,
              LWS_WRITE_HTTP_HEADERS);
    return -1;
}

/* The part of `size` bytes that the request wants; false where there is none (416). */
static bool part_of(const struct ck_http_request *request, uint64_t size, struct head *head)
{
    const char *range = request->fields[CK_HTTP_RANGE];
    head->has_range = true;
    head->whole = size;
    head->first = 0;
    head->count = size;
    int result =
        range == NULL ? CK_E_NOT_FOUND : ck_http_range(range, size, &head->first, &head->count);
    head->status = result == 0 ? 206 : 200;
    if (result == CK_E_INVALID) {
        head->status = 416;
        head->type = NULL;
        head->count = 0;
    }
    head->length = head->count;
    return result != CK_E_INVALID;
}

void ck_http_answer_static(struct ck_http_request *request, const struct ck_http_static *content)
{
    struct head head = {.type = content->type, .cache = content->cache, .etag = content->etag};
    const char *known = request->fields[CK_HTTP_IF_NONE_MATCH];
    const char *takes = request->fields[CK_HTTP_ACCEPT_ENCODING];
    if (content->etag != NULL && known != NULL && ck_http_etag_matches(known, content->etag)) {
        head.status = 304;
        launch(request, &head);
        return;
    }
    const uint8_t *bytes = content->body;
    if (content->gzip != NULL && request->fields[CK_HTTP_RANGE] == NULL && takes != NULL &&
        ck_http_takes_gzip(takes)) {
        head.status = 200;
        head.encoding = "gzip";
        head.count = head.length = content->gzip_size;
        bytes = content->gzip;
    } else if (!part_of(request, content->size, &head)) {
        launch(request, &head);
        return;
    }
    if (!request->head) {
        request->out = bytes + head.first;
        request->out_size = (size_t)head.count;
    }
    launch(request, &head);
}

void ck_http_answer_stream(struct ck_http_request *request, const struct ck_http_stream *stream)
{
    struct head head = {
        .type = stream->type, .headers = stream->headers, .header_count = stream->header_count};
    request->stream = *stream;
    request->streaming = true;
    if (part_of(request, stream->size, &head) && !request->head) {
        request->stream_at = head.first;
        request->stream_end = head.first + head.count;
    }
    launch(request, &head);
}

void ck_http_stream_give(struct ck_http_request *request, const void *bytes)
{
    assert(request->wanting);
    request->wanting = false;
    struct connection *connection = request->connection;
    if (connection == NULL) {
        ck_http_request_free(request);
        return;
    }
    uint8_t *copy = bytes == NULL ? NULL : malloc(request->out_size);
    if (copy == NULL) {
        request->stream_failed = true;
    } else {
        memcpy(copy, bytes, request->out_size);
        request->out = request->out_owned = copy;
    }
    ck_http_phase(connection, PHASE_ANSWER, CK_HTTP_STALL_MS);
    go_on_soon(connection);
}

/* ---- writing ----
 *
 * Not through libwebsockets: it does not tell an HTTP/1.1 connection that it may write while its
 * input is held back, and spins on input that is not. So from the request to the end of its answer
 * the connection's TLS session is ours, and libwebsockets gets it back for the next request. */

/* Throws away what the client has sent behind its request: closing with it unread would reset the
 * connection and could take the answer away from the client. */
static void drain(SSL *tls)
{
    char waste[4096];
    for (size_t total = 0; total < DRAIN_MAX;) {
        int size = SSL_read(tls, waste, sizeof waste);
        if (size <= 0) {
            break;
        }
        total += (size_t)size;
    }
    ERR_clear_error();
}

static void watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    close(watch->fd);
    free(watch);
}

void ck_http_watch_stop(struct connection *connection)
{
    struct watch *watch = connection->watch;
    if (watch != NULL) {
        connection->watch = NULL;
        watch->connection = NULL;
        uv_poll_stop(&watch->poll);
        uv_close((uv_handle_t *)&watch->poll, watch_closed);
    }
}

static void on_watch(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    (void)status; /* what is wrong shows when we write */
    (void)events;
    if (watch->connection != NULL) {
        uv_poll_stop(poll);
        ck_http_answer_go_on(watch->connection);
    }
}

/* Waits for the connection to be writable (or readable), beside libwebsockets' own watch. */
static int watch_start(struct connection *connection, int events)
{
    if (connection->watch == NULL) {
        struct watch *watch = calloc(1, sizeof *watch);
        if (watch == NULL) {
            return -ENOMEM;
        }
        watch->fd = fcntl(lws_get_socket_fd(connection->wsi), F_DUPFD_CLOEXEC, 3);
        if (watch->fd < 0 || uv_poll_init(connection->http->loop, &watch->poll, watch->fd) != 0) {
            ck_closep(&watch->fd);
            free(watch);
            return -EMFILE;
        }
        watch->poll.data = watch;
        watch->connection = connection;
        connection->watch = watch;
    }
    return uv_poll_start(&connection->watch->poll, events, on_watch);
}

/* The answer is out. The connection may be gone afterwards. */
static void finish(struct connection *connection)
{
    bool keep_alive = connection->request->keep_alive;
    struct lws *wsi = connection->wsi;
    ck_http_watch_stop(connection);
    ck_http_request_orphan(connection);
    if (!keep_alive) {
        drain(lws_get_ssl(wsi));
        ck_http_kill(connection);
        return;
    }
    ck_http_phase(connection, PHASE_IDLE, CK_HTTP_IDLE_MS);
    lws_rx_flow_control(wsi, 1);
    if (lws_http_transaction_completed(wsi) != 0) {
        ck_http_kill(connection);
    }
}

/* Asks for the next piece; false where there is none. */
static bool want_piece(struct connection *connection, struct ck_http_request *request)
{
    if (!request->streaming || request->stream_at == request->stream_end) {
        return false;
    }
    uint64_t left = request->stream_end - request->stream_at;
    uint64_t at = request->stream_at;
    free(request->out_owned);
    request->out = request->out_owned = NULL;
    request->out_at = 0;
    request->out_size = left < CK_HTTP_PIECE ? (size_t)left : CK_HTTP_PIECE;
    request->stream_at += request->out_size;
    request->wanting = true;
    ck_http_phase(connection, PHASE_ANSWER, CK_HTTP_HANDLER_MS);
    request->stream.want(request->stream.user, request, at, request->out_size);
    return true;
}

/* Puts the next record together: the rest of the header block and as much of the body as fits. */
static size_t next_record(struct ck_http_request *request, uint8_t *record)
{
    size_t size = request->headers_size - request->headers_at;
    memcpy(record, request->headers + request->headers_at, size);
    size_t left = request->out_size - request->out_at;
    size_t piece = left < CHUNK - size ? left : CHUNK - size;
    if (piece > 0) {
        memcpy(record + size, request->out + request->out_at, piece);
    }
    return size + piece;
}

static void record_sent(struct ck_http_request *request, size_t size)
{
    size_t of_headers = request->headers_size - request->headers_at;
    if (of_headers > size) {
        of_headers = size;
    }
    request->headers_at += of_headers;
    request->out_at += size - of_headers;
}

/* Writes until everything is out (true) or the connection takes no more (false; *events to wait
 * for, 0: it is broken). */
static bool write_all(struct connection *connection, struct ck_http_request *request, int *events)
{
    SSL *tls = lws_get_ssl(connection->wsi);
    uint8_t record[CHUNK];
    for (size_t size; (size = next_record(request, record)) > 0;) {
        int sent = SSL_write(tls, record, (int)size);
        if (sent <= 0) {
            int error = SSL_get_error(tls, sent);
            ERR_clear_error();
            *events = error == SSL_ERROR_WANT_WRITE  ? UV_WRITABLE
                      : error == SSL_ERROR_WANT_READ ? UV_READABLE
                                                     : 0;
            return false;
        }
        record_sent(request, (size_t)sent);
        ck_http_phase(connection, PHASE_ANSWER, CK_HTTP_STALL_MS);
    }
    return true;
}

void ck_http_answer_go_on(struct connection *connection)
{
    struct ck_http_request *request = connection->request;
    if (request == NULL || !request->answered || request->wanting) {
        return;
    }
    int events = 0;
    if (request->stream_failed || request->headers == NULL) {
        ck_http_kill(connection);
    } else if (!write_all(connection, request, &events)) {
        if (events == 0 || watch_start(connection, events) != 0) {
            ck_http_kill(connection);
        }
    } else if (!want_piece(connection, request)) {
        finish(connection);
    }
}

static void on_ready(uv_idle_t *idle)
{
    struct ck_http *http = idle->data;
    struct connection *ready = http->ready;
    http->ready = NULL;
    uv_idle_stop(idle);
    while (ready != NULL) {
        struct connection *connection = ready;
        ready = connection->next_ready;
        connection->is_ready = false;
        connection->next_ready = NULL;
        ck_http_answer_go_on(connection); /* may end this connection, never another */
    }
}

/* Goes on with the answer from the loop, after the present call. */
static void go_on_soon(struct connection *connection)
{
    struct ck_http *http = connection->http;
    if (connection->is_ready) {
        return;
    }
    connection->is_ready = true;
    connection->next_ready = http->ready;
    http->ready = connection;
    uv_idle_start(&http->idle, on_ready);
}

void ck_http_not_ready(struct connection *connection)
{
    for (struct connection **at = &connection->http->ready; *at != NULL; at = &(*at)->next_ready) {
        if (*at == connection) {
            *at = connection->next_ready;
            return;
        }
    }
}
