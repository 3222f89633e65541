#include "daemon/notify/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/notify/courier.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define MINUTE_MS 60000
#define PARALLEL_MAX 64

struct item {
    struct item *next;
    int64_t since_ms;
    bool bounced; /* the queue was full */
    uint64_t ticket;
    struct ck_sending sending;
};

struct queue {
    struct item *first;
    struct item **last;
};

struct ck_sender {
    struct ck_sender_options options;
    uv_loop_t *loop;
    uv_timer_t timer;
    struct ck_courier *courier;
    struct queue queues[CK_URGENCY_COUNT];
    struct queue bounced;
    size_t waiting;
    struct item *running[PARALLEL_MAX];
    size_t running_count;
    uint64_t last_ticket;
    int64_t held_until_ms; /* the server asked us to wait */
    int64_t *begun_ms;     /* ring of the last per_minute beginnings */
    size_t begun_count, begun_at;
    bool working, destroyed, closed;
    struct ck_sender_status status;
};

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void queue_put(struct queue *queue, struct item *item)
{
    item->next = NULL;
    *queue->last = item;
    queue->last = &item->next;
}

static struct item *queue_take(struct queue *queue)
{
    struct item *item = queue->first;
    queue->first = item->next;
    if (queue->first == NULL) {
        queue->last = &queue->first;
    }
    return item;
}

static int64_t now_ms(const struct ck_sender *sender)
{
    return (int64_t)uv_now(sender->loop);
}

/* ---- the limit a minute ---- */

/* When the next try may begin: now or a time to come. */
static int64_t may_begin_ms(const struct ck_sender *sender)
{
    int64_t now = now_ms(sender);
    size_t limit = (size_t)sender->options.channel.per_minute;
    int64_t free_ms =
        sender->begun_count < limit ? now : sender->begun_ms[sender->begun_at] + MINUTE_MS;
    int64_t held_ms = sender->held_until_ms;
    int64_t at = free_ms > held_ms ? free_ms : held_ms;
    return at > now ? at : now;
}

static void note_begun(struct ck_sender *sender)
{
    size_t limit = (size_t)sender->options.channel.per_minute;
    sender->begun_ms[sender->begun_at] = now_ms(sender);
    sender->begun_at = (sender->begun_at + 1) % limit;
    if (sender->begun_count < limit) {
        sender->begun_count++;
    }
}

/* ---- answers ---- */

static void note_result(struct ck_sender *sender, const struct ck_sent *sent)
{
    struct ck_wall now = sender->options.now();
    sender->status.counts[sent->kind]++;
    if (sent->kind == CK_SENT_ACCEPTED) {
        sender->status.last_accepted = now;
    } else if (sent->kind != CK_SENT_REJECTED) {
        sender->status.last_failed = now;
        memcpy(sender->status.last_failure, sent->detail, sizeof sent->detail);
    }
}

/* Answers for an item and frees it. */
static void answer(struct ck_sender *sender, struct item *item, const struct ck_sent *sent)
{
    note_result(sender, sent);
    sender->options.done(sender->options.user, &item->sending, sent,
                         now_ms(sender) - item->since_ms);
    free(item);
}

static void give_back(struct ck_sender *sender, struct item *item, const char *why)
{
    struct ck_sent sent;
    int64_t wait_ms = may_begin_ms(sender) - now_ms(sender);
    ck_sent_fill(&sent, CK_SENT_LIMITED, wait_ms > 1000 ? wait_ms : 1000, "%s", why);
    answer(sender, item, &sent);
}

/* ---- work ---- */

static struct queue *most_urgent(struct ck_sender *sender)
{
    for (int urgency = CK_URGENCY_COUNT - 1; urgency >= 0; urgency--) {
        if (sender->queues[urgency].first != NULL) {
            return &sender->queues[urgency];
        }
    }
    return NULL;
}

/* Begins one try. */
static void begin(struct ck_sender *sender, struct item *item)
{
    struct ck_notify_channel *channel = &sender->options.channel;
    struct ck_request request = {0};
    struct ck_sent sent;
    if (!channel->on) {
        ck_sent_fill(&sent, CK_SENT_REJECTED, 0, "the channel is not configured");
        answer(sender, item, &sent);
        return;
    }
    int error = channel->prepare(channel, &item->sending, sender->options.now(), &request, &sent);
    if (error == 0) {
        item->ticket = ++sender->last_ticket;
        error = ck_courier_send(sender->courier, item->ticket, &request);
    }
    if (error == 0) {
        note_begun(sender);
        sender->running[sender->running_count++] = item;
        return;
    }
    if (error < 0) {
        ck_sent_fill(&sent, CK_SENT_REFUSED, 0, "%s", ck_error_text(error));
    }
    answer(sender, item, &sent);
}

static void give_back_old(struct ck_sender *sender)
{
    int64_t oldest_ms = now_ms(sender) - CK_NOTICE_WAIT_MAX_MS;
    for (int urgency = 0; urgency < CK_URGENCY_COUNT; urgency++) {
        struct queue *queue = &sender->queues[urgency];
        while (!sender->destroyed && queue->first != NULL && queue->first->since_ms <= oldest_ms) {
            sender->waiting--;
            give_back(sender, queue_take(queue), "no free place in time");
        }
    }
    while (!sender->destroyed && sender->bounced.first != NULL) {
        give_back(sender, queue_take(&sender->bounced), "too many notices wait");
    }
}

static void begin_what_may(struct ck_sender *sender)
{
    size_t parallel = (size_t)sender->options.channel.parallel;
    struct queue *queue;
    while (!sender->destroyed && sender->running_count < parallel &&
           (queue = most_urgent(sender)) != NULL && may_begin_ms(sender) <= now_ms(sender)) {
        sender->waiting--;
        begin(sender, queue_take(queue));
    }
}

