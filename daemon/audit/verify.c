#include "daemon/audit/verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/audit/audit.h"
#include "daemon/audit/erasure.h"
#include "daemon/audit/tree.h"
#include "daemon/store/checkpoint.h"
#include "daemon/store/log.h"
#include "daemon/store/query_log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/leaf.h"
#include "protocol/note.h"

struct walk {
    struct ck_store *store;
    struct ck_audit_report *report;
    struct ck_log_head head;
    struct ck_frontier tiles; /* of the roots of complete tiles */
    struct ck_frontier run;   /* of the leaves behind them */
    int64_t row;              /* index that the next row must have */
    int64_t leaf;             /* index that the next leaf must name */
    size_t known;
    uint64_t unnamed; /* sum of the entries that no later one names as the one before it */
    struct ck_erasures erasures;
};

static void __attribute__((format(printf, 5, 6)))
find(struct walk *walk, enum ck_audit_fault fault, int64_t index, int64_t until, const char *format,
     ...)
{
    struct ck_audit_finding finding = {.fault = fault, .index = index, .until = until};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding.text, sizeof finding.text, format, arguments);
    va_end(arguments);
    walk->report->findings++;
    if (walk->report->finding != NULL) {
        walk->report->finding(walk->report->user, &finding);
    }
}

/* ---- order ---- */

static void check_place(struct walk *walk, const struct ck_log_row *row, int64_t named)
{
    if (row->index > walk->row) {
        find(walk, CK_AUDIT_REMOVED, walk->row, row->index, "entries %lld to %lld were removed",
             (long long)walk->row, (long long)row->index - 1);
        walk->leaf += row->index - walk->row;
    }
    walk->row = row->index + 1;
    if (named == walk->leaf) {
        walk->leaf++;
        return;
    }
    if (named == walk->leaf - 1) {
        find(walk, CK_AUDIT_INSERTED, row->index, row->index + 1,
             "entry %lld was inserted: the place %lld is taken", (long long)row->index,
             (long long)named);
    } else if (named > walk->leaf) {
        find(walk, CK_AUDIT_REMOVED, walk->leaf, named,
             "entries %lld to %lld were removed and the rest moved up", (long long)walk->leaf,
             (long long)named - 1);
    } else {
        find(walk, CK_AUDIT_MOVED, row->index, row->index + 1,
             "entry %lld holds what belongs at %lld: the order was changed", (long long)row->index,
             (long long)named);
    }
    walk->leaf = named + 1;
}

/* ---- one entry ---- */

/* What the columns repeat of the leaf. */
static bool columns_agree(const struct ck_log_row *row, const struct ck_leaf *leaf,
                          const struct ck_leaf_tail *tail)
{
    char at[CK_WALL_TEXT_SIZE];
    ck_wall_text(row->at, at);
    return ck_leaf_is(leaf->at, at) && row->previous == tail->previous;
}

static bool plain_agrees(const struct ck_log_row *row, const struct ck_leaf *leaf)
{
    return ck_leaf_is(leaf->action, row->action) && ck_leaf_is(leaf->actor_kind, row->actor_kind) &&
           ck_leaf_is(leaf->object_kind, row->object_kind);
}

/* Each plaintext beside the entry against the commitment in it. The name of the first that differs,
 * or NULL. */
static const char *commitment_fault(const json_t *sealed, const json_t *salted)
{
    const char *name;
    json_t *pair;
    if (json_object_size(sealed) != json_object_size(salted)) {
        return "the number of members";
    }
    json_object_foreach((json_t *)(uintptr_t)salted, name, pair)
    {
        uint8_t salt[CK_AUDIT_SALT_SIZE];
        struct ck_hash commitment;
        char text[CK_HEX_SIZE(CK_SHA256_SIZE)];
        const char *hex = json_string_value(json_array_get(pair, 0));
        const char *kept = json_string_value(json_object_get(sealed, name));
        if (json_array_size(pair) == 1 && kept != NULL) {
            continue; /* withheld: its plaintext is proven where it is kept */
        }
        if (hex == NULL || kept == NULL || ck_hex_decode(hex, salt, sizeof salt) != 0 ||
            ck_audit_commit(salt, name, json_array_get(pair, 1), &commitment) != 0) {
            return name;
        }
        ck_hex_encode(commitment.bytes, sizeof commitment.bytes, text);
        if (strcmp(kept, text) != 0) {
            return name;
        }
    }
    return NULL;
}

