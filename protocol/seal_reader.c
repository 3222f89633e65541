#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/seal_impl.h"

#define NO_ENTRY SIZE_MAX

struct ck_seal {
    struct ck_seal_source source;
    struct seal_keys keys;
    struct seal_index index;
    struct ck_seal_info info;
    uint8_t context[CK_SEAL_CONTEXT_MAX];
    uint8_t *cues;
    size_t cues_size;
    struct seal_buffer buffer; /* the chunk that was opened last, */
    size_t opened;             /* and which entry it is */
};

/* Reads the chunk at `offset` and opens it. Its plaintext then begins CK_SEAL_CHUNK_HEAD bytes into
 * the buffer. */
static int read_chunk(struct ck_seal *seal, uint64_t offset, struct seal_chunk *chunk)
{
    seal->opened = NO_ENTRY;
    int r = seal_read_chunk_head(&seal->source, offset, chunk);
    if (r == 0 && chunk->recording != seal->info.recording) {
        r = CK_E_AUTH;
    }
    if (r == 0) {
        r = seal_buffer_reserve(&seal->buffer, seal_chunk_size(chunk));
    }
    if (r == 0) {
        r = seal_read(&seal->source, offset, seal->buffer.bytes, seal_chunk_size(chunk));
    }
    /* What is opened is what was just read, not what the header said a moment ago. */
    if (r == 0) {
        size_t size = seal_chunk_size(chunk);
        r = seal_get_chunk(seal->buffer.bytes, chunk);
        if (r == 0 && seal_chunk_size(chunk) != size) {
            r = CK_E_AUTH;
        }
    }
    return r == 0 ? seal_open(&seal->keys, chunk, seal->buffer.bytes) : r;
}

static int read_trailer(struct ck_seal *seal)
{
    uint64_t at;
    struct seal_chunk chunk;
    int r = seal_find_trailer(&seal->source, &at);
    if (r == CK_E_NOT_FOUND) {
        return CK_E_TRUNCATED;
    }
    if (r == 0) {
        r = read_chunk(seal, at, &chunk);
    }
    if (r == 0 && chunk.type != SEAL_TRAILER) {
        r = CK_E_AUTH;
    }
    if (r != 0) {
        return r;
    }
    const uint8_t *plain = seal->buffer.bytes + CK_SEAL_CHUNK_HEAD;
    r = seal_index_decode(plain + chunk.media_size, chunk.notes_size, &seal->index);
    if (r != 0) {
        return r;
    }
    seal->cues = malloc((size_t)chunk.media_size + 1);
    if (seal->cues == NULL) {
        return -ENOMEM;
    }
    memcpy(seal->cues, plain, chunk.media_size);
    seal->cues_size = chunk.media_size;
    seal->info.recovered = (chunk.flags & SEAL_FLAG_RECOVERED) != 0;
    seal->info.chunks = chunk.index + 1;
    return 0;
}

static void fill_info(struct ck_seal *seal)
{
    struct ck_seal_info *info = &seal->info;
    info->plain_size = seal->index.header_size + seal->index.media_size + seal->cues_size;
    info->duration_ms = seal->index.duration_ms;
    info->has_audio = seal->index.has_audio;
    info->has_video = seal->index.has_video;
    info->width = seal->index.width;
    info->height = seal->index.height;
    info->context = seal->context;
}

int ck_seal_open(struct ck_seal **seal, const struct ck_seal_source *source,
                 const uint8_t key[static CK_KEY_SIZE], uint64_t recording)
{
    ck_cleanup(ck_seal_closep) struct ck_seal *s = calloc(1, sizeof *s);
    struct seal_file file;
    uint8_t hash[CK_SHA256_SIZE];
    if (s == NULL) {
        return -ENOMEM;
    }
    s->source = *source;
    s->opened = NO_ENTRY;
    seal_keys_init(&s->keys, key);
    int r = seal_read_file(source, &file, s->context, hash);
    if (r != 0) {
        return r;
    }
    if (file.recording != recording) {
        return CK_E_NOT_FOUND;
    }
    s->info.recording = recording;
    s->info.start = file.start;
    s->info.context_size = file.context_size;
    r = read_trailer(s);
    if (r != 0) {
        return r;
    }
    fill_info(s);
    *seal = ck_take(s);
    return 0;
}

void ck_seal_close(struct ck_seal *seal)
{
    if (seal != NULL) {
        seal_keys_deinit(&seal->keys);
        seal_index_deinit(&seal->index);
        seal_buffer_deinit(&seal->buffer);
        free(seal->cues);
        free(seal);
    }
}

void ck_seal_closep(struct ck_seal **seal)
{
    ck_seal_close(*seal);
}

