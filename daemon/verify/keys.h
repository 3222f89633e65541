/* The public keys that a verification trusts, and where they came from. */
#ifndef DAEMON_VERIFY_KEYS_H
#define DAEMON_VERIFY_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/verify/finding.h"
#include "protocol/note.h"

#define CK_KEYS_MAX CK_NOTE_LOG_KEYS_MAX

struct ck_keys {
    struct ck_note_key keys[CK_KEYS_MAX]; /* of the log and of witnesses */
    size_t count;
    bool found_inside; /* the log's key was taken from what is verified: it proves agreement only */
};

/* Adds a key given as text, or the name of a file that holds one. CK_E_SYNTAX, CK_E_LIMIT. */
int ck_keys_add(struct ck_keys *keys, const char *text);

/* Whether there is a key of the log. */
bool ck_keys_have_log(const struct ck_keys *keys);

/* Who signed a checkpoint. */
struct ck_signers {
    uint64_t logs; /* bit N: keys[N], which is the log's */
    unsigned witnesses;
};

/* Checks the signatures of a checkpoint: true where one of the log's is good, and none is false.
 * Findings "forged" and "unsigned"; *by (NULL: of no interest) has the good ones. */
bool ck_keys_check(const struct ck_keys *keys, const char *note, size_t size, const char *what,
                   struct ck_verdict *verdict, struct ck_signers *by);

/* Whether there is this very key already; its number, or keys->count. */
size_t ck_keys_find(const struct ck_keys *keys, const struct ck_note_key *key);

#endif
