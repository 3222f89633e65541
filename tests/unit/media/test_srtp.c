/* SRTP: the vectors of RFC 3711 and RFC 7714, the two implementations against each other, and what
 * must not be possible: replay, change, use of one index twice, sources without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media/srtp_evp.h"
#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/rtp.h"

#define PACKET_ROOM (CK_RTP_PACKET_MAX + CK_SRTP_OVERHEAD)

static const struct ck_srtp_engine *const engines[] = {&ck_srtp_evp, &ck_srtp_libsrtp};
static const enum ck_srtp_profile profiles[] = {CK_SRTP_AEAD_AES_128_GCM,
                                                CK_SRTP_AES128_CM_SHA1_80};

static int start_all(void **state)
{
    (void)state;
    return ck_srtp_evp.start() | ck_srtp_libsrtp.start();
}

static int stop_all(void **state)
{
    (void)state;
    ck_srtp_libsrtp.stop();
    ck_srtp_evp.stop();
    return 0;
}

static size_t bytes_of(const char *hex, void *bytes)
{
    assert_int_equal(ck_hex_decode(hex, bytes, strlen(hex) / 2), 0);
    return strlen(hex) / 2;
}

static void assert_hex(const void *bytes, size_t size, const char *hex)
{
    uint8_t expected[256];
    assert_int_equal(bytes_of(hex, expected), size);
    assert_memory_equal(bytes, expected, size);
}

/* --- vectors ------------------------------------------------------------------------------------
 */

/* RFC 3711 appendix B.3. */
static void test_key_derivation_vector(void **state)
{
    (void)state;
    struct ck_srtp_keys keys;
    struct ck_srtp_session_keys rtp;
    struct ck_srtp_session_keys rtcp;
    bytes_of("e1f97a0d3e018be0d64fa32c06de4139", keys.key);
    bytes_of("0ec675ad498afeebb6960b3aabe6", keys.salt);
    assert_int_equal(ck_srtp_derive(CK_SRTP_AES128_CM_SHA1_80, &keys, &rtp, &rtcp), 0);
    assert_hex(rtp.key, 16, "c61e7a93744f39ee10734afe3ff7a087");
    assert_hex(rtp.salt, 14, "30cbbc08863d8c85d49db34a9ae1");
    assert_hex(rtp.auth, 20, "cebe321f6ff7716b6fd4ab49af256a156d38baa4");
}

/* RFC 7714 section 16.1.1: session keys, one packet. */
static void test_gcm_vector(void **state)
{
    (void)state;
    struct ck_srtp_session_keys keys = {0};
    bytes_of("000102030405060708090a0b0c0d0e0f", keys.key);
    bytes_of("517569642070726f2071756f", keys.salt);
    struct ck_srtp *out = NULL;
    assert_int_equal(ck_srtp_evp_create(&out, CK_SRTP_AEAD_AES_128_GCM, CK_SRTP_OUT, &keys, &keys),
                     0);
    uint8_t packet[256];
    size_t size = bytes_of("8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976697361"
                           "20696e207061727465732074726573",
                           packet);
    assert_int_equal(ck_srtp_evp.protect(out, packet, 12, packet + 12, size - 12, &size), 0);
    const char *sealed = "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f"
                         "42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce";
    assert_hex(packet, size, sealed);
    ck_srtp_evp.destroy(out);

    struct ck_srtp *in = NULL;
    assert_int_equal(ck_srtp_evp_create(&in, CK_SRTP_AEAD_AES_128_GCM, CK_SRTP_IN, &keys, &keys),
                     0);
    assert_int_equal(ck_srtp_evp.unprotect(in, packet, &size), 0);
    assert_hex(
        packet, size,
        "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e20706172"
        "7465732074726573");
    ck_srtp_evp.destroy(in);
}

