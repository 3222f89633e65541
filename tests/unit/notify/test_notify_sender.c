/* The channels against real servers: what they say is what the sender makes of it. */
#include <dlfcn.h>
#include <netdb.h>
#include <semaphore.h>
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
#include "daemon/notify/push_service.h"
#include "daemon/notify/sender.h"
#include "tests/sinks/sink.h"

#define WAIT_MAX_MS 20000

static char dir[256];
static struct sink smtp, smtp_tls, smtp_login, http, https;

static struct ck_wall wall_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct ck_wall){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

/* ---- a sender with what it answered ---- */

#define RESULTS_MAX 64

struct result {
    struct ck_sending sending;
    struct ck_sent sent;
    int64_t waited_ms;
};

struct bench {
    uv_loop_t loop;
    uv_timer_t limit;
    struct ck_config config;
    struct ck_sender *sender;
    struct result results[RESULTS_MAX];
    size_t count;
    size_t wanted;
    bool late;
};

static void on_done(void *user, const struct ck_sending *sending, const struct ck_sent *sent,
                    int64_t waited_ms)
{
    struct bench *bench = user;
    assert_in_range(bench->count, 0, RESULTS_MAX - 1);
    bench->results[bench->count++] =
        (struct result){.sending = *sending, .sent = *sent, .waited_ms = waited_ms};
    if (bench->count >= bench->wanted) {
        uv_stop(&bench->loop);
    }
}

static void on_late(uv_timer_t *timer)
{
    struct bench *bench = timer->data;
    bench->late = true;
    uv_stop(&bench->loop);
}

typedef void fill_channel(struct ck_notify_channel *channel, const struct ck_config *config);

static struct bench *bench_open(fill_channel *fill, const char *lines)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    test_config(&bench->config, dir, lines);
    assert_int_equal(uv_loop_init(&bench->loop), 0);
    uv_timer_init(&bench->loop, &bench->limit);
    bench->limit.data = bench;
    struct ck_sender_options options = {
        .now = wall_now, .queue_max = 8, .done = on_done, .user = bench};
    fill(&options.channel, &bench->config);
    assert_int_equal(ck_sender_create(&bench->sender, &bench->loop, &options), 0);
    return bench;
}

static void bench_close(struct bench *bench)
{
    ck_sender_destroy(bench->sender);
    uv_close((uv_handle_t *)&bench->limit, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
    ck_config_deinit(&bench->config);
    free(bench);
}

/* Runs the loop until so many results are there. */
static void bench_wait(struct bench *bench, size_t count)
{
    bench->wanted = count;
    bench->late = false;
    uv_timer_start(&bench->limit, on_late, WAIT_MAX_MS, 0);
    while (bench->count < count && !bench->late) {
        uv_run(&bench->loop, UV_RUN_DEFAULT);
    }
    uv_timer_stop(&bench->limit);
    assert_int_equal(bench->count, count);
}

static const struct ck_sent *bench_send(struct bench *bench, const struct ck_sending *sending)
{
    size_t before = bench->count;
    assert_int_equal(ck_sender_send(bench->sender, sending), 0);
    assert_int_equal(bench->count, before); /* never within the call */
    bench_wait(bench, before + 1);
    return &bench->results[before].sent;
}

static void expect(const struct ck_sent *sent, enum ck_sent_kind kind, const char *detail)
{
    if (sent->kind != kind || strstr(sent->detail, detail) == NULL) {
        fail_msg("got %s \"%s\", wanted %s \"%s\"", ck_sent_kind_name(sent->kind), sent->detail,
                 ck_sent_kind_name(kind), detail);
    }
}

/* ---- mail ---- */

static struct bench *mail_bench(const struct sink *sink, const char *scheme, const char *more)
{
    char lines[1024];
    snprintf(lines, sizeof lines,
             "[smtp]\nurl = %s://127.0.0.1:%d\nfrom = calls@example.org\nfrom_name = Қоңыраулар\n"
             "timeout = 1 s\n%s\n",
             scheme, sink->port, more);
    return bench_open(ck_channel_email, lines);
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text == NULL ? "" : text;
}

static void mail_arrives_whole(void **state)
{
    (void)state;
    struct bench *bench = mail_bench(&smtp, "smtp", "starttls_required = no");
    struct ck_sending sending = test_sending("inspector@example.org");
    strcpy(sending.language, "kk");
    expect(bench_send(bench, &sending), CK_SENT_ACCEPTED, "250");
    char *mail = sink_read(&smtp, 1, ".eml");
    assert_non_null(mail);
    assert_non_null(strstr(mail, "\r\nMessage-ID: <N-7K3F-92QD@example.org>\r\n"));
    assert_non_null(strstr(mail, "\r\nImportance: high\r\n"));
    free(mail);
    /* What an independent parser makes of it. */
    char *kept = sink_read(&smtp, 1, ".json");
    json_t *about = json_loads(kept, 0, NULL);
    assert_string_equal(text_of(about, "from"), "calls@example.org");
    assert_string_equal(text_of(about, "ehlo"), "example.org");
    assert_string_equal(text_of(about, "from_name"), "Қоңыраулар");
    assert_string_equal(text_of(about, "subject"), "N-7K3F-92QD (жоғары): сіздің шешіміңіз қажет");
    assert_string_equal(text_of(about, "text"),
                        "N-7K3F-92QD (жоғары): сіздің шешіміңіз қажет\n\n"
                        "https://checkin.example.org/#/incidents/12\n\n"
                        "Бұл хатқа жауап бермеңіз: сілтемені ашып, қабылдаңыз.\n");
    assert_int_equal(json_array_size(json_object_get(about, "to")), 1);
    assert_int_equal(json_array_size(json_object_get(about, "defects")), 0);
    json_decref(about);
    free(kept);
    bench_close(bench);
}

static void mail_counts_only_after_the_last_250(void **state)
{
    (void)state;
    static const struct {
        const char *to;
        enum ck_sent_kind kind;
        const char *detail;
    } cases[] = {
        {"refuse451@example.org", CK_SENT_REFUSED, "451"},
        {"reject550@example.org", CK_SENT_REJECTED, "550"},
        {"data451@example.org", CK_SENT_REFUSED, "451"},
        {"data554@example.org", CK_SENT_REJECTED, "554"},
        {"reset@example.org", CK_SENT_UNKNOWN, "lost"},
        {"stall@example.org", CK_SENT_UNKNOWN, "no answer in time"},
        {"slow@example.org", CK_SENT_UNKNOWN, "no answer in time"},
        {"good@example.org", CK_SENT_ACCEPTED, "250"},
    };
    struct bench *bench = mail_bench(&smtp, "smtp", "starttls_required = no");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ck_sending sending = test_sending(cases[i].to);
        expect(bench_send(bench, &sending), cases[i].kind, cases[i].detail);
    }
    bench_close(bench);
}

