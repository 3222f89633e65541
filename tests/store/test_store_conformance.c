/* What every back end of the store must do, seen through store.h and the typed rows alone. What a
 * back end needs to be tested is in backend.h. */
#include <errno.h>
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

#include "daemon/store/checkin.h"
#include "daemon/store/health.h"
#include "daemon/store/incident.h"
#include "daemon/store/notice.h"
#include "daemon/store/plan.h"
#include "daemon/store/recording.h"
#include "daemon/store/roster.h"
#include "daemon/store/staff.h"
#include "daemon/store/store.h"
#include "protocol/base/error.h"
#include "tests/store/backend.h"

/* ---- a store with one unit, one inspector, one person ---- */

static struct ck_store *store;
static int64_t policy;
static const struct ck_wall now = {INT64_C(1795233600000)};

static void begin(void)
{
    assert_int_equal(ck_store_begin(store), 0);
}

static void commit(void)
{
    assert_int_equal(ck_store_commit(store), 0);
}

static int setup(void **state)
{
    (void)state;
    backend_create();
    assert_int_equal(ck_store_open(&store, backend_path()), 0);
    backend_people();
    const struct ck_checkin_policy defaults = ck_checkin_policy_default();
    char *text = ck_checkin_policy_text(&defaults);
    begin();
    assert_int_equal(ck_policy_row_insert(store, "checkin", text, &policy), 0);
    commit();
    free(text);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ck_store_close(store);
    backend_remove();
    return 0;
}

static struct ck_checkin_row fresh_checkin(int64_t slot, int64_t due_ms)
{
    const struct ck_checkin_policy defaults = ck_checkin_policy_default();
    struct ck_checkin_row row = {
        .step = {.person = 1,
                 .inspector = 1,
                 .kind = CK_KIND_LIVE,
                 .mandatory = true,
                 .band = CK_BAND_3,
                 .due = {now.ms + due_ms}},
        .unit = 1,
        .policy = policy,
        .slot = slot,
        .attempts = 3,
        .zone = "Asia/Almaty",
        .zone_version = "2026a",
    };
    ck_checkin_begin(&row.step, &defaults);
    return row;
}

static int64_t insert_checkin(int64_t slot, int64_t due_ms)
{
    struct ck_checkin_row row = fresh_checkin(slot, due_ms);
    begin();
    assert_int_equal(ck_checkin_insert(store, &row, NULL, now), 0);
    commit();
    return row.step.id;
}

/* ---- opening ---- */

static void a_newer_store_is_refused(void **state)
{
    (void)state;
    struct ck_store *other = NULL;
    assert_true(backend_run("PRAGMA user_version = 9999"));
    assert_int_equal(ck_store_open(&other, backend_path()), CK_E_CONFLICT);
    assert_int_equal(ck_store_open_reader(&other, backend_path()), CK_E_CONFLICT);
    assert_null(other);
}

static void a_file_of_somebody_else_is_refused(void **state)
{
    (void)state;
    struct ck_store *other = NULL;
    char name[128];
    snprintf(name, sizeof name, "%s-other", backend_path());
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(ck_store_open(&other, name), CK_E_SYNTAX);
    snprintf(name, sizeof name, "%s-noise", backend_path());
    FILE *file = fopen(name, "w");
    for (int i = 0; i < 2000; i++) {
        fputs("this is no database ", file);
    }
    fclose(file);
    assert_int_equal(ck_store_open(&other, name), CK_E_SYNTAX);
    snprintf(name, sizeof name, "%s-absent", backend_path());
    assert_int_equal(ck_store_open_reader(&other, name), CK_E_NOT_FOUND);
    assert_null(other);
}

static void a_store_is_opened_again_as_it_was(void **state)
{
    (void)state;
    int64_t id = insert_checkin(1, 0);
    ck_store_close(store);
    assert_int_equal(ck_store_open(&store, backend_path()), 0);
    struct ck_checkin_row row;
    assert_int_equal(ck_checkin_load(store, id, &row), 0);
    assert_int_equal(ck_checkin_load(store, id + 1, &row), CK_E_NOT_FOUND);
}

static void a_reader_sees_commits_and_writes_nothing(void **state)
{
    (void)state;
    struct ck_store *reader = NULL;
    struct ck_checkin_row row = fresh_checkin(1, 0), read;
    assert_int_equal(ck_store_open_reader(&reader, backend_path()), 0);
    begin();
    assert_int_equal(ck_checkin_insert(store, &row, NULL, now), 0);
    assert_int_equal(ck_checkin_load(reader, row.step.id, &read), CK_E_NOT_FOUND);
    commit();
    assert_int_equal(ck_checkin_load(reader, row.step.id, &read), 0);
    assert_true(ck_attempt_insert(reader, row.step.id, 1, now) < 0);
    /* One view, whatever is written meanwhile. */
    assert_int_equal(ck_store_view(reader), 0);
    assert_int_equal(ck_checkin_load(reader, row.step.id, &read), 0);
    int64_t later = insert_checkin(2, 0);
    assert_int_equal(ck_checkin_load(reader, later, &read), CK_E_NOT_FOUND);
    ck_store_view_end(reader);
    assert_int_equal(ck_checkin_load(reader, later, &read), 0);
    ck_store_close(reader);
}

