/* Preloaded into checkin-media: counts what its first thread, the packet loop, allocates and locks.
 * Uses nothing that its sandbox would stop after the start. */
#include "tests/media/counter.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* The C library's own, under the names it exports for this purpose. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static struct ck_counter nowhere;
static struct ck_counter *counter = &nowhere;
static _Thread_local bool is_loop; /* set for the thread that loads this */

static int (*real_mutex_lock)(pthread_mutex_t *mutex);
static int (*real_read_lock)(pthread_rwlock_t *lock);
static int (*real_write_lock)(pthread_rwlock_t *lock);
static int (*real_wait)(pthread_cond_t *condition, pthread_mutex_t *mutex);
static int (*real_signal)(pthread_cond_t *condition);
static int (*real_recvmmsg)(int fd, struct mmsghdr *messages, unsigned count, int flags,
                            struct timespec *timeout);
static int (*real_sendmmsg)(int fd, struct mmsghdr *messages, unsigned count, int flags);

static void find(void *target, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(target, &found, sizeof found); /* an object pointer is no function pointer in C */
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv(CK_COUNTER_FILE);
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *shared = fd < 0 ? MAP_FAILED
                          : mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    find(&real_mutex_lock, "pthread_mutex_lock");
    find(&real_read_lock, "pthread_rwlock_rdlock");
    find(&real_write_lock, "pthread_rwlock_wrlock");
    find(&real_wait, "pthread_cond_wait");
    find(&real_signal, "pthread_cond_signal");
    find(&real_recvmmsg, "recvmmsg");
    find(&real_sendmmsg, "sendmmsg");
    if (shared != MAP_FAILED) {
        counter = shared;
    }
    if (fd >= 0) {
        close(fd);
    }
    is_loop = true;
}

static void *counted(void *memory)
{
    counter->allocations += is_loop;
    return memory;
}

void *malloc(size_t size)
{
    return counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return counted(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
    return counted(__libc_realloc(memory, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return counted(__libc_memalign(alignment, size));
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = counted(__libc_memalign(alignment, size));
    return *memory == NULL ? ENOMEM : 0;
}

void free(void *memory)
{
    counter->frees += is_loop && memory != NULL;
    __libc_free(memory);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    counter->locks += is_loop;
    return real_mutex_lock(mutex);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    counter->locks += is_loop;
    return real_read_lock(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    counter->locks += is_loop;
    return real_write_lock(lock);
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    counter->waits += is_loop;
    return real_wait(condition, mutex);
}

int pthread_cond_signal(pthread_cond_t *condition)
{
    counter->waits += is_loop;
    return real_signal(condition);
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    counter->receives += is_loop;
    return real_recvmmsg(fd, messages, count, flags, timeout);
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    counter->sends += is_loop;
    return real_sendmmsg(fd, messages, count, flags);
}
