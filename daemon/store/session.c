#include "daemon/store/session.h"

#include "daemon/store/opened_case.h"
#include "daemon/store/roster.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_session_find(struct ck_store *store, const uint8_t token_hash[static CK_SHA256_SIZE],
                    struct ck_wall now, struct ck_session *session)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_query(
        store, &rows,
        "SELECT session.id, staff_id, session.person_id, checkin_id, "
        "coalesce(staff.unit_id, person.unit_id), staff.roles, session.created_at, seen_at, "
        "expires_at, staff.must_change, staff.totp_key IS NOT NULL FROM session LEFT JOIN staff ON "
        "staff.id = staff_id "
        "LEFT JOIN person ON person.id = session.person_id "
        "WHERE token_hash = ?1 AND revoked_at IS NULL AND expires_at > ?2 "
        "AND staff.disabled_at IS NULL",
        CK_ARGS(ck_blob(token_hash, CK_SHA256_SIZE), ck_time(now)));
    r = r == 0 ? ck_rows_first(&rows) : r;
    if (r != 0) {
        return r;
    }
    *session = (struct ck_session){.id = ck_row_int(&rows, 0),
                                   .staff = ck_row_int(&rows, 1),
                                   .person = ck_row_int(&rows, 2),
                                   .checkin = ck_row_int(&rows, 3),
                                   .unit = ck_row_int(&rows, 4),
                                   .roles = ck_row_int(&rows, 5),
                                   .created = ck_row_time(&rows, 6),
                                   .seen = ck_row_time(&rows, 7),
                                   .expires = ck_row_time(&rows, 8),
                                   .must_change = ck_row_int(&rows, 9) != 0,
                                   .second_factor = ck_row_int(&rows, 10) != 0};
    size_t covers = 0, opened = 0;
    if (session->staff == 0) {
        return 0;
    }
    r = ck_cover_of(store, session->staff, session->covers, CK_SESSION_COVERS_MAX, &covers);
    return r == 0 ? ck_opened_of(store, session->staff, now, session->opened, CK_SESSION_OPENED_MAX,
                                 &opened)
                  : r;
}

int ck_session_insert_staff(struct ck_store *store, const uint8_t token_hash[static CK_SHA256_SIZE],
                            int64_t staff, const char *peer, const char *device, struct ck_wall now,
                            struct ck_wall expires, int64_t *id)
{
    return ck_sql_insert(store,
                         "INSERT INTO session (token_hash, staff_id, created_at, seen_at, "
                         "expires_at, peer, device) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
                         CK_ARGS(ck_blob(token_hash, CK_SHA256_SIZE), ck_int(staff), ck_time(now),
                                 ck_time(expires), ck_text(peer), ck_text(device)),
                         id);
}

int ck_session_touch(struct ck_store *store, int64_t id, struct ck_wall now, struct ck_wall expires)
{
    return ck_sql_run(
        store,
        "UPDATE session SET seen_at = ?2, expires_at = CASE WHEN expires_at > ?3 THEN "
        "expires_at ELSE ?3 END WHERE id = ?1 AND staff_id IS NOT NULL "
        "AND expires_at > ?2",
        CK_ARGS(ck_int(id), ck_time(now), ck_time(expires)));
}

int ck_session_revoke(struct ck_store *store, int64_t id, struct ck_wall now)
{
    return ck_sql_run(store,
                      "UPDATE session SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                      CK_ARGS(ck_int(id), ck_time(now)));
}

int ck_session_staff(struct ck_store *store, int64_t id, struct ck_wall now, int64_t *staff)
{
    return ck_sql_number(store,
                         "SELECT staff_id FROM session WHERE id = ?1 AND staff_id IS NOT NULL AND "
                         "revoked_at IS NULL AND expires_at > ?2",
                         CK_ARGS(ck_int(id), ck_time(now)), staff);
}

int ck_session_list(struct ck_store *store, int64_t staff, int64_t current, struct ck_wall now,
                    json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT id AS \"id:i\", created_at AS \"created:w\", seen_at AS "
        "\"seen:w\", expires_at AS \"expires:w\", peer AS \"peer:t\", device AS "
        "\"device:t\", id = ?2 AS \"current:f\" FROM session WHERE staff_id = ?1 "
        "AND revoked_at IS NULL AND expires_at > ?3 ORDER BY id DESC LIMIT ?4",
        CK_ARGS(ck_int(staff), ck_int(current), ck_time(now), ck_int(CK_SESSIONS_MAX)), list);
}

int ck_session_revoke_staff(struct ck_store *store, int64_t staff, int64_t but, struct ck_wall now,
                            int64_t *ids, size_t capacity, size_t *count)
{
    int r = ck_sql_ids(store,
                       "SELECT id FROM session WHERE staff_id = ?1 AND id <> ?2 AND "
                       "revoked_at IS NULL ORDER BY id DESC",
                       CK_ARGS(ck_int(staff), ck_int(but)), ids, capacity, count);
    if (r != 0) {
        return r;
    }
    return ck_sql_run(store,
                      "UPDATE session SET revoked_at = ?3 WHERE staff_id = ?1 AND id <> ?2 AND "
                      "revoked_at IS NULL",
                      CK_ARGS(ck_int(staff), ck_int(but), ck_time(now)));
}

int ck_session_set_device(struct ck_store *store, int64_t id, int64_t device)
{
    return ck_sql_run(store, "UPDATE session SET device_id = ?2 WHERE id = ?1",
                      CK_ARGS(ck_int(id), ck_int(device)));
}

int ck_session_revoke_device(struct ck_store *store, int64_t device, struct ck_wall now,
                             int64_t *ids, size_t capacity, size_t *count)
{
    int r = ck_sql_ids(store,
                       "SELECT id FROM session WHERE device_id = ?1 AND revoked_at IS NULL AND "
                       "expires_at > ?2 ORDER BY id DESC",
                       CK_ARGS(ck_int(device), ck_time(now)), ids, capacity, count);
    return r != 0 ? r
                  : ck_sql_run(store,
                               "UPDATE session SET revoked_at = ?2 WHERE device_id = ?1 AND "
                               "revoked_at IS NULL",
                               CK_ARGS(ck_int(device), ck_time(now)));
}

static int read_login(struct ck_rows *rows, struct ck_login *found)
{
    int r = ck_rows_first(rows);
    if (r != 0) {
        return r;
    }
    *found = (struct ck_login){.staff = ck_row_int(rows, 0),
                               .unit = ck_row_int(rows, 1),
                               .roles = ck_row_int(rows, 2),
                               .disabled = ck_row_int(rows, 3) != 0};
    ck_row_copy(rows, 4, found->password, sizeof found->password);
    return 0;
}

int ck_login_find(struct ck_store *store, const char *login, struct ck_login *found)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_query(store, &rows,
                         "SELECT id, unit_id, roles, disabled_at IS NOT NULL, password FROM staff "
                         "WHERE login = ?1",
                         CK_ARGS(ck_text(login)));
    return r == 0 ? read_login(&rows, found) : r;
}

int ck_login_of_staff(struct ck_store *store, int64_t staff, struct ck_login *found)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_query(store, &rows,
                         "SELECT id, unit_id, roles, disabled_at IS NOT NULL, password FROM staff "
                         "WHERE id = ?1",
                         CK_ARGS(ck_int(staff)));
    return r == 0 ? read_login(&rows, found) : r;
}
