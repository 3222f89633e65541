#include "daemon/store/wrapped.h"

#include <errno.h>
#include <string.h>

#include "daemon/store/sql_impl.h"

/* SQL names no table by a parameter: two statements for each column, in the order of
 * enum ck_wrapped. */
#define COLUMNS(statement)                                                                         \
    {                                                                                              \
        statement("recording", "id", "key"), statement("photo", "id", "key"),                      \
            statement("thread", "id", "key"), statement("assessment", "id", "key"),                \
            statement("confidence", "id", "key"), statement("draw_key", "id", "wrapped"),          \
            statement("staff", "id", "totp_key"), statement("staff", "id", "totp_pending")         \
    }

const char *ck_wrapped_name(enum ck_wrapped wrapped)
{
#define NAME(table, id, column) table "." column
    static const char *const names[] = COLUMNS(NAME);
    _Static_assert(sizeof names / sizeof names[0] == CK_WRAPPED_COUNT, "one name a column");
    return names[wrapped];
}

int ck_wrapped_list(struct ck_store *store, enum ck_wrapped wrapped, int64_t after,
                    struct ck_wrapped_row *rows, size_t capacity, size_t *count)
{
#define LIST(table, id, column)                                                                    \
    "SELECT " id ", " column " FROM " table " WHERE " id " > ?1 AND " column                       \
    " IS NOT NULL ORDER BY " id " LIMIT ?2"
    static const char *const sql[] = COLUMNS(LIST);
    ck_cleanup(ck_rows_close) struct ck_rows found = CK_ROWS_INIT;
    size_t read = 0;
    int r = ck_sql_query(store, &found, sql[wrapped],
                         CK_ARGS(ck_int(after), ck_int((int64_t)capacity)));
    while (r == 0 && read < capacity && (r = ck_rows_next(&found)) == 1) {
        struct ck_wrapped_row *row = &rows[read++];
        const void *bytes = ck_row_blob(&found, 1, &row->size);
        row->id = ck_row_int(&found, 0);
        if (row->size > sizeof row->bytes) {
            return -EUCLEAN;
        }
        memcpy(row->bytes, bytes, row->size);
        r = 0;
    }
    if (r == 0) {
        *count = read;
    }
    return r;
}

int ck_wrapped_save(struct ck_store *store, enum ck_wrapped wrapped,
                    const struct ck_wrapped_row *row)
{
#define SAVE(table, id, column) "UPDATE " table " SET " column " = ?2 WHERE " id " = ?1"
    static const char *const sql[] = COLUMNS(SAVE);
    return ck_sql_run(store, sql[wrapped],
                      CK_ARGS(ck_int(row->id), ck_blob(row->bytes, row->size)));
}
