/* What is done with a sealed file once its worker has let go of it: the picture for the review
 * queue, the measures of an unattended check-in, and the trailer of a file whose worker died. Both
 * read disks, so both run in the thread pool. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/call/call_impl.h"
#include "daemon/config/log.h"
#include "daemon/recording/sealed_file.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"
#include "protocol/render.h"
#include "protocol/seal.h"

struct job {
    struct ck_calls *calls;
    uv_work_t work;
    int64_t checkin;
    int64_t recording;
    int64_t at_ms;
    char *path;
    uint8_t key[CK_KEY_SIZE];
    uint8_t salt[CK_SEAL_SALT_SIZE];
    struct ck_sealed_file file;
    int result;
    struct ck_seal_recovery recovery;
    int gaps; /* in the time line of what was recovered, and their sum */
    int64_t gap_ms;
    uint8_t *frame;
    size_t frame_size;
    int plain; /* memfd with the recording as it plays; -1: none */
};

static void job_free(struct job *job)
{
    if (job != NULL) {
        ck_wipe(job->key, sizeof job->key);
        ck_closep(&job->plain);
        free(job->path);
        free(job->frame);
        free(job);
    }
}

static struct job *job_create(struct ck_calls *calls, int64_t recording, const char *path,
                              const uint8_t *key)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL || (job->path = strdup(path)) == NULL) {
        free(job);
        ck_log(CK_LOG_ERROR, "no memory for recording %lld", (long long)recording);
        return NULL;
    }
    job->calls = calls;
    job->recording = recording;
    job->file.fd = -1;
    job->plain = -1;
    memcpy(job->key, key, CK_KEY_SIZE);
    job->work.data = job;
    return job;
}

/* ---- recovery ---- */

