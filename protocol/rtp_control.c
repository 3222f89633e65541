#include "protocol/rtp_control.h"

#include <string.h>

#include "protocol/base/error.h"

#define REMB 0x52454d42 /* its letters */
#define REPORT_SIZE 24
#define SENDER_SIZE 24  /* with the SSRC in front */
#define FEEDBACK_SIZE 8 /* sender and media SSRC */

int ck_rtcp_next(struct ck_reader *reader, struct ck_rtcp *part)
{
    if (ck_reader_left(reader) == 0) {
        return reader->failed ? CK_E_TRUNCATED : CK_E_NOT_FOUND;
    }
    const uint8_t *header = ck_read_bytes(reader, CK_RTCP_HEADER_SIZE);
    if (header == NULL) {
        return CK_E_TRUNCATED;
    }
    if (header[0] >> 6 != 2) {
        return CK_E_SYNTAX;
    }
    size_t size = (size_t)4 * ck_get_u16(header + 2);
    const uint8_t *body = ck_read_bytes(reader, size);
    if (body == NULL) {
        return CK_E_TRUNCATED;
    }
    if ((header[0] & 0x20) != 0) {
        if (size == 0 || ck_reader_left(reader) != 0 || body[size - 1] == 0 ||
            body[size - 1] > size) {
            return CK_E_SYNTAX;
        }
        size -= body[size - 1];
    }
    *part = (struct ck_rtcp){
        .type = header[1],
        .count = header[0] & 31,
        .body = body,
        .size = size,
    };
    return CK_OK;
}

int ck_rtcp_read_sender(const struct ck_rtcp *part, struct ck_rtcp_sender *sender)
{
    if (part->size < SENDER_SIZE) {
        return CK_E_TRUNCATED;
    }
    *sender = (struct ck_rtcp_sender){
        .ssrc = ck_get_u32(part->body),
        .ntp = ck_get_u64(part->body + 4),
        .timestamp = ck_get_u32(part->body + 12),
        .packets = ck_get_u32(part->body + 16),
        .bytes = ck_get_u32(part->body + 20),
    };
    return CK_OK;
}

int ck_rtcp_read_report(const struct ck_rtcp *part, unsigned index, struct ck_rtcp_report *report)
{
    size_t at = (part->type == CK_RTCP_SR ? SENDER_SIZE : 4) + (size_t)REPORT_SIZE * index;
    if (index >= part->count) {
        return CK_E_NOT_FOUND;
    }
    if (part->size < at + REPORT_SIZE) {
        return CK_E_TRUNCATED;
    }
    const uint8_t *b = part->body + at;
    uint32_t lost = ck_get_u24(b + 5);
    *report = (struct ck_rtcp_report){
        .ssrc = ck_get_u32(b),
        .fraction_lost = b[4],
        .lost = lost >= 1u << 23 ? (int32_t)lost - (1 << 24) : (int32_t)lost,
        .highest = ck_get_u32(b + 8),
        .jitter = ck_get_u32(b + 12),
        .last_sr = ck_get_u32(b + 16),
        .delay = ck_get_u32(b + 20),
    };
    return CK_OK;
}

int ck_rtcp_read_media(const struct ck_rtcp *part, uint32_t *media_ssrc)
{
    if (part->size < FEEDBACK_SIZE) {
        return CK_E_TRUNCATED;
    }
    *media_ssrc = ck_get_u32(part->body + 4);
    return CK_OK;
}

int ck_rtcp_read_nack(const struct ck_rtcp *part, unsigned index, uint16_t *first, uint16_t *more)
{
    size_t at = FEEDBACK_SIZE + (size_t)4 * index;
    if (part->size < FEEDBACK_SIZE) {
        return CK_E_TRUNCATED;
    }
    if (part->size < at + 4) {
        return CK_E_NOT_FOUND;
    }
    *first = ck_get_u16(part->body + at);
    *more = ck_get_u16(part->body + at + 2);
    return CK_OK;
}

