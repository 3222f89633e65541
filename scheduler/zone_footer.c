#include "scheduler/zone_impl.h"

#include "protocol/base/error.h"

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

/* ---- reading -----------------------------------------------------------------------------------
 */

struct scan {
    const char *at, *end;
    bool failed;
};

/* The next character, or 0 at the end. */
static int peek(const struct scan *scan)
{
    return scan->at < scan->end ? *scan->at : 0;
}

static bool accept(struct scan *scan, char wanted)
{
    if (scan->at >= scan->end || *scan->at != wanted) {
        return false;
    }
    scan->at++;
    return true;
}

static void expect(struct scan *scan, char wanted)
{
    if (!accept(scan, wanted)) {
        scan->failed = true;
    }
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* A decimal number between two bounds, of at most three digits. */
static int32_t number(struct scan *scan, int32_t min, int32_t max)
{
    int32_t value = 0;
    int digits = 0;
    while (digits < 3 && is_digit(peek(scan))) {
        value = value * 10 + (*scan->at++ - '0');
        digits++;
    }
    if (digits == 0 || value < min || value > max) {
        scan->failed = true;
        return min;
    }
    return value;
}

/* A name: at least three letters, or anything in angle brackets. */
static void skip_name(struct scan *scan)
{
    if (accept(scan, '<')) {
        while (scan->at < scan->end && *scan->at != '>') {
            scan->at++;
        }
        expect(scan, '>');
        return;
    }
    const char *start = scan->at;
    while (is_letter(peek(scan))) {
        scan->at++;
    }
    if (scan->at - start < 3) {
        scan->failed = true;
    }
}

/* [+-]h[:m[:s]] in seconds. */
static int32_t time_of(struct scan *scan, int32_t hours_max)
{
    bool negative = accept(scan, '-');
    if (!negative) {
        accept(scan, '+');
    }
    int32_t seconds = number(scan, 0, hours_max) * HOUR_S;
    if (accept(scan, ':')) {
        seconds += number(scan, 0, 59) * MINUTE_S;
        if (accept(scan, ':')) {
            seconds += number(scan, 0, 59);
        }
    }
    return negative ? -seconds : seconds;
}

static void change(struct scan *scan, struct ck_zone_change *out)
{
    expect(scan, ',');
    if (accept(scan, 'M')) {
        out->form = CK_CHANGE_WEEKDAY;
        out->month = number(scan, 1, 12);
        expect(scan, '.');
        out->week = number(scan, 1, 5);
        expect(scan, '.');
        out->day = number(scan, 0, 6);
    } else if (accept(scan, 'J')) {
        out->form = CK_CHANGE_JULIAN;
        out->day = number(scan, 1, 365);
    } else {
        out->form = CK_CHANGE_DAY;
        out->day = number(scan, 0, 365);
    }
    out->time_s = accept(scan, '/') ? time_of(scan, 167) : 2 * HOUR_S;
}

int ck_zone_footer(const char *text, size_t size, struct ck_zone *zone)
{
    struct scan scan = {.at = text, .end = text + size};
    skip_name(&scan);
    /* The text counts offsets west of UTC. */
    zone->rule_standard_s = -time_of(&scan, 24);
    zone->rule_dst = !scan.failed && scan.at < scan.end;
    if (zone->rule_dst) {
        skip_name(&scan);
        zone->rule_daylight_s =
            peek(&scan) == ',' ? zone->rule_standard_s + HOUR_S : -time_of(&scan, 24);
        change(&scan, &zone->rule_start);
        change(&scan, &zone->rule_end);
    }
    if (scan.failed || scan.at != scan.end) {
        return CK_E_SYNTAX;
    }
    zone->has_rule = true;
    return 0;
}

/* ---- when it happens
 * ----------------------------------------------------------------------------- */

static int32_t day_of(const struct ck_zone_change *change, int32_t year)
{
    int32_t january = ck_date_of((struct ck_civil){year, 1, 1}).day;
    if (change->form == CK_CHANGE_DAY) {
        return january + change->day;
    }
    if (change->form == CK_CHANGE_JULIAN) {
        /* 29 February is never counted. */
        bool after = change->day >= 60 && ck_month_days(year, 2) == 29;
        return january + change->day - 1 + (after ? 1 : 0);
    }
    int32_t first = ck_date_of((struct ck_civil){year, change->month, 1}).day;
    /* The text's week begins on Sunday, ours on Monday. */
    int32_t wanted = (change->day + 6) % 7;
    int32_t ahead = (wanted - (int32_t)ck_date_weekday((struct ck_date){first}) + 7) % 7;
    int32_t day = ahead + (change->week - 1) * 7;
    return first + (day < ck_month_days(year, change->month) ? day : day - 7);
}

int64_t ck_zone_change_at(const struct ck_zone_change *change, int32_t year, int32_t offset_s)
{
    return (int64_t)day_of(change, year) * DAY_S + change->time_s - offset_s;
}
