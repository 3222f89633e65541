/* Notices by SMS and by telephone, through gateways that take JSON over HTTP
 * (protocol/sms-gateway.md, protocol/voice-gateway.md). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/notify/channel.h"
#include "daemon/notify/gateway_body.h"
#include "daemon/notify/judge.h"
#include "daemon/notify/request.h"
#include "daemon/notify/words.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define DIGITS_MIN 7
#define DIGITS_MAX 15

/* E.164: '+' and 7 to 15 digits. */
static bool number_ok(const char *number)
{
    size_t digits = *number == '+' ? strspn(number + 1, "0123456789") : 0;
    return digits >= DIGITS_MIN && digits <= DIGITS_MAX && number[1 + digits] == '\0';
}

static int set_token(struct ck_request *request, const char *token)
{
    if (token == NULL) {
        return 0;
    }
    ck_cleanup(ck_freep) char *value = NULL;
    if (asprintf(&value, "Bearer %s", token) < 0) {
        return -ENOMEM;
    }
    return ck_request_header(request, "Authorization", value);
}

/* What is said: a call has no link. */
static void write_text(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                       char text[static CK_WORDS_SMS_SIZE])
{
    if (channel->gateway == &channel->config->voice) {
        ck_words_line(sending, text);
    } else {
        ck_words_sms(sending, text);
    }
}

static int fill_request(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                        struct ck_request *request)
{
    const struct ck_config_gateway *gateway = channel->gateway;
    char text[CK_WORDS_SMS_SIZE];
    write_text(channel, sending, text);
    const struct ck_gateway_values values = {
        .to = sending->to,
        .text = text,
        .reference = sending->reference,
        .language = sending->language,
        .kind = ck_words_name(sending->words),
    };
    int error = ck_gateway_body(gateway->body, &values, &request->body, &request->body_size);
    if (error == 0) {
        error = ck_request_header(request, "Content-Type", "application/json");
    }
    if (error == 0) {
        error = ck_request_header(request, "Idempotency-Key", sending->reference);
    }
    if (error == 0) {
        error = set_token(request, gateway->token.bytes);
    }
    request->url = strdup(gateway->url);
    request->ca_file = *gateway->ca_file == '\0' ? NULL : strdup(gateway->ca_file);
    bool short_of_memory =
        request->url == NULL || (*gateway->ca_file != '\0' && request->ca_file == NULL);
    return error == 0 && short_of_memory ? -ENOMEM : error;
}

static int prepare(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                   struct ck_wall now, struct ck_request *request, struct ck_sent *sent)
{
    (void)now;
    const struct ck_config_gateway *gateway = channel->gateway;
    if (!number_ok(sending->to)) {
        ck_sent_fill(sent, CK_SENT_REJECTED, 0, "not a number of the form +77011234567");
        return CK_E_INVALID;
    }
    struct ck_request made = {
        .kind = CK_REQUEST_HTTP,
        .method = gateway->method == CK_GATEWAY_PUT ? "PUT" : "POST",
        .timeout_ms = gateway->timeout_ms,
    };
    int error = fill_request(channel, sending, &made);
    if (error != 0) {
        ck_request_deinit(&made);
        if (error > 0) {
            ck_sent_fill(sent, CK_SENT_REJECTED, 0, "the notice cannot be written for the gateway");
            error = CK_E_INVALID;
        }
        return error;
    }
    *request = made;
    return 0;
}

static bool in_list(const struct ck_config_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* A gateway may say no with status 200: what its body says counts as well. */
static void judge_body(const struct ck_config_gateway *gateway, const struct ck_response *response,
                       struct ck_sent *sent)
{
    char value[100] = "";
    const char *field = gateway->accept_field;
    if (*field != '\0') {
        bool found =
            ck_judge_field(response->body, response->body_size, field, value, sizeof value);
        if (!found || !in_list(&gateway->accept_values, value)) {
            ck_sent_fill(sent, CK_SENT_REFUSED, 0, "HTTP %d, but %s is %s%s%s", response->status,
                         field, found ? "\"" : "", found ? value : "missing", found ? "\"" : "");
            return;
        }
    }
    ck_sent_fill(sent, CK_SENT_ACCEPTED, 0, "HTTP %d", response->status);
    char id[CK_SENT_ID_SIZE] = "";
    if (*gateway->id_field != '\0' &&
        ck_judge_field(response->body, response->body_size, gateway->id_field, id, sizeof id) &&
        ck_utf8_valid(id, strlen(id))) {
        memcpy(sent->provider_id, id, sizeof id);
    }
}

static void judge(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                  const struct ck_response *response, struct ck_sent *sent)
{
    (void)sending;
    const struct ck_config_gateway *gateway = channel->gateway;
    if (ck_judge_fault(response, sent)) {
        return;
    }
    char status[12];
    snprintf(status, sizeof status, "%d", response->status);
    if (in_list(&gateway->accept, status)) {
        judge_body(gateway, response, sent);
    } else {
        ck_judge_status(response, sent);
    }
}

static void fill_channel(struct ck_notify_channel *channel, const struct ck_config *config,
                         const struct ck_config_gateway *gateway, const char *name)
{
    *channel = (struct ck_notify_channel){
        .name = name,
        .config = config,
        .gateway = gateway,
        .on = *gateway->url != '\0',
        .parallel = gateway->parallel,
        .per_minute = gateway->per_minute,
        .prepare = prepare,
        .judge = judge,
    };
}

void ck_channel_sms(struct ck_notify_channel *channel, const struct ck_config *config)
{
    fill_channel(channel, config, &config->sms, "sms");
}

void ck_channel_voice(struct ck_notify_channel *channel, const struct ck_config *config)
{
    fill_channel(channel, config, &config->voice, "voice");
}
