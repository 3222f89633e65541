#include "media/rtp/transit.h"

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
        .before = transit->before,
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

static int64_t least(const struct ck_transit *transit)
{
    return smaller(transit->least_us[0], transit->least_us[1]);
}

int64_t ck_transit_late_us(const struct ck_transit *transit)
{
    return transit->begun ? transit->transit_us - least(transit) : 0;
}

int64_t ck_transit_queue_us(struct ck_transit *transit)
{
    if (!transit->begun || !transit->seen) {
        return -1;
    }
    transit->seen = false;
    return transit->interval_us - least(transit);
}

int64_t ck_transit_seen_us(struct ck_transit *transit, bool loses, int64_t high_us)
{
    struct ck_transit_seen *seen = &transit->before;
    int64_t now_us = ck_transit_queue_us(transit);
    int64_t before_us = seen->us;
    if (now_us >= 0) {
        *seen = (struct ck_transit_seen){.us = now_us};
        return loses || now_us < before_us ? now_us : before_us;
    }
    seen->age++;
    if (seen->age >= CK_TRANSIT_SEEN_INTERVALS) {
        *seen = (struct ck_transit_seen){0};
        return -1;
    }
    return loses && before_us >= high_us ? before_us : -1;
}

void ck_transit_rebase(struct ck_transit *transit)
{
    transit->least_us[0] = transit->least_us[1] = transit->transit_us;
    transit->before = (struct ck_transit_seen){0};
}
