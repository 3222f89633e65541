/* Commands about the audit log itself: what the signer gave or refused, what witnesses added, and
 * that somebody verified or took away a copy. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/audit/tree.h"
#include "daemon/core/live_impl.h"
#include "daemon/core/rekey.h"
#include "daemon/store/checkpoint.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/note.h"

#define KEY_SETTING "signer.key"
#define STATE_SETTING "signer.state"

static int record(struct ck_turn *turn, const struct ck_actor *actor, const char *action,
                  const char *result, json_t *open, json_t *sealed)
{
    return ck_turn_audit(
        turn, actor,
        &(struct ck_record){
            .action = action, .object = "log", .result = result, .open = open, .sealed = sealed});
}

/* For ourselves alone: the loop, and whoever may speak on the control socket. */
static int only_system(struct ck_turn *turn, const struct ck_actor *actor,
                       struct ck_refusal *refusal)
{
    return actor->kind == CK_ACTOR_SYSTEM
               ? 0
               : ck_turn_deny(turn, actor, "log", 0, 0, "the log is kept by ourselves", refusal);
}

/* A setting as text, "" where there is none; the caller frees. */
static int setting(struct ck_turn *turn, const char *name, char **value)
{
    int r = ck_store_setting(turn->store, name, value);
    if (r == CK_E_NOT_FOUND) {
        *value = strdup("");
        r = *value == NULL ? -ENOMEM : 0;
    }
    return r;
}

/* Which key signs is in the log itself, each time it changes. */
static int note_key(struct ck_turn *turn, const struct ck_actor *actor, const char *key)
{
    ck_cleanup(ck_freep) char *known = NULL;
    int r = setting(turn, KEY_SETTING, &known);
    if (r != 0 || strcmp(known, key) == 0) {
        return r;
    }
    r = record(turn, actor, "SIGNER_KEY", "ok", json_pack("{s:s}", "key", key), NULL);
    return r == 0 ? ck_store_set_setting(turn->store, KEY_SETTING, key) : r;
}

/* Nothing is believed that this log does not give itself. */
static int of_this_log(struct ck_turn *turn, const char *note, struct ck_checkpoint *checkpoint,
                       struct ck_refusal *refusal)
{
    const struct ck_merkle_source source = ck_audit_tree_source(turn->store);
    struct ck_hash root;
    if (ck_checkpoint_parse(note, strlen(note), checkpoint) != 0) {
        return ck_refuse(refusal, CK_E_INVALID, "note", "is no checkpoint");
    }
    if (checkpoint->size == 0 || checkpoint->size > turn->engine->audit.head.frontier.size) {
        return ck_refuse(refusal, CK_E_INVALID, "note", "is of entries that are not there");
    }
    int r = ck_merkle_root(&source, checkpoint->size, &root);
    if (r == 0 && memcmp(root.bytes, checkpoint->root.bytes, sizeof root.bytes) != 0) {
        return ck_refuse(refusal, CK_E_INVALID, "note", "is of another log");
    }
    return r;
}

/* {note, key}: a checkpoint that was signed. */
static int checkpoint(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                      json_t **result, struct ck_refusal *refusal)
{
    struct ck_checkpoint read;
    const char *note = NULL, *key = NULL;
    (void)result;
    int r = only_system(turn, actor, refusal);
    r = r == 0 ? ck_body_text(body, "note", CK_NOTE_BYTES_MAX, false, &note, refusal) : r;
    r = r == 0 ? ck_body_text(body, "key", CK_NOTE_KEY_TEXT_SIZE, false, &key, refusal) : r;
    r = r == 0 ? of_this_log(turn, note, &read, refusal) : r;
    if (r == 0) {
        r = ck_log_checkpoint_insert(
            turn->store, &(struct ck_log_checkpoint){
                             .size = (int64_t)read.size, .at = turn->now.wall, .note = note});
        if (r == CK_E_CONFLICT) { /* the same one again */
            return 0;
        }
    }
    return r == 0 ? note_key(turn, actor, key) : r;
}

