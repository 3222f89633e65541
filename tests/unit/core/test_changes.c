/* What changes while something is planned, rings or is open: the band, a blackout, the plan, the
 * order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/audit/draw_proof.h"
#include "daemon/cases/cases.h"
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

static void must(int code)
{
    if (code != 0) {
        fail_msg("%d, %s: %s", code, world.result.refusal.field, world.result.refusal.message);
    }
}

static void set_band(const char *band)
{
    must(world_command(&world, "person.update", &supervisor,
                       json_pack("{s:I, s:s}", "person", (json_int_t)world.person, "band", band)));
}

static void answer(int64_t id)
{
    const struct ck_actor person = world_person(&world, id);
    must(world_command(&world, "notice.ack", &person, json_pack("{s:i}", "version", 1)));
    must(world_command(&world, "checkin.joined", &person,
                       json_pack("{s:I}", "checkin", (json_int_t)id)));
    must(world_command(&world, "checkin.inspector_took", &inspector,
                       json_pack("{s:I}", "checkin", (json_int_t)id)));
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    must(world_command(&world, "checkin.fact", &worker,
                       json_pack("{s:I, s:s}", "checkin", (json_int_t)id, "fact", "first_frame")));
}

static void hang_up(int64_t id)
{
    must(
        world_command(&world, "checkin.call_ended", &inspector,
                      json_pack("{s:I, s:s}", "checkin", (json_int_t)id, "reason", "staff_ended")));
    must(world_command(&world, "checkin.outcome", &inspector,
                       json_pack("{s:I, s:s, s:b, s:[], s:s}", "checkin", (json_int_t)id, "result",
                                 "completed", "identity_confirmed", 1, "behaviours", "note", "")));
}

/* ---- the band ---- */

#define BANDS_OF(bands, where)                                                                     \
    count("SELECT count(*) FROM checkin WHERE json_extract(machine, '$.band') IN (" bands          \
          ") AND " where)

static void a_band_reaches_what_is_planned(void **state)
{
    (void)state;
    world_plan(&world, "12:00", NULL);
    int64_t planned = count("SELECT count(*) FROM checkin WHERE state = 'planned'");
    assert_true(planned > 10);
    set_band("top");
    assert_int_equal(BANDS_OF("7", "state = 'planned'"), planned);
    assert_int_equal(world_records(&world, "PERSON_BAND_SET"), 1);
    assert_non_null(strstr(world_text(&world, "SELECT CAST(l.leaf AS TEXT) FROM log_entry l JOIN "
                                              "log_plain p ON p.idx = l.idx WHERE p.action = "
                                              "'PERSON_BAND_SET'"),
                           "\"was\":\"medium\""));
    /* Tomorrow's is missed: a second officer looks after the other side, and nobody waits. */
    run_for(4 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'safety'"), 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'no_contact' AND severity "
                           "= 'top'"),
                     1);
    /* Lower again: what is to come only. */
    set_band("medium");
    assert_int_equal(count("SELECT count(*) FROM incident WHERE severity = 'top' AND kind = "
                           "'no_contact'"),
                     1);
    assert_int_equal(BANDS_OF("7", "state = 'planned'"), 0);
}

static void a_higher_band_reaches_what_rings_and_what_was_missed(void **state)
{
    (void)state;
    world_plan(&world, "12:00", NULL);
    run_for(3 * HOUR + 5 * MINUTE);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'ringing'"), 1);
    set_band("high");
    assert_int_equal(BANDS_OF("6", "state = 'ringing'"), 1);
    set_band("low"); /* what has begun is not made light of */
    assert_int_equal(BANDS_OF("6", "state = 'ringing'"), 1);
    run_for(20 * MINUTE);
    assert_int_equal(
        count("SELECT count(*) FROM incident WHERE kind = 'no_contact' AND severity = 'high'"), 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'safety'"), 0);
    set_band("top"); /* missed, and still awaited */
    assert_int_equal(
        count("SELECT count(*) FROM incident WHERE kind = 'no_contact' AND severity = 'top'"), 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'safety'"), 1);
    assert_int_equal(count("SELECT count(*) FROM incident_line WHERE what = 'banded'"), 1);
    set_band("low");
    set_band("top");
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'safety'"), 1);
    /* It is over; so is its time to be made light of. */
    run_for(4 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'no_answer'"), 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'safety'"), 1);
}

static void a_missed_one_that_is_over_gets_its_safety_row(void **state)
{
    (void)state;
    world_plan(&world, "12:00", NULL);
    run_for(7 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'no_answer'"), 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'safety'"), 0);
    set_band("top");
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'safety'"), 1);
}