/* RFC 7714 section 17.1: a sender report under the index 0x5d4. */
static void test_gcm_control_vector(void **state)
{
    (void)state;
    const char *clear = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeef"
                        "deadbeefdeadbeefdeadbeefdeadbeef";
    const char *sealed = "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1"
                         "730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4";
    struct ck_srtp_session_keys keys = {0};
    struct ck_srtp *out = NULL;
    struct ck_srtp *in = NULL;
    uint8_t packet[256];
    size_t size;
    bytes_of("000102030405060708090a0b0c0d0e0f", keys.key);
    bytes_of("517569642070726f2071756f", keys.salt);
    assert_int_equal(ck_srtp_evp_create(&out, CK_SRTP_AEAD_AES_128_GCM, CK_SRTP_OUT, &keys, &keys),
                     0);
    assert_int_equal(ck_srtp_evp_create(&in, CK_SRTP_AEAD_AES_128_GCM, CK_SRTP_IN, &keys, &keys),
                     0);
    for (unsigned index = 1; index <= 0x5d4; index++) {
        size = bytes_of(clear, packet);
        assert_int_equal(ck_srtp_evp.protect_control(out, packet, &size), 0);
    }
    assert_hex(packet, size, sealed);
    assert_int_equal(ck_srtp_evp.unprotect_control(in, packet, &size), 0);
    assert_hex(packet, size, clear);
    ck_srtp_evp.destroy(in);
    ck_srtp_evp.destroy(out);
}

/* RFC 3711 appendix B.2: the key stream of a packet of zeros. */
static void test_key_stream_vector(void **state)
{
    (void)state;
    struct ck_srtp_session_keys keys = {0};
    struct ck_srtp *out = NULL;
    uint8_t packet[PACKET_ROOM] = {0x80};
    size_t size = 0;
    static const uint8_t zeros[48];
    bytes_of("2b7e151628aed2a6abf7158809cf4f3c", keys.key);
    bytes_of("f0f1f2f3f4f5f6f7f8f9fafbfcfd", keys.salt);
    assert_int_equal(ck_srtp_evp_create(&out, CK_SRTP_AES128_CM_SHA1_80, CK_SRTP_OUT, &keys, &keys),
                     0);
    assert_int_equal(
        ck_srtp_evp.protect(out, packet, CK_RTP_HEADER_SIZE, zeros, sizeof zeros, &size), 0);
    assert_hex(packet + CK_RTP_HEADER_SIZE, sizeof zeros,
               "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"
               "41e95b3bb0a2e8dd477901e4fca894c0");
    ck_srtp_evp.destroy(out);
}

