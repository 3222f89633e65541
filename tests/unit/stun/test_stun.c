/* STUN: the vectors of RFC 5769, what we write read back, and messages that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/stun.h"

#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"

/* RFC 5769 section 2.1. */
static const char request_vector[] = "000100582112a442b7e7a701bc34d686fa87dfae"
                                     "802200105354554e207465737420636c69656e74"
                                     "002400046e0001ff"
                                     "80290008932ff9b151263b36"
                                     "000600096576746a3a68367659202020"
                                     "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
                                     "80280004e57a3bcf";

/* RFC 5769 section 2.2. */
static const char response_v4_vector[] = "0101003c2112a442b7e7a701bc34d686fa87dfae"
                                         "8022000b7465737420766563746f7220"
                                         "002000080001a147e112a643"
                                         "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
                                         "80280004c07d4c96";

/* RFC 5769 section 2.3. */
static const char response_v6_vector[] = "010100482112a442b7e7a701bc34d686fa87dfae"
                                         "8022000b7465737420766563746f7220"
                                         "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
                                         "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
                                         "80280004c8fb0b4c";

static size_t bytes_of(const char *hex, uint8_t *bytes)
{
    assert_int_equal(ck_hex_decode(hex, bytes, strlen(hex) / 2), 0);
    return strlen(hex) / 2;
}

static void test_request_vector(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t size = bytes_of(request_vector, bytes);
    struct ck_stun message;
    assert_int_equal(ck_stun_read(bytes, size, &message), 0);
    assert_int_equal(message.method, CK_STUN_BINDING);
    assert_int_equal(message.klass, CK_STUN_REQUEST);
    assert_int_equal(message.username_size, 9);
    assert_memory_equal(message.username, "evtj:h6vY", 9);
    assert_true(message.has_priority);
    assert_int_equal(message.priority, 0x6e0001ff);
    assert_true(message.controlled);
    assert_false(message.controlling);
    assert_true(message.tie_breaker == 0x932ff9b151263b36);
    assert_false(message.use_candidate);
    assert_true(message.has_fingerprint);
    assert_int_equal(message.unknown_count, 0);
    assert_int_equal(ck_stun_verify(bytes, size, &message, PASSWORD, strlen(PASSWORD)), 0);
    assert_int_equal(ck_stun_verify(bytes, size, &message, "another", 7), CK_E_AUTH);
}

static void test_response_vectors(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct ck_stun message;
    size_t size = bytes_of(response_v4_vector, bytes);
    assert_int_equal(ck_stun_read(bytes, size, &message), 0);
    assert_int_equal(message.klass, CK_STUN_SUCCESS);
    assert_int_equal(message.mapped.family, 4);
    assert_int_equal(message.mapped.port, 32853);
    const uint8_t v4[] = {192, 0, 2, 1};
    assert_memory_equal(message.mapped.bytes, v4, 4);
    assert_int_equal(ck_stun_verify(bytes, size, &message, PASSWORD, strlen(PASSWORD)), 0);

    size = bytes_of(response_v6_vector, bytes);
    assert_int_equal(ck_stun_read(bytes, size, &message), 0);
    assert_int_equal(message.mapped.family, 6);
    assert_int_equal(message.mapped.port, 32853);
    uint8_t v6[16];
    bytes_of("20010db8123456780011223344556677", v6);
    assert_memory_equal(message.mapped.bytes, v6, 16);
    assert_int_equal(ck_stun_verify(bytes, size, &message, PASSWORD, strlen(PASSWORD)), 0);
}

/* No bit of a fingerprinted, authenticated message can change unseen. */
static void test_every_changed_bit_is_seen(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t size = bytes_of(request_vector, bytes);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        uint8_t changed[256];
        memcpy(changed, bytes, size);
        changed[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        struct ck_stun message;
        int error = ck_stun_read(changed, size, &message);
        /* A flip may hide FINGERPRINT or MESSAGE-INTEGRITY behind another type: then it is absent.
         */
        if (error == 0 && message.has_fingerprint) {
            error = CK_E_SYNTAX;
            fail_msg("bit %zu went unseen by the fingerprint", bit);
        }
        if (error == 0) {
            error = ck_stun_verify(changed, size, &message, PASSWORD, strlen(PASSWORD));
            bool in_fingerprint = bit / 8 >= size - 8;
            assert_int_equal(error, in_fingerprint ? 0 : CK_E_AUTH);
        }
    }
}

static void test_truncation(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t size = bytes_of(request_vector, bytes);
    for (size_t cut = 0; cut < size; cut++) {
        struct ck_stun message;
        assert_int_not_equal(ck_stun_read(bytes, cut, &message), 0);
    }
}

static const uint8_t transaction[CK_STUN_TRANSACTION_SIZE] = "abcdefghijkl";

static void test_written_is_read(void **state)
{
    (void)state;
    struct ck_stun_write what = {
        .klass = CK_STUN_REQUEST,
        .transaction = transaction,
        .username = "here:there",
        .username_size = 10,
        .has_priority = true,
        .priority = 7,
        .use_candidate = true,
        .controlling = true,
        .tie_breaker = 99,
        .password = "secret",
        .password_size = 6,
        .fingerprint = true,
    };
    uint8_t bytes[CK_STUN_MESSAGE_MAX];
    size_t size = 0;
    assert_int_equal(ck_stun_write(&what, bytes, sizeof bytes, &size), 0);
    struct ck_stun message;
    assert_int_equal(ck_stun_read(bytes, size, &message), 0);
    assert_true(message.use_candidate && message.controlling && message.has_fingerprint);
    assert_int_equal(message.tie_breaker, 99);
    assert_int_equal(message.username_size, 10);
    assert_int_equal(ck_stun_verify(bytes, size, &message, "secret", 6), 0);
    for (size_t capacity = 0; capacity < size; capacity++) {
        size_t untouched = 4711;
        assert_int_equal(ck_stun_write(&what, bytes, capacity, &untouched), CK_E_LIMIT);
        assert_int_equal(untouched, 4711);
    }
}

