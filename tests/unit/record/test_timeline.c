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
    const struct ck_timeline_packet packet = {
        .source = (enum ck_seal_source_kind)source,
        .ssrc = ssrc,
        .rtp = offset + (uint32_t)sent_ms * per_ms,
        .arrival = arrival,
    };
    return ck_timeline_place(timeline, &packet, broken) / 1000;
}

static struct ck_timeline begin(void)
{
    struct ck_timeline timeline;
    ck_timeline_init(&timeline, (struct ck_mono){START_US}, 0);
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

/* --- clocks that stand still, and queues
 * ---------------------------------------------------------- */

/* A sender and what it did to its clocks; frames of both media, sound each 20 ms, picture each 40.
 */
struct world {
    struct ck_timeline timeline;
    int64_t now_ms;
    int64_t delay_ms;
    int64_t held_ms[2];  /* at the sender, before it goes on its way */
    int64_t clock_ms[2]; /* the RTP clock is off by this, */
    int64_t ntp_ms;      /* and the wall clock */
    int64_t place_ms[2]; /* where the last frame was put */
    unsigned breaks[2];
    bool silent[2];
    bool reports;
};

static void one_frame(struct world *world, int source)
{
    enum ck_timeline_break broken;
    if (!world->silent[source]) {
        world->place_ms[source] =
            place_ms(&world->timeline, source, 1 + (uint32_t)source,
                     world->now_ms - world->held_ms[source] + world->clock_ms[source], 0xFFFFF000u,
                     world->now_ms + world->delay_ms, &broken);
        world->breaks[source] += broken == CK_TIMELINE_JUMP;
    }
}

static void one_report(struct world *world, int source)
{
    uint32_t per_ms = source == CK_SEAL_AUDIO ? 48 : 90;
    if (world->reports && !world->silent[source]) {
        ck_timeline_report(&world->timeline, (enum ck_seal_source_kind)source, 1 + (uint32_t)source,
                           0xFFFFF000u +
                               (uint32_t)(world->now_ms + world->clock_ms[source]) * per_ms,
                           NTP(world->now_ms + world->ntp_ms));
    }
}

static void live(struct world *world, int64_t ms)
{
    for (int64_t until = world->now_ms + ms; world->now_ms < until; world->now_ms += 20) {
        one_frame(world, CK_SEAL_AUDIO);
        if (world->now_ms % 40 == 0) {
            one_frame(world, CK_SEAL_VIDEO);
        }
        if (world->now_ms % 1000 == 980) {
            one_report(world, CK_SEAL_VIDEO);
        }
        if (world->now_ms % 5000 == 4980) {
            one_report(world, CK_SEAL_AUDIO);
        }
    }
}

static struct world world_of(bool reports)
{
    return (struct world){.timeline = begin(), .delay_ms = 50, .reports = reports};
}

/* Both frames of the last instant lie where it is now, and with each other. */
static void assert_in_place(const struct world *world)
{
    int64_t due_ms = (world->now_ms - 20) / 40 * 40 + world->delay_ms;
    int64_t audio_ms = world->place_ms[CK_SEAL_AUDIO] - (world->now_ms - 20) % 40;
    assert_in_range(audio_ms, due_ms - 1, due_ms + 1);
    assert_in_range(world->place_ms[CK_SEAL_VIDEO], due_ms - 1, due_ms + 1);
}

static void a_clock_that_stood_still_is_moved_on(void **state)
{
    (void)state;
    struct ck_timeline timeline = begin();
    enum ck_timeline_break broken;
    int64_t ms = 0;
    for (int64_t at = 0; at < 10000; at += 20) {
        ms = place_ms(&timeline, CK_SEAL_AUDIO, 1, at, 0, at < 3000 ? at : at + 5000, &broken);
        if (at >= 3000 + CK_TIMELINE_SETTLE_US / 1000) {
            assert_int_equal(ms, at + 5000);
        }
    }
}

/* A device that slept: all its clocks stood still. Sound and picture are moved by the same, at once
 * when it is clear that no queue drains. */
static void a_device_that_slept_is_moved_on_with_lips_in_sync(void **state)
{
    (void)state;
    for (int reports = 0; reports < 2; reports++) {
        struct world world = world_of(reports != 0);
        live(&world, 8000);
        world.now_ms += 5000;
        world.ntp_ms -= 5000;
        world.clock_ms[0] -= 5000;
        world.clock_ms[1] -= 5000;
        live(&world, 400);
        assert_in_place(&world);
        live(&world, 8000);
        assert_in_place(&world);
        assert_int_equal(world.breaks[CK_SEAL_AUDIO], 1);
        assert_int_equal(world.breaks[CK_SEAL_VIDEO], 1);
    }
}

/* The clock of the sound counts samples and stands still with them; that of the picture goes on. */
static void sound_whose_clock_alone_stood_still_is_moved_alone(void **state)
{
    (void)state;
    for (int reports = 0; reports < 2; reports++) {
        struct world world = world_of(reports != 0);
        live(&world, 8000);
        world.now_ms += 5000; /* nothing is sent */
        world.clock_ms[CK_SEAL_AUDIO] -= 5000;
        live(&world, 400);
        assert_in_place(&world);
        world.silent[CK_SEAL_AUDIO] = true; /* a microphone that is changed */
        live(&world, 3000);
        world.silent[CK_SEAL_AUDIO] = false;
        world.clock_ms[CK_SEAL_AUDIO] -= 3000;
        live(&world, 400);
        assert_in_place(&world);
        live(&world, 12000);
        assert_in_place(&world);
        assert_int_equal(world.breaks[CK_SEAL_AUDIO], 2);
        assert_int_equal(world.breaks[CK_SEAL_VIDEO], 0);
    }
}

/* A picture that comes late may have waited at the sender: its report says which it is. */
static void a_picture_that_is_late_alone_is_judged_by_its_report(void **state)
{
    (void)state;
    struct world clock = world_of(true);
    live(&clock, 8000);
    clock.silent[CK_SEAL_VIDEO] = true;
    live(&clock, 1500);
    clock.silent[CK_SEAL_VIDEO] = false;
    clock.clock_ms[CK_SEAL_VIDEO] -= 1500;
    live(&clock, 1200);
    assert_in_place(&clock);
    assert_int_equal(clock.breaks[CK_SEAL_VIDEO], 1);
    assert_int_equal(clock.breaks[CK_SEAL_AUDIO], 0);
    struct world held = world_of(true);
    live(&held, 8000);
    held.silent[CK_SEAL_VIDEO] = true;
    live(&held, 880);
    held.silent[CK_SEAL_VIDEO] = false;
    held.held_ms[CK_SEAL_VIDEO] = 880;
    live(&held, 6000);
    held.place_ms[CK_SEAL_VIDEO] += 880;
    assert_in_place(&held);
    assert_int_equal(held.breaks[CK_SEAL_AUDIO] + held.breaks[CK_SEAL_VIDEO], 0);
}

/* A narrow road with a deep queue: `bits` a second, one packet after the other. */
struct road {
    int64_t bits;
    int64_t free_us; /* when its last packet has left */
};

static int64_t over(struct road *road, int64_t sent_ms, int64_t bytes)
{
    int64_t from_us = sent_ms * 1000 > road->free_us ? sent_ms * 1000 : road->free_us;
    road->free_us = from_us + bytes * 8 * 1000000 / road->bits;
    return road->free_us / 1000 + 150;
}

/* One second's traffic, with a large picture at its begin and reports at its end; everything goes
 * through the queue. Gives how late the last sound was. */
static int64_t crowded_second(struct world *world, struct road *road, int64_t picture_bytes)
{
    int64_t late_ms = 0;
    for (int i = 0; i < 50; i++, world->now_ms += 20) {
        if (i % 5 == 0) {
            int64_t bytes = i == 0 ? picture_bytes * 5 : picture_bytes;
            world->delay_ms = over(road, world->now_ms, bytes) - world->now_ms;
            one_frame(world, CK_SEAL_VIDEO);
        }
        world->delay_ms = over(road, world->now_ms, 120) - world->now_ms;
        late_ms = world->delay_ms - 150;
        one_frame(world, CK_SEAL_AUDIO);
        if (i % 5 == 0) {
            int64_t apart_ms = world->place_ms[0] - world->place_ms[1];
            assert_in_range(apart_ms + 40, 0, 80);
        }
    }
    if (world->now_ms % 5000 == 0) {
        one_report(world, CK_SEAL_AUDIO);
    }
    one_report(world, CK_SEAL_VIDEO);
    return late_ms;
}

/* Seconds of queue come and go, from before the recording's begin on: nothing is taken for a clock,
 * and lips stay in sync. */
static void a_queue_of_seconds_moves_nothing(void **state)
{
    (void)state;
    struct world world = world_of(true);
    struct road road = {.bits = 150000, .free_us = 900000}; /* full from the start */
    int64_t most_ms = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 12; i++) { /* more than it carries */
            int64_t late_ms = crowded_second(&world, &road, 1300);
            most_ms = late_ms > most_ms ? late_ms : most_ms;
        }
        for (int i = 0; i < 13; i++) { /* less */
            crowded_second(&world, &road, 300);
        }
    }
    assert_true(most_ms > 3000);
    assert_int_equal(world.breaks[CK_SEAL_AUDIO], 0);
    assert_int_equal(world.breaks[CK_SEAL_VIDEO], 0);
}

