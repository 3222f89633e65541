/* Messages with photos and documents, threads about incidents, and the texts kept ready. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "daemon/cases/cases.h"
#include "daemon/cases/file_type.h"
#include "daemon/cases/picture.h"
#include "protocol/base/text.h"

static struct caseload people;

static int start(void **state)
{
    (void)state;
    api_start(NULL);
    api_caseload_quick(&people);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_stop();
    return 0;
}

/* ---- what a file is ---- */

static const char *kind_of(const char *bytes, size_t size)
{
    const struct ck_file_type *type = ck_file_type_of(bytes, size);
    return type == NULL ? "none" : type->mime;
}
#define KIND(text) kind_of(text, sizeof text - 1)

static const char pdf[] = "%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n";

static void the_bytes_say_what_a_file_is(void **state)
{
    (void)state;
    assert_string_equal(KIND("\xff\xd8\xff\xe0\0\x10JFIF\0\xff\xd9"), "image/jpeg");
    assert_string_equal(KIND("\xff\xd8\xff\xe0\0\x10JFIF\0\xff\xd9\0\0"), "image/jpeg");
    assert_string_equal(KIND("\xff\xd8\xff\xe0\0\x10JFIF\0"), "none"); /* cut */
    assert_string_equal(KIND("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0IEND\xae\x42\x60\x82"),
                        "image/png");
    assert_string_equal(KIND("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0IEND\xae\x42\x60"), "none");
    assert_string_equal(KIND("RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0"), "image/webp");
    assert_string_equal(KIND("RIFF\x0f\0\0\0WEBPVP8 \0\0\0\0"), "none"); /* cut */
    assert_string_equal(KIND(pdf), "application/pdf");
    assert_string_equal(KIND("%PDF-1.4\n"), "none"); /* cut */
    assert_string_equal(KIND("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"), "none");
    assert_string_equal(KIND("<html><script>alert(1)</script>"), "none");
    assert_string_equal(KIND("GIF89a"), "none");
    assert_string_equal(KIND("PK\3\4"), "none");
    for (size_t size = 0; size < 24; size++) { /* nothing is read behind a short one */
        char *copy = malloc(size == 0 ? 1 : size);
        memcpy(copy, "\xff\xd8\xff\xff\xd9 RIFF WEBPVP8 PNG", size);
        kind_of(copy, size);
        free(copy);
    }
}

/* What of `bytes` is kept; NULL: the picture is broken. */
static const char *stripped(const char *mime, const char *bytes, size_t size, size_t *kept)
{
    static uint8_t copy[512];
    assert_true(size <= sizeof copy);
    memcpy(copy, bytes, size);
    *kept = ck_picture_strip(ck_file_type_find(mime), copy, size);
    return *kept == 0 ? NULL : (const char *)copy;
}

static void check_stripped(const char *mime, const char *bytes, size_t size, const char *expected,
                           size_t expected_size)
{
    size_t kept;
    const char *left = stripped(mime, bytes, size, &kept);
    assert_int_equal(kept, expected_size);
    assert_memory_equal(left, expected, kept);
}
#define STRIPPED(mime, text, expected)                                                             \
    check_stripped(mime, text, sizeof(text) - 1, expected, sizeof(expected) - 1)

