/* The auditor behind the dead-man's switch (E11): the outbound heartbeat is sent only while all of
 * this is well, so that silence is the alarm. What it looks at is what we could not tell anybody of
 * by ourselves, or what makes a check-in go unnoticed; one row that was taken aside, or one channel
 * that fails while others work, is told by ourselves and silences nothing. */
#ifndef SCHEDULER_WATCH_H
#define SCHEDULER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* What is measured; durations in milliseconds, 0 where there is nothing. */
struct ck_watch {
    int64_t step_overdue_ms;    /* of the most overdue ladder step */
    int64_t checkin_overdue_ms; /* of the most overdue check-in timer */
    int64_t outbox_overdue_ms; /* of the notice that should have left longest ago; what is held back
                                  on purpose (a limit, a digest, the pause after a failure) is not
                                  overdue */
    int64_t lag_ms;            /* of decisions */
    int64_t unsigned_ms;       /* since when the head of the log is not signed */
    bool channels_fail;        /* there are channels, and none of them takes notices */
    bool disk_low;
    bool clock_unsynchronised;
    bool pages_silent; /* our own probe was not answered */
    bool recordings_unwritable;
};

/* The limits of a healthy system. */
#define CK_WATCH_STEP_MS INT64_C(60000)
#define CK_WATCH_CHECKIN_MS INT64_C(60000)
#define CK_WATCH_OUTBOX_MS INT64_C(120000)
#define CK_WATCH_LAG_MS INT64_C(1000)
#define CK_WATCH_UNSIGNED_MS INT64_C(300000)

/* Each is a reason not to send the heartbeat. */
enum ck_watch_fault {
    CK_WATCH_STEP = 0,
    CK_WATCH_CHECKIN,
    CK_WATCH_OUTBOX,
    CK_WATCH_LAG,
    CK_WATCH_UNSIGNED,
    CK_WATCH_CHANNELS,
    CK_WATCH_DISK,
    CK_WATCH_CLOCK,
    CK_WATCH_PAGES,
    CK_WATCH_RECORDINGS,
    CK_WATCH_FAULT_COUNT,
};

/* A bit for each enum ck_watch_fault; 0: all is well. */
uint32_t ck_watch_faults(const struct ck_watch *watch);

#endif
