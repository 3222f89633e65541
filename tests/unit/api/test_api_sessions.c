/* Log-in, sessions, links, and what must not be found in the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "protocol/signature.h"

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

/* ---- first start ---- */

static unsigned set_up(struct user *user, const char *token, json_t **answer)
{
    return api_ask(user, "POST", "/api/setup",
                   json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}}", "token", token, "login",
                             "first", "name", "x", "password", PASSWORD, "language", "ru", "unit",
                             "name", "x", "zone", "Asia/Almaty"),
                   answer);
}

/* How many log-ins the log says were refused for this. */
static bool refused_for(const char *why, int64_t count)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM log_entry JOIN log_plain USING (idx) WHERE action = "
             "'LOGIN_REFUSED' AND json_extract(leaf, '$.open.why') = '%s'",
             why);
    return api_wait_number(sql, count) && api_number(sql) == count;
}

static void the_first_administrator_is_made_once(void **state)
{
    (void)state;
    struct user user = {0}, second = {0};
    json_t *answer;
    api_start(NULL);
    assert_int_equal(api_ask(&user, "GET", "/api/setup", NULL, &answer), 200);
    assert_true(json_is_true(json_object_get(answer, "needed")));
    json_decref(answer);
    assert_int_equal(set_up(&user, "guess", &answer), 403);
    api_expect_error(answer, "denied", "token");
    assert_int_equal(api_number("SELECT count(*) FROM staff"), 0);
    assert_int_equal(set_up(&user, api_setup_token(), &answer), 200);
    json_decref(answer);
    assert_int_equal(api_ask(&user, "GET", "/api/me", NULL, NULL), 200);
    assert_int_equal(api_ask(&user, "GET", "/api/setup", NULL, &answer), 200);
    assert_true(json_is_false(json_object_get(answer, "needed")));
    json_decref(answer);
    assert_int_equal(set_up(&second, api_setup_token(), &answer), 403); /* used up */
    api_expect_error(answer, "denied", "token");
    assert_int_equal(api_number("SELECT count(*) FROM staff"), 1);
    assert_true(refused_for("setup_token", 2));
    api_stop();
}

static void a_second_first_administrator_is_refused(void **state)
{
    (void)state;
    struct user user = {0};
    json_t *answer;
    assert_int_equal(set_up(&user, api_setup_token(), &answer), 409); /* there is staff */
    api_expect_error(answer, "conflict", NULL);
    assert_int_equal(api_number("SELECT count(*) FROM staff WHERE login = 'first'"), 0);
}

/* ---- log-in ---- */

static void a_log_in_opens_a_session_that_only_its_digest_knows(void **state)
{
    (void)state;
    struct user user = {0};
    assert_int_equal(api_login(&user, "inspector", PASSWORD), 200);
    const char *set = strstr(api_raw(), "\r\nset-cookie: __Host-ck_staff=");
    assert_non_null(set);
    char line[256];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(set + 2, "\r"), set + 2);
    assert_non_null(strstr(line, "; Path=/; Secure; HttpOnly; SameSite=Strict"));
    assert_null(strstr(line, "Domain"));
    const char *token = strchr(user.cookie, '=') + 1;
    assert_int_equal(strlen(token), 43); /* 256 bits */
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM session WHERE hex(token_hash) LIKE '%%' || hex('%.10s') || '%%'",
             token);
    assert_int_equal(api_number(sql), 0);
    assert_int_equal(api_number("SELECT count(*) FROM staff WHERE password LIKE '%horse%'"), 0);
    assert_true(strlen(user.csrf) >= 40);
    assert_string_not_equal(user.csrf, token);
}

static void every_log_in_has_a_session_of_its_own(void **state)
{
    (void)state;
    struct user one = {0}, two = {0};
    assert_int_equal(api_login(&one, "inspector", PASSWORD), 200);
    assert_int_equal(api_login(&two, "INSPECTOR", PASSWORD), 200);
    assert_string_not_equal(one.cookie, two.cookie);
    assert_string_not_equal(one.csrf, two.csrf);
}

static void a_wrong_and_an_unknown_log_in_look_the_same(void **state)
{
    (void)state;
    struct user user = {0};
    int64_t before = api_number("SELECT count(*) FROM log_plain WHERE action = 'LOGIN_REFUSED'");
    assert_int_equal(api_login(&user, "inspector", "not the password"), 401);
    char *wrong = strdup(body_of(api_raw()));
    assert_int_equal(api_login(&user, "nobody at all", "not the password"), 401);
    assert_string_equal(wrong, body_of(api_raw()));
    free(wrong);
    assert_string_equal(user.cookie, "");
    assert_true(api_wait_number("SELECT count(*) FROM log_plain WHERE action = 'LOGIN_REFUSED'",
                                before + 2));
}

static void odd_log_ins_are_refused_and_harmless(void **state)
{
    (void)state;
    struct user user = {0};
    char longest[200];
    memset(longest, 'a', sizeof longest);
    longest[128] = '\0';
    assert_int_equal(api_login(&user, longest, "x"), 401);
    longest[128] = 'a';
    longest[199] = '\0';
    assert_int_equal(api_login(&user, longest, "x"), 400);
    assert_int_equal(api_login(&user, "", "x"), 400);
    assert_int_equal(api_ask(&user, "POST", "/api/login",
                             json_pack("{s:i, s:s}", "login", 1, "password", "x"), NULL),
                     400);
    assert_int_equal(api_ask(&user, "POST", "/api/login",
                             json_pack("{s:[], s:s}", "login", "password", "x"), NULL),
                     400);
    assert_int_equal(api_send(&user, "/api/login", "application/json", "not json", 8), 400);
    assert_int_equal(api_send(&user, "/api/login", "application/json", "[]", 2), 400);
    assert_int_equal(api_send(&user, "/api/login", "text/plain", "{}", 2), 400);
    assert_int_equal(api_send(&user, "/api/login", "application/json",
                              "{\"login\":\"a\",\"login\":\"b\",\"password\":\"x\"}", 40),
                     400);
    assert_int_equal(api_login(&user, "inspector", PASSWORD), 200);
}

static int start_failing(void **state)
{
    (void)state;
    static const struct api_limits limits = {.logins_per_address = 3};
    return start_with(&limits);
}

