/* DTLS 1.2, passive side, for keys of SRTP (RFC 6347, RFC 5764, RFC 8827), by OpenSSL.
 *
 * One context a process with one certificate of its own, made at start; one struct ck_dtls a leg.
 * Datagrams go in one at a time and come out by a function, one call a datagram, each within
 * CK_DTLS_LINK_MTU less headers. */
#ifndef MEDIA_TRANSPORT_DTLS_H
#define MEDIA_TRANSPORT_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/srtp.h"

#define CK_DTLS_LINK_MTU 1200
#define CK_DTLS_TIMER_FIRST_MS 100 /* of a flight's retransmission, doubling */
#define CK_DTLS_TIMER_MAX_MS 3000
#define CK_DTLS_REBUILDS_MAX 16 /* handshakes begun again after a fatal error */
#define CK_DTLS_DIGEST_MAX 64
#define CK_DTLS_FINGERPRINT_TEXT_SIZE (32 * 3) /* sha-256 with colons, and its zero */

/* What an SDP fingerprint says (RFC 8122). */
enum ck_dtls_hash {
    CK_DTLS_SHA256 = 1,
    CK_DTLS_SHA384,
    CK_DTLS_SHA512,
};

struct ck_dtls_fingerprint {
    uint8_t hash; /* enum ck_dtls_hash */
    uint8_t digest[CK_DTLS_DIGEST_MAX];
};

/* Bytes of a digest: 32, 48, 64. */
size_t ck_dtls_digest_size(uint8_t hash);

struct ck_dtls_context;

/* Makes a fresh ECDSA P-256 certificate. 0, -ENOMEM or -EIO (OpenSSL refused). Before the sandbox
 * closes. */
int ck_dtls_context_create(struct ck_dtls_context **context);
void ck_dtls_context_destroy(struct ck_dtls_context *context); /* NULL is taken */
/* "AB:CD:…": SHA-256 of our certificate. */
const char *ck_dtls_context_fingerprint(const struct ck_dtls_context *context);

enum ck_dtls_state {
    CK_DTLS_HANDSHAKING = 0,
    CK_DTLS_CONNECTED, /* keys are there */
    CK_DTLS_CLOSED,    /* the peer said close_notify, authentically */
    CK_DTLS_MISMATCH,  /* its certificate is not the one of the fingerprint; no key was exported */
    CK_DTLS_FAILED,    /* CK_DTLS_REBUILDS_MAX reached, or no common SRTP profile */
};

struct ck_dtls;
typedef void ck_dtls_send(void *user, const uint8_t *bytes, size_t size);

/* 0 or -ENOMEM. */
int ck_dtls_create(struct ck_dtls **dtls, struct ck_dtls_context *context,
                   const struct ck_dtls_fingerprint *peer, ck_dtls_send *send, void *user);
void ck_dtls_destroy(struct ck_dtls *dtls); /* NULL is taken */

/* One datagram from a proved address. Alerts in the clear are dropped unseen: anybody could have
 * written them. A handshake that breaks is thrown away and begun anew; the state stays HANDSHAKING.
 */
enum ck_dtls_state ck_dtls_input(struct ck_dtls *dtls, const uint8_t *bytes, size_t size);

/* To be called about every 10 ms while HANDSHAKING: sends a flight again when its time has come.
 * OpenSSL keeps that time itself. */
enum ck_dtls_state ck_dtls_tick(struct ck_dtls *dtls);

enum ck_dtls_state ck_dtls_state(const struct ck_dtls *dtls);
unsigned ck_dtls_rebuilds(const struct ck_dtls *dtls);

/* From CONNECTED on: the profile, what the peer protects with (in) and what we protect with (out).
 */
enum ck_srtp_profile ck_dtls_keys(const struct ck_dtls *dtls, struct ck_srtp_keys *in,
                                  struct ck_srtp_keys *out);

/* Says close_notify, if connected. */
void ck_dtls_close(struct ck_dtls *dtls);

/* Whether a datagram from an address that is not proved yet may be kept for the moment when it is:
 * a handshake record of epoch 0 that is (a part of) a ClientHello. */
bool ck_dtls_is_client_hello(const uint8_t *bytes, size_t size);

#endif
