/* Witnesses, over real connections: a server of C2SP tlog-witness, and a mail server. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/notify/witness.h"
#include "tests/sinks/sink.h"

static const char note[] = "example.org/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
                           "\xe2\x80\x94 example.org/log AAAAAAAAAAAA\n";

struct round {
    uv_loop_t loop;
    char lines[512];
    uint64_t size;
    int answers;
};

static struct ck_wall now(void)
{
    return (struct ck_wall){INT64_C(1795000000000)};
}

static void answered(void *user, size_t witness, const char *lines, uint64_t size)
{
    struct round *round = user;
    assert_int_equal(witness, 0);
    snprintf(round->lines, sizeof round->lines, "%s", lines == NULL ? "" : lines);
    round->size = size;
    round->answers++;
    uv_stop(&round->loop);
}

/* ---- a server for one exchange ---- */

struct server {
    int fd;
    const char *answer;
    char got[4096];
};

static int listening(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Reads a whole request with its body, then answers. */
static void serve(void *argument)
{
    struct server *server = argument;
    int fd = accept(server->fd, NULL, NULL);
    size_t size = 0, wanted = SIZE_MAX;
    while (size < wanted && size < sizeof server->got - 1) {
        ssize_t got = recv(fd, server->got + size, sizeof server->got - 1 - size, 0);
        if (got <= 0) {
            break;
        }
        size += (size_t)got;
        server->got[size] = '\0';
        const char *end = strstr(server->got, "\r\n\r\n");
        const char *length = strstr(server->got, "Content-Length: ");
        if (end != NULL && length != NULL) {
            wanted = (size_t)(end + 4 - server->got) + (size_t)atol(length + 16);
        }
    }
    (void)!write(fd, server->answer, strlen(server->answer));
    close(fd);
}

static void ask(struct round *round, struct server *server)
{
    int port = 0;
    char url[80];
    uv_thread_t thread;
    struct ck_witnesses *witnesses = NULL;
    server->fd = listening(&port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/w", port);
    char *urls[] = {url};
    const struct ck_config config = {.signer.witness_urls = {urls, 1}};
    const struct ck_witnesses_options options = {
        .config = &config, .now = now, .answered = answered, .user = round};
    assert_int_equal(uv_thread_create(&thread, serve, server), 0);
    uv_loop_init(&round->loop);
    assert_int_equal(ck_witnesses_create(&witnesses, &round->loop, &options), 0);
    assert_int_equal(ck_witnesses_ask(witnesses, 0, "old 0\n\ncheckpoint\n"), 0);
    uv_run(&round->loop, UV_RUN_DEFAULT);
    uv_thread_join(&thread);
    ck_witnesses_destroy(witnesses);
    ck_witnesses_destroy(NULL);
    uv_run(&round->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&round->loop), 0);
    close(server->fd);
}

static void a_witness_that_signs_is_heard(void **state)
{
    (void)state;
    struct round round = {.answers = 0};
    struct server server = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: "
                                      "close\r\n\r\nsignature 1\n"};
    ask(&round, &server);
    assert_int_equal(round.answers, 1);
    assert_string_equal(round.lines, "signature 1\n");
    assert_non_null(strstr(server.got, "POST /w/add-checkpoint HTTP/1.1\r\n"));
    assert_non_null(strstr(server.got, "\r\n\r\nold 0\n\ncheckpoint\n"));
}

static void a_witness_that_knows_another_size_says_so(void **state)
{
    (void)state;
    struct round round = {.answers = 0};
    struct server server = {.answer = "HTTP/1.1 409 Conflict\r\nContent-Type: "
                                      "text/x.tlog.size\r\nContent-Length: 3\r\nConnection: "
                                      "close\r\n\r\n17\n"};
    ask(&round, &server);
    assert_int_equal(round.answers, 1);
    assert_string_equal(round.lines, "");
    assert_int_equal(round.size, 17);
}

static void look_for_mail(uv_timer_t *timer)
{
    struct sink *smtp = timer->data;
    if (sink_count(smtp, ".eml") > 0) {
        uv_stop(timer->loop);
    }
}

static void a_checkpoint_goes_by_mail(void **state)
{
    (void)state;
    struct sink smtp;
    struct round round = {.answers = 0};
    struct ck_witnesses *witnesses = NULL;
    uv_timer_t timer;
    char url[80], from[] = "log@example.kz", to[] = "court@example.kz", name[] = "";
    char *mails[] = {to};
    sink_start(&smtp, "smtp_sink.py", (const char *const[]){NULL});
    snprintf(url, sizeof url, "smtp://127.0.0.1:%d", smtp.port);
    const struct ck_config config = {.smtp = {.url = url,
                                              .from = from,
                                              .from_name = name,
                                              .user = name,
                                              .ca_file = name,
                                              .timeout_ms = 10000},
                                     .signer.witness_mails = {mails, 1}};
    const struct ck_witnesses_options options = {
        .config = &config, .now = now, .answered = answered, .user = &round};
    uv_loop_init(&round.loop);
    assert_int_equal(ck_witnesses_create(&witnesses, &round.loop, &options), 0);
    assert_int_equal(ck_witnesses_mail(witnesses, note, 3), 0);
    uv_timer_init(&round.loop, &timer);
    timer.data = &smtp;
    uv_timer_start(&timer, look_for_mail, 20, 20);
    uv_run(&round.loop, UV_RUN_DEFAULT);
    char *mail = sink_read(&smtp, 1, ".eml");
    assert_non_null(mail);
    assert_non_null(strstr(mail, "Subject: checkpoint 3"));
    assert_non_null(strstr(mail, "court@example.kz"));
    free(mail);
    uv_close((uv_handle_t *)&timer, NULL);
    ck_witnesses_destroy(witnesses);
    uv_run(&round.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&round.loop), 0);
    sink_stop(&smtp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_witness_that_signs_is_heard),
        cmocka_unit_test(a_witness_that_knows_another_size_says_so),
        cmocka_unit_test(a_checkpoint_goes_by_mail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
