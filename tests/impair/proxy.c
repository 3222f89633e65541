/* impair-proxy PORT [SEED]: the bad network as a program, for tests that drive browsers. It stands
 * before PORT of 127.0.0.1.
 *
 * Standard output is lines of JSON: {"port":n} first, then what is asked for. Standard input:
 *   {"rules":{"loss":0.3,"burst":1,"reorder":0.1,"reorder_ms":20,"delay_ms":150,"jitter_ms":10,
 *             "spike":0.01,"spike_ms":200,"rate_bps":150000,"blackout":false},"direction":"up"|"down"|"both"}
 *   {"stats":true}
 * What a rule does not name is as on a perfect link. Ends with standard input. */
#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "protocol/base/error.h"
#include "tests/impair/impair.h"

#define LINE_SIZE 4096
#define FOREVER_MS (24 * 3600 * 1000)

struct program {
    struct ck_crowd *crowd;
    struct ck_impair *impair;
    bool over;
    char line[LINE_SIZE];
    size_t size;
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

static double number(const json_t *rules, const char *name)
{
    return json_number_value(json_object_get(rules, name));
}

static void take_rules(struct program *program, const json_t *from, const char *direction)
{
    struct ck_impair_rules rules = {
        .loss = number(from, "loss"),
        .burst = number(from, "burst"),
        .duplicate = number(from, "duplicate"),
        .reorder = number(from, "reorder"),
        .reorder_us = (int64_t)(number(from, "reorder_ms") * 1000),
        .delay_us = (int64_t)(number(from, "delay_ms") * 1000),
        .jitter_us = (int64_t)(number(from, "jitter_ms") * 1000),
        .spike = number(from, "spike"),
        .spike_us = (int64_t)(number(from, "spike_ms") * 1000),
        .rate_bps = (uint64_t)number(from, "rate_bps"),
        .queue_bytes = (size_t)number(from, "queue_bytes"),
        .blackout = json_is_true(json_object_get(from, "blackout")),
    };
    if (strcmp(direction, "down") != 0) {
        ck_impair_set(program->impair, CK_IMPAIR_UP, &rules);
    }
    if (strcmp(direction, "up") != 0) {
        ck_impair_set(program->impair, CK_IMPAIR_DOWN, &rules);
    }
}

static json_t *stats_of(const struct program *program, enum ck_impair_direction direction)
{
    struct ck_impair_stats stats = ck_impair_stats(program->impair, direction);
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "passed", (json_int_t)stats.passed, "lost",
                     (json_int_t)stats.lost, "reordered", (json_int_t)stats.reordered, "throttled",
                     (json_int_t)stats.throttled, "bytes", (json_int_t)stats.bytes);
}

static void take_line(struct program *program, const char *line)
{
    json_error_t fault;
    json_t *object = json_loads(line, 0, &fault);
    const json_t *rules = json_object_get(object, "rules");
    const char *direction = json_string_value(json_object_get(object, "direction"));
    if (json_is_object(rules)) {
        take_rules(program, rules, direction == NULL ? "both" : direction);
    } else if (json_is_true(json_object_get(object, "stats"))) {
        say(json_pack("{s:o,s:o}", "up", stats_of(program, CK_IMPAIR_UP), "down",
                      stats_of(program, CK_IMPAIR_DOWN)));
    } else {
        fprintf(stderr, "impair-proxy: not an order: %s\n", line);
        program->over = true;
    }
    json_decref(object);
}

static void input_ready(void *arg, uint32_t events)
{
    struct program *program = arg;
    (void)events;
    ssize_t size = read(STDIN_FILENO, program->line + program->size, LINE_SIZE - 1 - program->size);
    if (size <= 0) {
        program->over = true;
        return;
    }
    program->size += (size_t)size;
    program->line[program->size] = '\0';
    char *end;
    while ((end = strchr(program->line, '\n')) != NULL) {
        *end = '\0';
        take_line(program, program->line);
        program->size -= (size_t)(end + 1 - program->line);
        memmove(program->line, end + 1, program->size + 1);
    }
}

static bool is_over(void *arg)
{
    return ((const struct program *)arg)->over;
}

static int run(struct program *program, uint16_t port, uint64_t seed)
{
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct ck_impair_config config = {.seed = seed, .server = (struct sockaddr *)&server};
    int error = ck_crowd_create(&program->crowd);
    config.crowd = program->crowd;
    error = error != 0 ? error : ck_impair_create(&config, &program->impair);
    error = error != 0
                ? error
                : ck_crowd_watch(program->crowd, STDIN_FILENO, EPOLLIN, input_ready, program);
    if (error != 0) {
        return error;
    }
    const struct sockaddr_in *front =
        (const struct sockaddr_in *)ck_impair_address(program->impair);
    say(json_pack("{s:i}", "port", (int)ntohs(front->sin_port)));
    error = ck_crowd_until(program->crowd, is_over, program, FOREVER_MS);
    return error == CK_E_BUSY ? 0 : error;
}

int main(int count, char **arguments)
{
    static struct program program;
    if (count < 2 || count > 3) {
        fprintf(stderr, "usage: %s PORT [SEED]\n", arguments[0]);
        return 2;
    }
    int error = run(&program, (uint16_t)strtoul(arguments[1], NULL, 10),
                    count > 2 ? strtoull(arguments[2], NULL, 10) : 1);
    if (error != 0) {
        fprintf(stderr, "%s: %s\n", arguments[0], ck_error_text(error));
    }
    ck_impair_destroy(program.impair);
    ck_crowd_destroy(program.crowd);
    return error == 0 ? 0 : 1;
}
