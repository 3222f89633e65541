#include "daemon/store/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/store/sqlite_impl.h"
#include "daemon/store/store.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

static void db_closep(sqlite3 **db)
{
    sqlite3_close_v2(*db);
}

/* All pages in one step: one read transaction, so the copy is of one instant. */
static int copy_pages(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL) {
        return ck_sqlite_error(to, sqlite3_errcode(to));
    }
    int stepped = sqlite3_backup_step(backup, -1);
    int finished = sqlite3_backup_finish(backup);
    return ck_sqlite_error(to, stepped == SQLITE_DONE ? finished : stepped);
}

/* A copy that cannot be read is found now and not on the day that it is needed. */
static int check(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &statement, NULL);
    bool whole = code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW &&
                 strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
    sqlite3_finalize(statement);
    return whole ? 0 : -EUCLEAN;
}

static int fill(const char *path, const char *to)
{
    ck_cleanup(db_closep) sqlite3 *source = NULL;
    ck_cleanup(db_closep) sqlite3 *copy = NULL;
    int code = sqlite3_open_v2(path, &source, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    }
    int r = ck_sqlite_error(NULL, code);
    r = r == 0 ? copy_pages(source, copy) : r;
    r = r == 0 ? check(copy) : r;
    /* One file: whoever reads the copy leaves nothing beside it. */
    return r == 0 ? ck_sqlite_error(
                        copy, sqlite3_exec(copy, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL))
                  : r;
}

/* The file and the name of it. */
static int make_durable(int fd, const char *to)
{
    ck_cleanup(ck_freep) char *name = strdup(to);
    if (name == NULL) {
        return -ENOMEM;
    }
    ck_cleanup(ck_closep) int folder = open(dirname(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder < 0 || fsync(fd) != 0 || fsync(folder) != 0 ? -errno : 0;
}

int ck_store_copy(const char *path, const char *to)
{
    ck_cleanup(ck_store_closep) struct ck_store *store = NULL;
    int r = ck_store_open_reader(&store, path); /* it is one, and of this version */
    if (r != 0) {
        return r == CK_E_CONFLICT ? CK_E_SYNTAX : r;
    }
    ck_cleanup(ck_closep) int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == EEXIST ? CK_E_CONFLICT : -errno;
    }
    r = fill(path, to);
    r = r == 0 ? make_durable(fd, to) : r;
    if (r != 0) {
        (void)unlink(to); /* what failed is told; a rest of it would look like a copy */
    }
    return r;
}
