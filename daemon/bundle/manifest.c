/* The list of all that is in a bundle, which the log commits to (BUNDLE_BUILT), and the proof of
 * that at its end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "daemon/audit/checkpoint.h"
#include "daemon/bundle/bundle_impl.h"
#include "daemon/store/checkpoint.h"
#include "daemon/store/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define LOOK_EVERY_NS 250000000L

/* ---- the list ---- */

/* NAME → SHA-256 of all files until now. The names are small letters: their JSON is themselves. */
static int list_files(struct ck_bundle_work *work, json_t *files)
{
    unsigned count = ck_zip_files(work->zip);
    struct ck_zip_place last = ck_zip_place(work->zip, count - 1);
    size_t size = (size_t)(last.at + last.size);
    uint8_t *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, work->fd, 0);
    int r = bytes == MAP_FAILED ? -errno : 0;
    for (unsigned i = 0; r == 0 && i < count; i++) {
        struct ck_zip_place place = ck_zip_place(work->zip, i);
        const struct ck_slice slice = {bytes + place.at, (size_t)place.size};
        uint8_t digest[CK_SHA256_SIZE];
        char hex[CK_HEX_SIZE(CK_SHA256_SIZE)];
        r = ck_sha256(&slice, 1, digest);
        ck_hex_encode(digest, sizeof digest, hex);
        if (r == 0 && json_object_get(files, place.name) != NULL) {
            r = -EUCLEAN; /* two files of one name */
        }
        r = r == 0 && json_object_set_new(files, place.name, json_string(hex)) != 0 ? -ENOMEM : r;
    }
    if (bytes != MAP_FAILED) {
        munmap(bytes, size);
    }
    return r;
}

/* An object all of whose entries stay out of this bundle is not in it. */
static void forget_empty(json_t *objects)
{
    const char *name;
    void *next;
    json_t *about;
    json_object_foreach_safe(objects, next, name, about)
    {
        if (json_integer_value(json_object_get(about, "last")) < 0) {
            json_object_del(objects, name);
        }
    }
}

int ck_bundle_manifest(struct ck_bundle_work *work)
{
    json_t *files = json_object();
    forget_empty(work->objects);
    int r = files == NULL ? -ENOMEM : list_files(work, files);
    json_t *manifest =
        r != 0 ? NULL
               : json_pack("{s:s, s:I, s:O, s:O}", "audience",
                           ck_bundle_audience_name(work->order->audience), "covers",
                           (json_int_t)work->covers, "files", files, "objects", work->objects);
    ck_cleanup(ck_freep) char *text =
        manifest == NULL ? NULL : json_dumps(manifest, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(manifest);
    json_decref(files);
    if (text == NULL) {
        return r == 0 ? -ENOMEM : r;
    }
    uint8_t digest[CK_SHA256_SIZE];
    const struct ck_slice slice = {text, strlen(text)};
    r = ck_sha256(&slice, 1, digest);
    ck_hex_encode(digest, sizeof digest, work->made->manifest);
    return r == 0 ? ck_zip_add(work->zip, CK_BUNDLE_MANIFEST, text, strlen(text)) : r;
}

json_t *ck_bundle_built_body(const json_t *opened, const struct ck_bundle_made *made)
{
    return json_pack("{s:O, s:s, s:O, s:i}", "approval", json_object_get(opened, "approval"),
                     "manifest", made->manifest, "audience", json_object_get(opened, "audience"),
                     "files", (int)made->files);
}

/* ---- the proof of it ---- */

struct ending {
    struct ck_store *store;
    const struct ck_bundle_order *order;
    struct ck_bundle_made *made;
    int64_t index;
    bool done;
};

static int add_leaf(void *user, const struct ck_log_row *row, bool has_plain)
{
    struct ending *ending = user;
    (void)has_plain;
    if (row->index != ending->index || memmem(row->leaf, row->leaf_size, ending->made->manifest,
                                              strlen(ending->made->manifest)) == NULL) {
        return -EUCLEAN;
    }
    int r = ck_zip_add(ending->made->zip, "built.json", row->leaf, row->leaf_size);
    ending->done = r == 0;
    return r == 0 ? CK_E_LIMIT : r; /* the first is the only one */
}

/* Waits for a checkpoint that covers the entry; the store's view is let go of meanwhile.
 * CK_E_NOT_FOUND: none came. */
static int await(const struct ending *ending, int64_t *covers, char **note)
{
    const struct ck_bundle_order *order = ending->order;
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_NS};
    int64_t until_us = 0;
    for (;;) {
        int r = ck_log_checkpoint_covering(ending->store, ending->index + 1, covers, note);
        if (r != CK_E_NOT_FOUND || ending->made->covers == 0) {
            return r;
        }
        ck_store_view_end(ending->store);
        int64_t now_us = order->mono().us;
        until_us = until_us == 0 ? now_us + CK_BUNDLE_PROOF_MS * INT64_C(1000) : until_us;
        if (now_us >= until_us) {
            return CK_E_NOT_FOUND;
        }
        if (order->stop != NULL && atomic_load(order->stop)) {
            return -ECANCELED;
        }
        nanosleep(&pause, NULL);
        r = ck_store_view(ending->store);
        if (r != 0) {
            return r;
        }
    }
}

static int add_proof(const struct ending *ending)
{
    ck_cleanup(ck_freep) char *note = NULL;
    ck_cleanup(ck_freep) char *text = malloc(CK_PROOF_TEXT_MAX);
    struct ck_bundle_made *made = ending->made;
    int64_t covers = 0;
    size_t size = 0;
    int r = text == NULL ? -ENOMEM : await(ending, &covers, &note);
    if (r == CK_E_NOT_FOUND) {
        return 0; /* whoever verifies it is told, and asks for the proof of this entry */
    }
    r = r == 0 ? ck_audit_entry_proof_under(ending->store, ending->index, note, covers, text, &size)
               : r;
    r = r == 0 ? ck_zip_add(made->zip, "built.tlog-proof", text, size) : r;
    made->proven = r == 0;
    if (r == 0 && made->covers > 0) {
        r = ck_audit_consistency(ending->store, made->covers, note, covers, text);
        r = r == 0 ? ck_zip_add(made->zip, "built.consistency", text, strlen(text)) : r;
    }
    return r;
}

static int digest(int fd, struct ck_bundle_made *made)
{
    void *bytes = mmap(NULL, made->bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) {
        return -errno;
    }
    const struct ck_slice slice = {bytes, made->bytes};
    int r = ck_sha256(&slice, 1, made->sha256);
    munmap(bytes, made->bytes);
    return r;
}

int ck_bundle_end(struct ck_store *store, const struct ck_bundle_order *order, int64_t index,
                  int fd, struct ck_bundle_made *made)
{
    struct ending ending = {.store = store, .order = order, .made = made, .index = index};
    if (order->part != NULL) {
        atomic_store(order->part, CK_BUNDLE_PART_PROOF);
    }
    int r = ck_log_walk(store, index, add_leaf, &ending);
    r = ending.done ? 0 : r == 0 || r == CK_E_LIMIT ? -EUCLEAN : r;
    r = r == 0 ? add_proof(&ending) : r;
    r = r == 0 ? ck_zip_end(made->zip, &made->bytes) : r;
    if (r == 0) {
        made->files = ck_zip_files(made->zip);
        r = digest(fd, made);
    }
    ck_bundle_drop(made);
    return r;
}

void ck_bundle_drop(struct ck_bundle_made *made)
{
    ck_zip_writer_destroy(made->zip);
    made->zip = NULL;
}
