/* RTP, the VP8 descriptor and RTCP: what we write is what we read, and bytes that lie about their
 * lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/rtp.h"
#include "protocol/rtp_control.h"

/* --- RTP ----------------------------------------------------------------------------------------
 */

static void test_header_round_trip(void **state)
{
    (void)state;
    struct ck_rtp rtp = {
        .marker = true, .payload_type = 111, .sequence = 65535, .timestamp = 1, .ssrc = 0xdeadbeef};
    uint8_t packet[20] = {0};
    ck_rtp_write_header(&rtp, packet);
    struct ck_rtp read;
    assert_int_equal(ck_rtp_read(packet, sizeof packet, &read), 0);
    assert_true(read.marker);
    assert_int_equal(read.payload_type, 111);
    assert_int_equal(read.sequence, 65535);
    assert_int_equal(read.timestamp, 1);
    assert_int_equal(read.ssrc, 0xdeadbeef);
    assert_int_equal(read.header_size, 12);
    assert_int_equal(read.payload_size, 8);
}

static void test_header_lengths(void **state)
{
    (void)state;
    uint8_t packet[64] = {0x80, 96};
    struct ck_rtp rtp;
    for (size_t size = 0; size < 12; size++) {
        assert_int_equal(ck_rtp_read(packet, size, &rtp), CK_E_TRUNCATED);
    }
    packet[0] = 0x8f; /* fifteen contributing sources: 72 bytes of header */
    assert_int_equal(ck_rtp_read(packet, sizeof packet, &rtp), CK_E_TRUNCATED);
    packet[0] = 0x90; /* an extension: its length counts */
    packet[15] = 12;
    assert_int_equal(ck_rtp_read(packet, sizeof packet, &rtp), 0);
    assert_int_equal(rtp.payload_size, 0);
    packet[15] = 13;
    assert_int_equal(ck_rtp_read(packet, sizeof packet, &rtp), CK_E_TRUNCATED);
    packet[14] = 0xff;
    assert_int_equal(ck_rtp_read(packet, sizeof packet, &rtp), CK_E_TRUNCATED);
    assert_int_equal(ck_rtp_read(packet, 14, &rtp), CK_E_TRUNCATED);
    packet[0] = 0x40; /* version 1 */
    assert_int_equal(ck_rtp_read(packet, sizeof packet, &rtp), CK_E_SYNTAX);
    uint8_t *large = calloc(1, CK_RTP_PACKET_MAX + 1);
    assert_non_null(large);
    large[0] = 0x80;
    assert_int_equal(ck_rtp_read(large, CK_RTP_PACKET_MAX, &rtp), 0);
    assert_int_equal(ck_rtp_read(large, CK_RTP_PACKET_MAX + 1, &rtp), CK_E_LIMIT);
    free(large);
}

static void test_padding(void **state)
{
    (void)state;
    uint8_t packet[20] = {0xa0, 96};
    struct ck_rtp rtp;
    packet[19] = 8; /* padding alone: a probe */
    assert_int_equal(ck_rtp_read(packet, sizeof packet, &rtp), 0);
    assert_int_equal(rtp.payload_size, 0);
    packet[19] = 3;
    assert_int_equal(ck_rtp_read(packet, sizeof packet, &rtp), 0);
    assert_int_equal(rtp.payload_size, 5);
    packet[19] = 9; /* more than there is */
    assert_int_equal(ck_rtp_read(packet, sizeof packet, &rtp), CK_E_SYNTAX);
    packet[19] = 0;
    assert_int_equal(ck_rtp_read(packet, sizeof packet, &rtp), CK_E_SYNTAX);
    assert_int_equal(ck_rtp_read(packet, 12, &rtp),
                     CK_E_SYNTAX); /* reads the SSRC's last byte: 0 */
    assert_int_equal(ck_rtp_read_header(packet, sizeof packet, &rtp), 0);
    assert_int_equal(rtp.payload_size, 8);
}

static void test_demultiplexing(void **state)
{
    (void)state;
    uint8_t b[12] = {0};
    for (unsigned first = 0; first < 256; first++) {
        b[0] = (uint8_t)first;
        enum ck_datagram expected = first <= 3                    ? CK_DATAGRAM_STUN
                                    : first >= 20 && first <= 63  ? CK_DATAGRAM_DTLS
                                    : first >= 128 && first < 192 ? CK_DATAGRAM_RTP
                                                                  : CK_DATAGRAM_OTHER;
        assert_int_equal(ck_datagram_kind(b, sizeof b), expected);
    }
    b[0] = 0x80;
    for (unsigned second = 0; second < 256; second++) {
        b[1] = (uint8_t)second;
        assert_int_equal(ck_datagram_kind(b, sizeof b),
                         second >= 192 && second <= 223 ? CK_DATAGRAM_RTCP : CK_DATAGRAM_RTP);
    }
    assert_int_equal(ck_datagram_kind(b, 0), CK_DATAGRAM_OTHER);
    assert_int_equal(ck_datagram_kind(b, 1), CK_DATAGRAM_OTHER);
}

