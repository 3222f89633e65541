/* Draws and plans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "protocol/base/bytes.h"
#include "protocol/base/digest.h"
#include "scheduler/plan.h"
#include "scheduler/plan_preview.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* ---- intervals
 * ------------------------------------------------------------------------------------- */

static struct ck_interval interval(int64_t from, int64_t until)
{
    return (struct ck_interval){{from}, {until}};
}

/* Taking holes out of an interval, against a plain array of what is left. */
static void test_intervals_against_an_array(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int round = 0; round < 2000; round++) {
        static bool left[400];
        memset(left, true, sizeof(left));
        struct ck_interval_set set;
        ck_interval_set_of(interval(0, 400000), &set);
        for (int holes = 0; holes < 12; holes++) {
            int64_t from = random_below(&seed, 420) - 10;
            int64_t until = from + random_below(&seed, 40) - 5;
            ck_interval_set_take(&set, interval(from * 1000, until * 1000));
            for (int64_t i = from < 0 ? 0 : from; i < until && i < 400; i++) {
                left[i] = false;
            }
        }
        int64_t n = 0;
        for (int i = 0; i < 400; i++) {
            if (left[i]) {
                assert_int_equal(ck_interval_set_at(&set, n).ms, i * 1000);
                n++;
            }
        }
        assert_int_equal(ck_interval_set_seconds(&set), n);
        for (uint32_t i = 0; i < set.count; i++) {
            assert_true(set.items[i].from.ms < set.items[i].until.ms);
            assert_true(i == 0 || set.items[i - 1].until.ms < set.items[i].from.ms);
        }
        assert_false(set.cut);
    }
}

static void test_too_many_pieces_are_cut(void **state)
{
    (void)state;
    struct ck_interval_set set;
    ck_interval_set_of(interval(0, 1000000), &set);
    for (int i = 0; i < CK_INTERVALS_MAX + 5; i++) {
        ck_interval_set_take(&set, interval(i * 10000 + 5000, i * 10000 + 6000));
    }
    assert_int_equal(set.count, CK_INTERVALS_MAX);
    assert_true(set.cut);
    ck_interval_set_of(interval(5, 5), &set);
    assert_int_equal(set.count, 0);
    assert_int_equal(ck_interval_set_seconds(&set), 0);
}

/* ---- draws
 * ------------------------------------------------------------------------------------------- */

static int hmac(void *key, const uint8_t *message, size_t size, uint8_t bytes[CK_DRAW_BYTES])
{
    struct ck_slice slice = {message, size};
    return ck_hmac_sha256(key, CK_KEY_SIZE, &slice, 1, bytes);
}

static uint8_t epoch_key[CK_KEY_SIZE] = "an epoch key that nobody knows";

static int all_ones(void *calls, const uint8_t *message, size_t size, uint8_t bytes[CK_DRAW_BYTES])
{
    (void)message;
    (void)size;
    memset(bytes, 0xff, CK_DRAW_BYTES);
    ++*(int *)calls;
    return 0;
}

/* Refuses the first block by bytes that rejection sampling must throw away. */
static int ones_then_numbers(void *calls, const uint8_t *message, size_t size,
                             uint8_t bytes[CK_DRAW_BYTES])
{
    all_ones(calls, message, size, bytes);
    if (*(int *)calls > 1) {
        ck_put_u64(bytes + 16, 12345);
    }
    return 0;
}

static int broken(void *context, const uint8_t *message, size_t size, uint8_t bytes[CK_DRAW_BYTES])
{
    (void)context;
    (void)message;
    (void)size;
    (void)bytes;
    return -12;
}

static void test_rejection_sampling(void **state)
{
    (void)state;
    uint8_t bytes[CK_DRAW_BYTES];
    int64_t number = 0;
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(ck_draw_below(bytes, 4, &number), 0);
    assert_int_equal(number, 3);
    assert_int_equal(ck_draw_below(bytes, 3, &number), CK_E_NOT_FOUND); /* 2^64 is 1 modulo 3 */
    assert_int_equal(ck_draw_below(bytes, 10, &number), CK_E_NOT_FOUND);
    ck_put_u64(bytes + 24, UINT64_C(18446744073709551609)); /* 2^64 - 7: the last that may be */
    assert_int_equal(ck_draw_below(bytes, 10, &number), 0);
    assert_int_equal(number, 9);
    ck_put_u64(bytes + 24, UINT64_C(18446744073709551610));
    assert_int_equal(ck_draw_below(bytes, 10, &number), CK_E_NOT_FOUND);
    assert_int_equal(ck_draw_below(bytes, 1, &number), 0);
    assert_int_equal(number, 0);
    assert_int_equal(ck_draw_below(bytes, INT64_C(1) << 40, &number), 0);
}

/* The message is a format that others recompute: fixed to the byte. */
static void test_draw_message(void **state)
{
    (void)state;
    struct ck_draw_slot slot = {0x0102030405060708, 9, -2, 3, 4, 5};
    uint8_t message[CK_DRAW_MESSAGE_SIZE];
    ck_draw_message(&slot, 6, message);
    static const uint8_t expected[CK_DRAW_MESSAGE_SIZE] =
        "checkind draw 1\0"
        "\x01\x02\x03\x04\x05\x06\x07\x08"
        "\0\0\0\x09\xff\xff\xff\xfe\0\0\0\x03\0\0\0\x04\0\0\0\x05\0\0\0\x06";
    assert_memory_equal(message, expected, sizeof(message));
}

static void test_draws_can_be_proven(void **state)
{
    (void)state;
    struct ck_interval_set allowed;
    ck_interval_set_of(interval(1000, 3600000), &allowed);
    ck_interval_set_take(&allowed, interval(60000, 120000));
    struct ck_draw_slot slot = {1, 1, 20000, 0, 0, 0};
    struct ck_wall at, again;
    struct ck_draw inputs;
    assert_int_equal(ck_draw_instant(&allowed, &slot, hmac, epoch_key, &at, &inputs), 0);
    assert_int_equal(ck_draw_instant(&allowed, &slot, hmac, epoch_key, &again, &inputs), 0);
    assert_int_equal(at.ms, again.ms);
    assert_int_equal(ck_draw_prove(&inputs, at, hmac, epoch_key), 0);
    assert_int_equal(ck_draw_prove(&inputs, (struct ck_wall){at.ms + 1000}, hmac, epoch_key),
                     CK_E_AUTH);
    uint8_t other_key[CK_KEY_SIZE] = {1};
    assert_int_equal(ck_draw_prove(&inputs, at, hmac, other_key), CK_E_AUTH);
    assert_int_equal(ck_draw_prove(&inputs, at, broken, NULL), -12);
    struct ck_draw wrong = inputs;
    wrong.size = 3;
    assert_int_equal(ck_draw_prove(&wrong, at, hmac, epoch_key), CK_E_AUTH);
    wrong = inputs;
    wrong.allowed.count = 0;
    assert_int_equal(ck_draw_prove(&wrong, at, hmac, epoch_key), CK_E_AUTH);
    int calls = 0;
    wrong = inputs;
    assert_int_equal(ck_draw_prove(&wrong, at, all_ones, &calls), CK_E_AUTH);
}

