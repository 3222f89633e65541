/* Figures about the running product, for monitoring. */
#include "daemon/checkind/product_impl.h"
#include "daemon/ctl/metrics.h"
#include "protocol/base/cleanup.h"

#define TICK_MS 500 /* between two looks at how late the loop is */

static double seconds_of_ms(int64_t ms)
{
    return (double)ms / 1000;
}

/* ---- what is counted as it happens ---- */

void ck_product_notice_ended(void *user, const char *channel, enum ck_sent_kind kind,
                             int64_t waited_ms)
{
    struct ck_product *product = user;
    ck_metrics_add(product->metrics, CK_METRIC_NOTIFICATIONS_TOTAL, channel,
                   ck_sent_kind_name(kind), 1);
    ck_metrics_observe(product->metrics, CK_METRIC_NOTIFICATION_DWELL_SECONDS, channel,
                       seconds_of_ms(waited_ms));
}

void ck_product_count_outcome(struct ck_product *product, const json_t *body)
{
    const char *outcome = json_string_value(json_object_get(body, "outcome"));
    if (outcome != NULL) {
        ck_metrics_add(product->metrics, CK_METRIC_OCCURRENCES_TOTAL, outcome, NULL, 1);
    }
}

/* How late the loop is: what a tick comes after its time. */
static void on_tick(uv_timer_t *timer)
{
    struct ck_product *product = timer->data;
    int64_t now_ms = (int64_t)(uv_hrtime() / 1000000);
    int64_t late_ms = now_ms - product->tick_ms - TICK_MS;
    if (product->tick_ms != 0 && late_ms > product->loop_lag_ms) {
        product->loop_lag_ms = late_ms;
    }
    product->tick_ms = now_ms;
}

int ck_product_figures_start(struct ck_product *product)
{
    int error = ck_metrics_create(&product->metrics);
    if (error != 0) {
        return error;
    }
    ck_metrics_set(product->metrics, CK_METRIC_BUILD_INFO, CK_VERSION, 1);
    ck_metrics_set(product->metrics, CK_METRIC_START_TIME_SECONDS, NULL,
                   seconds_of_ms(product->started.ms));
    uv_timer_init(&product->loop, &product->tick);
    product->tick.data = product;
    return uv_timer_start(&product->tick, on_tick, TICK_MS, TICK_MS);
}

void ck_product_figures_stop(struct ck_product *product)
{
    if (product->metrics != NULL) {
        uv_close((uv_handle_t *)&product->tick, NULL);
    }
}

/* ---- what is looked up when somebody asks ---- */

static void set(struct ck_product *product, enum ck_metric metric, double value)
{
    ck_metrics_set(product->metrics, metric, NULL, value);
}

static void read_operations(struct ck_product *product, const json_t *operations,
                            struct ck_wall now)
{
    static const struct {
        const char *member;
        enum ck_metric metric;
    } counts[] = {
        {"incidents_open", CK_METRIC_INCIDENTS_UNACKED},
        {"incidents_overdue", CK_METRIC_LADDER_OVERDUE_STEPS},
        {"quarantined", CK_METRIC_QUARANTINED_ROWS},
        {"log_size", CK_METRIC_AUDIT_TREE_SIZE},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        set(product, counts[i].metric,
            (double)json_integer_value(json_object_get(operations, counts[i].member)));
    }
    set(product, CK_METRIC_DISK_FREE_BYTES, (double)ck_product_disk_free(product));
    set(product, CK_METRIC_CERTIFICATE_END_SECONDS, seconds_of_ms(product->certificate_until.ms));
    set(product, CK_METRIC_LOG_SIGNED, ck_product_signer_trouble(product) == NULL ? 1 : 0);
    struct ck_wall oldest = now;
    const char *text = json_string_value(json_object_get(operations, "outbox_oldest"));
    if (text != NULL) {
        ck_wall_parse(text, &oldest);
    }
    set(product, CK_METRIC_OUTBOX_OLDEST_AGE_SECONDS, seconds_of_ms(now.ms - oldest.ms));
}

static void read_time(struct ck_product *product)
{
    struct ck_clock_status clock = ck_clock_status();
    set(product, CK_METRIC_CLOCK_SYNCHRONISED, ck_product_clock_good(product) ? 1 : 0);
    set(product, CK_METRIC_CLOCK_OFFSET_SECONDS, (double)clock.offset_us / 1e6);
    set(product, CK_METRIC_ENGINE_LAG_SECONDS, seconds_of_ms(ck_product_late_ms(product)));
    set(product, CK_METRIC_LOOP_LAG_SECONDS, seconds_of_ms(product->loop_lag_ms));
    product->loop_lag_ms = 0;
}

