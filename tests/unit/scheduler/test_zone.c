#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "scheduler/zone.h"

#define ZONES "/usr/share/zoneinfo/"
#define FILE_MAX 65536

static size_t load(const char *name, uint8_t bytes[FILE_MAX])
{
    char path[200];
    snprintf(path, sizeof(path), ZONES "%s", name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fail_msg("%s cannot be opened", path);
    }
    size_t size = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return size;
}

static void zone_named(const char *name, struct ck_zone *zone)
{
    static uint8_t bytes[FILE_MAX];
    size_t size = load(name, bytes);
    int code = ck_zone_parse(bytes, size, zone);
    if (code != 0) {
        fail_msg("%s: code %d", name, code);
    }
}

static struct ck_local local_of(int64_t wall_s)
{
    int64_t day = wall_s >= 0 ? wall_s / 86400 : -1 - (-1 - wall_s) / 86400;
    return (struct ck_local){{(int32_t)day}, (int32_t)(wall_s - day * 86400)};
}

static int64_t wall_of(struct ck_local local)
{
    return (int64_t)local.date.day * 86400 + local.second;
}

static int64_t instant(const struct ck_zone *zone, int64_t wall_s, enum ck_zone_pick pick)
{
    return ck_zone_instant(zone, local_of(wall_s), pick, NULL).ms / 1000;
}

static void check_wall(const struct ck_zone *zone, const char *name, const char *line)
{
    long long wall, first, last;
    assert_int_equal(sscanf(line, "%lld %lld %lld", &wall, &first, &last), 3);
    long long our_first = instant(zone, wall, CK_ZONE_FIRST);
    long long our_last = instant(zone, wall, CK_ZONE_LAST);
    if (our_first != first || our_last != last) {
        fail_msg("%s: wall %lld is %lld to %lld, not %lld to %lld", name, wall, first, last,
                 our_first, our_last);
    }
    enum ck_zone_fit fit;
    struct ck_wall at = ck_zone_instant(zone, local_of(wall), CK_ZONE_FIRST, &fit);
    int64_t back = wall_of(ck_zone_local(zone, at));
    assert_true(fit == CK_ZONE_GAP ? back > wall : back == wall);
    assert_true((fit == CK_ZONE_OVERLAP) == (first != last));
}

static void check_offset(const struct ck_zone *zone, const char *name, const char *line)
{
    long long at;
    int offset;
    assert_int_equal(sscanf(line, "@%lld %d", &at, &offset), 2);
    int ours = ck_zone_offset_s(zone, (struct ck_wall){at * 1000});
    if (ours != offset) {
        fail_msg("%s: offset at %lld is %d, not %d", name, at, offset, ours);
    }
}

/* Every zone, every change from 1970 to 2037, against two readers that are not ours. */
static void test_all_zones_against_the_oracle(void **state)
{
    (void)state;
    FILE *oracle =
        popen("/usr/bin/python3 " CK_SOURCE_DIR "/tests/unit/scheduler/zone_oracle.py", "re");
    assert_non_null(oracle);
    static struct ck_zone zone;
    char line[200];
    char name[200] = "";
    int zones = 0, answers = 0;
    while (fgets(line, sizeof(line), oracle) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == 'Z') {
            snprintf(name, sizeof(name), "%s", line + 2);
            zone_named(name, &zone);
            zones++;
        } else if (line[0] == '@') {
            check_offset(&zone, name, line);
            answers++;
        } else {
            check_wall(&zone, name, line);
            answers++;
        }
    }
    assert_int_equal(pclose(oracle), 0);
    print_message("%d zones, %d answers\n", zones, answers);
    assert_true(zones > 300 && answers > 100000);
}

