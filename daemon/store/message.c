#include "daemon/store/message.h"

#include <errno.h>
#include <string.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_thread_key(struct ck_store *store, int64_t person, void *wrapped, size_t capacity,
                  size_t *size)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows,
                         "SELECT key FROM thread WHERE person_id = ?1 AND key IS NOT NULL",
                         CK_ARGS(ck_int(person)));
    if (r != 0) {
        return r;
    }
    size_t length = 0;
    const void *key = ck_row_blob(&rows, 0, &length);
    if (length > capacity) {
        return -EUCLEAN;
    }
    memcpy(wrapped, key, length);
    *size = length;
    return 0;
}

int ck_thread_insert(struct ck_store *store, int64_t person, const void *wrapped, size_t size,
                     struct ck_wall now)
{
    return ck_sql_run(store, "INSERT INTO thread (person_id, key, created_at) VALUES (?1, ?2, ?3)",
                      CK_ARGS(ck_int(person), ck_blob(wrapped, size), ck_time(now)));
}

int ck_message_insert(struct ck_store *store, struct ck_message_row *row, struct ck_wall now)
{
    int64_t earlier = 0;
    int r = ck_sql_number(
        store,
        "SELECT id FROM message WHERE person_id = ?1 AND "
        "coalesce(from_staff, 0) = ?2 AND client_id = ?3",
        CK_ARGS(ck_int(row->person), ck_int(row->from_staff), ck_text(row->client_id)), &earlier);
    if (r == 0) {
        row->id = earlier;
        return CK_E_CONFLICT;
    }
    if (r != CK_E_NOT_FOUND) {
        return r;
    }
    return ck_sql_insert(store,
                         "INSERT INTO message (person_id, from_staff, client_id, nonce, sealed, "
                         "sent_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                         CK_ARGS(ck_int(row->person), ck_id(row->from_staff),
                                 ck_text(row->client_id), ck_blob(row->nonce, CK_GCM_NONCE_SIZE),
                                 ck_blob(row->sealed, row->size), ck_time(now)),
                         &row->id);
}

int ck_message_author(struct ck_store *store, int64_t person, int64_t from_staff, char *name,
                      size_t size)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = from_staff != 0 ? ck_sql_query(store, &rows, "SELECT name FROM staff WHERE id = ?1",
                                           CK_ARGS(ck_int(from_staff)))
                            : ck_sql_query(store, &rows, "SELECT name FROM person WHERE id = ?1",
                                           CK_ARGS(ck_int(person)));
    r = r == 0 ? ck_rows_first(&rows) : r;
    if (r != 0) {
        return r;
    }
    ck_row_copy(&rows, 0, name, size);
    return 0;
}

int ck_message_delivered(struct ck_store *store, int64_t person, bool by_person, int64_t up_to,
                         struct ck_wall now, int64_t *changed)
{
    return ck_sql_change(store,
                         "UPDATE message SET delivered_at = ?4 WHERE person_id = ?1 AND id <= ?3 "
                         "AND (from_staff IS NOT NULL) = ?2 AND delivered_at IS NULL",
                         CK_ARGS(ck_int(person), ck_int(by_person), ck_int(up_to), ck_time(now)),
                         changed);
}

int ck_message_read(struct ck_store *store, int64_t person, bool by_person, int64_t up_to,
                    struct ck_wall now, int64_t *changed)
{
    return ck_sql_change(
        store,
        "UPDATE message SET read_at = ?4, delivered_at = coalesce(delivered_at, ?4) "
        "WHERE person_id = ?1 AND id <= ?3 AND (from_staff IS NOT NULL) = ?2 AND read_at IS NULL",
        CK_ARGS(ck_int(person), ck_int(by_person), ck_int(up_to), ck_time(now)), changed);
}

int ck_query_undelivered(struct ck_store *store, int64_t inspector, json_t **list)
{
    return ck_sql_list(
        store,
        "SELECT m.person_id AS \"person:i\", max(m.id) AS \"up_to:i\" FROM message m "
        "JOIN person p ON p.id = m.person_id WHERE m.from_staff IS NULL AND "
        "m.delivered_at IS NULL AND m.read_at IS NULL AND " CK_OF_CASELOAD(
            "p.inspector_id") " GROUP BY m.person_id LIMIT ?1",
        CK_ARGS(ck_int(CK_UNDELIVERED_MAX), ck_int(inspector)), list);
}
