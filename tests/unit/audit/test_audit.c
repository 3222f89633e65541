/* The log in a store: what is appended verifies, and whatever is done to it behind our back is
 * named. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "daemon/audit/audit.h"
#include "daemon/audit/tree.h"
#include "daemon/audit/verify.h"
#include "daemon/store/checkpoint.h"
#include "daemon/store/query_log.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

static char folder[64], path[96];
static struct ck_store *store;
static struct ck_audit audit;
static uint64_t seed = 1;

static void fill_random(void *user, void *bytes, size_t size)
{
    (void)user;
    for (size_t i = 0; i < size; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((uint8_t *)bytes)[i] = (uint8_t)(seed >> 56);
    }
}

static const struct ck_audit_random generator = {.fill = fill_random};

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    char *error = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
        fail_msg("%s: %s", sql, error);
    }
    sqlite3_close(db);
}

static int append(const char *action, int64_t object, json_t *open, json_t *sealed)
{
    const struct ck_audit_entry entry = {
        .at = {INT64_C(1795233600000) + (int64_t)audit.head.frontier.size},
        .clock_synchronised = true,
        .actor_kind = "staff",
        .actor_roles = 1,
        .actor_staff = 1,
        .action = action,
        .object = "checkin",
        .object_id = object,
        .person_id = 1,
        .result = "ok",
        .open = open,
        .sealed = sealed,
    };
    int r = ck_audit_append(&audit, store, &entry, &generator, NULL);
    json_decref(open);
    json_decref(sealed);
    return r;
}

static void append_many(int count)
{
    assert_int_equal(ck_store_begin(store), 0);
    for (int i = 0; i < count; i++) {
        assert_int_equal(append("CHECKIN_RING", i % 50 + 1, json_pack("{s:i}", "attempt", i),
                                i % 3 == 0 ? json_pack("{s:s}", "to", "+7701") : NULL),
                         0);
    }
    assert_int_equal(ck_audit_flush(&audit, store), 0);
    assert_int_equal(ck_store_commit(store), 0);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ck-audit-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store", folder);
    assert_int_equal(ck_store_open(&store, path), 0);
    run_sql("INSERT INTO unit VALUES (1, 'u', 'Asia/Almaty', 1, NULL);"
            "INSERT INTO staff (id, login, name, password, roles, unit_id, language, pseudonym, "
            "created_at) VALUES (1, 'a', 'Aigul', 'x', 1, 1, 'ru', randomblob(16), 1);"
            "INSERT INTO person (id, reference, name, birth_date, language, unit_id, "
            "inspector_id, band, pseudonym, salt, created_at) VALUES (1, 'P-1', 'Serik', "
            "'1990-01-01', 'kk', 1, 1, 'low', randomblob(16), randomblob(32), 1)");
    assert_int_equal(ck_store_begin(store), 0);
    assert_int_equal(ck_audit_load(&audit, store, &generator), 0);
    assert_int_equal(ck_store_commit(store), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ck_store_close(store);
    DIR *open = opendir(folder);
    for (struct dirent *item; (item = readdir(open)) != NULL;) {
        char name[512];
        snprintf(name, sizeof name, "%s/%s", folder, item->d_name);
        unlink(name);
    }
    closedir(open);
    rmdir(folder);
    return 0;
}

/* ---- findings ---- */

static struct ck_audit_finding found[64];
static size_t found_count;

static void note(void *user, const struct ck_audit_finding *finding)
{
    (void)user;
    if (found_count < 64) {
        found[found_count++] = *finding;
    }
}

static uint64_t verify(const struct ck_audit_known *known, size_t known_count)
{
    struct ck_audit_report report = {.finding = note, .known = known, .known_count = known_count};
    struct ck_store *reader = NULL;
    found_count = 0;
    assert_int_equal(ck_store_open_reader(&reader, path), 0);
    assert_int_equal(ck_audit_verify(reader, &report), 0);
    ck_store_close(reader);
    return report.findings;
}

