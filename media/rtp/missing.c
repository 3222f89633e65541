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

static void forget(struct ck_missing *missing, struct ck_mono now)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < missing->count; i++) {
        const struct ck_missing_packet *packet = &missing->packets[i];
        if (now.us - packet->since.us <= CK_MISSING_AGE_MS * 1000 &&
            packet->tries <= CK_MISSING_TRIES) {
            missing->packets[kept++] = *packet;
        }
    }
    missing->count = kept;
}

static bool is_due(const struct ck_missing_packet *packet, struct ck_mono now, uint32_t rtt_us,
                   bool few)
{
    int64_t retry_us = rtt_us > CK_MISSING_RETRY_MS * 1000 ? rtt_us : CK_MISSING_RETRY_MS * 1000;
    bool twice = !few && packet->tries > 2 && retry_us > 2 * CK_MISSING_RETRY_MS * 1000;
    return packet->tries == 0 ? now.us - packet->since.us >= CK_MISSING_WAIT_MS * 1000
                              : now.us - packet->asked.us >= (twice ? retry_us / 2 : retry_us);
}

/* The lowest that is due, where only a few may be asked for the lowest of those with the fewest
 * tries; NULL: none. */
static struct ck_missing_packet *next_due(struct ck_missing *missing, struct ck_mono now,
                                          uint32_t rtt_us, bool few)
{
    struct ck_missing_packet *next = NULL;
    for (unsigned i = 0; i < missing->count && (few || next == NULL); i++) {
        struct ck_missing_packet *packet = &missing->packets[i];
        if (is_due(packet, now, rtt_us, few) && (next == NULL || packet->tries < next->tries)) {
            next = packet;
        }
    }
    return next;
}

unsigned ck_missing_due(struct ck_missing *missing, struct ck_mono now, uint32_t rtt_us,
                        unsigned most, uint16_t *asked)
{
    bool few = most < CK_MISSING_MAX;
    unsigned count = 0;
    struct ck_missing_packet *packet;
    forget(missing, now);
    while (count < most && (packet = next_due(missing, now, rtt_us, few)) != NULL) {
        packet->tries++; /* the one after the last is its time to arrive */
        packet->asked = now;
        if (packet->tries <= CK_MISSING_TRIES) {
            asked[count++] = (uint16_t)packet->sequence;
        }
    }
    return count;
}
