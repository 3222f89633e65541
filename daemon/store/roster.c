#include "daemon/store/roster.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

#define ABSENT_AT(who)                                                                             \
    "EXISTS (SELECT 1 FROM absence x WHERE x.staff_id = " who " AND x.removed_at IS NULL "         \
    "AND x.from_at <= ?2 AND x.until_at > ?2)"

/* ---- shifts ---- */

static void clock_text(int32_t second, char text[static 8])
{
    snprintf(text, 8, "%02d:%02d", (int)(second / 3600 % 24), (int)(second / 60 % 60));
}

static int clock_read(const char *text, int32_t *second)
{
    int32_t minute = ck_day_minute(text);
    if (minute < 0 || minute == CK_DAY_MINUTES) {
        return -EUCLEAN;
    }
    *second = minute * 60;
    return 0;
}

int ck_shift_insert(struct ck_store *store, struct ck_shift_row *row, int64_t by,
                    struct ck_wall now)
{
    char from[CK_DATE_TEXT_SIZE], until[CK_DATE_TEXT_SIZE], start[8], end[8];
    ck_date_text(row->shift.from, from);
    ck_date_text(row->shift.until, until);
    clock_text(row->shift.start_s, start);
    clock_text(row->shift.end_s, end);
    return ck_sql_insert(
        store,
        "INSERT INTO shift (staff_id, kind, weekday, from_date, until_date, start_time, end_time, "
        "by_staff, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        CK_ARGS(ck_int(row->staff), ck_text(row->duty ? "duty" : "work"),
                ck_int(row->shift.weekday), ck_text(from), ck_text(until), ck_text(start),
                ck_text(end), ck_int(by), ck_time(now)),
        &row->id);
}

#define SHIFT_COLUMNS                                                                              \
    "id, staff_id, kind, weekday, from_date, until_date, start_time, end_time FROM shift"

static int read_shift(const struct ck_rows *rows, struct ck_shift_row *row)
{
    const char *kind = ck_row_text(rows, 2);
    *row = (struct ck_shift_row){
        .id = ck_row_int(rows, 0),
        .staff = ck_row_int(rows, 1),
        .duty = kind != NULL && strcmp(kind, "duty") == 0,
        .shift = {.weekday = (enum ck_weekday)ck_row_int(rows, 3)},
    };
    const char *from = ck_row_text(rows, 4), *until = ck_row_text(rows, 5);
    if (from == NULL || ck_date_parse(from, &row->shift.from) != 0 || until == NULL ||
        ck_date_parse(until, &row->shift.until) != 0) {
        return -EUCLEAN;
    }
    int r = clock_read(ck_row_text(rows, 6), &row->shift.start_s);
    return r == 0 ? clock_read(ck_row_text(rows, 7), &row->shift.end_s) : r;
}

int ck_shift_load(struct ck_store *store, int64_t id, struct ck_shift_row *row)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r =
        ck_sql_first(store, &rows, "SELECT " SHIFT_COLUMNS " WHERE id = ?1 AND removed_at IS NULL",
                     CK_ARGS(ck_int(id)));
    return r == 0 ? read_shift(&rows, row) : r;
}

int ck_shift_remove(struct ck_store *store, int64_t id, struct ck_wall now)
{
    return ck_sql_must(store,
                       "UPDATE shift SET removed_at = ?2 WHERE id = ?1 AND removed_at IS NULL",
                       CK_ARGS(ck_int(id), ck_time(now)), CK_E_NOT_FOUND);
}

int ck_shifts_of(struct ck_store *store, int64_t staff, struct ck_date date,
                 struct ck_shift_row list[static CK_SHIFTS_MAX], size_t *count)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    char text[CK_DATE_TEXT_SIZE];
    size_t found = 0;
    ck_date_text(date, text);
    int r = ck_sql_query(store, &rows,
                         "SELECT " SHIFT_COLUMNS " WHERE staff_id = ?1 AND removed_at IS NULL "
                         "AND until_date >= ?2 ORDER BY id LIMIT ?3",
                         CK_ARGS(ck_int(staff), ck_text(text), ck_int(CK_SHIFTS_MAX)));
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        r = read_shift(&rows, &list[found++]);
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

/* ---- absences ---- */

