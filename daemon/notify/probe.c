#include "daemon/notify/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/notify/courier.h"
#include "protocol/base/error.h"

struct ck_probe {
    struct ck_courier *courier;
    uv_loop_t *loop;
    char *url;
    char *socket; /* NULL: none is asked for */
    char *connect;
    char *ca_pem;
    int64_t timeout_ms;
    ck_probe_done *done;
    void *user;
    bool asking;
    uint64_t since_ms;
};

/* The tickets of the two questions. */
enum { PAGE = 1, SOCKET };

static int ask_for(struct ck_probe *probe, uint64_t what);

/* A close frame with code 4401, which is what a session that is missing gets: it came from where
 * sockets are answered, and not from whatever lets one through. */
static bool is_goodbye(const struct ck_response *response)
{
    static const char unauthenticated[] = {0x11, 0x31};
    const char *body = response->body;
    return response->status == 101 && response->body_size >= 4 && (uint8_t)body[0] == 0x88 &&
           memcmp(body + 2, unauthenticated, sizeof unauthenticated) == 0;
}

static void on_response(void *user, uint64_t ticket, const struct ck_response *response)
{
    struct ck_probe *probe = user;
    char detail[200] = "";
    bool answered = response->fault == CK_TRANSFER_DONE;
    bool good = answered && (ticket == SOCKET ? is_goodbye(response)
                                              : response->status >= 200 && response->status <= 299);
    if (good && ticket == PAGE && probe->socket != NULL) {
        good = ask_for(probe, SOCKET) == 0;
        if (good) {
            return;
        }
        snprintf(detail, sizeof detail, "the socket cannot be asked for");
    } else if (!answered) {
        snprintf(detail, sizeof detail, "%s", response->detail);
    } else if (!good) {
        snprintf(detail, sizeof detail, "%sHTTP %d", ticket == SOCKET ? "the WebSocket: " : "",
                 response->status);
    }
    probe->asking = false;
    probe->done(probe->user, good, (int64_t)(uv_now(probe->loop) - probe->since_ms), detail);
}

static char *copy_or_null(const char *text, bool *failed)
{
    char *copy = text == NULL ? NULL : strdup(text);
    *failed |= text != NULL && copy == NULL;
    return copy;
}

static void free_probe(struct ck_probe *probe)
{
    free(probe->url);
    free(probe->socket);
    free(probe->connect);
    free(probe->ca_pem);
    free(probe);
}

int ck_probe_create(struct ck_probe **probe, uv_loop_t *loop,
                    const struct ck_probe_options *options)
{
    struct ck_probe *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    bool failed = false;
    made->loop = loop;
    made->url = copy_or_null(options->url, &failed);
    made->socket = copy_or_null(options->socket, &failed);
    made->connect = copy_or_null(options->connect, &failed);
    made->ca_pem = copy_or_null(options->ca_pem, &failed);
    made->timeout_ms = options->timeout_ms;
    made->done = options->done;
    made->user = options->user;
    int error = failed ? -ENOMEM : ck_courier_create(&made->courier, loop, on_response, made);
    if (error != 0) {
        free_probe(made);
        return error;
    }
    *probe = made;
    return 0;
}

void ck_probe_destroy(struct ck_probe *probe)
{
    if (probe != NULL) {
        ck_courier_destroy(probe->courier);
        free_probe(probe);
    }
}

int ck_probe_set_ca(struct ck_probe *probe, const char *ca_pem)
{
    char *copy = strdup(ca_pem);
    if (copy == NULL) {
        return -ENOMEM;
    }
    free(probe->ca_pem);
    probe->ca_pem = copy;
    return 0;
}

/* The headers of RFC 6455 section 4.1; pages of the server's own name alone are let in. */
static int add_upgrade(struct ck_request *request, const char *url)
{
    char origin[300];
    const char *host = strstr(url, "://");
    size_t size = host == NULL ? 0 : (size_t)(host + 3 - url) + strcspn(host + 3, "/");
    snprintf(origin, sizeof origin, "%.*s", size < sizeof origin ? (int)size : 0, url);
    const char *const headers[][2] = {{"Connection", "Upgrade"},
                                      {"Upgrade", "websocket"},
                                      {"Sec-WebSocket-Version", "13"},
                                      {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="},
                                      {"Origin", origin}};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof headers / sizeof headers[0]; i++) {
        r = ck_request_header(request, headers[i][0], headers[i][1]);
    }
    request->upgrade = true;
    return r;
}

static int ask_for(struct ck_probe *probe, uint64_t what)
{
    bool failed = false;
    struct ck_request request = {
        .kind = CK_REQUEST_HTTP,
        .method = "GET",
        .timeout_ms = probe->timeout_ms,
        .fresh = true,
    };
    request.url = copy_or_null(what == SOCKET ? probe->socket : probe->url, &failed);
    request.connect_to = copy_or_null(probe->connect, &failed);
    request.ca_pem = copy_or_null(probe->ca_pem, &failed);
    int error = failed ? -ENOMEM : what == SOCKET ? add_upgrade(&request, probe->socket) : 0;
    if (error != 0) {
        ck_request_deinit(&request);
        return error;
    }
    return ck_courier_send(probe->courier, what, &request);
}

int ck_probe_ask(struct ck_probe *probe)
{
    if (probe->asking) {
        return CK_E_BUSY;
    }
    probe->since_ms = uv_now(probe->loop);
    int error = ask_for(probe, PAGE);
    probe->asking = error == 0;
    return error;
}
