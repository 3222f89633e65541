/* The WebSockets of persons and consoles: who is let in, what they hear, and what is limited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "daemon/api/api.h"

#define UNAUTHENTICATED 4401
#define FLOOD_MAX 500000 /* messages; more than all buffers on the way hold */

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

static struct client *upgraded(const struct user *user, const char *path)
{
    char line[256];
    snprintf(line, sizeof line, "%s%s%s", user->cookie[0] == '\0' ? "" : "Cookie: ", user->cookie,
             user->cookie[0] == '\0' ? "" : "\r\n");
    struct client *client = client_open();
    assert_non_null(client);
    assert_true(socket_upgrade(client, path, line));
    return client;
}

/* The next message; the caller frees. NULL: closed. */
static json_t *heard(struct client *client)
{
    static char text[1 << 17];
    if (socket_read(client, text, sizeof text, NULL) != 1) {
        return NULL;
    }
    json_t *message = json_loads(text, 0, NULL);
    assert_non_null(message);
    return message;
}

static const char *member(const json_t *message, const char *name)
{
    const char *text = json_string_value(json_object_get(message, name));
    return text == NULL ? "" : text;
}

/* The next message of this kind; others are skipped. */
static json_t *hear(struct client *client, const char *kind)
{
    for (;;) {
        json_t *message = heard(client);
        if (message == NULL) {
            fail_msg("closed instead of %s", kind);
        }
        if (strcmp(member(message, "t"), kind) == 0) {
            return message;
        }
        json_decref(message);
    }
}

static struct client *connected(const struct user *user, const char *path)
{
    struct client *client = upgraded(user, path);
    json_decref(hear(client, "hello"));
    return client;
}

/* ---- who is let in ---- */

