/* Between the pages' messages (hub.h) and the calls (call.h): the same things, with the actor
 * behind them. A hub's page is what calls know as a page. */
#include "daemon/api/api.h"
#include "daemon/checkind/product_impl.h"
#include "daemon/notify/turn.h"

void ck_product_page_send(void *context, ck_call_page *page, json_t *message)
{
    (void)context;
    ck_hub_send(page, message);
}

static void join(struct ck_calls *calls, struct ck_hub_page *page,
                 const struct ck_client_message *message, int64_t id)
{
    char challenge[CK_API_CSRF_SIZE] = "";
    struct ck_call_proof proof = {
        .key = message->key, .challenge = challenge, .signature = message->signature};
    if (message->key != 0 && ck_hub_page_challenge(page, challenge) != 0) {
        proof.key = 0; /* a page without a session's cookie has no challenge */
    }
    ck_calls_join(calls, page, ck_hub_page_actor(page), message->device, &proof,
                  message->generation, id);
}

static void person_message(struct ck_calls *calls, struct ck_hub_page *page,
                           const struct ck_client_message *message, int64_t id)
{
    const struct ck_actor *actor = ck_hub_page_actor(page);
    int64_t checkin = actor->checkin_id;
    switch (message->kind) {
    case CK_CLIENT_JOIN:
        join(calls, page, message, id);
        break;
    case CK_CLIENT_OFFER:
    case CK_CLIENT_RESTART:
        ck_calls_offer(calls, page, CK_CALL_PERSON, checkin, message->generation,
                       message->kind == CK_CLIENT_RESTART, message->sdp, id);
        break;
    case CK_CLIENT_FACT:
        ck_calls_fact(calls, page, actor, ck_client_fact_name(message->fact), message->detail, id);
        break;
    case CK_CLIENT_CHALLENGE_DONE:
        ck_calls_challenge_done(calls, page, checkin, message->number, id);
        break;
    case CK_CLIENT_PAUSE:
        ck_calls_pause(calls, page, checkin, true, ck_client_pause_name(message->pause), id);
        break;
    case CK_CLIENT_RESUME:
        ck_calls_pause(calls, page, checkin, false, "", id);
        break;
    case CK_CLIENT_DECLINE:
        ck_calls_decline(calls, page, actor, message->reason, id);
        break;
    case CK_CLIENT_LEAVE:
        ck_calls_leave(calls, page, checkin, id);
        break;
    default: /* of the console, or of the message thread: the decoder and the hub keep them away */
        break;
    }
}

static void console_message(struct ck_calls *calls, struct ck_hub_page *page,
                            const struct ck_client_message *message, int64_t id)
{
    const struct ck_actor *actor = ck_hub_page_actor(page);
    switch (message->kind) {
    case CK_CLIENT_TAKE:
        ck_calls_take(calls, page, actor, message->checkin, message->generation, id);
        break;
    case CK_CLIENT_OFFER:
    case CK_CLIENT_RESTART:
        ck_calls_offer(calls, page, CK_CALL_STAFF, message->checkin, message->generation,
                       message->kind == CK_CLIENT_RESTART, message->sdp, id);
        break;
    case CK_CLIENT_END:
        ck_calls_end(calls, page, message->checkin, id);
        break;
    default:
        break;
    }
}

static void on_message(void *user, struct ck_hub_page *page,
                       const struct ck_client_message *message)
{
    struct ck_product *product = user;
    int64_t id = message->ref.given ? message->ref.id : 0;
    if (ck_hub_page_side(page) == CK_CLIENT_CONSOLE) {
        console_message(product->calls, page, message, id);
    } else if (ck_hub_page_actor(page)->checkin_id == 0) {
        ck_hub_send(page, ck_client_error(message->ref, CK_CLIENT_CONFLICT, NULL, 0,
                                          "there is no check-in now", 0));
    } else {
        person_message(product->calls, page, message, id);
    }
}

static void on_closed(void *user, struct ck_hub_page *page)
{
    struct ck_product *product = user;
    ck_calls_page_closed(product->calls, page);
}

static bool in_call(void *user, int64_t session)
{
    struct ck_product *product = user;
    return ck_calls_has_session(product->calls, session);
}

/* TURN servers with credentials of limited life, under a name of the page's user: what one may take
 * of the servers' addresses is limited (user-quota of coturn), and takes nothing from others. */
static json_t *ice_servers(void *user, const struct ck_actor *actor)
{
    const struct ck_product *product = user;
    const struct ck_config *config = product->config;
    const struct ck_slice secret = {config->media.turn_secret.bytes,
                                    config->media.turn_secret.size};
    size_t count = config->media.turn_urls.count;
    char who[CK_TURN_NAME_SIZE], name[CK_TURN_USER_SIZE], password[CK_TURN_PASSWORD_SIZE];
    bool credentials = secret.data != NULL && count > 0;
    int64_t until_s = (ck_clock_wall().ms + config->media.turn_lifetime_ms) / 1000;
    bool staff = actor->kind == CK_ACTOR_STAFF;
    if (credentials &&
        (ck_turn_name(secret, staff, staff ? actor->staff_id : actor->person_id, who) != 0 ||
         ck_turn_credentials(secret, until_s, who, name, password) != 0)) {
        return NULL;
    }
    return ck_client_ice_servers((const char *const *)config->media.turn_urls.items, count,
                                 credentials ? name : NULL, credentials ? password : NULL);
}

struct ck_hub_calls ck_product_hub_calls(struct ck_product *product)
{
    return (struct ck_hub_calls){
        .user = product,
        .message = on_message,
        .closed = on_closed,
        .in_call = in_call,
        .ice_servers = ice_servers,
        .relay_only = product->config->media.relay_only,
    };
}
