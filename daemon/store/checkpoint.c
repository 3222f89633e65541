#include "daemon/store/checkpoint.h"

#include <errno.h>

#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

int ck_log_checkpoint_insert(struct ck_store *store, const struct ck_log_checkpoint *checkpoint)
{
    return ck_sql_run(
        store, "INSERT INTO log_checkpoint (size, at, note) VALUES (?1, ?2, ?3)",
        CK_ARGS(ck_int(checkpoint->size), ck_time(checkpoint->at), ck_text(checkpoint->note)));
}

int ck_log_checkpoint_cosigned(struct ck_store *store, int64_t size, const char *note)
{
    return ck_sql_must(store, "UPDATE log_checkpoint SET note = ?2 WHERE size = ?1",
                       CK_ARGS(ck_int(size), ck_text(note)), CK_E_NOT_FOUND);
}

int ck_log_checkpoint_newest(struct ck_store *store, int64_t *size, struct ck_wall *at)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(
        store, &rows, "SELECT size, at FROM log_checkpoint ORDER BY size DESC LIMIT 1", CK_NO_ARGS);
    if (r == 0 || r == CK_E_NOT_FOUND) {
        *size = r == 0 ? ck_row_int(&rows, 0) : 0;
        *at = r == 0 ? ck_row_time(&rows, 1) : (struct ck_wall){0};
        r = 0;
    }
    return r;
}

int ck_log_checkpoint_at(struct ck_store *store, int64_t size, struct ck_wall *at)
{
    return ck_sql_number(store, "SELECT at FROM log_checkpoint WHERE size = ?1",
                         CK_ARGS(ck_int(size)), &at->ms);
}

int ck_log_checkpoint_covering(struct ck_store *store, int64_t size, int64_t *covers, char **note)
{
    int r = size == 0
                ? ck_sql_number(store, "SELECT max(size) FROM log_checkpoint", CK_NO_ARGS, covers)
                : ck_sql_number(store, "SELECT min(size) FROM log_checkpoint WHERE size >= ?1",
                                CK_ARGS(ck_int(size)), covers);
    if (r == 0 && *covers == 0) {
        r = CK_E_NOT_FOUND;
    }
    return r != 0 ? r
                  : ck_sql_text(store, "SELECT note FROM log_checkpoint WHERE size = ?1",
                                CK_ARGS(ck_int(*covers)), note);
}

int ck_log_checkpoint_list(struct ck_store *store, json_t **notes)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    json_t *list = json_array();
    int r =
        ck_sql_query(store, &rows, "SELECT note FROM log_checkpoint ORDER BY size DESC LIMIT ?1",
                     CK_ARGS(ck_int(CK_LOG_CHECKPOINTS_LISTED)));
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        r = json_array_append_new(list, json_string(ck_row_text(&rows, 0))) == 0 ? 0 : -ENOMEM;
    }
    if (r == 0) {
        *notes = list;
        return 0;
    }
    json_decref(list);
    return r;
}

int ck_log_checkpoint_walk(struct ck_store *store, ck_log_checkpoint_visit *visit, void *user)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_query(store, &rows, "SELECT size, at, note FROM log_checkpoint ORDER BY size",
                         CK_NO_ARGS);
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        const struct ck_log_checkpoint checkpoint = {.size = ck_row_int(&rows, 0),
                                                     .at = ck_row_time(&rows, 1),
                                                     .note = ck_row_text(&rows, 2)};
        r = visit(user, &checkpoint);
    }
    return r;
}

int ck_log_urgent(struct ck_store *store, int64_t from, bool *urgent)
{
    int64_t found = 0;
    int r = ck_sql_number(
        store,
        "SELECT EXISTS (SELECT 1 FROM log_plain WHERE idx >= ?1 AND (action IN "
        "('CHECKIN_OUTCOME', 'CHECKIN_CONCLUDED', 'PLAN_CREATED', 'PLAN_ENDED', 'PLAN_UNTIL', "
        "'ORDER_CREATED', 'ORDER_ENDED', 'RECORDING_VIEWED', 'RECORDING_CLOSED', "
        "'BUNDLE_EXPORTED', 'BUNDLE_BUILT', "
        "'LOG_EXPORTED', 'STORE_COPIED', 'STAFF_FAULT') OR action LIKE 'INCIDENT_%'))",
        CK_ARGS(ck_int(from)), &found);
    if (r == 0) {
        *urgent = found != 0;
    }
    return r;
}
