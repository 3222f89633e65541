/* The auditor: every ten seconds it looks whether anything that must happen is late, tells the
 * operator about what has begun and ended, and lets the heartbeat go on only while all is as it
 * should be. It is cheap on purpose, and its own silence stops the heartbeat. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "daemon/store/query_operations.h"
#include "protocol/base/error.h"

#define FIRST_MS 3000 /* after the start, when our own pages have been asked once */
#define EVERY_MS 10000
#define FRESH_MS 30000 /* an older finding is none */
#define ENGINE_LAG_MS 1000
#define OUTBOX_AGE_MS 600000 /* a notice that no channel has taken for longer is late */

/* What is looked at; each is told when it begins and when it ends. */
enum trouble {
    ENGINE_LATE,
    PAGES_SILENT,
    CLOCK_WRONG,
    CHANNEL_FAILING,
    DISK_LOW,
    RECORDINGS_LOST,
    LADDER_LATE,
    OUTBOX_LATE,
    STORE_SILENT,
    LOG_UNSIGNED,
    ROWS_ASIDE,
    CERTIFICATE_ENDS,
    TROUBLES,
};

static const struct {
    const char *begins;
    const char *ends;
    int event; /* enum ck_log_event, or -1 */
} words[TROUBLES] = {
    [ENGINE_LATE] = {"decisions are late", "decisions are in time again", -1},
    [PAGES_SILENT] = {"our own pages do not answer", "our own pages answer again", -1},
    [CLOCK_WRONG] = {"the clock is not synchronised: nobody counts as missed",
                     "the clock is synchronised again", CK_LOG_EVENT_CLOCK_UNSYNCHRONISED},
    [CHANNEL_FAILING] = {"a channel takes no notices", "all channels take notices again",
                         CK_LOG_EVENT_CHANNEL_FAILING},
    [DISK_LOW] = {"less room than disk_reserve", "there is room again", CK_LOG_EVENT_DISK_LOW},
    [RECORDINGS_LOST] = {"recordings cannot be written: [media] recording_dir is missing, not ours "
                         "or read-only",
                         "recordings can be written again", -1},
    [LADDER_LATE] = {"steps of incidents are late", "no step of an incident is late", -1},
    [OUTBOX_LATE] = {"a notice waits too long", "no notice waits too long", -1},
    [STORE_SILENT] = {"the store cannot be read", "the store can be read again", -1},
    [LOG_UNSIGNED] = {"the audit log is not signed", "the audit log is signed again", -1},
    [ROWS_ASIDE] = {"rows were set aside", "no row is set aside", CK_LOG_EVENT_QUARANTINED},
    [CERTIFICATE_ENDS] = {"the certificate of the pages ends within 14 days or has ended",
                          "the certificate of the pages was renewed",
                          CK_LOG_EVENT_CERTIFICATE_ENDS},
};

struct ck_auditor {
    struct ck_product *product;
    uv_timer_t timer;
    bool trouble[TROUBLES];
    bool asking;
    bool closed;
    struct ck_wall asked_at;
    uint64_t found_ms; /* when the last finding came; 0: none yet */
    struct ck_heartbeat *heartbeat;
};

static int query(struct ck_store *store, void *argument, json_t **out)
{
    const struct ck_auditor *auditor = argument;
    return ck_query_operations(store, auditor->asked_at, out);
}

static void set_trouble(struct ck_auditor *auditor, enum trouble trouble, bool on)
{
    if (auditor->trouble[trouble] == on) {
        return;
    }
    auditor->trouble[trouble] = on;
    enum ck_log_level level = on ? CK_LOG_WARNING : CK_LOG_INFO;
    const char *text = on ? words[trouble].begins : words[trouble].ends;
    if (on && words[trouble].event >= 0) {
        ck_log_event((enum ck_log_event)words[trouble].event, level, "%s", text);
    } else {
        ck_log(level, "%s", text);
    }
}

static bool a_channel_fails(const struct ck_product *product)
{
    struct ck_sender_status status[CK_NOTIFY_CHANNELS];
    ck_notify_status(product->notify, status);
    for (size_t i = 0; i < CK_NOTIFY_CHANNELS; i++) {
        if (status[i].on && ck_sender_fails(&status[i])) {
            return true;
        }
    }
    return false;
}

static int64_t outbox_age_ms(const json_t *operations, struct ck_wall now)
{
    struct ck_wall oldest = now;
    const char *text = json_string_value(json_object_get(operations, "outbox_oldest"));
    if (text != NULL) {
        ck_wall_parse(text, &oldest);
    }
    return now.ms - oldest.ms;
}

static int64_t count(const json_t *operations, const char *member)
{
    return json_integer_value(json_object_get(operations, member));
}

