/* Cases opened outside the own caseload: with a reason, for an hour, to read alone, and never in
 * silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "daemon/core/body.h"

static struct caseload people;
static char reference[64];

static int start(void **state)
{
    (void)state;
    char path[64];
    json_t *person;
    api_start(NULL);
    api_caseload_quick(&people);
    snprintf(path, sizeof path, "/api/persons/%lld", (long long)people.person_id);
    assert_int_equal(api_ask(&people.inspector, "GET", path, NULL, &person), 200);
    snprintf(reference, sizeof reference, "%s",
             json_string_value(json_object_get(person, "reference")));
    json_decref(person);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop();
    return 0;
}

static unsigned get(struct user *user, const char *under)
{
    char path[96];
    snprintf(path, sizeof path, "/api/persons/%lld%s", (long long)people.person_id, under);
    return api_ask(user, "GET", path, NULL, NULL);
}

static unsigned post(struct user *user, const char *under, json_t *body)
{
    char path[96];
    snprintf(path, sizeof path, "/api/persons/%lld%s", (long long)people.person_id, under);
    return api_ask(user, "POST", path, body, NULL);
}

static unsigned open_case(struct user *user, const char *which, const char *reason, json_t **answer)
{
    return api_ask(user, "POST", "/api/opened-cases",
                   json_pack("{s:s, s:s}", "reference", which, "reason", reason), answer);
}

static int64_t opened_of(struct user *user, size_t *count)
{
    json_t *answer;
    assert_int_equal(api_ask(user, "GET", "/api/opened-cases", NULL, &answer), 200);
    json_t *list = json_object_get(answer, "opened");
    *count = json_array_size(list);
    int64_t id = json_integer_value(json_object_get(json_array_get(list, 0), "id"));
    json_decref(answer);
    return id;
}

#define READS                                                                                      \
    "SELECT count(*) FROM log_plain p JOIN log_entry e ON e.idx = p.idx WHERE action = 'READ' "    \
    "AND instr(e.leaf, CAST('\"opened\":true' AS BLOB)) > 0"

static void a_case_is_opened_to_read_and_each_look_is_a_record(void **state)
{
    (void)state;
    struct user *other = &people.other_inspector;
    assert_int_equal(get(other, ""), 403);
    json_t *answer;
    assert_int_equal(open_case(other, reference, "a call from the neighbours", &answer), 200);
    assert_int_equal(json_integer_value(json_object_get(answer, "person")), people.person_id);
    assert_true(json_is_string(json_object_get(answer, "until")));
    json_decref(answer);
    assert_int_equal(api_number("SELECT count(*) FROM log_plain WHERE action = 'CASE_OPENED'"), 1);

    int64_t before = api_number(READS);
    assert_int_equal(get(other, ""), 200);
    assert_int_equal(get(other, "/checkins"), 200);
    assert_int_equal(get(other, "/checkins"), 200); /* no look goes with another one's record */
    assert_int_equal(get(other, "/messages"), 200);
    assert_int_equal(get(other, "/photo"), 404); /* there is none */
    assert_int_equal(api_number(READS), before + 5);

    /* To read, and nothing that is more than the case. */
    assert_int_equal(get(other, "/risk"), 403);
    assert_int_equal(post(other, "", json_pack("{s:s}", "note", "changed")), 403);
    assert_int_equal(
        post(other, "/messages", json_pack("{s:s, s:s}", "client_id", "x", "text", "hello")), 403);
    assert_int_equal(
        post(other, "/checkins", json_pack("{s:s, s:s}", "reason", "x", "kind", "live")), 403);
    assert_int_equal(post(other, "/enrol", json_object()), 403);
    /* Nobody else's. */
    assert_int_equal(get(&people.far_inspector, ""), 403);
}

static void it_is_closed_by_whoever_opened_it(void **state)
{
    (void)state;
    assert_int_equal(open_case(&people.far_officer, reference, "found at our station", NULL), 200);
    assert_int_equal(get(&people.far_officer, ""), 200);
    assert_int_equal(get(&people.far_officer, "/messages"), 403); /* not an officer's */
    size_t count = 0;
    char path[96];
    snprintf(path, sizeof path, "/api/opened-cases/%lld/close",
             (long long)opened_of(&people.far_officer, &count));
    assert_int_equal(count, 1);
    assert_int_equal(api_ask(&people.other_inspector, "POST", path, json_object(), NULL), 404);
    assert_int_equal(api_ask(&people.far_officer, "POST", path, json_object(), NULL), 200);
    assert_int_equal(api_ask(&people.far_officer, "POST", path, json_object(), NULL), 404);
    assert_int_equal(get(&people.far_officer, ""), 403);
}

static void what_cannot_be_opened_is_said(void **state)
{
    (void)state;
    json_t *answer;
    assert_int_equal(open_case(&people.far_inspector, "P-0", "x", &answer), 404);
    api_expect_error(answer, "not_found", "reference");
    assert_int_equal(open_case(&people.far_inspector, reference, "", &answer), 400);
    api_expect_error(answer, "invalid", "reason");
    assert_int_equal(open_case(&people.inspector, reference, "x", &answer), 409);
    api_expect_error(answer, "conflict", "reference");
    assert_int_equal(open_case(&people.officer, reference, "x", &answer), 409);
    api_expect_error(answer, "conflict", "reference");
    assert_int_equal(open_case(&people.administrator, reference, "x", NULL), 403);
    assert_int_equal(open_case(&people.person, reference, "x", NULL), 401);
}

static void three_at_once_and_ten_a_day(void **state)
{
    (void)state;
    json_t *answer;
    struct user *far = &people.far_inspector;
    for (int i = 0; i < CK_OPENED_MAX; i++) {
        char name[32], path[64], which[64];
        snprintf(name, sizeof name, "Further %d", i);
        int64_t id = api_person(&people.inspector, people.inspector_id, people.unit, name);
        snprintf(path, sizeof path, "/api/persons/%lld", (long long)id);
        assert_int_equal(api_ask(&people.inspector, "GET", path, NULL, &answer), 200);
        snprintf(which, sizeof which, "%s",
                 json_string_value(json_object_get(answer, "reference")));
        json_decref(answer);
        assert_int_equal(open_case(far, which, "x", NULL), 200);
    }
    assert_int_equal(open_case(far, reference, "x", &answer), 409);
    api_expect_error(answer, "conflict", "reference");
    size_t count = 0;
    for (int i = CK_OPENED_MAX; i <= CK_OPENED_A_DAY; i++) {
        char path[96];
        snprintf(path, sizeof path, "/api/opened-cases/%lld/close",
                 (long long)opened_of(far, &count));
        assert_int_equal(api_ask(far, "POST", path, json_object(), NULL), 200);
        assert_int_equal(open_case(far, reference, "x", &answer), i < CK_OPENED_A_DAY ? 200 : 429);
        json_decref(answer);
    }
}

static void an_hour_ends_it(void **state)
{
    (void)state;
    assert_int_equal(get(&people.other_inspector, ""), 200);
    api_pass_ms(CK_OPENED_MS);
    assert_int_equal(get(&people.other_inspector, ""), 403);
    size_t count = 1;
    opened_of(&people.other_inspector, &count);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_is_opened_to_read_and_each_look_is_a_record),
        cmocka_unit_test(it_is_closed_by_whoever_opened_it),
        cmocka_unit_test(what_cannot_be_opened_is_said),
        cmocka_unit_test(three_at_once_and_ten_a_day),
        cmocka_unit_test(an_hour_ends_it),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
