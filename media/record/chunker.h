/* Frames in, sealed chunks out to a descriptor: one cluster a chunk, the frames in it in the order
 * of time.
 *
 * The writer thread's part of one recording. After any failure of the descriptor the file has
 * ended: nothing more is written, and every call is taken and does nothing. */
#ifndef MEDIA_RECORD_CHUNKER_H
#define MEDIA_RECORD_CHUNKER_H

#include <stdbool.h>

#include "media/record/frames.h"
#include "media/record/recorder.h"
#include "protocol/seal_writer.h"

#define CK_CHUNKER_BYTES_SOFT (1024u * 1024) /* a chunk that is larger ends early */
#define CK_CHUNKER_FRAMES_MAX 1024u          /* and one of more frames */

/* Where a chunk is put together: shared by all recordings of one writer thread. */
struct ck_chunk_room {
    uint8_t *bytes;
    size_t size;
};

struct ck_chunker;

/* The descriptor is the caller's to close. 0, CK_E_INVALID, CK_E_LIMIT, -ENOMEM. */
int ck_chunker_create(struct ck_chunker **chunker, const struct ck_recording_start *start,
                      const struct ck_recorder_io *io, struct ck_chunk_room *room);
void ck_chunker_destroy(struct ck_chunker *chunker); /* NULL is taken */

void ck_chunker_begin(struct ck_chunker *chunker);
void ck_chunker_frame(struct ck_chunker *chunker, const struct ck_frame *frame);
void ck_chunker_mark(struct ck_chunker *chunker, const struct ck_seal_mark *mark);

/* Ends a chunk that is open for too long at `now`. */
void ck_chunker_tick(struct ck_chunker *chunker, struct ck_mono now);

/* How long something written has been waiting for a sync beyond CK_RECORDER_SYNC_MS; below 0: not
 * due. */
int64_t ck_chunker_overdue_us(const struct ck_chunker *chunker, struct ck_mono now);

/* Makes durable what is written. True where that is more than before. */
bool ck_chunker_sync(struct ck_chunker *chunker, struct ck_mono now);

/* Ends the open chunk, if any, and syncs. */
void ck_chunker_flush(struct ck_chunker *chunker, struct ck_mono now);

/* Flushes, writes the trailer and syncs. */
void ck_chunker_finish(struct ck_chunker *chunker, struct ck_mono now);

/* The positive errno that ended the file; 0: none. */
int ck_chunker_error(const struct ck_chunker *chunker);

/* Ends the file for a reason of the caller, such as ENOMEM. */
void ck_chunker_fail(struct ck_chunker *chunker, int error);

/* What is durable: written and synced. */
struct ck_seal_head ck_chunker_head(const struct ck_chunker *chunker);
struct ck_mono ck_chunker_sealed_until(const struct ck_chunker *chunker);
int64_t ck_chunker_duration_ms(const struct ck_chunker *chunker);
void ck_chunker_gaps(const struct ck_chunker *chunker, uint32_t *count, int64_t *sum_ms);

#endif
