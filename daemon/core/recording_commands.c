/* Commands about recordings: their rows, their keys, and what the log keeps of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/rekey.h"
#include "daemon/store/recording.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/seal.h"

#define FILE_NAME_SIZE 64

static int record(struct ck_turn *turn, const struct ck_actor *actor, int64_t recording,
                  int64_t person, const char *action, json_t *open, json_t *sealed)
{
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){.action = action,
                                             .object = "recording",
                                             .object_id = recording,
                                             .person_id = person,
                                             .open = open,
                                             .sealed = sealed});
}

/* ---- beginning ---- */

struct fresh {
    uint8_t key[CK_KEY_SIZE];
    uint8_t wrapped[CK_SEAL_WRAPPED_SIZE];
    char file[FILE_NAME_SIZE];
};

/* The id binds the wrapped key, so the row comes first and its key second. */
static int make_row(struct ck_turn *turn, const struct ck_checkin_row *checkin, const char *leg,
                    struct fresh *fresh, int64_t *id)
{
    uint8_t nonce[CK_GCM_NONCE_SIZE], name[8];
    char text[CK_HEX_SIZE(sizeof name)];
    ck_turn_random(turn, fresh->key, sizeof fresh->key);
    ck_turn_random(turn, nonce, sizeof nonce);
    ck_turn_random(turn, name, sizeof name);
    ck_hex_encode(name, sizeof name, text);
    snprintf(fresh->file, sizeof fresh->file, "%lld-%s-%s.ckr", (long long)checkin->step.id, leg,
             text);
    int r = ck_recording_next_id(turn->store, id);
    if (r == 0) {
        r = ck_seal_wrap(ck_turn_master_key(turn), (uint64_t)*id, nonce, fresh->key,
                         fresh->wrapped);
    }
    if (r == 0) {
        r = ck_recording_insert(turn->store, &(struct ck_recording_row){
                                                 .id = *id,
                                                 .checkin = checkin->step.id,
                                                 .leg = leg,
                                                 .file = fresh->file,
                                                 .key = fresh->wrapped,
                                                 .key_size = sizeof fresh->wrapped,
                                                 .started = turn->now.wall,
                                             });
    }
    return r;
}

/* Where it will lie, what it is written in and which master key its own lies under. The name of the
 * file holds the number of a row: beside the leaf, not in it. */
static int record_begun(struct ck_turn *turn, const struct ck_actor *actor, int64_t id,
                        const struct ck_checkin_row *checkin, const char *leg, const char *file,
                        const char *folder)
{
    char key[CK_KEY_NAME_SIZE];
    int r = ck_key_name(ck_turn_master_key(turn), key);
    return r == 0 ? record(turn, actor, id, checkin->step.person, "RECORDING_BEGUN",
                           json_pack("{s:I, s:s, s:s, s:s, s:s}", "checkin",
                                     (json_int_t)checkin->step.id, "leg", leg, "codec", "vp8+opus",
                                     "form", "sealed_webm", "key", key),
                           json_pack("{s:s, s:s*}", "file", file, "folder", folder))
                  : r;
}

/* {checkin, leg, folder: where the file will be} → {recording, file, key, context}. The key goes to
 * the worker by way of the loop and is kept nowhere but wrapped. */
