/* Commands about check-ins: from pages and workers to the events of the step function. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/confidence.h"
#include "daemon/core/demand.h"
#include "daemon/core/device.h"
#include "daemon/core/live_impl.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define FACTS_MAX 2000 /* of one check-in; a page that repeats itself for ever is cut off here */
#define DETAIL_MAX 200
#define TEXT_MAX 4000
#define BEHAVIOURS_MAX 16

/* Feeds an event; what the step refuses is told as a conflict. */
static int feed(struct ck_turn *turn, const struct ck_actor *actor, struct ck_checkin_row *row,
                const struct ck_checkin_event *event, struct ck_refusal *refusal)
{
    int r = ck_checkin_feed(turn, actor, row, event);
    if (r == CK_E_CONFLICT) {
        return ck_refuse(refusal, r, "checkin", "its state (%s) does not allow this",
                         ck_checkin_state_name(row->step.state));
    }
    if (r == CK_E_INVALID) {
        return ck_refuse(refusal, r, "", "this is not complete");
    }
    return r;
}

static int state_result(const struct ck_checkin_row *row, json_t **result)
{
    *result = json_pack("{s:I, s:s, s:s}", "checkin", (json_int_t)row->step.id, "state",
                        ck_checkin_state_name(row->step.state), "phase",
                        ck_checkin_phase_name(row->step.phase));
    return *result == NULL ? -ENOMEM : 0;
}

/* ---- the person ---- */

static int has_room(struct ck_turn *turn, const struct ck_checkin_row *row, bool *room)
{
    int64_t count = 0;
    int r = ck_fact_count(turn->store, row->step.id, &count);
    *room = count < FACTS_MAX;
    return r;
}

/* Whether what a page says belongs into the store and the log: not what it repeats for ever, and
 * once a check-in is over each fact once. Whoever is checked could fill its records otherwise. */
static int page_counts(struct ck_turn *turn, const struct ck_checkin_row *row, const char *fact,
                       bool *counts)
{
    bool told = false;
    int r = has_room(turn, row, counts);
    if (r == 0 && row->step.state == CK_CHECKIN_DONE) {
        r = ck_fact_told(turn->store, row->step.id, "page", fact, row->decided_at, &told);
    }
    *counts = *counts && !told;
    return r;
}

static int add_fact(struct ck_turn *turn, const struct ck_checkin_row *row, const char *source,
                    const char *fact, const char *detail)
{
    bool room = false;
    int r = has_room(turn, row, &room);
    if (r != 0 || !room) {
        return r;
    }
    return ck_fact_insert(turn->store, row->step.id, row->step.attempt, turn->now.wall, source,
                          fact, detail);
}

static int note_device(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_checkin_row *row, const json_t *body)
{
    enum ck_device_proof proof = CK_DEVICE_NONE;
    int r = ck_device_prove(turn, actor, row->step.id, body, &proof);
    return r == 0 && proof != CK_DEVICE_NONE
               ? add_fact(turn, row, "server",
                          proof == CK_DEVICE_OWN ? "own_device" : "other_device", NULL)
               : r;
}

/* Who was here already and comes back is decided on first, where something of theirs is due: or one
 * could put off the end of grace for ever by leaving and coming in again within one turn. */
static int decide_first(struct ck_turn *turn, struct ck_checkin_row *row)
{
    const struct ck_checkin *step = &row->step;
    if (step->joined_at.ms == 0 || step->next_at.ms == 0 ||
        ck_wall_before(turn->now.wall, step->next_at)) {
        return 0;
    }
    const struct ck_due due = {.kind = CK_DUE_CHECKIN, .id = step->id, .fence = row->fence};
    int r = ck_checkin_due(turn, &due);
    return r == 0 ? ck_checkin_load(turn->store, due.id, row) : r;
}

