/* The tables under the packet loop: SipHash, tuples, packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media/transport/packet.h"
#include "media/transport/tuples.h"

/* The paper's test vector: key 00…0f, message 00…0e. */
static void test_siphash_vector(void **state)
{
    (void)state;
    uint8_t key[CK_SIPHASH_KEY_SIZE];
    uint8_t message[15];
    for (uint8_t i = 0; i < sizeof key; i++) {
        key[i] = i;
    }
    for (uint8_t i = 0; i < sizeof message; i++) {
        message[i] = i;
    }
    assert_true(ck_siphash(key, message, sizeof message) == 0xa129ca6149be45e5);
    assert_true(ck_siphash(key, message, 0) == 0x726fdb47dd0e0e31);
}

static struct ck_path path_of(unsigned number)
{
    struct ck_path path = {.family = number % 2 == 0 ? 4 : 6,
                           .port = (uint16_t)(1000 + number % 50)};
    path.remote[0] = (uint8_t)(number / 50);
    path.remote[1] = (uint8_t)(number / 50 >> 8);
    return path;
}

/* Adds and removes at random beside a plain list that is always right. */
static void test_tuples_against_a_list(void **state)
{
    (void)state;
    enum { PATHS = 600, ROOM = 200 };
    static const uint8_t key[CK_SIPHASH_KEY_SIZE] = {7};
    struct ck_tuples table;
    static uint32_t numbers[PATHS];
    static uint32_t last[PATHS]; /* that each had */
    unsigned count = 0;
    uint32_t seed = 99;
    assert_int_equal(ck_tuples_init(&table, ROOM, key), 0);
    memset(numbers, 0xff, sizeof numbers);
    for (unsigned step = 0; step < 100000; step++) {
        seed = seed * 1664525 + 1013904223;
        unsigned which = (seed >> 8) % PATHS;
        struct ck_path path = path_of(which);
        assert_int_equal(ck_tuples_find(&table, &path), numbers[which]);
        assert_int_equal(ck_tuples_is(&table, last[which], &path), numbers[which] != CK_TUPLE_NONE);
        if (numbers[which] != CK_TUPLE_NONE) {
            assert_int_equal(ck_tuples_at(&table, numbers[which])->owner, which);
            ck_tuples_remove(&table, numbers[which]);
            numbers[which] = CK_TUPLE_NONE;
            count--;
        } else {
            numbers[which] = ck_tuples_add(&table, &path, which);
            assert_int_equal(numbers[which] == CK_TUPLE_NONE, count == ROOM);
            if (numbers[which] != CK_TUPLE_NONE) {
                count++;
                last[which] = numbers[which];
            }
        }
    }
    for (unsigned which = 0; which < PATHS; which++) {
        struct ck_path path = path_of(which);
        assert_int_equal(ck_tuples_find(&table, &path), numbers[which]);
    }
    ck_tuples_deinit(&table);
}

/* Two IPv6 addresses that differ in their last byte alone are two paths. */
static void test_full_addresses_are_compared(void **state)
{
    (void)state;
    static const uint8_t key[CK_SIPHASH_KEY_SIZE] = {1};
    struct ck_tuples table;
    assert_int_equal(ck_tuples_init(&table, 8, key), 0);
    struct ck_path a = {.family = 6, .port = 5};
    struct ck_path b = a;
    struct ck_path c = a;
    b.remote[15] = 1;
    c.local[15] = 1;
    uint32_t number = ck_tuples_add(&table, &a, 1);
    assert_int_equal(ck_tuples_find(&table, &a), number);
    assert_int_equal(ck_tuples_find(&table, &b), CK_TUPLE_NONE);
    assert_int_equal(ck_tuples_find(&table, &c), CK_TUPLE_NONE);
    ck_tuples_deinit(&table);
}

static unsigned take_all(struct ck_packet_pool *pool, struct ck_packet **out)
{
    unsigned count = 0;
    while ((out[count] = ck_packet_get(pool)) != NULL) {
        out[count]->size = count;
        count++;
    }
    return count;
}

static void test_pool(void **state)
{
    (void)state;
    struct ck_packet_pool *pool = NULL;
    struct ck_packet *out[101];
    assert_int_equal(ck_packet_pool_create(&pool, 100), 0);
    unsigned count = take_all(pool, out);
    assert_int_equal(count, 100);
    assert_int_equal(ck_packet_pool_used(pool), count);
    ck_packet_keep(out[0]);
    ck_packet_drop(pool, out[0]);
    assert_int_equal(ck_packet_pool_used(pool), count); /* one owner is left */
    assert_null(ck_packet_get(pool));
    ck_packet_drop(pool, out[0]);
    assert_ptr_equal(ck_packet_get(pool), out[0]); /* last in, first out: it is in the cache */
    ck_packet_drop(pool, NULL);
    for (unsigned i = 0; i < count; i++) {
        ck_packet_drop(pool, out[i]);
    }
    assert_int_equal(ck_packet_pool_used(pool), 0);
    ck_packet_pool_destroy(pool);
}

/* What is reserved adds to what there is, whether that is out, was out or was never. */
static void test_pool_reserves(void **state)
{
    (void)state;
    struct ck_packet_pool *pool = NULL;
    struct ck_packet *out[51];
    assert_int_equal(ck_packet_pool_create(&pool, 10), 0);
    struct ck_packet *first = ck_packet_get(pool);
    assert_int_equal(ck_packet_pool_reserve(pool, 20), 0);
    assert_int_equal(ck_packet_pool_reserve(pool, 15), 0); /* there are more already */
    assert_int_equal(take_all(pool, out), 19);
    assert_int_equal(ck_packet_pool_reserve(pool, 50), 0);
    assert_int_equal(take_all(pool, out + 19), 30);
    for (unsigned i = 0; i < 49; i++) {
        assert_int_equal(out[i]->size, i < 19 ? i : i - 19); /* none is there twice */
        ck_packet_drop(pool, out[i]);
    }
    ck_packet_drop(pool, first);
    assert_int_equal(ck_packet_pool_used(pool), 0);
    ck_packet_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash_vector),
        cmocka_unit_test(test_tuples_against_a_list),
        cmocka_unit_test(test_full_addresses_are_compared),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_pool_reserves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
