/* The risk compartment: score, judgement, proposal, approval; and that none of it is anywhere else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/cases/cases.h"
#include "daemon/cases/risk.h"
#include "daemon/store/query_people.h"
#include "world.h"

static const uint8_t master_key[CK_KEY_SIZE] = {7}; /* the world's */

static struct world world;
static struct ck_actor inspector, supervisor;

static int set_up(void **state)
{
    (void)state;
    world_open(&world);
    ck_cases_register(&world.registry);
    inspector = world_staff(&world, world.inspector, CK_ROLE_INSPECTOR);
    supervisor = world_staff(&world, world.supervisor, CK_ROLE_SUPERVISOR);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

/* `answers` has a letter for each item: 1, 0 or ? */
static int score(const char *answers, bool eligible)
{
    json_t *items = json_array();
    for (; *answers != '\0'; answers++) {
        json_array_append_new(items, *answers == '?' ? json_null() : json_integer(*answers - '0'));
    }
    return world_command(&world, "risk.score", &inspector,
                         json_pack("{s:I, s:s, s:s, s:o, s:{s:b, s:b, s:b, s:b}}", "person",
                                   (json_int_t)world.person, "index_date", "2026-11-02", "note",
                                   "file 17-secret", "items", items, "eligibility",
                                   "known_to_police", 1, "partner", 1, "contact_or_threat",
                                   (int)eligible, "adult_man_to_woman", 1));
}

static json_t *opened(const char *list, size_t index)
{
    static json_t *risk;
    json_decref(risk);
    assert_int_equal(ck_risk_open(world.reader, master_key, world.person, &risk), 0);
    json_t *found = json_array_get(json_object_get(risk, list), index);
    assert_non_null(found);
    return found;
}

static json_int_t result(const char *name)
{
    return json_integer_value(
        json_object_get(json_object_get(opened("scores", 0), "result"), name));
}

static const char *result_text(const char *name)
{
    return json_string_value(json_object_get(json_object_get(opened("scores", 0), "result"), name));
}

static int judge(const char *band)
{
    return world_command(&world, "risk.judge", &inspector,
                         json_pack("{s:I, s:s, s:s}", "person", (json_int_t)world.person, "band",
                                   band, "reasons", "lives next door-secret"));
}

static int propose(const char *basis)
{
    return world_command(&world, "risk.propose", &inspector,
                         json_pack("{s:I, s:I, s:s, s:s}", "person", (json_int_t)world.person,
                                   "order_id", (json_int_t)world.order, "basis", basis, "reason",
                                   "new score"));
}

/* ---- tests ---- */

static void a_score_keeps_missing_apart_from_absent(void **state)
{
    (void)state;
    assert_int_equal(score("1111000?00?00", true), 0);
    assert_int_equal(result("raw"), 4);
    assert_int_equal(result("missing"), 2);
    assert_int_equal(result("prorated"), 5);
    assert_int_equal(result("low"), 4);
    assert_int_equal(result("high"), 6);
    assert_string_equal(result_text("band"), "5_6");
    assert_int_equal(score("111110??00000", true), 0); /* the newest is first */
    assert_string_equal(result_text("handled_as"), "7_13");
    assert_true(
        json_is_true(json_object_get(json_object_get(opened("scores", 0), "result"), "uncertain")));
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(opened("scores", 0), "norms"), "version")),
                        "proportional");
    assert_int_equal(score("11110??????00", true), 0);
    assert_string_equal(result_text("band"), "unscored");
    assert_int_equal(score("1111111111111", false), 0);
    assert_string_equal(result_text("band"), "unscored");
}

/* By the agency's own table and bands, which stand beside the score by their name; and who scored
 * it. */
