/* What libwebsockets lets through and the server must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

#define HOST "Host: 127.0.0.1\r\n"

static struct {
    atomic_int requests;
    atomic_size_t bytes;
    struct ck_http_request *held[64];
    int held_count;
} seen;

static size_t body_limit(void *user, const char *path)
{
    (void)user;
    return strcmp(path, "/big") == 0 ? 32 << 20 : 16;
}

static void on_request(void *user, struct ck_http_request *request)
{
    (void)user;
    size_t size;
    ck_http_request_body(request, &size);
    seen.requests++;
    seen.bytes += size;
    if (strcmp(ck_http_request_path(request), "/hold") == 0) {
        seen.held[seen.held_count++] = request;
        return;
    }
    static const struct ck_http_answer answer = {
        .status = 200, .type = "text/plain", .body = "fine", .size = 4};
    ck_http_answer(request, &answer);
}

static void socket_event(void *user, struct ck_http_socket *socket)
{
    (void)user;
    (void)socket;
}

static void socket_message(void *user, struct ck_http_socket *socket, const char *text, size_t size)
{
    (void)user;
    (void)socket;
    (void)text;
    (void)size;
}

static const struct ck_http_endpoint endpoint = {"/ws", 65536, socket_event, socket_message,
                                                 socket_event};
static const struct ck_http_handlers handlers = {
    .body_limit = body_limit, .request = on_request, .endpoints = &endpoint, .endpoint_count = 1};

static int start(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    world_start(&handlers, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop();
    static const struct ck_http_answer late = {.status = 503};
    for (int i = 0; i < seen.held_count; i++) {
        ck_http_answer(seen.held[i], &late);
    }
    return 0;
}

static void malformed_requests_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        unsigned status; /* 0: closed without an answer */
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400},                               /* no Host */
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: 127.0.0.1\r\n\r\n", 421}, /* two */
        {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n", 421},
        {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
        {"GET / HTTP/3.0\r\n" HOST "\r\n", 505},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 405},
        {"DELETE / HTTP/1.1\r\n" HOST "\r\n", 405},
        {"OPTIONS / HTTP/1.1\r\n" HOST "\r\n", 405},
        {"PATCH / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 405},
        {"POST / HTTP/1.1\r\n" HOST "\r\n", 411},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\nhello", 400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello", 400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 4,  10\r\n\r\nhellohello", 400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\nContent-Length: 4\r\n\r\nhell", 400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\nContent-Length: 10\r\n\r\nhellohello",
         400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0x4\r\n\r\nhell", 400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\nx", 400},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" HOST
         "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
         400},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", 400},
        {"HEAD / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", 400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 17\r\n\r\n12345678901234567", 413},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 90000000\r\n\r\n123", 413},
        {"POST / HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\nContent-Length: 1\r\n\r\n1",
         403},
        {"POST / HTTP/1.1\r\n" HOST "Origin: null\r\nContent-Length: 1\r\n\r\n1", 403},
        {"POST / HTTP/1.1\r\n" HOST "Origin: http://127.0.0.1\r\nContent-Length: 1\r\n\r\n1", 403},

        {"GET /%01 HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /%ff HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET http://127.0.0.1/ HTTP/1.1\r\n" HOST "\r\n", 0},
        {"CONNECT 127.0.0.1:25 HTTP/1.1\r\n" HOST "\r\n", 0},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0},
        {"\x16\x03\x01\x02\x00\x01", 0},
        {"BREW / HTTP/1.1\r\n" HOST "\r\n", 0},
        {"GET / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
         "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
         400},
        {"GET /ws HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         403},
        {"GET /ws HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\nUpgrade: websocket\r\n"
         "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         403},
        {"GET /other HTTP/1.1\r\n" HOST "Origin: https://127.0.0.1\r\nUpgrade: websocket\r\n"
         "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         404},
        {"GET /ws HTTP/1.1\r\n" HOST "Origin: https://127.0.0.1\r\nUpgrade: websocket\r\n"
         "Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         400},
        {"POST /ws HTTP/1.1\r\n" HOST "Origin: https://127.0.0.1\r\nUpgrade: websocket\r\n"
         "Connection: Upgrade\r\nContent-Length: 0\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *answer = ask(cases[i].request);
        if (status_of(answer) != cases[i].status) {
            fail_msg("case %zu (%s): %s", i, cases[i].request, answer);
        }
        if (cases[i].status != 0) { /* one answer, and the connection has ended */
            assert_null(strstr(answer + 1, "HTTP/1.1 "));
            assert_non_null(strstr(answer, "\r\nconnection: close\r\n"));
        }
    }
    assert_int_equal(seen.requests, 0);
    assert_int_equal(status_of(ask("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n")), 200);
}

static void what_follows_a_body_is_never_a_request(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbodyGET /smuggled HTTP/1.1\r\n" HOST
        "\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbodyPOST / HTTP/1.1\r\n" HOST
        "Content-Length: 4\r\n\r\nbody",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\nGET /smuggled HTTP/1.1\r\n" HOST
        "\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        seen.requests = 0;
        const char *answer = ask(requests[i]);
        assert_int_equal(status_of(answer), 200);
        assert_null(strstr(answer + 1, "HTTP/1.1 "));
        assert_string_equal(body_of(answer), "fine");
        assert_int_equal(seen.requests, 1); /* libwebsockets alone completes the first body twice */
    }
}

static void a_pipelined_request_waits_for_a_slow_answer(void **state)
{
    (void)state;
    struct client *client = client_open();
    assert_true(client_say(client,
                           "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nokGET / "
                           "HTTP/1.1\r\n" HOST "\r\n"));
    assert_false(client_is_closed(client, 300));
    assert_int_equal(seen.requests, 1);
    assert_int_equal(seen.bytes, 2);
    client_close(client);
}

static void http2_is_not_spoken(void **state)
{
    (void)state;
    assert_string_equal(client_alpn(), "http/1.1");
}

static void a_big_header_block_closes_the_connection(void **state)
{
    (void)state;
    size_t size = CK_HTTP_HEADERS_MAX + 4096;
    char *text = malloc(size + 128);
    int at = sprintf(text, "GET / HTTP/1.1\r\n" HOST "X-Long: ");
    memset(text + at, 'a', size);
    strcpy(text + at + size, "\r\n\r\n");
    assert_int_equal(status_of(ask(text)), 0);
    /* Within the block's limit, but more than a header may have. */
    at = sprintf(text, "GET / HTTP/1.1\r\n" HOST "Cookie: ");
    memset(text + at, 'a', CK_HTTP_COOKIES_MAX + 1);
    strcpy(text + at + CK_HTTP_COOKIES_MAX + 1, "\r\n\r\n");
    assert_int_equal(status_of(ask(text)), 431);
    at = sprintf(text, "GET /");
    memset(text + at, 'a', CK_HTTP_PATH_MAX);
    strcpy(text + at + CK_HTTP_PATH_MAX, " HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(ask(text)), 414);
    at = sprintf(text, "GET /?q=");
    memset(text + at, 'a', CK_HTTP_QUERY_MAX + 1);
    strcpy(text + at + CK_HTTP_QUERY_MAX + 1, " HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(ask(text)), 414);
    free(text);
    assert_int_equal(seen.requests, 0);
}

/* ---- slow clients ---- */

static void expect_timeout(struct client *client, int64_t ms)
{
    assert_false(client_is_closed(client, 600)); /* longer than the server's own look-round */
    world_pass_ms(ms);
    assert_true(client_is_closed(client, CLIENT_PATIENCE_MS));
    client_close(client);
}

static void slow_headers_time_out(void **state)
{
    (void)state;
    struct client *client = client_open();
    assert_true(client_say(client, "GET / HTTP/1.1\r\nHost: 127"));
    expect_timeout(client, CK_HTTP_HEADERS_MS);
    client = client_open();
    expect_timeout(client, CK_HTTP_HEADERS_MS);
    assert_int_equal(world_counts().timed_out, 2);
}

#define PLAIN_GET "GET / HTTP/1.1\r\n" HOST "\r\n"

static void a_connection_without_a_handshake_times_out(void **state)
{
    (void)state;
    struct client *silent = client_open_bare(), *half = client_open_bare(),
                  *plain = client_open_bare();
    assert_true(client_say_bare(half, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9));
    assert_true(client_say_bare(plain, PLAIN_GET, strlen(PLAIN_GET)));
    assert_true(client_is_closed_bare(plain, CLIENT_PATIENCE_MS)); /* HTTP on the port of HTTPS */
    assert_false(client_is_closed_bare(silent, 600));
    assert_false(client_is_closed_bare(half, 600));
    world_pass_ms(CK_HTTP_HEADERS_MS);
    assert_true(client_is_closed_bare(silent, CLIENT_PATIENCE_MS));
    assert_true(client_is_closed_bare(half, CLIENT_PATIENCE_MS));
    client_close(silent);
    client_close(half);
    client_close(plain);
    assert_int_equal(world_counts().connections_open, 0);
}

static void dripping_headers_time_out_all_the_same(void **state)
{
    (void)state;
    struct client *client = client_open();
    assert_true(client_say(client, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "));
    bool open = true;
    for (int i = 0; i < 12 && open; i++) {
        world_pass_ms(CK_HTTP_HEADERS_MS / 10);
        client_say(client, "a");
        open = !client_is_closed(client, 600);
    }
    assert_false(open);
    client_close(client);
}

static void a_dripping_body_times_out(void **state)
{
    (void)state;
    struct client *client = client_open();
    assert_true(client_say(client, "POST / HTTP/1.1\r\n" HOST "Content-Length: 16\r\n\r\n"));
    bool open = true;
    for (int i = 0; i < 12 && open; i++) {
        world_pass_ms(CK_HTTP_BODY_MS / 10);
        client_say(client, "a");
        open = !client_is_closed(client, 600);
    }
    assert_false(open);
    assert_int_equal(seen.requests, 0);
    client_close(client);
}

static void an_idle_connection_ends(void **state)
{
    (void)state;
    struct client *client = client_open();
    assert_true(client_say(client, "GET / HTTP/1.1\r\n" HOST "\r\n"));
    assert_int_equal(status_of(client_read_answer(client, NULL)), 200);
    expect_timeout(client, CK_HTTP_IDLE_MS);
    assert_int_equal(world_counts().timed_out, 0); /* nothing was owed */
}

static void a_handler_that_never_answers_costs_one_connection(void **state)
{
    (void)state;
    struct client *client = client_open();
    assert_true(client_say(client, "GET /hold HTTP/1.1\r\n" HOST "\r\n"));
    expect_timeout(client, CK_HTTP_HANDLER_MS);
}

/* ---- limits by address ---- */

static int start_narrow(void **state)
{
    (void)state;
    static const struct world_limits limits = {8, 4, 10, NULL};
    memset(&seen, 0, sizeof seen);
    world_start(&handlers, &limits);
    return 0;
}

static void connections_of_one_address_are_limited(void **state)
{
    (void)state;
    struct client *clients[5];
    for (int i = 0; i < 4; i++) {
        clients[i] = client_open();
        assert_non_null(clients[i]);
    }
    assert_null(client_open());
    assert_int_equal(world_counts().refused_connections, 1);
    client_close(clients[0]);
    while (world_counts().connections_open > 3) {
    }
    clients[0] = client_open();
    assert_non_null(clients[0]);
    for (int i = 0; i < 4; i++) {
        client_close(clients[i]);
    }
}

static void requests_of_one_address_are_limited(void **state)
{
    (void)state;
    static const char get[] = "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
    for (int i = 0; i < 10; i++) {
        assert_int_equal(status_of(ask(get)), 200);
    }
    const char *answer = ask(get);
    assert_int_equal(status_of(answer), 429);
    assert_non_null(strstr(answer, "\r\nretry-after: "));
    assert_non_null(strstr(answer, "\"code\":\"busy\""));
    assert_int_equal(world_counts().refused_requests, 1);
    world_pass_ms(6000);
    assert_int_equal(status_of(ask(get)), 200);
    assert_int_equal(status_of(ask(get)), 429);
}

static struct client *announce(const char *length)
{
    char text[160];
    struct client *client = client_open();
    snprintf(text, sizeof text, "POST /big HTTP/1.1\r\n" HOST "Content-Length: %s\r\n\r\nx",
             length);
    assert_true(client_say(client, text));
    assert_false(client_is_closed(client, 100));
    return client;
}

static int ask_small(void)
{
    return status_of(ask("POST /big HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"));
}

/* Who announces large bodies and never sends them keeps nobody from saying a few words. */
static void announced_bodies_are_limited_together(void **state)
{
    (void)state;
    struct client *client = announce("33554432");
    assert_int_equal(
        status_of(ask("POST /big HTTP/1.1\r\n" HOST "Content-Length: 20971520\r\n\r\nx")), 503);
    assert_int_equal(ask_small(), 200);
    client_close(client);
    while (world_counts().connections_open > 0) {
    }
    client_close(announce("20971520"));
}

static void large_bodies_of_one_address_are_few(void **state)
{
    (void)state;
    static const char one_more[] = "POST /big HTTP/1.1\r\n" HOST "Content-Length: 5242880\r\n\r\nx";
    struct client *clients[CK_HTTP_LARGE_PER_ADDRESS];
    for (int i = 0; i < CK_HTTP_LARGE_PER_ADDRESS; i++) {
        clients[i] = announce("5242880");
    }
    assert_int_equal(status_of(ask(one_more)), 429);
    assert_int_equal(ask_small(), 200);
    client_close(clients[0]);
    while (world_counts().connections_open > CK_HTTP_LARGE_PER_ADDRESS - 1) {
    }
    clients[0] = announce("5242880");
    for (int i = 0; i < CK_HTTP_LARGE_PER_ADDRESS; i++) {
        client_close(clients[i]);
    }
}

/* ---- noise ---- */

static uint32_t noise_state = 12345;

static uint32_t noise(void)
{
    noise_state = noise_state * 1664525 + 1013904223;
    return noise_state >> 8;
}

static void noise_never_stops_the_server(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: a=b\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\nbody",
        "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://127.0.0.1\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x85\x01\x02\x03\x04hello"
        "\x01\x81\x01\x02\x03\x04h\x80\x81\x01\x02\x03\x04h\x89\x80\x01\x02\x03\x04",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    };
    for (int round = 0; round < 400; round++) {
        const char *seed = seeds[noise() % 4];
        char text[1024];
        size_t size = strlen(seed);
        memcpy(text, seed, size);
        for (uint32_t changes = noise() % 6; changes > 0; changes--) {
            size_t at = noise() % size;
            switch (noise() % 4) {
            case 0:
                text[at] = (char)noise();
                break;
            case 1:
                text[at] ^= (char)(1 << noise() % 8);
                break;
            case 2:
                memmove(text + at, text + at + 1, size - at - 1);
                size--;
                break;
            default:
                memmove(text + at + 1, text + at, size - at);
                size++;
            }
        }
        struct client *client = client_open();
        assert_non_null(client);
        size_t cut = noise() % (size + 1);
        client_send(client, text, cut);
        client_send(client, text + cut, size - cut);
        client_read_all(client, 2, NULL);
        client_close(client);
    }
    assert_int_equal(status_of(ask("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n")), 200);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)
#define NARROW(test) cmocka_unit_test_setup_teardown(test, start_narrow, stop)
    const struct CMUnitTest tests[] = {
        SERVED(malformed_requests_are_refused_by_name),
        SERVED(what_follows_a_body_is_never_a_request),
        SERVED(a_pipelined_request_waits_for_a_slow_answer),
        SERVED(http2_is_not_spoken),
        SERVED(a_big_header_block_closes_the_connection),
        SERVED(slow_headers_time_out),
        SERVED(a_connection_without_a_handshake_times_out),
        SERVED(dripping_headers_time_out_all_the_same),
        SERVED(a_dripping_body_times_out),
        SERVED(an_idle_connection_ends),
        SERVED(a_handler_that_never_answers_costs_one_connection),
        NARROW(connections_of_one_address_are_limited),
        NARROW(requests_of_one_address_are_limited),
        SERVED(announced_bodies_are_limited_together),
        SERVED(large_bodies_of_one_address_are_few),
        SERVED(noise_never_stops_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