static int append_file(void *user, const void *bytes, size_t size)
{
    struct job *job = user;
    for (size_t done = 0; done < size;) {
        ssize_t put = pwrite(job->file.fd, (const char *)bytes + done, size - done,
                             (off_t)(job->file.size + done));
        if (put < 0 && errno != EINTR) {
            return -errno;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    job->file.size += size;
    return fdatasync(job->file.fd) < 0 ? -errno : 0;
}

/* What the marks say that is missing, counted as the worker counts it of a file that it closes. */
static int count_gaps(struct job *job, struct ck_seal_source *source)
{
    ck_cleanup(ck_seal_closep) struct ck_seal *seal = NULL;
    size_t count = 0;
    source->size = job->file.size;
    int r = ck_seal_open(&seal, source, job->key, (uint64_t)job->recording);
    const struct ck_seal_mark *marks = r == 0 ? ck_seal_marks(seal, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (marks[i].kind == CK_SEAL_MARK_GAP || marks[i].kind == CK_SEAL_MARK_PAUSE) {
            job->gaps++;
            job->gap_ms += marks[i].until_ms - marks[i].from_ms;
        }
    }
    return r;
}

static void recover_work(uv_work_t *work)
{
    struct job *job = work->data;
    struct ck_seal_source source;
    job->result = ck_sealed_file_open(&job->file, job->path, O_RDWR, &source);
    if (job->result == 0) {
        job->result = ck_seal_recover(&source, (uint64_t)job->recording, job->key, job->salt,
                                      append_file, job, &job->recovery);
    }
    if (job->result == 0) {
        job->result = count_gaps(job, &source);
    }
    ck_sealed_file_close(&job->file);
}

static void submit_recovered(const struct job *job)
{
    struct ck_actor actor = {.kind = CK_ACTOR_WORKER};
    const struct ck_seal_recovery *recovery = &job->recovery;
    char hex[CK_HEX_SIZE(CK_SHA256_SIZE)];
    ck_hex_encode(recovery->head.hash, CK_SHA256_SIZE, hex);
    ck_call_submit(
        job->calls, "recording.recovered", &actor,
        json_pack("{s:I, s:I, s:I, s:s, s:I, s:i, s:I, s:I, s:b}", "recording",
                  (json_int_t)job->recording, "chunks", (json_int_t)recovery->head.chunks, "bytes",
                  (json_int_t)recovery->head.bytes, "head", hex, "duration_ms",
                  (json_int_t)recovery->duration_ms, "gaps", job->gaps, "gap_ms",
                  (json_int_t)job->gap_ms, "lost_bytes", (json_int_t)recovery->lost_bytes,
                  "was_whole", (int)recovery->was_whole));
}

static void recover_done(uv_work_t *work, int status)
{
    struct job *job = work->data;
    struct ck_calls *calls = job->calls;
    struct ck_actor actor = {.kind = CK_ACTOR_WORKER};
    if (status < 0) {
        job->result = status;
    }
    if (job->result == 0) {
        submit_recovered(job);
    } else {
        ck_log(CK_LOG_ERROR, "recording %lld cannot be recovered: %s", (long long)job->recording,
               ck_error_text(job->result));
        ck_call_submit(calls, "recording.failed", &actor,
                       json_pack("{s:I, s:i, s:s}", "recording", (json_int_t)job->recording,
                                 "error", job->result < 0 ? -job->result : EBADMSG, "text",
                                 ck_error_text(job->result)));
    }
    calls->jobs--;
    job_free(job);
    ck_calls_maybe_stopped(calls);
}

void ck_call_recover_file(struct ck_calls *calls, int64_t recording, const char *path,
                          const uint8_t *key)
{
    struct job *job = job_create(calls, recording, path, key);
    int error = job == NULL ? -ENOMEM : uv_random(NULL, NULL, job->salt, sizeof job->salt, 0, NULL);
    if (error == 0) {
        error = uv_queue_work(calls->loop, &job->work, recover_work, recover_done);
    }
    if (error != 0) {
        ck_log(CK_LOG_ERROR, "recording %lld is not recovered now: %s", (long long)recording,
               uv_strerror(error)); /* the next start tries again */
        job_free(job);
        return;
    }
    calls->jobs++;
}

static void recover_row(struct ck_calls *calls, const json_t *row)
{
    int64_t id = json_integer_value(json_object_get(row, "id"));
    const char *file = json_string_value(json_object_get(row, "file"));
    const char *hex = json_string_value(json_object_get(row, "wrapped"));
    const json_t *measure = json_object_get(row, "measure");
    uint8_t wrapped[CK_SEAL_WRAPPED_SIZE], key[CK_KEY_SIZE];
    ck_cleanup(ck_freep) char *path = NULL;
    int error = CK_E_SYNTAX;
    if (file != NULL && strchr(file, '/') == NULL && hex != NULL &&
        ck_hex_decode(hex, wrapped, sizeof wrapped) == 0) {
        error = ck_seal_unwrap(calls->master_key, (uint64_t)id, wrapped, sizeof wrapped, key);
    }
    if (error == 0 && asprintf(&path, "%s/%s", calls->recording_dir, file) < 0) {
        error = -ENOMEM;
    }
    if (error != 0) {
        ck_log(CK_LOG_ERROR, "the key of recording %lld: %s", (long long)id, ck_error_text(error));
        return;
    }
    if (json_is_integer(measure)) {
        ck_call_measure(calls, json_integer_value(measure), id, path, key);
    } else {
        ck_call_recover_file(calls, id, path, key);
    }
    ck_wipe(key, sizeof key);
}

void ck_calls_recover(struct ck_calls *calls, json_t *list)
{
    size_t index;
    json_t *row;
    json_array_foreach(list, index, row)
    {
        recover_row(calls, row);
    }
    json_decref(list);
}

/* ---- thumbnail ---- */

static int take_frame(struct job *job)
{
    struct ck_seal_source source;
    int error = ck_sealed_file_open(&job->file, job->path, O_RDONLY, &source);
    ck_cleanup(ck_seal_closep) struct ck_seal *seal = NULL;
    if (error == 0) {
        error = ck_seal_open(&seal, &source, job->key, (uint64_t)job->recording);
    }
    if (error != 0) {
        return error;
    }
    job->frame = malloc(CK_SEAL_KEY_FRAME_MAX);
    int64_t frame_ms;
    return job->frame == NULL
               ? -ENOMEM
               : ck_seal_key_frame(seal, job->at_ms, job->frame, CK_SEAL_KEY_FRAME_MAX,
                                   &job->frame_size, &frame_ms);
}

static void thumbnail_work(uv_work_t *work)
{
    struct job *job = work->data;
    job->result = take_frame(job);
    ck_sealed_file_close(&job->file);
}

static void render_end(struct job *job)
{
    struct ck_calls *calls = job->calls;
    calls->jobs--;
    job_free(job);
    ck_calls_maybe_stopped(calls);
}

static void on_rendered(void *cookie, int code, const uint8_t *jpeg, size_t size, const char *text)
{
    struct job *job = cookie;
    struct ck_actor actor = {.kind = CK_ACTOR_WORKER, .checkin_id = job->checkin};
    ck_cleanup(ck_freep) char *base64 = code == 0 ? malloc(CK_BASE64_SIZE(size)) : NULL;
    if (base64 != NULL) {
        ck_base64_encode(jpeg, size, base64);
        ck_call_submit(
            job->calls, "checkin.thumbnail", &actor,
            json_pack("{s:I, s:s}", "checkin", (json_int_t)job->checkin, "jpeg", base64));
    } else {
        ck_log(CK_LOG_WARNING, "no thumbnail of check-in %lld: %s", (long long)job->checkin,
               code == 0 ? "out of memory" : text);
    }
    render_end(job);
}

static void thumbnail_done(uv_work_t *work, int status)
{
    struct job *job = work->data;
    int error = status < 0 ? status : job->result;
    if (error == 0 && job->calls->stopping) {
        error = CK_E_BUSY; /* the renderer is going, or gone */
    }
    if (error == 0) {
        error = ck_renderer_thumbnail(job->calls->render, job->frame, job->frame_size, on_rendered,
                                      job);
    }
    if (error != 0) {
        if (error != CK_E_NOT_FOUND) { /* sound alone has no picture */
            ck_log(CK_LOG_WARNING, "no thumbnail of check-in %lld: %s", (long long)job->checkin,
                   ck_error_text(error));
        }
        render_end(job);
    }
}

void ck_call_thumbnail(struct ck_calls *calls, int64_t checkin, int64_t recording, const char *path,
                       const uint8_t *key, int64_t at_ms)
{
    struct job *job = job_create(calls, recording, path, key);
    if (job == NULL) {
        return;
    }
    job->checkin = checkin;
    job->at_ms = at_ms;
    int error = uv_queue_work(calls->loop, &job->work, thumbnail_work, thumbnail_done);
    if (error != 0) {
        ck_log(CK_LOG_WARNING, "no thumbnail of check-in %lld: %s", (long long)checkin,
               uv_strerror(error));
        job_free(job);
        return;
    }
    calls->jobs++;
}

/* ---- measures ---- */

static int take_plain(struct job *job)
{
    struct ck_seal_source source;
    int error = ck_sealed_file_open(&job->file, job->path, O_RDONLY, &source);
    ck_cleanup(ck_seal_closep) struct ck_seal *seal = NULL;
    if (error == 0) {
        error = ck_seal_open(&seal, &source, job->key, (uint64_t)job->recording);
    }
    return error == 0 ? ck_sealed_plain(seal, CK_CALL_MEASURE_MAX, &job->plain) : error;
}

static void measure_work(uv_work_t *work)
{
    struct job *job = work->data;
    job->result = take_plain(job);
    ck_sealed_file_close(&job->file);
}

static const char *measure_name(uint8_t measure)
{
    static const char *const names[] = {[CK_RENDER_BLACK] = "black",
                                        [CK_RENDER_COVERED] = "covered",
                                        [CK_RENDER_FROZEN] = "frozen",
                                        [CK_RENDER_SILENT] = "silent"};
    return measure < sizeof names / sizeof names[0] && names[measure] != NULL ? names[measure] : "";
}

static void on_measured(void *cookie, int code, const struct ck_render_span *spans, size_t count,
                        const char *text)
{
    struct job *job = cookie;
    struct ck_actor actor = {.kind = CK_ACTOR_WORKER, .checkin_id = job->checkin};
    json_t *list = code == 0 ? json_array() : NULL;
    for (size_t i = 0; list != NULL && i < count; i++) {
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "measure",
                                              measure_name(spans[i].measure), "from_ms",
                                              (json_int_t)spans[i].from_ms, "until_ms",
                                              (json_int_t)spans[i].until_ms));
    }
    if (list != NULL) {
        ck_call_submit(
            job->calls, "recording.measured", &actor,
            json_pack("{s:I, s:o}", "recording", (json_int_t)job->recording, "spans", list));
    } else {
        ck_log(CK_LOG_WARNING, "recording %lld is not measured: %s", (long long)job->recording,
               code == 0 ? "out of memory" : text);
    }
    render_end(job);
}

static void measure_done(uv_work_t *work, int status)
{
    struct job *job = work->data;
    int error = status < 0 ? status : job->result;
    if (error == 0 && job->calls->stopping) {
        error = CK_E_BUSY; /* the renderer is going, or gone */
    }
    if (error == 0) {
        error = ck_renderer_measure(job->calls->render, ck_take_fd(&job->plain), on_measured, job);
    }
    if (error != 0) {
        ck_log(CK_LOG_WARNING, "recording %lld is not measured: %s", (long long)job->recording,
               ck_error_text(error));
        render_end(job);
    }
}

void ck_call_measure(struct ck_calls *calls, int64_t checkin, int64_t recording, const char *path,
                     const uint8_t *key)
{
    struct job *job = job_create(calls, recording, path, key);
    if (job == NULL) {
        return;
    }
    job->checkin = checkin;
    int error = uv_queue_work(calls->loop, &job->work, measure_work, measure_done);
    if (error != 0) {
        ck_log(CK_LOG_WARNING, "recording %lld is not measured: %s", (long long)recording,
               uv_strerror(error));
        job_free(job);
        return;
    }
    calls->jobs++;
}
