#include "daemon/ctl/metrics.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 14

enum kind {
    COUNTER,
    GAUGE,
    HISTOGRAM,
};

static const struct {
    const char *name;
    const char *help;
    enum kind kind;
    const char *first, *second; /* label names */
} table[CK_METRIC_COUNT] = {
    [CK_METRIC_BUILD_INFO] = {"checkind_build_info", "The running version; always 1.", GAUGE,
                              "version", NULL},
    [CK_METRIC_START_TIME_SECONDS] = {"checkind_start_time_seconds",
                                      "When the daemon started, in seconds since 1970.", GAUGE,
                                      NULL, NULL},
    [CK_METRIC_OCCURRENCES_TOTAL] = {"checkind_occurrences_total",
                                     "Check-ins that ended, by outcome.", COUNTER, "outcome", NULL},
    [CK_METRIC_NOTIFICATIONS_TOTAL] = {"checkind_notifications_total",
                                       "Tries to send a notice, by what came of them.", COUNTER,
                                       "channel", "result"},
    [CK_METRIC_NOTIFICATION_DWELL_SECONDS] = {"checkind_notification_dwell_seconds",
                                              "From handing a notice to its channel to the answer.",
                                              HISTOGRAM, "channel", NULL},
    [CK_METRIC_NOTIFICATION_WAITING] = {"checkind_notification_waiting",
                                        "Notices that wait for their channel's turn.", GAUGE,
                                        "channel", NULL},
    [CK_METRIC_OUTBOX_OLDEST_AGE_SECONDS] = {"checkind_outbox_oldest_age_seconds",
                                             "Age of the oldest notice that no channel has taken.",
                                             GAUGE, NULL, NULL},
    [CK_METRIC_INCIDENTS_UNACKED] = {"checkind_incidents_unacked",
                                     "Incidents that nobody has taken over.", GAUGE, NULL, NULL},
    [CK_METRIC_LADDER_OVERDUE_STEPS] = {"checkind_ladder_overdue_steps",
                                        "Ladder steps that are more than a minute late.", GAUGE,
                                        NULL, NULL},
    [CK_METRIC_QUARANTINED_ROWS] = {"checkind_quarantined_rows",
                                    "Rows set aside because deciding them failed.", GAUGE, NULL,
                                    NULL},
    [CK_METRIC_AUDIT_TREE_SIZE] = {"checkind_audit_tree_size", "Entries of the audit log.", GAUGE,
                                   NULL, NULL},
    [CK_METRIC_ENGINE_LAG_SECONDS] = {"checkind_engine_lag_seconds",
                                      "How late the engine takes up what is due.", GAUGE, NULL,
                                      NULL},
    [CK_METRIC_LOOP_LAG_SECONDS] = {"checkind_loop_lag_seconds",
                                    "How late the loop of pages and notices ran at the worst.",
                                    GAUGE, NULL, NULL},
    [CK_METRIC_CLOCK_OFFSET_SECONDS] = {"checkind_clock_offset_seconds",
                                        "What remains to be corrected of the wall clock.", GAUGE,
                                        NULL, NULL},
    [CK_METRIC_CLOCK_SYNCHRONISED] = {"checkind_clock_synchronised",
                                      "Whether a time service keeps the wall clock right.", GAUGE,
                                      NULL, NULL},
    [CK_METRIC_CLOCK_JUMPS_TOTAL] = {"checkind_clock_jumps_total",
                                     "How often the wall clock was set.", COUNTER, NULL, NULL},
    [CK_METRIC_PROBE_GOOD] = {"checkind_probe_good",
                              "Whether our own pages answered the last time.", GAUGE, NULL, NULL},
    [CK_METRIC_RELAY_GOOD] = {"checkind_relay_good",
                              "Whether the TURN servers gave addresses the last time; 1 where "
                              "there are none.",
                              GAUGE, NULL, NULL},
    [CK_METRIC_RELAY_FULL] = {"checkind_relay_full",
                              "Whether a TURN server had no address left the last time.", GAUGE,
                              NULL, NULL},
    [CK_METRIC_HTTP_REQUESTS_TOTAL] = {"checkind_http_requests_total",
                                       "Requests that were answered.", COUNTER, NULL, NULL},
    [CK_METRIC_HTTP_REFUSED_TOTAL] = {"checkind_http_refused_total",
                                      "What was turned away before it was a request.", COUNTER,
                                      "reason", NULL},
    [CK_METRIC_HTTP_CONNECTIONS] = {"checkind_http_connections", "Open connections.", GAUGE, NULL,
                                    NULL},
    [CK_METRIC_WEBSOCKETS] = {"checkind_websockets", "Open WebSockets.", GAUGE, NULL, NULL},
    [CK_METRIC_CALLS] = {"checkind_calls", "Calls that are on.", GAUGE, NULL, NULL},
    [CK_METRIC_LEGS] = {"checkind_legs", "Media connections that are on.", GAUGE, NULL, NULL},
    [CK_METRIC_RECORDINGS] = {"checkind_recordings", "Recordings that are being written.", GAUGE,
                              NULL, NULL},
    [CK_METRIC_MEDIA_PACKETS_TOTAL] = {"checkind_media_packets_total", "Media packets.", COUNTER,
                                       "direction", NULL},
    [CK_METRIC_WORKER_RESTARTS_TOTAL] = {"checkind_worker_restarts_total",
                                         "Media workers that died and were started again.", COUNTER,
                                         NULL, NULL},
    [CK_METRIC_HEARTBEATS_TOTAL] = {"checkind_heartbeats_total",
                                    "Signs of life for the monitor elsewhere.", COUNTER, "result",
                                    NULL},
    [CK_METRIC_DISK_FREE_BYTES] = {"checkind_disk_free_bytes",
                                   "Room where the state and the recordings are kept, the less of "
                                   "the two.",
                                   GAUGE, NULL, NULL},
    [CK_METRIC_CERTIFICATE_END_SECONDS] = {"checkind_certificate_end_seconds",
                                           "When the certificate of the pages ends, in seconds "
                                           "since 1970.",
                                           GAUGE, NULL, NULL},
    [CK_METRIC_LOG_SIGNED] = {"checkind_log_signed", "Whether checkin-signer signs the audit log.",
                              GAUGE, NULL, NULL},
    [CK_METRIC_CHANNEL_GOOD] = {"checkind_channel_good",
                                "Whether the last notice was taken by its channel.", GAUGE,
                                "channel", NULL},
};

