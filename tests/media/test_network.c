/* Bad roads: what is lost is asked for and comes, and a call stays. Seeds are printed; a run can be
 * repeated with CK_SEED=n, one test alone run with CK_TEST=name, one journey alone with its name as
 * the argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "tests/impair/impair.h"
#include "tests/media/marks.h"
#include "tests/media/rig.h"

#define LOOK_MS 50
#define ARRIVAL_MS 1000 /* queues of the tests hold half of that */
#define DTLS_CHANGE_CIPHER_SPEC 20
#define ENDS_LOST 7        /* timers that double make some seconds of it, */
#define UNHEARD_US 4000000 /* more than after which a way without reports is taken to be choked */
#define CHOKED_MS 8000
#define BACK_S 40 /* until all of a picture is back on a way that was choked: about 20 */
#define NARROW 16 /* calls on ways of their own */

static bool runs_long; /* minutes instead of seconds on each road */

static uint64_t seed_of_run(void)
{
    const char *given = getenv("CK_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261121;
    print_message("seed %llu\n", (unsigned long long)seed);
    return seed;
}

/* A call whose person sits behind a bad network. */
struct road {
    struct ck_rig *rig;
    struct ck_impair *impair;
    uint64_t legs[2];
};

static void open_road_with(struct road *road, const struct ck_tclient_config *client,
                           struct ck_impair_config config)
{
    struct ck_tclient_config person = *client;
    assert_int_equal(ck_rig_start(NULL, &road->rig), 0);
    struct sockaddr_storage server = ck_rig_media_address(road->rig, false);
    config.seed = seed_of_run();
    config.crowd = ck_rig_crowd(road->rig);
    config.server = (struct sockaddr *)&server;
    assert_int_equal(ck_impair_create(&config, &road->impair), 0);
    person.via = ck_impair_address(road->impair);
    road->legs[0] = ck_rig_open(road->rig, 1, CK_WORKER_ROLE_PERSON, &person);
    road->legs[1] = ck_rig_open(road->rig, 1, CK_WORKER_ROLE_STAFF, client);
    ck_rig_relay(road->rig, 1, true);
}

static void open_road(struct road *road, const struct ck_tclient_config *client)
{
    open_road_with(road, client, (struct ck_impair_config){0});
}

static void set_rules(struct road *road, const struct ck_impair_rules *up,
                      const struct ck_impair_rules *down)
{
    ck_impair_set(road->impair, CK_IMPAIR_UP, up);
    ck_impair_set(road->impair, CK_IMPAIR_DOWN, down);
}

static void close_road(struct road *road)
{
    int status;
    ck_rig_drop_client(road->rig, road->legs[0]);
    ck_impair_destroy(road->impair);
    assert_int_equal(ck_rig_stop(road->rig, &status), 0);
    assert_int_equal(status, 0);
}

static double share_lost(struct road *road, unsigned to, unsigned kind)
{
    struct ck_tclient *receiver = ck_rig_client(road->rig, road->legs[to]);
    struct ck_tclient *sender = ck_rig_client(road->rig, road->legs[1 - to]);
    uint64_t lost = ck_tclient_lost(receiver, sender, kind, NULL);
    uint64_t sent = ck_tclient_stats(sender)->sent[kind];
    return sent == 0 ? 0 : (double)lost / (double)sent;
}

static void print_road(struct road *road, const char *name)
{
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_tclient_stats *stats = ck_rig_stats(road->rig, road->legs[side]);
        print_message("%s, %s: lost %.2f %% of sound, %.2f %% of picture; asked for %llu, repaired "
                      "%llu, asked of it %llu, sent again %llu, key frames %llu\n",
                      name, side == 0 ? "person" : "staff", 100 * share_lost(road, side, 0),
                      100 * share_lost(road, side, 1), (unsigned long long)stats->nacks_sent,
                      (unsigned long long)stats->repaired, (unsigned long long)stats->nacks_in,
                      (unsigned long long)stats->resent, (unsigned long long)stats->key_frames);
    }
}

static void assert_sound(struct road *road, unsigned side)
{
    const struct ck_tclient_stats *stats = ck_rig_stats(road->rig, road->legs[side]);
    assert_int_equal(stats->bad_tags, 0);
    assert_int_equal(stats->unreadable, 0);
    assert_int_equal(stats->wrong_header, 0);
    assert_int_equal(stats->bad_rtcp, 0);
    assert_int_equal(stats->account[0].corrupt + stats->account[1].corrupt, 0);
    assert_int_equal(stats->account[0].foreign + stats->account[1].foreign, 0);
    assert_int_equal(stats->account[0].time_shifts + stats->account[1].time_shifts, 0);
}

/* 30 % of everything is lost both ways, from before the first check on: the call comes about,
 * stays, and nearly every picture is repaired by asking for what is missing. */
