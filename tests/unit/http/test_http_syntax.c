#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/http/syntax.h"
#include "protocol/base/error.h"

static void ranges_follow_rfc9110(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int result;
        uint64_t first, count;
    } cases[] = {
        {"bytes=0-0", 0, 0, 1},
        {"bytes=0-", 0, 0, 1000},
        {"bytes=10-19", 0, 10, 10},
        {"bytes=990-2000", 0, 990, 10},
        {"bytes=-1", 0, 999, 1},
        {"bytes=-5000", 0, 0, 1000},
        {"Bytes=5-5", 0, 5, 1},
        {"bytes= 5-5 ", 0, 5, 1},
        {"bytes=1000-", CK_E_INVALID, 0, 0},
        {"bytes=-0", CK_E_INVALID, 0, 0},
        {"bytes=5-4", CK_E_NOT_FOUND, 0, 0},
        {"bytes=0-1,3-4", CK_E_NOT_FOUND, 0, 0},
        {"bytes=-", CK_E_NOT_FOUND, 0, 0},
        {"bytes=", CK_E_NOT_FOUND, 0, 0},
        {"bytes", CK_E_NOT_FOUND, 0, 0},
        {"items=0-1", CK_E_NOT_FOUND, 0, 0},
        {"bytes=a-b", CK_E_NOT_FOUND, 0, 0},
        {"bytes=1-2x", CK_E_NOT_FOUND, 0, 0},
        {"bytes=99999999999999999999-", CK_E_NOT_FOUND, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t first = 0, count = 0;
        assert_int_equal(ck_http_range(cases[i].header, 1000, &first, &count), cases[i].result);
        assert_int_equal(first, cases[i].first);
        assert_int_equal(count, cases[i].count);
    }
    uint64_t first, count;
    assert_int_equal(ck_http_range("bytes=0-", 0, &first, &count), CK_E_INVALID);
}

static void content_lengths_are_digits(void **state)
{
    (void)state;
    uint64_t length = 7;
    static const char *const bad[] = {"",   "-5", "+5",  "4, 4", "4,  10",          "0x10",
                                      " 4", "4 ", "4.0", "1e3",  "9999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ck_http_content_length(bad[i], &length), CK_E_SYNTAX);
    }
    assert_int_equal(length, 7);
    assert_int_equal(ck_http_content_length("0", &length), 0);
    assert_int_equal(length, 0);
    assert_int_equal(ck_http_content_length("123456", &length), 0);
    assert_int_equal(length, 123456);
}

static void hosts_are_compared_without_port_and_case(void **state)
{
    (void)state;
    static const char *const hosts[] = {"checkin.example.kz", "127.0.0.1", "::1"};
    static const struct {
        const char *header;
        bool ok;
    } cases[] = {
        {"checkin.example.kz", true},
        {"CHECKIN.example.KZ:443", true},
        {"127.0.0.1:8443", true},
        {"[::1]:8443", true},
        {"[::1]", true},
        {"", false},
        {"other.example.kz", false},
        {"checkin.example.kz.", false},
        {"checkin.example.kz:", false},
        {"checkin.example.kz:x", false},
        {"checkin.example.kz:123456", false},
        {"checkin.example.kz, checkin.example.kz", false},
        {"a@checkin.example.kz", false},
        {"[::1", false},
        {"[]", false},
        {"checkin.example.kz:443:1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ck_http_host_is(cases[i].header, hosts, 3), cases[i].ok);
    }
}

static void only_the_own_origin_counts(void **state)
{
    (void)state;
    assert_true(ck_http_origin_is("https://a.example:8443", "A.example:8443"));
    assert_false(ck_http_origin_is("http://a.example:8443", "a.example:8443"));
    assert_false(ck_http_origin_is("https://a.example", "a.example:8443"));
    assert_false(ck_http_origin_is("https://a.example:8443.evil.example", "a.example:8443"));
    assert_false(ck_http_origin_is("https://evil.example/a.example", "a.example"));
    assert_false(ck_http_origin_is("null", "a.example"));
}

static void paths_are_clean(void **state)
{
    (void)state;
    static const char *const good[] = {"/",     "/p", "/c/", "/assets/a-1.js", "/.well-known",
                                       "/a..b", "/қ"};
    static const char *const bad[] = {"",     "p",       "//",     "/a//b",  "/./a",  "/a/..",
                                      "/../", "/a/../b", "/a\x01", "/a\x7f", "/a\\b", "/\xff"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(ck_http_path_is_clean(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(ck_http_path_is_clean(bad[i], strlen(bad[i])));
    }
    assert_false(ck_http_path_is_clean("/a\0b", 4));
}

static void a_cookie_is_found_once_or_not_at_all(void **state)
{
    (void)state;
    char value[8];
    assert_int_equal(ck_http_cookie_value("a=1; sid=xyz; b=2", "sid", value, sizeof value), 0);
    assert_string_equal(value, "xyz");
    assert_int_equal(ck_http_cookie_value("sid=a=b", "sid", value, sizeof value), 0);
    assert_string_equal(value, "a=b");
    assert_int_equal(ck_http_cookie_value("sid=", "sid", value, sizeof value), 0);
    assert_string_equal(value, "");
    assert_int_equal(ck_http_cookie_value("xsid=1; sid2=2", "sid", value, sizeof value),
                     CK_E_NOT_FOUND);
    assert_int_equal(ck_http_cookie_value("sid=1; sid=2", "sid", value, sizeof value), CK_E_SYNTAX);
    assert_int_equal(ck_http_cookie_value("sid=12345678", "sid", value, sizeof value), CK_E_LIMIT);
}

static void accepted_encodings_and_etags_are_read(void **state)
{
    (void)state;
    assert_true(ck_http_takes_gzip("gzip, deflate, br"));
    assert_true(ck_http_takes_gzip("br;q=1.0, gzip;q=0.8, *;q=0.1"));
    assert_true(ck_http_takes_gzip("*"));
    assert_false(ck_http_takes_gzip("gzip;q=0"));
    assert_false(ck_http_takes_gzip("gzip;q=0.000, br"));
    assert_false(ck_http_takes_gzip("identity, br"));
    assert_false(ck_http_takes_gzip(""));
    assert_true(ck_http_etag_matches("\"abc\"", "\"abc\""));
    assert_true(ck_http_etag_matches("\"x\", W/\"abc\"", "\"abc\""));
    assert_true(ck_http_etag_matches("*", "\"abc\""));
    assert_false(ck_http_etag_matches("\"abcd\"", "\"abc\""));
    assert_false(ck_http_etag_matches("abc", "\"abc\""));
    assert_true(ck_http_type_is("application/json; charset=utf-8", "application/json"));
    assert_true(ck_http_type_is("Application/JSON", "application/json"));
    assert_false(ck_http_type_is("application/jsonp", "application/json"));
    assert_false(ck_http_type_is("text/plain", "application/json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_follow_rfc9110),
        cmocka_unit_test(content_lengths_are_digits),
        cmocka_unit_test(hosts_are_compared_without_port_and_case),
        cmocka_unit_test(only_the_own_origin_counts),
        cmocka_unit_test(paths_are_clean),
        cmocka_unit_test(a_cookie_is_found_once_or_not_at_all),
        cmocka_unit_test(accepted_encodings_and_etags_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
