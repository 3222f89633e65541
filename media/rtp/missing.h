/* What is missing from an incoming stream and when to ask for it (RFC 4585 NACK): a short wait for
 * mere reordering, then a request, repeated once a round trip. Values; time is an argument. */
#ifndef MEDIA_RTP_MISSING_H
#define MEDIA_RTP_MISSING_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_MISSING_MAX 100     /* beyond this only a key frame helps */
#define CK_MISSING_WAIT_MS 10  /* reordering is given this long */
#define CK_MISSING_RETRY_MS 20 /* at least between two requests for one packet */
/* A packet is asked for once a round trip, and twice from its third time on: on so bad a road the
 * request or the answer was most likely lost, too. */
#define CK_MISSING_TRIES 12
/* Then nobody waits for it any more: six round trips of a far network. */
#define CK_MISSING_AGE_MS 2000

struct ck_missing_packet {
    uint64_t sequence;
    struct ck_mono since;
    struct ck_mono asked;
    uint8_t tries;
};

struct ck_missing {
    unsigned count;
    struct ck_missing_packet packets[CK_MISSING_MAX]; /* ascending */
};

/* The packets from `from` up to but not including `to` have not come. False where there are too
 * many: the list is then empty. */
bool ck_missing_gap(struct ck_missing *missing, uint64_t from, uint64_t to, struct ck_mono now);

/* A late packet. Whether it was waited for. */
bool ck_missing_found(struct ck_missing *missing, uint64_t sequence);

/* Puts the numbers to ask for now into `asked` (CK_MISSING_MAX places), the lowest first and `most`
 * of them, forgets those that are past hope, and returns how many to ask for. With `most` below
 * CK_MISSING_MAX they take turns: the fewest tries first, and none twice in a round trip. */
unsigned ck_missing_due(struct ck_missing *missing, struct ck_mono now, uint32_t rtt_us,
                        unsigned most, uint16_t *asked);

static inline void ck_missing_clear(struct ck_missing *missing)
{
    missing->count = 0;
}

#endif