/* ---- transactions ---- */

static void what_is_rolled_back_never_was(void **state)
{
    (void)state;
    struct ck_checkin_row row = fresh_checkin(1, 0), read;
    begin();
    assert_int_equal(ck_checkin_insert(store, &row, NULL, now), 0);
    ck_store_rollback(store);
    assert_int_equal(ck_checkin_load(store, row.step.id, &read), CK_E_NOT_FOUND);
    begin();
    assert_int_equal(ck_store_set_setting(store, "a", "1"), 0);
    assert_int_equal(ck_store_savepoint(store), 0);
    assert_int_equal(ck_store_set_setting(store, "b", "1"), 0);
    assert_int_equal(ck_store_savepoint(store), 0);
    assert_int_equal(ck_store_set_setting(store, "c", "1"), 0);
    assert_int_equal(ck_store_undo(store), 0);
    assert_int_equal(ck_store_release(store), 0);
    commit();
    char *value = NULL;
    assert_int_equal(ck_store_setting(store, "c", &value), CK_E_NOT_FOUND);
    assert_int_equal(ck_store_setting(store, "b", &value), 0);
    assert_string_equal(value, "1");
    free(value);
}

static void set(const char *name)
{
    assert_int_equal(ck_store_set_setting(store, name, "1"), 0);
}

static bool is_set(const char *name)
{
    char *value = NULL;
    int r = ck_store_setting(store, name, &value);
    free(value);
    assert_true(r == 0 || r == CK_E_NOT_FOUND);
    return r == 0;
}

/* The first part of a transaction is undone by beginning it again. */
static void a_savepoint_may_stand_where_the_transaction_began(void **state)
{
    (void)state;
    begin();
    assert_int_equal(ck_store_savepoint(store), 0);
    assert_int_equal(ck_store_undo(store), 0); /* of nothing */
    assert_int_equal(ck_store_savepoint(store), 0);
    assert_int_equal(ck_store_savepoint(store), 0);
    set("inner");
    assert_int_equal(ck_store_undo(store), 0);
    set("outer");
    assert_int_equal(ck_store_savepoint(store), 0);
    set("later");
    assert_int_equal(ck_store_undo(store), 0);
    assert_int_equal(ck_store_release(store), 0);
    assert_int_equal(ck_store_savepoint(store), 0);
    set("last");
    assert_int_equal(ck_store_undo(store), 0);
    commit();
    assert_false(is_set("inner") || is_set("later") || is_set("last"));
    assert_true(is_set("outer"));
    begin();
    assert_int_equal(ck_store_savepoint(store), 0);
    set("first");
    assert_int_equal(ck_store_undo(store), 0);
    set("second");
    commit();
    assert_false(is_set("first"));
    assert_true(is_set("second"));
    begin();
    assert_int_equal(ck_store_savepoint(store), 0);
    set("kept");
    assert_int_equal(ck_store_release(store), 0);
    ck_store_rollback(store);
    assert_false(is_set("kept"));
}

/* ---- rows keep what they are given ---- */

static void a_check_in_keeps_all_its_values(void **state)
{
    (void)state;
    struct ck_checkin_row row = fresh_checkin(7, 1000), read;
    row.drawn = true;
    row.date.day = 20778;
    begin();
    assert_int_equal(ck_checkin_insert(store, &row, "because", now), 0);
    row.step.state = CK_CHECKIN_CONNECTED;
    row.step.phase = CK_PHASE_IN_CALL;
    row.step.attempt = 2;
    row.step.opened_at.ms = 1;
    row.step.respond_until.ms = 2;
    row.step.answer_until.ms = 3;
    row.step.late_until.ms = 4;
    row.step.ring_next_at.ms = 5;
    row.step.next_at.ms = 6;
    row.step.joined_at.ms = 7;
    row.step.call_until.ms = 8;
    row.step.ended_at.ms = 9;
    row.step.review_by.ms = 10;
    row.step.lost = 1;
    row.step.caught_up = row.step.came = row.step.media = row.step.contact = true;
    row.step.incident = row.step.review_incident = true;
    row.step.answerable_ms = 11;
    row.step.finding = CK_OUTCOME_NO_ANSWER;
    row.step.cause = CK_CAUSE_NOBODY_CAME;
    row.step.evidence = CK_EVIDENCE_BIT(0) | CK_EVIDENCE_BIT(26);
    row.step.evidence_at[0].ms = 12;
    row.step.evidence_at[26].ms = 13;
    row.step.faults = UINT32_MAX;
    row.step.faults_seen = 3;
    row.step.page_block = CK_CAUSE_CAMERA_DENIED;
    row.step.merged_into = row.step.id;
    row.waiting_since.ms = 14;
    row.connected_at.ms = 15;
    row.taken_by = 1;
    assert_int_equal(ck_checkin_save(store, &row), 0);
    commit();
    assert_int_equal(ck_checkin_load(store, row.step.id, &read), 0);
    assert_memory_equal(&read.step, &row.step, sizeof row.step);
    assert_int_equal(read.waiting_since.ms, 14);
    assert_int_equal(read.connected_at.ms, 15);
    assert_int_equal(read.taken_by, 1);
    assert_true(read.drawn);
    assert_int_equal(read.date.day, 20778);
    assert_int_equal(read.slot, 7);
    assert_string_equal(read.zone, "Asia/Almaty");
}

