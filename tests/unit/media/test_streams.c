/* What happens to the packets of a stream: counting, asking again, putting in order, key frames,
 * renumbering, repeating. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "media/rtp/arrivals.h"
#include "media/rtp/keyframes.h"
#include "media/rtp/missing.h"
#include "media/rtp/reorder.h"
#include "media/rtp/sender.h"
#include "media/rtp/source.h"
#include "media/rtp/transit.h"
#include "media/rtp/uplink.h"

static struct ck_mono at_ms(int64_t ms)
{
    return (struct ck_mono){1000000000 + ms * 1000};
}

/* --- source
 * ------------------------------------------------------------------------------------------ */

static int take(struct ck_source *source, uint16_t sequence, uint64_t *extended)
{
    struct ck_rtp rtp = {.sequence = sequence, .timestamp = 160u * sequence, .payload_size = 10};
    return ck_source_packet(source, &rtp, at_ms(20 * sequence), extended);
}

static void test_source_counts_over_the_wrap(void **state)
{
    (void)state;
    struct ck_source source;
    uint64_t extended = 0;
    uint64_t before = 0;
    ck_source_init(&source, 1, 8000);
    assert_int_equal(take(&source, 65534, &before), 1);
    assert_int_equal(take(&source, 65535, &extended), 1);
    assert_int_equal(extended, before + 1);
    assert_int_equal(take(&source, 2, &extended), 3); /* 0 and 1 are missing */
    assert_int_equal(extended, before + 4);
    assert_int_equal(ck_source_lost(&source), 2);
    assert_int_equal(take(&source, 0, &extended), -2);
    assert_int_equal(extended, before + 2);
    assert_int_equal(ck_source_lost(&source), 1);
    assert_int_equal(take(&source, 65533, &extended), -5); /* before the first */
    assert_int_equal(extended, before - 1);
}

static void test_source_reports(void **state)
{
    (void)state;
    struct ck_source source;
    uint64_t extended = 0;
    ck_source_init(&source, 77, 8000);
    for (uint16_t sequence = 100; sequence < 200; sequence++) {
        if (sequence % 4 != 0 || sequence == 100) {
            (void)take(&source, sequence, &extended);
        }
    }
    struct ck_rtcp_report report = ck_source_report_out(&source, at_ms(0));
    assert_int_equal(report.ssrc, 77);
    assert_int_equal(report.lost, 24);
    assert_in_range(report.fraction_lost, 24 * 255 / 100 - 1, 24 * 255 / 100 + 1);
    assert_int_equal(report.highest, 199);
    assert_int_equal(report.jitter, 0); /* they came as evenly as they were sent */
    assert_int_equal(report.last_sr, 0);
    (void)take(&source, 200, &extended);
    struct ck_rtcp_sender sender = {.ssrc = 77, .ntp = 0x1111222233334444, .timestamp = 5};
    ck_source_report_in(&source, &sender, at_ms(1000));
    report = ck_source_report_out(&source, at_ms(1500));
    assert_int_equal(report.fraction_lost, 0); /* none since the last */
    assert_int_equal(report.lost, 24);
    assert_int_equal(report.last_sr, 0x22223333);
    assert_int_equal(report.delay, 32768); /* half a second */
}

static void test_source_jitter(void **state)
{
    (void)state;
    struct ck_source source;
    uint64_t extended = 0;
    ck_source_init(&source, 1, 48000);
    for (uint16_t i = 0; i < 500; i++) {
        struct ck_rtp rtp = {.sequence = i, .timestamp = 960u * i};
        (void)ck_source_packet(&source, &rtp, at_ms(20 * i + (i % 2) * 10), &extended);
    }
    assert_in_range(ck_source_jitter_us(&source), 9000, 11000);
    struct ck_rtp jump = {.sequence = 500, .timestamp = 3000000000u};
    (void)ck_source_packet(&source, &jump, at_ms(10000), &extended);
    assert_in_range(ck_source_jitter_us(&source), 8000,
                    11000); /* a jump of the clock is no jitter */
}

/* --- missing
 * ----------------------------------------------------------------------------------------- */

static void test_missing_waits_asks_and_gives_up(void **state)
{
    (void)state;
    struct ck_missing missing = {0};
    uint16_t asked[CK_MISSING_MAX];
    assert_true(ck_missing_gap(&missing, 65535, 65538, at_ms(0)));
    assert_int_equal(
        ck_missing_due(&missing, at_ms(CK_MISSING_WAIT_MS - 1), 0, CK_MISSING_MAX, asked), 0);
    assert_true(ck_missing_found(&missing, 65536)); /* it was only late */
    assert_false(ck_missing_found(&missing, 65536));
    assert_int_equal(ck_missing_due(&missing, at_ms(CK_MISSING_WAIT_MS), 0, CK_MISSING_MAX, asked),
                     2);
    assert_int_equal(asked[0], 65535);
    assert_int_equal(asked[1], 1);
    assert_int_equal(
        ck_missing_due(&missing, at_ms(CK_MISSING_WAIT_MS + 1), 0, CK_MISSING_MAX, asked), 0);
    /* Once a round trip, not more often. */
    assert_int_equal(
        ck_missing_due(&missing, at_ms(CK_MISSING_WAIT_MS + 99), 100000, CK_MISSING_MAX, asked), 0);
    assert_int_equal(
        ck_missing_due(&missing, at_ms(CK_MISSING_WAIT_MS + 100), 100000, CK_MISSING_MAX, asked),
        2);
    assert_int_equal(
        ck_missing_due(&missing, at_ms(CK_MISSING_AGE_MS + 1), 0, CK_MISSING_MAX, asked), 0);
    assert_int_equal(missing.count, 0);
}

/* Of those that are due the lowest come first, and the others keep their turn. */
static void test_missing_comes_bit_by_bit(void **state)
{
    (void)state;
    struct ck_missing missing = {0};
    uint16_t asked[CK_MISSING_MAX];
    assert_true(ck_missing_gap(&missing, 5, 8, at_ms(0)));
    assert_int_equal(ck_missing_due(&missing, at_ms(20), 100000, 0, asked), 0);
    for (uint16_t i = 0; i < 3; i++) {
        assert_int_equal(ck_missing_due(&missing, at_ms(20 + i), 100000, 1, asked), 1);
        assert_int_equal(asked[0], 5 + i);
    }
    assert_int_equal(ck_missing_due(&missing, at_ms(23), 100000, 1, asked), 0);
}

/* Where one at a time may be asked for, none waits for another's repetitions. */
static void test_missing_takes_turns(void **state)
{
    (void)state;
    static const uint16_t wanted[] = {5, 6, 7, 5, 6, 7, 5, 6, 7, 5, 6, 7};
    struct ck_missing missing = {0};
    uint16_t asked[CK_MISSING_MAX];
    assert_true(ck_missing_gap(&missing, 5, 8, at_ms(0)));
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        int64_t ms = 20 + (int64_t)i * 100;
        assert_int_equal(ck_missing_due(&missing, at_ms(ms), 100000, 1, asked), 1);
        assert_int_equal(asked[0], wanted[i]);
    }
    /* Alone, it is not asked for twice in a round trip. */
    ck_missing_clear(&missing);
    assert_true(ck_missing_gap(&missing, 5, 6, at_ms(0)));
    for (int64_t ms = 20; ms < 1000; ms += 50) {
        assert_int_equal(ck_missing_due(&missing, at_ms(ms), 100000, 1, asked), ms % 100 == 20);
    }
}

