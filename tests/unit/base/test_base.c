#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/array.h"
#include "protocol/base/bytes.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/base/sha256_many.h"
#include "protocol/base/text.h"
#include "protocol/base/time.h"

static void wall_text_round_trips(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
        {INT64_C(1709164799999), "2024-02-28T23:59:59.999Z"},
        {INT64_C(253402300799000), "9999-12-31T23:59:59.000Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[CK_WALL_TEXT_SIZE];
        ck_wall_text((struct ck_wall){cases[i].ms}, text);
        assert_string_equal(text, cases[i].text);
        struct ck_wall at = {-1};
        assert_int_equal(ck_wall_parse(text, &at), 0);
        assert_int_equal(at.ms, cases[i].ms);
    }
}

static void wall_parse_refuses_what_is_no_time(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-11-21",
        "2026-11-21T19:02:05",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T19:02:05.12Z",
        "2026-11-21 19:02:05Z",
        "1969-12-31T23:59:59Z",
        "2026-11-21T19:02:05.123Zx",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ck_wall at = {42};
        assert_int_equal(ck_wall_parse(bad[i], &at), CK_E_SYNTAX);
        assert_int_equal(at.ms, 42);
    }
}

static void hex_and_base64_follow_rfc4648(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *base64, *base64url;
    } cases[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];
        size_t size = strlen(cases[i].plain);
        ck_base64_encode(cases[i].plain, size, text);
        assert_string_equal(text, cases[i].base64);
        char back[32];
        size_t count = 99;
        assert_int_equal(ck_base64_decode(text, back, sizeof back, &count), 0);
        assert_int_equal(count, size);
        assert_memory_equal(back, cases[i].plain, size);
        ck_base64url_encode(cases[i].plain, size, text);
        assert_string_equal(text, cases[i].base64url);
        assert_int_equal(ck_base64url_decode(text, back, sizeof back, &count), 0);
        assert_int_equal(count, size);
        assert_memory_equal(back, cases[i].plain, size);
    }
    char small[2];
    size_t count = 7;
    assert_int_equal(ck_base64url_decode("Zm9v", small, sizeof small, &count), CK_E_LIMIT);
    assert_int_equal(ck_base64url_decode("Zm9v+", small, sizeof small, &count), CK_E_SYNTAX);
    assert_int_equal(ck_base64url_decode("Z", small, sizeof small, &count), CK_E_SYNTAX);
    assert_int_equal(ck_base64url_decode("Zh", small, sizeof small, &count), CK_E_SYNTAX);
    static const char *const bad[] = {"Zg", "Zg=", "Zh==", "Z===", "=", "====", "Zm9v====", "-_-_"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ck_base64_decode(bad[i], small, sizeof small, &count), CK_E_SYNTAX);
    }
    assert_int_equal(count, 7);
    uint8_t bytes[2];
    assert_int_equal(ck_hex_decode("a0Ff", bytes, 2), 0);
    assert_int_equal(bytes[0], 0xa0);
    assert_int_equal(bytes[1], 0xff);
    assert_int_equal(ck_hex_decode("a0F", bytes, 2), CK_E_SYNTAX);
    assert_int_equal(ck_hex_decode("a0Fff", bytes, 2), CK_E_SYNTAX);
}

static void utf8_is_checked_by_rfc3629(void **state)
{
    (void)state;
    assert_true(ck_utf8_valid("қорғау", strlen("қорғау")));
    assert_true(ck_utf8_valid("\xf0\x9f\x98\x80", 4));
    assert_false(ck_utf8_valid("\xc0\x80", 2));         /* overlong */
    assert_false(ck_utf8_valid("\xed\xa0\x80", 3));     /* surrogate */
    assert_false(ck_utf8_valid("\xf4\x90\x80\x80", 4)); /* past U+10FFFF */
    assert_false(ck_utf8_valid("\xd2", 1));             /* cut */
    assert_false(ck_utf8_valid("a\0b", 3));
}

static void digests_match_their_vectors(void **state)
{
    (void)state;
    uint8_t digest[CK_SHA256_SIZE], expected[CK_SHA256_SIZE];
    struct ck_slice abc[] = {{"a", 1}, {"bc", 2}};
    assert_int_equal(ck_sha256(abc, 2, digest), 0);
    ck_hex_decode("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", expected, 32);
    assert_memory_equal(digest, expected, 32);

    /* RFC 4231 test case 2. */
    struct ck_slice what = {"what do ya want for nothing?", 28};
    assert_int_equal(ck_hmac_sha256("Jefe", 4, &what, 1, digest), 0);
    ck_hex_decode("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", expected, 32);
    assert_memory_equal(digest, expected, 32);
}

/* Every size up to some blocks, in groups of every number that leaves a lane idle or not, beside
 * neighbours of other sizes. */
