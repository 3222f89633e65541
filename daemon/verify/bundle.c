#include "daemon/verify/bundle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/verify/input.h"
#include "daemon/verify/proof.h"
#include "daemon/verify/recording.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/leaf.h"
#include "protocol/zip.h"

#define ID_SIZE 32
#define HEADS_MAX 512
#define SALT_SIZE 16

/* An entry whose proof is good. */
struct entry {
    struct ck_leaf leaf;
    struct ck_leaf_tail tail;
};

struct work {
    struct ck_verdict *verdict;
    struct ck_keys *keys;
    struct ck_zip_file *files;
    size_t file_count;
    struct entry *entries; /* ascending by index */
    size_t entry_count;
    uint64_t size; /* of the largest checkpoint */
    unsigned proofs_missing, opened, recordings;
    bool for_person;
};

static int keep(void *user, const struct ck_zip_file *file)
{
    struct work *work = user;
    work->files[work->file_count++] = *file;
    return 0;
}

static const struct ck_zip_file *find(const struct work *work, const char *name)
{
    for (size_t i = 0; i < work->file_count; i++) {
        if (strcmp(work->files[i].name, name) == 0) {
            return &work->files[i];
        }
    }
    return NULL;
}

/* The number of "folder/N.ending"; false where the name is another. */
static bool number_of(const char *name, const char *folder, const char *ending, uint64_t *number)
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

