/* Commands about incidents: what named people do with them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/confidence.h"
#include "daemon/core/incident_body.h"
#include "daemon/core/live_impl.h"
#include "protocol/base/error.h"

#define TEXT_MAX 4000

int ck_body_incident(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     struct ck_incident_row *row, struct ck_refusal *refusal)
{
    int64_t id = 0;
    int r = ck_body_id(body, "incident", &id, refusal);
    if (r != 0) {
        return r;
    }
    r = ck_incident_load(turn->store, id, row);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "incident", "there is no such incident");
    }
    if (r != 0) {
        return r;
    }
    /* What belongs to no unit is every officer's and supervisor's. What is restricted is not the
     * inspector's: whoever asks after the safety of others is somebody else. */
    unsigned wide = CK_ROLE_OFFICER | CK_ROLE_SUPERVISOR;
    bool restricted = ck_is_restricted(row->step.kind);
    int64_t inspector = restricted ? 0 : row->inspector;
    bool may = ck_in_scope(actor, row->unit, inspector) ||
               (row->unit == 0 && actor->kind == CK_ACTOR_STAFF && (actor->roles & wide) != 0);
    /* Whoever the ladder has told may act: a named person, a stand-in without the caseload. */
    if (!may && !restricted && actor->kind == CK_ACTOR_STAFF) {
        r = ck_notice_told(turn->store, id, actor->staff_id, &may);
    }
    if (r != 0) {
        return r;
    }
    if (!may) {
        return ck_turn_deny(turn, actor, "incident", id, row->step.person,
                            "this incident is not yours", refusal);
    }
    return 0;
}

static int feed(struct ck_turn *turn, const struct ck_actor *actor, struct ck_incident_row *row,
                const struct ck_incident_event *event, struct ck_refusal *refusal)
{
    int r = ck_incident_feed(turn, actor, row, event);
    switch (r) {
    case CK_E_CONFLICT:
        return ck_refuse(refusal, r, "incident",
                         row->step.state == CK_INCIDENT_CLOSED ? "it is closed"
                         : row->step.kind == CK_INCIDENT_REVIEW_OVERDUE
                             ? "the review is still missing"
                             : "the check-in's outcome is not final, or others hold it");
    case CK_E_INVALID:
        return ck_refuse(refusal, r, "conclusion", "this incident cannot end so");
    case CK_E_DENIED:
        return ck_refuse(refusal, r, "incident", "this must be another officer");
    default:
        return r;
    }
}

static int result_of(const struct ck_incident_row *row, json_t **result)
{
    *result = json_pack("{s:I, s:s}", "incident", (json_int_t)row->step.id, "state",
                        ck_incident_state_name(row->step.state));
    return *result == NULL ? -ENOMEM : 0;
}

/* The line with somebody's words: as they are, or *confided where they are about the safety of
 * others (0: they are not). */
static int insert_line(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_incident_row *row, const char *what, const char *text,
                       int64_t *confided)
{
    bool safety = ck_is_restricted(row->step.kind) || strcmp(what, "safety") == 0;
    *confided = 0;
    if (text == NULL || row->step.person == 0 || !safety) {
        return ck_incident_line(turn->store, row->step.id, turn->now.wall, what, actor->staff_id, 0,
                                text);
    }
    int r = ck_confide(turn, row->step.person, text, confided);
    return r == 0 ? ck_incident_line_confided(turn->store, row->step.id, turn->now.wall, what,
                                              actor->staff_id, *confided)
                  : r;
}

/* A line with somebody's words, and the record of it. *confided as above. */
static int write_line(struct ck_turn *turn, const struct ck_actor *actor,
                      const struct ck_incident_row *row, const char *what, const char *action,
                      json_t *open, const char *text, int64_t *confided)
{
    int64_t id = 0;
    int r = insert_line(turn, actor, row, what, text, &id);
    if (r != 0) {
        json_decref(open);
        return r;
    }
    if (confided != NULL) {
        *confided = id;
    }
    json_t *words = text == NULL ? NULL : json_pack("{s:s}", "text", text);
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){
                             .action = action,
                             /* A safety step is an object of its own: in the chain of the
                              * incident's records nothing points to it. */
                             .object = strcmp(what, "safety") == 0 ? "safety" : "incident",
                             .object_id = row->step.id,
                             .person_id = row->step.person,
                             .open = open,
                             .sealed = id == 0 ? words : NULL,
                             .withheld = id == 0 ? NULL : words,
                         });
}

/* Two who tap in the same moment must not both believe that they hold it: whoever comes second is
 * told who was first, and takes it from them with `over` and a line that says why. */
