#include "tests/unit/core/world.h"

#include "tests/unit/core/leaves.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "daemon/audit/verify.h"
#include "daemon/store/order.h"
#include "daemon/store/person.h"
#include "daemon/store/staff.h"
#include "scheduler/effects.h"

#define HEALTH_EVERY_MS 5000

static void fill_random(void *user, void *bytes, size_t size)
{
    struct world *world = user;
    uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) {
        world->seed = world->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        at[i] = (uint8_t)(world->seed >> 56);
    }
}

static const uint8_t master_key[CK_KEY_SIZE] = {7};

void world_master_key(const struct world *world, uint8_t key[static CK_KEY_SIZE])
{
    (void)world;
    memcpy(key, master_key, sizeof master_key);
}

/* ---- life ---- */

static void seed_store(struct world *world)
{
    struct ck_store *store = NULL;
    assert_int_equal(ck_store_open(&store, world->path), 0);
    assert_int_equal(ck_store_begin(store), 0);
    assert_int_equal(
        ck_unit_insert(store, "Bostandyk", "Asia/Almaty", world->now.wall, &world->unit), 0);
    const struct {
        const char *login;
        int64_t roles;
        bool on_duty;
        int64_t *id;
    } staff[] = {{"inspector", CK_ROLE_INSPECTOR, false, &world->inspector},
                 {"officer", CK_ROLE_OFFICER, true, &world->officer},
                 {"supervisor", CK_ROLE_SUPERVISOR, false, &world->supervisor}};
    for (size_t i = 0; i < 3; i++) {
        char email[64];
        snprintf(email, sizeof email, "%s@example.kz", staff[i].login);
        struct ck_staff_row row = {.login = staff[i].login,
                                   .name = staff[i].login,
                                   .language = "ru",
                                   .email = email,
                                   .roles = staff[i].roles,
                                   .unit = world->unit,
                                   .on_duty = staff[i].on_duty,
                                   .password = "x"};
        fill_random(world, row.pseudonym, sizeof row.pseudonym);
        assert_int_equal(ck_staff_insert(store, &row, world->now.wall), 0);
        *staff[i].id = row.id;
    }
    uint8_t pseudonym[16], salt[32];
    fill_random(world, pseudonym, sizeof pseudonym);
    fill_random(world, salt, sizeof salt);
    struct ck_person_row person = {.reference = "P-1001",
                                   .name = "Serik A.",
                                   .birth_date = "1990-01-01",
                                   .language = "kk",
                                   .phone = "+77010000001",
                                   .email = "serik@example.kz",
                                   .band = "medium",
                                   .unit = world->unit,
                                   .inspector = world->inspector,
                                   .pseudonym = pseudonym,
                                   .salt = salt};
    assert_int_equal(ck_person_insert(store, &person, world->now.wall), 0);
    world->person = person.id;
    struct ck_order_row order = {.person = person.id,
                                 .kind = "protective_order",
                                 .article = "20",
                                 .number = "17",
                                 .issuer = "Bostandyk police",
                                 .from = "2026-11-01",
                                 .until = "2027-11-01",
                                 .conditions = "",
                                 .hours_start = "06:00",
                                 .hours_end = "23:00",
                                 .per_day_max = 24,
                                 .requirement_count = 1,
                                 .requirements = {{.source = CK_SOURCE_AGENCY,
                                                   .count = 8,
                                                   .days = 1,
                                                   .modes = CK_MODE_BIT(CK_MODE_LIVE_VIDEO) |
                                                            CK_MODE_BIT(CK_MODE_UNATTENDED_VIDEO),
                                                   .mandatory = true}}};
    assert_int_equal(ck_order_insert(store, &order, world->now.wall), 0);
    world->order = order.id;
    assert_int_equal(ck_store_commit(store), 0);
    ck_store_close(store);
}

static void read_clock(void *user, struct ck_now *now)
{
    const struct world *world = user;
    *now = world->now;
}

