#include "protocol/merkle.h"

#include <stdbool.h>
#include <string.h>

#include "protocol/base/error.h"
#include "protocol/base/sha256_many.h"

int ck_merkle_leaf(const void *leaf, size_t size, struct ck_hash *hash)
{
    const struct ck_slice slices[] = {{"\x00", 1}, {leaf, size}};
    return ck_sha256(slices, 2, hash->bytes);
}

int ck_merkle_node(const struct ck_hash *left, const struct ck_hash *right, struct ck_hash *hash)
{
    const struct ck_slice slices[] = {
        {"\x01", 1}, {left->bytes, sizeof left->bytes}, {right->bytes, sizeof right->bytes}};
    return ck_sha256(slices, 3, hash->bytes);
}

#define BATCH 128 /* hashes made at once */

int ck_merkle_leaves(const struct ck_slice *leaves, size_t count, struct ck_hash *hashes)
{
    struct ck_sha256_job jobs[BATCH];
    for (size_t at = 0; at < count; at += BATCH) {
        size_t now = count - at < BATCH ? count - at : BATCH;
        for (size_t i = 0; i < now; i++) {
            jobs[i] = (struct ck_sha256_job){leaves[at + i].data, leaves[at + i].size,
                                             hashes[at + i].bytes, 0x00};
        }
        int r = ck_sha256_many(jobs, now);
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

/* The level above: `count` hashes of pairs, into the front of `hashes`. */
static int fold_once(struct ck_hash *hashes, size_t count)
{
    struct ck_sha256_job jobs[BATCH];
    struct ck_hash above[BATCH];
    for (size_t at = 0; at < count; at += BATCH) {
        size_t now = count - at < BATCH ? count - at : BATCH;
        for (size_t i = 0; i < now; i++) {
            jobs[i] = (struct ck_sha256_job){hashes[2 * (at + i)].bytes, 2 * sizeof above[0],
                                             above[i].bytes, 0x01};
        }
        int r = ck_sha256_many(jobs, now);
        if (r != 0) {
            return r;
        }
        memcpy(hashes + at, above, now * sizeof above[0]);
    }
    return 0;
}

int ck_merkle_fold(struct ck_hash *hashes, size_t count, struct ck_hash *root)
{
    for (; count > 1; count /= 2) {
        int r = fold_once(hashes, count / 2);
        if (r != 0) {
            return r;
        }
    }
    *root = hashes[0];
    return 0;
}

int ck_merkle_empty(struct ck_hash *root)
{
    return ck_sha256(NULL, 0, root->bytes);
}

/* ---- appending ---- */

size_t ck_frontier_count(const struct ck_frontier *frontier)
{
    return (size_t)__builtin_popcountll(frontier->size);
}

int ck_frontier_add(struct ck_frontier *frontier, const struct ck_hash *leaf)
{
    if (frontier->size >= (UINT64_C(1) << CK_MERKLE_LEVELS) - 1) {
        return CK_E_LIMIT;
    }
    /* Each trailing one of the size is a complete subtree that the new one completes a pair with.
     */
    struct ck_hash hash = *leaf;
    size_t count = ck_frontier_count(frontier);
    for (uint64_t ones = frontier->size; (ones & 1) != 0; ones >>= 1) {
        int r = ck_merkle_node(&frontier->roots[--count], &hash, &hash);
        if (r != 0) {
            return r;
        }
    }
    frontier->roots[count] = hash;
    frontier->size++;
    return 0;
}

int ck_frontier_root(const struct ck_frontier *frontier, struct ck_hash *root)
{
    size_t count = ck_frontier_count(frontier);
    if (count == 0) {
        return ck_merkle_empty(root);
    }
    struct ck_hash hash = frontier->roots[count - 1];
    for (size_t i = count - 1; i-- > 0;) {
        int r = ck_merkle_node(&frontier->roots[i], &hash, &hash);
        if (r != 0) {
            return r;
        }
    }
    *root = hash;
    return 0;
}

/* ---- proving ---- */

/* The largest power of two below `size` (size > 1). */
static uint64_t split_of(uint64_t size)
{
    return UINT64_C(1) << (63 - __builtin_clzll(size - 1));
}

/* The root of leaves [from, from + size), where from is a multiple of every complete subtree in it.
 */
static int range_root(const struct ck_merkle_source *source, uint64_t from, uint64_t size,
                      struct ck_hash *root)
{
    /* Complete subtrees from the right, the smallest first. */
    struct ck_hash hash;
    bool any = false;
    for (uint64_t rest = size; rest != 0; rest &= rest - 1) {
        unsigned level = (unsigned)__builtin_ctzll(rest);
        uint64_t begin = from + (rest & (rest - 1));
        struct ck_hash left;
        int r = source->subtree(source->user, level, begin >> level, &left);
        if (r == 0 && any) {
            r = ck_merkle_node(&left, &hash, &left);
        }
        if (r != 0) {
            return r;
        }
        hash = left;
        any = true;
    }
    if (!any) {
        return ck_merkle_empty(root);
    }
    *root = hash;
    return 0;
}

int ck_merkle_root(const struct ck_merkle_source *source, uint64_t size, struct ck_hash *root)
{
    return range_root(source, 0, size, root);
}

static void reverse(struct ck_merkle_proof *proof)
{
    for (size_t i = 0; i < proof->count / 2; i++) {
        struct ck_hash other = proof->path[i];
        proof->path[i] = proof->path[proof->count - 1 - i];
        proof->path[proof->count - 1 - i] = other;
    }
}

int ck_merkle_prove_inclusion(const struct ck_merkle_source *source, uint64_t index, uint64_t size,
                              struct ck_merkle_proof *proof)
{
    if (index >= size) {
        return CK_E_INVALID;
    }
    /* From the root down, then turned round: the RFC's order is from the leaf up. */
    struct ck_merkle_proof path = {0};
    uint64_t from = 0;
    while (size > 1) {
        uint64_t split = split_of(size);
        bool left = index - from < split;
        int r = left ? range_root(source, from + split, size - split, &path.path[path.count])
                     : range_root(source, from, split, &path.path[path.count]);
        if (r != 0) {
            return r;
        }
        path.count++;
        from += left ? 0 : split;
        size = left ? split : size - split;
    }
    reverse(&path);
    *proof = path;
    return 0;
}

int ck_merkle_prove_consistency(const struct ck_merkle_source *source, uint64_t old, uint64_t size,
                                struct ck_merkle_proof *proof)
{
    if (old > size) {
        return CK_E_INVALID;
    }
    struct ck_merkle_proof path = {0};
    uint64_t from = 0, rest = old;
    bool whole = true; /* the old tree is still a complete subtree of its own: its root is known */
    while (old != 0 && old != size && rest != size) {
        uint64_t split = split_of(size);
        bool left = rest <= split;
        int r = left ? range_root(source, from + split, size - split, &path.path[path.count])
                     : range_root(source, from, split, &path.path[path.count]);
        if (r != 0) {
            return r;
        }
        path.count++;
        whole = whole && left;
        from += left ? 0 : split;
        rest -= left ? 0 : split;
        size = left ? split : size - split;
    }
    if (!whole) {
        int r = range_root(source, from, rest, &path.path[path.count]);
        if (r != 0) {
            return r;
        }
        path.count++;
    }
    reverse(&path);
    *proof = path;
    return 0;
}

/* ---- checking ---- */

static int same(const struct ck_hash *a, const struct ck_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0 ? 0 : CK_E_AUTH;
}

int ck_merkle_check_inclusion(const struct ck_merkle_proof *proof, uint64_t index, uint64_t size,
                              const struct ck_hash *leaf, const struct ck_hash *root)
{
    if (index >= size) {
        return CK_E_AUTH;
    }
    /* RFC 9162 section 2.1.3.2. */
    uint64_t at = index, last = size - 1;
    struct ck_hash hash = *leaf;
    for (size_t i = 0; i < proof->count; i++) {
        if (last == 0) {
            return CK_E_AUTH;
        }
        bool right = (at & 1) != 0 || at == last;
        int r = right ? ck_merkle_node(&proof->path[i], &hash, &hash)
                      : ck_merkle_node(&hash, &proof->path[i], &hash);
        if (r != 0) {
            return r;
        }
        while (right && (at & 1) == 0 && at != 0) {
            at >>= 1;
            last >>= 1;
        }
        at >>= 1;
        last >>= 1;
    }
    return last != 0 ? CK_E_AUTH : same(&hash, root);
}

int ck_merkle_check_consistency(const struct ck_merkle_proof *proof, uint64_t old, uint64_t size,
                                const struct ck_hash *old_root, const struct ck_hash *root)
{
    if (old > size) {
        return CK_E_AUTH;
    }
    if (old == size || old == 0) {
        return proof->count != 0 ? CK_E_AUTH : old == 0 ? 0 : same(old_root, root);
    }
    /* RFC 9162 section 2.1.4.2. */
    bool power = (old & (old - 1)) == 0;
    size_t i = power ? 0 : 1;
    if (proof->count < i) {
        return CK_E_AUTH;
    }
    struct ck_hash first = power ? *old_root : proof->path[0], second = first;
    uint64_t at = old - 1, last = size - 1;
    while ((at & 1) != 0) {
        at >>= 1;
        last >>= 1;
    }
    for (; i < proof->count; i++) {
        if (last == 0) {
            return CK_E_AUTH;
        }
        const struct ck_hash *other = &proof->path[i];
        bool right = (at & 1) != 0 || at == last;
        int r = right ? ck_merkle_node(other, &first, &first) : 0;
        if (r == 0) {
            r = right ? ck_merkle_node(other, &second, &second)
                      : ck_merkle_node(&second, other, &second);
        }
        if (r != 0) {
            return r;
        }
        while (right && (at & 1) == 0 && at != 0) {
            at >>= 1;
            last >>= 1;
        }
        at >>= 1;
        last >>= 1;
    }
    if (last != 0 || same(&first, old_root) != 0) {
        return CK_E_AUTH;
    }
    return same(&second, root);
}
