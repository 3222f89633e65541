/* A leg that has the right keys and no good will: sources without end, packets whose inside lies,
 * control packets that point nowhere, handshake fragments that never end. Its own call may suffer,
 * the worker and every other call may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "tests/client/sdp.h"
#include "tests/media/film.h"

#define MEMORY_KIB 16384 /* what an attack may make the worker grow by */

/* A hostile leg with its victim on the other side, and a call of other people. */
struct scene {
    struct ck_rig *rig;
    uint64_t legs[2];
    uint64_t others[2];
    struct ck_rig_usage before;
};

static void open_scene(struct scene *scene)
{
    assert_int_equal(ck_rig_start(NULL, &scene->rig), 0);
    ck_rig_call(scene->rig, 1, NULL, scene->legs);
    ck_rig_call(scene->rig, 2, NULL, scene->others);
    assert_int_equal(ck_rig_await_media(scene->rig, 5000), 0);
    ck_rig_run(scene->rig, 500);
    scene->before = ck_rig_usage(scene->rig);
}

/* The other call had every packet, and the worker is well and no bigger. */
static void close_scene(struct scene *scene)
{
    char text[512];
    int status;
    struct ck_rig_usage after = ck_rig_usage(scene->rig);
    print_message("memory: %lld KiB more\n",
                  (long long)after.rss_kib - (long long)scene->before.rss_kib);
    assert_true(after.rss_kib < scene->before.rss_kib + MEMORY_KIB);
    ck_rig_settle(scene->rig);
    for (unsigned side = 0; side < 2; side++) {
        assert_string_equal(ck_tclient_faults(ck_rig_client(scene->rig, scene->others[side]), text),
                            "");
        assert_int_equal(ck_rig_stats(scene->rig, scene->others[side])->report[1].lost, 0);
    }
    assert_int_equal(ck_rig_lost(scene->rig, scene->others), 0);
    assert_int_equal(ck_rig_stop(scene->rig, &status), 0);
    assert_int_equal(status, 0);
}

static size_t make_rtp(uint8_t *packet, uint8_t pt, uint32_t ssrc, uint16_t sequence)
{
    static const uint8_t payload[] = {0x90, 0x80, 0x80, 0x01, 0x10, 0x02, 0x00, 0x9d,
                                      0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00, 1,    2};
    packet[0] = 0x80;
    packet[1] = pt;
    ck_put_u16(packet + 2, sequence);
    ck_put_u32(packet + 4, 1000U * sequence);
    ck_put_u32(packet + 8, ssrc);
    memcpy(packet + 12, payload, sizeof payload);
    return 12 + sizeof payload;
}

/* 5,000 sources, each authentic: they are capped, told once, and cost nobody anything. */
static void test_source_flood(void **state)
{
    (void)state;
    struct scene scene;
    uint8_t packet[64];
    open_scene(&scene);
    struct ck_tclient *hostile = ck_rig_client(scene.rig, scene.legs[0]);
    for (uint32_t ssrc = 1; ssrc <= 5000; ssrc++) {
        size_t size = make_rtp(packet, ssrc % 2 != 0 ? CK_TSDP_PT_OPUS : CK_TSDP_PT_VP8, ssrc, 1);
        assert_int_equal(ck_tclient_send_protected(hostile, packet, size, false), 0);
        if (ssrc % 50 == 0) {
            ck_rig_run(scene.rig, 5);
        }
    }
    assert_non_null(ck_rig_await(scene.rig, CK_WORKER_LEG_EVENT, scene.legs[0],
                                 CK_WORKER_EVENT_SSRC_REFUSED, 1, 2000));
    ck_rig_run(scene.rig, 300);
    assert_int_equal(
        ck_rig_count(scene.rig, CK_WORKER_LEG_EVENT, scene.legs[0], CK_WORKER_EVENT_SSRC_REFUSED),
        1);
    close_scene(&scene);
}

/* Pictures of the source 0, by which browsers try out what their way carries: they are nobody's
 * camera, and the real one goes on. */
