/* How much an uplink may send: begins at its cap and reacts to what gets lost. Told to the browser
 * by REMB. Values. */
#ifndef MEDIA_RTP_UPLINK_H
#define MEDIA_RTP_UPLINK_H

#include <stdint.h>

#define CK_UPLINK_FLOOR 80000    /* bits per second: a picture that is hardly one */
#define CK_UPLINK_LOSS_HIGH 10   /* percent: beyond it the rate goes down */
#define CK_UPLINK_LOSS_LOW 2     /* percent: below it the rate goes up */
#define CK_UPLINK_PACKETS_MIN 20 /* an interval with fewer says nothing */

struct ck_uplink {
    uint32_t cap;
    uint32_t allowed;
};

void ck_uplink_init(struct ck_uplink *uplink, uint32_t cap);

/* What happened in about one second: packets that came, packets that were missed at first (whether
 * or not they were sent again), bits per second received. */
void ck_uplink_interval(struct ck_uplink *uplink, uint64_t came, uint64_t missed, uint32_t bitrate);

#endif
