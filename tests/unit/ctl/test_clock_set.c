/* A wall clock that is set. Setting the machine's own is not for a test: the clock that is read
 * here has a lead that the test chooses, and reading the timer says what the kernel says of a clock
 * that was set (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/ctl/clock.h"

#define HOUR_S 3600

static int64_t lead_s; /* of the wall clock before the machine's */
static bool was_set;
static int armings;
static int timer_fd = -1;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old);
ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int r = __real_clock_gettime(clock, now);
    now->tv_sec += clock == CLOCK_REALTIME ? lead_s : 0;
    return r;
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old)
{
    assert_int_equal(flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
    timer_fd = fd;
    armings++;
    return __real_timerfd_settime(fd, flags, value, old);
}

ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
    if (fd == timer_fd && was_set) {
        was_set = false;
        errno = ECANCELED;
        return -1;
    }
    return __real_read(fd, bytes, size);
}

struct bench {
    uv_loop_t loop;
    struct ck_clock_watch *watch;
    int jumps;
    int64_t jump_ms;
};

static void on_jump(void *user, int64_t jump_ms)
{
    struct bench *bench = user;
    bench->jumps++;
    bench->jump_ms = jump_ms;
}

/* Sets the clock by so much: the timer can be read from then on. */
static void set_by(struct bench *bench, int64_t seconds)
{
    static const struct itimerspec now = {.it_value = {.tv_sec = 1}};
    int before = armings;
    lead_s += seconds;
    was_set = true;
    assert_int_equal(__real_timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &now, NULL), 0);
    while (was_set) {
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
    assert_int_equal(armings, before + 1); /* the next one is seen as well */
}

static void every_setting_is_told(void **state)
{
    (void)state;
    struct bench bench = {.jumps = 0};
    assert_int_equal(uv_loop_init(&bench.loop), 0);
    assert_int_equal(ck_clock_watch_create(&bench.watch, &bench.loop, on_jump, &bench), 0);
    static const int64_t by_s[] = {HOUR_S, -HOUR_S, -2, 1};
    for (int i = 0; i < 4; i++) {
        set_by(&bench, by_s[i]);
        assert_int_equal(bench.jumps, i + 1);
        assert_in_range(bench.jump_ms - by_s[i] * 1000 + 100, 0, 200);
    }
    set_by(&bench, 0); /* set to what it was */
    assert_true(bench.jumps == 4 || (bench.jump_ms >= -100 && bench.jump_ms <= 100));
    ck_clock_watch_destroy(bench.watch);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench.loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
