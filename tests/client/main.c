/* checkin-test-client: one native client on the command line, for tests that bring their own
 * signalling.
 *
 * checkin-test-client [--call N] [--leg 0|1] [--unmarked] [--seconds S] [--seed N] [--rtx]
 * [--twcc] [--tcp] [--obeys] [--big-hello] [--v6]
 *
 * Standard output is one JSON object a line: {"offer":"v=0…"} first, then {"event":"dtls"} and the
 * like, at last
 * {"stats":{…}}. Standard input is the same: {"answer":"v=0…"}, {"restart":true} (gives another
 * offer),
 * {"send":{"audio":true,"video":false}}, {"hang_up":true}. It ends after S seconds (default:
 * never), at the end of its input, or when the server hangs up. --unmarked: the other side is a
 * browser. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "protocol/base/error.h"
#include "tests/client/client.h"

#define LINE_MAX_SIZE 65536

struct program {
    struct ck_crowd *crowd;
    struct ck_clip *clip;
    struct ck_identity *identity;
    struct ck_tclient *client;
    struct ck_tclient_config config;
    int seconds;
    bool over;
    char line[LINE_MAX_SIZE];
    size_t line_size;
};

static void say(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    if (text != NULL) {
        printf("%s\n", text);
        fflush(stdout);
    }
    free(text);
    json_decref(object);
}

static void say_offer(const struct program *program)
{
    say(json_pack("{s:s}", "offer", ck_tclient_offer(program->client)));
}

static const char *event_name(enum ck_tclient_event event)
{
    switch (event) {
    case CK_TCLIENT_ICE_CONNECTED:
        return "ice";
    case CK_TCLIENT_NOMINATED:
        return "nominated";
    case CK_TCLIENT_DTLS_CONNECTED:
        return "dtls";
    case CK_TCLIENT_FIRST_PACKET:
        return "first_packet";
    case CK_TCLIENT_DTLS_FAILED:
        return "dtls_failed";
    case CK_TCLIENT_CLOSED:
        return "closed";
    case CK_TCLIENT_CONSENT_LOST:
        return "consent_lost";
    }
    return "unknown";
}

static void on_event(void *arg, enum ck_tclient_event event)
{
    struct program *program = arg;
    say(json_pack("{s:s}", "event", event_name(event)));
    program->over = program->over || event == CK_TCLIENT_DTLS_FAILED || event == CK_TCLIENT_CLOSED;
}

static json_t *account_json(const struct ck_tclient_stats *stats, unsigned kind)
{
    const struct ck_account *account = &stats->account[kind];
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "sent", (json_int_t)stats->sent[kind],
                     "packets", (json_int_t)account->packets, "unique", (json_int_t)account->unique,
                     "duplicates", (json_int_t)account->duplicates, "reordered",
                     (json_int_t)account->reordered, "corrupt", (json_int_t)account->corrupt,
                     "foreign", (json_int_t)account->foreign, "bytes", (json_int_t)account->bytes);
}

static void say_stats(const struct program *program)
{
    char faults[512];
    const struct ck_tclient_stats *stats = ck_tclient_stats(program->client);
    json_t *object = json_pack(
        "{s:o,s:o,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s}", "audio", account_json(stats, 0), "video",
        account_json(stats, 1), "profile", (int)stats->profile, "key_frames",
        (json_int_t)stats->key_frames, "key_frames_sent", (json_int_t)stats->key_frames_sent,
        "nacks_in", (json_int_t)stats->nacks_in, "nacks_sent", (json_int_t)stats->nacks_sent,
        "plis_in", (json_int_t)stats->plis_in, "remb_bps", (json_int_t)stats->remb_bps,
        "first_packet_us",
        (json_int_t)(stats->first_packet_us == 0 ? 0 : stats->first_packet_us - stats->offered_us),
        "faults", ck_tclient_faults(program->client, faults));
    say(json_pack("{s:o}", "stats", object));
}

static void take_answer(struct program *program, const char *answer)
{
    char why[160] = "";
    int error = ck_tclient_answer(program->client, answer, strlen(answer), why);
    if (error != 0) {
        say(json_pack("{s:s,s:s}", "error", ck_error_text(error), "why", why));
        program->over = true;
    }
}

static void take_line(struct program *program, const char *line)
{
    json_error_t fault;
    json_t *object = json_loads(line, 0, &fault);
    const char *answer = json_string_value(json_object_get(object, "answer"));
    const json_t *send = json_object_get(object, "send");
    if (object == NULL) {
        fprintf(stderr, "not JSON: %s\n", fault.text);
    } else if (answer != NULL) {
        take_answer(program, answer);
    } else if (json_is_true(json_object_get(object, "restart"))) {
        if (ck_tclient_restart(program->client, false) == 0) {
            say_offer(program);
        }
    } else if (json_is_object(send)) {
        ck_tclient_send(program->client, json_is_true(json_object_get(send, "audio")),
                        json_is_true(json_object_get(send, "video")));
    } else if (json_is_true(json_object_get(object, "hang_up"))) {
        ck_tclient_hang_up(program->client);
        program->over = true;
    } else {
        fprintf(stderr, "unknown order: %s\n", line);
    }
    json_decref(object);
}

static void input_ready(void *arg, uint32_t events)
{
    struct program *program = arg;
    (void)events;
    ssize_t size = read(STDIN_FILENO, program->line + program->line_size,
                        LINE_MAX_SIZE - 1 - program->line_size);
    if (size <= 0 && !(size < 0 && errno == EAGAIN)) {
        program->over = true;
        return;
    }
    program->line_size += size > 0 ? (size_t)size : 0;
    program->line[program->line_size] = '\0';
    char *end;
    while ((end = strchr(program->line, '\n')) != NULL) {
        *end = '\0';
        take_line(program, program->line);
        program->line_size -= (size_t)(end + 1 - program->line);
        memmove(program->line, end + 1, program->line_size + 1);
    }
}

static bool is_over(void *arg)
{
    return ((const struct program *)arg)->over;
}

static bool read_arguments(int count, char **arguments, struct program *program)
{
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i];
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        struct ck_tclient_config *config = &program->config;
        if (strcmp(name, "--unmarked") == 0) {
            config->unmarked = true;
        } else if (strcmp(name, "--rtx") == 0) {
            config->rtx = true;
        } else if (strcmp(name, "--big-hello") == 0) {
            config->big_hello = true;
        } else if (strcmp(name, "--twcc") == 0) {
            config->twcc = true;
        } else if (strcmp(name, "--tcp") == 0) {
            config->tcp = true;
        } else if (strcmp(name, "--obeys") == 0) {
            config->obeys = true;
        } else if (strcmp(name, "--v6") == 0) {
            config->family = AF_INET6;
        } else if (value == NULL) {
            return false;
        } else if (strcmp(name, "--call") == 0) {
            config->call = (uint32_t)strtoul(arguments[++i], NULL, 10);
        } else if (strcmp(name, "--leg") == 0) {
            config->leg = (uint8_t)(strtoul(arguments[++i], NULL, 10) & 1);
        } else if (strcmp(name, "--seed") == 0) {
            config->seed = strtoull(arguments[++i], NULL, 10);
        } else if (strcmp(name, "--seconds") == 0) {
            program->seconds = (int)strtol(arguments[++i], NULL, 10);
        } else {
            return false;
        }
    }
    return true;
}

static int run(struct program *program)
{
    program->config.crowd = program->crowd;
    program->config.identity = program->identity;
    program->config.clip = program->clip;
    program->config.on_event = on_event;
    program->config.arg = program;
    int error = ck_tclient_create(&program->config, &program->client);
    error = error != 0
                ? error
                : ck_crowd_watch(program->crowd, STDIN_FILENO, EPOLLIN, input_ready, program);
    if (error != 0) {
        return error;
    }
    say_offer(program);
    int limit_ms = program->seconds > 0 ? program->seconds * 1000 : 24 * 3600 * 1000;
    error = ck_crowd_until(program->crowd, is_over, program, limit_ms);
    say_stats(program);
    ck_crowd_unwatch(program->crowd, STDIN_FILENO);
    return error == CK_E_BUSY ? 0 : error;
}

int main(int count, char **arguments)
{
    static struct program program;
    if (!read_arguments(count, arguments, &program)) {
        fprintf(stderr,
                "usage: %s [--call N] [--leg 0|1] [--unmarked] [--seconds S] [--seed N] [--rtx] "
                "[--twcc] [--tcp] [--obeys] [--big-hello] [--v6]\n",
                arguments[0]);
        return 2;
    }
    int error = ck_tclient_library_init();
    error = error != 0 ? error : ck_crowd_create(&program.crowd);
    error = error != 0 ? error : ck_identity_create(&program.identity);
    error = error != 0 ? error
                       : ck_clip_create(program.config.leg == 0 ? 440 : 880,
                                        program.config.leg == 0 ? 90 : 170, &program.clip);
    error = error != 0 ? error : run(&program);
    ck_tclient_destroy(program.client);
    ck_clip_destroy(program.clip);
    ck_identity_destroy(program.identity);
    ck_crowd_destroy(program.crowd);
    ck_tclient_library_deinit();
    if (error != 0) {
        fprintf(stderr, "%s: %s\n", arguments[0], ck_error_text(error));
    }
    return error == 0 ? 0 : 1;
}
