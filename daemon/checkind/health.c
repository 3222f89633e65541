/* Our own health: every two seconds the engine is told whether a person could have reached us just
 * now. Without these reports nobody is ever said not to have answered. */
#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"

bool ck_product_clock_good(const struct ck_product *product)
{
    struct ck_clock_status status = ck_clock_status();
    return (status.known && status.synchronised) ||
           product->config->daemon.clock_sync == CK_CLOCK_ASSUMED;
}

bool ck_product_reaches_persons(const struct ck_config *config)
{
    return *config->sms.url != '\0' || *config->smtp.url != '\0';
}

/* Whether at least one channel that reaches persons takes messages: it is on, and its last try did
 * not fail. */
static bool channel_good(const struct ck_product *product)
{
    struct ck_sender_status status[CK_NOTIFY_CHANNELS];
    ck_notify_status(product->notify, status);
    for (size_t i = 0; i < CK_NOTIFY_CHANNELS; i++) {
        bool reaches_persons =
            strcmp(status[i].name, "sms") == 0 || strcmp(status[i].name, "email") == 0;
        if (reaches_persons && status[i].on && !ck_sender_fails(&status[i])) {
            return true;
        }
    }
    return false;
}

static void report(struct ck_product *product)
{
    struct ck_actor actor = ck_actor_system();
    ck_calls_trouble(product->calls, !product->probe_good, !product->relay_good);
    json_t *body = json_pack("{s:b, s:b, s:b, s:b, s:b}", "probe", (int)product->probe_good,
                             "worker", (int)ck_calls_status(product->calls).room, "clock",
                             (int)ck_product_clock_good(product), "channel",
                             (int)channel_good(product), "relay", (int)product->relay_good);
    ck_bus_submit(product->bus, "health.report", &actor, body, NULL, NULL);
    ck_product_note_clock(product);
}

static void on_probe(void *user, bool good, int64_t elapsed_ms, const char *detail)
{
    struct ck_product *product = user;
    if (good != product->probe_good) {
        ck_log(good ? CK_LOG_INFO : CK_LOG_WARNING, "our own page %s: elapsed_ms=%lld %s",
               good ? "answers" : "does not answer", (long long)elapsed_ms, detail);
    }
    product->probe_good = good;
    if (!product->stopping) {
        report(product);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_product *product = timer->data;
    ck_product_watch_engine(product);
    /* Where the last question is still open, that is an answer, too: it takes too long. */
    if (ck_probe_ask(product->probe) != 0) {
        product->probe_good = false;
        report(product);
    }
}

bool ck_product_behind_proxy(const struct ck_product *product)
{
    return product->config->http.trusted_proxies.count > 0;
}

/* Asked as a phone would ask: through the proxy where there is one, which answers for itself with
 * its own certificate, and may let pages through and no sockets. */
int ck_product_health_start(struct ck_product *product)
{
    char url[512], socket[512], connect[CK_HTTP_WHERE_SIZE];
    bool direct = !ck_product_behind_proxy(product);
    snprintf(url, sizeof url, "%s/healthz", product->config->daemon.public_url);
    snprintf(socket, sizeof socket, "%s" CK_HUB_PERSON_PATH, product->config->daemon.public_url);
    ck_http_where(product->http, connect);
    struct ck_probe_options options = {
        .url = url,
        .socket = socket,
        .connect = direct ? connect : NULL,
        .ca_pem = direct ? product->certificate_pem : NULL,
        .timeout_ms = CK_PRODUCT_PROBE_MS,
        .done = on_probe,
        .user = product,
    };
    int error = ck_probe_create(&product->probe, &product->loop, &options);
    if (error != 0) {
        return error;
    }
    uv_timer_init(&product->loop, &product->health);
    product->health.data = product;
    return uv_timer_start(&product->health, on_timer, 0, CK_PRODUCT_HEALTH_MS);
}

void ck_product_health_stop(struct ck_product *product)
{
    if (product->probe == NULL) {
        return; /* it never began */
    }
    uv_close((uv_handle_t *)&product->health, NULL);
    ck_probe_destroy(product->probe);
    product->probe = NULL;
}
