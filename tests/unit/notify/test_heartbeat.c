#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/notify/heartbeat.h"
#include "tests/sinks/sink.h"

static struct sink http;

struct heart {
    uv_loop_t loop;
    struct ck_heartbeat *heartbeat;
    uint64_t sound_until; /* so many beats were answered */
    uint64_t failures;    /* the loop stops after so many, or three that were withheld */
};

static struct ck_wall now(void)
{
    return (struct ck_wall){INT64_C(1795000000000)};
}

static bool sound(void *user)
{
    struct heart *heart = user;
    struct ck_heartbeat_status status;
    ck_heartbeat_status(heart->heartbeat, &status);
    if (status.withheld >= 3 || status.failed >= heart->failures) {
        uv_stop(&heart->loop);
    }
    return status.sent < heart->sound_until;
}

static struct ck_heartbeat_status beat(const char *path, uint64_t sound_until, uint64_t failures)
{
    struct heart heart = {.sound_until = sound_until, .failures = failures};
    struct ck_heartbeat_status status;
    char url[80];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", http.port, path);
    uv_loop_init(&heart.loop);
    const struct ck_heartbeat_options options = {
        .url = url, .every_ms = 100, .now = now, .sound = sound, .user = &heart};
    assert_int_equal(ck_heartbeat_create(&heart.heartbeat, &heart.loop, &options), 0);
    uv_run(&heart.loop, UV_RUN_DEFAULT);
    ck_heartbeat_status(heart.heartbeat, &status);
    ck_heartbeat_destroy(heart.heartbeat);
    ck_heartbeat_destroy(NULL);
    uv_run(&heart.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&heart.loop), 0);
    return status;
}

static void it_beats_only_while_the_daemon_is_sound(void **state)
{
    (void)state;
    size_t before = sink_count(&http, ".json");
    struct ck_heartbeat_status status = beat("/ok", 2, UINT64_MAX);
    assert_int_equal(sink_count(&http, ".json") - before, 2);
    assert_int_equal(status.sent, 2);
    assert_true(status.withheld >= 3);
    assert_int_equal(status.last_sent.ms, INT64_C(1795000000000));
}

static void a_monitor_that_does_not_take_it_is_noticed(void **state)
{
    (void)state;
    struct ck_heartbeat_status status = beat("/status/500", 9, 2);
    assert_int_equal(status.sent, 0);
    assert_true(status.failed >= 2);
    assert_int_equal(status.last_sent.ms, 0);
    status = beat("/stall", 9, 2);
    assert_true(status.failed >= 2); /* beats that could not even begin */
}

static int start(void **state)
{
    (void)state;
    sink_start(&http, "http_sink.py", NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    sink_stop(&http);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_beats_only_while_the_daemon_is_sound),
        cmocka_unit_test(a_monitor_that_does_not_take_it_is_noticed),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
