#include "daemon/ctl/service.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

struct ck_watchdog {
    uv_timer_t timer;
    ck_watchdog_sound *sound;
    void *user;
};

/* The limit is not enough: a handler of core_pattern gets the memory all the same. */
int ck_service_hide_memory(void)
{
    const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ? -errno
                                                                                         : 0;
}

/* READY=1 was not taken yet. Of the loop's thread. */
static bool ready_is_owed;

/* What sd_notify() does, but it never waits: that one stands still while the manager does not read,
 * and with it everything that is due. False: the manager did not take it. */
static bool tell(const char *state)
{
    struct sockaddr_un manager = {.sun_family = AF_UNIX};
    const char *name = getenv("NOTIFY_SOCKET");
    size_t length = name != NULL ? strlen(name) : 0;
    if (length == 0 || length > sizeof manager.sun_path) {
        return true; /* there is none */
    }
    memcpy(manager.sun_path, name, length);
    if (name[0] == '@') {
        manager.sun_path[0] = '\0'; /* abstract */
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&manager,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    close(fd);
    return sent == (ssize_t)strlen(state);
}

void ck_service_ready(void)
{
    ready_is_owed = !tell("READY=1");
}

void ck_service_reloading(void)
{
    tell("RELOADING=1");
}

void ck_service_stopping(void)
{
    ready_is_owed = false;
    tell("STOPPING=1");
}

void ck_service_status(const char *format, ...)
{
    char text[200] = "STATUS=";
    size_t prefix = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + prefix, sizeof text - prefix, format, args);
    va_end(args);
    tell(text);
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_watchdog *watchdog = timer->data;
    if (!watchdog->sound(watchdog->user)) {
        return;
    }
    if (!ready_is_owed) {
        tell("WATCHDOG=1");
    } else if (tell("READY=1\nWATCHDOG=1")) {
        ready_is_owed = false;
    }
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int ck_watchdog_create(struct ck_watchdog **watchdog, uv_loop_t *loop, ck_watchdog_sound *sound,
                       void *user)
{
    uint64_t interval_us = 0;
    int wanted = sd_watchdog_enabled(0, &interval_us);
    if (wanted <= 0) {
        *watchdog = NULL;
        return wanted;
    }
    struct ck_watchdog *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->sound = sound;
    made->user = user;
    uint64_t every_ms = interval_us / 1000 / CK_WATCHDOG_SIGNS;
    uv_timer_init(loop, &made->timer);
    made->timer.data = made;
    uv_timer_start(&made->timer, on_timer, 0, every_ms > 0 ? every_ms : 1);
    *watchdog = made;
    return 0;
}

void ck_watchdog_destroy(struct ck_watchdog *watchdog)
{
    if (watchdog != NULL) {
        uv_close((uv_handle_t *)&watchdog->timer, on_closed);
    }
}
