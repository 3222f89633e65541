#include "daemon/store/sql_impl.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/erase.h"
#include "daemon/store/migration_impl.h"
#include "daemon/store/sqlite_impl.h"
#include "daemon/store/store_impl.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define BUSY_TIMEOUT_MS 5000
#define APPLICATION_ID 0x636b6431 /* "ckd1" */
#define CACHE_SIZE 1024           /* slots; a power of two; half of them may be used */
#define SAVEPOINTS_MAX 4

struct cached {
    const char *sql;
    sqlite3_stmt *statement;
    uint32_t schedules; /* the kinds of which it may change what falls due when */
    bool writes;
};

struct ck_store {
    sqlite3 *db;
    bool reader;
    int savepoints;
    int whole;    /* so many of them, the outermost, stand where the transaction began */
    bool written; /* something, in this transaction */
    uint32_t
        next_known; /* kinds of which nothing has changed what falls due since `next` was read */
    struct ck_wall next[CK_DUE_KINDS];
    size_t cached_count;
    struct cached cache[CACHE_SIZE];
};

/* ---- errors ---- */

int ck_sqlite_error(sqlite3 *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
        return 0;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_CANTOPEN:
        return -EACCES;
    case SQLITE_IOERR:
        return db != NULL && sqlite3_system_errno(db) == ENOSPC ? -ENOSPC : -EIO;
    case SQLITE_CONSTRAINT:
        return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
                       code == SQLITE_CONSTRAINT_ROWID
                   ? CK_E_CONFLICT
                   : -EINVAL;
    default:
        return -EINVAL;
    }
}

static int error_of(struct ck_store *store, int code)
{
    return ck_sqlite_error(store == NULL ? NULL : store->db, code);
}

const char *ck_store_error(const struct ck_store *store)
{
    return sqlite3_errmsg(store->db);
}

/* ---- statements ---- */

static struct cached *cache_slot(struct ck_store *store, const char *sql)
{
    size_t at = ((uintptr_t)sql >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
    for (;; at++) {
        struct cached *slot = &store->cache[at % CACHE_SIZE];
        if (slot->sql == sql || slot->sql == NULL) {
            return slot;
        }
    }
}

static int prepare(struct ck_store *store, const char *sql, unsigned flags,
                   sqlite3_stmt **statement)
{
    int code = sqlite3_prepare_v3(store->db, sql, -1, flags, statement, NULL);
    return error_of(store, code == SQLITE_OK ? SQLITE_OK : sqlite3_extended_errcode(store->db));
}

/* Whoever writes a schedule names its column. */
static uint32_t schedules(sqlite3_stmt *statement)
{
    const char *sql = sqlite3_sql(statement);
    bool may = strstr(sql, "next_at") != NULL || strstr(sql, "lease_until") != NULL ||
               strstr(sql, "quarantined") != NULL;
    return may ? ck_sql_kinds_written(sql) : 0;
}

bool ck_sql_next_known(const struct ck_store *store, enum ck_due_kind kind, struct ck_wall *at)
{
    bool known = (store->next_known >> kind & 1) != 0;
    if (known) {
        *at = store->next[kind];
    }
    return known;
}

void ck_sql_next_learn(struct ck_store *store, enum ck_due_kind kind, struct ck_wall at)
{
    store->next_known |= UINT32_C(1) << kind;
    store->next[kind] = at;
}

/* A statement that nobody is stepping through: the cached one, or an extra one (not *kept) where a
 * query runs inside itself or the cache is full. */
static int statement_take(struct ck_store *store, const char *sql, sqlite3_stmt **statement,
                          bool *kept)
{
    struct cached *slot = cache_slot(store, sql);
    *kept = slot->sql != NULL && !sqlite3_stmt_busy(slot->statement);
    if (*kept) {
        *statement = slot->statement;
        store->next_known &= ~slot->schedules;
        store->written = store->written || slot->writes;
        return 0;
    }
    store->next_known = 0;
    store->written = true;
    if (slot->sql != NULL || store->cached_count >= CACHE_SIZE / 2) {
        return prepare(store, sql, 0, statement);
    }
    int r = prepare(store, sql, SQLITE_PREPARE_PERSISTENT, statement);
    if (r != 0) {
        return r;
    }
    slot->sql = sql;
    slot->statement = *statement;
    slot->writes = sqlite3_stmt_readonly(*statement) == 0;
    slot->schedules = slot->writes ? schedules(*statement) : 0;
    store->cached_count++;
    *kept = true;
    return 0;
}

static void statement_give(sqlite3_stmt *statement, bool kept)
{
    if (kept) {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
    } else {
        sqlite3_finalize(statement);
    }
}

static int bind(sqlite3_stmt *statement, struct ck_args args)
{
    assert((int)args.count == sqlite3_bind_parameter_count(statement));
    for (size_t i = 0; i < args.count; i++) {
        const struct ck_arg *arg = &args.at[i];
        int at = (int)i + 1, code = SQLITE_OK;
        switch (arg->kind) {
        case CK_ARG_NULL:
            code = sqlite3_bind_null(statement, at);
            break;
        case CK_ARG_INT:
            code = sqlite3_bind_int64(statement, at, arg->number);
            break;
        case CK_ARG_TEXT:
            code = sqlite3_bind_text(statement, at, arg->bytes, -1, SQLITE_STATIC);
            break;
        case CK_ARG_BLOB:
            code = sqlite3_bind_blob64(statement, at, arg->bytes, arg->size, SQLITE_STATIC);
            break;
        }
        if (code != SQLITE_OK) {
            return error_of(NULL, code);
        }
    }
    return 0;
}

int ck_sql_query(struct ck_store *store, struct ck_rows *rows, const char *sql, struct ck_args args)
{
    sqlite3_stmt *statement = NULL;
    bool kept = false;
    int r = statement_take(store, sql, &statement, &kept);
    if (r != 0) {
        return r;
    }
    r = bind(statement, args);
    if (r != 0) {
        statement_give(statement, kept);
        return r;
    }
    *rows = (struct ck_rows){.store = store, .statement = statement, .kept = kept};
    return 0;
}

int ck_rows_next(struct ck_rows *rows)
{
    int code = sqlite3_step(rows->statement);
    if (code == SQLITE_ROW) {
        return 1;
    }
    return error_of(rows->store, code);
}

void ck_rows_close(struct ck_rows *rows)
{
    if (rows->statement != NULL) {
        statement_give(rows->statement, rows->kept);
        *rows = CK_ROWS_INIT;
    }
}

int ck_sql_change(struct ck_store *store, const char *sql, struct ck_args args, int64_t *changed)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_query(store, &rows, sql, args);
    if (r != 0) {
        return r;
    }
    r = ck_rows_next(&rows);
    if (r != 0) {
        return r == 1 ? -EINVAL : r;
    }
    *changed = sqlite3_changes64(store->db);
    return 0;
}

