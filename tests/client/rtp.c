#include "tests/client/rtp.h"

#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

#define ONE_BYTE_PROFILE 0xbede

enum rtcp {
    SR = 200,
    RR = 201,
    SDES = 202,
    BYE = 203,
    RTPFB = 205,
    PSFB = 206,
};

static size_t put_element(uint8_t *out, size_t at, uint8_t id, const void *value, size_t size)
{
    if (id == 0 || size == 0) {
        return at;
    }
    out[at] = (uint8_t)(id << 4 | (size - 1));
    memcpy(out + at + 1, value, size);
    return at + 1 + size;
}

size_t ck_trtp_write(const struct ck_trtp_header *header, uint8_t *out)
{
    uint8_t twcc[2];
    uint8_t level = header->level;
    ck_put_u16(twcc, header->twcc);
    size_t at = 16;
    at = put_element(out, at, header->mid_id, header->mid, strlen(header->mid));
    at = put_element(out, at, header->twcc_id, twcc, 2);
    at = put_element(out, at, header->level_id, &level, 1);
    bool extended = at > 16;
    while (at % 4 != 0) {
        out[at++] = 0;
    }
    out[0] = extended ? 0x90 : 0x80;
    out[1] = (uint8_t)(header->pt | (header->marker ? 0x80 : 0));
    ck_put_u16(out + 2, header->sequence);
    ck_put_u32(out + 4, header->timestamp);
    ck_put_u32(out + 8, header->ssrc);
    if (!extended) {
        return 12;
    }
    ck_put_u16(out + 12, ONE_BYTE_PROFILE);
    ck_put_u16(out + 14, (uint16_t)((at - 16) / 4));
    return at;
}

static void take_element(struct ck_trtp_header *header, uint8_t id, const uint8_t *value,
                         size_t size)
{
    if (id == header->mid_id && size < sizeof header->mid) {
        memcpy(header->mid, value, size);
        header->mid[size] = '\0';
    } else if (id == header->twcc_id && size == 2) {
        header->twcc = ck_get_u16(value);
    } else if (id == header->level_id && size == 1) {
        header->level = value[0];
    } else {
        header->foreign_ids |= UINT32_C(1) << (id & 31);
    }
}

static int read_extensions(struct ck_trtp_header *header, const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        if (data[at] == 0) {
            at++;
            continue;
        }
        uint8_t id = data[at] >> 4;
        size_t length = (size_t)(data[at] & 15) + 1;
        if (id == 15) {
            return 0;
        }
        if (id == 0 || size - at - 1 < length) {
            return CK_E_SYNTAX;
        }
        take_element(header, id, data + at + 1, length);
        at += 1 + length;
    }
    return 0;
}

int ck_trtp_read(const uint8_t *data, size_t size, struct ck_trtp_header *header,
                 const uint8_t **payload, size_t *payload_size)
{
    struct ck_trtp_header found = *header;
    if (size < 12 || data[0] >> 6 != 2) {
        return CK_E_SYNTAX;
    }
    size_t at = 12 + 4 * (size_t)(data[0] & 15);
    found.foreign_ids = 0;
    found.mid[0] = '\0';
    found.marker = data[1] >> 7;
    found.pt = data[1] & 127;
    found.sequence = ck_get_u16(data + 2);
    found.timestamp = ck_get_u32(data + 4);
    found.ssrc = ck_get_u32(data + 8);
    if (data[0] & 0x10) {
        if (size < at + 4) {
            return CK_E_SYNTAX;
        }
        size_t words = ck_get_u16(data + at + 2);
        bool one_byte = ck_get_u16(data + at) == ONE_BYTE_PROFILE;
        at += 4;
        if (size < at + 4 * words ||
            (one_byte && read_extensions(&found, data + at, 4 * words) != 0)) {
            return CK_E_SYNTAX;
        }
        at += 4 * words;
    }
    size_t padding = data[0] & 0x20 ? data[size - 1] : 0;
    if (size < at + padding || ((data[0] & 0x20) && padding == 0)) {
        return CK_E_SYNTAX;
    }
    *header = found;
    *payload = data + at;
    *payload_size = size - at - padding;
    return 0;
}

static void put_header(uint8_t *out, unsigned count, enum rtcp type, size_t size)
{
    out[0] = (uint8_t)(0x80 | count);
    out[1] = (uint8_t)type;
    ck_put_u16(out + 2, (uint16_t)(size / 4 - 1));
}

