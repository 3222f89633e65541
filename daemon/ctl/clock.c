#include "daemon/ctl/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "daemon/ctl/clock_impl.h"
#include "protocol/base/cleanup.h"

#define TIMESYNCD_MARK "/run/systemd/timesync/synchronized"
#define MARK_FRESH_MS                                                                              \
    (3 * 3600 * INT64_C(1000)) /* it synchronises every 34 minutes at the least                    \
                                */
#define ASK_EVERY_MS (10 * 60 * 1000)
#define FAR_AWAY_S INT64_C(253402300799)

struct ck_clock_watch {
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned open_handles;
    int fd;
    int64_t lead_us; /* wall minus elapsed */
    ck_clock_jumped *jumped;
    void *user;
};

static int64_t read_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct ck_wall ck_clock_wall(void)
{
    return (struct ck_wall){read_us(CLOCK_REALTIME) / 1000};
}

struct ck_mono ck_clock_mono(void)
{
    return (struct ck_mono){read_us(CLOCK_BOOTTIME)};
}

static bool ask_kernel(struct ck_clock_status *status)
{
    struct timex kernel = {.modes = 0};
    int state = adjtimex(&kernel);
    if (state < 0) {
        return false;
    }
    *status = (struct ck_clock_status){
        .known = true,
        .synchronised = state != TIME_ERROR && (kernel.status & STA_UNSYNC) == 0,
        .offset_us = (kernel.status & STA_NANO) != 0 ? kernel.offset / 1000 : kernel.offset,
        .max_error_us = kernel.maxerror,
    };
    return true;
}

static bool mark_is_fresh(void)
{
    struct stat about;
    if (stat(TIMESYNCD_MARK, &about) < 0) {
        return false;
    }
    int64_t age_ms = ck_clock_wall().ms - (int64_t)about.st_mtim.tv_sec * 1000;
    return age_ms < MARK_FRESH_MS && age_ms > -MARK_FRESH_MS;
}

struct ck_clock_status ck_clock_status(void)
{
    struct ck_clock_status status;
    if (ask_kernel(&status)) {
        return status;
    }
    if (mark_is_fresh()) {
        return (struct ck_clock_status){.known = true, .synchronised = true};
    }
    return ck_clock_bus_status(ck_clock_mono());
}

/* Wall minus elapsed time. The two reads are made again where something came between them. */
static int64_t read_lead_us(void)
{
    for (int tries = 0;; tries++) {
        int64_t before = read_us(CLOCK_BOOTTIME);
        int64_t wall = read_us(CLOCK_REALTIME);
        int64_t after = read_us(CLOCK_BOOTTIME);
        if (after - before < 200 || tries == 10) {
            return wall - before;
        }
    }
}

/* Arms the timer that is cancelled when the clock is set. It is armed even where the call says
 * ECANCELED: that only tells that the clock was set since the last arming. */
static int arm(int fd)
{
    struct itimerspec far = {.it_value = {.tv_sec = FAR_AWAY_S}};
    if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) < 0 &&
        errno != ECANCELED) {
        return -errno;
    }
    return 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct ck_clock_watch *watch = poll->data;
    uint64_t expirations;
    if (read(watch->fd, &expirations, sizeof expirations) >= 0 || errno != ECANCELED) {
        return;
    }
    arm(watch->fd);
    int64_t lead_us = read_lead_us();
    int64_t jump_ms = (lead_us - watch->lead_us) / 1000;
    watch->lead_us = lead_us;
    if (jump_ms != 0) {
        watch->jumped(watch->user, jump_ms);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_clock_status status;
    if (!ask_kernel(&status) && !mark_is_fresh()) {
        ck_clock_bus_ask(timer->loop);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct ck_clock_watch *watch = handle->data;
    if (--watch->open_handles == 0) {
        close(watch->fd);
        free(watch);
    }
}

int ck_clock_watch_create(struct ck_clock_watch **watch, uv_loop_t *loop, ck_clock_jumped *jumped,
                          void *user)
{
    ck_cleanup(ck_closep) int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    ck_cleanup(ck_freep) struct ck_clock_watch *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->jumped = jumped;
    made->user = user;
    made->fd = fd;
    int error = arm(fd);
    made->lead_us = read_lead_us();
    if (error == 0) {
        error = uv_poll_init(loop, &made->poll, fd);
    }
    if (error != 0) {
        return error;
    }
    uv_timer_init(loop, &made->timer);
    made->open_handles = 2;
    made->poll.data = made;
    made->timer.data = made;
    uv_timer_start(&made->timer, on_timer, 0, ASK_EVERY_MS);
    error = uv_poll_start(&made->poll, UV_READABLE, on_readable);
    *watch = ck_take(made);
    (void)ck_take_fd(&fd);
    if (error != 0) {
        ck_clock_watch_destroy(*watch);
        *watch = NULL;
    }
    return error;
}

void ck_clock_watch_destroy(struct ck_clock_watch *watch)
{
    if (watch != NULL) {
        uv_poll_stop(&watch->poll);
        uv_close((uv_handle_t *)&watch->poll, on_closed);
        uv_close((uv_handle_t *)&watch->timer, on_closed);
    }
}
