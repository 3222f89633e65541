/* The second factor at log-in, and the sessions that one can see and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "daemon/access/totp.h"

static struct caseload people;

static int start_with(const struct api_limits *limits)
{
    api_start(limits);
    api_caseload_quick(&people);
    return 0;
}

static int start(void **state)
{
    (void)state;
    return start_with(NULL);
}

static int stop(void **state)
{
    (void)state;
    api_stop();
    return 0;
}

/* What an application on a telephone does with the text below the picture. */
static void read_key(const char *text, uint8_t key[static CK_KEY_SIZE])
{
    uint32_t held = 0;
    unsigned bits = 0;
    size_t size = 0;
    assert_int_equal(strlen(text), CK_TOTP_TEXT_SIZE - 1);
    for (; *text != '\0'; text++) {
        uint32_t value = (uint32_t)(*text >= 'A' ? *text - 'A' : *text - '2' + 26);
        assert_true(value < 32);
        held = held << 5 | value;
        bits += 5;
        if (bits >= 8 && size < CK_KEY_SIZE) {
            key[size++] = (uint8_t)(held >> (bits -= 8));
        }
    }
    assert_int_equal(size, CK_KEY_SIZE);
}

static void code_now(const uint8_t key[static CK_KEY_SIZE], int steps, char code[static 8])
{
    assert_int_equal(ck_totp_code(key, api_now_ms() / CK_TOTP_STEP_MS + steps, code), 0);
}

static void begin(struct user *user, const char *code, uint8_t key[static CK_KEY_SIZE])
{
    json_t *answer;
    assert_int_equal(
        api_ask(user, "POST", "/api/me/second-factor", json_pack("{s:s*}", "code", code), &answer),
        200);
    const char *text = json_string_value(json_object_get(answer, "key"));
    const char *uri = json_string_value(json_object_get(answer, "uri"));
    read_key(text, key);
    assert_non_null(strstr(uri, "otpauth://totp/checkind:"));
    assert_non_null(strstr(uri, text));
    assert_non_null(strstr(json_string_value(json_object_get(answer, "qr_svg")), "<svg"));
    json_decref(answer);
}

static unsigned confirm(struct user *user, const char *code, json_t **answer)
{
    return api_ask(user, "POST", "/api/me/second-factor/confirm", json_pack("{s:s}", "code", code),
                   answer);
}

static void set_up(struct user *user, uint8_t key[static CK_KEY_SIZE])
{
    char code[8];
    begin(user, NULL, key);
    code_now(key, 0, code);
    assert_int_equal(confirm(user, code, NULL), 200);
}

static unsigned log_in(struct user *user, const char *code, json_t **answer)
{
    return api_ask(
        user, "POST", "/api/login",
        json_pack("{s:s, s:s, s:s*}", "login", "inspector", "password", PASSWORD, "code", code),
        answer);
}

static void the_code_is_asked_for_once_it_was_confirmed(void **state)
{
    (void)state;
    struct user user = {0};
    uint8_t key[CK_KEY_SIZE];
    char code[8];
    json_t *answer;
    assert_int_equal(confirm(&people.inspector, "123456", NULL), 409); /* nothing is begun */
    begin(&people.inspector, NULL, key);
    assert_int_equal(log_in(&user, NULL, NULL), 200); /* not confirmed: not asked */
    code_now(key, 3, code);
    assert_int_equal(confirm(&people.inspector, code, &answer), 400);
    api_expect_error(answer, "invalid", "code");
    assert_true(api_wait_number("SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE "
                                "'%\"action\":\"DENIED\"%is not the present code%'",
                                1));
    code_now(key, 0, code);
    assert_int_equal(confirm(&people.inspector, code, &answer), 200);
    assert_true(json_is_true(json_object_get(answer, "second_factor")));
    json_decref(answer);
    /* The other sessions of the account ended with it. */
    assert_int_equal(api_ask(&user, "GET", "/api/me", NULL, NULL), 401);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL), 200);

    struct user later = {0};
    assert_int_equal(log_in(&later, NULL, &answer), 401);
    api_expect_error(answer, "unauthenticated", "code");
    assert_int_equal(log_in(&later, code, &answer), 401); /* it was used up by confirming */
    api_expect_error(answer, "unauthenticated", "code");
    code_now(key, 1, code); /* a telephone half a minute ahead */
    assert_int_equal(log_in(&later, code, NULL), 200);
    struct user again = {0};
    assert_int_equal(log_in(&again, code, &answer), 401); /* no code is good twice */
    api_expect_error(answer, "unauthenticated", "code");
    assert_string_equal(again.cookie, "");
    assert_true(
        api_wait_number("SELECT count(*) FROM log_plain WHERE action = 'LOGIN_REFUSED'", 2));
    assert_int_equal(
        api_number("SELECT count(*) FROM log_plain WHERE action = 'SECOND_FACTOR_SET'"), 1);
}