static void test_error_answer(void **state)
{
    (void)state;
    const uint16_t unknown[] = {0x0003, 0x7fff};
    struct ck_stun_write what = {
        .klass = CK_STUN_ERROR,
        .transaction = transaction,
        .error_code = 420,
        .reason = "Unknown Attribute",
        .unknown = unknown,
        .unknown_count = 2,
        .password = "secret",
        .password_size = 6,
        .fingerprint = true,
    };
    uint8_t bytes[CK_STUN_MESSAGE_MAX];
    size_t size = 0;
    assert_int_equal(ck_stun_write(&what, bytes, sizeof bytes, &size), 0);
    struct ck_stun message;
    assert_int_equal(ck_stun_read(bytes, size, &message), 0);
    assert_int_equal(message.klass, CK_STUN_ERROR);
    assert_int_equal(message.error_code, 420);
    assert_int_equal(ck_stun_verify(bytes, size, &message, "secret", 6), 0);
}

/* What stands behind MESSAGE-INTEGRITY is not authentic and must not count. */
static void test_behind_integrity_is_ignored(void **state)
{
    (void)state;
    struct ck_stun_write what = {
        .klass = CK_STUN_REQUEST,
        .transaction = transaction,
        .username = "a:b",
        .username_size = 3,
        .password = "secret",
        .password_size = 6,
    };
    uint8_t bytes[CK_STUN_MESSAGE_MAX];
    size_t size = 0;
    assert_int_equal(ck_stun_write(&what, bytes, sizeof bytes, &size), 0);
    const uint8_t forged[] = {0x00, 0x25, 0x00, 0x00}; /* USE-CANDIDATE */
    memcpy(bytes + size, forged, sizeof forged);
    size += sizeof forged;
    bytes[3] = (uint8_t)(size - CK_STUN_HEADER_SIZE);
    struct ck_stun message;
    assert_int_equal(ck_stun_read(bytes, size, &message), 0);
    assert_false(message.use_candidate);
    assert_int_equal(ck_stun_verify(bytes, size, &message, "secret", 6), 0);
}

static void test_unknown_attributes_are_listed(void **state)
{
    (void)state;
    uint8_t bytes[] = {
        0x00, 0x01, 0x00, 0x10, 0x21, 0x12, 0xa4, 0x42, 1,  2,
        3,    4,    5,    6,    7,    8,    9,    10,   11, 12, /* header */
        0x00, 0x03, 0x00, 0x04, 0,    0,    0,    6, /* CHANGE-REQUEST: must be understood */
        0xc0, 0x57, 0x00, 0x04, 0,    0,    0,    1, /* network info: may be ignored */
    };
    struct ck_stun message;
    assert_int_equal(ck_stun_read(bytes, sizeof bytes, &message), 0);
    assert_int_equal(message.unknown_count, 1);
    assert_int_equal(message.unknown[0], 0x0003);
}

static void test_no_stun(void **state)
{
    (void)state;
    uint8_t bytes[28] = {0x00, 0x01, 0x00, 0x08, 0x21, 0x12, 0xa4, 0x42};
    struct ck_stun message;
    bytes[21] = 0x06; /* USERNAME of 0 bytes, then one attribute that says 65535 */
    bytes[24] = 0x00;
    bytes[25] = 0x06;
    bytes[26] = 0xff;
    bytes[27] = 0xff;
    assert_int_equal(ck_stun_read(bytes, sizeof bytes, &message), CK_E_TRUNCATED);
    bytes[4] = 0; /* no cookie */
    assert_int_equal(ck_stun_read(bytes, sizeof bytes, &message), CK_E_SYNTAX);
    assert_false(ck_stun_looks_like(bytes, sizeof bytes));
}

static void test_too_many_attributes(void **state)
{
    (void)state;
    uint8_t bytes[CK_STUN_HEADER_SIZE + 4 * (CK_STUN_ATTRIBUTES_MAX + 1)] = {
        0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    for (size_t at = CK_STUN_HEADER_SIZE; at < sizeof bytes; at += 4) {
        bytes[at] = 0x80;
        bytes[at + 1] = 0x22;
    }
    size_t length = sizeof bytes - CK_STUN_HEADER_SIZE;
    bytes[2] = (uint8_t)(length >> 8);
    bytes[3] = (uint8_t)length;
    struct ck_stun message;
    assert_int_equal(ck_stun_read(bytes, sizeof bytes, &message), CK_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_vector),
        cmocka_unit_test(test_response_vectors),
        cmocka_unit_test(test_every_changed_bit_is_seen),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_written_is_read),
        cmocka_unit_test(test_error_answer),
        cmocka_unit_test(test_behind_integrity_is_ignored),
        cmocka_unit_test(test_unknown_attributes_are_listed),
        cmocka_unit_test(test_no_stun),
        cmocka_unit_test(test_too_many_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