static void test_missing_tries_are_limited(void **state)
{
    (void)state;
    struct ck_missing missing = {0};
    uint16_t asked[CK_MISSING_MAX];
    unsigned times = 0;
    assert_true(ck_missing_gap(&missing, 5, 6, at_ms(0)));
    for (int64_t ms = 0; ms < CK_MISSING_AGE_MS; ms++) {
        times += ck_missing_due(&missing, at_ms(ms), 0, CK_MISSING_MAX, asked);
    }
    assert_int_equal(times, CK_MISSING_TRIES);
}

static void test_missing_too_many(void **state)
{
    (void)state;
    struct ck_missing missing = {0};
    assert_true(ck_missing_gap(&missing, 1, 1 + CK_MISSING_MAX, at_ms(0)));
    assert_false(ck_missing_gap(&missing, 500, 501, at_ms(0)));
    assert_int_equal(missing.count, 0);
    assert_false(ck_missing_gap(&missing, 0, UINT64_MAX, at_ms(0)));
}

/* --- reorder
 * ----------------------------------------------------------------------------------------- */

struct line {
    unsigned count;
    uint16_t sequences[4096];
};

static void stand(void *user, const struct ck_packet *packet)
{
    struct line *line = user;
    line->sequences[line->count++] = packet->rtp.sequence;
}

static void put(struct ck_reorder *reorder, struct ck_packet_pool *pool, uint64_t sequence,
                int64_t ms)
{
    struct ck_packet *packet = ck_packet_get(pool);
    assert_non_null(packet);
    packet->arrival = at_ms(ms);
    packet->rtp.sequence = (uint16_t)sequence;
    ck_reorder_put(reorder, sequence, packet);
    ck_packet_drop(pool, packet);
}

static void test_reorder(void **state)
{
    (void)state;
    static struct line line;
    struct ck_packet_pool *pool = NULL;
    struct ck_reorder reorder;
    memset(&line, 0, sizeof line);
    assert_int_equal(ck_packet_pool_create(&pool, 2048), 0);
    ck_reorder_init(&reorder, pool, stand, &line);
    put(&reorder, pool, 65535, 0);
    put(&reorder, pool, 65537, 10); /* 65536 is late */
    put(&reorder, pool, 65538, 20);
    assert_int_equal(line.count, 1);
    put(&reorder, pool, 65536, 30);
    assert_int_equal(line.count, 4);
    put(&reorder, pool, 65536, 40); /* a double */
    put(&reorder, pool, 65530, 40); /* older than what went out */
    assert_int_equal(line.count, 4);
    put(&reorder, pool, 65540, 50); /* 65539 never comes */
    put(&reorder, pool, 65540, 51);
    ck_reorder_tick(&reorder, at_ms(50 + CK_REORDER_WAIT_MS - 1));
    assert_int_equal(line.count, 4);
    ck_reorder_tick(&reorder, at_ms(50 + CK_REORDER_WAIT_MS));
    assert_int_equal(line.count, 5);
    assert_int_equal(line.sequences[4], 4);
    put(&reorder, pool, 65539, 900); /* too late */
    assert_int_equal(line.count, 5);
    put(&reorder, pool, 65540 + 100000, 910); /* the sender jumped */
    assert_int_equal(line.count, 6);
    put(&reorder, pool, 65540 + 100002, 920);
    ck_reorder_flush(&reorder);
    assert_int_equal(line.count, 7);
    assert_int_equal(ck_packet_pool_used(pool), 0);
    ck_packet_pool_destroy(pool);
}

/* More waits than there are places: the oldest hole is given up. */
static void test_reorder_overflow(void **state)
{
    (void)state;
    static struct line line;
    struct ck_packet_pool *pool = NULL;
    struct ck_reorder reorder;
    memset(&line, 0, sizeof line);
    assert_int_equal(ck_packet_pool_create(&pool, 4096), 0);
    ck_reorder_init(&reorder, pool, stand, &line);
    put(&reorder, pool, 1000, 0);
    for (uint64_t sequence = 1002; sequence < 1002 + 2 * CK_REORDER_SLOTS; sequence++) {
        put(&reorder, pool, sequence, 1);
    }
    assert_int_equal(line.count, 1 + 2 * CK_REORDER_SLOTS);
    for (unsigned i = 2; i < line.count; i++) {
        assert_int_equal(line.sequences[i], line.sequences[i - 1] + 1);
    }
    ck_reorder_flush(&reorder);
    ck_packet_pool_destroy(pool);
}

/* --- key frames
 * -------------------------------------------------------------------------------------- */

static bool frame(struct ck_key_frames *frames, uint64_t sequence, uint32_t timestamp, bool first,
                  bool last, int64_t ms)
{
    struct ck_rtp rtp = {.marker = last, .timestamp = timestamp};
    struct ck_vp8 vp8 = {.key_frame = first, .start = first, .width = 640, .height = 480};
    return ck_key_frames_packet(frames, sequence, &rtp, &vp8, at_ms(ms));
}

static void test_key_frame_is_whole(void **state)
{
    (void)state;
    struct ck_key_frames frames = {0};
    assert_false(frame(&frames, 10, 1, true, false, 0));
    assert_false(frame(&frames, 12, 1, false, true, 1)); /* 11 is missing */
    assert_false(frame(&frames, 13, 2, false, true, 2)); /* the next picture */
    assert_true(frame(&frames, 11, 1, false, false, 3));
    assert_int_equal(frames.whole_count, 1);
    assert_int_equal(frames.width, 640);
    assert_true(frame(&frames, 14, 3, true, true, 4)); /* in one packet */
    assert_false(frame(&frames, 15, 4, false, true, 5));
}

/* The first packet was lost and is there last, behind other pictures: a key frame all the same. */
static void test_key_frame_is_whole_with_its_first_packet(void **state)
{
    (void)state;
    struct ck_key_frames frames = {0};
    assert_false(frame(&frames, 11, 1, false, false, 0));
    assert_false(frame(&frames, 12, 1, false, true, 1));
    for (unsigned i = 0; i < 20; i++) {
        assert_false(frame(&frames, 13 + i, 2 + i, false, true, 2 + i));
    }
    assert_true(frame(&frames, 10, 1, true, false, 300));
    for (unsigned i = 0; i < 2 * CK_KEY_FRAME_PICTURES; i++) { /* too long ago */
        assert_false(frame(&frames, 41 + i, 41 + i, false, true, 400 + i));
        assert_false(frame(&frames, 500 + i, 500 + i, false, true, 400 + i));
    }
    assert_false(frame(&frames, 40, 41, true, false, 3000));
}

/* While one is repaired no other is asked for, but not for ever, and not where it cannot be. */
static void test_key_frame_is_given_time_to_be_repaired(void **state)
{
    (void)state;
    struct ck_key_frames frames = {0};
    ck_key_frames_want(&frames, true);
    assert_true(ck_key_frames_due(&frames, at_ms(0), at_ms(0), false));
    assert_false(frame(&frames, 1, 1, true, false, 300)); /* 2 is missing */
    assert_false(frame(&frames, 3, 1, false, true, 301));
    int64_t ms = 300 + CK_KEY_FRAME_REPAIR_MS;
    assert_false(ck_key_frames_due(&frames, at_ms(ms - 1), at_ms(ms - 1), false));
    assert_true(ck_key_frames_due(&frames, at_ms(ms), at_ms(ms), false));
    assert_false(frame(&frames, 4, 2, true, false, ms + 300));
    ck_key_frames_give_up(&frames);
    assert_true(ck_key_frames_due(&frames, at_ms(ms + CK_KEY_FRAME_REPEAT_MS),
                                  at_ms(ms + CK_KEY_FRAME_REPEAT_MS), false));
    assert_true(frame(&frames, 5, 2, false, true, ms + 600)); /* late, but whole */
}

