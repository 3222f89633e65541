#include "daemon/store/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store/checkin_json_impl.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

/* ---- the person ---- */

int ck_subject_load(struct ck_store *store, int64_t person, struct ck_subject *subject)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(
        store, &rows,
        "SELECT p.id, p.unit_id, p.inspector_id, p.band, p.language, p.phone, p.email, u.zone, "
        "p.notice_version, p.last_contact_at, p.created_at, p.fence, p.max_silence_ms, "
        "p.silence_since_at, p.silence_excused_ms, p.silence_alarmed, p.next_at, "
        "p.silence_before_at, p.silence_span_ms, p.silence_look_at "
        "FROM person p JOIN unit u ON u.id = p.unit_id WHERE p.id = ?1",
        CK_ARGS(ck_int(person)));
    if (r != 0) {
        return r;
    }
    *subject = (struct ck_subject){
        .id = ck_row_int(&rows, 0),
        .unit = ck_row_int(&rows, 1),
        .inspector = ck_row_int(&rows, 2),
        .notice_version = ck_row_int(&rows, 8),
        .last_contact = ck_row_time(&rows, 9),
        .created = ck_row_time(&rows, 10),
        .fence = ck_row_int(&rows, 11),
        .silence = {.max_ms = ck_row_int(&rows, 12),
                    .since = ck_row_time(&rows, 13),
                    .excused_ms = ck_row_int(&rows, 14),
                    .alarmed = ck_row_int(&rows, 15) != 0,
                    .before = ck_row_time(&rows, 17),
                    .span_ms = ck_row_int(&rows, 18),
                    .look_at = ck_row_time(&rows, 19),
                    .next_at = ck_row_null(&rows, 16) ? CK_WALL_NEVER : ck_row_time(&rows, 16)},
    };
    ck_row_copy(&rows, 3, subject->band, sizeof subject->band);
    ck_row_copy(&rows, 4, subject->language, sizeof subject->language);
    ck_row_copy(&rows, 5, subject->phone, sizeof subject->phone);
    ck_row_copy(&rows, 6, subject->email, sizeof subject->email);
    ck_row_copy(&rows, 7, subject->zone, sizeof subject->zone);
    return 0;
}

int ck_subject_save(struct ck_store *store, const struct ck_subject *subject)
{
    const struct ck_silence *silence = &subject->silence;
    struct ck_wall next_at =
        silence->next_at.ms == CK_WALL_NEVER.ms ? (struct ck_wall){0} : silence->next_at;
    return ck_sql_must(store,
                       "UPDATE person SET last_contact_at = ?3, max_silence_ms = ?4, "
                       "silence_since_at = ?5, silence_excused_ms = ?6, silence_alarmed = ?7, "
                       "next_at = ?8, silence_before_at = ?9, silence_span_ms = ?10, "
                       "silence_look_at = ?11, lease_until = NULL, claims = 0 "
                       "WHERE id = ?1 AND fence = ?2",
                       CK_ARGS(ck_int(subject->id), ck_int(subject->fence),
                               ck_time(subject->last_contact), ck_int(silence->max_ms),
                               ck_time(silence->since), ck_int(silence->excused_ms),
                               ck_int(silence->alarmed), ck_time(next_at), ck_time(silence->before),
                               ck_int(silence->span_ms), ck_time(silence->look_at)),
                       CK_E_FENCED);
}

int ck_subject_set_notice(struct ck_store *store, int64_t person, int64_t version,
                          struct ck_wall at)
{
    return ck_sql_run(store, "UPDATE person SET notice_version = ?2, notice_at = ?3 WHERE id = ?1",
                      CK_ARGS(ck_int(person), ck_int(version), ck_time(at)));
}

int ck_unit_zone(struct ck_store *store, int64_t unit, char zone[CK_ZONE_NAME_SIZE])
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r =
        ck_sql_first(store, &rows, "SELECT zone FROM unit WHERE id = ?1", CK_ARGS(ck_int(unit)));
    if (r != 0) {
        return r;
    }
    ck_row_copy(&rows, 0, zone, CK_ZONE_NAME_SIZE);
    return 0;
}

/* ---- plans ---- */

void ck_plan_record_clear(struct ck_plan_record *record)
{
    free(record->rule);
    *record = (struct ck_plan_record){0};
}

