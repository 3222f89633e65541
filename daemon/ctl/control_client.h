/* Asking the daemon over its control socket (protocol/control.md); blocks. */
#ifndef DAEMON_CTL_CONTROL_CLIENT_H
#define DAEMON_CTL_CONTROL_CLIENT_H

#include <jansson.h>

#define CK_CONTROL_DEFAULT_PATH "/run/checkind/control.sock"
#define CK_CONTROL_ANSWER_MAX (16 * 1024 * 1024) /* bytes of one answer */
#define CK_CONTROL_WAIT_S 60                     /* for one answer */

/* Sends one request and waits for its answer: an object with "ok". `arguments` is taken over, also
 * on failure; NULL for none. 0; CK_E_SYNTAX where what answers does not speak the protocol; a
 * negative errno
 * (-ENOENT, -ECONNREFUSED: no daemon; -EACCES: not for this user; -EAGAIN: no answer in time). */
int ck_control_ask(const char *path, const char *command, json_t *arguments, json_t **answer);
/* The same with another wait for the answer. */
int ck_control_ask_within(const char *path, const char *command, json_t *arguments, int wait_s,
                          json_t **answer);

#endif
