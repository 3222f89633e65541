#include "daemon/verify/bundle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/verify/bundle_impl.h"
#include "daemon/verify/input.h"
#include "daemon/verify/proof.h"
#include "protocol/base/array.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define SALT_SIZE 16

static int keep(void *user, const struct ck_zip_file *file)
{
    struct bundle_work *work = user;
    struct ck_zip_file *files =
        ck_array_grow(work->files, &work->file_room, work->file_count, sizeof *files);
    if (files == NULL) {
        return -ENOMEM;
    }
    work->files = files;
    work->files[work->file_count++] = *file;
    return 0;
}

/* ---- finding what is in it ---- */

static int by_name(const void *a, const void *b)
{
    const struct ck_zip_file *const *first = a, *const *second = b;
    return strcmp((*first)->name, (*second)->name);
}

static int order_files(struct bundle_work *work)
{
    work->by_name = calloc(work->file_count + 1, sizeof(const struct ck_zip_file *));
    work->entries = calloc(work->file_count + 1, sizeof *work->entries);
    work->by_object = calloc(work->file_count + 1, sizeof(struct bundle_entry *));
    if (work->by_name == NULL || work->entries == NULL || work->by_object == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < work->file_count; i++) {
        work->by_name[i] = &work->files[i];
    }
    qsort(work->by_name, work->file_count, sizeof(const struct ck_zip_file *), by_name);
    return 0;
}

const struct ck_zip_file *bundle_find(const struct bundle_work *work, const char *name)
{
    struct ck_zip_file wanted;
    const struct ck_zip_file *key = &wanted;
    snprintf(wanted.name, sizeof wanted.name, "%s", name);
    const struct ck_zip_file *const *found =
        bsearch(&key, work->by_name, work->file_count, sizeof(const struct ck_zip_file *), by_name);
    return found == NULL ? NULL : *found;
}

static int by_object(const void *a, const void *b)
{
    const struct bundle_entry *const *first = a, *const *second = b;
    int order = memcmp((*first)->leaf.object_id.at, (*second)->leaf.object_id.at, BUNDLE_ID_SIZE);
    return order != 0 ? order : (*first)->leaf.index < (*second)->leaf.index ? -1 : 1;
}

static int of_object(const void *id, const void *entry)
{
    const struct bundle_entry *const *at = entry;
    return memcmp(id, (*at)->leaf.object_id.at, BUNDLE_ID_SIZE);
}

struct bundle_entry *const *bundle_entries_of(const struct bundle_work *work, const char *id,
                                              size_t *count)
{
    struct bundle_entry *const *any =
        bsearch(id, work->by_object, work->entry_count, sizeof(struct bundle_entry *), of_object);
    struct bundle_entry *const *end = work->by_object + work->entry_count;
    struct bundle_entry *const *first = any;
    *count = 0;
    while (any != NULL && first > work->by_object && of_object(id, first - 1) == 0) {
        first--;
    }
    while (any != NULL && first + *count < end && of_object(id, first + *count) == 0) {
        ++*count;
    }
    return first;
}

bool bundle_number(const char *name, const char *folder, const char *ending, uint64_t *number)
{
    size_t size = strlen(folder);
    char *end;
    if (strncmp(name, folder, size) != 0 || name[size] < '0' || name[size] > '9') {
        return false;
    }
    errno = 0;
    *number = strtoull(name + size, &end, 10);
    return errno == 0 && strcmp(end, ending) == 0;
}

/* ---- what was opened ---- */

/* ["SALT",VALUE] against the commitment of its name. */
static bool commits(struct ck_leaf_text name, struct ck_leaf_text pair, struct ck_leaf_text kept)
{
    const size_t head = 2 + 2 * SALT_SIZE + 2; /* [" salt ", */
    char salt_text[2 * SALT_SIZE + 1] = {0}, text[CK_HEX_SIZE(CK_SHA256_SIZE)];
    uint8_t salt[SALT_SIZE], digest[CK_SHA256_SIZE];
    if (pair.size < head + 2 || pair.at[0] != '[' || pair.at[pair.size - 1] != ']') {
        return false;
    }
    memcpy(salt_text, pair.at + 2, 2 * (size_t)SALT_SIZE);
    const struct ck_slice slices[] = {{salt, sizeof salt},
                                      {name.at, name.size},
                                      {"\0", 1},
                                      {pair.at + head, pair.size - head - 1}};
    if (ck_hex_decode(salt_text, salt, sizeof salt) != 0 || ck_sha256(slices, 4, digest) != 0) {
        return false;
    }
    ck_hex_encode(digest, sizeof digest, text);
    return kept.size == 2 + sizeof text - 1 && memcmp(kept.at + 1, text, sizeof text - 1) == 0;
}

