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
    char *connect;
    char *ca_pem;
    int64_t timeout_ms;
    ck_probe_done *done;
    void *user;
    bool asking;
    uint64_t since_ms;
};

static void on_response(void *user, uint64_t ticket, const struct ck_response *response)
{
    (void)ticket;
    struct ck_probe *probe = user;
    char detail[200] = "";
    bool good =
        response->fault == CK_TRANSFER_DONE && response->status >= 200 && response->status <= 299;
    if (response->fault != CK_TRANSFER_DONE) {
        snprintf(detail, sizeof detail, "%s", response->detail);
    } else if (!good) {
        snprintf(detail, sizeof detail, "HTTP %d", response->status);
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

int ck_probe_ask(struct ck_probe *probe)
{
    if (probe->asking) {
        return CK_E_BUSY;
    }
    bool failed = false;
    struct ck_request request = {
        .kind = CK_REQUEST_HTTP,
        .method = "GET",
        .timeout_ms = probe->timeout_ms,
        .fresh = true,
    };
    request.url = copy_or_null(probe->url, &failed);
    request.connect_to = copy_or_null(probe->connect, &failed);
    request.ca_pem = copy_or_null(probe->ca_pem, &failed);
    if (failed) {
        ck_request_deinit(&request);
        return -ENOMEM;
    }
    probe->since_ms = uv_now(probe->loop);
    int error = ck_courier_send(probe->courier, 1, &request);
    probe->asking = error == 0;
    return error;
}
