/* The minimum gap between a person's check-ins (S6), for each way in which one comes to be: the
 * table "gap" of scheduler/DESIGN.md. The world begins on Saturday 21 November 2026 at 09:00 in
 * Almaty, which is 04:00 UTC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static struct ck_actor inspector_of(const struct world *world)
{
    return world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
}

static int64_t at(int hour, int minute)
{
    return WORLD_START_MS + (hour - 9) * HOUR + minute * MINUTE;
}

static void run_until(struct world *world, int hour, int minute)
{
    world_run_until(world, (struct ck_wall){at(hour, minute)});
}

static json_t *gap(int minutes)
{
    return json_pack("{s:i}", "min_gap_s", minutes * 60);
}

/* One draw between 10:00 and 14:00. With a gap of 105 minutes to something at 11:50 it can only be
 * in the first five minutes or in the five after 13:35; all others are 210. */
static int64_t drawn_around_noon(struct world *world)
{
    json_t *plan = gap(105);
    json_object_set_new(
        plan, "windows",
        json_pack("[{s:s, s:s, s:i}]", "start", "10:00", "end", "14:00", "draws", 1));
    int64_t id = world_plan(world, "10:00", plan);
    char sql[120];
    snprintf(sql, sizeof sql,
             "SELECT due_at FROM checkin WHERE plan_id = %lld AND local_date = '2026-11-21'",
             (long long)id);
    return world_number(world, sql);
}

static bool keeps_to_noon(int64_t due)
{
    int64_t by = due - at(11, 50);
    return (by < 0 ? -by : by) >= 105 * MINUTE;
}

static int64_t on_demand(struct world *world)
{
    const struct ck_actor inspector = inspector_of(world);
    assert_int_equal(world_command(world, "checkin.on_demand", &inspector,
                                   json_pack("{s:I, s:s, s:s}", "person", (json_int_t)world->person,
                                             "reason", "r", "kind", "live")),
                     0);
    return json_integer_value(json_object_get(world->result.body, "checkin"));
}

static void answer(struct world *world, int64_t id)
{
    const struct ck_actor person = world_person(world, id), inspector = inspector_of(world);
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    assert_int_equal(world_command(world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    assert_int_equal(world_command(world, "checkin.joined", &person,
                                   json_pack("{s:I}", "checkin", (json_int_t)id)),
                     0);
    assert_int_equal(world_command(world, "checkin.inspector_took", &inspector,
                                   json_pack("{s:I}", "checkin", (json_int_t)id)),
                     0);
    assert_int_equal(
        world_command(world, "checkin.fact", &worker,
                      json_pack("{s:I, s:s}", "checkin", (json_int_t)id, "fact", "first_frame")),
        0);
    assert_int_equal(
        world_command(world, "checkin.call_ended", &inspector,
                      json_pack("{s:I, s:s}", "checkin", (json_int_t)id, "reason", "staff_ended")),
        0);
    assert_int_equal(
        world_command(world, "checkin.outcome", &inspector,
                      json_pack("{s:I, s:s, s:b, s:[], s:s}", "checkin", (json_int_t)id, "result",
                                "completed", "identity_confirmed", 1, "behaviours", "note", "")),
        0);
}

/* What is drawn keeps the gap to what is over, unless nothing came of it through us, and to what
 * the person did by themselves it has none to keep. */
static void what_is_drawn_keeps_the_gap_to_what_is_over(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *kind, *outcome;
        bool keeps;
    } cases[] = {
        {"live", "completed", true},       {"live", "no_answer", true},
        {"on_demand", "late", true},       {"unattended", "declined", true},
        {"live", "waived", false},         {"live", "system_fault", false},
        {"on_demand", "unstaffed", false}, {"inbound", "completed", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[300];
        int64_t id = on_demand(world);
        snprintf(sql, sizeof sql,
                 "UPDATE checkin SET kind = '%s', state = 'done', outcome = '%s', next_at = NULL, "
                 "due_at = %lld WHERE id = %lld",
                 cases[i].kind, cases[i].outcome, (long long)at(11, 50), (long long)id);
        world_execute(world, sql);
        bool kept = keeps_to_noon(drawn_around_noon(world));
        if (kept != cases[i].keeps) {
            fail_msg("%s %s: %s", cases[i].kind, cases[i].outcome, kept ? "kept" : "not kept");
        }
        world_another_person(world);
    }
}

/* What another plan fixes stays where it is, made or not; what is drawn goes around it. */
static void what_is_drawn_goes_around_fixed_times(void **state)
{
    struct world *world = *state;
    world_plan(world, "11:50", NULL);
    assert_true(keeps_to_noon(drawn_around_noon(world)));
    world_another_person(world);
    /* A plan whose dates are not made yet: as where both are due in the same turn. */
    int64_t fixed = world_plan(world, "11:50", NULL);
    char sql[160];
    snprintf(sql, sizeof sql, "DELETE FROM checkin WHERE plan_id = %lld", (long long)fixed);
    world_execute(world, sql);
    assert_true(keeps_to_noon(drawn_around_noon(world)));
}

static void a_fixed_time_stays_beside_others(void **state)
{
    struct world *world = *state;
    int64_t drawn = drawn_around_noon(world);
    int minute = (int)((drawn - at(0, 0)) / MINUTE) + 10;
    char start[16];
    snprintf(start, sizeof start, "%02d:%02d", minute / 60, minute % 60);
    int64_t plan = world_plan(world, start, gap(60));
    char sql[120];
    snprintf(sql, sizeof sql,
             "SELECT due_at FROM checkin WHERE plan_id = %lld AND local_date = '2026-11-21'",
             (long long)plan);
    assert_int_equal(world_number(world, sql), at(0, minute));
}

#define OWED_OF_FIRST                                                                              \
    "FROM checkin a WHERE a.plan_id = 1 AND a.outcome IS NULL AND a.local_date >= '2026-11-21'"

/* The draws were there before anybody named the time: each is drawn anew around it, and none of the
 * person's dates is lost. */
static void what_was_drawn_gives_way_to_a_fixed_time(void **state)
{
    struct world *world = *state;
    drawn_around_noon(world);
    assert_int_equal(world_number(world, "SELECT count(*) " OWED_OF_FIRST), 15);
    world_plan(world, "11:50", NULL);
    assert_true(world_number(world, "SELECT count(*) " OWED_OF_FIRST " AND slot >= 10000") > 0);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT local_date) " OWED_OF_FIRST), 15);
    assert_int_equal(world_number(world, "SELECT count(*) " OWED_OF_FIRST), 15);
    assert_int_equal(world_number(world, "SELECT count(*) " OWED_OF_FIRST
                                         " AND EXISTS (SELECT 1 FROM checkin b WHERE b.plan_id = 2 "
                                         "AND abs(b.due_at - a.due_at) < 105 * 60000)"),
                     0);
}

static void what_was_drawn_is_waived_where_fixed_times_leave_no_room(void **state)
{
    struct world *world = *state;
    drawn_around_noon(world);
    world_plan(world, "11:00",
               json_pack("{s:[{s:s, s:s, s:i}, {s:s, s:s, s:i}]}", "windows", "start", "11:00",
                         "end", "12:00", "draws", 0, "start", "13:00", "end", "14:00", "draws", 0));
    assert_int_equal(world_number(world, "SELECT count(*) " OWED_OF_FIRST), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE plan_id = 2 AND "
                                         "outcome IS NULL"),
                     30);
}

