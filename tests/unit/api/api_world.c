#include "api_world.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/access/access.h"
#include "daemon/access/password.h"
#include "daemon/api/api.h"
#include "daemon/cases/cases.h"
#include "daemon/core/bus.h"
#include "daemon/http/certificate.h"
#include "protocol/base/p256.h"
#include "protocol/base/text.h"
#include "tests/unit/core/leaves.h"

/* Log-ins by the hundred: what a guess costs is test_access's matter. */
#define CHEAP ((struct ck_password_cost){.passes = 1, .kib = 256})

#define START_MS INT64_C(1795233600000) /* Saturday 21 November 2026, 09:00 in Almaty */

struct job {
    void (*work)(void *user);
    void *user;
    bool done;
};

static struct {
    char folder[64], store[128], pages_dir[128];
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uv_loop_t loop;
    uv_async_t wake;
    struct job *job;
    bool ready, stop;
    int started, closed;
    atomic_bool in_call;
    unsigned recheck_ms;
    atomic_llong offset_ms;
    int64_t base_mono_us;
    struct ck_registry registry;
    struct ck_config config;
    uint8_t master_key[CK_KEY_SIZE];
    struct ck_bus *bus;
    struct ck_readers *readers;
    struct ck_pages *pages;
    struct ck_api *api;
    struct ck_hub *hub;
    struct ck_http *http;
    char setup_token[CK_API_SETUP_TOKEN_SIZE];
} world;

/* ---- what the daemon would give ---- */

static int64_t real_mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static struct ck_mono mono_now(void)
{
    return (struct ck_mono){real_mono_us() + atomic_load(&world.offset_ms) * 1000};
}

static struct ck_wall wall_now(void)
{
    return (struct ck_wall){START_MS + (mono_now().us - world.base_mono_us) / 1000};
}

static struct ck_mono http_now(void *user)
{
    (void)user;
    return mono_now();
}

/* The engine sleeps by the machine's wall clock, which is not the world's: where the machine is
 * later it would not sleep at all, where it is earlier it would not wake. It sleeps as long as it
 * meant to. */
int __real_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t at_ns = value->it_value.tv_sec * INT64_C(1000000000) + value->it_value.tv_nsec +
                    now.tv_sec * INT64_C(1000000000) + now.tv_nsec - wall_now().ms * 1000000;
    const struct itimerspec here = {
        .it_value = {.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000}};
    return __real_timerfd_settime(fd, flags, &here, old);
}

static void clocks(void *user, struct ck_now *now)
{
    (void)user;
    *now = (struct ck_now){.wall = wall_now(), .mono = mono_now(), .synchronised = true};
}

static void random_bytes(void *user, void *bytes, size_t size)
{
    (void)user;
    assert_int_equal(getrandom(bytes, size, 0), size);
}

static void http_log(void *user, int level, const char *text)
{
    (void)user;
    if (level <= 4) {
        fprintf(stderr, "server: %s\n", text);
    }
}

static json_t *system_status(void *user)
{
    (void)user;
    return json_pack("{s:s}", "version", "test");
}

static void on_output(void *context, const struct ck_output *output)
{
    (void)context;
    switch (output->kind) {
    case CK_OUTPUT_TODAY:
        ck_hub_today(world.hub, output->unit_id);
        break;
    case CK_OUTPUT_MESSAGE:
        ck_hub_thread(world.hub, output->person_id, output->staff_id, output->body);
        break;
    case CK_OUTPUT_SESSION_REVOKED:
        ck_hub_end_session(world.hub, output->session_id);
        break;
    default:
        break;
    }
}

static void page_message(void *user, struct ck_hub_page *page,
                         const struct ck_client_message *message)
{
    (void)user;
    ck_hub_send(page, ck_client_ok(message->ref));
}

static void page_closed(void *user, struct ck_hub_page *page)
{
    (void)user;
    (void)page;
}

static bool in_call(void *user, int64_t session)
{
    (void)user;
    return session != 0 && atomic_load(&world.in_call);
}

void api_in_call(bool on)
{
    atomic_store(&world.in_call, on);
}

static json_t *ice_servers(void *user, const struct ck_actor *actor)
{
    (void)user;
    (void)actor;
    return json_array();
}