/* Not the officer's address is at fault: it is tried again, and the operator sees the channel fail.
 */
static void a_server_that_refuses_us_rejects_nobody(void **state)
{
    (void)state;
    char lines[512];
    snprintf(lines, sizeof lines,
             "[smtp]\nurl = smtp://127.0.0.1:%d\nfrom = refused@example.org\n"
             "starttls_required = no\n",
             smtp.port);
    struct bench *bench = bench_open(ck_channel_email, lines);
    struct ck_sending sending = test_sending("good@example.org");
    expect(bench_send(bench, &sending), CK_SENT_REFUSED, "550");
    struct ck_sender_status status;
    ck_sender_status(bench->sender, &status);
    assert_true(ck_sender_fails(&status));
    bench_close(bench);
}

static void mail_that_cannot_connect_is_refused(void **state)
{
    (void)state;
    struct sink none = {.port = 1};
    struct bench *bench = mail_bench(&none, "smtp", "starttls_required = no");
    struct ck_sending sending = test_sending("inspector@example.org");
    expect(bench_send(bench, &sending), CK_SENT_REFUSED, "no connection");
    bench_close(bench);
}

static void mail_needs_trusted_tls(void **state)
{
    (void)state;
    struct ck_sending sending = test_sending("inspector@example.org");
    struct bench *bench = mail_bench(&smtp_tls, "smtp", "ca_file = %d/good.crt");
    expect(bench_send(bench, &sending), CK_SENT_ACCEPTED, "250");
    bench_close(bench);
    char *about = sink_read(&smtp_tls, 1, ".json");
    assert_non_null(strstr(about, "\"tls\": true"));
    free(about);
    bench = mail_bench(&smtp_tls, "smtp", "ca_file = %d/other.crt");
    expect(bench_send(bench, &sending), CK_SENT_REFUSED, "no trusted TLS");
    bench_close(bench);
    /* A server without STARTTLS gets nothing. */
    bench = mail_bench(&smtp, "smtp", "");
    size_t before = sink_count(&smtp, ".eml");
    expect(bench_send(bench, &sending), CK_SENT_REFUSED, "no trusted TLS");
    assert_int_equal(sink_count(&smtp, ".eml"), before);
    bench_close(bench);
}

