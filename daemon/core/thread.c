#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/engine_impl.h"
#include "protocol/base/cleanup.h"

/* The longest sleep, so that a clock nobody told us about is noticed. */
#define SLEEP_MAX_MS 60000

static bool stopping(struct ck_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool stop = engine->stopping;
    pthread_mutex_unlock(&engine->lock);
    return stop;
}

/* Sleeps until the wall clock reads `next`, a command comes, or the clock is set. */
static void sleep_until(struct ck_engine *engine, int timer_fd, struct ck_wall now,
                        struct ck_wall next)
{
    if (next.ms <= now.ms) {
        return;
    }
    int64_t at = next.ms - now.ms > SLEEP_MAX_MS ? now.ms + SLEEP_MAX_MS : next.ms;
    struct itimerspec spec = {.it_value = {.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000}};
    /* ECANCELED says that the clock was set since; the timer is armed all the same. */
    (void)timerfd_settime(timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL);
    struct pollfd fds[] = {{.fd = engine->wake_fd, .events = POLLIN},
                           {.fd = timer_fd, .events = POLLIN}};
    while (poll(fds, 2, SLEEP_MAX_MS) < 0 && errno == EINTR) {
    }
    eventfd_t count;
    (void)eventfd_read(engine->wake_fd, &count);
}

static void *run(void *user)
{
    struct ck_engine *engine = user;
    ck_cleanup(ck_closep) int timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    while (!stopping(engine)) {
        struct ck_now now;
        struct ck_wall next;
        engine->options.clock(engine->options.user, &now);
        /* A failure has been told to whoever waits for it, and *next says when to try again. */
        (void)ck_engine_turn(engine, &now, &next);
        engine->options.clock(engine->options.user, &now);
        sleep_until(engine, timer_fd, now.wall, next);
    }
    return NULL;
}

int ck_engine_start(struct ck_engine *engine)
{
    engine->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (engine->wake_fd < 0) {
        return -errno;
    }
    /* Signals are the loop's business. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&engine->thread, NULL, run, engine);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        close(ck_take_fd(&engine->wake_fd));
        return -error;
    }
    engine->running = true;
    return 0;
}

void ck_engine_stop(struct ck_engine *engine)
{
    if (!engine->running) {
        return;
    }
    pthread_mutex_lock(&engine->lock);
    engine->stopping = true;
    pthread_mutex_unlock(&engine->lock);
    (void)eventfd_write(engine->wake_fd, 1);
    pthread_join(engine->thread, NULL);
    close(ck_take_fd(&engine->wake_fd));
    engine->running = false;
    engine->stopping = false;
}
