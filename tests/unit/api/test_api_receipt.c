/* The proof of a receipt: the person whose it is has it as a file, once it is signed, and
 * checkin-verify takes the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api_world.h"
#include "daemon/store/log.h"
#include "protocol/note.h"
#include "tests/unit/evidence/rig.h"

#define PROGRAM CK_BUILD_DIR "/bin/checkin-verify"

static struct caseload people;
static int64_t checkin;
static char receipt[32], path[96], file[64], key_text[CK_NOTE_KEY_TEXT_SIZE + 8];

/* A check-in that nobody answered, with its receipt. */
static int start(void **state)
{
    (void)state;
    json_t *made;
    api_start(NULL);
    api_caseload_quick(&people);
    snprintf(path, sizeof path, "/api/persons/%lld/checkins", (long long)people.person_id);
    assert_int_equal(api_ask(&people.inspector, "POST", path,
                             json_pack("{s:s, s:s}", "reason", "a word in secret", "kind", "live"),
                             &made),
                     200);
    json_decref(made);
    for (int i = 0; i < 20; i++) {
        api_pass_ms(600000);
    }
    assert_true(api_wait_number("SELECT count(*) FROM checkin WHERE receipt IS NOT NULL", 1));
    assert_int_equal(api_ask(&people.person, "GET", "/api/p/state", NULL, &made), 200);
    json_t *entry = json_array_get(json_object_get(made, "history"), 0);
    checkin = json_integer_value(json_object_get(entry, "id"));
    snprintf(receipt, sizeof receipt, "%s", json_string_value(json_object_get(entry, "receipt")));
    json_decref(made);
    snprintf(path, sizeof path, "/api/p/checkins/%lld/proof", (long long)checkin);
    strcpy(file, "/tmp/ck-receipt-XXXXXX");
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    unlink(file);
    api_stop();
    return 0;
}

/* Signs the log as it is now, as the signer would. */
static void sign(void)
{
    static const uint8_t seed[CK_ED25519_SIZE] = {1, 2, 3};
    char note[CK_NOTE_BYTES_MAX + 1], text[CK_NOTE_KEY_TEXT_SIZE];
    uint8_t public_key[CK_ED25519_SIZE];
    struct ck_note_key key;
    struct ck_log_head head;
    struct ck_store *store;
    size_t size;
    assert_int_equal(ck_ed25519_public(seed, public_key), 0);
    assert_int_equal(ck_note_key_make("example.org/log", CK_NOTE_LOG, public_key, &key), 0);
    ck_note_key_text(&key, text);
    snprintf(key_text, sizeof key_text, "--key=%s", text);
    assert_int_equal(ck_store_open_reader(&store, api_store_path()), 0);
    assert_int_equal(ck_log_load_head(store, &head), 0);
    ck_store_close(store);
    struct ck_checkpoint checkpoint = {
        .origin = "example.org/log", .size = head.frontier.size, .root = head.root};
    assert_int_equal(ck_checkpoint_sign(&checkpoint, &key, seed, note, sizeof note, &size), 0);
    struct ck_actor system = ck_actor_system();
    assert_int_equal(api_command("log.checkpoint", &system,
                                 json_pack("{s:s, s:s}", "note", note, "key", text), NULL),
                     0);
}

/* What the person saves. */
static size_t fetch(char *text, size_t capacity)
{
    assert_int_equal(api_ask(&people.person, "GET", path, NULL, NULL), 200);
    const char *body = strstr(api_raw(), "\r\n\r\n");
    assert_non_null(body);
    int size = snprintf(text, capacity, "%s", body + 4);
    assert_true(size > 0 && (size_t)size < capacity);
    return (size_t)size;
}

/* The exit code of checkin-verify about these bytes; what it printed becomes the caller's. */
static int verify(const char *text, size_t size, char **printed)
{
    FILE *to = fopen(file, "w");
    assert_non_null(to);
    assert_int_equal(fwrite(text, 1, size, to), size);
    fclose(to);
    return rig_run(PROGRAM, (const char *const[]){key_text, "proof", file, NULL}, printed);
}

static void the_own_receipt_is_proven_by_the_file_alone(void **state)
{
    (void)state;
    static char text[CK_PROOF_TEXT_MAX];
    char wanted[128], *printed = NULL;
    sign();
    size_t size = fetch(text, sizeof text);
    snprintf(wanted, sizeof wanted, "attachment; filename=\"%s.tlog-proof\"", receipt);
    assert_non_null(strstr(api_raw(), wanted));
    assert_int_equal(verify(text, size, &printed), 0);
    snprintf(wanted, sizeof wanted, "receipt %s has the outcome ", receipt);
    assert_non_null(strstr(printed, wanted));
    assert_non_null(strstr(printed, "entries of example.org/log"));
    free(printed);
    /* Of the person's own reads there is one record. */
    fetch(text, sizeof text);
    assert_int_equal(
        api_number("SELECT count(*) FROM log_plain p JOIN log_entry e ON e.idx = p.idx WHERE "
                   "p.action = 'READ' AND p.actor_kind = 'person' AND p.object = 'checkin' AND "
                   "instr(e.leaf, CAST('\"what\":\"receipt\"' AS BLOB)) > 0"),
        1);
}

