#include "tests/sim/fault_vfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

static struct fault_vfs switches;
static sqlite3_vfs *system_vfs;

struct file {
    sqlite3_file base;
    const char *path;   /* SQLite's own copy; NULL for files without a name */
    sqlite3_file *real; /* behind this struct in the same memory */
};

/* What stood where an unsynced write went; newest first. */
struct undo {
    struct undo *older;
    char *path;
    sqlite3_int64 file_size;
    sqlite3_int64 offset;
    int size;
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

static void remember(sqlite3_file *file, sqlite3_int64 offset, int size)
{
    const char *path = ((struct file *)file)->path;
    sqlite3_int64 have = 0;
    if (!tracking || path == NULL) {
        return;
    }
    real_of(file)->pMethods->xFileSize(real_of(file), &have);
    int kept = offset >= have ? 0 : have - offset < size ? (int)(have - offset) : size;
    struct undo *undo = malloc(sizeof(*undo) + (size_t)kept);
    if (undo == NULL || (undo->path = strdup(path)) == NULL) {
        abort();
    }
    undo->file_size = have;
    undo->offset = offset;
    undo->size = kept;
    if (kept > 0) {
        real_of(file)->pMethods->xRead(real_of(file), undo->bytes, kept, offset);
    }
    undo->older = undos;
    undos = undo;
}

static void drop(struct undo *undo)
{
    free(undo->path);
    free(undo);
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

static void take_back(const struct undo *undo)
{
    int fd = open(undo->path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return; /* never synced and never there */
    }
    if (pwrite(fd, undo->bytes, (size_t)undo->size, undo->offset) != undo->size ||
        ftruncate(fd, undo->file_size) != 0) {
        abort();
    }
    close(fd);
}

void fault_vfs_restore(void)
{
    while (undos != NULL) {
        struct undo *undo = undos;
        undos = undo->older;
        take_back(undo);
        size_t length = strlen(undo->path);
        if (length > 4 && strcmp(undo->path + length - 4, "-wal") == 0) {
            /* Shared memory is not on the disk. */
            char shm[1024];
            snprintf(shm, sizeof(shm), "%.*s-shm", (int)length - 4, undo->path);
            unlink(shm);
        }
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
    wrapped->path = name;
    wrapped->real = (sqlite3_file *)(wrapped + 1);
    wrapped->base.pMethods = NULL;
    int code = system_vfs->xOpen(system_vfs, name, wrapped->real, flags, out_flags);
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
    return system_vfs->xDelete(system_vfs, name, sync_folder);
}

struct fault_vfs *fault_vfs(void)
{
    static sqlite3_vfs vfs;
    if (system_vfs == NULL) {
        system_vfs = sqlite3_vfs_find(NULL);
        vfs = *system_vfs;
        vfs.zName = FAULT_VFS_NAME;
        vfs.pNext = NULL;
        vfs.szOsFile = (int)sizeof(struct file) + system_vfs->szOsFile;
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
