/* The time line of a report: what happened, from all sources in one order, as a table and as a
 * picture with a lane for each kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bundle/report_impl.h"
#include "protocol/base/time.h"

static void add(struct ck_report *report, enum ck_report_lane lane, const json_t *at,
                const char *what, const char *detail)
{
    struct ck_wall wall;
    const char *text = json_string_value(at);
    if (text == NULL || ck_wall_parse(text, &wall) != 0 ||
        report->event_count == CK_REPORT_EVENTS_MAX) {
        return;
    }
    report->events[report->event_count++] =
        (struct ck_report_event){.at = text,
                                 .at_ms = wall.ms,
                                 .what = what,
                                 .detail = detail == NULL ? "" : detail,
                                 .lane = lane};
}

static int by_time(const void *a, const void *b)
{
    const struct ck_report_event *first = a, *second = b;
    return first->at_ms < second->at_ms ? -1 : first->at_ms > second->at_ms;
}

/* The words for a code; a text that is none stays as it is. */
static const char *word_of(const struct ck_report *report, const char *prefix, const json_t *code)
{
    const char *text = json_string_value(code);
    return text == NULL ? NULL : ck_bundle_word_of(report->language, prefix, text);
}

static void collect_checkin(struct ck_report *report, const json_t *checkin)
{
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(checkin, "attempts_made"), i, item)
    {
        add(report, CK_LANE_RING, json_object_get(item, "at"),
            ck_bundle_text(report->language, CK_TEXT_RING), NULL);
    }
    json_array_foreach(json_object_get(checkin, "evidence"), i, item)
    {
        const char *fact = json_string_value(json_object_get(item, "fact"));
        add(report, CK_LANE_PERSON, json_object_get(item, "at"),
            ck_bundle_word_of(report->language, "fact_", fact == NULL ? "" : fact),
            word_of(report, "channel_", json_object_get(item, "detail")));
    }
    json_array_foreach(json_object_get(checkin, "notices"), i, item)
    {
        const char *channel = json_string_value(json_object_get(item, "channel"));
        add(report, CK_LANE_NOTICE, json_object_get(item, "at"),
            ck_bundle_word_of(report->language, "channel_", channel == NULL ? "" : channel),
            word_of(report, "notice_", json_object_get(item, "state")));
    }
}

void ck_report_collect(struct ck_report *report)
{
    const json_t *checkin = json_object_get(report->facts, "checkin");
    const json_t *incident = json_object_get(report->facts, "incident"), *item;
    size_t i;
    collect_checkin(report, checkin);
    json_array_foreach(json_object_get(incident, "line"), i, item)
    {
        const char *what = json_string_value(json_object_get(item, "what"));
        add(report, CK_LANE_INCIDENT, json_object_get(item, "at"),
            ck_bundle_word_of(report->language, "line_", what == NULL ? "" : what),
            json_string_value(json_object_get(item, "reference")));
    }
    if (checkin != NULL) {
        const char *outcome = json_string_value(json_object_get(checkin, "outcome"));
        add(report, CK_LANE_PERSON, json_object_get(checkin, "decided"),
            ck_bundle_word_of(report->language, "outcome_", outcome == NULL ? "" : outcome), NULL);
    }
    qsort(report->events, report->event_count, sizeof report->events[0], by_time);
}

void ck_report_timeline(struct ck_report *report)
{
    static const enum ck_bundle_text names[CK_LANES] = {CK_TEXT_RING, CK_TEXT_CHECKIN,
                                                        CK_TEXT_NOTICES, CK_TEXT_INCIDENT};
    const char *lanes[CK_LANES];
    if (report->event_count == 0) {
        return;
    }
    for (int lane = 0; lane < CK_LANES; lane++) {
        lanes[lane] = ck_bundle_text(report->language, names[lane]);
    }
    const struct ck_report_event *first = &report->events[0],
                                 *last = &report->events[report->event_count - 1];
    const struct ck_report_moment from = ck_report_moment(report, first->at),
                                  until = ck_report_moment(report, last->at);
    const char *const ends[2] = {from.local, until.local};
    int64_t span = last->at_ms > first->at_ms ? last->at_ms - first->at_ms : 1;
    ck_paper_picture(report->out, lanes, CK_LANES, ends, (unsigned)report->event_count);
    for (size_t i = 0; i < report->event_count; i++) {
        const struct ck_report_event *event = &report->events[i];
        char text[400];
        snprintf(text, sizeof text, "%s %s", ck_report_moment(report, event->at).local,
                 event->what);
        ck_paper_mark(report->out, (unsigned)event->lane,
                      (uint16_t)((event->at_ms - first->at_ms) * UINT16_MAX / span), text);
    }
}
