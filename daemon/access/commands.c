#include "daemon/access/access_impl.h"

#include <string.h>

#include "daemon/cases/cases.h"
#include "daemon/core/body.h"
#include "daemon/store/checkin.h"
#include "daemon/store/message.h"
#include "daemon/store/person.h"
#include "daemon/store/plan.h"
#include "daemon/store/query_incident.h"
#include "daemon/store/second_factor.h"
#include "daemon/store/session.h"
#include "daemon/store/staff.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/text.h"

static int session_open(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                        json_t **result, struct ck_refusal *refusal)
{
    int64_t staff = 0, expires = 0, id = 0;
    const char *hex = NULL;
    uint8_t hash[CK_SHA256_SIZE];
    int r = ck_body_id(body, "staff", &staff, refusal);
    r = r == 0 ? ck_body_id(body, "expires", &expires, refusal) : r;
    r = r == 0 ? ck_body_text(body, "token_hash", 64, false, &hex, refusal) : r;
    if (r == 0 && ck_hex_decode(hex, hash, sizeof hash) != 0) {
        r = ck_refuse(refusal, CK_E_INVALID, "token_hash", "must be 64 hexadecimal digits");
    }
    const char *device = json_string_value(json_object_get(body, "device"));
    struct ck_wall now = ck_turn_now(turn);
    struct ck_staff_brief brief = {.roles = 0};
    struct ck_second_factor factor = {.set = false};
    r = r == 0 ? ck_staff_brief_load(ck_turn_store(turn), staff, &brief) : r;
    r = r == 0 ? ck_second_factor_load(ck_turn_store(turn), staff, &factor) : r;
    r = r == 0 ? ck_second_factor_check(turn, staff,
                                        json_string_value(json_object_get(body, "code")), refusal)
               : r;
    r = r == 0 ? ck_session_insert_staff(ck_turn_store(turn), hash, staff, actor->peer, device, now,
                                         (struct ck_wall){expires}, &id)
               : r;
    if (r != 0) {
        return r;
    }
    struct ck_actor self = {
        .kind = CK_ACTOR_STAFF, .staff_id = staff, .roles = (unsigned)brief.roles};
    memcpy(self.peer, actor->peer, sizeof self.peer);
    struct ck_record record = {
        .action = "LOGGED_IN",
        .object = "session",
        .object_id = id,
        .open = json_pack("{s:s}", "method", factor.set ? "password_totp" : "password"),
        .sealed =
            json_pack("{s:s, s:s}", "peer", actor->peer, "device", device == NULL ? "" : device)};
    r = ck_turn_audit(turn, &self, &record);
    if (r == 0) {
        *result = json_pack("{s:I}", "session", (json_int_t)id);
    }
    return r;
}

static int session_close(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         json_t **result, struct ck_refusal *refusal)
{
    (void)body;
    (void)result;
    (void)refusal;
    int r = ck_session_revoke(ck_turn_store(turn), actor->session_id, ck_turn_now(turn));
    struct ck_record record = {
        .action = "LOGGED_OUT", .object = "session", .object_id = actor->session_id};
    r = r == 0 ? ck_turn_audit(turn, actor, &record) : r;
    struct ck_output output = {.kind = CK_OUTPUT_SESSION_REVOKED, .session_id = actor->session_id};
    return r == 0 ? ck_turn_output(turn, &output) : r;
}

static int end_other(struct ck_turn *turn, const struct ck_actor *actor, int64_t session,
                     int64_t staff)
{
    int r = ck_session_revoke(ck_turn_store(turn), session, ck_turn_now(turn));
    struct ck_record record = {.action = "SESSION_ENDED",
                               .object = "session",
                               .object_id = session,
                               .open = json_pack("{s:b}", "own", (int)(staff == actor->staff_id))};
    if (r != 0) {
        json_decref(record.open);
        return r;
    }
    r = ck_turn_audit(turn, actor, &record);
    struct ck_output output = {.kind = CK_OUTPUT_SESSION_REVOKED, .session_id = session};
    return r == 0 ? ck_turn_output(turn, &output) : r;
}

static int session_end(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    int64_t session = 0, staff = 0;
    int r = ck_body_id(body, "session", &session, refusal);
    r = r == 0 ? ck_session_staff(ck_turn_store(turn), session, ck_turn_now(turn), &staff) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "", "there is no such session");
    }
    if (r == 0 && staff != actor->staff_id && (actor->roles & CK_ROLE_ADMINISTRATOR) == 0) {
        return ck_turn_deny(turn, actor, "session", session, 0, "another's session", refusal);
    }
    return r == 0 ? end_other(turn, actor, session, staff) : r;
}

