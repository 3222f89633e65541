/* What the signer keeps: its key and the head of the log that it signed last. Both lie in its own
 * folder, which nobody else may write to.
 *
 *   log.key     the private key, 64 hexadecimal digits; made at the first start where no other file
 *               is named
 *   log.key.old the private key of before, once the key was changed: while it is there every
 *               checkpoint bears both signatures, so that whoever knows the old key alone sees the
 *               log name the new one
 *   log.vkey    the public key, for whoever verifies
 *   head        the last head: name, size, roots of the complete subtrees; replaced as a whole
 *   checkpoint  the note that was signed last */
#ifndef DAEMON_SIGNER_HEAD_H
#define DAEMON_SIGNER_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/note.h"

struct ck_signer_head {
    int folder; /* descriptor of the state folder */
    struct ck_note_key key;
    uint8_t seed[CK_ED25519_SIZE];
    bool has_old; /* the key of before signs, too */
    struct ck_note_key old_key;
    uint8_t old_seed[CK_ED25519_SIZE];
    struct ck_frontier last; /* of the last head that was signed */
    struct ck_hash last_root;
};

/* Files of the keys; NULL: log.key and log.key.old in the folder, and the latter may be absent. */
struct ck_signer_keys {
    const char *key, *old;
};

/* Opens the folder, loads or makes the key (`keys` NULL: both lie where they usually do), loads the
 * head, which may be that of the old key.
 * `random` fills with unpredictable bytes. CK_E_INVALID: the name is not good, CK_E_CONFLICT: the
 * head belongs to a log of another name or key; CK_E_SYNTAX: the key or the head is damaged;
 * -errno. */
int ck_signer_head_open(struct ck_signer_head *head, const char *folder,
                        const struct ck_signer_keys *keys, const char *name,
                        void (*random)(void *bytes, size_t size));

/* Signs `grown` and makes it the head: durable before the note is given out. -errno: nothing was
 * signed. */
int ck_signer_head_sign(struct ck_signer_head *head, const struct ck_frontier *grown,
                        char note[static CK_NOTE_BYTES_MAX + 1], size_t *size);

/* Wipes the key. */
void ck_signer_head_close(struct ck_signer_head *head);

#endif
