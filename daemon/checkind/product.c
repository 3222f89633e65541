/* Building the product up and taking it down. Up: engine first, pages last, so that nothing answers
 * before everything is there. Down: pages first, engine last, so that everything that still happens
 * is written. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sysexits.h>

#include "daemon/access/access.h"
#include "daemon/cases/cases.h"
#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "daemon/core/reach.h"
#include "daemon/core/rules.h"
#include "daemon/core/zones.h"
#include "daemon/store/query_checkin.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "scheduler/effects.h"

/* What the product reads of the outside world for the engine. */
static void random_bytes(void *user, void *bytes, size_t size)
{
    (void)user;
    for (size_t done = 0; done < size;) {
        ssize_t got = getrandom((char *)bytes + done, size - done, 0);
        if (got < 0 && errno != EINTR) {
            ck_log(CK_LOG_ERROR, "no random bytes: %s", strerror(errno));
            abort(); /* nothing that follows would be a secret */
        }
        done += got > 0 ? (size_t)got : 0;
    }
}

static bool clock_assumed; /* daemon.clock_sync; set before the engine's thread starts */

static void read_clocks(void *user, struct ck_now *now)
{
    (void)user;
    struct ck_clock_status status = ck_clock_status();
    *now = (struct ck_now){
        .wall = ck_clock_wall(),
        .mono = ck_clock_mono(),
        .synchronised = clock_assumed || (status.known && status.synchronised),
    };
}

/* ---- up ---- */

/* The agency's norm file; a wrong one keeps the daemon from starting. */
static int load_norms(const struct ck_config *config, struct ck_norms *norms)
{
    struct ck_norms_fault fault = {.text = ""};
    const char *path = config->policy.odara_norms;
    int error = path[0] == '\0' ? 0 : ck_norms_load(path, norms, &fault);
    if (error == CK_E_INVALID) {
        ck_log(CK_LOG_ERROR, "%s:%zu: %s", path, fault.line, fault.text);
    } else if (error != 0) {
        ck_log(CK_LOG_ERROR, "%s: %s", path, ck_error_text(error));
    }
    return error;
}

/* What became of the master key. */
static void tell_rekey(const struct ck_rekey *rekey, int error)
{
    if (error == CK_E_AUTH) {
        ck_log(CK_LOG_ERROR,
               "[daemon] master_key_file: is key %s, but the store lies under key %s: give that as "
               "old_master_key_file",
               rekey->to, rekey->from);
    } else if (error == -EUCLEAN && rekey->from[0] != '\0') {
        ck_log(CK_LOG_ERROR, "a key in %s opens under no master key; nothing was changed",
               rekey->from);
    } else if (error == 0 && rekey->rotated) {
        ck_log(CK_LOG_INFO,
               "%lld keys lie under master key %s now; %s is needed no more: take "
               "old_master_key_file away and destroy it",
               (long long)rekey->keys, rekey->to, rekey->from);
    }
}

static int start_engine(struct ck_product *product)
{
    const struct ck_config *config = product->config;
    ck_cleanup(ck_freep) char *path = ck_config_path(config, config->daemon.store_path);
    struct ck_house_rules rules = ck_house_rules_of(config);
    int wrong = path == NULL ? -ENOMEM : load_norms(config, &rules.norms);
    wrong = wrong == 0 ? ck_product_take_store(product, path) : wrong;
    if (wrong != 0) {
        return wrong;
    }
    struct ck_engine_options options = {
        .rules = &rules,
        .store_path = path,
        .registry = &product->registry,
        .master_key = product->master_key,
        .zone_dir = CK_ZONE_DIR,
        .commands_max = (size_t)config->limits.commands_queued,
        .channels = ck_config_channels(config),
        .sms_receipts = config->sms.receipt_secret.bytes != NULL,
        .voice_receipts = config->voice.receipt_secret.bytes != NULL,
        .random = random_bytes,
        .clock = read_clocks,
    };
    for (size_t i = 0; i < config->webhook_count; i++) {
        options.webhooks[options.webhook_count++] = config->webhooks[i].name;
    }
    uint8_t old_key[CK_KEY_SIZE];
    struct ck_rekey rekey = {.rotated = false};
    options.rekey = &rekey;
    if (config->daemon.old_master_key.bytes != NULL &&
        ck_hex_decode(config->daemon.old_master_key.bytes, old_key, CK_KEY_SIZE) == 0) {
        options.old_master_key = old_key;
    }
    clock_assumed = config->daemon.clock_sync == CK_CLOCK_ASSUMED;
    ck_core_register(&product->registry);
    ck_access_register(&product->registry);
    ck_cases_register(&product->registry);
    json_t *started = ck_product_started(product);
    options.started = started;
    int error = started == NULL ? -ENOMEM
                                : ck_bus_create(&product->loop, &options, ck_product_output,
                                                product, &product->bus);
    json_decref(started);
    ck_wipe(old_key, sizeof old_key);
    tell_rekey(&rekey, error);
    if (error != 0 && error != CK_E_AUTH) {
        ck_product_tell_store(path, error);
    }
    return error != 0 ? error : ck_readers_create(&product->loop, path, &product->readers);
}

