/* What channels ask and what they make of answers, without a network; words and mails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "channel_test.h"
#include "daemon/notify/gateway_body.h"
#include "daemon/notify/judge.h"
#include "daemon/notify/mail.h"
#include "daemon/notify/request.h"
#include "daemon/notify/words.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/signature.h"

static char dir[256];
static struct ck_config config;
static const struct ck_wall now = {INT64_C(1795000000000)};

/* ---- words ---- */

static void the_person_is_told_a_time_and_a_link_and_no_more(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "kk", "Жоспарланған қоңырау, 19:00", "ru", "Запланированный звонок, 19:00",
        "en", "Scheduled call, 19:00",       "de", "Scheduled call, 19:00"};
    for (size_t i = 0; i < 8; i += 2) {
        struct ck_sending sending = test_sending("x");
        char line[CK_WORDS_LINE_SIZE], sms[CK_WORDS_SMS_SIZE], letter[CK_WORDS_LETTER_SIZE];
        char wanted[512];
        sending.words = CK_WORDS_RING;
        sending.repeated = true;
        strcpy(sending.language, lines[i]);
        strcpy(sending.link, "https://h/c/T");
        ck_words_line(&sending, line);
        ck_words_sms(&sending, sms);
        ck_words_letter(&sending, letter);
        assert_string_equal(line, lines[i + 1]);
        snprintf(wanted, sizeof wanted, "%s https://h/c/T", line);
        assert_string_equal(sms, wanted);
        snprintf(wanted, sizeof wanted, "%s\n\nhttps://h/c/T\n", line);
        assert_string_equal(letter, wanted);
    }
}

/* Every text exists in every language, is whole, and says to staff the reference and the severity
 * alone. */
static void every_text_is_there_in_every_language(void **state)
{
    (void)state;
    static const char *const languages[] = {"kk", "ru", "en"};
    for (int words = 0; words < CK_WORDS_COUNT; words++) {
        assert_int_equal(ck_words_by_name(ck_words_name((enum ck_words)words)), words);
        char seen[3][CK_WORDS_LINE_SIZE];
        for (size_t k = 0; k < 3; k++) {
            for (int urgency = 0; urgency < CK_URGENCY_COUNT; urgency++) {
                struct ck_sending sending = test_sending("x");
                char letter[CK_WORDS_LETTER_SIZE];
                sending.words = (enum ck_words)words;
                sending.urgency = (enum ck_urgency)urgency;
                strcpy(sending.language, languages[k]);
                ck_words_line(&sending, seen[k]);
                ck_words_letter(&sending, letter);
                assert_true(strlen(seen[k]) > 10);
                assert_null(strpbrk(seen[k], "{}"));
                assert_true(ck_utf8_valid(letter, strlen(letter)));
                assert_non_null(strstr(letter, sending.link));
                if (words >= CK_WORDS_INCIDENT) {
                    assert_non_null(strstr(seen[k], "N-7K3F-92QD ("));
                }
            }
        }
        assert_string_not_equal(seen[0], seen[1]);
        assert_string_not_equal(seen[1], seen[2]);
    }
    assert_int_equal(ck_words_by_name("nothing"), -1);
    assert_null(ck_words_name(CK_WORDS_COUNT));
    assert_int_equal(ck_urgency_by_name("top"), CK_URGENCY_TOP);
    assert_int_equal(ck_urgency_by_name("none"), -1);
    assert_null(ck_urgency_name(CK_URGENCY_COUNT));
}

/* Who receives a webhook reads the kinds in its specification. */
static void every_kind_is_in_the_specification(void **state)
{
    (void)state;
    char text[16384];
    FILE *file = fopen(CK_SOURCE_DIR "/protocol/webhook.md", "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    char *kinds = strstr(text, "| `kind` |");
    assert_non_null(kinds);
    kinds[strcspn(kinds, "\n")] = '\0';
    for (int words = 0; words < CK_WORDS_COUNT; words++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "`%s`", ck_words_name((enum ck_words)words));
        if (strstr(kinds, quoted) == NULL) {
            fail_msg("webhook.md does not know the kind %s", quoted);
        }
    }
}

