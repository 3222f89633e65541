#include "media/transport/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/base/bytes.h"
#include "protocol/base/cleanup.h"

#define EVENTS_PER_TURN 64
#define ACCEPTS_PER_TURN 16
#define READS_PER_TURN 4 /* of one connection: the others have their turn too */
#define BACKLOG 64
#define FRAME_HEAD 2
#define LISTENERS 2
#define LISTENER UINT32_MAX /* marks an event of a listener: its slot is the family's */
#define PAUSE_US 1000000    /* without accepting, where there is no descriptor left */

struct connection {
    int fd; /* -1: this place is free */
    bool proven;
    bool dirty;    /* there may be something to send, or it is to be closed */
    bool blocked;  /* the kernel takes no more: EPOLLOUT is awaited */
    bool released; /* to be closed once it is flushed */
    struct ck_path path;
    struct ck_mono opened;
    struct ck_mono heard;
    size_t in_size;
    uint8_t *in;
    size_t out_start;
    size_t out_end;
    uint8_t *out;
};

struct ck_tcp {
    struct ck_tcp_use use;
    int epoll;
    int listeners[LISTENERS];
    bool paused;
    struct ck_mono paused_at;
    struct ck_mono now;
    uint32_t numbers; /* connections so far: the upper bits of a path's number */
    unsigned count;
    unsigned unproven;
    bool any_dirty;
    struct ck_udp_counts sent;
    struct connection connections[CK_TCP_CONNECTIONS_MAX];
};

/* --- small things
 * ------------------------------------------------------------------------------ */

/* The number in a path: the slot in the low bits, and a count that makes it unique. */
#define SLOT_BITS 10
_Static_assert(CK_TCP_CONNECTIONS_MAX <= 1 << SLOT_BITS, "a slot fits its bits");

static struct connection *find(struct ck_tcp *tcp, const struct ck_path *path)
{
    uint32_t slot = path->connection & ((1u << SLOT_BITS) - 1);
    if (path->connection == 0 || slot >= CK_TCP_CONNECTIONS_MAX) {
        return NULL;
    }
    struct connection *connection = &tcp->connections[slot];
    return connection->fd >= 0 && connection->path.connection == path->connection ? connection
                                                                                  : NULL;
}

static void watch(struct ck_tcp *tcp, struct connection *connection, bool writing)
{
    struct epoll_event event = {
        .events = EPOLLIN | (writing ? EPOLLOUT : 0),
        .data.u64 = (uint64_t)(connection - tcp->connections),
    };
    connection->blocked = writing;
    (void)epoll_ctl(tcp->epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

static void drop(struct ck_tcp *tcp, struct connection *connection)
{
    close(connection->fd); /* which takes it out of the epoll set */
    free(connection->in);
    free(connection->out);
    tcp->unproven -= connection->proven ? 0 : 1;
    tcp->count--;
    *connection = (struct connection){.fd = -1};
}

/* Ends a connection of its own accord or the browser's. */
static void cut_off(struct ck_tcp *tcp, struct connection *connection)
{
    struct ck_path path = connection->path;
    bool told = connection->proven && !connection->released;
    drop(tcp, connection);
    if (told) {
        tcp->use.gone(tcp->use.user, &path);
    }
}

/* --- life
 * ---------------------------------------------------------------------------------------- */

int ck_tcp_create(struct ck_tcp **tcp, const struct ck_tcp_use *use)
{
    struct ck_tcp *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->use = *use;
    for (unsigned i = 0; i < LISTENERS; i++) {
        made->listeners[i] = -1;
    }
    for (unsigned i = 0; i < CK_TCP_CONNECTIONS_MAX; i++) {
        made->connections[i].fd = -1;
    }
    made->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (made->epoll < 0) {
        int error = -errno;
        free(made);
        return error;
    }
    *tcp = made;
    return 0;
}

void ck_tcp_destroy(struct ck_tcp *tcp)
{
    if (tcp == NULL) {
        return;
    }
    for (unsigned i = 0; i < CK_TCP_CONNECTIONS_MAX; i++) {
        if (tcp->connections[i].fd >= 0) {
            drop(tcp, &tcp->connections[i]);
        }
    }
    for (unsigned i = 0; i < LISTENERS; i++) {
        if (tcp->listeners[i] >= 0) {
            close(tcp->listeners[i]);
        }
    }
    close(tcp->epoll);
    free(tcp);
}

static int listen_on(struct ck_tcp *tcp, unsigned index)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)LISTENER << 32 | index};
    return epoll_ctl(tcp->epoll, EPOLL_CTL_ADD, tcp->listeners[index], &event) == 0 ? 0 : -errno;
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t name_of(const struct ck_udp_address *address, union address *name)
{
    if (address->family == 4) {
        name->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&name->v4.sin_addr, address->bytes, 4);
        return sizeof name->v4;
    }
    name->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
    memcpy(&name->v6.sin6_addr, address->bytes, 16);
    return sizeof name->v6;
}