/* Clocks that run 5 % too fast or too slow: the file stays within seconds of what happened, and
 * lips stay in sync. */
static void a_clock_that_runs_wrong_is_kept_in_bounds(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct world world = world_of(true);
        live(&world, 6000);
        while (world.now_ms < 600000) {
            live(&world, 40);
            world.clock_ms[0] += 2 * sign;
            world.clock_ms[1] += 2 * sign;
            world.ntp_ms += 2 * sign;
            int64_t ahead_ms = world.place_ms[CK_SEAL_AUDIO] - (world.now_ms + world.delay_ms);
            assert_true(ahead_ms <= CK_TIMELINE_AHEAD_US / 1000);
            assert_true(-ahead_ms <= CK_TIMELINE_LATE_US / 1000 + 60); /* and the last frame */
            int64_t apart_ms = world.place_ms[0] - world.place_ms[1];
            assert_in_range(apart_ms + 22, 0, 66); /* the sound is a frame on */
        }
        assert_true(world.breaks[CK_SEAL_AUDIO] > 0);
        assert_int_equal(world.breaks[CK_SEAL_AUDIO], world.breaks[CK_SEAL_VIDEO]);
    }
}

/* A hole of half a second that is filled by what was sent again, as slow as it was spoken: that
 * says nothing of a clock. One that claims a time to come is not believed all the same. */
