/* A clip: two seconds of real Opus and VP8, encoded once, out of which every client takes its
 * frames.
 *
 * Sound: 50 packets a second, a tone mark of 100 ms at the start of every second. Picture: 320 by
 * 240, 30 frames a second, a grey field, the number of the frame as a row of black and white
 * squares. Every frame is so small that it fits one packet, so that whatever fills the packet up
 * lies behind its last partition. */
#ifndef TESTS_CLIENT_CLIP_H
#define TESTS_CLIENT_CLIP_H

#include <stddef.h>
#include <stdint.h>

#define CK_CLIP_SOUNDS 100 /* packets of 20 ms */
#define CK_CLIP_FRAMES 61
#define CK_CLIP_WIDTH 320
#define CK_CLIP_HEIGHT 240
#define CK_CLIP_FRAME_MAX 1000 /* bytes */
#define CK_CLIP_SOUND_MAX 64

struct ck_clip;

struct ck_clip_piece {
    const uint8_t *data;
    size_t size;
};

/* `tone_hz` tells the voice of one leg from another's (300 to 3000); `shade` its picture (0 to
 * 255). */
int ck_clip_create(unsigned tone_hz, uint8_t shade, struct ck_clip **clip);
void ck_clip_destroy(struct ck_clip *clip);

/* An Opus frame of 20 ms without its TOC octet, and the TOC octet of a code-3 packet for it. */
struct ck_clip_piece ck_clip_sound(const struct ck_clip *clip, size_t index, uint8_t *toc);

/* A whole VP8 frame, `since` frames after the last key frame: 0 is the key frame, and any number of
 * frames may follow it (frames 1 to 60 repeat, the last of them showing the picture of frame 0
 * again). */
struct ck_clip_piece ck_clip_frame(const struct ck_clip *clip, size_t since);

#endif
