#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "protocol/base/error.h"
#include "scheduler/date.h"
#include "scheduler/recurrence.h"

/* libical as the oracle, for dates only. */
#include <libical/ical.h>

/* ---- dates -------------------------------------------------------------------------------------
 */

/* Every date there is, counted by hand. */
static void test_every_date(void **state)
{
    (void)state;
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct ck_date date = CK_DATE_MIN;
    unsigned weekday = CK_MONDAY;
    for (int year = 1; year <= 9999; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (month == 2 && leap ? 1 : 0);
            assert_int_equal(ck_month_days(year, month), length);
            for (int day = 1; day <= length; day++) {
                struct ck_civil civil = ck_date_civil(date);
                if (civil.year != year || civil.month != month || civil.day != day ||
                    ck_date_of(civil).day != date.day || ck_date_weekday(date) != weekday) {
                    fail_msg("%d-%d-%d", year, month, day);
                }
                date.day++;
                weekday = (weekday + 1) % 7;
            }
            assert_false(ck_civil_valid(year, month, length + 1));
        }
    }
    assert_int_equal(date.day - 1, CK_DATE_MAX.day);
    assert_int_equal(ck_date_of((struct ck_civil){1970, 1, 1}).day, 0);
}

static void test_date_text(void **state)
{
    (void)state;
    static const char *const good[] = {"0001-01-01", "1970-01-01", "2024-02-29", "9999-12-31"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct ck_date date;
        char text[CK_DATE_TEXT_SIZE];
        assert_int_equal(ck_date_parse(good[i], &date), 0);
        ck_date_text(date, text);
        assert_string_equal(text, good[i]);
    }
    static const struct {
        const char *text;
        int code;
    } bad[] = {
        {"", CK_E_SYNTAX},
        {"2024-2-29", CK_E_SYNTAX},
        {"2024-02-290", CK_E_SYNTAX},
        {"2024/02-29", CK_E_SYNTAX},
        {"2024-02/29", CK_E_SYNTAX},
        {"20x4-02-29", CK_E_SYNTAX},
        {"2024-0x-29", CK_E_SYNTAX},
        {"2024-02-2 ", CK_E_SYNTAX},
        {"2023-02-29", CK_E_INVALID},
        {"0000-01-01", CK_E_INVALID},
        {"2024-13-01", CK_E_INVALID},
        {"2024-00-01", CK_E_INVALID},
        {"2024-01-00", CK_E_INVALID},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ck_date date = {7};
        assert_int_equal(ck_date_parse(bad[i].text, &date), bad[i].code);
        assert_int_equal(date.day, 7);
    }
    assert_false(ck_civil_valid(10000, 1, 1));
}

/* ---- reading rules
 * ------------------------------------------------------------------------------- */

static struct ck_rule rule_of(const char *text)
{
    struct ck_rule rule;
    struct ck_rule_fault fault;
    if (ck_rule_parse(text, strlen(text), &rule, &fault) != 0) {
        fail_msg("%s: %s", text, ck_rule_reason_text(fault.reason));
    }
    return rule;
}

