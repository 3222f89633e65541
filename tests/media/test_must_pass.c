/* Defects that were found in media servers in use, shown not to be here. must_pass.md lists all of
 * them with the tests that stand elsewhere; this file holds the rest and checks the list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "tests/client/sdp.h"
#include "tests/client/stun.h"
#include "tests/media/film.h"

#define STRANGERS 20 /* more than a leg has places for paths */
#define MEMORY_KIB 16384
#define FLOOD_PACKETS 40000

static struct ck_rig *start(void)
{
    struct ck_rig *rig = NULL;
    assert_int_equal(ck_rig_start(NULL, &rig), 0);
    return rig;
}

static void stop(struct ck_rig *rig)
{
    int status;
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    assert_int_equal(status, 0);
}

static int stranger(void)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    return fd;
}

static void shout(struct ck_rig *rig, int fd, const void *data, size_t size)
{
    struct sockaddr_storage server = ck_rig_media_address(rig, false);
    assert_true(sendto(fd, data, size, 0, (struct sockaddr *)&server, sizeof(struct sockaddr_in)) ==
                (ssize_t)size);
}

static size_t answers(int fd)
{
    uint8_t data[2048];
    size_t count = 0;
    while (recv(fd, data, sizeof data, MSG_DONTWAIT) >= 0) {
        count++;
    }
    return count;
}

static void assert_untouched(struct ck_rig *rig, const uint64_t legs[2])
{
    char text[512];
    ck_rig_settle(rig);
    for (unsigned side = 0; side < 2; side++) {
        assert_string_equal(ck_tclient_faults(ck_rig_client(rig, legs[side]), text), "");
        assert_int_equal(ck_rig_count(rig, CK_WORKER_LEG_EVENT, legs[side], CK_WORKER_EVENT_CLOSED),
                         0);
        assert_int_equal(
            ck_rig_count(rig, CK_WORKER_LEG_EVENT, legs[side], CK_WORKER_EVENT_PATH_CHANGED), 0);
    }
    assert_int_equal(ck_rig_lost(rig, legs), 0);
}

/* --- the list ---------------------------------------------------------------------------------
 */

static bool file_names(const char *file, const char *test)
{
    char path[512];
    char wanted[2][160];
    char line[512];
    bool found = false;
    snprintf(path, sizeof path, "%s/%s", CK_SOURCE_DIR, file);
    snprintf(wanted[0], sizeof wanted[0], "cmocka_unit_test(%s)", test);
    snprintf(wanted[1], sizeof wanted[1], "SERVED(%s)", test); /* with its server */
    FILE *source = fopen(path, "re");
    while (source != NULL && !found && fgets(line, sizeof line, source) != NULL) {
        found = strstr(line, wanted[0]) != NULL || strstr(line, wanted[1]) != NULL;
    }
    if (source != NULL) {
        fclose(source);
    }
    return found;
}

static void test_every_row_has_its_test(void **state)
{
    (void)state;
    char line[1024];
    unsigned seen[10] = {0};
    FILE *list = fopen(CK_SOURCE_DIR "/tests/media/must_pass.md", "re");
    assert_non_null(list);
    while (fgets(line, sizeof line, list) != NULL) {
        unsigned number = 0;
        char file[128];
        char test[128];
        if (sscanf(line, "| %u | %*[^|] | %127[^ |] | %127[^ |] |", &number, file, test) != 3) {
            continue;
        }
        if (number > 9 || !file_names(file, test)) {
            fail_msg("%s has no %s", file, test);
        }
        seen[number]++;
    }
    fclose(list);
    for (unsigned number = 1; number <= 9; number++) {
        assert_true(seen[number] > 0);
    }
}

/* --- 1 ----------------------------------------------------------------------------------------
 */