static void on_notice_result(void *user, json_t *body)
{
    struct ck_product *product = user;
    struct ck_actor actor = {.kind = CK_ACTOR_GATEWAY};
    ck_bus_submit(product->bus, "notice.result", &actor, body, NULL, NULL);
}

static int start_notify(struct ck_product *product)
{
    struct ck_notify_options options = {
        .config = product->config,
        .now = ck_clock_wall,
        .random = random_bytes,
        .result = on_notice_result,
        .ended = ck_product_notice_ended,
        .user = product,
    };
    return ck_notify_create(&product->notify, &product->loop, &options);
}

/* ---- pages ---- */

static void open_person(void *user, struct ck_http_socket *socket)
{
    struct ck_product *product = user;
    ck_hub_open(product->hub, CK_CLIENT_PERSON, socket);
}

static void open_console(void *user, struct ck_http_socket *socket)
{
    struct ck_product *product = user;
    ck_hub_open(product->hub, CK_CLIENT_CONSOLE, socket);
}

static void socket_message(void *user, struct ck_http_socket *socket, const char *text, size_t size)
{
    struct ck_product *product = user;
    ck_hub_message(product->hub, socket, text, size);
}

static void socket_closed(void *user, struct ck_http_socket *socket)
{
    struct ck_product *product = user;
    ck_hub_closed(product->hub, socket);
}

static size_t body_limit(void *user, const char *path)
{
    struct ck_product *product = user;
    return ck_api_body_limit(product->api, path);
}

static void request(void *user, struct ck_http_request *request)
{
    struct ck_product *product = user;
    ck_api_request(product->api, request);
}

static void http_log(void *user, int level, const char *text)
{
    (void)user;
    ck_log(level <= 3 ? CK_LOG_ERROR : level <= 4 ? CK_LOG_WARNING : CK_LOG_DEBUG, "%s", text);
}

static struct ck_mono mono_now(void *user)
{
    (void)user;
    return ck_clock_mono();
}

/* The host of "https://HOST:PORT/…". NULL where memory is short. */
static char *host_of_url(const char *url)
{
    const char *host = strstr(url, "://");
    host = host == NULL ? url : host + 3;
    bool bracketed = host[0] == '[';
    return bracketed ? strndup(host + 1, strcspn(host + 1, "]"))
                     : strndup(host, strcspn(host, ":/"));
}

static int start_server(struct ck_product *product, const char *const *hosts, size_t host_count)
{
    const struct ck_config *config = product->config;
    static const struct ck_http_endpoint endpoints[] = {
        {CK_HUB_PERSON_PATH, CK_CLIENT_MESSAGE_MAX, open_person, socket_message, socket_closed},
        {CK_HUB_CONSOLE_PATH, CK_CLIENT_MESSAGE_MAX, open_console, socket_message, socket_closed},
    };
    struct ck_http_handlers handlers = {
        .user = product,
        .body_limit = body_limit,
        .request = request,
        .endpoints = endpoints,
        .endpoint_count = sizeof endpoints / sizeof endpoints[0],
        .log = http_log,
        .now = mono_now,
    };
    struct ck_http_settings settings = {
        .loop = &product->loop,
        .listen = (const char *const *)config->http.listen.items,
        .listen_count = config->http.listen.count,
        .certificate_pem = product->certificate_pem,
        .certificate_size = strlen(product->certificate_pem),
        .key_pem = product->key_pem,
        .key_size = strlen(product->key_pem),
        .hosts = hosts,
        .host_count = host_count,
        .proxies = (const char *const *)config->http.trusted_proxies.items,
        .proxy_count = config->http.trusted_proxies.count,
        .connections = (unsigned)config->limits.connections,
        .connections_per_address = (unsigned)config->limits.connections_per_address,
        .requests_per_minute = (unsigned)config->limits.requests_per_address,
    };
    random_bytes(NULL, &settings.seed, sizeof settings.seed);
    return ck_http_create(&settings, &handlers, &product->http);
}

