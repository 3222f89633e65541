#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/bytes.h"
#include "protocol/webm.h"
#include "tests/unit/seal/sealed_file.h"

const uint8_t test_key[CK_KEY_SIZE] = "an example key of 32 bytes.....";
static const uint8_t salt[CK_SEAL_SALT_SIZE] = "a salt, 16 bytes";

void sealed_file_append(struct sealed_file *file, const void *bytes, size_t size)
{
    if (file->size + size > file->capacity) {
        file->capacity = (file->size + size) * 2;
        file->bytes = realloc(file->bytes, file->capacity);
        assert_non_null(file->bytes);
    }
    memcpy(file->bytes + file->size, bytes, size);
    file->size += size;
}

static int read_memory(void *user, uint64_t offset, void *to, size_t size)
{
    struct sealed_file *file = user;
    assert_true(offset + size <= file->size);
    memcpy(to, file->bytes + offset, size);
    file->reads++;
    file->read_bytes += size;
    return 0;
}

struct ck_seal_source sealed_file_source(struct sealed_file *file)
{
    return (struct ck_seal_source){.read = read_memory, .user = file, .size = file->size};
}

int sealed_file_on_append(void *user, const void *bytes, size_t size)
{
    struct sealed_file *file = user;
    sealed_file_append(file, bytes, file->fail_append != 0 ? size / 2 : size);
    return file->fail_append;
}

/* Two audio frames and a video frame in each, the video frame of every third a key frame. */
static void append_chunk(struct sealed_file *file, struct ck_seal_writer *writer, unsigned n)
{
    uint8_t frame[900];
    for (size_t i = 0; i < sizeof frame; i++) {
        frame[i] = (uint8_t)(i * 7 + n);
    }
    int64_t start = (int64_t)n * TEST_CHUNK_MS;
    bool key = n % TEST_KEY_EVERY == 0;
    struct ck_webm_frame frames[] = {
        {CK_WEBM_AUDIO, true, start, frame, 80 + n},
        {CK_WEBM_VIDEO, key, start + 10, frame, 700 + n},
        {CK_WEBM_AUDIO, true, start + 500, frame, 90},
    };
    struct ck_seal_span span = {
        .has_audio = true,
        .has_video = true,
        .width = key ? 640 : 0,
        .height = key ? 480 : 0,
        .start_ms = start,
        .end_ms = start + 520,
        .key_ms = key ? start + 10 : -1,
    };
    size_t cluster = ck_webm_cluster_size(frames, 3);
    uint8_t *chunk = malloc(CK_SEAL_CHUNK_HEAD + cluster + CK_SEAL_CHUNK_TAIL);
    assert_non_null(chunk);
    size_t size;
    assert_int_equal(
        ck_webm_cluster(frames, 3, 1, chunk + CK_SEAL_CHUNK_HEAD, cluster, &size, &span.key_at), 0);
    assert_int_equal(size, cluster);
    file->plain = realloc(file->plain, file->plain_size + size);
    assert_non_null(file->plain);
    memcpy(file->plain + file->plain_size, chunk + CK_SEAL_CHUNK_HEAD, size);
    file->plain_size += size;
    file->at[n + 1] = file->size;
    assert_int_equal(ck_seal_writer_chunk(writer, &span, chunk, size, &size), 0);
    sealed_file_append(file, chunk, size);
    free(chunk);
    file->heads[n + 2] = ck_seal_writer_head(writer);
    assert_int_equal(file->heads[n + 2].bytes, file->size);
}

void sealed_file_make(struct sealed_file *file, uint64_t recording, const uint8_t *key,
                      bool trailer)
{
    memset(file, 0, sizeof *file);
    struct ck_seal_start start = {
        .recording = recording,
        .start = {INT64_C(1790000000000)},
        .context = "leg 5",
        .context_size = 5,
    };
    memcpy(start.key, key, CK_KEY_SIZE);
    memcpy(start.salt, salt, sizeof salt);
    struct ck_seal_writer *writer;
    assert_int_equal(ck_seal_writer_create(&writer, &start), 0);
    uint8_t begin[CK_SEAL_BEGIN_MAX];
    size_t size;
    assert_int_equal(ck_seal_writer_begin(writer, begin, sizeof begin, &size), 0);
    sealed_file_append(file, begin, size);
    file->at[0] = 32 + 5;
    file->heads[1] = ck_seal_writer_head(writer);
    for (unsigned n = 0; n < TEST_CHUNKS; n++) {
        if (n == 4) {
            struct ck_seal_mark mark = {.kind = CK_SEAL_MARK_PAUSE,
                                        .source = CK_SEAL_BOTH,
                                        .code = 9,
                                        .from_ms = 3600,
                                        .until_ms = 4000};
            ck_seal_writer_mark(writer, &mark);
        }
        append_chunk(file, writer, n);
    }
    file->at[TEST_CHUNKS + 1] = file->size;
    if (trailer) {
        uint8_t *bytes;
        assert_int_equal(ck_seal_writer_trailer(writer, &bytes, &size), 0);
        sealed_file_append(file, bytes, size);
        free(bytes);
        struct ck_seal_head head = ck_seal_writer_head(writer);
        assert_int_equal(head.bytes, file->size);
        assert_int_equal(head.chunks, TEST_CHUNKS + 2);
        file->at[TEST_CHUNKS + 2] = file->size;
    }
    ck_seal_writer_destroy(writer);
}

void sealed_file_jump(struct sealed_file *file, const uint8_t *key, uint64_t index)
{
    const size_t footer = 16, index_at = 8, salt_at = 32;
    uint8_t *trailer = file->bytes + ck_get_u64(file->bytes + file->size - footer);
    uint8_t *body = trailer + CK_SEAL_CHUNK_HEAD;
    size_t size = ck_get_u32(trailer + 24) + ck_get_u32(trailer + 28);
    uint8_t chunk_key[CK_KEY_SIZE], nonce[CK_GCM_NONCE_SIZE] = {0};
    assert_int_equal(ck_hkdf(key, CK_KEY_SIZE, trailer + salt_at, CK_SEAL_SALT_SIZE,
                             "checkind recording chunks v1", chunk_key, sizeof chunk_key),
                     0);
    memcpy(nonce + 4, trailer + index_at, 8);
    assert_int_equal(ck_gcm_open(chunk_key, nonce, trailer, CK_SEAL_CHUNK_HEAD, body,
                                 size + CK_GCM_TAG_SIZE, body),
                     0);
    ck_put_u64(trailer + index_at, index);
    memcpy(nonce + 4, trailer + index_at, 8);
    assert_int_equal(ck_gcm_seal(chunk_key, nonce, trailer, CK_SEAL_CHUNK_HEAD, body, size, body),
                     0);
}

void sealed_file_free(struct sealed_file *file)
{
    free(file->bytes);
    free(file->plain);
    memset(file, 0, sizeof *file);
}
