#include "daemon/call/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define CONTROL_FD 3
#define SOCKET_BUFFER_BYTES 1048576
#define READS_PER_TURN 64 /* so that one chatty child does not starve the loop */

struct queued {
    struct queued *next;
    size_t size;
    size_t fd_count;
    int fds[CK_CHILD_DESCRIPTORS_MAX];
    uint8_t bytes[];
};

struct ck_child {
    uv_loop_t *loop;
    struct ck_child_events events;
    void *context;
    char *program;
    char *name;
    uint64_t silence_limit_ms;

    uv_process_t process;
    uv_poll_t poll;
    uv_timer_t timer;   /* next start, or patience at the end */
    uv_timer_t silence; /* since the last message */
    int socket;
    bool running; /* the process has been started and has not been reaped */
    bool polling;
    uint64_t started_ms; /* of the loop's clock */
    uint64_t backoff_ms;
    unsigned starts;

    struct queued *queue, **queue_end;
    unsigned queue_length;

    bool stopping;
    unsigned open_handles;
    void (*stopped)(void *context);
    void *stopped_context;
};

static void start(struct ck_child *child);
static void update_poll(struct ck_child *child);
static bool read_one(struct ck_child *child);

static void queue_clear(struct ck_child *child)
{
    for (struct queued *item = child->queue; item != NULL;) {
        struct queued *next = item->next;
        for (size_t i = 0; i < item->fd_count; i++) {
            close(item->fds[i]);
        }
        free(item);
        item = next;
    }
    child->queue = NULL;
    child->queue_end = &child->queue;
    child->queue_length = 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct ck_child *child = handle->data;
    if (--child->open_handles > 0) {
        return;
    }
    void (*stopped)(void *) = child->stopped;
    void *context = child->stopped_context;
    queue_clear(child);
    free(child->program);
    free(child->name);
    free(child);
    if (stopped != NULL) {
        stopped(context);
    }
}

static void close_handles(struct ck_child *child)
{
    child->open_handles = 2;
    uv_close((uv_handle_t *)&child->timer, on_handle_closed);
    uv_close((uv_handle_t *)&child->silence, on_handle_closed);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct ck_child *child = handle->data;
    close(child->socket);
    child->socket = -1;
    child->polling = false;
}

static void on_timer(uv_timer_t *timer)
{
    struct ck_child *child = timer->data;
    if (!child->stopping) {
        start(child);
    } else if (child->running) {
        uv_process_kill(&child->process, SIGKILL);
    } else {
        close_handles(child);
    }
}

static void on_process_closed(uv_handle_t *handle)
{
    struct ck_child *child = handle->data;
    if (child->stopping) {
        close_handles(child);
        return;
    }
    uv_timer_start(&child->timer, on_timer, child->backoff_ms, 0);
}

/* Whatever was running is gone: tell, and start again later. */
static void fallen(struct ck_child *child, int64_t status, int signal)
{
    queue_clear(child);
    uv_timer_stop(&child->silence);
    bool young = uv_now(child->loop) - child->started_ms < CK_CHILD_YOUNG_MS;
    uint64_t longer = child->backoff_ms * 2;
    child->backoff_ms = !young || child->starts <= 1       ? CK_CHILD_BACKOFF_MIN_MS
                        : longer > CK_CHILD_BACKOFF_MAX_MS ? CK_CHILD_BACKOFF_MAX_MS
                                                           : longer;
    if (!child->stopping) {
        ck_log_event(CK_LOG_EVENT_WORKER_DIED, CK_LOG_WARNING,
                     "%s ended: status %lld signal %d, again in %llu ms", child->name,
                     (long long)status, signal, (unsigned long long)child->backoff_ms);
        child->events.down(child->context, status, signal, child->backoff_ms);
    }
}

/* The socket's end of life comes with its process's; the poll handle must close before the
 * process's does, so that a new start finds it free. */
static void stop_polling(struct ck_child *child)
{
    if (child->polling && !uv_is_closing((uv_handle_t *)&child->poll)) {
        uv_close((uv_handle_t *)&child->poll, on_poll_closed);
    }
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal)
{
    struct ck_child *child = process->data;
    while (child->polling && read_one(child)) { /* its last words */
    }
    child->running = false;
    uv_timer_stop(&child->timer); /* the patience of ck_child_stop() */
    stop_polling(child);
    fallen(child, status, signal);
    uv_close((uv_handle_t *)process, on_process_closed);
}

