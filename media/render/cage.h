/* The cage of checkin-render, closed before the first job: no files, no programs, no sockets, no
 * other process, no memory that becomes a program. Decoders of a stranger's bytes run inside. */
#ifndef MEDIA_RENDER_CAGE_H
#define MEDIA_RENDER_CAGE_H

#define CK_CAGE_MEMORY_BYTES                                                                       \
    (UINT64_C(2) * 1024 * 1024 * 1024) /* address space; not under sanitizers */
#define CK_CAGE_FILES 128u             /* descriptors: about four for each part of a film */

/* Landlock and limits, while there is one thread: they hold for those that come. 0 or -errno;
 * -ENOSYS where the kernel has no Landlock. */
int ck_cage_restrict(void);

/* The system-call filter, for all threads. What only an attack does kills the process (SIGSYS);
 * what a library may try in passing fails with EPERM. 0 or -errno. */
int ck_cage_close(void);

#endif
