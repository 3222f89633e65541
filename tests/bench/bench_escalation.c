/* From the end of grace to the first notice that somebody else has: the real engine and the real
 * channels, a real SMTP server and a real webhook receiver on loopback, with 1, 100 and 5,000
 * check-ins whose grace ends in the same moment.
 *
 *   bench_escalation [--json]
 *
 * "Accepted" is the 250 after the mail and the 2xx after the webhook. The limits a minute, which
 * are there for the sake of carriers, are raised; everything else is as it is by default. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "daemon/core/engine.h"
#include "daemon/core/rules.h"
#include "daemon/notify/notify.h"
#include "scheduler/effects.h"
#include "tests/bench/caseload.h"
#include "tests/bench/figure.h"
#include "tests/sinks/sink.h"

#define PERSONS 6000
#define LEAD_MS 3000
#define TIMEOUT_MS 240000

enum way { WAY_EMAIL, WAY_WEBHOOK, WAY_FIRST, WAY_COUNT };

struct notice {
    int64_t checkin;
    enum way way;
};

struct bench {
    char folder[PATH_MAX / 2], path[PATH_MAX];
    struct sink smtp, http;
    struct ck_config config;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t limit;
    struct ck_notify *notify;
    struct ck_registry registry;
    struct ck_engine *engine;
    struct ck_peak peak;
    struct notice *notices; /* by id */
    size_t notice_count;
    int64_t *after[WAY_COUNT]; /* ms from the end of grace, by number; -1: not yet */
    int64_t missing[WAY_COUNT];
};

static struct ck_wall wall_now(void)
{
    return (struct ck_wall){ck_bench_wall_ms()};
}

static void fill_random(void *user, void *bytes, size_t size)
{
    (void)user;
    if (getrandom(bytes, size, 0) != (ssize_t)size) {
        abort();
    }
}

static void read_clock(void *user, struct ck_now *now)
{
    struct timespec at;
    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &at);
    *now = (struct ck_now){
        {ck_bench_wall_ms()}, {at.tv_sec * INT64_C(1000000) + at.tv_nsec / 1000}, true};
}

/* ---- between engine and channels, as the product does it ---- */

static void on_wake(void *user)
{
    struct bench *bench = user;
    uv_async_send(&bench->wake);
}

static struct notice *notice_of(struct bench *bench, int64_t id)
{
    if ((size_t)id >= bench->notice_count) {
        size_t count = (size_t)id + 4096;
        bench->notices = realloc(bench->notices, count * sizeof(*bench->notices));
        if (bench->notices == NULL) {
            abort();
        }
        memset(bench->notices + bench->notice_count, 0,
               (count - bench->notice_count) * sizeof(*bench->notices));
        bench->notice_count = count;
    }
    return &bench->notices[id];
}

static void submit_result(struct bench *bench, json_t *body)
{
    const struct ck_command command = {
        .name = "notice.result",
        .actor = {.kind = CK_ACTOR_GATEWAY, .peer = "127.0.0.1:1"},
        .body = body,
    };
    ck_bench_check(ck_engine_submit(bench->engine, &command), "submit");
}

static void mark(struct bench *bench, enum way way, int64_t checkin)
{
    int64_t number = checkin - CK_CASELOAD_GRACE;
    if (number < 0 || number >= bench->peak.due || bench->after[way][number] >= 0) {
        return;
    }
    bench->after[way][number] = ck_bench_wall_ms() - ck_peak_at_ms(&bench->peak, number);
    bench->missing[way]--;
    if (bench->missing[WAY_EMAIL] == 0 && bench->missing[WAY_WEBHOOK] == 0) {
        uv_stop(&bench->loop);
    }
}

static void on_result(void *user, json_t *body)
{
    struct bench *bench = user;
    const char *result = json_string_value(json_object_get(body, "result"));
    const struct notice *notice =
        notice_of(bench, json_integer_value(json_object_get(body, "notice")));
    if (strcmp(result, "accepted") == 0 && notice->checkin != 0) {
        mark(bench, WAY_FIRST, notice->checkin);
        mark(bench, notice->way, notice->checkin);
    }
    submit_result(bench, body);
}

