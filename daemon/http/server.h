/* The web server: HTTPS, WebSocket and the static pages on one port.
 *
 * The only place where libwebsockets is seen, and the place where its looseness ends. What a
 * handler gets is a whole, well-formed request:
 *
 * - the method is GET (HEAD is answered as GET without its body) or POST; anything else is 405;
 * - Host is there once and is one of the configured names (421 otherwise);
 * - a POST has one Content-Length of digits alone (411, 400) and no Transfer-Encoding (400); a GET
 *   has no body (400); the body is complete, is delivered once, and is within the limit of its
 * route (413);
 * - the path is percent-decoded UTF-8 that begins with "/" and holds no control characters and no
 *   empty, "." or ".." segments (400);
 * - Origin, where there is one, is the server's own on POST and on a WebSocket upgrade, and it is
 *   there on an upgrade (403).
 *
 * A connection stays open after an ordinary GET; after anything that had or might have had a body
 * it ends, so that what follows a request can never be taken for a second one. HTTP/1.1 only: in
 * libwebsockets 4.1.6 a DATA frame on an HTTP/2 stream whose answer is pending runs into an
 * assertion and ends the process.
 *
 * Every answer carries strict headers: Content-Security-Policy (own scripts, styles and pictures
 * only), Strict-Transport-Security, X-Content-Type-Options, Referrer-Policy, Permissions-Policy
 * (own camera and microphone), Cross-Origin-Opener-Policy, Cross-Origin-Resource-Policy.
 *
 * Loop thread only. No callback runs inside the call that asked for it, except where said. */
#ifndef DAEMON_HTTP_SERVER_H
#define DAEMON_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "protocol/base/time.h"

/* Limits. What goes beyond one ends the request or the connection and is counted. */
#define CK_HTTP_HEADERS_MAX 8192      /* bytes of a request's header block; beyond: closed */
#define CK_HTTP_PATH_MAX 512          /* bytes of a path (414) */
#define CK_HTTP_QUERY_MAX 1024        /* bytes of a query (414) */
#define CK_HTTP_COOKIES_MAX 2048      /* bytes of the Cookie header (431) */
#define CK_HTTP_HEADER_VALUE_MAX 512  /* bytes of any other header that is read (431) */
#define CK_HTTP_HEADERS_MS 10000      /* from accept to the end of the header block */
#define CK_HTTP_BODY_MS 20000         /* from the headers to the end of a body of up to ... */
#define CK_HTTP_BODY_BYTES_PER_S 8192 /* ... this many bytes a second more */
#define CK_HTTP_HANDLER_MS 60000      /* from the request to its answer; then closed */
#define CK_HTTP_STALL_MS 30000        /* an answer of which nothing could be written */
#define CK_HTTP_IDLE_MS 60000         /* a connection between two requests */
#define CK_HTTP_DISCARD_MAX (4 << 20) /* bytes of a refused body read before the refusal */
#define CK_HTTP_BODIES_MAX (64 << 20) /* bytes of all request bodies at once (503) */
#define CK_HTTP_BODY_LARGE (64 << 10) /* a body of more bytes than this is a large one: */
#define CK_HTTP_LARGE_MAX                                                                          \
    (48 << 20) /* bytes of all bodies beyond which no large one begins (503): the rest is for what \
                  people say, never for what they send along */
#define CK_HTTP_LARGE_PER_ADDRESS 6 /* large ones at once of one address (429) */
#define CK_HTTP_SOCKET_QUEUE_MAX                                                                   \
    (1 << 20)                       /* bytes waiting on one WebSocket; beyond: closed 1013         \
                                     */
#define CK_HTTP_PING_MS 15000       /* between pings on a WebSocket */
#define CK_HTTP_PONG_MS 45000       /* without a pong: closed */
#define CK_HTTP_ADDRESSES_MAX 65536 /* addresses remembered; beyond: the oldest idle one goes */
#define CK_HTTP_LISTENERS_MAX 8

/* Codes with which the server itself closes a WebSocket (RFC 6455 section 7.4.1). */
#define CK_HTTP_CLOSE_GOING_AWAY 1001
#define CK_HTTP_CLOSE_UNSUPPORTED 1003 /* a binary message */
#define CK_HTTP_CLOSE_POLICY 1008
#define CK_HTTP_CLOSE_TOO_BIG 1009
#define CK_HTTP_CLOSE_OVERLOAD 1013
#define CK_HTTP_CLOSE_UNAUTHENTICATED 4401 /* ours: no session, or not any more */

struct ck_http;         /* the server */
struct ck_http_request; /* one request, from its last byte until its answer */
struct ck_http_socket;  /* one WebSocket, from its upgrade until its close() */

enum ck_http_method { CK_HTTP_GET, CK_HTTP_POST };

