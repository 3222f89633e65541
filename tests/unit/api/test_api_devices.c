/* The person's own phone: made theirs in the inspector's presence, signs when it joins and to come
 * in without a link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"

#include "daemon/core/device.h"
#include "protocol/base/error.h"
#include "protocol/base/p256.h"
#include "protocol/base/text.h"

#define CHALLENGE_SIZE 64

static struct caseload people;
static const uint8_t phone[CK_P256_PRIVATE_SIZE] = {1, 2, 3};
static const uint8_t stranger[CK_P256_PRIVATE_SIZE] = {9, 9};

static int start(void **state)
{
    (void)state;
    api_start(NULL);
    api_caseload_quick(&people);
    assert_int_equal(
        api_ask(&people.person, "POST", "/api/p/notice", json_pack("{s:i}", "version", 1), NULL),
        200);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop();
    return 0;
}

static void sign(const uint8_t *key, const char *text, char signature[static 100])
{
    uint8_t bytes[CK_P256_SIGNATURE_SIZE];
    assert_int_equal(ck_p256_sign(key, text, strlen(text), bytes), 0);
    ck_base64url_encode(bytes, sizeof bytes, signature);
}

/* ---- coming in without a link ---- */

static void challenge(char text[static CHALLENGE_SIZE])
{
    struct user nobody = {0};
    json_t *answer;
    assert_int_equal(api_ask(&nobody, "GET", "/api/p/challenge", NULL, &answer), 200);
    snprintf(text, CHALLENGE_SIZE, "%s", json_string_value(json_object_get(answer, "challenge")));
    json_decref(answer);
}

static unsigned enter_with(struct user *user, int64_t device, const uint8_t *key, const char *text,
                           json_t **answer)
{
    char message[128], signature[100];
    snprintf(message, sizeof message, "checkind enter v1\n%s", text);
    sign(key, message, signature);
    return api_ask(user, "POST", "/api/p/enter",
                   json_pack("{s:I, s:s, s:s}", "device", (json_int_t)device, "challenge", text,
                             "signature", signature),
                   answer);
}

static unsigned enter(struct user *user, int64_t device, const uint8_t *key, json_t **answer)
{
    char text[CHALLENGE_SIZE];
    api_pass_ms(10); /* each challenge has a moment of its own */
    challenge(text);
    return enter_with(user, device, key, text, answer);
}

static void an_own_phone_comes_in_without_a_link(void **state)
{
    (void)state;
    struct user user = {0};
    json_t *answer;
    int64_t device = api_own_phone(&people.person, phone);
    assert_int_equal(enter(&user, device, phone, &answer), 200);
    assert_true(json_is_null(json_object_get(answer, "checkin")));
    assert_true(json_is_false(json_object_get(answer, "bound")));
    json_decref(answer);
    assert_non_null(strstr(user.cookie, "__Host-ck_person="));
    assert_int_equal(api_ask(&user, "GET", "/api/p/messages", NULL, NULL), 200);
    /* Such a session makes no further phone the person's own. */
    assert_int_equal(api_ask(&user, "POST", "/api/p/device",
                             json_pack("{s:s, s:s}", "public_key", "x", "name", ""), NULL),
                     400);
    assert_int_equal(
        api_number("SELECT count(*) FROM session WHERE person_id IS NOT NULL AND enrolment = 1"),
        1);
    assert_int_equal(api_number("SELECT count(*) FROM log_plain WHERE action = 'DEVICE_ENTERED'"),
                     1);
    api_pass_ms(INT64_C(12) * 3600000 + 1000);
    assert_int_equal(api_ask(&user, "GET", "/api/p/state", NULL, NULL), 401);
}

/* From the person's own phone: a session that is bound to the call, once. */
static void an_own_phone_calls_in(void **state)
{
    (void)state;
    struct user user = {0};
    json_t *answer;
    int64_t device = api_own_phone(&people.person, phone);
    assert_int_equal(enter(&user, device, phone, &answer), 200);
    json_decref(answer);
    assert_int_equal(api_ask(&user, "POST", "/api/p/call", json_object(), &answer), 200);
    assert_true(json_is_true(json_object_get(answer, "bound")));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(answer, "checkin"), "state")),
        "connected");
    json_decref(answer);
    assert_int_equal(api_number("SELECT count(*) FROM checkin WHERE kind = 'inbound' AND state = "
                                "'connected'"),
                     1);
    assert_int_equal(api_ask(&user, "GET", "/api/p/state", NULL, NULL), 200);
    assert_int_equal(api_ask(&user, "POST", "/api/p/call", json_object(), NULL), 409);
}