static size_t make_hello(uint8_t *record, uint16_t number)
{
    size_t body = 60;
    memset(record, 0, 13 + 12 + body);
    record[0] = 22;
    record[1] = 0xfe;
    record[2] = 0xff;
    ck_put_u16(record + 9, number);
    ck_put_u16(record + 11, (uint16_t)(12 + body));
    record[13] = 1;
    ck_put_u24(record + 14, (uint32_t)body);
    ck_put_u24(record + 22, (uint32_t)body);
    record[25] = 0xfe;
    record[26] = 0xfd;
    return 13 + 12 + body;
}

/* Hellos of strangers before, while and after a leg makes its own, and broken ones out of the leg's
 * own address ahead of it: it is connected soon and stays, and no stranger hears a word. */
static void test_1_client_hello_race(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    int fds[4];
    uint8_t hello[128];
    uint16_t number = 0;
    uint64_t legs[2];
    for (unsigned i = 0; i < 4; i++) {
        fds[i] = stranger();
    }
    for (unsigned i = 0; i < 1000; i++) {
        shout(rig, fds[i % 4], hello, make_hello(hello, number++));
    }
    ck_rig_call(rig, 1, &(struct ck_tclient_config){.late_dtls = true}, legs);
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_ICE_CONNECTED, 1, 2000));
    ck_tclient_send_raw(ck_rig_client(rig, legs[0]), hello, make_hello(hello, number++));
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 20; i++) {
            shout(rig, fds[i % 4], hello, make_hello(hello, number++));
        }
        ck_rig_run(rig, 10);
    }
    assert_int_equal(ck_rig_await_media(rig, 3000), 0);
    for (unsigned i = 0; i < 2; i++) {
        const struct ck_tclient_stats *stats = ck_rig_stats(rig, legs[i]);
        print_message("connected after %d ms\n",
                      (int)((stats->dtls_us - stats->answered_us) / 1000));
        assert_true(stats->dtls_us - stats->answered_us < 1200000);
    }
    assert_untouched(rig, legs);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(answers(fds[i]), 0);
        close(fds[i]);
    }
    stop(rig);
}

static uint64_t dropped(struct ck_rig *rig)
{
    size_t heard = ck_rig_count(rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0);
    const struct ck_worker_message *beat =
        ck_rig_await(rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0, heard + 1, 3000);
    assert_non_null(beat);
    return beat->heartbeat.dropped;
}

/* A leg that is connected sends nothing but DTLS: all but a few a second are dropped before the
 * queue that everybody's handshakes wait in, and whoever comes meanwhile is connected as soon as
 * ever. */
static void test_1_one_leg_takes_no_turn_of_another(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    uint64_t legs[2];
    uint64_t others[2] = {0};
    uint8_t hello[128];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    uint64_t before = dropped(rig);
    for (uint16_t i = 0; i < 2000; i++) {
        ck_tclient_send_raw(ck_rig_client(rig, legs[0]), hello, make_hello(hello, i));
        if (i == 1000) {
            ck_rig_call(rig, 2, NULL, others);
        }
        if (i % 20 == 0) {
            ck_rig_run(rig, 10);
        }
    }
    assert_int_equal(ck_rig_await_media(rig, 3000), 0);
    assert_in_range(dropped(rig) - before, 1900, 2100);
    assert_untouched(rig, legs);
    assert_untouched(rig, others);
    stop(rig);
}

/* --- 3 ----------------------------------------------------------------------------------------
 */

/* RTP and RTCP out of the leg's own checked address, with its own SSRC, ahead of its numbers, under
 * nobody's key: no gap is seen, nothing is asked again, no source comes or goes. */
