/* Sealed recordings, the writing side (recording.md). seal.h is the reading side.
 *
 * Pure and for one thread at a time: the caller gives the bytes of clusters, and writes what it
 * gets to the end of the file in the order it gets it. A chunk that was sealed is never sealed
 * again: after a write failed the file has ended. */
#ifndef PROTOCOL_SEAL_WRITER_H
#define PROTOCOL_SEAL_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/digest.h"
#include "protocol/base/time.h"
#include "protocol/seal.h"

#define CK_SEAL_CHUNK_HEAD 80       /* bytes of a chunk in front of its media */
#define CK_SEAL_CHUNK_MARKS_MAX 64u /* marks of one chunk; more are left out */
#define CK_SEAL_MARK_BYTES 36
#define CK_SEAL_NOTES_MAX (48 + CK_SEAL_CHUNK_MARKS_MAX * CK_SEAL_MARK_BYTES)
/* Bytes that have to be free behind a chunk's media. */
#define CK_SEAL_CHUNK_TAIL (CK_SEAL_NOTES_MAX + CK_GCM_TAG_SIZE)
/* Bytes that the beginning of a file takes at the most: file header and first chunk. */
#define CK_SEAL_BEGIN_MAX (32 + CK_SEAL_CONTEXT_MAX + CK_SEAL_CHUNK_HEAD + 512 + CK_SEAL_CHUNK_TAIL)

struct ck_seal_start {
    uint64_t recording; /* not 0 */
    uint8_t key[CK_KEY_SIZE];
    uint8_t salt[CK_SEAL_SALT_SIZE];
    struct ck_wall start; /* wall time of the time line's zero */
    const void *context;
    size_t context_size;
};

/* What the cluster of a chunk holds. */
struct ck_seal_span {
    bool has_audio;
    bool has_video;
    uint16_t width; /* of the largest key frame in it; 0 where there is none */
    uint16_t height;
    uint32_t key_at;  /* where the block of the first video key frame begins in the cluster */
    int64_t start_ms; /* of the first frame */
    int64_t end_ms;   /* where the last frame ends */
    int64_t key_ms;   /* of that key frame; -1 where there is none */
};

struct ck_seal_writer;

/* 0, CK_E_INVALID (recording 0), CK_E_LIMIT (context), -ENOMEM. */
int ck_seal_writer_create(struct ck_seal_writer **writer, const struct ck_seal_start *start);
void ck_seal_writer_destroy(struct ck_seal_writer *writer); /* wipes; NULL is taken */

/* The beginning of the file, exactly once and first: CK_SEAL_BEGIN_MAX bytes are enough. */
int ck_seal_writer_begin(struct ck_seal_writer *writer, uint8_t *bytes, size_t capacity,
                         size_t *size);

/* Keeps a mark for the next chunk, and GAP, PAUSE and SIZE for the trailer too. */
void ck_seal_writer_mark(struct ck_seal_writer *writer, const struct ck_seal_mark *mark);

/* Whether there are marks that wait for a chunk. */
bool ck_seal_writer_has_marks(const struct ck_seal_writer *writer);

/* Seals one chunk in place: `chunk` holds a cluster of `media_size` bytes (0: marks alone, `span`
 * all zero but key_ms) from CK_SEAL_CHUNK_HEAD on and has CK_SEAL_CHUNK_TAIL bytes free behind it.
 * *size says how many bytes to write. CK_E_LIMIT: too large, or CK_SEAL_CHUNKS_MAX reached;
 * -ENOMEM. */
int ck_seal_writer_chunk(struct ck_seal_writer *writer, const struct ck_seal_span *span,
                         uint8_t *chunk, size_t media_size, size_t *size);

/* Seals the trailer into new memory, to be freed by the caller. Last: only head() follows. */
int ck_seal_writer_trailer(struct ck_seal_writer *writer, uint8_t **bytes, size_t *size);

/* Everything sealed until now. */
struct ck_seal_head ck_seal_writer_head(const struct ck_seal_writer *writer);

/* End of the time line until now, and its marked gaps and pauses. */
int64_t ck_seal_writer_duration_ms(const struct ck_seal_writer *writer);
void ck_seal_writer_gaps(const struct ck_seal_writer *writer, uint32_t *count, int64_t *sum_ms);

#endif
