#include "tests/sim/fault_vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "tests/sim/memory_vfs.h"

static struct fault_vfs switches;
static sqlite3_vfs *base; /* what everything is handed on to */

struct file {
    sqlite3_file base;
    const char *path;   /* a kept_name(); NULL for files without a name */
    int flags;          /* that it was opened with */
    sqlite3_file *real; /* behind this struct in the same memory */
};

/* What stood where an unsynced write went; newest first. */
struct undo {
    struct undo *older;
    const char *path;
    sqlite3_int64 file_size;
    sqlite3_int64 offset;
    int flags; /* that the file was opened with */
    int size;
    bool torn; /* nothing was kept: zeros will do */
    unsigned char bytes[];
};

static struct undo *undos;
static bool tracking;
static bool dead;
static int64_t lost;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

/* Counts one operation that changes the disk; what it is to fail with, or SQLITE_OK. */
static int operation(void)
{
    int64_t number = switches.writes + switches.syncs;
    if (number == switches.crash_at && switches.crash != NULL) {
        switches.crash();
    }
    if (switches.broken || number == switches.fail_at) {
        return SQLITE_IOERR_WRITE;
    }
    return SQLITE_OK;
}

/* ---- power loss ---- */

/* Undos of a page are kept for the next ones. */
#define PAGE 4096
static struct undo *spare;

static struct undo *undo_new(int size)
{
    struct undo *undo = spare;
    if (undo != NULL && size <= PAGE) {
        spare = undo->older;
        return undo;
    }
    undo = malloc(sizeof(*undo) + (size_t)(size > PAGE ? size : PAGE));
    if (undo == NULL) {
        abort();
    }
    return undo;
}

static void drop(struct undo *undo)
{
    if (undo->torn || undo->size <= PAGE) {
        undo->older = spare;
        spare = undo;
    } else {
        free(undo);
    }
}

/* SQLite's name of a file dies with its handle; ours stays. */
static const char *kept_name(const char *text)
{
    struct name {
        struct name *next;
        char text[];
    };
    static struct name *names;
    struct name *name = names;
    while (name != NULL && strcmp(name->text, text) != 0) {
        name = name->next;
    }
    if (name == NULL) {
        name = malloc(sizeof(*name) + strlen(text) + 1);
        if (name == NULL) {
            abort();
        }
        strcpy(name->text, text);
        name->next = names;
        names = name;
    }
    return name->text;
}

/* Of a write-ahead log only where it was written is kept: old frames and torn ones are the same to
 * whoever reads it, and the power may leave either. */
static bool extend(struct file *file, sqlite3_int64 offset, int size)
{
    bool follows = undos != NULL && undos->path == file->path && undos->torn &&
                   undos->offset + undos->size == offset;
    if (follows) {
        undos->size += size;
    }
    return follows;
}

static void remember(sqlite3_file *file, sqlite3_int64 offset, int size)
{
    const char *path = ((struct file *)file)->path;
    bool torn = (((struct file *)file)->flags & SQLITE_OPEN_WAL) != 0;
    sqlite3_int64 have = 0;
    if (!tracking || path == NULL || (torn && extend((struct file *)file, offset, size))) {
        return;
    }
    real_of(file)->pMethods->xFileSize(real_of(file), &have);
    if (torn) {
        struct undo *undo = undo_new(0);
        *undo = (struct undo){.older = undos,
                              .path = path,
                              .torn = true,
                              .file_size = have,
                              .offset = offset,
                              .size = size,
                              .flags = ((struct file *)file)->flags};
        undos = undo;
        return;
    }
    int kept = offset >= have ? 0 : have - offset < size ? (int)(have - offset) : size;
    struct undo *undo = undo_new(kept);
    undo->path = path;
    undo->file_size = have;
    undo->offset = offset;
    undo->flags = ((struct file *)file)->flags;
    undo->size = kept;
    undo->torn = false;
    if (kept > 0) {
        real_of(file)->pMethods->xRead(real_of(file), undo->bytes, kept, offset);
    }
    undo->older = undos;
    undos = undo;
}

static void forget(const char *path)
{
    struct undo **at = &undos;
    while (*at != NULL) {
        struct undo *undo = *at;
        if (path != NULL && strcmp(undo->path, path) != 0) {
            at = &undo->older;
            continue;
        }
        *at = undo->older;
        drop(undo);
    }
}

void fault_vfs_track(void)
{
    tracking = true;
}

void fault_vfs_cut(void)
{
    dead = true;
}

static void tear(sqlite3_file *file, const struct undo *undo)
{
    static const unsigned char zeros[PAGE];
    sqlite3_int64 end = undo->offset + undo->size;
    end = end < undo->file_size ? end : undo->file_size;
    for (sqlite3_int64 at = undo->offset; at < end; at += PAGE) {
        int size = end - at < PAGE ? (int)(end - at) : PAGE;
        if (file->pMethods->xWrite(file, zeros, size, at) != SQLITE_OK) {
            abort();
        }
    }
}

