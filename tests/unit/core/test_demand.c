/* What may be demanded of a person: orders, plans, on-demand checks, second checks, make-ups,
 * blackouts; and the longest silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/audit/audit.h"
#include "daemon/audit/draw_proof.h"
#include "daemon/cases/cases.h"
#include "daemon/core/overload.h"
#include "daemon/core/plan_preview.h"
#include "daemon/core/zones.h"
#include "protocol/base/text.h"
#include "world.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define STRETCH (6 * HOUR) /* after which what came out is forgotten */

static struct world world;
static struct ck_actor inspector, supervisor;

static int set_up(void **state)
{
    (void)state;
    world_open(&world);
    ck_cases_register(&world.registry);
    inspector = world_staff(&world, world.inspector, CK_ROLE_INSPECTOR);
    supervisor = world_staff(&world, world.supervisor, CK_ROLE_SUPERVISOR);
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
    while (ms > 0) {
        world_run_for(&world, ms < STRETCH ? ms : STRETCH);
        world_forget(&world);
        ms -= STRETCH;
    }
}

static int64_t count(const char *sql)
{
    return world_number(&world, sql);
}

/* An order with one requirement (or none: contacts 0). */
static int64_t order_from(const char *from, int contacts, int days, const char *mode, int per_day,
                          const char *until)
{
    json_t *requirements = json_array();
    if (contacts > 0) {
        json_array_append_new(requirements,
                              json_pack("{s:s, s:i, s:i, s:[s], s:b}", "source", "court", "count",
                                        contacts, "days", days, "modes", mode, "mandatory", 1));
    }
    assert_int_equal(
        world_command(&world, "order.create", &inspector,
                      json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:o}",
                                "person", (json_int_t)world.person, "kind", "protective_order",
                                "article", "20", "number", "9", "issuer", "court", "from", from,
                                "until", until, "conditions", "", "per_day_max", per_day,
                                "hours_start", "08:00", "hours_end", "22:00", "requirements",
                                requirements)),
        0);
    return json_integer_value(json_object_get(world.result.body, "id"));
}

/* One in place of the world's. */
static int64_t order(int contacts, int days, const char *mode, int per_day, const char *until)
{
    int64_t id = order_from("2026-11-01", contacts, days, mode, per_day, until);
    assert_int_equal(world_command(&world, "order.end", &inspector,
                                   json_pack("{s:I, s:s, s:s}", "order", (json_int_t)world.order,
                                             "date", "2026-11-21", "reason", "for the test")),
                     0);
    world.order = id;
    return id;
}

static json_t *request(const char *recurrence, const char *start, const char *end, int draws,
                       bool mandatory, json_t *more)
{
    json_t *made =
        json_pack("{s:I, s:s, s:b, s:s, s:s, s:[{s:s, s:s, s:i}], s:i, s:i, s:i, s:i, s:i}",
                  "order_id", (json_int_t)world.order, "kind", "live", "mandatory", (int)mandatory,
                  "recurrence", recurrence, "first_date", "2026-11-21", "windows", "start", start,
                  "end", end, "draws", draws, "attempts", 3, "attempt_spacing_s", 300,
                  "response_window_s", 900, "grace_s", 300, "late_limit_s", 3600);
    if (more != NULL) {
        json_object_update(made, more);
        json_decref(more);
    }
    return made;
}

static int make(json_t *request)
{
    return world_command(
        &world, "plan.create", &inspector,
        json_pack("{s:I, s:o}", "person", (json_int_t)world.person, "request", request));
}

static int64_t made(json_t *request)
{
    int r = make(request);
    if (r != 0) {
        fail_msg("%s: %s", world.result.refusal.field, world.result.refusal.message);
    }
    return json_integer_value(json_object_get(world.result.body, "plan"));
}

static int on_demand(json_t *more)
{
    json_t *body = json_pack("{s:I, s:s, s:s}", "person", (json_int_t)world.person, "reason", "r",
                             "kind", "live");
    if (more != NULL) {
        json_object_update(body, more);
        json_decref(more);
    }
    return world_command(&world, "checkin.on_demand", &inspector, body);
}

static void answer(int64_t id)
{
    const struct ck_actor person = world_person(&world, id);
    assert_int_equal(world_command(&world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    assert_int_equal(world_command(&world, "checkin.joined", &person,
                                   json_pack("{s:I}", "checkin", (json_int_t)id)),
                     0);
    assert_int_equal(world_command(&world, "checkin.inspector_took", &inspector,
                                   json_pack("{s:I}", "checkin", (json_int_t)id)),
                     0);
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    assert_int_equal(
        world_command(&world, "checkin.fact", &worker,
                      json_pack("{s:I, s:s}", "checkin", (json_int_t)id, "fact", "first_frame")),
        0);
    assert_int_equal(
        world_command(&world, "checkin.call_ended", &inspector,
                      json_pack("{s:I, s:s}", "checkin", (json_int_t)id, "reason", "staff_ended")),
        0);
    assert_int_equal(
        world_command(&world, "checkin.outcome", &inspector,
                      json_pack("{s:I, s:s, s:b, s:[], s:s}", "checkin", (json_int_t)id, "result",
                                "completed", "identity_confirmed", 1, "behaviours", "note", "")),
        0);
}

/* ---- plans ---- */

static void a_plan_beyond_the_order_is_refused_with_the_reason(void **state)
{
    (void)state;
    order(2, 7, "live", 3, "2027-11-01");
    assert_int_equal(make(request("FREQ=DAILY", "18:00", "20:00", 1, true, NULL)), CK_E_INVALID);
    assert_string_equal(world.result.refusal.field, "recurrence");
    assert_string_equal(world.result.refusal.message,
                        "more mandatory contacts than the order says, first from 2026-11-17 on: 3 "
                        "in 7 days, 2 are allowed");
    assert_int_equal(make(request("FREQ=WEEKLY;BYDAY=MO", "06:00", "07:30", 1, true, NULL)),
                     CK_E_INVALID);
    assert_string_equal(world.result.refusal.field, "windows");
    assert_non_null(strstr(world.result.refusal.message, "08:00 to 22:00"));
    assert_int_equal(make(request("FREQ=WEEKLY;BYDAY=MO", "18:00", "20:00", 1, true,
                                  json_pack("{s:s}", "kind", "unattended"))),
                     CK_E_INVALID);
    assert_string_equal(world.result.refusal.field, "mandatory");
    assert_int_equal(count("SELECT count(*) FROM plan"), 0);
    made(request("FREQ=WEEKLY;BYDAY=MO,TH", "18:00", "20:00", 1, true, NULL));
    /* Two plans are measured together. */
    assert_int_equal(make(request("FREQ=WEEKLY;BYDAY=FR", "10:00", "12:00", 1, true, NULL)),
                     CK_E_INVALID);
    made(request("FREQ=WEEKLY;BYDAY=FR", "10:00", "12:00", 1, false, NULL));
}

/* Once in seven days, and it was had today: neither another plan nor one made anew gets a second.
 */
static void a_plan_is_measured_with_what_was_made(void **state)
{
    (void)state;
    order(1, 7, "live", 3, "2027-11-01");
    int64_t first = made(request("FREQ=WEEKLY;BYDAY=SA", "10:00", "12:00", 1, true, NULL));
    run_for(2 * HOUR);
    int64_t id = count("SELECT id FROM checkin WHERE state = 'ringing'");
    for (int i = 0; id == 0 && i < 60; i++) {
        run_for(2 * MINUTE);
        id = count("SELECT id FROM checkin WHERE state = 'ringing'");
    }
    answer(id);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'completed'"), 1);
    json_t *replaces = json_pack("{s:I}", "replaces", (json_int_t)first);
    assert_int_equal(
        make(request("FREQ=WEEKLY;BYDAY=WE", "10:00", "12:00", 1, true, json_incref(replaces))),
        CK_E_INVALID);
    assert_string_equal(world.result.refusal.message,
                        "more mandatory contacts than the order says, first from 2026-11-19 on: 2 "
                        "in 7 days, 1 are allowed");
    assert_int_equal(
        world_command(&world, "plan.end", &inspector,
                      json_pack("{s:I, s:s}", "plan", (json_int_t)first, "reason", "moved")),
        0);
    assert_int_equal(make(request("FREQ=WEEKLY;BYDAY=WE", "10:00", "12:00", 1, true, NULL)),
                     CK_E_INVALID);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state <> 'done'"), 0);
    made(request("FREQ=WEEKLY;BYDAY=WE", "10:00", "12:00", 1, true,
                 json_pack("{s:s}", "first_date", "2026-11-28")));
    json_decref(replaces);
}

/* Two orders, one contact a day under each: together they are two. */
static void the_number_of_a_day_is_of_all_orders(void **state)
{
    (void)state;
    order(1, 1, "live", 1, "2027-11-01");
    made(request("FREQ=DAILY", "10:00", "12:00", 1, true, NULL));
    assert_int_equal(
        world_command(
            &world, "order.create", &inspector,
            json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:[{s:s, s:i, s:i, "
                      "s:[s], s:b}]}",
                      "person", (json_int_t)world.person, "kind", "protective_order", "article",
                      "20", "number", "10", "issuer", "court", "from", "2026-11-01", "until",
                      "2027-11-01", "conditions", "", "per_day_max", 3, "hours_start", "08:00",
                      "hours_end", "22:00", "requirements", "source", "court", "count", 1, "days",
                      1, "modes", "live", "mandatory", 1)),
        0);
    world.order = json_integer_value(json_object_get(world.result.body, "id"));
    assert_int_equal(make(request("FREQ=DAILY", "18:00", "20:00", 1, true, NULL)), CK_E_INVALID);
    assert_non_null(strstr(world.result.refusal.message, "2 on one day, 1 are allowed"));
}

static void an_order_without_requirements_has_voluntary_plans_only(void **state)
{
    (void)state;
    order(0, 0, NULL, 1, "2027-11-01");
    assert_int_equal(make(request("FREQ=DAILY", "18:00", "20:00", 1, true, NULL)), CK_E_INVALID);
    assert_string_equal(world.result.refusal.field, "mandatory");
    made(request("FREQ=DAILY", "09:30", "10:30", 1, false, NULL));
    /* Nobody answers; and nothing comes of it that could be held against the person. */
    run_for(3 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'no_answer'"), 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE person_id IS NOT NULL"), 0);
    int64_t id = count("SELECT id FROM checkin WHERE outcome = 'no_answer'");
    assert_int_equal(world_command(&world, "checkin.conclude", &inspector,
                                   json_pack("{s:I, s:s, s:s}", "checkin", (json_int_t)id,
                                             "conclusion", "breach", "reason", "x")),
                     CK_E_INVALID);
    /* One contact a day, and it had that one: none on demand. */
    assert_int_equal(on_demand(NULL), CK_E_CONFLICT);
}

static void a_plan_takes_the_place_of_another(void **state)
{
    (void)state;
    order(1, 1, "live", 1, "2027-11-01");
    int64_t first = made(request("FREQ=DAILY", "18:00", "20:00", 1, true, NULL));
    assert_int_equal(make(request("FREQ=DAILY", "10:00", "12:00", 1, true, NULL)), CK_E_INVALID);
    int64_t second = made(request("FREQ=DAILY", "10:00", "12:00", 1, true,
                                  json_pack("{s:I}", "replaces", (json_int_t)first)));
    assert_int_equal(count("SELECT count(*) FROM plan WHERE state = 'active'"), 1);
    assert_true(second > first);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE plan_id = 1 AND outcome IS NULL"),
                     0);
    /* Where the old one has begun today, the new one begins tomorrow: no date is owed twice. */
    run_for(4 * HOUR); /* 13:00: the second has had its check-in */
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE plan_id = 2 AND "
                           "local_date = '2026-11-21' AND outcome IS NOT NULL"),
                     1);
    made(request("FREQ=DAILY", "18:00", "20:00", 1, true,
                 json_pack("{s:I}", "replaces", (json_int_t)second)));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE plan_id = 3 AND "
                           "local_date = '2026-11-21'"),
                     0);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE plan_id = 3 AND "
                           "local_date = '2026-11-22'"),
                     1);
}

