/* The person's own phone: a challenge, and the session it is exchanged for. */
#include <stdio.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define CHALLENGE_MS 120000
#define TAG_SIZE 16

/* A challenge is its time and a tag of it under a key of this process: nothing needs to be kept,
 * and the engine takes each moment once. */
struct challenge {
    uint8_t at[8];
    uint8_t tag[TAG_SIZE];
};

static int make(const struct ck_api *api, int64_t at_ms, struct challenge *challenge)
{
    uint8_t digest[CK_SHA256_SIZE];
    for (int i = 0; i < 8; i++) {
        challenge->at[i] = (uint8_t)((uint64_t)at_ms >> (56 - 8 * i));
    }
    int r = ck_hmac_sha256(api->challenge_key, sizeof api->challenge_key,
                           &(struct ck_slice){challenge->at, sizeof challenge->at}, 1, digest);
    memcpy(challenge->tag, digest, TAG_SIZE);
    return r;
}

void ck_api_device_challenge(struct ck_api_call *call)
{
    struct challenge challenge;
    char text[CK_BASE64URL_SIZE(sizeof challenge)];
    int r = make(call->api, call->now.ms, &challenge);
    if (r != 0) {
        ck_api_answer_error(call, r, NULL);
        return;
    }
    ck_base64url_encode(&challenge, sizeof challenge, text);
    ck_api_answer_json(call, 200, json_pack("{s:s}", "challenge", text), NULL);
}

/* The time of a challenge of ours that is still good, or 0. */
static int64_t challenge_time(const struct ck_api_call *call, const char *text)
{
    struct challenge given, ours;
    size_t size = 0;
    int64_t at = 0;
    if (ck_base64url_decode(text, &given, sizeof given, &size) != 0 || size != sizeof given) {
        return 0;
    }
    for (size_t i = 0; i < sizeof given.at; i++) {
        at = (int64_t)((uint64_t)at << 8 | given.at[i]);
    }
    bool fresh = at <= call->now.ms && call->now.ms - at < CHALLENGE_MS;
    return fresh && make(call->api, at, &ours) == 0 &&
                   ck_equal_secret(given.tag, ours.tag, sizeof ours.tag)
               ? at
               : 0;
}

void ck_api_device_enter(struct ck_api_call *call)
{
    const char *text = ck_api_text(call, "challenge", 64);
    if (text == NULL) {
        return;
    }
    int64_t at = challenge_time(call, text);
    if (at == 0) {
        ck_api_refuse(call, CK_E_CONFLICT, "challenge", "is over; ask for a new one");
        return;
    }
    json_t *body = json_deep_copy(call->body);
    json_object_set_new(body, "challenge_at", json_integer(at));
    const char *agent = ck_http_request_field(call->request, CK_HTTP_USER_AGENT);
    if (agent != NULL) {
        json_object_set_new(body, "agent", json_string(agent));
    }
    call->actor.kind = CK_ACTOR_GATEWAY; /* whose phone it is comes out of its signature */
    ck_api_submit(call, "device.enter", body, ck_api_person_session);
}
