#include "daemon/notify/witness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/log.h"
#include "daemon/notify/courier.h"
#include "daemon/notify/mail.h"
#include "protocol/base/error.h"

#define TIMEOUT_MS 20000
#define MAIL_TICKET UINT64_MAX

struct ck_witnesses {
    struct ck_witnesses_options options;
    struct ck_courier *courier;
};

/* A size alone on its line, as a witness answers with 409. */
static bool read_size(const char *body, uint64_t *size)
{
    char *end;
    errno = 0;
    *size = strtoull(body, &end, 10);
    return errno == 0 && end != body && (*end == '\0' || strcmp(end, "\n") == 0);
}

static void on_answer(void *user, uint64_t ticket, const struct ck_response *response)
{
    struct ck_witnesses *witnesses = user;
    const struct ck_witnesses_options *options = &witnesses->options;
    bool done = response->fault == CK_TRANSFER_DONE;
    uint64_t size = 0;
    if (ticket == MAIL_TICKET) {
        if (!done || response->status != 250) {
            ck_log_warning("a checkpoint was not taken by mail: status=%d %s", response->status,
                           response->detail);
        }
        return;
    }
    if (done && response->status == 200) {
        options->answered(options->user, (size_t)ticket, response->body, 0);
    } else if (done && response->status == 409 && read_size(response->body, &size)) {
        options->answered(options->user, (size_t)ticket, NULL, size);
    } else {
        ck_log_warning("witness %s does not sign: status=%d %s",
                       options->config->signer.witness_urls.items[ticket], response->status,
                       response->detail);
    }
}

int ck_witnesses_create(struct ck_witnesses **witnesses, uv_loop_t *loop,
                        const struct ck_witnesses_options *options)
{
    struct ck_witnesses *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->options = *options;
    int error = ck_courier_create(&made->courier, loop, on_answer, made);
    if (error != 0) {
        free(made);
        return error;
    }
    *witnesses = made;
    return 0;
}

void ck_witnesses_destroy(struct ck_witnesses *witnesses)
{
    if (witnesses != NULL) {
        ck_courier_destroy(witnesses->courier);
        free(witnesses);
    }
}

int ck_witnesses_ask(struct ck_witnesses *witnesses, size_t witness, const char *body)
{
    const struct ck_config *config = witnesses->options.config;
    struct ck_request request = {
        .kind = CK_REQUEST_HTTP, .method = "POST", .timeout_ms = TIMEOUT_MS};
    request.body = strdup(body);
    request.body_size = strlen(body);
    if (request.body == NULL || asprintf(&request.url, "%s/add-checkpoint",
                                         config->signer.witness_urls.items[witness]) < 0) {
        request.url = NULL;
        ck_request_deinit(&request);
        return -ENOMEM;
    }
    int error = ck_request_header(&request, "Content-Type", "text/plain; charset=utf-8");
    if (error != 0) {
        ck_request_deinit(&request);
        return error;
    }
    return ck_courier_send(witnesses->courier, witness, &request);
}

/* ---- mail ---- */

static char *copy(const char *text, bool *failed)
{
    char *made = text == NULL || *text == '\0' ? NULL : strdup(text);
    *failed |= made == NULL && text != NULL && *text != '\0';
    return made;
}

static int mail_one(struct ck_witnesses *witnesses, const char *to, const char *note, uint64_t size)
{
    const struct ck_config *config = witnesses->options.config;
    struct ck_request request = {.kind = CK_REQUEST_MAIL,
                                 .timeout_ms = config->smtp.timeout_ms,
                                 .tls_required = config->smtp.starttls_required};
    char subject[80], id[64];
    struct ck_wall now = witnesses->options.now();
    bool failed = false;
    snprintf(subject, sizeof subject, "checkpoint %" PRIu64, size);
    snprintf(id, sizeof id, "checkpoint-%" PRIu64 "-%" PRId64, size, now.ms);
    const struct ck_mail mail = {.from = config->smtp.from,
                                 .from_name = config->smtp.from_name,
                                 .to = to,
                                 .subject = subject,
                                 .text = note,
                                 .language = "",
                                 .message_id = id,
                                 .date = now};
    int error = ck_mail_build(&mail, &request.body, &request.body_size);
    failed =
        asprintf(&request.url, "%s/%s", config->smtp.url, strchr(config->smtp.from, '@') + 1) < 0;
    request.url = failed ? NULL : request.url;
    request.mail_from = copy(config->smtp.from, &failed);
    request.mail_to = copy(to, &failed);
    request.user = copy(config->smtp.user, &failed);
    request.password = copy(config->smtp.password.bytes, &failed);
    request.ca_file = copy(config->smtp.ca_file, &failed);
    if (error != 0 || failed) {
        ck_request_deinit(&request);
        return error != 0 ? error : -ENOMEM;
    }
    return ck_courier_send(witnesses->courier, MAIL_TICKET, &request);
}

int ck_witnesses_mail(struct ck_witnesses *witnesses, const char *note, uint64_t size)
{
    const struct ck_config *config = witnesses->options.config;
    int error = 0;
    for (size_t i = 0; *config->smtp.url != '\0' && i < config->signer.witness_mails.count; i++) {
        int one = mail_one(witnesses, config->signer.witness_mails.items[i], note, size);
        error = error == 0 ? one : error;
    }
    return error;
}