static void what_was_sent_again_moves_nothing(void **state)
{
    (void)state;
    struct ck_timeline timeline = begin();
    enum ck_timeline_break broken;
    for (int64_t ms = 0; ms < 4000; ms += 20) {
        struct ck_timeline_packet packet = {
            .source = CK_SEAL_AUDIO,
            .ssrc = 1,
            .rtp = (uint32_t)ms * 48,
            .arrival = {START_US + (ms + 50) * 1000},
            .again = ms >= 2000 && ms < 2500,
        };
        packet.arrival.us += packet.again ? 700000 : 0;
        assert_int_equal(ck_timeline_place(&timeline, &packet, &broken) / 1000, ms + 50);
        assert_int_equal(broken, CK_TIMELINE_CONTINUES);
    }
    struct ck_timeline_packet lie = {
        .source = CK_SEAL_AUDIO,
        .ssrc = 1,
        .rtp = 3600 * 48000,
        .arrival = {START_US + 4050000},
        .again = true,
    };
    assert_int_equal(ck_timeline_place(&timeline, &lie, &broken) / 1000, 4050);
    assert_int_equal(broken, CK_TIMELINE_JUMP);
}

/* What is known of the queue at the begin is no part of the file's time. */
static void a_recording_that_begins_in_a_queue_is_not_late_for_it(void **state)
{
    (void)state;
    struct ck_timeline timeline;
    enum ck_timeline_break broken;
    ck_timeline_init(&timeline, (struct ck_mono){START_US}, 1500000);
    assert_int_equal(place_ms(&timeline, CK_SEAL_AUDIO, 1, 0, 7, 2000, &broken), 500);
    assert_int_equal(place_ms(&timeline, CK_SEAL_VIDEO, 2, 40, 9, 2040, &broken), 540);
    for (int64_t ms = 20; ms < 4000; ms += 20) { /* it drains at once */
        int64_t arrival_ms = ms + 500 < 2000 ? 2000 : ms + 500;
        assert_int_equal(place_ms(&timeline, CK_SEAL_AUDIO, 1, ms, 7, arrival_ms, &broken),
                         ms + 500);
        assert_int_equal(broken, CK_TIMELINE_CONTINUES);
    }
    ck_timeline_init(&timeline, (struct ck_mono){START_US}, INT64_MAX); /* not believed */
    assert_int_equal(place_ms(&timeline, CK_SEAL_AUDIO, 1, 0, 7, 2000, &broken), 2000);
}