int ck_plan_insert(struct ck_store *store, struct ck_plan_record *record, int64_t staff,
                   struct ck_wall now)
{
    char expanded[CK_DATE_TEXT_SIZE], begins[CK_DATE_TEXT_SIZE];
    ck_date_text(record->expanded, expanded);
    ck_date_text(record->begins, begins);
    int64_t id = 0;
    int r = ck_sql_insert(store,
                          "INSERT INTO plan (person_id, order_id, version, kind, mandatory, rule, "
                          "state, expanded_until, created_at, next_at, begins_date, replaces_id) "
                          "VALUES (?1, ?2, 1, ?3, ?4, ?5, 'active', ?6, ?7, ?8, ?9, "
                          "nullif(?10, 0))",
                          CK_ARGS(ck_int(record->person), ck_int(record->order),
                                  ck_text(record->unattended ? "unattended" : "live"),
                                  ck_int(record->mandatory), ck_text(record->rule),
                                  ck_text(expanded), ck_time(now), ck_time(record->next_at),
                                  ck_text(begins), ck_int(record->replaces)),
                          &id);
    if (r == 0) {
        r = ck_sql_run(store,
                       "INSERT INTO plan_version (plan_id, version, rule, by_staff, created_at) "
                       "VALUES (?1, 1, ?2, ?3, ?4)",
                       CK_ARGS(ck_int(id), ck_text(record->rule), ck_int(staff), ck_time(now)));
    }
    if (r == 0) {
        record->id = id;
        record->version = 1;
    }
    return r;
}

int ck_plan_load(struct ck_store *store, int64_t id, struct ck_plan_record *record)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT id, person_id, order_id, version, kind, mandatory, rule, state, "
                         "expanded_until, next_at, fence, created_at, until_date, begins_date, "
                         "coalesce(replaces_id, 0) FROM plan WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    struct ck_plan_record read = {
        .id = ck_row_int(&rows, 0),
        .person = ck_row_int(&rows, 1),
        .order = ck_row_int(&rows, 2),
        .version = ck_row_int(&rows, 3),
        .unattended = strcmp(ck_row_text(&rows, 4), "unattended") == 0,
        .mandatory = ck_row_int(&rows, 5) != 0,
        .active = strcmp(ck_row_text(&rows, 7), "active") == 0,
        .next_at = ck_row_time(&rows, 9),
        .fence = ck_row_int(&rows, 10),
        .created = ck_row_time(&rows, 11),
        .replaces = ck_row_int(&rows, 14),
    };
    if (ck_date_parse(ck_row_text(&rows, 13), &read.begins) != 0 || ck_row_null(&rows, 8) ||
        ck_date_parse(ck_row_text(&rows, 8), &read.expanded) != 0) {
        return -EUCLEAN;
    }
    if (!ck_row_null(&rows, 12) && ck_date_parse(ck_row_text(&rows, 12), &read.until) != 0) {
        return -EUCLEAN;
    }
    read.rule = strdup(ck_row_text(&rows, 6));
    if (read.rule == NULL) {
        return -ENOMEM;
    }
    *record = read;
    return 0;
}

int ck_plan_save(struct ck_store *store, const struct ck_plan_record *record)
{
    char expanded[CK_DATE_TEXT_SIZE];
    ck_date_text(record->expanded, expanded);
    return ck_sql_must(store,
                       "UPDATE plan SET expanded_until = ?3, next_at = ?4, lease_until = NULL, "
                       "claims = 0 WHERE id = ?1 AND fence = ?2",
                       CK_ARGS(ck_int(record->id), ck_int(record->fence), ck_text(expanded),
                               ck_time(record->next_at)),
                       CK_E_FENCED);
}

int ck_plan_ask_again(struct ck_store *store, int64_t unit, struct ck_wall now)
{
    return ck_sql_run(
        store,
        "UPDATE plan SET next_at = ?2 WHERE kind = 'live' AND state = 'active' "
        "AND next_at > ?2 AND person_id IN (SELECT id FROM person WHERE unit_id = "
        "?1) AND EXISTS (SELECT 1 FROM checkin c WHERE c.person_id = plan.person_id "
        "AND c.plan_id = plan.id AND c.due_at > ?2 AND c.state <> 'done' AND " CK_WITHOUT_INSPECTOR
        ")",
        CK_ARGS(ck_int(unit), ck_int(now.ms)));
}

int ck_plan_begun_on(struct ck_store *store, int64_t id, struct ck_date date, int64_t *count)
{
    char text[CK_DATE_TEXT_SIZE];
    ck_date_text(date, text);
    return ck_sql_number(store,
                         "SELECT count(*) FROM checkin WHERE plan_id = ?1 AND local_date = ?2 AND "
                         "state NOT IN ('planned', 'armed') AND coalesce(outcome, '') <> 'waived'",
                         CK_ARGS(ck_int(id), ck_text(text)), count);
}