static int held_by_another(const struct ck_actor *actor, const struct ck_incident_row *row,
                           const json_t *body, const char *note, struct ck_refusal *refusal)
{
    bool over = false;
    int r = json_object_get(body, "over") == NULL ? 0 : ck_body_flag(body, "over", &over, refusal);
    if (r != 0 || !ck_incident_held_by_another(&row->step, actor->staff_id)) {
        return r;
    }
    if (!over) {
        return ck_refuse(refusal, CK_E_CONFLICT, "holder", "somebody else has taken it over");
    }
    return note != NULL && note[0] != '\0'
               ? 0
               : ck_refuse(refusal, CK_E_INVALID, "note", "must say why it is taken from them");
}

/* {incident, note?, over?} */
static int acknowledge(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    struct ck_incident_row row;
    const char *note = NULL;
    int r = ck_body_incident(turn, actor, body, &row, refusal);
    if (r == 0 && json_object_get(body, "note") != NULL &&
        !json_is_null(json_object_get(body, "note"))) {
        r = ck_body_text(body, "note", TEXT_MAX, true, &note, refusal);
    }
    r = r == 0 ? held_by_another(actor, &row, body, note, refusal) : r;
    struct ck_incident_event event = {.kind = CK_INCIDENT_ACKNOWLEDGE, .staff = actor->staff_id};
    r = r == 0 ? ck_incident_beside(turn, &row.step, &event.beside) : r;
    r = r == 0 ? feed(turn, actor, &row, &event, refusal) : r;
    if (r == 0) {
        r = write_line(turn, actor, &row, "acknowledged", "INCIDENT_TAKEN", NULL, note, NULL);
    }
    return r == 0 ? result_of(&row, result) : r;
}

/* {incident, text} */
static int note(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                json_t **result, struct ck_refusal *refusal)
{
    struct ck_incident_row row;
    const char *text = NULL;
    int r = ck_body_text(body, "text", TEXT_MAX, false, &text, refusal);
    if (r == 0) {
        r = ck_body_incident(turn, actor, body, &row, refusal);
    }
    if (r == 0) {
        r = feed(turn, actor, &row,
                 &(struct ck_incident_event){.kind = CK_INCIDENT_NOTE, .staff = actor->staff_id},
                 refusal);
    }
    if (r == 0) {
        r = write_line(turn, actor, &row, "note", "INCIDENT_WORDS", NULL, text, NULL);
    }
    return r == 0 ? result_of(&row, result) : r;
}

/* {incident, how, note} */
static int reached(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    static const char *const ways[] = {"phone", "visit", "video", "other", NULL};
    struct ck_incident_row row;
    const char *text = NULL;
    int way = 0;
    int r = ck_body_word(body, "how", ways, &way, refusal);
    if (r == 0) {
        r = ck_body_text(body, "note", TEXT_MAX, true, &text, refusal);
    }
    if (r == 0) {
        r = ck_body_incident(turn, actor, body, &row, refusal);
    }
    if (r == 0) {
        r = feed(turn, actor, &row,
                 &(struct ck_incident_event){.kind = CK_INCIDENT_REACHED, .staff = actor->staff_id},
                 refusal);
    }
    if (r == 0) {
        r = write_line(turn, actor, &row, "reached", "INCIDENT_REACHED_BY_HAND",
                       json_pack("{s:s}", "how", ways[way]), text[0] == '\0' ? ways[way] : text,
                       NULL);
    }
    return r == 0 ? result_of(&row, result) : r;
}

/* {incident, note}: another officer looked after those who may be in danger. Closes nothing. */
static int safety(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    struct ck_incident_row row;
    const char *text = NULL;
    int r = ck_body_text(body, "note", TEXT_MAX, false, &text, refusal);
    if (r == 0) {
        r = ck_body_incident(turn, actor, body, &row, refusal);
    }
    if (r == 0 && row.step.state == CK_INCIDENT_CLOSED) {
        return ck_refuse(refusal, CK_E_CONFLICT, "incident", "it is closed");
    }
    if (r == 0) {
        r = write_line(turn, actor, &row, "safety", "INCIDENT_SAFETY", NULL, text, NULL);
    }
    if (r == 0) {
        r = ck_turn_output(turn, &(struct ck_output){.kind = CK_OUTPUT_INCIDENT,
                                                     .id = row.step.id,
                                                     .incident_id = row.step.id,
                                                     .unit_id = row.unit,
                                                     .staff_id = row.inspector});
    }
    return r == 0 ? result_of(&row, result) : r;
}

