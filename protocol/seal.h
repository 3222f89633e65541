/* Sealed recordings, the reading side, and the keys they lie under. The form of the bytes is
 * specified in recording.md; seal_writer.h is the writing side.
 *
 * Pure: no files, no clock, no randomness of its own. Bytes of a file come through a callback,
 * random bytes are arguments. Everything is for one thread at a time per object.
 *
 * Common results: CK_E_AUTH (a tag does not verify: wrong key, or the bytes were changed),
 * CK_E_SYNTAX (not a sealed recording), CK_E_TRUNCATED (it has no trailer: ck_seal_recover() writes
 * one), CK_E_LIMIT (beyond a limit below), -ENOMEM, and whatever negative value the callback
 * returned. */
#ifndef PROTOCOL_SEAL_H
#define PROTOCOL_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/digest.h"
#include "protocol/base/time.h"

#define CK_SEAL_SALT_SIZE 16
#define CK_SEAL_KEY_ID_SIZE 8
#define CK_SEAL_WRAPPED_SIZE                                                                       \
    (1 + CK_SEAL_KEY_ID_SIZE + CK_GCM_NONCE_SIZE + CK_KEY_SIZE + CK_GCM_TAG_SIZE)
#define CK_SEAL_CONTEXT_MAX 512                /* bytes of the opaque context */
#define CK_SEAL_CHUNK_MAX (4u * 1024 * 1024)   /* plain bytes of one chunk */
#define CK_SEAL_TRAILER_MAX (8u * 1024 * 1024) /* plain bytes of the trailer */
#define CK_SEAL_CHUNKS_MAX 65536u              /* chunks of one file: 18 hours of the shortest */
#define CK_SEAL_MARKS_MAX 4096u              /* marks kept in a trailer; later ones are left out */
#define CK_SEAL_KEY_FRAME_MAX (1024u * 1024) /* bytes of one video frame */

/* ---- keys ---- */

/* Names a master key without telling it: the first bytes of a digest of it. */
int ck_seal_key_id(const uint8_t master[static CK_KEY_SIZE],
                   uint8_t key_id[static CK_SEAL_KEY_ID_SIZE]);

/* Wraps the key of a recording for the store: AES-256-GCM under a key derived from the master key
 * and the recording's id, so that it opens for that recording alone. `nonce` is random. 0 or
 * -ENOMEM. */
int ck_seal_wrap(const uint8_t master[static CK_KEY_SIZE], uint64_t recording,
                 const uint8_t nonce[static CK_GCM_NONCE_SIZE],
                 const uint8_t key[static CK_KEY_SIZE],
                 uint8_t wrapped[static CK_SEAL_WRAPPED_SIZE]);

/* The reverse. CK_E_SYNTAX: not a wrapped key of this version; CK_E_NOT_FOUND: it lies under
 * another master key (see ck_seal_wrapped_key_id); CK_E_AUTH: changed, or of another recording. */
int ck_seal_unwrap(const uint8_t master[static CK_KEY_SIZE], uint64_t recording,
                   const void *wrapped, size_t size, uint8_t key[static CK_KEY_SIZE]);

/* Which master key it lies under. CK_E_SYNTAX as above. */
int ck_seal_wrapped_key_id(const void *wrapped, size_t size,
                           uint8_t key_id[static CK_SEAL_KEY_ID_SIZE]);

/* ---- a file ---- */

/* A sealed file to read. `read` gives exactly `size` bytes from `offset` on (pread until it is all
 * there), never asked beyond `size` of the source: 0, or a negative errno that goes up unchanged.
 */
struct ck_seal_source {
    int (*read)(void *user, uint64_t offset, void *to, size_t size);
    void *user;
    uint64_t size; /* bytes of the file now */
};

/* How far a file goes: the value that the audit log keeps. */
struct ck_seal_head {
    uint64_t chunks;              /* sealed chunks, the trailer counted */
    uint64_t bytes;               /* of the file up to the end of the last of them */
    uint8_t hash[CK_SHA256_SIZE]; /* end of the chain there */
};

enum ck_seal_mark_kind {
    CK_SEAL_MARK_GAP =
        1, /* nothing of `source` between from and until; code: ck_seal_gap or caller's */
    CK_SEAL_MARK_PAUSE = 2,  /* paused on purpose; code: the reason that was given */
    CK_SEAL_MARK_SIZE = 3,   /* the picture is width x height from here on */
    CK_SEAL_MARK_STREAM = 4, /* another SSRC, or a jump of its clock: code 1 or 2 */
    CK_SEAL_MARK_REPORT = 5, /* raw sender report, so that an export can redo the sync */
};

enum ck_seal_gap { /* codes of our own; reasons of callers are below 0x8000 */
                   CK_SEAL_GAP_LOSS =
                       0x8001, /* packets lost in the network; for video up to the key frame */
                   CK_SEAL_GAP_OVERFLOW = 0x8002, /* the ring was full: a slow disk */
};

enum ck_seal_source_kind { CK_SEAL_AUDIO = 0, CK_SEAL_VIDEO = 1, CK_SEAL_BOTH = 2 };

/* Something worth knowing about the time line. Times are milliseconds from the start of the
 * recording. */
struct ck_seal_mark {
    uint8_t kind;   /* enum ck_seal_mark_kind */
    uint8_t source; /* enum ck_seal_source_kind */
    uint16_t code;
    int64_t from_ms;
    int64_t until_ms; /* GAP, PAUSE; else as from_ms */
    union {
        struct {
            uint32_t packets; /* known to be lost */
        } gap;
        struct {
            uint16_t width;
            uint16_t height;
        } size;
        struct {
            uint32_t ssrc;
            uint32_t rtp;
            uint64_t ntp;
        } report; /* STREAM: ssrc alone */
    };
};

