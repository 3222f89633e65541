#include "daemon/store/ladder.h"

#include <string.h>

#include "daemon/store/sql_impl.h"

int ck_ladder_insert(struct ck_store *store, const struct ck_ladder_row *row, struct ck_wall now,
                     int64_t *id)
{
    return ck_sql_insert(store,
                         "INSERT INTO ladder (unit_id, band, policy_id, by_staff, approved_by, "
                         "created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                         CK_ARGS(ck_id(row->unit), ck_text(row->band), ck_int(row->policy),
                                 ck_id(row->by), ck_id(row->approved_by), ck_time(now)),
                         id);
}

int ck_query_ladders(struct ck_store *store, int64_t unit, json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT l.id AS \"id:i\", l.band AS \"band:t\", l.policy_id AS \"policy:i\", "
        "p.body AS \"body:t\", b.name AS \"by:t\", a.name AS \"approved_by:t\", "
        "l.created_at AS \"at:w\", (SELECT count(*) FROM ladder o WHERE o.unit_id = l.unit_id "
        "AND o.band = l.band AND o.id <= l.id) AS \"version:i\" FROM ladder l "
        "JOIN policy p ON p.id = l.policy_id LEFT JOIN staff b ON b.id = l.by_staff "
        "LEFT JOIN staff a ON a.id = l.approved_by WHERE l.unit_id = ?1 AND l.id = "
        "(SELECT max(n.id) FROM ladder n WHERE n.unit_id = l.unit_id AND n.band = l.band)",
        CK_ARGS(ck_int(unit)), list);
}

int ck_incidents_of_band(struct ck_store *store, int64_t unit, enum ck_band band, int64_t *ids,
                         size_t capacity, size_t *count)
{
    return ck_sql_ids(store,
                      "SELECT id FROM incident WHERE unit_id = ?1 AND state <> 'closed' "
                      "AND kind NOT IN ('safety', 'concern') "
                      "AND json_extract(machine, '$.band') = ?2 ORDER BY id",
                      CK_ARGS(ck_int(unit), ck_int(band)), ids, capacity, count);
}

int ck_incidents_restricted(struct ck_store *store, int64_t unit, int64_t *ids, size_t capacity,
                            size_t *count)
{
    return ck_sql_ids(store,
                      "SELECT id FROM incident WHERE unit_id = ?1 AND state <> 'closed' "
                      "AND kind IN ('safety', 'concern') ORDER BY id",
                      CK_ARGS(ck_int(unit)), ids, capacity, count);
}
