/* The packet loop of checkin-media. */
#ifndef MEDIA_WORKER_WORKER_H
#define MEDIA_WORKER_WORKER_H

#include "media/worker/control.h"
#include "protocol/worker.h"

/* Binds, closes the sandbox, says READY and serves until the end. Takes over the control socket.
 * Returns the exit status (enum ck_worker_exit). */
int ck_media_worker_run(struct ck_control *control, const struct ck_worker_config *config);

#endif
