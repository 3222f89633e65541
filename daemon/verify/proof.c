#include "daemon/verify/proof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "daemon/verify/input.h"
#include "protocol/base/cleanup.h"
#include "protocol/leaf.h"

#define ENTRY_MAX CK_PROOF_EXTRA_MAX

bool ck_verify_entry(const char *proof_text, size_t proof_size, const void *entry, size_t size,
                     const char *name, const struct ck_keys *keys, struct ck_verdict *verdict,
                     struct ck_entry_proof *proof)
{
    struct ck_hash hash;
    struct ck_leaf leaf;
    if (ck_entry_proof_read(proof_text, proof_size, proof) != 0) {
        ck_verdict_find(verdict, "proof", "the proof of %s is not of the form of one", name);
        return false;
    }
    if (!ck_keys_check(keys, proof->note, proof->note_size, name, verdict, NULL)) {
        return false;
    }
    if (!ck_leaf_read(entry, size, &leaf) || (uint64_t)leaf.index != proof->index) {
        ck_verdict_find(verdict, "changed", "%s is not the entry %" PRIu64 " that its proof is of",
                        name, proof->index);
        return false;
    }
    if (ck_merkle_leaf(entry, size, &hash) != 0 ||
        ck_merkle_check_inclusion(&proof->path, proof->index, proof->checkpoint.size, &hash,
                                  &proof->checkpoint.root) != 0) {
        ck_verdict_find(verdict, "changed", "%s is not in the log that was signed", name);
        return false;
    }
    return true;
}

/* The entry that lies beside its proof; the hash of the proof vouches for it. */
static bool take_beside(const char *text, size_t text_size, uint8_t entry[static ENTRY_MAX],
                        size_t *size, struct ck_verdict *verdict)
{
    struct ck_entry_proof proof;
    if (ck_entry_proof_read(text, text_size, &proof) == 0 &&
        ck_entry_proof_extra(&proof, entry, size) == 0) {
        return true;
    }
    ck_verdict_find(verdict, "proof", "no proof with its entry beside it can be read");
    return false;
}

/* What an entry about an outcome says in itself. */
static void tell_outcome(const void *bytes, size_t size, struct ck_verdict *verdict)
{
    struct ck_leaf leaf;
    struct ck_leaf_tail tail;
    if (!ck_leaf_read(bytes, size, &leaf) || !ck_leaf_read_tail(&leaf, &tail) ||
        !ck_leaf_is(leaf.action, "CHECKIN_OUTCOME")) {
        return;
    }
    struct ck_leaf_text receipt = ck_leaf_string(tail.open, "receipt");
    struct ck_leaf_text outcome = ck_leaf_string(tail.open, "outcome");
    ck_verdict_proven(verdict,
                      "it says that the check-in with receipt %.*s has the outcome %.*s, written "
                      "down at %.*s",
                      (int)receipt.size, receipt.at, (int)outcome.size, outcome.at,
                      (int)leaf.at.size, leaf.at.at);
    ck_verdict_not_proven(verdict, "whose check-in it is: the entry names a person by a number "
                                   "that only the log's keeper can tell");
}

int ck_verify_proof(const char *proof, const char *entry, const struct ck_keys *keys,
                    struct ck_verdict *verdict)
{
    ck_cleanup(ck_freep) char *text = malloc(CK_PROOF_TEXT_MAX);
    uint8_t bytes[ENTRY_MAX];
    size_t text_size = 0, size = 0;
    struct ck_entry_proof read;
    int r = text == NULL ? -ENOMEM : ck_input_read(proof, text, CK_PROOF_TEXT_MAX, &text_size);
    r = r == 0 && entry != NULL ? ck_input_read(entry, bytes, sizeof bytes, &size) : r;
    if (r != 0 || (entry == NULL && !take_beside(text, text_size, bytes, &size, verdict)) ||
        !ck_verify_entry(text, text_size, bytes, size, entry == NULL ? "its entry" : entry, keys,
                         verdict, &read)) {
        return r;
    }
    ck_verdict_proven(verdict, "entry %" PRIu64 " is among the %" PRIu64 " entries of %s",
                      read.index, read.checkpoint.size, read.checkpoint.origin);
    tell_outcome(bytes, size, verdict);
    ck_verdict_not_proven(verdict, "what else is in the log, and what is not");
    return 0;
}