int ck_absence_insert(struct ck_store *store, struct ck_absence_row *row, int64_t by,
                      struct ck_wall now)
{
    return ck_sql_insert(
        store,
        "INSERT INTO absence (staff_id, from_local, until_local, from_at, until_at, reason, "
        "stand_in_id, by_staff, created_at, next_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        CK_ARGS(ck_int(row->staff), ck_text(row->from_local), ck_text(row->until_local),
                ck_time(row->from), ck_time(row->until), ck_text(row->reason), ck_id(row->stand_in),
                ck_int(by), ck_time(now), ck_time(row->next_at)),
        &row->id);
}

int ck_absence_load(struct ck_store *store, int64_t id, struct ck_absence_row *row)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT id, staff_id, stand_in_id, from_local, until_local, from_at, "
                         "until_at, next_at, fence FROM absence "
                         "WHERE id = ?1 AND removed_at IS NULL",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    *row = (struct ck_absence_row){
        .id = ck_row_int(&rows, 0),
        .staff = ck_row_int(&rows, 1),
        .stand_in = ck_row_int(&rows, 2),
        .from = ck_row_time(&rows, 5),
        .until = ck_row_time(&rows, 6),
        .next_at = ck_row_time(&rows, 7),
        .fence = ck_row_int(&rows, 8),
    };
    ck_row_copy(&rows, 3, row->from_local, sizeof row->from_local);
    ck_row_copy(&rows, 4, row->until_local, sizeof row->until_local);
    return 0;
}

int ck_absence_save(struct ck_store *store, const struct ck_absence_row *row)
{
    return ck_sql_must(store,
                       "UPDATE absence SET from_at = ?3, until_at = ?4, next_at = ?5, "
                       "lease_until = NULL, claims = 0 WHERE id = ?1 AND fence = ?2",
                       CK_ARGS(ck_int(row->id), ck_int(row->fence), ck_time(row->from),
                               ck_time(row->until), ck_time(row->next_at)),
                       CK_E_FENCED);
}

int ck_absence_remove(struct ck_store *store, int64_t id, struct ck_wall now)
{
    return ck_sql_must(store,
                       "UPDATE absence SET removed_at = ?2, next_at = NULL, lease_until = NULL, "
                       "fence = fence + 1 WHERE id = ?1 AND removed_at IS NULL",
                       CK_ARGS(ck_int(id), ck_time(now)), CK_E_NOT_FOUND);
}

int ck_absences_of(struct ck_store *store, int64_t staff, struct ck_interval span,
                   struct ck_interval intervals[static CK_ABSENCES_MAX], size_t *count)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    size_t found = 0;
    int r = ck_sql_query(store, &rows,
                         "SELECT from_at, until_at FROM absence WHERE staff_id = ?1 "
                         "AND removed_at IS NULL AND until_at > ?2 AND from_at < ?3 "
                         "ORDER BY from_at LIMIT ?4",
                         CK_ARGS(ck_int(staff), ck_int(span.from.ms), ck_int(span.until.ms),
                                 ck_int(CK_ABSENCES_MAX)));
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        intervals[found++] = (struct ck_interval){ck_row_time(&rows, 0), ck_row_time(&rows, 1)};
        r = 0;
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

int ck_absences_ahead(struct ck_store *store, int64_t unit, struct ck_wall now, int64_t after,
                      int64_t *ids, size_t capacity, size_t *count)
{
    return ck_sql_ids(store,
                      "SELECT a.id FROM absence a JOIN staff s ON s.id = a.staff_id "
                      "WHERE s.unit_id = ?1 AND a.removed_at IS NULL AND a.until_at > ?2 "
                      "AND a.id > ?3 ORDER BY a.id",
                      CK_ARGS(ck_int(unit), ck_time(now), ck_int(after)), ids, capacity, count);
}

/* ---- stand-ins ---- */

int ck_stand_ins_set(struct ck_store *store, int64_t staff, const int64_t *stand_ins, size_t count)
{
    int r = ck_sql_run(store, "DELETE FROM stand_in WHERE staff_id = ?1", CK_ARGS(ck_int(staff)));
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = ck_sql_run(store,
                       "INSERT INTO stand_in (staff_id, rank, stand_in_id) VALUES (?1, ?2, ?3)",
                       CK_ARGS(ck_int(staff), ck_int((int64_t)i), ck_int(stand_ins[i])));
    }
    return r;
}

