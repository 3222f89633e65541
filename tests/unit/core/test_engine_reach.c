/* Storms, tests of contact paths, browsers and telephones, through the engine. The world begins on
 * Saturday 21 November 2026 at 09:00 in Almaty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/config/config.h"
#include "daemon/core/rules.h"
#include "daemon/store/path.h"
#include "daemon/store/push.h"
#include "protocol/base/error.h"
#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static int sends(const struct world *world, const char *channel, const char *template)
{
    int count = 0;
    for (size_t i = 0; i < world->output_count; i++) {
        const json_t *body = world->outputs[i].body;
        count += world->outputs[i].kind == CK_OUTPUT_SEND &&
                 strcmp(json_string_value(json_object_get(body, "channel")), channel) == 0 &&
                 strcmp(json_string_value(json_object_get(body, "template")), template) == 0;
    }
    return count;
}

static void receipt(struct world *world, int64_t notice, const char *word)
{
    const struct ck_actor gateway = {.kind = CK_ACTOR_GATEWAY};
    assert_int_equal(
        world_command(world, "notice.receipt", &gateway,
                      json_pack("{s:I, s:s}", "notice", (json_int_t)notice, "receipt", word)),
        0);
}

/* ---- storms ---- */

/* `count` persons more, each with a plan at 09:10 that nobody answers. */
static void crowd_at(struct world *world, int count, const char *time)
{
    for (int i = 0; i < count; i++) {
        world_another_person(world);
        world_plan(world, time, NULL);
    }
    world->person = world->order = 1;
}

static void crowd(struct world *world, int count)
{
    world_plan(world, "09:10", NULL);
    crowd_at(world, count, "09:10");
}

static void many_at_once_are_told_together(void **state)
{
    struct world *world = *state;
    crowd(world, 24);
    world_run_for(world, 30 * MINUTE + 1000);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'no_contact'"),
                     25);
    /* One question to ourselves, with what we know about us. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'system'"), 1);
    assert_string_equal(world_text(world, "SELECT substr(text, 1, 24) FROM incident_line "
                                          "WHERE what = 'storm_facts'"),
                        "probe=1 worker=1 clock=1");
    /* The first ones came one by one; then every incident is in a digest of the inspector's. */
    int alone = sends(world, "email", "incident");
    assert_true(alone < 25);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT incident_id) FROM digest_item") +
                         world_number(world, "SELECT count(DISTINCT n.incident_id) FROM notice n "
                                             "JOIN incident i ON i.id = n.incident_id "
                                             "WHERE i.kind = 'no_contact'"),
                     25);
    assert_int_equal(
        world_number(world, "SELECT count(*) FROM (SELECT staff_id, channel, count(*) AS n FROM "
                            "notice WHERE template = 'digest' AND staff_id = 1 "
                            "GROUP BY staff_id, channel HAVING n > 2)"),
        0);
    /* And the log says of each person that somebody was told, alone or with the others. */
    assert_int_equal(
        world_number(world, "SELECT count(DISTINCT person_id) FROM log_plain l JOIN log_entry e ON "
                            "e.idx = l.idx WHERE (action = 'NOTICE_QUEUED' AND json_extract("
                            "CAST(e.leaf AS TEXT), '$.open.template') = 'incident') OR action = "
                            "'INCIDENT_IN_DIGEST'"),
        25);
    assert_int_equal(world_number(world, "SELECT count(*) FROM digest_item d WHERE NOT EXISTS "
                                         "(SELECT 1 FROM log_plain l WHERE l.action = "
                                         "'INCIDENT_IN_DIGEST' AND l.object_id = d.incident_id)"),
                     0);
    /* One message for all of them, and none is left behind. */
    assert_int_equal(sends(world, "email", "digest"), 1);
    world_run_for(world, 6 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE template = 'digest' "
                                         "AND state = 'queued'"),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action = 'STORM'"),
                     1);
    /* And a storm has an end. */
    world_run_for(world, 40 * MINUTE);
    assert_int_equal(
        world_number(world, "SELECT count(*) FROM log_plain WHERE action = 'STORM_OVER'"), 1);
}