static void without_a_session_it_closes_with_4401(void **state)
{
    (void)state;
    struct user odd = {.cookie = "__Host-ck_staff=AAAA"};
    struct user wrong_side = people.person;
    const struct {
        const struct user *user;
        const char *path;
    } cases[] = {
        {&people.nobody, "/ws/person"},    {&people.nobody, "/ws/console"}, {&odd, "/ws/console"},
        {&people.inspector, "/ws/person"}, {&wrong_side, "/ws/console"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client *client = upgraded(cases[i].user, cases[i].path);
        assert_int_equal(socket_read_close(client), UNAUTHENTICATED);
        client_close(client);
    }
}

static void hello_tells_everybody_their_own(void **state)
{
    (void)state;
    struct client *person = upgraded(&people.person, "/ws/person");
    json_t *hello = hear(person, "hello");
    json_t *mine = json_object_get(hello, "state");
    assert_string_equal(member(mine, "inspector"), "inspector");
    assert_string_equal(member(mine, "zone"), "Asia/Almaty");
    assert_true(json_is_array(json_object_get(hello, "ice_servers")));
    json_decref(hello);
    struct client *console = upgraded(&people.inspector, "/ws/console");
    hello = hear(console, "hello");
    assert_string_equal(member(json_object_get(hello, "me"), "login"), "inspector");
    json_decref(hello);
    client_close(person);
    client_close(console);
}

static void a_ninth_page_of_a_session_is_refused(void **state)
{
    (void)state;
    struct client *clients[CK_HUB_SOCKETS_PER_SESSION];
    for (int i = 0; i < CK_HUB_SOCKETS_PER_SESSION; i++) {
        clients[i] = connected(&people.inspector, "/ws/console");
    }
    struct client *ninth = upgraded(&people.inspector, "/ws/console");
    assert_int_equal(socket_read_close(ninth), 1008);
    client_close(ninth);
    struct client *other = connected(&people.officer, "/ws/console");
    client_close(other);
    for (int i = 0; i < CK_HUB_SOCKETS_PER_SESSION; i++) {
        client_close(clients[i]);
    }
}

static void a_log_out_closes_the_pages(void **state)
{
    (void)state;
    struct client *client = connected(&people.inspector, "/ws/console");
    assert_int_equal(api_ask(&people.inspector, "POST", "/api/logout", json_object(), NULL), 200);
    assert_int_equal(socket_read_close(client), UNAUTHENTICATED);
    client_close(client);
}

static void a_disabled_account_loses_its_pages(void **state)
{
    (void)state;
    char path[64];
    struct client *client = connected(&people.inspector, "/ws/console");
    snprintf(path, sizeof path, "/api/staff/%lld", (long long)people.inspector_id);
    assert_int_equal(api_ask(&people.administrator, "POST", path,
                             json_pack("{s:b, s:s}", "disabled", 1, "disabled_reason", "left"),
                             NULL),
                     200);
    assert_int_equal(socket_read_close(client), UNAUTHENTICATED);
    client_close(client);
}

static void write_message(const char *client_id)
{
    assert_int_equal(api_ask(&people.person, "POST", "/api/p/messages",
                             json_pack("{s:s, s:s}", "client_id", client_id, "text", "for one"),
                             NULL),
                     200);
}

/* Who loses the role loses the pages that had it, and hears nothing of the cases afterwards. */
static void who_is_no_inspector_any_more_hears_no_case(void **state)
{
    (void)state;
    char path[64];
    struct client *client = connected(&people.inspector, "/ws/console");
    write_message("6f1c2a9e-0d0f-4c6e-9d54-5d4f3a2b1c10");
    json_decref(hear(client, "message"));
    snprintf(path, sizeof path, "/api/staff/%lld", (long long)people.inspector_id);
    assert_int_equal(api_ask(&people.administrator, "POST", path,
                             json_pack("{s:[s]}", "roles", "officer"), NULL),
                     200);
    assert_int_equal(socket_read_close(client), UNAUTHENTICATED);
    client_close(client);
    assert_int_equal(api_login(&people.inspector, "inspector", PASSWORD), 200);
    client = connected(&people.inspector, "/ws/console");
    write_message("6f1c2a9e-0d0f-4c6e-9d54-5d4f3a2b1c11");

    assert_true(socket_say(client, "{\"t\":\"offer\",\"id\":4}"));
    for (bool answered = false; !answered;) {
        json_t *message = heard(client);
        assert_string_not_equal(member(message, "t"), "message");
        answered = strcmp(member(message, "t"), "error") == 0;
        json_decref(message);
    }
    client_close(client);
}

/* ---- what is said ---- */

static void what_is_malformed_is_answered_and_counted(void **state)
{
    (void)state;
    struct client *client = connected(&people.person, "/ws/person");
    for (int i = 0; i < CK_HUB_ERRORS_MAX; i++) {
        assert_true(socket_say(client, "{\"t\":\"offer\",\"id\":4}"));
        json_t *error = hear(client, "error");
        assert_string_equal(member(error, "code"), "invalid");
        assert_string_equal(member(error, "field"), "sdp");
        assert_int_equal(json_integer_value(json_object_get(error, "id")), 4);
        json_decref(error);
    }
    assert_int_equal(socket_read_close(client), 1008);
    client_close(client);
}

static void what_is_no_object_closes(void **state)
{
    (void)state;
    struct client *client = connected(&people.person, "/ws/person");
    assert_true(socket_say(client, "hello?"));
    assert_int_equal(socket_read_close(client), 1003);
    client_close(client);
}

static void calls_are_handed_on(void **state)
{
    (void)state;
    struct client *client = connected(&people.person, "/ws/person");
    assert_true(socket_say(client, "{\"t\":\"join\",\"device\":\"x\",\"id\":9}"));
    json_t *ok = hear(client, "ok");
    assert_int_equal(json_integer_value(json_object_get(ok, "id")), 9);
    json_decref(ok);
    client_close(client);
}

static void too_many_messages_are_refused(void **state)
{
    (void)state;
    struct client *client = connected(&people.person, "/ws/person");
    for (int i = 0; i < CK_HUB_MESSAGES_MAX; i++) {
        assert_true(socket_say(client, "{\"t\":\"resume\",\"id\":1}"));
        json_decref(hear(client, "ok"));
    }
    assert_true(socket_say(client, "{\"t\":\"resume\",\"id\":1}"));
    json_t *error = heard(client);
    assert_string_equal(member(error, "code"), "busy");
    assert_true(json_integer_value(json_object_get(error, "retry_after_ms")) > 0);
    json_decref(error);
    client_close(client);
}

/* More sockets give nobody more of the engine; somebody else has their own. */
static void too_many_messages_of_one_person_are_refused(void **state)
{
    (void)state;
    int busy = 0;
    for (int n = 0; n < 40 && busy < 3; n++) { /* faster than its bucket fills, on any machine */
        struct client *client = connected(&people.person, "/ws/person");
        for (int i = 0; i < CK_HUB_MESSAGES_MAX && busy < 3; i++) {
            assert_true(socket_say(client, "{\"t\":\"resume\",\"id\":1}"));
            json_t *answer = heard(client);
            busy += strcmp(member(answer, "code"), "busy") == 0;
            json_decref(answer);
        }
        client_close(client);
    }
    assert_int_equal(busy, 3);
    struct client *other = connected(&people.inspector, "/ws/console");
    assert_true(socket_say(other, "{\"t\":\"end\",\"id\":1,\"checkin\":1}"));
    json_t *answer = hear(other, "ok");
    json_decref(answer);
    client_close(other);
}

/* Says nonsense and sense without a pause and hears nothing of what is answered, until it is shut
 * out; how many were said. */
static unsigned flood(struct client *client)
{
    unsigned said = 0;
    while (said < FLOOD_MAX && socket_say(client, said % 2 == 0 ? "{\"t\":\"offer\",\"id\":4}"
                                                                : "{\"t\":\"resume\",\"id\":1}")) {
        said++;
    }
    return said;
}

/* Whoever floods a socket loses it, again and again; between two floods and after them everybody
 * else is let in, hears and is answered as ever. */
static void a_flood_of_one_page_leaves_the_others_alone(void **state)
{
    (void)state;
    struct client *other = connected(&people.inspector, "/ws/console");
    for (int n = 0; n < CK_HUB_SOCKETS_PER_SESSION + 2; n++) {
        struct client *hostile = upgraded(&people.person, "/ws/person");
        unsigned said = flood(hostile);

        assert_true(said < FLOOD_MAX);
        assert_true(socket_say(other, "{\"t\":\"end\",\"id\":1,\"checkin\":1}"));
        json_decref(hear(other, "ok"));
        client_close(hostile);
    }
    client_close(connected(&people.officer, "/ws/console"));
    client_close(other);
}

static void a_message_is_kept_once(void **state)
{
    (void)state;
    struct client *client = connected(&people.person, "/ws/person");
    for (int i = 0; i < 2; i++) {
        assert_true(socket_say(
            client, "{\"t\":\"message\",\"id\":1,\"client_id\":\"c-1\",\"text\":\"сәлем\"}"));
        json_decref(hear(client, "ok"));
    }
    assert_int_equal(api_number("SELECT count(*) FROM message"), 1);
    char sql[128];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM message JOIN thread t ON t.id = thread_id WHERE person_id = "
             "%lld",
             (long long)people.person_id);
    assert_int_equal(api_number(sql), 1);
    client_close(client);
}