static void a_wrong_password_tells_nothing_about_the_code(void **state)
{
    (void)state;
    struct user user = {0};
    uint8_t key[CK_KEY_SIZE];
    set_up(&people.inspector, key);
    json_t *answer;
    assert_int_equal(api_ask(&user, "POST", "/api/login",
                             json_pack("{s:s, s:s, s:s}", "login", "inspector", "password",
                                       "not the password", "code", "000000"),
                             &answer),
                     401);
    assert_true(json_is_null(json_object_get(json_object_get(answer, "error"), "field")));
    json_decref(answer);
}

static void replacing_it_needs_its_present_code(void **state)
{
    (void)state;
    uint8_t key[CK_KEY_SIZE], other[CK_KEY_SIZE];
    char code[8];
    json_t *answer;
    set_up(&people.inspector, key);
    assert_int_equal(
        api_ask(&people.inspector, "POST", "/api/me/second-factor", json_object(), &answer), 400);
    api_expect_error(answer, "invalid", "code");
    api_pass_ms(CK_TOTP_STEP_MS);
    code_now(key, 0, code);
    begin(&people.inspector, code, other);
    assert_memory_not_equal(key, other, sizeof key);
    code_now(other, 0, code);
    assert_int_equal(confirm(&people.inspector, code, NULL), 200);
    struct user user = {0};
    api_pass_ms(2 * CK_TOTP_STEP_MS);
    code_now(key, 0, code);
    assert_int_equal(log_in(&user, code, NULL), 401);
    code_now(other, 0, code);
    assert_int_equal(log_in(&user, code, NULL), 200);
}

static int start_few(void **state)
{
    (void)state;
    static const struct api_limits limits = {.logins_per_account = 3};
    return start_with(&limits);
}

static void codes_cannot_be_guessed(void **state)
{
    (void)state;
    struct user user = {0};
    uint8_t key[CK_KEY_SIZE];
    char code[8];
    json_t *answer;
    set_up(&people.inspector, key);
    for (int i = 0; i < 3; i++) {
        code_now(key, 10 + i, code);
        assert_int_equal(log_in(&user, code, NULL), 401);
    }
    code_now(key, 1, code);
    assert_int_equal(log_in(&user, code, &answer), 429); /* even the right one */
    api_expect_error(answer, "busy", "code");
    /* Another account is not concerned, and neither is the session that is open. */
    assert_int_equal(api_login(&user, "supervisor", PASSWORD), 200);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL), 200);
    api_pass_ms(900000);
    code_now(key, 0, code);
    assert_int_equal(log_in(&user, code, NULL), 200);
}

static void where_it_is_required_nothing_comes_before_it(void **state)
{
    (void)state;
    struct user user = {0};
    uint8_t key[CK_KEY_SIZE];
    json_t *answer;
    api_require_second_factor();
    assert_int_equal(api_login(&user, "inspector", PASSWORD), 200);
    assert_int_equal(api_ask(&user, "GET", "/api/me", NULL, &answer), 200);
    assert_true(json_is_false(json_object_get(answer, "second_factor")));
    assert_true(json_is_true(json_object_get(answer, "second_factor_required")));
    json_decref(answer);
    assert_int_equal(api_ask(&user, "GET", "/api/today", NULL, &answer), 403);
    api_expect_error(answer, "denied", "second_factor");
    set_up(&user, key);
    assert_int_equal(api_ask(&user, "GET", "/api/today", NULL, NULL), 200);
    /* A person has no account and is never asked. */
    assert_int_equal(api_ask(&people.person, "GET", "/api/p/state", NULL, NULL), 200);
}