static void open_person(void *user, struct ck_http_socket *socket)
{
    (void)user;
    ck_hub_open(world.hub, CK_CLIENT_PERSON, socket);
}

static void open_console(void *user, struct ck_http_socket *socket)
{
    (void)user;
    ck_hub_open(world.hub, CK_CLIENT_CONSOLE, socket);
}

static void socket_message(void *user, struct ck_http_socket *socket, const char *text, size_t size)
{
    (void)user;
    ck_hub_message(world.hub, socket, text, size);
}

static void socket_closed(void *user, struct ck_http_socket *socket)
{
    (void)user;
    ck_hub_closed(world.hub, socket);
}

/* ---- up and down, on the loop thread ---- */

static void start_engine(void)
{
    struct ck_engine_options options = {.store_path = world.store,
                                        .registry = &world.registry,
                                        .master_key = world.master_key,
                                        .zone_dir = "/usr/share/zoneinfo",
                                        .random = random_bytes,
                                        .clock = clocks};
    ck_core_register(&world.registry);
    ck_access_register(&world.registry);
    ck_cases_register(&world.registry);
    world.started = ck_bus_create(&world.loop, &options, on_output, NULL, &world.bus);
    if (world.started == 0) {
        world.started = ck_readers_create(&world.loop, world.store, &world.readers);
    }
}

static void start_http(void)
{
    static const char *const hosts[] = {"127.0.0.1"}, *const listen[] = {"127.0.0.1:0"};
    static const struct ck_http_endpoint endpoints[] = {
        {CK_HUB_PERSON_PATH, CK_CLIENT_MESSAGE_MAX, open_person, socket_message, socket_closed},
        {CK_HUB_CONSOLE_PATH, CK_CLIENT_MESSAGE_MAX, open_console, socket_message, socket_closed},
    };
    struct ck_http_handlers handlers = {.user = world.api,
                                        .body_limit = ck_api_body_limit,
                                        .request = ck_api_request,
                                        .endpoints = endpoints,
                                        .endpoint_count = 2,
                                        .log = http_log,
                                        .now = http_now};
    char *certificate, *key;
    world.started = ck_certificate_make(hosts, 1, wall_now(), &certificate, &key);
    if (world.started != 0) {
        return;
    }
    struct ck_http_settings settings = {.loop = &world.loop,
                                        .listen = listen,
                                        .listen_count = 1,
                                        .certificate_pem = certificate,
                                        .certificate_size = strlen(certificate),
                                        .key_pem = key,
                                        .key_size = strlen(key),
                                        .hosts = hosts,
                                        .host_count = 1,
                                        .connections = 1000,
                                        .connections_per_address = 1000,
                                        .requests_per_minute = 1000000};
    world.started = ck_http_create(&settings, &handlers, &world.http);
    free(certificate);
    free(key);
}

static void start_all(void)
{
    start_engine();
    world.started =
        world.started == 0 ? ck_pages_load(world.pages_dir, &world.pages) : world.started;
    struct ck_hub_options hub = {.config = &world.config,
                                 .loop = &world.loop,
                                 .bus = world.bus,
                                 .readers = world.readers,
                                 .now = wall_now,
                                 .recheck_ms = world.recheck_ms,
                                 .calls = {.message = page_message,
                                           .closed = page_closed,
                                           .in_call = in_call,
                                           .ice_servers = ice_servers}};
    world.started = world.started == 0 ? ck_hub_create(&hub, &world.hub) : world.started;
    struct ck_api_options api = {.loop = &world.loop,
                                 .config = &world.config,
                                 .bus = world.bus,
                                 .readers = world.readers,
                                 .pages = world.pages,
                                 .master_key = world.master_key,
                                 .recording_dir = world.folder,
                                 .password_cost = CHEAP,
                                 .now = wall_now,
                                 .mono = mono_now,
                                 .random = random_bytes,
                                 .system = system_status};
    world.started = world.started == 0 ? ck_api_create(&api, &world.api) : world.started;
    if (world.started == 0) {
        ck_api_setup_token(world.api, world.setup_token);
        start_http();
    }
}

