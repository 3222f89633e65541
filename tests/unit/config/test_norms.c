/* The agency's norm file: what is taken, and what is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/config/norms.h"
#include "protocol/base/error.h"

#define HEAD "version 2026-11\nsource Order 12, annex 3 # as sent\n"
#define ROWS                                                                                       \
    "prorated 0 0 1 2 3 4 5 6 7 8 9 10 11 12 13\n"                                                 \
    "prorated 1 0 1 2 3 4 5 7 8 9 10 11 12 13\n"
#define SOUND HEAD "missing_max 1\nband_from 0 1 2 3 4 5 7\n\n" ROWS

static struct ck_norms norms;
static struct ck_norms_fault fault;

static int parse(const char *text)
{
    memset(&fault, 0, sizeof fault);
    return ck_norms_parse(text, strlen(text), &norms, &fault);
}

static void a_sound_file_is_taken(void **state)
{
    (void)state;
    assert_int_equal(parse(SOUND), 0);
    assert_string_equal(norms.version, "2026-11");
    assert_string_equal(norms.source, "Order 12, annex 3");
    assert_int_equal(norms.odara.missing_max, 1);
    assert_int_equal(norms.odara.prorated[1][6], 7);
    assert_int_equal(norms.odara.band_from[CK_BAND_TOP], 7);
}

static void what_is_wrong_is_named_by_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t line;
    } cases[] = {
        {"", 0},
        {HEAD "shares 1 2 3\n", 3},
        {HEAD "missing_max 13\n", 3},
        {HEAD "missing_max 1\nband_from 0 1 2 3 4 5\n", 4},
        {HEAD "missing_max 1\nband_from 0 1 2 3 4 5 x\n", 4},
        {HEAD "missing_max 1\nmissing_max 1\n", 4},
        {HEAD HEAD, 3},
        {"version two words\n", 1},
        {"version\n", 1},
        {SOUND "prorated 0 0 1 2 3 4 5 6 7 8 9 10 11 12 13\n", 8},
        {HEAD "prorated 0 0 1 2\n", 3},
        {HEAD "prorated 14 0\n", 3},
        {HEAD "missing_max 2\nband_from 0 1 2 3 4 5 7\n" ROWS, 0}, /* a row is missing */
        {HEAD "missing_max 0\nband_from 0 1 2 3 4 5 7\n" ROWS, 0}, /* one too many */
        {HEAD "missing_max 1\nband_from 0 1 2 3 3 5 7\n" ROWS, 0}, /* bands that do not rise */
        {HEAD "missing_max 0\nband_from 0 1 2 3 4 5 7\n"
              "prorated 0 0 1 2 3 4 6 6 7 8 9 10 11 12 13\n",
         0}, /* a score outside its bounds */
    };
    struct ck_norms before = norms;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (parse(cases[i].text) != CK_E_INVALID || fault.line != cases[i].line ||
            fault.text[0] == '\0') {
            fail_msg("case %zu: line %zu: %s", i, fault.line, fault.text);
        }
        assert_memory_equal(&before, &norms, sizeof norms);
    }
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    assert_true(ck_norms_load("/nonexistent/odara.norms", &norms, &fault) < 0);
}

static void without_a_file_it_goes_by_proportion(void **state)
{
    (void)state;
    struct ck_norms standard = ck_norms_proportional();
    assert_null(ck_odara_norms_fault(&standard.odara));
    assert_string_equal(standard.version, "proportional");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_file_is_taken),
        cmocka_unit_test(what_is_wrong_is_named_by_its_line),
        cmocka_unit_test(a_file_that_is_not_there_is_an_error),
        cmocka_unit_test(without_a_file_it_goes_by_proportion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