static void an_own_phone_comes_in_so_often_and_no_more(void **state)
{
    (void)state;
    struct user user = {0};
    json_t *answer = NULL;
    unsigned status = 200;
    int times = 0;
    int64_t device = api_own_phone(&people.person, phone);
    for (; status == 200 && times <= CK_REPEATS_MAX; times++) {
        status = enter(&user, device, phone, &answer);
        if (status == 200) {
            json_decref(answer);
        }
    }
    assert_int_equal(status, 429);
    api_expect_error(answer, "busy", "device");
    assert_true(times > CK_REPEATS_MAX / 2);
    api_pass_ms(CK_REPEATS_MS + 1000);
    assert_int_equal(enter(&user, device, phone, NULL), 200);
}

static void a_challenge_is_good_once_and_for_two_minutes(void **state)
{
    (void)state;
    struct user user = {0};
    json_t *answer;
    char text[CHALLENGE_SIZE], old[CHALLENGE_SIZE];
    int64_t device = api_own_phone(&people.person, phone);
    challenge(old);
    api_pass_ms(10);
    challenge(text);
    assert_int_equal(enter_with(&user, device, phone, text, NULL), 200);
    assert_int_equal(enter_with(&user, device, phone, text, &answer), 401); /* replayed */
    json_decref(answer);
    assert_int_equal(enter_with(&user, device, phone, old, NULL), 401); /* overtaken */
    api_pass_ms(10);
    challenge(text);
    api_pass_ms(120000);
    assert_int_equal(enter_with(&user, device, phone, text, NULL), 409);
    text[10] = text[10] == 'A' ? 'B' : 'A';
    assert_int_equal(enter_with(&user, device, phone, text, NULL), 409); /* not ours */
    assert_int_equal(enter_with(&user, device, phone, "", NULL), 400);
}

static void another_key_does_not_come_in(void **state)
{
    (void)state;
    struct user user = {0};
    int64_t device = api_own_phone(&people.person, phone);
    assert_int_equal(enter(&user, device, stranger, NULL), 401);
    assert_int_equal(enter(&user, device + 1, phone, NULL), 401);
    assert_string_equal(user.cookie, "");
    assert_int_equal(enter(&user, device, phone, NULL), 200);
}

/* ---- making it one's own ---- */

static unsigned enrol(struct user *user, const char *key)
{
    return api_ask(user, "POST", "/api/p/device",
                   json_pack("{s:s, s:s}", "public_key", key, "name", "x"), NULL);
}

static void only_keys_are_taken_and_not_many(void **state)
{
    (void)state;
    uint8_t point[CK_P256_PUBLIC_SIZE] = {4, 1};
    char text[CK_BASE64URL_SIZE(sizeof point)];
    ck_base64url_encode(point, sizeof point, text);
    assert_int_equal(enrol(&people.person, text), 400); /* not on the curve */
    assert_int_equal(enrol(&people.person, "AAAA"), 400);
    assert_int_equal(enrol(&people.person, "no base64!"), 400);
    assert_int_equal(api_number("SELECT count(*) FROM device"), 0);
    for (uint8_t i = 1; i <= 5; i++) {
        api_own_phone(&people.person, (uint8_t[CK_P256_PRIVATE_SIZE]){i});
    }
    assert_int_equal(ck_p256_public((uint8_t[CK_P256_PRIVATE_SIZE]){6}, point), 0);
    ck_base64url_encode(point, sizeof point, text);
    assert_int_equal(enrol(&people.person, text), 409);
    assert_int_equal(api_number("SELECT count(*) FROM device"), 5);
}

static void a_revoked_phone_is_out(void **state)
{
    (void)state;
    struct user user = {0};
    char path[64];
    json_t *answer;
    int64_t device = api_own_phone(&people.person, phone);
    snprintf(path, sizeof path, "/api/devices/%lld/revoke", (long long)device);
    assert_int_equal(
        api_ask(&people.other_inspector, "POST", path, json_pack("{s:s}", "reason", "x"), NULL),
        403);
    assert_int_equal(api_ask(&people.inspector, "POST", path, json_object(), NULL), 400);
    assert_int_equal(enter(&user, device, phone, NULL), 200);
    assert_int_equal(api_ask(&user, "GET", "/api/p/messages", NULL, NULL), 200);
    assert_int_equal(
        api_ask(&people.inspector, "POST", path, json_pack("{s:s}", "reason", "lost"), &answer),
        200);
    json_t *row = json_array_get(json_object_get(answer, "devices"), 0);
    assert_int_equal(json_integer_value(json_object_get(row, "id")), device);
    assert_true(json_is_string(json_object_get(row, "revoked")));
    json_decref(answer);
    assert_int_equal(enter(&user, device, phone, NULL), 401);
    assert_int_equal(
        api_ask(&people.inspector, "POST", path, json_pack("{s:s}", "reason", "lost"), NULL), 409);
    /* Whoever has it now is out, of the page that is open and of the one that made it theirs. */
    assert_int_equal(api_ask(&user, "GET", "/api/p/messages", NULL, NULL), 401);
    assert_int_equal(api_ask(&people.person, "GET", "/api/p/messages", NULL, NULL), 401);
}

