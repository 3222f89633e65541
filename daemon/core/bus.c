#include "daemon/core/bus.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/config/log.h"
#include "protocol/base/error.h"

#define BUCKETS 1024
#define STOP_PATIENCE_MS 1000
#define STOP_LOOK_MS 10

/* A command under way, found by its ticket. Those that never reached the engine wait in `refused`,
 * so that their callback, too, comes from the loop. */
struct pending {
    struct pending *next;
    uint64_t ticket;
    int code;
    ck_bus_done *done;
    void *cookie;
};

struct ck_bus {
    struct ck_engine *engine;
    ck_bus_output *output;
    void *context;
    uv_async_t async;
    uv_timer_t timer; /* the patience of ck_bus_stop() */
    struct pending *buckets[BUCKETS];
    struct pending *refused, **refused_end;
    uint64_t next_ticket;
    size_t count;
    bool stopping;
    uint64_t stop_ms;
    unsigned open_handles;
    void (*stopped)(void *context);
    void *stopped_context;
};

static void finish(struct ck_bus *bus, struct pending *pending, const struct ck_result *result)
{
    bus->count--;
    if (pending->done != NULL) {
        pending->done(pending->cookie, result);
    }
    free(pending);
}

static void finish_result(struct ck_bus *bus, const struct ck_result *result)
{
    for (struct pending **at = &bus->buckets[result->ticket % BUCKETS]; *at != NULL;
         at = &(*at)->next) {
        struct pending *pending = *at;
        if (pending->ticket == result->ticket) {
            *at = pending->next;
            finish(bus, pending, result);
            return;
        }
    }
}

static void finish_refused(struct ck_bus *bus)
{
    struct pending *list = bus->refused;
    bus->refused = NULL;
    bus->refused_end = &bus->refused;
    while (list != NULL) {
        struct pending *next = list->next;
        struct ck_result result = {.ticket = list->ticket, .code = list->code};
        ck_refuse(&result.refusal, list->code, "", "%s", ck_error_text(list->code));
        finish(bus, list, &result);
        list = next;
    }
}

static void take_batches(struct ck_bus *bus)
{
    struct ck_batch *batch;
    while ((batch = ck_engine_take(bus->engine)) != NULL) {
        while (batch != NULL) {
            struct ck_batch *next = batch->next;
            batch->next = NULL;
            for (size_t i = 0; i < batch->result_count; i++) {
                finish_result(bus, &batch->results[i]);
            }
            for (size_t i = 0; i < batch->output_count; i++) {
                bus->output(bus->context, &batch->outputs[i]);
            }
            ck_batch_free(batch);
            batch = next;
        }
    }
}

static void on_async(uv_async_t *async)
{
    struct ck_bus *bus = async->data;
    finish_refused(bus);
    take_batches(bus);
}

static void on_wake(void *user)
{
    struct ck_bus *bus = user;
    uv_async_send(&bus->async);
}

int ck_bus_create(uv_loop_t *loop, const struct ck_engine_options *options, ck_bus_output *output,
                  void *context, struct ck_bus **out)
{
    struct ck_bus *bus = calloc(1, sizeof *bus);
    if (bus == NULL) {
        return -ENOMEM;
    }
    bus->output = output;
    bus->context = context;
    bus->refused_end = &bus->refused;
    struct ck_engine_options own = *options;
    own.wake = on_wake;
    own.user = bus;
    int error = ck_engine_create(&bus->engine, &own);
    if (error != 0) {
        free(bus);
        return error;
    }
    uv_async_init(loop, &bus->async, on_async);
    uv_timer_init(loop, &bus->timer);
    bus->async.data = bus;
    bus->timer.data = bus;
    error = ck_engine_start(bus->engine);
    if (error != 0) {
        ck_bus_stop(bus, NULL, NULL);
        return error;
    }
    *out = bus;
    return 0;
}

static void refuse(struct ck_bus *bus, struct pending *pending, int code)
{
    pending->code = code;
    pending->next = NULL;
    *bus->refused_end = pending;
    bus->refused_end = &pending->next;
    uv_async_send(&bus->async);
}

void ck_bus_submit(struct ck_bus *bus, const char *name, const struct ck_actor *actor, json_t *body,
                   ck_bus_done *done, void *cookie)
{
    struct pending *pending = calloc(1, sizeof *pending);
    if (pending == NULL) {
        /* Nothing can be answered without memory for the answer: like the rest of the process on
         * Linux. */
        ck_log(CK_LOG_ERROR, "out of memory at command %s", name);
        abort();
    }
    *pending = (struct pending){.ticket = ++bus->next_ticket, .done = done, .cookie = cookie};
    bus->count++;
    if (bus->stopping || body == NULL) {
        refuse(bus, pending, body == NULL ? -ENOMEM : -ESHUTDOWN);
        json_decref(body);
        return;
    }
    struct ck_command command = {
        .name = name, .actor = *actor, .body = body, .ticket = pending->ticket};
    int error = ck_engine_submit(bus->engine, &command);
    if (error != 0) {
        ck_log(CK_LOG_ERROR, "command %s: %s", name, ck_error_text(error));
        json_decref(body);
        refuse(bus, pending, error);
        return;
    }
    pending->next = bus->buckets[pending->ticket % BUCKETS];
    bus->buckets[pending->ticket % BUCKETS] = pending;
}

struct ck_engine *ck_bus_engine(struct ck_bus *bus)
{
    return bus->engine;
}

size_t ck_bus_pending(const struct ck_bus *bus)
{
    return bus->count;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct ck_bus *bus = handle->data;
    if (--bus->open_handles > 0) {
        return;
    }
    void (*stopped)(void *) = bus->stopped;
    void *context = bus->stopped_context;
    ck_engine_destroy(bus->engine);
    free(bus);
    if (stopped != NULL) {
        stopped(context);
    }
}

/* The engine has ended: nothing more comes from it. */
static void end(struct ck_bus *bus)
{
    ck_engine_stop(bus->engine);
    take_batches(bus);
    finish_refused(bus);
    for (size_t i = 0; i < BUCKETS; i++) {
        while (bus->buckets[i] != NULL) {
            struct pending *pending = bus->buckets[i];
            bus->buckets[i] = pending->next;
            struct ck_result result = {.ticket = pending->ticket, .code = -ESHUTDOWN};
            finish(bus, pending, &result);
        }
    }
    bus->open_handles = 2;
    uv_close((uv_handle_t *)&bus->async, on_handle_closed);
    uv_close((uv_handle_t *)&bus->timer, on_handle_closed);
}

static void on_stop_timer(uv_timer_t *timer)
{
    struct ck_bus *bus = timer->data;
    bus->stop_ms += STOP_LOOK_MS;
    if (bus->count == 0 || bus->stop_ms >= STOP_PATIENCE_MS) {
        uv_timer_stop(timer);
        end(bus);
    }
}

void ck_bus_stop(struct ck_bus *bus, void (*stopped)(void *context), void *context)
{
    bus->stopping = true;
    bus->stopped = stopped;
    bus->stopped_context = context;
    uv_timer_start(&bus->timer, on_stop_timer, 0, STOP_LOOK_MS);
}