static int start_http(struct ck_product *product)
{
    const struct ck_config *config = product->config;
    ck_cleanup(ck_freep) char *host = host_of_url(config->daemon.public_url);
    const char *one[] = {host};
    bool named = config->http.hostnames.count > 0;
    const char *const *hosts = named ? (const char *const *)config->http.hostnames.items : one;
    size_t count = named ? config->http.hostnames.count : 1;
    int error = host == NULL ? -ENOMEM : ck_product_certificate_load(product, hosts, count);
    if (error != 0) {
        return error;
    }
    ck_cleanup(ck_freep) char *pages = ck_config_path(config, config->http.pages_dir);
    error = pages == NULL ? -ENOMEM : ck_pages_load(pages, &product->pages);
    if (error != 0) {
        ck_log(CK_LOG_ERROR, "[http] pages_dir %s: %s", pages == NULL ? "?" : pages,
               ck_error_text(error));
        return error;
    }
    return start_server(product, hosts, count);
}

/* What the loop knows for GET /api/system. */
json_t *ck_product_system(void *user)
{
    const struct ck_product *product = user;
    const struct ck_pool *pool = ck_calls_pool(product->calls);
    struct ck_clock_status clock = ck_clock_status();
    char started[CK_WALL_TEXT_SIZE];
    ck_wall_text(product->started, started);
    json_t *workers = json_array();
    for (unsigned i = 0; i < ck_pool_size(pool); i++) {
        struct ck_pool_status status = ck_pool_status(pool, i);
        json_array_append_new(workers, json_pack("{s:i, s:i, s:s, s:I, s:i}", "index", (int)i,
                                                 "pid", (int)status.pid, "state",
                                                 status.ready ? "ready" : "starting", "legs",
                                                 (json_int_t)status.heartbeat.legs, "restarts",
                                                 (int)status.restarts));
    }
    json_t *offset = clock.known ? json_integer(clock.offset_us / 1000) : json_null();
    char until[CK_WALL_TEXT_SIZE];
    ck_wall_text(product->certificate_until, until);
    int64_t left_ms = ck_product_certificate_left_ms(product, ck_clock_wall());
    int64_t free_bytes = ck_product_disk_free(product);
    return json_pack(
        "{s:s, s:s, s:I, s:o, s:o, s:{s:b, s:o}, s:{s:s, s:b}, s:{s:o, s:I, s:b, s:b}, s:{s:b, "
        "s:s?}, s:{s:b, s:b, s:b}, s:b}",
        "version", CK_VERSION, "started", started, "engine_lag_ms",
        (json_int_t)ck_product_late_ms(product), "workers", workers, "channels",
        ck_notify_status_json(product->notify), "clock", "synchronised",
        (int)ck_product_clock_good(product), "offset_ms", offset, "certificate", "until", until,
        "good", left_ms >= CK_PRODUCT_CERTIFICATE_MS, "disk", "free_bytes",
        free_bytes < 0 ? json_null() : json_integer(free_bytes), "reserve_bytes",
        (json_int_t)product->config->limits.disk_reserve_bytes, "low",
        (int)ck_product_disk_low(product), "recordings", (int)ck_product_recordings_good(product),
        "signer", "configured", *product->config->signer.socket != '\0', "trouble",
        ck_product_signer_trouble(product), "relay", "configured", product->relay != NULL, "good",
        (int)product->relay_good, "full", (int)product->relay_full, "reaches_persons",
        (int)ck_product_reaches_persons(product->config));
}

static struct ck_mono api_mono(void)
{
    return ck_clock_mono();
}

