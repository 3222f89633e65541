#include "tests/sim/page_cache.h"

#include <stdlib.h>

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

void page_cache_install(void)
{
    if (sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &original) != SQLITE_OK) {
        abort();
    }
    sqlite3_pcache_methods2 changed = original;
    changed.xFetch = fetch;
    changed.xRekey = rekey;
    if (sqlite3_config(SQLITE_CONFIG_PCACHE2, &changed) != SQLITE_OK) {
        abort();
    }
}
