/* Changes of zones through the engine: what has not been armed keeps its wall time. The world
 * begins on Saturday 21 November 2026 at 09:00 in Almaty, with a folder of zones of its own in
 * which Almaty's table can be another one from one look to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/cases/cases.h"
#include "daemon/core/zone_live.h"
#include "daemon/core/zones.h"
#include "protocol/base/error.h"
#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static char folder[64];

/* As an update does it: a whole file takes the place of the one before. */
static void put_zone(const char *from, const char *name)
{
    char source[160], target[160], made[192];
    static char bytes[65536];
    snprintf(source, sizeof source, "/usr/share/zoneinfo/%s", from);
    snprintf(target, sizeof target, "%s/%s", folder, name);
    snprintf(made, sizeof made, "%s.new", target);
    FILE *in = fopen(source, "re");
    assert_non_null(in);
    size_t size = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    FILE *out = fopen(made, "we");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(rename(made, target), 0);
}

static int setup(void **state)
{
    static struct world world;
    char asia[80];
    snprintf(folder, sizeof folder, "/tmp/ck-zones-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(asia, sizeof asia, "%s/Asia", folder);
    assert_int_equal(mkdir(asia, 0700), 0);
    put_zone("Asia/Almaty", "Asia/Almaty");
    put_zone("Asia/Tokyo", "Asia/Tokyo");
    world_open_zones(&world, folder);
    ck_cases_register(&world.registry);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    static const char *const made[] = {"Asia/Almaty", "Asia/Tokyo", "Asia"};
    world_close(*state);
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", folder, made[i]);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

static void run_hours(struct world *world, int hours)
{
    for (int i = 0; i < hours; i++) {
        world_run_for(world, HOUR);
        world_forget(world);
    }
}

/* Three plans: one that is armed when the rules change, one with a fixed time in the afternoon, one
 * that is drawn. */
static void three_plans(struct world *world)
{
    world_plan(world, "09:10", NULL);
    world_another_person(world);
    world_plan(world, "15:00", NULL);
    world_another_person(world);
    world_plan(world, "16:00",
               json_pack("{s:[{s:s, s:s, s:i}]}", "windows", "start", "16:00", "end", "19:00",
                         "draws", 1));
    world_execute(world, "CREATE TABLE was AS SELECT id, due_at, window_start_at, window_end_at, "
                         "local_date FROM checkin");
    world_run_for(world, 5 * MINUTE);
    assert_string_equal(world_text(world, "SELECT state FROM checkin WHERE id = 1"), "armed");
}

static int64_t moved_by(struct world *world, const char *where, int64_t ms)
{
    char sql[300];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM checkin c JOIN was w ON w.id = c.id WHERE c.due_at - w.due_at = "
             "%lld AND c.window_start_at - w.window_start_at = %lld AND c.window_end_at - "
             "w.window_end_at = %lld AND (%s)",
             (long long)ms, (long long)ms, (long long)ms, where);
    return world_number(world, sql);
}

/* 44 of 45: what was armed goes on as it is, everything else keeps its wall time (15:00 at +6 is
 * an hour earlier than at +5). */
static void check_moved(struct world *world)
{
    assert_int_equal(moved_by(world, "c.id <> 1", -HOUR), 44);
    assert_int_equal(moved_by(world, "c.id = 1", 0), 1);
    assert_int_equal(world_records(world, "ZONE_RULES_CHANGED"), 1);
    assert_int_equal(world_records(world, "CHECKIN_MOVED"), 44);
    assert_int_equal(world_records(world, "ZONE_PLACED"), 1);
    /* The log does not give the new moments away. */
    assert_int_equal(world_number(world, "SELECT count(*) FROM log_entry e JOIN log_plain p ON "
                                         "p.idx = e.idx WHERE p.action = 'CHECKIN_MOVED' AND "
                                         "CAST(e.leaf AS TEXT) LIKE '%\"due\":\"2026%'"),
                     0);
    assert_string_equal(world_text(world, "SELECT cause FROM incident WHERE kind = 'system'"),
                        "a time zone changed: 44 check-ins moved");
    assert_int_equal(world_number(world, "SELECT unit_id FROM incident WHERE kind = 'system'"),
                     world->unit);
    assert_int_equal(world_number(world, "SELECT count(*) FROM zone_change WHERE ended_at IS NULL"),
                     0);
}

static void rules_that_change_while_we_run(void **state)
{
    struct world *world = *state;
    three_plans(world);
    put_zone("Asia/Bishkek", "Asia/Almaty");
    world_run_for(world, 2 * MINUTE);
    check_moved(world);
    /* What the plans make from here on is placed by the same table, and nothing moves twice. */
    run_hours(world, 26);
    assert_int_equal(world_records(world, "CHECKIN_MOVED"), 44);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE person_id = 2 AND "
                                         "make_up_of IS NULL"),
                     16);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT due_at % 86400000) FROM checkin "
                                         "WHERE person_id = 2 AND make_up_of IS NULL"),
                     1);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT local_date) FROM checkin WHERE "
                                         "person_id = 2"),
                     16);
}

