/* A child process at the other end of a SOCK_SEQPACKET socket, kept alive.
 *
 * Used for checkin-media and checkin-render: both eat what strangers send, so both may die, and
 * neither may take anything with it. The child is started with `--control-fd=3`; one datagram is
 * one message; what they mean is the owner's business. When it dies it is started again, after 100
 * ms at first and after at most CK_CHILD_BACKOFF_MAX_MS when it keeps dying young.
 *
 * Loop thread only. No callback runs inside a call of this header. */
#ifndef DAEMON_CALL_CHILD_H
#define DAEMON_CALL_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#define CK_CHILD_BACKOFF_MIN_MS 100
#define CK_CHILD_BACKOFF_MAX_MS 5000
#define CK_CHILD_YOUNG_MS 10000    /* dying before this age doubles the back-off */
#define CK_CHILD_QUEUE_MAX 4096    /* messages that wait for room in the socket; one more kills */
#define CK_CHILD_MESSAGE_MAX 65536 /* bytes of a datagram */
#define CK_CHILD_DESCRIPTORS_MAX 4 /* beside one datagram */

struct ck_child;

struct ck_child_options {
    const char *program;       /* path of the executable */
    const char *name;          /* for logs: "checkin-media 0" */
    uint64_t silence_limit_ms; /* killed after this long without a message; 0: never */
};

struct ck_child_events {
    /* The process runs and its socket takes messages. */
    void (*up)(void *context, pid_t pid);
    /* One datagram. The bytes live until this returns. */
    void (*message)(void *context, const uint8_t *bytes, size_t size);
    /* It is gone: exit status, or signal where not 0. `again_ms` until the next start; what was
     * sent and not yet answered is lost. */
    void (*down)(void *context, int64_t status, int signal, uint64_t again_ms);
};

/* Starts the child with the next turn of the loop. `options` strings are copied. -errno where
 * memory or handles are short; a program that cannot be started is reported by down(), with status
 * 127, and tried again. */
int ck_child_create(uv_loop_t *loop, const struct ck_child_options *options,
                    const struct ck_child_events *events, void *context, struct ck_child **child);

/* Sends one datagram with up to CK_CHILD_DESCRIPTORS_MAX descriptors, which stay the caller's. What
 * the socket does not take at once waits in a queue. CK_E_BUSY where the child is down; -errno
 * otherwise. */
int ck_child_send(struct ck_child *child, const void *bytes, size_t size, const int *fds,
                  size_t fd_count);

/* Kills the process (SIGKILL) because of what it did; it is started again. The reason goes to the
 * log. No-op where it is down. */
void ck_child_kill(struct ck_child *child, const char *reason);

/* Process id, or 0 where it is down; starts so far minus one. */
pid_t ck_child_pid(const struct ck_child *child);
unsigned ck_child_restarts(const struct ck_child *child);

/* Ends it for good: lets it read the end of the socket, still hands on what it says, kills after
 * `patience_ms`, then calls `stopped`, after which no callback runs and the child's memory is gone.
 * `stopped` may be NULL. */
void ck_child_stop(struct ck_child *child, uint64_t patience_ms, void (*stopped)(void *context),
                   void *context);

#endif
