/* Which plan serves until when: plans that wait to take a place, and what becomes of the others
 * where they never begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/cases/cases.h"
#include "protocol/base/time.h"
#include "scheduler/date.h"
#include "world.h"

#define HOUR (INT64_C(3600000))
#define DAY (24 * HOUR)
#define STRETCH HOUR /* after which what came out is forgotten */

static struct world world;
static struct ck_actor inspector;

static int set_up(void **state)
{
    (void)state;
    world_open(&world);
    ck_cases_register(&world.registry);
    inspector = world_staff(&world, world.inspector, CK_ROLE_INSPECTOR);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_verify_log(&world);
    world_close(&world);
    return 0;
}

static void run_for(int64_t ms)
{
    for (; ms > 0; ms -= STRETCH) {
        world_run_for(&world, ms < STRETCH ? ms : STRETCH);
        world_forget(&world);
    }
}

static int64_t count(const char *sql)
{
    return world_number(&world, sql);
}

/* Twice a day at moments that are drawn; voluntary, so that nobody is told when they are missed. */
static int64_t drawn(const char *first_date, int64_t replaces)
{
    json_t *more = json_pack("{s:b, s:s, s:[{s:s, s:s, s:i}]}", "mandatory", 0, "first_date",
                             first_date, "windows", "start", "10:00", "end", "20:00", "draws", 2);
    if (replaces != 0) {
        json_object_set_new(more, "replaces", json_integer(replaces));
    }
    return world_plan(&world, "10:00", more);
}

static void end(int64_t plan)
{
    assert_int_equal(world_command(&world, "plan.end", &inspector,
                                   json_pack("{s:I, s:s}", "plan", (json_int_t)plan, "reason",
                                             "it is not needed")),
                     0);
}

static const char *until(int64_t plan)
{
    char sql[96];
    snprintf(sql, sizeof sql, "SELECT until_date FROM plan WHERE id = %lld AND state = 'active'",
             (long long)plan);
    return world_text(&world, sql);
}

/* What is owed from one date to another under a plan, make-ups apart; 0: any. */
static int64_t owed(const char *from, const char *last, int64_t plan)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM checkin WHERE local_date BETWEEN '%s' AND '%s' AND outcome IS "
             "NOT 'waived' AND make_up_of IS NULL AND (plan_id = %lld OR %lld = 0)",
             from, last, (long long)plan, (long long)plan);
    return count(sql);
}

/* Every date is served, by this plan and no other. */
static void assert_served(const char *from, const char *last, int64_t plan)
{
    struct ck_date date, end_date;
    assert_int_equal(ck_date_parse(from, &date), 0);
    assert_int_equal(ck_date_parse(last, &end_date), 0);
    for (; date.day <= end_date.day; date.day++) {
        char text[CK_DATE_TEXT_SIZE];
        ck_date_text(date, text);
        if (owed(text, text, plan) != 2 || owed(text, text, 0) != 2) {
            fail_msg("%s: %lld under the plan, %lld in all", text,
                     (long long)owed(text, text, plan), (long long)owed(text, text, 0));
        }
    }
}

static void the_plan_goes_on_where_the_next_is_ended(void **state)
{
    (void)state;
    int64_t first = drawn("2026-11-21", 0);
    int64_t next = drawn("2026-11-27", first);
    assert_string_equal(until(first), "2026-11-26");
    assert_served("2026-11-22", "2026-11-26", first);
    assert_served("2026-11-27", "2026-12-05", next);
    run_for(3 * DAY);
    end(next);
    assert_string_equal(until(first), "");
    assert_served("2026-11-22", "2026-12-08", first);
    assert_int_equal(world_records(&world, "PLAN_UNTIL"), 2);
    assert_int_equal(count("SELECT json_extract(CAST(e.leaf AS TEXT), '$.open.redrawn') FROM "
                           "log_plain l JOIN log_entry e ON e.idx = l.idx WHERE action = "
                           "'PLAN_UNTIL' ORDER BY l.idx DESC LIMIT 1"),
                     18);
    run_for(6 * DAY); /* 30 November */
    assert_served("2026-11-22", "2026-12-14", first);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date = '2026-11-28' AND "
                           "outcome = 'no_answer'"),
                     2);
    /* And its place can be taken again; once it is, the plan that has begun ends alone. */
    int64_t again = drawn("2026-12-03", first);
    assert_string_equal(until(first), "2026-12-02");
    run_for(3 * DAY + 12 * HOUR); /* 3 December, 21:00 */
    assert_served("2026-11-22", "2026-12-02", first);
    end(again);
    run_for(DAY);
    assert_string_equal(world_text(&world, "SELECT state FROM plan WHERE id = 1"), "ended");
    assert_int_equal(owed("2026-12-04", "2026-12-31", 0), 0);
}

static void the_next_is_replaced_by_one_that_begins_earlier(void **state)
{
    (void)state;
    int64_t first = drawn("2026-11-21", 0);
    int64_t next = drawn("2026-12-10", first);
    int64_t earlier = drawn("2026-11-25", next);
    assert_string_equal(until(first), "2026-11-24");
    assert_int_equal(count("SELECT count(*) FROM plan WHERE id = 2 AND state = 'ended'"), 1);
    assert_served("2026-11-22", "2026-11-24", first);
    assert_served("2026-11-25", "2026-12-05", earlier);
    end(earlier);
    assert_string_equal(until(first), "");
    assert_served("2026-11-22", "2026-12-05", first);
    /* One that begins today ends both. */
    next = drawn("2026-12-10", first);
    int64_t now = drawn("2026-11-21", next);
    assert_int_equal(count("SELECT count(*) FROM plan WHERE state = 'active'"), 1);
    assert_served("2026-11-22", "2026-12-05", now);
}

