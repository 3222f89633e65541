/* Frames out of RTP packets: one Opus packet is one frame, a VP8 frame is put together from its
 * packets. Knows what is missing: video waits for a key frame after a loss, because what refers to
 * a lost picture shows something that was not there. Places each frame on the time line. */
#ifndef MEDIA_RECORD_FRAMES_H
#define MEDIA_RECORD_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/record/recorder.h"
#include "media/record/timeline.h"
#include "protocol/seal.h"
#include "protocol/webm.h"

#define CK_FRAMES_AUDIO_GAP_MS 200 /* a hole of lost sound from here on is marked */
#define CK_FRAMES_ASK_US 500000    /* while video waits: how often a key frame is asked for */

/* A whole frame. Its data is only valid during the call. */
struct ck_frame {
    struct ck_webm_frame webm;
    int64_t end_ms; /* where it stops sounding; a picture's is as its time */
    uint16_t width; /* of a key frame */
    uint16_t height;
    struct ck_mono arrival; /* of the packet that made it whole */
};

/* Called from within ck_frames_packet(). */
struct ck_frames_sink {
    void (*frame)(void *user, const struct ck_frame *frame);
    void (*mark)(void *user, const struct ck_seal_mark *mark);
    void (*want_key_frame)(void *user);
    void *user;
};

struct ck_frames;

/* `late_us`: see ck_timeline_init(). 0 or -ENOMEM. */
int ck_frames_create(struct ck_frames **frames, struct ck_mono start, int64_t late_us,
                     const struct ck_frames_sink *sink);
void ck_frames_destroy(struct ck_frames *frames); /* NULL is taken */

/* 0, or -ENOMEM where a picture found no room (it is then lost like any other). */
int ck_frames_packet(struct ck_frames *frames, const struct ck_recording_packet *packet);

void ck_frames_report(struct ck_frames *frames, enum ck_seal_source_kind source, uint32_t ssrc,
                      uint32_t rtp, uint64_t ntp, struct ck_mono arrival);

/* What comes next does not continue what came last (a pause, an overflow): sequence numbers begin
 * anew, and video waits for a key frame. The caller marks the gap. */
void ck_frames_interrupt(struct ck_frames *frames);

/* Packets that came after their turn, or twice. */
uint64_t ck_frames_stale(const struct ck_frames *frames);

#endif
