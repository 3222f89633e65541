/* Preloaded into a test and all that it starts: the wall clock is CK_CLOCK_SHIFT_S seconds from the
 * machine's, so that a test of the whole product can cross a midnight or meet a date. What is
 * elapsed stays as it is, and so do the times of files. The calls are made directly: they are open
 * in the sandboxes of the media processes. */
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Later than any uptime: only an instant of the wall clock is such a number of seconds. */
#define WALL_MIN_S 1000000000

static time_t shift_s;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("CK_CLOCK_SHIFT_S");
    shift_s = text == NULL ? 0 : (time_t)strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    int r = (int)syscall(SYS_clock_gettime, clock, at);
    if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        at->tv_sec += shift_s;
    }
    return r;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    int r = (int)syscall(SYS_gettimeofday, at, zone);
    at->tv_sec += shift_s;
    return r;
}

time_t time(time_t *at)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at != NULL) {
        *at = now.tv_sec;
    }
    return now.tv_sec;
}

/* The kernel wakes by the machine's clock. */
int timerfd_settime(int fd, int flags, const struct itimerspec *at, struct itimerspec *old)
{
    struct itimerspec here = *at;
    if ((flags & TFD_TIMER_ABSTIME) != 0 && here.it_value.tv_sec > WALL_MIN_S) {
        here.it_value.tv_sec -= shift_s;
    }
    return (int)syscall(SYS_timerfd_settime, fd, flags, &here, old);
}