static void a_score_is_made_by_the_agencys_norms(void **state)
{
    (void)state;
    static const char file[] = "version 2026-11\nsource Order 12, annex 3\nmissing_max 1\n"
                               "band_from 0 1 2 3 4 5 6\n"
                               "prorated 0 0 1 2 3 4 5 6 7 8 9 10 11 12 13\n"
                               "prorated 1 1 2 3 4 5 6 7 8 9 10 11 12 13\n";
    struct ck_house_rules rules = ck_house_rules_default();
    struct ck_norms_fault fault;
    assert_int_equal(ck_norms_parse(file, sizeof file - 1, &rules.norms, &fault), 0);
    world.rules = &rules;
    world_restart(&world);
    world.rules = NULL;                                /* of the next one */
    assert_int_equal(score("1111110000000", true), 0); /* 6: by proportion not the top band */
    assert_string_equal(result_text("band"), "7_13");
    const json_t *norms = json_object_get(opened("scores", 0), "norms");
    assert_string_equal(json_string_value(json_object_get(norms, "version")), "2026-11");
    assert_string_equal(json_string_value(json_object_get(norms, "source")), "Order 12, annex 3");
    assert_string_equal(json_string_value(json_object_get(opened("scores", 0), "by")), "inspector");
    assert_int_equal(world_number(&world, "SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) "
                                          "LIKE '%RISK_SCORED%\"norms\":\"2026-11\"%'"),
                     1);
    assert_int_equal(score("100000000000?", true), 0);
    assert_int_equal(result("prorated"), 2); /* by proportion 1 */
    assert_int_equal(score("10000000000??", true), 0);
    assert_string_equal(result_text("band"), "unscored");
}

static void a_score_that_is_no_score_is_refused(void **state)
{
    (void)state;
    assert_int_equal(score("11110000000", true), CK_E_INVALID);
    assert_string_equal(world.result.refusal.field, "items");
    assert_int_equal(score("1111020000000", true), CK_E_INVALID);
    assert_string_equal(world.result.refusal.field, "items[5]");
    const struct ck_actor other = world_staff(&world, world.officer, CK_ROLE_INSPECTOR);
    const struct ck_actor keep = inspector;
    inspector = other;
    assert_int_equal(score("1111000000000", true), CK_E_DENIED);
    inspector = keep;
    assert_int_equal(world_number(&world, "SELECT count(*) FROM assessment"), 0);
}

/* The bytes of the store, its log and what a page gets of the person. */
static void nothing_of_it_lies_open(void **state)
{
    (void)state;
    assert_int_equal(score("1111000?00?00", true), 0);
    assert_int_equal(judge("high"), 0);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM assessment WHERE "
                                          "CAST(sealed AS TEXT) LIKE '%secret%'"),
                     0);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM log_entry WHERE "
                                          "CAST(leaf AS TEXT) LIKE '%secret%' OR "
                                          "CAST(leaf AS TEXT) LIKE '%prorated%'"),
                     0);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM log_plain WHERE salted LIKE "
                                          "'%secret%'"),
                     0);
    assert_int_equal(world_number(&world,
                                  "SELECT count(*) FROM log_plain WHERE action IN ('RISK_SCORED', "
                                  "'RISK_JUDGED')"),
                     2);
    json_t *person = NULL;
    assert_int_equal(ck_query_person(world.reader, world.person, world.now.wall, &person), 0);
    char *text = json_dumps(person, 0);
    assert_null(strstr(text, "odara"));
    assert_null(strstr(text, "score"));
    assert_null(strstr(text, "judgement"));
    assert_null(strstr(text, "secret"));
    free(text);
    json_decref(person);
    assert_string_equal(json_string_value(json_object_get(opened("judgements", 0), "band")),
                        "high");
}

static void check_ins_never_change_a_score(void **state)
{
    (void)state;
    assert_int_equal(score("1111000?00?00", true), 0);
    char before[4096];
    snprintf(before, sizeof before, "%s", world_text(&world, "SELECT hex(sealed) FROM assessment"));
    world_plan(&world, "10:00", NULL);
    world_run_for(&world, INT64_C(6) * 3600 * 1000);
    assert_true(world_number(&world, "SELECT count(*) FROM checkin WHERE outcome IS NOT NULL") > 0);
    assert_string_equal(world_text(&world, "SELECT hex(sealed) FROM assessment"), before);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM assessment"), 1);
    assert_string_equal(world_text(&world, "SELECT band FROM person"), "medium");
}