/* The new one begins tomorrow, for its hours of today are over: this evening's is still owed under
 * the old one, which then ends by itself; and so it is until a first date further away. */
static void the_plan_that_goes_serves_until_the_next_begins(void **state)
{
    (void)state;
    order(1, 1, "live", 1, "2027-11-01");
    int64_t first = made(request("FREQ=DAILY", "18:00", "20:00", 1, false, NULL));
    run_for(4 * HOUR);
    int64_t second = made(request("FREQ=DAILY", "10:00", "12:00", 1, false,
                                  json_pack("{s:I}", "replaces", (json_int_t)first)));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE plan_id = 1 AND outcome IS NULL"),
                     1);
    assert_int_equal(count("SELECT count(DISTINCT local_date) FROM checkin WHERE outcome IS NULL"),
                     15);
    run_for(9 * HOUR); /* 22:00 */
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE plan_id = 1 AND outcome = "
                           "'no_answer' AND local_date = '2026-11-21'"),
                     1);
    made(request(
        "FREQ=DAILY", "18:00", "20:00", 1, false,
        json_pack("{s:I, s:s}", "replaces", (json_int_t)second, "first_date", "2026-12-10")));
    assert_int_equal(world_records(&world, "PLAN_ENDED"), 0);
    run_for(26 * HOUR); /* 23rd, 00:00: the first is over */
    assert_int_equal(world_records(&world, "PLAN_ENDED"), 1);
    assert_string_equal(world_text(&world, "SELECT state FROM plan WHERE id = 1"), "ended");
    run_for(19 * DAY); /* 12th, and the second as well */
    assert_int_equal(world_records(&world, "PLAN_ENDED"), 2);
    assert_int_equal(count("SELECT count(DISTINCT local_date) FROM checkin WHERE local_date "
                           "BETWEEN '2026-11-21' AND '2026-12-11' AND outcome IS NOT 'waived' AND "
                           "make_up_of IS NULL"),
                     21);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE plan_id = 2 AND local_date >= "
                           "'2026-12-10'"),
                     0);
}

/* Its window goes on, but its fixed time is over; or there is no minute left to draw from. */
static void a_plan_that_can_ask_nothing_more_today_begins_tomorrow(void **state)
{
    (void)state;
    order(1, 1, "live", 1, "2027-11-01");
    int64_t plan = made(request("FREQ=DAILY", "18:00", "20:00", 1, true, NULL)); /* 09:00 */
    plan = made(request("FREQ=DAILY", "08:30", "20:00", 0, true,
                        json_pack("{s:I}", "replaces", (json_int_t)plan)));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE plan_id = 1 AND outcome IS NULL AND "
                           "local_date = '2026-11-21'"),
                     1);
    assert_string_equal(world_text(&world, "SELECT begins_date FROM plan WHERE id = 2"),
                        "2026-11-22");
    run_for(2 * HOUR + 39 * MINUTE + 30 * INT64_C(1000));
    made(request("FREQ=DAILY", "08:00", "12:00", 1, true,
                 json_pack("{s:I}", "replaces", (json_int_t)plan)));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome IS NULL AND local_date = "
                           "'2026-11-21'"),
                     1);
}

/* The order of the new one is not in force yet: until it is, the other plan serves. */
static void the_plan_that_goes_serves_until_the_next_order(void **state)
{
    (void)state;
    int64_t first = made(request("FREQ=DAILY", "18:00", "20:00", 1, false, NULL));
    world.order = order_from("2026-12-10", 1, 1, "live", 2, "2027-11-01");
    made(request("FREQ=DAILY", "10:00", "12:00", 1, false,
                 json_pack("{s:I}", "replaces", (json_int_t)first)));
    assert_int_equal(count("SELECT count(*) FROM plan WHERE until_date = '2026-12-09'"), 1);
    run_for(21 * DAY); /* 12 December */
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE plan_id = 1 AND local_date BETWEEN "
                           "'2026-11-21' AND '2026-12-09' AND outcome IS NOT 'waived' AND "
                           "make_up_of IS NULL"),
                     19);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE plan_id = 1 AND local_date >= "
                           "'2026-12-10'"),
                     0);
    assert_string_equal(world_text(&world, "SELECT min(local_date) FROM checkin WHERE plan_id = 2"),
                        "2026-12-10");
}

static void assert_no_dates(json_t *asked)
{
    assert_int_equal(make(asked), CK_E_INVALID);
    assert_string_equal(world.result.refusal.field, "recurrence");
    assert_string_equal(world.result.refusal.message,
                        "all dates of the rule lie before the plan would begin");
}

/* One that would never demand anything takes no place: nobody would serve. */
static void a_plan_whose_dates_are_over_takes_no_place(void **state)
{
    (void)state;
    const char *once = "FREQ=DAILY;COUNT=1";
    int64_t first = made(request("FREQ=DAILY", "18:00", "20:00", 1, true, NULL));
    assert_no_dates(request(
        "FREQ=DAILY;COUNT=3", "10:00", "12:00", 1, true,
        json_pack("{s:I, s:s}", "replaces", (json_int_t)first, "first_date", "2026-11-10")));
    assert_int_equal(count("SELECT count(*) FROM plan WHERE state = 'active' AND until_date IS "
                           "NULL"),
                     1);
    run_for(4 * HOUR); /* 13:00: the time of its only date is over */
    assert_no_dates(request(once, "10:00", "12:00", 1, false, NULL));
    made(request("FREQ=DAILY;COUNT=2", "10:00", "12:00", 1, false, NULL));
    run_for(7 * HOUR + 15 * MINUTE); /* the plan that serves has begun the day */
    assert_no_dates(request(once, "21:00", "21:55", 1, true,
                            json_pack("{s:I}", "replaces", (json_int_t)first)));
    made(request(once, "21:00", "21:55", 1, false, NULL));
}

