/* The worker's end of the control socket: datagrams in, a bounded queue out, so that a checkind
 * that is busy never makes the packet loop wait. */
#ifndef MEDIA_WORKER_CONTROL_H
#define MEDIA_WORKER_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/worker.h"

#define CK_CONTROL_QUEUE_MAX 4096 /* messages that wait; beyond it checkind is taken for dead */
#define CK_CONTROL_QUEUE_BYTES_MAX (8 * 1024 * 1024)
#define CK_CONTROL_SOCKET_BUFFER (256 * 1024)

struct ck_control;

/* Takes over the descriptor. 0, -ENOMEM, -errno (the descriptor is no socket of the right kind). */
int ck_control_create(struct ck_control **control, int fd);
void ck_control_destroy(struct ck_control *control); /* NULL is taken */

int ck_control_fd(const struct ck_control *control);
/* Blocks until a message may be there. 0 or -errno. */
int ck_control_wait(const struct ck_control *control);

/* The next message; *fd is its descriptor or -1, and the caller's to close. 0; CK_E_NOT_FOUND where
 * none waits; -EPIPE at the end; CK_E_SYNTAX where it does not decode or brings other descriptors
 * than one, CK_E_INVALID where a value is out of its range: *field names it. */
int ck_control_receive(struct ck_control *control, struct ck_worker_message *message, int *fd,
                       const char **field);

/* Overwrites the last message that was received, which had a key in it; texts of it are void. */
void ck_control_wipe(struct ck_control *control);

/* Sends, or queues. A message that may be left out (heartbeat, statistics) is, where others wait.
 * 0, -EPIPE where nobody reads any more, -ENOBUFS beyond the queue's limits, CK_E_INVALID for a
 * message of ours that does not encode. */
int ck_control_send(struct ck_control *control, const struct ck_worker_message *message,
                    bool may_leave_out);

/* Whether messages wait for the socket to be writable; then ck_control_flush() when it is. 0 or
 * -EPIPE. */
bool ck_control_waiting(const struct ck_control *control);
int ck_control_flush(struct ck_control *control);

#endif
