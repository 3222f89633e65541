#include "media/transport/siphash.h"

#include <string.h>

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline uint64_t little(const uint8_t *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++) {
        word |= (uint64_t)bytes[i] << (8 * i);
    }
    return word;
}

static inline void turn(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static inline void take(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    turn(s);
    turn(s);
    s->v0 ^= word;
}

uint64_t ck_siphash(const uint8_t key[static CK_SIPHASH_KEY_SIZE], const void *bytes, size_t size)
{
    const uint8_t *b = bytes;
    uint64_t k0 = little(key, 8);
    uint64_t k1 = little(key + 8, 8);
    struct state s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                      k1 ^ 0x7465646279746573};
    size_t at = 0;
    for (; size - at >= 8; at += 8) {
        take(&s, little(b + at, 8));
    }
    take(&s, little(b + at, size - at) | (uint64_t)size << 56);
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++) {
        turn(&s);
    }
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
