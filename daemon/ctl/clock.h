/* The clocks: the only file of checkind that reads them, what the kernel says about the wall clock,
 * and the news that it was set. Everything else gets time as an argument. */
#ifndef DAEMON_CTL_CLOCK_H
#define DAEMON_CTL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "protocol/base/time.h"

/* CLOCK_REALTIME and CLOCK_BOOTTIME. Any thread; never fail. */
struct ck_wall ck_clock_wall(void);
struct ck_mono ck_clock_mono(void);

struct ck_clock_status {
    bool known;        /* false where the kernel does not tell us; the rest is then 0 */
    bool synchronised; /* some time service keeps the clock right */
    int64_t offset_us; /* what remains to be corrected, as far as the service says */
    int64_t
        max_error_us; /* bound of the error, as the service says; grows without synchronisation */
};

/* Whether the clock is right, from the first of these that can be asked:
 *   adjtimex(2), which a sandbox may have taken away;
 *   the mark that systemd-timesyncd touches at each synchronisation, where it is not old;
 *   what systemd-timedated said last, asked by a clock watch (below) every ten minutes.
 * Any thread. */
struct ck_clock_status ck_clock_status(void);

/* Watches for a wall clock that is set, by a person, a time service or a host that was suspended.
 */
struct ck_clock_watch;

/* `jump_ms`: by how much the wall clock went forward (positive) or back against elapsed time. Below
 * 1 ms it is not told. Runs on the loop's thread, from the loop only. */
typedef void ck_clock_jumped(void *user, int64_t jump_ms);

/* 0 or a negative errno. */
int ck_clock_watch_create(struct ck_clock_watch **watch, uv_loop_t *loop, ck_clock_jumped *jumped,
                          void *user);

/* Takes NULL. No callback comes any more; the memory goes when the loop has closed the handles. */
void ck_clock_watch_destroy(struct ck_clock_watch *watch);

/* Whether the installed time zones are believable: Asia/Almaty is UTC+5 all through the day of
 * `now` (the country moved to one zone on 1 March 2024; older tables say +6 and would shift every
 * check-in by an hour). 0, CK_E_INVALID where the offset differs, or -ENOENT where the zone is not
 * installed. */
int ck_clock_zone_test(struct ck_wall now);

#endif