static void check_opened(struct bundle_work *work, const struct bundle_entry *entry)
{
    char path[64], member[80];
    struct ck_leaf_text name, pair;
    snprintf(path, sizeof path, "opened/%" PRId64 ".json", entry->leaf.index);
    const struct ck_zip_file *file = bundle_find(work, path);
    if (file == NULL) {
        return;
    }
    const struct ck_leaf_text object = {(const char *)file->bytes, file->size};
    size_t at = 0;
    while (ck_leaf_next(object, &at, &name, &pair)) {
        snprintf(member, sizeof member, "%.*s", name.size > 70 ? 70 : (int)name.size, name.at);
        if (!commits(name, pair, ck_leaf_member(entry->tail.sealed, member))) {
            ck_verdict_find(work->verdict, "plain",
                            "\"%s\" of entry %" PRId64 " is not what the entry commits to", member,
                            entry->leaf.index);
        } else {
            work->opened++;
        }
    }
    if (at + 1 != object.size) {
        ck_verdict_find(work->verdict, "plain", "%s is not of its form", path);
    }
}

/* ---- entries ---- */

/* The proof of an entry, under the one checkpoint of all. */
static bool check_proof(struct bundle_work *work, const struct ck_zip_file *file,
                        const struct ck_zip_file *proof_file)
{
    struct ck_entry_proof proof;
    if (!ck_verify_entry((const char *)proof_file->bytes, proof_file->size, file->bytes, file->size,
                         file->name, work->keys, work->verdict, &proof)) {
        return false;
    }
    if (proof.checkpoint.size != work->checkpoint.size ||
        memcmp(proof.checkpoint.root.bytes, work->checkpoint.root.bytes,
               sizeof proof.checkpoint.root.bytes) != 0) {
        ck_verdict_find(work->verdict, "fork",
                        "the proof of %s leads to another checkpoint (%" PRIu64
                        " entries) than the bundle's (%" PRIu64 ")",
                        file->name, proof.checkpoint.size, work->checkpoint.size);
        return false;
    }
    return true;
}

static void check_entry(struct bundle_work *work, const struct ck_zip_file *file, uint64_t number)
{
    char path[64];
    struct bundle_entry *entry = &work->entries[work->entry_count];
    snprintf(path, sizeof path, "entries/%" PRIu64 ".tlog-proof", number);
    const struct ck_zip_file *proof_file = bundle_find(work, path);
    if (proof_file == NULL && number < work->checkpoint.size) {
        ck_verdict_find(work->verdict, "missing",
                        "%s has no proof although the log of %" PRIu64 " entries was signed",
                        file->name, work->checkpoint.size);
        return;
    }
    if (proof_file != NULL && !check_proof(work, file, proof_file)) {
        return;
    }
    if (!ck_leaf_read(file->bytes, file->size, &entry->leaf) ||
        !ck_leaf_read_tail(&entry->leaf, &entry->tail) || (uint64_t)entry->leaf.index != number) {
        ck_verdict_find(work->verdict, "changed", "%s is not entry %" PRIu64, file->name, number);
        return;
    }
    entry->proven = proof_file != NULL;
    work->unproven += !entry->proven;
    work->entry_count++;
    check_opened(work, entry);
}

static int by_index(const void *a, const void *b)
{
    const struct bundle_entry *first = a, *second = b;
    return first->leaf.index < second->leaf.index ? -1 : first->leaf.index > second->leaf.index;
}

/* ---- the whole ---- */

