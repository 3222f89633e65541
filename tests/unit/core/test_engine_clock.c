/* Time that misbehaves, through the engine: a clock that is not in sync, that is set back or ahead,
 * and hours in which nothing ran. The world begins on Saturday 21 November 2026 at 09:00 in Almaty,
 * with one check-in a day at 09:10, in
 * a window until 10:00. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static int setup(void **state)
{
    static struct world world;
    world_open(&world);
    world_plan(&world, "09:10",
               json_pack("{s:[{s:s, s:s, s:i}]}", "windows", "start", "09:10", "end", "10:00",
                         "draws", 0));
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

static const char *of_first(struct world *world, const char *column)
{
    char sql[96];
    snprintf(sql, sizeof sql, "SELECT %s FROM checkin WHERE id = 1", column);
    return world_text(world, sql);
}

static int64_t incidents(struct world *world)
{
    return world_number(world, "SELECT count(*) FROM incident WHERE kind = 'no_contact'");
}

static int64_t leaves(struct world *world, const char *like)
{
    char sql[400];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE '%s'",
             like);
    return world_number(world, sql);
}

/* A time that may be wrong proves nothing against anybody; the log says so in each record. */
static void a_clock_out_of_sync_charges_nobody(void **state)
{
    struct world *world = *state;
    world_run_for(world, 9 * MINUTE);
    int64_t before = leaves(world, "%\"clock\":\"unsynchronised\"%");
    assert_int_equal(before, 0);
    world->now.synchronised = false;
    world_run_for(world, 25 * MINUTE);
    assert_string_equal(of_first(world, "outcome"), "system_fault");
    assert_int_equal(incidents(world), 1); /* contact decides safety all the same */
    assert_true(leaves(world, "%\"clock\":\"unsynchronised\"%") > 0);
    assert_int_equal(leaves(world, "%CHECKIN_OUTCOME%\"attribution\":\"never\"%"), 1);
}

/* Set back, while it rings: nothing rings twice, nothing is decided twice. */
static void a_clock_set_back_fires_nothing_twice(void **state)
{
    struct world *world = *state;
    world_run_for(world, 11 * MINUTE);
    assert_string_equal(of_first(world, "state"), "ringing");
    int64_t notices = world_number(world, "SELECT count(*) FROM notice WHERE checkin_id = 1");
    world->now.wall.ms -= 30 * MINUTE;
    world_run_for(world, 29 * MINUTE); /* 09:10 for the second time */
    assert_int_equal(world_number(world, "SELECT attempt FROM checkin WHERE id = 1"), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE checkin_id = 1"),
                     notices);
    world_run_for(world, 30 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt WHERE checkin_id = 1"), 3);
    assert_int_equal(incidents(world), 1);
}

/* Set back after the outcome: what was missed stays missed, and is not missed again. */
static void a_clock_set_back_un_misses_nothing(void **state)
{
    struct world *world = *state;
    world_run_for(world, 2 * HOUR);
    assert_string_equal(of_first(world, "outcome"), "no_answer");
    world->now.wall.ms -= HOUR + 55 * MINUTE;
    world_run_for(world, 3 * HOUR);
    assert_string_equal(of_first(world, "outcome"), "no_answer");
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt WHERE checkin_id = 1"), 3);
    assert_int_equal(incidents(world), 1);
    assert_int_equal(leaves(world, "%CHECKIN_OUTCOME%"), 1);
}

static int64_t fires(struct world *world)
{
    return world_number(world,
                        "SELECT json_extract(machine, '$.fired') FROM incident WHERE id = 1");
}

/* A clock of the machine that is hours ahead until it is synchronised: what opened meanwhile does
 * not sleep for these hours. */
static void check_ladder_after(struct world *world)
{
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(leaves(world, "%CLOCK_WENT_BACK%"), 1);
    int64_t wait =
        world_number(world, "SELECT next_at FROM incident WHERE id = 1") - world->now.wall.ms;
    assert_true(wait <= HOUR);
    int64_t before = fires(world);
    world_run_for(world, 30 * MINUTE);
    assert_true(fires(world) > before);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE state = 'queued' OR "
                                         "state = 'sending'"),
                     0);
}

static void a_ladder_does_not_sleep_when_the_clock_is_set_back(void **state)
{
    struct world *world = *state;
    world->now.wall.ms += 5 * HOUR;
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(incidents(world), 1);
    assert_true(fires(world) > 0);
    world->now.wall.ms -= 5 * HOUR;
    check_ladder_after(world);
}

static void a_ladder_does_not_sleep_when_the_clock_was_set_back_between_two_lives(void **state)
{
    struct world *world = *state;
    world->now.wall.ms += 5 * HOUR;
    world_run_for(world, 2 * MINUTE);
    world->now.wall.ms -= 5 * HOUR;
    world_restart(world);
    check_ladder_after(world);
}

static void a_silence_does_not_begin_in_the_future(void **state)
{
    struct world *world = *state;
    world_run_for(world, MINUTE);
    world_execute(world, "UPDATE person SET max_silence_ms = 86400000");
    char sql[160];
    snprintf(sql, sizeof sql, "UPDATE person SET silence_since_at = %lld, next_at = %lld",
             (long long)(world->now.wall.ms + 5 * HOUR),
             (long long)(world->now.wall.ms + 29 * HOUR));
    world_execute(world, sql);
    world->now.wall.ms -= HOUR;
    world_run_for(world, MINUTE);
    assert_true(world_number(world, "SELECT silence_since_at FROM person") <= world->now.wall.ms);
    assert_int_equal(world_number(world, "SELECT next_at - silence_since_at FROM person"),
                     24 * HOUR);
}

