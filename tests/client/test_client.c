/* The test client itself: an oracle has to be right before it may judge. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <opus/opus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "tests/bench/floor.h"
#include "tests/client/client.h"
#include "tests/client/sdp.h"
#include "tests/client/stun.h"

/* RFC 5769 sections 2.1 and 2.2. */
static const char request_hex[] =
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
static const char response_hex[] =
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96";
#define RFC5769_PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"

static void test_stun_vectors(void **state)
{
    (void)state;
    uint8_t bytes[sizeof request_hex / 2];
    struct ck_tstun_seen seen;
    assert_int_equal(ck_hex_decode(request_hex, bytes, sizeof bytes), 0);
    assert_int_equal(ck_tstun_read(bytes, sizeof bytes, RFC5769_PASSWORD, &seen), 0);
    assert_int_equal(seen.type, CK_TSTUN_REQUEST);
    assert_true(seen.has_integrity && seen.has_fingerprint);
    assert_int_equal(ck_tstun_read(bytes, sizeof bytes, "another", &seen), CK_E_AUTH);
    bytes[60] ^= 1;
    assert_int_equal(ck_tstun_read(bytes, sizeof bytes, RFC5769_PASSWORD, &seen), CK_E_AUTH);

    uint8_t answer[sizeof response_hex / 2];
    assert_int_equal(ck_hex_decode(response_hex, answer, sizeof answer), 0);
    assert_int_equal(ck_tstun_read(answer, sizeof answer, RFC5769_PASSWORD, &seen), 0);
    const struct sockaddr_in *mapped = (const struct sockaddr_in *)&seen.mapped;
    assert_true(seen.has_mapped);
    assert_int_equal(ntohs(mapped->sin_port), 32853);
    assert_int_equal(ntohl(mapped->sin_addr.s_addr), 0xc0000201);
}

static void test_stun_round_trip(void **state)
{
    (void)state;
    struct sockaddr_in mapped = {.sin_family = AF_INET, .sin_port = htons(4711)};
    struct ck_tstun_check check = {.type = CK_TSTUN_SUCCESS,
                                   .id = {1, 2, 3},
                                   .password = "secret",
                                   .mapped = (const struct sockaddr *)&mapped};
    uint8_t out[CK_TSTUN_MAX];
    struct ck_tstun_seen seen;
    size_t size = ck_tstun_write(&check, out);
    assert_int_equal(ck_tstun_read(out, size, "secret", &seen), 0);
    assert_int_equal(((struct sockaddr_in *)&seen.mapped)->sin_port, htons(4711));
    check.wrong_fingerprint = true;
    size = ck_tstun_write(&check, out);
    assert_int_equal(ck_tstun_read(out, size, "secret", &seen), CK_E_AUTH);
}

/* Sends mark number `sequence` of call 7, leg 1 into the account. */
static bool feed(struct ck_account *account, uint32_t sequence)
{
    uint8_t payload[80] = {0};
    struct ck_mark mark = {.call = 7, .leg = 1, .sequence = sequence, .timestamp = sequence * 960};
    struct ck_mark read;
    ck_mark_write(&mark, payload, sizeof payload);
    assert_int_equal(ck_mark_read(payload, sizeof payload, &read), 0);
    return ck_account_take(account, &read, sizeof payload, (uint16_t)(sequence + 100),
                           sequence * 960 + 5);
}

static void test_account(void **state)
{
    (void)state;
    static struct ck_account account;
    memset(&account, 0, sizeof account);
    for (uint32_t s = 10; s < 200000; s++) {
        if (s % 1000 != 0) {
            assert_true(feed(&account, s));
        }
    }
    assert_int_equal(ck_account_lost(&account, 200000), 199);
    assert_int_equal(ck_account_lost(&account, 200003), 202);
    assert_true(feed(&account, 199000));
    assert_int_equal(account.reordered, 1);
    assert_false(feed(&account, 199000));
    assert_false(feed(&account, 199999));
    assert_int_equal(account.duplicates, 2);
    assert_false(feed(&account, 1000));
    assert_int_equal(account.late, 1);
    assert_int_equal(ck_account_lost(&account, 200000), 198);
    assert_int_equal(account.time_shifts + account.order_shifts, 0);
    assert_int_equal(account.first, 10);
}

/* Another client in the same place numbers from 0 again: neither doubles nor losses. */
static void test_account_of_two_lives(void **state)
{
    (void)state;
    static struct ck_account account;
    memset(&account, 0, sizeof account);
    for (uint32_t s = 0; s < 100; s++) {
        assert_true(feed(&account, s));
    }
    for (uint32_t s = 5; s < 50; s++) {
        struct ck_mark mark = {.call = 7, .leg = 1, .sequence = s, .origin = 9};
        assert_true(ck_account_take(&account, &mark, 80, (uint16_t)s, 0));
    }
    assert_int_equal(account.duplicates + account.reordered + account.late, 0);
    assert_int_equal(account.unique, 145);
    assert_int_equal(ck_account_lost(&account, 50), 0);
    assert_int_equal(ck_account_lost(&account, 51), 1);
}

