/* The keys of the draws: one for each epoch, committed to in the log before anything is drawn with
 * it, revealed there when every date of the epoch is long over. */
#include <errno.h>
#include <string.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/wrap.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define EPOCH_DAYS 28
/* After the last date of an epoch: zones are at most 14 hours behind, and a window ends at most 48
 * hours after its date begins. */
#define REVEAL_DAYS 3
#define DAY_MS INT64_C(86400000)

/* The key is committed to in the log before anything is drawn with it. */
static int make_key(struct ck_turn *turn, struct ck_draw_key *epoch)
{
    uint8_t nonce[CK_GCM_NONCE_SIZE], wrapped[CK_WRAPPED_SIZE], commitment[CK_SHA256_SIZE];
    char text[CK_HEX_SIZE(sizeof commitment)];
    const struct ck_wall reveal_at = {((epoch->epoch + 1) * EPOCH_DAYS + REVEAL_DAYS) * DAY_MS};
    ck_turn_random(turn, epoch->key, sizeof epoch->key);
    ck_turn_random(turn, nonce, sizeof nonce);
    const struct ck_slice slice = {epoch->key, sizeof epoch->key};
    int r = ck_sha256(&slice, 1, commitment);
    if (r == 0) {
        r = ck_key_wrap(ck_turn_master_key(turn), CK_PURPOSE_DRAW_KEY, epoch->epoch, nonce,
                        epoch->key, wrapped);
    }
    if (r == 0) {
        r = ck_draw_key_insert(turn->store, epoch->epoch, wrapped, sizeof wrapped, commitment,
                               reveal_at, turn->now.wall);
    }
    if (r != 0) {
        return r;
    }
    ck_hex_encode(commitment, sizeof commitment, text);
    const struct ck_actor actor = ck_actor_system();
    return ck_turn_audit(
        turn, &actor,
        &(struct ck_record){
            .action = "DRAW_KEY_COMMITTED",
            .object = "draw_key",
            .object_id = epoch->epoch,
            .open = json_pack("{s:I, s:s}", "epoch", (json_int_t)epoch->epoch, "sha256", text),
        });
}

static int unwrap(struct ck_turn *turn, int64_t epoch, uint8_t key[CK_KEY_SIZE])
{
    uint8_t wrapped[CK_WRAPPED_SIZE];
    size_t size = 0;
    int r = ck_draw_key_load(turn->store, epoch, wrapped, sizeof wrapped, &size);
    return r == 0 ? ck_key_unwrap(ck_turn_master_key(turn), CK_PURPOSE_DRAW_KEY, epoch, wrapped,
                                  size, key)
                  : r;
}

int ck_draw_key_of(struct ck_turn *turn, struct ck_date date, struct ck_draw_key *key)
{
    *key = (struct ck_draw_key){.epoch = date.day / EPOCH_DAYS};
    int r = unwrap(turn, key->epoch, key->key);
    if (r == CK_E_NOT_FOUND) {
        return make_key(turn, key);
    }
    return r > 0 ? -EUCLEAN : r;
}

int ck_draw_bytes(void *context, const uint8_t *message, size_t size, uint8_t bytes[CK_DRAW_BYTES])
{
    const struct ck_draw_key *key = context;
    const struct ck_slice slice = {message, size};
    return ck_hmac_sha256(key->key, sizeof key->key, &slice, 1, bytes);
}

void ck_draw_record(const struct ck_draw *draw, json_t *open, json_t *sealed)
{
    char message[CK_HEX_SIZE(CK_DRAW_MESSAGE_SIZE)] = "";
    ck_hex_encode(draw->message, draw->size, message);
    json_t *allowed = json_array();
    for (uint32_t i = 0; draw->size > 0 && i < draw->allowed.count; i++) {
        json_array_append_new(allowed,
                              json_pack("[I, I]", (json_int_t)draw->allowed.items[i].from.ms,
                                        (json_int_t)draw->allowed.items[i].until.ms));
    }
    json_object_set_new(open, "draw", json_string(message));
    json_object_set_new(sealed, "allowed", allowed);
}

int ck_draw_key_due(struct ck_turn *turn, const struct ck_due *due)
{
    const struct ck_actor actor = ck_actor_system();
    uint8_t key[CK_KEY_SIZE];
    char text[CK_HEX_SIZE(CK_KEY_SIZE)];
    int r = unwrap(turn, due->id, key);
    r = r == 0 ? ck_draw_key_revealed(turn->store, due->id, due->fence, turn->now.wall) : r;
    if (r == 0) {
        ck_hex_encode(key, sizeof key, text);
        r = ck_turn_audit(turn, &actor,
                          &(struct ck_record){.action = "DRAW_KEY_REVEALED",
                                              .object = "draw_key",
                                              .object_id = due->id,
                                              .open = json_pack("{s:I, s:s}", "epoch",
                                                                (json_int_t)due->id, "key", text)});
    }
    ck_wipe(key, sizeof key);
    return r > 0 && r != CK_E_FENCED ? -EUCLEAN : r;
}
