/* Preloaded into checkin-media: makes receiving as dear as the test wants, as if the processor were
 * slower or the work more. Uses nothing that its sandbox would stop after the start. */
#include "tests/media/burden.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

static struct ck_burden nothing;
static struct ck_burden *burden = &nothing;
static int (*real_recvmmsg)(int fd, struct mmsghdr *messages, unsigned count, int flags,
                            struct timespec *timeout);

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv(CK_BURDEN_FILE);
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *found = dlsym(RTLD_NEXT, "recvmmsg");
    memcpy(&real_recvmmsg, &found,
           sizeof found); /* an object pointer is no function pointer in C */
    if (fd >= 0) {
        void *shared = mmap(NULL, sizeof *burden, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        burden = shared == MAP_FAILED ? burden : shared;
        close(fd);
    }
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    int got = real_recvmmsg(fd, messages, count, flags, timeout);
    int64_t ns = got > 0 ? (int64_t)got * burden->ns_per_datagram : 0;
    for (int64_t until = ns > 0 ? now_ns() + ns : 0; ns > 0 && now_ns() < until;) {
    }
    return got;
}