static void run_loss(bool rtx)
{
    struct road road;
    struct ck_impair_rules rules = {.loss = 0.3, .delay_us = 20000};
    open_road(&road, &(struct ck_tclient_config){.rtx = rtx, .check_interval_us = 500000});
    set_rules(&road, &rules, &rules);
    assert_int_equal(ck_rig_await_media(road.rig, 15000), 0);
    ck_rig_run(road.rig, 4000);
    ck_rig_settle(road.rig);
    print_road(&road, "30 % loss");
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_tclient_stats *stats = ck_rig_stats(road.rig, road.legs[side]);
        assert_sound(&road, side);
        assert_int_equal(
            ck_rig_count(road.rig, CK_WORKER_LEG_EVENT, road.legs[side], CK_WORKER_EVENT_CLOSED),
            0);
        assert_true(share_lost(&road, side, 1) < 0.10); /* 1 to 3 % on a quiet machine */
        assert_true(stats->account[1].unique > 220);
        assert_true(stats->key_frames >= 1);
    }
    assert_true(ck_rig_stats(road.rig, road.legs[0])->repaired > 50);
    assert_true(ck_rig_stats(road.rig, road.legs[0])->nacks_in > 50);
    close_road(&road);
}

static void test_loss(void **state)
{
    (void)state;
    run_loss(false);
}

static void test_loss_with_rtx(void **state)
{
    (void)state;
    run_loss(true);
}

/* Doubled and shuffled packets are each delivered once. */
static void test_doubles_and_shuffle(void **state)
{
    (void)state;
    struct road road;
    struct ck_impair_rules rules = {.duplicate = 0.2,
                                    .reorder = 0.1,
                                    .reorder_us = 15000,
                                    .delay_us = 10000,
                                    .jitter_us = 10000};
    open_road(&road, &(struct ck_tclient_config){0});
    assert_int_equal(ck_rig_await_media(road.rig, 5000), 0);
    set_rules(&road, &rules, &rules);
    ck_rig_run(road.rig, 3000);
    ck_rig_settle(road.rig);
    print_road(&road, "doubles and shuffle");
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_tclient_stats *stats = ck_rig_stats(road.rig, road.legs[side]);
        assert_sound(&road, side);
        assert_int_equal(stats->account[0].duplicates + stats->account[1].duplicates, 0);
    }
    assert_int_equal(ck_rig_lost(road.rig, road.legs), 0);
    assert_true(ck_impair_stats(road.impair, CK_IMPAIR_UP).reordered > 20);
    close_road(&road);
}

/* Packets of the picture that one side gets of those that the other one sends in `ms`, in percent.
 * They are given time to arrive: a machine that stands still holds them up. */
static unsigned picture_percent(struct road *road, unsigned side, int ms)
{
    const struct ck_tclient_stats *sender = ck_rig_stats(road->rig, road->legs[1 - side]);
    const struct ck_tclient_stats *receiver = ck_rig_stats(road->rig, road->legs[side]);
    uint32_t from = sender->sent[1];
    ck_rig_run(road->rig, ms);
    uint32_t end = sender->sent[1];
    ck_rig_run(road->rig, ARRIVAL_MS);
    unsigned got = (unsigned)ck_account_came(&receiver->account[1], from, end);
    print_message("%u of %u packets of the picture\n", got, end - from);
    return got * 100 / (end - from);
}

/* The server's end of a handshake, so many times. */
static enum ck_impair_verdict lose_the_end(void *arg, enum ck_impair_direction direction,
                                           unsigned flow, const uint8_t *data, size_t size)
{
    unsigned *left = arg;
    (void)flow;
    bool is_end = size > 0 && data[0] == DTLS_CHANGE_CIPHER_SPEC;
    if (direction == CK_IMPAIR_UP || !is_end || *left == 0) {
        return CK_IMPAIR_PASS;
    }
    (*left)--;
    return CK_IMPAIR_DROP;
}

/* The end of the handshake gets lost for seconds, in which the browser gets what it has no keys for
 * and can report nothing: that says nothing about the way, and all of the picture comes then. */
static void test_end_of_handshake_lost(void **state)
{
    (void)state;
    struct road road;
    unsigned left = ENDS_LOST;
    open_road_with(&road, &(struct ck_tclient_config){.check_interval_us = 300000},
                   (struct ck_impair_config){.script = lose_the_end, .arg = &left});
    assert_int_equal(ck_rig_await_media(road.rig, 15000), 0);
    const struct ck_tclient_stats *person = ck_rig_stats(road.rig, road.legs[0]);
    print_message("handshake of %lld ms\n",
                  (long long)(person->dtls_us - person->answered_us) / 1000);
    assert_int_equal(left, 0);
    assert_true(person->dtls_us - person->answered_us > UNHEARD_US);
    assert_true(picture_percent(&road, 0, 2000) > 90);
    assert_sound(&road, 0);
    close_road(&road);
}

/* Five seconds of nothing in the middle: the call is still there, and all of the picture comes back
 * with a key frame. */