static void test_key_frame_is_asked_for(void **state)
{
    (void)state;
    struct ck_key_frames frames = {0};
    struct ck_mono heard = at_ms(0);
    assert_false(ck_key_frames_due(&frames, at_ms(0), heard, false));
    ck_key_frames_want(&frames, true);
    assert_true(ck_key_frames_due(&frames, at_ms(0), heard, false)); /* at once */
    assert_false(ck_key_frames_due(&frames, at_ms(CK_KEY_FRAME_REPEAT_MS - 1), heard, false));
    assert_true(
        ck_key_frames_due(&frames, at_ms(CK_KEY_FRAME_REPEAT_MS), heard, false)); /* again */
    assert_true(frame(&frames, 1, 1, true, true, 600));
    assert_false(ck_key_frames_due(&frames, at_ms(2000), heard, false)); /* it came */
    /* Not urgent: one second after the last; urgent: at once. */
    assert_true(frame(&frames, 2, 2, true, true, 1000));
    ck_key_frames_want(&frames, false);
    assert_false(ck_key_frames_due(&frames, at_ms(1999), heard, false));
    ck_key_frames_want(&frames, true);
    assert_true(ck_key_frames_due(&frames, at_ms(1999), heard, false));
    /* A recorded one every ten seconds. */
    assert_true(frame(&frames, 3, 3, true, true, 2000));
    heard = at_ms(2000 + CK_KEY_FRAME_RECORD_MS);
    assert_false(ck_key_frames_due(&frames, heard, heard, false));
    assert_true(ck_key_frames_due(&frames, heard, heard, true));
    /* Who sends nothing is not asked. */
    ck_key_frames_want(&frames, true);
    assert_false(ck_key_frames_due(&frames, at_ms(60000), heard, true));
}

/* Somebody joined while a key frame was coming in: they have missed its beginning, so it does not
 * count for them. */
static void test_key_frame_under_way_is_not_enough(void **state)
{
    (void)state;
    struct ck_key_frames frames = {0};
    assert_false(frame(&frames, 1, 1, true, false, 0));
    ck_key_frames_want(&frames, true);
    assert_false(frame(&frames, 2, 1, false, true, 1));
    assert_true(ck_key_frames_due(&frames, at_ms(2), at_ms(1), false));
}

/* --- sender
 * ------------------------------------------------------------------------------------------ */

static void test_sender_numbers_without_a_break(void **state)
{
    (void)state;
    struct ck_packet_pool *pool = NULL;
    struct ck_sender sender;
    uint64_t sequence = 0;
    uint32_t timestamp = 0;
    assert_int_equal(ck_packet_pool_create(&pool, 64), 0);
    assert_int_equal(ck_sender_init(&sender, pool, true, 96, 5, 65000, 1000), 0);
    assert_true(sender.highest < 32768);
    uint64_t first = sender.highest + 1;
    assert_true(ck_sender_map(&sender, 1, false, 70000, 5000, at_ms(0), &sequence, &timestamp));
    assert_int_equal(sequence, first);
    uint32_t began = timestamp;
    assert_true(ck_sender_map(&sender, 1, false, 70002, 8000, at_ms(33), &sequence, &timestamp));
    assert_int_equal(sequence,
                     first + 2); /* a hole of the feed is a hole of ours: it may be filled */
    assert_int_equal(timestamp - began, 3000);
    assert_true(ck_sender_map(&sender, 1, false, 70001, 5000, at_ms(34), &sequence, &timestamp));
    assert_int_equal(sequence, first + 1);
    /* Left out on purpose: the numbers close up, the clock goes on. */
    assert_true(ck_sender_map(&sender, 1, true, 70100, 98000, at_ms(1033), &sequence, &timestamp));
    assert_int_equal(sequence, first + 3);
    assert_int_equal(timestamp - began, 93000);
    assert_false(ck_sender_map(&sender, 1, false, 70050, 8000, at_ms(1034), &sequence, &timestamp));
    /* Another feed with another clock: one second later is one second later. */
    assert_true(ck_sender_map(&sender, 2, false, 7, 1, at_ms(2033), &sequence, &timestamp));
    assert_int_equal(sequence, first + 4);
    assert_int_equal(timestamp - began, 93000 + 90000);
    ck_sender_deinit(&sender);
    ck_packet_pool_destroy(pool);
}

/* One report of ours tells of the downlink once: a browser that gets no further one goes on to name
 * it, and that is no news. */
static void test_sender_is_reported_on(void **state)
{
    (void)state;
    struct ck_sender sender = {0};
    struct ck_rtcp_report report = {.lost = -3, .fraction_lost = 64, .jitter = 9};
    uint64_t sent = ck_ntp_of_us(1700000000000000);
    bool news = false;
    assert_false(ck_sender_reported(&sender, &report, sent, &news)); /* it has heard none of ours */
    report.last_sr = (uint32_t)(sent >> 16);
    report.delay = 1 << 16;
    assert_true(ck_sender_reported(&sender, &report, sent + (UINT64_C(5) << 30), &news));
    assert_true(news);
    assert_int_equal(sender.rtt_us, 250000);
    report.delay = 2 << 16;
    assert_true(ck_sender_reported(&sender, &report, sent + (UINT64_C(10) << 30), &news));
    assert_false(news);
    assert_int_equal(sender.rtt_us, 500000);
    report.last_sr += 1 << 16;
    report.delay = 0;
    assert_true(ck_sender_reported(&sender, &report, sent + (UINT64_C(10) << 30), &news));
    assert_true(news);
    assert_false(ck_sender_reported(&sender, &report, sent + (UINT64_C(12) << 32), &news));
    assert_false(ck_sender_reported(&sender, &report, sent, &news)); /* from before it was sent */
    assert_int_equal(sender.rtt_us, 1500000);
    assert_int_equal(sender.reported_lost, 0);
    assert_int_equal(sender.interval_lost, 6 * 64);
    assert_int_equal(sender.interval_reports, 6);
}

static void test_sender_repeats(void **state)
{
    (void)state;
    struct ck_packet_pool *pool = NULL;
    struct ck_sender sender;
    static struct ck_packet *packets[1000];
    assert_int_equal(ck_packet_pool_create(&pool, 2048), 0);
    assert_int_equal(ck_sender_init(&sender, pool, true, 96, 5, 100, 0), 0);
    sender.rtt_us = 50000;
    for (unsigned i = 0; i < 1000; i++) {
        sender.highest = 101 + i;
        packets[i] = ck_packet_get(pool);
        ck_sender_keep(&sender, 101 + i, i, packets[i], at_ms(i), i == 899);
        ck_packet_drop(pool, packets[i]);
    }
    assert_true(ck_packet_pool_used(pool) <= CK_SENDER_RING_VIDEO); /* the old ones are gone, */
    struct ck_mono now = at_ms(1000);
    assert_null(ck_sender_again(&sender, 101, now));
    assert_ptr_equal(ck_sender_again(&sender, 1000, now)->packet, packets[899]);
    assert_null(ck_sender_again(&sender, 1000, at_ms(1049))); /* once a round trip */
    const struct ck_sent *again = ck_sender_again(&sender, 1000, at_ms(1050));
    assert_ptr_equal(again->packet, packets[899]);
    assert_int_equal(again->timestamp, 899);
    assert_true(again->full);
    assert_null(ck_sender_again(&sender, 5000, now)); /* never sent */
    assert_int_equal(sender.again, 2);
    /* and with time even the young ones: nothing is kept for longer than it may be asked for. */
    struct ck_packet *last = ck_packet_get(pool);
    sender.highest++;
    ck_sender_keep(&sender, sender.highest, 0, last, at_ms(1000 + 2 * CK_SENDER_AGE_MAX_MS), false);
    ck_packet_drop(pool, last);
    assert_int_equal(ck_packet_pool_used(pool), 1);
    ck_sender_deinit(&sender);
    assert_int_equal(ck_packet_pool_used(pool), 0);
    ck_packet_pool_destroy(pool);
}

