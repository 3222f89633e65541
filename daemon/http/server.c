#include "daemon/http/server.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/http/identity.h"
#include "daemon/http/server_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define UV_PLUGIN "libwebsockets-evlib_uv.so"
#define LWS_TIMEOUT_S 15  /* of libwebsockets itself; ours in server.h are what counts */
#define STOP_TURNS 40     /* loop turns between the two halves of its destruction */
#define COMPLAINT_MS 1000 /* at most one line of libwebsockets in this time */
#define TLS12_CIPHERS                                                                              \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"     \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

struct ck_mono ck_http_now(const struct ck_http *http)
{
    return http->handlers.now(http->handlers.user);
}

void ck_http_log(struct ck_http *http, int level, const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    http->handlers.log(http->handlers.user, level, text);
}

/* libwebsockets logs through one function for the process; there is one server in it. */
static struct ck_http *complaining;

static void complain(int level, const char *line)
{
    struct ck_http *http = complaining;
    if (http == NULL || (level & (LLL_ERR | LLL_WARN)) == 0) {
        return;
    }
    struct ck_mono now = ck_http_now(http);
    if (http->last_complaint.us != 0 &&
        now.us - http->last_complaint.us < INT64_C(1000) * COMPLAINT_MS) {
        return;
    }
    http->last_complaint = now;
    ck_http_log(http, 6, "libwebsockets: %.*s", (int)strcspn(line, "\n"), line);
}

void ck_http_phase(struct connection *connection, enum phase phase, int64_t ms)
{
    connection->phase = phase;
    connection->deadline = ck_mono_add_us(ck_http_now(connection->http), ms * 1000);
}

void ck_http_kill(struct connection *connection)
{
    lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

int ck_http_header_copy(struct lws *wsi, enum lws_token_indexes token, size_t max, char **value)
{
    int size = lws_hdr_total_length(wsi, token);
    if (size <= 0) {
        return CK_E_NOT_FOUND;
    }
    if ((size_t)size > max) {
        return CK_E_LIMIT;
    }
    ck_cleanup(ck_freep) char *text = malloc((size_t)size + 1);
    if (text == NULL) {
        return -ENOMEM;
    }
    if (lws_hdr_copy(wsi, text, size + 1, token) < 0) {
        return CK_E_LIMIT;
    }
    *value = ck_take(text);
    return 0;
}

/* ---- connections ---- */

static int address_of(const struct sockaddr_storage *from, struct address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
    const void *four = NULL;
    if (from->ss_family == AF_INET) {
        four = &v4->sin_addr;
    } else if (from->ss_family != AF_INET6) {
        return -EAFNOSUPPORT;
    } else if (memcmp(&v6->sin6_addr, mapped, sizeof mapped) == 0) {
        four = (const uint8_t *)&v6->sin6_addr + sizeof mapped;
    }
    address->key[0] = four != NULL ? 4 : 6;
    address->size = four != NULL ? 5 : 9; /* of an IPv6 address the /64 */
    memcpy(address->key + 1, four != NULL ? four : &v6->sin6_addr, address->size - 1);
    inet_ntop(four != NULL ? AF_INET : AF_INET6, four != NULL ? four : &v6->sin6_addr,
              address->text, sizeof address->text);
    return 0;
}

static int peer_of(int fd, struct address *address)
{
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof from;
    if (getpeername(fd, (struct sockaddr *)&from, &size) != 0) {
        return -errno;
    }
    return address_of(&from, address);
}

/* A connection was accepted; nothing has been read of it. Nonzero closes it before it costs a
 * handshake. */
static int filter_accept(struct ck_http *http, int fd)
{
    struct address address = {.size = 0};
    if (!http->stopping && http->counts.connections_open < http->connections_max &&
        peer_of(fd, &address) == 0 &&
        ck_limit_held(http->rate, address.key, address.size) < http->connections_per_address) {
        return 0;
    }
    http->counts.refused_connections++;
    return 1;
}

static int connection_begin(struct ck_http *http, struct lws *wsi)
{
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL || peer_of(lws_get_socket_fd(wsi), &c->address) != 0) {
        free(c);
        return -1;
    }
    c->http = http;
    c->wsi = wsi;
    c->next = http->connections;
    if (c->next != NULL) {
        c->next->previous = c;
    }
    http->connections = c;
    http->counts.connections++;
    http->counts.connections_open++;
    lws_set_opaque_user_data(wsi, c);
    if (ck_limit_hold(http->rate, c->address.key, c->address.size, http->connections_per_address,
                      ck_http_now(http)) != 0) {
        http->counts.refused_connections++;
        return -1;
    }
    c->held = true;
    ck_http_phase(c, PHASE_HEADERS, CK_HTTP_HEADERS_MS);
    return 0;
}

