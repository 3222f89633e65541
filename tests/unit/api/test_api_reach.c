/* Ways to people and places, over HTTP as pages and gateways use them: a key on a telephone, a
 * browser that is to be told, a unit that goes to another zone, a person who goes to another
 * inspector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "protocol/signature.h"

static struct caseload people;

static int start(void **state)
{
    (void)state;
    api_start(NULL);
    api_caseload_quick(&people);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop();
    return 0;
}

/* ---- the telephone ---- */

static unsigned post_voice(const char *body, const char *secret)
{
    char signature[CK_SIGNATURE_SIZE], line[256];
    struct ck_wall at = {api_now_ms()};
    struct user gateway = {0};
    assert_int_equal(ck_signature_write(secret, strlen(secret), at, body, strlen(body), signature),
                     0);
    snprintf(line, sizeof line, "%s: %s\r\n", CK_SIGNATURE_HEADER, signature);
    return api_send_with(&gateway, "/hook/receipt/voice", "application/json", line, body,
                         strlen(body));
}

/* A check-in that nobody answered, and the call that tells the officer of it. */
static void miss_and_call(const char *reference)
{
    char path[96], sql[512];
    snprintf(path, sizeof path, "/api/persons/%lld/checkins", (long long)people.person_id);
    assert_int_equal(
        api_ask(&people.inspector, "POST", path,
                json_pack("{s:s, s:s}", "reason", "a neighbour called", "kind", "live"), NULL),
        200);
    for (int i = 0; i < 20; i++) {
        api_pass_ms(300000);
    }
    assert_true(api_wait_number("SELECT count(*) FROM notice WHERE incident_id IS NOT NULL AND "
                                "staff_id = (SELECT id FROM staff WHERE login = 'officer')",
                                1));
    snprintf(
        sql, sizeof sql,
        "INSERT INTO notice (reference, checkin_id, incident_id, step, fire, staff_id, channel, "
        "template, language, address, state, machine, receipts, tries, created_at, "
        "deadline_at) SELECT '%s', checkin_id, incident_id, step, fire, staff_id, 'voice', "
        "template, language, '+77010000077', 'accepted', '{\"receipts\":1}', 1, 1, created_at, "
        "deadline_at FROM notice WHERE incident_id IS NOT NULL AND staff_id = (SELECT id FROM "
        "staff WHERE login = 'officer') LIMIT 1",
        reference);
    api_execute(sql);
}

static void a_key_on_the_telephone_takes_it_over(void **state)
{
    (void)state;
    static const char body[] = "{\"receipts\":[{\"reference\":\"N-CA11-0001\",\"state\":\"read\","
                               "\"detail\":\"key 1\"}]}";
    miss_and_call("N-CA11-0001");
    /* The secret of another gateway opens nothing. */
    assert_int_equal(post_voice(body, RECEIPT_SECRET), 401);
    assert_int_equal(api_number("SELECT count(*) FROM incident WHERE state = 'acknowledged'"), 0);
    assert_int_equal(post_voice(body, VOICE_SECRET), 204);
    assert_int_equal(api_number("SELECT count(*) FROM incident WHERE state = 'acknowledged' AND "
                                "holder_id = (SELECT id FROM staff WHERE login = 'officer')"),
                     1);
    assert_int_equal(
        api_number("SELECT count(*) FROM incident_line WHERE what = 'acknowledged_phone'"), 1);
    assert_int_equal(post_voice(body, VOICE_SECRET), 204); /* doubled: nothing more */
    assert_int_equal(
        api_number("SELECT count(*) FROM incident_line WHERE what = 'acknowledged_phone'"), 1);
}

/* ---- browsers ---- */

static json_t *subscription(const char *endpoint)
{
    char text[512];
    snprintf(
        text, sizeof text,
        "{\"endpoint\":\"%s\",\"expirationTime\":null,\"keys\":{\"p256dh\":"
        "\"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        "\",\"auth\":\"BTBZMqHH6r4Tts7J_aSIgg\"}}",
        endpoint);
    return json_pack("{s:s}", "subscription", text);
}