/* {checkin, device} → {state, phase, waiting_since, with} */
static int joined(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    struct ck_checkin_row row;
    struct ck_subject subject;
    struct ck_recipient staff = {.name = ""};
    const char *device = json_string_value(json_object_get(body, "device"));
    int r = ck_body_checkin(turn, actor, body, &row, refusal);
    if (r == 0) {
        r = ck_subject_load(turn->store, row.step.person, &subject);
    }
    if (r == 0 && subject.notice_version == 0) {
        return ck_refuse(refusal, CK_E_CONFLICT, "notice",
                         "the notice on rights and recording was not acknowledged");
    }
    r = r == 0 ? decide_first(turn, &row) : r;
    if (r == 0 && (row.step.state < CK_CHECKIN_RINGING || row.step.state > CK_CHECKIN_CONNECTED)) {
        return ck_refuse(refusal, CK_E_CONFLICT, "checkin", "it is %s",
                         row.step.state < CK_CHECKIN_RINGING ? "not due yet" : "over");
    }
    if (r == 0 && row.step.state == CK_CHECKIN_RINGING) {
        r = add_fact(turn, &row, "server", "joined", device);
    }
    if (r == 0) {
        r = note_device(turn, actor, &row, body);
    }
    if (r == 0) {
        r = feed(turn, actor, &row, &(struct ck_checkin_event){.kind = CK_CHECKIN_JOINED}, refusal);
    }
    if (r == 0 && row.step.phase == CK_PHASE_IN_CALL && row.taken_by != 0) {
        r = ck_recipient_load(turn->store, row.taken_by, &staff);
    }
    if (r == 0) {
        r = state_result(&row, result);
    }
    if (r == 0 && row.waiting_since.ms != 0) {
        char since[CK_WALL_TEXT_SIZE];
        ck_wall_text(row.waiting_since, since);
        json_object_set_new(*result, "waiting_since", json_string(since));
    }
    if (r == 0 && staff.name[0] != '\0') {
        json_object_set_new(*result, "with", json_string(staff.name));
    }
    return r;
}

/* What a fact proves to the state machine; CK_EVIDENCE_COUNT: it is only shown. */
static const struct {
    const char *fact;
    enum ck_evidence evidence;
} known_facts[] = {
    {"permission_asked", CK_EVIDENCE_PERMISSION_ASKED},
    {"permission_granted", CK_EVIDENCE_PERMISSION_GRANTED},
    {"permission_denied", CK_EVIDENCE_CAMERA_DENIED},
    {"no_camera", CK_EVIDENCE_NO_CAMERA},
    {"no_microphone", CK_EVIDENCE_COUNT},
    {"camera_in_use", CK_EVIDENCE_COUNT},
    {"no_webrtc", CK_EVIDENCE_NO_WEBRTC},
    {"page_hidden", CK_EVIDENCE_COUNT},
    {"page_shown", CK_EVIDENCE_COUNT},
    {"closing", CK_EVIDENCE_COUNT},
    {"ice_failed", CK_EVIDENCE_ICE_FAILED},
    {"ice_connected", CK_EVIDENCE_ICE_CONNECTED},
    {"network_changed", CK_EVIDENCE_COUNT},
    {"camera_test_passed", CK_EVIDENCE_COUNT},
    {"picture_reduced", CK_EVIDENCE_COUNT},
    {"picture_off", CK_EVIDENCE_COUNT},
    {"picture_whole", CK_EVIDENCE_COUNT},
    {"page_opened", CK_EVIDENCE_PAGE_OPENED},
    {"ice", CK_EVIDENCE_ICE_CONNECTED},
    {"dtls", CK_EVIDENCE_DTLS_CONNECTED},
    {"dtls_failed", CK_EVIDENCE_DTLS_FAILED},
    {"first_audio", CK_EVIDENCE_FIRST_AUDIO},
    {"first_frame", CK_EVIDENCE_FIRST_FRAME},
    {"camera_stopped", CK_EVIDENCE_CAMERA_STOPPED},
    {"camera_back", CK_EVIDENCE_COUNT},
    {"suspended", CK_EVIDENCE_COUNT},
    {"resumed", CK_EVIDENCE_COUNT},
    {"gone", CK_EVIDENCE_MEDIA_LOST},
    {"inspector_joined", CK_EVIDENCE_COUNT},
    {"call_ended", CK_EVIDENCE_COUNT},
    {"privacy_pause", CK_EVIDENCE_PRIVACY_PAUSE},
};