static int session_touch(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    int64_t expires = 0;
    int r = ck_body_id(body, "expires", &expires, refusal);
    return r == 0 ? ck_session_touch(ck_turn_store(turn), actor->session_id, ck_turn_now(turn),
                                     (struct ck_wall){expires})
                  : r;
}

static int session_refused(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                           json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    static const char *const whys[] = {"wrong",    "code",        "too_many", "too_many_links",
                                       "password", "setup_token", NULL};
    const char *login = NULL;
    int why = 0;
    int r = ck_body_text(body, "login", 128, true, &login, refusal);
    r = r == 0 ? ck_body_word(body, "why", whys, &why, refusal) : r;
    if (r != 0) {
        return r;
    }
    struct ck_record record = {.action = "LOGIN_REFUSED",
                               .object = "session",
                               .object_id = actor->session_id,
                               .result = "denied",
                               .open = json_pack("{s:s}", "why", whys[why]),
                               .sealed =
                                   json_pack("{s:s, s:s}", "login", login, "peer", actor->peer)};
    return ck_turn_audit(turn, actor, &record);
}

static int access_denied(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                         json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    const char *action = NULL;
    int r = ck_body_text(body, "action", 64, false, &action, refusal);
    if (r != 0) {
        return r;
    }
    struct ck_record record = {.action = "DENIED",
                               .object = "session",
                               .object_id = actor->session_id,
                               .result = "denied",
                               .open = json_pack("{s:s}", "wanted", action)};
    return ck_turn_audit(turn, actor, &record);
}

static int password_changed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                            json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    const char *hash = NULL;
    int r = ck_body_text(body, "hash", 256, false, &hash, refusal);
    r = r == 0 ? ck_staff_set_password(ck_turn_store(turn), actor->staff_id, hash, false) : r;
    r = r == 0 ? ck_staff_end_sessions(turn, actor->staff_id, actor->session_id) : r;
    struct ck_record record = {
        .action = "STAFF_PASSWORD_SET", .object = "staff", .object_id = actor->staff_id};
    return r == 0 ? ck_turn_audit(turn, actor, &record) : r;
}

/* ---- reads ---- */

/* Whose something is, and what the record of the read names. */
struct owner {
    int64_t unit, inspector, person;
    int64_t reserved; /* who has their time reserved for it; 0: nobody */
    const char *kind;
    int64_t id;
};

static int of_person(struct ck_store *store, int64_t person, struct owner *owner)
{
    owner->person = person;
    return ck_person_owner(store, person, &owner->unit, &owner->inspector);
}

static int of_incident(struct ck_store *store, int64_t incident, struct owner *owner)
{
    owner->kind = "incident";
    owner->id = incident;
    return ck_query_incident_owner(store, incident, &owner->unit, &owner->inspector);
}

static int of_checkin(struct ck_store *store, int64_t id, struct owner *owner)
{
    struct ck_checkin_row row;
    int r = ck_checkin_load(store, id, &row);
    if (r == 0) {
        *owner = (struct owner){row.unit,     row.step.inspector, row.step.person,
                                row.reserved, "checkin",          id};
    }
    return r;
}

static int of_plan(struct ck_store *store, int64_t id, struct owner *owner)
{
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    int r = ck_plan_load(store, id, &record);
    owner->kind = "plan";
    return r == 0 ? of_person(store, record.person, owner) : r;
}

/* The file of a message: "file" in the thread of a person, "incident_file" in that of an incident.
 */
static int of_file(struct ck_store *store, const char *object, int64_t id, struct owner *owner)
{
    struct ck_thread_of of;
    int r = ck_message_owner(store, id, &of);
    bool incident = strcmp(object, "incident_file") == 0;
    if (r == 0 && incident != (of.incident != 0)) {
        return CK_E_NOT_FOUND;
    }
    if (r == 0 && incident) {
        return of_incident(store, of.incident, owner);
    }
    owner->kind = "message";
    return r == 0 ? of_person(store, of.person, owner) : r;
}

static int find_owner(struct ck_turn *turn, const struct ck_actor *actor, const char *object,
                      int64_t id, struct owner *owner)
{
    struct ck_store *store = ck_turn_store(turn);
    *owner = (struct owner){.kind = "person", .id = id};
    if (strcmp(object, "checkin") == 0 || strcmp(object, "thumbnail") == 0 ||
        strcmp(object, "receipt") == 0) {
        return of_checkin(store, id, owner);
    }
    if (strcmp(object, "plan") == 0 || strcmp(object, "plan_instants") == 0) {
        return of_plan(store, id, owner);
    }
    if (strcmp(object, "incident") == 0 || strcmp(object, "incident_messages") == 0) {
        return of_incident(store, id, owner);
    }
    if (strcmp(object, "file") == 0 || strcmp(object, "incident_file") == 0) {
        return of_file(store, object, id, owner);
    }
    /* The person, or a picture, a thread, a score of theirs. */
    bool reserved = false;
    int r = of_person(store, id, owner);
    if (r == 0 && strcmp(object, "photo") == 0) {
        r = ck_checkin_reserved_now(store, id, actor->staff_id, &reserved);
    }
    owner->reserved = reserved ? actor->staff_id : 0;
    return r;
}

