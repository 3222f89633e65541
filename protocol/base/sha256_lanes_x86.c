/* By the SHA instructions of x86 processors (Intel 64 and IA-32 Architectures Software Developer's
 * Manual, volume 2, SHA256RNDS2, SHA256MSG1, SHA256MSG2); FIPS 180-4 is the algorithm. */
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/sha256_many.h"

#define BLOCK 64
#define LENGTH 8 /* bytes of the length at the end */
#define SHA __attribute__((target("sha,sse4.1,ssse3")))

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* The state as the instructions want it: the words A, B, E, F and C, D, G, H, the last word lowest.
 */
struct state {
    __m128i abef, cdgh;
};

static const uint32_t start_abef[4] = {0x9b05688c, 0x510e527f, 0xbb67ae85, 0x6a09e667};
static const uint32_t start_cdgh[4] = {0x5be0cd19, 0x1f83d9ab, 0xa54ff53a, 0x3c6ef372};

/* Blocks that lie one behind the other. */
struct run {
    const uint8_t *at;
    size_t blocks;
};

/* One text on its way: the byte and what fits behind it, whole blocks of the text itself, and its
 * end with the padding. */
#define RUNS 3
struct lane {
    struct state state;
    struct run runs[RUNS];
    size_t run; /* the present one; RUNS: through */
    uint8_t *digest;
    uint8_t first[BLOCK], last[2 * BLOCK];
};

static inline SHA __m128i load(const void *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

/* Four words of a block in the processor's order. */
static inline SHA __m128i words(const uint8_t *block, int four)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    return _mm_shuffle_epi8(load(block + 16 * four), swap);
}

/* Rounds 4 * `quad` to 4 * quad + 3 of one lane, with the four words they take. */
#define ROUNDS(lane, quad, now)                                                                    \
    do {                                                                                           \
        __m128i sum_ = _mm_add_epi32(now, load(constants + 4 * (quad)));                           \
        lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, sum_);                             \
        lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32(sum_, 0x0e));    \
    } while (0)

/* The next four words of the schedule, into the place of the oldest. */
#define SCHEDULE(oldest, second, third, newest)                                                    \
    oldest = _mm_sha256msg2_epu32(                                                                 \
        _mm_add_epi32(_mm_sha256msg1_epu32(oldest, second), _mm_alignr_epi8(newest, third, 4)),    \
        newest)

