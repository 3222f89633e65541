/* One incoming RTP stream, as its receiver reports on it (RFC 3550 section 6.4 and appendix A).
 * Only authenticated packets come here. Values; time is an argument. */
#ifndef MEDIA_RTP_SOURCE_H
#define MEDIA_RTP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"
#include "protocol/rtp.h"
#include "protocol/rtp_control.h"

#define CK_SOURCE_WINDOW 1024 /* numbers of which it is known whether they have come */

struct ck_source {
    uint32_t ssrc;
    uint32_t hz;
    bool started;
    uint64_t first; /* extended sequence numbers: roll-overs in the bits above 16 */
    uint64_t highest;
    uint64_t received;
    uint64_t bytes;           /* of payload */
    uint64_t expected_before; /* at the last report */
    uint64_t received_before;
    uint64_t seen_up_to;
    uint64_t seen[CK_SOURCE_WINDOW / 64]; /* a bit for each number up to there: it has come */
    uint32_t jitter16;                    /* 16 times the estimate, in units of the timestamp */
    uint32_t transit;
    struct ck_mono heard; /* arrival of the last packet */
    bool has_report;      /* the sender's last SR: */
    uint64_t report_ntp;
    uint32_t report_timestamp;
    struct ck_mono report_arrival;
};

void ck_source_init(struct ck_source *source, uint32_t ssrc, uint32_t hz);

/* Counts a packet and gives its extended sequence number. Returns how far it is ahead of the
 * highest before: 1 where it is the next, more where some are missing, 0 or less where it is late.
 * The first packet is 1. */
int ck_source_packet(struct ck_source *source, const struct ck_rtp *rtp, struct ck_mono arrival,
                     uint64_t *extended);

/* A packet that was lost and came by way of a retransmission stream: its extended number. It says
 * nothing about the network, so it counts as content alone. False before the first packet. */
bool ck_source_repaired(struct ck_source *source, const struct ck_rtp *rtp, uint64_t *extended);

/* Whether the packet of this extended number comes for the first time; from now on it has come.
 * One from before the window counts as known. */
bool ck_source_is_new(struct ck_source *source, uint64_t extended);

void ck_source_report_in(struct ck_source *source, const struct ck_rtcp_sender *report,
                         struct ck_mono arrival);

/* What our next RR says about it; begins a new interval. */
struct ck_rtcp_report ck_source_report_out(struct ck_source *source, struct ck_mono now);

/* Packets that should have come and did not, 0 where repeats outweigh them. */
uint64_t ck_source_lost(const struct ck_source *source);

static inline uint32_t ck_source_jitter_us(const struct ck_source *source)
{
    return (uint32_t)((uint64_t)(source->jitter16 / 16) * 1000000 / source->hz);
}

#endif
