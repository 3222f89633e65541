/* The time line of a report: what happened, from all sources in one order, as a table and as a
 * picture with a lane for each kind. */
#include <stdlib.h>
#include <string.h>

#include "daemon/bundle/report_impl.h"
#include "protocol/base/time.h"

#define WIDTH 900
#define LEFT 150
#define LANE 34
#define TOP 12

static void add(struct ck_report *report, enum ck_report_lane lane, const json_t *at,
                const char *what, const json_t *detail)
{
    struct ck_wall wall;
    const char *text = json_string_value(at), *more = json_string_value(detail);
    if (text == NULL || ck_wall_parse(text, &wall) != 0 ||
        report->event_count == CK_REPORT_EVENTS_MAX) {
        return;
    }
    report->events[report->event_count++] =
        (struct ck_report_event){.at = text,
                                 .at_ms = wall.ms,
                                 .what = what,
                                 .detail = more == NULL ? "" : more,
                                 .lane = lane};
}

static int by_time(const void *a, const void *b)
{
    const struct ck_report_event *first = a, *second = b;
    return first->at_ms < second->at_ms ? -1 : first->at_ms > second->at_ms;
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
            json_object_get(item, "detail"));
    }
    json_array_foreach(json_object_get(checkin, "notices"), i, item)
    {
        const char *channel = json_string_value(json_object_get(item, "channel"));
        add(report, CK_LANE_NOTICE, json_object_get(item, "at"),
            ck_bundle_word_of(report->language, "channel_", channel == NULL ? "" : channel),
            json_object_get(item, "state"));
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
            json_object_get(item, "reference"));
    }
    if (checkin != NULL) {
        const char *outcome = json_string_value(json_object_get(checkin, "outcome"));
        add(report, CK_LANE_PERSON, json_object_get(checkin, "decided"),
            ck_bundle_word_of(report->language, "outcome_", outcome == NULL ? "" : outcome), NULL);
    }
    qsort(report->events, report->event_count, sizeof report->events[0], by_time);
}

/* A shape for each lane, so that it needs no colour. */
static void mark(struct ck_report *report, enum ck_report_lane lane, double x, double y)
{
    switch (lane) {
    case CK_LANE_RING:
        fprintf(report->out, "<path d=\"M%.1f %.1fl-6 11h12z\"><title>", x, y - 6);
        break;
    case CK_LANE_PERSON:
        fprintf(report->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\"><title>", x, y);
        break;
    case CK_LANE_NOTICE:
        fprintf(report->out, "<path d=\"M%.1f %.1fh10v10h-10z\"><title>", x - 5, y - 5);
        break;
    case CK_LANE_INCIDENT:
    case CK_LANES:
        fprintf(report->out, "<path d=\"M%.1f %.1fl7 7-7 7-7-7z\"><title>", x, y - 7);
        break;
    }
}

static const char *const lane_ends[CK_LANES] = {"</title></path>", "</title></circle>",
                                                "</title></path>", "</title></path>"};

void ck_report_timeline(struct ck_report *report)
{
    static const enum ck_bundle_text names[CK_LANES] = {CK_TEXT_RING, CK_TEXT_CHECKIN,
                                                        CK_TEXT_NOTICES, CK_TEXT_INCIDENT};
    if (report->event_count == 0) {
        return;
    }
    const struct ck_report_event *last = &report->events[report->event_count - 1];
    int64_t from = report->events[0].at_ms, span = last->at_ms - from;
    span = span > 0 ? span : 1;
    fprintf(report->out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" font-size=\"12\">\n", WIDTH,
            TOP + CK_LANES * LANE + 30);
    for (int lane = 0; lane < CK_LANES; lane++) {
        int y = TOP + lane * LANE + LANE / 2;
        fprintf(report->out, "<text x=\"0\" y=\"%d\">", y + 4);
        ck_report_text(report, ck_bundle_text(report->language, names[lane]));
        fprintf(report->out, "</text><path d=\"M%d %dH%d\" stroke=\"#bbb\"/>\n", LEFT, y,
                WIDTH - 10);
    }
    for (size_t i = 0; i < report->event_count; i++) {
        const struct ck_report_event *event = &report->events[i];
        double x = LEFT + (double)(event->at_ms - from) / (double)span * (WIDTH - LEFT - 20);
        mark(report, event->lane, x, TOP + (int)event->lane * LANE + LANE / 2.0);
        ck_report_text(report, ck_report_moment(report, event->at).local);
        fputs(" ", report->out);
        ck_report_text(report, event->what);
        fprintf(report->out, "%s\n", lane_ends[event->lane]);
    }
    fprintf(report->out, "<text x=\"%d\" y=\"%d\">%s</text>", LEFT, TOP + CK_LANES * LANE + 18,
            ck_report_moment(report, report->events[0].at).local);
    fprintf(report->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n</svg>\n",
            WIDTH - 10, TOP + CK_LANES * LANE + 18, ck_report_moment(report, last->at).local);
}
