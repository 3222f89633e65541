/* The control socket from outside: a client that behaves, clients that do not, and checkinctl
 * itself. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <uv.h>

#include "daemon/ctl/control.h"
#include "daemon/ctl/control_client.h"
#include "protocol/base/error.h"

#define LATER_MAX 64

static char dir[] = "/tmp/checkind-control-XXXXXX";
static char path[64];

struct server {
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t stop;
    uv_async_t release;
    struct ck_control *control;
    struct ck_control_call *later[LATER_MAX];
    size_t later_count;
    uv_mutex_t lock;
    size_t asked_later;
};

static struct server server;

static void answer_echo(struct ck_control_call *call, const json_t *arguments, void *user)
{
    (void)user;
    assert_int_equal(ck_control_uid(call), geteuid());
    ck_control_answer(call, json_deep_copy(arguments));
}

static void answer_refuse(struct ck_control_call *call, const json_t *arguments, void *user)
{
    (void)arguments;
    (void)user;
    ck_control_refuse(call, CK_E_CONFLICT, "there is an administrator: %d", 7);
}

static void answer_later(struct ck_control_call *call, const json_t *arguments, void *user)
{
    (void)arguments;
    (void)user;
    server.later[server.later_count++] = call;
    uv_mutex_lock(&server.lock);
    server.asked_later = server.later_count;
    uv_mutex_unlock(&server.lock);
}

static void answer_health(struct ck_control_call *call, const json_t *arguments, void *user)
{
    (void)arguments;
    (void)user;
    ck_control_answer(call, json_pack("{s:b, s:[{s:s, s:b}]}", "healthy", 0, "checks", "name",
                                      "clock\x1b[31m", "good", 0));
}

static void answer_metrics(struct ck_control_call *call, const json_t *arguments, void *user)
{
    (void)arguments;
    (void)user;
    ck_control_answer(call, json_pack("{s:s}", "text", "checkind_calls 3\n"));
}

static void answer_contact_test(struct ck_control_call *call, const json_t *arguments, void *user)
{
    (void)user;
    const char *channel = json_string_value(json_object_get(arguments, "channel"));
    bool sms = strcmp(channel, "sms") == 0;
    ck_control_answer(call, json_pack("{s:s, s:s}", "result", sms ? "accepted" : "refused",
                                      "detail", sms ? "" : "HTTP 500"));
}

static const struct ck_control_command commands[] = {
    {"contact-test", answer_contact_test, NULL},
    {"echo", answer_echo, NULL},
    {"setup-token", answer_refuse, NULL},
    {"later", answer_later, NULL},
    {"health", answer_health, NULL},
    {"metrics", answer_metrics, NULL},
    {"quarantine.release", answer_echo, NULL},
};

/* ---- the server, in a thread of its own ---- */

static void on_stop(uv_async_t *async)
{
    (void)async;
    ck_control_destroy(server.control);
    while (server.later_count > 0) {
        ck_control_answer(server.later[--server.later_count], NULL);
    }
    uv_close((uv_handle_t *)&server.stop, NULL);
    uv_close((uv_handle_t *)&server.release, NULL);
}

static void on_release(uv_async_t *async)
{
    (void)async;
    while (server.later_count > 0) {
        ck_control_answer(server.later[--server.later_count], NULL);
    }
}

static void run(void *user)
{
    (void)user;
    uv_run(&server.loop, UV_RUN_DEFAULT);
}

static int start(void **state)
{
    (void)state;
    server = (struct server){.control = NULL};
    assert_int_equal(uv_mutex_init(&server.lock), 0);
    assert_int_equal(uv_loop_init(&server.loop), 0);
    uv_async_init(&server.loop, &server.stop, on_stop);
    uv_async_init(&server.loop, &server.release, on_release);
    assert_int_equal(ck_control_create(&server.control, &server.loop, path, commands,
                                       sizeof commands / sizeof commands[0]),
                     0);
    assert_int_equal(uv_thread_create(&server.thread, run, NULL), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    uv_async_send(&server.stop);
    uv_thread_join(&server.thread);
    assert_int_equal(uv_loop_close(&server.loop), 0);
    uv_mutex_destroy(&server.lock);
    assert_int_equal(access(path, F_OK), -1);
    return 0;
}

/* ---- a client by hand ---- */

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = 10};
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    size_t size = strlen(text);
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), size);
}

/* Everything until the server closes. */
static void hear_end(int fd, char *text, size_t room)
{
    size_t size = 0;
    ssize_t got;
    while ((got = recv(fd, text + size, room - size - 1, 0)) > 0) {
        size += (size_t)got;
    }
    assert_true(got == 0 || errno == ECONNRESET);
    text[size] = '\0';
    close(fd);
}

