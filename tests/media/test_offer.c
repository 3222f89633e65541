/* Offers that are not what a browser sends: each is refused with its reason and line, and the
 * worker goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "protocol/base/cleanup.h"
#include "tests/media/rig.h"

#define ANY_LINE UINT32_MAX /* the refusal names no line, or whichever it likes */
#define HERE 0              /* the refusal names the line that was changed */

struct bad {
    const char *name;
    const char *line; /* the start of the line that is changed: every one, unless `once` */
    const char *by;   /* what it becomes; NULL = it is taken out */
    unsigned code;
    uint32_t where;
    bool once;
};

static const struct bad bads[] = {
    {"payload type beyond 127", "m=audio", "m=audio 9 UDP/TLS/RTP/SAVPF 111 128",
     CK_WORKER_REFUSED_SYNTAX, HERE, true},
    {"payload type no number", "m=video", "m=video 9 UDP/TLS/RTP/SAVPF 96 x",
     CK_WORKER_REFUSED_SYNTAX, HERE, true},
    {"media line cut short", "m=audio", "m=audio 9", CK_WORKER_REFUSED_SYNTAX, HERE, true},
    {"port no number", "m=audio", "m=audio nine UDP/TLS/RTP/SAVPF 111", CK_WORKER_REFUSED_SYNTAX,
     HERE, true},
    {"rtpmap beyond 127", "a=rtpmap:96", "a=rtpmap:300 VP8/90000", CK_WORKER_REFUSED_SYNTAX, HERE,
     true},
    {"fingerprint cut short", "a=fingerprint", "a=fingerprint:sha-256 AB:CD",
     CK_WORKER_REFUSED_SYNTAX, HERE, true},
    {"fingerprint of no digits", "a=fingerprint",
     "a=fingerprint:sha-256 XX:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
     "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF",
     CK_WORKER_REFUSED_SYNTAX, HERE, true},
    {"SHA-1 only", "a=fingerprint",
     "a=fingerprint:sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33",
     CK_WORKER_REFUSED_UNSUPPORTED, ANY_LINE, false},
    {"no fingerprint", "a=fingerprint", NULL, CK_WORKER_REFUSED_UNSUPPORTED, ANY_LINE, false},
    {"no ice-ufrag", "a=ice-ufrag", NULL, CK_WORKER_REFUSED_UNSUPPORTED, ANY_LINE, false},
    {"no ice-pwd", "a=ice-pwd", NULL, CK_WORKER_REFUSED_UNSUPPORTED, ANY_LINE, false},
    {"short ice-pwd", "a=ice-pwd", "a=ice-pwd:short", CK_WORKER_REFUSED_SYNTAX, HERE, true},
    {"foreign character in ice-ufrag", "a=ice-ufrag", "a=ice-ufrag:ab:cd", CK_WORKER_REFUSED_SYNTAX,
     HERE, true},
    {"setup of no kind", "a=setup", "a=setup:sometimes", CK_WORKER_REFUSED_SYNTAX, HERE, true},
    {"setup passive", "a=setup", "a=setup:passive", CK_WORKER_REFUSED_UNSUPPORTED, ANY_LINE, false},
    {"no rtcp-mux", "a=rtcp-mux", NULL, CK_WORKER_REFUSED_UNSUPPORTED, ANY_LINE, false},
    {"no BUNDLE", "a=group:BUNDLE", NULL, CK_WORKER_REFUSED_UNSUPPORTED, ANY_LINE, false},
    {"neither Opus nor VP8", "a=rtpmap", "a=rtpmap:5 speex/8000", CK_WORKER_REFUSED_UNSUPPORTED,
     ANY_LINE, false},
    {"mid of no token", "a=mid:0", "a=mid:a b", CK_WORKER_REFUSED_SYNTAX, HERE, true},
    {"not a line", "s=-", "hello", CK_WORKER_REFUSED_SYNTAX, HERE, true},
    {"no version", "v=0", NULL, CK_WORKER_REFUSED_SYNTAX, ANY_LINE, true},
};

