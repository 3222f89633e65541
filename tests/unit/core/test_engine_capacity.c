/* Live check-ins reserve an inspector's time, and what gives way when there is none, through the
 * engine. The world begins on Saturday 21 November 2026 at 09:00 in Almaty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/cases/cases.h"
#include "daemon/core/capacity_live.h"
#include "daemon/core/overload.h"
#include "protocol/base/error.h"
#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

/* The person of the check-in opens the page and is there. */
static void comes(struct world *world, int checkin)
{
    const struct ck_actor person = world_person(world, checkin);
    assert_int_equal(world_command(world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    assert_int_equal(world_command(world, "checkin.joined", &person,
                                   json_pack("{s:i, s:s}", "checkin", checkin, "device", "same")),
                     0);
}

/* Of the first check-in of a person. */
static int64_t reserved(struct world *world, int64_t person)
{
    char sql[160];
    snprintf(sql, sizeof sql,
             "SELECT coalesce(reserved_id, 0) FROM checkin WHERE person_id = %d ORDER BY id LIMIT "
             "1",
             (int)person);
    return world_number(world, sql);
}

static const char *kind(struct world *world, int64_t person)
{
    char sql[160];
    snprintf(sql, sizeof sql, "SELECT kind FROM checkin WHERE person_id = %d ORDER BY id LIMIT 1",
             (int)person);
    return world_text(world, sql);
}

static void shift(struct world *world, int64_t staff, const char *start, const char *end)
{
    const struct ck_actor actor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    assert_int_equal(
        world_command(world, "shift.create", &actor,
                      json_pack("{s:I, s:s, s:s, s:s, s:s, s:[i,i,i,i,i,i,i]}", "staff",
                                (json_int_t)staff, "kind", "work", "from_date", "2026-11-21",
                                "start", start, "end", end, "weekdays", 0, 1, 2, 3, 4, 5, 6)),
        0);
}

/* S7: the assigned inspector, the team, the duty pool; then unattended. One call takes a quarter of
 * an hour: who comes after it finds the first one free again. */
static void time_is_taken_in_the_order_in_which_people_are_asked(void **state)
{
    struct world *world = *state;
    int64_t team = world_colleague(world, "team1", CK_ROLE_INSPECTOR, false);
    const int64_t wanted[] = {world->inspector, team, world->officer, 0};
    for (int i = 0; i < 4; i++) {
        if (i > 0) {
            world_another_person(world);
        }
        world_plan(world, "10:00", NULL);
        assert_int_equal(reserved(world, world->person), wanted[i]);
        assert_string_equal(kind(world, world->person), i == 3 ? "unattended" : "live");
    }
    /* Each of the fourteen days and today. */
    assert_int_equal(world_records(world, "STAFF_FAULT"), 15);
    world_another_person(world);
    world_plan(world, "10:15", NULL);
    assert_int_equal(reserved(world, world->person), world->inspector);
    world_another_person(world);
    world_plan(world, "10:14", NULL);
    assert_int_equal(reserved(world, world->person), 0);
    /* The log says whose time it is, by pseudonym. */
    assert_int_equal(world_number(world,
                                  "SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE "
                                  "'%\"relation\":\"team\",\"reserved\":\"%'"),
                     15);
}

/* Who takes the calls of the unit that the person leaves keeps none of them, and no look at the
 * person: somebody of the new one is asked. */
static void time_is_asked_for_anew_in_another_unit(void **state)
{
    struct world *world = *state;
    const int64_t team = world_colleague(world, "team1", CK_ROLE_INSPECTOR, false);
    const int64_t other = world_colleague(world, "other", CK_ROLE_INSPECTOR, false);
    struct ck_actor far = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    ck_cases_register(&world->registry);
    const int64_t person = world->person, order = world->order;
    assert_int_equal(world_command(world, "absence.create", &far,
                                   json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)other,
                                             "from", "2026-11-25T00:00", "until",
                                             "2026-12-20T00:00", "reason", "leave")),
                     0);
    world_another_person(world);
    world_plan(world, "10:00", NULL);
    world->person = person;
    world->order = order;
    world_plan(world, "10:00", NULL);
    assert_int_equal(reserved(world, world->person), team);
    assert_int_equal(world_command(world, "person.update", &far,
                                   json_pack("{s:I, s:I}", "person", (json_int_t)world->person,
                                             "inspector_id", (json_int_t)other)),
                     0);
    assert_int_equal(reserved(world, world->person), team); /* of the same unit: whoever has it */
    world_execute(world, "INSERT INTO unit (id, name, zone, created_at) VALUES (9, 'Far', "
                         "'Asia/Almaty', 0); UPDATE staff SET unit_id = 9 WHERE login = 'other'");
    far.roles |= CK_ROLE_INSPECTOR;
    far.staff_id = other;
    far.unit_id = 9;
    assert_int_equal(
        world_command(world, "person.update", &far,
                      json_pack("{s:I, s:i}", "person", (json_int_t)world->person, "unit_id", 9)),
        0);
    world_run_for(world, MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE unit_id = 9"), 15);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE unit_id = 9 AND "
                                         "(reserved_id IS NULL) = (local_date >= '2026-11-25')"),
                     15);
    assert_int_equal(reserved(world, world->person), other);
}