int ck_plan_leave(struct ck_store *store, int64_t id, struct ck_date until, struct ck_wall now)
{
    char text[CK_DATE_TEXT_SIZE];
    ck_date_text(until, text);
    return ck_sql_must(store,
                       "UPDATE plan SET until_date = ?2, next_at = ?3, lease_until = NULL, "
                       "claims = 0, fence = fence + 1 WHERE id = ?1 AND state = 'active'",
                       CK_ARGS(ck_int(id), ck_text(until.day == 0 ? NULL : text), ck_time(now)),
                       CK_E_CONFLICT);
}

int ck_plan_before(struct ck_store *store, int64_t id, struct ck_date today, int64_t *before)
{
    char text[CK_DATE_TEXT_SIZE];
    ck_date_text(today, text);
    return ck_sql_number(store,
                         "SELECT coalesce((SELECT b.id FROM plan a JOIN plan b ON b.id = "
                         "a.replaces_id WHERE a.id = ?1 AND a.begins_date > ?2 "
                         "AND b.state = 'active'), 0)",
                         CK_ARGS(ck_int(id), ck_text(text)), before);
}

int ck_plan_pass_place(struct ck_store *store, int64_t id, int64_t before)
{
    return ck_sql_run(store,
                      "UPDATE plan SET replaces_id = ?2 WHERE replaces_id = ?1 "
                      "AND state = 'active'",
                      CK_ARGS(ck_int(id), ck_int(before)));
}

int ck_plan_after(struct ck_store *store, int64_t id, int64_t *after)
{
    return ck_sql_number(store,
                         "SELECT coalesce((SELECT max(id) FROM plan WHERE replaces_id = ?1 "
                         "AND state = 'active'), 0)",
                         CK_ARGS(ck_int(id)), after);
}

int ck_plan_end(struct ck_store *store, int64_t id, const char *reason, struct ck_wall now)
{
    return ck_sql_must(store,
                       "UPDATE plan SET state = 'ended', ended_at = ?2, ended_reason = ?3, "
                       "next_at = NULL, lease_until = NULL, claims = 0, fence = fence + 1 "
                       "WHERE id = ?1 AND state = 'active'",
                       CK_ARGS(ck_int(id), ck_time(now), ck_text(reason)), CK_E_CONFLICT);
}

int ck_plan_of_person(struct ck_store *store, int64_t person, int64_t *ids, size_t capacity,
                      size_t *count)
{
    return ck_sql_ids(store,
                      "SELECT id FROM plan WHERE person_id = ?1 AND state = 'active' ORDER BY id",
                      CK_ARGS(ck_int(person)), ids, capacity, count);
}

int ck_plan_of_order(struct ck_store *store, int64_t order, int64_t *ids, size_t capacity,
                     size_t *count)
{
    return ck_sql_ids(store,
                      "SELECT id FROM plan WHERE order_id = ?1 AND state = 'active' "
                      "ORDER BY id",
                      CK_ARGS(ck_int(order)), ids, capacity, count);
}

/* ---- keys ---- */

int ck_draw_key_load(struct ck_store *store, int64_t epoch, void *wrapped, size_t capacity,
                     size_t *size)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, "SELECT wrapped FROM draw_key WHERE id = ?1",
                         CK_ARGS(ck_int(epoch)));
    if (r != 0) {
        return r;
    }
    size_t length = 0;
    const void *bytes = ck_row_blob(&rows, 0, &length);
    if (length > capacity) {
        return -EUCLEAN;
    }
    memcpy(wrapped, bytes, length);
    *size = length;
    return 0;
}

int ck_draw_key_insert(struct ck_store *store, int64_t epoch, const void *wrapped, size_t size,
                       const uint8_t commitment[CK_SHA256_SIZE], struct ck_wall reveal_at,
                       struct ck_wall now)
{
    return ck_sql_run(store,
                      "INSERT INTO draw_key (id, wrapped, commitment, created_at, next_at) "
                      "VALUES (?1, ?2, ?3, ?4, ?5)",
                      CK_ARGS(ck_int(epoch), ck_blob(wrapped, size),
                              ck_blob(commitment, CK_SHA256_SIZE), ck_time(now),
                              ck_time(reveal_at)));
}

int ck_draw_key_revealed(struct ck_store *store, int64_t epoch, int64_t fence, struct ck_wall now)
{
    return ck_sql_must(store,
                       "UPDATE draw_key SET revealed_at = ?3, next_at = NULL, lease_until = NULL, "
                       "claims = 0 WHERE id = ?1 AND fence = ?2",
                       CK_ARGS(ck_int(epoch), ck_int(fence), ck_time(now)), CK_E_FENCED);
}
