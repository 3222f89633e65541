#include "daemon/notify/courier.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/notify/transfer.h"
#include "protocol/base/cleanup.h"

/* One request on its way there and back. */
struct parcel {
    struct parcel *next;
    struct ck_courier *courier;
    uint64_t ticket;
    struct ck_request request;   /* on the way there */
    struct ck_response response; /* on the way back; its texts point to the copies below */
    char *body;
    char *detail;
};

struct queue {
    struct parcel *first;
    struct parcel **last;
};

struct ck_courier {
    uv_thread_t thread;
    uv_loop_t own; /* the thread's loop */
    uv_async_t wake_thread;
    uv_async_t wake_loop;
    uv_mutex_t lock; /* of the two queues and `stop` */
    struct queue out;
    struct queue back;
    bool stop;
    ck_courier_done *done;
    void *user;
    struct ck_transfers *transfers; /* this and `running` are the thread's alone once it runs */
    struct parcel *running;
    bool delivering, destroyed, closed;
};

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void queue_put(struct queue *queue, struct parcel *parcel)
{
    parcel->next = NULL;
    *queue->last = parcel;
    queue->last = &parcel->next;
}

/* Takes everything. */
static struct parcel *queue_take(struct queue *queue)
{
    struct parcel *first = queue->first;
    queue_init(queue);
    return first;
}

static void free_parcel(struct parcel *parcel)
{
    ck_request_deinit(&parcel->request);
    free(parcel->body);
    free(parcel->detail);
    free(parcel);
}

static void free_parcels(struct parcel *parcel)
{
    while (parcel != NULL) {
        struct parcel *next = parcel->next;
        free_parcel(parcel);
        parcel = next;
    }
}

/* ---- in the thread ---- */

static void send_back(struct parcel *parcel)
{
    struct ck_courier *courier = parcel->courier;
    uv_mutex_lock(&courier->lock);
    queue_put(&courier->back, parcel);
    uv_mutex_unlock(&courier->lock);
    uv_async_send(&courier->wake_loop);
}

static void fill_failed(struct parcel *parcel)
{
    parcel->response = (struct ck_response){
        .fault = CK_TRANSFER_MEMORY, .retry_after_ms = -1, .body = "", .detail = "out of memory"};
}

static void take_from_running(struct parcel *parcel)
{
    struct parcel **at = &parcel->courier->running;
    while (*at != parcel) {
        at = &(*at)->next;
    }
    *at = parcel->next;
}

static void on_done(void *user, const struct ck_response *response)
{
    struct parcel *parcel = user;
    take_from_running(parcel);
    parcel->body = malloc(response->body_size + 1);
    parcel->detail = strdup(response->detail);
    parcel->response = *response;
    if (parcel->body == NULL || parcel->detail == NULL) {
        /* What the server answered is lost to us: whether it has acted is then unknown. */
        parcel->response.fault = CK_TRANSFER_LOST;
        parcel->response.body = "";
        parcel->response.body_size = 0;
        parcel->response.detail = "out of memory";
    } else {
        memcpy(parcel->body, response->body, response->body_size);
        parcel->body[response->body_size] = '\0';
        parcel->response.body = parcel->body;
        parcel->response.detail = parcel->detail;
    }
    send_back(parcel);
}

static void start(struct ck_courier *courier, struct parcel *parcel)
{
    struct ck_transfer *transfer;
    if (ck_transfer_start(courier->transfers, &parcel->request, on_done, parcel, &transfer) != 0) {
        fill_failed(parcel);
        send_back(parcel);
        return;
    }
    parcel->next = courier->running;
    courier->running = parcel;
}

/* Runs in the thread when there is something to send, or when it shall end. */
static void on_wake_thread(uv_async_t *async)
{
    struct ck_courier *courier = async->data;
    uv_mutex_lock(&courier->lock);
    struct parcel *parcel = queue_take(&courier->out);
    bool stop = courier->stop;
    uv_mutex_unlock(&courier->lock);
    while (parcel != NULL) {
        struct parcel *next = parcel->next;
        if (stop) {
            free_parcel(parcel);
        } else {
            start(courier, parcel);
        }
        parcel = next;
    }
    if (stop) {
        ck_transfers_destroy(courier->transfers);
        free_parcels(courier->running);
        uv_close((uv_handle_t *)async, NULL);
    }
}

