#include "daemon/verify/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/verify/claims.h"
#include "daemon/verify/complete.h"
#include "daemon/verify/input.h"
#include "daemon/verify/succession.h"
#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/leaf.h"

#define PATH_SIZE 4352
#define BUNDLE_MAX ((size_t)CK_TILE_WIDTH * (2 + UINT16_MAX))

struct walk {
    struct ck_verify_log *log;
    struct ck_verdict *verdict;
    struct ck_complete *complete;
    int folder;
    uint8_t *bundle; /* BUNDLE_MAX bytes: read, which costs less than mapping so little */
    struct ck_claims claims;
    struct ck_succession succession;
    uint64_t size;            /* of the newest checkpoint */
    uint64_t sizes;           /* of checkpoints that hold, each counted once … */
    uint64_t newest_size;     /* … and the largest of them */
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
    path_of(walk, "log.vkeys", path);
    r = ck_succession_begin(&walk->succession, &walk->log->keys, path);
    path_of(walk, "checkpoint", path);
    r = r == 0 ? ck_claims_add(&walk->claims, path, "the newest checkpoint", false) : r;
    path_of(walk, "checkpoints", path);
    r = r == 0 ? ck_claims_add(&walk->claims, path, NULL, false) : r;
    r = r == -ENOENT ? 0 : r;
    for (size_t i = 0; r == 0 && i < walk->log->known_count; i++) {
        r = ck_claims_add(&walk->claims, walk->log->known[i], NULL, true);
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

/* Holds a checkpoint whose signatures are good against the entries that it covers. */
static void judge_claim(struct walk *walk, const struct ck_claim_note *note,
                        const struct ck_hash *root, const struct ck_signers *by)
{
    uint64_t size = note->claim.size;
    if (memcmp(root->bytes, note->claim.root.bytes, sizeof root->bytes) != 0) {
        ck_verdict_find(walk->verdict, note->from_elsewhere ? "fork" : "root",
                        note->from_elsewhere
                            ? "the first %" PRIu64 " entries are not those of the checkpoint "
                              "that was kept elsewhere: two logs were signed"
                            : "the first %" PRIu64 " entries do not give the root that was "
                              "signed",
                        size);
        return;
    }
    ck_succession_signed(&walk->succession, by->logs, size);
    walk->witnesses = by->witnesses > walk->witnesses ? by->witnesses : walk->witnesses;
    walk->sizes += size != walk->newest_size || walk->sizes == 0;
    walk->newest_size = size;
}

static int take_claim(struct walk *walk, struct ck_claim_note *note, struct ck_signers *by,
                      bool *good)
{
    int r = ck_claims_take(&walk->claims, note);
    *good = r == 0 && ck_keys_check(&walk->log->keys, note->text, note->claim.bytes, note->name,
                                    walk->verdict, by);
    return r;
}

static int check_claim(struct walk *walk, const struct ck_hash *root)
{
    struct ck_claim_note note;
    struct ck_signers by;
    bool good = false;
    int r = take_claim(walk, &note, &by, &good);
    if (r == 0 && note.claim.size < size_now(walk)) {
        ck_verdict_find(walk->verdict, "moved",
                        "%s (%" PRIu64 " entries) stands behind many larger ones: put them in "
                        "order",
                        note.name, note.claim.size);
    } else if (r == 0 && good) {
        judge_claim(walk, &note, root, &by);
    }
    return r;
}

/* All that end here. */
static int check_claims(struct walk *walk)
{
    const struct ck_claim *next;
    struct ck_hash root;
    bool have_root = false;
    int r;
    while ((r = ck_claims_peek(&walk->claims, &next)) == 0 && next != NULL &&
           next->size <= size_now(walk)) {
        r = have_root ? 0 : root_now(walk, &root);
        have_root = true;
        r = r == 0 ? check_claim(walk, &root) : r;
        if (r != 0) {
            return r;
        }
    }
    return r;
}

/* Adds the hashes of a whole tile, or of the part of one behind the last. Where a checkpoint ends
 * among them they go one by one. */
static int add_hashes(struct walk *walk, struct ck_hash *hashes, unsigned count)
{
    struct ck_hash root;
    uint64_t until = size_now(walk) + count;
    const struct ck_claim *next;
    int r = ck_claims_peek(&walk->claims, &next);
    bool ends_inside = next != NULL && next->size < until;
    if (r != 0) {
        return r;
    }
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
    ck_succession_entry(&walk->succession, leaf);
    ck_complete_add(walk->complete, leaf, walk->verdict);
    return 0;
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
static int beyond(struct walk *walk)
{
    struct ck_claim_note note;
    struct ck_signers by;
    bool good = true;
    int r;
    while ((r = take_claim(walk, &note, &by, &good)) == 0) {
        if (good) {
            ck_verdict_find(walk->verdict, "rollback",
                            "a log of %" PRIu64 " entries was signed, and %" PRIu64 " are here",
                            note.claim.size, size_now(walk));
        }
    }
    return r == CK_E_NOT_FOUND ? 0 : r;
}

static void conclude(struct walk *walk)
{
    struct ck_verdict *verdict = walk->verdict;
    if (verdict->findings == 0) {
        ck_verdict_proven(verdict,
                          "%" PRIu64 " entries are, in this order, those that %" PRIu64
                          " checkpoints were signed for",
                          walk->log->entries, walk->sizes);
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
    walk.claims.verdict = verdict;
    int r = walk.bundle == NULL ? -ENOMEM : ck_complete_create(&walk.complete, log->objects);
    r = r == 0 ? load_claims(&walk) : r;
    r = r == 0 ? walk_all(&walk) : r;
    if (r == 0 || r == CK_E_TRUNCATED) {
        bool whole = r == 0 && !walk.out_of_order;
        r = beyond(&walk);
        if (whole) {
            ck_complete_end(walk.complete, verdict);
        }
        ck_succession_end(&walk.succession, verdict);
        conclude(&walk);
    }
    ck_complete_destroy(walk.complete);
    ck_claims_deinit(&walk.claims);
    free(walk.bundle);
    return r;
}
