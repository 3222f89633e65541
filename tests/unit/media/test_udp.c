/* Batches out of a worker's UDP socket: what is queued arrives, each packet as it was and in order.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "media/transport/udp.h"
#include "protocol/rtp.h"

#define POOL 1024
#define PEERS 2
#define FLOOD 20000 /* datagrams: more than CK_UDP_SOCKET_BUFFER has room for */

struct world {
    struct ck_packet_pool *pool;
    struct ck_udp *udp;
    int peer[PEERS];
    struct ck_path path[PEERS];
    unsigned sent[PEERS];
    unsigned got[PEERS];
    uint32_t sizes[PEERS][POOL];
};

static struct sockaddr_storage loopback(uint8_t family, socklen_t *size)
{
    struct sockaddr_storage address = {0};
    if (family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)&address;
        *in =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        *size = sizeof *in;
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
        *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
        *size = sizeof *in6;
    }
    return address;
}

static void open_peer(struct world *world, unsigned peer, uint8_t family)
{
    socklen_t size;
    struct sockaddr_storage address = loopback(family, &size);
    struct ck_path *path = &world->path[peer];
    *path = (struct ck_path){.family = family};
    world->peer[peer] = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(world->peer[peer], (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(world->peer[peer], (struct sockaddr *)&address, &size), 0);
    if (family == 4) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address;
        path->port = ntohs(in->sin_port);
        memcpy(path->remote, &in->sin_addr, 4);
        memcpy(path->local, &in->sin_addr, 4);
    } else {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;
        path->port = ntohs(in6->sin6_port);
        memcpy(path->remote, &in6->sin6_addr, 16);
        memcpy(path->local, &in6->sin6_addr, 16);
    }
}

static void begin(struct world *world, uint8_t family, bool wildcard)
{
    *world = (struct world){0};
    assert_int_equal(ck_packet_pool_create(&world->pool, POOL), 0);
    struct ck_udp_address address = {.family = family};
    for (unsigned peer = 0; peer < PEERS; peer++) {
        open_peer(world, peer, family);
    }
    if (!wildcard) {
        memcpy(address.bytes, world->path[0].remote, sizeof address.bytes);
        memset(world->path[0].local, 0, sizeof world->path[0].local);
        memset(world->path[1].local, 0, sizeof world->path[1].local);
    }
    assert_int_equal(ck_udp_create(&world->udp, &address, world->pool), 0);
}

static void end(struct world *world)
{
    ck_udp_destroy(world->udp);
    assert_int_equal(ck_packet_pool_used(world->pool), 0);
    ck_packet_pool_destroy(world->pool);
    close(world->peer[0]);
    close(world->peer[1]);
}

static uint8_t byte_of(unsigned peer, unsigned number, size_t at)
{
    return (uint8_t)(number * 31 + peer * 7 + at);
}

static void queue(struct world *world, unsigned peer, uint32_t size)
{
    struct ck_packet *packet = ck_packet_get(world->pool);
    unsigned number = world->sent[peer]++;
    assert_non_null(packet);
    for (size_t at = 0; at < size; at++) {
        packet->data[at] = byte_of(peer, number, at);
    }
    packet->size = size;
    world->sizes[peer][number] = size;
    ck_udp_queue(world->udp, &world->path[peer], packet);
    ck_packet_drop(world->pool, packet);
}

/* Loopback delivers before the send returns. */
static void assert_all_came(struct world *world)
{
    uint8_t data[2048];
    for (unsigned peer = 0; peer < PEERS; peer++) {
        for (; world->got[peer] < world->sent[peer]; world->got[peer]++) {
            unsigned number = world->got[peer];
            ssize_t size = recv(world->peer[peer], data, sizeof data, 0);
            assert_int_equal(size, world->sizes[peer][number]);
            for (size_t at = 0; at < (size_t)size; at++) {
                assert_int_equal(data[at], byte_of(peer, number, at));
            }
        }
        assert_int_equal(recv(world->peer[peer], data, sizeof data, 0), -1);
    }
}

/* Two pictures, one to each peer, sound between them, and a last packet that begins no run. */
static void queue_mixture(struct world *world)
{
    for (unsigned i = 0; i < 5; i++) {
        queue(world, 0, 1100);
    }
    queue(world, 0, 700);
    queue(world, 0, 700);
    queue(world, 0, 90);
    queue(world, 0, 1100);
    for (unsigned i = 0; i < 3; i++) {
        queue(world, 1, 1000);
        queue(world, 0, 1000);
    }
    for (unsigned i = 0; i < 4; i++) {
        queue(world, 1, 1000);
    }
}

static void all_that_is_queued_goes_to_its_peer(void **state)
{
    (void)state;
    static const struct {
        uint8_t family;
        bool wildcard;
    } ways[] = {{4, false}, {4, true}, {6, false}, {6, true}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct world world;
        begin(&world, ways[i].family, ways[i].wildcard);
        queue_mixture(&world);
        ck_udp_flush(world.udp);
        assert_all_came(&world);
        struct ck_udp_counts counts = ck_udp_sent(world.udp);
        assert_int_equal(counts.packets, 19);
        assert_int_equal(counts.bytes, 5 * 1100 + 700 + 700 + 90 + 1100 + 10 * 1000);
        assert_int_equal(counts.failed, 0);
        end(&world);
    }
}

static void more_than_a_batch_goes(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 4, false);
    for (unsigned i = 0; i < 150; i++) {
        queue(&world, 0, 1200);
        if (i % 50 == 49) { /* the receiver's buffer is small */
            ck_udp_flush(world.udp);
            assert_all_came(&world);
        }
    }
    struct ck_udp_counts counts = ck_udp_sent(world.udp);
    assert_int_equal(counts.packets, 150);
    assert_int_equal(counts.failed, 0);
    end(&world);
}

