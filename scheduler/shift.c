#include "scheduler/shift.h"

#define DAY_S 86400
#define WEEK 7

const char *ck_shift_fault(const struct ck_shift *shift)
{
    if (shift->start_s < 0 || shift->start_s >= DAY_S) {
        return "start";
    }
    if (shift->end_s < 0 || shift->end_s >= DAY_S) {
        return "end";
    }
    if (shift->until.day < shift->from.day) {
        return "until_date";
    }
    /* A rule none of whose dates is its weekday would look like cover and be none. */
    int32_t ahead = ((int32_t)shift->weekday - (int32_t)ck_date_weekday(shift->from) + WEEK) % WEEK;
    return shift->from.day + ahead > shift->until.day ? "weekday" : NULL;
}

static struct ck_interval on_date(const struct ck_shift *shift, const struct ck_zone *zone,
                                  int32_t day)
{
    int32_t end_s = shift->end_s > shift->start_s ? shift->end_s : shift->end_s + DAY_S;
    struct ck_date date = {day}, end = {end_s < DAY_S ? day : day + 1};
    return (struct ck_interval){
        .from = ck_zone_instant(zone, (struct ck_local){date, shift->start_s}, CK_ZONE_FIRST, NULL),
        .until = ck_zone_instant(zone, (struct ck_local){end, end_s % DAY_S}, CK_ZONE_LAST, NULL),
    };
}

size_t ck_shift_intervals(const struct ck_shift *shift, const struct ck_zone *zone,
                          struct ck_interval span, struct ck_interval *intervals, size_t capacity)
{
    size_t count = 0;
    int32_t first = ck_zone_local(zone, span.from).date.day - 1; /* it may have begun last night */
    int32_t last = ck_zone_local(zone, span.until).date.day;
    if (first < shift->from.day) {
        first = shift->from.day;
    }
    if (last > shift->until.day) {
        last = shift->until.day;
    }
    for (int32_t day = first; day <= last && count < capacity; day++) {
        if (ck_date_weekday((struct ck_date){day}) != shift->weekday) {
            continue;
        }
        struct ck_interval one = on_date(shift, zone, day);
        if (one.from.ms < span.until.ms && span.from.ms < one.until.ms) {
            intervals[count++] = one;
        }
    }
    return count;
}

bool ck_shift_covers(const struct ck_shift *shift, const struct ck_zone *zone, struct ck_wall at)
{
    struct ck_interval one;
    return ck_shift_intervals(shift, zone, (struct ck_interval){at, ck_wall_add_ms(at, 1)}, &one,
                              1) == 1;
}
