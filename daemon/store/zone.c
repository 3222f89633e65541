#include "daemon/store/zone.h"

#include <errno.h>

#include "daemon/store/distance_impl.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_zone_tables(struct ck_store *store, struct ck_zone_table tables[static CK_ZONE_TABLES_MAX],
                   size_t *count)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    size_t found = 0;
    int r = ck_sql_query(store, &rows, "SELECT name, version FROM zone_table ORDER BY name",
                         CK_NO_ARGS);
    while (r == 0 && found < CK_ZONE_TABLES_MAX && (r = ck_rows_next(&rows)) == 1) {
        struct ck_zone_table *table = &tables[found++];
        ck_row_copy(&rows, 0, table->name, sizeof table->name);
        ck_row_copy(&rows, 1, table->version, sizeof table->version);
        r = 0;
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

int ck_zone_table_note(struct ck_store *store, const char *name, const char *version)
{
    return ck_sql_run(store,
                      "INSERT INTO zone_table (name, version) VALUES (?1, ?2) "
                      "ON CONFLICT (name) DO NOTHING",
                      CK_ARGS(ck_text(name), ck_text(version)));
}

int ck_zone_table_set(struct ck_store *store, const char *name, const char *version)
{
    return ck_sql_run(store, "UPDATE zone_table SET version = ?2 WHERE name = ?1",
                      CK_ARGS(ck_text(name), ck_text(version)));
}

int ck_zone_moving_insert(struct ck_store *store, struct ck_zone_moving *change, struct ck_wall now)
{
    char from[CK_DATE_TEXT_SIZE];
    ck_date_text(change->from, from);
    return ck_sql_insert(store,
                         "INSERT INTO zone_change (unit_id, zone, version, from_date, person, "
                         "created_at, next_at) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5)",
                         CK_ARGS(ck_id(change->unit), ck_text(change->zone),
                                 ck_text(change->version), ck_text(change->unit == 0 ? NULL : from),
                                 ck_time(now)),
                         &change->id);
}

int ck_zone_moving_load(struct ck_store *store, int64_t id, struct ck_zone_moving *change)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    struct ck_zone_moving read = {.id = id};
    int r = ck_sql_first(store, &rows,
                         "SELECT unit_id, zone, version, from_date, person, moved, failed, fence, "
                         "checkin "
                         "FROM zone_change WHERE id = ?1 AND ended_at IS NULL",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    read.unit = ck_row_int(&rows, 0);
    ck_row_copy(&rows, 1, read.zone, sizeof read.zone);
    ck_row_copy(&rows, 2, read.version, sizeof read.version);
    if (read.unit != 0 && ck_date_parse(ck_row_text(&rows, 3), &read.from) != 0) {
        return -EUCLEAN;
    }
    read.person = ck_row_int(&rows, 4);
    read.moved = ck_row_int(&rows, 5);
    read.failed = ck_row_int(&rows, 6);
    read.fence = ck_row_int(&rows, 7);
    read.checkin = ck_row_int(&rows, 8);
    *change = read;
    return 0;
}

int ck_zone_moving_save(struct ck_store *store, const struct ck_zone_moving *change, bool ended,
                        struct ck_wall now)
{
    const struct ck_wall never = {0};
    return ck_sql_must(store,
                       "UPDATE zone_change SET person = ?3, moved = ?4, failed = ?5, next_at = ?6, "
                       "ended_at = ?7, checkin = ?8, lease_until = NULL, claims = 0 "
                       "WHERE id = ?1 AND fence = ?2",
                       CK_ARGS(ck_int(change->id), ck_int(change->fence), ck_int(change->person),
                               ck_int(change->moved), ck_int(change->failed),
                               ck_time(ended ? never : now), ck_time(ended ? now : never),
                               ck_int(change->checkin)),
                       CK_E_FENCED);
}

int ck_zone_moving_person(struct ck_store *store, int64_t after, int64_t *person)
{
    return ck_sql_number(store,
                         "SELECT person_id FROM checkin WHERE person_id > ?1 AND state <> 'done' "
                         "ORDER BY person_id LIMIT 1",
                         CK_ARGS(ck_int(after)), person);
}

/* What a change has still to move: of unit ?2 (0: none) to zone ?3 of version ?4 from date ?5 on.
 */
#define PENDING                                                                                    \
    "state = 'planned' AND due_local IS NOT NULL AND (zone <> ?3 OR zone_version <> ?4) AND "      \
    "CASE WHEN ?2 = 0 THEN zone = ?3 ELSE unit_id = ?2 AND local_date >= ?5 END"

int ck_zone_moving_checkins(struct ck_store *store, const struct ck_zone_moving *change,
                            int64_t *ids, size_t capacity, size_t *count)
{
    char from[CK_DATE_TEXT_SIZE];
    ck_date_text(change->from, from);
    return ck_sql_ids(store,
                      "SELECT id FROM checkin WHERE person_id = ?1 AND state <> 'done' "
                      "AND id > ?6 AND " PENDING " ORDER BY id",
                      CK_ARGS(ck_int(change->person), ck_int(change->unit), ck_text(change->zone),
                              ck_text(change->version), ck_text(from), ck_int(change->checkin)),
                      ids, capacity, count);
}

int ck_zone_moving_neighbours(struct ck_store *store, const struct ck_zone_moving *change,
                              int64_t but, struct ck_wall from, struct ck_wall until,
                              struct ck_wall *due, size_t capacity, size_t *count)
{
    char date[CK_DATE_TEXT_SIZE];
    ck_date_text(change->from, date);
    return ck_sql_ids(store,
                      "SELECT due_at FROM checkin WHERE person_id = ?1 AND due_at >= ?6 "
                      "AND due_at < ?7 AND id <> ?8 AND " CK_CHECKIN_KEEPS_DISTANCE
                      " AND NOT (" PENDING ") ORDER BY due_at",
                      CK_ARGS(ck_int(change->person), ck_int(change->unit), ck_text(change->zone),
                              ck_text(change->version), ck_text(date), ck_int(from.ms),
                              ck_int(until.ms), ck_int(but)),
                      &due->ms, capacity, count);
}

int ck_zone_units(struct ck_store *store, const char *zone, int64_t after, int64_t *ids,
                  size_t capacity, size_t *count)
{
    return ck_sql_ids(store, "SELECT id FROM unit WHERE zone = ?1 AND id > ?2 ORDER BY id",
                      CK_ARGS(ck_text(zone), ck_int(after)), ids, capacity, count);
}

int ck_unit_set_zone(struct ck_store *store, int64_t unit, const char *zone)
{
    return ck_sql_must(store, "UPDATE unit SET zone = ?2 WHERE id = ?1",
                       CK_ARGS(ck_int(unit), ck_text(zone)), CK_E_NOT_FOUND);
}

int ck_zone_moves(struct ck_store *store, int64_t unit, struct ck_date from, int64_t *checkins,
                  int64_t *persons)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    char date[CK_DATE_TEXT_SIZE];
    ck_date_text(from, date);
    /* Two days before the date in UTC is before it everywhere. */
    int r = ck_sql_first(
        store, &rows,
        "SELECT count(*), count(DISTINCT person_id) FROM checkin "
        "WHERE unit_id = ?1 AND due_at >= ?2 AND local_date >= ?3 "
        "AND state = 'planned' AND due_local IS NOT NULL",
        CK_ARGS(ck_int(unit), ck_int((int64_t)(from.day - 2) * 86400000), ck_text(date)));
    if (r == 0) {
        *checkins = ck_row_int(&rows, 0);
        *persons = ck_row_int(&rows, 1);
    }
    return r;
}
