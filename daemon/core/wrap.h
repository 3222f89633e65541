/* Keys in the store lie under the master key: AES-256-GCM under a key derived from it for one
 * purpose and row, which also is what it is bound to. (Recordings have a form of their own,
 * protocol/seal.h.) Pure. */
#ifndef DAEMON_CORE_WRAP_H
#define DAEMON_CORE_WRAP_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/digest.h"

/* What keys are wrapped for. Permanent texts: rekey.c must know each. */
#define CK_PURPOSE_ASSESSMENT "assessment 1"
#define CK_PURPOSE_CONFIDENCE "confidence 1"
#define CK_PURPOSE_DRAW_KEY "checkind draw key 1"
#define CK_PURPOSE_PHOTO "photo 1"
#define CK_PURPOSE_THREAD "thread 1"
#define CK_PURPOSE_TOTP "totp 1"

#define CK_WRAPPED_SIZE (CK_GCM_NONCE_SIZE + CK_KEY_SIZE + CK_GCM_TAG_SIZE)

/* `purpose` is a permanent text such as "thread 1"; `nonce` is random. 0 or -ENOMEM. */
int ck_key_wrap(const uint8_t master[static CK_KEY_SIZE], const char *purpose, int64_t id,
                const uint8_t nonce[static CK_GCM_NONCE_SIZE],
                const uint8_t key[static CK_KEY_SIZE], uint8_t wrapped[static CK_WRAPPED_SIZE]);

/* CK_E_AUTH: changed, of another row or purpose, or under another master key; CK_E_SYNTAX: not of
 * this size. */
int ck_key_unwrap(const uint8_t master[static CK_KEY_SIZE], const char *purpose, int64_t id,
                  const void *wrapped, size_t size, uint8_t key[static CK_KEY_SIZE]);

#endif
