#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/array.h"
#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/seal_impl.h"

void seal_index_deinit(struct seal_index *index)
{
    free(index->entries);
    free(index->marks);
    free(index->header);
    memset(index, 0, sizeof *index);
}

int seal_index_add(struct seal_index *index, const struct seal_entry *entry)
{
    if (index->count >= CK_SEAL_CHUNKS_MAX) {
        return CK_E_LIMIT;
    }
    struct seal_entry *entries =
        ck_array_grow(index->entries, &index->capacity, index->count, sizeof *entries);
    if (entries == NULL) {
        return -ENOMEM;
    }
    index->entries = entries;
    const struct ck_seal_span *span = &entry->span;
    struct seal_entry *added = &index->entries[index->count++];
    *added = *entry;
    added->plain = index->header_size + index->media_size;
    index->media_size += entry->media_size;
    index->has_audio |= span->has_audio;
    index->has_video |= span->has_video;
    if ((uint32_t)span->width * span->height > (uint32_t)index->width * index->height) {
        index->width = span->width;
        index->height = span->height;
    }
    if (entry->media_size > 0 && span->end_ms > index->duration_ms) {
        index->duration_ms = span->end_ms;
    }
    return 0;
}

int seal_index_mark(struct seal_index *index, const struct ck_seal_mark *mark)
{
    if (index->mark_count >= CK_SEAL_MARKS_MAX || mark->kind > CK_SEAL_MARK_SIZE) {
        return 0;
    }
    struct ck_seal_mark *marks =
        ck_array_grow(index->marks, &index->mark_capacity, index->mark_count, sizeof *marks);
    if (marks == NULL) {
        return -ENOMEM;
    }
    index->marks = marks;
    index->marks[index->mark_count++] = *mark;
    return 0;
}