static void test_probe_is_no_source(void **state)
{
    (void)state;
    struct scene scene;
    uint8_t packet[64];
    open_scene(&scene);
    struct ck_tclient *hostile = ck_rig_client(scene.rig, scene.legs[0]);
    const struct ck_tclient_stats *victim = ck_rig_stats(scene.rig, scene.legs[1]);
    for (uint16_t i = 0; i < 50; i++) {
        size_t size = make_rtp(packet, i % 2 == 0 ? CK_TSDP_PT_OPUS : CK_TSDP_PT_VP8, 0, i);
        assert_int_equal(ck_tclient_send_protected(hostile, packet, size, false), 0);
        ck_rig_run(scene.rig, 10);
    }
    uint64_t pictures = victim->account[1].unique;
    uint64_t sounds = victim->account[0].unique;
    ck_rig_run(scene.rig, 1000);
    assert_true(victim->account[1].unique > pictures + 40);
    assert_true(victim->account[0].unique > sounds + 40);
    assert_int_equal(victim->account[1].corrupt + victim->account[1].foreign, 0);
    ck_rig_settle(scene.rig); /* what is on its way is not lost */
    assert_int_equal(ck_rig_lost(scene.rig, scene.legs), 0);
    close_scene(&scene);
}

struct lie {
    const char *name;
    uint8_t bytes[48];
    size_t size;
};

#define RTP(second) 0x80, second, 0x77, 0x01, 0, 0, 0x10, 0, 0, 0, 0, 0 /* SSRC is filled in */

static const struct lie rtp_lies[] = {
    {"no payload", {RTP(111)}, 12},
    {"payload of one byte", {RTP(96), 0x90}, 13},
    {"VP8 descriptor alone", {RTP(96), 0x90, 0x80, 0x80, 1}, 16},
    {"VP8 descriptor cut off", {RTP(96), 0x90, 0xff}, 14},
    {"VP8 descriptor cut off in the picture number", {RTP(96), 0x90, 0x80, 0x80}, 15},
    {"VP8 key frame cut off", {RTP(96), 0x10, 0x10, 0x02, 0x00, 0x9d, 0x01}, 18},
    {"VP8 key frame without start code", {RTP(96), 0x10, 0x10, 2, 0, 1, 2, 3, 4, 5, 6, 7}, 23},
    {"VP8 key frame of size 0", {RTP(96), 0x10, 0x10, 2, 0, 0x9d, 1, 0x2a, 0, 0, 0, 0}, 23},
    {"VP8 key frame of 16383",
     {RTP(96), 0x10, 0x10, 2, 0, 0x9d, 1, 0x2a, 0xff, 0x3f, 0xff, 0x3f},
     23},
    {"payload type of RTX", {RTP(97), 0, 1}, 14},
    {"payload type of nobody", {RTP(55), 1, 2, 3, 4}, 16},
    {"marker and payload type 127", {RTP(255), 1, 2, 3, 4}, 16},
    {"Opus of code 3 without frames", {RTP(111), 0xff, 0x00}, 14},
    {"Opus with padding beyond its end", {RTP(111), 0x7b, 0x41, 0xff, 0xff}, 16},
};

