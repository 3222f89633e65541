/* Figures about the running daemon, in the text format of Prometheus (version 0.0.4). Base units,
 * never a person, a unit or anything else of the case in a label; every label has a fixed set of
 * values that the code names. Thread-safe. */
#ifndef DAEMON_CTL_METRICS_H
#define DAEMON_CTL_METRICS_H

#include <stddef.h>
#include <stdint.h>

/* Different label values of one metric; what comes beyond goes to the value "other". */
#define CK_METRIC_SERIES_MAX 64
#define CK_METRIC_LABEL_SIZE 32

enum ck_metric {
    CK_METRIC_BUILD_INFO = 0,             /* gauge {version} */
    CK_METRIC_START_TIME_SECONDS,         /* gauge */
    CK_METRIC_OCCURRENCES_TOTAL,          /* counter {outcome} */
    CK_METRIC_NOTIFICATIONS_TOTAL,        /* counter {channel, result} */
    CK_METRIC_NOTIFICATION_DWELL_SECONDS, /* histogram {channel}: handed over until answered */
    CK_METRIC_NOTIFICATION_WAITING,       /* gauge {channel} */
    CK_METRIC_OUTBOX_OLDEST_AGE_SECONDS,  /* gauge */
    CK_METRIC_INCIDENTS_UNACKED,          /* gauge */
    CK_METRIC_LADDER_OVERDUE_STEPS,       /* gauge */
    CK_METRIC_QUARANTINED_ROWS,           /* gauge */
    CK_METRIC_AUDIT_TREE_SIZE,            /* gauge */
    CK_METRIC_ENGINE_LAG_SECONDS,         /* gauge */
    CK_METRIC_LOOP_LAG_SECONDS,           /* gauge: the worst since the last reading */
    CK_METRIC_CLOCK_OFFSET_SECONDS,       /* gauge */
    CK_METRIC_CLOCK_SYNCHRONISED,         /* gauge: 0 or 1 */
    CK_METRIC_CLOCK_JUMPS_TOTAL,          /* counter */
    CK_METRIC_PROBE_GOOD,                 /* gauge: 0 or 1 */
    CK_METRIC_RELAY_GOOD,                 /* gauge: 0 or 1 */
    CK_METRIC_RELAY_FULL,                 /* gauge: 0 or 1 */
    CK_METRIC_HTTP_REQUESTS_TOTAL,        /* counter */
    CK_METRIC_HTTP_REFUSED_TOTAL,         /* counter {reason} */
    CK_METRIC_HTTP_CONNECTIONS,           /* gauge */
    CK_METRIC_WEBSOCKETS,                 /* gauge */
    CK_METRIC_CALLS,                      /* gauge */
    CK_METRIC_LEGS,                       /* gauge */
    CK_METRIC_RECORDINGS,                 /* gauge */
    CK_METRIC_MEDIA_PACKETS_TOTAL,        /* counter {direction}: in, out, dropped */
    CK_METRIC_WORKER_RESTARTS_TOTAL,      /* counter */
    CK_METRIC_HEARTBEATS_TOTAL,           /* counter {result} */
    CK_METRIC_DISK_FREE_BYTES,            /* gauge */
    CK_METRIC_CERTIFICATE_END_SECONDS,    /* gauge */
    CK_METRIC_LOG_SIGNED,                 /* gauge: 0 or 1 */
    CK_METRIC_CHANNEL_GOOD,               /* gauge {channel}: 0 or 1 */
    CK_METRIC_COUNT,
};

struct ck_metrics;

/* 0 or -ENOMEM. */
int ck_metrics_create(struct ck_metrics **metrics);

/* Takes NULL. */
void ck_metrics_destroy(struct ck_metrics *metrics);

/* Adds to a counter. Labels that the metric does not have are NULL; a metric of another kind is our
 * own mistake and aborts. */
void ck_metrics_add(struct ck_metrics *metrics, enum ck_metric metric, const char *first,
                    const char *second, uint64_t count);

/* Sets a counter that somebody else counts. */
void ck_metrics_total(struct ck_metrics *metrics, enum ck_metric metric, const char *first,
                      uint64_t total);

/* Sets a gauge. */
void ck_metrics_set(struct ck_metrics *metrics, enum ck_metric metric, const char *first,
                    double value);

/* Puts a duration into a histogram. */
void ck_metrics_observe(struct ck_metrics *metrics, enum ck_metric metric, const char *first,
                        double seconds);

/* The whole text; the caller frees. NULL where memory is short. */
char *ck_metrics_text(struct ck_metrics *metrics);

#endif
