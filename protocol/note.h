/* Signed notes, checkpoints and proofs of the audit log, in the formats that others read too: C2SP
 * signed-note, tlog-checkpoint, tlog-cosignature (Ed25519) and tlog-proof; and the names of files
 * in C2SP tlog-tiles. log.md says how the product uses them.
 *
 * Pure and thread-safe. Results besides those named: CK_E_SYNTAX where the bytes do not have the
 * form, CK_E_LIMIT beyond a limit below, -ENOMEM where the digest or signature itself fails. */
#ifndef PROTOCOL_NOTE_H
#define PROTOCOL_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/digest.h"
#include "protocol/merkle.h"

#define CK_NOTE_NAME_MAX 127      /* bytes of the name of a key */
#define CK_NOTE_BYTES_MAX 16384   /* bytes of a note with all its signatures */
#define CK_NOTE_SIGNATURES_MAX 32 /* looked at in one note */
#define CK_NOTE_KEY_TEXT_SIZE (CK_NOTE_NAME_MAX + 64)

/* Keys that one log has had: one that is changed every year reaches it in a lifetime. */
#define CK_NOTE_LOG_KEYS_MAX 64

enum ck_note_key_type {
    CK_NOTE_LOG = 1,     /* signs the text of a note */
    CK_NOTE_WITNESS = 4, /* cosigns a checkpoint and the time at which it was seen */
};

/* A public key with its name. For the log the name is the origin of its checkpoints. */
struct ck_note_key {
    char name[CK_NOTE_NAME_MAX + 1];
    uint8_t type; /* enum ck_note_key_type */
    uint8_t id[4];
    uint8_t key[CK_ED25519_SIZE];
};

/* Whether it may name a key: UTF-8, not empty, no white space, no control character, no plus. */
bool ck_note_name_good(const char *name);

/* CK_E_INVALID: the name may not name a key. */
int ck_note_key_make(const char *name, enum ck_note_key_type type,
                     const uint8_t public_key[static CK_ED25519_SIZE], struct ck_note_key *key);

/* The text by which keys are handed round: "NAME+ID+BASE64". A white end of line may follow it.
 * CK_E_AUTH: the id is not that of the key. */
int ck_note_key_parse(const char *text, struct ck_note_key *key);
void ck_note_key_text(const struct ck_note_key *key, char text[static CK_NOTE_KEY_TEXT_SIZE]);

struct ck_checkpoint {
    char origin[CK_NOTE_NAME_MAX + 1];
    uint64_t size;
    struct ck_hash root;
};

/* Makes and signs a checkpoint. `note` gets *size bytes and a zero. */
int ck_checkpoint_sign(const struct ck_checkpoint *checkpoint, const struct ck_note_key *key,
                       const uint8_t seed[static CK_ED25519_SIZE], char *note, size_t capacity,
                       size_t *size);

/* Reads a note as a checkpoint. Says nothing about who signed it. */
int ck_checkpoint_parse(const char *note, size_t size, struct ck_checkpoint *checkpoint);

/* Whether the key signed the note: 0, CK_E_AUTH (a signature in its name is wrong) or
 * CK_E_NOT_FOUND (there is none of it). *seconds, if not NULL, gets the POSIX time of a witness's
 * signature and 0 for any other. */
int ck_note_check(const char *note, size_t size, const struct ck_note_key *key, uint64_t *seconds);

/* Adds one signature line, with its line end, to a note that has room for CK_NOTE_BYTES_MAX bytes
 * and a zero. The line is checked before: results as ck_note_check(); CK_E_CONFLICT: it is there
 * already.
 */
int ck_note_add(char *note, size_t *size, const char *line, size_t line_size,
                const struct ck_note_key *key);

/* What a witness says of a checkpoint: its signature line, for tests and for witnesses. */
int ck_note_cosign(const char *note, size_t size, const struct ck_note_key *key,
                   const uint8_t seed[static CK_ED25519_SIZE], uint64_t seconds, char *line,
                   size_t capacity);

/* ---- proofs of one entry ---- */

#define CK_PROOF_EXTRA_MAX 4096 /* bytes beside a proof: as long as an entry can be */
#define CK_PROOF_TEXT_MAX (CK_NOTE_BYTES_MAX + 64 * 46 + 4096 + CK_PROOF_EXTRA_MAX / 3 * 4)

/* A .tlog-proof: the entry's place, its path, and the note of the checkpoint it leads to. */
struct ck_entry_proof {
    uint64_t index;
    struct ck_merkle_proof path;
    struct ck_checkpoint checkpoint;
    const char *note; /* within the text that was read */
    size_t note_size;
    const char *extra; /* … as base64; NULL: none. Authenticated by nothing */
    size_t extra_size;
};

/* Writes a .tlog-proof and a zero. `extra` goes beside it; NULL: nothing does. CK_E_LIMIT also for
 * more than CK_PROOF_EXTRA_MAX bytes of it. */
int ck_entry_proof_write(uint64_t index, const struct ck_merkle_proof *path, const char *note,
                         size_t note_size, const struct ck_slice *extra, char *text,
                         size_t capacity, size_t *size);

/* Reads one. Extra data is passed over: it is decoded by whoever has a use for it. */
int ck_entry_proof_read(const char *text, size_t size, struct ck_entry_proof *proof);

/* The data beside a proof. CK_E_NOT_FOUND: there is none. */
int ck_entry_proof_extra(const struct ck_entry_proof *proof,
                         uint8_t bytes[static CK_PROOF_EXTRA_MAX], size_t *size);

/* Writes the body of add-checkpoint (C2SP tlog-witness) and a zero: from which size on the witness
 * knows the log, the proof that it goes on from there, and the note. */
int ck_add_checkpoint_write(uint64_t old, const struct ck_merkle_proof *proof, const char *note,
                            char *text, size_t capacity);

/* Reads one: the size, the proof, and the checkpoint that it leads to. */
struct ck_add_checkpoint {
    uint64_t old;
    struct ck_merkle_proof proof;
    struct ck_checkpoint checkpoint;
};
int ck_add_checkpoint_read(const char *text, size_t size, struct ck_add_checkpoint *add);

/* ---- files ---- */

#define CK_TILE_PATH_SIZE 96
#define CK_TILE_WIDTH 256
#define CK_TILE_ENTRIES (-1) /* the level of bundles of entries */

/* "tile/0/x001/067", "tile/entries/000.p/5": the path of a tile that holds `width` of
 * CK_TILE_WIDTH hashes or entries. */
void ck_tile_path(int level, uint64_t number, unsigned width, char path[static CK_TILE_PATH_SIZE]);

#endif
