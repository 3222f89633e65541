#include "tests/sim/library.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sqlite3.h>

#define MOMENT (0x40000000U / 4096 + 1)

static sqlite3_pcache_methods2 original;

static unsigned number(unsigned key)
{
    return key == MOMENT ? 0 : key;
}

static sqlite3_pcache_page *fetch(sqlite3_pcache *cache, unsigned key, int create)
{
    /* The page itself is only ever asked for in files of more than a gigabyte. */
    return key == MOMENT ? NULL : original.xFetch(cache, key, create);
}

static void rekey(sqlite3_pcache *cache, sqlite3_pcache_page *page, unsigned from, unsigned to)
{
    original.xRekey(cache, page, number(from), number(to));
}

/* ---- memory ---- */

#define CLASS_MIN 5 /* the smallest block: 32 bytes */
#define CLASS_MAX 17
#define SLAB (1 << 21)

/* Before each block; 16 bytes, so that what follows is aligned for everything. */
struct block {
    union {
        struct block *next; /* in a list of free ones */
        size_t large;       /* of a block of its own: its size */
    } at;
    size_t class; /* CLASS_MAX + 1: a block of its own */
};

static struct block *free_blocks[CLASS_MAX + 1];

static size_t class_of(size_t size)
{
    size_t class = CLASS_MIN;
    while (class <= CLASS_MAX && ((size_t)1 << class) < size) {
        class ++;
    }
    return class;
}

/* Cuts a slab, which is one of the processor's large pages where the system has any, into blocks of
 * one class. */
static bool refill(size_t class)
{
    size_t step = sizeof(struct block) + ((size_t)1 << class);
    char *slab = aligned_alloc(SLAB, SLAB);
    if (slab != NULL) {
        (void)madvise(slab, SLAB, MADV_HUGEPAGE);
    }
    for (size_t at = 0; slab != NULL && at + step <= SLAB; at += step) {
        struct block *block = (struct block *)(void *)(slab + at);
        block->class = class;
        block->at.next = free_blocks[class];
        free_blocks[class] = block;
    }
    return slab != NULL;
}

static void *memory_get(int size)
{
    size_t class = class_of((size_t)size);
    if (class > CLASS_MAX) {
        struct block *large = malloc(sizeof(*large) + (size_t)size);
        if (large == NULL) {
            return NULL;
        }
        large->class = class;
        large->at.large = (size_t)size;
        return large + 1;
    }
    if (free_blocks[class] == NULL && !refill(class)) {
        return NULL;
    }
    struct block *block = free_blocks[class];
    free_blocks[class] = block->at.next;
    return block + 1;
}

static void memory_give(void *bytes)
{
    struct block *block = (struct block *)bytes - 1;
    if (block->class > CLASS_MAX) {
        free(block);
        return;
    }
    block->at.next = free_blocks[block->class];
    free_blocks[block->class] = block;
}

static int memory_size(void *bytes)
{
    const struct block *block = (const struct block *)bytes - 1;
    return block->class > CLASS_MAX ? (int)block->at.large : 1 << block->class;
}

static void *memory_grow(void *bytes, int size)
{
    int have = memory_size(bytes);
    if (size <= have) {
        return bytes;
    }
    void *grown = memory_get(size);
    if (grown != NULL) {
        memcpy(grown, bytes, (size_t)have);
        memory_give(bytes);
    }
    return grown;
}

static int memory_round(int size)
{
    size_t class = class_of((size_t)size);
    return class > CLASS_MAX ? (size + 7) & ~7 : 1 << class;
}

static int memory_begin(void *data)
{
    (void)data;
    return SQLITE_OK;
}

static void memory_end(void *data)
{
    (void)data;
}

void library_install(void)
{
    static const sqlite3_mem_methods memory = {
        .xMalloc = memory_get,
        .xFree = memory_give,
        .xRealloc = memory_grow,
        .xSize = memory_size,
        .xRoundup = memory_round,
        .xInit = memory_begin,
        .xShutdown = memory_end,
    };
    if (sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &original) != SQLITE_OK) {
        abort();
    }
    sqlite3_pcache_methods2 changed = original;
    changed.xFetch = fetch;
    changed.xRekey = rekey;
    if (sqlite3_config(SQLITE_CONFIG_PCACHE2, &changed) != SQLITE_OK) {
        abort();
    }
}