/* One step for the supervisors, by two of them. */
static void agree_on(const char *band, int timeout_s)
{
    int64_t second = count("SELECT id FROM staff WHERE login = 'second'");
    const struct ck_actor actor = world_staff(&world, second, CK_ROLE_SUPERVISOR);
    json_t *ladder =
        json_pack("{s:[{s:[{s:s}], s:[s], s:b, s:i, s:i, s:i}], s:i, s:b, s:i, s:b}", "steps",
                  "targets", "kind", "supervisor", "channels", "email", "parallel", 1,
                  "ack_timeout_s", timeout_s, "rounds", 1, "min_interval_s", 60, "ack_hold_s", 1800,
                  "late_answer_calms", 1, "calm_interval_s", 43200, "quiet_hours", 0);
    must(world_command(&world, "approved.ladder", &actor,
                       json_pack("{s:i, s:I, s:I, s:i, s:{s:s, s:b, s:o}, s:s}", "approval", 1,
                                 "proposer", (json_int_t)world.supervisor, "unit",
                                 (json_int_t)world.unit, "person", 0, "request", "band", band,
                                 "apply_open", 1, "ladder", ladder, "reason", "so it is")));
}

static void what_began_in_a_higher_band_keeps_to_its_ladder(void **state)
{
    (void)state;
    world_colleague(&world, "second", CK_ROLE_SUPERVISOR, true);
    world_plan(&world, "12:00", NULL);
    set_band("high");
    agree_on("high", 120);
    run_for(3 * HOUR + 5 * MINUTE);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'ringing'"), 1);
    set_band("low");
    run_for(20 * MINUTE);
    assert_int_equal(
        count("SELECT steps FROM incident WHERE kind = 'no_contact' AND severity = 'high'"), 1);
    /* The ladder of the band that the person is of now is another incident's. */
    agree_on("low", 7200);
    assert_int_equal(world_records(&world, "INCIDENT_LADDER_CHANGED"), 0);
    agree_on("high", 60);
    assert_int_equal(world_records(&world, "INCIDENT_LADDER_CHANGED"), 1);
}

static void a_make_up_is_of_whoever_the_person_is_now(void **state)
{
    (void)state;
    int64_t other = world_colleague(&world, "other", CK_ROLE_INSPECTOR, false);
    world_plan(&world, "12:00", NULL);
    set_band("high");
    world.channels_up = false; /* no notice gets through: ours */
    run_for(3 * HOUR + 5 * MINUTE);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'ringing'"), 1);
    set_band("low");
    must(world_command(&world, "person.update", &supervisor,
                       json_pack("{s:I, s:I}", "person", (json_int_t)world.person, "inspector_id",
                                 (json_int_t)other)));
    run_for(30 * MINUTE);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'system_fault'"), 1);
    assert_int_equal(BANDS_OF("2", "make_up_of IS NOT NULL"), 1);
    assert_int_equal(count("SELECT inspector_id FROM checkin WHERE make_up_of IS NOT NULL"), other);
}

/* ---- blackouts ---- */

static int blackout(const char *source, const char *from, const char *until)
{
    return world_command(&world, "blackout.create", &inspector,
                         json_pack("{s:I, s:s, s:s, s:s, s:s}", "person", (json_int_t)world.person,
                                   "source", source, "from", from, "until", until, "reason",
                                   "the hospital called"));
}

