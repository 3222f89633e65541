/* A bundle over HTTP: asked for, told how far it is, fetched. A file of a recording that nobody
 * writes yet (a FIFO) holds its making up for as long as a test wants. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "api_world.h"
#include "protocol/base/text.h"
#include "protocol/seal.h"

#define ASK_EVERY_NS 20000000
#define ASK_MAX 500 /* ten seconds */

static struct caseload people;
static int64_t checkin;
static char fifo[160];

static void execute(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(api_store_path(), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* A recording whose file waits for somebody who writes it. */
static void make_recording(void)
{
    uint8_t key[CK_KEY_SIZE] = {1}, nonce[CK_GCM_NONCE_SIZE] = {2};
    uint8_t wrapped[CK_SEAL_WRAPPED_SIZE];
    char hex[CK_HEX_SIZE(sizeof wrapped)], sql[600];
    assert_int_equal(ck_seal_wrap(api_master_key(), 1, nonce, key, wrapped), 0);
    ck_hex_encode(wrapped, sizeof wrapped, hex);
    snprintf(sql, sizeof sql,
             "INSERT INTO recording (id, checkin_id, leg, state, file, key, started_at) VALUES (1, "
             "%lld, 'person', 'closed', 'slow', x'%s', 1)",
             (long long)checkin, hex);
    execute(sql);
    snprintf(fifo, sizeof fifo, "%.*s/slow",
             (int)(strrchr(api_store_path(), '/') - api_store_path()), api_store_path());
    assert_int_equal(mkfifo(fifo, 0600), 0);
}

static int start(void **state)
{
    (void)state;
    json_t *made;
    char path[96];
    api_start(NULL);
    api_caseload_quick(&people);
    snprintf(path, sizeof path, "/api/persons/%lld/checkins", (long long)people.person_id);
    assert_int_equal(api_ask(&people.inspector, "POST", path,
                             json_pack("{s:s, s:s}", "reason", "asked for", "kind", "live"), &made),
                     200);
    json_decref(made);
    for (int i = 0; i < 20; i++) {
        api_pass_ms(600000);
    }
    assert_true(api_wait_number("SELECT count(*) FROM checkin WHERE receipt IS NOT NULL", 1));
    checkin = api_number("SELECT min(id) FROM checkin WHERE receipt IS NOT NULL");
    make_recording();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    unlink(fifo);
    api_stop();
    return 0;
}

/* What one inspector proposed and the supervisor approved. */
static int64_t approved(void)
{
    json_t *made = NULL;
    char path[96];
    json_t *request = json_pack("{s:I, s:s, s:s}", "checkin", (json_int_t)checkin, "audience",
                                "court", "recipient", "District court");
    assert_int_equal(
        api_ask(&people.inspector, "POST", "/api/approvals",
                json_pack("{s:s, s:o, s:s, s:I}", "kind", "bundle.export", "request", request,
                          "reason", "case 12", "person", (json_int_t)people.person_id),
                &made),
        200);
    int64_t approval = json_integer_value(json_object_get(made, "id"));
    json_decref(made);
    snprintf(path, sizeof path, "/api/approvals/%lld/decide", (long long)approval);
    assert_int_equal(api_ask(&people.supervisor, "POST", path,
                             json_pack("{s:b, s:s}", "approve", 1, "reason", "yes"), NULL),
                     200);
    return approval;
}

static unsigned ask_for(struct user *user, int64_t approval, json_t **answer)
{
    char path[96];
    snprintf(path, sizeof path, "/api/approvals/%lld/bundle", (long long)approval);
    return api_ask(user, "POST", path, json_object(), answer);
}

/* Whoever waits for the file reads an empty one. Whoever does not yet, waits at the next time. */
static void let_go(void)
{
    int fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
    }
}

/* Asks until it is in this part, or (NULL) until it is there, for which the file is let go. */
static json_t *ask_until(struct user *user, int64_t approval, const char *part)
{
    for (int i = 0; i < ASK_MAX; i++) {
        json_t *answer = NULL;
        unsigned status = ask_for(user, approval, &answer);
        const char *now = json_string_value(json_object_get(answer, "part"));
        assert_int_equal(status, part == NULL && now == NULL ? 200 : 202);
        if (part == NULL ? status == 200 : strcmp(now, part) == 0) {
            return answer;
        }
        json_decref(answer);
        if (part == NULL) {
            let_go();
        }
        nanosleep(&(struct timespec){.tv_nsec = ASK_EVERY_NS}, NULL);
    }
    fail_msg("not in ten seconds");
    return NULL;
}

static void a_slow_one_is_told_about_until_it_is_there(void **state)
{
    (void)state;
    static const char opened[] = "SELECT count(*) FROM log_plain WHERE action = 'BUNDLE_EXPORTED'";
    int64_t approval = approved();
    json_decref(ask_until(&people.inspector, approval, "recordings"));
    json_t *again = ask_until(&people.inspector, approval, "recordings");
    assert_non_null(json_object_get(again, "begun"));
    json_decref(again);
    assert_int_equal(api_number(opened), 1); /* asking again is not taking out again */
    json_t *made = ask_until(&people.inspector, approval, NULL);
    const char *url = json_string_value(json_object_get(made, "url"));
    assert_int_equal(json_integer_value(json_object_get(made, "left_out")), 1);
    assert_int_equal(api_ask(&people.supervisor, "GET", url, NULL, NULL), 403);
    assert_int_equal(api_ask(&people.inspector, "GET", url, NULL, NULL), 200);
    assert_true(api_wait_number("SELECT count(*) FROM log_plain WHERE action = 'BUNDLE_BUILT'", 1));
    assert_int_equal(api_number(opened), 1);
    /* Kept for ten minutes; asking after that makes it anew. */
    api_pass_ms(601000);
    assert_int_equal(api_ask(&people.inspector, "GET", url, NULL, NULL), 403);
    json_decref(made);
    json_decref(ask_until(&people.inspector, approval, "recordings"));
    assert_int_equal(api_number(opened), 2);
    json_decref(ask_until(&people.inspector, approval, NULL));
}

static void a_third_at_once_is_refused(void **state)
{
    (void)state;
    int64_t approvals[] = {approved(), approved()};
    json_t *refusal = NULL;
    json_decref(ask_until(&people.inspector, approvals[0], "recordings"));
    json_decref(ask_until(&people.supervisor, approvals[0], "recordings"));
    assert_int_equal(ask_for(&people.inspector, approvals[1], &refusal), 503);
    api_expect_error(refusal, "unavailable", NULL);
    json_decref(ask_until(&people.inspector, approvals[0], NULL));
    json_decref(ask_until(&people.supervisor, approvals[0], NULL));
    json_decref(ask_until(&people.inspector, approvals[1], NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_slow_one_is_told_about_until_it_is_there),
        TEST(a_third_at_once_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
