#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "world.h"

#define MESSAGE_MAX 65536

static struct {
    struct ck_http_socket *socket;
    bool start_at_once;
    int opened, closed, messages;
    char cookie[64];
    char last[MESSAGE_MAX + 1];
    size_t last_size;
} seen;

static void on_open(void *user, struct ck_http_socket *socket)
{
    (void)user;
    seen.opened++;
    seen.socket = socket;
    if (ck_http_socket_cookie(socket, "sid", seen.cookie, sizeof seen.cookie) != 0) {
        strcpy(seen.cookie, "-");
    }
    ck_http_socket_set_context(socket, &seen);
    if (seen.start_at_once) {
        ck_http_socket_start(socket);
    }
}

static void on_message(void *user, struct ck_http_socket *socket, const char *text, size_t size)
{
    (void)user;
    assert_ptr_equal(ck_http_socket_context(socket), &seen);
    memcpy(seen.last, text, size + 1);
    seen.last_size = size;
    seen.messages++;
    if (strcmp(text, "close me") == 0) {
        ck_http_socket_send(socket, "last words", 10);
        ck_http_socket_close(socket, CK_HTTP_CLOSE_UNAUTHENTICATED, "log in again");
        ck_http_socket_send(socket, "too late", 8);
    } else if (strncmp(text, "flood", 5) == 0) {
        static char big[100000];
        memset(big, 'x', sizeof big);
        for (int i = 0; i < 20; i++) {
            ck_http_socket_send(socket, big, sizeof big);
        }
    } else {
        ck_http_socket_send(socket, text, size);
    }
}

static void on_close(void *user, struct ck_http_socket *socket)
{
    (void)user;
    (void)socket;
    seen.closed++;
    seen.socket = NULL;
}

static void on_request(void *user, struct ck_http_request *request)
{
    (void)user;
    struct ck_http_answer answer = {.status = 404};
    ck_http_answer(request, &answer);
}

static size_t body_limit(void *user, const char *path)
{
    (void)user;
    (void)path;
    return 0;
}

static const struct ck_http_endpoint endpoint = {"/ws/person", MESSAGE_MAX, on_open, on_message,
                                                 on_close};
static const struct ck_http_handlers handlers = {
    .body_limit = body_limit, .request = on_request, .endpoints = &endpoint, .endpoint_count = 1};

