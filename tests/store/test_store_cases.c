/* What every back end of the store must do with the rows of a case: orders and what they require,
 * blackouts, requests for two persons, assessments, changes of zones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/store/approval.h"
#include "daemon/store/assessment.h"
#include "daemon/store/order.h"
#include "daemon/store/query_retention.h"
#include "daemon/store/store.h"
#include "daemon/store/zone.h"
#include "protocol/base/error.h"
#include "tests/store/backend.h"

#define HOUR INT64_C(3600000)

static struct ck_store *store;
static const struct ck_wall now = {INT64_C(1795233600000)};

static struct ck_wall later(int64_t hours)
{
    return (struct ck_wall){now.ms + hours * HOUR};
}

static int setup(void **state)
{
    (void)state;
    backend_create();
    assert_int_equal(ck_store_open(&store, backend_path()), 0);
    backend_people();
    assert_true(backend_run("INSERT INTO staff (id, login, name, password, roles, unit_id, "
                            "language, on_duty, pseudonym, created_at) VALUES (2, 'b', 'Bolat', "
                            "'x', 4, 1, 'ru', 0, randomblob(16), 1)"));
    assert_int_equal(ck_store_begin(store), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ck_store_rollback(store);
    ck_store_close(store);
    backend_remove();
    return 0;
}

static const char *text(const json_t *row, const char *member)
{
    return json_string_value(json_object_get(row, member));
}

/* ---- orders ---- */

static const struct ck_order_row court = {
    .person = 1,
    .kind = "protective_order",
    .article = "20",
    .number = "17",
    .issuer = "court",
    .from = "2026-11-01",
    .until = "2027-02-01",
    .conditions = "stays away",
    .hours_start = "08:00",
    .hours_end = "21:30",
    .per_day_max = 3,
    .requirement_count = 2,
    .requirements = {{.source = CK_SOURCE_COURT,
                      .count = 2,
                      .days = 7,
                      .modes = CK_MODE_BIT(CK_MODE_LIVE_VIDEO),
                      .mandatory = true},
                     {.source = CK_SOURCE_AGENCY,
                      .count = 1,
                      .days = 0,
                      .modes =
                          CK_MODE_BIT(CK_MODE_IN_PERSON) | CK_MODE_BIT(CK_MODE_UNATTENDED_VIDEO),
                      .mandatory = false}},
};

static void an_order_keeps_what_it_requires(void **state)
{
    (void)state;
    struct ck_order_row row = court;
    struct ck_order_record read;
    assert_int_equal(ck_order_insert(store, &row, now), 0);
    assert_int_equal(ck_order_load(store, row.id, &read), 0);
    assert_int_equal(read.person, 1);
    assert_false(read.ended);
    assert_int_equal(read.next_at.ms, now.ms);
    assert_int_equal(read.rules.per_day_max, 3);
    assert_int_equal(read.rules.requirement_count, 2);
    for (int i = 0; i < 2; i++) {
        const struct ck_requirement *wanted = &court.requirements[i],
                                    *found = &read.rules.requirements[i];
        assert_int_equal(found->source, wanted->source);
        assert_int_equal(found->count, wanted->count);
        assert_int_equal(found->days, wanted->days);
        assert_int_equal(found->modes, wanted->modes);
        assert_int_equal(found->mandatory, wanted->mandatory);
        assert_false(found->video_replaces);
    }
    assert_int_equal(ck_order_load(store, 999, &read), CK_E_NOT_FOUND);
}

