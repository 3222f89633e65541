/* The rules of scheduler/DESIGN.md: all of S1 to S20 and E1 to E12 are there, what is said to
 * decide them exists, and what is said to show them exists, runs, and calls what decides. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

#define DOCUMENT CK_SOURCE_DIR "/scheduler/DESIGN.md"
#define TEXT_MAX (512 * 1024) /* of one file that is read whole */

/* Where tests of the rules are: of the decisions, of the engine around them, of the store, of what
 * people see of it. */
static const char *const folders[] = {
    "tests/unit/scheduler", "tests/unit/core",   "tests/store",
    "tests/unit/ctl",       "tests/unit/notify", "tests/operation",
};

static bool read_file(const char *path, char text[static TEXT_MAX])
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t size = fread(text, 1, TEXT_MAX - 1, file);
    assert_true(size < TEXT_MAX - 1);
    text[size] = '\0';
    fclose(file);
    return true;
}

/* Where a test is registered, it runs: as an argument of cmocka's macros or of a TEST() on them. */
static bool is_registered_in(const char *text, const char *test)
{
    static const char *const macros[] = {"TEST(", "cmocka_unit_test(",
                                         "cmocka_unit_test_setup_teardown(", "def "};
    for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
        char wanted[200];
        int size = snprintf(wanted, sizeof(wanted), "%s%s", macros[i], test);
        for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++) {
            if (strchr("),(", at[size]) != NULL) {
                return true;
            }
        }
    }
    return false;
}

/* The file that the test is registered in, whole; and the folder. False: there is none. */
static bool find_test(const char *test, char text[static TEXT_MAX], const char **folder)
{
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char path[300];
        snprintf(path, sizeof(path), "%s/%s", CK_SOURCE_DIR, folders[i]);
        DIR *dir = opendir(path);
        assert_non_null(dir);
        const struct dirent *entry;
        bool found = false;
        while (!found && (entry = readdir(dir)) != NULL) {
            const char *dot = strrchr(entry->d_name, '.');
            if (strncmp(entry->d_name, "test_", 5) == 0 && dot != NULL &&
                (strcmp(dot, ".c") == 0 || strcmp(dot, ".py") == 0)) {
                snprintf(path, sizeof(path), "%s/%s/%s", CK_SOURCE_DIR, folders[i], entry->d_name);
                found = read_file(path, text) && is_registered_in(text, test);
            }
        }
        closedir(dir);
        if (found) {
            *folder = folders[i];
            return true;
        }
    }
    return false;
}

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
#define REACHED_MAX 64 /* functions of tests that one test leads to */

/* The body of a function that the text defines, or NULL; it is as long as *size. */
static const char *body_of(const char *text, const char *name, size_t length, size_t *size)
{
    for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
        const char *line = at, *brace = strstr(at, "\n{\n"), *end;
        while (line > text && line[-1] != '\n') {
            line--;
        }
        bool whole = at[length] == '(' && line != at && strchr(" *", at[-1]) != NULL;
        if (whole && strspn(line, NAME_CHARACTERS) > 0 && brace != NULL &&
            memchr(at, ';', (size_t)(brace - at)) == NULL &&
            (end = strstr(brace, "\n}\n")) != NULL) {
            *size = (size_t)(end - brace);
            return brace;
        }
    }
    return NULL;
}

/* Whether a header declares a function of this name. */
static bool declares(char *const *headers, int count, const char *name, size_t length)
{
    for (int i = 0; i < count; i++) {
        for (const char *at = headers[i]; (at = strstr(at, name)) != NULL; at++) {
            if (at[length] == '(' && strchr(" *", at[-1]) != NULL) {
                return true;
            }
        }
    }
    return false;
}

/* Whether a test calls one of the functions that the headers declare, itself or through functions
 * of its file or of the fixture. */
static bool calls(const char *test, const char *const texts[2], char *const *headers, int count)
{
    char reached[REACHED_MAX][64] = {""};
    int known = 1;
    snprintf(reached[0], sizeof(reached[0]), "%s", test);
    for (int n = 0; n < known; n++) {
        size_t size = 0, length = strlen(reached[n]);
        const char *body = body_of(texts[0], reached[n], length, &size);
        body = body == NULL ? body_of(texts[1], reached[n], length, &size) : body;
        for (const char *at = body; body != NULL && at < body + size; at++) {
            length = strspn(at, NAME_CHARACTERS);
            char name[64];
            snprintf(name, sizeof(name), "%.*s", (int)length, at);
            if (strncmp(name, "ck_", 3) == 0 && declares(headers, count, name, strlen(name))) {
                return true;
            }
            bool seen = length == 0 || length >= sizeof(name) || known == REACHED_MAX;
            for (int i = 0; i < known; i++) {
                seen = seen || strcmp(reached[i], name) == 0;
            }
            size_t ignored;
            if (!seen && (body_of(texts[0], name, length, &ignored) != NULL ||
                          body_of(texts[1], name, length, &ignored) != NULL)) {
                memcpy(reached[known++], name, sizeof(name));
            }
            at += length;
        }
    }
    return false;
}

