#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"
#include "protocol/seal_impl.h"

/* As in PNG: the high bit and the line ends show a file that was sent as text. */
static const uint8_t file_magic[8] = {0x89, 'C', 'K', 'R', 'E', 'C', '\r', '\n'};
static const uint8_t chunk_magic[4] = {'C', 'K', 'c', 'h'};
static const uint8_t footer_magic[8] = {'C', 'K', 'R', 'E', 'C', 'E', 'N', 'D'};

#define CHUNK_KEY_INFO "checkind recording chunks v1"

void seal_put_file(const struct seal_file *file, uint8_t out[static SEAL_FILE_HEAD])
{
    memcpy(out, file_magic, sizeof file_magic);
    ck_put_u16(out + 8, SEAL_VERSION);
    ck_put_u16(out + 10, (uint16_t)file->context_size);
    ck_put_u32(out + 12, 0);
    ck_put_u64(out + 16, file->recording);
    ck_put_u64(out + 24, (uint64_t)file->start.ms);
}

int seal_get_file(const uint8_t in[static SEAL_FILE_HEAD], struct seal_file *file)
{
    if (memcmp(in, file_magic, sizeof file_magic) != 0 || ck_get_u16(in + 8) != SEAL_VERSION ||
        ck_get_u16(in + 10) > CK_SEAL_CONTEXT_MAX || ck_get_u32(in + 12) != 0) {
        return CK_E_SYNTAX;
    }
    file->context_size = ck_get_u16(in + 10);
    file->recording = ck_get_u64(in + 16);
    file->start.ms = (int64_t)ck_get_u64(in + 24);
    return 0;
}

void seal_put_chunk(const struct seal_chunk *chunk, uint8_t out[static CK_SEAL_CHUNK_HEAD])
{
    memcpy(out, chunk_magic, sizeof chunk_magic);
    out[4] = chunk->type;
    out[5] = chunk->flags;
    ck_put_u16(out + 6, 0);
    ck_put_u64(out + 8, chunk->index);
    ck_put_u64(out + 16, chunk->recording);
    ck_put_u32(out + 24, chunk->media_size);
    ck_put_u32(out + 28, chunk->notes_size);
    memcpy(out + 32, chunk->salt, sizeof chunk->salt);
    memcpy(out + 48, chunk->previous, sizeof chunk->previous);
}

int seal_get_chunk(const uint8_t in[static CK_SEAL_CHUNK_HEAD], struct seal_chunk *chunk)
{
    uint8_t type = in[4];
    uint32_t media_size = ck_get_u32(in + 24);
    uint32_t notes_size = ck_get_u32(in + 28);
    uint32_t limit = type == SEAL_TRAILER ? CK_SEAL_TRAILER_MAX : CK_SEAL_CHUNK_MAX;
    if (memcmp(in, chunk_magic, sizeof chunk_magic) != 0 || type < SEAL_HEADER ||
        type > SEAL_TRAILER || ck_get_u16(in + 6) != 0 || media_size > limit ||
        notes_size > limit - media_size || ck_get_u64(in + 8) >= CK_SEAL_CHUNKS_MAX * UINT64_C(2)) {
        return CK_E_SYNTAX;
    }
    chunk->type = type;
    chunk->flags = in[5];
    chunk->index = ck_get_u64(in + 8);
    chunk->recording = ck_get_u64(in + 16);
    chunk->media_size = media_size;
    chunk->notes_size = notes_size;
    memcpy(chunk->salt, in + 32, sizeof chunk->salt);
    memcpy(chunk->previous, in + 48, sizeof chunk->previous);
    return 0;
}

void seal_put_footer(uint64_t trailer_at, uint8_t out[static SEAL_FOOTER])
{
    ck_put_u64(out, trailer_at);
    memcpy(out + 8, footer_magic, sizeof footer_magic);
}

int seal_get_footer(const uint8_t in[static SEAL_FOOTER], uint64_t *trailer_at)
{
    if (memcmp(in + 8, footer_magic, sizeof footer_magic) != 0) {
        return CK_E_SYNTAX;
    }
    *trailer_at = ck_get_u64(in);
    return 0;
}