static void take_back(const struct undo *undo)
{
    sqlite3_file *file = calloc(1, (size_t)base->szOsFile);
    if (file == NULL) {
        abort();
    }
    int code = base->xOpen(base, undo->path, file, undo->flags & ~SQLITE_OPEN_CREATE, NULL);
    if (code == SQLITE_OK) { /* otherwise it was never synced and is not there */
        if (undo->torn) {
            tear(file, undo);
        }
        if ((!undo->torn && undo->size > 0 &&
             file->pMethods->xWrite(file, undo->bytes, undo->size, undo->offset) != SQLITE_OK) ||
            file->pMethods->xTruncate(file, undo->file_size) != SQLITE_OK) {
            abort();
        }
        file->pMethods->xClose(file);
    }
    free(file);
}

/* Shared memory is not on the disk. */
static void drop_shared_memory(const char *wal)
{
    char shm[1024];
    size_t length = strlen(wal);
    if (length > 4 && strcmp(wal + length - 4, "-wal") == 0) {
        snprintf(shm, sizeof(shm), "%.*s-shm", (int)length - 4, wal);
        base->xDelete(base, shm, 0);
    }
}

void fault_vfs_restore(void)
{
    while (undos != NULL) {
        struct undo *undo = undos;
        undos = undo->older;
        take_back(undo);
        drop_shared_memory(undo->path);
        drop(undo);
        lost++;
    }
    dead = false;
}

bool fault_vfs_is_cut(void)
{
    return dead;
}

int64_t fault_vfs_lost(void)
{
    return lost;
}

/* ---- the file's methods ---- */

static int x_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int x_read(sqlite3_file *file, void *to, int size, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), to, size, offset);
}

static int x_write(sqlite3_file *file, const void *from, int size, sqlite3_int64 offset)
{
    sqlite3_int64 have = 0;
    if (dead) {
        return SQLITE_OK;
    }
    switches.writes++;
    int code = operation();
    if (code != SQLITE_OK) {
        return code;
    }
    real_of(file)->pMethods->xFileSize(real_of(file), &have);
    if (switches.full && offset + size > have) {
        return SQLITE_FULL;
    }
    remember(file, offset, size);
    return real_of(file)->pMethods->xWrite(real_of(file), from, size, offset);
}

static int x_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_int64 have = 0;
    if (dead) {
        return SQLITE_OK;
    }
    real_of(file)->pMethods->xFileSize(real_of(file), &have);
    if (have > size) {
        remember(file, size, (int)(have - size));
    }
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int x_sync(sqlite3_file *file, int flags)
{
    if (dead) {
        return SQLITE_OK;
    }
    switches.syncs++;
    if (switches.stall != NULL) {
        switches.stall();
    }
    int code = operation();
    if (code == SQLITE_OK && ((struct file *)file)->path != NULL) {
        forget(((struct file *)file)->path);
    }
    return code != SQLITE_OK || switches.lazy
               ? code
               : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int x_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int x_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int x_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int x_check_reserved(sqlite3_file *file, int *result)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}

static int x_control(sqlite3_file *file, int operation_code, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation_code, argument);
}

static int x_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int x_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int x_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, memory);
}

static int x_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void x_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int x_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_file_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_check_reserved,
    .xFileControl = x_control,
    .xSectorSize = x_sector_size,
    .xDeviceCharacteristics = x_characteristics,
    .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock,
    .xShmBarrier = x_shm_barrier,
    .xShmUnmap = x_shm_unmap,
};

static int x_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct file *wrapped = (struct file *)file;
    (void)vfs;
    wrapped->path = name == NULL ? NULL : kept_name(name);
    wrapped->flags = flags;
    wrapped->real = (sqlite3_file *)(wrapped + 1);
    wrapped->base.pMethods = NULL;
    int code = base->xOpen(base, name, wrapped->real, flags, out_flags);
    if (wrapped->real->pMethods != NULL) {
        wrapped->base.pMethods = &methods;
    }
    return code;
}

static int x_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    if (dead) {
        return SQLITE_OK;
    }
    forget(name);
    return base->xDelete(base, name, sync_folder);
}

static struct fault_vfs *over(sqlite3_vfs *wanted)
{
    static sqlite3_vfs vfs;
    if (base != wanted) {
        if (base != NULL) {
            sqlite3_vfs_unregister(&vfs);
        }
        base = wanted;
        vfs = *base;
        vfs.zName = FAULT_VFS_NAME;
        vfs.pNext = NULL;
        vfs.szOsFile = (int)sizeof(struct file) + base->szOsFile;
        vfs.xOpen = x_open;
        vfs.xDelete = x_delete;
        if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) {
            abort();
        }
    }
    switches = (struct fault_vfs){0};
    tracking = dead = false;
    forget(NULL);
    return &switches;
}

struct fault_vfs *fault_vfs(void)
{
    return over(sqlite3_vfs_find(NULL));
}

struct fault_vfs *fault_vfs_in_memory(void)
{
    memory_vfs();
    return over(sqlite3_vfs_find(MEMORY_VFS_NAME));
}