static void rules_that_changed_while_nothing_ran(void **state)
{
    struct world *world = *state;
    three_plans(world);
    put_zone("Asia/Bishkek", "Asia/Almaty");
    world_restart(world);
    world_run_for(world, 10000);
    check_moved(world);
}

/* A blackout is instants, a check-in a wall time: what the new rules move into one is waived, and
 * what would still ring when it begins. */
static void what_moves_into_a_blackout_is_waived(void **state)
{
    struct world *world = *state;
    const struct ck_actor inspector = {.kind = CK_ACTOR_STAFF,
                                       .roles = CK_ROLE_INSPECTOR,
                                       .staff_id = world->inspector,
                                       .unit_id = world->unit,
                                       .peer = "127.0.0.1:1"};
    three_plans(world);
    assert_int_equal(world_command(world, "blackout.create", &inspector,
                                   json_pack("{s:i, s:s, s:s, s:s, s:s}", "person", 2, "source",
                                             "custody", "from", "2026-11-22T08:30:00Z", "until",
                                             "2026-11-22T09:30:00Z", "reason", "in custody")),
                     0);
    assert_int_equal(world_command(world, "blackout.create", &inspector,
                                   json_pack("{s:i, s:s, s:s, s:s, s:s}", "person", 2, "source",
                                             "court", "from", "2026-11-23T09:05:00Z", "until",
                                             "2026-11-23T09:40:00Z", "reason", "a hearing")),
                     0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE outcome = 'waived'"),
                     0);
    put_zone("Asia/Bishkek", "Asia/Almaty");
    world_run_for(world, 2 * MINUTE);
    assert_string_equal(
        world_text(world, "SELECT group_concat(local_date) FROM checkin WHERE outcome = 'waived'"),
        "2026-11-22,2026-11-23");
    assert_int_equal(world_number(world,
                                  "SELECT count(*) FROM checkin WHERE outcome = 'waived' AND "
                                  "person_id = 2"),
                     2);
}

/* One that cannot be placed stays as it was, whole: a person whom the log cannot name stands for
 * what fails after the row is written. */
static void what_cannot_be_placed_stays_whole(void **state)
{
    struct world *world = *state;
    three_plans(world);
    world_execute(world, "UPDATE checkin SET person_id = 999 WHERE id = (SELECT min(id) FROM "
                         "checkin WHERE person_id = 2)");
    put_zone("Asia/Bishkek", "Asia/Almaty");
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(moved_by(world, "c.person_id = 999", 0), 1);
    assert_int_equal(moved_by(world, "c.person_id <> 999 AND c.id <> 1", -HOUR), 43);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT zone_version) FROM checkin WHERE "
                                         "person_id = 999 OR id = 1"),
                     1);
    assert_int_equal(world_records(world, "CHECKIN_MOVED"), 43);
    assert_string_equal(world_text(world, "SELECT cause FROM incident WHERE kind = 'system'"),
                        "a time zone changed: 43 moved, 1 not");
}

