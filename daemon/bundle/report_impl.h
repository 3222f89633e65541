#ifndef DAEMON_BUNDLE_REPORT_IMPL_H
#define DAEMON_BUNDLE_REPORT_IMPL_H

#include <stdio.h>

#include <jansson.h>

#include "daemon/bundle/words_impl.h"

#define CK_REPORT_EVENTS_MAX 600 /* later ones are only in facts.json */

enum ck_report_lane { CK_LANE_RING, CK_LANE_PERSON, CK_LANE_NOTICE, CK_LANE_INCIDENT, CK_LANES };

/* Something that happened, for the table and for the picture. Texts live as long as the facts. */
struct ck_report_event {
    const char *at; /* RFC 3339 */
    int64_t at_ms;
    const char *what, *detail;
    enum ck_report_lane lane;
};

struct ck_report {
    const json_t *facts;
    enum ck_bundle_language language;
    FILE *out;
    struct ck_report_event events[CK_REPORT_EVENTS_MAX];
    size_t event_count;
};

/* Writes a text as HTML. */
void ck_report_text(struct ck_report *report, const char *text);

/* timeline.c: puts everything that happened into one order, and draws it. */
void ck_report_collect(struct ck_report *report);
void ck_report_timeline(struct ck_report *report);

#endif
