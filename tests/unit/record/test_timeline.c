#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "media/record/opus.h"
#include "media/record/timeline.h"

#define START_US INT64_C(77000000)
#define NTP(ms) ((uint64_t)((ms) / 1000 + 5000) << 32 | ((uint64_t)((ms) % 1000) << 32) / 1000)

static int64_t place_ms(struct ck_timeline *timeline, int source, uint32_t ssrc, int64_t sent_ms,
                        uint32_t offset, int64_t arrival_ms, enum ck_timeline_break *broken)
{
    uint32_t per_ms = source == CK_SEAL_AUDIO ? 48 : 90;
    struct ck_mono arrival = {START_US + arrival_ms * 1000};
    int64_t us = ck_timeline_place(timeline, (enum ck_seal_source_kind)source, ssrc,
                                   offset + (uint32_t)sent_ms * per_ms, arrival, broken);
    return us / 1000;
}

static struct ck_timeline begin(void)
{
    struct ck_timeline timeline;
    ck_timeline_init(&timeline, (struct ck_mono){START_US});
    return timeline;
}

static void a_stream_runs_by_its_clock_not_by_arrival(void **state)
{
    (void)state;
    struct ck_timeline timeline = begin();
    enum ck_timeline_break broken;
    for (int64_t ms = 0; ms < 20000; ms += 20) {
        int64_t jitter = ms == 0 ? 0 : ms * 7919 % 90;
        assert_int_equal(
            place_ms(&timeline, CK_SEAL_AUDIO, 1, ms, 0xFFFFF000u, ms + 50 + jitter, &broken),
            ms + 50);
        assert_int_equal(broken, CK_TIMELINE_CONTINUES);
    }
}

/* The first packet was 260 ms late: that is made good within seconds, and no frame stumbles over
 * it. */
static void the_smallest_delay_counts_in_the_end(void **state)
{
    (void)state;
    struct ck_timeline timeline = begin();
    enum ck_timeline_break broken;
    int64_t last = place_ms(&timeline, CK_SEAL_AUDIO, 1, 0, 0, 300, &broken);
    assert_int_equal(last, 300);
    for (int64_t ms = 20; ms < 16000; ms += 20) {
        int64_t arrival = ms + 40 < 300 ? 300 : ms + 40;
        int64_t at = place_ms(&timeline, CK_SEAL_AUDIO, 1, ms, 0, arrival, &broken);
        assert_int_equal(broken, CK_TIMELINE_CONTINUES);
        assert_in_range(at - last, 19, 21);
        last = at;
    }
    assert_int_equal(last, 15980 + 40);
}

static void video_is_put_to_audio_in_one_step_and_then_slowly(void **state)
{
    (void)state;
    struct ck_timeline timeline = begin();
    enum ck_timeline_break broken;
    place_ms(&timeline, CK_SEAL_AUDIO, 1, 0, 10, 20, &broken);
    place_ms(&timeline, CK_SEAL_VIDEO, 2, 0, 20, 150, &broken);
    ck_timeline_report(&timeline, CK_SEAL_VIDEO, 2, 20, NTP(0));
    assert_int_equal(place_ms(&timeline, CK_SEAL_VIDEO, 2, 200, 20, 350, &broken), 350);
    ck_timeline_report(&timeline, CK_SEAL_AUDIO, 1, 10, NTP(0));
    assert_int_equal(place_ms(&timeline, CK_SEAL_VIDEO, 2, 500, 20, 650, &broken), 520);
    /* A second report with 30 ms more: at most a millisecond in a second. */
    ck_timeline_report(&timeline, CK_SEAL_VIDEO, 2, 20 + 45000, NTP(470));
    int64_t before = place_ms(&timeline, CK_SEAL_VIDEO, 2, 540, 20, 690, &broken);
    assert_in_range(before, 560 - 1, 560);
    int64_t after = place_ms(&timeline, CK_SEAL_VIDEO, 2, 10540, 20, 10690, &broken);
    assert_in_range(after - before, 9990, 9999);
}

/* A recording that begins in the middle of a call knows the browser's clocks from before: not even
 * the first picture is apart from its sound. One of another stream says nothing. */
