/* Signatures and receipts: values in, values out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/receipt.h"
#include "protocol/signature.h"

static const char secret[] = "a secret of at least sixteen bytes";
static const char body[] = "{\"reference\":\"N-7K3F-92QD\"}";
/* From protocol/webhook.md; computed with Python's hmac. */
static const char value[] =
    "t=1795000000,v1=0d6503c1b4f155b6c466ac2914d8beff8e5c5b10fd15abf209a56c56217ca44c";
static const struct ck_wall sent_at = {INT64_C(1795000000999)};

static int check_at(const char *header, int64_t ms)
{
    return ck_signature_check(secret, strlen(secret), header, (struct ck_wall){ms}, body,
                              strlen(body));
}

static void the_documented_value_is_written(void **state)
{
    (void)state;
    char header[CK_SIGNATURE_SIZE];
    assert_int_equal(
        ck_signature_write(secret, strlen(secret), sent_at, body, strlen(body), header), 0);
    assert_string_equal(header, value);
    assert_int_equal(ck_signature_write("too short", 9, sent_at, body, 1, header), CK_E_INVALID);
    assert_int_equal(
        ck_signature_write(secret, strlen(secret), (struct ck_wall){-1}, body, 1, header),
        CK_E_INVALID);
}

static void signatures_hold_for_their_time_alone(void **state)
{
    (void)state;
    assert_int_equal(check_at(value, sent_at.ms), 0);
    assert_int_equal(check_at(value, INT64_C(1795000300999)), 0);
    assert_int_equal(check_at(value, INT64_C(1795000301000)), CK_E_INVALID);
    assert_int_equal(check_at(value, INT64_C(1794999700000)), 0);
    assert_int_equal(check_at(value, INT64_C(1794999699999)), CK_E_INVALID);
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    char changed[sizeof value];
    for (size_t i = 0; i < sizeof value - 1; i++) {
        memcpy(changed, value, sizeof value);
        changed[i] = changed[i] == '1' ? '2' : '1';
        assert_int_not_equal(check_at(changed, sent_at.ms), 0);
    }
    char other[sizeof body];
    for (size_t i = 0; i < sizeof body - 1; i++) {
        memcpy(other, body, sizeof body);
        other[i] ^= 1;
        assert_int_equal(
            ck_signature_check(secret, strlen(secret), value, sent_at, other, strlen(body)),
            CK_E_AUTH);
    }
    assert_int_equal(
        ck_signature_check("another secret of many bytes", 28, value, sent_at, body, strlen(body)),
        CK_E_AUTH);
}

static void two_secrets_may_overlap(void **state)
{
    (void)state;
    char both[400];
    snprintf(both, sizeof both, "t=1795000000,v0=x,v1=%064d,%s,v2=future", 0, strstr(value, "v1="));
    assert_int_equal(check_at(both, sent_at.ms), 0);
}

static void what_is_no_signature_is_told_apart(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "t=",
        "t=1795000000",
        "v1=00",
        "t=1795000000,",
        "t=1795000000,v1=",
        "t=x,v1=00",
        "t=1795000000,v1=0d65",
        "t=99999999999999,v1=00",
        "T=1795000000,v1=00",
        "t=-1,v1=00",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(check_at(bad[i], sent_at.ms), CK_E_SYNTAX);
    }
    char longest[CK_SIGNATURE_TEXT_MAX + 2];
    memset(longest, ',', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    memcpy(longest, value, strlen(value));
    assert_int_equal(check_at(longest, sent_at.ms), CK_E_SYNTAX);
    longest[CK_SIGNATURE_TEXT_MAX] = '\0';
    assert_int_equal(check_at(longest, sent_at.ms), 0);
}

static struct ck_gateway_receipt receipts[CK_RECEIPTS_MAX];

static int decode(const char *text, size_t *count, struct ck_receipt_fault *fault)
{
    *fault = (struct ck_receipt_fault){.field = ""};
    return ck_receipt_decode(text, strlen(text), receipts, count, fault);
}