/* So many persons a turn, and a death in the middle: the next life goes on where this one was. */
static void a_change_is_placed_in_pieces(void **state)
{
    struct world *world = *state;
    const struct ck_actor administrator =
        world_staff(world, world->supervisor, CK_ROLE_ADMINISTRATOR);
    world_plan(world, "15:00", NULL);
    for (int i = 0; i < 39; i++) {
        world_another_person(world);
        world_plan(world, "15:00", NULL);
    }
    world_queue(world, "unit.zone", &administrator,
                json_pack("{s:I, s:s}", "unit", (json_int_t)world->unit, "zone", "Asia/Tokyo"));
    world_turn(world);
#define MOVED "SELECT count(DISTINCT person_id) FROM checkin WHERE zone = 'Asia/Tokyo'"
    int64_t before = 0;
    for (int turn = 0; turn < 2; turn++) {
        world_turn(world);
        assert_int_equal(world_number(world, MOVED) - before, 16);
        before = world_number(world, MOVED);
        world_restart(world);
    }
    world_run_for(world, 10000);
    assert_int_equal(world_number(world, MOVED), 40);
    assert_int_equal(world_records(world, "CHECKIN_MOVED"), 40 * 14);
    assert_int_equal(world_records(world, "ZONE_PLACED"), 1);
    assert_string_equal(world_text(world, "SELECT cause FROM incident WHERE kind = 'system'"),
                        "a time zone changed: 560 check-ins moved");
}

/* However many one person has, in however many turns: 700 more than the plan made, and one of the
 * first page that cannot be placed. */
static void none_of_many_is_left_behind(void **state)
{
    struct world *world = *state;
    world_plan(world, "15:00", NULL);
    world_execute(
        world, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700) "
               "INSERT INTO checkin (person_id, unit_id, inspector_id, plan_id, plan_version, "
               "local_date, slot, drawn, zone, zone_version, kind, mandatory, policy_id, "
               "window_start_at, window_end_at, due_at, due_local, state, machine, attempts, "
               "created_at, next_at) SELECT person_id, unit_id, inspector_id, plan_id, "
               "plan_version, local_date, 100000 + i, drawn, zone, zone_version, kind, mandatory, "
               "policy_id, window_start_at, window_end_at, due_at, due_local, state, machine, "
               "attempts, created_at, next_at FROM checkin, n WHERE id = 5");
    world_execute(world, "UPDATE checkin SET zone = 'Asia/Nowhere', policy_id = 1 WHERE id = 3");
    world_execute(world, "CREATE TABLE was AS SELECT id, due_at, window_start_at, window_end_at, "
                         "local_date FROM checkin");
    put_zone("Asia/Bishkek", "Asia/Almaty");
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(moved_by(world, "c.id <> 3", -HOUR), 714);
    assert_int_equal(world_records(world, "ZONE_PLACED"), 1);
}

/* S6 across a change: a draw that would come too near to what is over goes as far away as its gap
 * wants; a fixed time does not. */
static void what_is_drawn_keeps_the_gap_across_a_change(void **state)
{
    struct world *world = *state;
    const struct ck_actor inspector = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    world_plan(world, "16:00",
               json_pack("{s:[{s:s, s:s, s:i}], s:i}", "windows", "start", "16:00", "end", "19:00",
                         "draws", 1, "min_gap_s", 5400));
    world_plan(world, "20:00", NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            world_command(world, "checkin.on_demand", &inspector,
                          json_pack("{s:I, s:s, s:s}", "person", (json_int_t)world->person,
                                    "reason", "r", "kind", "live")),
            0);
    }
    world_execute(world, "CREATE TABLE was AS SELECT id, due_at, window_start_at, window_end_at, "
                         "local_date FROM checkin");
    /* Both were had, 40 minutes before where the draw, and the fixed time, of the 21st will be. */
    world_execute(world, "UPDATE checkin SET state = 'done', outcome = 'declined', next_at = NULL, "
                         "due_at = (SELECT p.due_at - 6000000 FROM checkin p WHERE p.plan_id = "
                         "1 + checkin.id % 2 AND p.local_date = '2026-11-21') WHERE plan_id IS "
                         "NULL");
    put_zone("Asia/Bishkek", "Asia/Almaty");
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(moved_by(world, "c.plan_id IS NOT NULL", -HOUR), 29);
    assert_int_equal(moved_by(world, "c.plan_id = 2", -HOUR), 15);
    assert_true(world_number(world,
                             "SELECT min(abs(c.due_at - o.due_at)) FROM checkin c, checkin o WHERE "
                             "c.plan_id = 1 AND o.plan_id IS NULL") >= 90 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE plan_id = 1 AND "
                                         "(due_at < window_start_at OR due_at > window_end_at)"),
                     0);
}

