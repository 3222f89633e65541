#include "tests/sim/memory_vfs.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sqlite3.h>

#define FILES_MAX 16
#define REGIONS_MAX 512
#define CHUNK 65536 /* bytes that are allocated at once: files grow without being moved */

#define ARENA (1 << 21) /* chunks are cut out of so much: one of the processor's large pages */

/* One path. */
struct node {
    char *path; /* NULL: free */
    char **chunks;
    size_t chunk_count;
    sqlite3_int64 size;
    int opened; /* by so many */
    /* locks of the file */
    int shared;
    const void *reserved, *pending, *exclusive;
    /* shared memory */
    char *regions[REGIONS_MAX];
    int mapped; /* by so many */
    int slot_shared[SQLITE_SHM_NLOCK];
    const void *slot_exclusive[SQLITE_SHM_NLOCK];
};

struct handle {
    sqlite3_file base;
    struct node *node;
    struct node own; /* of a file without a name */
    int level;
    bool mapped;
    unsigned held_shared, held_exclusive; /* slots of shared memory */
};

static struct node nodes[FILES_MAX];

/* ---- chunks ---- */

union chunk {
    union chunk *next; /* in the list of free ones */
    char bytes[CHUNK];
};

static union chunk *free_chunks;

static void chunk_give(char *bytes)
{
    union chunk *chunk = (union chunk *)(void *)bytes;
    chunk->next = free_chunks;
    free_chunks = chunk;
}

/* A chunk of zeros. */
static char *chunk_take(void)
{
    if (free_chunks == NULL) {
        char *arena = aligned_alloc(ARENA, ARENA);
        if (arena == NULL) {
            return NULL;
        }
        (void)madvise(arena, ARENA, MADV_HUGEPAGE);
        for (size_t at = ARENA; at > 0; at -= CHUNK) {
            chunk_give(arena + at - CHUNK);
        }
    }
    union chunk *chunk = free_chunks;
    free_chunks = chunk->next;
    return memset(chunk->bytes, 0, CHUNK);
}

static void node_clear(struct node *node)
{
    for (size_t i = 0; i < node->chunk_count; i++) {
        chunk_give(node->chunks[i]);
    }
    free(node->chunks);
    free(node->path);
    *node = (struct node){0};
}

static struct node *find(const char *path)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (nodes[i].path != NULL && strcmp(nodes[i].path, path) == 0) {
            return &nodes[i];
        }
    }
    return NULL;
}

static struct node *make(const char *path)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (nodes[i].path == NULL) {
            nodes[i].path = strdup(path);
            return nodes[i].path == NULL ? NULL : &nodes[i];
        }
    }
    return NULL;
}

void memory_vfs_clear(void)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        assert(nodes[i].opened == 0);
        node_clear(&nodes[i]);
    }
}

static struct handle *of(sqlite3_file *file)
{
    return (struct handle *)file;
}

/* ---- bytes ---- */

static int x_read(sqlite3_file *file, void *to, int size, sqlite3_int64 offset)
{
    const struct node *node = of(file)->node;
    char *at = to;
    sqlite3_int64 end = offset + size < node->size ? offset + size : node->size;
    sqlite3_int64 done = offset;
    while (done < end) {
        size_t within = (size_t)(done % CHUNK);
        size_t count = CHUNK - within;
        count = (sqlite3_int64)count < end - done ? count : (size_t)(end - done);
        memcpy(at + (done - offset), node->chunks[done / CHUNK] + within, count);
        done += (sqlite3_int64)count;
    }
    if (done < offset + size) {
        memset(at + (done - offset), 0, (size_t)(offset + size - done));
        return SQLITE_IOERR_SHORT_READ;
    }
    return SQLITE_OK;
}

static bool reserve(struct node *node, sqlite3_int64 size)
{
    size_t count = (size_t)((size + CHUNK - 1) / CHUNK);
    if (count <= node->chunk_count) {
        return true;
    }
    char **grown = realloc(node->chunks, count * sizeof(*grown));
    if (grown == NULL) {
        return false;
    }
    node->chunks = grown;
    while (node->chunk_count < count) {
        node->chunks[node->chunk_count] = chunk_take();
        if (node->chunks[node->chunk_count] == NULL) {
            return false;
        }
        node->chunk_count++;
    }
    return true;
}