static void test_blackout(void **state)
{
    (void)state;
    struct road road;
    struct ck_impair_rules dark = {.blackout = true};
    struct ck_impair_rules light = {0};
    open_road(&road, &(struct ck_tclient_config){.check_interval_us = 500000});
    assert_int_equal(ck_rig_await_media(road.rig, 5000), 0);
    ck_rig_run(road.rig, 500);
    set_rules(&road, &dark, &dark);
    ck_rig_run(road.rig, 5000);
    set_rules(&road, &light, &light);
    uint64_t key_frames[2] = {ck_rig_stats(road.rig, road.legs[0])->key_frames,
                              ck_rig_stats(road.rig, road.legs[1])->key_frames};
    uint64_t sounds[2] = {ck_rig_stats(road.rig, road.legs[0])->account[0].unique,
                          ck_rig_stats(road.rig, road.legs[1])->account[0].unique};
    ck_rig_run(road.rig, 2500);
    print_road(&road, "blackout");
    /* What the first reports tell as lost was lost in the dark, not to what is sent now. */
    assert_true(picture_percent(&road, 0, 1500) > 90);
    assert_true(picture_percent(&road, 1, 1500) > 90);
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_tclient_stats *stats = ck_rig_stats(road.rig, road.legs[side]);
        assert_sound(&road, side);
        assert_true(stats->account[0].unique > sounds[side] + 60);
        assert_true(stats->key_frames > key_frames[side]);
        assert_int_equal(
            ck_rig_count(road.rig, CK_WORKER_LEG_EVENT, road.legs[side], CK_WORKER_EVENT_SUSPENDED),
            0);
    }
    close_road(&road);
}

/* A bad downlink of one side harms nobody else: the other side gets every packet. */
static void test_poor_downlink_is_private(void **state)
{
    (void)state;
    struct road road;
    struct ck_impair_rules poor = {.loss = 0.5};
    struct ck_impair_rules light = {0};
    open_road(&road, &(struct ck_tclient_config){.check_interval_us = 300000});
    assert_int_equal(ck_rig_await_media(road.rig, 5000), 0);
    set_rules(&road, &light, &poor);
    ck_rig_run(road.rig, 3000);
    set_rules(&road, &light, &light);
    ck_rig_settle(road.rig);
    print_road(&road, "poor downlink");
    assert_true(share_lost(&road, 1, 0) == 0);
    assert_true(share_lost(&road, 1, 1) == 0);
    assert_sound(&road, 0);
    assert_sound(&road, 1);
    close_road(&road);
}

/* A browser that hangs for a moment, and tells ever after that next to nothing arrives, on a way
 * that carries everything: the picture is back within seconds. */
static void test_hiccup(void **state)
{
    (void)state;
    struct road road;
    struct ck_impair_rules late = {.delay_us = 400000};
    struct ck_impair_rules light = {0};
    open_road(&road, &(struct ck_tclient_config){.rtx = true, .report_interval_us = 500000});
    assert_int_equal(ck_rig_await_media(road.rig, 5000), 0);
    ck_tclient_tell(ck_rig_client(road.rig, road.legs[0]), 900000);
    assert_true(picture_percent(&road, 0, 2500) > 90);
    set_rules(&road, &late, &late);
    ck_tclient_tell(ck_rig_client(road.rig, road.legs[0]), 6000);
    ck_rig_run(road.rig, 500);
    set_rules(&road, &light, &light);
    ck_rig_run(road.rig, 4000);
    assert_true(picture_percent(&road, 0, 2000) > 90);
    assert_sound(&road, 0);
    close_road(&road);
}

/* The longest time for which no packet of the picture came to a side, in ms, in `ms`. */
static unsigned longest_without_picture(struct road *road, unsigned side, int ms)
{
    unsigned longest = 0;
    unsigned since = 0;
    uint64_t got = ck_rig_stats(road->rig, road->legs[side])->account[1].unique;
    for (int passed = 0; passed < ms; passed += LOOK_MS) {
        ck_rig_run(road->rig, LOOK_MS);
        uint64_t now = ck_rig_stats(road->rig, road->legs[side])->account[1].unique;
        since = now == got ? since + LOOK_MS : 0;
        longest = since > longest ? since : longest;
        got = now;
    }
    print_message("%u ms without a picture at most\n", longest);
    return longest;
}

/* An end that does nothing for a moment, or again and again, and reports late: the way is as good
 * as it was, and what is without a picture is that moment. */
static void stall(struct road *road, unsigned times, int ms, int pause_ms)
{
    struct ck_tclient *person = ck_rig_client(road->rig, road->legs[0]);
    uint64_t sent = ck_rig_stats(road->rig, road->legs[1])->sent[1];
    uint64_t got = ck_rig_stats(road->rig, road->legs[0])->account[1].unique;
    for (unsigned i = 0; i < times; i++) {
        ck_tclient_stall(person, ms);
        assert_true(longest_without_picture(road, 0, ms + pause_ms) <= (unsigned)ms + 200);
    }
    assert_true(longest_without_picture(road, 0, 4000) <= 200);
    sent = ck_rig_stats(road->rig, road->legs[1])->sent[1] - sent;
    got = ck_rig_stats(road->rig, road->legs[0])->account[1].unique - got;
    print_message("%u times %d ms: %llu of %llu packets of the picture\n", times, ms,
                  (unsigned long long)got, (unsigned long long)sent);
    assert_true(got * 100 >= sent * 90); /* a machine that is late itself costs a picture or two */
}