static void a_row_with_something_to_do_needs_a_time(void **state)
{
    (void)state;
    int64_t id = insert_checkin(1, 0);
    struct ck_checkin_row row;
    assert_int_equal(ck_checkin_load(store, id, &row), 0);
    row.step.next_at.ms = 0;
    begin();
    assert_true(ck_checkin_save(store, &row) < 0);
    ck_store_rollback(store);
    assert_false(backend_run("UPDATE checkin SET next_at = NULL"));
    assert_false(backend_run("UPDATE checkin SET outcome = 'completed'"));
    assert_false(backend_run("UPDATE checkin SET state = 'done'"));
}

static void a_plan_has_each_occurrence_once(void **state)
{
    (void)state;
    struct ck_plan_record record = {
        .person = 1, .order = 1, .active = true, .rule = strdup("{}"), .next_at = now};
    begin();
    assert_int_equal(ck_plan_insert(store, &record, 1, now), 0);
    struct ck_checkin_row row = fresh_checkin(1, 0), again;
    row.step.plan = record.id;
    again = row;
    assert_int_equal(ck_checkin_insert(store, &row, NULL, now), 0);
    assert_int_equal(ck_checkin_insert(store, &again, NULL, now), CK_E_CONFLICT);
    again.slot = 2;
    assert_int_equal(ck_checkin_insert(store, &again, NULL, now), 0);
    commit();
    ck_plan_record_clear(&record);
    assert_int_equal(ck_plan_load(store, 1, &record), 0);
    assert_string_equal(record.rule, "{}");
    ck_plan_record_clear(&record);
}

static void an_incident_and_its_ladder_keep_their_values(void **state)
{
    (void)state;
    const struct ck_ladder ladder = ck_ladder_default(CK_BAND_TOP);
    struct ck_ladder read_ladder;
    char *text = ck_ladder_text(&ladder);
    int64_t id = 0;
    begin();
    assert_int_equal(ck_policy_row_insert(store, "ladder", text, &id), 0);
    int64_t same = 0;
    assert_int_equal(ck_policy_row_find(store, "ladder", text, &same), 0);
    assert_int_equal(same, id);
    assert_int_equal(ck_ladder_parse(text, 0, &read_ladder), 0);
    assert_memory_equal(&read_ladder, &ladder, sizeof ladder);
    assert_int_equal(ck_ladder_parse("{}", 0, &read_ladder), -EUCLEAN);
    free(text);

    struct ck_incident_row row = {.unit = 1, .inspector = 1, .policy = id, .steps = 3}, read;
    row.step.person = 1;
    row.step.kind = CK_INCIDENT_SILENCE;
    row.step.severity = CK_SEVERITY_HIGH;
    row.step.opened_at = row.step.next_at = now;
    assert_int_equal(ck_incident_insert(store, &row), 0);
    row.step.state = CK_INCIDENT_ACKNOWLEDGED;
    row.step.step = 2;
    row.step.round = 1;
    row.step.fired = 5;
    row.step.fired_step = 2;
    row.step.unanswered = 3;
    row.step.fired_at.ms = 4;
    row.step.acked_by = 1;
    row.step.acked_at.ms = 5;
    row.step.calm = row.step.reached = row.step.answered_late = row.step.outcome_final = true;
    row.step.outcome = CK_OUTCOME_LATE;
    row.target = 1;
    assert_int_equal(ck_incident_save(store, &row), 0);
    commit();
    assert_int_equal(ck_incident_load(store, row.step.id, &read), 0);
    assert_memory_equal(&read.step, &row.step, sizeof row.step);
    assert_int_equal(ck_incident_silence_of(store, 1, &id), 0);
}

static void a_check_in_has_one_incident_of_a_kind(void **state)
{
    (void)state;
    int64_t checkin = insert_checkin(1, 0), id = 0;
    const struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    char *text = ck_ladder_text(&ladder);
    begin();
    assert_int_equal(ck_policy_row_insert(store, "ladder", text, &id), 0);
    free(text);
    struct ck_incident_row row = {.unit = 1, .policy = id, .steps = 3};
    row.step.checkin = checkin;
    row.step.person = 1;
    row.step.next_at = row.step.opened_at = now;
    assert_int_equal(ck_incident_insert(store, &row), 0);
    assert_int_equal(ck_incident_insert(store, &row), CK_E_CONFLICT);
    row.step.kind = CK_INCIDENT_REVIEW_OVERDUE;
    assert_int_equal(ck_incident_insert(store, &row), 0);
    commit();
}