static int begin(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                 json_t **result, struct ck_refusal *refusal)
{
    static const char *const legs[] = {"person", "staff", NULL};
    struct ck_checkin_row checkin;
    struct ck_subject subject;
    struct fresh fresh;
    int64_t id = 0;
    int leg = 0;
    const char *folder = json_string_value(json_object_get(body, "folder"));
    int r = ck_body_word(body, "leg", legs, &leg, refusal);
    if (r == 0 && actor->kind != CK_ACTOR_WORKER && actor->kind != CK_ACTOR_SYSTEM) {
        return ck_turn_deny(turn, actor, "recording", 0, 0, "recordings are begun by ourselves",
                            refusal);
    }
    if (r == 0) {
        r = ck_body_checkin(turn, actor, body, &checkin, refusal);
    }
    if (r == 0) {
        r = ck_subject_load(turn->store, checkin.step.person, &subject);
    }
    if (r == 0 && subject.notice_version == 0) {
        return ck_refuse(refusal, CK_E_CONFLICT, "checkin",
                         "the notice on recording was not acknowledged");
    }
    if (r == 0) {
        r = make_row(turn, &checkin, legs[leg], &fresh, &id);
    }
    if (r == 0) {
        r = record_begun(turn, actor, id, &checkin, legs[leg], fresh.file, folder);
    }
    if (r == 0) {
        char key[CK_HEX_SIZE(CK_KEY_SIZE)], context[64];
        ck_hex_encode(fresh.key, sizeof fresh.key, key);
        snprintf(context, sizeof context, "checkin %lld %s", (long long)checkin.step.id, legs[leg]);
        *result = json_pack("{s:I, s:s, s:s, s:s}", "recording", (json_int_t)id, "file", fresh.file,
                            "key", key, "context", context);
        ck_wipe(key, sizeof key);
        r = *result == NULL ? -ENOMEM : 0;
    }
    ck_wipe(&fresh, sizeof fresh);
    return r;
}

/* ---- on its way ---- */

/* The recording named by "recording", for workers and ourselves. */
static int body_recording(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                          int64_t *id, int64_t *checkin, int64_t *person,
                          struct ck_refusal *refusal)
{
    int r = ck_body_id(body, "recording", id, refusal);
    if (r != 0) {
        return r;
    }
    r = ck_recording_owner(turn->store, *id, checkin, person);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "recording", "there is no such recording");
    }
    bool may = actor->kind == CK_ACTOR_WORKER || actor->kind == CK_ACTOR_SYSTEM ||
               (actor->kind == CK_ACTOR_PERSON && actor->person_id == *person);
    if (r == 0 && !may) {
        return ck_turn_deny(turn, actor, "recording", *id, *person, "recordings run by themselves",
                            refusal);
    }
    return r;
}

static int body_head(const json_t *body, struct ck_recording_head *head, struct ck_refusal *refusal)
{
    const char *text = NULL;
    int64_t max = (INT64_C(1) << 53) - 1;
    *head = (struct ck_recording_head){
        .duration_ms = json_integer_value(json_object_get(body, "duration_ms"))};
    int r = ck_body_int(body, "chunks", 0, max, &head->chunks, refusal);
    if (r == 0) {
        r = ck_body_int(body, "bytes", 0, max, &head->bytes, refusal);
    }
    if (r == 0) {
        r = ck_body_text(body, "head", 2 * CK_SHA256_SIZE, false, &text, refusal);
    }
    if (r == 0 && ck_hex_decode(text, head->hash, sizeof head->hash) != 0) {
        r = ck_refuse(refusal, CK_E_INVALID, "head", "must be a SHA-256 in hexadecimal");
    }
    return r;
}

static json_t *head_json(const struct ck_recording_head *head)
{
    char text[CK_HEX_SIZE(CK_SHA256_SIZE)];
    ck_hex_encode(head->hash, sizeof head->hash, text);
    return json_pack("{s:I, s:I, s:I, s:s}", "chunks", (json_int_t)head->chunks, "bytes",
                     (json_int_t)head->bytes, "duration_ms", (json_int_t)head->duration_ms, "head",
                     text);
}

/* {recording, wall_ms} */
static int started(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    int64_t id = 0, checkin = 0, person = 0, wall = 0;
    (void)result;
    int r = body_recording(turn, actor, body, &id, &checkin, &person, refusal);
    if (r == 0) {
        r = ck_body_int(body, "wall_ms", 1, (INT64_C(1) << 53) - 1, &wall, refusal);
    }
    if (r == 0) {
        r = ck_recording_start(turn->store, id, (struct ck_wall){wall});
    }
    return r == 0 ? record(turn, actor, id, person, "RECORDING_STARTED",
                           json_pack("{s:I}", "wall_ms", (json_int_t)wall), NULL)
                  : r;
}

