/* The auditor behind the dead-man's switch (E11): the outbound heartbeat is sent only while all of
 * this is well, so that silence is the alarm. */
#ifndef SCHEDULER_WATCH_H
#define SCHEDULER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* What the engine measures; ages in milliseconds. */
struct ck_watch {
    int64_t step_overdue_ms;    /* of the most overdue ladder step */
    int64_t checkin_overdue_ms; /* of the most overdue check-in timer */
    int64_t
        outbox_age_ms; /* of the oldest notice that waits to be sent, beyond limits and back-off */
    int64_t loop_lag_ms;
    int64_t checkpoint_age_ms; /* newest signed head of the log, where the log has grown since */
    int64_t disk_free_percent;
    bool clock_synchronised;
    uint32_t quarantined; /* rows taken aside that nobody has looked at */
};

/* The limits of a healthy system. */
#define CK_WATCH_STEP_MS INT64_C(60000)
#define CK_WATCH_CHECKIN_MS INT64_C(60000)
#define CK_WATCH_OUTBOX_MS INT64_C(120000)
#define CK_WATCH_LAG_MS INT64_C(1000)
#define CK_WATCH_CHECKPOINT_MS INT64_C(300000)
#define CK_WATCH_DISK_PERCENT INT64_C(5)

enum ck_watch_reason {
    CK_WATCH_OK = 0,
    CK_WATCH_STEP,
    CK_WATCH_CHECKIN,
    CK_WATCH_OUTBOX,
    CK_WATCH_LAG,
    CK_WATCH_CHECKPOINT,
    CK_WATCH_DISK,
    CK_WATCH_CLOCK,
    CK_WATCH_QUARANTINE,
    CK_WATCH_REASON_COUNT,
};

/* OK, or the first reason not to send the heartbeat. */
enum ck_watch_reason ck_watch_check(const struct ck_watch *watch);
const char *ck_watch_reason_name(enum ck_watch_reason reason);

#endif
