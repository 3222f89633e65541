/* A calendar date (proleptic Gregorian) without time or zone. */
#ifndef SCHEDULER_DATE_H
#define SCHEDULER_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* Days since 1970-01-01. One number, so that dates compare and subtract. */
struct ck_date {
    int32_t day;
};

/* 0001-01-01 and 9999-12-31: the dates there are. */
#define CK_DATE_MIN ((struct ck_date){-719162})
#define CK_DATE_MAX ((struct ck_date){2932896})

struct ck_civil {
    int32_t year;  /* 1 to 9999 */
    int32_t month; /* 1 to 12 */
    int32_t day;   /* 1 to the length of the month */
};

enum ck_weekday {
    CK_MONDAY = 0,
    CK_TUESDAY,
    CK_WEDNESDAY,
    CK_THURSDAY,
    CK_FRIDAY,
    CK_SATURDAY,
    CK_SUNDAY,
};

bool ck_civil_valid(int32_t year, int32_t month, int32_t day);

/* 28 to 31. `month` 1 to 12. */
int32_t ck_month_days(int32_t year, int32_t month);

/* `civil` is valid. */
struct ck_date ck_date_of(struct ck_civil civil);
struct ck_civil ck_date_civil(struct ck_date date);
enum ck_weekday ck_date_weekday(struct ck_date date);

/* Size of "2026-11-21" with its zero. */
#define CK_DATE_TEXT_SIZE 11

void ck_date_text(struct ck_date date, char text[static CK_DATE_TEXT_SIZE]);

/* Reads exactly YYYY-MM-DD; 0, or CK_E_SYNTAX for another form, CK_E_INVALID for a date that does
 * not exist. */
int ck_date_parse(const char *text, struct ck_date *date);

#endif