/* The offer with the change made; *line gets the number of the (first) changed line. */
static char *spoil(const char *offer, const struct bad *bad, uint32_t *line)
{
    char *text = calloc(1, strlen(offer) + 4096);
    assert_non_null(text);
    uint32_t number = 0;
    *line = 0;
    for (const char *at = offer; *at != '\0';) {
        const char *end = strstr(at, "\r\n");
        number++;
        bool hit = strncmp(at, bad->line, strlen(bad->line)) == 0 && !(bad->once && *line != 0);
        if (!hit) {
            strncat(text, at, (size_t)(end + 2 - at));
        } else if (bad->by != NULL) {
            strcat(text, bad->by);
            strcat(text, "\r\n");
        }
        *line = hit && *line == 0 ? number : *line;
        at = end + 2;
    }
    assert_true(*line > 0);
    return text;
}

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

static void send_offer(struct ck_rig *rig, uint64_t leg, const char *offer, size_t size)
{
    struct ck_worker_message message = {
        .kind = CK_WORKER_LEG_OPEN,
        .leg_open = {.leg = leg,
                     .call = leg,
                     .role = CK_WORKER_ROLE_PERSON,
                     .video_bitrate_max = 1000000,
                     .offer = {.data = offer, .size = size}},
    };
    ck_rig_send(rig, &message, -1);
}

/* The refusal of the leg, with code 0 where none came. */
static struct ck_worker_leg_refused await_refusal(struct ck_rig *rig, uint64_t leg)
{
    const struct ck_worker_message *message =
        ck_rig_await(rig, CK_WORKER_LEG_REFUSED, leg, 0, 1, 2000);
    return message == NULL ? (struct ck_worker_leg_refused){.code = 0} : message->leg_refused;
}

/* A template offer, of a client that stays otherwise unused. */
static char *good_offer(struct ck_rig *rig)
{
    struct ck_tclient *client = NULL;
    struct ck_tclient_config config = {.crowd = ck_rig_crowd(rig),
                                       .identity = ck_rig_identity(rig),
                                       .clip = ck_rig_clip(rig, 0),
                                       .rtx = true};
    assert_int_equal(ck_tclient_create(&config, &client), 0);
    char *offer = strdup(ck_tclient_offer(client));
    assert_non_null(offer);
    ck_tclient_destroy(client);
    return offer;
}

static void test_bad_offers(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    ck_cleanup(ck_freep) char *offer = good_offer(rig);
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        uint32_t line;
        ck_cleanup(ck_freep) char *text = spoil(offer, &bads[i], &line);
        send_offer(rig, 100 + i, text, strlen(text));
        struct ck_worker_leg_refused refused = await_refusal(rig, 100 + i);
        print_message("%-32s %u line %u: %.*s\n", bads[i].name, refused.code, refused.line,
                      (int)refused.message.size, refused.message.data);
        if (refused.code != bads[i].code) {
            fail_msg("%s: code %u, not %u", bads[i].name, refused.code, bads[i].code);
        }
        if (bads[i].where == HERE && refused.line != line) {
            fail_msg("%s: line %u, not %u", bads[i].name, refused.line, line);
        }
        assert_true(refused.message.size > 0);
        assert_int_equal(refused.retry_after_ms, 0);
    }
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    stop(rig);
}

static void test_no_sdp_at_all(void **state)
{
    (void)state;
    static const char *const texts[] = {"",     "\r\n",        "v=0",       "v=0\r\n",
                                        "\n\n", "v=1\r\n\r\n", "hello\r\n", "=\r\n=\r\n"};
    struct ck_rig *rig = start();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        send_offer(rig, 100 + i, texts[i], strlen(texts[i]));
        struct ck_worker_leg_refused refused = await_refusal(rig, 100 + i);
        assert_true(refused.code == CK_WORKER_REFUSED_SYNTAX ||
                    refused.code == CK_WORKER_REFUSED_UNSUPPORTED);
    }
    stop(rig);
}