static void test_draws_go_on_to_the_next_block(void **state)
{
    (void)state;
    struct ck_interval_set allowed;
    ck_interval_set_of(interval(0, 1000000), &allowed);
    struct ck_draw_slot slot = {1, 1, 20000, 0, 0, 0};
    struct ck_wall at = {7};
    struct ck_draw inputs = {.size = 7};
    int calls = 0;
    assert_int_equal(ck_draw_instant(&allowed, &slot, ones_then_numbers, &calls, &at, &inputs), 0);
    assert_int_equal(calls, 2);
    assert_int_equal(at.ms, 345000);
    assert_int_equal(inputs.message[CK_DRAW_MESSAGE_SIZE - 1], 1);
    calls = 0;
    at.ms = 7;
    inputs.size = 7;
    assert_int_equal(ck_draw_instant(&allowed, &slot, all_ones, &calls, &at, &inputs), CK_E_LIMIT);
    assert_int_equal(calls, CK_DRAW_BLOCKS_MAX);
    assert_int_equal(ck_draw_instant(&allowed, &slot, broken, NULL, &at, &inputs), -12);
    assert_int_equal(at.ms, 7);
    assert_int_equal(inputs.size, 7);
}

/* Chi square over 100 cells of 100,000 draws: a bias would show. The bound is that of one in a
 * million for 99 degrees of freedom. */
static void test_draws_are_even(void **state)
{
    (void)state;
    enum { CELLS = 100, DRAWS = 100000 };
    struct ck_interval_set allowed;
    ck_interval_set_of(interval(0, CELLS * 1000), &allowed);
    static int cells[CELLS];
    for (int i = 0; i < DRAWS; i++) {
        struct ck_draw_slot slot = {1 + i % 7, 1, 20000 + i, 0, 0, 0};
        struct ck_wall at;
        struct ck_draw inputs;
        assert_int_equal(ck_draw_instant(&allowed, &slot, hmac, epoch_key, &at, &inputs), 0);
        cells[at.ms / 1000]++;
    }
    double expected = (double)DRAWS / CELLS;
    double chi = 0;
    for (int i = 0; i < CELLS; i++) {
        chi += (cells[i] - expected) * (cells[i] - expected) / expected;
    }
    assert_true(chi < 180);
}

/* ---- plans
 * ------------------------------------------------------------------------------------------- */

static struct ck_date day(const char *text)
{
    struct ck_date date;
    assert_int_equal(ck_date_parse(text, &date), 0);
    return date;
}

static struct ck_rule rule_of(const char *text)
{
    struct ck_rule rule;
    struct ck_rule_fault fault;
    assert_int_equal(ck_rule_parse(text, strlen(text), &rule, &fault), 0);
    return rule;
}

/* Daily, 18:00 to 22:00, two draws, gap 60 min, 20 min for rings and grace. */
static struct ck_plan good_plan(void)
{
    return (struct ck_plan){
        .id = 3,
        .version = 1,
        .person = 7,
        .inspector = 11,
        .kind = CK_KIND_LIVE,
        .mandatory = true,
        .band = CK_BAND_3,
        .first = day("2026-11-01"),
        .rule = rule_of("FREQ=DAILY"),
        .order_from = day("2026-11-01"),
        .order_until = day("2026-11-30"),
        .window_count = 1,
        .windows = {{18 * 60, 22 * 60}},
        .draws = 2,
        .min_gap_ms = 50 * MINUTE,
        .tail_ms = 20 * MINUTE,
        .horizon_days = 14,
    };
}

static void expect_reason(const struct ck_plan *plan, enum ck_plan_reason reason)
{
    enum ck_plan_reason found = ck_plan_check(plan);
    if (found != reason) {
        fail_msg("\"%s\", not \"%s\"", ck_plan_reason_text(found), ck_plan_reason_text(reason));
    }
}

static void test_plans_are_refused_with_a_reason(void **state)
{
    (void)state;
    const struct ck_plan good = good_plan();
    struct ck_plan plan = good;
    expect_reason(&plan, CK_PLAN_OK);
#define REFUSED(reason, ...)                                                                       \
    do {                                                                                           \
        plan = good;                                                                               \
        __VA_ARGS__;                                                                               \
        expect_reason(&plan, reason);                                                              \
    } while (0)
    REFUSED(CK_PLAN_NO_WINDOW, plan.window_count = 0);
    REFUSED(CK_PLAN_NO_WINDOW, plan.window_count = CK_PLAN_WINDOWS_MAX + 1);
    REFUSED(CK_PLAN_WINDOW_RANGE, plan.windows[0].start_min = -1);
    REFUSED(CK_PLAN_WINDOW_RANGE, plan.windows[0].start_min = 1440; plan.windows[0].end_min = 1500);
    REFUSED(CK_PLAN_WINDOW_RANGE, plan.windows[0].end_min = 18 * 60);
    REFUSED(CK_PLAN_WINDOW_RANGE, plan.windows[0].end_min = 2881);
    REFUSED(CK_PLAN_WINDOWS_OVERLAP, plan.window_count = 2;
            plan.windows[1] = (struct ck_plan_window){21 * 60, 23 * 60});
    REFUSED(CK_PLAN_OK, plan.window_count = 2; plan.min_gap_ms = 0;
            plan.windows[1] = (struct ck_plan_window){22 * 60, 24 * 60});
    REFUSED(CK_PLAN_WINDOWS_OVERLAP, plan.windows[0] = (struct ck_plan_window){60, 1501});
    REFUSED(CK_PLAN_OK, plan.windows[0] = (struct ck_plan_window){60, 1500});
    REFUSED(CK_PLAN_OK, plan.windows[0] = (struct ck_plan_window){0, 1440});
    REFUSED(CK_PLAN_WINDOW_TOO_SHORT, plan.tail_ms = -1);
    REFUSED(CK_PLAN_WINDOW_TOO_SHORT, plan.tail_ms = 4 * HOUR);
    REFUSED(CK_PLAN_DRAWS_RANGE, plan.draws = CK_PLAN_DRAWS_MAX + 1);
    REFUSED(CK_PLAN_PREDICTABLE, plan.windows[0].end_min = 19 * 60 + 19);
    REFUSED(CK_PLAN_OK, plan.windows[0].end_min = 19 * 60 + 20; plan.min_gap_ms = 0);
    REFUSED(CK_PLAN_GAP_TOO_LARGE, plan.min_gap_ms = 4 * HOUR);
    REFUSED(CK_PLAN_GAP_TOO_LARGE, plan.min_gap_ms = -1);
    REFUSED(CK_PLAN_GAP_TOO_LARGE, plan.min_gap_ms = 400 * DAY);
    REFUSED(CK_PLAN_OK, plan.min_gap_ms = 55 * MINUTE);
    REFUSED(CK_PLAN_GAP_PREDICTABLE, plan.min_gap_ms = 55 * MINUTE + 1);
    REFUSED(CK_PLAN_OK, plan.min_gap_ms = 3 * HOUR; plan.draws = 1);
    REFUSED(CK_PLAN_ORDER_DATES, plan.order_until = day("2026-10-31"));
    REFUSED(CK_PLAN_NO_DATES, plan.first = day("2026-12-01"));
    REFUSED(CK_PLAN_NO_DATES, plan.rule = rule_of("FREQ=DAILY;COUNT=3");
            plan.first = day("2026-10-01"));
    REFUSED(CK_PLAN_OK, plan.first = day("2026-10-01"));
    REFUSED(CK_PLAN_HORIZON_RANGE, plan.horizon_days = 0);
    REFUSED(CK_PLAN_HORIZON_RANGE, plan.horizon_days = CK_PLAN_HORIZON_MAX_DAYS + 1);
    REFUSED(CK_PLAN_SILENCE_RANGE, plan.max_silence_ms = HOUR - 1);
    REFUSED(CK_PLAN_SILENCE_RANGE, plan.max_silence_ms = 367 * DAY);
    REFUSED(CK_PLAN_OK, plan.max_silence_ms = 7 * DAY);
    REFUSED(CK_PLAN_KIND, plan.kind = CK_KIND_INBOUND);
    REFUSED(CK_PLAN_OK, plan.kind = CK_KIND_UNATTENDED);
    REFUSED(CK_PLAN_DRAWS_AND_FIXED, plan.fixed_count = 1; plan.fixed_min[0] = 19 * 60);
    REFUSED(CK_PLAN_FIXED_RANGE, plan.draws = 0);
    REFUSED(CK_PLAN_FIXED_RANGE, plan.draws = 0; plan.fixed_count = CK_PLAN_FIXED_MAX + 1);
    REFUSED(CK_PLAN_OK, plan.draws = 0; plan.fixed_count = 1; plan.fixed_min[0] = 21 * 60 + 40);
    REFUSED(CK_PLAN_FIXED_RANGE, plan.draws = 0; plan.fixed_count = 1;
            plan.fixed_min[0] = 21 * 60 + 41);
    REFUSED(CK_PLAN_FIXED_RANGE, plan.draws = 0; plan.fixed_count = 1; plan.fixed_min[0] = 60);
    REFUSED(CK_PLAN_FIXED_ORDER, plan.draws = 0; plan.fixed_count = 2; plan.fixed_min[0] = 19 * 60;
            plan.fixed_min[1] = 19 * 60);
    REFUSED(CK_PLAN_FIXED_ORDER, plan.draws = 0; plan.fixed_count = 2; plan.fixed_min[0] = 19 * 60;
            plan.fixed_min[1] = 19 * 60 + 49);
    REFUSED(CK_PLAN_OK, plan.draws = 0; plan.fixed_count = 2; plan.fixed_min[0] = 19 * 60;
            plan.fixed_min[1] = 19 * 60 + 50);
#undef REFUSED
    for (unsigned i = 0; i < CK_PLAN_REASON_COUNT; i++) {
        assert_non_null(ck_plan_reason_text(i));
    }
    assert_null(ck_plan_reason_text(CK_PLAN_REASON_COUNT));
}