/* Leave that had begun by the old rules begins an hour later by the new ones: until then its
 * caseload is back. */
static void leave_is_placed_anew(void **state)
{
    struct world *world = *state;
    const struct ck_actor supervisor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    int64_t other = world_colleague(world, "other", CK_ROLE_INSPECTOR, false);
    put_zone("Asia/Bishkek", "Asia/Almaty"); /* an hour east */
    world_restart(world);
    assert_int_equal(
        world_command(world, "absence.create", &supervisor,
                      json_pack("{s:I, s:s, s:s, s:s, s:I}", "staff", (json_int_t)world->inspector,
                                "from", "2026-11-21T10:00", "until", "2026-11-23T10:00", "reason",
                                "leave", "stand_in", (json_int_t)other)),
        0);
    world_run_for(world, 2 * MINUTE);
    world_plan(world, "15:00", NULL); /* notes by which table it is placed */
    assert_int_equal(world_records(world, "CASELOAD_WITH_STAND_IN"), 1);
    put_zone("Asia/Tashkent", "Asia/Almaty");
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(world_records(world, "CASELOAD_BACK"), 1);
    world_run_for(world, 57 * MINUTE);
    assert_int_equal(world_records(world, "CASELOAD_WITH_STAND_IN"), 2);
}

/* More than two pages of what a change looks at together. */
#define MANY 130
#define NUMBERS "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 130) "

/* More absences than are read at a time, and more units of the zone: no one is left out. */
static void a_change_reaches_every_absence_and_unit(void **state)
{
    struct world *world = *state;
    world_plan(world, "15:00", NULL);
    world_execute(world,
                  "INSERT INTO absence (staff_id, from_local, until_local, from_at, until_at, "
                  "reason, by_staff, created_at) " NUMBERS
                  "SELECT s.id, '2026-12-01T10:00', '2026-12-02T10:00', 1796101200000, "
                  "1796187600000, 'leave', s.id, 1795233600000 FROM n, (SELECT min(id) AS id FROM "
                  "staff) s");
    world_execute(world, "INSERT INTO unit (name, zone, created_at) " NUMBERS
                         "SELECT 'Unit ' || i, 'Asia/Almaty', 1 FROM n");
    world_execute(world, "CREATE TABLE absent AS SELECT id, from_at, until_at FROM absence");
    put_zone("Asia/Bishkek", "Asia/Almaty");
    world_run_for(world, 2 * MINUTE);
    assert_int_equal(world_number(world, "SELECT count(*) FROM absence a JOIN absent w USING (id) "
                                         "WHERE w.from_at - a.from_at = 3600000 AND w.until_at - "
                                         "a.until_at = 3600000"),
                     MANY);
    assert_int_equal(world_number(world, "SELECT count(DISTINCT unit_id) FROM incident WHERE kind "
                                         "= 'system' AND cause LIKE 'a time zone changed%'"),
                     MANY + 1);
}

/* A file that is no table leaves the zone as it was; the same table in a new file changes nothing.
 */
