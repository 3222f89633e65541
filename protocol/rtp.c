#include "protocol/rtp.h"

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

enum ck_datagram ck_datagram_kind(const uint8_t *bytes, size_t size)
{
    if (size < 1) {
        return CK_DATAGRAM_OTHER;
    }
    if (bytes[0] <= 3) {
        return CK_DATAGRAM_STUN;
    }
    if (bytes[0] >= 20 && bytes[0] <= 63) {
        return CK_DATAGRAM_DTLS;
    }
    if (bytes[0] >= 128 && bytes[0] <= 191 && size >= 8) {
        return bytes[1] >= 192 && bytes[1] <= 223 ? CK_DATAGRAM_RTCP : CK_DATAGRAM_RTP;
    }
    return CK_DATAGRAM_OTHER;
}

int ck_rtp_read_header(const uint8_t *bytes, size_t size, struct ck_rtp *rtp)
{
    if (size > CK_RTP_PACKET_MAX) {
        return CK_E_LIMIT;
    }
    if (size < CK_RTP_HEADER_SIZE) {
        return CK_E_TRUNCATED;
    }
    if (bytes[0] >> 6 != 2) {
        return CK_E_SYNTAX;
    }
    size_t header_size = CK_RTP_HEADER_SIZE + (size_t)4 * (bytes[0] & 15);
    if ((bytes[0] & 0x10) != 0) {
        if (size < header_size + 4) {
            return CK_E_TRUNCATED;
        }
        header_size += 4 + (size_t)4 * ck_get_u16(bytes + header_size + 2);
    }
    if (header_size > size) {
        return CK_E_TRUNCATED;
    }
    *rtp = (struct ck_rtp){
        .marker = bytes[1] >> 7,
        .payload_type = bytes[1] & 127,
        .sequence = ck_get_u16(bytes + 2),
        .timestamp = ck_get_u32(bytes + 4),
        .ssrc = ck_get_u32(bytes + 8),
        .header_size = header_size,
        .payload_size = size - header_size,
    };
    return CK_OK;
}

int ck_rtp_read(const uint8_t *bytes, size_t size, struct ck_rtp *rtp)
{
    struct ck_rtp read;
    int error = ck_rtp_read_header(bytes, size, &read);
    if (error != CK_OK) {
        return error;
    }
    if ((bytes[0] & 0x20) != 0) {
        size_t padding = bytes[size - 1];
        if (padding == 0 || padding > read.payload_size) {
            return CK_E_SYNTAX;
        }
        read.payload_size -= padding;
    }
    *rtp = read;
    return CK_OK;
}

#define ONE_BYTE 0xBEDE
#define TWO_BYTE 0x1000 /* the low four bits are the application's */

const uint8_t *ck_rtp_extension(const uint8_t *bytes, const struct ck_rtp *rtp, unsigned id,
                                size_t *size)
{
    if ((bytes[0] & 0x10) == 0) {
        return NULL;
    }
    size_t at = CK_RTP_HEADER_SIZE + (size_t)4 * (bytes[0] & 15) + 4;
    uint16_t form = ck_get_u16(bytes + at - 4);
    size_t head = form == ONE_BYTE ? 1 : (form & 0xfff0) == TWO_BYTE ? 2 : 0;
    while (head != 0 && at + head <= rtp->header_size) {
        unsigned found = head == 1 ? bytes[at] >> 4 : bytes[at];
        size_t length = head == 1 ? (bytes[at] & 15u) + 1 : bytes[at + 1];
        if (found == 0) { /* padding is one byte in either form */
            at++;
            continue;
        }
        if ((head == 1 && found == 15) || at + head + length > rtp->header_size) {
            return NULL;
        }
        if (found == id) {
            *size = length;
            return bytes + at + head;
        }
        at += head + length;
    }
    return NULL;
}

void ck_rtp_write_header(const struct ck_rtp *rtp, uint8_t bytes[static CK_RTP_HEADER_SIZE])
{
    bytes[0] = 0x80;
    bytes[1] = (uint8_t)(rtp->marker << 7 | (rtp->payload_type & 127));
    ck_put_u16(bytes + 2, rtp->sequence);
    ck_put_u32(bytes + 4, rtp->timestamp);
    ck_put_u32(bytes + 8, rtp->ssrc);
}

int ck_rtp_read_rtx(const uint8_t *payload, size_t size, uint16_t *original, size_t *payload_size)
{
    if (size < 2) {
        return CK_E_TRUNCATED;
    }
    *original = ck_get_u16(payload);
    *payload_size = size - 2;
    return CK_OK;
}

/* The optional part of the descriptor (RFC 7741 section 4.2). */
static void read_vp8_extension(struct ck_reader *reader, struct ck_vp8 *vp8)
{
    uint8_t flags = ck_read_u8(reader);
    if ((flags & 0x80) != 0) {
        vp8->has_picture = true;
        vp8->picture = ck_read_u8(reader);
        if ((vp8->picture & 0x80) != 0) {
            vp8->picture = (uint16_t)((vp8->picture & 0x7f) << 8 | ck_read_u8(reader));
        }
    }
    if ((flags & 0x40) != 0) {
        (void)ck_read_u8(reader); /* index of the base layer's picture */
    }
    if ((flags & 0x30) != 0) {
        (void)ck_read_u8(reader); /* temporal layer, key index */
    }
}

/* The first ten bytes of a key frame: frame tag, start code, picture size. */
static int read_vp8_frame(struct ck_reader *reader, struct ck_vp8 *vp8)
{
    uint8_t tag = ck_read_u8(reader);
    if (reader->failed) {
        return CK_E_TRUNCATED;
    }
    if ((tag & 1) != 0) {
        return CK_OK; /* refers to earlier frames */
    }
    (void)ck_read_bytes(reader, 2);
    const uint8_t *code = ck_read_bytes(reader, 3);
    const uint8_t *sizes = ck_read_bytes(reader, 4);
    if (code == NULL || sizes == NULL) {
        return CK_E_TRUNCATED;
    }
    if (code[0] != 0x9d || code[1] != 0x01 || code[2] != 0x2a) {
        return CK_E_SYNTAX;
    }
    vp8->key_frame = true;
    vp8->width = (uint16_t)((sizes[1] & 0x3f) << 8 | sizes[0]);
    vp8->height = (uint16_t)((sizes[3] & 0x3f) << 8 | sizes[2]);
    return CK_OK;
}

int ck_vp8_read(const uint8_t *payload, size_t size, struct ck_vp8 *vp8)
{
    struct ck_reader reader = ck_reader_of(payload, size);
    uint8_t first = ck_read_u8(&reader);
    struct ck_vp8 read = {
        .discardable = first >> 5 & 1,
        .start = first >> 4 & 1,
        .partition = first & 7,
    };
    if ((first & 0x80) != 0) {
        read_vp8_extension(&reader, &read);
    }
    if (ck_reader_left(&reader) == 0) {
        return CK_E_TRUNCATED; /* there is always at least a byte of VP8 behind a descriptor */
    }
    read.descriptor_size = reader.at;
    if (read.start && read.partition == 0) {
        int error = read_vp8_frame(&reader, &read);
        if (error != CK_OK) {
            return error;
        }
    }
    *vp8 = read;
    return CK_OK;
}
