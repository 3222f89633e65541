/* Ladders that supervisors agree on, and the safety check beside them. The world begins on Saturday
 * 21 November 2026 at 09:00 in Almaty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/cases/cases.h"
#include "daemon/core/ladder_request.h"
#include "daemon/core/reach.h"
#include "daemon/store/ladder.h"
#include "daemon/store/query_incident.h"
#include "daemon/store/staff.h"
#include "protocol/base/error.h"
#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)

static void top_band(struct world *world)
{
    world_execute(world, "UPDATE person SET band = 'top'");
}

/* One step for one supervisor, in `timeout_s`. */
static json_t *request(const char *target, const char *channel, int timeout_s, int apply_open)
{
    return json_pack("{s:s, s:b, s:{s:[{s:[{s:s}], s:[s], s:b, s:i, s:i, s:i}], s:i, s:b, s:i, "
                     "s:b}}",
                     "band", "medium", "apply_open", apply_open, "ladder", "steps", "targets",
                     "kind", target, "channels", channel, "parallel", 0, "ack_timeout_s", timeout_s,
                     "rounds", 1, "min_interval_s", 60, "ack_hold_s", 1800, "late_answer_calms", 1,
                     "calm_interval_s", 43200, "quiet_hours", 0);
}

static json_t *body_of(const struct world *world, json_t *asked)
{
    return json_pack("{s:i, s:I, s:I, s:i, s:o, s:s}", "approval", 1, "proposer",
                     (json_int_t)world->supervisor, "unit", (json_int_t)world->unit, "person", 0,
                     "request", asked, "reason", "nobody answered");
}

static void an_approved_ladder_is_the_one_of_the_next_incident(void **state)
{
    struct world *world = *state;
    int64_t second = world_colleague(world, "second", CK_ROLE_SUPERVISOR, true);
    const struct ck_actor actor = world_staff(world, second, CK_ROLE_SUPERVISOR);
    world_plan(world, "09:10", NULL);
    assert_int_equal(world_command(world, "approved.ladder", &actor,
                                   body_of(world, request("supervisor", "email", 120, 0))),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM ladder WHERE band = 'medium' "
                                         "AND by_staff <> approved_by"),
                     1);
    world_run_for(world, 30 * MINUTE + 1000);
    assert_int_equal(world_number(world, "SELECT steps FROM incident"), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE incident_id = 1 "
                                         "AND channel = 'email'"),
                     2); /* both supervisors, and nobody else by nothing else */
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE incident_id = 1"), 2);

    /* A later version leaves the incident alone, unless it is told not to. */
    assert_int_equal(world_command(world, "approved.ladder", &actor,
                                   body_of(world, request("duty", "email", 240, 0))),
                     0);
    int64_t frozen = world_number(world, "SELECT policy_id FROM incident");
    assert_int_equal(world_command(world, "approved.ladder", &actor,
                                   body_of(world, request("duty", "console", 300, 1))),
                     0);
    assert_int_not_equal(world_number(world, "SELECT policy_id FROM incident"), frozen);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident_line "
                                         "WHERE what = 'ladder_changed'"),
                     1);
    json_t *list = NULL;
    assert_int_equal(ck_query_ladders(world->reader, world->unit, &list), 0);
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "version")), 3);
    json_decref(list);
}

/* What is open and laid under it waits no longer than it says. */
static void a_shorter_ladder_ends_a_long_wait(void **state)
{
    struct world *world = *state;
    int64_t second = world_colleague(world, "second", CK_ROLE_SUPERVISOR, true);
    const struct ck_actor actor = world_staff(world, second, CK_ROLE_SUPERVISOR);
    world_plan(world, "09:10", NULL);
    assert_int_equal(world_command(world, "approved.ladder", &actor,
                                   body_of(world, request("supervisor", "email", 36000, 0))),
                     0);
    world_run_for(world, 40 * MINUTE);
    const char *waits =
        "SELECT (next_at - json_extract(machine, '$.fired_at')) / 1000 FROM incident";
    assert_int_equal(world_number(world, waits), 36000);
    assert_int_equal(world_command(world, "approved.ladder", &actor,
                                   body_of(world, request("supervisor", "email", 300, 1))),
                     0);
    assert_int_equal(world_number(world, waits), 300);
    world_run_for(world, MINUTE);
    assert_int_equal(world_number(world, "SELECT json_extract(machine, '$.fired') FROM incident"),
                     2);
    /* A longer one does not make it wait longer. */
    assert_int_equal(world_command(world, "approved.ladder", &actor,
                                   body_of(world, request("supervisor", "email", 36000, 1))),
                     0);
    assert_int_equal(world_number(world, waits), 300);
}

