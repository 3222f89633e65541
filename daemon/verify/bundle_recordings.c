/* The recordings of a bundle: each as the entries speak of it, and what plays as it was sealed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/verify/bundle_impl.h"
#include "daemon/verify/recording.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/text.h"

/* Where the entries about one recording are, and what they say. */
struct spoken {
    struct bundle_entry *const *entries;
    size_t entry_count;
    struct ck_seal_head *heads;
    size_t head_count;
    bool has_end;   /* closed or recovered: the last head is the end of the file */
    bool recovered; /* as they say */
    int64_t erased; /* the entry that says so; -1: none does */
};

/* The entries about the object that the manifest gives this file; NULL where there are none. */
static struct bundle_entry *const *entries_of_file(const struct bundle_work *work, uint64_t number,
                                                   size_t *count)
{
    struct ck_leaf_text id, about;
    for (size_t at = 0; ck_leaf_next(work->objects, &at, &id, &about);) {
        if (ck_leaf_is(ck_leaf_string(about, "kind"), "recording") &&
            ck_leaf_number(about, "file", -1) == (int64_t)number && id.size == BUNDLE_ID_SIZE) {
            struct bundle_entry *const *entries = bundle_entries_of(work, id.at, count);
            if (entries != NULL) {
                return entries;
            }
        }
    }
    return NULL;
}

/* Adds the head of an entry; heads ascend. */
static void take_head(const struct bundle_entry *entry, struct spoken *spoken)
{
    struct ck_leaf_text head = ck_leaf_string(entry->tail.open, "head");
    char hex[CK_HEX_SIZE(CK_SHA256_SIZE)] = {0};
    if (head.size != sizeof hex - 1) {
        return;
    }
    memcpy(hex, head.at, head.size);
    struct ck_seal_head *to = &spoken->heads[spoken->head_count];
    to->chunks = (uint64_t)ck_leaf_number(entry->tail.open, "chunks", 0);
    to->bytes = (uint64_t)ck_leaf_number(entry->tail.open, "bytes", 0);
    spoken->head_count += ck_hex_decode(hex, to->hash, sizeof to->hash) == 0;
}

