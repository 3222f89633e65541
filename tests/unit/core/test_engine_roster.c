/* Who is told when: shifts, absences, stand-ins and the duty room, through the engine. The world
 * begins on Saturday 21 November 2026 at 09:00 in Almaty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/duty.h"
#include "daemon/store/query_incident.h"
#include "daemon/store/staff.h"
#include "protocol/base/error.h"
#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static struct ck_actor supervisor(const struct world *world)
{
    return world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
}

static void shift(struct world *world, int64_t staff, const char *kind, const char *date,
                  const char *start, const char *end)
{
    const struct ck_actor actor = supervisor(world);
    assert_int_equal(
        world_command(world, "shift.create", &actor,
                      json_pack("{s:I, s:s, s:s, s:s, s:s}", "staff", (json_int_t)staff, "kind",
                                kind, "from_date", date, "start", start, "end", end)),
        0);
}

static int64_t absence(struct world *world, int64_t staff, const char *from, const char *until)
{
    const struct ck_actor actor = supervisor(world);
    assert_int_equal(world_command(world, "absence.create", &actor,
                                   json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)staff,
                                             "from", from, "until", until, "reason", "leave")),
                     0);
    return json_integer_value(json_object_get(world->result.body, "absence"));
}

static int told(struct world *world, int64_t staff)
{
    char sql[160];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM notice WHERE incident_id = 1 AND staff_id = %lld",
             (long long)staff);
    return (int)world_number(world, sql);
}

/* A check-in at 09:10 that nobody answers: the incident is there at 09:30. */
static void miss(struct world *world)
{
    world_plan(world, "09:10", NULL);
    world_run_for(world, 30 * MINUTE + 1000);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 1);
}

static void an_absent_inspector_has_a_stand_in(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = supervisor(world);
    int64_t other = world_colleague(world, "other", CK_ROLE_INSPECTOR, false);
    assert_int_equal(world_command(world, "stand_ins.set", &actor,
                                   json_pack("{s:I, s:[I]}", "staff", (json_int_t)world->inspector,
                                             "stand_ins", (json_int_t)other)),
                     0);
    int64_t id = absence(world, world->inspector, "2026-11-21T09:05", "2026-11-21T12:00");
    assert_int_equal(world_number(world, "SELECT count(*) FROM cover"), 0);
    miss(world);
    assert_int_equal(world_number(world, "SELECT staff_id FROM cover"), other);
    assert_int_equal(told(world, world->inspector), 0);
    assert_true(told(world, other) > 0);

    /* Who is told may act on it; somebody else of the team may not. */
    struct ck_actor stand_in = world_staff(world, other, CK_ROLE_INSPECTOR);
    const struct ck_actor third = world_staff(
        world, world_colleague(world, "third", CK_ROLE_INSPECTOR, false), CK_ROLE_INSPECTOR);
    assert_int_equal(
        world_command(world, "incident.acknowledge", &third, json_pack("{s:i}", "incident", 1)),
        CK_E_DENIED);
    assert_int_equal(
        world_command(world, "incident.acknowledge", &stand_in, json_pack("{s:i}", "incident", 1)),
        0);

    /* Back at noon, by itself; and at once when the absence is taken out. */
    world_run_for(world, 3 * HOUR);
    assert_int_equal(world_number(world, "SELECT count(*) FROM cover"), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action IN "
                                         "('CASELOAD_WITH_STAND_IN', 'CASELOAD_BACK')"),
                     2);
    id = absence(world, world->inspector, "2026-11-21T09:00", "2026-11-22T12:00");
    assert_int_equal(world_number(world, "SELECT count(*) FROM cover"), 1);
    assert_int_equal(world_command(world, "absence.remove", &actor,
                                   json_pack("{s:I}", "absence", (json_int_t)id)),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM cover"), 0);
}

static void a_stand_in_who_is_absent_too_is_passed_over(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = supervisor(world);
    int64_t first = world_colleague(world, "first", CK_ROLE_INSPECTOR, false);
    int64_t other = world_colleague(world, "other", CK_ROLE_INSPECTOR, false);
    assert_int_equal(
        world_command(world, "stand_ins.set", &actor,
                      json_pack("{s:I, s:[I, I]}", "staff", (json_int_t)world->inspector,
                                "stand_ins", (json_int_t)first, (json_int_t)other)),
        0);
    absence(world, world->inspector, "2026-11-21T08:00", "2026-11-25T12:00");
    assert_int_equal(world_number(world, "SELECT staff_id FROM cover"), first);
    absence(world, first, "2026-11-21T09:10", "2026-11-21T09:20");
    world_run_for(world, 15 * MINUTE);
    assert_int_equal(world_number(world, "SELECT staff_id FROM cover"), other);
    world_run_for(world, 15 * MINUTE);
    assert_int_equal(world_number(world, "SELECT staff_id FROM cover"), first);
}