static void an_address_that_fails_too_often_waits(void **state)
{
    (void)state;
    struct user user = {0};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(api_login(&user, i == 0 ? "inspector" : "nobody", "not the password"),
                         401);
    }
    assert_int_equal(api_login(&user, "inspector", PASSWORD), 429);
    assert_non_null(strstr(api_raw(), "\r\nretry-after: "));
    /* That somebody had to wait is in the log; that it went on so for minutes fills no log. */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(api_login(&user, "inspector", PASSWORD), 429);
    }
    assert_true(refused_for("wrong", 3));
    assert_true(refused_for("too_many", 1));
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL),
                     200); /* sessions go on */
    api_pass_ms(300000);   /* a third of the 15 minutes */
    assert_int_equal(api_login(&user, "inspector", PASSWORD), 200);
}

/* A colleague in the same office gets it wrong on purpose: who has logged in from a browser before
 * comes in, and has tries of their own. */
static void strangers_lock_no_known_browser_out(void **state)
{
    (void)state;
    struct user known = {0}, stranger = {0};
    assert_int_equal(api_login(&known, "inspector", PASSWORD), 200);
    const char *set = strstr(api_raw(), "__Host-ck_known=");
    assert_non_null(set);
    assert_non_null(strstr(set, "; Secure; HttpOnly; SameSite=Strict"));
    snprintf(known.cookie, sizeof known.cookie, "%.*s", (int)strcspn(set, ";"), set);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(api_login(&stranger, "inspector", "not the password"), 401);
    }
    assert_int_equal(api_login(&stranger, "inspector", PASSWORD), 429);
    struct user again = known;
    assert_int_equal(api_login(&again, "inspector", PASSWORD), 200);
    again = known;
    assert_int_equal(api_login(&again, "supervisor", PASSWORD), 429); /* of that account alone */
    for (int i = 0; i < 2; i++) {                                     /* and guesses are counted */
        again = known;
        assert_int_equal(api_login(&again, "inspector", "not the password"), 401);
    }
    again = known;
    assert_int_equal(api_login(&again, "inspector", PASSWORD), 429);
}

static int start_known(void **state)
{
    (void)state;
    static const struct api_limits limits = {.logins_per_address = 3, .logins_per_account = 2};
    return start_with(&limits);
}

static int start_slow(void **state)
{
    (void)state;
    static const struct api_limits limits = {.logins_per_account = 2};
    return start_with(&limits);
}

static void an_account_under_attack_is_not_locked(void **state)
{
    (void)state;
    struct user user = {0};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(api_login(&user, "inspector", "not the password"), 401);
    }
    assert_int_equal(api_login(&user, "inspector", PASSWORD), 200);
}

/* ---- sessions ---- */

static void a_post_needs_the_token_of_its_own_session(void **state)
{
    (void)state;
    struct user user = people.inspector, other = people.supervisor;
    json_t *answer;
    user.no_csrf = true;
    assert_int_equal(
        api_ask(&user, "POST", "/api/me/language", json_pack("{s:s}", "language", "kk"), &answer),
        403);
    api_expect_error(answer, "denied", "X-CSRF-Token");
    user.no_csrf = false;
    strcpy(user.csrf, other.csrf);
    assert_int_equal(
        api_ask(&user, "POST", "/api/me/language", json_pack("{s:s}", "language", "kk"), &answer),
        403);
    api_expect_error(answer, "denied", "X-CSRF-Token");
    assert_int_equal(api_number("SELECT count(*) FROM staff WHERE language = 'kk'"), 0);
    assert_int_equal(api_ask(&people.inspector, "POST", "/api/me/language",
                             json_pack("{s:s}", "language", "kk"), NULL),
                     200);
    assert_int_equal(api_number("SELECT count(*) FROM staff WHERE language = 'kk'"), 1);
}

static void a_cookie_is_good_for_its_own_side_alone(void **state)
{
    (void)state;
    struct user user = {0};
    /* The person's token under the staff's name, and the other way round. */
    snprintf(user.cookie, sizeof user.cookie, "__Host-ck_staff=%s",
             strchr(people.person.cookie, '=') + 1);
    assert_int_equal(api_ask(&user, "GET", "/api/me", NULL, NULL), 401);
    snprintf(user.cookie, sizeof user.cookie, "__Host-ck_person=%s",
             strchr(people.inspector.cookie, '=') + 1);
    assert_int_equal(api_ask(&user, "GET", "/api/p/state", NULL, NULL), 401);
    static const char *const odd[] = {"__Host-ck_staff=", "__Host-ck_staff=short",
                                      "__Host-ck_staff=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                      "ck_staff=x", "__Host-ck_staff=%%%"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        strcpy(user.cookie, odd[i]);
        assert_int_equal(api_ask(&user, "GET", "/api/me", NULL, NULL), 401);
    }
    /* Twice is ambiguous, so it is none. */
    snprintf(user.cookie, sizeof user.cookie, "%.75s; %.75s", people.inspector.cookie,
             people.inspector.cookie);
    assert_int_equal(api_ask(&user, "GET", "/api/me", NULL, NULL), 401);
}

static int start_short(void **state)
{
    (void)state;
    static const struct api_limits limits = {.session_ms = 1800000, .session_max_ms = 7200000};
    return start_with(&limits);
}

static void an_idle_session_ends(void **state)
{
    (void)state;
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL), 200);
    api_pass_ms(1801000);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL), 401);
}

static void a_session_in_use_lasts_but_not_for_ever(void **state)
{
    (void)state;
    char sql[128];
    int64_t passed = 0;
    unsigned status;
    for (;;) {
        api_pass_ms(1200000);
        passed += 1200000;
        status = api_ask(&people.inspector, "POST", "/api/me/language",
                         json_pack("{s:s}", "language", "ru"), NULL);
        if (status != 200 || passed > 10000000) {
            break;
        }
        /* Its use is written down before time goes on. */
        snprintf(sql, sizeof sql, "SELECT max(seen_at) FROM session WHERE staff_id = %lld",
                 (long long)people.inspector_id);
        assert_true(api_wait_number(sql, INT64_C(1795233600000) + passed));
    }
    assert_int_equal(status, 401);
    assert_in_range(passed, 6000000, 7200000 + 1200000);
}

/* What a page reads by itself, because something was pushed, is nobody at the desk. */
static void a_desk_that_only_reads_is_unattended(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        api_pass_ms(850000);
        assert_int_equal(api_ask(&people.inspector, "GET", "/api/today", NULL, NULL), 200);
    }
    api_pass_ms(110000);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/today", NULL, NULL), 401);
}

