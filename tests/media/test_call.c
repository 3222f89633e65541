/* Calls through a real checkin-media: every packet that goes in comes out at the other side,
 * unchanged, once and in order; and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/media/rig.h"

static struct ck_rig *start(void)
{
    struct ck_rig *rig = NULL;
    assert_int_equal(ck_rig_start(NULL, &rig), 0);
    return rig;
}

/* Ends the rig; the worker must end by itself and with 0. */
static void stop(struct ck_rig *rig)
{
    int status;
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Nothing lost since the first packet that came, nothing wrong with any, all frames whole. */
static void assert_right(struct ck_rig *rig, const uint64_t legs[2])
{
    char text[512];
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_tclient_stats *stats = ck_rig_stats(rig, legs[side]);
        assert_string_equal(ck_rig_answer_fault(rig, legs[side]), "");
        assert_string_equal(ck_tclient_faults(ck_rig_client(rig, legs[side]), text), "");
        assert_int_equal(stats->account[0].reordered, 0);
        assert_int_equal(stats->account[1].reordered, 0);
        assert_true(stats->account[0].unique > 0);
        assert_true(stats->account[1].unique > 0);
        assert_true(stats->key_frames >= 1);
    }
    assert_int_equal(ck_rig_lost(rig, legs), 0);
}

static void run_call(const struct ck_tclient_config *config, unsigned profile)
{
    struct ck_rig *rig = start();
    uint64_t legs[2];
    ck_rig_call(rig, 1, config, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_rig_run(rig, 1500);
    ck_rig_settle(rig);
    assert_right(rig, legs);
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_tclient_stats *stats = ck_rig_stats(rig, legs[side]);
        assert_int_equal(stats->profile, profile);
        assert_true(stats->account[0].unique > 60);
        assert_true(stats->account[1].unique > 80);
        assert_true(stats->senders_in >= 1);
        assert_true(stats->reports_in >= 1);
        assert_true(stats->remb_bps > 0);
        assert_int_equal(stats->report[0].lost, 0);
        assert_int_equal(stats->report[1].lost, 0);
        assert_non_null(
            ck_rig_find(rig, CK_WORKER_LEG_EVENT, legs[side], CK_WORKER_EVENT_ICE_CONNECTED, 1));
        const struct ck_worker_message *dtls =
            ck_rig_find(rig, CK_WORKER_LEG_EVENT, legs[side], CK_WORKER_EVENT_DTLS_CONNECTED, 1);
        assert_non_null(dtls);
        assert_int_equal(dtls->leg_event.detail, profile);
        assert_non_null(
            ck_rig_find(rig, CK_WORKER_LEG_EVENT, legs[side], CK_WORKER_EVENT_FIRST_AUDIO, 1));
        const struct ck_worker_message *frame =
            ck_rig_find(rig, CK_WORKER_LEG_EVENT, legs[side], CK_WORKER_EVENT_FIRST_KEY_FRAME, 1);
        assert_non_null(frame);
        assert_int_equal(frame->leg_event.detail, CK_CLIP_WIDTH << 16 | CK_CLIP_HEIGHT);
    }
    stop(rig);
}

static void test_one_call(void **state)
{
    (void)state;
    run_call(&(struct ck_tclient_config){.seed = 1}, CK_TCLIENT_GCM_128);
}

static void test_one_call_cm80(void **state)
{
    (void)state;
    run_call(&(struct ck_tclient_config){.profiles = "SRTP_AES128_CM_SHA1_80"}, CK_TCLIENT_CM_80);
}

/* Browsers name GCM last; the server chooses it all the same. */
static void test_gcm_is_preferred(void **state)
{
    (void)state;
    run_call(
        &(struct ck_tclient_config){.profiles = "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM"},
        CK_TCLIENT_GCM_128);
}

static void test_browser_like(void **state)
{
    (void)state;
    run_call(&(struct ck_tclient_config){.big_hello = true, .rtx = true, .twcc = true},
             CK_TCLIENT_GCM_128);
}

static void test_late_dtls_and_sequence_wrap(void **state)
{
    (void)state;
    run_call(&(struct ck_tclient_config){.late_dtls = true, .first_sequence = 65480},
             CK_TCLIENT_GCM_128);
}

static void test_ipv6(void **state)
{
    (void)state;
    struct ck_rig *rig = NULL;
    uint64_t legs[2];
    assert_int_equal(ck_rig_start(&(struct ck_rig_options){.v6 = true}, &rig), 0);
    legs[0] =
        ck_rig_open(rig, 1, CK_WORKER_ROLE_PERSON, &(struct ck_tclient_config){.family = AF_INET6});
    legs[1] = ck_rig_open(rig, 1, CK_WORKER_ROLE_STAFF, &(struct ck_tclient_config){.seed = 3});
    ck_rig_relay(rig, 1, true);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_rig_run(rig, 500);
    ck_rig_settle(rig);
    assert_right(rig, legs);
    stop(rig);
}

