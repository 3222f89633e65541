/* Who may be a leg, and where a leg may go: certificates, ICE restarts, roaming, silence,
 * strangers. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "tests/client/stun.h"
#include "tests/impair/impair.h"
#include "tests/media/rig.h"

static struct ck_rig *start(const struct ck_rig_options *options)
{
    struct ck_rig *rig = NULL;
    assert_int_equal(ck_rig_start(options, &rig), 0);
    return rig;
}

static void stop(struct ck_rig *rig)
{
    int status;
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static const struct ck_worker_message *await_event(struct ck_rig *rig, uint64_t leg,
                                                   enum ck_worker_event event, int timeout_ms)
{
    return ck_rig_await(rig, CK_WORKER_LEG_EVENT, leg, event, 1, timeout_ms);
}

static size_t events(struct ck_rig *rig, uint64_t leg, enum ck_worker_event event)
{
    return ck_rig_count(rig, CK_WORKER_LEG_EVENT, leg, event);
}

static void assert_no_faults(struct ck_rig *rig, uint64_t leg)
{
    char text[512];
    assert_string_equal(ck_tclient_faults(ck_rig_client(rig, leg), text), "");
}

static void test_wrong_fingerprint(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t bad = ck_rig_open(rig, 1, CK_WORKER_ROLE_PERSON,
                               &(struct ck_tclient_config){.wrong_fingerprint = true});
    uint64_t good = ck_rig_open(rig, 1, CK_WORKER_ROLE_STAFF, &(struct ck_tclient_config){0});
    ck_rig_relay(rig, 1, true);
    assert_non_null(await_event(rig, bad, CK_WORKER_EVENT_FINGERPRINT_MISMATCH, 5000));
    assert_non_null(await_event(rig, bad, CK_WORKER_EVENT_CLOSED, 2000));
    assert_non_null(await_event(rig, good, CK_WORKER_EVENT_DTLS_CONNECTED, 5000));
    ck_rig_run(rig, 300);
    assert_int_equal(events(rig, bad, CK_WORKER_EVENT_DTLS_CONNECTED), 0);
    assert_int_equal(events(rig, bad, CK_WORKER_EVENT_FIRST_AUDIO), 0);
    assert_int_equal(ck_rig_stats(rig, good)->account[0].packets, 0);
    assert_int_equal(ck_rig_stats(rig, bad)->account[0].packets, 0);
    stop(rig);
}

struct arrival {
    const struct ck_tclient_stats *stats[2];
    uint64_t beyond[2][2]; /* of a side, by kind */
};

static bool both_flow_on(void *arg)
{
    const struct arrival *arrival = arg;
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned kind = 0; kind < 2; kind++) {
            if (arrival->stats[side]->account[kind].unique <= arrival->beyond[side][kind]) {
                return false;
            }
        }
    }
    return true;
}

/* Turns until `more` further packets of sound and of the picture have come at both legs; how long
 * that took. */
static int64_t await_flow(struct ck_rig *rig, const uint64_t legs[2], uint64_t more, int timeout_ms)
{
    struct arrival arrival;
    int64_t from = ck_crowd_now(ck_rig_crowd(rig)).us;
    for (unsigned side = 0; side < 2; side++) {
        arrival.stats[side] = ck_rig_stats(rig, legs[side]);
        for (unsigned kind = 0; kind < 2; kind++) {
            arrival.beyond[side][kind] = arrival.stats[side]->account[kind].unique + more;
        }
    }
    assert_int_equal(ck_crowd_until(ck_rig_crowd(rig), both_flow_on, &arrival, timeout_ms), 0);
    return ck_crowd_now(ck_rig_crowd(rig)).us - from;
}

