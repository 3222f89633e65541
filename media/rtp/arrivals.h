/* When the packets of one browser arrived, by the numbers that it counts over all its streams, told
 * back to it so that it can judge its uplink (draft-holmer-rmcat-transport-wide-cc-extensions-01).
 * Values; time is an argument. */
#ifndef MEDIA_RTP_ARRIVALS_H
#define MEDIA_RTP_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"
#include "protocol/rtp_control.h"

#define CK_ARRIVALS_WINDOW 1024 /* numbers that are remembered; a power of two */

struct ck_arrivals {
    bool begun;
    bool news;        /* something came since the last report */
    uint64_t next;    /* extended number of the first packet that the next report tells of */
    uint64_t highest; /* of all that came */
    uint8_t reports;
    int64_t at_us[CK_ARRIVALS_WINDOW]; /* CK_RTCP_NOT_COME where it did not */
};

/* An authentic packet with this number. One that comes after it was reported missing is reported
 * again; one from before the window is forgotten. */
void ck_arrivals_packet(struct ck_arrivals *arrivals, uint16_t number, struct ck_mono arrival);

/* What is to be reported now: the first number, and for it and those after it the arrival. Returns
 * how many, 0 where nothing new came. Further ones wait for the next call. */
unsigned ck_arrivals_report(struct ck_arrivals *arrivals, uint16_t *base,
                            int64_t at_us[static CK_RTCP_ARRIVALS_MAX], uint8_t *report);

#endif