static void expect(enum ck_audit_fault fault, int64_t index)
{
    verify(NULL, 0);
    for (size_t i = 0; i < found_count; i++) {
        if (found[i].fault == fault && found[i].index == index) {
            return;
        }
    }
    for (size_t i = 0; i < found_count; i++) {
        print_message("found: %d at %lld: %s\n", found[i].fault, (long long)found[i].index,
                      found[i].text);
    }
    fail_msg("no finding %d at %lld", fault, (long long)index);
}

static void what_was_appended_verifies(void **state)
{
    (void)state;
    assert_int_equal(verify(NULL, 0), 0);
    append_many(700);
    assert_int_equal(verify(NULL, 0), 0);
    struct ck_audit_known known[2] = {{.size = audit.head.frontier.size, .root = audit.head.root}};
    append_many(300);
    known[1] = (struct ck_audit_known){audit.head.frontier.size, audit.head.root};
    assert_int_equal(verify(known, 2), 0);
    known[0].root.bytes[0] ^= 1;
    assert_int_equal(verify(known, 2), 1);
    assert_int_equal(found[0].fault, CK_AUDIT_ROOT);
}

static void proofs_hold_over_tiles(void **state)
{
    (void)state;
    append_many(1000);
    const struct ck_merkle_source source = ck_audit_tree_source(store);
    static const uint64_t indexes[] = {0, 1, 255, 256, 511, 512, 767, 999};
    for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++) {
        struct ck_merkle_proof proof;
        json_t *detail = NULL;
        struct ck_hash leaf;
        assert_int_equal(ck_merkle_prove_inclusion(&source, indexes[i], 1000, &proof), 0);
        assert_int_equal(ck_audit_detail(store, 1, (int64_t)indexes[i], &detail), 0);
        const char *text = json_string_value(json_object_get(detail, "leaf"));
        assert_int_equal(ck_merkle_leaf(text, strlen(text), &leaf), 0);
        assert_int_equal(
            ck_merkle_check_inclusion(&proof, indexes[i], 1000, &leaf, &audit.head.root), 0);
        json_decref(detail);
    }
    struct ck_merkle_proof proof;
    struct ck_hash old;
    assert_int_equal(ck_merkle_root(&source, 600, &old), 0);
    assert_int_equal(ck_merkle_prove_consistency(&source, 600, 1000, &proof), 0);
    assert_int_equal(ck_merkle_check_consistency(&proof, 600, 1000, &old, &audit.head.root), 0);
}

static void a_changed_entry_is_named(void **state)
{
    (void)state;
    append_many(600);
    run_sql("UPDATE log_entry SET leaf = CAST(replace(CAST(leaf AS TEXT), '\"attempt\":42', "
            "'\"attempt\":43') AS BLOB) WHERE idx = 42");
    expect(CK_AUDIT_CHANGED, 42);
}

/* A checkpoint over the log as it stands, with so many signatures. */
static void keep_checkpoint(const char *signatures)
{
    char note[1024], root[CK_BASE64_SIZE(CK_SHA256_SIZE)];
    ck_base64_encode(audit.head.root.bytes, sizeof audit.head.root.bytes, root);
    snprintf(note, sizeof note, "log.example.org\n%llu\n%s\n\n%s",
             (unsigned long long)audit.head.frontier.size, root, signatures);
    assert_int_equal(ck_store_begin(store), 0);
    assert_int_equal(
        ck_log_checkpoint_insert(
            store, &(struct ck_log_checkpoint){(int64_t)audit.head.frontier.size, {77000}, note}),
        0);
    assert_int_equal(ck_store_commit(store), 0);
}

static void expect_covered(int64_t index, json_int_t size, int witnesses)
{
    json_t *detail = NULL;
    assert_int_equal(ck_audit_detail(store, 1, index, &detail), 0);
    const json_t *checkpoint = json_object_get(detail, "checkpoint");
    const json_t *proof = json_object_get(detail, "proof");
    if (witnesses < 0) {
        assert_true(json_is_null(checkpoint));
    } else {
        assert_int_equal(json_integer_value(json_object_get(checkpoint, "size")), size);
        assert_int_equal(json_integer_value(json_object_get(checkpoint, "witnesses")), witnesses);
        assert_string_equal(json_string_value(json_object_get(checkpoint, "at")),
                            "1970-01-01T00:01:17.000Z");
    }
    assert_int_equal(json_integer_value(json_object_get(proof, "size")), size);
    json_decref(detail);
}