/* {recording, reason, chunks, bytes, head} */
static int head(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                json_t **result, struct ck_refusal *refusal)
{
    struct ck_recording_head at;
    int64_t id = 0, checkin = 0, person = 0;
    (void)result;
    int r = body_recording(turn, actor, body, &id, &checkin, &person, refusal);
    if (r == 0) {
        r = body_head(body, &at, refusal);
    }
    if (r == 0) {
        r = ck_recording_head(turn->store, id, &at, turn->now.wall);
    }
    if (r == CK_E_CONFLICT) {
        return ck_refuse(refusal, r, "recording", "it is over");
    }
    return r == 0 ? record(turn, actor, id, person, "RECORDING_HEAD", head_json(&at), NULL) : r;
}

/* `more` goes into the record as well; NULL: nothing does. What is missing of the time line
 * (`gaps`, `gap_ms`: lost in the network, a slow disk, privacy pauses) goes in where it is known.
 */
static int end(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
               const char *state, const char *action, json_t *more, struct ck_refusal *refusal)
{
    struct ck_recording_head at;
    int64_t id = 0, checkin = 0, person = 0;
    const json_t *gaps = json_object_get(body, "gaps"), *gap_ms = json_object_get(body, "gap_ms");
    int r = body_recording(turn, actor, body, &id, &checkin, &person, refusal);
    if (r == 0) {
        r = body_head(body, &at, refusal);
    }
    if (r == 0) {
        r = ck_recording_end(turn->store, id, state, &at, turn->now.wall);
    }
    if (r == CK_E_CONFLICT) {
        return ck_refuse(refusal, r, "recording", "it is over");
    }
    r = r == 0 ? ck_retention_recording(turn, id, person) : r;
    if (r != 0) {
        return r;
    }
    json_t *open = head_json(&at);
    bool known = json_is_integer(gaps) && json_is_integer(gap_ms);
    if (open == NULL || (more != NULL && json_object_update(open, more) != 0) ||
        (known &&
         (json_object_set_new(open, "gaps", json_integer(json_integer_value(gaps))) != 0 ||
          json_object_set_new(open, "gap_ms", json_integer(json_integer_value(gap_ms))) != 0))) {
        json_decref(open);
        return -ENOMEM;
    }
    return record(turn, actor, id, person, action, open, NULL);
}

/* {recording, chunks, bytes, head, duration_ms, gaps, gap_ms, error} */
static int closed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    return end(turn, actor, body, "closed", "RECORDING_CLOSED", NULL, refusal);
}

/* {recording, chunks, bytes, head, duration_ms, gaps, gap_ms, lost_bytes, was_whole} */
static int recovered(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    int64_t lost = 0;
    (void)result;
    int r = ck_body_int(body, "lost_bytes", 0, (INT64_C(1) << 53) - 1, &lost, refusal);
    bool whole = json_is_true(json_object_get(body, "was_whole"));
    json_t *more = json_pack("{s:I, s:b}", "lost_bytes", (json_int_t)lost, "was_whole", (int)whole);
    r = r == 0 && more == NULL ? -ENOMEM : r;
    r = r == 0 ? end(turn, actor, body, "recovered", "RECORDING_RECOVERED", more, refusal) : r;
    json_decref(more);
    return r;
}

#define OPEN_MAX 32 /* incidents of one person that are looked through */

