#include "daemon/verify/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/verify/complete.h"
#include "daemon/verify/input.h"
#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/leaf.h"

#define PATH_SIZE 4352
#define CHECKPOINTS_MAX (1u << 20)
#define BUNDLE_MAX ((size_t)CK_TILE_WIDTH * (2 + UINT16_MAX))

/* A checkpoint whose signature is good, waiting for the walk to reach its size. */
struct claim {
    struct ck_checkpoint checkpoint;
    bool from_elsewhere;
};

struct walk {
    struct ck_verify_log *log;
    struct ck_verdict *verdict;
    struct ck_complete *complete;
    int folder;
    uint8_t *bundle;      /* BUNDLE_MAX bytes: read, which costs less than mapping so little */
    struct claim *claims; /* ascending by size */
    size_t claim_count, claim_next, claim_capacity;
    uint64_t size;            /* of the newest checkpoint */
    struct ck_frontier tiles; /* roots of complete runs of 256 */
    struct ck_frontier run;   /* leaves behind them */
    int64_t expected;         /* index that the next leaf must name */
    unsigned witnesses;       /* most that signed one checkpoint */
    bool out_of_order;
};

static void path_of(const struct walk *walk, const char *name, char path[static PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/%s", walk->log->folder, name);
}

/* ---- checkpoints ---- */

static int add_claim(struct walk *walk, const char *note, size_t size, const char *what,
                     bool from_elsewhere)
{
    unsigned witnesses = 0;
    struct claim claim = {.from_elsewhere = from_elsewhere};
    if (!ck_keys_check(&walk->log->keys, note, size, what, walk->verdict, &witnesses)) {
        return 0;
    }
    if (walk->claim_count == walk->claim_capacity) {
        size_t capacity = walk->claim_capacity == 0 ? 64 : walk->claim_capacity * 2;
        struct claim *claims = realloc(walk->claims, capacity * sizeof *claims);
        if (capacity > CHECKPOINTS_MAX || claims == NULL) {
            return capacity > CHECKPOINTS_MAX ? CK_E_LIMIT : -ENOMEM;
        }
        walk->claims = claims;
        walk->claim_capacity = capacity;
    }
    (void)ck_checkpoint_parse(note, size, &claim.checkpoint);
    walk->claims[walk->claim_count++] = claim;
    walk->witnesses = witnesses > walk->witnesses ? witnesses : walk->witnesses;
    return 0;
}

/* Where a note ends: behind its last signature line. */
static size_t note_end(const char *text, size_t size)
{
    const char *blank = memmem(text, size, "\n\n", 2);
    const char *end =
        blank == NULL ? NULL : memmem(blank + 2, (size_t)(text + size - blank - 2), "\n\n", 2);
    return end == NULL ? size : (size_t)(end - text) + 1;
}

static int read_claims(struct walk *walk, const char *path, bool from_elsewhere)
{
    struct ck_input input;
    int r = ck_input_map(path, &input);
    if (r != 0) {
        return r;
    }
    const char *text = (const char *)input.bytes;
    for (size_t at = 0, number = 1; r == 0 && at < input.size; number++) {
        char what[80];
        size_t size = note_end(text + at, input.size - at);
        snprintf(what, sizeof what, "checkpoint %zu of %.40s", number,
                 strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1);
        r = add_claim(walk, text + at, size, what, from_elsewhere);
        at += size;
        at += at < input.size && text[at] == '\n';
    }
    ck_input_unmap(&input);
    return r;
}

static int by_size(const void *a, const void *b)
{
    const struct claim *first = a, *second = b;
    return first->checkpoint.size < second->checkpoint.size
               ? -1
               : first->checkpoint.size > second->checkpoint.size;
}

static int load_claims(struct walk *walk)
{
    char path[PATH_SIZE], note[CK_NOTE_BYTES_MAX];
    struct ck_checkpoint newest;
    size_t size = 0;
    path_of(walk, "checkpoint", path);
    int r = ck_input_read(path, note, sizeof note, &size);
    if (r != 0 || ck_checkpoint_parse(note, size, &newest) != 0) {
        return r == 0 || r == -ENOENT || r == -ENOTDIR ? CK_E_NOT_FOUND : r;
    }
    walk->size = newest.size;
    if (!ck_keys_have_log(&walk->log->keys)) {
        path_of(walk, "log.vkey", path);
        r = ck_keys_add(&walk->log->keys, path);
        walk->log->keys.found_inside = r == 0;
        if (r != 0) {
            return CK_E_NOT_FOUND;
        }
    }
    r = add_claim(walk, note, size, "the newest checkpoint", false);
    path_of(walk, "checkpoints", path);
    r = r == 0 ? read_claims(walk, path, false) : r;
    r = r == -ENOENT ? 0 : r;
    for (size_t i = 0; r == 0 && i < walk->log->known_count; i++) {
        r = read_claims(walk, walk->log->known[i], true);
    }
    if (walk->claim_count > 0) {
        qsort(walk->claims, walk->claim_count, sizeof walk->claims[0], by_size);
    }
    return r;
}

/* ---- the tree ---- */

static uint64_t size_now(const struct walk *walk)
{
    return walk->tiles.size * CK_TILE_WIDTH + walk->run.size;
}

/* The whole tree from its two parts: nothing is hashed twice. */
static int root_now(const struct walk *walk, struct ck_hash *root)
{
    size_t tiles = ck_frontier_count(&walk->tiles), run = ck_frontier_count(&walk->run);
    struct ck_frontier whole = {.size = size_now(walk)};
    memcpy(whole.roots, walk->tiles.roots, tiles * sizeof whole.roots[0]);
    memcpy(whole.roots + tiles, walk->run.roots, run * sizeof whole.roots[0]);
    return ck_frontier_root(&whole, root);
}

static int check_claims(struct walk *walk)
{
    while (walk->claim_next < walk->claim_count &&
           walk->claims[walk->claim_next].checkpoint.size == size_now(walk)) {
        const struct claim *claim = &walk->claims[walk->claim_next++];
        struct ck_hash root;
        int r = root_now(walk, &root);
        if (r != 0) {
            return r;
        }
        if (memcmp(root.bytes, claim->checkpoint.root.bytes, sizeof root.bytes) != 0) {
            ck_verdict_find(walk->verdict, claim->from_elsewhere ? "fork" : "root",
                            claim->from_elsewhere
                                ? "the first %" PRIu64 " entries are not those of the checkpoint "
                                  "that was kept elsewhere: two logs were signed"
                                : "the first %" PRIu64 " entries do not give the root that was "
                                  "signed",
                            claim->checkpoint.size);
        }
    }
    return 0;
}

/* Adds the hashes of a whole tile, or of the part of one behind the last. Where a checkpoint ends
 * among them they go one by one. */
static int add_hashes(struct walk *walk, struct ck_hash *hashes, unsigned count)
{
    struct ck_hash root;
    uint64_t until = size_now(walk) + count;
    bool ends_inside = walk->claim_next < walk->claim_count &&
                       walk->claims[walk->claim_next].checkpoint.size < until;
    int r = 0;
    if (count < CK_TILE_WIDTH || ends_inside) {
        for (unsigned i = 0; r == 0 && i < count; i++) {
            r = ck_frontier_add(&walk->run, &hashes[i]);
            r = r == 0 && walk->run.size < CK_TILE_WIDTH ? check_claims(walk) : r;
        }
        if (r != 0 || walk->run.size < CK_TILE_WIDTH) {
            return r;
        }
        r = ck_frontier_root(&walk->run, &root);
        walk->run.size = 0;
    } else {
        r = ck_merkle_fold(hashes, CK_TILE_WIDTH, &root);
    }
    r = r == 0 ? ck_frontier_add(&walk->tiles, &root) : r;
    return r == 0 ? check_claims(walk) : r;
}

/* ---- entries ---- */

static void check_place(struct walk *walk, uint64_t place, int64_t named)
{
    if (named == walk->expected) {
        walk->expected++;
        return;
    }
    walk->out_of_order = true;
    if (named > walk->expected) {
        ck_verdict_find(walk->verdict, "removed",
                        "at place %" PRIu64 " entries %" PRId64 " to %" PRId64 " are missing",
                        place, walk->expected, named - 1);
    } else if (named == walk->expected - 1) {
        ck_verdict_find(walk->verdict, "inserted",
                        "the entry at place %" PRIu64 " claims the number %" PRId64
                        ", which is taken",
                        place, named);
    } else {
        ck_verdict_find(walk->verdict, "moved",
                        "the entry at place %" PRIu64 " is number %" PRId64
                        ": the order was changed",
                        place, named);
    }
    walk->expected = named + 1;
}

static int visit(struct walk *walk, uint64_t place, const struct ck_leaf *leaf)
{
    walk->log->entries++;
    if (leaf == NULL) {
        ck_verdict_find(walk->verdict, "changed",
                        "what stands at place %" PRIu64 " is no entry of this log", place);
        walk->expected++;
        return 0;
    }
    check_place(walk, place, leaf->index);
    return ck_complete_add(walk->complete, leaf, walk->verdict);
}

/* Takes a bundle apart: how many entries are whole. */
static unsigned take_entries(struct walk *walk, size_t bytes, uint64_t from, unsigned width,
                             struct ck_slice *entries)
{
    struct ck_reader reader = ck_reader_of(walk->bundle, bytes);
    for (unsigned i = 0; i < width; i++) {
        size_t size = ck_read_u16(&reader);
        entries[i] = (struct ck_slice){ck_read_bytes(&reader, size), size};
        if (entries[i].data == NULL) {
            ck_verdict_find(walk->verdict, "truncated",
                            "the bundle of entry %" PRIu64 " is cut off", from + i);
            return i;
        }
    }
    if (ck_reader_left(&reader) > 0) {
        ck_verdict_find(walk->verdict, "inserted",
                        "behind entry %" PRIu64 " stands something that belongs to no entry",
                        from + width - 1);
    }
    return width;
}

static void compare(struct walk *walk, const struct ck_hash *hashes, const struct ck_hash *kept,
                    unsigned count)
{
    uint64_t from = size_now(walk);
    for (unsigned i = 0; i < count; i++) {
        if (memcmp(hashes[i].bytes, kept[i].bytes, sizeof hashes[i].bytes) != 0) {
            ck_verdict_find(walk->verdict, "changed",
                            "the entry at place %" PRIu64 " does not have the hash kept of it",
                            from + i);
        }
    }
}

static int visit_all(struct walk *walk, const struct ck_slice *entries, unsigned count,
                     const struct ck_hash *kept)
{
    struct ck_hash hashes[CK_TILE_WIDTH];
    struct ck_leaf leaf[2]; /* this one and the next, whose object is fetched meanwhile */
    bool is_leaf[2] = {false, false};
    uint64_t from = size_now(walk);
    int r = ck_merkle_leaves(entries, count, hashes);
    if (r == 0 && kept != NULL && memcmp(hashes, kept, count * sizeof hashes[0]) != 0) {
        compare(walk, hashes, kept, count);
    }
    for (unsigned i = 0; r == 0 && i <= count; i++) {
        if (i < count) {
            is_leaf[i % 2] = ck_leaf_read(entries[i].data, entries[i].size, &leaf[i % 2]);
            if (is_leaf[i % 2]) {
                ck_complete_expect(walk->complete, &leaf[i % 2]);
            }
        }
        if (i > 0) {
            r = visit(walk, from + i - 1, is_leaf[(i - 1) % 2] ? &leaf[(i - 1) % 2] : NULL);
        }
    }
    return r == 0 ? add_hashes(walk, hashes, count) : r;
}

/* One bundle of entries beside its tile of hashes. */
static int walk_bundle(struct walk *walk, uint64_t number, unsigned width)
{
    char tile[CK_TILE_PATH_SIZE];
    struct ck_slice entries[CK_TILE_WIDTH];
    struct ck_hash kept[CK_TILE_WIDTH];
    uint64_t from = number * CK_TILE_WIDTH;
    size_t size = 0, tile_size = 0;
    ck_tile_path(CK_TILE_ENTRIES, number, width, tile);
    int r = ck_input_read_in(walk->folder, tile, walk->bundle, BUNDLE_MAX, &size);
    if (r == -ENOENT) {
        ck_verdict_find(walk->verdict, "truncated",
                        "entries %" PRIu64 " to %" PRIu64 " are not there", from, from + width - 1);
        return CK_E_TRUNCATED;
    }
    if (r != 0) {
        return r;
    }
    /* Without the tile a fault is found all the same, only less exactly. */
    ck_tile_path(0, number, width, tile);
    bool have_tile = ck_input_read_in(walk->folder, tile, kept, sizeof kept, &tile_size) == 0 &&
                     tile_size == width * sizeof(struct ck_hash);
    unsigned count = take_entries(walk, size, from, width, entries);
    r = visit_all(walk, entries, count, have_tile ? kept : NULL);
    return r == 0 && count < width ? CK_E_TRUNCATED : r;
}

static int walk_all(struct walk *walk)
{
    int r = check_claims(walk);
    for (uint64_t from = 0; r == 0 && from < walk->size; from += CK_TILE_WIDTH) {
        uint64_t left = walk->size - from;
        r = walk_bundle(walk, from / CK_TILE_WIDTH,
                        left < CK_TILE_WIDTH ? (unsigned)left : CK_TILE_WIDTH);
    }
    return r;
}

/* ---- the whole ---- */

/* Checkpoints beyond the end: the copy is of an older log than was signed. */
static void beyond(struct walk *walk)
{
    for (size_t i = walk->claim_next; i < walk->claim_count; i++) {
        ck_verdict_find(walk->verdict, "rollback",
                        "a log of %" PRIu64 " entries was signed, and %" PRIu64 " are here",
                        walk->claims[i].checkpoint.size, size_now(walk));
    }
}

static uint64_t different_sizes(const struct walk *walk)
{
    uint64_t count = 0;
    for (size_t i = 0; i < walk->claim_count; i++) {
        count += i == 0 || walk->claims[i].checkpoint.size != walk->claims[i - 1].checkpoint.size;
    }
    return count;
}

static void conclude(struct walk *walk)
{
    struct ck_verdict *verdict = walk->verdict;
    if (verdict->findings == 0) {
        ck_verdict_proven(verdict,
                          "%" PRIu64 " entries are, in this order, those that %" PRIu64
                          " checkpoints were signed for",
                          walk->log->entries, different_sizes(walk));
    }
    if (walk->witnesses > 0) {
        ck_verdict_proven(verdict, "%u known witnesses signed as well", walk->witnesses);
    } else {
        ck_verdict_not_proven(verdict, "no known witness signed: whoever holds the log's key could "
                                       "show others another log");
    }
    if (walk->log->keys.found_inside) {
        ck_verdict_not_proven(verdict,
                              "whose key it is: it was found beside the log; compare it with "
                              "the one published, or give it with --key");
    }
    ck_verdict_not_proven(verdict, "what happened after the newest checkpoint");
}

int ck_verify_log(struct ck_verify_log *log, struct ck_verdict *verdict)
{
    ck_cleanup(ck_closep) int folder = open(log->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct walk walk = {
        .log = log, .verdict = verdict, .folder = folder, .bundle = malloc(BUNDLE_MAX)};
    int r = walk.bundle == NULL ? -ENOMEM : ck_complete_create(&walk.complete);
    r = r == 0 ? load_claims(&walk) : r;
    r = r == 0 ? walk_all(&walk) : r;
    if (r == 0 || r == CK_E_TRUNCATED) {
        beyond(&walk);
        if (r == 0 && !walk.out_of_order) {
            ck_complete_end(walk.complete, verdict);
        }
        conclude(&walk);
        r = 0;
    }
    ck_complete_destroy(walk.complete);
    free(walk.claims);
    free(walk.bundle);
    return r;
}
