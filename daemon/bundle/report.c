/* The report: one page of HTML that needs nothing else, to be read on a screen or printed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bundle/bundle_impl.h"
#include "daemon/bundle/report_impl.h"
#include "protocol/base/cleanup.h"

void ck_report_text(struct ck_report *report, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", report->out);
            break;
        case '>':
            fputs("&gt;", report->out);
            break;
        case '&':
            fputs("&amp;", report->out);
            break;
        case '"':
            fputs("&quot;", report->out);
            break;
        default:
            fputc(*text, report->out);
        }
    }
}

static const char *words(const struct ck_report *report, enum ck_bundle_text text)
{
    return ck_bundle_text(report->language, text);
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text == NULL ? "" : text;
}

static void heading(struct ck_report *report, enum ck_bundle_text text)
{
    fputs("<h2>", report->out);
    ck_report_text(report, words(report, text));
    fputs("</h2>\n", report->out);
}

static void row(struct ck_report *report, enum ck_bundle_text name, const char *value)
{
    if (*value == '\0') {
        return;
    }
    fputs("<tr><th>", report->out);
    ck_report_text(report, words(report, name));
    fputs("</th><td>", report->out);
    ck_report_text(report, value);
    fputs("</td></tr>\n", report->out);
}

static void cell(struct ck_report *report, const char *text)
{
    fputs("<td>", report->out);
    ck_report_text(report, text);
    fputs("</td>", report->out);
}

static void time_row(struct ck_report *report, enum ck_bundle_text name, const char *at)
{
    char line[CK_REPORT_MOMENT_SIZE];
    ck_report_moment_line(report, at, line);
    row(report, name, line);
}

static void time_cell(struct ck_report *report, const char *at)
{
    struct ck_report_moment moment = ck_report_moment(report, at);
    fprintf(report->out, "<td class=\"time\">");
    ck_report_text(report, moment.local);
    if (moment.utc[0] != '\0') {
        fprintf(report->out, "<br><span class=\"quiet\">%s</span>", moment.utc);
    }
    fputs("</td>", report->out);
}

/* ---- parts ---- */

static void write_head(struct ck_report *report)
{
    fprintf(report->out,
            "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">\n<title>",
            ck_bundle_language_names[report->language]);
    ck_report_text(report, words(report, CK_TEXT_TITLE));
    fputs("</title>\n<style>\nbody{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em "
          "auto;padding:0 1em;color:#111}\nh1{font-size:1.5em}h2{font-size:1.15em;margin-top:1.8em}"
          "\ntable{border-collapse:collapse;width:100%}\nth,td{text-align:left;vertical-align:top;"
          "padding:.25em .6em;border-bottom:1px solid #ddd}\nth{font-weight:600;width:16em}\n"
          "thead "
          "th{width:auto}\nsvg{width:100%;height:auto}\n.quiet{color:#555}\n.time{white-space:"
          "nowrap}\n@media print{h2{"
          "break-after:avoid}tr{break-inside:avoid}}\n</style></head><body>\n<h1>",
          report->out);
    ck_report_text(report, words(report, CK_TEXT_TITLE));
    fputs("</h1>\n<p>", report->out);
    ck_report_text(report, words(report, CK_TEXT_FACTS_ONLY));
    fputs("</p>\n", report->out);
}

static void write_about(struct ck_report *report)
{
    const json_t *about = json_object_get(report->facts, "bundle");
    const json_t *person = json_object_get(report->facts, "person");
    fputs("<table>\n", report->out);
    row(report, CK_TEXT_PERSON, text_of(person, "name"));
    row(report, CK_TEXT_REFERENCE, text_of(person, "reference"));
    row(report, CK_TEXT_RECIPIENT, text_of(about, "recipient"));
    row(report, CK_TEXT_REASON, text_of(about, "reason"));
    time_row(report, CK_TEXT_MADE, text_of(about, "made"));
    row(report, CK_TEXT_ZONE, text_of(about, "zone"));
    fputs("</table>\n", report->out);
}

