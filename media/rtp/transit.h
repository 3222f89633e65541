/* How long packets of one stream are on their way, up to a constant, and the queue that shows in
 * it: time in transit that stays above the smallest seen. Its least in an interval is the standing
 * queue, which no burst of packets makes. Values; time is an argument. */
#ifndef MEDIA_RTP_TRANSIT_H
#define MEDIA_RTP_TRANSIT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"

/* The smallest time in transit counts for one to two of these. */
#define CK_TRANSIT_MEMORY_US 15000000
#define CK_TRANSIT_JUMP_US 2000000 /* a change by this is the clock's, not the network's */

/* The queue of a downlink when it was last seen, see ck_transit_seen_us(). */
struct ck_transit_seen {
    int64_t us;
    unsigned age; /* intervals since */
};

/* The time in transit of one stream's packets, up to a constant. */
struct ck_transit {
    bool begun;
    uint32_t hz;
    uint32_t timestamp;
    int64_t arrival_us;
    int64_t transit_us;  /* of the last packet */
    int64_t least_us[2]; /* of the present and of the last stretch of memory */
    int64_t stretch_us;  /* when the present one began */
    bool seen;           /* in this interval: */
    int64_t interval_us; /* the smallest */
    struct ck_transit_seen before;
};

/* A stream begins, or begins anew under another clock. */
void ck_transit_init(struct ck_transit *transit, uint32_t hz);
/* A packet that came in order. */
void ck_transit_packet(struct ck_transit *transit, uint32_t timestamp, struct ck_mono arrival);
/* The time in transit itself, where it is known another way: a round trip. */
void ck_transit_sample(struct ck_transit *transit, int64_t transit_us, struct ck_mono now);
/* How much longer than the smallest time in transit the last packet's was; 0 where none came. */
int64_t ck_transit_late_us(const struct ck_transit *transit);
/* The standing queue of the interval that ends now, -1 where no packet came. Begins another. */
int64_t ck_transit_queue_us(struct ck_transit *transit);
/* The standing queue of a downlink, of which the browser's reports tell. A browser that is busy
 * answers late as well: without any loss a queue counts from the second time on that it is seen.
 * Where the downlink loses, the report that would tell of it may be what was lost: one that was
 * seen stands until it is seen to be gone, but not for longer than this. */
#define CK_TRANSIT_SEEN_INTERVALS 5

/* In place of ck_transit_queue_us(). `high_us`: what stands unseen is at least that. -1: not known.
 */
int64_t ck_transit_seen_us(struct ck_transit *transit, bool loses, int64_t high_us);

/* The way has become longer: the present time in transit is the smallest, and what was seen was no
 * queue. */
void ck_transit_rebase(struct ck_transit *transit);

#endif
