/* Requests: from the header block that libwebsockets parsed to the whole, checked request of
 * server.h. */
#include <errno.h>
#include <string.h>

#include "daemon/http/server_impl.h"
#include "daemon/http/syntax.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define BODY_FIRST 4096 /* bytes of body to allocate at first; grows with what really comes */

/* ---- checks ---- */

unsigned ck_http_check_host(struct connection *connection, bool origin_checked, bool origin_needed)
{
    struct ck_http *http = connection->http;
    ck_cleanup(ck_freep) char *host = NULL;
    ck_cleanup(ck_freep) char *origin = NULL;
    if (ck_http_header_copy(connection->wsi, WSI_TOKEN_HOST, CK_HTTP_HEADER_VALUE_MAX, &host) !=
        0) {
        return 400;
    }
    if (!ck_http_host_is(host, (const char *const *)http->hosts, http->host_count)) {
        return 421;
    }
    if (!origin_checked) {
        return 0;
    }
    int found =
        ck_http_header_copy(connection->wsi, WSI_TOKEN_ORIGIN, CK_HTTP_HEADER_VALUE_MAX, &origin);
    if (found == CK_E_NOT_FOUND && !origin_needed) {
        return 0;
    }
    return found == 0 && ck_http_origin_is(origin, host) ? 0 : 403;
}

static bool is_proxy(const struct ck_http *http, const char *address)
{
    for (size_t i = 0; i < http->proxy_count; i++) {
        if (strcmp(http->proxies[i], address) == 0) {
            return true;
        }
    }
    return false;
}

bool ck_http_admit(struct connection *connection, char *address)
{
    struct ck_http *http = connection->http;
    memcpy(address, connection->address.text, ADDRESS_TEXT);
    const void *key = connection->address.key;
    size_t key_size = connection->address.size;
    ck_cleanup(ck_freep) char *forwarded = NULL;
    if (is_proxy(http, address) && ck_http_header_copy(connection->wsi, WSI_TOKEN_X_FORWARDED_FOR,
                                                       CK_HTTP_HEADER_VALUE_MAX, &forwarded) == 0) {
        /* The last one is what our proxy saw; what stands before it the client may have written. */
        const char *comma = strrchr(forwarded, ',');
        const char *last = comma == NULL ? forwarded : comma + 1;
        last += strspn(last, " \t");
        if (*last != '\0' && strlen(last) < ADDRESS_TEXT) {
            memcpy(address, last, strlen(last) + 1);
            key = address;
            key_size = strlen(address);
        }
    }
    return ck_limit_take(http->rate, key, key_size, ck_http_now(http), NULL) == 0;
}

static bool method_of(struct lws *wsi, struct ck_http_request *request)
{
    char *path;
    int size;
    switch (lws_http_get_uri_and_method(wsi, &path, &size)) {
    case LWSHUMETH_GET:
        return true;
    case LWSHUMETH_HEAD:
        request->head = true;
        return true;
    case LWSHUMETH_POST:
        request->method = CK_HTTP_POST;
        return true;
    default:
        return false;
    }
}

/* A header that libwebsockets has no token for; `name` in lower case with its colon. 0 also where
 * it is missing. */
static int copy_custom(struct lws *wsi, const char *name, char **field)
{
    int name_size = (int)strlen(name);
    int size = lws_hdr_custom_length(wsi, name, name_size);
    if (size < 0) {
        return 0;
    }
    if (size > CK_HTTP_HEADER_VALUE_MAX) {
        return CK_E_LIMIT;
    }
    char *value = malloc((size_t)size + 1);
    if (value == NULL) {
        return -ENOMEM;
    }
    *field = value;
    if (lws_hdr_custom_copy(wsi, value, size + 1, name, name_size) < 0) {
        return CK_E_LIMIT;
    }
    value[size] = '\0';
    return 0;
}

