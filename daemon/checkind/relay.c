/* Whether the configured TURN servers let a browser through: a relayed address is asked for as a
 * browser would ask. In the thread pool, for names and servers may let one wait. Servers of one
 * kind (ck_turn_kind()) stand in for each other; a kind of which none answers is a fault of ours,
 * for it is there because some network has no other way out. */
#include <stdlib.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "daemon/notify/turn.h"

#define EVERY_MS 5000
#define ONE_MS 2000      /* a server that takes longer is none */
#define CREDENTIAL_S 300 /* so long before its end, for clocks that differ */

struct ck_relay_watch {
    struct ck_product *product;
    uv_timer_t timer;
    uv_work_t work;
    bool asking, closed;
    int64_t until_s; /* of the credentials of this round */
    bool good;       /* what this round found */
    char detail[CK_TURN_DETAIL_SIZE + 260];
};

static void ask_work(uv_work_t *work)
{
    struct ck_relay_watch *watch = work->data;
    const struct ck_config *config = watch->product->config;
    char user[CK_TURN_USER_SIZE], password[CK_TURN_PASSWORD_SIZE], detail[CK_TURN_DETAIL_SIZE];
    const struct ck_slice secret = {config->media.turn_secret.bytes,
                                    config->media.turn_secret.size};
    bool asked[CK_TURN_KINDS] = {false}, answered[CK_TURN_KINDS] = {false};
    watch->good = true;
    if (ck_turn_credentials(secret, watch->until_s, user, password) != 0) {
        watch->good = false;
        return;
    }
    for (size_t i = 0; i < config->media.turn_urls.count; i++) {
        const char *url = config->media.turn_urls.items[i];
        unsigned kind = ck_turn_kind(url);
        asked[kind] = true;
        if (!answered[kind] &&
            !(answered[kind] = ck_turn_answers(url, user, password, ONE_MS, detail))) {
            snprintf(watch->detail, sizeof watch->detail, "%.255s: %s", url, detail);
        }
    }
    for (unsigned kind = 0; kind < CK_TURN_KINDS; kind++) {
        watch->good &= !asked[kind] || answered[kind];
    }
}

static void free_if_over(struct ck_relay_watch *watch)
{
    if (watch->closed && !watch->asking) {
        free(watch);
    }
}

static void found(struct ck_product *product, bool good, const char *detail)
{
    if (good != product->relay_good) {
        ck_log(good ? CK_LOG_INFO : CK_LOG_WARNING, "the TURN server %s%s%s",
               good ? "answers" : "gives no address", good ? "" : ": ", good ? "" : detail);
    }
    product->relay_good = good;
}

static void ask_done(uv_work_t *work, int status)
{
    struct ck_relay_watch *watch = work->data;
    watch->asking = false;
    if (!watch->closed) {
        found(watch->product, status == 0 && watch->good, watch->detail);
    }
    free_if_over(watch);
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_relay_watch *watch = timer->data;
    if (watch->asking) {
        found(watch->product, false, "the last question still waits for its answer");
        return;
    }
    watch->until_s = ck_clock_wall().ms / 1000 + CREDENTIAL_S;
    watch->asking = uv_queue_work(&watch->product->loop, &watch->work, ask_work, ask_done) == 0;
    if (!watch->asking) {
        found(watch->product, false, "it cannot be asked");
    }
}

int ck_product_relay_start(struct ck_product *product)
{
    product->relay_good = true; /* until the first answer, which comes within seconds */
    if (product->config->media.turn_urls.count == 0) {
        return 0;
    }
    struct ck_relay_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        return -ENOMEM;
    }
    watch->product = product;
    watch->work.data = watch;
    uv_timer_init(&product->loop, &watch->timer);
    watch->timer.data = watch;
    product->relay = watch;
    return uv_timer_start(&watch->timer, on_timer, 0, EVERY_MS);
}

static void on_closed(uv_handle_t *handle)
{
    struct ck_relay_watch *watch = handle->data;
    watch->closed = true;
    free_if_over(watch);
}

void ck_product_relay_stop(struct ck_product *product)
{
    if (product->relay != NULL) {
        uv_close((uv_handle_t *)&product->relay->timer, on_closed);
        product->relay = NULL;
    }
}
