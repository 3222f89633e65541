/* What persons ask for in writing, who answers, and the second factor that two persons reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"

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

static unsigned request(const char *kind, const char *text, const char *receipt)
{
    return api_ask(&people.person, "POST", "/api/p/requests",
                   json_pack("{s:s, s:s, s:s*}", "kind", kind, "text", text, "receipt", receipt),
                   NULL);
}

static unsigned answer(struct user *user, int64_t request, bool accept, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/api/requests/%lld/answer", (long long)request);
    return api_ask(user, "POST", path,
                   json_pack("{s:b, s:s}", "accept", (int)accept, "answer", text), NULL);
}

/* Of the person's own page or of the console; the list becomes the caller's. */
static json_t *requests(struct user *user, const char *path)
{
    json_t *all, *list;
    assert_int_equal(api_ask(user, "GET", path, NULL, &all), 200);
    list = json_incref(json_object_get(all, "requests"));
    json_decref(all);
    assert_true(json_is_array(list));
    return list;
}

static void another_time_is_asked_for_and_answered(void **state)
{
    (void)state;
    assert_int_equal(request("reschedule", "I work nights on Mondays", NULL), 200);
    json_t *list = requests(&people.inspector, "/api/requests");
    json_t *row = json_array_get(list, 0);
    int64_t id = json_integer_value(json_object_get(row, "id"));
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(row, "kind")), "reschedule");
    assert_true(json_is_null(json_object_get(row, "answered")));
    json_decref(list);
    assert_int_equal(answer(&people.other_inspector, id, true, "no"), 403);
    assert_int_equal(answer(&people.far_supervisor, id, true, "no"), 403);
    assert_int_equal(answer(&people.inspector, id, true, ""), 400);
    assert_int_equal(answer(&people.inspector, id, true, "From next week at noon"), 200);
    assert_int_equal(answer(&people.inspector, id, false, "twice"), 409);
    list = requests(&people.person, "/api/p/state");
    row = json_array_get(list, 0);
    assert_true(json_is_true(json_object_get(row, "accepted")));
    assert_string_equal(json_string_value(json_object_get(row, "answer")),
                        "From next week at noon");
    assert_null(json_object_get(row, "answered_by")); /* no names on the person's side */
    json_decref(list);
    assert_int_equal(api_number("SELECT count(*) FROM log_plain WHERE action IN ('REQUEST_MADE', "
                                "'REQUEST_ANSWERED')"),
                     2);
    list = requests(&people.other_inspector, "/api/requests");
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
}

static void a_person_has_few_open_requests(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(request("reschedule", "again", NULL), 200);
    }
    assert_int_equal(request("reschedule", "again", NULL), 409);
    assert_int_equal(request("holiday", "no such kind", NULL), 400);
    assert_int_equal(request("reschedule", "", NULL), 400);
}

static void a_result_is_disputed_by_its_receipt_and_a_supervisor_answers(void **state)
{
    (void)state;
    char path[96], receipt[32];
    json_t *made;
    snprintf(path, sizeof path, "/api/persons/%lld/checkins", (long long)people.person_id);
    assert_int_equal(api_ask(&people.inspector, "POST", path,
                             json_pack("{s:s, s:s}", "reason", "test", "kind", "live"), &made),
                     200);
    json_decref(made);
    for (int i = 0; i < 20; i++) {
        api_pass_ms(600000);
    }
    assert_true(api_wait_number("SELECT count(*) FROM checkin WHERE receipt IS NOT NULL", 1));
    struct user person = people.person;
    assert_int_equal(api_ask(&person, "GET", "/api/p/state", NULL, &made), 200);
    json_t *entry = json_array_get(json_object_get(made, "history"), 0);
    snprintf(receipt, sizeof receipt, "%s", json_string_value(json_object_get(entry, "receipt")));
    json_decref(made);
    assert_int_equal(request("dispute", "my phone never rang", "K0-0000"), 404);
    assert_int_equal(request("dispute", "my phone never rang", NULL), 400);
    assert_int_equal(request("dispute", "my phone never rang", receipt), 200);
    assert_int_equal(request("dispute", "and again", receipt), 409);
    json_t *list = requests(&people.supervisor, "/api/requests");
    int64_t id = json_integer_value(json_object_get(json_array_get(list, 0), "id"));
    assert_true(json_integer_value(json_object_get(json_array_get(list, 0), "checkin_id")) > 0);
    json_decref(list);
    assert_int_equal(answer(&people.inspector, id, false, "it did"), 403);
    assert_int_equal(answer(&people.supervisor, id, true, "Our gateway was down"), 200);
    list = requests(&people.person, "/api/p/state");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "receipt")),
                        receipt);
    json_decref(list);
}

static void two_persons_reset_a_second_factor(void **state)
{
    (void)state;
    char path[96], decide[96];
    json_t *made;
    snprintf(path, sizeof path, "/api/staff/%lld/second-factor/reset",
             (long long)people.inspector_id);
    assert_int_equal(
        api_ask(&people.supervisor, "POST", path, json_pack("{s:s}", "reason", "x"), NULL), 403);
    assert_int_equal(api_ask(&people.administrator, "POST", path, json_object(), NULL), 400);
    assert_int_equal(api_ask(&people.administrator, "POST", path,
                             json_pack("{s:s}", "reason", "lost the phone"), &made),
                     200);
    int64_t approval = json_integer_value(json_object_get(made, "id"));
    json_decref(made);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL), 200);
    snprintf(decide, sizeof decide, "/api/approvals/%lld/decide", (long long)approval);
    json_t *yes = json_pack("{s:b, s:s}", "approve", 1, "reason", "I saw them");
    assert_int_equal(api_ask(&people.administrator, "POST", decide, json_deep_copy(yes), NULL),
                     403); /* the proposer */
    assert_int_equal(api_ask(&people.far_supervisor, "POST", decide, json_deep_copy(yes), NULL),
                     403);
    assert_int_equal(api_ask(&people.supervisor, "POST", decide, yes, NULL), 200);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/me", NULL, NULL), 401); /* out */
    assert_int_equal(
        api_number("SELECT count(*) FROM log_plain WHERE action = 'SECOND_FACTOR_CLEARED'"), 1);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SERVED(another_time_is_asked_for_and_answered),
        SERVED(a_person_has_few_open_requests),
        SERVED(a_result_is_disputed_by_its_receipt_and_a_supervisor_answers),
        SERVED(two_persons_reset_a_second_factor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