static void a_ladder_that_reaches_nobody_is_refused(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    assert_int_equal(world_command(world, "proposed.ladder", &actor,
                                   body_of(world, request("duty", "console", 300, 0))),
                     0);
    /* Nobody on duty has a telephone number; and nobody stands in for anybody. */
    assert_int_equal(world_command(world, "proposed.ladder", &actor,
                                   body_of(world, request("duty", "voice", 300, 0))),
                     CK_E_INVALID);
    assert_string_equal(world->result.refusal.message, "it reaches nobody");
    assert_int_equal(world_command(world, "proposed.ladder", &actor,
                                   body_of(world, request("stand_in", "console", 300, 0))),
                     CK_E_INVALID);
    /* And what is no ladder at all says where. */
    assert_int_equal(world_command(world, "proposed.ladder", &actor,
                                   body_of(world, request("mayor", "console", 300, 0))),
                     CK_E_INVALID);
    assert_string_equal(world->result.refusal.field, "steps[0].targets[0].kind");
    assert_int_equal(world_command(world, "proposed.ladder", &actor,
                                   body_of(world, request("duty", "pigeon", 300, 0))),
                     CK_E_INVALID);
    assert_string_equal(world->result.refusal.field, "steps[0].channels");
    assert_int_equal(world_command(world, "proposed.ladder", &actor,
                                   body_of(world, request("duty", "console", 0, 0))),
                     CK_E_INVALID);
    assert_string_equal(world->result.refusal.field, "steps[0].ack_timeout_s");
}

/* ---- channels in order ---- */

/* A step for the supervisor: the agency's system, then mail, then a message; an hour to answer. */
static void in_order(struct world *world)
{
    json_t *asked = request("supervisor", "webhook", 3600, 0);
    json_t *step = json_array_get(json_object_get(json_object_get(asked, "ladder"), "steps"), 0);
    int64_t second = world_colleague(world, "second", CK_ROLE_SUPERVISOR, false);
    const struct ck_actor actor = world_staff(world, second, CK_ROLE_SUPERVISOR);
    json_array_append_new(json_object_get(step, "channels"), json_string("email"));
    json_array_append_new(json_object_get(step, "channels"), json_string("sms"));
    world_execute(world, "UPDATE staff SET disabled_at = 1 WHERE login = 'second';"
                         "UPDATE staff SET phone = '+77017654321' WHERE roles & 4 <> 0");
    assert_int_equal(world_command(world, "approved.ladder", &actor, body_of(world, asked)), 0);
    world_plan(world, "09:10", NULL);
}

static int64_t noticed(struct world *world, const char *channel)
{
    char sql[160];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM notice WHERE incident_id = 1 AND channel = '%s'", channel);
    return world_number(world, sql);
}

/* E6: a mail that was taken by a server was read by nobody yet, and no receipt will come. */
static void accepted_is_not_delivered(void **state)
{
    struct world *world = *state;
    in_order(world);
    world_run_for(world, 30 * MINUTE + 1000);
    assert_int_equal(noticed(world, "webhook"), 1);
    assert_int_equal(noticed(world, "email"), 1); /* no system holds up a human's */
    assert_int_equal(noticed(world, "sms"), 0);
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(noticed(world, "sms"), 1);
    assert_int_equal(noticed(world, "email"), 1);
}

