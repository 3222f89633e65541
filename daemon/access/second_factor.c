/* The second factor of staff (RFC 6238): its key lies under the master key, one that is being set
 * up beside the one in force. */
#include "daemon/access/access_impl.h"

#include <errno.h>
#include <string.h>

#include "daemon/access/totp.h"
#include "daemon/cases/approval.h"
#include "daemon/cases/cases.h"
#include "daemon/core/body.h"
#include "daemon/core/wrap.h"
#include "daemon/store/query_people.h"
#include "daemon/store/second_factor.h"
#include "daemon/store/staff.h"
#include "protocol/base/cleanup.h"

#define RESET "staff.second_factor" /* the kind of approval */

/* 0; CK_E_AUTH with the refusal filled: none fits. */
static int check(struct ck_turn *turn, int64_t staff, const uint8_t *wrapped, const char *code,
                 int64_t after, int64_t *step, struct ck_refusal *refusal)
{
    uint8_t key[CK_KEY_SIZE];
    int r = ck_key_unwrap(ck_turn_master_key(turn), CK_PURPOSE_TOTP, staff, wrapped,
                          CK_WRAPPED_SIZE, key);
    if (r > 0) {
        return -EUCLEAN; /* of another master key, or changed in the store */
    }
    r = r == 0 ? ck_totp_check(key, code, ck_turn_now(turn), after, step) : r;
    ck_wipe(key, sizeof key);
    return r > 0 ? ck_refuse(refusal, CK_E_AUTH, "code", "is not the present code") : r;
}

int ck_second_factor_check(struct ck_turn *turn, int64_t staff, const char *code,
                           struct ck_refusal *refusal)
{
    struct ck_second_factor factor;
    int64_t step = 0;
    int r = ck_second_factor_load(ck_turn_store(turn), staff, &factor);
    if (r != 0 || !factor.set) {
        return r;
    }
    if (code == NULL) {
        return ck_refuse(refusal, CK_E_AUTH, "code", "the code of the second factor is needed");
    }
    r = check(turn, staff, factor.key, code, factor.step, &step, refusal);
    return r == 0 ? ck_second_factor_used(ck_turn_store(turn), staff, step) : r;
}

/* The session is good, the code is not: said, and recorded. */
static int wrong_code(struct ck_turn *turn, const struct ck_actor *actor,
                      struct ck_refusal *refusal)
{
    return ck_turn_refuse(turn, CK_E_INVALID, "code", "staff", actor->staff_id, 0,
                          "is not the present code", refusal);
}

/* {code?} → {key}: a new key that counts once it was confirmed. Where there is one already, its
 * present code is asked for: an open page alone must not be enough to replace it. */
static int begin(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                 json_t **result, struct ck_refusal *refusal)
{
    uint8_t key[CK_KEY_SIZE], nonce[CK_GCM_NONCE_SIZE], wrapped[CK_WRAPPED_SIZE];
    char text[CK_TOTP_TEXT_SIZE];
    const char *code = json_string_value(json_object_get(body, "code"));
    int r = ck_second_factor_check(turn, actor->staff_id, code, refusal);
    if (r == CK_E_AUTH && code == NULL) {
        return CK_E_INVALID; /* it is asked for */
    }
    if (r != 0) {
        return r == CK_E_AUTH ? wrong_code(turn, actor, refusal) : r;
    }
    ck_turn_random(turn, key, sizeof key);
    ck_turn_random(turn, nonce, sizeof nonce);
    r = ck_key_wrap(ck_turn_master_key(turn), CK_PURPOSE_TOTP, actor->staff_id, nonce, key,
                    wrapped);
    r = r == 0 ? ck_second_factor_begin(ck_turn_store(turn), actor->staff_id, wrapped) : r;
    if (r == 0) {
        ck_totp_key_text(key, text);
        *result = json_pack("{s:s}", "key", text);
        r = *result == NULL ? -ENOMEM : 0;
    }
    ck_wipe(key, sizeof key);
    ck_wipe(text, sizeof text);
    return r;
}