/* Also within one plan, whose own check-ins lie close to each other and are made in one go. */
static void nobody_is_in_two_calls_at_once(void **state)
{
    struct world *world = *state;
    (void)world_colleague(world, "team1", CK_ROLE_INSPECTOR, false);
    world_plan(world, "10:00",
               json_pack("{s:[{s:s, s:s, s:i}], s:i, s:i, s:i, s:i}", "windows", "start", "10:00",
                         "end", "14:00", "draws", 4, "min_gap_s", 0, "attempts", 1,
                         "response_window_s", 120, "grace_s", 60));
#define NEAR                                                                                       \
    "SELECT count(*) FROM checkin a JOIN checkin b ON b.id > a.id AND abs(b.due_at - a.due_at) < " \
    "900000 WHERE a.kind = 'live' AND b.kind = 'live'"
    assert_true(world_number(world, NEAR) > 0);
    assert_int_equal(world_number(world, NEAR " AND a.reserved_id = b.reserved_id"), 0);
}

/* What is left of a window decides before another kind does. */
static void another_place_in_the_window_comes_before_unattended(void **state)
{
    struct world *world = *state;
    shift(world, world->inspector, "10:00", "12:00");
    shift(world, world->officer, "10:00", "12:00");
    const struct ck_actor actor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    const int64_t both[] = {world->inspector, world->officer};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_command(world, "absence.create", &actor,
                                       json_pack("{s:I, s:s, s:s, s:s}", "staff",
                                                 (json_int_t)both[i], "from", "2026-11-22T00:00",
                                                 "until", "2026-11-23T00:00", "reason", "leave")),
                         0);
    }
    world_plan(world, "10:00",
               json_pack("{s:[{s:s, s:s, s:i}], s:i}", "windows", "start", "10:00", "end", "16:00",
                         "draws", 2, "min_gap_s", 1800));
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE local_date = "
                                         "'2026-11-21'"),
                     2);
    /* 12:00 in Almaty is 07:00 UTC: a call of a quarter of an hour begins at 11:45 at the latest.
     */
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE local_date = "
                                         "'2026-11-21' AND kind = 'live' AND reserved_id = 1 AND "
                                         "due_at <= 1795233600000 + 2.75 * 3600000"),
                     2);
    assert_int_equal(world_number(world,
                                  "SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE "
                                  "'%\"place\":\"window\"%'"),
                     14);
    /* Tomorrow nobody is there: both are made unattended. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE local_date = "
                                         "'2026-11-22' AND kind = 'unattended'"),
                     2);
}

/* 11:40 fails through us while people are there until noon, and the inspector again from 15:00. */
static void miss_through_us(struct world *world, bool afternoon)
{
    shift(world, world->inspector, "09:00", "12:00");
    shift(world, world->officer, "09:00", "12:00");
    if (afternoon) {
        shift(world, world->inspector, "15:00", "17:00");
    }
    world_plan(world, "11:40", NULL);
    world->channels_up = false;
    world_run_for(world, 3 * HOUR + 5 * MINUTE);
    world->channels_up = true;
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE outcome = "
                                         "'system_fault'"),
                     1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE make_up_of > 0"), 1);
}

static void a_make_up_is_put_where_somebody_has_time(void **state)
{
    struct world *world = *state;
    miss_through_us(world, true);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE make_up_of > 0 AND "
                                         "kind = 'live' AND reserved_id = 1"),
                     1);
    assert_int_equal(world_number(world, "SELECT due_at FROM checkin WHERE make_up_of > 0"),
                     WORLD_START_MS + 6 * HOUR);
}

