/* A client that has no UDP: ICE over TCP (RFC 6544), the active side. Each packet has its length in
 * front (RFC 4571). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"
#include "tests/client/client_impl.h"

#define FRAME_HEAD 2
#define SOCKET_BUFFER (1 << 20)

int stream_open(const struct sockaddr_storage *server, int *out)
{
    int on = 1;
    int buffer = SOCKET_BUFFER;
    socklen_t size =
        server->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    ck_cleanup(ck_closep) int fd = socket(server->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        connect(fd, (const struct sockaddr *)server, size) != 0) {
        return -errno;
    }
    *out = ck_take_fd(&fd);
    return 0;
}

bool stream_send(int socket, const void *data, size_t size)
{
    uint8_t frame[FRAME_HEAD + DATAGRAM_MAX];
    ck_put_u16(frame, (uint16_t)size);
    memcpy(frame + FRAME_HEAD, data, size);
    return send(socket, frame, FRAME_HEAD + size, MSG_DONTWAIT | MSG_NOSIGNAL) ==
           (ssize_t)(FRAME_HEAD + size);
}

static uint64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

bool stream_read(struct stream *stream, int socket,
                 void (*take)(void *arg, uint8_t *data, size_t size, uint64_t arrived_ns),
                 void *arg)
{
    ssize_t size = recv(socket, stream->bytes + stream->size, sizeof stream->bytes - stream->size,
                        MSG_DONTWAIT);
    if (size <= 0) {
        return size < 0 && (errno == EAGAIN || errno == EINTR);
    }
    stream->size += (size_t)size;
    size_t at = 0;
    while (stream->size - at >= FRAME_HEAD) {
        size_t length = ck_get_u16(stream->bytes + at);
        if (stream->size - at < FRAME_HEAD + length) {
            break;
        }
        take(arg, stream->bytes + at + FRAME_HEAD, length, wall_ns());
        at += FRAME_HEAD + length;
    }
    stream->size -= at;
    memmove(stream->bytes, stream->bytes + at, stream->size);
    return true;
}