static void test_ntp(void **state)
{
    (void)state;
    assert_true(ck_ntp_of_us(0) == UINT64_C(2208988800) << 32);
    for (int64_t us = 1700000000000000; us < 1700000000000000 + 3000000; us += 33333) {
        int64_t back = ck_us_of_ntp(ck_ntp_of_us(us));
        assert_true(back <= us && back >= us - 1);
    }
}

/* Our report says the same as the source's, in our numbers and at our time. */
static void test_sender_report(void **state)
{
    (void)state;
    struct ck_packet_pool *pool = NULL;
    struct ck_sender sender;
    struct ck_source source;
    struct ck_rtcp_sender report;
    uint64_t sequence = 0;
    uint32_t timestamp = 0;
    assert_int_equal(ck_packet_pool_create(&pool, 64), 0);
    assert_int_equal(ck_sender_init(&sender, pool, false, 111, 5, 1, 777), 0);
    ck_source_init(&source, 9, 48000);
    int64_t theirs_us = 1700000000000000;
    int64_t ours_us = theirs_us + 5000000; /* our clock is 5 s ahead */
    assert_true(ck_sender_map(&sender, 1, false, 1, 96000, at_ms(0), &sequence, &timestamp));
    sender.packets = 1;
    assert_false(ck_sender_report(&sender, &source, 5000000, ck_ntp_of_us(ours_us), &report));
    struct ck_rtcp_sender in = {.ssrc = 9, .ntp = ck_ntp_of_us(theirs_us), .timestamp = 96000};
    ck_source_report_in(&source, &in, at_ms(0));
    assert_true(
        ck_sender_report(&sender, &source, 5000000, ck_ntp_of_us(ours_us + 250000), &report));
    assert_int_equal(report.ssrc, 5);
    assert_in_range(report.timestamp - timestamp, 12000 - 1, 12000 + 1);
    ck_sender_deinit(&sender);
    ck_packet_pool_destroy(pool);
}

/* The bits that leave in `ms`. */
static uint64_t left_in(struct ck_pace *pace, struct ck_packet_pool *pool, int64_t from_ms,
                        int64_t ms)
{
    uint64_t bits = 0;
    for (int64_t at = from_ms; at < from_ms + ms; at += 10) {
        struct ck_paced paced;
        while (ck_pace_take(pace, at_ms(at), &paced)) {
            bits += paced.packet->size * 8;
            ck_packet_drop(pool, paced.packet);
        }
    }
    return bits;
}

static unsigned put_paced(struct ck_pace *pace, struct ck_packet_pool *pool, unsigned count)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < count; i++) {
        struct ck_packet *packet = ck_packet_get(pool);
        packet->size = 1000;
        taken += ck_pace_put(pace, &(struct ck_paced){.packet = packet, .sequence = i});
        ck_packet_drop(pool, packet);
    }
    return taken;
}

/* A key frame of 200 kbit goes out whole over a downlink of 100 kbit/s, in two seconds, and evenly.
 */
static void test_pace(void **state)
{
    (void)state;
    struct ck_packet_pool *pool;
    struct ck_pace pace;
    assert_int_equal(ck_packet_pool_create(&pool, 1000), 0);
    assert_int_equal(ck_pace_init(&pace, pool), 0);
    assert_true(ck_pace_is_open(&pace)); /* nothing known: nothing held back */
    ck_pace_set(&pace, 100000 + CK_PACE_SOUND_BPS);
    assert_false(ck_pace_is_open(&pace));
    assert_int_equal(put_paced(&pace, pool, 25), 25);
    assert_int_equal(ck_pace_wait_us(&pace), 2000000);
    for (int64_t second = 0; second < 2; second++) {
        assert_in_range(left_in(&pace, pool, 1000 * second, 1000), 90000, 110000);
    }
    (void)left_in(&pace, pool, 2000, 100);
    assert_int_equal(pace.count, 0);
    assert_int_equal(pace.waiting_bits, 0);
    /* Never behind what it can send in CK_PACE_WAIT_MAX_MS, a packet more or less. */
    assert_in_range(put_paced(&pace, pool, 200), 50, 52);
    /* What was sent before goes out ahead of it, for a while. */
    assert_true(ck_pace_again(&pace, 8000, at_ms(2200)));
    assert_true(ck_pace_again(&pace, 80000, at_ms(2200)));
    assert_false(ck_pace_again(&pace, 8000, at_ms(2200)));
    assert_int_equal(left_in(&pace, pool, 2210, 500), 0);
    ck_pace_set(&pace, CK_PACE_SOUND_BPS + CK_PACE_PICTURE_BPS - 1);
    assert_true(ck_pace_is_shut(&pace));
    assert_int_equal(put_paced(&pace, pool, 1), 0);
    assert_int_equal(left_in(&pace, pool, 4000, 1000), 0);
    ck_pace_set(&pace, 0); /* nothing known any more: all of it at once */
    assert_in_range(left_in(&pace, pool, 5000, 10), 50 * 8000, 52 * 8000);
    assert_int_equal(put_paced(&pace, pool, 2 * CK_PACE_PACKETS_MAX), CK_PACE_PACKETS_MAX);
    ck_pace_deinit(&pace);
    assert_int_equal(ck_packet_pool_used(pool), 0);
    ck_packet_pool_destroy(pool);
}

/* Whether as much was sent as may be, for a while that says something, and just now. */
static void test_pace_is_full(void **state)
{
    (void)state;
    struct ck_packet_pool *pool;
    struct ck_pace pace;
    assert_int_equal(ck_packet_pool_create(&pool, 1000), 0);
    assert_int_equal(ck_pace_init(&pace, pool), 0);
    ck_pace_set(&pace, 800000 + CK_PACE_SOUND_BPS);
    assert_false(ck_pace_is_full(&pace, at_ms(10)));
    (void)left_in(&pace, pool, 0, 1000);
    assert_int_equal(put_paced(&pace, pool, 8), 8); /* three wait for nothing, the last for 50 ms */
    (void)left_in(&pace, pool, 1000, 1000);
    assert_false(ck_pace_was_full(&pace));
    assert_int_equal(put_paced(&pace, pool, 25), 25);
    (void)left_in(&pace, pool, 2000, 150);
    assert_true(ck_pace_is_full(&pace, at_ms(2150)));
    (void)left_in(&pace, pool, 2150, 850);
    assert_int_equal(pace.count, 0);
    assert_false(ck_pace_is_full(&pace, at_ms(3000)));
    assert_true(ck_pace_was_full(&pace));
    assert_false(ck_pace_was_full(&pace)); /* since then */
    ck_pace_deinit(&pace);
    ck_packet_pool_destroy(pool);
}

/* --- uplink
 * ------------------------------------------------------------------------------------------ */

static void interval(struct ck_uplink *uplink, uint64_t came, uint64_t missed, uint32_t bitrate,
                     int64_t queue_us)
{
    struct ck_uplink_interval what = {
        .came = came, .missed = missed, .bitrate = bitrate, .queue_us = queue_us};
    ck_uplink_interval(uplink, &what);
}

static void test_uplink(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    ck_uplink_init(&uplink, 800000);
    interval(&uplink, 100, 0, 700000, 0);
    assert_int_equal(uplink.allowed, 800000);
    interval(&uplink, 95, 5, 700000, 0);
    assert_int_equal(uplink.allowed, 800000); /* some loss is no reason */
    interval(&uplink, 70, 30, 600000, 0);
    assert_int_equal(uplink.allowed, 600000 - 90000);
    interval(&uplink, 5, 5, 0, 0);
    assert_int_equal(uplink.allowed, 510000); /* too few to say anything */
    for (unsigned i = 0; i < 100; i++) {
        interval(&uplink, 50, 50, uplink.allowed, CK_UPLINK_QUEUE_LOW_US);
    }
    assert_int_equal(uplink.allowed, CK_UPLINK_FLOOR);
    for (unsigned i = 0; i < 100; i++) {
        interval(&uplink, 100, 1, uplink.allowed, 0);
    }
    assert_int_equal(uplink.allowed, 800000);
}

