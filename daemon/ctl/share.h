/* Shares of the master key: of n people any k together can make the key again, fewer learn nothing
 * about it (Shamir's scheme over GF(256), by libgfshare). A share is two lines of text that can be
 * printed and typed in again; it names its key, says how many are needed, and proves itself. Pure:
 * no files. */
#ifndef DAEMON_CTL_SHARE_H
#define DAEMON_CTL_SHARE_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/digest.h"

#define CK_SHARES_MAX 16
#define CK_SHARE_TEXT_SIZE 192

/* Makes `count` shares, of which `needed` are enough: 2 <= needed <= count <= CK_SHARES_MAX, or
 * CK_E_INVALID. `random` gives unpredictable bytes. */
int ck_share_split(const uint8_t key[static CK_KEY_SIZE], unsigned needed, unsigned count,
                   void (*random)(void *user, void *bytes, size_t size), void *user,
                   char texts[][CK_SHARE_TEXT_SIZE]);

/* What is wrong with a set of shares: `share` counts from 0 in the order given. */
struct ck_share_fault {
    unsigned share;
    char text[96];
};

/* The key from at least as many shares as are needed. CK_E_SYNTAX: one is no share, or mistyped;
 * CK_E_INVALID: of different keys, twice the same, or too few; CK_E_AUTH: they do not give the key
 * that they name. */
int ck_share_join(const char *const *texts, unsigned count, uint8_t key[static CK_KEY_SIZE],
                  struct ck_share_fault *fault);

#endif