static void on_timer(uv_timer_t *timer);

/* Sets the timer to when there is something to do without a server's answer. */
static void set_timer(struct ck_sender *sender)
{
    if (sender->waiting == 0) {
        return;
    }
    int64_t now = now_ms(sender);
    int64_t at = INT64_MAX;
    for (int urgency = 0; urgency < CK_URGENCY_COUNT; urgency++) {
        const struct item *first = sender->queues[urgency].first;
        if (first != NULL && first->since_ms + CK_NOTICE_WAIT_MAX_MS < at) {
            at = first->since_ms + CK_NOTICE_WAIT_MAX_MS;
        }
    }
    bool room = sender->running_count < (size_t)sender->options.channel.parallel;
    if (room && may_begin_ms(sender) < at) {
        at = may_begin_ms(sender);
    }
    uv_timer_start(&sender->timer, on_timer, at > now ? (uint64_t)(at - now) : 0, 0);
}

static void release_if_over(struct ck_sender *sender)
{
    if (sender->closed && !sender->working) {
        free(sender->begun_ms);
        free(sender);
    }
}

static void work(struct ck_sender *sender)
{
    sender->working = true;
    give_back_old(sender);
    begin_what_may(sender);
    if (!sender->destroyed) {
        set_timer(sender);
    }
    sender->working = false;
    release_if_over(sender);
}

static void on_timer(uv_timer_t *timer)
{
    work(timer->data);
}

/* Takes the item of a ticket out of what runs. */
static struct item *take_running(struct ck_sender *sender, uint64_t ticket)
{
    for (size_t i = 0; i < sender->running_count; i++) {
        if (sender->running[i]->ticket == ticket) {
            struct item *item = sender->running[i];
            sender->running[i] = sender->running[--sender->running_count];
            return item;
        }
    }
    return NULL;
}

static void on_response(void *user, uint64_t ticket, const struct ck_response *response)
{
    struct ck_sender *sender = user;
    struct item *item = take_running(sender, ticket);
    struct ck_sent sent;
    sender->options.channel.judge(&sender->options.channel, &item->sending, response, &sent);
    if (sent.kind == CK_SENT_LIMITED && !sender->options.channel.many_servers) {
        sender->held_until_ms = now_ms(sender) + sent.retry_after_ms;
    }
    sender->working = true;
    answer(sender, item, &sent);
    sender->working = false;
    if (sender->destroyed) {
        release_if_over(sender);
    } else {
        work(sender);
    }
}

/* ---- life ---- */

int ck_sender_create(struct ck_sender **sender, uv_loop_t *loop,
                     const struct ck_sender_options *options)
{
    struct ck_sender *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->options = *options;
    made->loop = loop;
    for (int urgency = 0; urgency < CK_URGENCY_COUNT; urgency++) {
        queue_init(&made->queues[urgency]);
    }
    queue_init(&made->bounced);
    if (made->options.channel.parallel > PARALLEL_MAX) {
        made->options.channel.parallel = PARALLEL_MAX;
    }
    int error = 0;
    if (options->channel.on) {
        made->begun_ms = calloc((size_t)options->channel.per_minute, sizeof made->begun_ms[0]);
        error = made->begun_ms == NULL ? -ENOMEM
                                       : ck_courier_create(&made->courier, loop, on_response, made);
    }
    if (error != 0) {
        free(made->begun_ms);
        free(made);
        return error;
    }
    uv_timer_init(loop, &made->timer);
    made->timer.data = made;
    *sender = made;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct ck_sender *sender = handle->data;
    sender->closed = true;
    release_if_over(sender);
}

static void drop_queue(struct queue *queue)
{
    while (queue->first != NULL) {
        free(queue_take(queue));
    }
}

void ck_sender_destroy(struct ck_sender *sender)
{
    if (sender == NULL) {
        return;
    }
    sender->destroyed = true;
    ck_courier_destroy(sender->courier);
    for (int urgency = 0; urgency < CK_URGENCY_COUNT; urgency++) {
        drop_queue(&sender->queues[urgency]);
    }
    drop_queue(&sender->bounced);
    for (size_t i = 0; i < sender->running_count; i++) {
        free(sender->running[i]);
    }
    sender->running_count = 0;
    uv_close((uv_handle_t *)&sender->timer, on_closed);
}

/* Gives the place of something less urgent, which then goes back to the outbox, to a sending of
 * this urgency. False where all that waits is as urgent. */
static bool make_room(struct ck_sender *sender, enum ck_urgency urgency)
{
    for (int less = CK_URGENCY_LOW; less < (int)urgency; less++) {
        if (sender->queues[less].first != NULL) {
            queue_put(&sender->bounced, queue_take(&sender->queues[less]));
            sender->waiting--;
            return true;
        }
    }
    return false;
}

int ck_sender_send(struct ck_sender *sender, const struct ck_sending *sending)
{
    struct item *item = calloc(1, sizeof *item);
    if (item == NULL) {
        return -ENOMEM;
    }
    item->sending = *sending;
    item->since_ms = now_ms(sender);
    if ((int64_t)sender->waiting >= sender->options.queue_max &&
        !make_room(sender, sending->urgency)) {
        queue_put(&sender->bounced, item);
    } else {
        queue_put(&sender->queues[sending->urgency], item);
        sender->waiting++;
    }
    uv_timer_start(&sender->timer, on_timer, 0, 0);
    return 0;
}

void ck_sender_status(const struct ck_sender *sender, struct ck_sender_status *status)
{
    *status = sender->status;
    status->name = sender->options.channel.name;
    status->on = sender->options.channel.on;
    status->waiting = sender->waiting;
    status->running = sender->running_count;
}