/* A queue that does not go away is told before anything is lost; one that is neither short nor long
 * holds the rate. */
static void test_uplink_follows_the_queue(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    ck_uplink_init(&uplink, 800000);
    interval(&uplink, 100, 0, 400000, CK_UPLINK_QUEUE_HIGH_US);
    assert_int_equal(uplink.allowed, 400000 * 85 / 100);
    interval(&uplink, 100, 0, 300000, CK_UPLINK_QUEUE_LOW_US);
    assert_int_equal(uplink.allowed, 340000);
    interval(&uplink, 100, 0, 300000, CK_UPLINK_QUEUE_LOW_US - 1);
    assert_true(uplink.allowed > 340000);
}

/* Loss that less traffic does not lessen is the radio's: the rate stays up. */
static void test_uplink_puts_up_with_a_lossy_radio(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    ck_uplink_init(&uplink, 800000);
    uint32_t least = 800000;
    for (unsigned i = 0; i < 60; i++) {
        interval(&uplink, 70, 30, uplink.allowed * 7 / 10, 0);
        least = uplink.allowed < least ? uplink.allowed : least;
    }
    assert_true(least >= CK_UPLINK_RADIO_FLOOR);
    /* Loss that goes away with the traffic was ours, and one step is enough. */
    ck_uplink_init(&uplink, 800000);
    interval(&uplink, 20, 80, 150000, 0);
    assert_int_equal(uplink.allowed, 150000 * 60 / 100);
}

/* A queue that does not shrink when less is sent is a longer way, and is told as such. */
static void test_uplink_knows_a_longer_way(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    struct ck_uplink_interval what = {.came = 100, .bitrate = 600000, .queue_us = 150000};
    ck_uplink_init(&uplink, 800000);
    assert_false(ck_uplink_interval(&uplink, &what));
    assert_int_equal(uplink.allowed, 510000);
    what.bitrate = 450000;
    what.queue_us = 60000; /* it shrinks: it was ours */
    assert_false(ck_uplink_interval(&uplink, &what));
    what.queue_us = 150000;
    assert_true(ck_uplink_interval(&uplink, &what));
    assert_int_equal(uplink.allowed, 510000);
    /* So is one that stays as it is, where hardly anything is sent already: after a queue that was
     * longer, and with some loss. */
    ck_uplink_init(&uplink, 800000);
    what = (struct ck_uplink_interval){.came = 100, .bitrate = 30000, .queue_us = 700000};
    assert_false(ck_uplink_interval(&uplink, &what));
    assert_int_equal(uplink.allowed, CK_UPLINK_FLOOR);
    what =
        (struct ck_uplink_interval){.came = 90, .missed = 10, .bitrate = 45000, .queue_us = 317000};
    for (unsigned i = 0; !ck_uplink_interval(&uplink, &what); i++) {
        assert_true(i < 6);
    }
    what = (struct ck_uplink_interval){.came = 100, .queue_us = 150000};
    unsigned intervals = 0;
    ck_uplink_init(&uplink, 800000);
    uplink.allowed = CK_UPLINK_FLOOR;
    what.bitrate = 54000;
    while (!ck_uplink_interval(&uplink, &what)) {
        assert_true(++intervals < 6);
    }
}

/* What was taken for a queue once, and is gone, costs a few seconds: the rate that was good comes
 * back by doubling. */
static void test_uplink_comes_back_from_a_hiccup(void **state)
{
    (void)state;
    struct ck_uplink downlink;
    ck_uplink_init(&downlink, 10000000);
    for (unsigned i = 0; i < 5; i++) {
        interval(&downlink, 100, 0, 800000, 0);
    }
    interval(&downlink, 100, 0, 40000, CK_UPLINK_QUEUE_HIGH_US); /* a stall: hardly anything sent */
    assert_int_equal(downlink.allowed, CK_UPLINK_FLOOR);
    unsigned intervals = 0;
    while (downlink.allowed < 10000000) { /* of which nothing was known before, either */
        interval(&downlink, 100, 0, downlink.allowed, 0);
        assert_true(++intervals <= 7);
    }
}

/* The burst that a picture is fills a short queue and loses the sound behind it: such loss is ours,
 * though no queue stands. */
static void test_uplink_follows_bursts_that_do_not_fit(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    struct ck_uplink_interval what = {.came = 95, .missed = 5, .bitrate = 70000};
    ck_uplink_init(&uplink, 800000);
    uplink.allowed = 90000;
    (void)ck_uplink_interval(&uplink, &what);
    assert_int_equal(uplink.allowed, 90000); /* the radio's */
    what.bursts = true;
    (void)ck_uplink_interval(&uplink, &what);
    assert_int_equal(uplink.allowed, 70000 * 85 / 100);
    what.bitrate = 50000;
    (void)ck_uplink_interval(&uplink, &what); /* it has not been felt yet */
    assert_int_equal(uplink.allowed, 70000 * 85 / 100);
    what = (struct ck_uplink_interval){.came = 99, .missed = 1, .bitrate = 70000, .bursts = true};
    ck_uplink_init(&uplink, 800000);
    (void)ck_uplink_interval(&uplink, &what);
    assert_int_equal(uplink.allowed, 800000); /* so little is nothing */
}

/* A browser that has not heard of a step down sends on as before: what comes out of the full queue
 * stays the same, and so does what is allowed. */
static void test_uplink_is_not_lowered_for_what_was_not_heard(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    ck_uplink_init(&uplink, 800000);
    for (unsigned i = 0; i < 10; i++) {
        interval(&uplink, 20, 80, 100000, 3 * CK_UPLINK_QUEUE_HIGH_US);
        assert_int_equal(uplink.allowed, 85000);
    }
}

/* A step down is given time to be felt: seconds of which nothing is known count, and a way on which
 * most is lost still is not waited for. */
static void test_uplink_waits_no_longer_than_it_has_to(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    ck_uplink_init(&uplink, 800000);
    interval(&uplink, 98, 2, 600000, CK_UPLINK_QUEUE_HIGH_US);
    assert_int_equal(uplink.allowed, 510000);
    interval(&uplink, 90, 10, 500000, CK_UPLINK_QUEUE_HIGH_US);
    assert_int_equal(uplink.allowed, 510000);
    interval(&uplink, 30, 70, 150000, 2 * CK_UPLINK_QUEUE_HIGH_US);
    assert_int_equal(uplink.allowed, 127500);
    for (unsigned i = 0; i < CK_UPLINK_SETTLE; i++) {
        interval(&uplink, 0, 0, 0, -1);
    }
    interval(&uplink, 95, 5, 100000, CK_UPLINK_QUEUE_HIGH_US);
    assert_int_equal(uplink.allowed, 85000);
}

/* A longer way changes nothing in what is lost: a queue that does is one, however little was sent
 * since the last step down. */
