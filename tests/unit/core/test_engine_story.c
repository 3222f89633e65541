/* Whole stories in simulated time, through the engine as it runs in the product. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/device.h"
#include "daemon/store/query_checkin.h"
#include "daemon/store/query_incident.h"
#include "protocol/base/error.h"
#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)

static int count_text(struct world *world, const char *channel, const char *template)
{
    int count = 0;
    for (size_t i = 0; i < world->output_count; i++) {
        const json_t *body = world->outputs[i].body;
        if (world->outputs[i].kind == CK_OUTPUT_SEND &&
            strcmp(json_string_value(json_object_get(body, "channel")), channel) == 0 &&
            strcmp(json_string_value(json_object_get(body, "template")), template) == 0) {
            count++;
        }
    }
    return count;
}

static void nobody_answers_and_the_ladder_climbs(void **state)
{
    struct world *world = *state;
    const struct ck_actor officer = world_staff(world, world->officer, CK_ROLE_OFFICER);
    world_plan(world, "09:10", NULL);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin"), 15);
    world_forget(world);

    /* Due at 09:10: rings at 0, 5 and 10 minutes by SMS and e-mail. */
    world_run_for(world, 10 * MINUTE);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"), "ringing");
    world_run_for(world, 12 * MINUTE);
    assert_int_equal(count_text(world, "sms", "ring"), 3);
    assert_int_equal(count_text(world, "email", "ring"), 3);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 0);

    /* Grace ends at 20 minutes: the incident is there at once, and the inspector is told by every
     * channel. */
    world_run_for(world, 8 * MINUTE + 1000);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 1);
    assert_string_equal(world_text(world, "SELECT outcome FROM incident"), "no_answer");
    assert_int_equal(count_text(world, "console", "incident"), 1);
    assert_int_equal(count_text(world, "email", "incident"), 1);
    assert_int_equal(count_text(world, "webhook", "incident"), 1);

    /* Not taken over: the duty officer, then the supervisor and the duty officer, again and
     * again. */
    world_forget(world);
    world_run_for(world, 16 * MINUTE);
    assert_int_equal(count_text(world, "console", "incident"), 1);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT staff_id) FROM notice "
                                         "WHERE incident_id = 1 AND staff_id IS NOT NULL"),
                     2);
    world_run_for(world, 60 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT staff_id) FROM notice "
                                         "WHERE incident_id = 1 AND staff_id IS NOT NULL"),
                     3);
    int64_t fires = world_number(world, "SELECT max(fire) FROM notice WHERE incident_id = 1");
    world_run_for(world, 60 * MINUTE);
    assert_true(world_number(world, "SELECT max(fire) FROM notice WHERE incident_id = 1") >=
                fires + 3);

    /* The late limit has come meanwhile: the one outcome, provable. */
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"), "no_answer");
    assert_true(world_number(world, "SELECT answerable_ms FROM checkin WHERE id = 1") >= 800000);

    /* An officer takes it over: silence. Then concludes it. */
    assert_int_equal(world_command(world, "incident.acknowledge", &officer,
                                   json_pack("{s:i, s:s}", "incident", 1, "note", "on my way")),
                     0);
    world_forget(world);
    world_run_for(world, 20 * MINUTE);
    assert_int_equal(count_text(world, "console", "incident"), 0);
    assert_int_equal(world_command(world, "incident.conclude", &officer,
                                   json_pack("{s:i, s:s, s:s}", "incident", 1, "conclusion",
                                             "breach", "reason", "was at home and slept")),
                     0);
    assert_string_equal(world_text(world, "SELECT state FROM incident"), "closed");
    assert_int_equal(
        world_command(world, "incident.acknowledge", &officer, json_pack("{s:i}", "incident", 1)),
        CK_E_CONFLICT);
    world_run_for(world, 120 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 1);
    world_verify_log(world);
}

/* How often the log says that a part of ours failed, or works again. */
static int64_t faults_in_log(struct world *world, const char *action, const char *fault)
{
    char query[256];
    snprintf(query, sizeof query,
             "SELECT count(*) FROM log_entry JOIN log_plain USING (idx) WHERE action = '%s' AND "
             "json_extract(leaf, '$.open.fault') = '%s'",
             action, fault);
    return world_number(world, query);
}

static void charge_nothing_without(struct world *world, bool *part, const char *fault)
{
    world_plan(world, "09:10", NULL);
    world_run_for(world, 10 * MINUTE);
    *part = false;
    world_run_for(world, 25 * MINUTE);
    assert_int_equal(faults_in_log(world, "FAULT_BEGUN", fault), 1);
    assert_int_equal(faults_in_log(world, "FAULT_OVER", fault), 0);
    *part = true;
    world_run_for(world, MINUTE);
    assert_int_equal(faults_in_log(world, "FAULT_OVER", fault), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action LIKE "
                                         "'FAULT_%'"),
                     2);
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"),
                        "system_fault");
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE checkin_id = 1"), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE make_up_of = 1"), 1);
    world_verify_log(world);
}