static void a_picture_does_not_say_where_it_was_taken(void **state)
{
    (void)state;
    /* Exif, XMP, a comment and a second picture behind the end go; JFIF, ICC, Adobe, a table, the
     * scan with a stuffed byte and a restart, and a second scan stay. */
    STRIPPED("image/jpeg",
             "\xff\xd8\xff\xe0\0\x06JFIF\xff\xe1\0\x0b"
             "Exif\0GPS4"
             "\xff\xfe\0\x04hi\xff\xff\xe2\0\x10"
             "ICC_PROFILE\0ab\xff\xee\0\x04"
             "Ad\xff\xdb\0\x03q\xff\xda\0\x03s12\xff\0"
             "3\xff\xd0"
             "4\xff\xda\0\x03t5\xff\xd9"
             "\xff\xd8\xff\xe1\0\x06GPS5\xff\xd9",
             "\xff\xd8\xff\xe0\0\x06JFIF\xff\xff\xe2\0\x10"
             "ICC_PROFILE\0ab\xff\xee\0\x04"
             "Ad\xff\xdb\0\x03q\xff\xda\0\x03s12\xff\0"
             "3\xff\xd0"
             "4\xff\xda\0\x03t5\xff\xd9");
    STRIPPED("image/png",
             "\x89PNG\r\n\x1a\n\0\0\0\1IHDRaCRC1\0\0\0\3eXIfGPSCRC2\0\0\0\2tEXthiCRC3\0\0\0\0IEND"
             "\xae\x42\x60\x82"
             "GPS",
             "\x89PNG\r\n\x1a\n\0\0\0\1IHDRaCRC1\0\0\0\0IEND\xae\x42\x60\x82");
    STRIPPED("image/webp",
             "RIFF\x2a\0\0\0WEBPVP8X\1\0\0\0\x1c\0"
             "VP8 \2\0\0\0abEXIF\3\0\0\0GPS\0",
             "RIFF\x18\0\0\0WEBPVP8X\1\0\0\0\x10\0"
             "VP8 \2\0\0\0ab");
    STRIPPED("application/pdf", "%PDF-1.4 Exif %%EOF", "%PDF-1.4 Exif %%EOF");
    size_t kept;
    static const char broken[] = "\xff\xd8\xff\xe1\xff\xf0GPS\xff\xd9";
    for (size_t size = 4; size < sizeof broken; size++) { /* nothing is read behind a short one */
        char *copy = malloc(size);
        memcpy(copy, broken, size);
        assert_int_equal(ck_picture_strip(ck_file_type_find("image/jpeg"), (uint8_t *)copy, size),
                         0);
        free(copy);
    }
    assert_null(stripped("image/png",
                         "\x89PNG\r\n\x1a\n\xff\xff\xff\xff"
                         "eXIfCRC1",
                         20, &kept));
    assert_null(stripped("image/webp", "RIFF\x18\0\0\0WEBPVP8 \xff\xff\xff\xff", 20, &kept));
}

static void a_saved_name_ends_as_its_type_does(void **state)
{
    (void)state;
    char name[CK_FILE_NAME_MAX + 8];
    const struct ck_file_type *jpeg = ck_file_type_find("image/jpeg");
    ck_file_save_name(jpeg, "photo.JPEG", name, sizeof name);
    assert_string_equal(name, "photo.JPEG");
    ck_file_save_name(jpeg, "invoice.exe", name, sizeof name);
    assert_string_equal(name, "invoice.exe.jpg");
    ck_file_save_name(jpeg, ".jpg", name, sizeof name); /* an ending is no stem */
    assert_string_equal(name, ".jpg.jpg");
    char cut[16];
    ck_file_save_name(jpeg, "анықтама.jpg", cut, sizeof cut);
    assert_string_equal(cut, "анықт.jpg");
    assert_null(ck_file_type_find("text/html"));
}

/* ---- sending one ---- */

static json_t *with_file(const char *client_id, const char *text, const char *name,
                         const void *bytes, size_t size)
{
    char *data = malloc(CK_BASE64_SIZE(size));
    ck_base64_encode(bytes, size, data);
    json_t *body = json_pack("{s:s, s:s, s:{s:s, s:s}}", "client_id", client_id, "text", text,
                             "file", "name", name, "data", data);
    free(data);
    assert_non_null(body);
    return body;
}

static char *thread_of(int64_t person)
{
    static char path[64];
    snprintf(path, sizeof path, "/api/persons/%lld/messages", (long long)person);
    return path;
}

static int64_t sent(struct user *user, const char *path, json_t *body)
{
    json_t *answer;
    assert_int_equal(api_ask(user, "POST", path, body, &answer), 200);
    int64_t id = json_integer_value(json_object_get(answer, "id"));
    json_decref(answer);
    assert_true(id > 0);
    return id;
}

static unsigned fetch(struct user *user, const char *folder, int64_t id)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%lld/file", folder, (long long)id);
    return api_ask(user, "GET", path, NULL, NULL);
}
#define STAFF_FILE "/api/messages"
#define OWN_FILE "/api/p/messages"
#define INCIDENT_FILE "/api/incident-messages"

