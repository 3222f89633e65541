/* The control socket: wrong orders, hangs, drains and the end. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/media/rig.h"

static struct ck_rig *start(const struct ck_rig_options *options)
{
    struct ck_rig *rig = NULL;
    assert_int_equal(ck_rig_start(options, &rig), 0);
    return rig;
}

static int exit_status(struct ck_rig *rig)
{
    int status;
    assert_int_equal(ck_rig_wait_exit(rig, &status), 0);
    assert_true(WIFEXITED(status));
    int code = WEXITSTATUS(status);
    ck_rig_stop(rig, &status);
    return code;
}

static void test_ready_and_end(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    const struct ck_worker_message *ready = ck_rig_find(rig, CK_WORKER_READY, 0, 0, 1);
    assert_int_equal(ready->ready.version, CK_WORKER_VERSION);
    assert_int_not_equal(ready->ready.port_v4, 0);
    assert_int_equal(ready->ready.port_v6, 0);
    assert_int_equal(ready->ready.legs_max, 512);
    assert_true(ready->ready.library.size > 0);
    ck_rig_end_control(rig);
    assert_int_equal(exit_status(rig), CK_WORKER_EXIT_OK);
}

static void test_wrong_orders(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t bytes[16];
        size_t size;
    } orders[] = {
        {"too short", {0}, 1},
        {"unknown kind", {0, 200, 0, 0}, 4},
        {"a fact, not an order", {0, 65, 0, 0}, 4},
        {"cut short", {0, 4, 0, 0, 1, 2, 3}, 7},
        {"left over", {0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9}, 13},
        {"reserved not 0", {0, 4, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1}, 12},
        {"out of range", {0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2}, 13},
        {"CONFIG a second time", {0, 1, 0, 0}, 4},
    };
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct ck_rig *rig = start(NULL);
        assert_true(send(ck_rig_control(rig), orders[i].bytes, orders[i].size, MSG_NOSIGNAL) > 0);
        int code = exit_status(rig);
        if (code != CK_WORKER_EXIT_PROTOCOL) {
            fail_msg("%s: ended with %d", orders[i].name, code);
        }
    }
}

static void test_recording_without_file(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    struct ck_worker_message message = {.kind = CK_WORKER_RECORD_START,
                                        .record_start = {.leg = 1, .recording = 1}};
    ck_rig_send(rig, &message, -1);
    assert_int_equal(exit_status(rig), CK_WORKER_EXIT_PROTOCOL);
}

static void test_drain(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    struct ck_worker_message message = {.kind = CK_WORKER_SHUTDOWN,
                                        .shutdown = {.drain_ms = 60000}};
    ck_rig_send(rig, &message, -1);
    uint64_t late = ck_rig_open(rig, 2, CK_WORKER_ROLE_PERSON, &(struct ck_tclient_config){0});
    const struct ck_worker_message *refused =
        ck_rig_await(rig, CK_WORKER_LEG_REFUSED, late, 0, 1, 2000);
    assert_non_null(refused);
    assert_int_equal(refused->leg_refused.code, CK_WORKER_REFUSED_DRAINING);
    uint64_t before = ck_rig_stats(rig, legs[0])->account[0].unique;
    ck_rig_run(rig, 500);
    assert_true(ck_rig_stats(rig, legs[0])->account[0].unique > before + 15);
    ck_rig_close(rig, legs[0]);
    ck_rig_close(rig, legs[1]);
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[1], CK_WORKER_EVENT_CLOSED, 1, 2000));
    assert_int_equal(exit_status(rig), CK_WORKER_EXIT_OK);
}

static void test_drain_ends_in_time(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    struct ck_worker_message message = {.kind = CK_WORKER_SHUTDOWN, .shutdown = {.drain_ms = 300}};
    ck_rig_send(rig, &message, -1);
    for (unsigned side = 0; side < 2; side++) {
        assert_non_null(
            ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[side], CK_WORKER_EVENT_CLOSED, 1, 2000));
    }
    assert_int_equal(exit_status(rig), CK_WORKER_EXIT_OK);
}

static void test_usage(void **state)
{
    (void)state;
    static const char *const arguments[] = {"", "--control-fd=x", "--control-fd=99", "--help-me"};
    for (size_t i = 0; i < 4; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            FILE *null = freopen("/dev/null", "w", stderr);
            (void)null;
            execl(CK_MEDIA_PROGRAM, CK_MEDIA_PROGRAM, arguments[i], (char *)NULL);
            _exit(127);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), CK_WORKER_EXIT_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready_and_end),          cmocka_unit_test(test_wrong_orders),
        cmocka_unit_test(test_recording_without_file), cmocka_unit_test(test_drain),
        cmocka_unit_test(test_drain_ends_in_time),     cmocka_unit_test(test_usage),
    };
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