/* 10:00, a fault of ours: the make-up could be from 10:50 on. The contact asked for at 10:15 and
 * had keeps it away for the hour of the gap; the one that failed does not. */
static void a_make_up_keeps_the_gap_to_what_is_over(void **state)
{
    struct world *world = *state;
    world_plan(world, "10:00", gap(60));
    world->channels_up = false;
    run_until(world, 10, 15);
    world->channels_up = true;
    int64_t id = on_demand(world);
    world_execute(world, "UPDATE checkin SET state = 'done', outcome = 'declined', next_at = NULL "
                         "WHERE plan_id IS NULL");
    assert_true(id > 0);
    run_until(world, 10, 30);
    assert_string_equal(
        world_text(world, "SELECT outcome FROM checkin WHERE due_at = (SELECT min(due_at) FROM "
                          "checkin)"),
        "system_fault");
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE make_up_of > 0"), 1);
    assert_int_equal(world_number(world, "SELECT due_at FROM checkin WHERE make_up_of > 0"),
                     at(11, 15));
}

static json_t *second(int gap_min)
{
    json_t *plan = gap(gap_min);
    json_object_set_new(
        plan, "second",
        json_pack("{s:i, s:i, s:i}", "percent", 100, "after_min_s", 900, "after_max_s", 2400));
    return plan;
}

/* A second check is in the gap of its first, and of no other: here another one is an hour and a
 * half after the first, and thirty of the forty minutes are too near to it. */
static void a_second_check_keeps_the_gap_to_all_but_its_first(void **state)
{
    struct world *world = *state;
    world_plan(world, "11:30", NULL);
    int64_t plan = world_plan(world, "10:00", second(70));
    run_until(world, 10, 0);
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT id FROM checkin WHERE plan_id = %lld AND local_date = '2026-11-21'",
             (long long)plan);
    answer(world, world_number(world, sql));
    assert_int_equal(world_records(world, "CHECKIN_SECOND"), 1);
    int64_t due = world_number(world, "SELECT due_at FROM checkin WHERE slot >= 2000");
    assert_in_range(due, at(10, 15), at(10, 20));
    /* And where that leaves no place, none follows. */
    world_another_person(world);
    world_plan(world, "11:30", NULL);
    plan = world_plan(world, "10:05", second(80));
    run_until(world, 10, 5);
    snprintf(sql, sizeof sql,
             "SELECT id FROM checkin WHERE plan_id = %lld AND local_date = '2026-11-21'",
             (long long)plan);
    answer(world, world_number(world, sql));
    assert_int_equal(world_records(world, "CHECKIN_SECOND"), 1);
}

/* Whoever asks now has a reason now; and a refusal would tell when the next one is. */
static void a_check_on_demand_is_not_kept_from_others(void **state)
{
    struct world *world = *state;
    world_plan(world, "09:05", gap(60));
    int64_t id = on_demand(world);
    char sql[100];
    snprintf(sql, sizeof sql, "SELECT due_at FROM checkin WHERE id = %lld", (long long)id);
    assert_int_equal(world_number(world, sql), at(9, 0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_drawn_keeps_the_gap_to_what_is_over),
        TEST(what_is_drawn_goes_around_fixed_times),
        TEST(a_fixed_time_stays_beside_others),
        TEST(what_was_drawn_gives_way_to_a_fixed_time),
        TEST(what_was_drawn_is_waived_where_fixed_times_leave_no_room),
        TEST(a_make_up_keeps_the_gap_to_what_is_over),
        TEST(a_second_check_keeps_the_gap_to_all_but_its_first),
        TEST(a_check_on_demand_is_not_kept_from_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
