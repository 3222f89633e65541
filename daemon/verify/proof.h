/* Verifying that one entry is in the log: a .tlog-proof (C2SP tlog-proof) and the bytes of the
 * entry. */
#ifndef DAEMON_VERIFY_PROOF_H
#define DAEMON_VERIFY_PROOF_H

#include <stddef.h>

#include "daemon/verify/finding.h"
#include "daemon/verify/keys.h"
#include "protocol/note.h"

/* Of values: true where the entry is proven. Findings "proof", "changed", "forged". `name` is what
 * the entry is called in findings. */
bool ck_verify_entry(const char *proof_text, size_t proof_size, const void *entry, size_t size,
                     const char *name, const struct ck_keys *keys, struct ck_verdict *verdict,
                     struct ck_entry_proof *proof);

/* Of files; `entry` NULL: the entry lies beside the proof in its file. 0 with what was found in
 * *verdict; -errno or CK_E_LIMIT: a file cannot be read. */
int ck_verify_proof(const char *proof, const char *entry, const struct ck_keys *keys,
                    struct ck_verdict *verdict);

#endif