static void test_stalls(void **state)
{
    (void)state;
    struct road road;
    open_road(&road, &(struct ck_tclient_config){.rtx = true});
    assert_int_equal(ck_rig_await_media(road.rig, 5000), 0);
    stall(&road, 1, 600, 0); /* at the very beginning */
    stall(&road, 1, 1000, 0);
    stall(&road, 3, 500, 500);
    stall(&road, 6, 150, 100);
    stall(&road, 15, 200, 0);
    stall(&road, 8, 500, 0);
    assert_sound(&road, 0);
    close_road(&road);
}

/* Nor is how late this program itself is, with all of its clients: their reports say when the
 * kernel got what they tell of. */
static void test_lateness_of_the_clients_is_nobodys_queue(void **state)
{
    (void)state;
    struct ck_rig *rig;
    uint64_t legs[2];
    int status;
    const struct timespec pause = {.tv_nsec = 450000000};
    assert_int_equal(ck_rig_start(NULL, &rig), 0);
    ck_rig_call(rig, 1, &(struct ck_tclient_config){0}, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_rig_run(rig, 1500);
    for (unsigned i = 0; i < 24; i++) {
        assert_int_equal(nanosleep(&pause, NULL), 0);
        ck_rig_run(rig, 50);
    }
    ck_rig_settle(rig);
    print_message("late by %lld ms, %llu packets lost\n",
                  (long long)ck_rig_stats(rig, legs[0])->late_us / 1000,
                  (unsigned long long)ck_rig_lost(rig, legs));
    assert_true(ck_rig_stats(rig, legs[0])->late_us > 200000);
    assert_int_equal(ck_rig_lost(rig, legs), 0);
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    assert_int_equal(status, 0);
}

/* A downlink that carries a little less than the picture needs: what is left out ends as soon as
 * there is room for a key frame. */
static void test_picture_is_back_once_there_is_room(void **state)
{
    (void)state;
    struct road road;
    struct ck_impair_rules light = {0};
    struct ck_impair_rules down = {.rate_bps = 550000, .delay_us = 20000};
    open_road(&road, &(struct ck_tclient_config){.rtx = true});
    assert_int_equal(ck_rig_await_media(road.rig, 5000), 0);
    set_rules(&road, &light, &down);
    ck_rig_run(road.rig, 5000);
    assert_true(longest_without_picture(&road, 0, 14000) <= 1200);
    close_road(&road);
}

static enum ck_impair_verdict lose_reports(void *arg, enum ck_impair_direction direction,
                                           unsigned flow, const uint8_t *data, size_t size)
{
    const bool *lost = arg;
    (void)flow;
    bool is_rtcp = size > 1 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] < 224;
    return direction == CK_IMPAIR_UP && is_rtcp && *lost ? CK_IMPAIR_DROP : CK_IMPAIR_PASS;
}

/* A downlink on which hardly sound goes, and of which nothing is heard, and then carries everything
 * again, while the other side sends its picture as ever: all of it is back, step by step. */
static void test_picture_is_back_on_a_way_that_was_choked(void **state)
{
    (void)state;
    struct road road;
    bool lost = false;
    struct ck_impair_rules light = {.delay_us = 30000};
    struct ck_impair_rules down = {.rate_bps = 60000, .delay_us = 30000};
    open_road_with(&road, &(struct ck_tclient_config){.rtx = true, .check_interval_us = 300000},
                   (struct ck_impair_config){.script = lose_reports, .arg = &lost});
    set_rules(&road, &light, &light);
    assert_int_equal(ck_rig_await_media(road.rig, 5000), 0);
    ck_rig_run(road.rig, 4000);
    lost = true;
    set_rules(&road, &light, &down);
    ck_rig_run(road.rig, CHOKED_MS);
    assert_true(picture_percent(&road, 0, 1000) < 30);
    lost = false;
    set_rules(&road, &light, &light);
    int passed_ms = 0;
    while (picture_percent(&road, 0, 1000) < 90) {
        passed_ms += 1000 + ARRIVAL_MS;
        assert_true(passed_ms < BACK_S * 1000);
    }
    assert_sound(&road, 0);
    close_road(&road);
}

/* What the person of a call missed of the sounds from `from` to before `end`, in thousandths. */
static unsigned missed_permille(struct ck_rig *rig, uint64_t person, uint32_t from, uint32_t end)
{
    uint64_t came = ck_account_came(&ck_rig_stats(rig, person)->account[0], from, end);
    return (unsigned)((end - from - came) * 1000 / (end - from));
}

/* How much the other side of each call has said so far. */
static void note_said(struct ck_rig *rig, uint32_t said[NARROW])
{
    for (unsigned i = 0; i < NARROW; i++) {
        said[i] = ck_rig_stats(rig, 2 + 2 * i)->sent[0];
    }
}

