/* How much a browser may send: begins at its cap, and follows what gets lost and what queues up on
 * the way. Told to it by REMB. The same judges a downlink by what its browser reports. Values; time
 * is an argument.
 *
 * What a way carries, with the headers of SRTP: from about 150 kbit/s on sound and a small picture;
 * from 90 on sound, and a picture now and then; from CK_PACE_SOUND_BPS (pace.h) on sound alone,
 * nearly all of it; below that as much of the sound as fits, and the call stays. A picture is tried
 * seldom then. Browsers that send some picture whatever they are told (Chromium: 30 kbit/s) need as
 * much more.
 *
 * A standing queue (transit.h) is of our making and loses what does not fit. A short one is filled
 * by the burst that a picture is, loses the sound behind it, and is empty again before the next: it
 * does not stand, and loses all the same. Loss without either may be the radio's: where less
 * traffic does not lessen it, less traffic is no help. */
#ifndef MEDIA_RTP_UPLINK_H
#define MEDIA_RTP_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_UPLINK_FLOOR 40000         /* bits per second: sound, and a picture that is hardly one */
#define CK_UPLINK_LOSS_HIGH 10        /* percent: beyond it the rate goes down */
#define CK_UPLINK_LOSS_LOW 2          /* percent: below it the rate goes up */
#define CK_UPLINK_PACKETS_MIN 20      /* an interval with fewer says nothing alone, */
#define CK_UPLINK_GATHER_MAX 10       /* only so many together, where they have as many */
#define CK_UPLINK_QUEUE_HIGH_US 80000 /* a standing queue from here on: the rate goes down */
#define CK_UPLINK_QUEUE_LOW_US 30000  /* below this the rate may go up */
#define CK_UPLINK_RADIO_FLOOR 200000  /* loss that no queue goes with takes it down to here only */
#define CK_UPLINK_RADIO_HOLD 10       /* intervals for which such loss is then put up with */
#define CK_UPLINK_RADIO_PERCENT 45    /* more loss than this is nothing to put up with */
#define CK_UPLINK_STEADY 3            /* intervals of a steady queue, then it is a longer way */
#define CK_UPLINK_SETTLE                                                                           \
    2                    /* intervals until a queue must have felt that the rate was taken down    \
                          */
#define CK_UPLINK_CALM 5 /* intervals of peace after which the rate goes up faster */
/* With less than this there is no picture, and nothing is learned of what the way carries: once it
 * is quiet so much is tried. */
#define CK_UPLINK_TRIAL 80000
#define CK_UPLINK_PROVED_PERCENT 150 /* of what came of late, at most: the rest is not proved */
/* A rate that was good is gone back to by doubling, and from there to what was allowed before. One
 * that had to be taken down twice within so many intervals is a ceiling: the rate stays below its
 * share for a while, and for twice as long each time, but not for so long that a way that has
 * become better goes unseen; then it is passed slowly. Where the least that is tried was too much,
 * what is tried costs sound: there it is tried seldom. */
#define CK_UPLINK_TWICE 20
#define CK_UPLINK_CEILING_PERCENT 80
#define CK_UPLINK_CEILING_FIRST 8
#define CK_UPLINK_CEILING_LAST 16
#define CK_UPLINK_CEILING_FIRST_LOW 16 /* where the least that is tried was too much */
#define CK_UPLINK_CEILING_LAST_LOW 64

/* What happened in about one second. */
struct ck_uplink_interval {
    uint64_t came;    /* packets */
    uint64_t missed;  /* at first, whether or not they were sent again */
    uint32_t bitrate; /* bits per second received */
    int64_t queue_us; /* the standing queue; negative: not known */
    bool bursts;      /* most of what was missed did not fit, though no queue stood */
    bool full;        /* for a part of it as much was sent as was allowed: `bitrate` may be less */
};