/* What belongs to no unit is every officer's and supervisor's; a person has the files of the own
 * thread and the own receipts alone, and the receipts nobody else. */
static bool may_read(const struct ck_actor *actor, const char *object, const struct owner *owner)
{
    bool receipt = strcmp(object, "receipt") == 0;
    if (actor->kind == CK_ACTOR_PERSON || receipt) {
        return actor->kind == CK_ACTOR_PERSON && actor->person_id == owner->person &&
               (receipt || strcmp(object, "file") == 0);
    }
    bool wide = actor->kind == CK_ACTOR_STAFF &&
                (actor->roles & (CK_ROLE_OFFICER | CK_ROLE_SUPERVISOR)) != 0;
    static const char *const of_case[] = {"person", "checkin",  "photo", "thumbnail",
                                          "plan",   "messages", "file"};
    bool in_case = false; /* what an opened case lets see: nothing of the risk, nothing drawn */
    for (size_t i = 0; i < sizeof of_case / sizeof of_case[0]; i++) {
        in_case = in_case || strcmp(object, of_case[i]) == 0;
    }
    return ck_in_scope(actor, owner->unit, owner->inspector) ||
           (in_case && ck_may_read(actor, owner->unit, owner->inspector, owner->person)) ||
           ck_in_scope(actor, owner->unit, owner->reserved) ||
           (wide && owner->unit == 0 && strcmp(owner->kind, "incident") == 0);
}

static int read_one(struct ck_turn *turn, const struct ck_actor *actor, const char *object,
                    int64_t id, struct ck_refusal *refusal)
{
    struct owner owner;
    int r = find_owner(turn, actor, object, id, &owner);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "", "there is no such %s", owner.kind);
    }
    if (r != 0) {
        return r;
    }
    if (!may_read(actor, object, &owner)) {
        return ck_turn_deny(turn, actor, owner.kind, owner.id, owner.person,
                            "outside the caseload or unit", refusal);
    }
    struct ck_record record = {.action = "READ",
                               .object = owner.kind,
                               .object_id = owner.id,
                               .person_id = owner.person,
                               .open = json_pack("{s:s}", "what", object)};
    if (!ck_in_scope(actor, owner.unit, owner.inspector) &&
        ck_may_read(actor, owner.unit, owner.inspector, owner.person)) {
        json_object_set_new(record.open, "opened", json_true());
    }
    return ck_turn_audit(turn, actor, &record);
}

static int read_any(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    static const char *const words[] = {"person", "checkin", "incident", "photo", "thumbnail",
                                        "messages", "plan", "plan_instants", "risk", "file",
                                        "incident_messages", "incident_file", "receipt",
                                        /* these have no id */
                                        "today", "persons", "log", "approvals", "retention", NULL};
    enum { WITH_ID = 13 };
    (void)result;
    int word = 0;
    int64_t id = 0;
    int r = ck_body_word(body, "object", words, &word, refusal);
    if (r != 0) {
        return r;
    }
    if (word < WITH_ID) {
        r = ck_body_id(body, "id", &id, refusal);
        return r == 0 ? read_one(turn, actor, words[word], id, refusal) : r;
    }
    struct ck_record record = {.action = "READ",
                               .object = "session",
                               .object_id = actor->session_id,
                               .open = json_pack("{s:s}", "what", words[word])};
    const json_t *sought = json_object_get(body, "sought");
    if (sought != NULL) { /* may be a name: beside the leaf */
        record.sealed = json_pack("{s:O}", "sought", sought);
    }
    return ck_turn_audit(turn, actor, &record);
}

void ck_access_register(struct ck_registry *registry)
{
    static const struct ck_handler_entry entries[] = {
        {"session.open", session_open},
        {"session.close", session_close},
        {"session.touch", session_touch},
        {"session.refused", session_refused},
        {"session.end", session_end},
        {"access.denied", access_denied},
        {"read", read_any},
        {"password.changed", password_changed},
    };
    ck_registry_add(registry, entries, sizeof entries / sizeof entries[0]);
    ck_second_factor_register(registry);
}
