/* How much address space this process has, against what it may have. */
#ifndef MEDIA_WORKER_MEMORY_H
#define MEDIA_WORKER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* What is left of the limit when new calls are no longer taken, so that the ones that are here
 * never ask in vain. */
#define CK_MEMORY_RESERVE (UINT64_C(24) << 20)

/* Before the sandbox closes: opens what tells. The descriptor, or -errno. */
int ck_memory_open(void);
/* Bytes of address space that this process may have (RLIMIT_AS); 0: as much as it likes. */
uint64_t ck_memory_limit(void);
/* Whether less than CK_MEMORY_RESERVE is left of `limit` bytes (0: no limit). False where the size
 * cannot be told. */
bool ck_memory_is_short(int fd, uint64_t limit);

#endif