static void a_plan_gives_its_place_to_one_other(void **state)
{
    (void)state;
    int64_t first = made(request("FREQ=DAILY", "18:00", "20:00", 1, true, NULL));
    made(request(
        "FREQ=DAILY", "10:00", "12:00", 1, true,
        json_pack("{s:I, s:s}", "replaces", (json_int_t)first, "first_date", "2026-12-10")));
    assert_int_equal(make(request("FREQ=DAILY", "10:00", "12:00", 1, true,
                                  json_pack("{s:I, s:s}", "replaces", (json_int_t)first,
                                            "first_date", "2026-12-20"))),
                     CK_E_CONFLICT);
    assert_string_equal(world.result.refusal.field, "replaces");
    assert_string_equal(world.result.refusal.message, "another plan takes its place");
    assert_int_equal(count("SELECT count(*) FROM plan WHERE until_date = '2026-12-09'"), 1);
}

/* Every date from `from` on is another's now, none is more or less: what a preview says. */
static void assert_preview(json_t *third, const char *from)
{
    json_t *preview = NULL;
    struct ck_refusal refusal;
    assert_int_equal(ck_plan_preview(world.reader, CK_ZONE_DIR, world.person, third, world.now.wall,
                                     &preview, &refusal),
                     0);
    const json_t *list = json_object_get(preview, "differences"), *one;
    size_t i;
    assert_true(json_is_null(json_object_get(preview, "refused")));
    assert_true(json_array_size(list) > 14);
    json_array_foreach(list, i, one)
    {
        assert_string_equal(json_string_value(json_object_get(one, "what")), "changed");
    }
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "date")), from);
    json_decref(preview);
}

static void assert_first_window(json_t *asked, const char *date)
{
    json_t *preview = NULL;
    struct ck_refusal refusal;
    assert_int_equal(ck_plan_preview(world.reader, CK_ZONE_DIR, world.person, asked, world.now.wall,
                                     &preview, &refusal),
                     0);
    const json_t *window = json_array_get(json_object_get(preview, "windows"), 0);
    assert_string_equal(json_string_value(json_object_get(window, "date")), date);
    json_decref(preview);
    json_decref(asked);
}

/* Nor one of a date that the plan which goes still serves. */
static void a_preview_names_no_window_that_is_over(void **state)
{
    (void)state;
    /* 09:00 */
    assert_first_window(request("FREQ=DAILY", "09:01", "12:00", 0, true, NULL), "2026-11-21");
    assert_first_window(request("FREQ=DAILY", "08:59", "12:00", 0, true, NULL), "2026-11-22");
    assert_first_window(request("FREQ=DAILY", "08:00", "12:00", 1, true, NULL), "2026-11-21");
    /* A quarter of an hour for the answer, five minutes of grace, and one to draw from. */
    run_for(2 * HOUR + 39 * MINUTE);
    assert_first_window(request("FREQ=DAILY", "08:00", "12:00", 1, true, NULL), "2026-11-21");
    int64_t serving = made(request("FREQ=DAILY", "11:40", "12:30", 0, true, NULL));
    run_for(2 * MINUTE);
    assert_first_window(request("FREQ=DAILY", "08:00", "12:00", 1, true, NULL), "2026-11-22");
    assert_first_window(request("FREQ=DAILY", "18:00", "20:00", 1, true,
                                json_pack("{s:I}", "replaces", (json_int_t)serving)),
                        "2026-11-22");
}

/* One contact a day is allowed. Neither what the waiting plan has drawn nor what the serving one
 * has drawn until then stands against a third that comes before. */
static void one_that_comes_before_is_measured_without_those_that_go(void **state)
{
    (void)state;
    order(1, 1, "live", 1, "2027-11-01");
    int64_t first = made(request("FREQ=DAILY", "18:00", "20:00", 1, true, NULL));
    int64_t next = made(request(
        "FREQ=DAILY", "10:00", "12:00", 1, true,
        json_pack("{s:I, s:s}", "replaces", (json_int_t)first, "first_date", "2026-11-27")));
    json_t *more =
        json_pack("{s:I, s:s}", "replaces", (json_int_t)next, "first_date", "2026-11-24");
    json_t *third = request("FREQ=DAILY", "14:00", "16:00", 1, true, more);
    assert_preview(third, "2026-11-24");
    made(third);
    assert_string_equal(world_text(&world, "SELECT until_date FROM plan WHERE id = 1"),
                        "2026-11-23");
    assert_int_equal(count("SELECT max(n) FROM (SELECT count(*) AS n FROM checkin WHERE outcome "
                           "IS NULL GROUP BY local_date)"),
                     1);
    assert_int_equal(count("SELECT count(DISTINCT local_date) FROM checkin WHERE outcome IS NULL"),
                     15);
}

static void dates_beside_the_rule_and_out_of_it(void **state)
{
    (void)state;
    made(request("FREQ=MONTHLY;BYDAY=-1MO", "18:00", "20:00", 1, true,
                 json_pack("{s:[s, s], s:[s]}", "extra_dates", "2026-11-24", "2026-11-26",
                           "except_dates", "2026-11-30")));
    assert_int_equal(count("SELECT count(*) FROM checkin"), 2);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date IN ('2026-11-24', "
                           "'2026-11-26')"),
                     2);
}

/* ---- on demand ---- */

static void an_on_demand_check_obeys_the_hours_and_caps(void **state)
{
    (void)state;
    order(1, 7, "live", 2, "2027-11-01");
    /* A duty while there is room for one. */
    assert_int_equal(on_demand(NULL), 0);
    assert_int_equal(count("SELECT mandatory FROM checkin"), 1);
    run_for(2 * HOUR);
    /* No room for another duty: refused where it must be one, otherwise voluntary. */
    assert_int_equal(on_demand(json_pack("{s:b}", "mandatory", 1)), CK_E_CONFLICT);
    assert_string_equal(world.result.refusal.field, "mandatory");
    assert_string_equal(world.result.refusal.message,
                        "more mandatory contacts than the order says");
    assert_int_equal(on_demand(NULL), 0);
    assert_int_equal(count("SELECT mandatory FROM checkin ORDER BY id DESC LIMIT 1"), 0);
    run_for(2 * HOUR);
    /* Two contacts a day, whatever they are called. */
    assert_int_equal(on_demand(json_pack("{s:b}", "mandatory", 0)), CK_E_CONFLICT);
    assert_string_equal(world.result.refusal.message, "more contacts on one day than are allowed");
    world.healthy = false; /* nothing of it matters to what follows */
    run_for(10 * HOUR);    /* 23:00 */
    assert_int_equal(on_demand(NULL), CK_E_CONFLICT);
    assert_string_equal(world.result.refusal.message, "outside the hours that the order allows");
}

/* 23:55 where any hour is allowed: its answer is waited for beyond midnight. */
static void any_hour_goes_on_over_midnight(void **state)
{
    (void)state;
    order(3, 1, "live", 3, "2027-11-01");
    world_execute(&world, "UPDATE contact_order SET hours_start = '00:00', hours_end = '00:00'");
    run_for(14 * HOUR + 55 * MINUTE);
    assert_int_equal(on_demand(NULL), 0);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date = '2026-11-21'"), 1);
    made(request("FREQ=DAILY", "23:50", "00:30", 0, true, NULL));
    run_for(24 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date = '2026-11-22' AND "
                           "outcome IS NULL"),
                     1);
}

/* … but not beyond the order. */
static void any_hour_ends_with_the_order(void **state)
{
    (void)state;
    order(3, 1, "live", 3, "2026-11-23");
    world_execute(&world, "UPDATE contact_order SET hours_start = '00:00', hours_end = '00:00'");
    made(request("FREQ=DAILY", "23:50", "00:30", 0, true, NULL));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date <= '2026-11-22'"), 2);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date > '2026-11-22'"), 0);
}

static void what_the_plans_will_make_counts_too(void **state)
{
    (void)state;
    order(1, 28, "live", 3, "2027-11-01");
    made(request("FREQ=MONTHLY;BYMONTHDAY=18", "18:00", "20:00", 1, true, NULL));
    assert_int_equal(count("SELECT count(*) FROM checkin"), 0); /* beyond the horizon */
    assert_int_equal(on_demand(json_pack("{s:b}", "mandatory", 1)), CK_E_CONFLICT);
}

