/* A sender: the queue of one channel, its limits, and its courier. Limits delay and never drop:
 * every sending is answered exactly once; one that has waited CK_NOTICE_WAIT_MAX_MS for its turn is
 * given back as CK_SENT_LIMITED, so that whoever keeps the outbox knows where it is and may choose
 * another channel. Runs on the loop's thread. */
#ifndef DAEMON_NOTIFY_SENDER_H
#define DAEMON_NOTIFY_SENDER_H

#include <uv.h>

#include "daemon/notify/channel.h"

struct ck_sender;

/* One sending is over. `waited_ms`: from ck_sender_send() until now. Both values are valid during
 * the call. */
typedef void ck_sender_done(void *user, const struct ck_sending *sending,
                            const struct ck_sent *sent, int64_t waited_ms);

struct ck_sender_options {
    struct ck_notify_channel channel; /* copied */
    struct ck_wall (*now)(void);      /* the wall clock, for dates and signatures */
    int64_t queue_max; /* sendings that may wait; of further ones the least urgent goes back */
    ck_sender_done *done;
    void *user;
};

/* 0 or a negative errno. A channel that is off gets no thread; it rejects everything. */
int ck_sender_create(struct ck_sender **sender, uv_loop_t *loop,
                     const struct ck_sender_options *options);

/* Takes NULL. What waits or runs is forgotten without an answer: its fate is unknown. May be called
 * from `done`. The memory goes when the loop has closed the handles. */
void ck_sender_destroy(struct ck_sender *sender);

/* Takes one sending (copied). `done` comes later, never within the call. More urgent ones go first,
 * equally urgent ones in their order. 0 or -ENOMEM, when `done` does not come. */
int ck_sender_send(struct ck_sender *sender, const struct ck_sending *sending);

struct ck_sender_status {
    const char *name;
    bool on;
    size_t waiting;
    size_t running;
    uint64_t counts[CK_SENT_KIND_COUNT]; /* since start */
    struct ck_wall last_accepted;        /* 0: never */
    struct ck_wall last_failed; /* limited, refused or unknown; a rejection says nothing of it */
    char last_failure[CK_SENT_DETAIL_SIZE];
};

void ck_sender_status(const struct ck_sender *sender, struct ck_sender_status *status);

/* Whether the channel's last try failed. */
static inline bool ck_sender_fails(const struct ck_sender_status *status)
{
    return status->last_failed.ms > status->last_accepted.ms;
}

#endif
