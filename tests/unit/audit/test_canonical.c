#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/canonical.h"

static int write(const char *json, char *out, size_t capacity)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    struct ck_writer writer = ck_writer_of(out, capacity - 1);
    int r = ck_canonical_write(&writer, value);
    json_decref(value);
    out[writer.size] = '\0';
    return r;
}

static void one_value_has_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *json, *canonical;
    } cases[] = {
        {"{ \"b\" : 1, \"a\" : [ true , null, \"x\" ] }", "{\"a\":[true,null,\"x\"],\"b\":1}"},
        {"{\"aa\":1,\"a\":2,\"A\":3,\"_\":4}", "{\"A\":3,\"_\":4,\"a\":2,\"aa\":1}"},
        {"\"\\u0001\\t\\n\\u001f\\\"\\\\/\\u00e9\"", "\"\\u0001\\t\\n\\u001f\\\"\\\\/é\""},
        {"-9007199254740991", "-9007199254740991"},
        {"\"қорғау\"", "\"қорғау\""},
        {"{}", "{}"},
        {"[]", "[]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[256];
        assert_int_equal(write(cases[i].json, out, sizeof out), 0);
        assert_string_equal(out, cases[i].canonical);
    }
}

static void what_has_more_than_one_form_is_refused(void **state)
{
    (void)state;
    char out[256];
    assert_int_equal(write("1.5", out, sizeof out), CK_E_INVALID);
    assert_int_equal(write("{\"a\":1e3}", out, sizeof out), CK_E_INVALID);
    assert_int_equal(write("9007199254740992", out, sizeof out), CK_E_INVALID);
    assert_int_equal(write("{\"имя\":1}", out, sizeof out), CK_E_INVALID);
    assert_int_equal(write("[[[[[[[[[[1]]]]]]]]]]", out, sizeof out), CK_E_INVALID);
    assert_int_equal(write("\"long enough\"", out, 8), CK_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_value_has_one_form),
        cmocka_unit_test(what_has_more_than_one_form_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