static void a_browser_subscribes_and_stops(void **state)
{
    (void)state;
    json_t *answer = NULL;
    assert_int_equal(
        api_ask(&people.nobody, "POST", "/api/push", subscription("https://push.example/1"), NULL),
        401);
    assert_int_equal(api_ask(&people.officer, "POST", "/api/push",
                             subscription("https://elsewhere.example/1"), &answer),
                     400);
    api_expect_error(answer, "invalid", "subscription");
    assert_int_equal(
        api_ask(&people.officer, "POST", "/api/push", subscription("http://push.example/1"), NULL),
        400);
    assert_int_equal(api_number("SELECT count(*) FROM push"), 0);
    assert_int_equal(
        api_ask(&people.officer, "POST", "/api/push", subscription("https://push.example/1"), NULL),
        200);
    assert_int_equal(api_ask(&people.person, "POST", "/api/p/push",
                             subscription("https://eu.push.example/2"), NULL),
                     200);
    assert_int_equal(api_number("SELECT count(*) FROM push WHERE staff_id IS NOT NULL"), 1);
    assert_int_equal(api_number("SELECT count(*) FROM push WHERE person_id IS NOT NULL"), 1);
    /* Nobody stops what is another's. */
    (void)api_ask(&people.person, "POST", "/api/p/push/stop",
                  subscription("https://push.example/1"), NULL);
    assert_int_equal(api_number("SELECT count(*) FROM push"), 2);
    (void)api_ask(&people.officer, "POST", "/api/push/stop", subscription("https://push.example/1"),
                  NULL);
    assert_int_equal(api_number("SELECT count(*) FROM push WHERE staff_id IS NOT NULL"), 0);
    assert_int_equal(api_number("SELECT count(*) FROM push"), 1);
}

/* ---- places ---- */

#define AHEAD "SELECT count(*) FROM checkin WHERE state = 'planned' AND person_id = "

static int64_t ahead(const char *where)
{
    char sql[256];
    snprintf(sql, sizeof sql, AHEAD "%lld AND (%s)", (long long)people.person_id, where);
    return api_number(sql);
}

static void a_unit_goes_to_another_zone(void **state)
{
    (void)state;
    char path[96];
    json_t *answer = NULL;
    int64_t planned = ahead("1"), before = api_number("SELECT sum(due_at) FROM checkin");
    assert_true(planned > 1);
    snprintf(path, sizeof path, "/api/units/%lld/zone/preview", (long long)people.unit);
    assert_int_equal(api_ask(&people.administrator, "POST", path,
                             json_pack("{s:s}", "zone", "Asia/Tokyo"), &answer),
                     200);
    int64_t moves = json_integer_value(json_object_get(answer, "checkins"));
    int64_t minutes = json_integer_value(json_object_get(answer, "minutes"));
    json_decref(answer);
    assert_true(moves > 0);
    assert_int_equal(minutes, -240);
    assert_int_equal(api_number("SELECT sum(due_at) FROM checkin"), before); /* a preview */
    snprintf(path, sizeof path, "/api/units/%lld/zone", (long long)people.unit);
    assert_int_equal(
        api_ask(&people.inspector, "POST", path, json_pack("{s:s}", "zone", "Asia/Tokyo"), NULL),
        403);
    assert_int_equal(api_ask(&people.administrator, "POST", path,
                             json_pack("{s:s}", "zone", "Asia/Nowhere"), &answer),
                     400);
    api_expect_error(answer, "invalid", "zone");
    assert_int_equal(api_ask(&people.administrator, "POST", path,
                             json_pack("{s:s}", "zone", "Asia/Tokyo"), NULL),
                     200);
    assert_true(api_wait_number("SELECT count(*) FROM zone_change WHERE ended_at IS NOT NULL", 1));
    assert_int_equal(api_number("SELECT count(*) FROM checkin WHERE zone = 'Asia/Tokyo'"), moves);
    assert_int_equal(api_number("SELECT sum(due_at) FROM checkin") - before,
                     moves * minutes * 60000);
}

static void a_person_goes_to_another_inspector(void **state)
{
    (void)state;
    char path[96], where[96];
    int64_t planned = ahead("1");
    snprintf(path, sizeof path, "/api/persons/%lld", (long long)people.person_id);
    snprintf(where, sizeof where, "inspector_id = %lld", (long long)people.other_inspector_id);
    assert_int_equal(ahead(where), 0);
    assert_int_equal(api_ask(&people.other_inspector, "GET", path, NULL, NULL), 403);
    assert_int_equal(
        api_ask(&people.supervisor, "POST", path,
                json_pack("{s:I}", "inspector_id", (json_int_t)people.other_inspector_id), NULL),
        200);
    assert_int_equal(ahead(where), planned);
    assert_int_equal(api_ask(&people.other_inspector, "GET", path, NULL, NULL), 200);
    assert_int_equal(api_ask(&people.inspector, "GET", path, NULL, NULL), 403);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_key_on_the_telephone_takes_it_over),
        TEST(a_browser_subscribes_and_stops),
        TEST(a_unit_goes_to_another_zone),
        TEST(a_person_goes_to_another_inspector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
