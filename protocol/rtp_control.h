/* RTCP (RFC 3550 section 6, RFC 4585, RFC 5104, REMB): compound packets, the parts of them that a
 * relay and recorder of record needs. Reading points into the packet; writing goes into a
 * ck_writer, whose `failed` tells the caller whether it fitted. No state, no allocation. */
#ifndef PROTOCOL_RTP_CONTROL_H
#define PROTOCOL_RTP_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/bytes.h"

#define CK_RTCP_HEADER_SIZE 4
#define CK_RTCP_PACKETS_MAX 32 /* parts of one compound packet */
#define CK_RTCP_BLOCKS_MAX 31  /* report blocks of one report */
#define CK_RTCP_REMB_SSRCS_MAX 16
#define CK_RTCP_CNAME_MAX 255

enum ck_rtcp_type {
    CK_RTCP_SR = 200,
    CK_RTCP_RR = 201,
    CK_RTCP_SDES = 202,
    CK_RTCP_BYE = 203,
    CK_RTCP_RTPFB = 205,
    CK_RTCP_PSFB = 206,
};

enum ck_rtcp_format {
    CK_RTCP_NACK = 1,       /* RTPFB */
    CK_RTCP_TRANSPORT = 15, /* RTPFB: arrivals of packets numbered over the whole transport */
    CK_RTCP_PLI = 1,        /* PSFB */
    CK_RTCP_FIR = 4,        /* PSFB */
    CK_RTCP_AFB = 15,       /* PSFB: REMB */
};

/* One part of a compound packet. */
struct ck_rtcp {
    uint8_t type;
    uint8_t count;       /* reports, sources, or the format of a feedback message */
    const uint8_t *body; /* behind the 4 bytes of header, padding taken off */
    size_t size;
};

/* Takes the next part out of the reader. 0; CK_E_NOT_FOUND at the end; CK_E_SYNTAX (another
 * version, padding that is none or not in the last part), CK_E_TRUNCATED (a length beyond the
 * packet). */
int ck_rtcp_next(struct ck_reader *reader, struct ck_rtcp *part);

struct ck_rtcp_report {
    uint32_t ssrc;
    uint8_t fraction_lost; /* of 256, since the report before */
    int32_t lost;          /* of all, 24 bits with sign */
    uint32_t highest;      /* extended sequence number */
    uint32_t jitter;       /* in units of the timestamp */
    uint32_t last_sr;      /* the middle 32 bits of its NTP time; 0: none */
    uint32_t delay;        /* since then, in 1/65536 s */
};

struct ck_rtcp_sender {
    uint32_t ssrc;
    uint64_t ntp; /* RFC 3550 section 4: seconds since 1900, 32 bits of fraction */
    uint32_t timestamp;
    uint32_t packets;
    uint32_t bytes;
};

/* The sender part of an SR. CK_E_TRUNCATED where it is shorter. */
int ck_rtcp_read_sender(const struct ck_rtcp *part, struct ck_rtcp_sender *sender);
/* Report block number `index` of an SR or RR. CK_E_NOT_FOUND behind the last; CK_E_TRUNCATED where
 * the part is shorter than its count says. */
int ck_rtcp_read_report(const struct ck_rtcp *part, unsigned index, struct ck_rtcp_report *report);

/* Feedback messages name who is meant. 0 or CK_E_TRUNCATED. */
int ck_rtcp_read_media(const struct ck_rtcp *part, uint32_t *media_ssrc);
/* NACK: entry number `index` asks for `first` and for first + i + 1 where bit i of `more` is set.
 * As ck_rtcp_read_report(). */
int ck_rtcp_read_nack(const struct ck_rtcp *part, unsigned index, uint16_t *first, uint16_t *more);
/* FIR: entry number `index`. As ck_rtcp_read_report(). */
int ck_rtcp_read_fir(const struct ck_rtcp *part, unsigned index, uint32_t *ssrc, uint8_t *number);
/* REMB (draft-alvestrand-rmcat-remb-03). 0; CK_E_NOT_FOUND where the message is another one;
 * CK_E_TRUNCATED. A rate beyond 64 bits is UINT64_MAX. */
int ck_rtcp_read_remb(const struct ck_rtcp *part, uint64_t *bitrate);

void ck_rtcp_write_sr(struct ck_writer *writer, const struct ck_rtcp_sender *sender,
                      const struct ck_rtcp_report *reports, unsigned count);
void ck_rtcp_write_rr(struct ck_writer *writer, uint32_t ssrc, const struct ck_rtcp_report *reports,
                      unsigned count);
/* SDES with one source and its CNAME (at most CK_RTCP_CNAME_MAX bytes). */
void ck_rtcp_write_cname(struct ck_writer *writer, uint32_t ssrc, const char *cname);
/* Sequence numbers in ascending order; runs are packed. */
void ck_rtcp_write_nack(struct ck_writer *writer, uint32_t from, uint32_t media,
                        const uint16_t *sequences, unsigned count);
void ck_rtcp_write_pli(struct ck_writer *writer, uint32_t from, uint32_t media);
void ck_rtcp_write_fir(struct ck_writer *writer, uint32_t from, uint32_t media, uint8_t number);
void ck_rtcp_write_remb(struct ck_writer *writer, uint32_t from, uint64_t bitrate,
                        const uint32_t *ssrcs, unsigned count);
/* Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): when the packets
 * numbered from `base` on arrived, in microseconds of any clock; CK_RTCP_NOT_COME for those that
 * did not. At least one has come, at most CK_RTCP_ARRIVALS_MAX are told of. `number` counts these
 * messages. */
#define CK_RTCP_ARRIVALS_MAX 256
#define CK_RTCP_NOT_COME INT64_MIN
void ck_rtcp_write_transport(struct ck_writer *writer, uint32_t from, uint32_t media, uint16_t base,
                             const int64_t *arrivals_us, unsigned count, uint8_t number);
void ck_rtcp_write_bye(struct ck_writer *writer, uint32_t ssrc);

#endif