void seal_put_mark(struct ck_writer *w, const struct ck_seal_mark *mark)
{
    ck_write_u8(w, mark->kind);
    ck_write_u8(w, mark->source);
    ck_write_u16(w, mark->code);
    ck_write_u64(w, (uint64_t)mark->from_ms);
    ck_write_u64(w, (uint64_t)mark->until_ms);
    uint8_t *rest = ck_write_room(w, 16);
    if (rest == NULL) {
        return;
    }
    memset(rest, 0, 16);
    switch (mark->kind) {
    case CK_SEAL_MARK_GAP:
    case CK_SEAL_MARK_PAUSE:
        ck_put_u32(rest, mark->gap.packets);
        break;
    case CK_SEAL_MARK_SIZE:
        ck_put_u16(rest, mark->size.width);
        ck_put_u16(rest + 2, mark->size.height);
        break;
    default:
        ck_put_u32(rest, mark->report.ssrc);
        ck_put_u32(rest + 4, mark->report.rtp);
        ck_put_u64(rest + 8, mark->report.ntp);
        break;
    }
}

int seal_get_mark(struct ck_reader *r, struct ck_seal_mark *mark)
{
    struct ck_seal_mark got = {.kind = ck_read_u8(r), .source = ck_read_u8(r)};
    got.code = ck_read_u16(r);
    got.from_ms = (int64_t)ck_read_u64(r);
    got.until_ms = (int64_t)ck_read_u64(r);
    const uint8_t *rest = ck_read_bytes(r, 16);
    if (rest == NULL || got.kind < CK_SEAL_MARK_GAP || got.kind > CK_SEAL_MARK_REPORT ||
        got.source > CK_SEAL_BOTH) {
        return CK_E_SYNTAX;
    }
    switch (got.kind) {
    case CK_SEAL_MARK_GAP:
    case CK_SEAL_MARK_PAUSE:
        got.gap.packets = ck_get_u32(rest);
        break;
    case CK_SEAL_MARK_SIZE:
        got.size.width = ck_get_u16(rest);
        got.size.height = ck_get_u16(rest + 2);
        break;
    default:
        got.report.ssrc = ck_get_u32(rest);
        got.report.rtp = ck_get_u32(rest + 4);
        got.report.ntp = ck_get_u64(rest + 8);
        break;
    }
    *mark = got;
    return 0;
}

#define SPAN_AUDIO 1
#define SPAN_VIDEO 2

void seal_put_span(struct ck_writer *w, const struct ck_seal_span *span)
{
    ck_write_u32(w, (span->has_audio ? SPAN_AUDIO : 0) | (span->has_video ? SPAN_VIDEO : 0));
    ck_write_u16(w, span->width);
    ck_write_u16(w, span->height);
    ck_write_u32(w, span->key_at);
    ck_write_u64(w, (uint64_t)span->start_ms);
    ck_write_u64(w, (uint64_t)span->end_ms);
    ck_write_u64(w, (uint64_t)span->key_ms);
}

void seal_get_span(struct ck_reader *r, struct ck_seal_span *span)
{
    uint32_t flags = ck_read_u32(r);
    span->has_audio = (flags & SPAN_AUDIO) != 0;
    span->has_video = (flags & SPAN_VIDEO) != 0;
    span->width = ck_read_u16(r);
    span->height = ck_read_u16(r);
    span->key_at = ck_read_u32(r);
    span->start_ms = (int64_t)ck_read_u64(r);
    span->end_ms = (int64_t)ck_read_u64(r);
    span->key_ms = (int64_t)ck_read_u64(r);
}

void seal_keys_init(struct seal_keys *keys, const uint8_t key[static CK_KEY_SIZE])
{
    memset(keys, 0, sizeof *keys);
    memcpy(keys->key, key, CK_KEY_SIZE);
}

void seal_keys_deinit(struct seal_keys *keys)
{
    ck_wipe(keys, sizeof *keys);
}

static int derive(struct seal_keys *keys, const uint8_t salt[static CK_SEAL_SALT_SIZE])
{
    if (keys->derived && memcmp(keys->salt, salt, CK_SEAL_SALT_SIZE) == 0) {
        return 0;
    }
    uint8_t chunk_key[CK_KEY_SIZE];
    int r = ck_hkdf(keys->key, CK_KEY_SIZE, salt, CK_SEAL_SALT_SIZE, CHUNK_KEY_INFO, chunk_key,
                    sizeof chunk_key);
    if (r == 0) {
        memcpy(keys->chunk_key, chunk_key, sizeof chunk_key);
        memcpy(keys->salt, salt, CK_SEAL_SALT_SIZE);
        keys->derived = true;
    }
    ck_wipe(chunk_key, sizeof chunk_key);
    return r;
}

static void nonce_of(uint64_t index, uint8_t nonce[static CK_GCM_NONCE_SIZE])
{
    memset(nonce, 0, CK_GCM_NONCE_SIZE);
    ck_put_u64(nonce + CK_GCM_NONCE_SIZE - 8, index);
}

