/* Every upgrade path of the document with every kind of actor, with and without a session, and
 * every message that may come on it: who is let in, who may say what about whom, who hears it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "daemon/access/policy.h"
#include "daemon/api/api.h"

#define UNAUTHENTICATED 4401
#define PATHS_MAX 8

static struct caseload people;

/* ---- what the document says ---- */

static struct {
    char path[64], action[64];
} upgrades[PATHS_MAX];
static size_t upgrade_count;

static int read_document(void **state)
{
    (void)state;
    FILE *file = fopen(CK_SOURCE_DIR "/protocol/http.yaml", "r");
    char line[4096], path[64] = "";
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL && strncmp(line, "components:", 11) != 0) {
        sscanf(line, "  /ws/%50[^:]", path);
        if (strncmp(line, "  /api/", 7) == 0) {
            path[0] = '\0';
        }
        if (path[0] != '\0' &&
            sscanf(line, "      x-action: %63s", upgrades[upgrade_count].action) == 1) {
            snprintf(upgrades[upgrade_count].path, sizeof upgrades[0].path, "/ws/%s", path);
            upgrade_count++;
            assert_true(upgrade_count < PATHS_MAX);
        }
    }
    fclose(file);
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

/* ---- who ---- */

static const struct {
    const char *name;
    const struct user *user;
    unsigned roles; /* 0: no staff */
    bool person, caseload, unit;
} actors[] = {
    {"nobody", &people.nobody, 0, false, false, false},
    {"person", &people.person, 0, true, false, false},
    {"administrator", &people.administrator, CK_ROLE_ADMINISTRATOR, false, false, true},
    {"other inspector", &people.other_inspector, CK_ROLE_INSPECTOR, false, false, true},
    {"far inspector", &people.far_inspector, CK_ROLE_INSPECTOR, false, false, false},
    {"far officer", &people.far_officer, CK_ROLE_OFFICER, false, false, false},
    {"far supervisor", &people.far_supervisor, CK_ROLE_SUPERVISOR, false, false, false},
    {"two roles", &people.two_roles, CK_ROLE_INSPECTOR | CK_ROLE_OFFICER, false, false, true},
    {"officer", &people.officer, CK_ROLE_OFFICER, false, false, true},
    {"supervisor", &people.supervisor, CK_ROLE_SUPERVISOR, false, false, true},
    {"inspector", &people.inspector, CK_ROLE_INSPECTOR, false, true, true},
};
#define ACTORS (sizeof actors / sizeof actors[0])

/* The roles of an actor that this entry of the table of rights is for; 0: it is not theirs. */
static unsigned roles_for(const struct ck_policy *policy, size_t actor)
{
    return policy->roles == 0 ? actors[actor].roles : actors[actor].roles & policy->roles;
}

static bool may(const char *action, size_t actor)
{
    const struct ck_policy *policy = ck_policy_find(action);
    assert_non_null(policy);
    return policy->who == CK_WHO_PERSON ? actors[actor].person : roles_for(policy, actor) != 0;
}

/* ---- sockets ---- */

/* The session comes as the cookie of this path's own side, whoever's it is: a client may put what
 * it has under either name. */
static struct client *upgraded(const char *path, size_t actor)
{
    const char *token = strchr(actors[actor].user->cookie, '=');
    const char *side = strcmp(path, "/ws/person") == 0 ? CK_API_PERSON_COOKIE : CK_API_STAFF_COOKIE;
    char line[256] = "";
    if (token != NULL) {
        snprintf(line, sizeof line, "Cookie: %s%s\r\n", side, token);
    }
    struct client *client = client_open();
    assert_non_null(client);
    assert_true(socket_upgrade(client, path, line));
    return client;
}

/* The next message that is of one of two kinds (`other` NULL: of the one); NULL: closed.
 * *messages counts what was written in a thread and came before it. */
static json_t *hear(struct client *client, const char *kind, const char *other, unsigned *messages)
{
    static char text[1 << 17];
    while (socket_read(client, text, sizeof text, NULL) == 1) {
        json_t *message = json_loads(text, 0, NULL);
        const char *t = json_string_value(json_object_get(message, "t"));
        assert_non_null(t);
        if (strcmp(t, kind) == 0 || (other != NULL && strcmp(t, other) == 0)) {
            return message;
        }
        *messages += strcmp(t, "message") == 0;
        json_decref(message);
    }
    return NULL;
}

