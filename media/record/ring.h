/* A bounded queue of byte records from one thread to one other, without locks and without
 * allocation.
 *
 * The producer asks for room and gives it up filled; the consumer looks at the oldest record and
 * drops it. A record is contiguous and 16-aligned. An empty ring is begun again at its front, so
 * that as little of the memory is touched as the consumer is behind. */
#ifndef MEDIA_RECORD_RING_H
#define MEDIA_RECORD_RING_H

#include <stddef.h>
#include <stdint.h>

#define CK_RING_RECORD_MAX 4096 /* bytes of one record */

struct ck_ring;

/* `size` is a multiple of 4096. 0 or -ENOMEM. */
int ck_ring_create(struct ck_ring **ring, size_t size);
void ck_ring_destroy(struct ck_ring *ring); /* NULL is taken */

/* Producer: room for a record, or NULL where it would leave less than `reserve` bytes free. */
void *ck_ring_room(struct ck_ring *ring, size_t size, size_t reserve);
/* Producer: hands over the record that ck_ring_room() gave last, all of it. */
void ck_ring_push(struct ck_ring *ring);

/* Consumer: the oldest record and its size, or NULL; valid until dropped. */
const void *ck_ring_peek(struct ck_ring *ring, size_t *size);
void ck_ring_drop(struct ck_ring *ring);

/* Bytes in use, as far as known here and now; for either thread. */
size_t ck_ring_used(const struct ck_ring *ring);

#endif