static void a_console_writes_to_its_own_caseload_alone(void **state)
{
    (void)state;
    static const char denied[] = "SELECT count(*) FROM log_plain WHERE action = 'DENIED'";
    const struct user *strangers[] = {&people.other_inspector, &people.far_inspector,
                                      &people.officer,         &people.supervisor,
                                      &people.two_roles,       &people.administrator};
    char text[160];
    int64_t before = api_number(denied);
    snprintf(text, sizeof text,
             "{\"t\":\"message\",\"id\":1,\"person\":%lld,\"client_id\":\"c-1\",\"text\":\"x\"}",
             (long long)people.person_id);
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        struct client *client = connected(strangers[i], "/ws/console");
        assert_true(socket_say(client, text));
        json_t *error = hear(client, "error");
        assert_string_equal(member(error, "code"), "denied");
        json_decref(error);
        client_close(client);
    }
    assert_int_equal(api_number("SELECT count(*) FROM message"), 0);
    assert_true(api_wait_number(denied, before + 6));
    struct client *client = connected(&people.inspector, "/ws/console");
    assert_true(socket_say(client, text));
    json_decref(hear(client, "ok"));
    client_close(client);
    assert_int_equal(api_number("SELECT count(*) FROM message"), 1);
}

static void only_inspectors_conduct_calls(void **state)
{
    (void)state;
    const struct user *others[] = {&people.officer, &people.supervisor, &people.administrator};
    for (size_t i = 0; i < 3; i++) {
        struct client *client = connected(others[i], "/ws/console");
        assert_true(socket_say(client, "{\"t\":\"take\",\"id\":1,\"checkin\":1}"));
        json_t *error = hear(client, "error");
        assert_string_equal(member(error, "code"), "denied");
        json_decref(error);
        client_close(client);
    }
    struct client *client = connected(&people.inspector, "/ws/console");
    assert_true(socket_say(client, "{\"t\":\"take\",\"id\":1,\"checkin\":1}"));
    json_decref(hear(client, "ok"));
    client_close(client);
}