/* The headers a handler can see. */
enum ck_http_field {
    CK_HTTP_CONTENT_TYPE,
    CK_HTTP_IF_NONE_MATCH,
    CK_HTTP_RANGE,
    CK_HTTP_ACCEPT_ENCODING,
    CK_HTTP_ACCEPT_LANGUAGE,
    CK_HTTP_USER_AGENT,
    CK_HTTP_CSRF,      /* X-CSRF-Token */
    CK_HTTP_SIGNATURE, /* Checkind-Signature */
    CK_HTTP_FIELDS,
};

/* One kind of WebSocket. */
struct ck_http_endpoint {
    const char *path;   /* "/ws/person" */
    size_t message_max; /* bytes of one message; beyond: closed 1009 */

    /* Upgraded; Origin and limits are fine, nothing else is known. The cookie can be read now
     * (ck_http_socket_cookie). Messages wait until ck_http_socket_start(). */
    void (*open)(void *user, struct ck_http_socket *socket);

    /* One whole text message, valid UTF-8. */
    void (*message)(void *user, struct ck_http_socket *socket, const char *text, size_t size);

    /* It is gone; the last call, also after ck_http_socket_close(). */
    void (*close)(void *user, struct ck_http_socket *socket);
};

struct ck_http_handlers {
    void *user;

    /* How many bytes of body a POST to this path may have; 0: none is expected (413 for any).
     * Called as soon as the headers are there. */
    size_t (*body_limit)(void *user, const char *path);

    /* A request to be answered, now or later, by exactly one ck_http_answer…(). */
    void (*request)(void *user, struct ck_http_request *request);

    const struct ck_http_endpoint *endpoints;
    size_t endpoint_count;

    /* One line for the operator's log. `level` is 3 (error), 4 (warning), 6 (information), as in
     * syslog. */
    void (*log)(void *user, int level, const char *text);

    /* Elapsed time now. */
    struct ck_mono (*now)(void *user);
};

struct ck_http_settings {
    uv_loop_t *loop;

    /* Where to listen: "ADDRESS:PORT", "[ADDRESS]:PORT" or "PORT" (all addresses, v4 and v6); port
     * 0 takes a free one. */
    const char *const *listen;
    size_t listen_count;

    const char *certificate_pem; /* whole chain */
    size_t certificate_size;
    const char *key_pem;
    size_t key_size;

    const char *const *hosts; /* names the server answers to, without port, lower case */
    size_t host_count;
    const char *const *proxies; /* addresses whose X-Forwarded-For names the client */
    size_t proxy_count;

    uint64_t seed;                    /* unpredictable; spreads addresses in tables */
    unsigned connections;             /* open at once */
    unsigned connections_per_address; /* IPv4 address or IPv6 /64 */
    unsigned requests_per_minute; /* of one address; as many at once after a minute's quiet (429) */
};

/* What has happened since the start, for the operator. */
struct ck_http_counts {
    uint64_t connections, requests, sockets; /* so far */
    unsigned connections_open, requests_open, sockets_open;
    uint64_t refused_connections, refused_requests, malformed, timed_out, overflowed;
};

/* Starts listening. Everything in `settings` and the handlers' strings is copied. -errno; a
 * certificate that cannot be used, or the libuv part of libwebsockets not being installed, is
 * -EINVAL after a line for the log that says so. */
int ck_http_create(const struct ck_http_settings *settings, const struct ck_http_handlers *handlers,
                   struct ck_http **http);

/* Shows another certificate (whole chain) from the next handshake on; connections that are open go
 * on. Nothing is kept of the texts. Errors of ck_identity_create() (identity.h), after a line for
 * the log; then nothing has changed. */
int ck_http_set_certificate(struct ck_http *http, const char *certificate_pem,
                            size_t certificate_size, const char *key_pem, size_t key_size);

/* The port of listener `index`, after a start with port 0. */
unsigned ck_http_port(const struct ck_http *http, size_t index);

/* Where this machine reaches the first listener: "127.0.0.1:8443", "[2001:db8::1]:8443". */
#define CK_HTTP_WHERE_SIZE 64
void ck_http_where(const struct ck_http *http, char where[static CK_HTTP_WHERE_SIZE]);

struct ck_http_counts ck_http_counts(const struct ck_http *http);

/* Stops: no new connections, WebSockets get 1001, requests still open are forgotten (answering them
 * is harmless). Then `stopped` is called from the loop, and the server's memory is gone. Ends
 * within a second or so. */
void ck_http_stop(struct ck_http *http, void (*stopped)(void *user), void *user);

/* ---- requests. What they give lives until the answer. ---- */

