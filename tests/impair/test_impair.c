/* The bad network keeps its promises: shares, order, rate, and the same fate for the same seed. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "tests/impair/impair.h"

#define MANY 2000

/* A sink behind the proxy and a source before it. */
struct line {
    struct ck_crowd *crowd;
    struct ck_impair *impair;
    int sink;
    int source;
    unsigned got[MANY];
    unsigned count;
    unsigned bytes;
    unsigned disorder;
    unsigned last;
    unsigned merged;
};

static void sink_ready(void *arg, uint32_t events)
{
    struct line *line = arg;
    uint8_t data[4096];
    ssize_t size;
    (void)events;
    while ((size = recv(line->sink, data, sizeof data, MSG_DONTWAIT)) >= 4) {
        unsigned number = ck_get_u32(data);
        line->merged += size > 100;
        assert_true(number < MANY);
        line->got[number]++;
        line->disorder += line->count > 0 && number < line->last;
        line->last = number;
        line->count++;
        line->bytes += (unsigned)size;
    }
}

static int bound_socket(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int buffer = 1 << 20;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

static void open_line(struct line *line, uint64_t seed, const struct ck_impair_rules *up,
                      struct ck_impair_config *config)
{
    struct sockaddr_in sink;
    struct sockaddr_in source;
    memset(line, 0, sizeof *line);
    assert_int_equal(ck_crowd_create(&line->crowd), 0);
    line->sink = bound_socket(&sink);
    line->source = bound_socket(&source);
    assert_int_equal(ck_crowd_watch(line->crowd, line->sink, EPOLLIN, sink_ready, line), 0);
    config->crowd = line->crowd;
    config->seed = seed;
    config->server = (struct sockaddr *)&sink;
    config->rules[CK_IMPAIR_UP] = *up;
    assert_int_equal(ck_impair_create(config, &line->impair), 0);
    assert_int_equal(
        connect(line->source, ck_impair_address(line->impair), sizeof(struct sockaddr_in)), 0);
}

static void close_line(struct line *line)
{
    ck_impair_destroy(line->impair);
    ck_crowd_unwatch(line->crowd, line->sink);
    close(line->sink);
    close(line->source);
    ck_crowd_destroy(line->crowd);
}

static void push(struct line *line, unsigned from, unsigned to)
{
    uint8_t data[100] = {0};
    for (unsigned i = from; i < to; i++) {
        ck_put_u32(data, i);
        assert_int_equal(send(line->source, data, sizeof data, 0), sizeof data);
        if (i % 20 == 19) {
            ck_crowd_turn(line->crowd, 0);
        }
    }
}

static void test_perfect_line(void **state)
{
    (void)state;
    struct line line;
    struct ck_impair_rules rules = {0};
    struct ck_impair_config config = {0};
    open_line(&line, 1, &rules, &config);
    push(&line, 0, MANY);
    ck_crowd_until(line.crowd, NULL, NULL, 50);
    assert_int_equal(line.count, MANY);
    assert_int_equal(line.disorder, 0);
    close_line(&line);
}

static void test_same_seed_same_fate(void **state)
{
    (void)state;
    struct ck_impair_rules rules = {.loss = 0.3, .duplicate = 0.05};
    struct line first;
    struct line second;
    struct ck_impair_config config = {0};
    open_line(&first, 42, &rules, &config);
    push(&first, 0, MANY);
    ck_crowd_until(first.crowd, NULL, NULL, 50);
    open_line(&second, 42, &rules, &config);
    push(&second, 0, MANY);
    ck_crowd_until(second.crowd, NULL, NULL, 50);
    assert_memory_equal(first.got, second.got, sizeof first.got);
    unsigned lost = 0;
    unsigned doubled = 0;
    for (unsigned i = 0; i < MANY; i++) {
        lost += first.got[i] == 0;
        doubled += first.got[i] == 2;
    }
    assert_true(lost > MANY * 27 / 100 && lost < MANY * 33 / 100);
    assert_true(doubled > MANY * 2 / 100 && doubled < MANY * 6 / 100);
    close_line(&first);
    close_line(&second);
}

static void test_bursts(void **state)
{
    (void)state;
    struct ck_impair_rules rules = {.loss = 0.1, .burst = 5};
    struct ck_impair_config config = {0};
    struct line line;
    open_line(&line, 7, &rules, &config);
    push(&line, 0, MANY);
    ck_crowd_until(line.crowd, NULL, NULL, 50);
    unsigned lost = 0;
    unsigned runs = 0;
    for (unsigned i = 1; i < MANY; i++) {
        lost += line.got[i] == 0;
        runs += line.got[i] == 0 && line.got[i - 1] != 0;
    }
    assert_true(lost > MANY * 5 / 100 && lost < MANY * 16 / 100);
    assert_true(lost > runs * 3 && lost < runs * 8);
    close_line(&line);
}

static void test_delay_jitter_reorder(void **state)
{
    (void)state;
    struct ck_impair_rules rules = {.delay_us = 30000, .jitter_us = 20000};
    struct ck_impair_config config = {0};
    struct line line;
    open_line(&line, 3, &rules, &config);
    push(&line, 0, 500);
    ck_crowd_until(line.crowd, NULL, NULL, 20);
    assert_int_equal(line.count, 0);
    ck_crowd_until(line.crowd, NULL, NULL, 60);
    assert_int_equal(line.count, 500);
    assert_int_equal(line.disorder, 0);
    rules.reorder = 0.1;
    rules.reorder_us = 30000;
    ck_impair_set(line.impair, CK_IMPAIR_UP, &rules);
    push(&line, 500, 1000);
    ck_crowd_until(line.crowd, NULL, NULL, 150);
    assert_int_equal(line.count, 1000);
    assert_true(line.disorder > 10);
    close_line(&line);
}

static void test_rate_and_blackout(void **state)
{
    (void)state;
    struct ck_impair_rules rules = {.rate_bps = 800000, .queue_bytes = 10000};
    struct ck_impair_config config = {0};
    struct line line;
    open_line(&line, 3, &rules, &config);
    push(&line, 0, MANY);
    ck_crowd_until(line.crowd, NULL, NULL, 250);
    struct ck_impair_stats stats = ck_impair_stats(line.impair, CK_IMPAIR_UP);
    assert_true(stats.throttled > MANY / 2);
    assert_true(line.bytes >= 10000 && line.bytes < 50000);
    assert_int_equal(line.disorder, 0);
    rules = (struct ck_impair_rules){.blackout = true};
    ck_impair_set(line.impair, CK_IMPAIR_UP, &rules);
    unsigned before = line.count;
    push(&line, 0, 10);
    ck_crowd_until(line.crowd, NULL, NULL, 20);
    assert_int_equal(line.count, before);
    close_line(&line);
}

static enum ck_impair_verdict script(void *arg, enum ck_impair_direction direction, unsigned flow,
                                     const uint8_t *data, size_t size)
{
    (void)arg;
    (void)flow;
    (void)size;
    assert_int_equal(direction, CK_IMPAIR_UP);
    switch (ck_get_u32(data)) {
    case 0:
        return CK_IMPAIR_HOLD;
    case 2:
        return CK_IMPAIR_DROP;
    case 3:
        return CK_IMPAIR_TWICE;
    case 4:
        return CK_IMPAIR_MERGE;
    default:
        return CK_IMPAIR_PASS;
    }
}

static void test_script(void **state)
{
    (void)state;
    struct ck_impair_rules rules = {0};
    struct ck_impair_config config = {.script = script};
    struct line line;
    open_line(&line, 3, &rules, &config);
    push(&line, 0, 6);
    ck_crowd_until(line.crowd, NULL, NULL, 20);
    assert_int_equal(line.disorder, 1);
    assert_int_equal(line.got[0], 1);
    assert_int_equal(line.got[2], 0);
    assert_int_equal(line.got[3], 2);
    assert_int_equal(line.got[5], 0);
    assert_int_equal(line.merged, 1);
    close_line(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_perfect_line),
        cmocka_unit_test(test_same_seed_same_fate),
        cmocka_unit_test(test_bursts),
        cmocka_unit_test(test_delay_jitter_reorder),
        cmocka_unit_test(test_rate_and_blackout),
        cmocka_unit_test(test_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