static void test_refusals_have_reasons(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum ck_rule_reason reason;
        size_t at;
    } bad[] = {
        {"", CK_RULE_SYNTAX, 0},
        {"FREQ", CK_RULE_SYNTAX, 0},
        {"FREQ=", CK_RULE_SYNTAX, 0},
        {"=DAILY", CK_RULE_SYNTAX, 0},
        {"FREQ=DAILY;", CK_RULE_SYNTAX, 11},
        {"FREQ=DAILY;FOO=1", CK_RULE_UNKNOWN_PART, 11},
        {"FREQ=DAILY;BYHOUR=9", CK_RULE_UNSUPPORTED_PART, 11},
        {"FREQ=DAILY;BYSETPOS=1", CK_RULE_UNSUPPORTED_PART, 11},
        {"FREQ=DAILY;BYMONTH=1", CK_RULE_UNSUPPORTED_PART, 11},
        {"FREQ=DAILY;FREQ=DAILY", CK_RULE_TWICE, 11},
        {"INTERVAL=2", CK_RULE_NO_FREQUENCY, 0},
        {"FREQ=YEARLY", CK_RULE_UNSUPPORTED_FREQUENCY, 0},
        {"FREQ=HOURLY", CK_RULE_UNSUPPORTED_FREQUENCY, 0},
        {"FREQ=DAILY;INTERVAL=0", CK_RULE_INTERVAL_RANGE, 11},
        {"FREQ=DAILY;INTERVAL=367", CK_RULE_INTERVAL_RANGE, 11},
        {"FREQ=DAILY;INTERVAL=-1", CK_RULE_INTERVAL_RANGE, 11},
        {"FREQ=DAILY;INTERVAL=123456", CK_RULE_INTERVAL_RANGE, 11},
        {"FREQ=DAILY;COUNT=0", CK_RULE_COUNT_RANGE, 11},
        {"FREQ=DAILY;COUNT=4001", CK_RULE_COUNT_RANGE, 11},
        {"FREQ=DAILY;COUNT=x", CK_RULE_COUNT_RANGE, 11},
        {"FREQ=DAILY;COUNT=3;UNTIL=20260101", CK_RULE_UNTIL_AND_COUNT, 0},
        {"FREQ=DAILY;UNTIL=20260101T000000Z", CK_RULE_UNTIL_FORM, 11},
        {"FREQ=DAILY;UNTIL=2026x101", CK_RULE_UNTIL_FORM, 11},
        {"FREQ=DAILY;UNTIL=x0260101", CK_RULE_UNTIL_FORM, 11},
        {"FREQ=DAILY;UNTIL=202601x1", CK_RULE_UNTIL_FORM, 11},
        {"FREQ=DAILY;UNTIL=20260230", CK_RULE_NO_SUCH_DATE, 11},
        {"FREQ=WEEKLY;BYDAY=XX", CK_RULE_BYDAY_FORM, 12},
        {"FREQ=WEEKLY;BYDAY=M", CK_RULE_BYDAY_FORM, 12},
        {"FREQ=WEEKLY;BYDAY=MO,,TU", CK_RULE_BYDAY_FORM, 12},
        {"FREQ=MONTHLY;BYDAY=xMO", CK_RULE_BYDAY_FORM, 13},
        {"FREQ=MONTHLY;BYDAY=+MO", CK_RULE_BYDAY_FORM, 13},
        {"FREQ=MONTHLY;BYDAY=0MO", CK_RULE_ORDINAL_RANGE, 13},
        {"FREQ=MONTHLY;BYDAY=6MO", CK_RULE_ORDINAL_RANGE, 13},
        {"FREQ=MONTHLY;BYDAY=-6MO", CK_RULE_ORDINAL_RANGE, 13},
        {"FREQ=MONTHLY;BYDAY=255SU", CK_RULE_ORDINAL_RANGE, 13},
        {"FREQ=WEEKLY;BYDAY=1MO", CK_RULE_ORDINAL_WITHOUT_MONTH, 0},
        {"FREQ=DAILY;BYDAY=MO,-1SU", CK_RULE_ORDINAL_WITHOUT_MONTH, 0},
        {"FREQ=MONTHLY;BYMONTHDAY=0", CK_RULE_BYMONTHDAY_RANGE, 13},
        {"FREQ=MONTHLY;BYMONTHDAY=32", CK_RULE_BYMONTHDAY_RANGE, 13},
        {"FREQ=MONTHLY;BYMONTHDAY=-32", CK_RULE_BYMONTHDAY_RANGE, 13},
        {"FREQ=MONTHLY;BYMONTHDAY=1,,2", CK_RULE_BYMONTHDAY_RANGE, 13},
        {"FREQ=WEEKLY;BYDAY=~~", CK_RULE_BYDAY_FORM, 12},
        {"FREQ=MONTHLY;BYMONTHDAY=a", CK_RULE_BYMONTHDAY_RANGE, 13},
        {"FREQ=WEEKLY;BYMONTHDAY=1", CK_RULE_BYMONTHDAY_IN_WEEK, 0},
        {"FREQ=WEEKLY;WKST=SU", CK_RULE_WKST, 12},
        {"FREQ=WEEKLY;BYDAY=MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO,MO",
         CK_RULE_TOO_MANY, 12},
        {"FREQ=MONTHLY;BYMONTHDAY=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1",
         CK_RULE_TOO_MANY, 13},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ck_rule rule = {.interval = 77};
        struct ck_rule_fault fault = {0};
        int code = ck_rule_parse(bad[i].text, strlen(bad[i].text), &rule, &fault);
        if (code != CK_E_INVALID || fault.reason != bad[i].reason || fault.at != bad[i].at) {
            fail_msg("%s: code %d, reason %d at %zu", bad[i].text, code, (int)fault.reason,
                     fault.at);
        }
        assert_int_equal(rule.interval, 77);
        assert_non_null(ck_rule_reason_text(fault.reason));
    }
    assert_null(ck_rule_reason_text(CK_RULE_REASON_COUNT));
    assert_non_null(ck_rule_reason_text(CK_RULE_OK));
}