/* What the pages' words are for each kind of incident. */
static enum ck_conclusion conclusion_of(const struct ck_incident *step, const char *word)
{
    static const struct {
        const char *word;
        enum ck_conclusion conclusion;
    } plain[] = {{"excused", CK_CONCLUSION_EXCUSED},
                 {"breach", CK_CONCLUSION_BREACH},
                 {"safe", CK_CONCLUSION_SAFE},
                 {"help_sent", CK_CONCLUSION_NOT_SAFE},
                 {"not_found", CK_CONCLUSION_NOT_FOUND}};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strcmp(plain[i].word, word) == 0) {
            return plain[i].conclusion;
        }
    }
    bool contact = step->kind == CK_INCIDENT_NO_CONTACT || step->kind == CK_INCIDENT_SILENCE;
    return !contact                                                ? CK_CONCLUSION_STAFF_DONE
           : step->reached || ck_outcome_is_contact(step->outcome) ? CK_CONCLUSION_REACHED
                                                                   : CK_CONCLUSION_TECHNICAL;
}

/* What the record of a conclusion holds: of a silence without contact also when it is alarmed
 * again. */
static int closed_members(struct ck_turn *turn, const struct ck_incident *step, const char *word,
                          json_t **open)
{
    struct ck_wall again_at = {0};
    char text[CK_WALL_TEXT_SIZE];
    int r =
        step->kind == CK_INCIDENT_SILENCE ? ck_silence_concluded(turn, step->person, &again_at) : 0;
    *open = r == 0 ? json_pack("{s:s}", "conclusion", word) : NULL;
    if (again_at.ms != 0) {
        ck_wall_text(again_at, text);
        json_object_set_new(*open, "again_at", json_string(text));
    }
    return r;
}

/* {incident, conclusion, reason}: closes it. */
static int conclude(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    static const char *const words[] = {"no_action", "excused",   "breach", "safe",
                                        "help_sent", "not_found", NULL};
    struct ck_incident_row row;
    struct ck_incident_event event = {
        .kind = CK_INCIDENT_CONCLUDE, .staff = actor->staff_id, .has_reason = true};
    const char *reason = NULL;
    json_t *open = NULL;
    int64_t confided = 0;
    int word = 0;
    int r = ck_body_word(body, "conclusion", words, &word, refusal);
    r = r == 0 ? ck_body_text(body, "reason", TEXT_MAX, false, &reason, refusal) : r;
    r = r == 0 ? ck_body_incident(turn, actor, body, &row, refusal) : r;
    r = r == 0 ? ck_incident_beside(turn, &row.step, &event.beside) : r;
    if (r != 0) {
        return r;
    }
    event.conclusion = conclusion_of(&row.step, words[word]);
    r = feed(turn, actor, &row, &event, refusal);
    r = r == 0 ? closed_members(turn, &row.step, words[word], &open) : r;
    r = r == 0 ? write_line(turn, actor, &row, "closed", "INCIDENT_CLOSED", open, reason, &confided)
               : r;
    /* What came of a safety check is not said where the check-in is shown. */
    bool restricted = ck_is_restricted(row.step.kind);
    r = r == 0 ? ck_conclusion_insert(turn->store, restricted ? 0 : row.step.checkin, row.step.id,
                                      words[word], confided == 0 ? reason : "", confided,
                                      actor->staff_id, turn->now.wall)
               : r;
    return r == 0 ? result_of(&row, result) : r;
}

/* {incident}: the holder gives it back, or whoever sees it wants the next step now. */
static int turn_over(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     enum ck_incident_event_kind kind, json_t **result, struct ck_refusal *refusal)
{
    struct ck_incident_row row;
    const char *note = NULL;
    int r = ck_body_text(body, "reason", TEXT_MAX, false, &note, refusal);
    r = r == 0 ? ck_body_incident(turn, actor, body, &row, refusal) : r;
    r = r == 0 ? feed(turn, actor, &row,
                      &(struct ck_incident_event){.kind = kind, .staff = actor->staff_id}, refusal)
               : r;
    r = r == 0
            ? write_line(turn, actor, &row, kind == CK_INCIDENT_RELEASE ? "released" : "escalated",
                         kind == CK_INCIDENT_RELEASE ? "INCIDENT_GIVEN_BACK" : "INCIDENT_SENT_ON",
                         NULL, note, NULL)
            : r;
    return r == 0 ? result_of(&row, result) : r;
}

static int release(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    return turn_over(turn, actor, body, CK_INCIDENT_RELEASE, result, refusal);
}

static int escalate(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    return turn_over(turn, actor, body, CK_INCIDENT_ESCALATE, result, refusal);
}

const struct ck_handler_entry ck_incident_handlers[] = {
    {"incident.acknowledge", acknowledge}, {"incident.note", note},
    {"incident.reached", reached},         {"incident.safety", safety},
    {"incident.conclude", conclude},       {"incident.release", release},
    {"incident.escalate", escalate},
};
const size_t ck_incident_handler_count =
    sizeof ck_incident_handlers / sizeof ck_incident_handlers[0];