static void a_document_goes_both_ways(void **state)
{
    (void)state;
    int64_t id = sent(&people.person, "/api/p/messages",
                      with_file("f1", "", "анықтама.pdf", pdf, sizeof pdf - 1));
    /* It lies sealed: neither its bytes nor its name are in the store. */
    assert_int_equal(api_number("SELECT count(*) FROM message_file WHERE instr(sealed, "
                                "CAST('%PDF' AS BLOB)) > 0"),
                     0);
    assert_int_equal(api_number("SELECT count(*) FROM message WHERE instr(sealed, CAST('pdf' AS "
                                "BLOB)) > 0"),
                     0);
    json_t *page;
    assert_int_equal(api_ask(&people.inspector, "GET", thread_of(people.person_id), NULL, &page),
                     200);
    json_t *message = json_array_get(json_object_get(page, "messages"), 0);
    json_t *file = json_object_get(message, "file");
    assert_string_equal(json_string_value(json_object_get(file, "name")), "анықтама.pdf");
    assert_string_equal(json_string_value(json_object_get(file, "type")), "application/pdf");
    assert_int_equal(json_integer_value(json_object_get(file, "size")), sizeof pdf - 1);
    assert_null(json_object_get(file, "key"));
    assert_string_equal(json_string_value(json_object_get(message, "text")), "");
    json_decref(page);

    int64_t before = api_number("SELECT count(*) FROM log_plain WHERE action = 'READ' AND object = "
                                "'message'");
    assert_int_equal(fetch(&people.inspector, STAFF_FILE, id), 200);
    assert_non_null(strstr(api_raw(), "%PDF-1.4"));
    assert_non_null(strstr(api_raw(), "content-type: application/pdf"));
    assert_non_null(strstr(api_raw(), "x-content-type-options: nosniff"));
    assert_non_null(strstr(api_raw(), "cache-control: private, no-store"));
    assert_non_null(strstr(api_raw(), "content-security-policy: default-src 'none'"));
    assert_non_null(strstr(api_raw(), "content-disposition: attachment; filename*=UTF-8''"
                                      "%D0%B0%D0%BD%D1%8B%D2%9B%D1%82%D0%B0%D0%BC%D0%B0.pdf"));
    assert_int_equal(api_number("SELECT count(*) FROM log_plain WHERE action = 'READ' AND object = "
                                "'message'"),
                     before + 1);
    assert_int_equal(fetch(&people.person, OWN_FILE, id), 200);
    /* Nobody else gets it, and that they asked is in the log. */
    assert_int_equal(fetch(&people.other_inspector, STAFF_FILE, id), 403);
    assert_int_equal(fetch(&people.officer, STAFF_FILE, id), 403);
    assert_int_equal(fetch(&people.officer, INCIDENT_FILE, id), 404);
    assert_int_equal(fetch(&people.nobody, OWN_FILE, id), 401);

    int64_t back = sent(&people.inspector, thread_of(people.person_id),
                        with_file("f2", "Look at this", "map.jpg", "\xff\xd8\xff\xd9", 4));
    assert_int_equal(fetch(&people.person, OWN_FILE, back), 200);
    assert_non_null(strstr(api_raw(), "content-type: image/jpeg"));
    /* A message of words has no file; one that does not exist has none either. */
    int64_t words = sent(&people.person, "/api/p/messages",
                         json_pack("{s:s, s:s}", "client_id", "w1", "text", "words"));
    assert_int_equal(fetch(&people.person, OWN_FILE, words), 404);
    assert_int_equal(fetch(&people.person, OWN_FILE, words + 100), 404);
}

static void another_persons_file_does_not_exist(void **state)
{
    (void)state;
    int64_t theirs = sent(&people.other_inspector, thread_of(people.other_person_id),
                          with_file("f9", "", "x.pdf", pdf, sizeof pdf - 1));
    unsigned status = fetch(&people.person, OWN_FILE, theirs);
    assert_true(status == 403 || status == 404);
    assert_null(strstr(api_raw(), "%PDF"));
}

static void refused(json_t *body, const char *field, const char *said)
{
    json_t *answer;
    assert_int_equal(api_ask(&people.person, "POST", "/api/p/messages", body, &answer), 400);
    assert_non_null(strstr(api_raw(), said));
    api_expect_error(answer, "invalid", field);
}

