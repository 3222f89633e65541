/* Notices to browsers that have subscribed, through their push services (RFC 8030). The service
 * sees when and to whom, not what: the text is encrypted for the browser. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/notify/channel.h"
#include "daemon/notify/judge.h"
#include "daemon/notify/push_service.h"
#include "daemon/notify/request.h"
#include "daemon/notify/words.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/web_push.h"

#define LIFE_DEFAULT_S 3600
#define LIFE_MAX_S 86400
#define TOPIC_MAX 32 /* RFC 8030 section 5.4 */

/* What the page's service worker gets; NULL where memory is short. */
static char *make_text(const struct ck_sending *sending)
{
    char line[CK_WORDS_LINE_SIZE];
    ck_words_line(sending, line);
    json_t *body = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:b}", "version", 1, "kind",
                             ck_words_name(sending->words), "title", line, "link", sending->link,
                             "reference", sending->reference, "severity",
                             ck_urgency_name(sending->urgency), "repeated", sending->repeated);
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

/* Encrypts the text for the browser into the request's body. */
static int make_body(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                     const struct ck_push_subscription *subscription, struct ck_request *request)
{
    uint8_t salt[CK_PUSH_SALT_SIZE], key[CK_P256_PRIVATE_SIZE];
    ck_cleanup(ck_freep) char *text = make_text(sending);
    if (text == NULL) {
        return -ENOMEM;
    }
    size_t size = strlen(text);
    request->body = malloc(size + CK_PUSH_OVERHEAD);
    if (request->body == NULL) {
        return -ENOMEM;
    }
    request->body_size = size + CK_PUSH_OVERHEAD;
    channel->random(NULL, salt, sizeof salt);
    int error;
    do { /* one number in 2^32 is no key */
        channel->random(NULL, key, sizeof key);
        error = ck_push_encrypt(subscription, key, salt, text, size, (uint8_t *)request->body);
    } while (error == CK_E_INVALID);
    ck_wipe(key, sizeof key);
    return error;
}

/* For how long the service shall keep it for a browser that is away. */
static int64_t life_s(const struct ck_sending *sending, struct ck_wall now)
{
    if (sending->deadline.ms == 0) {
        return LIFE_DEFAULT_S;
    }
    int64_t left = (sending->deadline.ms - now.ms) / 1000;
    return left < 0 ? 0 : left > LIFE_MAX_S ? LIFE_MAX_S : left;
}

static int set_headers(const struct ck_config *config, const struct ck_sending *sending,
                       const struct ck_push_subscription *subscription, struct ck_wall now,
                       struct ck_request *request)
{
    uint8_t key[CK_P256_PRIVATE_SIZE];
    char vapid[CK_PUSH_VAPID_SIZE], life[24];
    int error = ck_hex_decode(config->web_push.key.bytes, key, sizeof key);
    if (error == 0) {
        error = ck_push_vapid(key, subscription->endpoint, config->web_push.subject, now, vapid);
    }
    ck_wipe(key, sizeof key);
    snprintf(life, sizeof life, "%lld", (long long)life_s(sending, now));
    const char *const headers[][2] = {
        {"Authorization", vapid},
        {"TTL", life},
        {"Urgency", sending->urgency >= CK_URGENCY_HIGH || sending->words == CK_WORDS_RING
                        ? "high"
                        : "normal"},
        {"Topic", sending->reference},
        {"Content-Encoding", "aes128gcm"},
        {"Content-Type", "application/octet-stream"},
    };
    for (size_t i = 0; error == 0 && i < sizeof headers / sizeof headers[0]; i++) {
        bool topic = strcmp(headers[i][0], "Topic") == 0;
        if (!topic || strlen(sending->reference) <= TOPIC_MAX) {
            error = ck_request_header(request, headers[i][0], headers[i][1]);
        }
    }
    return error;
}

static int fill_request(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                        const struct ck_push_subscription *subscription, struct ck_wall now,
                        struct ck_request *request)
{
    const struct ck_config *config = channel->config;
    const char *ca_file = config->web_push.ca_file;
    int error = make_body(channel, sending, subscription, request);
    if (error == 0) {
        error = set_headers(config, sending, subscription, now, request);
    }
    request->url = strdup(subscription->endpoint);
    request->ca_file = *ca_file == '\0' ? NULL : strdup(ca_file);
    bool short_of_memory = request->url == NULL || (*ca_file != '\0' && request->ca_file == NULL);
    return error == 0 && short_of_memory ? -ENOMEM : error;
}

static int prepare(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                   struct ck_wall now, struct ck_request *request, struct ck_sent *sent)
{
    struct ck_push_subscription subscription;
    if (ck_push_subscription_read(sending->to, strlen(sending->to), &subscription) != 0) {
        ck_sent_fill(sent, CK_SENT_REJECTED, 0, "not a subscription of a browser");
        return CK_E_INVALID;
    }
    if (!ck_push_service_ok(channel->config, subscription.endpoint)) {
        ck_sent_fill(sent, CK_SENT_REJECTED, 0,
                     "its push service is not one of [web_push] services");
        return CK_E_INVALID;
    }
    struct ck_request made = {
        .kind = CK_REQUEST_HTTP,
        .method = "POST",
        .timeout_ms = channel->config->web_push.timeout_ms,
    };
    int error = fill_request(channel, sending, &subscription, now, &made);
    if (error != 0) {
        ck_request_deinit(&made);
        if (error > 0) {
            ck_sent_fill(sent, CK_SENT_REJECTED, 0, "the notice cannot be written as a push");
            error = CK_E_INVALID;
        }
        return error;
    }
    *request = made;
    return 0;
}

/* 404 and 410 mean that the browser has unsubscribed (RFC 8030 section 7.3). */
static void judge(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                  const struct ck_response *response, struct ck_sent *sent)
{
    (void)channel;
    (void)sending;
    if (ck_judge_fault(response, sent)) {
        return;
    }
    if (response->status == 200 || response->status == 201 || response->status == 202) {
        ck_sent_fill(sent, CK_SENT_ACCEPTED, 0, "HTTP %d", response->status);
    } else if (response->status == 404 || response->status == 410) {
        ck_sent_fill(sent, CK_SENT_REJECTED, 0, "HTTP %d: the browser has unsubscribed",
                     response->status);
        sent->gone = true;
    } else {
        ck_judge_status(response, sent);
    }
}

void ck_channel_web_push(struct ck_notify_channel *channel, const struct ck_config *config)
{
    *channel = (struct ck_notify_channel){
        .name = "web_push",
        .config = config,
        .on = config->web_push.key.bytes != NULL,
        .many_servers = true,
        .parallel = config->web_push.parallel,
        .per_minute = config->web_push.per_minute,
        .prepare = prepare,
        .judge = judge,
    };
}