static struct ck_zone zone_plus(int hours)
{
    struct ck_zone zone;
    ck_zone_fixed(hours * 3600, &zone);
    return zone;
}

static size_t expand(const struct ck_plan *plan, const struct ck_zone *zone, const char *date,
                     const struct ck_plan_surroundings *around, struct ck_occurrence *made)
{
    size_t count = 99;
    assert_int_equal(ck_plan_expand(plan, zone, day(date), around, hmac, epoch_key, made, &count),
                     0);
    return count;
}

static int64_t at_utc(const char *date, int hour, int minute)
{
    return (int64_t)day(date).day * DAY + hour * HOUR + minute * MINUTE;
}

static void test_draws_fall_into_their_buckets(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    struct ck_zone zone = zone_plus(5);
    struct ck_plan_surroundings around = {0};
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX], again[CK_PLAN_SLOTS_MAX];
    int64_t start = at_utc("2026-11-05", 13, 0); /* 18:00 at +5 */
    int64_t span = 4 * HOUR - plan.tail_ms;
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 2);
    for (uint32_t slot = 0; slot < 2; slot++) {
        assert_int_equal(made[slot].slot, slot);
        assert_int_equal(made[slot].place, CK_PLACE_DRAWN);
        assert_int_equal(made[slot].window_start.ms, start);
        assert_int_equal(made[slot].window_end.ms, start + 4 * HOUR);
        assert_in_range(made[slot].due.ms, start + span / 2 * slot, start + span / 2 * (slot + 1));
        assert_int_equal(ck_draw_prove(&made[slot].draw, made[slot].due, hmac, epoch_key), 0);
        assert_int_equal(ck_zone_instant(&zone, made[slot].due_local, CK_ZONE_FIRST, NULL).ms,
                         made[slot].due.ms);
        assert_false(made[slot].predictable);
        assert_false(made[slot].window_extended);
    }
    assert_true(made[1].due.ms - made[0].due.ms >= plan.min_gap_ms);
    /* The same again, and something else after a recorded redraw or in another version. */
    expand(&plan, &zone, "2026-11-05", &around, again);
    assert_int_equal(made[0].due.ms, again[0].due.ms);
    around.redraw = 1;
    expand(&plan, &zone, "2026-11-05", &around, again);
    assert_int_not_equal(made[0].due.ms, again[0].due.ms);
    /* One place alone, and from what is left of its window: its bucket is over. */
    const struct ck_plan_slot first = {.window = 0, .slot = 0};
    around.only = &first;
    around.not_before.ms = start + span / 2 + HOUR;
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, again), 1);
    assert_int_equal(again[0].slot, 0);
    assert_int_equal(again[0].place, CK_PLACE_WINDOW);
    assert_true(again[0].due.ms >= around.not_before.ms);
    around.not_before.ms = start + span;
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, again), 0);
    around = (struct ck_plan_surroundings){0};
    plan.version = 2;
    expand(&plan, &zone, "2026-11-05", &around, again);
    assert_int_not_equal(made[0].due.ms, again[0].due.ms);
}

static void test_gap_to_neighbours(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    plan.draws = 1;
    plan.min_gap_ms = 100 * MINUTE;
    struct ck_zone zone = zone_plus(5);
    for (int i = 0; i < 300; i++) {
        struct ck_wall neighbour = {at_utc("2026-11-05", 12, i)};
        struct ck_plan_surroundings around = {.neighbours = &neighbour, .neighbour_count = 1};
        struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
        assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 1);
        assert_true(llabs(made[0].due.ms - neighbour.ms) >= plan.min_gap_ms);
    }
    /* Neighbours that leave no room at all: no rings closer than allowed, the occurrence is made
     * and waived. */
    struct ck_wall many[2] = {{at_utc("2026-11-05", 14, 0)}, {at_utc("2026-11-05", 16, 0)}};
    struct ck_plan_surroundings around = {.neighbours = many, .neighbour_count = 2};
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 1);
    assert_int_equal(made[0].place, CK_PLACE_NO_ROOM);
    assert_int_equal(made[0].due.ms, 0);
    assert_int_equal(made[0].draw.size, 0);
    assert_int_equal(ck_place_cause(made[0].place), CK_CAUSE_WAIVED_NO_ROOM);
    plan.draws = 2;
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 2);
    assert_int_equal(made[1].place, CK_PLACE_NO_ROOM);
}

static void test_blackouts(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    plan.draws = 1;
    plan.min_gap_ms = 0;
    struct ck_zone zone = zone_plus(5);
    struct ck_interval court = interval(at_utc("2026-11-05", 13, 0), at_utc("2026-11-05", 16, 0));
    struct ck_plan_surroundings around = {.blackouts = &court, .blackout_count = 1};
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 1);
    assert_in_range(made[0].due.ms, court.until.ms, at_utc("2026-11-05", 16, 40));
    assert_false(made[0].predictable);
    /* Rings and grace do not run into one either. */
    court = interval(at_utc("2026-11-05", 13, 40), at_utc("2026-11-05", 17, 0));
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 1);
    assert_in_range(made[0].due.ms, at_utc("2026-11-05", 13, 0), at_utc("2026-11-05", 13, 20));
    assert_true(made[0].predictable);
    /* Under five minutes of choice: waived. */
    court.from.ms = at_utc("2026-11-05", 13, 24);
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 1);
    assert_int_equal(made[0].place, CK_PLACE_BLACKOUT);
    assert_int_equal(ck_place_cause(made[0].place), CK_CAUSE_WAIVED_BLACKOUT);
    assert_int_equal(ck_place_cause(CK_PLACE_DRAWN), CK_CAUSE_NONE);
    struct ck_checkin row;
    struct ck_checkin_policy policy = ck_checkin_policy_default();
    ck_plan_checkin(&plan, &made[0], &policy, 42, &row);
    assert_int_equal(row.due.ms, made[0].window_start.ms);
}

