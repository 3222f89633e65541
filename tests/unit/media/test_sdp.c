/* Session descriptions: offers of real browsers (tests/data/sdp), what our answers say about them,
 * and offers that are wrong, with the line that is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media/sdp/sdp.h"
#include "protocol/base/error.h"

static char text[65536];

static size_t fixture(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/tests/data/sdp/%s", CK_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    return size;
}

static struct ck_sdp_offer offer;
static struct ck_sdp_fault fault;

static void assert_reads(const char *sdp, size_t size)
{
    int error = ck_sdp_read_offer(sdp, size, &offer, &fault);
    if (error != CK_SDP_OK) {
        fail_msg("line %u: %s", fault.line, fault.message);
    }
}

static const struct ck_sdp_candidate candidates[] = {
    {.v6 = false, .address = "192.0.2.7", .port = 7000},
    {.v6 = true, .address = "2001:db8::7", .port = 7001},
    {.tcp = true, .address = "192.0.2.7", .port = 7002},
};
static struct ck_sdp_answer answer = {
    .session = 4711,
    .version = 1,
    .ufrag = "OURS",
    .password = "0123456789012345678901",
    .fingerprint = "AB:CD",
    .candidate_count = 3,
    .candidates = candidates,
    .cname = "cname",
    .ssrc = {11, 22},
    .rtx_ssrc = 33,
    .video_bitrate = 800000,
};

static char *answered(void)
{
    static char out[CK_SDP_ANSWER_MAX + 1];
    size_t size = 0;
    assert_int_equal(ck_sdp_write_answer(&offer, &answer, out, CK_SDP_ANSWER_MAX, &size), 0);
    out[size] = '\0';
    /* Without it a browser turns the picture itself, and so it lies in the file: no answer to
     * anybody takes it. */
    assert_null(strstr(out, "video-orientation"));
    return out;
}

static void assert_has(const char *sdp, const char *line)
{
    if (strstr(sdp, line) == NULL) {
        fail_msg("no \"%s\" in:\n%s", line, sdp);
    }
}

static void assert_lacks(const char *sdp, const char *line)
{
    if (strstr(sdp, line) != NULL) {
        fail_msg("\"%s\" in:\n%s", line, sdp);
    }
}