static void test_3_injected_media_changes_nothing(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    struct ck_tclient *victim = ck_rig_client(rig, legs[0]);
    uint64_t asked = ck_rig_stats(rig, legs[0])->nacks_in;
    uint64_t wanted = ck_rig_stats(rig, legs[0])->plis_in;
    for (uint16_t i = 0; i < 2000; i++) {
        uint8_t packet[200] = {0x80, i % 2 == 0 ? CK_TSDP_PT_OPUS : CK_TSDP_PT_VP8};
        ck_put_u16(packet + 2, (uint16_t)(i * 31));
        ck_put_u32(packet + 8, i % 3 == 0 ? i + 1U : ck_tclient_ssrc(victim, i % 2));
        if (i % 5 == 0) {
            packet[1] = 203; /* BYE */
        }
        ck_tclient_send_raw(victim, packet, sizeof packet);
        if (i % 20 == 0) {
            ck_rig_run(rig, 10);
        }
    }
    assert_int_equal(ck_rig_stats(rig, legs[0])->nacks_in, asked);
    assert_true(ck_rig_stats(rig, legs[0])->plis_in <= wanted + 1); /* one of its own rhythm */
    assert_int_equal(ck_rig_count(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_SSRC_REFUSED),
                     0);
    assert_untouched(rig, legs);
    assert_int_equal(ck_rig_stats(rig, legs[0])->report[0].lost, 0);
    assert_int_equal(ck_rig_stats(rig, legs[0])->report[1].lost, 0);
    stop(rig);
}

/* --- 7 ----------------------------------------------------------------------------------------
 */

/* Whoever knows a leg's password proves paths for it; more of them than it has places only push
 * each other out, never the one in use, and each is answered once a check. */
static void test_7_more_paths_than_places(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    uint64_t legs[2];
    int fds[STRANGERS];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    struct ck_tclient *victim = ck_rig_client(rig, legs[0]);
    struct ck_rig_usage before = ck_rig_usage(rig);
    struct ck_tstun_check check = {.type = CK_TSTUN_REQUEST,
                                   .username = ck_tclient_ice_username(victim),
                                   .password = ck_tclient_ice_password(victim),
                                   .priority = 1,
                                   .tie_breaker = 77};
    for (unsigned i = 0; i < STRANGERS; i++) {
        fds[i] = stranger();
    }
    for (uint8_t round = 0; round < 50; round++) {
        for (unsigned i = 0; i < STRANGERS; i++) {
            uint8_t data[CK_TSTUN_MAX];
            check.id[0] = round;
            check.id[1] = (uint8_t)i;
            shout(rig, fds[i], data, ck_tstun_write(&check, data));
        }
        ck_rig_run(rig, 20);
    }
    ck_rig_run(rig, 200);
    assert_untouched(rig, legs);
    for (unsigned i = 0; i < STRANGERS; i++) {
        assert_int_equal(answers(fds[i]), 50); /* and no media */
        close(fds[i]);
    }
    assert_true(ck_rig_usage(rig).rss_kib < before.rss_kib + MEMORY_KIB);
    stop(rig);
}

/* Checks that one leg may make, out of the address of another: they take nothing from it, and its
 * owner hears no answer. */
static void test_7_check_from_the_address_of_another(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    uint64_t legs[2];
    uint64_t others[2];
    ck_rig_call(rig, 1, NULL, legs);
    ck_rig_call(rig, 2, NULL, others);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    const struct ck_tclient *hostile = ck_rig_client(rig, others[0]);
    struct ck_tclient *victim = ck_rig_client(rig, legs[0]);
    struct ck_tstun_check check = {.type = CK_TSTUN_REQUEST,
                                   .username = ck_tclient_ice_username(hostile),
                                   .password = ck_tclient_ice_password(hostile),
                                   .priority = 1,
                                   .use_candidate = true,
                                   .tie_breaker = 77};
    uint64_t answered = ck_rig_stats(rig, legs[0])->bad_stun;
    for (uint8_t i = 0; i < 50; i++) {
        uint8_t data[CK_TSTUN_MAX];
        check.id[0] = i;
        ck_tclient_send_raw(victim, data, ck_tstun_write(&check, data));
        ck_rig_run(rig, 20);
    }
    assert_int_equal(ck_rig_stats(rig, legs[0])->bad_stun, answered);
    assert_untouched(rig, legs);
    assert_untouched(rig, others);
    stop(rig);
}

