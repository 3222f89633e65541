/* Time as a value. Two clocks, two types, so that one can never be taken for the other.
 *
 * Nothing under protocol/ or scheduler/ reads a clock: time is always an argument. Each program
 * reads its clocks in one file. */
#ifndef PROTOCOL_BASE_TIME_H
#define PROTOCOL_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* Wall time: milliseconds since 1970-01-01T00:00:00Z without leap seconds (CLOCK_REALTIME). It may
 * jump. Deadlines are wall times. 0 means "not set" in rows. */
struct ck_wall {
    int64_t ms;
};

/* Elapsed time: microseconds of CLOCK_BOOTTIME (daemon) or CLOCK_MONOTONIC (media). It never goes
 * back. Durations and I/O time-outs are measured on it. */
struct ck_mono {
    int64_t us;
};

/* A wall time that no deadline ever reaches, yet that can be added to. */
#define CK_WALL_NEVER ((struct ck_wall){INT64_C(253402300799000)}) /* 9999-12-31T23:59:59Z */

static inline struct ck_wall ck_wall_add_ms(struct ck_wall at, int64_t ms)
{
    return (struct ck_wall){at.ms + ms};
}

static inline bool ck_wall_before(struct ck_wall a, struct ck_wall b)
{
    return a.ms < b.ms;
}

static inline struct ck_mono ck_mono_add_us(struct ck_mono at, int64_t us)
{
    return (struct ck_mono){at.us + us};
}

/* Size that holds "2026-11-21T19:02:05.123Z" and its zero. */
#define CK_WALL_TEXT_SIZE 25

/* Writes `at` as RFC 3339 in UTC with milliseconds. Years 1970 to 9999; others are written as the
 * nearest bound. Never fails. */
void ck_wall_text(struct ck_wall at, char text[static CK_WALL_TEXT_SIZE]);

/* Reads the form that ck_wall_text() writes; seconds without fraction are taken too. Returns 0, or
 * CK_E_SYNTAX and leaves *at alone. */
int ck_wall_parse(const char *text, struct ck_wall *at);

#define CK_DAY_MINUTES 1440

/* Reads a time of day, "HH:MM", as minutes since midnight: "00:00" to "24:00", the end of the day.
 * -1 for anything else, NULL among it. */
int32_t ck_day_minute(const char *text);

#endif