int seal_seal(struct seal_keys *keys, const struct seal_chunk *chunk, uint8_t *bytes)
{
    int r = derive(keys, chunk->salt);
    if (r != 0) {
        return r;
    }
    uint8_t nonce[CK_GCM_NONCE_SIZE];
    nonce_of(chunk->index, nonce);
    seal_put_chunk(chunk, bytes);
    uint8_t *body = bytes + CK_SEAL_CHUNK_HEAD;
    return ck_gcm_seal(keys->chunk_key, nonce, bytes, CK_SEAL_CHUNK_HEAD, body,
                       seal_plain_size(chunk), body);
}

int seal_open(struct seal_keys *keys, const struct seal_chunk *chunk, uint8_t *bytes)
{
    int r = derive(keys, chunk->salt);
    if (r != 0) {
        return r;
    }
    uint8_t nonce[CK_GCM_NONCE_SIZE];
    nonce_of(chunk->index, nonce);
    uint8_t *body = bytes + CK_SEAL_CHUNK_HEAD;
    return ck_gcm_open(keys->chunk_key, nonce, bytes, CK_SEAL_CHUNK_HEAD, body,
                       seal_plain_size(chunk) + CK_GCM_TAG_SIZE, body);
}

int seal_hash(const void *bytes, size_t size, uint8_t hash[static CK_SHA256_SIZE])
{
    struct ck_slice slice = {bytes, size};
    return ck_sha256(&slice, 1, hash);
}

int seal_read(const struct ck_seal_source *source, uint64_t offset, void *to, size_t size)
{
    if (offset > source->size || source->size - offset < size) {
        return CK_E_TRUNCATED;
    }
    return size == 0 ? 0 : source->read(source->user, offset, to, size);
}

int seal_read_file(const struct ck_seal_source *source, struct seal_file *file,
                   uint8_t context[static CK_SEAL_CONTEXT_MAX], uint8_t hash[static CK_SHA256_SIZE])
{
    uint8_t head[SEAL_FILE_HEAD];
    struct seal_file got;
    int r = seal_read(source, 0, head, sizeof head);
    if (r != 0) {
        return r;
    }
    r = seal_get_file(head, &got);
    if (r == 0) {
        r = seal_read(source, sizeof head, context, got.context_size);
    }
    if (r == 0) {
        struct ck_slice slices[] = {{head, sizeof head}, {context, got.context_size}};
        r = ck_sha256(slices, 2, hash);
    }
    if (r == 0) {
        *file = got;
    }
    return r;
}

int seal_find_trailer(const struct ck_seal_source *source, uint64_t *offset)
{
    uint8_t footer[SEAL_FOOTER];
    if (source->size < SEAL_FILE_HEAD + CK_SEAL_CHUNK_HEAD + CK_GCM_TAG_SIZE + SEAL_FOOTER) {
        return CK_E_NOT_FOUND;
    }
    int r = seal_read(source, source->size - SEAL_FOOTER, footer, sizeof footer);
    if (r != 0) {
        return r;
    }
    uint64_t at;
    struct seal_chunk chunk;
    r = seal_get_footer(footer, &at);
    if (r == 0) {
        r = seal_read_chunk_head(source, at, &chunk);
    }
    if (r > 0) {
        return CK_E_NOT_FOUND;
    }
    if (r == 0) {
        if (chunk.type != SEAL_TRAILER ||
            at + seal_chunk_size(&chunk) + SEAL_FOOTER != source->size) {
            return CK_E_NOT_FOUND;
        }
        *offset = at;
    }
    return r;
}

int seal_read_chunk_head(const struct ck_seal_source *source, uint64_t offset,
                         struct seal_chunk *chunk)
{
    uint8_t head[CK_SEAL_CHUNK_HEAD];
    int r = seal_read(source, offset, head, sizeof head);
    if (r != 0) {
        return r;
    }
    struct seal_chunk got;
    r = seal_get_chunk(head, &got);
    if (r != 0) {
        return r;
    }
    if (source->size - offset < seal_chunk_size(&got)) {
        return CK_E_TRUNCATED;
    }
    *chunk = got;
    return 0;
}

int seal_buffer_reserve(struct seal_buffer *buffer, size_t size)
{
    if (buffer->capacity >= size) {
        return 0;
    }
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return -ENOMEM;
    }
    seal_buffer_deinit(buffer);
    *buffer = (struct seal_buffer){bytes, size};
    return 0;
}

void seal_buffer_deinit(struct seal_buffer *buffer)
{
    if (buffer->bytes != NULL) {
        ck_wipe(buffer->bytes, buffer->capacity);
        free(buffer->bytes);
    }
    *buffer = (struct seal_buffer){NULL, 0};
}
