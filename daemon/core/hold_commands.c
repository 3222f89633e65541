/* Legal holds: what they are about is not destroyed while they are on. One is placed by a
 * supervisor with a reason and the date of its review, and released by two persons. */
#include <errno.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/zones.h"
#include "daemon/store/recording.h"
#include "daemon/store/retention.h"
#include "protocol/base/error.h"

#define REASON_MAX 1000
#define REVIEW_DAYS_MAX 366
#define DAY_MS INT64_C(86400000)

/* The beginning of the date in the zone of the person's unit. */
static int read_review(struct ck_turn *turn, const json_t *body, const struct ck_subject *subject,
                       struct ck_wall *at, const char **text, struct ck_refusal *refusal)
{
    const struct ck_zone *zone = NULL;
    struct ck_date date;
    int r = ck_body_text(body, "review", 10, false, text, refusal);
    if (r == 0 && ck_date_parse(*text, &date) != 0) {
        return ck_refuse(refusal, CK_E_INVALID, "review", "must be a date, YYYY-MM-DD");
    }
    r = r == 0 ? ck_zones_find(turn->engine->zones, subject->zone, &zone) : r;
    if (r != 0) {
        return r == CK_E_NOT_FOUND ? -EUCLEAN : r;
    }
    *at = ck_zone_midnight(zone, date);
    int64_t ahead = at->ms - turn->now.wall.ms;
    return ahead > 0 && ahead <= REVIEW_DAYS_MAX * DAY_MS
               ? 0
               : ck_refuse(refusal, CK_E_INVALID, "review", "must be a day to come, within a year");
}

/* Whether this actor has to do with holds on this person's data. */
static int check_supervisor(struct ck_turn *turn, const struct ck_actor *actor, int64_t person,
                            struct ck_subject *subject, struct ck_refusal *refusal)
{
    int r = ck_subject_load(turn->store, person, subject);
    bool may = r == 0 && actor->kind == CK_ACTOR_STAFF && actor->unit_id == subject->unit &&
               (actor->roles & CK_ROLE_SUPERVISOR) != 0;
    return r != 0 || may ? r
                         : ck_turn_deny(turn, actor, "person", person, person,
                                        "holds are for supervisors of the unit", refusal);
}

/* {kind, id} → what it is about and whose it is. */
static int read_object(struct ck_turn *turn, const json_t *body, struct ck_hold_row *hold,
                       struct ck_refusal *refusal)
{
    static const char *const kinds[] = {"person", "incident", "recording", NULL};
    struct ck_incident_row incident;
    int64_t id = 0, checkin = 0;
    bool erased = false;
    int kind = 0;
    int r = ck_body_word(body, "kind", kinds, &kind, refusal);
    r = r == 0 ? ck_body_id(body, "id", &id, refusal) : r;
    if (r != 0) {
        return r;
    }
    if (kind == 0) {
        hold->person = id;
    } else if (kind == 1) {
        hold->incident = id;
        r = ck_incident_load(turn->store, id, &incident);
        hold->person = r == 0 ? incident.step.person : 0;
    } else {
        hold->recording = id;
        r = ck_recording_owner(turn->store, id, &checkin, &hold->person);
    }
    r = r == 0 && hold->person == 0 ? CK_E_NOT_FOUND : r;
    r = r == 0 ? ck_person_is_erased(turn->store, hold->person, &erased) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "id", "there is no such %s of a person", kinds[kind]);
    }
    return r == 0 && erased
               ? ck_refuse(refusal, CK_E_CONFLICT, "id", "the person's file was erased already")
               : r;
}

static json_t *open_of(const struct ck_hold_row *hold, const char *review)
{
    json_t *open = json_pack("{s:s, s:s}", "kind",
                             hold->incident != 0    ? "incident"
                             : hold->recording != 0 ? "recording"
                                                    : "person",
                             "review", review);
    if (open != NULL && hold->incident != 0) {
        json_object_set_new(open, "incident", json_integer((json_int_t)hold->incident));
    }
    if (open != NULL && hold->recording != 0) {
        json_object_set_new(open, "recording", json_integer((json_int_t)hold->recording));
    }
    return open;
}

