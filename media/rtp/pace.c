#include "media/rtp/pace.h"

#include <errno.h>
#include <stdlib.h>

#define US_PER_S 1000000

int ck_pace_init(struct ck_pace *pace, struct ck_packet_pool *pool)
{
    struct ck_paced *places = calloc(CK_PACE_PACKETS_MAX, sizeof *places);
    if (places == NULL) {
        return -ENOMEM;
    }
    *pace = (struct ck_pace){.places = places, .pool = pool};
    return 0;
}

void ck_pace_deinit(struct ck_pace *pace)
{
    ck_pace_clear(pace);
    free(pace->places);
    pace->places = NULL;
}

void ck_pace_set(struct ck_pace *pace, uint64_t bitrate)
{
    pace->known = bitrate != 0;
    pace->bitrate =
        bitrate >= CK_PACE_SOUND_BPS + CK_PACE_PICTURE_BPS ? bitrate - CK_PACE_SOUND_BPS : 0;
}

bool ck_pace_is_open(const struct ck_pace *pace)
{
    return !pace->known && pace->count == 0;
}

bool ck_pace_was_full(struct ck_pace *pace)
{
    bool full = pace->held_us >= CK_PACE_FULL_MS * 1000;
    pace->held_us = 0;
    return full;
}

bool ck_pace_is_full(const struct ck_pace *pace, struct ck_mono now)
{
    return pace->known && now.us - pace->last_held.us < CK_PACE_BEHIND_MS * 1000;
}

bool ck_pace_is_shut(const struct ck_pace *pace)
{
    return pace->known && pace->bitrate == 0;
}

static uint32_t bits_of(const struct ck_paced *paced)
{
    return paced->packet->size * 8;
}

int64_t ck_pace_wait_us(const struct ck_pace *pace)
{
    if (!pace->known || pace->count == 0) {
        return 0;
    }
    return pace->bitrate == 0 ? INT64_MAX
                              : (int64_t)(pace->waiting_bits * US_PER_S / pace->bitrate);
}

bool ck_pace_put(struct ck_pace *pace, const struct ck_paced *paced)
{
    if (pace->count == CK_PACE_PACKETS_MAX || ck_pace_is_shut(pace) ||
        ck_pace_wait_us(pace) > CK_PACE_WAIT_MAX_MS * 1000) {
        return false;
    }
    pace->places[(pace->first + pace->count) % CK_PACE_PACKETS_MAX] = *paced;
    (void)ck_packet_keep(paced->packet);
    pace->count++;
    pace->waiting_bits += bits_of(paced);
    return true;
}

static struct ck_paced pull(struct ck_pace *pace)
{
    struct ck_paced paced = pace->places[pace->first];
    pace->first = (pace->first + 1) % CK_PACE_PACKETS_MAX;
    pace->count--;
    pace->waiting_bits -= bits_of(&paced);
    pace->held = false;
    return paced;
}

static void fill(struct ck_pace *pace, struct ck_mono now)
{
    int64_t full = (int64_t)pace->bitrate * CK_PACE_BURST_MS / 1000;
    int64_t passed_us = now.us - pace->filled.us;
    pace->filled = now;
    pace->held_us += pace->held ? passed_us : 0;
    pace->budget_bits += passed_us > US_PER_S ? (int64_t)pace->bitrate
                                              : (int64_t)pace->bitrate * passed_us / US_PER_S;
    pace->budget_bits = pace->budget_bits > full ? full : pace->budget_bits;
}

/* One packet may be begun with any budget that is left, and is owed then: it never comes in parts.
 */
bool ck_pace_take(struct ck_pace *pace, struct ck_mono now, struct ck_paced *paced)
{
    if (pace->count == 0) {
        return false;
    }
    if (pace->known) {
        fill(pace, now);
        pace->held = pace->budget_bits < 0;
        if (pace->held) {
            pace->last_held = now;
        }
        if (pace->bitrate == 0 || pace->held) {
            return false;
        }
        pace->budget_bits -= bits_of(&pace->places[pace->first]);
    }
    *paced = pull(pace);
    return true;
}

void ck_pace_clear(struct ck_pace *pace)
{
    while (pace->count > 0) {
        struct ck_paced paced = pull(pace);
        ck_packet_drop(pace->pool, paced.packet);
    }
}

bool ck_pace_again(struct ck_pace *pace, uint32_t bits, struct ck_mono now)
{
    if (!pace->known) {
        return true;
    }
    fill(pace, now);
    if (pace->bitrate == 0 ||
        pace->budget_bits < -(int64_t)pace->bitrate * CK_PACE_AGAIN_MS / 1000) {
        return false;
    }
    pace->budget_bits -= bits;
    return true;
}
