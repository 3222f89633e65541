/* From the engine's output to its command, through real servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>
#include <uv.h>

#include "channel_test.h"
#include "daemon/notify/notify.h"
#include "daemon/notify/probe.h"
#include "protocol/base/error.h"
#include "tests/sinks/sink.h"

#define RESULTS_MAX 32
#define WAIT_MAX_MS 20000

static char dir[256];
static struct sink smtp, http, https;

struct bench {
    uv_loop_t loop;
    uv_timer_t limit;
    struct ck_config config;
    struct ck_notify *notify;
    json_t *results[RESULTS_MAX];
    size_t count, ended, tests;
    struct ck_sent tested;
    bool late;
};

static struct ck_wall wall_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct ck_wall){(int64_t)now.tv_sec * 1000};
}

static void on_result(void *user, json_t *body)
{
    struct bench *bench = user;
    assert_in_range(bench->count, 0, RESULTS_MAX - 1);
    bench->results[bench->count++] = body;
}

static void on_ended(void *user, const char *channel, enum ck_sent_kind kind, int64_t waited_ms)
{
    struct bench *bench = user;
    assert_non_null(channel);
    assert_true(kind < CK_SENT_KIND_COUNT && waited_ms >= 0);
    bench->ended++;
    uv_stop(&bench->loop);
}

static void on_late(uv_timer_t *timer)
{
    struct bench *bench = timer->data;
    bench->late = true;
    uv_stop(timer->loop);
}

static struct bench *bench_open_at(const char *sms_path)
{
    char lines[1024];
    struct bench *bench = calloc(1, sizeof *bench);
    snprintf(
        lines, sizeof lines,
        "[smtp]\nurl = smtp://127.0.0.1:%d\nfrom = calls@example.org\nstarttls_required = no\n"
        "[sms]\nurl = http://127.0.0.1:%d%s\nid_field = id\n"
        "[webhook duty]\nurl = http://127.0.0.1:%d/status/503?retry=4\nsecret_file = %%d/secret\n",
        smtp.port, http.port, sms_path, http.port);
    test_config(&bench->config, dir, lines);
    uv_loop_init(&bench->loop);
    uv_timer_init(&bench->loop, &bench->limit);
    bench->limit.data = bench;
    const struct ck_notify_options options = {.config = &bench->config,
                                              .now = wall_now,
                                              .result = on_result,
                                              .ended = on_ended,
                                              .user = bench};
    assert_int_equal(ck_notify_create(&bench->notify, &bench->loop, &options), 0);
    return bench;
}

static struct bench *bench_open(void)
{
    return bench_open_at("/ok");
}

static void bench_close(struct bench *bench)
{
    ck_notify_destroy(bench->notify);
    uv_close((uv_handle_t *)&bench->limit, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
    for (size_t i = 0; i < bench->count; i++) {
        json_decref(bench->results[i]);
    }
    ck_config_deinit(&bench->config);
    free(bench);
}

static void bench_wait(struct bench *bench, size_t ended)
{
    uv_timer_start(&bench->limit, on_late, WAIT_MAX_MS, 0);
    while (bench->ended < ended && !bench->late) {
        uv_run(&bench->loop, UV_RUN_DEFAULT);
    }
    assert_int_equal(bench->ended, ended);
}

static json_t *output(const char *channel, const char *to)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:i, s:s}", "reference", "N-5",
                     "channel", channel, "template", "incident", "to", to, "language", "ru",
                     "urgency", "top", "repeated", 0, "time", "", "path", "/#/incidents/9", "try",
                     2, "deadline", "2026-11-21T19:02:05Z");
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text == NULL ? "" : text;
}

static const json_t *result_of(const struct bench *bench, int64_t notice)
{
    for (size_t i = 0; i < bench->count; i++) {
        if (json_integer_value(json_object_get(bench->results[i], "notice")) == notice) {
            return bench->results[i];
        }
    }
    fail_msg("no result of notice %d", (int)notice);
    return NULL;
}

static void outputs_become_results(void **state)
{
    (void)state;
    struct bench *bench = bench_open();
    json_t *bodies[] = {output("email", "i@example.org"), output("sms", "+77010000000"),
                        output("webhook", "duty")};
    for (int i = 0; i < 3; i++) {
        ck_notify_send(bench->notify, i + 1, bodies[i]);
        json_decref(bodies[i]);
    }
    assert_int_equal(bench->count, 0);
    bench_wait(bench, 3);
    assert_string_equal(text_of(result_of(bench, 1), "result"), "accepted");
    assert_int_equal(json_integer_value(json_object_get(result_of(bench, 1), "try")), 2);
    assert_string_equal(text_of(result_of(bench, 2), "result"), "accepted");
    assert_memory_equal(text_of(result_of(bench, 2), "provider_id"), "m-", 2);
    assert_string_equal(text_of(result_of(bench, 3), "result"), "refused");
    assert_string_equal(text_of(result_of(bench, 3), "detail"), "HTTP 503");
    assert_int_equal(json_integer_value(json_object_get(result_of(bench, 3), "retry_after_ms")),
                     4000);
    char *mail = sink_read(&smtp, 1, ".json");
    json_t *about = json_loads(mail, 0, NULL);
    assert_string_equal(text_of(about, "subject"), "N-5 (срочно): требуется ваше решение");
    assert_non_null(
        strstr(text_of(about, "text"), "\nhttps://checkin.example.org/#/incidents/9\n"));
    json_decref(about);
    free(mail);
    json_t *status = ck_notify_status_json(bench->notify);
    assert_int_equal(json_array_size(status), 3); /* the others are not configured */
    assert_int_equal(json_integer_value(json_object_get(json_array_get(status, 0), "accepted")), 1);
    assert_string_equal(text_of(json_array_get(status, 2), "last_error"), "HTTP 503");
    assert_true(json_is_null(json_object_get(json_array_get(status, 2), "last_ok")));
    json_decref(status);
    bench_close(bench);
}

