#include "media/transport/packet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct slab {
    struct slab *next;
    struct ck_packet packets[CK_PACKET_SLAB];
};

struct ck_packet_pool {
    struct slab *slabs;
    struct ck_packet *free;
    size_t made;
    size_t used;
    size_t packets_max;
};

int ck_packet_pool_create(struct ck_packet_pool **pool, size_t packets_max)
{
    struct ck_packet_pool *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->packets_max = packets_max;
    *pool = made;
    return 0;
}

void ck_packet_pool_destroy(struct ck_packet_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    assert(pool->used == 0);
    while (pool->slabs != NULL) {
        struct slab *slab = pool->slabs;
        pool->slabs = slab->next;
        free(slab);
    }
    free(pool);
}

static void grow(struct ck_packet_pool *pool)
{
    if (pool->made + CK_PACKET_SLAB > pool->packets_max) {
        return;
    }
    struct slab *slab = malloc(sizeof *slab);
    if (slab == NULL) {
        return;
    }
    slab->next = pool->slabs;
    pool->slabs = slab;
    pool->made += CK_PACKET_SLAB;
    for (size_t i = 0; i < CK_PACKET_SLAB; i++) {
        slab->packets[i].next = pool->free;
        pool->free = &slab->packets[i];
    }
}

struct ck_packet *ck_packet_get(struct ck_packet_pool *pool)
{
    if (pool->free == NULL) {
        grow(pool);
    }
    struct ck_packet *packet = pool->free;
    if (packet != NULL) {
        pool->free = packet->next;
        packet->next = NULL;
        packet->owners = 1;
        packet->hint = 0;
        pool->used++;
        __builtin_prefetch(pool->free, 1); /* whoever comes next */
    }
    return packet;
}

void ck_packet_drop(struct ck_packet_pool *pool, struct ck_packet *packet)
{
    if (packet == NULL) {
        return;
    }
    assert(packet->owners > 0);
    if (--packet->owners == 0) {
        packet->next = pool->free;
        pool->free = packet;
        pool->used--;
    }
}

size_t ck_packet_pool_used(const struct ck_packet_pool *pool)
{
    return pool->used;
}