static void test_mark_tells_corruption(void **state)
{
    (void)state;
    uint8_t payload[200];
    struct ck_mark mark = {.call = 1};
    struct ck_mark read;
    memset(payload, 3, sizeof payload);
    ck_mark_write(&mark, payload, sizeof payload);
    for (size_t i = 0; i < sizeof payload; i++) {
        payload[i] ^= 0x10;
        assert_int_not_equal(ck_mark_read(payload, sizeof payload, &read), 0);
        payload[i] ^= 0x10;
    }
    assert_int_not_equal(ck_mark_read(payload + 1, sizeof payload - 1, &read), 0);
    assert_int_equal(ck_mark_read(payload, sizeof payload, &read), 0);
}

static void test_histogram(void **state)
{
    (void)state;
    static struct ck_histogram histogram;
    for (uint64_t us = 1; us <= 1000; us++) {
        ck_histogram_add(&histogram, us);
    }
    uint64_t p50 = ck_histogram_quantile(&histogram, 0.5);
    uint64_t p99 = ck_histogram_quantile(&histogram, 0.99);
    assert_true(p50 >= 500 && p50 < 535);
    assert_true(p99 >= 990 && p99 < 1060);
}

/* Every frame of the clip decodes with strange bytes behind it, also round the loop. */
static void test_clip_decodes(void **state)
{
    (void)state;
    struct ck_clip *clip = NULL;
    vpx_codec_ctx_t codec;
    assert_int_equal(ck_clip_create(880, 90, &clip), 0);
    assert_int_equal(vpx_codec_dec_init(&codec, vpx_codec_vp8_dx(), NULL, 0), VPX_CODEC_OK);
    for (size_t i = 0; i < 3 * CK_CLIP_FRAMES; i++) {
        uint8_t frame[2400];
        struct ck_clip_piece piece = ck_clip_frame(clip, i);
        memset(frame, (int)(i * 37), sizeof frame);
        memcpy(frame, piece.data, piece.size);
        assert_int_equal(vpx_codec_decode(&codec, frame, sizeof frame, NULL, 0), VPX_CODEC_OK);
        vpx_codec_iter_t next = NULL;
        const vpx_image_t *image = vpx_codec_get_frame(&codec, &next);
        assert_non_null(image);
        assert_int_equal(image->d_w, CK_CLIP_WIDTH);
        unsigned number = 0;
        for (unsigned bit = 0; bit < 6; bit++) {
            uint8_t luma = image->planes[0][48 * image->stride[0] + 48 + (int)bit * 32];
            number |= (luma > 128 ? 1U : 0) << bit;
        }
        assert_int_equal(number, i == 0 ? 0 : (1 + (i - 1) % 60) % 60);
    }
    vpx_codec_destroy(&codec);

    int error;
    OpusDecoder *decoder = opus_decoder_create(48000, 1, &error);
    for (size_t i = 0; i < CK_CLIP_SOUNDS; i++) {
        uint8_t packet[80] = {0};
        int16_t pcm[960];
        struct ck_clip_piece piece = ck_clip_sound(clip, i, &packet[0]);
        packet[1] = 0x41;
        packet[2] = (uint8_t)(sizeof packet - 3 - piece.size);
        memcpy(packet + 3, piece.data, piece.size);
        memset(packet + 3 + piece.size, 0xee, packet[2]);
        assert_int_equal(opus_decode(decoder, packet, sizeof packet, pcm, 960, 0), 960);
        int16_t peak = 0;
        for (size_t s = 0; s < 960; s++) {
            peak = pcm[s] > peak ? pcm[s] : peak;
        }
        assert_true(i % 50 >= 1 && i % 50 < 5 ? peak > 6000 : i % 50 < 8 || peak < 1500);
    }
    opus_decoder_destroy(decoder);
    ck_clip_destroy(clip);
}