static void test_twenty_calls(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    uint64_t legs[20][2];
    for (uint64_t call = 0; call < 20; call++) {
        ck_rig_call(rig, call + 1, NULL, legs[call]);
    }
    assert_int_equal(ck_rig_await_media(rig, 10000), 0);
    ck_rig_run(rig, 2500);
    ck_rig_settle(rig);
    for (uint64_t call = 0; call < 20; call++) {
        assert_right(rig, legs[call]);
    }
    stop(rig);
}

/* Without RELAY nothing passes, in the middle of a call too. */
static void test_relay_switch(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    uint64_t legs[2];
    legs[0] = ck_rig_open(rig, 9, CK_WORKER_ROLE_PERSON, &(struct ck_tclient_config){0});
    legs[1] = ck_rig_open(rig, 9, CK_WORKER_ROLE_STAFF, &(struct ck_tclient_config){0});
    for (unsigned side = 0; side < 2; side++) {
        assert_non_null(ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[side],
                                     CK_WORKER_EVENT_FIRST_KEY_FRAME, 1, 5000));
    }
    ck_rig_run(rig, 500);
    for (unsigned side = 0; side < 2; side++) {
        assert_int_equal(ck_rig_stats(rig, legs[side])->account[0].packets, 0);
        assert_int_equal(ck_rig_stats(rig, legs[side])->account[1].packets, 0);
    }
    ck_rig_relay(rig, 9, true);
    assert_int_equal(ck_rig_await_media(rig, 3000), 0);
    ck_rig_run(rig, 300);
    ck_rig_relay(rig, 9, false);
    ck_rig_run(rig, 200);
    uint64_t before = ck_rig_stats(rig, legs[0])->account[0].packets;
    ck_rig_run(rig, 300);
    assert_int_equal(ck_rig_stats(rig, legs[0])->account[0].packets, before);
    ck_rig_relay(rig, 9, true);
    ck_rig_run(rig, 1000);
    for (unsigned side = 0; side < 2; side++) {
        const struct ck_tclient_stats *stats = ck_rig_stats(rig, legs[side]);
        assert_true(stats->account[0].packets > before + 20);
        assert_true(stats->key_frames >= 2);
        assert_int_equal(stats->bad_tags + stats->wrong_header + stats->unreadable, 0);
        for (unsigned kind = 0; kind < 2; kind++) {
            assert_int_equal(stats->account[kind].corrupt + stats->account[kind].duplicates, 0);
            assert_int_equal(stats->account[kind].time_shifts, 0);
            /* The numbers may go on without the hole that the switch left: at one place. */
            assert_true(stats->account[kind].order_shifts <= 1);
        }
    }
    stop(rig);
}

/* What one leg sends goes to its own call's other leg and to nobody else; account.foreign would
 * tell. */
static void test_calls_are_apart(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    uint64_t alone = ck_rig_open(rig, 1, CK_WORKER_ROLE_PERSON, &(struct ck_tclient_config){0});
    uint64_t other = ck_rig_open(rig, 2, CK_WORKER_ROLE_STAFF, &(struct ck_tclient_config){0});
    ck_rig_relay(rig, 1, true);
    ck_rig_relay(rig, 2, true);
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, alone, CK_WORKER_EVENT_FIRST_KEY_FRAME, 1, 5000));
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, other, CK_WORKER_EVENT_FIRST_KEY_FRAME, 1, 5000));
    ck_rig_run(rig, 500);
    assert_int_equal(ck_rig_stats(rig, alone)->account[0].packets, 0);
    assert_int_equal(ck_rig_stats(rig, alone)->account[0].foreign, 0);
    assert_int_equal(ck_rig_stats(rig, other)->account[1].packets, 0);
    assert_int_equal(ck_rig_stats(rig, other)->account[1].foreign, 0);
    stop(rig);
}

static bool has_new_key_frame(void *arg)
{
    const struct ck_tclient_stats *const *stats = arg;
    return stats[0]->key_frames > 1 && stats[1]->key_frames > 1;
}

/* A receiver's PLI brings a key frame of the other side's sender within half a second. */
static void test_pli_brings_key_frame(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_rig_run(rig, 2000);
    const struct ck_tclient_stats *stats[2] = {ck_rig_stats(rig, legs[0]),
                                               ck_rig_stats(rig, legs[1])};
    ck_tclient_want_key_frame(ck_rig_client(rig, legs[0]));
    ck_tclient_want_key_frame(ck_rig_client(rig, legs[1]));
    assert_int_equal(ck_crowd_until(ck_rig_crowd(rig), has_new_key_frame, (void *)stats, 1500), 0);
    stop(rig);
}

static void test_hang_up_and_close(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_tclient_hang_up(ck_rig_client(rig, legs[0]));
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_CLOSED_BY_PEER, 1, 2000));
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_CLOSED, 1, 2000));
    assert_int_equal(ck_rig_count(rig, CK_WORKER_LEG_EVENT, legs[1], CK_WORKER_EVENT_CLOSED), 0);
    ck_rig_close(rig, legs[1]);
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[1], CK_WORKER_EVENT_CLOSED, 1, 2000));
    ck_rig_close(rig, legs[1]); /* ignored */
    /* A new leg of the role that hung up is welcome, and so is a new call of the same number. */
    ck_rig_drop_client(rig, legs[0]);
    ck_rig_drop_client(rig, legs[1]);
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    stop(rig);
}