static void test_buckets_give_way_to_the_window(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    plan.min_gap_ms = 0;
    struct ck_zone zone = zone_plus(5);
    /* The whole first bucket is blacked out: the first draw goes elsewhere in the window. */
    struct ck_interval court = interval(at_utc("2026-11-05", 13, 0), at_utc("2026-11-05", 15, 0));
    struct ck_plan_surroundings around = {.blackouts = &court, .blackout_count = 1};
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 2);
    assert_int_equal(made[0].place, CK_PLACE_WINDOW);
    assert_true(made[0].due.ms >= court.until.ms);
    assert_int_equal(made[1].place, CK_PLACE_DRAWN);
}

static void test_capacity(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    plan.min_gap_ms = 0;
    struct ck_zone zone = zone_plus(5);
    struct ck_interval busy = interval(at_utc("2026-11-05", 13, 0), at_utc("2026-11-05", 15, 0));
    struct ck_plan_surroundings around = {.busy = &busy, .busy_count = 1};
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    expand(&plan, &zone, "2026-11-05", &around, made);
    assert_int_equal(made[0].place, CK_PLACE_WINDOW);
    /* Nobody has time in the whole window: it is made unattended, in its own bucket. */
    busy.until.ms = at_utc("2026-11-05", 23, 0);
    expand(&plan, &zone, "2026-11-05", &around, made);
    assert_int_equal(made[0].place, CK_PLACE_OVER_CAPACITY);
    assert_true(made[0].due.ms < at_utc("2026-11-05", 14, 50));
    struct ck_checkin row;
    struct ck_checkin_policy policy = ck_checkin_policy_default();
    ck_plan_checkin(&plan, &made[0], &policy, 42, &row);
    assert_int_equal(row.kind, CK_KIND_UNATTENDED);
    /* Where that is no contact it stays live, and waits for somebody. */
    policy.unattended_fallback = false;
    ck_plan_checkin(&plan, &made[0], &policy, 42, &row);
    assert_int_equal(row.kind, CK_KIND_LIVE);
    policy.unattended_fallback = true;
    ck_plan_checkin(&plan, &made[0], &policy, 42, &row);
    assert_int_equal(row.id, 42);
    assert_int_equal(row.person, 7);
    assert_int_equal(row.due.ms, made[0].due.ms);
    assert_int_equal(row.state, CK_CHECKIN_PLANNED);
    assert_int_equal(row.next_at.ms, row.due.ms - policy.arm_lead_ms);
    /* Its bucket is blacked out as well: elsewhere in the window, unattended. */
    struct ck_interval court = interval(at_utc("2026-11-05", 13, 0), at_utc("2026-11-05", 15, 0));
    around.blackouts = &court;
    around.blackout_count = 1;
    expand(&plan, &zone, "2026-11-05", &around, made);
    assert_int_equal(made[0].place, CK_PLACE_OVER_CAPACITY);
    assert_true(made[0].due.ms >= court.until.ms);
    /* Who needs no inspector asks for none. */
    plan.kind = CK_KIND_UNATTENDED;
    around.blackout_count = 0;
    expand(&plan, &zone, "2026-11-05", &around, made);
    assert_int_equal(made[0].place, CK_PLACE_DRAWN);
}

static void test_a_plan_takes_effect(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    plan.min_gap_ms = 0;
    struct ck_zone zone = zone_plus(5);
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    /* In the middle of the first bucket: it is drawn from what is left. */
    struct ck_plan_surroundings around = {.not_before = {at_utc("2026-11-05", 14, 30)}};
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 2);
    assert_true(made[0].due.ms >= around.not_before.ms);
    assert_int_equal(made[0].place, CK_PLACE_DRAWN);
    /* After it: the first is no duty. */
    around.not_before.ms = at_utc("2026-11-05", 15, 0);
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 1);
    assert_int_equal(made[0].slot, 1);
    around.not_before.ms = at_utc("2026-11-05", 17, 0);
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 0);
}

static void test_fixed_times(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    plan.draws = 0;
    plan.window_count = 2;
    plan.windows[0] = (struct ck_plan_window){8 * 60, 10 * 60};
    plan.windows[1] = (struct ck_plan_window){18 * 60, 22 * 60};
    plan.fixed_count = 3;
    plan.fixed_min[0] = 8 * 60;
    plan.fixed_min[1] = 19 * 60;
    plan.fixed_min[2] = 21 * 60;
    assert_int_equal(ck_plan_check(&plan), CK_PLAN_OK);
    struct ck_zone zone = zone_plus(5);
    struct ck_plan_surroundings around = {0};
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 3);
    const struct ck_plan_slot third = {.window = 1, .slot = 2};
    around.only = &third;
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 1);
    assert_int_equal(made[0].slot, 2);
    around.only = NULL;
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 3);
    assert_int_equal(made[0].due.ms, at_utc("2026-11-05", 3, 0));
    assert_int_equal(made[1].due.ms, at_utc("2026-11-05", 14, 0));
    assert_int_equal(made[2].due.ms, at_utc("2026-11-05", 16, 0));
    assert_int_equal(made[1].window, 1);
    assert_int_equal(made[1].slot, 1);
    assert_int_equal(made[1].place, CK_PLACE_FIXED);
    assert_int_equal(made[1].draw.size, 0);
    /* A blackout over the second, nobody free at the third, and the first before the plan. */
    struct ck_interval court = interval(at_utc("2026-11-05", 14, 19), at_utc("2026-11-05", 15, 0));
    struct ck_interval busy = interval(at_utc("2026-11-05", 16, 0), at_utc("2026-11-05", 16, 1));
    around = (struct ck_plan_surroundings){
        .not_before = {at_utc("2026-11-05", 3, 1)},
        .blackouts = &court,
        .blackout_count = 1,
        .busy = &busy,
        .busy_count = 1,
    };
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 2);
    assert_int_equal(made[0].place, CK_PLACE_BLACKOUT);
    assert_int_equal(made[0].due.ms, 0);
    assert_int_equal(made[1].place, CK_PLACE_OVER_CAPACITY);
    plan.kind = CK_KIND_UNATTENDED;
    court.from.ms = at_utc("2026-11-05", 14, 20); /* rings and grace end as it begins */
    assert_int_equal(expand(&plan, &zone, "2026-11-05", &around, made), 2);
    assert_int_equal(made[0].place, CK_PLACE_FIXED);
    assert_int_equal(made[1].place, CK_PLACE_FIXED);
}

static void test_a_broken_draw_function(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    struct ck_zone zone = zone_plus(5);
    struct ck_plan_surroundings around = {0};
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    size_t count = 99;
    assert_int_equal(
        ck_plan_expand(&plan, &zone, day("2026-11-05"), &around, broken, NULL, made, &count), -12);
    assert_int_equal(count, 99);
}