/* Elements of both forms are found; what reaches beyond the header is not there. */
static void test_extensions(void **state)
{
    (void)state;
    uint8_t packet[40] = {0x90, 96, [12] = 0xBE, 0xDE, 0,    2, /* one-byte form, eight bytes: */
                          0x10, 7,  0,           0x31, 0x12, 0x34, 0x4f, 0};
    struct ck_rtp rtp;
    size_t size = 0;
    assert_int_equal(ck_rtp_read(packet, sizeof packet, &rtp), 0);
    const uint8_t *element = ck_rtp_extension(packet, &rtp, 3, &size);
    assert_non_null(element);
    assert_int_equal(size, 2);
    assert_int_equal(element[0], 0x12);
    assert_non_null(ck_rtp_extension(packet, &rtp, 1, &size));
    assert_int_equal(size, 1);
    assert_null(ck_rtp_extension(packet, &rtp, 2, &size));
    assert_null(ck_rtp_extension(packet, &rtp, 4, &size)); /* sixteen bytes that are not there */
    uint8_t wide[40] = {0x90, 96, [12] = 0x10, 0x00, 0, 2, 0, 5, 2, 9, 8, 1, 0, 6};
    assert_int_equal(ck_rtp_read(wide, sizeof wide, &rtp), 0);
    element = ck_rtp_extension(wide, &rtp, 5, &size);
    assert_non_null(element);
    assert_int_equal(size, 2);
    assert_int_equal(element[1], 8);
    assert_non_null(ck_rtp_extension(wide, &rtp, 1, &size)); /* an empty one is one */
    assert_int_equal(size, 0);
    assert_null(ck_rtp_extension(wide, &rtp, 6, &size));
    uint8_t none[40] = {0x80, 96};
    assert_int_equal(ck_rtp_read(none, sizeof none, &rtp), 0);
    assert_null(ck_rtp_extension(none, &rtp, 1, &size));
}

static void test_retransmission_payload(void **state)
{
    (void)state;
    const uint8_t payload[] = {0x12, 0x34, 9};
    uint16_t original = 0;
    size_t size = 99;
    assert_int_equal(ck_rtp_read_rtx(payload, 0, &original, &size), CK_E_TRUNCATED);
    assert_int_equal(ck_rtp_read_rtx(payload, 1, &original, &size), CK_E_TRUNCATED);
    assert_int_equal(size, 99);
    assert_int_equal(ck_rtp_read_rtx(payload, 2, &original, &size), 0);
    assert_int_equal(size, 0);
    assert_int_equal(ck_rtp_read_rtx(payload, 3, &original, &size), 0);
    assert_int_equal(original, 0x1234);
    assert_int_equal(size, 1);
}

static void test_ahead(void **state)
{
    (void)state;
    assert_int_equal(ck_rtp_ahead(5, 3), 2);
    assert_int_equal(ck_rtp_ahead(3, 5), -2);
    assert_int_equal(ck_rtp_ahead(2, 65534), 4);
    assert_int_equal(ck_rtp_ahead(65534, 2), -4);
}

/* --- VP8 ----------------------------------------------------------------------------------------
 */

static void test_vp8_key_frame(void **state)
{
    (void)state;
    /* Extended, start of partition 0, 15-bit picture number 0x1234; 640 x 480. */
    const uint8_t payload[] = {0x90, 0x80, 0x92, 0x34, 0x50, 0x01, 0x00, 0x9d,
                               0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01, 0xff};
    struct ck_vp8 vp8;
    assert_int_equal(ck_vp8_read(payload, sizeof payload, &vp8), 0);
    assert_true(vp8.key_frame && vp8.start && vp8.has_picture);
    assert_int_equal(vp8.picture, 0x1234);
    assert_int_equal(vp8.descriptor_size, 4);
    assert_int_equal(vp8.width, 640);
    assert_int_equal(vp8.height, 480);
    for (size_t size = 0; size < 14; size++) {
        assert_int_equal(ck_vp8_read(payload, size, &vp8), CK_E_TRUNCATED);
    }
}