/* Nobody in what is left of its window: unattended where the order knows that, or live with
 * nobody's time; not tomorrow. */
static void a_make_up_that_nobody_has_time_for_is_a_fault_of_the_staff(void **state)
{
    struct world *world = *state;
    miss_through_us(world, false);
    assert_string_equal(world_text(world, "SELECT kind FROM checkin WHERE make_up_of > 0"),
                        "unattended");
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action = "
                                         "'STAFF_FAULT' AND object_id = (SELECT id FROM checkin "
                                         "WHERE make_up_of > 0)"),
                     1);
    assert_string_equal(world_text(world, "SELECT local_date FROM checkin WHERE make_up_of > 0"),
                        "2026-11-21");
}

/* What the order demands live stays live; when the person comes and nobody does it is UNSTAFFED,
 * and the staff's. */
static void what_must_be_live_and_has_nobody_is_unstaffed(void **state)
{
    struct world *world = *state;
    world_execute(world, "UPDATE requirement SET modes = '[\"live\"]'");
    shift(world, world->inspector, "18:00", "20:00");
    shift(world, world->officer, "18:00", "20:00");
    world_plan(world, "09:20", NULL);
    assert_string_equal(kind(world, world->person), "live");
    assert_int_equal(reserved(world, world->person), 0);
    int64_t faults = world_records(world, "STAFF_FAULT");
    assert_true(faults > 0);
    json_t *ahead = NULL;
    assert_int_equal(ck_overload_ahead(world->reader, "/usr/share/zoneinfo", world->unit,
                                       world->now.wall, &ahead),
                     0);
    assert_int_equal(json_integer_value(json_object_get(ahead, "nobody")), 14);
    assert_int_equal(json_integer_value(json_object_get(ahead, "unattended")), 0);
    json_decref(ahead);

    world_run_for(world, 21 * MINUTE);
    comes(world, 1);
    world_run_for(world, 2 * MINUTE);
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"), "unstaffed");
    assert_true(world_records(world, "STAFF_FAULT") > faults);
    assert_int_equal(world_number(world,
                                  "SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE "
                                  "'%\"attribution\":\"never\"%\"outcome\":\"unstaffed\"%'"),
                     1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'no_contact'"),
                     1);
}

/* Who falls ill gives their hour to somebody else as soon as that is entered, or to nobody. */
static void an_absence_moves_the_reservation(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    int64_t team = world_colleague(world, "team1", CK_ROLE_INSPECTOR, false);
    world_plan(world, "10:00", NULL);
    assert_int_equal(reserved(world, world->person), world->inspector);
    assert_int_equal(
        world_command(world, "absence.create", &actor,
                      json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)world->inspector,
                                "from", "2026-11-21T09:30", "until", "2026-11-21T18:00", "reason",
                                "sick")),
        0);
    world_run_for(world, 1000);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"), "planned");
    assert_int_equal(reserved(world, world->person), team);
    assert_int_equal(world_records(world, "CHECKIN_RESERVED"), 1);
    world_run_for(world, 51 * MINUTE);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"), "armed");
    assert_int_equal(reserved(world, world->person), team);
    assert_int_equal(world_records(world, "CHECKIN_RESERVED"), 1);
    assert_int_equal(world_records(world, "STAFF_FAULT"), 0);
}

/* And gets it back with a leave that is taken back; a colleague who had the time keeps nothing that
 * the person's own inspector can do. */
static void a_leave_taken_back_gives_the_time_back(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    int64_t team = world_colleague(world, "team1", CK_ROLE_INSPECTOR, false);
    world_plan(world, "10:00", NULL);
    world_another_person(world); /* at the same time: it stays with the team */
    world_plan(world, "10:00", NULL);
    assert_int_equal(reserved(world, 2), team);
    assert_int_equal(
        world_command(world, "absence.create", &actor,
                      json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)world->inspector,
                                "from", "2026-11-21T09:30", "until", "2026-12-01T18:00", "reason",
                                "sick")),
        0);
    world_run_for(world, 1000);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE person_id = 1 AND "
                                         "reserved_id = 1"),
                     4);
    assert_int_equal(
        world_command(world, "absence.remove", &actor, json_pack("{s:i}", "absence", 1)), 0);
    world_restart(world);
    world_run_for(world, 1000);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE person_id = 1 AND "
                                         "reserved_id = 1"),
                     15);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE person_id = 2 AND "
                                         "reserved_id <> 1"),
                     15);
    assert_int_equal(world_records(world, "CHECKIN_RESERVED"), 22); /* there and back */
    world_run_for(world, 5 * MINUTE);
    assert_int_equal(world_records(world, "CHECKIN_RESERVED"), 22);
    assert_int_equal(world_records(world, "STAFF_FAULT"), 0);
}