/* Each browser of somebody tells all that a digest tells, and they are one digest to the reader. */
static void a_digest_is_told_by_every_browser(void **state)
{
    struct world *world = *state;
    struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    world_execute(world, "UPDATE staff SET email = NULL");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_command(world, "push.subscribe", &inspector,
                                       json_pack("{s:s}", "subscription",
                                                 i == 0 ? "{\"desk\":1}" : "{\"bag\":1}")),
                         0);
    }
    crowd(world, 24);
    world_run_for(world, 36 * MINUTE);
    assert_true(world_number(world, "SELECT count(*) FROM notice WHERE template = 'digest' AND "
                                    "channel = 'web_push'") > 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice n WHERE template = 'digest' "
                                         "AND channel <> 'webhook' AND NOT EXISTS (SELECT 1 FROM "
                                         "digest_item d WHERE d.notice_id = n.id)"),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM (SELECT 1 FROM digest_item d JOIN "
                                         "notice n ON n.id = d.notice_id WHERE channel = "
                                         "'web_push' GROUP BY d.incident_id, d.fire HAVING "
                                         "count(DISTINCT n.address) <> 2)"),
                     0);
    /* None waits for the other: the first ones leave together. */
    assert_int_equal(world_number(world, "SELECT count(DISTINCT accepted_at / 60000) FROM notice "
                                         "WHERE template = 'digest' AND channel = 'web_push' AND "
                                         "fire = 1"),
                     1);
}

/* A ladder of one step, to the inspector: by mail, and then (`and_then`) by the console. */
static void by_mail(struct world *world, bool and_then)
{
    int64_t second = world_colleague(world, "second", CK_ROLE_SUPERVISOR, true);
    const struct ck_actor supervisor = world_staff(world, second, CK_ROLE_SUPERVISOR);
    json_t *ladder = json_pack(
        "{s:[{s:[{s:s}], s:[s, s], s:b, s:i, s:i, s:i}], s:i, s:b, s:i, s:b}", "steps", "targets",
        "kind", "inspector", "channels", "email", and_then ? "console" : "web_push", "parallel", 0,
        "ack_timeout_s", 1800, "rounds", 1, "min_interval_s", 60, "ack_hold_s", 1800,
        "late_answer_calms", 1, "calm_interval_s", 43200, "quiet_hours", 0);
    assert_int_equal(
        world_command(world, "approved.ladder", &supervisor,
                      json_pack("{s:i, s:I, s:I, s:i, s:{s:s, s:b, s:o}, s:s}", "approval", 1,
                                "proposer", (json_int_t)world->supervisor, "unit",
                                (json_int_t)world->unit, "person", 0, "request", "band", "medium",
                                "apply_open", 0, "ladder", ladder, "reason", "r")),
        0);
}

/* A digest whose channel takes nothing goes over the next one: the log says of each incident in it
 * that it is told there, too. */
static void a_digest_goes_to_the_next_channel_with_all_its_incidents(void **state)
{
    struct world *world = *state;
    by_mail(world, true);
    crowd(world, 24);
    world_run_for(world, 20 * MINUTE);
    world->channels_up = false;
    world_run_for(world, 10 * MINUTE);
    /* Another one waits for the console already: it takes in what the lost one tells. */
    world_execute(world,
                  "INSERT INTO notice (reference, incident_id, step, fire, staff_id, channel, "
                  "template, language, address, state, machine, created_at, deadline_at, next_at, "
                  "receipts) SELECT 'N-TEST', incident_id, step, fire + 1000, staff_id, 'console', "
                  "template, language, 'console', 'queued', machine, created_at, deadline_at + "
                  "7200000, created_at + 7200000, receipts FROM notice WHERE template = 'digest' "
                  "AND channel = 'email'");
    world_run_for(world, 6 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE reference = 'N-TEST'"),
                     1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice n WHERE template = 'digest' "
                                         "AND channel <> 'webhook' AND NOT EXISTS (SELECT 1 FROM "
                                         "digest_item d WHERE d.notice_id = n.id)"),
                     0);