static int start_pages(struct ck_product *product)
{
    ck_cleanup(ck_freep) char *recordings =
        ck_config_path(product->config, product->config->media.recording_dir);
    struct ck_hub_options hub = {.loop = &product->loop,
                                 .config = product->config,
                                 .bus = product->bus,
                                 .readers = product->readers,
                                 .now = ck_clock_wall,
                                 .calls = ck_product_hub_calls(product)};
    int error = recordings == NULL ? -ENOMEM : ck_hub_create(&hub, &product->hub);
    error = error == 0 ? start_http(product) : error;
    if (error != 0) {
        return error;
    }
    struct ck_api_options api = {.loop = &product->loop,
                                 .config = product->config,
                                 .bus = product->bus,
                                 .readers = product->readers,
                                 .pages = product->pages,
                                 .master_key = product->master_key,
                                 .password_cost = CK_PASSWORD_COST,
                                 .recording_dir = recordings,
                                 .now = ck_clock_wall,
                                 .mono = api_mono,
                                 .films_stop = &product->films_stop,
                                 .random = random_bytes,
                                 .system = ck_product_system,
                                 .user = product};
    return ck_api_create(&api, &product->api);
}

/* ---- recordings of an earlier life ---- */

static int query_unfinished(struct ck_store *store, void *argument, json_t **list)
{
    (void)argument;
    return ck_query_recordings_open(store, list);
}

static void on_unfinished(void *cookie, int code, json_t *list)
{
    struct ck_product *product = cookie;
    if (code != 0) {
        ck_log(CK_LOG_ERROR, "unfinished recordings stay as they are: %s", ck_error_text(code));
    } else if (product->stopping) {
        json_decref(list);
    } else {
        ck_calls_recover(product->calls, list);
    }
}

/* ---- down ---- */

static void on_bus_stopped(void *context)
{
    struct ck_product *product = context;
    product->bus = NULL;
}

static void on_readers_stopped(void *context)
{
    struct ck_product *product = context;
    product->readers = NULL;
    if (product->bus != NULL) {
        ck_bus_stop(product->bus, on_bus_stopped, product);
    }
}

static void on_calls_stopped(void *context)
{
    struct ck_product *product = context;
    product->calls = NULL;
    ck_notify_destroy(ck_take(product->notify));
    atomic_store(&product->films_stop, true); /* readers would wait for them */
    if (product->readers != NULL) {
        ck_readers_stop(product->readers, on_readers_stopped, product);
    } else {
        on_readers_stopped(product);
    }
}

static void on_http_stopped(void *context)
{
    struct ck_product *product = context;
    product->http = NULL;
    if (product->calls != NULL) {
        ck_calls_stop(product->calls, on_calls_stopped, product);
    } else {
        on_calls_stopped(product);
    }
}

/* They are heard to the end, so that a second one does not cut an orderly end short. */
static void for_each_signal(struct ck_product *product, void (*act)(uv_handle_t *handle))
{
    for (size_t i = 0; i < sizeof product->signals / sizeof product->signals[0]; i++) {
        act((uv_handle_t *)&product->signals[i]);
    }
}

static void close_handle(uv_handle_t *handle)
{
    uv_close(handle, NULL);
}

static void stop(struct ck_product *product)
{
    if (product->stopping) {
        return;
    }
    product->stopping = true;
    ck_service_stopping();
    ck_log_event(CK_LOG_EVENT_STOPPING, CK_LOG_INFO, "stopping");
    for_each_signal(product, uv_unref);
    ck_product_note_stop(product);
    ck_product_health_stop(product);
    ck_product_relay_stop(product);
    ck_product_auditor_stop(product);
    ck_product_checkpoints_stop(product);
    ck_product_reserve_stop(product);
    ck_product_witnesses_stop(product);
    ck_product_figures_stop(product);
    ck_control_destroy(ck_take(product->control));
    ck_clock_watch_destroy(ck_take(product->clock_watch));
    ck_watchdog_destroy(ck_take(product->watchdog));
    if (product->http != NULL) {
        ck_http_stop(product->http, on_http_stopped, product);
    } else {
        on_http_stopped(product);
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct ck_product *product = handle->data;
    if (number != SIGHUP) {
        stop(product);
    } else if (product->stopping) {
        return;
    } else if (product->probe != NULL) { /* everything is up */
        ck_service_reloading();
        ck_product_certificate_reload(product);
        ck_service_ready();
    }
}

/* What is plain memory, after the loop has run out of handles. */
static void release(struct ck_product *product)
{
    ck_closep(&product->export_fd);
    ck_closep(&product->lock_fd);
    ck_metrics_destroy(product->metrics);
    ck_api_destroy(product->api);
    ck_pages_destroy(product->pages);
    free(product->certificate_pem);
    if (product->key_pem != NULL) {
        ck_wipe(product->key_pem, strlen(product->key_pem));
    }
    free(product->key_pem);
    ck_wipe(product->master_key, sizeof product->master_key);
}

/* ---- all of it ---- */

static void on_clock_jump(void *user, int64_t jump_ms)
{
    struct ck_product *product = user;
    ck_metrics_add(product->metrics, CK_METRIC_CLOCK_JUMPS_TOTAL, NULL, NULL, 1);
    ck_product_note_jump(product, jump_ms);
    ck_log_event(CK_LOG_EVENT_CLOCK_JUMPED, CK_LOG_WARNING, "the wall clock was set: jump_ms=%lld",
                 (long long)jump_ms);
}

static bool sound(void *user)
{
    return ck_product_sound(user);
}

static int start_signals(struct ck_product *product)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    int error = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uv_signal_init(&product->loop, &product->signals[i]);
        product->signals[i].data = product;
        error = error == 0 ? uv_signal_start(&product->signals[i], on_signal, numbers[i]) : error;
    }
    return error;
}