static void connection_end(struct connection *c)
{
    struct ck_http *http = c->http;
    ck_http_request_orphan(c);
    ck_http_socket_gone(c);
    ck_http_watch_stop(c);
    ck_http_not_ready(c);
    if (c->held) {
        ck_limit_release(http->rate, c->address.key, c->address.size);
    }
    *(c->previous != NULL ? &c->previous->next : &http->connections) = c->next;
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    http->counts.connections_open--;
    lws_set_opaque_user_data(c->wsi, NULL);
    free(c);
}

static void sweep(uv_timer_t *timer)
{
    struct ck_http *http = timer->data;
    struct ck_mono now = ck_http_now(http);
    for (struct connection *c = http->connections, *next; c != NULL; c = next) {
        next = c->next;
        if (c->phase == PHASE_SOCKET) {
            ck_http_socket_sweep(c, now);
        } else if (now.us >= c->deadline.us) {
            if (c->phase != PHASE_IDLE) {
                http->counts.timed_out++;
            }
            ck_http_kill(c);
        }
    }
}

/* ---- what libwebsockets tells ---- */

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    (void)user;
    struct connection *c = lws_get_opaque_user_data(wsi);
    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return filter_accept(lws_context_user(lws_get_context(wsi)), (int)(intptr_t)in);
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        return c == NULL ? connection_begin(lws_context_user(lws_get_context(wsi)), wsi) : 0;
    case LWS_CALLBACK_WSI_DESTROY:
        if (c != NULL) {
            connection_end(c);
        }
        return 0;
    case LWS_CALLBACK_RAW_ADOPT: /* CONNECT */
    case LWS_CALLBACK_RAW_RX:
        return -1;
    default:
        break;
    }
    if (c == NULL) {
        return 0;
    }
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return ck_http_request_begin(c, in, size);
    case LWS_CALLBACK_HTTP_BODY:
        return ck_http_request_data(c, in, size);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return ck_http_request_complete(c);
    case LWS_CALLBACK_CLOSED_HTTP:
        ck_http_request_orphan(c);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return ck_http_socket_upgrade(c, in);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return c->upgrading == NULL; /* every way here leads through the check above */
    case LWS_CALLBACK_ESTABLISHED:
        return ck_http_socket_established(c);
    case LWS_CALLBACK_RECEIVE:
        return ck_http_socket_receive(c, in, size);
    case LWS_CALLBACK_RECEIVE_PONG:
        if (c->socket != NULL) {
            c->socket->heard = ck_http_now(c->http);
        }
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return ck_http_socket_writable(c);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return ck_http_socket_peer_closes(c);
    case LWS_CALLBACK_CLOSED:
        ck_http_socket_gone(c);
        return 0;
    default:
        return 0;
    }
}

/* ---- start ---- */

/* Each handshake asks anew, so that a certificate can change while the server runs. */
static int on_handshake(SSL *tls, void *user)
{
    const struct ck_http *http = user;
    return ck_identity_show(http->identity, tls) == 0;
}

static int on_vhost_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                          size_t size)
{
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
        SSL_CTX_set_min_proto_version(user, TLS1_2_VERSION);
        SSL_CTX_set_cert_cb(user, on_handshake, complaining);
        return complaining == NULL;
    }
    return on_event(wsi, reason, user, in, size);
}

static char *copy_bytes(const char *bytes, size_t size)
{
    char *copy = malloc(size + 1);
    if (copy != NULL) {
        memcpy(copy, bytes, size);
        copy[size] = '\0';
    }
    return copy;
}