static int copy_fields(struct lws *wsi, struct ck_http_request *request)
{
    static const enum lws_token_indexes tokens[] = {
        [CK_HTTP_CONTENT_TYPE] = WSI_TOKEN_HTTP_CONTENT_TYPE,
        [CK_HTTP_IF_NONE_MATCH] = WSI_TOKEN_HTTP_IF_NONE_MATCH,
        [CK_HTTP_RANGE] = WSI_TOKEN_HTTP_RANGE,
        [CK_HTTP_ACCEPT_ENCODING] = WSI_TOKEN_HTTP_ACCEPT_ENCODING,
        [CK_HTTP_ACCEPT_LANGUAGE] = WSI_TOKEN_HTTP_ACCEPT_LANGUAGE,
        [CK_HTTP_USER_AGENT] = WSI_TOKEN_HTTP_USER_AGENT,
    };
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        int result =
            ck_http_header_copy(wsi, tokens[i], CK_HTTP_HEADER_VALUE_MAX, &request->fields[i]);
        if (result != 0 && result != CK_E_NOT_FOUND) {
            return result;
        }
    }
    int result = copy_custom(wsi, "x-csrf-token:", &request->fields[CK_HTTP_CSRF]);
    result = result == 0
                 ? copy_custom(wsi, "checkind-signature:", &request->fields[CK_HTTP_SIGNATURE])
                 : result;
    if (result != 0) {
        return result;
    }
    result =
        ck_http_header_copy(wsi, WSI_TOKEN_HTTP_COOKIE, CK_HTTP_COOKIES_MAX, &request->cookies);
    return result == CK_E_NOT_FOUND ? 0 : result;
}

static int copy_query(struct lws *wsi, struct ck_http_request *request)
{
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS) > CK_HTTP_QUERY_MAX) {
        return CK_E_LIMIT;
    }
    char member[CK_HTTP_QUERY_MAX + 1];
    size_t most = sizeof request->query / sizeof request->query[0];
    for (int i = 0;; i++) {
        int size = lws_hdr_copy_fragment(wsi, member, sizeof member, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (size < 0) {
            return 0;
        }
        if (request->query_count == most) {
            return CK_E_LIMIT;
        }
        if ((request->query[request->query_count] = strndup(member, (size_t)size)) == NULL) {
            return -ENOMEM;
        }
        request->query_count++;
    }
}

/* Whether the body is announced as it must be. 0 or the status to refuse with. *length is the
 * announced one as far as it can be believed. */
static unsigned check_body(struct connection *connection, const struct ck_http_request *request,
                           uint64_t *length)
{
    struct lws *wsi = connection->wsi;
    *length = 0;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0 ||
        lws_hdr_total_length(wsi, WSI_TOKEN_TE) > 0) {
        return 400;
    }
    ck_cleanup(ck_freep) char *text = NULL;
    int found = ck_http_header_copy(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, 32, &text);
    if (found == CK_E_NOT_FOUND) {
        return request->method == CK_HTTP_POST ? 411 : 0;
    }
    if (found != 0 || ck_http_content_length(text, length) != 0) {
        *length = 0;
        return 400;
    }
    if (request->method != CK_HTTP_POST) {
        return *length == 0 ? 0 : 400;
    }
    struct ck_http *http = connection->http;
    if (*length > http->handlers.body_limit(http->handlers.user, request->path)) {
        return 413;
    }
    size_t most = *length > CK_HTTP_BODY_LARGE ? CK_HTTP_LARGE_MAX : CK_HTTP_BODIES_MAX;
    return http->bodies + *length > most ? 503 : 0;
}

/* A large body takes one of the few places of its address, so that nobody keeps those of all others
 * with bodies that never come. 0 or the status to refuse with. */
static unsigned hold_large(struct connection *connection, struct ck_http_request *request)
{
    struct ck_http *http = connection->http;
    const struct address *address = &connection->address;
    bool direct = strcmp(request->address, address->text) == 0;
    size_t size = direct ? address->size : strlen(request->address);
    request->large_key[0] = 'L'; /* beside the connections of the same address */
    memcpy(request->large_key + 1, direct ? (const void *)address->key : request->address, size);
    if (ck_limit_hold(http->rate, request->large_key, size + 1, CK_HTTP_LARGE_PER_ADDRESS,
                      ck_http_now(http)) != 0) {
        http->counts.refused_requests++;
        return 429;
    }
    request->large_key_size = size + 1;
    return 0;
}

