#include "media/rtp/sender.h"

#include <errno.h>
#include <stdlib.h>

#define TRIP_MAX_S 10u /* a longer round trip is a clock that was set */

#define REPORT_AGE_MAX_US INT64_C(600000000) /* of a sender report that still says something */
#define OLDEST_AHEAD 3                       /* packets that one makes forget, mostly */
#define NTP_1970 INT64_C(2208988800)         /* seconds from 1900 to 1970 */

int ck_sender_init(struct ck_sender *sender, struct ck_packet_pool *pool, bool video, uint8_t type,
                   uint32_t ssrc, uint16_t first_sequence, uint32_t first_timestamp)
{
    unsigned ring_size = video ? CK_SENDER_RING_VIDEO : CK_SENDER_RING_AUDIO;
    struct ck_sent *ring = calloc(ring_size, sizeof *ring);
    if (ring == NULL) {
        return -ENOMEM;
    }
    struct ck_pace pace = {0};
    if (video && ck_pace_init(&pace, pool) != 0) {
        free(ring);
        return -ENOMEM;
    }
    *sender = (struct ck_sender){
        .ssrc = ssrc,
        .hz = video ? CK_RTP_VIDEO_HZ : CK_RTP_AUDIO_HZ,
        .type = type,
        .video = video,
        .waiting = true,
        .highest = first_sequence &
                   0x7fff, /* so that the first roll-over is far (RFC 3711 section 3.3.1) */
        .last_timestamp = first_timestamp,
        .ring_size = ring_size,
        .ring_oldest = first_sequence & 0x7fff,
        .ring = ring,
        .pool = pool,
        .pace = pace,
    };
    return 0;
}

void ck_sender_use_rtx(struct ck_sender *sender, uint8_t type, uint32_t ssrc,
                       uint16_t first_sequence)
{
    sender->uses_rtx = true;
    sender->rtx_type = type;
    sender->rtx_ssrc = ssrc;
    sender->rtx_sequence = first_sequence & 0x7fff; /* as above */
}

static void forget(struct ck_sender *sender, struct ck_sent *sent)
{
    ck_packet_drop(sender->pool, sent->packet);
    sent->packet = NULL;
}

void ck_sender_deinit(struct ck_sender *sender)
{
    for (unsigned i = 0; sender->ring != NULL && i < sender->ring_size; i++) {
        if (sender->ring[i].packet != NULL) {
            forget(sender, &sender->ring[i]);
        }
    }
    free(sender->ring);
    sender->ring = NULL;
    ck_pace_deinit(&sender->pace);
}

/* The next number, and a timestamp as far ahead of the last one as time has gone on. */
static void join(struct ck_sender *sender, uint64_t sequence, uint32_t timestamp,
                 struct ck_mono now)
{
    int64_t passed_us = sender->fed ? now.us - sender->last_fed.us : 0;
    uint32_t passed = (uint32_t)(passed_us * sender->hz / 1000000);
    sender->feed_first = sequence;
    sender->sequence_shift = (int64_t)(sender->highest + 1 - sequence);
    sender->timestamp_shift = sender->last_timestamp + (passed == 0 ? 1 : passed) - timestamp;
}

bool ck_sender_map(struct ck_sender *sender, uint64_t feed, bool resume, uint64_t sequence,
                   uint32_t timestamp, struct ck_mono now, uint64_t *out_sequence,
                   uint32_t *out_timestamp)
{
    if (!sender->fed || feed != sender->feed) {
        join(sender, sequence, timestamp, now);
    } else if (resume) { /* the same clock goes on, only numbers were left out */
        sender->feed_first = sequence;
        sender->sequence_shift = (int64_t)(sender->highest + 1 - sequence);
    } else if (sequence < sender->feed_first) {
        return false;
    }
    sender->fed = true;
    sender->feed = feed;
    *out_sequence = sequence + (uint64_t)sender->sequence_shift;
    *out_timestamp = timestamp + sender->timestamp_shift;
    if (*out_sequence > sender->highest) {
        sender->highest = *out_sequence;
        sender->last_timestamp = *out_timestamp;
        sender->last_fed = now;
    }
    return true;
}

static int64_t age_limit_us(const struct ck_sender *sender)
{
    int64_t us = (int64_t)sender->rtt_us + CK_SENDER_AGE_SLACK_MS * 1000;
    if (us < CK_SENDER_AGE_MIN_MS * 1000) {
        return CK_SENDER_AGE_MIN_MS * 1000;
    }
    return us > CK_SENDER_AGE_MAX_MS * 1000 ? CK_SENDER_AGE_MAX_MS * 1000 : us;
}

