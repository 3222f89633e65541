/* RTP and RTCP (RFC 3550, 4585, 5104, 5506, 8285; REMB) as the test clients write and read them. */
#ifndef TESTS_CLIENT_RTP_H
#define TESTS_CLIENT_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CK_TRTP_NACKS 64     /* sequence numbers that one feedback message holds here */
#define CK_TRTP_REPORTS 8    /* report blocks of one RTCP packet that are looked at */
#define CK_TRTP_EXT_MAX 16   /* bytes of one header extension element */
#define CK_TRTP_RTCP_MAX 512 /* bytes of what the writers below write */

struct ck_trtp_header {
    uint8_t pt;
    bool marker;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    /* Elements to write or found; id 0 = none. One-byte form. */
    uint8_t mid_id;
    char mid[4];
    uint8_t twcc_id;
    uint16_t twcc;
    uint8_t level_id;
    uint8_t level;
    uint32_t foreign_ids; /* bit n: an element of id n that none of the ids above names (reader) */
};

/* Writes the header and gives its size (at most 40). */
size_t ck_trtp_write(const struct ck_trtp_header *header, uint8_t *out);

/* Reads the header of a packet whose extension ids are given in `header` (mid_id and so on; 0 = not
 * agreed). Sets *payload and *payload_size, padding taken off. 0 or CK_E_SYNTAX. */
int ck_trtp_read(const uint8_t *data, size_t size, struct ck_trtp_header *header,
                 const uint8_t **payload, size_t *payload_size);

struct ck_trtp_report {
    uint32_t ssrc;
    uint8_t fraction_lost;
    int32_t lost;
    uint32_t highest;
    uint32_t jitter;
    uint32_t lsr;
    uint32_t dlsr;
};

/* A sender report; packets 0 makes it a receiver report. */
struct ck_trtp_sender {
    uint32_t ssrc;
    uint64_t ntp;
    uint32_t timestamp;
    uint32_t packets;
    uint32_t bytes;
    const char *cname;
};

/* Each writer appends one RTCP packet to `out` of `capacity` and gives the bytes added (0 = no
 * room). */
size_t ck_trtp_write_report(const struct ck_trtp_sender *sender,
                            const struct ck_trtp_report *reports, size_t count, uint8_t *out,
                            size_t capacity);
size_t ck_trtp_write_sdes(uint32_t ssrc, const char *cname, uint8_t *out, size_t capacity);
size_t ck_trtp_write_nack(uint32_t from, uint32_t about, const uint16_t *sequences, size_t count,
                          uint8_t *out, size_t capacity);
size_t ck_trtp_write_pli(uint32_t from, uint32_t about, uint8_t *out, size_t capacity);
/* What the receiver of one stream thinks that its way carries. */
size_t ck_trtp_write_remb(uint32_t from, uint32_t about, uint64_t bps, uint8_t *out,
                          size_t capacity);

/* What a compound packet held. */
struct ck_trtp_feedback {
    bool has_sender;
    struct ck_trtp_sender sender;
    struct ck_trtp_report report[CK_TRTP_REPORTS];
    size_t reports;
    uint16_t nack[CK_TRTP_NACKS];
    uint32_t nack_ssrc[CK_TRTP_NACKS];
    size_t nacks;
    size_t nacks_beyond; /* numbers that found no room above */
    uint32_t pli_ssrc;
    unsigned plis;
    unsigned firs;
    unsigned twccs;
    unsigned twcc_told; /* numbers that transport-wide feedback told of, */
    unsigned twcc_came; /* and those of them that had come */
    unsigned byes;
    unsigned sdes;
    uint64_t remb_bps; /* 0 = none */
    unsigned unknown;
};

/* 0, or CK_E_SYNTAX where the compound is not well-formed to its last byte. */
int ck_trtp_read_rtcp(const uint8_t *data, size_t size, struct ck_trtp_feedback *feedback);

#endif