static void test_vp8_other_packets(void **state)
{
    (void)state;
    struct ck_vp8 vp8;
    const uint8_t delta[] = {0x10, 0x51, 0x00};
    assert_int_equal(ck_vp8_read(delta, sizeof delta, &vp8), 0);
    assert_false(vp8.key_frame);
    assert_true(vp8.start);
    const uint8_t middle[] = {0x00, 0x50};
    assert_int_equal(ck_vp8_read(middle, sizeof middle, &vp8), 0);
    assert_false(vp8.key_frame || vp8.start);
    const uint8_t everything[] = {0xa0, 0xf0, 0x05, 0x01, 0x20, 0x99};
    assert_int_equal(ck_vp8_read(everything, sizeof everything, &vp8), 0);
    assert_int_equal(vp8.descriptor_size, 5);
    assert_true(vp8.discardable);
    assert_int_equal(ck_vp8_read(everything, 5, &vp8), CK_E_TRUNCATED);
    const uint8_t no_code[] = {0x10, 0x50, 0, 0, 1, 2, 3, 0, 0, 0, 0};
    assert_int_equal(ck_vp8_read(no_code, sizeof no_code, &vp8), CK_E_SYNTAX);
}

/* --- RTCP ---------------------------------------------------------------------------------------
 */

static void assert_same_report(const struct ck_rtcp_report *a, const struct ck_rtcp_report *b)
{
    assert_int_equal(a->ssrc, b->ssrc);
    assert_int_equal(a->fraction_lost, b->fraction_lost);
    assert_int_equal(a->lost, b->lost);
    assert_int_equal(a->highest, b->highest);
    assert_int_equal(a->jitter, b->jitter);
    assert_int_equal(a->last_sr, b->last_sr);
    assert_int_equal(a->delay, b->delay);
}

static void test_compound_round_trip(void **state)
{
    (void)state;
    uint8_t bytes[600];
    struct ck_writer writer = ck_writer_of(bytes, sizeof bytes);
    const struct ck_rtcp_report reports[2] = {
        {1, 51, -3, 0x10005, 77, 0xabcd, 65536},
        {2, 0, 0x7fffff, 9, 0, 0, 0},
    };
    const struct ck_rtcp_sender sender = {9, 0x0102030405060708, 1000, 11, 2200};
    ck_rtcp_write_sr(&writer, &sender, reports, 1);
    ck_rtcp_write_rr(&writer, 9, reports, 2);
    ck_rtcp_write_cname(&writer, 9, "name");
    const uint16_t missing[] = {65534, 65535, 0, 14, 15, 40, 57};
    ck_rtcp_write_nack(&writer, 9, 2, missing, 7);
    ck_rtcp_write_pli(&writer, 9, 2);
    ck_rtcp_write_fir(&writer, 9, 2, 200);
    const uint32_t ssrcs[] = {1, 2};
    ck_rtcp_write_remb(&writer, 9, 1234567, ssrcs, 2);
    ck_rtcp_write_bye(&writer, 9);
    assert_false(writer.failed);
    assert_int_equal(writer.size % 4, 0);

    struct ck_reader reader = ck_reader_of(bytes, writer.size);
    struct ck_rtcp part;
    struct ck_rtcp_sender sender_read;
    struct ck_rtcp_report report;
    assert_int_equal(ck_rtcp_next(&reader, &part), 0);
    assert_int_equal(part.type, CK_RTCP_SR);
    assert_int_equal(ck_rtcp_read_sender(&part, &sender_read), 0);
    assert_int_equal(sender_read.ssrc, 9);
    assert_true(sender_read.ntp == sender.ntp);
    assert_int_equal(sender_read.timestamp, 1000);
    assert_int_equal(sender_read.packets, 11);
    assert_int_equal(sender_read.bytes, 2200);
    assert_int_equal(ck_rtcp_read_report(&part, 0, &report), 0);
    assert_same_report(&report, &reports[0]);
    assert_int_equal(ck_rtcp_read_report(&part, 1, &report), CK_E_NOT_FOUND);
    assert_int_equal(ck_rtcp_next(&reader, &part), 0);
    assert_int_equal(part.type, CK_RTCP_RR);
    assert_int_equal(ck_rtcp_read_report(&part, 1, &report), 0);
    assert_same_report(&report, &reports[1]);
    assert_int_equal(ck_rtcp_next(&reader, &part), 0);
    assert_int_equal(part.type, CK_RTCP_SDES);

    assert_int_equal(ck_rtcp_next(&reader, &part), 0);
    assert_int_equal(part.type, CK_RTCP_RTPFB);
    uint32_t media = 0;
    assert_int_equal(ck_rtcp_read_media(&part, &media), 0);
    assert_int_equal(media, 2);
    uint16_t asked[8] = {0};
    unsigned count = 0;
    uint16_t first;
    uint16_t more;
    for (unsigned i = 0; ck_rtcp_read_nack(&part, i, &first, &more) == 0; i++) {
        asked[count++] = first;
        for (unsigned bit = 0; bit < 16; bit++) {
            if ((more >> bit & 1) != 0) {
                asked[count++] = (uint16_t)(first + bit + 1);
            }
        }
    }
    assert_int_equal(count, 7);
    assert_memory_equal(asked, missing, sizeof missing);

    assert_int_equal(ck_rtcp_next(&reader, &part), 0);
    assert_int_equal(part.type << 8 | part.count, CK_RTCP_PSFB << 8 | CK_RTCP_PLI);
    assert_int_equal(ck_rtcp_next(&reader, &part), 0);
    uint32_t ssrc = 0;
    uint8_t number = 0;
    assert_int_equal(ck_rtcp_read_fir(&part, 0, &ssrc, &number), 0);
    assert_int_equal(ssrc, 2);
    assert_int_equal(number, 200);
    assert_int_equal(ck_rtcp_next(&reader, &part), 0);
    uint64_t bitrate = 0;
    assert_int_equal(ck_rtcp_read_remb(&part, &bitrate), 0);
    assert_in_range(bitrate, 1234567 - 8, 1234567);
    assert_int_equal(ck_rtcp_next(&reader, &part), 0);
    assert_int_equal(part.type, CK_RTCP_BYE);
    assert_int_equal(ck_rtcp_next(&reader, &part), CK_E_NOT_FOUND);
}