static void the_system_tells_when_its_log_was_last_verified(void **state)
{
    (void)state;
    const struct ck_actor system = ck_actor_system();
    for (int findings = 0; findings < 2; findings++) {
        json_t *answer = NULL;
        assert_int_equal(
            api_command("log.verified", &system,
                        json_pack("{s:i, s:i, s:i}", "entries", 10, "findings", findings, "uid", 0),
                        NULL),
            0);
        assert_int_equal(api_ask(&people.administrator, "GET", "/api/system", NULL, &answer), 200);
        const json_t *verified = json_object_get(json_object_get(answer, "log"), "verified");
        assert_int_equal(json_boolean_value(json_object_get(verified, "good")), findings == 0);
        assert_true(json_is_string(json_object_get(verified, "at")));
        json_decref(answer);
    }
}

static void the_log_was_never_verified_at_first(void **state)
{
    (void)state;
    json_t *answer = NULL;
    assert_int_equal(api_ask(&people.administrator, "GET", "/api/system", NULL, &answer), 200);
    assert_true(json_is_null(json_object_get(json_object_get(answer, "log"), "verified")));
    json_decref(answer);
}

static void a_log_out_ends_this_session_alone(void **state)
{
    (void)state;
    struct user one = {0}, two = {0};
    assert_int_equal(api_login(&one, "inspector", PASSWORD), 200);
    assert_int_equal(api_login(&two, "inspector", PASSWORD), 200);
    struct user gone = one;
    assert_int_equal(api_ask(&one, "POST", "/api/logout", json_object(), NULL), 200);
    assert_non_null(strstr(api_raw(), "Max-Age=0"));
    assert_int_equal(api_ask(&gone, "GET", "/api/me", NULL, NULL), 401);
    assert_int_equal(api_ask(&two, "GET", "/api/me", NULL, NULL), 200);
}

static void a_changed_password_ends_the_other_sessions(void **state)
{
    (void)state;
    struct user one = {0}, two = {0}, three = {0};
    json_t *answer;
    assert_int_equal(api_login(&one, "inspector", PASSWORD), 200);
    assert_int_equal(api_login(&two, "inspector", PASSWORD), 200);
    assert_int_equal(
        api_ask(&one, "POST", "/api/me/password",
                json_pack("{s:s, s:s}", "old", "wrong one", "new", "a new long password"), &answer),
        400);
    api_expect_error(answer, "invalid", "old");
    assert_true(refused_for("password", 1));
    assert_int_equal(api_ask(&one, "POST", "/api/me/password",
                             json_pack("{s:s, s:s}", "old", PASSWORD, "new", "short"), &answer),
                     400);
    api_expect_error(answer, "invalid", "new");
    assert_int_equal(api_ask(&one, "POST", "/api/me/password",
                             json_pack("{s:s, s:s}", "old", PASSWORD, "new", "a new long password"),
                             NULL),
                     200);
    assert_int_equal(api_ask(&one, "GET", "/api/me", NULL, NULL), 200);
    assert_int_equal(api_ask(&two, "GET", "/api/me", NULL, NULL), 401);
    assert_int_equal(api_login(&three, "inspector", PASSWORD), 401);
    assert_int_equal(api_login(&three, "inspector", "a new long password"), 200);
}

static void a_given_password_is_changed_before_anything_else(void **state)
{
    (void)state;
    struct user user = {0};
    char path[64];
    json_t *answer;
    snprintf(path, sizeof path, "/api/staff/%lld/password", (long long)people.inspector_id);
    assert_int_equal(api_ask(&people.administrator, "POST", path,
                             json_pack("{s:s}", "password", "given by the admin"), NULL),
                     200);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/today", NULL, NULL),
                     401); /* earlier sessions have ended */
    assert_int_equal(api_login(&user, "inspector", "given by the admin"), 200);
    assert_int_equal(api_ask(&user, "GET", "/api/me", NULL, &answer), 200);
    assert_true(json_is_true(json_object_get(answer, "must_change_password")));
    json_decref(answer);
    assert_int_equal(api_ask(&user, "GET", "/api/today", NULL, &answer), 403);
    api_expect_error(answer, "denied", "password");
    assert_int_equal(api_ask(&user, "GET", "/api/persons", NULL, NULL), 403);
    assert_int_equal(
        api_ask(&user, "POST", "/api/me/password",
                json_pack("{s:s, s:s}", "old", "given by the admin", "new", "my own long password"),
                NULL),
        200);
    assert_int_equal(api_ask(&user, "GET", "/api/today", NULL, NULL), 200);
}

static void a_new_account_starts_with_a_password_of_its_own(void **state)
{
    (void)state;
    struct user user = {0};
    json_t *answer;
    assert_int_equal(api_ask(&people.administrator, "POST", "/api/staff",
                             json_pack("{s:s, s:s, s:s, s:[s], s:I, s:s, s:n, s:n, s:b}", "login",
                                       "novice", "name", "Novice", "password", "given by the admin",
                                       "roles", "inspector", "unit_id", (json_int_t)people.unit,
                                       "language", "kk", "email", "phone", "on_duty", 0),
                             NULL),
                     200);
    assert_int_equal(api_login(&user, "novice", "given by the admin"), 200);
    assert_int_equal(api_ask(&user, "GET", "/api/me", NULL, &answer), 200);
    assert_true(json_is_true(json_object_get(answer, "must_change_password")));
    json_decref(answer);
    assert_int_equal(api_ask(&user, "GET", "/api/today", NULL, NULL), 403);
}

static void a_disabled_account_is_out_at_once(void **state)
{
    (void)state;
    struct user user = {0};
    char path[64];
    snprintf(path, sizeof path, "/api/staff/%lld", (long long)people.inspector_id);
    assert_int_equal(api_ask(&people.administrator, "POST", path,
                             json_pack("{s:b, s:s}", "disabled", 1, "disabled_reason", "left"),
                             NULL),
                     200);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL), 401);
    assert_int_equal(api_login(&user, "inspector", PASSWORD), 401);
}

static void a_role_that_is_taken_away_is_gone_at_once(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "/api/staff/%lld", (long long)people.supervisor_id);
    assert_int_equal(api_ask(&people.supervisor, "GET", "/api/log", NULL, NULL), 200);
    assert_int_equal(api_ask(&people.administrator, "POST", path,
                             json_pack("{s:[s, s]}", "roles", "officer", "supervisor"), NULL),
                     200);
    assert_int_equal(api_ask(&people.supervisor, "GET", "/api/log", NULL, NULL), 200);
    assert_int_equal(api_ask(&people.administrator, "POST", path,
                             json_pack("{s:[s]}", "roles", "officer"), NULL),
                     200);
    assert_int_equal(api_ask(&people.supervisor, "GET", "/api/log", NULL, NULL), 401);
    /* Who could do what, and from when on, stays readable: by whom, from which log-in. */
    assert_true(
        api_wait_number("SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) LIKE "
                        "'%STAFF_CHANGED%\"members\":[\"roles\"],\"roles\":2,"
                        "\"roles_before\":6,\"session\":\"________________________________\"%'",
                        1));
    assert_int_equal(api_login(&people.supervisor, "supervisor", PASSWORD), 200);
    assert_true(api_wait_number("SELECT count(*) > 0 FROM log_entry WHERE CAST(leaf AS TEXT) LIKE "
                                "'%LOGGED_IN%\"roles\":[\"officer\"]%\"method\":\"password\"%'",
                                1));
    assert_int_equal(api_ask(&people.supervisor, "GET", "/api/log", NULL, NULL), 403);
}

