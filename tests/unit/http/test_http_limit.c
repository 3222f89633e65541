#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/http/limit.h"
#include "protocol/base/error.h"

static struct ck_mono at_ms(int64_t ms)
{
    return (struct ck_mono){ms * 1000};
}

static void a_bucket_gives_its_burst_and_refills(void **state)
{
    (void)state;
    struct ck_limit *limit;
    assert_int_equal(ck_limit_create(10, 3, 100, 7, &limit), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ck_limit_take(limit, "a", 1, at_ms(0), NULL), 0);
    }
    int64_t wait_ms = 0;
    assert_int_equal(ck_limit_take(limit, "a", 1, at_ms(30), &wait_ms), CK_E_LIMIT);
    assert_int_equal(wait_ms, 70);
    assert_int_equal(ck_limit_take(limit, "b", 1, at_ms(30), NULL), 0); /* others are not touched */
    assert_int_equal(ck_limit_ask(limit, "a", 1, at_ms(99), &wait_ms), CK_E_LIMIT);
    assert_int_equal(ck_limit_ask(limit, "a", 1, at_ms(100), NULL), 0);
    assert_int_equal(ck_limit_take(limit, "a", 1, at_ms(100), NULL), 0);
    assert_int_equal(ck_limit_take(limit, "a", 1, at_ms(100), NULL), CK_E_LIMIT);
    for (int i = 0; i < 3; i++) { /* never more than the burst, however long it rested */
        assert_int_equal(ck_limit_take(limit, "a", 1, at_ms(1000000), NULL), 0);
    }
    assert_int_equal(ck_limit_take(limit, "a", 1, at_ms(1000000), NULL), CK_E_LIMIT);
    ck_limit_destroy(limit);
}

static void asking_takes_nothing(void **state)
{
    (void)state;
    struct ck_limit *limit;
    assert_int_equal(ck_limit_create(10, 1, 100, 7, &limit), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ck_limit_ask(limit, "a", 1, at_ms(0), NULL), 0);
    }
    assert_int_equal(ck_limit_keys(limit), 0);
    assert_int_equal(ck_limit_take(limit, "a", 1, at_ms(0), NULL), 0);
    ck_limit_destroy(limit);
}

static void holding_is_counted_by_key(void **state)
{
    (void)state;
    struct ck_limit *limit;
    assert_int_equal(ck_limit_create(10, 1, 100, 7, &limit), 0);
    assert_int_equal(ck_limit_hold(limit, "a", 1, 2, at_ms(0)), 0);
    assert_int_equal(ck_limit_hold(limit, "a", 1, 2, at_ms(0)), 0);
    assert_int_equal(ck_limit_hold(limit, "a", 1, 2, at_ms(0)), CK_E_LIMIT);
    assert_int_equal(ck_limit_hold(limit, "b", 1, 2, at_ms(0)), 0);
    assert_int_equal(ck_limit_held(limit, "a", 1), 2);
    assert_int_equal(ck_limit_held(limit, "c", 1), 0);
    ck_limit_release(limit, "a", 1);
    assert_int_equal(ck_limit_held(limit, "a", 1), 1);
    assert_int_equal(ck_limit_hold(limit, "a", 1, 2, at_ms(0)), 0);
    ck_limit_destroy(limit);
}

static void a_full_table_forgets_the_oldest_idle_key(void **state)
{
    (void)state;
    struct ck_limit *limit;
    assert_int_equal(ck_limit_create(2, 1, 1000, 7, &limit), 0);
    assert_int_equal(ck_limit_hold(limit, "held", 4, 9, at_ms(0)), 0);
    assert_int_equal(ck_limit_take(limit, "old", 3, at_ms(1), NULL), 0);
    assert_int_equal(ck_limit_take(limit, "new", 3, at_ms(2), NULL), 0);
    assert_int_equal(ck_limit_keys(limit), 2);
    assert_int_equal(ck_limit_take(limit, "old", 3, at_ms(3), NULL), 0); /* forgotten: full again */
    assert_int_equal(ck_limit_hold(limit, "held", 4, 1, at_ms(4)), CK_E_LIMIT); /* remembered */
    assert_int_equal(ck_limit_hold(limit, "old", 3, 9, at_ms(5)), 0);
    assert_int_equal(ck_limit_take(limit, "more", 4, at_ms(6), NULL),
                     CK_E_LIMIT); /* no room at all */
    ck_limit_destroy(limit);
}

static void many_keys_stay_apart(void **state)
{
    (void)state;
    struct ck_limit *limit;
    assert_int_equal(ck_limit_create(5000, 1, 1000, 99, &limit), 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            char key[16];
            int size = snprintf(key, sizeof key, "%d", i);
            assert_int_equal(ck_limit_take(limit, key, (size_t)size, at_ms(0), NULL),
                             round == 0 ? 0 : CK_E_LIMIT);
        }
    }
    assert_int_equal(ck_limit_keys(limit), 5000);
    ck_limit_destroy(limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_gives_its_burst_and_refills),
        cmocka_unit_test(asking_takes_nothing),
        cmocka_unit_test(holding_is_counted_by_key),
        cmocka_unit_test(a_full_table_forgets_the_oldest_idle_key),
        cmocka_unit_test(many_keys_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