static void its_key_is_sealed_in_the_store(void **state)
{
    (void)state;
    uint8_t key[CK_KEY_SIZE];
    char hex[2 * CK_KEY_SIZE + 1], sql[256];
    set_up(&people.inspector, key);
    for (size_t i = 0; i < sizeof key; i++) {
        snprintf(hex + 2 * i, 3, "%02X", key[i]);
    }
    assert_int_equal(api_number("SELECT count(*) FROM staff WHERE length(totp_key) = 60"), 1);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM staff WHERE hex(totp_key) LIKE '%%%s%%'", hex);
    assert_int_equal(api_number(sql), 0);
}

/* ---- sessions ---- */

static int64_t session_of(struct user *user, size_t *count)
{
    json_t *answer, *row;
    size_t i;
    int64_t id = 0;
    assert_int_equal(api_ask(user, "GET", "/api/me/sessions", NULL, &answer), 200);
    json_array_foreach(json_object_get(answer, "sessions"), i, row)
    {
        if (json_is_true(json_object_get(row, "current"))) {
            assert_int_equal(id, 0);
            id = json_integer_value(json_object_get(row, "id"));
        }
        assert_non_null(json_string_value(json_object_get(row, "peer")));
    }
    *count = json_array_size(json_object_get(answer, "sessions"));
    json_decref(answer);
    return id;
}

static unsigned end_session(struct user *user, int64_t session)
{
    char path[64];
    snprintf(path, sizeof path, "/api/sessions/%lld/end", (long long)session);
    return api_ask(user, "POST", path, json_object(), NULL);
}

static void sessions_are_seen_and_ended_one_by_one(void **state)
{
    (void)state;
    struct user one = {0}, two = {0};
    size_t count = 0;
    assert_int_equal(api_login(&one, "inspector", PASSWORD), 200);
    assert_int_equal(api_login(&two, "inspector", PASSWORD), 200);
    int64_t first = session_of(&one, &count);
    int64_t second = session_of(&two, &count);
    assert_int_equal(count, 3); /* and the one of the caseload */
    assert_int_not_equal(first, second);
    assert_int_equal(end_session(&people.supervisor, second), 403); /* another's */
    assert_int_equal(api_ask(&two, "GET", "/api/me", NULL, NULL), 200);
    assert_int_equal(end_session(&one, second), 200);
    assert_int_equal(api_ask(&two, "GET", "/api/me", NULL, NULL), 401);
    assert_int_equal(api_ask(&one, "GET", "/api/me", NULL, NULL), 200);
    assert_int_equal(end_session(&one, second), 404); /* it is over */
    session_of(&one, &count);
    assert_int_equal(count, 2);

    char path[64];
    json_t *answer;
    snprintf(path, sizeof path, "/api/staff/%lld/sessions", (long long)people.inspector_id);
    assert_int_equal(api_ask(&people.administrator, "GET", path, NULL, &answer), 200);
    assert_int_equal(json_array_size(json_object_get(answer, "sessions")), 2);
    json_decref(answer);
    assert_int_equal(end_session(&people.administrator, first), 200);
    assert_int_equal(api_ask(&one, "GET", "/api/me", NULL, NULL), 401);
    assert_int_equal(api_number("SELECT count(*) FROM log_plain WHERE action = 'SESSION_ENDED'"),
                     2);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)
#define WITH(test, setup) cmocka_unit_test_setup_teardown(test, setup, stop)
    const struct CMUnitTest tests[] = {
        SERVED(the_code_is_asked_for_once_it_was_confirmed),
        SERVED(a_wrong_password_tells_nothing_about_the_code),
        SERVED(replacing_it_needs_its_present_code),
        WITH(codes_cannot_be_guessed, start_few),
        SERVED(where_it_is_required_nothing_comes_before_it),
        SERVED(its_key_is_sealed_in_the_store),
        SERVED(sessions_are_seen_and_ended_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