/* Every offer cut off after every so many bytes is refused or, near its end, answered: never
 * silence. */
static void test_cut_offers(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    ck_cleanup(ck_freep) char *offer = good_offer(rig);
    size_t size = strlen(offer);
    uint64_t leg = 1000;
    for (size_t cut = 0; cut < size; cut += 17, leg++) {
        send_offer(rig, leg, offer, cut);
        ck_rig_run(rig, 0);
    }
    size_t asked = (size_t)(leg - 1000);
    for (uint64_t i = 1000; i < leg; i++) {
        const struct ck_worker_message *answer = NULL;
        for (int waited = 0; waited < 200 && answer == NULL; waited++) {
            answer = ck_rig_find(rig, CK_WORKER_LEG_REFUSED, i, 0, 1);
            answer = answer != NULL ? answer : ck_rig_find(rig, CK_WORKER_LEG_ANSWER, i, 0, 1);
            if (answer == NULL) {
                ck_rig_run(rig, 10);
            }
        }
        assert_non_null(answer);
    }
    assert_int_equal(ck_rig_count(rig, CK_WORKER_LEG_REFUSED, CK_RIG_ANY, 0) +
                         ck_rig_count(rig, CK_WORKER_LEG_ANSWER, CK_RIG_ANY, 0),
                     asked);
    stop(rig);
}

