/* Worker messages: each kind there and back, each cut short, each field out of its range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/worker.h"

static const uint8_t context[] = {1, 2, 3};
static const struct ck_worker_message examples[] = {
    {.kind = CK_WORKER_CONFIG,
     .config = {.version = CK_WORKER_VERSION,
                .index = 5,
                .log_level = CK_WORKER_LOG_INFO,
                .legs_max = 100,
                .handshakes_max = 20,
                .recordings_max = 100,
                .ring_bytes_max = 1 << 26,
                .memory_bytes_max = 1ull << 33,
                .durations = {.suspend_ms = 1500},
                .listen_v4 = {.family = 4, .bytes = {127, 0, 0, 1}, .port = 7000},
                .advertised_count = 2,
                .advertised = {{.family = 4, .bytes = {1, 2, 3, 4}},
                               {.family = 6, .bytes = {0x20, 1}, .port = 9}}}},
    {.kind = CK_WORKER_LEG_OPEN,
     .leg_open = {.leg = 1,
                  .call = 2,
                  .role = CK_WORKER_ROLE_STAFF,
                  .video_bitrate_max = 800000,
                  .offer = {"v=0\r\n", 5}}},
    {.kind = CK_WORKER_LEG_RESTART, .leg_restart = {.leg = 1, .offer = {"v=0\r\n", 5}}},
    {.kind = CK_WORKER_LEG_CLOSE, .leg_close = {1}},
    {.kind = CK_WORKER_RELAY, .relay = {.call = 2, .on = 1}},
    {.kind = CK_WORKER_RECORD_START,
     .record_start = {.leg = 1, .recording = 3, .key = {9}, .context = {context, 3}}},
    {.kind = CK_WORKER_RECORD_PAUSE, .record_pause = {.leg = 1, .reason = 2}},
    {.kind = CK_WORKER_RECORD_RESUME, .record_resume = {.leg = 1, .reason = 2}},
    {.kind = CK_WORKER_RECORD_STOP, .record_stop = {1}},
    {.kind = CK_WORKER_SHUTDOWN, .shutdown = {1000}},
    {.kind = CK_WORKER_READY,
     .ready = {.version = CK_WORKER_VERSION,
               .port_v4 = 7000,
               .legs_max = 1,
               .handshakes_max = 1,
               .library = {"OpenSSL", 7}}},
    {.kind = CK_WORKER_HEARTBEAT, .heartbeat = {.legs = 1, .cpu_us = 1ull << 40}},
    {.kind = CK_WORKER_LEG_ANSWER, .leg_answer = {.leg = 1, .answer = {"v=0", 3}}},
    {.kind = CK_WORKER_LEG_REFUSED,
     .leg_refused = {.leg = 1, .code = CK_WORKER_REFUSED_SYNTAX, .line = 7, .message = {"x", 1}}},
    {.kind = CK_WORKER_LEG_EVENT,
     .leg_event = {.leg = 1, .event = CK_WORKER_EVENT_CLOSED, .elapsed_ms = 3}},
    {.kind = CK_WORKER_LEG_STATS,
     .leg_stats = {.leg = 1, .width = 640, .audio_in = {.packets = 5}, .video_out = {.rtt_us = 8}}},
    {.kind = CK_WORKER_RECORD_STARTED, .record_started = {1, 3, 1700000000000}},
    {.kind = CK_WORKER_RECORD_HEAD,
     .record_head = {.leg = 1, .recording = 3, .reason = 1, .chunks = 4, .head = {7}}},
    {.kind = CK_WORKER_RECORD_CLOSED,
     .record_closed = {.leg = 1, .recording = 3, .chunks = 4, .gaps = 2, .error = 28}},
    {.kind = CK_WORKER_RECORD_FAILED, .record_failed = {1, 3, 28}},
};
#define EXAMPLES (sizeof examples / sizeof examples[0])

static size_t encoded(const struct ck_worker_message *message, uint8_t *bytes)
{
    const char *field = NULL;
    size_t size = 0;
    assert_int_equal(ck_worker_encode(message, bytes, CK_WORKER_MESSAGE_MAX, &size, &field), 0);
    return size;
}

/* Encoded, decoded and encoded again gives the same bytes; the texts are compared through them. */
static void test_there_and_back(void **state)
{
    (void)state;
    static uint8_t once[CK_WORKER_MESSAGE_MAX];
    static uint8_t twice[CK_WORKER_MESSAGE_MAX];
    for (size_t i = 0; i < EXAMPLES; i++) {
        size_t size = encoded(&examples[i], once);
        struct ck_worker_message message;
        const char *field = NULL;
        assert_int_equal(ck_worker_decode(once, size, &message, &field), 0);
        assert_int_equal(message.kind, examples[i].kind);
        assert_int_equal(encoded(&message, twice), size);
        assert_memory_equal(once, twice, size);
        assert_string_not_equal(ck_worker_kind_name(message.kind), "unknown");
    }
}