/* Everything that can be said from the header block alone. 0 or the status to refuse with. */
static unsigned check(struct connection *connection, struct ck_http_request *request,
                      const char *path, size_t size, uint64_t *length)
{
    struct lws *wsi = connection->wsi;
    *length = 0;
    if (!method_of(wsi, request)) {
        return 405;
    }
    if (size > CK_HTTP_PATH_MAX) {
        return 414;
    }
    if (!ck_http_path_is_clean(path, size)) {
        return 400;
    }
    memcpy(request->path, path, size);
    ck_cleanup(ck_freep) char *version = NULL;
    if (ck_http_header_copy(wsi, WSI_TOKEN_HTTP, 16, &version) != 0 ||
        (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)) {
        return 505;
    }
    ck_cleanup(ck_freep) char *wish = NULL;
    int has_wish = ck_http_header_copy(wsi, WSI_TOKEN_CONNECTION, 64, &wish);
    request->keep_alive =
        version[7] == '1' && request->method == CK_HTTP_GET &&
        (has_wish == CK_E_NOT_FOUND || (has_wish == 0 && strcasecmp(wish, "keep-alive") == 0)) &&
        !is_proxy(connection->http, connection->address.text);
    unsigned status = ck_http_check_host(connection, request->method == CK_HTTP_POST, false);
    if (status == 0 && !ck_http_admit(connection, request->address)) {
        connection->http->counts.refused_requests++;
        status = 429;
    }
    unsigned body_status = check_body(connection, request, length);
    if (status == 0) {
        status = body_status;
    }
    if (status == 0) {
        int query = copy_query(wsi, request);
        int fields = copy_fields(wsi, request);
        status = query == CK_E_LIMIT         ? 414
                 : fields == CK_E_LIMIT      ? 431
                 : query != 0 || fields != 0 ? 503
                                             : 0;
    }
    return status == 0 && *length > CK_HTTP_BODY_LARGE ? hold_large(connection, request) : status;
}

/* ---- the life of a request ---- */

static void hand_over(struct connection *connection)
{
    struct ck_http_request *request = connection->request;
    struct ck_http *http = connection->http;
    request->complete = true;
    /* What is behind the request waits until the answer is out: libwebsockets would spin on it. */
    lws_rx_flow_control(connection->wsi, 0);
    lws_set_timeout(connection->wsi, NO_PENDING_TIMEOUT, 0);
    ck_http_phase(connection, PHASE_HANDLER, CK_HTTP_HANDLER_MS);
    if (request->refused != 0) {
        ck_http_answer_status(request, request->refused);
        return;
    }
    http->handlers.request(http->handlers.user, request);
}

int ck_http_request_begin(struct connection *connection, const char *path, size_t size)
{
    struct ck_http *http = connection->http;
    if (connection->request !=
        NULL) { /* the one before is not answered: nothing of ours allows it */
        return -1;
    }
    struct ck_http_request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        return -1;
    }
    request->connection = connection;
    connection->request = request;
    http->counts.requests++;
    http->counts.requests_open++;
    uint64_t length;
    request->refused = check(connection, request, path, size, &length);
    if (request->refused != 0) {
        if (request->refused != 429) {
            http->counts.malformed++;
        }
        request->keep_alive = false;
    }
    bool with_body = request->method == CK_HTTP_POST;
    if (!with_body || (request->refused != 0 && (length == 0 || length > CK_HTTP_DISCARD_MAX))) {
        hand_over(connection);
        return 0;
    }
    request->body_length = (size_t)length;
    if (request->refused == 0) {
        http->bodies += request->body_length;
    }
    ck_http_phase(connection, PHASE_BODY,
                  CK_HTTP_BODY_MS + (int64_t)(length * 1000 / CK_HTTP_BODY_BYTES_PER_S));
    lws_set_timeout(connection->wsi, NO_PENDING_TIMEOUT, 0);
    return 0;
}

