/* Enrolment: a link for the person's own phone, shown as a code in the inspector's presence. It is
 * bound to no check-in: the page behind it tests camera and sound and shows messages and receipts.
 */
#include <errno.h>

#include "daemon/cases/cases_impl.h"
#include "daemon/store/notice.h"
#include "protocol/base/text.h"

#define TOKEN_SIZE 16

int ck_person_enrol(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    struct ck_link link = {.expires = ck_wall_add_ms(ck_turn_now(turn), CK_ENROL_MS)};
    uint8_t token[TOKEN_SIZE], digest[CK_SHA256_SIZE];
    char text[CK_BASE64URL_SIZE(TOKEN_SIZE)], expires[CK_WALL_TEXT_SIZE];
    int r = ck_case_person(turn, actor, body, &link.person, refusal);
    if (r != 0) {
        return r;
    }
    ck_turn_random(turn, token, sizeof token);
    r = ck_sha256(&(struct ck_slice){token, sizeof token}, 1, digest);
    r = r == 0 ? ck_link_insert(ck_turn_store(turn), digest, &link, 0, ck_turn_now(turn)) : r;
    ck_wall_text(link.expires, expires);
    struct ck_record record = {.action = "ENROL_LINK_MADE",
                               .object = "person",
                               .object_id = link.person,
                               .person_id = link.person,
                               .open = json_pack("{s:s}", "expires", expires)};
    if (r != 0) {
        json_decref(record.open);
        return r;
    }
    r = ck_turn_audit(turn, actor, &record);
    if (r == 0) {
        ck_base64url_encode(token, sizeof token, text);
        *result = json_pack("{s:s, s:s}", "token", text, "expires", expires);
        r = *result == NULL ? -ENOMEM : 0;
    }
    ck_wipe(token, sizeof token);
    ck_wipe(text, sizeof text);
    return r;
}