/* ---- pushes ---- */

static void tell_today(struct ck_hub *hub, void *user)
{
    (void)user;
    for (int i = 0; i < 100; i++) {
        ck_hub_today(hub, people.unit);
    }
}

static void today_comes_once_however_often_it_changes(void **state)
{
    (void)state;
    struct client *near = connected(&people.inspector, "/ws/console");
    struct client *far = connected(&people.far_inspector, "/ws/console");
    struct client *person = connected(&people.person, "/ws/person");
    api_call(tell_today, NULL);
    json_decref(hear(near, "today"));
    json_decref(hear(near, "today")); /* once more, a second later, for what came in between */
    assert_true(client_is_closed(near, 1500) == false);
    /* What the others hear first is something else. */
    assert_true(socket_say(far, "{\"t\":\"end\",\"id\":5,\"checkin\":1}"));
    json_t *first = heard(far);
    assert_string_equal(member(first, "t"), "ok");
    json_decref(first);
    assert_true(socket_say(person, "{\"t\":\"leave\",\"id\":5}"));
    first = heard(person);
    assert_string_equal(member(first, "t"), "ok");
    json_decref(first);
    client_close(near);
    client_close(far);
    client_close(person);
}

static void push_all(struct ck_hub *hub, void *user)
{
    unsigned *counts = user;
    counts[0] = ck_hub_to_staff(hub, people.inspector_id, ck_client_incident(1));
    counts[1] = ck_hub_to_unit(hub, people.unit, CK_ROLE_SUPERVISOR, ck_client_incident(2));
    counts[2] = ck_hub_to_person(hub, people.person_id, ck_client_replaced());
    counts[3] = ck_hub_to_person(hub, people.other_person_id, ck_client_replaced());
    counts[4] = ck_hub_to_staff(hub, 0, ck_client_today());
    ck_hub_refresh_person(hub, people.person_id);
}

static void pushes_reach_whom_they_are_for(void **state)
{
    (void)state;
    unsigned counts[5];
    struct client *inspector = connected(&people.inspector, "/ws/console");
    struct client *again = connected(&people.inspector, "/ws/console");
    struct client *supervisor = connected(&people.supervisor, "/ws/console");
    struct client *far = connected(&people.far_supervisor, "/ws/console");
    struct client *person = connected(&people.person, "/ws/person");
    api_call(push_all, counts);
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 1);
    assert_int_equal(counts[3], 0);
    assert_int_equal(counts[4], 0);
    json_t *message = hear(inspector, "incident");
    assert_int_equal(json_integer_value(json_object_get(message, "incident")), 1);
    json_decref(message);
    json_decref(hear(again, "incident"));
    message = hear(supervisor, "incident");
    assert_int_equal(json_integer_value(json_object_get(message, "incident")), 2);
    json_decref(message);
    json_decref(hear(person, "replaced"));
    json_decref(hear(person, "hello")); /* the present state */
    client_close(inspector);
    client_close(again);
    client_close(supervisor);
    client_close(far);
    client_close(person);
}

/* ---- a session that is in use ---- */

#define MINUTE INT64_C(60000)

static int start_short(void **state)
{
    (void)state;
    static const struct api_limits limits = {
        .session_ms = 10 * MINUTE, .session_max_ms = 20 * MINUTE, .recheck_ms = 1000};
    api_start(&limits);
    api_caseload_quick(&people);
    return 0;
}

static int64_t session_end(void)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT max(expires_at) FROM session WHERE staff_id = %lld",
             (long long)people.inspector_id);
    return api_number(sql);
}