static void run_restart(bool new_port)
{
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_rig_run(rig, 500);
    char username[300];
    struct sockaddr_storage before = {0};
    struct sockaddr_storage after = {0};
    snprintf(username, sizeof username, "%s", ck_tclient_ice_username(ck_rig_client(rig, legs[0])));
    assert_int_equal(ck_tclient_address(ck_rig_client(rig, legs[0]), &before), 0);
    ck_rig_restart(rig, legs[0], new_port);
    assert_non_null(ck_rig_await(rig, CK_WORKER_LEG_ANSWER, legs[0], 0, 2, 2000));
    assert_string_equal(ck_rig_answer_fault(rig, legs[0]), "");
    assert_string_not_equal(username, ck_tclient_ice_username(ck_rig_client(rig, legs[0])));
    ck_rig_run(rig, 1000);
    await_flow(rig, legs, 20, 2000);
    assert_int_equal(ck_tclient_address(ck_rig_client(rig, legs[0]), &after), 0);
    assert_int_equal(memcmp(&before, &after, sizeof before) != 0, new_port);
    ck_rig_settle(rig);
    assert_no_faults(rig, legs[0]);
    assert_no_faults(rig, legs[1]);
    /* The old path goes on until the new one is there: at the most what was on its way is lost. */
    assert_true(ck_rig_lost(rig, legs) <= (new_port ? 3 : 0));
    assert_int_equal(events(rig, legs[0], CK_WORKER_EVENT_DTLS_CONNECTED), 1);
    assert_int_equal(events(rig, legs[0], CK_WORKER_EVENT_PATH_CHANGED), new_port ? 1 : 0);
    stop(rig);
}

static void test_ice_restart(void **state)
{
    (void)state;
    run_restart(false);
}

static void test_ice_restart_from_new_port(void **state)
{
    (void)state;
    run_restart(true);
}

static void test_restart_of_no_leg(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t leg = ck_rig_open(rig, 1, CK_WORKER_ROLE_PERSON, &(struct ck_tclient_config){0});
    assert_non_null(await_event(rig, leg, CK_WORKER_EVENT_DTLS_CONNECTED, 5000));
    ck_rig_close(rig, leg);
    assert_non_null(await_event(rig, leg, CK_WORKER_EVENT_CLOSED, 2000));
    const char *offer = ck_tclient_offer(ck_rig_client(rig, leg));
    struct ck_worker_message restart = {
        .kind = CK_WORKER_LEG_RESTART,
        .leg_restart = {.leg = leg, .offer = ck_worker_text_of(offer)},
    };
    ck_rig_send(rig, &restart, -1);
    const struct ck_worker_message *refused =
        ck_rig_await(rig, CK_WORKER_LEG_REFUSED, leg, 0, 1, 2000);
    assert_non_null(refused);
    assert_int_equal(refused->leg_refused.code, CK_WORKER_REFUSED_NOT_FOUND);
    stop(rig);
}

/* A NAT gives the phone another port: media goes on from there within two seconds, without a
 * restart. */
static void test_roaming(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    ck_rig_call(rig, 1, &(struct ck_tclient_config){.check_interval_us = 1000000}, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ck_tclient_roam(ck_rig_client(rig, legs[0])), 0);
        assert_true(await_flow(rig, legs, 10, 2500) < 2000000);
    }
    assert_true(events(rig, legs[0], CK_WORKER_EVENT_PATH_CHANGED) >= 3);
    assert_int_equal(events(rig, legs[0], CK_WORKER_EVENT_SUSPENDED), 0);
    assert_int_equal(events(rig, legs[0], CK_WORKER_EVENT_DTLS_CONNECTED), 1);
    assert_no_faults(rig, legs[0]);
    assert_no_faults(rig, legs[1]);
    stop(rig);
}

/* A socket of nobody. */
struct stranger {
    int fd;
    struct sockaddr_storage server;
};

static struct stranger make_stranger(struct ck_rig *rig)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct stranger stranger = {.server = ck_rig_media_address(rig, false)};
    stranger.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(stranger.fd >= 0);
    assert_int_equal(bind(stranger.fd, (struct sockaddr *)&own, sizeof own), 0);
    return stranger;
}

static void shout(const struct stranger *stranger, const void *data, size_t size)
{
    assert_true(sendto(stranger->fd, data, size, 0, (const struct sockaddr *)&stranger->server,
                       sizeof(struct sockaddr_in)) == (ssize_t)size);
}

