/* A web server on a thread of its own, and raw TLS connections to it.
 *
 * The clock of the server can be moved forward, so that a time-out of a minute takes no minute. */
#ifndef TESTS_UNIT_HTTP_WORLD_H
#define TESTS_UNIT_HTTP_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/http/server.h"
#include "raw.h"

struct world_limits {
    unsigned connections, connections_per_address, requests_per_minute;
    const char *proxy; /* address of a trusted one, or NULL */
};

/* Starts a server with these handlers (log and now are the world's). `limits` NULL: wide ones. */
void world_start(const struct ck_http_handlers *handlers, const struct world_limits *limits);
/* Stops it and checks that the loop closed with nothing left over. */
void world_stop(void);

/* The server; on the loop thread alone. */
struct ck_http *world_http(void);
unsigned world_port(void);
struct ck_http_counts world_counts(void);
/* Moves the server's clock. */
void world_pass_ms(int64_t ms);
/* Runs `work` on the loop thread and waits for it. */
void world_call(void (*work)(void *user), void *user);
/* Waits until `done` (run on the loop thread) says so, at most 10 s; false: it never did. */
bool world_wait(bool (*done)(void *user), void *user);

#endif