static int copy_list(const char *const *list, size_t count, char ***copy, size_t *copied)
{
    *copy = calloc(count + 1, sizeof(char *));
    if (*copy == NULL) {
        return -ENOMEM;
    }
    for (; *copied < count; (*copied)++) {
        if (((*copy)[*copied] = strdup(list[*copied])) == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* "ADDRESS:PORT", "[ADDRESS]:PORT" or "PORT". */
static int parse_listener(const char *text, struct listener *listener)
{
    const char *colon = strrchr(text, ':');
    const char *port = colon == NULL ? text : colon + 1;
    size_t digits = strspn(port, "0123456789");
    if (digits == 0 || digits > 5 || port[digits] != '\0' || strtol(port, NULL, 10) > 65535) {
        return -EINVAL;
    }
    listener->port = (int)strtol(port, NULL, 10);
    if (colon == NULL) {
        return 0;
    }
    const char *begin = text;
    const char *end = colon;
    if (*begin == '[' && end > begin + 1 && end[-1] == ']') {
        begin++;
        end--;
    }
    listener->address = strndup(begin, (size_t)(end - begin));
    return listener->address == NULL ? -ENOMEM : 0;
}

static int copy_settings(struct ck_http *http, const struct ck_http_settings *s)
{
    int result = copy_list(s->hosts, s->host_count, &http->hosts, &http->host_count);
    if (result == 0) {
        result = copy_list(s->proxies, s->proxy_count, &http->proxies, &http->proxy_count);
    }
    http->certificate_pem = copy_bytes(s->certificate_pem, s->certificate_size);
    http->key_pem = copy_bytes(s->key_pem, s->key_size);
    http->endpoints = calloc(http->handlers.endpoint_count + 1, sizeof *http->endpoints);
    if (result != 0 || http->certificate_pem == NULL || http->key_pem == NULL ||
        http->endpoints == NULL) {
        return -ENOMEM;
    }
    http->certificate_size = s->certificate_size;
    http->key_size = s->key_size;
    for (size_t i = 0; i < http->handlers.endpoint_count; i++) {
        http->endpoints[i] = http->handlers.endpoints[i];
    }
    if (s->listen_count == 0 || s->listen_count > CK_HTTP_LISTENERS_MAX) {
        return -EINVAL;
    }
    for (size_t i = 0; i < s->listen_count; i++) {
        result = parse_listener(s->listen[i], &http->listeners[i]);
        if (result != 0) {
            ck_http_log(http, 3, "\"%s\" is no address to listen on", s->listen[i]);
            return result;
        }
        http->listener_count++;
    }
    return 0;
}

static void http_free(struct ck_http *http)
{
    if (complaining == http) {
        complaining = NULL;
    }
    for (size_t i = 0; i < http->host_count; i++) {
        free(http->hosts[i]);
    }
    for (size_t i = 0; i < http->proxy_count; i++) {
        free(http->proxies[i]);
    }
    for (size_t i = 0; i < http->listener_count; i++) {
        free(http->listeners[i].address);
    }
    if (http->key_pem != NULL) {
        OPENSSL_cleanse(http->key_pem, http->key_size);
    }
    free(http->hosts);
    free(http->proxies);
    free(http->certificate_pem);
    free(http->key_pem);
    free(http->endpoints);
    ck_identity_destroy(http->identity);
    ck_limit_destroy(http->rate);
    free(http);
}

static void http_freep(struct ck_http **http)
{
    if (*http != NULL) {
        http_free(*http);
    }
}

/* The plug-in through which libwebsockets reaches libuv: it must be installed, and it must stay
 * mapped, since its close callbacks run after the context has let it go. */
static int pin_plugin(struct ck_http *http)
{
    if (dlopen(UV_PLUGIN, RTLD_NOW | RTLD_NODELETE) == NULL) {
        ck_http_log(http, 3, "the libuv part of libwebsockets is missing: %s", dlerror());
        return -EINVAL;
    }
    return 0;
}

static void vhost_info(struct ck_http *http, struct lws_context_creation_info *info)
{
    memset(info, 0, sizeof *info);
    info->options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_LIBUV |
                    LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN |
                    LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                    LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
    info->protocols = http->protocols;
    info->user = http;
    info->timeout_secs = LWS_TIMEOUT_S;
    info->keepalive_timeout = CK_HTTP_IDLE_MS / 1000 + 1;
    info->max_http_header_data = CK_HTTP_HEADERS_MAX;
    info->pt_serv_buf_size = CHUNK + 4096;
    info->alpn = "http/1.1";
    info->ssl_cipher_list = TLS12_CIPHERS;
    info->server_string = "checkind"; /* an empty one is an assertion when it is sent */
}

static const char *where_of(const struct listener *listener)
{
    return listener->address == NULL ? "all addresses" : listener->address;
}

/* Whether the address can be listened on, asked of the system itself: libwebsockets does not say
 * why it could not, and its memory is gone before its handles are. 0 or a negative errno. */
static int try_listener(const struct listener *listener)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)listener->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_port = htons((uint16_t)listener->port)};
    bool is_v6 =
        listener->address != NULL && inet_pton(AF_INET6, listener->address, &v6.sin6_addr) == 1;
    if (listener->address != NULL && !is_v6 &&
        inet_pton(AF_INET, listener->address, &v4.sin_addr) != 1) {
        return 0; /* a name, which libwebsockets looks up */
    }
    ck_cleanup(ck_closep) int fd =
        socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr *at = is_v6 ? (const void *)&v6 : (const void *)&v4;
    int yes = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, at, is_v6 ? sizeof v6 : sizeof v4) != 0 || listen(fd, 1) != 0) {
        return -errno;
    }
    return 0;
}

