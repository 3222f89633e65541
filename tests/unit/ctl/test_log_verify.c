/* checkinctl log verify on a real store, before and after somebody was at the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <sqlite3.h>

#include "daemon/audit/audit.h"
#include "daemon/store/store.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

static char dir[] = "/tmp/checkind-log-XXXXXX";
static char path[64];
static char root_of_five[80];

static void fill(void *user, void *bytes, size_t size)
{
    uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)++ * (unsigned *)user;
    }
}

static void append(struct ck_audit *audit, struct ck_store *store,
                   const struct ck_audit_random *random, int number)
{
    json_t *open = json_pack("{s:i}", "number", number);
    json_t *sealed = json_pack("{s:s}", "name", "Айгүл");
    const struct ck_audit_entry entry = {
        .at = {INT64_C(1795000000000) + number},
        .clock_synchronised = true,
        .actor_kind = "system",
        .action = "TESTED",
        .object = "setting",
        .object_id = number,
        .result = "ok",
        .open = open,
        .sealed = sealed,
    };
    assert_int_equal(ck_audit_append(audit, store, &entry, random, NULL), 0);
    json_decref(open);
    json_decref(sealed);
}

/* A store with five entries in its log. */
static void make_store(void)
{
    unsigned state = 0;
    const struct ck_audit_random random = {.fill = fill, .user = &state};
    struct ck_store *store;
    struct ck_audit audit;
    unlink(path);
    assert_int_equal(ck_store_open(&store, path), 0);
    assert_int_equal(ck_store_begin(store), 0);
    assert_int_equal(ck_audit_load(&audit, store, &random), 0);
    for (int number = 1; number <= 5; number++) {
        append(&audit, store, &random, number);
    }
    assert_int_equal(ck_audit_flush(&audit, store), 0);
    assert_int_equal(ck_store_commit(store), 0);
    ck_store_close(store);
}

/* What somebody with access to the file can do. */
static void tamper(const char *sql)
{
    sqlite3 *db;
    char *fault = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &fault) != SQLITE_OK) {
        fail_msg("%s", fault);
    }
    sqlite3_close(db);
}

static int ctl(const char *words, char *text, size_t room)
{
    char line[600];
    snprintf(line, sizeof line, "%s/bin/checkinctl %s 2>&1", CK_BUILD_DIR, words);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t size = fread(text, 1, room - 1, pipe);
    text[size] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static int verify(const char *more, char *text, size_t room)
{
    char words[300];
    snprintf(words, sizeof words, "log verify --store=%s %s", path, more);
    return ctl(words, text, room);
}

static void a_whole_log_is_called_so(void **state)
{
    (void)state;
    char text[4096];
    make_store();
    assert_int_equal(verify("", text, sizeof text), 0);
    assert_memory_equal(text, "whole: 5 entries, 0 with erased text, root ", 43);
    snprintf(root_of_five, sizeof root_of_five, "5:%.64s", text + 43);
    assert_int_equal(verify(root_of_five, text, sizeof text), 0);
    assert_int_equal(verify("--json", text, sizeof text), 0);
    json_t *report = json_loads(text, 0, NULL);
    assert_true(json_is_true(json_object_get(report, "whole")));
    assert_int_equal(json_integer_value(json_object_get(report, "entries")), 5);
    assert_int_equal(json_array_size(json_object_get(report, "list")), 0);
    json_decref(report);
}

static void whoever_was_at_it_is_found_out(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *word;
    } cases[] = {
        {"UPDATE log_entry SET leaf = CAST(replace(CAST(leaf AS TEXT), '\"number\":3', "
         "'\"number\":4') AS BLOB) WHERE idx = 2",
         "changed: "},
        {"PRAGMA foreign_keys = OFF; DELETE FROM log_entry WHERE idx = 2", "removed: "},
        {"UPDATE log_plain SET salted = replace(salted, 'Айгүл', 'Гүлай') WHERE idx = 4",
         "plaintext: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[4096];
        make_store();
        tamper(cases[i].sql);
        assert_int_equal(verify("", text, sizeof text), 1);
        if (strstr(text, cases[i].word) == NULL || strstr(text, "NOT WHOLE: ") == NULL) {
            fail_msg("case %zu: %s", i, text);
        }
    }
    char text[4096];
    assert_int_equal(verify("--json", text, sizeof text), 1);
    json_t *report = json_loads(text, 0, NULL);
    assert_true(json_is_false(json_object_get(report, "whole")));
    json_t *first = json_array_get(json_object_get(report, "list"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "fault")), "plaintext");
    assert_int_equal(json_integer_value(json_object_get(first, "index")), 4);
    json_decref(report);
}

