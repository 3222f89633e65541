/* AES-128-GCM (NIST SP 800-38D), for protocols that prescribe it; what is ours uses AES-256
 * (digest.h). */
#ifndef PROTOCOL_BASE_GCM128_H
#define PROTOCOL_BASE_GCM128_H

#include "protocol/base/digest.h"

#define CK_GCM128_KEY_SIZE 16

/* Seals the concatenation of `count` slices: `out` gets their size + CK_GCM_TAG_SIZE bytes,
 * ciphertext, then tag. The caller never uses one nonce twice under one key. Thread-safe. 0,
 * -EINVAL above 2 GiB, -ENOMEM. */
int ck_gcm128_seal(const uint8_t key[static CK_GCM128_KEY_SIZE],
                   const uint8_t nonce[static CK_GCM_NONCE_SIZE], const struct ck_slice *slices,
                   size_t count, void *out);

#endif
