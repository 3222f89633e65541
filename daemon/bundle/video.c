/* Both sides of a call in one picture with the server's time burnt in: made by checkin-render. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/bundle/bundle_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/render.h"

#define LINES 360
#define PIECE (256u * 1024)

int ck_bundle_add_file(struct ck_bundle_work *work, const char *name, int fd, uint64_t size)
{
    ck_cleanup(ck_freep) uint8_t *piece = malloc(PIECE);
    int r = piece == NULL ? -ENOMEM : ck_zip_begin(work->zip, name);
    for (uint64_t at = 0; r == 0 && at < size; at += PIECE) {
        size_t now = size - at < PIECE ? (size_t)(size - at) : PIECE;
        r = pread(fd, piece, now, (off_t)at) == (ssize_t)now ? ck_zip_put(work->zip, piece, now)
                                                             : -EIO;
    }
    return r;
}

/* The longest recording in the bundle of one leg; 0: none. */
static int64_t longest(const struct ck_bundle_work *work, const char *leg)
{
    const json_t *list = json_object_get(work->facts, "recordings"), *one;
    json_int_t seconds = -1;
    int64_t id = 0;
    size_t i;
    json_array_foreach(list, i, one)
    {
        const char *whose = json_string_value(json_object_get(one, "leg"));
        json_int_t length = json_integer_value(json_object_get(one, "seconds"));
        if (json_is_true(json_object_get(one, "in_bundle")) && whose != NULL &&
            strcmp(whose, leg) == 0 && length > seconds) {
            seconds = length;
            id = json_integer_value(json_object_get(one, "id"));
        }
    }
    return id;
}

/* Opens what goes side by side: descriptors of memory files, and what the job says of them. */
static int gather(struct ck_bundle_work *work, struct ck_bundle_job *gathered)
{
    struct ck_render_message *job = &gathered->message;
    static const char *const legs[] = {"person", "staff"};
    static const char *const labels[] = {"PERSON", "INSPECTOR"};
    uint64_t room = CK_BUNDLE_SIDE_MAX;
    int r = 0;
    for (size_t i = 0; r == 0 && i < 2; i++) {
        int64_t id = longest(work, legs[i]);
        struct ck_bundle_plain plain;
        if (id == 0) {
            continue;
        }
        r = ck_bundle_open_plain(work, id, room, &plain);
        if (r == 0) {
            struct ck_render_input *input = &job->export.inputs[job->export.count];
            gathered->fds[job->export.count++] = plain.fd;
            room -= plain.size;
            *input = (struct ck_render_input){
                .start = plain.start,
                .tracks = (uint8_t)((plain.has_audio ? CK_RENDER_TRACK_AUDIO : 0) |
                                    (plain.has_video ? CK_RENDER_TRACK_VIDEO : 0)),
                .label = ck_render_text_of(labels[i])};
        }
    }
    return r;
}

int ck_bundle_video(struct ck_bundle_work *work)
{
    struct ck_bundle_job job = {
        .message = {.kind = CK_RENDER_EXPORT, .job = 1, .export = {.height = LINES}},
        .fds = {-1, -1, -1}};
    if (work->order->render_program == NULL || work->made->recordings == 0) {
        return json_object_set_new(work->facts, "side_by_side", json_null()) == 0 ? 0 : -ENOMEM;
    }
    int r = gather(work, &job);
    ck_store_view_end(work->store); /* nothing more is read, and this takes minutes */
    unsigned inputs = job.message.export.count;
    int out = r == 0 && inputs > 0 ? memfd_create("film", MFD_CLOEXEC) : -1;
    if (out >= 0) {
        job.fds[inputs] = out;
        r = ck_bundle_render(work->order, work->order->video_ms, &job, 1);
    }
    const char *said = r == 0 && job.bytes > 0             ? "made"
                       : r == CK_E_BUSY || r == CK_E_LIMIT ? "too_long"
                                                           : "failed";
    /* What cannot be made is said; the recordings themselves are in the bundle all the same. */
    r = job.bytes > 0 && r == 0 ? ck_bundle_add_file(work, CK_BUNDLE_SIDE_BY_SIDE, out, job.bytes)
        : r == -ENOMEM || r == -ECANCELED ? r
                                          : 0;
    for (size_t i = 0; i < CK_RENDER_FDS_MAX; i++) {
        ck_closep(&job.fds[i]);
    }
    return r == 0 && json_object_set_new(work->facts, "side_by_side", json_string(said)) != 0
               ? -ENOMEM
               : r;
}
