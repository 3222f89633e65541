#include "daemon/call/renderer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/call/child.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/render.h"

#define JPEG_QUALITY 80

struct job {
    struct job *next;
    uint64_t id;
    unsigned tries;
    int picture;   /* memfd that the JPEG is written to, for the try that runs; -1 else */
    int recording; /* memfd that is measured; -1: a thumbnail */
    ck_renderer_done *done;
    ck_renderer_measured *measured;
    void *cookie;
    size_t size;
    uint8_t frame[];
};

struct ck_renderer {
    struct ck_child *child;
    uv_timer_t timer; /* the bound of the job that runs */
    bool ready;       /* the process takes jobs */
    struct job *running;
    struct job *first, **end;
    unsigned waiting, recordings; /* of those that wait or run: with a whole recording in memory */
    uint64_t next_id;
    bool stopping;
    void (*stopped)(void *context);
    void *stopped_context;
};

static void start_next(struct ck_renderer *renderer);

static void job_free(struct ck_renderer *renderer, struct job *job)
{
    if (job->picture >= 0) {
        close(job->picture);
    }
    if (job->recording >= 0) {
        close(job->recording);
        renderer->recordings--;
    }
    free(job);
}

static void job_end(struct ck_renderer *renderer, struct job *job, int code, const uint8_t *jpeg,
                    size_t size, const char *text)
{
    if (job->measured != NULL) {
        job->measured(job->cookie, code, NULL, 0, text);
    } else {
        job->done(job->cookie, code, jpeg, size, text);
    }
    job_free(renderer, job);
}

static void enqueue_first(struct ck_renderer *renderer, struct job *job)
{
    job->next = renderer->first;
    renderer->first = job;
    if (job->next == NULL) {
        renderer->end = &job->next;
    }
    renderer->waiting++;
}

/* The try that runs came to nothing through no fault of the frame: again, or given up. */
static void try_failed(struct ck_renderer *renderer, const char *text)
{
    struct job *job = ck_take(renderer->running);
    uv_timer_stop(&renderer->timer);
    if (job == NULL) {
        return;
    }
    if (job->picture >= 0) {
        close(job->picture);
        job->picture = -1;
    }
    if (job->tries >= CK_RENDERER_TRIES || renderer->stopping) {
        job_end(renderer, job, CK_E_BUSY, NULL, 0, text);
    } else {
        enqueue_first(renderer, job);
    }
}

static void on_late(uv_timer_t *timer)
{
    struct ck_renderer *renderer = timer->data;
    ck_child_kill(renderer->child, "a job that does not end");
}

static void on_up(void *context, pid_t pid)
{
    (void)context;
    ck_log(CK_LOG_INFO, "checkin-render started, pid %d", (int)pid);
}

static void on_down(void *context, int64_t status, int signal, uint64_t again_ms)
{
    struct ck_renderer *renderer = context;
    (void)status;
    (void)signal;
    (void)again_ms;
    renderer->ready = false;
    try_failed(renderer, "the render process ended under it");
}

static void finish_picture(struct ck_renderer *renderer, struct job *job, uint64_t bytes)
{
    ck_cleanup(ck_freep) uint8_t *jpeg = NULL;
    if (bytes == 0 || bytes > CK_RENDERER_JPEG_MAX || (jpeg = malloc(bytes)) == NULL ||
        pread(job->picture, jpeg, bytes, 0) != (ssize_t)bytes) {
        job_end(renderer, job, CK_E_BUSY, NULL, 0, "the picture cannot be read");
        return;
    }
    job_end(renderer, job, 0, jpeg, bytes, "");
}

static void on_failed(struct ck_renderer *renderer, const struct ck_render_message *message)
{
    char text[CK_RENDER_TEXT_MAX + 1];
    size_t size = message->failed.message.size;
    size = size < sizeof text ? size : sizeof text - 1;
    memcpy(text, message->failed.message.data, size);
    text[size] = '\0';
    bool hopeless = message->failed.fault == CK_RENDER_FAULT_INPUT ||
                    message->failed.fault == CK_RENDER_FAULT_LIMIT;
    if (hopeless) {
        struct job *job = ck_take(renderer->running);
        uv_timer_stop(&renderer->timer);
        job_end(renderer, job, CK_E_INVALID, NULL, 0, text);
    } else {
        try_failed(renderer, text);
    }
}

static void on_message(void *context, const uint8_t *bytes, size_t size)
{
    struct ck_renderer *renderer = context;
    struct ck_render_message message;
    if (ck_render_decode(bytes, size, &message) != 0) {
        ck_child_kill(renderer->child, "a message that does not decode");
        return;
    }
    if (message.kind == CK_RENDER_READY) {
        renderer->ready = true;
    } else if (renderer->running != NULL && message.job == renderer->running->id) {
        if (message.kind == CK_RENDER_DONE && renderer->running->measured == NULL) {
            struct job *job = ck_take(renderer->running);
            uv_timer_stop(&renderer->timer);
            finish_picture(renderer, job, message.done.bytes);
        } else if (message.kind == CK_RENDER_MEASURED && renderer->running->measured != NULL) {
            struct job *job = ck_take(renderer->running);
            uv_timer_stop(&renderer->timer);
            job->measured(job->cookie, 0, message.measured.spans, message.measured.count, "");
            job_free(renderer, job);
        } else if (message.kind == CK_RENDER_FAILED) {
            on_failed(renderer, &message);
        }
    }
    start_next(renderer);
}