/* The footer goes on where the table ends: a zone cut back to its footer agrees with the table. */
static void test_footer_agrees_with_table(void **state)
{
    (void)state;
    static const char *const names[] = {
        "Europe/Berlin",    "Europe/Dublin",       "America/New_York", "Australia/Sydney",
        "America/Santiago", "Australia/Lord_Howe", "Antarctica/Troll", "Asia/Jerusalem",
        "Pacific/Auckland", "America/Havana",      "Pacific/Chatham",
    };
    static struct ck_zone whole, cut;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        zone_named(names[i], &whole);
        cut = whole;
        int64_t from =
            INT64_C(1893456000); /* 2030: beyond what governments have decided for single years */
        while (cut.transition_count > 0 && cut.at_s[cut.transition_count - 1] > from) {
            cut.transition_count--;
        }
        assert_true(cut.transition_count < whole.transition_count);
        for (int64_t at = from; at < INT64_C(2145916800); at += 3600) {
            struct ck_wall wall = {at * 1000};
            if (ck_zone_offset_s(&whole, wall) != ck_zone_offset_s(&cut, wall)) {
                fail_msg("%s differs at %lld", names[i], (long long)at);
            }
            for (unsigned pick = CK_ZONE_FIRST; pick <= CK_ZONE_LAST; pick++) {
                if (instant(&whole, at, pick) != instant(&cut, at, pick)) {
                    fail_msg("%s: wall time %lld differs", names[i], (long long)at);
                }
            }
        }
    }
}

static void test_known_times(void **state)
{
    (void)state;
    static struct ck_zone zone;
    zone_named("Asia/Almaty", &zone);
    /* +6 until 2024-03-01, +5 since. A table that does not know is too old to run with. */
    assert_int_equal(ck_zone_offset_s(&zone, (struct ck_wall){INT64_C(1709200800000)}), 6 * 3600);
    assert_int_equal(ck_zone_offset_s(&zone, (struct ck_wall){INT64_C(1795000000000)}), 5 * 3600);

    zone_named("America/New_York", &zone);
    struct ck_date spring = ck_date_of((struct ck_civil){2026, 3, 8});
    struct ck_date autumn = ck_date_of((struct ck_civil){2026, 11, 1});
    enum ck_zone_fit fit;
    /* 02:30 does not exist and becomes 03:30 EDT, 07:30Z, whichever is asked for. */
    struct ck_wall at =
        ck_zone_instant(&zone, (struct ck_local){spring, 9000}, CK_ZONE_FIRST, &fit);
    assert_int_equal(at.ms, INT64_C(1772955000000));
    assert_int_equal(fit, CK_ZONE_GAP);
    at = ck_zone_instant(&zone, (struct ck_local){spring, 9000}, CK_ZONE_LAST, &fit);
    assert_int_equal(at.ms, INT64_C(1772955000000));
    /* 01:30 happens at 05:30Z and again at 06:30Z. */
    at = ck_zone_instant(&zone, (struct ck_local){autumn, 5400}, CK_ZONE_FIRST, &fit);
    assert_int_equal(at.ms, INT64_C(1793511000000));
    assert_int_equal(fit, CK_ZONE_OVERLAP);
    at = ck_zone_instant(&zone, (struct ck_local){autumn, 5400}, CK_ZONE_LAST, &fit);
    assert_int_equal(at.ms, INT64_C(1793514600000));
    at = ck_zone_instant(&zone, (struct ck_local){autumn, 43200}, CK_ZONE_LAST, &fit);
    assert_int_equal(fit, CK_ZONE_PLAIN);

    /* Samoa left out 30 December 2011: a gap of a whole day. */
    zone_named("Pacific/Apia", &zone);
    struct ck_date lost = ck_date_of((struct ck_civil){2011, 12, 30});
    at = ck_zone_instant(&zone, (struct ck_local){lost, 43200}, CK_ZONE_FIRST, &fit);
    assert_int_equal(fit, CK_ZONE_GAP);
    struct ck_local moved = ck_zone_local(&zone, at);
    assert_int_equal(moved.date.day, lost.day + 1);
    assert_int_equal(moved.second, 43200);
}

static void test_times_before_the_epoch(void **state)
{
    (void)state;
    struct ck_zone zone;
    ck_zone_fixed(-3600, &zone);
    struct ck_local local = ck_zone_local(&zone, (struct ck_wall){-1});
    assert_int_equal(local.date.day, -1);
    assert_int_equal(local.second, 82799);
    local = ck_zone_local(&zone, (struct ck_wall){INT64_C(3600000) + 999});
    assert_int_equal(local.date.day, 0);
    assert_int_equal(local.second, 0);
    struct ck_wall at = ck_zone_instant(&zone, (struct ck_local){{0}, -60}, CK_ZONE_FIRST, NULL);
    assert_int_equal(at.ms, (3600 - 60) * 1000);
}