/* {size, note}: the same checkpoint with more signatures; whose, was checked before. */
static int cosigned(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    struct ck_checkpoint read;
    const char *note = NULL, *witness = NULL;
    ck_cleanup(ck_freep) char *kept = NULL;
    int64_t covers = 0;
    (void)result;
    int r = only_system(turn, actor, refusal);
    r = r == 0 ? ck_body_text(body, "note", CK_NOTE_BYTES_MAX, false, &note, refusal) : r;
    r = r == 0 ? ck_body_text(body, "witness", CK_NOTE_NAME_MAX, false, &witness, refusal) : r;
    r = r == 0 ? of_this_log(turn, note, &read, refusal) : r;
    r = r == 0 ? ck_log_checkpoint_covering(turn->store, (int64_t)read.size, &covers, &kept) : r;
    if (r == CK_E_NOT_FOUND || (r == 0 && covers != (int64_t)read.size)) {
        return ck_refuse(refusal, CK_E_NOT_FOUND, "note", "no such checkpoint is kept");
    }
    if (r == 0 && strncmp(note, kept, strlen(kept)) != 0) {
        return ck_refuse(refusal, CK_E_CONFLICT, "note",
                         "does not go on from the one that is kept");
    }
    r = r == 0 ? ck_log_checkpoint_cosigned(turn->store, covers, note) : r;
    return r == 0 ? record(turn, actor, "CHECKPOINT_COSIGNED", "ok",
                           json_pack("{s:I, s:s}", "size", (json_int_t)covers, "witness", witness),
                           NULL)
                  : r;
}

/* {state, size, detail}: how the signer fares, whenever that changes. */
static int signer(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    static const char *const states[] = {"signed", "silent",      "rollback", "fork",
                                         "failed", "foreign_key", NULL};
    static const char *const actions[] = {"SIGNER_BACK",    "SIGNER_SILENT", "SIGNER_REFUSED",
                                          "SIGNER_REFUSED", "SIGNER_FAILED", "SIGNER_REFUSED"};
    static const char *const causes[] = {
        "",
        "checkin-signer does not answer: the log goes on unsigned",
        "checkin-signer refuses: the log is shorter than what it signed",
        "checkin-signer refuses: the log has another past than what it signed",
        "checkin-signer cannot keep its head: the log goes on unsigned",
        "checkin-signer refuses: the log names a key that is not the signer's"};
    ck_cleanup(ck_freep) char *before = NULL;
    const char *detail = NULL;
    int64_t size = 0;
    int state = 0;
    (void)result;
    int r = only_system(turn, actor, refusal);
    r = r == 0 ? ck_body_word(body, "state", states, &state, refusal) : r;
    r = r == 0 ? ck_body_int(body, "size", 0, INT64_MAX, &size, refusal) : r;
    r = r == 0 ? ck_body_text(body, "detail", 200, true, &detail, refusal) : r;
    r = r == 0 ? setting(turn, STATE_SETTING, &before) : r;
    if (r != 0 || strcmp(states[state], before) == 0 || (state == 0 && *before == '\0')) {
        return r;
    }
    r = ck_store_set_setting(turn->store, STATE_SETTING, states[state]);
    r = r == 0 ? record(turn, actor, actions[state], state == 0 ? "ok" : "failed",
                        json_pack("{s:s, s:I, s:s}", "state", states[state], "size",
                                  (json_int_t)size, "detail", detail),
                        NULL)
               : r;
    if (r != 0 || state == 0) {
        return r;
    }
    return ck_incident_open(turn, actor,
                            &(struct ck_incident_opening){
                                .cause = causes[state],
                                .effect = {.kind = CK_INCIDENT_SYSTEM,
                                           .severity = CK_SEVERITY_HIGH,
                                           .first_step_at = turn->now.wall},
                            });
}

/* {uid, recipient, reason, size}: a copy of the whole log was taken out. */
static int exported(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    const char *recipient = NULL, *reason = NULL;
    int64_t size = 0, uid = 0;
    (void)result;
    int r = only_system(turn, actor, refusal);
    r = r == 0 ? ck_body_text(body, "recipient", 200, false, &recipient, refusal) : r;
    r = r == 0 ? ck_body_text(body, "reason", 1000, false, &reason, refusal) : r;
    r = r == 0 ? ck_body_int(body, "size", 0, INT64_MAX, &size, refusal) : r;
    r = r == 0 ? ck_body_int(body, "uid", 0, UINT32_MAX, &uid, refusal) : r;
    return r == 0
               ? record(turn, actor, "LOG_EXPORTED", "ok",
                        json_pack("{s:I, s:I}", "size", (json_int_t)size, "uid", (json_int_t)uid),
                        json_pack("{s:s, s:s}", "recipient", recipient, "reason", reason))
               : r;
}

/* {uid, entry}: an entry of the log was written out, with its proof. */
static int proved(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    int64_t entry = 0, uid = 0;
    (void)result;
    int r = only_system(turn, actor, refusal);
    r = r == 0 ? ck_body_int(body, "entry", 0, INT64_MAX, &entry, refusal) : r;
    r = r == 0 ? ck_body_int(body, "uid", 0, UINT32_MAX, &uid, refusal) : r;
    return r == 0
               ? record(turn, actor, "LOG_ENTRY_READ", "ok",
                        json_pack("{s:I, s:I}", "entry", (json_int_t)entry, "uid", (json_int_t)uid),
                        NULL)
               : r;
}

