#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/http/certificate.h"
#include "daemon/http/pages.h"
#include "protocol/base/error.h"
#include "world.h"

#define HOST "Host: 127.0.0.1\r\n"
#define BODY_MAX 100000
#define STREAM_SIZE 1000000

static struct {
    int requests;
    struct ck_http_request *held;
    bool held_gone;
    bool stream_later;
    struct ck_http_request *wanting;
    uint64_t want_at;
    size_t want_count;
    int wants, dones;
    struct ck_pages *pages;
} seen;

static size_t body_limit(void *user, const char *path)
{
    (void)user;
    return strcmp(path, "/echo") == 0 ? BODY_MAX : strcmp(path, "/none") == 0 ? 0 : 16;
}

static void answer_text(struct ck_http_request *request, unsigned status, const char *text)
{
    struct ck_http_answer answer = {
        .status = status, .type = "text/plain", .body = text, .size = strlen(text)};
    ck_http_answer(request, &answer);
}

static uint8_t stream_byte(uint64_t at)
{
    return (uint8_t)(at * 2654435761u >> 13);
}

static void give(void)
{
    struct ck_http_request *request = seen.wanting;
    uint8_t *bytes = malloc(seen.want_count);
    for (size_t i = 0; i < seen.want_count; i++) {
        bytes[i] = stream_byte(seen.want_at + i);
    }
    seen.wanting = NULL;
    ck_http_stream_give(request, bytes);
    free(bytes);
}

static void want(void *user, struct ck_http_request *request, uint64_t at, size_t count)
{
    (void)user;
    seen.wants++;
    seen.wanting = request;
    seen.want_at = at;
    seen.want_count = count;
    if (!seen.stream_later) {
        give();
    }
}

static void done(void *user)
{
    (void)user;
    seen.dones++;
}

static void on_request(void *user, struct ck_http_request *request)
{
    (void)user;
    seen.requests++;
    const char *path = ck_http_request_path(request);
    size_t size;
    const char *body = ck_http_request_body(request, &size);
    if (strcmp(path, "/hold") == 0) {
        seen.held = request;
    } else if (strcmp(path, "/stream") == 0) {
        static const struct ck_http_stream stream = {
            .type = "video/webm", .size = STREAM_SIZE, .want = want, .done = done};
        ck_http_answer_stream(request, &stream);
    } else if (strcmp(path, "/headers") == 0) {
        static const struct ck_http_header headers[] = {{"set-cookie", "a=b"},
                                                        {"retry-after", "7"}};
        struct ck_http_answer answer = {
            .status = 503, .headers = headers, .header_count = 2, .cache = "no-cache"};
        ck_http_answer(request, &answer);
    } else if (seen.pages != NULL && ck_pages_serve(seen.pages, request)) {
        return;
    } else {
        char text[BODY_MAX + 1024], q[64] = "-", cookie[64] = "-";
        const char *csrf = ck_http_request_field(request, CK_HTTP_CSRF);
        int found = ck_http_request_query(request, "q", q, sizeof q);
        ck_http_request_cookie(request, "sid", cookie, sizeof cookie);
        snprintf(text, sizeof text, "%s %s q=%d:%s cookie=%s csrf=%s from=%s body=%zu:%s",
                 ck_http_request_method(request) == CK_HTTP_POST ? "POST" : "GET", path, found, q,
                 cookie, csrf == NULL ? "-" : csrf, ck_http_request_address(request), size, body);
        answer_text(request, 200, text);
    }
}

static const struct ck_http_handlers handlers = {.body_limit = body_limit, .request = on_request};

static int start(void **state)
{
    (void)state;
    struct ck_pages *pages = seen.pages;
    memset(&seen, 0, sizeof seen);
    seen.pages = pages;
    world_start(&handlers, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop();
    return 0;
}

static bool is_held(void *user)
{
    (void)user;
    return seen.held != NULL;
}

static void release(void *user)
{
    (void)user;
    answer_text(seen.held, 200, "released");
}

/* ---- what is served ---- */

static void a_get_arrives_whole_and_decoded(void **state)
{
    (void)state;
    const char *answer =
        ask("GET /a%20b/%D2%9B?x=1&q=a%26b+c&y HTTP/1.1\r\n" HOST
            "Cookie: a=1; sid=tok\r\nX-CSRF-Token: c5rf\r\nConnection: close\r\n\r\n");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(body_of(answer), "GET /a b/қ q=0:a&b"));
    assert_non_null(strstr(body_of(answer), "cookie=tok csrf=c5rf from=127.0.0.1 body=0:"));
}