/* In Cyrillic a part of a short message has 67 characters, and an agency pays for each part. */
#define SMS_PART 67
#define SMS_PARTS_MAX 2

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80; /* none of ours needs two units of UCS-2 */
    }
    return count;
}

static void a_short_message_is_short(void **state)
{
    (void)state;
    for (int words = 0; words < CK_WORDS_COUNT; words++) {
        for (size_t k = 0; k < 3; k++) {
            static const char *const languages[] = {"kk", "ru", "en"};
            struct ck_sending sending = test_sending("+77011234567");
            char sms[CK_WORDS_SMS_SIZE];
            sending.words = (enum ck_words)words;
            strcpy(sending.language, languages[k]);
            strcpy(sending.link, words == CK_WORDS_RING
                                     ? "https://checkin.example.org/c/0123456789abcdefghijkl"
                                     : "https://checkin.example.org/#/incidents/12345");
            ck_words_sms(&sending, sms);
            if (characters(sms) > SMS_PARTS_MAX * SMS_PART) {
                fail_msg("%zu characters: %s", characters(sms), sms);
            }
        }
    }
}

static void staff_is_told_that_it_is_the_same_again(void **state)
{
    (void)state;
    struct ck_sending sending = test_sending("x");
    char letter[CK_WORDS_LETTER_SIZE];
    ck_words_letter(&sending, letter);
    assert_null(strstr(letter, "Sent again"));
    sending.repeated = true;
    ck_words_letter(&sending, letter);
    assert_non_null(strstr(letter, "Sent again: this is the same notice.\n"));
}

static void the_longest_values_fit(void **state)
{
    (void)state;
    struct ck_sending sending = test_sending("x");
    char line[CK_WORDS_LINE_SIZE], sms[CK_WORDS_SMS_SIZE], letter[CK_WORDS_LETTER_SIZE];
    memset(sending.reference, 'R', sizeof sending.reference - 1);
    memset(sending.link, 'l', sizeof sending.link - 1);
    memset(sending.time, 't', sizeof sending.time - 1);
    sending.repeated = true;
    for (int words = 0; words < CK_WORDS_COUNT; words++) {
        sending.words = (enum ck_words)words;
        strcpy(sending.language, "ru");
        ck_words_line(&sending, line);
        ck_words_sms(&sending, sms);
        ck_words_letter(&sending, letter);
        assert_in_range(strlen(line), 1, sizeof line - 2);
        assert_non_null(strstr(sms, sending.link));
        assert_non_null(strstr(letter, sending.link));
        assert_int_equal(letter[strlen(letter) - 1], '\n');
    }
}

/* ---- mail ---- */