static const double bounds[BUCKETS] = {0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5,
                                       1,     2,     5,    10,   30,  60,   300};

struct series {
    char first[CK_METRIC_LABEL_SIZE];
    char second[CK_METRIC_LABEL_SIZE];
    double value; /* counter, gauge; sum of a histogram */
    uint64_t count;
    uint64_t buckets[BUCKETS];
};

struct ck_metrics {
    pthread_mutex_t lock;
    struct {
        struct series series[CK_METRIC_SERIES_MAX];
        size_t count;
    } metrics[CK_METRIC_COUNT];
};

int ck_metrics_create(struct ck_metrics **metrics)
{
    struct ck_metrics *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    pthread_mutex_init(&made->lock, NULL);
    *metrics = made;
    return 0;
}

void ck_metrics_destroy(struct ck_metrics *metrics)
{
    if (metrics != NULL) {
        pthread_mutex_destroy(&metrics->lock);
        free(metrics);
    }
}

static void copy_label(char label[static CK_METRIC_LABEL_SIZE], const char *value)
{
    snprintf(label, CK_METRIC_LABEL_SIZE, "%s", value == NULL ? "" : value);
}

/* The series with these label values, made where there is none yet. The lock is held. */
static struct series *find(struct ck_metrics *metrics, enum ck_metric metric, const char *first,
                           const char *second)
{
    char labels[2][CK_METRIC_LABEL_SIZE];
    copy_label(labels[0], first);
    copy_label(labels[1], second);
    size_t count = metrics->metrics[metric].count;
    struct series *series = metrics->metrics[metric].series;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(series[i].first, labels[0]) == 0 && strcmp(series[i].second, labels[1]) == 0) {
            return &series[i];
        }
    }
    if (count == CK_METRIC_SERIES_MAX) {
        return &series[count - 1];
    }
    bool last = count == CK_METRIC_SERIES_MAX - 1;
    metrics->metrics[metric].count++;
    copy_label(series[count].first, last && first != NULL ? "other" : first);
    copy_label(series[count].second, last && second != NULL ? "other" : second);
    return &series[count];
}