int ck_stand_ins_of(struct ck_store *store, int64_t staff, int64_t *ids, size_t capacity,
                    size_t *count)
{
    return ck_sql_ids(store, "SELECT stand_in_id FROM stand_in WHERE staff_id = ?1 ORDER BY rank",
                      CK_ARGS(ck_int(staff)), ids, capacity, count);
}

int ck_stand_ins_at(struct ck_store *store, int64_t staff, struct ck_wall at, int64_t *ids,
                    size_t capacity, size_t *count)
{
    return ck_sql_ids(
        store,
        "SELECT s.id FROM (SELECT stand_in_id, -1 AS rank FROM absence WHERE staff_id = ?1 "
        "AND removed_at IS NULL AND from_at <= ?2 AND until_at > ?2 AND stand_in_id IS NOT NULL "
        "UNION ALL SELECT stand_in_id, rank FROM stand_in WHERE staff_id = ?1) AS c "
        "JOIN staff s ON s.id = c.stand_in_id WHERE s.disabled_at IS NULL "
        "AND " ABSENT_AT("?1") " AND NOT " ABSENT_AT("s.id") " ORDER BY c.rank, s.id",
        CK_ARGS(ck_int(staff), ck_int(at.ms)), ids, capacity, count);
}

int ck_stand_in_at(struct ck_store *store, int64_t staff, struct ck_wall at, int64_t *stand_in)
{
    int64_t ids[1 + CK_STAND_INS_MAX];
    size_t count = 0;
    int r = ck_stand_ins_at(store, staff, at, ids, 1 + CK_STAND_INS_MAX, &count);
    if (r == 0 && count > 0) {
        *stand_in = ids[0];
    }
    return r == 0 && count == 0 ? CK_E_NOT_FOUND : r;
}

int ck_stand_in_for(struct ck_store *store, int64_t staff, int64_t *ids, size_t capacity,
                    size_t *count)
{
    return ck_sql_ids(store,
                      "SELECT staff_id FROM stand_in WHERE stand_in_id = ?1 UNION "
                      "SELECT staff_id FROM absence WHERE stand_in_id = ?1 AND removed_at IS NULL "
                      "ORDER BY 1",
                      CK_ARGS(ck_int(staff)), ids, capacity, count);
}

int ck_stand_in_duties(struct ck_store *store, int64_t stand_in, int64_t but, struct ck_wall now,
                       int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM (SELECT staff_id FROM stand_in WHERE stand_in_id = "
                         "?1 AND staff_id <> ?2 UNION SELECT staff_id FROM absence WHERE "
                         "stand_in_id = ?1 AND staff_id <> ?2 AND removed_at IS NULL AND until_at "
                         "> ?3) AS inspectors",
                         CK_ARGS(ck_int(stand_in), ck_int(but), ck_int(now.ms)), count);
}

int ck_cover_set(struct ck_store *store, int64_t inspector, int64_t stand_in, struct ck_wall now,
                 bool *changed)
{
    int64_t before = 0;
    int r = ck_sql_number(store, "SELECT staff_id FROM cover WHERE inspector_id = ?1",
                          CK_ARGS(ck_int(inspector)), &before);
    if (r != 0 && r != CK_E_NOT_FOUND) {
        return r;
    }
    *changed = before != stand_in;
    if (before == stand_in) {
        return 0;
    }
    r = ck_sql_run(store, "DELETE FROM cover WHERE inspector_id = ?1", CK_ARGS(ck_int(inspector)));
    return r != 0 || stand_in == 0
               ? r
               : ck_sql_run(store,
                            "INSERT INTO cover (inspector_id, staff_id, since_at) "
                            "VALUES (?1, ?2, ?3)",
                            CK_ARGS(ck_int(inspector), ck_int(stand_in), ck_time(now)));
}

int ck_cover_of(struct ck_store *store, int64_t staff, int64_t *inspectors, size_t capacity,
                size_t *count)
{
    return ck_sql_ids(store,
                      "SELECT inspector_id FROM cover WHERE staff_id = ?1 ORDER BY inspector_id",
                      CK_ARGS(ck_int(staff)), inspectors, capacity, count);
}

/* ---- staff ---- */