static void on_bus_stopped(void *context)
{
    (void)context;
    ck_hub_destroy(world.hub);
    uv_close((uv_handle_t *)&world.wake, NULL);
}

static void on_readers_stopped(void *context)
{
    (void)context;
    ck_bus_stop(world.bus, on_bus_stopped, NULL);
}

static void on_http_stopped(void *context)
{
    (void)context;
    ck_readers_stop(world.readers, on_readers_stopped, NULL);
}

static void on_wake(uv_async_t *wake)
{
    (void)wake;
    pthread_mutex_lock(&world.mutex);
    struct job *job = world.job;
    bool stop = world.stop;
    world.job = NULL;
    world.stop = false;
    pthread_mutex_unlock(&world.mutex);
    if (job != NULL) {
        job->work(job->user);
    }
    if (stop) {
        ck_http_stop(world.http, on_http_stopped, NULL);
    }
}

static void *run(void *unused)
{
    (void)unused;
    uv_loop_init(&world.loop);
    uv_async_init(&world.loop, &world.wake, on_wake);
    start_all();
    pthread_mutex_lock(&world.mutex);
    world.ready = true;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.mutex);
    if (world.started == 0) {
        uv_run(&world.loop, UV_RUN_DEFAULT);
        ck_api_destroy(world.api);
        ck_pages_destroy(world.pages);
        world.closed = uv_loop_close(&world.loop);
    }
    return NULL;
}

/* ---- from the test's thread ---- */

static void put_page(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", world.pages_dir, name);
    FILE *file = fopen(path, "w");
    fputs("<!doctype html>", file);
    fclose(file);
}

static int64_t or_wide(int64_t value, int64_t wide)
{
    return value != 0 ? value : wide;
}

void api_start(const struct api_limits *limits)
{
    static const struct api_limits none;
    const struct api_limits *l = limits == NULL ? &none : limits;
    memset(&world, 0, sizeof world);
    strcpy(world.folder, "/tmp/ck-api-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    snprintf(world.store, sizeof world.store, "%s/store.db", world.folder);
    snprintf(world.pages_dir, sizeof world.pages_dir, "%s/pages", world.folder);
    mkdir(world.pages_dir, 0700);
    put_page("console.html");
    put_page("person.html");
    static char url[] = "https://127.0.0.1";
    world.config.daemon.public_url = url;
    static char help_phone[] = "102";
    world.config.daemon.help_phone = help_phone;
    static char secret[] = RECEIPT_SECRET;
    world.config.sms.receipt_secret =
        (struct ck_config_secret){.bytes = secret, .size = sizeof secret - 1};
    static char voice[] = VOICE_SECRET, service[] = "push.example", *services[] = {service};
    world.config.voice.receipt_secret =
        (struct ck_config_secret){.bytes = voice, .size = sizeof voice - 1};
    world.config.web_push.services.items = services;
    world.config.web_push.services.count = 1;
    world.config.limits.logins_per_address = or_wide(l->logins_per_address, 100000);
    world.config.limits.logins_per_account = or_wide(l->logins_per_account, 100000);
    world.config.limits.links_per_address = or_wide(l->links_per_address, 100000);
    world.config.limits.staff_session_ms = or_wide(l->session_ms, 24 * 3600000);
    world.config.limits.staff_session_max_ms = or_wide(l->session_max_ms, 48 * 3600000);
    world.recheck_ms = l->recheck_ms;
    atomic_store(&world.in_call, false);
    world.config.access.second_factor = CK_SECOND_FACTOR_OPTIONAL;
    world.config.limits.body_bytes = 64 << 10;
    world.config.limits.upload_bytes = 2 << 20;
    world.base_mono_us = real_mono_us();
    random_bytes(NULL, world.master_key, sizeof world.master_key);
    pthread_mutex_init(&world.mutex, NULL);
    pthread_cond_init(&world.changed, NULL);
    assert_int_equal(pthread_create(&world.thread, NULL, run, NULL), 0);
    pthread_mutex_lock(&world.mutex);
    while (!world.ready) {
        pthread_cond_wait(&world.changed, &world.mutex);
    }
    pthread_mutex_unlock(&world.mutex);
    assert_int_equal(world.started, 0);
    clients_use_port(ck_http_port(world.http, 0));
}

static void require_second_factor(struct ck_hub *hub, void *user)
{
    (void)hub;
    (void)user;
    world.config.access.second_factor = CK_SECOND_FACTOR_REQUIRED;
}

void api_require_second_factor(void)
{
    api_call(require_second_factor, NULL);
}

static void remove_folder(const char *path)
{
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char name[512];
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && unlink(name) != 0) {
            remove_folder(name);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    rmdir(path);
}

void api_stop(void)
{
    pthread_mutex_lock(&world.mutex);
    world.stop = true;
    pthread_mutex_unlock(&world.mutex);
    uv_async_send(&world.wake);
    pthread_join(world.thread, NULL);
    assert_int_equal(world.closed, 0);
    pthread_mutex_destroy(&world.mutex);
    pthread_cond_destroy(&world.changed);
    leaves_name_no_row(world.store);
    remove_folder(world.folder);
}

static void give(struct job *job)
{
    pthread_mutex_lock(&world.mutex);
    world.job = job;
    uv_async_send(&world.wake);
    while (!job->done) {
        pthread_cond_wait(&world.changed, &world.mutex);
    }
    pthread_mutex_unlock(&world.mutex);
}

static void job_done(struct job *job)
{
    pthread_mutex_lock(&world.mutex);
    job->done = true;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.mutex);
}

