#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/ctl/metrics.h"

static void has(const char *text, const char *line)
{
    if (strstr(text, line) == NULL) {
        fail_msg("no \"%s\" in:\n%s", line, text);
    }
}

static void counters_gauges_and_histograms_are_written(void **state)
{
    (void)state;
    struct ck_metrics *metrics;
    assert_int_equal(ck_metrics_create(&metrics), 0);
    ck_metrics_add(metrics, CK_METRIC_NOTIFICATIONS_TOTAL, "sms", "accepted", 2);
    ck_metrics_add(metrics, CK_METRIC_NOTIFICATIONS_TOTAL, "sms", "accepted", 1);
    ck_metrics_add(metrics, CK_METRIC_NOTIFICATIONS_TOTAL, "email", "refused", 1);
    ck_metrics_set(metrics, CK_METRIC_AUDIT_TREE_SIZE, NULL, 4503599627370496.0);
    ck_metrics_set(metrics, CK_METRIC_LOOP_LAG_SECONDS, NULL, 0.25);
    ck_metrics_observe(metrics, CK_METRIC_NOTIFICATION_DWELL_SECONDS, "sms", 0.2);
    ck_metrics_observe(metrics, CK_METRIC_NOTIFICATION_DWELL_SECONDS, "sms", 400);
    char *text = ck_metrics_text(metrics);
    assert_non_null(text);
    has(text, "# TYPE checkind_notifications_total counter\n"
              "checkind_notifications_total{channel=\"sms\",result=\"accepted\"} 3\n"
              "checkind_notifications_total{channel=\"email\",result=\"refused\"} 1\n");
    has(text, "checkind_audit_tree_size 4503599627370496\n");
    has(text, "checkind_loop_lag_seconds 0.25\n");
    has(text, "# TYPE checkind_notification_dwell_seconds histogram\n");
    has(text, "checkind_notification_dwell_seconds_bucket{channel=\"sms\",le=\"0.1\"} 0\n");
    has(text, "checkind_notification_dwell_seconds_bucket{channel=\"sms\",le=\"0.25\"} 1\n");
    has(text, "checkind_notification_dwell_seconds_bucket{channel=\"sms\",le=\"+Inf\"} 2\n");
    has(text, "checkind_notification_dwell_seconds_sum{channel=\"sms\"} 400.2\n");
    has(text, "checkind_notification_dwell_seconds_count{channel=\"sms\"} 2\n");
    assert_null(strstr(text, "checkind_calls")); /* nothing is said about what nobody counted */
    free(text);
    ck_metrics_destroy(metrics);
}

static void labels_are_bounded_and_escaped(void **state)
{
    (void)state;
    struct ck_metrics *metrics;
    assert_int_equal(ck_metrics_create(&metrics), 0);
    ck_metrics_add(metrics, CK_METRIC_OCCURRENCES_TOTAL, "a\"b\\c\nd", NULL, 1);
    for (int i = 0; i < 500; i++) {
        char label[16];
        snprintf(label, sizeof label, "value%d", i);
        ck_metrics_add(metrics, CK_METRIC_OCCURRENCES_TOTAL, label, NULL, 1);
    }
    char *text = ck_metrics_text(metrics);
    size_t lines = 0;
    for (const char *at = text; (at = strstr(at, "checkind_occurrences_total{")) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, CK_METRIC_SERIES_MAX);
    has(text, "{outcome=\"a\\\"b\\\\c d\"} 1\n");
    has(text, "checkind_occurrences_total{outcome=\"other\"} 438\n");
    free(text);
    ck_metrics_destroy(metrics);
    ck_metrics_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_gauges_and_histograms_are_written),
        cmocka_unit_test(labels_are_bounded_and_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