/* Whoever can make everything in the file agree is shown by a root that was kept elsewhere. */
static void a_known_root_shows_what_the_file_cannot(void **state)
{
    (void)state;
    char text[4096];
    char wrong[80];
    make_store();
    strcpy(wrong, root_of_five);
    wrong[3] = wrong[3] == '0' ? '1' : '0';
    assert_int_equal(verify(wrong, text, sizeof text), 1);
    assert_non_null(strstr(text, "root: "));
    static const char *const bad[] = {"5", "5:00", "-5:00", "x:00", "99999999999999999999999:00"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char words[64];
        snprintf(words, sizeof words, "-- %s", bad[i]);
        assert_int_equal(verify(words, text, sizeof text), 64);
        assert_non_null(strstr(text, "is not a root of the form SIZE:HEX"));
    }
}

static void what_is_no_store_is_told_so(void **state)
{
    (void)state;
    char text[4096];
    assert_int_equal(ctl("log verify --store=/nowhere/x.db", text, sizeof text), 66);
    assert_int_equal(ctl("log verify --store=/etc/hostname", text, sizeof text), 66);
    assert_int_equal(ctl("log", text, sizeof text), 64);
    assert_int_equal(ctl("log prove", text, sizeof text), 64);
}

static int make_dir(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/checkind.db", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    char other[80];
    unlink(path);
    snprintf(other, sizeof other, "%s-wal", path);
    unlink(other);
    snprintf(other, sizeof other, "%s-shm", path);
    unlink(other);
    return rmdir(dir);
}

/* ---- store copy ---- */

static int copy_to(const char *to, char *text, size_t room)
{
    char words[300];
    snprintf(words, sizeof words, "store copy %s --store=%s", to, path);
    return ctl(words, text, room);
}

/* A writer in the middle of a transaction, with the last one in the write-ahead log alone: the copy
 * holds what is committed, and only that. */
static void a_copy_is_whole_while_somebody_writes(void **state)
{
    (void)state;
    char text[4096], to[100], words[300];
    struct stat about;
    snprintf(to, sizeof to, "%s/copy.db", dir);
    make_store();
    sqlite3 *writer;
    assert_int_equal(sqlite3_open(path, &writer), SQLITE_OK);
    assert_int_equal(sqlite3_exec(writer,
                                  "INSERT INTO setting (name, value) VALUES ('before', '1');"
                                  "BEGIN IMMEDIATE;"
                                  "INSERT INTO setting (name, value) VALUES ('open', '1')",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(copy_to(to, text, sizeof text), 0);
    assert_non_null(strstr(text, "no daemon took note of it: this copy is not in the log\n"));
    const char *whole = strstr(text, "whole: 5 entries, 0 with erased text, root ");
    assert_non_null(whole);
    assert_memory_equal(whole + 43, root_of_five + 2, 64);
    assert_int_equal(sqlite3_exec(writer, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(writer);
    assert_int_equal(stat(to, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    snprintf(words, sizeof words, "%s-wal", to);
    assert_int_equal(access(words, F_OK), -1); /* it is one file, also after it was read */

    struct ck_store *copy;
    char *value = NULL;
    assert_int_equal(ck_store_open(&copy, to), 0);
    assert_int_equal(ck_store_setting(copy, "before", &value), 0);
    free(value);
    assert_int_equal(ck_store_setting(copy, "open", &value), CK_E_NOT_FOUND);
    ck_store_close(copy);

    assert_int_equal(copy_to(to, text, sizeof text), 73);
    assert_non_null(strstr(text, "copy.db: is there already"));
    snprintf(words, sizeof words, "store copy %s/x.db --store=%s/none.db", dir, dir);
    assert_int_equal(ctl(words, text, sizeof text), 66);
    assert_non_null(strstr(text, "none.db: there is no store"));
    unlink(to);
}

/* A page of the store that is not what was written: told now, and no copy is left. */
static void a_damaged_store_gives_no_copy(void **state)
{
    (void)state;
    char text[4096], to[100];
    snprintf(to, sizeof to, "%s/copy.db", dir);
    make_store();
    tamper("PRAGMA wal_checkpoint(TRUNCATE)");
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 4096 * 3L, SEEK_SET), 0);
    for (int i = 0; i < 4096; i++) {
        assert_int_not_equal(fputc(0x5a, file), EOF);
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(copy_to(to, text, sizeof text), 73);
    assert_non_null(strstr(text, "is damaged"));
    assert_int_equal(access(to, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_log_is_called_so),
        cmocka_unit_test(whoever_was_at_it_is_found_out),
        cmocka_unit_test(a_known_root_shows_what_the_file_cannot),
        cmocka_unit_test(what_is_no_store_is_told_so),
        cmocka_unit_test(a_copy_is_whole_while_somebody_writes),
        cmocka_unit_test(a_damaged_store_gives_no_copy),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
