/* The turn itself: one transaction, items that fail, rows that poison, a store that refuses, the
 * thread. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "daemon/store/health.h"
#include "daemon/store/quarantine.h"
#include "protocol/base/error.h"
#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)

/* Changes the store behind the engine's back. */
static void poke(struct world *world, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static json_t *note_body(int incident)
{
    return json_pack("{s:i, s:s}", "incident", incident, "text", "x");
}

/* ---- commands ---- */

static void a_command_that_fails_changes_nothing_and_the_others_go_on(void **state)
{
    struct world *world = *state;
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    world_plan(world, "09:10", NULL);
    int64_t before = world_number(world, "SELECT size FROM log_head");

    /* Three in one turn; the one in the middle has no such incident. */
    struct ck_command commands[3] = {
        {"checkin.on_demand", inspector,
         json_pack("{s:I, s:s, s:s}", "person", (json_int_t)world->person, "reason", "a", "kind",
                   "live"),
         101},
        {"incident.note", inspector, note_body(77), 102},
        {"plan.end", inspector, json_pack("{s:i, s:s}", "plan", 1, "reason", "b"), 103},
    };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ck_engine_submit(world->engine, &commands[i]), 0);
    }
    struct ck_wall next;
    assert_int_equal(ck_engine_turn(world->engine, &world->now, &next), 0);
    struct ck_batch *batch = ck_engine_take(world->engine);
    assert_non_null(batch);
    assert_int_equal(batch->result_count, 3);
    assert_int_equal(batch->results[0].code, 0);
    assert_int_equal(batch->results[1].code, CK_E_NOT_FOUND);
    assert_string_equal(batch->results[1].refusal.field, "incident");
    assert_int_equal(batch->results[2].code, 0);
    ck_batch_free(batch);
    assert_true(world_number(world, "SELECT size FROM log_head") > before);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident_line"), 0);
    world_verify_log(world);
}

static int half_done(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    (void)body;
    assert_int_equal(ck_store_set_setting(ck_turn_store(turn), "half", "done"), 0);
    assert_int_equal(
        ck_turn_audit(turn, actor, &(struct ck_record){.action = "HALF", .object = "setting"}), 0);
    assert_int_equal(ck_turn_output(turn, &(struct ck_output){.kind = CK_OUTPUT_TODAY}), 0);
    *result = json_pack("{s:s}", "half", "done");
    return ck_turn_deny(turn, actor, "setting", 0, 0, "not like this", refusal);
}

static void a_denial_leaves_its_record_and_nothing_else(void **state)
{
    struct world *world = *state;
    static const struct ck_handler_entry entry = {"test.half", half_done};
    const struct ck_actor officer = world_staff(world, world->officer, CK_ROLE_OFFICER);
    ck_registry_add(&world->registry, &entry, 1);
    assert_int_equal(world_command(world, "test.half", &officer, json_object()), CK_E_DENIED);
    assert_null(world->result.body);
    assert_int_equal(world->output_count, 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM setting WHERE name = 'half'"), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action = 'HALF'"),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain WHERE action = 'DENIED'"),
                     1);
    world_verify_log(world);
}

static void the_queue_has_a_limit_and_unknown_commands_are_refused(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = ck_actor_system();
    struct ck_command command = {"no.such", actor, json_object(), 1};
    assert_int_equal(ck_engine_submit(world->engine, &command), CK_E_NOT_FOUND);
    json_decref(command.body);
    int taken = 0, code = 0;
    for (; code == 0; taken++) {
        command = (struct ck_command){"health.report", actor,
                                      json_pack("{s:b, s:b}", "probe", 1, "worker", 1), 0};
        code = ck_engine_submit(world->engine, &command);
    }
    json_decref(command.body);
    assert_int_equal(code, CK_E_BUSY);
    assert_int_equal(taken - 1, 4096);
    /* They are decided in turns of at most 256. */
    struct ck_wall next;
    int turns = 0;
    do {
        assert_int_equal(ck_engine_turn(world->engine, &world->now, &next), 0);
        turns++;
    } while (next.ms <= world->now.wall.ms);
    assert_true(turns >= 16);
}