/* A picture that is too much for a downlink leaves by bursts, which lose the sound behind them and
 * are gone before the next: that is no radio's loss, and the sound is not the price of it. */
static void test_picture_takes_no_sound_on_a_narrow_way(void **state)
{
    (void)state;
    struct road road;
    struct ck_impair_rules light = {.delay_us = 30000};
    struct ck_impair_rules down = {.rate_bps = 100000, .delay_us = 30000};
    struct ck_tclient_config client = {.rtx = true, .check_interval_us = 500000};
    uint32_t before[NARROW];
    uint32_t after[NARROW];
    open_road(&road, &client);
    set_rules(&road, &light, &light);
    client.via = ck_impair_address(road.impair);
    for (unsigned i = 1; i < NARROW; i++) {
        ck_rig_open(road.rig, 1 + i, CK_WORKER_ROLE_PERSON, &client);
        ck_rig_open(road.rig, 1 + i, CK_WORKER_ROLE_STAFF,
                    &(struct ck_tclient_config){.rtx = true});
        ck_rig_relay(road.rig, 1 + i, true);
    }
    assert_int_equal(ck_rig_await_media(road.rig, 10000), 0);
    ck_rig_run(road.rig, 2000);
    set_rules(&road, &light, &down);
    ck_rig_run(road.rig, 8000);
    note_said(road.rig, before);
    ck_rig_run(road.rig, 60000);
    note_said(road.rig, after);
    ck_rig_run(road.rig, ARRIVAL_MS);
    unsigned all = 0;
    for (unsigned i = 0; i < NARROW; i++) {
        unsigned missed = missed_permille(road.rig, 1 + 2 * i, before[i], after[i]);
        print_message("call %u: %u of 1000 sounds missed, %llu key frames\n", 1 + i, missed,
                      (unsigned long long)ck_rig_stats(road.rig, 1 + 2 * i)->key_frames);
        all += missed;
    }
    assert_true(all / NARROW <= 15); /* 8 to 11; 20 to 65 where bursts pass for the radio */
    for (unsigned i = 1; i < NARROW; i++) {
        ck_rig_drop_client(road.rig, 1 + 2 * i);
    }
    close_road(&road);
}

/* What the person's uplink has lost the staff misses as well; its own way is not taken for a poor
 * one: all that arrives goes on. */
static void test_loss_of_an_uplink_is_no_loss_of_a_downlink(void **state)
{
    (void)state;
    struct road road;
    struct ck_impair_rules up = {.loss = 0.6};
    struct ck_impair_rules light = {0};
    open_road(&road, &(struct ck_tclient_config){.deaf_nack = true, .check_interval_us = 300000});
    assert_int_equal(ck_rig_await_media(road.rig, 5000), 0);
    set_rules(&road, &up, &light);
    ck_rig_run(road.rig, 4000);
    assert_true(picture_percent(&road, 1, 3000) > 30); /* of the 40 that arrive */
    close_road(&road);
}

/* Reports on a downlink come by the uplink: what they wait for there is no queue of the downlink's,
 * and all of the picture goes on. */
static void test_queue_of_an_uplink_is_no_queue_of_a_downlink(void **state)
{
    (void)state;
    struct road road;
    struct ck_impair_rules up = {.rate_bps = 500000, .queue_bytes = 30000}; /* half a second */
    struct ck_impair_rules light = {0};
    open_road(&road, &(struct ck_tclient_config){.check_interval_us = 300000});
    assert_int_equal(ck_rig_await_media(road.rig, 5000), 0);
    ck_rig_run(road.rig, 1500); /* a round trip is known */
    set_rules(&road, &up, &light);
    ck_rig_run(road.rig, 3000);
    assert_true(picture_percent(&road, 0, 3000) > 90);
    close_road(&road);
}

/* --- what a browser is told
 * ---------------------------------------------------------------------------- */

/* Each packet that a browser numbers is told of, as come or as missing, in the shares of the road;
 * retransmissions are numbered as well. */
static void test_arrivals_are_told(void **state)
{
    (void)state;
    struct road road;
    struct ck_impair_rules up = {.loss = 0.2, .delay_us = 10000};
    struct ck_impair_rules light = {0};
    open_road(&road, &(struct ck_tclient_config){.twcc = true, .rtx = true});
    assert_int_equal(ck_rig_await_media(road.rig, 5000), 0);
    set_rules(&road, &up, &light);
    ck_rig_run(road.rig, 3000);
    set_rules(&road, &light, &light);
    ck_rig_run(road.rig, 500);
    const struct ck_tclient_stats *person = ck_rig_stats(road.rig, road.legs[0]);
    const struct ck_tclient_stats *staff = ck_rig_stats(road.rig, road.legs[1]);
    uint64_t numbered = person->sent[0] + person->sent[1] + person->resent;
    print_message("person: %llu numbered, %llu told of, %llu of them come, in %llu messages\n",
                  (unsigned long long)numbered, (unsigned long long)person->twcc_told,
                  (unsigned long long)person->twcc_came, (unsigned long long)person->twccs_in);
    assert_int_equal(person->bad_rtcp, 0);
    assert_true(person->twcc_told >= numbered * 90 / 100);
    double came = (double)person->twcc_came / (double)person->twcc_told;
    assert_true(came > 0.75 && came < 0.95);
    assert_int_equal(staff->twcc_told, staff->twcc_came); /* nothing is lost on that side */
    assert_true(staff->twccs_in > 20);
    close_road(&road);
}

