/* ICE over TCP: a call of somebody whose network passes no UDP is a call like any other, and those
 * who connect and are nobody's are cut off, within their caps. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "media/transport/tcp.h"
#include "tests/media/rig.h"

static struct ck_rig *start(bool v6)
{
    struct ck_rig *rig = NULL;
    assert_int_equal(ck_rig_start(&(struct ck_rig_options){.tcp = true, .v6 = v6}, &rig), 0);
    return rig;
}

static void stop(struct ck_rig *rig)
{
    int status;
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    assert_int_equal(status, 0);
}

static void open_call(struct ck_rig *rig, uint64_t legs[2], int family)
{
    const struct ck_tclient_config streamed = {.tcp = true, .family = family};
    legs[0] = ck_rig_open(rig, 1, CK_WORKER_ROLE_PERSON, &streamed);
    legs[1] = ck_rig_open(rig, 1, CK_WORKER_ROLE_STAFF, &(struct ck_tclient_config){0});
    ck_rig_relay(rig, 1, true);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
}

static void assert_untouched(struct ck_rig *rig, const uint64_t legs[2])
{
    char text[512];
    for (unsigned side = 0; side < 2; side++) {
        assert_string_equal(ck_tclient_faults(ck_rig_client(rig, legs[side]), text), "");
    }
    assert_int_equal(ck_rig_lost(rig, legs), 0);
}

static void run_call(int family)
{
    struct ck_rig *rig = start(family == AF_INET6);
    uint64_t legs[2];
    open_call(rig, legs, family);
    ck_rig_run(rig, 1500);
    ck_rig_settle(rig);
    assert_untouched(rig, legs);
    assert_true(ck_rig_stats(rig, legs[0])->account[1].unique > 60);
    assert_true(ck_rig_stats(rig, legs[1])->account[1].unique > 60);
    stop(rig);
}

static void test_call(void **state)
{
    (void)state;
    run_call(AF_INET);
}

static void test_call_over_ipv6(void **state)
{
    (void)state;
    run_call(AF_INET6);
}

static uint64_t sounds_of(struct ck_rig *rig, uint64_t leg)
{
    return ck_rig_stats(rig, leg)->account[0].unique;
}

static void await_sounds(struct ck_rig *rig, const uint64_t legs[2], uint64_t more)
{
    uint64_t from[2] = {sounds_of(rig, legs[0]), sounds_of(rig, legs[1])};
    for (int turn = 0; turn < 40; turn++) {
        if (sounds_of(rig, legs[0]) >= from[0] + more &&
            sounds_of(rig, legs[1]) >= from[1] + more) {
            return;
        }
        ck_rig_run(rig, 100);
    }
    ck_rig_describe(rig);
    fail_msg("the sound does not go on");
}

/* An ICE restart over another connection: no new DTLS, and the old connection may go. */
static void test_restart_over_another_connection(void **state)
{
    (void)state;
    struct ck_rig *rig = start(false);
    uint64_t legs[2];
    open_call(rig, legs, AF_INET);
    ck_rig_restart(rig, legs[0], true);
    await_sounds(rig, legs, 30);
    assert_int_equal(
        ck_rig_count(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_DTLS_CONNECTED), 1);
    assert_true(ck_rig_count(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_PATH_CHANGED) >= 1);
    assert_int_equal(ck_rig_count(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_CLOSED), 0);
    stop(rig);
}

/* --- strangers
 * -------------------------------------------------------------------------------------- */

static int connect_to(struct ck_rig *rig)
{
    struct sockaddr_storage address = ck_rig_tcp_address(rig, false);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), 0);
    return fd;
}

/* Whether the other side ends the connection, and has said nothing on it, within the time. */
static bool is_cut_off(struct ck_rig *rig, int fd, int ms)
{
    uint8_t byte;
    for (int waited = 0; waited <= ms; waited += 20) {
        ssize_t size = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (size == 0 || (size < 0 && errno != EAGAIN)) {
            return true;
        }
        assert_true(size < 0);
        ck_rig_run(rig, 20);
    }
    return false;
}

/* Lengths that no packet has, a packet of nobody's, and one that never ends. */
static void test_nonsense(void **state)
{
    (void)state;
    struct ck_rig *rig = start(false);
    uint64_t legs[2];
    open_call(rig, legs, AF_INET);
    int zero = connect_to(rig);
    assert_int_equal(send(zero, "\0\0", 2, 0), 2);
    assert_true(is_cut_off(rig, zero, 1000));
    int large = connect_to(rig);
    assert_int_equal(send(large, "\xff\xff\x16\xfe", 4, 0), 4);
    assert_true(is_cut_off(rig, large, 1000));
    int web = connect_to(rig);
    assert_int_equal(send(web, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    assert_true(is_cut_off(rig, web, 1000));
    int half = connect_to(rig);
    assert_int_equal(send(half, "\x05\x00half", 6, 0), 6); /* 1,280 bytes are promised */
    assert_true(is_cut_off(rig, half, CK_TCP_PROVE_MS + 2000));
    ck_rig_settle(rig);
    assert_untouched(rig, legs);
    close(zero);
    close(large);
    close(web);
    close(half);
    stop(rig);
}

/* One address gets so many connections and no more; when those are cut off as nobody's there is
 * room again, and a call comes about. */
static void test_caps(void **state)
{
    (void)state;
    struct ck_rig *rig = start(false);
    int fds[CK_TCP_PER_ADDRESS_MAX];
    for (unsigned i = 0; i < CK_TCP_PER_ADDRESS_MAX; i++) {
        fds[i] = connect_to(rig);
    }
    int beyond = connect_to(rig);
    assert_true(is_cut_off(rig, beyond, 1000));
    assert_false(is_cut_off(rig, fds[0], 100));
    assert_true(is_cut_off(rig, fds[CK_TCP_PER_ADDRESS_MAX - 1], CK_TCP_PROVE_MS + 2000));
    for (unsigned i = 0; i < CK_TCP_PER_ADDRESS_MAX; i++) {
        close(fds[i]);
    }
    close(beyond);
    uint64_t legs[2];
    open_call(rig, legs, AF_INET);
    stop(rig);
}

/* A browser that vanishes without a word is suspended and gone by the same clock as over UDP. */
static void test_connection_breaks(void **state)
{
    (void)state;
    struct ck_rig *rig = NULL;
    uint64_t legs[2];
    struct ck_rig_options options = {.tcp = true,
                                     .durations = {.suspend_ms = 1500, .gone_ms = 3000}};
    assert_int_equal(ck_rig_start(&options, &rig), 0);
    const struct ck_tclient_config config = {.tcp = true, .check_interval_us = 300000};
    legs[0] = ck_rig_open(rig, 1, CK_WORKER_ROLE_PERSON, &config);
    legs[1] = ck_rig_open(rig, 1, CK_WORKER_ROLE_STAFF, &config);
    ck_rig_relay(rig, 1, true);
    assert_int_equal(ck_rig_await_media(rig, 5000), 0);
    ck_rig_drop_client(rig, legs[0]); /* closes the connection */
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_SUSPENDED, 1, 4000));
    assert_non_null(ck_rig_await(rig, CK_WORKER_LEG_EVENT, legs[0], CK_WORKER_EVENT_GONE, 1, 4000));
    assert_int_equal(ck_rig_count(rig, CK_WORKER_LEG_EVENT, legs[1], CK_WORKER_EVENT_CLOSED), 0);
    stop(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_call_over_ipv6),
        cmocka_unit_test(test_restart_over_another_connection),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_connection_breaks),
    };
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