int ck_sql_run(struct ck_store *store, const char *sql, struct ck_args args)
{
    int64_t changed = 0;
    return ck_sql_change(store, sql, args, &changed);
}

int ck_sql_insert(struct ck_store *store, const char *sql, struct ck_args args, int64_t *id)
{
    int r = ck_sql_run(store, sql, args);
    if (r == 0) {
        *id = sqlite3_last_insert_rowid(store->db);
    }
    return r;
}

int ck_sql_number(struct ck_store *store, const char *sql, struct ck_args args, int64_t *number)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(store, &rows, sql, args);
    if (r != 0) {
        return r;
    }
    *number = ck_row_int(&rows, 0);
    return 0;
}

/* ---- columns ---- */

int64_t ck_row_int(const struct ck_rows *rows, int column)
{
    return sqlite3_column_int64(rows->statement, column);
}

struct ck_wall ck_row_time(const struct ck_rows *rows, int column)
{
    return (struct ck_wall){sqlite3_column_int64(rows->statement, column)};
}

const char *ck_row_text(const struct ck_rows *rows, int column)
{
    return (const char *)sqlite3_column_text(rows->statement, column);
}

const void *ck_row_blob(const struct ck_rows *rows, int column, size_t *size)
{
    const void *bytes = sqlite3_column_blob(rows->statement, column);
    *size = (size_t)sqlite3_column_bytes(rows->statement, column);
    return bytes;
}

