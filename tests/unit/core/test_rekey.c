/* Another master key: everything is wrapped anew in one step, or nothing is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/access/access.h"
#include "daemon/audit/verify.h"
#include "daemon/cases/cases.h"
#include "daemon/core/rekey.h"
#include "daemon/core/wrap.h"
#include "daemon/store/wrapped.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/seal.h"
#include "tests/unit/core/world.h"

#define MINUTE INT64_C(60000)
#define ROWS 600 /* more than a batch of each */

static struct world world;
static const uint8_t second[CK_KEY_SIZE] = {9, 9}, third[CK_KEY_SIZE] = {3};

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

/* A key that is the number of its row. */
static void key_of(int64_t id, uint8_t key[static CK_KEY_SIZE])
{
    memset(key, (int)(id % 251), CK_KEY_SIZE);
}

static void hex_of(const uint8_t *bytes, size_t size, char *text)
{
    ck_hex_encode(bytes, size, text);
}

/* Rows of every column, wrapped under the world's key. */
static void fill_store(void)
{
    uint8_t master[CK_KEY_SIZE], key[CK_KEY_SIZE], nonce[CK_GCM_NONCE_SIZE] = {1};
    uint8_t sealed[CK_SEAL_WRAPPED_SIZE], wrapped[CK_WRAPPED_SIZE];
    char hex[2 * CK_SEAL_WRAPPED_SIZE + 1], sql[1024];
    world_master_key(&world, master);
    world_execute(&world, "INSERT INTO policy (id, kind, body) VALUES (900, 'checkin', '{}');"
                          "INSERT INTO checkin (id, person_id, unit_id, inspector_id, local_date, "
                          "slot, drawn, zone, zone_version, kind, mandatory, policy_id, "
                          "window_start_at, window_end_at, due_at, state, machine, attempts, "
                          "outcome, created_at) VALUES (1, 1, 1, 1, '2026-01-01', 0, 0, 'x', 'x', "
                          "'live', 0, 900, 1, 1, 1, 'done', '{}', 1, 'waived', 1)");
    for (int64_t id = 1; id <= ROWS; id++) {
        key_of(id, key);
        assert_int_equal(ck_seal_wrap(master, (uint64_t)id, nonce, key, sealed), 0);
        hex_of(sealed, sizeof sealed, hex);
        snprintf(sql, sizeof sql,
                 "INSERT INTO recording (id, checkin_id, leg, state, file, key, started_at) VALUES "
                 "(%lld, 1, 'person', 'closed', 'f', x'%s', 1)",
                 (long long)id, hex);
        world_execute(&world, sql);
    }
    static const struct {
        const char *purpose, *sql;
    } others[] = {
        {CK_PURPOSE_PHOTO,
         "INSERT INTO photo (id, person_id, key, created_at) VALUES (1, 1, x'%s', "
         "1)"},
        {CK_PURPOSE_THREAD,
         "INSERT INTO thread (id, person_id, key, created_at) VALUES (1, 1, x'%s', 1)"},
        {CK_PURPOSE_ASSESSMENT,
         "INSERT INTO assessment (id, person_id, kind, key, nonce, sealed, by_staff, created_at) "
         "VALUES (1, 1, 'score', x'%s', x'', x'', 1, 1)"},
        {CK_PURPOSE_CONFIDENCE,
         "INSERT INTO confidence (id, person_id, key, nonce, sealed, created_at) VALUES (1, 1, "
         "x'%s', x'', x'', 1)"},
        {CK_PURPOSE_DRAW_KEY,
         "INSERT INTO draw_key (id, wrapped, commitment, created_at, next_at) VALUES (1, x'%s', "
         "zeroblob(32), 1, 9999999999999)"},
        {CK_PURPOSE_TOTP, "UPDATE staff SET totp_key = x'%s' WHERE id = 1"},
        {CK_PURPOSE_TOTP, "UPDATE staff SET totp_pending = x'%s' WHERE id = 1"},
    };
    key_of(1, key);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(ck_key_wrap(master, others[i].purpose, 1, nonce, key, wrapped), 0);
        hex_of(wrapped, sizeof wrapped, hex);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(sql, sizeof sql, others[i].sql, hex);
#pragma GCC diagnostic pop
        world_execute(&world, sql);
    }
}

/* How many keys of all columns open under this master key to what they were. */
static int64_t open_under(const uint8_t *master)
{
    static const char *const purposes[CK_WRAPPED_COUNT] = {NULL,
                                                           CK_PURPOSE_PHOTO,
                                                           CK_PURPOSE_THREAD,
                                                           CK_PURPOSE_ASSESSMENT,
                                                           CK_PURPOSE_CONFIDENCE,
                                                           CK_PURPOSE_DRAW_KEY,
                                                           CK_PURPOSE_TOTP,
                                                           CK_PURPOSE_TOTP};
    static struct ck_wrapped_row rows[2 * ROWS];
    int64_t good = 0;
    for (int wrapped = 0; wrapped < CK_WRAPPED_COUNT; wrapped++) {
        size_t count = 0;
        assert_int_equal(ck_wrapped_list(world.reader, (enum ck_wrapped)wrapped, INT64_MIN, rows,
                                         2 * ROWS, &count),
                         0);
        for (size_t i = 0; i < count; i++) {
            uint8_t key[CK_KEY_SIZE], expected[CK_KEY_SIZE];
            key_of(rows[i].id, expected);
            int r = purposes[wrapped] == NULL ? ck_seal_unwrap(master, (uint64_t)rows[i].id,
                                                               rows[i].bytes, rows[i].size, key)
                                              : ck_key_unwrap(master, purposes[wrapped], rows[i].id,
                                                              rows[i].bytes, rows[i].size, key);
            good += r == 0 && memcmp(key, expected, sizeof key) == 0;
        }
    }
    return good;
}

