/* RRULE text and lists of dates; what is taken is walked over four years. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "scheduler/recurrence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_rule rule;
    struct ck_rule_fault fault;
    const char *text = (const char *)data;
    struct ck_date dates[CK_RULE_DATES_MAX];
    uint32_t count;
    if (ck_rule_parse_dates(text, size, dates, &count, &fault) != 0 && fault.at > size) {
        abort();
    }
    if (ck_rule_parse(text, size, &rule, &fault) != 0) {
        if (fault.at > size || ck_rule_reason_text(fault.reason) == NULL) {
            abort();
        }
        return 0;
    }
    struct ck_date first = {20000};
    struct ck_date last = {first.day + 1461};
    struct ck_date previous = {first.day - 1};
    struct ck_date date;
    struct ck_rule_walk walk = ck_rule_walk_from(&rule, first);
    while (ck_rule_walk_next(&rule, first, last, &walk, &date)) {
        if (date.day <= previous.day || date.day > last.day) {
            abort();
        }
        previous = date;
    }
    return 0;
}