static void on_silence(uv_timer_t *timer)
{
    struct ck_child *child = timer->data;
    ck_child_kill(child, "no sign of life");
}

static bool read_one(struct ck_child *child)
{
    static uint8_t bytes[CK_CHILD_MESSAGE_MAX];
    ssize_t size = recv(child->socket, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0) {
        return errno == EINTR;
    }
    if (size == 0) { /* its end is closed; the exit status follows by SIGCHLD */
        uv_poll_stop(&child->poll);
        return false;
    }
    if ((size_t)size > sizeof bytes) {
        ck_child_kill(child, "message too long");
        return false;
    }
    if (child->silence_limit_ms > 0 && !child->stopping) {
        uv_timer_start(&child->silence, on_silence, child->silence_limit_ms, 0);
    }
    child->events.message(child->context, bytes, (size_t)size);
    return true;
}

static int send_now(struct ck_child *child, const void *bytes, size_t size, const int *fds,
                    size_t fd_count)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int) * CK_CHILD_DESCRIPTORS_MAX)];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        if (head == NULL) { /* no compiler knows that the room is large enough */
            return -EINVAL;
        }
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(head), fds, sizeof(int) * fd_count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(child->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

static void flush_queue(struct ck_child *child)
{
    while (child->queue != NULL) {
        struct queued *item = child->queue;
        int error = send_now(child, item->bytes, item->size, item->fds, item->fd_count);
        if (error == -EAGAIN) {
            break;
        }
        if (error < 0) { /* EPIPE: it is dying; on_exit_status() comes */
            queue_clear(child);
            break;
        }
        child->queue = item->next;
        if (child->queue == NULL) {
            child->queue_end = &child->queue;
        }
        child->queue_length--;
        for (size_t i = 0; i < item->fd_count; i++) {
            close(item->fds[i]);
        }
        free(item);
    }
    update_poll(child);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct ck_child *child = poll->data;
    if (status <
        0) { /* libuv's EBADF stands for POLLERR: closed by the other side with messages unread */
        ck_child_kill(child, "it left its messages unread");
        return;
    }
    if (events & UV_WRITABLE) {
        flush_queue(child);
    }
    if (events & UV_READABLE) {
        for (int i = 0; i < READS_PER_TURN && child->running && read_one(child); i++) {
        }
    }
}

static void update_poll(struct ck_child *child)
{
    if (child->polling && !uv_is_closing((uv_handle_t *)&child->poll)) {
        uv_poll_start(&child->poll, UV_READABLE | (child->queue != NULL ? UV_WRITABLE : 0),
                      on_poll);
    }
}

static int socket_pair(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return -errno;
    }
    int size = SOCKET_BUFFER_BYTES;
    for (int i = 0; i < 2; i++) {
        /* A smaller buffer than asked for only means that messages wait in the queue earlier. */
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static int spawn(struct ck_child *child, int their_end)
{
    char argument[32] = "--control-fd=3";
    char *arguments[] = {child->program, argument, NULL};
    uv_stdio_container_t stdio[CONTROL_FD + 1] = {
        [0] = {.flags = UV_IGNORE},
        [1] = {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        [2] = {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        [CONTROL_FD] = {.flags = UV_INHERIT_FD, .data.fd = their_end},
    };
    uv_process_options_t options = {
        .file = child->program,
        .args = arguments,
        .stdio = stdio,
        .stdio_count = CONTROL_FD + 1,
        .exit_cb = on_exit_status,
    };
    child->process.data = child;
    return uv_spawn(child->loop, &child->process, &options);
}

static void start(struct ck_child *child)
{
    if (child->polling) { /* the old socket is still closing */
        uv_timer_start(&child->timer, on_timer, 1, 0);
        return;
    }
    child->started_ms = uv_now(child->loop);
    child->starts++;
    int ends[2];
    int error = socket_pair(ends);
    if (error == 0) {
        error = spawn(child, ends[1]);
        close(ends[1]);
        if (error < 0) {
            close(ends[0]);
            /* The handle is initialised even where the program was not. */
            ck_log(CK_LOG_ERROR, "%s: cannot start %s: %s", child->name, child->program,
                   uv_strerror(error));
            fallen(child, 127, 0);
            uv_close((uv_handle_t *)&child->process, on_process_closed);
            return;
        }
    } else {
        ck_log(CK_LOG_ERROR, "%s: no socket pair: %s", child->name, ck_error_text(error));
        fallen(child, 127, 0);
        uv_timer_start(&child->timer, on_timer, child->backoff_ms, 0);
        return;
    }
    child->socket = ends[0];
    child->running = true;
    uv_poll_init(child->loop, &child->poll, child->socket);
    child->poll.data = child;
    child->polling = true;
    update_poll(child);
    if (child->silence_limit_ms > 0) {
        uv_timer_start(&child->silence, on_silence, child->silence_limit_ms, 0);
    }
    child->events.up(child->context, (pid_t)child->process.pid);
}

int ck_child_create(uv_loop_t *loop, const struct ck_child_options *options,
                    const struct ck_child_events *events, void *context, struct ck_child **out)
{
    struct ck_child *child = calloc(1, sizeof *child);
    if (child == NULL) {
        return -ENOMEM;
    }
    child->program = strdup(options->program);
    child->name = strdup(options->name);
    if (child->program == NULL || child->name == NULL) {
        free(child->program);
        free(child->name);
        free(child);
        return -ENOMEM;
    }
    child->loop = loop;
    child->events = *events;
    child->context = context;
    child->silence_limit_ms = options->silence_limit_ms;
    child->socket = -1;
    child->backoff_ms = CK_CHILD_BACKOFF_MIN_MS;
    child->queue_end = &child->queue;
    uv_timer_init(loop, &child->timer);
    uv_timer_init(loop, &child->silence);
    child->timer.data = child;
    child->silence.data = child;
    uv_timer_start(&child->timer, on_timer, 0, 0);
    *out = child;
    return 0;
}

static int enqueue(struct ck_child *child, const void *bytes, size_t size, const int *fds,
                   size_t fd_count)
{
    if (child->queue_length >= CK_CHILD_QUEUE_MAX) {
        ck_child_kill(child, "it no longer reads its messages");
        return CK_E_BUSY;
    }
    struct queued *item = malloc(sizeof *item + size);
    if (item == NULL) {
        return -ENOMEM;
    }
    *item = (struct queued){.size = size};
    memcpy(item->bytes, bytes, size);
    for (; item->fd_count < fd_count; item->fd_count++) {
        item->fds[item->fd_count] = fcntl(fds[item->fd_count], F_DUPFD_CLOEXEC, 0);
        if (item->fds[item->fd_count] < 0) {
            int error = -errno;
            while (item->fd_count > 0) {
                close(item->fds[--item->fd_count]);
            }
            free(item);
            return error;
        }
    }
    *child->queue_end = item;
    child->queue_end = &item->next;
    child->queue_length++;
    update_poll(child);
    return 0;
}

int ck_child_send(struct ck_child *child, const void *bytes, size_t size, const int *fds,
                  size_t fd_count)
{
    if (size > CK_CHILD_MESSAGE_MAX || fd_count > CK_CHILD_DESCRIPTORS_MAX) {
        return -EINVAL;
    }
    if (!child->running || !child->polling || child->stopping) {
        return CK_E_BUSY;
    }
    if (child->queue == NULL) {
        int error = send_now(child, bytes, size, fds, fd_count);
        if (error == -EPIPE || error == -ECONNRESET) {
            return CK_E_BUSY;
        }
        if (error != -EAGAIN) {
            return error;
        }
    }
    return enqueue(child, bytes, size, fds, fd_count);
}

void ck_child_kill(struct ck_child *child, const char *reason)
{
    if (child->running) {
        ck_log(CK_LOG_ERROR, "%s killed: %s", child->name, reason);
        uv_process_kill(&child->process, SIGKILL);
    }
}

pid_t ck_child_pid(const struct ck_child *child)
{
    return child->running ? (pid_t)child->process.pid : 0;
}

unsigned ck_child_restarts(const struct ck_child *child)
{
    return child->starts == 0 ? 0 : child->starts - 1;
}

void ck_child_stop(struct ck_child *child, uint64_t patience_ms, void (*stopped)(void *context),
                   void *context)
{
    if (child == NULL) {
        return;
    }
    child->stopping = true;
    child->stopped = stopped;
    child->stopped_context = context;
    uv_timer_stop(&child->silence);
    if (child->running) {
        flush_queue(child);
        shutdown(child->socket,
                 SHUT_WR); /* it reads the end, and may still say what it has to say */
        uv_timer_start(&child->timer, on_timer, patience_ms, 0);
    } else if (uv_is_active((uv_handle_t *)&child->timer)) {
        uv_timer_start(&child->timer, on_timer, 0, 0);
    }
    /* Else the process handle is closing, and its callback ends the rest. */
}
