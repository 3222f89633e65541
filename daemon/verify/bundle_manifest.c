/* What binds a bundle to the log: its manifest has the hash of every file in it, and the entry
 * BUNDLE_BUILT has the hash of the manifest. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/verify/bundle_impl.h"
#include "daemon/verify/input.h"
#include "daemon/verify/proof.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

/* What comes after the manifest, which cannot list it. */
static const char *const outside[] = {"manifest.json", "built.json", "built.tlog-proof",
                                      "built.consistency"};

static bool is_outside(const char *name)
{
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        if (strcmp(name, outside[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_digest(const void *bytes, size_t size, struct ck_leaf_text quoted)
{
    uint8_t digest[CK_SHA256_SIZE];
    char hex[CK_HEX_SIZE(CK_SHA256_SIZE)];
    const struct ck_slice slice = {bytes, size};
    if (ck_sha256(&slice, 1, digest) != 0) {
        return false;
    }
    ck_hex_encode(digest, sizeof digest, hex);
    return quoted.size == sizeof hex + 1 && quoted.at[0] == '"' &&
           memcmp(quoted.at + 1, hex, sizeof hex - 1) == 0;
}

static struct ck_leaf_text text_of(const struct ck_zip_file *file)
{
    return file == NULL ? (struct ck_leaf_text){"", 0}
                        : (struct ck_leaf_text){(const char *)file->bytes, file->size};
}

/* ---- files ---- */

/* Every file that is listed, as it is listed, and marks it. */
static void check_listed(struct bundle_work *work, bool *listed)
{
    struct ck_leaf_text name, digest;
    char path[CK_ZIP_NAME_MAX + 1];
    for (size_t at = 0; ck_leaf_next(work->listed, &at, &name, &digest);) {
        snprintf(path, sizeof path, "%.*s",
                 name.size > CK_ZIP_NAME_MAX ? CK_ZIP_NAME_MAX : (int)name.size, name.at);
        const struct ck_zip_file *file = bundle_find(work, path);
        if (file == NULL) {
            ck_verdict_find(work->verdict, "missing", "%s, which the manifest lists, is not there",
                            path);
            continue;
        }
        listed[file - work->files] = true;
        if (!has_digest(file->bytes, file->size, digest)) {
            ck_verdict_find(work->verdict, "changed", "%s is not what the manifest lists", path);
        }
    }
}

static int check_files(struct bundle_work *work)
{
    ck_cleanup(ck_freep) bool *listed = calloc(work->file_count + 1, sizeof *listed);
    if (listed == NULL) {
        return -ENOMEM;
    }
    check_listed(work, listed);
    for (size_t i = 0; i < work->file_count; i++) {
        if (!is_outside(work->files[i].name) && !listed[i]) {
            ck_verdict_find(work->verdict, "inserted", "%s is not in the manifest",
                            work->files[i].name);
        }
    }
    return 0;
}

/* ---- the entry about it ---- */

/* The proof in it, or the one that was got later. */
static int proof_text(const struct bundle_work *work, char *text, struct ck_leaf_text *proof)
{
    size_t size = 0;
    *proof = text_of(bundle_find(work, "built.tlog-proof"));
    if (work->what->built == NULL) {
        return 0;
    }
    int r = ck_input_read(work->what->built, text, CK_PROOF_TEXT_MAX, &size);
    *proof = (struct ck_leaf_text){text, size};
    return r;
}

/* Whether it is an entry about this bundle; its proof is another matter. */
static bool speaks_of_it(struct bundle_work *work, const struct ck_zip_file *built,
                         const struct ck_zip_file *manifest)
{
    struct ck_leaf_text audience = ck_leaf_member(
        (struct ck_leaf_text){(const char *)manifest->bytes, manifest->size}, "audience");
    struct bundle_entry *entry = &work->built;
    if (!ck_leaf_read(built->bytes, built->size, &entry->leaf) ||
        !ck_leaf_read_tail(&entry->leaf, &entry->tail) ||
        !ck_leaf_is(entry->leaf.action, "BUNDLE_BUILT")) {
        ck_verdict_find(work->verdict, "changed", "built.json is no entry about a bundle");
        return false;
    }
    struct ck_leaf_text other = ck_leaf_member(entry->tail.open, "audience");
    if (!has_digest(manifest->bytes, manifest->size,
                    ck_leaf_member(entry->tail.open, "manifest")) ||
        other.size != audience.size || memcmp(other.at, audience.at, other.size) != 0) {
        ck_verdict_find(work->verdict, "changed",
                        "manifest.json is not that of entry %" PRId64 ", which says what was made",
                        entry->leaf.index);
        return false;
    }
    return true;
}

static void check_built(struct bundle_work *work, const struct ck_zip_file *manifest)
{
    ck_cleanup(ck_freep) char *text = malloc(CK_PROOF_TEXT_MAX);
    const struct ck_zip_file *built = bundle_find(work, "built.json");
    struct ck_leaf_text proof = {"", 0};
    struct ck_entry_proof read;
    if (built == NULL) {
        ck_verdict_find(work->verdict, "unbound",
                        "no entry of the log says that this bundle was made");
        return;
    }
    if (!speaks_of_it(work, built, manifest)) {
        return;
    }
    if (text == NULL || proof_text(work, text, &proof) != 0 || proof.size == 0) {
        ck_verdict_find(work->verdict, "unbound",
                        "that this bundle was made says entry %" PRId64
                        " alone, without a proof: ask for the proof of it and give it with --built",
                        work->built.leaf.index);
        return;
    }
    if (ck_verify_entry(proof.at, proof.size, built->bytes, built->size, "built.json", work->keys,
                        work->verdict, &read)) {
        work->bound = true;
        work->built_under = read.checkpoint;
        work->for_person = ck_leaf_is(ck_leaf_string(work->built.tail.open, "audience"), "person");
    }
}

/* ---- checkpoints ---- */

static bool same_root(const struct ck_checkpoint *a, const struct ck_checkpoint *b)
{
    return memcmp(a->root.bytes, b->root.bytes, sizeof a->root.bytes) == 0;
}

bool bundle_goes_on(const struct bundle_work *work, const char *name,
                    const struct ck_checkpoint *old, const struct ck_checkpoint *now)
{
    const struct ck_leaf_text text = text_of(bundle_find(work, name));
    struct ck_add_checkpoint add;
    if (old->size == now->size) {
        return same_root(old, now);
    }
    return ck_add_checkpoint_read(text.at, text.size, &add) == 0 && add.old == old->size &&
           ck_merkle_check_consistency(&add.proof, old->size, now->size, &old->root, &now->root) ==
               0;
}

/* The log of the entries goes on to that of the bundle's own entry. */
static void check_consistency(struct bundle_work *work)
{
    const struct ck_checkpoint *old = &work->checkpoint, *now = &work->built_under;
    const struct ck_leaf_text text = text_of(bundle_find(work, "built.consistency"));
    if (old->size == 0 || !work->bound) {
        return;
    }
    if (old->size == now->size) {
        if (!same_root(old, now)) {
            ck_verdict_find(work->verdict, "fork", "two logs of %" PRIu64 " entries were signed",
                            now->size);
        }
        return;
    }
    /* A proof that was got later is under a checkpoint of its own. */
    if (work->what->built != NULL && text.size == 0) {
        ck_verdict_not_proven(work->verdict,
                              "that the log of %" PRIu64 " entries goes on to that of %" PRIu64
                              ": only a copy of it shows that",
                              old->size, now->size);
        return;
    }
    if (!bundle_goes_on(work, "built.consistency", old, now)) {
        ck_verdict_find(work->verdict, "fork",
                        "it is not proven that the log of %" PRIu64
                        " entries goes on to that of %" PRIu64 ": two logs may have been signed",
                        old->size, now->size);
    }
}

/* One that was kept elsewhere, against those here. */
static void compare_known(struct bundle_work *work, const struct ck_checkpoint *known,
                          const char *name)
{
    const struct ck_checkpoint *const here[] = {&work->checkpoint, &work->built_under};
    for (size_t i = 0; i < 2; i++) {
        if (here[i]->size == 0 || here[i]->size != known->size) {
            continue;
        }
        if (same_root(here[i], known)) {
            ck_verdict_proven(work->verdict,
                              "the log of %" PRIu64 " entries is the one that %s is of",
                              known->size, name);
        } else {
            ck_verdict_find(work->verdict, "fork",
                            "two logs of %" PRIu64 " entries were signed: this one and that of %s",
                            known->size, name);
        }
        return;
    }
    ck_verdict_not_proven(work->verdict,
                          "that it is the log of %" PRIu64
                          " entries that %s is of: only a copy of the log shows that",
                          known->size, name);
}

static void check_known(struct bundle_work *work)
{
    for (size_t i = 0; i < work->what->known_count; i++) {
        const char *name = work->what->known[i];
        char note[CK_NOTE_BYTES_MAX];
        struct ck_checkpoint known;
        size_t size = 0;
        if (ck_input_read(name, note, sizeof note, &size) != 0) {
            ck_verdict_find(work->verdict, "unsigned", "%s cannot be read as one checkpoint", name);
        } else if (ck_keys_check(work->keys, note, size, name, work->verdict, NULL) &&
                   ck_checkpoint_parse(note, size, &known) == 0) {
            compare_known(work, &known, name);
        }
    }
}

void bundle_check_checkpoint(struct bundle_work *work)
{
    const struct ck_leaf_text note = text_of(bundle_find(work, "checkpoint"));
    if (note.size > 0 && ck_keys_check(work->keys, note.at, note.size, "the bundle's checkpoint",
                                       work->verdict, NULL)) {
        (void)ck_checkpoint_parse(note.at, note.size, &work->checkpoint);
    }
}

int bundle_check_manifest(struct bundle_work *work)
{
    const struct ck_zip_file *manifest = bundle_find(work, "manifest.json");
    int r = 0;
    if (manifest == NULL) {
        ck_verdict_find(work->verdict, "missing",
                        "manifest.json is not there: what else was taken out or put in is not to "
                        "be told");
    } else {
        work->listed = ck_leaf_member(text_of(manifest), "files");
        work->objects = ck_leaf_member(text_of(manifest), "objects");
        r = check_files(work);
        check_built(work, manifest);
    }
    check_consistency(work);
    check_known(work);
    return r;
}