/* A longer one is approved by another. */
static int long_blackout(const char *source, const char *from, const char *until)
{
    return world_command(&world, "approved.blackout.absence", &supervisor,
                         json_pack("{s:I, s:I, s:{s:s, s:s, s:s, s:s}}", "person",
                                   (json_int_t)world.person, "proposer",
                                   (json_int_t)world.inspector, "request", "source", source, "from",
                                   from, "until", until, "reason", "in custody"));
}

static void a_blackout_is_entered_while_one_is_missed(void **state)
{
    (void)state;
    world_plan(&world, "12:00", NULL);
    run_for(3 * HOUR + 30 * MINUTE); /* missed, and awaited until its late limit */
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'ringing'"), 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE state = 'open'"), 1);
    must(blackout("hospital", "2026-11-20T19:00:00Z", "2026-11-24T19:00:00Z"));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'waived'"), 3);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'ringing'"), 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE state = 'open'"), 1);
    assert_string_equal(world_text(&world, "SELECT text FROM incident_line WHERE what = "
                                           "'blackout_entered'"),
                        "hospital 2026-11-20T19:00:00.000Z 2026-11-24T19:00:00.000Z");
    assert_int_equal(count("SELECT count(*) FROM fact WHERE fact = 'blackout_entered'"), 1);
    assert_int_equal(world_records(&world, "CHECKIN_BLACKOUT_ENTERED"), 1);
    run_for(3 * HOUR); /* its outcome is what it is, and the incident waits for somebody */
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'no_answer'"), 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE state = 'closed'"), 0);
}

static void a_blackout_is_entered_during_a_ring_and_a_call(void **state)
{
    (void)state;
    world_plan(&world, "12:00", NULL);
    run_for(3 * HOUR + 2 * MINUTE);
    int64_t id = count("SELECT id FROM checkin WHERE state = 'ringing'");
    must(blackout("court", "2026-11-20T19:00:00Z", "2026-11-21T19:00:00Z"));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'ringing'"), 1);
    answer(id);
    must(blackout("custody", "2026-11-20T19:00:00Z", "2026-11-22T19:00:00Z"));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'connected'"), 1);
    hang_up(id);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'completed'"), 1);
    assert_int_equal(count("SELECT count(*) FROM fact WHERE fact = 'blackout_entered'"), 2);
}

static void a_long_blackout_leaves_nothing_out(void **state)
{
    (void)state;
    world_plan(&world, "09:00",
               json_pack("{s:[{s:s, s:s, s:i}]}", "windows", "start", "09:00", "end", "21:00",
                         "draws", 6));
    int64_t planned = count("SELECT count(*) FROM checkin WHERE state = 'planned'");
    assert_true(planned > 64); /* more than one batch */
    must(long_blackout("custody", "2026-11-21T03:00:00Z", "2027-01-31T19:00:00Z"));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'waived'"), planned);
}

static int64_t owed(const char *from, const char *until)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM checkin WHERE local_date BETWEEN '%s' AND '%s' AND outcome IS "
             "NOT 'waived'",
             from, until);
    return count(sql);
}

static void end_blackout(void)
{
    must(world_command(&world, "blackout.end", &inspector,
                       json_pack("{s:I, s:s}", "blackout",
                                 (json_int_t)count("SELECT max(id) FROM blackout"), "reason",
                                 "released")));
}

static int64_t drawn_plan(void)
{
    return world_plan(&world, "10:00",
                      json_pack("{s:[{s:s, s:s, s:i}]}", "windows", "start", "10:00", "end",
                                "20:00", "draws", 2));
}

