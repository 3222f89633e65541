/* Who sends from where: the table of network paths whose owner has proved itself by an
 * authenticated check.
 *
 * Strangers choose addresses and ports, so the hash is keyed, and full addresses are compared. */
#ifndef MEDIA_TRANSPORT_TUPLES_H
#define MEDIA_TRANSPORT_TUPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "media/transport/siphash.h"
#include "protocol/base/time.h"

/* Both ends of a way. Compared as bytes: unused ones are zero. */
struct ck_path {
    uint8_t family; /* 4 or 6: also which of our UDP sockets */
    uint8_t zero;
    uint16_t port;       /* theirs */
    uint32_t scope;      /* IPv6 link-local only */
    uint32_t connection; /* of TCP; 0: UDP */
    uint8_t remote[16];
    uint8_t local[16]; /* ours, where the socket is bound to the wildcard; else zeros */
};

#define CK_TUPLE_NONE UINT32_MAX

struct ck_tuple {
    struct ck_path path;
    uint32_t owner;         /* CK_TUPLE_NONE: this place is free */
    struct ck_mono checked; /* last authenticated check */
    struct ck_mono heard;   /* last authenticated packet of any kind */
};

struct ck_tuples {
    struct ck_tuple *tuples;
    uint32_t *free; /* stack of free places */
    uint32_t free_count;
    uint32_t *slots; /* open addressing: place + 1, 0 empty */
    uint32_t slot_mask;
    uint32_t capacity;
    uint8_t key[CK_SIPHASH_KEY_SIZE];
};

/* Room for `capacity` tuples, with a random key. 0 or -ENOMEM. */
int ck_tuples_init(struct ck_tuples *table, uint32_t capacity,
                   const uint8_t key[static CK_SIPHASH_KEY_SIZE]);
void ck_tuples_deinit(struct ck_tuples *table);

/* The number of the tuple with exactly this path, or CK_TUPLE_NONE. */
uint32_t ck_tuples_find(const struct ck_tuples *table, const struct ck_path *path);
/* Whether the tuple with this number has exactly this path. */
bool ck_tuples_is(const struct ck_tuples *table, uint32_t number, const struct ck_path *path);
/* Adds one that is not there. Its number, or CK_TUPLE_NONE where the table is full. */
uint32_t ck_tuples_add(struct ck_tuples *table, const struct ck_path *path, uint32_t owner);
void ck_tuples_remove(struct ck_tuples *table, uint32_t number);

static inline struct ck_tuple *ck_tuples_at(struct ck_tuples *table, uint32_t number)
{
    return &table->tuples[number];
}

#endif