struct call {
    struct job job;
    void (*work)(struct ck_hub *hub, void *user);
    void *user;
};

static void run_call(void *user)
{
    struct call *call = user;
    call->work(world.hub, call->user);
    job_done(&call->job);
}

void api_call(void (*work)(struct ck_hub *hub, void *user), void *user)
{
    struct call call = {.job = {.work = run_call}, .work = work, .user = user};
    call.job.user = &call;
    give(&call.job);
}

struct command {
    struct job job;
    const char *name;
    const struct ck_actor *actor;
    json_t *body, **result;
    int code;
};

static void on_command(void *cookie, const struct ck_result *result)
{
    struct command *command = cookie;
    command->code = result->code;
    if (command->result != NULL) {
        *command->result = result->body == NULL ? NULL : json_deep_copy(result->body);
    }
    if (result->code != 0 && result->refusal.message[0] != '\0') {
        fprintf(stderr, "%s: %s %s\n", command->name, result->refusal.field,
                result->refusal.message);
    }
    job_done(&command->job);
}

static void submit(void *user)
{
    struct command *command = user;
    ck_bus_submit(world.bus, command->name, command->actor, command->body, on_command, command);
}

int api_command(const char *name, const struct ck_actor *actor, json_t *body, json_t **result)
{
    struct command command = {
        .job = {.work = submit}, .name = name, .actor = actor, .body = body, .result = result};
    command.job.user = &command;
    give(&command.job);
    return command.code;
}

void api_pass_ms(int64_t ms)
{
    struct ck_actor system = ck_actor_system();
    atomic_fetch_add(&world.offset_ms, ms);
    api_command("health.report", &system, json_pack("{s:b, s:b}", "probe", 1, "worker", 1), NULL);
}

const uint8_t *api_master_key(void)
{
    return world.master_key;
}

const char *api_store_path(void)
{
    return world.store;
}

const char *api_setup_token(void)
{
    return world.setup_token;
}

