/* What the service manager hears, at its end of a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/ctl/service.h"

static int manager = -1;

/* An abstract socket as the manager would give. */
static int open_manager(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = 5};
    char name[64];
    snprintf(name, sizeof name, "@checkind-test-%d", (int)getpid());
    memcpy(address.sun_path, name, strlen(name));
    address.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(manager >= 0);
    setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    assert_int_equal(bind(manager, (struct sockaddr *)&address, size), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return 0;
}

static int close_manager(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    close(manager);
    return 0;
}

static void expect(const char *wanted)
{
    char text[256] = "";
    ssize_t size = recv(manager, text, sizeof text - 1, 0);
    assert_true(size > 0);
    assert_string_equal(text, wanted);
}

/* In a child: a limit that was taken away stays so. */
static void memory_is_hidden(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {1, 1};
        bool hidden = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 && ck_service_hide_memory() == 0 &&
                      prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                      getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0;
        _exit(hidden ? 7 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void states_are_told(void **state)
{
    (void)state;
    ck_service_ready();
    expect("READY=1");
    ck_service_status("%d calls", 3);
    expect("STATUS=3 calls");
    ck_service_reloading();
    expect("RELOADING=1");
    ck_service_stopping();
    expect("STOPPING=1");
}

/* A manager that is stuck has room for a few; the daemon goes on all the same. */
static void nobody_reads(void **state)
{
    (void)state;
    enum { MANY = 5000, STUCK_S = 20 };
    alarm(STUCK_S); /* a call that waits would wait for good */
    for (int i = 0; i < MANY; i++) {
        ck_service_status("%d calls", i);
    }
    alarm(0);
    expect("STATUS=0 calls");
    char rest[64];
    while (recv(manager, rest, sizeof rest, MSG_DONTWAIT) > 0) {
    }
}

struct heart {
    uv_loop_t loop;
    int asked;
};

/* Sound at first, then not, then the loop ends. */
static bool sound(void *user)
{
    struct heart *heart = user;
    if (++heart->asked == 5) {
        uv_stop(&heart->loop);
    }
    return heart->asked <= 2;
}

static void the_sign_of_life_stops_with_the_work(void **state)
{
    (void)state;
    struct heart heart = {.asked = 0};
    struct ck_watchdog *watchdog = NULL;
    assert_int_equal(uv_loop_init(&heart.loop), 0);
    setenv("WATCHDOG_USEC", "20000", 1);
    assert_int_equal(ck_watchdog_create(&watchdog, &heart.loop, sound, &heart), 0);
    assert_non_null(watchdog);
    uv_run(&heart.loop, UV_RUN_DEFAULT);
    expect("WATCHDOG=1");
    expect("WATCHDOG=1");
    char none[64];
    assert_int_equal(recv(manager, none, sizeof none, MSG_DONTWAIT), -1);
    ck_watchdog_destroy(watchdog);
    uv_run(&heart.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&heart.loop), 0);
}

/* Sound, and the loop ends after the second question. */
static bool sound_twice(void *user)
{
    struct heart *heart = user;
    if (++heart->asked == 2) {
        uv_stop(&heart->loop);
    }
    return true;
}

/* The manager had no room for it; once it has, it hears it, and once only. */
static void ready_is_not_lost(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    struct heart heart = {.asked = 0};
    struct ck_watchdog *watchdog = NULL;
    char rest[64];
    for (int i = 0; i < MANY; i++) {
        ck_service_status("%d calls", i);
    }
    ck_service_ready();
    while (recv(manager, rest, sizeof rest, MSG_DONTWAIT) > 0) {
    }
    assert_int_equal(uv_loop_init(&heart.loop), 0);
    setenv("WATCHDOG_USEC", "20000", 1);
    assert_int_equal(ck_watchdog_create(&watchdog, &heart.loop, sound_twice, &heart), 0);
    uv_run(&heart.loop, UV_RUN_DEFAULT);
    expect("READY=1\nWATCHDOG=1");
    expect("WATCHDOG=1");
    ck_watchdog_destroy(watchdog);
    uv_run(&heart.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&heart.loop), 0);
}

static void nobody_wants_a_sign(void **state)
{
    (void)state;
    struct ck_watchdog *watchdog = (struct ck_watchdog *)&manager;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(ck_watchdog_create(&watchdog, &loop, sound, NULL), 0);
    assert_null(watchdog);
    ck_watchdog_destroy(watchdog);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_hidden),  cmocka_unit_test(states_are_told),
        cmocka_unit_test(nobody_reads),      cmocka_unit_test(the_sign_of_life_stops_with_the_work),
        cmocka_unit_test(ready_is_not_lost), cmocka_unit_test(nobody_wants_a_sign),
    };
    return cmocka_run_group_tests(tests, open_manager, close_manager);
}
