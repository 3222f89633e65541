/* Reads recorded of late are remembered for as long as they may be, and each for itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/api/noted.h"

static const struct ck_wall now = {1000}, later = {2000}, latest = {3000};
static const char *const lists[] = {"/api/today", "/api/reviews", "/api/incidents", "/api/persons"};

static struct ck_noted_read read_of(int64_t session, size_t list)
{
    return (struct ck_noted_read){.session = session, .object = lists[list]};
}

static void test_until_its_time_is_over(void **state)
{
    (void)state;
    static struct ck_noted noted;
    struct ck_noted_read read = {.session = 7, .id = 3, .object = lists[0]};
    assert_false(ck_noted_has(&noted, &read, now));
    ck_noted_add(&noted, &read, later);
    assert_true(ck_noted_has(&noted, &read, now));
    assert_false(ck_noted_has(&noted, &read, later));
    ck_noted_add(&noted, &read, latest);
    assert_true(ck_noted_has(&noted, &read, later));
}

static void test_another_is_another(void **state)
{
    (void)state;
    static struct ck_noted noted;
    struct ck_noted_read read = {.session = 7, .id = 3, .object = lists[0]};
    ck_noted_add(&noted, &read, later);
    struct ck_noted_read others[] = {{8, 3, lists[0]}, {7, 4, lists[0]}, {7, 3, lists[1]}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(ck_noted_has(&noted, &others[i], now));
    }
}

/* Everybody of a large unit with the same lists open: none pushes another's out. */
static void test_two_hundred_sessions(void **state)
{
    (void)state;
    static struct ck_noted noted;
    for (int64_t session = 1; session <= 200; session++) {
        for (size_t list = 0; list < 4; list++) {
            struct ck_noted_read read = read_of(session, list);
            ck_noted_add(&noted, &read, later);
        }
    }
    for (int64_t session = 1; session <= 200; session++) {
        for (size_t list = 0; list < 4; list++) {
            struct ck_noted_read read = read_of(session, list);
            assert_true(ck_noted_has(&noted, &read, now));
        }
    }
}

static void test_a_full_table_forgets_what_ends_soonest(void **state)
{
    (void)state;
    static struct ck_noted noted;
    for (int64_t session = 1; session <= 8 * CK_NOTED_MAX; session++) {
        struct ck_noted_read read = read_of(session, 0);
        ck_noted_add(&noted, &read, later);
    }
    struct ck_noted_read last = read_of(-1, 0);
    ck_noted_add(&noted, &last, latest);
    for (int64_t session = 1; session <= 8 * CK_NOTED_MAX; session++) {
        struct ck_noted_read read = read_of(session, 1);
        ck_noted_add(&noted, &read, later);
    }
    assert_true(ck_noted_has(&noted, &last, now));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_until_its_time_is_over),
        cmocka_unit_test(test_another_is_another),
        cmocka_unit_test(test_two_hundred_sessions),
        cmocka_unit_test(test_a_full_table_forgets_what_ends_soonest),
    };
    return cmocka_run_group_tests_name("noted", tests, NULL, NULL);
}
