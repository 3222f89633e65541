#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/core/engine_impl.h"
#include "protocol/base/error.h"

void ck_queue_init(struct ck_engine *engine)
{
    pthread_mutex_init(&engine->lock, NULL);
    engine->batches_end = &engine->batches;
}

void ck_queue_deinit(struct ck_engine *engine)
{
    for (; engine->waiting_count > 0; engine->waiting_count--) {
        json_decref(engine->waiting[engine->waiting_first].command.body);
        engine->waiting_first = (engine->waiting_first + 1) % engine->waiting_max;
    }
    free(engine->waiting);
    struct ck_batch *batch = engine->batches;
    while (batch != NULL) {
        struct ck_batch *next = batch->next;
        ck_batch_free(batch);
        batch = next;
    }
    pthread_mutex_destroy(&engine->lock);
}

int ck_engine_submit(struct ck_engine *engine, const struct ck_command *command)
{
    ck_handler *handler = ck_registry_find(engine->options.registry, command->name);
    if (handler == NULL) {
        return CK_E_NOT_FOUND;
    }
    int r = 0;
    pthread_mutex_lock(&engine->lock);
    if (engine->waiting_count == engine->waiting_max) {
        r = CK_E_BUSY;
    } else {
        size_t at = (engine->waiting_first + engine->waiting_count++) % engine->waiting_max;
        engine->waiting[at] = (struct ck_waiting){.command = *command, .handler = handler};
    }
    pthread_mutex_unlock(&engine->lock);
    if (r == 0 && engine->wake_fd >= 0) {
        /* It can only fail where the count is full already, and then the thread is awake. */
        (void)eventfd_write(engine->wake_fd, 1);
    }
    return r;
}

size_t ck_queue_take(struct ck_engine *engine, struct ck_waiting *taken, size_t capacity)
{
    size_t count = 0;
    pthread_mutex_lock(&engine->lock);
    while (count < capacity && engine->waiting_count > 0) {
        taken[count++] = engine->waiting[engine->waiting_first];
        engine->waiting_first = (engine->waiting_first + 1) % engine->waiting_max;
        engine->waiting_count--;
    }
    pthread_mutex_unlock(&engine->lock);
    return count;
}

size_t ck_queue_waiting(struct ck_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    size_t count = engine->waiting_count;
    pthread_mutex_unlock(&engine->lock);
    return count;
}

void ck_queue_give(struct ck_engine *engine, struct ck_batch *batch)
{
    pthread_mutex_lock(&engine->lock);
    *engine->batches_end = batch;
    engine->batches_end = &batch->next;
    pthread_mutex_unlock(&engine->lock);
    if (engine->options.wake != NULL) {
        engine->options.wake(engine->options.user);
    }
}

struct ck_batch *ck_engine_take(struct ck_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    struct ck_batch *batches = engine->batches;
    engine->batches = NULL;
    engine->batches_end = &engine->batches;
    pthread_mutex_unlock(&engine->lock);
    return batches;
}

void ck_batch_free(struct ck_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    for (size_t i = 0; i < batch->result_count; i++) {
        json_decref(batch->results[i].body);
    }
    for (size_t i = 0; i < batch->output_count; i++) {
        json_decref(batch->outputs[i].body);
    }
    free(batch->results);
    free(batch->outputs);
    free(batch);
}