/* What the pages may say; the rest is for workers and ourselves. */
#define PAGE_FACTS 17

/* {checkin, fact, detail?} */
static int fact(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                json_t **result, struct ck_refusal *refusal)
{
    struct ck_checkin_row row;
    const char *name = NULL, *detail = json_string_value(json_object_get(body, "detail"));
    bool page = actor->kind == CK_ACTOR_PERSON || actor->kind == CK_ACTOR_STAFF;
    size_t known = page ? PAGE_FACTS : sizeof known_facts / sizeof known_facts[0], i = 0;
    (void)result;
    int r = ck_body_checkin(turn, actor, body, &row, refusal);
    if (r == 0) {
        r = ck_body_text(body, "fact", 64, false, &name, refusal);
    }
    if (r != 0) {
        return r;
    }
    while (i < known && strcmp(known_facts[i].fact, name) != 0) {
        i++;
    }
    if (i == known) {
        return ck_refuse(refusal, CK_E_INVALID, "fact", "is not a fact that may be told");
    }
    if (detail != NULL && strlen(detail) > DETAIL_MAX) {
        return ck_refuse(refusal, CK_E_INVALID, "detail", "must not be longer than %d bytes",
                         DETAIL_MAX);
    }
    bool counts = true;
    r = page ? page_counts(turn, &row, name, &counts) : 0;
    if (r != 0 || !counts) {
        return r;
    }
    r = add_fact(turn, &row, page ? "page" : "worker", name, detail);
    if (r == 0 && known_facts[i].evidence != CK_EVIDENCE_COUNT && actor->kind != CK_ACTOR_STAFF) {
        r = ck_checkin_evidence(turn, actor, &row, known_facts[i].evidence, turn->now.wall);
    }
    return r;
}

/* {checkin, fault} */
static int fault(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                 json_t **result, struct ck_refusal *refusal)
{
    static const char *const words[] = {"no_worker", "worker_lost", "signalling", "relay",
                                        "clock",     "store",       NULL};
    struct ck_checkin_row row;
    int word = 0;
    (void)result;
    int r = ck_body_word(body, "fault", words, &word, refusal);
    if (r == 0 && actor->kind != CK_ACTOR_WORKER && actor->kind != CK_ACTOR_SYSTEM) {
        return ck_turn_deny(turn, actor, "checkin", 0, 0, "faults of ours are told by ourselves",
                            refusal);
    }
    if (r == 0) {
        r = ck_body_checkin(turn, actor, body, &row, refusal);
    }
    if (r == 0) {
        r = add_fact(turn, &row, "server", words[word], NULL);
    }
    return r != 0 ? r
                  : feed(turn, actor, &row,
                         &(struct ck_checkin_event){.kind = CK_CHECKIN_FAULT,
                                                    .fault.faults = CK_FAULT_BIT(word)},
                         refusal);
}

/* {checkin, reason} */
static int declined(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    struct ck_checkin_row row;
    const char *reason = NULL;
    int r = ck_body_text(body, "reason", 2000, true, &reason, refusal);
    if (r == 0) {
        r = ck_body_checkin(turn, actor, body, &row, refusal);
    }
    if (r == 0 && (row.step.state < CK_CHECKIN_RINGING || row.step.state > CK_CHECKIN_CONNECTED)) {
        return ck_refuse(refusal, CK_E_CONFLICT, "checkin", "it cannot be declined now");
    }
    if (r == 0) {
        r = ck_checkin_set_declined(turn->store, row.step.id, reason);
    }
    if (r == 0) {
        r = ck_turn_audit(turn, actor,
                          &(struct ck_record){.action = "CHECKIN_DECLINED",
                                              .object = "checkin",
                                              .object_id = row.step.id,
                                              .person_id = row.step.person,
                                              .sealed = json_pack("{s:s}", "reason", reason)});
    }
    if (r == 0) {
        r = feed(turn, actor, &row, &(struct ck_checkin_event){.kind = CK_CHECKIN_DECLINED},
                 refusal);
    }
    return r == 0 ? state_result(&row, result) : r;
}

