/* A sealed recording on the disk as a source of protocol/seal.h. Reads block: for the thread pool.
 */
#ifndef DAEMON_RECORDING_SEALED_FILE_H
#define DAEMON_RECORDING_SEALED_FILE_H

#include <stdint.h>

#include "protocol/seal.h"

struct ck_sealed_file {
    int fd;        /* -1: not open */
    uint64_t size; /* when it was opened */
};

/* Opens `path` with O_RDONLY or O_RDWR and fills *source, which points to `file` and lives as long
 * as it. -errno; then nothing is open. */
int ck_sealed_file_open(struct ck_sealed_file *file, const char *path, int flags,
                        struct ck_seal_source *source);

/* Closes it where it is open. */
void ck_sealed_file_close(struct ck_sealed_file *file);

/* Decrypts the whole recording into a memory file, the caller's to close: no plain byte touches a
 * disk. CK_E_LIMIT: it is longer than `most` bytes; -ENOMEM, -errno, or what ck_seal_read() said.
 */
int ck_sealed_plain(struct ck_seal *seal, uint64_t most, int *fd);

#endif
