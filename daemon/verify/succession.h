/* The keys that signed a log one after the other. Trust begins with those that were given, and goes
 * to a key that the log names (entry SIGNER_KEY) where a checkpoint by a trusted key covers that
 * entry and was itself named before it: forwards, from a key that was handed out long ago, as the
 * old key signs beside the new one for a while. Never backwards: an earlier key is good up to what
 * trusted keys cover, since all of that lies under them, and for nothing beyond. */
#ifndef DAEMON_VERIFY_SUCCESSION_H
#define DAEMON_VERIFY_SUCCESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/verify/finding.h"
#include "daemon/verify/keys.h"
#include "protocol/leaf.h"

struct ck_succession {
    struct ck_keys *keys; /* those given, and behind them those that the copy claims */
    struct {
        bool trusted;
        int64_t named;   /* first entry that names it; -1: none does */
        uint64_t covers; /* entries of the largest checkpoint that it signed and that holds */
        uint64_t count;  /* of checkpoints that it signed */
    } of[CK_KEYS_MAX];
};

/* Trusts what is in *keys, and adds to it what the file claims: one key a line, which prove nothing
 * by themselves. A file that is not there claims nothing. CK_E_SYNTAX, CK_E_LIMIT, -errno. */
int ck_succession_begin(struct ck_succession *succession, struct ck_keys *keys, const char *path);

/* An entry of the log; of interest is SIGNER_KEY alone. */
void ck_succession_entry(struct ck_succession *succession, const struct ck_leaf *leaf);

/* A checkpoint of so many entries that holds, and whose signatures it bears (ck_signers.logs). */
void ck_succession_signed(struct ck_succession *succession, uint64_t logs, uint64_t size);

/* After the last: names each key that signed and that no trusted one vouches for. */
void ck_succession_end(struct ck_succession *succession, struct ck_verdict *verdict);

#endif
