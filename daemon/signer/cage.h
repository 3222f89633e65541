/* The cage of checkin-signer, closed before the first message: it can write in its folder, speak on
 * sockets it has, and nothing else. */
#ifndef DAEMON_SIGNER_CAGE_H
#define DAEMON_SIGNER_CAGE_H

/* No new privileges, no core dumps; of the file system only the folder (Landlock); system calls
 * outside a short list end the process, among them those that make sockets and programs. 0 or
 * -errno; -ENOSYS where the kernel has no Landlock. */
int ck_signer_cage(int folder);

#endif
