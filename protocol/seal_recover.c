#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/seal_impl.h"

#define SCAN_WINDOW 65536u
#define SCAN_TRIES_MAX 1024u /* places in damaged bytes that are tried as a chunk, in one file */

struct rescue {
    const struct ck_seal_source *source;
    struct seal_keys keys;
    struct seal_file file;
    struct seal_index index; /* what opened */
    struct seal_buffer buffer;
    uint8_t hash[CK_SHA256_SIZE]; /* end of the chain after the last chunk that opened */
    uint64_t next_index;          /* above every index that was seen */
    uint64_t offset;
    uint64_t opened; /* chunks */
    unsigned tries;
    struct ck_seal_recovery result;
};

/* Whether a whole chunk of this recording that opens begins at `offset`. CK_E_AUTH or CK_E_SYNTAX
 * or CK_E_TRUNCATED where not. The buffer then holds its plaintext, and `hash` the end of its
 * chain. */
static int try_chunk(struct rescue *rescue, uint64_t offset, struct seal_chunk *chunk,
                     uint8_t hash[static CK_SHA256_SIZE])
{
    int r = seal_read_chunk_head(rescue->source, offset, chunk);
    if (r == 0 &&
        (chunk->recording != rescue->file.recording || chunk->index < rescue->next_index)) {
        r = CK_E_SYNTAX;
    }
    if (r == 0) {
        r = seal_buffer_reserve(&rescue->buffer, seal_chunk_size(chunk));
    }
    if (r == 0) {
        r = seal_read(rescue->source, offset, rescue->buffer.bytes, seal_chunk_size(chunk));
    }
    if (r == 0) {
        r = seal_hash(rescue->buffer.bytes, seal_chunk_size(chunk), hash);
    }
    return r == 0 ? seal_open(&rescue->keys, chunk, rescue->buffer.bytes) : r;
}

static int keep_chunk(struct rescue *rescue, const struct seal_chunk *chunk,
                      const uint8_t hash[static CK_SHA256_SIZE])
{
    const uint8_t *plain = rescue->buffer.bytes + CK_SEAL_CHUNK_HEAD;
    rescue->opened++;
    if (chunk->type == SEAL_HEADER) {
        rescue->index.header_size = chunk->media_size;
    } else {
        struct seal_entry entry = {
            .offset = rescue->offset,
            .index = (uint32_t)chunk->index,
            .media_size = chunk->media_size,
            .notes_size = chunk->notes_size,
        };
        int r = seal_get_notes(plain + chunk->media_size, chunk->notes_size, &entry.span,
                               &rescue->index);
        if (r == 0) {
            r = seal_index_add(&rescue->index, &entry);
        }
        if (r != 0) {
            return r;
        }
    }
    memcpy(rescue->hash, hash, CK_SHA256_SIZE);
    rescue->next_index = chunk->index + 1;
    return 0;
}

/* The next place behind `offset` where a chunk of this recording may begin: its magic and its
 * recording's id stand there. source->size where there is none. */
static int scan(struct rescue *rescue, uint64_t offset, uint64_t *at)
{
    uint8_t window[SCAN_WINDOW];
    uint64_t end = rescue->source->size;
    while (end - offset > CK_SEAL_CHUNK_HEAD) {
        size_t size = end - offset < sizeof window ? (size_t)(end - offset) : sizeof window;
        int r = seal_read(rescue->source, offset, window, size);
        if (r != 0) {
            return r;
        }
        for (size_t i = 0; i + CK_SEAL_CHUNK_HEAD <= size; i++) {
            struct seal_chunk chunk;
            if (window[i] == 'C' && seal_get_chunk(window + i, &chunk) == 0 &&
                chunk.recording == rescue->file.recording) {
                *at = offset + i;
                return 0;
            }
        }
        offset += size - CK_SEAL_CHUNK_HEAD + 1;
    }
    *at = end;
    return 0;
}

/* Steps over bytes that are no good chunk, to the next one that is or to the end of the file. */
static int step_over_damage(struct rescue *rescue)
{
    uint64_t at = rescue->offset;
    uint64_t from = rescue->offset;
    for (;;) {
        struct seal_chunk chunk;
        uint8_t hash[CK_SHA256_SIZE];
        int r = scan(rescue, at + 1, &at);
        if (r != 0) {
            return r;
        }
        if (at >= rescue->source->size || ++rescue->tries > SCAN_TRIES_MAX) {
            at = rescue->source->size;
            break;
        }
        r = try_chunk(rescue, at, &chunk, hash);
        if (r < 0) {
            return r;
        }
        if (r == 0 && chunk.type != SEAL_TRAILER) {
            rescue->result.damaged++;
            break;
        }
    }
    rescue->result.lost_bytes += at - from;
    rescue->offset = at;
    return 0;
}