static int x_write(sqlite3_file *file, const void *from, int size, sqlite3_int64 offset)
{
    struct node *node = of(file)->node;
    const char *at = from;
    if (!reserve(node, offset + size)) {
        return SQLITE_IOERR_NOMEM;
    }
    for (sqlite3_int64 done = 0; done < size;) {
        size_t within = (size_t)((offset + done) % CHUNK);
        size_t count = CHUNK - within;
        count = (sqlite3_int64)count < size - done ? count : (size_t)(size - done);
        memcpy(node->chunks[(offset + done) / CHUNK] + within, at + done, count);
        done += (sqlite3_int64)count;
    }
    node->size = offset + size > node->size ? offset + size : node->size;
    return SQLITE_OK;
}

static int x_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct node *node = of(file)->node;
    size_t keep = (size_t)((size + CHUNK - 1) / CHUNK);
    while (node->chunk_count > keep) {
        chunk_give(node->chunks[--node->chunk_count]);
    }
    if (size % CHUNK != 0 && size < node->size) {
        memset(node->chunks[keep - 1] + size % CHUNK, 0, (size_t)(CHUNK - size % CHUNK));
    }
    node->size = size < node->size ? size : node->size;
    return SQLITE_OK;
}

static int x_sync(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return SQLITE_OK;
}

static int x_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    *size = of(file)->node->size;
    return SQLITE_OK;
}

/* ---- locks of the file ---- */

static int x_lock(sqlite3_file *file, int level)
{
    struct handle *handle = of(file);
    struct node *node = handle->node;
    if (level <= handle->level) {
        return SQLITE_OK;
    }
    bool others = node->shared - (handle->level >= SQLITE_LOCK_SHARED ? 1 : 0) > 0;
    if ((level == SQLITE_LOCK_SHARED && (node->pending != NULL || node->exclusive != NULL)) ||
        (level >= SQLITE_LOCK_RESERVED && node->reserved != NULL && node->reserved != handle)) {
        return SQLITE_BUSY;
    }
    if (level == SQLITE_LOCK_SHARED) {
        node->shared++;
    }
    if (level >= SQLITE_LOCK_RESERVED) {
        node->reserved = handle;
    }
    if (level == SQLITE_LOCK_EXCLUSIVE) {
        node->pending = handle;
        if (others) {
            handle->level = SQLITE_LOCK_PENDING;
            return SQLITE_BUSY;
        }
        node->exclusive = handle;
    }
    handle->level = level;
    return SQLITE_OK;
}

static int x_unlock(sqlite3_file *file, int level)
{
    struct handle *handle = of(file);
    struct node *node = handle->node;
    if (level >= handle->level) {
        return SQLITE_OK;
    }
    node->reserved = node->reserved == handle ? NULL : node->reserved;
    node->pending = node->pending == handle ? NULL : node->pending;
    node->exclusive = node->exclusive == handle ? NULL : node->exclusive;
    if (level == SQLITE_LOCK_NONE) {
        node->shared--;
    }
    handle->level = level;
    return SQLITE_OK;
}

static int x_check_reserved(sqlite3_file *file, int *result)
{
    *result = of(file)->node->reserved != NULL;
    return SQLITE_OK;
}

/* ---- shared memory ---- */

static int x_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **memory)
{
    struct handle *handle = of(file);
    struct node *node = handle->node;
    if (!handle->mapped) {
        handle->mapped = true;
        node->mapped++;
    }
    if (region >= REGIONS_MAX) {
        return SQLITE_IOERR_SHMSIZE;
    }
    if (node->regions[region] == NULL && extend != 0) {
        node->regions[region] = calloc(1, (size_t)size);
        if (node->regions[region] == NULL) {
            return SQLITE_IOERR_NOMEM;
        }
    }
    *memory = node->regions[region];
    return SQLITE_OK;
}

