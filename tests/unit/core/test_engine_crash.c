/* kill -9 at every point between decide, commit and act: a child process runs the engine on a real
 * file and dies there; its successor goes on. Nothing is lost and nothing is decided twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/audit/verify.h"
#include "protocol/base/cleanup.h"
#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)

/* ---- a child that dies ---- */

static struct {
    const char *point; /* or NULL */
    int skip;          /* so often it passes first */
} death;

static void maybe_die(void *user, const char *point)
{
    (void)user;
    if (death.point != NULL && strcmp(point, death.point) == 0 && death.skip-- == 0) {
        _exit(9);
    }
}

static void die(void)
{
    _exit(9);
}

/* Runs the world for `ms` in a child that may die on the way: true where it did. The store is the
 * same file; the world's own engine is not open meanwhile. */
static bool run_in_child(struct world *world, int64_t ms, int64_t crash_at)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        world_restart(world);
        ck_engine_set_crash_point(world->engine, maybe_die, NULL);
        world->disk->writes = world->disk->syncs = 0;
        world->disk->crash_at = crash_at;
        world->disk->crash = die;
        world_run_for(world, ms);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9);
    return WEXITSTATUS(status) == 9;
}

static void check_everything(struct world *world)
{
    /* Three rings, each once; one outcome; one incident; each notice once. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt WHERE checkin_id = 1"), 3);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE checkin_id = 1 "
                                         "AND kind = 'no_contact'"),
                     1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain l "
                                         "WHERE action = 'CHECKIN_OUTCOME' AND object_id = 1"),
                     1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain "
                                         "WHERE action = 'INCIDENT_OPENED'"),
                     1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE checkin_id = 1 "
                                         "AND incident_id IS NULL"),
                     7); /* a message and a mail each, and a call with the last */
    assert_int_equal(world_number(world, "SELECT count(*) FROM quarantine"), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE state IN "
                                         "('queued', 'sending', 'unknown')"),
                     0);
    struct ck_audit_report report = {0};
    assert_int_equal(ck_audit_verify(world->reader, &report), 0);
    assert_int_equal(report.findings, 0);
}

/* The store of a world whose engine is closed for the time being, so that a child can have it. */
static void part_from_engine(struct world *world)
{
    ck_store_close(world->reader);
    ck_engine_destroy(world->engine);
    world->reader = NULL;
    world->engine = NULL;
}

static void story_with_deaths(struct world *world, const char *point, int skip, int64_t crash_at,
                              bool *died)
{
    world_plan(world, "09:10", NULL);
    world_run_for(world, 9 * MINUTE);
    world_forget(world);
    part_from_engine(world);
    death.point = point;
    death.skip = skip;
    world->mirror = mmap(NULL, sizeof *world->mirror, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(world->mirror != MAP_FAILED);
    *world->mirror = world->now;
    *died = run_in_child(world, 100 * MINUTE, crash_at);
    death.point = NULL;
    /* Its successor, a second later. */
    world->now = *world->mirror;
    munmap(ck_take(world->mirror), sizeof *world->mirror);
    world->now.wall.ms += 1000;
    world->now.mono.us += 1000000;
    world_restart(world);
    world->reported_at.ms = 0;
    world_run_for(world, 100 * MINUTE);
    check_everything(world);
}

static void nothing_is_lost_or_doubled_at_the_points_of_a_turn(void **state)
{
    (void)state;
    static const char *const points[] = {"claimed", "decided", "committed", "given"};
    static const int skips[] = {0, 1, 2, 5, 60, 61, 62, 63, 250, 251, 252, 253, 254};
    int deaths = 0;
    for (size_t p = 0; p < sizeof points / sizeof points[0]; p++) {
        for (size_t s = 0; s < sizeof skips / sizeof skips[0]; s++) {
            static struct world world;
            bool died = false;
            world_open(&world);
            story_with_deaths(&world, points[p], skips[s], 0, &died);
            world_close(&world);
            deaths += died;
        }
    }
    assert_true(deaths >= 40);
}

static void nothing_is_lost_or_doubled_at_any_write(void **state)
{
    (void)state;
    /* A sample of the writes and syncs of the story, spread by a step that divides nothing. */
    int deaths = 0;
    for (int64_t at = 1; at < 4000; at += 131) {
        static struct world world;
        bool died = false;
        world_open(&world);
        story_with_deaths(&world, NULL, 0, at, &died);
        world_close(&world);
        deaths += died;
    }
    assert_true(deaths >= 20);
}

static void what_was_being_sent_is_sent_again_under_its_reference(void **state)
{
    struct world *world = *state;
    world_plan(world, "09:10", NULL);
    world_run_for(world, 9 * MINUTE);
    world->mute = true; /* the channel's answers are lost with us */
    world_forget(world);
    world_run_for(world, 1 * MINUTE + 1000);
    const struct ck_output *sent = world_last(world, CK_OUTPUT_SEND);
    assert_non_null(sent);
    const struct ck_output first = sent == NULL ? (struct ck_output){0} : *sent;
    char reference[64];
    int64_t notice = first.id;
    snprintf(reference, sizeof reference, "%s",
             json_string_value(json_object_get(first.body, "reference")));
    assert_true(json_is_false(json_object_get(first.body, "repeated")));
    world_restart(world);
    world_forget(world);
    world->mute = false;
    world_run_for(world, 30000);
    const json_t *again = NULL;
    for (size_t i = 0; i < world->output_count; i++) {
        if (world->outputs[i].kind == CK_OUTPUT_SEND && world->outputs[i].id == notice) {
            again = world->outputs[i].body;
        }
    }
    assert_non_null(again);
    assert_string_equal(json_string_value(json_object_get(again, "reference")), reference);
    assert_true(json_is_true(json_object_get(again, "repeated")));
    assert_int_equal(json_integer_value(json_object_get(again, "try")), 2);
}

static void down_for_an_hour_is_our_fault_and_no_burst(void **state)
{
    struct world *world = *state;
    world_plan(world, "09:10", NULL);
    world_run_for(world, 9 * MINUTE);
    part_from_engine(world);
    world->now.wall.ms += 14 * 60 * MINUTE; /* 23:00: the window ended at 22:00 */
    world->now.mono.us += 14 * 60 * MINUTE * 1000;
    world_restart(world);
    world->reported_at.ms = 0;
    world_forget(world);
    world_run_for(world, 5 * MINUTE);
    assert_string_equal(world_text(world, "SELECT outcome FROM checkin WHERE id = 1"),
                        "system_fault");
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt"), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE checkin_id = 1"), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE make_up_of = 1"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_or_doubled_at_the_points_of_a_turn),
        cmocka_unit_test(nothing_is_lost_or_doubled_at_any_write),
        cmocka_unit_test_setup_teardown(what_was_being_sent_is_sent_again_under_its_reference,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(down_for_an_hour_is_our_fault_and_no_burst, world_setup,
                                        world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