/* What nobody had time for, live or made unattended for it, is asked for again when there is more
 * time; who has none cannot be asked twice. */
static void a_later_shift_is_asked_for_what_nobody_had_time_for(void **state)
{
    struct world *world = *state;
    shift(world, world->inspector, "18:00", "20:00");
    shift(world, world->officer, "18:00", "20:00");
    world_plan(world, "10:00", NULL);
    world_another_person(world);
    world_plan(world, "10:10", NULL);
    world_another_person(world);
    world_execute(world, "UPDATE requirement SET modes = '[\"live\"]' WHERE order_id = 3");
    world_plan(world, "11:00", NULL);
    assert_string_equal(kind(world, 1), "unattended");
    assert_string_equal(kind(world, 2), "unattended");
    assert_string_equal(kind(world, 3), "live");
    assert_int_equal(reserved(world, 3), 0);
    shift(world, world->inspector, "09:30", "12:00");
    world_run_for(world, 1000);
    assert_string_equal(kind(world, 1), "live");
    assert_int_equal(reserved(world, 1), world->inspector);
    assert_string_equal(kind(world, 2), "unattended"); /* the inspector is in the first one */
    assert_int_equal(reserved(world, 2), 0);
    assert_int_equal(reserved(world, 3), world->inspector);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE kind = 'live' AND "
                                         "reserved_id = 1"),
                     30);
    assert_int_equal(world_number(world,
                                  "SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE "
                                  "'%\"CHECKIN_RESERVED\"%\"kind\":\"live\"%'"),
                     30);
    /* It is live to the end: the inspector is rung. */
    world_run_for(world, 61 * MINUTE);
    world->person = 1;
    comes(world, 1);
    assert_non_null(world_last(world, CK_OUTPUT_RING));
}

/* S12: three that nobody rang for an hour and a half, and two who can take them: each gets a
 * quarter of an hour of somebody's; who has no such time left in the window goes alone. */
static void what_is_caught_up_gets_somebodys_time(void **state)
{
    struct world *world = *state;
    static const char *const starts[] = {"10:00", "10:20", "10:40", "10:55"};
    for (int i = 0; i < 4; i++) {
        if (i > 0) {
            world_another_person(world);
        }
        world_plan(world, starts[i],
                   i < 3 ? NULL
                         : json_pack("{s:[{s:s, s:s, s:i}]}", "windows", "start", "10:55", "end",
                                     "11:50", "draws", 0));
    }
    world_run_for(world, 30 * MINUTE);
    world->now.wall.ms += 2 * HOUR; /* 11:30 */
    world->now.mono.us += 2 * HOUR * 1000;
    world_restart(world);
    world_turn(world); /* arms them */
    world_turn(world);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE caught_up = 1"), 4);
#define LATE "FROM checkin WHERE caught_up = 1 AND kind = 'live' AND reserved_id IS NOT NULL"
    assert_int_equal(world_number(world, "SELECT count(*) " LATE), 3);
    /* Two can take calls: the third waits until the first of them is free again. */
    assert_int_equal(world_number(world, "SELECT count(DISTINCT reserved_id) " LATE), 2);
    assert_in_range(world_number(world, "SELECT max(next_at) - min(next_at) " LATE),
                    CK_CAPACITY_CALL_MS, CK_CAPACITY_CALL_MS + 5000);
    assert_int_equal(world_number(world, "SELECT count(*) FROM (SELECT reserved_id, next_at " LATE
                                         ") a JOIN (SELECT reserved_id, next_at " LATE
                                         ") b ON a.reserved_id = b.reserved_id AND a.next_at < "
                                         "b.next_at AND b.next_at < a.next_at + 900000"),
                     0);
    assert_string_equal(world_text(world, "SELECT kind FROM checkin WHERE caught_up = 1 AND "
                                          "window_end_at = (SELECT min(window_end_at) FROM "
                                          "checkin)"),
                        "unattended");
    assert_int_equal(world_records(world, "STAFF_FAULT"), 1);

    /* Whoever was to take the third goes. When that rings, and not when it was due, decides; and
     * from when on the other one has time is known, however often what they have rings. */
    const struct ck_actor actor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    int64_t waits = world_number(world, "SELECT person_id " LATE " ORDER BY next_at DESC LIMIT 1");
    int64_t goes = reserved(world, waits);
    assert_int_equal(
        world_command(world, "absence.create", &actor,
                      json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)goes, "from",
                                "2026-11-21T11:40", "until", "2026-11-21T20:00", "reason", "sick")),
        0);
    assert_int_equal(reserved(world, waits), world->inspector + world->officer - goes);
}