bool ck_row_null(const struct ck_rows *rows, int column)
{
    return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

int ck_row_columns(const struct ck_rows *rows)
{
    return sqlite3_column_count(rows->statement);
}

const char *ck_row_name(const struct ck_rows *rows, int column)
{
    return sqlite3_column_name(rows->statement, column);
}

/* ---- transactions ---- */

int ck_store_begin(struct ck_store *store)
{
    assert(!store->reader && store->savepoints == 0);
    int r = ck_sql_run(store, "BEGIN IMMEDIATE", CK_NO_ARGS);
    store->written = false;
    return r;
}

/* The first read after a commit writes a read mark into the -shm file
 * (https://sqlite.org/walformat.html, section 2.1), and a write into a mapped file waits where its
 * file system stands still: whoever came first would wait while it holds that mark, and every other
 * reader behind it. So the first read is made here, while the disk has just shown that it goes:
 * later ones find the mark and only take locks. */
static void raise_read_mark(struct ck_store *store)
{
    int64_t one;
    /* Whatever it says, the transaction is committed; the next use of the connection says it again.
     */
    (void)ck_sql_number(store, "SELECT 1 FROM sqlite_schema LIMIT 1", CK_NO_ARGS, &one);
}

int ck_store_commit(struct ck_store *store)
{
    assert(store->savepoints == 0);
    int r = ck_sql_run(store, "COMMIT", CK_NO_ARGS);
    if (r == 0) {
        raise_read_mark(store);
    }
    return r;
}

void ck_store_rollback(struct ck_store *store)
{
    store->savepoints = 0;
    store->whole = 0;
    if (sqlite3_get_autocommit(store->db) == 0) {
        /* It cannot fail in a way that leaves the transaction open. */
        (void)ck_sql_run(store, "ROLLBACK", CK_NO_ARGS);
    }
}

/* Under a savepoint SQLite keeps what each page was before. Where nothing has been written yet,
 * that is what the transaction began with: rolling it back and beginning again undoes as much. */
int ck_store_savepoint(struct ck_store *store)
{
    static const char *const begin[SAVEPOINTS_MAX] = {"SAVEPOINT s0", "SAVEPOINT s1",
                                                      "SAVEPOINT s2", "SAVEPOINT s3"};
    assert(store->savepoints < SAVEPOINTS_MAX);
    if (!store->written) {
        store->whole = ++store->savepoints;
        return 0;
    }
    int r = ck_sql_run(store, begin[store->savepoints], CK_NO_ARGS);
    if (r == 0) {
        store->savepoints++;
    }
    return r;
}

int ck_store_release(struct ck_store *store)
{
    static const char *const release[SAVEPOINTS_MAX] = {"RELEASE s0", "RELEASE s1", "RELEASE s2",
                                                        "RELEASE s3"};
    assert(store->savepoints > 0);
    store->savepoints--;
    if (store->savepoints < store->whole) {
        store->whole = store->savepoints;
        return 0;
    }
    return ck_sql_run(store, release[store->savepoints], CK_NO_ARGS);
}

/* Undoes and ends the innermost savepoint, which stands where the transaction began. */
static int begin_again(struct ck_store *store)
{
    int outer = store->savepoints - 1;
    if (!store->written) {
        store->savepoints = store->whole = outer;
        return 0;
    }
    ck_store_rollback(store);
    int r = ck_store_begin(store);
    if (r == 0) {
        store->savepoints = store->whole = outer;
    }
    return r;
}

int ck_store_undo(struct ck_store *store)
{
    static const char *const undo[SAVEPOINTS_MAX] = {"ROLLBACK TO s0", "ROLLBACK TO s1",
                                                     "ROLLBACK TO s2", "ROLLBACK TO s3"};
    assert(store->savepoints > 0);
    if (store->savepoints == store->whole) {
        return begin_again(store);
    }
    int r = ck_sql_run(store, undo[store->savepoints - 1], CK_NO_ARGS);
    if (r != 0) {
        store->savepoints--;
        return r;
    }
    return ck_store_release(store);
}

int ck_store_view(struct ck_store *store)
{
    return ck_sql_run(store, "BEGIN", CK_NO_ARGS);
}

void ck_store_view_end(struct ck_store *store)
{
    ck_store_rollback(store);
}

int ck_store_relax(struct ck_store *store, bool relaxed)
{
    return error_of(
        store, sqlite3_exec(store->db,
                            relaxed ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL",
                            NULL, NULL, NULL));
}

int ck_store_scrub(struct ck_store *store)
{
    sqlite3_busy_timeout(store->db, 0); /* the engine waits for no reader */
    int r = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
    return r == SQLITE_BUSY || r == SQLITE_LOCKED ? CK_E_BUSY : error_of(store, r);
}

/* ---- opening ---- */

static int pragma_number(struct ck_store *store, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement = NULL;
    int r = prepare(store, sql, 0, &statement);
    if (r != 0) {
        return r;
    }
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? 0 : error_of(store, code);
}

static int run_script(struct ck_store *store, const char *sql)
{
    store->next_known = 0;
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return error_of(store, code == SQLITE_OK ? SQLITE_OK : sqlite3_extended_errcode(store->db));
}

static int migrate_to(struct ck_store *store, int version, const char *sql)
{
    char mark[96];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, version);
    int r = run_script(store, "BEGIN IMMEDIATE");
    if (r == 0) {
        r = run_script(store, sql);
    }
    if (r == 0) {
        r = run_script(store, mark);
    }
    if (r == 0) {
        r = run_script(store, "COMMIT");
    }
    if (r != 0) {
        ck_store_rollback(store);
    }
    return r;
}

