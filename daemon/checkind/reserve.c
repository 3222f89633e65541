/* The room on the disk: looked at every second in the pool, because a file system that stalls would
 * hold up the pages; below disk_reserve the engine is told, and running recordings end. */
#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"

#define EVERY_MS 1000
#define ENOUGH_PERCENT                                                                             \
    110 /* of the reserve: then it is enough again, so that it does not flicker */

struct ck_reserve {
    struct ck_product *product;
    uv_timer_t timer;
    uv_work_t work;
    char *paths[2]; /* state, recordings */
    bool asking;
    bool closed;
    bool low;
    int64_t free_bytes;            /* the pool's while `asking`; -1: not known */
    bool writable, known_writable; /* the recordings; likewise */
    int64_t known_bytes;           /* of the last look that told something; -1: none yet */
};

/* The less of the two; what cannot be asked says nothing. A folder that is missing, of another
 * owner or read-only is found here and not only when a call comes. */
static void look(uv_work_t *work)
{
    struct ck_reserve *reserve = work->data;
    reserve->free_bytes = -1;
    reserve->writable = access(reserve->paths[1], W_OK | X_OK) == 0;
    for (size_t i = 0; i < 2; i++) {
        struct statvfs room;
        if (statvfs(reserve->paths[i], &room) == 0) {
            int64_t bytes = (int64_t)room.f_bavail * (int64_t)room.f_frsize;
            if (reserve->free_bytes < 0 || bytes < reserve->free_bytes) {
                reserve->free_bytes = bytes;
            }
        }
    }
}

static void free_if_over(struct ck_reserve *reserve)
{
    if (reserve->closed && !reserve->asking) {
        free(reserve->paths[0]);
        free(reserve->paths[1]);
        free(reserve);
    }
}

static void judge(struct ck_reserve *reserve)
{
    struct ck_product *product = reserve->product;
    reserve->known_bytes = reserve->free_bytes;
    reserve->known_writable = reserve->writable;
    int64_t wanted = product->config->limits.disk_reserve_bytes;
    bool low = reserve->low ? reserve->free_bytes < wanted / 100 * ENOUGH_PERCENT
                            : reserve->free_bytes < wanted;
    if (low == reserve->low) {
        return;
    }
    reserve->low = low;
    ck_engine_set_low(ck_bus_engine(product->bus), low);
    if (low) {
        ck_log_error("less room than disk_reserve: recordings and administration stop; free=%lld",
                     (long long)reserve->free_bytes);
        ck_calls_stop_recordings(product->calls);
    } else {
        ck_log_info("there is room again");
    }
}

static void on_looked(uv_work_t *work, int status)
{
    struct ck_reserve *reserve = work->data;
    reserve->asking = false;
    if (status == 0 && reserve->free_bytes >= 0 && !reserve->product->stopping) {
        judge(reserve);
    }
    free_if_over(reserve);
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_reserve *reserve = timer->data;
    if (!reserve->asking) {
        reserve->work.data = reserve;
        reserve->asking =
            uv_queue_work(&reserve->product->loop, &reserve->work, look, on_looked) == 0;
    }
}

int ck_product_reserve_start(struct ck_product *product)
{
    struct ck_reserve *reserve = calloc(1, sizeof *reserve);
    if (reserve == NULL) {
        return -ENOMEM;
    }
    reserve->product = product;
    reserve->known_bytes = -1;
    reserve->known_writable = true;
    reserve->paths[0] = ck_config_path(product->config, product->config->daemon.state_dir);
    reserve->paths[1] = ck_config_path(product->config, product->config->media.recording_dir);
    if (reserve->paths[0] == NULL || reserve->paths[1] == NULL) {
        free(reserve->paths[0]);
        free(reserve->paths[1]);
        free(reserve);
        return -ENOMEM;
    }
    uv_timer_init(&product->loop, &reserve->timer);
    reserve->timer.data = reserve;
    product->reserve = reserve;
    return uv_timer_start(&reserve->timer, on_timer, 0, EVERY_MS);
}

static void on_closed(uv_handle_t *handle)
{
    struct ck_reserve *reserve = handle->data;
    reserve->closed = true;
    free_if_over(reserve);
}

void ck_product_reserve_stop(struct ck_product *product)
{
    struct ck_reserve *reserve = product->reserve;
    product->reserve = NULL;
    if (reserve != NULL) {
        uv_close((uv_handle_t *)&reserve->timer, on_closed);
    }
}

int64_t ck_product_disk_free(const struct ck_product *product)
{
    return product->reserve == NULL ? -1 : product->reserve->known_bytes;
}

bool ck_product_disk_low(const struct ck_product *product)
{
    int64_t bytes = ck_product_disk_free(product);
    return bytes >= 0 && bytes < product->config->limits.disk_reserve_bytes;
}

bool ck_product_recordings_good(const struct ck_product *product)
{
    return product->reserve == NULL || product->reserve->known_writable;
}
