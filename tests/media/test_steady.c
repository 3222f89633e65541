/* What a packet costs besides the work on it: nothing. While calls are relayed and recorded the
 * packet loop asks for no memory and takes no lock, and while there is nothing to do it sleeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/impair/impair.h"
#include "tests/media/counter.h"
#include "tests/media/film.h"

#define CALLS 20
#define WATCH_MS 2000
#define LONGER_MS 3000 /* it has been told, and the rings are full of it */
#define NEVER_US 600000000
#define SEED 20261130

struct watch {
    struct ck_rig *rig;
    struct ck_impair *impair; /* NULL: nothing is lost */
    struct ck_counter *counter;
    char path[64];
    uint64_t legs[CALLS][2];
    struct ck_film films[CALLS][2];
};

/* What the calls of one test are like. */
struct manner {
    struct ck_tclient_config person;
    struct ck_tclient_config staff;
    struct ck_impair_rules rules; /* of the persons' way, in either direction */
};

static void open_calls(struct watch *watch, const struct manner *manner)
{
    struct ck_tclient_config person = manner->person;
    if (manner->rules.loss > 0) {
        struct sockaddr_storage server = ck_rig_media_address(watch->rig, false);
        struct ck_impair_config config = {.crowd = ck_rig_crowd(watch->rig),
                                          .seed = SEED,
                                          .server = (struct sockaddr *)&server,
                                          .rules = {manner->rules, manner->rules}};
        assert_int_equal(ck_impair_create(&config, &watch->impair), 0);
        person.via = ck_impair_address(watch->impair);
    }
    for (unsigned i = 0; i < CALLS; i++) {
        watch->legs[i][0] = ck_rig_open(watch->rig, i + 1, CK_WORKER_ROLE_PERSON, &person);
        watch->legs[i][1] = ck_rig_open(watch->rig, i + 1, CK_WORKER_ROLE_STAFF, &manner->staff);
        ck_rig_relay(watch->rig, i + 1, true);
    }
    assert_int_equal(ck_rig_await_media(watch->rig, 10000), 0);
}

static void begin(struct watch *watch, const struct manner *manner)
{
    *watch = (struct watch){.rig = NULL};
    memcpy(watch->path, "/tmp/checkin-counter-XXXXXX", sizeof "/tmp/checkin-counter-XXXXXX");
    int fd = mkstemp(watch->path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, sizeof *watch->counter), 0);
    watch->counter = mmap(NULL, sizeof *watch->counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(watch->counter, MAP_FAILED);
    close(fd);
    assert_int_equal(setenv(CK_COUNTER_FILE, watch->path, 1), 0);
    struct ck_rig_options options = {.preload = CK_COUNTER_LIBRARY, .tcp = manner->person.tcp};
    assert_int_equal(ck_rig_start(&options, &watch->rig), 0);
    open_calls(watch, manner);
}

static void end(struct watch *watch)
{
    int status;
    for (unsigned i = 0; i < CALLS && watch->impair == NULL; i++) {
        assert_int_equal(ck_rig_lost(watch->rig, watch->legs[i]), 0);
    }
    for (unsigned i = 0; i < CALLS && watch->impair != NULL; i++) {
        ck_rig_drop_client(watch->rig, watch->legs[i][0]);
    }
    ck_impair_destroy(watch->impair);
    assert_int_equal(ck_rig_stop(watch->rig, &status), 0);
    assert_int_equal(status, 0);
    munmap(watch->counter, sizeof *watch->counter);
    unlink(watch->path);
}

static uint64_t packets(const struct watch *watch)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < CALLS; i++) {
        for (unsigned side = 0; side < 2; side++) {
            const struct ck_tclient_stats *stats = ck_rig_stats(watch->rig, watch->legs[i][side]);
            sum += stats->account[0].packets + stats->account[1].packets;
        }
    }
    return sum;
}

static struct ck_counter asked_since(const struct watch *watch, const struct ck_counter *was)
{
    const struct ck_counter *now = watch->counter;
    struct ck_counter asked = {.allocations = now->allocations - was->allocations,
                               .frees = now->frees - was->frees,
                               .locks = now->locks - was->locks,
                               .waits = now->waits - was->waits,
                               .receives = now->receives - was->receives,
                               .sends = now->sends - was->sends};
    print_message("%llu receives, %llu sends, %llu allocations, %llu frees, %llu locks, %llu "
                  "waits\n",
                  (unsigned long long)asked.receives, (unsigned long long)asked.sends,
                  (unsigned long long)asked.allocations, (unsigned long long)asked.frees,
                  (unsigned long long)asked.locks, (unsigned long long)asked.waits);
    assert_true(was->allocations > 1000); /* it does count: the start took many */
    assert_true(asked.receives > 0 && asked.sends > 0);
    return asked;
}

/* Lets the calls go on for a while; what the loop asked for in it. */
static struct ck_counter watch_calls(struct watch *watch)
{
    uint64_t before = packets(watch);
    struct ck_counter was = *watch->counter;
    ck_rig_run(watch->rig, WATCH_MS);
    struct ck_counter asked = asked_since(watch, &was);
    uint64_t relayed = packets(watch) - before;
    print_message("%llu packets\n", (unsigned long long)relayed);
    assert_true(relayed > (uint64_t)CALLS * 2 * 118 * WATCH_MS / 1000 * 8 / 10);
    return asked;
}

static void assert_nothing(const struct ck_counter *asked)
{
    assert_int_equal(asked->allocations, 0);
    assert_int_equal(asked->frees, 0);
    assert_int_equal(asked->locks, 0);
    assert_int_equal(asked->waits, 0);
}

