/* The audit log and its signer: having the present head signed. Blocking: for a thread of the pool,
 * on a reader connection, so that neither the loop nor the engine ever waits for the signer. */
#ifndef DAEMON_AUDIT_CHECKPOINT_H
#define DAEMON_AUDIT_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"
#include "protocol/note.h"

#define CK_CHECKPOINT_REST_MS 60000  /* a log that has grown is signed at the latest after this */
#define CK_CHECKPOINT_ANSWER_MS 3000 /* the signer's time for one answer */

enum ck_signer_state {
    CK_SIGNER_SIGNED = 1,  /* a new checkpoint was made */
    CK_SIGNER_RESTS,       /* nothing is to be signed now */
    CK_SIGNER_SILENT,      /* it does not answer, or not as it must */
    CK_SIGNER_ROLLBACK,    /* it signed a longer log than this one: an old copy was put back */
    CK_SIGNER_FORK,        /* it signed another past than this log has */
    CK_SIGNER_FAILED,      /* it cannot keep its head */
    CK_SIGNER_FOREIGN_KEY, /* an entry names a key of this log that it does not have */
};

/* "signed", "silent", …: the words of command "log.signer". */
const char *ck_signer_state_name(enum ck_signer_state state);

struct ck_signer_answer {
    enum ck_signer_state state;
    uint64_t size; /* SIGNED: entries covered; ROLLBACK, FORK: what it signed last */
    char note[CK_NOTE_BYTES_MAX + 1];
    char key[CK_NOTE_KEY_TEXT_SIZE]; /* its public key, once it has said so */
    char detail[120];                /* what went wrong, for people */
};

/* Has the head signed if it is due at `now`. What the signer gave is verified: the signature, and
 * that it is of this log. 0 with answer->state; an error where the store cannot be read. */
int ck_audit_checkpoint(struct ck_store *store, const char *socket, struct ck_wall now,
                        struct ck_signer_answer *answer);

/* The .tlog-proof of an entry: its path in the smallest checkpoint that covers it. CK_E_NOT_FOUND:
 * there is no such entry, or no checkpoint covers it yet. `text` has CK_PROOF_TEXT_MAX bytes. */
int ck_audit_entry_proof(struct ck_store *store, int64_t index, char *text, size_t *size);

/* The same in the checkpoint with this note, which covers `covers` entries: so that all proofs of
 * one bundle lead to one root. CK_E_NOT_FOUND: it does not cover the entry. */
int ck_audit_entry_proof_under(struct ck_store *store, int64_t index, const char *note,
                               int64_t covers, char *text, size_t *size);

/* That the log goes on from its first `old` entries to the `covers` of the checkpoint with this
 * note, as the body of add-checkpoint (protocol/note.h). `text` has CK_PROOF_TEXT_MAX bytes. */
int ck_audit_consistency(struct ck_store *store, int64_t old, const char *note, int64_t covers,
                         char *text);

/* The same of the entry that recorded the outcome of a check-in of this person, with the entry
 * itself beside it. CK_E_NOT_FOUND: it has no outcome; CK_E_CONFLICT: no checkpoint covers it yet.
 */
int ck_audit_outcome_proof(struct ck_store *store, int64_t person, int64_t checkin, char *text,
                           size_t *size);

#endif
