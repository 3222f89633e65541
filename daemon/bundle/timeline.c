/* The time line of a report: what happened, from all sources in one order, as a table and as a
 * picture with a lane for each kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bundle/report_impl.h"
#include "protocol/base/time.h"

/* At one time: what was done before what came of it. The outcome, the first that is collected, ends
 * what else there is. */
static uint32_t order_of(const struct ck_report *report, enum ck_report_lane lane)
{
    uint32_t place = (uint32_t)report->event_count;
    return lane == CK_LANE_INCIDENT || place == 0 ? 2 * CK_REPORT_EVENTS_MAX + place : place;
}

static void add(struct ck_report *report, enum ck_report_lane lane, const json_t *at,
                const char *what, const char *detail)
{
    struct ck_wall wall;
    const char *text = json_string_value(at);
    if (text == NULL || ck_wall_parse(text, &wall) != 0) {
        return;
    }
    if (report->event_count == CK_REPORT_EVENTS_MAX) {
        report->events_left_out++;
        return;
    }
    report->events[report->event_count++] =
        (struct ck_report_event){.at = text,
                                 .at_ms = wall.ms,
                                 .what = what == NULL ? "" : what,
                                 .detail = detail == NULL ? "" : detail,
                                 .lane = lane,
                                 .order = order_of(report, lane)};
}

static int by_time(const void *a, const void *b)
{
    const struct ck_report_event *first = a, *second = b;
    if (first->at_ms != second->at_ms) {
        return first->at_ms < second->at_ms ? -1 : 1;
    }
    return first->order < second->order ? -1 : first->order > second->order;
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

/* Of a line that is longer than two thirds of all, the middle is left out: how it began and what it
 * came to stays. */
static void collect_incident(struct ck_report *report, const json_t *incident)
{
    const json_t *item, *line = json_object_get(incident, "line");
    size_t i, room = CK_REPORT_EVENTS_MAX * 2 / 3, size = json_array_size(line);
    json_array_foreach(line, i, item)
    {
        if (size > room && i >= room / 2 && i < size - room / 2) {
            report->events_left_out++;
            continue;
        }
        add(report, CK_LANE_INCIDENT, json_object_get(item, "at"),
            word_of(report, "line_", json_object_get(item, "what")),
            json_string_value(json_object_get(item, "reference")));
    }
}

void ck_report_collect(struct ck_report *report)
{
    const json_t *checkin = json_object_get(report->facts, "checkin");
    add(report, CK_LANE_PERSON, json_object_get(checkin, "decided"),
        word_of(report, "outcome_", json_object_get(checkin, "outcome")), NULL);
    collect_incident(report, json_object_get(report->facts, "incident"));
    collect_checkin(report, checkin);
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