struct ck_seal_info {
    uint64_t recording;
    struct ck_wall start; /* wall time of the time line's zero */
    uint64_t plain_size;  /* bytes of the WebM file */
    int64_t duration_ms;
    uint64_t chunks; /* the trailer counted */
    bool recovered;  /* the trailer was written by ck_seal_recover() */
    bool has_audio;
    bool has_video;
    uint16_t width; /* largest picture; 0 where there is none */
    uint16_t height;
    const uint8_t *context; /* lives as long as the object */
    size_t context_size;
};

struct ck_seal;

/* Opens a closed or recovered file; `source` is copied, its user pointer must outlive the object.
 * The header and the trailer are read and verified, chunks are when they are needed.
 * CK_E_NOT_FOUND: it is another recording. */
int ck_seal_open(struct ck_seal **seal, const struct ck_seal_source *source,
                 const uint8_t key[static CK_KEY_SIZE], uint64_t recording);

/* Wipes and frees; NULL is taken. */
void ck_seal_close(struct ck_seal *seal);
void ck_seal_closep(struct ck_seal **seal);

const struct ck_seal_info *ck_seal_info(const struct ck_seal *seal);

/* Gaps, pauses and sizes in the order of time. */
const struct ck_seal_mark *ck_seal_marks(const struct ck_seal *seal, size_t *count);

/* Plain bytes [offset, offset + size) of the WebM file, cut at its end; *got says how many. Only
 * the chunks needed are read and opened; the last one stays open, so reading on in small pieces
 * costs each chunk once. The final header (duration, place of the cues) is served in place of chunk
 * 0. On failure nothing of the range counts, also where an earlier chunk was good; CK_E_AUTH then
 * names the chunk in *bad if it is not NULL. */
int ck_seal_read(struct ck_seal *seal, uint64_t offset, void *to, size_t size, size_t *got,
                 uint64_t *bad);

/* The VP8 key frame nearest to `at_ms`: its bytes into `to`, and the time it has. CK_E_NOT_FOUND:
 * there is no video; CK_E_LIMIT: longer than `capacity` (CK_SEAL_KEY_FRAME_MAX is always enough).
 */
int ck_seal_key_frame(struct ck_seal *seal, int64_t at_ms, void *to, size_t capacity, size_t *size,
                      int64_t *frame_ms);

/* ---- verification ---- */

enum ck_seal_fault {
    CK_SEAL_SOUND = 0,
    CK_SEAL_NOT_SEALED,  /* no header of a sealed recording, or a changed one */
    CK_SEAL_FOREIGN,     /* the chunk belongs to another recording */
    CK_SEAL_CHANGED,     /* the chunk's bytes are not those that were sealed */
    CK_SEAL_MISSING,     /* the chunk is not there, a later one is */
    CK_SEAL_REPLAYED,    /* an earlier chunk stands where this one should */
    CK_SEAL_TRUNCATED,   /* the file ends before this chunk, or in the middle of it */
    CK_SEAL_OTHER_CHAIN, /* whole in itself, but not the chain that an anchor names */
};

/* "changed", "missing", … for people. */
const char *ck_seal_fault_text(enum ck_seal_fault fault);

struct ck_seal_report {
    enum ck_seal_fault fault;
    uint64_t chunk;      /* the first bad one; SOUND: number of chunks */
    uint64_t offset;     /* where it begins, or should */
    uint64_t lost_bytes; /* torn chunk in front of a recovered trailer */
    bool finished;       /* a trailer is there */
    bool recovered;
    struct ck_seal_head head; /* of all that is good from the start on */
};

/* Walks the whole file. Without a key (NULL) framing and hash chain are checked, which is complete
 * as far as the anchors reach (heads from the audit log, ascending); with the key every chunk is
 * opened as well. A file without trailer is TRUNCATED, with everything before it good. Returns 0
 * and fills *report whatever the file holds; negative only where it could not be read. */
int ck_seal_verify(const struct ck_seal_source *source, uint64_t recording, const uint8_t *key,
                   const struct ck_seal_head *anchors, size_t anchor_count,
                   struct ck_seal_report *report);

/* ---- recovery ---- */

struct ck_seal_recovery {
    bool was_whole;      /* had its trailer already: nothing was appended */
    uint64_t lost_bytes; /* of chunks that do not open: torn by the crash, or damaged */
    uint64_t damaged;    /* chunks lost in the middle, with good ones behind */
    int64_t duration_ms;
    struct ck_seal_head head; /* with the new trailer */
};

/* Completes a file that kill -9 or a power loss cut off: opens every chunk, and gives the missing
 * trailer to `append`, which puts it at the end of the file and makes it durable. No byte that is
 * there is changed or removed. `salt` is random and fresh: the trailer is sealed under a key that
 * no chunk lost on the way ever had, whatever its index. CK_E_NOT_FOUND: not even the first chunk
 * is whole (nothing was recorded), or it is another recording; CK_E_AUTH: wrong key. What `append`
 * returns goes up if it is not 0; after it failed half-way recovery may simply be run again. */
int ck_seal_recover(const struct ck_seal_source *source, uint64_t recording,
                    const uint8_t key[static CK_KEY_SIZE],
                    const uint8_t salt[static CK_SEAL_SALT_SIZE],
                    int (*append)(void *user, const void *bytes, size_t size), void *user,
                    struct ck_seal_recovery *recovery);

#endif
