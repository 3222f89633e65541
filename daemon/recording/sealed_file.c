#include "daemon/recording/sealed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define PIECE (256u * 1024)

static int read_file(void *user, uint64_t offset, void *to, size_t size)
{
    const struct ck_sealed_file *file = user;
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(file->fd, (char *)to + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        if (got == 0) {
            return -EIO; /* shorter than it was a moment ago */
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

int ck_sealed_file_open(struct ck_sealed_file *file, const char *path, int flags,
                        struct ck_seal_source *source)
{
    struct stat status;
    file->fd = open(path, flags | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &status) < 0) {
        int error = -errno;
        ck_sealed_file_close(file);
        return error;
    }
    file->size = (uint64_t)status.st_size;
    *source = (struct ck_seal_source){.read = read_file, .user = file, .size = file->size};
    return 0;
}

void ck_sealed_file_close(struct ck_sealed_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
    }
}

int ck_sealed_plain(struct ck_seal *seal, uint64_t most, int *fd)
{
    if (ck_seal_info(seal)->plain_size > most) {
        return CK_E_LIMIT;
    }
    ck_cleanup(ck_freep) uint8_t *piece = malloc(PIECE);
    ck_cleanup(ck_closep) int made = memfd_create("recording", MFD_CLOEXEC);
    if (piece == NULL || made < 0) {
        return piece == NULL ? -ENOMEM : -errno;
    }
    size_t got = 1;
    for (uint64_t at = 0; got > 0; at += got) {
        got = 0;
        int r = ck_seal_read(seal, at, piece, PIECE, &got, NULL);
        if (r == 0 && got > 0 && pwrite(made, piece, got, (off_t)at) != (ssize_t)got) {
            r = -EIO;
        }
        if (r != 0) {
            return r;
        }
    }
    *fd = ck_take_fd(&made);
    return 0;
}
