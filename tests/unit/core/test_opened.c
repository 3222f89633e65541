/* A case opened outside a caseload: the supervisors are told at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

static struct world world;

static int start(void **state)
{
    (void)state;
    world_open(&world);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void supervisors_are_told(void **state)
{
    (void)state;
    world.channels_up = true;
    world_run_for(&world, 60000);
    world_forget(&world);
    int64_t other = world_colleague(&world, "other.inspector", CK_ROLE_INSPECTOR, false);
    const struct ck_actor actor = world_staff(&world, other, CK_ROLE_INSPECTOR);
    assert_int_equal(world_command(&world, "case.open", &actor,
                                   json_pack("{s:s, s:s}", "reference",
                                             world_text(&world, "SELECT reference FROM person"),
                                             "reason", "a call from the neighbours")),
                     0);
    world_run_for(&world, 60000);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM notice WHERE template = "
                                          "'case_opened' AND address = 'supervisor@example.kz'"),
                     1);
    bool sent = false;
    for (size_t i = 0; i < world.output_count; i++) {
        const json_t *body = world.outputs[i].body;
        const char *template = json_string_value(json_object_get(body, "template"));
        const char *path = json_string_value(json_object_get(body, "path"));
        sent = sent || (template != NULL && strcmp(template, "case_opened") == 0 && path != NULL &&
                        strcmp(path, "/#/log?action=CASE_OPENED") == 0);
    }
    assert_true(sent);
    /* Why is in the log, under its salt; who it is about is not in the notice. */
    assert_int_equal(world_number(&world, "SELECT count(*) FROM log_plain WHERE action = "
                                          "'CASE_OPENED' AND salted LIKE '%neighbours%'"),
                     1);
}

static void a_supervisor_is_not_told_of_the_own(void **state)
{
    (void)state;
    const struct ck_actor boss = world_staff(&world, world.supervisor, CK_ROLE_INSPECTOR);
    assert_int_equal(
        world_command(&world, "case.open", &boss,
                      json_pack("{s:s, s:s}", "reference",
                                world_text(&world, "SELECT reference FROM person"), "reason", "x")),
        0);
    assert_int_equal(
        world_number(&world, "SELECT count(*) FROM notice WHERE template = 'case_opened'"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(supervisors_are_told, start, stop),
        cmocka_unit_test_setup_teardown(a_supervisor_is_not_told_of_the_own, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