/* ---- clock changes
 * ------------------------------------------------------------------------------------ */

static void load_zone(const char *name, struct ck_zone *zone)
{
    static uint8_t bytes[65536];
    char path[200];
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    assert_int_equal(ck_zone_parse(bytes, size, zone), 0);
}

static void test_windows_across_clock_changes(void **state)
{
    (void)state;
    static struct ck_zone berlin;
    load_zone("Europe/Berlin", &berlin);
    struct ck_plan plan = good_plan();
    plan.min_gap_ms = 0;
    plan.draws = 1;
    plan.tail_ms = 20 * MINUTE;
    plan.windows[0] = (struct ck_plan_window){90, 210}; /* 01:30 to 03:30 */
    struct ck_plan_surroundings around = {0};
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    /* Spring: an hour is lost, 60 min remain, enough. */
    expand(&plan, &berlin, "2026-03-29", &around, made);
    assert_int_equal(made[0].window_end.ms - made[0].window_start.ms, HOUR);
    assert_false(made[0].window_extended);
    plan.windows[0].end_min = 200; /* 50 min remain, just enough */
    expand(&plan, &berlin, "2026-03-29", &around, made);
    assert_false(made[0].window_extended);
    plan.windows[0].end_min = 190; /* less than the draw needs: the end moves */
    expand(&plan, &berlin, "2026-03-29", &around, made);
    assert_true(made[0].window_extended);
    assert_int_equal(made[0].window_end.ms - made[0].window_start.ms, 50 * MINUTE);
    /* Autumn: the end of a window is the last of the two. */
    plan.windows[0] = (struct ck_plan_window){90, 150}; /* 01:30 to 02:30 */
    expand(&plan, &berlin, "2026-10-25", &around, made);
    assert_int_equal(made[0].window_end.ms - made[0].window_start.ms, 2 * HOUR);
    /* A fixed time in the gap moves forward and stays one; its window keeps its nominal length. */
    plan.draws = 0;
    plan.fixed_count = 1;
    plan.fixed_min[0] = 150;
    plan.windows[0] = (struct ck_plan_window){120, 180};
    expand(&plan, &berlin, "2026-03-29", &around, made);
    struct ck_local local = ck_zone_local(&berlin, made[0].due);
    assert_int_equal(local.second, 3 * 3600 + 1800);
    assert_true(made[0].window_extended);
    assert_int_equal(made[0].window_end.ms - made[0].window_start.ms, HOUR);
}

/* Every date has its occurrence, in every zone, over the clock changes of a year. */
static void test_no_date_is_lost_in_any_year(void **state)
{
    (void)state;
    static const char *const names[12] = {
        "Asia/Almaty",       "Europe/Berlin",       "America/New_York", "America/Havana",
        "Africa/Casablanca", "Australia/Lord_Howe", "Pacific/Apia",     "America/Santiago",
        "Asia/Tehran",       "Europe/Dublin",       "Antarctica/Troll", "Pacific/Chatham",
    };
    static struct ck_zone zone;
    for (int z = 0; z < 12; z++) {
        load_zone(names[z], &zone);
        struct ck_plan plan = good_plan();
        plan.windows[0] = (struct ck_plan_window){30, 270}; /* 00:30 to 04:30 */
        plan.order_from = day("2025-01-01");
        plan.order_until = day("2026-12-31");
        plan.first = plan.order_from;
        struct ck_plan_surroundings around = {0};
        int64_t previous = 0;
        for (int32_t d = plan.order_from.day; d <= plan.order_until.day; d++) {
            struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
            size_t count;
            assert_int_equal(ck_plan_expand(&plan, &zone, (struct ck_date){d}, &around, hmac,
                                            epoch_key, made, &count),
                             0);
            assert_int_equal(count, 2);
            for (size_t i = 0; i < count; i++) {
                assert_true(made[i].due.ms > previous);
                assert_true(made[i].due.ms >= made[i].window_start.ms);
                assert_true(made[i].due.ms + plan.tail_ms <= made[i].window_end.ms);
                previous = made[i].due.ms;
            }
        }
    }
}

static void test_rules_of_a_zone_change(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    struct ck_zone before = zone_plus(6), after = zone_plus(5);
    struct ck_plan_surroundings around = {0};
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    expand(&plan, &before, "2026-11-05", &around, made);
    struct ck_occurrence moved = made[0];
    ck_occurrence_reconvert(&plan, &after, &moved);
    /* The same wall time, an hour later. */
    assert_int_equal(moved.due.ms - made[0].due.ms, HOUR);
    assert_int_equal(moved.window_start.ms - made[0].window_start.ms, HOUR);
    assert_int_equal(moved.window_end.ms - made[0].window_end.ms, HOUR);
    moved = made[0];
    moved.due.ms = 0;
    ck_occurrence_reconvert(&plan, &after, &moved);
    assert_int_equal(moved.due.ms, 0);
    /* A person moves: the old zone serves its day to the end. */
    struct ck_wall at = {at_utc("2026-11-05", 20, 0)}; /* 02:00 on the 6th at +6 */
    assert_int_equal(ck_zone_change_date(&before, at).day, day("2026-11-07").day);
}

/* ---- which dates
 * ---------------------------------------------------------------------------------------- */

static int step_all(const struct ck_plan *plan, const struct ck_zone *zone, struct ck_wall now,
                    struct ck_plan_row *row, struct ck_date *first, struct ck_date *last)
{
    int count = 0;
    struct ck_date date;
    while (ck_plan_step(plan, zone, row, now, row, &date)) {
        assert_int_equal(row->next_at.ms, now.ms);
        *first = count == 0 ? date : *first;
        *last = date;
        count++;
    }
    return count;
}

static void test_the_horizon_rolls(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    struct ck_zone zone = zone_plus(5);
    struct ck_wall now = {at_utc("2026-11-05", 20, 0)}; /* 01:00 on the 6th */
    struct ck_plan_row row;
    ck_plan_begin(&plan, &zone, now, &row);
    assert_int_equal(row.next_at.ms, now.ms);
    struct ck_date first, last;
    assert_int_equal(step_all(&plan, &zone, now, &row, &first, &last), 15);
    assert_int_equal(first.day, day("2026-11-06").day);
    assert_int_equal(last.day, day("2026-11-20").day);
    assert_int_equal(row.next_at.ms, at_utc("2026-11-06", 19, 0)); /* the 7th begins */
    assert_int_equal(step_all(&plan, &zone, now, &row, &first, &last), 0);
    now = row.next_at;
    assert_int_equal(step_all(&plan, &zone, now, &row, &first, &last), 1);
    assert_int_equal(last.day, day("2026-11-21").day);
    /* Nothing ran for a week: no date is lost. The order ends, and the plan with it. */
    now.ms += 12 * DAY;
    assert_int_equal(step_all(&plan, &zone, now, &row, &first, &last), 9);
    assert_int_equal(first.day, day("2026-11-22").day);
    assert_int_equal(last.day, day("2026-11-30").day);
    assert_int_equal(row.next_at.ms, CK_WALL_NEVER.ms);
    assert_int_equal(step_all(&plan, &zone, now, &row, &first, &last), 0);
}