/* --- 9 ----------------------------------------------------------------------------------------
 */

static void flood(struct ck_rig *rig, struct ck_tclient *hostile)
{
    uint8_t packet[1100] = {0x80, CK_TSDP_PT_VP8};
    static const uint8_t key[] = {0x90, 0x80, 0x80, 0x01, 0x10, 0x02, 0x00,
                                  0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00};
    memcpy(packet + 12, key, sizeof key);
    for (uint32_t i = 0; i < FLOOD_PACKETS; i++) {
        ck_put_u16(packet + 2, (uint16_t)i);
        ck_put_u32(packet + 4, i * 3000);
        ck_put_u32(packet + 8, 7);
        packet[1] = (uint8_t)(CK_TSDP_PT_VP8 | (i % 2 == 0 ? 0x80 : 0));
        packet[22] = (uint8_t)(i % 200 + 1); /* the picture has another size each time */
        ck_tclient_send_protected(hostile, packet, 200 + i % 900, false);
        if (i % 20 == 0) {
            ck_rig_run(rig, 1);
        }
    }
}

/* A leg whose keys are right sends a hundred times what a camera sends, and is recorded: its own
 * recording holds what came, the others' are whole, and the worker grows by no more than its ring.
 */
static void test_9_recorder_under_flood(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    uint64_t legs[2];
    uint64_t others[2];
    struct ck_film films[2];
    struct ck_film_streams streams;
    ck_rig_call(rig, 1, NULL, legs);
    ck_rig_call(rig, 2, NULL, others);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    struct ck_rig_usage before = ck_rig_usage(rig);
    assert_int_equal(ck_film_create(&films[0], legs[0], 1, NULL), 0);
    assert_int_equal(ck_film_create(&films[1], others[0], 2, NULL), 0);
    ck_film_start(rig, &films[0]);
    ck_film_start(rig, &films[1]);
    flood(rig, ck_rig_client(rig, legs[0]));
    assert_true(ck_rig_usage(rig).rss_kib < before.rss_kib + (64 << 10) + MEMORY_KIB);
    for (unsigned i = 0; i < 2; i++) {
        ck_film_stop(rig, &films[i]);
        assert_non_null(ck_rig_await(rig, CK_WORKER_RECORD_CLOSED, films[i].leg, 0, 1, 5000));
    }
    const struct ck_worker_message *closed =
        ck_rig_find(rig, CK_WORKER_RECORD_CLOSED, others[0], 0, 1);
    assert_int_equal(closed->record_closed.error, 0);
    assert_int_equal(closed->record_closed.gaps, 0);
    assert_int_equal(ck_film_probe(&films[1], &streams), 0);
    assert_int_equal(streams.complaints, 0);
    assert_true(streams.video_frames > 30);
    closed = ck_rig_find(rig, CK_WORKER_RECORD_CLOSED, legs[0], 0, 1);
    assert_int_equal(closed->record_closed.error, 0);
    assert_int_equal(closed->record_closed.bytes, ck_film_size(&films[0]));
    assert_untouched(rig, others);
    ck_film_destroy(&films[0]);
    ck_film_destroy(&films[1]);
    stop(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_has_its_test),
        cmocka_unit_test(test_1_client_hello_race),
        cmocka_unit_test(test_1_one_leg_takes_no_turn_of_another),
        cmocka_unit_test(test_3_injected_media_changes_nothing),
        cmocka_unit_test(test_7_more_paths_than_places),
        cmocka_unit_test(test_7_check_from_the_address_of_another),
        cmocka_unit_test(test_9_recorder_under_flood),
    };
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    cmocka_set_test_filter(getenv("CK_TEST")); /* a pattern of names; unset: all */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