void ck_metrics_add(struct ck_metrics *metrics, enum ck_metric metric, const char *first,
                    const char *second, uint64_t count)
{
    assert(table[metric].kind == COUNTER);
    pthread_mutex_lock(&metrics->lock);
    find(metrics, metric, first, second)->value += (double)count;
    pthread_mutex_unlock(&metrics->lock);
}

void ck_metrics_total(struct ck_metrics *metrics, enum ck_metric metric, const char *first,
                      uint64_t total)
{
    assert(table[metric].kind == COUNTER);
    pthread_mutex_lock(&metrics->lock);
    find(metrics, metric, first, NULL)->value = (double)total;
    pthread_mutex_unlock(&metrics->lock);
}

void ck_metrics_set(struct ck_metrics *metrics, enum ck_metric metric, const char *first,
                    double value)
{
    assert(table[metric].kind == GAUGE);
    pthread_mutex_lock(&metrics->lock);
    find(metrics, metric, first, NULL)->value = value;
    pthread_mutex_unlock(&metrics->lock);
}

void ck_metrics_observe(struct ck_metrics *metrics, enum ck_metric metric, const char *first,
                        double seconds)
{
    assert(table[metric].kind == HISTOGRAM);
    pthread_mutex_lock(&metrics->lock);
    struct series *series = find(metrics, metric, first, NULL);
    series->value += seconds;
    series->count++;
    for (size_t i = 0; i < BUCKETS; i++) {
        series->buckets[i] += seconds <= bounds[i];
    }
    pthread_mutex_unlock(&metrics->lock);
}

/* A label's value with what the format wants escaped. */
static void write_value(FILE *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"') {
            fputc('\\', out);
        }
        fputc(*value == '\n' ? ' ' : *value, out);
    }
}

/* "{first="…",second="…",le="…"}", or nothing. */
static void write_labels(FILE *out, enum ck_metric metric, const struct series *series,
                         const char *bound)
{
    const char *names[] = {table[metric].first, table[metric].second, bound == NULL ? NULL : "le"};
    const char *values[] = {series->first, series->second, bound};
    const char *joint = "{";
    for (size_t i = 0; i < 3; i++) {
        if (names[i] != NULL) {
            fprintf(out, "%s%s=\"", joint, names[i]);
            write_value(out, values[i]);
            fputc('"', out);
            joint = ",";
        }
    }
    if (*joint == ',') {
        fputc('}', out);
    }
}

static void write_histogram(FILE *out, enum ck_metric metric, const struct series *series)
{
    const char *name = table[metric].name;
    for (size_t i = 0; i < BUCKETS; i++) {
        char bound[32];
        snprintf(bound, sizeof bound, "%g", bounds[i]);
        fprintf(out, "%s_bucket", name);
        write_labels(out, metric, series, bound);
        fprintf(out, " %" PRIu64 "\n", series->buckets[i]);
    }
    fprintf(out, "%s_bucket", name);
    write_labels(out, metric, series, "+Inf");
    fprintf(out, " %" PRIu64 "\n%s_sum", series->count, name);
    write_labels(out, metric, series, NULL);
    fprintf(out, " %.9g\n%s_count", series->value, name);
    write_labels(out, metric, series, NULL);
    fprintf(out, " %" PRIu64 "\n", series->count);
}

static void write_metric(FILE *out, enum ck_metric metric, const struct series *series,
                         size_t count)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    if (count == 0) {
        return;
    }
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", table[metric].name, table[metric].help,
            table[metric].name, kinds[table[metric].kind]);
    for (size_t i = 0; i < count; i++) {
        if (table[metric].kind == HISTOGRAM) {
            write_histogram(out, metric, &series[i]);
        } else {
            fputs(table[metric].name, out);
            write_labels(out, metric, &series[i], NULL);
            double value = series[i].value;
            bool whole = value == (double)(int64_t)value && value < 0x1p53 && value > -0x1p53;
            fprintf(out, whole ? " %.0f\n" : " %.9g\n", value);
        }
    }
}

char *ck_metrics_text(struct ck_metrics *metrics)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&metrics->lock);
    for (int metric = 0; metric < CK_METRIC_COUNT; metric++) {
        write_metric(out, (enum ck_metric)metric, metrics->metrics[metric].series,
                     metrics->metrics[metric].count);
    }
    pthread_mutex_unlock(&metrics->lock);
    bool failed = ferror(out) != 0;
    failed |= fclose(out) != 0;
    if (failed) {
        free(text);
        return NULL;
    }
    return text;
}