/* The first has the caseload and is at home asleep: the second is told, sees it and may act. */
static void a_stand_in_who_is_off_is_not_waited_for(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = supervisor(world);
    int64_t first = world_colleague(world, "first", CK_ROLE_INSPECTOR, false);
    int64_t other = world_colleague(world, "other", CK_ROLE_INSPECTOR, false);
    assert_int_equal(
        world_command(world, "stand_ins.set", &actor,
                      json_pack("{s:I, s:[I, I]}", "staff", (json_int_t)world->inspector,
                                "stand_ins", (json_int_t)first, (json_int_t)other)),
        0);
    shift(world, first, "work", "2026-11-21", "20:00", "22:00");
    absence(world, world->inspector, "2026-11-21T08:00", "2026-11-25T12:00");
    miss(world);
    assert_int_equal(told(world, first), 0);
    assert_true(told(world, other) > 0);
    const struct ck_scope theirs = {.inspector = other}, nobodys = {.inspector = first};
    json_t *incident = NULL;
    assert_int_equal(ck_query_incident(world->reader, &theirs, 1, &incident), 0);
    json_decref(incident);
    incident = NULL;
    assert_int_equal(ck_query_incident(world->reader, &nobodys, 1, &incident), 0); /* by caseload */
    json_decref(incident);
    incident = NULL;
    const struct ck_scope third = {.inspector =
                                       world_colleague(world, "third", CK_ROLE_INSPECTOR, false)};
    assert_int_equal(ck_query_incident(world->reader, &third, 1, &incident), CK_E_NOT_FOUND);
    const struct ck_actor helper = world_staff(world, other, CK_ROLE_INSPECTOR);
    assert_int_equal(
        world_command(world, "incident.acknowledge", &helper, json_pack("{s:i}", "incident", 1)),
        0);
}

static void nobody_at_work_means_the_next_step_at_once(void **state)
{
    struct world *world = *state;
    shift(world, world->inspector, "work", "2026-11-21", "14:00", "18:00");
    miss(world);
    assert_int_equal(told(world, world->inspector), 0);
    assert_true(told(world, world->officer) > 0); /* not after fifteen minutes: now */
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain "
                                         "WHERE action = 'STAFF_FAULT'"),
                     1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident_line "
                                         "WHERE incident_id = 1 AND what = 'step_skipped'"),
                     1);
}

static void the_duty_room_is_who_has_a_shift_in_it(void **state)
{
    struct world *world = *state;
    int64_t night = world_colleague(world, "night", CK_ROLE_OFFICER, false);
    shift(world, world->officer, "duty", "2026-11-21", "08:00", "09:30");
    shift(world, night, "duty", "2026-11-21", "09:30", "08:00");
    miss(world);
    world_run_for(world, 16 * MINUTE); /* the second step, at 09:45 */
    assert_int_equal(told(world, world->officer), 0);
    assert_true(told(world, night) > 0);
}

static void what_cannot_be_a_shift_is_refused(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = supervisor(world);
    static const struct {
        const char *kind, *from, *until, *start, *end, *field;
        int day;
    } bad[] = {
        {"nap", "2026-11-21", NULL, "08:00", "09:00", "kind", 0},
        {"work", "21.11.2026", NULL, "08:00", "09:00", "from_date", 0},
        {"work", "2026-11-21", NULL, "8:00", "09:00", "start", 0},
        {"work", "2026-11-21", NULL, "08:00", "24:00", "end", 0},
        {"work", "2026-11-21", "2026-11-20", "08:00", "09:00", "until_date", 5},
        {"work", "2026-11-21", "2026-11-22", "08:00", "09:00", "weekday", 2},
        {"work", "2026-11-21", NULL, "08:00", "09:00", "weekdays", 7},
        {"duty", "2026-11-21", NULL, "08:00", "09:00", "kind", 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int code =
            world_command(world, "shift.create", &actor,
                          json_pack("{s:I, s:s, s:s, s:s?, s:s, s:s, s:[i]}", "staff",
                                    (json_int_t)world->inspector, "kind", bad[i].kind, "from_date",
                                    bad[i].from, "until_date", bad[i].until, "start", bad[i].start,
                                    "end", bad[i].end, "weekdays", bad[i].day));
        assert_int_equal(code, CK_E_INVALID);
        assert_string_equal(world->result.refusal.field, bad[i].field);
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM shift"), 0);

    /* Somebody else's unit, and somebody else's absence. */
    struct ck_actor stranger = actor;
    stranger.unit_id = 77;
    assert_int_equal(
        world_command(world, "stand_ins.set", &stranger,
                      json_pack("{s:I, s:[]}", "staff", (json_int_t)world->inspector, "stand_ins")),
        CK_E_DENIED);
    const struct ck_actor officer = world_staff(world, world->officer, CK_ROLE_OFFICER);
    assert_int_equal(
        world_command(world, "absence.create", &officer,
                      json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)world->inspector,
                                "from", "2026-11-22T09:00", "until", "2026-11-23T09:00", "reason",
                                "sick")),
        CK_E_DENIED);
    assert_int_equal(
        world_command(world, "absence.create", &officer,
                      json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)world->officer, "from",
                                "2026-11-22T09:00", "until", "2026-11-22T09:00", "reason", "sick")),
        CK_E_INVALID);
}

