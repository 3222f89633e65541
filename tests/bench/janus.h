/* Debian's Janus with its VideoCall plugin, driven over its Unix socket: what checkin-media is
 * compared with. One session; an "end" is a handle with the client that uses it; ends 2n and 2n + 1
 * call each other.
 *
 * Janus offers no loopback address, so it and its clients live in a network namespace of the
 * benchmark's own, on the address of a pair of virtual interfaces. Failures end the program with a
 * message: without its other half there is nothing to compare. One thread. */
#ifndef TESTS_BENCH_JANUS_H
#define TESTS_BENCH_JANUS_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/client/client.h"

#define CK_JANUS_PROGRAM "/usr/bin/janus"
#define CK_JANUS_ENDS_MAX 2048 /* of one run */

struct ck_janus;

/* Whether the program is there. */
bool ck_janus_installed(void);
/* Moves this process into a network namespace with the address of ck_janus_address(). 0 or -errno.
 */
int ck_janus_namespace(void);
struct in_addr ck_janus_address(void);

/* Starts Janus with Debian's settings, its files in a temporary folder, and opens the session. */
struct ck_janus *ck_janus_start(struct ck_crowd *crowd);
/* Ends it; takes NULL. */
void ck_janus_stop(struct ck_janus *janus);
pid_t ck_janus_pid(const struct ck_janus *janus);

/* Attaches a pair of ends under a name each; the pair calls as soon as both are registered. Clients
 * must be made with `full_peer` and `local`. Gives the first end's number. */
unsigned ck_janus_call(struct ck_janus *janus, struct ck_tclient *caller,
                       struct ck_tclient *callee);
/* When the offer of this pair left; 0: not yet. */
int64_t ck_janus_offered_us(const struct ck_janus *janus, unsigned end);
/* Both ends of a pair hang up and are detached; their clients are no longer used. */
void ck_janus_end(struct ck_janus *janus, unsigned end);
/* Records what this end sends, into `folder`. */
void ck_janus_record(struct ck_janus *janus, unsigned end, const char *folder);

#endif
