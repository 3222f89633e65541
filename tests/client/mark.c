#include "tests/client/mark.h"

#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

#define MAGIC 0x434b4d31U
#define SUM_SIZE 8

/* Not cryptographic: the tag of SRTP guards against forgers, this one against our own mistakes. */
static uint64_t sum_of(const uint8_t *data, size_t size)
{
    uint64_t sum = 0x9e3779b97f4a7c15U ^ size;
    while (size >= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        sum = (sum ^ word) * 0xff51afd7ed558ccdU;
        sum ^= sum >> 32;
        data += 8;
        size -= 8;
    }
    while (size-- > 0) {
        sum = (sum ^ *data++) * 0xff51afd7ed558ccdU;
        sum ^= sum >> 32;
    }
    return sum;
}

void ck_mark_write(const struct ck_mark *mark, uint8_t *payload, size_t size)
{
    uint8_t *at = payload + size - CK_MARK_SIZE;
    ck_put_u32(at, MAGIC);
    ck_put_u32(at + 4, mark->call);
    at[8] = mark->leg;
    at[9] = mark->kind;
    at[10] = mark->part;
    at[11] = mark->parts;
    ck_put_u32(at + 12, mark->sequence);
    ck_put_u32(at + 16, mark->frame);
    ck_put_u32(at + 20, mark->timestamp);
    ck_put_u64(at + 24, mark->sent_ns);
    ck_put_u16(at + 32, (uint16_t)size);
    ck_put_u16(at + 34, mark->late_ms);
    ck_put_u32(at + 36, mark->origin);
    ck_put_u64(at + 40, sum_of(payload, size - SUM_SIZE));
}

int ck_mark_read(const uint8_t *payload, size_t size, struct ck_mark *mark)
{
    if (size < CK_MARK_SIZE) {
        return CK_E_SYNTAX;
    }
    const uint8_t *at = payload + size - CK_MARK_SIZE;
    if (ck_get_u32(at) != MAGIC) {
        return CK_E_SYNTAX;
    }
    if (ck_get_u16(at + 32) != size || ck_get_u64(at + 40) != sum_of(payload, size - SUM_SIZE)) {
        return CK_E_AUTH;
    }
    *mark = (struct ck_mark){
        .call = ck_get_u32(at + 4),
        .leg = at[8],
        .kind = at[9],
        .part = at[10],
        .parts = at[11],
        .sequence = ck_get_u32(at + 12),
        .frame = ck_get_u32(at + 16),
        .timestamp = ck_get_u32(at + 20),
        .origin = ck_get_u32(at + 36),
        .sent_ns = ck_get_u64(at + 24),
        .late_ms = ck_get_u16(at + 34),
    };
    return 0;
}

static size_t bucket_of(uint64_t us)
{
    if (us < 16) {
        return (size_t)us;
    }
    unsigned octave = 63 - (unsigned)__builtin_clzll(us); /* at least 4 */
    size_t bucket = 16 * (size_t)(octave - 3) + (size_t)(us >> (octave - 4) & 15);
    return bucket < 16 * 40 ? bucket : 16 * 40 - 1;
}

static uint64_t bucket_top(size_t bucket)
{
    if (bucket < 16) {
        return bucket;
    }
    unsigned octave = (unsigned)(bucket / 16) + 3;
    return ((16 + (uint64_t)(bucket % 16) + 1) << (octave - 4)) - 1;
}

void ck_histogram_add(struct ck_histogram *histogram, uint64_t us)
{
    histogram->count[bucket_of(us)]++;
    histogram->total++;
}

uint64_t ck_histogram_quantile(const struct ck_histogram *histogram, double fraction)
{
    uint64_t want = (uint64_t)(fraction * (double)histogram->total + 0.5);
    uint64_t sum = 0;
    if (want == 0) {
        want = 1;
    }
    for (size_t i = 0; i < 16 * 40; i++) {
        sum += histogram->count[i];
        if (sum >= want) {
            return bucket_top(i);
        }
    }
    return 0;
}

void ck_histogram_merge(struct ck_histogram *into, const struct ck_histogram *from)
{
    for (size_t i = 0; i < 16 * 40; i++) {
        into->count[i] += from->count[i];
    }
    into->total += from->total;
}

static void clear_seen(struct ck_account *account, uint32_t sequence)
{
    uint32_t bit = sequence % CK_ACCOUNT_WINDOW;
    account->seen[bit / 8] &= (uint8_t) ~(1U << bit % 8);
}

/* Sets the bit of a mark; whether it was set already. */
static bool set_seen(struct ck_account *account, uint32_t sequence)
{
    uint32_t bit = sequence % CK_ACCOUNT_WINDOW;
    bool was = account->seen[bit / 8] >> bit % 8 & 1;
    account->seen[bit / 8] |= (uint8_t)(1U << bit % 8);
    return was;
}

static void compare_offsets(struct ck_account *account, const struct ck_mark *mark,
                            uint16_t sequence, uint32_t timestamp)
{
    uint32_t time_offset = timestamp - mark->timestamp;
    uint16_t order_offset = (uint16_t)(sequence - mark->sequence);
    if (account->any && time_offset != account->time_offset) {
        account->time_shifts++;
    }
    if (account->any && order_offset != account->order_offset) {
        account->order_shifts++;
    }
    account->time_offset = time_offset;
    account->order_offset = order_offset;
}

/* Another client took the place of the one before. */
static void begin_origin(struct ck_account *account)
{
    memset(account->seen, 0, sizeof account->seen);
    account->unique_before = account->unique;
    account->any = false;
}

bool ck_account_take(struct ck_account *account, const struct ck_mark *mark, size_t bytes,
                     uint16_t sequence, uint32_t timestamp)
{
    account->packets++;
    account->bytes += bytes;
    if (account->any && mark->origin != account->origin) {
        begin_origin(account);
    }
    account->origin = mark->origin;
    compare_offsets(account, mark, sequence, timestamp);
    if (!account->any) {
        account->any = true;
        account->first = account->highest = mark->sequence;
    } else if (mark->sequence > account->highest) {
        uint32_t from = account->highest + 1;
        if (mark->sequence - from >= CK_ACCOUNT_WINDOW) {
            memset(account->seen, 0, sizeof account->seen);
            from = mark->sequence;
        }
        for (uint32_t s = from; s <= mark->sequence; s++) {
            clear_seen(account, s);
        }
        account->highest = mark->sequence;
    } else if (account->highest - mark->sequence >= CK_ACCOUNT_WINDOW) {
        account->late++;
        return false;
    } else if (set_seen(account, mark->sequence)) {
        account->duplicates++;
        return false;
    } else {
        account->reordered++;
    }
    if (mark->sequence < account->first) {
        account->first = mark->sequence;
    }
    set_seen(account, mark->sequence);
    account->unique++;
    return true;
}

uint64_t ck_account_lost(const struct ck_account *account, uint32_t end)
{
    if (!account->any || end <= account->first) {
        return 0;
    }
    uint64_t span = (uint64_t)end - account->first;
    uint64_t came = account->unique - account->unique_before;
    return span > came ? span - came : 0;
}

uint64_t ck_account_came(const struct ck_account *account, uint32_t from, uint32_t end)
{
    uint64_t came = 0;
    for (uint32_t mark = from; mark < end && account->any && mark <= account->highest; mark++) {
        uint32_t bit = mark % CK_ACCOUNT_WINDOW;
        came += account->seen[bit / 8] >> bit % 8 & 1;
    }
    return came;
}
