/* The media workers: a fixed few checkin-media processes, one a core, each supervised (child.h),
 * configured, and known by its load. Messages go in and out as values of protocol/worker.h.
 *
 * Loop thread only. */
#ifndef DAEMON_CALL_POOL_H
#define DAEMON_CALL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "protocol/worker.h"

#define CK_POOL_WORKERS_MAX 64
#define CK_POOL_SILENCE_MS 5000  /* without a heartbeat: killed */
#define CK_POOL_PATIENCE_MS 2000 /* at the end, for closing recordings */
#define CK_POOL_DRAIN_MS 3900000 /* for live calls, none of which lasts that long */

struct ck_pool;

struct ck_pool_options {
    const char *program; /* of checkin-media */
    unsigned workers;    /* 1 to CK_POOL_WORKERS_MAX */
    struct ck_worker_config
        config; /* index and ports are set per worker: port + index where not 0 */
};

/* How many workers it takes: as many as are wanted; for 0 one a core, as far as a pool has places
 * and there are UDP ports from `first_port` (0: any) on. */
unsigned ck_pool_workers(unsigned wanted, unsigned cores, uint16_t first_port);

struct ck_pool_events {
    /* A message of a worker that is ready. HEARTBEAT and READY are kept here and not handed on.
     * Texts in it live until this returns. */
    void (*message)(void *context, unsigned worker, const struct ck_worker_message *message);
    /* The worker takes legs now (first time, or again). */
    void (*ready)(void *context, unsigned worker);
    /* The worker is gone with all its legs and recordings; a new one is on its way. */
    void (*down)(void *context, unsigned worker);
};

struct ck_pool_status {
    pid_t pid; /* 0: down */
    bool ready;
    bool draining;
    unsigned restarts;
    struct ck_worker_heartbeat heartbeat; /* the last; zeros before */
};

/* -errno where memory or handles are short. Options are copied. */
int ck_pool_create(uv_loop_t *loop, const struct ck_pool_options *options,
                   const struct ck_pool_events *events, void *context, struct ck_pool **pool);

/* Sends; `fd` (or -1) stays the caller's. CK_E_BUSY where the worker is not ready; CK_E_LIMIT or
 * CK_E_INVALID from the encoder. */
int ck_pool_send(struct ck_pool *pool, unsigned worker, const struct ck_worker_message *message,
                 int fd);

/* The ready worker with most room that does not drain. CK_E_BUSY where none has room for two legs
 * more. */
int ck_pool_pick(const struct ck_pool *pool, unsigned *worker);

/* No new calls for this worker; its live ones go on to their end, then its program is started anew,
 * which is how another version of it comes into use. CK_E_BUSY where it is not ready, CK_E_CONFLICT
 * where it drains already. */
int ck_pool_drain(struct ck_pool *pool, unsigned worker);

unsigned ck_pool_size(const struct ck_pool *pool);
struct ck_pool_status ck_pool_status(const struct ck_pool *pool, unsigned worker);

/* Ends all workers (they close their recordings), then calls `stopped`; the pool is then gone. */
void ck_pool_stop(struct ck_pool *pool, void (*stopped)(void *context), void *context);

#endif