static int64_t rotations(void)
{
    return world_number(&world, "SELECT count(*) FROM log_plain WHERE action = 'KEY_ROTATED'");
}

static void all_keys_are_wrapped_anew_in_one_step(void **state)
{
    (void)state;
    uint8_t first[CK_KEY_SIZE];
    world_master_key(&world, first);
    fill_store();
    assert_int_equal(open_under(first), ROWS + 7);
    assert_int_equal(world_restart_under(&world, second, first), 0);
    assert_int_equal(open_under(second), ROWS + 7);
    assert_int_equal(open_under(first), 0);
    assert_int_equal(rotations(), 1);
    world_run_for(&world, MINUTE);
    struct ck_audit_report report = {0};
    assert_int_equal(ck_audit_verify(world.reader, &report), 0);
    assert_int_equal(report.findings, 0);

    /* The old one may stay given, and may go. */
    assert_int_equal(world_restart_under(&world, second, first), 0);
    assert_int_equal(world_restart_under(&world, second, NULL), 0);
    assert_int_equal(rotations(), 1);
    assert_int_equal(open_under(second), ROWS + 7);
}

static void a_key_that_the_store_does_not_know_is_refused(void **state)
{
    (void)state;
    uint8_t first[CK_KEY_SIZE];
    world_master_key(&world, first);
    fill_store();
    assert_int_equal(world_restart_under(&world, second, NULL), CK_E_AUTH);
    assert_int_equal(world_restart_under(&world, second, third), CK_E_AUTH);
    assert_int_equal(world_restart_under(&world, first, NULL), 0);
    assert_int_equal(open_under(first), ROWS + 7);
    assert_int_equal(rotations(), 0);
}

static void one_bad_key_changes_nothing(void **state)
{
    (void)state;
    uint8_t first[CK_KEY_SIZE];
    world_master_key(&world, first);
    fill_store();
    world_execute(&world, "UPDATE recording SET key = (SELECT key FROM recording WHERE id = 7) "
                          "WHERE id = 500"); /* another recording's key, put in its place */
    assert_int_equal(world_restart_under(&world, second, first), -EUCLEAN);
    assert_int_equal(world_restart_under(&world, first, NULL), 0);
    assert_int_equal(open_under(first), ROWS + 6);
    assert_int_equal(rotations(), 0);
}

/* The disk refuses at one write after the other: always the one key or the other opens all. */
static void a_disk_that_fails_leaves_one_key_whole(void **state)
{
    (void)state;
    uint8_t first[CK_KEY_SIZE];
    world_master_key(&world, first);
    fill_store();
    int failures = 0;
    for (int after = 3; after < 4000; after += 17) {
        world.fail_after = after;
        int r = world_restart_under(&world, second, first);
        world.fail_after = 0;
        world.disk->fail_at = 0;
        if (r == 0) {
            break;
        }
        failures++;
        assert_int_equal(world_restart_under(&world, first, NULL), 0);
        assert_int_equal(open_under(first), ROWS + 7);
    }
    assert_true(failures > 0);
    assert_int_equal(world_restart_under(&world, second, first), 0);
    assert_int_equal(open_under(second), ROWS + 7);
    assert_int_equal(rotations(), 1);
}

/* Every column that the schema calls wrapped is one that is wrapped anew. */
static void no_column_is_forgotten(void **state)
{
    (void)state;
    FILE *file = fopen(CK_SOURCE_DIR "/daemon/store/migration/0001.sql", "r");
    char line[512], table[64] = "";
    size_t found = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char column[64];
        sscanf(line, "CREATE TABLE %63s", table);
        const char *comment = strstr(line, "--");
        if (comment == NULL || sscanf(line, " %63s BLOB", column) != 1 ||
            strstr(line, " BLOB") == NULL ||
            (strstr(comment, "wrapped") == NULL && strstr(comment, "master key") == NULL)) {
            continue;
        }
        char name[160];
        bool known = false;
        snprintf(name, sizeof name, "%s.%s", table, column);
        for (int wrapped = 0; wrapped < CK_WRAPPED_COUNT; wrapped++) {
            known = known || strcmp(name, ck_wrapped_name((enum ck_wrapped)wrapped)) == 0;
        }
        if (!known) {
            fail_msg("%s is wrapped, and not in daemon/store/wrapped.c", name);
        }
        found++;
    }
    fclose(file);
    assert_int_equal(found, CK_WRAPPED_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_keys_are_wrapped_anew_in_one_step, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_that_the_store_does_not_know_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_bad_key_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_disk_that_fails_leaves_one_key_whole, setup, teardown),
        cmocka_unit_test(no_column_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