#define ITEMS                                                                                      \
    "SELECT count(*) FROM digest_item d JOIN notice n ON n.id = d.notice_id WHERE channel = "
    assert_true(world_number(world, ITEMS "'email'") > 0);
    assert_int_equal(world_number(world, ITEMS "'console'"), world_number(world, ITEMS "'email'"));
    assert_int_equal(world_records(world, "INCIDENT_IN_DIGEST"),
                     world_number(world, "SELECT count(*) FROM digest_item"));
}

/* Nothing is taken for as long as it is of use: no gateway says so for good, and nobody was told
 * all the same. */
static void what_is_put_off_until_it_expires_reaches_nobody(void **state)
{
    struct world *world = *state;
    by_mail(world, false);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 20 * MINUTE);
    world->channels_up = false;
    world_run_for(world, 50 * MINUTE);
    assert_true(world_number(world, "SELECT count(*) FROM notice WHERE incident_id = 1 AND state = "
                                    "'expired'") > 0);
    assert_true(world_records(world, "INCIDENT_STEP_SKIPPED") > 0);
    assert_true(world_records(world, "INCIDENT_NOBODY_REACHED") > 0);
}

/* A limit delays and never drops, and whoever opens the incident sees until when. */
static void a_limit_that_delays_is_seen_in_the_incident(void **state)
{
    struct world *world = *state;
    const struct ck_actor gateway = {.kind = CK_ACTOR_GATEWAY};
    static const char on_its_way[] =
        "SELECT ifnull(max(id), 0) FROM notice WHERE incident_id = 1 AND state = 'sending'";
    by_mail(world, false);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 20 * MINUTE);
    world->mute = true;
    for (int try = 1; try <= 2; try++) {
        for (int minute = 0; minute < 60 && world_number(world, on_its_way) == 0; minute++) {
            world_run_for(world, MINUTE);
        }
        assert_int_equal(
            world_command(world, "notice.result", &gateway,
                          json_pack("{s:I, s:i, s:s, s:i}", "notice",
                                    (json_int_t)world_number(world, on_its_way), "try", try,
                                    "result", "limited", "retry_after_ms", 240000)),
            0);
        assert_int_equal(world_records(world, "NOTICE_DELAYED"), try);
        assert_int_equal(world_number(world, "SELECT count(*) FROM incident_line WHERE what = "
                                             "'notice_delayed'"),
                         1);
        assert_int_equal(world_number(world,
                                      "SELECT count(*) FROM incident_line l JOIN notice n ON "
                                      "n.id = l.notice_id WHERE l.incident_id = 1 AND l.what = "
                                      "'notice_delayed' AND l.staff_id = n.staff_id AND "
                                      "unixepoch(l.text) * 1000 = n.next_at / 1000 * 1000"),
                         1);
    }
}

#define DIGEST_MORE 600

/* Many more incidents than are read at a time stand in one digest, and its only way is lost: each
 * of them goes on to its next step. */
