/* STUN messages (RFC 8489) as ICE connectivity checks use them (RFC 8445), and what a client needs
 * to ask a TURN server for a relayed address (RFC 8656).
 *
 * MESSAGE-INTEGRITY is HMAC-SHA-1 under the password of the side that is asked; to a TURN server
 * under the key of the long-term credential (ck_stun_long_term_key()). Reading never allocates;
 * what a read message points to lives as long as the datagram. No state, no clock; transaction
 * numbers are arguments. */
#ifndef PROTOCOL_STUN_H
#define PROTOCOL_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/digest.h"

#define CK_STUN_HEADER_SIZE 20
#define CK_STUN_TRANSACTION_SIZE 12
#define CK_STUN_MAGIC 0x2112a442u
#define CK_STUN_UNKNOWN_MAX 8     /* comprehension-required attributes we can list back */
#define CK_STUN_ATTRIBUTES_MAX 64 /* of one message; more is CK_E_LIMIT */
#define CK_STUN_USERNAME_MAX 513  /* RFC 8489 section 14.3 */
#define CK_STUN_MESSAGE_MAX 1024  /* of what we write */

enum ck_stun_class {
    CK_STUN_REQUEST = 0,
    CK_STUN_INDICATION = 1,
    CK_STUN_SUCCESS = 2,
    CK_STUN_ERROR = 3,
};

#define CK_STUN_BINDING 1
#define CK_STUN_ALLOCATE 3 /* TURN */
#define CK_STUN_REFRESH 4  /* TURN */

#define CK_STUN_TEXT_MAX 763 /* bytes of a realm or nonce; RFC 8489 sections 14.9, 14.10 */
#define CK_STUN_LONG_TERM_KEY_SIZE CK_MD5_SIZE

struct ck_stun_address {
    uint8_t family; /* 4, 6; 0: none */
    uint8_t bytes[16];
    uint16_t port;
};

struct ck_stun {
    uint16_t method;
    uint8_t klass; /* enum ck_stun_class */
    uint8_t transaction[CK_STUN_TRANSACTION_SIZE];
    const char *username; /* NULL: not there; not zero-terminated */
    size_t username_size;
    bool has_priority;
    uint32_t priority;
    bool use_candidate;
    bool controlling; /* ICE-CONTROLLING is there */
    bool controlled;  /* ICE-CONTROLLED is there */
    uint64_t tie_breaker;
    uint16_t error_code;           /* 0: no ERROR-CODE */
    struct ck_stun_address mapped; /* XOR-MAPPED-ADDRESS; family 0 where it is not there */
    bool has_nomination;           /* the nomination value of renomination drafts (0xc001) */
    uint32_t nomination;
    struct ck_slice realm, nonce;          /* data NULL: not there; not zero-terminated */
    size_t integrity_at;                   /* offset of MESSAGE-INTEGRITY; 0: not there */
    bool has_fingerprint;                  /* there and right; a wrong one is CK_E_SYNTAX */
    uint16_t unknown[CK_STUN_UNKNOWN_MAX]; /* comprehension-required (below 0x8000) and unknown */
    unsigned unknown_count;
};

/* Whether the datagram may be STUN: first two bits zero, magic cookie, length that fits (RFC 8489
 * section 5, RFC 7983). */
bool ck_stun_looks_like(const void *bytes, size_t size);

/* Reads a whole datagram. Attributes behind MESSAGE-INTEGRITY, FINGERPRINT apart, are ignored, and
 * of two attributes of one type the first counts (RFC 8489 section 14). CK_E_SYNTAX, CK_E_TRUNCATED
 * or CK_E_LIMIT where it is none. Says nothing about authenticity. */
int ck_stun_read(const void *bytes, size_t size, struct ck_stun *message);

/* Checks MESSAGE-INTEGRITY of a datagram that ck_stun_read() has read. 0; CK_E_AUTH where it is
 * absent or wrong; -ENOMEM. */
int ck_stun_verify(const void *bytes, size_t size, const struct ck_stun *message,
                   const void *password, size_t password_size);

/* The key of a long-term credential: MD5(username:realm:password), RFC 8489 section 9.2.2. 0;
 * -ENOMEM. */
int ck_stun_long_term_key(const char *username, struct ck_slice realm, const char *password,
                          uint8_t key[static CK_STUN_LONG_TERM_KEY_SIZE]);

/* What a message to be written says. Fields that are absent are not written. */
struct ck_stun_write {
    uint16_t method; /* 0: CK_STUN_BINDING */
    uint8_t klass;
    const uint8_t *transaction; /* CK_STUN_TRANSACTION_SIZE bytes */
    const char *username;       /* NULL: none */
    size_t username_size;
    bool has_priority;
    uint32_t priority;
    bool use_candidate;
    bool controlling; /* writes ICE-CONTROLLING with tie_breaker */
    bool controlled;  /* writes ICE-CONTROLLED with tie_breaker */
    uint64_t tie_breaker;
    uint16_t error_code; /* 0: none, else 300 to 699 */
    const char *reason;  /* of the error code; at most 127 bytes */
    struct ck_stun_address mapped;
    const uint16_t *unknown; /* UNKNOWN-ATTRIBUTES */
    unsigned unknown_count;
    bool relayed_udp; /* REQUESTED-TRANSPORT: UDP */
    bool has_lifetime;
    uint32_t lifetime_s;
    struct ck_slice realm, nonce;
    const void *password; /* NULL: no MESSAGE-INTEGRITY */
    size_t password_size;
    bool fingerprint;
};

/* Writes a message of at most `capacity` bytes and its length. CK_E_LIMIT where it does not
 * fit; -ENOMEM. */
int ck_stun_write(const struct ck_stun_write *what, void *bytes, size_t capacity, size_t *size);

#endif
