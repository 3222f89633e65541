/* The auditor: every ten seconds it looks whether anything that must happen is late, tells the
 * operator about what has begun and ended, and lets the heartbeat go on only while all is as it
 * should be. It is cheap on purpose, and its own silence stops the heartbeat. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "daemon/store/query_operations.h"
#include "protocol/base/error.h"
#include "scheduler/watch.h"

#define FIRST_MS 3000 /* after the start, when our own pages have been asked once */
#define EVERY_MS 10000
#define FRESH_MS 30000 /* an older finding is none */

/* What is looked at; each is told when it begins and when it ends. First what silences the
 * heartbeat (scheduler/watch.h says when); then a store that does not answer, which silences it
 * too; then what others are told of by ourselves. */
enum trouble {
    STORE_SILENT = CK_WATCH_FAULT_COUNT,
    CHANNEL_FAILING,
    RELAY_SILENT,
    RELAY_FULL,
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
    [CK_WATCH_STEP] = {"steps of incidents are late", "no step of an incident is late", -1},
    [CK_WATCH_CHECKIN] = {"check-ins are late", "no check-in is late", -1},
    [CK_WATCH_OUTBOX] = {"a notice waits too long", "no notice waits too long", -1},
    [CK_WATCH_LAG] = {"decisions are late", "decisions are in time again", -1},
    [CK_WATCH_UNSIGNED] = {"the audit log has not been signed for minutes: no heartbeat",
                           "the unsigned log is no reason to be silent any more", -1},
    [CK_WATCH_CHANNELS] = {"no channel takes notices", "a channel takes notices again", -1},
    [CK_WATCH_DISK] = {"less room than disk_reserve", "there is room again", CK_LOG_EVENT_DISK_LOW},
    [CK_WATCH_CLOCK] = {"the clock is not synchronised: nobody counts as missed",
                        "the clock is synchronised again", CK_LOG_EVENT_CLOCK_UNSYNCHRONISED},
    [CK_WATCH_PAGES] = {"our own pages do not answer", "our own pages answer again", -1},
    [CK_WATCH_RECORDINGS] = {"recordings cannot be written: [media] recording_dir is missing, not "
                             "ours or read-only",
                             "recordings can be written again", -1},
    [CHANNEL_FAILING] = {"a channel takes no notices", "all channels take notices again",
                         CK_LOG_EVENT_CHANNEL_FAILING},
    [RELAY_SILENT] = {"a TURN server gives no address: nobody counts as missed",
                      "the TURN servers give addresses again", -1},
    [RELAY_FULL] = {"a TURN server has no address left: who needs it cannot call",
                    "the TURN servers have addresses left again", -1},
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
    uint64_t found_ms;          /* when the last finding came; 0: none yet */
    uint64_t unsigned_since_ms; /* 0: the log is signed */
    struct ck_heartbeat *heartbeat;
};

static int query(struct ck_store *store, void *argument, json_t **out)
{
    const struct ck_auditor *auditor = argument;
    return ck_query_operations(store, auditor->asked_at, out);
}

static void set_trouble(struct ck_auditor *auditor, int trouble, bool on)
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

/* How many channels there are, and how many of them fail. */
static void count_channels(const struct ck_product *product, unsigned *on, unsigned *failing)
{
    struct ck_sender_status status[CK_NOTIFY_CHANNELS];
    ck_notify_status(product->notify, status);
    for (size_t i = 0; i < CK_NOTIFY_CHANNELS; i++) {
        *on += status[i].on;
        *failing += status[i].on && ck_sender_fails(&status[i]);
    }
}

/* How long ago the soonest timer of a kind of row should have been dealt with. */
static int64_t overdue_ms(const struct ck_auditor *auditor, const json_t *operations,
                          const char *member)
{
    struct ck_wall due;
    const char *text = json_string_value(json_object_get(operations, member));
    return text == NULL || ck_wall_parse(text, &due) != 0 ? 0 : auditor->asked_at.ms - due.ms;
}

/* Since when the log is not signed. */
static int64_t unsigned_ms(struct ck_auditor *auditor)
{
    uint64_t now_ms = uv_now(&auditor->product->loop);
    if (ck_product_signer_trouble(auditor->product) == NULL) {
        auditor->unsigned_since_ms = 0;
        return 0;
    }
    if (auditor->unsigned_since_ms == 0) {
        auditor->unsigned_since_ms = now_ms;
    }
    return (int64_t)(now_ms - auditor->unsigned_since_ms);
}

static void judge(struct ck_auditor *auditor, const json_t *operations)
{
    const struct ck_product *product = auditor->product;
    unsigned channels = 0, failing = 0;
    count_channels(product, &channels, &failing);
    const struct ck_watch watch = {
        .step_overdue_ms = overdue_ms(auditor, operations, "step_due"),
        .checkin_overdue_ms = overdue_ms(auditor, operations, "checkin_due"),
        .outbox_overdue_ms = overdue_ms(auditor, operations, "notice_due"),
        .lag_ms = ck_product_late_ms(product),
        .unsigned_ms = unsigned_ms(auditor),
        .channels_fail = channels > 0 && failing == channels,
        .disk_low = ck_product_disk_low(product),
        .clock_unsynchronised = !ck_product_clock_good(product),
        .pages_silent = !product->probe_good,
        .recordings_unwritable = !ck_product_recordings_good(product),
    };
    uint32_t faults = ck_watch_faults(&watch);
    for (int fault = 0; fault < CK_WATCH_FAULT_COUNT; fault++) {
        set_trouble(auditor, fault, (faults >> fault & 1) != 0);
    }
    set_trouble(auditor, CHANNEL_FAILING, failing > 0);
    set_trouble(auditor, RELAY_SILENT, !product->relay_good);
    set_trouble(auditor, RELAY_FULL, product->relay_full);
    set_trouble(auditor, LOG_UNSIGNED, ck_product_signer_trouble(product) != NULL);
    set_trouble(auditor, ROWS_ASIDE,
                json_integer_value(json_object_get(operations, "quarantined")) > 0);
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

static bool sound(void *user)
{
    const struct ck_auditor *auditor = user;
    uint64_t now_ms = uv_now(&auditor->product->loop);
    if (auditor->found_ms == 0 || now_ms - auditor->found_ms > FRESH_MS ||
        auditor->product->store_fails_since.ms != 0) {
        return false;
    }
    for (int trouble = 0; trouble <= STORE_SILENT; trouble++) {
        if (auditor->trouble[trouble]) {
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
