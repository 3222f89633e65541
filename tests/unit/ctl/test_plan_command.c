/* checkinctl plan: the program itself, on the store of an engine that runs. The world begins on
 * Saturday 21 November 2026 at 09:00 in Almaty; the program looks ahead from the machine's date, so
 * order and plan hold at any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "protocol/base/time.h"
#include "tests/unit/core/world.h"

#define DAY INT64_C(86400000)

static char output[65536];

static int setup(void **state)
{
    static struct world world;
    world_open(&world);
    world_execute(&world,
                  "UPDATE contact_order SET from_date = '2000-01-01', until_date = '2099-12-31'");
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    return 0;
}

/* Its exit status; what it said is in `output`. */
static int run(const struct world *world, const char *words, const char *flag, int64_t id)
{
    char command[512];
    snprintf(command, sizeof command,
             CK_BUILD_DIR "/bin/checkinctl plan %s --store=%s %s %lld 2>&1", words, world->path,
             flag, (long long)id);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    size_t size = fread(output, 1, sizeof output - 1, pipe);
    output[size] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int64_t drawn_plan(struct world *world)
{
    return world_plan(world, "10:00",
                      json_pack("{s:s, s:[{s:s, s:s, s:i}]}", "first_date", "2000-01-01", "windows",
                                "start", "10:00", "end", "20:00", "draws", 1));
}

static void a_preview_shows_windows_and_no_moment(void **state)
{
    struct world *world = *state;
    int64_t plan = drawn_plan(world);
    world_execute(world, "UPDATE plan SET begins_date = '2000-01-01'");
    assert_int_equal(run(world, "preview", "", plan), 0);
    assert_non_null(strstr(output, "plan 1, active, times in UTC (the unit is in Asia/Almaty)"));
    assert_int_equal(run(world, "preview", "--json", plan), 0);
    json_t *ahead = json_loads(output, 0, NULL);
    assert_non_null(ahead);
    const json_t *windows = json_object_get(ahead, "windows");
    assert_in_range(json_array_size(windows), 14, 15);
    const json_t *first = json_array_get(windows, 0);
    assert_non_null(strstr(json_string_value(json_object_get(first, "start")), "T05:00:00"));
    assert_int_equal(json_integer_value(json_object_get(first, "draws")), 1);
    json_decref(ahead);
    /* None of the moments that were drawn, whatever the day is on which this runs. */
    char sql[96];
    for (int i = 0; i < 15; i++) {
        char due[CK_WALL_TEXT_SIZE];
        snprintf(sql, sizeof sql, "SELECT due_at FROM checkin ORDER BY id LIMIT 1 OFFSET %d", i);
        ck_wall_text((struct ck_wall){world_number(world, sql)}, due);
        assert_null(strstr(output, due));
    }
    assert_int_equal(run(world, "preview", "", plan + 1), EXIT_FAILURE);
    assert_non_null(strstr(output, "plan 2: there is none"));
    assert_int_equal(run(world, "preview", "", 0), 64);
}

static void a_draw_is_proven_when_its_key_is_known(void **state)
{
    struct world *world = *state;
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    int64_t plan = drawn_plan(world);
    assert_int_equal(run(world, "prove", "", 1), EXIT_FAILURE);
    assert_non_null(strstr(output, "not provable: check-in 1: the key of its epoch has not been "
                                   "revealed yet"));
    assert_int_equal(run(world, "prove", "", 999), EXIT_FAILURE);
    char due[CK_WALL_TEXT_SIZE], said[128];
    ck_wall_text((struct ck_wall){world_number(world, "SELECT due_at FROM checkin WHERE id = 1")},
                 due);
    assert_int_equal(
        world_command(world, "plan.end", &inspector,
                      json_pack("{s:I, s:s}", "plan", (json_int_t)plan, "reason", "over")),
        0);
    world->healthy = false; /* nothing else is to run in the weeks between */
    world_run_for(world, 34 * DAY);
    assert_int_equal(run(world, "prove", "", 1), 0);
    /* 10:00 to 20:00, less the rings and grace at the end. */
    snprintf(said, sizeof said, "proven: check-in 1 was drawn for %s, out of 34800 seconds.", due);
    assert_non_null(strstr(output, said));
    assert_int_equal(run(world, "prove", "--json", 1), 0);
    json_t *proof = json_loads(output, 0, NULL);
    assert_true(json_is_true(json_object_get(proof, "proven")));
    assert_string_equal(json_string_value(json_object_get(proof, "due")), due);
    assert_int_equal(json_integer_value(json_object_get(proof, "seconds")), 34800);
    json_decref(proof);
    /* Another moment beside the record is found out. */
    world_execute(world, "UPDATE log_plain SET salted = replace(salted, 'T', 'T0') WHERE action = "
                         "'CHECKIN_PLANNED'");
    assert_int_equal(run(world, "prove", "", 1), EXIT_FAILURE);
    assert_non_null(strstr(output, "NOT TRUE: check-in 1"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_preview_shows_windows_and_no_moment),
        TEST(a_draw_is_proven_when_its_key_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