static void send_notice(struct bench *bench, const struct ck_output *output)
{
    const char *channel = json_string_value(json_object_get(output->body, "channel"));
    if (strcmp(channel, "console") == 0) {
        /* Nobody has a page open. */
        submit_result(bench, json_pack("{s:I, s:O, s:s}", "notice", (json_int_t)output->id, "try",
                                       json_object_get(output->body, "try"), "result", "rejected"));
        return;
    }
    *notice_of(bench, output->id) =
        (struct notice){.checkin = output->checkin_id,
                        .way = strcmp(channel, "webhook") == 0 ? WAY_WEBHOOK : WAY_EMAIL};
    ck_notify_send(bench->notify, output->id, output->body);
}

static void on_async(uv_async_t *async)
{
    struct bench *bench = async->data;
    struct ck_batch *batch = ck_engine_take(bench->engine);
    while (batch != NULL) {
        struct ck_batch *next = batch->next;
        for (size_t i = 0; i < batch->output_count; i++) {
            if (batch->outputs[i].kind == CK_OUTPUT_SEND) {
                send_notice(bench, &batch->outputs[i]);
            }
        }
        ck_batch_free(batch);
        batch = next;
    }
}

static void on_limit(uv_timer_t *timer)
{
    fprintf(stderr, "bench_escalation: not all notices were accepted in time\n");
    uv_stop(timer->loop);
}

/* ---- life ---- */

static void write_secret(const char *path, const char *secret)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, secret, strlen(secret)) != (ssize_t)strlen(secret)) {
        perror(path);
        exit(1);
    }
    close(fd);
}