static void test_a_plan_before_its_order(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    plan.rule = rule_of("FREQ=WEEKLY");
    plan.first = day("2026-10-01");
    struct ck_zone zone = zone_plus(5);
    struct ck_wall now = {at_utc("2026-10-20", 12, 0)};
    struct ck_plan_row row;
    ck_plan_begin(&plan, &zone, now, &row);
    struct ck_date first, last;
    assert_int_equal(step_all(&plan, &zone, now, &row, &first, &last), 0);
    now.ms += 5 * DAY;
    row.expanded = day("2026-10-01"); /* even where the row knows nothing of the order */
    assert_int_equal(step_all(&plan, &zone, now, &row, &first, &last), 1);
    assert_int_equal(last.day, day("2026-11-05").day);
}

/* ---- make-ups
 * ------------------------------------------------------------------------------------------- */

static void test_make_ups_keep_hours_and_gaps(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    struct ck_zone zone = zone_plus(5);
    struct ck_make_up made;
    struct ck_plan_surroundings around = {0};
    /* Inside the window: at once. */
    struct ck_wall earliest = {at_utc("2026-11-05", 14, 0)};
    assert_int_equal(ck_make_up_place(&plan, &zone, earliest, 7, &around, &made), 0);
    assert_int_equal(made.at.ms, earliest.ms);
    assert_int_equal(made.window.from.ms, at_utc("2026-11-05", 13, 0));
    /* Too late for its rings: tomorrow. */
    earliest.ms = at_utc("2026-11-05", 16, 41);
    assert_int_equal(ck_make_up_place(&plan, &zone, earliest, 7, &around, &made), 0);
    assert_int_equal(made.at.ms, at_utc("2026-11-06", 13, 0));
    /* Not beside a neighbour, not into a blackout. */
    struct ck_wall neighbour = {at_utc("2026-11-06", 13, 0)};
    struct ck_interval court = interval(at_utc("2026-11-06", 14, 0), at_utc("2026-11-06", 15, 0));
    const struct ck_plan_surroundings beside = {
        .blackouts = &court, .blackout_count = 1, .neighbours = &neighbour, .neighbour_count = 1};
    assert_int_equal(ck_make_up_place(&plan, &zone, earliest, 7, &beside, &made), 0);
    assert_int_equal(made.at.ms, court.until.ms);
    /* Not beyond the order, not beyond the days asked for. */
    earliest.ms = at_utc("2026-11-30", 17, 0);
    assert_int_equal(ck_make_up_place(&plan, &zone, earliest, 7, &around, &made), CK_E_NOT_FOUND);
    earliest.ms = at_utc("2026-11-05", 17, 0);
    assert_int_equal(ck_make_up_place(&plan, &zone, earliest, 0, &around, &made), CK_E_NOT_FOUND);
    earliest.ms = at_utc("2026-10-25", 17, 0);
    assert_int_equal(ck_make_up_place(&plan, &zone, earliest, 20, &around, &made), 0);
    assert_int_equal(made.at.ms, at_utc("2026-11-01", 13, 0));
    /* Yesterday's window goes past midnight. */
    plan.windows[0] = (struct ck_plan_window){22 * 60, 26 * 60};
    earliest.ms = at_utc("2026-11-05", 20, 0); /* 01:00 on the 6th */
    assert_int_equal(ck_make_up_place(&plan, &zone, earliest, 7, &around, &made), 0);
    assert_int_equal(made.at.ms, earliest.ms);
}

/* A live one is where somebody is free, in its window; where nobody is, it is over capacity. */
static void test_make_ups_look_for_an_inspector(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    struct ck_zone zone = zone_plus(5);
    struct ck_make_up made;
    const struct ck_wall earliest = {at_utc("2026-11-05", 14, 0)};
    struct ck_interval busy = interval(at_utc("2026-11-05", 13, 0), at_utc("2026-11-05", 14, 30));
    struct ck_plan_surroundings around = {.busy = &busy, .busy_count = 1};
    assert_int_equal(ck_make_up_place(&plan, &zone, earliest, 7, &around, &made), 0);
    assert_int_equal(made.at.ms, busy.until.ms);
    assert_int_equal(made.place, CK_PLACE_WINDOW);
    busy.until.ms = at_utc("2026-11-05", 20, 0);
    assert_int_equal(ck_make_up_place(&plan, &zone, earliest, 7, &around, &made), 0);
    assert_int_equal(made.at.ms, earliest.ms);
    assert_int_equal(made.place, CK_PLACE_OVER_CAPACITY);
    plan.kind = CK_KIND_UNATTENDED;
    assert_int_equal(ck_make_up_place(&plan, &zone, earliest, 7, &around, &made), 0);
    assert_int_equal(made.place, CK_PLACE_WINDOW);
}

/* ---- second checks
 * -------------------------------------------------------------------------------------- */

static struct ck_plan second_plan(uint32_t percent)
{
    struct ck_plan plan = good_plan();
    plan.draws = 1;
    plan.second_percent = percent;
    plan.second_min_ms = 10 * MINUTE;
    plan.second_max_ms = 40 * MINUTE;
    return plan;
}

static void test_second_checks(void **state)
{
    (void)state;
    struct ck_plan plan = second_plan(30);
    assert_int_equal(ck_plan_check(&plan), CK_PLAN_OK);
    struct ck_zone zone = zone_plus(5);
    struct ck_plan_surroundings around = {0};
    struct ck_second second;
    int followed = 0;
    for (int i = 0; i < 1000; i++) {
        struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
        size_t count;
        assert_int_equal(ck_plan_expand(&plan, &zone, (struct ck_date){20763 + i}, &around, hmac,
                                        epoch_key, made, &count),
                         0);
        struct ck_wall done = {made[0].window_start.ms + HOUR};
        int code = ck_second_check(&plan, &made[0], done, &around, hmac, epoch_key, &second);
        assert_int_equal(second.chance.size, CK_DRAW_MESSAGE_SIZE);
        if (code != 0) {
            assert_int_equal(code, CK_E_NOT_FOUND);
            continue;
        }
        followed++;
        assert_in_range(second.at.ms, done.ms + 10 * MINUTE, done.ms + 40 * MINUTE - 1);
        assert_int_equal(ck_draw_prove(&second.moment, second.at, hmac, epoch_key), 0);
    }
    assert_in_range(followed, 250, 350);
}

