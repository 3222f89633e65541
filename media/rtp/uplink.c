#include "media/rtp/uplink.h"

/* --- time in transit
 * ------------------------------------------------------------------------------- */

void ck_transit_init(struct ck_transit *transit, uint32_t hz)
{
    *transit = (struct ck_transit){.hz = hz};
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void begin(struct ck_transit *transit, int64_t transit_us, struct ck_mono now)
{
    *transit = (struct ck_transit){
        .begun = true,
        .hz = transit->hz,
        .transit_us = transit_us,
        .least_us = {transit_us, transit_us},
        .stretch_us = now.us,
        .seen = true,
        .interval_us = transit_us,
    };
}

void ck_transit_sample(struct ck_transit *transit, int64_t transit_us, struct ck_mono now)
{
    int64_t change_us = transit_us - transit->transit_us;
    if (!transit->begun || change_us > CK_TRANSIT_JUMP_US || change_us < -CK_TRANSIT_JUMP_US) {
        begin(transit, transit_us, now);
        return;
    }
    transit->transit_us = transit_us;
    if (now.us - transit->stretch_us >= CK_TRANSIT_MEMORY_US) {
        transit->stretch_us = now.us;
        transit->least_us[1] = transit->least_us[0];
        transit->least_us[0] = transit_us;
    }
    transit->least_us[0] = smaller(transit->least_us[0], transit_us);
    transit->interval_us = transit->seen ? smaller(transit->interval_us, transit_us) : transit_us;
    transit->seen = true;
}

void ck_transit_packet(struct ck_transit *transit, uint32_t timestamp, struct ck_mono arrival)
{
    int64_t sent_us =
        (int64_t)(int32_t)(timestamp - transit->timestamp) * 1000000 / (int64_t)transit->hz;
    int64_t change_us = transit->begun ? arrival.us - transit->arrival_us - sent_us : 0;
    ck_transit_sample(transit, transit->transit_us + change_us, arrival);
    transit->timestamp = timestamp;
    transit->arrival_us = arrival.us;
}

int64_t ck_transit_queue_us(struct ck_transit *transit)
{
    if (!transit->begun || !transit->seen) {
        return -1;
    }
    transit->seen = false;
    return transit->interval_us - smaller(transit->least_us[0], transit->least_us[1]);
}

/* --- the rate
 * -------------------------------------------------------------------------------------- */

void ck_uplink_init(struct ck_uplink *uplink, uint32_t cap)
{
    *uplink = (struct ck_uplink){.cap = cap, .allowed = cap};
}

/* What really arrives, where that is less than was allowed. */
static uint64_t base_of(const struct ck_uplink *uplink, uint32_t bitrate)
{
    return bitrate > 0 && bitrate < uplink->allowed ? bitrate : uplink->allowed;
}

/* Half the loss comes off. Loss that goes with no queue and that the last step down did not lessen
 * is not of our making. */
static uint64_t cut_for_loss(struct ck_uplink *uplink, const struct ck_uplink_interval *interval,
                             unsigned percent)
{
    bool queues = interval->queue_us < 0 || interval->queue_us >= CK_UPLINK_QUEUE_LOW_US;
    if (!queues && uplink->hold > 0) {
        return uplink->allowed;
    }
    bool obeyed = interval->bitrate <= uplink->allowed + uplink->allowed / 8;
    if (!queues && obeyed && uplink->cut_percent > 0 && percent * 5 > uplink->cut_percent * 4) {
        uplink->hold = CK_UPLINK_RADIO_HOLD;
        uplink->cut_percent = 0;
        return uplink->allowed;
    }
    uint64_t base = base_of(uplink, interval->bitrate);
    uint64_t rate = base - base * percent / 200;
    uplink->cut_percent = percent;
    if (!queues && rate < CK_UPLINK_RADIO_FLOOR) {
        rate = smaller(CK_UPLINK_RADIO_FLOOR, uplink->allowed);
    }
    return rate;
}

void ck_uplink_interval(struct ck_uplink *uplink, const struct ck_uplink_interval *interval)
{
    uint64_t all = interval->came + interval->missed;
    if (all < CK_UPLINK_PACKETS_MIN) {
        return;
    }
    unsigned percent = (unsigned)(interval->missed * 100 / all);
    uint64_t rate = uplink->allowed;
    if (interval->queue_us >= CK_UPLINK_QUEUE_HIGH_US) {
        rate = base_of(uplink, interval->bitrate) * 85 / 100;
    } else if (percent > CK_UPLINK_LOSS_HIGH) {
        rate = cut_for_loss(uplink, interval, percent);
    } else if (percent < CK_UPLINK_LOSS_LOW && interval->queue_us < CK_UPLINK_QUEUE_LOW_US) {
        rate = rate + rate * 8 / 100 + 1000;
        uplink->cut_percent = 0;
    }
    uplink->hold -= uplink->hold > 0 ? 1 : 0;
    rate = rate < CK_UPLINK_FLOOR ? CK_UPLINK_FLOOR : rate;
    uplink->allowed = (uint32_t)(rate > uplink->cap ? uplink->cap : rate);
}