/* One line. */
static void hear_line(int fd, char *text, size_t room)
{
    size_t size = 0;
    do {
        assert_int_equal(recv(fd, text + size, 1, 0), 1);
    } while (text[size++] != '\n' && size < room - 1);
    text[size] = '\0';
}

static void requests_are_answered_in_their_lines(void **state)
{
    (void)state;
    char line[512];
    int fd = dial();
    say(fd, "{\"id\":1,\"command\":\"echo\",\"argu");
    say(fd, "ments\":{\"a\":\"б\"}}\n{\"id\":2,\"command\":\"nothing\"}\n"
            "{\"id\":3,\"command\":\"setup-token\"}\n{\"id\":4,\"command\":\"echo\"}\n");
    hear_line(fd, line, sizeof line);
    assert_string_equal(line, "{\"id\":1,\"ok\":true,\"result\":{\"a\":\"б\"}}\n");
    hear_line(fd, line, sizeof line);
    assert_non_null(strstr(line, "{\"id\":2,\"ok\":false,\"code\":\"not_found\""));
    hear_line(fd, line, sizeof line);
    assert_string_equal(line,
                        "{\"id\":3,\"ok\":false,\"code\":\"conflict\",\"message\":\"there is an "
                        "administrator: 7\"}\n");
    hear_line(fd, line, sizeof line);
    assert_string_equal(line, "{\"id\":4,\"ok\":true,\"result\":{}}\n");
    close(fd);
}

static void what_is_no_request_ends_its_connection(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "hello\n",
        "[]\n",
        "{\"command\":\"echo\"}\n",
        "{\"id\":\"1\",\"command\":\"echo\"}\n",
        "{\"id\":1,\"command\":2}\n",
        "{\"id\":1,\"command\":\"echo\",\"arguments\":[]}\n",
        "{\"id\":1,\"id\":2,\"command\":\"echo\"}\n",
        "{\"id\":1,\"command\":\"\xff\"}\n",
        "\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[1024];
        int fd = dial();
        say(fd, bad[i]);
        hear_end(fd, text, sizeof text);
        assert_non_null(strstr(text, "\"code\":\"invalid\""));
    }
    json_t *answer; /* the server has not suffered */
    assert_int_equal(ck_control_ask(path, "echo", NULL, &answer), 0);
    json_decref(answer);
}

static void a_line_without_end_is_cut_off(void **state)
{
    (void)state;
    char text[1024];
    char *block = malloc(CK_CONTROL_LINE_MAX + 2);
    memset(block, 'x', CK_CONTROL_LINE_MAX + 1);
    block[CK_CONTROL_LINE_MAX + 1] = '\0';
    int fd = dial();
    say(fd, block);
    hear_end(fd, text, sizeof text);
    assert_non_null(strstr(text, "\"code\":\"limit\""));
    free(block);
}

static void too_many_requests_are_told_so(void **state)
{
    (void)state;
    char line[512];
    int fd = dial();
    for (int i = 0; i <= CK_CONTROL_CALLS_MAX; i++) {
        say(fd, "{\"id\":5,\"command\":\"later\"}\n");
    }
    hear_line(fd, line, sizeof line);
    assert_non_null(strstr(line, "\"code\":\"busy\""));
    uv_async_send(&server.release);
    for (int i = 0; i < CK_CONTROL_CALLS_MAX; i++) {
        hear_line(fd, line, sizeof line);
        assert_string_equal(line, "{\"id\":5,\"ok\":true,\"result\":{}}\n");
    }
    close(fd);
}

static void too_many_connections_are_told_so(void **state)
{
    (void)state;
    int fds[CK_CONTROL_CLIENTS_MAX];
    char text[512];
    for (int i = 0; i < CK_CONTROL_CLIENTS_MAX; i++) {
        fds[i] = dial();
        say(fds[i], "{\"id\":1,\"command\":\"echo\"}\n");
        hear_line(fds[i], text, sizeof text);
    }
    hear_end(dial(), text, sizeof text);
    assert_non_null(strstr(text, "\"code\":\"busy\""));
    for (int i = 0; i < CK_CONTROL_CLIENTS_MAX; i++) {
        close(fds[i]);
    }
}

/* The answer to somebody who has gone is dropped, and nothing is touched that is gone. */
static void clients_may_leave_before_their_answer(void **state)
{
    (void)state;
    char line[128];
    for (int i = 0; i < 5; i++) {
        int fd = dial();
        say(fd, "{\"id\":1,\"command\":\"later\"}\n{\"id\":2,\"command\":\"echo\"}\n");
        hear_line(fd, line, sizeof line);
        close(fd);
    }
    uv_async_send(&server.release);
    json_t *answer;
    assert_int_equal(ck_control_ask(path, "echo", NULL, &answer), 0);
    json_decref(answer);
}