static void a_notice_is_there_once(void **state)
{
    (void)state;
    struct ck_notice_row row = {.step = {.channel = CK_CHANNEL_EMAIL,
                                         .rest = {CK_CHANNEL_SMS},
                                         .receipts = true,
                                         .deadline = {now.ms + 1000}},
                                .reference = "N-1",
                                .person = 1,
                                .fire = 1,
                                .template = CK_TEMPLATE_RING,
                                .language = "kk",
                                .address = "a@b.kz"},
                         again, read;
    row.checkin = insert_checkin(1, 0);
    ck_notice_begin(&row.step, now);
    begin();
    assert_int_equal(ck_notice_insert(store, &row), 0);
    again = row;
    strcpy(again.reference, "N-2");
    bool exists = false;
    assert_int_equal(ck_notice_exists(store, &again, &exists), 0);
    assert_true(exists);
    assert_int_equal(ck_notice_insert(store, &again), CK_E_CONFLICT);
    again.fire = 2;
    strcpy(again.reference, "N-1");
    assert_int_equal(ck_notice_insert(store, &again), CK_E_CONFLICT);
    strcpy(again.reference, "N-2");
    assert_int_equal(ck_notice_insert(store, &again), 0);

    row.step.state = CK_NOTICE_DELIVERED;
    row.step.tries = 2;
    row.step.next_at.ms = 0;
    row.step.accepted_at.ms = 3;
    row.step.possible_duplicate = row.step.moved_on = row.step.unwanted = true;
    row.delivered_at.ms = 4;
    row.read_at.ms = 5;
    strcpy(row.failure, "f");
    strcpy(row.provider_id, "p-1");
    assert_int_equal(ck_notice_save(store, &row), 0);
    commit();
    assert_int_equal(ck_notice_load(store, row.step.id, &read), 0);
    assert_memory_equal(&read.step, &row.step, sizeof row.step);
    assert_string_equal(read.provider_id, "p-1");
    int64_t id = 0;
    assert_int_equal(ck_notice_by_reference(store, "N-1", &id), 0);
    assert_int_equal(ck_notice_by_provider_id(store, "email", "p-1", &id), 0);
    assert_int_equal(id, row.step.id);
    assert_int_equal(ck_notice_by_provider_id(store, "sms", "p-1", &id), CK_E_NOT_FOUND);
    /* A channel with receipts has reached the person when it says so. */
    struct ck_wall at;
    assert_int_equal(ck_notice_reached_at(store, row.checkin, &at), 0);
    assert_int_equal(at.ms, 4);
}

static void a_link_is_used_once(void **state)
{
    (void)state;
    static const uint8_t digest[CK_SHA256_SIZE] = {1}, other[CK_SHA256_SIZE] = {2};
    struct ck_link link = {.person = 1, .expires = {now.ms + 1000}}, read;
    begin();
    assert_int_equal(ck_link_insert(store, digest, &link, 0, now), 0);
    static const uint8_t page[CK_SHA256_SIZE] = {3}, stranger[CK_SHA256_SIZE] = {4};
    const struct ck_wall later = {now.ms + 5};
    assert_int_equal(ck_link_use(store, digest, page, now), 0);
    assert_int_equal(ck_link_use(store, digest, NULL, later), CK_E_CONFLICT);
    assert_int_equal(ck_link_use(store, digest, stranger, later), CK_E_CONFLICT);
    assert_int_equal(ck_link_use(store, digest, page, later), 0); /* its answer was lost */
    assert_int_equal(ck_link_load(store, digest, &read), 0);
    assert_int_equal(read.used.ms, now.ms);
    assert_int_equal(ck_link_load(store, other, &read), CK_E_NOT_FOUND);
    assert_int_equal(ck_link_insert(store, other, &link, 0, now), 0);
    assert_int_equal(ck_link_use(store, other, NULL, now), 0);
    assert_int_equal(ck_link_use(store, other, NULL, now), CK_E_CONFLICT);
    assert_int_equal(ck_link_use(store, other, page, now), CK_E_CONFLICT);
    assert_int_equal(ck_link_clean(store, (struct ck_wall){now.ms + 1001}), 0);
    assert_int_equal(ck_link_load(store, digest, &read), CK_E_NOT_FOUND);
    commit();
}