static void a_lost_digest_loses_none_of_its_incidents(void **state)
{
    struct world *world = *state;
    const struct ck_actor gateway = {.kind = CK_ACTOR_GATEWAY};
    static char sql[900];
    by_mail(world, false);
    crowd(world, 24);
    world_run_for(world, 30 * MINUTE + 1000);
    int64_t digest = world_number(world, "SELECT notice_id FROM digest_item LIMIT 1");
    int64_t before = world_number(world, "SELECT max(id) FROM incident");
    /* Like one that stands in it, and not due for a day. */
    snprintf(sql, sizeof sql,
             "INSERT INTO incident (person_id, unit_id, inspector_id, kind, severity, outcome, "
             "opened_at, state, policy_id, machine, step, steps, next_at, next_what) WITH "
             "RECURSIVE n (v) AS (VALUES (1) UNION ALL SELECT v + 1 FROM n WHERE v < %d) SELECT "
             "i.person_id, i.unit_id, i.inspector_id, i.kind, i.severity, i.outcome, i.opened_at, "
             "i.state, i.policy_id, i.machine, i.step, i.steps, i.next_at + 86400000, i.next_what "
             "FROM n, incident i WHERE i.id = (SELECT min(incident_id) FROM digest_item WHERE "
             "notice_id = %lld); INSERT INTO digest_item SELECT %lld, id, json_extract(machine, "
             "'$.fired') FROM incident WHERE id > %lld",
             DIGEST_MORE, (long long)digest, (long long)digest, (long long)before);
    world_execute(world, sql);
    assert_int_equal(
        world_command(world, "notice.receipt", &gateway,
                      json_pack("{s:I, s:s}", "notice", (json_int_t)digest, "receipt", "failed")),
        0);
    snprintf(sql, sizeof sql,
             "SELECT count(DISTINCT object_id) FROM log_plain WHERE action = "
             "'INCIDENT_STEP_SKIPPED' AND object_id > %lld",
             (long long)before);
    assert_int_equal(world_number(world, sql), DIGEST_MORE);
}

/* The question of the first is still open: what we know about ourselves in the second goes into the
 * second's own. */
static void a_second_storm_has_a_question_of_its_own(void **state)
{
    struct world *world = *state;
    crowd(world, 24);
    world_run_for(world, 75 * MINUTE);
    assert_int_equal(
        world_number(world, "SELECT count(*) FROM log_plain WHERE action = 'STORM_OVER'"), 1);
    world_forget(world);
    crowd_at(world, 24, "10:40");
    world_run_for(world, 46 * MINUTE);
    int64_t storms = world_number(world, "SELECT count(*) FROM log_plain WHERE action = 'STORM'");
    assert_true(storms >= 2);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'system' AND "
                                         "state = 'open'"),
                     storms);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT incident_id) FROM incident_line "
                                         "WHERE what = 'storm_facts'"),
                     storms);
}

static void nothing_is_a_storm_where_the_rules_say_so(void **state)
{
    struct world *world = *state;
    struct ck_house_rules rules = ck_house_rules_default();
    rules.storm.incidents = UINT32_MAX;
    world->rules = &rules;
    world_restart(world);
    crowd(world, 24);
    world_run_for(world, 30 * MINUTE + 1000);
    assert_int_equal(sends(world, "email", "incident"), 25);
    assert_int_equal(world_number(world, "SELECT count(*) FROM digest_item"), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action = 'STORM'"),
                     0);
}

/* ---- taking back ---- */

/* What is leaving while the person answers cannot be stopped; where it did not get through it is
 * not sent again. */
static void nobody_is_rung_after_the_answer(void **state)
{
    struct world *world = *state;
    const struct ck_actor gateway = {.kind = CK_ACTOR_GATEWAY};
    world_plan(world, "09:10", NULL);
    world->mute = true;
    world_run_for(world, 10 * MINUTE + 1000);
    static const char sending[] = "SELECT count(*) FROM notice WHERE state = 'sending'";
    static const char one[] = "SELECT min(id) FROM notice WHERE state = 'sending'";
    assert_int_equal(world_number(world, sending), 2); /* SMS and mail */
    int64_t refused = world_number(world, one);
    const struct ck_actor person = world_person(world, 1);
    assert_int_equal(world_command(world, "checkin.declined", &person,
                                   json_pack("{s:i, s:s}", "checkin", 1, "reason", "at work")),
                     0);
    assert_int_equal(world_command(world, "notice.result", &gateway,
                                   json_pack("{s:I, s:i, s:s}", "notice", (json_int_t)refused,
                                             "try", 1, "result", "refused")),
                     0);
    world_run_for(world, 10 * MINUTE); /* of the other nothing is heard */
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE checkin_id = 1 AND "
                                         "person_id = 1 AND state = 'cancelled' AND tries = 1"),
                     2);
}

/* ---- the time of a try ---- */

