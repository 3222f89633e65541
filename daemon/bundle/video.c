/* Both sides of a call in one picture with the server's time burnt in: made by checkin-render,
 * which is given memory files and nothing else. One process for one bundle, so that it never stands
 * in the way of the pictures that reviews wait for. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/bundle/bundle_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/render.h"

#define LINES 360
#define LOOK_MS 250    /* how often it is looked whether all is to stop */
#define START_MS 15000 /* until it is READY: it loads its libraries and tries them */
#define PIECE (256u * 1024)
#define CHILD_FD 3

extern char **environ;

/* One run of checkin-render. */
struct renderer {
    const struct ck_bundle_order *order;
    pid_t pid; /* 0: none */
    int fd;
    uint8_t bytes[CK_RENDER_MESSAGE_MAX];
};

static int start(struct renderer *renderer, const char *program)
{
    ck_cleanup(ck_closep) int ours = -1;
    ck_cleanup(ck_closep) int theirs = -1;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        return -errno;
    }
    ours = pair[0];
    theirs = pair[1];
    char name[] = "checkin-render", option[] = "--control-fd=3";
    char *const words[] = {name, option, NULL};
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return -ENOMEM;
    }
    int error = posix_spawn_file_actions_adddup2(&actions, theirs, CHILD_FD);
    error =
        error == 0 ? posix_spawn(&renderer->pid, program, &actions, NULL, words, environ) : error;
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        renderer->pid = 0;
        return -error;
    }
    renderer->fd = ck_take_fd(&ours);
    return 0;
}

static void stop(struct renderer *renderer)
{
    ck_closep(&renderer->fd); /* at which it ends; killed where it does not hear that */
    if (renderer->pid != 0) {
        kill(renderer->pid, SIGKILL);
        while (waitpid(renderer->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

static int receive(struct renderer *renderer, int64_t until_ms, struct ck_render_message *message)
{
    for (;;) {
        int64_t left = until_ms - renderer->order->mono().us / 1000;
        struct pollfd wait = {.fd = renderer->fd, .events = POLLIN};
        const atomic_bool *stopping = renderer->order->stop;
        if (stopping != NULL && atomic_load(stopping)) {
            return -ECANCELED;
        }
        if (left <= 0) {
            return CK_E_BUSY;
        }
        int ready = poll(&wait, 1, left > LOOK_MS ? LOOK_MS : (int)left);
        if (ready == 0) {
            continue;
        }
        if (ready < 0 && errno != EINTR) {
            return -errno;
        }
        if (ready < 0) {
            continue;
        }
        ssize_t got = recv(renderer->fd, renderer->bytes, sizeof renderer->bytes, 0);
        return got <= 0 ? -EPIPE : ck_render_decode(renderer->bytes, (size_t)got, message);
    }
}

static int send_job(struct renderer *renderer, const struct ck_render_message *job, const int *fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(CK_RENDER_FDS_MAX * sizeof(int))];
    } room;
    size_t size = 0, count = ck_render_fds(job);
    int r = ck_render_encode(job, renderer->bytes, sizeof renderer->bytes, &size);
    if (r != 0) {
        return r;
    }
    memset(&room, 0, sizeof room);
    struct iovec part = {renderer->bytes, size};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = room.bytes,
                            .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *c = &room.align;
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(c), fds, count * sizeof(int));
    return sendmsg(renderer->fd, &header, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -errno;
}

/* 0 and the film's bytes; CK_E_INVALID: it cannot be made of these; CK_E_BUSY: not in this time;
 * -ECANCELED: stopped. */
static int render(const struct ck_bundle_order *order, const struct ck_render_message *job,
                  const int *fds, uint64_t *bytes)
{
    struct renderer renderer = {.order = order, .fd = -1};
    struct ck_render_message answer = {0};
    int64_t began = order->mono().us / 1000, until = began + order->video_ms;
    int r = start(&renderer, order->render_program);
    r = r == 0 ? receive(&renderer, began + START_MS < until ? began + START_MS : until, &answer)
               : r;
    r = r == 0 && answer.kind != CK_RENDER_READY ? -EPROTO : r;
    r = r == 0 ? send_job(&renderer, job, fds) : r;
    r = r == 0 ? receive(&renderer, until, &answer) : r;
    if (r == 0 && answer.kind != CK_RENDER_DONE) {
        r = answer.kind == CK_RENDER_FAILED ? CK_E_INVALID : -EPROTO;
    }
    *bytes = r == 0 ? answer.done.bytes : 0;
    stop(&renderer);
    return r;
}

static int add_film(struct ck_bundle_work *work, int fd, uint64_t size)
{
    ck_cleanup(ck_freep) uint8_t *piece = malloc(PIECE);
    int r = piece == NULL ? -ENOMEM : ck_zip_begin(work->zip, CK_BUNDLE_SIDE_BY_SIDE);
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
static int gather(struct ck_bundle_work *work, struct ck_render_message *job, int *fds)
{
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
            fds[job->export.count++] = plain.fd;
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
    struct ck_render_message job = {
        .kind = CK_RENDER_EXPORT, .job = 1, .export = {.height = LINES}};
    int fds[CK_RENDER_FDS_MAX] = {-1, -1, -1};
    uint64_t size = 0;
    if (work->order->render_program == NULL || work->made->recordings == 0) {
        return json_object_set_new(work->facts, "side_by_side", json_null()) == 0 ? 0 : -ENOMEM;
    }
    int r = gather(work, &job, fds);
    ck_store_view_end(work->store); /* nothing more is read, and this takes minutes */
    int out = r == 0 && job.export.count > 0 ? memfd_create("film", MFD_CLOEXEC) : -1;
    if (out >= 0) {
        fds[job.export.count] = out;
        r = render(work->order, &job, fds, &size);
    }
    const char *said = r == 0 && size > 0                  ? "made"
                       : r == CK_E_BUSY || r == CK_E_LIMIT ? "too_long"
                                                           : "failed";
    /* What cannot be made is said; the recordings themselves are in the bundle all the same. */
    r = size > 0 && r == 0 ? add_film(work, out, size) : r == -ENOMEM || r == -ECANCELED ? r : 0;
    for (size_t i = 0; i < CK_RENDER_FDS_MAX; i++) {
        ck_closep(&fds[i]);
    }
    return r == 0 && json_object_set_new(work->facts, "side_by_side", json_string(said)) != 0
               ? -ENOMEM
               : r;
}