static void test_nothing_is_written_beyond_the_room(void **state)
{
    (void)state;
    const uint16_t missing[] = {1, 100, 200};
    for (size_t room = 0; room < 24; room++) {
        uint8_t *bytes = malloc(room + 1);
        assert_non_null(bytes);
        struct ck_writer writer = ck_writer_of(bytes, room);
        ck_rtcp_write_nack(&writer, 1, 2, missing, 3);
        assert_true(writer.failed);
        free(bytes);
    }
}

/* What is written says of each packet whether it came and when, to a quarter of a millisecond; read
 * here by the rules of the draft. */
static void test_transport_feedback(void **state)
{
    (void)state;
    int64_t at_us[40];
    uint8_t bytes[256];
    struct ck_writer writer = ck_writer_of(bytes, sizeof bytes);
    for (unsigned i = 0; i < 40; i++) {
        at_us[i] =
            i % 5 == 3 || (i >= 20 && i < 30) ? CK_RTCP_NOT_COME : 64000 * 1000 + (int64_t)i * 1300;
    }
    at_us[6] += 90000; /* a delta of two bytes, and one back */
    ck_rtcp_write_transport(&writer, 1, 2, 65530, at_us, 40, 7);
    assert_false(writer.failed);
    assert_int_equal(writer.size % 4, 0);
    struct ck_reader reader = ck_reader_of(bytes, writer.size);
    struct ck_rtcp part;
    assert_int_equal(ck_rtcp_next(&reader, &part), 0);
    assert_int_equal(part.type, CK_RTCP_RTPFB);
    assert_int_equal(part.count, CK_RTCP_TRANSPORT);
    assert_int_equal(ck_get_u16(part.body + 8), 65530);
    assert_int_equal(ck_get_u16(part.body + 10), 40);
    assert_int_equal(ck_get_u32(part.body + 12), 1000 << 8 | 7);
    uint8_t symbols[64];
    size_t at = 16;
    for (unsigned i = 0; i < 40; at += 2) {
        uint16_t chunk = ck_get_u16(part.body + at);
        unsigned run = chunk >> 15 != 0 ? 7 : chunk & 0x1fffu;
        for (unsigned k = 0; k < run && i < 40; k++, i++) {
            symbols[i] = (uint8_t)(chunk >> 15 != 0 ? chunk >> (12 - 2 * k) & 3 : chunk >> 13 & 3);
        }
    }
    int64_t ticks = 1000 * 256;
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(symbols[i] != 0, at_us[i] != CK_RTCP_NOT_COME);
        if (symbols[i] == 1) {
            ticks += part.body[at++];
        } else if (symbols[i] == 2) {
            ticks += (int16_t)ck_get_u16(part.body + at);
            at += 2;
        }
        assert_true(symbols[i] == 0 || ticks == at_us[i] / 250);
    }
    assert_int_equal(at, part.size);
}