static void nothing_goes_out_twice_while_it_may_still_be_on_its_way(void **state)
{
    (void)state;
    static struct ck_config config; /* it is big */
    int64_t *const timeouts[] = {&config.smtp.timeout_ms, &config.sms.timeout_ms,
                                 &config.voice.timeout_ms, &config.webhook_common.timeout_ms,
                                 &config.web_push.timeout_ms};
    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
        *timeouts[i] = MINUTE; /* as long as a configuration may say */
        struct ck_house_rules rules = ck_house_rules_of(&config);
        assert_true(rules.notice.send_timeout_ms > CK_NOTICE_WAIT_MAX_MS + MINUTE);
        *timeouts[i] = 0;
    }
}

/* ---- receipts ---- */

/* What a gateway tells later it may tell under the number that it gave itself. */
static void a_receipt_finds_its_notice_by_the_gateways_number(void **state)
{
    struct world *world = *state;
    const struct ck_actor gateway = {.kind = CK_ACTOR_GATEWAY};
    static const char of_sms[] = "SELECT state FROM notice WHERE channel = 'sms'";
    static const struct {
        const char *channel, *number, *receipt;
        int code;
        const char *then;
    } told[] = {
        {"sms", "m-18", "delivered", CK_E_NOT_FOUND, "accepted"},
        {"voice", "m-17", "delivered", CK_E_NOT_FOUND, "accepted"},
        {"sms", "m-17", "delivered", 0, "delivered"},
        {"sms", "m-17", "failed", 0, "delivered"}, /* out of order: never a step back */
    };
    world->mute = true;
    world_plan(world, "09:10", NULL);
    world_run_for(world, 10 * MINUTE + 1000);
    assert_int_equal(
        world_command(world, "notice.result", &gateway,
                      json_pack("{s:I, s:i, s:s, s:s}", "notice",
                                (json_int_t)world_number(world, "SELECT id FROM notice WHERE "
                                                                "channel = 'sms'"),
                                "try", 1, "result", "accepted", "provider_id", "m-17")),
        0);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        assert_int_equal(
            world_command(world, "notice.receipt", &gateway,
                          json_pack("{s:s, s:s, s:s}", "channel", told[i].channel, "provider_id",
                                    told[i].number, "receipt", told[i].receipt)),
            told[i].code);
        assert_string_equal(world_text(world, of_sms), told[i].then);
    }
    /* The check-in knows that it was delivered. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM fact WHERE checkin_id = 1 AND fact "
                                         "= 'notice_delivered'"),
                     1);
}

/* ---- contact paths ---- */