static void write_conclusion(struct ck_report *report, const json_t *conclusion)
{
    char text[1200], at[CK_REPORT_MOMENT_SIZE];
    if (!json_is_object(conclusion)) {
        return;
    }
    ck_report_moment_line(report, text_of(conclusion, "at"), at);
    snprintf(text, sizeof text, "%s · %s · %s · %s",
             ck_bundle_word_of(report->language, "conclusion_", text_of(conclusion, "conclusion")),
             text_of(conclusion, "by"), at, text_of(conclusion, "reason"));
    row(report, CK_TEXT_CONCLUSION, text);
}

static void write_checkin(struct ck_report *report)
{
    const json_t *checkin = json_object_get(report->facts, "checkin");
    const json_t *window = json_object_get(checkin, "window");
    char text[240], start[CK_REPORT_MOMENT_SIZE], end[CK_REPORT_MOMENT_SIZE];
    if (checkin == NULL) {
        return;
    }
    heading(report, CK_TEXT_CHECKIN);
    fputs("<table>\n", report->out);
    ck_report_moment_line(report, text_of(window, "start"), start);
    ck_report_moment_line(report, text_of(window, "end"), end);
    snprintf(text, sizeof text, "%s – %s", start, end);
    row(report, CK_TEXT_WINDOW, text);
    row(report, CK_TEXT_OUTCOME,
        ck_bundle_word_of(report->language, "outcome_", text_of(checkin, "outcome")));
    snprintf(text, sizeof text, "%zu", json_array_size(json_object_get(checkin, "attempts_made")));
    row(report, CK_TEXT_ATTEMPTS, text);
    snprintf(text, sizeof text, "%lld, %lld",
             (long long)json_integer_value(json_object_get(checkin, "answerable_s")),
             (long long)json_integer_value(json_object_get(checkin, "answerable_needed_s")));
    row(report, CK_TEXT_ANSWERABLE, text);
    write_conclusion(report, json_object_get(checkin, "conclusion"));
    fputs("</table>\n", report->out);
}

static void write_incident(struct ck_report *report)
{
    const json_t *incident = json_object_get(report->facts, "incident");
    if (incident == NULL) {
        return;
    }
    heading(report, CK_TEXT_INCIDENT);
    fputs("<table>\n", report->out);
    time_row(report, CK_TEXT_OPENED, text_of(incident, "opened"));
    write_conclusion(report, json_object_get(incident, "conclusion"));
    fputs("</table>\n", report->out);
}

static void write_events(struct ck_report *report)
{
    heading(report, CK_TEXT_TIMELINE);
    ck_report_timeline(report);
    fputs("<table><thead><tr><th>", report->out);
    ck_report_text(report, words(report, CK_TEXT_TIME));
    fputs("</th><th>", report->out);
    ck_report_text(report, words(report, CK_TEXT_WHAT));
    fputs("</th><th>", report->out);
    ck_report_text(report, words(report, CK_TEXT_DETAIL));
    fputs("</th></tr></thead><tbody>\n", report->out);
    for (size_t i = 0; i < report->event_count; i++) {
        fputs("<tr>", report->out);
        time_cell(report, report->events[i].at);
        cell(report, report->events[i].what);
        cell(report, report->events[i].detail);
        fputs("</tr>\n", report->out);
    }
    fputs("</tbody></table>\n", report->out);
}

/* A cell with the words, and the file as a link to where it lies in the archive. */
static void message_cell(struct ck_report *report, const json_t *message)
{
    const json_t *file = json_object_get(message, "file");
    const char *text = json_string_value(json_object_get(message, "text"));
    const char *path = json_string_value(json_object_get(file, "path"));
    fputs("<td>", report->out);
    ck_report_text(report, text == NULL ? words(report, CK_TEXT_ERASED) : text);
    if (json_is_object(file)) {
        fputs(text != NULL && *text != '\0' ? "<br>" : "", report->out);
        if (path != NULL) {
            fprintf(report->out, "<a href=\"%s\">", path);
        }
        ck_report_text(report, text_of(file, "name"));
        fputs(path != NULL ? "</a>" : " –", report->out);
    }
    fputs("</td>", report->out);
}