static void a_turn_takes_at_most_256_items(void **state)
{
    struct world *world = *state;
    world_plan(world, "09:30", NULL);
    /* 600 check-ins at once, copies of the first. */
    poke(world, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) "
                "INSERT INTO checkin (person_id, unit_id, inspector_id, local_date, slot, drawn, "
                "zone, zone_version, kind, mandatory, policy_id, window_start_at, window_end_at, "
                "due_at, state, machine, attempts, created_at, next_at) SELECT person_id, unit_id, "
                "inspector_id, local_date, 2000 + n.i, 0, zone, zone_version, kind, mandatory, "
                "policy_id, window_start_at, window_end_at, due_at, state, machine, attempts, "
                "created_at, next_at FROM checkin, n WHERE checkin.id = 1");
    world->now.wall.ms += 20 * MINUTE;
    struct ck_wall next;
    assert_int_equal(ck_engine_turn(world->engine, &world->now, &next), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE state = 'armed'"),
                     256);
    assert_int_equal(next.ms, world->now.wall.ms);
    ck_batch_free(ck_engine_take(world->engine));
}

static void a_reference_that_is_taken_is_made_again(void **state)
{
    struct world *world = *state;
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    world_plan(world, "09:10", NULL);
    world_run_for(world, 9 * MINUTE);
    /* The generator begins again where it began for the first ring. */
    uint64_t seed = world->seed;
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(world_command(world, "plan.end", &inspector,
                                   json_pack("{s:i, s:s}", "plan", 1, "reason", "x")),
                     0);
    world->seed = seed;
    world->healthy = false;
    world_run_for(world, 4 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM notice WHERE checkin_id = 1"), 4);
}

/* ---- rows that cannot be decided ---- */

static void a_row_that_cannot_be_read_is_taken_aside_and_told(void **state)
{
    struct world *world = *state;
    world_plan(world, "09:11", NULL);
    poke(world, "UPDATE checkin SET machine = '{\"phase\":\"none\"}' WHERE id = 1");
    poke(world, "UPDATE checkin SET next_at = (SELECT next_at FROM checkin WHERE id = 1) "
                "WHERE id = 2");
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(world_number(world, "SELECT quarantined FROM checkin WHERE id = 1"), 1);
    assert_string_equal(world_text(world, "SELECT kind FROM quarantine"), "checkin");
    assert_string_equal(world_text(world, "SELECT kind FROM incident"), "system");
    assert_int_equal(world_number(world, "SELECT person_id FROM incident"), world->person);
    /* The row beside it went on. */
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 2"), "armed");
    world_run_for(world, 60 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'system'"), 1);

    /* An operator mends it and puts it back. */
    const struct ck_actor operator= ck_actor_system();
    json_t *list = NULL;
    assert_int_equal(ck_store_quarantine_list(world->reader, &list), 0);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    poke(world, "UPDATE checkin SET machine = (SELECT machine FROM checkin WHERE id = 3) "
                "WHERE id = 1");
    assert_int_equal(world_command(world, "quarantine.release", &operator,
                                   json_pack("{s:s, s:i}", "kind", "checkin", "id", 1)),
                     0);
    world_run_for(world, 2000);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"), "ringing");
    assert_int_equal(world_command(world, "quarantine.release", &operator,
                                   json_pack("{s:s, s:i}", "kind", "checkin", "id", 1)),
                     CK_E_NOT_FOUND);
    assert_int_equal(ck_store_quarantine_list(world->reader, &list), 0);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    world_verify_log(world);
}

static void a_row_present_at_two_crashes_is_taken_aside(void **state)
{
    struct world *world = *state;
    world_plan(world, "09:11", NULL);
    poke(world, "UPDATE checkin SET claims = 2 WHERE id = 1");
    poke(world, "UPDATE checkin SET claims = 1, next_at = (SELECT next_at FROM checkin "
                "WHERE id = 1) WHERE id = 2");
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(world_number(world, "SELECT quarantined FROM checkin WHERE id = 1"), 1);
    assert_int_equal(world_number(world, "SELECT quarantined FROM checkin WHERE id = 2"), 0);
    assert_int_equal(world_number(world, "SELECT claims FROM checkin WHERE id = 2"), 0);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 2"), "armed");
    world_verify_log(world);
}

/* ---- a store that refuses ---- */

static void nothing_is_decided_while_the_disk_is_full(void **state)
{
    struct world *world = *state;
    world_plan(world, "09:10", NULL);
    world_run_for(world, 9 * MINUTE);
    world_forget(world);
    world->disk->full = true;

    /* A turn needs room sooner or later; from then on nothing of it is there. */
    int64_t size = 0;
    int code = 0;
    struct ck_wall next = world->now.wall;
    for (int i = 0; code == 0 && i < 2000; i++) {
        size = world_number(world, "SELECT size FROM log_head");
        world->now.wall.ms += 1000;
        world->now.mono.us += 1000000;
        const struct ck_actor system = ck_actor_system();
        const struct ck_command report = {"health.report", system,
                                          json_pack("{s:b, s:b}", "probe", i % 2, "worker", 1), 7};
        assert_int_equal(ck_engine_submit(world->engine, &report), 0);
        code = ck_engine_turn(world->engine, &world->now, &next);
        if (code == 0) {
            ck_batch_free(ck_engine_take(world->engine));
        }
    }
    assert_int_equal(code, -ENOSPC);
    assert_int_equal(world_number(world, "SELECT size FROM log_head"), size);
    assert_int_equal(next.ms, world->now.wall.ms + CK_ENGINE_RETRY_MS);
    struct ck_batch *batch = ck_engine_take(world->engine);
    bool alarmed = false, answered = false;
    for (struct ck_batch *at = batch; at != NULL; at = at->next) {
        for (size_t i = 0; i < at->output_count; i++) {
            const json_t *roster = json_object_get(at->outputs[i].body, "roster");
            alarmed =
                alarmed || (at->outputs[i].kind == CK_OUTPUT_ALARM && json_array_size(roster) == 2);
        }
        for (size_t i = 0; i < at->result_count; i++) {
            answered = answered || at->results[i].code == -ENOSPC;
        }
    }
    assert_true(alarmed);
    assert_true(answered);
    while (batch != NULL) {
        struct ck_batch *rest = batch->next;
        ck_batch_free(batch);
        batch = rest;
    }

    /* Room again: it goes on where it was, and says that it stood still. */
    world->disk->full = false;
    world_run_until(world, (struct ck_wall){WORLD_START_MS + 11 * MINUTE});
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_plain "
                                         "WHERE action = 'STORE_FAILED'"),
                     1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM quarantine"), 0);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"), "ringing");
    assert_int_equal(world_count(world, CK_OUTPUT_ALARM_OVER), 1);
    const json_t *over = world_last(world, CK_OUTPUT_ALARM_OVER)->body;
    assert_true(json_integer_value(json_object_get(over, "lasted_ms")) > 0);
    world_verify_log(world);
}

