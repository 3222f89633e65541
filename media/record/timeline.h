/* Where a frame lies on the time line of a recording, from RTP timestamps, arrival times and sender
 * reports.
 *
 * A stream begins where its first packet arrives, and runs on by its RTP clock. While nothing
 * better is known a packet that comes earlier than its place pulls the stream back: the smallest
 * delay seen counts. Once both streams have a sender report, video is put to audio's time in one
 * step, and later differences are worked off slowly, as nobody hears or sees that. A clock that
 * jumps, and another SSRC, begin the stream anew where the packet arrives. Pure; times go from the
 * start of the recording. */
#ifndef MEDIA_RECORD_TIMELINE_H
#define MEDIA_RECORD_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"
#include "protocol/seal.h"

#define CK_TIMELINE_STEP_US 20000       /* a first difference below this is only worked off */
#define CK_TIMELINE_SLEW_PPM 1000       /* how fast that is: 1 ms in a second */
#define CK_TIMELINE_PULL_PPM 20000      /* how fast a late begin is made good: 20 ms in a second */
#define CK_TIMELINE_SYNC_MAX_US 2000000 /* reports that differ by more are not believed */
#define CK_TIMELINE_JUMP_US 500000   /* a clock that is off by this has jumped: at once if it is */
#define CK_TIMELINE_LATE_US 10000000 /* ahead of its arrival or this late, and after a while of */
#define CK_TIMELINE_PATIENCE_US                                                                    \
    2000000 /* this if it stays late: a full queue empties by itself                               \
             */

enum ck_timeline_break {
    CK_TIMELINE_CONTINUES = 0,
    CK_TIMELINE_NEW_STREAM = 1, /* another SSRC; codes of CK_SEAL_MARK_STREAM */
    CK_TIMELINE_JUMP = 2,
};

struct ck_timeline_stream {
    bool begun;
    uint32_t hz;
    uint32_t ssrc;
    uint32_t rtp;    /* of the last packet, */
    int64_t ticks;   /* and the same counted on */
    int64_t base_us; /* time of tick 0 */
    int64_t last_us; /* newest place given; no later one is before it */
    bool late;
    int64_t late_since_us; /* arrival */
    bool reported;
    int64_t report_ticks;
    int64_t report_ntp_us;
    int64_t wanted_us; /* still to be worked off */
    int64_t slewed_us; /* arrival up to which it was, */
    int64_t pulled_us; /* and up to which a late begin was made good */
};

/* A report of a stream that has not begun yet. */
struct ck_timeline_early {
    bool any;
    uint32_t ssrc;
    uint32_t rtp;
    uint64_t ntp;
};

struct ck_timeline {
    struct ck_mono start;
    struct ck_timeline_early early[2];
    struct ck_timeline_stream streams[2]; /* CK_SEAL_AUDIO, CK_SEAL_VIDEO */
    bool synced;                          /* the one step was taken */
};

void ck_timeline_init(struct ck_timeline *timeline, struct ck_mono start);

/* The place of a packet in microseconds, 0 or later, and what broke in front of it. Packets of one
 * source come in order. */
int64_t ck_timeline_place(struct ck_timeline *timeline, enum ck_seal_source_kind source,
                          uint32_t ssrc, uint32_t rtp, struct ck_mono arrival,
                          enum ck_timeline_break *broken);

/* A sender report: RTP time and NTP time (32.32) of one instant at the sender. One of a stream that
 * has not begun is kept for its first packet, so that lips are in sync from there. */
void ck_timeline_report(struct ck_timeline *timeline, enum ck_seal_source_kind source,
                        uint32_t ssrc, uint32_t rtp, uint64_t ntp);

#endif
