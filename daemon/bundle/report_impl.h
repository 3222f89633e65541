#ifndef DAEMON_BUNDLE_REPORT_IMPL_H
#define DAEMON_BUNDLE_REPORT_IMPL_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "daemon/bundle/words_impl.h"
#include "protocol/paper.h"
#include "scheduler/zone.h"

/* Of one report. What decides comes first: the outcome, the incident, the rings; of what the page
 * said and of notices some may be left out, which the report then says; facts.json has all. */
#define CK_REPORT_EVENTS_MAX 3000

/* Rows of the log in a report. Of more the reads are left out first, then the notices, then the
 * middle; each entry is in the bundle all the same. */
#define CK_REPORT_ENTRIES_MAX 3000
#define CK_REPORT_MESSAGES_MAX 1000 /* up to 2,000 characters each */

enum ck_report_lane { CK_LANE_RING, CK_LANE_PERSON, CK_LANE_NOTICE, CK_LANE_INCIDENT, CK_LANES };

/* Something that happened, for the table and for the picture. Texts live as long as the facts. */
struct ck_report_event {
    const char *at; /* RFC 3339 */
    int64_t at_ms;
    const char *what, *detail;
    enum ck_report_lane lane;
    uint32_t order; /* among those of the same time */
};

/* A time as people of the unit read it, "2026-11-29 23:05:07 +05:00", and the same as UTC,
 * "2026-11-29 18:05:07 UTC", which is "" where no zone is known: then `local` is UTC. */
#define CK_REPORT_TIME_SIZE 48
struct ck_report_moment {
    char local[CK_REPORT_TIME_SIZE], utc[CK_REPORT_TIME_SIZE];
};

struct ck_report {
    const json_t *facts;
    const struct ck_zone *zone; /* NULL: none */
    enum ck_bundle_language language;
    FILE *out;
    bool failed;                    /* no memory */
    struct ck_report_event *events; /* CK_REPORT_EVENTS_MAX of room */
    size_t event_count, events_left_out;
};

/* moment.c: of RFC 3339 text; what is none stays as it is. */
struct ck_report_moment ck_report_moment(const struct ck_report *report, const char *at);
/* Both in one line. */
#define CK_REPORT_MOMENT_SIZE 104
void ck_report_moment_line(const struct ck_report *report, const char *at,
                           char line[static CK_REPORT_MOMENT_SIZE]);

/* timeline.c: puts everything that happened into one order, and draws it. */
void ck_report_collect(struct ck_report *report);
void ck_report_timeline(struct ck_report *report);

#endif