static int check_plain(struct walk *walk, const struct ck_log_row *row, bool has_plain,
                       const struct ck_leaf *leaf, const struct ck_leaf_tail *tail)
{
    ck_erasures_look(&walk->erasures, leaf, tail);
    if (!has_plain) {
        find(walk, CK_AUDIT_PLAIN, row->index, row->index + 1,
             "the row beside entry %lld is missing", (long long)row->index);
        return 0;
    }
    if (!plain_agrees(row, leaf)) {
        find(walk, CK_AUDIT_PLAIN, row->index, row->index + 1,
             "the row beside entry %lld names another action or object", (long long)row->index);
    }
    bool commits = tail->sealed.size > 2;
    if (row->salted == NULL) {
        walk->report->erased += commits;
        return commits ? ck_erasures_gone(&walk->erasures, leaf, tail) : 0;
    }
    json_t *salted = json_loads(row->salted, 0, NULL);
    json_t *sealed = commits ? json_loadb(tail->sealed.at, tail->sealed.size, 0, NULL) : NULL;
    const char *fault =
        salted == NULL || sealed == NULL ? "all of it" : commitment_fault(sealed, salted);
    if (fault != NULL) {
        find(walk, CK_AUDIT_PLAIN, row->index, row->index + 1,
             "the text beside entry %lld was changed: %s", (long long)row->index, fault);
    }
    json_decref(salted);
    json_decref(sealed);
    return 0;
}

/* Text that is gone although no entry says that it was erased. */
static void check_erasures(struct walk *walk)
{
    const struct ck_erasure_open *open;
    size_t at = 0;
    while ((open = ck_erasures_left(&walk->erasures, &at)) != NULL) {
        find(walk, CK_AUDIT_PLAIN, open->first, open->first + 1,
             "the text beside entry %lld is gone (and beside %llu more), and no entry says that it "
             "was erased",
             (long long)open->first, (unsigned long long)(open->count - 1));
    }
}

/* ---- the tree ---- */

/* The walk keeps the tree in two parts, so that nothing is hashed twice: the tiles that are
 * complete, whose roots make a tree of their own, and the run of leaves behind them. */
static void join(const struct walk *walk, struct ck_frontier *whole)
{
    size_t tiles = ck_frontier_count(&walk->tiles), run = ck_frontier_count(&walk->run);
    *whole = (struct ck_frontier){.size = walk->tiles.size * CK_LOG_TILE_WIDTH + walk->run.size};
    memcpy(whole->roots, walk->tiles.roots, tiles * sizeof whole->roots[0]);
    memcpy(whole->roots + tiles, walk->run.roots, run * sizeof whole->roots[0]);
}

/* A run that is complete against the hash that the store keeps of it. */
static int check_tile(struct walk *walk)
{
    struct ck_hash tile[CK_LOG_TILE_WIDTH], root;
    uint64_t number = walk->tiles.size;
    size_t count = 0, at = number % CK_LOG_TILE_WIDTH;
    int r = ck_frontier_root(&walk->run, &root);
    if (r == 0) {
        r = ck_log_load_tile(walk->store, 1, number / CK_LOG_TILE_WIDTH, tile, &count);
    }
    if (r == 0) {
        r = ck_frontier_add(&walk->tiles, &root);
    }
    walk->run.size = 0;
    if (r != 0) {
        return r;
    }
    if (count <= at || memcmp(tile[at].bytes, root.bytes, sizeof root.bytes) != 0) {
        uint64_t from = number * CK_LOG_TILE_WIDTH;
        find(walk, CK_AUDIT_TREE, (int64_t)from, (int64_t)(from + CK_LOG_TILE_WIDTH),
             "among entries %llu to %llu one was changed together with its hash",
             (unsigned long long)from, (unsigned long long)(from + CK_LOG_TILE_WIDTH - 1));
    }
    return 0;
}

static int add_leaf(struct walk *walk, const struct ck_hash *hash)
{
    int r = ck_frontier_add(&walk->run, hash);
    return r == 0 && walk->run.size == CK_LOG_TILE_WIDTH ? check_tile(walk) : r;
}

static int check_known(struct walk *walk)
{
    const struct ck_audit_report *report = walk->report;
    uint64_t size = walk->tiles.size * CK_LOG_TILE_WIDTH + walk->run.size;
    while (walk->known < report->known_count && report->known[walk->known].size == size) {
        struct ck_frontier whole;
        struct ck_hash root;
        join(walk, &whole);
        int r = ck_frontier_root(&whole, &root);
        if (r != 0) {
            return r;
        }
        if (memcmp(root.bytes, report->known[walk->known].root.bytes, sizeof root.bytes) != 0) {
            find(walk, CK_AUDIT_ROOT, 0, (int64_t)size,
                 "the first %llu entries do not give the root that is known of them",
                 (unsigned long long)size);
        }
        walk->known++;
    }
    return 0;
}

