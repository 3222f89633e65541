#include "daemon/call/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/call/child.h"
#include "daemon/config/log.h"
#include "protocol/base/error.h"

struct worker {
    struct ck_pool *pool;
    unsigned index;
    struct ck_child *child;
    bool ready;
    bool draining;
    struct ck_worker_heartbeat heartbeat;
    unsigned opened; /* legs asked for since the last heartbeat, not in it yet */
};

struct ck_pool {
    struct ck_pool_events events;
    void *context;
    struct ck_worker_config config;
    unsigned size;
    unsigned running;
    void (*stopped)(void *context);
    void *stopped_context;
    struct worker workers[];
};

static void advance_port(struct ck_worker_address *address, unsigned index)
{
    if (address->family != 0 && address->port != 0) {
        address->port = (uint16_t)(address->port + index);
    }
}

static int send_message(struct worker *worker, const struct ck_worker_message *message, int fd)
{
    uint8_t bytes[CK_WORKER_MESSAGE_MAX];
    size_t size = 0;
    const char *field = NULL;
    int error = ck_worker_encode(message, bytes, sizeof bytes, &size, &field);
    if (error != 0) {
        ck_log(CK_LOG_ERROR, "message %s to a media worker: %s: %s",
               ck_worker_kind_name(message->kind), field == NULL ? "?" : field,
               ck_error_text(error));
        return error;
    }
    return ck_child_send(worker->child, bytes, size, &fd, fd >= 0 ? 1 : 0);
}

static void on_up(void *context, pid_t pid)
{
    struct worker *worker = context;
    struct ck_worker_message message = {.kind = CK_WORKER_CONFIG, .config = worker->pool->config};
    message.config.version = CK_WORKER_VERSION;
    message.config.index = (uint8_t)worker->index;
    advance_port(&message.config.listen_v4, worker->index);
    advance_port(&message.config.listen_v6, worker->index);
    for (unsigned i = 0; i < message.config.advertised_count; i++) {
        advance_port(&message.config.advertised[i], worker->index);
    }
    if (send_message(worker, &message, -1) != 0) {
        ck_child_kill(worker->child, "cannot be configured");
    }
    ck_log(CK_LOG_INFO, "checkin-media %u started, pid %d", worker->index, (int)pid);
}

static void on_down(void *context, int64_t status, int signal, uint64_t again_ms)
{
    struct worker *worker = context;
    (void)status;
    (void)signal;
    (void)again_ms;
    bool was_ready = worker->ready;
    worker->ready = false;
    worker->draining = false;
    worker->opened = 0;
    memset(&worker->heartbeat, 0, sizeof worker->heartbeat);
    if (was_ready) {
        worker->pool->events.down(worker->pool->context, worker->index);
    }
}

static void on_ready(struct worker *worker, const struct ck_worker_ready *ready)
{
    worker->ready = true;
    worker->heartbeat.legs_free = ready->legs_max;
    ck_log(CK_LOG_INFO, "checkin-media %u ready: ports %u and %u, %u legs, %.*s", worker->index,
           ready->port_v4, ready->port_v6, ready->legs_max, (int)ready->library.size,
           ready->library.data);
    worker->pool->events.ready(worker->pool->context, worker->index);
}

static void on_message(void *context, const uint8_t *bytes, size_t size)
{
    struct worker *worker = context;
    struct ck_worker_message message;
    const char *field = NULL;
    int error = ck_worker_decode(bytes, size, &message, &field);
    if (error != 0 || message.kind < CK_WORKER_READY) {
        ck_log(CK_LOG_ERROR, "message of checkin-media %u: %s: %s", worker->index,
               field == NULL ? "kind" : field, ck_error_text(error));
        ck_child_kill(worker->child, "a message that does not decode");
        return;
    }
    if (message.kind == CK_WORKER_READY) {
        on_ready(worker, &message.ready);
    } else if (message.kind == CK_WORKER_HEARTBEAT) {
        worker->heartbeat = message.heartbeat;
        worker->opened = 0;
    } else if (worker->ready) {
        worker->pool->events.message(worker->pool->context, worker->index, &message);
    }
}

static void on_stopped(void *context)
{
    struct worker *worker = context;
    struct ck_pool *pool = worker->pool;
    worker->child = NULL;
    if (--pool->running > 0) {
        return;
    }
    void (*stopped)(void *) = pool->stopped;
    void *stopped_context = pool->stopped_context;
    free(pool);
    if (stopped != NULL) {
        stopped(stopped_context);
    }
}

