#include "tests/client/crowd.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define EVENTS_PER_WAIT 128
#define MAX_WATCHES 8192 /* descriptors above it are refused */

struct watch {
    ck_crowd_ready *ready;
    void *arg;
    uint64_t age; /* of its registration; an event of an older one is stale */
};

struct ck_crowd {
    int epoll;
    uint64_t age;
    struct ck_mono now;
    int64_t wall_ns;       /* what the wall clock is ahead of the monotonic one */
    struct watch *watches; /* by descriptor */
    struct ck_crowd_timer **heap;
    size_t armed;
    size_t room;
};

static struct ck_mono read_mono(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (struct ck_mono){(int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000};
}

uint64_t ck_crowd_wall_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

uint64_t ck_crowd_wall_of(const struct ck_crowd *crowd, struct ck_mono at)
{
    return (uint64_t)(crowd->wall_ns + at.us * 1000);
}

int ck_crowd_create(struct ck_crowd **crowd)
{
    struct ck_crowd *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->watches = calloc(MAX_WATCHES, sizeof *made->watches);
    made->epoll = epoll_create1(EPOLL_CLOEXEC);
    made->now = read_mono();
    made->wall_ns = (int64_t)ck_crowd_wall_ns() - made->now.us * 1000;
    if (made->watches == NULL || made->epoll < 0) {
        int error = made->epoll < 0 ? -errno : -ENOMEM;
        ck_crowd_destroy(made);
        return error;
    }
    *crowd = made;
    return 0;
}

void ck_crowd_destroy(struct ck_crowd *crowd)
{
    if (crowd == NULL) {
        return;
    }
    if (crowd->epoll >= 0) {
        close(crowd->epoll);
    }
    free(crowd->watches);
    free(crowd->heap);
    free(crowd);
}

int ck_crowd_watch(struct ck_crowd *crowd, int fd, uint32_t events, ck_crowd_ready *ready,
                   void *arg)
{
    if (fd < 0 || fd >= MAX_WATCHES) {
        return CK_E_LIMIT;
    }
    uint64_t age = ++crowd->age;
    struct epoll_event event = {.events = events, .data.u64 = age << 16 | (uint64_t)fd};
    if (epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        return -errno;
    }
    crowd->watches[fd] = (struct watch){.ready = ready, .arg = arg, .age = age};
    return 0;
}

void ck_crowd_unwatch(struct ck_crowd *crowd, int fd)
{
    if (fd < 0 || fd >= MAX_WATCHES || crowd->watches[fd].ready == NULL) {
        return;
    }
    epoll_ctl(crowd->epoll, EPOLL_CTL_DEL, fd, NULL);
    crowd->watches[fd] = (struct watch){0};
}

/* The heap: heap[0] is place 1, the earliest timer. */

static void heap_put(struct ck_crowd *crowd, size_t place, struct ck_crowd_timer *timer)
{
    crowd->heap[place - 1] = timer;
    timer->place = place;
}

static void heap_up(struct ck_crowd *crowd, struct ck_crowd_timer *timer)
{
    size_t place = timer->place;
    while (place > 1 && crowd->heap[place / 2 - 1]->at.us > timer->at.us) {
        heap_put(crowd, place, crowd->heap[place / 2 - 1]);
        place /= 2;
    }
    heap_put(crowd, place, timer);
}

static void heap_down(struct ck_crowd *crowd, struct ck_crowd_timer *timer)
{
    size_t place = timer->place;
    for (;;) {
        size_t child = place * 2;
        if (child > crowd->armed) {
            break;
        }
        if (child < crowd->armed && crowd->heap[child]->at.us < crowd->heap[child - 1]->at.us) {
            child++;
        }
        if (crowd->heap[child - 1]->at.us >= timer->at.us) {
            break;
        }
        heap_put(crowd, place, crowd->heap[child - 1]);
        place = child;
    }
    heap_put(crowd, place, timer);
}

void ck_crowd_arm(struct ck_crowd *crowd, struct ck_crowd_timer *timer, struct ck_mono at)
{
    if (timer->place == 0) {
        if (crowd->armed == crowd->room) {
            size_t room = crowd->room == 0 ? 256 : crowd->room * 2;
            struct ck_crowd_timer **heap = realloc(crowd->heap, room * sizeof(*heap));
            if (heap == NULL) {
                abort(); /* a test program without memory has nothing left to say */
            }
            crowd->heap = heap;
            crowd->room = room;
        }
        heap_put(crowd, ++crowd->armed, timer);
    }
    timer->at = at;
    heap_up(crowd, timer);
    heap_down(crowd, timer);
}

void ck_crowd_disarm(struct ck_crowd *crowd, struct ck_crowd_timer *timer)
{
    if (timer->place == 0) {
        return;
    }
    size_t place = timer->place;
    struct ck_crowd_timer *last = crowd->heap[--crowd->armed];
    timer->place = 0;
    if (last != timer) {
        heap_put(crowd, place, last);
        heap_up(crowd, last);
        heap_down(crowd, last);
    }
}

struct ck_mono ck_crowd_now(const struct ck_crowd *crowd)
{
    return crowd->now;
}

/* Fires what was due when the turn began, so that a timer that arms itself anew for "now" cannot
 * keep the sockets waiting. */
static void fire(struct ck_crowd *crowd)
{
    int64_t until = crowd->now.us;
    while (crowd->armed > 0 && crowd->heap[0]->at.us <= until) {
        struct ck_crowd_timer *timer = crowd->heap[0];
        ck_crowd_disarm(crowd, timer);
        timer->due(timer->arg);
    }
}

static int wait_ms(const struct ck_crowd *crowd, int max_ms)
{
    if (crowd->armed == 0) {
        return max_ms;
    }
    int64_t left = crowd->heap[0]->at.us - crowd->now.us;
    if (left <= 0) {
        return 0;
    }
    int64_t ms = (left + 999) / 1000;
    return max_ms >= 0 && ms > max_ms ? max_ms : (int)(ms > INT_MAX ? INT_MAX : ms);
}

int ck_crowd_turn(struct ck_crowd *crowd, int max_ms)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    crowd->now = read_mono();
    int count = epoll_wait(crowd->epoll, events, EVENTS_PER_WAIT, wait_ms(crowd, max_ms));
    if (count < 0 && errno != EINTR) {
        return -errno;
    }
    crowd->now = read_mono();
    for (int i = 0; i < count; i++) {
        const struct watch *watch = &crowd->watches[events[i].data.u64 & 0xffff];
        if (watch->ready != NULL && watch->age == events[i].data.u64 >> 16) {
            watch->ready(watch->arg, events[i].events);
        }
    }
    crowd->now = read_mono();
    fire(crowd);
    return 0;
}

int ck_crowd_until(struct ck_crowd *crowd, bool (*done)(void *arg), void *arg, int timeout_ms)
{
    int64_t end = read_mono().us + (int64_t)timeout_ms * 1000;
    for (;;) {
        if (done != NULL && done(arg)) {
            return 0;
        }
        int64_t left = end - read_mono().us;
        if (left <= 0) {
            return done == NULL ? 0 : CK_E_BUSY;
        }
        int error = ck_crowd_turn(crowd, (int)((left + 999) / 1000));
        if (error != 0) {
            return error;
        }
    }
}
