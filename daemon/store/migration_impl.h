/* The migrations, made from migration/NNNN.sql by the build: number n (from 1) brings a store of
 * version n - 1 to version n. A migration that was released is never changed. */
#ifndef DAEMON_STORE_MIGRATION_IMPL_H
#define DAEMON_STORE_MIGRATION_IMPL_H

extern const char *const ck_migrations[];
extern const int ck_migration_count;

#endif