/* --- recorded on a bad road
 * ------------------------------------------------------------------------------ */

#define FAR 150000 /* us one way: 300 ms round trip */

/* What was lost before a recording began, and is sent again after, is not in it. */
static void test_film_holds_nothing_from_before(void **state)
{
    (void)state;
    struct road road;
    struct ck_impair_rules rules = {.loss = 0.3, .delay_us = FAR};
    open_road(&road, &(struct ck_tclient_config){.rtx = true, .check_interval_us = 500000});
    set_rules(&road, &rules, &rules);
    assert_int_equal(ck_rig_await_media(road.rig, 15000), 0);
    ck_rig_run(road.rig, 1500);
    unsigned films = 0;
    for (unsigned i = 0; i < 16; i++) {
        struct ck_film film;
        struct ck_film_marks marks;
        assert_int_equal(ck_film_create(&film, road.legs[0], 1 + i, NULL), 0);
        uint32_t heard = ck_rig_stats(road.rig, road.legs[1])->account[0].highest;
        ck_film_start(road.rig, &film);
        ck_rig_run(road.rig, 251 + 7 * (int)i); /* another phase each time */
        ck_film_stop(road.rig, &film);
        assert_non_null(
            ck_rig_await(road.rig, CK_WORKER_RECORD_CLOSED, road.legs[0], 0, 1 + i, 5000));
        assert_int_equal(ck_film_marks(&film, &marks), 0);
        /* The other end had heard that one when the order went out: sent again is what is older. */
        assert_true(marks.sounds == 0 || marks.first_sound > heard);
        films += marks.sounds > 0;
        ck_film_destroy(&film);
    }
    assert_true(films >= 12); /* a machine that stood still may have left nothing for some */
    close_road(&road);
}

struct journey {
    const char *name;
    struct ck_impair_rules up;
    struct ck_impair_rules down;
    int settle_ms; /* until the sender has found its rate */
    int run_ms;
    int dark_ms;             /* of nothing at all, in the middle */
    unsigned tones_gone;     /* that may be missing for that */
    unsigned tones_percent;  /* that are heard at least; 0: 95 */
    unsigned pictures;       /* at least, in the file, */
    unsigned pictures_most;  /* and at most; 0: any */
    uint64_t remb_bps_most;  /* what the sender must have been taken down to; 0: any */
    uint64_t remb_bps_least; /* what it must not have been taken below */
};

static unsigned closed_events(struct road *road)
{
    return (unsigned)(ck_rig_count(road->rig, CK_WORKER_LEG_EVENT, road->legs[0],
                                   CK_WORKER_EVENT_CLOSED) +
                      ck_rig_count(road->rig, CK_WORKER_LEG_EVENT, road->legs[1],
                                   CK_WORKER_EVENT_CLOSED));
}

/* What was heard of what was said, by the tone at the start of each second. */
struct heard {
    uint64_t tones;
    uint64_t sounds; /* sent by the other side */
};

static struct heard heard_by(struct road *road, unsigned side)
{
    return (struct heard){.tones = ck_rig_stats(road->rig, road->legs[side])->tones,
                          .sounds = ck_rig_stats(road->rig, road->legs[1 - side])->sent[0]};
}

/* Percent of the tones of what was said from `from` to `until`. */
static unsigned share_heard(struct road *road, unsigned side, const struct heard *from,
                            const struct heard *until)
{
    uint64_t said = (until->sounds - from->sounds) / 50;
    uint64_t tones = heard_by(road, side).tones - from->tones;
    return said == 0 ? 0 : (unsigned)((tones > said ? said : tones) * 100 / said);
}

static void travel(struct road *road, const struct journey *journey)
{
    struct ck_impair_rules dark = {.blackout = true};
    int ms = runs_long ? journey->run_ms * 6 : journey->run_ms;
    ck_rig_run(road->rig, ms / 2);
    if (journey->dark_ms > 0) {
        set_rules(road, &dark, &dark);
        ck_rig_run(road->rig, journey->dark_ms);
        set_rules(road, &journey->up, &journey->down);
    }
    ck_rig_run(road->rig, ms / 2);
}

static unsigned percent_heard(const struct journey *journey)
{
    return journey->tones_percent != 0 ? journey->tones_percent : 95;
}

