/* What checkinctl may ask (protocol/control.md). */
#include <errno.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "daemon/store/query_operations.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

/* One request that waits for the store, a channel or the engine. */
struct ask {
    struct ck_product *product;
    struct ck_control_call *call;
    struct ck_wall now;
    void (*answer)(struct ask *ask, json_t *operations); /* takes the value over */
    char reference[24];
};

static struct ask *ask_begin(struct ck_product *product, struct ck_control_call *call)
{
    struct ask *ask = calloc(1, sizeof *ask);
    if (ask == NULL) {
        ck_control_refuse(call, -ENOMEM, "out of memory");
        return NULL;
    }
    *ask = (struct ask){.product = product, .call = call, .now = ck_clock_wall()};
    return ask;
}

static void on_read(void *cookie, int code, json_t *value)
{
    struct ask *ask = cookie;
    if (code != 0) {
        ck_control_refuse(ask->call, code, "the store cannot be read: %s", ck_error_text(code));
    } else {
        ask->answer(ask, value);
    }
    free(ask);
}

/* Runs a query and answers with what `answer` makes of it. */
static void ask_store(struct ck_product *product, struct ck_control_call *call,
                      ck_readers_query *query, void (*answer)(struct ask *ask, json_t *value))
{
    struct ask *ask = ask_begin(product, call);
    if (ask == NULL) {
        return;
    }
    ask->answer = answer;
    int error = ck_readers_run(product->readers, query, ask, on_read, ask);
    if (error != 0) {
        ck_control_refuse(call, error, "the store cannot be asked: %s", ck_error_text(error));
        free(ask);
    }
}

static int query_operations(struct ck_store *store, void *argument, json_t **out)
{
    const struct ask *ask = argument;
    return ck_query_operations(store, ask->now, out);
}

/* ---- status ---- */

static void answer_status(struct ask *ask, json_t *operations)
{
    struct ck_product *product = ask->product;
    json_t *status = ck_product_system(product);
    if (status != NULL) {
        json_object_set_new(status, "state",
                            json_string(product->stopping ? "stopping" : "running"));
        json_object_set_new(status, "pid", json_integer(getpid()));
        char key[CK_KEY_NAME_SIZE];
        if (ck_key_name(product->master_key, key) == 0) {
            json_object_set_new(status, "master_key", json_string(key));
        }
        json_object_set_new(json_object_get(status, "clock"), "assumed",
                            json_boolean(product->config->daemon.clock_sync == CK_CLOCK_ASSUMED));
        json_object_update(status, operations);
        json_object_set_new(status, "disk_free", json_integer(ck_product_disk_free(product)));
        char until[CK_WALL_TEXT_SIZE];
        ck_wall_text(product->certificate_until, until);
        json_object_set_new(status, "certificate_until", json_string(until));
    }
    json_decref(operations);
    if (status == NULL) {
        ck_control_refuse(ask->call, -ENOMEM, "out of memory");
    } else {
        ck_control_answer(ask->call, status);
    }
}

static void run_status(struct ck_control_call *call, const json_t *arguments, void *user)
{
    (void)arguments;
    ask_store(user, call, query_operations, answer_status);
}

/* ---- health ---- */

static void add_check(json_t *checks, bool *healthy, const char *name, bool good,
                      const char *detail)
{
    *healthy &= good;
    json_array_append_new(checks, json_pack("{s:s, s:b, s:s}", "name", name, "good", (int)good,
                                            "detail", good ? "" : detail));
}

static void add_channels(struct ck_product *product, json_t *checks, bool *healthy)
{
    struct ck_sender_status status[CK_NOTIFY_CHANNELS];
    ck_notify_status(product->notify, status);
    bool reaches = ck_product_reaches_persons(product->config);
    add_check(checks, healthy, "reach", reaches, CK_PRODUCT_NO_REACH);
    for (size_t i = 0; i < CK_NOTIFY_CHANNELS; i++) {
        if (status[i].on) {
            add_check(checks, healthy, status[i].name, !ck_sender_fails(&status[i]),
                      status[i].last_failure);
        }
    }
}