/* Whether officers have been told of this very matter and it is still open. */
static int already_open(struct ck_turn *turn, int64_t person, const char *cause, bool *open)
{
    int64_t ids[OPEN_MAX];
    size_t count = 0;
    int r = ck_incident_open_of(turn->store, person, ids, OPEN_MAX, &count);
    *open = false;
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_incident_row row;
        r = ck_incident_load(turn->store, ids[i], &row);
        *open = *open ||
                (r == 0 && row.step.kind == CK_INCIDENT_SYSTEM && strcmp(row.cause, cause) == 0);
    }
    return r;
}

/* A disk that takes no more is a matter of the system: the call goes on, but without its evidence,
 * and so will the next ones. Once for both legs. */
static int alert_disk(struct ck_turn *turn, const struct ck_actor *actor, int64_t checkin,
                      int64_t person, int error)
{
    struct ck_subject subject;
    char cause[sizeof((struct ck_incident_row){0}).cause];
    bool open = false;
    if (error != ENOSPC && error != EDQUOT && error != EIO && error != EROFS) {
        return 0;
    }
    snprintf(cause, sizeof cause, "check-in %lld is not recorded: %s", (long long)checkin,
             strerror(error));
    int r = already_open(turn, person, cause, &open);
    if (r == 0 && !open) {
        r = ck_subject_load(turn->store, person, &subject);
    }
    return r != 0 || open ? r
                          : ck_incident_open(turn, actor,
                                             &(struct ck_incident_opening){
                                                 .person = person,
                                                 .unit = subject.unit,
                                                 .cause = cause,
                                                 .effect = {.kind = CK_INCIDENT_SYSTEM,
                                                            .severity = CK_SEVERITY_HIGH,
                                                            .first_step_at = turn->now.wall},
                                             });
}

/* {recording, error, text} */
static int failed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    int64_t id = 0, checkin = 0, person = 0;
    (void)result;
    int r = body_recording(turn, actor, body, &id, &checkin, &person, refusal);
    if (r == 0) {
        r = ck_recording_fail(turn->store, id, turn->now.wall);
    }
    if (r == CK_E_CONFLICT) {
        return ck_refuse(refusal, r, "recording", "it is over");
    }
    r = r == 0 ? ck_retention_recording(turn, id, person) : r;
    const char *text = json_string_value(json_object_get(body, "text"));
    int error = (int)json_integer_value(json_object_get(body, "error"));
    if (r == 0) {
        r = alert_disk(turn, actor, checkin, person, error);
    }
    return r == 0
               ? ck_turn_audit(turn, actor,
                               &(struct ck_record){
                                   .action = "RECORDING_FAILED",
                                   .object = "recording",
                                   .object_id = id,
                                   .person_id = person,
                                   .result = "failed",
                                   .open = json_pack("{s:i}", "error", error),
                                   .sealed = text == NULL ? NULL : json_pack("{s:s}", "text", text),
                               })
               : r;
}

/* {recording, on, reason}: a privacy pause begins or ends; the person asked for it. */
static int paused(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    static const char *const reasons[] = {"", "undress", "child", "other", NULL};
    struct ck_checkin_row row;
    int64_t id = 0, checkin = 0, person = 0;
    bool on = false;
    int reason = 0;
    (void)result;
    int r = ck_body_flag(body, "on", &on, refusal);
    if (r == 0) {
        r = ck_body_word(body, "reason", reasons, &reason, refusal);
    }
    if (r == 0) {
        r = body_recording(turn, actor, body, &id, &checkin, &person, refusal);
    }
    if (r == 0) {
        r = record(turn, actor, id, person, on ? "RECORDING_PAUSED" : "RECORDING_RESUMED",
                   json_pack("{s:s}", "reason", reasons[reason]), NULL);
    }
    if (r == 0) {
        r = ck_recording_pause(turn->store, id, on, reasons[reason], turn->now.wall);
    }
    if (r == 0) {
        r = ck_checkin_load(turn->store, checkin, &row);
    }
    if (r == 0) {
        r = ck_fact_insert(turn->store, checkin, row.step.attempt, turn->now.wall, "page",
                           on ? "privacy_pause" : "privacy_resume", reasons[reason]);
    }
    return r == 0 && on
               ? ck_checkin_evidence(turn, actor, &row, CK_EVIDENCE_PRIVACY_PAUSE, turn->now.wall)
               : r;
}

