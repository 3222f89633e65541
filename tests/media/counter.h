/* What the packet loop of a worker asks of memory and of locks: counted inside it by counter.c,
 * which is preloaded into the program and shares this with the test. */
#ifndef TESTS_MEDIA_COUNTER_H
#define TESTS_MEDIA_COUNTER_H

#include <stdint.h>

#define CK_COUNTER_FILE "CK_COUNTER_FILE" /* environment: a file of this struct's size */

struct ck_counter {
    uint64_t allocations; /* malloc, calloc, realloc, posix_memalign, aligned_alloc */
    uint64_t frees;       /* of something */
    uint64_t locks;       /* pthread mutexes and read-write locks taken */
    uint64_t waits;       /* condition variables waited for or signalled */
    uint64_t receives;    /* recvmmsg() */
    uint64_t sends;       /* sendmmsg() */
};

#endif
