/* SipHash-2-4 (Aumasson, Bernstein, 2012): a hash for tables whose keys strangers choose. */
#ifndef MEDIA_TRANSPORT_SIPHASH_H
#define MEDIA_TRANSPORT_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define CK_SIPHASH_KEY_SIZE 16

uint64_t ck_siphash(const uint8_t key[static CK_SIPHASH_KEY_SIZE], const void *bytes, size_t size);

#endif
