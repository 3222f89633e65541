/* Verifying a sealed recording (protocol/recording.md): its chain, against heads that the log
 * holds, and with its key every chunk. */
#ifndef DAEMON_VERIFY_RECORDING_H
#define DAEMON_VERIFY_RECORDING_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/verify/finding.h"
#include "protocol/seal.h"

/* Of bytes: what is wrong goes to *verdict by the name of seal.h ("changed", "missing", "replayed",
 * "foreign", "truncated", "chain"); true where nothing is. `key` may be NULL. */
bool ck_verify_sealed(const uint8_t *bytes, size_t size, uint64_t recording, const uint8_t *key,
                      const struct ck_seal_head *heads, size_t head_count, const char *name,
                      struct ck_verdict *verdict, struct ck_seal_report *report);

/* Of a file. Heads are "CHUNKS:BYTES:HEX". CK_E_INVALID: one of them is not; -errno. */
int ck_verify_recording(const char *path, const char *key_path, char *const *heads, size_t count,
                        struct ck_verdict *verdict);

#endif
