/* When the packet loop waits for more packets, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "media/transport/gather.h"

#define START_US INT64_C(5000000)

/* Turns `every_us` apart for `us`, each with `count` packets; how long the last one may wait. */
static int64_t wait_after(struct ck_gather *gather, struct ck_mono *now, uint64_t *packets,
                          int64_t us, int64_t every_us, unsigned count)
{
    int64_t wait_us = 0;
    for (int64_t end_us = now->us + us; now->us < end_us; *now = ck_mono_add_us(*now, every_us)) {
        *packets += count;
        wait_us = ck_gather_until(gather, *now, *packets).us - now->us;
    }
    return wait_us;
}

static void test_a_lone_call_waits_for_nothing(void **state)
{
    (void)state;
    struct ck_gather gather = {0};
    struct ck_mono now = {START_US};
    uint64_t packets = 0;
    for (unsigned i = 0; i < 100; i++) { /* 200 packets a second, then a burst of a key frame */
        assert_int_equal(wait_after(&gather, &now, &packets, 10000, 5000, 1), 0);
    }
    assert_int_equal(wait_after(&gather, &now, &packets, 10000, 1000, 3), 0);
}

static void test_thick_traffic_shares_turns_and_thin_is_free_again(void **state)
{
    (void)state;
    struct ck_gather gather = {0};
    struct ck_mono now = {START_US};
    uint64_t packets = 0;
    assert_int_equal(wait_after(&gather, &now, &packets, 50000, 100, 1), CK_GATHER_US);
    assert_int_equal(wait_after(&gather, &now, &packets, 50000, 500, 5), CK_GATHER_US);
    assert_int_equal(wait_after(&gather, &now, &packets, 2 * CK_GATHER_WINDOW_MS * 1000, 1000, 1),
                     0);
}

/* As many packets after a silence are no thick traffic: they came over the whole of it. */
static void test_a_silence_is_no_window(void **state)
{
    (void)state;
    struct ck_gather gather = {0};
    struct ck_mono now = {START_US};
    (void)ck_gather_until(&gather, now, 0);
    now = ck_mono_add_us(now, 1000000);
    assert_int_equal(ck_gather_until(&gather, now, 2 * CK_GATHER_PACKETS_MIN).us, now.us);
    assert_int_equal(ck_gather_until(&gather, now, 4 * CK_GATHER_PACKETS_MIN).us, now.us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lone_call_waits_for_nothing),
        cmocka_unit_test(test_thick_traffic_shares_turns_and_thin_is_free_again),
        cmocka_unit_test(test_a_silence_is_no_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
