/* The room on the disk ends: first the reserve, then all of it, on a file system that is really
 * full. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/access/access.h"
#include "daemon/audit/verify.h"
#include "daemon/cases/cases.h"
#include "protocol/base/error.h"
#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)

static struct world world;

static int setup(void **state)
{
    (void)state;
    world_open(&world);
    ck_access_register(&world.registry);
    ck_cases_register(&world.registry);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static int64_t count_of(const char *action)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM log_plain WHERE action = '%s'", action);
    return world_number(&world, sql);
}

static int read_person(void)
{
    const struct ck_actor officer = world_staff(&world, world.officer, CK_ROLE_OFFICER);
    return world_command(
        &world, "read", &officer,
        json_pack("{s:s, s:I}", "object", "person", "id", (json_int_t)world.person));
}

static int begin_recording(void)
{
    const struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    return world_command(&world, "recording.begin", &worker,
                         json_pack("{s:i, s:s}", "checkin", 1, "leg", "person"));
}

static void only_what_must_goes_on_below_the_reserve(void **state)
{
    (void)state;
    const struct ck_actor supervisor = world_staff(&world, world.supervisor, CK_ROLE_SUPERVISOR);
    world.healthy = true;
    world.probe = true;
    world.channels_up = true;
    world_plan(&world, "09:10", NULL);
    assert_int_equal(read_person(), 0);

    ck_engine_set_low(world.engine, true);
    world_run_for(&world, MINUTE);
    assert_int_equal(count_of("DISK_LOW"), 1);
    assert_int_equal(
        world_number(&world, "SELECT count(*) FROM incident WHERE kind = 'system' AND cause = 'the "
                             "disk is nearly full: recordings have stopped'"),
        1);
    assert_int_equal(read_person(), CK_E_BUSY);
    assert_int_equal(begin_recording(), CK_E_BUSY);
    assert_int_equal(world_command(&world, "staff.create", &supervisor, json_object()), CK_E_BUSY);
    assert_int_equal(world_command(&world, "shift.create", &supervisor, json_object()), CK_E_BUSY);
    assert_string_equal(world.result.refusal.message,
                        "the disk is nearly full: only what an open incident needs goes on");

    /* The check-in rings, is missed, and its incident is told. */
    world_run_for(&world, 3 * 60 * MINUTE);
    assert_string_equal(world_text(&world, "SELECT outcome FROM checkin WHERE id = 1"),
                        "no_answer");
    assert_int_equal(
        world_number(&world, "SELECT count(*) FROM incident WHERE kind = 'no_contact'"), 1);
    assert_true(world_number(&world, "SELECT count(*) FROM notice WHERE incident_id IS NOT NULL") >
                0);
    assert_int_equal(read_person(), 0); /* an open incident is about this person */
    assert_int_equal(begin_recording(), CK_E_BUSY);
    assert_int_equal(count_of("DISK_LOW"), 1);

    ck_engine_set_low(world.engine, false);
    world_run_for(&world, MINUTE);
    assert_int_equal(count_of("DISK_ENOUGH"), 1);
    assert_int_not_equal(begin_recording(), CK_E_BUSY);
}

/* ---- a file system that is full ---- */

/* A /tmp of this process's own; false where that is not allowed here. */
static bool small_tmp(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", "/tmp", "tmpfs", 0, "size=4m") == 0;
}

static void fill_tmp(void)
{
    static const char block[4096];
    int fd = open("/tmp/fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, block, sizeof block) > 0) {
    }
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

/* Whether one of the outputs so far alarms the duty roster from memory. */
static bool alarmed(void)
{
    bool found = false;
    struct ck_batch *batch = ck_engine_take(world.engine);
    while (batch != NULL) {
        struct ck_batch *next = batch->next;
        for (size_t i = 0; i < batch->output_count; i++) {
            const json_t *roster = json_object_get(batch->outputs[i].body, "roster");
            found = found ||
                    (batch->outputs[i].kind == CK_OUTPUT_ALARM && json_array_size(roster) == 2);
        }
        ck_batch_free(batch);
        batch = next;
    }
    return found;
}

static int one_turn(void)
{
    struct ck_wall next;
    const struct ck_actor system = ck_actor_system();
    static int probe;
    probe = !probe;
    const struct ck_command report = {"health.report", system,
                                      json_pack("{s:b, s:b}", "probe", probe, "worker", 1), 7};
    world.now.wall.ms += 1000;
    world.now.mono.us += 1000000;
    assert_int_equal(ck_engine_submit(world.engine, &report), 0);
    return ck_engine_turn(world.engine, &world.now, &next);
}

static void a_full_file_system_stops_nothing_for_good(void **state)
{
    (void)state;
    if (!small_tmp()) {
        skip(); /* mount name spaces are not for everybody */
    }
    setup(NULL);
    world_plan(&world, "09:10", NULL);
    world_run_for(&world, 9 * MINUTE);
    world_forget(&world);
    fill_tmp();
    int code = 0;
    for (int i = 0; code == 0 && i < 5000; i++) {
        code = one_turn();
    }
    assert_int_equal(code, -ENOSPC);
    assert_true(alarmed());
    int64_t size = world_number(&world, "SELECT size FROM log_head");
    assert_int_equal(one_turn(), -ENOSPC);
    assert_int_equal(world_number(&world, "SELECT size FROM log_head"), size);

    assert_int_equal(unlink("/tmp/fill"), 0);
    world_run_until(&world, (struct ck_wall){world.now.wall.ms + 2 * MINUTE});
    assert_int_equal(count_of("STORE_FAILED"), 1);
    assert_string_equal(world_text(&world, "SELECT state FROM checkin WHERE id = 1"), "ringing");
    struct ck_audit_report report = {0};
    assert_int_equal(ck_audit_verify(world.reader, &report), 0);
    assert_int_equal(report.findings, 0);
    teardown(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_must_goes_on_below_the_reserve, setup, teardown),
        cmocka_unit_test(a_full_file_system_stops_nothing_for_good), /* last: it has its own /tmp */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