/* {kind: person | incident | recording, id, reason, review: a date} */
static int place(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                 json_t **result, struct ck_refusal *refusal)
{
    struct ck_hold_row hold = {.by = actor->staff_id};
    struct ck_subject subject;
    const char *review = NULL;
    int64_t count = 0;
    int r = ck_body_text(body, "reason", REASON_MAX, false, &hold.reason, refusal);
    r = r == 0 ? read_object(turn, body, &hold, refusal) : r;
    r = r == 0 ? check_supervisor(turn, actor, hold.person, &subject, refusal) : r;
    r = r == 0 ? read_review(turn, body, &subject, &hold.review_at, &review, refusal) : r;
    r = r == 0 ? ck_holds_count(turn->store, subject.unit, &count) : r;
    if (r == 0 && count >= CK_HOLDS_MAX) {
        return ck_refuse(refusal, CK_E_LIMIT, "", "there are %d holds in this unit", CK_HOLDS_MAX);
    }
    r = r == 0 ? ck_hold_insert(turn->store, &hold, turn->now.wall) : r;
    if (r == 0) {
        r = ck_turn_audit(turn, actor,
                          &(struct ck_record){.action = "HOLD_PLACED",
                                              .object = "hold",
                                              .object_id = hold.id,
                                              .person_id = hold.person,
                                              .open = open_of(&hold, review),
                                              .sealed = json_pack("{s:s}", "reason", hold.reason)});
    }
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)hold.id);
        r = *result == NULL ? -ENOMEM : 0;
    }
    return r;
}

static int load(struct ck_turn *turn, const json_t *body, struct ck_hold_row *hold,
                struct ck_refusal *refusal)
{
    int64_t id = 0;
    int r = ck_body_id(body, "hold", &id, refusal);
    r = r == 0 ? ck_hold_load(turn->store, id, hold) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "hold", "there is no such hold");
    }
    return r == 0 && hold->released
               ? ck_refuse(refusal, CK_E_CONFLICT, "hold", "it was released already")
               : r;
}

/* {hold, review, reason}: it is still needed, until then. */
static int review(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    struct ck_hold_row hold = {.person = 0};
    struct ck_subject subject;
    struct ck_wall at = {0};
    const char *date = NULL, *reason = NULL;
    (void)result;
    int r = ck_body_text(body, "reason", REASON_MAX, false, &reason, refusal);
    r = r == 0 ? load(turn, body, &hold, refusal) : r;
    r = r == 0 ? check_supervisor(turn, actor, hold.person, &subject, refusal) : r;
    r = r == 0 ? read_review(turn, body, &subject, &at, &date, refusal) : r;
    r = r == 0 ? ck_hold_review(turn->store, hold.id, at) : r;
    return r == 0
               ? ck_turn_audit(turn, actor,
                               &(struct ck_record){.action = "HOLD_REVIEWED",
                                                   .object = "hold",
                                                   .object_id = hold.id,
                                                   .person_id = hold.person,
                                                   .open = json_pack("{s:s}", "review", date),
                                                   .sealed = json_pack("{s:s}", "reason", reason)})
               : r;
}

/* ---- release, by two persons ---- */

static int read_release(struct ck_turn *turn, const json_t *body, struct ck_hold_row *hold,
                        struct ck_refusal *refusal)
{
    *hold = (struct ck_hold_row){.id = 0};
    int r = load(turn, json_object_get(body, "request"), hold, refusal);
    bool theirs = r == 0 && hold->person == json_integer_value(json_object_get(body, "person"));
    return r != 0 || theirs
               ? r
               : ck_refuse(refusal, CK_E_INVALID, "person", "the hold is about somebody else");
}

static int release_proposed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                            json_t **result, struct ck_refusal *refusal)
{
    struct ck_hold_row hold;
    (void)actor;
    (void)result;
    return read_release(turn, body, &hold, refusal);
}

static int release_approved(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                            json_t **result, struct ck_refusal *refusal)
{
    struct ck_hold_row hold;
    int64_t proposer = json_integer_value(json_object_get(body, "proposer"));
    const char *reason = json_string_value(json_object_get(body, "reason"));
    (void)result;
    int r = read_release(turn, body, &hold, refusal);
    r = r == 0 ? ck_hold_release(turn->store, hold.id, proposer, actor->staff_id, reason,
                                 turn->now.wall)
               : r;
    r = r == 0 ? ck_expiry_wake(turn->store, hold.person, turn->now.wall) : r;
    return r == 0 ? ck_turn_audit(
                        turn, actor,
                        &(struct ck_record){.action = "HOLD_RELEASED",
                                            .object = "hold",
                                            .object_id = hold.id,
                                            .person_id = hold.person,
                                            .sealed = json_pack("{s:s?, s:I}", "reason", reason,
                                                                "proposer", (json_int_t)proposer)})
                  : r;
}

const struct ck_handler_entry ck_hold_handlers[] = {
    {"hold.place", place},
    {"hold.review", review},
    {"proposed.hold.release", release_proposed},
    {"approved.hold.release", release_approved},
};
const size_t ck_hold_handler_count = sizeof ck_hold_handlers / sizeof ck_hold_handlers[0];