/* Nobody waits for them any more: their ladders do not repeat for weeks. */
static void conclude_all(void)
{
    int64_t id;
    while ((id = count("SELECT ifnull(min(id), 0) FROM incident WHERE state <> 'closed'")) != 0) {
        must(world_command(&world, "incident.conclude", &supervisor,
                           json_pack("{s:I, s:s, s:s}", "incident", (json_int_t)id, "conclusion",
                                     "no_action", "reason", "seen")));
        world_forget(&world);
    }
}

/* What was drawn anew can be recomputed like any other draw, once its key is revealed. */
static void prove_redraws(void)
{
    world.healthy = false;
    conclude_all();
    must(world_command(&world, "plan.end", &inspector,
                       json_pack("{s:i, s:s}", "plan", 1, "reason", "x")));
    run_for(34 * DAY);
    struct ck_draw_proof proof;
    int64_t id = count("SELECT max(id) FROM checkin WHERE slot >= 10000");
    assert_int_equal(ck_draw_prove_checkin(world.reader, id, &proof), 0);
    char sql[96];
    snprintf(sql, sizeof sql, "SELECT due_at FROM checkin WHERE id = %lld", (long long)id);
    assert_int_equal(proof.due.ms, count(sql));
}

static void a_blackout_that_ends_early_gives_back_what_it_took(void **state)
{
    (void)state;
    drawn_plan();
    must(long_blackout("custody", "2026-11-21T03:00:00Z", "2026-12-20T19:00:00Z"));
    assert_int_equal(owed("2026-11-21", "2026-12-31"), 0);
    run_for(3 * DAY + 7 * HOUR); /* 24 November, 16:00 */
    assert_int_equal(owed("2026-11-21", "2026-12-31"), 0);
    end_blackout();
    assert_int_equal(json_integer_value(json_object_get(world.result.body, "redrawn")),
                     owed("2026-11-24", "2026-12-31"));
    assert_int_equal(owed("2026-11-21", "2026-11-23"), 0); /* what is over is over */
    assert_in_range(owed("2026-11-24", "2026-11-24"), 1, 2);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'planned' AND due_at < "
                           "1795233600000 + 3 * 86400000 + 7 * 3600000"),
                     0);
    for (int day = 25; day <= 30; day++) {
        char date[16];
        snprintf(date, sizeof date, "2026-11-%d", day);
        assert_int_equal(owed(date, date), 2);
    }
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state <> 'done' AND slot < 10000"),
                     0);
    run_for(DAY + 8 * HOUR); /* and it is owed */
    assert_true(count("SELECT count(*) FROM incident WHERE kind = 'no_contact'") >= 2);
    /* The same again: each place is drawn once more, and the dates that come later once. */
    must(blackout("hospital", "2026-11-26T19:00:00Z", "2026-11-30T19:00:00Z"));
    assert_int_equal(owed("2026-11-27", "2026-11-30"), 0);
    end_blackout();
    assert_int_equal(owed("2026-11-27", "2026-11-30"), 8);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE slot >= 20000 AND state <> 'done'"),
                     8);
    prove_redraws();
}

/* The dates that another plan serves by now are its own to give back. */
static void a_blackout_gives_back_what_the_plan_still_serves(void **state)
{
    (void)state;
    int64_t first = drawn_plan();
    must(long_blackout("custody", "2026-11-21T03:00:00Z", "2026-12-20T19:00:00Z"));
    world_plan(&world, "10:00",
               json_pack("{s:I, s:s}", "replaces", (json_int_t)first, "first_date", "2026-11-27"));
    run_for(3 * DAY + 7 * HOUR); /* 24 November, 16:00 */
    end_blackout();
    assert_int_equal(owed("2026-11-25", "2026-11-26"), 4);
    assert_int_equal(owed("2026-11-27", "2026-11-30"), 4);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome IS NULL AND plan_id = 1 AND "
                           "local_date >= '2026-11-27'"),
                     0);
}