static void many_texts_at_once_have_the_digests_of_each(void **state)
{
    (void)state;
    uint8_t text[400], digests[7][CK_SHA256_SIZE], expected[CK_SHA256_SIZE];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)(i * 37 + 11);
    }
    for (size_t size = 0; size <= 300; size++) {
        size_t count = size % 8;
        struct ck_sha256_job jobs[7];
        for (size_t i = 0; i < count; i++) {
            jobs[i] = (struct ck_sha256_job){text + i, (size + i * 71) % 301, digests[i],
                                             (uint8_t)(i & 1)};
        }
        memset(digests, 0, sizeof digests);
        assert_int_equal(ck_sha256_many(jobs, count), 0);
        for (size_t i = 0; i < count; i++) {
            const struct ck_slice slices[] = {{&jobs[i].prefix, 1}, {jobs[i].data, jobs[i].size}};
            assert_int_equal(ck_sha256(slices, 2, expected), 0);
            assert_memory_equal(digests[i], expected, sizeof expected);
        }
    }
    for (size_t size = 0; size <= 300; size++) { /* and each size for certain */
        const struct ck_sha256_job job = {text, size, digests[0], 1};
        const struct ck_slice slices[] = {{"\x01", 1}, {text, size}};
        assert_int_equal(ck_sha256_many(&job, 1), 0);
        assert_int_equal(ck_sha256(slices, 2, expected), 0);
        assert_memory_equal(digests[0], expected, sizeof expected);
    }
}

static void gcm_opens_what_it_sealed_and_nothing_else(void **state)
{
    (void)state;
    uint8_t key[CK_KEY_SIZE] = {1}, nonce[CK_GCM_NONCE_SIZE] = {2};
    uint8_t sealed[5 + CK_GCM_TAG_SIZE], plain[5];
    assert_int_equal(ck_gcm_seal(key, nonce, "aad", 3, "hello", 5, sealed), 0);
    assert_int_equal(ck_gcm_open(key, nonce, "aad", 3, sealed, sizeof sealed, plain), 0);
    assert_memory_equal(plain, "hello", 5);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_int_equal(ck_gcm_open(key, nonce, "aad", 3, sealed, sizeof sealed, plain),
                         CK_E_AUTH);
        sealed[i] ^= 1;
    }
    assert_int_equal(ck_gcm_open(key, nonce, "aae", 3, sealed, sizeof sealed, plain), CK_E_AUTH);
    assert_int_equal(ck_gcm_open(key, nonce, "aad", 3, sealed, 15, plain), CK_E_AUTH);
}

static void ed25519_matches_rfc8032(void **state)
{
    (void)state;
    uint8_t seed[32], public_key[32], expected[64], signature[64];
    ck_hex_decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", seed, 32);
    assert_int_equal(ck_ed25519_public(seed, public_key), 0);
    ck_hex_decode("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", expected, 32);
    assert_memory_equal(public_key, expected, 32);
    assert_int_equal(ck_ed25519_sign(seed, "\x72", 1, signature), 0);
    ck_hex_decode("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
                  expected, 64);
    assert_memory_equal(signature, expected, 64);
    assert_int_equal(ck_ed25519_verify(public_key, "\x72", 1, signature), 0);
    assert_int_equal(ck_ed25519_verify(public_key, "\x73", 1, signature), CK_E_AUTH);
}

static void readers_and_writers_stop_at_the_bound(void **state)
{
    (void)state;
    uint8_t place[4];
    struct ck_writer writer = ck_writer_of(place, sizeof place);
    ck_write_u16(&writer, 0x1234);
    ck_write_u32(&writer, 1);
    assert_true(writer.failed);
    assert_int_equal(writer.size, 2);
    struct ck_reader reader = ck_reader_of(place, writer.size);
    assert_int_equal(ck_read_u16(&reader), 0x1234);
    assert_false(reader.failed);
    assert_int_equal(ck_read_u8(&reader), 0);
    assert_true(reader.failed);
}

static void a_time_of_day_is_five_characters(void **state)
{
    (void)state;
    assert_int_equal(ck_day_minute("00:00"), 0);
    assert_int_equal(ck_day_minute("09:05"), 545);
    assert_int_equal(ck_day_minute("23:59"), 1439);
    assert_int_equal(ck_day_minute("24:00"), CK_DAY_MINUTES);
    static const char *const wrong[] = {"",      "9:05",  "24:01", "12:60", "+1:+2",  " 1: 2",
                                        "-1:00", "12-30", "12:3",  "12:3x", "12:300", "012:30"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(ck_day_minute(wrong[i]), -1);
    }
    assert_int_equal(ck_day_minute(NULL), -1);
}

static void an_array_grows_and_keeps_what_it_has(void **state)
{
    (void)state;
    size_t capacity = 0;
    int *numbers = NULL;
    for (int i = 0; i < 1000; i++) {
        numbers = ck_array_grow(numbers, &capacity, (size_t)i, sizeof *numbers);
        assert_non_null(numbers);
        assert_true(capacity > (size_t)i);
        numbers[i] = i;
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(numbers[i], i);
    }
    free(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_text_round_trips),
        cmocka_unit_test(wall_parse_refuses_what_is_no_time),
        cmocka_unit_test(hex_and_base64_follow_rfc4648),
        cmocka_unit_test(utf8_is_checked_by_rfc3629),
        cmocka_unit_test(digests_match_their_vectors),
        cmocka_unit_test(many_texts_at_once_have_the_digests_of_each),
        cmocka_unit_test(gcm_opens_what_it_sealed_and_nothing_else),
        cmocka_unit_test(ed25519_matches_rfc8032),
        cmocka_unit_test(readers_and_writers_stop_at_the_bound),
        cmocka_unit_test(a_time_of_day_is_five_characters),
        cmocka_unit_test(an_array_grows_and_keeps_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
