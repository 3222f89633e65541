#include "scheduler/zone.h"

#include <assert.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "scheduler/zone_impl.h"

enum { DAY_S = 86400 };

/* Offsets that RFC 9636 section 3.2 allows: -24:59:59 to 25:59:59. */
enum { OFFSET_MIN_S = -89999, OFFSET_MAX_S = 93599 };

/* Before and after all time. */
#define BEGINNING (-(INT64_C(1) << 60))
#define END (INT64_C(1) << 60)

/* ---- reading TZif
 * -------------------------------------------------------------------------------- */

struct header {
    uint8_t version;
    uint32_t isut_count, isstd_count, leap_count, time_count, type_count, char_count;
};

static int read_header(struct ck_reader *reader, struct header *header)
{
    const uint8_t *magic = ck_read_bytes(reader, 4);
    header->version = ck_read_u8(reader);
    ck_read_bytes(reader, 15);
    header->isut_count = ck_read_u32(reader);
    header->isstd_count = ck_read_u32(reader);
    header->leap_count = ck_read_u32(reader);
    header->time_count = ck_read_u32(reader);
    header->type_count = ck_read_u32(reader);
    header->char_count = ck_read_u32(reader);
    if (reader->failed) {
        return CK_E_TRUNCATED;
    }
    if (memcmp(magic, "TZif", 4) != 0 ||
        (header->version != 0 && (header->version < '2' || header->version > '4'))) {
        return CK_E_SYNTAX;
    }
    return 0;
}

/* A block in the old form, with times of four bytes, that a newer one follows. */
static void skip_block(struct ck_reader *reader, const struct header *header)
{
    size_t size = (size_t)header->time_count * 5 + (size_t)header->type_count * 6 +
                  header->char_count + (size_t)header->leap_count * 8 + header->isstd_count +
                  header->isut_count;
    ck_read_bytes(reader, size);
}

static int64_t read_time(struct ck_reader *reader, size_t time_size)
{
    return time_size == 8 ? (int64_t)ck_read_u64(reader) : (int32_t)ck_read_u32(reader);
}

static int read_transitions(struct ck_reader *reader, const struct header *header, size_t time_size,
                            struct ck_zone *zone)
{
    zone->transition_count = header->time_count;
    zone->type_count = header->type_count;
    for (uint32_t i = 0; i < header->time_count; i++) {
        zone->at_s[i] = read_time(reader, time_size);
        if (i > 0 && zone->at_s[i] <= zone->at_s[i - 1]) {
            return reader->failed ? CK_E_TRUNCATED : CK_E_SYNTAX;
        }
    }
    for (uint32_t i = 0; i < header->time_count; i++) {
        zone->type[i] = ck_read_u8(reader);
        if (zone->type[i] >= header->type_count) {
            return CK_E_SYNTAX;
        }
    }
    for (uint32_t i = 0; i < header->type_count; i++) {
        zone->offset_s[i] = (int32_t)ck_read_u32(reader);
        ck_read_bytes(reader, 2); /* is it daylight saving, what is it called: nothing here asks */
        if (zone->offset_s[i] < OFFSET_MIN_S || zone->offset_s[i] > OFFSET_MAX_S) {
            return CK_E_INVALID;
        }
    }
    return 0;
}

static int read_block(struct ck_reader *reader, const struct header *header, size_t time_size,
                      struct ck_zone *zone)
{
    if (header->type_count == 0) {
        return CK_E_SYNTAX;
    }
    if (header->time_count > CK_ZONE_TRANSITIONS_MAX || header->type_count > CK_ZONE_TYPES_MAX) {
        return CK_E_LIMIT;
    }
    if (header->leap_count != 0) {
        return CK_E_INVALID;
    }
    int code = read_transitions(reader, header, time_size, zone);
    if (code != 0) {
        return code;
    }
    ck_read_bytes(reader, (size_t)header->char_count + header->isstd_count + header->isut_count);
    return reader->failed ? CK_E_TRUNCATED : 0;
}

static int read_footer(struct ck_reader *reader, struct ck_zone *zone)
{
    size_t left = ck_reader_left(reader);
    const char *text = (const char *)ck_read_bytes(reader, left);
    if (left < 2) {
        return CK_E_TRUNCATED;
    }
    if (text[0] != '\n') {
        return CK_E_SYNTAX;
    }
    size_t size = 0;
    while (size < left - 1 && text[1 + size] != '\n') {
        size++;
    }
    if (size == left - 1) {
        return CK_E_TRUNCATED;
    }
    return size == 0 ? 0 : ck_zone_footer(text + 1, size, zone);
}

int ck_zone_parse(const void *tzif, size_t size, struct ck_zone *zone)
{
    struct ck_reader reader = ck_reader_of(tzif, size);
    struct ck_zone result;
    memset(&result, 0, sizeof(result));
    struct header header;
    int code = read_header(&reader, &header);
    if (code != 0) {
        return code;
    }
    if (header.version == 0) {
        code = read_block(&reader, &header, 4, &result);
    } else {
        skip_block(&reader, &header);
        code = read_header(&reader, &header);
        if (code == 0) {
            code = read_block(&reader, &header, 8, &result);
        }
        if (code == 0) {
            code = read_footer(&reader, &result);
        }
    }
    if (code == 0) {
        *zone = result;
    }
    return code;
}

void ck_zone_fixed(int32_t offset_s, struct ck_zone *zone)
{
    memset(zone, 0, sizeof(*zone));
    zone->type_count = 1;
    zone->offset_s[0] = offset_s;
}

/* ---- segments
 * ------------------------------------------------------------------------------------ */

