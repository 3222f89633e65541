#include <string.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/seal_impl.h"

struct walk {
    const struct ck_seal_source *source;
    uint64_t recording;
    struct seal_keys *keys; /* NULL: without a key */
    struct seal_buffer buffer;
    bool has_trailer; /* by the footer */
    uint64_t trailer_at;
    struct seal_chunk trailer;
    uint64_t offset;              /* of the next chunk */
    uint64_t index;               /* that it must have */
    uint8_t hash[CK_SHA256_SIZE]; /* end of the chain in front of it */
    const struct ck_seal_head *anchors;
    size_t anchor_count;
    struct ck_seal_report *report;
};

const char *ck_seal_fault_text(enum ck_seal_fault fault)
{
    switch (fault) {
    case CK_SEAL_SOUND:
        return "sound";
    case CK_SEAL_NOT_SEALED:
        return "not a sealed recording";
    case CK_SEAL_FOREIGN:
        return "of another recording";
    case CK_SEAL_CHANGED:
        return "changed";
    case CK_SEAL_MISSING:
        return "missing";
    case CK_SEAL_REPLAYED:
        return "replayed";
    case CK_SEAL_TRUNCATED:
        return "truncated";
    case CK_SEAL_OTHER_CHAIN:
        return "of another chain";
    }
    return "unknown";
}

/* Ends the walk with a verdict; the caller returns what this returns. */
static int found(struct walk *walk, enum ck_seal_fault fault, uint64_t chunk)
{
    walk->report->fault = fault;
    walk->report->chunk = chunk;
    walk->report->offset = walk->offset;
    return CK_E_INVALID;
}

/* Whether a head is given for more than `chunks` chunks. */
static bool is_known_beyond(const struct walk *walk, uint64_t chunks)
{
    for (size_t i = 0; i < walk->anchor_count; i++) {
        if (walk->anchors[i].chunks > chunks) {
            return true;
        }
    }
    return false;
}

/* Whether the whole next chunk of the chain stands here: no crash tore that. Only the key tells. */
static int stands_whole(struct walk *walk, bool *whole)
{
    struct seal_chunk chunk;
    *whole = false;
    int r = seal_read_chunk_head(walk->source, walk->offset, &chunk);
    if (r != 0 || walk->keys == NULL || chunk.type == SEAL_TRAILER ||
        chunk.recording != walk->recording || chunk.index != walk->index ||
        memcmp(chunk.previous, walk->hash, sizeof walk->hash) != 0) {
        return r < 0 ? r : 0;
    }
    size_t size = seal_chunk_size(&chunk);
    r = seal_buffer_reserve(&walk->buffer, size);
    r = r == 0 ? seal_read(walk->source, walk->offset, walk->buffer.bytes, size) : r;
    r = r == 0 ? seal_open(walk->keys, &chunk, walk->buffer.bytes) : r;
    *whole = r == 0;
    return r < 0 ? r : 0;
}

/* What a crash tore off stands between the last whole chunk and the trailer that recovery put
 * behind it, which follows that chunk in the chain and has the next index. One that claims a later
 * place hides chunks: of those that a head of the log is known for it is certain. */
static int step_over_torn(struct walk *walk)
{
    bool whole = false;
    if (!walk->has_trailer || walk->offset > walk->trailer_at ||
        (walk->trailer.flags & SEAL_FLAG_RECOVERED) == 0 || walk->trailer.index < walk->index ||
        memcmp(walk->trailer.previous, walk->hash, sizeof walk->hash) != 0) {
        return 0;
    }
    if (walk->trailer.index > walk->index) {
        return found(walk, is_known_beyond(walk, walk->index) ? CK_SEAL_TRUNCATED : CK_SEAL_MISSING,
                     walk->index);
    }
    int r = walk->offset < walk->trailer_at ? stands_whole(walk, &whole) : 0;
    if (r != 0 || whole) {
        return r != 0 ? r : found(walk, CK_SEAL_CHANGED, walk->index);
    }
    walk->report->lost_bytes += walk->trailer_at - walk->offset;
    walk->offset = walk->trailer_at;
    return 0;
}