int ck_staff_place(struct ck_store *store, int64_t staff, struct ck_staff_place *place)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT u.zone, s.unit_id, s.roles, s.on_duty, s.disabled_at IS NOT NULL "
                         "FROM staff s JOIN unit u ON u.id = s.unit_id WHERE s.id = ?1",
                         CK_ARGS(ck_int(staff)));
    if (r != 0) {
        return r;
    }
    *place = (struct ck_staff_place){
        .unit = ck_row_int(&rows, 1),
        .roles = ck_row_int(&rows, 2),
        .on_duty = ck_row_int(&rows, 3) != 0,
        .disabled = ck_row_int(&rows, 4) != 0,
    };
    ck_row_copy(&rows, 0, place->zone, sizeof place->zone);
    return 0;
}

/* Of one unit, or of all: a range, so that the index of the unit serves both. */

int ck_duty_pool(struct ck_store *store, int64_t unit, int64_t *ids, size_t capacity, size_t *count)
{
    return ck_sql_ids(
        store,
        "SELECT id FROM staff WHERE unit_id BETWEEN ?1 AND ?2 AND disabled_at IS NULL "
        "AND (roles & 2) <> 0 AND (on_duty = 1 OR EXISTS (SELECT 1 FROM shift WHERE "
        "shift.staff_id = staff.id AND kind = 'duty' AND removed_at IS NULL)) ORDER BY id",
        CK_ARGS(ck_int(unit), ck_int(unit == 0 ? INT64_MAX : unit)), ids, capacity, count);
}

int ck_staff_of_role(struct ck_store *store, int64_t unit, unsigned role, int64_t *ids,
                     size_t capacity, size_t *count)
{
    return ck_sql_ids(
        store,
        "SELECT id FROM staff WHERE unit_id BETWEEN ?1 AND ?2 AND disabled_at IS NULL "
        "AND (roles & ?3) <> 0 ORDER BY id",
        CK_ARGS(ck_int(unit), ck_int(unit == 0 ? INT64_MAX : unit), ck_int((int64_t)role)), ids,
        capacity, count);
}

int ck_caseloads_of_unit(struct ck_store *store, int64_t unit, int64_t *ids, size_t capacity,
                         size_t *count)
{
    return ck_sql_ids(store,
                      "SELECT DISTINCT inspector_id FROM person WHERE unit_id = ?1 "
                      "ORDER BY inspector_id",
                      CK_ARGS(ck_int(unit)), ids, capacity, count);
}

/* ---- for the pages ---- */

int ck_query_shifts(struct ck_store *store, int64_t unit, const char *date, json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT t.id AS \"id:i\", t.staff_id AS \"staff_id:i\", t.kind AS \"kind:t\", "
        "t.weekday AS \"weekday:i\", t.from_date AS \"from_date:t\", "
        "CASE t.until_date WHEN '9999-12-31' THEN NULL ELSE t.until_date END AS \"until_date:t\", "
        "t.start_time AS \"start:t\", t.end_time AS \"end:t\" FROM shift t "
        "JOIN staff s ON s.id = t.staff_id WHERE s.unit_id = ?1 AND s.disabled_at IS NULL "
        "AND t.removed_at IS NULL AND t.until_date >= ?2 ORDER BY t.weekday, t.start_time, t.id",
        CK_ARGS(ck_int(unit), ck_text(date)), list);
}

int ck_query_absences(struct ck_store *store, int64_t unit, struct ck_wall from, json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT a.id AS \"id:i\", a.staff_id AS \"staff_id:i\", a.from_local AS \"from:t\", "
        "a.until_local AS \"until:t\", a.from_at AS \"from_at:w\", a.until_at AS \"until_at:w\", "
        "a.reason AS \"reason:t\", a.stand_in_id AS \"stand_in_id:i\" FROM absence a "
        "JOIN staff s ON s.id = a.staff_id WHERE s.unit_id = ?1 AND a.removed_at IS NULL "
        "AND a.until_at > ?2 ORDER BY a.from_at, a.id",
        CK_ARGS(ck_int(unit), ck_time(from)), list);
}

int ck_query_stand_ins(struct ck_store *store, int64_t unit, json_t **list)
{
    return ck_sql_list(store,
                       "SELECT d.staff_id AS \"staff_id:i\", d.stand_in_id AS \"stand_in_id:i\", "
                       "(c.staff_id IS NOT NULL) AS \"now:f\" FROM stand_in d "
                       "JOIN staff s ON s.id = d.staff_id LEFT JOIN cover c "
                       "ON c.inspector_id = d.staff_id AND c.staff_id = d.stand_in_id "
                       "WHERE s.unit_id = ?1 ORDER BY d.staff_id, d.rank",
                       CK_ARGS(ck_int(unit)), list);
}