static void an_outage(struct world *world, int64_t ms)
{
    world->now.wall.ms += ms;
    world->now.mono.us += ms * 1000;
    world_restart(world);
    world_run_for(world, MINUTE);
}

/* It takes their time from its ring on, for as long as any: also once it is answered. */
static void what_is_caught_up_has_its_time_while_it_is_in_a_call(void **state)
{
    struct world *world = *state;
    world_plan(world, "10:00", NULL);
    world_run_for(world, 30 * MINUTE);
    an_outage(world, 2 * HOUR); /* 11:30 */
    comes(world, 1);
    assert_string_equal(world_text(world, "SELECT state || caught_up FROM checkin WHERE id = 1"),
                        "connected1");
    assert_int_equal(reserved(world, world->person), world->inspector);
    world_another_person(world);
    world_plan(world, "11:40", NULL);
    assert_int_equal(reserved(world, world->person), world->officer);
    world_another_person(world);
    world_plan(world, "11:50", NULL);
    assert_int_equal(reserved(world, world->person), world->inspector);
}

/* Put off, and late once more: the time that it had then is over. */
static void what_rings_later_than_its_time_asks_for_it_anew(void **state)
{
    struct world *world = *state;
    static const char *const starts[] = {"10:00", "10:20", "10:40"};
    for (int i = 0; i < 3; i++) {
        if (i > 0) {
            world_another_person(world);
        }
        world_plan(world, starts[i], NULL);
    }
    world_run_for(world, 30 * MINUTE);
    an_outage(world, 2 * HOUR); /* 11:30: two ring, and one waits for a quarter of an hour */
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE state = 'armed' AND "
                                         "put_off_to > 0"),
                     1);
    int64_t third = world_number(world, "SELECT person_id FROM checkin WHERE state = 'armed'");
    an_outage(world, 20 * MINUTE);
    int64_t has = reserved(world, third);
    assert_true(has > 0);
    /* Of the two who can be asked one is left at three past noon. */
    world_another_person(world);
    world_plan(world, "12:03", NULL);
    assert_int_equal(reserved(world, world->person), world->inspector + world->officer - has);
    world_another_person(world);
    world_plan(world, "12:03", NULL);
    assert_int_equal(reserved(world, world->person), 0);
}

/* More than a turn passes on, in the middle of which we die. */
static void a_long_absence_moves_all_of_them(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    (void)world_colleague(world, "team1", CK_ROLE_INSPECTOR, false);
    static const char *const times[] = {"10:00", "11:00", "12:00"};
    for (int i = 0; i < 3; i++) {
        if (i > 0) {
            world_another_person(world);
        }
        world_plan(world, times[i], NULL);
    }
#define HAS_IT "SELECT count(*) FROM checkin WHERE reserved_id = 1"
    assert_int_equal(world_number(world, HAS_IT), 45);
    world_queue(world, "absence.create", &actor,
                json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)world->inspector, "from",
                          "2026-11-21T08:00", "until", "2026-12-31T18:00", "reason", "leave"));
    world_turn(world);
    assert_int_equal(world_number(world, HAS_IT), 45);
    world_turn(world);
    assert_int_equal(world_number(world, HAS_IT), 45 - CK_CAPACITY_LEAVE_MAX);
    world_restart(world);
    world_run_for(world, 1000);
    assert_int_equal(world_number(world, HAS_IT), 0);
    assert_int_equal(world_records(world, "CHECKIN_RESERVED"), 45);
}