/* Accepted sockets inherit the options. */
static int set_options(int fd, bool v6)
{
    int on = 1;
    bool good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
                (!v6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
    return good ? 0 : -errno;
}

int ck_tcp_listen(struct ck_tcp *tcp, const struct ck_udp_address *address, uint16_t *port)
{
    unsigned index = address->family == 4 ? 0 : 1;
    union address name = {0};
    socklen_t size = name_of(address, &name);
    ck_cleanup(ck_closep) int fd =
        socket(name.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    int error = set_options(fd, address->family == 6);
    if (error == 0 && (bind(fd, &name.any, size) != 0 || listen(fd, BACKLOG) != 0 ||
                       getsockname(fd, &name.any, &size) != 0)) {
        error = -errno;
    }
    if (error != 0) {
        return error;
    }
    *port = ntohs(address->family == 4 ? name.v4.sin_port : name.v6.sin6_port);
    tcp->listeners[index] = ck_take_fd(&fd);
    return listen_on(tcp, index);
}

int ck_tcp_fd(const struct ck_tcp *tcp)
{
    return tcp->epoll;
}

struct ck_udp_counts ck_tcp_sent(const struct ck_tcp *tcp)
{
    return tcp->sent;
}

unsigned ck_tcp_connections(const struct ck_tcp *tcp)
{
    return tcp->count;
}

/* --- new connections
 * ----------------------------------------------------------------------------- */

static struct ck_path path_of(const union address *name)
{
    struct ck_path path = {.family = name->any.sa_family == AF_INET ? 4 : 6};
    if (path.family == 4) {
        path.port = ntohs(name->v4.sin_port);
        memcpy(path.remote, &name->v4.sin_addr, 4);
    } else {
        path.port = ntohs(name->v6.sin6_port);
        memcpy(path.remote, &name->v6.sin6_addr, 16);
        path.scope = name->v6.sin6_scope_id;
    }
    return path;
}

/* A free place for a connection from there, NULL where a cap is reached. */
static struct connection *place_for(struct ck_tcp *tcp, const struct ck_path *path)
{
    struct connection *free_one = NULL;
    unsigned alike = 0;
    if (tcp->unproven >= CK_TCP_UNPROVEN_MAX) {
        return NULL;
    }
    for (unsigned i = 0; i < CK_TCP_CONNECTIONS_MAX; i++) {
        struct connection *at = &tcp->connections[i];
        if (at->fd < 0) {
            free_one = free_one == NULL ? at : free_one;
        } else {
            alike += at->path.family == path->family &&
                     memcmp(at->path.remote, path->remote, sizeof path->remote) == 0;
        }
    }
    return alike < CK_TCP_PER_ADDRESS_MAX ? free_one : NULL;
}

static void take_connection(struct ck_tcp *tcp, int fd, const union address *name)
{
    struct ck_path path = path_of(name);
    struct connection *connection = place_for(tcp, &path);
    uint8_t *in = connection == NULL ? NULL : malloc(CK_TCP_IN_SIZE);
    uint8_t *out = connection == NULL ? NULL : malloc(CK_TCP_OUT_SIZE);
    struct epoll_event event = {
        .events = EPOLLIN,
        .data.u64 = connection == NULL ? 0 : (uint64_t)(connection - tcp->connections),
    };
    if (in == NULL || out == NULL || epoll_ctl(tcp->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(in);
        free(out);
        close(fd);
        return;
    }
    tcp->numbers++;
    path.connection = tcp->numbers << SLOT_BITS | (uint32_t)event.data.u64;
    *connection = (struct connection){
        .fd = fd, .path = path, .opened = tcp->now, .heard = tcp->now, .in = in, .out = out};
    tcp->count++;
    tcp->unproven++;
}

/* Where no descriptor is left the listeners rest, as they would wake the loop for ever. */
static void pause_accepting(struct ck_tcp *tcp)
{
    for (unsigned i = 0; i < LISTENERS; i++) {
        if (tcp->listeners[i] >= 0) {
            (void)epoll_ctl(tcp->epoll, EPOLL_CTL_DEL, tcp->listeners[i], NULL);
        }
    }
    tcp->paused = true;
    tcp->paused_at = tcp->now;
}

static void accept_some(struct ck_tcp *tcp, unsigned index)
{
    for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
        union address name = {0};
        socklen_t size = sizeof name;
        int fd = accept4(tcp->listeners[index], &name.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_connection(tcp, fd, &name);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            pause_accepting(tcp);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

/* --- in
 * ------------------------------------------------------------------------------------------ */

static void give(struct ck_tcp *tcp, const struct ck_path *path, const uint8_t *bytes, size_t size)
{
    struct ck_packet *packet = ck_packet_get(tcp->use.pool);
    if (packet == NULL) {
        return; /* lost, as it would be on a network */
    }
    memcpy(packet->data, bytes, size);
    packet->size = (uint32_t)size;
    packet->arrival = tcp->now;
    tcp->use.take(tcp->use.user, packet, path);
    ck_packet_drop(tcp->use.pool, packet);
}

/* Gives the whole packets at the front. False where the stream is none of ours, or its connection
 * ended meanwhile. */
static bool take_frames(struct ck_tcp *tcp, struct connection *connection)
{
    struct ck_path path = connection->path; /* taking a packet may end the connection */
    size_t at = 0;
    while (connection->in_size - at >= FRAME_HEAD) {
        size_t size = ck_get_u16(connection->in + at);
        if (size == 0 || size > CK_RTP_PACKET_MAX) {
            cut_off(tcp, connection);
            return false;
        }
        if (connection->in_size - at < FRAME_HEAD + size) {
            break;
        }
        give(tcp, &path, connection->in + at + FRAME_HEAD, size);
        if (find(tcp, &path) == NULL || connection->released) {
            return false;
        }
        at += FRAME_HEAD + size;
        connection->heard = tcp->now;
    }
    connection->in_size -= at;
    memmove(connection->in, connection->in + at, connection->in_size);
    return true;
}

static void read_some(struct ck_tcp *tcp, struct connection *connection)
{
    for (unsigned i = 0; i < READS_PER_TURN; i++) {
        ssize_t size = recv(connection->fd, connection->in + connection->in_size,
                            CK_TCP_IN_SIZE - connection->in_size, 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (size <= 0) {
            cut_off(tcp, connection);
            return;
        }
        connection->in_size += (size_t)size;
        if (!take_frames(tcp, connection)) {
            return;
        }
    }
}

/* --- out
 * ----------------------------------------------------------------------------------------- */

void ck_tcp_queue(struct ck_tcp *tcp, const struct ck_path *path, const struct ck_packet *packet)
{
    struct connection *connection = find(tcp, path);
    size_t size = FRAME_HEAD + packet->size;
    if (connection == NULL || packet->size > CK_RTP_PACKET_MAX) {
        return;
    }
    if (CK_TCP_OUT_SIZE - connection->out_end < size) {
        connection->out_end -= connection->out_start;
        memmove(connection->out, connection->out + connection->out_start, connection->out_end);
        connection->out_start = 0;
    }
    if (CK_TCP_OUT_SIZE - connection->out_end < size) {
        tcp->sent.failed++;
        return;
    }
    ck_put_u16(connection->out + connection->out_end, (uint16_t)packet->size);
    memcpy(connection->out + connection->out_end + FRAME_HEAD, packet->data, packet->size);
    connection->out_end += size;
    connection->dirty = tcp->any_dirty = true;
    tcp->sent.packets++;
    tcp->sent.bytes += packet->size;
}

static void send_waiting(struct ck_tcp *tcp, struct connection *connection)
{
    connection->dirty = false;
    while (connection->out_start < connection->out_end) {
        ssize_t size = send(connection->fd, connection->out + connection->out_start,
                            connection->out_end - connection->out_start, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size < 0 && errno != EAGAIN) {
            cut_off(tcp, connection);
            return;
        }
        if (size < 0) {
            break;
        }
        connection->out_start += (size_t)size;
    }
    bool left = connection->out_start < connection->out_end;
    if (connection->released) {
        drop(tcp, connection);
        return;
    }
    if (!left) {
        connection->out_start = connection->out_end = 0;
    }
    if (left != connection->blocked) {
        watch(tcp, connection, left);
    }
}

void ck_tcp_flush(struct ck_tcp *tcp)
{
    if (!tcp->any_dirty) {
        return;
    }
    tcp->any_dirty = false;
    for (unsigned i = 0; i < CK_TCP_CONNECTIONS_MAX; i++) {
        struct connection *connection = &tcp->connections[i];
        if (connection->fd >= 0 && connection->dirty &&
            (!connection->blocked || connection->released)) {
            send_waiting(tcp, connection);
        }
    }
}

void ck_tcp_prove(struct ck_tcp *tcp, const struct ck_path *path)
{
    struct connection *connection = find(tcp, path);
    if (connection != NULL && !connection->proven) {
        connection->proven = true;
        tcp->unproven--;
    }
}

void ck_tcp_release(struct ck_tcp *tcp, const struct ck_path *path)
{
    struct connection *connection = find(tcp, path);
    if (connection != NULL) {
        connection->released = connection->dirty = tcp->any_dirty = true;
    }
}

/* --- time
 * ---------------------------------------------------------------------------------------- */

void ck_tcp_serve(struct ck_tcp *tcp, struct ck_mono now)
{
    struct epoll_event events[EVENTS_PER_TURN];
    tcp->now = now;
    int count = epoll_wait(tcp->epoll, events, EVENTS_PER_TURN, 0);
    for (int i = 0; i < count; i++) {
        uint32_t slot = (uint32_t)events[i].data.u64;
        if (events[i].data.u64 >> 32 == LISTENER) {
            accept_some(tcp, slot);
            continue;
        }
        struct connection *connection = &tcp->connections[slot];
        if (connection->fd >= 0 && (events[i].events & EPOLLOUT) != 0) {
            send_waiting(tcp, connection);
        }
        if (connection->fd >= 0 && (events[i].events & ~(uint32_t)EPOLLOUT) != 0) {
            read_some(tcp, connection);
        }
    }
}

void ck_tcp_tick(struct ck_tcp *tcp, struct ck_mono now)
{
    tcp->now = now;
    if (tcp->paused && now.us - tcp->paused_at.us >= PAUSE_US) {
        tcp->paused = false;
        for (unsigned i = 0; i < LISTENERS; i++) {
            if (tcp->listeners[i] >= 0) {
                (void)listen_on(tcp, i);
            }
        }
    }
    for (unsigned i = 0; i < CK_TCP_CONNECTIONS_MAX; i++) {
        struct connection *connection = &tcp->connections[i];
        if (connection->fd < 0) {
            continue;
        }
        int64_t since_us =
            now.us - (connection->proven ? connection->heard.us : connection->opened.us);
        if (since_us >= (connection->proven ? CK_TCP_IDLE_MS : CK_TCP_PROVE_MS) * INT64_C(1000)) {
            cut_off(tcp, connection);
        }
    }
}
