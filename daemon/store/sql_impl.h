/* Statements, for the files of this folder only. The SQL is the dialect that SQLite and PostgreSQL
 * share, with parameters written ?1, ?2, …; only sql_sqlite.c knows the library (and copy.c).
 *
 *     struct ck_rows rows = CK_ROWS_INIT;            // ck_cleanup(ck_rows_close)
 *     int r = ck_sql_query(store, &rows, "SELECT id, name FROM person WHERE unit_id = ?1",
 *                          CK_ARGS(ck_int(unit)));
 *     while (r == 0 && (r = ck_rows_next(&rows)) == 1) { … ck_row_int(&rows, 0) …; r = 0; }
 *
 * or, for one row and no columns, ck_sql_run(). Statements are cached by the address of their text:
 * SQL is always a literal. */
#ifndef DAEMON_STORE_SQL_IMPL_H
#define DAEMON_STORE_SQL_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/store/store.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/time.h"

enum ck_arg_kind { CK_ARG_NULL, CK_ARG_INT, CK_ARG_TEXT, CK_ARG_BLOB };

struct ck_arg {
    enum ck_arg_kind kind;
    int64_t number;
    const void *bytes;
    size_t size;
};

static inline struct ck_arg ck_null(void)
{
    return (struct ck_arg){.kind = CK_ARG_NULL};
}

static inline struct ck_arg ck_int(int64_t number)
{
    return (struct ck_arg){.kind = CK_ARG_INT, .number = number};
}

/* An id or a count where 0 means "none". */
static inline struct ck_arg ck_id(int64_t id)
{
    return (struct ck_arg){.kind = id == 0 ? CK_ARG_NULL : CK_ARG_INT, .number = id};
}

/* A time where 0 means "not set". */
static inline struct ck_arg ck_time(struct ck_wall at)
{
    return ck_id(at.ms);
}

/* NULL text is a null. The text must live until the statement was run or its rows closed. */
static inline struct ck_arg ck_text(const char *text)
{
    return (struct ck_arg){.kind = text == NULL ? CK_ARG_NULL : CK_ARG_TEXT, .bytes = text};
}

static inline struct ck_arg ck_blob(const void *bytes, size_t size)
{
    return (struct ck_arg){
        .kind = bytes == NULL ? CK_ARG_NULL : CK_ARG_BLOB, .bytes = bytes, .size = size};
}

struct ck_args {
    const struct ck_arg *at;
    size_t count;
};

#define CK_ARGS(...)                                                                               \
    ((struct ck_args){(const struct ck_arg[]){__VA_ARGS__},                                        \
                      sizeof((const struct ck_arg[]){__VA_ARGS__}) / sizeof(struct ck_arg)})
#define CK_NO_ARGS ((struct ck_args){NULL, 0})

/* Runs a statement that gives no rows (INSERT, UPDATE, DELETE). CK_E_CONFLICT where a UNIQUE
 * constraint refused it. */
int ck_sql_run(struct ck_store *store, const char *sql, struct ck_args args);

/* The same; *changed is the number of rows it touched. */
int ck_sql_change(struct ck_store *store, const char *sql, struct ck_args args, int64_t *changed);

/* The same where at least one row must be touched: `none` (an enum ck_error) where none was. */
int ck_sql_must(struct ck_store *store, const char *sql, struct ck_args args, int none);

/* An INSERT of one row with an id: *id is the new row's. */
int ck_sql_insert(struct ck_store *store, const char *sql, struct ck_args args, int64_t *id);

/* The first column of the first row as a number; CK_E_NOT_FOUND where there is no row. NULL reads
 * as 0. */
int ck_sql_number(struct ck_store *store, const char *sql, struct ck_args args, int64_t *number);

/* The first column of the first row as a text that the caller frees; CK_E_NOT_FOUND where there is
 * no row. */
int ck_sql_text(struct ck_store *store, const char *sql, struct ck_args args, char **text);

struct ck_rows {
    struct ck_store *store;
    void *statement;
    bool kept; /* the statement is the cache's */
};

#define CK_ROWS_INIT ((struct ck_rows){NULL, NULL, false})

int ck_sql_query(struct ck_store *store, struct ck_rows *rows, const char *sql,
                 struct ck_args args);
int ck_rows_next(struct ck_rows *rows); /* 1: a row; 0: no more; negative errno */
void ck_rows_close(struct ck_rows *rows);

/* Steps to the first row of a query, or runs one and does: CK_E_NOT_FOUND where there is none. */
int ck_rows_first(struct ck_rows *rows);
int ck_sql_first(struct ck_store *store, struct ck_rows *rows, const char *sql,
                 struct ck_args args);

/* The first column of at most `capacity` rows as ids. *count is set on success only. */
int ck_sql_ids(struct ck_store *store, const char *sql, struct ck_args args, int64_t *ids,
               size_t capacity, size_t *count);

/* Columns of the present row, from 0. Pointers live until the next ck_rows_next(). */
int64_t ck_row_int(const struct ck_rows *rows, int column);                    /* null: 0 */
struct ck_wall ck_row_time(const struct ck_rows *rows, int column);            /* null: 0 */
const char *ck_row_text(const struct ck_rows *rows, int column);               /* null: NULL */
const void *ck_row_blob(const struct ck_rows *rows, int column, size_t *size); /* null: NULL */
bool ck_row_null(const struct ck_rows *rows, int column);
int ck_row_columns(const struct ck_rows *rows);
const char *ck_row_name(const struct ck_rows *rows, int column);

/* When the next row of a kind falls due, as long as no statement of this connection may have
 * changed it (one that writes next_at, lease_until or quarantined of its table); false where it
 * must be read. */
bool ck_sql_next_known(const struct ck_store *store, enum ck_due_kind kind, struct ck_wall *at);
void ck_sql_next_learn(struct ck_store *store, enum ck_due_kind kind, struct ck_wall at);

/* The kinds whose schedule a statement may write, a bit each; for one that names no table of theirs
 * all of them. */
uint32_t ck_sql_kinds_written(const char *sql);

/* Copies a text column into a fixed place, cut at a character's boundary; null gives "". */
void ck_row_copy(const struct ck_rows *rows, int column, char *to, size_t size);

/* Whether an inspector's id in `column` is that of ?2, or of somebody whose stand-in ?2 is now. */
#define CK_OF_CASELOAD(column)                                                                     \
    "(" column " = ?2 OR " column " IN (SELECT inspector_id FROM cover WHERE staff_id = ?2))"

/* ---- rows as JSON ----
 *
 * Columns named "member:kind" become members: kind `i` integer (null stays null), `t` text, `w`
 * wall time (RFC 3339), `f` flag (true, false), `j` JSON text embedded, `h` blob in hexadecimal,
 * `r` roles as a list of names. Example: SELECT id AS "id:i", opened_at AS "opened:w". */

/* The present row as a new object; NULL where memory ends or a column is misnamed. */
json_t *ck_row_json(const struct ck_rows *rows);

/* The whole result as a new array. */
int ck_sql_list(struct ck_store *store, const char *sql, struct ck_args args, json_t **list);

/* The first row as a new object; CK_E_NOT_FOUND where there is none. */
int ck_sql_object(struct ck_store *store, const char *sql, struct ck_args args, json_t **object);

/* A wall time as JSON: a string, or null for 0. Roles as a list of names. */
json_t *ck_json_time(struct ck_wall at);
json_t *ck_json_roles(int64_t roles);

/* For `ck_cleanup(ck_json_decrefp) json_t *object = NULL;`. */
static inline void ck_json_decrefp(json_t **value)
{
    json_decref(*value);
}

#endif
