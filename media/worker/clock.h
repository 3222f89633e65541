/* The only place where checkin-media reads clocks and draws random bytes. */
#ifndef MEDIA_WORKER_CLOCK_H
#define MEDIA_WORKER_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

struct ck_mono ck_clock_mono(void); /* CLOCK_MONOTONIC */
int64_t ck_clock_wall_us(void);     /* CLOCK_REALTIME, microseconds since 1970 */
uint64_t ck_clock_cpu_us(void);     /* what this process has used */

/* Sleeps until then by CLOCK_MONOTONIC, or until a signal comes. */
void ck_clock_wait_until(struct ck_mono at);

/* Fills `bytes` from getrandom(2), which cannot fail after start for so few. */
void ck_random(void *bytes, size_t size);

#endif
