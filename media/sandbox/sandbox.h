/* The cage of checkin-media, closed before the first packet: no files, no programs, no new sockets,
 * no other process.
 *
 * Two steps, because the recorder's writer thread starts between them: Landlock holds only for
 * threads that are started later, the system-call filter is put on all threads at once. */
#ifndef MEDIA_SANDBOX_SANDBOX_H
#define MEDIA_SANDBOX_SANDBOX_H

#include <stdint.h>

/* No new privileges, no core dumps, no file of the file system can be opened (Landlock), address
 * space limited to `memory_bytes_max` (0: not; never under sanitizers, which need it all). 0 or
 * -errno; -ENOSYS where the kernel has no Landlock. */
int ck_sandbox_restrict(uint64_t memory_bytes_max);

/* System calls outside the list of the packet loop and the recorder kill the process (SIGSYS). For
 * all threads; cannot be undone. 0 or -errno. */
int ck_sandbox_close(void);

#endif