/* ---- joining ---- */

static int64_t ring(void)
{
    char path[96], sql[128];
    json_t *answer;
    snprintf(path, sizeof path, "/api/persons/%lld/checkins", (long long)people.person_id);
    assert_int_equal(api_ask(&people.inspector, "POST", path,
                             json_pack("{s:s, s:s}", "reason", "test", "kind", "live"), &answer),
                     200);
    int64_t id = json_integer_value(json_object_get(answer, "id"));
    json_decref(answer);
    api_pass_ms(1000);
    snprintf(sql, sizeof sql, "SELECT state = 'ringing' FROM checkin WHERE id = %lld",
             (long long)id);
    assert_true(api_wait_number(sql, 1));
    return id;
}

static int join(int64_t checkin, int64_t device, const uint8_t *key, int64_t signed_checkin)
{
    char message[128], signature[100];
    struct ck_actor actor = {
        .kind = CK_ACTOR_PERSON, .person_id = people.person_id, .checkin_id = checkin};
    snprintf(message, sizeof message, "checkind join v1\n%lld\nof this session",
             (long long)signed_checkin);
    sign(key, message, signature);
    return api_command("checkin.joined", &actor,
                       json_pack("{s:I, s:s, s:I, s:s, s:s}", "checkin", (json_int_t)checkin,
                                 "device", "a phone", "key", (json_int_t)device, "challenge",
                                 "of this session", "signature", signature),
                       NULL);
}

static void expect_device(int64_t checkin, const char *word)
{
    char path[64];
    json_t *answer;
    snprintf(path, sizeof path, "/api/checkins/%lld", (long long)checkin);
    assert_int_equal(api_ask(&people.inspector, "GET", path, NULL, &answer), 200);
    const char *device = json_string_value(json_object_get(answer, "device"));
    if (word == NULL) {
        assert_null(device);
    } else {
        assert_non_null(device);
        assert_string_equal(device, word);
    }
    json_decref(answer);
}

static void a_check_in_shows_with_whose_phone_the_person_came(void **state)
{
    (void)state;
    int64_t device = api_own_phone(&people.person, phone), checkin = ring();
    expect_device(checkin, NULL);
    assert_int_equal(join(checkin, device, phone, checkin), 0);
    expect_device(checkin, "own");
    assert_int_equal(join(checkin, device, phone, checkin + 1), 0); /* signed for another one */
    expect_device(checkin, "other");
    assert_int_equal(join(checkin, device, stranger, checkin), 0); /* it runs all the same */
    expect_device(checkin, "other");
    assert_int_equal(join(checkin, 999, phone, checkin), 0);
    expect_device(checkin, "other");
    assert_int_equal(join(checkin, device, phone, checkin), 0);
    expect_device(checkin, "own");
    assert_int_equal(
        api_number("SELECT count(*) FROM fact WHERE fact IN ('own_device', 'other_device')"), 5);
    assert_int_equal(api_number("SELECT count(*) FROM log_plain WHERE action = 'DEVICE_SEEN'"), 5);
}

static void who_has_no_phone_here_is_not_marked(void **state)
{
    (void)state;
    int64_t checkin = ring();
    assert_int_equal(join(checkin, 1, stranger, checkin), 0);
    expect_device(checkin, NULL);
}

static void who_comes_in_while_it_rings_can_answer(void **state)
{
    (void)state;
    struct user user = {0};
    json_t *answer;
    int64_t device = api_own_phone(&people.person, phone), checkin = ring();
    assert_int_equal(enter(&user, device, phone, &answer), 200);
    assert_true(json_is_true(json_object_get(answer, "bound")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "checkin"), "id")),
                     checkin);
    assert_non_null(json_string_value(json_object_get(answer, "challenge")));
    json_decref(answer);
    /* That their own phone opened the page is a fact for the attribution. */
    assert_true(api_wait_number("SELECT count(*) FROM fact WHERE fact = 'page_opened'", 1));
    assert_int_equal(api_ask(&user, "POST", "/api/p/decline",
                             json_pack("{s:s}", "reason", "at the doctor's"), NULL),
                     200);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SERVED(an_own_phone_comes_in_without_a_link),
        SERVED(an_own_phone_calls_in),
        SERVED(an_own_phone_comes_in_so_often_and_no_more),
        SERVED(a_challenge_is_good_once_and_for_two_minutes),
        SERVED(another_key_does_not_come_in),
        SERVED(only_keys_are_taken_and_not_many),
        SERVED(a_revoked_phone_is_out),
        SERVED(a_check_in_shows_with_whose_phone_the_person_came),
        SERVED(who_has_no_phone_here_is_not_marked),
        SERVED(who_comes_in_while_it_rings_can_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