static bool was_answered(const struct stranger *stranger)
{
    uint8_t data[2048];
    return recv(stranger->fd, data, sizeof data, MSG_DONTWAIT) >= 0;
}

/* A browser that nominates each pair it has, again and again: the leg goes to each new one once,
 * and does not jump between them with every check. */
static void test_every_pair_nominated(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    /* The same browser's, by other ports. */
    struct stranger others[2] = {make_stranger(rig), make_stranger(rig)};
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    struct ck_tclient *client = ck_rig_client(rig, legs[0]);
    struct ck_tstun_check check = {.type = CK_TSTUN_REQUEST,
                                   .username = ck_tclient_ice_username(client),
                                   .password = ck_tclient_ice_password(client),
                                   .priority = 1,
                                   .use_candidate = true,
                                   .tie_breaker = 77};
    for (uint8_t i = 0; i < 100; i++) {
        uint8_t data[CK_TSTUN_MAX];
        check.id[0] = i;
        shout(&others[i % 2], data, ck_tstun_write(&check, data));
        ck_rig_run(rig, 10);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_true(was_answered(&others[i]));
        close(others[i].fd);
    }
    assert_int_equal(events(rig, legs[0], CK_WORKER_EVENT_PATH_CHANGED), 2);
    stop(rig);
}

