/* The messages between checkind and checkin-signer, as values and as bytes. One message is one
 * SOCK_SEQPACKET datagram; checkind asks, the signer answers each with exactly one.
 *
 *   HELLO                         -> STATE
 *   LEAVES from, leaf, leaf, …    -> STATE, or REFUSED
 *   SIGN size, root               -> SIGNED, or REFUSED
 *
 * The signer hashes every leaf itself. Leaves make its tree grow in memory; only what it signs
 * becomes its head, which it keeps for ever: a connection that ends before leaves nothing behind.
 *
 * Numbers are unsigned, big-endian. The first byte is the kind, then:
 *   HELLO    version (1)
 *   LEAVES   from (8), then for each leaf its size (2) and its bytes
 *   SIGN     size (8), root (32)
 *   STATE    size (8) of the tree in memory, size (8) and root (32) of the last head that was
 *            signed (size 0: none), the public key (32), the name of the log
 *   SIGNED   the note of the checkpoint
 *   REFUSED  reason (1), size (8) and root (32) of the last head
 *
 * Texts and blobs of a decoded message point into the datagram. Pure and thread-safe. */
#ifndef PROTOCOL_SIGNING_H
#define PROTOCOL_SIGNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/bytes.h"
#include "protocol/note.h"

#define CK_SIGNING_VERSION 1
#define CK_SIGNING_MESSAGE_MAX 65536 /* bytes of a datagram */
#define CK_SIGNING_LEAF_MAX 4096

enum ck_signing_kind {
    CK_SIGNING_HELLO = 1,
    CK_SIGNING_LEAVES = 2,
    CK_SIGNING_SIGN = 3,
    CK_SIGNING_STATE = 64,
    CK_SIGNING_SIGNED = 65,
    CK_SIGNING_REFUSED = 66,
};

enum ck_signing_refusal {
    CK_SIGNING_BEHIND = 1, /* leaves in between are not there: send those from the size in STATE */
    CK_SIGNING_ROLLBACK = 2, /* the log is shorter than what was signed before */
    CK_SIGNING_FORK = 3,     /* the leaves do not give the root: another history than was signed */
    CK_SIGNING_FAILED = 4,   /* the new head could not be made durable; nothing was signed */
    CK_SIGNING_FOREIGN_KEY = 5, /* an entry names a key of this log that is not the signer's */
};

struct ck_signing_message {
    enum ck_signing_kind kind;
    uint8_t version;       /* HELLO */
    uint64_t from;         /* LEAVES */
    const uint8_t *leaves; /* LEAVES: what ck_signing_leaf() takes one after the other */
    size_t leaves_size;
    uint64_t size;              /* SIGN, STATE: the tree in memory */
    struct ck_hash root;        /* SIGN */
    uint64_t signed_size;       /* STATE, REFUSED */
    struct ck_hash signed_root; /* STATE, REFUSED */
    uint8_t key[CK_ED25519_SIZE];
    const char *text; /* STATE: the name; SIGNED: the note */
    size_t text_size;
    enum ck_signing_refusal refusal;
};

/* Writes one message; LEAVES as head only, to which ck_signing_add() adds. CK_E_LIMIT: it does not
 * fit. */
int ck_signing_write(struct ck_writer *writer, const struct ck_signing_message *message);

/* Adds a leaf to a LEAVES message; false where it does not fit, and nothing was written. */
bool ck_signing_add(struct ck_writer *writer, const void *leaf, size_t size);

/* CK_E_SYNTAX: not of the form. */
int ck_signing_read(const void *bytes, size_t size, struct ck_signing_message *message);

/* Takes the next leaf of `leaves`: 1, 0 at the end, or CK_E_SYNTAX as a negative: -EINVAL. */
int ck_signing_leaf(struct ck_reader *leaves, const uint8_t **leaf, size_t *size);

#endif