/* Another contact took its place meanwhile: the order allows no more of them on that date. */
static void a_blackout_gives_back_no_more_than_the_order_allows(void **state)
{
    (void)state;
    drawn_plan();
    must(long_blackout("custody", "2026-11-22T03:00:00Z", "2026-11-24T03:00:00Z"));
    assert_int_equal(owed("2026-11-22", "2026-11-22"), 0);
    assert_int_equal(owed("2026-11-23", "2026-11-23"), 0);
    world_execute(&world, "UPDATE contact_order SET per_day_max = 1");
    end_blackout();
    assert_int_equal(owed("2026-11-22", "2026-11-22"), 1);
    assert_int_equal(owed("2026-11-23", "2026-11-23"), 1);
}

static void an_hour_at_court_leaves_the_rest_of_the_day(void **state)
{
    (void)state;
    drawn_plan();
    int64_t due = count("SELECT min(due_at) FROM checkin WHERE local_date = '2026-11-22'");
    char from[CK_WALL_TEXT_SIZE], until[CK_WALL_TEXT_SIZE];
    ck_wall_text((struct ck_wall){due - 10 * MINUTE}, from);
    ck_wall_text((struct ck_wall){due + 50 * MINUTE}, until);
    must(blackout("court", from, until));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'waived'"), 1);
    assert_int_equal(owed("2026-11-22", "2026-11-22"), 2);
    /* One that would ring into it is moved as well. */
    due = count("SELECT min(due_at) FROM checkin WHERE local_date = '2026-11-23'");
    ck_wall_text((struct ck_wall){due + 5 * MINUTE}, from);
    ck_wall_text((struct ck_wall){due + 50 * MINUTE}, until);
    must(blackout("court", from, until));
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'waived'"), 2);
    assert_int_equal(owed("2026-11-23", "2026-11-23"), 2);
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM checkin WHERE outcome IS NULL AND due_at + 1200000 > %lld AND "
             "due_at < %lld",
             (long long)(due + 5 * MINUTE), (long long)(due + 50 * MINUTE));
    assert_int_equal(count(sql), 0);
}

/* ---- the longest silence ---- */

/* Of a plan with one check-in in a week: nothing else is missed meanwhile. */
static json_t *silent(int hours)
{
    world.healthy = false; /* nobody joins anything */
    return json_pack("{s:i, s:s}", "max_silence_s", hours * 3600, "recurrence",
                     "FREQ=WEEKLY;BYDAY=FR");
}

static int64_t silent_plan(const char *start, int hours, int64_t replaces)
{
    json_t *more = silent(hours);
    if (replaces != 0) {
        json_object_set_new(more, "replaces", json_integer(replaces));
    }
    return world_plan(&world, start, more);
}

