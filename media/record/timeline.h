/* Where a frame lies on the time line of a recording, from RTP timestamps, arrival times and sender
 * reports.
 *
 * A stream begins where its first packet arrives, less what packets are known to be late by at that
 * moment, and runs on by its RTP clock: delay, however long, moves nothing. A packet that comes
 * earlier than its place pulls the time line back, and one where every packet has been late for a
 * while follows, both slowly. Once both streams have a sender report, picture is put to sound's
 * time in one step; from then on what moves one moves the other by as much, and later differences
 * are worked off slowly, as nobody hears or sees that.
 *
 * A queue and a clock that stood still both make packets late. They are told apart so: a queue
 * grows packet by packet or drains again, it holds up sound and picture alike, and it changes
 * nothing in what the sender reports of its clocks. A clock steps between two packets and stays
 * there. When a packet came that was sent again says nothing of either. What a queue cannot have
 * made is moved at once; where both streams have stepped by about
 * as much they are moved by the same, so that lips stay in sync. Another SSRC begins the stream
 * anew. Pure; times go from the start of the recording. */
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
#define CK_TIMELINE_JUMP_US 500000      /* a step by less is never taken for a clock's */
#define CK_TIMELINE_ALIKE_US 250000     /* steps of the two streams that differ by less are one */
#define CK_TIMELINE_LATE_US 10000000    /* this late, or */
#define CK_TIMELINE_AHEAD_US 3000000    /* this early: moved, whatever the reason */
/* A queue that was full for a moment has drained by so much after so long, and who has been silent
 * for so long says nothing of the way. */
#define CK_TIMELINE_SETTLE_US 300000
#define CK_TIMELINE_DRAIN_US 100000
/* A picture may wait at its sender: it is given this long to be reported. */
#define CK_TIMELINE_PATIENCE_US 2000000
#define CK_TIMELINE_STRETCH_US 10000000 /* every packet late for so long: worked off */

enum ck_timeline_break {
    CK_TIMELINE_CONTINUES = 0,
    CK_TIMELINE_NEW_STREAM = 1, /* another SSRC; codes of CK_SEAL_MARK_STREAM */
    CK_TIMELINE_JUMP = 2,       /* its clock has stepped */
};

/* A packet came so much later than the one before that a clock may have stood still. */
struct ck_timeline_step {
    bool open;
    bool reported;     /* since then, that the clock goes on as before */
    int64_t at_us;     /* arrival */
    int64_t before_us; /* how late packets were before, */
    int64_t first_us;  /* how late this one was, and */
    int64_t least_us;  /* the least late since */
};

/* The last move of a stream. */
struct ck_timeline_move {
    bool any;
    bool synced; /* lips were, before */
    int64_t at_us;
    int64_t by_us;
};

struct ck_timeline_stream {
    bool begun;
    bool moved_along; /* with the other stream: to be told with the next packet */
    uint32_t hz;
    uint32_t ssrc;
    uint32_t rtp;       /* of the last packet, */
    int64_t ticks;      /* and the same counted on */
    int64_t timed;      /* likewise of the last one whose arrival tells something, */
    int64_t arrival_us; /* its arrival */
    int64_t late_us;    /* and how much later than its place that was */
    int64_t base_us;    /* time of tick 0 */
    int64_t last_us;    /* newest place given; no later one is before it */
    struct ck_timeline_step step;
    struct ck_timeline_move move;
    bool reported;
    int64_t report_ticks;
    int64_t report_ntp_us;
    int64_t wanted_us;  /* of the distance to the other stream, still to be worked off */
    int64_t slewed_us;  /* arrival up to which it was */
    int64_t stretch_us; /* begin of the present stretch, */
    int64_t least_us;   /* the least late in it, */
    int64_t behind_us;  /* what is left of that of the last one to be worked off, */
    int64_t settled_us; /* and arrival up to which that, or being early, was */
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
    int64_t start_late_us;
    struct ck_timeline_early early[2];
    struct ck_timeline_stream streams[2]; /* CK_SEAL_AUDIO, CK_SEAL_VIDEO */
    bool synced;                          /* the one step was taken */
};

/* `late_us`: how late packets come at the moment, as far as that is known from before. */
void ck_timeline_init(struct ck_timeline *timeline, struct ck_mono start, int64_t late_us);

struct ck_timeline_packet {
    enum ck_seal_source_kind source;
    uint32_t ssrc;
    uint32_t rtp;
    struct ck_mono arrival;
    bool again; /* it was sent again, or overtaken: when it came says nothing of a clock */
};

/* The place of a packet in microseconds, 0 or later, and what broke in front of it. Packets of one
 * source come in order. */
int64_t ck_timeline_place(struct ck_timeline *timeline, const struct ck_timeline_packet *packet,
                          enum ck_timeline_break *broken);

/* A sender report: RTP time and NTP time (32.32) of one instant at the sender. One of a stream that
 * has not begun is kept for its first packet, so that lips are in sync from there. */
void ck_timeline_report(struct ck_timeline *timeline, enum ck_seal_source_kind source,
                        uint32_t ssrc, uint32_t rtp, uint64_t ntp);

#endif