/* ---- the person ---- */

static char *enrolment(void)
{
    char path[64];
    json_t *link;
    snprintf(path, sizeof path, "/api/persons/%lld/enrol", (long long)people.person_id);
    assert_int_equal(api_ask(&people.inspector, "POST", path, json_object(), &link), 200);
    assert_int_equal(strncmp(json_string_value(json_object_get(link, "qr_svg")), "<svg ", 5), 0);
    char *token =
        strdup(json_string_value(json_object_get(link, "url")) + strlen("https://127.0.0.1/c/"));
    json_decref(link);
    return token;
}

static void looking_at_a_link_changes_nothing(void **state)
{
    (void)state;
    struct user user = {0};
    char *token = enrolment(), path[96];
    int64_t before = api_number("SELECT count(*) FROM log_entry");
    snprintf(path, sizeof path, "/c/%s", token);
    for (int i = 0; i < 3; i++) { /* a messenger that makes a preview */
        assert_int_equal(api_ask(&user, "GET", path, NULL, NULL), 200);
        assert_null(strstr(api_raw(), "set-cookie"));
    }
    assert_int_equal(api_number("SELECT count(*) FROM log_entry"), before);
    assert_int_equal(api_ask(&user, "POST", "/api/link", json_pack("{s:s}", "token", token), NULL),
                     200);
    assert_non_null(strstr(api_raw(), "set-cookie: __Host-ck_person="));
    assert_non_null(strstr(api_raw(), "; Path=/; Secure; HttpOnly; SameSite=Strict"));
    assert_int_equal(api_ask(&user, "GET", "/api/p/state", NULL, NULL), 200);
    free(token);
}

static const char *help_phone(const json_t *answer)
{
    return json_string_value(json_object_get(json_object_get(answer, "error"), "help_phone"));
}

static void a_link_is_good_once_and_for_its_time(void **state)
{
    (void)state;
    struct user user = {0}, other = {0};
    char *token = enrolment(), *late = enrolment();
    json_t *answer;
    assert_int_equal(api_ask(&user, "POST", "/api/link", json_pack("{s:s}", "token", token), NULL),
                     200);
    assert_int_equal(
        api_ask(&other, "POST", "/api/link", json_pack("{s:s}", "token", token), &answer), 409);
    assert_string_equal(help_phone(answer), "102"); /* of the house: the unit has none */
    api_expect_error(answer, "conflict", "token");
    api_execute("UPDATE unit SET phone = '+77172000000'");
    api_pass_ms(INT64_C(12) * 3600000 + 1000);
    assert_int_equal(
        api_ask(&other, "POST", "/api/link", json_pack("{s:s}", "token", late), &answer), 409);
    assert_string_equal(help_phone(answer), "+77172000000");
    api_expect_error(answer, "conflict", "token");
    /* Of a link that nobody knows nothing is told but the number of the house. */
    assert_int_equal(api_ask(&other, "POST", "/api/link",
                             json_pack("{s:s}", "token", "AAAAAAAAAAAAAAAAAAAAAA"), &answer),
                     404);
    assert_string_equal(help_phone(answer), "102");
    api_expect_error(answer, "not_found", "token");
    assert_int_equal(api_ask(&user, "GET", "/api/me", NULL, &answer), 401);
    assert_null(help_phone(answer)); /* a console's */
    json_decref(answer);
    assert_int_equal(api_ask(&user, "GET", "/api/p/state", NULL, NULL),
                     401); /* the session ends with it */
    free(token);
    free(late);
}

static int start_guessing(void **state)
{
    (void)state;
    static const struct api_limits limits = {.links_per_address = 3};
    return start_with(&limits);
}

static void guessing_links_is_slowed(void **state)
{
    (void)state;
    struct user user = {0};
    char *token = enrolment();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(api_ask(&user, "POST", "/api/link",
                                 json_pack("{s:s}", "token", "AAAAAAAAAAAAAAAAAAAAAA"), NULL),
                         404);
    }
    assert_int_equal(api_ask(&user, "POST", "/api/link",
                             json_pack("{s:s}", "token", "AAAAAAAAAAAAAAAAAAAAAA"), NULL),
                     429);
    /* Whoever has a right one comes in all the same: a mobile network is one address. */
    assert_int_equal(api_ask(&user, "POST", "/api/link", json_pack("{s:s}", "token", token), NULL),
                     200);
    free(token);
}

static void a_person_touches_nothing_of_another(void **state)
{
    (void)state;
    char path[64];
    json_t *answer;
    snprintf(path, sizeof path, "/api/persons/%lld/checkins", (long long)people.other_person_id);
    assert_int_equal(api_ask(&people.other_inspector, "POST", path,
                             json_pack("{s:s, s:s}", "reason", "x", "kind", "live"), &answer),
                     200);
    json_int_t other = json_integer_value(json_object_get(answer, "id"));
    json_decref(answer);
    unsigned status = api_ask(&people.person, "POST", "/api/p/decline",
                              json_pack("{s:s, s:I}", "reason", "x", "checkin", other), NULL);
    assert_true(status == 400 || status == 403 || status == 404 || status == 409);
    assert_int_equal(api_number("SELECT count(*) FROM checkin WHERE declined_reason IS NOT NULL"),
                     0);
    status = api_ask(&people.person, "POST", "/api/p/facts",
                     json_pack("{s:[{s:s}], s:I}", "facts", "fact", "no_camera", "checkin", other),
                     NULL);
    assert_int_equal(status, 200);
    assert_int_equal(api_number("SELECT count(*) FROM fact WHERE fact = 'no_camera'"), 0);
    assert_int_equal(
        api_ask(&people.person, "POST", "/api/p/messages",
                json_pack("{s:I, s:s, s:s}", "person", (json_int_t)people.other_person_id,
                          "client_id", "a", "text", "hello"),
                NULL),
        200);
    char sql[128];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM message JOIN thread t ON t.id = thread_id WHERE person_id = "
             "%lld",
             (long long)people.other_person_id);
    assert_int_equal(api_number(sql), 0);
}