int ck_rtcp_read_fir(const struct ck_rtcp *part, unsigned index, uint32_t *ssrc, uint8_t *number)
{
    size_t at = FEEDBACK_SIZE + (size_t)8 * index;
    if (part->size < FEEDBACK_SIZE) {
        return CK_E_TRUNCATED;
    }
    if (part->size < at + 8) {
        return CK_E_NOT_FOUND;
    }
    *ssrc = ck_get_u32(part->body + at);
    *number = part->body[at + 4];
    return CK_OK;
}

int ck_rtcp_read_remb(const struct ck_rtcp *part, uint64_t *bitrate)
{
    const uint8_t *b = part->body;
    if (part->size < FEEDBACK_SIZE) {
        return CK_E_TRUNCATED;
    }
    if (part->size < FEEDBACK_SIZE + 4 || memcmp(b + FEEDBACK_SIZE, "REMB", 4) != 0) {
        return CK_E_NOT_FOUND;
    }
    if (part->size < FEEDBACK_SIZE + 8) {
        return CK_E_TRUNCATED;
    }
    unsigned exponent = b[13] >> 2;
    uint64_t mantissa = (uint64_t)(b[13] & 3) << 16 | ck_get_u16(b + 14);
    bool fits = mantissa == 0 || exponent <= (unsigned)__builtin_clzll(mantissa);
    *bitrate = fits ? mantissa << (exponent & 63) : UINT64_MAX;
    return CK_OK;
}

/* Room for a part with `words` 32-bit words behind its header. */
static uint8_t *begin(struct ck_writer *writer, unsigned count, uint8_t type, size_t words)
{
    uint8_t *room = ck_write_room(writer, CK_RTCP_HEADER_SIZE + 4 * words);
    if (room != NULL) {
        room[0] = (uint8_t)(0x80 | count);
        room[1] = type;
        ck_put_u16(room + 2, (uint16_t)words);
        room += CK_RTCP_HEADER_SIZE;
    }
    return room;
}

static void put_reports(uint8_t *b, const struct ck_rtcp_report *reports, unsigned count)
{
    for (unsigned i = 0; i < count; i++, b += REPORT_SIZE) {
        const struct ck_rtcp_report *report = &reports[i];
        int32_t lost = report->lost > 0x7fffff    ? 0x7fffff
                       : report->lost < -0x800000 ? -0x800000
                                                  : report->lost;
        ck_put_u32(b, report->ssrc);
        b[4] = report->fraction_lost;
        ck_put_u24(b + 5, (uint32_t)lost & 0xffffff);
        ck_put_u32(b + 8, report->highest);
        ck_put_u32(b + 12, report->jitter);
        ck_put_u32(b + 16, report->last_sr);
        ck_put_u32(b + 20, report->delay);
    }
}

void ck_rtcp_write_sr(struct ck_writer *writer, const struct ck_rtcp_sender *sender,
                      const struct ck_rtcp_report *reports, unsigned count)
{
    count = count > CK_RTCP_BLOCKS_MAX ? CK_RTCP_BLOCKS_MAX : count;
    uint8_t *b = begin(writer, count, CK_RTCP_SR, 6 + (size_t)6 * count);
    if (b == NULL) {
        return;
    }
    ck_put_u32(b, sender->ssrc);
    ck_put_u64(b + 4, sender->ntp);
    ck_put_u32(b + 12, sender->timestamp);
    ck_put_u32(b + 16, sender->packets);
    ck_put_u32(b + 20, sender->bytes);
    put_reports(b + SENDER_SIZE, reports, count);
}

void ck_rtcp_write_rr(struct ck_writer *writer, uint32_t ssrc, const struct ck_rtcp_report *reports,
                      unsigned count)
{
    count = count > CK_RTCP_BLOCKS_MAX ? CK_RTCP_BLOCKS_MAX : count;
    uint8_t *b = begin(writer, count, CK_RTCP_RR, 1 + (size_t)6 * count);
    if (b != NULL) {
        ck_put_u32(b, ssrc);
        put_reports(b + 4, reports, count);
    }
}