/* The reference packet of libsrtp's documentation of AES128_CM_SHA1_80, from master keys. */
static void test_counter_mode_vector(void **state)
{
    (void)state;
    for (size_t e = 0; e < 2; e++) {
        struct ck_srtp_keys keys;
        bytes_of("e1f97a0d3e018be0d64fa32c06de4139", keys.key);
        bytes_of("0ec675ad498afeebb6960b3aabe6", keys.salt);
        struct ck_srtp *out = NULL;
        assert_int_equal(engines[e]->create(&out, CK_SRTP_AES128_CM_SHA1_80, CK_SRTP_OUT, &keys),
                         0);
        uint8_t packet[256];
        size_t size = bytes_of("800f1234decafbadcafebabeabababababababababababababababab", packet);
        assert_int_equal(engines[e]->protect(out, packet, 12, packet + 12, size - 12, &size), 0);
        assert_hex(packet, size,
                   "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
        engines[e]->destroy(out);
    }
}

/* --- one against the other -----------------------------------------------------------------------
 */

struct pair {
    const struct ck_srtp_engine *sender_engine;
    const struct ck_srtp_engine *receiver_engine;
    struct ck_srtp *sender;
    struct ck_srtp *receiver;
};

static struct pair pair_of(size_t sender, size_t receiver, enum ck_srtp_profile profile)
{
    struct ck_srtp_keys keys;
    memset(&keys, 0x5a, sizeof keys);
    struct pair pair = {engines[sender], engines[receiver], NULL, NULL};
    assert_int_equal(pair.sender_engine->create(&pair.sender, profile, CK_SRTP_OUT, &keys), 0);
    assert_int_equal(pair.receiver_engine->create(&pair.receiver, profile, CK_SRTP_IN, &keys), 0);
    return pair;
}

static void pair_end(struct pair *pair)
{
    pair->sender_engine->destroy(pair->sender);
    pair->receiver_engine->destroy(pair->receiver);
}

static int send_one(struct pair *pair, uint32_t ssrc, uint16_t sequence, const uint8_t *payload,
                    size_t payload_size, uint8_t *packet, size_t *size)
{
    struct ck_rtp rtp = {.payload_type = 96, .sequence = sequence, .timestamp = 1, .ssrc = ssrc};
    ck_rtp_write_header(&rtp, packet);
    return pair->sender_engine->protect(pair->sender, packet, CK_RTP_HEADER_SIZE, payload,
                                        payload_size, size);
}

typedef void pair_test(struct pair *pair);

static void for_every_pair(pair_test *test)
{
    for (size_t sender = 0; sender < 2; sender++) {
        for (size_t receiver = 0; receiver < 2; receiver++) {
            for (size_t profile = 0; profile < 2; profile++) {
                struct pair pair = pair_of(sender, receiver, profiles[profile]);
                test(&pair);
                pair_end(&pair);
            }
        }
    }
}

static void assert_passes(struct pair *pair, uint32_t ssrc, uint16_t sequence, size_t payload_size)
{
    uint8_t payload[CK_RTP_PACKET_MAX];
    uint8_t packet[PACKET_ROOM];
    size_t size = 0;
    memset(payload, (uint8_t)(sequence ^ ssrc), payload_size);
    assert_int_equal(send_one(pair, ssrc, sequence, payload, payload_size, packet, &size), 0);
    assert_int_equal(pair->receiver_engine->unprotect(pair->receiver, packet, &size), 0);
    assert_int_equal(size, CK_RTP_HEADER_SIZE + payload_size);
    assert_memory_equal(packet + CK_RTP_HEADER_SIZE, payload, payload_size);
}

/* Twice around the sequence numbers, so that the roll-over counter reaches 2; sizes from nothing to
 * full. */
static void roll_over(struct pair *pair)
{
    uint16_t sequence = 65000;
    for (unsigned i = 0; i < 135000; i++) {
        assert_passes(pair, 7, sequence++, i % 32 == 0 ? i % 1200 : i % 5);
    }
}

static void test_roll_over(void **state)
{
    (void)state;
    for_every_pair(roll_over);
}

/* Lost around the wrap: the counter must follow although the packets at the wrap never came. */
static void lost_wrap(struct pair *pair)
{
    uint8_t packet[PACKET_ROOM];
    size_t size = 0;
    const uint8_t payload[1] = {9};
    assert_passes(pair, 7, 65500, 10);
    for (uint16_t sequence = 65501; sequence != 50; sequence++) {
        assert_int_equal(send_one(pair, 7, sequence, payload, 1, packet, &size), 0);
    }
    assert_passes(pair, 7, 50, 10);
    assert_passes(pair, 7, 51, 10);
}

static void test_lost_wrap(void **state)
{
    (void)state;
    for_every_pair(lost_wrap);
}

/* Out of order within the window, on both sides; then every one of them again: refused as a replay.
 */
static void reordered_and_replayed(struct pair *pair)
{
    static uint8_t packets[64][PACKET_ROOM];
    static size_t sizes[64];
    const uint8_t payload[100] = {1, 2, 3};
    for (unsigned i = 0; i < 64; i++) {
        uint16_t sequence = (uint16_t)(65520 + (i ^ 5)); /* across the wrap */
        if (i < 16) {
            sequence = (uint16_t)(65520 + i);
        }
        assert_int_equal(
            send_one(pair, 3, sequence, payload, sizeof payload, packets[i], &sizes[i]), 0);
        /* A number is protected once and never again. */
        uint8_t again[PACKET_ROOM];
        size_t size = 0;
        assert_int_equal(send_one(pair, 3, sequence, payload, sizeof payload, again, &size),
                         CK_E_CONFLICT);
    }
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 64; i++) {
            uint8_t copy[PACKET_ROOM];
            unsigned which = i < 2 ? i : i ^ 1;
            size_t size = sizes[which];
            memcpy(copy, packets[which], size);
            assert_int_equal(pair->receiver_engine->unprotect(pair->receiver, copy, &size),
                             round == 0 ? 0 : CK_E_CONFLICT);
        }
    }
}