static void our_outage_is_never_charged(void **state)
{
    struct world *world = *state;
    charge_nothing_without(world, &world->probe, "signalling");
}

static void a_dead_relay_is_never_charged(void **state)
{
    struct world *world = *state;
    charge_nothing_without(world, &world->relay, "relay");
}

static void a_channel_that_is_down_is_never_charged(void **state)
{
    struct world *world = *state;
    world_plan(world, "09:10", NULL);
    world->channels_up = false;
    world_run_for(world, 35 * MINUTE);
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"),
                        "system_fault");
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE checkin_id = 1"), 1);
    world_verify_log(world);
}

/* The path of the newest link to the person, as a token. */
static void last_token(struct world *world, char token[64])
{
    token[0] = '\0';
    for (size_t i = 0; i < world->output_count; i++) {
        const char *path = json_string_value(json_object_get(world->outputs[i].body, "path"));
        if (world->outputs[i].kind == CK_OUTPUT_SEND && strncmp(path, "/c/", 3) == 0) {
            snprintf(token, 64, "%s", path + 3);
        }
    }
    assert_true(token[0] != '\0');
}

/* Codec, master key, place and what is missing; the place beside the leaf, for the file's name
 * holds the number of a row. */
static void the_log_says_of_a_recording(struct world *world, const struct ck_actor *worker,
                                        int64_t id)
{
    static const char head[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    static const char begun[] = "FROM log_entry JOIN log_plain USING (idx) WHERE action = "
                                "'RECORDING_BEGUN'";
    char query[256];
    assert_int_equal(world_command(world, "recording.closed", worker,
                                   json_pack("{s:I, s:i, s:i, s:s, s:i, s:i, s:i}", "recording",
                                             (json_int_t)id, "chunks", 3, "bytes", 900, "head",
                                             head, "duration_ms", 4000, "gaps", 2, "gap_ms", 1500)),
                     0);
    snprintf(query, sizeof query, "SELECT json_extract(leaf, '$.open.codec') %s", begun);
    assert_string_equal(world_text(world, query), "vp8+opus");
    snprintf(query, sizeof query, "SELECT length(json_extract(leaf, '$.open.key')) %s", begun);
    assert_int_equal(world_number(world, query), 16);
    snprintf(query, sizeof query, "SELECT json_extract(salted, '$.folder[1]') %s", begun);
    assert_string_equal(world_text(world, query), "/srv/recordings");
    snprintf(query, sizeof query,
             "SELECT count(*) FROM recording WHERE file = (SELECT json_extract(salted, "
             "'$.file[1]') %s)",
             begun);
    assert_int_equal(world_number(world, query), 1);
    assert_int_equal(world_number(world, "SELECT json_extract(leaf, '$.open.gap_ms') + "
                                         "json_extract(leaf, '$.open.gaps') FROM log_entry JOIN "
                                         "log_plain USING (idx) WHERE action = "
                                         "'RECORDING_CLOSED'"),
                     1502);
}

/* A second recording of the call finds no room: a record, and one alert however often it happens.
 * A leg that sent nothing to record is no matter of the disk's. */
static void the_disk_refuses(struct world *world, const struct ck_actor *worker, int64_t whole)
{
    static const int errors[] = {ENODATA, ENOSPC, ENOSPC};
    static const int alerts[] = {0, 1, 1};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(world_command(world, "recording.begin", worker,
                                       json_pack("{s:i, s:s}", "checkin", 1, "leg", "staff")),
                         0);
        int64_t id = json_integer_value(json_object_get(world->result.body, "recording"));
        assert_int_not_equal(id, whole);
        assert_int_equal(world_command(world, "recording.failed", worker,
                                       json_pack("{s:I, s:i, s:s}", "recording", (json_int_t)id,
                                                 "error", errors[i], "text", "no room")),
                         0);
        assert_int_equal(
            world_number(world, "SELECT count(*) FROM incident WHERE kind = 'system' AND cause = "
                                "'check-in 1 is not recorded: No space left on device'"),
            alerts[i]);
    }
    assert_int_equal(
        world_number(world, "SELECT count(*) FROM log_plain WHERE action = 'RECORDING_FAILED'"), 3);
}

static int open_again(struct world *world, const char *token)
{
    const struct ck_actor nobody = {.kind = CK_ACTOR_GATEWAY, .peer = "127.0.0.1:3"};
    return world_command(
        world, "link.exchange", &nobody,
        json_pack("{s:s, s:s}", "token", token, "key", "0123456789abcdef01234567"));
}