static void listen(struct spoken *spoken)
{
    for (size_t i = 0; i < spoken->entry_count; i++) {
        const struct bundle_entry *entry = spoken->entries[i];
        take_head(entry, spoken);
        bool recovered = ck_leaf_is(entry->leaf.action, "RECORDING_RECOVERED");
        spoken->has_end =
            spoken->has_end || recovered || ck_leaf_is(entry->leaf.action, "RECORDING_CLOSED");
        spoken->recovered = spoken->recovered || recovered;
        if (ck_leaf_is(entry->leaf.action, "EXPIRY_ERASED")) {
            spoken->erased = entry->leaf.index;
        }
    }
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

/* What the entries say of the sealed file holds of it. */
static bool is_as_spoken(struct bundle_work *work, const struct ck_zip_file *sealed,
                         uint64_t number, const uint8_t *key, const struct spoken *spoken,
                         struct ck_seal_report *report)
{
    if (!ck_verify_sealed(sealed->bytes, sealed->size, number, key, spoken->heads,
                          spoken->head_count, sealed->name, work->verdict, report)) {
        return false;
    }
    uint64_t known = spoken->head_count == 0 ? 0 : spoken->heads[spoken->head_count - 1].chunks;
    if (spoken->has_end && report->head.chunks != known) {
        ck_verdict_find(work->verdict, "chain",
                        "%s goes on for %" PRIu64 " chunks, and the log says that it ended after "
                        "%" PRIu64,
                        sealed->name, report->head.chunks, known);
        return false;
    }
    if (!spoken->has_end) {
        ck_verdict_not_proven(work->verdict,
                              "%s from chunk %" PRIu64 " on: no entry says how it ended",
                              sealed->name, known);
    }
    if (report->recovered) {
        work->recovered++;
        ck_verdict_not_proven(work->verdict,
                              "that %s is whole: it was cut off and recovered; %" PRIu64
                              " bytes were torn",
                              sealed->name, report->lost_bytes);
    }
    return true;
}

static void check_sealed(struct bundle_work *work, const struct ck_zip_file *sealed,
                         const struct ck_zip_file *plain, uint64_t number, const uint8_t *key)
{
    ck_cleanup(ck_freep) struct ck_seal_head *heads = calloc(work->entry_count + 1, sizeof *heads);
    struct spoken spoken = {.heads = heads, .erased = -1};
    struct ck_seal_report report;
    spoken.entries = entries_of_file(work, number, &spoken.entry_count);
    if (spoken.entries == NULL || heads == NULL) {
        ck_verdict_find(work->verdict, "chain", "%s is not the recording of any entry",
                        sealed->name);
        return;
    }
    listen(&spoken);
    if (spoken.erased >= 0) {
        ck_verdict_find(work->verdict, "erased",
                        "%s was destroyed, as entry %" PRId64
                        " says: its key was kept somewhere, or comes from a backup",
                        sealed->name, spoken.erased);
    } else if (is_as_spoken(work, sealed, number, key, &spoken, &report)) {
        if (plays(sealed, plain, number, key)) {
            work->recordings++;
        } else {
            ck_verdict_find(work->verdict, "changed", "%s is not what was sealed", plain->name);
        }
    }
}

static void check_recording(struct bundle_work *work, const struct ck_zip_file *sealed,
                            uint64_t number)
{
    char path[64], hex[CK_HEX_SIZE(CK_KEY_SIZE)] = {0};
    uint8_t key[CK_KEY_SIZE];
    snprintf(path, sizeof path, "recordings/%" PRIu64 ".key", number);
    const struct ck_zip_file *key_file = bundle_find(work, path);
    snprintf(path, sizeof path, "recordings/%" PRIu64 ".webm", number);
    const struct ck_zip_file *plain = bundle_find(work, path);
    if (key_file == NULL || plain == NULL || key_file->size != sizeof hex - 1) {
        ck_verdict_find(work->verdict, "missing", "of recording %" PRIu64 " a file is missing",
                        number);
        return;
    }
    memcpy(hex, key_file->bytes, key_file->size);
    if (ck_hex_decode(hex, key, sizeof key) != 0) {
        ck_verdict_find(work->verdict, "changed", "%s is no key", key_file->name);
        return;
    }
    check_sealed(work, sealed, plain, number, key);
}

/* Objects that are recordings without a file here, and those of them that were destroyed. */
static unsigned without_file(const struct bundle_work *work, unsigned *erased)
{
    unsigned count = 0;
    struct ck_leaf_text id, about;
    for (size_t at = 0; ck_leaf_next(work->objects, &at, &id, &about);) {
        char path[64];
        snprintf(path, sizeof path, "recordings/%" PRId64 ".ckr",
                 ck_leaf_number(about, "file", -1));
        count += ck_leaf_is(ck_leaf_string(about, "kind"), "recording") &&
                 bundle_find(work, path) == NULL;
    }
    for (size_t i = 0; i < work->entry_count; i++) {
        *erased += ck_leaf_is(work->entries[i].leaf.action, "EXPIRY_ERASED") &&
                   ck_leaf_is(work->entries[i].leaf.object_kind, "recording");
    }
    return count;
}

void bundle_check_recordings(struct bundle_work *work)
{
    uint64_t number;
    unsigned erased = 0, absent = without_file(work, &erased);
    for (size_t i = 0; i < work->file_count; i++) {
        if (bundle_number(work->files[i].name, "recordings/", ".ckr", &number)) {
            check_recording(work, &work->files[i], number);
        }
    }
    if (erased > 0) {
        ck_verdict_not_proven(work->verdict,
                              "%u recordings: their keys were destroyed when their time was over, "
                              "as entries say",
                              erased);
    }
    if (absent > erased) {
        ck_verdict_not_proven(work->verdict,
                              "%u recordings of which entries speak: they are not in the bundle",
                              absent - erased);
    }
}