static void test_uplink_takes_no_queue_that_loses_for_a_longer_way(void **state)
{
    (void)state;
    struct ck_uplink downlink;
    struct ck_uplink_interval what = {
        .came = 96, .missed = 4, .bitrate = 640000, .queue_us = 260000};
    ck_uplink_init(&downlink, 10000000);
    assert_false(ck_uplink_interval(&downlink, &what));
    what = (struct ck_uplink_interval){
        .came = 80, .missed = 20, .bitrate = 120000, .queue_us = 470000};
    assert_false(ck_uplink_interval(&downlink, &what));
    assert_true(downlink.allowed <= 120000);
    /* Unless as much is lost as before: a longer way that loses. */
    ck_uplink_init(&downlink, 10000000);
    what = (struct ck_uplink_interval){
        .came = 70, .missed = 30, .bitrate = 640000, .queue_us = 150000};
    assert_false(ck_uplink_interval(&downlink, &what));
    what.bitrate = 400000;
    assert_true(ck_uplink_interval(&downlink, &what));
}

/* A queue that has lost most of what was sent: the rate is not gone back to at a bound. */
static void test_uplink_does_not_go_back_to_what_was_lost(void **state)
{
    (void)state;
    struct ck_uplink downlink;
    ck_uplink_init(&downlink, 10000000);
    interval(&downlink, 100, 0, 660000, 0);
    interval(&downlink, 25, 75, 126000, 3 * CK_UPLINK_QUEUE_HIGH_US);
    uint32_t rate = downlink.allowed;
    assert_true(rate <= 126000);
    for (unsigned i = 0; i < 4; i++) {
        interval(&downlink, 100, 0, downlink.allowed, 0);
        assert_true(downlink.allowed <= rate * 5 / 4);
        rate = downlink.allowed;
    }
}

/* Nor where so much is lost that no report on the queue comes through. */
static void test_uplink_does_not_go_back_to_what_was_lost_unseen(void **state)
{
    (void)state;
    struct ck_uplink downlink;
    ck_uplink_init(&downlink, 10000000);
    interval(&downlink, 100, 0, 660000, 0);
    interval(&downlink, 23, 77, 151000, -1);
    assert_true(downlink.allowed <= 151000);
    for (unsigned i = 0; i < 6; i++) {
        interval(&downlink, 100, 0, 45000, 0); /* sound alone has proved nothing */
        assert_true(downlink.allowed <= 151000);
    }
}

/* A rate that was too much twice is not tried again at once, and less and less often. */
static void test_uplink_remembers_a_ceiling(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    unsigned too_much = 0;
    unsigned first_half = 0;
    ck_uplink_init(&uplink, 800000);
    interval(&uplink, 100, 0, 800000, 0);
    for (unsigned i = 0; i < 240; i++) { /* a way that carries 150 kbit/s */
        bool over = uplink.allowed > 150000;
        too_much += over;
        interval(&uplink, 100, 0, over ? 150000 : uplink.allowed,
                 over ? CK_UPLINK_QUEUE_HIGH_US : 0);
        assert_true(i < 10 || uplink.allowed >= CK_UPLINK_TRIAL);
        first_half = i == 119 ? too_much : first_half;
    }
    assert_in_range(first_half, 3, 15);
    assert_true(too_much - first_half <= 14);
    unsigned intervals = 0; /* it carries everything again */
    while (uplink.allowed < 800000) {
        interval(&uplink, 100, 0, uplink.allowed, 0);
        assert_true(++intervals <= CK_UPLINK_CEILING_LAST + 20);
    }
}

/* Where even a small picture is too much, trying it costs sound: it is tried no more than about
 * once a minute in the end. */
static void test_uplink_tries_seldom_what_costs_sound(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    unsigned late = 0;
    ck_uplink_init(&uplink, 800000);
    for (unsigned i = 0; i < 600; i++) { /* a way that carries 60 kbit/s */
        bool over = uplink.allowed > 60000;
        late += over && i >= 300;
        interval(&uplink, 100, 0, over ? 60000 : uplink.allowed,
                 over ? 2 * CK_UPLINK_QUEUE_HIGH_US : 0);
    }
    assert_in_range(late, 1, 8);
}

/* At the floor, where there is no picture and little is heard, the rate of a small picture is tried
 * as soon as the way is quiet. */
static void test_uplink_tries_a_small_picture(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    ck_uplink_init(&uplink, 800000);
    uplink.allowed = CK_UPLINK_FLOOR;
    interval(&uplink, 100, 0, 33000, CK_UPLINK_QUEUE_LOW_US);
    assert_int_equal(uplink.allowed, CK_UPLINK_FLOOR);
    interval(&uplink, 100, 0, 33000, 0);
    assert_int_equal(uplink.allowed, CK_UPLINK_TRIAL);
    assert_true(CK_UPLINK_TRIAL >= CK_PACE_SOUND_BPS + CK_PACE_PICTURE_BPS);
}

/* What a radio loses all the time, with no queue, does not keep the rate down for ever once it was
 * taken down. */
static void test_uplink_comes_back_on_a_lossy_radio(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    unsigned intervals = 0;
    ck_uplink_init(&uplink, 800000);
    interval(&uplink, 85, 15, 700000, 0);
    assert_true(uplink.allowed < 700000);
    while (uplink.allowed < 800000) {
        interval(&uplink, 95, 5, uplink.allowed, 0);
        assert_true(++intervals <= CK_UPLINK_CALM + 10);
    }
    /* One of which no queue is known is left alone. */
    ck_uplink_init(&uplink, 800000);
    interval(&uplink, 85, 15, 700000, 0);
    uint32_t allowed = uplink.allowed;
    for (unsigned i = 0; i < 20; i++) {
        interval(&uplink, 95, 5, uplink.allowed, -1);
    }
    assert_int_equal(uplink.allowed, allowed);
}

/* What a radio loses it loses anywhere; what does not fit is lost behind what fills the way. */
static void test_uplink_knows_what_did_not_fit(void **state)
{
    (void)state;
    struct ck_uplink_places places = {0};
    uint64_t random = 1;
    for (unsigned i = 0; i < 600; i++) { /* a third of all is late, five in a hundred are lost */
        for (unsigned packet = 0; packet < 120; packet++) {
            random = random * 6364136223846793005U + 1442695040888963407U;
            struct ck_uplink_place *place =
                random >> 33 & 1 && random >> 34 & 1 ? &places.behind : &places.elsewhere;
            bool lost = (random >> 40) % 20 == 0;
            place->came += !lost;
            place->missed += lost;
        }
        assert_false(ck_uplink_did_not_fit(&places));
    }
    places =
        (struct ck_uplink_places){.behind = {.came = 20, .missed = 4}, .elsewhere = {.came = 60}};
    assert_false(ck_uplink_did_not_fit(&places)); /* so few are chance */
    places.behind.came = 20;
    places.behind.missed = 4;
    places.elsewhere.came = 60;
    assert_true(ck_uplink_did_not_fit(&places));
    places.elsewhere.came = 60;
    assert_false(ck_uplink_did_not_fit(&places)); /* nothing was missed this time */
    /* Where nearly all came behind a queue there is nothing to compare with, and much was too much.
     */
    places = (struct ck_uplink_places){.behind = {.came = 80, .missed = 20}};
    assert_true(ck_uplink_did_not_fit(&places));
    places = (struct ck_uplink_places){.behind = {.came = 95, .missed = 5}};
    assert_false(ck_uplink_did_not_fit(&places));
}

/* Sound alone in long packets, or of one who pauses, is too few packets to judge by in a second:
 * together they let the picture be tried again once the way is quiet. */
static void test_uplink_tries_a_picture_on_little_sound(void **state)
{
    (void)state;
    static const unsigned a_second[] = {16, 3}; /* of 60 ms; pauses alone */
    for (unsigned i = 0; i < 2; i++) {
        struct ck_uplink uplink;
        ck_uplink_init(&uplink, 800000);
        uplink.allowed = CK_UPLINK_FLOOR;
        for (unsigned n = 0; n < 20; n++) { /* as long as a queue stands it is not */
            interval(&uplink, a_second[i], 0, 20000, n % 2 == 0 ? 2 * CK_UPLINK_QUEUE_LOW_US : 0);
            assert_int_equal(uplink.allowed, CK_UPLINK_FLOOR);
        }
        for (unsigned n = 0; uplink.allowed < CK_UPLINK_TRIAL; n++) {
            interval(&uplink, a_second[i], 0, 20000, 0);
            assert_true(n <= 2 * CK_UPLINK_GATHER_MAX);
        }
    }
}

