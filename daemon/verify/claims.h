/* The checkpoints that a walk over the entries of a log must come past, smallest first, from
 * several files at once. They are streamed: a log that is signed every few seconds for decades has
 * more of them than memory, and of each file only a window is held. */
#ifndef DAEMON_VERIFY_CLAIMS_H
#define DAEMON_VERIFY_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/verify/finding.h"
#include "protocol/note.h"

/* Read ahead of each file: within so many the notes of a file may stand in any order, as copies
 * that came by mail do. One that comes later still is named by whoever walks. */
#define CK_CLAIMS_WINDOW 1024
#define CK_CLAIMS_FILES_MAX 34

struct ck_claims_file;

struct ck_claims {
    struct ck_claims_file *files[CK_CLAIMS_FILES_MAX];
    size_t count;
    struct ck_verdict *verdict; /* finding "unsigned": what stands there is no checkpoint */
};

struct ck_claim {
    uint64_t size;
    struct ck_hash root;
    uint64_t at; /* where its note lies in the file */
    size_t bytes;
    uint64_t number; /* in the file, from 1 */
};

#define CK_CLAIM_NAME_SIZE 100

/* One that was taken: its signatures are still to be checked. */
struct ck_claim_note {
    struct ck_claim claim;
    bool from_elsewhere;
    char name[CK_CLAIM_NAME_SIZE]; /* "checkpoint 12 of FILE" */
    char text[CK_NOTE_BYTES_MAX + 1];
};

/* Adds the notes of a file, with an empty line between two. `what` (permanent text) is what each is
 * called, NULL: by its number and the file. -ENOENT, -errno; CK_E_LIMIT: too many files. */
int ck_claims_add(struct ck_claims *claims, const char *path, const char *what,
                  bool from_elsewhere);
void ck_claims_deinit(struct ck_claims *claims);

/* The smallest that was not taken yet, valid until the next call; NULL where there is none. -errno:
 * a file cannot be read. */
int ck_claims_peek(struct ck_claims *claims, const struct ck_claim **next);

/* Takes it. CK_E_NOT_FOUND: there is none; -errno. */
int ck_claims_take(struct ck_claims *claims, struct ck_claim_note *taken);

#endif
