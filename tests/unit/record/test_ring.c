#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "media/record/ring.h"

#define RING_SIZE 8192u
#define LARGE_SIZE (2u * 1024 * 1024)
#define RECORDS 200000u

static size_t size_of(uint32_t n)
{
    return 4 + n * 2654435761u % 1500;
}

static void *produce(void *user)
{
    struct ck_ring *ring = user;
    for (uint32_t n = 0; n < RECORDS;) {
        size_t size = size_of(n);
        uint8_t *room = ck_ring_room(ring, size, 0);
        if (room == NULL) {
            sched_yield();
            continue;
        }
        memset(room, (int)(n & 0xFF), size);
        memcpy(room, &n, sizeof n);
        ck_ring_push(ring);
        n++;
    }
    return NULL;
}

static void check_order(size_t ring_size)
{
    struct ck_ring *ring;
    pthread_t thread;
    assert_int_equal(ck_ring_create(&ring, ring_size), 0);
    assert_int_equal(pthread_create(&thread, NULL, produce, ring), 0);
    for (uint32_t n = 0; n < RECORDS;) {
        size_t size;
        const uint8_t *record = ck_ring_peek(ring, &size);
        if (record == NULL) {
            sched_yield();
            continue;
        }
        uint32_t number;
        memcpy(&number, record, sizeof number);
        assert_int_equal(number, n);
        assert_int_equal(size, size_of(n));
        if (size > 4) {
            assert_int_equal(record[size - 1], n & 0xFF);
        }
        ck_ring_drop(ring);
        n++;
    }
    pthread_join(thread, NULL);
    assert_int_equal(ck_ring_used(ring), 0);
    ck_ring_destroy(ring);
}

static void records_come_out_whole_and_in_order(void **state)
{
    (void)state;
    check_order(RING_SIZE);
}

/* In a large ring the producer goes back to the front again and again while the consumer reads. */
static void going_back_keeps_the_order(void **state)
{
    (void)state;
    check_order(LARGE_SIZE);
}

/* A consumer that stalls right when the producer has gone back to the front has the whole ring
 * before it is too late, not just what lies before the place where the producer was. */
static void going_back_costs_no_room(void **state)
{
    (void)state;
    struct ck_ring *ring;
    size_t size;
    assert_int_equal(ck_ring_create(&ring, LARGE_SIZE), 0);
    for (unsigned n = 0; n < 300; n++) { /* past the place from which it goes back */
        assert_non_null(ck_ring_room(ring, 1000, 0));
        ck_ring_push(ring);
        assert_non_null(ck_ring_peek(ring, &size));
        ck_ring_drop(ring);
    }
    assert_int_equal(ck_ring_used(ring), 0);
    size_t count = 0;
    uint32_t *room;
    while ((room = ck_ring_room(ring, 1000, LARGE_SIZE / 4)) != NULL) {
        *room = (uint32_t)count++;
        ck_ring_push(ring);
    }
    assert_true(count * 1024 > LARGE_SIZE * 3 / 4 - 4096);
    assert_true(ck_ring_used(ring) <= LARGE_SIZE * 3 / 4);
    for (uint32_t n = 0; n < count; n++) {
        const uint32_t *record = ck_ring_peek(ring, &size);
        assert_non_null(record);
        assert_int_equal(*record, n);
        ck_ring_drop(ring);
    }
    assert_null(ck_ring_peek(ring, &size));
    ck_ring_destroy(ring);
}

static void a_full_ring_refuses_and_keeps_its_reserve(void **state)
{
    (void)state;
    struct ck_ring *ring;
    assert_int_equal(ck_ring_create(&ring, RING_SIZE), 0);
    unsigned count = 0;
    while (ck_ring_room(ring, 1000, 2048) != NULL) {
        ck_ring_push(ring);
        count++;
    }
    assert_in_range(count, 5, 6);
    assert_non_null(ck_ring_room(ring, 100, 0));
    ck_ring_push(ring);
    assert_null(ck_ring_room(ring, CK_RING_RECORD_MAX + 1, 0));
    size_t size;
    for (; count > 0; count--) {
        assert_non_null(ck_ring_peek(ring, &size));
        assert_int_equal(size, 1000);
        ck_ring_drop(ring);
    }
    assert_non_null(ck_ring_peek(ring, &size));
    assert_int_equal(size, 100);
    ck_ring_drop(ring);
    assert_null(ck_ring_peek(ring, &size));
    ck_ring_destroy(ring);
}

/* However large the reserve is, an empty ring has room, wherever its end is. */
static void an_empty_ring_always_has_room(void **state)
{
    (void)state;
    static const size_t reserves[] = {0, 100000, LARGE_SIZE / 4, LARGE_SIZE / 2};
    for (size_t i = 0; i < sizeof reserves / sizeof reserves[0]; i++) {
        struct ck_ring *ring;
        assert_int_equal(ck_ring_create(&ring, LARGE_SIZE), 0);
        for (uint32_t n = 0; n < 20000; n++) {
            size_t got;
            uint8_t *room = ck_ring_room(ring, size_of(n), reserves[i]);
            assert_non_null(room);
            memset(room, 1, size_of(n));
            ck_ring_push(ring);
            assert_non_null(ck_ring_peek(ring, &got));
            assert_int_equal(got, size_of(n));
            ck_ring_drop(ring);
        }
        ck_ring_destroy(ring);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_whole_and_in_order),
        cmocka_unit_test(going_back_keeps_the_order),
        cmocka_unit_test(going_back_costs_no_room),
        cmocka_unit_test(an_empty_ring_always_has_room),
        cmocka_unit_test(a_full_ring_refuses_and_keeps_its_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