static void run_thread(void *user)
{
    struct ck_courier *courier = user;
    uv_run(&courier->own, UV_RUN_DEFAULT);
}

/* ---- on the loop ---- */

static void release_if_over(struct ck_courier *courier)
{
    if (courier->closed && !courier->delivering) {
        free(courier);
    }
}

static void on_wake_loop(uv_async_t *async)
{
    struct ck_courier *courier = async->data;
    uv_mutex_lock(&courier->lock);
    struct parcel *parcel = queue_take(&courier->back);
    uv_mutex_unlock(&courier->lock);
    courier->delivering = true;
    while (parcel != NULL) {
        struct parcel *next = parcel->next;
        if (!courier->destroyed) {
            courier->done(courier->user, parcel->ticket, &parcel->response);
        }
        free_parcel(parcel);
        parcel = next;
    }
    courier->delivering = false;
    release_if_over(courier);
}

static void on_closed(uv_handle_t *handle)
{
    struct ck_courier *courier = handle->data;
    courier->closed = true;
    release_if_over(courier);
}

int ck_courier_send(struct ck_courier *courier, uint64_t ticket, struct ck_request *request)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);
    if (parcel == NULL) {
        ck_request_deinit(request);
        return -ENOMEM;
    }
    parcel->courier = courier;
    parcel->ticket = ticket;
    parcel->request = *request;
    *request = (struct ck_request){0};
    uv_mutex_lock(&courier->lock);
    queue_put(&courier->out, parcel);
    uv_mutex_unlock(&courier->lock);
    uv_async_send(&courier->wake_thread);
    return 0;
}

/* Makes the thread's loop with what lives on it, and the thread. */
static int start_thread(struct ck_courier *courier)
{
    int error = uv_loop_init(&courier->own);
    if (error != 0) {
        return error;
    }
    error = uv_async_init(&courier->own, &courier->wake_thread, on_wake_thread);
    courier->wake_thread.data = courier;
    if (error == 0) {
        error = ck_transfers_create(&courier->transfers, &courier->own);
        if (error == 0) {
            error = uv_thread_create(&courier->thread, run_thread, courier);
        }
        if (error != 0) {
            ck_transfers_destroy(courier->transfers);
            uv_close((uv_handle_t *)&courier->wake_thread, NULL);
        }
    }
    if (error != 0) {
        uv_run(&courier->own, UV_RUN_DEFAULT);
        uv_loop_close(&courier->own);
    }
    return error;
}

int ck_courier_create(struct ck_courier **courier, uv_loop_t *loop, ck_courier_done *done,
                      void *user)
{
    ck_cleanup(ck_freep) struct ck_courier *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->done = done;
    made->user = user;
    queue_init(&made->out);
    queue_init(&made->back);
    int error = uv_mutex_init(&made->lock);
    if (error != 0) {
        return error;
    }
    error = start_thread(made);
    if (error != 0) {
        uv_mutex_destroy(&made->lock);
        return error;
    }
    error = uv_async_init(loop, &made->wake_loop, on_wake_loop);
    made->wake_loop.data = made;
    struct ck_courier *whole = ck_take(made);
    if (error != 0) {
        whole->closed = true;
        ck_courier_destroy(whole);
        return error;
    }
    *courier = whole;
    return 0;
}

void ck_courier_destroy(struct ck_courier *courier)
{
    if (courier == NULL) {
        return;
    }
    uv_mutex_lock(&courier->lock);
    courier->stop = true;
    uv_mutex_unlock(&courier->lock);
    uv_async_send(&courier->wake_thread);
    uv_thread_join(&courier->thread);
    uv_loop_close(&courier->own);
    free_parcels(queue_take(&courier->back));
    uv_mutex_destroy(&courier->lock);
    courier->destroyed = true;
    if (courier->closed) {
        free(courier); /* its handle was never opened */
    } else {
        uv_close((uv_handle_t *)&courier->wake_loop, on_closed);
    }
}