int64_t api_number(const char *sql)
{
    sqlite3 *store;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open_v2(world.store, &store, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_busy_timeout(store, 5000);
    if (sqlite3_prepare_v2(store, sql, -1, &statement, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(store));
    }
    int64_t number =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    sqlite3_close(store);
    return number;
}

void api_execute(const char *sql)
{
    sqlite3 *store;
    assert_int_equal(sqlite3_open_v2(world.store, &store, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(store, 5000);
    if (sqlite3_exec(store, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(store));
    }
    sqlite3_close(store);
}

bool api_wait_number(const char *sql, int64_t least)
{
    for (int i = 0; i < 1000; i++) {
        if (api_number(sql) >= least) {
            return true;
        }
        poll(NULL, 0, 10);
    }
    return false;
}

/* ---- requests ---- */

static char *last;

static void keep_cookie(struct user *user, const char *answer)
{
    const char *set = strstr(answer, "\r\nset-cookie: ");
    if (set != NULL && set < body_of(answer)) {
        set += strlen("\r\nset-cookie: ");
        snprintf(user->cookie, sizeof user->cookie, "%.*s", (int)strcspn(set, ";\r"), set);
    }
}

static unsigned exchange(struct user *user, const char *head, const void *bytes, size_t size)
{
    struct client *client = client_open();
    assert_non_null(client);
    char text[2048];
    snprintf(text, sizeof text, "%sHost: 127.0.0.1\r\n%s%s%s%s%s%sConnection: close\r\n\r\n", head,
             user->cookie[0] == '\0' ? "" : "Cookie: ", user->cookie,
             user->cookie[0] == '\0' ? "" : "\r\n",
             user->csrf[0] == '\0' || user->no_csrf ? "" : "X-CSRF-Token: ",
             user->no_csrf ? "" : user->csrf, user->csrf[0] == '\0' || user->no_csrf ? "" : "\r\n");
    assert_true(client_say(client, text));
    assert_true(client_send(client, bytes, size));
    const char *answer = client_read_all(client, 20000, NULL);
    free(last);
    last = strdup(answer);
    client_close(client);
    keep_cookie(user, last);
    return status_of(last);
}

const char *api_raw(void)
{
    return last;
}

unsigned api_ask(struct user *user, const char *method, const char *path, json_t *body,
                 json_t **answer)
{
    char head[512];
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    size_t size = text == NULL ? 0 : strlen(text);
    json_decref(body);
    if (text == NULL) {
        snprintf(head, sizeof head, "%s %s HTTP/1.1\r\n", method, path);
    } else {
        snprintf(head, sizeof head,
                 "%s %s HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n",
                 method, path, size);
    }
    unsigned status = exchange(user, head, text == NULL ? "" : text, size);
    free(text);
    json_t *value = json_loads(body_of(last), 0, NULL);
    const char *csrf = json_string_value(json_object_get(value, "csrf"));
    if (csrf != NULL) {
        snprintf(user->csrf, sizeof user->csrf, "%s", csrf);
    }
    if (answer != NULL) {
        *answer = value;
    } else {
        json_decref(value);
    }
    return status;
}

unsigned api_send(struct user *user, const char *path, const char *type, const void *bytes,
                  size_t size)
{
    return api_send_with(user, path, type, "", bytes, size);
}

int64_t api_now_ms(void)
{
    return wall_now().ms;
}

unsigned api_send_with(struct user *user, const char *path, const char *type, const char *more,
                       const void *bytes, size_t size)
{
    char head[1024];
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s",
             path, type, size, more);
    return exchange(user, head, bytes, size);
}

unsigned api_login(struct user *user, const char *login, const char *password)
{
    return api_ask(user, "POST", "/api/login",
                   json_pack("{s:s, s:s}", "login", login, "password", password), NULL);
}

/* ---- the caseload ---- */

static int64_t made(struct user *user, const char *path, json_t *body)
{
    json_t *answer;
    unsigned status = api_ask(user, "POST", path, body, &answer);
    if (status != 200) {
        fail_msg("POST %s: %u %s", path, status, body_of(last));
    }
    int64_t id = json_integer_value(json_object_get(answer, "id"));
    json_decref(answer);
    return id;
}

static bool quick; /* see api_caseload_quick() */

static const char *password_hash(void)
{
    static char text[CK_PASSWORD_TEXT_SIZE];
    static const uint8_t salt[CK_PASSWORD_SALT_SIZE] = {7};
    if (text[0] == '\0') {
        assert_int_equal(ck_password_hash(CHEAP, PASSWORD, salt, text), 0);
    }
    return text;
}

/* A session without a log-in. */
static void open_session(struct user *user, int64_t id)
{
    uint8_t token[32], hash[CK_SHA256_SIZE];
    char text[CK_BASE64URL_SIZE(32)], hex[CK_HEX_SIZE(CK_SHA256_SIZE)];
    struct ck_actor system = ck_actor_system();
    random_bytes(NULL, token, sizeof token);
    ck_base64url_encode(token, sizeof token, text);
    assert_int_equal(ck_api_token_hash(text, hash), 0);
    ck_hex_encode(hash, sizeof hash, hex);
    assert_int_equal(
        api_command("session.open", &system,
                    json_pack("{s:I, s:s, s:I}", "staff", (json_int_t)id, "token_hash", hex,
                              "expires",
                              (json_int_t)(wall_now().ms + world.config.limits.staff_session_ms)),
                    NULL),
        0);
    snprintf(user->cookie, sizeof user->cookie, "%s=%s", CK_API_STAFF_COOKIE, text);
    assert_int_equal(api_ask(user, "GET", "/api/me", NULL, NULL), 200);
}

/* What an administrator chose is changed at the first log-in. */
static void log_in_first(struct user *user, const char *login)
{
    assert_int_equal(api_login(user, login, GIVEN_PASSWORD), 200);
    assert_int_equal(api_ask(user, "POST", "/api/me/password",
                             json_pack("{s:s, s:s}", "old", GIVEN_PASSWORD, "new", PASSWORD), NULL),
                     200);
}

static int64_t staff(struct caseload *c, struct user *user, const char *login, const char *role,
                     const char *second, int64_t unit)
{
    json_t *roles = json_pack("[s]", role);
    if (second != NULL) {
        json_array_append_new(roles, json_string(second));
    }
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:o, s:I, s:s, s:s, s:n, s:b}", "login", login, "name", login,
                  quick ? "hash" : "password", quick ? password_hash() : GIVEN_PASSWORD, "roles",
                  roles, "unit_id", (json_int_t)unit, "language", "ru", "email", "a@example.kz",
                  "phone", "on_duty", 1);
    if (!quick) {
        int64_t id = made(&c->administrator, "/api/staff", body);
        log_in_first(user, login);
        return id;
    }
    json_object_set_new(body, "must_change", json_false());
    json_t *result;
    struct ck_actor system = ck_actor_system();
    assert_int_equal(api_command("staff.create", &system, body, &result), 0);
    int64_t id = json_integer_value(json_object_get(result, "id"));
    json_decref(result);
    open_session(user, id);
    return id;
}