static int start_all(struct ck_product *product)
{
    int error = ck_product_figures_start(product);
    error = error == 0 ? start_engine(product) : error;
    error = error == 0 ? start_notify(product) : error;
    error = error == 0 ? ck_product_calls_start(product) : error;
    error = error == 0 ? start_pages(product) : error;
    error = error == 0 ? ck_product_control_start(product) : error;
    error = error == 0 ? ck_product_auditor_start(product) : error;
    error = error == 0 ? ck_product_checkpoints_start(product) : error;
    error = error == 0 ? ck_product_reserve_start(product) : error;
    error = error == 0 ? ck_product_witnesses_start(product) : error;
    error = error == 0 ? ck_clock_watch_create(&product->clock_watch, &product->loop, on_clock_jump,
                                               product)
                       : error;
    error =
        error == 0 ? ck_watchdog_create(&product->watchdog, &product->loop, sound, product) : error;
    if (error != 0) {
        return error;
    }
    return ck_readers_run(product->readers, query_unfinished, NULL, on_unfinished, product);
}

int ck_product_run(const struct ck_config *config)
{
    struct ck_product *product = calloc(1, sizeof *product);
    if (product == NULL) {
        return EX_OSERR;
    }
    product->config = config;
    product->export_fd = -1;
    product->lock_fd = -1;
    product->started = ck_clock_wall();
    if (ck_hex_decode(config->daemon.master_key.bytes, product->master_key, CK_KEY_SIZE) != 0) {
        ck_log(CK_LOG_ERROR, "[daemon] master_key_file: must hold 64 hexadecimal digits");
        free(product);
        return EX_CONFIG;
    }
    int zones = ck_clock_zone_test(product->started);
    if (zones != 0) {
        ck_log_event(CK_LOG_EVENT_ZONES_WRONG, CK_LOG_ERROR,
                     "the installed time zones are out of date or missing: %s",
                     ck_error_text(zones));
        free(product);
        return EX_OSFILE;
    }
    ck_product_check_files(config);
    if (!ck_product_reaches_persons(config)) {
        ck_log_warning(CK_PRODUCT_NO_REACH);
    }
    uv_loop_init(&product->loop);
    int error = start_signals(product);
    error = error == 0 ? start_all(product) : error;
    error = error == 0 ? ck_product_relay_start(product) : error;
    error = error == 0 ? ck_product_health_start(product) : error;
    if (error == 0) {
        ck_service_ready();
        ck_log_event(CK_LOG_EVENT_READY, CK_LOG_INFO, "ready: %s", config->daemon.public_url);
        uv_run(&product->loop, UV_RUN_DEFAULT);
    } else {
        ck_log(CK_LOG_ERROR, "checkind cannot start: %s", ck_error_text(error));
        product->exit_code = EX_UNAVAILABLE;
        stop(product);
        uv_run(&product->loop, UV_RUN_DEFAULT);
    }
    for_each_signal(product, close_handle);
    ck_hub_destroy(ck_take(product->hub));
    uv_run(&product->loop, UV_RUN_DEFAULT);
    release(product);
    error = uv_loop_close(&product->loop);
    if (error != 0) {
        ck_log(CK_LOG_ERROR, "handles are left over: %s", uv_strerror(error));
    }
    int exit_code = product->exit_code;
    free(product);
    return exit_code;
}
