#include "scheduler/watch.h"

uint32_t ck_watch_faults(const struct ck_watch *watch)
{
    const bool faults[CK_WATCH_FAULT_COUNT] = {
        [CK_WATCH_STEP] = watch->step_overdue_ms > CK_WATCH_STEP_MS,
        [CK_WATCH_CHECKIN] = watch->checkin_overdue_ms > CK_WATCH_CHECKIN_MS,
        [CK_WATCH_OUTBOX] = watch->outbox_overdue_ms > CK_WATCH_OUTBOX_MS,
        [CK_WATCH_LAG] = watch->lag_ms >= CK_WATCH_LAG_MS,
        [CK_WATCH_UNSIGNED] = watch->unsigned_ms > CK_WATCH_UNSIGNED_MS,
        [CK_WATCH_CHANNELS] = watch->channels_fail,
        [CK_WATCH_DISK] = watch->disk_low,
        [CK_WATCH_CLOCK] = watch->clock_unsynchronised,
        [CK_WATCH_PAGES] = watch->pages_silent,
        [CK_WATCH_RECORDINGS] = watch->recordings_unwritable,
    };
    uint32_t bits = 0;
    for (unsigned i = 0; i < CK_WATCH_FAULT_COUNT; i++) {
        bits |= (uint32_t)faults[i] << i;
    }
    return bits;
}
