/* Clean-up by attribute: `_cleanup_(foo_destroyp) struct foo *x = NULL;` frees on every way out,
 * and ck_take(x) hands the value on at the successful one. */
#ifndef PROTOCOL_BASE_CLEANUP_H
#define PROTOCOL_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define ck_cleanup(function) __attribute__((cleanup(function)))

/* Gives the pointer's value and leaves NULL behind. */
#define ck_take(pointer)                                                                           \
    __extension__({                                                                                \
        __typeof__(pointer) ck_taken = (pointer);                                                  \
        (pointer) = NULL;                                                                          \
        ck_taken;                                                                                  \
    })

/* Gives the descriptor's value and leaves -1 behind. */
static inline int ck_take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* For `ck_cleanup(ck_freep) char *text = NULL;`. */
static inline void ck_freep(void *pointer)
{
    free(*(void **)pointer);
}

/* For `ck_cleanup(ck_closep) int fd = -1;`. */
static inline void ck_closep(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

#endif
