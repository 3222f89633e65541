#include "daemon/signer/answer.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/error.h"
#include "protocol/log_key.h"

void ck_conversation_begin(struct ck_conversation *conversation, struct ck_signer_head *head)
{
    *conversation = (struct ck_conversation){.head = head, .tree = head->last};
}

static int state(const struct ck_conversation *conversation, struct ck_writer *answer)
{
    const struct ck_signer_head *head = conversation->head;
    struct ck_signing_message message = {
        .kind = CK_SIGNING_STATE,
        .size = conversation->tree.size,
        .signed_size = head->last.size,
        .signed_root = head->last_root,
        .text = head->key.name,
        .text_size = strlen(head->key.name),
    };
    memcpy(message.key, head->key.key, sizeof message.key);
    return ck_signing_write(answer, &message);
}

/* The tree in memory goes back to what was signed: what came since is believed no longer. */
static int refuse(struct ck_conversation *conversation, enum ck_signing_refusal why,
                  struct ck_writer *answer)
{
    conversation->tree = conversation->head->last;
    return ck_signing_write(answer, &(struct ck_signing_message){
                                        .kind = CK_SIGNING_REFUSED,
                                        .refusal = why,
                                        .signed_size = conversation->head->last.size,
                                        .signed_root = conversation->head->last_root,
                                    });
}

/* Whether an entry appoints a key of this log that is not here: whoever writes the log could hand
 * it on to a key of their own. A key of another name signs nothing of this log. */
static bool names_foreign_key(const struct ck_signer_head *head, const uint8_t *bytes, size_t size)
{
    struct ck_leaf leaf;
    struct ck_note_key key;
    if (!ck_leaf_read(bytes, size, &leaf) || !ck_leaf_is(leaf.action, "SIGNER_KEY")) {
        return false;
    }
    return !ck_log_key_named(&leaf, &key) ||
           (strcmp(key.name, head->key.name) == 0 && !ck_log_key_same(&key, &head->key) &&
            !(head->has_old && ck_log_key_same(&key, &head->old_key)));
}

static int take_leaves(struct ck_conversation *conversation,
                       const struct ck_signing_message *message, struct ck_writer *answer)
{
    struct ck_reader leaves = ck_reader_of(message->leaves, message->leaves_size);
    struct ck_frontier grown = conversation->tree;
    const uint8_t *leaf;
    size_t size;
    int more, r = 0;
    if (message->from != grown.size) {
        return refuse(conversation, CK_SIGNING_BEHIND, answer);
    }
    while (r == 0 && (more = ck_signing_leaf(&leaves, &leaf, &size)) != 0) {
        struct ck_hash hash;
        if (more < 0) {
            return CK_E_SYNTAX;
        }
        if (names_foreign_key(conversation->head, leaf, size)) {
            return refuse(conversation, CK_SIGNING_FOREIGN_KEY, answer);
        }
        r = ck_merkle_leaf(leaf, size, &hash);
        r = r == 0 ? ck_frontier_add(&grown, &hash) : r;
    }
    if (r != 0) {
        return r;
    }
    conversation->tree = grown;
    return state(conversation, answer);
}

static int sign(struct ck_conversation *conversation, const struct ck_signing_message *message,
                struct ck_writer *answer)
{
    struct ck_signer_head *head = conversation->head;
    struct ck_hash root;
    char note[CK_NOTE_BYTES_MAX + 1];
    size_t size = 0;
    if (message->size < head->last.size) {
        return refuse(conversation, CK_SIGNING_ROLLBACK, answer);
    }
    if (message->size != conversation->tree.size) {
        return refuse(conversation, CK_SIGNING_BEHIND, answer);
    }
    int r = ck_frontier_root(&conversation->tree, &root);
    if (r != 0) {
        return r;
    }
    if (memcmp(root.bytes, message->root.bytes, sizeof root.bytes) != 0) {
        return refuse(conversation, CK_SIGNING_FORK, answer);
    }
    if (ck_signer_head_sign(head, &conversation->tree, note, &size) != 0) {
        return refuse(conversation, CK_SIGNING_FAILED, answer);
    }
    return ck_signing_write(
        answer,
        &(struct ck_signing_message){.kind = CK_SIGNING_SIGNED, .text = note, .text_size = size});
}

int ck_conversation_answer(struct ck_conversation *conversation, const void *bytes, size_t size,
                           struct ck_writer *answer)
{
    struct ck_signing_message message;
    int r = ck_signing_read(bytes, size, &message);
    if (r != 0) {
        return r;
    }
    switch (message.kind) {
    case CK_SIGNING_HELLO:
        return message.version == CK_SIGNING_VERSION ? state(conversation, answer) : CK_E_SYNTAX;
    case CK_SIGNING_LEAVES:
        return take_leaves(conversation, &message, answer);
    case CK_SIGNING_SIGN:
        return sign(conversation, &message, answer);
    case CK_SIGNING_STATE:
    case CK_SIGNING_SIGNED:
    case CK_SIGNING_REFUSED:
        break;
    }
    return CK_E_SYNTAX;
}
