/* A worker whose processor is nearly used up: it takes no new calls and says when to come again;
 * those that are there keep their quality; and it takes calls again once it has time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/media/burden.h"
#include "tests/media/rig.h"

#define CALLS 4
#define WATCH_MS 2000
#define BUSY_PERMILLE 900 /* of the loop's time: beyond the worker's limit of 85 % */
#define P99_US 400000     /* of the way through the worker: one still talks (ITU-T G.114) */

struct world {
    struct ck_rig *rig;
    struct ck_burden *burden;
    char path[64];
    uint64_t legs[CALLS][2];
    struct ck_histogram latency;
    uint64_t call;
};

static void begin(struct world *world)
{
    memcpy(world->path, "/tmp/checkin-burden-XXXXXX", sizeof "/tmp/checkin-burden-XXXXXX");
    int fd = mkstemp(world->path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, sizeof *world->burden), 0);
    world->burden = mmap(NULL, sizeof *world->burden, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(world->burden, MAP_FAILED);
    close(fd);
    assert_int_equal(setenv(CK_BURDEN_FILE, world->path, 1), 0);
    assert_int_equal(
        ck_rig_start(&(struct ck_rig_options){.preload = CK_BURDEN_LIBRARY}, &world->rig), 0);
    for (; world->call < CALLS; world->call++) {
        ck_rig_call(world->rig, world->call + 1,
                    &(struct ck_tclient_config){.latency = &world->latency},
                    world->legs[world->call]);
    }
    assert_int_equal(ck_rig_await_media(world->rig, 10000), 0);
}

/* Two more heartbeats: the second tells of a whole interval from now on. */
static const struct ck_worker_heartbeat *next_heartbeat(struct world *world)
{
    size_t count = ck_rig_count(world->rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0);
    const struct ck_worker_message *message =
        ck_rig_await(world->rig, CK_WORKER_HEARTBEAT, CK_RIG_ANY, 0, count + 2, 5000);
    assert_non_null(message);
    return &message->heartbeat;
}

static uint64_t datagrams_a_second(struct world *world)
{
    uint64_t before = next_heartbeat(world)->packets_in;
    return (next_heartbeat(world)->packets_in - before) / 2;
}

/* A person who wants in: the refusal, or NULL where he is answered. */
static const struct ck_worker_leg_refused *knock(struct world *world)
{
    uint64_t leg = ck_rig_open(world->rig, ++world->call, CK_WORKER_ROLE_PERSON,
                               &(struct ck_tclient_config){0});
    for (int waited = 0; waited < 5000; waited += 5) {
        const struct ck_worker_message *refused =
            ck_rig_find(world->rig, CK_WORKER_LEG_REFUSED, leg, 0, 1);
        if (refused != NULL) {
            ck_rig_drop_client(world->rig, leg);
            return &refused->leg_refused;
        }
        if (ck_rig_find(world->rig, CK_WORKER_LEG_ANSWER, leg, 0, 1) != NULL) {
            return NULL;
        }
        ck_rig_run(world->rig, 5);
    }
    fail_msg("neither answered nor refused");
    return NULL;
}

static void test_processor_limited(void **state)
{
    (void)state;
    static struct world world;
    int status;
    begin(&world);
    uint64_t rate = datagrams_a_second(&world);
    assert_true(rate > (uint64_t)CALLS * 2 * 118 / 2);
    world.burden->ns_per_datagram = (uint32_t)(UINT64_C(1000000) * BUSY_PERMILLE / rate);
    next_heartbeat(&world);

    const struct ck_worker_leg_refused *refused = knock(&world);
    assert_non_null(refused);
    assert_int_equal(refused->code, CK_WORKER_REFUSED_BUSY);
    assert_true(refused->retry_after_ms > 0);
    int again_ms = (int)refused->retry_after_ms;
    memset(&world.latency, 0, sizeof world.latency);
    ck_rig_run(world.rig, WATCH_MS);
    uint64_t p99_us = ck_histogram_quantile(&world.latency, 0.99);
    print_message("%llu datagrams a second of %u us each; relayed within %llu us (p50), %llu us "
                  "(p99)\n",
                  (unsigned long long)rate, world.burden->ns_per_datagram / 1000,
                  (unsigned long long)ck_histogram_quantile(&world.latency, 0.5),
                  (unsigned long long)p99_us);
    assert_true(p99_us < P99_US);
    assert_non_null(knock(&world));

    world.burden->ns_per_datagram = 0;
    ck_rig_run(world.rig, again_ms);
    assert_null(knock(&world));
    ck_rig_settle(world.rig);
    for (unsigned i = 0; i < CALLS; i++) {
        assert_int_equal(ck_rig_lost(world.rig, world.legs[i]), 0);
        for (unsigned side = 0; side < 2; side++) {
            char text[512];
            assert_string_equal(
                ck_tclient_faults(ck_rig_client(world.rig, world.legs[i][side]), text), "");
        }
    }
    assert_int_equal(ck_rig_stop(world.rig, &status), 0);
    assert_int_equal(status, 0);
    munmap(world.burden, sizeof *world.burden);
    unlink(world.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processor_limited),
    };
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
