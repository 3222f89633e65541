/* The keys under which a bundle is verified: those given, and later ones that the log itself names
 * under one of them. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/verify/bundle_impl.h"
#include "daemon/verify/proof.h"
#include "protocol/log_key.h"

static void find_key(struct bundle_work *work)
{
    char text[CK_NOTE_KEY_TEXT_SIZE] = {0};
    const struct ck_zip_file *file = bundle_find(work, "log.vkey");
    if (!ck_keys_have_log(work->keys) && file != NULL && file->size < sizeof text) {
        memcpy(text, file->bytes, file->size);
        work->keys->found_inside = ck_keys_add(work->keys, text) == 0;
    }
}

/* The key that an entry SIGNER_KEY names. */
static bool named_key(const struct ck_zip_file *file, struct ck_note_key *key)
{
    struct ck_leaf leaf;
    return ck_leaf_read(file->bytes, file->size, &leaf) && ck_log_key_named(&leaf, key);
}

/* Whether the log under whose checkpoint an entry is proven is the one that the bundle's checkpoint
 * is of. Who signed that one is asked elsewhere. */
static bool is_of_this_log(const struct bundle_work *work, uint64_t number,
                           const struct ck_checkpoint *under)
{
    const struct ck_zip_file *note = bundle_find(work, "checkpoint");
    struct ck_checkpoint here;
    char name[64];
    snprintf(name, sizeof name, "keys/%" PRIu64 ".consistency", number);
    return note != NULL && ck_checkpoint_parse((const char *)note->bytes, note->size, &here) == 0 &&
           bundle_goes_on(work, name, under, &here);
}

/* Whether it is the entry of this number, proven in this log under one of these keys; *by: which of
 * them. */
static bool is_proven(const struct bundle_work *work, const struct ck_zip_file *file,
                      uint64_t number, const struct ck_keys *keys, struct ck_signers *by)
{
    struct ck_verdict silent = {.quiet = true}; /* that it is not proven is no finding yet */
    struct ck_entry_proof proof;
    char path[64];
    snprintf(path, sizeof path, "keys/%" PRIu64 ".tlog-proof", number);
    const struct ck_zip_file *text = bundle_find(work, path);
    return text != NULL &&
           ck_verify_entry((const char *)text->bytes, text->size, file->bytes, file->size, path,
                           keys, &silent, &proof) &&
           proof.index == number && is_of_this_log(work, number, &proof.checkpoint) &&
           ck_keys_check(keys, proof.note, proof.note_size, path, &silent, by);
}

/* Whether an earlier entry, proven under this very key, says that it is the log's. */
static bool was_named_before(const struct bundle_work *work, const struct ck_note_key *key,
                             uint64_t number)
{
    const struct ck_keys alone = {.keys = {*key}, .count = 1};
    for (size_t i = 0; i < work->file_count; i++) {
        struct ck_note_key named;
        struct ck_signers by;
        uint64_t earlier;
        if (bundle_number(work->files[i].name, "keys/", ".json", &earlier) && earlier < number &&
            named_key(&work->files[i], &named) && ck_log_key_same(&named, key) &&
            is_proven(work, &work->files[i], earlier, &alone, &by)) {
            return true;
        }
    }
    return false;
}

/* Whether a key that is known, and that was named before, signed that this one is the log's.
 * Forwards only: an earlier key may have been stolen since. */
static bool is_vouched_for(const struct bundle_work *work, const struct ck_zip_file *file,
                           uint64_t number, const struct ck_note_key *key)
{
    struct ck_signers by;
    if (!is_proven(work, file, number, work->keys, &by)) {
        return false;
    }
    for (size_t i = 0; i < work->keys->count; i++) {
        const struct ck_note_key *known = &work->keys->keys[i];
        if ((by.logs >> i & 1) != 0 && strcmp(known->name, key->name) == 0 &&
            was_named_before(work, known, number)) {
            return true;
        }
    }
    return false;
}

/* Adds the keys that are new and vouched for; true where there was one. */
static bool take_round(struct bundle_work *work)
{
    bool added = false;
    for (size_t i = 0; i < work->file_count; i++) {
        const struct ck_zip_file *file = &work->files[i];
        struct ck_note_key key;
        uint64_t number;
        if (bundle_number(file->name, "keys/", ".json", &number) && named_key(file, &key) &&
            ck_keys_find(work->keys, &key) == work->keys->count &&
            work->keys->count < CK_KEYS_MAX && is_vouched_for(work, file, number, &key)) {
            work->keys->keys[work->keys->count++] = key;
            ck_verdict_proven(work->verdict,
                              "the log's key is another from entry %" PRIu64
                              " on, as that entry says under a key that is known",
                              number);
            added = true;
        }
    }
    return added;
}

/* A key that signed the bundle's checkpoint, which nobody who is known did, and for which nobody
 * known vouches. */
static void name_usurper(struct bundle_work *work, const struct ck_zip_file *file)
{
    const struct ck_zip_file *note = bundle_find(work, "checkpoint");
    struct ck_verdict silent = {.quiet = true};
    struct ck_note_key key;
    if (note != NULL && named_key(file, &key) &&
        !ck_keys_check(work->keys, (const char *)note->bytes, note->size, note->name, &silent,
                       NULL) &&
        ck_keys_find(work->keys, &key) == work->keys->count &&
        ck_note_check((const char *)note->bytes, note->size, &key, NULL) == 0) {
        ck_verdict_find(work->verdict, "forged",
                        "%s says that the log's key is another from there on, and no key that is "
                        "known signed that",
                        file->name);
    }
}

/* A proof of another log, whoever signed that. */
static void name_other_log(struct bundle_work *work, const struct ck_zip_file *file,
                           uint64_t number)
{
    struct ck_entry_proof proof;
    char path[64];
    snprintf(path, sizeof path, "keys/%" PRIu64 ".tlog-proof", number);
    const struct ck_zip_file *text = bundle_find(work, path);
    if (text != NULL && ck_entry_proof_read((const char *)text->bytes, text->size, &proof) == 0 &&
        !is_of_this_log(work, number, &proof.checkpoint)) {
        ck_verdict_find(work->verdict, "fork",
                        "it is not proven that the log of which %s is goes on to the bundle's: two "
                        "logs may have been signed",
                        file->name);
    }
}

void bundle_take_keys(struct bundle_work *work)
{
    uint64_t number;
    find_key(work);
    while (take_round(work)) {
    }
    for (size_t i = 0; i < work->file_count; i++) {
        if (bundle_number(work->files[i].name, "keys/", ".json", &number)) {
            name_usurper(work, &work->files[i]);
            name_other_log(work, &work->files[i], number);
        }
    }
}
