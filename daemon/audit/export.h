/* A copy of the audit log for others: a folder in the layout of C2SP tlog-tiles, which anybody can
 * verify with the log's public key alone (checkin-verify log). It holds the leaves, nothing of what
 * lies beside them.
 *
 *   checkpoint      the newest checkpoint; what stands behind it in the log is left out
 *   checkpoints     all of them, oldest first, an empty line between two
 *   log.vkey        the public key as the signer names it
 *   log.vkeys       every key that an entry SIGNER_KEY names, one a line, oldest first
 *   tile/entries/…  bundles of 256 leaves, each behind its size in two bytes
 *   tile/L/…        hashes */
#ifndef DAEMON_AUDIT_EXPORT_H
#define DAEMON_AUDIT_EXPORT_H

#include <stdint.h>

#include "daemon/store/store.h"

struct ck_audit_copy {
    uint64_t entries;  /* written */
    uint64_t left_out; /* in the log but under no checkpoint yet */
    uint64_t checkpoints;
};

/* Makes the folder and fills it. -EEXIST: there is one; CK_E_NOT_FOUND: nothing was signed yet;
 * -EUCLEAN: the store does not hold what the checkpoint covers. A folder half filled stays. */
int ck_audit_export(struct ck_store *store, const char *folder, struct ck_audit_copy *copy);

#endif