size_t ck_trtp_write_report(const struct ck_trtp_sender *sender,
                            const struct ck_trtp_report *reports, size_t count, uint8_t *out,
                            size_t capacity)
{
    size_t head = sender->packets > 0 ? 28 : 8;
    size_t size = head + 24 * count;
    if (size > capacity || count > 31) {
        return 0;
    }
    put_header(out, (unsigned)count, sender->packets > 0 ? SR : RR, size);
    ck_put_u32(out + 4, sender->ssrc);
    if (sender->packets > 0) {
        ck_put_u64(out + 8, sender->ntp);
        ck_put_u32(out + 16, sender->timestamp);
        ck_put_u32(out + 20, sender->packets);
        ck_put_u32(out + 24, sender->bytes);
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t *block = out + head + 24 * i;
        ck_put_u32(block, reports[i].ssrc);
        block[4] = reports[i].fraction_lost;
        ck_put_u24(block + 5, (uint32_t)reports[i].lost & 0xffffff);
        ck_put_u32(block + 8, reports[i].highest);
        ck_put_u32(block + 12, reports[i].jitter);
        ck_put_u32(block + 16, reports[i].lsr);
        ck_put_u32(block + 20, reports[i].dlsr);
    }
    return size;
}

size_t ck_trtp_write_sdes(uint32_t ssrc, const char *cname, uint8_t *out, size_t capacity)
{
    size_t length = strlen(cname);
    size_t size = (8 + 2 + length + 1 + 3) / 4 * 4;
    if (size > capacity || length > 255) {
        return 0;
    }
    memset(out, 0, size);
    put_header(out, 1, SDES, size);
    ck_put_u32(out + 4, ssrc);
    out[8] = 1;
    out[9] = (uint8_t)length;
    memcpy(out + 10, cname, length);
    return size;
}

size_t ck_trtp_write_nack(uint32_t from, uint32_t about, const uint16_t *sequences, size_t count,
                          uint8_t *out, size_t capacity)
{
    size_t size = 12;
    size_t i = 0;
    while (i < count && size + 4 <= capacity) {
        uint16_t first = sequences[i++];
        uint16_t mask = 0;
        while (i < count && (uint16_t)(sequences[i] - first - 1) < 16) {
            mask |= (uint16_t)(1 << (uint16_t)(sequences[i++] - first - 1));
        }
        ck_put_u16(out + size, first);
        ck_put_u16(out + size + 2, mask);
        size += 4;
    }
    if (size == 12 || i < count) {
        return 0;
    }
    put_header(out, 1, RTPFB, size);
    ck_put_u32(out + 4, from);
    ck_put_u32(out + 8, about);
    return size;
}

size_t ck_trtp_write_pli(uint32_t from, uint32_t about, uint8_t *out, size_t capacity)
{
    if (capacity < 12) {
        return 0;
    }
    put_header(out, 1, PSFB, 12);
    ck_put_u32(out + 4, from);
    ck_put_u32(out + 8, about);
    return 12;
}

size_t ck_trtp_write_remb(uint32_t from, uint32_t about, uint64_t bps, uint8_t *out,
                          size_t capacity)
{
    uint32_t exponent = 0;
    if (capacity < 24) {
        return 0;
    }
    while (bps >> exponent > 0x3ffff) {
        exponent++;
    }
    put_header(out, 15, PSFB, 24);
    ck_put_u32(out + 4, from);
    ck_put_u32(out + 8, 0);
    memcpy(out + 12, "REMB", 4);
    ck_put_u32(out + 16, 1U << 24 | exponent << 18 | (uint32_t)(bps >> exponent));
    ck_put_u32(out + 20, about);
    return 24;
}

static void take_reports(struct ck_trtp_feedback *feedback, const uint8_t *blocks, size_t count)
{
    for (size_t i = 0; i < count && feedback->reports < CK_TRTP_REPORTS; i++) {
        const uint8_t *block = blocks + 24 * i;
        struct ck_trtp_report *report = &feedback->report[feedback->reports++];
        report->ssrc = ck_get_u32(block);
        report->fraction_lost = block[4];
        uint32_t lost = ck_get_u24(block + 5);
        report->lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost;
        report->highest = ck_get_u32(block + 8);
        report->jitter = ck_get_u32(block + 12);
        report->lsr = ck_get_u32(block + 16);
        report->dlsr = ck_get_u32(block + 20);
    }
}

static void take_nack(struct ck_trtp_feedback *feedback, uint32_t about, uint16_t sequence)
{
    if (feedback->nacks == CK_TRTP_NACKS) {
        feedback->nacks_beyond++;
        return;
    }
    feedback->nack_ssrc[feedback->nacks] = about;
    feedback->nack[feedback->nacks++] = sequence;
}

/* Status symbols, then a delta for each packet that came; it must fill the message exactly, but for
 * padding. */
