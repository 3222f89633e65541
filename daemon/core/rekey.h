/* The master key is another one: every key in the store is wrapped under it anew. What is sealed
 * under those keys (recordings, messages, photos) stays as it is.
 *
 * The store notes which master key its keys lie under. At the start of the engine that is compared
 * with the one given: where it is the old one that was given beside it, all of them are wrapped
 * anew in one transaction, with a KEY_ROTATED record. Killed at any moment it has happened as a
 * whole or not at all, so that one of the two keys always opens everything; the old one is needed
 * no more once the record is there. */
#ifndef DAEMON_CORE_REKEY_H
#define DAEMON_CORE_REKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/store.h"
#include "protocol/base/digest.h"
#include "protocol/seal.h"

/* The name of a master key as the log and people see it: hexadecimal, tells nothing about it. */
#define CK_KEY_NAME_SIZE (2 * CK_SEAL_KEY_ID_SIZE + 1)
int ck_key_name(const uint8_t master[static CK_KEY_SIZE], char name[static CK_KEY_NAME_SIZE]);

struct ck_rekey {
    bool rotated;
    char from[CK_KEY_NAME_SIZE], to[CK_KEY_NAME_SIZE];
    int64_t keys; /* wrapped anew */
};

/* Compares, and wraps anew where it must, inside an open transaction. `old` may be NULL. CK_E_AUTH:
 * the store lies under a key that is neither. -EUCLEAN: a key in it opens under neither, although
 * it is noted: rekey->from names the column. */
int ck_rekey(struct ck_store *store, const uint8_t master[static CK_KEY_SIZE], const uint8_t *old,
             void (*random)(void *user, void *bytes, size_t size), void *user,
             struct ck_rekey *rekey);

#endif
