#include "daemon/verify/keys.h"

#include <inttypes.h>
#include <string.h>

#include "daemon/verify/input.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

int ck_keys_add(struct ck_keys *keys, const char *text)
{
    char file[CK_NOTE_KEY_TEXT_SIZE + 2];
    struct ck_note_key key;
    size_t size = 0;
    if (keys->count == CK_KEYS_MAX) {
        return CK_E_LIMIT;
    }
    int r = ck_note_key_parse(text, &key);
    if (r == CK_E_SYNTAX && ck_input_read(text, file, sizeof file - 1, &size) == 0) {
        file[size] = '\0';
        r = ck_note_key_parse(file, &key);
    }
    if (r == 0) {
        keys->keys[keys->count++] = key;
    }
    return r;
}

bool ck_keys_have_log(const struct ck_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->keys[i].type == CK_NOTE_LOG) {
            return true;
        }
    }
    return false;
}

size_t ck_keys_find(const struct ck_keys *keys, const struct ck_note_key *key)
{
    size_t at = 0;
    while (at < keys->count &&
           (keys->keys[at].type != key->type || strcmp(keys->keys[at].name, key->name) != 0 ||
            memcmp(keys->keys[at].key, key->key, sizeof key->key) != 0)) {
        at++;
    }
    return at;
}

bool ck_keys_check(const struct ck_keys *keys, const char *note, size_t size, const char *what,
                   struct ck_verdict *verdict, struct ck_signers *by)
{
    struct ck_checkpoint checkpoint;
    struct ck_signers good = {0, 0};
    if (ck_checkpoint_parse(note, size, &checkpoint) != 0) {
        ck_verdict_find(verdict, "unsigned", "%s is no checkpoint", what);
        return false;
    }
    for (size_t i = 0; i < keys->count; i++) {
        const struct ck_note_key *key = &keys->keys[i];
        int r = ck_note_check(note, size, key, NULL);
        if (r != 0 && r != CK_E_NOT_FOUND) {
            ck_verdict_find(verdict, "forged", "%s bears a false signature in the name of %s", what,
                            key->name);
            return false;
        }
        if (r == 0 && key->type == CK_NOTE_LOG && strcmp(key->name, checkpoint.origin) == 0) {
            good.logs |= UINT64_C(1) << i;
        } else if (r == 0 && key->type == CK_NOTE_WITNESS) {
            good.witnesses++;
        }
    }
    if (good.logs == 0) {
        ck_verdict_find(verdict, "forged",
                        "%s (%" PRIu64 " entries of %s) was signed by none of the keys given", what,
                        checkpoint.size, checkpoint.origin);
    }
    if (by != NULL) {
        *by = good;
    }
    return good.logs != 0;
}
