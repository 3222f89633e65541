#include "media/render/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/base/error.h"

/* What the kernel can hand over at once, so that a sender's surplus is seen and closed. */
#define RECEIVED_MAX (CK_RENDER_FDS_MAX + 1)

int ck_control_check(int fd)
{
    int type;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
        return -errno;
    }
    return type == SOCK_SEQPACKET ? 0 : -EPROTOTYPE;
}

static size_t take_fds(struct msghdr *header, int fds[static RECEIVED_MAX])
{
    size_t count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            n = n < RECEIVED_MAX - count ? n : RECEIVED_MAX - count;
            memcpy(fds + count, CMSG_DATA(c), n * sizeof(int));
            count += n;
        }
    }
    return count;
}

int ck_control_receive(int fd, uint8_t *bytes, struct ck_render_message *message,
                       int fds[static CK_RENDER_FDS_MAX])
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(RECEIVED_MAX * sizeof(int))];
    } room;
    struct iovec part = {bytes, CK_RENDER_MESSAGE_MAX};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = room.bytes,
                            .msg_controllen = sizeof room.bytes};
    ssize_t size;
    do {
        size = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    if (size <= 0) {
        return size == 0 || errno == ECONNRESET ? CK_E_NOT_FOUND : -errno;
    }
    int received[RECEIVED_MAX];
    size_t count = take_fds(&header, received);
    int r = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0
                ? CK_E_LIMIT
                : ck_render_decode(bytes, (size_t)size, message);
    if (r == 0 && (count != ck_render_fds(message) || message->kind >= CK_RENDER_READY)) {
        r = CK_E_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        if (r != 0) {
            close(received[i]);
        } else {
            fds[i] = received[i];
        }
    }
    return r;
}

int ck_control_send(int fd, const struct ck_render_message *message)
{
    uint8_t bytes[CK_RENDER_MESSAGE_MAX];
    size_t size;
    int r = ck_render_encode(message, bytes, sizeof bytes, &size);
    if (r != 0) {
        return -EINVAL;
    }
    ssize_t sent;
    do {
        sent = send(fd, bytes, size, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}