/* A peer that cannot be reached takes nobody else's packets with it. */
static void what_is_lost_is_counted_and_nothing_else(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 4, false);
    struct ck_path nowhere = world.path[0];
    nowhere.port = 0;
    struct ck_packet *packet = ck_packet_get(world.pool);
    packet->size = 500;
    memset(packet->data, 0, packet->size);
    queue(&world, 0, 500);
    ck_udp_queue(world.udp, &nowhere, packet);
    ck_udp_queue(world.udp, &nowhere, packet);
    queue(&world, 1, 500);
    ck_packet_drop(world.pool, packet);
    ck_udp_flush(world.udp);
    assert_all_came(&world);
    struct ck_udp_counts counts = ck_udp_sent(world.udp);
    assert_int_equal(counts.packets, 2);
    assert_int_equal(counts.failed, 2);
    end(&world);
}

#define ARRIVALS 10

struct watch {
    unsigned looked[ARRIVALS]; /* how often */
    unsigned taken;
};

static void look(void *user, struct ck_packet *packet, const struct ck_path *path, unsigned steps)
{
    struct watch *watch = user;
    unsigned number = packet->data[0];
    assert_int_equal(path->family, 4);
    assert_int_equal(packet->size, 100 + number);
    assert_int_equal(steps, CK_UDP_AHEAD - watch->looked[number]++);
    if (steps <= number) { /* that many are in front of it */
        assert_int_equal(watch->taken, number - steps);
    }
    if (steps == CK_UDP_AHEAD) {
        assert_int_equal(packet->hint, 0);
        packet->hint = number + 1;
    }
}

static void take(void *user, struct ck_packet *packet, const struct ck_path *path)
{
    struct watch *watch = user;
    assert_int_equal(path->family, 4);
    assert_int_equal(packet->data[0], watch->taken);
    assert_int_equal(watch->looked[watch->taken], CK_UDP_AHEAD);
    assert_int_equal(packet->hint, watch->taken + 1);
    watch->taken++;
}

static void send_to_socket(struct world *world, unsigned count)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(ck_udp_port(world->udp)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (unsigned i = 0; i < count; i++) {
        uint8_t data[200] = {(uint8_t)i};
        assert_int_equal(
            sendto(world->peer[0], data, 100 + i, 0, (struct sockaddr *)&to, sizeof to), 100 + i);
    }
}

/* In order and each before its turn, also where fewer come than are looked ahead at; what one batch
 * was hinted is nothing to the next. */
static void arrivals_are_looked_at_before_they_are_taken(void **state)
{
    (void)state;
    static const unsigned counts[] = {ARRIVALS, 1, CK_UDP_AHEAD - 1, CK_UDP_AHEAD, ARRIVALS};
    struct world world;
    begin(&world, 4, false);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct watch watch = {0};
        send_to_socket(&world, counts[i]);
        assert_int_equal(ck_udp_receive(world.udp, (struct ck_mono){1}, look, take, &watch),
                         counts[i]);
        assert_int_equal(watch.taken, counts[i]);
    }
    end(&world);
}

struct tally {
    unsigned taken;
    uint32_t size; /* of the last one */
};

static void look_away(void *user, struct ck_packet *packet, const struct ck_path *path,
                      unsigned steps)
{
    (void)user, (void)packet, (void)path, (void)steps;
}

static void count_one(void *user, struct ck_packet *packet, const struct ck_path *path)
{
    struct tally *tally = user;
    (void)path;
    tally->taken++;
    tally->size = packet->size;
}

static void receive_all(struct world *world, struct tally *tally)
{
    while (ck_udp_receive(world->udp, (struct ck_mono){1}, look_away, count_one, tally) > 0) {
    }
}

static void send_many(struct world *world, unsigned count, size_t size)
{
    static const uint8_t data[CK_RTP_PACKET_MAX + 600];
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(ck_udp_port(world->udp)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(sendto(world->peer[0], data, size, 0, (struct sockaddr *)&to, sizeof to),
                         size);
    }
}

/* Longer ones arrive without a byte, so that nobody reads them; whether the room for one would do
 * or not. */
static void what_is_too_long_is_not_read(void **state)
{
    (void)state;
    static const size_t sizes[] = {CK_RTP_PACKET_MAX, CK_RTP_PACKET_MAX + 1,
                                   CK_RTP_PACKET_MAX + 600};
    struct world world;
    begin(&world, 4, false);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct tally tally = {0};
        send_many(&world, 1, sizes[i]);
        receive_all(&world, &tally);
        assert_int_equal(tally.taken, 1);
        assert_int_equal(tally.size, i == 0 ? sizes[i] : 0);
    }
    end(&world);
}

/* What the socket has no room for is lost and counted, each of them once. */
static void what_overflows_is_counted(void **state)
{
    (void)state;
    struct world world;
    struct tally tally = {0};
    unsigned sent = 0;
    begin(&world, 4, false);
    for (unsigned round = 0; round < 2; round++) {
        send_many(&world, FLOOD, 1400);
        receive_all(&world, &tally);
        send_many(&world, 1, 100); /* the kernel tells of it with the next that arrives */
        receive_all(&world, &tally);
        sent += FLOOD + 1;
        assert_true(ck_udp_lost(world.udp) > 0);
        assert_int_equal(tally.taken + ck_udp_lost(world.udp), sent);
    }
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrivals_are_looked_at_before_they_are_taken),
        cmocka_unit_test(all_that_is_queued_goes_to_its_peer),
        cmocka_unit_test(more_than_a_batch_goes),
        cmocka_unit_test(what_is_lost_is_counted_and_nothing_else),
        cmocka_unit_test(what_is_too_long_is_not_read),
        cmocka_unit_test(what_overflows_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