static void answer_health(struct ask *ask, json_t *operations)
{
    struct ck_product *product = ask->product;
    json_t *checks = json_array();
    bool healthy = true;
    int64_t lag_ms = ck_product_late_ms(product);
    add_check(checks, &healthy, "pages", product->probe_good,
              "our own pages do not answer in time");
    add_check(checks, &healthy, "media", ck_calls_status(product->calls).room,
              "no worker has room for a call");
    add_check(checks, &healthy, "relay", product->relay_good,
              "a TURN server gives no address: who needs it cannot call");
    add_check(checks, &healthy, "relay_room", !product->relay_full,
              "a TURN server has no address left: who needs it cannot call");
    add_check(checks, &healthy, "clock", ck_product_clock_good(product),
              "no time service keeps the clock right");
    add_check(checks, &healthy, "engine", lag_ms < 1000, "decisions are late");
    const char *unsigned_log = ck_product_signer_trouble(product);
    add_check(checks, &healthy, "signer", unsigned_log == NULL, unsigned_log);
    add_channels(product, checks, &healthy);
    add_check(checks, &healthy, "disk", !ck_product_disk_low(product),
              "less room than disk_reserve");
    add_check(checks, &healthy, "recordings", ck_product_recordings_good(product),
              "recording_dir is missing, not ours or read-only");
    add_check(checks, &healthy, "certificate",
              ck_product_certificate_left_ms(product, ask->now) >= CK_PRODUCT_CERTIFICATE_MS,
              "the certificate of the pages ends within 14 days or has ended");
    add_check(checks, &healthy, "ladders",
              json_integer_value(json_object_get(operations, "incidents_overdue")) == 0,
              "steps of incidents are late");
    add_check(checks, &healthy, "quarantine",
              json_integer_value(json_object_get(operations, "quarantined")) == 0,
              "rows were set aside: checkinctl quarantine list");
    json_decref(operations);
    ck_control_answer(ask->call,
                      json_pack("{s:b, s:o}", "healthy", (int)healthy, "checks", checks));
}

static void run_health(struct ck_control_call *call, const json_t *arguments, void *user)
{
    (void)arguments;
    ask_store(user, call, query_operations, answer_health);
}

/* ---- the first administrator ---- */

static void answer_setup_token(struct ask *ask, json_t *operations)
{
    struct ck_product *product = ask->product;
    bool staffed = json_integer_value(json_object_get(operations, "staff")) > 0;
    json_decref(operations);
    if (staffed) {
        ck_control_refuse(ask->call, CK_E_CONFLICT,
                          "there are accounts already; an administrator makes further ones");
        return;
    }
    char token[CK_API_SETUP_TOKEN_SIZE];
    char url[512];
    ck_api_setup_token(product->api, token);
    snprintf(url, sizeof url, "%s/", product->config->daemon.public_url);
    ck_log_info("a code for the first administrator was given to uid=%u",
                (unsigned)ck_control_uid(ask->call));
    ck_control_answer(ask->call, json_pack("{s:s, s:s}", "url", url, "token", token));
    ck_wipe(token, sizeof token);
}

static void run_setup_token(struct ck_control_call *call, const json_t *arguments, void *user)
{
    (void)arguments;
    ask_store(user, call, query_operations, answer_setup_token);
}

/* ---- metrics ---- */

static void answer_metrics(struct ask *ask, json_t *operations)
{
    ck_cleanup(ck_freep) char *text = ck_product_figures(ask->product, operations, ask->now);
    json_decref(operations);
    if (text == NULL) {
        ck_control_refuse(ask->call, -ENOMEM, "out of memory");
    } else {
        ck_control_answer(ask->call, json_pack("{s:s}", "text", text));
    }
}

static void run_metrics(struct ck_control_call *call, const json_t *arguments, void *user)
{
    (void)arguments;
    ask_store(user, call, query_operations, answer_metrics);
}

/* ---- quarantine ---- */

static int query_quarantine(struct ck_store *store, void *argument, json_t **out)
{
    (void)argument;
    return ck_query_quarantine(store, out);
}

static void answer_quarantine(struct ask *ask, json_t *rows)
{
    ck_control_answer(ask->call, json_pack("{s:o}", "rows", rows));
}

static void run_quarantine_list(struct ck_control_call *call, const json_t *arguments, void *user)
{
    (void)arguments;
    ask_store(user, call, query_quarantine, answer_quarantine);
}

static void on_released(void *cookie, const struct ck_result *result)
{
    struct ask *ask = cookie;
    if (result->code == 0) {
        ck_control_answer(ask->call, NULL);
    } else {
        ck_control_refuse(ask->call, result->code, "%s",
                          *result->refusal.message != '\0' ? result->refusal.message
                                                           : ck_error_text(result->code));
    }
    free(ask);
}

static void run_quarantine_release(struct ck_control_call *call, const json_t *arguments,
                                   void *user)
{
    struct ck_product *product = user;
    struct ck_actor actor = ck_actor_system();
    const json_t *kind = json_object_get(arguments, "kind");
    const json_t *id = json_object_get(arguments, "id");
    if (!json_is_string(kind) || !json_is_integer(id)) {
        ck_control_refuse(call, CK_E_INVALID, "kind (text) and id (number) are needed");
        return;
    }
    struct ask *ask = ask_begin(product, call);
    if (ask != NULL) {
        ck_bus_submit(
            product->bus, "quarantine.release", &actor,
            json_pack("{s:s, s:I}", "kind", json_string_value(kind), "id", json_integer_value(id)),
            on_released, ask);
    }
}

/* ---- contact paths ---- */

static void on_tested(void *user, const struct ck_sent *sent)
{
    struct ask *ask = user;
    ck_control_answer(ask->call, json_pack("{s:s, s:s, s:s, s:s}", "reference", ask->reference,
                                           "result", ck_sent_kind_name(sent->kind), "detail",
                                           sent->detail, "provider_id", sent->provider_id));
    free(ask);
}