/* ---- what is at rest, and what is written down ---- */

static void messages_are_sealed_and_read_by_both(void **state)
{
    (void)state;
    char path[64];
    json_t *answer;
    snprintf(path, sizeof path, "/api/persons/%lld/messages", (long long)people.person_id);
    for (int i = 0; i < 2; i++) { /* the same again, as after a lost answer */
        assert_int_equal(api_ask(&people.inspector, "POST", path,
                                 json_pack("{s:s, s:s}", "client_id", "m-1", "text", "Қайырлы таң"),
                                 NULL),
                         200);
    }
    assert_int_equal(api_number("SELECT count(*) FROM message"), 1);
    assert_int_equal(
        api_number("SELECT count(*) FROM message WHERE instr(sealed, CAST('таң' AS BLOB)) > 0"), 0);
    assert_int_equal(api_ask(&people.person, "GET", "/api/p/messages", NULL, &answer), 200);
    json_t *message = json_array_get(json_object_get(answer, "messages"), 0);
    assert_string_equal(json_string_value(json_object_get(message, "text")), "Қайырлы таң");
    assert_string_equal(json_string_value(json_object_get(message, "from")), "staff");
    assert_null(json_object_get(message, "nonce"));
    assert_null(json_object_get(answer, "key"));
    json_int_t id = json_integer_value(json_object_get(message, "id"));
    json_decref(answer);
    assert_int_equal(api_ask(&people.person, "POST", "/api/p/messages/read",
                             json_pack("{s:I}", "up_to", id), NULL),
                     200);
    assert_int_equal(api_ask(&people.inspector, "GET", path, NULL, &answer), 200);
    message = json_array_get(json_object_get(answer, "messages"), 0);
    assert_true(json_is_string(json_object_get(message, "read")));
    json_decref(answer);
}

/* As small as a picture can be. */
static const uint8_t least[] = {0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2,  0xff, 0xc2, 0,   11,
                                8,    0x10, 0,    0x10, 0, 1, 1, 17, 0,    0xff, 0xd9};

static void photos_are_checked_and_sealed(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *bytes;
        size_t size;
        unsigned status;
    } bad[] = {
        {"image/png", "\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0", 15, 400},
        {"image/jpeg", "", 0, 400},
        {"image/jpeg", "GIF89a", 6, 400},
        {"image/jpeg", "\xff\xd8", 2, 400},
        {"image/jpeg", "\xff\xd8\xff\xe0\0\x01", 6, 400}, /* a segment shorter than its length */
        {"image/jpeg", "\xff\xd8\xff\xe0\xff\xff\x01", 7, 400}, /* one that runs past the end */
        {"image/jpeg", "\xff\xd8\xff\xc0\0\x0b\x08\x10\x01\0\x10\x01\x01\x11\0", 15,
         400}, /* 4097 high */
        {"image/jpeg", "\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\0\x01\x01\x11\0", 15,
         400},                                                    /* no width */
        {"image/jpeg", "\xff\xd8\xff\xda\0\x04\x01\x02", 8, 400}, /* a scan before its frame */
    };
    char path[64];
    snprintf(path, sizeof path, "/api/persons/%lld/photo", (long long)people.person_id);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(api_send(&people.inspector, path, bad[i].type, bad[i].bytes, bad[i].size),
                         bad[i].status);
    }
    size_t huge_size = (2 << 20) + 1;
    char *huge = calloc(1, huge_size);
    assert_int_equal(api_send(&people.inspector, path, "image/jpeg", huge, huge_size), 413);
    free(huge);
    assert_int_equal(api_number("SELECT count(*) FROM photo"), 0);
    assert_int_equal(api_ask(&people.inspector, "GET", path, NULL, NULL), 404);
    assert_int_equal(api_send(&people.inspector, path, "image/jpeg", least, sizeof least), 200);
    assert_int_equal(api_number("SELECT count(*) FROM photo WHERE instr(bytes, x'ffd8') = 1"), 0);
    struct client *client = client_open();
    char text[512];
    snprintf(text, sizeof text,
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: %s\r\nConnection: close\r\n\r\n", path,
             people.inspector.cookie);
    assert_true(client_say(client, text));
    size_t size;
    const char *answer = client_read_all(client, CLIENT_PATIENCE_MS, &size);
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "\r\ncontent-type: image/jpeg\r\n"));
    assert_int_equal(size - (size_t)(body_of(answer) - answer), sizeof least);
    assert_memory_equal(body_of(answer), least, sizeof least);
    client_close(client);
}

static void reads_are_written_down_and_lists_once_an_hour(void **state)
{
    (void)state;
    static const char reads[] = "SELECT count(*) FROM log_plain WHERE action = 'READ'";
    char path[64];
    int64_t before = api_number(reads);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(api_ask(&people.officer, "GET", "/api/today", NULL, NULL), 200);
    }
    assert_int_equal(api_number(reads), before + 1);
    snprintf(path, sizeof path, "/api/persons/%lld", (long long)people.person_id);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(api_ask(&people.officer, "GET", path, NULL, NULL), 200);
    }
    assert_int_equal(api_number(reads), before + 4);
    api_pass_ms(3600001);
    assert_int_equal(api_ask(&people.officer, "GET", "/api/today", NULL, NULL), 200);
    assert_int_equal(api_number(reads), before + 5);
    /* A proposal is made from the risk compartment, whatever comes of it. */
    snprintf(path, sizeof path, "/api/persons/%lld/risk/preview", (long long)people.person_id);
    int status = api_ask(&people.supervisor, "POST", path,
                         json_pack("{s:i, s:s}", "order_id", 1, "basis", "score"), NULL);
    assert_true(status == 200 || status == 409);
    assert_int_equal(api_number(reads), before + 6);
}