static void what_failed_through_us_does_not_count(void **state)
{
    (void)state;
    order(1, 7, "live", 1, "2027-11-01");
    world.channels_up = false; /* no notice gets through: ours */
    assert_int_equal(on_demand(NULL), 0);
    run_for(2 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'system_fault'"), 1);
    world.channels_up = true;
    assert_int_equal(on_demand(json_pack("{s:b}", "mandatory", 1)), 0);
}

/* S14: what was missed and is still waited for holds nobody up; a call does, and a check on demand
 * waits for its end no longer than calls are allowed. */
static void a_miss_holds_nobody_up_and_a_call_no_longer_than_the_hours(void **state)
{
    (void)state;
    order(8, 1, "live", 8, "2027-11-01");
    assert_int_equal(on_demand(NULL), 0);
    run_for(HOUR);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE id = 1 AND state = 'ringing' AND "
                           "next_what = 'late_limit'"),
                     1);
    assert_int_equal(on_demand(NULL), 0);
    assert_string_equal(json_string_value(json_object_get(world.result.body, "state")), "ringing");
    /* The person comes to the first one: nobody rings into that call, and it is no second miss. */
    const struct ck_actor person = world_person(&world, 1);
    assert_int_equal(world_command(&world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    assert_int_equal(world_command(&world, "checkin.joined", &person,
                                   json_pack("{s:i, s:s}", "checkin", 1, "device", "same")),
                     0);
    assert_int_equal(world_command(&world, "checkin.inspector_took", &inspector,
                                   json_pack("{s:i}", "checkin", 1)),
                     0);
    int64_t rung = count("SELECT attempt FROM checkin WHERE id = 2");
    run_for(50 * MINUTE);
    assert_int_equal(count("SELECT attempt FROM checkin WHERE id = 2"), rung);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE checkin_id = 2"), 0);
    /* Another one asked for now waits for the call; at 22:00 it may not ring any more. */
    assert_int_equal(on_demand(NULL), 0);
    assert_string_equal(json_string_value(json_object_get(world.result.body, "state")), "armed");
    world_execute(&world, "UPDATE checkin SET window_end_at = 1 WHERE id = 3");
    run_for(3 * HOUR);
    assert_string_equal(world_text(&world, "SELECT outcome FROM checkin WHERE id = 3"),
                        "system_fault");
    assert_int_equal(count("SELECT attempt FROM checkin WHERE id = 3"), 0);
    assert_int_equal(count("SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE "
                           "'%\"CHECKIN_OUTCOME\"%\"cause\":\"overlapped\"%'"),
                     1);
}

/* ---- the end of an order ---- */

static void an_order_ends_on_its_date_and_its_plans_with_it(void **state)
{
    (void)state;
    int64_t plan = made(request("FREQ=DAILY", "10:00", "12:00", 1, true, NULL));
    assert_int_equal(world_command(&world, "order.end", &inspector,
                                   json_pack("{s:I, s:s, s:s}", "order", (json_int_t)world.order,
                                             "date", "2026-11-23", "reason", "lifted")),
                     0);
    assert_int_equal(count("SELECT count(*) FROM plan WHERE state = 'active'"), 1);
    assert_int_equal(world_records(&world, "PLAN_ENDED"), 0);
    world.healthy = false;
    run_for(39 * HOUR - 1); /* 22nd, 23:59 */
    assert_int_equal(count("SELECT count(*) FROM plan WHERE state = 'active'"), 1);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date <= '2026-11-22' AND "
                           "outcome IS NOT NULL AND make_up_of IS NULL"),
                     2);
    run_for(1);
    assert_int_equal(count("SELECT count(*) FROM plan WHERE state = 'active'"), 0);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome IS NULL"), 0);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date > '2026-11-22' AND "
                           "outcome <> 'waived'"),
                     0);
    assert_int_equal(world_records(&world, "ORDER_OVER"), 1);
    assert_true(plan > 0);
    assert_int_equal(on_demand(json_pack("{s:b}", "mandatory", 1)), CK_E_CONFLICT);
}

static void an_order_that_runs_out_ends_its_plans(void **state)
{
    (void)state;
    order(1, 1, "live", 3, "2026-11-22");
    made(request("FREQ=DAILY", "10:00", "12:00", 1, true, NULL));
    assert_int_equal(count("SELECT count(*) FROM checkin"), 2);
    world.healthy = false;
    run_for(40 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM plan WHERE state = 'active'"), 0);
    assert_int_equal(world_command(&world, "order.end", &inspector,
                                   json_pack("{s:I, s:s, s:s}", "order", (json_int_t)world.order,
                                             "date", "2026-12-23", "reason", "x")),
                     CK_E_CONFLICT);
}

/* ---- video in the place of visits ---- */

static int propose_replaces(const struct ck_actor *actor, int64_t requirement, const char *citation)
{
    return world_command(&world, "approval.propose", actor,
                         json_pack("{s:s, s:I, s:s, s:{s:I, s:I, s:s}}", "kind", "order.replaces",
                                   "person", (json_int_t)world.person, "reason", "far away",
                                   "request", "order", (json_int_t)world.order, "requirement",
                                   (json_int_t)requirement, "citation", citation));
}

static void video_replaces_visits_only_with_a_citation_and_two_persons(void **state)
{
    (void)state;
    int64_t requirement = count("SELECT id FROM requirement");
    assert_int_equal(count("SELECT replaces FROM requirement"), 0);
    assert_int_equal(propose_replaces(&supervisor, requirement, ""), CK_E_INVALID);
    assert_int_equal(propose_replaces(&supervisor, requirement + 1, "art. 61"), CK_E_INVALID);
    assert_int_equal(propose_replaces(&supervisor, requirement, "art. 61, part 3"), 0);
    int64_t id = json_integer_value(json_object_get(world.result.body, "id"));
    assert_int_equal(world_command(&world, "approval.decide", &supervisor,
                                   json_pack("{s:I, s:b, s:s}", "approval", (json_int_t)id,
                                             "approve", 1, "reason", "x")),
                     CK_E_DENIED);
    assert_int_equal(count("SELECT replaces FROM requirement"), 0);
    const struct ck_actor second = world_staff(&world, world.officer, CK_ROLE_SUPERVISOR);
    assert_int_equal(world_command(&world, "approval.decide", &second,
                                   json_pack("{s:I, s:b, s:s}", "approval", (json_int_t)id,
                                             "approve", 1, "reason", "x")),
                     0);
    assert_int_equal(count("SELECT replaces FROM requirement"), 1);
    assert_int_equal(count("SELECT proposer_id FROM requirement"), world.supervisor);
    assert_int_equal(count("SELECT approver_id FROM requirement"), world.officer);
    assert_int_equal(world_records(&world, "ORDER_VIDEO_REPLACES"), 1);
    made(request("FREQ=DAILY", "10:00", "12:00", 1, true, NULL)); /* and such an order is sound */
}

/* ---- blackouts ---- */

static int blackout(const char *source, const char *from, const char *until)
{
    return world_command(&world, "blackout.create", &inspector,
                         json_pack("{s:I, s:s, s:s, s:s, s:s}", "person", (json_int_t)world.person,
                                   "source", source, "from", from, "until", until, "reason",
                                   "surgery"));
}

/* The same with an approver; the number of the approval. */
static int64_t proposed_blackout(const char *source, const char *from, const char *until)
{
    assert_int_equal(
        world_command(&world, "approval.propose", &inspector,
                      json_pack("{s:s, s:I, s:s, s:{s:s, s:s, s:s, s:s}}", "kind",
                                "blackout.absence", "person", (json_int_t)world.person, "reason",
                                "a funeral", "request", "source", source, "from", from, "until",
                                until, "reason", "a funeral in another town")),
        0);
    return json_integer_value(json_object_get(world.result.body, "id"));
}

static void approve(int64_t id)
{
    assert_int_equal(world_command(&world, "approval.decide", &supervisor,
                                   json_pack("{s:I, s:b, s:s}", "approval", (json_int_t)id,
                                             "approve", 1, "reason", "seen")),
                     0);
}

static void a_blackout_waives_what_lies_in_it(void **state)
{
    (void)state;
    world.healthy = false;
    made(request("FREQ=DAILY", "10:00", "12:00", 1, true,
                 json_pack("{s:s}", "first_date", "2026-11-22")));
    /* 22nd and 23rd, local time. */
    assert_int_equal(blackout("hospital", "2026-11-21T19:00:00Z", "2026-11-23T19:00:00Z"), 0);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'waived'"), 2);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'waived' AND local_date "
                           "IN ('2026-11-22', '2026-11-23')"),
                     2);
    /* Nothing is demanded while it lasts. */
    run_for(DAY);
    assert_int_equal(on_demand(NULL), CK_E_CONFLICT);
    assert_non_null(strstr(world.result.refusal.message, "hospital"));
    /* And dates that come into the horizon later are waived as they are made. */
    approve(proposed_blackout("custody", "2026-11-25T00:00:00Z", "2026-12-20T00:00:00Z"));
    int64_t last = count("SELECT count(*) FROM checkin");
    run_for(DAY);
    assert_int_equal(count("SELECT count(*) FROM checkin"), last + 1);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date BETWEEN '2026-11-26' AND "
                           "'2026-12-19' AND outcome IS NOT 'waived'"),
                     0);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'no_contact'"), 0);
}