/* CK_E_CONFLICT: newer than we are; CK_E_SYNTAX: a database of somebody else. */
static int version_of(struct ck_store *store, int64_t *version)
{
    int64_t application = 0, tables = 0;
    int r = pragma_number(store, "PRAGMA application_id", &application);
    if (r == 0) {
        r = pragma_number(store, "SELECT count(*) FROM sqlite_schema", &tables);
    }
    if (r == 0) {
        r = pragma_number(store, "PRAGMA user_version", version);
    }
    if (r != 0) {
        return r == -EUCLEAN ? CK_E_SYNTAX : r;
    }
    if (application != APPLICATION_ID && tables > 0) {
        return CK_E_SYNTAX;
    }
    return *version > ck_store_schema_version() ? CK_E_CONFLICT : 0;
}

static int migrate(struct ck_store *store, int last)
{
    int64_t version = 0;
    int r = version_of(store, &version);
    for (int next = (int)version + 1; r == 0 && next <= last; next++) {
        r = migrate_to(store, next, ck_migrations[next - 1]);
    }
    return r;
}

/* Before the library is used for the first time in the process; later it has no effect. Counting
 * what is allocated costs a lock at every allocation. */
static void configure_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int open_file(struct ck_store **out, const char *path, int flags)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ck_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return -ENOMEM;
    }
    (void)pthread_once(&once, configure_library);
    int code =
        sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    if (code != SQLITE_OK) {
        int r =
            error_of(store, store->db == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(store->db));
        ck_store_close(store);
        return r;
    }
    sqlite3_extended_result_codes(store->db, 1);
    /* Plans never depend on the values that are bound: otherwise a statement that compares one with
     * the condition of a partial index is prepared anew at every run. */
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
    sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
    *out = store;
    return 0;
}

int ck_store_open_version(struct ck_store **store, const char *path, int version)
{
    ck_cleanup(ck_store_closep) struct ck_store *opened = NULL;
    int r = open_file(&opened, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (r == 0) {
        assert(opened != NULL);
        /* Deleted keys must be gone from the file too, hence secure_delete. The cache is small on
         * purpose: a commit that split a page looks at every page in it
         * (sqlite3PcacheTruncate()), while a page that is not in it is one copy away. */
        r = run_script(opened, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                               "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
                               "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
                               "PRAGMA cache_size = -16384; PRAGMA mmap_size = 0;"
                               "PRAGMA wal_autocheckpoint = 4000");
        r = r == -EUCLEAN ? CK_E_SYNTAX : r;
    }
    if (r == 0) {
        r = migrate(opened, version);
    }
    if (r == 0) {
        *store = ck_take(opened);
    }
    return r;
}

int ck_store_open(struct ck_store **store, const char *path)
{
    return ck_store_open_version(store, path, ck_store_schema_version());
}

int ck_store_open_reader(struct ck_store **store, const char *path)
{
    ck_cleanup(ck_store_closep) struct ck_store *opened = NULL;
    int r = open_file(&opened, path, SQLITE_OPEN_READONLY);
    if (r != 0) {
        return r == -EACCES ? CK_E_NOT_FOUND : r;
    }
    assert(opened != NULL);
    opened->reader = true;
    int64_t version = 0;
    r = run_script(opened, "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;"
                           "PRAGMA temp_store = MEMORY");
    if (r == 0) {
        r = version_of(opened, &version);
    }
    if (r == 0 && version != ck_store_schema_version()) {
        r = CK_E_CONFLICT;
    }
    if (r == 0) {
        *store = ck_take(opened);
    }
    return r;
}

void ck_store_close(struct ck_store *store)
{
    if (store == NULL) {
        return;
    }
    if (store->db != NULL) {
        ck_store_rollback(store);
    }
    for (size_t i = 0; i < CACHE_SIZE; i++) {
        sqlite3_finalize(store->cache[i].statement);
    }
    sqlite3_close_v2(store->db);
    free(store);
}

void ck_store_closep(struct ck_store **store)
{
    ck_store_close(*store);
}

int ck_store_schema_version(void)
{
    return ck_migration_count;
}
