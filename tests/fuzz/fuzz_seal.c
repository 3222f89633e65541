/* The reader of sealed recordings: whatever a file holds, also where somebody has its key.
 *
 * The first byte says what the rest is: 0 a file as it is; 1 the notes of a trailer, 2 the notes of
 * a media chunk, 3 a cluster with the place of its key frame, each sealed as recording.md says into
 * a file around it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/bytes.h"
#include "protocol/base/digest.h"
#include "protocol/seal.h"
#include "protocol/webm.h"

#define RECORDING UINT64_C(5)
#define FILE_HEAD 32
#define CHUNK_HEAD 80
#define FOOTER 16
#define SPAN_SIZE 36

static const uint8_t key[CK_KEY_SIZE] = "fuzz";
static const uint8_t salt[CK_SEAL_SALT_SIZE] = "salt";

struct file {
    uint8_t *bytes;
    size_t size;
    uint8_t hash[CK_SHA256_SIZE];
    uint64_t index;
};

static void chain(struct file *file, size_t from)
{
    struct ck_slice slice = {file->bytes + from, file->size - from};
    if (ck_sha256(&slice, 1, file->hash) != 0) {
        abort();
    }
}

static void grow(struct file *file, size_t by)
{
    file->bytes = realloc(file->bytes, file->size + by);
    if (file->bytes == NULL) {
        abort();
    }
    memset(file->bytes + file->size, 0, by);
    file->size += by;
}

static void add_head(struct file *file)
{
    static const uint8_t magic[] = {0x89, 'C', 'K', 'R', 'E', 'C', '\r', '\n', 0, 1};
    grow(file, FILE_HEAD);
    memcpy(file->bytes, magic, sizeof magic);
    ck_put_u64(file->bytes + 16, RECORDING);
    chain(file, 0);
}

static size_t add_chunk(struct file *file, uint8_t type, const uint8_t *media, size_t media_size,
                        const uint8_t *notes, size_t notes_size)
{
    uint8_t chunk_key[CK_KEY_SIZE];
    uint8_t nonce[CK_GCM_NONCE_SIZE] = {0};
    size_t at = file->size;
    grow(file, CHUNK_HEAD + media_size + notes_size + CK_GCM_TAG_SIZE);
    uint8_t *head = file->bytes + at;
    memcpy(head, "CKch", 4);
    head[4] = type;
    ck_put_u64(head + 8, file->index);
    ck_put_u64(head + 16, RECORDING);
    ck_put_u32(head + 24, (uint32_t)media_size);
    ck_put_u32(head + 28, (uint32_t)notes_size);
    memcpy(head + 32, salt, sizeof salt);
    memcpy(head + 48, file->hash, sizeof file->hash);
    if (media_size > 0) {
        memcpy(head + CHUNK_HEAD, media, media_size);
    }
    if (notes_size > 0) {
        memcpy(head + CHUNK_HEAD + media_size, notes, notes_size);
    }
    ck_put_u64(nonce + 4, file->index++);
    if (ck_hkdf(key, sizeof key, salt, sizeof salt, "checkind recording chunks v1", chunk_key,
                sizeof chunk_key) != 0 ||
        ck_gcm_seal(chunk_key, nonce, head, CHUNK_HEAD, head + CHUNK_HEAD, media_size + notes_size,
                    head + CHUNK_HEAD) != 0) {
        abort();
    }
    chain(file, at);
    return at;
}

static void add_footer(struct file *file, size_t trailer_at)
{
    grow(file, FOOTER);
    ck_put_u64(file->bytes + file->size - FOOTER, trailer_at);
    memcpy(file->bytes + file->size - 8, "CKRECEND", 8);
}

/* A trailer that lists one media chunk with these notes of a span. */
static void add_trailer(struct file *file, size_t chunk_at, size_t media_size, size_t notes_size,
                        const uint8_t span[static SPAN_SIZE])
{
    uint8_t notes[26 + 56] = {0};
    notes[12] = 1;
    notes[13] = 1;
    ck_put_u32(notes + 18, 1);
    ck_put_u64(notes + 26, chunk_at);
    ck_put_u32(notes + 34, 1);
    ck_put_u32(notes + 38, (uint32_t)media_size);
    ck_put_u32(notes + 42, (uint32_t)notes_size);
    memcpy(notes + 46, span, SPAN_SIZE);
    add_footer(file, add_chunk(file, 3, NULL, 0, notes, sizeof notes));
}

static int read_file(void *user, uint64_t offset, void *to, size_t size)
{
    const struct file *file = user;
    if (offset > file->size || file->size - offset < size) {
        abort(); /* it promised never to ask for that */
    }
    memcpy(to, file->bytes + offset, size);
    return 0;
}

static int append_file(void *user, const void *bytes, size_t size)
{
    struct file *file = user;
    size_t at = file->size;
    grow(file, size);
    memcpy(file->bytes + at, bytes, size);
    return 0;
}

static void read_all(struct ck_seal *seal)
{
    static uint8_t frame[CK_SEAL_KEY_FRAME_MAX];
    uint8_t piece[777];
    size_t got = 1;
    size_t frame_size;
    int64_t frame_ms;
    for (uint64_t offset = 0; got > 0; offset += got) {
        if (ck_seal_read(seal, offset, piece, sizeof piece, &got, NULL) != 0) {
            break;
        }
    }
    (void)ck_seal_key_frame(seal, 1000, frame, sizeof frame, &frame_size, &frame_ms);
}

static void use(struct file *file)
{
    struct ck_seal_source source = {read_file, file, file->size};
    struct ck_seal_report report;
    struct ck_seal_recovery recovery;
    struct ck_seal *seal;
    if (ck_seal_verify(&source, RECORDING, NULL, NULL, 0, &report) < 0 ||
        ck_seal_verify(&source, RECORDING, key, NULL, 0, &report) < 0) {
        abort();
    }
    if (ck_seal_open(&seal, &source, key, RECORDING) == 0) {
        read_all(seal);
        ck_seal_close(seal);
    }
    if (ck_seal_recover(&source, RECORDING, key, salt, append_file, file, &recovery) == 0) {
        source.size = file->size;
        if (ck_seal_open(&seal, &source, key, RECORDING) == 0) {
            read_all(seal);
            ck_seal_close(seal);
        } else if (!recovery.was_whole) {
            abort(); /* what it has just written */
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file file = {0};
    uint8_t span[SPAN_SIZE] = {0};
    if (size == 0 || size > 100000) {
        return 0;
    }
    uint8_t mode = *data++;
    size--;
    if (mode % 4 == 0) {
        append_file(&file, data, size);
    } else {
        add_head(&file);
        add_chunk(&file, 1, data, 0, NULL, 0);
    }
    if (mode % 4 == 1) {
        add_footer(&file, add_chunk(&file, 3, data, size / 4, data, size));
    } else if (mode % 4 == 2) {
        add_chunk(&file, 2, data, size / 2, data, size);
    } else if (mode % 4 == 3 && size >= 4) {
        memcpy(span + 8, data, 4); /* where the key frame begins */
        span[0] = 0;
        span[3] = 3;
        size_t at = add_chunk(&file, 2, data + 4, size - 4, span, sizeof span);
        add_trailer(&file, at, size - 4, sizeof span, span);
    }
    use(&file);
    free(file.bytes);
    return 0;
}
