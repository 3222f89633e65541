#include "scheduler/watch.h"

#include <stddef.h>

enum ck_watch_reason ck_watch_check(const struct ck_watch *watch)
{
    const struct {
        bool bad;
        enum ck_watch_reason reason;
    } checks[] = {
        {watch->step_overdue_ms > CK_WATCH_STEP_MS, CK_WATCH_STEP},
        {watch->checkin_overdue_ms > CK_WATCH_CHECKIN_MS, CK_WATCH_CHECKIN},
        {watch->outbox_age_ms > CK_WATCH_OUTBOX_MS, CK_WATCH_OUTBOX},
        {watch->loop_lag_ms > CK_WATCH_LAG_MS, CK_WATCH_LAG},
        {watch->checkpoint_age_ms > CK_WATCH_CHECKPOINT_MS, CK_WATCH_CHECKPOINT},
        {watch->disk_free_percent < CK_WATCH_DISK_PERCENT, CK_WATCH_DISK},
        {!watch->clock_synchronised, CK_WATCH_CLOCK},
        {watch->quarantined > 0, CK_WATCH_QUARANTINE},
    };
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        if (checks[i].bad) {
            return checks[i].reason;
        }
    }
    return CK_WATCH_OK;
}

const char *ck_watch_reason_name(enum ck_watch_reason reason)
{
    static const char *const names[CK_WATCH_REASON_COUNT] = {
        [CK_WATCH_OK] = "ok",
        [CK_WATCH_STEP] = "step_overdue",
        [CK_WATCH_CHECKIN] = "checkin_overdue",
        [CK_WATCH_OUTBOX] = "outbox_old",
        [CK_WATCH_LAG] = "loop_lag",
        [CK_WATCH_CHECKPOINT] = "checkpoint_old",
        [CK_WATCH_DISK] = "disk_low",
        [CK_WATCH_CLOCK] = "clock",
        [CK_WATCH_QUARANTINE] = "quarantined",
    };
    return (unsigned)reason < CK_WATCH_REASON_COUNT ? names[reason] : NULL;
}