struct ck_uplink {
    uint32_t cap;
    uint32_t allowed;
    unsigned cut_percent; /* the loss at which the rate was last taken down for loss; 0: none */
    int64_t cut_queue_us; /* likewise the queue, */
    unsigned cut_queue_percent; /* and what was lost then */
    uint32_t cut_bitrate;       /* what came at either */
    unsigned hold;              /* intervals left in which loss is put up with */
    unsigned steady; /* intervals in which a queue neither grew nor shrank, and nothing was lost */
    unsigned settle; /* intervals left in which a queue is given time to drain */
    unsigned calm;   /* intervals since the rate was last taken down, of which much is known */
    unsigned since_cut;    /* intervals, of whatever kind */
    bool grown;            /* since then */
    uint32_t good;         /* the highest rate at which nothing was amiss; 0: none yet */
    uint32_t proved;       /* the highest rate of late, lower with each interval */
    uint32_t before;       /* what was allowed before a cut that may be a mistake; 0: it was none */
    uint32_t ceiling;      /* the rate that was too much, while: */
    unsigned ceiling_left; /* intervals in which it counts */
    unsigned ceiling_pause; /* what that was last set to */
    /* Intervals that said nothing alone: sound without a picture, in long packets or in the pauses
     * of a speaker. What they say together lets the picture be tried again. */
    struct ck_uplink_interval gathered; /* its bit rate is the sum of theirs */
    unsigned gathered_count;
};

/* Where packets are missed: behind a queue, which the sound after them shows, or elsewhere. A radio
 * that is late by turns loses as often in either; a queue loses what does not fit, and next to
 * nothing else. Of a downlink: sent behind as much as it may get (pace.h), and asked for again.
 * Where nearly all is behind, more than CK_UPLINK_LOSS_HIGH is what does not fit. */
#define CK_UPLINK_BEHIND_TIMES 4 /* as often as elsewhere, */
#define CK_UPLINK_BEHIND_MIN 5   /* and so many of late: fewer are chance */

struct ck_uplink_place {
    unsigned came; /* in this interval */
    unsigned missed;
    unsigned past_came; /* of late, less with each interval; in sixteenths */
    unsigned past_missed;
};

struct ck_uplink_places {
    struct ck_uplink_place behind;
    struct ck_uplink_place elsewhere;
};

/* Ends an interval. True where most of what was missed in it did not fit. */
bool ck_uplink_did_not_fit(struct ck_uplink_places *places);

void ck_uplink_init(struct ck_uplink *uplink, uint32_t cap);
/* True where the queue turns out to be a longer way, see ck_transit_rebase(). */
bool ck_uplink_interval(struct ck_uplink *uplink, const struct ck_uplink_interval *one);
/* What a browser may send is told once a second. While more comes than that it is told more often,
 * as a way that is full has most likely lost it, but not without end: some browsers never heed it,
 * and below the floor nobody can be taken. */
#define CK_ALLOWED_AGAIN_MS 100
#define CK_ALLOWED_AGAIN_MAX 10 /* times that one value is repeated so */

struct ck_allowed {
    uint32_t told;  /* 0: nothing yet */
    unsigned again; /* how often that was repeated */
    struct ck_mono due;
};

void ck_allowed_said(struct ck_allowed *said, uint32_t allowed, struct ck_mono now);
/* Whether it is to be said again before its second is over, where it is not heeded. */
bool ck_allowed_due(const struct ck_allowed *said, uint32_t allowed, struct ck_mono now);

/* The other side itself has seen a queue while `sent` was on the way to it, and names a rate: it is
 * followed, but not below half of what was sent. */
void ck_uplink_told(struct ck_uplink *uplink, uint32_t told, uint32_t sent);
/* A second in which `bitrate` was sent and nothing was heard of what became of it (RFC 8083 section
 * 4.1): half of it. */
void ck_uplink_unheard(struct ck_uplink *uplink, uint32_t bitrate);

#endif
