/* Bad roads: what is lost is asked for and comes, and a call stays. Seeds are printed; a run can be
 * repeated with CK_SEED=n. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/impair/impair.h"
#include "tests/media/rig.h"

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

static void open_road(struct road *road, const struct ck_tclient_config *client)
{
    struct ck_impair_config config = {.seed = seed_of_run()};
    struct ck_tclient_config person = *client;
    assert_int_equal(ck_rig_start(NULL, &road->rig), 0);
    struct sockaddr_storage server = ck_rig_media_address(road->rig, false);
    config.crowd = ck_rig_crowd(road->rig);
    config.server = (struct sockaddr *)&server;
    assert_int_equal(ck_impair_create(&config, &road->impair), 0);
    person.via = ck_impair_address(road->impair);
    road->legs[0] = ck_rig_open(road->rig, 1, CK_WORKER_ROLE_PERSON, &person);
    road->legs[1] = ck_rig_open(road->rig, 1, CK_WORKER_ROLE_STAFF, client);
    ck_rig_relay(road->rig, 1, true);
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

/* Five seconds of nothing in the middle: the call is still there, and the picture comes back with a
 * key frame. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_loss_with_rtx),
        cmocka_unit_test(test_doubles_and_shuffle),
        cmocka_unit_test(test_blackout),
        cmocka_unit_test(test_poor_downlink_is_private),
    };
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
