/* The facts of a bundle: copied member by member from what the pages see, so that whatever is added
 * there later stays out until somebody decides that it may leave the house. */
#include <errno.h>
#include <string.h>

#include "daemon/bundle/bundle_impl.h"
#include "daemon/store/person.h"
#include "daemon/store/plan.h"
#include "daemon/store/query_checkin.h"
#include "daemon/store/query_incident.h"
#include "daemon/store/query_people.h"
#include "protocol/base/error.h"

static const char *const checkin_members[] = {"id",
                                              "kind",
                                              "mandatory",
                                              "window",
                                              "due",
                                              "state",
                                              "outcome",
                                              "decided",
                                              "attempt",
                                              "attempts",
                                              "attempts_made",
                                              "evidence",
                                              "answerable_s",
                                              "answerable_needed_s",
                                              "health",
                                              "challenges",
                                              "declined_reason",
                                              "make_up_of",
                                              NULL};
static const char *const incident_members[] = {"id",    "kind",    "severity", "opened",
                                               "state", "outcome", "closed",   NULL};
static const char *const notice_members[] = {"reference", "channel",   "state", "at",
                                             "accepted",  "delivered", "tries", NULL};
static const char *const line_members[] = {"at", "what", "channel", "state", "reference", NULL};

static json_t *pick(const json_t *from, const char *const *members)
{
    json_t *picked = json_object();
    for (; *members != NULL; members++) {
        json_t *value = json_object_get(from, *members);
        if (value != NULL) {
            json_object_set(picked, *members, value);
        }
    }
    return picked;
}

/* What of an incident's line is nobody's safety: words of staff stay out, too. */
static json_t *lines_of(const json_t *lines)
{
    json_t *picked = json_array();
    size_t i;
    const json_t *line;
    json_array_foreach(lines, i, line)
    {
        const char *what = json_string_value(json_object_get(line, "what"));
        if (what != NULL && strcmp(what, "safety") != 0 && strcmp(what, "note") != 0) {
            json_array_append_new(picked, pick(line, line_members));
        }
    }
    return picked;
}

/* Notices to the person: one whose receiver is a member of staff is told about by the log alone. */
static json_t *notices_of(const json_t *notices)
{
    json_t *picked = json_array();
    size_t i;
    const json_t *notice;
    json_array_foreach(notices, i, notice)
    {
        json_array_append_new(picked, pick(notice, notice_members));
    }
    return picked;
}

static json_t *conclusion_of(const struct ck_bundle_work *work, const json_t *conclusion)
{
    static const char *const all[] = {"conclusion", "reason", "by", "at", NULL};
    static const char *const own[] = {"conclusion", "at", NULL};
    if (!json_is_object(conclusion)) {
        return json_null();
    }
    return pick(conclusion, work->order->audience == CK_BUNDLE_PERSON ? own : all);
}

static int add_checkin(struct ck_bundle_work *work, const struct ck_scope *scope, int64_t id)
{
    json_t *checkin = NULL;
    int r = ck_query_checkin(work->store, scope, id, &checkin);
    if (r != 0) {
        return r;
    }
    json_t *picked = pick(checkin, checkin_members);
    json_object_set_new(picked, "notices", notices_of(json_object_get(checkin, "notices")));
    json_object_set_new(picked, "conclusion",
                        conclusion_of(work, json_object_get(checkin, "conclusion")));
    json_object_set_new(work->facts, "checkin", picked);
    json_object_set(work->facts, "recordings", json_object_get(checkin, "recordings"));
    json_decref(checkin);
    return 0;
}

static int add_incident(struct ck_bundle_work *work, const struct ck_scope *scope, int64_t *checkin)
{
    json_t *incident = NULL;
    int r = ck_query_incident(work->store, scope, work->order->incident, &incident);
    if (r != 0) {
        return r;
    }
    *checkin = json_integer_value(json_object_get(incident, "checkin_id"));
    if (work->order->audience != CK_BUNDLE_PERSON) {
        json_t *picked = pick(incident, incident_members);
        json_object_set_new(picked, "line", lines_of(json_object_get(incident, "line")));
        json_object_set_new(picked, "conclusion",
                            conclusion_of(work, json_object_get(incident, "conclusion")));
        json_object_set_new(work->facts, "incident", picked);
    }
    json_decref(incident);
    return 0;
}

static int add_bundle(struct ck_bundle_work *work, const char *zone)
{
    static const char *const audiences[] = {"court", "person", "agency"};
    const struct ck_bundle_order *order = work->order;
    char made[CK_WALL_TEXT_SIZE];
    ck_wall_text(order->now, made);
    json_t *about =
        json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "approval", (json_int_t)order->approval,
                  "audience", audiences[order->audience], "recipient", order->recipient, "reason",
                  order->reason, "made", made, "build", CK_VERSION, "zone", zone);
    return about == NULL || json_object_set_new(work->facts, "bundle", about) != 0 ? -ENOMEM : 0;
}

int ck_bundle_facts(struct ck_bundle_work *work)
{
    struct ck_scope scope = {0};
    int64_t inspector = 0, checkin = work->order->checkin;
    char name[200], reference[64], zone[CK_ZONE_NAME_SIZE];
    int r = ck_person_owner(work->store, work->order->person, &scope.unit, &inspector);
    r = r == 0 ? ck_person_names(work->store, work->order->person, name, sizeof name, reference,
                                 sizeof reference)
               : r;
    r = r == 0 ? ck_unit_zone(work->store, scope.unit, zone) : r;
    r = r == 0 ? add_bundle(work, zone) : r;
    if (r == 0) {
        r = json_object_set_new(work->facts, "person",
                                json_pack("{s:s, s:s}", "name", name, "reference", reference));
    }
    if (r == 0 && work->order->incident != 0) {
        r = add_incident(work, &scope, &checkin);
    }
    return r == 0 && checkin != 0 ? add_checkin(work, &scope, checkin) : r;
}