static int visit(void *user, const struct ck_log_row *row, bool has_plain)
{
    struct walk *walk = user;
    struct ck_hash hash;
    int r = ck_merkle_leaf(row->leaf, row->leaf_size, &hash);
    if (r != 0) {
        return r;
    }
    walk->report->entries++;
    if (row->index >= (int64_t)walk->head.frontier.size) {
        find(walk, CK_AUDIT_APPENDED, row->index, row->index + 1,
             "entry %lld stands behind the end of the log", (long long)row->index);
        return 0;
    }
    if (memcmp(hash.bytes, row->hash.bytes, sizeof hash.bytes) != 0) {
        find(walk, CK_AUDIT_CHANGED, row->index, row->index + 1,
             "entry %lld was changed: its hash does not fit", (long long)row->index);
    }
    struct ck_leaf leaf;
    struct ck_leaf_tail tail;
    if (!ck_leaf_read(row->leaf, row->leaf_size, &leaf) || !ck_leaf_read_tail(&leaf, &tail)) {
        find(walk, CK_AUDIT_CHANGED, row->index, row->index + 1,
             "entry %lld is no leaf of this log", (long long)row->index);
        check_place(walk, row, walk->leaf + (row->index - walk->row));
    } else {
        check_place(walk, row, leaf.index);
        walk->unnamed += (uint64_t)(leaf.index - (tail.previous < 0 ? 0 : tail.previous));
        if (!columns_agree(row, &leaf, &tail)) {
            find(walk, CK_AUDIT_CHANGED, row->index, row->index + 1,
                 "the columns of entry %lld do not say what its leaf says", (long long)row->index);
        }
        r = check_plain(walk, row, has_plain, &leaf, &tail);
    }
    r = r == 0 ? add_leaf(walk, &hash) : r;
    return r == 0 ? check_known(walk) : r;
}

/* ---- the objects ---- */

static int visit_object(void *user, const struct ck_pseudonym *object, int64_t newest,
                        const void *leaf_bytes, size_t size)
{
    struct walk *walk = user;
    struct ck_leaf leaf;
    char id[CK_HEX_SIZE(CK_PSEUDONYM_SIZE)];
    ck_hex_encode(object->bytes, sizeof object->bytes, id);
    walk->unnamed -= (uint64_t)newest;
    if (leaf_bytes == NULL || !ck_leaf_read(leaf_bytes, size, &leaf) ||
        !ck_leaf_is(leaf.object_id, id)) {
        find(walk, CK_AUDIT_CHANGED, newest, newest + 1,
             "entry %lld, kept as the newest about %s, is not about it", (long long)newest, id);
    }
    return 0;
}

/* Of the entries about one object each but the newest is named by the next. So the sum of all
 * entries less the sum of those that are named is the sum of those that are kept as the newest,
 * unless one of these is missing or too old. */
static int check_objects(struct walk *walk)
{
    uint64_t before = walk->report->findings;
    int r = ck_log_walk_objects(walk->store, visit_object, walk);
    if (r == 0 && walk->unnamed != 0 && walk->report->findings == before) {
        find(walk, CK_AUDIT_CHANGED, 0, walk->row,
             "what is kept as the newest entry about each object is not that");
    }
    return r;
}

/* ---- the whole ---- */

static int check_head(struct walk *walk)
{
    struct ck_hash root;
    int64_t size = (int64_t)walk->head.frontier.size;
    if (walk->row < size) {
        find(walk, CK_AUDIT_REMOVED, walk->row, size,
             "entries %lld to %lld, the last, were removed", (long long)walk->row,
             (long long)size - 1);
    }
    int r = ck_frontier_root(&walk->head.frontier, &root);
    if (r == 0 && memcmp(root.bytes, walk->head.root.bytes, sizeof root.bytes) != 0) {
        find(walk, CK_AUDIT_TREE, 0, size, "the head of the log was changed");
    }
    struct ck_frontier whole;
    join(walk, &whole);
    if (r == 0) {
        r = ck_frontier_root(&whole, &walk->report->root);
    }
    /* The subtrees that the head keeps tell which part differs, down to the last entry. */
    uint64_t from = 0;
    size_t count = ck_frontier_count(&walk->head.frontier);
    bool same_size = whole.size == walk->head.frontier.size;
    for (size_t i = 0; r == 0 && same_size && i < count; i++) {
        uint64_t rest = walk->head.frontier.size - from;
        uint64_t width = UINT64_C(1) << (63 - __builtin_clzll(rest));
        if (memcmp(whole.roots[i].bytes, walk->head.frontier.roots[i].bytes, sizeof root.bytes) !=
            0) {
            find(walk, CK_AUDIT_TREE, (int64_t)from, (int64_t)(from + width),
                 "entries %llu to %llu do not give the hash that the head keeps of them",
                 (unsigned long long)from, (unsigned long long)(from + width - 1));
        }
        from += width;
    }
    return r;
}