static void what_may_not_be_sent_is_named(void **state)
{
    (void)state;
    int64_t before = api_number("SELECT count(*) FROM message");
    refused(with_file("r1", "", "x.pdf", "<script>", 8), "file.data", "PDF");
    refused(with_file("r2", "", "x/../y.pdf", pdf, sizeof pdf - 1), "file.name", "slashes");
    refused(with_file("r3", "", "a\"b.pdf", pdf, sizeof pdf - 1), "file.name", "quotes");
    refused(with_file("r4", "", "", pdf, sizeof pdf - 1), "file.name", "120");
    refused(with_file("r5", "", "x.pdf", "", 0), "file.data", "not empty");
    refused(json_pack("{s:s, s:s, s:s}", "client_id", "r6", "text", "", "file", "x"), "file",
            "object");
    refused(json_pack("{s:s, s:s, s:{s:s, s:s}}", "client_id", "r7", "text", "", "file", "name",
                      "x.pdf", "data", "%%%"),
            "file.data", "base64");
    refused(json_pack("{s:s, s:s}", "client_id", "r8", "text", ""), "text", "empty");
    char *large = calloc(1, CK_FILE_MAX + 1);
    refused(with_file("r9", "", "x.pdf", large, CK_FILE_MAX + 1), "file.data", "4 MiB");
    assert_int_equal(api_number("SELECT count(*) FROM message"), before);
    /* The largest that may be: a PDF of exactly 4 MiB. */
    memset(large, ' ', CK_FILE_MAX);
    memcpy(large, "%PDF-1.4\n", 9);
    memcpy(large + CK_FILE_MAX - 6, "%%EOF\n", 6);
    sent(&people.person, "/api/p/messages", with_file("r10", "", "x.pdf", large, CK_FILE_MAX));
    free(large);
}

static void twenty_files_a_day_are_enough(void **state)
{
    (void)state;
    char id[16];
    for (int i = 1; i < CK_FILES_MAX; i++) { /* the inspector has sent one before */
        snprintf(id, sizeof id, "day-%d", i);
        sent(&people.inspector, thread_of(people.person_id),
             with_file(id, "", "x.pdf", pdf, sizeof pdf - 1));
    }
    json_t *answer;
    assert_int_equal(api_ask(&people.inspector, "POST", thread_of(people.person_id),
                             with_file("day-more", "", "x.pdf", pdf, sizeof pdf - 1), &answer),
                     429);
    api_expect_error(answer, "busy", "file");
    /* Words go on, and so do the other side's files. */
    sent(&people.inspector, thread_of(people.person_id),
         json_pack("{s:s, s:s}", "client_id", "day-words", "text", "words"));
    /* The same again is the same message, and no file more. */
    assert_int_equal(api_number("SELECT count(*) FROM message_file f JOIN message m ON m.id = "
                                "f.message_id WHERE client_id = 'day-3'"),
                     1);
}

static void a_thousand_messages_a_day_are_enough(void **state)
{
    (void)state;
    sent(&people.person, "/api/p/messages",
         json_pack("{s:s, s:s}", "client_id", "flood-1", "text", "a"));
    api_execute(
        "WITH RECURSIVE n(i) AS (SELECT count(*) FROM message WHERE from_staff IS NULL "
        "UNION ALL SELECT i + 1 FROM n WHERE i < 999) INSERT INTO message (thread_id, "
        "client_id, nonce, sealed, sent_at) SELECT (SELECT thread_id FROM message WHERE "
        "client_id = 'flood-1'), 'n' || i, x'00', x'00', (SELECT sent_at FROM message WHERE "
        "client_id = 'flood-1') FROM n WHERE i < 999");
    sent(&people.person, "/api/p/messages",
         json_pack("{s:s, s:s}", "client_id", "flood-2", "text", "b"));
    json_t *answer;
    assert_int_equal(api_ask(&people.person, "POST", "/api/p/messages",
                             json_pack("{s:s, s:s}", "client_id", "flood-3", "text", "c"), &answer),
                     429);
    api_expect_error(answer, "busy", "text");
    /* The other side goes on, and so does this one the day after. */
    sent(&people.inspector, thread_of(people.person_id),
         json_pack("{s:s, s:s}", "client_id", "calm", "text", "words"));
    api_execute("UPDATE message SET sent_at = sent_at - 86400000 WHERE client_id LIKE 'n%'");
    sent(&people.person, "/api/p/messages",
         json_pack("{s:s, s:s}", "client_id", "flood-3", "text", "c"));
    api_execute("DELETE FROM message WHERE client_id LIKE 'n%'");
}