static void what_was_reported_before_puts_lips_in_sync_at_once(void **state)
{
    (void)state;
    struct ck_timeline timeline = begin();
    enum ck_timeline_break broken;
    ck_timeline_report(&timeline, CK_SEAL_AUDIO, 1, 10, NTP(0));
    ck_timeline_report(&timeline, CK_SEAL_VIDEO, 2, 20, NTP(0));
    assert_int_equal(place_ms(&timeline, CK_SEAL_AUDIO, 1, 400, 10, 460, &broken), 460);
    assert_int_equal(place_ms(&timeline, CK_SEAL_VIDEO, 2, 500, 20, 860, &broken), 560);
    struct ck_timeline other = begin();
    ck_timeline_report(&other, CK_SEAL_AUDIO, 1, 10, NTP(0));
    ck_timeline_report(&other, CK_SEAL_VIDEO, 3, 20, NTP(0));
    assert_int_equal(place_ms(&other, CK_SEAL_AUDIO, 1, 400, 10, 460, &broken), 460);
    assert_int_equal(place_ms(&other, CK_SEAL_VIDEO, 2, 500, 20, 860, &broken), 860);
}

static void a_report_that_goes_back_in_time_resets_what_is_known(void **state)
{
    (void)state;
    struct ck_timeline timeline = begin();
    enum ck_timeline_break broken;
    place_ms(&timeline, CK_SEAL_AUDIO, 1, 0, 0, 20, &broken);
    place_ms(&timeline, CK_SEAL_VIDEO, 2, 0, 0, 20, &broken);
    ck_timeline_report(&timeline, CK_SEAL_AUDIO, 1, 0, NTP(50000));
    ck_timeline_report(&timeline, CK_SEAL_VIDEO, 2, 0, NTP(50000));
    place_ms(&timeline, CK_SEAL_AUDIO, 1, 1000, 0, 1020, &broken);
    place_ms(&timeline, CK_SEAL_VIDEO, 2, 1000, 0, 1020, &broken);
    /* The sender's clock is set back by 40 s: one stream says so first. Nothing may move. */
    ck_timeline_report(&timeline, CK_SEAL_VIDEO, 2, 90000, NTP(11000));
    assert_int_equal(place_ms(&timeline, CK_SEAL_VIDEO, 2, 1040, 0, 1060, &broken), 1060);
    ck_timeline_report(&timeline, CK_SEAL_AUDIO, 1, 48000, NTP(11000));
    assert_int_equal(place_ms(&timeline, CK_SEAL_VIDEO, 2, 1080, 0, 1100, &broken), 1100);
    assert_int_equal(broken, CK_TIMELINE_CONTINUES);
}

static void lies_in_reports_move_nothing_far(void **state)
{
    (void)state;
    struct ck_timeline timeline = begin();
    enum ck_timeline_break broken;
    place_ms(&timeline, CK_SEAL_AUDIO, 1, 0, 0, 20, &broken);
    place_ms(&timeline, CK_SEAL_VIDEO, 2, 0, 0, 20, &broken);
    ck_timeline_report(&timeline, CK_SEAL_AUDIO, 1, 0, UINT64_MAX);
    ck_timeline_report(&timeline, CK_SEAL_VIDEO, 2, 0, 0);
    ck_timeline_report(&timeline, CK_SEAL_VIDEO, 99, 0, NTP(0));         /* another SSRC */
    ck_timeline_report(&timeline, CK_SEAL_AUDIO, 1, 0x7FFFFFFF, NTP(0)); /* far away */
    assert_int_equal(place_ms(&timeline, CK_SEAL_VIDEO, 2, 40, 0, 60, &broken), 60);
}

static void a_jump_begins_the_stream_where_it_arrives(void **state)
{
    (void)state;
    static const int64_t jumps_ms[] = {3600000, -2000, 700, -3600000, 11000};
    for (size_t i = 0; i < sizeof jumps_ms / sizeof jumps_ms[0]; i++) {
        struct ck_timeline timeline = begin();
        enum ck_timeline_break broken;
        int64_t at = 0;
        int64_t last = 0;
        for (; at < 5000; at += 20) {
            last = place_ms(&timeline, CK_SEAL_AUDIO, 1, at, 7, at + 30, &broken);
        }
        unsigned jumps = 0;
        for (; at < 15000; at += 20) {
            int64_t ms =
                place_ms(&timeline, CK_SEAL_AUDIO, 1, at + jumps_ms[i], 7, at + 30, &broken);
            jumps += broken == CK_TIMELINE_JUMP;
            assert_true(ms >= last);
            last = ms;
        }
        assert_int_equal(jumps, 1);
        assert_int_equal(last, at - 20 + 30);
    }
}

