#include "daemon/notify/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#define CONNECT_TIMEOUT_MS INT64_C(10000)
#define IDLE_CONNECTION_S 20L /* older ones are not used again: servers close them about then */

struct ck_transfer {
    struct ck_transfers *transfers;
    struct ck_transfer *next;
    CURL *easy;
    struct ck_request request;
    struct curl_slist *headers;
    struct curl_slist *recipients;
    struct curl_slist *connect_to;
    ck_transfer_done *done;
    void *user;
    size_t sent; /* MAIL: bytes of the message given away */
    bool message_ended;
    bool recipient_named; /* MAIL: RCPT is out */
    size_t body_size;
    char body[CK_RESPONSE_BODY_MAX + 1];
    char detail[CURL_ERROR_SIZE];
};

/* A connection of the library's, in use or kept for later. */
struct connection {
    struct connection *next;
    curl_socket_t socket;
};

struct ck_transfers {
    uv_loop_t *loop;
    struct connection *connections;
    uv_timer_t timer;
    CURLM *multi;
    struct ck_transfer *running;
    unsigned open_handles;
    unsigned depth; /* inside how many of its own callbacks */
    bool destroyed;
};

/* One socket of the library's, watched. */
struct watch {
    uv_poll_t poll;
    struct ck_transfers *transfers;
    curl_socket_t socket;
};

static void release_if_done(struct ck_transfers *transfers)
{
    if (transfers->destroyed && transfers->open_handles == 0 && transfers->depth == 0) {
        free(transfers);
    }
}

/* ---- one transfer ---- */

static void free_transfer(struct ck_transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->recipients);
    curl_slist_free_all(transfer->connect_to);
    ck_request_deinit(&transfer->request);
    free(transfer);
}

static void unlink_transfer(struct ck_transfer *transfer)
{
    struct ck_transfer **at = &transfer->transfers->running;
    while (*at != transfer) {
        at = &(*at)->next;
    }
    *at = transfer->next;
    curl_multi_remove_handle(transfer->transfers->multi, transfer->easy);
}

static size_t on_body(char *bytes, size_t one, size_t count, void *user)
{
    struct ck_transfer *transfer = user;
    size_t room = CK_RESPONSE_BODY_MAX - transfer->body_size;
    size_t take = one * count < room ? one * count : room;
    memcpy(transfer->body + transfer->body_size, bytes, take);
    transfer->body_size += take;
    return transfer->request.upgrade ? 0 : one * count; /* 0 ends it: CURLE_WRITE_ERROR */
}

static size_t on_message(char *bytes, size_t one, size_t count, void *user)
{
    struct ck_transfer *transfer = user;
    size_t left = transfer->request.body_size - transfer->sent;
    size_t take = one * count < left ? one * count : left;
    memcpy(bytes, transfer->request.body + transfer->sent, take);
    transfer->sent += take;
    transfer->message_ended |= take == left;
    return take;
}

/* Sees each command that goes out; nothing is kept of it. */
static int on_command(CURL *easy, curl_infotype kind, char *bytes, size_t size, void *user)
{
    (void)easy;
    struct ck_transfer *transfer = user;
    transfer->recipient_named |=
        kind == CURLINFO_HEADER_OUT && size >= 5 && memcmp(bytes, "RCPT ", 5) == 0;
    return 0;
}

static void forget(struct ck_transfers *transfers, curl_socket_t socket)
{
    for (struct connection **at = &transfers->connections; *at != NULL; at = &(*at)->next) {
        if ((*at)->socket == socket) {
            struct connection *connection = *at;
            *at = connection->next;
            free(connection);
            return;
        }
    }
}

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct ck_transfers *transfers = user;
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL) {
        return CURL_SOCKET_BAD;
    }
    connection->socket =
        socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (connection->socket < 0) {
        free(connection);
        return CURL_SOCKET_BAD;
    }
    forget(transfers, connection->socket); /* one that the library closed without a word */
    connection->next = transfers->connections;
    transfers->connections = connection;
    return connection->socket;
}

static int on_close(void *user, curl_socket_t socket)
{
    forget(user, socket);
    return close(socket);
}

static bool add_word(struct curl_slist **list, const char *word)
{
    struct curl_slist *longer = curl_slist_append(*list, word);
    if (longer == NULL) {
        return false;
    }
    *list = longer;
    return true;
}

static bool set_authorities(CURL *easy, const struct ck_request *request)
{
    if (request->ca_pem != NULL) {
        struct curl_blob pem = {
            .data = request->ca_pem, .len = strlen(request->ca_pem), .flags = CURL_BLOB_NOCOPY};
        return curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &pem) == CURLE_OK;
    }
    return request->ca_file == NULL ||
           (curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK);
}