/* A reference that a person can tell from another one. */
static void make_reference(struct ask *ask)
{
    snprintf(ask->reference, sizeof ask->reference, "T-%lld", (long long)(ask->now.ms / 1000));
}

static void run_contact_test(struct ck_control_call *call, const json_t *arguments, void *user)
{
    struct ck_product *product = user;
    const char *channel = json_string_value(json_object_get(arguments, "channel"));
    const char *to = json_string_value(json_object_get(arguments, "to"));
    const char *language = json_string_value(json_object_get(arguments, "language"));
    if (channel == NULL || to == NULL || language == NULL) {
        ck_control_refuse(call, CK_E_INVALID, "channel, to and language (texts) are needed");
        return;
    }
    struct ask *ask = ask_begin(product, call);
    if (ask == NULL) {
        return;
    }
    make_reference(ask);
    int error =
        ck_notify_test(product->notify, channel, to, language, ask->reference, on_tested, ask);
    if (error != 0) {
        ck_control_refuse(call, error,
                          error == CK_E_NOT_FOUND ? "there is no channel '%s'"
                                                  : "the test cannot be sent by '%s'",
                          channel);
        free(ask);
    }
}

/* --- media workers ----------------------------------------------------------------------------
 */

static json_t *worker_json(const struct ck_pool *pool, unsigned index)
{
    struct ck_pool_status status = ck_pool_status(pool, index);
    const struct ck_worker_heartbeat *heartbeat = &status.heartbeat;
    const char *state = !status.ready ? "down" : status.draining ? "draining" : "ready";
    return json_pack("{s:i, s:I, s:s, s:i, s:i, s:i, s:i, s:i, s:I}", "worker", (int)index, "pid",
                     (json_int_t)status.pid, "state", state, "legs", (int)heartbeat->legs,
                     "legs_free", (int)heartbeat->legs_free, "handshakes",
                     (int)heartbeat->handshakes, "recordings", (int)heartbeat->recordings,
                     "restarts", (int)status.restarts, "cpu_ms",
                     (json_int_t)(heartbeat->cpu_us / 1000));
}

static void run_media_list(struct ck_control_call *call, const json_t *arguments, void *user)
{
    struct ck_product *product = user;
    const struct ck_pool *pool = ck_calls_pool(product->calls);
    json_t *workers = json_array();
    (void)arguments;
    for (unsigned i = 0; i < ck_pool_size(pool); i++) {
        json_array_append_new(workers, worker_json(pool, i));
    }
    ck_control_answer(call, json_pack("{s:o}", "workers", workers));
}

static void run_media_drain(struct ck_control_call *call, const json_t *arguments, void *user)
{
    struct ck_product *product = user;
    const json_t *number = json_object_get(arguments, "worker");
    if (!json_is_integer(number)) {
        ck_control_refuse(call, CK_E_INVALID, "worker (number, from 0) is needed");
        return;
    }
    int error = ck_calls_drain(product->calls, json_integer_value(number));
    if (error == 0) {
        ck_log_info("checkin-media %lld drains, by uid %u", (long long)json_integer_value(number),
                    (unsigned)ck_control_uid(call));
        ck_control_answer(call, NULL);
    } else {
        ck_control_refuse(call, error, "%s",
                          error == CK_E_NOT_FOUND  ? "there is no such worker"
                          : error == CK_E_CONFLICT ? "it drains already"
                                                   : "it is down, and comes back as it should be");
    }
}

int ck_product_control_start(struct ck_product *product)
{
    const struct ck_control_command commands[] = {
        {"status", run_status, product},
        {"health", run_health, product},
        {"setup-token", run_setup_token, product},
        {"metrics", run_metrics, product},
        {"quarantine.list", run_quarantine_list, product},
        {"quarantine.release", run_quarantine_release, product},
        {"contact-test", run_contact_test, product},
        {"log.verified", ck_product_run_log_verified, product},
        {"log.exported", ck_product_run_log_exported, product},
        {"log.proved", ck_product_run_log_proved, product},
        {"log.cosign", ck_product_run_log_cosign, product},
        {"key.split", ck_product_run_key_split, product},
        {"store.copied", ck_product_run_store_copied, product},
        {"bundle.make", ck_product_run_bundle_make, product},
        {"bundle.read", ck_product_run_bundle_read, product},
        {"media.list", run_media_list, product},
        {"media.drain", run_media_drain, product},
    };
    int error =
        ck_control_create(&product->control, &product->loop, product->config->daemon.control_socket,
                          commands, sizeof commands / sizeof commands[0]);
    if (error == CK_E_CONFLICT) {
        ck_log_error("%s: another daemon answers there", product->config->daemon.control_socket);
    } else if (error != 0) {
        ck_log_error("%s: %s", product->config->daemon.control_socket, ck_error_text(error));
    }
    return error;
}
