#include "media/transport/packet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct slab {
    struct slab *next;
    size_t count;
    struct ck_packet packets[];
};

struct ck_packet_pool {
    struct ck_packet *free; /* that were out before */
    struct slab *slabs;     /* the oldest first */
    struct slab *last;
    struct slab *fresh; /* the first with packets that were never out: all but its first `begun` */
    size_t begun;
    size_t reserved;
    size_t used;
};

int ck_packet_pool_create(struct ck_packet_pool **pool, size_t packets)
{
    struct ck_packet_pool *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    int error = ck_packet_pool_reserve(made, packets);
    if (error != 0) {
        free(made);
        return error;
    }
    *pool = made;
    return 0;
}

int ck_packet_pool_reserve(struct ck_packet_pool *pool, size_t packets)
{
    if (packets <= pool->reserved) {
        return 0;
    }
    size_t count = packets - pool->reserved;
    struct slab *slab = malloc(sizeof *slab + count * sizeof slab->packets[0]);
    if (slab == NULL) {
        return -ENOMEM;
    }
    slab->next = NULL;
    slab->count = count;
    if (pool->slabs == NULL) {
        pool->slabs = pool->fresh = slab;
    } else {
        pool->last->next = slab;
    }
    pool->last = slab;
    pool->reserved = packets;
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

/* Memory that no packet was in yet is not touched before it has to be: most of what is reserved
 * never costs a page. */
static struct ck_packet *take_fresh(struct ck_packet_pool *pool)
{
    if (pool->begun == pool->fresh->count && pool->fresh->next != NULL) {
        pool->fresh = pool->fresh->next;
        pool->begun = 0;
    }
    return pool->begun == pool->fresh->count ? NULL : &pool->fresh->packets[pool->begun++];
}

static struct ck_packet *take_free(struct ck_packet_pool *pool)
{
    struct ck_packet *packet = pool->free;
    pool->free = packet->next;
    return packet;
}

struct ck_packet *ck_packet_get(struct ck_packet_pool *pool)
{
    struct ck_packet *packet = pool->free != NULL ? take_free(pool) : take_fresh(pool);
    if (packet != NULL) {
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