/* ---- incidents ---- */

static int64_t incident_id;

static void officers_write_about_an_incident(void **state)
{
    (void)state;
    char path[96];
    json_t *answer;
    assert_int_equal(
        api_ask(&people.person, "POST", "/api/p/notice", json_pack("{s:i}", "version", 1), NULL),
        200);
    snprintf(path, sizeof path, "/api/persons/%lld/checkins", (long long)people.person_id);
    assert_int_equal(api_ask(&people.inspector, "POST", path,
                             json_pack("{s:s, s:s}", "reason", "test", "kind", "live"), NULL),
                     200);
    for (int i = 0; i < 20; i++) {
        api_pass_ms(600000);
    }
    assert_true(api_wait_number("SELECT count(*) FROM incident", 1));
    incident_id = api_number("SELECT min(id) FROM incident WHERE unit_id IS NOT NULL");
    snprintf(path, sizeof path, "/api/incidents/%lld/messages", (long long)incident_id);
    int64_t id = sent(&people.officer, path,
                      with_file("o1", "Дверь не открывают", "door.jpg", "\xff\xd8\xff\xd9", 4));
    sent(&people.inspector, path,
         json_pack("{s:s, s:s}", "client_id", "i1", "text", "I drive there"));
    assert_int_equal(api_ask(&people.supervisor, "GET", path, NULL, &answer), 200);
    json_t *messages = json_object_get(answer, "messages");
    assert_int_equal(json_array_size(messages), 2);
    json_t *first = json_array_get(messages, 0);
    assert_string_equal(json_string_value(json_object_get(first, "text")), "Дверь не открывают");
    assert_true(json_integer_value(json_object_get(first, "author_id")) > 0);
    assert_int_equal(json_array_size(json_object_get(answer, "readers")), 0);
    json_decref(answer);
    assert_int_equal(fetch(&people.supervisor, INCIDENT_FILE, id), 200);
    assert_int_equal(fetch(&people.inspector, STAFF_FILE, id), 404); /* of no person's thread */
    unsigned own = fetch(&people.person, OWN_FILE, id);
    assert_true(own == 403 || own == 404);

    /* Who has read how far. */
    char read[112];
    snprintf(read, sizeof read, "%s/read", path);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(api_ask(&people.supervisor, "POST", read,
                                 json_pack("{s:I}", "up_to", (json_int_t)id + 1000), &answer),
                         200);
        assert_int_equal(json_integer_value(json_object_get(answer, "changed")), i == 0);
        json_decref(answer);
    }
    assert_int_equal(api_ask(&people.officer, "GET", path, NULL, &answer), 200);
    json_t *reader = json_array_get(json_object_get(answer, "readers"), 0);
    assert_int_equal(json_integer_value(json_object_get(reader, "id")), people.supervisor_id);
    assert_int_equal(json_integer_value(json_object_get(reader, "up_to")), id + 1);
    json_decref(answer);
    /* The person's own thread knows nothing of it. */
    assert_int_equal(api_ask(&people.person, "GET", "/api/p/messages", NULL, &answer), 200);
    assert_null(strstr(api_raw(), "I drive there"));
    json_decref(answer);
    assert_int_equal(api_ask(&people.far_officer, "GET", path, NULL, NULL), 403);
    assert_int_equal(api_ask(&people.other_inspector, "GET", path, NULL, NULL), 403);
}

/* ---- stand-ins ---- */