static void bodies_that_are_wrong_are_rejected_by_name(void **state)
{
    (void)state;
    static const char *const members[] = {"reference", "channel", "template", "to",  "language",
                                          "urgency",   "time",    "path",     "try", "deadline"};
    struct bench *bench = bench_open();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *body = output("sms", "+77010000000");
        json_object_set_new(body, members[i], json_false());
        ck_notify_send(bench->notify, (int64_t)i + 1, body);
        assert_int_equal(bench->count, i);
        bench_wait(bench, i + 1);
        json_decref(body);
        const json_t *result = result_of(bench, (int64_t)i + 1);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "%s is not of the form that notices have", members[i]);
        assert_string_equal(text_of(result, "result"), "rejected");
        assert_string_equal(text_of(result, "detail"), wanted);
    }
    json_t *body = output("sms", "+77010000000");
    json_object_set_new(body, "path", json_string("https://elsewhere/"));
    ck_notify_send(bench->notify, 99, body);
    bench_wait(bench, 11);
    ck_notify_send(bench->notify, 100, body); /* forgotten by the end without harm */
    json_decref(body);
    bench_close(bench);
}

static void the_roster_is_alarmed_once(void **state)
{
    (void)state;
    struct bench *bench = bench_open();
    json_t *body = json_pack("{s:s, s:[{s:s, s:s, s:s}, {s:s, s:s}]}", "error", "No space left",
                             "roster", "email", "duty@example.org", "phone", "+77010000001",
                             "language", "kk", "email", "", "phone", "+77010000002");
    size_t before = sink_count(&http, ".json");
    ck_notify_alarm(bench->notify, body);
    ck_notify_alarm(bench->notify, body);
    json_decref(body);
    bench_wait(bench, 3);
    assert_int_equal(sink_count(&http, ".json"), before + 2);
    assert_int_equal(bench->count, 0); /* there is no row to tell */
    bench_close(bench);
}

/* A server that greylists, a gateway that is just being restarted: an alarm has no row that would
 * be sent again. */
static void an_alarm_that_is_not_taken_is_tried_again(void **state)
{
    (void)state;
    struct bench *bench = bench_open_at("/flaky/1");
    json_t *body = json_pack("{s:s, s:[{s:s, s:s}]}", "error", "No space left", "roster", "phone",
                             "+77010000001", "language", "en");
    size_t before = sink_count(&http, ".json");
    ck_notify_alarm(bench->notify, body);
    bench_wait(bench, 1);
    bench_wait(bench, 2);
    struct ck_sender_status status[CK_NOTIFY_CHANNELS];
    ck_notify_status(bench->notify, status);
    assert_int_equal(status[1].counts[CK_SENT_REFUSED], 1);
    assert_int_equal(status[1].counts[CK_SENT_ACCEPTED], 1);
    char *first = sink_read(&http, (unsigned)before + 1, ".json");
    char *second = sink_read(&http, (unsigned)before + 2, ".json");
    assert_non_null(strstr(first, "ALARM-"));
    assert_memory_equal(strstr(second, "ALARM-"), strstr(first, "ALARM-"), 16); /* its reference */
    free(first);
    free(second);
    bench_close(bench);
    /* One that still waits is forgotten by the end without harm. */
    bench = bench_open_at("/status/500");
    ck_notify_alarm(bench->notify, body);
    json_decref(body);
    bench_wait(bench, 1);
    bench_close(bench);
}

