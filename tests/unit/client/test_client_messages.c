/* The messages of websocket.md, decoded and encoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/error.h"
#include "protocol/client.h"

#define P CK_CLIENT_PERSON
#define C CK_CLIENT_CONSOLE

static struct ck_client_message decoded(enum ck_client_side side, const char *text)
{
    struct ck_client_message message;
    struct ck_client_fault fault;
    int r = ck_client_decode(side, text, strlen(text), &message, &fault);
    if (r != 0) {
        fail_msg("%s: %s %s", text, fault.field, fault.text);
    }
    return message;
}

static void every_message_of_a_person_is_read(void **state)
{
    (void)state;
    struct ck_client_message m = decoded(P, "{\"t\":\"join\",\"device\":\"Chrome 120\",\"id\":7}");
    assert_int_equal(m.kind, CK_CLIENT_JOIN);
    assert_string_equal(m.device, "Chrome 120");
    assert_true(m.ref.given);
    assert_int_equal(m.ref.id, 7);
    assert_int_equal(m.generation, 0);
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"join\",\"generation\":3}");
    assert_string_equal(m.device, "");
    assert_int_equal(m.generation, 3);
    assert_false(m.ref.given);
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"offer\",\"sdp\":\"v=0\\r\\n\",\"generation\":2}");
    assert_int_equal(m.kind, CK_CLIENT_OFFER);
    assert_string_equal(m.sdp, "v=0\r\n");
    assert_int_equal(m.generation, 2);
    assert_int_equal(m.checkin, 0);
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"restart\",\"sdp\":\"v=0\",\"generation\":1,\"unknown\":[1]}");
    assert_int_equal(m.kind, CK_CLIENT_RESTART);
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"fact\",\"fact\":\"no_camera\"}");
    assert_int_equal(m.kind, CK_CLIENT_FACT);
    assert_int_equal(m.fact, CK_CLIENT_FACT_NO_CAMERA);
    assert_null(m.detail);
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"fact\",\"fact\":\"ice_failed\",\"detail\":\"timeout\"}");
    assert_int_equal(m.fact, CK_CLIENT_FACT_ICE_FAILED);
    assert_string_equal(m.detail, "timeout");
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"challenge_done\",\"number\":4}");
    assert_int_equal(m.kind, CK_CLIENT_CHALLENGE_DONE);
    assert_int_equal(m.number, 4);
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"pause\",\"reason\":\"child\"}");
    assert_int_equal(m.kind, CK_CLIENT_PAUSE);
    assert_int_equal(m.pause, CK_CLIENT_PAUSE_CHILD);
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"resume\"}");
    assert_int_equal(m.kind, CK_CLIENT_RESUME);
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"decline\",\"reason\":\"жұмыстамын\"}");
    assert_int_equal(m.kind, CK_CLIENT_DECLINE);
    assert_string_equal(m.reason, "жұмыстамын");
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"leave\",\"id\":0}");
    assert_int_equal(m.kind, CK_CLIENT_LEAVE);
    assert_true(m.ref.given);
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"message\",\"client_id\":\"a-1_B\",\"text\":\"{\\\"{{{{{{{{{[[[\"}");
    assert_int_equal(m.kind, CK_CLIENT_MESSAGE);
    assert_string_equal(m.client_id, "a-1_B");
    assert_string_equal(m.text, "{\"{{{{{{{{{[[["); /* brackets in a text are no nesting */
    ck_client_message_deinit(&m);

    m = decoded(P, "{\"t\":\"read\",\"up_to\":9007199254740992}");
    assert_int_equal(m.kind, CK_CLIENT_READ);
    assert_int_equal(m.up_to, CK_CLIENT_ID_MAX);
    ck_client_message_deinit(&m);
}