/* Two persons and the text that allows it stand in the row; once, and of this order alone. */
static void video_replaces_visits_once_with_two_names(void **state)
{
    (void)state;
    struct ck_order_row row = court;
    struct ck_order_record read;
    json_t *list = NULL;
    assert_int_equal(ck_order_insert(store, &row, now), 0);
    assert_int_equal(ck_order_load(store, row.id, &read), 0);
    int64_t requirement = read.requirement_ids[0];
    assert_int_equal(ck_requirement_replace(store, 1, requirement, "art. 20", 1, 2), CK_E_CONFLICT);
    assert_int_equal(ck_requirement_replace(store, row.id, requirement, "art. 20", 1, 2), 0);
    assert_int_equal(ck_requirement_replace(store, row.id, requirement, "art. 20", 1, 2),
                     CK_E_CONFLICT);
    assert_int_equal(ck_order_load(store, row.id, &read), 0);
    assert_true(read.rules.requirements[0].video_replaces);
    assert_false(read.rules.requirements[1].video_replaces);
    assert_int_equal(ck_query_requirements(store, row.id, &list), 0);
    assert_int_equal(json_array_size(list), 2);
    const json_t *first = json_array_get(list, 0);
    assert_string_equal(text(first, "video"), "replaces");
    assert_string_equal(text(first, "citation"), "art. 20");
    assert_string_equal(text(first, "proposer"), "Aigul");
    assert_string_equal(text(first, "approver"), "Bolat");
    assert_string_equal(text(json_array_get(list, 1), "video"), "supplements");
    assert_true(json_is_null(json_object_get(json_array_get(list, 1), "approver")));
    json_decref(list);
}