/* A page that comes again and again fills neither the store nor the log; the next link opens. */
static void a_used_link_opens_again_so_often_and_no_more(void **state)
{
    struct world *world = *state;
    char token[64];
    world_plan(world, "09:10", NULL);
    world_run_for(world, 11 * MINUTE);
    last_token(world, token);
    for (int i = 0; i < CK_REPEATS_MAX; i++) {
        assert_int_equal(open_again(world, token), 0);
    }
    int64_t records = world_number(world, "SELECT size FROM log_head");
    assert_int_equal(open_again(world, token), CK_E_LIMIT);
    assert_string_equal(world->result.refusal.field, "token");
    assert_int_equal(world_number(world, "SELECT size FROM log_head"), records);
    /* A link that nobody used is another message's. */
    world_execute(world, "UPDATE link SET used_at = NULL, used_by = NULL");
    assert_int_equal(open_again(world, token), 0);
    /* An hour later there is room again; links of this kind are good for longer in this test. */
    world_execute(world, "UPDATE link SET expires_at = expires_at + 86400000");
    world_run_for(world, 61 * MINUTE);
    assert_int_equal(open_again(world, token), 0);
}

static void a_live_call_is_completed(void **state)
{
    struct world *world = *state;
    const struct ck_actor nobody = {.kind = CK_ACTOR_GATEWAY, .peer = "127.0.0.1:3"};
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    const struct ck_actor person = world_person(world, 1);
    char token[64];
    world_plan(world, "09:10", NULL);
    world_run_for(world, 11 * MINUTE);
    last_token(world, token);

    /* The link: once, and bound to this check-in. */
    assert_int_equal(world_command(world, "link.exchange", &nobody,
                                   json_pack("{s:s, s:s}", "token", token, "key", "too short")),
                     CK_E_INVALID);
    assert_int_equal(world_command(world, "link.exchange", &nobody,
                                   json_pack("{s:s, s:s, s:s}", "token", token, "device", "test",
                                             "key", "0123456789abcdef01234567")),
                     0);
    assert_int_equal(json_integer_value(json_object_get(world->result.body, "checkin")), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM session WHERE checkin_id = 1"), 1);
    assert_int_equal(
        world_command(world, "link.exchange", &nobody, json_pack("{s:s}", "token", token)),
        CK_E_CONFLICT);
    assert_int_equal(world_command(world, "link.exchange", &nobody,
                                   json_pack("{s:s, s:s}", "token", token, "key",
                                             "another page on a stolen link")),
                     CK_E_CONFLICT);
    /* The answer was lost on the way: the page that used it asks again. */
    assert_int_equal(world_command(world, "link.exchange", &nobody,
                                   json_pack("{s:s, s:s, s:s}", "token", token, "device", "test",
                                             "key", "0123456789abcdef01234567")),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM session WHERE checkin_id = 1"), 2);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action = "
                                         "'LINK_OPENED' AND object = 'checkin'"),
                     1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action = "
                                         "'LINK_OPENED_AGAIN' AND object = 'checkin'"),
                     1);
    assert_int_equal(world_command(world, "link.exchange", &nobody,
                                   json_pack("{s:s}", "token", "AAAAAAAAAAAAAAAAAAAAAA")),
                     CK_E_NOT_FOUND);

    /* Nothing is recorded and nobody joins before the notice was acknowledged. */
    assert_int_equal(world_command(world, "checkin.joined", &person,
                                   json_pack("{s:i, s:s}", "checkin", 1, "device", "test")),
                     CK_E_CONFLICT);
    assert_int_equal(world_command(world, "recording.begin", &worker,
                                   json_pack("{s:i, s:s}", "checkin", 1, "leg", "person")),
                     CK_E_CONFLICT);
    assert_int_equal(world_command(world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    world_forget(world);
    assert_int_equal(world_command(world, "checkin.joined", &person,
                                   json_pack("{s:i, s:s}", "checkin", 1, "device", "test")),
                     0);
    assert_non_null(json_object_get(world->result.body, "waiting_since"));
    assert_int_equal(world_count(world, CK_OUTPUT_RING), 1);

    assert_int_equal(world_command(world, "checkin.inspector_took", &inspector,
                                   json_pack("{s:i}", "checkin", 1)),
                     0);
    assert_string_equal(json_string_value(json_object_get(world->result.body, "with")),
                        "inspector");
    assert_int_equal(world_count(world, CK_OUTPUT_RING_STOP), 1);
    const struct ck_actor officer = world_staff(world, world->officer, CK_ROLE_OFFICER);
    assert_int_equal(
        world_command(world, "checkin.inspector_took", &officer, json_pack("{s:i}", "checkin", 1)),
        CK_E_CONFLICT);
    static const char *const facts[] = {"ice", "dtls", "first_audio", "first_frame"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(world_command(world, "checkin.fact", &worker,
                                       json_pack("{s:i, s:s}", "checkin", 1, "fact", facts[i])),
                         0);
    }
    assert_int_equal(world_command(world, "recording.begin", &worker,
                                   json_pack("{s:i, s:s, s:s}", "checkin", 1, "leg", "person",
                                             "folder", "/srv/recordings")),
                     0);
    assert_non_null(json_object_get(world->result.body, "key"));
    the_log_says_of_a_recording(
        world, &worker, json_integer_value(json_object_get(world->result.body, "recording")));
    the_disk_refuses(world, &worker,
                     json_integer_value(json_object_get(world->result.body, "recording")));
    world_run_for(world, 5 * MINUTE);
    assert_int_equal(world_command(world, "checkin.call_ended", &inspector,
                                   json_pack("{s:i, s:s}", "checkin", 1, "reason", "staff_ended")),
                     0);
    json_t *form = json_pack("{s:i, s:s, s:b, s:[s], s:s}", "checkin", 1, "result", "completed",
                             "identity_confirmed", 1, "behaviours", "calm", "note", "all well");
    assert_int_equal(world_command(world, "checkin.outcome", &officer, json_deep_copy(form)),
                     CK_E_DENIED);
    assert_int_equal(world_command(world, "checkin.outcome", &inspector, form), 0);
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"), "completed");
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind <> 'system'"),
                     0);
    assert_true(world_number(world, "SELECT last_contact_at FROM person") > 0);
    const struct ck_output *ended = world_last(world, CK_OUTPUT_ENDED);
    assert_string_equal(json_string_value(json_object_get(ended->body, "result")), "received");

    /* A private concern: nothing goes out to the person. */
    world_forget(world);
    assert_int_equal(world_command(world, "checkin.concern", &inspector,
                                   json_pack("{s:i, s:s}", "checkin", 1, "text", "hand signal")),
                     0);
    for (size_t i = 0; i < world->output_count; i++) {
        enum ck_output_kind kind = world->outputs[i].kind;
        assert_true(kind == CK_OUTPUT_TODAY || kind == CK_OUTPUT_INCIDENT ||
                    (kind == CK_OUTPUT_SEND && world->outputs[i].person_id == 0));
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'concern'"),
                     1);
    /* Both who came with the used link, and whom the store refused before. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action = 'DENIED'"),
                     3);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) "
                                         "LIKE '%\"why\":\"this link was used before\"%'"),
                     2);
    /* By which rules it was decided can be read in the log. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) "
                                         "LIKE '%POLICY_KEPT%\"kind\":\"checkin\",\"text\":%'"),
                     1);
    world_verify_log(world);

    const struct ck_scope scope = {.inspector = world->inspector};
    json_t *checkin = NULL;
    assert_int_equal(ck_query_checkin(world->reader, &scope, 1, &checkin), 0);
    assert_string_equal(json_string_value(json_object_get(checkin, "outcome")), "completed");
    assert_int_equal(json_array_size(json_object_get(checkin, "attempts_made")), 1);
    assert_true(json_is_string(
        json_object_get(json_array_get(json_object_get(checkin, "attempts_made"), 0), "opened")));
    assert_int_equal(json_array_size(json_object_get(checkin, "concerns")), 1);
    /* One whole, three that failed. */
    assert_int_equal(json_array_size(json_object_get(checkin, "recordings")), 4);
    assert_true(json_is_object(json_object_get(checkin, "form")));
    json_decref(checkin);
    const struct ck_scope other = {.inspector = world->officer};
    assert_int_equal(ck_query_checkin(world->reader, &other, 1, &checkin), CK_E_NOT_FOUND);
}

