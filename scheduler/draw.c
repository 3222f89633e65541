#include "scheduler/draw.h"

#include <assert.h>
#include <string.h>

#include "protocol/base/bytes.h"

/* ---- intervals ---------------------------------------------------------------------------------
 */

static bool is_empty(struct ck_interval interval)
{
    return interval.until.ms <= interval.from.ms;
}

void ck_interval_set_of(struct ck_interval interval, struct ck_interval_set *set)
{
    memset(set, 0, sizeof(*set));
    if (!is_empty(interval)) {
        set->items[0] = interval;
        set->count = 1;
    }
}

static void keep(struct ck_interval_set *set, struct ck_interval piece)
{
    if (is_empty(piece)) {
        return;
    }
    if (set->count == CK_INTERVALS_MAX) {
        set->cut = true;
        return;
    }
    set->items[set->count++] = piece;
}

void ck_interval_set_take(struct ck_interval_set *set, struct ck_interval hole)
{
    if (is_empty(hole)) {
        return;
    }
    struct ck_interval_set left;
    memset(&left, 0, sizeof(left));
    left.cut = set->cut;
    for (uint32_t i = 0; i < set->count; i++) {
        struct ck_interval piece = set->items[i];
        struct ck_interval before = piece;
        struct ck_interval after = piece;
        if (hole.from.ms < before.until.ms) {
            before.until = hole.from;
        }
        if (hole.until.ms > after.from.ms) {
            after.from = hole.until;
        }
        /* Where the hole lies beside the piece, one of the two is the whole piece and the other is
         * empty. */
        keep(&left, before);
        keep(&left, after);
    }
    *set = left;
}

/* Instants at full seconds from the start of the piece. */
static int64_t seconds_in(struct ck_interval piece)
{
    return (piece.until.ms - piece.from.ms + 999) / 1000;
}

int64_t ck_interval_set_seconds(const struct ck_interval_set *set)
{
    int64_t seconds = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        seconds += seconds_in(set->items[i]);
    }
    return seconds;
}

struct ck_wall ck_interval_set_at(const struct ck_interval_set *set, int64_t n)
{
    uint32_t i = 0;
    while (n >= seconds_in(set->items[i])) {
        n -= seconds_in(set->items[i]);
        i++;
        assert(i < set->count);
    }
    return ck_wall_add_ms(set->items[i].from, n * 1000);
}

/* ---- drawing
 * ------------------------------------------------------------------------------------- */

void ck_draw_message(const struct ck_draw_slot *slot, uint32_t block,
                     uint8_t message[static CK_DRAW_MESSAGE_SIZE])
{
    static const char label[16] = "checkind draw 1";
    struct ck_writer writer = ck_writer_of(message, CK_DRAW_MESSAGE_SIZE);
    ck_write_bytes(&writer, label, sizeof(label));
    ck_write_u64(&writer, (uint64_t)slot->plan);
    ck_write_u32(&writer, slot->version);
    ck_write_u32(&writer, (uint32_t)slot->date);
    ck_write_u32(&writer, slot->window);
    ck_write_u32(&writer, slot->slot);
    ck_write_u32(&writer, slot->redraw);
    ck_write_u32(&writer, block);
    assert(!writer.failed && writer.size == CK_DRAW_MESSAGE_SIZE);
}

int ck_draw_below(const uint8_t bytes[static CK_DRAW_BYTES], int64_t n, int64_t *number)
{
    assert(n >= 1);
    uint64_t count = (uint64_t)n;
    /* 2^64 modulo n: numbers from the incomplete multiple at the top would favour the small ones.
     */
    uint64_t excess = (UINT64_MAX % count + 1) % count;
    for (int i = 0; i < CK_DRAW_BYTES; i += 8) {
        uint64_t drawn = ck_get_u64(bytes + i);
        if (drawn <= UINT64_MAX - excess) {
            *number = (int64_t)(drawn % count);
            return 0;
        }
    }
    return CK_E_NOT_FOUND;
}

int ck_draw_instant(const struct ck_interval_set *allowed, const struct ck_draw_slot *slot,
                    ck_draw_function *function, void *context, struct ck_wall *at,
                    struct ck_draw *inputs)
{
    int64_t seconds = ck_interval_set_seconds(allowed);
    uint8_t message[CK_DRAW_MESSAGE_SIZE];
    for (uint32_t block = 0; block < CK_DRAW_BLOCKS_MAX; block++) {
        uint8_t bytes[CK_DRAW_BYTES];
        ck_draw_message(slot, block, message);
        int code = function(context, message, sizeof(message), bytes);
        if (code != 0) {
            return code;
        }
        int64_t number;
        if (ck_draw_below(bytes, seconds, &number) == 0) {
            inputs->size = sizeof(message);
            memcpy(inputs->message, message, sizeof(message));
            inputs->allowed = *allowed;
            *at = ck_interval_set_at(allowed, number);
            return 0;
        }
    }
    return CK_E_LIMIT;
}

int ck_draw_prove(const struct ck_draw *inputs, struct ck_wall at, ck_draw_function *function,
                  void *context)
{
    uint8_t bytes[CK_DRAW_BYTES];
    int64_t seconds = ck_interval_set_seconds(&inputs->allowed);
    if (inputs->size != CK_DRAW_MESSAGE_SIZE || seconds == 0) {
        return CK_E_AUTH;
    }
    int code = function(context, inputs->message, inputs->size, bytes);
    if (code != 0) {
        return code;
    }
    int64_t number;
    if (ck_draw_below(bytes, seconds, &number) != 0 ||
        ck_interval_set_at(&inputs->allowed, number).ms != at.ms) {
        return CK_E_AUTH;
    }
    return 0;
}
