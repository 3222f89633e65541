#include "media/transport/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/base/cleanup.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Room for one control message with our own address, and for the drop counter on the way in. */
struct control {
    alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
                                       CMSG_SPACE(sizeof(uint32_t))];
};

struct ck_udp {
    int fd;
    uint8_t family;
    bool wildcard; /* then our own address comes and goes with each datagram */
    uint16_t port;
    struct ck_packet_pool *pool;
    uint64_t lost;
    uint32_t lost_seen;
    struct mmsghdr in[CK_UDP_BATCH];
    struct iovec in_iov[CK_UDP_BATCH];
    union address in_name[CK_UDP_BATCH];
    struct control in_control[CK_UDP_BATCH];
    struct ck_packet *in_packets[CK_UDP_BATCH];
    struct ck_path in_paths[CK_UDP_BATCH];
    unsigned out_count;
    struct ck_udp_counts sent;
    struct mmsghdr out[CK_UDP_BATCH];
    struct iovec out_iov[CK_UDP_BATCH];
    union address out_name[CK_UDP_BATCH];
    struct control out_control[CK_UDP_BATCH];
    struct ck_packet *out_packets[CK_UDP_BATCH];
};

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++) {
        all |= bytes[i];
    }
    return all == 0;
}

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : -errno;
}

static int bind_socket(struct ck_udp *udp, const struct ck_udp_address *address)
{
    union address name = {0};
    socklen_t size;
    if (address->family == 4) {
        name.v4.sin_family = AF_INET;
        name.v4.sin_port = htons(address->port);
        memcpy(&name.v4.sin_addr, address->bytes, 4);
        size = sizeof name.v4;
    } else {
        name.v6.sin6_family = AF_INET6;
        name.v6.sin6_port = htons(address->port);
        memcpy(&name.v6.sin6_addr, address->bytes, 16);
        size = sizeof name.v6;
    }
    if (bind(udp->fd, &name.any, size) != 0 || getsockname(udp->fd, &name.any, &size) != 0) {
        return -errno;
    }
    udp->port = ntohs(address->family == 4 ? name.v4.sin_port : name.v6.sin6_port);
    return 0;
}