static void nobody_takes_the_call_and_it_goes_on_unattended(void **state)
{
    struct world *world = *state;
    const struct ck_actor person = world_person(world, 1);
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 11 * MINUTE);
    assert_int_equal(world_command(world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    assert_int_equal(world_command(world, "checkin.joined", &person,
                                   json_pack("{s:i, s:s}", "checkin", 1, "device", "test")),
                     0);
    assert_int_equal(world_command(world, "checkin.fact", &worker,
                                   json_pack("{s:i, s:s}", "checkin", 1, "fact", "first_frame")),
                     0);
    world_forget(world);
    world_run_for(world, 61000);
    const struct ck_output *start = world_last(world, CK_OUTPUT_START_UNATTENDED);
    assert_non_null(start);
    assert_int_equal(json_array_size(json_object_get(start->body, "challenges")), 4);
    const struct ck_output *stop = world_last(world, CK_OUTPUT_RING_STOP);
    assert_string_equal(json_string_value(json_object_get(stop->body, "reason")), "unattended");
    for (int i = 1; i <= 4; i++) {
        assert_int_equal(world_command(world, "checkin.challenge", &worker,
                                       json_pack("{s:i, s:i, s:i}", "checkin", 1, "number", i,
                                                 "at_ms", i * 8000)),
                         0);
    }
    assert_int_equal(world_command(world, "checkin.challenge_finished", &worker,
                                   json_pack("{s:i}", "checkin", 1)),
                     0);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"),
                        "awaiting_review");
    const struct ck_scope scope = {.unit = world->unit};
    json_t *list = NULL, *today = NULL;
    assert_int_equal(ck_query_reviews(world->reader, &scope, &list), 0);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    assert_int_equal(ck_query_today(world->reader, &scope, "2026-11-21",
                                    (struct ck_wall){WORLD_START_MS - 4 * 60 * MINUTE},
                                    (struct ck_wall){WORLD_START_MS + 20 * 60 * MINUTE}, &today),
                     0);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(today, "counts"), "reviews")), 1);
    json_decref(today);
    assert_int_equal(
        world_command(world, "checkin.review", &inspector,
                      json_pack("{s:i, s:s, s:s}", "checkin", 1, "decision", "accept", "note", "")),
        0);
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"), "completed");
    world_verify_log(world);
}

