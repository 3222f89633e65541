#include "daemon/ctl/service.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <systemd/sd-daemon.h>

struct ck_watchdog {
    uv_timer_t timer;
    ck_watchdog_sound *sound;
    void *user;
};

void ck_service_ready(void)
{
    sd_notify(0, "READY=1");
}

void ck_service_reloading(void)
{
    sd_notify(0, "RELOADING=1");
}

void ck_service_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void ck_service_status(const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sd_notifyf(0, "STATUS=%s", text);
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_watchdog *watchdog = timer->data;
    if (watchdog->sound(watchdog->user)) {
        sd_notify(0, "WATCHDOG=1");
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