static void test_reading(void **state)
{
    (void)state;
    struct ck_rule rule = rule_of("freq=monthly;interval=2;byday=-1fr,+2MO,SU;count=9;wkst=mo");
    assert_int_equal(rule.frequency, CK_MONTHLY);
    assert_int_equal(rule.interval, 2);
    assert_int_equal(rule.count, 9);
    assert_int_equal(rule.byday_count, 3);
    assert_int_equal(rule.byday[0].ordinal, -1);
    assert_int_equal(rule.byday[0].weekday, CK_FRIDAY);
    assert_int_equal(rule.byday[1].ordinal, 2);
    assert_int_equal(rule.byday[2].ordinal, 0);
    rule = rule_of("FREQ=DAILY;UNTIL=20261231;BYMONTHDAY=1,-1");
    assert_int_equal(rule.interval, 1);
    assert_true(rule.has_until);
    assert_int_equal(rule.bymonthday[1], -1);
}

static void test_reading_dates(void **state)
{
    (void)state;
    struct ck_date dates[CK_RULE_DATES_MAX];
    struct ck_rule_fault fault;
    uint32_t count = 5;
    assert_int_equal(ck_rule_parse_dates("", 0, dates, &count, &fault), 0);
    assert_int_equal(count, 0);
    assert_int_equal(ck_rule_parse_dates("20261121,20240229", 17, dates, &count, &fault), 0);
    assert_int_equal(count, 2);
    assert_int_equal(dates[1].day, ck_date_of((struct ck_civil){2024, 2, 29}).day);
    assert_int_equal(ck_rule_parse_dates("20261121,", 9, dates, &count, &fault), CK_E_INVALID);
    assert_int_equal(fault.reason, CK_RULE_UNTIL_FORM);
    assert_int_equal(fault.at, 9);
    char many[9 * 65 + 1];
    for (int i = 0; i < 65; i++) {
        memcpy(many + (ptrdiff_t)i * 9, "20261121,", 9);
    }
    assert_int_equal(ck_rule_parse_dates(many, sizeof(many) - 2, dates, &count, &fault),
                     CK_E_INVALID);
    assert_int_equal(fault.reason, CK_RULE_TOO_MANY);
    assert_int_equal(ck_rule_parse_dates(many, 64 * 9 - 1, dates, &count, &fault), 0);
    assert_int_equal(count, 64);
}

/* ---- walking
 * ------------------------------------------------------------------------------------- */

static void expect_dates(const struct ck_rule *rule, const char *first, const char *last,
                         const char *expected)
{
    struct ck_date from, until, date;
    assert_int_equal(ck_date_parse(first, &from), 0);
    assert_int_equal(ck_date_parse(last, &until), 0);
    char text[1000] = "";
    struct ck_rule_walk walk = ck_rule_walk_from(rule, from);
    while (ck_rule_walk_next(rule, from, until, &walk, &date)) {
        char one[CK_DATE_TEXT_SIZE];
        ck_date_text(date, one);
        strcat(text, one + 2);
        strcat(text, " ");
    }
    assert_string_equal(text, expected);
}

