/* A virtual file system for SQLite that hands everything on to another, until it is told to
 * fail: a full disk, a disk that fails, and a crash at the n-th operation. For tests; one at a time
 * in a process. */
#ifndef TESTS_SIM_FAULT_VFS_H
#define TESTS_SIM_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

/* The store's path for it: "file:PATH?vfs=ck_fault". */
#define FAULT_VFS_NAME "ck_fault"

struct fault_vfs {
    bool lazy;      /* syncs are counted and not done: enough where only processes die */
    bool full;      /* writes that need more room fail with SQLITE_FULL */
    bool broken;    /* every write and sync fails with SQLITE_IOERR */
    int64_t writes; /* so far */
    int64_t syncs;
    int64_t fail_at; /* the operation (writes and syncs counted together, from 1) that fails once;
                        0: none */
    /* Called at the operation number `crash_at`, before it happens; may not return. */
    int64_t crash_at;
    void (*crash)(void);
    /* Called at every sync; it may note that it took long. NULL: none. */
    void (*stall)(void);
};

/* Registers it over the system's files and gives its switches. */
struct fault_vfs *fault_vfs(void);

/* The same over files in memory (memory_vfs.h). */
struct fault_vfs *fault_vfs_in_memory(void);

/* Power loss. From fault_vfs_track() on every write is remembered until its file is synced.
 * fault_vfs_cut(): the disk no longer takes anything (and says it does), so that whatever holds the
 * files can be closed; then fault_vfs_restore() takes back all that was never synced, and the disk
 * works again. */
void fault_vfs_track(void);
void fault_vfs_cut(void);
void fault_vfs_restore(void);
bool fault_vfs_is_cut(void);
/* Writes that the cuts so far took back. */
int64_t fault_vfs_lost(void);

#endif