static void check_film(struct road *road, struct ck_film *film, const struct journey *journey)
{
    struct ck_film_marks marks;
    struct ck_film_streams streams;
    ck_film_stop(road->rig, film);
    const struct ck_worker_message *closed =
        ck_rig_await(road->rig, CK_WORKER_RECORD_CLOSED, road->legs[0], 0, 1, 5000);
    assert_non_null(closed);
    assert_int_equal(closed->record_closed.error, 0);
    assert_int_equal(ck_film_marks(film, &marks), 0);
    print_message("%s: file with %u sounds, %u of %u tones, %u pictures, lips apart %.1f ms at "
                  "most, %.1f ms for 95 %%\n",
                  journey->name, marks.sounds, marks.tones, marks.tones_due, marks.pictures,
                  marks.apart_ms, marks.apart_p95_ms);
    assert_true(marks.tones_due >= 5);
    assert_true((marks.tones + journey->tones_gone) * 100 >=
                marks.tones_due * percent_heard(journey));
    assert_true(marks.pictures >= journey->pictures);
    assert_true(journey->pictures_most == 0 || marks.pictures <= journey->pictures_most);
    assert_true(journey->pictures_most != 0 || marks.apart_p95_ms <= 40); /* else: too few */
    assert_int_equal(ck_film_probe(film, &streams), 0);
    assert_int_equal(streams.complaints, 0);
    assert_int_equal(streams.video_packets, streams.video_frames);
}

/* The person's side of the call goes over the road and is recorded. */
static void run_journey(const struct journey *journey)
{
    struct road road;
    struct ck_film film;
    struct ck_impair_rules light = {0};
    const struct ck_tclient_config client = {
        .rtx = true, .twcc = true, .obeys = true, .check_interval_us = 500000};
    struct ck_impair_rules way_up = {.delay_us = journey->up.delay_us};
    struct ck_impair_rules way_down = {.delay_us = journey->down.delay_us};
    open_road(&road, &client);
    set_rules(&road, &way_up, &way_down); /* the way is as long from the start, and good */
    assert_int_equal(ck_rig_await_media(road.rig, 5000), 0);
    ck_rig_run(road.rig, 1500);
    const struct ck_tclient_stats *person = ck_rig_stats(road.rig, road.legs[0]);
    set_rules(&road, &journey->up, &journey->down);
    ck_rig_run(road.rig, journey->settle_ms);
    assert_int_equal(ck_film_create(&film, road.legs[0], 9, NULL), 0);
    ck_film_start(road.rig, &film);
    assert_non_null(ck_rig_await(road.rig, CK_WORKER_RECORD_STARTED, road.legs[0], 0, 1, 3000));
    const struct heard from[2] = {heard_by(&road, 0), heard_by(&road, 1)};
    travel(&road, journey);
    const struct heard until[2] = {heard_by(&road, 0), heard_by(&road, 1)};
    ck_rig_run(road.rig, 1500); /* what was said at last is still on its way */
    unsigned shares[2] = {share_heard(&road, 0, &from[0], &until[0]),
                          share_heard(&road, 1, &from[1], &until[1])};
    print_road(&road, journey->name);
    print_message("%s: %u %% of the tones heard by the person, %u %% by the staff; the sender was "
                  "taken down to %llu bit/s\n",
                  journey->name, shares[0], shares[1], (unsigned long long)person->remb_least_bps);
    if (journey->dark_ms == 0) {
        unsigned least = percent_heard(journey);
        assert_true(shares[0] >= least && shares[1] >= least);
    }
    assert_true(journey->remb_bps_most == 0 || person->remb_least_bps <= journey->remb_bps_most);
    assert_true(person->remb_least_bps >= journey->remb_bps_least);
    assert_int_equal(closed_events(&road), 0);
    assert_int_equal(
        ck_rig_count(road.rig, CK_WORKER_LEG_EVENT, road.legs[0], CK_WORKER_EVENT_DTLS_CONNECTED),
        1);
    set_rules(&road, &light, &light);
    check_film(&road, &film, journey);
    ck_film_destroy(&film);
    close_road(&road);
}

static void test_journey_loss(void **state)
{
    (void)state;
    run_journey(&(struct journey){
        .name = "30 % loss, far away",
        .up = {.loss = 0.3, .delay_us = FAR, .jitter_us = 20000},
        .down = {.loss = 0.3, .delay_us = FAR, .jitter_us = 20000},
        /* 20 tones and more, here and below: 95 % of them is one that may be missing. */
        .run_ms = 21000,
        .pictures = 30,
    });
}

static void test_journey_shuffled(void **state)
{
    (void)state;
    run_journey(&(struct journey){
        .name = "shuffled",
        .up = {.reorder = 0.1, .reorder_us = 60000, .delay_us = 30000, .duplicate = 0.05},
        .down = {.reorder = 0.1, .reorder_us = 60000, .delay_us = 30000, .duplicate = 0.05},
        .run_ms = 21000,
        .pictures = 150,
    });
}

/* A mobile radio that carries everything, late by turns, now and then by much, and loses some: that
 * is no queue, and the picture stays as it is. */
static void test_journey_radio(void **state)
{
    (void)state;
    struct ck_impair_rules radio = {
        .loss = 0.05, .delay_us = 20000, .jitter_us = 60000, .spike = 0.03, .spike_us = 200000};
    run_journey(&(struct journey){
        .name = "radio",
        .up = radio,
        .down = radio,
        .run_ms = 21000,
        .pictures = 400,          /* of 600; 262 where chance is taken for bursts */
        .remb_bps_least = 200000, /* what a second of much loss may do */
    });
}

