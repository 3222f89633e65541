#include "world.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "daemon/http/certificate.h"

struct job {
    void (*work)(void *user);
    void *user;
    bool done;
};

static struct {
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    struct ck_http *http;
    struct ck_http_handlers handlers;
    struct world_limits limits;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct job *job;
    bool ready, stop;
    int started, closed;
    unsigned port;
    atomic_llong offset_us;
} world;

static struct ck_mono world_now(void *user)
{
    (void)user;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct ck_mono){now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000 +
                            atomic_load(&world.offset_us)};
}

static void world_log(void *user, int level, const char *text)
{
    (void)user;
    if (level <= 4 || getenv("WORLD_LOG") != NULL) {
        fprintf(stderr, "server: %s\n", text);
    }
}

static void close_wake(void *user)
{
    (void)user;
    uv_close((uv_handle_t *)&world.wake, NULL);
}

static void on_wake(uv_async_t *wake)
{
    (void)wake;
    pthread_mutex_lock(&world.mutex);
    struct job *job = world.job;
    bool stop = world.stop;
    world.stop = false;
    pthread_mutex_unlock(&world.mutex);
    if (job != NULL) {
        job->work(job->user);
        pthread_mutex_lock(&world.mutex);
        world.job = NULL;
        job->done = true;
        pthread_cond_broadcast(&world.changed);
        pthread_mutex_unlock(&world.mutex);
    }
    if (stop) {
        ck_http_stop(world.http, close_wake, NULL);
    }
}

static void *run(void *unused)
{
    (void)unused;
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    static const char *const listen[] = {"127.0.0.1:0"};
    char *certificate, *key;
    uv_loop_init(&world.loop);
    uv_async_init(&world.loop, &world.wake, on_wake);
    struct ck_wall now = {(int64_t)time(NULL) * 1000};
    world.started = ck_certificate_make(hosts, 2, now, &certificate, &key);
    if (world.started == 0) {
        struct ck_http_settings settings = {
            .loop = &world.loop,
            .listen = listen,
            .listen_count = 1,
            .certificate_pem = certificate,
            .certificate_size = strlen(certificate),
            .key_pem = key,
            .key_size = strlen(key),
            .hosts = hosts,
            .host_count = 2,
            .proxies = &world.limits.proxy,
            .proxy_count = world.limits.proxy != NULL,
            .seed = 1,
            .connections = world.limits.connections,
            .connections_per_address = world.limits.connections_per_address,
            .requests_per_minute = world.limits.requests_per_minute,
        };
        world.started = ck_http_create(&settings, &world.handlers, &world.http);
        free(certificate);
        free(key);
    }
    if (world.started == 0) {
        world.port = ck_http_port(world.http, 0);
    }
    pthread_mutex_lock(&world.mutex);
    world.ready = true;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.mutex);
    if (world.started == 0) {
        uv_run(&world.loop, UV_RUN_DEFAULT);
        world.closed = uv_loop_close(&world.loop);
    }
    return NULL;
}

void world_start(const struct ck_http_handlers *handlers, const struct world_limits *limits)
{
    world.handlers = *handlers;
    world.handlers.log = world_log;
    world.handlers.now = world_now;
    world.limits = limits != NULL ? *limits : (struct world_limits){1000, 1000, 1000000, NULL};
    atomic_store(&world.offset_us, 0);
    world.ready = world.stop = false;
    pthread_mutex_init(&world.mutex, NULL);
    pthread_cond_init(&world.changed, NULL);
    assert_int_equal(pthread_create(&world.thread, NULL, run, NULL), 0);
    pthread_mutex_lock(&world.mutex);
    while (!world.ready) {
        pthread_cond_wait(&world.changed, &world.mutex);
    }
    pthread_mutex_unlock(&world.mutex);
    assert_int_equal(world.started, 0);
    clients_use_port(world.port);
}

void world_stop(void)
{
    pthread_mutex_lock(&world.mutex);
    world.stop = true;
    pthread_mutex_unlock(&world.mutex);
    uv_async_send(&world.wake);
    pthread_join(world.thread, NULL);
    assert_int_equal(world.closed, 0);
    pthread_mutex_destroy(&world.mutex);
    pthread_cond_destroy(&world.changed);
}

struct ck_http *world_http(void)
{
    return world.http;
}

unsigned world_port(void)
{
    return world.port;
}

void world_call(void (*work)(void *user), void *user)
{
    struct job job = {work, user, false};
    pthread_mutex_lock(&world.mutex);
    world.job = &job;
    uv_async_send(&world.wake);
    while (!job.done) {
        pthread_cond_wait(&world.changed, &world.mutex);
    }
    pthread_mutex_unlock(&world.mutex);
}

static void get_counts(void *user)
{
    *(struct ck_http_counts *)user = ck_http_counts(world.http);
}

struct ck_http_counts world_counts(void)
{
    struct ck_http_counts counts;
    world_call(get_counts, &counts);
    return counts;
}

void world_pass_ms(int64_t ms)
{
    atomic_fetch_add(&world.offset_us, ms * 1000);
}

struct waiting {
    bool (*done)(void *user);
    void *user;
    bool result;
};

static void ask_done(void *user)
{
    struct waiting *waiting = user;
    waiting->result = waiting->done(waiting->user);
}

bool world_wait(bool (*done)(void *user), void *user)
{
    struct waiting waiting = {done, user, false};
    for (int i = 0; i < 1000; i++) {
        world_call(ask_done, &waiting);
        if (waiting.result) {
            return true;
        }
        poll(NULL, 0, 10);
    }
    return false;
}