static void a_blackout_that_is_entered_late_excuses(void **state)
{
    (void)state;
    made(request("FREQ=DAILY", "10:00", "12:00", 1, true, NULL));
    run_for(4 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'no_answer'"), 1);
    assert_int_equal(blackout("hospital", "2026-11-21T00:00:00Z", "2026-11-21T19:00:00Z"), 0);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'no_answer'"), 1);
    assert_int_equal(count("SELECT count(*) FROM conclusion WHERE conclusion = 'excused'"), 1);
}

/* An hour in which nothing runs. */
static void an_outage(void)
{
    world.now.wall.ms += HOUR;
    world.now.mono.us += HOUR * 1000;
    world_restart(&world);
    world_run_for(&world, MINUTE);
}

/* What was due before the hearing, and would ring in it now, is ours: it is made up for after it.
 */
static void nobody_is_rung_late_into_a_blackout(void **state)
{
    (void)state;
    made(request("FREQ=DAILY", "10:00", "18:00", 0, true, NULL));
    assert_int_equal(blackout("court", "2026-11-21T05:20:00Z", "2026-11-21T07:00:00Z"), 0);
    run_for(50 * MINUTE);
    an_outage(); /* 10:50: the hearing began at 10:20 */
    assert_int_equal(count("SELECT count(*) FROM attempt"), 0);
    assert_string_equal(world_text(&world, "SELECT outcome FROM checkin WHERE id = 1"),
                        "system_fault");
    assert_int_equal(count("SELECT due_at >= unixepoch('2026-11-21T07:00:00Z') * 1000 FROM checkin "
                           "WHERE make_up_of = 1 AND local_date = '2026-11-21'"),
                     1);
}

static void a_blackout_excuses_what_rang_late_in_it(void **state)
{
    (void)state;
    made(request("FREQ=DAILY", "10:00", "18:00", 0, true, NULL));
    run_for(50 * MINUTE);
    an_outage(); /* 10:50 */
    run_for(2 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'no_answer'"), 1);
    assert_int_equal(blackout("court", "2026-11-21T05:40:00Z", "2026-11-21T07:00:00Z"), 0);
    assert_int_equal(count("SELECT count(*) FROM conclusion WHERE conclusion = 'excused'"), 1);
}

static void an_absence_needs_a_second_person(void **state)
{
    (void)state;
    made(request("FREQ=DAILY", "10:00", "12:00", 1, true, NULL));
    assert_int_equal(blackout("absence", "2026-11-21T19:00:00Z", "2026-11-22T19:00:00Z"),
                     CK_E_INVALID);
    int64_t id = proposed_blackout("absence", "2026-11-21T19:00:00Z", "2026-11-22T19:00:00Z");
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'waived'"), 0);
    approve(id);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'waived'"), 1);
    assert_int_equal(count("SELECT approver_id FROM blackout"), world.supervisor);
    assert_int_equal(count("SELECT by_staff FROM blackout"), world.inspector);
}

/* A fact that cannot wait is entered by one person, for a week. */
static void more_than_a_week_needs_a_second_person(void **state)
{
    (void)state;
    assert_int_equal(blackout("custody", "2026-11-21T19:00:00Z", "2026-11-28T19:00:01Z"),
                     CK_E_INVALID);
    assert_non_null(strstr(world.result.refusal.message, "approved by another"));
    assert_int_equal(blackout("custody", "2026-11-21T19:00:00Z", "2026-11-28T19:00:00Z"), 0);
    approve(proposed_blackout("custody", "2026-11-28T19:00:00Z", "2027-01-28T19:00:00Z"));
    assert_int_equal(count("SELECT count(*) FROM blackout WHERE source = 'custody'"), 2);
}

/* ---- the longest silence ---- */

static void silence_is_alarmed_once_and_contact_ends_it(void **state)
{
    (void)state;
    made(request("FREQ=WEEKLY;BYDAY=FR", "10:00", "12:00", 1, true,
                 json_pack("{s:i}", "max_silence_s", 36 * 3600)));
    world.healthy = false;
    run_for(36 * HOUR - 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'silence'"), 0);
    run_for(1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'silence'"), 1);
    run_for(12 * HOUR); /* 23rd, 09:00 */
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'silence'"), 1);
    assert_int_equal(on_demand(NULL), 0);
    answer(count("SELECT max(id) FROM checkin"));
    run_for(36 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'silence'"), 1);
    assert_int_equal(world_records(&world, "PERSON_SILENCE"), 2);
}

static int64_t silences(void)
{
    return count("SELECT count(*) FROM incident WHERE kind = 'silence'");
}

/* Closed without anybody having had contact: alarmed again 36 hours after that, and again. */
static void a_silence_that_is_closed_is_alarmed_again(void **state)
{
    (void)state;
    made(request("FREQ=WEEKLY;BYDAY=FR", "10:00", "12:00", 1, true,
                 json_pack("{s:i}", "max_silence_s", 36 * 3600)));
    world.healthy = false;
    run_for(40 * HOUR);
    for (int closed = 1; closed <= 2; closed++) {
        assert_int_equal(silences(), closed);
        int64_t id = count("SELECT max(id) FROM incident WHERE kind = 'silence'");
        assert_int_equal(world_command(&world, "incident.conclude", &supervisor,
                                       json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)id,
                                                 "conclusion", "no_action", "reason", "seen")),
                         0);
        run_for(36 * HOUR - 1);
        assert_int_equal(silences(), closed);
        run_for(1);
        assert_int_equal(silences(), closed + 1);
    }
    assert_int_equal(world_records(&world, "PERSON_SILENCE"), 3);
    assert_int_equal(count("SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE "
                           "'%INCIDENT_CLOSED%\"again_at\":\"2026-11-2%'"),
                     2);
    /* Contact while it is open: the conclusion begins nothing. */
    run_for(9 * HOUR); /* in the morning */
    assert_int_equal(on_demand(NULL), 0);
    answer(count("SELECT max(id) FROM checkin"));
    run_for(HOUR);
    int64_t next = count("SELECT next_at FROM person");
    int64_t id = count("SELECT max(id) FROM incident WHERE kind = 'silence'");
    assert_int_equal(world_command(&world, "incident.conclude", &supervisor,
                                   json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)id,
                                             "conclusion", "no_action", "reason", "reached")),
                     0);
    assert_int_equal(count("SELECT next_at FROM person"), next);
}

static void silence_ends_with_the_plan_and_pauses_in_a_blackout(void **state)
{
    (void)state;
    int64_t plan = made(request("FREQ=WEEKLY;BYDAY=FR", "10:00", "12:00", 1, true,
                                json_pack("{s:i}", "max_silence_s", 36 * 3600)));
    assert_int_equal(blackout("hospital", "2026-11-21T19:00:00Z", "2026-11-22T19:00:00Z"), 0);
    world.healthy = false;
    run_for(60 * HOUR - 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'silence'"), 0);
    run_for(1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'silence'"), 1);
    assert_int_equal(
        world_command(&world, "plan.end", &inspector,
                      json_pack("{s:I, s:s}", "plan", (json_int_t)plan, "reason", "x")),
        0);
    assert_int_equal(count("SELECT max_silence_ms FROM person"), 0);
    assert_int_equal(count("SELECT next_at IS NULL FROM person"), 1);
    assert_int_equal(make(request("FREQ=DAILY", "10:00", "12:00", 1, false,
                                  json_pack("{s:i}", "max_silence_s", 36 * 3600))),
                     CK_E_INVALID);
    assert_string_equal(world.result.refusal.field, "max_silence_s");
}

/* ---- second checks ---- */

static json_t *second(int percent)
{
    return json_pack("{s:{s:i, s:i, s:i}}", "second", "percent", percent, "after_min_s", 900,
                     "after_max_s", 7200);
}

static int64_t first_contact(int percent)
{
    made(request("FREQ=DAILY", "10:00", "20:00", 1, true, second(percent)));
    int64_t due = count("SELECT due_at FROM checkin WHERE local_date = '2026-11-21'");
    world_run_until(&world, (struct ck_wall){due});
    answer(count("SELECT id FROM checkin WHERE local_date = '2026-11-21'"));
    return due;
}

static void a_second_check_follows_a_completed_one(void **state)
{
    (void)state;
    int64_t due = first_contact(100);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date = '2026-11-21'"), 2);
    int64_t again = count("SELECT max(due_at) FROM checkin WHERE local_date = '2026-11-21'");
    assert_true(again >= due + 900 * 1000 && again < due + 7200 * 1000);
    assert_int_equal(world_records(&world, "CHECKIN_SECOND"), 1);
    world_run_until(&world, (struct ck_wall){again});
    answer(count("SELECT id FROM checkin WHERE local_date = '2026-11-21' ORDER BY due_at DESC"));
    run_for(HOUR);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date = '2026-11-21'"), 2);
}

static void a_second_check_keeps_to_the_order(void **state)
{
    (void)state;
    order(1, 1, "live", 3, "2027-11-01");
    first_contact(100);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date = '2026-11-21'"), 1);
    assert_int_equal(world_records(&world, "CHECKIN_NO_SECOND"), 1);
}

/* The person did their part alone, at 10:00; it waits for somebody's eyes. */
static void done_alone(json_t *more)
{
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    const struct ck_actor person = world_person(&world, 1);
    made(request("FREQ=WEEKLY;BYDAY=SA", "10:00", "20:00", 0, true, more));
    run_for(HOUR);
    assert_int_equal(world_command(&world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    assert_int_equal(
        world_command(&world, "checkin.joined", &person, json_pack("{s:i}", "checkin", 1)), 0);
    assert_int_equal(world_command(&world, "checkin.fact", &worker,
                                   json_pack("{s:i, s:s}", "checkin", 1, "fact", "first_frame")),
                     0);
    run_for(61000);
    assert_int_equal(world_command(&world, "checkin.challenge_finished", &worker,
                                   json_pack("{s:i}", "checkin", 1)),
                     0);
    assert_string_equal(world_text(&world, "SELECT state FROM checkin WHERE id = 1"),
                        "awaiting_review");
}

static void accept_it(void)
{
    assert_int_equal(
        world_command(&world, "checkin.review", &inspector,
                      json_pack("{s:i, s:s, s:s}", "checkin", 1, "decision", "accept", "note", "")),
        0);
    assert_string_equal(world_text(&world, "SELECT outcome FROM checkin WHERE id = 1"),
                        "completed");
}

/* Whoever reviews it comes hours later: being done is no all-clear meanwhile, and the review brings
 * no other one. */
static void a_second_check_does_not_wait_for_the_review(void **state)
{
    (void)state;
    done_alone(second(100));
    assert_int_equal(world_records(&world, "CHECKIN_SECOND"), 1);
    int64_t due = count("SELECT due_at FROM checkin WHERE slot >= 2000 AND local_date = "
                        "'2026-11-21'");
    assert_in_range(due, world.now.wall.ms + 900 * 1000, world.now.wall.ms + 7200 * 1000);
    run_for(4 * HOUR);
    accept_it();
    assert_int_equal(world_records(&world, "CHECKIN_SECOND"), 1);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE slot >= 2000"), 1);
}

/* Everybody who could be asked, by minutes after 10:00. */
static void nobody_is_there(int from_min, int until_min)
{
    const int64_t all[] = {world.inspector, world.officer};
    char from[20], until[20];
    snprintf(from, sizeof from, "2026-11-21T%02d:%02d", (600 + from_min) / 60,
             (600 + from_min) % 60);
    snprintf(until, sizeof until, "2026-11-21T%02d:%02d", (600 + until_min) / 60,
             (600 + until_min) % 60);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(
            world_command(&world, "absence.create", &supervisor,
                          json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)all[i], "from",
                                    from, "until", until, "reason", "leave")),
            0);
    }
}

#define SECOND "FROM checkin WHERE slot >= 2000 AND local_date = '2026-11-21'"

/* At 10:00, and another one from 10:15 to 12:00. */
static void contact_at_ten(void)
{
    made(request("FREQ=WEEKLY;BYDAY=SA", "10:00", "20:00", 0, true, second(100)));
    run_for(HOUR);
    answer(count("SELECT id FROM checkin WHERE local_date = '2026-11-21'"));
    assert_int_equal(count("SELECT count(*) " SECOND), 1);
}

static int64_t staff_faults_of_second(void)
{
    return count("SELECT count(*) FROM log_plain WHERE action = 'STAFF_FAULT' AND object_id = "
                 "(SELECT id " SECOND ")");
}

static void a_second_check_is_put_where_somebody_has_time(void **state)
{
    (void)state;
    nobody_is_there(15, 110);
    contact_at_ten();
    int64_t ten = count("SELECT due_at FROM checkin WHERE id = 1");
    assert_in_range(count("SELECT due_at " SECOND), ten + 110 * MINUTE, ten + 120 * MINUTE - 1);
    assert_string_equal(world_text(&world, "SELECT kind " SECOND), "live");
    assert_int_equal(count("SELECT reserved_id " SECOND), world.inspector);
    assert_int_equal(staff_faults_of_second(), 0);
}

/* Nobody wherever it may be: unattended where the order knows that, or live with nobody's time. */
static void a_second_check_that_nobody_has_time_for_is_a_fault_of_the_staff(void **state)
{
    (void)state;
    nobody_is_there(15, 180);
    contact_at_ten();
    assert_string_equal(world_text(&world, "SELECT kind " SECOND), "unattended");
    assert_int_equal(count("SELECT reserved_id IS NULL " SECOND), 1);
    assert_int_equal(staff_faults_of_second(), 1);
}

static void a_second_check_that_must_be_live_and_has_nobody_stays_live(void **state)
{
    (void)state;
    order(50, 7, "live", 3, "2027-11-01");
    nobody_is_there(15, 180);
    contact_at_ten();
    assert_string_equal(world_text(&world, "SELECT kind " SECOND), "live");
    assert_int_equal(count("SELECT reserved_id IS NULL " SECOND), 1);
    assert_int_equal(staff_faults_of_second(), 1);
}

/* Whoever asks wants it now: it looks for nobody, and nobody else has to give way to it. */
static void a_check_on_demand_takes_nobodys_time(void **state)
{
    (void)state;
    nobody_is_there(-90, 180);
    assert_int_equal(on_demand(NULL), 0);
    assert_string_equal(world_text(&world, "SELECT kind || ' ' || state FROM checkin"),
                        "on_demand ringing");
    assert_int_equal(count("SELECT reserved_id IS NULL FROM checkin"), 1);
    assert_int_equal(world_records(&world, "STAFF_FAULT"), 0);
}

/* It is what its plan says, and not what became of its first for want of somebody. */
static void a_second_check_is_live_after_one_that_nobody_had_time_for(void **state)
{
    (void)state;
    nobody_is_there(-30, 90);
    done_alone(second(100));
    assert_string_equal(world_text(&world, "SELECT kind FROM checkin WHERE id = 1"), "unattended");
    assert_string_equal(world_text(&world, "SELECT kind " SECOND), "live");
    assert_int_equal(count("SELECT reserved_id " SECOND), world.inspector);
}

/* The contact was made at 10:00; that it was looked at thirty hours later makes it no newer. */
static void a_silence_is_counted_from_the_contact_and_not_from_its_review(void **state)
{
    (void)state;
    done_alone(json_pack("{s:i}", "max_silence_s", 36 * 3600));
    run_for(30 * HOUR);
    accept_it();
    assert_int_equal(count("SELECT next_at FROM person") -
                         count("SELECT last_contact_at FROM person"),
                     36 * HOUR);
    assert_int_equal(count("SELECT last_contact_at FROM person"), WORLD_START_MS + HOUR);
    run_for(WORLD_START_MS + 37 * HOUR - 1 - world.now.wall.ms);
    assert_int_equal(silences(), 0);
    run_for(1);
    assert_int_equal(silences(), 1);
}

static void conclude_silence(void)
{
    int64_t id = count("SELECT max(id) FROM incident WHERE kind = 'silence'");
    assert_int_equal(world_command(&world, "incident.conclude", &supervisor,
                                   json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)id,
                                             "conclusion", "no_action", "reason", "seen")),
                     0);
}