static void run_relay(const struct manner *manner)
{
    static struct watch watch;
    begin(&watch, manner);
    struct ck_counter asked = watch_calls(&watch);
    ck_rig_settle(watch.rig);
    assert_nothing(&asked);
    end(&watch);
}

/* Their consent checks among it. */
static void test_relay_allocates_and_locks_nothing(void **state)
{
    (void)state;
    const struct ck_tclient_config often = {.check_interval_us = 300000};
    run_relay(&(struct manner){.person = often, .staff = often});
}

/* Browsers that do not know the newer profile; what each packet's arrival is told by. */
static void test_older_profile_allocates_and_locks_nothing(void **state)
{
    (void)state;
    const struct ck_tclient_config older = {.twcc = true, .profiles = "SRTP_AES128_CM_SHA1_80"};
    run_relay(&(struct manner){.person = older, .staff = older});
}

static void test_tcp_allocates_and_locks_nothing(void **state)
{
    (void)state;
    run_relay(&(struct manner){.person = {.tcp = true}});
}

/* What is lost is asked for, on either way, and sent again. */
static void test_repair_allocates_and_locks_nothing(void **state)
{
    (void)state;
    const struct ck_tclient_config repairs = {.rtx = true, .twcc = true};
    run_relay(&(struct manner){
        .person = repairs, .staff = repairs, .rules = {.loss = 0.05, .delay_us = 10000}});
}

/* A way that becomes longer makes more be kept to be sent again: a leg has the memory for that from
 * its opening. */
static void test_longer_way_allocates_nothing(void **state)
{
    (void)state;
    static struct watch watch;
    const struct ck_tclient_config repairs = {.rtx = true, .report_interval_us = 300000};
    const struct ck_impair_rules longer = {.loss = 0.01, .delay_us = 300000};
    begin(&watch, &(struct manner){.person = repairs, .staff = repairs, .rules = {.loss = 0.01}});
    struct ck_counter was = *watch.counter;
    ck_impair_set(watch.impair, CK_IMPAIR_UP, &longer);
    ck_impair_set(watch.impair, CK_IMPAIR_DOWN, &longer);
    ck_rig_run(watch.rig, LONGER_MS);
    struct ck_counter asked = asked_since(&watch, &was);
    ck_rig_settle(watch.rig);
    assert_nothing(&asked);
    end(&watch);
}

/* The writer's thread is told by a ring without a lock. */
static void test_recording_allocates_and_locks_nothing(void **state)
{
    (void)state;
    static struct watch watch;
    begin(&watch, &(struct manner){0});
    for (unsigned i = 0; i < CALLS; i++) {
        for (unsigned side = 0; side < 2; side++) {
            struct ck_film *film = &watch.films[i][side];
            assert_int_equal(ck_film_create(film, watch.legs[i][side], watch.legs[i][side], NULL),
                             0);
            ck_film_start(watch.rig, film);
            assert_non_null(
                ck_rig_await(watch.rig, CK_WORKER_RECORD_STARTED, watch.legs[i][side], 0, 1, 3000));
        }
    }
    struct ck_counter asked = watch_calls(&watch);
    ck_rig_settle(watch.rig);
    assert_nothing(&asked);
    end(&watch);
    for (unsigned i = 0; i < CALLS; i++) {
        ck_film_destroy(&watch.films[i][0]);
        ck_film_destroy(&watch.films[i][1]);
    }
}

/* How often the packet loop went to sleep. */
static uint64_t sleeps(const struct ck_rig *rig)
{
    char path[64];
    char line[128];
    unsigned long long count = 0;
    bool told = false; /* it may be none yet, where the start was not waited for anywhere */
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", ck_rig_pid(rig), ck_rig_pid(rig));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        told = told || sscanf(line, "voluntary_ctxt_switches: %llu", &count) == 1;
    }
    fclose(file);
    assert_true(told);
    return count;
}

static void assert_sleeps(struct ck_rig *rig, const char *what, uint64_t most_a_second)
{
    uint64_t before = sleeps(rig);
    ck_rig_run(rig, WATCH_MS);
    uint64_t count = sleeps(rig) - before;
    print_message("%s: woken %llu times in %d ms\n", what, (unsigned long long)count, WATCH_MS);
    assert_true(count <= most_a_second * WATCH_MS / 1000);
}

/* A worker sleeps until something is due: without a leg that is a heartbeat, with one that is
 * silent its service twenty times a second. */
static void test_sleeps_until_something_is_due(void **state)
{
    (void)state;
    struct ck_rig *rig;
    int status;
    assert_int_equal(ck_rig_start(NULL, &rig), 0);
    assert_sleeps(rig, "no leg", 5);
    uint64_t leg = ck_rig_open(rig, 1, CK_WORKER_ROLE_PERSON,
                               &(struct ck_tclient_config){.check_interval_us = NEVER_US});
    assert_non_null(
        ck_rig_await(rig, CK_WORKER_LEG_EVENT, leg, CK_WORKER_EVENT_DTLS_CONNECTED, 1, 5000));
    ck_tclient_vanish(ck_rig_client(rig, leg), true);
    assert_sleeps(rig, "a silent leg", 35);
    assert_int_equal(ck_rig_stop(rig, &status), 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relay_allocates_and_locks_nothing),
        cmocka_unit_test(test_older_profile_allocates_and_locks_nothing),
        cmocka_unit_test(test_tcp_allocates_and_locks_nothing),
        cmocka_unit_test(test_repair_allocates_and_locks_nothing),
        cmocka_unit_test(test_longer_way_allocates_nothing),
        cmocka_unit_test(test_recording_allocates_and_locks_nothing),
        cmocka_unit_test(test_sleeps_until_something_is_due),
    };
    if (ck_tclient_library_init() != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ck_tclient_library_deinit();
    return failed;
}
