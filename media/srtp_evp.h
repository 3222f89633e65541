/* The parts of the EVP implementation of SRTP that stand on their own: key derivation, and a
 * direction made of session keys. The tests hold them against the vectors of RFC 3711 and RFC 7714,
 * which start from session keys. After ck_srtp_evp.start() only. */
#ifndef MEDIA_SRTP_EVP_H
#define MEDIA_SRTP_EVP_H

#include "media/srtp.h"

#define CK_SRTP_AUTH_KEY_SIZE 20

struct ck_srtp_session_keys {
    uint8_t key[CK_SRTP_KEY_SIZE];
    uint8_t salt[CK_SRTP_SALT_MAX];
    uint8_t auth[CK_SRTP_AUTH_KEY_SIZE]; /* AES128_CM_SHA1_80 only */
};

/* RFC 3711 section 4.3 (key derivation rate 0), with the padding of a short salt of RFC 7714
 * section 11. 0 or -ENOMEM. */
int ck_srtp_derive(enum ck_srtp_profile profile, const struct ck_srtp_keys *keys,
                   struct ck_srtp_session_keys *rtp, struct ck_srtp_session_keys *rtcp);

/* As ck_srtp_evp.create(), from session keys. */
int ck_srtp_evp_create(struct ck_srtp **srtp, enum ck_srtp_profile profile,
                       enum ck_srtp_direction direction, const struct ck_srtp_session_keys *rtp,
                       const struct ck_srtp_session_keys *rtcp);

#endif