/* ---- the call ---- */

static int one_event(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     enum ck_checkin_event_kind kind, struct ck_refusal *refusal)
{
    struct ck_checkin_row row;
    int r = ck_body_checkin(turn, actor, body, &row, refusal);
    return r != 0 ? r : feed(turn, actor, &row, &(struct ck_checkin_event){.kind = kind}, refusal);
}

/* {checkin} */
static int left(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    return one_event(turn, actor, body, CK_CHECKIN_LEFT, refusal);
}

/* {checkin} */
static int call_lost(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    return one_event(turn, actor, body, CK_CHECKIN_CALL_LOST, refusal);
}

/* {checkin, reason: "person_left" | "staff_ended" | "staff_lost"} */
static int call_ended(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                      json_t **result, struct ck_refusal *refusal)
{
    static const char *const reasons[] = {"person_left", "staff_ended", "staff_lost", NULL};
    struct ck_checkin_row row;
    int reason = 0;
    (void)result;
    int r = ck_body_word(body, "reason", reasons, &reason, refusal);
    if (r == 0) {
        r = ck_body_checkin(turn, actor, body, &row, refusal);
    }
    if (r == 0) {
        r = add_fact(turn, &row, "server", "call_ended", reasons[reason]);
    }
    return r != 0 ? r
                  : feed(turn, actor, &row,
                         &(struct ck_checkin_event){.kind = reason == 0 ? CK_CHECKIN_LEFT
                                                                        : CK_CHECKIN_CALL_OVER},
                         refusal);
}

/* {checkin} → {with} */
static int inspector_took(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                          json_t **result, struct ck_refusal *refusal)
{
    struct ck_checkin_row row;
    struct ck_recipient staff;
    int r = ck_body_checkin(turn, actor, body, &row, refusal);
    if (r != 0) {
        return r;
    }
    bool again = row.step.phase == CK_PHASE_IN_CALL && row.taken_by == actor->staff_id;
    if (!again) {
        if (row.step.phase == CK_PHASE_IN_CALL) {
            return ck_refuse(refusal, CK_E_CONFLICT, "checkin", "another inspector has taken it");
        }
        r = feed(turn, actor, &row,
                 &(struct ck_checkin_event){.kind = CK_CHECKIN_INSPECTOR_ANSWERED,
                                            .inspector.staff = actor->staff_id},
                 refusal);
        if (r == 0) {
            r = add_fact(turn, &row, "server", "inspector_joined", NULL);
        }
    }
    if (r == 0) {
        r = ck_recipient_load(turn->store, actor->staff_id, &staff);
    }
    if (r == 0) {
        r = state_result(&row, result);
    }
    if (r == 0) {
        json_object_set_new(*result, "with", json_string(staff.name));
    }
    return r;
}

/* {checkin, number, at?, at_ms?} */
static int challenge(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    struct ck_checkin_row row;
    struct ck_wall at;
    int64_t number = 0;
    (void)result;
    int r = ck_body_int(body, "number", 1, 16, &number, refusal);
    if (r == 0) {
        r = ck_body_time(turn, body, "at", &at, refusal);
    }
    if (r == 0) {
        r = ck_body_checkin(turn, actor, body, &row, refusal);
    }
    if (r == 0) {
        r = ck_challenge_mark(turn->store, row.step.id, (int)number, at,
                              json_integer_value(json_object_get(body, "at_ms")));
    }
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "number", "there is no such challenge");
    }
    return r == 0 ? ck_record_checkin(turn, actor, &row, "CHECKIN_CHALLENGE",
                                      json_pack("{s:I}", "number", (json_int_t)number))
                  : r;
}