static void a_proposal_becomes_a_plan_when_a_supervisor_approves(void **state)
{
    (void)state;
    assert_int_equal(propose("score"), CK_E_CONFLICT); /* there is none */
    assert_int_equal(score("1111100000000", true), 0);
    assert_int_equal(propose("score"), 0);
    /* That the compartment was looked into for it is a record of its own. */
    assert_int_equal(world_number(&world, "SELECT count(*) FROM log_entry WHERE CAST(leaf AS TEXT) "
                                          "LIKE '%\"action\":\"READ\"%\"what\":\"risk\"%'"),
                     1);
    int64_t id = json_integer_value(json_object_get(world.result.body, "id"));
    assert_int_equal(world_number(&world, "SELECT count(*) FROM plan"), 0);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM approval WHERE body LIKE '%5_6%'"),
                     0);
    assert_int_equal(world_command(&world, "approval.decide", &supervisor,
                                   json_pack("{s:I, s:b, s:s}", "approval", (json_int_t)id,
                                             "approve", 1, "reason", "as the table says")),
                     0);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM plan WHERE state = 'active'"), 1);
    assert_string_equal(world_text(&world, "SELECT band FROM person"), "high");
    assert_true(world_number(&world, "SELECT count(*) FROM checkin") > 0);
    assert_int_equal(
        world_number(&world, "SELECT count(*) FROM log_plain WHERE action = 'PERSON_BAND_SET'"), 1);
}

static int decide(int64_t approval)
{
    return world_command(&world, "approval.decide", &supervisor,
                         json_pack("{s:I, s:b, s:s}", "approval", (json_int_t)approval, "approve",
                                   1, "reason", "as the table says"));
}

/* Re-scored, with a plan that runs: the order has no room for both. */
static void a_proposal_takes_the_place_of_the_plan_that_runs(void **state)
{
    (void)state;
    world_execute(&world, "UPDATE requirement SET count = 3, days = 7");
    int64_t first =
        world_plan(&world, "10:00", json_pack("{s:s}", "recurrence", "FREQ=WEEKLY;BYDAY=MO,WE,FR"));
    assert_int_equal(score("1111100000000", true), 0);
    assert_int_equal(propose("score"), 0);
    assert_int_equal(decide(json_integer_value(json_object_get(world.result.body, "id"))), 0);
    /* It begins tomorrow: until then the other serves. */
    char sql[160];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM plan WHERE id = %lld AND state = 'active' AND until_date = "
             "'2026-11-21'",
             (long long)first);
    assert_int_equal(world_number(&world, sql), 1);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM plan WHERE until_date IS NULL"), 1);
    assert_string_equal(world_text(&world, "SELECT band FROM person"), "high");
    /* Of two that run nobody can say which. */
    world_execute(&world, "UPDATE requirement SET count = 8, days = 1");
    world_plan(&world, "12:00", NULL);
    assert_int_equal(propose("score"), CK_E_CONFLICT);
    assert_non_null(strstr(world.result.refusal.message, "several plans"));
}

static void a_judgement_stands_beside_the_score(void **state)
{
    (void)state;
    assert_int_equal(score("0000000000000", true), 0);
    assert_int_equal(judge("top"), 0);
    assert_string_equal(result_text("band"), "0");
    const struct ck_checkin_policy house = ck_checkin_policy_default();
    struct ck_proposal_asked asked = {.zone_dir = "/usr/share/zoneinfo",
                                      .person = world.person,
                                      .order = world.order,
                                      .basis = "judgement",
                                      .house = &house,
                                      .now = world.now.wall};
    struct ck_refusal refusal;
    json_t *proposal = NULL;
    assert_int_equal(ck_risk_proposal(world.reader, master_key, &asked, &proposal, &refusal), 0);
    assert_string_equal(json_string_value(json_object_get(proposal, "band")), "top");
    json_decref(proposal);
    asked.basis = "score";
    assert_int_equal(ck_risk_proposal(world.reader, master_key, &asked, &proposal, &refusal), 0);
    assert_string_equal(json_string_value(json_object_get(proposal, "band")), "low");
    json_decref(proposal);
}

