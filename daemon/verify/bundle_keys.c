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

/* Whether its entry is proven under a key that is known. */
static bool is_vouched_for(struct bundle_work *work, const struct ck_zip_file *file,
                           uint64_t number)
{
    struct ck_verdict silent = {.quiet = true}; /* that it is not proven is no finding yet */
    struct ck_entry_proof proof;
    char path[64];
    snprintf(path, sizeof path, "keys/%" PRIu64 ".tlog-proof", number);
    const struct ck_zip_file *text = bundle_find(work, path);
    return text != NULL && ck_verify_entry((const char *)text->bytes, text->size, file->bytes,
                                           file->size, path, work->keys, &silent, &proof);
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
            work->keys->count < CK_KEYS_MAX && is_vouched_for(work, file, number)) {
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

/* A key that signed the bundle's checkpoint although nobody who is known vouches for it. */
static void name_usurper(struct bundle_work *work, const struct ck_zip_file *file)
{
    const struct ck_zip_file *note = bundle_find(work, "checkpoint");
    struct ck_note_key key;
    if (note != NULL && named_key(file, &key) &&
        ck_keys_find(work->keys, &key) == work->keys->count &&
        ck_note_check((const char *)note->bytes, note->size, &key, NULL) == 0) {
        ck_verdict_find(work->verdict, "forged",
                        "%s says that the log's key is another from there on, and no key that is "
                        "known signed that",
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
        }
    }
}