static struct client *connected(const char *path, size_t actor)
{
    unsigned messages = 0;
    struct client *client = upgraded(path, actor);
    json_t *hello = hear(client, "hello", NULL, &messages);
    if (hello == NULL) {
        fail_msg("%s is not let in at %s", actors[actor].name, path);
    }
    json_decref(hello);
    return client;
}

static void expect_closed(const char *path, size_t actor)
{
    struct client *client = upgraded(path, actor);
    unsigned code = socket_read_close(client);
    if (code != UNAUTHENTICATED) {
        fail_msg("%s at %s: %u instead of 4401", actors[actor].name, path, code);
    }
    client_close(client);
}

/* ---- the walk ---- */

static const struct {
    const char *path, *t, *action;
    bool about_person; /* whose it is decides as well */
    const char *rest;  /* of the message; %P: the person */
} messages[] = {
    {"/ws/console", "active", "console.connect", false, ""},
    {"/ws/console", "take", "call.conduct", false, ",\"checkin\":1"},
    {"/ws/console", "offer", "call.conduct", false,
     ",\"checkin\":1,\"sdp\":\"v=0\",\"generation\":1"},
    {"/ws/console", "restart", "call.conduct", false,
     ",\"checkin\":1,\"sdp\":\"v=0\",\"generation\":1"},
    {"/ws/console", "end", "call.conduct", false, ",\"checkin\":1"},
    {"/ws/console", "message", "message.send", true,
     ",\"person\":%P,\"client_id\":\"%A\",\"text\":\"hello\""},
    {"/ws/console", "read", "message.read", true, ",\"person\":%P,\"up_to\":1"},
    {"/ws/person", "join", "self.connect", false, ""},
    {"/ws/person", "offer", "self.connect", false, ",\"sdp\":\"v=0\",\"generation\":1"},
    {"/ws/person", "restart", "self.connect", false, ",\"sdp\":\"v=0\",\"generation\":1"},
    {"/ws/person", "fact", "self.connect", false, ",\"fact\":\"ice_connected\""},
    {"/ws/person", "challenge_done", "self.connect", false, ",\"number\":1"},
    {"/ws/person", "pause", "self.connect", false, ",\"reason\":\"child\""},
    {"/ws/person", "resume", "self.connect", false, ""},
    {"/ws/person", "decline", "self.connect", false, ",\"reason\":\"busy\""},
    {"/ws/person", "leave", "self.connect", false, ""},
    {"/ws/person", "message", "self.message_send", false,
     ",\"client_id\":\"%A\",\"text\":\"hello\""},
    {"/ws/person", "read", "self.message_read", false, ",\"up_to\":1"},
    /* What is of the other side alone is nothing here, whoever says it. */
    {"/ws/person", "take", "", false, ",\"checkin\":1"},
    {"/ws/console", "join", "", false, ""},
};
#define MESSAGES (sizeof messages / sizeof messages[0])

static void fill(size_t m, size_t actor, char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, "{\"t\":\"%s\",\"id\":%zu", messages[m].t, m);
    for (const char *c = messages[m].rest; *c != '\0'; c++) {
        if (c[0] == '%' && c[1] == 'P') {
            at += (size_t)snprintf(text + at, size - at, "%lld", (long long)people.person_id);
            c++;
        } else if (c[0] == '%') {
            at += (size_t)snprintf(text + at, size - at, "m%zu-%zu", m, actor);
            c++;
        } else {
            text[at++] = *c;
        }
    }
    snprintf(text + at, size - at, "}");
}

static bool theirs(size_t m, size_t actor)
{
    unsigned roles = roles_for(ck_policy_find(messages[m].action), actor);
    return !messages[m].about_person ||
           ((roles & (CK_ROLE_OFFICER | CK_ROLE_SUPERVISOR)) != 0 && actors[actor].unit) ||
           ((roles & CK_ROLE_INSPECTOR) != 0 && actors[actor].caseload);
}