static void an_order_ends_once_and_is_in_force_until_then(void **state)
{
    (void)state;
    struct ck_order_row row = court;
    struct ck_order_record found[4];
    size_t count = 9;
    struct ck_date date;
    assert_int_equal(ck_order_insert(store, &row, now), 0);
    assert_int_equal(ck_order_end(store, row.id, "2026-12-01", "withdrawn"), 0);
    assert_int_equal(ck_order_end(store, row.id, "2026-12-05", "again"), CK_E_CONFLICT);
    assert_int_equal(ck_date_parse("2026-11-30", &date), 0);
    assert_int_equal(ck_order_in_force(store, 1, date, found, 4, &count), 0);
    assert_int_equal(count, 2); /* and the one of the world, until the end of the year */
    date.day++;
    assert_int_equal(ck_order_in_force(store, 1, date, found, 4, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(found[0].id, 1);
}

/* ---- blackouts ---- */

static int64_t blackout(const char *source, int64_t from, int64_t until, int64_t approver)
{
    struct ck_blackout_row row = {.person = 1,
                                  .source = source,
                                  .reason = "a reason",
                                  .from = later(from),
                                  .until = later(until),
                                  .by = 1,
                                  .approver = approver};
    assert_int_equal(ck_blackout_insert(store, &row, now), 0);
    return row.id;
}

static void blackouts_are_found_by_the_time_they_touch(void **state)
{
    (void)state;
    struct ck_interval found[4];
    int sources[4];
    size_t count = 0;
    blackout("custody", 10, 20, 1);
    blackout("court", 2, 4, 1);
    assert_int_equal(ck_blackouts_of(store, 1, later(4), later(10), found, NULL, 4, &count), 0);
    assert_int_equal(count, 0); /* half-open on both sides */
    assert_int_equal(ck_blackouts_of(store, 1, later(3), later(11), found, sources, 4, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(found[0].from.ms, later(2).ms);
    assert_int_equal(found[1].until.ms, later(20).ms);
    assert_string_equal(ck_blackout_source_name(sources[0]), "court");
    assert_string_equal(ck_blackout_source_name(sources[1]), "custody");
    assert_int_equal(ck_blackouts_of(store, 1, later(3), later(11), found, NULL, 1, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(ck_blackouts_of(store, 2, later(3), later(11), found, NULL, 4, &count), 0);
    assert_int_equal(count, 0);
}

static void a_blackout_is_cut_where_it_ends_early(void **state)
{
    (void)state;
    int64_t id = blackout("absence", 1, 9, 2), person = 0;
    struct ck_interval found[4];
    struct ck_wall until;
    size_t count = 0;
    json_t *list = NULL;
    assert_int_equal(ck_blackout_end(store, 999, &person, &until, now), CK_E_NOT_FOUND);
    assert_int_equal(ck_blackout_end(store, id, &person, &until, later(3)), 0);
    assert_int_equal(person, 1);
    assert_int_equal(until.ms, later(9).ms);
    assert_int_equal(ck_blackouts_of(store, 1, later(0), later(24), found, NULL, 4, &count), 0);
    assert_int_equal(found[0].until.ms, later(3).ms);
    assert_int_equal(ck_blackout_end(store, id, &person, &until, later(4)), CK_E_CONFLICT);
    /* One that has not begun is as if it had never been. */
    id = blackout("hospital", 12, 14, 1);
    assert_int_equal(ck_blackout_end(store, id, &person, &until, later(5)), 0);
    assert_int_equal(ck_blackouts_of(store, 1, later(6), later(24), found, NULL, 4, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(ck_query_blackouts(store, 1, &list), 0);
    assert_int_equal(json_array_size(list), 2);
    const json_t *absence = json_array_get(list, 1);
    assert_string_equal(text(absence, "source"), "absence");
    assert_string_equal(text(absence, "by"), "Aigul");
    assert_string_equal(text(absence, "approver"), "Bolat");
    json_decref(list);
}

/* Leave needs a second person, whatever the program says. */
static void an_absence_has_two_persons(void **state)
{
    (void)state;
    struct ck_blackout_row row = {.person = 1,
                                  .source = "absence",
                                  .reason = "leave",
                                  .from = later(1),
                                  .until = later(2),
                                  .by = 1,
                                  .approver = 1};
    assert_true(ck_blackout_insert(store, &row, now) != 0);
}

/* ---- what needs two persons ---- */

static int64_t ask(int64_t proposer, int64_t hours)
{
    struct ck_approval_row row = {.kind = "ladder",
                                  .unit = 1,
                                  .body = (char[]){"{\"a\":1}"},
                                  .reason = (char[]){"because"},
                                  .proposer = proposer,
                                  .created = now,
                                  .expires = later(hours)};
    assert_int_equal(ck_approval_insert(store, &row), 0);
    return row.id;
}

static void a_request_is_decided_once_and_by_another(void **state)
{
    (void)state;
    struct ck_approval_row row = {0};
    int64_t id = ask(1, 24), approver = 0;
    assert_int_equal(ck_approval_load(store, id, &row), 0);
    assert_true(row.open);
    assert_string_equal(row.kind, "ladder");
    assert_string_equal(row.body, "{\"a\":1}");
    assert_string_equal(row.reason, "because");
    assert_int_equal(row.expires.ms, later(24).ms);
    ck_approval_clear(&row);
    assert_int_equal(ck_approval_end(store, id, CK_APPROVAL_APPROVED, 1, "mine", later(1)),
                     CK_E_CONFLICT);
    assert_int_equal(ck_approval_end(store, id, CK_APPROVAL_APPROVED, 2, "seen", later(1)), 0);
    assert_int_equal(ck_approval_end(store, id, CK_APPROVAL_REFUSED, 2, "no", later(2)),
                     CK_E_CONFLICT);
    assert_int_equal(ck_approval_load(store, id, &row), 0);
    assert_false(row.open);
    ck_approval_clear(&row);
    assert_int_equal(ck_approval_approved(store, id, now, &approver), 0);
    assert_int_equal(approver, 2);
    assert_int_equal(ck_approval_approved(store, id, later(1), &approver), CK_E_NOT_FOUND);
    assert_int_equal(ck_approval_load(store, 999, &row), CK_E_NOT_FOUND);
}

static void requests_are_counted_and_listed_while_they_are_open(void **state)
{
    (void)state;
    const struct ck_approval_scope supervisor = {2, 1, ",ladder,"}, stranger = {9, 7, ",ladder,"},
                                   other_kind = {2, 1, ",cadence.change,"};
    json_t *page = NULL;
    int64_t open = 0;
    int64_t first = ask(1, 1), second = ask(1, 24);
    assert_int_equal(ck_approval_open_count(store, 1, later(0), &open), 0);
    assert_int_equal(open, 2);
    assert_int_equal(ck_approval_open_count(store, 1, later(1), &open), 0);
    assert_int_equal(open, 1); /* the other's time is over */
    assert_int_equal(ck_query_approvals(store, &supervisor, true, 0, later(2), &page), 0);
    assert_int_equal(json_array_size(json_object_get(page, "approvals")), 1);
    assert_int_equal(json_integer_value(json_object_get(
                         json_array_get(json_object_get(page, "approvals"), 0), "id")),
                     second);
    json_decref(page);
    assert_int_equal(ck_query_approvals(store, &supervisor, false, 0, later(2), &page), 0);
    const json_t *over = json_array_get(json_object_get(page, "approvals"), 0);
    assert_int_equal(json_integer_value(json_object_get(over, "id")), first);
    assert_string_equal(text(over, "state"), "expired");
    json_decref(page);
    assert_int_equal(ck_query_approval(store, &stranger, second, now, &page), CK_E_NOT_FOUND);
    assert_int_equal(ck_query_approval(store, &other_kind, second, now, &page), CK_E_NOT_FOUND);
}

static void who_is_alone_is_known(void **state)
{
    (void)state;
    bool alone = true;
    int64_t by_inspector = ask(1, 24), by_supervisor = ask(2, 24);
    assert_int_equal(ck_approval_alone(store, by_inspector, &alone), 0);
    assert_false(alone);
    assert_int_equal(ck_approval_alone(store, by_supervisor, &alone), 0);
    assert_true(alone);
}

/* ---- assessments ---- */

static void assessments_are_kept_sealed_and_newest_first(void **state)
{
    (void)state;
    json_t *list = NULL;
    int64_t id = 0;
    assert_int_equal(ck_assessment_next_id(store, &id), 0);
    assert_int_equal(id, 1);
    static const char *const kinds[] = {"score", "judgement", "score"};
    for (int i = 0; i < 3; i++) {
        struct ck_assessment_row row = {.person = 1,
                                        .kind = kinds[i],
                                        .key = "key",
                                        .key_size = 3,
                                        .nonce = {7},
                                        .sealed = "sealed",
                                        .size = 6,
                                        .by = 2};
        assert_int_equal(ck_assessment_next_id(store, &row.id), 0);
        assert_int_equal(row.id, i + 1);
        assert_int_equal(ck_assessment_insert(store, &row, now), 0);
    }
    assert_int_equal(ck_query_assessments(store, 1, NULL, &list), 0);
    assert_int_equal(json_array_size(list), 3);
    const json_t *newest = json_array_get(list, 0);
    assert_int_equal(json_integer_value(json_object_get(newest, "id")), 3);
    assert_string_equal(text(newest, "by"), "Bolat");
    assert_string_equal(text(newest, "key"), "6b6579");
    assert_string_equal(text(newest, "sealed"), "7365616c6564");
    json_decref(list);
    assert_int_equal(ck_query_assessments(store, 1, "judgement", &list), 0);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    assert_int_equal(ck_query_assessments(store, 2, NULL, &list), 0);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
}

/* Numbers count up from the highest, so that a row which is taken away would free its own. */
static void a_number_that_a_key_is_bound_to_is_never_free_again(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"INSERT INTO recording (id, checkin_id, leg, state, file, started_at) VALUES (7, 1, "
         "'person', 'erased', 'f', 1)",
         "DELETE FROM recording WHERE id = 7"},
        {"INSERT INTO photo (id, person_id, created_at) VALUES (7, 1, 1)",
         "DELETE FROM photo WHERE id = 7"},
        {"INSERT INTO thread (id, person_id, created_at) VALUES (7, 1, 1)",
         "DELETE FROM thread WHERE id = 7"},
        {"INSERT INTO assessment (id, person_id, kind, nonce, sealed, by_staff, created_at) VALUES "
         "(7, 1, 'score', x'00', x'00', 1, 1)",
         "DELETE FROM assessment WHERE id = 7"},
    };
    ck_store_rollback(store); /* it would be in the way */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char sql[400];
        snprintf(sql, sizeof sql, "PRAGMA foreign_keys = OFF; %s", rows[i][0]);
        assert_true(backend_run(sql));
        assert_false(backend_run(rows[i][1]));
    }
    assert_int_equal(ck_store_begin(store), 0);
}

/* ---- what expires when ---- */

/* All pages, one behind the other: how many items, each behind the one before. */
static unsigned count_pages(bool erased, const char *order)
{
    struct ck_expiry_filter filter = {.unit = 1, .erased = erased};
    unsigned count = 0;
    char before[32] = "";
    for (size_t got = CK_QUERY_EXPIRY_MAX; got == CK_QUERY_EXPIRY_MAX;) {
        json_t *page = NULL, *item;
        size_t i;
        assert_int_equal(ck_query_expiry(store, &filter, &page), 0);
        got = json_array_size(page);
        json_array_foreach(page, i, item)
        {
            const char *shown = json_string_value(json_object_get(item, order));
            int way = strcmp(before, shown == NULL ? "" : shown);
            assert_true(erased ? count == 0 || way >= 0 : way <= 0);
            snprintf(before, sizeof before, "%s", shown == NULL ? "" : shown);
            filter.after = json_integer_value(json_object_get(item, "id"));
            count++;
        }
        json_decref(page);
    }
    return count;
}

static void what_expires_is_paged_to_its_end(void **state)
{
    (void)state;
    ck_store_rollback(store);
    assert_true(backend_run(
        "PRAGMA foreign_keys = OFF; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 900) INSERT INTO recording (id, checkin_id, leg, state, file, started_at) "
        "SELECT i, 1, 'person', 'closed', 'f', 1 FROM n;"
        "INSERT INTO expiry (class, person_id, recording_id, since_at, state, erased_at, next_at) "
        "SELECT 'recording', 1, id, 1, CASE WHEN id <= 30 THEN 'held' WHEN id <= 450 THEN 'kept' "
        "ELSE 'erased' END, CASE WHEN id > 450 THEN id / 7 * 1000 END, CASE WHEN id > 30 AND id <= "
        "450 THEN (1000 - id / 7) * 1000 END FROM recording")); /* seven of the same time */
    assert_int_equal(ck_store_begin(store), 0);
    assert_int_equal(count_pages(false, "expires"), 450);
    assert_int_equal(count_pages(true, "erased"), 450);
}

/* ---- zones ---- */

static void a_zone_is_noted_once_and_changes_by_name(void **state)
{
    (void)state;
    struct ck_zone_table tables[CK_ZONE_TABLES_MAX];
    size_t count = 0;
    assert_int_equal(ck_zone_table_note(store, "Asia/Almaty", "a/1"), 0);
    assert_int_equal(ck_zone_table_note(store, "Asia/Almaty", "b/2"), 0);
    assert_int_equal(ck_zone_tables(store, tables, &count), 0);
    assert_int_equal(count, 1);
    assert_string_equal(tables[0].version, "a/1");
    assert_int_equal(ck_zone_table_set(store, "Asia/Almaty", "b/2"), 0);
    assert_int_equal(ck_zone_tables(store, tables, &count), 0);
    assert_string_equal(tables[0].version, "b/2");
}

static void a_change_of_a_zone_keeps_how_far_it_is(void **state)
{
    (void)state;
    struct ck_zone_moving change = {.unit = 1, .zone = "Asia/Tokyo", .version = "a/1"}, read;
    assert_int_equal(ck_date_parse("2026-11-22", &change.from), 0);
    assert_int_equal(ck_zone_moving_insert(store, &change, now), 0);
    assert_int_equal(ck_zone_moving_load(store, change.id, &read), 0);
    assert_int_equal(read.unit, 1);
    assert_int_equal(read.from.day, change.from.day);
    assert_string_equal(read.zone, "Asia/Tokyo");
    read.person = 5;
    read.moved = 7;
    assert_int_equal(ck_zone_moving_save(store, &read, false, now), 0);
    read.fence++;
    assert_int_equal(ck_zone_moving_save(store, &read, false, now), CK_E_FENCED);
    assert_int_equal(ck_zone_moving_load(store, change.id, &read), 0);
    assert_int_equal(read.person, 5);
    assert_int_equal(read.moved, 7);
    assert_int_equal(ck_zone_moving_save(store, &read, true, now), 0);
    assert_int_equal(ck_zone_moving_load(store, change.id, &read), CK_E_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_order_keeps_what_it_requires),
        TEST(video_replaces_visits_once_with_two_names),
        TEST(an_order_ends_once_and_is_in_force_until_then),
        TEST(blackouts_are_found_by_the_time_they_touch),
        TEST(a_blackout_is_cut_where_it_ends_early),
        TEST(an_absence_has_two_persons),
        TEST(a_request_is_decided_once_and_by_another),
        TEST(requests_are_counted_and_listed_while_they_are_open),
        TEST(who_is_alone_is_known),
        TEST(assessments_are_kept_sealed_and_newest_first),
        TEST(a_number_that_a_key_is_bound_to_is_never_free_again),
        TEST(what_expires_is_paged_to_its_end),
        TEST(a_zone_is_noted_once_and_changes_by_name),
        TEST(a_change_of_a_zone_keeps_how_far_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