static void who_has_taken_it_over_is_not_told_again(void **state)
{
    struct world *world = *state;
    in_order(world);
    world_run_for(world, 30 * MINUTE + 1000);
    const struct ck_actor boss = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    assert_int_equal(
        world_command(world, "incident.acknowledge", &boss, json_pack("{s:i}", "incident", 1)), 0);
    world_run_for(world, 5 * MINUTE);
    assert_int_equal(noticed(world, "sms"), 0);
}

/* The last way to somebody went while an earlier one was tried: the step does not wait for an hour.
 * There is no other step, so everybody is alarmed, and it is tried again soon. That the agency's
 * own system has it is no human's knowledge. */
static void a_way_that_is_gone_is_no_way(void **state)
{
    struct world *world = *state;
    const struct ck_actor gateway = {.kind = CK_ACTOR_GATEWAY};
    in_order(world);
    world_run_for(world, 30 * MINUTE + 1000);
    world_execute(world, "UPDATE staff SET phone = NULL");
    int64_t fired = world_number(world, "SELECT max(fire) FROM notice WHERE incident_id = 1");
    int64_t mail = world_number(world, "SELECT id FROM notice WHERE incident_id = 1 AND channel = "
                                       "'email'");
    assert_int_equal(
        world_command(world, "notice.receipt", &gateway,
                      json_pack("{s:I, s:s}", "notice", (json_int_t)mail, "receipt", "failed")),
        0);
    assert_int_equal(world_records(world, "INCIDENT_NOBODY_REACHED"), 1);
    world_run_for(world, 5 * MINUTE + 1000);
    assert_true(world_number(world, "SELECT max(fire) FROM notice WHERE incident_id = 1") > fired);
}

static void requests_keep_every_ladder(void **state)
{
    (void)state;
    for (int band = 0; band < CK_BAND_COUNT; band++) {
        const struct ck_ladder ladder = ck_ladder_default((enum ck_band)band);
        struct ck_ladder read;
        struct ck_refusal refusal;
        json_t *written = ck_ladder_request_write(&ladder);
        assert_int_equal(ck_ladder_request_read(written, &read, &refusal), 0);
        assert_memory_equal(&read, &ladder, sizeof read);
        json_decref(written);
    }
}

static void the_check_says_what_is_wrong(void **state)
{
    struct world *world = *state;
    const struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    struct ck_zones *zones = ck_zones_create("/usr/share/zoneinfo");
    const struct ck_reach reach = {.store = world->reader,
                                   .zones = zones,
                                   .channels = CK_CHANNEL_BIT(CK_CHANNEL_CONSOLE),
                                   .unit = world->unit};
    json_t *findings = NULL;
    bool fatal = true;
    world_execute(world, "UPDATE staff SET on_duty = 0");
    assert_int_equal(ck_reach_lint(&reach, &ladder, CK_BAND_3, world->now.wall, &findings, &fatal),
                     0);
    assert_false(fatal);
    char *text = json_dumps(findings, JSON_COMPACT);
    assert_non_null(strstr(text, "{\"reason\":\"reaches_nobody\",\"step\":2,\"share\":100"));
    assert_non_null(strstr(text, "{\"reason\":\"channel_off\",\"step\":2,\"share\":0,"
                                 "\"channel\":\"sms\"}"));
    free(text);
    json_decref(findings);
    ck_zones_destroy(zones);
}

/* ---- a named person ---- */

static json_t *named(int64_t staff, const char *channel)
{
    json_t *asked = request("named", channel, 300, 0);
    json_t *step = json_array_get(json_object_get(json_object_get(asked, "ladder"), "steps"), 0);
    json_object_set_new(json_array_get(json_object_get(step, "targets"), 0), "staff",
                        json_integer(staff));
    return asked;
}

static int propose_named(struct world *world, int64_t staff)
{
    const struct ck_actor actor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    return world_command(world, "proposed.ladder", &actor, body_of(world, named(staff, "email")));
}