static void test_second_checks_keep_hours(void **state)
{
    (void)state;
    struct ck_plan plan = second_plan(100);
    struct ck_zone zone = zone_plus(5);
    struct ck_plan_surroundings around = {0};
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    struct ck_second second = {.chance.size = 7};
    expand(&plan, &zone, "2026-11-05", &around, made);
    /* Rings and grace would go beyond the window: none, and none was drawn. */
    struct ck_wall late = {made[0].window_end.ms - 30 * MINUTE};
    assert_int_equal(ck_second_check(&plan, &made[0], late, &around, hmac, epoch_key, &second),
                     CK_E_NOT_FOUND);
    assert_int_equal(second.chance.size, 0);
    late.ms = made[0].window_end.ms - 35 * MINUTE;
    assert_int_equal(ck_second_check(&plan, &made[0], late, &around, hmac, epoch_key, &second), 0);
    assert_true(second.at.ms + plan.tail_ms <= made[0].window_end.ms);
    struct ck_wall early = {made[0].window_start.ms - 35 * MINUTE};
    assert_int_equal(ck_second_check(&plan, &made[0], early, &around, hmac, epoch_key, &second), 0);
    assert_in_range(second.at.ms, made[0].window_start.ms,
                    made[0].window_start.ms + 5 * MINUTE - 1);
    early.ms -= 5 * MINUTE;
    assert_int_equal(ck_second_check(&plan, &made[0], early, &around, hmac, epoch_key, &second),
                     CK_E_NOT_FOUND);
    struct ck_wall done = made[0].window_start;
    struct ck_interval court = interval(done.ms, done.ms + HOUR);
    struct ck_plan_surroundings beside = {.blackouts = &court, .blackout_count = 1};
    assert_int_equal(ck_second_check(&plan, &made[0], done, &beside, hmac, epoch_key, &second),
                     CK_E_NOT_FOUND);
    assert_int_equal(ck_second_check(&plan, &made[0], done, &around, broken, NULL, &second), -12);
    /* Another check-in of the person within the gap of the last moment: there is none left. */
    struct ck_wall next = {done.ms + 59 * MINUTE};
    beside = (struct ck_plan_surroundings){.neighbours = &next, .neighbour_count = 1};
    assert_int_equal(ck_second_check(&plan, &made[0], done, &beside, hmac, epoch_key, &second),
                     CK_E_NOT_FOUND);
    assert_int_equal(second.chance.size, 0);
    next.ms = done.ms + 70 * MINUTE;
    assert_int_equal(ck_second_check(&plan, &made[0], done, &beside, hmac, epoch_key, &second), 0);
    assert_in_range(second.at.ms, done.ms + 10 * MINUTE, done.ms + 20 * MINUTE);
    plan.second_percent = 0;
    assert_int_equal(ck_second_check(&plan, &made[0], done, &around, hmac, epoch_key, &second),
                     CK_E_NOT_FOUND);
    plan.second_percent = 101;
    expect_reason(&plan, CK_PLAN_SECOND_RANGE);
    plan.second_percent = 50;
    plan.second_min_ms = 5 * MINUTE - 1;
    expect_reason(&plan, CK_PLAN_SECOND_RANGE);
    plan.second_min_ms = 40 * MINUTE;
    expect_reason(&plan, CK_PLAN_SECOND_RANGE);
}

/* S7: where somebody is free, of where it may be; where nobody is there, it is over capacity. */
static void test_second_checks_look_for_an_inspector(void **state)
{
    (void)state;
    struct ck_plan plan = second_plan(100);
    struct ck_zone zone = zone_plus(5);
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    struct ck_plan_surroundings around = {0};
    struct ck_second second;
    expand(&plan, &zone, "2026-11-05", &around, made);
    struct ck_wall done = made[0].window_start;
    struct ck_interval busy = interval(done.ms, done.ms + 39 * MINUTE);
    around = (struct ck_plan_surroundings){.busy = &busy, .busy_count = 1};
    assert_int_equal(ck_second_check(&plan, &made[0], done, &around, hmac, epoch_key, &second), 0);
    assert_in_range(second.at.ms, done.ms + 39 * MINUTE, done.ms + 40 * MINUTE - 1);
    assert_int_equal(second.place, CK_PLACE_WINDOW);
    assert_int_equal(ck_draw_prove(&second.moment, second.at, hmac, epoch_key), 0);
    busy.until.ms += MINUTE;
    assert_int_equal(ck_second_check(&plan, &made[0], done, &around, hmac, epoch_key, &second), 0);
    assert_in_range(second.at.ms, done.ms + 10 * MINUTE, done.ms + 40 * MINUTE - 1);
    assert_int_equal(second.place, CK_PLACE_OVER_CAPACITY);
    plan.kind = CK_KIND_UNATTENDED;
    assert_int_equal(ck_second_check(&plan, &made[0], done, &around, hmac, epoch_key, &second), 0);
    assert_int_equal(second.place, CK_PLACE_WINDOW);
}

/* ---- the gap across a change
 * ---------------------------------------------------------------------------- */

/* 18:00 to 22:00, 20 minutes kept free, 50 minutes between. */
static void test_the_gap_across_a_change(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    const int64_t six = at_utc("2026-11-05", 13, 0);
    const struct ck_interval window = interval(six, six + 4 * HOUR);
    struct ck_wall near[3] = {{six + 60 * MINUTE}};
    struct ck_plan_surroundings around = {.neighbours = near, .neighbour_count = 1};
    /* What is far enough stays; what is too near goes the shorter way. */
    const struct {
        int64_t at, then;
    } cases[] = {
        {5, 5}, {10, 10}, {11, 10}, {59, 10}, {61, 110}, {109, 110}, {110, 110}, {230, 220},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ck_wall at = {six + cases[i].at * MINUTE};
        at = ck_plan_keep_gap(&plan, window, at, &around);
        int64_t then = (at.ms - six + 1) / MINUTE; /* the end of a piece is not in it */
        assert_int_equal(then, cases[i].then);
    }
    /* Where there is no room it stays, for it is owed. */
    near[0].ms = six + 40 * MINUTE;
    near[1].ms = six + 120 * MINUTE;
    near[2].ms = six + 200 * MINUTE;
    around.neighbour_count = 3;
    const struct ck_wall at = {six + 125 * MINUTE};
    assert_int_equal(ck_plan_keep_gap(&plan, window, at, &around).ms, at.ms);
}

/* ---- before it is saved
 * ------------------------------------------------------------------------------------ */

static void test_preview(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    plan.rule = rule_of("FREQ=WEEKLY;BYDAY=MO,TH");
    plan.window_count = 2;
    plan.windows[1] = (struct ck_plan_window){22 * 60, 25 * 60};
    struct ck_zone zone = zone_plus(5);
    struct ck_preview_window windows[20];
    size_t count = ck_preview_windows(&plan, &zone, (struct ck_wall){at_utc("2026-10-01", 12, 0)},
                                      day("2026-11-09"), windows, 20);
    assert_int_equal(count, 6);
    assert_int_equal(windows[0].date.day, day("2026-11-02").day);
    assert_int_equal(windows[0].contacts, 2);
    assert_int_equal(windows[1].window, 1);
    assert_int_equal(windows[1].instants.from.ms, at_utc("2026-11-02", 17, 0));
    assert_int_equal(windows[1].instants.until.ms, at_utc("2026-11-02", 20, 0));
    assert_int_equal(windows[5].date.day, day("2026-11-09").day);
    assert_int_equal(ck_preview_windows(&plan, &zone, (struct ck_wall){at_utc("2026-11-03", 12, 0)},
                                        day("2026-12-31"), windows, 3),
                     3);
    assert_int_equal(windows[0].date.day, day("2026-11-05").day);
    plan.draws = 0;
    plan.fixed_count = 3;
    plan.fixed_min[0] = 18 * 60;
    plan.fixed_min[1] = 19 * 60;
    plan.fixed_min[2] = 23 * 60;
    ck_preview_windows(&plan, &zone, (struct ck_wall){at_utc("2026-11-01", 12, 0)},
                       day("2026-11-30"), windows, 2);
    assert_int_equal(windows[0].contacts, 2);
    assert_int_equal(windows[1].contacts, 1);
}

/* A preview and a plan that takes effect at the same moment say the same of every window, at any
 * moment of the day. */
