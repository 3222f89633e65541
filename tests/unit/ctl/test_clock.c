#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/ctl/clock.h"
#include "protocol/base/error.h"

static void clocks_are_those_of_the_system(void **state)
{
    (void)state;
    time_t before = time(NULL);
    struct ck_wall wall = ck_clock_wall();
    assert_in_range(wall.ms / 1000, before, before + 5);
    struct ck_mono first = ck_clock_mono();
    struct ck_mono second = ck_clock_mono();
    assert_true(second.us >= first.us && first.us > 0);
}

static void the_kernel_says_something(void **state)
{
    (void)state;
    struct ck_clock_status status = ck_clock_status();
    assert_true(status.known || !status.synchronised);
    assert_true(status.max_error_us >= 0);
}

static void jumped(void *user, int64_t jump_ms)
{
    (void)jump_ms;
    ++*(int *)user;
}

/* A clock that nobody sets is quiet; one that is set: test_clock_set.c. */
static void a_steady_clock_is_quiet(void **state)
{
    (void)state;
    int jumps = 0;
    uv_loop_t loop;
    struct ck_clock_watch *watch;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(ck_clock_watch_create(&watch, &loop, jumped, &jumps), 0);
    for (int i = 0; i < 10; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(jumps, 0);
    ck_clock_watch_destroy(watch);
    ck_clock_watch_destroy(NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void almaty_is_five_hours_ahead_since_march_2024(void **state)
{
    (void)state;
    assert_int_equal(ck_clock_zone_test((struct ck_wall){INT64_C(1795000000000)}), 0);
    /* Before the change the same test must fail: it was +6. */
    assert_int_equal(ck_clock_zone_test((struct ck_wall){INT64_C(1700000000000)}), CK_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_are_those_of_the_system),
        cmocka_unit_test(the_kernel_says_something),
        cmocka_unit_test(a_steady_clock_is_quiet),
        cmocka_unit_test(almaty_is_five_hours_ahead_since_march_2024),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
