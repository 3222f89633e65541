#include "media/worker/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int ck_memory_open(void)
{
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

uint64_t ck_memory_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ? 0
                                                                                : limit.rlim_cur;
}

bool ck_memory_is_short(int fd, uint64_t limit)
{
    char text[64];
    if (limit == 0 || lseek(fd, 0, SEEK_SET) != 0) {
        return false;
    }
    ssize_t size = read(fd, text, sizeof text - 1);
    if (size <= 0) {
        return false;
    }
    text[size] = '\0';
    uint64_t used = strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    return used + CK_MEMORY_RESERVE > limit;
}
