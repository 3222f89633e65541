#include <string.h>

#include "protocol/base/error.h"
#include "scheduler/recurrence.h"

/* A stretch of the text. */
struct span {
    const char *at;
    size_t size;
};

/* As a code, so that nothing is narrowed. */
static int upper(char c)
{
    return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

static bool is_word(struct span span, const char *word)
{
    if (span.size != strlen(word)) {
        return false;
    }
    for (size_t i = 0; i < span.size; i++) {
        if (upper(span.at[i]) != word[i]) {
            return false;
        }
    }
    return true;
}

/* Cuts off what stands before the separator; false where nothing is left. */
static bool next_span(struct span *rest, char separator, struct span *part)
{
    if (rest->at == NULL) {
        return false;
    }
    const char *end = rest->size == 0 ? NULL : memchr(rest->at, separator, rest->size);
    if (end == NULL) {
        *part = *rest;
        rest->at = NULL;
        return true;
    }
    *part = (struct span){rest->at, (size_t)(end - rest->at)};
    rest->size -= part->size + 1;
    rest->at = end + 1;
    return true;
}

/* A number with an optional sign, up to five digits; false for another form. */
static bool integer(struct span span, bool sign, int32_t *value)
{
    bool negative = false;
    if (sign && span.size > 0 && (span.at[0] == '-' || span.at[0] == '+')) {
        negative = span.at[0] == '-';
        span.at++;
        span.size--;
    }
    if (span.size == 0 || span.size > 5) {
        return false;
    }
    int32_t number = 0;
    for (size_t i = 0; i < span.size; i++) {
        if (span.at[i] < '0' || span.at[i] > '9') {
            return false;
        }
        number = number * 10 + (span.at[i] - '0');
    }
    *value = negative ? -number : number;
    return true;
}

static enum ck_rule_reason date_of(struct span span, struct ck_date *date)
{
    int32_t year, month, day;
    if (span.size != 8 || !integer((struct span){span.at, 4}, false, &year) ||
        !integer((struct span){span.at + 4, 2}, false, &month) ||
        !integer((struct span){span.at + 6, 2}, false, &day)) {
        return CK_RULE_UNTIL_FORM;
    }
    if (!ck_civil_valid(year, month, day)) {
        return CK_RULE_NO_SUCH_DATE;
    }
    *date = ck_date_of((struct ck_civil){year, month, day});
    return CK_RULE_OK;
}

/* ---- one function a part -----------------------------------------------------------------------
 */

static enum ck_rule_reason part_freq(struct span value, struct ck_rule *rule)
{
    if (is_word(value, "DAILY")) {
        rule->frequency = CK_DAILY;
    } else if (is_word(value, "WEEKLY")) {
        rule->frequency = CK_WEEKLY;
    } else if (is_word(value, "MONTHLY")) {
        rule->frequency = CK_MONTHLY;
    } else {
        return CK_RULE_UNSUPPORTED_FREQUENCY;
    }
    return CK_RULE_OK;
}

static enum ck_rule_reason part_interval(struct span value, struct ck_rule *rule)
{
    int32_t number;
    if (!integer(value, false, &number) || number < 1 || number > CK_RULE_INTERVAL_MAX) {
        return CK_RULE_INTERVAL_RANGE;
    }
    rule->interval = (uint32_t)number;
    return CK_RULE_OK;
}

static enum ck_rule_reason part_count(struct span value, struct ck_rule *rule)
{
    int32_t number;
    if (!integer(value, false, &number) || number < 1 || number > CK_RULE_COUNT_MAX) {
        return CK_RULE_COUNT_RANGE;
    }
    rule->count = (uint32_t)number;
    return CK_RULE_OK;
}

static enum ck_rule_reason part_until(struct span value, struct ck_rule *rule)
{
    rule->has_until = true;
    return date_of(value, &rule->until);
}

static enum ck_rule_reason part_byday(struct span value, struct ck_rule *rule)
{
    static const char *const names[7] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
    struct span item;
    while (next_span(&value, ',', &item)) {
        if (rule->byday_count == CK_RULE_BYDAY_MAX) {
            return CK_RULE_TOO_MANY;
        }
        if (item.size < 2) {
            return CK_RULE_BYDAY_FORM;
        }
        uint8_t weekday = 0;
        while (weekday < 7 && !is_word((struct span){item.at + item.size - 2, 2}, names[weekday])) {
            weekday++;
        }
        int32_t ordinal = 0;
        if (weekday == 7 ||
            (item.size > 2 && !integer((struct span){item.at, item.size - 2}, true, &ordinal))) {
            return CK_RULE_BYDAY_FORM;
        }
        if (item.size > 2 && (ordinal == 0 || ordinal < -5 || ordinal > 5)) {
            return CK_RULE_ORDINAL_RANGE;
        }
        rule->byday[rule->byday_count].weekday = weekday;
        rule->byday[rule->byday_count].ordinal = (int8_t)ordinal;
        rule->byday_count++;
    }
    return CK_RULE_OK;
}

static enum ck_rule_reason part_bymonthday(struct span value, struct ck_rule *rule)
{
    struct span item;
    while (next_span(&value, ',', &item)) {
        int32_t number;
        if (rule->bymonthday_count == CK_RULE_BYMONTHDAY_MAX) {
            return CK_RULE_TOO_MANY;
        }
        if (!integer(item, true, &number) || number == 0 || number < -31 || number > 31) {
            return CK_RULE_BYMONTHDAY_RANGE;
        }
        rule->bymonthday[rule->bymonthday_count++] = (int8_t)number;
    }
    return CK_RULE_OK;
}

static enum ck_rule_reason part_wkst(struct span value, struct ck_rule *rule)
{
    (void)rule;
    return is_word(value, "MO") ? CK_RULE_OK : CK_RULE_WKST;
}

static enum ck_rule_reason part_unsupported(struct span value, struct ck_rule *rule)
{
    (void)value;
    (void)rule;
    return CK_RULE_UNSUPPORTED_PART;
}

/* FREQ must be first here: its bit says that there is one. */
static const struct {
    const char *name;
    enum ck_rule_reason (*read)(struct span value, struct ck_rule *rule);
} parts[] = {
    {"FREQ", part_freq},           {"INTERVAL", part_interval},     {"COUNT", part_count},
    {"UNTIL", part_until},         {"BYDAY", part_byday},           {"BYMONTHDAY", part_bymonthday},
    {"WKST", part_wkst},           {"BYSECOND", part_unsupported},  {"BYMINUTE", part_unsupported},
    {"BYHOUR", part_unsupported},  {"BYYEARDAY", part_unsupported}, {"BYWEEKNO", part_unsupported},
    {"BYMONTH", part_unsupported}, {"BYSETPOS", part_unsupported},
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static enum ck_rule_reason read_part(struct span part, uint32_t *seen, struct ck_rule *rule)
{
    struct span name;
    struct span value = part;
    next_span(&value, '=', &name);
    if (value.at == NULL || value.size == 0 || name.size == 0) {
        return CK_RULE_SYNTAX;
    }
    for (int i = 0; i < PARTS; i++) {
        if (!is_word(name, parts[i].name)) {
            continue;
        }
        if ((*seen & UINT32_C(1) << i) != 0) {
            return CK_RULE_TWICE;
        }
        *seen |= UINT32_C(1) << i;
        return parts[i].read(value, rule);
    }
    return CK_RULE_UNKNOWN_PART;
}

/* What only the whole of the rule can tell. */
static enum ck_rule_reason check_whole(const struct ck_rule *rule, uint32_t seen)
{
    if ((seen & 1) == 0) {
        return CK_RULE_NO_FREQUENCY;
    }
    if (rule->has_until && rule->count != 0) {
        return CK_RULE_UNTIL_AND_COUNT;
    }
    if (rule->frequency == CK_WEEKLY && rule->bymonthday_count > 0) {
        return CK_RULE_BYMONTHDAY_IN_WEEK;
    }
    for (uint32_t i = 0; i < rule->byday_count; i++) {
        if (rule->byday[i].ordinal != 0 && rule->frequency != CK_MONTHLY) {
            return CK_RULE_ORDINAL_WITHOUT_MONTH;
        }
    }
    return CK_RULE_OK;
}

static int fail(struct ck_rule_fault *fault, enum ck_rule_reason reason, size_t at)
{
    *fault = (struct ck_rule_fault){reason, at};
    return CK_E_INVALID;
}

int ck_rule_parse(const char *text, size_t size, struct ck_rule *rule, struct ck_rule_fault *fault)
{
    struct ck_rule result;
    memset(&result, 0, sizeof(result));
    result.interval = 1;
    uint32_t seen = 0;
    struct span rest = {text, size};
    struct span part;
    while (next_span(&rest, ';', &part)) {
        enum ck_rule_reason reason = read_part(part, &seen, &result);
        if (reason != CK_RULE_OK) {
            return fail(fault, reason, (size_t)(part.at - text));
        }
    }
    enum ck_rule_reason reason = check_whole(&result, seen);
    if (reason != CK_RULE_OK) {
        return fail(fault, reason, 0);
    }
    *rule = result;
    return 0;
}

int ck_rule_parse_dates(const char *text, size_t size,
                        struct ck_date dates[static CK_RULE_DATES_MAX], uint32_t *count,
                        struct ck_rule_fault *fault)
{
    struct ck_date read[CK_RULE_DATES_MAX];
    uint32_t found = 0;
    struct span rest = {text, size};
    struct span item;
    while (size > 0 && next_span(&rest, ',', &item)) {
        if (found == CK_RULE_DATES_MAX) {
            return fail(fault, CK_RULE_TOO_MANY, (size_t)(item.at - text));
        }
        enum ck_rule_reason reason = date_of(item, &read[found]);
        if (reason != CK_RULE_OK) {
            return fail(fault, reason, (size_t)(item.at - text));
        }
        found++;
    }
    memcpy(dates, read, found * sizeof(read[0]));
    *count = found;
    return 0;
}

const char *ck_rule_reason_text(enum ck_rule_reason reason)
{
    static const char *const texts[CK_RULE_REASON_COUNT] = {
        [CK_RULE_OK] = "the rule can be used",
        [CK_RULE_SYNTAX] = "a part is not of the form NAME=VALUE",
        [CK_RULE_UNKNOWN_PART] = "a part has a name that RFC 5545 does not know",
        [CK_RULE_UNSUPPORTED_PART] = "this part of RFC 5545 is not supported",
        [CK_RULE_TWICE] = "a part is given twice",
        [CK_RULE_NO_FREQUENCY] = "FREQ is missing",
        [CK_RULE_UNSUPPORTED_FREQUENCY] = "FREQ must be DAILY, WEEKLY or MONTHLY",
        [CK_RULE_INTERVAL_RANGE] = "INTERVAL must be between 1 and 366",
        [CK_RULE_COUNT_RANGE] = "COUNT must be between 1 and 4000",
        [CK_RULE_UNTIL_AND_COUNT] = "UNTIL and COUNT exclude each other",
        [CK_RULE_UNTIL_FORM] = "a date must be written YYYYMMDD, without a time",
        [CK_RULE_NO_SUCH_DATE] = "there is no such date",
        [CK_RULE_BYDAY_FORM] = "BYDAY takes MO to SU, in MONTHLY with an ordinal before it",
        [CK_RULE_ORDINAL_RANGE] = "an ordinal of BYDAY must be 1 to 5 or -1 to -5",
        [CK_RULE_ORDINAL_WITHOUT_MONTH] = "an ordinal of BYDAY needs FREQ=MONTHLY",
        [CK_RULE_BYMONTHDAY_RANGE] = "BYMONTHDAY must be 1 to 31 or -1 to -31",
        [CK_RULE_BYMONTHDAY_IN_WEEK] = "BYMONTHDAY cannot be used with FREQ=WEEKLY",
        [CK_RULE_WKST] = "weeks begin on Monday here",
        [CK_RULE_TOO_MANY] = "too many values",
    };
    return (unsigned)reason < CK_RULE_REASON_COUNT ? texts[reason] : NULL;
}