/* One more caseload than a stand-in's pages can show is refused, by the list and by an absence. */
static void nobody_stands_in_for_more_than_they_see(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = supervisor(world);
    int64_t stand_in = world_colleague(world, "helps", CK_ROLE_INSPECTOR, false);
    for (int i = 0; i < CK_COVERS_MAX; i++) {
        char login[16];
        snprintf(login, sizeof login, "busy%d", i);
        int64_t staff = world_colleague(world, login, CK_ROLE_INSPECTOR, false);
        assert_int_equal(world_command(world, "stand_ins.set", &actor,
                                       json_pack("{s:I, s:[I]}", "staff", (json_int_t)staff,
                                                 "stand_ins", (json_int_t)stand_in)),
                         0);
        /* The same again is no other one. */
        assert_int_equal(world_command(world, "stand_ins.set", &actor,
                                       json_pack("{s:I, s:[I]}", "staff", (json_int_t)staff,
                                                 "stand_ins", (json_int_t)stand_in)),
                         0);
    }
    assert_int_equal(world_command(world, "stand_ins.set", &actor,
                                   json_pack("{s:I, s:[I]}", "staff", (json_int_t)world->inspector,
                                             "stand_ins", (json_int_t)stand_in)),
                     CK_E_LIMIT);
    assert_string_equal(world->result.refusal.field, "stand_ins");
    assert_int_equal(
        world_command(world, "absence.create", &actor,
                      json_pack("{s:I, s:s, s:s, s:s, s:I}", "staff", (json_int_t)world->inspector,
                                "from", "2026-11-22T09:00", "until", "2026-11-23T09:00", "reason",
                                "leave", "stand_in", (json_int_t)stand_in)),
        CK_E_LIMIT);
    assert_string_equal(world->result.refusal.field, "stand_in");
}

/* What capacity asks: everybody who could take a check-in, in order, with their times. */
static void people_come_in_the_order_in_which_they_are_asked(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = supervisor(world);
    static struct ck_duty_person people[CK_DUTY_PEOPLE_MAX];
    int64_t other = world_colleague(world, "other", CK_ROLE_INSPECTOR, false);
    int64_t team = world_colleague(world, "team1", CK_ROLE_INSPECTOR, false);
    assert_int_equal(world_command(world, "stand_ins.set", &actor,
                                   json_pack("{s:I, s:[I]}", "staff", (json_int_t)world->inspector,
                                             "stand_ins", (json_int_t)other)),
                     0);
    shift(world, world->inspector, "work", "2026-11-21", "09:00", "18:00");
    absence(world, world->inspector, "2026-11-21T12:00", "2026-11-21T13:00");
    struct ck_zones *zones = ck_zones_create("/usr/share/zoneinfo");
    const struct ck_interval span = {world->now.wall, {world->now.wall.ms + 24 * HOUR}};
    size_t count = 0;
    assert_int_equal(ck_duty_people(world->reader, zones, world->unit, world->inspector, span,
                                    people, CK_DUTY_PEOPLE_MAX, &count),
                     0);
    ck_zones_destroy(zones);
    const int64_t order[] = {world->inspector, other, team, world->officer};
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(people[i].person.staff, order[i]);
        assert_int_equal(people[i].person.relation, i);
    }
    assert_true(ck_capacity_is_free(&people[0].person, world->now.wall, HOUR));
    assert_false(ck_capacity_is_free(&people[0].person,
                                     (struct ck_wall){world->now.wall.ms + 3 * HOUR}, 10 * MINUTE));
    assert_false(ck_capacity_is_free(
        &people[0].person, (struct ck_wall){world->now.wall.ms + 10 * HOUR}, 10 * MINUTE));
    assert_true(ck_capacity_is_free(&people[1].person,
                                    (struct ck_wall){world->now.wall.ms + 10 * HOUR}, 10 * MINUTE));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_absent_inspector_has_a_stand_in),
        TEST(a_stand_in_who_is_absent_too_is_passed_over),
        TEST(a_stand_in_who_is_off_is_not_waited_for),
        TEST(nobody_at_work_means_the_next_step_at_once),
        TEST(the_duty_room_is_who_has_a_shift_in_it),
        TEST(what_cannot_be_a_shift_is_refused),
        TEST(nobody_stands_in_for_more_than_they_see),
        TEST(people_come_in_the_order_in_which_they_are_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
