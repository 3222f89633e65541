/* Exchanges with mail and HTTP servers: libcurl's multi interface on a libuv loop. The only file
 * that knows either of them from the other side is transfer.c.
 *
 * Certificates are verified, names too; TLS 1.2 at least; no redirect is followed, no proxy and
 * nothing of the environment is used. Names are resolved in threads of the library. Everything here
 * runs on the loop's thread.
 *
 * Nearly nothing blocks. What does, lies in the library: reading the certificate authorities, and
 * waiting for the answer to QUIT after a mail was refused, at most as long as one try may take.
 * Therefore the loop is not the daemon's, but that of a thread (courier.h). */
#ifndef DAEMON_NOTIFY_TRANSFER_H
#define DAEMON_NOTIFY_TRANSFER_H

#include <uv.h>

#include "daemon/notify/request.h"

struct ck_transfers;
struct ck_transfer;

/* 0 or -ENOMEM. */
int ck_transfers_create(struct ck_transfers **transfers, uv_loop_t *loop);

/* Takes NULL. Cancels what runs; no callback comes any more. May be called from a callback. The
 * memory goes when the loop has closed the handles. */
void ck_transfers_destroy(struct ck_transfers *transfers);

/* Called exactly once unless cancelled, never inside ck_transfer_start(). The response is valid
 * during the call. */
typedef void ck_transfer_done(void *user, const struct ck_response *response);

/* Starts one exchange and takes *request over, also on failure. 0 or -ENOMEM. */
int ck_transfer_start(struct ck_transfers *transfers, struct ck_request *request,
                      ck_transfer_done *done, void *user, struct ck_transfer **transfer);

/* Stops it; its callback does not come. Never from within its own callback, when it is already
 * over. */
void ck_transfer_cancel(struct ck_transfer *transfer);

#endif
