#include "daemon/store/path.h"

#include <errno.h>
#include <string.h>

#include "daemon/store/name_impl.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

#define WEEK_MS INT64_C(604800000)

/* Ways that exist and have no row: of staff who are not disabled, and of persons under an order. */
#define NEW_PATHS(columns, table, id, channel, has)                                                \
    "INSERT INTO contact_path (" columns ", channel, state, next_at) SELECT o.id, '" channel       \
    "', 'untested', ?1 + (o.id * 7919000) % 604800000 FROM " table " o WHERE " has                 \
    " AND o.id > ?2 AND o.id <= ?3 AND NOT EXISTS (SELECT 1 FROM contact_path c WHERE c." id       \
    " = o.id AND c.channel = '" channel "')"

#define STAFF_PATHS(channel, has)                                                                  \
    NEW_PATHS("staff_id", "staff", "staff_id", channel, "o.disabled_at IS NULL AND " has)
#define PERSON_PATHS(channel, has)                                                                 \
    NEW_PATHS("person_id", "person", "person_id", channel,                                         \
              "EXISTS (SELECT 1 FROM contact_order r WHERE r.person_id = o.id AND "                \
              "r.ended_date IS NULL) AND " has)

int ck_path_sweep(struct ck_store *store, uint32_t channels, struct ck_wall now, int64_t *after)
{
    static const struct {
        enum ck_channel channel;
        const char *sql;
    } kinds[] = {
        {CK_CHANNEL_EMAIL, STAFF_PATHS("email", "o.email IS NOT NULL")},
        {CK_CHANNEL_SMS, STAFF_PATHS("sms", "o.phone IS NOT NULL")},
        {CK_CHANNEL_VOICE, STAFF_PATHS("voice", "o.phone IS NOT NULL")},
        {CK_CHANNEL_WEB_PUSH,
         STAFF_PATHS("web_push", "EXISTS (SELECT 1 FROM push p WHERE p.staff_id = o.id)")},
        {CK_CHANNEL_EMAIL, PERSON_PATHS("email", "o.email IS NOT NULL")},
        {CK_CHANNEL_SMS, PERSON_PATHS("sms", "o.phone IS NOT NULL")},
        {CK_CHANNEL_VOICE, PERSON_PATHS("voice", "o.phone IS NOT NULL")},
        {CK_CHANNEL_WEB_PUSH,
         PERSON_PATHS("web_push", "EXISTS (SELECT 1 FROM push p WHERE p.person_id = o.id)")},
    };
    const int64_t until = *after + CK_PATH_SWEEP;
    int64_t last = 0;
    int r = ck_sql_number(store,
                          "SELECT max(coalesce((SELECT max(id) FROM staff), 0), "
                          "coalesce((SELECT max(id) FROM person), 0))",
                          CK_NO_ARGS, &last);
    for (size_t i = 0; r == 0 && i < sizeof kinds / sizeof kinds[0]; i++) {
        if ((channels & CK_CHANNEL_BIT(kinds[i].channel)) != 0) {
            r = ck_sql_run(store, kinds[i].sql,
                           CK_ARGS(ck_int(now.ms), ck_int(*after), ck_int(until)));
        }
    }
    if (r == 0) {
        *after = until < last ? until : 0;
    }
    return r;
}

int ck_path_load(struct ck_store *store, int64_t id, struct ck_path_row *row)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT c.id, c.staff_id, c.person_id, c.channel, u.zone, c.next_at, "
                         "c.fence, c.by_hand, c.notice_id, c.state = 'testing', c.tested_at FROM "
                         "contact_path c LEFT JOIN staff s ON s.id = c.staff_id "
                         "LEFT JOIN person p ON p.id = c.person_id "
                         "JOIN unit u ON u.id = coalesce(s.unit_id, p.unit_id) WHERE c.id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    *row = (struct ck_path_row){
        .id = ck_row_int(&rows, 0),
        .staff = ck_row_int(&rows, 1),
        .person = ck_row_int(&rows, 2),
        .next_at = ck_row_time(&rows, 5),
        .fence = ck_row_int(&rows, 6),
        .by_hand = ck_row_int(&rows, 7) != 0,
        .notice = ck_row_int(&rows, 8),
        .testing = ck_row_int(&rows, 9) != 0,
    };
    struct ck_wall tested_at = ck_row_time(&rows, 10);
    if (tested_at.ms != 0) {
        row->week_over = ck_wall_add_ms(tested_at, WEEK_MS);
    }
    ck_row_copy(&rows, 4, row->zone, sizeof row->zone);
    return CK_NAME_FIND(ck_channel_name, CK_CHANNEL_COUNT, ck_row_text(&rows, 3), &row->channel)
               ? 0
               : -EUCLEAN;
}

int ck_path_find(struct ck_store *store, int64_t staff, int64_t person, enum ck_channel channel,
                 int64_t *id)
{
    return ck_sql_number(store,
                         "SELECT id FROM contact_path WHERE coalesce(staff_id, 0) = ?1 "
                         "AND coalesce(person_id, 0) = ?2 AND channel = ?3",
                         CK_ARGS(ck_int(staff), ck_int(person), ck_text(ck_channel_name(channel))),
                         id);
}

int ck_path_tested(struct ck_store *store, const struct ck_path_row *row, int64_t notice,
                   struct ck_wall now)
{
    return ck_sql_must(store,
                       "UPDATE contact_path SET notice_id = ?3, state = 'testing', failure = NULL, "
                       "tested_at = ?4, next_at = ?5, by_hand = 0, lease_until = NULL, claims = 0 "
                       "WHERE id = ?1 AND fence = ?2",
                       CK_ARGS(ck_int(row->id), ck_int(row->fence), ck_int(notice), ck_time(now),
                               ck_time(row->next_at)),
                       CK_E_FENCED);
}