const struct ck_seal_info *ck_seal_info(const struct ck_seal *seal)
{
    return &seal->info;
}

const struct ck_seal_mark *ck_seal_marks(const struct ck_seal *seal, size_t *count)
{
    *count = seal->index.mark_count;
    return seal->index.marks;
}

/* Leaves the entry's media at the front of the buffer's plaintext. */
static int open_entry(struct ck_seal *seal, size_t n)
{
    const struct seal_entry *entry = &seal->index.entries[n];
    struct seal_chunk chunk;
    if (seal->opened == n) {
        return 0;
    }
    int r = read_chunk(seal, entry->offset, &chunk);
    if (r == CK_E_SYNTAX || r == CK_E_TRUNCATED) {
        return CK_E_AUTH; /* the trailer says that a chunk is there */
    }
    if (r == 0 && (chunk.type != SEAL_MEDIA || chunk.index != entry->index ||
                   chunk.media_size != entry->media_size)) {
        r = CK_E_AUTH;
    }
    if (r == 0) {
        seal->opened = n;
    }
    return r;
}

/* The last entry that begins at or before a plain offset; entries without media are stepped over,
 * as their beginning is that of the next. */
static size_t entry_at(const struct seal_index *index, uint64_t offset)
{
    size_t low = 0;
    size_t high = index->count;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (index->entries[middle].plain <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* A piece of [at, at + size) that lies in one part of the file: final header, a cluster, or the
 * cues. */
static int read_piece(struct ck_seal *seal, uint64_t at, uint8_t *to, size_t size, size_t *got,
                      uint64_t *bad)
{
    const struct seal_index *index = &seal->index;
    const uint8_t *part = index->header;
    uint64_t part_at = 0;
    size_t part_size = index->header_size;
    if (at >= index->header_size + index->media_size) {
        part = seal->cues;
        part_at = index->header_size + index->media_size;
        part_size = seal->cues_size;
    } else if (at >= index->header_size) {
        size_t n = entry_at(index, at);
        int r = open_entry(seal, n);
        if (r != 0) {
            if (bad != NULL) {
                *bad = index->entries[n].index;
            }
            return r;
        }
        part = seal->buffer.bytes + CK_SEAL_CHUNK_HEAD;
        part_at = index->entries[n].plain;
        part_size = index->entries[n].media_size;
    }
    size_t skip = (size_t)(at - part_at);
    *got = part_size - skip < size ? part_size - skip : size;
    memcpy(to, part + skip, *got);
    return 0;
}

int ck_seal_read(struct ck_seal *seal, uint64_t offset, void *to, size_t size, size_t *got,
                 uint64_t *bad)
{
    uint8_t *out = to;
    size_t done = 0;
    if (offset >= seal->info.plain_size) {
        size = 0;
    } else if (seal->info.plain_size - offset < size) {
        size = (size_t)(seal->info.plain_size - offset);
    }
    while (done < size) {
        size_t piece;
        int r = read_piece(seal, offset + done, out + done, size - done, &piece, bad);
        if (r != 0) {
            return r;
        }
        done += piece;
    }
    *got = done;
    return 0;
}

int ck_seal_key_frame(struct ck_seal *seal, int64_t at_ms, void *to, size_t capacity, size_t *size,
                      int64_t *frame_ms)
{
    const struct seal_index *index = &seal->index;
    size_t best = NO_ENTRY;
    uint64_t best_distance = UINT64_MAX;
    for (size_t i = 0; i < index->count; i++) {
        int64_t key_ms = index->entries[i].span.key_ms;
        uint64_t distance = key_ms < at_ms ? (uint64_t)at_ms - (uint64_t)key_ms
                                           : (uint64_t)key_ms - (uint64_t)at_ms;
        if (key_ms >= 0 && distance < best_distance) {
            best = i;
            best_distance = distance;
        }
    }
    if (best == NO_ENTRY) {
        return CK_E_NOT_FOUND;
    }
    int r = open_entry(seal, best);
    struct ck_webm_frame frame;
    if (r == 0) {
        r = ck_webm_block(seal->buffer.bytes + CK_SEAL_CHUNK_HEAD, index->entries[best].media_size,
                          index->entries[best].span.key_at, &frame);
    }
    if (r == 0 && frame.track != CK_WEBM_VIDEO) {
        r = CK_E_SYNTAX;
    }
    if (r == 0 && frame.size > capacity) {
        r = CK_E_LIMIT;
    }
    if (r == 0) {
        memcpy(to, frame.data, frame.size);
        *size = frame.size;
        *frame_ms = frame.time_ms;
    }
    return r;
}