static int create_engine(struct world *world, const uint8_t *key, const uint8_t *old)
{
    char uri[192];
    snprintf(uri, sizeof uri, "file:%s?vfs=" FAULT_VFS_NAME, world->path);
    const struct ck_engine_options options = {
        .store_path = uri,
        .registry = &world->registry,
        .master_key = key,
        .old_master_key = old,
        .clock = read_clock,
        .rules = world->rules,
        .started = world->started,
        .zone_dir = world->zone_dir,
        .channels = CK_CHANNEL_BIT(CK_CHANNEL_EMAIL) | CK_CHANNEL_BIT(CK_CHANNEL_SMS) |
                    CK_CHANNEL_BIT(CK_CHANNEL_VOICE) | CK_CHANNEL_BIT(CK_CHANNEL_WEB_PUSH),
        .voice_receipts = true,
        .webhooks = {"dispatch"},
        .webhook_count = 1,
        .random = fill_random,
        .user = world,
    };
    if (world->fail_after > 0) {
        world->disk->fail_at = world->disk->writes + world->disk->syncs + world->fail_after;
    }
    int r = ck_engine_create(&world->engine, &options);
    if (r == 0) {
        assert_int_equal(ck_store_open_reader(&world->reader, world->path), 0);
    }
    return r;
}

static void start_engine(struct world *world)
{
    assert_int_equal(create_engine(world, master_key, NULL), 0);
}

void world_open(struct world *world)
{
    world_open_zones(world, "/usr/share/zoneinfo");
}

void world_open_zones(struct world *world, const char *zone_dir)
{
    memset(world, 0, sizeof *world);
    world->zone_dir = zone_dir;
    world->seed = 42;
    world->now = (struct ck_now){{WORLD_START_MS}, {0}, true};
    world->healthy = world->probe = world->relay = world->channels_up = true;
    snprintf(world->folder, sizeof world->folder, "/tmp/ck-world-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%s/store", world->folder);
    ck_core_register(&world->registry);
    world->disk = fault_vfs();
    world->disk->lazy = true;
    seed_store(world);
    start_engine(world);
}

void world_restart(struct world *world)
{
    ck_store_close(world->reader);
    ck_engine_destroy(world->engine);
    world->seed += 7919;
    start_engine(world);
}

int world_restart_under(struct world *world, const uint8_t *key, const uint8_t *old)
{
    ck_store_close(world->reader);
    ck_engine_destroy(world->engine);
    world->reader = NULL;
    world->engine = NULL;
    world->seed += 7919;
    return create_engine(world, key, old);
}