static void addresses_that_could_do_harm_are_refused(void **state)
{
    (void)state;
    static const char *const good[] = {"a@b", "inspector.k+x@mail.example.org", "o'hara@h.kz"};
    static const char *const bad[] = {
        "",      "a",
        "@b",    "a@",
        "a@b@c", "a b@c",
        "a@b c", "a@b\r\nRCPT TO:<x@y>",
        "<a@b>", "a@b>",
        "a,b@c", "\"a\"@b",
        "a@b;c", "a@[1.2.3.4]",
        "қ@b",   "a@.b",
        "a@-b",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(ck_mail_address_ok(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(ck_mail_address_ok(bad[i]));
    }
    char longest[300];
    memset(longest, 'd', sizeof longest);
    memcpy(longest, "a@", 2);
    longest[254] = '\0';
    assert_true(ck_mail_address_ok(longest));
    longest[254] = 'd';
    longest[255] = '\0';
    assert_false(ck_mail_address_ok(longest));
}

static const struct ck_mail plain_mail = {
    .from = "calls@example.org",
    .from_name = "",
    .to = "a@b.c",
    .subject = "Scheduled call, 19:00",
    .text = "one\ntwo\n",
    .language = "en",
    .message_id = "N-1",
    .date = {INT64_C(951782400000)},
};

static void a_plain_mail_is_as_it_should_be(void **state)
{
    (void)state;
    char *message;
    size_t size;
    assert_int_equal(ck_mail_build(&plain_mail, &message, &size), 0);
    assert_int_equal(size, strlen(message));
    assert_string_equal(message, "Date: Tue, 29 Feb 2000 00:00:00 +0000\r\n"
                                 "From: <calls@example.org>\r\n"
                                 "To: <a@b.c>\r\n"
                                 "Subject: Scheduled call, 19:00\r\n"
                                 "Message-ID: <N-1@example.org>\r\n"
                                 "Auto-Submitted: auto-generated\r\n"
                                 "Content-Language: en\r\n"
                                 "MIME-Version: 1.0\r\n"
                                 "Content-Type: text/plain; charset=utf-8\r\n"
                                 "Content-Transfer-Encoding: base64\r\n"
                                 "\r\n"
                                 "b25lDQp0d28NCg==\r\n");
    free(message);
}

/* No value can begin a header, whatever it holds. */
static void no_value_begins_a_header(void **state)
{
    (void)state;
    static const char *const evil[] = {
        "x\r\nBcc: y@z",     "x\nBcc: y@z", "x\rBcc: y@z", "=?UTF-8?B?AAAA?=",
        "қ\r\n\r\nBcc: y@z", "a\"b\\",      "x\x01\x7f",
    };
    for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
        struct ck_mail mail = plain_mail;
        char *message;
        size_t size;
        mail.subject = evil[i];
        mail.from_name = evil[i];
        mail.text = evil[i];
        mail.language = evil[i];
        assert_int_equal(ck_mail_build(&mail, &message, &size), 0);
        assert_null(strstr(message, "Bcc"));
        assert_null(strstr(message, evil[i]));
        for (const char *line = message; *line != '\0';) {
            size_t length = strcspn(line, "\r\n");
            assert_in_range(length, 0, 78);
            assert_memory_equal(line + length, "\r\n", 2);
            line += length + 2;
        }
        free(message);
    }
    struct ck_mail mail = plain_mail;
    char *message;
    size_t size;
    mail.message_id = "N-1>\r\nBcc: y@z";
    assert_int_equal(ck_mail_build(&mail, &message, &size), CK_E_INVALID);
    mail = plain_mail;
    mail.to = "a@b\r\nBcc:y@z";
    assert_int_equal(ck_mail_build(&mail, &message, &size), CK_E_INVALID);
    mail = plain_mail;
    mail.subject = "\xff";
    assert_int_equal(ck_mail_build(&mail, &message, &size), CK_E_INVALID);
}

/* ---- requests ---- */

static int prepare(void (*fill)(struct ck_notify_channel *, const struct ck_config *),
                   const struct ck_sending *sending, struct ck_request *request,
                   struct ck_sent *sent)
{
    struct ck_notify_channel channel;
    fill(&channel, &config);
    *request = (struct ck_request){0};
    *sent = (struct ck_sent){.kind = CK_SENT_KIND_COUNT};
    return channel.prepare(&channel, sending, now, request, sent);
}

static void bad_addresses_are_rejected_before_anything_is_asked(void **state)
{
    (void)state;
    static const struct {
        void (*fill)(struct ck_notify_channel *, const struct ck_config *);
        const char *to;
    } cases[] = {
        {ck_channel_email, ""},
        {ck_channel_email, "a@b\r\nDATA"},
        {ck_channel_sms, ""},
        {ck_channel_sms, "87011234567"},
        {ck_channel_sms, "+7701"},
        {ck_channel_sms, "+77011234567890123"},
        {ck_channel_sms, "+7 7011234"},
        {ck_channel_sms, "+77011234567\n"},
        {ck_channel_webhook, "nowhere"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ck_sending sending = test_sending(cases[i].to);
        struct ck_request request;
        struct ck_sent sent;
        assert_int_equal(prepare(cases[i].fill, &sending, &request, &sent), CK_E_INVALID);
        assert_int_equal(sent.kind, CK_SENT_REJECTED);
        assert_true(*sent.detail != '\0');
    }
}

/* References become headers and ids: what could be more than that is rejected. */
static void references_cannot_carry_more_than_themselves(void **state)
{
    (void)state;
    struct ck_sending sending = test_sending("+77011234567");
    struct ck_request request;
    struct ck_sent sent;
    strcpy(sending.reference, "N-1\r\nX-Evil: 1");
    assert_int_equal(prepare(ck_channel_sms, &sending, &request, &sent), CK_E_INVALID);
    assert_int_equal(sent.kind, CK_SENT_REJECTED);
    strcpy(sending.to, "duty");
    assert_int_equal(prepare(ck_channel_webhook, &sending, &request, &sent), CK_E_INVALID);
    strcpy(sending.to, "a@b.c");
    assert_int_equal(prepare(ck_channel_email, &sending, &request, &sent), CK_E_INVALID);
}

/* The value of the signature's header of a notice to this webhook. */
static const char *signature_for(const char *hook, struct ck_request *request)
{
    struct ck_sending sending = test_sending(hook);
    struct ck_sent sent;
    assert_int_equal(prepare(ck_channel_webhook, &sending, request, &sent), 0);
    size_t name = strlen(CK_SIGNATURE_HEADER);
    for (size_t i = 0; i < request->header_count; i++) {
        if (strncmp(request->headers[i], CK_SIGNATURE_HEADER, name) == 0) {
            return request->headers[i] + name + 2;
        }
    }
    fail_msg("the notice is not signed");
    return NULL;
}

static int verifies(const char *secret, const char *header, const struct ck_request *request)
{
    return ck_signature_check(secret, strlen(secret), header, now, request->body,
                              request->body_size);
}

static void a_secret_that_is_changed_signs_beside_the_old_one(void **state)
{
    (void)state;
    struct ck_request request;
    const char *header = signature_for("duty", &request);
    assert_int_equal(verifies(TEST_SECRET, header, &request), 0);
    assert_int_equal(verifies(TEST_NEW_SECRET, header, &request), CK_E_AUTH);
    ck_request_deinit(&request);
    header = signature_for("night", &request);
    assert_int_equal(verifies(TEST_NEW_SECRET, header, &request), 0);
    assert_int_equal(verifies(TEST_SECRET, header, &request), 0);
    assert_int_equal(verifies("a third secret of many bytes", header, &request), CK_E_AUTH);
    assert_null(strchr(header + 1, 't')); /* one time for both */
    ck_request_deinit(&request);
}

static void values_stay_in_the_strings_of_the_template(void **state)
{
    (void)state;
    const struct ck_gateway_values values = {
        .to = "+7\",\"to\":\"+8", .text = "{reference} \"\\\n{to}", .reference = "N-1"};
    char *json;
    size_t size;
    assert_int_equal(
        ck_gateway_body("{\"{to}\":[\"{to}|{text}\",{\"r\":\"{reference}{other}\"},1,null]}",
                        &values, &json, &size),
        0);
    json_t *read = json_loads(json, 0, NULL);
    json_t *list = json_object_get(read, "{to}");
    assert_string_equal(json_string_value(json_array_get(list, 0)),
                        "+7\",\"to\":\"+8|{reference} \"\\\n{to}");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "r")),
                        "N-1{other}");
    json_decref(read);
    free(json);
    assert_int_equal(ck_gateway_body("{to}", &values, &json, &size), CK_E_SYNTAX);
    const struct ck_gateway_values broken = {.to = "\xff", .text = "", .reference = ""};
    assert_int_equal(ck_gateway_body("[\"{to}\"]", &broken, &json, &size), CK_E_INVALID);
}

