/* Shifts in the zone of their unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "scheduler/shift.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static struct ck_zone zone; /* five hours east of UTC */

static int setup(void **state)
{
    (void)state;
    ck_zone_fixed(5 * 3600, &zone);
    return 0;
}

static struct ck_date date(const char *text)
{
    struct ck_date read;
    assert_int_equal(ck_date_parse(text, &read), 0);
    return read;
}

static struct ck_wall at(const char *day, int hour, int minute)
{
    return ck_zone_instant(&zone, (struct ck_local){date(day), hour * 3600 + minute * 60},
                           CK_ZONE_FIRST, NULL);
}

static void test_faults(void **state)
{
    (void)state;
    const struct ck_shift good = {CK_MONDAY, date("2026-11-23"), CK_DATE_MAX, 0, 3600};
    assert_null(ck_shift_fault(&good));
    struct ck_shift bad[7];
    for (int i = 0; i < 7; i++) {
        bad[i] = good;
    }
    bad[0].start_s = -1;
    bad[1].start_s = 86400;
    bad[2].end_s = -1;
    bad[3].end_s = 86400;
    bad[4].until = date("2026-11-22");
    bad[5].until = date("2026-11-28"); /* that week has no Sunday left */
    bad[5].weekday = CK_SUNDAY;
    bad[6].from = date("2026-11-24"); /* nor this one a Monday */
    bad[6].until = date("2026-11-29");
    static const char *const names[] = {"start",      "start",   "end",    "end",
                                        "until_date", "weekday", "weekday"};
    for (int i = 0; i < 7; i++) {
        assert_string_equal(ck_shift_fault(&bad[i]), names[i]);
    }
    bad[5].until = date("2026-11-29");
    assert_null(ck_shift_fault(&bad[5]));
}

static void test_a_day_and_a_night(void **state)
{
    (void)state;
    const struct ck_shift day = {CK_MONDAY, date("2026-11-23"), date("2026-11-30"), 9 * 3600,
                                 18 * 3600};
    assert_false(ck_shift_covers(&day, &zone, at("2026-11-16", 12, 0))); /* before it begins */
    assert_false(ck_shift_covers(&day, &zone, at("2026-11-23", 8, 59)));
    assert_true(ck_shift_covers(&day, &zone, at("2026-11-23", 9, 0)));
    assert_true(ck_shift_covers(&day, &zone, at("2026-11-23", 17, 59)));
    assert_false(ck_shift_covers(&day, &zone, at("2026-11-23", 18, 0)));
    assert_false(ck_shift_covers(&day, &zone, at("2026-11-24", 12, 0)));
    assert_true(ck_shift_covers(&day, &zone, at("2026-11-30", 12, 0)));
    assert_false(ck_shift_covers(&day, &zone, at("2026-12-07", 12, 0)));

    const struct ck_shift night = {CK_SUNDAY, date("2026-11-29"), date("2026-11-29"), 20 * 3600,
                                   8 * 3600};
    assert_false(ck_shift_covers(&night, &zone, at("2026-11-29", 19, 59)));
    assert_true(ck_shift_covers(&night, &zone, at("2026-11-29", 20, 0)));
    assert_true(ck_shift_covers(&night, &zone, at("2026-11-30", 7, 59)));
    assert_false(ck_shift_covers(&night, &zone, at("2026-11-30", 8, 0)));

    const struct ck_shift round = {CK_SUNDAY, date("2026-11-29"), date("2026-11-29"), 8 * 3600,
                                   8 * 3600};
    assert_true(ck_shift_covers(&round, &zone, at("2026-11-29", 8, 0)));
    assert_true(ck_shift_covers(&round, &zone, at("2026-11-30", 7, 59)));
}

static void test_weeks(void **state)
{
    (void)state;
    const struct ck_shift shift = {CK_WEDNESDAY, date("2026-11-02"), CK_DATE_MAX, 9 * 3600,
                                   10 * 3600};
    struct ck_interval found[4];
    const struct ck_interval month = {at("2026-11-01", 0, 0), at("2026-12-01", 0, 0)};
    assert_int_equal(ck_shift_intervals(&shift, &zone, month, found, 4), 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(found[i].from.ms, at("2026-11-04", 9, 0).ms + i * 7 * DAY);
        assert_int_equal(found[i].until.ms - found[i].from.ms, HOUR);
    }
    assert_int_equal(ck_shift_intervals(&shift, &zone, month, found, 3), 3);
    const struct ck_interval before = {at("2026-11-04", 7, 0), at("2026-11-04", 9, 0)};
    assert_int_equal(ck_shift_intervals(&shift, &zone, before, found, 4), 0);
}

/* The clock goes back in the night from Saturday to Sunday: the night shift is an hour longer, and
 * nobody's hour is missing between two shifts. */
static void test_a_change_of_the_clock(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 16];
    struct ck_zone berlin;
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(ck_zone_parse(bytes, size, &berlin), 0);
    const struct ck_shift first = {CK_SATURDAY, date("2026-10-24"), date("2026-10-24"), 22 * 3600,
                                   2 * 3600 + 1800};
    const struct ck_shift next = {CK_SUNDAY, date("2026-10-25"), date("2026-10-25"),
                                  2 * 3600 + 1800, 6 * 3600};
    const struct ck_interval span = {{INT64_C(1792800000000)}, {INT64_C(1793000000000)}};
    struct ck_interval a, b;
    assert_int_equal(ck_shift_intervals(&first, &berlin, span, &a, 1), 1);
    assert_int_equal(ck_shift_intervals(&next, &berlin, span, &b, 1), 1);
    assert_int_equal(a.until.ms - a.from.ms, 5 * HOUR + HOUR / 2); /* ends the second time */
    assert_true(b.from.ms <= a.until.ms);                          /* begins the first time */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_a_day_and_a_night),
        cmocka_unit_test(test_weeks),
        cmocka_unit_test(test_a_change_of_the_clock),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