void world_close(struct world *world)
{
    world_forget(world);
    json_decref(world->result.body);
    ck_store_close(world->reader);
    ck_engine_destroy(world->engine);
    leaves_name_no_row(world->path);
    DIR *folder = opendir(world->folder);
    for (struct dirent *item; folder != NULL && (item = readdir(folder)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", world->folder, item->d_name);
        unlink(path);
    }
    closedir(folder);
    rmdir(world->folder);
}

int world_setup(void **state)
{
    static struct world world;
    world_open(&world);
    *state = &world;
    return 0;
}

int world_teardown(void **state)
{
    world_close(*state);
    return 0;
}

/* ---- turns ---- */

static void submit(struct world *world, const char *name, const struct ck_actor *actor,
                   json_t *body, uint64_t ticket)
{
    const struct ck_command command = {
        .name = name, .actor = *actor, .body = body, .ticket = ticket};
    assert_non_null(body);
    assert_int_equal(ck_engine_submit(world->engine, &command), 0);
}

static void answer(struct world *world, const struct ck_output *output)
{
    const struct ck_actor gateway = {.kind = CK_ACTOR_GATEWAY};
    if (output->kind != CK_OUTPUT_SEND || world->mute) {
        return;
    }
    submit(world, "notice.result", &gateway,
           json_pack("{s:I, s:O, s:s}", "notice", (json_int_t)output->id, "try",
                     json_object_get(output->body, "try"), "result",
                     world->channels_up ? "accepted" : "refused"),
           0);
}

static void collect(struct world *world)
{
    struct ck_batch *batch = ck_engine_take(world->engine);
    while (batch != NULL) {
        struct ck_batch *next = batch->next;
        for (size_t i = 0; i < batch->result_count; i++) {
            if (batch->results[i].ticket == world->ticket) {
                json_decref(world->result.body);
                world->result = batch->results[i];
                batch->results[i].body = NULL;
            }
        }
        for (size_t i = 0; i < batch->output_count; i++) {
            answer(world, &batch->outputs[i]);
            assert_true(world->output_count < WORLD_OUTPUTS_MAX);
            world->outputs[world->output_count++] = batch->outputs[i];
            batch->outputs[i].body = NULL;
        }
        ck_batch_free(batch);
        batch = next;
    }
}

static void report_health(struct world *world)
{
    const struct ck_actor actor = ck_actor_system();
    if (world->healthy && world->now.wall.ms - world->reported_at.ms >= HEALTH_EVERY_MS) {
        world->reported_at = world->now.wall;
        submit(world, "health.report", &actor,
               json_pack("{s:b, s:b, s:b}", "probe", (int)world->probe, "worker", 1, "relay",
                         (int)world->relay),
               0);
    }
}

/* Turns at the present moment until nothing more is to be done in it. */
static struct ck_wall settle(struct world *world)
{
    struct ck_wall next = world->now.wall;
    for (int turns = 0; next.ms <= world->now.wall.ms; turns++) {
        assert_true(turns < 1000);
        assert_int_equal(ck_engine_turn(world->engine, &world->now, &next), 0);
        collect(world);
        struct ck_wall more = next;
        if (world->output_count > 0) {
            /* An answer may be waiting. */
            assert_int_equal(ck_engine_turn(world->engine, &world->now, &more), 0);
            collect(world);
        }
        next = more;
    }
    return next;
}

int world_command(struct world *world, const char *name, const struct ck_actor *actor, json_t *body)
{
    world->ticket++;
    world->result.code = -1;
    submit(world, name, actor, body, world->ticket);
    settle(world);
    assert_int_not_equal(world->result.code, -1);
    return world->result.code;
}

void world_queue(struct world *world, const char *name, const struct ck_actor *actor, json_t *body)
{
    submit(world, name, actor, body, 0);
}

void world_turn(struct world *world)
{
    struct ck_wall next;
    assert_int_equal(ck_engine_turn(world->engine, &world->now, &next), 0);
}

static void move_to(struct world *world, struct ck_wall at)
{
    world->now.mono.us += (at.ms - world->now.wall.ms) * 1000;
    world->now.wall = at;
    if (world->mirror != NULL) {
        *world->mirror = world->now;
    }
}

void world_run_until(struct world *world, struct ck_wall at)
{
    for (;;) {
        report_health(world);
        struct ck_wall next = settle(world);
        if (world->healthy && next.ms > world->reported_at.ms + HEALTH_EVERY_MS) {
            next.ms = world->reported_at.ms + HEALTH_EVERY_MS;
        }
        if (next.ms > at.ms) {
            break;
        }
        move_to(world, next);
    }
    move_to(world, at);
}

void world_run_for(struct world *world, int64_t ms)
{
    world_run_until(world, (struct ck_wall){world->now.wall.ms + ms});
}

/* ---- what came out ---- */

void world_forget(struct world *world)
{
    while (world->output_count > 0) {
        json_decref(world->outputs[--world->output_count].body);
    }
}

int world_count(const struct world *world, enum ck_output_kind kind)
{
    int count = 0;
    for (size_t i = 0; i < world->output_count; i++) {
        count += world->outputs[i].kind == kind;
    }
    return count;
}

const struct ck_output *world_last(const struct world *world, enum ck_output_kind kind)
{
    for (size_t i = world->output_count; i-- > 0;) {
        if (world->outputs[i].kind == kind) {
            return &world->outputs[i];
        }
    }
    return NULL;
}

struct ck_actor world_staff(const struct world *world, int64_t staff, unsigned roles)
{
    return (struct ck_actor){.kind = CK_ACTOR_STAFF,
                             .roles = roles,
                             .staff_id = staff,
                             .unit_id = world->unit,
                             .peer = "127.0.0.1:1"};
}

struct ck_actor world_person(const struct world *world, int64_t checkin)
{
    return (struct ck_actor){.kind = CK_ACTOR_PERSON,
                             .person_id = world->person,
                             .unit_id = world->unit,
                             .checkin_id = checkin,
                             .peer = "127.0.0.1:2"};
}

int64_t world_plan(struct world *world, const char *start, json_t *overrides)
{
    const struct ck_actor actor = world_staff(world, world->inspector, CK_ROLE_INSPECTOR);
    json_t *request =
        json_pack("{s:I, s:s, s:b, s:s, s:s, s:[{s:s, s:s, s:i}], s:i, s:i, s:i, s:i, s:i}",
                  "order_id", (json_int_t)world->order, "kind", "live", "mandatory", 1,
                  "recurrence", "FREQ=DAILY", "first_date", "2026-11-21", "windows", "start", start,
                  "end", "22:00", "draws", 0, "attempts", 3, "attempt_spacing_s", 300,
                  "response_window_s", 900, "grace_s", 300, "late_limit_s", 3600);
    if (overrides != NULL) {
        json_object_update(request, overrides);
        json_decref(overrides);
    }
    int code = world_command(
        world, "plan.create", &actor,
        json_pack("{s:I, s:o}", "person", (json_int_t)world->person, "request", request));
    if (code != 0) {
        print_error("plan.create: %d %s %s\n", code, world->result.refusal.field,
                    world->result.refusal.message);
    }
    assert_int_equal(code, 0);
    return json_integer_value(json_object_get(world->result.body, "plan"));
}

/* ---- looking into the store, with a connection of its own ---- */

static sqlite3_stmt *first_row(struct world *world, sqlite3 **db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open_v2(world->path, db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(*db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    return statement;
}

int64_t world_number(struct world *world, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = first_row(world, &db, sql);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

const char *world_text(struct world *world, const char *sql)
{
    static char text[4096];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = first_row(world, &db, sql);
    const char *found = (const char *)sqlite3_column_text(statement, 0);
    snprintf(text, sizeof text, "%s", found == NULL ? "" : found);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return text;
}

void world_execute(struct world *world, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(world->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

void world_another_person(struct world *world)
{
    int id = (int)world_number(world, "SELECT max(id) + 1 FROM person");
    char sql[700];
    snprintf(sql, sizeof sql,
             "INSERT INTO person (id, reference, name, birth_date, language, unit_id, "
             "inspector_id, band, pseudonym, salt, created_at) SELECT %d, 'P-%d', 'N', "
             "birth_date, language, unit_id, inspector_id, band, randomblob(16), "
             "randomblob(32), created_at FROM person WHERE id = 1",
             id, 5000 + id);
    world_execute(world, sql);
    snprintf(sql, sizeof sql,
             "INSERT INTO contact_order (id, person_id, kind, article, number, issuer, "
             "from_date, until_date, conditions, per_day_max, hours_start, hours_end, "
             "created_at, next_at) SELECT %d, %d, kind, article, number, issuer, from_date, "
             "until_date, conditions, per_day_max, hours_start, hours_end, created_at, next_at "
             "FROM contact_order WHERE id = 1",
             id, id);
    world_execute(world, sql);
    snprintf(sql, sizeof sql,
             "INSERT INTO requirement (order_id, source, count, days, modes, mandatory, "
             "replaces) SELECT %d, source, count, days, modes, mandatory, replaces "
             "FROM requirement WHERE order_id = 1",
             id);
    world_execute(world, sql);
    world->person = world->order = id;
}

int64_t world_colleague(struct world *world, const char *login, int64_t roles, bool on_duty)
{
    struct ck_store *store = NULL;
    struct ck_staff_row row = {.login = login,
                               .name = login,
                               .language = "kk",
                               .email = "another@example.kz",
                               .on_duty = on_duty,
                               .roles = roles,
                               .unit = world->unit,
                               .password = "x"};
    memcpy(row.pseudonym, login, 5);
    assert_int_equal(ck_store_open(&store, world->path), 0);
    assert_int_equal(ck_store_begin(store), 0);
    assert_int_equal(ck_staff_insert(store, &row, world->now.wall), 0);
    assert_int_equal(ck_store_commit(store), 0);
    ck_store_close(store);
    return row.id;
}

int64_t world_records(struct world *world, const char *action)
{
    char sql[160];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM log_plain WHERE action = '%s'", action);
    return world_number(world, sql);
}

void world_verify_log(struct world *world)
{
    struct ck_audit_report report = {.finding = NULL};
    assert_int_equal(ck_audit_verify(world->reader, &report), 0);
    assert_int_equal(report.findings, 0);
    assert_true(report.entries > 0);
}
