/* Key frames of one incoming VP8 stream: when one has come whole, and when to ask for one (RFC 4585
 * PLI). Values; time is an argument. */
#ifndef MEDIA_RTP_KEYFRAMES_H
#define MEDIA_RTP_KEYFRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"
#include "protocol/rtp.h"

#define CK_KEY_FRAME_REPEAT_MS 500   /* until one is whole */
#define CK_KEY_FRAME_SPACING_MS 1000 /* after one was whole, unless it is urgent */
#define CK_KEY_FRAME_RECORD_MS 10000 /* a recorded stream has one at least this often */
#define CK_KEY_FRAME_SILENCE_MS 2000 /* a stream that sends nothing is not asked */

struct ck_key_frames {
    bool collecting; /* packets of one key frame come in: */
    bool has_last;
    uint32_t timestamp;
    uint64_t first;
    uint64_t last;
    uint64_t packets;
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
    uint16_t next_width;
    uint16_t next_height;
};

/* A packet of the stream with its extended sequence number; never the same one twice. True where it
 * made a key frame whole. */
bool ck_key_frames_packet(struct ck_key_frames *frames, uint64_t sequence, const struct ck_rtp *rtp,
                          const struct ck_vp8 *vp8, struct ck_mono now);

/* A key frame is needed: urgently (somebody joined, came back, a new source), or when it is due. */
void ck_key_frames_want(struct ck_key_frames *frames, bool urgent);

/* Whether to ask now; the caller then does. `heard` is the arrival of the stream's last packet. */
bool ck_key_frames_due(struct ck_key_frames *frames, struct ck_mono now, struct ck_mono heard,
                       bool recorded);

#endif
