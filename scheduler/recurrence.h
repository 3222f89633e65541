/* Recurrence on dates: the subset of RFC 5545 RRULE that a plan may have. Dates only: times of day
 * are windows of the plan, and zones never touch a date.
 *
 *   FREQ=DAILY|WEEKLY|MONTHLY  INTERVAL  BYDAY (ordinals such as -1FR in MONTHLY only)
 *   BYMONTHDAY (not in WEEKLY)  UNTIL=YYYYMMDD or COUNT  WKST=MO;  RDATE and EXDATE as lists of
 * dates
 *
 * Everything else is refused with a reason. Where the RFC leaves a choice: the first date counts
 * only if the rule matches it; a month without the day asked for is skipped; weeks begin on Monday;
 * COUNT counts dates of the rule, before EXDATE takes some away and RDATE adds some. */
#ifndef SCHEDULER_RECURRENCE_H
#define SCHEDULER_RECURRENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/date.h"

#define CK_RULE_BYDAY_MAX 21
#define CK_RULE_BYMONTHDAY_MAX 31
#define CK_RULE_DATES_MAX 64 /* of RDATE and of EXDATE */
#define CK_RULE_INTERVAL_MAX 366
#define CK_RULE_COUNT_MAX 4000

enum ck_frequency {
    CK_DAILY = 0,
    CK_WEEKLY,
    CK_MONTHLY,
};

struct ck_rule {
    enum ck_frequency frequency;
    uint32_t interval;
    uint32_t byday_count;
    struct {
        int8_t ordinal; /* 0: every; 1 to 5 from the start of the month, -1 to -5 from its end */
        uint8_t weekday;
    } byday[CK_RULE_BYDAY_MAX];
    uint32_t bymonthday_count;
    int8_t bymonthday[CK_RULE_BYMONTHDAY_MAX]; /* 1 to 31, -1 to -31 */
    bool has_until;
    struct ck_date until; /* the last date that may be */
    uint32_t count;       /* 0: none */
    uint32_t rdate_count;
    struct ck_date rdate[CK_RULE_DATES_MAX];
    uint32_t exdate_count;
    struct ck_date exdate[CK_RULE_DATES_MAX];
};

enum ck_rule_reason {
    CK_RULE_OK = 0,
    CK_RULE_SYNTAX,           /* not NAME=VALUE;NAME=VALUE */
    CK_RULE_UNKNOWN_PART,     /* a part that is no part of RFC 5545 */
    CK_RULE_UNSUPPORTED_PART, /* BYHOUR, BYSETPOS, BYMONTH … : not in the subset */
    CK_RULE_TWICE,            /* a part given twice */
    CK_RULE_NO_FREQUENCY,
    CK_RULE_UNSUPPORTED_FREQUENCY,
    CK_RULE_INTERVAL_RANGE,
    CK_RULE_COUNT_RANGE,
    CK_RULE_UNTIL_AND_COUNT,
    CK_RULE_UNTIL_FORM, /* not YYYYMMDD: an UNTIL with a time would bring a zone in */
    CK_RULE_NO_SUCH_DATE,
    CK_RULE_BYDAY_FORM,
    CK_RULE_ORDINAL_RANGE,
    CK_RULE_ORDINAL_WITHOUT_MONTH, /* 2MO outside MONTHLY */
    CK_RULE_BYMONTHDAY_RANGE,
    CK_RULE_BYMONTHDAY_IN_WEEK,
    CK_RULE_WKST, /* weeks begin on Monday */
    CK_RULE_TOO_MANY,
    CK_RULE_REASON_COUNT,
};

struct ck_rule_fault {
    enum ck_rule_reason reason;
    size_t at; /* offset of the part in the text */
};

/* Reads the value of an RRULE property (without "RRULE:"), any letter case. 0, or CK_E_INVALID with
 * *fault set and *rule untouched. RDATE and EXDATE start empty. */
int ck_rule_parse(const char *text, size_t size, struct ck_rule *rule, struct ck_rule_fault *fault);

/* Reads dates "20261121,20261125" into an array. 0 or CK_E_INVALID with *fault set. */
int ck_rule_parse_dates(const char *text, size_t size,
                        struct ck_date dates[static CK_RULE_DATES_MAX], uint32_t *count,
                        struct ck_rule_fault *fault);

/* A short English sentence for a reason, for pages and logs. */
const char *ck_rule_reason_text(enum ck_rule_reason reason);

/* Walks the dates of a rule that begins on `first`, in order. Plain values: may be stored and
 * resumed. */
struct ck_rule_walk {
    struct ck_date next; /* to be looked at */
    uint32_t counted;    /* dates of the rule so far */
};

struct ck_rule_walk ck_rule_walk_from(const struct ck_rule *rule, struct ck_date first);

/* The next date up to and with `last`; false where there is none (the walk then stands behind
 * `last` and may go on with a later one). */
bool ck_rule_walk_next(const struct ck_rule *rule, struct ck_date first, struct ck_date last,
                       struct ck_rule_walk *walk, struct ck_date *date);

#endif