int ck_path_postpone(struct ck_store *store, const struct ck_path_row *row)
{
    return ck_sql_must(store,
                       "UPDATE contact_path SET next_at = ?3, lease_until = NULL, claims = 0 "
                       "WHERE id = ?1 AND fence = ?2",
                       CK_ARGS(ck_int(row->id), ck_int(row->fence), ck_time(row->next_at)),
                       CK_E_FENCED);
}

int ck_path_hurry(struct ck_store *store, int64_t id, struct ck_wall now)
{
    return ck_sql_must(store,
                       "UPDATE contact_path SET next_at = ?2, lease_until = NULL, by_hand = 1, "
                       "fence = fence + 1 WHERE id = ?1",
                       CK_ARGS(ck_int(id), ck_time(now)), CK_E_NOT_FOUND);
}

int ck_path_delete(struct ck_store *store, int64_t id)
{
    return ck_sql_run(store, "DELETE FROM contact_path WHERE id = ?1", CK_ARGS(ck_int(id)));
}

int ck_path_result(struct ck_store *store, int64_t notice, bool reached, const char *failure,
                   struct ck_wall now, bool *known)
{
    int64_t changed = 0;
    int r = ck_sql_change(store,
                          "UPDATE contact_path SET state = ?2, failure = ?3, "
                          "last_ok_at = CASE WHEN ?2 = 'ok' THEN ?4 ELSE last_ok_at END, "
                          "next_at = CASE WHEN by_hand THEN next_at ELSE tested_at + ?5 END "
                          "WHERE notice_id = ?1",
                          CK_ARGS(ck_int(notice), ck_text(reached ? "ok" : "failed"),
                                  ck_text(reached ? NULL : failure), ck_time(now), ck_int(WEEK_MS)),
                          &changed);
    if (r == 0) {
        *known = changed > 0;
    }
    return r;
}

int ck_path_left(struct ck_store *store, int64_t staff, int64_t person, int64_t *left,
                 int64_t *unit, char who[static CK_PATH_WHO_SIZE])
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = staff != 0 ? ck_sql_first(store, &rows,
                                      "SELECT unit_id, 'staff ' || login, (SELECT count(*) FROM "
                                      "contact_path WHERE staff_id = ?1 AND state <> 'failed') "
                                      "FROM staff WHERE id = ?1",
                                      CK_ARGS(ck_int(staff)))
                       : ck_sql_first(store, &rows,
                                      "SELECT unit_id, 'person ' || reference, (SELECT count(*) "
                                      "FROM contact_path WHERE person_id = ?1 AND state <> "
                                      "'failed') FROM person WHERE id = ?1",
                                      CK_ARGS(ck_int(person)));
    if (r == 0) {
        *unit = ck_row_int(&rows, 0);
        ck_row_copy(&rows, 1, who, CK_PATH_WHO_SIZE);
        *left = ck_row_int(&rows, 2);
    }
    return r;
}

int ck_query_paths(struct ck_store *store, int64_t unit, json_t **out)
{
    json_t *paths = NULL, *unreachable = NULL;
    int r = ck_sql_list(
        store,
        "SELECT c.staff_id AS \"staff_id:i\", c.person_id AS \"person_id:i\", "
        "coalesce(s.name, p.name) AS \"name:t\", c.channel AS \"channel:t\", "
        "c.state AS \"state:t\", c.tested_at AS \"tested:w\", c.last_ok_at AS \"last_ok:w\", "
        "c.failure AS \"failure:t\", c.next_at AS \"next:w\" FROM contact_path c "
        "LEFT JOIN staff s ON s.id = c.staff_id LEFT JOIN person p ON p.id = c.person_id "
        "WHERE coalesce(s.unit_id, p.unit_id) = ?1 AND s.disabled_at IS NULL "
        "ORDER BY c.state <> 'failed', c.staff_id IS NULL, 3, c.channel LIMIT ?2",
        CK_ARGS(ck_int(unit), ck_int(CK_QUERY_PATHS_MAX)), &paths);
    r = r == 0 ? ck_sql_list(
                     store,
                     "SELECT s.name AS \"name:t\", s.id AS \"staff_id:i\", "
                     "NULL AS \"person_id:i\" FROM staff s WHERE s.unit_id = ?1 "
                     "AND s.disabled_at IS NULL AND NOT EXISTS (SELECT 1 FROM contact_path c "
                     "WHERE c.staff_id = s.id AND c.state <> 'failed') "
                     "AND (s.roles & 6) <> 0 UNION ALL SELECT p.name, NULL, p.id FROM person p "
                     "WHERE p.unit_id = ?1 AND EXISTS (SELECT 1 FROM contact_order r "
                     "WHERE r.person_id = p.id AND r.ended_date IS NULL) AND NOT EXISTS "
                     "(SELECT 1 FROM contact_path c WHERE c.person_id = p.id "
                     "AND c.state <> 'failed') ORDER BY 1 LIMIT ?2",
                     CK_ARGS(ck_int(unit), ck_int(CK_QUERY_PATHS_MAX)), &unreachable)
               : r;
    if (r != 0) {
        json_decref(paths);
        return r;
    }
    *out = json_pack("{s:o, s:o}", "paths", paths, "unreachable", unreachable);
    return *out == NULL ? -ENOMEM : 0;
}

int ck_path_unit(struct ck_store *store, int64_t staff, int64_t person, int64_t *unit)
{
    return staff != 0 ? ck_sql_number(store, "SELECT unit_id FROM staff WHERE id = ?1",
                                      CK_ARGS(ck_int(staff)), unit)
                      : ck_sql_number(store, "SELECT unit_id FROM person WHERE id = ?1",
                                      CK_ARGS(ck_int(person)), unit);
}