/* {uid, size, root}: a copy of the whole store was taken, with a log of this size and root. */
static int copied(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    struct ck_hash hash;
    const char *root = NULL;
    int64_t size = 0, uid = 0;
    (void)result;
    int r = only_system(turn, actor, refusal);
    r = r == 0 ? ck_body_int(body, "size", 0, INT64_MAX, &size, refusal) : r;
    r = r == 0 ? ck_body_text(body, "root", 2 * sizeof hash.bytes, false, &root, refusal) : r;
    r = r == 0 ? ck_body_int(body, "uid", 0, UINT32_MAX, &uid, refusal) : r;
    if (r == 0 && ck_hex_decode(root, hash.bytes, sizeof hash.bytes) != 0) {
        r = ck_refuse(refusal, CK_E_INVALID, "root", "must be a SHA-256 in hexadecimal");
    }
    return r == 0 ? record(turn, actor, "STORE_COPIED", "ok",
                           json_pack("{s:I, s:s, s:I}", "size", (json_int_t)size, "root", root,
                                     "uid", (json_int_t)uid),
                           NULL)
                  : r;
}

/* {uid, entries, findings}: the log was verified. */
static int verified(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    int64_t entries = 0, findings = 0, uid = 0;
    (void)result;
    int r = only_system(turn, actor, refusal);
    r = r == 0 ? ck_body_int(body, "entries", 0, INT64_MAX, &entries, refusal) : r;
    r = r == 0 ? ck_body_int(body, "findings", 0, INT64_MAX, &findings, refusal) : r;
    r = r == 0 ? ck_body_int(body, "uid", 0, UINT32_MAX, &uid, refusal) : r;
    return r == 0 ? record(turn, actor, "LOG_VERIFIED", findings == 0 ? "ok" : "failed",
                           json_pack("{s:I, s:I, s:I}", "entries", (json_int_t)entries, "findings",
                                     (json_int_t)findings, "uid", (json_int_t)uid),
                           NULL)
                  : r;
}

/* {uid, key, needed, of}: shares of a master key were made. */
static int key_split(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    const char *key = NULL;
    int64_t needed = 0, of = 0, uid = 0;
    (void)result;
    int r = only_system(turn, actor, refusal);
    r = r == 0 ? ck_body_text(body, "key", CK_KEY_NAME_SIZE - 1, false, &key, refusal) : r;
    r = r == 0 ? ck_body_int(body, "needed", 2, 16, &needed, refusal) : r;
    r = r == 0 ? ck_body_int(body, "of", 2, 16, &of, refusal) : r;
    r = r == 0 ? ck_body_int(body, "uid", 0, UINT32_MAX, &uid, refusal) : r;
    return r == 0
               ? record(turn, actor, "KEY_SPLIT", "ok",
                        json_pack("{s:s, s:I, s:I, s:I}", "key", key, "needed", (json_int_t)needed,
                                  "of", (json_int_t)of, "uid", (json_int_t)uid),
                        NULL)
               : r;
}

/* ---- ourselves ---- */

/* The members of a body that may stand in the record as they are: texts, numbers, flags, nulls. */
static json_t *facts_of(const json_t *body)
{
    static const char *const members[] = {"offset_us", "synchronised", "jump_ms"};
    json_t *facts = json_object();
    for (size_t i = 0; facts != NULL && i < sizeof members / sizeof members[0]; i++) {
        json_t *value = json_object_get(body, members[i]);
        bool plain = json_is_integer(value) || json_is_boolean(value) || json_is_null(value) ||
                     (json_is_string(value) && json_string_length(value) <= 100);
        if (plain) {
            json_object_set(facts, members[i], value);
        }
    }
    return facts;
}

static int record_system(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         const char *action, struct ck_refusal *refusal)
{
    int r = only_system(turn, actor, refusal);
    return r == 0 ? ck_turn_audit(turn, actor,
                                  &(struct ck_record){
                                      .action = action, .object = "system", .open = facts_of(body)})
                  : r;
}

static int stopping(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    return record_system(turn, actor, body, "SYSTEM_STOPPING", refusal);
}

/* {synchronised, offset_us}: now and then, and when it changed; {jump_ms}: it was set. */
static int clock_state(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    bool jumped = json_object_get(body, "jump_ms") != NULL;
    return record_system(turn, actor, body, jumped ? "CLOCK_JUMPED" : "CLOCK_STATE", refusal);
}

const struct ck_handler_entry ck_log_handlers[] = {
    {"log.checkpoint", checkpoint}, {"log.cosigned", cosigned}, {"log.signer", signer},
    {"log.exported", exported},     {"log.verified", verified}, {"key.split", key_split},
    {"log.proved", proved},         {"store.copied", copied},   {"system.stopping", stopping},
    {"system.clock", clock_state},
};
const size_t ck_log_handler_count = sizeof ck_log_handlers / sizeof ck_log_handlers[0];