static void receipts_are_read_alone_and_in_lists(void **state)
{
    (void)state;
    size_t count = 0;
    struct ck_receipt_fault fault;
    assert_int_equal(
        decode("{\"receipts\":[{\"reference\":\"N-1\",\"id\":\"m-17\",\"state\":"
               "\"delivered\",\"sequence\":2,\"at\":\"2026-11-18T11:06:43Z\",\"detail\":"
               "\"ok\",\"price\":1.5},{\"id\":\"m-18\",\"state\":\"failed\"}]}",
               &count, &fault),
        0);
    assert_int_equal(count, 2);
    assert_string_equal(receipts[0].reference, "N-1");
    assert_string_equal(receipts[0].provider_id, "m-17");
    assert_int_equal(receipts[0].state, CK_GATEWAY_DELIVERED);
    assert_int_equal(receipts[0].sequence, 2);
    assert_int_equal(receipts[0].at.ms, INT64_C(1795000003000));
    assert_string_equal(receipts[0].detail, "ok");
    assert_string_equal(receipts[1].reference, "");
    assert_int_equal(receipts[1].state, CK_GATEWAY_FAILED);
    assert_int_equal(receipts[1].sequence, 0);
    assert_int_equal(receipts[1].at.ms, 0);
    assert_int_equal(decode("{\"reference\":\"N-2\",\"state\":\"read\"}", &count, &fault), 0);
    assert_int_equal(count, 1);
    assert_int_equal(receipts[0].state, CK_GATEWAY_READ);
}

static void faults_of_receipts_name_the_field(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field;
        int code;
    } cases[] = {
        {"", "", CK_E_SYNTAX},
        {"[]", "", CK_E_SYNTAX},
        {"{\"state\":\"read\",\"state\":\"sent\",\"id\":\"1\"}", "", CK_E_SYNTAX},
        {"{\"receipts\":{}}", "receipts", CK_E_INVALID},
        {"{\"receipts\":[]}", "receipts", CK_E_INVALID},
        {"{\"receipts\":[1]}", "receipts[0]", CK_E_INVALID},
        {"{\"receipts\":[{\"id\":\"1\",\"state\":\"read\"},{\"id\":\"1\",\"state\":\"gone\"}]}",
         "receipts[1].state", CK_E_INVALID},
        {"{\"state\":\"read\"}", "reference", CK_E_INVALID},
        {"{\"id\":\"1\"}", "state", CK_E_INVALID},
        {"{\"id\":1,\"state\":\"read\"}", "id", CK_E_INVALID},
        {"{\"id\":\"a\\nb\",\"state\":\"read\"}", "id", CK_E_INVALID},
        {"{\"id\":\"1\",\"state\":\"read\",\"sequence\":-1}", "sequence", CK_E_INVALID},
        {"{\"id\":\"1\",\"state\":\"read\",\"sequence\":\"1\"}", "sequence", CK_E_INVALID},
        {"{\"id\":\"1\",\"state\":\"read\",\"at\":\"today\"}", "at", CK_E_INVALID},
        {"{\"id\":\"1\",\"state\":\"read\",\"reference\":"
         "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
         "reference", CK_E_LIMIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t count = 77;
        struct ck_receipt_fault fault;
        assert_int_equal(decode(cases[i].text, &count, &fault), cases[i].code);
        assert_string_equal(fault.field, cases[i].field);
        assert_true(*fault.message != '\0');
        assert_int_equal(count, 77);
    }
}

static void receipts_have_limits(void **state)
{
    (void)state;
    size_t count;
    struct ck_receipt_fault fault;
    char *text = malloc(CK_RECEIPT_BODY_MAX + 2);
    size_t at = (size_t)sprintf(text, "{\"receipts\":[");
    for (int i = 0; i <= CK_RECEIPTS_MAX; i++) {
        at += (size_t)sprintf(text + at, "%s{\"id\":\"%d\",\"state\":\"sent\"}", i == 0 ? "" : ",",
                              i);
    }
    sprintf(text + at, "]}");
    assert_int_equal(decode(text, &count, &fault), CK_E_LIMIT);
    assert_string_equal(fault.field, "receipts");
    memset(text, ' ', CK_RECEIPT_BODY_MAX + 1);
    text[CK_RECEIPT_BODY_MAX + 1] = '\0';
    assert_int_equal(decode(text, &count, &fault), CK_E_LIMIT);
    free(text);
    for (int i = 0; i < CK_GATEWAY_STATE_COUNT; i++) {
        assert_non_null(ck_gateway_state_name((enum ck_gateway_state)i));
    }
    assert_null(ck_gateway_state_name(CK_GATEWAY_STATE_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_value_is_written),
        cmocka_unit_test(signatures_hold_for_their_time_alone),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(two_secrets_may_overlap),
        cmocka_unit_test(what_is_no_signature_is_told_apart),
        cmocka_unit_test(receipts_are_read_alone_and_in_lists),
        cmocka_unit_test(faults_of_receipts_name_the_field),
        cmocka_unit_test(receipts_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