/* Without a key a broken link is the fault of the chunk in front of it, whose bytes no longer have
 * the hash that was sealed; or of this chunk's own header, which shows in the link behind it. */
static int name_broken_link(struct walk *walk, const struct seal_chunk *chunk,
                            const uint8_t hash[static CK_SHA256_SIZE])
{
    struct seal_chunk next;
    int r = seal_read_chunk_head(walk->source, walk->offset + seal_chunk_size(chunk), &next);
    if (r < 0) {
        return r;
    }
    bool own = r == 0 && memcmp(next.previous, hash, CK_SHA256_SIZE) != 0;
    if (own || walk->keys != NULL) {
        return found(walk, CK_SEAL_CHANGED, walk->index);
    }
    return walk->index == 0 ? found(walk, CK_SEAL_NOT_SEALED, 0)
                            : found(walk, CK_SEAL_CHANGED, walk->index - 1);
}

/* Whether what the header says fits its place. */
static int check_place(struct walk *walk, const struct seal_chunk *chunk)
{
    if (chunk->recording != walk->recording) {
        return found(walk, CK_SEAL_FOREIGN, walk->index);
    }
    if (chunk->index > walk->index) {
        return found(walk, CK_SEAL_MISSING, walk->index);
    }
    if (chunk->index < walk->index) {
        return found(walk, CK_SEAL_REPLAYED, walk->index);
    }
    if ((chunk->type == SEAL_HEADER) != (walk->index == 0)) {
        return found(walk, CK_SEAL_CHANGED, walk->index);
    }
    return 0;
}

static int check_anchors(struct walk *walk)
{
    const struct ck_seal_head *head = &walk->report->head;
    for (size_t i = 0; i < walk->anchor_count; i++) {
        const struct ck_seal_head *anchor = &walk->anchors[i];
        if (anchor->chunks == head->chunks &&
            (anchor->bytes != head->bytes ||
             memcmp(anchor->hash, head->hash, sizeof head->hash) != 0)) {
            return found(walk, CK_SEAL_OTHER_CHAIN, walk->index);
        }
    }
    return 0;
}

/* Reads, hashes, links and (with a key) opens the chunk. */
static int check_bytes(struct walk *walk, const struct seal_chunk *chunk)
{
    size_t size = seal_chunk_size(chunk);
    uint8_t hash[CK_SHA256_SIZE];
    int r = seal_buffer_reserve(&walk->buffer, size);
    if (r == 0) {
        r = seal_read(walk->source, walk->offset, walk->buffer.bytes, size);
    }
    if (r == 0) {
        r = seal_hash(walk->buffer.bytes, size, hash);
    }
    if (r != 0) {
        return r;
    }
    if (walk->keys != NULL) {
        r = seal_open(walk->keys, chunk, walk->buffer.bytes);
        if (r != 0) {
            return r < 0 ? r : found(walk, CK_SEAL_CHANGED, walk->index);
        }
    }
    if (memcmp(chunk->previous, walk->hash, sizeof walk->hash) != 0) {
        return name_broken_link(walk, chunk, hash);
    }
    memcpy(walk->hash, hash, sizeof hash);
    return 0;
}

/* The trailer must be where the footer says, and the footer the end of the file. */
static int check_end(struct walk *walk, const struct seal_chunk *chunk)
{
    if (walk->offset + seal_chunk_size(chunk) + SEAL_FOOTER != walk->source->size) {
        return found(walk, CK_SEAL_CHANGED, walk->index + 1);
    }
    walk->report->finished = true;
    walk->report->recovered = (chunk->flags & SEAL_FLAG_RECOVERED) != 0;
    return 0;
}

/* A trailer with its whole footer, but not at the end of the file: something was added. */
static int check_behind_trailer(struct walk *walk, const struct seal_chunk *chunk)
{
    uint8_t footer[SEAL_FOOTER];
    uint64_t at;
    int r = seal_read(walk->source, walk->offset + seal_chunk_size(chunk), footer, sizeof footer);
    if (r != 0) {
        return r < 0 ? r : 0;
    }
    return seal_get_footer(footer, &at) == 0 && at == walk->offset
               ? found(walk, CK_SEAL_CHANGED, walk->index + 1)
               : 0;
}

