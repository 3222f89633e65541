/* The public keys that a verification trusts, and where they came from. */
#ifndef DAEMON_VERIFY_KEYS_H
#define DAEMON_VERIFY_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/verify/finding.h"
#include "protocol/note.h"

#define CK_KEYS_MAX 16

struct ck_keys {
    struct ck_note_key keys[CK_KEYS_MAX]; /* of the log and of witnesses */
    size_t count;
    bool found_inside; /* the log's key was taken from what is verified: it proves agreement only */
};

/* Adds a key given as text, or the name of a file that holds one. CK_E_SYNTAX, CK_E_LIMIT. */
int ck_keys_add(struct ck_keys *keys, const char *text);

/* Whether there is a key of the log. */
bool ck_keys_have_log(const struct ck_keys *keys);

/* Checks the signatures of a checkpoint: true where the log's is good. Findings "forged" and
 * "unsigned"; *witnesses counts the good ones of witnesses that are known. */
bool ck_keys_check(const struct ck_keys *keys, const char *note, size_t size, const char *what,
                   struct ck_verdict *verdict, unsigned *witnesses);

#endif
