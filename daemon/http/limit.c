#include "daemon/http/limit.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

struct entry {
    struct entry *chain;         /* of the hash slot */
    struct entry *newer, *older; /* by last use */
    struct ck_mono at;           /* when `tokens` was right */
    int64_t tokens_us;           /* microseconds of refilling that the bucket holds */
    unsigned held;
    uint8_t size;
    uint8_t key[CK_LIMIT_KEY_MAX];
};

struct ck_limit {
    size_t keys_max, keys, slots;
    int64_t refill_us, full_us;
    uint64_t seed;
    struct entry *newest, *oldest;
    struct entry **table;
};

int ck_limit_create(size_t keys_max, unsigned burst, unsigned refill_ms, uint64_t seed,
                    struct ck_limit **limit)
{
    if (keys_max == 0 || burst == 0 || refill_ms == 0) {
        return -EINVAL;
    }
    ck_cleanup(ck_limit_destroyp) struct ck_limit *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return -ENOMEM;
    }
    l->slots = 16;
    while (l->slots < keys_max && l->slots < (size_t)1 << 20) {
        l->slots *= 2;
    }
    l->table = calloc(l->slots, sizeof(struct entry *));
    if (l->table == NULL) {
        return -ENOMEM;
    }
    l->keys_max = keys_max;
    l->refill_us = (int64_t)refill_ms * 1000;
    l->full_us = l->refill_us * burst;
    l->seed = seed;
    *limit = ck_take(l);
    return 0;
}

void ck_limit_destroy(struct ck_limit *limit)
{
    if (limit == NULL) {
        return;
    }
    for (struct entry *e = limit->newest, *next; e != NULL; e = next) {
        next = e->older;
        free(e);
    }
    free(limit->table);
    free(limit);
}

void ck_limit_destroyp(struct ck_limit **limit)
{
    ck_limit_destroy(*limit);
}

/* Mixes as MurmurHash's finaliser does; the seed makes the slots unpredictable. */
static size_t slot_of(const struct ck_limit *limit, const void *key, size_t size)
{
    uint64_t h = limit->seed ^ size;
    const uint8_t *bytes = key;
    for (size_t i = 0; i < size; i++) {
        h = (h ^ bytes[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 33;
    }
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    h ^= h >> 33;
    return (size_t)h & (limit->slots - 1);
}

static struct entry *find(const struct ck_limit *limit, const void *key, size_t size)
{
    for (struct entry *e = limit->table[slot_of(limit, key, size)]; e != NULL; e = e->chain) {
        if (e->size == size && memcmp(e->key, key, size) == 0) {
            return e;
        }
    }
    return NULL;
}

static void unlink_age(struct ck_limit *limit, struct entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &limit->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &limit->oldest) = e->newer;
}

static void link_newest(struct ck_limit *limit, struct entry *e)
{
    e->newer = NULL;
    e->older = limit->newest;
    *(limit->newest != NULL ? &limit->newest->newer : &limit->oldest) = e;
    limit->newest = e;
}

static void forget(struct ck_limit *limit, struct entry *e)
{
    struct entry **at = &limit->table[slot_of(limit, e->key, e->size)];
    while (*at != e) {
        at = &(*at)->chain;
    }
    *at = e->chain;
    unlink_age(limit, e);
    free(e);
    limit->keys--;
}

/* Makes room for one key; false where every key holds something. */
static bool make_room(struct ck_limit *limit)
{
    if (limit->keys < limit->keys_max) {
        return true;
    }
    for (struct entry *e = limit->oldest; e != NULL; e = e->newer) {
        if (e->held == 0) {
            forget(limit, e);
            return true;
        }
    }
    return false;
}

/* The entry of the key, made where it is missing, and the newest now; NULL where there is no room.
 */
static struct entry *use(struct ck_limit *limit, const void *key, size_t size, struct ck_mono now)
{
    assert(size <= CK_LIMIT_KEY_MAX);
    struct entry *e = find(limit, key, size);
    if (e == NULL) {
        if (!make_room(limit) || (e = calloc(1, sizeof *e)) == NULL) {
            return NULL;
        }
        e->size = (uint8_t)size;
        memcpy(e->key, key, size);
        e->at = now;
        e->tokens_us = limit->full_us;
        struct entry **slot = &limit->table[slot_of(limit, key, size)];
        e->chain = *slot;
        *slot = e;
        limit->keys++;
    } else {
        unlink_age(limit, e);
    }
    link_newest(limit, e);
    return e;
}

static int64_t tokens_at(const struct ck_limit *limit, const struct entry *e, struct ck_mono now)
{
    int64_t gained = now.us > e->at.us ? now.us - e->at.us : 0;
    return gained >= limit->full_us - e->tokens_us ? limit->full_us : e->tokens_us + gained;
}

static int verdict(const struct ck_limit *limit, int64_t tokens_us, int64_t *wait_ms)
{
    if (tokens_us >= limit->refill_us) {
        return 0;
    }
    if (wait_ms != NULL) {
        *wait_ms = (limit->refill_us - tokens_us + 999) / 1000;
    }
    return CK_E_LIMIT;
}

int ck_limit_take(struct ck_limit *limit, const void *key, size_t size, struct ck_mono now,
                  int64_t *wait_ms)
{
    struct entry *e = use(limit, key, size, now);
    if (e == NULL) {
        return verdict(limit, 0, wait_ms);
    }
    e->tokens_us = tokens_at(limit, e, now);
    e->at = now;
    int result = verdict(limit, e->tokens_us, wait_ms);
    if (result == 0) {
        e->tokens_us -= limit->refill_us;
    }
    return result;
}

int ck_limit_ask(const struct ck_limit *limit, const void *key, size_t size, struct ck_mono now,
                 int64_t *wait_ms)
{
    const struct entry *e = find(limit, key, size);
    return e == NULL ? 0 : verdict(limit, tokens_at(limit, e, now), wait_ms);
}

int ck_limit_hold(struct ck_limit *limit, const void *key, size_t size, unsigned most,
                  struct ck_mono now)
{
    struct entry *e = use(limit, key, size, now);
    if (e == NULL || e->held >= most) {
        return CK_E_LIMIT;
    }
    e->held++;
    return 0;
}

void ck_limit_release(struct ck_limit *limit, const void *key, size_t size)
{
    struct entry *e = find(limit, key, size);
    assert(e != NULL && e->held > 0);
    e->held--;
}

unsigned ck_limit_held(const struct ck_limit *limit, const void *key, size_t size)
{
    const struct entry *e = find(limit, key, size);
    return e == NULL ? 0 : e->held;
}

size_t ck_limit_keys(const struct ck_limit *limit)
{
    return limit->keys;
}