/* The recording shows nothing: no contact was made, and nobody is charged with it. */
static void what_cannot_be_made_out_is_nobodys_fault(void **state)
{
    struct world *world = *state;
    const struct ck_actor person = world_person(world, 1);
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 11 * MINUTE);
    assert_int_equal(world_command(world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    assert_int_equal(world_command(world, "checkin.joined", &person,
                                   json_pack("{s:i, s:s}", "checkin", 1, "device", "test")),
                     0);
    assert_int_equal(world_command(world, "checkin.fact", &worker,
                                   json_pack("{s:i, s:s}", "checkin", 1, "fact", "first_frame")),
                     0);
    world_run_for(world, 61000);
    assert_int_equal(world_command(world, "checkin.challenge_finished", &worker,
                                   json_pack("{s:i}", "checkin", 1)),
                     0);
    assert_int_equal(world_command(world, "checkin.review", &inspector,
                                   json_pack("{s:i, s:s, s:s}", "checkin", 1, "decision",
                                             "unusable", "note", "")),
                     CK_E_INVALID);
    assert_int_equal(world_command(world, "checkin.review", &inspector,
                                   json_pack("{s:i, s:s, s:s}", "checkin", 1, "decision",
                                             "unusable", "note", "black")),
                     0);
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"),
                        "could_not_connect");
    assert_string_equal(world_text(world, "SELECT decision FROM review WHERE checkin_id = 1"),
                        "unusable");
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'no_contact'"),
                     1);
    assert_int_equal(world_command(world, "checkin.conclude", &inspector,
                                   json_pack("{s:i, s:s, s:s}", "checkin", 1, "conclusion",
                                             "breach", "reason", "x")),
                     CK_E_INVALID);
    world_verify_log(world);
}

/* A review that nobody does climbs the ladder as a matter of the staff, and ends with the review;
 * nothing of it is the person's. */
static void a_review_that_nobody_does_climbs_the_ladder(void **state)
{
    struct world *world = *state;
    const struct ck_actor person = world_person(world, 1);
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    const struct ck_actor officer = world_staff(world, world->officer, CK_ROLE_OFFICER);
    world_plan(world, "09:10", json_pack("{s:s}", "kind", "unattended"));
    world_run_for(world, 11 * MINUTE);
    assert_int_equal(world_command(world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    assert_int_equal(world_command(world, "checkin.joined", &person,
                                   json_pack("{s:i, s:s}", "checkin", 1, "device", "test")),
                     0);
    assert_int_equal(world_command(world, "checkin.fact", &worker,
                                   json_pack("{s:i, s:s}", "checkin", 1, "fact", "first_frame")),
                     0);
    assert_int_equal(world_command(world, "checkin.challenge_finished", &worker,
                                   json_pack("{s:i}", "checkin", 1)),
                     0);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"),
                        "awaiting_review");
    int64_t by = world_number(world, "SELECT review_deadline_at FROM checkin WHERE id = 1");
    world_run_until(world, (struct ck_wall){by - 1000});
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 0);
    world_forget(world);
    world_run_for(world, 5 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = "
                                         "'review_overdue' AND checkin_id = 1"),
                     1);
    assert_int_equal(count_text(world, "email", "review_overdue"), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE id = 1 AND next_at IS "
                                         "NULL AND next_what IS NULL"),
                     1);
    world_run_for(world, 60 * MINUTE);
    /* Inspector, duty officer, supervisor. */
    assert_int_equal(world_number(world, "SELECT count(DISTINCT staff_id) FROM notice "
                                         "WHERE incident_id = 1"),
                     3);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE person_id = 1 AND "
                                         "incident_id IS NOT NULL"),
                     0);
    /* It is said once; the ladder goes on, more and more rarely, and ends with nobody's word. */
    for (int hour = 0; hour < 30; hour++) {
        world_forget(world);
        world_run_for(world, 60 * MINUTE);
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action = "
                                         "'CHECKIN_REVIEW_OVERDUE' AND object_id = 1"),
                     1);
    assert_in_range(world_number(world, "SELECT max(fire) FROM notice WHERE incident_id = 1"), 12,
                    18);
    assert_int_equal(world_command(world, "incident.conclude", &officer,
                                   json_pack("{s:i, s:s, s:s}", "incident", 1, "conclusion",
                                             "no_action", "reason", "never mind")),
                     CK_E_CONFLICT);
    assert_string_equal(world->result.refusal.message, "the review is still missing");
    assert_int_equal(
        world_command(world, "checkin.review", &officer,
                      json_pack("{s:i, s:s, s:s}", "checkin", 1, "decision", "accept", "note", "")),
        0);
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"), "completed");
    assert_int_equal(world_command(world, "incident.conclude", &officer,
                                   json_pack("{s:i, s:s, s:s}", "incident", 1, "conclusion",
                                             "breach", "reason", "late")),
                     CK_E_INVALID);
    assert_int_equal(world_command(world, "incident.conclude", &officer,
                                   json_pack("{s:i, s:s, s:s}", "incident", 1, "conclusion",
                                             "no_action", "reason", "it is there")),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'no_contact' "
                                         "AND checkin_id = 1"),
                     0);
    world_verify_log(world);
}

