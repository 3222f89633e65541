/* Nothing about a victim is reachable from the person's side: staff write it down wherever they
 * can, and the person asks everywhere they may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "daemon/access/policy.h"
#include "daemon/api/api.h"

#define MARK "HER-NEW-ADDRESS"

static struct caseload people;
static int64_t checkin, incident;

static int64_t made(struct user *user, const char *path, json_t *body, const char *member)
{
    json_t *answer;
    unsigned status = api_ask(user, "POST", path, body, &answer);
    if (status != 200) {
        fail_msg("%s: %s", path, api_raw());
    }
    int64_t id = json_integer_value(json_object_get(answer, member));
    json_decref(answer);
    return id;
}

static int start(void **state)
{
    (void)state;
    char path[96];
    api_start(NULL);
    api_caseload_quick(&people);
    made(&people.person, "/api/p/notice", json_pack("{s:i}", "version", 1), "id");
    snprintf(path, sizeof path, "/api/persons/%lld/checkins", (long long)people.person_id);
    checkin = made(&people.inspector, path, json_pack("{s:s, s:s}", "reason", MARK, "kind", "live"),
                   "id");
    for (int i = 0; i < 20; i++) {
        api_pass_ms(600000);
    }
    assert_true(api_wait_number("SELECT count(*) FROM incident", 1));
    incident = api_number("SELECT min(id) FROM incident WHERE unit_id IS NOT NULL");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop();
    return 0;
}

/* What staff write: wherever words, numbers or files of theirs may stand. */
static void write_everywhere(void)
{
    char path[96];
    snprintf(path, sizeof path, "/api/persons/%lld", (long long)people.person_id);
    made(&people.inspector, path, json_pack("{s:s, s:s}", "note", MARK, "band", "top"), "id");
    snprintf(path, sizeof path, "/api/checkins/%lld/concern", (long long)checkin);
    made(&people.inspector, path, json_pack("{s:s}", "text", MARK), "id");
    snprintf(path, sizeof path, "/api/incidents/%lld/note", (long long)incident);
    made(&people.officer, path, json_pack("{s:s}", "text", MARK), "id");
    snprintf(path, sizeof path, "/api/incidents/%lld/safety", (long long)incident);
    made(&people.officer, path, json_pack("{s:s}", "note", MARK), "id");
    snprintf(path, sizeof path, "/api/incidents/%lld/messages", (long long)incident);
    made(&people.officer, path,
         json_pack("{s:s, s:s, s:{s:s, s:s}}", "client_id", "v1", "text", MARK, "file", "name",
                   MARK ".jpg", "data", "/9j/2Q=="),
         "id");
    snprintf(path, sizeof path, "/api/persons/%lld/risk/score", (long long)people.person_id);
    made(&people.inspector, path,
         json_pack("{s:s, s:[i,i,i,i,i,i,i,i,i,i,i,i,i], s:s, s:{s:b, s:b, s:b, s:b}}",
                   "index_date", "2026-11-01", "items", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                   "note", MARK, "eligibility", "known_to_police", 1, "partner", 1,
                   "contact_or_threat", 1, "adult_man_to_woman", 1),
         "id");
    snprintf(path, sizeof path, "/api/persons/%lld/risk/judgement", (long long)people.person_id);
    made(&people.inspector, path, json_pack("{s:s, s:s}", "band", "high", "reasons", MARK), "id");
    made(&people.supervisor, "/api/templates",
         json_pack("{s:s, s:s, s:s}", "kk", MARK, "ru", MARK, "en", MARK), "id");
}

static void nothing_of_it(const char *asked)
{
    static const char *const never[] = {MARK,         "\"band\"", "\"risk\"",   "\"score\"",
                                        "\"items\"",  "concern",  "\"safety",   "\"note\"",
                                        "conditions", "\"line\"", "\"incident", "\"odara"};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        if (strstr(api_raw(), never[i]) != NULL) {
            fail_msg("%s answers with %s:\n%s", asked, never[i], api_raw());
        }
    }
}

/* Every operation that a person may ask for, and those that anybody may, with the ids of staff's
 * objects in the path. */
static void everything_is_asked(void)
{
    const int64_t ids[] = {1, 2, people.person_id, people.other_person_id, checkin, incident};
    enum ck_http_method method;
    const char *pattern, *action;
    size_t asked = 0;
    for (size_t o = 0; ck_api_operation(o, &method, &pattern, &action); o++) {
        const struct ck_policy *policy = ck_policy_find(action);
        if (policy->who == CK_WHO_STAFF || strcmp(action, "self.device") == 0) {
            continue;
        }
        const char *brace = strstr(pattern, "{id}");
        for (size_t i = 0; i < (brace == NULL ? 1 : sizeof ids / sizeof ids[0]); i++) {
            char path[128];
            if (brace == NULL) {
                snprintf(path, sizeof path, "%s", pattern);
            } else {
                snprintf(path, sizeof path, "%.*s%lld%s", (int)(brace - pattern), pattern,
                         (long long)ids[i], brace + 4);
            }
            struct user person = people.person;
            json_t *body =
                json_pack("{s:i, s:s, s:s, s:s, s:i, s:I, s:I}", "version", 1, "text", "x",
                          "client_id", "c", "kind", "reschedule", "up_to", 999, "person",
                          (json_int_t)people.other_person_id, "incident", (json_int_t)incident);
            bool get = method == CK_HTTP_GET;
            api_ask(&person, get ? "GET" : "POST", path, get ? NULL : body, NULL);
            if (get) {
                json_decref(body);
            }
            nothing_of_it(path);
            asked++;
        }
    }
    assert_true(asked > 15);
}

/* What the person's page is told, without what changes by itself. */
static json_t *state_now(void)
{
    json_t *answer;
    assert_int_equal(api_ask(&people.person, "GET", "/api/p/state", NULL, &answer), 200);
    json_object_del(answer, "server_time");
    return answer;
}

static void nothing_about_a_victim_reaches_the_person(void **state)
{
    (void)state;
    json_t *before = state_now();
    write_everywhere();
    json_t *after = state_now();
    if (!json_equal(before, after)) { /* not even that something was written */
        char *one = json_dumps(before, 0), *two = json_dumps(after, 0);
        fail_msg("before: %s\nafter: %s", one, two);
    }
    json_decref(before);
    json_decref(after);
    everything_is_asked();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_about_a_victim_reaches_the_person),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