static void judge(struct ck_auditor *auditor, const json_t *operations)
{
    const struct ck_product *product = auditor->product;
    set_trouble(auditor, ENGINE_LATE, ck_product_late_ms(product) >= ENGINE_LAG_MS);
    set_trouble(auditor, PAGES_SILENT, !product->probe_good);
    set_trouble(auditor, CLOCK_WRONG, !ck_product_clock_good(product));
    set_trouble(auditor, CHANNEL_FAILING, a_channel_fails(product));
    set_trouble(auditor, LOG_UNSIGNED, ck_product_signer_trouble(product) != NULL);
    set_trouble(auditor, DISK_LOW, ck_product_disk_low(product));
    set_trouble(auditor, RECORDINGS_LOST, !ck_product_recordings_good(product));
    set_trouble(auditor, LADDER_LATE, count(operations, "incidents_overdue") > 0);
    set_trouble(auditor, OUTBOX_LATE, outbox_age_ms(operations, auditor->asked_at) > OUTBOX_AGE_MS);
    set_trouble(auditor, ROWS_ASIDE, count(operations, "quarantined") > 0);
    set_trouble(auditor, CERTIFICATE_ENDS,
                ck_product_certificate_left_ms(product, auditor->asked_at) <
                    CK_PRODUCT_CERTIFICATE_MS);
    auditor->found_ms = uv_now(&auditor->product->loop);
}

/* For `systemctl status`: the first thing that is wrong. */
static void tell_status(const struct ck_auditor *auditor)
{
    if (auditor->product->store_fails_since.ms != 0) {
        return; /* stall.c says what is worse */
    }
    int first = 0;
    while (first < TROUBLES && !auditor->trouble[first]) {
        first++;
    }
    ck_service_status("%zu calls; %s", ck_calls_status(auditor->product->calls).calls,
                      first == TROUBLES ? "all is well" : words[first].begins);
}

static void free_if_over(struct ck_auditor *auditor)
{
    if (auditor->closed && !auditor->asking) {
        free(auditor);
    }
}

/* What others are told of by ourselves, and what stops no check-in, is no reason to be silent: the
 * monitor is told of what we cannot tell. */
static bool silences(enum trouble trouble)
{
    return trouble != CHANNEL_FAILING && trouble != LOG_UNSIGNED && trouble != ROWS_ASIDE &&
           trouble != CERTIFICATE_ENDS;
}

static bool sound(void *user)
{
    const struct ck_auditor *auditor = user;
    uint64_t now_ms = uv_now(&auditor->product->loop);
    if (auditor->found_ms == 0 || now_ms - auditor->found_ms > FRESH_MS ||
        auditor->product->store_fails_since.ms != 0) {
        return false;
    }
    for (int trouble = 0; trouble < TROUBLES; trouble++) {
        if (auditor->trouble[trouble] && silences((enum trouble)trouble)) {
            return false;
        }
    }
    return true;
}

/* The heartbeat begins with the first finding, so that a start is no reason for an alarm. */
static void begin_heartbeat(struct ck_auditor *auditor)
{
    const struct ck_config *config = auditor->product->config;
    if (auditor->heartbeat != NULL || *config->heartbeat.url == '\0') {
        return;
    }
    const struct ck_heartbeat_options options = {.url = config->heartbeat.url,
                                                 .every_ms = config->heartbeat.every_ms,
                                                 .now = ck_clock_wall,
                                                 .sound = sound,
                                                 .user = auditor};
    int error = ck_heartbeat_create(&auditor->heartbeat, &auditor->product->loop, &options);
    if (error != 0) {
        ck_log_error("no heartbeat: %s",
                     ck_error_text(error)); /* tried again at the next finding */
    }
}

static void on_found(void *cookie, int code, json_t *operations)
{
    struct ck_auditor *auditor = cookie;
    auditor->asking = false;
    if (!auditor->product->stopping) {
        set_trouble(auditor, STORE_SILENT, code != 0);
        if (code == 0) {
            judge(auditor, operations);
        }
        tell_status(auditor);
        begin_heartbeat(auditor);
    }
    json_decref(operations);
    free_if_over(auditor);
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_auditor *auditor = timer->data;
    if (auditor->asking) {
        return; /* a store that does not answer is found by the age of the last finding */
    }
    auditor->asked_at = ck_clock_wall();
    auditor->asking =
        ck_readers_run(auditor->product->readers, query, auditor, on_found, auditor) == 0;
}

int ck_product_auditor_start(struct ck_product *product)
{
    struct ck_auditor *auditor = calloc(1, sizeof *auditor);
    if (auditor == NULL) {
        return -ENOMEM;
    }
    auditor->product = product;
    uv_timer_init(&product->loop, &auditor->timer);
    auditor->timer.data = auditor;
    uv_timer_start(&auditor->timer, on_timer, FIRST_MS, EVERY_MS);
    product->auditor = auditor;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct ck_auditor *auditor = handle->data;
    auditor->closed = true;
    free_if_over(auditor);
}

void ck_product_auditor_stop(struct ck_product *product)
{
    struct ck_auditor *auditor = product->auditor;
    product->auditor = NULL;
    if (auditor != NULL) {
        ck_heartbeat_destroy(auditor->heartbeat);
        uv_close((uv_handle_t *)&auditor->timer, on_closed);
    }
}

struct ck_heartbeat_status ck_product_heartbeats(const struct ck_product *product)
{
    struct ck_heartbeat_status status = {.sent = 0};
    if (product->auditor != NULL && product->auditor->heartbeat != NULL) {
        ck_heartbeat_status(product->auditor->heartbeat, &status);
    }
    return status;
}