static void a_proof_names_the_first_checkpoint_that_covers_it(void **state)
{
    (void)state;
    append_many(20);
    expect_covered(5, 20, -1);
    keep_checkpoint("\xe2\x80\x94 log.example.org AAAA\n\xe2\x80\x94 witness AAAA\n");
    append_many(10);
    expect_covered(5, 20, 1);
    expect_covered(19, 20, 1);
    expect_covered(20, 30, -1); /* none yet: in the present log */
    keep_checkpoint("\xe2\x80\x94 log.example.org AAAA\n");
    append_many(3);
    expect_covered(19, 20, 1);
    expect_covered(20, 30, 0);
}

static void a_change_with_a_fitting_hash_is_found_by_the_tree(void **state)
{
    (void)state;
    append_many(600);
    struct ck_hash hash;
    json_t *detail = NULL;
    assert_int_equal(ck_audit_detail(store, 1, 300, &detail), 0);
    char leaf[CK_LOG_LEAF_MAX + 1], sql[3 * CK_LOG_LEAF_MAX], hex[CK_HEX_SIZE(32)];
    snprintf(leaf, sizeof leaf, "%s", json_string_value(json_object_get(detail, "leaf")));
    json_decref(detail);
    char *at = strstr(leaf, "\"attempt\":300");
    assert_non_null(at);
    memcpy(at, "\"attempt\":301", 13);
    assert_int_equal(ck_merkle_leaf(leaf, strlen(leaf), &hash), 0);
    ck_hex_encode(hash.bytes, sizeof hash.bytes, hex);
    snprintf(sql, sizeof sql,
             "UPDATE log_entry SET leaf = CAST('%s' AS BLOB), hash = X'%s' WHERE idx = 300", leaf,
             hex);
    run_sql(sql);
    expect(CK_AUDIT_TREE, 256);
}

static void a_removed_entry_is_named(void **state)
{
    (void)state;
    append_many(100);
    run_sql("DELETE FROM log_plain WHERE idx = 17; DELETE FROM log_entry WHERE idx = 17");
    expect(CK_AUDIT_REMOVED, 17);
}

static void a_removed_entry_with_the_rest_moved_up_is_named(void **state)
{
    (void)state;
    append_many(100);
    run_sql("DELETE FROM log_plain; DELETE FROM log_entry WHERE idx = 17;"
            "CREATE TEMP TABLE moved AS SELECT * FROM log_entry WHERE idx > 17;"
            "DELETE FROM log_entry WHERE idx > 17;"
            "INSERT INTO log_entry SELECT idx - 1, at, prev, leaf, hash FROM moved");
    expect(CK_AUDIT_REMOVED, 17);
}

static void entries_at_the_end_are_missed_and_noticed(void **state)
{
    (void)state;
    append_many(100);
    run_sql("DELETE FROM log_plain WHERE idx >= 95; DELETE FROM log_entry WHERE idx >= 95");
    expect(CK_AUDIT_REMOVED, 95);
}

static void an_inserted_entry_is_named(void **state)
{
    (void)state;
    append_many(100);
    /* Behind the end, and in between with everything behind moved on. */
    run_sql("INSERT INTO log_entry SELECT 100, at, prev, leaf, hash FROM log_entry "
            "WHERE idx = 5");
    expect(CK_AUDIT_APPENDED, 100);
    run_sql("DELETE FROM log_entry WHERE idx = 100; DELETE FROM log_plain;"
            "CREATE TEMP TABLE moved AS SELECT * FROM log_entry WHERE idx >= 50;"
            "DELETE FROM log_entry WHERE idx >= 50;"
            "INSERT INTO log_entry SELECT idx + 1, at, prev, leaf, hash FROM moved;"
            "INSERT INTO log_entry SELECT 50, at, prev, leaf, hash FROM moved WHERE idx = 50;"
            "DELETE FROM log_entry WHERE idx > 99");
    expect(CK_AUDIT_INSERTED, 51);
}