static void test_chromium(void **state)
{
    (void)state;
    assert_reads(text, fixture("chromium-156.sdp"));
    assert_int_equal(offer.audio, 0);
    assert_int_equal(offer.video, 1);
    assert_int_equal(offer.sections[0].type, 111);
    assert_int_equal(offer.sections[1].type, 96);
    assert_int_equal(offer.sections[1].rtx_type, 97);
    assert_true(offer.sections[1].nack && offer.sections[1].nack_pli && offer.sections[1].ccm_fir &&
                offer.sections[1].remb);
    assert_false(offer.sections[0].nack); /* and answered all the same: */
    assert_int_equal(offer.fingerprint.hash, CK_DTLS_SHA256);
    const char *sdp = answered();
    assert_has(sdp, "a=group:BUNDLE 0 1\r\n");
    assert_has(sdp, "a=ice-lite\r\n");
    assert_has(sdp, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n");
    assert_has(sdp, "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n");
    assert_has(sdp, "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n");
    assert_has(sdp, "a=ssrc-group:FID 22 33\r\n");
    assert_has(sdp, "a=setup:passive\r\n");
    assert_has(sdp, "a=rtcp-rsize\r\n");
    assert_has(sdp, "a=rtcp-fb:96 goog-remb\r\n");
    assert_has(sdp, "a=ssrc:22 cname:cname\r\n");
    assert_has(sdp, "a=sendrecv\r\n");
    assert_has(sdp, "b=TIAS:800000\r\n");
    assert_has(sdp, " 192.0.2.7 7000 typ host\r\n");
    assert_has(sdp, " 2001:db8::7 7001 typ host\r\n");
    assert_has(sdp, " 1 tcp 1520434687 192.0.2.7 7002 typ host tcptype passive\r\n");
    assert_has(sdp, "a=end-of-candidates\r\n");
    assert_has(sdp, "a=fmtp:111 minptime=10;useinbandfec=1;maxaveragebitrate=24000\r\n");
    assert_has(sdp, "a=ptime:40\r\n");
    assert_has(sdp, "a=rtcp-fb:111 nack\r\n");
    assert_has(sdp, "a=rtcp-fb:111 transport-cc\r\n");
    assert_has(sdp, "a=rtcp-fb:96 transport-cc\r\n");
    assert_has(sdp, "a=extmap:3 " CK_SDP_URI_TRANSPORT "\r\n");
    assert_non_null(strstr(text, "video-orientation"));
    assert_lacks(sdp, "rtp-stream-id");
    assert_lacks(sdp, "H264");
}

static void test_firefox(void **state)
{
    (void)state;
    assert_reads(text, fixture("firefox-153.sdp"));
    assert_int_equal(offer.sections[offer.audio].type, 109);
    assert_int_equal(offer.sections[offer.video].type, 120);
    assert_int_equal(offer.fingerprint.hash, CK_DTLS_SHA256); /* it stands before the sections */
    const char *sdp = answered();
    assert_has(sdp, "m=video 9 UDP/TLS/RTP/SAVPF 120 124\r\n");
    assert_has(sdp, "a=extmap:7 " CK_SDP_URI_TRANSPORT "\r\n");
    assert_has(sdp, "a=mid:0\r\n");
}

/* Phones' browsers, old and new: each gets Opus, VP8 and its retransmissions under its own numbers,
 * and nothing else. */
static void test_odd_browsers(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        uint8_t audio;
        uint8_t video;
        uint8_t rtx;
        uint8_t transport;
        const char *bundle;
    } offers[] = {
        {"safari-12.sdp", 111, 100, 101, 5, "a=group:BUNDLE audio video\r\n"},
        {"safari-18.sdp", 111, 127, 125, 4, "a=group:BUNDLE 0 1\r\n"},
        {"samsung-internet-5.sdp", 111, 100, 96, 5, "a=group:BUNDLE audio video\r\n"},
        {"samsung-internet-25.sdp", 111, 96, 97, 3, "a=group:BUNDLE 0 1\r\n"},
        {"firefox-android-128.sdp", 109, 120, 124, 7, "a=group:BUNDLE 0 1\r\n"},
    };
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        print_message("%s\n", offers[i].file);
        assert_reads(text, fixture(offers[i].file));
        const struct ck_sdp_section *video = &offer.sections[offer.video];
        assert_int_equal(offer.sections[offer.audio].type, offers[i].audio);
        assert_int_equal(video->type, offers[i].video);
        assert_int_equal(video->rtx_type, offers[i].rtx);
        assert_int_equal(offer.transport_id, offers[i].transport);
        assert_true(video->nack && video->nack_pli && video->ccm_fir && video->remb);
        const char *sdp = answered();
        assert_has(sdp, offers[i].bundle);
        assert_lacks(sdp, "H264");
        assert_lacks(sdp, "red/");
        assert_lacks(sdp, "ulpfec");
        char media[64];
        (void)snprintf(media, sizeof media, "m=video 9 UDP/TLS/RTP/SAVPF %u %u\r\n",
                       offers[i].video, offers[i].rtx);
        assert_has(sdp, media);
    }
}

/* --- made offers
 * ------------------------------------------------------------------------------------- */

#define HEAD "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE a v\r\n"
#define PRINT                                                                                      \
    "a=fingerprint:sha-256 "                                                                       \
    "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:"   \
    "1E:1F\r\n"
#define TRANSPORT                                                                                  \
    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n" PRINT                               \
    "a=setup:actpass\r\na=rtcp-mux\r\n"
#define AUDIO_SECTION                                                                              \
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\na=rtpmap:111 opus/48000/2\r\n" TRANSPORT
#define VIDEO_SECTION                                                                              \
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\na=rtpmap:96 VP8/90000\r\n" TRANSPORT

static void test_directions(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"a=sendonly\r\n", "a=recvonly\r\n"},
        {"a=recvonly\r\n", "a=sendonly\r\n"},
        {"a=inactive\r\n", "a=inactive\r\n"},
        {"a=sendrecv\r\n", "a=sendrecv\r\n"},
        {"", "a=sendrecv\r\n"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char sdp[4096];
        (void)snprintf(sdp, sizeof sdp, "%s%s%s", HEAD, AUDIO_SECTION, pairs[i][0]);
        assert_reads(sdp, strlen(sdp));
        assert_has(answered(), pairs[i][1]);
    }
    assert_reads(HEAD AUDIO_SECTION "a=sendonly\r\n", strlen(HEAD AUDIO_SECTION "a=sendonly\r\n"));
    assert_lacks(answered(), "a=ssrc:"); /* nothing is sent to who does not receive */
}

/* Sections beyond the first of each kind, of other kinds or outside the bundle are refused one by
 * one. */
