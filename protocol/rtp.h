/* RTP packets (RFC 3550) and the payload descriptor of VP8 (RFC 7741). Reading only points into the
 * packet; no state, no allocation. */
#ifndef PROTOCOL_RTP_H
#define PROTOCOL_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CK_RTP_HEADER_SIZE 12
#define CK_RTP_PACKET_MAX 1500 /* bytes of a packet on the network; a longer one is not read */
#define CK_RTP_PAYLOAD_TYPE_MAX 127
#define CK_RTP_AUDIO_HZ 48000 /* Opus, RFC 7587 */
#define CK_RTP_VIDEO_HZ 90000 /* VP8, RFC 7741 */

struct ck_rtp {
    bool marker;
    uint8_t payload_type;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    size_t header_size;  /* fixed part, contributing sources and extension */
    size_t payload_size; /* without padding; 0 for a packet of padding alone */
};

/* How a datagram on a media port is told apart (RFC 7983, RFC 5761). */
enum ck_datagram {
    CK_DATAGRAM_OTHER = 0,
    CK_DATAGRAM_STUN,
    CK_DATAGRAM_DTLS,
    CK_DATAGRAM_RTP,
    CK_DATAGRAM_RTCP,
};
enum ck_datagram ck_datagram_kind(const uint8_t *bytes, size_t size);

/* The header of a packet that may still be encrypted: as ck_rtp_read(), but padding is not looked
 * at and counts as payload. */
int ck_rtp_read_header(const uint8_t *bytes, size_t size, struct ck_rtp *rtp);

/* A packet in the clear. CK_E_SYNTAX (another version, padding longer than the payload),
 * CK_E_TRUNCATED (the header, its contributing sources or its extension go beyond the packet),
 * CK_E_LIMIT (longer than CK_RTP_PACKET_MAX). */
int ck_rtp_read(const uint8_t *bytes, size_t size, struct ck_rtp *rtp);

/* The element `id` (1 to 14) of the header extension of a packet in the clear, one-byte or two-byte
 * form (RFC 8285), and its size; NULL where there is none. */
const uint8_t *ck_rtp_extension(const uint8_t *bytes, const struct ck_rtp *rtp, unsigned id,
                                size_t *size);

/* Writes the 12 bytes of a header without contributing sources, extension or padding. */
void ck_rtp_write_header(const struct ck_rtp *rtp, uint8_t bytes[static CK_RTP_HEADER_SIZE]);

/* The payload of a retransmission packet (RFC 4588 section 4) is the original sequence number, then
 * the original payload. CK_E_TRUNCATED below 2 bytes; a payload of exactly 2 is a probe without
 * content
 * (*payload_size 0). */
int ck_rtp_read_rtx(const uint8_t *payload, size_t size, uint16_t *original, size_t *payload_size);
#define CK_RTP_RTX_SIZE 2 /* of the number in front of the original payload */

struct ck_vp8 {
    size_t descriptor_size; /* what follows is VP8 data */
    bool start;             /* the first packet of a partition */
    uint8_t partition;
    bool discardable; /* no other frame refers to this one */
    bool has_picture;
    uint16_t picture;
    bool key_frame; /* this is the first packet of a key frame; width and height are then set */
    uint16_t width;
    uint16_t height;
};

/* The descriptor in front of VP8 data in one RTP payload and, in the first packet of a key frame,
 * the picture size (RFC 6386 section 9.1). CK_E_TRUNCATED where the descriptor or the frame header
 * go beyond the payload; CK_E_SYNTAX where a key frame has no start code. */
int ck_vp8_read(const uint8_t *payload, size_t size, struct ck_vp8 *vp8);

/* How far `a` is ahead of `b` in the circle of 16-bit sequence numbers: -32768 to 32767. */
static inline int ck_rtp_ahead(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b);
}

#endif