static void check_opened(struct work *work, const struct entry *entry)
{
    char path[64], member[80];
    struct ck_leaf_text name, pair;
    snprintf(path, sizeof path, "opened/%" PRId64 ".json", entry->leaf.index);
    const struct ck_zip_file *file = find(work, path);
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

static void check_entry(struct work *work, const struct ck_zip_file *file, uint64_t number)
{
    char path[64];
    struct ck_entry_proof proof;
    struct entry *entry = &work->entries[work->entry_count];
    snprintf(path, sizeof path, "entries/%" PRIu64 ".tlog-proof", number);
    const struct ck_zip_file *proof_file = find(work, path);
    if (proof_file == NULL) {
        work->proofs_missing++;
        return;
    }
    if (!ck_verify_entry((const char *)proof_file->bytes, proof_file->size, file->bytes, file->size,
                         file->name, work->keys, work->verdict, &proof)) {
        return;
    }
    if (!ck_leaf_read(file->bytes, file->size, &entry->leaf) ||
        !ck_leaf_read_tail(&entry->leaf, &entry->tail) || (uint64_t)entry->leaf.index != number) {
        ck_verdict_find(work->verdict, "changed", "%s is not entry %" PRIu64, file->name, number);
        return;
    }
    work->size = proof.checkpoint.size > work->size ? proof.checkpoint.size : work->size;
    work->entry_count++;
    check_opened(work, entry);
}

static int by_index(const void *a, const void *b)
{
    const struct entry *first = a, *second = b;
    return first->leaf.index < second->leaf.index ? -1 : first->leaf.index > second->leaf.index;
}

static bool same_object(const struct entry *a, const struct entry *b)
{
    return memcmp(a->leaf.object_id.at, b->leaf.object_id.at, ID_SIZE) == 0;
}

/* Each entry names the one before it about the same object. */
static unsigned check_chain(struct work *work)
{
    unsigned gaps = 0;
    for (size_t i = 0; i < work->entry_count; i++) {
        const struct entry *entry = &work->entries[i];
        int64_t before = -1;
        for (size_t k = i; k-- > 0 && before < 0;) {
            before = same_object(entry, &work->entries[k]) ? work->entries[k].leaf.index : -1;
        }
        if (entry->tail.previous == before) {
            continue;
        }
        gaps++;
        if (!work->for_person) {
            ck_verdict_find(work->verdict, "omitted",
                            "entry %" PRId64 " about the same object as entry %" PRId64
                            " is left out",
                            entry->tail.previous, entry->leaf.index);
        }
    }
    return gaps;
}

/* ---- recordings ---- */

/* The heads in the entries about one object, ascending; its first entry is `first`. */
static size_t heads_of(const struct work *work, size_t first,
                       struct ck_seal_head heads[static HEADS_MAX])
{
    size_t count = 0;
    for (size_t i = first; i < work->entry_count && count < HEADS_MAX; i++) {
        const struct entry *entry = &work->entries[i];
        struct ck_leaf_text head = ck_leaf_string(entry->tail.open, "head");
        char hex[CK_HEX_SIZE(CK_SHA256_SIZE)] = {0};
        if (!same_object(entry, &work->entries[first]) || head.size != sizeof hex - 1) {
            continue;
        }
        memcpy(hex, head.at, head.size);
        heads[count].chunks = (uint64_t)ck_leaf_number(entry->tail.open, "chunks", 0);
        heads[count].bytes = (uint64_t)ck_leaf_number(entry->tail.open, "bytes", 0);
        bool grows = count == 0 || heads[count].chunks > heads[count - 1].chunks;
        count += ck_hex_decode(hex, heads[count].hash, sizeof heads[count].hash) == 0 && grows;
    }
    return count;
}

/* The first entry about the recording whose heads are those of this file; entry_count: none. */
static size_t entry_of(const struct work *work, const struct ck_zip_file *file, uint64_t number,
                       const uint8_t *key)
{
    struct ck_verdict quiet = {.quiet = true};
    static struct ck_seal_head heads[HEADS_MAX];
    for (size_t i = 0; i < work->entry_count; i++) {
        struct ck_seal_report report;
        if (!ck_leaf_is(work->entries[i].leaf.action, "RECORDING_BEGUN")) {
            continue;
        }
        size_t count = heads_of(work, i, heads);
        if (count > 0 &&
            ck_verify_sealed(file->bytes, file->size, number, key, heads, count, file->name, &quiet,
                             &report) &&
            report.head.chunks >= heads[count - 1].chunks) {
            return i;
        }
    }
    return work->entry_count;
}

/* The number of the entry that says that this recording was destroyed; -1: none does. */
static int64_t erased_by(const struct work *work, size_t first)
{
    for (size_t i = first; i < work->entry_count; i++) {
        const struct entry *entry = &work->entries[i];
        if (same_object(entry, &work->entries[first]) &&
            ck_leaf_is(entry->leaf.action, "EXPIRY_ERASED")) {
            return entry->leaf.index;
        }
    }
    return -1;
}

static int read_sealed(void *user, uint64_t offset, void *to, size_t size)
{
    const struct ck_zip_file *file = user;
    memcpy(to, file->bytes + offset, size);
    return 0;
}

/* What plays is what was sealed, byte for byte. */
static bool plays(const struct ck_zip_file *sealed, const struct ck_zip_file *plain,
                  uint64_t number, const uint8_t *key)
{
    const struct ck_seal_source source = {
        .read = read_sealed, .user = (void *)(uintptr_t)sealed, .size = sealed->size};
    ck_cleanup(ck_seal_closep) struct ck_seal *seal = NULL;
    static uint8_t piece[256 * 1024];
    if (ck_seal_open(&seal, &source, key, number) != 0 ||
        ck_seal_info(seal)->plain_size != plain->size) {
        return false;
    }
    for (size_t at = 0, got = 0; at < plain->size; at += got) {
        if (ck_seal_read(seal, at, piece, sizeof piece, &got, NULL) != 0 || got == 0 ||
            memcmp(piece, plain->bytes + at, got) != 0) {
            return false;
        }
    }
    return true;
}

static void check_recording(struct work *work, const struct ck_zip_file *sealed, uint64_t number)
{
    char path[64], hex[CK_HEX_SIZE(CK_KEY_SIZE)] = {0};
    uint8_t key[CK_KEY_SIZE];
    struct ck_seal_report report;
    snprintf(path, sizeof path, "recordings/%" PRIu64 ".key", number);
    const struct ck_zip_file *key_file = find(work, path);
    snprintf(path, sizeof path, "recordings/%" PRIu64 ".webm", number);
    const struct ck_zip_file *plain = find(work, path);
    if (key_file == NULL || plain == NULL || key_file->size != sizeof hex - 1) {
        ck_verdict_find(work->verdict, "missing", "of recording %" PRIu64 " a file is missing",
                        number);
        return;
    }
    memcpy(hex, key_file->bytes, key_file->size);
    if (ck_hex_decode(hex, key, sizeof key) != 0 ||
        !ck_verify_sealed(sealed->bytes, sealed->size, number, key, NULL, 0, sealed->name,
                          work->verdict, &report)) {
        return;
    }
    size_t first = entry_of(work, sealed, number, key);
    int64_t erased = first < work->entry_count ? erased_by(work, first) : -1;
    if (first == work->entry_count) {
        ck_verdict_find(work->verdict, "chain", "%s is not the recording of any entry",
                        sealed->name);
    } else if (erased >= 0) {
        ck_verdict_find(work->verdict, "erased",
                        "%s was destroyed, as entry %" PRId64
                        " says: its key was kept somewhere, or comes from a backup",
                        sealed->name, erased);
    } else if (!plays(sealed, plain, number, key)) {
        ck_verdict_find(work->verdict, "changed", "%s is not what was sealed", plain->name);
    } else {
        work->recordings++;
    }
}

/* ---- the whole ---- */

static void find_key(struct work *work)
{
    char text[CK_NOTE_KEY_TEXT_SIZE] = {0};
    const struct ck_zip_file *file = find(work, "log.vkey");
    if (!ck_keys_have_log(work->keys) && file != NULL && file->size < sizeof text) {
        memcpy(text, file->bytes, file->size);
        work->keys->found_inside = ck_keys_add(work->keys, text) == 0;
    }
}

/* Recordings of which an entry says that they were destroyed. */
static unsigned erased_recordings(const struct work *work)
{
    unsigned count = 0;
    for (size_t i = 0; i < work->entry_count; i++) {
        count += ck_leaf_is(work->entries[i].leaf.action, "EXPIRY_ERASED") &&
                 ck_leaf_is(work->entries[i].leaf.object_kind, "recording");
    }
    return count;
}

static void conclude(struct work *work, unsigned gaps)
{
    struct ck_verdict *verdict = work->verdict;
    if (verdict->findings == 0) {
        ck_verdict_proven(verdict,
                          "%zu entries are in the log of which %" PRIu64
                          " entries were signed, %u texts are what they commit to",
                          work->entry_count, work->size, work->opened);
        ck_verdict_proven(verdict,
                          "%u recordings are those that the entries speak of, and play as "
                          "they were sealed",
                          work->recordings);
    }
    if (work->proofs_missing > 0) {
        ck_verdict_not_proven(verdict, "%u entries: they were not signed yet when this was made",
                              work->proofs_missing);
    }
    unsigned erased = erased_recordings(work);
    if (erased > 0) {
        ck_verdict_not_proven(verdict,
                              "%u recordings: their keys were destroyed when their time was over, "
                              "as entries say",
                              erased);
    }
    if (gaps > 0 && work->for_person) {
        ck_verdict_not_proven(verdict,
                              "that it is all: entries are left out in %u places, as from "
                              "every bundle for the person",
                              gaps);
    }
    if (work->keys->found_inside) {
        ck_verdict_not_proven(verdict,
                              "whose key it is: it was found in the bundle; compare it with "
                              "the one published, or give it with --key");
    }
    ck_verdict_not_proven(verdict, "what was written about it afterwards, and the words of the "
                                   "report: the entries are what counts");
}

static int check_all(struct work *work)
{
    uint64_t number;
    size_t listed = 0;
    const struct ck_zip_file *facts = find(work, "facts.json");
    if (facts == NULL) {
        return CK_E_NOT_FOUND;
    }
    work->for_person = memmem(facts->bytes, facts->size, "\"audience\": \"person\"", 20) != NULL;
    find_key(work);
    for (size_t i = 0; i < work->file_count; i++) {
        if (number_of(work->files[i].name, "entries/", ".json", &number)) {
            listed++;
            check_entry(work, &work->files[i], number);
        }
    }
    qsort(work->entries, work->entry_count, sizeof work->entries[0], by_index);
    unsigned gaps = work->entry_count + work->proofs_missing == listed ? check_chain(work) : 0;
    for (size_t i = 0; i < work->file_count; i++) {
        if (number_of(work->files[i].name, "recordings/", ".ckr", &number)) {
            check_recording(work, &work->files[i], number);
        }
    }
    conclude(work, gaps);
    return 0;
}

int ck_verify_bundle(const char *path, struct ck_keys *keys, struct ck_verdict *verdict)
{
    struct ck_input input;
    struct ck_zip_file bad;
    struct work work = {.verdict = verdict,
                        .keys = keys,
                        .files = calloc(CK_ZIP_FILES_MAX, sizeof *work.files),
                        .entries = calloc(CK_ZIP_FILES_MAX, sizeof *work.entries)};
    int r = work.files == NULL || work.entries == NULL ? -ENOMEM : ck_input_map(path, &input);
    if (r == 0) {
        r = ck_zip_walk(input.bytes, input.size, keep, &work, &bad);
        if (r == CK_E_AUTH) {
            ck_verdict_find(verdict, "changed", "%s is damaged", bad.name);
            r = 0;
        } else {
            r = r == CK_E_SYNTAX ? CK_E_NOT_FOUND : r == 0 ? check_all(&work) : r;
        }
        ck_input_unmap(&input);
    }
    free(work.files);
    free(work.entries);
    return r;
}