/* Whoever takes over a person takes over their times: of two at once the later one goes to somebody
 * else when it is armed. */
static void two_calls_of_one_person_part_when_they_are_armed(void **state)
{
    struct world *world = *state;
    int64_t team = world_colleague(world, "team1", CK_ROLE_INSPECTOR, false);
    world_plan(world, "10:00", NULL);
    world_another_person(world);
    world_plan(world, "10:10", NULL);
    assert_int_equal(reserved(world, 2), team);
    world_execute(world, "UPDATE checkin SET reserved_id = 1 WHERE person_id = 2");
    world_run_for(world, 61 * MINUTE);
    assert_int_equal(reserved(world, 1), world->inspector);
    assert_int_equal(reserved(world, 2), team);
    assert_int_equal(world_records(world, "CHECKIN_RESERVED"), 1);
}

/* What comes to lie before one that is armed, by new rules of a zone for example, gives way to it.
 */
static void what_is_armed_keeps_the_time_that_it_has(void **state)
{
    struct world *world = *state;
    world_plan(world, "10:10", NULL);
    world_another_person(world);
    world_plan(world, "10:40", NULL);
    world_run_for(world, 61 * MINUTE);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"), "armed");
    assert_int_equal(reserved(world, 2), world->inspector);
    world_execute(world,
                  "UPDATE checkin SET due_at = due_at - 2100000, next_at = next_at - 2100000 "
                  "WHERE person_id = 2 AND local_date = '2026-11-21'");
    world_restart(world); /* which looks at what is due */
    world_run_for(world, 1000);
    assert_int_equal(reserved(world, 1), world->inspector);
    assert_int_equal(reserved(world, 2), world->officer);
}

/* A check-in with somebody of the team rings there too, and they may take it; a third one of the
 * team may not. */
static void who_has_it_reserved_is_rung_and_may_take_it(void **state)
{
    struct world *world = *state;
    int64_t team = world_colleague(world, "team1", CK_ROLE_INSPECTOR, false);
    int64_t third = world_colleague(world, "third", CK_ROLE_INSPECTOR, false);
    world_plan(world, "09:20", NULL);
    world_another_person(world);
    world_plan(world, "09:20", NULL);
    assert_int_equal(reserved(world, world->person), team);
    int checkin = (int)world_number(world, "SELECT min(id) FROM checkin WHERE person_id = 2");
    world_run_for(world, 21 * MINUTE);
    world_forget(world);
    comes(world, checkin);
    assert_int_equal(world_count(world, CK_OUTPUT_RING), 2);
    assert_int_equal(world_last(world, CK_OUTPUT_RING)->staff_id, team);
    const struct ck_actor other = world_staff(world, third, CK_ROLE_INSPECTOR);
    const struct ck_actor taker = world_staff(world, team, CK_ROLE_INSPECTOR);
    assert_int_equal(world_command(world, "checkin.inspector_took", &other,
                                   json_pack("{s:i}", "checkin", checkin)),
                     CK_E_DENIED);
    assert_int_equal(world_command(world, "checkin.inspector_took", &taker,
                                   json_pack("{s:i}", "checkin", checkin)),
                     0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(time_is_taken_in_the_order_in_which_people_are_asked),
        TEST(time_is_asked_for_anew_in_another_unit),
        TEST(nobody_is_in_two_calls_at_once),
        TEST(another_place_in_the_window_comes_before_unattended),
        TEST(a_make_up_is_put_where_somebody_has_time),
        TEST(a_make_up_that_nobody_has_time_for_is_a_fault_of_the_staff),
        TEST(what_must_be_live_and_has_nobody_is_unstaffed),
        TEST(an_absence_moves_the_reservation),
        TEST(a_leave_taken_back_gives_the_time_back),
        TEST(a_later_shift_is_asked_for_what_nobody_had_time_for),
        TEST(what_is_caught_up_gets_somebodys_time),
        TEST(what_is_caught_up_has_its_time_while_it_is_in_a_call),
        TEST(what_rings_later_than_its_time_asks_for_it_anew),
        TEST(a_long_absence_moves_all_of_them),
        TEST(two_calls_of_one_person_part_when_they_are_armed),
        TEST(what_is_armed_keeps_the_time_that_it_has),
        TEST(who_has_it_reserved_is_rung_and_may_take_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