static void every_way_is_tested_once_a_week_by_day(void **state)
{
    struct world *world = *state;
    /* The sweep is part of the housekeeping that a health report brings about. */
    world_run_for(world, 10 * MINUTE);
    /* Staff have mail addresses; the person a mail address and a telephone, which takes messages
     * and calls. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM contact_path"), 6);
    assert_int_equal(world_number(world, "SELECT count(*) FROM contact_path "
                                         "WHERE state = 'untested'"),
                     6);
    /* Due in the evening, at 20:00, or at night, at 03:00: they wait for the day. */
    char sql[160];
    snprintf(sql, sizeof sql,
             "UPDATE contact_path SET next_at = %lld + (CASE id %% 2 WHEN 0 THEN 11 ELSE 18 END) * "
             "3600000",
             (long long)WORLD_START_MS);
    world_execute(world, sql);
    world_run_for(world, 8 * DAY);
    /* Calls have receipts, and none came. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM contact_path WHERE state = 'ok' AND "
                                         "channel <> 'voice'"),
                     5);
    int64_t tests = world_number(world, "SELECT count(*) FROM notice "
                                        "WHERE template = 'contact_test'");
    assert_in_range(tests, 6, 12);
    assert_int_equal(world_number(world, "SELECT count(*) FROM contact_path WHERE channel <> "
                                         "'voice' AND next_at - tested_at = 7 * 86400000"),
                     5);
    /* Between 10:00 and 17:00 in Almaty, five hours ahead. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE template = "
                                         "'contact_test' AND ((created_at / 3600000 + 5) % 24 < 10 "
                                         "OR (created_at / 3600000 + 5) % 24 >= 17)"),
                     0);
}

/* A gateway that says "taken" to everything and delivers nothing. */
static void a_test_without_its_receipt_has_failed(void **state)
{
    static const char of_voice[] = "SELECT %s FROM contact_path WHERE channel = 'voice'";
    struct world *world = *state;
    char sql[3][128];
    static const char *const columns[] = {"state", "failure", "notice_id"};
    for (int i = 0; i < 3; i++) {
        snprintf(sql[i], sizeof sql[i], of_voice, columns[i]);
    }
    world_run_for(world, 10 * MINUTE);
    const struct ck_actor supervisor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    for (int failures = 1; failures <= 2; failures++) {
        assert_int_equal(world_command(world, "path.test", &supervisor,
                                       json_pack("{s:i, s:I, s:s}", "staff", 0, "person",
                                                 (json_int_t)world->person, "channel", "voice")),
                         0);
        world_run_for(world, 6 * HOUR - MINUTE);
        assert_string_equal(world_text(world, sql[0]), "testing");
        world_run_for(world, 2 * MINUTE);
        assert_string_equal(world_text(world, sql[0]), "failed");
        assert_string_equal(world_text(world, sql[1]), "no receipt came");
        assert_int_equal(world_records(world, "CONTACT_PATH_FAILED"), failures);
    }
    /* One that comes after all counts. */
    receipt(world, world_number(world, sql[2]), "delivered");
    assert_string_equal(world_text(world, sql[0]), "ok");
}

/* Persons are looked at some at a time, however many there are, and all of them in one round. */
static void ways_of_many_are_found_page_by_page(void **state)
{
    struct world *world = *state;
    world_another_person(world);
    world_execute(world, "PRAGMA foreign_keys = OFF; UPDATE person SET id = 1700 WHERE id = 2; "
                         "UPDATE contact_order SET person_id = 1700 WHERE person_id = 2; UPDATE "
                         "person SET email = 'x@example.kz' WHERE id = 1700");
    world_run_for(world, 1000);
    assert_true(world_number(world, "SELECT count(*) FROM contact_path WHERE person_id = 1") > 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM contact_path WHERE person_id > 1"),
                     0);
    world_run_for(world, MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM contact_path WHERE person_id = "
                                         "1700 AND channel = 'email'"),
                     1);
}

static void who_cannot_be_reached_is_shown(void **state)
{
    struct world *world = *state;
    const struct ck_actor supervisor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    world_run_for(world, 10 * MINUTE);
    world->mute = true;
    assert_int_equal(world_command(world, "path.test", &supervisor,
                                   json_pack("{s:i, s:I, s:s}", "staff", 0, "person",
                                             (json_int_t)world->person, "channel", "email")),
                     0);
    world_run_for(world, 1000);
    int64_t notice = world_number(world, "SELECT notice_id FROM contact_path WHERE person_id = 1 "
                                         "AND channel = 'email'");
    const struct ck_actor gateway = {.kind = CK_ACTOR_GATEWAY};
    assert_int_equal(
        world_command(world, "notice.result", &gateway,
                      json_pack("{s:I, s:i, s:s, s:s}", "notice", (json_int_t)notice, "try", 1,
                                "result", "rejected", "detail", "no such mailbox")),
        0);
    assert_string_equal(world_text(world, "SELECT failure FROM contact_path WHERE person_id = 1 "
                                          "AND channel = 'email'"),
                        "no such mailbox");
    json_t *page = NULL;
    assert_int_equal(ck_query_paths(world->reader, world->unit, &page), 0);
    assert_int_equal(json_array_size(json_object_get(page, "unreachable")), 0); /* SMS is left */
    const json_t *first = json_array_get(json_object_get(page, "paths"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "state")), "failed");
    json_decref(page);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 0);
    static const char *const left[] = {"voice", "sms", "sms"};
    for (int i = 0; i < 3; i++) { /* the last way, twice: one matter */
        char sql[128];
        assert_int_equal(world_command(world, "path.test", &supervisor,
                                       json_pack("{s:i, s:I, s:s}", "staff", 0, "person",
                                                 (json_int_t)world->person, "channel", left[i])),
                         0);
        world_run_for(world, 1000);
        snprintf(sql, sizeof sql,
                 "SELECT notice_id FROM contact_path WHERE person_id = 1 AND channel = '%s'",
                 left[i]);
        notice = world_number(world, sql);
        assert_int_equal(
            world_command(world, "notice.result", &gateway,
                          json_pack("{s:I, s:i, s:s, s:s}", "notice", (json_int_t)notice, "try", 1,
                                    "result", "rejected", "detail", "no such number")),
            0);
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'system' AND "
                                         "person_id = 1 AND cause LIKE 'no way reaches person %'"),
                     1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 1);
    assert_int_equal(ck_query_paths(world->reader, world->unit, &page), 0);
    assert_int_equal(json_array_size(json_object_get(page, "unreachable")), 1);
    json_decref(page);
    assert_int_equal(world_command(world, "path.test", &supervisor,
                                   json_pack("{s:i, s:I, s:s}", "staff", 0, "person",
                                             (json_int_t)world->person, "channel", "web_push")),
                     CK_E_NOT_FOUND);
}

