/* Inside of seal_*.c: the layouts of recording.md, and the table that writer, recovery and reader
 * share. */
#ifndef PROTOCOL_SEAL_IMPL_H
#define PROTOCOL_SEAL_IMPL_H

#include "protocol/base/bytes.h"
#include "protocol/seal.h"
#include "protocol/seal_writer.h"
#include "protocol/webm.h"

#define SEAL_VERSION 1
#define SEAL_FILE_HEAD 32 /* bytes of the file header in front of the context */
#define SEAL_FOOTER 16
#define SEAL_ENTRY_SIZE 56
#define SEAL_INDEX_HEAD 26 /* bytes of a trailer's notes in front of the final header */

enum seal_type { SEAL_HEADER = 1, SEAL_MEDIA = 2, SEAL_TRAILER = 3 };

#define SEAL_FLAG_RECOVERED 1

struct seal_file {
    uint64_t recording;
    struct ck_wall start;
    size_t context_size;
};

struct seal_chunk {
    uint8_t type;
    uint8_t flags;
    uint64_t index;
    uint64_t recording;
    uint32_t media_size;
    uint32_t notes_size;
    uint8_t salt[CK_SEAL_SALT_SIZE];
    uint8_t previous[CK_SHA256_SIZE];
};

/* Bytes of a chunk's plaintext, and of the whole chunk in the file. */
static inline size_t seal_plain_size(const struct seal_chunk *chunk)
{
    return (size_t)chunk->media_size + chunk->notes_size;
}

static inline size_t seal_chunk_size(const struct seal_chunk *chunk)
{
    return CK_SEAL_CHUNK_HEAD + seal_plain_size(chunk) + CK_GCM_TAG_SIZE;
}

void seal_put_file(const struct seal_file *file, uint8_t out[static SEAL_FILE_HEAD]);
int seal_get_file(const uint8_t in[static SEAL_FILE_HEAD], struct seal_file *file);
void seal_put_chunk(const struct seal_chunk *chunk, uint8_t out[static CK_SEAL_CHUNK_HEAD]);
/* CK_E_SYNTAX where it is none, or one beyond the limits. */
int seal_get_chunk(const uint8_t in[static CK_SEAL_CHUNK_HEAD], struct seal_chunk *chunk);
void seal_put_footer(uint64_t trailer_at, uint8_t out[static SEAL_FOOTER]);
int seal_get_footer(const uint8_t in[static SEAL_FOOTER], uint64_t *trailer_at);
void seal_put_mark(struct ck_writer *w, const struct ck_seal_mark *mark);
int seal_get_mark(struct ck_reader *r, struct ck_seal_mark *mark);
void seal_put_span(struct ck_writer *w, const struct ck_seal_span *span);
void seal_get_span(struct ck_reader *r, struct ck_seal_span *span);

/* The key that the chunks of one salt lie under. The last one derived is kept: nearly every chunk
 * of a file has the same. */
struct seal_keys {
    uint8_t key[CK_KEY_SIZE];
    bool derived;
    uint8_t salt[CK_SEAL_SALT_SIZE];
    uint8_t chunk_key[CK_KEY_SIZE];
};

void seal_keys_init(struct seal_keys *keys, const uint8_t key[static CK_KEY_SIZE]);
void seal_keys_deinit(struct seal_keys *keys);

/* Seals and opens in place: header, plain or cipher text, tag. seal_seal() writes the header too.
 */
int seal_seal(struct seal_keys *keys, const struct seal_chunk *chunk, uint8_t *bytes);
int seal_open(struct seal_keys *keys, const struct seal_chunk *chunk, uint8_t *bytes);

/* End of the chain after a chunk's bytes, header to tag. */
int seal_hash(const void *bytes, size_t size, uint8_t hash[static CK_SHA256_SIZE]);

/* One media chunk in the table of a trailer. */
struct seal_entry {
    uint64_t offset; /* in the sealed file */
    uint64_t plain;  /* where its media begins in the plain file; not stored */
    uint32_t index;
    uint32_t media_size;
    uint32_t notes_size;
    struct ck_seal_span span;
};

struct seal_index {
    struct seal_entry *entries;
    size_t count;
    size_t capacity;
    struct ck_seal_mark *marks;
    size_t mark_count;
    size_t mark_capacity;
    bool has_audio;
    bool has_video;
    uint16_t width;
    uint16_t height;
    int64_t duration_ms;
    uint32_t header_size;
    uint64_t media_size; /* of all entries */
    uint8_t *header;     /* read from a trailer: the final header */
};

void seal_index_deinit(struct seal_index *index);
int seal_index_add(struct seal_index *index, const struct seal_entry *entry);
/* Beyond CK_SEAL_MARKS_MAX, and kinds that a trailer does not keep, are left out. */
int seal_index_mark(struct seal_index *index, const struct ck_seal_mark *mark);
/* Reads a media chunk's notes: its span, and marks into `index` (NULL: checked and left out). */
int seal_get_notes(const uint8_t *notes, size_t size, struct ck_seal_span *span,
                   struct seal_index *index);
/* Plaintext of a trailer into new memory with CK_SEAL_CHUNK_HEAD free in front and tag and footer
 * behind. */
int seal_index_encode(const struct seal_index *index, struct ck_wall start, uint8_t **bytes,
                      uint32_t *media_size, uint32_t *notes_size);
/* Reads a trailer's notes; `index` is empty before. */
int seal_index_decode(const uint8_t *notes, size_t size, struct seal_index *index);
/* Builds, seals and closes a trailer: `chunk` says recording, index, salt, flags and previous. */
int seal_trailer(struct seal_keys *keys, struct seal_chunk *chunk, const struct seal_index *index,
                 struct ck_wall start, uint64_t offset, struct ck_seal_head *head, uint8_t **bytes,
                 size_t *size);

/* Reading a file. */
int seal_read(const struct ck_seal_source *source, uint64_t offset, void *to, size_t size);
/* The file header and its hash, the chain's beginning. CK_E_TRUNCATED, CK_E_SYNTAX. `context` may
 * be NULL. */
int seal_read_file(const struct ck_seal_source *source, struct seal_file *file,
                   uint8_t context[static CK_SEAL_CONTEXT_MAX],
                   uint8_t hash[static CK_SHA256_SIZE]);
/* Where the trailer begins, by the footer. CK_E_NOT_FOUND where there is no footer. */
int seal_find_trailer(const struct ck_seal_source *source, uint64_t *offset);
/* The chunk header at `offset`, if a whole chunk is there. CK_E_SYNTAX, CK_E_TRUNCATED. */
int seal_read_chunk_head(const struct ck_seal_source *source, uint64_t offset,
                         struct seal_chunk *chunk);

/* Memory that grows to what is asked for and is wiped when freed. */
struct seal_buffer {
    uint8_t *bytes;
    size_t capacity;
};
int seal_buffer_reserve(struct seal_buffer *buffer, size_t size);
void seal_buffer_deinit(struct seal_buffer *buffer);

#endif