static int step(struct walk *walk, bool *end)
{
    struct seal_chunk chunk;
    int r = step_over_torn(walk);
    if (r != 0) {
        return r;
    }
    r = seal_read_chunk_head(walk->source, walk->offset, &chunk);
    bool stray_trailer = r == 0 && chunk.type == SEAL_TRAILER &&
                         (!walk->has_trailer || walk->offset != walk->trailer_at);
    if (stray_trailer && !walk->has_trailer) {
        r = check_behind_trailer(walk, &chunk);
        if (r != 0) {
            return r;
        }
    }
    if (r > 0 || stray_trailer) {
        return found(walk, walk->has_trailer ? CK_SEAL_CHANGED : CK_SEAL_TRUNCATED, walk->index);
    }
    if (r == 0) {
        r = check_place(walk, &chunk);
    }
    if (r == 0) {
        r = check_bytes(walk, &chunk);
    }
    if (r == 0 && chunk.type == SEAL_TRAILER) {
        r = check_end(walk, &chunk);
        *end = true;
    }
    if (r != 0) {
        return r;
    }
    struct ck_seal_head *head = &walk->report->head;
    head->chunks = walk->index + 1;
    head->bytes = walk->offset + seal_chunk_size(&chunk) + (*end ? SEAL_FOOTER : 0);
    memcpy(head->hash, walk->hash, sizeof head->hash);
    r = check_anchors(walk);
    walk->offset = head->bytes;
    walk->index++;
    return r;
}

/* A finished file that is shorter than an anchor says was cut and closed again. */
static int check_length(struct walk *walk)
{
    return is_known_beyond(walk, walk->report->head.chunks)
               ? found(walk, CK_SEAL_TRUNCATED, walk->report->head.chunks)
               : 0;
}

static int walk_all(struct walk *walk)
{
    struct seal_file file;
    uint8_t context[CK_SEAL_CONTEXT_MAX];
    int r = seal_read_file(walk->source, &file, context, walk->hash);
    if (r > 0) {
        return found(walk, r == CK_E_TRUNCATED ? CK_SEAL_TRUNCATED : CK_SEAL_NOT_SEALED, 0);
    }
    if (r < 0) {
        return r;
    }
    if (file.recording != walk->recording) {
        return found(walk, CK_SEAL_FOREIGN, 0);
    }
    r = seal_find_trailer(walk->source, &walk->trailer_at);
    if (r < 0) {
        return r;
    }
    walk->has_trailer = r == 0;
    if (r == 0) {
        r = seal_read_chunk_head(walk->source, walk->trailer_at, &walk->trailer);
    }
    if (r < 0) {
        return r;
    }
    walk->offset = SEAL_FILE_HEAD + file.context_size;
    bool end = false;
    r = 0;
    while (r == 0 && !end) {
        r = step(walk, &end);
    }
    return r == 0 ? check_length(walk) : r;
}

int ck_seal_verify(const struct ck_seal_source *source, uint64_t recording, const uint8_t *key,
                   const struct ck_seal_head *anchors, size_t anchor_count,
                   struct ck_seal_report *report)
{
    struct ck_seal_report result = {.fault = CK_SEAL_SOUND};
    struct seal_keys keys;
    struct walk walk = {
        .source = source,
        .recording = recording,
        .anchors = anchors,
        .anchor_count = anchor_count,
        .report = &result,
    };
    if (key != NULL) {
        seal_keys_init(&keys, key);
        walk.keys = &keys;
    }
    int r = walk_all(&walk);
    if (r == 0) {
        result.chunk = result.head.chunks;
        result.offset = result.head.bytes;
    }
    seal_buffer_deinit(&walk.buffer);
    if (key != NULL) {
        seal_keys_deinit(&keys);
    }
    if (r < 0) {
        return r;
    }
    *report = result;
    return 0;
}