static void every_answer_carries_the_strict_headers(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
        "GET /headers HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
        "DELETE / HTTP/1.1\r\n" HOST "\r\n",
        "GET /\r\nHost: other\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: other\r\n\r\n",
        "GET /stream HTTP/1.1\r\n" HOST "Range: bytes=0-3\r\nConnection: close\r\n\r\n",
        "GET /ws HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const char *answer = ask(requests[i]);
        assert_true(status_of(answer) != 0);
        assert_non_null(strstr(answer, "\r\ncontent-security-policy: default-src 'none'; "));
        assert_non_null(strstr(answer, "\r\nstrict-transport-security: max-age=31536000\r\n"));
        assert_non_null(strstr(answer, "\r\nx-content-type-options: nosniff\r\n"));
        assert_non_null(strstr(answer, "frame-ancestors 'none'"));
        assert_non_null(strstr(answer, "\r\nreferrer-policy: no-referrer\r\n"));
        assert_non_null(strstr(answer, "\r\npermissions-policy: camera=(self), microphone=(self)"));
        assert_non_null(strstr(answer, "\r\ncross-origin-resource-policy: same-origin\r\n"));
        assert_non_null(strstr(answer, "\r\ncache-control: no-"));
        assert_null(strstr(answer, "\r\nserver:"));
    }
}