int seal_get_notes(const uint8_t *notes, size_t size, struct ck_seal_span *span,
                   struct seal_index *index)
{
    struct ck_reader r = ck_reader_of(notes, size);
    seal_get_span(&r, span);
    if (r.failed) {
        return CK_E_SYNTAX;
    }
    while (ck_reader_left(&r) > 0) {
        struct ck_seal_mark mark;
        if (seal_get_mark(&r, &mark) != 0) {
            return CK_E_SYNTAX;
        }
        int result = index == NULL ? 0 : seal_index_mark(index, &mark);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

/* A file with video is entered at its key frames, one without at the start of any cluster. */
static int cues_of(const struct seal_index *index, struct ck_webm_cue **cues, size_t *count)
{
    ck_cleanup(ck_freep) struct ck_webm_cue *made = calloc(index->count + 1, sizeof *made);
    size_t n = 0;
    if (made == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < index->count; i++) {
        const struct seal_entry *entry = &index->entries[i];
        bool video = index->has_video;
        int64_t at = video ? entry->span.key_ms : entry->span.start_ms;
        if (entry->media_size == 0 || at < 0 || (n > 0 && at <= made[n - 1].time_ms)) {
            continue;
        }
        made[n++] = (struct ck_webm_cue){
            .time_ms = at,
            .track = video ? CK_WEBM_VIDEO : CK_WEBM_AUDIO,
            .cluster_at = entry->plain,
            .block_at = video ? entry->span.key_at : CK_WEBM_CLUSTER_OVERHEAD,
        };
    }
    *cues = ck_take(made);
    *count = n;
    return 0;
}

static void put_entry(struct ck_writer *w, const struct seal_entry *entry)
{
    ck_write_u64(w, entry->offset);
    ck_write_u32(w, entry->index);
    ck_write_u32(w, entry->media_size);
    ck_write_u32(w, entry->notes_size);
    seal_put_span(w, &entry->span);
}

static int put_notes(struct ck_writer *w, const struct seal_index *index, struct ck_wall start,
                     uint32_t cues_size)
{
    uint64_t cues_at = index->header_size + index->media_size;
    struct ck_webm_header header = {
        .start = start,
        .has_audio = index->has_audio,
        .has_video = index->has_video,
        .width = index->width,
        .height = index->height,
        .final = true,
        .duration_ms = index->duration_ms,
        .file_size = cues_at + cues_size,
        .cues_at = cues_size > 0 ? cues_at : 0,
    };
    ck_write_u32(w, index->header_size);
    ck_write_u64(w, (uint64_t)index->duration_ms);
    ck_write_u8(w, index->has_audio);
    ck_write_u8(w, index->has_video);
    ck_write_u16(w, index->width);
    ck_write_u16(w, index->height);
    ck_write_u32(w, (uint32_t)index->count);
    ck_write_u32(w, (uint32_t)index->mark_count);
    uint8_t *room = ck_write_room(w, index->header_size);
    int r = room == NULL ? CK_E_LIMIT : ck_webm_header(&header, room, index->header_size);
    for (size_t i = 0; i < index->count; i++) {
        put_entry(w, &index->entries[i]);
    }
    for (size_t i = 0; i < index->mark_count; i++) {
        seal_put_mark(w, &index->marks[i]);
    }
    return r == 0 && w->failed ? CK_E_LIMIT : r;
}

int seal_index_encode(const struct seal_index *index, struct ck_wall start, uint8_t **bytes,
                      uint32_t *media_size, uint32_t *notes_size)
{
    ck_cleanup(ck_freep) struct ck_webm_cue *cues = NULL;
    size_t count;
    int r = cues_of(index, &cues, &count);
    if (r != 0) {
        return r;
    }
    size_t cues_room = 12 + count * CK_WEBM_CUE_SIZE;
    size_t notes = SEAL_INDEX_HEAD + index->header_size + index->count * SEAL_ENTRY_SIZE +
                   index->mark_count * CK_SEAL_MARK_BYTES;
    ck_cleanup(ck_freep) uint8_t *made =
        malloc(CK_SEAL_CHUNK_HEAD + cues_room + notes + CK_GCM_TAG_SIZE + SEAL_FOOTER);
    if (made == NULL) {
        return -ENOMEM;
    }
    size_t cues_size = 0;
    if (count > 0) {
        r = ck_webm_cues(cues, count, made + CK_SEAL_CHUNK_HEAD, cues_room, &cues_size);
    }
    struct ck_writer w = ck_writer_of(made + CK_SEAL_CHUNK_HEAD + cues_size, notes);
    if (r == 0) {
        r = put_notes(&w, index, start, (uint32_t)cues_size);
    }
    if (r == 0 && cues_size + w.size > CK_SEAL_TRAILER_MAX) {
        r = CK_E_LIMIT;
    }
    if (r == 0) {
        *bytes = ck_take(made);
        *media_size = (uint32_t)cues_size;
        *notes_size = (uint32_t)w.size;
    }
    return r;
}

static int get_entry(struct ck_reader *r, struct seal_index *index)
{
    struct seal_entry entry = {.offset = ck_read_u64(r)};
    entry.index = ck_read_u32(r);
    entry.media_size = ck_read_u32(r);
    entry.notes_size = ck_read_u32(r);
    seal_get_span(r, &entry.span);
    return r->failed || entry.media_size > CK_SEAL_CHUNK_MAX ? CK_E_SYNTAX
                                                             : seal_index_add(index, &entry);
}

int seal_index_decode(const uint8_t *notes, size_t size, struct seal_index *index)
{
    struct ck_reader r = ck_reader_of(notes, size);
    index->header_size = ck_read_u32(&r);
    int64_t duration_ms = (int64_t)ck_read_u64(&r);
    index->has_audio = ck_read_u8(&r) != 0;
    index->has_video = ck_read_u8(&r) != 0;
    index->width = ck_read_u16(&r);
    index->height = ck_read_u16(&r);
    uint32_t entries = ck_read_u32(&r);
    uint32_t marks = ck_read_u32(&r);
    const uint8_t *header = ck_read_bytes(&r, index->header_size);
    if (header == NULL || duration_ms < 0 || marks > CK_SEAL_MARKS_MAX) {
        return CK_E_SYNTAX;
    }
    index->header = malloc(index->header_size + 1);
    if (index->header == NULL) {
        return -ENOMEM;
    }
    memcpy(index->header, header, index->header_size);
    int result = 0;
    for (uint32_t i = 0; i < entries && result == 0; i++) {
        result = get_entry(&r, index);
    }
    for (uint32_t i = 0; i < marks && result == 0; i++) {
        struct ck_seal_mark mark;
        result = seal_get_mark(&r, &mark);
        if (result == 0) {
            result = seal_index_mark(index, &mark);
        }
    }
    if (result == 0 && ck_reader_left(&r) > 0) {
        result = CK_E_SYNTAX;
    }
    index->duration_ms = duration_ms;
    return result;
}

int seal_trailer(struct seal_keys *keys, struct seal_chunk *chunk, const struct seal_index *index,
                 struct ck_wall start, uint64_t offset, struct ck_seal_head *head, uint8_t **bytes,
                 size_t *size)
{
    ck_cleanup(ck_freep) uint8_t *made = NULL;
    struct ck_seal_head after = {.chunks = chunk->index + 1};
    chunk->type = SEAL_TRAILER;
    int r = seal_index_encode(index, start, &made, &chunk->media_size, &chunk->notes_size);
    if (r == 0) {
        r = seal_seal(keys, chunk, made);
    }
    size_t sealed = r == 0 ? seal_chunk_size(chunk) : 0;
    if (r == 0) {
        r = seal_hash(made, sealed, after.hash);
    }
    if (r != 0) {
        return r;
    }
    seal_put_footer(offset, made + sealed);
    after.bytes = offset + sealed + SEAL_FOOTER;
    *head = after;
    *bytes = ck_take(made);
    *size = sealed + SEAL_FOOTER;
    return 0;
}
