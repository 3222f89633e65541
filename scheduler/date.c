#include "scheduler/date.h"

#include <stddef.h>
#include <string.h>

#include "protocol/base/error.h"

/* The calendar repeats every 400 years. Counting years from 1 March puts the leap day at the end,
 * so that the days before a month depend on the month alone. */
enum { DAYS_400 = 146097, DAYS_100 = 36524, DAYS_4 = 1461, DAYS_1 = 365 };

/* Days from 0000-03-01 to 1970-01-01. */
enum { EPOCH = 719468 };

static bool is_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t ck_month_days(int32_t year, int32_t month)
{
    static const int8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool ck_civil_valid(int32_t year, int32_t month, int32_t day)
{
    return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
           day <= ck_month_days(year, month);
}

/* Days from 1 March to the first of the month that is `index` months after March. */
static int32_t days_before(int32_t index)
{
    return (index * 153 + 2) / 5;
}

struct ck_date ck_date_of(struct ck_civil civil)
{
    int32_t index = (civil.month + 9) % 12;
    int32_t year = civil.month <= 2 ? civil.year - 1 : civil.year;
    int32_t day = year * DAYS_1 + year / 4 - year / 100 + year / 400 + days_before(index) +
                  civil.day - 1 - EPOCH;
    return (struct ck_date){day};
}

struct ck_civil ck_date_civil(struct ck_date date)
{
    int32_t left = date.day + EPOCH;
    int32_t year = left / DAYS_400 * 400;
    left %= DAYS_400;
    /* The last day of a 400-year or 4-year run is its leap day and belongs to the year before. */
    int32_t centuries = left / DAYS_100 == 4 ? 3 : left / DAYS_100;
    left -= centuries * DAYS_100;
    int32_t fours = left / DAYS_4;
    left %= DAYS_4;
    int32_t ones = left / DAYS_1 == 4 ? 3 : left / DAYS_1;
    left -= ones * DAYS_1;
    year += centuries * 100 + fours * 4 + ones;
    int32_t index = (left * 5 + 2) / 153;
    int32_t month = index < 10 ? index + 3 : index - 9;
    return (struct ck_civil){
        .year = month <= 2 ? year + 1 : year,
        .month = month,
        .day = left - days_before(index) + 1,
    };
}

enum ck_weekday ck_date_weekday(struct ck_date date)
{
    /* 0001-01-01 is a Monday. */
    return (enum ck_weekday)((date.day - CK_DATE_MIN.day) % 7);
}

void ck_date_text(struct ck_date date, char text[static CK_DATE_TEXT_SIZE])
{
    static const char digits[] = "0123456789";
    struct ck_civil civil = ck_date_civil(date);
    text[0] = digits[civil.year / 1000];
    text[1] = digits[civil.year / 100 % 10];
    text[2] = digits[civil.year / 10 % 10];
    text[3] = digits[civil.year % 10];
    text[4] = '-';
    text[5] = digits[civil.month / 10];
    text[6] = digits[civil.month % 10];
    text[7] = '-';
    text[8] = digits[civil.day / 10];
    text[9] = digits[civil.day % 10];
    text[10] = '\0';
}

static int32_t number(const char *text, size_t size)
{
    int32_t value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

int ck_date_parse(const char *text, struct ck_date *date)
{
    if (strlen(text) != CK_DATE_TEXT_SIZE - 1 || text[4] != '-' || text[7] != '-') {
        return CK_E_SYNTAX;
    }
    int32_t year = number(text, 4);
    int32_t month = number(text + 5, 2);
    int32_t day = number(text + 8, 2);
    if (year < 0 || month < 0 || day < 0) {
        return CK_E_SYNTAX;
    }
    if (!ck_civil_valid(year, month, day)) {
        return CK_E_INVALID;
    }
    *date = ck_date_of((struct ck_civil){year, month, day});
    return 0;
}
