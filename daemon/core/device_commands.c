/* The person's own phone: a key that was made in the inspector's presence, and what is signed with
 * it. Nobody is turned away for coming with another phone; it is only seen.
 *
 * What is signed is text, so that any client can make it:
 *   "checkind join v1\nCHECKIN\nCHALLENGE"  when joining, the challenge being that of the session
 *   "checkind enter v1\nCHALLENGE"          to come in without a link */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/device.h"
#include "daemon/core/live_impl.h"
#include "daemon/store/device.h"
#include "daemon/store/notice.h"
#include "daemon/store/person.h"
#include "daemon/store/session.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define CHALLENGE_MAX 64 /* characters */
#define SIGNED_MAX 160
#define SESSIONS_AT_ONCE 64 /* whose pages are told at once; further ones notice by themselves */

static int verify(const struct ck_device *device, const json_t *body, const char *text)
{
    const char *signature = json_string_value(json_object_get(body, "signature"));
    uint8_t bytes[CK_P256_SIGNATURE_SIZE];
    size_t size = 0;
    if (signature == NULL || ck_base64url_decode(signature, bytes, sizeof bytes, &size) != 0 ||
        size != sizeof bytes) {
        return CK_E_AUTH;
    }
    int r = ck_p256_verify(device->key, text, strlen(text), bytes);
    return r > 0 ? CK_E_AUTH : r;
}

/* {public_key, name}: of a page that an enrolment link opened. */
static int enrol(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                 json_t **result, struct ck_refusal *refusal)
{
    const char *text = NULL, *name = NULL;
    static const uint8_t none[CK_P256_SIGNATURE_SIZE];
    uint8_t key[CK_P256_PUBLIC_SIZE];
    size_t size = 0;
    int64_t count = 0, id = 0;
    bool enrolment = false;
    int r = ck_body_text(body, "public_key", 128, false, &text, refusal);
    r = r == 0 ? ck_body_text(body, "name", CK_DEVICE_NAME_MAX, true, &name, refusal) : r;
    if (r == 0 && (ck_base64url_decode(text, key, sizeof key, &size) != 0 || size != sizeof key ||
                   ck_p256_verify(key, "", 0, none) == CK_E_INVALID)) {
        return ck_refuse(refusal, CK_E_INVALID, "public_key",
                         "must be a point of P-256, 65 bytes in base64url");
    }
    r = r == 0 ? ck_link_enrolment(turn->store, actor->session_id, &enrolment) : r;
    if (r == 0 && !enrolment) {
        return ck_refuse(refusal, CK_E_CONFLICT, "",
                         "a phone is made the person's own by an enrolment link alone");
    }
    r = r == 0 ? ck_device_count(turn->store, actor->person_id, &count) : r;
    if (r == 0 && count >= CK_DEVICES_MAX) {
        return ck_refuse(refusal, CK_E_CONFLICT, "", "there are %d phones already; revoke one",
                         CK_DEVICES_MAX);
    }
    r = r == 0 ? ck_device_insert(turn->store, actor->person_id, key, name, turn->now.wall, &id)
               : r;
    r = r == 0 ? ck_session_set_device(turn->store, actor->session_id, id) : r;
    r = r == 0 ? ck_turn_audit(turn, actor,
                               &(struct ck_record){
                                   .action = "DEVICE_ENROLLED",
                                   .object = "person",
                                   .object_id = actor->person_id,
                                   .person_id = actor->person_id,
                                   .open = json_pack("{s:I}", "device", (json_int_t)id),
                                   .sealed = json_pack("{s:s, s:s}", "name", name, "key", text)})
               : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "device", (json_int_t)id);
    }
    return r;
}

/* {device, challenge, challenge_at, signature}: a session without a link. */
static int enter(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                 json_t **result, struct ck_refusal *refusal)
{
    const char *challenge = NULL;
    int64_t id = 0, at = 0;
    struct ck_device device = {0};
    char text[SIGNED_MAX];
    int r = ck_body_id(body, "device", &id, refusal);
    r = r == 0 ? ck_body_text(body, "challenge", CHALLENGE_MAX, false, &challenge, refusal) : r;
    r = r == 0 ? ck_body_id(body, "challenge_at", &at, refusal) : r;
    r = r == 0 ? ck_device_load(turn->store, id, &device) : r;
    if (r == 0) {
        snprintf(text, sizeof text, "checkind enter v1\n%s", challenge);
        /* A challenge of an earlier moment than the last one was used already, or overtaken. */
        r = device.revoked || at <= device.entered.ms ? CK_E_AUTH : verify(&device, body, text);
    }
    if (r == CK_E_AUTH) {
        return ck_turn_refuse(turn, r, "device", "person", device.person, device.person,
                              "this phone is not known here", refusal);
    }
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, CK_E_AUTH, "device", "this phone is not known here");
    }
    r = r == 0 ? ck_link_repeats(turn, device.person, "device", refusal) : r;
    if (r != 0) {
        return r;
    }
    struct ck_link link = {.person = device.person,
                           .device = id,
                           .expires = ck_wall_add_ms(turn->now.wall, CK_DEVICE_SESSION_MS)};
    r = r == 0 ? ck_device_entered(turn->store, id, (struct ck_wall){at}) : r;
    r = r == 0 ? ck_checkin_to_answer(turn->store, device.person, &link.checkin) : r;
    struct ck_actor person = *actor;
    person.kind = CK_ACTOR_PERSON;
    person.person_id = device.person;
    person.checkin_id = link.checkin;
    r = r == 0 ? ck_turn_audit(
                     turn, &person,
                     &(struct ck_record){.action = "DEVICE_ENTERED",
                                         .object = "person",
                                         .object_id = device.person,
                                         .person_id = device.person,
                                         .open = json_pack("{s:I}", "device", (json_int_t)id),
                                         .sealed = json_pack("{s:s}", "peer", actor->peer)})
               : r;
    r = r == 0 ? ck_link_open(turn, &person, &link,
                              json_string_value(json_object_get(body, "agent")), result)
               : r;
    return r;
}

