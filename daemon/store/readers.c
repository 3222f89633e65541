#include "daemon/store/readers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/error.h"

struct query {
    struct query *next;
    struct ck_readers *readers;
    uv_work_t work;
    struct ck_store *store; /* while it runs */
    ck_readers_query *function;
    void *argument;
    ck_readers_done *done;
    void *cookie;
    int code;
    json_t *value;
};

struct ck_readers {
    uv_loop_t *loop;
    char *path;
    struct ck_store *idle[CK_READERS_CONNECTIONS_MAX];
    unsigned idle_count, running;
    struct query *first, **end;
    unsigned waiting;
    bool stopping;
    uv_idle_t last; /* calls `stopped` from the loop */
    void (*stopped)(void *context);
    void *stopped_context;
};

static void start_next(struct ck_readers *readers);

static void discard(struct ck_readers *readers)
{
    while (readers->idle_count > 0) {
        ck_store_close(readers->idle[--readers->idle_count]);
    }
    free(readers->path);
    free(readers);
}

int ck_readers_create(uv_loop_t *loop, const char *path, struct ck_readers **out)
{
    struct ck_readers *readers = calloc(1, sizeof *readers);
    if (readers == NULL || (readers->path = strdup(path)) == NULL) {
        free(readers);
        return -ENOMEM;
    }
    readers->loop = loop;
    readers->end = &readers->first;
    int r = 0;
    while (r == 0 && readers->idle_count < CK_READERS_CONNECTIONS_MAX) {
        r = ck_store_open_reader(&readers->idle[readers->idle_count], path);
        readers->idle_count += r == 0;
    }
    if (r != 0) {
        discard(readers);
        return r;
    }
    *out = readers;
    return 0;
}

static void run(uv_work_t *work)
{
    struct query *query = work->data;
    if (query->store == NULL) {
        query->code = ck_store_open_reader(&query->store, query->readers->path);
    }
    if (query->code == 0) {
        query->code = ck_store_view(query->store);
    }
    if (query->code == 0) {
        query->code = query->function(query->store, query->argument, &query->value);
        ck_store_view_end(query->store);
    }
}

static void on_last_closed(uv_handle_t *handle)
{
    struct ck_readers *readers = handle->data;
    void (*stopped)(void *) = readers->stopped;
    void *context = readers->stopped_context;
    discard(readers);
    if (stopped != NULL) {
        stopped(context);
    }
}

static void maybe_stopped(struct ck_readers *readers)
{
    if (readers->stopping && readers->running == 0 &&
        !uv_is_closing((uv_handle_t *)&readers->last)) {
        uv_close((uv_handle_t *)&readers->last, on_last_closed);
    }
}

static void finish(struct query *query)
{
    query->done(query->cookie, query->code, query->value);
    free(query);
}

static void on_done(uv_work_t *work, int status)
{
    struct query *query = work->data;
    struct ck_readers *readers = query->readers;
    readers->running--;
    if (status < 0) {
        query->code = status;
    }
    if (query->code != 0) {
        json_decref(query->value);
        query->value = NULL;
    }
    /* A connection that failed is not used again: its error may be its own. */
    if (query->store != NULL && query->code >= 0) {
        readers->idle[readers->idle_count++] = query->store;
    } else {
        ck_store_close(query->store);
    }
    finish(query);
    start_next(readers);
    maybe_stopped(readers);
}

static void start_next(struct ck_readers *readers)
{
    while (readers->first != NULL && readers->running < CK_READERS_CONNECTIONS_MAX &&
           !readers->stopping) {
        struct query *query = readers->first;
        readers->first = query->next;
        if (readers->first == NULL) {
            readers->end = &readers->first;
        }
        readers->waiting--;
        readers->running++;
        query->store = readers->idle_count > 0 ? readers->idle[--readers->idle_count] : NULL;
        query->work.data = query;
        /* Fails only without a function. */
        uv_queue_work(readers->loop, &query->work, run, on_done);
    }
}

int ck_readers_run(struct ck_readers *readers, ck_readers_query *function, void *argument,
                   ck_readers_done *done, void *cookie)
{
    if (readers->waiting >= CK_READERS_WAITING_MAX || readers->stopping) {
        return CK_E_BUSY;
    }
    struct query *query = calloc(1, sizeof *query);
    if (query == NULL) {
        return -ENOMEM;
    }
    *query = (struct query){.readers = readers,
                            .function = function,
                            .argument = argument,
                            .done = done,
                            .cookie = cookie};
    *readers->end = query;
    readers->end = &query->next;
    readers->waiting++;
    start_next(readers);
    return 0;
}

void ck_readers_stop(struct ck_readers *readers, void (*stopped)(void *context), void *context)
{
    if (readers == NULL) {
        return;
    }
    readers->stopping = true;
    readers->stopped = stopped;
    readers->stopped_context = context;
    uv_idle_init(readers->loop, &readers->last);
    readers->last.data = readers;
    while (readers->first != NULL) {
        struct query *query = readers->first;
        readers->first = query->next;
        query->code = -ESHUTDOWN;
        finish(query);
    }
    maybe_stopped(readers);
}
