/* A store of every version that there ever was is brought up to date, with its rows. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "daemon/store/store.h"
#include "protocol/base/error.h"

#define APPLICATION_ID 0x636b6431

static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ck-migrate-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    DIR *open = opendir(folder);
    for (struct dirent *item; (item = readdir(open)) != NULL;) {
        char name[512];
        snprintf(name, sizeof name, "%s/%s", folder, item->d_name);
        unlink(name);
    }
    closedir(open);
    rmdir(folder);
    return 0;
}

static void run(sqlite3 *db, const char *sql)
{
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
        fail_msg("%s", error);
    }
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

/* The schema as a program of version `version` left it. */
static void make_store_of(int version)
{
    sqlite3 *db = NULL;
    char name[256], mark[96];
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (int i = 1; i <= version; i++) {
        snprintf(name, sizeof name, "%s/daemon/store/migration/%04d.sql", CK_SOURCE_DIR, i);
        FILE *file = fopen(name, "r");
        assert_non_null(file);
        char *sql = calloc(1, 256 * 1024);
        assert_true(fread(sql, 1, 256 * 1024 - 1, file) > 0);
        fclose(file);
        run(db, sql);
        free(sql);
    }
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, version);
    run(db, mark);
    if (version >= 1) {
        run(db, "INSERT INTO setting VALUES ('kept', 'yes');"
                "INSERT INTO unit VALUES (1, 'u', 'Asia/Almaty', 1, NULL)");
    }
    sqlite3_close(db);
}

static void every_version_is_brought_up_to_date(void **state)
{
    (void)state;
    assert_true(ck_store_schema_version() >= 1);
    for (int version = 0; version <= ck_store_schema_version(); version++) {
        struct ck_store *store = NULL;
        sqlite3 *db = NULL;
        unlink(path);
        if (version > 0) {
            make_store_of(version);
        }
        assert_int_equal(ck_store_open(&store, path), 0);
        ck_store_close(store);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(number(db, "PRAGMA user_version"), ck_store_schema_version());
        assert_int_equal(number(db, "SELECT count(*) FROM setting WHERE name = 'kept'"),
                         version >= 1);
        assert_int_equal(number(db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
        /* Twice is as good as once. */
        sqlite3_close(db);
        assert_int_equal(ck_store_open(&store, path), 0);
        ck_store_close(store);
    }
}

static void a_migration_that_fails_leaves_the_store_as_it_was(void **state)
{
    (void)state;
    struct ck_store *store = NULL;
    sqlite3 *db = NULL;
    /* The last table that the migration makes is in its way. */
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    char mark[96];
    snprintf(mark, sizeof mark, "CREATE TABLE quarantine (x); PRAGMA application_id = %d",
             APPLICATION_ID);
    run(db, mark);
    sqlite3_close(db);
    assert_true(ck_store_open(&store, path) < 0);
    assert_null(store);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema"), 1);
    assert_int_equal(number(db, "PRAGMA user_version"), 0);
    sqlite3_close(db);
}

static void every_table_is_strict(void **state)
{
    (void)state;
    struct ck_store *store = NULL;
    sqlite3 *db = NULL;
    assert_int_equal(ck_store_open(&store, path), 0);
    ck_store_close(store);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(number(db, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' "
                                "AND name NOT LIKE 'sqlite_%' AND strict = 0"),
                     0);
    assert_true(number(db, "SELECT count(*) FROM pragma_table_list WHERE strict = 1") > 20);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_version_is_brought_up_to_date, setup, teardown),
        cmocka_unit_test_setup_teardown(a_migration_that_fails_leaves_the_store_as_it_was, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(every_table_is_strict, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
