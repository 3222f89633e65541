/* An honest log of a system that was down for more than a day, with an incident open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/audit/checkpoint.h"
#include "daemon/audit/export.h"
#include "tests/unit/core/world.h"
#include "tests/unit/evidence/rig.h"

#define PROGRAM CK_BUILD_DIR "/bin/checkin-verify"
#define HOUR_MS INT64_C(3600000)

static struct world world;
static struct rig signer;
static char key[200];

static int setup(void **state)
{
    (void)state;
    world_open(&world);
    rig_begin(&signer);
    rig_signer_start(&signer);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    rig_end(&signer);
    return 0;
}

static void sign(void)
{
    static struct ck_signer_answer answer;
    const struct ck_actor system = ck_actor_system();
    world.now.wall.ms += CK_CHECKPOINT_REST_MS;
    assert_int_equal(ck_audit_checkpoint(world.reader, signer.socket, world.now.wall, &answer), 0);
    assert_int_equal(answer.state, CK_SIGNER_SIGNED);
    assert_int_equal(world_command(&world, "log.checkpoint", &system,
                                   json_pack("{s:s, s:s}", "note", answer.note, "key", answer.key)),
                     0);
    snprintf(key, sizeof key, "--key=%s", answer.key);
}

static void down_for(int64_t ms)
{
    world_forget(&world);
    world.now.wall.ms += ms;
    world.now.mono.us += ms * 1000;
    world_restart(&world);
}

/* The steps that fire in the very first turn come after SYSTEM_STARTED, which says why they are
 * late. */
static void an_outage_of_a_day_is_no_omission(void **state)
{
    (void)state;
    struct ck_audit_copy made;
    char copy[160], *printed = NULL;
    world_plan(&world, "09:10", NULL);
    world_run_for(&world, 3 * HOUR_MS);
    assert_int_equal(world_number(&world, "SELECT count(*) FROM incident WHERE state = 'open'"), 1);
    json_t *started =
        json_pack("{s:s, s:b, s:n}", "version", "1.2", "synchronised", 1, "offset_us");
    world.started = started;
    int64_t before = world_number(&world, "SELECT max(idx) FROM log_entry");
    down_for(30 * HOUR_MS);
    world_run_for(&world, HOUR_MS);
    json_decref(started);
    sign();
    snprintf(copy, sizeof copy, "%s/copy", signer.folder);
    assert_int_equal(ck_audit_export(world.reader, copy, &made), 0);
    if (rig_run(PROGRAM, (const char *const[]){key, "log", copy, NULL}, &printed) != 0) {
        fail_msg("%s", printed);
    }
    assert_non_null(strstr(printed, "nothing is missing about "));
    free(printed);
    assert_int_equal(world_number(&world, "SELECT idx FROM log_plain WHERE action = "
                                          "'SYSTEM_STARTED'"),
                     before + 1);
    assert_int_equal(world_records(&world, "SYSTEM_STARTED"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_outage_of_a_day_is_no_omission, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