static void a_refusal_with_a_reason_opens_an_incident(void **state)
{
    struct world *world = *state;
    const struct ck_actor person = world_person(world, 1);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 11 * MINUTE);
    assert_int_equal(world_command(world, "checkin.declined", &person,
                                   json_pack("{s:i, s:s}", "checkin", 1, "reason", "at work")),
                     0);
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"), "declined");
    assert_string_equal(world_text(world, "SELECT declined_reason FROM checkin WHERE id = 1"),
                        "at work");
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 1);
    /* Nobody reads the reason out of the log itself. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_entry "
                                         "WHERE CAST(leaf AS TEXT) LIKE '%at work%'"),
                     0);
    world_verify_log(world);
}

static void a_late_answer_is_late_and_the_incident_says_so(void **state)
{
    struct world *world = *state;
    const struct ck_actor person = world_person(world, 1);
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 40 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 1);
    assert_int_equal(world_command(world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    assert_int_equal(world_command(world, "checkin.joined", &person,
                                   json_pack("{s:i, s:s}", "checkin", 1, "device", "test")),
                     0);
    assert_int_equal(world_command(world, "checkin.inspector_took", &inspector,
                                   json_pack("{s:i}", "checkin", 1)),
                     0);
    assert_int_equal(world_command(world, "checkin.fact", &worker,
                                   json_pack("{s:i, s:s}", "checkin", 1, "fact", "first_frame")),
                     0);
    assert_int_equal(
        world_command(world, "checkin.outcome", &inspector,
                      json_pack("{s:i, s:s, s:b, s:[], s:s}", "checkin", 1, "result", "completed",
                                "identity_confirmed", 1, "behaviours", "note", "")),
        0);
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"), "late");
    assert_int_equal(world_number(world, "SELECT answered_late FROM incident"), 1);
    assert_string_equal(world_text(world, "SELECT outcome FROM incident"), "late");

    const struct ck_scope scope = {.unit = world->unit};
    json_t *incident = NULL;
    assert_int_equal(ck_query_incident(world->reader, &scope, 1, &incident), 0);
    assert_true(json_is_true(json_object_get(incident, "answered_late")));
    assert_true(json_array_size(json_object_get(incident, "line")) >= 4);
    assert_true(json_is_object(json_object_get(incident, "checkin")));
    json_decref(incident);
    world_verify_log(world);
}

#define HIDDEN_GAP_S (4 * 3600)

static void drawn_instants_stay_hidden(void **state)
{
    struct world *world = *state;
    world_plan(world, "10:00",
               json_pack("{s:[{s:s, s:s, s:i}], s:i}", "windows", "start", "10:00", "end", "20:00",
                         "draws", 2, "min_gap_s", HIDDEN_GAP_S));
    const struct ck_scope scope = {.inspector = world->inspector};
    json_t *today = NULL;
    size_t index;
    json_t *row;
    assert_int_equal(ck_query_today(world->reader, &scope, "2026-11-21",
                                    (struct ck_wall){WORLD_START_MS - 4 * 60 * MINUTE},
                                    (struct ck_wall){WORLD_START_MS + 20 * 60 * MINUTE}, &today),
                     0);
    const json_t *due = json_object_get(today, "due");
    assert_int_equal(json_array_size(due), 2);
    json_array_foreach(due, index, row)
    {
        assert_true(json_is_null(json_object_get(row, "due")));
        assert_true(json_is_null(json_object_get(row, "next")));
        assert_true(json_is_object(json_object_get(row, "window")));
    }
    json_decref(today);
    /* The log commits to the instants and does not tell them. */
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM log_entry e, checkin c WHERE instr(CAST(e.leaf AS TEXT), "
             "strftime('%%Y-%%m-%%dT%%H:%%M:%%S', c.due_at / 1000, 'unixepoch')) > 0 "
             "AND c.drawn = 1");
    assert_int_equal(world_number(world, sql), 0);
    /* Nor what the others are drawn from, which begins or ends a gap away from them. */
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM log_entry e, checkin c WHERE c.drawn = 1 AND "
             "(instr(CAST(e.leaf AS TEXT), c.due_at + %d) > 0 OR "
             "instr(CAST(e.leaf AS TEXT), c.due_at - %d) > 0)",
             HIDDEN_GAP_S * 1000, HIDDEN_GAP_S * 1000);
    assert_int_equal(world_number(world, sql), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain "
                                         "WHERE action = 'DRAW_KEY_COMMITTED'") >= 1,
                     1);
    world_verify_log(world);
}