static void conclude_good(struct bundle_work *work)
{
    struct ck_verdict *verdict = work->verdict;
    struct ck_leaf_text audience = ck_leaf_string(work->built.tail.open, "audience");
    ck_verdict_proven(verdict,
                      "%zu entries are in the log of which %" PRIu64
                      " entries were signed, %u texts are what they commit to",
                      work->entry_count - work->unproven, work->checkpoint.size, work->opened);
    ck_verdict_proven(verdict,
                      "%u recordings are those that the entries speak of, and play as "
                      "they were sealed",
                      work->recordings);
    ck_verdict_proven(verdict,
                      "all %zu files are those of the bundle that entry %" PRId64
                      " says was made for the %.*s",
                      work->file_count, work->built.leaf.index, (int)audience.size, audience.at);
}

static void conclude(struct bundle_work *work)
{
    struct ck_verdict *verdict = work->verdict;
    if (verdict->findings == 0) {
        conclude_good(work);
    }
    if (work->unproven > 0) {
        ck_verdict_not_proven(verdict,
                              "that %u entries are in the log: they were not signed yet when this "
                              "was made, and are what was given out",
                              work->unproven);
    }
    if (work->keys->found_inside) {
        ck_verdict_not_proven(verdict,
                              "whose key it is: it was found in the bundle; compare it with "
                              "the one published, or give it with --key");
    }
    ck_verdict_not_proven(
        verdict, "the words of the report, facts.json, the messages and the film: they are "
                 "what was given out, but the entries are what counts");
    ck_verdict_not_proven(verdict, "what was written about it afterwards");
}

static int check_all(struct bundle_work *work)
{
    uint64_t number;
    size_t listed = 0;
    if (bundle_find(work, "facts.json") == NULL && bundle_find(work, "manifest.json") == NULL) {
        return CK_E_NOT_FOUND;
    }
    bundle_take_keys(work);
    bundle_check_checkpoint(work);
    int r = bundle_check_manifest(work);
    for (size_t i = 0; i < work->file_count; i++) {
        if (bundle_number(work->files[i].name, "entries/", ".json", &number)) {
            listed++;
            check_entry(work, &work->files[i], number);
        }
    }
    qsort(work->entries, work->entry_count, sizeof work->entries[0], by_index);
    for (size_t i = 0; i < work->entry_count; i++) {
        work->by_object[i] = &work->entries[i];
    }
    qsort(work->by_object, work->entry_count, sizeof(struct bundle_entry *), by_object);
    if (work->entry_count == listed) {
        bundle_check_objects(work);
    }
    bundle_check_recordings(work);
    conclude(work);
    return r;
}

/* What the archive itself says against it. False: what is in it cannot be told. */
static bool check_archive(struct bundle_work *work, int *r, const struct ck_zip_file *bad)
{
    if (*r == CK_E_AUTH) {
        ck_verdict_find(work->verdict, "changed", "%s is damaged", bad->name);
    } else if (*r == CK_E_CONFLICT) {
        ck_verdict_find(work->verdict, "twice",
                        "%s is there twice: one program shows the first, another the last",
                        bad->name);
    } else if (*r == CK_E_INVALID) {
        ck_verdict_find(work->verdict, "changed",
                        "the archive is not of the one form that a bundle has%s%s: programs may "
                        "show other files",
                        *bad->name == '\0' ? "" : ", at ", bad->name);
    } else {
        *r = *r == CK_E_SYNTAX ? CK_E_NOT_FOUND : *r;
        return *r == 0;
    }
    *r = 0;
    return false;
}

int ck_verify_bundle(const struct ck_verify_bundle *what, struct ck_keys *keys,
                     struct ck_verdict *verdict)
{
    struct ck_input input;
    struct ck_zip_file bad = {.size = 0};
    struct bundle_work work = {.what = what, .verdict = verdict, .keys = keys};
    int r = ck_input_map(what->path, &input);
    if (r == 0) {
        r = ck_zip_walk(input.bytes, input.size, keep, &work, &bad);
        if (check_archive(&work, &r, &bad)) {
            r = order_files(&work);
            r = r == 0 ? check_all(&work) : r;
        }
        ck_input_unmap(&input);
    }
    free(work.files);
    free(work.by_name);
    free(work.entries);
    free(work.by_object);
    return r;
}