static void a_recording_only_grows_and_ends_once(void **state)
{
    (void)state;
    struct ck_recording_row row = {.checkin = insert_checkin(1, 0),
                                   .leg = "person",
                                   .file = "f",
                                   .key = "key",
                                   .key_size = 3,
                                   .started = now};
    struct ck_recording_head head = {.chunks = 5, .bytes = 500, .hash = {5}};
    begin();
    assert_int_equal(ck_recording_next_id(store, &row.id), 0);
    assert_int_equal(ck_recording_insert(store, &row), 0);
    assert_int_equal(ck_recording_head(store, row.id, &head, now), 0);
    head = (struct ck_recording_head){.chunks = 4, .bytes = 400, .hash = {4}};
    assert_int_equal(ck_recording_head(store, row.id, &head, now), 0);
    commit();
    assert_true(backend_run("CREATE TABLE check_bytes (x INTEGER CHECK (x = 500));"
                            "INSERT INTO check_bytes SELECT bytes FROM recording;"
                            "DROP TABLE check_bytes"));
    begin();
    head.chunks = 9;
    /* Pauses are places on its time line; one that is on ends with the recording. */
    const struct ck_wall begin = {now.ms + 10000}, later = {now.ms + 14000};
    assert_int_equal(ck_recording_pause(store, row.id, true, "child", begin), 0);
    assert_int_equal(ck_recording_pause(store, row.id, false, "", later), 0);
    assert_int_equal(ck_recording_pause(store, row.id, false, "", later), 0);
    assert_int_equal(ck_recording_pause(store, row.id, true, "undress", later), 0);
    assert_int_equal(ck_recording_pause(store, row.id, true, "twice", later), 0);
    assert_int_equal(ck_recording_pause(store, row.id + 1, true, "child", now), CK_E_NOT_FOUND);
    const struct ck_wall end = {now.ms + 16000};
    assert_int_equal(ck_recording_end(store, row.id, "closed", &head, end), 0);
    assert_int_equal(ck_recording_end(store, row.id, "failed", &head, end), CK_E_CONFLICT);
    assert_int_equal(ck_recording_fail(store, row.id + 1, now), CK_E_NOT_FOUND);
    commit();
    assert_true(
        backend_run("CREATE TABLE check_gaps (x TEXT CHECK (x = "
                    "'[{\"at_s\":10,\"seconds\":4,\"reason\":\"child\"},"
                    "{\"at_s\":14,\"seconds\":2,\"reason\":\"undress\"}]'));"
                    "INSERT INTO check_gaps SELECT gaps FROM recording; DROP TABLE check_gaps"));
}

/* ---- what is due ---- */

static size_t claim(int64_t at_ms, struct ck_due *due, size_t capacity)
{
    size_t count = 0;
    assert_int_equal(ck_store_claim(store, (struct ck_wall){now.ms + at_ms},
                                    (struct ck_wall){now.ms + at_ms + 30000}, due, capacity,
                                    &count),
                     0);
    return count;
}

static const int64_t lead_ms = 600000; /* a check-in is due when it is to be armed */

static void due_rows_are_claimed_in_their_order_and_once(void **state)
{
    (void)state;
    struct ck_due due[8];
    int64_t third = insert_checkin(1, lead_ms + 3000), first = insert_checkin(2, lead_ms + 1000),
            second = insert_checkin(3, lead_ms + 2000);
    struct ck_wall next;
    assert_int_equal(claim(500, due, 8), 0);
    assert_int_equal(ck_store_next_due(store, &next), 0);
    assert_int_equal(next.ms, now.ms + 1000);
    assert_int_equal(claim(2500, due, 8), 2);
    assert_int_equal(due[0].id, first);
    assert_int_equal(due[1].id, second);
    assert_int_equal(due[0].claims, 0);
    assert_int_equal(claim(2500, due, 8), 0);
    assert_int_equal(ck_store_next_due(store, &next), 0);
    assert_int_equal(next.ms, now.ms + 3000);
    assert_int_equal(claim(3500, due, 8), 1);
    assert_int_equal(due[0].id, third);
}

static void a_lease_ends_and_the_old_fence_is_worth_nothing(void **state)
{
    (void)state;
    struct ck_due due, again;
    struct ck_checkin_row old, row;
    int64_t id = insert_checkin(1, lead_ms);
    assert_int_equal(claim(0, &due, 1), 1);
    assert_int_equal(ck_checkin_load(store, id, &old), 0);
    assert_int_equal(old.fence, due.fence);
    assert_int_equal(claim(29999, &again, 1), 0);
    assert_int_equal(claim(30000, &again, 1), 1);
    assert_int_equal(again.fence, due.fence + 1);
    assert_int_equal(again.claims, 1);
    begin();
    assert_int_equal(ck_checkin_save(store, &old), CK_E_FENCED);
    assert_int_equal(ck_store_release_claim(store, &due), CK_E_FENCED);
    assert_int_equal(ck_store_postpone(store, &due, now), CK_E_FENCED);
    assert_int_equal(ck_store_quarantine(store, &due, now, "x"), CK_E_FENCED);
    assert_int_equal(ck_checkin_load(store, id, &row), 0);
    row.step.next_at.ms += 1000;
    assert_int_equal(ck_checkin_save(store, &row), 0);
    commit();
    assert_int_equal(claim(1000, &again, 1), 1);
    assert_int_equal(again.claims, 0); /* the claim had ended */
}

