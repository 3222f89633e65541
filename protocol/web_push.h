/* Web Push: what a push service takes for a browser. Encryption by RFC 8291 (with RFC 8188),
 * identification by RFC 8292 (VAPID). Values only; random bytes are arguments. */
#ifndef PROTOCOL_WEB_PUSH_H
#define PROTOCOL_WEB_PUSH_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/p256.h"
#include "protocol/base/time.h"

#define CK_PUSH_ENDPOINT_SIZE 769 /* of a URL, with its zero */
#define CK_PUSH_AUTH_SIZE 16      /* RFC 8291 section 3.2 */
#define CK_PUSH_SALT_SIZE 16      /* RFC 8188 section 2.1 */
#define CK_PUSH_TEXT_MAX 3993     /* of a message: services take bodies up to 4096 bytes */
#define CK_PUSH_OVERHEAD 103   /* 86 bytes of header, the mark of the last record, 16 of the tag */
#define CK_PUSH_VAPID_SIZE 512 /* of the header's value, with its zero */
#define CK_PUSH_VAPID_LIFE_S 43200 /* of the claim: half of what RFC 8292 allows */

/* What a browser gives for us to reach it: PushSubscription.toJSON(). */
struct ck_push_subscription {
    char endpoint[CK_PUSH_ENDPOINT_SIZE]; /* https */
    uint8_t key[CK_P256_PUBLIC_SIZE];     /* keys.p256dh */
    uint8_t auth[CK_PUSH_AUTH_SIZE];      /* keys.auth */
};

/* Reads {"endpoint": …, "keys": {"p256dh": …, "auth": …}}; other members are ignored. CK_E_SYNTAX,
 * or CK_E_INVALID for an endpoint that is not https, or a key that is not on the curve. */
int ck_push_subscription_read(const char *json, size_t size,
                              struct ck_push_subscription *subscription);

/* Encrypts `size` bytes (at most CK_PUSH_TEXT_MAX) for the browser into size + CK_PUSH_OVERHEAD
 * bytes of content-coding aes128gcm. `private_key` and `salt` are random and used once. CK_E_LIMIT;
 * CK_E_INVALID where the private key is none; -ENOMEM. */
int ck_push_encrypt(const struct ck_push_subscription *subscription,
                    const uint8_t private_key[static CK_P256_PRIVATE_SIZE],
                    const uint8_t salt[static CK_PUSH_SALT_SIZE], const void *text, size_t size,
                    uint8_t *body);

/* Writes the value of the Authorization header: "vapid t=TOKEN, k=KEY". `subject` is how the
 * service reaches us: "mailto:…" or "https://…". CK_E_INVALID for a private key that is none, a
 * subject of another form or an endpoint that is no URL; CK_E_LIMIT; -ENOMEM. */
int ck_push_vapid(const uint8_t private_key[static CK_P256_PRIVATE_SIZE], const char *endpoint,
                  const char *subject, struct ck_wall now, char value[static CK_PUSH_VAPID_SIZE]);

#endif
