/* A time zone as a value, read from TZif bytes (RFC 9636, versions 1 to 4 with their footer), and
 * the way from wall time to instants and back.
 *
 * Rules for wall times that are not plain (S3):
 * - a wall time inside a spring gap moves forward by the length of the gap (02:30 becomes 03:30);
 * - a wall time that happens twice is its first occurrence, or its last where the caller says so:
 * the end of a window is the last. */
#ifndef SCHEDULER_ZONE_H
#define SCHEDULER_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/error.h"
#include "protocol/base/time.h"
#include "scheduler/date.h"

#define CK_ZONE_TRANSITIONS_MAX 512
#define CK_ZONE_TYPES_MAX 64

/* A rule of the footer: when a change happens each year. */
struct ck_zone_change {
    enum { CK_CHANGE_JULIAN, CK_CHANGE_DAY, CK_CHANGE_WEEKDAY } form;
    int32_t month, week, day; /* Mm.w.d; day alone for Jn and n */
    int32_t time_s;           /* local time of the change, -167 to 167 hours */
};

/* About 6 KiB; the caller owns it. Read only through the functions below. */
struct ck_zone {
    uint32_t transition_count;
    uint32_t type_count;
    int64_t at_s[CK_ZONE_TRANSITIONS_MAX];
    uint8_t type[CK_ZONE_TRANSITIONS_MAX];
    int32_t offset_s[CK_ZONE_TYPES_MAX];
    bool has_rule; /* a footer that goes on after the last transition */
    bool rule_dst;
    int32_t rule_standard_s; /* offsets east of UTC */
    int32_t rule_daylight_s;
    struct ck_zone_change rule_start, rule_end;
};

/* Reads a TZif file. 0; CK_E_TRUNCATED; CK_E_SYNTAX for bytes that are not TZif; CK_E_LIMIT for
 * more transitions or types than fit; CK_E_INVALID for leap-second ("right") files and offsets out
 * of range. */
int ck_zone_parse(const void *tzif, size_t size, struct ck_zone *zone);

/* A zone with one offset for ever, for tests and for units without a zone file. */
void ck_zone_fixed(int32_t offset_s, struct ck_zone *zone);

/* A wall time: seconds since the start of `date`. May be below 0 or above a day (a window that goes
 * past midnight); it is then the wall time so many seconds on. */
struct ck_local {
    struct ck_date date;
    int32_t second;
};

enum ck_zone_fit {
    CK_ZONE_PLAIN = 0,
    CK_ZONE_GAP,     /* did not exist; moved forward */
    CK_ZONE_OVERLAP, /* happened twice */
};

enum ck_zone_pick {
    CK_ZONE_FIRST = 0,
    CK_ZONE_LAST,
};

/* Wall time → instant. `fit` may be NULL. */
struct ck_wall ck_zone_instant(const struct ck_zone *zone, struct ck_local local,
                               enum ck_zone_pick pick, enum ck_zone_fit *fit);

/* The first instant of a date. */
struct ck_wall ck_zone_midnight(const struct ck_zone *zone, struct ck_date date);

/* Instant → wall time; `second` is 0 to 86399. Parts of a second are dropped downwards. */
struct ck_local ck_zone_local(const struct ck_zone *zone, struct ck_wall at);

/* Seconds east of UTC at that instant. */
int32_t ck_zone_offset_s(const struct ck_zone *zone, struct ck_wall at);

#endif
