/* Whether the configured TURN servers let a browser through: a relayed address is asked for as a
 * browser would ask. In the thread pool, for names and servers may let one wait. Servers of one
 * kind (ck_turn_kind()) stand in for each other; a kind of which none answers is a fault of ours,
 * for it is there because some network has no other way out. */
#include <stdlib.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "daemon/notify/turn.h"

#define EVERY_MS 5000
#define ONE_MS 2000      /* an address that takes longer is none */
#define CREDENTIAL_S 600 /* so long before its end: a long round, clocks that differ */

struct ck_relay_watch {
    struct ck_product *product;
    uv_timer_t timer;
    uv_work_t work;
    bool asking, closed;
    uint64_t begun_ms;            /* this round */
    unsigned silent;              /* rounds in a row */
    int64_t until_s;              /* of the credentials of this round */
    enum ck_turn_verdict verdict; /* of this round */
    char detail[CK_TURN_ROUND_DETAIL_SIZE];
};

static void ask_work(uv_work_t *work)
{
    struct ck_relay_watch *watch = work->data;
    const struct ck_config *config = watch->product->config;
    char user[CK_TURN_USER_SIZE], password[CK_TURN_PASSWORD_SIZE];
    const struct ck_slice secret = {config->media.turn_secret.bytes,
                                    config->media.turn_secret.size};
    if (ck_turn_credentials(secret, watch->until_s, CK_TURN_OWN_NAME, user, password) != 0) {
        watch->verdict = CK_TURN_SILENT;
        snprintf(watch->detail, sizeof watch->detail, "no credentials can be made");
        return;
    }
    watch->verdict =
        ck_turn_round((const char *const *)config->media.turn_urls.items,
                      config->media.turn_urls.count, user, password, ONE_MS, watch->detail);
}

static void free_if_over(struct ck_relay_watch *watch)
{
    if (watch->closed && !watch->asking) {
        free(watch);
    }
}

/* A server that is full is there: were it a fault of ours, whoever fills it would excuse everybody
 * from every check-in. It is a warning of its own. */
static void found(struct ck_relay_watch *watch, enum ck_turn_verdict verdict, const char *detail)
{
    struct ck_product *product = watch->product;
    bool good = ck_turn_judge(verdict, &watch->silent);
    if (good != product->relay_good) {
        ck_log(good ? CK_LOG_INFO : CK_LOG_WARNING, "the TURN server %s%s%s",
               good ? "answers" : "gives no address", good ? "" : ": ", good ? "" : detail);
    }
    product->relay_good = good;
    product->relay_full = verdict == CK_TURN_FULL;
}

static void ask_done(uv_work_t *work, int status)
{
    struct ck_relay_watch *watch = work->data;
    watch->asking = false;
    if (!watch->closed) {
        found(watch, status == 0 ? watch->verdict : CK_TURN_SILENT, watch->detail);
    }
    free_if_over(watch);
}

/* A round that goes on says nothing before it has had its time: what stands in for a dead server
 * may be asked last. */
static void on_timer(uv_timer_t *timer)
{
    struct ck_relay_watch *watch = timer->data;
    struct ck_product *product = watch->product;
    uint64_t now_ms = uv_now(&product->loop);
    if (watch->asking) {
        if (now_ms - watch->begun_ms >
            ck_turn_round_ms(product->config->media.turn_urls.count, ONE_MS)) {
            found(watch, CK_TURN_SILENT, "the last question still waits for its answer");
        }
        return;
    }
    watch->begun_ms = now_ms;
    watch->until_s = ck_clock_wall().ms / 1000 + CREDENTIAL_S;
    watch->asking = uv_queue_work(&product->loop, &watch->work, ask_work, ask_done) == 0;
    if (!watch->asking) {
        found(watch, CK_TURN_SILENT, "it cannot be asked");
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