static void who_is_named_is_told_and_nobody_else(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = world_staff(world, world->officer, CK_ROLE_SUPERVISOR);
    int64_t chief = world_colleague(world, "chief", CK_ROLE_SUPERVISOR, false);
    world_execute(world, "UPDATE staff SET email = 'chief@example.kz' WHERE login = 'chief'");
    assert_int_equal(
        world_command(world, "approved.ladder", &actor, body_of(world, named(chief, "email"))), 0);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 30 * MINUTE + 1000);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE incident_id = 1"), 1);
    assert_int_equal(world_number(world, "SELECT staff_id FROM notice WHERE incident_id = 1"),
                     chief);
    /* On leave they are as nobody, and that is said. */
    assert_int_equal(world_records(world, "INCIDENT_NOBODY_REACHED"), 0);
    assert_int_equal(world_command(world, "absence.create", &actor,
                                   json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)chief,
                                             "from", "2026-11-21T09:00", "until",
                                             "2026-11-22T09:00", "reason", "leave")),
                     0);
    world_run_for(world, 5 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE incident_id = 1"), 1);
    assert_true(world_records(world, "INCIDENT_NOBODY_REACHED") > 0);
}

/* A name that would stand for nobody, or for somebody who may not act. */
static void only_who_may_act_is_named(void **state)
{
    struct world *world = *state;
    int64_t gone = world_colleague(world, "leaves", CK_ROLE_OFFICER, false);
    int64_t away = world_colleague(world, "elsewhere", CK_ROLE_OFFICER, false);
    world_execute(world, "INSERT INTO unit (name, zone, created_at) VALUES ('Other', "
                         "'Asia/Almaty', 1);"
                         "UPDATE staff SET unit_id = 2 WHERE login = 'elsewhere';"
                         "UPDATE staff SET disabled_at = 1 WHERE login = 'leaves'");
    assert_int_equal(propose_named(world, world->officer), 0);
    const int64_t bad[] = {gone, away, world->inspector, 99999};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(propose_named(world, bad[i]), CK_E_INVALID);
        assert_string_equal(world->result.refusal.message,
                            "a named person must be an officer or supervisor of the unit");
    }
}

static void leave(struct world *world, int64_t staff, const char *from, const char *until)
{
    const struct ck_actor actor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    assert_int_equal(world_command(world, "absence.create", &actor,
                                   json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)staff,
                                             "from", from, "until", until, "reason", "leave")),
                     0);
}

/* Two weeks are looked at, not only this moment. */
static void who_comes_back_in_time_is_reached(void **state)
{
    struct world *world = *state;
    int64_t chief = world_colleague(world, "chief", CK_ROLE_SUPERVISOR, false);
    world_execute(world, "UPDATE staff SET email = 'chief@example.kz' WHERE login = 'chief'");
    leave(world, chief, "2026-11-20T00:00", "2026-12-01T00:00");
    assert_int_equal(propose_named(world, chief), 0);
    leave(world, chief, "2026-12-01T00:00", "2026-12-20T00:00");
    assert_int_equal(propose_named(world, chief), CK_E_INVALID);
    assert_string_equal(world->result.refusal.message, "it reaches nobody");
}

/* ---- quiet hours ---- */

/* E10: by the day of the unit, from ten in the evening to eight, where its supervisors have agreed
 * on that; what is graver goes out at night. */