/* ---- TZif by hand ------------------------------------------------------------------------------
 */

struct tzif {
    uint8_t bytes[4096];
    struct ck_writer writer;
};

static void header(struct tzif *tzif, char version, const uint32_t counts[6])
{
    ck_write_bytes(&tzif->writer, "TZif", 4);
    ck_write_u8(&tzif->writer, (uint8_t)version);
    for (int i = 0; i < 15; i++) {
        ck_write_u8(&tzif->writer, 0);
    }
    for (int i = 0; i < 6; i++) {
        ck_write_u32(&tzif->writer, counts[i]);
    }
}

/* isut, isstd, leap, time, type, char */
static const uint32_t one_type[6] = {0, 0, 0, 0, 1, 4};

static void type(struct tzif *tzif, int32_t offset)
{
    ck_write_u32(&tzif->writer, (uint32_t)offset);
    ck_write_u16(&tzif->writer, 0);
}

static void begin(struct tzif *tzif)
{
    tzif->writer = ck_writer_of(tzif->bytes, sizeof(tzif->bytes));
}

/* A file of version 2 with one type of offset 0 and this footer. */
static int parse_footer(const char *footer, struct ck_zone *zone)
{
    static struct tzif tzif;
    begin(&tzif);
    for (int block = 0; block < 2; block++) {
        header(&tzif, '2', one_type);
        type(&tzif, 0);
        ck_write_bytes(&tzif.writer, "UTC", 4);
    }
    ck_write_u8(&tzif.writer, '\n');
    ck_write_bytes(&tzif.writer, footer, strlen(footer));
    ck_write_u8(&tzif.writer, '\n');
    assert_false(tzif.writer.failed);
    return ck_zone_parse(tzif.bytes, tzif.writer.size, zone);
}

static int32_t offset_on(const struct ck_zone *zone, int32_t year, int32_t month, int32_t day,
                         int32_t hour)
{
    struct ck_date date = ck_date_of((struct ck_civil){year, month, day});
    return ck_zone_offset_s(zone, (struct ck_wall){((int64_t)date.day * 24 + hour) * 3600000});
}