static void the_table_is_changed_by_two_persons(void **state)
{
    (void)state;
    json_t *cadence = NULL;
    assert_int_equal(ck_cadence_json(world.reader, &cadence), 0);
    assert_true(json_is_null(json_object_get(cadence, "approved")));
    json_t *rows = json_object_get(cadence, "bands");
    json_object_set_new(json_array_get(rows, 3), "contacts", json_integer(5));
    json_object_set_new(json_array_get(rows, 3), "weeks", json_integer(1));
    json_t *request = json_pack("{s:s, s:s, s:{s:O}}", "kind", "cadence.change", "reason",
                                "policy 4", "request", "bands", rows);
    json_object_set_new(json_array_get(rows, 4), "weeks", json_integer(0));
    assert_int_equal(
        world_command(&world, "approval.propose", &supervisor, json_deep_copy(request)),
        CK_E_INVALID);
    json_object_set_new(json_array_get(rows, 4), "weeks", json_integer(1));
    assert_int_equal(world_command(&world, "approval.propose", &supervisor, request), 0);
    int64_t id = json_integer_value(json_object_get(world.result.body, "id"));
    json_decref(cadence);
    const struct ck_actor second = world_staff(&world, world.officer, CK_ROLE_SUPERVISOR);
    assert_int_equal(world_command(&world, "approval.decide", &second,
                                   json_pack("{s:I, s:b, s:s}", "approval", (json_int_t)id,
                                             "approve", 1, "reason", "x")),
                     0);
    assert_int_equal(ck_cadence_json(world.reader, &cadence), 0);
    assert_true(json_is_string(json_object_get(cadence, "approved")));
    assert_int_equal(json_integer_value(json_object_get(
                         json_array_get(json_object_get(cadence, "bands"), 3), "contacts")),
                     5);
    json_decref(cadence);
}

/* Raised at once by whoever knows of a danger; lowered by a supervisor, or by what one approves. */
static void a_class_is_lowered_by_a_supervisor(void **state)
{
    (void)state;
    world_execute(&world, "UPDATE person SET band = 'medium'");
    static const struct {
        bool by_supervisor;
        const char *band, *then;
        int code;
    } cases[] = {
        {false, "top", "top", 0},
        {false, "high", "top", CK_E_INVALID},
        {false, "low", "top", CK_E_INVALID},
        {false, "top", "top", 0}, /* the rest of the form is saved as ever */
        {true, "low", "low", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            world_command(&world, "person.update",
                          cases[i].by_supervisor ? &supervisor : &inspector,
                          json_pack("{s:I, s:s, s:s}", "person", (json_int_t)world.person, "band",
                                    cases[i].band, "note", "seen")),
            cases[i].code);
        assert_string_equal(world_text(&world, "SELECT band FROM person"), cases[i].then);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_score_keeps_missing_apart_from_absent),
        TEST(a_score_is_made_by_the_agencys_norms),
        TEST(a_score_that_is_no_score_is_refused),
        TEST(nothing_of_it_lies_open),
        TEST(check_ins_never_change_a_score),
        TEST(a_proposal_becomes_a_plan_when_a_supervisor_approves),
        TEST(a_proposal_takes_the_place_of_the_plan_that_runs),
        TEST(a_judgement_stands_beside_the_score),
        TEST(the_table_is_changed_by_two_persons),
        TEST(a_class_is_lowered_by_a_supervisor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