/* The words are a person's name, perhaps: beside the leaf, where they are erased in time. */
static void what_is_searched_for_is_written_down(void **state)
{
    (void)state;
    static const char all[] = "SELECT count(*) FROM log_plain WHERE action = 'READ' AND "
                              "json_extract(salted, '$.sought') IS NOT NULL";
    static const char one[] = "SELECT count(*) FROM log_plain WHERE json_extract(salted, "
                              "'$.sought[1].q') = 'Serik'";
    struct user user = {0};
    assert_int_equal(api_login(&user, "inspector", PASSWORD), 200);
    assert_int_equal(api_ask(&user, "GET", "/api/persons", NULL, NULL), 200);
    assert_int_equal(api_number(all), 0);
    assert_int_equal(api_ask(&user, "GET", "/api/persons?q=Serik", NULL, NULL), 200);
    assert_int_equal(api_ask(&user, "GET", "/api/persons?q=Serik", NULL, NULL), 200);
    assert_int_equal(api_number(one), 1); /* once an hour, like the list */
    assert_int_equal(api_ask(&user, "GET", "/api/persons?q=Askar", NULL, NULL), 200);
    assert_int_equal(api_number(all), 2);
    assert_int_equal(api_number("SELECT count(*) FROM log_entry WHERE leaf LIKE '%Serik%'"), 0);
    assert_int_equal(api_login(&user, "supervisor", PASSWORD), 200);
    assert_int_equal(api_ask(&user, "GET", "/api/log?person=1", NULL, NULL), 200);
    assert_int_equal(api_number("SELECT count(*) FROM log_plain WHERE json_extract(salted, "
                                "'$.sought[1].person') = 1"),
                     1);
}

static void a_refused_read_is_refused_and_logged_each_time(void **state)
{
    (void)state;
    static const char denied[] = "SELECT count(*) FROM log_plain WHERE action = 'DENIED'";
    char path[64];
    int64_t before = api_number(denied);
    snprintf(path, sizeof path, "/api/persons/%lld/photo", (long long)people.person_id);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(api_ask(&people.far_inspector, "GET", path, NULL, NULL), 403);
    }
    assert_true(api_wait_number(denied, before + 3));
}

static json_int_t new_checkin(void)
{
    json_t *answer;
    char path[96];
    assert_int_equal(
        api_ask(&people.person, "POST", "/api/p/notice", json_pack("{s:i}", "version", 1), NULL),
        200);
    snprintf(path, sizeof path, "/api/persons/%lld/checkins", (long long)people.person_id);
    assert_int_equal(api_ask(&people.inspector, "POST", path,
                             json_pack("{s:s, s:s}", "reason", "x", "kind", "live"), &answer),
                     200);
    json_int_t checkin = json_integer_value(json_object_get(answer, "id"));
    json_decref(answer);
    return checkin;
}

static json_int_t begin_recording(json_int_t checkin)
{
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    json_t *answer;
    assert_int_equal(api_command("recording.begin", &worker,
                                 json_pack("{s:I, s:s}", "checkin", checkin, "leg", "person"),
                                 &answer),
                     0);
    json_int_t id = json_integer_value(json_object_get(answer, "recording"));
    json_decref(answer);
    return id;
}

static void a_recording_is_played_for_a_reason_by_whoever_gave_it(void **state)
{
    (void)state;
    json_t *answer;
    char path[96];
    json_int_t recording = begin_recording(new_checkin());
    snprintf(path, sizeof path, "/api/recordings/%lld/media", (long long)recording);
    assert_int_equal(api_ask(&people.inspector, "GET", path, NULL, NULL),
                     403); /* no reason given */
    snprintf(path, sizeof path, "/api/recordings/%lld/view", (long long)recording);
    assert_int_equal(api_ask(&people.inspector, "POST", path, json_object(), &answer), 400);
    api_expect_error(answer, "invalid", "reason");
    assert_int_equal(api_ask(&people.inspector, "POST", path,
                             json_pack("{s:s}", "reason", "to review"), &answer),
                     200);
    const char *url = json_string_value(json_object_get(answer, "url"));
    assert_non_null(strstr(url, "/media?view="));
    /* The file is not there in this world: what counts is who gets as far as that. */
    assert_int_equal(api_ask(&people.inspector, "GET", url, NULL, NULL), 404);
    assert_int_equal(api_ask(&people.supervisor, "GET", url, NULL, NULL), 403);
    assert_int_equal(api_ask(&people.nobody, "GET", url, NULL, NULL), 401);
    api_pass_ms(7200001);
    struct user again = {0};
    assert_int_equal(api_login(&again, "inspector", PASSWORD), 200);
    assert_int_equal(api_ask(&again, "GET", url, NULL, NULL), 403); /* another session */
    json_decref(answer);
    assert_int_equal(api_number("SELECT count(*) FROM log_plain WHERE action LIKE '%VIEW%'"), 1);
}

static void close_recording(json_int_t id)
{
    static const char head[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    assert_int_equal(api_command("recording.closed", &worker,
                                 json_pack("{s:I, s:i, s:i, s:s}", "recording", id, "chunks", 1,
                                           "bytes", 1, "head", head),
                                 NULL),
                     0);
}

static void a_key_that_is_put_back_opens_nothing(void **state)
{
    (void)state;
    static const char denied[] = "SELECT count(*) FROM log_plain WHERE action = 'DENIED'";
    char sql[200], path[96];
    json_int_t checkin = new_checkin(), recording = begin_recording(checkin);
    close_recording(recording);
    api_execute("CREATE TABLE backup AS SELECT id, key, state FROM recording");
    snprintf(sql, sizeof sql,
             "UPDATE expiry SET since_at = 1, next_at = 2 WHERE recording_id = %lld",
             (long long)recording);
    api_execute(sql);
    close_recording(begin_recording(checkin)); /* at which the engine looks what is due */
    snprintf(sql, sizeof sql, "SELECT key IS NULL FROM recording WHERE id = %lld",
             (long long)recording);
    assert_true(api_wait_number(sql, 1));
    api_execute("UPDATE recording SET (key, state) = (SELECT b.key, b.state FROM backup b WHERE "
                "b.id = recording.id) WHERE key IS NULL");

    json_t *answer, *refused;
    int64_t before = api_number(denied);
    snprintf(path, sizeof path, "/api/recordings/%lld/view", (long long)recording);
    assert_int_equal(api_ask(&people.inspector, "POST", path,
                             json_pack("{s:s}", "reason", "to review"), &answer),
                     200);
    const char *url = json_string_value(json_object_get(answer, "url"));
    assert_int_equal(api_ask(&people.inspector, "GET", url, NULL, &refused), 409);
    api_expect_error(refused, "conflict", "recording");
    json_decref(answer);
    assert_true(api_wait_number(denied, before + 1));
}

/* The text of the first row of a list in an answer. */
static void expect_text(const struct user *user, const char *path, const char *list,
                        const char *text)
{
    json_t *answer;
    assert_int_equal(api_ask((struct user *)(uintptr_t)user, "GET", path, NULL, &answer), 200);
    const json_t *rows = json_object_get(answer, list);
    bool found = false;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *said = json_string_value(json_object_get(json_array_get(rows, i), "text"));
        found = found || (said != NULL && strcmp(said, text) == 0);
        assert_null(json_object_get(json_array_get(rows, i), "key"));
        assert_null(json_object_get(json_array_get(rows, i), "sealed"));
    }
    assert_true(found);
    json_decref(answer);
}

