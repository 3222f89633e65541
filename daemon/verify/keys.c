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

bool ck_keys_check(const struct ck_keys *keys, const char *note, size_t size, const char *what,
                   struct ck_verdict *verdict, unsigned *witnesses)
{
    struct ck_checkpoint checkpoint;
    bool good = false;
    *witnesses = 0;
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
            good = true;
        } else if (r == 0 && key->type == CK_NOTE_WITNESS) {
            ++*witnesses;
        }
    }
    if (!good) {
        ck_verdict_find(verdict, "forged",
                        "%s (%" PRIu64 " entries of %s) was signed by none of the keys given", what,
                        checkpoint.size, checkpoint.origin);
    }
    return good;
}