static void files_that_change_nothing(void **state)
{
    struct world *world = *state;
    char path[160];
    three_plans(world);
    snprintf(path, sizeof path, "%s/Asia/Almaty", folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs("half of a file", file);
    assert_int_equal(fclose(file), 0);
    world_run_for(world, 3 * MINUTE);
    put_zone("Asia/Almaty", "Asia/Almaty");
    world_run_for(world, 3 * MINUTE);
    assert_int_equal(world_records(world, "ZONE_RULES_CHANGED"), 0);
    assert_int_equal(world_records(world, "CHECKIN_MOVED"), 0);
    assert_int_equal(moved_by(world, "1", 0), 45);
}

/* S15: today stays where it is, the next date begins the new zone; no date twice, none not at all.
 */
static void a_unit_moves_to_another_zone(void **state)
{
    struct world *world = *state;
    const struct ck_actor administrator =
        world_staff(world, world->supervisor, CK_ROLE_ADMINISTRATOR);
    struct ck_refusal refusal;
    json_t *preview = NULL;
    three_plans(world);
    assert_int_equal(ck_zone_preview(world->reader, folder, world->unit, "Asia/Tokyo",
                                     world->now.wall, &preview, &refusal),
                     0);
    assert_string_equal(json_string_value(json_object_get(preview, "from")), "2026-11-22");
    assert_int_equal(json_integer_value(json_object_get(preview, "checkins")), 42);
    assert_int_equal(json_integer_value(json_object_get(preview, "persons")), 3);
    assert_int_equal(json_integer_value(json_object_get(preview, "minutes")), -240);
    json_decref(preview);
    assert_int_equal(ck_zone_preview(world->reader, folder, world->unit, "Asia/Nowhere",
                                     world->now.wall, &preview, &refusal),
                     CK_E_INVALID);

    assert_int_equal(world_command(world, "unit.zone", &administrator,
                                   json_pack("{s:I, s:s}", "unit", (json_int_t)world->unit, "zone",
                                             "Asia/Nowhere")),
                     CK_E_INVALID);
    assert_int_equal(world_command(world, "unit.zone", &administrator,
                                   json_pack("{s:I, s:s}", "unit", (json_int_t)world->unit, "zone",
                                             "Asia/Tokyo")),
                     0);
    assert_int_equal(world_command(world, "unit.zone", &administrator,
                                   json_pack("{s:I, s:s}", "unit", (json_int_t)world->unit, "zone",
                                             "Asia/Tokyo")),
                     CK_E_CONFLICT);
    world_run_for(world, 10000);
    assert_int_equal(moved_by(world, "c.local_date = '2026-11-21'", 0), 3);
    assert_int_equal(moved_by(world, "c.local_date > '2026-11-21'", -4 * HOUR), 42);
    assert_int_equal(world_records(world, "UNIT_ZONE_CHANGED"), 1);
    assert_int_equal(world_records(world, "ZONE_PLACED"), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM incident WHERE kind = 'system'"), 1);

    run_hours(world, 72);
    assert_int_equal(world_number(world, "SELECT count(*) FROM (SELECT person_id, local_date FROM "
                                         "checkin WHERE make_up_of IS NULL GROUP BY person_id, "
                                         "local_date HAVING count(*) > 1)"),
                     0);
    /* As many dates as lie between the first and the last. */
    assert_int_equal(
        world_number(world, "SELECT count(DISTINCT local_date) - 1 - (julianday(max(local_date)) - "
                            "julianday(min(local_date))) FROM checkin WHERE person_id = 2"),
        0);
}

/* Who goes to another inspector, or unit, takes along what has not rung: caseload, reserved time,
 * and the zone from the next date on. */
static void check_ins_ahead_go_with_the_person(void **state)
{
    struct world *world = *state;
    const struct ck_actor actor = world_staff(world, world->supervisor, CK_ROLE_SUPERVISOR);
    int64_t other = world_colleague(world, "other", CK_ROLE_INSPECTOR, false);
    char sql[160];
    three_plans(world);
    world->person = 1;
    assert_int_equal(world_command(world, "person.update", &actor,
                                   json_pack("{s:I, s:I}", "person", (json_int_t)world->person,
                                             "inspector_id", (json_int_t)other)),
                     0);
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM checkin WHERE person_id = 1 AND inspector_id = %d AND "
             "reserved_id = %d",
             (int)other, (int)other);
    assert_int_equal(world_number(world, sql), 15);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE person_id = 3 AND "
                                         "inspector_id = 1"),
                     15);
    world_execute(world, "INSERT INTO unit (id, name, zone, created_at) VALUES (9, 'Far', "
                         "'Asia/Tokyo', 0); UPDATE staff SET unit_id = 9 WHERE login = 'other'");
    struct ck_actor far = actor;
    far.roles = CK_ROLE_INSPECTOR | CK_ROLE_SUPERVISOR;
    far.staff_id = other;
    far.unit_id = 9;
    assert_int_equal(world_command(world, "person.update", &far,
                                   json_pack("{s:I, s:i, s:I}", "person", (json_int_t)world->person,
                                             "unit_id", 9, "inspector_id", (json_int_t)other)),
                     0);
    world_run_for(world, 10000);
    assert_int_equal(world_number(world, "SELECT count(*) FROM checkin WHERE unit_id = 9"), 15);
    assert_int_equal(moved_by(world, "c.person_id = 1 AND c.local_date > '2026-11-21'", -4 * HOUR),
                     14);
    assert_int_equal(moved_by(world, "c.person_id <> 1 OR c.local_date = '2026-11-21'", 0), 31);
}