void ck_sender_keep(struct ck_sender *sender, uint64_t sequence, uint32_t timestamp,
                    struct ck_packet *packet, struct ck_mono now, bool full)
{
    struct ck_sent *sent = &sender->ring[sequence % sender->ring_size];
    ck_packet_drop(sender->pool, sent->packet);
    *sent = (struct ck_sent){.packet = ck_packet_keep(packet),
                             .sequence = sequence,
                             .timestamp = timestamp,
                             .sent = now,
                             .full = full};
    if (sender->highest - sender->ring_oldest >= sender->ring_size) {
        sender->ring_oldest = sender->highest - sender->ring_size + 1;
    }
    while (sender->ring_oldest < sender->highest) {
        struct ck_sent *oldest = &sender->ring[sender->ring_oldest % sender->ring_size];
        if (oldest->packet != NULL && now.us - oldest->sent.us <= age_limit_us(sender)) {
            return;
        }
        if (oldest->packet != NULL && oldest->sequence <= sender->ring_oldest) {
            forget(sender, oldest);
        }
        sender->ring_oldest++;
    }
}

static struct ck_sent *place_of(const struct ck_sender *sender, uint64_t sequence)
{
    return &sender->ring[sequence % sender->ring_size];
}

void ck_sender_ahead(const struct ck_sender *sender)
{
    if (sender->ring != NULL) {
        __builtin_prefetch(place_of(sender, sender->highest + 1), 1);
        for (unsigned i = 0; i < OLDEST_AHEAD; i++) {
            __builtin_prefetch(place_of(sender, sender->ring_oldest + i), 1);
        }
    }
}

void ck_sender_ahead_oldest(const struct ck_sender *sender)
{
    for (unsigned i = 0; i < OLDEST_AHEAD; i++) {
        __builtin_prefetch(place_of(sender, sender->ring_oldest + i)->packet, 1);
    }
}

const struct ck_sent *ck_sender_again(struct ck_sender *sender, uint16_t sequence,
                                      struct ck_mono now)
{
    uint64_t extended =
        sender->highest + (uint64_t)(int64_t)ck_rtp_ahead(sequence, (uint16_t)sender->highest);
    struct ck_sent *sent = &sender->ring[extended % sender->ring_size];
    sender->asked++;
    int64_t pause_us = sender->rtt_us > CK_SENDER_AGAIN_MIN_MS * 1000
                           ? (int64_t)sender->rtt_us
                           : CK_SENDER_AGAIN_MIN_MS * 1000;
    if (sent->packet == NULL || sent->sequence != extended ||
        sent->repeats == CK_SENDER_REPEATS_MAX ||
        (sent->repeats > 0 && now.us - sent->again.us < pause_us)) {
        return NULL;
    }
    sent->repeats++;
    sent->again = now;
    sender->again++;
    return sent;
}

/* RFC 3550 section 6.4.1: round trip = now - time of our report - what the browser waited. */
bool ck_sender_reported(struct ck_sender *sender, const struct ck_rtcp_report *report,
                        uint64_t ntp_now, bool *news)
{
    sender->reported_lost = report->lost < 0 ? 0 : (uint32_t)report->lost;
    sender->reported_jitter = report->jitter;
    sender->interval_lost += (uint32_t)report->fraction_lost;
    sender->interval_reports++;
    uint32_t trip = (uint32_t)(ntp_now >> 16) - report->last_sr - report->delay;
    if (report->last_sr == 0 || trip >= TRIP_MAX_S << 16) {
        return false;
    }
    *news = report->last_sr != sender->answered_sr;
    sender->answered_sr = report->last_sr;
    sender->rtt_us = (uint32_t)((uint64_t)trip * 1000000 >> 16);
    return true;
}

uint64_t ck_ntp_of_us(int64_t us)
{
    int64_t seconds = us / 1000000 + NTP_1970;
    uint64_t rest = (uint64_t)(us % 1000000);
    return (uint64_t)seconds << 32 | (rest << 32) / 1000000;
}

int64_t ck_us_of_ntp(uint64_t ntp)
{
    int64_t seconds = (int64_t)(ntp >> 32) - NTP_1970;
    return seconds * 1000000 + (int64_t)(((ntp & 0xffffffff) * 1000000) >> 32);
}

bool ck_sender_report(const struct ck_sender *sender, const struct ck_source *source,
                      int64_t offset_us, uint64_t ntp_now, struct ck_rtcp_sender *report)
{
    if (!source->has_report || !sender->fed || sender->packets == 0) {
        return false;
    }
    int64_t since_us = ck_us_of_ntp(ntp_now) - (ck_us_of_ntp(source->report_ntp) + offset_us);
    if (since_us < -REPORT_AGE_MAX_US || since_us > REPORT_AGE_MAX_US) {
        return false; /* the browser's clock jumped, or it lies */
    }
    *report = (struct ck_rtcp_sender){
        .ssrc = sender->ssrc,
        .ntp = ntp_now,
        .timestamp = source->report_timestamp + sender->timestamp_shift +
                     (uint32_t)(since_us * sender->hz / 1000000),
        .packets = (uint32_t)sender->packets,
        .bytes = (uint32_t)sender->bytes,
    };
    return true;
}