static void a_plan_that_ends_takes_its_check_ins_with_it(void **state)
{
    struct world *world = *state;
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    const struct ck_actor other = world_staff(world, world->supervisor, CK_ROLE_INSPECTOR);
    int64_t plan = world_plan(world, "09:10", NULL);
    assert_int_equal(
        world_command(world, "plan.end", &other,
                      json_pack("{s:I, s:s}", "plan", (json_int_t)plan, "reason", "x")),
        CK_E_DENIED);
    assert_int_equal(
        world_command(world, "plan.end", &inspector,
                      json_pack("{s:I, s:s}", "plan", (json_int_t)plan, "reason", "replaced")),
        0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE outcome = 'waived'"),
                     15);
    world_run_for(world, 60 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 0);
    world_verify_log(world);
}

static void a_horizon_of_two_weeks_moves_on(void **state)
{
    struct world *world = *state;
    world_plan(world, "09:10", NULL);
    world->healthy = false;
    for (int hour = 0; hour < 3 * 24; hour++) {
        world_run_for(world, 60 * MINUTE);
        world_forget(world);
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE make_up_of IS NULL"),
                     18);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin c "
                                         "WHERE outcome IS NOT NULL AND make_up_of IS NULL"),
                     3);
    world_verify_log(world);
}

static void an_order_of_hours_is_kept(void **state)
{
    struct world *world = *state;
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    json_t *request =
        json_pack("{s:I, s:s, s:b, s:s, s:s, s:[{s:s, s:s, s:i}], s:i, s:i, s:i, s:i, s:i}",
                  "order_id", (json_int_t)world->order, "kind", "live", "mandatory", 1,
                  "recurrence", "FREQ=DAILY", "first_date", "2026-11-21", "windows", "start",
                  "05:00", "end", "06:30", "draws", 0, "attempts", 3, "attempt_spacing_s", 300,
                  "response_window_s", 900, "grace_s", 300, "late_limit_s", 3600);
    assert_int_equal(world_command(world, "plan.create", &inspector,
                                   json_pack("{s:I, s:o}", "person", (json_int_t)world->person,
                                             "request", request)),
                     CK_E_INVALID);
    assert_string_equal(world->result.refusal.field, "windows");
    /* On demand, in the middle of the night. */
    world_run_for(world, 15 * 60 * MINUTE); /* 00:00 */
    assert_int_equal(world_command(world, "checkin.on_demand", &inspector,
                                   json_pack("{s:I, s:s, s:s}", "person", (json_int_t)world->person,
                                             "reason", "r", "kind", "live")),
                     CK_E_CONFLICT);
    world_run_for(world, 10 * 60 * MINUTE); /* 10:00 */
    assert_int_equal(world_command(world, "checkin.on_demand", &inspector,
                                   json_pack("{s:I, s:s, s:s}", "person", (json_int_t)world->person,
                                             "reason", "r", "kind", "live")),
                     0);
    assert_string_equal(json_string_value(json_object_get(world->result.body, "state")), "ringing");
    world_verify_log(world);
}

/* The person's page leaves and comes in again within one turn, over and over, so that no timer of
 * the check-in ever comes to anything: the ladder is not silenced by it. */
static void leaving_and_coming_back_puts_off_nothing(void **state)
{
    struct world *world = *state;
    const struct ck_actor person = world_person(world, 1);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 11 * MINUTE);
    assert_int_equal(world_command(world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    assert_int_equal(world_command(world, "checkin.joined", &person,
                                   json_pack("{s:i, s:s}", "checkin", 1, "device", "test")),
                     0);
    for (int i = 0; i < 24; i++) { /* to 09:31, past grace */
        world_run_for(world, 50000);
        world_queue(world, "checkin.left", &person, json_pack("{s:i}", "checkin", 1));
        (void)world_command(world, "checkin.joined", &person,
                            json_pack("{s:i, s:s}", "checkin", 1, "device", "test"));
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'no_contact'"),
                     1);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"), "connected");
    for (int i = 0; i < 80; i++) { /* past the late limit at 10:30 */
        world_run_for(world, 50000);
        world_queue(world, "checkin.left", &person, json_pack("{s:i}", "checkin", 1));
        (void)world_command(world, "checkin.joined", &person,
                            json_pack("{s:i, s:s}", "checkin", 1, "device", "test"));
    }
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"), "done");
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"),
                        "person_fault");
    world_verify_log(world);
}

