/* The notice: one message to one recipient over one channel. At least once, under one reference
 * that the recipient sees, so that a repetition is recognised. Tables in scheduler/DESIGN.md.
 *
 *   queued → sending → accepted → delivered → read
 *              ├→ failed_temp → (back-off) sending
 *              ├→ failed_perm → next channel
 *              └→ unknown (we crashed in sending) → sending, same reference
 *   deadline: expired → next channel. Limits delay and never drop. Receipts only go up. */
#ifndef SCHEDULER_NOTICE_H
#define SCHEDULER_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"
#include "scheduler/effects.h"

enum ck_notice_state {
    CK_NOTICE_QUEUED = 0,
    CK_NOTICE_SENDING,
    CK_NOTICE_ACCEPTED,
    CK_NOTICE_DELIVERED,
    CK_NOTICE_READ,
    CK_NOTICE_FAILED_TEMP,
    CK_NOTICE_FAILED_PERM,
    CK_NOTICE_EXPIRED,
    CK_NOTICE_UNKNOWN,
    CK_NOTICE_CANCELLED, /* taken back before it left */
    CK_NOTICE_STATE_COUNT,
};

struct ck_notice {
    int64_t id;
    enum ck_channel channel;
    uint8_t rest[CK_CHANNELS_MAX]; /* channels to go on to, best first; empty where all went in
                                      parallel */
    bool receipts;                 /* this channel tells about delivery */

    enum ck_notice_state state;
    uint32_t tries;
    bool possible_duplicate;
    bool moved_on; /* the next channel has been started */
    bool unwanted; /* taken back while it was leaving: no further try */
    struct ck_wall queued_at;
    struct ck_wall next_at;  /* 0: nothing more to do */
    struct ck_wall deadline; /* later it is of no use */
    struct ck_wall accepted_at;
};

struct ck_notice_policy {
    int64_t send_timeout_ms;  /* SENDING longer than this: fate unknown */
    int64_t backoff_first_ms; /* doubles with each failure */
    int64_t backoff_max_ms;
    uint32_t
        switch_after; /* temporary failures after which the next channel starts beside this one */
    int64_t receipt_wait_ms; /* accepted but not delivered: next channel (E6) */
};

struct ck_notice_policy ck_notice_policy_default(void);
const char *ck_notice_policy_fault(const struct ck_notice_policy *policy);

enum ck_notice_event_kind {
    CK_NOTICE_TIMER = 0,
    CK_NOTICE_TAKEN,     /* the channel took it */
    CK_NOTICE_REFUSED,   /* for now: try again */
    CK_NOTICE_REJECTED,  /* for good: this will never work */
    CK_NOTICE_NO_ANSWER, /* the bytes left, no answer came: fate unknown */
    CK_NOTICE_LIMITED,   /* a rate limit of ours or theirs: not before `until` */
    CK_NOTICE_RECEIPT,   /* told by the provider, perhaps late, doubled or out of order */
    CK_NOTICE_CANCEL,    /* no longer wanted */
    CK_NOTICE_EVENT_COUNT,
};

enum ck_receipt {
    CK_RECEIPT_DELIVERED = 0,
    CK_RECEIPT_READ,
    CK_RECEIPT_FAILED,
    CK_RECEIPT_COUNT,
};

struct ck_notice_event {
    enum ck_notice_event_kind kind;
    uint32_t tries; /* TAKEN, REFUSED, REJECTED: of which try; 0: the present one. Older refusals
                       are ignored. */
    struct ck_wall until; /* LIMITED, REFUSED (Retry-After; 0: none) */
    enum ck_receipt receipt;
    uint32_t draw; /* REFUSED: random bits for the jitter of the back-off */
};

/* Starts a row whose id, channel, rest, receipts and deadline are set. It is due at once. */
void ck_notice_begin(struct ck_notice *row, struct ck_wall now);

/* Decides one event; never fails: always 0. */
int ck_notice_step(const struct ck_notice *row, const struct ck_notice_event *event,
                   const struct ck_notice_policy *policy, struct ck_wall now,
                   struct ck_notice *next, struct ck_effects *effects);

const char *ck_notice_state_name(enum ck_notice_state state);
const char *ck_notice_event_name(enum ck_notice_event_kind kind);

#endif