static int set_options(struct ck_udp *udp)
{
    int error = set(udp->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (error == 0 && udp->family == 6) {
        error = set(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    if (error == 0 && udp->wildcard) {
        error = udp->family == 4 ? set(udp->fd, IPPROTO_IP, IP_PKTINFO, 1)
                                 : set(udp->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    }
    /* Larger buffers are welcome, not needed: the privileged way first, then what is allowed. */
    if (set(udp->fd, SOL_SOCKET, SO_RCVBUFFORCE, CK_UDP_SOCKET_BUFFER) != 0) {
        (void)set(udp->fd, SOL_SOCKET, SO_RCVBUF, CK_UDP_SOCKET_BUFFER);
    }
    if (set(udp->fd, SOL_SOCKET, SO_SNDBUFFORCE, CK_UDP_SOCKET_BUFFER) != 0) {
        (void)set(udp->fd, SOL_SOCKET, SO_SNDBUF, CK_UDP_SOCKET_BUFFER);
    }
    return error;
}

void ck_udp_destroy(struct ck_udp *udp)
{
    if (udp == NULL) {
        return;
    }
    for (unsigned i = 0; i < CK_UDP_BATCH; i++) {
        ck_packet_drop(udp->pool, udp->in_packets[i]);
    }
    for (unsigned i = 0; i < udp->out_count; i++) {
        ck_packet_drop(udp->pool, udp->out_packets[i]);
    }
    if (udp->fd >= 0) {
        close(udp->fd);
    }
    free(udp);
}

static void udp_freep(struct ck_udp **udp)
{
    ck_udp_destroy(*udp);
}

static int prepare_batches(struct ck_udp *udp)
{
    for (unsigned i = 0; i < CK_UDP_BATCH; i++) {
        udp->in_packets[i] = ck_packet_get(udp->pool);
        if (udp->in_packets[i] == NULL) {
            return -ENOMEM;
        }
        udp->in[i].msg_hdr = (struct msghdr){
            .msg_name = &udp->in_name[i],
            .msg_iov = &udp->in_iov[i],
            .msg_iovlen = 1,
        };
        udp->out[i].msg_hdr = (struct msghdr){
            .msg_name = &udp->out_name[i],
            .msg_iov = &udp->out_iov[i],
            .msg_iovlen = 1,
        };
    }
    return 0;
}

int ck_udp_create(struct ck_udp **udp, const struct ck_udp_address *address,
                  struct ck_packet_pool *pool)
{
    ck_cleanup(udp_freep) struct ck_udp *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->family = address->family;
    made->wildcard = is_zero(address->bytes, address->family == 4 ? 4 : 16);
    made->pool = pool;
    made->fd = socket(address->family == 4 ? AF_INET : AF_INET6,
                      SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made->fd < 0) {
        return -errno;
    }
    int error = set_options(made);
    if (error == 0) {
        error = bind_socket(made, address);
    }
    if (error == 0) {
        error = prepare_batches(made);
    }
    if (error == 0) {
        *udp = ck_take(made);
    }
    return error;
}

int ck_udp_fd(const struct ck_udp *udp)
{
    return udp->fd;
}

uint16_t ck_udp_port(const struct ck_udp *udp)
{
    return udp->port;
}

uint64_t ck_udp_lost(const struct ck_udp *udp)
{
    return udp->lost;
}

struct ck_udp_counts ck_udp_sent(const struct ck_udp *udp)
{
    return udp->sent;
}

static void read_control(struct ck_udp *udp, struct msghdr *header, struct ck_path *path)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            uint32_t lost;
            memcpy(&lost, CMSG_DATA(c), sizeof lost);
            udp->lost += lost - udp->lost_seen;
            udp->lost_seen = lost;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(path->local, &info.ipi_addr, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(path->local, &info.ipi6_addr, 16);
        }
    }
}

static struct ck_path path_of(struct ck_udp *udp, unsigned i)
{
    struct ck_path path = {.family = udp->family};
    const union address *name = &udp->in_name[i];
    if (udp->family == 4) {
        path.port = ntohs(name->v4.sin_port);
        memcpy(path.remote, &name->v4.sin_addr, 4);
    } else {
        path.port = ntohs(name->v6.sin6_port);
        memcpy(path.remote, &name->v6.sin6_addr, 16);
        path.scope = name->v6.sin6_scope_id;
    }
    read_control(udp, &udp->in[i].msg_hdr, &path);
    return path;
}

/* No packet is free to receive into: what waits is read and forgotten, so that the loop does not
 * spin on it. */
static int discard(struct ck_udp *udp)
{
    uint8_t byte;
    for (unsigned i = 0; i < CK_UDP_BATCH && recv(udp->fd, &byte, 1, 0) >= 0; i++) {
        udp->lost++;
    }
    return 0;
}

/* Looks at what comes CK_UDP_AHEAD to one datagrams behind the one at `at`, which may be before the
 * first. */
static void look_ahead(struct ck_udp *udp, int at, int count, ck_udp_look *look, void *user)
{
    for (int steps = CK_UDP_AHEAD; steps > 0; steps--) {
        int i = at + steps;
        if (i >= 0 && i < count) {
            look(user, udp->in_packets[i], &udp->in_paths[i], (unsigned)steps);
        }
    }
}

static void give(struct ck_udp *udp, unsigned i, ck_udp_take *take, void *user)
{
    struct ck_packet *packet = ck_take(udp->in_packets[i]);
    take(user, packet, &udp->in_paths[i]);
    if (packet->owners == 1) {
        udp->in_packets[i] = packet; /* not wanted: ready for the next */
    } else {
        ck_packet_drop(udp->pool, packet);
    }
}

int ck_udp_receive(struct ck_udp *udp, struct ck_mono now, ck_udp_look *look, ck_udp_take *take,
                   void *user)
{
    unsigned ready = 0;
    for (; ready < CK_UDP_BATCH; ready++) {
        if (udp->in_packets[ready] == NULL) {
            udp->in_packets[ready] = ck_packet_get(udp->pool);
            if (udp->in_packets[ready] == NULL) {
                break;
            }
        }
        struct msghdr *header = &udp->in[ready].msg_hdr;
        header->msg_namelen = sizeof udp->in_name[ready];
        header->msg_control = &udp->in_control[ready];
        header->msg_controllen = sizeof udp->in_control[ready];
        udp->in_iov[ready] =
            (struct iovec){udp->in_packets[ready]->data, sizeof udp->in_packets[ready]->data};
    }
    if (ready == 0) {
        return discard(udp);
    }
    int count = recvmmsg(udp->fd, udp->in, ready, 0, NULL);
    if (count < 0) { /* an ICMP error of some peer is nobody's matter, and want of memory passes */
        bool passes = errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ||
                      errno == ENOMEM || errno == ENOBUFS;
        return passes ? 0 : -errno;
    }
    for (unsigned i = 0; i < (unsigned)count; i++) {
        struct ck_packet *packet = udp->in_packets[i];
        bool fits = udp->in[i].msg_len <= CK_RTP_PACKET_MAX &&
                    (udp->in[i].msg_hdr.msg_flags & MSG_TRUNC) == 0;
        packet->size = fits ? udp->in[i].msg_len : 0;
        packet->arrival = now;
        packet->hint = 0;
        udp->in_paths[i] = path_of(udp, i);
    }
    for (int i = -CK_UDP_AHEAD; i < count; i++) {
        look_ahead(udp, i, count, look, user);
        if (i >= 0) {
            give(udp, (unsigned)i, take, user);
        }
    }
    return count;
}

/* Our own address, where it is not always the same. */
static void write_source(struct ck_udp *udp, unsigned i, const struct ck_path *path)
{
    struct msghdr *header = &udp->out[i].msg_hdr;
    header->msg_control = NULL;
    header->msg_controllen = 0;
    if (!udp->wildcard) {
        return;
    }
    header->msg_control = &udp->out_control[i];
    if (udp->family == 4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, path->local, 4);
        header->msg_controllen = CMSG_SPACE(sizeof info);
        struct cmsghdr *c = CMSG_FIRSTHDR(header);
        *c = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
        memcpy(CMSG_DATA(c), &info, sizeof info);
    } else {
        struct in6_pktinfo info = {0};
        memcpy(&info.ipi6_addr, path->local, 16);
        header->msg_controllen = CMSG_SPACE(sizeof info);
        struct cmsghdr *c = CMSG_FIRSTHDR(header);
        *c = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
        memcpy(CMSG_DATA(c), &info, sizeof info);
    }
}

static void write_name(struct ck_udp *udp, unsigned i, const struct ck_path *path)
{
    union address *name = &udp->out_name[i];
    if (udp->family == 4) {
        name->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(path->port)};
        memcpy(&name->v4.sin_addr, path->remote, 4);
        udp->out[i].msg_hdr.msg_namelen = sizeof name->v4;
    } else {
        name->v6 = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = htons(path->port), .sin6_scope_id = path->scope};
        memcpy(&name->v6.sin6_addr, path->remote, 16);
        udp->out[i].msg_hdr.msg_namelen = sizeof name->v6;
    }
}