static void destroying_with_open_calls_is_clean(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, "{\"id\":1,\"command\":\"later\"}\n{\"id\":2,\"command\":\"echo\"}\n");
    char line[128];
    hear_line(fd, line, sizeof line);
    stop(NULL);
    char text[64];
    hear_end(fd, text, sizeof text);
    assert_string_equal(text, "");
    start(NULL);
}

static void the_socket_is_private_and_one_daemon_has_it(void **state)
{
    (void)state;
    struct stat about;
    struct ck_control *second = NULL;
    uv_loop_t loop;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(ck_control_create(&second, &loop, path, NULL, 0), CK_E_CONFLICT);
    assert_int_equal(ck_control_create(&second, &loop, "/proc/nowhere/socket", NULL, 0), -ENOENT);
    char plain[96];
    snprintf(plain, sizeof plain, "%s/file", dir);
    FILE *file = fopen(plain, "w");
    fclose(file);
    assert_int_equal(ck_control_create(&second, &loop, plain, NULL, 0), -EEXIST);
    unlink(plain);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_stale_socket_is_replaced(void **state)
{
    (void)state;
    char stale[96];
    snprintf(stale, sizeof stale, "%s/stale", dir);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, stale);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd); /* its owner died without removing it */
    uv_loop_t loop;
    struct ck_control *control;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(ck_control_create(&control, &loop, stale, NULL, 0), 0);
    ck_control_destroy(control);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(access(stale, F_OK), -1);
}

/* ---- checkinctl ---- */

/* Runs it with the words and gives its exit code and what it printed. */
static int ctl(const char *words, char *text, size_t room)
{
    char line[512];
    snprintf(line, sizeof line, "%s/bin/checkinctl --socket=%s %s 2>&1", CK_BUILD_DIR, path, words);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t size = fread(text, 1, room - 1, pipe);
    text[size] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void checkinctl_says_what_the_daemon_says(void **state)
{
    (void)state;
    char text[4096];
    assert_int_equal(ctl("metrics", text, sizeof text), 0);
    assert_string_equal(text, "checkind_calls 3\n");
    assert_int_equal(ctl("health", text, sizeof text), 1);
    assert_string_equal(text, "healthy: no\nchecks:\n  - name: clock [31m, good: no\n");
    assert_int_equal(ctl("setup-token", text, sizeof text), 1);
    assert_string_equal(text, "checkinctl: there is an administrator: 7\n");
    assert_int_equal(ctl("contact-test sms +77010000000 kk", text, sizeof text), 0);
    assert_string_equal(text, "result: accepted\n");
    assert_int_equal(ctl("contact-test email a@b.c", text, sizeof text), 1);
    assert_string_equal(text, "result: refused\ndetail: HTTP 500\n");
    assert_int_equal(ctl("status", text, sizeof text), 1);
    assert_non_null(strstr(text, "does not know the command"));
    assert_int_equal(ctl("--json quarantine release checkin 12", text, sizeof text), 0);
    assert_string_equal(text, "{\n  \"kind\": \"checkin\",\n  \"id\": 12\n}\n");
}

static void checkinctl_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "nothing",
        "status now",
        "quarantine",
        "quarantine release checkin twelve",
        "quarantine release checkin -1",
        "--nothing status",
        "contact-test sms",
    };
    char text[4096];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ctl(bad[i], text, sizeof text), 64);
        assert_non_null(strstr(text, "checkinctl [--socket=PATH]"));
    }
    assert_int_equal(ctl("--socket=/nowhere status", text, sizeof text), 69);
    assert_string_equal(text,
                        "checkinctl: /nowhere: No such file or directory (is checkind running?)\n");
    assert_int_equal(ctl("check-config /nowhere", text, sizeof text), 78);
    assert_string_equal(text, "/nowhere: cannot read it: No such file or directory\n");
}

static int make_dir(void **state)
{
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/control.sock", dir);
    return start(state);
}

static int remove_dir(void **state)
{
    stop(state);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered_in_their_lines),
        cmocka_unit_test(what_is_no_request_ends_its_connection),
        cmocka_unit_test(a_line_without_end_is_cut_off),
        cmocka_unit_test(too_many_requests_are_told_so),
        cmocka_unit_test(too_many_connections_are_told_so),
        cmocka_unit_test(clients_may_leave_before_their_answer),
        cmocka_unit_test(destroying_with_open_calls_is_clean),
        cmocka_unit_test(the_socket_is_private_and_one_daemon_has_it),
        cmocka_unit_test(a_stale_socket_is_replaced),
        cmocka_unit_test(checkinctl_says_what_the_daemon_says),
        cmocka_unit_test(checkinctl_refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