static void test_reordered_and_replayed(void **state)
{
    (void)state;
    for_every_pair(reordered_and_replayed);
}

/* A packet changed in any bit is refused, and changes nothing: the true one still passes. */
static void changed(struct pair *pair)
{
    uint8_t packet[PACKET_ROOM];
    size_t size = 0;
    const uint8_t payload[40] = {4};
    assert_passes(pair, 3, 100, 5);
    assert_int_equal(send_one(pair, 3, 101, payload, sizeof payload, packet, &size), 0);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        uint8_t copy[PACKET_ROOM];
        size_t copy_size = size;
        memcpy(copy, packet, size);
        copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_not_equal(pair->receiver_engine->unprotect(pair->receiver, copy, &copy_size), 0);
    }
    assert_int_equal(pair->receiver_engine->unprotect(pair->receiver, packet, &size), 0);
    assert_passes(pair, 3, 102, 5);
}

static void test_changed(void **state)
{
    (void)state;
    for_every_pair(changed);
}

/* Packets far ahead that do not verify must not move the window. */
static void hostile_jump(struct pair *pair)
{
    assert_passes(pair, 3, 100, 5);
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t junk[60];
        size_t size = sizeof junk;
        memset(junk, (int)i, sizeof junk);
        struct ck_rtp rtp = {.payload_type = 96, .sequence = (uint16_t)(i * 37), .ssrc = 3 + i % 3};
        ck_rtp_write_header(&rtp, junk);
        assert_int_not_equal(pair->receiver_engine->unprotect(pair->receiver, junk, &size), 0);
    }
    assert_passes(pair, 3, 101, 5);
}

static void test_hostile_jump(void **state)
{
    (void)state;
    for_every_pair(hostile_jump);
}

/* The ninth source is refused, the eight go on. */
static void sources(struct pair *pair)
{
    for (uint32_t ssrc = 1; ssrc <= CK_SRTP_SOURCES_MAX; ssrc++) {
        assert_passes(pair, ssrc, 1, 20);
    }
    uint8_t packet[PACKET_ROOM];
    size_t size = 0;
    const uint8_t payload[20] = {1};
    assert_int_equal(send_one(pair, 99, 1, payload, sizeof payload, packet, &size), CK_E_LIMIT);
    for (uint32_t ssrc = 1; ssrc <= CK_SRTP_SOURCES_MAX; ssrc++) {
        assert_passes(pair, ssrc, 2, 20);
    }
}

static void test_sources_are_limited(void **state)
{
    (void)state;
    for_every_pair(sources);
    /* On the receiving side the sources come from a sender without our limit: two senders of eight.
     */
    for (size_t e = 0; e < 2; e++) {
        struct pair first = pair_of(e, e, CK_SRTP_AEAD_AES_128_GCM);
        struct pair second = pair_of(e, e, CK_SRTP_AEAD_AES_128_GCM);
        for (uint32_t ssrc = 1; ssrc <= CK_SRTP_SOURCES_MAX; ssrc++) {
            assert_passes(&first, ssrc, 1, 20);
        }
        uint8_t packet[PACKET_ROOM];
        size_t size = 0;
        const uint8_t payload[20] = {1};
        assert_int_equal(send_one(&second, 1000, 1, payload, sizeof payload, packet, &size), 0);
        assert_int_equal(first.receiver_engine->unprotect(first.receiver, packet, &size),
                         CK_E_LIMIT);
        pair_end(&first);
        pair_end(&second);
    }
}