static void headers_cannot_be_broken(void **state)
{
    (void)state;
    struct ck_request request = {0};
    assert_int_equal(ck_request_header(&request, "A", "b\r\nC: d"), CK_E_INVALID);
    assert_int_equal(ck_request_header(&request, "A\n", "b"), CK_E_INVALID);
    for (int i = 0; i < CK_REQUEST_HEADERS_MAX; i++) {
        assert_int_equal(ck_request_header(&request, "A", "b"), 0);
    }
    assert_int_equal(ck_request_header(&request, "A", "b"), CK_E_LIMIT);
    assert_string_equal(request.headers[0], "A: b");
    ck_request_deinit(&request);
}

/* ---- answers ---- */

static void fields_are_found_by_their_path(void **state)
{
    (void)state;
    static const char json[] = "{\"a\":{\"b\":[{\"c\":\"x\"},7]},\"t\":true,\"n\":null,\"r\":1.5}";
    static const struct {
        const char *path, *value;
    } cases[] = {
        {"a.b.0.c", "x"}, {"a.b.1", "7"}, {"t", "true"}, {"a.b.2", NULL},     {"a.b.x", NULL},
        {"n", NULL},      {"r", NULL},    {"a", NULL},   {"a.b.0.c.d", NULL}, {"z", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char value[16] = "untouched";
        bool found = ck_judge_field(json, strlen(json), cases[i].path, value, sizeof value);
        assert_int_equal(found, cases[i].value != NULL);
        assert_string_equal(value, found ? cases[i].value : "untouched");
    }
    char value[4];
    assert_true(ck_judge_field("[\"abcdef\"]", 10, "0", value, sizeof value));
    assert_string_equal(value, "abc");
    assert_false(ck_judge_field("no json", 7, "0", value, sizeof value));
}

static void every_fault_and_reply_has_its_meaning(void **state)
{
    (void)state;
    static const struct {
        enum ck_transfer_fault fault;
        bool left;
        int status;
        enum ck_sent_kind mail, sms;
    } cases[] = {
        {CK_TRANSFER_NO_NAME, false, 0, CK_SENT_REFUSED, CK_SENT_REFUSED},
        {CK_TRANSFER_NO_CONNECT, false, 0, CK_SENT_REFUSED, CK_SENT_REFUSED},
        {CK_TRANSFER_NO_TLS, false, 220, CK_SENT_REFUSED, CK_SENT_REFUSED},
        {CK_TRANSFER_LOGIN, false, 535, CK_SENT_REFUSED, CK_SENT_REFUSED},
        {CK_TRANSFER_TIMEOUT, false, 250, CK_SENT_REFUSED, CK_SENT_REFUSED},
        {CK_TRANSFER_TIMEOUT, true, 354, CK_SENT_UNKNOWN, CK_SENT_UNKNOWN},
        {CK_TRANSFER_LOST, false, 354, CK_SENT_REFUSED, CK_SENT_REFUSED},
        {CK_TRANSFER_LOST, true, 354, CK_SENT_UNKNOWN, CK_SENT_UNKNOWN},
        {CK_TRANSFER_MEMORY, false, 0, CK_SENT_REFUSED, CK_SENT_REFUSED},
        {CK_TRANSFER_REFUSED, false, 421, CK_SENT_REFUSED, CK_SENT_REFUSED},
        {CK_TRANSFER_REFUSED, false, 550, CK_SENT_REFUSED, CK_SENT_REFUSED},  /* MAIL FROM */
        {CK_TRANSFER_PROTOCOL, false, 554, CK_SENT_REFUSED, CK_SENT_REFUSED}, /* the greeting */
        {CK_TRANSFER_PROTOCOL, true, 554, CK_SENT_REJECTED, CK_SENT_UNKNOWN}, /* what was said */
        {CK_TRANSFER_PROTOCOL, true, 451, CK_SENT_REFUSED, CK_SENT_UNKNOWN},
        {CK_TRANSFER_DONE, true, 250, CK_SENT_ACCEPTED, CK_SENT_REFUSED},
        {CK_TRANSFER_DONE, true, 354, CK_SENT_UNKNOWN, CK_SENT_REFUSED},
        {CK_TRANSFER_DONE, true, 200, CK_SENT_UNKNOWN, CK_SENT_ACCEPTED},
    };
    struct ck_notify_channel mail, sms;
    ck_channel_email(&mail, &config);
    ck_channel_sms(&sms, &config);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ck_response response = {.fault = cases[i].fault,
                                       .left = cases[i].left,
                                       .recipient_named = cases[i].left,
                                       .status = cases[i].status,
                                       .retry_after_ms = -1,
                                       .body = "",
                                       .detail = "because"};
        struct ck_sending sending = test_sending("x");
        struct ck_sent sent;
        mail.judge(&mail, &sending, &response, &sent);
        if (sent.kind != cases[i].mail) {
            fail_msg("mail case %zu: %s", i, ck_sent_kind_name(sent.kind));
        }
        sms.judge(&sms, &sending, &response, &sent);
        if (sent.kind != cases[i].sms) {
            fail_msg("sms case %zu: %s", i, ck_sent_kind_name(sent.kind));
        }
    }
}

