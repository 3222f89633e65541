/* Verifying a copy of the whole log (daemon/audit/export.h says what lies where). */
#ifndef DAEMON_VERIFY_LOG_H
#define DAEMON_VERIFY_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/verify/finding.h"
#include "daemon/verify/keys.h"

#define CK_VERIFY_KNOWN_MAX 32

struct ck_verify_log {
    const char *folder;
    struct ck_keys keys;
    const char *known[CK_VERIFY_KNOWN_MAX]; /* files with checkpoints kept elsewhere */
    size_t known_count;
    uint64_t objects; /* that completeness keeps (complete.h) */
    uint64_t entries; /* filled: read */
};

/* 0 with what was found in *verdict; CK_E_NOT_FOUND: there is no copy of a log there; CK_E_LIMIT,
 * -errno: it cannot be read. */
int ck_verify_log(struct ck_verify_log *log, struct ck_verdict *verdict);

#endif
