/* In a sandbox without adjtimex(2): a private bus with somebody who answers for systemd-timedated.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>
#include <systemd/sd-bus.h>
#include <uv.h>

#include "daemon/ctl/clock.h"

static pid_t bus_pid;
static uv_thread_t answerer;
static sd_bus *bus;
static atomic_bool stop;

static int say_synchronised(sd_bus *from, const char *path, const char *interface,
                            const char *property, sd_bus_message *reply, void *user,
                            sd_bus_error *error)
{
    (void)from;
    (void)path;
    (void)interface;
    (void)property;
    (void)user;
    (void)error;
    return sd_bus_message_append(reply, "b", 1);
}

static const sd_bus_vtable table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("NTPSynchronized", "b", say_synchronised, 0, 0),
    SD_BUS_VTABLE_END,
};

static void answer(void *user)
{
    (void)user;
    while (!stop) {
        if (sd_bus_process(bus, NULL) == 0) {
            sd_bus_wait(bus, 50000);
        }
    }
}

/* Starts dbus-daemon and puts its address into the environment. */
static void start_bus(void)
{
    int out[2];
    char address[256] = "";
    assert_int_equal(pipe(out), 0);
    bus_pid = fork();
    if (bus_pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        execl("/usr/bin/dbus-daemon", "dbus-daemon", "--session", "--nofork", "--print-address",
              NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *file = fdopen(out[0], "r");
    assert_non_null(fgets(address, sizeof address, file));
    fclose(file);
    address[strcspn(address, "\n")] = '\0';
    setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
}

static int start(void **state)
{
    (void)state;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    assert_int_equal(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(adjtimex), 0), 0);
    assert_int_equal(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clock_adjtime), 0),
                     0);
    assert_int_equal(seccomp_load(filter), 0);
    seccomp_release(filter);
    start_bus();
    assert_true(sd_bus_open_system(&bus) >= 0);
    assert_true(sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/timedate1",
                                         "org.freedesktop.timedate1", table, NULL) >= 0);
    assert_true(sd_bus_request_name(bus, "org.freedesktop.timedate1", 0) >= 0);
    return uv_thread_create(&answerer, answer, NULL);
}

static int end(void **state)
{
    (void)state;
    stop = true;
    uv_thread_join(&answerer);
    sd_bus_flush_close_unref(bus);
    kill(bus_pid, SIGTERM);
    waitpid(bus_pid, NULL, 0);
    return 0;
}

static void jumped(void *user, int64_t jump_ms)
{
    (void)user;
    (void)jump_ms;
}

static void on_check(uv_timer_t *timer)
{
    if (ck_clock_status().known) {
        uv_stop(timer->loop);
    }
}

static void timedated_is_asked_where_the_kernel_may_not_be(void **state)
{
    (void)state;
    struct timex kernel = {.modes = 0};
    assert_int_equal(adjtimex(&kernel), -1);
    if (access("/run/systemd/timesync/synchronized", F_OK) == 0) {
        skip(); /* this machine's own mark answers first */
    }
    struct ck_clock_status status = ck_clock_status();
    assert_false(status.known);
    assert_false(status.synchronised);
    uv_loop_t loop;
    uv_timer_t timer;
    struct ck_clock_watch *watch;
    assert_int_equal(uv_loop_init(&loop), 0);
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_check, 5, 5);
    assert_int_equal(ck_clock_watch_create(&watch, &loop, jumped, NULL), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(ck_clock_status().synchronised);
    ck_clock_watch_destroy(watch);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    if (access("/usr/bin/dbus-daemon", X_OK) != 0) {
        printf("skipped: there is no dbus-daemon\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timedated_is_asked_where_the_kernel_may_not_be),
    };
    return cmocka_run_group_tests(tests, start, end);
}
