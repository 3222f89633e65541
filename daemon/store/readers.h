/* Queries of the loop thread: they run in the thread pool, each on a reader connection of its own
 * for as long as it lasts, and their result comes back to the loop. A slow disk delays the answers,
 * never the loop.
 *
 * Loop thread only, but for the query function. */
#ifndef DAEMON_STORE_READERS_H
#define DAEMON_STORE_READERS_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include <jansson.h>

#include "daemon/store/store.h"

#define CK_READERS_CONNECTIONS_MAX 8 /* open at once; further queries wait for one */
#define CK_READERS_WAITING_MAX 1024  /* waiting; one more is refused with CK_E_BUSY */

struct ck_readers;

/* Runs on a thread of the pool with a connection that sees one consistent state. Gives 0 and a new
 * value in *out, which becomes the caller's, or an error of the query. It must not keep `store`. */
typedef int ck_readers_query(struct ck_store *store, void *argument, json_t **out);

/* Runs on the loop, exactly once; `value` (NULL unless code is 0) is now the callee's. */
typedef void ck_readers_done(void *cookie, int code, json_t *value);

/* Opens all connections, so that a query never waits for the opening of a file on a disk that
 * stands still; one that failed later is replaced when it is next needed. `path` is copied.
 * -ENOMEM, or as ck_store_open_reader(). */
int ck_readers_create(uv_loop_t *loop, const char *path, struct ck_readers **readers);

/* Queues a query. `argument` is the caller's until `done`, which is never called from inside this
 * call. CK_E_BUSY, -ENOMEM: not queued, and `done` is not called. */
int ck_readers_run(struct ck_readers *readers, ck_readers_query *query, void *argument,
                   ck_readers_done *done, void *cookie);

/* Waits for running queries, answers those that wait with -ESHUTDOWN, closes the connections, then
 * `stopped`. */
void ck_readers_stop(struct ck_readers *readers, void (*stopped)(void *context), void *context);

#endif
