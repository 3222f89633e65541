/* Browsers that are to be told (protocol/web-push.md), and whom no way leads to. */
#include <errno.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "daemon/notify/push_service.h"
#include "daemon/store/path.h"
#include "daemon/store/push.h"
#include "protocol/base/error.h"
#include "protocol/base/p256.h"
#include "protocol/base/text.h"
#include "protocol/web_push.h"

int ck_api_paths(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return ck_query_paths(store, call->actor.unit_id, out);
}

void ck_api_push_key(struct ck_api_call *call)
{
    const struct ck_config_secret *secret = &call->api->options.config->web_push.key;
    uint8_t private_key[CK_P256_PRIVATE_SIZE], public_key[CK_P256_PUBLIC_SIZE];
    char text[CK_BASE64URL_SIZE(CK_P256_PUBLIC_SIZE)];
    if (secret->bytes == NULL) {
        ck_api_answer_json(call, 200, json_pack("{s:n}", "key"), NULL);
        return;
    }
    int error = ck_hex_decode(secret->bytes, private_key, sizeof private_key);
    error = error == 0 ? ck_p256_public(private_key, public_key) : error;
    ck_wipe(private_key, sizeof private_key);
    if (error != 0) {
        ck_api_answer_error(call, error < 0 ? error : -EUCLEAN, NULL);
        return;
    }
    ck_base64url_encode(public_key, sizeof public_key, text);
    ck_api_answer_json(call, 200, json_pack("{s:s}", "key", text), NULL);
}

static void on_subscribed(void *cookie, const struct ck_result *result)
{
    struct ck_api_call *call = cookie;
    if (result->code != 0) {
        ck_api_answer_error(call, result->code, &result->refusal);
    } else {
        ck_api_answer_json(call, 200, json_object(), NULL);
    }
}

/* A browser names its push service itself: one that is not ours to speak to is refused, so that
 * nobody makes the daemon call a host of their choice. */
void ck_api_push_subscribe(struct ck_api_call *call)
{
    struct ck_push_subscription subscription;
    const char *text = ck_api_text(call, "subscription", CK_PUSH_TEXT_SIZE - 1);
    if (text == NULL) {
        return;
    }
    if (ck_push_subscription_read(text, strlen(text), &subscription) != 0) {
        ck_api_refuse(call, CK_E_INVALID, "subscription", "is not a PushSubscription as JSON");
        return;
    }
    if (!ck_push_service_ok(call->api->options.config, subscription.endpoint)) {
        ck_api_refuse(call, CK_E_INVALID, "subscription",
                      "its push service is not one that is spoken to");
        return;
    }
    ck_api_submit(call, "push.subscribe", json_pack("{s:s}", "subscription", text), on_subscribed);
}