static void expect_put_back(const struct user *user, const char *path, const char *what)
{
    json_t *refused;
    assert_int_equal(api_ask((struct user *)(uintptr_t)user, "GET", path, NULL, &refused), 409);
    api_expect_error(refused, "conflict", what);
}

/* Thread, photo and assessments as well: somebody plays rows of a backup back over what was erased.
 */
static void what_was_confided_is_read_until_it_is_destroyed(void **state)
{
    (void)state;
    static const char denied[] = "SELECT count(*) FROM log_plain WHERE action = 'DENIED'";
    char path[96], incident[64], checkin[64], sql[200];
    json_int_t id = new_checkin();
    snprintf(checkin, sizeof checkin, "/api/checkins/%lld", (long long)id);
    snprintf(path, sizeof path, "%s/concern", checkin);
    assert_int_equal(
        api_ask(&people.inspector, "POST", path, json_pack("{s:s}", "text", "a cry"), NULL), 200);
    snprintf(incident, sizeof incident, "/api/incidents/%lld",
             (long long)api_number("SELECT max(id) FROM incident WHERE kind = 'concern'"));
    expect_text(&people.inspector, checkin, "concerns", "a cry");
    expect_text(&people.officer, incident, "line", "a cry");
    snprintf(path, sizeof path, "%s/note", incident);
    assert_int_equal(
        api_ask(&people.officer, "POST", path, json_pack("{s:s}", "text", "went there"), NULL),
        200);
    snprintf(path, sizeof path, "%s/acknowledge", incident);
    assert_int_equal(api_ask(&people.officer, "POST", path, json_object(), NULL), 200);
    snprintf(path, sizeof path, "%s/conclude", incident);
    assert_int_equal(api_ask(&people.officer, "POST", path,
                             json_pack("{s:s, s:s}", "conclusion", "safe", "reason", "all well"),
                             NULL),
                     200);
    expect_text(&people.officer, incident, "line", "went there");
    json_t *answer;
    assert_int_equal(api_ask(&people.officer, "GET", incident, NULL, &answer), 200);
    const json_t *conclusion = json_object_get(answer, "conclusion");
    assert_string_equal(json_string_value(json_object_get(conclusion, "reason")), "all well");
    assert_int_equal(json_object_size(conclusion), 4);
    json_decref(answer);

    api_execute("CREATE TABLE back_c AS SELECT id, key, nonce, sealed FROM confidence");
    snprintf(sql, sizeof sql,
             "INSERT INTO expiry (class, person_id, since_at, state, next_at) VALUES ('concern', "
             "%lld, 1, 'kept', 2)",
             (long long)people.person_id);
    api_execute(sql);
    close_recording(begin_recording(id)); /* at which the engine looks what is due */
    assert_true(api_wait_number("SELECT count(*) FROM confidence WHERE key IS NOT NULL", 0));
    expect_text(&people.inspector, checkin, "concerns", "");
    expect_text(&people.officer, incident, "line", "");

    api_execute("UPDATE confidence SET (key, nonce, sealed) = (SELECT b.key, b.nonce, b.sealed "
                "FROM back_c b WHERE b.id = confidence.id)");
    int64_t before = api_number(denied);
    expect_put_back(&people.inspector, checkin, "concern");
    expect_put_back(&people.officer, incident, "concern");
    assert_true(api_wait_number(denied, before + 2));
}

static void other_keys_that_are_put_back_open_nothing_either(void **state)
{
    (void)state;
    static const char *const classes[] = {"messages", "photo", "risk"};
    static const char denied[] = "SELECT count(*) FROM log_plain WHERE action = 'DENIED'";
    char photo[64], messages[64], risk[64], sql[400];
    snprintf(photo, sizeof photo, "/api/persons/%lld/photo", (long long)people.person_id);
    snprintf(messages, sizeof messages, "/api/persons/%lld/messages", (long long)people.person_id);
    snprintf(risk, sizeof risk, "/api/persons/%lld/risk", (long long)people.person_id);
    json_t *text = json_pack("{s:s, s:s}", "client_id", "m-1", "text", "of old");
    assert_int_equal(api_ask(&people.inspector, "POST", messages, text, NULL), 200);
    assert_int_equal(
        api_send(&people.inspector, photo, "image/jpeg", (const char *)least, sizeof least), 200);
    snprintf(sql, sizeof sql,
             "INSERT INTO assessment (person_id, kind, key, nonce, sealed, by_staff, created_at) "
             "VALUES (%lld, 'score', zeroblob(60), zeroblob(12), zeroblob(20), 1, 5)",
             (long long)people.person_id);
    api_execute(sql);
    api_execute("CREATE TABLE back_t AS SELECT id, key FROM thread; CREATE TABLE back_m AS SELECT "
                "id, sealed, nonce FROM message; CREATE TABLE back_p AS SELECT id, key, nonce, "
                "bytes FROM photo; CREATE TABLE back_a AS SELECT id, key FROM assessment");
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        snprintf(sql, sizeof sql,
                 "INSERT INTO expiry (class, person_id, since_at, state, next_at) VALUES ('%s', "
                 "%lld, 1, 'kept', 2)",
                 classes[i], (long long)people.person_id);
        api_execute(sql);
    }
    close_recording(begin_recording(new_checkin())); /* at which the engine looks what is due */
    assert_true(api_wait_number("SELECT count(*) FROM expiry WHERE state = 'erased'", 3));
    assert_int_equal(api_ask(&people.inspector, "GET", photo, NULL, NULL), 404);

    api_execute("UPDATE thread SET key = (SELECT b.key FROM back_t b WHERE b.id = thread.id)");
    api_execute("UPDATE message SET (sealed, nonce) = (SELECT b.sealed, b.nonce FROM back_m b "
                "WHERE b.id = message.id)");
    api_execute("UPDATE photo SET (key, nonce, bytes) = (SELECT b.key, b.nonce, b.bytes FROM "
                "back_p b WHERE b.id = photo.id)");
    api_execute("UPDATE assessment SET key = (SELECT b.key FROM back_a b WHERE b.id = "
                "assessment.id)");
    int64_t before = api_number(denied);
    expect_put_back(&people.inspector, photo, "photo");
    expect_put_back(&people.inspector, messages, "messages");
    expect_put_back(&people.person, "/api/p/messages", "messages");
    expect_put_back(&people.inspector, risk, "risk");
    assert_true(api_wait_number(denied, before + 4));

    /* What is written from now on has a key of its own, and that opens. */
    text = json_pack("{s:s, s:s}", "client_id", "m-2", "text", "of now");
    assert_int_equal(api_ask(&people.inspector, "POST", messages, text, NULL), 200);
    json_t *answer;
    assert_int_equal(api_ask(&people.inspector, "GET", messages, NULL, &answer), 200);
    json_t *list = json_object_get(answer, "messages");
    assert_true(json_is_null(json_object_get(json_array_get(list, 0), "text")));
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "text")),
                        "of now");
    json_decref(answer);
}