/* A table of this document; its own test walks it. */
static bool is_table(const char *token)
{
    static const char *const words[] = {"check-in", "incident", "notice",  "attribution",
                                        "gap",      "time",     "silence", "succession"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], token) == 0) {
            return true;
        }
    }
    return false;
}

/* What a row says decides it: headers of this folder, or of the daemon by their whole path. */
static void check_decided(char *cell, const char *rule, char *headers[TABLE_TOKENS_MAX], int *count)
{
    char *tokens[TABLE_TOKENS_MAX];
    int found = table_tokens(cell, tokens);
    assert_true(found > 0);
    *count = 0;
    for (int i = 0; i < found; i++) {
        char path[300];
        snprintf(path, sizeof(path), "%s/%s%s", CK_SOURCE_DIR,
                 strchr(tokens[i], '/') == NULL ? "scheduler/" : "", tokens[i]);
        char *text = malloc(TEXT_MAX);
        assert_non_null(text);
        if (!read_file(path, text)) {
            fail_msg("%s: there is no %s", rule, tokens[i]);
        }
        headers[(*count)++] = text;
    }
}

/* The test exists; and where it is one of the decisions alone, it calls what the row says decides.
 */
static void check_test(const char *test, const char *rule, char *const *headers, int count)
{
    char *text = malloc(TEXT_MAX), *fixture = malloc(TEXT_MAX);
    const char *folder = NULL;
    assert_non_null(text);
    assert_non_null(fixture);
    if (!find_test(test, text, &folder)) {
        fail_msg("%s: there is no test %s", rule, test);
    }
    assert_true(read_file(CK_SOURCE_DIR "/tests/unit/scheduler/fixture.c", fixture));
    const char *const texts[] = {text, fixture};
    bool covers =
        strcmp(folder, folders[0]) != 0 || count == 0 || calls(test, texts, headers, count);
    if (!covers) {
        fail_msg("%s: %s calls nothing of what decides it", rule, test);
    }
    free(text);
    free(fixture);
}

static void check_shown(char *cell, const char *rule, char *const *headers, int count)
{
    char *tokens[TABLE_TOKENS_MAX];
    int found = table_tokens(cell, tokens);
    assert_true(found > 0);
    for (int i = 0; i < found; i++) {
        if (!is_table(tokens[i])) {
            check_test(tokens[i], rule, headers, count);
        }
    }
}

static void check_rules(const char *name, char letter, int last)
{
    struct table table;
    table_load(DOCUMENT, name, &table);
    assert_int_equal(table.count, last);
    for (int i = 0; i < table.count; i++) {
        char rule[8], *headers[TABLE_TOKENS_MAX];
        int count = 0;
        snprintf(rule, sizeof(rule), "%c%d", letter, i + 1);
        assert_string_equal(table.rows[i].cells[0], rule);
        assert_int_equal(table.rows[i].count, 4);
        check_decided(table.rows[i].cells[2], rule, headers, &count);
        check_shown(table.rows[i].cells[3], rule, headers, count);
        for (int n = 0; n < count; n++) {
            free(headers[n]);
        }
    }
    table_free(&table);
}

/* A table whose last column names the tests of each row. */
static void check_cases(const char *name, int columns)
{
    struct table table;
    table_load(DOCUMENT, name, &table);
    for (int i = 0; i < table.count; i++) {
        assert_int_equal(table.rows[i].count, columns);
        check_shown(table.rows[i].cells[columns - 1], table.rows[i].cells[0], NULL, 0);
    }
    assert_true(table.count > 0);
    table_free(&table);
}

/* S6 for each way in which a check-in comes to be. */
static void test_gap_rules(void **state)
{
    (void)state;
    check_cases("gap", 5);
}

/* S7 for the same. */
static void test_time_rules(void **state)
{
    (void)state;
    check_cases("time", 4);
}

/* S2 for each way in which a plan takes a place, or does not. */
static void test_succession_rules(void **state)
{
    (void)state;
    check_cases("succession", 4);
}

/* S6 for what begins, limits and ends a silence. */
static void test_silence_rules(void **state)
{
    (void)state;
    struct table table;
    table_load(DOCUMENT, "silence", &table);
    for (int i = 0; i < table.count; i++) {
        assert_int_equal(table.rows[i].count, 3);
        check_shown(table.rows[i].cells[2], table.rows[i].cells[0], NULL, 0);
    }
    assert_true(table.count > 0);
    table_free(&table);
}

static void test_scheduling_rules(void **state)
{
    (void)state;
    check_rules("scheduling", 'S', 20);
}

static void test_escalation_rules(void **state)
{
    (void)state;
    check_rules("escalation", 'E', 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scheduling_rules), cmocka_unit_test(test_escalation_rules),
        cmocka_unit_test(test_gap_rules),        cmocka_unit_test(test_silence_rules),
        cmocka_unit_test(test_succession_rules), cmocka_unit_test(test_time_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
