/* The recordings of a bundle: as they were sealed, for the proof; as they play, for people; and the
 * key of each, with which anybody can see that the one is the other. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/audit/destroyed.h"
#include "daemon/bundle/bundle_impl.h"
#include "daemon/recording/sealed_file.h"
#include "daemon/store/person.h"
#include "daemon/store/query_checkin.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/seal.h"

#define PIECE (256u * 1024)

struct opened {
    struct ck_sealed_file file;
    struct ck_seal_source source;
    struct ck_seal *seal;
    uint8_t key[CK_KEY_SIZE];
    uint8_t *piece;
};

static int add_sealed(struct ck_bundle_work *work, const struct opened *opened, const char *name)
{
    int r = ck_zip_begin(work->zip, name);
    for (uint64_t at = 0; r == 0 && at < opened->source.size; at += PIECE) {
        size_t now = opened->source.size - at < PIECE ? (size_t)(opened->source.size - at) : PIECE;
        r = opened->source.read(opened->source.user, at, opened->piece, now);
        r = r == 0 ? ck_zip_put(work->zip, opened->piece, now) : r;
    }
    return r;
}

static int add_plain(struct ck_bundle_work *work, const struct opened *opened, const char *name)
{
    int r = ck_zip_begin(work->zip, name);
    size_t got = 1;
    for (uint64_t at = 0; r == 0 && got > 0; at += got) {
        got = 0;
        r = ck_seal_read(opened->seal, at, opened->piece, PIECE, &got, NULL);
        r = r == 0 ? ck_zip_put(work->zip, opened->piece, got) : r;
    }
    return r;
}

static int add_files(struct ck_bundle_work *work, const struct opened *opened, int64_t id)
{
    char name[64], key[CK_HEX_SIZE(CK_KEY_SIZE)];
    snprintf(name, sizeof name, "recordings/%lld.ckr", (long long)id);
    int r = add_sealed(work, opened, name);
    snprintf(name, sizeof name, "recordings/%lld.webm", (long long)id);
    r = r == 0 ? add_plain(work, opened, name) : r;
    snprintf(name, sizeof name, "recordings/%lld.key", (long long)id);
    ck_hex_encode(opened->key, sizeof opened->key, key);
    r = r == 0 ? ck_zip_add(work->zip, name, key, strlen(key)) : r;
    ck_wipe(key, sizeof key);
    return r;
}

static void close_recording(struct opened *opened)
{
    ck_seal_close(opened->seal);
    ck_sealed_file_close(&opened->file);
    ck_wipe(opened->key, sizeof opened->key);
    free(opened->piece);
}

static int open_recording(struct ck_bundle_work *work, const json_t *row, int64_t id,
                          struct opened *opened)
{
    const char *file = json_string_value(json_object_get(row, "file"));
    const char *hex = json_string_value(json_object_get(row, "wrapped"));
    uint8_t wrapped[CK_SEAL_WRAPPED_SIZE];
    char path[PATH_MAX];
    if (file == NULL || strchr(file, '/') != NULL || hex == NULL ||
        ck_hex_decode(hex, wrapped, sizeof wrapped) != 0) {
        return CK_E_NOT_FOUND; /* erased */
    }
    bool destroyed = false;
    int r = ck_audit_recording_destroyed(work->store, id, &destroyed);
    if (r != 0 || destroyed) {
        return r != 0 ? r : CK_E_NOT_FOUND; /* erased, and put back */
    }
    snprintf(path, sizeof path, "%s/%s", work->order->recording_dir, file);
    opened->piece = malloc(PIECE);
    r = opened->piece == NULL ? -ENOMEM
                              : ck_seal_unwrap(work->order->master_key, (uint64_t)id, wrapped,
                                               sizeof wrapped, opened->key);
    r = r == 0 ? ck_sealed_file_open(&opened->file, path, O_RDONLY, &opened->source) : r;
    return r == 0 ? ck_seal_open(&opened->seal, &opened->source, opened->key, (uint64_t)id) : r;
}

/* One recording; what cannot be opened is left out and said. */
static int add_recording(struct ck_bundle_work *work, const struct ck_scope *scope, json_t *about,
                         uint64_t *room)
{
    int64_t id = json_integer_value(json_object_get(about, "id"));
    struct opened opened = {.file.fd = -1};
    json_t *row = NULL;
    bool fits = false;
    int r = ck_query_recording(work->store, scope, id, &row);
    r = r == 0 ? open_recording(work, row, id, &opened) : r;
    if (r == 0) {
        uint64_t size = opened.source.size + ck_seal_info(opened.seal)->plain_size;
        fits = size <= *room;
        *room -= fits ? size : 0;
    }
    bool there = r == 0 && fits;
    json_object_set_new(about, "in_bundle", json_boolean(there));
    if (there) {
        r = add_files(work, &opened, id);
        work->made->recordings++;
    } else if (r != -ENOMEM) {
        work->made->left_out++;
        r = 0;
    }
    close_recording(&opened);
    json_decref(row);
    return r;
}

int ck_bundle_recordings(struct ck_bundle_work *work)
{
    struct ck_scope scope = {0};
    int64_t inspector = 0;
    uint64_t room = CK_BUNDLE_VIDEO_MAX;
    json_t *list = json_object_get(work->facts, "recordings"), *kept = json_array(), *about;
    size_t i;
    int r = ck_person_owner(work->store, work->order->person, &scope.unit, &inspector);
    json_array_foreach(list, i, about)
    {
        const char *leg = json_string_value(json_object_get(about, "leg"));
        bool own = leg != NULL && strcmp(leg, "person") == 0;
        if (r == 0 && (own || work->order->audience != CK_BUNDLE_PERSON)) {
            r = add_recording(work, &scope, about, &room);
            json_array_append(kept, about);
        }
    }
    json_object_set_new(work->facts, "recordings", kept);
    return r;
}

int ck_bundle_open_plain(struct ck_bundle_work *work, int64_t id, uint64_t most,
                         struct ck_bundle_plain *plain)
{
    struct opened opened = {.file.fd = -1};
    struct ck_scope scope = {0};
    int64_t inspector = 0;
    json_t *row = NULL;
    ck_cleanup(ck_closep) int fd = -1;
    int r = ck_person_owner(work->store, work->order->person, &scope.unit, &inspector);
    r = r == 0 ? ck_query_recording(work->store, &scope, id, &row) : r;
    r = r == 0 ? open_recording(work, row, id, &opened) : r;
    r = r == 0 ? ck_sealed_plain(opened.seal, most, &fd) : r;
    if (r == 0) {
        const struct ck_seal_info *info = ck_seal_info(opened.seal);
        *plain = (struct ck_bundle_plain){.fd = ck_take_fd(&fd),
                                          .size = info->plain_size,
                                          .start = info->start,
                                          .has_audio = info->has_audio,
                                          .has_video = info->has_video};
    }
    close_recording(&opened);
    json_decref(row);
    return r;
}