int ck_http_request_data(struct connection *connection, const void *data, size_t size)
{
    struct ck_http_request *request = connection->request;
    if (request == NULL || request->complete) {
        return 0; /* of a request that was refused before its body */
    }
    if (size > request->body_length - request->body_size) {
        return -1;
    }
    if (request->refused == 0 && size > 0) {
        /* Grows with what has come, so that announcing much costs us nothing. */
        size_t have = request->body == NULL ? 0 : request->body_size;
        size_t want = have + size;
        size_t room = BODY_FIRST;
        while (room < want) {
            room *= 2;
        }
        size_t before = BODY_FIRST;
        while (before < have) {
            before *= 2;
        }
        if (request->body == NULL || room != before) {
            char *grown = realloc(request->body, room + 1);
            if (grown == NULL) {
                return -1;
            }
            request->body = grown;
        }
        memcpy(request->body + have, data, size);
        request->body[want] = '\0';
    }
    request->body_size += size;
    return 0;
}

int ck_http_request_complete(struct connection *connection)
{
    struct ck_http_request *request = connection->request;
    if (request == NULL || request->complete) {
        return 0; /* libwebsockets says it twice where a pipelined request follows the body */
    }
    if (request->body_size != request->body_length) {
        return -1;
    }
    hand_over(connection);
    return 0;
}

void ck_http_request_orphan(struct connection *connection)
{
    struct ck_http_request *request = connection->request;
    if (request == NULL) {
        return;
    }
    connection->request = NULL;
    request->connection = NULL;
    struct ck_http *http = connection->http;
    http->counts.requests_open--;
    if (request->refused == 0) {
        http->bodies -= request->body_length;
    }
    if (request->large_key_size > 0) {
        ck_limit_release(http->rate, request->large_key, request->large_key_size);
    }
    /* It stays for a handler that still has it: before its answer, or with a piece under way. */
    bool held = request->complete && !request->answered;
    if (!held && !request->wanting) {
        ck_http_request_free(request);
    }
}

void ck_http_request_free(struct ck_http_request *request)
{
    if (request->streaming) {
        request->stream.done(request->stream.user);
    }
    for (size_t i = 0; i < CK_HTTP_FIELDS; i++) {
        free(request->fields[i]);
    }
    for (size_t i = 0; i < request->query_count; i++) {
        free(request->query[i]);
    }
    free(request->cookies);
    free(request->body);
    free(request->headers);
    free(request->out_owned);
    free(request);
}

/* ---- what a handler reads ---- */

enum ck_http_method ck_http_request_method(const struct ck_http_request *request)
{
    return request->method;
}

const char *ck_http_request_path(const struct ck_http_request *request)
{
    return request->path;
}

const char *ck_http_request_address(const struct ck_http_request *request)
{
    return request->address;
}

const char *ck_http_request_field(const struct ck_http_request *request, enum ck_http_field field)
{
    return request->fields[field];
}

const char *ck_http_request_body(const struct ck_http_request *request, size_t *size)
{
    *size = request->body == NULL ? 0 : request->body_size;
    return request->body == NULL ? "" : request->body;
}

int ck_http_request_query(const struct ck_http_request *request, const char *name, char *value,
                          size_t capacity)
{
    size_t name_size = strlen(name);
    const char *found = NULL;
    for (size_t i = 0; i < request->query_count; i++) {
        const char *member = request->query[i];
        if (strncmp(member, name, name_size) == 0 && member[name_size] == '=') {
            if (found != NULL) {
                return CK_E_SYNTAX;
            }
            found = member + name_size + 1;
        }
    }
    if (found == NULL) {
        return CK_E_NOT_FOUND;
    }
    size_t size = strlen(found);
    if (!ck_utf8_valid(found, size)) {
        return CK_E_SYNTAX;
    }
    if (size >= capacity) {
        return CK_E_LIMIT;
    }
    memcpy(value, found, size + 1);
    return 0;
}

int ck_http_request_cookie(const struct ck_http_request *request, const char *name, char *value,
                           size_t capacity)
{
    return request->cookies == NULL ? CK_E_NOT_FOUND
                                    : ck_http_cookie_value(request->cookies, name, value, capacity);
}

void ck_http_request_set_context(struct ck_http_request *request, void *context)
{
    request->context = context;
}

void *ck_http_request_context(const struct ck_http_request *request)
{
    return request->context;
}

bool ck_http_request_gone(const struct ck_http_request *request)
{
    return request->connection == NULL;
}