/* Two changes one after the other, the second before the first is done: the last one counts. */
static void the_last_of_two_changes_counts(void **state)
{
    struct world *world = *state;
    const struct ck_actor administrator =
        world_staff(world, world->supervisor, CK_ROLE_ADMINISTRATOR);
    static const char *const zones[] = {"Asia/Tokyo", "Asia/Almaty"};
    json_t *preview = NULL;
    struct ck_refusal refusal;
    for (int i = 0; i < 40; i++) { /* more persons than a turn places */
        world_another_person(world);
    }
    three_plans(world);
    world_execute(world, "UPDATE unit SET zone = 'Asia/Tokyo'");
    world_execute(world,
                  "INSERT INTO zone_change (unit_id, zone, version, from_date, person, "
                  "created_at, next_at) VALUES (1, 'Asia/Almaty', 'x/1', '2026-11-22', 0, 1, "
                  "1)");
    world_restart(world); /* which looks at what falls due */
    world_run_for(world, 10000);
    assert_int_equal(moved_by(world, "1", 0), 45);
    assert_int_equal(world_records(world, "ZONE_PLACED"), 1);
    world_execute(world, "UPDATE unit SET zone = 'Asia/Almaty'");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_command(world, "unit.zone", &administrator,
                                       json_pack("{s:I, s:s}", "unit", (json_int_t)world->unit,
                                                 "zone", zones[i])),
                         0);
    }
    world_run_for(world, 10000);
    assert_int_equal(moved_by(world, "1", 0), 45);
    assert_int_equal(world_records(world, "ZONE_PLACED"), 3);
    assert_int_equal(ck_zone_preview(world->reader, folder, 99, "Asia/Tokyo", world->now.wall,
                                     &preview, &refusal),
                     CK_E_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(rules_that_change_while_we_run),
        TEST(rules_that_changed_while_nothing_ran),
        TEST(files_that_change_nothing),
        TEST(what_cannot_be_placed_stays_whole),
        TEST(none_of_many_is_left_behind),
        TEST(what_is_drawn_keeps_the_gap_across_a_change),
        TEST(a_change_is_placed_in_pieces),
        TEST(leave_is_placed_anew),
        TEST(a_change_reaches_every_absence_and_unit),
        TEST(a_unit_moves_to_another_zone),
        TEST(check_ins_ahead_go_with_the_person),
        TEST(the_last_of_two_changes_counts),
        TEST(what_moves_into_a_blackout_is_waived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