/* ---- browsers and telephones ---- */

static void a_browser_that_subscribed_is_told(void **state)
{
    struct world *world = *state;
    struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    struct ck_actor person = world_person(world, 0);
    world_execute(world, "UPDATE staff SET email = NULL");
    assert_int_equal(world_command(world, "push.subscribe", &inspector,
                                   json_pack("{s:s}", "subscription", "{\"desk\":1}")),
                     0);
    assert_int_equal(world_command(world, "push.subscribe", &person,
                                   json_pack("{s:s}", "subscription", "{\"phone\":1}")),
                     0);
    for (int i = 0; i < 7; i++) { /* only so many browsers are kept */
        char text[32];
        snprintf(text, sizeof text, "{\"other\":%d}", i);
        assert_int_equal(world_command(world, "push.subscribe", &person,
                                       json_pack("{s:s}", "subscription", text)),
                         0);
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM push WHERE person_id = 1"),
                     CK_PUSH_BROWSERS_MAX);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 11 * MINUTE);
    assert_int_equal(sends(world, "web_push", "ring"), CK_PUSH_BROWSERS_MAX);
    world_run_for(world, 20 * MINUTE);
    assert_int_equal(sends(world, "web_push", "incident"), 1);

    /* A browser that has gone is forgotten. */
    int64_t notice = world_number(world, "SELECT max(id) FROM notice WHERE channel = 'web_push' "
                                         "AND staff_id IS NOT NULL");
    const struct ck_actor gateway = {.kind = CK_ACTOR_GATEWAY};
    world_command(
        world, "notice.result", &gateway,
        json_pack("{s:I, s:i, s:s}", "notice", (json_int_t)notice, "try", 1, "result", "rejected"));
    assert_int_equal(world_number(world, "SELECT count(*) FROM push WHERE staff_id IS NOT NULL"),
                     1); /* this notice was no good; the browser is still there */
    world_command(world, "notice.result", &gateway,
                  json_pack("{s:I, s:i, s:s, s:b}", "notice", (json_int_t)notice, "try", 1,
                            "result", "rejected", "gone", 1));
    assert_int_equal(world_number(world, "SELECT count(*) FROM push WHERE staff_id IS NOT NULL"),
                     0);
    assert_int_equal(world_command(world, "push.unsubscribe", &person,
                                   json_pack("{s:s}", "subscription", "{\"other\":6}")),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM push"), CK_PUSH_BROWSERS_MAX - 1);
}