static void quiet_hours_are_those_of_the_unit(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = world_staff(world, world->officer, CK_ROLE_SUPERVISOR);
    json_t *asked = request("supervisor", "email", 300, 0);
    json_object_set_new(json_object_get(asked, "ladder"), "quiet_hours", json_true());
    assert_int_equal(world_command(world, "approved.ladder", &actor, body_of(world, asked)), 0);
    world_execute(world, "UPDATE contact_order SET hours_start = '00:00', hours_end = '24:00'");
    /* Missed at 21:45, at 22:30 and, the day after, at 07:20. */
    static const char *const starts[] = {"21:25", "22:10", "07:00"};
    for (int i = 0; i < 3; i++) {
        world_plan(world, starts[i],
                   json_pack("{s:[{s:s, s:s, s:i}], s:s}", "windows", "start", starts[i], "end",
                             i == 2 ? "08:00" : "23:00", "draws", 0, "recurrence",
                             "FREQ=DAILY;COUNT=2"));
    }
    static const char told[] =
        "SELECT count(DISTINCT incident_id) FROM notice WHERE incident_id IS NOT NULL";
#define MISSED "SELECT count(*) FROM incident WHERE kind = 'no_contact'"
    for (int hour = 9; hour < 22; hour++) {
        world_run_for(world, 60 * MINUTE);
        world_forget(world);
    }
    assert_int_equal(world_number(world, MISSED), 1);
    assert_int_equal(world_number(world, told), 1);
    int64_t fired = world_number(world, "SELECT max(fire) FROM notice WHERE incident_id = 1");
    for (int i = 0; i < 19; i++) { /* 07:30 */
        world_run_for(world, 30 * MINUTE);
        world_forget(world);
    }
    assert_int_equal(world_number(world, MISSED), 3);
    assert_int_equal(world_number(world, told), 1);
    assert_int_equal(world_number(world, "SELECT max(fire) FROM notice WHERE incident_id = 1"),
                     fired);
    /* 08:00 in Almaty. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE next_at = "
                                         "unixepoch('2026-11-22T03:00:00Z') * 1000"),
                     3);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT incident_id) FROM incident_line "
                                         "WHERE what = 'held' AND text = "
                                         "'2026-11-22T03:00:00.000Z'"),
                     3);
    world_run_for(world, 31 * MINUTE);
    assert_int_equal(world_number(world, told), 3);
}

#define TOLD "SELECT count(*) FROM notice WHERE incident_id IS NOT NULL"

/* 23:00, and nobody has been told of what was missed at 22:30. */
static struct ck_actor missed_by_night(struct world *world)
{
    const struct ck_actor actor = world_staff(world, world->officer, CK_ROLE_SUPERVISOR);
    json_t *asked = request("supervisor", "email", 300, 0);
    json_object_set_new(json_object_get(asked, "ladder"), "quiet_hours", json_true());
    assert_int_equal(world_command(world, "approved.ladder", &actor, body_of(world, asked)), 0);
    world_execute(world, "UPDATE contact_order SET hours_start = '00:00', hours_end = '24:00'");
    world_plan(world, "22:10", NULL);
    for (int hour = 9; hour < 23; hour++) {
        world_run_for(world, 60 * MINUTE);
        world_forget(world);
    }
    assert_int_equal(world_number(world, MISSED), 1);
    assert_int_equal(world_number(world, TOLD), 0);
    return actor;
}

static void quiet_hours_end_with_the_ladder_that_has_them(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = missed_by_night(world);
    assert_int_equal(world_command(world, "approved.ladder", &actor,
                                   body_of(world, request("supervisor", "email", 300, 1))),
                     0);
    world_run_for(world, MINUTE);
    assert_true(world_number(world, TOLD) > 0);
}

static void quiet_hours_end_with_the_clock_that_had_them(void **state)
{
    struct world *world = *state;
    missed_by_night(world);
    world->now.wall.ms -= 180 * MINUTE; /* 20:00 */
    world_run_for(world, MINUTE);
    assert_true(world_number(world, TOLD) > 0);
}

static void quiet_hours_go_with_the_zone_of_the_unit(void **state)
{
    struct world *world = *state;
    const struct ck_actor administrator =
        world_staff(world, world->supervisor, CK_ROLE_ADMINISTRATOR);
    ck_cases_register(&world->registry);
    missed_by_night(world);
    assert_int_equal(world_command(world, "unit.zone", &administrator,
                                   json_pack("{s:I, s:s}", "unit", (json_int_t)world->unit, "zone",
                                             "Asia/Tokyo")),
                     0);
    world_run_for(world, MINUTE);
    /* 08:00 in Tokyo. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'no_contact' "
                                         "AND next_at = unixepoch('2026-11-21T23:00:00Z') * 1000"),
                     1);
}

/* A person who comes from a unit of another zone changes nothing for what waits here: it waits on,
 * and says no second time so. Nor does a clock that was set back a little. */
static void a_wait_that_stays_the_same_is_no_news(void **state)
{
    struct world *world = *state;
    static const char held[] = "SELECT count(*) FROM incident_line WHERE what = 'held'";
    static const char waits[] = "SELECT count(*) FROM incident WHERE kind = 'no_contact' AND "
                                "next_at = unixepoch('2026-11-22T03:00:00Z') * 1000";
    const struct ck_actor actor = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    missed_by_night(world);
    ck_cases_register(&world->registry);
    assert_int_equal(world_number(world, held), 1);
    world_execute(world, "INSERT INTO unit (id, name, zone, created_at) VALUES (9, 'Far', "
                         "'Asia/Tokyo', 0); UPDATE person SET unit_id = 9");
    assert_int_equal(world_command(world, "person.update", &actor,
                                   json_pack("{s:I, s:I}", "person", (json_int_t)world->person,
                                             "unit_id", (json_int_t)world->unit)),
                     0);
    world_run_for(world, MINUTE);
    assert_int_equal(world_records(world, "ZONE_PLACED"), 1);
    assert_int_equal(world_number(world, waits), 1);
    assert_int_equal(world_number(world, held), 1);
    world->now.wall.ms -= 20 * MINUTE;
    world_run_for(world, MINUTE);
    assert_int_equal(world_number(world, waits), 1);
    assert_int_equal(world_number(world, held), 1);
    assert_int_equal(world_records(world, "INCIDENT_HELD"), 1);
}

/* Once: what comes after it waits for the morning again. */
static void quiet_hours_do_not_hold_what_is_wanted_by_hand(void **state)
{
    struct world *world = *state;
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    static const char fired[] = "SELECT count(*) FROM incident_line WHERE what = 'step_fired'";
    missed_by_night(world);
    assert_int_equal(world_number(world, fired), 0);
    int64_t id = world_number(world, "SELECT id FROM incident WHERE kind = 'no_contact'");
    assert_int_equal(
        world_command(world, "incident.escalate", &inspector,
                      json_pack("{s:I, s:s}", "incident", (json_int_t)id, "reason", "not at home")),
        0);
    world_run_for(world, 1000);
    assert_int_equal(world_number(world, fired), 1);
    assert_true(world_number(world, TOLD) > 0);
    world_run_for(world, 60 * MINUTE);
    assert_int_equal(world_number(world, fired), 1);
}

/* ---- the safety check ---- */

static void the_top_band_has_a_safety_check_beside_it(void **state)
{
    struct world *world = *state;
    int64_t second = world_colleague(world, "second", CK_ROLE_OFFICER, true);
    const struct ck_actor first = world_staff(world, world->officer, CK_ROLE_OFFICER);
    const struct ck_actor other = world_staff(world, second, CK_ROLE_OFFICER);
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    top_band(world);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 30 * MINUTE + 1000);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 2);
    int64_t safety = world_number(world, "SELECT id FROM incident WHERE kind = 'safety'");
    int64_t contact = world_number(world, "SELECT id FROM incident WHERE kind = 'no_contact'");
    char sql[128];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM notice WHERE incident_id = %lld AND staff_id = %lld",
             (long long)safety, (long long)world->inspector);
    assert_int_equal(world_number(world, sql), 0); /* the inspector is not asked … */
    const struct ck_scope caseload = {.inspector = world->inspector};
    const struct ck_scope unit = {.unit = world->unit};
    json_t *row = NULL;
    assert_int_equal(ck_query_incident(world->reader, &caseload, safety, &row), CK_E_NOT_FOUND);
    assert_int_equal(ck_query_incident(world->reader, &caseload, contact, &row), 0);
    json_decref(row);
    assert_int_equal(ck_query_incident(world->reader, &unit, safety, &row), 0);
    json_decref(row);
    assert_int_equal(world_command(world, "incident.acknowledge", &inspector,
                                   json_pack("{s:I}", "incident", (json_int_t)safety)),
                     CK_E_DENIED); /* … and sees nothing of it */

    /* One officer looks for the person, another one after those at risk. */
    assert_int_equal(world_command(world, "incident.acknowledge", &first,
                                   json_pack("{s:I}", "incident", (json_int_t)contact)),
                     0);
    assert_int_equal(world_command(world, "incident.acknowledge", &first,
                                   json_pack("{s:I}", "incident", (json_int_t)safety)),
                     CK_E_DENIED);
    assert_int_equal(world_command(world, "incident.acknowledge", &other,
                                   json_pack("{s:I}", "incident", (json_int_t)safety)),
                     0);

    /* It closes with a result alone. */
    assert_int_equal(world_command(world, "incident.conclude", &other,
                                   json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)safety,
                                             "conclusion", "no_action", "reason", "fine")),
                     CK_E_INVALID);
    assert_int_equal(world_command(world, "incident.conclude", &first,
                                   json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)safety,
                                             "conclusion", "safe", "reason", "fine")),
                     CK_E_DENIED);
    assert_int_equal(world_command(world, "incident.conclude", &other,
                                   json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)safety,
                                             "conclusion", "safe", "reason", "spoke with her")),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM conclusion WHERE checkin_id = 1"),
                     0);
    /* The officer who closed it does not take the other side, even afterwards. */
    assert_int_equal(world_command(world, "incident.acknowledge", &other,
                                   json_pack("{s:I, s:b, s:s}", "incident", (json_int_t)contact,
                                             "over", 1, "note", "both sides")),
                     CK_E_DENIED);
}

