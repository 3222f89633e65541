/* The running product: what main() builds up and takes down, in the order of the members. */
#ifndef DAEMON_CHECKIND_PRODUCT_IMPL_H
#define DAEMON_CHECKIND_PRODUCT_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "daemon/api/api.h"
#include "daemon/api/hub.h"
#include "daemon/call/call.h"
#include "daemon/config/config.h"
#include "daemon/core/bus.h"
#include "daemon/ctl/clock.h"
#include "daemon/ctl/control.h"
#include "daemon/ctl/metrics.h"
#include "daemon/ctl/service.h"
#include "daemon/http/certificate.h"
#include "daemon/http/pages.h"
#include "daemon/http/server.h"
#include "daemon/notify/heartbeat.h"
#include "daemon/notify/notify.h"
#include "daemon/notify/probe.h"
#include "daemon/store/readers.h"
#include "protocol/base/digest.h"
#include "protocol/base/text.h"

#define CK_PRODUCT_HEALTH_MS 2000 /* between two reports of our own health */
#define CK_PRODUCT_PROBE_MS 1500  /* a page that takes longer is no page */
#define CK_PRODUCT_CERTIFICATE_MS (INT64_C(14) * 86400000) /* so long before its end it is told */
/* An engine that ends no turn for longer hangs, or its disk does not answer: consoles and roster
 * are told; while it hangs the watchdog gets no sign of life. */
#define CK_PRODUCT_ENGINE_SILENT_MS 10000
/* For so long an engine that waits for its disk has signs of life given for it: another start would
 * wait for the same disk, and end the calls. */
#define CK_PRODUCT_DISK_WAIT_MS 600000

struct ck_product {
    const struct ck_config *config;
    uv_loop_t loop;
    uint8_t master_key[CK_KEY_SIZE];
    struct ck_wall started;
    char *certificate_pem, *key_pem;
    struct ck_wall certificate_until; /* its end */
    int lock_fd;                      /* on the store; -1: not taken */
    struct ck_registry registry;
    struct ck_bus *bus;
    struct ck_readers *readers;
    struct ck_notify *notify;
    struct ck_calls *calls;
    struct ck_pages *pages;
    struct ck_http *http;
    struct ck_hub *hub;
    struct ck_api *api;
    struct ck_control *control;
    atomic_bool films_stop; /* for the threads that make bundles */
    bool export_runs;       /* a bundle is being made for checkinctl … */
    int export_fd;          /* … and this one was: a memory file; -1: none */
    uint64_t export_size;
    struct ck_auditor *auditor;
    struct ck_checkpoints *checkpoints;
    struct ck_reserve *reserve;
    struct ck_witness_beat *witness_beat;
    struct ck_metrics *metrics;
    uv_timer_t tick;
    int64_t tick_ms;     /* of uv_hrtime(), at the last tick */
    int64_t loop_lag_ms; /* the worst since somebody asked */
    struct ck_clock_watch *clock_watch;
    struct ck_watchdog *watchdog;
    struct ck_wall store_fails_since; /* 0: it can be written */
    bool store_told;                  /* … and the journal says that it cannot */
    uint64_t store_told_ms;
    unsigned silent_seen; /* looks at the engine in a row at which it was silent */
    struct ck_probe *probe;
    uv_timer_t health;
    uv_signal_t signals[3];
    bool probe_good;
    struct ck_relay_watch *relay; /* NULL: no TURN server is configured */
    bool relay_good, relay_full;
    bool clock_noted; /* what the log says of the clock, and since when */
    int64_t clock_noted_ms;
    bool stopping;
    int exit_code;
};

/* product.c: 0, or the exit status after a line in the journal that says what is wrong. */
int ck_product_run(const struct ck_config *config);

/* media.c: workers and calls; -errno after a line in the journal that says what is wrong. */
int ck_product_calls_start(struct ck_product *product);

/* pages.c */
struct ck_hub_calls ck_product_hub_calls(struct ck_product *product);
void ck_product_page_send(void *context, ck_call_page *page, json_t *message);

/* outputs.c: carries out what the engine wants done. */
void ck_product_output(void *context, const struct ck_output *output);

/* premises.c: takes the store at this path for this process alone. CK_E_CONFLICT where another one
 * has it, or -errno, after a line in the journal. */
int ck_product_take_store(struct ck_product *product, const char *path);
/* Why the engine could not open it. */
void ck_product_tell_store(const char *path, int error);
/* Raises the limit of open files where the connections allowed need it; warns where it cannot. */
void ck_product_check_files(const struct ck_config *config);

/* certificates.c: reads certificate and key, making them for `names` where they are self-signed and
 * not there yet; -errno after a line in the journal. */
int ck_product_certificate_load(struct ck_product *product, const char *const *names, size_t count);
/* Reads them again and shows them from now on; what cannot be used leaves everything as it was. */
void ck_product_certificate_reload(struct ck_product *product);
int64_t ck_product_certificate_left_ms(const struct ck_product *product, struct ck_wall now);

/* stall.c: nothing can be written since `from`; `alarm` (borrowed) as the body of CK_OUTPUT_ALARM.
 */
