/* The control socket: how checkinctl asks the running daemon (protocol/control.md).
 *
 * A unix stream socket; one JSON object a line each way. Only root and the user the daemon runs as
 * are heard (SO_PEERCRED); everybody else is told so and let go. A line that is no request gets an
 * error and ends its connection, nothing else. Everything runs on the loop's thread. */
#ifndef DAEMON_CTL_CONTROL_H
#define DAEMON_CTL_CONTROL_H

#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>
#include <uv.h>

#define CK_CONTROL_LINE_MAX (64 * 1024) /* bytes of one request */
#define CK_CONTROL_CLIENTS_MAX 16       /* connections; further ones are told "busy" */
#define CK_CONTROL_CALLS_MAX 8          /* unanswered requests of one connection; more is "busy" */

struct ck_control;

/* One request that waits for its answer. It stays valid until it is answered by one of the two
 * functions below, exactly once, now or later; what is answered to a client that went away is
 * dropped. */
struct ck_control_call;

/* `arguments` is the request's object "arguments" (never NULL), valid during the call only. */
typedef void ck_control_handler(struct ck_control_call *call, const json_t *arguments, void *user);

struct ck_control_command {
    const char *name; /* permanent */
    ck_control_handler *handler;
    void *user;
};

/* Listens at `path` (mode 0600; a stale socket there is replaced, one that answers is not). The
 * commands are copied. 0; CK_E_CONFLICT where another daemon answers there; a negative errno. */
int ck_control_create(struct ck_control **control, uv_loop_t *loop, const char *path,
                      const struct ck_control_command *commands, size_t count);

/* Takes NULL. Closes the socket and every connection and removes the path; unanswered calls may
 * still be answered afterwards, without effect. The memory goes when the loop has closed the
 * handles and the last call is answered. */
void ck_control_destroy(struct ck_control *control);

/* Answers with `result` (taken over, also on failure; NULL is an empty object). */
void ck_control_answer(struct ck_control_call *call, json_t *result);

/* Answers with an error: `code` is an enum ck_error or -errno, the text a sentence for the
 * operator. */
__attribute__((format(printf, 3, 4))) void ck_control_refuse(struct ck_control_call *call, int code,
                                                             const char *format, ...);

/* The user behind the connection. */
uid_t ck_control_uid(const struct ck_control_call *call);

#endif