static void test_vanished(void **state)
{
    (void)state;
    struct ck_rig *rig = start(&(struct ck_rig_options){
        .durations = {.suspend_ms = 1500, .gone_ms = 3000},
    });
    uint64_t legs[2];
    ck_rig_call(rig, 1, &(struct ck_tclient_config){.check_interval_us = 400000}, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_rig_run(rig, 200);

    /* Away for a little: suspended, then back, and the other side is not touched. */
    int64_t left = ck_crowd_now(ck_rig_crowd(rig)).us;
    ck_tclient_vanish(ck_rig_client(rig, legs[0]), true);
    assert_non_null(await_event(rig, legs[0], CK_WORKER_EVENT_SUSPENDED, 3000));
    int64_t silent_us = ck_crowd_now(ck_rig_crowd(rig)).us - left;
    assert_true(silent_us > 1000000 && silent_us < 2300000);
    ck_tclient_vanish(ck_rig_client(rig, legs[0]), false);
    const struct ck_worker_message *resumed =
        await_event(rig, legs[0], CK_WORKER_EVENT_RESUMED, 1000);
    assert_non_null(resumed);
    assert_true(resumed->leg_event.detail >= 1400 && resumed->leg_event.detail < 3000);
    await_flow(rig, legs, 10, 2000);
    assert_int_equal(events(rig, legs[1], CK_WORKER_EVENT_SUSPENDED), 0);

    /* Away for good. */
    left = ck_crowd_now(ck_rig_crowd(rig)).us;
    ck_tclient_vanish(ck_rig_client(rig, legs[0]), true);
    assert_non_null(await_event(rig, legs[0], CK_WORKER_EVENT_GONE, 5000));
    silent_us = ck_crowd_now(ck_rig_crowd(rig)).us - left;
    assert_true(silent_us > 2500000 && silent_us < 4000000);
    assert_non_null(await_event(rig, legs[0], CK_WORKER_EVENT_CLOSED, 1000));
    assert_int_equal(events(rig, legs[0], CK_WORKER_EVENT_SUSPENDED), 2);
    assert_int_equal(events(rig, legs[1], CK_WORKER_EVENT_CLOSED), 0);
    stop(rig);
}

/* An offer that nobody follows up is given up, too. */
static void test_never_came(void **state)
{
    (void)state;
    struct ck_rig *rig = start(&(struct ck_rig_options){
        .durations = {.suspend_ms = 300, .gone_ms = 600},
    });
    uint64_t leg = ck_rig_open(rig, 1, CK_WORKER_ROLE_PERSON, &(struct ck_tclient_config){0});
    ck_rig_drop_client(rig, leg);
    assert_non_null(await_event(rig, leg, CK_WORKER_EVENT_GONE, 3000));
    assert_non_null(await_event(rig, leg, CK_WORKER_EVENT_CLOSED, 1000));
    assert_int_equal(events(rig, leg, CK_WORKER_EVENT_ICE_CONNECTED), 0);
    stop(rig);
}

/* ICE without ever a ClientHello. */
static enum ck_impair_verdict no_dtls(void *arg, enum ck_impair_direction direction, unsigned flow,
                                      const uint8_t *data, size_t size)
{
    (void)arg, (void)direction, (void)flow;
    return size > 0 && data[0] >= 20 && data[0] < 64 ? CK_IMPAIR_DROP : CK_IMPAIR_PASS;
}

static void test_no_handshake(void **state)
{
    (void)state;
    struct ck_rig *rig = start(&(struct ck_rig_options){.durations = {.handshake_ms = 1000}});
    struct sockaddr_storage server = ck_rig_media_address(rig, false);
    struct ck_impair *impair = NULL;
    assert_int_equal(
        ck_impair_create(&(struct ck_impair_config){.crowd = ck_rig_crowd(rig),
                                                    .server = (struct sockaddr *)&server,
                                                    .script = no_dtls},
                         &impair),
        0);
    uint64_t leg = ck_rig_open(rig, 1, CK_WORKER_ROLE_PERSON,
                               &(struct ck_tclient_config){.via = ck_impair_address(impair)});
    assert_non_null(await_event(rig, leg, CK_WORKER_EVENT_ICE_CONNECTED, 2000));
    assert_non_null(await_event(rig, leg, CK_WORKER_EVENT_DTLS_FAILED, 3000));
    assert_non_null(await_event(rig, leg, CK_WORKER_EVENT_CLOSED, 1000));
    ck_impair_destroy(impair);
    stop(rig);
}

static void junk_of(uint8_t *data, size_t size, uint8_t first, uint8_t second, uint64_t *random)
{
    for (size_t i = 0; i < size; i++) {
        *random = *random * 6364136223846793005U + 1442695040888963407U;
        data[i] = (uint8_t)(*random >> 56);
    }
    data[0] = first;
    data[1] = second;
}

/* SRTP, SRTCP and DTLS that nobody's keys made, from strangers and from the leg's own address, 20
 * times as much as the call itself: nothing changes. */
static void test_junk_flood(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    struct stranger stranger = make_stranger(rig);
    uint64_t legs[2];
    uint64_t random = 5;
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    for (int round = 0; round < 100; round++) {
        static const uint8_t firsts[][2] = {{0x80, 111}, {0x90, 96}, {0x80, 200},
                                            {0x81, 206}, {22, 254},  {23, 254}};
        uint8_t data[900];
        for (size_t i = 0; i < 30; i++) {
            const uint8_t *first = firsts[i % 6];
            junk_of(data, sizeof data, first[0], first[1], &random);
            size_t size = 13 + (size_t)(random >> 33) % (sizeof data - 13);
            if (first[0] >= 128 && i % 2 == 0) {
                ck_put_u32(data + 8, 1000); /* one source, so that it looks like a stream */
            }
            shout(&stranger, data, size);
            ck_tclient_send_raw(ck_rig_client(rig, legs[0]), data, size);
        }
        ck_rig_run(rig, 10);
    }
    ck_rig_settle(rig);
    assert_false(was_answered(&stranger));
    for (unsigned side = 0; side < 2; side++) {
        assert_no_faults(rig, legs[side]);
        assert_int_equal(events(rig, legs[side], CK_WORKER_EVENT_CLOSED), 0);
        assert_int_equal(events(rig, legs[side], CK_WORKER_EVENT_PATH_CHANGED), 0);
        assert_int_equal(events(rig, legs[side], CK_WORKER_EVENT_SSRC_REFUSED), 0);
        assert_int_equal(ck_rig_stats(rig, legs[side])->report[0].lost, 0);
    }
    assert_int_equal(ck_rig_lost(rig, legs), 0);
    close(stranger.fd);
    stop(rig);
}

/* Everything a checker of STUN can be fooled with, from a stranger: no answer, and the leg stays
 * where it is. */
static void test_forged_stun(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    struct stranger stranger = make_stranger(rig);
    uint64_t legs[2];
    ck_rig_call(rig, 1, NULL, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    struct ck_tclient *victim = ck_rig_client(rig, legs[0]);
    const char *username = ck_tclient_ice_username(victim);
    const char *password = ck_tclient_ice_password(victim);
    const struct ck_tstun_check right = {.type = CK_TSTUN_REQUEST,
                                         .id = {1, 2, 3, 4},
                                         .username = username,
                                         .password = password,
                                         .priority = 1,
                                         .tie_breaker = 77,
                                         .use_candidate = true};
    struct ck_tstun_check wrong[8] = {right, right, right, right, right, right, right, right};
    wrong[0].password = "not the password of this leg";
    wrong[1].password = NULL;
    wrong[2].username = NULL;
    wrong[3].username = "nobody:atall";
    wrong[4].wrong_fingerprint = true;
    wrong[5].type = CK_TSTUN_INDICATION;
    wrong[6].type = CK_TSTUN_SUCCESS;
    wrong[7].type = 0x0003; /* Allocate */
    uint8_t data[CK_TSTUN_MAX];
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 8; i++) {
            size_t size = ck_tstun_write(&wrong[i], data);
            shout(&stranger, data, size);
            for (size_t cut = 1; cut < size && round == 0; cut++) {
                shout(&stranger, data, cut);
            }
        }
        ck_rig_run(rig, 20);
    }
    size_t size = ck_tstun_write(&right, data);
    for (size_t at = 0; at < size; at++) { /* the right one with one bit changed */
        if (at == size - 8 || at == size - 7) {
            continue; /* no FINGERPRINT then, and MESSAGE-INTEGRITY alone proves it */
        }
        ck_tstun_write(&right, data);
        data[at] ^= 0x04;
        shout(&stranger, data, size);
        ck_rig_run(rig, 1);
        if (was_answered(&stranger)) {
            fail_msg("answered with byte %zu of %zu changed", at, size);
        }
    }
    ck_rig_run(rig, 300);
    assert_false(was_answered(&stranger));
    assert_int_equal(events(rig, legs[0], CK_WORKER_EVENT_PATH_CHANGED), 0);
    await_flow(rig, legs, 20, 2000);
    assert_no_faults(rig, legs[0]);
    assert_no_faults(rig, legs[1]);
    close(stranger.fd);
    stop(rig);
}