/* A page that tells the same for ever fills neither its check-in's facts nor the log. */
static void a_page_that_never_stops_telling_is_cut_off(void **state)
{
    struct world *world = *state;
    const struct ck_actor person = world_person(world, 1);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 150 * MINUTE);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"), "done");
    world_execute(
        world, "WITH RECURSIVE n(i) AS (SELECT count(*) FROM fact WHERE checkin_id = 1 UNION ALL "
               "SELECT i + 1 FROM n WHERE i < 1997) INSERT INTO fact (checkin_id, attempt, at, "
               "source, fact) SELECT 1, 1, 0, 'page', 'page_hidden' FROM n");
    assert_int_equal(world_number(world, "SELECT count(*) FROM fact WHERE checkin_id = 1"), 1998);
    static const char *const facts[] = {"permission_asked", "permission_asked", /* told already */
                                        "permission_granted", "ice_failed", "no_camera"};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        assert_int_equal(world_command(world, "checkin.fact", &person,
                                       json_pack("{s:i, s:s}", "checkin", 1, "fact", facts[i])),
                         0);
        if (i == 1) {
            assert_int_equal(world_number(world, "SELECT count(*) FROM fact WHERE checkin_id = 1"),
                             1999);
        }
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM fact WHERE checkin_id = 1"), 2000);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action = "
                                         "'CHECKIN_AFTER_END'"),
                     2);
}

/* S11: whoever is too late, or wishes to, calls in. Nobody was rung and nothing is owed; the
 * console rings, and the contact ends what was waited for. */
static void the_person_calls_in(void **state)
{
    struct world *world = *state;
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    struct ck_actor person = world_person(world, 0);
    assert_int_equal(world_command(world, "checkin.call_in", &inspector, json_object()),
                     CK_E_DENIED);
    assert_int_equal(world_command(world, "checkin.call_in", &person, json_object()),
                     CK_E_CONFLICT); /* the notice was not read */
    assert_string_equal(world->result.refusal.field, "notice");
    assert_int_equal(world_command(world, "notice.ack", &person, json_pack("{s:i}", "version", 1)),
                     0);
    assert_int_equal(world_command(world, "checkin.call_in", &person, json_object()), 0);
    assert_non_null(json_string_value(json_object_get(world->result.body, "token")));
    int64_t id = json_integer_value(json_object_get(world->result.body, "checkin"));
    assert_string_equal(world_text(world, "SELECT kind || ' ' || state || ' ' || mandatory FROM "
                                          "checkin"),
                        "inbound connected 0");
    assert_int_equal(world_number(world, "SELECT checkin_id FROM session ORDER BY id DESC LIMIT 1"),
                     id);
    assert_non_null(world_last(world, CK_OUTPUT_RING));
    assert_null(world_last(world, CK_OUTPUT_SEND)); /* nobody is rung */
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action = "
                                         "'CHECKIN_INBOUND'"),
                     1);
    assert_int_equal(world_command(world, "checkin.call_in", &person, json_object()),
                     CK_E_CONFLICT); /* they are in one */

    /* A call like any other. */
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    person.checkin_id = id;
    assert_int_equal(
        world_command(world, "checkin.joined", &person,
                      json_pack("{s:I, s:s}", "checkin", (json_int_t)id, "device", "d")),
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
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin"), "completed");
    assert_true(world_number(world, "SELECT last_contact_at IS NOT NULL FROM person"));

    /* Nobody calls for ever. */
    world_execute(world, "UPDATE checkin SET due_at = due_at + 1");
    for (int i = 1; i < CK_INBOUND_PER_DAY; i++) {
        assert_int_equal(world_command(world, "checkin.call_in", &person, json_object()), 0);
        id = json_integer_value(json_object_get(world->result.body, "checkin"));
        person.checkin_id = id;
        assert_int_equal(world_command(world, "checkin.declined", &person,
                                       json_pack("{s:I, s:s}", "checkin", (json_int_t)id, "reason",
                                                 "by mistake")),
                         0);
    }
    assert_int_equal(world_command(world, "checkin.call_in", &person, json_object()), CK_E_LIMIT);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_answers_and_the_ladder_climbs, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(our_outage_is_never_charged, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_dead_relay_is_never_charged, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_channel_that_is_down_is_never_charged, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_used_link_opens_again_so_often_and_no_more, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_live_call_is_completed, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(the_person_calls_in, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(nobody_takes_the_call_and_it_goes_on_unattended,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_made_out_is_nobodys_fault, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_review_that_nobody_does_climbs_the_ladder, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_refusal_with_a_reason_opens_an_incident, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_late_answer_is_late_and_the_incident_says_so, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(drawn_instants_stay_hidden, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_plan_that_ends_takes_its_check_ins_with_it, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_horizon_of_two_weeks_moves_on, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(leaving_and_coming_back_puts_off_nothing, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_page_that_never_stops_telling_is_cut_off, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(an_order_of_hours_is_kept, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
