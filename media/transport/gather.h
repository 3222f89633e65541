/* How long the packet loop waits before it receives again. Every time the loop wakes up costs as
 * much as several packets do: system calls, a processor that slept, cold caches. Where packets come
 * thick, a wait of half a millisecond lets ten and more share one turn, and a turn that took longer
 * than that waits for nothing. Where they come thin nothing waits: a lone call is relayed at once.
 *
 * Values; time is an argument. */
#ifndef MEDIA_TRANSPORT_GATHER_H
#define MEDIA_TRANSPORT_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"

#define CK_GATHER_US 500         /* from the begin of one turn to that of the next, at most */
#define CK_GATHER_WINDOW_MS 10   /* packets are counted over this */
#define CK_GATHER_PACKETS_MIN 40 /* in it, to be thick: two in a wait */

struct ck_gather {
    struct ck_mono from; /* of the window */
    uint64_t before;     /* packets, then */
    bool thick;
};

/* After a turn that began at `turn`, with `packets` received since the start: when the next may
 * begin. `turn` where nothing waits. One that is all zeros is new. */
struct ck_mono ck_gather_until(struct ck_gather *gather, struct ck_mono turn, uint64_t packets);

#endif
