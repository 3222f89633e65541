/* Notices to other systems of the agency, signed (protocol/webhook.md). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/notify/channel.h"
#include "daemon/notify/judge.h"
#include "daemon/notify/request.h"
#include "daemon/notify/words.h"
#include "protocol/base/error.h"
#include "protocol/signature.h"

/* The body; NULL where memory is short. */
static char *make_body(const struct ck_sending *sending, struct ck_wall now)
{
    char sent_at[CK_WALL_TEXT_SIZE];
    char text[CK_WORDS_LINE_SIZE];
    ck_wall_text(now, sent_at);
    ck_words_line(sending, text);
    json_t *body =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:s}", "version", 1, "reference",
                  sending->reference, "kind", ck_words_name(sending->words), "severity",
                  ck_urgency_name(sending->urgency), "link", sending->link, "text", text, "try",
                  (int)sending->tries, "repeated", sending->repeated, "sent_at", sent_at);
    if (body != NULL && sending->deadline.ms != 0) {
        char deadline[CK_WALL_TEXT_SIZE];
        ck_wall_text(sending->deadline, deadline);
        json_object_set_new(body, "deadline", json_string(deadline));
    }
    char *json = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return json;
}

#define SIGNATURES_SIZE (2 * CK_SIGNATURE_SIZE)

/* By the one line of the secret, or by both while it is changed: "t=…,v1=…,v1=…". */
static int sign(const struct ck_config_secret *secret, struct ck_wall now, const char *body,
                size_t size, char header[static SIGNATURES_SIZE])
{
    const char *end = memchr(secret->bytes, '\n', secret->size);
    size_t first = end == NULL ? secret->size : (size_t)(end - secret->bytes);
    char second[CK_SIGNATURE_SIZE];
    int error = ck_signature_write(secret->bytes, first, now, body, size, header);
    if (error != 0 || end == NULL) {
        return error;
    }
    error = ck_signature_write(end + 1, secret->size - first - 1, now, body, size, second);
    if (error == 0) {
        size_t used = strlen(header);
        snprintf(header + used, SIGNATURES_SIZE - used, "%s", strchr(second, ','));
    }
    return error;
}

static int fill_request(const struct ck_config *config, const struct ck_config_webhook *hook,
                        const struct ck_sending *sending, struct ck_wall now,
                        struct ck_request *request)
{
    const char *ca_file = config->webhook_common.ca_file;
    char signature[SIGNATURES_SIZE];
    request->url = strdup(hook->url);
    request->ca_file = *ca_file == '\0' ? NULL : strdup(ca_file);
    request->body = make_body(sending, now);
    if (request->url == NULL || request->body == NULL ||
        (*ca_file != '\0' && request->ca_file == NULL)) {
        return -ENOMEM;
    }
    request->body_size = strlen(request->body);
    int error = sign(&hook->secret, now, request->body, request->body_size, signature);
    if (error == 0) {
        error = ck_request_header(request, CK_SIGNATURE_HEADER, signature);
    }
    if (error == 0) {
        error = ck_request_header(request, "Idempotency-Key", sending->reference);
    }
    if (error == 0) {
        error = ck_request_header(request, "Content-Type", "application/json");
    }
    return error;
}

static int prepare(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                   struct ck_wall now, struct ck_request *request, struct ck_sent *sent)
{
    const struct ck_config *config = channel->config;
    const struct ck_config_webhook *hook = ck_config_webhook(config, sending->to);
    if (hook == NULL) {
        ck_sent_fill(sent, CK_SENT_REJECTED, 0, "no [webhook %s] is configured", sending->to);
        return CK_E_INVALID;
    }
    struct ck_request made = {
        .kind = CK_REQUEST_HTTP,
        .method = "POST",
        .timeout_ms = config->webhook_common.timeout_ms,
    };
    int error = fill_request(config, hook, sending, now, &made);
    if (error != 0) {
        ck_request_deinit(&made);
        if (error > 0) {
            ck_sent_fill(sent, CK_SENT_REJECTED, 0, "the notice cannot be written for a webhook");
            error = CK_E_INVALID;
        }
        return error;
    }
    *request = made;
    return 0;
}

static void judge(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                  const struct ck_response *response, struct ck_sent *sent)
{
    (void)channel;
    (void)sending;
    if (ck_judge_fault(response, sent)) {
        return;
    }
    if (response->status >= 200 && response->status <= 299) {
        ck_sent_fill(sent, CK_SENT_ACCEPTED, 0, "HTTP %d", response->status);
    } else {
        ck_judge_status(response, sent);
    }
}

void ck_channel_webhook(struct ck_notify_channel *channel, const struct ck_config *config)
{
    *channel = (struct ck_notify_channel){
        .name = "webhook",
        .config = config,
        .on = config->webhook_count > 0,
        .many_servers = true,
        .parallel = config->webhook_common.parallel,
        .per_minute = config->webhook_common.per_minute,
        .prepare = prepare,
        .judge = judge,
    };
}
