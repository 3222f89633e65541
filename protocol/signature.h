/* Signatures of requests between servers: `Checkind-Signature: t=SECONDS,v1=HEX`, the HMAC-SHA-256
 * of "SECONDS.BODY" under a shared secret (webhook.md). The time is signed so that a request that
 * was seen cannot be replayed later. */
#ifndef PROTOCOL_SIGNATURE_H
#define PROTOCOL_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_SIGNATURE_HEADER "Checkind-Signature"
#define CK_SIGNATURE_SIZE 104        /* "t=…,v1=…" and its zero */
#define CK_SIGNATURE_TEXT_MAX 512    /* of a header that is checked */
#define CK_SIGNATURE_TOLERANCE_S 300 /* by how much the signed time may differ from now */
#define CK_SIGNATURE_SECRET_MIN 16   /* bytes; shorter secrets are refused */

/* Writes the value of the header. 0, CK_E_INVALID for a secret that is too short or a time before
 * 1970, or -ENOMEM. */
int ck_signature_write(const void *secret, size_t secret_size, struct ck_wall at, const void *body,
                       size_t size, char header[static CK_SIGNATURE_SIZE]);

/* Checks the value of the header against the body's raw bytes. Several v1 may be given while a
 * secret is changed; one that verifies is enough. Other fields are ignored. 0; CK_E_SYNTAX;
 * CK_E_AUTH where none verifies; CK_E_INVALID where one does but the time differs by more than
 * CK_SIGNATURE_TOLERANCE_S. */
int ck_signature_check(const void *secret, size_t secret_size, const char *header,
                       struct ck_wall now, const void *body, size_t size);

#endif