void ck_product_store_fails(struct ck_product *product, const json_t *alarm, struct ck_wall from);
/* It can again. */
void ck_product_store_good(struct ck_product *product, struct ck_wall from, int64_t lasted_ms);
/* Looks whether the engine's turns end; every CK_PRODUCT_HEALTH_MS. */
void ck_product_watch_engine(struct ck_product *product);
/* How late decisions are: the engine's own lag, or the age of a turn that does not end. */
int64_t ck_product_late_ms(const struct ck_product *product);
/* Whether the daemon does its work, or only waits for a disk: a restart would help neither. */
bool ck_product_sound(const struct ck_product *product);

/* health.c */
#define CK_PRODUCT_NO_REACH                                                                        \
    "neither [sms] url nor [smtp] url is set: no person is told of a check-in, and none "          \
    "counts as missed"
bool ck_product_reaches_persons(const struct ck_config *config);
int ck_product_health_start(struct ck_product *product);
void ck_product_health_stop(struct ck_product *product);
bool ck_product_clock_good(const struct ck_product *product);
/* Whether a reverse proxy stands before us, whose certificate browsers see. */
bool ck_product_behind_proxy(const struct ck_product *product);

/* relay.c: looks after `relay_good` and `relay_full`. 0 or -errno. */
int ck_product_relay_start(struct ck_product *product);
void ck_product_relay_stop(struct ck_product *product);

/* product.c: what the loop knows for GET /api/system; `product` as void. NULL where memory is
 * short. */
json_t *ck_product_system(void *product);

/* control.c */
int ck_product_control_start(struct ck_product *product);

/* control_log.c: handlers of the control socket; `user` is the product. */
void ck_product_run_log_verified(struct ck_control_call *call, const json_t *arguments, void *user);
void ck_product_run_log_exported(struct ck_control_call *call, const json_t *arguments, void *user);
void ck_product_run_log_proved(struct ck_control_call *call, const json_t *arguments, void *user);
void ck_product_run_key_split(struct ck_control_call *call, const json_t *arguments, void *user);
void ck_product_run_store_copied(struct ck_control_call *call, const json_t *arguments, void *user);
void ck_product_run_log_cosign(struct ck_control_call *call, const json_t *arguments, void *user);
/* Adds to a checkpoint (with room for CK_NOTE_BYTES_MAX bytes and a zero) those lines of `given`
 * that are good signatures of configured witnesses. The key of one that was added, or NULL. */
const char *ck_product_add_witness(const struct ck_config *config, char *kept, size_t *size,
                                   const char *given);

/* control_bundle.c: likewise. */
#define CK_PRODUCT_EXPORT_PIECE (192u * 1024) /* bytes of one answer */
void ck_product_run_bundle_make(struct ck_control_call *call, const json_t *arguments, void *user);
void ck_product_run_bundle_read(struct ck_control_call *call, const json_t *arguments, void *user);

/* auditor.c */
int ck_product_auditor_start(struct ck_product *product);
void ck_product_auditor_stop(struct ck_product *product);
struct ck_heartbeat_status ck_product_heartbeats(const struct ck_product *product);

/* witnesses.c */
int ck_product_witnesses_start(struct ck_product *product);
void ck_product_witnesses_stop(struct ck_product *product);

/* eraser.c: removes a file from the recording folder, then tells the engine. */
void ck_product_erase_file(struct ck_product *product, int64_t recording, const char *file);

/* selfnote.c: what the log says of ourselves. */
json_t *ck_product_started(struct ck_product *product); /* new; NULL where memory is short */
void ck_product_note_stop(struct ck_product *product);
void ck_product_note_clock(struct ck_product *product);
void ck_product_note_jump(struct ck_product *product, int64_t jump_ms);

/* reserve.c */
int ck_product_reserve_start(struct ck_product *product);
void ck_product_reserve_stop(struct ck_product *product);
/* Bytes free where the state and the recordings are, the less of the two; -1 where it is not known.
 */
int64_t ck_product_disk_free(const struct ck_product *product);
bool ck_product_disk_low(const struct ck_product *product);
/* Whether recordings can be written where they belong, as far as is known. */
bool ck_product_recordings_good(const struct ck_product *product);

/* checkpoints.c */
int ck_product_checkpoints_start(struct ck_product *product);
void ck_product_checkpoints_stop(struct ck_product *product);
/* Why the audit log is not being signed although it ought to be, or NULL. */
const char *ck_product_signer_trouble(const struct ck_product *product);

/* figures.c: before everything that counts, and after. */
int ck_product_figures_start(struct ck_product *product);
void ck_product_figures_stop(struct ck_product *product);
/* The text for monitoring; `operations` as ck_query_operations() gives them. The caller frees; NULL
 * where memory is short. */
char *ck_product_figures(struct ck_product *product, const json_t *operations, struct ck_wall now);
ck_notify_ended ck_product_notice_ended;
/* Counts the outcome in the body of CK_OUTPUT_PERSON_STATE, if there is one. */
void ck_product_count_outcome(struct ck_product *product, const json_t *body);

#endif
