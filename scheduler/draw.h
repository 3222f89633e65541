/* Intervals, and a uniform choice out of them that anyone can recompute.
 *
 * The choice: HMAC-SHA-256 under the epoch's secret key over a message that names the slot gives
 * bytes; the bytes give, by rejection sampling, a number below the count of whole seconds that are
 * allowed; the number gives the instant. Stable over restarts and nodes, unpredictable without the
 * key, provable once the key is revealed: the message and the allowed set are logged with the
 * commitment. The bytes come from the caller. */
#ifndef SCHEDULER_DRAW_H
#define SCHEDULER_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/error.h"
#include "protocol/base/time.h"

/* Half-open: [from, until). Empty where until is not after from. */
struct ck_interval {
    struct ck_wall from, until;
};

/* The most pieces that a window can be cut into; what would need more loses its last (smallest
 * harm: fewer places to draw from), and `cut` says so. */
#define CK_INTERVALS_MAX 32

/* Disjoint, ascending, none empty. */
struct ck_interval_set {
    uint32_t count;
    bool cut;
    struct ck_interval items[CK_INTERVALS_MAX];
};

void ck_interval_set_of(struct ck_interval interval, struct ck_interval_set *set);
/* Takes `hole` out of the set. */
void ck_interval_set_take(struct ck_interval_set *set, struct ck_interval hole);
/* Whole seconds there are to choose from: each piece gives its instants at full seconds from its
 * own start. */
int64_t ck_interval_set_seconds(const struct ck_interval_set *set);
/* The instant number `n`, 0 ≤ n < ck_interval_set_seconds(). */
struct ck_wall ck_interval_set_at(const struct ck_interval_set *set, int64_t n);

#define CK_DRAW_BYTES 32
#define CK_DRAW_MESSAGE_SIZE 48

/* Gives CK_DRAW_BYTES pseudorandom bytes for a message: HMAC-SHA-256 under the epoch key. 0 or
 * -errno. */
typedef int ck_draw_function(void *context, const uint8_t *message, size_t size,
                             uint8_t bytes[CK_DRAW_BYTES]);

/* Which draw. */
struct ck_draw_slot {
    int64_t plan; /* ck_plan.draw_name */
    uint32_t version;
    int32_t date; /* days since 1970-01-01 */
    uint32_t window;
    uint32_t slot;
    uint32_t redraw;
};

/* All that went into a draw but the key. */
struct ck_draw {
    uint32_t size;                         /* of message; 0: nothing was drawn */
    uint8_t message[CK_DRAW_MESSAGE_SIZE]; /* of the block that decided */
    struct ck_interval_set allowed;
};

/* Writes the message of one block of bytes: the ASCII text "checkind draw 1" and a zero, then
 * big-endian plan (8 bytes), version (4), date (4), window (4), slot (4), redraw (4), block (4).
 * Always CK_DRAW_MESSAGE_SIZE. */
void ck_draw_message(const struct ck_draw_slot *slot, uint32_t block,
                     uint8_t message[static CK_DRAW_MESSAGE_SIZE]);

/* A number below `n` (1 to 2^40) from bytes: the first of the four big-endian 64-bit numbers that
 * lies below the largest multiple of n, modulo n. CK_E_NOT_FOUND where none does: take the next
 * block. */
int ck_draw_below(const uint8_t bytes[static CK_DRAW_BYTES], int64_t n, int64_t *number);

/* Draws one instant of a set that is not empty, and notes what went in. 0; what `function`
 * returned; or CK_E_LIMIT after CK_DRAW_BLOCKS_MAX blocks, which only a broken function can bring
 * about. */
#define CK_DRAW_BLOCKS_MAX 16
int ck_draw_instant(const struct ck_interval_set *allowed, const struct ck_draw_slot *slot,
                    ck_draw_function *function, void *context, struct ck_wall *at,
                    struct ck_draw *inputs);

/* Recomputes a draw from its logged inputs and the revealed bytes' function: 0 where `at` is what
 * comes out, CK_E_AUTH where it is not. */
int ck_draw_prove(const struct ck_draw *inputs, struct ck_wall at, ck_draw_function *function,
                  void *context);

#endif