/* Who holds the phone is out at once, with what is open on it. */
static int end_sessions(struct ck_turn *turn, int64_t device)
{
    int64_t ids[SESSIONS_AT_ONCE];
    size_t count = 0;
    int r = ck_session_revoke_device(turn->store, device, turn->now.wall, ids, SESSIONS_AT_ONCE,
                                     &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = ck_turn_output(
            turn, &(struct ck_output){.kind = CK_OUTPUT_SESSION_REVOKED, .session_id = ids[i]});
    }
    return r;
}

/* {device, reason} */
static int revoke(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                  json_t **result, struct ck_refusal *refusal)
{
    const char *reason = NULL;
    int64_t id = 0, unit = 0, inspector = 0;
    struct ck_device device;
    int r = ck_body_id(body, "device", &id, refusal);
    r = r == 0 ? ck_body_text(body, "reason", 1000, false, &reason, refusal) : r;
    r = r == 0 ? ck_device_load(turn->store, id, &device) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "", "there is no such phone");
    }
    r = r == 0 ? ck_person_owner(turn->store, device.person, &unit, &inspector) : r;
    if (r != 0) {
        return r;
    }
    if (!ck_in_scope(actor, unit, inspector)) {
        return ck_turn_deny(turn, actor, "person", device.person, device.person,
                            "outside the caseload or unit", refusal);
    }
    r = ck_device_revoke(turn->store, id, actor->staff_id, reason, turn->now.wall);
    if (r == CK_E_CONFLICT) {
        return ck_refuse(refusal, r, "", "it was revoked before");
    }
    r = r == 0 ? end_sessions(turn, id) : r;
    r = r == 0 ? ck_turn_audit(
                     turn, actor,
                     &(struct ck_record){.action = "DEVICE_REVOKED",
                                         .object = "person",
                                         .object_id = device.person,
                                         .person_id = device.person,
                                         .open = json_pack("{s:I}", "device", (json_int_t)id),
                                         .sealed = json_pack("{s:s}", "reason", reason)})
               : r;
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)device.person);
    }
    return r;
}

int ck_device_prove(struct ck_turn *turn, const struct ck_actor *actor, int64_t checkin,
                    const json_t *body, enum ck_device_proof *proof)
{
    int64_t id = json_integer_value(json_object_get(body, "key")), count = 0;
    const char *challenge = json_string_value(json_object_get(body, "challenge"));
    struct ck_device device = {.person = 0};
    char text[SIGNED_MAX];
    int r = ck_device_count(turn->store, actor->person_id, &count);
    if (r != 0 || count == 0) {
        *proof = CK_DEVICE_NONE;
        return r;
    }
    r = id > 0 && challenge != NULL ? ck_device_load(turn->store, id, &device) : CK_E_AUTH;
    if (r == 0) {
        snprintf(text, sizeof text, "checkind join v1\n%lld\n%s", (long long)checkin, challenge);
        r = device.revoked || device.person != actor->person_id ? CK_E_AUTH
                                                                : verify(&device, body, text);
    }
    if (r < 0) {
        return r;
    }
    *proof = r == 0 ? CK_DEVICE_OWN : CK_DEVICE_OTHER;
    r = r == 0 ? ck_session_set_device(turn->store, actor->session_id, id) : 0;
    r = r == 0
            ? ck_device_note(turn->store, checkin, *proof == CK_DEVICE_OWN ? id : 0, turn->now.wall)
            : r;
    return r == 0 ? ck_turn_audit(
                        turn, actor,
                        &(struct ck_record){
                            .action = "DEVICE_SEEN",
                            .object = "checkin",
                            .object_id = checkin,
                            .person_id = actor->person_id,
                            .open = json_pack("{s:b}", "own", (int)(*proof == CK_DEVICE_OWN))})
                  : r;
}

const struct ck_handler_entry ck_device_handlers[] = {
    {"device.enrol", enrol},
    {"device.enter", enter},
    {"device.revoke", revoke},
};
const size_t ck_device_handler_count = sizeof ck_device_handlers / sizeof ck_device_handlers[0];