/* {checkin} */
static int challenge_finished(struct ck_turn *turn, const struct ck_actor *actor,
                              const json_t *body, json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    return one_event(turn, actor, body, CK_CHECKIN_CHALLENGE_FINISHED, refusal);
}

/* ---- what staff make of it ---- */

static bool behaviours_valid(const json_t *list)
{
    static const char *const known[] = {"calm",
                                        "agitated",
                                        "slurred_speech",
                                        "injury_visible",
                                        "other_person_present",
                                        "refused_question"};
    size_t index;
    const json_t *item;
    if (!json_is_array(list) || json_array_size(list) > BEHAVIOURS_MAX) {
        return false;
    }
    json_array_foreach(list, index, item)
    {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            const char *text = json_string_value(item);
            found = found || (text != NULL && strcmp(known[i], text) == 0);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* {checkin, result, identity_confirmed, behaviours, note} */
static int outcome(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    static const char *const words[] = {"completed", "identity_doubt", "declined",
                                        "could_not_connect", NULL};
    static const enum ck_call_result results[] = {CK_CALL_ACCEPTED, CK_CALL_DOUBT, CK_CALL_DECLINED,
                                                  CK_CALL_UNUSABLE};
    struct ck_checkin_row row;
    struct ck_outcome_form form = {0};
    const json_t *list = json_object_get(body, "behaviours");
    int word = 0;
    int r = ck_body_checkin(turn, actor, body, &row, refusal);
    if (r == 0) {
        r = ck_body_word(body, "result", words, &word, refusal);
    }
    if (r == 0) {
        r = ck_body_flag(body, "identity_confirmed", &form.identity_confirmed, refusal);
    }
    if (r == 0) {
        r = ck_body_text(body, "note", TEXT_MAX, true, &form.note, refusal);
    }
    if (r == 0 && !behaviours_valid(list)) {
        r = ck_refuse(refusal, CK_E_INVALID, "behaviours", "must be a list of known behaviours");
    }
    if (r == 0 && words[word] == words[0] && !form.identity_confirmed) {
        r = ck_refuse(refusal, CK_E_INVALID, "identity_confirmed",
                      "a completed check-in needs a confirmed identity");
    }
    if (r == 0 && row.taken_by != actor->staff_id) {
        return ck_turn_deny(turn, actor, "checkin", row.step.id, row.step.person,
                            "only who conducted the call writes its outcome", refusal);
    }
    ck_cleanup(ck_freep) char *behaviours = r == 0 ? json_dumps(list, JSON_COMPACT) : NULL;
    form.result = words[word];
    form.behaviours = behaviours;
    if (r == 0) {
        r = feed(turn, actor, &row,
                 &(struct ck_checkin_event){.kind = CK_CHECKIN_ENDED,
                                            .ended.result = results[word],
                                            .ended.staff = actor->staff_id},
                 refusal);
    }
    if (r == 0) {
        r = ck_outcome_form_insert(turn->store, row.step.id, &form, actor->staff_id,
                                   turn->now.wall);
    }
    if (r == 0) {
        r = ck_turn_audit(
            turn, actor,
            &(struct ck_record){
                .action = "CHECKIN_FORM",
                .object = "checkin",
                .object_id = row.step.id,
                .person_id = row.step.person,
                .open = json_pack("{s:s, s:b}", "result", form.result, "identity_confirmed",
                                  (int)form.identity_confirmed),
                .sealed = json_pack("{s:s, s:O}", "note", form.note, "behaviours", list),
            });
    }
    return r == 0 ? state_result(&row, result) : r;
}

/* {checkin, decision, note}. What cannot be made out is charged to nobody: neither a doubt, which
 * says that it is somebody else, nor a contact. */
static int review(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    static const char *const words[] = {"accept", "doubt", "unusable", NULL};
    static const enum ck_review_result results[] = {CK_REVIEW_ACCEPTED, CK_REVIEW_DOUBT,
                                                    CK_REVIEW_UNUSABLE};
    struct ck_checkin_row row;
    const char *note = NULL;
    int word = 0;
    int r = ck_body_checkin(turn, actor, body, &row, refusal);
    if (r == 0) {
        r = ck_body_word(body, "decision", words, &word, refusal);
    }
    if (r == 0) {
        r = ck_body_text(body, "note", TEXT_MAX, true, &note, refusal);
    }
    if (r == 0 && word > 0 && note[0] == '\0') {
        r = ck_refuse(refusal, CK_E_INVALID, "note", "what is not accepted needs words");
    }
    if (r == 0) {
        r = feed(turn, actor, &row,
                 &(struct ck_checkin_event){.kind = CK_CHECKIN_REVIEWED,
                                            .reviewed.result = results[word],
                                            .reviewed.staff = actor->staff_id},
                 refusal);
    }
    if (r == 0) {
        r = ck_review_insert(turn->store, row.step.id, words[word], note, actor->staff_id,
                             turn->now.wall);
    }
    if (r == 0) {
        r = ck_turn_audit(turn, actor,
                          &(struct ck_record){.action = "CHECKIN_REVIEW",
                                              .object = "checkin",
                                              .object_id = row.step.id,
                                              .person_id = row.step.person,
                                              .open = json_pack("{s:s}", "decision", words[word]),
                                              .sealed = json_pack("{s:s}", "note", note)});
    }
    return r == 0 ? state_result(&row, result) : r;
}

/* {checkin, conclusion, reason}: a named officer's, on top of the outcome, which stays. */
static int conclude(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    static const char *const words[] = {"no_action", "excused", "breach", NULL};
    struct ck_checkin_row row;
    const char *reason = NULL;
    int word = 0;
    int r = ck_body_checkin(turn, actor, body, &row, refusal);
    if (r == 0) {
        r = ck_body_word(body, "conclusion", words, &word, refusal);
    }
    if (r == 0) {
        r = ck_body_text(body, "reason", TEXT_MAX, false, &reason, refusal);
    }
    if (r != 0) {
        return r;
    }
    if (actor->kind != CK_ACTOR_STAFF) {
        return ck_turn_deny(turn, actor, "checkin", row.step.id, row.step.person,
                            "only a named officer concludes", refusal);
    }
    if (row.step.state != CK_CHECKIN_DONE) {
        return ck_refuse(refusal, CK_E_CONFLICT, "checkin", "its outcome is not known yet");
    }
    if (word == 2 && (!row.step.mandatory ||
                      ck_outcome_attribution(row.step.outcome) != CK_ATTRIBUTION_OFFICER)) {
        return ck_refuse(refusal, CK_E_INVALID, "conclusion", "this can never be a breach");
    }
    r = ck_conclusion_insert(turn->store, row.step.id, 0, words[word], reason, 0, actor->staff_id,
                             turn->now.wall);
    if (r == 0) {
        r = ck_turn_audit(turn, actor,
                          &(struct ck_record){.action = "CHECKIN_CONCLUDED",
                                              .object = "checkin",
                                              .object_id = row.step.id,
                                              .person_id = row.step.person,
                                              .open = json_pack("{s:s}", "conclusion", words[word]),
                                              .sealed = json_pack("{s:s}", "reason", reason)});
    }
    if (r == 0) {
        r = ck_tell_today(turn, &row);
    }
    return r == 0 ? state_result(&row, result) : r;
}

/* A concern climbs a ladder of its own, restricted to officers and supervisors; a second one of the
 * same check-in is a line of it. */
static int raise_concern(struct ck_turn *turn, const struct ck_actor *actor,
                         const struct ck_checkin_row *row, int64_t confided)
{
    int64_t id = 0;
    int r = ck_incident_of_checkin(turn->store, row->step.id, CK_INCIDENT_CONCERN, &id);
    if (r == CK_E_NOT_FOUND) {
        r = ck_incident_open(
            turn, actor,
            &(struct ck_incident_opening){
                .checkin = row,
                .person = row->step.person,
                .unit = row->unit,
                .effect = {.kind = CK_INCIDENT_CONCERN,
                           .severity =
                               row->step.band == CK_BAND_TOP ? CK_SEVERITY_TOP : CK_SEVERITY_HIGH,
                           .first_step_at = turn->now.wall},
            });
        r = r == 0 ? ck_incident_of_checkin(turn->store, row->step.id, CK_INCIDENT_CONCERN, &id)
                   : r;
    }
    return r == 0 ? ck_incident_line_confided(turn->store, id, turn->now.wall, "note",
                                              actor->staff_id, confided)
                  : r;
}

/* {checkin, text}: private; nothing changes on the other side. */
static int concern(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    struct ck_checkin_row row;
    const char *text = NULL;
    (void)result;
    int r = ck_body_text(body, "text", TEXT_MAX, false, &text, refusal);
    if (r == 0) {
        r = ck_body_checkin(turn, actor, body, &row, refusal);
    }
    if (r != 0) {
        return r;
    }
    if (actor->kind != CK_ACTOR_STAFF) {
        return ck_turn_deny(turn, actor, "checkin", row.step.id, row.step.person,
                            "concerns are for staff", refusal);
    }
    /* An object of its own: in the chain of the check-in's records nothing points to it. */
    int64_t confided = 0;
    r = ck_confide(turn, row.step.person, text, &confided);
    r = r == 0
            ? ck_concern_insert(turn->store, row.step.id, actor->staff_id, turn->now.wall, confided)
            : r;
    r = r == 0 ? ck_turn_audit(turn, actor,
                               &(struct ck_record){.action = "CHECKIN_CONCERN",
                                                   .object = "concern",
                                                   .object_id = row.step.id,
                                                   .person_id = row.step.person,
                                                   .withheld = json_pack("{s:s}", "text", text)})
               : r;
    return r == 0 ? raise_concern(turn, actor, &row, confided) : r;
}

/* ---- on demand ---- */

static int begin_on_demand(struct ck_turn *turn, const struct ck_actor *actor,
                           struct ck_checkin_row *row, const char *reason)
{
    struct ck_checkin_policy policy = turn->engine->rules.checkin;
    policy.arm_lead_ms = 0;
    ck_cleanup(ck_freep) char *text = ck_checkin_policy_text(&policy);
    int r = text == NULL ? -ENOMEM : ck_policy_of(turn, "checkin", text, &row->policy);
    if (r != 0) {
        return r;
    }
    ck_checkin_begin(&row->step, &policy);
    row->attempts = policy.attempts;
    r = ck_checkin_insert(turn->store, row, reason, turn->now.wall);
    if (r == 0) {
        r = ck_turn_audit(
            turn, actor,
            &(struct ck_record){
                .action = "CHECKIN_ON_DEMAND",
                .object = "checkin",
                .object_id = row->step.id,
                .person_id = row->step.person,
                .open = json_pack("{s:s, s:b, s:I}", "kind", ck_checkin_kind_name(row->step.kind),
                                  "mandatory", (int)row->step.mandatory, "policy",
                                  (json_int_t)row->policy),
                .sealed = json_pack("{s:s}", "reason", reason),
            });
    }
    /* Armed and rung here and now; if another one of the person is live, it waits for that. */
    for (int i = 0; r == 0 && i < 2 && row->step.state < CK_CHECKIN_RINGING; i++) {
        struct ck_checkin_event event = {.kind = CK_CHECKIN_TIMER, .timer.answerable_ms = -1};
        r = ck_checkin_other_live(turn->store, row->step.person, row->step.id,
                                  &event.timer.other_live);
        if (r == 0) {
            r = ck_checkin_feed(turn, actor, row, &event);
        }
    }
    return r;
}

/* {person, reason, kind, mandatory?: a duty or nothing (true), voluntary (false), a duty where the
 * order still has room for one (missing)} → {checkin, state, phase} */
static int on_demand(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    static const char *const kinds[] = {"live", "unattended", NULL};
    struct ck_subject subject;
    struct ck_checkin_row row;
    const struct ck_zone *zone = NULL;
    const char *reason = NULL;
    int64_t person = 0;
    int kind = 0;
    memset(&row, 0, sizeof row);
    int r = ck_body_id(body, "person", &person, refusal);
    if (r == 0) {
        r = ck_body_text(body, "reason", 1000, false, &reason, refusal);
    }
    if (r == 0) {
        r = ck_body_word(body, "kind", kinds, &kind, refusal);
    }
    if (r != 0) {
        return r;
    }
    r = ck_subject_load(turn->store, person, &subject);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "person", "there is no such person");
    }
    if (r == 0 && !ck_in_scope(actor, subject.unit, subject.inspector)) {
        return ck_turn_deny(turn, actor, "person", person, person, "this person is not yours",
                            refusal);
    }
    if (r == 0) {
        r = ck_zones_find(turn->engine->zones, subject.zone, &zone);
        r = r > 0 ? -EUCLEAN : r;
    }
    if (r != 0) {
        return r;
    }
    const struct ck_checkin_policy *policy = &turn->engine->rules.checkin;
    const json_t *wished = json_object_get(body, "mandatory");
    struct ck_demand demand = {.at = ck_zone_local(zone, turn->now.wall),
                               .begin = turn->now.wall,
                               .tail_ms = policy->response_ms + policy->grace_ms,
                               .unattended = kind == 1,
                               .mandatory = !json_is_false(wished)};
    r = ck_demand_extra_any(turn->store, person, &demand, json_is_true(wished), refusal);
    if (r != 0) {
        return r;
    }
    row.step.mandatory = demand.mandatory;
    row.step.person = person;
    row.step.inspector = subject.inspector;
    row.step.kind = kind == 0 ? CK_KIND_ON_DEMAND : CK_KIND_UNATTENDED;
    row.step.band = ck_band_of(subject.band);
    row.step.due = turn->now.wall;
    /* Where it has to wait for another one: no longer than calls are allowed. */
    row.step.window_end = ck_zone_instant(
        zone, (struct ck_local){demand.at.date, demand.hours_end_min * 60}, CK_ZONE_LAST, NULL);
    row.unit = subject.unit;
    row.date = demand.at.date;
    snprintf(row.zone, sizeof row.zone, "%s", subject.zone);
    snprintf(row.zone_version, sizeof row.zone_version, "%s",
             ck_zones_version(turn->engine->zones, row.zone));
    r = begin_on_demand(turn, actor, &row, reason);
    return r == 0 ? state_result(&row, result) : r;
}

const struct ck_handler_entry ck_checkin_handlers[] = {
    {"checkin.joined", joined},
    {"checkin.fact", fact},
    {"checkin.fault", fault},
    {"checkin.declined", declined},
    {"checkin.left", left},
    {"checkin.call_lost", call_lost},
    {"checkin.call_ended", call_ended},
    {"checkin.inspector_took", inspector_took},
    {"checkin.challenge", challenge},
    {"checkin.challenge_finished", challenge_finished},
    {"checkin.outcome", outcome},
    {"checkin.review", review},
    {"checkin.conclude", conclude},
    {"checkin.concern", concern},
    {"checkin.on_demand", on_demand},
};
const size_t ck_checkin_handler_count = sizeof ck_checkin_handlers / sizeof ck_checkin_handlers[0];
