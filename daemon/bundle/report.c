/* What a report says, as a document of blocks (protocol/paper.h): the page of HTML (html.c) and the
 * PDF (checkin-render) are both made of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bundle/bundle_impl.h"
#include "daemon/bundle/report_impl.h"
#include "protocol/base/cleanup.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
    ck_paper_heading(report->out, words(report, text));
}

static void say(struct ck_report *report, unsigned flags, enum ck_bundle_text text)
{
    ck_paper_text(report->out, flags, words(report, text), NULL);
}

static void cell(struct ck_report *report, const char *text)
{
    ck_paper_cell(report->out, 0, text, NULL, NULL);
}

/* A table of names and values. */
static void begin_pairs(struct ck_report *report)
{
    static const uint8_t widths[] = {32, 68};
    ck_paper_table(report->out, widths, COUNT(widths));
}

static void row(struct ck_report *report, enum ck_bundle_text name, const char *value)
{
    if (*value == '\0') {
        return;
    }
    ck_paper_row(report->out, 0, 2);
    ck_paper_cell(report->out, CK_PAPER_BOLD, words(report, name), NULL, NULL);
    cell(report, value);
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
    ck_paper_cell(report->out, CK_PAPER_TIGHT, moment.local, moment.utc, NULL);
}

/* That something is in facts.json alone. */
static void say_left_out(struct ck_report *report, size_t count)
{
    char text[400];
    snprintf(text, sizeof text, "%s: %zu", words(report, CK_TEXT_LEFT_OUT), count);
    if (count > 0) {
        ck_paper_text(report->out, 0, text, "facts.json");
    }
}

/* ---- parts ---- */

static void write_head(struct ck_report *report)
{
    const json_t *about = json_object_get(report->facts, "bundle");
    const json_t *person = json_object_get(report->facts, "person");
    struct ck_wall made = {0};
    char foot[200];
    (void)ck_wall_parse(text_of(about, "made"), &made);
    snprintf(foot, sizeof foot, "%s · %s · %s", words(report, CK_TEXT_TITLE),
             text_of(person, "reference"), text_of(about, "made"));
    ck_paper_head(report->out,
                  &(struct ck_paper_about){.language = ck_bundle_language_names[report->language],
                                           .title = words(report, CK_TEXT_TITLE),
                                           .foot = foot,
                                           .made = made});
    say(report, 0, CK_TEXT_FACTS_ONLY);
}

static void write_about(struct ck_report *report)
{
    const json_t *about = json_object_get(report->facts, "bundle");
    const json_t *person = json_object_get(report->facts, "person");
    begin_pairs(report);
    row(report, CK_TEXT_PERSON, text_of(person, "name"));
    row(report, CK_TEXT_REFERENCE, text_of(person, "reference"));
    row(report, CK_TEXT_RECIPIENT, text_of(about, "recipient"));
    row(report, CK_TEXT_REASON, text_of(about, "reason"));
    time_row(report, CK_TEXT_MADE, text_of(about, "made"));
    row(report, CK_TEXT_ZONE, text_of(about, "zone"));
}

static void write_conclusion(struct ck_report *report, const json_t *conclusion)
{
    char at[CK_REPORT_MOMENT_SIZE];
    ck_cleanup(ck_freep) char *text = NULL;
    if (!json_is_object(conclusion)) {
        return;
    }
    ck_report_moment_line(report, text_of(conclusion, "at"), at);
    if (asprintf(
            &text, "%s · %s · %s · %s",
            ck_bundle_word_of(report->language, "conclusion_", text_of(conclusion, "conclusion")),
            text_of(conclusion, "by"), at, text_of(conclusion, "reason")) < 0) {
        text = NULL;
        report->failed = true;
        return;
    }
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
    begin_pairs(report);
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
}

static void write_incident(struct ck_report *report)
{
    const json_t *incident = json_object_get(report->facts, "incident");
    if (incident == NULL) {
        return;
    }
    heading(report, CK_TEXT_INCIDENT);
    begin_pairs(report);
    time_row(report, CK_TEXT_OPENED, text_of(incident, "opened"));
    write_conclusion(report, json_object_get(incident, "conclusion"));
}