/* Alarmed after 36 hours and concluded at once; the contact of 10:00 is reviewed only then. It was
 * not too long since that contact before 22:00. */
static void a_contact_that_is_reviewed_after_the_conclusion_counts(void **state)
{
    (void)state;
    done_alone(json_pack("{s:i}", "max_silence_s", 36 * 3600));
    run_for(WORLD_START_MS + 36 * HOUR - world.now.wall.ms);
    assert_int_equal(silences(), 1);
    conclude_silence();
    run_for(HOUR / 2);
    accept_it();
    assert_int_equal(count("SELECT silence_since_at FROM person"), WORLD_START_MS + HOUR);
    run_for(HOUR / 2 - 1);
    assert_int_equal(silences(), 1);
    run_for(1);
    assert_int_equal(silences(), 2);
}

/* The incident rests since a contact, and nobody has concluded it: the next silence does not leave
 * it at rest. */
static void a_silence_once_more_is_no_reminder(void **state)
{
    (void)state;
    made(request("FREQ=WEEKLY;BYDAY=FR", "10:00", "12:00", 1, true,
                 json_pack("{s:i}", "max_silence_s", 36 * 3600)));
    world.healthy = false;
    run_for(48 * HOUR);
    assert_int_equal(on_demand(NULL), 0);
    answer(count("SELECT max(id) FROM checkin"));
    assert_int_equal(count("SELECT json_extract(machine, '$.calm') FROM incident WHERE kind = "
                           "'silence'"),
                     1);
    run_for(35 * HOUR);
    int64_t before = world_records(&world, "INCIDENT_STEP_FIRED");
    run_for(2 * HOUR);
    assert_int_equal(silences(), 1);
    assert_int_equal(world_records(&world, "INCIDENT_SILENT_AGAIN"), 1);
    assert_int_equal(count("SELECT json_extract(machine, '$.calm') FROM incident WHERE kind = "
                           "'silence'"),
                     0);
    assert_true(world_records(&world, "INCIDENT_STEP_FIRED") >= before + 3);
}

