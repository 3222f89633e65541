#include "daemon/verify/proof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "daemon/verify/input.h"
#include "protocol/base/cleanup.h"
#include "protocol/leaf.h"

#define ENTRY_MAX 4096

bool ck_verify_entry(const char *proof_text, size_t proof_size, const void *entry, size_t size,
                     const char *name, const struct ck_keys *keys, struct ck_verdict *verdict,
                     struct ck_entry_proof *proof)
{
    struct ck_hash hash;
    struct ck_leaf leaf;
    unsigned witnesses = 0;
    if (ck_entry_proof_read(proof_text, proof_size, proof) != 0) {
        ck_verdict_find(verdict, "proof", "the proof of %s is not of the form of one", name);
        return false;
    }
    if (!ck_keys_check(keys, proof->note, proof->note_size, name, verdict, &witnesses)) {
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

int ck_verify_proof(const char *proof, const char *entry, const struct ck_keys *keys,
                    struct ck_verdict *verdict)
{
    ck_cleanup(ck_freep) char *text = malloc(CK_PROOF_TEXT_MAX);
    char bytes[ENTRY_MAX];
    size_t text_size = 0, size = 0;
    struct ck_entry_proof read;
    int r = text == NULL ? -ENOMEM : ck_input_read(proof, text, CK_PROOF_TEXT_MAX, &text_size);
    r = r == 0 ? ck_input_read(entry, bytes, sizeof bytes, &size) : r;
    if (r == 0 && ck_verify_entry(text, text_size, bytes, size, entry, keys, verdict, &read)) {
        ck_verdict_proven(verdict, "entry %" PRIu64 " is among the %" PRIu64 " entries of %s",
                          read.index, read.checkpoint.size, read.checkpoint.origin);
        ck_verdict_not_proven(verdict, "what else is in the log, and what is not");
    }
    return r;
}
