#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/render/rendering.h"

#define WAIT_MS 240000 /* many parts, under ThreadSanitizer */

void rendering_start(struct rendering *rendering)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    rendering->pid = fork();
    assert_true(rendering->pid >= 0);
    if (rendering->pid == 0) {
        char option[40];
        int fd = dup(pair[1]); /* without CLOEXEC */
        snprintf(option, sizeof option, "--control-fd=%d", fd);
        execl(CK_BUILD_DIR "/bin/checkin-render", "checkin-render", option, (char *)NULL);
        _exit(127);
    }
    close(pair[1]);
    rendering->fd = pair[0];
    struct ck_render_message ready;
    assert_true(rendering_answer(rendering, &ready));
    assert_int_equal(ready.kind, CK_RENDER_READY);
    assert_int_equal(ready.ready.version, CK_RENDER_VERSION);
}

int rendering_stop(struct rendering *rendering)
{
    int status;
    close(rendering->fd);
    assert_int_equal(waitpid(rendering->pid, &status, 0), rendering->pid);
    return status;
}

void rendering_send(struct rendering *rendering, const void *bytes, size_t size, const int *fds,
                    size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(CK_RENDER_FDS_MAX * sizeof(int))];
    } room;
    char copy[CK_RENDER_MESSAGE_MAX + 1000];
    memcpy(copy, bytes, size);
    struct iovec part = {copy, size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        memset(&room, 0, sizeof room);
        header.msg_control = room.bytes;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *c = &room.align;
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(c), fds, count * sizeof(int));
    }
    assert_int_equal(sendmsg(rendering->fd, &header, MSG_NOSIGNAL), size);
}

void rendering_order(struct rendering *rendering, const struct ck_render_message *job,
                     const int *fds)
{
    uint8_t bytes[CK_RENDER_MESSAGE_MAX];
    size_t size;
    assert_int_equal(ck_render_encode(job, bytes, sizeof bytes, &size), 0);
    rendering_send(rendering, bytes, size, fds, ck_render_fds(job));
}

bool rendering_answer(struct rendering *rendering, struct ck_render_message *answer)
{
    struct pollfd poll_fd = {.fd = rendering->fd, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, WAIT_MS), 1);
    ssize_t got = recv(rendering->fd, rendering->bytes, sizeof rendering->bytes, 0);
    if (got <= 0) {
        return false;
    }
    assert_int_equal(ck_render_decode(rendering->bytes, (size_t)got, answer), 0);
    return true;
}

int rendering_file(const void *bytes, size_t size)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}
