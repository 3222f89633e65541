/* Threads, the files in them, and the texts kept ready for them. */
#include "daemon/store/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "daemon/cases/cases.h"
#include "daemon/cases/content.h"
#include "daemon/cases/file_type.h"
#include "daemon/core/body.h"
#include "daemon/store/plan.h"
#include "daemon/store/query_incident.h"
#include "daemon/store/template.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

/* ---- threads ---- */

/* Whom a thread is with or about (0: nobody), and how long it is kept. */
struct about {
    int64_t person;
    enum ck_keep keep;
};

static int messages_of(struct ck_store *store, struct ck_api_call *call,
                       const struct ck_thread_of *of, struct about about, json_t **out)
{
    ck_cleanup(json_decrefp) json_t *page = NULL;
    int r = ck_query_messages(store, of, call->before, &page);
    r = r == 0 ? ck_api_check_put_back(store, call, about.keep, about.person) : r;
    r = r == 0 ? ck_content_open_page(call->api->options.master_key, page) : r;
    if (r == 0) {
        *out = ck_take(page);
    }
    return r;
}

static int check_person(struct ck_store *store, const struct ck_api_call *call, int64_t person,
                        struct ck_subject *subject)
{
    int r = ck_subject_load(store, person, subject);
    return r == 0 && !ck_may_read(&call->actor, subject->unit, subject->inspector, person)
               ? CK_E_DENIED
               : r;
}

/* Who sees the incident sees its thread. */
static int check_incident(struct ck_store *store, const struct ck_api_call *call, int64_t incident,
                          struct about *about)
{
    json_t *row = NULL;
    struct ck_scope scope = ck_policy_scope(&call->actor);
    int r = ck_query_incident_row(store, &scope, incident, &row);
    const char *kind = json_string_value(json_object_get(row, "kind"));
    bool confided = r == 0 && (strcmp(kind, "safety_check") == 0 || strcmp(kind, "concern") == 0);
    about->person = json_integer_value(json_object_get(row, "person_id"));
    about->keep = confided ? CK_KEEP_CONCERN : CK_KEEP_MESSAGES;
    json_decref(row);
    return r;
}

int ck_api_messages(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    /* The record of the read may be of an earlier request: the scope is checked each time. */
    struct ck_subject subject;
    int r = check_person(store, call, call->id, &subject);
    r = r == 0 ? messages_of(store, call, &(struct ck_thread_of){.person = call->id},
                             (struct about){call->id, CK_KEEP_MESSAGES}, out)
               : r;
    /* The one that texts kept ready are picked in. */
    return r == 0 && json_object_set_new(*out, "language", json_string(subject.language)) != 0
               ? -ENOMEM
               : r;
}

int ck_api_incident_messages(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    struct about about;
    int r = check_incident(store, call, call->id, &about);
    return r == 0
               ? messages_of(store, call, &(struct ck_thread_of){.incident = call->id}, about, out)
               : r;
}

int ck_api_self_messages(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return messages_of(store, call, &(struct ck_thread_of){.person = call->actor.person_id},
                       (struct about){call->actor.person_id, CK_KEEP_MESSAGES}, out);
}

/* ---- files ---- */

static bool name_safe(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '-' || c == '_';
}

/* Content-Disposition by RFC 6266: saved, never shown in place of a page; the name in UTF-8. */
static void set_disposition(struct ck_api_call *call, const struct ck_file_type *type,
                            const char *name)
{
    char saved[CK_FILE_NAME_MAX + 8];
    ck_file_save_name(type, name, saved, sizeof saved);
    size_t at = (size_t)snprintf(call->disposition, sizeof call->disposition,
                                 "attachment; filename*=UTF-8''");
    for (const char *c = saved; *c != '\0' && at + 4 < sizeof call->disposition; c++) {
        at += (size_t)snprintf(call->disposition + at, sizeof call->disposition - at,
                               name_safe((unsigned char)*c) ? "%c" : "%%%02X", (unsigned char)*c);
    }
}

/* The file of an opened message becomes the call's blob. */
static int give_file(struct ck_store *store, struct ck_api_call *call, const json_t *content)
{
    const json_t *about = json_object_get(content, "file");
    const char *mime = json_string_value(json_object_get(about, "type"));
    const char *name = json_string_value(json_object_get(about, "name"));
    const struct ck_file_type *type = mime == NULL ? NULL : ck_file_type_find(mime);
    if (type == NULL || name == NULL) {
        return CK_E_NOT_FOUND; /* a message of words alone */
    }
    struct ck_message_file file;
    int r = ck_message_file_load(store, call->id, &file);
    if (r != 0) {
        return r;
    }
    r = ck_content_open_file(content, &file);
    if (r != 0) {
        ck_message_file_clear(&file);
        return r == CK_E_AUTH ? -EUCLEAN : r;
    }
    call->blob = file.sealed;
    call->blob_size = file.size - CK_GCM_TAG_SIZE;
    call->blob_type = type->mime;
    set_disposition(call, type, name);
    return 0;
}

static int file_of(struct ck_store *store, struct ck_api_call *call, const json_t *message,
                   struct about about)
{
    json_t *content = NULL;
    int r = ck_api_check_put_back(store, call, about.keep, about.person);
    if (r != 0) {
        return r;
    }
    r = ck_content_open(call->api->options.master_key,
                        json_integer_value(json_object_get(message, "thread")),
                        json_string_value(json_object_get(message, "key")), message, &content);
    if (r != 0) {
        return r == CK_E_AUTH ? CK_E_NOT_FOUND : r; /* its key was destroyed */
    }
    r = give_file(store, call, content);
    json_decref(content);
    return r;
}

enum side { OF_PERSON, OF_INCIDENT, OF_SELF };

static int file_for(struct ck_store *store, struct ck_api_call *call, enum side side)
{
    ck_cleanup(json_decrefp) json_t *message = NULL;
    int r = ck_query_message(store, call->id, &message);
    if (r != 0) {
        return r;
    }
    struct about about = {json_integer_value(json_object_get(message, "person")), CK_KEEP_MESSAGES};
    int64_t incident = json_integer_value(json_object_get(message, "incident"));
    if ((side == OF_INCIDENT) != (incident != 0)) {
        return CK_E_NOT_FOUND;
    }
    switch (side) {
    case OF_SELF:
        r = about.person == call->actor.person_id ? 0 : CK_E_NOT_FOUND;
        break;
    case OF_INCIDENT:
        r = check_incident(store, call, incident, &about);
        break;
    case OF_PERSON:
        r = check_person(store, call, about.person, &(struct ck_subject){0});
        break;
    }
    return r == 0 ? file_of(store, call, message, about) : r;
}

int ck_api_message_file(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    (void)out;
    return file_for(store, call, OF_PERSON);
}

int ck_api_incident_file(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    (void)out;
    return file_for(store, call, OF_INCIDENT);
}

int ck_api_self_file(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    (void)out;
    return file_for(store, call, OF_SELF);
}

/* ---- texts kept ready ---- */

int ck_api_templates(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    return ck_query_templates(store, call->actor.unit_id, out);
}
