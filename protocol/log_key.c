#include "protocol/log_key.h"

#include <string.h>

bool ck_log_key_named(const struct ck_leaf *leaf, struct ck_note_key *key)
{
    char text[CK_NOTE_KEY_TEXT_SIZE] = {0};
    struct ck_leaf_tail tail;
    if (!ck_leaf_is(leaf->action, "SIGNER_KEY") || !ck_leaf_read_tail(leaf, &tail)) {
        return false;
    }
    struct ck_leaf_text named = ck_leaf_string(tail.open, "key");
    if (named.size >= sizeof text) {
        return false;
    }
    memcpy(text, named.at, named.size);
    return ck_note_key_parse(text, key) == 0 && key->type == CK_NOTE_LOG;
}

bool ck_log_key_same(const struct ck_note_key *a, const struct ck_note_key *b)
{
    return a->type == b->type && strcmp(a->name, b->name) == 0 &&
           memcmp(a->key, b->key, sizeof a->key) == 0;
}