static void details_are_one_printable_line(void **state)
{
    (void)state;
    struct ck_sent sent;
    ck_sent_fill(&sent, CK_SENT_REFUSED, 5, "%s", "550 no\r\nnotice not taken: \x1b[31m");
    assert_string_equal(sent.detail, "550 no  notice not taken:  [31m");
    assert_int_equal(sent.retry_after_ms, 5);
    assert_string_equal(sent.provider_id, "");
    for (int i = 0; i < CK_SENT_KIND_COUNT; i++) {
        assert_non_null(ck_sent_kind_name((enum ck_sent_kind)i));
    }
    assert_null(ck_sent_kind_name(CK_SENT_KIND_COUNT));
}

static int setup(void **state)
{
    (void)state;
    test_dir_make(dir);
    test_config(&config, dir,
                "[smtp]\nurl = smtps://mail.example.org:465\nfrom = calls@example.org\n"
                "[sms]\nurl = https://sms.example.org/\n"
                "[webhook duty]\nurl = https://duty.example.org/\nsecret_file = %d/secret\n"
                "[webhook night]\nurl = https://duty.example.org/\nsecret_file = %d/secrets\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ck_config_deinit(&config);
    test_dir_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_person_is_told_a_time_and_a_link_and_no_more),
        cmocka_unit_test(every_text_is_there_in_every_language),
        cmocka_unit_test(every_kind_is_in_the_specification),
        cmocka_unit_test(a_short_message_is_short),
        cmocka_unit_test(staff_is_told_that_it_is_the_same_again),
        cmocka_unit_test(the_longest_values_fit),
        cmocka_unit_test(addresses_that_could_do_harm_are_refused),
        cmocka_unit_test(a_plain_mail_is_as_it_should_be),
        cmocka_unit_test(no_value_begins_a_header),
        cmocka_unit_test(bad_addresses_are_rejected_before_anything_is_asked),
        cmocka_unit_test(references_cannot_carry_more_than_themselves),
        cmocka_unit_test(a_secret_that_is_changed_signs_beside_the_old_one),
        cmocka_unit_test(values_stay_in_the_strings_of_the_template),
        cmocka_unit_test(headers_cannot_be_broken),
        cmocka_unit_test(fields_are_found_by_their_path),
        cmocka_unit_test(every_fault_and_reply_has_its_meaning),
        cmocka_unit_test(details_are_one_printable_line),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