static void a_key_on_the_officers_telephone_takes_it_over(void **state)
{
    struct world *world = *state;
    world_execute(world, "UPDATE staff SET phone = '+77010000077' WHERE login = 'officer'");
    world_plan(world, "09:10", NULL);
    world_run_for(world, 30 * MINUTE); /* the person's telephone rings with the last attempt */
    assert_int_equal(sends(world, "voice", "ring"), 1);
    world_run_for(world, 16 * MINUTE); /* the duty officer is called */
    int64_t notice = world_number(world, "SELECT max(id) FROM notice WHERE channel = 'voice' "
                                         "AND staff_id IS NOT NULL");
    receipt(world, notice, "delivered");
    assert_string_equal(world_text(world, "SELECT state FROM incident WHERE id = 1"), "open");
    /* Another gateway, which never carried it, says nothing about it. */
    const struct ck_actor gateway = {.kind = CK_ACTOR_GATEWAY};
    char reference[64];
    snprintf(reference, sizeof reference, "%s",
             world_text(world,
                        "SELECT reference FROM notice WHERE id = (SELECT max(id) FROM notice "
                        "WHERE channel = 'voice' AND staff_id IS NOT NULL)"));
    assert_int_equal(world_command(world, "notice.receipt", &gateway,
                                   json_pack("{s:s, s:s, s:s}", "channel", "sms", "reference",
                                             reference, "receipt", "read")),
                     CK_E_NOT_FOUND);
    assert_string_equal(world_text(world, "SELECT state FROM incident WHERE id = 1"), "open");
    receipt(world, notice, "read");
    assert_string_equal(world_text(world, "SELECT state FROM incident WHERE id = 1"),
                        "acknowledged");
    assert_int_equal(world_number(world, "SELECT holder_id FROM incident WHERE id = 1"),
                     world->officer);
    receipt(world, notice, "read"); /* doubled: nothing more */
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident_line "
                                         "WHERE what = 'acknowledged_phone'"),
                     1);
    /* The person's own telephone takes nothing over. */
    notice = world_number(world, "SELECT max(id) FROM notice WHERE channel = 'voice' "
                                 "AND person_id IS NOT NULL");
    receipt(world, notice, "read");
    assert_int_equal(world_number(world, "SELECT holder_id FROM incident WHERE id = 1"),
                     world->officer);
}

static void a_key_takes_nothing_from_whoever_was_first(void **state)
{
    struct world *world = *state;
    const struct ck_actor first = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    world_execute(world, "UPDATE staff SET phone = '+77010000077' WHERE login = 'officer'");
    world_plan(world, "09:10", NULL);
    world_run_for(world, 46 * MINUTE);
    int64_t notice = world_number(world, "SELECT max(id) FROM notice WHERE channel = 'voice' "
                                         "AND staff_id IS NOT NULL");
    assert_int_equal(
        world_command(world, "incident.acknowledge", &first, json_pack("{s:i}", "incident", 1)), 0);
    receipt(world, notice, "read");
    assert_int_equal(world_number(world, "SELECT holder_id FROM incident WHERE id = 1"),
                     world->supervisor);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident_line "
                                         "WHERE what = 'acknowledged_phone'"),
                     0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(many_at_once_are_told_together),
        TEST(a_digest_is_told_by_every_browser),
        TEST(a_digest_goes_to_the_next_channel_with_all_its_incidents),
        TEST(a_limit_that_delays_is_seen_in_the_incident),
        TEST(a_lost_digest_loses_none_of_its_incidents),
        TEST(what_is_put_off_until_it_expires_reaches_nobody),
        TEST(a_second_storm_has_a_question_of_its_own),
        TEST(nothing_is_a_storm_where_the_rules_say_so),
        cmocka_unit_test(nothing_goes_out_twice_while_it_may_still_be_on_its_way),
        TEST(nobody_is_rung_after_the_answer),
        TEST(a_receipt_finds_its_notice_by_the_gateways_number),
        TEST(every_way_is_tested_once_a_week_by_day),
        TEST(a_test_without_its_receipt_has_failed),
        TEST(ways_of_many_are_found_page_by_page),
        TEST(who_cannot_be_reached_is_shown),
        TEST(a_browser_that_subscribed_is_told),
        TEST(a_key_on_the_officers_telephone_takes_it_over),
        TEST(a_key_takes_nothing_from_whoever_was_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