static bool set_common(struct ck_transfer *transfer)
{
    CURL *easy = transfer->easy;
    const struct ck_request *request = &transfer->request;
    int64_t connect_ms =
        request->timeout_ms < CONNECT_TIMEOUT_MS ? request->timeout_ms : CONNECT_TIMEOUT_MS;
    const char *protocols = request->kind == CK_REQUEST_MAIL ? "smtp,smtps" : "http,https";
    bool good = curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    good = good && set_authorities(easy, request);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* never wait for a name that is looked up */
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(request->timeout_ms / 1000 + 1));
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer->transfers);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->transfers);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_S);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    return good;
}

/* Where to connect instead of the URL's host and port, in the library's words. */
static bool set_connect_to(struct ck_transfer *transfer)
{
    char word[300];
    int size = snprintf(word, sizeof word, "::%s", transfer->request.connect_to);
    return size < (int)sizeof word && add_word(&transfer->connect_to, word) &&
           curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_TO, transfer->connect_to) == CURLE_OK;
}

static bool set_http(struct ck_transfer *transfer)
{
    CURL *easy = transfer->easy;
    const struct ck_request *request = &transfer->request;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!add_word(&transfer->headers, request->headers[i])) {
            return false;
        }
    }
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (request->connect_to != NULL && !set_connect_to(transfer)) {
        return false;
    }
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, request->fresh ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    if (request->body != NULL) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
    }
    return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "checkind/" CK_VERSION) == CURLE_OK;
}

static bool set_mail(struct ck_transfer *transfer)
{
    CURL *easy = transfer->easy;
    const struct ck_request *request = &transfer->request;
    bool good = curl_easy_setopt(easy, CURLOPT_MAIL_FROM, request->mail_from) == CURLE_OK &&
                add_word(&transfer->recipients, request->mail_to);
    if (request->user != NULL) {
        good = good && curl_easy_setopt(easy, CURLOPT_USERNAME, request->user) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_PASSWORD, request->password) == CURLE_OK;
    }
    long tls = request->tls_required ? CURLUSESSL_ALL : CURLUSESSL_TRY;
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, transfer->recipients);
    curl_easy_setopt(easy, CURLOPT_USE_SSL, tls);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_message);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L); /* the library tells on_command of commands */
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_command);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, transfer);
    return good;
}

int ck_transfer_start(struct ck_transfers *transfers, struct ck_request *request,
                      ck_transfer_done *done, void *user, struct ck_transfer **transfer)
{
    struct ck_transfer *made = calloc(1, sizeof *made);
    if (made == NULL) {
        ck_request_deinit(request);
        return -ENOMEM;
    }
    made->transfers = transfers;
    made->request = *request;
    made->done = done;
    made->user = user;
    *request = (struct ck_request){0};
    made->easy = curl_easy_init();
    bool mail = made->request.kind == CK_REQUEST_MAIL;
    if (made->easy == NULL || !set_common(made) || !(mail ? set_mail(made) : set_http(made)) ||
        curl_multi_add_handle(transfers->multi, made->easy) != CURLM_OK) {
        free_transfer(made);
        return -ENOMEM;
    }
    made->next = transfers->running;
    transfers->running = made;
    *transfer = made;
    return 0;
}

void ck_transfer_cancel(struct ck_transfer *transfer)
{
    unlink_transfer(transfer);
    free_transfer(transfer);
}

/* ---- what came of it ---- */

static enum ck_transfer_fault fault_of(const struct ck_transfer *transfer, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return CK_TRANSFER_DONE;
    case CURLE_COULDNT_RESOLVE_HOST:
        return CK_TRANSFER_NO_NAME;
    case CURLE_COULDNT_CONNECT:
        return CK_TRANSFER_NO_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_USE_SSL_FAILED:
        return CK_TRANSFER_NO_TLS;
    case CURLE_LOGIN_DENIED:
        return CK_TRANSFER_LOGIN;
    case CURLE_OPERATION_TIMEDOUT:
        return CK_TRANSFER_TIMEOUT;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return CK_TRANSFER_LOST;
    case CURLE_SEND_ERROR: {
        /* The library says so both for a broken connection and for a refused MAIL, RCPT or DATA. */
        long status = 0;
        curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
        bool refused = transfer->request.kind == CK_REQUEST_MAIL && status >= 400;
        return refused ? CK_TRANSFER_REFUSED : CK_TRANSFER_LOST;
    }
    case CURLE_OUT_OF_MEMORY:
        return CK_TRANSFER_MEMORY;
    case CURLE_WRITE_ERROR:
        return transfer->request.upgrade ? CK_TRANSFER_DONE : CK_TRANSFER_PROTOCOL;
    default:
        return CK_TRANSFER_PROTOCOL;
    }
}

/* Whether the server may have acted: all of a mail, or any of an HTTP request, is out. */
static bool has_left(const struct ck_transfer *transfer)
{
    if (transfer->request.kind == CK_REQUEST_MAIL) {
        return transfer->message_ended;
    }
    long size = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &size);
    return size > 0;
}

/* The library keeps a mail connection after some failures, though nobody knows what the server does
 * on it: cut it, so that the next mail does not run into that. */