/* Says one message of the table and compares the answer; the number of denials. */
static unsigned say(struct client *client, size_t m, size_t actor)
{
    char text[512];
    unsigned heard = 0;
    fill(m, actor, text, sizeof text);
    assert_true(socket_say(client, text));
    json_t *answer = hear(client, "ok", "error", &heard);
    assert_non_null(answer);
    assert_int_equal(json_integer_value(json_object_get(answer, "id")), m);
    const char *code = json_string_value(json_object_get(answer, "code"));
    const char *expected = messages[m].action[0] == '\0'                        ? "invalid"
                           : may(messages[m].action, actor) && theirs(m, actor) ? "ok"
                                                                                : "denied";
    if (strcmp(code == NULL ? "ok" : code, expected) != 0) {
        fail_msg("%s by %s should be %s: %s", messages[m].t, actors[actor].name, expected, code);
    }
    json_decref(answer);
    return strcmp(expected, "denied") == 0;
}

#define DENIED "SELECT count(*) FROM log_plain WHERE action = 'DENIED'"

static void every_message_is_walked_with_every_actor(void **state)
{
    (void)state;
    int64_t before = api_number(DENIED), denials = 0;
    assert_int_equal(upgrade_count, 2);
    for (size_t u = 0; u < upgrade_count; u++) {
        size_t said = 0;
        for (size_t a = 0; a < ACTORS; a++) {
            if (!may(upgrades[u].action, a)) {
                expect_closed(upgrades[u].path, a);
                continue;
            }
            struct client *client = connected(upgrades[u].path, a);
            for (size_t m = 0; m < MESSAGES; m++) {
                if (strcmp(messages[m].path, upgrades[u].path) == 0) {
                    denials += say(client, m, a);
                    said++;
                }
            }
            client_close(client);
        }
        assert_true(said > 0); /* of a path that the table does not know nothing was said */
    }
    /* Each refusal is an entry of the log. */
    assert_true(denials > 30);
    assert_true(api_wait_number(DENIED, before + denials));
    assert_int_equal(api_number(DENIED), before + denials);
}

/* Of what a person writes hears the caseload, and nobody else of the unit or of another one. */
static void only_the_caseload_hears(void **state)
{
    (void)state;
    struct client *clients[ACTORS] = {NULL};
    for (size_t a = 0; a < ACTORS; a++) {
        clients[a] = may("console.connect", a) ? connected("/ws/console", a) : NULL;
    }
    assert_int_equal(api_ask(&people.person, "POST", "/api/p/messages",
                             json_pack("{s:s, s:s}", "client_id", "heard", "text", "for one"),
                             NULL),
                     200);
    unsigned heard = 0;
    for (size_t a = ACTORS; a-- > 0;) { /* the inspector first: then it has gone to everybody */
        if (clients[a] == NULL) {
            continue;
        }
        unsigned before = 0;
        assert_true(socket_say(clients[a], "{\"t\":\"offer\",\"id\":1}"));
        json_t *answer = hear(clients[a], "error", NULL, &before);
        assert_non_null(answer);
        json_decref(answer);
        assert_int_equal(before, actors[a].caseload ? 1 : 0);
        heard += before;
        client_close(clients[a]);
    }
    assert_int_equal(heard, 1);
}

/* The last two: afterwards nobody has a session. */
static void an_ended_session_is_none(void **state)
{
    (void)state;
    static const char *const ends[] = {
        "UPDATE session SET expires_at = 5",
        "UPDATE session SET expires_at = 9000000000000000, revoked_at = 5",
    };
    for (size_t end = 0; end < sizeof ends / sizeof ends[0]; end++) {
        api_execute(ends[end]);
        for (size_t u = 0; u < upgrade_count; u++) {
            for (size_t a = 0; a < ACTORS; a++) {
                expect_closed(upgrades[u].path, a);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_walked_with_every_actor),
        cmocka_unit_test(only_the_caseload_hears),
        cmocka_unit_test(an_ended_session_is_none),
    };
    return cmocka_run_group_tests(tests, read_document, stop);
}