static void the_next_is_replaced_by_one_that_begins_later(void **state)
{
    (void)state;
    int64_t first = drawn("2026-11-21", 0);
    int64_t next = drawn("2026-11-25", first);
    int64_t later = drawn("2026-11-29", next);
    assert_string_equal(until(first), "2026-11-24");
    assert_string_equal(until(next), "2026-11-28");
    assert_served("2026-11-22", "2026-11-24", first);
    assert_served("2026-11-25", "2026-11-28", next);
    assert_served("2026-11-29", "2026-12-05", later);
    end(next); /* the first fills its place, and no more */
    assert_string_equal(until(first), "2026-11-28");
    assert_served("2026-11-22", "2026-11-28", first);
    assert_served("2026-11-29", "2026-12-05", later);
    end(later);
    assert_string_equal(until(first), "");
    assert_served("2026-11-22", "2026-12-05", first);
}

static void two_that_wait_never_begin(void **state)
{
    (void)state;
    int64_t first = drawn("2026-11-21", 0);
    int64_t next = drawn("2026-11-27", first);
    int64_t last = drawn("2026-11-30", next);
    int64_t earlier = drawn("2026-11-24", last);
    assert_int_equal(count("SELECT count(*) FROM plan WHERE id IN (2, 3) AND state = 'ended'"), 2);
    assert_served("2026-11-22", "2026-11-23", first);
    assert_served("2026-11-24", "2026-12-05", earlier);
    end(first); /* nobody serves until the next begins, as was said */
    assert_int_equal(owed("2026-11-22", "2026-11-23", 0), 0);
    assert_served("2026-11-24", "2026-12-05", earlier);
    end(earlier);
    assert_int_equal(owed("2026-11-22", "2026-12-31", 0), 0);
}

/* The order of the next one is taken back: it never comes into force. */
static void the_plan_goes_on_where_the_next_order_is_ended(void **state)
{
    (void)state;
    int64_t first = drawn("2026-11-21", 0), old = world.order;
    json_t *requirement = json_pack("[{s:s, s:i, s:i, s:[s], s:b}]", "source", "court", "count", 2,
                                    "days", 1, "modes", "live", "mandatory", 1);
    assert_int_equal(
        world_command(&world, "order.create", &inspector,
                      json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:o}",
                                "person", (json_int_t)world.person, "kind", "protective_order",
                                "article", "20", "number", "9", "issuer", "court", "from",
                                "2026-11-27", "until", "2027-11-01", "conditions", "",
                                "per_day_max", 4, "hours_start", "08:00", "hours_end", "22:00",
                                "requirements", requirement)),
        0);
    world.order = json_integer_value(json_object_get(world.result.body, "id"));
    int64_t next = drawn("2026-11-21", first);
    assert_string_equal(until(first), "2026-11-26");
    assert_served("2026-11-27", "2026-12-05", next);
    assert_int_equal(world_command(&world, "order.end", &inspector,
                                   json_pack("{s:I, s:s, s:s}", "order", (json_int_t)world.order,
                                             "date", "2026-11-27", "reason", "withdrawn")),
                     0);
    assert_string_equal(until(first), "");
    assert_served("2026-11-22", "2026-12-05", first);
    /* What the first one's own order no longer covers is not drawn anew. */
    world.order = old;
    next = drawn("2026-11-29", first);
    assert_int_equal(world_command(&world, "order.end", &inspector,
                                   json_pack("{s:I, s:s, s:s}", "order", (json_int_t)old, "date",
                                             "2026-12-01", "reason", "shortened")),
                     0);
    end(next);
    assert_served("2026-11-22", "2026-11-30", first);
    assert_int_equal(owed("2026-12-01", "2026-12-31", 0), 0);
}

static void blackout(const char *from, const char *last)
{
    assert_int_equal(
        world_command(&world, "blackout.create", &inspector,
                      json_pack("{s:I, s:s, s:s, s:s, s:s}", "person", (json_int_t)world.person,
                                "source", "custody", "from", from, "until", last, "reason", "x")),
        0);
}

static void end_blackout(void)
{
    assert_int_equal(
        world_command(&world, "blackout.end", &inspector,
                      json_pack("{s:I, s:s}", "blackout",
                                (json_int_t)count("SELECT max(id) FROM blackout"), "reason", "x")),
        0);
}

/* Whatever came first, the blackout or the plan that was to take the place: what both had waived is
 * owed once neither takes it away. */
static void a_blackout_and_the_next_plan_give_back_together(void **state)
{
    (void)state;
    int64_t first = drawn("2026-11-21", 0);
    int64_t next = drawn("2026-11-25", first);
    blackout("2026-11-26T19:00:00Z", "2026-11-29T19:00:00Z"); /* 27, 28, 29 November */
    end(next);
    assert_served("2026-11-22", "2026-11-26", first);
    assert_int_equal(owed("2026-11-27", "2026-11-29", 0), 0);
    assert_served("2026-11-30", "2026-12-05", first);
    next = drawn("2026-11-28", first);
    end_blackout();
    assert_served("2026-11-22", "2026-11-27", first);
    assert_served("2026-11-28", "2026-12-05", next);
    end(next);
    assert_served("2026-11-22", "2026-12-05", first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_plan_goes_on_where_the_next_is_ended, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_next_is_replaced_by_one_that_begins_earlier, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_next_is_replaced_by_one_that_begins_later, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(two_that_wait_never_begin, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_plan_goes_on_where_the_next_order_is_ended, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_blackout_and_the_next_plan_give_back_together, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