void ck_rtcp_write_cname(struct ck_writer *writer, uint32_t ssrc, const char *cname)
{
    size_t size = strnlen(cname, CK_RTCP_CNAME_MAX);
    size_t words = 1 + (2 + size + 1 + 3) / 4; /* the item, then at least one zero ends the list */
    uint8_t *b = begin(writer, 1, CK_RTCP_SDES, words);
    if (b != NULL) {
        memset(b, 0, 4 * words);
        ck_put_u32(b, ssrc);
        b[4] = 1; /* CNAME */
        b[5] = (uint8_t)size;
        memcpy(b + 6, cname, size);
    }
}

void ck_rtcp_write_nack(struct ck_writer *writer, uint32_t from, uint32_t media,
                        const uint16_t *sequences, unsigned count)
{
    size_t at = writer->size;
    size_t words = 2;
    uint8_t *head = begin(writer, CK_RTCP_NACK, CK_RTCP_RTPFB, words);
    if (head == NULL) {
        return;
    }
    ck_put_u32(head, from);
    ck_put_u32(head + 4, media);
    for (unsigned i = 0; i < count; words++) {
        uint16_t first = sequences[i++];
        uint16_t more = 0;
        for (; i < count && (uint16_t)(sequences[i] - first - 1) < 16; i++) {
            more |= (uint16_t)(1u << (uint16_t)(sequences[i] - first - 1));
        }
        ck_write_u16(writer, first);
        ck_write_u16(writer, more);
    }
    ck_put_u16(writer->data + at + 2, (uint16_t)words);
}

void ck_rtcp_write_pli(struct ck_writer *writer, uint32_t from, uint32_t media)
{
    uint8_t *b = begin(writer, CK_RTCP_PLI, CK_RTCP_PSFB, 2);
    if (b != NULL) {
        ck_put_u32(b, from);
        ck_put_u32(b + 4, media);
    }
}

void ck_rtcp_write_fir(struct ck_writer *writer, uint32_t from, uint32_t media, uint8_t number)
{
    uint8_t *b = begin(writer, CK_RTCP_FIR, CK_RTCP_PSFB, 4);
    if (b != NULL) {
        ck_put_u32(b, from);
        ck_put_u32(b + 4, 0);
        ck_put_u32(b + 8, media);
        ck_put_u32(b + 12, (uint32_t)number << 24);
    }
}

void ck_rtcp_write_remb(struct ck_writer *writer, uint32_t from, uint64_t bitrate,
                        const uint32_t *ssrcs, unsigned count)
{
    count = count > CK_RTCP_REMB_SSRCS_MAX ? CK_RTCP_REMB_SSRCS_MAX : count;
    uint8_t *b = begin(writer, CK_RTCP_AFB, CK_RTCP_PSFB, 4 + (size_t)count);
    if (b == NULL) {
        return;
    }
    unsigned exponent = 0;
    while (bitrate >> exponent > 0x3ffff) {
        exponent++;
    }
    uint32_t mantissa = (uint32_t)(bitrate >> exponent);
    ck_put_u32(b, from);
    ck_put_u32(b + 4, 0);
    ck_put_u32(b + 8, REMB);
    b[12] = (uint8_t)count;
    b[13] = (uint8_t)(exponent << 2 | mantissa >> 16);
    ck_put_u16(b + 14, (uint16_t)mantissa);
    for (unsigned i = 0; i < count; i++) {
        ck_put_u32(b + 16 + (size_t)4 * i, ssrcs[i]);
    }
}

void ck_rtcp_write_bye(struct ck_writer *writer, uint32_t ssrc)
{
    uint8_t *b = begin(writer, 1, CK_RTCP_BYE, 1);
    if (b != NULL) {
        ck_put_u32(b, ssrc);
    }
}

/* --- transport-wide feedback
 * ---------------------------------------------------------------------------- */

#define TICK_US 250         /* of a delta */
#define REFERENCE_TICKS 256 /* of the reference time: 64 ms */
#define SYMBOLS_PER_CHUNK 7 /* of two bits */
#define RUN_MAX 8191

enum symbol {
    NOT_COME = 0,
    SMALL_DELTA = 1, /* one byte */
    LARGE_DELTA = 2, /* two bytes, signed */
};