int64_t api_person(struct user *user, int64_t inspector, int64_t unit, const char *name)
{
    return made(user, "/api/persons",
                json_pack("{s:s, s:s, s:s, s:n, s:s, s:n, s:n, s:I, s:I, s:s}", "name", name,
                          "birth_date", "1990-05-17", "phone", "+77010000001", "email", "language",
                          "ru", "address", "note", "inspector_id", (json_int_t)inspector, "unit_id",
                          (json_int_t)unit, "band", "high"));
}

static json_t *order_body(void)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:[{s:s, s:i, s:i, s:[s, s], s:b}], "
                     "s:s, s:s}",
                     "kind", "protective_order", "article", "20", "number", "7-1", "issuer",
                     "police", "from", "2026-11-01", "until", "2027-10-31", "conditions", "none",
                     "per_day_max", 24, "requirements", "source", "agency", "count", 24, "days", 1,
                     "modes", "live", "unattended", "mandatory", 1, "hours_start", "06:00",
                     "hours_end", "23:00");
}

static json_t *plan_body(int64_t order)
{
    return json_pack("{s:I, s:s, s:b, s:s, s:s, s:[{s:s, s:s, s:i}], s:i, s:i, s:i, s:i, s:i}",
                     "order_id", (json_int_t)order, "kind", "live", "mandatory", 1, "recurrence",
                     "FREQ=DAILY", "first_date", "2026-11-22", "windows", "start", "19:00", "end",
                     "20:00", "draws", 0, "attempts", 3, "attempt_spacing_s", 300,
                     "response_window_s", 900, "grace_s", 300, "late_limit_s", 3600);
}

static void first_administrator(struct caseload *c)
{
    json_t *answer;
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}}", "token", world.setup_token,
                             "login", "admin", "name", "Admin", quick ? "hash" : "password",
                             quick ? password_hash() : PASSWORD, "language", "ru", "unit", "name",
                             "One", "zone", "Asia/Almaty");
    if (quick) {
        struct ck_actor system = ck_actor_system();
        assert_int_equal(api_command("setup.first", &system, body, &answer), 0);
        c->unit = json_integer_value(json_object_get(answer, "unit"));
        open_session(&c->administrator, json_integer_value(json_object_get(answer, "staff")));
    } else {
        assert_int_equal(api_ask(&c->administrator, "POST", "/api/setup", body, &answer), 200);
        c->unit = json_integer_value(json_object_get(json_object_get(answer, "unit"), "id"));
    }
    json_decref(answer);
}

