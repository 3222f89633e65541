#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "media/render/measure.h"

#define PIXELS (CK_MEASURE_WIDTH * CK_MEASURE_HEIGHT)
#define PICTURE_MS 100

static uint32_t seed = 1;

/* A picture of noise around a brightness. */
static void noise(uint8_t *grey, int mean, int spread)
{
    for (size_t i = 0; i < PIXELS; i++) {
        seed = seed * 1664525 + 1013904223;
        grey[i] = (uint8_t)(mean + (spread == 0 ? 0 : (int)(seed >> 16) % (2 * spread) - spread));
    }
}

static void show(struct ck_measure_video *video, int64_t from_ms, int64_t until_ms, int mean,
                 int spread)
{
    uint8_t grey[PIXELS];
    for (int64_t ms = from_ms; ms < until_ms; ms += PICTURE_MS) {
        noise(grey, mean, spread);
        ck_measure_picture(video, ms, grey);
    }
}

static void assert_span(const struct ck_measure_spans *spans, uint32_t n, int measure,
                        int64_t from_ms, int64_t until_ms)
{
    assert_true(n < spans->count);
    assert_int_equal(spans->spans[n].measure, measure);
    assert_int_equal(spans->spans[n].from_ms, from_ms);
    assert_int_equal(spans->spans[n].until_ms, until_ms);
}

static void a_living_picture_has_no_facts(void **state)
{
    (void)state;
    struct ck_measure_video video = {0};
    show(&video, 0, 20000, 120, 60);
    ck_measure_video_end(&video, 20000);
    assert_int_equal(video.spans.count, 0);
}

static void black_and_covered_are_told_apart(void **state)
{
    (void)state;
    struct ck_measure_video video = {0};
    show(&video, 0, 2000, 120, 60);
    show(&video, 2000, 4000, 18, 3);
    show(&video, 4000, 6000, 120, 60);
    show(&video, 6000, 9000, 90, 8); /* a finger: even, but alive */
    show(&video, 9000, 9500, 120, 60);
    show(&video, 9500, 10000, 18, 3); /* too short to be a fact */
    show(&video, 10000, 12000, 120, 60);
    ck_measure_video_end(&video, 12000);
    assert_int_equal(video.spans.count, 2);
    assert_span(&video.spans, 0, CK_RENDER_BLACK, 2000, 4000);
    assert_span(&video.spans, 1, CK_RENDER_COVERED, 6000, 9000);
}

static void a_picture_that_stands_is_frozen(void **state)
{
    (void)state;
    struct ck_measure_video video = {0};
    uint8_t grey[PIXELS];
    show(&video, 0, 2000, 120, 60);
    noise(grey, 120, 60);
    for (int64_t ms = 2000; ms < 7000; ms += PICTURE_MS) {
        grey[ms % PIXELS] ^= 1; /* what coding changes */
        ck_measure_picture(&video, ms, grey);
    }
    show(&video, 7000, 9000, 120, 60);
    show(&video, 14000, 15000, 120, 60); /* nothing came for five seconds */
    ck_measure_video_end(&video, 20000); /* nor at the end */
    assert_int_equal(video.spans.count, 3);
    assert_span(&video.spans, 0, CK_RENDER_FROZEN, 2000, 7000);
    assert_span(&video.spans, 1, CK_RENDER_FROZEN, 8900, 14000);
    assert_span(&video.spans, 2, CK_RENDER_FROZEN, 14900, 20000);
}

static void no_picture_at_all_is_frozen_from_the_start(void **state)
{
    (void)state;
    struct ck_measure_video video = {0};
    ck_measure_video_end(&video, 10000);
    assert_int_equal(video.spans.count, 1);
    assert_span(&video.spans, 0, CK_RENDER_FROZEN, 0, 10000);
    struct ck_measure_video late = {0};
    show(&late, 4000, 6000, 120, 60);
    ck_measure_video_end(&late, 6000);
    assert_int_equal(late.spans.count, 1);
    assert_span(&late.spans, 0, CK_RENDER_FROZEN, 0, 4000);
}

static void sound(struct ck_measure_audio *audio, int64_t from_ms, int64_t until_ms, int16_t level)
{
    int16_t samples[960];
    for (int64_t ms = from_ms; ms < until_ms; ms += 20) {
        for (size_t i = 0; i < 960; i++) {
            samples[i] = i % 48 < 24 ? level : (int16_t)-level;
        }
        ck_measure_samples(audio, ms, samples, 960);
    }
}

static void silence_is_told_with_its_times(void **state)
{
    (void)state;
    struct ck_measure_audio audio = {0};
    sound(&audio, 0, 2000, 3000);
    sound(&audio, 2000, 9000, 20);
    sound(&audio, 9000, 10000, 3000);
    sound(&audio, 10000, 12000, 0); /* a breath */
    sound(&audio, 12000, 13000, 3000);
    sound(&audio, 20000, 21000, 3000); /* nothing came in between */
    ck_measure_audio_end(&audio, 30000);
    assert_int_equal(audio.spans.count, 3);
    assert_span(&audio.spans, 0, CK_RENDER_SILENT, 2000, 9000);
    assert_span(&audio.spans, 1, CK_RENDER_SILENT, 13000, 20000);
    assert_span(&audio.spans, 2, CK_RENDER_SILENT, 21000, 30000);
    struct ck_measure_audio none = {0};
    ck_measure_audio_end(&none, 6000);
    assert_int_equal(none.spans.count, 1);
    assert_span(&none.spans, 0, CK_RENDER_SILENT, 0, 6000);
}

static void facts_of_both_come_in_the_order_of_their_beginning(void **state)
{
    (void)state;
    static const struct ck_measure_spans video = {
        .spans = {{CK_RENDER_FROZEN, 500, 9000}, {CK_RENDER_BLACK, 3000, 5000}}, .count = 2};
    static const struct ck_measure_spans audio = {
        .spans = {{CK_RENDER_SILENT, 0, 6000}, {CK_RENDER_SILENT, 4000, 9000}}, .count = 2};
    struct ck_render_span out[CK_RENDER_SPANS_MAX];
    assert_int_equal(ck_measure_merge(&video, &audio, out), 4);
    assert_int_equal(out[0].from_ms, 0);
    assert_int_equal(out[1].from_ms, 500);
    assert_int_equal(out[2].from_ms, 3000);
    assert_int_equal(out[3].from_ms, 4000);
}

static void there_is_a_limit_on_facts(void **state)
{
    (void)state;
    struct ck_measure_video video = {0};
    for (int64_t i = 0; i < CK_RENDER_SPANS_MAX + 50; i++) {
        show(&video, i * 3000, i * 3000 + 1500, 18, 3);
        show(&video, i * 3000 + 1500, i * 3000 + 3000, 120, 60);
    }
    assert_int_equal(video.spans.count, CK_RENDER_SPANS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_living_picture_has_no_facts),
        cmocka_unit_test(black_and_covered_are_told_apart),
        cmocka_unit_test(a_picture_that_stands_is_frozen),
        cmocka_unit_test(no_picture_at_all_is_frozen_from_the_start),
        cmocka_unit_test(silence_is_told_with_its_times),
        cmocka_unit_test(facts_of_both_come_in_the_order_of_their_beginning),
        cmocka_unit_test(there_is_a_limit_on_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