static void every_message_of_a_console_is_read(void **state)
{
    (void)state;
    struct ck_client_message m = decoded(C, "{\"t\":\"active\"}");
    assert_int_equal(m.kind, CK_CLIENT_ACTIVE);
    ck_client_message_deinit(&m);
    m = decoded(C, "{\"t\":\"take\",\"checkin\":5,\"generation\":2}");
    assert_int_equal(m.kind, CK_CLIENT_TAKE);
    assert_int_equal(m.checkin, 5);
    assert_int_equal(m.generation, 2);
    ck_client_message_deinit(&m);

    m = decoded(C, "{\"t\":\"offer\",\"checkin\":5,\"sdp\":\"v=0\",\"generation\":1}");
    assert_int_equal(m.kind, CK_CLIENT_OFFER);
    assert_int_equal(m.checkin, 5);
    ck_client_message_deinit(&m);

    m = decoded(C, "{\"t\":\"restart\",\"checkin\":6,\"sdp\":\"v=0\",\"generation\":1}");
    assert_int_equal(m.kind, CK_CLIENT_RESTART);
    assert_int_equal(m.checkin, 6);
    ck_client_message_deinit(&m);

    m = decoded(C, "{\"t\":\"end\",\"checkin\":7}");
    assert_int_equal(m.kind, CK_CLIENT_END);
    assert_int_equal(m.checkin, 7);
    ck_client_message_deinit(&m);

    m = decoded(C, "{\"t\":\"message\",\"person\":8,\"client_id\":\"x\",\"text\":\"hello\"}");
    assert_int_equal(m.kind, CK_CLIENT_MESSAGE);
    assert_int_equal(m.person, 8);
    ck_client_message_deinit(&m);

    m = decoded(C, "{\"t\":\"read\",\"person\":8,\"up_to\":3}");
    assert_int_equal(m.kind, CK_CLIENT_READ);
    assert_int_equal(m.person, 8);
    assert_int_equal(m.up_to, 3);
    ck_client_message_deinit(&m);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        enum ck_client_side side;
        const char *text, *field;
    } cases[] = {
        {P, "{}", "t"},
        {P, "{\"t\":5}", "t"},
        {P, "{\"t\":\"jump\"}", "t"},
        {P, "{\"t\":\"take\",\"checkin\":1}", "t"}, /* of the other side */
        {P, "{\"t\":\"end\",\"checkin\":1}", "t"},
        {C, "{\"t\":\"join\"}", "t"},
        {C, "{\"t\":\"fact\",\"fact\":\"no_camera\"}", "t"},
        {C, "{\"t\":\"pause\",\"reason\":\"child\"}", "t"},
        {P, "{\"t\":\"join\",\"id\":-1}", "id"},
        {P, "{\"t\":\"join\",\"id\":\"7\"}", "id"},
        {P, "{\"t\":\"join\",\"id\":7.5}", "id"},
        {P, "{\"t\":\"join\",\"id\":9007199254740993}", "id"},
        {P, "{\"t\":\"join\",\"device\":7}", "device"},
        {P, "{\"t\":\"join\",\"generation\":-1}", "generation"},
        {P, "{\"t\":\"join\",\"generation\":4294967296}", "generation"},
        {P, "{\"t\":\"offer\",\"generation\":1}", "sdp"},
        {P, "{\"t\":\"offer\",\"sdp\":\"\",\"generation\":1}", "sdp"},
        {P, "{\"t\":\"offer\",\"sdp\":null,\"generation\":1}", "sdp"},
        {P, "{\"t\":\"offer\",\"sdp\":\"v=0\"}", "generation"},
        {P, "{\"t\":\"offer\",\"sdp\":\"v=0\",\"generation\":0}", "generation"},
        {P, "{\"t\":\"offer\",\"sdp\":\"v=0\",\"generation\":1.0}", "generation"},
        {P, "{\"t\":\"fact\"}", "fact"},
        {P, "{\"t\":\"fact\",\"fact\":\"dtls\"}", "fact"}, /* the server's own */
        {P, "{\"t\":\"fact\",\"fact\":\"no_camera\",\"detail\":1}", "detail"},
        {P, "{\"t\":\"challenge_done\"}", "number"},
        {P, "{\"t\":\"challenge_done\",\"number\":0}", "number"},
        {P, "{\"t\":\"pause\"}", "reason"},
        {P, "{\"t\":\"pause\",\"reason\":\"tired\"}", "reason"},
        {P, "{\"t\":\"decline\"}", "reason"},
        {P, "{\"t\":\"decline\",\"reason\":\"\"}", "reason"},
        {P, "{\"t\":\"message\",\"text\":\"a\"}", "client_id"},
        {P, "{\"t\":\"message\",\"client_id\":\"a b\",\"text\":\"a\"}", "client_id"},
        {P, "{\"t\":\"message\",\"client_id\":\"a\"}", "text"},
        {P, "{\"t\":\"message\",\"client_id\":\"a\",\"text\":\"\"}", "text"},
        {P, "{\"t\":\"read\"}", "up_to"},
        {P, "{\"t\":\"read\",\"up_to\":0}", "up_to"},
        {P, "{\"t\":\"read\",\"up_to\":9007199254740993}", "up_to"},
        {C, "{\"t\":\"take\"}", "checkin"},
        {C, "{\"t\":\"take\",\"checkin\":0}", "checkin"},
        {C, "{\"t\":\"take\",\"checkin\":\"1\"}", "checkin"},
        {C, "{\"t\":\"offer\",\"sdp\":\"v=0\",\"generation\":1}", "checkin"},
        {C, "{\"t\":\"message\",\"client_id\":\"a\",\"text\":\"b\"}", "person"},
        {C, "{\"t\":\"read\",\"up_to\":1}", "person"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ck_client_message message = {.number = 42};
        struct ck_client_fault fault;
        int r =
            ck_client_decode(cases[i].side, cases[i].text, strlen(cases[i].text), &message, &fault);
        if (r != CK_E_INVALID || strcmp(fault.field, cases[i].field) != 0 || fault.no_object ||
            fault.text[0] == '\0') {
            fail_msg("%s: %d %s %s", cases[i].text, r, fault.field, fault.text);
        }
        assert_int_equal(message.number, 42); /* untouched */
    }
}

