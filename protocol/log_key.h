/* The key that an entry SIGNER_KEY of the audit log names (log.md section 2). Whoever signs and
 * whoever verifies read it by the same letters. Pure and thread-safe. */
#ifndef PROTOCOL_LOG_KEY_H
#define PROTOCOL_LOG_KEY_H

#include <stdbool.h>

#include "protocol/leaf.h"
#include "protocol/note.h"

/* False where it is no such entry, or names no key of a log. */
bool ck_log_key_named(const struct ck_leaf *leaf, struct ck_note_key *key);

/* Whether both are one key under one name. */
bool ck_log_key_same(const struct ck_note_key *a, const struct ck_note_key *b);

#endif