static int open_all(struct rescue *rescue)
{
    while (rescue->offset < rescue->source->size) {
        struct seal_chunk chunk;
        uint8_t hash[CK_SHA256_SIZE];
        int r = try_chunk(rescue, rescue->offset, &chunk, hash);
        if (r == 0 && chunk.type == SEAL_TRAILER) {
            r = CK_E_TRUNCATED; /* a torn recovery: its bytes are stepped over as well */
        }
        if (r > 0) {
            r = step_over_damage(rescue);
        } else if (r == 0) {
            r = keep_chunk(rescue, &chunk, hash);
            rescue->offset += seal_chunk_size(&chunk);
        }
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

/* A trailer that opens: nothing is to be done. */
static int check_whole(struct rescue *rescue, bool *whole)
{
    uint64_t at;
    struct seal_chunk chunk;
    struct seal_index index = {0};
    uint8_t hash[CK_SHA256_SIZE];
    *whole = false;
    int r = seal_find_trailer(rescue->source, &at);
    if (r == 0) {
        r = try_chunk(rescue, at, &chunk, hash);
    }
    if (r != 0) {
        return r < 0 ? r : 0;
    }
    r = seal_index_decode(rescue->buffer.bytes + CK_SEAL_CHUNK_HEAD + chunk.media_size,
                          chunk.notes_size, &index);
    if (r == 0) {
        *whole = true;
        rescue->result.was_whole = true;
        rescue->result.duration_ms = index.duration_ms;
        rescue->result.head.chunks = chunk.index + 1;
        rescue->result.head.bytes = rescue->source->size;
        memcpy(rescue->result.head.hash, hash, sizeof hash);
    }
    seal_index_deinit(&index);
    return r < 0 ? r : 0;
}

static int complete(struct rescue *rescue, const uint8_t salt[static CK_SEAL_SALT_SIZE],
                    int (*append)(void *user, const void *bytes, size_t size), void *user)
{
    ck_cleanup(ck_freep) uint8_t *bytes = NULL;
    size_t size;
    struct seal_chunk chunk = {
        .flags = SEAL_FLAG_RECOVERED,
        .index = rescue->next_index,
        .recording = rescue->file.recording,
    };
    memcpy(chunk.salt, salt, sizeof chunk.salt);
    memcpy(chunk.previous, rescue->hash, sizeof chunk.previous);
    int r = seal_trailer(&rescue->keys, &chunk, &rescue->index, rescue->file.start,
                         rescue->source->size, &rescue->result.head, &bytes, &size);
    rescue->result.duration_ms = rescue->index.duration_ms;
    return r == 0 ? append(user, bytes, size) : r;
}

static int rescue_all(struct rescue *rescue, uint64_t recording, bool *whole)
{
    uint8_t context[CK_SEAL_CONTEXT_MAX];
    int r = seal_read_file(rescue->source, &rescue->file, context, rescue->hash);
    if (r == CK_E_TRUNCATED) {
        return CK_E_NOT_FOUND;
    }
    if (r != 0) {
        return r;
    }
    if (rescue->file.recording != recording) {
        return CK_E_NOT_FOUND;
    }
    r = check_whole(rescue, whole);
    if (r != 0 || *whole) {
        return r;
    }
    rescue->offset = SEAL_FILE_HEAD + rescue->file.context_size;
    rescue->index.header_size = CK_WEBM_HEADER_SIZE;
    struct seal_chunk first;
    bool had_chunk = seal_read_chunk_head(rescue->source, rescue->offset, &first) == 0;
    r = open_all(rescue);
    if (r == 0 && rescue->opened == 0) {
        r = had_chunk ? CK_E_AUTH : CK_E_NOT_FOUND;
    }
    return r;
}

int ck_seal_recover(const struct ck_seal_source *source, uint64_t recording,
                    const uint8_t key[static CK_KEY_SIZE],
                    const uint8_t salt[static CK_SEAL_SALT_SIZE],
                    int (*append)(void *user, const void *bytes, size_t size), void *user,
                    struct ck_seal_recovery *recovery)
{
    struct rescue rescue = {.source = source};
    bool whole = false;
    seal_keys_init(&rescue.keys, key);
    int r = rescue_all(&rescue, recording, &whole);
    if (r == 0 && !whole) {
        r = complete(&rescue, salt, append, user);
    }
    if (r == 0) {
        *recovery = rescue.result;
    }
    seal_keys_deinit(&rescue.keys);
    seal_index_deinit(&rescue.index);
    seal_buffer_deinit(&rescue.buffer);
    return r;
}