static const struct lie rtcp_lies[] = {
    {"report of 31 blocks that are not there", {0x9f, 201, 0, 1, 0, 0, 0, 1}, 8},
    {"length beyond the packet", {0x80, 201, 0, 9, 0, 0, 0, 1}, 8},
    {"sender report without its body", {0x80, 200, 0, 1, 0, 0, 0, 1}, 8},
    {"NACK without numbers", {0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}, 12},
    {"NACK cut off", {0x81, 205, 0, 1, 0, 0, 0, 1}, 8},
    {"FIR without entry", {0x84, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0}, 12},
    {"REMB that counts 255 sources",
     {0x8f, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 255, 0, 0, 1},
     20},
    {"REMB of nothing",
     {0x8f, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 0, 0, 0, 0},
     20},
    {"REMB beyond all bounds",
     {0x8f, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 0, 0xff, 0xff, 0xff},
     20},
    {"SDES without end", {0x81, 202, 0, 2, 0, 0, 0, 1, 1, 255, 'a', 'b'}, 12},
    {"BYE of nobody", {0x80, 203, 0, 0, 0x80, 201, 0, 1, 0, 0, 0, 1}, 12},
    {"transport feedback",
     {0x8f, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
     20},
    {"unknown kind", {0x80, 222, 0, 1, 0, 0, 0, 1}, 8},
    {"padding beyond the packet", {0xa0, 201, 0, 1, 0, 0, 0, 255}, 8},
};

/* Packets whose inside lies, while the leg is relayed and recorded. */
static void test_lies(void **state)
{
    (void)state;
    struct scene scene;
    struct ck_film film;
    open_scene(&scene);
    struct ck_tclient *hostile = ck_rig_client(scene.rig, scene.legs[0]);
    assert_int_equal(ck_film_create(&film, scene.legs[0], 3, NULL), 0);
    ck_film_start(scene.rig, &film);
    for (uint16_t round = 0; round < 20; round++) {
        for (size_t i = 0; i < sizeof rtp_lies / sizeof *rtp_lies; i++) {
            uint8_t packet[64];
            memcpy(packet, rtp_lies[i].bytes, sizeof rtp_lies[i].bytes);
            ck_put_u16(packet + 2, (uint16_t)(round * 64 + i));
            ck_put_u32(packet + 8, round % 2 == 0 ? 77 : ck_tclient_ssrc(hostile, i % 2));
            ck_tclient_send_protected(hostile, packet, rtp_lies[i].size, false);
        }
        for (size_t i = 0; i < sizeof rtcp_lies / sizeof *rtcp_lies; i++) {
            ck_tclient_send_protected(hostile, rtcp_lies[i].bytes, rtcp_lies[i].size, true);
        }
        ck_rig_run(scene.rig, 30);
    }
    ck_film_stop(scene.rig, &film);
    assert_non_null(ck_rig_await(scene.rig, CK_WORKER_RECORD_CLOSED, scene.legs[0], 0, 1, 5000));
    ck_film_destroy(&film);
    close_scene(&scene);
}

/* Header extensions that lie about their length; the SRTP library would not protect them, so they
 * go out as what they are to a worker that has to drop them. */
static void test_lying_extensions(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene);
    struct ck_tclient *hostile = ck_rig_client(scene.rig, scene.legs[0]);
    for (unsigned words = 0; words < 64; words++) {
        uint8_t packet[80] = {0x9f, 96, 0, 1};
        ck_put_u32(packet + 8, ck_tclient_ssrc(hostile, 1));
        ck_put_u16(packet + 12, 0xbede);
        ck_put_u16(packet + 14, (uint16_t)(words * 1024));
        ck_tclient_send_raw(hostile, packet, 12 + words);
        packet[0] = 0x90;
        ck_tclient_send_raw(hostile, packet, 12 + words);
    }
    ck_rig_run(scene.rig, 300);
    close_scene(&scene);
}

static bool took_away(struct ck_rig *rig, uint64_t leg)
{
    return ck_rig_count(rig, CK_WORKER_LEG_EVENT, leg, CK_WORKER_EVENT_CLOSED) > 0;
}

/* Fragments of a handshake message of 16 MiB, on a leg whose handshake has begun: nothing is kept
 * beyond a bound, and nobody else feels it. */
static void test_endless_fragments(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene);
    uint64_t leg = ck_rig_open(scene.rig, 3, CK_WORKER_ROLE_PERSON,
                               &(struct ck_tclient_config){.late_dtls = true});
    assert_non_null(
        ck_rig_await(scene.rig, CK_WORKER_LEG_EVENT, leg, CK_WORKER_EVENT_ICE_CONNECTED, 1, 2000));
    for (uint32_t i = 0; i < 4000; i++) {
        uint8_t record[13 + 12 + 1100] = {22, 0xfe, 0xfd};
        ck_put_u16(record + 9, (uint16_t)(i & 0xffff)); /* the record's number */
        ck_put_u16(record + 11, sizeof record - 13);
        record[13] = 1; /* ClientHello */
        ck_put_u24(record + 14, 0xfffff0);
        ck_put_u16(record + 17, (uint16_t)(i % 8));
        ck_put_u24(record + 19, (i * 1100) % 0xfff000);
        ck_put_u24(record + 22, 1100);
        ck_tclient_send_raw(ck_rig_client(scene.rig, leg), record, sizeof record);
        if (i % 100 == 0) {
            ck_rig_run(scene.rig, 5);
        }
    }
    ck_rig_run(scene.rig, 300);
    assert_false(took_away(scene.rig, scene.legs[0]));
    ck_rig_drop_client(scene.rig, leg);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_flood),
        cmocka_unit_test(test_probe_is_no_source),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_lying_extensions),
        cmocka_unit_test(test_endless_fragments),
    };
    cmocka_set_test_filter(getenv("CK_TEST")); /* a pattern of names; unset: all */
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