enum ck_http_method ck_http_request_method(const struct ck_http_request *request);
const char *ck_http_request_path(const struct ck_http_request *request);
/* The client's address in text ("192.0.2.7", "2001:db8::1"), behind a trusted proxy the one it
 * names. */
const char *ck_http_request_address(const struct ck_http_request *request);
/* NULL where the header is not there. */
const char *ck_http_request_field(const struct ck_http_request *request, enum ck_http_field field);
/* The body, with a zero byte behind it. */
const char *ck_http_request_body(const struct ck_http_request *request, size_t *size);

/* The value of a query member, percent-decoded, into `value`: 0; CK_E_NOT_FOUND; CK_E_SYNTAX where
 * it is no text or is there twice; CK_E_LIMIT where it does not fit. */
int ck_http_request_query(const struct ck_http_request *request, const char *name, char *value,
                          size_t capacity);

/* The value of a cookie: 0; CK_E_NOT_FOUND; CK_E_SYNTAX where it is there twice; CK_E_LIMIT. */
int ck_http_request_cookie(const struct ck_http_request *request, const char *name, char *value,
                           size_t capacity);

/* A place of the handler's own on the request. */
void ck_http_request_set_context(struct ck_http_request *request, void *context);
void *ck_http_request_context(const struct ck_http_request *request);

/* Whether the client has gone; the answer still has to be given, but nobody reads it. */
bool ck_http_request_gone(const struct ck_http_request *request);

/* ---- answers ---- */

struct ck_http_header {
    const char *name; /* lower case, without colon */
    const char *value;
};

struct ck_http_answer {
    unsigned status;
    const char *type; /* Content-Type; NULL where there is no body */
    const void *body; /* copied */
    size_t size;
    const char *cache; /* Cache-Control; NULL: "no-store" */
    const struct ck_http_header *headers;
    size_t header_count;
};

/* Answers. The request is gone afterwards. */
void ck_http_answer(struct ck_http_request *request, const struct ck_http_answer *answer);

/* Static bytes that outlive the server: answered with ETag, 304 and Range as the request asks. */
struct ck_http_static {
    const char *type;
    const char *cache;
    const char *etag; /* quoted; NULL: none */
    const void *body;
    size_t size;
    const void *gzip; /* the same compressed; NULL: none */
    size_t gzip_size;
};
void ck_http_answer_static(struct ck_http_request *request, const struct ck_http_static *content);

/* A long answer that is fetched piece by piece, honouring Range (RFC 9110 section 14; one range;
 * more than one gets the whole). */
struct ck_http_stream {
    const char *type;
    uint64_t size; /* bytes of the whole */
    const struct ck_http_header *headers;
    size_t header_count;
    void *user;
    /* Wants bytes at..at+count-1, where count is 1..CK_HTTP_PIECE. To be answered, now or later, by
     * one ck_http_stream_give(). At most one is asked for at a time. May run inside
     * ck_http_stream_give(). */
    void (*want)(void *user, struct ck_http_request *request, uint64_t at, size_t count);
    /* No more will be wanted; not while a want() is unanswered. The last call; it may run inside
     * ck_http_answer_stream() and ck_http_stream_give(). */
    void (*done)(void *user);
};
#define CK_HTTP_PIECE (256 * 1024)

/* Answers with a stream; the request lives until stream.done(). HEAD and an unsatisfiable range
 * (416) call done() without a want(). */
void ck_http_answer_stream(struct ck_http_request *request, const struct ck_http_stream *stream);

/* The bytes that were wanted (copied), or NULL where they cannot be had: the connection is then
 * closed, since the header with the length has long gone out. */
void ck_http_stream_give(struct ck_http_request *request, const void *bytes);

/* ---- WebSockets ---- */

const char *ck_http_socket_address(const struct ck_http_socket *socket);
const char *ck_http_socket_user_agent(const struct ck_http_socket *socket);
/* Only while open() runs; codes as ck_http_request_cookie. */
int ck_http_socket_cookie(const struct ck_http_socket *socket, const char *name, char *value,
                          size_t capacity);
void ck_http_socket_set_context(struct ck_http_socket *socket, void *context);
void *ck_http_socket_context(const struct ck_http_socket *socket);

/* From now on message() is called. */
void ck_http_socket_start(struct ck_http_socket *socket);

/* Queues one text message (copied). What does not fit into CK_HTTP_SOCKET_QUEUE_MAX closes the
 * socket with 1013: a peer that does not read has no use for the next message either. No-op on a
 * socket that is closing. */
void ck_http_socket_send(struct ck_http_socket *socket, const char *text, size_t size);

/* Closes after what is queued has gone out (at most 5 s). close() follows. `reason` of at most 123
 * bytes. */
void ck_http_socket_close(struct ck_http_socket *socket, unsigned code, const char *reason);

#endif