static void what_is_no_object_says_so(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "hello",
        "[]",
        "7",
        "null",
        "\"join\"",
        "{\"t\":\"join\"",
        "{\"t\":\"join\"} x",
        "{\"t\":\"join\",\"t\":\"leave\"}",
        "{\"t\":\"join\",\"device\":\"\\u0000\"}",
        "{\"t\":\"join\",\"device\":\"\xff\"}",
        "{\"t\":\"join\",\"x\":[[[[[[[[[1]]]]]]]]]}",
        "{\"t\":\"join\",\"x\":\"\\\"\",\"y\":[[[[[[[[[1]]]]]]]]]}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ck_client_message message;
        struct ck_client_fault fault;
        assert_int_equal(ck_client_decode(P, cases[i], strlen(cases[i]), &message, &fault),
                         CK_E_SYNTAX);
        assert_true(fault.no_object);
    }
}

static void an_error_carries_the_id_of_its_message(void **state)
{
    (void)state;
    struct ck_client_message message;
    struct ck_client_fault fault;
    static const char text[] = "{\"t\":\"jump\",\"id\":99}";
    assert_int_equal(ck_client_decode(P, text, sizeof text - 1, &message, &fault), CK_E_INVALID);
    assert_true(fault.ref.given);
    assert_int_equal(fault.ref.id, 99);
}