static void test_other_sections_are_rejected(void **state)
{
    (void)state;
    static const char sdp[] = HEAD AUDIO_SECTION VIDEO_SECTION
        "m=video 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:second\r\na=rtpmap:98 VP8/90000\r\n"
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:data\r\n";
    assert_reads(sdp, strlen(sdp));
    const char *out = answered();
    assert_has(out, "a=group:BUNDLE a v\r\n");
    assert_has(out, "m=video 0 UDP/TLS/RTP/SAVPF 98\r\n");
    assert_has(out, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n");
    assert_has(out, "a=mid:data\r\n");
}

static void test_h264_before_vp8(void **state)
{
    (void)state;
    static const char sdp[] = HEAD AUDIO_SECTION
        "m=video 9 UDP/TLS/RTP/SAVPF 102 103 120 121\r\na=mid:v\r\na=rtpmap:102 H264/90000\r\n"
        "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\na=rtpmap:120 vp8/90000\r\n"
        "a=rtpmap:121 rtx/90000\r\na=fmtp:121 apt=120\r\na=rtcp-fb:* nack\r\n" TRANSPORT;
    assert_reads(sdp, strlen(sdp));
    assert_int_equal(offer.sections[offer.video].type, 120);
    assert_int_equal(offer.sections[offer.video].rtx_type, 121);
    assert_true(offer.sections[offer.video].nack);
    assert_has(answered(), "m=video 9 UDP/TLS/RTP/SAVPF 120 121\r\n");
}

static void test_sound_alone(void **state)
{
    (void)state;
    static const char sdp[] = HEAD AUDIO_SECTION "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\n";
    assert_reads(sdp, strlen(sdp));
    assert_int_equal(offer.video, -1);
    assert_has(answered(), "a=group:BUNDLE a\r\n");
}

static void test_faults_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *sdp;
        int error;
        unsigned line;
        const char *says;
    } faults[] = {
        {"", CK_SDP_SYNTAX, 0, "empty"},
        {"hello", CK_SDP_SYNTAX, 1, "x=value"},
        {"o=- 1 1 IN IP4 0.0.0.0\r\n", CK_SDP_SYNTAX, 1, "v="},
        {"v=0\r\nv=0\r\n", CK_SDP_SYNTAX, 2, "v="},
        {"v=1\r\n", CK_SDP_SYNTAX, 1, "version"},
        {"v=0\r\n\r\n", CK_SDP_SYNTAX, 2, "x=value"},
        {"v=0\r\nm=audio\r\n", CK_SDP_SYNTAX, 2, "m="},
        {"v=0\r\nm=audio 70000 RTP/SAVPF 1\r\n", CK_SDP_SYNTAX, 2, "m="},
        {"v=0\r\nm=audio 9 RTP/SAVPF 128\r\n", CK_SDP_SYNTAX, 2, "payload type"},
        {"v=0\r\nm=audio 9 RTP/SAVPF 1\r\na=rtpmap:128 opus/48000\r\n", CK_SDP_SYNTAX, 3,
         "payload type"},
        {"v=0\r\nm=video 9 RTP/SAVPF 1\r\na=fmtp:1 apt=300\r\n", CK_SDP_SYNTAX, 3, "apt"},
        {"v=0\r\nm=audio 9 RTP/SAVPF 1\r\na=mid:a b\r\n", CK_SDP_SYNTAX, 3, "mid"},
        {"v=0\r\nm=audio 9 RTP/SAVPF 1\r\na=mid:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
         CK_SDP_LIMIT, 3, "mid"},
        {"v=0\r\na=ice-ufrag:abc\r\n", CK_SDP_SYNTAX, 2, "ufrag"},
        {"v=0\r\na=ice-pwd:short\r\n", CK_SDP_SYNTAX, 2, "pwd"},
        {"v=0\r\na=fingerprint:sha-256 AB:CD\r\n", CK_SDP_SYNTAX, 2, "fingerprint"},
        {"v=0\r\na=setup:whatever\r\n", CK_SDP_SYNTAX, 2, "setup"},
        {"v=0\r\n", CK_SDP_UNSUPPORTED, 0, "BUNDLE"},
        {HEAD "m=audio 9 RTP/SAVPF 0\r\na=mid:a\r\na=rtpmap:0 PCMU/8000\r\n", CK_SDP_UNSUPPORTED, 0,
         "Opus or VP8"},
        {HEAD "m=audio 9 RTP/SAVPF 1\r\na=mid:a\r\na=rtpmap:1 opus/48000/2\r\n", CK_SDP_UNSUPPORTED,
         6, "rtcp-mux"},
        {HEAD "m=audio 9 RTP/SAVPF 1\r\na=mid:a\r\na=rtpmap:1 opus/48000/2\r\n"
              "a=rtcp-mux\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n",
         CK_SDP_UNSUPPORTED, 6, "fingerprint"},
        {HEAD "m=audio 9 RTP/SAVPF 1\r\na=mid:a\r\na=rtpmap:1 opus/48000/2\r\n"
              "a=rtcp-mux\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n" PRINT
              "a=setup:passive\r\n",
         CK_SDP_UNSUPPORTED, 6, "setup"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        int error = ck_sdp_read_offer(faults[i].sdp, strlen(faults[i].sdp), &offer, &fault);
        if (error != faults[i].error || fault.line != faults[i].line ||
            strstr(fault.message, faults[i].says) == NULL) {
            fail_msg("%zu: %d, line %u: %s", i, error, fault.line, fault.message);
        }
    }
}