static int take_transport(struct ck_trtp_feedback *feedback, const uint8_t *data, size_t size)
{
    size_t end = size;
    size_t at = 20;
    size_t deltas = 0;
    unsigned told = 0;
    unsigned came = 0;
    if (size < 20) {
        return CK_E_SYNTAX;
    }
    if (data[0] & 0x20) {
        end -= data[size - 1];
    }
    unsigned count = ck_get_u16(data + 14);
    while (told < count) {
        if (at + 2 > end) {
            return CK_E_SYNTAX;
        }
        uint16_t chunk = ck_get_u16(data + at);
        bool vector = chunk >> 15;
        bool wide = chunk >> 14 & 1;
        unsigned length = !vector ? (chunk & 0x1fffU) : wide ? 7 : 14;
        for (unsigned i = 0; i < length && told < count; i++, told++) {
            unsigned symbol = !vector ? chunk >> 13 & 3U
                              : wide  ? chunk >> (2 * (6 - i)) & 3U
                                      : chunk >> (13 - i) & 1U;
            came += symbol != 0;
            deltas += symbol;
        }
        at += 2;
    }
    if (at + deltas != end || came == 0) {
        return CK_E_SYNTAX;
    }
    feedback->twccs++;
    feedback->twcc_told += told;
    feedback->twcc_came += came;
    return 0;
}

static int take_rtpfb(struct ck_trtp_feedback *feedback, const uint8_t *data, size_t size)
{
    unsigned format = data[0] & 31;
    if (size < 12) {
        return CK_E_SYNTAX;
    }
    if (format == 15) {
        return take_transport(feedback, data, size);
        return 0;
    }
    if (format != 1) {
        feedback->unknown++;
        return 0;
    }
    uint32_t about = ck_get_u32(data + 8);
    for (size_t at = 12; at + 4 <= size; at += 4) {
        uint16_t first = ck_get_u16(data + at);
        uint16_t mask = ck_get_u16(data + at + 2);
        take_nack(feedback, about, first);
        for (unsigned bit = 0; bit < 16; bit++) {
            if (mask >> bit & 1) {
                take_nack(feedback, about, (uint16_t)(first + 1 + bit));
            }
        }
    }
    return 0;
}

static int take_psfb(struct ck_trtp_feedback *feedback, const uint8_t *data, size_t size)
{
    unsigned format = data[0] & 31;
    if (size < 12) {
        return CK_E_SYNTAX;
    }
    if (format == 1) {
        feedback->plis++;
        feedback->pli_ssrc = ck_get_u32(data + 8);
    } else if (format == 4) {
        feedback->firs++;
    } else if (format == 15 && size >= 20 && memcmp(data + 12, "REMB", 4) == 0) {
        unsigned exponent = data[17] >> 2;
        uint64_t mantissa = (uint64_t)(data[17] & 3) << 16 | ck_get_u16(data + 18);
        if (size != 20 + 4 * (size_t)data[16] || exponent > 46) {
            return CK_E_SYNTAX;
        }
        feedback->remb_bps = mantissa << exponent;
    } else {
        feedback->unknown++;
    }
    return 0;
}

static int take_packet(struct ck_trtp_feedback *feedback, const uint8_t *data, size_t size)
{
    size_t count = data[0] & 31;
    switch (data[1]) {
    case SR:
        if (size < 28 + 24 * count) {
            return CK_E_SYNTAX;
        }
        feedback->has_sender = true;
        feedback->sender.ssrc = ck_get_u32(data + 4);
        feedback->sender.ntp = ck_get_u64(data + 8);
        feedback->sender.timestamp = ck_get_u32(data + 16);
        feedback->sender.packets = ck_get_u32(data + 20);
        feedback->sender.bytes = ck_get_u32(data + 24);
        take_reports(feedback, data + 28, count);
        return 0;
    case RR:
        if (size < 8 + 24 * count) {
            return CK_E_SYNTAX;
        }
        take_reports(feedback, data + 8, count);
        return 0;
    case SDES:
        feedback->sdes++;
        return 0;
    case BYE:
        feedback->byes++;
        return 0;
    case RTPFB:
        return take_rtpfb(feedback, data, size);
    case PSFB:
        return take_psfb(feedback, data, size);
    default:
        feedback->unknown++;
        return 0;
    }
}

int ck_trtp_read_rtcp(const uint8_t *data, size_t size, struct ck_trtp_feedback *feedback)
{
    struct ck_trtp_feedback found = {.reports = 0};
    size_t at = 0;
    while (at < size) {
        if (size - at < 8 || data[at] >> 6 != 2) {
            return CK_E_SYNTAX;
        }
        size_t length = 4 * ((size_t)ck_get_u16(data + at + 2) + 1);
        if (size - at < length || length < 8 || take_packet(&found, data + at, length) != 0) {
            return CK_E_SYNTAX;
        }
        at += length;
    }
    *feedback = found;
    return 0;
}
