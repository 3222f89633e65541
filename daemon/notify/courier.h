/* A thread that runs transfers, so that nothing libcurl does can hold up the pages or another
 * channel: requests go in, responses come out, as values over two queues. */
#ifndef DAEMON_NOTIFY_COURIER_H
#define DAEMON_NOTIFY_COURIER_H

#include <uv.h>

#include "daemon/notify/request.h"

struct ck_courier;

/* Called on the loop's thread, once for each request; the response is valid during the call. */
typedef void ck_courier_done(void *user, uint64_t ticket, const struct ck_response *response);

/* Starts the thread. Responses are told on `loop`. 0 or a negative errno. */
int ck_courier_create(struct ck_courier **courier, uv_loop_t *loop, ck_courier_done *done,
                      void *user);

/* Takes NULL. Cuts every connection and waits for the thread, which takes no longer than a name
 * that is being looked up; no callback comes any more. May be called from a callback. The memory
 * goes when the loop has closed the handle. */
void ck_courier_destroy(struct ck_courier *courier);

/* Gives one request to the thread and takes it over, also on failure. `ticket` comes back with the
 * response. 0 or -ENOMEM. */
int ck_courier_send(struct ck_courier *courier, uint64_t ticket, struct ck_request *request);

#endif