static void test_one_number_for_two_codecs(void **state)
{
    (void)state;
    static const char sdp[] = HEAD AUDIO_SECTION
        "m=video 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:v\r\na=rtpmap:111 VP8/90000\r\n" TRANSPORT;
    assert_int_equal(ck_sdp_read_offer(sdp, strlen(sdp), &offer, &fault), CK_SDP_UNSUPPORTED);
    assert_non_null(strstr(fault.message, "111"));
}

static size_t repeat(const char *head, const char *line, unsigned count)
{
    size_t size = (size_t)sprintf(text, "%s", head);
    for (unsigned i = 0; i < count; i++) {
        size += (size_t)sprintf(text + size, "%s", line);
    }
    return size;
}

static void test_limits(void **state)
{
    (void)state;
    size_t size = repeat("v=0\r\n", "a=x\r\n", CK_SDP_LINES_MAX);
    assert_int_equal(ck_sdp_read_offer(text, size, &offer, &fault), CK_SDP_LIMIT);
    size = repeat("v=0\r\n", "m=audio 9 RTP/SAVPF 1\r\n", CK_SDP_SECTIONS_MAX);
    assert_int_equal(ck_sdp_read_offer(text, size, &offer, &fault), CK_SDP_UNSUPPORTED);
    size = repeat("v=0\r\n", "m=audio 9 RTP/SAVPF 1\r\n", CK_SDP_SECTIONS_MAX + 1);
    assert_int_equal(ck_sdp_read_offer(text, size, &offer, &fault), CK_SDP_LIMIT);
    assert_int_equal(fault.line, CK_SDP_SECTIONS_MAX + 2);
    size = repeat("v=0\r\na=", "x", CK_SDP_LINE_MAX);
    assert_int_equal(ck_sdp_read_offer(text, size, &offer, &fault), CK_SDP_LIMIT);
}

/* A real offer cut anywhere, or with any byte replaced, is read or refused, within its bounds. */
static void test_every_cut_and_change(void **state)
{
    (void)state;
    size_t size = fixture("chromium-156.sdp");
    char *copy = malloc(size);
    assert_non_null(copy);
    for (size_t cut = 0; cut < size; cut += 7) {
        char *exact = malloc(cut + 1);
        assert_non_null(exact);
        memcpy(exact, text, cut);
        (void)ck_sdp_read_offer(exact, cut, &offer, &fault);
        free(exact);
    }
    static const char values[] = {'\0', '\n', ' ', ':', '9', (char)0xff};
    for (size_t at = 0; at < size; at += 3) {
        for (size_t v = 0; v < sizeof values; v++) {
            memcpy(copy, text, size);
            copy[at] = values[v];
            if (ck_sdp_read_offer(copy, size, &offer, &fault) == CK_SDP_OK) {
                (void)answered();
            }
        }
    }
    free(copy);
}

static void test_answer_that_does_not_fit(void **state)
{
    (void)state;
    assert_reads(text, fixture("firefox-153.sdp"));
    size_t whole = strlen(answered());
    for (size_t room = 1; room < whole; room += 13) {
        char *exact = malloc(room);
        size_t size = 4711;
        assert_non_null(exact);
        assert_int_equal(ck_sdp_write_answer(&offer, &answer, exact, room, &size), CK_E_LIMIT);
        assert_int_equal(size, 4711);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chromium),
        cmocka_unit_test(test_firefox),
        cmocka_unit_test(test_odd_browsers),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_other_sections_are_rejected),
        cmocka_unit_test(test_h264_before_vp8),
        cmocka_unit_test(test_sound_alone),
        cmocka_unit_test(test_faults_name_the_line),
        cmocka_unit_test(test_one_number_for_two_codecs),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_every_cut_and_change),
        cmocka_unit_test(test_answer_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