static void another_plan_goes_on_with_the_same_silence(void **state)
{
    (void)state;
    int64_t plan = silent_plan("12:00", 72, 0);
    run_for(71 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'silence'"), 0);
    plan = silent_plan("13:00", 72, plan);
    run_for(61 * MINUTE);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'silence'"), 1);
    /* Ended first and made anew later, it is the same silence still. */
    must(world_command(&world, "plan.end", &inspector,
                       json_pack("{s:I, s:s}", "plan", (json_int_t)plan, "reason", "another one")));
    run_for(DAY);
    silent_plan("13:00", 72, 0);
    assert_int_equal(count("SELECT silence_since_at FROM person"), WORLD_START_MS);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'silence'"), 1);
}

static int64_t silences(void)
{
    return count("SELECT count(*) FROM incident WHERE kind = 'silence'");
}

/* Another plan with another limit, from a date on. */
static int64_t silent_from(const char *date, int hours, int64_t replaces)
{
    json_t *more = silent(hours);
    json_object_set_new(more, "first_date", json_string(date));
    if (replaces != 0) {
        json_object_set_new(more, "replaces", json_integer(replaces));
    }
    return world_plan(&world, "13:00", more);
}

/* Midnight of the 24th in the unit's zone, after the world began at nine on the 21st. */
#define UNTIL_THE_24TH (63 * HOUR)

/* What a plan asks for from the 24th on it asks for from then on: neither now nor on the 24th is
 * anything too long by it. */
static void a_limit_is_counted_from_the_beginning_of_its_plan(void **state)
{
    (void)state;
    silent_from("2026-11-24", 24, silent_plan("12:00", 240, 0));
    run_for(UNTIL_THE_24TH - 1);
    assert_int_equal(count("SELECT max_silence_ms FROM person"), 240 * HOUR);
    run_for(24 * HOUR);
    assert_int_equal(count("SELECT max_silence_ms FROM person"), 24 * HOUR);
    assert_int_equal(silences(), 0);
    run_for(1);
    assert_int_equal(silences(), 1);
}

/* It puts nothing off that was due before. */
static void a_plan_to_come_puts_no_alarm_off(void **state)
{
    (void)state;
    silent_from("2026-11-24", 24, silent_plan("12:00", 72, 0));
    run_for(72 * HOUR - 1);
    assert_int_equal(silences(), 0);
    run_for(1);
    assert_int_equal(silences(), 1);
}

/* It served until the 21st, its row is there until the 23rd. */
static void a_plan_that_has_left_limits_no_silence(void **state)
{
    (void)state;
    silent_from("2026-11-22", 48, silent_plan("12:00", 24, 0));
    run_for(48 * HOUR - 1);
    assert_int_equal(silences(), 0);
    run_for(1);
    assert_int_equal(silences(), 1);
}

/* The first plan of all is one to come: the duty begins with it, at midnight. */
static void a_silence_begins_with_the_first_plan(void **state)
{
    (void)state;
    silent_from("2026-11-24", 24, 0);
    assert_int_equal(count("SELECT next_at FROM person"), WORLD_START_MS + UNTIL_THE_24TH);
    run_for(UNTIL_THE_24TH);
    assert_int_equal(count("SELECT silence_since_at FROM person"), WORLD_START_MS + UNTIL_THE_24TH);
    run_for(24 * HOUR - 1);
    assert_int_equal(silences(), 0);
    run_for(1);
    assert_int_equal(silences(), 1);
}

/* What passes while nothing runs is counted from where it passed. */
static void a_plan_begins_while_nothing_runs(void **state)
{
    (void)state;
    silent_from("2026-11-24", 24, silent_plan("12:00", 240, 0));
    run_for(UNTIL_THE_24TH - HOUR);
    world.now.wall.ms += 10 * HOUR;
    world.now.mono.us += 10 * HOUR * 1000;
    world_restart(&world);
    run_for(15 * HOUR - 1);
    assert_int_equal(silences(), 0);
    run_for(1);
    assert_int_equal(silences(), 1);
}

static void the_silence_ends_with_the_order(void **state)
{
    (void)state;
    silent_plan("12:00", 72, 0);
    run_for(2 * HOUR);
    must(world_command(&world, "order.end", &inspector,
                       json_pack("{s:I, s:s, s:s}", "order", (json_int_t)world.order, "date",
                                 "2026-11-21", "reason", "lifted")));
    run_for(4 * DAY);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'silence'"), 0);
    assert_int_equal(count("SELECT count(*) FROM person WHERE silence_since_at IS NULL"), 1);
}

/* ---- the order ---- */

static void end_order(void)
{
    must(world_command(&world, "order.end", &inspector,
                       json_pack("{s:I, s:s, s:s}", "order", (json_int_t)world.order, "date",
                                 "2026-11-21", "reason", "the court lifted it")));
}

static void an_order_that_ends_ends_a_ring(void **state)
{
    (void)state;
    world_plan(&world, "12:00", NULL);
    run_for(3 * HOUR + 5 * MINUTE);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'ringing'"), 1);
    end_order();
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state <> 'done'"), 0);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome <> 'waived'"), 0);
    assert_int_equal(
        count("SELECT count(*) FROM notice WHERE state IN ('queued', 'failed_temp', 'unknown')"),
        0);
    run_for(DAY);
    assert_int_equal(count("SELECT count(*) FROM incident"), 0);
}