static void read_http(struct ck_product *product)
{
    struct ck_metrics *metrics = product->metrics;
    struct ck_http_counts counts = ck_http_counts(product->http);
    ck_metrics_total(metrics, CK_METRIC_HTTP_REQUESTS_TOTAL, NULL, counts.requests);
    ck_metrics_total(metrics, CK_METRIC_HTTP_REFUSED_TOTAL, "connections",
                     counts.refused_connections);
    ck_metrics_total(metrics, CK_METRIC_HTTP_REFUSED_TOTAL, "requests", counts.refused_requests);
    ck_metrics_total(metrics, CK_METRIC_HTTP_REFUSED_TOTAL, "malformed", counts.malformed);
    ck_metrics_total(metrics, CK_METRIC_HTTP_REFUSED_TOTAL, "timed_out", counts.timed_out);
    ck_metrics_total(metrics, CK_METRIC_HTTP_REFUSED_TOTAL, "overflowed", counts.overflowed);
    set(product, CK_METRIC_HTTP_CONNECTIONS, counts.connections_open);
    set(product, CK_METRIC_WEBSOCKETS, counts.sockets_open);
}

static void read_media(struct ck_product *product)
{
    const struct ck_pool *pool = ck_calls_pool(product->calls);
    uint64_t in = 0, out = 0, dropped = 0, restarts = 0, legs = 0, recordings = 0;
    for (unsigned i = 0; i < ck_pool_size(pool); i++) {
        struct ck_pool_status status = ck_pool_status(pool, i);
        in += status.heartbeat.packets_in;
        out += status.heartbeat.packets_out;
        dropped += status.heartbeat.dropped + status.heartbeat.socket_lost;
        legs += status.heartbeat.legs;
        recordings += status.heartbeat.recordings;
        restarts += status.restarts;
    }
    ck_metrics_total(product->metrics, CK_METRIC_MEDIA_PACKETS_TOTAL, "in", in);
    ck_metrics_total(product->metrics, CK_METRIC_MEDIA_PACKETS_TOTAL, "out", out);
    ck_metrics_total(product->metrics, CK_METRIC_MEDIA_PACKETS_TOTAL, "dropped", dropped);
    ck_metrics_total(product->metrics, CK_METRIC_WORKER_RESTARTS_TOTAL, NULL, restarts);
    set(product, CK_METRIC_LEGS, (double)legs);
    set(product, CK_METRIC_RECORDINGS, (double)recordings);
    set(product, CK_METRIC_CALLS, (double)ck_calls_status(product->calls).calls);
}

static void read_notices(struct ck_product *product)
{
    struct ck_sender_status status[CK_NOTIFY_CHANNELS];
    ck_notify_status(product->notify, status);
    for (size_t i = 0; i < CK_NOTIFY_CHANNELS; i++) {
        if (status[i].on) {
            ck_metrics_set(product->metrics, CK_METRIC_NOTIFICATION_WAITING, status[i].name,
                           (double)status[i].waiting);
            ck_metrics_set(product->metrics, CK_METRIC_CHANNEL_GOOD, status[i].name,
                           ck_sender_fails(&status[i]) ? 0 : 1);
        }
    }
}

static void read_heartbeats(struct ck_product *product)
{
    struct ck_heartbeat_status status = ck_product_heartbeats(product);
    ck_metrics_total(product->metrics, CK_METRIC_HEARTBEATS_TOTAL, "sent", status.sent);
    ck_metrics_total(product->metrics, CK_METRIC_HEARTBEATS_TOTAL, "failed", status.failed);
    ck_metrics_total(product->metrics, CK_METRIC_HEARTBEATS_TOTAL, "withheld", status.withheld);
}

char *ck_product_figures(struct ck_product *product, const json_t *operations, struct ck_wall now)
{
    read_operations(product, operations, now);
    read_time(product);
    read_media(product);
    read_notices(product);
    if (*product->config->heartbeat.url != '\0') {
        read_heartbeats(product);
    }
    set(product, CK_METRIC_PROBE_GOOD, product->probe_good ? 1 : 0);
    set(product, CK_METRIC_RELAY_GOOD, product->relay_good ? 1 : 0);
    set(product, CK_METRIC_RELAY_FULL, product->relay_full ? 1 : 0);
    if (product->http != NULL) {
        read_http(product);
    }
    return ck_metrics_text(product->metrics);
}