/* 23:50, and the second check after midnight: it counts for the date that it rings on, of which the
 * order allows two with the plan's own. */
static void a_second_check_past_midnight_counts_for_its_own_date(void **state)
{
    (void)state;
    order(3, 1, "live", 2, "2027-11-01");
    world_execute(&world, "UPDATE contact_order SET hours_start = '20:00', hours_end = '04:00'");
    made(request("FREQ=DAILY", "23:50", "03:00", 0, true,
                 json_pack("{s:{s:i, s:i, s:i}}", "second", "percent", 100, "after_min_s", 900,
                           "after_max_s", 2400)));
    run_for(14 * HOUR + 50 * MINUTE);
    answer(count("SELECT id FROM checkin WHERE local_date = '2026-11-21'"));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE local_date = '2026-11-21'"), 1);
    assert_int_equal(count("SELECT slot FROM checkin WHERE local_date = '2026-11-22' AND "
                           "slot <> 0"),
                     2100);
    run_for(20 * HOUR + 30 * MINUTE); /* 22nd, 20:20 */
    assert_int_equal(on_demand(json_pack("{s:b}", "mandatory", 0)), CK_E_CONFLICT);
    assert_string_equal(world.result.refusal.message, "more contacts on one day than are allowed");
}

/* A make-up on the next day is a contact of that day. */
static void a_make_up_of_yesterday_counts_for_today(void **state)
{
    (void)state;
    order(3, 1, "live", 2, "2027-11-01");
    made(request("FREQ=DAILY", "21:00", "22:00", 0, true, NULL));
    run_for(11 * HOUR);
    world.channels_up = false;
    run_for(2 * HOUR);
    world.channels_up = true;
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE make_up_of > 0"), 1);
    assert_string_equal(world_text(&world, "SELECT local_date FROM checkin WHERE make_up_of > 0"),
                        "2026-11-22");
    assert_int_equal(count("SELECT slot FROM checkin WHERE make_up_of > 0"), 1100);
    run_for(10 * HOUR);
    assert_int_equal(on_demand(json_pack("{s:b}", "mandatory", 0)), CK_E_CONFLICT);
}

/* ---- proof of a draw ---- */

/* A plan for 21:00; what failed through us on its first evening is made up for on another. */
static int64_t evenings(void)
{
    order(3, 1, "live", 2, "2027-11-01");
    return made(request("FREQ=DAILY", "21:00", "22:00", 0, true, NULL));
}

static void fail_evening(void)
{
    run_for(11 * HOUR);
    world.channels_up = false;
    run_for(2 * HOUR); /* 22:00 */
    world.channels_up = true;
}

static json_t *mornings(int draws, int64_t replaces)
{
    return request(
        "FREQ=DAILY", "10:00", "12:00", draws, true,
        json_pack("{s:I, s:s}", "replaces", (json_int_t)replaces, "first_date", "2026-11-22"));
}

static void assert_made_up_on(const char *date, const char *outcome)
{
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE make_up_of > 0"), 1);
    assert_int_equal(world_records(&world, "CHECKIN_NO_MAKE_UP"), 0);
    assert_string_equal(world_text(&world, "SELECT local_date FROM checkin WHERE make_up_of > 0"),
                        date);
    assert_string_equal(
        world_text(&world, "SELECT coalesce(outcome, '') FROM checkin WHERE make_up_of > 0"),
        outcome);
}

static void a_make_up_is_owed_whatever_plan_serves(void **state)
{
    (void)state;
    int64_t first = evenings();
    assert_int_equal(blackout("court", "2026-11-22T15:00:00Z", "2026-11-22T18:00:00Z"), 0);
    fail_evening();
    assert_made_up_on("2026-11-23", "");
    assert_int_equal(make(mornings(2, first)), CK_E_INVALID); /* three on that date */
    assert_string_equal(world.result.refusal.field, "recurrence");
    made(mornings(1, first));
    assert_made_up_on("2026-11-23", "");
    run_for(27 * HOUR); /* 23 November, 01:00: the first is over */
    assert_string_equal(world_text(&world, "SELECT state FROM plan WHERE id = 1"), "ended");
    assert_made_up_on("2026-11-23", "");
    run_for(22 * HOUR);
    assert_made_up_on("2026-11-23", "no_answer");
}

static void a_make_up_stays_where_a_place_is_taken_at_once(void **state)
{
    (void)state;
    int64_t first = evenings();
    fail_evening();
    run_for(3 * HOUR); /* 22 November, 01:00 */
    made(mornings(1, first));
    assert_string_equal(world_text(&world, "SELECT state FROM plan WHERE id = 1"), "ended");
    assert_made_up_on("2026-11-22", "");
    run_for(22 * HOUR);
    assert_made_up_on("2026-11-22", "no_answer");
}

static void a_make_up_finds_a_date_of_the_next_plan(void **state)
{
    (void)state;
    made(mornings(1, evenings()));
    fail_evening();
    assert_made_up_on("2026-11-22", "");
    run_for(25 * HOUR);
    assert_made_up_on("2026-11-22", "no_answer");
}

static void a_make_up_goes_with_the_plan_that_is_ended(void **state)
{
    (void)state;
    int64_t first = evenings();
    fail_evening();
    assert_int_equal(world_command(&world, "plan.end", &inspector,
                                   json_pack("{s:I, s:s}", "plan", (json_int_t)first, "reason",
                                             "it is not needed")),
                     0);
    assert_made_up_on("2026-11-22", "waived");
}

static void a_draw_is_proven_once_its_key_is_revealed(void **state)
{
    (void)state;
    first_contact(100);
    struct ck_draw_proof proof;
    int64_t id = count("SELECT id FROM checkin WHERE local_date = '2026-11-21' ORDER BY id");
    int64_t again =
        count("SELECT id FROM checkin WHERE local_date = '2026-11-21' ORDER BY id DESC");
    int early = ck_draw_prove_checkin(world.reader, id, &proof);
    assert_string_equal(proof.fault, "the key of its epoch has not been revealed yet");
    assert_int_equal(early, CK_E_NOT_FOUND);
    assert_int_equal(count("SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE "
                           "'%DRAW_KEY_REVEALED%'"),
                     0);
    world.healthy = false;
    assert_int_equal(world_command(&world, "plan.end", &inspector,
                                   json_pack("{s:i, s:s}", "plan", 1, "reason", "x")),
                     0);
    run_for(34 * DAY);
    assert_true(world_records(&world, "DRAW_KEY_REVEALED") > 0);
    assert_int_equal(ck_draw_prove_checkin(world.reader, id, &proof), 0);
    assert_true(proof.committed < proof.planned && proof.planned < proof.revealed);
    char sql[96];
    snprintf(sql, sizeof sql, "SELECT due_at FROM checkin WHERE id = %lld", (long long)id);
    assert_int_equal(proof.due.ms, count(sql));
    assert_int_equal(ck_draw_prove_checkin(world.reader, again, &proof), 0);
    assert_int_equal(ck_draw_prove_checkin(world.reader, 999999, &proof), CK_E_NOT_FOUND);
    assert_int_equal(count("SELECT count(*) FROM draw_key WHERE revealed_at IS NOT NULL "
                           "AND next_at IS NULL"),
                     world_records(&world, "DRAW_KEY_REVEALED"));
}

/* ---- a moment that was chosen ---- */

/* Another text in a leaf, in the place of one of the same length. */
static void put_in_leaf(int64_t entry, const char *was, const char *is)
{
    char sql[600];
    snprintf(sql, sizeof sql,
             "UPDATE log_entry SET leaf = CAST(replace(CAST(leaf AS TEXT), '%s', '%s') AS BLOB) "
             "WHERE idx = %lld",
             was, is, (long long)entry);
    world_execute(&world, sql);
}