static void make_caseload(struct caseload *c)
{
    memset(c, 0, sizeof *c);
    first_administrator(c);
    c->far_unit = made(&c->administrator, "/api/units",
                       json_pack("{s:s, s:s}", "name", "Two", "zone", "Asia/Almaty"));
    c->inspector_id = staff(c, &c->inspector, "inspector", "inspector", NULL, c->unit);
    c->other_inspector_id = staff(c, &c->other_inspector, "other", "inspector", NULL, c->unit);
    staff(c, &c->officer, "officer", "officer", NULL, c->unit);
    c->supervisor_id = staff(c, &c->supervisor, "supervisor", "supervisor", NULL, c->unit);
    c->two_roles_id = staff(c, &c->two_roles, "two", "inspector", "officer", c->unit);
    c->stand_in_id = staff(c, &c->stand_in, "stand_in", "inspector", NULL, c->unit);
    staff(c, &c->opener, "opener", "inspector", NULL, c->far_unit);
    staff(c, &c->far_inspector, "far_inspector", "inspector", NULL, c->far_unit);
    staff(c, &c->far_officer, "far_officer", "officer", NULL, c->far_unit);
    staff(c, &c->far_supervisor, "far_supervisor", "supervisor", NULL, c->far_unit);
    c->person_id = api_person(&c->inspector, c->inspector_id, c->unit, "Secret Person");
    c->other_person_id =
        api_person(&c->other_inspector, c->other_inspector_id, c->unit, "Other Person");
    char path[96];
    snprintf(path, sizeof path, "/api/persons/%lld/orders", (long long)c->person_id);
    c->order_id = made(&c->inspector, path, order_body());
    snprintf(path, sizeof path, "/api/persons/%lld/plans", (long long)c->person_id);
    c->plan_id = made(&c->inspector, path, plan_body(c->order_id));
    json_t *link;
    snprintf(path, sizeof path, "/api/persons/%lld/enrol", (long long)c->person_id);
    assert_int_equal(api_ask(&c->inspector, "POST", path, json_object(), &link), 200);
    const char *url = json_string_value(json_object_get(link, "url"));
    assert_int_equal(strncmp(url, "https://127.0.0.1/c/", 20), 0);
    assert_int_equal(
        api_ask(&c->person, "POST", "/api/link", json_pack("{s:s}", "token", url + 20), NULL), 200);
    json_decref(link);
}

void api_caseload(struct caseload *caseload)
{
    quick = false;
    make_caseload(caseload);
}

void api_caseload_quick(struct caseload *caseload)
{
    quick = true;
    make_caseload(caseload);
}

int64_t api_own_phone(struct user *person, const uint8_t *private_key)
{
    uint8_t key[CK_P256_PUBLIC_SIZE];
    char text[CK_BASE64URL_SIZE(sizeof key)];
    json_t *answer;
    assert_int_equal(ck_p256_public(private_key, key), 0);
    ck_base64url_encode(key, sizeof key, text);
    assert_int_equal(api_ask(person, "POST", "/api/p/device",
                             json_pack("{s:s, s:s}", "public_key", text, "name", "a phone"),
                             &answer),
                     200);
    int64_t id = json_integer_value(json_object_get(answer, "device"));
    json_decref(answer);
    return id;
}

void api_expect_error(json_t *answer, const char *code, const char *field)
{
    json_t *error = json_object_get(answer, "error");
    if (json_string_value(json_object_get(error, "code")) == NULL ||
        strcmp(json_string_value(json_object_get(error, "code")), code) != 0) {
        fail_msg("expected %s: %s", code, api_raw());
    }
    const char *named = json_string_value(json_object_get(error, "field"));
    if (field == NULL ? named != NULL : named == NULL || strcmp(named, field) != 0) {
        fail_msg("expected the field %s: %s", field == NULL ? "null" : field, api_raw());
    }
    json_decref(answer);
}
