#include "media/render/measure.h"

#include <string.h>

#define PIXELS (CK_MEASURE_WIDTH * CK_MEASURE_HEIGHT)
#define SAMPLES_PER_MS (CK_MEASURE_RATE / 1000)
#define FROZEN_SCALE 16

static int64_t shortest_ms(enum ck_render_measure measure)
{
    switch (measure) {
    case CK_RENDER_BLACK:
        return CK_MEASURE_BLACK_MS;
    case CK_RENDER_COVERED:
        return CK_MEASURE_COVERED_MS;
    case CK_RENDER_FROZEN:
        return CK_MEASURE_FROZEN_MS;
    case CK_RENDER_SILENT:
        return CK_MEASURE_SILENT_MS;
    }
    return 0;
}

/* Says that something is or is not the case from `at_ms` on. */
static void set(struct ck_measure_spans *spans, enum ck_render_measure measure, bool on,
                int64_t at_ms)
{
    if (on == spans->open[measure]) {
        return;
    }
    spans->open[measure] = on;
    if (on) {
        spans->from_ms[measure] = at_ms;
        return;
    }
    int64_t from_ms = spans->from_ms[measure];
    if (at_ms - from_ms >= shortest_ms(measure) && spans->count < CK_RENDER_SPANS_MAX) {
        spans->spans[spans->count++] =
            (struct ck_render_span){(uint8_t)measure, (uint32_t)from_ms, (uint32_t)at_ms};
    }
}

static bool is_frozen(const struct ck_measure_video *video, const uint8_t *grey)
{
    uint32_t difference = 0;
    for (size_t i = 0; i < PIXELS; i++) {
        difference += (uint32_t)(grey[i] > video->still[i] ? grey[i] - video->still[i]
                                                           : video->still[i] - grey[i]);
    }
    return difference * FROZEN_SCALE < CK_MEASURE_FROZEN_DIFFERENCE * PIXELS;
}

void ck_measure_picture(struct ck_measure_video *video, int64_t at_ms,
                        const uint8_t grey[static CK_MEASURE_WIDTH * CK_MEASURE_HEIGHT])
{
    uint32_t sum = 0;
    uint32_t squares = 0;
    for (size_t i = 0; i < PIXELS; i++) {
        sum += grey[i];
        squares += (uint32_t)grey[i] * grey[i];
    }
    uint32_t mean = sum / PIXELS;
    uint64_t variance = ((uint64_t)squares * PIXELS - (uint64_t)sum * sum) / PIXELS / PIXELS;
    bool black = mean < CK_MEASURE_BLACK_MEAN;
    bool even = variance < CK_MEASURE_EVEN_DEVIATION * CK_MEASURE_EVEN_DEVIATION;
    set(&video->spans, CK_RENDER_BLACK, black && even, at_ms);
    set(&video->spans, CK_RENDER_COVERED, !black && even, at_ms);
    /* The picture stands from the last one that was like this; one that never came before stands
     * from the start. */
    if (!video->begun) {
        set(&video->spans, CK_RENDER_FROZEN, true, 0);
        set(&video->spans, CK_RENDER_FROZEN, false, at_ms);
    }
    if (!video->begun || !is_frozen(video, grey)) {
        set(&video->spans, CK_RENDER_FROZEN, false, at_ms);
        memcpy(video->still, grey, PIXELS);
        set(&video->spans, CK_RENDER_FROZEN, true, at_ms);
    }
    video->begun = true;
    video->last_ms = at_ms;
}

void ck_measure_video_end(struct ck_measure_video *video, int64_t end_ms)
{
    if (!video->begun) {
        set(&video->spans, CK_RENDER_FROZEN, true, 0);
    }
    for (int measure = CK_RENDER_BLACK; measure <= CK_RENDER_FROZEN; measure++) {
        set(&video->spans, (enum ck_render_measure)measure, false, end_ms);
    }
}

static void end_window(struct ck_measure_audio *audio, int64_t next_ms)
{
    if (audio->samples > 0) {
        uint64_t mean = audio->squares / audio->samples;
        bool silent = mean < (uint64_t)CK_MEASURE_SILENT_RMS * CK_MEASURE_SILENT_RMS;
        set(&audio->spans, CK_RENDER_SILENT, silent, audio->window_ms);
    }
    audio->window_ms = next_ms;
    audio->squares = 0;
    audio->samples = 0;
}

void ck_measure_samples(struct ck_measure_audio *audio, int64_t at_ms, const int16_t *samples,
                        size_t count)
{
    if (at_ms > audio->end_ms + CK_MEASURE_WINDOW_MS) {
        end_window(audio, at_ms);
        set(&audio->spans, CK_RENDER_SILENT, true, audio->end_ms);
    }
    for (size_t i = 0; i < count; i++) {
        if (audio->samples == CK_MEASURE_WINDOW_MS * SAMPLES_PER_MS) {
            end_window(audio, at_ms + (int64_t)i / SAMPLES_PER_MS);
        }
        audio->squares += (uint64_t)((int32_t)samples[i] * samples[i]);
        audio->samples++;
    }
    audio->end_ms = at_ms + (int64_t)count / SAMPLES_PER_MS;
}

void ck_measure_audio_end(struct ck_measure_audio *audio, int64_t end_ms)
{
    end_window(audio, audio->end_ms);
    if (end_ms > audio->end_ms + CK_MEASURE_WINDOW_MS) {
        set(&audio->spans, CK_RENDER_SILENT, true, audio->end_ms);
    }
    set(&audio->spans, CK_RENDER_SILENT, false, end_ms);
}

uint32_t ck_measure_merge(const struct ck_measure_spans *video,
                          const struct ck_measure_spans *audio,
                          struct ck_render_span out[static CK_RENDER_SPANS_MAX])
{
    const struct ck_measure_spans *both[] = {video, audio};
    uint32_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t j = 0; j < both[i]->count && count < CK_RENDER_SPANS_MAX; j++) {
            uint32_t at = count++;
            while (at > 0 && out[at - 1].from_ms > both[i]->spans[j].from_ms) {
                out[at] = out[at - 1];
                at--;
            }
            out[at] = both[i]->spans[j];
        }
    }
    return count;
}
