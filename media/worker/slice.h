/* How soon the kernel lets the packet loop in. */
#ifndef MEDIA_WORKER_SLICE_H
#define MEDIA_WORKER_SLICE_H

#define CK_SLICE_NS 100000 /* the shortest that the kernel gives */

/* The calling thread, and those it makes later, are let in when what they wait for comes, and not
 * at the end of another's slice: under EEVDF a shorter slice goes before a longer one (Linux 6.12
 * on, Documentation/scheduler/sched-eevdf.rst; older ones take no notice). A thread of another
 * policy than the usual one is left as it is. 0 or -errno. */
int ck_slice_shorten(void);

#endif