static void a_stand_in_reads_and_answers(void **state)
{
    (void)state;
    char path[96], sql[256];
    assert_int_equal(
        api_ask(&people.other_inspector, "GET", thread_of(people.person_id), NULL, NULL), 403);
    snprintf(path, sizeof path, "/api/staff/%lld/stand-ins", (long long)people.inspector_id);
    assert_int_equal(
        api_ask(&people.supervisor, "POST", path,
                json_pack("{s:[I]}", "stand_ins", (json_int_t)people.other_inspector_id), NULL),
        200);
    assert_int_equal(
        api_ask(&people.supervisor, "POST", "/api/absences",
                json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)people.inspector_id, "from",
                          "2020-01-01T00:00", "until", "2036-01-01T00:00", "reason", "leave"),
                NULL),
        200);
    api_pass_ms(1000);
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM cover WHERE staff_id = %lld AND inspector_id = %lld",
             (long long)people.other_inspector_id, (long long)people.inspector_id);
    assert_true(api_wait_number(sql, 1));
    assert_int_equal(
        api_ask(&people.other_inspector, "GET", thread_of(people.person_id), NULL, NULL), 200);
    int64_t id = sent(&people.other_inspector, thread_of(people.person_id),
                      with_file("s1", "I stand in", "x.pdf", pdf, sizeof pdf - 1));
    assert_int_equal(fetch(&people.other_inspector, STAFF_FILE, id), 200);
    assert_int_equal(fetch(&people.person, OWN_FILE, id), 200);
}

/* ---- texts kept ready ---- */

static json_t *texts(const char *kk, const char *ru, const char *en)
{
    return json_pack("{s:s, s:s, s:s}", "kk", kk, "ru", ru, "en", en);
}

static void a_supervisor_keeps_texts_ready(void **state)
{
    (void)state;
    json_t *answer;
    char path[64];
    assert_int_equal(api_ask(&people.supervisor, "POST", "/api/templates",
                             texts("Хабарласыңыз", "Позвоните", "Please call"), &answer),
                     200);
    int64_t id = json_integer_value(json_object_get(answer, "id"));
    json_decref(answer);
    assert_int_equal(
        api_ask(&people.supervisor, "POST", "/api/templates", texts("x", "", "x"), &answer), 400);
    api_expect_error(answer, "invalid", "ru");
    assert_int_equal(
        api_ask(&people.inspector, "POST", "/api/templates", texts("x", "x", "x"), NULL), 403);
    assert_int_equal(api_ask(&people.inspector, "GET", "/api/templates", NULL, &answer), 200);
    json_t *list = json_object_get(answer, "templates");
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "ru")),
                        "Позвоните");
    json_decref(answer);
    assert_int_equal(api_ask(&people.far_inspector, "GET", "/api/templates", NULL, &answer), 200);
    assert_int_equal(json_array_size(json_object_get(answer, "templates")), 0);
    json_decref(answer);
    snprintf(path, sizeof path, "/api/templates/%lld", (long long)id);
    assert_int_equal(api_ask(&people.far_supervisor, "POST", path, texts("x", "x", "x"), NULL),
                     404);
    assert_int_equal(api_ask(&people.supervisor, "POST", path, texts("а", "б", "c"), NULL), 200);
    snprintf(path, sizeof path, "/api/templates/%lld/remove", (long long)id);
    assert_int_equal(api_ask(&people.far_supervisor, "POST", path, json_object(), NULL), 404);
    assert_int_equal(api_ask(&people.supervisor, "POST", path, json_object(), NULL), 200);
    assert_int_equal(api_ask(&people.supervisor, "POST", path, json_object(), NULL), 404);
    assert_int_equal(api_number("SELECT count(*) FROM log_plain WHERE action LIKE 'TEMPLATE_%'"),
                     3);
    int made = 0;
    for (; api_ask(&people.supervisor, "POST", "/api/templates", texts("x", "x", "x"), NULL) == 200;
         made++) {
        assert_true(made <= CK_TEMPLATES_MAX);
    }
    assert_int_equal(made, CK_TEMPLATES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_say_what_a_file_is),
        cmocka_unit_test(a_picture_does_not_say_where_it_was_taken),
        cmocka_unit_test(a_saved_name_ends_as_its_type_does),
        cmocka_unit_test(a_document_goes_both_ways),
        cmocka_unit_test(another_persons_file_does_not_exist),
        cmocka_unit_test(what_may_not_be_sent_is_named),
        cmocka_unit_test(twenty_files_a_day_are_enough),
        cmocka_unit_test(a_thousand_messages_a_day_are_enough),
        cmocka_unit_test(officers_write_about_an_incident),
        cmocka_unit_test(a_stand_in_reads_and_answers),
        cmocka_unit_test(a_supervisor_keeps_texts_ready),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