/* Up to a ceiling the rate comes back at once, and over it bit by bit: no step is larger than a
 * twelfth, and a fifth once it has been calm for a while. */
static void test_uplink_is_raised_bit_by_bit(void **state)
{
    (void)state;
    struct ck_uplink uplink;
    ck_uplink_init(&uplink, 800000);
    interval(&uplink, 100, 0, 300000, 0);
    interval(&uplink, 80, 20, 200000, CK_UPLINK_QUEUE_HIGH_US); /* all there is */
    uplink.allowed = uplink.good = 90000;
    unsigned steps = 0;
    while (uplink.allowed < 400000) {
        uint32_t before = uplink.allowed;
        interval(&uplink, 100, 0, uplink.allowed, 0);
        uint32_t step = uplink.allowed - before;
        assert_true(step <= before / 5 + 1000);
        assert_true(before > 250000 || step <= before / 12 + 1000);
        assert_true(++steps < 30);
    }
    assert_true(steps >= 6);
}

/* A picture that is not made less for a downlink goes out as a key frame every other second, and
 * nothing behind it: while it did it filled what was allowed, and that is what is proved, not the
 * mean of a second. */
static void test_downlink_is_proved_while_it_is_full(void **state)
{
    (void)state;
    struct ck_uplink downlink;
    unsigned intervals = 0;
    ck_uplink_init(&downlink, 10000000);
    for (unsigned i = 0; i < 5; i++) {
        ck_uplink_unheard(&downlink, 600000);
    }
    while (downlink.allowed < 600000) {
        struct ck_uplink_interval what = {.came = 512, .bitrate = 45000};
        if (intervals % 2 == 0) {
            uint32_t room =
                downlink.allowed > CK_PACE_SOUND_BPS ? downlink.allowed - CK_PACE_SOUND_BPS : 0;
            what.bitrate += room < 80000 ? room : 80000;
            what.full = room > 0;
        }
        (void)ck_uplink_interval(&downlink, &what);
        assert_true(++intervals < 30);
    }
}

/* A browser's own estimate is followed down, but half of what is sent at a time. */
static void test_downlink_is_told(void **state)
{
    (void)state;
    struct ck_uplink downlink;
    ck_uplink_init(&downlink, 10000000);
    ck_uplink_told(&downlink, 6000, 600000);
    assert_int_equal(downlink.allowed, 300000);
    ck_uplink_told(&downlink, 250000, 300000);
    assert_int_equal(downlink.allowed, 250000);
    ck_uplink_told(&downlink, 400000, 300000);
    assert_int_equal(downlink.allowed, 250000);
}

static void test_downlink_of_which_nothing_is_heard(void **state)
{
    (void)state;
    struct ck_uplink downlink;
    ck_uplink_init(&downlink, 10000000);
    ck_uplink_unheard(&downlink, 600000);
    assert_int_equal(downlink.allowed, 300000);
    for (unsigned i = 0; i < 10; i++) {
        ck_uplink_unheard(&downlink, 600000);
    }
    assert_int_equal(downlink.allowed, CK_UPLINK_FLOOR);
}

static void test_transit_sees_the_standing_queue(void **state)
{
    (void)state;
    struct ck_transit transit;
    ck_transit_init(&transit, 90000);
    assert_int_equal(ck_transit_queue_us(&transit), -1);
    uint32_t timestamp = UINT32_MAX - 90000; /* the circle closes on the way */
    int64_t ms = 0;
    for (unsigned i = 0; i < 30; i++, ms += 33, timestamp += 33 * 90) {
        ck_transit_packet(&transit, timestamp, at_ms(ms + (i % 3) * 40)); /* bursts */
    }
    assert_int_equal(ck_transit_queue_us(&transit), 0);
    assert_int_equal(ck_transit_queue_us(&transit), -1); /* nothing since */
    for (unsigned i = 0; i < 30; i++, ms += 33, timestamp += 33 * 90) {
        ck_transit_packet(&transit, timestamp, at_ms(ms + 100 + (i % 3) * 40));
    }
    assert_in_range(ck_transit_queue_us(&transit), 99000, 101000);
    timestamp += 90 * 60000; /* the clock jumps: it begins anew */
    ck_transit_packet(&transit, timestamp, at_ms(ms));
    assert_int_equal(ck_transit_queue_us(&transit), 0);
}

/* A second later, that much of a queue on a way of 20 ms. */
static void seen(struct ck_transit *trip, int64_t queue_ms, int64_t *ms)
{
    *ms += 1000;
    ck_transit_sample(trip, 20000 + queue_ms * 1000, at_ms(*ms));
}

/* A longer way is no queue: after the memory is over it counts as the way. */
static void test_transit_forgets_what_is_seen_no_more(void **state)
{
    (void)state;
    struct ck_transit trip = {0};
    int64_t ms = 0;
    seen(&trip, 0, &ms);
    assert_int_equal(ck_transit_seen_us(&trip, false, 80000), 0);
    seen(&trip, 200, &ms);
    assert_int_equal(ck_transit_seen_us(&trip, false, 80000), 0); /* late once */
    seen(&trip, 150, &ms);
    assert_int_equal(ck_transit_seen_us(&trip, false, 80000), 150000);
    assert_int_equal(ck_transit_seen_us(&trip, false, 80000), -1);
    for (unsigned i = 2; i < CK_TRANSIT_SEEN_INTERVALS; i++) {
        assert_int_equal(ck_transit_seen_us(&trip, true, 80000), 150000);
    }
    for (unsigned i = 0; i < CK_TRANSIT_SEEN_INTERVALS; i++) {
        assert_int_equal(ck_transit_seen_us(&trip, true, 80000), -1);
    }
    seen(&trip, 200, &ms);
    assert_int_equal(ck_transit_seen_us(&trip, false, 80000), 0); /* as the first time */
    /* What was seen on a way that turns out to be longer was no queue, and does not stand. */
    seen(&trip, 200, &ms);
    assert_int_equal(ck_transit_seen_us(&trip, true, 80000), 200000);
    ck_transit_rebase(&trip);
    assert_int_equal(ck_transit_seen_us(&trip, true, 80000), -1);
}

static void test_allowed_is_not_said_again_without_end(void **state)
{
    (void)state;
    struct ck_allowed said = {0};
    unsigned times[3] = {0};
    static const uint32_t allowed[] = {300000, 200000, CK_UPLINK_FLOOR};
    for (int64_t ms = 0; ms < 9000; ms += 20) {
        size_t i = (size_t)ms / 3000;
        if (ck_allowed_due(&said, allowed[i], at_ms(ms))) {
            ck_allowed_said(&said, allowed[i], at_ms(ms));
            times[i]++;
        }
    }
    assert_int_equal(times[0], 1 + CK_ALLOWED_AGAIN_MAX);
    assert_int_equal(times[1], 1 + CK_ALLOWED_AGAIN_MAX);
    assert_int_equal(times[2], 0);
}

/* While it falls each value is said as soon as a tenth of a second is over since the one before,
 * and said again: the first that come through count. */
