/* A crowd: one thread and one epoll set that drive many test clients, proxies and control sockets.
 *
 * Nothing here is thread-safe, and nothing blocks but ck_crowd_turn(). A callback never runs inside
 * the call that registered it. All functions return 0, a positive enum ck_error or a negated errno.
 */
#ifndef TESTS_CLIENT_CROWD_H
#define TESTS_CLIENT_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

struct ck_crowd;

/* `events` are epoll's. */
typedef void ck_crowd_ready(void *arg, uint32_t events);
typedef void ck_crowd_due(void *arg);

/* A timer, embedded in its owner. All zeros but `due` and `arg` before its first use. */
struct ck_crowd_timer {
    ck_crowd_due *due;
    void *arg;
    struct ck_mono at;
    size_t place; /* in the heap, from 1; 0 = not armed */
};

int ck_crowd_create(struct ck_crowd **crowd);
/* Takes NULL. Everything watched or armed must have been taken out before. */
void ck_crowd_destroy(struct ck_crowd *crowd);

/* Calls `ready` whenever `fd` has one of `events`. The descriptor stays the caller's, who unwatches
 * it before closing it. */
int ck_crowd_watch(struct ck_crowd *crowd, int fd, uint32_t events, ck_crowd_ready *ready,
                   void *arg);
void ck_crowd_unwatch(struct ck_crowd *crowd, int fd);

/* Arms the timer for `at`, moving it where it is armed already. A timer fires once. */
void ck_crowd_arm(struct ck_crowd *crowd, struct ck_crowd_timer *timer, struct ck_mono at);
void ck_crowd_disarm(struct ck_crowd *crowd, struct ck_crowd_timer *timer);

/* The monotonic clock as of the start of the running callback or of the last turn. */
struct ck_mono ck_crowd_now(const struct ck_crowd *crowd);

/* Waits for the next event or timer, `max_ms` at the most, and calls what is ready. 0 or -errno. */
int ck_crowd_turn(struct ck_crowd *crowd, int max_ms);

/* Turns until `done(arg)` holds: 0, or CK_E_BUSY where `timeout_ms` passed first, or -errno. With
 * `done` NULL it turns for all of `timeout_ms` and gives 0. */
int ck_crowd_until(struct ck_crowd *crowd, bool (*done)(void *arg), void *arg, int timeout_ms);

/* CLOCK_REALTIME in nanoseconds, read now: the clock of the kernel's receive timestamps. */
uint64_t ck_crowd_wall_ns(void);

/* The same for a moment of the monotonic clock, by one difference for all of the crowd's life: what
 * is told of one moment agrees, however long ago the turn began. */
uint64_t ck_crowd_wall_of(const struct ck_crowd *crowd, struct ck_mono at);

#endif