static void test_walks(void **state)
{
    (void)state;
    struct ck_rule rule = rule_of("FREQ=MONTHLY");
    expect_dates(&rule, "2026-01-31", "2026-06-30", "26-01-31 26-03-31 26-05-31 ");
    rule = rule_of("FREQ=MONTHLY;BYDAY=-1FR");
    expect_dates(&rule, "2026-01-01", "2026-03-31", "26-01-30 26-02-27 26-03-27 ");
    rule = rule_of("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU");
    expect_dates(&rule, "2026-11-21", "2026-12-10", "26-11-22 26-11-30 26-12-06 ");
    rule = rule_of("FREQ=WEEKLY");
    expect_dates(&rule, "2026-11-21", "2026-12-06", "26-11-21 26-11-28 26-12-05 ");
    rule = rule_of("FREQ=DAILY;INTERVAL=3;COUNT=3");
    expect_dates(&rule, "2026-02-27", "2026-12-31", "26-02-27 26-03-02 26-03-05 ");
    rule = rule_of("FREQ=DAILY;UNTIL=20260301");
    expect_dates(&rule, "2026-02-27", "2026-12-31", "26-02-27 26-02-28 26-03-01 ");
    /* The first date counts only where the rule matches it. */
    rule = rule_of("FREQ=WEEKLY;BYDAY=MO;COUNT=2");
    expect_dates(&rule, "2026-11-21", "2026-12-31", "26-11-23 26-11-30 ");
    rule = rule_of("FREQ=DAILY;INTERVAL=2;BYMONTHDAY=-4,-26");
    expect_dates(&rule, "2028-06-26", "2028-08-31", "28-07-06 28-07-28 ");
    rule = rule_of("FREQ=MONTHLY;BYDAY=1MO,-1MO,2WE;BYMONTHDAY=1,2,3,4,5,6,7,-1,14");
    expect_dates(&rule, "2026-08-01", "2026-10-31",
                 "26-08-03 26-08-31 26-09-07 26-10-05 26-10-14 ");
    /* Friday the 13th. */
    rule = rule_of("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13");
    expect_dates(&rule, "2026-01-01", "2026-12-31", "26-02-13 26-03-13 26-11-13 ");
}

static void test_added_and_taken_dates(void **state)
{
    (void)state;
    struct ck_rule rule = rule_of("FREQ=WEEKLY;COUNT=3");
    struct ck_rule_fault fault;
    assert_int_equal(ck_rule_parse_dates("20261110,20261201,20261128", 26, rule.rdate,
                                         &rule.rdate_count, &fault),
                     0);
    assert_int_equal(ck_rule_parse_dates("20261128", 8, rule.exdate, &rule.exdate_count, &fault),
                     0);
    /* A date taken away still counts, and is taken away even where it was added. */
    expect_dates(&rule, "2026-11-21", "2026-12-31", "26-11-10 26-11-21 26-12-01 26-12-05 ");
}

static void test_a_walk_can_rest(void **state)
{
    (void)state;
    struct ck_rule rule = rule_of("FREQ=DAILY;COUNT=4");
    struct ck_date first = {100};
    struct ck_date date;
    struct ck_rule_walk walk = ck_rule_walk_from(&rule, first);
    int found = 0;
    for (int day = 99; day < 110; day++) {
        while (ck_rule_walk_next(&rule, first, (struct ck_date){day}, &walk, &date)) {
            assert_int_equal(date.day, 100 + found);
            found++;
        }
    }
    assert_int_equal(found, 4);
}

/* ---- the oracle
 * ---------------------------------------------------------------------------------- */

static void random_byday(uint64_t *seed, bool ordinals, char *text, size_t size)
{
    static const char *const names[7] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
    size_t used = (size_t)snprintf(text, size, ";BYDAY=");
    int count = 1 + (int)random_below(seed, 3);
    for (int i = 0; i < count; i++) {
        int ordinal = ordinals ? (int)random_below(seed, 11) - 5 : 0;
        const char *name = names[random_below(seed, 7)];
        used += (size_t)snprintf(text + used, size - used, i > 0 ? "," : "%s", "");
        if (ordinal != 0) {
            used += (size_t)snprintf(text + used, size - used, "%d", ordinal);
        }
        used += (size_t)snprintf(text + used, size - used, "%s", name);
    }
}

static void random_bymonthday(uint64_t *seed, bool negative, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, ";BYMONTHDAY=");
    int count = 1 + (int)random_below(seed, 3);
    for (int i = 0; i < count; i++) {
        int day = 1 + (int)random_below(seed, 31);
        day = negative && random_below(seed, 2) == 0 ? -day : day;
        used += (size_t)snprintf(text + used, size - used, i > 0 ? ",%d" : "%d", day);
    }
}

