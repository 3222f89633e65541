#include "daemon/notify/heartbeat.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/config/log.h"
#include "daemon/notify/probe.h"

#define TIMEOUT_MS 10000

struct ck_heartbeat {
    uv_timer_t timer;
    struct ck_probe *probe;
    struct ck_heartbeat_options options;
    struct ck_heartbeat_status status;
    bool failing;
    bool withholding;
};

/* Tells changes only, not each beat. */
static void tell(bool *state, bool now, const char *begins, const char *ends, const char *detail)
{
    if (now && !*state) {
        ck_log_warning("%s: %s", begins, detail);
    } else if (!now && *state) {
        ck_log_info("%s", ends);
    }
    *state = now;
}

static void on_answer(void *user, bool good, int64_t elapsed_ms, const char *detail)
{
    (void)elapsed_ms;
    struct ck_heartbeat *heartbeat = user;
    if (good) {
        heartbeat->status.sent++;
        heartbeat->status.last_sent = heartbeat->options.now();
    } else {
        heartbeat->status.failed++;
    }
    tell(&heartbeat->failing, !good, "the heartbeat is not taken", "the heartbeat is taken again",
         detail);
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_heartbeat *heartbeat = timer->data;
    bool sound = heartbeat->options.sound(heartbeat->options.user);
    tell(&heartbeat->withholding, !sound, "the heartbeat is withheld",
         "the heartbeat is sent again", "the daemon does not find itself sound");
    if (!sound) {
        heartbeat->status.withheld++;
    } else if (ck_probe_ask(heartbeat->probe) != 0) {
        heartbeat->status.failed++; /* the last one still waits for its answer */
    }
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int ck_heartbeat_create(struct ck_heartbeat **heartbeat, uv_loop_t *loop,
                        const struct ck_heartbeat_options *options)
{
    struct ck_heartbeat *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->options = *options;
    const struct ck_probe_options probe = {
        .url = options->url, .timeout_ms = TIMEOUT_MS, .done = on_answer, .user = made};
    int error = ck_probe_create(&made->probe, loop, &probe);
    if (error != 0) {
        free(made);
        return error;
    }
    uv_timer_init(loop, &made->timer);
    made->timer.data = made;
    uv_timer_start(&made->timer, on_timer, 0, (uint64_t)options->every_ms);
    *heartbeat = made;
    return 0;
}

void ck_heartbeat_destroy(struct ck_heartbeat *heartbeat)
{
    if (heartbeat != NULL) {
        ck_probe_destroy(heartbeat->probe);
        uv_close((uv_handle_t *)&heartbeat->timer, on_closed);
    }
}

void ck_heartbeat_status(const struct ck_heartbeat *heartbeat, struct ck_heartbeat_status *status)
{
    *status = heartbeat->status;
}
