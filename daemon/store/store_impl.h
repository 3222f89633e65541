/* What the files of this folder need of a connection beyond store.h and sql_impl.h. */
#ifndef DAEMON_STORE_STORE_IMPL_H
#define DAEMON_STORE_STORE_IMPL_H

#include <stdbool.h>

#include "daemon/store/store.h"

/* Opens for writing and migrates up to `version` only: for the tests of migrations. */
int ck_store_open_version(struct ck_store **store, const char *path, int version);

/* Between transactions: whether the next commit may be lost by a power failure (never by a crash of
 * the program). */
int ck_store_relax(struct ck_store *store, bool relaxed);

#endif