static void configure(struct bench *bench)
{
    static struct ck_config_faults faults;
    char text[1024], secret[PATH_MAX];
    const struct ck_config_place place = {.credentials_dir = bench->folder};
    snprintf(secret, sizeof(secret), "%s/secret", bench->folder);
    write_secret(secret, "a secret of at least sixteen bytes");
    snprintf(secret, sizeof(secret), "%s/master.key", bench->folder);
    write_secret(secret, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
    snprintf(
        text, sizeof(text),
        "[daemon]\npublic_url = https://checkin.example.org\nmaster_key_file = %%d/master.key\n"
        "[http]\nself_signed = yes\n"
        "[smtp]\nurl = smtp://127.0.0.1:%d\nfrom = calls@example.org\nstarttls_required = no\n"
        "per_minute = 100000\n[webhooks]\nper_minute = 100000\n"
        "[webhook dispatch]\nurl = http://127.0.0.1:%d/ok\nsecret_file = %%d/secret\n",
        bench->smtp.port, bench->http.port);
    int code = ck_config_parse(&bench->config, text, strlen(text), &place, &faults);
    if (code != 0) {
        ck_config_faults_print(&faults, "bench", stderr);
        exit(1);
    }
}

static void start(struct bench *bench)
{
    static const uint8_t master_key[CK_KEY_SIZE] = {7};
    const struct ck_notify_options notify = {.config = &bench->config,
                                             .now = wall_now,
                                             .random = fill_random,
                                             .result = on_result,
                                             .user = bench};
    /* No digests: a notice each is what is measured. */
    struct ck_house_rules rules = ck_house_rules_default();
    rules.storm.incidents = UINT32_MAX;
    const struct ck_engine_options engine = {
        .rules = &rules,
        .store_path = bench->path,
        .registry = &bench->registry,
        .master_key = master_key,
        .zone_dir = "/usr/share/zoneinfo",
        .commands_max = 100000,
        .channels = CK_CHANNEL_BIT(CK_CHANNEL_EMAIL),
        .webhooks = {"dispatch"},
        .webhook_count = 1,
        .random = fill_random,
        .clock = read_clock,
        .wake = on_wake,
        .user = bench,
    };
    ck_bench_check(uv_loop_init(&bench->loop), "loop");
    ck_bench_check(uv_async_init(&bench->loop, &bench->wake, on_async), "async");
    ck_bench_check(uv_timer_init(&bench->loop, &bench->limit), "timer");
    bench->wake.data = bench->limit.data = bench;
    ck_bench_check(ck_notify_create(&bench->notify, &bench->loop, &notify), "notify");
    ck_bench_check(ck_engine_create(&bench->engine, &engine), "engine");
}

static void stop(struct bench *bench)
{
    ck_engine_destroy(bench->engine);
    ck_notify_destroy(bench->notify);
    uv_close((uv_handle_t *)&bench->wake, NULL);
    uv_close((uv_handle_t *)&bench->limit, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    ck_bench_check(uv_loop_close(&bench->loop), "close");
}

/* ---- figures ---- */

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool tell(const struct bench *bench, enum way way, double target_s)
{
    static const char *const names[WAY_COUNT] = {"email_after_grace", "webhook_after_grace",
                                                 "first_notice_after_grace"};
    char figure[64], detail[32];
    int64_t due = bench->peak.due;
    qsort(bench->after[way], (size_t)due, sizeof(int64_t), by_size);
    if (bench->after[way][0] < 0) {
        return false;
    }
    snprintf(detail, sizeof(detail), "\"at_once\":%lld", (long long)due);
    const struct {
        const char *name;
        int64_t at;
    } points[] = {{"p50", due / 2}, {"p99", due * 99 / 100}, {"max", due - 1}};
    bool good = true;
    for (size_t i = 0; i < 3; i++) {
        bool judged = way == WAY_FIRST && i == 1 && target_s > 0;
        snprintf(figure, sizeof(figure), "%s_%s", names[way], points[i].name);
        good &= ck_figure(figure, (double)bench->after[way][points[i].at] / 1000, "s",
                          judged ? CK_FIGURE_AT_MOST : CK_FIGURE_SHOWN, target_s, detail);
    }
    return good;
}

static bool measure(int64_t at_once, double target_s)
{
    static struct bench bench;
    char command[PATH_MAX];
    bench = (struct bench){.peak = {.persons = PERSONS, .due = at_once}};
    char here[PATH_MAX / 2];
    if (getcwd(here, sizeof(here)) == NULL ||
        snprintf(bench.folder, sizeof(bench.folder), "%s/bench-escalation-XXXXXX", here) >=
            (int)sizeof(bench.folder) ||
        mkdtemp(bench.folder) == NULL) {
        perror("bench-escalation");
        exit(1);
    }
    snprintf(bench.path, sizeof(bench.path), "%s/store", bench.folder);
    const char *const bare[] = {"--bare", NULL};
    sink_start(&bench.smtp, "smtp_sink.py", bare);
    sink_start(&bench.http, "http_sink.py", bare);
    for (int way = 0; way < WAY_COUNT; way++) {
        bench.after[way] = malloc((size_t)at_once * sizeof(int64_t));
        if (bench.after[way] == NULL) {
            abort();
        }
        memset(bench.after[way], 0xff, (size_t)at_once * sizeof(int64_t));
        bench.missing[way] = at_once;
    }
    ck_core_register(&bench.registry);
    configure(&bench);
    ck_caseload_make(bench.path, PERSONS);
    bench.peak.base_ms = ck_bench_wall_ms() + LEAD_MS;
    ck_caseload_peak(bench.path, &bench.peak);
    start(&bench);
    uv_timer_start(&bench.limit, on_limit, TIMEOUT_MS, 0);
    ck_bench_check(ck_engine_start(bench.engine), "start");
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    ck_engine_stop(bench.engine);
    stop(&bench);
    sink_stop(&bench.smtp);
    sink_stop(&bench.http);
    bool good = true;
    for (int way = 0; way < WAY_COUNT; way++) {
        good &= tell(&bench, (enum way)way, target_s);
        free(bench.after[way]);
    }
    ck_config_deinit(&bench.config);
    free(bench.notices);
    snprintf(command, sizeof(command), "rm -rf %s", bench.folder);
    return system(command) == 0 && good;
}

int main(void)
{
    bool good = measure(1, 5);
    good &= measure(100, 5);
    good &= measure(5000, 10); /* a second for 500 of them */
    return good ? 0 : 1;
}