/* Builds {"t":t,…,"member":"xxx…"} with `count` times `unit`, and decodes it. */
static int decode_long(const char *before, const char *unit, size_t count, const char *after)
{
    size_t unit_size = strlen(unit), size = strlen(before) + unit_size * count + strlen(after);
    char *text = malloc(size + 1);
    size_t at = (size_t)sprintf(text, "%s", before);
    for (size_t i = 0; i < count; i++, at += unit_size) {
        memcpy(text + at, unit, unit_size);
    }
    strcpy(text + at, after);
    struct ck_client_message message;
    struct ck_client_fault fault;
    int r = ck_client_decode(P, text, size, &message, &fault);
    if (r == 0) {
        ck_client_message_deinit(&message);
    }
    free(text);
    return r;
}

static void lengths_are_limited_in_characters(void **state)
{
    (void)state;
    static const char message[] = "{\"t\":\"message\",\"client_id\":\"a\",\"text\":\"";
    assert_int_equal(decode_long(message, "қ", CK_CLIENT_TEXT_MAX, "\"}"), 0);
    assert_int_equal(decode_long(message, "қ", CK_CLIENT_TEXT_MAX + 1, "\"}"), CK_E_INVALID);
    static const char decline[] = "{\"t\":\"decline\",\"reason\":\"";
    assert_int_equal(decode_long(decline, "ә", CK_CLIENT_REASON_MAX, "\"}"), 0);
    assert_int_equal(decode_long(decline, "ә", CK_CLIENT_REASON_MAX + 1, "\"}"), CK_E_INVALID);
    static const char join[] = "{\"t\":\"join\",\"device\":\"";
    assert_int_equal(decode_long(join, "a", CK_CLIENT_DEVICE_MAX, "\"}"), 0);
    assert_int_equal(decode_long(join, "a", CK_CLIENT_DEVICE_MAX + 1, "\"}"), CK_E_INVALID);
    static const char client_id[] = "{\"t\":\"message\",\"text\":\"b\",\"client_id\":\"";
    assert_int_equal(decode_long(client_id, "a", CK_CLIENT_CLIENT_ID_MAX, "\"}"), 0);
    assert_int_equal(decode_long(client_id, "a", CK_CLIENT_CLIENT_ID_MAX + 1, "\"}"), CK_E_INVALID);
    static const char offer[] = "{\"t\":\"offer\",\"generation\":1,\"sdp\":\"";
    assert_int_equal(decode_long(offer, "a", CK_CLIENT_SDP_MAX, "\"}"), 0);
    assert_int_equal(decode_long(offer, "a", CK_CLIENT_SDP_MAX + 1, "\"}"), CK_E_INVALID);
    assert_int_equal(decode_long("{\"t\":\"leave\",\"x\":\"", "a", CK_CLIENT_MESSAGE_MAX, "\"}"),
                     CK_E_SYNTAX);
}

static void words_round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < CK_CLIENT_FACTS; i++) {
        enum ck_client_fact fact;
        assert_int_equal(ck_client_fact_parse(ck_client_fact_name((enum ck_client_fact)i), &fact),
                         0);
        assert_int_equal(fact, i);
    }
    enum ck_client_fact fact = CK_CLIENT_FACT_CLOSING;
    assert_int_equal(ck_client_fact_parse("first_frame", &fact), CK_E_NOT_FOUND);
    assert_int_equal(fact, CK_CLIENT_FACT_CLOSING);
    for (int i = 0; i < CK_CLIENT_KINDS; i++) {
        assert_non_null(ck_client_kind_name((enum ck_client_kind)i));
    }
    assert_string_equal(ck_client_pause_name(CK_CLIENT_PAUSE_UNDRESS), "undress");
}

