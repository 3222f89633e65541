/* What needs two persons: who may propose, who may decide, and that it is carried out once, in the
 * transaction of the approval. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/cases/approval.h"
#include "daemon/cases/cases.h"
#include "daemon/core/body.h"
#include "daemon/store/approval.h"
#include "world.h"

/* A kind that inspectors and supervisors propose and supervisors decide; the test puts handlers of
 * its own in the place of its. */
#define TEST_KIND "order.replaces"

static struct world world;
static struct ck_actor inspector, supervisor, second;

/* ---- a kind of the test's own: what it is asked, and whether it refuses ---- */

static int carried_out;
static int64_t carried_proposer, carried_approver, carried_unit;
static bool refuse;

static int test_proposed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         json_t **result, struct ck_refusal *refusal)
{
    (void)turn;
    (void)actor;
    (void)result;
    return json_is_true(json_object_get(json_object_get(body, "request"), "good"))
               ? 0
               : ck_refuse(refusal, CK_E_INVALID, "request.good", "must be good");
}

static int test_approved(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         json_t **result, struct ck_refusal *refusal)
{
    if (refuse) {
        return ck_refuse(refusal, CK_E_CONFLICT, "", "not any more");
    }
    carried_out++;
    carried_proposer = json_integer_value(json_object_get(body, "proposer"));
    carried_approver = actor->staff_id;
    carried_unit = actor->unit_id;
    *result = json_pack("{s:i}", "done", 1);
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){.action = "TEST_DONE", .object = "setting"});
}

static void stand_in(const char *name, ck_handler *handler)
{
    for (size_t i = 0; i < world.registry.count; i++) {
        if (strcmp(world.registry.entries[i].name, name) == 0) {
            world.registry.entries[i].handler = handler;
            return;
        }
    }
    fail_msg("no handler is called %s", name);
}

static int set_up(void **state)
{
    (void)state;
    world_open(&world);
    ck_cases_register(&world.registry);
    stand_in("proposed." TEST_KIND, test_proposed);
    stand_in("approved." TEST_KIND, test_approved);
    inspector = world_staff(&world, world.inspector, CK_ROLE_INSPECTOR);
    supervisor = world_staff(&world, world.supervisor, CK_ROLE_SUPERVISOR);
    second = world_staff(&world, world.officer, CK_ROLE_SUPERVISOR);
    carried_out = 0;
    refuse = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static int64_t propose(const struct ck_actor *actor, bool good)
{
    int r = world_command(&world, "approval.propose", actor,
                          json_pack("{s:s, s:{s:b}, s:s, s:I}", "kind", TEST_KIND, "request",
                                    "good", (int)good, "reason", "because", "person",
                                    (json_int_t)world.person));
    return r == 0 ? json_integer_value(json_object_get(world.result.body, "id")) : -r;
}

static int decide(const struct ck_actor *actor, int64_t id, bool approve)
{
    return world_command(&world, "approval.decide", actor,
                         json_pack("{s:I, s:b, s:s}", "approval", (json_int_t)id, "approve",
                                   (int)approve, "reason", "seen"));
}

/* ---- tests ---- */

static void another_person_approves_and_it_is_done_once(void **state)
{
    (void)state;
    int64_t id = propose(&inspector, true);
    assert_true(id > 0);
    assert_int_equal(carried_out, 0);
    assert_int_equal(decide(&supervisor, id, true), 0);
    assert_int_equal(carried_out, 1);
    assert_int_equal(carried_proposer, world.inspector);
    assert_int_equal(carried_approver, world.supervisor);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(world.result.body, "result"), "done")),
        1);
    assert_int_equal(decide(&supervisor, id, true), CK_E_CONFLICT);
    assert_int_equal(carried_out, 1);
    assert_int_equal(world_records(&world, "APPROVAL_PROPOSED"), 1);
    assert_int_equal(world_records(&world, "APPROVAL_GIVEN"), 1);
    assert_int_equal(world_records(&world, "TEST_DONE"), 1);
}

static void nobody_decides_what_they_proposed(void **state)
{
    (void)state;
    int64_t id = propose(&supervisor, true);
    assert_true(id > 0);
    assert_int_equal(decide(&supervisor, id, true), CK_E_DENIED);
    assert_int_equal(decide(&supervisor, id, false), CK_E_DENIED);
    assert_int_equal(carried_out, 0);
    assert_int_equal(world_records(&world, "DENIED"), 2);
    assert_int_equal(decide(&second, id, true), 0);
    assert_int_equal(carried_out, 1);
}

/* A unit with one supervisor: those of other units may decide what that one proposed, and nothing
 * else. */
static void a_lone_supervisor_is_helped_by_another_unit(void **state)
{
    (void)state;
    struct ck_actor far = second;
    far.unit_id = world.unit + 1;
    world_execute(&world, "INSERT INTO unit (id, name, zone, created_at) VALUES (2, 'Far', "
                          "'Asia/Almaty', 0)");
    char sql[96];
    snprintf(sql, sizeof sql, "UPDATE staff SET unit_id = 2 WHERE id = %d", (int)second.staff_id);
    world_execute(&world, sql);
    int64_t id = propose(&inspector, true);
    assert_int_equal(decide(&far, id, true), CK_E_DENIED); /* the unit's own supervisor can */
    id = propose(&supervisor, true);
    assert_int_equal(decide(&supervisor, id, true), CK_E_DENIED);
    struct ck_actor officer = far;
    officer.roles = CK_ROLE_OFFICER;
    assert_int_equal(decide(&officer, id, true), CK_E_DENIED);
    const struct ck_approval_scope scope = {far.staff_id, far.unit_id, "," TEST_KIND ","};
    json_t *page = NULL;
    assert_int_equal(ck_query_approvals(world.reader, &scope, true, 0, world.now.wall, &page), 0);
    assert_int_equal(json_array_size(json_object_get(page, "approvals")), 1);
    const json_t *shown = json_array_get(json_object_get(page, "approvals"), 0);
    assert_int_equal(json_integer_value(json_object_get(shown, "id")), id);
    assert_true(json_is_true(json_object_get(shown, "alone")));
    json_decref(page);
    assert_int_equal(decide(&far, id, true), 0);
    assert_int_equal(carried_out, 1);
    assert_int_equal(carried_approver, far.staff_id);
    assert_int_equal(carried_unit, world.unit);
}

