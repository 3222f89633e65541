/* The rules of scheduler/DESIGN.md: all of S1 to S20 and E1 to E12 are there, and what is said to
 * show them exists. */
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
#define TESTS CK_SOURCE_DIR "/tests/unit/scheduler/"

/* Where a test is registered, it runs. */
static bool is_registered(const char *test)
{
    static const char *const files[] = {
        "test_checkin.c",    "test_ladder.c", "test_obligation.c", "test_plan.c",
        "test_recurrence.c", "test_staff.c",  "test_zone.c",
    };
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "cmocka_unit_test(%s)", test);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[300];
        char line[400];
        snprintf(path, sizeof(path), TESTS "%s", files[i]);
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        bool found = false;
        while (fgets(line, sizeof(line), file) != NULL) {
            found = found || strstr(line, wanted) != NULL;
        }
        fclose(file);
        if (found) {
            return true;
        }
    }
    return false;
}

/* Tables of the document, and what only the whole daemon can show. */
static bool is_elsewhere(const char *token)
{
    static const char *const words[] = {"check-in", "incident", "notice", "attribution", "engine"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], token) == 0) {
            return true;
        }
    }
    return false;
}

static void check_shown(char *cell, const char *rule)
{
    char *tokens[TABLE_TOKENS_MAX];
    int count = table_tokens(cell, tokens);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        if (!is_elsewhere(tokens[i]) && !is_registered(tokens[i])) {
            fail_msg("%s: there is no test %s", rule, tokens[i]);
        }
    }
}

static void check_rules(const char *name, char letter, int last)
{
    struct table table;
    table_load(DOCUMENT, name, &table);
    assert_int_equal(table.count, last);
    for (int i = 0; i < table.count; i++) {
        char rule[8];
        snprintf(rule, sizeof(rule), "%c%d", letter, i + 1);
        assert_string_equal(table.rows[i].cells[0], rule);
        assert_int_equal(table.rows[i].count, 4);
        check_shown(table.rows[i].cells[3], rule);
    }
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
        cmocka_unit_test(test_scheduling_rules),
        cmocka_unit_test(test_escalation_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
