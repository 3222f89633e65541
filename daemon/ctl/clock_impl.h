/* Asking systemd-timedated over the system bus, for sandboxes that take adjtimex(2) away. */
#ifndef DAEMON_CTL_CLOCK_IMPL_H
#define DAEMON_CTL_CLOCK_IMPL_H

#include <uv.h>

#include "daemon/ctl/clock.h"

/* Asks in libuv's thread pool, for it blocks; at most one question at a time. */
void ck_clock_bus_ask(uv_loop_t *loop);

/* What it said last; not known where it never did, or half an hour ago. Any thread. */
struct ck_clock_status ck_clock_bus_status(struct ck_mono now);

#endif