static void a_row_that_was_at_a_crash_is_claimed_alone(void **state)
{
    (void)state;
    struct ck_due due[8];
    insert_checkin(1, lead_ms);
    insert_checkin(2, lead_ms);
    assert_int_equal(claim(0, due, 8), 2);
    insert_checkin(3, lead_ms);
    /* They never ended, and we are back. */
    assert_int_equal(ck_store_end_leases(store, now), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(claim(0, due, 8), 1);
        assert_int_equal(due[0].claims, 1);
        begin();
        assert_int_equal(ck_store_postpone(store, &due[0], (struct ck_wall){now.ms + 99999}), 0);
        commit();
    }
    assert_int_equal(claim(0, due, 8), 1);
    assert_int_equal(due[0].claims, 0);
    /* Given back as if never claimed. */
    assert_int_equal(ck_store_unclaim(store, due, 1), 0);
    assert_int_equal(claim(0, due, 8), 1);
    assert_int_equal(due[0].claims, 0);
}

/* What is known of one kind says nothing of another: each kind that is written is looked at again.
 */
static void what_falls_due_next_is_known_kind_by_kind(void **state)
{
    (void)state;
    struct ck_due due[8];
    struct ck_wall next;
    struct ck_absence_row absence = {.staff = 1,
                                     .from_local = "2026-11-02T08:00",
                                     .until_local = "2026-11-04T18:00",
                                     .from = {now.ms + 500},
                                     .until = {now.ms + 900000},
                                     .reason = "leave",
                                     .next_at = {now.ms + 500}};
    assert_int_equal(ck_store_next_due(store, &next), 0);
    assert_int_equal(next.ms, CK_WALL_NEVER.ms);
    begin();
    assert_int_equal(ck_absence_insert(store, &absence, 1, now), 0);
    commit();
    assert_int_equal(ck_store_next_due(store, &next), 0);
    assert_int_equal(next.ms, now.ms + 500);
    int64_t checkin = insert_checkin(1, lead_ms + 400);
    assert_int_equal(ck_store_next_due(store, &next), 0);
    assert_int_equal(next.ms, now.ms + 400);
    assert_int_equal(claim(450, due, 8), 1);
    assert_int_equal(due[0].kind, CK_DUE_CHECKIN);
    assert_int_equal(due[0].id, checkin);
    assert_int_equal(ck_store_next_due(store, &next), 0);
    assert_int_equal(next.ms, now.ms + 500);
    assert_int_equal(claim(600, due, 8), 1);
    assert_int_equal(due[0].kind, CK_DUE_ABSENCE);
    absence.fence = due[0].fence;
    absence.next_at.ms = now.ms + 700;
    begin();
    assert_int_equal(ck_absence_save(store, &absence), 0);
    commit();
    assert_int_equal(ck_store_next_due(store, &next), 0);
    assert_int_equal(next.ms, now.ms + 700);
}

static void a_quarantined_row_is_never_due(void **state)
{
    (void)state;
    struct ck_due due;
    struct ck_wall next;
    int64_t count = 0;
    insert_checkin(1, lead_ms);
    assert_int_equal(claim(0, &due, 1), 1);
    begin();
    assert_int_equal(ck_store_quarantine(store, &due, now, "cannot be read"), 0);
    commit();
    assert_int_equal(claim(99999999, &due, 1), 0);
    assert_int_equal(ck_store_next_due(store, &next), 0);
    assert_int_equal(next.ms, CK_WALL_NEVER.ms);
    assert_int_equal(ck_store_quarantined(store, &count), 0);
    assert_int_equal(count, 1);
}

/* ---- health ---- */

static int64_t answerable(int64_t from_ms, int64_t until_ms)
{
    int64_t ms = -1;
    assert_int_equal(ck_health_answerable(store, (struct ck_wall){now.ms + from_ms},
                                          (struct ck_wall){now.ms + until_ms}, &ms),
                     0);
    return ms;
}

