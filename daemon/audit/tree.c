#include "daemon/audit/tree.h"

#include <errno.h>

#include "daemon/store/log.h"
#include "protocol/base/error.h"

#define HEIGHT 8
_Static_assert(1 << HEIGHT == CK_LOG_TILE_WIDTH, "a tile is a complete subtree");

/* `count` (a power of two, at most a tile) consecutive hashes of height 8 * level, beginning at
 * `index`. */
static int load(struct ck_store *store, unsigned level, uint64_t index, struct ck_hash *hashes,
                size_t count)
{
    size_t found = 0;
    if (level == 0) {
        int r = ck_log_load_hashes(store, index, hashes, count, &found);
        return r != 0 ? r : found < count ? -EUCLEAN : 0;
    }
    struct ck_hash tile[CK_LOG_TILE_WIDTH];
    size_t offset = index % CK_LOG_TILE_WIDTH;
    int r = ck_log_load_tile(store, (int)level, index / CK_LOG_TILE_WIDTH, tile, &found);
    if (r != 0) {
        return r;
    }
    if (found < offset + count) {
        return -EUCLEAN;
    }
    for (size_t i = 0; i < count; i++) {
        hashes[i] = tile[offset + i];
    }
    return 0;
}

static int subtree(void *user, unsigned height, uint64_t index, struct ck_hash *hash)
{
    struct ck_hash hashes[CK_LOG_TILE_WIDTH];
    unsigned level = height / HEIGHT, rest = height % HEIGHT;
    int r = load(user, level, index << rest, hashes, (size_t)1 << rest);
    return r != 0 ? r : ck_merkle_fold(hashes, (size_t)1 << rest, hash);
}

struct ck_merkle_source ck_audit_tree_source(struct ck_store *store)
{
    return (struct ck_merkle_source){.subtree = subtree, .user = store};
}

/* The `number`th run of 256 hashes of height 8 * level is complete: its root goes into the tile
 * above. */
static int complete(struct ck_store *store, unsigned level, uint64_t number)
{
    struct ck_hash hashes[CK_LOG_TILE_WIDTH], tile[CK_LOG_TILE_WIDTH], root;
    size_t count = 0;
    int r = load(store, level, number * CK_LOG_TILE_WIDTH, hashes, CK_LOG_TILE_WIDTH);
    if (r == 0) {
        r = ck_merkle_fold(hashes, CK_LOG_TILE_WIDTH, &root);
    }
    if (r == 0) {
        r = ck_log_load_tile(store, (int)level + 1, number / CK_LOG_TILE_WIDTH, tile, &count);
    }
    if (r != 0) {
        return r;
    }
    if (count != number % CK_LOG_TILE_WIDTH) {
        return -EUCLEAN;
    }
    tile[count++] = root;
    return ck_log_save_tile(store, (int)level + 1, number / CK_LOG_TILE_WIDTH, tile, count);
}

int ck_audit_tree_add(struct ck_store *store, struct ck_frontier *frontier,
                      const struct ck_hash *leaf)
{
    struct ck_frontier grown = *frontier;
    int r = ck_frontier_add(&grown, leaf);
    unsigned level = 0;
    for (uint64_t size = grown.size; r == 0 && size % CK_LOG_TILE_WIDTH == 0;
         size /= CK_LOG_TILE_WIDTH) {
        r = complete(store, level++, size / CK_LOG_TILE_WIDTH - 1);
    }
    if (r == 0) {
        *frontier = grown;
    }
    return r;
}
