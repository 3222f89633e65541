#include "daemon/store/push.h"

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

#define OF_OWNER "coalesce(staff_id, 0) = ?1 AND coalesce(person_id, 0) = ?2"

int ck_push_insert(struct ck_store *store, int64_t staff, int64_t person, const char *subscription,
                   struct ck_wall now)
{
    int r = ck_push_remove(store, staff, person, subscription);
    r = r == 0
            ? ck_sql_run(store,
                         "INSERT INTO push (staff_id, person_id, subscription, created_at) "
                         "VALUES (?1, ?2, ?3, ?4)",
                         CK_ARGS(ck_id(staff), ck_id(person), ck_text(subscription), ck_time(now)))
            : r;
    return r == 0 ? ck_sql_run(store,
                               "DELETE FROM push WHERE " OF_OWNER " AND id NOT IN (SELECT id FROM "
                               "push WHERE " OF_OWNER " ORDER BY id DESC LIMIT ?3)",
                               CK_ARGS(ck_int(staff), ck_int(person), ck_int(CK_PUSH_BROWSERS_MAX)))
                  : r;
}

int ck_push_remove(struct ck_store *store, int64_t staff, int64_t person, const char *subscription)
{
    return ck_sql_run(store, "DELETE FROM push WHERE " OF_OWNER " AND subscription = ?3",
                      CK_ARGS(ck_int(staff), ck_int(person), ck_text(subscription)));
}

int ck_push_of(struct ck_store *store, int64_t staff, int64_t person, int64_t *ids, size_t capacity,
               size_t *count)
{
    return ck_sql_ids(store, "SELECT id FROM push WHERE " OF_OWNER " ORDER BY id DESC",
                      CK_ARGS(ck_int(staff), ck_int(person)), ids, capacity, count);
}

int ck_push_text(struct ck_store *store, int64_t id, char text[static CK_PUSH_TEXT_SIZE])
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, "SELECT subscription FROM push WHERE id = ?1",
                         CK_ARGS(ck_int(id)));
    if (r == 0) {
        ck_row_copy(&rows, 0, text, CK_PUSH_TEXT_SIZE);
    }
    return r;
}