/* {recording, spans: [{measure, from_ms, until_ms}]}: what checkin-render saw in an unattended
 * check-in. Facts with times, which decide nothing. */
static int measured(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    static const char *const words[] = {"black", "covered", "frozen", "silent", NULL};
    int64_t id = 0, checkin = 0, person = 0, number = 0;
    const json_t *spans = json_object_get(body, "spans"), *span;
    size_t i;
    int word = 0;
    (void)result;
    int r = body_recording(turn, actor, body, &id, &checkin, &person, refusal);
    if (r == 0 && (!json_is_array(spans) || json_array_size(spans) > CK_RECORDING_MEASURES_MAX)) {
        return ck_refuse(refusal, CK_E_INVALID, "spans", "must be a list of at most %d",
                         CK_RECORDING_MEASURES_MAX);
    }
    json_array_foreach(spans, i, span)
    {
        r = r == 0 ? ck_body_word(span, "measure", words, &word, refusal) : r;
        r = r == 0 ? ck_body_int(span, "from_ms", 0, INT32_MAX, &number, refusal) : r;
        r = r == 0 ? ck_body_int(span, "until_ms", number, INT32_MAX, &number, refusal) : r;
    }
    r = r == 0 ? ck_recording_measures(turn->store, id, spans) : r;
    r = r == 0 ? record(turn, actor, id, person, "RECORDING_MEASURED",
                        json_pack("{s:i}", "count", (int)json_array_size(spans)), NULL)
               : r;
    struct ck_checkin_row row;
    r = r == 0 ? ck_checkin_load(turn->store, checkin, &row) : r;
    struct ck_output today = {.kind = CK_OUTPUT_TODAY,
                              .unit_id = row.unit,
                              .staff_id = row.step.inspector,
                              .person_id = person,
                              .checkin_id = checkin};
    return r == 0 ? ck_turn_output(turn, &today) : r;
}

/* {recording, reason}: a member of staff is about to watch it. */
static int viewed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    struct ck_subject subject;
    int64_t id = 0, checkin = 0, person = 0;
    const char *reason = NULL;
    int r = ck_body_text(body, "reason", 1000, false, &reason, refusal);
    if (r == 0) {
        r = ck_body_id(body, "recording", &id, refusal);
    }
    if (r != 0) {
        return r;
    }
    r = ck_recording_owner(turn->store, id, &checkin, &person);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "recording", "there is no such recording");
    }
    if (r == 0) {
        r = ck_subject_load(turn->store, person, &subject);
    }
    if (r == 0 && !ck_may_read(actor, subject.unit, subject.inspector, person)) {
        return ck_turn_deny(turn, actor, "recording", id, person, "this recording is not yours",
                            refusal);
    }
    if (r == 0) {
        r = record(turn, actor, id, person, "RECORDING_VIEWED",
                   json_pack("{s:I}", "checkin", (json_int_t)checkin),
                   json_pack("{s:s, s:s}", "reason", reason, "peer", actor->peer));
    }
    if (r == 0) {
        *result =
            json_pack("{s:I, s:I}", "recording", (json_int_t)id, "checkin", (json_int_t)checkin);
        r = *result == NULL ? -ENOMEM : 0;
    }
    return r;
}

const struct ck_handler_entry ck_recording_handlers[] = {
    {"recording.begin", begin},   {"recording.started", started},     {"recording.head", head},
    {"recording.closed", closed}, {"recording.recovered", recovered}, {"recording.failed", failed},
    {"recording.paused", paused}, {"recording.measured", measured},   {"recording.viewed", viewed},
};
const size_t ck_recording_handler_count =
    sizeof ck_recording_handlers / sizeof ck_recording_handlers[0];