static void test_allowed_is_said_at_once_while_it_falls(void **state)
{
    (void)state;
    struct ck_allowed said = {0};
    for (int64_t ms = 0; ms < 3000; ms += 10) {
        uint32_t allowed = 800000 - (uint32_t)(ms / 250) * 50000;
        if (ck_allowed_due(&said, allowed, at_ms(ms))) {
            ck_allowed_said(&said, allowed, at_ms(ms));
        }
        assert_true(said.told == allowed || ms % 250 < CK_ALLOWED_AGAIN_MS);
        assert_true(said.told != allowed || said.again >= (unsigned)(ms % 250) / 200);
    }
}

static void test_transit_forgets(void **state)
{
    (void)state;
    struct ck_transit transit = {0};
    int64_t queue = 0;
    ck_transit_sample(&transit, 20000, at_ms(0));
    assert_int_equal(ck_transit_queue_us(&transit), 0);
    for (int64_t ms = 1000; ms < 60000; ms += 1000) {
        ck_transit_sample(&transit, 150000, at_ms(ms));
        queue = ck_transit_queue_us(&transit);
        assert_true(ms > CK_TRANSIT_MEMORY_US / 1000 || queue == 130000);
    }
    assert_int_equal(queue, 0);
}

/* --- arrivals
 * ----------------------------------------------------------------------------------------- */

static void test_arrivals(void **state)
{
    (void)state;
    struct ck_arrivals arrivals = {0};
    int64_t at_us[CK_RTCP_ARRIVALS_MAX];
    uint16_t base = 0;
    uint8_t report = 99;
    assert_int_equal(ck_arrivals_report(&arrivals, &base, at_us, &report), 0);
    ck_arrivals_packet(&arrivals, 65534, at_ms(1));
    ck_arrivals_packet(&arrivals, 65535, at_ms(2));
    ck_arrivals_packet(&arrivals, 2, at_ms(3));
    assert_int_equal(ck_arrivals_report(&arrivals, &base, at_us, &report), 5);
    assert_int_equal(base, 65534);
    assert_int_equal(report, 0);
    assert_int_equal(at_us[1], at_ms(2).us);
    assert_true(at_us[2] == CK_RTCP_NOT_COME && at_us[3] == CK_RTCP_NOT_COME);
    assert_int_equal(at_us[4], at_ms(3).us);
    assert_int_equal(ck_arrivals_report(&arrivals, &base, at_us, &report), 0);
    ck_arrivals_packet(&arrivals, 1, at_ms(4)); /* after it was told missing */
    ck_arrivals_packet(&arrivals, 1, at_ms(5)); /* and once more */
    assert_int_equal(ck_arrivals_report(&arrivals, &base, at_us, &report), 2);
    assert_int_equal(base, 1);
    assert_int_equal(report, 1);
    assert_int_equal(at_us[0], at_ms(4).us);
    ck_arrivals_packet(&arrivals, 30000, at_ms(6)); /* a hole wider than one message */
    unsigned messages = 0;
    bool told = false;
    for (unsigned i = 0; i < 10; i++) {
        unsigned count = ck_arrivals_report(&arrivals, &base, at_us, &report);
        messages += count > 0;
        told = told || (count > 0 && at_us[count - 1] == at_ms(6).us);
    }
    assert_int_equal(messages, 1);
    assert_true(told);
}

/* --- known numbers
 * ------------------------------------------------------------------------------------ */

/* What came by retransmission counts once, whichever way was faster. */
static void test_source_knows_what_came(void **state)
{
    (void)state;
    struct ck_source source;
    uint64_t first = 0;
    uint64_t extended = 0;
    ck_source_init(&source, 1, 8000);
    struct ck_rtp repaired = {.sequence = 65535, .payload_size = 10};
    assert_false(ck_source_repaired(&source, &repaired, &extended));
    (void)take(&source, 65534, &first);
    assert_true(ck_source_is_new(&source, first));
    (void)take(&source, 1, &extended);
    assert_true(ck_source_is_new(&source, extended));
    assert_true(ck_source_repaired(&source, &repaired, &extended));
    assert_int_equal(extended, first + 1);
    assert_true(ck_source_is_new(&source, extended));
    assert_false(ck_source_is_new(&source, extended));
    assert_int_equal(ck_source_lost(&source), 2); /* the network lost it all the same */
    assert_int_equal(source.bytes, 30);
    assert_true(ck_source_is_new(&source, first + 5 * CK_SOURCE_WINDOW));
    assert_true(ck_source_is_new(&source, first + 4 * CK_SOURCE_WINDOW + 1));
    assert_false(ck_source_is_new(&source, first + 4 * CK_SOURCE_WINDOW)); /* too old to tell */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_counts_over_the_wrap),
        cmocka_unit_test(test_source_reports),
        cmocka_unit_test(test_source_jitter),
        cmocka_unit_test(test_missing_waits_asks_and_gives_up),
        cmocka_unit_test(test_missing_comes_bit_by_bit),
        cmocka_unit_test(test_missing_takes_turns),
        cmocka_unit_test(test_missing_tries_are_limited),
        cmocka_unit_test(test_missing_too_many),
        cmocka_unit_test(test_reorder),
        cmocka_unit_test(test_reorder_overflow),
        cmocka_unit_test(test_key_frame_is_whole),
        cmocka_unit_test(test_key_frame_is_whole_with_its_first_packet),
        cmocka_unit_test(test_key_frame_is_given_time_to_be_repaired),
        cmocka_unit_test(test_key_frame_is_asked_for),
        cmocka_unit_test(test_key_frame_under_way_is_not_enough),
        cmocka_unit_test(test_sender_numbers_without_a_break),
        cmocka_unit_test(test_sender_is_reported_on),
        cmocka_unit_test(test_sender_repeats),
        cmocka_unit_test(test_ntp),
        cmocka_unit_test(test_sender_report),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_pace_is_full),
        cmocka_unit_test(test_uplink),
        cmocka_unit_test(test_uplink_follows_the_queue),
        cmocka_unit_test(test_uplink_puts_up_with_a_lossy_radio),
        cmocka_unit_test(test_uplink_knows_a_longer_way),
        cmocka_unit_test(test_uplink_comes_back_from_a_hiccup),
        cmocka_unit_test(test_uplink_follows_bursts_that_do_not_fit),
        cmocka_unit_test(test_uplink_is_not_lowered_for_what_was_not_heard),
        cmocka_unit_test(test_uplink_waits_no_longer_than_it_has_to),
        cmocka_unit_test(test_uplink_takes_no_queue_that_loses_for_a_longer_way),
        cmocka_unit_test(test_uplink_does_not_go_back_to_what_was_lost),
        cmocka_unit_test(test_uplink_does_not_go_back_to_what_was_lost_unseen),
        cmocka_unit_test(test_uplink_remembers_a_ceiling),
        cmocka_unit_test(test_uplink_tries_seldom_what_costs_sound),
        cmocka_unit_test(test_uplink_tries_a_small_picture),
        cmocka_unit_test(test_uplink_comes_back_on_a_lossy_radio),
        cmocka_unit_test(test_uplink_knows_what_did_not_fit),
        cmocka_unit_test(test_uplink_tries_a_picture_on_little_sound),
        cmocka_unit_test(test_uplink_is_raised_bit_by_bit),
        cmocka_unit_test(test_downlink_is_proved_while_it_is_full),
        cmocka_unit_test(test_downlink_is_told),
        cmocka_unit_test(test_downlink_of_which_nothing_is_heard),
        cmocka_unit_test(test_transit_sees_the_standing_queue),
        cmocka_unit_test(test_transit_forgets),
        cmocka_unit_test(test_transit_forgets_what_is_seen_no_more),
        cmocka_unit_test(test_allowed_is_not_said_again_without_end),
        cmocka_unit_test(test_allowed_is_said_at_once_while_it_falls),
        cmocka_unit_test(test_arrivals),
        cmocka_unit_test(test_source_knows_what_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
