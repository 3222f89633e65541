/* What the service manager is told (sd_notify(3)), and what the process is as a service. Without
 * one, every call does nothing. None ever waits: what a manager that does not read has no room for
 * is lost, and the next sign tells it. */
#ifndef DAEMON_CTL_SERVICE_H
#define DAEMON_CTL_SERVICE_H

#include <stdbool.h>

#include <uv.h>

/* From now on no dump of this process is written, by whatever the system has for that, and nobody
 * of the same user looks into it: keys and plaintext are in its memory. Before either is. -errno.
 */
int ck_service_hide_memory(void);

/* Start-up is complete: the pages answer and the engine turns. What was lost of it is said again
 * with the sign of life, for a manager that never hears it kills the daemon. */
void ck_service_ready(void);

/* Files are read again; ck_service_ready() ends it. */
void ck_service_reloading(void);

/* The shutdown has begun. */
void ck_service_stopping(void);

/* A line for `systemctl status`; nothing about a case. */
__attribute__((format(printf, 1, 2))) void ck_service_status(const char *format, ...);

/* The sign of life that the manager wants every so often ($WATCHDOG_USEC); without it the daemon is
 * restarted. */
struct ck_watchdog;

/* Whether the daemon does its work: asked on the loop's thread each time before the sign is given.
 */
typedef bool ck_watchdog_sound(void *user);

#define CK_WATCHDOG_SIGNS 6 /* in the wanted interval: a moment that looks bad is no end */

/* Gives the sign so often in the wanted interval while `sound` says so. Sets *watchdog to NULL and
 * succeeds where the manager wants none. 0 or a negative errno. */
int ck_watchdog_create(struct ck_watchdog **watchdog, uv_loop_t *loop, ck_watchdog_sound *sound,
                       void *user);

/* Takes NULL. The memory goes when the loop has closed the handle. */
void ck_watchdog_destroy(struct ck_watchdog *watchdog);

#endif