static void health_counts_only_what_is_proven(void **state)
{
    (void)state;
    begin();
    /* Well from 0 to 20 s, the probe fails at 25 s and is well again from 35 s on, nothing from 40
     * s to 60 s. */
    unsigned before = 0;
    static const struct {
        int64_t at;
        unsigned bits;
    } reports[] = {{0, 31},     {5000, 31},  {10000, 31}, {15000, 31}, {20000, 31}, {25000, 29},
                   {30000, 29}, {35000, 31}, {40000, 31}, {60000, 31}, {65000, 31}};
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
        assert_int_equal(ck_health_report(store, (struct ck_wall){now.ms + reports[i].at},
                                          reports[i].bits, &before),
                         0);
    }
    commit();
    assert_int_equal(answerable(0, 20000), 20000);
    assert_int_equal(answerable(0, 30000), 20000);
    assert_int_equal(answerable(20000, 35000), 0);
    assert_int_equal(answerable(0, 100000), 20000 + 5000 + 5000);
    assert_int_equal(answerable(3000, 4500), 1500);
    assert_int_equal(answerable(5, 5), 0);
    /* The clock goes back: what was well the first time proves nothing of the second. */
    begin();
    assert_int_equal(ck_health_report(store, (struct ck_wall){now.ms + 50000}, 31, &before), 0);
    commit();
    assert_int_equal(answerable(0, 100000), 25000);
    begin();
    assert_int_equal(ck_health_report(store, (struct ck_wall){now.ms + 38000}, 23, &before), 0);
    assert_int_equal(ck_health_report(store, (struct ck_wall){now.ms + 48000}, 23, &before), 0);
    commit();
    assert_int_equal(answerable(0, 100000), 23000);
    assert_true(backend_run("CREATE TABLE n (x INTEGER CHECK (x <= 8));"
                            "INSERT INTO n SELECT count(*) FROM health; DROP TABLE n"));
}

static void health_changes_in_every_way_are_the_common_part(void **state)
{
    (void)state;
    unsigned before = 0;
    begin();
    /* Two different faults one after the other: between the reports neither was well. */
    assert_int_equal(ck_health_report(store, now, 30, &before), 0);
    assert_int_equal(ck_health_report(store, (struct ck_wall){now.ms + 5000}, 29, &before), 0);
    assert_int_equal(ck_health_report(store, (struct ck_wall){now.ms + 10000}, 31, &before), 0);
    assert_int_equal(ck_health_report(store, (struct ck_wall){now.ms + 15000}, 31, &before), 0);
    commit();
    assert_int_equal(before, 31);
    assert_int_equal(answerable(0, 20000), 5000);
}

static void health_says_what_it_was_before(void **state)
{
    (void)state;
    unsigned before = 0;
    const struct ck_wall first = {now.ms + 1000000};
    begin();
    assert_int_equal(ck_health_report(store, first, 31 & ~CK_HEALTH_RELAY, &before), 0);
    assert_int_equal(before, CK_HEALTH_ALL);
    assert_int_equal(ck_health_report(store, (struct ck_wall){first.ms + 2000}, 31, &before), 0);
    assert_int_equal(before, 31 & ~CK_HEALTH_RELAY);
    assert_int_equal(ck_health_report(store, (struct ck_wall){first.ms + 1000}, 31, &before), 0);
    assert_int_equal(before, 0);
    commit();
}

