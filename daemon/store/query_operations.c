#include "daemon/store/query_operations.h"

#include "daemon/store/sql_impl.h"

#define LATE_MS 60000

int ck_query_operations(struct ck_store *store, struct ck_wall now, json_t **operations)
{
    return ck_sql_object(
        store,
        "SELECT (SELECT count(*) FROM incident WHERE state <> 'closed' AND state = 'open') "
        "AS \"incidents_open:i\", "
        "(SELECT count(*) FROM incident WHERE next_at < ?1 AND quarantined = 0) "
        "AS \"incidents_overdue:i\", "
        "(SELECT min(next_at) FROM incident WHERE next_at IS NOT NULL AND quarantined = 0) "
        "AS \"step_due:w\", "
        "(SELECT min(next_at) FROM checkin WHERE next_at IS NOT NULL AND quarantined = 0) "
        "AS \"checkin_due:w\", "
        "(SELECT min(next_at) FROM notice WHERE next_at IS NOT NULL AND quarantined = 0) "
        "AS \"notice_due:w\", "
        "(SELECT min(created_at) FROM notice WHERE next_at IS NOT NULL AND quarantined = 0 "
        "AND state IN ('queued', 'sending', 'failed_temp', 'unknown')) AS \"outbox_oldest:w\", "
        "(SELECT count(*) FROM quarantine WHERE freed_at IS NULL) AS \"quarantined:i\", "
        "(SELECT coalesce(max(size), 0) FROM log_head) AS \"log_size:i\", "
        "(SELECT count(*) FROM staff) AS \"staff:i\"",
        CK_ARGS(ck_int(now.ms - LATE_MS)), operations);
}

int ck_query_quarantine(struct ck_store *store, json_t **rows)
{
    return ck_sql_list(
        store,
        "SELECT kind AS \"kind:t\", row_id AS \"id:i\", at AS \"since:w\", reason AS "
        "\"error:t\" FROM quarantine WHERE freed_at IS NULL ORDER BY id LIMIT 1000",
        CK_NO_ARGS, rows);
}
