#include "protocol/seal_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/seal_impl.h"

_Static_assert(CK_SEAL_BEGIN_MAX >= SEAL_FILE_HEAD + CK_SEAL_CONTEXT_MAX + CK_SEAL_CHUNK_HEAD +
                                        CK_WEBM_HEADER_SIZE + CK_GCM_TAG_SIZE,
               "a beginning fits");

struct ck_seal_writer {
    struct seal_keys keys;
    uint64_t recording;
    struct ck_wall start;
    uint8_t salt[CK_SEAL_SALT_SIZE];
    uint8_t context[CK_SEAL_CONTEXT_MAX];
    size_t context_size;
    struct ck_seal_head head;
    struct seal_index index; /* what the trailer will say */
    struct ck_seal_mark pending[CK_SEAL_CHUNK_MARKS_MAX];
    size_t pending_count;
    uint32_t gaps;
    int64_t gap_ms;
};

int ck_seal_writer_create(struct ck_seal_writer **writer, const struct ck_seal_start *start)
{
    if (start->recording == 0) {
        return CK_E_INVALID;
    }
    if (start->context_size > CK_SEAL_CONTEXT_MAX) {
        return CK_E_LIMIT;
    }
    struct ck_seal_writer *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return -ENOMEM;
    }
    seal_keys_init(&w->keys, start->key);
    memcpy(w->salt, start->salt, sizeof w->salt);
    w->recording = start->recording;
    w->start = start->start;
    w->context_size = start->context_size;
    if (start->context_size > 0) {
        memcpy(w->context, start->context, start->context_size);
    }
    w->index.header_size = CK_WEBM_HEADER_SIZE;
    *writer = w;
    return 0;
}

void ck_seal_writer_destroy(struct ck_seal_writer *writer)
{
    if (writer != NULL) {
        seal_keys_deinit(&writer->keys);
        seal_index_deinit(&writer->index);
        free(writer);
    }
}

/* Seals the next chunk of the chain at `bytes`. */
static int seal_next(struct ck_seal_writer *w, enum seal_type type, uint8_t *bytes,
                     size_t media_size, size_t notes_size, size_t *size)
{
    struct seal_chunk chunk = {
        .type = (uint8_t)type,
        .index = w->head.chunks,
        .recording = w->recording,
        .media_size = (uint32_t)media_size,
        .notes_size = (uint32_t)notes_size,
    };
    memcpy(chunk.salt, w->salt, sizeof chunk.salt);
    memcpy(chunk.previous, w->head.hash, sizeof chunk.previous);
    int r = seal_seal(&w->keys, &chunk, bytes);
    uint8_t hash[CK_SHA256_SIZE];
    if (r == 0) {
        r = seal_hash(bytes, seal_chunk_size(&chunk), hash);
    }
    if (r == 0) {
        memcpy(w->head.hash, hash, sizeof hash);
        w->head.chunks++;
        w->head.bytes += seal_chunk_size(&chunk);
        *size = seal_chunk_size(&chunk);
    }
    return r;
}

int ck_seal_writer_begin(struct ck_seal_writer *writer, uint8_t *bytes, size_t capacity,
                         size_t *size)
{
    struct seal_file file = {writer->recording, writer->start, writer->context_size};
    struct ck_webm_header header = {.start = writer->start, .has_audio = true, .has_video = true};
    size_t head = SEAL_FILE_HEAD + writer->context_size;
    if (writer->head.chunks != 0) {
        return CK_E_CONFLICT;
    }
    if (capacity < head + CK_SEAL_CHUNK_HEAD + CK_WEBM_HEADER_SIZE + CK_GCM_TAG_SIZE) {
        return CK_E_LIMIT;
    }
    seal_put_file(&file, bytes);
    memcpy(bytes + SEAL_FILE_HEAD, writer->context, writer->context_size);
    int r = seal_hash(bytes, head, writer->head.hash);
    if (r == 0) {
        r = ck_webm_header(&header, bytes + head + CK_SEAL_CHUNK_HEAD, CK_WEBM_HEADER_SIZE);
    }
    if (r != 0) {
        return r;
    }
    size_t sealed;
    writer->head.bytes = head;
    r = seal_next(writer, SEAL_HEADER, bytes + head, CK_WEBM_HEADER_SIZE, 0, &sealed);
    if (r == 0) {
        *size = head + sealed;
    }
    return r;
}

void ck_seal_writer_mark(struct ck_seal_writer *writer, const struct ck_seal_mark *mark)
{
    /* What a peer may cause at will never crowds out the rest. */
    size_t limit =
        mark->kind > CK_SEAL_MARK_SIZE ? CK_SEAL_CHUNK_MARKS_MAX / 2 : CK_SEAL_CHUNK_MARKS_MAX;
    if (writer->pending_count < limit) {
        writer->pending[writer->pending_count++] = *mark;
    }
    if (mark->kind == CK_SEAL_MARK_GAP || mark->kind == CK_SEAL_MARK_PAUSE) {
        writer->gaps++;
        writer->gap_ms += mark->until_ms - mark->from_ms;
    }
}

bool ck_seal_writer_has_marks(const struct ck_seal_writer *writer)
{
    return writer->pending_count > 0;
}

int ck_seal_writer_chunk(struct ck_seal_writer *writer, const struct ck_seal_span *span,
                         uint8_t *chunk, size_t media_size, size_t *size)
{
    if (media_size > CK_SEAL_CHUNK_MAX - CK_SEAL_NOTES_MAX ||
        writer->head.chunks >= CK_SEAL_CHUNKS_MAX) {
        return CK_E_LIMIT;
    }
    struct ck_writer notes =
        ck_writer_of(chunk + CK_SEAL_CHUNK_HEAD + media_size, CK_SEAL_NOTES_MAX);
    seal_put_span(&notes, span);
    for (size_t i = 0; i < writer->pending_count; i++) {
        seal_put_mark(&notes, &writer->pending[i]);
    }
    struct seal_entry entry = {
        .offset = writer->head.bytes,
        .index = (uint32_t)writer->head.chunks,
        .media_size = (uint32_t)media_size,
        .notes_size = (uint32_t)notes.size,
        .span = *span,
    };
    int r = seal_index_add(&writer->index, &entry);
    for (size_t i = 0; i < writer->pending_count && r == 0; i++) {
        r = seal_index_mark(&writer->index, &writer->pending[i]);
    }
    if (r == 0) {
        r = seal_next(writer, SEAL_MEDIA, chunk, media_size, notes.size, size);
    }
    writer->pending_count = 0;
    return r;
}

int ck_seal_writer_trailer(struct ck_seal_writer *writer, uint8_t **bytes, size_t *size)
{
    struct seal_chunk chunk = {.index = writer->head.chunks, .recording = writer->recording};
    memcpy(chunk.salt, writer->salt, sizeof chunk.salt);
    memcpy(chunk.previous, writer->head.hash, sizeof chunk.previous);
    return seal_trailer(&writer->keys, &chunk, &writer->index, writer->start, writer->head.bytes,
                        &writer->head, bytes, size);
}

struct ck_seal_head ck_seal_writer_head(const struct ck_seal_writer *writer)
{
    return writer->head;
}

int64_t ck_seal_writer_duration_ms(const struct ck_seal_writer *writer)
{
    return writer->index.duration_ms;
}

void ck_seal_writer_gaps(const struct ck_seal_writer *writer, uint32_t *count, int64_t *sum_ms)
{
    *count = writer->gaps;
    *sum_ms = writer->gap_ms;
}