/* Media with the right keys from an address that no check ever came from is not the leg's: the rule
 * is the check, not the key. And what a stranger says in plain RTP is nobody's at all. */
static void test_media_from_unchecked_address(void **state)
{
    (void)state;
    struct ck_rig *rig = start(NULL);
    uint64_t legs[2];
    ck_rig_call(rig, 1, &(struct ck_tclient_config){.check_interval_us = 60000000}, legs);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_rig_run(rig, 200);
    /* The next check is a minute away: from now on media alone comes from the new port. */
    assert_int_equal(ck_tclient_roam(ck_rig_client(rig, legs[0])), 0);
    ck_rig_run(rig, 300);
    uint64_t before = ck_rig_stats(rig, legs[1])->account[0].unique;
    ck_rig_run(rig, 700);
    assert_int_equal(ck_rig_stats(rig, legs[1])->account[0].unique, before);
    assert_int_equal(ck_rig_stats(rig, legs[0])->account[0].corrupt, 0);
    assert_int_equal(events(rig, legs[0], CK_WORKER_EVENT_PATH_CHANGED), 0);
    stop(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_fingerprint),
        cmocka_unit_test(test_ice_restart),
        cmocka_unit_test(test_ice_restart_from_new_port),
        cmocka_unit_test(test_restart_of_no_leg),
        cmocka_unit_test(test_roaming),
        cmocka_unit_test(test_every_pair_nominated),
        cmocka_unit_test(test_vanished),
        cmocka_unit_test(test_never_came),
        cmocka_unit_test(test_no_handshake),
        cmocka_unit_test(test_junk_flood),
        cmocka_unit_test(test_forged_stun),
        cmocka_unit_test(test_media_from_unchecked_address),
    };
    cmocka_set_test_filter(getenv("CK_TEST")); /* a pattern of names; unset: all */
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