static void mail_logs_in(void **state)
{
    (void)state;
    struct ck_sending sending = test_sending("inspector@example.org");
    struct bench *bench =
        mail_bench(&smtp_login, "smtps",
                   "ca_file = %d/good.crt\nuser = checkind\npassword_file = %d/password");
    expect(bench_send(bench, &sending), CK_SENT_ACCEPTED, "250");
    bench_close(bench);
    bench = mail_bench(&smtp_login, "smtps",
                       "ca_file = %d/good.crt\nuser = checkind\npassword_file = %d/secret");
    expect(bench_send(bench, &sending), CK_SENT_REFUSED, "log-in");
    bench_close(bench);
    bench = mail_bench(&smtp_login, "smtps", "ca_file = %d/good.crt");
    expect(bench_send(bench, &sending), CK_SENT_REFUSED, "530");
    bench_close(bench);
}

/* How long this thread has been working or ready to: what is left of the time that passed, it
 * slept. */
static uint64_t awake_ns(void)
{
    unsigned long long worked = 0, waited_for_a_processor = 0;
    FILE *file = fopen("/proc/thread-self/schedstat", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%llu %llu", &worked, &waited_for_a_processor), 2);
    fclose(file);
    return worked + waited_for_a_processor;
}

/* libcurl waits for the answer to QUIT in the middle of its work: the loop must not notice. A busy
 * machine may hold this thread up for long; only it itself can sleep. */
static void a_silent_server_does_not_hold_the_loop(void **state)
{
    (void)state;
    struct bench *bench = mail_bench(&smtp, "smtp", "starttls_required = no");
    struct ck_sending sending = test_sending("quit550@example.org");
    uint64_t began = uv_hrtime(), awake = awake_ns();
    assert_int_equal(ck_sender_send(bench->sender, &sending), 0);
    while (bench->count == 0) {
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
    uint64_t passed = uv_hrtime() - began;
    awake = awake_ns() - awake;
    assert_in_range(passed > awake ? passed - awake : 0, 0, 400 * 1000000);
    expect(&bench->results[0].sent, CK_SENT_REJECTED, "550");
    bench_close(bench);
}

static void destroying_forgets_what_runs(void **state)
{
    (void)state;
    struct bench *bench = mail_bench(&smtp, "smtp", "starttls_required = no\nparallel = 2");
    struct ck_sending sending = test_sending("stall@example.org");
    for (int i = 0; i < 6; i++) {
        assert_int_equal(ck_sender_send(bench->sender, &sending), 0);
    }
    for (int i = 0; i < 20; i++) {
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
    bench_close(bench);
}

/* ---- names ---- */

static sem_t never; /* until the tests are over */

/* In the place of the C library's: one name is looked up for ever, as where the name server does
 * not answer. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    look_up *real;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node != NULL && strcmp(node, "hangs.example.org") == 0) {
        sem_wait(&never);
        sem_post(&never);
        return EAI_AGAIN;
    }
    return real(node, service, hints, found);
}

/* It costs the try its time and nothing else: neither the loop nor the end waits for the name. */
static void a_name_that_hangs_is_given_up(void **state)
{
    (void)state;
    struct bench *bench = bench_open(ck_channel_sms, "[sms]\nurl = "
                                                     "https://hangs.example.org/v1/messages\n"
                                                     "timeout = 1 s\n");
    struct ck_sending sending = test_sending("+77010000000");
    expect(bench_send(bench, &sending), CK_SENT_REFUSED, "no answer in time"); /* nothing left */
    assert_int_equal(ck_sender_send(bench->sender, &sending), 0);
    for (int i = 0; i < 20; i++) {
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
    bench_close(bench);
}

/* ---- SMS ---- */

static struct bench *sms_bench(const char *path, const char *more)
{
    char lines[1024];
    snprintf(lines, sizeof lines,
             "[sms]\nurl = http://127.0.0.1:%d%s\ntoken_file = %%d/password\ntimeout = 1 s\n%s\n",
             http.port, path, more);
    return bench_open(ck_channel_sms, lines);
}

static void sms_arrives_whole(void **state)
{
    (void)state;
    struct bench *bench = sms_bench("/ok", "accept_field = messages.0.status\n"
                                           "accept_values = sent, queued\nid_field = id");
    struct ck_sending sending = test_sending("+77011234567");
    sending.words = CK_WORDS_RING;
    strcpy(sending.language, "ru");
    strcpy(sending.link, "https://checkin.example.org/c/AbC");
    const struct ck_sent *sent = bench_send(bench, &sending);
    expect(sent, CK_SENT_ACCEPTED, "HTTP 200");
    unsigned number = (unsigned)sink_count(&http, ".json");
    char id[16];
    snprintf(id, sizeof id, "m-%u", number);
    assert_string_equal(sent->provider_id, id);
    char *kept = sink_read(&http, number, ".json");
    json_t *request = json_loads(kept, 0, NULL);
    json_t *headers = json_object_get(request, "headers");
    json_t *body = json_loads(json_string_value(json_object_get(request, "body")), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(request, "method")), "POST");
    assert_string_equal(json_string_value(json_object_get(headers, "authorization")),
                        "Bearer correct horse");
    assert_string_equal(json_string_value(json_object_get(headers, "idempotency-key")),
                        "N-7K3F-92QD");
    assert_string_equal(json_string_value(json_object_get(body, "to")), "+77011234567");
    assert_string_equal(json_string_value(json_object_get(body, "text")),
                        "Запланированный звонок, 19:00 https://checkin.example.org/c/AbC");
    assert_string_equal(json_string_value(json_object_get(body, "reference")), "N-7K3F-92QD");
    json_decref(body);
    json_decref(request);
    free(kept);
    bench_close(bench);
}

static void sms_reads_what_the_gateway_means(void **state)
{
    (void)state;
    static const char checked[] = "accept_field = status\naccept_values = ok";
    static const struct {
        const char *path;
        const char *more;
        enum ck_sent_kind kind;
        const char *detail;
        int64_t retry_after_ms;
    } cases[] = {
        {"/ok", checked, CK_SENT_ACCEPTED, "200", 0},
        {"/status/202", "", CK_SENT_ACCEPTED, "202", 0},
        {"/status/204", "", CK_SENT_REFUSED, "204", 0},
        {"/error", checked, CK_SENT_REFUSED, "status is \"error\"", 0},
        {"/text", checked, CK_SENT_REFUSED, "status is missing", 0},
        {"/huge", "", CK_SENT_ACCEPTED, "200", 0},
        {"/status/429?retry=7", "", CK_SENT_LIMITED, "429", 7000},
        {"/status/429", "", CK_SENT_LIMITED, "429", 30000},
        {"/status/500", "", CK_SENT_REFUSED, "500", 0},
        {"/status/503?retry=9", "", CK_SENT_REFUSED, "503", 9000},
        {"/status/429?retry=99999999", "", CK_SENT_LIMITED, "429", 900000},
        {"/status/503?retry=99999999", "", CK_SENT_REFUSED, "503", 900000},
        {"/status/400", "", CK_SENT_REJECTED, "400", 0},
        {"/status/422", "", CK_SENT_REJECTED, "422", 0},
        {"/status/401", "", CK_SENT_REFUSED, "401", 0},
        {"/status/404", "", CK_SENT_REFUSED, "404", 0},
        {"/redirect", "", CK_SENT_REFUSED, "302", 0},
        {"/reset", "", CK_SENT_UNKNOWN, "lost", 0},
        {"/close", "", CK_SENT_UNKNOWN, "lost", 0},
        {"/garbage", "", CK_SENT_UNKNOWN, "unexpected answer", 0},
        {"/stall", "", CK_SENT_UNKNOWN, "no answer in time", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench *bench = sms_bench(cases[i].path, cases[i].more);
        struct ck_sending sending = test_sending("+77011234567");
        const struct ck_sent *sent = bench_send(bench, &sending);
        expect(sent, cases[i].kind, cases[i].detail);
        assert_int_equal(sent->retry_after_ms, cases[i].retry_after_ms);
        bench_close(bench);
    }
}

/* ---- webhook ---- */

static struct bench *hook_bench(const struct sink *sink, const char *scheme, const char *path,
                                const char *more)
{
    char lines[1024];
    snprintf(lines, sizeof lines,
             "[webhook duty]\nurl = %s://127.0.0.1:%d%s\nsecret_file = %%d/secret\n"
             "[webhooks]\ntimeout = 10 s\n%s\n",
             scheme, sink->port, path, more);
    return bench_open(ck_channel_webhook, lines);
}

/* The sink checks the signature with Python's hmac. */
static void webhook_is_signed(void **state)
{
    (void)state;
    struct bench *bench = hook_bench(&http, "http", "/ok", "");
    struct ck_sending sending = test_sending("duty");
    sending.tries = 3;
    sending.repeated = true;
    sending.deadline.ms = INT64_C(1795000000000);
    expect(bench_send(bench, &sending), CK_SENT_ACCEPTED, "200");
    char *kept = sink_read(&http, (unsigned)sink_count(&http, ".json"), ".json");
    json_t *request = json_loads(kept, 0, NULL);
    json_t *body = json_loads(json_string_value(json_object_get(request, "body")), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(request, "signature")), "good");
    assert_string_equal(json_string_value(json_object_get(body, "reference")), "N-7K3F-92QD");
    assert_string_equal(json_string_value(json_object_get(body, "kind")), "incident");
    assert_string_equal(json_string_value(json_object_get(body, "severity")), "high");
    assert_string_equal(json_string_value(json_object_get(body, "link")),
                        "https://checkin.example.org/#/incidents/12");
    assert_int_equal(json_integer_value(json_object_get(body, "try")), 3);
    assert_true(json_is_true(json_object_get(body, "repeated")));
    assert_string_equal(json_string_value(json_object_get(body, "deadline")),
                        "2026-11-18T11:06:40.000Z");
    json_decref(body);
    json_decref(request);
    free(kept);
    bench_close(bench);
}

static time_t ahead_s;

/* In the place of the C library's, which the TLS library asks whether a certificate is still good.
 */
time_t time(time_t *at)
{
    time_t now = (time_t)(wall_now().ms / 1000) + ahead_s;
    if (at != NULL) {
        *at = now;
    }
    return now;
}

static void webhook_needs_trusted_tls(void **state)
{
    (void)state;
    struct ck_sending sending = test_sending("duty");
    struct bench *bench = hook_bench(&https, "https", "/ok", "ca_file = %d/good.crt");
    expect(bench_send(bench, &sending), CK_SENT_ACCEPTED, "200");
    bench_close(bench);
    bench = hook_bench(&https, "https", "/ok", "ca_file = %d/other.crt");
    expect(bench_send(bench, &sending), CK_SENT_REFUSED, "no trusted TLS");
    bench_close(bench);
    bench = hook_bench(&https, "https", "/ok", "");
    expect(bench_send(bench, &sending), CK_SENT_REFUSED, "no trusted TLS");
    bench_close(bench);
    ahead_s = 2 * 86400; /* it is good for one day */
    bench = hook_bench(&https, "https", "/ok", "ca_file = %d/good.crt");
    expect(bench_send(bench, &sending), CK_SENT_REFUSED, "certificate has expired");
    bench_close(bench);
    ahead_s = 0;
}

static void webhook_of_another_name_is_rejected(void **state)
{
    (void)state;
    struct bench *bench = hook_bench(&http, "http", "/ok", "");
    struct ck_sending sending = test_sending("night");
    expect(bench_send(bench, &sending), CK_SENT_REJECTED, "[webhook night]");
    struct ck_sender_status status;
    ck_sender_status(bench->sender, &status); /* which says nothing about the channel */
    assert_int_equal(status.last_failed.ms, 0);
    assert_int_equal(status.counts[CK_SENT_REJECTED], 1);
    bench_close(bench);
}

/* ---- voice ---- */

static void calls_are_asked_for_without_a_link(void **state)
{
    (void)state;
    char lines[512];
    snprintf(lines, sizeof lines, "[voice]\nurl = http://127.0.0.1:%d/ok\nid_field = id\n",
             http.port);
    struct bench *bench = bench_open(ck_channel_voice, lines);
    struct ck_sending sending = test_sending("+77011234567");
    strcpy(sending.language, "kk");
    expect(bench_send(bench, &sending), CK_SENT_ACCEPTED, "200");
    char *kept = sink_read(&http, (unsigned)sink_count(&http, ".json"), ".json");
    json_t *request = json_loads(kept, 0, NULL);
    json_t *body = json_loads(text_of(request, "body"), 0, NULL);
    assert_string_equal(text_of(body, "to"), "+77011234567");
    assert_string_equal(text_of(body, "say"), "N-7K3F-92QD (жоғары): сіздің шешіміңіз қажет");
    assert_string_equal(text_of(body, "language"), "kk");
    assert_string_equal(text_of(body, "kind"), "incident");
    assert_string_equal(text_of(body, "reference"), "N-7K3F-92QD");
    json_decref(body);
    json_decref(request);
    free(kept);
    bench_close(bench);
}

/* ---- Web Push ---- */

static void random_bytes(void *user, void *bytes, size_t size)
{
    (void)user;
    FILE *file = fopen("/dev/urandom", "r");
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
}

static void fill_web_push(struct ck_notify_channel *channel, const struct ck_config *config)
{
    ck_channel_web_push(channel, config);
    channel->random = random_bytes;
}

static struct bench *push_bench(const char *services)
{
    char lines[512];
    snprintf(lines, sizeof lines,
             "[web_push]\nkey_file = %%d/master.key\nsubject = mailto:duty@example.org\n"
             "services = %s\nca_file = %%d/good.crt\ntimeout = 1 s\n",
             services);
    return bench_open(fill_web_push, lines);
}

static struct ck_sending push_sending(const char *path)
{
    struct ck_sending sending = test_sending("");
    snprintf(sending.to, sizeof sending.to,
             "{\"endpoint\":\"https://127.0.0.1:%d%s\",\"keys\":{\"p256dh\":"
             "\"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-"
             "AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4\","
             "\"auth\":\"BTBZMqHH6r4Tts7J_aSIgg\"}}",
             https.port, path);
    return sending;
}

static void pushes_are_sealed_and_signed(void **state)
{
    (void)state;
    struct bench *bench = push_bench("push.example.org, 127.0.0.1");
    struct ck_sending sending = push_sending("/status/201");
    sending.deadline.ms = wall_now().ms + 90500;
    expect(bench_send(bench, &sending), CK_SENT_ACCEPTED, "201");
    char *kept = sink_read(&https, (unsigned)sink_count(&https, ".json"), ".json");
    json_t *request = json_loads(kept, JSON_ALLOW_NUL, NULL);
    const json_t *headers = json_object_get(request, "headers");
    assert_memory_equal(text_of(headers, "authorization"), "vapid t=eyJ", 11);
    assert_string_equal(text_of(headers, "content-encoding"), "aes128gcm");
    assert_string_equal(text_of(headers, "urgency"), "high");
    assert_string_equal(text_of(headers, "topic"), "N-7K3F-92QD");
    assert_in_range(atoi(text_of(headers, "ttl")), 85, 90);
    assert_null(strstr(text_of(request, "body"), "N-7K3F")); /* nothing can be read on the way */
    assert_in_range(json_integer_value(json_object_get(request, "size")), 200, 500);
    json_decref(request);
    free(kept);
    bench_close(bench);
}

static void browsers_that_unsubscribed_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum ck_sent_kind kind;
        const char *detail;
        bool gone;
    } cases[] = {
        {"/status/410", CK_SENT_REJECTED, "unsubscribed", true},
        {"/status/404", CK_SENT_REJECTED, "unsubscribed", true},
        {"/status/413", CK_SENT_REJECTED, "413", false},
        {"/status/429?retry=3", CK_SENT_LIMITED, "429", false},
        {"/status/403", CK_SENT_REFUSED, "403", false},
        {"/status/204", CK_SENT_REFUSED, "204", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench *bench = push_bench("127.0.0.1");
        struct ck_sending sending = push_sending(cases[i].path);
        const struct ck_sent *sent = bench_send(bench, &sending);
        expect(sent, cases[i].kind, cases[i].detail);
        assert_int_equal(sent->gone, cases[i].gone);
        bench_close(bench);
    }
}

/* A subscription is a stranger's word: it cannot make us speak to a host of their choice. */
static void only_named_services_are_spoken_to(void **state)
{
    (void)state;
    struct bench *bench = push_bench("push.example.org");
    struct ck_sending sending = push_sending("/ok");
    size_t before = sink_count(&https, ".json");
    expect(bench_send(bench, &sending), CK_SENT_REJECTED, "services");
    strcpy(sending.to, "{}");
    expect(bench_send(bench, &sending), CK_SENT_REJECTED, "not a subscription");
    assert_int_equal(sink_count(&https, ".json"), before);
    static const struct {
        const char *endpoint;
        bool good;
    } cases[] = {
        {"https://push.example.org/a", true},
        {"https://A.PUSH.example.org", true},
        {"https://push.example.org:8443/a", true},
        {"https://push.example.org:x@evil.kz/", false},
        {"https://evilpush.example.org/", false},
        {"http://push.example.org/", false},
        {"https://push.example.org.evil.kz/", false},
        {"https://evil.kz/?push.example.org", false},
        {"https://evil.kz#push.example.org", false},
        {"https://10.0.0.1:80/push.example.org", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ck_push_service_ok(&bench->config, cases[i].endpoint), cases[i].good);
    }
    bench_close(bench);
}

/* ---- order and limits ---- */

static void urgent_ones_go_first(void **state)
{
    (void)state;
    struct bench *bench = hook_bench(&http, "http", "/ok", "parallel = 1");
    static const enum ck_urgency order[] = {CK_URGENCY_LOW, CK_URGENCY_TOP, CK_URGENCY_NORMAL,
                                            CK_URGENCY_TOP, CK_URGENCY_HIGH};
    for (size_t i = 0; i < 5; i++) {
        struct ck_sending sending = test_sending("duty");
        sending.notice = (int64_t)i + 1;
        sending.urgency = order[i];
        assert_int_equal(ck_sender_send(bench->sender, &sending), 0);
    }
    bench_wait(bench, 5);
    static const int64_t wanted[] = {2, 4, 5, 3, 1};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(bench->results[i].sending.notice, wanted[i]);
        assert_int_equal(bench->results[i].sent.kind, CK_SENT_ACCEPTED);
    }
    bench_close(bench);
}

static void a_full_queue_gives_back_and_never_drops(void **state)
{
    (void)state;
    struct bench *bench = hook_bench(&http, "http", "/ok", "parallel = 1");
    for (int i = 0; i < 12; i++) {
        struct ck_sending sending = test_sending("duty");
        sending.notice = i + 1;
        assert_int_equal(ck_sender_send(bench->sender, &sending), 0);
    }
    bench_wait(bench, 12);
    size_t kinds[CK_SENT_KIND_COUNT] = {0};
    for (size_t i = 0; i < 12; i++) {
        kinds[bench->results[i].sent.kind]++;
        assert_true(bench->results[i].sent.kind != CK_SENT_LIMITED ||
                    bench->results[i].sent.retry_after_ms > 0);
    }
    assert_int_equal(kinds[CK_SENT_ACCEPTED], 8);
    assert_int_equal(kinds[CK_SENT_LIMITED], 4);
    bench_close(bench);
}

/* Twelve, of which the last are the gravest, for a queue of eight. */
static void a_full_queue_gives_back_the_least_urgent(void **state)
{
    (void)state;
    struct bench *bench = hook_bench(&http, "http", "/ok", "parallel = 1");
    for (int i = 0; i < 12; i++) {
        struct ck_sending sending = test_sending("duty");
        sending.notice = i + 1;
        sending.urgency = i < 8 ? CK_URGENCY_LOW : CK_URGENCY_TOP;
        assert_int_equal(ck_sender_send(bench->sender, &sending), 0);
    }
    bench_wait(bench, 12);
    for (size_t i = 0; i < 12; i++) {
        const struct result *result = &bench->results[i];
        bool oldest = result->sending.notice <= 4;
        assert_int_equal(result->sent.kind, oldest ? CK_SENT_LIMITED : CK_SENT_ACCEPTED);
    }
    bench_close(bench);
}

static void the_limit_a_minute_holds_back(void **state)
{
    (void)state;
    struct bench *bench = hook_bench(&http, "http", "/ok", "per_minute = 3");
    for (int i = 0; i < 4; i++) {
        struct ck_sending sending = test_sending("duty");
        assert_int_equal(ck_sender_send(bench->sender, &sending), 0);
    }
    bench_wait(bench, 3);
    for (int i = 0; i < 50; i++) {
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
    struct ck_sender_status status;
    ck_sender_status(bench->sender, &status);
    assert_int_equal(status.waiting, 1);
    assert_int_equal(status.counts[CK_SENT_ACCEPTED], 3);
    assert_true(status.last_accepted.ms > 0);
    bench_close(bench);
}

/* After a 429 of a gateway the others wait as well. */
static void a_limit_of_the_server_holds_the_channel(void **state)
{
    (void)state;
    struct bench *bench = sms_bench("/status/429?retry=5", "");
    struct ck_sending sending = test_sending("+77010000000");
    expect(bench_send(bench, &sending), CK_SENT_LIMITED, "429");
    size_t before = sink_count(&http, ".json");
    assert_int_equal(ck_sender_send(bench->sender, &sending), 0);
    for (int i = 0; i < 50; i++) {
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(sink_count(&http, ".json"), before);
    struct ck_sender_status status;
    ck_sender_status(bench->sender, &status);
    assert_int_equal(status.waiting, 1);
    bench_close(bench);
}

/* What one system of the agency asks for is no reason to keep the next one waiting. */
static void a_limit_of_one_webhook_holds_no_other(void **state)
{
    (void)state;
    char lines[512];
    snprintf(lines, sizeof lines,
             "[webhook busy]\nurl = http://127.0.0.1:%d/status/429?retry=30\nsecret_file = "
             "%%d/secret\n[webhook free]\nurl = http://127.0.0.1:%d/ok\nsecret_file = %%d/secret\n",
             http.port, http.port);
    struct bench *bench = bench_open(ck_channel_webhook, lines);
    struct ck_sending busy = test_sending("busy"), other = test_sending("free");
    expect(bench_send(bench, &busy), CK_SENT_LIMITED, "429");
    expect(bench_send(bench, &other), CK_SENT_ACCEPTED, "200");
    bench_close(bench);
}

static void a_channel_that_is_off_rejects(void **state)
{
    (void)state;
    struct bench *bench = bench_open(ck_channel_email, "");
    struct ck_sending sending = test_sending("inspector@example.org");
    expect(bench_send(bench, &sending), CK_SENT_REJECTED, "not configured");
    bench_close(bench);
}

static void on_done_destroy(void *user, const struct ck_sending *sending,
                            const struct ck_sent *sent, int64_t waited_ms)
{
    on_done(user, sending, sent, waited_ms);
    struct bench *bench = user;
    ck_sender_destroy(bench->sender);
    bench->sender = NULL;
}

static void may_be_destroyed_from_its_callback(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        struct bench *bench = hook_bench(&http, "http", "/ok", "");
        ck_sender_destroy(bench->sender);
        struct ck_sender_options options = {
            .now = wall_now, .queue_max = 8, .done = on_done_destroy, .user = bench};
        ck_channel_webhook(&options.channel, &bench->config);
        assert_int_equal(ck_sender_create(&bench->sender, &bench->loop, &options), 0);
        /* Once from the answer of a server, once from a rejection. */
        struct ck_sending sending = test_sending(round == 0 ? "duty" : "none");
        assert_int_equal(ck_sender_send(bench->sender, &sending), 0);
        assert_int_equal(ck_sender_send(bench->sender, &sending), 0);
        bench_wait(bench, 1);
        bench_close(bench);
    }
}

static int start_sinks(void **state)
{
    (void)state;
    char certificate[300], key[300], secret[300];
    sem_init(&never, 0, 0);
    test_dir_make(dir);
    sink_make_certificate(dir, "good", "IP:127.0.0.1");
    sink_make_certificate(dir, "other", "IP:127.0.0.1");
    snprintf(certificate, sizeof certificate, "%s/good.crt", dir);
    snprintf(key, sizeof key, "%s/good.key", dir);
    snprintf(secret, sizeof secret, "%s/secret", dir);
    const char *const tls[] = {"--cert", certificate, "--key", key, NULL};
    const char *const login[] = {
        "--cert", certificate, "--key", key, "--implicit", "--login", "checkind:correct horse",
        NULL};
    const char *const checked[] = {"--secret-file", secret, NULL};
    sink_start(&smtp, "smtp_sink.py", NULL);
    sink_start(&smtp_tls, "smtp_sink.py", tls);
    sink_start(&smtp_login, "smtp_sink.py", login);
    sink_start(&http, "http_sink.py", checked);
    sink_start(&https, "http_sink.py", tls);
    return 0;
}

static int stop_sinks(void **state)
{
    (void)state;
    sink_stop(&smtp);
    sink_stop(&smtp_tls);
    sink_stop(&smtp_login);
    sink_stop(&http);
    sink_stop(&https);
    sem_post(&never);
    test_dir_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_arrives_whole),
        cmocka_unit_test(mail_counts_only_after_the_last_250),
        cmocka_unit_test(a_server_that_refuses_us_rejects_nobody),
        cmocka_unit_test(mail_that_cannot_connect_is_refused),
        cmocka_unit_test(mail_needs_trusted_tls),
        cmocka_unit_test(mail_logs_in),
        cmocka_unit_test(a_silent_server_does_not_hold_the_loop),
        cmocka_unit_test(destroying_forgets_what_runs),
        cmocka_unit_test(a_name_that_hangs_is_given_up),
        cmocka_unit_test(sms_arrives_whole),
        cmocka_unit_test(sms_reads_what_the_gateway_means),
        cmocka_unit_test(webhook_is_signed),
        cmocka_unit_test(webhook_needs_trusted_tls),
        cmocka_unit_test(webhook_of_another_name_is_rejected),
        cmocka_unit_test(calls_are_asked_for_without_a_link),
        cmocka_unit_test(pushes_are_sealed_and_signed),
        cmocka_unit_test(browsers_that_unsubscribed_are_told_apart),
        cmocka_unit_test(only_named_services_are_spoken_to),
        cmocka_unit_test(urgent_ones_go_first),
        cmocka_unit_test(a_full_queue_gives_back_and_never_drops),
        cmocka_unit_test(a_full_queue_gives_back_the_least_urgent),
        cmocka_unit_test(the_limit_a_minute_holds_back),
        cmocka_unit_test(a_limit_of_the_server_holds_the_channel),
        cmocka_unit_test(a_limit_of_one_webhook_holds_no_other),
        cmocka_unit_test(a_channel_that_is_off_rejects),
        cmocka_unit_test(may_be_destroyed_from_its_callback),
    };
    return cmocka_run_group_tests(tests, start_sinks, stop_sinks);
}
