/* Verifying the bundle of one incident or check-in (daemon/bundle/bundle.h): that it is the one
 * that the log says was made, every file of it, and for whom; every entry against its proof, what
 * was opened against what it commits to, the chain of entries about each object up to its newest,
 * and each recording against the heads in the entries. */
#ifndef DAEMON_VERIFY_BUNDLE_H
#define DAEMON_VERIFY_BUNDLE_H

#include "daemon/verify/finding.h"
#include "daemon/verify/keys.h"

struct ck_verify_bundle {
    const char *path;
    const char *built; /* file with a proof of the entry BUNDLE_BUILT that was got later; or NULL */
    const char *const *known; /* files with one checkpoint each that was kept elsewhere */
    size_t known_count;
};

/* 0 with what was found in *verdict; CK_E_NOT_FOUND: the file is no bundle; -errno. Without a key
 * of the log that in the bundle is taken, and said. */
int ck_verify_bundle(const struct ck_verify_bundle *what, struct ck_keys *keys,
                     struct ck_verdict *verdict);

#endif