static void a_changed_order_is_named(void **state)
{
    (void)state;
    append_many(100);
    run_sql("CREATE TEMP TABLE pair AS SELECT * FROM log_entry WHERE idx IN (30, 31);"
            "UPDATE log_entry SET leaf = (SELECT leaf FROM pair WHERE idx = 31), "
            "hash = (SELECT hash FROM pair WHERE idx = 31), "
            "at = (SELECT at FROM pair WHERE idx = 31) WHERE idx = 30;"
            "UPDATE log_entry SET leaf = (SELECT leaf FROM pair WHERE idx = 30), "
            "hash = (SELECT hash FROM pair WHERE idx = 30), "
            "at = (SELECT at FROM pair WHERE idx = 30) WHERE idx = 31");
    expect(CK_AUDIT_MOVED, 31);
}

static void a_changed_chain_of_an_object_is_named(void **state)
{
    (void)state;
    append_many(200);
    run_sql("UPDATE log_entry SET prev = 100 WHERE idx = 190");
    expect(CK_AUDIT_CHANGED, 190);
    run_sql("UPDATE log_entry SET prev = 140 WHERE idx = 190;"
            "CREATE TABLE kept AS SELECT * FROM log_object WHERE newest = 170;"
            "DELETE FROM log_object WHERE newest = 170");
    expect(CK_AUDIT_CHANGED, 0); /* one is missing */
    run_sql("INSERT INTO log_object SELECT * FROM kept; DROP TABLE kept;"
            "UPDATE log_object SET newest = 110 WHERE newest = 160");
    expect(CK_AUDIT_CHANGED, 0); /* about the right object, but not the newest */
    run_sql("UPDATE log_object SET newest = 161 WHERE newest = 110");
    expect(CK_AUDIT_CHANGED, 161);
}

static void a_changed_text_beside_the_log_is_named(void **state)
{
    (void)state;
    append_many(10);
    run_sql("UPDATE log_plain SET salted = replace(salted, '+7701', '+7702') WHERE idx = 3");
    expect(CK_AUDIT_PLAIN, 3);
    run_sql("UPDATE log_plain SET action = 'CHECKIN_CONCERN' WHERE idx = 4");
    expect(CK_AUDIT_PLAIN, 4);
}

static void erased_text_leaves_the_log_whole(void **state)
{
    (void)state;
    append_many(10);
    assert_int_equal(ck_store_begin(store), 0);
    assert_int_equal(append("EXPIRY_ERASED", 1, json_pack("{s:s}", "class", "case_file"), NULL), 0);
    assert_int_equal(ck_audit_flush(&audit, store), 0);
    assert_int_equal(ck_store_commit(store), 0);
    run_sql("UPDATE log_plain SET salted = NULL, person_id = NULL, object_id = NULL;"
            "UPDATE person SET salt = NULL");
    assert_int_equal(verify(NULL, 0), 0);
    append_many(10); /* and it goes on */
    assert_int_equal(verify(NULL, 0), 0);
}

static void text_that_is_gone_without_an_entry_is_named(void **state)
{
    (void)state;
    append_many(10);
    run_sql("UPDATE log_plain SET salted = NULL WHERE idx = 6");
    expect(CK_AUDIT_PLAIN, 6);
}

