/* Facts about a picture and a sound: when it was black, covered or frozen, when it was silent.
 * Pure: values in, spans out.
 *
 * They say what was measured, never what it means: a person looks at the times and judges. */
#ifndef MEDIA_RENDER_MEASURE_H
#define MEDIA_RENDER_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/render.h"

#define CK_MEASURE_WIDTH 64 /* pictures are measured in this size, grey, 0 black to 255 white */
#define CK_MEASURE_HEIGHT 48
#define CK_MEASURE_RATE 48000 /* samples of one channel a second */
#define CK_MEASURE_WINDOW_MS 100

#define CK_MEASURE_BLACK_MEAN 32    /* mean brightness below */
#define CK_MEASURE_EVEN_DEVIATION 6 /* standard deviation below: one even colour */
#define CK_MEASURE_FROZEN_DIFFERENCE                                                               \
    4 /* mean difference to the picture it began with, in sixteenths, below */
#define CK_MEASURE_SILENT_RMS 66 /* of 32768: -54 dBFS */
#define CK_MEASURE_BLACK_MS 1000 /* shorter ones are no facts */
#define CK_MEASURE_COVERED_MS 1000
#define CK_MEASURE_FROZEN_MS 3000
#define CK_MEASURE_SILENT_MS 5000

/* Spans of one kind; one of each measure at a time is open. */
struct ck_measure_spans {
    struct ck_render_span spans[CK_RENDER_SPANS_MAX];
    uint32_t count;
    bool open[CK_RENDER_SILENT + 1];
    int64_t from_ms[CK_RENDER_SILENT + 1];
};

struct ck_measure_video {
    struct ck_measure_spans spans;
    bool begun;
    int64_t last_ms;
    uint8_t still[CK_MEASURE_WIDTH *
                  CK_MEASURE_HEIGHT]; /* the picture that frozen ones are held against */
};

struct ck_measure_audio {
    struct ck_measure_spans spans;
    int64_t window_ms; /* where the window began that is being filled */
    uint64_t squares;
    unsigned samples;
    int64_t end_ms; /* of the last samples */
};

/* All zero is a start for both. A picture at its time, in order. */
void ck_measure_picture(struct ck_measure_video *video, int64_t at_ms,
                        const uint8_t grey[static CK_MEASURE_WIDTH * CK_MEASURE_HEIGHT]);

/* Samples that begin at a time, in order. What lies between two calls is silence. */
void ck_measure_samples(struct ck_measure_audio *audio, int64_t at_ms, const int16_t *samples,
                        size_t count);

/* The end of the recording: closes what is open; a picture or sound that stopped before, or never
 * came, is frozen or silent up to there. */
void ck_measure_video_end(struct ck_measure_video *video, int64_t end_ms);
void ck_measure_audio_end(struct ck_measure_audio *audio, int64_t end_ms);

/* Both together in the order of their beginning; returns how many, at most CK_RENDER_SPANS_MAX. */
uint32_t ck_measure_merge(const struct ck_measure_spans *video,
                          const struct ck_measure_spans *audio,
                          struct ck_render_span out[static CK_RENDER_SPANS_MAX]);

#endif
