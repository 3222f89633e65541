#include "protocol/base/time.h"

#include <string.h>

#include "protocol/base/error.h"

#define MS_PER_DAY INT64_C(86400000)

/* Days since 1970-01-01 of a proleptic Gregorian date, and back: the era arithmetic on years that
 * begin in March, so that the leap day is the last of its year. */
static int64_t days_of_date(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + (int64_t)day_of_era - 719468;
}

static void date_of_days(int64_t days, int *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = days / 146097;
    unsigned day_of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = (int)((int64_t)year_of_era + era * 400 + (*month <= 2));
}

void ck_wall_text(struct ck_wall at, char text[static CK_WALL_TEXT_SIZE])
{
    int64_t ms = at.ms < 0 ? 0 : at.ms > CK_WALL_NEVER.ms ? CK_WALL_NEVER.ms : at.ms;
    int year;
    unsigned month, day;
    date_of_days(ms / MS_PER_DAY, &year, &month, &day);
    unsigned rest = (unsigned)(ms % MS_PER_DAY);
    const struct {
        unsigned value, digits;
        char behind;
    } parts[] = {{(unsigned)year, 4, '-'},
                 {month, 2, '-'},
                 {day, 2, 'T'},
                 {rest / 3600000, 2, ':'},
                 {rest / 60000 % 60, 2, ':'},
                 {rest / 1000 % 60, 2, '.'},
                 {rest % 1000, 3, 'Z'}};
    /* The audit log writes one into each entry, and printf() would be a twentieth of that. */
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        unsigned value = parts[i].value;
        for (unsigned digit = parts[i].digits; digit-- > 0; value /= 10) {
            text[digit] = (char)('0' + value % 10);
        }
        text += parts[i].digits;
        *text++ = parts[i].behind;
    }
    *text = '\0';
}

static bool digits(const char *text, unsigned count, unsigned *value)
{
    unsigned v = 0;
    for (unsigned i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        v = v * 10 + (unsigned)(text[i] - '0');
    }
    *value = v;
    return true;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : lengths[month - 1];
}

int ck_wall_parse(const char *text, struct ck_wall *at)
{
    size_t length = strnlen(text, CK_WALL_TEXT_SIZE);
    if (length != 20 && length != 24) {
        return CK_E_SYNTAX;
    }
    unsigned year, month, day, hour, minute, second, ms = 0;
    if (!digits(text, 4, &year) || text[4] != '-' || !digits(text + 5, 2, &month) ||
        text[7] != '-' || !digits(text + 8, 2, &day) || text[10] != 'T' ||
        !digits(text + 11, 2, &hour) || text[13] != ':' || !digits(text + 14, 2, &minute) ||
        text[16] != ':' || !digits(text + 17, 2, &second) || text[length - 1] != 'Z') {
        return CK_E_SYNTAX;
    }
    if (length == 24 && (text[19] != '.' || !digits(text + 20, 3, &ms))) {
        return CK_E_SYNTAX;
    }
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
        hour > 23 || minute > 59 || second > 59) {
        return CK_E_SYNTAX;
    }
    at->ms = days_of_date(year, month, day) * MS_PER_DAY +
             (int64_t)(((hour * 60 + minute) * 60 + second)) * 1000 + ms;
    return 0;
}

int32_t ck_day_minute(const char *text)
{
    if (text == NULL) {
        return -1;
    }
    for (int i = 0; i < 5; i++) {
        if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9') {
            return -1;
        }
    }
    int32_t minute =
        ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
    return text[5] == '\0' && text[3] <= '5' && minute <= CK_DAY_MINUTES ? minute : -1;
}