/* Rounded down, below zero too. */
static int64_t ticks_of(int64_t us)
{
    int64_t ticks = us / TICK_US;
    return us % TICK_US < 0 ? ticks - 1 : ticks;
}

/* What each packet's delta is, from the one that came before it in the message. One that lies too
 * far off to be told of counts as not come. */
static void find_deltas(const int64_t *arrivals_us, unsigned count, int64_t reference,
                        uint8_t *symbols, int16_t *deltas)
{
    int64_t before = reference;
    for (unsigned i = 0; i < count; i++) {
        int64_t ticks = arrivals_us[i] == CK_RTCP_NOT_COME ? 0 : ticks_of(arrivals_us[i]);
        int64_t delta = ticks - before;
        symbols[i] = NOT_COME;
        if (arrivals_us[i] != CK_RTCP_NOT_COME && delta >= INT16_MIN && delta <= INT16_MAX) {
            symbols[i] = delta >= 0 && delta <= UINT8_MAX ? SMALL_DELTA : LARGE_DELTA;
            deltas[i] = (int16_t)delta;
            before = ticks;
        }
    }
}

/* Runs of one symbol and vectors of seven. */
static void write_chunks(struct ck_writer *writer, const uint8_t *symbols, unsigned count)
{
    for (unsigned i = 0; i < count;) {
        unsigned run = 1;
        while (i + run < count && run < RUN_MAX && symbols[i + run] == symbols[i]) {
            run++;
        }
        if (run >= SYMBOLS_PER_CHUNK || i + run == count) {
            ck_write_u16(writer, (uint16_t)(symbols[i] << 13 | run));
            i += run;
            continue;
        }
        uint16_t chunk = 0xC000;
        for (unsigned k = 0; k < SYMBOLS_PER_CHUNK; k++, i++) {
            unsigned symbol = i < count ? symbols[i] : NOT_COME;
            chunk |= (uint16_t)(symbol << (2 * (SYMBOLS_PER_CHUNK - 1 - k)));
        }
        ck_write_u16(writer, chunk);
    }
}

static int64_t reference_of(const int64_t *arrivals_us, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (arrivals_us[i] != CK_RTCP_NOT_COME) {
            int64_t ticks = ticks_of(arrivals_us[i]);
            return ticks - (ticks & (REFERENCE_TICKS - 1));
        }
    }
    return 0;
}

void ck_rtcp_write_transport(struct ck_writer *writer, uint32_t from, uint32_t media, uint16_t base,
                             const int64_t *arrivals_us, unsigned count, uint8_t number)
{
    uint8_t symbols[CK_RTCP_ARRIVALS_MAX];
    int16_t deltas[CK_RTCP_ARRIVALS_MAX];
    size_t at = writer->size;
    int64_t reference = reference_of(arrivals_us, count);
    uint8_t *head = begin(writer, CK_RTCP_TRANSPORT, CK_RTCP_RTPFB, 4);
    if (head == NULL) {
        return;
    }
    ck_put_u32(head, from);
    ck_put_u32(head + 4, media);
    ck_put_u16(head + 8, base);
    ck_put_u16(head + 10, (uint16_t)count);
    ck_put_u32(head + 12, (uint32_t)(reference / REFERENCE_TICKS) << 8 | number);
    find_deltas(arrivals_us, count, reference, symbols, deltas);
    write_chunks(writer, symbols, count);
    for (unsigned i = 0; i < count; i++) {
        if (symbols[i] == SMALL_DELTA) {
            ck_write_u8(writer, (uint8_t)deltas[i]);
        } else if (symbols[i] == LARGE_DELTA) {
            ck_write_u16(writer, (uint16_t)deltas[i]);
        }
    }
    size_t padding = (4 - (writer->size - at) % 4) % 4;
    for (size_t i = 1; i <= padding; i++) {
        ck_write_u8(writer, i == padding ? (uint8_t)padding : 0);
    }
    if (!writer->failed) {
        writer->data[at] |= padding > 0 ? 0x20 : 0;
        ck_put_u16(writer->data + at + 2, (uint16_t)((writer->size - at) / 4 - 1));
    }
}