static void of_leaf(int64_t entry, const char *member, char *text, size_t size)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT json_extract(CAST(leaf AS TEXT), '$.%s') FROM log_entry WHERE idx = %lld",
             member, (long long)entry);
    snprintf(text, size, "%s", world_text(&world, sql));
}

static void number_entry(int64_t was, int64_t is)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "UPDATE log_entry SET idx = %lld WHERE idx = %lld; UPDATE log_plain SET idx = %lld "
             "WHERE idx = %lld",
             (long long)is, (long long)was, (long long)is, (long long)was);
    world_execute(&world, sql);
}

/* Whoever writes the log says this moment, and commits to it as it should be. */
static void say_moment(int64_t entry, struct ck_wall due)
{
    char sql[300], was[96], is[CK_HEX_SIZE(sizeof(struct ck_hash))], text[CK_WALL_TEXT_SIZE];
    uint8_t salt[CK_AUDIT_SALT_SIZE];
    struct ck_hash commitment;
    ck_wall_text(due, text);
    snprintf(sql, sizeof sql,
             "SELECT json_extract(salted, '$.due[0]') FROM log_plain WHERE idx = "
             "%lld",
             (long long)entry);
    assert_int_equal(ck_hex_decode(world_text(&world, sql), salt, sizeof salt), 0);
    json_t *value = json_string(text);
    assert_int_equal(ck_audit_commit(salt, "due", value, &commitment), 0);
    json_decref(value);
    of_leaf(entry, "sealed.due", was, sizeof was);
    ck_hex_encode(commitment.bytes, sizeof commitment.bytes, is);
    put_in_leaf(entry, was, is);
    snprintf(sql, sizeof sql,
             "UPDATE log_plain SET salted = json_set(salted, '$.due[1]', '%s') WHERE idx = %lld",
             text, (long long)entry);
    world_execute(&world, sql);
}

static void assert_not_true(int64_t checkin, const char *fault)
{
    struct ck_draw_proof proof;
    assert_int_equal(ck_draw_prove_checkin(world.reader, checkin, &proof), CK_E_AUTH);
    assert_string_equal(proof.fault, fault);
}

/* Everything beside the record is sound each time, but for one thing. */
static void whoever_chose_the_moment_is_found_out(void **state)
{
    (void)state;
    struct ck_draw_proof proof;
    char was[128], is[128];
    made(request("FREQ=DAILY", "10:00", "20:00", 1, true, NULL));
    world.healthy = false;
    assert_int_equal(world_command(&world, "plan.end", &inspector,
                                   json_pack("{s:i, s:s}", "plan", 1, "reason", "x")),
                     0);
    run_for(34 * DAY);
    assert_int_equal(ck_draw_prove_checkin(world.reader, 1, &proof), 0);
    assert_int_equal(proof.seconds, 34800);
    const struct ck_draw_proof sound = proof;

    say_moment(sound.planned, ck_wall_add_ms(sound.due, 1000));
    assert_not_true(1, "the draw gives another moment");
    say_moment(sound.planned, sound.due);

    of_leaf(sound.revealed, "open.key", was, sizeof was);
    memcpy(is, was, sizeof is);
    is[0] = is[0] == '0' ? '1' : '0';
    put_in_leaf(sound.revealed, was, is);
    assert_not_true(1, "the revealed key is not the one that was committed to");
    put_in_leaf(sound.revealed, is, was);

    number_entry(sound.committed, sound.revealed + 1000);
    assert_not_true(1, "the key was not committed to before the draw");
    number_entry(sound.revealed + 1000, sound.committed);

    /* The draw of the next date, in the record of this one. */
    of_leaf(sound.planned, "open.draw", was, sizeof was);
    assert_int_equal(ck_draw_prove_checkin(world.reader, 2, &proof), 0);
    of_leaf(proof.planned, "open.draw", is, sizeof is);
    put_in_leaf(sound.planned, was, is);
    assert_not_true(1, "what was drawn is not for this plan, date and slot");
    put_in_leaf(sound.planned, is, was);
    assert_int_equal(ck_draw_prove_checkin(world.reader, 1, &proof), 0);
}

/* ---- overload ahead ---- */

static void overload_is_seen_before_it_happens(void **state)
{
    (void)state;
    json_t *overload = NULL;
    made(request("FREQ=DAILY", "10:00", "10:30", 0, true, NULL));
    assert_int_equal(ck_overload_ahead(world.reader, "/usr/share/zoneinfo", world.unit,
                                       world.now.wall, &overload),
                     0);
    assert_int_equal(json_integer_value(json_object_get(overload, "inspectors")), 1);
    assert_int_equal(json_array_size(json_object_get(overload, "overloads")), 0);
    json_decref(overload);
    /* A second one at the same time, and one inspector. */
    made(request("FREQ=DAILY;COUNT=3", "10:05", "10:35", 0, true, NULL));
    assert_int_equal(ck_overload_ahead(world.reader, "/usr/share/zoneinfo", world.unit,
                                       world.now.wall, &overload),
                     0);
    const json_t *list = json_object_get(overload, "overloads");
    assert_int_equal(json_array_size(list), 3);
    const json_t *first = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(first, "from")),
                        "2026-11-21T05:05:00.000Z");
    assert_string_equal(json_string_value(json_object_get(first, "until")),
                        "2026-11-21T05:15:00.000Z");
    assert_int_equal(json_integer_value(json_object_get(first, "due")), 2);
    assert_int_equal(json_integer_value(json_object_get(first, "able")), 1);
    json_decref(overload);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_plan_beyond_the_order_is_refused_with_the_reason),
        TEST(a_plan_is_measured_with_what_was_made),
        TEST(the_number_of_a_day_is_of_all_orders),
        TEST(an_order_without_requirements_has_voluntary_plans_only),
        TEST(a_plan_takes_the_place_of_another),
        TEST(the_plan_that_goes_serves_until_the_next_begins),
        TEST(the_plan_that_goes_serves_until_the_next_order),
        TEST(a_plan_that_can_ask_nothing_more_today_begins_tomorrow),
        TEST(a_plan_whose_dates_are_over_takes_no_place),
        TEST(a_plan_gives_its_place_to_one_other),
        TEST(a_preview_names_no_window_that_is_over),
        TEST(one_that_comes_before_is_measured_without_those_that_go),
        TEST(dates_beside_the_rule_and_out_of_it),
        TEST(an_on_demand_check_obeys_the_hours_and_caps),
        TEST(any_hour_goes_on_over_midnight),
        TEST(any_hour_ends_with_the_order),
        TEST(what_the_plans_will_make_counts_too),
        TEST(what_failed_through_us_does_not_count),
        TEST(a_miss_holds_nobody_up_and_a_call_no_longer_than_the_hours),
        TEST(an_order_ends_on_its_date_and_its_plans_with_it),
        TEST(an_order_that_runs_out_ends_its_plans),
        TEST(video_replaces_visits_only_with_a_citation_and_two_persons),
        TEST(a_blackout_waives_what_lies_in_it),
        TEST(a_blackout_that_is_entered_late_excuses),
        TEST(nobody_is_rung_late_into_a_blackout),
        TEST(a_blackout_excuses_what_rang_late_in_it),
        TEST(an_absence_needs_a_second_person),
        TEST(more_than_a_week_needs_a_second_person),
        TEST(silence_is_alarmed_once_and_contact_ends_it),
        TEST(a_silence_that_is_closed_is_alarmed_again),
        TEST(silence_ends_with_the_plan_and_pauses_in_a_blackout),
        TEST(a_second_check_follows_a_completed_one),
        TEST(a_second_check_keeps_to_the_order),
        TEST(a_second_check_does_not_wait_for_the_review),
        TEST(a_second_check_is_put_where_somebody_has_time),
        TEST(a_second_check_that_nobody_has_time_for_is_a_fault_of_the_staff),
        TEST(a_second_check_that_must_be_live_and_has_nobody_stays_live),
        TEST(a_second_check_is_live_after_one_that_nobody_had_time_for),
        TEST(a_check_on_demand_takes_nobodys_time),
        TEST(a_silence_is_counted_from_the_contact_and_not_from_its_review),
        TEST(a_contact_that_is_reviewed_after_the_conclusion_counts),
        TEST(a_silence_once_more_is_no_reminder),
        TEST(a_second_check_past_midnight_counts_for_its_own_date),
        TEST(a_make_up_of_yesterday_counts_for_today),
        TEST(a_make_up_is_owed_whatever_plan_serves),
        TEST(a_make_up_stays_where_a_place_is_taken_at_once),
        TEST(a_make_up_finds_a_date_of_the_next_plan),
        TEST(a_make_up_goes_with_the_plan_that_is_ended),
        TEST(a_draw_is_proven_once_its_key_is_revealed),
        TEST(whoever_chose_the_moment_is_found_out),
        TEST(overload_is_seen_before_it_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
