/* The messages between the person and the inspectors around a check-in, and the files in them. What
 * officers wrote to each other about an incident is free text about others: it stays in the house.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/audit/destroyed.h"
#include "daemon/bundle/bundle_impl.h"
#include "daemon/cases/content.h"
#include "daemon/cases/file_type.h"
#include "daemon/store/message.h"
#include "protocol/base/error.h"

#define PAGE 500
#define AROUND_MS (INT64_C(24) * 3600000) /* before the window and after the end */

static bool time_of(const json_t *object, const char *member, struct ck_wall *at)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL && ck_wall_parse(text, at) == 0;
}

/* From a day before the window (or the incident) to a day after its end. */
static bool span_of(const struct ck_bundle_work *work, struct ck_wall *from, struct ck_wall *until)
{
    const json_t *checkin = json_object_get(work->facts, "checkin");
    const json_t *incident = json_object_get(work->facts, "incident");
    if (!time_of(json_object_get(checkin, "window"), "start", from) &&
        !time_of(checkin, "due", from) && !time_of(incident, "opened", from)) {
        return false;
    }
    if (!time_of(incident, "closed", until) && !time_of(checkin, "decided", until)) {
        *until = work->order->now;
    }
    *from = ck_wall_add_ms(*from, -AROUND_MS);
    *until = ck_wall_add_ms(*until, AROUND_MS);
    return true;
}

/* The file of an opened message into the archive; its mark in the facts. What is beyond the room is
 * left out and said. */
static int add_file(struct ck_bundle_work *work, const json_t *content, int64_t id, json_t *shown,
                    uint64_t *room)
{
    const json_t *about = json_object_get(content, "file");
    json_t *mark = json_object_get(shown, "file");
    const char *mime = json_string_value(json_object_get(about, "type"));
    const struct ck_file_type *type = mime == NULL ? NULL : ck_file_type_find(mime);
    struct ck_message_file file;
    if (type == NULL || !json_is_object(mark)) {
        return 0;
    }
    int r = ck_message_file_load(work->store, id, &file);
    if (r == CK_E_NOT_FOUND) {
        return json_object_set_new(mark, "path", json_null());
    }
    if (r != 0) {
        return r;
    }
    char name[64];
    snprintf(name, sizeof name, "messages/%lld%s", (long long)id, type->endings[0]);
    r = ck_content_open_file(content, &file);
    size_t size = file.size - CK_GCM_TAG_SIZE;
    bool fits = r == 0 && size <= *room;
    if (fits) {
        *room -= size;
        r = ck_zip_add(work->zip, name, file.sealed, size);
    }
    ck_message_file_clear(&file);
    if (r == 0) {
        json_object_set(mark, "sha256", json_object_get(about, "sha256"));
        json_object_set_new(mark, "path", fits ? json_string(name) : json_null());
    }
    return r;
}

static int add_message(struct ck_bundle_work *work, const json_t *page, const json_t *row,
                       json_t *list, uint64_t *room)
{
    static const char *const members[] = {"id", "from", "author", "sent", "delivered", "read"};
    json_t *content = NULL, *shown = json_object();
    int64_t id = json_integer_value(json_object_get(row, "id"));
    int r = ck_content_open(work->order->master_key,
                            json_integer_value(json_object_get(page, "thread")),
                            json_string_value(json_object_get(page, "key")), row, &content);
    r = r == CK_E_AUTH ? 0 : r; /* erased: that it was sent is still a fact */
    for (size_t i = 0; r == 0 && i < sizeof members / sizeof members[0]; i++) {
        r = json_object_set(shown, members[i], json_object_get(row, members[i])) == 0 ? 0 : -ENOMEM;
    }
    r = r == 0 ? ck_content_show(content, shown) : r;
    r = r == 0 && content != NULL ? add_file(work, content, id, shown, room) : r;
    r = r == 0 ? json_array_append(list, shown) : r;
    json_decref(shown);
    json_decref(content);
    return r == -1 ? -ENOMEM : r;
}

/* What may still come into the bundle. */
struct room {
    uint64_t files, texts; /* bytes */
    int64_t messages;
};

/* One page of the thread into the list, or, without room, into the number of those left out.
 * *after: its last message. */
static int add_page(struct ck_bundle_work *work, json_t *page, json_t *list, struct room *room,
                    int64_t *after, int64_t *beyond)
{
    const json_t *row;
    size_t i;
    int r = 0;
    json_array_foreach(json_object_get(page, "messages"), i, row)
    {
        uint64_t text = json_string_length(json_object_get(row, "sealed")) / 2;
        *after = json_integer_value(json_object_get(row, "id"));
        if (room->messages == 0 || text > room->texts) {
            room->messages = 0; /* nothing later is in it */
            ++*beyond;
        } else {
            room->messages--;
            room->texts -= text;
            r = r == 0 ? add_message(work, page, row, list, &room->files) : r;
        }
    }
    return r;
}

/* Page by page: the sealed half of a long thread is never in memory whole. */
static int add_thread(struct ck_bundle_work *work, struct ck_wall from, struct ck_wall until,
                      bool put_back, json_t *list)
{
    struct room room = {.files = CK_BUNDLE_FILES_MAX,
                        .texts = CK_BUNDLE_TEXTS_MAX,
                        .messages = CK_BUNDLE_MESSAGES_MAX};
    int64_t after = 0, beyond = 0;
    size_t count = PAGE;
    int r = 0;
    while (r == 0 && count == PAGE) {
        json_t *page = NULL;
        r = ck_query_messages_between(work->store, work->order->person, from, until, after, PAGE,
                                      &page);
        if (r == 0 && put_back) { /* erased: what is there again opens nothing */
            r = json_object_set_new(page, "key", json_null()) == 0 ? 0 : -ENOMEM;
        }
        count = json_array_size(json_object_get(page, "messages"));
        r = r == 0 ? add_page(work, page, list, &room, &after, &beyond) : r;
        json_decref(page);
    }
    return r != 0 ? r
           : json_object_set_new(work->facts, "messages_beyond", json_integer(beyond)) == 0
               ? 0
               : -ENOMEM;
}

int ck_bundle_messages(struct ck_bundle_work *work)
{
    struct ck_wall from, until;
    json_t *list = json_array();
    bool put_back = false;
    int r = json_object_set_new(work->facts, "messages", list) == 0 ? 0 : -ENOMEM;
    if (r != 0 || !span_of(work, &from, &until)) {
        return r;
    }
    r = ck_audit_put_back(work->store, CK_KEEP_MESSAGES, work->order->person, &put_back);
    return r == 0 ? add_thread(work, from, until, put_back, list) : r;
}