static bool session_end_is(int64_t least)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT max(expires_at) FROM session WHERE staff_id = %lld",
             (long long)people.inspector_id);
    return api_wait_number(sql, least);
}

/* Time goes on in a leap, which no socket survives: the page comes again. */
static struct client *later(struct client *client, int64_t minutes)
{
    client_close(client);
    api_pass_ms(minutes * MINUTE);
    return connected(&people.inspector, "/ws/console");
}

static void somebody_at_the_console_keeps_the_session(void **state)
{
    (void)state;
    int64_t began = session_end() - 10 * MINUTE;
    struct client *client = later(connected(&people.inspector, "/ws/console"), 7);
    assert_true(socket_say(client, "{\"t\":\"active\",\"id\":1}"));
    json_decref(hear(client, "ok"));
    assert_true(session_end_is(began + 17 * MINUTE));
    client = later(client, 7);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL), 200);
    assert_true(socket_say(client, "{\"t\":\"active\"}"));
    assert_true(session_end_is(began + 20 * MINUTE - 1000)); /* the longest, and no more */
    client = later(client, 3);
    assert_true(socket_say(client, "{\"t\":\"active\",\"id\":2}"));
    json_decref(hear(client, "ok"));
    client_close(client);
    assert_in_range(session_end(), began + 20 * MINUTE - 1000, began + 20 * MINUTE + 1000);
    api_pass_ms(4 * MINUTE);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL), 401);
}

static void a_call_keeps_its_session_beyond_the_longest(void **state)
{
    (void)state;
    struct client *client = connected(&people.inspector, "/ws/console");
    int64_t began = session_end() - 10 * MINUTE;
    api_in_call(true);
    for (int64_t passed = 4; passed <= 28; passed += 4) {
        client = later(client, 4);
        assert_true(session_end_is(began + passed * MINUTE + CK_API_CALL_GRACE_MS));
    }
    api_in_call(false);
    client = later(client, 4); /* time for the outcome */
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL), 200);
    client_close(client);
    api_pass_ms(2 * MINUTE);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL), 401);
}

static void tell_store(struct ck_hub *hub, void *user)
{
    ck_hub_store(hub, (struct ck_wall){1000}, *(int64_t *)user);
}

static void consoles_hear_that_nothing_can_be_written(void **state)
{
    (void)state;
    int64_t lasted_ms = 0;
    struct client *console = connected(&people.inspector, "/ws/console");
    api_call(tell_store, &lasted_ms);
    json_decref(hear(console, "store"));
    struct client *later = connected(&people.officer, "/ws/console");
    json_decref(hear(later, "store"));
    lasted_ms = 61000;
    api_call(tell_store, &lasted_ms);
    json_t *message = hear(later, "store");
    assert_int_equal(json_integer_value(json_object_get(message, "lasted_ms")), 61000);
    json_decref(message);
    json_decref(hear(console, "store"));
    client_close(console);
    client_close(later);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SERVED(without_a_session_it_closes_with_4401),
        SERVED(hello_tells_everybody_their_own),
        SERVED(a_ninth_page_of_a_session_is_refused),
        SERVED(a_log_out_closes_the_pages),
        SERVED(a_disabled_account_loses_its_pages),
        SERVED(who_is_no_inspector_any_more_hears_no_case),
        SERVED(what_is_malformed_is_answered_and_counted),
        SERVED(what_is_no_object_closes),
        SERVED(calls_are_handed_on),
        SERVED(too_many_messages_are_refused),
        SERVED(too_many_messages_of_one_person_are_refused),
        SERVED(a_flood_of_one_page_leaves_the_others_alone),
        SERVED(a_message_is_kept_once),
        SERVED(a_console_writes_to_its_own_caseload_alone),
        SERVED(only_inspectors_conduct_calls),
        SERVED(today_comes_once_however_often_it_changes),
        SERVED(pushes_reach_whom_they_are_for),
        SERVED(consoles_hear_that_nothing_can_be_written),
        cmocka_unit_test_setup_teardown(somebody_at_the_console_keeps_the_session, start_short,
                                        stop),
        cmocka_unit_test_setup_teardown(a_call_keeps_its_session_beyond_the_longest, start_short,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