static void test_beyond_limits(void **state)
{
    (void)state;
    struct ck_rig *rig = start();
    ck_cleanup(ck_freep) char *offer = good_offer(rig);
    size_t room = CK_WORKER_SDP_MAX;
    ck_cleanup(ck_freep) char *text = calloc(1, room + 1);
    assert_non_null(text);
    strcpy(text, offer);
    while (strlen(text) + 8 < room) { /* thousands of lines */
        strcat(text, "a=x\r\n");
    }
    send_offer(rig, 1, text, strlen(text));
    struct ck_worker_leg_refused refused = await_refusal(rig, 1);
    assert_int_equal(refused.code, CK_WORKER_REFUSED_LIMIT);

    strcpy(text, offer); /* a hundred sections */
    for (int i = 0; i < 100; i++) {
        strcat(text, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=inactive\r\n");
    }
    send_offer(rig, 2, text, strlen(text));
    refused = await_refusal(rig, 2);
    assert_int_equal(refused.code, CK_WORKER_REFUSED_LIMIT);

    strcpy(text, offer); /* one line of 20 kB */
    strcat(text, "a=");
    memset(text + strlen(text), 'x', 20000);
    strcat(text, "\r\n");
    send_offer(rig, 3, text, strlen(text));
    refused = await_refusal(rig, 3);
    assert_int_equal(refused.code, CK_WORKER_REFUSED_LIMIT);
    stop(rig);
}

/* What else can keep a leg out: a number in use, a role taken, no room. */
static void test_conflicts_and_room(void **state)
{
    (void)state;
    struct ck_rig *rig = NULL;
    assert_int_equal(ck_rig_start(&(struct ck_rig_options){.legs_max = 4}, &rig), 0);
    ck_cleanup(ck_freep) char *offer = good_offer(rig);
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    send_offer(rig, legs[0], offer, strlen(offer)); /* the number of a live leg */
    struct ck_worker_leg_refused refused = await_refusal(rig, legs[0]);
    assert_int_equal(refused.code, CK_WORKER_REFUSED_CONFLICT);
    struct ck_worker_message twice = {
        .kind = CK_WORKER_LEG_OPEN,
        .leg_open = {.leg = 50,
                     .call = 1,
                     .role = CK_WORKER_ROLE_PERSON,
                     .video_bitrate_max = 1000000,
                     .offer = ck_worker_text_of(offer)},
    };
    ck_rig_send(rig, &twice, -1);
    refused = await_refusal(rig, 50);
    assert_int_equal(refused.code, CK_WORKER_REFUSED_CONFLICT);
    /* Room for four legs: the second call's first leg reserves both that are left. */
    send_offer(rig, 60, offer, strlen(offer));
    assert_non_null(ck_rig_await(rig, CK_WORKER_LEG_ANSWER, 60, 0, 1, 2000));
    send_offer(rig, 61, offer, strlen(offer));
    refused = await_refusal(rig, 61);
    assert_int_equal(refused.code, CK_WORKER_REFUSED_BUSY);
    assert_true(refused.retry_after_ms > 0);
    stop(rig);
}

/* More handshakes than allowed at once: the later ones are told when to come again. */
static void test_handshakes_limited(void **state)
{
    (void)state;
    struct ck_rig *rig = NULL;
    assert_int_equal(
        ck_rig_start(&(struct ck_rig_options){.legs_max = 100, .handshakes_max = 3}, &rig), 0);
    ck_cleanup(ck_freep) char *offer = good_offer(rig);
    for (uint64_t leg = 100; leg < 104; leg++) {
        send_offer(rig, leg, offer, strlen(offer));
    }
    struct ck_worker_leg_refused refused = await_refusal(rig, 103);
    assert_int_equal(refused.code, CK_WORKER_REFUSED_BUSY);
    assert_true(refused.retry_after_ms > 0);
    ck_rig_close(rig, 100);
    assert_non_null(ck_rig_await(rig, CK_WORKER_LEG_EVENT, 100, CK_WORKER_EVENT_CLOSED, 1, 2000));
    send_offer(rig, 105, offer, strlen(offer));
    assert_non_null(ck_rig_await(rig, CK_WORKER_LEG_ANSWER, 105, 0, 1, 2000));
    stop(rig);
}

#ifndef CK_SANITIZED
/* A worker with little memory left takes no new calls, says when to come again, and the calls that
 * are there lose nothing. Under sanitizers there is no limit. */
static void test_memory_limited(void **state)
{
    (void)state;
    struct ck_rig *rig = NULL;
    uint64_t legs[2];
    uint64_t leg;
    uint64_t call = 1;
    int status;
    assert_int_equal(ck_rig_start(NULL, &rig), 0);
    uint64_t space = ck_rig_usage(rig).space_kib << 10;
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    struct ck_rig_options options = {.memory_bytes_max = space + (UINT64_C(34) << 20)};
    assert_int_equal(ck_rig_start(&options, &rig), 0);
    ck_rig_call(rig, call, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    const struct ck_worker_message *refused = NULL;
    while (refused == NULL && call < 200) {
        leg = ck_rig_open(rig, ++call, CK_WORKER_ROLE_PERSON, &(struct ck_tclient_config){0});
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, leg, CK_WORKER_EVENT_DTLS_CONNECTED, 1, 500);
        refused = ck_rig_find(rig, CK_WORKER_LEG_REFUSED, leg, 0, 1);
    }
    print_message("refused after %llu calls\n", (unsigned long long)call - 1);
    assert_non_null(refused);
    assert_true(call > 3);
    assert_int_equal(refused->leg_refused.code, CK_WORKER_REFUSED_BUSY);
    assert_true(refused->leg_refused.retry_after_ms > 0);
    ck_rig_settle(rig);
    assert_int_equal(ck_rig_lost(rig, legs), 0);
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    assert_int_equal(status, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_offers),         cmocka_unit_test(test_no_sdp_at_all),
        cmocka_unit_test(test_cut_offers),         cmocka_unit_test(test_beyond_limits),
        cmocka_unit_test(test_conflicts_and_room), cmocka_unit_test(test_handshakes_limited),
#ifndef CK_SANITIZED
        cmocka_unit_test(test_memory_limited),
#endif

    };
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