static void orders_and_people_are_found(void **state)
{
    (void)state;
    struct ck_order_record order;
    struct ck_subject subject;
    int64_t ids[4];
    size_t count = 0;
    assert_int_equal(ck_order_load(store, 1, &order), 0);
    assert_int_equal(order.rules.hours_start_min, 480);
    assert_int_equal(order.rules.hours_end_min, 1350);
    assert_int_equal(ck_order_load(store, 2, &order), CK_E_NOT_FOUND);
    assert_int_equal(ck_order_in_force(store, 1, (struct ck_date){20778}, &order, 1, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(ck_subject_load(store, 1, &subject), 0);
    assert_string_equal(subject.zone, "Asia/Almaty");
    assert_string_equal(subject.band, "high");
    assert_int_equal(ck_duty_pool(store, 1, ids, 4, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(ck_staff_of_role(store, 1, 4, ids, 4, &count), 0);
    assert_int_equal(count, 0);
    begin();
    subject.silence.max_ms = 60000;
    subject.silence.next_at.ms = now.ms;
    assert_int_equal(ck_subject_save(store, &subject), 0);
    commit();
    struct ck_due due;
    assert_int_equal(claim(0, &due, 1), 1);
    assert_int_equal(due.kind, CK_DUE_PERSON);
}

/* Staff 1 and 2 of the seed: shifts come back as they went in, and go. */
static void shifts_keep_their_values(void **state)
{
    (void)state;
    struct ck_shift_row shift = {.staff = 1,
                                 .duty = true,
                                 .shift = {.weekday = CK_SATURDAY,
                                           .from = {20000},
                                           .until = CK_DATE_MAX,
                                           .start_s = 18 * 3600 + 1800,
                                           .end_s = 6 * 3600}};
    struct ck_shift_row read, list[CK_SHIFTS_MAX];
    int64_t pool[4];
    size_t count = 9;
    begin();
    assert_int_equal(ck_shift_insert(store, &shift, 1, now), 0);
    commit();
    assert_int_equal(ck_shift_load(store, shift.id, &read), 0);
    assert_memory_equal(&read.shift, &shift.shift, sizeof read.shift);
    assert_true(read.duty && read.staff == 1);
    assert_int_equal(ck_shifts_of(store, 1, (struct ck_date){30000}, list, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(ck_shifts_of(store, 2, (struct ck_date){30000}, list, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(ck_duty_pool(store, 1, pool, 4, &count), 0);
    assert_int_equal(count, 1);
    begin();
    assert_int_equal(ck_shift_remove(store, shift.id, now), 0);
    assert_int_equal(ck_shift_remove(store, shift.id, now), CK_E_NOT_FOUND);
    commit();
    assert_int_equal(ck_shift_load(store, shift.id, &read), CK_E_NOT_FOUND);
}

static int64_t second_inspector(void)
{
    struct ck_staff_row row = {.login = "other",
                               .name = "Other",
                               .language = "ru",
                               .password = "x",
                               .roles = 1,
                               .unit = 1,
                               .pseudonym = {9}};
    assert_int_equal(ck_staff_insert(store, &row, now), 0);
    return row.id;
}

static void stand_ins_are_asked_while_somebody_is_absent(void **state)
{
    (void)state;
    struct ck_absence_row absence = {.staff = 1,
                                     .from_local = "2026-11-21T09:00",
                                     .until_local = "2026-11-22T09:00",
                                     .from = {now.ms + 1000},
                                     .until = {now.ms + 9000},
                                     .reason = "leave",
                                     .next_at = {now.ms + 1000}};
    struct ck_absence_row read;
    struct ck_interval span[CK_ABSENCES_MAX];
    int64_t id = 0, ids[4];
    size_t count = 0;
    bool changed = false;
    begin();
    int64_t other = second_inspector();
    assert_int_equal(ck_stand_ins_set(store, 1, (const int64_t[]){other}, 1), 0);
    assert_int_equal(ck_stand_ins_set(store, 1, (const int64_t[]){other, other}, 2), CK_E_CONFLICT);
    assert_int_equal(ck_stand_ins_set(store, 1, (const int64_t[]){other}, 1), 0);
    assert_int_equal(ck_absence_insert(store, &absence, 1, now), 0);
    commit();
    assert_int_equal(ck_absence_load(store, absence.id, &read), 0);
    assert_string_equal(read.from_local, absence.from_local);
    assert_int_equal(read.until.ms, absence.until.ms);
    assert_int_equal(ck_stand_in_at(store, 1, now, &id), CK_E_NOT_FOUND);
    assert_int_equal(ck_stand_in_at(store, 1, absence.from, &id), 0);
    assert_int_equal(id, other);
    assert_int_equal(ck_stand_in_at(store, 1, absence.until, &id), CK_E_NOT_FOUND);
    assert_int_equal(ck_stand_in_for(store, other, ids, 4, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(
        ck_absences_of(store, 1, (struct ck_interval){now, {now.ms + 1000}}, span, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(ck_absences_ahead(store, 1, now, 0, ids, 4, &count), 0);
    assert_int_equal(count, 1);
    begin();
    assert_int_equal(ck_cover_set(store, 1, other, now, &changed), 0);
    assert_true(changed);
    assert_int_equal(ck_cover_set(store, 1, other, now, &changed), 0);
    assert_false(changed);
    commit();
    assert_int_equal(ck_cover_of(store, other, ids, 4, &count), 0);
    assert_int_equal(count, 1);
    struct ck_due due;
    assert_int_equal(claim(2000, &due, 1), 1);
    assert_int_equal(due.kind, CK_DUE_ABSENCE);
    begin();
    read.fence = due.fence;
    read.next_at = read.until;
    assert_int_equal(ck_absence_save(store, &read), 0);
    assert_int_equal(ck_absence_remove(store, absence.id, now), 0);
    assert_int_equal(ck_absence_save(store, &read), CK_E_FENCED);
    commit();
    assert_int_equal(ck_stand_in_at(store, 1, absence.from, &id), CK_E_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_newer_store_is_refused),
        TEST(a_file_of_somebody_else_is_refused),
        TEST(a_store_is_opened_again_as_it_was),
        TEST(a_reader_sees_commits_and_writes_nothing),
        TEST(what_is_rolled_back_never_was),
        TEST(a_savepoint_may_stand_where_the_transaction_began),
        TEST(a_check_in_keeps_all_its_values),
        TEST(a_row_with_something_to_do_needs_a_time),
        TEST(a_plan_has_each_occurrence_once),
        TEST(an_incident_and_its_ladder_keep_their_values),
        TEST(a_check_in_has_one_incident_of_a_kind),
        TEST(shifts_keep_their_values),
        TEST(stand_ins_are_asked_while_somebody_is_absent),
        TEST(a_notice_is_there_once),
        TEST(a_link_is_used_once),
        TEST(a_recording_only_grows_and_ends_once),
        TEST(due_rows_are_claimed_in_their_order_and_once),
        TEST(a_lease_ends_and_the_old_fence_is_worth_nothing),
        TEST(a_row_that_was_at_a_crash_is_claimed_alone),
        TEST(what_falls_due_next_is_known_kind_by_kind),
        TEST(a_quarantined_row_is_never_due),
        TEST(health_counts_only_what_is_proven),
        TEST(health_changes_in_every_way_are_the_common_part),
        TEST(health_says_what_it_was_before),
        TEST(orders_and_people_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