/* ---- a store that stands still ---- */

static void a_turn_that_took_long_is_recorded_as_a_store_that_failed(void **state)
{
    struct world *world = *state;
    world_run_for(world, MINUTE);
    world_forget(world);
    struct ck_now ended = world->now;
    ended.mono.us += CK_ENGINE_STOOD_MS * INT64_C(1000) - 1;
    ck_engine_note_turn(world->engine, &world->now, &ended);
    world_run_for(world, MINUTE);
    assert_int_equal(world_count(world, CK_OUTPUT_ALARM_OVER), 0);

    ended = world->now;
    ended.mono.us += CK_ENGINE_STOOD_MS * INT64_C(1000);
    ck_engine_note_turn(world->engine, &world->now, &ended);
    world_run_for(world, MINUTE);
    assert_int_equal(world_count(world, CK_OUTPUT_ALARM_OVER), 1);
    assert_int_equal(world_count(world, CK_OUTPUT_ALARM), 0); /* the loop has alarmed by itself */
    assert_int_equal(
        world_number(world, "SELECT count(*) FROM log_plain WHERE action = 'STORE_FAILED'"), 1);
    json_t *roster = ck_engine_roster(world->engine);
    assert_int_equal(json_array_size(roster), 2);
    json_decref(roster);
}