static void a_handler_sets_headers(void **state)
{
    (void)state;
    const char *answer = ask("GET /headers HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_int_equal(status_of(answer), 503);
    assert_non_null(strstr(answer, "\r\nset-cookie: a=b\r\n"));
    assert_non_null(strstr(answer, "\r\nretry-after: 7\r\n"));
    assert_non_null(strstr(answer, "\r\ncache-control: no-cache\r\n"));
    assert_non_null(strstr(answer, "\r\ncontent-length: 0\r\n"));
}

static void head_is_a_get_without_its_body(void **state)
{
    (void)state;
    const char *answer = ask("HEAD /stream HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "\r\ncontent-length: 1000000\r\n"));
    assert_string_equal(body_of(answer), "");
    assert_int_equal(seen.wants, 0);
    assert_int_equal(seen.dones, 1);
}

static void a_connection_stays_open_between_gets(void **state)
{
    (void)state;
    struct client *client = client_open();
    for (int i = 0; i < 20; i++) {
        char text[128];
        snprintf(text, sizeof text, "GET /n%d HTTP/1.1\r\n" HOST "\r\n", i);
        assert_true(client_say(client, text));
        const char *answer = client_read_answer(client, NULL);
        assert_int_equal(status_of(answer), 200);
        assert_non_null(strstr(answer, "\r\nconnection: keep-alive\r\n"));
        snprintf(text, sizeof text, "GET /n%d q=", i);
        assert_int_equal(strncmp(body_of(answer), text, strlen(text)), 0);
    }
    client_close(client);
    assert_int_equal(world_counts().connections, 1);
}

static void pipelined_gets_are_answered_in_order(void **state)
{
    (void)state;
    struct client *client = client_open();
    assert_true(client_say(client, "GET /one HTTP/1.1\r\n" HOST "\r\n"
                                   "GET /two HTTP/1.1\r\n" HOST "\r\n"
                                   "GET /three HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
    const char *all = client_read_all(client, CLIENT_PATIENCE_MS, NULL);
    const char *one = strstr(all, "GET /one "), *two = strstr(all, "GET /two "),
               *three = strstr(all, "GET /three ");
    assert_true(one != NULL && two != NULL && three != NULL && one < two && two < three);
    assert_int_equal(seen.requests, 3);
    client_close(client);
}

static void a_post_arrives_whole_however_it_is_cut(void **state)
{
    (void)state;
    static const size_t cuts[] = {1, 7, 1000, 16384, BODY_MAX};
    char *body = malloc(BODY_MAX + 1);
    for (size_t i = 0; i < BODY_MAX; i++) {
        body[i] = (char)('a' + i % 26);
    }
    body[BODY_MAX] = '\0';
    for (size_t c = 0; c < sizeof cuts / sizeof cuts[0]; c++) {
        size_t size = cuts[c] == 1 ? 300 : BODY_MAX;
        char head[256];
        snprintf(head, sizeof head,
                 "POST /echo HTTP/1.1\r\n" HOST
                 "Origin: https://127.0.0.1\r\nContent-Length: %zu\r\n\r\n",
                 size);
        struct client *client = client_open();
        for (size_t at = 0, count = strlen(head); at < count; at += cuts[c]) {
            size_t piece = count - at < cuts[c] ? count - at : cuts[c];
            assert_true(client_send(client, head + at, piece));
        }
        for (size_t at = 0; at < size; at += cuts[c]) {
            size_t piece = size - at < cuts[c] ? size - at : cuts[c];
            assert_true(client_send(client, body + at, piece));
        }
        const char *answer = client_read_all(client, CLIENT_PATIENCE_MS, NULL);
        assert_int_equal(status_of(answer), 200);
        char expected[64];
        snprintf(expected, sizeof expected, "body=%zu:abcdef", size);
        assert_non_null(strstr(answer, expected));
        assert_non_null(strstr(answer, "\r\nconnection: close\r\n"));
        assert_int_equal(strncmp(strstr(answer, "body=") + strlen(expected) - 6, body, size), 0);
        client_close(client);
    }
    assert_int_equal(seen.requests, 5);
    free(body);
}

static void an_empty_post_arrives_once(void **state)
{
    (void)state;
    const char *answer = ask("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "body=0:"));
    assert_int_equal(seen.requests, 1);
}

static void an_answer_may_come_later(void **state)
{
    (void)state;
    struct client *client = client_open();
    assert_true(client_say(client, "GET /hold HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(world_wait(is_held, NULL));
    world_call(release, NULL);
    assert_string_equal(body_of(client_read_answer(client, NULL)), "released");
    client_close(client);
}

static bool is_gone(void *user)
{
    (void)user;
    return ck_http_request_gone(seen.held);
}

static void answering_a_client_that_has_gone_is_harmless(void **state)
{
    (void)state;
    struct client *client = client_open();
    assert_true(client_say(client, "GET /hold HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(world_wait(is_held, NULL));
    client_close(client);
    world_pass_ms(CK_HTTP_HANDLER_MS);
    assert_true(world_wait(is_gone, NULL));
    world_call(release, NULL);
    assert_int_equal(world_counts().requests_open, 0);
}

static void a_request_still_open_at_the_end_is_forgotten(void **state)
{
    (void)state;
    struct client *client = client_open();
    assert_true(client_say(client, "GET /hold HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(world_wait(is_held, NULL));
    world_stop();
    assert_true(ck_http_request_gone(seen.held));
    release(NULL);
    client_close(client);
    world_start(&handlers, NULL);
}

/* ---- behind a proxy ---- */

static int start_behind_a_proxy(void **state)
{
    (void)state;
    static const struct world_limits limits = {100, 100, 3, "127.0.0.1"};
    memset(&seen, 0, sizeof seen);
    world_start(&handlers, &limits);
    return 0;
}

static void a_trusted_proxy_names_the_client(void **state)
{
    (void)state;
    static const char from_nine[] =
        "GET /x HTTP/1.1\r\n" HOST "X-Forwarded-For: 203.0.113.1, 198.51.100.9\r\n\r\n";
    for (int i = 0; i < 3; i++) {
        const char *answer = ask(from_nine);
        assert_int_equal(status_of(answer), 200);
        assert_non_null(
            strstr(answer, "from=198.51.100.9 ")); /* not what the client wrote itself */
        /* Another client's request may follow on such a connection, so it is not kept. */
        assert_non_null(strstr(answer, "\r\nconnection: close\r\n"));
    }
    assert_int_equal(status_of(ask(from_nine)), 429); /* limits are the client's, not the proxy's */
    assert_int_equal(
        status_of(ask("GET /x HTTP/1.1\r\n" HOST "X-Forwarded-For: 2001:db8::1\r\n\r\n")), 200);
}

static void nobody_else_names_the_client(void **state)
{
    (void)state;
    const char *answer = ask("GET /x HTTP/1.1\r\n" HOST
                             "X-Forwarded-For: 198.51.100.9\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(answer, "from=127.0.0.1 "));
}

/* ---- streams and ranges ---- */

static void check_range(const char *range, unsigned status, uint64_t first, uint64_t count)
{
    char text[256];
    snprintf(text, sizeof text, "GET /stream HTTP/1.1\r\n" HOST "%s%s%s\r\n",
             range == NULL ? "" : "Range: ", range == NULL ? "" : range,
             range == NULL ? "" : "\r\n");
    struct client *client = client_open();
    size_t size;
    assert_true(client_say(client, text));
    const char *answer = client_read_answer(client, &size);
    assert_int_equal(status_of(answer), status);
    const uint8_t *body = (const uint8_t *)body_of(answer);
    assert_int_equal(size - (size_t)((const char *)body - answer), count);
    for (uint64_t i = 0; i < count; i++) {
        assert_int_equal(body[i], stream_byte(first + i));
    }
    if (status == 206) {
        snprintf(text, sizeof text, "\r\ncontent-range: bytes %llu-%llu/%d\r\n",
                 (unsigned long long)first, (unsigned long long)(first + count - 1), STREAM_SIZE);
        assert_non_null(strstr(answer, text));
    }
    client_close(client);
}

static bool is_done(void *user)
{
    return seen.dones == *(const int *)user;
}

static void a_stream_is_served_whole_and_in_parts(void **state)
{
    (void)state;
    check_range(NULL, 200, 0, STREAM_SIZE);
    check_range("bytes=0-", 206, 0, STREAM_SIZE);
    check_range("bytes=0-0", 206, 0, 1);
    check_range("bytes=262143-262145", 206, 262143, 3);
    check_range("bytes=500000-899999", 206, 500000, 400000);
    check_range("bytes=-10", 206, STREAM_SIZE - 10, 10);
    check_range("bytes=1000000-", 416, 0, 0);
    check_range("bytes=1-2,5-6", 200, 0, STREAM_SIZE);
    int all = 8; /* the last is done a moment after its client has everything */
    assert_true(world_wait(is_done, &all));
}

static bool is_wanting(void *user)
{
    (void)user;
    return seen.wanting != NULL;
}

static void give_now(void *user)
{
    (void)user;
    give();
}

static void a_stream_ends_when_its_client_goes(void **state)
{
    (void)state;
    seen.stream_later = true;
    struct client *client = client_open();
    assert_true(client_say(client, "GET /stream HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(world_wait(is_wanting, NULL));
    client_close(client);
    world_pass_ms(CK_HTTP_HANDLER_MS);
    while (world_counts().connections_open > 0) {
    }
    assert_int_equal(seen.dones, 0); /* a piece is under way */
    world_call(give_now, NULL);
    assert_true(world_wait(is_done, &(int){1}));
}

static void fail_now(void *user)
{
    (void)user;
    struct ck_http_request *request = seen.wanting;
    seen.wanting = NULL;
    ck_http_stream_give(request, NULL);
}

static void a_stream_that_fails_closes_the_connection(void **state)
{
    (void)state;
    seen.stream_later = true;
    struct client *client = client_open();
    assert_true(client_say(client, "GET /stream HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(world_wait(is_wanting, NULL));
    world_call(fail_now, NULL);
    size_t size;
    const char *answer = client_read_all(client, CLIENT_PATIENCE_MS, &size);
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "");
    client_close(client);
    assert_true(world_wait(is_done, &(int){1}));
}

/* ---- pages ---- */

static char folder[] = "/tmp/ck-pages-XXXXXX";

static void put_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

static int make_pages(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    char path[256];
    snprintf(path, sizeof path, "%s/assets", folder);
    mkdir(path, 0700);
    assert_int_equal(ck_pages_load(folder, &seen.pages), -ENOENT);
    put_file("console.html", "<!doctype html>console");
    put_file("person.html", "<!doctype html>person");
    put_file("person.html.gz", "packed person");
    put_file("assets/a-123.js", "script");
    put_file("assets/b.exe", "program");
    put_file(".secret.html", "hidden");
    assert_int_equal(ck_pages_load(folder, &seen.pages), 0);
    return 0;
}

static int drop_pages(void **state)
{
    (void)state;
    ck_pages_destroy(seen.pages);
    seen.pages = NULL;
    char command[300];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void pages_are_served_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *path, *type, *body, *cache;
    } cases[] = {
        {"/", "text/html; charset=utf-8", "<!doctype html>console", "no-cache"},
        {"/p", "text/html; charset=utf-8", "<!doctype html>person", "no-cache"},
        {"/c/AbC-123_x", "text/html; charset=utf-8", "<!doctype html>person", "no-cache"},
        {"/assets/a-123.js", "text/javascript; charset=utf-8", "script",
         "public, max-age=31536000, immutable"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
                 cases[i].path);
        const char *answer = ask(text);
        assert_int_equal(status_of(answer), 200);
        assert_string_equal(body_of(answer), cases[i].body);
        snprintf(text, sizeof text, "\r\ncontent-type: %s\r\n", cases[i].type);
        assert_non_null(strstr(answer, text));
        snprintf(text, sizeof text, "\r\ncache-control: %s\r\n", cases[i].cache);
        assert_non_null(strstr(answer, text));
    }
    static const char *const others[] = {"/c/",      "/c/a/b",        "/assets/b.exe",
                                         "/assets/", "/.secret.html", "/person.html.gz"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
                 others[i]);
        assert_null(strstr(ask(text), "<!doctype"));
    }
}

static void pages_are_packed_and_cached(void **state)
{
    (void)state;
    const char *answer =
        ask("GET /p HTTP/1.1\r\n" HOST "Accept-Encoding: gzip, br\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(answer, "\r\ncontent-encoding: gzip\r\n"));
    assert_non_null(strstr(answer, "\r\nvary: accept-encoding\r\n"));
    assert_string_equal(body_of(answer), "packed person");
    char etag[64], text[256];
    assert_int_equal(sscanf(strstr(answer, "\r\netag: "), "\r\netag: %63s", etag), 1);
    snprintf(text, sizeof text,
             "GET /p HTTP/1.1\r\n" HOST "If-None-Match: %s\r\nConnection: close\r\n\r\n", etag);
    answer = ask(text);
    assert_int_equal(status_of(answer), 304);
    assert_string_equal(body_of(answer), "");
    answer = ask("GET /p HTTP/1.1\r\n" HOST
                 "Range: bytes=2-8\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
    assert_int_equal(status_of(answer), 206);
    assert_string_equal(body_of(answer), "doctype");
}

/* ---- certificates ---- */

static void a_certificate_is_made_once_and_found_again(void **state)
{
    (void)state;
    static const char *const names[] = {"checkin.example.kz", "192.0.2.1", "::1"};
    static const char *const bad[] = {"no name, DNS:evil"};
    char directory[] = "/tmp/ck-cert-XXXXXX", certificate_path[64], key_path[64];
    assert_non_null(mkdtemp(directory));
    snprintf(certificate_path, sizeof certificate_path, "%s/c.pem", directory);
    snprintf(key_path, sizeof key_path, "%s/k.pem", directory);
    struct ck_wall now = {INT64_C(1800000000000)}, end;
    char *certificate, *key, *certificate2, *key2;
    assert_int_equal(
        ck_certificate_load(certificate_path, key_path, NULL, 0, now, &certificate, &key), -ENOENT);
    assert_int_equal(
        ck_certificate_load(certificate_path, key_path, bad, 1, now, &certificate, &key), -EINVAL);
    assert_int_equal(
        ck_certificate_load(certificate_path, key_path, names, 3, now, &certificate, &key), 0);
    assert_int_equal(
        ck_certificate_load(certificate_path, key_path, names, 3, now, &certificate2, &key2), 0);
    assert_string_equal(certificate, certificate2);
    assert_string_equal(key, key2);
    struct stat about;
    assert_int_equal(stat(key_path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(ck_certificate_expiry(certificate, strlen(certificate), &end), 0);
    assert_int_equal(end.ms, now.ms - 3600000 + INT64_C(86400000) * CK_CERTIFICATE_DAYS);
    assert_int_equal(ck_certificate_expiry("x", 1, &end), CK_E_SYNTAX);
    unlink(certificate_path);
    unlink(key_path);
    rmdir(directory);
    free(certificate);
    free(certificate2);
    free(key);
    free(key2);
}

struct change {
    const char *certificate, *key;
    int result;
};

static void change_certificate(void *user)
{
    struct change *change = user;
    change->result =
        ck_http_set_certificate(world_http(), change->certificate, strlen(change->certificate),
                                change->key, strlen(change->key));
}

static int changed(const char *certificate, const char *key)
{
    struct change change = {.certificate = certificate, .key = key};
    world_call(change_certificate, &change);
    return change.result;
}

static void a_certificate_changes_while_connections_are_open(void **state)
{
    (void)state;
    static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const char *names[] = {"localhost"};
    char *certificate, *key, *other, *other_key;
    struct ck_wall now = {INT64_C(1800000000000)};
    assert_int_equal(ck_certificate_make(names, 1, now, &certificate, &key), 0);
    assert_int_equal(ck_certificate_make(names, 1, now, &other, &other_key), 0);
    struct client *before = client_open();
    assert_non_null(before);
    assert_int_equal(changed(certificate, other_key), CK_E_INVALID);
    assert_int_equal(changed("nothing", key), CK_E_SYNTAX);
    assert_int_equal(changed(certificate, "nothing"), CK_E_SYNTAX);
    assert_int_equal(changed(certificate, key), 0);
    assert_int_equal(changed(other, other_key), 0);
    size_t size;
    assert_true(client_say(before, get));
    assert_int_not_equal(status_of(client_read_answer(before, &size)), 0);
    client_close(before);
    struct client *after = client_open();
    assert_non_null(after);
    assert_true(client_say(after, get));
    assert_int_not_equal(status_of(client_read_answer(after, &size)), 0);
    client_close(after);
    free(certificate);
    free(key);
    free(other);
    free(other_key);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SERVED(a_get_arrives_whole_and_decoded),
        SERVED(every_answer_carries_the_strict_headers),
        SERVED(a_handler_sets_headers),
        SERVED(head_is_a_get_without_its_body),
        SERVED(a_connection_stays_open_between_gets),
        SERVED(pipelined_gets_are_answered_in_order),
        SERVED(a_post_arrives_whole_however_it_is_cut),
        SERVED(an_empty_post_arrives_once),
        SERVED(an_answer_may_come_later),
        SERVED(answering_a_client_that_has_gone_is_harmless),
        SERVED(a_request_still_open_at_the_end_is_forgotten),
        cmocka_unit_test_setup_teardown(a_trusted_proxy_names_the_client, start_behind_a_proxy,
                                        stop),
        SERVED(nobody_else_names_the_client),
        SERVED(a_stream_is_served_whole_and_in_parts),
        SERVED(a_stream_ends_when_its_client_goes),
        SERVED(a_stream_that_fails_closes_the_connection),
    };
    const struct CMUnitTest page_tests[] = {
        SERVED(pages_are_served_by_name),
        SERVED(pages_are_packed_and_cached),
    };
    const struct CMUnitTest file_tests[] = {
        cmocka_unit_test(a_certificate_is_made_once_and_found_again),
        SERVED(a_certificate_changes_while_connections_are_open),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    failed += cmocka_run_group_tests(page_tests, make_pages, drop_pages);
    return failed + cmocka_run_group_tests(file_tests, NULL, NULL);
}