static void only_the_roles_and_the_unit_of_the_kind_decide(void **state)
{
    (void)state;
    int64_t id = propose(&supervisor, true);
    assert_int_equal(decide(&inspector, id, true), CK_E_DENIED);
    struct ck_actor far = second;
    far.unit_id = world.unit + 1;
    id = propose(&inspector, true); /* which the unit's own supervisor can decide */
    assert_int_equal(decide(&far, id, true), CK_E_DENIED);
    struct ck_actor officer = world_staff(&world, world.officer, CK_ROLE_OFFICER);
    assert_int_equal(-propose(&officer, true), CK_E_DENIED);
    assert_int_equal(carried_out, 0);
}

static void what_makes_no_sense_is_refused_when_it_is_proposed(void **state)
{
    (void)state;
    assert_int_equal(-propose(&inspector, false), CK_E_INVALID);
    assert_string_equal(world.result.refusal.field, "request.good");
    assert_int_equal(world_command(&world, "approval.propose", &inspector,
                                   json_pack("{s:s, s:{}, s:s}", "kind", "nothing.known", "request",
                                             "reason", "x")),
                     CK_E_INVALID);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM approval"), 0);
}

static void what_cannot_be_carried_out_stays_open(void **state)
{
    (void)state;
    int64_t id = propose(&inspector, true);
    refuse = true;
    assert_int_equal(decide(&supervisor, id, true), CK_E_CONFLICT);
    assert_string_equal(world.result.refusal.message, "not any more");
    assert_string_equal(world_text(&world, "SELECT state FROM approval"), "open");
    assert_int_equal(world_records(&world, "APPROVAL_GIVEN"), 0);
    refuse = false;
    assert_int_equal(decide(&supervisor, id, true), 0);
    assert_int_equal(carried_out, 1);
}

/* The person was handed over in between: whose they were decides nothing about them. */
static void another_units_person_is_not_decided_about(void **state)
{
    (void)state;
    char sql[160];
    int64_t id = propose(&inspector, true);
    world_execute(&world, "INSERT INTO unit (name, zone, created_at) SELECT 'elsewhere', zone, "
                          "created_at FROM unit LIMIT 1");
    snprintf(sql, sizeof sql,
             "UPDATE person SET unit_id = (SELECT max(id) FROM unit) WHERE id = %lld",
             (long long)world.person);
    world_execute(&world, sql);
    assert_int_equal(decide(&supervisor, id, true), CK_E_CONFLICT);
    assert_int_equal(carried_out, 0);
    assert_int_equal(decide(&supervisor, id, false), 0); /* to say no does nothing to them */
}

static void a_refused_or_withdrawn_request_is_over(void **state)
{
    (void)state;
    int64_t id = propose(&inspector, true);
    assert_int_equal(decide(&supervisor, id, false), 0);
    assert_int_equal(decide(&supervisor, id, true), CK_E_CONFLICT);
    id = propose(&inspector, true);
    assert_int_equal(
        world_command(&world, "approval.withdraw", &supervisor,
                      json_pack("{s:I, s:s}", "approval", (json_int_t)id, "reason", "x")),
        CK_E_DENIED);
    assert_int_equal(
        world_command(&world, "approval.withdraw", &inspector,
                      json_pack("{s:I, s:s}", "approval", (json_int_t)id, "reason", "a slip")),
        0);
    assert_int_equal(decide(&supervisor, id, true), CK_E_CONFLICT);
    assert_int_equal(carried_out, 0);
    assert_int_equal(world_records(&world, "APPROVAL_REFUSED"), 1);
    assert_int_equal(world_records(&world, "APPROVAL_WITHDRAWN"), 1);
}

static void an_old_request_cannot_be_approved(void **state)
{
    (void)state;
    int64_t id = propose(&inspector, true);
    world.healthy = false; /* nothing else is to run in the weeks between */
    const struct ck_approval_kind *kind = ck_approval_kind_find(TEST_KIND);
    world_run_for(&world, kind->lifetime_ms - 1);
    assert_true(propose(&inspector, true) > 0); /* another turn, so that time has moved */
    world_run_for(&world, 1);
    assert_int_equal(decide(&supervisor, id, true), CK_E_CONFLICT);
    assert_int_equal(carried_out, 0);
}

static void requests_that_wait_are_limited(void **state)
{
    (void)state;
    for (int i = 0; i < CK_APPROVAL_OPEN_MAX; i++) {
        assert_true(propose(&inspector, true) > 0);
    }
    assert_int_equal(-propose(&inspector, true), CK_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_person_approves_and_it_is_done_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nobody_decides_what_they_proposed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lone_supervisor_is_helped_by_another_unit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_the_roles_and_the_unit_of_the_kind_decide, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused_when_it_is_proposed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_carried_out_stays_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_or_withdrawn_request_is_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_units_person_is_not_decided_about, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_old_request_cannot_be_approved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_that_wait_are_limited, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
