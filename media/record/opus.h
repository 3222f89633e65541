/* How long an Opus packet sounds (RFC 6716 section 3.1), from its first bytes. */
#ifndef MEDIA_RECORD_OPUS_H
#define MEDIA_RECORD_OPUS_H

#include <stddef.h>
#include <stdint.h>

#define CK_OPUS_PACKET_MAX_US 120000

/* Microseconds; 0 where the bytes are no packet (none at all, a missing count, more than 120 ms).
 */
int32_t ck_opus_duration_us(const uint8_t *packet, size_t size);

#endif