/* A clock that may be wrong ends no order, destroys nothing and tells no key: it cannot be taken
 * back. */
static void what_cannot_be_taken_back_waits_for_a_good_clock(void **state)
{
    struct world *world = *state;
    world_run_for(world, MINUTE);
    world_execute(world, "UPDATE contact_order SET until_date = '2026-12-20', next_at = "
                         "unixepoch('2026-12-21') * 1000");
    int64_t orders =
        world_number(world, "SELECT count(*) FROM contact_order WHERE next_at IS NOT NULL");
    int64_t keys = world_number(world, "SELECT count(*) FROM draw_key WHERE revealed_at IS NULL");
    int64_t expiries = world_number(world, "SELECT count(*) FROM expiry");
    assert_true(orders > 0 && keys > 0);
    world->now.synchronised = false;
    world->now.wall.ms += 60 * 24 * HOUR;
    world_run_for(world, 30 * MINUTE);
    world_forget(world);
    assert_int_equal(
        world_number(world, "SELECT count(*) FROM contact_order WHERE next_at IS NOT NULL"),
        orders);
    assert_int_equal(
        world_number(world, "SELECT count(*) FROM draw_key WHERE revealed_at IS NOT NULL"), 0);
    assert_true(world_number(world, "SELECT count(*) FROM expiry") >= expiries);
    assert_int_equal(leaves(world, "%EXPIRY_ERASED%\"clock\":\"unsynchronised\"%"), 0);
    world->now.synchronised = true; /* it was right after all */
    world_run_for(world, 30 * MINUTE);
    assert_int_equal(
        world_number(world, "SELECT count(*) FROM contact_order WHERE next_at IS NOT NULL"), 0);
}

/* What fell into the hours that the clock, or we, were not there: our fault, an incident, a
 * make-up; the days after are what they were. */
static void check_outage(struct world *world)
{
    world_run_for(world, MINUTE);
    assert_string_equal(of_first(world, "outcome"), "system_fault");
    assert_int_equal(leaves(world, "%\"attribution\":\"never\"%\"cause\":\"down\"%"), 1);
    assert_int_equal(incidents(world), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt WHERE checkin_id = 1"), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE make_up_of = 1"), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE make_up_of IS NULL "
                                         "AND state = 'planned' AND due_at % 86400000 = "
                                         "(SELECT due_at % 86400000 FROM checkin WHERE id = 1)"),
                     14);
}

static void a_clock_set_ahead_is_an_outage_of_that_length(void **state)
{
    struct world *world = *state;
    world_run_for(world, MINUTE);
    world->now.wall.ms += 3 * HOUR;
    check_outage(world);
}

static void hours_in_which_nothing_ran_are_ours(void **state)
{
    struct world *world = *state;
    world_run_for(world, MINUTE);
    world->now.wall.ms += 3 * HOUR;
    world->now.mono.us += 3 * HOUR * 1000;
    world_restart(world);
    check_outage(world);
}

/* What the daemon says of itself: facts of a list, in the log for good, and from nobody else. */
static void what_the_system_says_of_itself_is_in_the_log(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *command, *body, *leaf;
    } cases[] = {
        {"system.stopping", "{\"path\":\"/etc\"}", "%SYSTEM_STOPPING%\"open\":{}%"},
        {"system.clock", "{\"synchronised\":false,\"offset_us\":7}",
         "%CLOCK_STATE%\"open\":{\"offset_us\":7,\"synchronised\":false}%"},
        {"system.clock", "{\"synchronised\":true,\"offset_us\":7,\"jump_ms\":-3600000}",
         "%CLOCK_JUMPED%\"open\":{\"jump_ms\":-3600000,\"offset_us\":7,\"synchronised\":true}%"},
    };
    const struct ck_actor system = ck_actor_system();
    const struct ck_actor officer = world_staff(world, world->officer, CK_ROLE_OFFICER);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(leaves(world, cases[i].leaf), 0);
        assert_int_equal(
            world_command(world, cases[i].command, &officer, json_loads(cases[i].body, 0, NULL)),
            CK_E_DENIED);
        assert_int_equal(leaves(world, cases[i].leaf), 0);
        assert_int_equal(
            world_command(world, cases[i].command, &system, json_loads(cases[i].body, 0, NULL)), 0);
        assert_int_equal(leaves(world, cases[i].leaf), 1);
    }
    assert_int_equal(leaves(world, "%CLOCK_STATE%\"kind\":\"system\"%"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_clock_out_of_sync_charges_nobody),
        TEST(a_clock_set_back_fires_nothing_twice),
        TEST(a_clock_set_back_un_misses_nothing),
        TEST(a_ladder_does_not_sleep_when_the_clock_is_set_back),
        TEST(a_ladder_does_not_sleep_when_the_clock_was_set_back_between_two_lives),
        TEST(a_silence_does_not_begin_in_the_future),
        TEST(what_cannot_be_taken_back_waits_for_a_good_clock),
        TEST(a_clock_set_ahead_is_an_outage_of_that_length),
        TEST(hours_in_which_nothing_ran_are_ours),
        TEST(what_the_system_says_of_itself_is_in_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