/* A stall of the network: everything comes late, then at once; times stay those of capture. */
static void a_late_burst_is_no_jump(void **state)
{
    (void)state;
    struct ck_timeline timeline = begin();
    enum ck_timeline_break broken;
    for (int64_t ms = 0; ms < 20000; ms += 20) {
        int64_t arrival = ms + 30;
        if (ms >= 4000 && ms < 9000) {
            arrival = 9000 + (ms - 4000) / 10;
        }
        assert_int_equal(place_ms(&timeline, CK_SEAL_AUDIO, 1, ms, 0, arrival, &broken), ms + 30);
        assert_int_equal(broken, CK_TIMELINE_CONTINUES);
    }
}

/* A clock that stood still while nothing was sent: after a while of staying late it is moved on. */
static void a_clock_that_stood_still_is_moved_on(void **state)
{
    (void)state;
    struct ck_timeline timeline = begin();
    enum ck_timeline_break broken;
    int64_t ms = 0;
    for (int64_t at = 0; at < 10000; at += 20) {
        ms = place_ms(&timeline, CK_SEAL_AUDIO, 1, at, 0, at < 3000 ? at : at + 5000, &broken);
    }
    assert_int_equal(ms, 14980);
}

static void another_ssrc_begins_anew_and_time_never_goes_back(void **state)
{
    (void)state;
    struct ck_timeline timeline = begin();
    enum ck_timeline_break broken;
    assert_int_equal(place_ms(&timeline, CK_SEAL_VIDEO, 2, 0, 0, 100, &broken), 100);
    assert_int_equal(place_ms(&timeline, CK_SEAL_VIDEO, 2, 400, 0, 500, &broken), 500);
    assert_int_equal(place_ms(&timeline, CK_SEAL_VIDEO, 3, 0, 0x80000000u, 600, &broken), 600);
    assert_int_equal(broken, CK_TIMELINE_NEW_STREAM);
    assert_int_equal(place_ms(&timeline, CK_SEAL_VIDEO, 2, 0, 0, 590, &broken), 600);
}

static void opus_packets_tell_their_length(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[2];
        size_t size;
        int32_t us;
    } cases[] = {
        {{0x00}, 1, 10000},        {{0x18}, 1, 60000},   {{0x60}, 1, 10000}, {{0x68}, 1, 20000},
        {{0x80}, 1, 2500},         {{0xF8}, 1, 20000},   {{0xF9}, 1, 40000}, {{0xFA}, 1, 40000},
        {{0xFB, 0x03}, 2, 60000},  {{0xFB}, 1, 0},       {{0}, 0, 0},        {{0xFB, 0x3F}, 2, 0},
        {{0xFB, 0x06}, 2, 120000}, {{0xFB, 0x00}, 2, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ck_opus_duration_us(cases[i].bytes, cases[i].size), cases[i].us);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_runs_by_its_clock_not_by_arrival),
        cmocka_unit_test(the_smallest_delay_counts_in_the_end),
        cmocka_unit_test(video_is_put_to_audio_in_one_step_and_then_slowly),
        cmocka_unit_test(what_was_reported_before_puts_lips_in_sync_at_once),
        cmocka_unit_test(a_report_that_goes_back_in_time_resets_what_is_known),
        cmocka_unit_test(lies_in_reports_move_nothing_far),
        cmocka_unit_test(a_jump_begins_the_stream_where_it_arrives),
        cmocka_unit_test(a_late_burst_is_no_jump),
        cmocka_unit_test(a_clock_that_stood_still_is_moved_on),
        cmocka_unit_test(another_ssrc_begins_anew_and_time_never_goes_back),
        cmocka_unit_test(opus_packets_tell_their_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
