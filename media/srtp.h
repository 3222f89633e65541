/* SRTP and SRTCP (RFC 3711, RFC 7714) behind one table of functions, with two implementations:
 * OpenSSL's EVP directly (srtp_evp.c, the faster one) and libsrtp (srtp_libsrtp.c). Each is the
 * other's second opinion in tests.
 *
 * A struct ck_srtp is one direction of one leg. Nothing of it changes before a packet's tag has
 * verified. No lock and no allocation per packet; for one thread. */
#ifndef MEDIA_SRTP_H
#define MEDIA_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Protection profiles by their DTLS-SRTP numbers (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
 */
enum ck_srtp_profile {
    CK_SRTP_AES128_CM_SHA1_80 = 0x0001,
    CK_SRTP_AEAD_AES_128_GCM = 0x0007,
};

#define CK_SRTP_KEY_SIZE 16
#define CK_SRTP_SALT_MAX 14
#define CK_SRTP_SOURCES_MAX 8 /* SSRCs of one direction; one more is CK_E_LIMIT */
#define CK_SRTP_WINDOW 1024   /* how far behind the newest a packet may come */
#define CK_SRTP_OVERHEAD 20   /* bytes that protection adds at most */

enum ck_srtp_direction {
    CK_SRTP_IN = 0,  /* unprotect only */
    CK_SRTP_OUT = 1, /* protect only */
};

/* Master key and salt. The salt has 14 bytes, 12 for GCM. */
struct ck_srtp_keys {
    uint8_t key[CK_SRTP_KEY_SIZE];
    uint8_t salt[CK_SRTP_SALT_MAX];
};

static inline size_t ck_srtp_salt_size(enum ck_srtp_profile profile)
{
    return profile == CK_SRTP_AEAD_AES_128_GCM ? 12 : 14;
}

struct ck_srtp;

struct ck_srtp_engine {
    const char *name;

    /* Once for the process before create(), before the sandbox closes; and at its end. 0 or -errno.
     */
    int (*start)(void);
    void (*stop)(void);

    /* 0, CK_E_INVALID (unknown profile), -ENOMEM. */
    int (*create)(struct ck_srtp **srtp, enum ck_srtp_profile profile,
                  enum ck_srtp_direction direction, const struct ck_srtp_keys *keys);
    void (*destroy)(struct ck_srtp *srtp); /* NULL is taken */

    /* Protects an RTP packet whose header (header_size bytes, without padding bit) is at `out`
     * already and whose payload is at `payload`, which may be where it ends up, out + header_size,
     * or apart from `out`. Room for header, payload and CK_SRTP_OVERHEAD. Sequence numbers of one
     * SSRC may come out of order, within CK_SRTP_WINDOW; none is ever protected twice:
     * CK_E_CONFLICT. CK_E_LIMIT beyond CK_SRTP_SOURCES_MAX. */
    int (*protect)(struct ck_srtp *srtp, uint8_t *out, size_t header_size, const uint8_t *payload,
                   size_t payload_size, size_t *size);

    /* In place; *size becomes that of the clear packet. CK_E_AUTH (the tag), CK_E_CONFLICT (seen
     * before, or older than the window), CK_E_LIMIT (an SSRC beyond CK_SRTP_SOURCES_MAX),
     * CK_E_SYNTAX (no RTP packet). On failure the packet's bytes are of no use. */
    int (*unprotect)(struct ck_srtp *srtp, uint8_t *packet, size_t *size);

    /* The same for compound RTCP packets, in place. protect_control wants CK_SRTP_OVERHEAD bytes of
     * room behind *size. */
    int (*protect_control)(struct ck_srtp *srtp, uint8_t *packet, size_t *size);
    int (*unprotect_control)(struct ck_srtp *srtp, uint8_t *packet, size_t *size);
};

extern const struct ck_srtp_engine ck_srtp_evp;
extern const struct ck_srtp_engine ck_srtp_libsrtp;

#endif