static void expect_left_as_made(const struct ck_plan *plan, const struct ck_zone *zone)
{
    struct ck_occurrence made[CK_PLAN_SLOTS_MAX];
    const struct ck_date date = day("2026-11-05");
    uint32_t seen = 0;
    for (int64_t now = at_utc("2026-11-05", 0, 0); now < at_utc("2026-11-06", 6, 0); now += 10000) {
        const struct ck_plan_surroundings around = {.not_before = {now}};
        uint32_t left[CK_PLAN_WINDOWS_MAX] = {0};
        size_t count = expand(plan, zone, "2026-11-05", &around, made);
        for (size_t i = 0; i < count; i++) {
            left[made[i].window]++;
            assert_true(made[i].due.ms >= now);
        }
        for (uint32_t i = 0; i < plan->window_count; i++) {
            uint32_t found = ck_plan_left(plan, zone, date, i, around.not_before);
            if (found != left[i]) {
                fail_msg("%u of window %u at %lld, %u were made", found, i, (long long)now,
                         left[i]);
            }
            seen |= UINT32_C(1) << found;
        }
    }
    assert_int_equal(seen, 7); /* two, one and none are left of one */
}

static void test_a_preview_says_what_is_made(void **state)
{
    (void)state;
    struct ck_plan plan = good_plan();
    struct ck_zone zone = zone_plus(5);
    plan.min_gap_ms = 0;
    plan.window_count = 2;
    plan.windows[0] = (struct ck_plan_window){8 * 60, 12 * 60};
    plan.windows[1] = (struct ck_plan_window){22 * 60, 26 * 60};
    expect_left_as_made(&plan, &zone);
    plan.draws = 0;
    plan.fixed_count = 3;
    plan.fixed_min[0] = 8 * 60;
    plan.fixed_min[1] = 11 * 60;
    plan.fixed_min[2] = 25 * 60;
    expect_left_as_made(&plan, &zone);

    struct ck_preview_window windows[3];
    const struct ck_wall now = {at_utc("2026-11-05", 5, 59)}; /* 10:59 */
    ck_preview_windows(&plan, &zone, now, day("2026-11-30"), windows, 3);
    assert_int_equal(windows[0].date.day, day("2026-11-05").day);
    assert_int_equal(windows[0].contacts, 1);
    const struct ck_wall later = ck_wall_add_ms(now, 2 * MINUTE);
    ck_preview_windows(&plan, &zone, later, day("2026-11-30"), windows, 3);
    assert_int_equal(windows[0].window, 1);
    assert_int_equal(windows[1].contacts, 2);
}

static void expect_differences(const struct ck_plan *before, const struct ck_plan *after,
                               const char *expected)
{
    struct ck_plan_difference differences[10];
    size_t count = ck_preview_differences(before, after, day("2026-11-03"), day("2026-11-10"),
                                          differences, 10);
    char text[400] = "";
    for (size_t i = 0; i < count; i++) {
        char one[60], date[CK_DATE_TEXT_SIZE];
        ck_date_text(differences[i].date, date);
        snprintf(one, sizeof(one), "%s %s %u-%u ", date + 8,
                 ck_difference_name(differences[i].difference), differences[i].contacts_before,
                 differences[i].contacts_after);
        strcat(text, one);
    }
    assert_string_equal(text, expected);
}

static void test_differences(void **state)
{
    (void)state;
    struct ck_plan before = good_plan(), after = good_plan();
    before.rule = rule_of("FREQ=WEEKLY;BYDAY=MO,TH"); /* 5th, 9th */
    after.rule = rule_of("FREQ=WEEKLY;BYDAY=TH,SU");  /* 5th, 8th */
    expect_differences(&before, &after, "08 added 0-2 09 removed 2-0 ");
    expect_differences(&before, &before, "");
    after = before;
    after.windows[0].end_min++;
    expect_differences(&before, &after, "05 changed 2-2 09 changed 2-2 ");
    after = before;
    after.windows[0].start_min++;
    expect_differences(&before, &after, "05 changed 2-2 09 changed 2-2 ");
    after = before;
    after.draws = 3;
    expect_differences(&before, &after, "05 changed 2-3 09 changed 2-3 ");
    after = before;
    after.window_count = 2;
    after.windows[1] = (struct ck_plan_window){22 * 60, 23 * 60};
    expect_differences(&before, &after, "05 changed 2-4 09 changed 2-4 ");
    after = before;
    after.order_from = day("2026-11-06");
    expect_differences(&before, &after, "05 removed 2-0 ");
    after.order_until = day("2026-11-08");
    expect_differences(&after, &before, "05 added 0-2 09 added 0-2 ");
    before.draws = after.draws = 0;
    before.fixed_count = after.fixed_count = 1;
    before.fixed_min[0] = after.fixed_min[0] = 19 * 60;
    after.order_from = before.order_from;
    after.order_until = before.order_until;
    expect_differences(&before, &after, "");
    after.fixed_min[0]++;
    expect_differences(&before, &after, "05 changed 1-1 09 changed 1-1 ");
    after.fixed_count = 2;
    after.fixed_min[1] = 21 * 60;
    expect_differences(&before, &after, "05 changed 1-2 09 changed 1-2 ");
    struct ck_plan_difference one[1];
    assert_int_equal(
        ck_preview_differences(&before, &after, day("2026-11-01"), day("2026-11-30"), one, 1), 1);
    assert_null(ck_difference_name(CK_DIFFERENCE_COUNT));
}

static void test_place_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CK_PLACE_COUNT; i++) {
        assert_non_null(ck_place_name(i));
    }
    assert_null(ck_place_name(CK_PLACE_COUNT));
}

/* Pages say a refusal in their own language by its name, so no two may have one. */
static void test_reasons_have_names_of_their_own(void **state)
{
    (void)state;
    for (unsigned one = 0; one < CK_PLAN_REASON_COUNT; one++) {
        assert_non_null(ck_plan_reason_name(one));
        for (unsigned other = 0; other < one; other++) {
            assert_string_not_equal(ck_plan_reason_name(one), ck_plan_reason_name(other));
        }
    }
    assert_null(ck_plan_reason_name(CK_PLAN_REASON_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intervals_against_an_array),
        cmocka_unit_test(test_reasons_have_names_of_their_own),
        cmocka_unit_test(test_too_many_pieces_are_cut),
        cmocka_unit_test(test_rejection_sampling),
        cmocka_unit_test(test_draw_message),
        cmocka_unit_test(test_draws_can_be_proven),
        cmocka_unit_test(test_draws_go_on_to_the_next_block),
        cmocka_unit_test(test_draws_are_even),
        cmocka_unit_test(test_plans_are_refused_with_a_reason),
        cmocka_unit_test(test_draws_fall_into_their_buckets),
        cmocka_unit_test(test_gap_to_neighbours),
        cmocka_unit_test(test_blackouts),
        cmocka_unit_test(test_buckets_give_way_to_the_window),
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_a_plan_takes_effect),
        cmocka_unit_test(test_fixed_times),
        cmocka_unit_test(test_a_broken_draw_function),
        cmocka_unit_test(test_windows_across_clock_changes),
        cmocka_unit_test(test_no_date_is_lost_in_any_year),
        cmocka_unit_test(test_rules_of_a_zone_change),
        cmocka_unit_test(test_the_horizon_rolls),
        cmocka_unit_test(test_a_plan_before_its_order),
        cmocka_unit_test(test_make_ups_keep_hours_and_gaps),
        cmocka_unit_test(test_make_ups_look_for_an_inspector),
        cmocka_unit_test(test_second_checks),
        cmocka_unit_test(test_second_checks_keep_hours),
        cmocka_unit_test(test_second_checks_look_for_an_inspector),
        cmocka_unit_test(test_the_gap_across_a_change),
        cmocka_unit_test(test_preview),
        cmocka_unit_test(test_a_preview_says_what_is_made),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_place_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
