/* The vectors of RFC 8291 (appendix A) and the check of what we sign and refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "protocol/base/error.h"
#include "protocol/base/p256.h"
#include "protocol/base/text.h"
#include "protocol/web_push.h"

static const char as_private[] = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
static const char as_public[] =
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
static const char ua_private[] = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
static const char ua_public[] =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
static const char salt_text[] = "DGv6ra1nlYgDCS1FRnbzlw";
static const char subscription_text[] =
    "{\"endpoint\":\"https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV\","
    "\"expirationTime\":null,\"keys\":{\"p256dh\":"
    "\"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4\","
    "\"auth\":\"BTBZMqHH6r4Tts7J_aSIgg\"}}";
static const char message[] =
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_"
    "c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
    "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-"
    "fN";

static void bytes_of(const char *text, void *bytes, size_t size)
{
    size_t count = 0;
    assert_int_equal(ck_base64url_decode(text, bytes, size, &count), 0);
    assert_int_equal(count, size);
}

static void the_message_of_rfc8291_is_made(void **state)
{
    (void)state;
    static const char text[] = "When I grow up, I want to be a watermelon";
    struct ck_push_subscription subscription;
    uint8_t private_key[32], salt[16], body[sizeof text - 1 + CK_PUSH_OVERHEAD];
    char encoded[2 * sizeof body];
    assert_int_equal(
        ck_push_subscription_read(subscription_text, strlen(subscription_text), &subscription), 0);
    assert_string_equal(subscription.endpoint,
                        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV");
    bytes_of(as_private, private_key, sizeof private_key);
    bytes_of(salt_text, salt, sizeof salt);
    assert_int_equal(ck_push_encrypt(&subscription, private_key, salt, text, sizeof text - 1, body),
                     0);
    ck_base64url_encode(body, sizeof body, encoded);
    assert_string_equal(encoded, message);
}

static void both_sides_agree(void **state)
{
    (void)state;
    uint8_t a[32], b[32], a_public[65], b_public[65], wanted[65], one[32], other[32];
    bytes_of(as_private, a, 32);
    bytes_of(ua_private, b, 32);
    assert_int_equal(ck_p256_public(a, a_public), 0);
    bytes_of(as_public, wanted, 65);
    assert_memory_equal(a_public, wanted, 65);
    assert_int_equal(ck_p256_public(b, b_public), 0);
    bytes_of(ua_public, wanted, 65);
    assert_memory_equal(b_public, wanted, 65);
    assert_int_equal(ck_p256_shared(a, b_public, one), 0);
    assert_int_equal(ck_p256_shared(b, a_public, other), 0);
    assert_memory_equal(one, other, 32);
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                      0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    uint8_t zero[32] = {0}, good[32] = {[31] = 7}, public_key[65], secret[32], signature[64];
    assert_int_equal(ck_p256_public(zero, public_key), CK_E_INVALID);
    assert_int_equal(ck_p256_public(order, public_key), CK_E_INVALID);
    assert_int_equal(ck_p256_sign(zero, "x", 1, signature), CK_E_INVALID);
    assert_int_equal(ck_p256_public(good, public_key), 0);
    assert_int_equal(ck_p256_shared(zero, public_key, secret), CK_E_INVALID);
    public_key[64] ^= 1; /* not on the curve any more */
    assert_int_equal(ck_p256_shared(good, public_key, secret), CK_E_INVALID);
    assert_int_equal(ck_p256_verify(public_key, "x", 1, signature), CK_E_INVALID);
    public_key[64] ^= 1;
    public_key[0] = 6; /* another form of the same point */
    assert_int_equal(ck_p256_shared(good, public_key, secret), CK_E_INVALID);
    memset(public_key, 0, sizeof public_key); /* the point at infinity */
    assert_int_equal(ck_p256_shared(good, public_key, secret), CK_E_INVALID);
}

static void signatures_verify_and_nothing_else_does(void **state)
{
    (void)state;
    uint8_t private_key[32], public_key[65], signature[64];
    bytes_of(as_private, private_key, 32);
    assert_int_equal(ck_p256_public(private_key, public_key), 0);
    for (int round = 0; round < 20; round++) { /* numbers with leading zeros come up */
        assert_int_equal(ck_p256_sign(private_key, "challenge", 9, signature), 0);
        assert_int_equal(ck_p256_verify(public_key, "challenge", 9, signature), 0);
        assert_int_equal(ck_p256_verify(public_key, "challengf", 9, signature), CK_E_AUTH);
    }
    for (size_t i = 0; i < sizeof signature; i += 7) {
        signature[i] ^= 1;
        assert_int_equal(ck_p256_verify(public_key, "challenge", 9, signature), CK_E_AUTH);
        signature[i] ^= 1;
    }
    memset(signature, 0, sizeof signature);
    assert_int_equal(ck_p256_verify(public_key, "challenge", 9, signature), CK_E_AUTH);
    memset(signature, 0xff, sizeof signature);
    assert_int_equal(ck_p256_verify(public_key, "challenge", 9, signature), CK_E_AUTH);
}

/* The parts of "vapid t=A.B.C, k=K". */
static void split(char *value, char *parts[4])
{
    assert_memory_equal(value, "vapid t=", 8);
    char *key = strstr(value, ", k=");
    assert_non_null(key);
    *key = '\0';
    parts[3] = key + 4;
    parts[0] = value + 8;
    for (int i = 1; i < 3; i++) {
        parts[i] = strchr(parts[i - 1], '.');
        assert_non_null(parts[i]);
        *parts[i]++ = '\0';
    }
}