static int start(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    seen.start_at_once = true;
    world_start(&handlers, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop();
    assert_int_equal(seen.opened, seen.closed);
    return 0;
}

static struct client *connected(void)
{
    struct client *client = client_open();
    assert_true(socket_upgrade(client, "/ws/person", "Cookie: sid=t0k\r\n"));
    return client;
}

static bool is_closed(void *user)
{
    (void)user;
    return seen.closed == 1;
}

static void messages_go_both_ways(void **state)
{
    (void)state;
    struct client *client = connected();
    char text[64];
    assert_true(socket_say(client, "hello, қош"));
    assert_int_equal(socket_read(client, text, sizeof text, NULL), 1);
    assert_string_equal(text, "hello, қош");
    assert_string_equal(seen.cookie, "t0k");
    client_close(client);
    assert_true(world_wait(is_closed, NULL));
}

static void fragments_make_one_message(void **state)
{
    (void)state;
    struct client *client = connected();
    char text[64];
    assert_true(socket_send(client, 0x01, "one ", 4));
    assert_true(socket_send(client, 0x89, "ping", 4)); /* control frames come between */
    assert_true(socket_send(client, 0x00, "two ", 4));
    assert_true(socket_send(client, 0x80, "three", 5));
    assert_int_equal(socket_read_raw(client, text, sizeof text, NULL), 10);
    assert_string_equal(text, "ping");
    assert_int_equal(socket_read(client, text, sizeof text, NULL), 1);
    assert_string_equal(text, "one two three");
    assert_int_equal(seen.messages, 1);
    client_close(client);
}

static void the_biggest_message_passes_and_a_bigger_one_closes(void **state)
{
    (void)state;
    static char text[MESSAGE_MAX + 2], back[MESSAGE_MAX + 2];
    memset(text, 'm', sizeof text);
    struct client *client = connected();
    assert_true(socket_send(client, 0x81, text, MESSAGE_MAX));
    size_t size;
    assert_int_equal(socket_read(client, back, sizeof back, &size), 1);
    assert_int_equal(size, MESSAGE_MAX);
    assert_true(socket_send(client, 0x81, text, MESSAGE_MAX + 1));
    assert_int_equal(socket_read_close(client), CK_HTTP_CLOSE_TOO_BIG);
    assert_true(world_wait(is_closed, NULL));
    client_close(client);
}

static void binary_messages_close(void **state)
{
    (void)state;
    struct client *client = connected();
    assert_true(socket_send(client, 0x82, "\x00\x01", 2));
    assert_int_equal(socket_read_close(client), CK_HTTP_CLOSE_UNSUPPORTED);
    assert_int_equal(seen.messages, 0);
    client_close(client);
}

static void text_that_is_no_utf8_closes(void **state)
{
    (void)state;
    struct client *client = connected();
    assert_true(socket_send(client, 0x81, "\xff\xfe", 2));
    assert_int_equal(socket_read_close(client), 1007);
    assert_int_equal(seen.messages, 0);
    client_close(client);
}

static void start_now(void *user)
{
    (void)user;
    ck_http_socket_start(seen.socket);
}

static bool is_open(void *user)
{
    (void)user;
    return seen.socket != NULL;
}

static void messages_wait_until_the_start(void **state)
{
    (void)state;
    seen.start_at_once = false;
    struct client *client = connected();
    char text[64];
    assert_true(socket_say(client, "one"));
    assert_true(socket_say(client, "two"));
    assert_true(world_wait(is_open, NULL));
    assert_false(client_is_closed(client, 200));
    assert_int_equal(seen.messages, 0);
    world_call(start_now, NULL);
    assert_int_equal(socket_read(client, text, sizeof text, NULL), 1);
    assert_string_equal(text, "one");
    assert_int_equal(socket_read(client, text, sizeof text, NULL), 1);
    assert_string_equal(text, "two");
    client_close(client);
}

static void closing_sends_what_waits_and_the_code(void **state)
{
    (void)state;
    struct client *client = connected();
    char text[64];
    assert_true(socket_say(client, "close me"));
    assert_int_equal(socket_read(client, text, sizeof text, NULL), 1);
    assert_string_equal(text, "last words");
    size_t size;
    assert_int_equal(socket_read(client, text, sizeof text, &size), 8);
    assert_int_equal((uint8_t)text[0] << 8 | (uint8_t)text[1], CK_HTTP_CLOSE_UNAUTHENTICATED);
    assert_string_equal(text + 2, "log in again");
    socket_send(client, 0x88, text, 2);
    assert_true(client_is_closed(client, CLIENT_PATIENCE_MS));
    assert_true(world_wait(is_closed, NULL));
    client_close(client);
}

static void refuse_now(void *user)
{
    (void)user;
    ck_http_socket_close(seen.socket, CK_HTTP_CLOSE_UNAUTHENTICATED, "");
}

static void a_socket_can_be_refused_before_its_start(void **state)
{
    (void)state;
    seen.start_at_once = false;
    struct client *client = connected();
    assert_true(world_wait(is_open, NULL));
    world_call(refuse_now, NULL);
    assert_int_equal(socket_read_close(client), CK_HTTP_CLOSE_UNAUTHENTICATED);
    client_close(client);
    assert_true(world_wait(is_closed, NULL));
}

static void a_peer_that_does_not_read_is_closed(void **state)
{
    (void)state;
    struct client *client = connected();
    assert_true(socket_say(client, "flood"));
    while (world_counts().overflowed == 0) {
    }
    assert_int_equal(socket_read_close(client), CK_HTTP_CLOSE_OVERLOAD);
    client_close(client);
    assert_true(world_wait(is_closed, NULL));
}

static void a_peer_that_closes_is_told_so(void **state)
{
    (void)state;
    struct client *client = connected();
    assert_true(socket_send(client, 0x88, "\x03\xe8", 2));
    assert_int_equal(socket_read_close(client), 1000);
    assert_true(world_wait(is_closed, NULL));
    client_close(client);
}

static void pings_go_out_and_their_answers_keep_it_open(void **state)
{
    (void)state;
    struct client *client = connected();
    char text[64];
    size_t size;
    for (int i = 0; i < 5; i++) {
        world_pass_ms(CK_HTTP_PING_MS);
        assert_int_equal(socket_read_raw(client, text, sizeof text, &size), 9);
        assert_true(socket_send(client, 0x8a, text, size));
        /* So that the pong is surely heard before the clock moves. */
        assert_true(socket_say(client, "echo"));
        assert_int_equal(socket_read_raw(client, text, sizeof text, NULL), 1);
    }
    assert_int_equal(seen.closed, 0);
    world_pass_ms(CK_HTTP_PONG_MS);
    assert_true(world_wait(is_closed, NULL));
    assert_int_equal(world_counts().timed_out, 1);
    client_close(client);
}

static void stopping_says_goodbye(void **state)
{
    (void)state;
    struct client *client = connected();
    char text[64];
    assert_true(socket_say(client, "hello"));
    assert_int_equal(socket_read(client, text, sizeof text, NULL), 1);
    world_stop();
    assert_int_equal(socket_read_close(client), CK_HTTP_CLOSE_GOING_AWAY);
    client_close(client);
    assert_int_equal(seen.closed, 1);
    world_start(&handlers, NULL);
}

static void many_sockets_are_told_apart(void **state)
{
    (void)state;
    struct client *clients[50];
    char text[64], expected[64];
    for (int i = 0; i < 50; i++) {
        clients[i] = connected();
    }
    for (int i = 0; i < 50; i++) {
        snprintf(expected, sizeof expected, "I am %d", i);
        assert_true(socket_say(clients[i], expected));
        assert_int_equal(socket_read(clients[i], text, sizeof text, NULL), 1);
        assert_string_equal(text, expected);
    }
    assert_int_equal(world_counts().sockets_open, 50);
    for (int i = 0; i < 50; i++) {
        client_close(clients[i]);
    }
    while (world_counts().sockets_open > 0) {
    }
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SERVED(messages_go_both_ways),
        SERVED(fragments_make_one_message),
        SERVED(the_biggest_message_passes_and_a_bigger_one_closes),
        SERVED(binary_messages_close),
        SERVED(text_that_is_no_utf8_closes),
        SERVED(messages_wait_until_the_start),
        SERVED(closing_sends_what_waits_and_the_code),
        SERVED(a_socket_can_be_refused_before_its_start),
        SERVED(a_peer_that_does_not_read_is_closed),
        SERVED(a_peer_that_closes_is_told_so),
        SERVED(pings_go_out_and_their_answers_keep_it_open),
        SERVED(stopping_says_goodbye),
        SERVED(many_sockets_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