static void an_order_that_ends_lets_a_call_go_on(void **state)
{
    (void)state;
    world_plan(&world, "12:00", NULL);
    run_for(3 * HOUR + MINUTE);
    int64_t id = count("SELECT id FROM checkin WHERE state = 'ringing'");
    answer(id);
    end_order();
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'connected'"), 1);
    assert_int_equal(count("SELECT mandatory FROM checkin WHERE state = 'connected'"), 0);
    assert_int_equal(world_records(&world, "CHECKIN_ORDER_OVER"), 1);
    hang_up(id);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'completed' AND "
                           "mandatory = 0"),
                     1);
}

static void an_order_that_ends_leaves_a_miss_as_it_is(void **state)
{
    (void)state;
    world_plan(&world, "12:00", NULL);
    run_for(3 * HOUR + 30 * MINUTE);
    end_order();
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'ringing'"), 1);
    run_for(4 * HOUR);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'no_answer'"), 1);
    assert_int_equal(count("SELECT count(*) FROM incident WHERE kind = 'no_contact'"), 1);
}

static void an_order_that_ends_ends_what_was_demanded_beside_plans(void **state)
{
    (void)state;
    must(world_command(&world, "checkin.on_demand", &inspector,
                       json_pack("{s:I, s:s, s:s}", "person", (json_int_t)world.person, "reason",
                                 "r", "kind", "live")));
    run_for(2 * MINUTE);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'ringing'"), 1);
    end_order();
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state <> 'done'"), 0);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'waived'"), 1);
}

static void an_order_that_ends_ends_the_make_up_of_an_ended_plan(void **state)
{
    (void)state;
    int64_t plan = world_plan(&world, "12:00", NULL);
    run_for(3 * HOUR + MINUTE);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state = 'ringing'"), 1);
    must(world_command(&world, "plan.end", &inspector,
                       json_pack("{s:I, s:s}", "plan", (json_int_t)plan, "reason", "another one")));
    world.probe = false;
    run_for(30 * MINUTE);
    world.probe = true;
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE outcome = 'system_fault'"), 1);
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state <> 'done' AND make_up_of IS "
                           "NOT NULL AND plan_id IS NOT NULL"),
                     1);
    end_order();
    assert_int_equal(count("SELECT count(*) FROM checkin WHERE state <> 'done'"), 0);
    assert_int_equal(
        count("SELECT count(*) FROM checkin WHERE outcome = 'waived' AND make_up_of IS "
              "NOT NULL"),
        1);
}

/* ---- the end ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_band_reaches_what_is_planned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_higher_band_reaches_what_rings_and_what_was_missed,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missed_one_that_is_over_gets_its_safety_row, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_began_in_a_higher_band_keeps_to_its_ladder, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_make_up_is_of_whoever_the_person_is_now, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_blackout_is_entered_while_one_is_missed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_blackout_is_entered_during_a_ring_and_a_call, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_long_blackout_leaves_nothing_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_plan_goes_on_with_the_same_silence, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_limit_is_counted_from_the_beginning_of_its_plan, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_plan_to_come_puts_no_alarm_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plan_that_has_left_limits_no_silence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_silence_begins_with_the_first_plan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plan_begins_while_nothing_runs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_silence_ends_with_the_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_order_that_ends_ends_a_ring, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_order_that_ends_lets_a_call_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_order_that_ends_leaves_a_miss_as_it_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_order_that_ends_ends_what_was_demanded_beside_plans,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_order_that_ends_ends_the_make_up_of_an_ended_plan,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_blackout_that_ends_early_gives_back_what_it_took, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_blackout_gives_back_what_the_plan_still_serves, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_blackout_gives_back_no_more_than_the_order_allows, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_hour_at_court_leaves_the_rest_of_the_day, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
