/* Limits by key: how often, and how many at once.
 *
 * A table of token buckets, one for each key (an address, an account, a token's prefix): a bucket
 * holds at most `burst` tokens and gains one every `refill_ms`. The same table counts what a key
 * holds at present (open connections). The table is bounded: when it is full, the key that was used
 * longest ago and holds nothing is forgotten, and its bucket is full again the next time.
 *
 * Values in, values out; time is an argument. One thread at a time. */
#ifndef DAEMON_HTTP_LIMIT_H
#define DAEMON_HTTP_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_LIMIT_KEY_MAX 80 /* bytes of a key */

struct ck_limit;

/* `keys_max` and `burst` are at least 1, `refill_ms` too. `seed` spreads the keys: unpredictable to
 * those who choose them. -ENOMEM, -EINVAL. */
int ck_limit_create(size_t keys_max, unsigned burst, unsigned refill_ms, uint64_t seed,
                    struct ck_limit **limit);
void ck_limit_destroy(struct ck_limit *limit);
void ck_limit_destroyp(struct ck_limit **limit);

/* Takes one token. 0, or CK_E_LIMIT and, where wait_ms is not NULL, the time until there is one. A
 * table in which every key holds something and that is full gives CK_E_LIMIT for a new key. */
int ck_limit_take(struct ck_limit *limit, const void *key, size_t size, struct ck_mono now,
                  int64_t *wait_ms);

/* The same answer without taking. A key that is not known has a full bucket. */
int ck_limit_ask(const struct ck_limit *limit, const void *key, size_t size, struct ck_mono now,
                 int64_t *wait_ms);

/* Counts one more, or one less, of what the key holds. 0, or CK_E_LIMIT where it holds `most`
 * already. */
int ck_limit_hold(struct ck_limit *limit, const void *key, size_t size, unsigned most,
                  struct ck_mono now);
void ck_limit_release(struct ck_limit *limit, const void *key, size_t size);
unsigned ck_limit_held(const struct ck_limit *limit, const void *key, size_t size);

/* How many keys are remembered. */
size_t ck_limit_keys(const struct ck_limit *limit);

#endif