static void write_events(struct ck_report *report)
{
    static const uint8_t widths[] = {30, 34, 36};
    static const enum ck_bundle_text names[] = {CK_TEXT_TIME, CK_TEXT_WHAT, CK_TEXT_DETAIL};
    heading(report, CK_TEXT_TIMELINE);
    ck_report_timeline(report);
    ck_paper_table(report->out, widths, COUNT(widths));
    ck_paper_row(report->out, CK_PAPER_TOP, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_paper_cell(report->out, CK_PAPER_BOLD, words(report, names[i]), NULL, NULL);
    }
    for (size_t i = 0; i < report->event_count; i++) {
        ck_paper_row(report->out, 0, COUNT(names));
        time_cell(report, report->events[i].at);
        cell(report, report->events[i].what);
        cell(report, report->events[i].detail);
    }
    say_left_out(report, report->events_left_out);
}

/* A cell with the words, and the file as a link to where it lies in the archive. */
static void message_cell(struct ck_report *report, const json_t *message)
{
    const json_t *file = json_object_get(message, "file");
    const char *text = json_string_value(json_object_get(message, "text"));
    const char *path = json_string_value(json_object_get(file, "path"));
    ck_cleanup(ck_freep) char *name = NULL;
    if (json_is_object(file) &&
        asprintf(&name, path != NULL ? "%s" : "%s –", text_of(file, "name")) < 0) {
        name = NULL;
        report->failed = true;
    }
    ck_paper_cell(report->out, 0, text == NULL ? words(report, CK_TEXT_ERASED) : text, name, path);
}

static void write_messages(struct ck_report *report)
{
    static const uint8_t widths[] = {30, 20, 50};
    const json_t *list = json_object_get(report->facts, "messages");
    heading(report, CK_TEXT_MESSAGES);
    if (json_array_size(list) == 0) {
        say(report, 0, CK_TEXT_NONE);
        return;
    }
    ck_paper_table(report->out, widths, COUNT(widths));
    size_t count = json_array_size(list);
    size_t shown = count < CK_REPORT_MESSAGES_MAX ? count : CK_REPORT_MESSAGES_MAX;
    for (size_t i = 0; i < shown; i++) {
        const json_t *message = json_array_get(list, i);
        ck_paper_row(report->out, 0, COUNT(widths));
        time_cell(report, text_of(message, "sent"));
        cell(report, text_of(message, "author"));
        message_cell(report, message);
    }
    say_left_out(report, count - shown);
    json_int_t beyond = json_integer_value(json_object_get(report->facts, "messages_beyond"));
    if (beyond > 0) {
        char text[400];
        snprintf(text, sizeof text, "%s: %lld", words(report, CK_TEXT_BEYOND), (long long)beyond);
        ck_paper_text(report->out, 0, text, NULL);
    }
}

static void write_recording(struct ck_report *report, const json_t *recording)
{
    char text[240], from[CK_REPORT_MOMENT_SIZE], path[64];
    ck_report_moment_line(report, text_of(recording, "from"), from);
    snprintf(text, sizeof text, "%s · %lld s · %s", from,
             (long long)json_integer_value(json_object_get(recording, "seconds")),
             ck_bundle_word_of(report->language, "recorded_", text_of(recording, "state")));
    snprintf(path, sizeof path, "recordings/%lld.webm",
             (long long)json_integer_value(json_object_get(recording, "id")));
    cell(report, ck_bundle_word_of(report->language, "leg_", text_of(recording, "leg")));
    cell(report, text);
    if (json_is_true(json_object_get(recording, "in_bundle"))) {
        ck_paper_cell(report->out, 0, path, NULL, path);
    } else {
        cell(report, "–");
    }
}