static void leaves_hold_no_plaintext_and_have_limits(void **state)
{
    (void)state;
    assert_int_equal(ck_store_begin(store), 0);
    assert_int_equal(append("X", 1, NULL, json_pack("{s:s}", "name", "Serik Akhmetov")), 0);
    assert_int_equal(append("X", 1, json_pack("{s:f}", "real", 1.5), NULL), CK_E_INVALID);
    char *text = malloc(6000);
    memset(text, 'x', 5999);
    text[5999] = '\0';
    assert_int_equal(append("X", 1, json_pack("{s:s}", "long", text), NULL), CK_E_LIMIT);
    assert_int_equal(append("X", 1, NULL, json_pack("{s:s}", "long", text)), 0);
    free(text);
    assert_int_equal(ck_audit_flush(&audit, store), 0);
    assert_int_equal(ck_store_commit(store), 0);
    json_t *detail = NULL;
    assert_int_equal(ck_audit_detail(store, 1, 0, &detail), 0);
    const char *leaf = json_string_value(json_object_get(detail, "leaf"));
    assert_null(strstr(leaf, "Serik"));
    assert_non_null(strstr(leaf, "\"sealed\":{\"name\":\""));
    assert_string_equal(json_string_value(json_object_get(json_object_get(detail, "text"), "name")),
                        "Serik Akhmetov");
    json_decref(detail);
    assert_int_equal(verify(NULL, 0), 0);
}

static void withheld_text_is_committed_to_and_lies_nowhere(void **state)
{
    (void)state;
    const struct ck_audit_entry entry = {
        .at = {INT64_C(1795233600000)},
        .actor_kind = "person",
        .actor_person = 1,
        .action = "MESSAGE_SENT",
        .object = "message",
        .object_id = 1,
        .person_id = 1,
        .result = "ok",
        .withheld = json_pack("{s:s}", "text", "meet me at nine"),
    };
    assert_int_equal(ck_store_begin(store), 0);
    assert_int_equal(ck_audit_append(&audit, store, &entry, &generator, NULL), 0);
    assert_int_equal(ck_audit_flush(&audit, store), 0);
    assert_int_equal(ck_store_commit(store), 0);
    json_t *detail = NULL;
    assert_int_equal(ck_audit_detail(store, 1, 0, &detail), 0);
    char *all = json_dumps(detail, 0);
    assert_null(strstr(all, "meet me"));
    assert_non_null(strstr(all, "\\\"sealed\\\":{\\\"text\\\":"));
    free(all);
    json_decref(detail);
    json_decref((json_t *)(uintptr_t)entry.withheld);
    assert_int_equal(verify(NULL, 0), 0);
    run_sql("CREATE TABLE t (n INTEGER CHECK (n = 0)); INSERT INTO t SELECT count(*) "
            "FROM log_plain WHERE salted LIKE '%meet%'; DROP TABLE t");
}

static void entries_of_one_object_are_chained(void **state)
{
    (void)state;
    append_many(120);
    json_t *detail = NULL;
    assert_int_equal(ck_audit_detail(store, 1, 100, &detail), 0);
    assert_non_null(strstr(json_string_value(json_object_get(detail, "leaf")), "\"prev\":50,"));
    json_decref(detail);
    assert_int_equal(ck_audit_detail(store, 1, 10, &detail), 0);
    assert_non_null(strstr(json_string_value(json_object_get(detail, "leaf")), "\"prev\":null,"));
    json_decref(detail);
}

static struct ck_pseudonym name_of_checkin_7(void)
{
    struct ck_pseudonym name;
    assert_int_equal(ck_audit_pseudonym(&audit, store, "checkin", 7, 1, &name), 0);
    return name;
}

static void who_was_erased_is_named_without_their_salt(void **state)
{
    (void)state;
    append_many(1);
    struct ck_pseudonym before = name_of_checkin_7();
    run_sql("UPDATE person SET salt = NULL");
    ck_audit_forget(&audit);
    struct ck_pseudonym after = name_of_checkin_7(), fresh;
    assert_memory_not_equal(before.bytes, after.bytes, sizeof before.bytes);
    struct ck_audit again;
    assert_int_equal(ck_audit_load(&again, store, &generator), 0);
    assert_int_equal(ck_audit_pseudonym(&again, store, "checkin", 7, 1, &fresh), 0);
    assert_memory_equal(after.bytes, fresh.bytes, sizeof fresh.bytes);
}