#define BOTH(quad, w0, w1, w2, w3)                                                                 \
    ROUNDS(a, quad, a##w0);                                                                        \
    ROUNDS(b, quad, b##w0);                                                                        \
    SCHEDULE(a##w0, a##w1, a##w2, a##w3);                                                          \
    SCHEDULE(b##w0, b##w1, b##w2, b##w3)

#define LAST(quad, w0)                                                                             \
    ROUNDS(a, quad, a##w0);                                                                        \
    ROUNDS(b, quad, b##w0)

/* `blocks` blocks of each lane. */
static SHA void compress(struct state *first, const uint8_t *first_at, struct state *second,
                         const uint8_t *second_at, size_t blocks)
{
    struct state a = *first, b = *second;
    for (; blocks > 0; blocks--, first_at += BLOCK, second_at += BLOCK) {
        const struct state a_before = a, b_before = b;
        __m128i a0 = words(first_at, 0), a1 = words(first_at, 1);
        __m128i a2 = words(first_at, 2), a3 = words(first_at, 3);
        __m128i b0 = words(second_at, 0), b1 = words(second_at, 1);
        __m128i b2 = words(second_at, 2), b3 = words(second_at, 3);
        BOTH(0, 0, 1, 2, 3);
        BOTH(1, 1, 2, 3, 0);
        BOTH(2, 2, 3, 0, 1);
        BOTH(3, 3, 0, 1, 2);
        BOTH(4, 0, 1, 2, 3);
        BOTH(5, 1, 2, 3, 0);
        BOTH(6, 2, 3, 0, 1);
        BOTH(7, 3, 0, 1, 2);
        BOTH(8, 0, 1, 2, 3);
        BOTH(9, 1, 2, 3, 0);
        BOTH(10, 2, 3, 0, 1);
        BOTH(11, 3, 0, 1, 2);
        LAST(12, 0);
        LAST(13, 1);
        LAST(14, 2);
        LAST(15, 3);
        a.abef = _mm_add_epi32(a.abef, a_before.abef);
        a.cdgh = _mm_add_epi32(a.cdgh, a_before.cdgh);
        b.abef = _mm_add_epi32(b.abef, b_before.abef);
        b.cdgh = _mm_add_epi32(b.cdgh, b_before.cdgh);
    }
    *first = a;
    *second = b;
}

/* The last run: what is left behind the whole blocks, the bit, zeros and the length. */
static void pad(struct lane *lane, size_t have, uint64_t whole)
{
    size_t blocks = have + 1 + LENGTH > BLOCK ? 2 : 1, size = blocks * BLOCK;
    memset(lane->last + have, 0, size - have);
    lane->last[have] = 0x80;
    ck_put_u64(lane->last + size - LENGTH, whole * 8);
    lane->runs[2] = (struct run){lane->last, blocks};
}

static SHA void begin(struct lane *lane, const struct ck_sha256_job *job)
{
    const uint8_t *data = job->data;
    uint64_t whole = (uint64_t)job->size + 1;
    lane->state = (struct state){load(start_abef), load(start_cdgh)};
    lane->digest = job->digest;
    if (whole < BLOCK) { /* all of it is end */
        lane->last[0] = job->prefix;
        if (job->size > 0) {
            memcpy(lane->last + 1, data, job->size);
        }
        lane->run = 2;
        pad(lane, (size_t)whole, whole);
        return;
    }
    size_t middle = (job->size - (BLOCK - 1)) / BLOCK, rest = (size_t)(whole % BLOCK);
    lane->first[0] = job->prefix;
    memcpy(lane->first + 1, data, BLOCK - 1);
    lane->run = 0;
    lane->runs[0] = (struct run){lane->first, 1};
    lane->runs[1] = (struct run){data + BLOCK - 1, middle};
    memcpy(lane->last, data + job->size - rest, rest);
    pad(lane, rest, whole);
}

/* Leaves `blocks` of the present run behind. */
static inline void leave(struct lane *lane, size_t blocks)
{
    lane->runs[lane->run].at += blocks * BLOCK;
    lane->runs[lane->run].blocks -= blocks;
    while (lane->run < RUNS && lane->runs[lane->run].blocks == 0) {
        lane->run++;
    }
}

static SHA void finish(const struct lane *lane)
{
    uint32_t abef[4], cdgh[4];
    _mm_storeu_si128((__m128i *)abef, lane->state.abef);
    _mm_storeu_si128((__m128i *)cdgh, lane->state.cdgh);
    const uint32_t state[] = {abef[3], abef[2], cdgh[3], cdgh[2],
                              abef[1], abef[0], cdgh[1], cdgh[0]};
    for (size_t i = 0; i < 8; i++) {
        ck_put_u32(lane->digest + 4 * i, state[i]);
    }
}

static bool can(void)
{
    static _Atomic int known; /* 0: not asked yet, 1: no, 2: yes */
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        unsigned a = 0, b = 0, c = 0, d = 0;
        bool sse =
            __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_1) != 0 && (c & bit_SSSE3) != 0;
        bool sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
        answer = sse && sha ? 2 : 1;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == 2;
}

bool ck_sha256_lanes(const struct ck_sha256_job *jobs, size_t count)
{
    struct lane lanes[2];
    struct lane *a = &lanes[0], *b = &lanes[1];
    if (!can()) {
        return false;
    }
    if (count == 0) {
        return true;
    }
    /* A lane that has nothing left to do repeats the last text, which then does not count. */
    size_t taken = count > 1 ? 2 : 1, left = count;
    bool counts[2] = {true, count > 1};
    begin(a, &jobs[0]);
    begin(b, &jobs[taken - 1]);
    while (left > 0) {
        const struct run *of_a = &a->runs[a->run], *of_b = &b->runs[b->run];
        size_t blocks = of_a->blocks < of_b->blocks ? of_a->blocks : of_b->blocks;
        compress(&a->state, of_a->at, &b->state, of_b->at, blocks);
        for (size_t i = 0; i < 2; i++) {
            leave(&lanes[i], blocks);
            if (lanes[i].run == RUNS) {
                finish(&lanes[i]);
                left -= counts[i];
                counts[i] = taken < count;
                begin(&lanes[i], &jobs[counts[i] ? taken++ : count - 1]);
            }
        }
    }
    return true;
}