int ck_audit_verify(struct ck_store *store, struct ck_audit_report *report)
{
    ck_cleanup(ck_freep) struct walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL) {
        return -ENOMEM;
    }
    walk->store = store;
    walk->report = report;
    report->entries = report->findings = report->erased = 0;
    int r = ck_store_view(store);
    if (r != 0) {
        return r;
    }
    r = ck_log_load_head(store, &walk->head);
    if (r == 0) {
        r = check_known(walk);
    }
    if (r == 0) {
        r = ck_log_walk(store, 0, visit, walk);
    }
    if (r == 0 && report->findings == 0) {
        r = check_objects(walk);
    }
    if (r == 0) {
        check_erasures(walk);
        r = check_head(walk);
    }
    for (; r == 0 && walk->known < report->known_count; walk->known++) {
        find(walk, CK_AUDIT_ROOT, 0, (int64_t)report->known[walk->known].size,
             "the log is shorter than the %llu entries that were seen of it",
             (unsigned long long)report->known[walk->known].size);
    }
    ck_store_view_end(store);
    ck_erasures_clear(&walk->erasures);
    return r;
}

/* ---- one entry with its proof ---- */

static json_t *proof_json(const struct ck_merkle_proof *proof, uint64_t size,
                          const struct ck_hash *root)
{
    char text[CK_HEX_SIZE(CK_SHA256_SIZE)];
    json_t *path = json_array();
    for (size_t i = 0; i < proof->count; i++) {
        ck_hex_encode(proof->path[i].bytes, sizeof proof->path[i].bytes, text);
        json_array_append_new(path, json_string(text));
    }
    ck_hex_encode(root->bytes, sizeof root->bytes, text);
    return json_pack("{s:I, s:s, s:o}", "size", (json_int_t)size, "root", text, "path", path);
}

/* How many signed a note beside the log itself. */
static int witnesses_of(const char *note)
{
    int signatures = 0;
    for (const char *at = note; (at = strstr(at, "\n\xe2\x80\x94 ")) != NULL; at++) {
        signatures++;
    }
    return signatures > 0 ? signatures - 1 : 0;
}

/* The first checkpoint that covers the entry, as JSON and with its root; both stay as they are
 * where there is none yet. */
static int covering(struct ck_store *store, int64_t index, json_t **named, uint64_t *size,
                    struct ck_hash *root)
{
    ck_cleanup(ck_freep) char *note = NULL;
    struct ck_checkpoint checkpoint;
    struct ck_wall at = {0};
    char text[CK_WALL_TEXT_SIZE];
    int64_t covers = 0;
    int r = ck_log_checkpoint_covering(store, index + 1, &covers, &note);
    if (r != 0) {
        return r == CK_E_NOT_FOUND ? 0 : r;
    }
    r = ck_log_checkpoint_at(store, covers, &at);
    if (r != 0 || ck_checkpoint_parse(note, strlen(note), &checkpoint) != 0) {
        return r < 0 ? r : -EUCLEAN;
    }
    ck_wall_text(at, text);
    *named = json_pack("{s:I, s:s, s:i}", "size", (json_int_t)covers, "at", text, "witnesses",
                       witnesses_of(note));
    *size = checkpoint.size;
    *root = checkpoint.root;
    return *named == NULL ? -ENOMEM : 0;
}

int ck_audit_detail(struct ck_store *store, int64_t unit, int64_t index, json_t **detail)
{
    struct ck_log_head head;
    struct ck_merkle_proof proof;
    json_t *checkpoint = NULL;
    const struct ck_merkle_source source = ck_audit_tree_source(store);
    json_t *entry = NULL;
    int r = ck_query_log_entry(store, unit, index, &entry);
    if (r == 0) {
        r = ck_log_load_head(store, &head);
    }
    uint64_t size = r == 0 ? head.frontier.size : 0;
    struct ck_hash root = head.root;
    r = r == 0 ? covering(store, index, &checkpoint, &size, &root) : r;
    if (r == 0) {
        r = ck_merkle_prove_inclusion(&source, (uint64_t)index, size, &proof);
    }
    if (r != 0) {
        json_decref(checkpoint);
        json_decref(entry);
        return r;
    }
    json_object_set_new(entry, "proof", proof_json(&proof, size, &root));
    json_object_set_new(entry, "checkpoint", checkpoint == NULL ? json_null() : checkpoint);
    *detail = entry;
    return 0;
}