static void random_rule(uint64_t *seed, char *text, size_t size)
{
    static const char *const frequencies[3] = {"DAILY", "WEEKLY", "MONTHLY"};
    int frequency = (int)random_below(seed, 3);
    int interval = random_below(seed, 2) == 0 ? 1 : 1 + (int)random_below(seed, 5);
    size_t used =
        (size_t)snprintf(text, size, "FREQ=%s;INTERVAL=%d", frequencies[frequency], interval);
    bool byday = random_below(seed, 2) == 0;
    bool bymonthday = frequency != CK_WEEKLY && random_below(seed, 2) == 0;
    if (byday) {
        random_byday(seed, frequency == CK_MONTHLY, text + used, size - used);
        used = strlen(text);
    }
    if (bymonthday) {
        /* libical 3.0 passes over days counted from the end of the month in DAILY; ours are in
         * test_walks(). */
        random_bymonthday(seed, frequency == CK_MONTHLY, text + used, size - used);
    }
}

static void compare(const char *text, struct ck_date first, int *compared)
{
    struct ck_rule rule = rule_of(text);
    struct ck_civil civil = ck_date_civil(first);
    char start_text[9];
    snprintf(start_text, sizeof(start_text), "%04u%02u%02u", (unsigned)civil.year % 10000,
             (unsigned)civil.month % 100, (unsigned)civil.day % 100);
    struct icaltimetype start = icaltime_from_string(start_text);
    icalrecur_iterator *oracle =
        icalrecur_iterator_new(icalrecurrencetype_from_string(text), start);
    assert_non_null(oracle);
    struct ck_rule_walk walk = ck_rule_walk_from(&rule, first);
    struct ck_date last = {first.day + 5 * 366};
    struct icaltimetype previous = start;
    for (int i = 0; i < 40; i++) {
        /* A day that is listed twice is given twice. */
        struct icaltimetype theirs = icalrecur_iterator_next(oracle);
        while (i > 0 && !icaltime_is_null_time(theirs) && icaltime_compare(theirs, previous) == 0) {
            theirs = icalrecur_iterator_next(oracle);
        }
        previous = theirs;
        struct ck_date ours = {0};
        bool found = ck_rule_walk_next(&rule, first, last, &walk, &ours);
        struct ck_date expected = {0};
        bool theirs_found = !icaltime_is_null_time(theirs);
        if (theirs_found) {
            expected = ck_date_of((struct ck_civil){theirs.year, theirs.month, theirs.day});
        }
        if (theirs_found && expected.day > last.day) {
            theirs_found = false;
        }
        if (found != theirs_found || (found && ours.day != expected.day)) {
            char a[CK_DATE_TEXT_SIZE], b[CK_DATE_TEXT_SIZE], f[CK_DATE_TEXT_SIZE];
            ck_date_text(ours, a);
            ck_date_text(expected, b);
            ck_date_text(first, f);
            fail_msg("%s from %s, number %d: ours %s, libical %s", text, f, i, found ? a : "none",
                     theirs_found ? b : "none");
        }
        if (!found) {
            break;
        }
        (*compared)++;
    }
    icalrecur_iterator_free(oracle);
}

static void test_dates_against_libical(void **state)
{
    (void)state;
    uint64_t seed = 20261121;
    int compared = 0;
    for (int i = 0; i < 5000; i++) {
        char text[300];
        random_rule(&seed, text, sizeof(text));
        struct ck_date any = {(int32_t)(19000 + random_below(&seed, 3000))};
        /* From a first date that the rule matches: libical 3.0 loses the phase of a DAILY interval
         * otherwise. */
        struct ck_rule rule = rule_of(text);
        struct ck_rule_walk walk = ck_rule_walk_from(&rule, any);
        struct ck_date first;
        if (ck_rule_walk_next(&rule, any, (struct ck_date){any.day + 2000}, &walk, &first)) {
            compare(text, first, &compared);
        }
    }
    print_message("%d dates compared\n", compared);
    assert_true(compared > 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_date),
        cmocka_unit_test(test_date_text),
        cmocka_unit_test(test_refusals_have_reasons),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_reading_dates),
        cmocka_unit_test(test_walks),
        cmocka_unit_test(test_added_and_taken_dates),
        cmocka_unit_test(test_a_walk_can_rest),
        cmocka_unit_test(test_dates_against_libical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