static void lists_are_filtered_and_paged(void **state)
{
    (void)state;
    append_many(250);
    struct ck_log_filter filter = {.unit = 1, .after = -1};
    json_t *page = NULL;
    assert_int_equal(ck_query_log(store, &filter, &page), 0);
    assert_int_equal(json_array_size(json_object_get(page, "entries")), 100);
    assert_int_equal(json_integer_value(json_object_get(page, "next")), 150);
    assert_int_equal(json_integer_value(json_object_get(page, "size")), 250);
    json_decref(page);
    filter.before = 20;
    assert_int_equal(ck_query_log(store, &filter, &page), 0);
    assert_int_equal(json_array_size(json_object_get(page, "entries")), 20);
    assert_true(json_is_null(json_object_get(page, "next")));
    const json_t *first = json_array_get(json_object_get(page, "entries"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "actor")), "Aigul");
    assert_string_equal(json_string_value(json_object_get(first, "person_name")), "Serik");
    json_decref(page);
    filter = (struct ck_log_filter){.unit = 2, .after = -1};
    assert_int_equal(ck_query_log(store, &filter, &page), 0);
    assert_int_equal(json_array_size(json_object_get(page, "entries")), 0);
    json_decref(page);
    filter = (struct ck_log_filter){.after = -1, .action = "CHECKIN_*"};
    assert_int_equal(ck_query_log(store, &filter, &page), 0);
    assert_int_equal(json_array_size(json_object_get(page, "entries")), 100);
    json_decref(page);
    filter = (struct ck_log_filter){.after = -1, .action = "NO_SUCH"};
    assert_int_equal(ck_query_log(store, &filter, &page), 0);
    assert_int_equal(json_array_size(json_object_get(page, "entries")), 0);
    json_decref(page);
}

/* The way that the database takes: through the index of the person or the member of staff, in the
 * order that is asked for, with nothing sorted and nothing scanned. */
static void a_filter_by_a_name_goes_through_its_index(void **state)
{
    (void)state;
    const struct {
        struct ck_log_filter filter;
        const char *index;
    } ways[] = {
        {{.unit = 1, .after = -1, .person = 1}, "INDEX log_plain_person"},
        {{.unit = 1, .after = 7, .person = 1}, "INDEX log_plain_person"},
        {{.unit = 1, .after = -1, .person = 1, .staff = 1}, "INDEX log_plain_person"},
        {{.unit = 1, .after = -1, .staff = 1}, "INDEX log_plain_staff"},
        {{.unit = 1, .after = 7, .staff = 1}, "INDEX log_plain_staff"},
        {{.unit = 1, .after = -1}, "INTEGER PRIMARY KEY"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char sql[4096], first[256] = "";
        sqlite3 *db = NULL;
        sqlite3_stmt *plan = NULL;
        snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", ck_query_log_sql(&ways[i].filter));
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);
            assert_null(strstr(step, "SCAN"));
            assert_null(strstr(step, "TEMP B-TREE"));
            if (first[0] == '\0') {
                snprintf(first, sizeof first, "%s", step);
            }
        }
        assert_non_null(strstr(first, ways[i].index));
        sqlite3_finalize(plan);
        sqlite3_close(db);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_appended_verifies),
        TEST(proofs_hold_over_tiles),
        TEST(a_changed_entry_is_named),
        TEST(a_proof_names_the_first_checkpoint_that_covers_it),
        TEST(a_change_with_a_fitting_hash_is_found_by_the_tree),
        TEST(a_removed_entry_is_named),
        TEST(a_removed_entry_with_the_rest_moved_up_is_named),
        TEST(entries_at_the_end_are_missed_and_noticed),
        TEST(an_inserted_entry_is_named),
        TEST(a_changed_order_is_named),
        TEST(a_changed_chain_of_an_object_is_named),
        TEST(a_changed_text_beside_the_log_is_named),
        TEST(erased_text_leaves_the_log_whole),
        TEST(text_that_is_gone_without_an_entry_is_named),
        TEST(leaves_hold_no_plaintext_and_have_limits),
        TEST(withheld_text_is_committed_to_and_lies_nowhere),
        TEST(entries_of_one_object_are_chained),
        TEST(who_was_erased_is_named_without_their_salt),
        TEST(lists_are_filtered_and_paged),
        TEST(a_filter_by_a_name_goes_through_its_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
