/* Whether the store takes what is decided: told once in the journal when it begins not to and when
 * it does again, to the open consoles, to the duty roster, and to the service manager, which is to
 * end a daemon that hangs and none that only waits for a disk. */
#include <inttypes.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "protocol/client.h"

#define TOLD_EVERY_MS 60000 /* a store that comes and goes does not fill the journal */

static const char *const waits = "its disk does not answer";

static struct ck_engine *engine_of(const struct ck_product *product)
{
    return ck_bus_engine(product->bus);
}

void ck_product_store_fails(struct ck_product *product, const json_t *alarm, struct ck_wall from)
{
    uint64_t now_ms = uv_now(&product->loop);
    const char *error = json_string_value(json_object_get(alarm, "error"));
    if (product->store_fails_since.ms == 0) {
        product->store_fails_since = from;
        ck_hub_store(product->hub, from, 0);
        if (product->store_told_ms == 0 || now_ms - product->store_told_ms >= TOLD_EVERY_MS) {
            product->store_told = true;
            product->store_told_ms = now_ms;
            ck_log_event(
                CK_LOG_EVENT_CANNOT_WRITE, CK_LOG_ERROR,
                "nothing can be written to the store (%s): nothing is decided, calls go on",
                error == NULL ? "?" : error);
        }
    }
    ck_notify_alarm(product->notify, alarm);
}

void ck_product_store_good(struct ck_product *product, struct ck_wall from, int64_t lasted_ms)
{
    product->store_fails_since = (struct ck_wall){0};
    product->silent_seen = 0;
    ck_hub_store(product->hub, from, lasted_ms);
    if (product->store_told) {
        product->store_told = false;
        ck_log(CK_LOG_WARNING,
               "the store can be written again: nothing was decided for %" PRId64
               " s; what was due meanwhile is decided now",
               (lasted_ms + 999) / 1000);
    }
}

/* For `systemctl status`, and a sign that the silence is that of a disk. */
static void tell_status(const struct ck_product *product, int64_t silent_ms)
{
    ck_service_status("%zu calls; nothing is decided: the store waits for its disk since %" PRId64
                      " s",
                      ck_calls_status(product->calls).calls, silent_ms / 1000);
}

void ck_product_watch_engine(struct ck_product *product)
{
    int64_t silent_ms = ck_engine_silent_ms(engine_of(product), ck_clock_mono());
    if (silent_ms < CK_PRODUCT_ENGINE_SILENT_MS) {
        product->silent_seen = 0; /* what was said of it ends with the engine's own word */
        return;
    }
    /* Once may be a machine that was suspended, and whose engine has not woken up yet. */
    if (++product->silent_seen < 2) {
        return;
    }
    bool disk = ck_engine_waits_for_disk(engine_of(product));
    if (disk) {
        tell_status(product, silent_ms);
    }
    json_t *roster = ck_engine_roster(engine_of(product));
    json_t *alarm = json_pack("{s:s, s:o}", "error", disk ? waits : "a decision does not end",
                              "roster", roster);
    ck_product_store_fails(product, alarm, ck_wall_add_ms(ck_clock_wall(), -silent_ms));
    json_decref(alarm);
}

int64_t ck_product_late_ms(const struct ck_product *product)
{
    int64_t lag_ms = ck_engine_lag_ms(engine_of(product));
    int64_t silent_ms = ck_engine_silent_ms(engine_of(product), ck_clock_mono());
    return silent_ms >= CK_PRODUCT_ENGINE_SILENT_MS && silent_ms > lag_ms ? silent_ms : lag_ms;
}

bool ck_product_sound(const struct ck_product *product)
{
    int64_t silent_ms = ck_engine_silent_ms(engine_of(product), ck_clock_mono());
    return silent_ms < CK_PRODUCT_ENGINE_SILENT_MS ||
           (silent_ms < CK_PRODUCT_DISK_WAIT_MS && ck_engine_waits_for_disk(engine_of(product)));
}