/* A stretch of time with one offset: [start, end). */
struct segment {
    int64_t start, end;
    int32_t offset_s;
};

/* The changes of three years around, in order. At one instant the later of two changes comes later:
 * daylight saving all the year is written as an end and a start that coincide. */
struct changes {
    int count;
    struct {
        int64_t at;
        int32_t offset_s;
    } items[6];
};

static void add_change(struct changes *changes, int64_t at, int32_t offset_s)
{
    int i = changes->count++;
    while (i > 0 && changes->items[i - 1].at > at) {
        changes->items[i] = changes->items[i - 1];
        i--;
    }
    changes->items[i].at = at;
    changes->items[i].offset_s = offset_s;
}

static int32_t year_of(int64_t at_s)
{
    int64_t day = at_s >= 0 ? at_s / DAY_S : -1 - (-1 - at_s) / DAY_S;
    /* A year of room on either side of the calendar. */
    if (day < CK_DATE_MIN.day + 800) {
        day = CK_DATE_MIN.day + 800;
    }
    if (day > CK_DATE_MAX.day - 800) {
        day = CK_DATE_MAX.day - 800;
    }
    return ck_date_civil((struct ck_date){(int32_t)day}).year;
}

static struct segment rule_segment(const struct ck_zone *zone, int64_t at_s, int64_t from)
{
    if (!zone->rule_dst) {
        return (struct segment){from, END, zone->rule_standard_s};
    }
    struct changes changes = {.count = 0};
    int32_t year = year_of(at_s);
    for (int32_t y = year - 1; y <= year + 1; y++) {
        add_change(&changes, ck_zone_change_at(&zone->rule_end, y, zone->rule_daylight_s),
                   zone->rule_standard_s);
        add_change(&changes, ck_zone_change_at(&zone->rule_start, y, zone->rule_standard_s),
                   zone->rule_daylight_s);
    }
    int i = 0;
    while (i + 1 < changes.count && changes.items[i + 1].at <= at_s) {
        i++;
    }
    struct segment segment = {
        .start = changes.items[i].at > from ? changes.items[i].at : from,
        .end = i + 1 < changes.count ? changes.items[i + 1].at : END,
        .offset_s = changes.items[i].offset_s,
    };
    return segment;
}

static struct segment segment_at(const struct ck_zone *zone, int64_t at_s)
{
    uint32_t count = zone->transition_count;
    if (count == 0 || at_s >= zone->at_s[count - 1]) {
        int64_t from = count == 0 ? BEGINNING : zone->at_s[count - 1];
        if (zone->has_rule) {
            return rule_segment(zone, at_s, from);
        }
        uint8_t type = count == 0 ? 0 : zone->type[count - 1];
        return (struct segment){from, END, zone->offset_s[type]};
    }
    /* The last transition that is not after it: between `low` (not after) and `high` (after). */
    if (at_s < zone->at_s[0]) {
        return (struct segment){BEGINNING, zone->at_s[0], zone->offset_s[0]};
    }
    uint32_t low = 0;
    uint32_t high = count - 1;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->at_s[middle] <= at_s) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (struct segment){zone->at_s[low], zone->at_s[high], zone->offset_s[zone->type[low]]};
}

/* ---- the two ways
 * -------------------------------------------------------------------------------- */

/* No wall time is further from UTC than this. */
enum { FARTHEST_S = 26 * 3600 };

struct ck_wall ck_zone_instant(const struct ck_zone *zone, struct ck_local local,
                               enum ck_zone_pick pick, enum ck_zone_fit *fit)
{
    int64_t wall = (int64_t)local.date.day * DAY_S + local.second;
    int64_t first = 0, last = 0, moved = wall;
    int found = 0;
    struct segment segment = segment_at(zone, wall - FARTHEST_S);
    for (;;) {
        int64_t at = wall - segment.offset_s;
        if (at >= segment.start && at < segment.end) {
            first = found == 0 ? at : first;
            last = at;
            found++;
        }
        if (segment.end > wall + FARTHEST_S) {
            break;
        }
        struct segment after = segment_at(zone, segment.end);
        if (at >= segment.end && wall - after.offset_s < segment.end) {
            moved = at; /* in the gap between the two: as if the clocks had not been changed yet */
        }
        segment = after;
    }
    if (fit != NULL) {
        *fit = found == 0 ? CK_ZONE_GAP : found == 1 ? CK_ZONE_PLAIN : CK_ZONE_OVERLAP;
    }
    int64_t at = found == 0 ? moved : pick == CK_ZONE_FIRST ? first : last;
    return (struct ck_wall){at * 1000};
}

static int64_t seconds_of(struct ck_wall at)
{
    return at.ms >= 0 ? at.ms / 1000 : -1 - (-1 - at.ms) / 1000;
}

int32_t ck_zone_offset_s(const struct ck_zone *zone, struct ck_wall at)
{
    return segment_at(zone, seconds_of(at)).offset_s;
}

struct ck_wall ck_zone_midnight(const struct ck_zone *zone, struct ck_date date)
{
    return ck_zone_instant(zone, (struct ck_local){date, 0}, CK_ZONE_FIRST, NULL);
}

struct ck_local ck_zone_local(const struct ck_zone *zone, struct ck_wall at)
{
    int64_t wall = seconds_of(at) + ck_zone_offset_s(zone, at);
    int64_t day = wall >= 0 ? wall / DAY_S : -1 - (-1 - wall) / DAY_S;
    return (struct ck_local){{(int32_t)day}, (int32_t)(wall - day * DAY_S)};
}
