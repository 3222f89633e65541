/* The UDP sockets of a worker: one a family for all peers, read and written in batches. */
#ifndef MEDIA_TRANSPORT_UDP_H
#define MEDIA_TRANSPORT_UDP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "media/transport/packet.h"
#include "media/transport/tuples.h"

#define CK_UDP_BATCH 64
#define CK_UDP_AHEAD 4                         /* datagrams */
#define CK_UDP_SOCKET_BUFFER (8 * 1024 * 1024) /* asked for; the kernel may give less */

struct ck_udp_address {
    uint8_t family; /* 4, 6; 0: none */
    uint8_t bytes[16];
    uint16_t port;
};

struct ck_udp;

/* Binds a non-blocking socket. 0, -EADDRINUSE and the other errors of socket() and bind(), -ENOMEM.
 */
int ck_udp_create(struct ck_udp **udp, const struct ck_udp_address *address,
                  struct ck_packet_pool *pool);
void ck_udp_destroy(struct ck_udp *udp); /* NULL is taken */

int ck_udp_fd(const struct ck_udp *udp);
uint16_t ck_udp_port(const struct ck_udp *udp); /* the bound one */
/* Datagrams that the kernel threw away because we were slow, since the start. */
uint64_t ck_udp_lost(const struct ck_udp *udp);

/* Reads at most CK_UDP_BATCH datagrams, filling in `arrival`, and gives each with its path to
 * `take`, which must call ck_packet_keep() for one that it wants to own. Datagrams longer than
 * CK_RTP_PACKET_MAX are given with size 0. Returns how many, 0 where nothing waits, or -errno. */
typedef void ck_udp_take(void *user, struct ck_packet *packet, const struct ck_path *path);
/* Is shown each datagram before it is taken, CK_UDP_AHEAD times, with `steps` from CK_UDP_AHEAD
 * down to 1; as far as there are datagrams in front of it, one of them is taken after each look.
 * May set `hint`. */
typedef void ck_udp_look(void *user, struct ck_packet *packet, const struct ck_path *path,
                         unsigned steps);
int ck_udp_receive(struct ck_udp *udp, struct ck_mono now, ck_udp_look *look, ck_udp_take *take,
                   void *user);

struct ck_udp_counts {
    uint64_t packets;
    uint64_t bytes;
    uint64_t failed; /* not taken by the kernel */
};

/* Puts a packet, of which it becomes an owner, into the outgoing batch; sends the batch when it is
 * full. */
void ck_udp_queue(struct ck_udp *udp, const struct ck_path *path, struct ck_packet *packet);
/* Sends what is in the batch. What the kernel does not take is lost, like anything on a network. */
void ck_udp_flush(struct ck_udp *udp);
struct ck_udp_counts ck_udp_sent(const struct ck_udp *udp);

#endif