static void each_unit_is_told_that_nobody_can_be_reached(void **state)
{
    (void)state;
    struct bench *bench = bench_open();
    json_t *body =
        json_pack("{s:s, s:s, s:[{s:s, s:s, s:i}, {s:s, s:s, s:i}, {s:s, s:s, s:i}]}", "reference",
                  "INCIDENT-7", "path", "/#/incidents/7", "roster", "phone", "+77010000001",
                  "language", "kk", "unit", 1, "phone", "+77010000002", "language", "ru", "unit", 2,
                  "phone", "+77010000003", "language", "en", "unit", 2);
    size_t before = sink_count(&http, ".json");
    ck_notify_nobody_reached(bench->notify, 1, body); /* its own one */
    ck_notify_nobody_reached(bench->notify, 1, body); /* told already */
    ck_notify_nobody_reached(bench->notify, 2, body); /* two of another unit */
    ck_notify_nobody_reached(bench->notify, 3, body); /* all of them, where it has none */
    json_decref(body);
    bench_wait(bench, 6);
    assert_int_equal(sink_count(&http, ".json"), before + 6);
    bench_close(bench);
}

static void on_tested(void *user, const struct ck_sent *sent)
{
    struct bench *bench = user;
    bench->tested = *sent;
    bench->tests++;
}

