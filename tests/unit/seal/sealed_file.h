/* A sealed file in memory, for tests: made by the writer, read and appended to by the reader. */
#ifndef TESTS_UNIT_SEAL_SEALED_FILE_H
#define TESTS_UNIT_SEAL_SEALED_FILE_H

#include "protocol/seal.h"
#include "protocol/seal_writer.h"

#define TEST_RECORDING UINT64_C(77)
#define TEST_CHUNKS 12 /* media chunks */
#define TEST_CHUNK_MS 1000
#define TEST_KEY_EVERY 3 /* chunks from one key frame to the next */

struct sealed_file {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    size_t at[TEST_CHUNKS + 3];                 /* where chunk n begins; the end of the last one */
    struct ck_seal_head heads[TEST_CHUNKS + 2]; /* heads[n]: after n chunks */
    uint8_t *plain;                             /* what playback must give: all but the header */
    size_t plain_size;
    unsigned reads;
    size_t read_bytes;
    int fail_append; /* != 0: append puts half of the bytes and returns this */
};

extern const uint8_t test_key[CK_KEY_SIZE];

void sealed_file_make(struct sealed_file *file, uint64_t recording, const uint8_t *key,
                      bool trailer);
void sealed_file_free(struct sealed_file *file);
void sealed_file_append(struct sealed_file *file, const void *bytes, size_t size);
struct ck_seal_source sealed_file_source(struct sealed_file *file);
int sealed_file_on_append(void *user, const void *bytes, size_t size);

/* What somebody with the key does to the trailer of a recovered file: it is sealed again under
 * another index. */
void sealed_file_jump(struct sealed_file *file, const uint8_t *key, uint64_t index);

#endif