/* Another camera in the middle of a queue lies where the sound says that it belongs. */
static void another_ssrc_is_as_late_as_the_other_medium(void **state)
{
    (void)state;
    struct world world = world_of(false);
    enum ck_timeline_break broken;
    live(&world, 4000);
    for (int i = 0; i < 50; i++) { /* 20 ms later with each packet */
        world.delay_ms += 20;
        live(&world, 20);
    }
    assert_int_equal(place_ms(&world.timeline, CK_SEAL_VIDEO, 9, 0, 0x80000000u,
                              world.now_ms + world.delay_ms, &broken),
                     world.now_ms + 50);
    assert_int_equal(broken, CK_TIMELINE_NEW_STREAM);
}

/* A way that has become longer, and a clock that is slow: followed within minutes, both media by as
 * much, at a pace that nobody hears. */
static void a_longer_way_is_followed_slowly(void **state)
{
    (void)state;
    struct world world = world_of(true);
    live(&world, 10000);
    world.delay_ms += 300;
    int64_t last_ms = world.place_ms[CK_SEAL_AUDIO];
    for (int i = 0; i < 20000; i++) {
        live(&world, 20);
        assert_in_range(world.place_ms[CK_SEAL_AUDIO] - last_ms, 19, 21);
        last_ms = world.place_ms[CK_SEAL_AUDIO];
    }
    assert_in_place(&world);
    assert_int_equal(world.breaks[CK_SEAL_AUDIO] + world.breaks[CK_SEAL_VIDEO], 0);
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
        cmocka_unit_test(a_device_that_slept_is_moved_on_with_lips_in_sync),
        cmocka_unit_test(sound_whose_clock_alone_stood_still_is_moved_alone),
        cmocka_unit_test(a_picture_that_is_late_alone_is_judged_by_its_report),
        cmocka_unit_test(a_queue_of_seconds_moves_nothing),
        cmocka_unit_test(what_was_sent_again_moves_nothing),
        cmocka_unit_test(a_clock_that_runs_wrong_is_kept_in_bounds),
        cmocka_unit_test(a_recording_that_begins_in_a_queue_is_not_late_for_it),
        cmocka_unit_test(another_ssrc_is_as_late_as_the_other_medium),
        cmocka_unit_test(a_longer_way_is_followed_slowly),
        cmocka_unit_test(another_ssrc_begins_anew_and_time_never_goes_back),
        cmocka_unit_test(opus_packets_tell_their_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
