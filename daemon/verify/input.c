#include "daemon/verify/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

/* Reading leaves no trace in the times of what is evidence, where that is allowed: only the owner
 * of a file and root may. */
static int open_quietly(int folder, const char *path)
{
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOATIME);
    return fd < 0 && errno == EPERM ? openat(folder, path, O_RDONLY | O_CLOEXEC) : fd;
}

int ck_input_map(const char *path, struct ck_input *input)
{
    struct stat about;
    ck_cleanup(ck_closep) int fd = open_quietly(AT_FDCWD, path);
    if (fd < 0 || fstat(fd, &about) != 0) {
        return -errno;
    }
    if (!S_ISREG(about.st_mode)) {
        return S_ISDIR(about.st_mode) ? -EISDIR : -EINVAL;
    }
    if (about.st_size == 0) {
        *input = (struct ck_input){.bytes = (const uint8_t *)"", .size = 0};
        return 0;
    }
    void *at = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (at == MAP_FAILED) {
        return -errno;
    }
    *input = (struct ck_input){.bytes = at, .size = (size_t)about.st_size};
    return 0;
}

void ck_input_unmap(struct ck_input *input)
{
    if (input->size > 0) {
        munmap((void *)(uintptr_t)input->bytes, input->size);
    }
    input->size = 0;
}

int ck_input_read(const char *path, void *bytes, size_t capacity, size_t *size)
{
    return ck_input_read_in(AT_FDCWD, path, bytes, capacity, size);
}

int ck_input_read_in(int folder, const char *path, void *bytes, size_t capacity, size_t *size)
{
    ck_cleanup(ck_closep) int fd = open_quietly(folder, path);
    size_t have = 0;
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && have < capacity) {
        got = read(fd, (uint8_t *)bytes + have, capacity - have);
        have += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        return -errno;
    }
    uint8_t more;
    if (have == capacity && read(fd, &more, 1) != 0) {
        return CK_E_LIMIT;
    }
    *size = have;
    return 0;
}
