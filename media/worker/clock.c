#include "media/worker/clock.h"

#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

static int64_t us_of(clockid_t clock)
{
    struct timespec at;
    if (clock_gettime(clock, &at) != 0) {
        abort(); /* both clocks exist on every Linux */
    }
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

struct ck_mono ck_clock_mono(void)
{
    return (struct ck_mono){us_of(CLOCK_MONOTONIC)};
}

int64_t ck_clock_wall_us(void)
{
    return us_of(CLOCK_REALTIME);
}

uint64_t ck_clock_cpu_us(void)
{
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0) {
        return 0;
    }
    return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

void ck_clock_wait_until(struct ck_mono at)
{
    struct timespec until = {at.us / 1000000, at.us % 1000000 * 1000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

void ck_random(void *bytes, size_t size)
{
    uint8_t *b = bytes;
    while (size > 0) {
        ssize_t got = getrandom(b, size, 0);
        if (got < 0) {
            abort();
        }
        b += got;
        size -= (size_t)got;
    }
}
