/* STUN against libnice's implementation: it accepts what we write, we accept what it writes, and
 * both refuse the same messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#include "protocol/base/error.h"
#include "protocol/stun.h"

static const uint16_t known[] = {
    STUN_ATTRIBUTE_USERNAME,           STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
    STUN_ATTRIBUTE_PRIORITY,           STUN_ATTRIBUTE_USE_CANDIDATE,
    STUN_ATTRIBUTE_ERROR_CODE,         STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
    STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES, 0,
};
static uint8_t username[] = "here:there";
static uint8_t password[] = "the password of here, long";
static const uint8_t transaction[CK_STUN_TRANSACTION_SIZE] = "abcdefghijkl";

static void agent_init(StunAgent *agent)
{
    stun_agent_init(agent, known, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
}

static StunValidationStatus judge(const uint8_t *bytes, size_t size, StunMessage *message)
{
    static StunAgent agent; /* the message refers to it */
    agent_init(&agent);
    StunDefaultValidaterData credentials[] = {
        {username, sizeof username - 1, password, sizeof password - 1},
        {NULL, 0, NULL, 0},
    };
    return stun_agent_validate(&agent, message, bytes, size, stun_agent_default_validater,
                               credentials);
}

static size_t our_request(uint8_t *bytes, const void *key, size_t key_size)
{
    struct ck_stun_write what = {
        .klass = CK_STUN_REQUEST,
        .transaction = transaction,
        .username = (const char *)username,
        .username_size = sizeof username - 1,
        .has_priority = true,
        .priority = 1845501695,
        .use_candidate = true,
        .controlling = true,
        .tie_breaker = 0x1122334455667788,
        .password = key,
        .password_size = key_size,
        .fingerprint = true,
    };
    size_t size = 0;
    assert_int_equal(ck_stun_write(&what, bytes, CK_STUN_MESSAGE_MAX, &size), 0);
    return size;
}

static void test_it_takes_our_request(void **state)
{
    (void)state;
    uint8_t bytes[CK_STUN_MESSAGE_MAX];
    size_t size = our_request(bytes, password, sizeof password - 1);
    StunMessage message;
    assert_int_equal(judge(bytes, size, &message), STUN_VALIDATION_SUCCESS);
    uint32_t priority = 0;
    assert_int_equal(stun_message_find32(&message, STUN_ATTRIBUTE_PRIORITY, &priority),
                     STUN_MESSAGE_RETURN_SUCCESS);
    assert_int_equal(priority, 1845501695);
    assert_int_equal(stun_message_find_flag(&message, STUN_ATTRIBUTE_USE_CANDIDATE),
                     STUN_MESSAGE_RETURN_SUCCESS);
    size = our_request(bytes, "wrong", 5);
    assert_int_equal(judge(bytes, size, &message), STUN_VALIDATION_UNAUTHORIZED);
}

static void test_it_takes_our_answers(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        /* The agent must remember the request to accept the answer. */
        StunAgent agent;
        agent_init(&agent);
        uint8_t out[512];
        StunMessage asked;
        size_t asked_size = stun_usage_ice_conncheck_create(
            &agent, &asked, out, sizeof out, username, sizeof username - 1, password,
            sizeof password - 1, true, true, 77, 99, NULL, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
        assert_true(asked_size > 0);
        struct ck_stun read;
        assert_int_equal(ck_stun_read(out, asked_size, &read), 0);
        assert_int_equal(ck_stun_verify(out, asked_size, &read, password, sizeof password - 1), 0);
        assert_true(read.use_candidate && read.controlling && read.has_fingerprint);
        assert_int_equal(read.priority, 77);
        assert_int_equal(read.tie_breaker, 99);

        struct ck_stun_write what = {
            .klass = CK_STUN_SUCCESS,
            .transaction = read.transaction,
            .mapped = {.family = (uint8_t)family, .bytes = {192, 0, 2, 33, 5}, .port = 50123},
            .password = password,
            .password_size = sizeof password - 1,
            .fingerprint = true,
        };
        uint8_t bytes[CK_STUN_MESSAGE_MAX];
        size_t size = 0;
        assert_int_equal(ck_stun_write(&what, bytes, sizeof bytes, &size), 0);
        StunMessage answer;
        assert_int_equal(stun_agent_validate(&agent, &answer, bytes, size, NULL, NULL),
                         STUN_VALIDATION_SUCCESS);
        struct sockaddr_storage mapped;
        socklen_t mapped_size = sizeof mapped;
        assert_int_equal(stun_message_find_xor_addr(&answer, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
                                                    &mapped, &mapped_size),
                         STUN_MESSAGE_RETURN_SUCCESS);
        if (family == 4) {
            const struct sockaddr_in *v4 = (const void *)&mapped;
            assert_int_equal(ntohs(v4->sin_port), 50123);
            assert_memory_equal(&v4->sin_addr, what.mapped.bytes, 4);
        } else {
            const struct sockaddr_in6 *v6 = (const void *)&mapped;
            assert_int_equal(ntohs(v6->sin6_port), 50123);
            assert_memory_equal(&v6->sin6_addr, what.mapped.bytes, 16);
        }
    }
}

/* Where a bit is flipped, both must refuse. */
static void test_both_refuse_what_was_changed(void **state)
{
    (void)state;
    uint8_t bytes[CK_STUN_MESSAGE_MAX];
    size_t size = our_request(bytes, password, sizeof password - 1);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        StunMessage theirs;
        struct ck_stun ours;
        bool it_takes = judge(bytes, size, &theirs) == STUN_VALIDATION_SUCCESS;
        bool we_take = ck_stun_read(bytes, size, &ours) == 0 && ours.has_fingerprint &&
                       ck_stun_verify(bytes, size, &ours, password, sizeof password - 1) == 0;
        assert_false(it_takes);
        assert_false(we_take);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_takes_our_request),
        cmocka_unit_test(test_it_takes_our_answers),
        cmocka_unit_test(test_both_refuse_what_was_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