/* {code}: the application shows the right codes; from here on the log-in asks for them. */
static int confirm(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    struct ck_second_factor factor;
    const char *code = NULL;
    int64_t step = 0;
    int r = ck_body_text(body, "code", 16, false, &code, refusal);
    r = r == 0 ? ck_second_factor_load(ck_turn_store(turn), actor->staff_id, &factor) : r;
    if (r == 0 && !factor.begun) {
        return ck_refuse(refusal, CK_E_CONFLICT, "", "no second factor is being set up");
    }
    r = r == 0 ? check(turn, actor->staff_id, factor.pending, code, 0, &step, refusal) : r;
    if (r != 0) {
        return r == CK_E_AUTH ? wrong_code(turn, actor, refusal) : r;
    }
    r = ck_second_factor_confirm(ck_turn_store(turn), actor->staff_id, step);
    r = r == 0 ? ck_staff_end_sessions(turn, actor->staff_id, actor->session_id) : r;
    struct ck_record record = {
        .action = "SECOND_FACTOR_SET", .object = "staff", .object_id = actor->staff_id};
    return r == 0 ? ck_turn_audit(turn, actor, &record) : r;
}

/* {staff, reason}: an account that has lost its second factor. An administrator proposes, a
 * supervisor of the account's unit approves. */
static int ask_reset(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    struct ck_staff_brief brief = {0};
    const char *reason = NULL;
    int64_t staff = 0, id = 0;
    int r = ck_body_id(body, "staff", &staff, refusal);
    r = r == 0 ? ck_body_text(body, "reason", CK_APPROVAL_REASON_MAX, false, &reason, refusal) : r;
    r = r == 0 ? ck_staff_brief_load(ck_turn_store(turn), staff, &brief) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "staff", "there is no such account");
    }
    if (r != 0) {
        return r;
    }
    ck_cleanup(json_decrefp) json_t *account = NULL; /* its name, for whoever decides */
    r = ck_query_staff_one(ck_turn_store(turn), staff, &account);
    if (r != 0) {
        return r;
    }
    ck_cleanup(json_decrefp) json_t *request = json_pack("{s:I, s:O}", "staff", (json_int_t)staff,
                                                         "name", json_object_get(account, "name"));
    struct ck_approval_request asked = {
        .kind = RESET, .unit = brief.unit, .request = request, .reason = reason};
    r = request == NULL ? -ENOMEM : ck_approval_propose(turn, actor, &asked, &id, refusal);
    if (r == 0) {
        *result = json_pack("{s:I}", "id", (json_int_t)id);
        r = *result == NULL ? -ENOMEM : 0;
    }
    return r;
}

/* Approved: the account is without a second factor, and out; the next log-in sets one up. */
static int reset(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                 json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    int64_t staff = 0;
    int r = ck_body_id(json_object_get(body, "request"), "staff", &staff, refusal);
    if (r == 0 && staff == actor->staff_id) {
        return ck_refuse(refusal, CK_E_CONFLICT, "", "nobody approves it for themselves");
    }
    r = r == 0 ? ck_second_factor_clear(ck_turn_store(turn), staff) : r;
    r = r == 0 ? ck_staff_end_sessions(turn, staff, 0) : r;
    struct ck_record record = {
        .action = "SECOND_FACTOR_CLEARED", .object = "staff", .object_id = staff};
    return r == 0 ? ck_turn_audit(turn, actor, &record) : r;
}

void ck_second_factor_register(struct ck_registry *registry)
{
    static const struct ck_handler_entry entries[] = {
        {"second_factor.begin", begin},
        {"second_factor.confirm", confirm},
        {"second_factor.ask_reset", ask_reset},
        {"approved." RESET, reset},
    };
    ck_registry_add(registry, entries, sizeof entries / sizeof entries[0]);
}
