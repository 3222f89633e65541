/* One outgoing RTP stream to one browser: its own SSRC, numbers and timestamps without a break over
 * whatever it is fed from, the protected packets of the last moments to be sent again, and its
 * sender reports. */
#ifndef MEDIA_RTP_SENDER_H
#define MEDIA_RTP_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "media/rtp/pace.h"
#include "media/rtp/source.h"
#include "media/transport/packet.h"
#include "protocol/base/time.h"
#include "protocol/rtp_control.h"

#define CK_SENDER_RING_VIDEO 512
#define CK_SENDER_RING_AUDIO 128
/* A sent packet is kept for a round trip and the slack, within these bounds. */
#define CK_SENDER_AGE_MIN_MS 500
#define CK_SENDER_AGE_MAX_MS 2000
#define CK_SENDER_AGE_SLACK_MS 700 /* for what has to be asked for again and again */
/* It is sent again at most once a round trip, and so often: who asks for more wants to make us
 * work. */
#define CK_SENDER_AGAIN_MIN_MS 10
#define CK_SENDER_REPEATS_MAX 20
#define CK_SENDER_POOR_KEY_MS 2000 /* between the key frames that a poor downlink asks for */

struct ck_sent {
    /* As it went out, protected; in the clear, as it came in, where it would go out in a
     * retransmission stream. NULL: this place is free. */
    struct ck_packet *packet;
    uint64_t sequence;
    uint32_t timestamp; /* ours */
    struct ck_mono sent;
    uint8_t repeats;
    bool full;            /* when it went out the downlink got all that it may */
    struct ck_mono again; /* last time it was sent again */
};

struct ck_sender {
    uint32_t ssrc;
    uint32_t hz;
    uint8_t type; /* payload type at this browser */
    bool video;
    bool fed;            /* there has been a packet */
    bool waiting;        /* something was or is left out: video goes on with the next key frame */
    bool poor;           /* waiting because the downlink carries no more */
    uint64_t feed;       /* number of what it is fed from, see ck_sender_map() */
    uint64_t feed_first; /* first number of that feed that is sent */
    int64_t sequence_shift;
    uint32_t timestamp_shift;
    uint64_t highest; /* of our own extended numbers */
    uint32_t last_timestamp;
    struct ck_mono last_fed;
    struct ck_mono poor_asked;
    uint64_t packets;
    uint64_t bytes; /* of payload */
    uint32_t again;
    uint32_t asked;
    uint32_t reported_lost; /* what the browser says */
    uint32_t reported_jitter;
    uint32_t interval_lost; /* sum of fractions of 256 that reports of this interval told */
    uint32_t interval_reports;
    uint64_t interval_bytes; /* at its begin */
    uint64_t interval_packets;
    uint32_t rtt_us;
    uint32_t answered_sr; /* the middle of its time: which of our reports the browser heard last */
    struct ck_pace pace;  /* of a video stream */
    bool uses_rtx;        /* what is lost goes out again in a stream of its own (RFC 4588) */
    uint8_t rtx_type;
    uint32_t rtx_ssrc;
    uint16_t rtx_sequence; /* of the next */
    unsigned ring_size;
    uint64_t ring_oldest;
    struct ck_sent *ring;
    struct ck_packet_pool *pool;
};

/* Begins with the given random numbers. 0 or -ENOMEM. */
int ck_sender_init(struct ck_sender *sender, struct ck_packet_pool *pool, bool video, uint8_t type,
                   uint32_t ssrc, uint16_t first_sequence, uint32_t first_timestamp);
/* Lost packets will go out in a retransmission stream of this type and SSRC. */
void ck_sender_use_rtx(struct ck_sender *sender, uint8_t type, uint32_t ssrc,
                       uint16_t first_sequence);
void ck_sender_deinit(struct ck_sender *sender);

/* Our number and timestamp for a packet of a feed (any number that changes when the feeding stream
 * does). Continues without a break where the feed is a new one or where packets were left out on
 * purpose (`resume`). False where the packet is older than the point where that happened. */
bool ck_sender_map(struct ck_sender *sender, uint64_t feed, bool resume, uint64_t sequence,
                   uint32_t timestamp, struct ck_mono now, uint64_t *out_sequence,
                   uint32_t *out_timestamp);

/* Keeps a packet for repetition, and forgets those that are too old. `full`: of ck_sent. */
void ck_sender_keep(struct ck_sender *sender, uint64_t sequence, uint32_t timestamp,
                    struct ck_packet *packet, struct ck_mono now, bool full);
/* Fetches the places that ck_sender_keep() will touch for the packet that comes next, */
void ck_sender_ahead(const struct ck_sender *sender);
/* and, once they are there, what it will forget. */
void ck_sender_ahead_oldest(const struct ck_sender *sender);
/* The kept packet with that number, NULL where there is none, or it was sent again less than a
 * round trip ago. Valid until the next ck_sender_keep(). */
const struct ck_sent *ck_sender_again(struct ck_sender *sender, uint16_t sequence,
                                      struct ck_mono now);

/* The sender report at `now`, whose wall time in NTP form is `ntp_now`; `offset_us` is what is
 * added to the clock of the feeding browser to get ours. False while the feed has sent no report
 * itself. */
bool ck_sender_report(const struct ck_sender *sender, const struct ck_source *source,
                      int64_t offset_us, uint64_t ntp_now, struct ck_rtcp_sender *report);

/* A report of the browser on what we send, at `ntp_now`. True where a round trip follows from it:
 * then that is `rtt_us`, and *news says whether it tells of the downlink. One report of ours does
 * so once: while none comes through, browsers go on to name the last that did. */
bool ck_sender_reported(struct ck_sender *sender, const struct ck_rtcp_report *report,
                        uint64_t ntp_now, bool *news);

/* NTP time (RFC 3550 section 4) of microseconds since 1970, and back. */
uint64_t ck_ntp_of_us(int64_t us);
int64_t ck_us_of_ntp(uint64_t ntp);

#endif