static void test_nack_and_reports(void **state)
{
    (void)state;
    uint8_t out[CK_TRTP_RTCP_MAX];
    const uint16_t lost[] = {65530, 65531, 3, 10, 400};
    struct ck_trtp_feedback seen;
    struct ck_trtp_sender sender = {.ssrc = 5, .ntp = 77, .packets = 3, .bytes = 9};
    struct ck_trtp_report report = {.ssrc = 9, .lost = -2, .highest = 70000};
    size_t size = ck_trtp_write_report(&sender, &report, 1, out, sizeof out);
    size += ck_trtp_write_sdes(5, "name", out + size, sizeof out - size);
    size += ck_trtp_write_nack(5, 9, lost, 5, out + size, sizeof out - size);
    size += ck_trtp_write_pli(5, 9, out + size, sizeof out - size);
    assert_int_equal(ck_trtp_read_rtcp(out, size, &seen), 0);
    assert_int_equal(seen.nacks, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(seen.nack[i], lost[i]);
    }
    assert_int_equal(seen.plis, 1);
    assert_int_equal(seen.report[0].lost, -2);
    assert_int_equal(seen.sender.ntp, 77);
    assert_int_equal(ck_trtp_read_rtcp(out, size - 4, &seen), CK_E_SYNTAX);
}

struct pair {
    struct ck_crowd *crowd;
    struct ck_clip *clip;
    struct ck_identity *identity;
    struct ck_tclient *client[2];
    int floor_stop;
    pid_t floor;
};

static void start_floor(struct pair *pair)
{
    struct ck_floor_leg legs[2];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int stop[2];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_storage own;
        assert_int_equal(ck_tclient_address(pair->client[i], &own), 0);
        memcpy(&legs[i].address, &own, sizeof legs[i].address);
        memset(legs[i].keys, (int)i + 1, sizeof legs[i].keys);
        legs[i].keys[20] = 9;
        legs[i].peer = 1 - i;
    }
    pair->floor = fork();
    if (pair->floor == 0) {
        close(stop[1]);
        _exit(ck_floor_run(fd, legs, 2, false, stop[0]) == 0 ? 0 : 1);
    }
    assert_true(pair->floor > 0);
    close(stop[0]);
    close(fd);
    pair->floor_stop = stop[1];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            ck_tclient_plain(pair->client[i], (struct sockaddr *)&address, legs[i].keys), 0);
    }
}

static bool all_came(void *arg)
{
    struct pair *pair = arg;
    for (size_t i = 0; i < 2; i++) {
        const struct ck_tclient_stats *from = ck_tclient_stats(pair->client[1 - i]);
        const struct ck_tclient_stats *to = ck_tclient_stats(pair->client[i]);
        for (unsigned kind = 0; kind < 2; kind++) {
            if (from->sent[kind] < 40 || to->account[kind].unique != from->sent[kind]) {
                return false;
            }
        }
    }
    return true;
}

/* Two clients through the bare relay: everything sent comes, and nothing is found wrong with it. */
static void test_media_through_floor(void **state)
{
    (void)state;
    struct pair pair = {.floor = 0};
    char text[512];
    assert_int_equal(ck_crowd_create(&pair.crowd), 0);
    assert_int_equal(ck_clip_create(440, 200, &pair.clip), 0);
    assert_int_equal(ck_identity_create(&pair.identity), 0);
    for (uint8_t i = 0; i < 2; i++) {
        struct ck_tclient_config config = {.crowd = pair.crowd,
                                           .identity = pair.identity,
                                           .clip = pair.clip,
                                           .call = 3,
                                           .leg = i,
                                           .seed = 11,
                                           .first_sequence = 65500};
        assert_int_equal(ck_tclient_create(&config, &pair.client[i]), 0);
    }
    start_floor(&pair);
    ck_crowd_until(pair.crowd, NULL, NULL, 1500);
    ck_tclient_send(pair.client[0], false, false);
    ck_tclient_send(pair.client[1], false, false);
    assert_int_equal(ck_crowd_until(pair.crowd, all_came, &pair, 5000), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(ck_tclient_faults(pair.client[i], text), "");
        const struct ck_tclient_stats *stats = ck_tclient_stats(pair.client[i]);
        assert_int_equal(stats->frames_whole, ck_tclient_stats(pair.client[1 - i])->frames_sent);
        assert_int_equal(stats->key_frames, 1);
    }
    ck_tclient_destroy(pair.client[0]);
    ck_tclient_destroy(pair.client[1]);
    close(pair.floor_stop);
    int status;
    assert_int_equal(waitpid(pair.floor, &status, 0), pair.floor);
    assert_int_equal(status, 0);
    ck_identity_destroy(pair.identity);
    ck_clip_destroy(pair.clip);
    ck_crowd_destroy(pair.crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stun_vectors),
        cmocka_unit_test(test_stun_round_trip),
        cmocka_unit_test(test_account),
        cmocka_unit_test(test_account_of_two_lives),
        cmocka_unit_test(test_mark_tells_corruption),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_clip_decodes),
        cmocka_unit_test(test_nack_and_reports),
        cmocka_unit_test(test_media_through_floor),
    };
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
