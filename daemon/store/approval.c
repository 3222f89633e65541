#include "daemon/store/approval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

void ck_approval_clear(struct ck_approval_row *row)
{
    free(row->body);
    free(row->reason);
    *row = (struct ck_approval_row){0};
}

int ck_approval_insert(struct ck_store *store, struct ck_approval_row *row)
{
    return ck_sql_insert(store,
                         "INSERT INTO approval (kind, unit_id, person_id, body, reason, "
                         "proposer_id, state, created_at, expires_at) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', ?7, ?8)",
                         CK_ARGS(ck_text(row->kind), ck_id(row->unit), ck_id(row->person),
                                 ck_text(row->body), ck_text(row->reason), ck_int(row->proposer),
                                 ck_time(row->created), ck_time(row->expires)),
                         &row->id);
}

int ck_approval_load(struct ck_store *store, int64_t id, struct ck_approval_row *row)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT id, kind, unit_id, person_id, body, reason, proposer_id, "
                         "created_at, expires_at, state FROM approval WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r != 0) {
        return r;
    }
    struct ck_approval_row read = {
        .id = ck_row_int(&rows, 0),
        .unit = ck_row_int(&rows, 2),
        .person = ck_row_int(&rows, 3),
        .body = strdup(ck_row_text(&rows, 4)),
        .reason = strdup(ck_row_text(&rows, 5)),
        .proposer = ck_row_int(&rows, 6),
        .created = ck_row_time(&rows, 7),
        .expires = ck_row_time(&rows, 8),
        .open = strcmp(ck_row_text(&rows, 9), "open") == 0,
    };
    ck_row_copy(&rows, 1, read.kind, sizeof read.kind);
    if (read.body == NULL || read.reason == NULL) {
        ck_approval_clear(&read);
        return -ENOMEM;
    }
    *row = read;
    return 0;
}

const char *ck_approval_end_name(enum ck_approval_end end)
{
    static const char *const names[] = {"approved", "refused", "withdrawn"};
    return names[end];
}

int ck_approval_end(struct ck_store *store, int64_t id, enum ck_approval_end end, int64_t staff,
                    const char *reason, struct ck_wall now)
{
    return ck_sql_must(store,
                       "UPDATE approval SET state = ?2, decided_by = ?3, decided_at = ?4, "
                       "decided_reason = ?5 WHERE id = ?1 AND state = 'open' "
                       "AND (?2 <> 'approved' OR proposer_id <> ?3)",
                       CK_ARGS(ck_int(id), ck_text(ck_approval_end_name(end)), ck_int(staff),
                               ck_time(now), ck_text(reason)),
                       CK_E_CONFLICT);
}

int ck_approval_approved(struct ck_store *store, int64_t id, struct ck_wall since,
                         int64_t *approver)
{
    return ck_sql_number(store,
                         "SELECT decided_by FROM approval WHERE id = ?1 AND state = 'approved' AND "
                         "decided_at > ?2",
                         CK_ARGS(ck_int(id), ck_time(since)), approver);
}

/* Nobody of the unit but the proposer could decide: every kind is decided by supervisors
 * (CK_ROLE_SUPERVISOR is 4). */
#define ALONE                                                                                      \
    "(a.unit_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM staff o WHERE o.unit_id = a.unit_id "    \
    "AND o.disabled_at IS NULL AND (o.roles & 4) <> 0 AND o.id <> a.proposer_id))"

int ck_approval_alone(struct ck_store *store, int64_t id, bool *alone)
{
    int64_t answer = 0;
    int r = ck_sql_number(store, "SELECT " ALONE " FROM approval a WHERE a.id = ?1",
                          CK_ARGS(ck_int(id)), &answer);
    *alone = answer != 0;
    return r;
}

int ck_approval_open_count(struct ck_store *store, int64_t unit, struct ck_wall now, int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM approval WHERE state = 'open' AND "
                         "coalesce(unit_id, 0) = ?1 AND expires_at > ?2",
                         CK_ARGS(ck_int(unit), ck_time(now)), count);
}

/* ---- pages ---- */

#define APPROVAL_COLUMNS                                                                           \
    "a.id AS \"id:i\", a.kind AS \"kind:t\", a.unit_id AS \"unit_id:i\", "                         \
    "a.person_id AS \"person_id:i\", person.name AS \"person_name:t\", a.body AS \"body:j\", "     \
    "a.reason AS \"reason:t\", a.proposer_id AS \"proposer_id:i\", p.name AS \"proposer:t\", "     \
    "a.created_at AS \"created:w\", a.expires_at AS \"expires:w\", "                               \
    "CASE WHEN a.state = 'open' AND a.expires_at <= ?4 THEN 'expired' ELSE a.state END "           \
    "AS \"state:t\", d.name AS \"decided_by:t\", a.decided_at AS \"decided:w\", "                  \
    "a.decided_reason AS \"decided_reason:t\", " ALONE " AS \"alone:f\""

#define APPROVAL_FROM                                                                              \
    " FROM approval a JOIN staff p ON p.id = a.proposer_id "                                       \
    "LEFT JOIN staff d ON d.id = a.decided_by LEFT JOIN person ON person.id = a.person_id "        \
    "WHERE (a.proposer_id = ?1 OR a.decided_by = ?1 OR ((a.unit_id IS NULL OR a.unit_id = ?2 "     \
    "OR (a.state = 'open' AND " ALONE ")) "                                                        \
    "AND ?3 LIKE '%,' || a.kind || ',%'))"

int ck_query_approvals(struct ck_store *store, const struct ck_approval_scope *scope, bool open,
                       int64_t before, struct ck_wall now, json_t **page)
{
    json_t *list = NULL;
    int r = ck_sql_list(store,
                        "SELECT " APPROVAL_COLUMNS APPROVAL_FROM
                        " AND (a.state = 'open' AND a.expires_at > ?4) = (?5 = 1) "
                        "AND (?6 = 0 OR a.id < ?6) ORDER BY a.id DESC LIMIT ?7",
                        CK_ARGS(ck_int(scope->staff), ck_int(scope->unit), ck_text(scope->kinds),
                                ck_int(now.ms), ck_int(open), ck_int(before),
                                ck_int(CK_QUERY_APPROVALS_MAX)),
                        &list);
    if (r != 0) {
        return r;
    }
    size_t count = json_array_size(list);
    json_t *next = count == CK_QUERY_APPROVALS_MAX
                       ? json_incref(json_object_get(json_array_get(list, count - 1), "id"))
                       : json_null();
    *page = json_pack("{s:o, s:o}", "approvals", list, "next", next);
    return *page == NULL ? -ENOMEM : 0;
}

int ck_query_approval(struct ck_store *store, const struct ck_approval_scope *scope, int64_t id,
                      struct ck_wall now, json_t **approval)
{
    return ck_sql_object(store, "SELECT " APPROVAL_COLUMNS APPROVAL_FROM " AND a.id = ?5",
                         CK_ARGS(ck_int(scope->staff), ck_int(scope->unit), ck_text(scope->kinds),
                                 ck_int(now.ms), ck_int(id)),
                         approval);
}