/* ---- what proves that we could have been answered ---- */

/* Of the last minute: milliseconds in which everything was well. */
static int64_t proven_ms(struct world *world)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT ifnull(sum(until_at - max(from_at, %lld)), 0) FROM health WHERE bits = %d AND "
             "until_at > %lld",
             (long long)(world->now.wall.ms - MINUTE), CK_HEALTH_ALL,
             (long long)(world->now.wall.ms - MINUTE));
    return world_number(world, sql);
}

/* Without a row that was due: what came to a daemon that stood still was late all the same. */
static void a_turn_that_took_a_second_proves_nothing(void **state)
{
    struct world *world = *state;
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(proven_ms(world), MINUTE);

    struct ck_now ended = world->now;
    ended.mono.us += (CK_HEALTH_LAG_MS - 1) * INT64_C(1000);
    ck_engine_note_turn(world->engine, &world->now, &ended);
    world_run_for(world, MINUTE);
    assert_int_equal(proven_ms(world), MINUTE);

    ended = world->now;
    ended.mono.us += CK_HEALTH_LAG_MS * INT64_C(1000);
    ck_engine_note_turn(world->engine, &world->now, &ended);
    world_run_for(world, MINUTE);
    assert_in_range(proven_ms(world), 1, MINUTE - CK_HEALTH_GAP_MAX_MS / 3);
}

static void the_time_between_two_lives_is_not_proven(void **state)
{
    struct world *world = *state;
    world_run_for(world, 2 * MINUTE);
    world->now.wall.ms += 3000;
    world->now.mono.us += 3000000;
    world_restart(world);
    world_run_for(world, MINUTE - 3000);
    assert_in_range(proven_ms(world), 1, MINUTE - 3000);
    world_run_for(world, MINUTE);
    assert_int_equal(proven_ms(world), MINUTE);
}

/* ---- the thread ---- */

static void read_clock(void *user, struct ck_now *now)
{
    (void)user;
    struct timespec wall, mono;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &mono);
    *now = (struct ck_now){{wall.tv_sec * 1000 + wall.tv_nsec / 1000000},
                           {mono.tv_sec * 1000000 + mono.tv_nsec / 1000},
                           true};
}

static void fill(void *user, void *bytes, size_t size)
{
    (void)user;
    FILE *file = fopen("/dev/urandom", "rb");
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
}

static int wake_pipe[2];

static void wake(void *user)
{
    (void)user;
    assert_int_equal(write(wake_pipe[1], "x", 1), 1);
}

