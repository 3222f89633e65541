#include "media/worker/control.h"

#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/digest.h"
#include "protocol/base/error.h"

/* More than ever come with a message, so that a wrong number is noticed and all are closed. */
#define DESCRIPTORS_MAX 4

struct waiting {
    struct waiting *next;
    size_t size;
    uint8_t bytes[];
};

struct ck_control {
    int fd;
    struct waiting *first;
    struct waiting *last;
    size_t count;
    size_t queued_bytes;
    uint8_t in[CK_WORKER_MESSAGE_MAX + 1];
    uint8_t out[CK_WORKER_MESSAGE_MAX];
};

int ck_control_create(struct ck_control **control, int fd)
{
    int kind = 0;
    socklen_t size = sizeof kind;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) != 0) {
        return -errno;
    }
    if (kind != SOCK_SEQPACKET) {
        return -EPROTOTYPE;
    }
    int buffer = CK_CONTROL_SOCKET_BUFFER;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    struct ck_control *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->fd = fd;
    *control = made;
    return 0;
}

void ck_control_destroy(struct ck_control *control)
{
    if (control == NULL) {
        return;
    }
    while (control->first != NULL) {
        struct waiting *waiting = control->first;
        control->first = waiting->next;
        free(waiting);
    }
    close(control->fd);
    free(control);
}

int ck_control_fd(const struct ck_control *control)
{
    return control->fd;
}

int ck_control_wait(const struct ck_control *control)
{
    struct pollfd poll_fd = {.fd = control->fd, .events = POLLIN};
    while (poll(&poll_fd, 1, -1) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

/* Gives the one descriptor that came, closing all where there are more. CK_E_SYNTAX then. */
static int take_descriptors(struct msghdr *header, int *fd)
{
    int found[DESCRIPTORS_MAX];
    size_t count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            size_t many = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t i = 0; i < many && count < DESCRIPTORS_MAX; i++) {
                memcpy(&found[count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            }
        }
    }
    if (count == 1 && (header->msg_flags & MSG_CTRUNC) == 0) {
        *fd = found[0];
        return CK_OK;
    }
    for (size_t i = 0; i < count; i++) {
        close(found[i]);
    }
    return count == 0 ? CK_OK : CK_E_SYNTAX;
}

int ck_control_receive(struct ck_control *control, struct ck_worker_message *message, int *fd,
                       const char **field)
{
    alignas(struct cmsghdr) char rights[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    struct iovec iov = {control->in, sizeof control->in};
    struct msghdr header = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = rights,
        .msg_controllen = sizeof rights,
    };
    ssize_t size = recvmsg(control->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0) {
        return errno == EAGAIN || errno == EINTR ? CK_E_NOT_FOUND : -EPIPE;
    }
    if (size == 0) {
        return -EPIPE; /* no message is empty: the end */
    }
    ck_cleanup(ck_closep) int came = -1;
    *field = "descriptor";
    int error = take_descriptors(&header, &came);
    if (error == CK_OK) {
        error = ck_worker_decode(control->in, (size_t)size, message, field);
    }
    if (error == CK_OK && (message->kind == CK_WORKER_RECORD_START) != (came >= 0)) {
        *field = "descriptor";
        error = CK_E_SYNTAX;
    }
    if (error != CK_OK) {
        return error == CK_E_INVALID ? CK_E_INVALID : CK_E_SYNTAX;
    }
    *fd = ck_take_fd(&came);
    return CK_OK;
}

void ck_control_wipe(struct ck_control *control)
{
    ck_wipe(control->in, sizeof control->in);
}

static int push(struct ck_control *control, const uint8_t *bytes, size_t size)
{
    if (control->count == CK_CONTROL_QUEUE_MAX ||
        control->queued_bytes + size > CK_CONTROL_QUEUE_BYTES_MAX) {
        return -ENOBUFS;
    }
    struct waiting *waiting = malloc(sizeof *waiting + size);
    if (waiting == NULL) {
        return -ENOBUFS;
    }
    waiting->next = NULL;
    waiting->size = size;
    memcpy(waiting->bytes, bytes, size);
    if (control->first == NULL) {
        control->first = waiting;
    } else {
        control->last->next = waiting;
    }
    control->last = waiting;
    control->count++;
    control->queued_bytes += size;
    return 0;
}

/* 0; -EAGAIN where the socket is full; -EPIPE. */
static int transmit(struct ck_control *control, const uint8_t *bytes, size_t size)
{
    for (;;) {
        if (send(control->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
            return 0;
        }
        if (errno != EINTR) {
            return errno == EAGAIN || errno == ENOBUFS ? -EAGAIN : -EPIPE;
        }
    }
}

int ck_control_send(struct ck_control *control, const struct ck_worker_message *message,
                    bool may_leave_out)
{
    size_t size = 0;
    const char *field = NULL;
    if (ck_worker_encode(message, control->out, sizeof control->out, &size, &field) != CK_OK) {
        return CK_E_INVALID;
    }
    int error = control->first == NULL ? transmit(control, control->out, size) : -EAGAIN;
    if (error != -EAGAIN) {
        return error;
    }
    return may_leave_out ? 0 : push(control, control->out, size);
}

bool ck_control_waiting(const struct ck_control *control)
{
    return control->first != NULL;
}

int ck_control_flush(struct ck_control *control)
{
    while (control->first != NULL) {
        struct waiting *waiting = control->first;
        int error = transmit(control, waiting->bytes, waiting->size);
        if (error != 0) {
            return error == -EAGAIN ? 0 : error;
        }
        control->first = waiting->next;
        control->count--;
        control->queued_bytes -= waiting->size;
        free(waiting);
    }
    return 0;
}