static void cut_connection(struct ck_transfer *transfer)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &socket);
    if (socket != CURL_SOCKET_BAD) {
        shutdown(socket, SHUT_RDWR);
    }
}

static void finish(struct ck_transfer *transfer, CURLcode code)
{
    long status = 0;
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    transfer->body[transfer->body_size] = '\0';
    struct ck_response response = {
        .fault = fault_of(transfer, code),
        .left = has_left(transfer),
        .recipient_named = transfer->recipient_named,
        .status = (int)status,
        .retry_after_ms = retry_after_s > 0 ? (int64_t)retry_after_s * 1000 : -1,
        .body = transfer->body,
        .body_size = transfer->body_size,
        .detail = *transfer->detail != '\0' ? transfer->detail
                  : code == CURLE_OK        ? ""
                                            : curl_easy_strerror(code),
    };
    if (code != CURLE_OK) {
        cut_connection(transfer);
    }
    unlink_transfer(transfer);
    transfer->done(transfer->user, &response);
    free_transfer(transfer);
}

/* Ends what the library says is over. */
static void finish_all(struct ck_transfers *transfers)
{
    int left;
    for (;;) {
        CURLMsg *message =
            transfers->destroyed ? NULL : curl_multi_info_read(transfers->multi, &left);
        if (message == NULL) {
            return;
        }
        struct ck_transfer *transfer = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        finish(transfer, code);
    }
}

/* ---- the library on the loop ---- */

static void act(struct ck_transfers *transfers, curl_socket_t socket, int events)
{
    int running;
    transfers->depth++;
    curl_multi_socket_action(transfers->multi, socket, events, &running);
    finish_all(transfers);
    transfers->depth--;
    release_if_done(transfers);
}

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
    flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
    act(watch->transfers, watch->socket, flags);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    struct ck_transfers *transfers = watch->transfers;
    free(watch);
    transfers->open_handles--;
    release_if_done(transfers);
}

static void unwatch(struct watch *watch)
{
    uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static struct watch *watch_socket(struct ck_transfers *transfers, curl_socket_t socket)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        return NULL;
    }
    if (uv_poll_init_socket(transfers->loop, &watch->poll, socket) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->transfers = transfers;
    watch->socket = socket;
    transfers->open_handles++;
    curl_multi_assign(transfers->multi, socket, watch);
    return watch;
}

/* The library says what it waits for on a socket. A socket that cannot be watched makes its
 * transfer time out. */
static int on_want_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *known)
{
    (void)easy;
    struct ck_transfers *transfers = user;
    struct watch *watch = known;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            curl_multi_assign(transfers->multi, socket, NULL);
            unwatch(watch);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = watch_socket(transfers, socket);
    }
    if (watch != NULL) {
        int events = (what & CURL_POLL_IN) != 0 ? UV_READABLE : 0;
        events |= (what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0;
        uv_poll_start(&watch->poll, events, on_socket_ready);
    }
    return 0;
}

static int on_want_timer(CURLM *multi, long timeout_ms, void *user)
{
    (void)multi;
    struct ck_transfers *transfers = user;
    if (timeout_ms < 0) {
        uv_timer_stop(&transfers->timer);
    } else {
        uv_timer_start(&transfers->timer, on_timer, (uint64_t)timeout_ms, 0);
    }
    return 0;
}

int ck_transfers_create(struct ck_transfers **transfers, uv_loop_t *loop)
{
    struct ck_transfers *made = calloc(1, sizeof *made);
    if (made == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(made);
        return -ENOMEM;
    }
    made->multi = curl_multi_init();
    if (made->multi == NULL) {
        curl_global_cleanup();
        free(made);
        return -ENOMEM;
    }
    made->loop = loop;
    uv_timer_init(loop, &made->timer);
    made->timer.data = made;
    made->open_handles = 1;
    curl_multi_setopt(made->multi, CURLMOPT_SOCKETFUNCTION, on_want_socket);
    curl_multi_setopt(made->multi, CURLMOPT_SOCKETDATA, made);
    curl_multi_setopt(made->multi, CURLMOPT_TIMERFUNCTION, on_want_timer);
    curl_multi_setopt(made->multi, CURLMOPT_TIMERDATA, made);
    *transfers = made;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct ck_transfers *transfers = handle->data;
    transfers->open_handles--;
    release_if_done(transfers);
}

void ck_transfers_destroy(struct ck_transfers *transfers)
{
    if (transfers == NULL) {
        return;
    }
    while (transfers->running != NULL) {
        ck_transfer_cancel(transfers->running);
    }
    /* The library says QUIT on kept mail connections and waits for the answer: cut them first. */
    for (struct connection *at = transfers->connections; at != NULL; at = at->next) {
        shutdown(at->socket, SHUT_RDWR);
    }
    curl_multi_cleanup(transfers->multi);
    while (transfers->connections != NULL) {
        forget(transfers, transfers->connections->socket);
    }
    curl_global_cleanup();
    transfers->destroyed = true;
    uv_close((uv_handle_t *)&transfers->timer, on_timer_closed);
}