static void expect(json_t *message, const char *text)
{
    assert_non_null(message);
    char *dumped = json_dumps(message, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(dumped, text);
    free(dumped);
    json_decref(message);
}

static void answers_and_errors_are_written(void **state)
{
    (void)state;
    struct ck_client_ref ref = {true, 7}, none = {false, 0};
    expect(ck_client_ok(ref), "{\"id\":7,\"t\":\"ok\"}");
    expect(ck_client_ok(none), "{\"t\":\"ok\"}");
    expect(ck_client_error(ref, CK_CLIENT_INVALID, "sdp", 12, "no", 0),
           "{\"code\":\"invalid\",\"field\":\"sdp\",\"id\":7,\"line\":12,\"message\":\"no\",\"t\":"
           "\"error\"}");
    expect(ck_client_error(none, CK_CLIENT_BUSY, NULL, 0, "later", 1500),
           "{\"code\":\"busy\",\"field\":null,\"message\":\"later\",\"retry_after_ms\":1500,\"t\":"
           "\"error\"}");
    static const char *const codes[] = {"invalid", "denied", "not_found",  "conflict",
                                        "limit",   "busy",   "unavailable"};
    for (int i = 0; i < 7; i++) {
        json_t *error = ck_client_error(none, (enum ck_client_error)i, NULL, 0, "x", 0);
        assert_string_equal(json_string_value(json_object_get(error, "code")), codes[i]);
        json_decref(error);
    }
}

static void messages_to_both_sides_are_written(void **state)
{
    (void)state;
    expect(ck_client_answer(0, "v=0", 2), "{\"generation\":2,\"sdp\":\"v=0\",\"t\":\"answer\"}");
    expect(ck_client_answer(5, "v=0", 2),
           "{\"checkin\":5,\"generation\":2,\"sdp\":\"v=0\",\"t\":\"answer\"}");
    expect(ck_client_reconnect(0, "worker"), "{\"reason\":\"worker\",\"t\":\"reconnect\"}");
    expect(ck_client_recording(0, true, NULL), "{\"on\":true,\"t\":\"recording\"}");
    expect(ck_client_recording(5, false, "child"),
           "{\"checkin\":5,\"on\":false,\"reason\":\"child\",\"t\":\"recording\"}");
    expect(ck_client_chat(8, json_pack("{s:i,s:s}", "id", 3, "text", "hello")),
           "{\"id\":3,\"person\":8,\"t\":\"message\",\"text\":\"hello\"}");
    expect(ck_client_chat(0, json_pack("{s:i,s:s}", "id", 3, "t", "not this")),
           "{\"id\":3,\"t\":\"message\"}");
    expect(ck_client_delivered(8, 3), "{\"person\":8,\"t\":\"delivered\",\"up_to\":3}");
    expect(ck_client_read(0, 3), "{\"t\":\"read\",\"up_to\":3}");
}

static void messages_to_the_person_are_written(void **state)
{
    (void)state;
    static const char *const urls[] = {"turn:a:443", "turns:a:443"};
    expect(ck_client_person_hello(json_object(), ck_client_ice_servers(NULL, 0, NULL, NULL), true),
           "{\"ice_servers\":[],\"relay_only\":true,\"state\":{},\"t\":\"hello\"}");
    expect(ck_client_ice(json_array(), false),
           "{\"ice_servers\":[],\"relay_only\":false,\"t\":\"ice\"}");
    expect(ck_client_ice_servers(urls, 2, "u", "c"),
           "[{\"credential\":\"c\",\"urls\":[\"turn:a:443\",\"turns:a:443\"],\"username\":\"u\"}]");
    expect(ck_client_waiting((struct ck_wall){INT64_C(951782400000)}),
           "{\"since\":\"2000-02-29T00:00:00.000Z\",\"t\":\"waiting\"}");
    expect(ck_client_connected("А. Серік", true),
           "{\"recording\":true,\"t\":\"connected\",\"with\":\"А. Серік\"}");
    expect(ck_client_challenge(1, 3, "read_digits", "481", 8),
           "{\"digits\":\"481\",\"kind\":\"read_digits\",\"number\":1,\"of\":3,\"seconds\":8,\"t\":"
           "\"challenge\"}");
    expect(ck_client_challenge(2, 3, "look_up", NULL, 6),
           "{\"kind\":\"look_up\",\"number\":2,\"of\":3,\"seconds\":6,\"t\":\"challenge\"}");
    expect(ck_client_person_peer(true), "{\"state\":\"here\",\"t\":\"peer\"}");
    expect(ck_client_person_peer(false), "{\"state\":\"away\",\"t\":\"peer\"}");
    expect(ck_client_replaced(), "{\"t\":\"replaced\"}");
}

static void messages_to_the_console_are_written(void **state)
{
    (void)state;
    expect(ck_client_console_hello(json_object(), json_array(), false),
           "{\"ice_servers\":[],\"me\":{},\"relay_only\":false,\"t\":\"hello\"}");
    expect(ck_client_today(), "{\"t\":\"today\"}");
    expect(ck_client_store((struct ck_wall){0}, 0),
           "{\"from\":\"1970-01-01T00:00:00.000Z\",\"t\":\"store\"}");
    expect(ck_client_store((struct ck_wall){0}, 12000),
           "{\"from\":\"1970-01-01T00:00:00.000Z\",\"lasted_ms\":12000,\"t\":\"store\"}");
    expect(ck_client_ring(json_object()), "{\"checkin\":{},\"t\":\"ring\"}");
    static const char *const stops[] = {"taken", "gone", "unattended"};
    static const char *const peers[] = {"waiting", "connecting", "here", "away", "left"};
    static const char *const qualities[] = {"good", "fair", "poor", "lost"};
    char text[128];
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "{\"checkin\":5,\"reason\":\"%s\",\"t\":\"ring_stop\"}",
                 stops[i]);
        expect(ck_client_ring_stop(5, (enum ck_client_ring_stop)i), text);
    }
    for (int i = 0; i < 5; i++) {
        snprintf(text, sizeof text,
                 "{\"camera\":true,\"checkin\":5,\"state\":\"%s\",\"t\":\"peer\"}", peers[i]);
        expect(ck_client_console_peer(5, (enum ck_client_peer)i, true), text);
    }
    for (int i = 0; i < 4; i++) {
        snprintf(text, sizeof text,
                 "{\"checkin\":5,\"kbps\":600,\"loss\":0.5,\"quality\":\"%s\",\"rtt_ms\":40,\"t\":"
                 "\"link\"}",
                 qualities[i]);
        expect(ck_client_link(5, (enum ck_client_quality)i, 40, 0.5, 600), text);
    }
    expect(ck_client_alert(json_object(), "N-1"),
           "{\"incident\":{},\"notice\":\"N-1\",\"t\":\"alert\"}");
    expect(ck_client_incident(9), "{\"incident\":9,\"t\":\"incident\"}");
    expect(ck_client_taken(5, NULL), "{\"checkin\":5,\"t\":\"taken\"}");
    expect(ck_client_console_ended(5, "left"),
           "{\"checkin\":5,\"reason\":\"left\",\"t\":\"ended\"}");
}

static void a_value_that_could_not_be_made_makes_no_message(void **state)
{
    (void)state;
    assert_null(ck_client_ring(NULL));
    assert_null(ck_client_console_hello(NULL, json_array(), false));
    assert_null(ck_client_console_hello(json_object(), NULL, false));
    assert_null(ck_client_chat(1, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_of_a_person_is_read),
        cmocka_unit_test(every_message_of_a_console_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(what_is_no_object_says_so),
        cmocka_unit_test(an_error_carries_the_id_of_its_message),
        cmocka_unit_test(lengths_are_limited_in_characters),
        cmocka_unit_test(words_round_trip),
        cmocka_unit_test(answers_and_errors_are_written),
        cmocka_unit_test(messages_to_both_sides_are_written),
        cmocka_unit_test(messages_to_the_person_are_written),
        cmocka_unit_test(messages_to_the_console_are_written),
        cmocka_unit_test(a_value_that_could_not_be_made_makes_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
