/* Runs of checkin-render for a bundle: it is given memory files and nothing else. A process of its
 * own, so that it never stands in the way of the pictures that reviews wait for. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/bundle/bundle_impl.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/render.h"

#define LOOK_MS 250    /* how often it is looked whether all is to stop */
#define START_MS 15000 /* until it is READY: it loads its libraries and tries them */
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

static int run(struct renderer *renderer, int64_t until, struct ck_bundle_job *job)
{
    struct ck_render_message answer = {0};
    int r = send_job(renderer, &job->message, job->fds);
    r = r == 0 ? receive(renderer, until, &answer) : r;
    if (r == 0 && answer.kind != CK_RENDER_DONE) {
        r = answer.kind == CK_RENDER_FAILED ? CK_E_INVALID : -EPROTO;
    }
    job->bytes = r == 0 ? answer.done.bytes : 0;
    return r;
}

int ck_bundle_render(const struct ck_bundle_order *order, int64_t most_ms,
                     struct ck_bundle_job *jobs, size_t count)
{
    struct renderer renderer = {.order = order, .fd = -1};
    struct ck_render_message answer = {0};
    int64_t began = order->mono().us / 1000, until = began + most_ms;
    int r = start(&renderer, order->render_program);
    r = r == 0 ? receive(&renderer, began + START_MS < until ? began + START_MS : until, &answer)
               : r;
    r = r == 0 && answer.kind != CK_RENDER_READY ? -EPROTO : r;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = run(&renderer, until, &jobs[i]);
    }
    stop(&renderer);
    return r;
}