/* One side comes back as a new leg (a reloaded page) while the other stays. */
static void test_one_side_comes_back(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    char text[512];
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_rig_run(rig, 300);
    ck_rig_close(rig, legs[0]);
    ck_rig_drop_client(rig, legs[0]);
    uint64_t again = ck_rig_open(rig, 1, CK_WORKER_ROLE_PERSON, &(struct ck_tclient_config){0});
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    uint64_t before = ck_rig_stats(rig, legs[1])->account[1].packets;
    ck_rig_run(rig, 1000);
    assert_string_equal(ck_tclient_faults(ck_rig_client(rig, again), text), "");
    assert_true(ck_rig_stats(rig, legs[1])->account[1].packets > before + 30);
    assert_true(ck_rig_stats(rig, legs[1])->key_frames >= 2);
    assert_true(ck_rig_stats(rig, again)->key_frames >= 1);
    const struct ck_tclient_stats *stayed = ck_rig_stats(rig, legs[1]);
    assert_int_equal(stayed->bad_tags + stayed->wrong_header + stayed->unreadable, 0);
    for (unsigned kind = 0; kind < 2; kind++) {
        assert_int_equal(stayed->account[kind].corrupt + stayed->account[kind].duplicates, 0);
        /* One shift of the timestamps and of the numbers where the new leg begins, and no other. */
        assert_true(stayed->account[kind].time_shifts <= 1);
        assert_true(stayed->account[kind].order_shifts <= 1);
    }
    stop(rig);
}

/* No picture for two seconds while the sound goes on: an event, and another when it is back. */
static void test_camera_stopped(void **state)
{
    (void)state;
    struct ck_rig *rig = NULL;
    uint64_t legs[2];
    assert_int_equal(
        ck_rig_start(&(struct ck_rig_options){.durations = {.camera_stopped_ms = 400}}, &rig), 0);
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_tclient_send(ck_rig_client(rig, legs[0]), true, false);
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_CAMERA_STOPPED, 1, 2000));
    ck_tclient_send(ck_rig_client(rig, legs[0]), true, true);
    const struct ck_worker_message *back =
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_CAMERA_BACK, 1, 2000);
    assert_non_null(back);
    assert_true(back->leg_event.detail >= 400 && back->leg_event.detail < 2000);
    assert_int_equal(
        ck_rig_count(rig, CK_WORKER_LEG_EVENT, legs[1], CK_WORKER_EVENT_CAMERA_STOPPED), 0);
    stop(rig);
}

static void test_stats_and_heartbeat(void **state)
{
    (void)state;
    struct ck_rig *rig = NULL;
    uint64_t legs[2];
    assert_int_equal(ck_rig_start(&(struct ck_rig_options){.durations = {.stats_ms = 500}}, &rig),
                     0);
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_rig_run(rig, 1500);
    ck_rig_settle(rig);
    size_t seen = ck_rig_count(rig, CK_WORKER_LEG_STATS, legs[0], 0);
    const struct ck_worker_message *stats =
        ck_rig_await(rig, CK_WORKER_LEG_STATS, legs[0], 0, seen + 2, 2000);
    assert_non_null(stats);
    const struct ck_tclient_stats *person = ck_rig_stats(rig, legs[0]);
    assert_int_equal(stats->leg_stats.audio_in.packets, person->sent[0]);
    assert_int_equal(stats->leg_stats.video_in.packets, person->sent[1]);
    assert_int_equal(stats->leg_stats.audio_out.packets, person->account[0].packets);
    assert_int_equal(stats->leg_stats.video_out.packets, person->account[1].packets);
    assert_int_equal(stats->leg_stats.audio_in.lost, 0);
    assert_int_equal(stats->leg_stats.width, CK_CLIP_WIDTH);
    assert_int_equal(stats->leg_stats.height, CK_CLIP_HEIGHT);
    assert_int_equal(stats->leg_stats.key_frames, person->key_frames_sent);
    assert_non_null(ck_rig_await(rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0, 2, 3000));
    size_t beats = ck_rig_count(rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0);
    const struct ck_worker_message *beat =
        ck_rig_find(rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0, beats);
    assert_int_equal(beat->heartbeat.legs, 2);
    assert_int_equal(beat->heartbeat.handshakes, 0);
    assert_int_equal(beat->heartbeat.socket_lost, 0);
    stop(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_call),
        cmocka_unit_test(test_one_call_cm80),
        cmocka_unit_test(test_gcm_is_preferred),
        cmocka_unit_test(test_browser_like),
        cmocka_unit_test(test_late_dtls_and_sequence_wrap),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_twenty_calls),
        cmocka_unit_test(test_relay_switch),
        cmocka_unit_test(test_calls_are_apart),
        cmocka_unit_test(test_pli_brings_key_frame),
        cmocka_unit_test(test_hang_up_and_close),
        cmocka_unit_test(test_one_side_comes_back),
        cmocka_unit_test(test_camera_stopped),
        cmocka_unit_test(test_stats_and_heartbeat),
    };
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