static int start_worker(uv_loop_t *loop, struct ck_pool *pool, const char *program, unsigned index)
{
    static const struct ck_child_events events = {
        .up = on_up, .message = on_message, .down = on_down};
    struct worker *worker = &pool->workers[index];
    worker->pool = pool;
    worker->index = index;
    char name[32];
    snprintf(name, sizeof name, "checkin-media %u", index);
    struct ck_child_options options = {
        .program = program, .name = name, .silence_limit_ms = CK_POOL_SILENCE_MS};
    return ck_child_create(loop, &options, &events, worker, &worker->child);
}

unsigned ck_pool_workers(unsigned wanted, unsigned cores, uint16_t first_port)
{
    unsigned ports = first_port == 0 ? CK_POOL_WORKERS_MAX : UINT16_MAX + 1U - first_port;
    unsigned most = ports < CK_POOL_WORKERS_MAX ? ports : CK_POOL_WORKERS_MAX;
    if (wanted > 0) {
        return wanted;
    }
    return cores < most ? cores : most;
}

int ck_pool_create(uv_loop_t *loop, const struct ck_pool_options *options,
                   const struct ck_pool_events *events, void *context, struct ck_pool **out)
{
    if (options->workers == 0 || options->workers > CK_POOL_WORKERS_MAX) {
        return -EINVAL;
    }
    struct ck_pool *pool = calloc(1, sizeof *pool + options->workers * sizeof pool->workers[0]);
    if (pool == NULL) {
        return -ENOMEM;
    }
    pool->events = *events;
    pool->context = context;
    pool->config = options->config;
    for (; pool->size < options->workers; pool->size++) {
        int error = start_worker(loop, pool, options->program, pool->size);
        if (error != 0) {
            ck_pool_stop(pool, NULL, NULL);
            return error;
        }
        pool->running++;
    }
    *out = pool;
    return 0;
}

int ck_pool_send(struct ck_pool *pool, unsigned index, const struct ck_worker_message *message,
                 int fd)
{
    struct worker *worker = &pool->workers[index];
    if (!worker->ready) {
        return CK_E_BUSY;
    }
    if (message->kind == CK_WORKER_LEG_OPEN) {
        worker->opened++;
    }
    return send_message(worker, message, fd);
}

int ck_pool_pick(const struct ck_pool *pool, unsigned *worker)
{
    int64_t most = 1; /* a call needs room for two legs */
    for (unsigned i = 0; i < pool->size; i++) {
        const struct worker *candidate = &pool->workers[i];
        int64_t room = (int64_t)candidate->heartbeat.legs_free - candidate->opened;
        if (candidate->ready && !candidate->draining && room > most) {
            most = room;
            *worker = i;
        }
    }
    return most > 1 ? 0 : CK_E_BUSY;
}

int ck_pool_drain(struct ck_pool *pool, unsigned index)
{
    struct worker *worker = &pool->workers[index];
    if (worker->draining) {
        return CK_E_CONFLICT;
    }
    struct ck_worker_message message = {.kind = CK_WORKER_SHUTDOWN,
                                        .shutdown = {.drain_ms = CK_POOL_DRAIN_MS}};
    int error = ck_pool_send(pool, index, &message, -1);
    worker->draining = error == 0;
    return error;
}

unsigned ck_pool_size(const struct ck_pool *pool)
{
    return pool->size;
}

struct ck_pool_status ck_pool_status(const struct ck_pool *pool, unsigned index)
{
    const struct worker *worker = &pool->workers[index];
    return (struct ck_pool_status){
        .pid = ck_child_pid(worker->child),
        .ready = worker->ready,
        .draining = worker->draining,
        .restarts = ck_child_restarts(worker->child),
        .heartbeat = worker->heartbeat,
    };
}

void ck_pool_stop(struct ck_pool *pool, void (*stopped)(void *context), void *context)
{
    if (pool == NULL) {
        return;
    }
    pool->stopped = stopped;
    pool->stopped_context = context;
    if (pool->running == 0) {
        free(pool);
        return;
    }
    /* The last on_stopped() frees the pool, never inside this loop: handles close with a later
     * turn. */
    struct ck_worker_message last = {.kind = CK_WORKER_SHUTDOWN};
    for (unsigned i = 0, count = pool->running; i < count; i++) {
        (void)ck_pool_send(pool, i, &last, -1); /* one that is not ready has nothing to close */
        ck_child_stop(pool->workers[i].child, CK_POOL_PATIENCE_MS, on_stopped, &pool->workers[i]);
    }
}
