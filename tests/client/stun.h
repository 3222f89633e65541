/* STUN (RFC 8489) as a full, controlling ICE agent (RFC 8445) needs it: binding requests out,
 * responses in, and the reverse for what a peer may ask of us. Written for the tests alone, so that
 * the server's codec has something independent to agree with. */
#ifndef TESTS_CLIENT_STUN_H
#define TESTS_CLIENT_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define CK_TSTUN_ID_SIZE 12
#define CK_TSTUN_MAX 548 /* what this side writes at the most */

enum ck_tstun_type {
    CK_TSTUN_REQUEST = 0x0001,
    CK_TSTUN_INDICATION = 0x0011,
    CK_TSTUN_SUCCESS = 0x0101,
    CK_TSTUN_ERROR = 0x0111,
};

/* What a check says. Strings are the caller's. */
struct ck_tstun_check {
    uint16_t type; /* enum ck_tstun_type; others are written as they are */
    uint8_t id[CK_TSTUN_ID_SIZE];
    const char *username; /* NULL = left out */
    const char *password; /* NULL = no MESSAGE-INTEGRITY */
    uint32_t priority;    /* 0 = left out */
    uint64_t tie_breaker; /* ICE-CONTROLLING */
    bool controlled;      /* ICE-CONTROLLED instead */
    bool use_candidate;
    bool no_fingerprint;
    bool wrong_fingerprint;
    const struct sockaddr *mapped; /* XOR-MAPPED-ADDRESS; NULL = left out */
};

/* Writes the message into `out` and returns its size. */
size_t ck_tstun_write(const struct ck_tstun_check *check, uint8_t out[static CK_TSTUN_MAX]);

/* What was found in a message. */
struct ck_tstun_seen {
    uint16_t type;
    uint8_t id[CK_TSTUN_ID_SIZE];
    bool has_integrity;
    bool has_fingerprint;
    bool has_mapped;
    bool use_candidate;
    uint16_t error_code;
    struct sockaddr_storage mapped;
};

/* Reads a message and verifies what it carries: the length, that attributes fill it exactly,
 * MESSAGE-INTEGRITY against `password` (where both are there) and FINGERPRINT. 0, CK_E_SYNTAX, or
 * CK_E_AUTH where a check value is wrong. */
int ck_tstun_read(const uint8_t *data, size_t size, const char *password,
                  struct ck_tstun_seen *seen);

#endif