static void test_footers(void **state)
{
    (void)state;
    static struct ck_zone zone;
    assert_int_equal(parse_footer("", &zone), 0);
    assert_false(zone.has_rule);
    assert_int_equal(parse_footer("<+05>-5", &zone), 0);
    assert_int_equal(offset_on(&zone, 2026, 7, 1, 0), 5 * 3600);
    assert_int_equal(parse_footer("<-0330>+3:30:15", &zone), 0);
    assert_int_equal(offset_on(&zone, 2026, 7, 1, 0), -(3 * 3600 + 30 * 60 + 15));
    assert_int_equal(parse_footer("AAA0BBB,J59,J300/3", &zone), 0);
    assert_int_equal(offset_on(&zone, 2024, 2, 28, 2), 3600);
    /* Day 60 with and without 29 February; times at the default of 02:00. */
    assert_int_equal(parse_footer("AAA0BBB,J60,J300/3", &zone), 0);
    assert_int_equal(offset_on(&zone, 2024, 3, 1, 1), 0);
    assert_int_equal(offset_on(&zone, 2024, 3, 1, 2), 3600);
    assert_int_equal(offset_on(&zone, 2025, 3, 1, 2), 3600);
    assert_int_equal(parse_footer("AAA0BBB-2,59,300/0", &zone), 0);
    assert_int_equal(offset_on(&zone, 2024, 2, 29, 1), 0);
    assert_int_equal(offset_on(&zone, 2024, 2, 29, 2), 7200);
    assert_int_equal(offset_on(&zone, 2025, 3, 1, 2), 7200);
    /* The fifth Sunday is the last one. */
    assert_int_equal(parse_footer("AAA0BBB,M2.5.0,M11.1.0", &zone), 0);
    assert_int_equal(offset_on(&zone, 2026, 2, 22, 1), 0);
    assert_int_equal(offset_on(&zone, 2026, 2, 22, 2), 3600);
    /* Hours beyond a day, and before it (RFC 9636 section 3.3.2). */
    assert_int_equal(parse_footer("AAA2BBB,M3.4.4/50,M10.4.4/-50", &zone), 0);
    /* Daylight saving all the year: its end and start coincide. */
    assert_int_equal(parse_footer("XXX3EDT4,0/0,J365/23", &zone), 0);
    for (int month = 1; month <= 12; month++) {
        assert_int_equal(offset_on(&zone, 2030, month, 1, 0), -4 * 3600);
    }
    assert_int_equal(offset_on(&zone, 2031, 1, 1, 3), -4 * 3600);
    assert_int_equal(offset_on(&zone, 2031, 1, 1, 4), -4 * 3600);
    /* Ends of the calendar. */
    assert_int_equal(parse_footer("AAA0BBB,M3.5.0,M10.5.0", &zone), 0);
    assert_int_equal(ck_zone_offset_s(&zone, (struct ck_wall){INT64_C(400000000000000)}), 0);
    assert_int_equal(ck_zone_offset_s(&zone, (struct ck_wall){-INT64_C(400000000000000)}), 3600);
    assert_int_equal(
        ck_zone_instant(&zone, (struct ck_local){CK_DATE_MAX, 0}, CK_ZONE_LAST, NULL).ms,
        (int64_t)CK_DATE_MAX.day * 86400000);
}

static void test_bad_footers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "AB0",
        "AAA{0",
        "<+05-5",
        "AAA",
        "AAAx",
        "AAA25",
        "AAA0:60",
        "AAA0:0:60",
        "AAA0BBB",
        "AAA0BB,J1,J2",
        "AAA0BBB,J1",
        "AAA0BBB,J0,J2",
        "AAA0BBB,J366,J2",
        "AAA0BBB,366,J2",
        "AAA0BBB,M13.1.0,J2",
        "AAA0BBB,M1.6.0,J2",
        "AAA0BBB,M1.1.7,J2",
        "AAA0BBB,M1-1.1,J2",
        "AAA0BBB,M1.1,J2",
        "AAA0BBB,J1/168,J2",
        "AAA0BBB,J1,J2 ",
        "AAA0BBB,,",

        "AAA1234",
    };
    static struct ck_zone zone;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse_footer(bad[i], &zone) != CK_E_SYNTAX) {
            fail_msg("footer \"%s\" was taken", bad[i]);
        }
    }
}

static void test_version_1(void **state)
{
    (void)state;
    static struct tzif tzif;
    static struct ck_zone zone;
    begin(&tzif);
    header(&tzif, 0, (const uint32_t[6]){1, 1, 0, 2, 2, 4});
    ck_write_u32(&tzif.writer, (uint32_t)-1000);
    ck_write_u32(&tzif.writer, 1000);
    ck_write_u8(&tzif.writer, 1);
    ck_write_u8(&tzif.writer, 0);
    type(&tzif, 3600);
    type(&tzif, -7200);
    ck_write_bytes(&tzif.writer, "ABC\0\0", 6);
    assert_int_equal(ck_zone_parse(tzif.bytes, tzif.writer.size, &zone), 0);
    assert_int_equal(ck_zone_offset_s(&zone, (struct ck_wall){-1000001}), 3600);
    assert_int_equal(ck_zone_offset_s(&zone, (struct ck_wall){-1000000}), -7200);
    assert_int_equal(ck_zone_offset_s(&zone, (struct ck_wall){1000000}), 3600);
    /* Every shorter file is too short. */
    for (size_t size = 0; size < tzif.writer.size; size++) {
        assert_int_equal(ck_zone_parse(tzif.bytes, size, &zone), CK_E_TRUNCATED);
    }
}

