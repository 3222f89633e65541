/* The first flight of DTLS on a bad road. A browser's ClientHello comes in two datagrams: doubled,
 * swapped, lost, merged, and in between strangers' alerts, it still connects, and soon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/impair/impair.h"
#include "tests/media/rig.h"

struct script {
    const char *name;
    /* What becomes of the first datagrams of DTLS, in their order: '.' pass, 'x' drop, '2' twice,
     * 'h' behind the next, 'm' merged with the next. What comes after the text passes. */
    const char *up;
    const char *down;
    size_t at[2];
};

static enum ck_impair_verdict play(void *arg, enum ck_impair_direction direction, unsigned flow,
                                   const uint8_t *data, size_t size)
{
    struct script *script = arg;
    const char *plan = direction == CK_IMPAIR_UP ? script->up : script->down;
    (void)flow;
    if (size == 0 || data[0] < 20 || data[0] > 63 || plan == NULL ||
        script->at[direction] >= strlen(plan)) {
        return CK_IMPAIR_PASS;
    }
    switch (plan[script->at[direction]++]) {
    case 'x':
        return CK_IMPAIR_DROP;
    case '2':
        return CK_IMPAIR_TWICE;
    case 'h':
        return CK_IMPAIR_HOLD;
    case 'm':
        return CK_IMPAIR_MERGE;
    default:
        return CK_IMPAIR_PASS;
    }
}

static const struct script scripts[] = {
    {.name = "two datagrams", .up = ".."},
    {.name = "first doubled", .up = "2."},
    {.name = "second doubled", .up = ".2"},
    {.name = "both doubled", .up = "22"},
    {.name = "swapped", .up = "h."},
    {.name = "merged", .up = "m."},
    {.name = "first lost", .up = "x."},
    {.name = "second lost", .up = ".x"},
    {.name = "both lost", .up = "xx"},
    {.name = "lost, then swapped", .up = "xxh."},
    {.name = "first lost, its repeat merged", .up = "x.m."},
    {.name = "first lost twice", .up = "x.x."},
    {.name = "server flight lost", .up = "..", .down = "x"},
    {.name = "server flight doubled", .up = "..", .down = "22"},
    {.name = "client finish lost", .up = "..x"},
    {.name = "client finish lost twice, server finish too", .up = "..x.x", .down = ".x"},
    {.name = "server finish lost", .up = "...", .down = ".x"},
    {.name = "server finish lost twice", .up = "...", .down = ".xx"},
};

static void test_scripts(void **state)
{
    (void)state;
    struct ck_rig *rig = NULL;
    size_t count = sizeof scripts / sizeof *scripts;
    struct ck_impair *impair[sizeof scripts / sizeof *scripts];
    struct script script[sizeof scripts / sizeof *scripts];
    uint64_t leg[sizeof scripts / sizeof *scripts];
    assert_int_equal(ck_rig_start(NULL, &rig), 0);
    struct sockaddr_storage server = ck_rig_media_address(rig, false);
    for (size_t i = 0; i < count; i++) {
        script[i] = scripts[i];
        assert_int_equal(
            ck_impair_create(&(struct ck_impair_config){.crowd = ck_rig_crowd(rig),
                                                        .server = (struct sockaddr *)&server,
                                                        .script = play,
                                                        .arg = &script[i]},
                             &impair[i]),
            0);
        leg[i] = ck_rig_open(
            rig, i + 1, CK_WORKER_ROLE_PERSON,
            &(struct ck_tclient_config){.big_hello = true, .via = ck_impair_address(impair[i])});
    }
    for (size_t i = 0; i < count; i++) {
        const struct ck_worker_message *done = ck_rig_await(
            rig, CK_WORKER_LEG_EVENT, leg[i], CK_WORKER_EVENT_FIRST_KEY_FRAME, 1, 5000);
        const struct ck_tclient_stats *stats = ck_rig_stats(rig, leg[i]);
        int64_t took_ms = (stats->dtls_us - stats->answered_us) / 1000;
        print_message("%-45s %4d ms\n", scripts[i].name, (int)took_ms);
        if (done == NULL) {
            fail_msg("%s: not connected", scripts[i].name);
        }
        /* Timers of 50 or 100 ms that double: two losses in a row cost well below a second. */
        assert_true(took_ms < 1200);
        assert_true(script[i].at[0] >= strlen(scripts[i].up));
    }
    for (size_t i = 0; i < count; i++) {
        ck_rig_drop_client(rig, leg[i]);
        ck_impair_destroy(impair[i]);
    }
    int status;
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    assert_int_equal(status, 0);
}

/* One plaintext fatal alert from the path kills an OpenSSL handshake: the server begins anew, and
 * the client's repeats bring it to its end. */
static void test_alert_in_handshake(void **state)
{
    (void)state;
    static const uint8_t alert[] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40};
    struct script lossy = {.up = ".x"};
    struct ck_rig *rig = NULL;
    struct ck_impair *impair = NULL;
    assert_int_equal(ck_rig_start(NULL, &rig), 0);
    struct sockaddr_storage server = ck_rig_media_address(rig, false);
    assert_int_equal(
        ck_impair_create(&(struct ck_impair_config){.crowd = ck_rig_crowd(rig),
                                                    .server = (struct sockaddr *)&server,
                                                    .script = play,
                                                    .arg = &lossy},
                         &impair),
        0);
    uint64_t leg = ck_rig_open(
        rig, 1, CK_WORKER_ROLE_PERSON,
        &(struct ck_tclient_config){.big_hello = true, .via = ck_impair_address(impair)});
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, leg, CK_WORKER_EVENT_ICE_CONNECTED, 1, 2000));
    for (int i = 0; i < 3; i++) {
        ck_tclient_send_raw(ck_rig_client(rig, leg), alert, sizeof alert);
        ck_rig_run(rig, 5);
    }
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, leg, CK_WORKER_EVENT_FIRST_KEY_FRAME, 1, 5000));
    /* And once it is done, an alert in plain is nothing at all. */
    ck_tclient_send_raw(ck_rig_client(rig, leg), alert, sizeof alert);
    ck_rig_run(rig, 300);
    assert_int_equal(ck_rig_count(rig, CK_WORKER_LEG_EVENT, leg, CK_WORKER_EVENT_CLOSED), 0);
    ck_rig_drop_client(rig, leg);
    ck_impair_destroy(impair);
    int status;
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_alert_in_handshake),
    };
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
