#include "daemon/store/query_retention.h"

#include "daemon/store/sql_impl.h"

#define IN_UNIT "(p.unit_id = ?1 OR e.person_id IS NULL)"

/* A hold that keeps this row: on the person, or on what the row is about. */
#define HOLD                                                                                       \
    "(SELECT h.id FROM hold h WHERE h.person_id = e.person_id AND h.released_at IS NULL AND "      \
    "(e.recording_id IS NULL OR (h.incident_id IS NULL AND h.recording_id IS NULL) "               \
    "OR h.recording_id = e.recording_id OR EXISTS (SELECT 1 FROM incident i WHERE "                \
    "i.id = h.incident_id AND i.checkin_id = r.checkin_id)) ORDER BY h.id LIMIT 1)"

#define ITEMS                                                                                      \
    "SELECT e.id AS \"id:i\", e.class AS \"class:t\", e.state AS \"state:t\", e.person_id AS "     \
    "\"person_id:i\", p.name AS \"person_name:t\", p.reference AS \"person_reference:t\", "        \
    "e.recording_id AS \"recording_id:i\", r.checkin_id AS \"checkin_id:i\", r.leg AS \"leg:t\", " \
    "e.since_at AS \"since:w\", e.next_at AS \"expires:w\", e.erased_at AS \"erased:w\", " HOLD    \
    " AS \"hold_id:i\" FROM expiry e LEFT JOIN person p ON p.id = e.person_id "                    \
    "LEFT JOIN recording r ON r.id = e.recording_id WHERE " IN_UNIT                                \
    " AND (?2 IS NULL OR e.class = ?2) AND (?3 = 0 OR e.person_id = ?3) "

/* Behind the row ?5 in an order by this and the id. */
#define BEHIND(now, then)                                                                          \
    "AND (?5 <= 0 OR (" now ", e.id) > (SELECT " then ", id FROM expiry WHERE id = ?5)) "

int ck_query_expiry(struct ck_store *store, const struct ck_expiry_filter *filter, json_t **list)
{
    return ck_sql_list(store,
                       filter->erased
                           ? ITEMS "AND e.state = 'erased' " BEHIND(
                                 "-e.erased_at", "-erased_at") "ORDER BY e.erased_at DESC, e.id "
                                                               "LIMIT ?4"
                           : ITEMS "AND e.state <> 'erased' " BEHIND(
                                 "coalesce(e.next_at, 0)",
                                 "coalesce(next_at, 0)") "ORDER BY coalesce(e.next_at, 0), e.id "
                                                         "LIMIT ?4",
                       CK_ARGS(ck_int(filter->unit), ck_text(filter->keep), ck_int(filter->person),
                               ck_int(CK_QUERY_EXPIRY_MAX), ck_int(filter->after)),
                       list);
}

int ck_query_expiry_totals(struct ck_store *store, int64_t unit, json_t **list)
{
    return ck_sql_list(store,
                       "SELECT e.class AS \"class:t\", count(*) AS \"waiting:i\", "
                       "sum(e.state = 'held') AS \"held:i\", min(e.next_at) AS \"first:w\" "
                       "FROM expiry e LEFT JOIN person p ON p.id = e.person_id WHERE " IN_UNIT
                       " AND e.state <> 'erased' GROUP BY e.class",
                       CK_ARGS(ck_int(unit)), list);
}

int ck_query_holds(struct ck_store *store, int64_t unit, int64_t person, json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT h.id AS \"id:i\", CASE WHEN h.incident_id IS NOT NULL THEN 'incident' "
        "WHEN h.recording_id IS NOT NULL THEN 'recording' ELSE 'person' END AS \"kind:t\", "
        "h.person_id AS \"person_id:i\", p.name AS \"person_name:t\", h.incident_id AS "
        "\"incident_id:i\", h.recording_id AS \"recording_id:i\", r.checkin_id AS "
        "\"checkin_id:i\", h.reason AS \"reason:t\", s.name AS \"by:t\", h.created_at AS "
        "\"created:w\", h.review_at AS \"review:w\", h.reminded > 0 AS \"overdue:f\", "
        "(SELECT a.id FROM approval a WHERE a.kind = 'hold.release' AND a.state = 'open' AND "
        "a.person_id = h.person_id AND a.body = '{\"hold\":' || h.id || '}' LIMIT 1) AS "
        "\"release_id:i\" FROM hold h JOIN person p ON p.id = h.person_id JOIN staff s ON "
        "s.id = h.by_staff LEFT JOIN recording r ON r.id = h.recording_id WHERE p.unit_id = ?1 "
        "AND (?2 = 0 OR h.person_id = ?2) AND h.released_at IS NULL ORDER BY h.review_at, h.id",
        CK_ARGS(ck_int(unit), ck_int(person)), list);
}
