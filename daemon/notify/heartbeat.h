/* The dead man's switch: a monitor elsewhere is asked every so often as long as the daemon finds
 * itself sound. Silence is the alarm, whatever the reason: a daemon that is stuck, a machine
 * without power, a network that is cut. On the loop's thread. */
#ifndef DAEMON_NOTIFY_HEARTBEAT_H
#define DAEMON_NOTIFY_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "protocol/base/time.h"

struct ck_heartbeat;

struct ck_heartbeat_options {
    const char *url; /* asked with GET; copied */
    int64_t every_ms;
    struct ck_wall (*now)(void);
    /* Whether everything is as it should be: no ladder step overdue, no notice older than its
     * budget, the loop and the engine in time, room on the disk, a sane clock. Asked before each
     * beat. */
    bool (*sound)(void *user);
    void *user;
};

/* The first beat comes at once. 0 or a negative errno. */
int ck_heartbeat_create(struct ck_heartbeat **heartbeat, uv_loop_t *loop,
                        const struct ck_heartbeat_options *options);

/* Takes NULL. The memory goes when the loop has closed the handles. */
void ck_heartbeat_destroy(struct ck_heartbeat *heartbeat);

struct ck_heartbeat_status {
    uint64_t sent;     /* beats that were answered with success */
    uint64_t failed;   /* beats that were not */
    uint64_t withheld; /* not sent, for the daemon was not sound */
    struct ck_wall last_sent;
};

void ck_heartbeat_status(const struct ck_heartbeat *heartbeat, struct ck_heartbeat_status *status);

#endif