static void write_messages(struct ck_report *report)
{
    const json_t *list = json_object_get(report->facts, "messages"), *message;
    size_t i;
    heading(report, CK_TEXT_MESSAGES);
    if (json_array_size(list) == 0) {
        fprintf(report->out, "<p>%s</p>\n", words(report, CK_TEXT_NONE));
        return;
    }
    fputs("<table>\n", report->out);
    json_array_foreach(list, i, message)
    {
        fputs("<tr>", report->out);
        time_cell(report, text_of(message, "sent"));
        cell(report, text_of(message, "author"));
        message_cell(report, message);
        fputs("</tr>\n", report->out);
    }
    fputs("</table>\n", report->out);
}

static void write_recordings(struct ck_report *report)
{
    const json_t *list = json_object_get(report->facts, "recordings"), *recording;
    size_t i;
    heading(report, CK_TEXT_RECORDINGS);
    if (json_array_size(list) == 0) {
        fprintf(report->out, "<p>%s</p>\n", words(report, CK_TEXT_NONE));
        return;
    }
    fputs("<table>\n", report->out);
    json_array_foreach(list, i, recording)
    {
        char text[240], from[CK_REPORT_MOMENT_SIZE];
        long long id = json_integer_value(json_object_get(recording, "id"));
        bool there = json_is_true(json_object_get(recording, "in_bundle"));
        ck_report_moment_line(report, text_of(recording, "from"), from);
        snprintf(text, sizeof text, "%s · %lld s · %s", from,
                 (long long)json_integer_value(json_object_get(recording, "seconds")),
                 text_of(recording, "state"));
        fputs("<tr>", report->out);
        cell(report, ck_bundle_word_of(report->language, "leg_", text_of(recording, "leg")));
        cell(report, text);
        if (there) {
            fprintf(report->out, "<td><a href=\"recordings/%lld.webm\">%lld.webm</a></td>", id, id);
        } else {
            cell(report, "–");
        }
        fputs("</tr>\n", report->out);
    }
    fputs("</table>\n", report->out);
    if (strcmp(text_of(report->facts, "side_by_side"), "made") == 0) {
        fprintf(report->out, "<p><a href=\"%s\">%s</a></p>\n", CK_BUNDLE_SIDE_BY_SIDE,
                words(report, CK_TEXT_SIDE_BY_SIDE));
    }
}

static void write_log(struct ck_report *report)
{
    const json_t *list = json_object_get(report->facts, "entries"), *entry;
    size_t i;
    heading(report, CK_TEXT_LOG);
    fprintf(report->out, "<p>%s</p>\n<table>\n", words(report, CK_TEXT_LOG_EXPLAINED));
    json_array_foreach(list, i, entry)
    {
        long long index = json_integer_value(json_object_get(entry, "index"));
        fprintf(report->out, "<tr><td><a href=\"entries/%lld.json\">%lld</a></td>", index, index);
        time_cell(report, text_of(entry, "at"));
        cell(report, text_of(entry, "action"));
        cell(report,
             json_is_true(json_object_get(entry, "signed")) ? "" : words(report, CK_TEXT_UNSIGNED));
        fputs("</tr>\n", report->out);
    }
    fprintf(report->out, "</table>\n<p class=\"quiet\">%s</p>\n<p>%s</p>\n</body></html>\n",
            words(report, CK_TEXT_WITHHELD), words(report, CK_TEXT_VERIFY));
}

int ck_bundle_report(const json_t *facts, const struct ck_zone *zone,
                     enum ck_bundle_language language, char **html, size_t *size)
{
    struct ck_report report = {.facts = facts, .zone = zone, .language = language};
    report.out = open_memstream(html, size);
    if (report.out == NULL) {
        return -ENOMEM;
    }
    ck_report_collect(&report);
    write_head(&report);
    write_about(&report);
    write_checkin(&report);
    write_incident(&report);
    write_events(&report);
    write_messages(&report);
    write_recordings(&report);
    write_log(&report);
    return fclose(report.out) == 0 ? 0 : -ENOMEM;
}