static int try_all(struct ck_http *http)
{
    for (size_t i = 0; i < http->listener_count; i++) {
        int result = try_listener(&http->listeners[i]);
        if (result != 0) {
            ck_http_log(http, 3, "[http] listen: %s, port %d: %s", where_of(&http->listeners[i]),
                        http->listeners[i].port, ck_error_text(result));
            return result;
        }
    }
    return 0;
}

static int listen_all(struct ck_http *http)
{
    for (size_t i = 0; i < http->listener_count; i++) {
        struct listener *listener = &http->listeners[i];
        char name[16];
        snprintf(name, sizeof name, "listener%zu", i);
        struct lws_context_creation_info info;
        vhost_info(http, &info);
        info.vhost_name = name;
        info.port = listener->port;
        info.iface = listener->address;
        info.server_ssl_cert_mem = http->certificate_pem;
        info.server_ssl_cert_mem_len = (unsigned)http->certificate_size;
        info.server_ssl_private_key_mem = http->key_pem;
        info.server_ssl_private_key_mem_len = (unsigned)http->key_size;
        listener->vhost = lws_create_vhost(http->context, &info);
        if (listener->vhost == NULL || lws_get_vhost_listen_port(listener->vhost) <= 0) {
            ck_http_log(http, 3, "[http] listen: %s, port %d: refused", where_of(listener),
                        listener->port);
            return -EINVAL;
        }
    }
    return 0;
}

static int context_start(struct ck_http *http)
{
    http->protocols[0] =
        (struct lws_protocols){.name = "http", .callback = on_vhost_event, .rx_buffer_size = CHUNK};
    struct lws_context_creation_info info;
    void *loops[1] = {http->loop};
    vhost_info(http, &info);
    info.foreign_loops = loops;
    info.port = CONTEXT_PORT_NO_LISTEN;
    http->context = lws_create_context(&info);
    return http->context == NULL ? -EINVAL : listen_all(http);
}

int ck_http_set_certificate(struct ck_http *http, const char *certificate_pem,
                            size_t certificate_size, const char *key_pem, size_t key_size)
{
    struct ck_identity *identity = NULL;
    int result =
        ck_identity_create(&identity, certificate_pem, certificate_size, key_pem, key_size);
    if (result != 0) {
        ck_http_log(http, 3, "the certificate cannot be used: %s",
                    result == CK_E_INVALID ? "the key is that of another one"
                    : result == CK_E_SYNTAX
                        ? "certificate or key is not PEM, or the key is under a "
                          "passphrase"
                        : ck_error_text(result));
        return result;
    }
    ck_identity_destroy(http->identity);
    http->identity = identity;
    return 0;
}