static void control(struct pair *pair)
{
    uint8_t kept[256];
    size_t kept_size = 0;
    for (unsigned i = 0; i < 300; i++) {
        uint8_t packet[256] = {0x80, 201, 0, 1, 0, 0, 0, 3};
        size_t size = 8 + 4 * (size_t)(i % 40);
        memset(packet + 8, (int)i, size - 8);
        size_t clear_size = size;
        assert_int_equal(pair->sender_engine->protect_control(pair->sender, packet, &size), 0);
        assert_true(size > clear_size && size <= clear_size + CK_SRTP_OVERHEAD);
        memcpy(kept, packet, size);
        kept_size = size;
        assert_int_equal(pair->receiver_engine->unprotect_control(pair->receiver, packet, &size),
                         0);
        assert_int_equal(size, clear_size);
        if (size > 8) {
            assert_int_equal(packet[size - 1], (uint8_t)i);
        }
    }
    uint8_t again[256];
    memcpy(again, kept, kept_size);
    size_t size = kept_size;
    assert_int_equal(pair->receiver_engine->unprotect_control(pair->receiver, again, &size),
                     CK_E_CONFLICT);
    /* The E bit cleared, or any other bit of an unseen packet changed. */
    uint8_t packet[256] = {0x80, 201, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4};
    size = 12;
    assert_int_equal(pair->sender_engine->protect_control(pair->sender, packet, &size), 0);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        size_t changed_size = size;
        memcpy(again, packet, size);
        again[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_not_equal(
            pair->receiver_engine->unprotect_control(pair->receiver, again, &changed_size), 0);
    }
    assert_int_equal(pair->receiver_engine->unprotect_control(pair->receiver, packet, &size), 0);
}

static void test_control(void **state)
{
    (void)state;
    for_every_pair(control);
}

/* Random and short datagrams: always refused, never read beyond their end (the sanitizers watch).
 */
static void junk(struct pair *pair)
{
    uint32_t seed = 4711;
    for (unsigned i = 0; i < 20000; i++) {
        seed = seed * 1664525 + 1013904223;
        size_t size = (seed >> 16) % 80;
        uint8_t *bytes = malloc(size + 1);
        assert_non_null(bytes);
        for (size_t at = 0; at < size; at++) {
            seed = seed * 1664525 + 1013904223;
            bytes[at] = (uint8_t)(seed >> 24);
        }
        if (size > 0) {
            bytes[0] = (uint8_t)(0x80 | (bytes[0] & 0x3f));
        }
        size_t clear_size = size;
        if (i % 2 == 0) {
            assert_int_not_equal(
                pair->receiver_engine->unprotect(pair->receiver, bytes, &clear_size), 0);
        } else {
            assert_int_not_equal(
                pair->receiver_engine->unprotect_control(pair->receiver, bytes, &clear_size), 0);
        }
        free(bytes);
    }
    assert_passes(pair, 5, 5, 5);
}

static void test_junk(void **state)
{
    (void)state;
    for_every_pair(junk);
}

/* Headers with contributing sources and extensions stay in the clear and are authenticated. */
static void test_extended_header(void **state)
{
    (void)state;
    for (size_t profile = 0; profile < 2; profile++) {
        struct pair pair = pair_of(1, 0, profiles[profile]);
        uint8_t packet[PACKET_ROOM] = {0x91, 96, 0, 5, 0,    0,    0, 1, 0,    0,    0, 2,
                                       9,    9,  9, 9, 0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0};
        memset(packet + 24, 0x77, 50);
        size_t size = 0;
        assert_int_equal(
            pair.sender_engine->protect(pair.sender, packet, 24, packet + 24, 50, &size), 0);
        assert_int_equal(packet[21], 0xaa);
        assert_int_equal(pair.receiver_engine->unprotect(pair.receiver, packet, &size), 0);
        assert_int_equal(size, 74);
        assert_int_equal(packet[73], 0x77);
        pair_end(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_derivation_vector),
        cmocka_unit_test(test_gcm_vector),
        cmocka_unit_test(test_gcm_control_vector),
        cmocka_unit_test(test_key_stream_vector),
        cmocka_unit_test(test_counter_mode_vector),
        cmocka_unit_test(test_roll_over),
        cmocka_unit_test(test_lost_wrap),
        cmocka_unit_test(test_reordered_and_replayed),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_hostile_jump),
        cmocka_unit_test(test_sources_are_limited),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_junk),
        cmocka_unit_test(test_extended_header),
    };
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