/* Neighbours to one peer as one send (UDP_SEGMENT) were tried: that saves next to nothing, see
 * `./dev bench media`. */
void ck_udp_queue(struct ck_udp *udp, const struct ck_path *path, struct ck_packet *packet)
{
    unsigned i = udp->out_count++;
    udp->out_iov[i] = (struct iovec){packet->data, packet->size};
    udp->out_packets[i] = ck_packet_keep(packet);
    write_name(udp, i, path);
    write_source(udp, i, path);
    if (udp->out_count == CK_UDP_BATCH) {
        ck_udp_flush(udp);
    }
}

static void count_sent(struct ck_udp *udp, unsigned from, unsigned until)
{
    for (unsigned i = from; i < until; i++) {
        udp->sent.bytes += udp->out_iov[i].iov_len;
    }
    udp->sent.packets += until - from;
}

void ck_udp_flush(struct ck_udp *udp)
{
    unsigned done = 0;
    while (done < udp->out_count) {
        int count = sendmmsg(udp->fd, udp->out + done, udp->out_count - done, 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) { /* the first one cannot go: it is lost, the others may still */
            udp->sent.failed++;
            done++;
            continue;
        }
        count_sent(udp, done, done + (unsigned)count);
        done += (unsigned)count;
    }
    for (unsigned i = 0; i < udp->out_count; i++) {
        ck_packet_drop(udp->pool, udp->out_packets[i]);
    }
    udp->out_count = 0;
}