static void vapid_says_who_and_to_whom_and_until_when(void **state)
{
    (void)state;
    uint8_t private_key[32], public_key[65], signature[64];
    char value[CK_PUSH_VAPID_SIZE], signed_text[CK_PUSH_VAPID_SIZE], *parts[4];
    char json[400];
    size_t size;
    bytes_of(as_private, private_key, 32);
    assert_int_equal(ck_push_vapid(private_key, "https://push.example.net:8443/a?b",
                                   "mailto:a@b.kz", (struct ck_wall){INT64_C(1795000000999)},
                                   value),
                     0);
    split(value, parts);
    assert_string_equal(parts[3], as_public);
    assert_int_equal(ck_base64url_decode(parts[0], json, sizeof json - 1, &size), 0);
    json[size] = '\0';
    assert_string_equal(json, "{\"typ\":\"JWT\",\"alg\":\"ES256\"}");
    assert_int_equal(ck_base64url_decode(parts[1], json, sizeof json - 1, &size), 0);
    json[size] = '\0';
    assert_string_equal(
        json,
        "{\"aud\":\"https://push.example.net:8443\",\"exp\":1795043200,\"sub\":\"mailto:a@b.kz\"}");
    bytes_of(parts[2], signature, sizeof signature);
    bytes_of(parts[3], public_key, sizeof public_key);
    snprintf(signed_text, sizeof signed_text, "%s.%s", parts[0], parts[1]);
    assert_int_equal(ck_p256_verify(public_key, signed_text, strlen(signed_text), signature), 0);
}

static void vapid_refuses_what_it_cannot_say(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *subject;
    } bad[] = {
        {"http://push.example.net/", "mailto:a@b"},
        {"https:///x", "mailto:a@b"},
        {"https://a@b/", "mailto:a@b"},
        {"https://h/", "tel:112"},
        {"https://h/", "mailto:a\",\"b\":\""},
        {"https://h\"/", "mailto:a@b"},
    };
    uint8_t private_key[32] = {[31] = 1};
    char value[CK_PUSH_VAPID_SIZE], longest[400];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(
            ck_push_vapid(private_key, bad[i].endpoint, bad[i].subject, (struct ck_wall){1}, value),
            CK_E_INVALID);
    }
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memcpy(longest, "mailto:", 7);
    assert_int_equal(ck_push_vapid(private_key, "https://h/", longest, (struct ck_wall){1}, value),
                     CK_E_LIMIT);
    private_key[31] = 0;
    assert_int_equal(
        ck_push_vapid(private_key, "https://h/", "mailto:a@b", (struct ck_wall){1}, value),
        CK_E_INVALID);
}

static void subscriptions_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        int code;
    } changes[] = {
        {"https://", "http://", CK_E_INVALID},
        {"push.example", "a b", CK_E_INVALID},
        {"BCVxs", "BCVxt", CK_E_INVALID},
        {"SIgg", "SIg", CK_E_SYNTAX},
        {"\"auth\"", "\"aut\"", CK_E_SYNTAX},
        {"\"keys\"", "\"key\"", CK_E_SYNTAX},
        {"BTBZ", "BT+Z", CK_E_SYNTAX},
        {"}}", "}", CK_E_SYNTAX},
        {"SIgg\"", "SIgg==\"", 0},
        {"\"endpoint\"", "\"endpoints\"", CK_E_SYNTAX},
    };
    struct ck_push_subscription subscription;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char text[600];
        const char *at = strstr(subscription_text, changes[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - subscription_text), subscription_text,
                 changes[i].to, at + strlen(changes[i].from));
        int code = ck_push_subscription_read(text, strlen(text), &subscription);
        if (code != changes[i].code) {
            fail_msg("%s -> %s: %d", changes[i].from, changes[i].to, code);
        }
    }
}

static void messages_have_a_limit(void **state)
{
    (void)state;
    static uint8_t text[CK_PUSH_TEXT_MAX + 1], body[CK_PUSH_TEXT_MAX + 1 + CK_PUSH_OVERHEAD];
    uint8_t private_key[32] = {[31] = 1}, salt[16] = {0};
    struct ck_push_subscription subscription;
    assert_int_equal(
        ck_push_subscription_read(subscription_text, strlen(subscription_text), &subscription), 0);
    assert_int_equal(ck_push_encrypt(&subscription, private_key, salt, text, sizeof text, body),
                     CK_E_LIMIT);
    assert_int_equal(
        ck_push_encrypt(&subscription, private_key, salt, text, CK_PUSH_TEXT_MAX, body), 0);
    assert_int_equal(ck_push_encrypt(&subscription, private_key, salt, "", 0, body), 0);
    private_key[31] = 0;
    assert_int_equal(ck_push_encrypt(&subscription, private_key, salt, "", 0, body), CK_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_message_of_rfc8291_is_made),
        cmocka_unit_test(both_sides_agree),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(signatures_verify_and_nothing_else_does),
        cmocka_unit_test(vapid_says_who_and_to_whom_and_until_when),
        cmocka_unit_test(vapid_refuses_what_it_cannot_say),
        cmocka_unit_test(subscriptions_are_checked),
        cmocka_unit_test(messages_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