static void commands_are_answered_by_the_thread(void **state)
{
    struct world *world = *state;
    static const uint8_t key[CK_KEY_SIZE] = {1};
    struct ck_engine *engine = NULL;
    char path[160], byte;
    assert_int_equal(pipe(wake_pipe), 0);
    snprintf(path, sizeof path, "%s/thread", world->folder);
    const struct ck_engine_options options = {.store_path = path,
                                              .registry = &world->registry,
                                              .master_key = key,
                                              .zone_dir = "/usr/share/zoneinfo",
                                              .random = fill,
                                              .clock = read_clock,
                                              .wake = wake};
    assert_int_equal(ck_engine_create(&engine, &options), 0);
    assert_int_equal(ck_engine_start(engine), 0);
    const struct ck_actor actor = ck_actor_system();
    for (uint64_t i = 1; i <= 50; i++) {
        const struct ck_command command = {"health.report", actor,
                                           json_pack("{s:b, s:b}", "probe", 1, "worker", 1), i};
        assert_int_equal(ck_engine_submit(engine, &command), 0);
    }
    uint64_t seen = 0;
    while (seen < 50) {
        assert_int_equal(read(wake_pipe[0], &byte, 1), 1);
        for (struct ck_batch *batch = ck_engine_take(engine); batch != NULL;) {
            struct ck_batch *next = batch->next;
            for (size_t i = 0; i < batch->result_count; i++) {
                assert_int_equal(batch->results[i].ticket, ++seen);
                assert_int_equal(batch->results[i].code, 0);
            }
            ck_batch_free(batch);
            batch = next;
        }
    }
    ck_engine_stop(engine);
    ck_engine_destroy(engine);
    close(wake_pipe[0]);
    close(wake_pipe[1]);
}

static int hang_pipe[2], hung_pipe[2];

static int hang(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                json_t **result, struct ck_refusal *refusal)
{
    (void)turn, (void)actor, (void)body, (void)result, (void)refusal;
    char byte;
    assert_int_equal(write(hung_pipe[1], "x", 1), 1);
    assert_int_equal(read(hang_pipe[0], &byte, 1), 1);
    return 0;
}

static void a_turn_that_does_not_end_is_seen_and_waits_for_no_disk(void **state)
{
    struct world *world = *state;
    static const uint8_t key[CK_KEY_SIZE] = {1};
    static const struct ck_handler_entry entries[] = {{"test.hang", hang}};
    char path[160], byte;
    assert_int_equal(pipe(hang_pipe), 0);
    assert_int_equal(pipe(hung_pipe), 0);
    ck_registry_add(&world->registry, entries, 1);
    snprintf(path, sizeof path, "%s/hang", world->folder);
    const struct ck_engine_options options = {.store_path = path,
                                              .registry = &world->registry,
                                              .master_key = key,
                                              .zone_dir = "/usr/share/zoneinfo",
                                              .random = fill,
                                              .clock = read_clock};
    struct ck_engine *engine = NULL;
    struct ck_now now;
    read_clock(NULL, &now);
    assert_int_equal(ck_engine_create(&engine, &options), 0);
    assert_int_equal(ck_engine_silent_ms(engine, now.mono), 0); /* nothing runs yet */
    assert_int_equal(ck_engine_start(engine), 0);
    const struct ck_command command = {"test.hang", ck_actor_system(), json_object(), 0};
    assert_int_equal(ck_engine_submit(engine, &command), 0);
    assert_int_equal(read(hung_pipe[0], &byte, 1), 1);
    read_clock(NULL, &now);
    now.mono.us += INT64_C(20000000);
    assert_true(ck_engine_silent_ms(engine, now.mono) >= 20000);
    assert_false(ck_engine_waits_for_disk(engine));
    assert_int_equal(write(hang_pipe[1], "x", 1), 1);
    ck_engine_stop(engine);
    assert_int_equal(ck_engine_silent_ms(engine, now.mono), 0);
    ck_engine_destroy(engine);
    for (int i = 0; i < 2; i++) {
        close(hang_pipe[i]);
        close(hung_pipe[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_that_fails_changes_nothing_and_the_others_go_on,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_denial_leaves_its_record_and_nothing_else, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(the_queue_has_a_limit_and_unknown_commands_are_refused,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_turn_takes_at_most_256_items, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_reference_that_is_taken_is_made_again, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_row_that_cannot_be_read_is_taken_aside_and_told,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_row_present_at_two_crashes_is_taken_aside, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_decided_while_the_disk_is_full, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_turn_that_took_long_is_recorded_as_a_store_that_failed,
                                        world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_turn_that_took_a_second_proves_nothing, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(the_time_between_two_lives_is_not_proven, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(commands_are_answered_by_the_thread, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_turn_that_does_not_end_is_seen_and_waits_for_no_disk,
                                        world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
