/* SHA-256 of many short texts at once, each behind one byte (the tree of the audit log: RFC 6962
 * section 2.1). One text after the other leaves half of the processor's SHA unit idle, because each
 * round waits for the one before; two texts side by side do not wait for each other. */
#ifndef PROTOCOL_BASE_SHA256_MANY_H
#define PROTOCOL_BASE_SHA256_MANY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/digest.h"

struct ck_sha256_job {
    const void *data;
    size_t size;
    uint8_t *digest; /* CK_SHA256_SIZE bytes that are no part of any job's data */
    uint8_t prefix;
};

/* Each digest becomes SHA-256(prefix || data). Thread-safe. 0 or -ENOMEM. */
int ck_sha256_many(const struct ck_sha256_job *jobs, size_t count);

/* The same side by side. False, and nothing done, where this processor cannot. */
bool ck_sha256_lanes(const struct ck_sha256_job *jobs, size_t count);

#endif
