/* Files of SQLite in memory, by path: a world of a simulator needs no disk. Opened again they are
 * still there, until memory_vfs_clear(). Locks and shared memory work between the connections of
 * this process; one thread. */
#ifndef TESTS_SIM_MEMORY_VFS_H
#define TESTS_SIM_MEMORY_VFS_H

#define MEMORY_VFS_NAME "ck_memory"

/* Registers it (once). */
void memory_vfs(void);

/* Forgets every file; none may be open. */
void memory_vfs_clear(void);

#endif