static void only_the_outcome_is_in_it(void **state)
{
    (void)state;
    static char text[CK_PROOF_TEXT_MAX];
    uint8_t leaf[CK_PROOF_EXTRA_MAX + 1];
    struct ck_entry_proof proof;
    size_t got = 0;
    sign();
    size_t size = fetch(text, sizeof text);
    assert_int_equal(ck_entry_proof_read(text, size, &proof), 0);
    assert_int_equal(ck_entry_proof_extra(&proof, leaf, &got), 0);
    json_t *entry = json_loadb((const char *)leaf, got, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(entry, "action")), "CHECKIN_OUTCOME");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(entry, "open"), "receipt")), receipt);
    assert_int_equal(json_object_size(json_object_get(entry, "sealed")), 0);
    json_decref(entry);
}

static void a_changed_byte_is_named(void **state)
{
    (void)state;
    static char text[CK_PROOF_TEXT_MAX];
    char *printed = NULL, *extra;
    sign();
    size_t size = fetch(text, sizeof text);
    extra = strstr(text, "extra ");
    assert_non_null(extra);
    extra += 6 + 40; /* within the entry: another letter of the alphabet of base64 */
    *extra = *extra == 'A' ? 'B' : 'A';
    assert_int_equal(verify(text, size, &printed), 1);
    assert_non_null(strstr(printed, "changed: its entry is not "));
    assert_null(strstr(printed, "has the outcome"));
    free(printed);
    fetch(text, sizeof text);
    char *hash = strstr(strstr(text, "index "), "\n") + 1 + 10; /* within the path */
    *hash = *hash == 'A' ? 'B' : 'A';
    assert_int_equal(verify(text, size, &printed), 1);
    assert_non_null(strstr(printed, "changed: its entry is not in the log that was signed"));
    free(printed);
    fetch(text, sizeof text);
    extra = strstr(text, "extra ") - 1; /* and without its entry it proves nothing */
    memmove(extra, strstr(text, "\nindex "), strlen(strstr(text, "\nindex ")) + 1);
    assert_int_equal(verify(text, strlen(text), &printed), 1);
    assert_non_null(strstr(printed, "proof: no proof with its entry beside it can be read"));
    free(printed);
}

static void before_it_is_signed_the_answer_says_so(void **state)
{
    (void)state;
    json_t *answer;
    assert_int_equal(api_ask(&people.person, "GET", path, NULL, &answer), 409);
    api_expect_error(answer, "conflict", "proof");
    assert_non_null(strstr(api_raw(), "not signed yet"));
}

static void it_is_nobody_elses_and_of_nothing_else(void **state)
{
    (void)state;
    struct user other = {0};
    char where[96];
    json_t *link;
    sign();
    snprintf(where, sizeof where, "/api/persons/%lld/enrol", (long long)people.other_person_id);
    assert_int_equal(api_ask(&people.other_inspector, "POST", where, json_object(), &link), 200);
    assert_int_equal(
        api_ask(&other, "POST", "/api/link",
                json_pack("{s:s}", "token", json_string_value(json_object_get(link, "url")) + 20),
                NULL),
        200);
    json_decref(link);
    int64_t before = api_number("SELECT count(*) FROM log_plain WHERE action = 'DENIED'");
    assert_int_equal(api_ask(&other, "GET", path, NULL, NULL), 403);
    assert_null(strstr(api_raw(), receipt));
    assert_int_equal(api_number("SELECT count(*) FROM log_plain WHERE action = 'DENIED'"),
                     before + 1);
    assert_int_equal(api_ask(&people.inspector, "GET", path, NULL, NULL), 401);
    assert_int_equal(api_ask(&people.person, "GET", "/api/p/checkins/99999/proof", NULL, NULL),
                     404);
    /* One that is still to come has no outcome. */
    int64_t planned = api_number("SELECT min(id) FROM checkin WHERE state = 'planned'");
    assert_true(planned > 0);
    snprintf(where, sizeof where, "/api/p/checkins/%lld/proof", (long long)planned);
    assert_int_equal(api_ask(&people.person, "GET", where, NULL, NULL), 404);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SERVED(the_own_receipt_is_proven_by_the_file_alone),
        SERVED(only_the_outcome_is_in_it),
        SERVED(a_changed_byte_is_named),
        SERVED(before_it_is_signed_the_answer_says_so),
        SERVED(it_is_nobody_elses_and_of_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