/* The picture comes down to what the road carries; the sound does not feel it. */
static void test_journey_narrow(void **state)
{
    (void)state;
    run_journey(&(struct journey){
        .name = "150 kbit/s, far away",
        .up = {.rate_bps = 150000, .delay_us = FAR},
        .down = {.rate_bps = 150000, .delay_us = FAR},
        .settle_ms = 8000,
        .run_ms = 21000,
        .pictures = 10,
        .remb_bps_most = 150000,
    });
}

/* A road for sound alone: the picture goes off, the sound stays. */
static void test_journey_starving(void **state)
{
    (void)state;
    run_journey(&(struct journey){
        .name = "90 kbit/s",
        .up = {.rate_bps = 90000, .delay_us = 50000},
        .down = {.rate_bps = 90000, .delay_us = 50000},
        .settle_ms = 8000,
        .run_ms = 21000,
        .remb_bps_most = 90000,
    });
}

/* A road for sound alone: nearly all of it comes. */
static void test_journey_sound(void **state)
{
    (void)state;
    run_journey(&(struct journey){
        .name = "60 kbit/s",
        .up = {.rate_bps = 60000, .delay_us = 50000},
        .down = {.rate_bps = 60000, .delay_us = 50000},
        .settle_ms = 12000,
        .run_ms = 21000,
        /* A picture that is tried may cost one or two of 20: in one call of twelve it cost four. */
        .tones_percent = 70,
        .pictures_most = 12,
        .remb_bps_most = 60000,
    });
}

/* A road that carries three quarters of the sound: as much of it comes, and the call stays. */
static void test_journey_famine(void **state)
{
    (void)state;
    run_journey(&(struct journey){
        .name = "40 kbit/s",
        .up = {.rate_bps = 40000, .delay_us = 50000},
        .down = {.rate_bps = 40000, .delay_us = 50000},
        .settle_ms = 12000,
        .run_ms = 16000,
        .tones_percent = 35, /* three of the five sounds of a tone, of which every third is lost */
        .pictures_most = 6,
        .remb_bps_most = 40000,
    });
}

static void test_journey_blackout(void **state)
{
    (void)state;
    run_journey(&(struct journey){
        .name = "five seconds of nothing",
        .up = {.delay_us = 40000},
        .down = {.delay_us = 40000},
        .run_ms = 10000,
        .dark_ms = 5000,
        .tones_gone = 6,
        .pictures = 200,
    });
}

/* The one of that name, alone: they take long and cost little, so they are run side by side. */
static int run_one(const struct CMUnitTest *tests, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tests[i].name, name) == 0) {
            const struct CMUnitTest one[] = {tests[i]};
            return cmocka_run_group_tests(one, NULL, NULL);
        }
    }
    print_error("no journey is called %s\n", name);
    return 1;
}

/* Without arguments all but the journeys and what takes as long as one; `long`: those, the journeys
 * longer; or the name of one of those. */
int main(int count, char **arguments)
{
    const struct CMUnitTest journeys[] = {
        cmocka_unit_test(test_journey_loss),
        cmocka_unit_test(test_journey_shuffled),
        cmocka_unit_test(test_journey_narrow),
        cmocka_unit_test(test_journey_starving),
        cmocka_unit_test(test_journey_sound),
        cmocka_unit_test(test_journey_famine),
        cmocka_unit_test(test_journey_blackout),
        cmocka_unit_test(test_journey_radio),
        cmocka_unit_test(test_stalls),
        cmocka_unit_test(test_picture_is_back_once_there_is_room),
        cmocka_unit_test(test_picture_is_back_on_a_way_that_was_choked),
        cmocka_unit_test(test_picture_takes_no_sound_on_a_narrow_way),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_loss_with_rtx),
        cmocka_unit_test(test_doubles_and_shuffle),
        cmocka_unit_test(test_end_of_handshake_lost),
        cmocka_unit_test(test_blackout),
        cmocka_unit_test(test_poor_downlink_is_private),
        cmocka_unit_test(test_hiccup),
        cmocka_unit_test(test_lateness_of_the_clients_is_nobodys_queue),
        cmocka_unit_test(test_loss_of_an_uplink_is_no_loss_of_a_downlink),
        cmocka_unit_test(test_queue_of_an_uplink_is_no_queue_of_a_downlink),
        cmocka_unit_test(test_arrivals_are_told),
        cmocka_unit_test(test_film_holds_nothing_from_before),
    };
    int failed;
    cmocka_set_test_filter(getenv("CK_TEST")); /* a pattern of names; unset: all */
    runs_long = count > 1 && strcmp(arguments[1], "long") == 0;
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    if (runs_long) {
        failed = cmocka_run_group_tests(journeys, NULL, NULL);
    } else if (count > 1) {
        failed = run_one(journeys, sizeof journeys / sizeof *journeys, arguments[1]);
    } else {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    }
    ck_tclient_library_deinit();
    return failed;
}