static int x_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    struct handle *handle = of(file);
    struct node *node = handle->node;
    bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    for (int i = offset; (flags & SQLITE_SHM_LOCK) != 0 && i < offset + count; i++) {
        int mine = (int)(handle->held_shared >> i & 1);
        if ((node->slot_exclusive[i] != NULL && node->slot_exclusive[i] != handle) ||
            (exclusive && node->slot_shared[i] > mine)) {
            return SQLITE_BUSY;
        }
    }
    for (int i = offset; i < offset + count; i++) {
        unsigned bit = 1U << i;
        if ((flags & SQLITE_SHM_LOCK) != 0 && exclusive) {
            node->slot_exclusive[i] = handle;
            handle->held_exclusive |= bit;
        } else if ((flags & SQLITE_SHM_LOCK) != 0) {
            node->slot_shared[i] += (handle->held_shared & bit) == 0;
            handle->held_shared |= bit;
        } else {
            node->slot_shared[i] -= (handle->held_shared & bit) != 0;
            node->slot_exclusive[i] =
                node->slot_exclusive[i] == handle ? NULL : node->slot_exclusive[i];
            handle->held_shared &= ~bit;
            handle->held_exclusive &= ~bit;
        }
    }
    return SQLITE_OK;
}

static void x_shm_barrier(sqlite3_file *file)
{
    (void)file;
}

/* Shared memory lives as long as somebody maps it: after the last of a life it is gone. */
static int x_shm_unmap(sqlite3_file *file, int remove)
{
    struct handle *handle = of(file);
    (void)remove;
    if (handle->mapped) {
        x_shm_lock(file, 0, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED);
        handle->mapped = false;
        handle->node->mapped--;
    }
    for (int i = 0; handle->node->mapped == 0 && i < REGIONS_MAX; i++) {
        free(handle->node->regions[i]);
        handle->node->regions[i] = NULL;
    }
    return SQLITE_OK;
}

/* ---- the rest ---- */

static int x_close(sqlite3_file *file)
{
    struct handle *handle = of(file);
    x_shm_unmap(file, 0);
    x_unlock(file, SQLITE_LOCK_NONE);
    handle->node->opened--;
    if (handle->node == &handle->own) {
        node_clear(&handle->own);
    }
    return SQLITE_OK;
}

static int x_control(sqlite3_file *file, int operation, void *argument)
{
    (void)file;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int x_sector_size(sqlite3_file *file)
{
    (void)file;
    return 4096;
}

static int x_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
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
    struct handle *handle = of(file);
    (void)vfs;
    memset(handle, 0, sizeof(*handle));
    handle->node = name == NULL ? &handle->own : find(name);
    if (handle->node == NULL && (flags & SQLITE_OPEN_CREATE) != 0) {
        handle->node = make(name);
    }
    if (handle->node == NULL) {
        return SQLITE_CANTOPEN;
    }
    handle->node->opened++;
    handle->base.pMethods = &methods;
    if (out_flags != NULL) {
        *out_flags = flags;
    }
    return SQLITE_OK;
}

static int x_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    struct node *node = find(name);
    (void)vfs;
    (void)sync_folder;
    if (node == NULL) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    assert(node->opened == 0);
    node_clear(node);
    return SQLITE_OK;
}

static int x_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    const struct node *node = find(name);
    (void)vfs;
    (void)flags;
    *result = node != NULL && (flags != SQLITE_ACCESS_EXISTS || node->size > 0);
    return SQLITE_OK;
}

static int x_full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *to)
{
    (void)vfs;
    return sqlite3_snprintf(size, to, "%s", name) == NULL ? SQLITE_CANTOPEN : SQLITE_OK;
}

void memory_vfs(void)
{
    static sqlite3_vfs vfs;
    if (vfs.zName == NULL) {
        vfs = *sqlite3_vfs_find(NULL);
        vfs.zName = MEMORY_VFS_NAME;
        vfs.pNext = NULL;
        vfs.szOsFile = (int)sizeof(struct handle);
        vfs.xOpen = x_open;
        vfs.xDelete = x_delete;
        vfs.xAccess = x_access;
        vfs.xFullPathname = x_full_pathname;
        if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) {
            abort();
        }
    }
}