static void a_safety_check_passes_over_the_officer_on_the_other_side(void **state)
{
    struct world *world = *state;
    const struct ck_actor officer = world_staff(world, world->officer, CK_ROLE_OFFICER);
    top_band(world);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 30 * MINUTE + 1000);
    int64_t contact = world_number(world, "SELECT id FROM incident WHERE kind = 'no_contact'");
    assert_int_equal(world_command(world, "incident.acknowledge", &officer,
                                   json_pack("{s:I}", "incident", (json_int_t)contact)),
                     0);
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM notice n JOIN incident i ON i.id = n.incident_id "
             "WHERE i.kind = 'safety' AND n.staff_id = %lld",
             (long long)world->officer);
    int64_t before = world_number(world, sql);
    world_run_for(world, 20 * MINUTE);
    assert_int_equal(world_number(world, sql), before);
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM notice n JOIN incident i ON i.id = n.incident_id "
             "WHERE i.kind = 'safety' AND n.staff_id = %lld",
             (long long)world->supervisor);
    assert_true(world_number(world, sql) > 0);
}

static void who_comes_second_does_not_take_it_from_the_first_unawares(void **state)
{
    struct world *world = *state;
    const struct ck_actor first = world_staff(world, world->officer, CK_ROLE_OFFICER);
    const struct ck_actor second = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 30 * MINUTE + 1000);
    assert_int_equal(
        world_command(world, "incident.acknowledge", &first, json_pack("{s:i}", "incident", 1)), 0);
    assert_int_equal(
        world_command(world, "incident.acknowledge", &second, json_pack("{s:i}", "incident", 1)),
        CK_E_CONFLICT);
    assert_int_equal(world_number(world, "SELECT holder_id FROM incident WHERE id = 1"),
                     world->officer);
    assert_int_equal(
        world_command(world, "incident.acknowledge", &first, json_pack("{s:i}", "incident", 1)), 0);

    /* Knowing it, and saying why. */
    assert_int_equal(world_command(world, "incident.acknowledge", &second,
                                   json_pack("{s:i, s:b}", "incident", 1, "over", 1)),
                     CK_E_INVALID);
    assert_int_equal(world_command(world, "incident.acknowledge", &second,
                                   json_pack("{s:i, s:b, s:s}", "incident", 1, "over", 1, "note",
                                             "he does not answer his phone")),
                     0);
    assert_int_equal(world_number(world, "SELECT holder_id FROM incident WHERE id = 1"),
                     world->supervisor);
}