int ck_http_create(const struct ck_http_settings *settings, const struct ck_http_handlers *handlers,
                   struct ck_http **http)
{
    ck_cleanup(http_freep) struct ck_http *h = calloc(1, sizeof *h);
    if (h == NULL) {
        return -ENOMEM;
    }
    h->handlers = *handlers;
    h->loop = settings->loop;
    h->connections_max = settings->connections;
    h->connections_per_address = settings->connections_per_address;
    unsigned burst = settings->requests_per_minute;
    int result = ck_limit_create(CK_HTTP_ADDRESSES_MAX, burst, burst > 60000 ? 1 : 60000 / burst,
                                 settings->seed, &h->rate);
    if (result == 0) {
        result = copy_settings(h, settings);
    }
    if (result == 0) {
        result = ck_http_set_certificate(h, settings->certificate_pem, settings->certificate_size,
                                         settings->key_pem, settings->key_size);
        result = result > 0 ? -EINVAL : result;
    }
    if (result == 0) {
        result = try_all(h);
    }
    if (result == 0) {
        result = pin_plugin(h);
    }
    if (result != 0) {
        return result;
    }
    h->handlers.endpoints = h->endpoints;
    complaining = h;
    lws_set_log_level(LLL_ERR | LLL_WARN, complain);
    result = context_start(h);
    if (result == 0) {
        uv_timer_init(h->loop, &h->sweep);
        uv_idle_init(h->loop, &h->idle);
        h->sweep.data = h->idle.data = h;
        h->handles = 2;
        uv_timer_start(&h->sweep, sweep, SWEEP_MS, SWEEP_MS);
        *http = ck_take(h);
        return 0;
    }
    if (h->context !=
        NULL) { /* nobody is connected yet, so this cannot wait for anything but the loop */
        lws_context_destroy(h->context);
        for (int i = 0; i < STOP_TURNS; i++) {
            uv_run(h->loop, UV_RUN_NOWAIT);
        }
        lws_context_destroy(h->context);
    }
    return result;
}

unsigned ck_http_port(const struct ck_http *http, size_t index)
{
    return (unsigned)lws_get_vhost_listen_port(http->listeners[index].vhost);
}

void ck_http_where(const struct ck_http *http, char where[static CK_HTTP_WHERE_SIZE])
{
    const char *address = http->listeners[0].address;
    if (address == NULL || strcmp(address, "0.0.0.0") == 0) {
        address = "127.0.0.1";
    } else if (strcmp(address, "::") == 0) {
        address = "::1";
    }
    bool v6 = strchr(address, ':') != NULL;
    snprintf(where, CK_HTTP_WHERE_SIZE, v6 ? "[%s]:%u" : "%s:%u", address, ck_http_port(http, 0));
}

struct ck_http_counts ck_http_counts(const struct ck_http *http)
{
    return http->counts;
}

/* ---- stop ----
 *
 * libwebsockets is destroyed in two halves with turns of the loop between them, in which its
 * handles close. */

static void stop_closed(uv_handle_t *handle)
{
    struct ck_http *http = handle->data;
    if (--http->handles > 0) {
        return;
    }
    void (*stopped)(void *) = http->stopped;
    void *user = http->stopped_user;
    http_free(http);
    if (stopped != NULL) {
        stopped(user);
    }
}

static void stop_turn(uv_timer_t *timer)
{
    struct ck_http *http = timer->data;
    if (http->stop_turns == 0) {
        lws_context_destroy(http->context);
    } else if (http->stop_turns == STOP_TURNS) {
        lws_context_destroy(http->context);
        http->context = NULL;
        uv_close((uv_handle_t *)timer, stop_closed);
        uv_close((uv_handle_t *)&http->idle, stop_closed);
        return;
    }
    http->stop_turns++;
    uv_timer_start(timer, stop_turn, 1, 0);
}

void ck_http_stop(struct ck_http *http, void (*stopped)(void *user), void *user)
{
    http->stopping = true;
    http->stopped = stopped;
    http->stopped_user = user;
    for (struct connection *c = http->connections; c != NULL; c = c->next) {
        if (c->socket != NULL) {
            ck_http_socket_close(c->socket, CK_HTTP_CLOSE_GOING_AWAY, "going away");
        }
    }
    uv_timer_stop(&http->sweep);
    uv_timer_start(&http->sweep, stop_turn, 100, 0); /* a moment for the close frames */
}
