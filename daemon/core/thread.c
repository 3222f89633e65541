#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
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
    atomic_store(&engine->thread_id, (int)gettid());
    while (!stopping(engine)) {
        struct ck_now now;
        struct ck_wall next;
        engine->options.clock(engine->options.user, &now);
        atomic_store(&engine->moved_us, now.mono.us);
        const struct ck_now began = now;
        /* A failure has been told to whoever waits for it, and *next says when to try again. */
        (void)ck_engine_turn(engine, &now, &next);
        engine->options.clock(engine->options.user, &now);
        atomic_store(&engine->moved_us, now.mono.us);
        ck_engine_note_turn(engine, &began, &now);
        sleep_until(engine, timer_fd, now.wall, next);
    }
    atomic_store(&engine->moved_us, 0);
    return NULL;
}

int64_t ck_engine_silent_ms(const struct ck_engine *engine, struct ck_mono now)
{
    int64_t moved_us = atomic_load(&engine->moved_us);
    return moved_us == 0 || moved_us > now.us ? 0 : (now.us - moved_us) / 1000;
}

bool ck_engine_waits_for_disk(const struct ck_engine *engine)
{
    char path[48], text[128];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", atomic_load(&engine->thread_id));
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    const char *name_end = strrchr(text, ')'); /* "TID (NAME) S ..."; a name may hold anything */
    return name_end != NULL && strncmp(name_end, ") D", 3) == 0;
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