static void test_control_lengths(void **state)
{
    (void)state;
    struct ck_rtcp part;
    uint8_t b[12] = {0x80, CK_RTCP_RR, 0, 2};
    struct ck_reader reader = ck_reader_of(b, sizeof b);
    assert_int_equal(ck_rtcp_next(&reader, &part), 0);
    assert_int_equal(part.size, 8);
    b[3] = 3;
    reader = ck_reader_of(b, sizeof b);
    assert_int_equal(ck_rtcp_next(&reader, &part), CK_E_TRUNCATED);
    assert_int_equal(ck_rtcp_next(&reader, &part), CK_E_TRUNCATED);
    b[2] = b[3] = 0xff;
    reader = ck_reader_of(b, sizeof b);
    assert_int_equal(ck_rtcp_next(&reader, &part), CK_E_TRUNCATED);
    b[2] = 0;
    b[3] = 2;
    b[0] = 0xa0; /* padding of 0, then of more than there is */
    reader = ck_reader_of(b, sizeof b);
    assert_int_equal(ck_rtcp_next(&reader, &part), CK_E_SYNTAX);
    b[11] = 9;
    reader = ck_reader_of(b, sizeof b);
    assert_int_equal(ck_rtcp_next(&reader, &part), CK_E_SYNTAX);
    b[11] = 4;
    reader = ck_reader_of(b, sizeof b);
    assert_int_equal(ck_rtcp_next(&reader, &part), 0);
    assert_int_equal(part.size, 4);
    b[0] = 0x40;
    reader = ck_reader_of(b, sizeof b);
    assert_int_equal(ck_rtcp_next(&reader, &part), CK_E_SYNTAX);
    reader = ck_reader_of(b, 3);
    assert_int_equal(ck_rtcp_next(&reader, &part), CK_E_TRUNCATED);
}

/* A report that says it has 31 blocks and has none; feedback without its SSRCs. */
static void test_control_counts(void **state)
{
    (void)state;
    const uint8_t body[8] = {0};
    struct ck_rtcp_report report;
    struct ck_rtcp_sender sender;
    uint16_t first;
    uint16_t more;
    uint32_t ssrc;
    uint64_t bitrate;
    struct ck_rtcp part = {.type = CK_RTCP_RR, .count = 31, .body = body, .size = 8};
    assert_int_equal(ck_rtcp_read_report(&part, 0, &report), CK_E_TRUNCATED);
    assert_int_equal(ck_rtcp_read_report(&part, 30, &report), CK_E_TRUNCATED);
    assert_int_equal(ck_rtcp_read_sender(&part, &sender), CK_E_TRUNCATED);
    part.size = 4;
    assert_int_equal(ck_rtcp_read_media(&part, &ssrc), CK_E_TRUNCATED);
    assert_int_equal(ck_rtcp_read_nack(&part, 0, &first, &more), CK_E_TRUNCATED);
    assert_int_equal(ck_rtcp_read_remb(&part, &bitrate), CK_E_TRUNCATED);
    part.size = 8;
    assert_int_equal(ck_rtcp_read_nack(&part, 0, &first, &more), CK_E_NOT_FOUND);
    assert_int_equal(ck_rtcp_read_remb(&part, &bitrate), CK_E_NOT_FOUND);
}

static void test_remb_exponents(void **state)
{
    (void)state;
    uint8_t body[16] = {0};
    memcpy(body + 8, "REMB", 4);
    struct ck_rtcp part = {
        .type = CK_RTCP_PSFB, .count = CK_RTCP_AFB, .body = body, .size = sizeof body};
    uint64_t bitrate = 1;
    body[13] = 63 << 2; /* mantissa 0 */
    assert_int_equal(ck_rtcp_read_remb(&part, &bitrate), 0);
    assert_true(bitrate == 0);
    body[13] = (uint8_t)(63 << 2 | 3); /* beyond 64 bits */
    assert_int_equal(ck_rtcp_read_remb(&part, &bitrate), 0);
    assert_true(bitrate == UINT64_MAX);
    body[13] = (uint8_t)(46 << 2 | 3);
    assert_int_equal(ck_rtcp_read_remb(&part, &bitrate), 0);
    assert_true(bitrate == UINT64_C(0x30000) << 46);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_round_trip),
        cmocka_unit_test(test_header_lengths),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_demultiplexing),
        cmocka_unit_test(test_retransmission_payload),
        cmocka_unit_test(test_ahead),
        cmocka_unit_test(test_vp8_key_frame),
        cmocka_unit_test(test_vp8_other_packets),
        cmocka_unit_test(test_compound_round_trip),
        cmocka_unit_test(test_nothing_is_written_beyond_the_room),
        cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_transport_feedback),
        cmocka_unit_test(test_control_lengths),
        cmocka_unit_test(test_control_counts),
        cmocka_unit_test(test_remb_exponents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
