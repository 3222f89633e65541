/* Verifying the bundle of one incident or check-in (daemon/bundle/bundle.h): every entry against
 * its proof, what was opened against what it commits to, the chain of entries about each object,
 * and each recording against the heads in the entries. */
#ifndef DAEMON_VERIFY_BUNDLE_H
#define DAEMON_VERIFY_BUNDLE_H

#include "daemon/verify/finding.h"
#include "daemon/verify/keys.h"

/* 0 with what was found in *verdict; CK_E_NOT_FOUND: the file is no bundle; -errno. Without a key
 * of the log that in the bundle is taken, and said. */
int ck_verify_bundle(const char *path, struct ck_keys *keys, struct ck_verdict *verdict);

#endif
