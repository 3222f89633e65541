/* Packets: a pool of equal buffers with a count of owners. Single-threaded. Memory is asked for
 * where it is reserved, never where a packet is. */
#ifndef MEDIA_TRANSPORT_PACKET_H
#define MEDIA_TRANSPORT_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"
#include "protocol/rtp.h"

/* Bytes; more than any packet we take or make, so that a longer one is noticed. */
#define CK_PACKET_ROOM 1600

struct ck_packet {
    struct ck_packet *next; /* in the free list, or for the present owner's use */
    uint32_t owners;
    uint32_t size;
    uint32_t hint; /* for whoever looks ahead at received ones; 0: nothing is known */
    struct ck_mono arrival;
    struct ck_rtp rtp; /* of a clear packet */
    bool again;        /* likewise: it came after later ones, mostly because it was sent again */
    uint8_t data[CK_PACKET_ROOM];
};

struct ck_packet_pool;

/* A pool of `packets` (1 at least). 0 or -ENOMEM. */
int ck_packet_pool_create(struct ck_packet_pool **pool, size_t packets);
/* Makes it one of `packets` where it has fewer; what is reserved stays. Address space, of which the
 * system gives what is used. 0 or -ENOMEM. */
int ck_packet_pool_reserve(struct ck_packet_pool *pool, size_t packets);
/* All packets must have been given back. NULL is taken. */
void ck_packet_pool_destroy(struct ck_packet_pool *pool);

/* A packet with one owner, or NULL where all are out. Its content is undefined. */
struct ck_packet *ck_packet_get(struct ck_packet_pool *pool);

static inline struct ck_packet *ck_packet_keep(struct ck_packet *packet)
{
    packet->owners++;
    return packet;
}

/* One owner less; the last one gives it back. NULL is taken. */
void ck_packet_drop(struct ck_packet_pool *pool, struct ck_packet *packet);

/* How many are out. */
size_t ck_packet_pool_used(const struct ck_packet_pool *pool);

#endif
