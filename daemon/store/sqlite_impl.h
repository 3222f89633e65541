/* For the files that know the library: sql_sqlite.c runs statements, copy.c copies a whole store.
 */
#ifndef DAEMON_STORE_SQLITE_IMPL_H
#define DAEMON_STORE_SQLITE_IMPL_H

#include <sqlite3.h>

/* What a (extended) result code means here: 0, CK_E_CONFLICT for a UNIQUE constraint, or a negative
 * errno. `db`, whose call it was, tells a full disk from another failure of it; NULL is taken. */
int ck_sqlite_error(sqlite3 *db, int code);

#endif
