/* Key frames of one incoming VP8 stream: when one has come whole, and when to ask for one (RFC 4585
 * PLI). Values; time is an argument. */
#ifndef MEDIA_RTP_KEYFRAMES_H
#define MEDIA_RTP_KEYFRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"
#include "protocol/rtp.h"

#define CK_KEY_FRAME_REPEAT_MS 500   /* until one comes, */
#define CK_KEY_FRAME_REPAIR_MS 1500  /* and once some of it has, until it is whole */
#define CK_KEY_FRAME_PICTURES 64     /* that are remembered: what is lost of them may come yet */
#define CK_KEY_FRAME_SPACING_MS 1000 /* after one was whole, unless it is urgent */
#define CK_KEY_FRAME_RECORD_MS 10000 /* a recorded stream has one at least this often */
#define CK_KEY_FRAME_SILENCE_MS 2000 /* a stream that sends nothing is not asked */

/* One picture, as far as its packets have come. */
struct ck_key_picture {
    uint32_t timestamp;
    uint32_t packets; /* 0: this place is free */
    bool key;         /* its first packet has come and says so */
    bool has_last;
    uint16_t width;
    uint16_t height;
    uint64_t first;
    uint64_t last;
};

struct ck_key_frames {
    struct ck_key_picture pictures[CK_KEY_FRAME_PICTURES];
    unsigned newest;
    bool collecting; /* some of a key frame has come, */
    struct ck_mono begun;
    bool wanted;
    bool urgent;
    bool asked_once; /* for the present want */
    struct ck_mono asked;
    bool has_whole;
    struct ck_mono whole;
    uint32_t whole_count;
    uint32_t asked_count;
    uint16_t width; /* of the last whole one */
    uint16_t height;
};

/* A packet of the stream with its extended sequence number; never the same one twice. True where it
 * made a key frame whole. */
bool ck_key_frames_packet(struct ck_key_frames *frames, uint64_t sequence, const struct ck_rtp *rtp,
                          const struct ck_vp8 *vp8, struct ck_mono now);

/* A key frame is needed: urgently (somebody joined, came back, a new source), or when it is due. */
void ck_key_frames_want(struct ck_key_frames *frames, bool urgent);

/* Too much is lost to be asked for: what is coming in cannot become whole. */
void ck_key_frames_give_up(struct ck_key_frames *frames);

/* Whether to ask now; the caller then does. While one is coming in, and what is lost of it is asked
 * for, another one would only take its place on a narrow way. `heard` is the arrival of the
 * stream's last packet. */
bool ck_key_frames_due(struct ck_key_frames *frames, struct ck_mono now, struct ck_mono heard,
                       bool recorded);

#endif