/* ---- gateways ---- */

static unsigned send_receipt(const char *body, const char *secret, int64_t off_ms)
{
    char signature[CK_SIGNATURE_SIZE], line[256];
    struct ck_wall at = {api_now_ms() + off_ms};
    struct user gateway = {0};
    assert_int_equal(ck_signature_write(secret, strlen(secret), at, body, strlen(body), signature),
                     0);
    snprintf(line, sizeof line, "%s: %s\r\n", CK_SIGNATURE_HEADER, signature);
    return api_send_with(&gateway, "/hook/receipt/sms", "application/json", line, body,
                         strlen(body));
}

static void receipts_are_taken_from_the_gateway_alone(void **state)
{
    (void)state;
    static const char good[] =
        "{\"receipts\":[{\"reference\":\"N-0000-0000\",\"state\":\"delivered\"},"
        "{\"id\":\"m-17\",\"state\":\"failed\",\"detail\":\"gone\"},"
        "{\"id\":\"m-18\",\"state\":\"sent\"}]}";
    struct user gateway = {0};
    /* None of them is known here: taken all the same, or the gateway would send them for ever. */
    assert_int_equal(send_receipt(good, RECEIPT_SECRET, 0), 204);
    assert_string_equal(body_of(api_raw()), "");
    assert_int_equal(send_receipt("{\"id\":\"m\",\"state\":\"sent\"}", RECEIPT_SECRET, 0), 204);
    assert_int_equal(send_receipt(good, "another secret of 16", 0), 401);
    assert_int_equal(send_receipt(good, RECEIPT_SECRET, -301000), 401); /* a replay */
    assert_int_equal(
        api_send(&gateway, "/hook/receipt/sms", "application/json", good, strlen(good)), 401);
    assert_int_equal(api_send_with(&gateway, "/hook/receipt/sms", "application/json",
                                   "Checkind-Signature: t=1,v1=zz\r\n", good, strlen(good)),
                     401);
    assert_int_equal(
        send_receipt("{\"receipts\":[{\"id\":\"m\",\"state\":\"eaten\"}]}", RECEIPT_SECRET, 0),
        400);
    assert_non_null(strstr(api_raw(), "receipts[0].state"));
    assert_int_equal(send_receipt("no json", RECEIPT_SECRET, 0), 400);
}

static void what_is_no_operation_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
        unsigned status;
    } cases[] = {
        {"GET", "/api", 404},
        {"GET", "/api/nothing", 404},
        {"GET", "/api/persons/", 404},
        {"GET", "/api/persons/x", 404},
        {"GET", "/api/persons/-1", 404},
        {"GET", "/api/persons/99999999999999999999", 404},
        {"GET", "/api/persons/1/2", 404},
        {"GET", "/api/login", 405},
        {"GET", "/api/persons/999999", 404},
        {"GET", "/api/checkins/999999", 404},
        {"GET", "/api/incidents/999999", 404},
        {"GET", "/healthz", 200},
        {"GET", "/metrics", 404},
        {"GET", "/api/incidents?before=x", 400},
        {"GET", "/api/incidents?before=-1", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned status = api_ask(&people.supervisor, cases[i].method, cases[i].path, NULL, NULL);
        if (status != cases[i].status) {
            fail_msg("%s %s: %s", cases[i].method, cases[i].path, api_raw());
        }
    }
    assert_int_equal(api_ask(&people.supervisor, "POST", "/api/nothing", json_object(), NULL), 404);
    assert_int_equal(api_ask(&people.supervisor, "POST", "/api/today", json_object(), NULL), 405);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)
#define WITH(test, setup) cmocka_unit_test_setup_teardown(test, setup, stop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_administrator_is_made_once),
        SERVED(a_second_first_administrator_is_refused),
        SERVED(a_log_in_opens_a_session_that_only_its_digest_knows),
        SERVED(every_log_in_has_a_session_of_its_own),
        SERVED(a_wrong_and_an_unknown_log_in_look_the_same),
        SERVED(odd_log_ins_are_refused_and_harmless),
        WITH(an_address_that_fails_too_often_waits, start_failing),
        WITH(strangers_lock_no_known_browser_out, start_known),
        WITH(an_account_under_attack_is_not_locked, start_slow),
        SERVED(a_post_needs_the_token_of_its_own_session),
        SERVED(a_cookie_is_good_for_its_own_side_alone),
        SERVED(the_system_tells_when_its_log_was_last_verified),
        SERVED(the_log_was_never_verified_at_first),
        WITH(an_idle_session_ends, start_short),
        WITH(a_desk_that_only_reads_is_unattended, start_short),
        WITH(a_session_in_use_lasts_but_not_for_ever, start_short),
        SERVED(a_log_out_ends_this_session_alone),
        SERVED(a_changed_password_ends_the_other_sessions),
        SERVED(a_given_password_is_changed_before_anything_else),
        SERVED(a_new_account_starts_with_a_password_of_its_own),
        SERVED(a_disabled_account_is_out_at_once),
        SERVED(a_role_that_is_taken_away_is_gone_at_once),
        SERVED(looking_at_a_link_changes_nothing),
        SERVED(a_link_is_good_once_and_for_its_time),
        WITH(guessing_links_is_slowed, start_guessing),
        SERVED(a_person_touches_nothing_of_another),
        SERVED(messages_are_sealed_and_read_by_both),
        SERVED(photos_are_checked_and_sealed),
        SERVED(reads_are_written_down_and_lists_once_an_hour),
        SERVED(what_is_searched_for_is_written_down),
        SERVED(a_refused_read_is_refused_and_logged_each_time),
        SERVED(a_recording_is_played_for_a_reason_by_whoever_gave_it),
        SERVED(a_key_that_is_put_back_opens_nothing),
        SERVED(what_was_confided_is_read_until_it_is_destroyed),
        SERVED(other_keys_that_are_put_back_open_nothing_either),
        SERVED(receipts_are_taken_from_the_gateway_alone),
        SERVED(what_is_no_operation_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