/* The frame goes in and the picture comes out through memory files: no path, no disk. */
static int send_thumbnail(struct ck_renderer *renderer, struct job *job)
{
    ck_cleanup(ck_closep) int frame = memfd_create("frame", MFD_CLOEXEC);
    job->picture = memfd_create("picture", MFD_CLOEXEC);
    if (frame < 0 || job->picture < 0 ||
        write(frame, job->frame, job->size) != (ssize_t)job->size) {
        return -errno;
    }
    struct ck_render_message message = {
        .kind = CK_RENDER_THUMBNAIL,
        .job = job->id,
        .thumbnail = {.width_max = CK_RENDERER_THUMBNAIL_WIDTH, .quality = JPEG_QUALITY}};
    uint8_t bytes[CK_RENDER_MESSAGE_MAX];
    size_t size = 0;
    int error = ck_render_encode(&message, bytes, sizeof bytes, &size);
    int fds[] = {frame, job->picture};
    return error != 0 ? error : ck_child_send(renderer->child, bytes, size, fds, 2);
}

static int send_job(struct ck_renderer *renderer, struct job *job)
{
    if (job->recording < 0) {
        return send_thumbnail(renderer, job);
    }
    struct ck_render_message message = {.kind = CK_RENDER_MEASURES, .job = job->id};
    uint8_t bytes[CK_RENDER_MESSAGE_MAX];
    size_t size = 0;
    int error = ck_render_encode(&message, bytes, sizeof bytes, &size);
    return error != 0 ? error : ck_child_send(renderer->child, bytes, size, &job->recording, 1);
}

static void start_next(struct ck_renderer *renderer)
{
    while (renderer->ready && renderer->running == NULL && renderer->first != NULL &&
           !renderer->stopping) {
        struct job *job = renderer->first;
        renderer->first = job->next;
        if (renderer->first == NULL) {
            renderer->end = &renderer->first;
        }
        renderer->waiting--;
        job->tries++;
        renderer->running = job;
        int error = send_job(renderer, job);
        if (error == 0) {
            uv_timer_start(&renderer->timer, on_late, CK_RENDERER_JOB_MS, 0);
        } else {
            try_failed(renderer, ck_error_text(error));
        }
    }
}

int ck_renderer_create(uv_loop_t *loop, const char *program, struct ck_renderer **out)
{
    static const struct ck_child_events events = {
        .up = on_up, .message = on_message, .down = on_down};
    struct ck_renderer *renderer = calloc(1, sizeof *renderer);
    if (renderer == NULL) {
        return -ENOMEM;
    }
    renderer->end = &renderer->first;
    struct ck_child_options options = {.program = program, .name = "checkin-render"};
    int error = ck_child_create(loop, &options, &events, renderer, &renderer->child);
    if (error != 0) {
        free(renderer);
        return error;
    }
    uv_timer_init(loop, &renderer->timer);
    renderer->timer.data = renderer;
    *out = renderer;
    return 0;
}

static void enqueue(struct ck_renderer *renderer, struct job *job)
{
    *renderer->end = job;
    renderer->end = &job->next;
    renderer->waiting++;
    start_next(renderer);
}

int ck_renderer_thumbnail(struct ck_renderer *renderer, const void *frame, size_t size,
                          ck_renderer_done *done, void *cookie)
{
    if (renderer->stopping || renderer->waiting >= CK_RENDERER_JOBS_MAX ||
        size > CK_RENDER_FRAME_MAX) {
        return CK_E_BUSY;
    }
    struct job *job = malloc(sizeof *job + size);
    if (job == NULL) {
        return -ENOMEM;
    }
    *job = (struct job){.id = ++renderer->next_id,
                        .picture = -1,
                        .recording = -1,
                        .done = done,
                        .cookie = cookie,
                        .size = size};
    memcpy(job->frame, frame, size);
    enqueue(renderer, job);
    return 0;
}

int ck_renderer_measure(struct ck_renderer *renderer, int recording, ck_renderer_measured *measured,
                        void *cookie)
{
    if (renderer->stopping || renderer->waiting >= CK_RENDERER_JOBS_MAX ||
        renderer->recordings >= CK_RENDERER_RECORDINGS_MAX) {
        close(recording);
        return CK_E_BUSY;
    }
    struct job *job = malloc(sizeof *job);
    if (job == NULL) {
        close(recording);
        return -ENOMEM;
    }
    *job = (struct job){.id = ++renderer->next_id,
                        .picture = -1,
                        .recording = recording,
                        .measured = measured,
                        .cookie = cookie};
    renderer->recordings++;
    enqueue(renderer, job);
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct ck_renderer *renderer = handle->data;
    void (*stopped)(void *) = renderer->stopped;
    void *context = renderer->stopped_context;
    free(renderer);
    stopped(context);
}

static void on_child_stopped(void *context)
{
    struct ck_renderer *renderer = context;
    uv_close((uv_handle_t *)&renderer->timer, on_timer_closed);
}

void ck_renderer_stop(struct ck_renderer *renderer, void (*stopped)(void *context), void *context)
{
    renderer->stopping = true;
    renderer->stopped = stopped;
    renderer->stopped_context = context;
    try_failed(renderer, "the daemon ends");
    while (renderer->first != NULL) {
        struct job *job = renderer->first;
        renderer->first = job->next;
        job_end(renderer, job, CK_E_BUSY, NULL, 0, "the daemon ends");
    }
    ck_child_stop(renderer->child, 0, on_child_stopped, renderer);
}
