/* What the files of the web server share. */
#ifndef DAEMON_HTTP_SERVER_IMPL_H
#define DAEMON_HTTP_SERVER_IMPL_H

#include <libwebsockets.h>

#include "daemon/http/limit.h"
#include "daemon/http/server.h"

#define ADDRESS_TEXT 48
#define CHUNK 16384 /* bytes written at a time: one TLS record */
#define SWEEP_MS 500
#define DRAIN_MAX (256 * 1024) /* bytes of unread input thrown away before closing */

/* What makes one client for the limits: an IPv4 address, or the first 8 bytes of an IPv6 one. */
struct address {
    uint8_t key[9];
    size_t size;
    char text[ADDRESS_TEXT];
};

enum phase {
    PHASE_HEADERS, /* accepted, waiting for a whole header block */
    PHASE_BODY,    /* a request without its whole body */
    PHASE_HANDLER, /* waiting for an answer */
    PHASE_ANSWER,  /* the answer goes out */
    PHASE_IDLE,    /* between two requests */
    PHASE_SOCKET,  /* a WebSocket */
    PHASE_CLOSING, /* a WebSocket that says goodbye */
};

/* Waits for a connection that takes no more at present. Outlives it by a turn of the loop. */
struct watch {
    uv_poll_t poll;
    int fd; /* a duplicate: libwebsockets watches the other one */
    struct connection *connection;
};

/* One TCP connection. Lives as long as its wsi. */
struct connection {
    struct ck_http *http;
    struct lws *wsi;
    struct connection *next, *previous;
    struct address address;
    bool held; /* counted in the address's connections */
    enum phase phase;
    struct ck_mono deadline;
    struct ck_http_request *request;
    struct ck_http_socket *socket;
    struct ck_http_socket *upgrading; /* checked, the handshake is under way */
    struct watch *watch;              /* NULL: none is needed */
    struct connection *next_ready;
    bool is_ready; /* in http->ready: its answer is to be gone on with */
};

struct ck_http_request {
    struct connection *connection; /* NULL: the client has gone */
    enum ck_http_method method;
    bool head, keep_alive;
    bool complete; /* handed to the handler, or answered without it */
    char path[CK_HTTP_PATH_MAX + 1];
    char address[ADDRESS_TEXT];
    char *cookies;
    char *fields[CK_HTTP_FIELDS];
    char *query[32];
    size_t query_count;
    unsigned refused; /* status to answer with once the body was thrown away; 0: none */
    char *body;
    size_t body_size, body_length;       /* received, announced */
    uint8_t large_key[ADDRESS_TEXT + 1]; /* of its place among the large bodies … */
    size_t large_key_size;               /* … 0: it has none */
    void *context;

    bool answered;
    char *headers;
    size_t headers_size, headers_at; /* of the block; gone out */
    const uint8_t *out; /* what goes out after the headers; owned where out_owned is set */
    uint8_t *out_owned;
    size_t out_size, out_at;
    bool streaming, wanting; /* a stream; its want() is unanswered */
    bool stream_failed;
    struct ck_http_stream stream;
    uint64_t stream_at, stream_end;
};

struct out_message {
    struct out_message *next;
    size_t size, at;
    uint8_t bytes[]; /* LWS_PRE of room, then the text */
};

struct ck_http_socket {
    struct connection *connection;
    const struct ck_http_endpoint *endpoint;
    char address[ADDRESS_TEXT];
    char *cookies;
    char *user_agent;
    void *context;
    bool started;
    bool closing;
    bool said_goodbye; /* the close frame is out */
    size_t unheard;    /* bytes that came since it is closing */
    bool ping_due;
    unsigned close_code;
    char close_reason[124];
    struct ck_mono pinged, heard;
    char *in;
    size_t in_size;
    struct out_message *first, **last;
    size_t queued;
};

struct listener {
    char *address; /* NULL: all */
    int port;
    struct lws_vhost *vhost;
};

struct ck_http {
    struct ck_http_handlers handlers;
    struct ck_http_endpoint *endpoints;
    uv_loop_t *loop;
    uv_timer_t sweep;
    uv_idle_t idle; /* runs while `ready` is not empty */
    struct connection *ready;
    unsigned handles; /* of the two that are open still */
    struct lws_context *context;
    struct lws_protocols protocols[2];
    struct lws_protocol_vhost_options *no_headers;
    struct listener listeners[CK_HTTP_LISTENERS_MAX];
    size_t listener_count;
    char **hosts;
    size_t host_count;
    char **proxies;
    size_t proxy_count;
    char *certificate_pem; /* for libwebsockets at the start … */
    size_t certificate_size;
    char *key_pem;
    size_t key_size;
    struct ck_identity *identity; /* … and what handshakes show */
    unsigned connections_max, connections_per_address;
    struct ck_limit *rate;
    struct connection *connections;
    size_t bodies; /* bytes of request bodies held now */
    struct ck_http_counts counts;
    bool stopping;
    unsigned stop_turns;
    void (*stopped)(void *user);
    void *stopped_user;
    struct ck_mono last_complaint; /* of libwebsockets, passed on */
};

/* server.c */
struct ck_mono ck_http_now(const struct ck_http *http);
void ck_http_log(struct ck_http *http, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void ck_http_phase(struct connection *connection, enum phase phase, int64_t ms);
/* Ends the connection now, from outside of libwebsockets' callbacks. */
void ck_http_kill(struct connection *connection);
/* Copies a header of the present request into a new text. 0, CK_E_NOT_FOUND, CK_E_LIMIT, -ENOMEM.
 */
int ck_http_header_copy(struct lws *wsi, enum lws_token_indexes token, size_t max, char **value);

/* request.c; each returns what the libwebsockets callback is to return. */
int ck_http_request_begin(struct connection *connection, const char *path, size_t size);
int ck_http_request_data(struct connection *connection, const void *data, size_t size);
int ck_http_request_complete(struct connection *connection);
/* The connection is going. */
void ck_http_request_orphan(struct connection *connection);
void ck_http_request_free(struct ck_http_request *request);
/* The checks a request and an upgrade share. 0 or the status to refuse with. `origin_needed`: it
 * must be there. */
unsigned ck_http_check_host(struct connection *connection, bool origin_checked, bool origin_needed);
/* Takes one request from the address's bucket; false: too many. *address becomes the client's. */
bool ck_http_admit(struct connection *connection, char *address);

/* answer.c */
/* Writes as much of the answer as goes. The connection may be gone afterwards. */
void ck_http_answer_go_on(struct connection *connection);
void ck_http_watch_stop(struct connection *connection);
void ck_http_not_ready(struct connection *connection);
void ck_http_answer_status(struct ck_http_request *request, unsigned status);
/* A whole small answer for a connection that is then closed, without a request (refused upgrades).
 */
int ck_http_answer_raw(struct lws *wsi, unsigned status);

/* socket.c */
int ck_http_socket_upgrade(struct connection *connection, const char *protocol);
int ck_http_socket_established(struct connection *connection);
int ck_http_socket_receive(struct connection *connection, const void *data, size_t size);
int ck_http_socket_writable(struct connection *connection);
int ck_http_socket_peer_closes(struct connection *connection);
void ck_http_socket_gone(struct connection *connection);
void ck_http_socket_sweep(struct connection *connection, struct ck_mono now);

#endif
