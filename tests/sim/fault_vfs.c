#include "tests/sim/fault_vfs.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

static struct fault_vfs switches;
static sqlite3_vfs *system_vfs;

struct file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct in the same memory */
};

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
    switches.writes++;
    int code = operation();
    if (code != SQLITE_OK) {
        return code;
    }
    real_of(file)->pMethods->xFileSize(real_of(file), &have);
    if (switches.full && offset + size > have) {
        return SQLITE_FULL;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), from, size, offset);
}

static int x_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int x_sync(sqlite3_file *file, int flags)
{
    switches.syncs++;
    int code = operation();
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
    wrapped->real = (sqlite3_file *)(wrapped + 1);
    wrapped->base.pMethods = NULL;
    int code = system_vfs->xOpen(system_vfs, name, wrapped->real, flags, out_flags);
    if (wrapped->real->pMethods != NULL) {
        wrapped->base.pMethods = &methods;
    }
    return code;
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
        if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) {
            abort();
        }
    }
    switches = (struct fault_vfs){0};
    return &switches;
}
