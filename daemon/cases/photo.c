/* Pictures at rest: reference photos and the thumbnails of check-ins, each sealed under a key of
 * its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cases/cases_impl.h"
#include "daemon/core/wrap.h"
#include "daemon/store/checkin.h"
#include "daemon/store/person.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/text.h"

static int seal_photo(struct ck_turn *turn, int64_t id, struct ck_photo_row *row, uint8_t *wrapped,
                      uint8_t *bytes, size_t size)
{
    uint8_t key[CK_KEY_SIZE], nonce[CK_GCM_NONCE_SIZE];
    ck_turn_random(turn, key, sizeof key);
    ck_turn_random(turn, nonce, sizeof nonce);
    ck_turn_random(turn, row->nonce, sizeof row->nonce);
    int r = ck_key_wrap(ck_turn_master_key(turn), CK_PURPOSE_PHOTO, id, nonce, key, wrapped);
    r = r == 0 ? ck_gcm_seal(key, row->nonce, NULL, 0, bytes, size, bytes) : r;
    ck_wipe(key, sizeof key);
    row->key = wrapped;
    row->key_size = CK_WRAPPED_SIZE;
    row->sealed = bytes;
    row->size = size + CK_GCM_TAG_SIZE;
    return r;
}

/* Decodes, seals and inserts the member "jpeg" for the row's person or check-in; *hex is the
 * picture's digest. */
static int store_picture(struct ck_turn *turn, const json_t *body, struct ck_photo_row *row,
                         char hex[static CK_HEX_SIZE(CK_SHA256_SIZE)], struct ck_refusal *refusal)
{
    const char *text = NULL;
    int r = ck_body_text(body, "jpeg", CK_BASE64_SIZE(CK_PHOTO_MAX), false, &text, refusal);
    if (r != 0) {
        return r;
    }
    size_t length = strlen(text), size = 0;
    ck_cleanup(ck_freep) uint8_t *bytes = malloc(length + CK_GCM_TAG_SIZE);
    r = bytes == NULL ? -ENOMEM : ck_base64_decode(text, bytes, length, &size);
    if (r > 0 || (r == 0 && size == 0)) {
        return ck_refuse(refusal, CK_E_INVALID, "jpeg", "must be base64");
    }
    int64_t id = 0;
    uint8_t wrapped[CK_WRAPPED_SIZE], digest[CK_SHA256_SIZE];
    r = r == 0 ? ck_sha256(&(struct ck_slice){bytes, size}, 1, digest) : r;
    r = r == 0 ? ck_photo_next_id(ck_turn_store(turn), &id) : r;
    r = r == 0 ? seal_photo(turn, id, row, wrapped, bytes, size) : r;
    r = r == 0 ? ck_photo_insert(ck_turn_store(turn), id, row, ck_turn_now(turn)) : r;
    if (r == 0) {
        ck_hex_encode(digest, sizeof digest, hex);
    }
    row->key = row->sealed = NULL; /* they end here */
    return r;
}

int ck_photo_store(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                   json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    struct ck_photo_row row = {.by_staff = actor->staff_id};
    char hex[CK_HEX_SIZE(CK_SHA256_SIZE)];
    int r = ck_case_person(turn, actor, body, &row.person, refusal);
    r = r == 0 ? store_picture(turn, body, &row, hex, refusal) : r;
    if (r != 0) {
        return r;
    }
    struct ck_record record = {.action = "PHOTO_STORED",
                               .object = "person",
                               .object_id = row.person,
                               .person_id = row.person,
                               .sealed = json_pack("{s:s}", "sha256", hex)};
    return ck_turn_audit(turn, actor, &record);
}

int ck_thumbnail_store(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    (void)result;
    struct ck_checkin_row checkin;
    int64_t id = 0;
    char hex[CK_HEX_SIZE(CK_SHA256_SIZE)];
    int r = ck_body_id(body, "checkin", &id, refusal);
    r = r == 0 ? ck_checkin_load(ck_turn_store(turn), id, &checkin) : r;
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "checkin", "there is no such check-in");
    }
    if (r != 0) {
        return r;
    }
    struct ck_photo_row row = {.person = checkin.step.person, .checkin = id};
    r = store_picture(turn, body, &row, hex, refusal);
    if (r == CK_E_CONFLICT) {
        return 0; /* a second recording of the same check-in: the first picture stays */
    }
    if (r != 0) {
        return r;
    }
    struct ck_record record = {.action = "THUMBNAIL_STORED",
                               .object = "checkin",
                               .object_id = id,
                               .person_id = row.person,
                               .sealed = json_pack("{s:s}", "sha256", hex)};
    r = ck_turn_audit(turn, actor, &record);
    struct ck_output today = {.kind = CK_OUTPUT_TODAY,
                              .unit_id = checkin.unit,
                              .staff_id = checkin.step.inspector,
                              .person_id = row.person,
                              .checkin_id = id};
    return r == 0 ? ck_turn_output(turn, &today) : r;
}

int ck_photo_open(const uint8_t master[static CK_KEY_SIZE], const struct ck_photo *photo,
                  void *jpeg)
{
    uint8_t key[CK_KEY_SIZE];
    int r = ck_key_unwrap(master, CK_PURPOSE_PHOTO, photo->id, photo->key, photo->key_size, key);
    r = r == 0 ? ck_gcm_open(key, photo->nonce, NULL, 0, photo->sealed, photo->size, jpeg) : r;
    ck_wipe(key, sizeof key);
    return r;
}
