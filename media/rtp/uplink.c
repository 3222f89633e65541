#include "media/rtp/uplink.h"

void ck_uplink_init(struct ck_uplink *uplink, uint32_t cap)
{
    *uplink = (struct ck_uplink){.cap = cap, .allowed = cap};
}

void ck_uplink_interval(struct ck_uplink *uplink, uint64_t came, uint64_t missed, uint32_t bitrate)
{
    uint64_t all = came + missed;
    if (all < CK_UPLINK_PACKETS_MIN) {
        return;
    }
    uint64_t percent = missed * 100 / all;
    uint64_t rate = uplink->allowed;
    if (percent > CK_UPLINK_LOSS_HIGH) {
        /* Half the loss comes off, from what really arrives where that is less than was allowed. */
        uint64_t base = bitrate > 0 && bitrate < rate ? bitrate : rate;
        rate = base - base * percent / 200;
    } else if (percent < CK_UPLINK_LOSS_LOW) {
        rate = rate + rate * 8 / 100 + 1000;
    }
    rate = rate < CK_UPLINK_FLOOR ? CK_UPLINK_FLOOR : rate;
    uplink->allowed = (uint32_t)(rate > uplink->cap ? uplink->cap : rate);
}
