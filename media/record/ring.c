#include "media/record/ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16u
#define CACHE_LINE 64
#define REWIND_AT                                                                                  \
    (256u * 1024) /* an empty ring that is further than this goes back to its front                \
                   */

/* In front of each record. `skip` says that the rest up to the end of the memory is no record. */
struct head {
    uint32_t total; /* with this head, aligned */
    uint32_t size;
    uint32_t skip;
    uint32_t unused;
};

/* Positions only grow; modulo the size they are places. Where the producer goes back to the front
 * of an empty ring it jumps: no position from jump_from to jump_to was ever written or counts as
 * used, however long the consumer takes to see it. There is one jump at a time, for the next one
 * needs an empty ring again; both members are published by `written`. */
struct ck_ring {
    uint8_t *memory;
    size_t size;
    _Alignas(CACHE_LINE) _Atomic uint64_t written; /* by the producer */
    _Atomic uint64_t jump_from;
    _Atomic uint64_t jump_to;
    uint64_t reserved;                          /* producer: end of the room given */
    uint64_t seen_read;                         /* producer: `read` as last looked at */
    _Alignas(CACHE_LINE) _Atomic uint64_t read; /* by the consumer */
    uint64_t seen_written;                      /* consumer: `written` as last looked at */
};

int ck_ring_create(struct ck_ring **ring, size_t size)
{
    struct ck_ring *made = aligned_alloc(CACHE_LINE, sizeof *made);
    uint8_t *memory = aligned_alloc(CACHE_LINE, size);
    if (made == NULL || memory == NULL) {
        free(made);
        free(memory);
        return -ENOMEM;
    }
    memset(made, 0, sizeof *made);
    made->memory = memory;
    made->size = size;
    atomic_init(&made->written, 0);
    atomic_init(&made->read, 0);
    atomic_init(&made->jump_from, 0);
    atomic_init(&made->jump_to, 0);
    *ring = made;
    return 0;
}

void ck_ring_destroy(struct ck_ring *ring)
{
    if (ring != NULL) {
        free(ring->memory);
        free(ring);
    }
}

static struct head *head_at(struct ck_ring *ring, uint64_t position)
{
    return (struct head *)(void *)(ring->memory + position % ring->size);
}

/* Where a consumer at `read` really is. */
static uint64_t past_jump(const struct ck_ring *ring, uint64_t read)
{
    uint64_t from = atomic_load_explicit(&ring->jump_from, memory_order_relaxed);
    return read == from ? atomic_load_explicit(&ring->jump_to, memory_order_relaxed) : read;
}

/* Free bytes as the producer knows; looks at the consumer again only where that is not enough, or
 * where going back to the front would be good. */
static size_t room_for(struct ck_ring *ring, uint64_t written, size_t wanted)
{
    size_t free_bytes = ring->size - (size_t)(written - past_jump(ring, ring->seen_read));
    if (free_bytes < wanted || written % ring->size > REWIND_AT) {
        ring->seen_read = atomic_load_explicit(&ring->read, memory_order_acquire);
        free_bytes = ring->size - (size_t)(written - past_jump(ring, ring->seen_read));
    }
    return free_bytes;
}

/* The ring is empty: its next position is at the front. */
static uint64_t jump(struct ck_ring *ring, uint64_t written)
{
    uint64_t to = written + (ring->size - written % ring->size);
    atomic_store_explicit(&ring->jump_from, written, memory_order_relaxed);
    atomic_store_explicit(&ring->jump_to, to, memory_order_relaxed);
    return to;
}

void *ck_ring_room(struct ck_ring *ring, size_t size, size_t reserve)
{
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    size_t total = (sizeof(struct head) + size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t to_end = ring->size - (size_t)(written % ring->size);
    size_t skip = to_end < total ? to_end : 0;
    size_t free_bytes = room_for(ring, written, skip + total + reserve);
    bool rewind = ring->seen_read == written && written % ring->size > REWIND_AT;
    skip = rewind ? 0 : skip;
    if (size > CK_RING_RECORD_MAX || free_bytes < skip + total + reserve) {
        return NULL;
    }
    if (rewind) {
        written = jump(ring, written);
    } else if (skip > 0) {
        *head_at(ring, written) = (struct head){.total = (uint32_t)skip, .skip = 1};
        written += skip;
    }
    *head_at(ring, written) = (struct head){.total = (uint32_t)total, .size = (uint32_t)size};
    ring->reserved = written + total;
    return head_at(ring, written) + 1;
}

void ck_ring_push(struct ck_ring *ring)
{
    atomic_store_explicit(&ring->written, ring->reserved, memory_order_release);
}

const void *ck_ring_peek(struct ck_ring *ring, size_t *size)
{
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    for (;;) {
        if (read == ring->seen_written) {
            ring->seen_written = atomic_load_explicit(&ring->written, memory_order_acquire);
            if (read == ring->seen_written) {
                return NULL;
            }
        }
        uint64_t at = past_jump(ring, read);
        const struct head *head = head_at(ring, at);
        if (at == read && !head->skip) {
            *size = head->size;
            return head + 1;
        }
        read = at != read ? at : read + head->total;
        atomic_store_explicit(&ring->read, read, memory_order_release);
    }
}

void ck_ring_drop(struct ck_ring *ring)
{
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    const struct head *head = head_at(ring, read);
    atomic_store_explicit(&ring->read, read + head->total, memory_order_release);
}

size_t ck_ring_used(const struct ck_ring *ring)
{
    uint64_t read = past_jump(ring, atomic_load_explicit(&ring->read, memory_order_acquire));
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    return written < read ? 0 : (size_t)(written - read);
}