static void a_test_tells_what_came_of_it(void **state)
{
    (void)state;
    struct bench *bench = bench_open();
    char longest[CK_SENDING_ADDRESS_SIZE + 1];
    memset(longest, '1', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(ck_notify_test(bench->notify, "pigeon", "x", "en", "T-1", on_tested, bench),
                     CK_E_NOT_FOUND);
    assert_int_equal(ck_notify_test(bench->notify, "sms", longest, "en", "T-1", on_tested, bench),
                     CK_E_LIMIT);
    assert_int_equal(
        ck_notify_test(bench->notify, "sms", "+77010000000", "ru", "T-1", on_tested, bench), 0);
    assert_int_equal(bench->tests, 0);
    bench_wait(bench, 1);
    assert_int_equal(bench->tests, 1);
    assert_int_equal(bench->tested.kind, CK_SENT_ACCEPTED);
    char *kept = sink_read(&http, (unsigned)sink_count(&http, ".json"), ".json");
    assert_non_null(strstr(kept, "T-1: проверка связи https://checkin.example.org/"));
    free(kept);
    assert_int_equal(
        ck_notify_test(bench->notify, "webhook", "nobody", "ru", "T-2", on_tested, bench), 0);
    bench_wait(bench, 2);
    assert_int_equal(bench->tested.kind, CK_SENT_REJECTED);
    assert_int_equal(bench->count, 0); /* there is no row to tell */
    /* The end answers what is open. */
    assert_int_equal(ck_notify_test(bench->notify, "email", "a@b.c", "", "T-3", on_tested, bench),
                     0);
    ck_notify_destroy(bench->notify);
    bench->notify = NULL;
    assert_int_equal(bench->tests, 3);
    assert_int_equal(bench->tested.kind, CK_SENT_UNKNOWN);
    bench_close(bench);
}

/* ---- probes ---- */

struct asked {
    uv_loop_t loop;
    int count;
    bool good;
    char detail[200];
};

static void on_probe(void *user, bool good, int64_t elapsed_ms, const char *detail)
{
    struct asked *asked = user;
    assert_in_range(elapsed_ms, 0, 5000);
    asked->count++;
    asked->good = good;
    snprintf(asked->detail, sizeof asked->detail, "%s", detail);
    uv_stop(&asked->loop);
}

static void probes_tell_what_a_phone_would_see(void **state)
{
    (void)state;
    char connect[40], ca[300];
    snprintf(connect, sizeof connect, "127.0.0.1:%d", https.port);
    snprintf(ca, sizeof ca, "%s/good.crt", dir);
    char pem[4096] = "";
    FILE *file = fopen(ca, "r");
    assert_true(fread(pem, 1, sizeof pem - 1, file) > 0);
    fclose(file);
    static const struct {
        const char *url;
        bool ca, good;
        const char *detail;
        unsigned timeout_ms; /* long where the answer is what is waited for */
        const char *socket;
    } cases[] = {
        {"https://checkin.example.org/ok", true, true, "", 60000,
         "https://checkin.example.org/upgrade/4401"},
        /* A proxy that knows pages alone, one whose server behind it is dead, one that says no. */
        {"https://checkin.example.org/ok", true, false, "the WebSocket: HTTP 200", 60000,
         "https://checkin.example.org/ok"},
        {"https://checkin.example.org/ok", true, false, "timed out", 1000,
         "https://checkin.example.org/upgrade/0"},
        {"https://checkin.example.org/ok", true, false, "the WebSocket: HTTP 101", 60000,
         "https://checkin.example.org/upgrade/1011"},
        {"https://checkin.example.org/ok", true, false, "the WebSocket: HTTP 502", 60000,
         "https://checkin.example.org/status/502"},
        {"https://checkin.example.org/status/500", true, false, "HTTP 500", 60000,
         "https://checkin.example.org/upgrade/4401"},
        {"https://checkin.example.org/ok", true, true, "", 60000, NULL},
        {"https://checkin.example.org/status/500", true, false, "HTTP 500", 60000, NULL},
        {"https://checkin.example.org/stall", true, false, "timed out", 1000, NULL},
        {"https://other.example.org/ok", true, false, "SSL", 60000, NULL},
        {"https://checkin.example.org/ok", false, false, "SSL", 60000, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct asked asked = {.count = 0};
        struct ck_probe *probe;
        uv_loop_init(&asked.loop);
        const struct ck_probe_options options = {.url = cases[i].url,
                                                 .socket = cases[i].socket,
                                                 .connect = connect,
                                                 .ca_pem = cases[i].ca ? pem : NULL,
                                                 .timeout_ms = cases[i].timeout_ms,
                                                 .done = on_probe,
                                                 .user = &asked};
        assert_int_equal(ck_probe_create(&probe, &asked.loop, &options), 0);
        for (int round = 1; round <= 2; round++) {
            assert_int_equal(ck_probe_ask(probe), 0);
            assert_int_not_equal(ck_probe_ask(probe), 0);
            assert_int_equal(asked.count, round - 1);
            while (asked.count < round) {
                uv_run(&asked.loop, UV_RUN_DEFAULT);
            }
            if (asked.good != cases[i].good || strstr(asked.detail, cases[i].detail) == NULL) {
                fail_msg("case %zu: %d \"%s\"", i, asked.good, asked.detail);
            }
        }
        ck_probe_destroy(probe);
        uv_run(&asked.loop, UV_RUN_DEFAULT);
        assert_int_equal(uv_loop_close(&asked.loop), 0);
    }
}

static int start_sinks(void **state)
{
    (void)state;
    char certificate[300], key[300];
    test_dir_make(dir);
    sink_make_certificate(dir, "good", "DNS:checkin.example.org");
    snprintf(certificate, sizeof certificate, "%s/good.crt", dir);
    snprintf(key, sizeof key, "%s/good.key", dir);
    const char *const tls[] = {"--cert", certificate, "--key", key, NULL};
    sink_start(&smtp, "smtp_sink.py", NULL);
    sink_start(&http, "http_sink.py", NULL);
    sink_start(&https, "http_sink.py", tls);
    return 0;
}

static int stop_sinks(void **state)
{
    (void)state;
    sink_stop(&smtp);
    sink_stop(&http);
    sink_stop(&https);
    test_dir_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_become_results),
        cmocka_unit_test(bodies_that_are_wrong_are_rejected_by_name),
        cmocka_unit_test(the_roster_is_alarmed_once),
        cmocka_unit_test(an_alarm_that_is_not_taken_is_tried_again),
        cmocka_unit_test(each_unit_is_told_that_nobody_can_be_reached),
        cmocka_unit_test(a_test_tells_what_came_of_it),
        cmocka_unit_test(probes_tell_what_a_phone_would_see),
    };
    return cmocka_run_group_tests(tests, start_sinks, stop_sinks);
}