static int parse_with(char version, const uint32_t counts[6], int64_t first, int64_t second,
                      uint8_t which, int32_t offset)
{
    static struct tzif tzif;
    static struct ck_zone zone;
    begin(&tzif);
    if (version != 0) {
        header(&tzif, version, (const uint32_t[6]){0, 0, 0, 0, 0, 0});
    }
    header(&tzif, version, counts);
    ck_write_u64(&tzif.writer, (uint64_t)first);
    ck_write_u64(&tzif.writer, (uint64_t)second);
    ck_write_u8(&tzif.writer, 0);
    ck_write_u8(&tzif.writer, which);
    type(&tzif, offset);
    ck_write_bytes(&tzif.writer, "UTC", 4);
    ck_write_bytes(&tzif.writer, "\nUTC0\n", 6);
    return ck_zone_parse(tzif.bytes, tzif.writer.size, &zone);
}

static void test_bad_files(void **state)
{
    (void)state;
    static const uint32_t good[6] = {0, 0, 0, 2, 1, 4};
    assert_int_equal(parse_with('2', good, 5, 6, 0, 0), 0);
    assert_int_equal(parse_with('4', good, 5, 6, 0, 0), 0);
    assert_int_equal(parse_with('5', good, 5, 6, 0, 0), CK_E_SYNTAX);
    assert_int_equal(parse_with('1', good, 5, 6, 0, 0), CK_E_SYNTAX);
    assert_int_equal(parse_with('2', good, 6, 6, 0, 0), CK_E_SYNTAX);
    assert_int_equal(parse_with('2', good, 5, 6, 1, 0), CK_E_SYNTAX);
    assert_int_equal(parse_with('2', good, 5, 6, 0, 93600), CK_E_INVALID);
    assert_int_equal(parse_with('2', good, 5, 6, 0, -90000), CK_E_INVALID);
    assert_int_equal(parse_with('2', (const uint32_t[6]){0, 0, 1, 2, 1, 4}, 5, 6, 0, 0),
                     CK_E_INVALID);
    assert_int_equal(parse_with('2', (const uint32_t[6]){0, 0, 0, 2, 0, 4}, 5, 6, 0, 0),
                     CK_E_SYNTAX);
    assert_int_equal(parse_with('2', (const uint32_t[6]){0, 0, 0, 513, 1, 4}, 5, 6, 0, 0),
                     CK_E_LIMIT);
    assert_int_equal(parse_with('2', (const uint32_t[6]){0, 0, 0, 2, 65, 4}, 5, 6, 0, 0),
                     CK_E_LIMIT);
    assert_int_equal(parse_with('2', (const uint32_t[6]){0, 0, 0, 2, 1, 5}, 5, 6, 0, 0),
                     CK_E_SYNTAX);
    struct ck_zone zone;
    assert_int_equal(ck_zone_parse("TZiF", 4, &zone), CK_E_TRUNCATED);
    static uint8_t bytes[FILE_MAX];
    size_t size = load("Europe/Berlin", bytes);
    bytes[3] = 'F';
    assert_int_equal(ck_zone_parse(bytes, size, &zone), CK_E_SYNTAX);
}

/* Every beginning of a real file is refused, and leaves the zone alone. */
static void test_every_truncation(void **state)
{
    (void)state;
    static uint8_t bytes[FILE_MAX];
    static struct ck_zone zone, before;
    size_t size = load("America/New_York", bytes);
    memset(&zone, 0x5a, sizeof(zone));
    before = zone;
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut + 1);
        assert_non_null(copy);
        memcpy(copy, bytes, cut);
        int code = ck_zone_parse(copy, cut, &zone);
        free(copy);
        assert_true(code == CK_E_TRUNCATED || code == CK_E_SYNTAX);
        assert_memory_equal(&zone, &before, sizeof(zone));
    }
    assert_int_equal(ck_zone_parse(bytes, size, &zone), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_zones_against_the_oracle),
        cmocka_unit_test(test_footer_agrees_with_table),
        cmocka_unit_test(test_known_times),
        cmocka_unit_test(test_times_before_the_epoch),
        cmocka_unit_test(test_footers),
        cmocka_unit_test(test_bad_footers),
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_every_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
