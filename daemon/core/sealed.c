#include "daemon/core/sealed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

int ck_sealed_make(struct ck_turn *turn, const char *purpose, int64_t id, const char *text,
                   struct ck_sealed *sealed)
{
    uint8_t key[CK_KEY_SIZE], nonce[CK_GCM_NONCE_SIZE];
    size_t size = strlen(text);
    if (size > CK_SEALED_TEXT_MAX) {
        return CK_E_LIMIT;
    }
    ck_cleanup(ck_freep) uint8_t *bytes = malloc(size + CK_GCM_TAG_SIZE);
    if (bytes == NULL) {
        return -ENOMEM;
    }
    ck_turn_random(turn, key, sizeof key);
    ck_turn_random(turn, nonce, sizeof nonce);
    ck_turn_random(turn, sealed->nonce, sizeof sealed->nonce);
    int r = ck_key_wrap(ck_turn_master_key(turn), purpose, id, nonce, key, sealed->wrapped);
    r = r == 0 ? ck_gcm_seal(key, sealed->nonce, NULL, 0, text, size, bytes) : r;
    ck_wipe(key, sizeof key);
    if (r == 0) {
        sealed->bytes = ck_take(bytes);
        sealed->size = size + CK_GCM_TAG_SIZE;
    }
    return r;
}

/* The members as bytes; `bytes` has room for `size`. */
static bool read_row(const json_t *row, uint8_t wrapped[static CK_WRAPPED_SIZE],
                     uint8_t nonce[static CK_GCM_NONCE_SIZE], uint8_t *bytes, size_t size)
{
    const char *key_hex = json_string_value(json_object_get(row, "key"));
    const char *nonce_hex = json_string_value(json_object_get(row, "nonce"));
    const char *hex = json_string_value(json_object_get(row, "sealed"));
    return nonce_hex != NULL && size >= CK_GCM_TAG_SIZE &&
           ck_hex_decode(key_hex, wrapped, CK_WRAPPED_SIZE) == 0 &&
           ck_hex_decode(nonce_hex, nonce, CK_GCM_NONCE_SIZE) == 0 &&
           ck_hex_decode(hex, bytes, size) == 0;
}

int ck_sealed_open(const uint8_t master[static CK_KEY_SIZE], const char *purpose, int64_t id,
                   json_t *row, char **text)
{
    bool kept = json_is_string(json_object_get(row, "key"));
    size_t size = json_string_length(json_object_get(row, "sealed")) / 2;
    uint8_t wrapped[CK_WRAPPED_SIZE], nonce[CK_GCM_NONCE_SIZE], key[CK_KEY_SIZE];
    ck_cleanup(ck_freep) char *bytes = malloc(size + 1);
    int r = bytes == NULL ? -ENOMEM : 0;
    if (r == 0 && kept) {
        r = read_row(row, wrapped, nonce, (uint8_t *)bytes, size)
                ? ck_key_unwrap(master, purpose, id, wrapped, sizeof wrapped, key)
                : -EUCLEAN;
        r = r == 0 ? ck_gcm_open(key, nonce, NULL, 0, bytes, size, bytes) : r;
        ck_wipe(key, sizeof key);
    }
    json_object_del(row, "key");
    json_object_del(row, "nonce");
    json_object_del(row, "sealed");
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    *text = NULL;
    if (kept) {
        bytes[size - CK_GCM_TAG_SIZE] = '\0';
        *text = ck_take(bytes);
    }
    return 0;
}