static void what_is_handed_on_climbs_at_once(void **state)
{
    struct world *world = *state;
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 30 * MINUTE + 1000);
    assert_int_equal(
        world_command(world, "incident.acknowledge", &inspector, json_pack("{s:i}", "incident", 1)),
        0);
    assert_int_equal(
        world_command(world, "incident.release", &inspector,
                      json_pack("{s:i, s:s}", "incident", 1, "reason", "end of shift")),
        0);
    assert_string_equal(world_text(world, "SELECT state FROM incident"), "open");
    assert_int_equal(world_command(world, "incident.escalate", &inspector,
                                   json_pack("{s:i, s:s}", "incident", 1, "reason", "not mine")),
                     0);
    world_run_for(world, 1000);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT what) FROM incident_line "
                                         "WHERE what IN ('released', 'escalated')"),
                     2);
}

static void where_nobody_can_be_reached_everybody_is_told(void **state)
{
    struct world *world = *state;
    world_plan(world, "09:10", NULL);
    /* All of them are away: no step has anybody. */
    world_execute(world,
                  "INSERT INTO absence (staff_id, from_local, until_local, from_at, until_at, "
                  "reason, by_staff, created_at) SELECT id, '2026-11-21 00:00', "
                  "'2026-11-23 00:00', 1795201200000, 1795374000000, 'leave', 1, 1795233600000 "
                  "FROM staff");
    world_run_for(world, 30 * MINUTE + 1000);
    assert_int_equal(world_count(world, CK_OUTPUT_NOBODY_REACHED), 1);
    assert_int_equal(world_count(world, CK_OUTPUT_ALARM), 0); /* it can write very well */
    const struct ck_output *output = world_last(world, CK_OUTPUT_NOBODY_REACHED);
    assert_int_equal(output->unit_id, world->unit);
    assert_int_equal(output->incident_id, 1);
    assert_string_equal(json_string_value(json_object_get(output->body, "path")), "/#/incidents/1");
    assert_int_equal(json_array_size(json_object_get(output->body, "roster")), 2);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident_line "
                                         "WHERE what = 'nobody_reached'"),
                     1);
    world_run_for(world, 10 * MINUTE); /* … until somebody takes it over */
    assert_int_equal(world_count(world, CK_OUTPUT_NOBODY_REACHED), 3);
    const struct ck_actor officer = world_staff(world, world->officer, CK_ROLE_OFFICER);
    assert_int_equal(
        world_command(world, "incident.acknowledge", &officer, json_pack("{s:i}", "incident", 1)),
        0);
    world_run_for(world, 10 * MINUTE);
    assert_int_equal(world_count(world, CK_OUTPUT_NOBODY_REACHED), 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_approved_ladder_is_the_one_of_the_next_incident),
        TEST(a_shorter_ladder_ends_a_long_wait),
        TEST(a_ladder_that_reaches_nobody_is_refused),
        cmocka_unit_test(requests_keep_every_ladder),
        TEST(accepted_is_not_delivered),
        TEST(who_has_taken_it_over_is_not_told_again),
        TEST(a_way_that_is_gone_is_no_way),
        TEST(the_check_says_what_is_wrong),
        TEST(who_is_named_is_told_and_nobody_else),
        TEST(only_who_may_act_is_named),
        TEST(who_comes_back_in_time_is_reached),
        TEST(quiet_hours_are_those_of_the_unit),
        TEST(quiet_hours_end_with_the_ladder_that_has_them),
        TEST(quiet_hours_end_with_the_clock_that_had_them),
        TEST(quiet_hours_go_with_the_zone_of_the_unit),
        TEST(a_wait_that_stays_the_same_is_no_news),
        TEST(quiet_hours_do_not_hold_what_is_wanted_by_hand),
        TEST(the_top_band_has_a_safety_check_beside_it),
        TEST(a_safety_check_passes_over_the_officer_on_the_other_side),
        TEST(who_comes_second_does_not_take_it_from_the_first_unawares),
        TEST(what_is_handed_on_climbs_at_once),
        TEST(where_nobody_can_be_reached_everybody_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
