#include "media/rtp/missing.h"

#include <string.h>

bool ck_missing_gap(struct ck_missing *missing, uint64_t from, uint64_t to, struct ck_mono now)
{
    if (to - from > CK_MISSING_MAX - missing->count) {
        missing->count = 0;
        return false;
    }
    for (uint64_t sequence = from; sequence < to; sequence++) {
        missing->packets[missing->count++] =
            (struct ck_missing_packet){.sequence = sequence, .since = now};
    }
    return true;
}

bool ck_missing_found(struct ck_missing *missing, uint64_t sequence)
{
    for (unsigned i = 0; i < missing->count; i++) {
        if (missing->packets[i].sequence == sequence) {
            missing->count--;
            memmove(&missing->packets[i], &missing->packets[i + 1],
                    (missing->count - i) * sizeof missing->packets[0]);
            return true;
        }
    }
    return false;
}

unsigned ck_missing_due(struct ck_missing *missing, struct ck_mono now, uint32_t rtt_us,
                        unsigned most, uint16_t *asked)
{
    int64_t retry_us = rtt_us > CK_MISSING_RETRY_MS * 1000 ? rtt_us : CK_MISSING_RETRY_MS * 1000;
    unsigned count = 0;
    unsigned kept = 0;
    for (unsigned i = 0; i < missing->count; i++) {
        struct ck_missing_packet packet = missing->packets[i];
        int64_t age_us = now.us - packet.since.us;
        if (age_us > CK_MISSING_AGE_MS * 1000 || packet.tries > CK_MISSING_TRIES) {
            continue;
        }
        int64_t pause_us =
            packet.tries > 2 && retry_us > 2 * CK_MISSING_RETRY_MS * 1000 ? retry_us / 2 : retry_us;
        bool due = packet.tries == 0 ? age_us >= CK_MISSING_WAIT_MS * 1000
                                     : now.us - packet.asked.us >= pause_us;
        if (due && count < most) {
            packet.tries++; /* the one after the last is its time to arrive */
            packet.asked = now;
            if (packet.tries <= CK_MISSING_TRIES) {
                asked[count++] = (uint16_t)packet.sequence;
            }
        }
        missing->packets[kept++] = packet;
    }
    missing->count = kept;
    return count;
}
