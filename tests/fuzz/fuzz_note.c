/* What others say about the audit log: notes, checkpoints, keys, proofs, messages to the signer and
 * leaves. The first byte chooses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/leaf.h"
#include "protocol/note.h"
#include "protocol/signing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_note(const char *text, size_t size)
{
    static const char key_text[] =
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    struct ck_checkpoint checkpoint;
    struct ck_note_key key;
    uint64_t seconds;
    if (ck_note_key_parse(key_text, &key) == 0) {
        (void)ck_note_check(text, size, &key, &seconds);
    }
    if (ck_checkpoint_parse(text, size, &checkpoint) == 0 && *checkpoint.origin == '\0') {
        abort();
    }
}

static void read_key(const char *text, size_t size)
{
    struct ck_note_key key, again;
    char copy[CK_NOTE_KEY_TEXT_SIZE] = {0};
    if (size >= sizeof copy) {
        return;
    }
    memcpy(copy, text, size);
    if (ck_note_key_parse(copy, &key) == 0) {
        ck_note_key_text(&key, copy);
        if (ck_note_key_parse(copy, &again) != 0 || memcmp(again.key, key.key, 32) != 0) {
            abort();
        }
    }
}

static void read_leaf(const char *text, size_t size)
{
    struct ck_leaf leaf;
    struct ck_leaf_tail tail;
    struct ck_leaf_text name, value;
    if (!ck_leaf_read(text, size, &leaf) || !ck_leaf_read_tail(&leaf, &tail)) {
        return;
    }
    for (size_t at = 0; ck_leaf_next(tail.open, &at, &name, &value);) {
        if (value.at + value.size > text + size || name.at < text) {
            abort();
        }
    }
    (void)ck_leaf_number(tail.sealed, "x", 0);
}

static void read_message(const uint8_t *data, size_t size)
{
    struct ck_signing_message message;
    const uint8_t *leaf;
    size_t leaf_size;
    if (ck_signing_read(data, size, &message) != 0 || message.kind != CK_SIGNING_LEAVES) {
        return;
    }
    struct ck_reader leaves = ck_reader_of(message.leaves, message.leaves_size);
    while (ck_signing_leaf(&leaves, &leaf, &leaf_size) == 1) {
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_entry_proof proof;
    struct ck_add_checkpoint add;
    const char *text = (const char *)data + 1;
    switch (size == 0 ? 'x' : data[0]) {
    case 'n':
        read_note(text, size - 1);
        break;
    case 'k':
        read_key(text, size - 1);
        break;
    case 'p':
        if (ck_entry_proof_read(text, size - 1, &proof) == 0 &&
            proof.note + proof.note_size != text + size - 1) {
            abort();
        }
        break;
    case 'a':
        if (ck_add_checkpoint_read(text, size - 1, &add) == 0 &&
            add.proof.count > CK_MERKLE_PROOF_MAX) {
            abort();
        }
        break;
    case 'l':
        read_leaf(text, size - 1);
        break;
    case 'm':
        read_message(data + 1, size - 1);
        break;
    default:
        break;
    }
    return 0;
}