static void test_cut_short_or_too_long(void **state)
{
    (void)state;
    static uint8_t bytes[CK_WORKER_MESSAGE_MAX + 1];
    for (size_t i = 0; i < EXAMPLES; i++) {
        size_t size = encoded(&examples[i], bytes);
        struct ck_worker_message message = {.kind = 4711};
        const char *field = NULL;
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *exact = malloc(cut + 1);
            assert_non_null(exact);
            memcpy(exact, bytes, cut);
            assert_int_equal(ck_worker_decode(exact, cut, &message, &field), CK_E_TRUNCATED);
            assert_int_equal(message.kind, 4711);
            free(exact);
        }
        assert_int_equal(ck_worker_decode(bytes, size + 1, &message, &field), CK_E_SYNTAX);
        assert_string_equal(field, "end");
        for (size_t room = 0; room < size; room++) {
            uint8_t *exact = malloc(room + 1);
            assert_non_null(exact);
            size_t untouched = 4711;
            assert_int_equal(ck_worker_encode(&examples[i], exact, room, &untouched, &field),
                             CK_E_LIMIT);
            assert_int_equal(untouched, 4711);
            free(exact);
        }
    }
}

static void assert_refused(const struct ck_worker_message *message, int error, const char *field)
{
    static uint8_t bytes[CK_WORKER_MESSAGE_MAX];
    const char *named = NULL;
    size_t size = 0;
    assert_int_equal(ck_worker_encode(message, bytes, sizeof bytes, &size, &named), error);
    assert_string_equal(named, field);
}

static void test_ranges(void **state)
{
    (void)state;
    struct ck_worker_message config = examples[0];
    config.config.version = 2;
    assert_refused(&config, CK_E_INVALID, "version");
    config = examples[0];
    config.config.legs_max = CK_WORKER_LEGS_MAX + 1;
    assert_refused(&config, CK_E_INVALID, "legs_max");
    config = examples[0];
    config.config.handshakes_max = 101;
    assert_refused(&config, CK_E_INVALID, "handshakes_max");
    config = examples[0];
    config.config.listen_v4.family = 0;
    assert_refused(&config, CK_E_INVALID, "listen_v6");
    config = examples[0];
    config.config.advertised[0].family = 5;
    assert_refused(&config, CK_E_INVALID, "advertised");
    config = examples[0];
    config.config.durations.gone_ms = 99;
    assert_refused(&config, CK_E_INVALID, "gone_ms");

    struct ck_worker_message open = examples[1];
    open.leg_open.leg = 0;
    assert_refused(&open, CK_E_INVALID, "leg");
    open = examples[1];
    open.leg_open.role = 3;
    assert_refused(&open, CK_E_INVALID, "role");
    open = examples[1];
    open.leg_open.video_bitrate_max = 1;
    assert_refused(&open, CK_E_INVALID, "video_bitrate_max");
    static char offer[CK_WORKER_SDP_MAX + 1];
    open = examples[1];
    open.leg_open.offer = (struct ck_worker_text){offer, sizeof offer};
    assert_refused(&open, CK_E_LIMIT, "offer");
    open.leg_open.offer.size--;
    static uint8_t bytes[CK_WORKER_MESSAGE_MAX];
    (void)encoded(&open, bytes);

    struct ck_worker_message unknown = {.kind = 63};
    assert_refused(&unknown, CK_E_INVALID, "kind");
}

static void test_bad_datagrams(void **state)
{
    (void)state;
    struct ck_worker_message message;
    const char *field = NULL;
    static const uint8_t large[CK_WORKER_MESSAGE_MAX + 1];
    assert_int_equal(ck_worker_decode(large, sizeof large, &message, &field), CK_E_LIMIT);
    const uint8_t unknown[] = {0, 0, 0, 0};
    assert_int_equal(ck_worker_decode(unknown, 4, &message, &field), CK_E_SYNTAX);
    assert_string_equal(field, "kind");
    const uint8_t reserved[] = {0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1};
    assert_int_equal(ck_worker_decode(reserved, sizeof reserved, &message, &field), CK_E_INVALID);
    assert_string_equal(field, "reserved");
    /* A text that says it is longer than the datagram. */
    const uint8_t text[] = {0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x7f, 0xff, 'v'};
    assert_int_equal(ck_worker_decode(text, sizeof text, &message, &field), CK_E_TRUNCATED);
    assert_string_equal(field, "offer");
}

/* Any byte of any message replaced by any of a few values: decoding says yes or no and touches
 * nothing else. */
static void test_every_byte_changed(void **state)
{
    (void)state;
    static uint8_t bytes[CK_WORKER_MESSAGE_MAX];
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    for (size_t i = 0; i < EXAMPLES; i++) {
        size_t size = encoded(&examples[i], bytes);
        uint8_t *exact = malloc(size);
        assert_non_null(exact);
        for (size_t at = 0; at < size; at++) {
            for (size_t v = 0; v < sizeof values; v++) {
                memcpy(exact, bytes, size);
                exact[at] = values[v];
                struct ck_worker_message message;
                const char *field = NULL;
                int error = ck_worker_decode(exact, size, &message, &field);
                assert_true(error == 0 || field != NULL);
            }
        }
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_cut_short_or_too_long),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_bad_datagrams),
        cmocka_unit_test(test_every_byte_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
