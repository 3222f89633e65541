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

/* A recording that may go into the film. */
struct part {
    int64_t id, seconds;
    uint8_t leg; /* of legs */
};

#define LEGS 2
static const char *const legs[LEGS] = {"person", "staff"};
static const char *const labels[LEGS] = {"PERSON", "INSPECTOR"};

static int longest_first(const void *a, const void *b)
{
    const struct part *first = a, *second = b;
    return first->seconds != second->seconds ? (first->seconds > second->seconds ? -1 : 1)
           : first->id < second->id          ? -1
                                             : 1;
}

/* All recordings that are in the bundle; of more than the film can have the longest. *left_out
 * counts the others. */
static size_t list_parts(const struct ck_bundle_work *work,
                         struct part parts[static CK_RENDER_INPUTS_MAX + 1], unsigned *left_out)
{
    const json_t *list = json_object_get(work->facts, "recordings"), *one;
    size_t i, count = 0;
    json_array_foreach(list, i, one)
    {
        const char *whose = json_string_value(json_object_get(one, "leg"));
        for (uint8_t leg = 0; leg < LEGS; leg++) {
            if (json_is_true(json_object_get(one, "in_bundle")) && whose != NULL &&
                strcmp(whose, legs[leg]) == 0) {
                parts[count++] =
                    (struct part){.id = json_integer_value(json_object_get(one, "id")),
                                  .seconds = json_integer_value(json_object_get(one, "seconds")),
                                  .leg = leg};
                qsort(parts, count, sizeof *parts, longest_first);
                *left_out += count > CK_RENDER_INPUTS_MAX;
                count -= count > CK_RENDER_INPUTS_MAX;
            }
        }
    }
    return count;
}

/* A part in a memory file, beside what the job says of it; one that was cut off before anything was
 * in it has nothing to show. CK_E_LIMIT: there is no room for it. */
static int add_part(struct ck_bundle_work *work, const struct part *part, uint64_t *room,
                    struct ck_bundle_job *gathered)
{
    struct ck_render_message *job = &gathered->message;
    struct ck_bundle_plain plain;
    int r = ck_bundle_open_plain(work, part->id, *room, &plain);
    if (r == 0 && !plain.has_audio && !plain.has_video) {
        close(plain.fd);
    } else if (r == 0) {
        *room -= plain.size;
        gathered->fds[job->export.count] = plain.fd;
        job->export.inputs[job->export.count++] = (struct ck_render_input){
            .start = plain.start,
            .place = part->leg,
            .tracks = (uint8_t)((plain.has_audio ? CK_RENDER_TRACK_AUDIO : 0) |
                                (plain.has_video ? CK_RENDER_TRACK_VIDEO : 0)),
            .label = ck_render_text_of(labels[part->leg])};
    }
    return r;
}

/* Where the person's side has none the other one stands at its place. */
static void close_up(struct ck_render_message *job)
{
    bool person = false;
    for (unsigned i = 0; i < job->export.count; i++) {
        person = person || job->export.inputs[i].place == 0;
    }
    for (unsigned i = 0; !person && i < job->export.count; i++) {
        job->export.inputs[i].place = 0;
    }
}

/* Opens what goes side by side: descriptors of memory files, and what the job says of them. One
 * that cannot be had takes the film of the others from nobody; where there is none its error is
 * given.
 */
static int gather(struct ck_bundle_work *work, struct ck_bundle_job *gathered)
{
    struct part parts[CK_RENDER_INPUTS_MAX + 1];
    uint64_t room = CK_BUNDLE_SIDE_MAX;
    unsigned left_out = 0;
    size_t count = list_parts(work, parts, &left_out);
    int r = 0, missed = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = add_part(work, &parts[i], &room, gathered);
        if (r != 0 && r != -ENOMEM && r != -ECANCELED) {
            left_out++;
            missed = missed == 0 ? r : missed;
            r = 0;
        }
    }
    r = r == 0 && gathered->message.export.count == 0 ? missed : r;
    close_up(&gathered->message);
    return r == 0 && json_object_set_new(work->facts, "side_by_side_left_out",
                                         json_integer((json_int_t)left_out)) != 0
               ? -ENOMEM
               : r;
}

int ck_bundle_video(struct ck_bundle_work *work)
{
    struct ck_bundle_job job = {
        .message = {.kind = CK_RENDER_EXPORT, .job = 1, .export = {.height = LINES}}};
    ck_bundle_job_init(&job);
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