static void write_recordings(struct ck_report *report)
{
    static const uint8_t widths[] = {20, 52, 28};
    const json_t *list = json_object_get(report->facts, "recordings"), *recording;
    size_t i;
    heading(report, CK_TEXT_RECORDINGS);
    if (json_array_size(list) == 0) {
        say(report, 0, CK_TEXT_NONE);
        return;
    }
    ck_paper_table(report->out, widths, COUNT(widths));
    json_array_foreach(list, i, recording)
    {
        ck_paper_row(report->out, 0, COUNT(widths));
        write_recording(report, recording);
    }
    if (strcmp(text_of(report->facts, "side_by_side"), "made") == 0) {
        ck_paper_text(report->out, 0, words(report, CK_TEXT_SIDE_BY_SIDE), CK_BUNDLE_SIDE_BY_SIDE);
    }
}

/* What of the log is shown, in the order in which it is left out. */
enum weight { READS, NOTICES, DECIDING, WEIGHTS };

static enum weight weight_of(const json_t *entry)
{
    const char *action = text_of(entry, "action");
    return strcmp(action, "READ") == 0 || strcmp(action, "DENIED") == 0 ? READS
           : strncmp(action, "NOTICE_", strlen("NOTICE_")) == 0         ? NOTICES
                                                                        : DECIDING;
}

static void write_entry(struct ck_report *report, const json_t *entry)
{
    long long index = json_integer_value(json_object_get(entry, "index"));
    char number[24], path[48];
    bool is_signed = json_is_true(json_object_get(entry, "signed"));
    snprintf(number, sizeof number, "%lld", index);
    snprintf(path, sizeof path, "entries/%lld.json", index);
    ck_paper_row(report->out, 0, 4);
    ck_paper_cell(report->out, 0, number, NULL, path);
    time_cell(report, text_of(entry, "at"));
    cell(report, text_of(entry, "action"));
    cell(report, is_signed ? "" : words(report, CK_TEXT_UNSIGNED));
}

/* The entries, and how many of them were left out because there are too many for a page. */
static size_t write_entries(struct ck_report *report, const json_t *list)
{
    size_t counts[WEIGHTS] = {0}, places[WEIGHTS] = {0}, room[WEIGHTS] = {0};
    size_t i, left = CK_REPORT_ENTRIES_MAX, left_out = 0;
    const json_t *entry;
    json_array_foreach(list, i, entry)
    {
        counts[weight_of(entry)]++;
    }
    for (int weight = DECIDING; weight >= READS; weight--) {
        room[weight] = counts[weight] < left ? counts[weight] : left;
        left -= room[weight];
    }
    json_array_foreach(list, i, entry)
    {
        enum weight weight = weight_of(entry);
        size_t at = places[weight]++, half = room[weight] / 2;
        if (at < half || at + (room[weight] - half) >= counts[weight]) {
            write_entry(report, entry);
        } else {
            left_out++;
        }
    }
    return left_out;
}

static void write_log(struct ck_report *report)
{
    static const uint8_t widths[] = {10, 30, 34, 26};
    heading(report, CK_TEXT_LOG);
    say(report, 0, CK_TEXT_LOG_EXPLAINED);
    ck_paper_table(report->out, widths, COUNT(widths));
    say_left_out(report, write_entries(report, json_object_get(report->facts, "entries")));
    say(report, CK_PAPER_QUIET, CK_TEXT_WITHHELD);
    say(report, 0, CK_TEXT_VERIFY);
    ck_paper_end(report->out);
}

static void write_all(struct ck_report *report)
{
    ck_report_collect(report);
    write_head(report);
    write_about(report);
    write_checkin(report);
    write_incident(report);
    write_events(report);
    write_messages(report);
    write_recordings(report);
    write_log(report);
}

int ck_bundle_report(const json_t *facts, const struct ck_zone *zone,
                     enum ck_bundle_language language, char **paper, size_t *size)
{
    struct ck_report report = {.facts = facts, .zone = zone, .language = language};
    report.out = open_memstream(paper, size);
    if (report.out == NULL) {
        return -ENOMEM;
    }
    report.events = calloc(CK_REPORT_EVENTS_MAX, sizeof *report.events);
    report.failed = report.events == NULL;
    if (!report.failed) {
        write_all(&report);
    }
    free(report.events);
    return fclose(report.out) == 0 && !report.failed ? 0 : -ENOMEM;
}
