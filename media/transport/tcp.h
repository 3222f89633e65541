/* ICE over TCP for browsers whose network passes no UDP: the passive side (RFC 6544). They open a
 * connection to the worker; each packet on it has its length in front (RFC 4571). Above this it is
 * packets and paths, as with UDP.
 *
 * Anybody may connect, so everything has a cap, and who has not proved within CK_TCP_PROVE_MS to
 * belong to a leg is cut off. No call of the kernel is needed here that UDP does not need, but
 * accept4(). One thread. */
#ifndef MEDIA_TRANSPORT_TCP_H
#define MEDIA_TRANSPORT_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "media/transport/packet.h"
#include "media/transport/tuples.h"
#include "media/transport/udp.h"

#define CK_TCP_CONNECTIONS_MAX 512 /* of a worker; further ones are closed as they come */
#define CK_TCP_UNPROVEN_MAX 128    /* of them without a leg; likewise */
#define CK_TCP_PER_ADDRESS_MAX                                                                     \
    32                        /* from one address; likewise. A whole office may be behind it       \
                               */
#define CK_TCP_PROVE_MS 10000 /* from the connection to its first authenticated check */
#define CK_TCP_IDLE_MS 45000  /* without a packet; checks come every few seconds */
#define CK_TCP_IN_SIZE 4096   /* bytes of a connection that wait to become packets */
#define CK_TCP_OUT_SIZE 65536 /* that wait for the network; a packet beyond it is lost */

struct ck_tcp;

struct ck_tcp_use {
    struct ck_packet_pool *pool;
    ck_udp_take *take; /* as with UDP; path->connection is not 0 */
    /* A connection is gone; its number is never used again for another. */
    void (*gone)(void *user, const struct ck_path *path);
    void *user;
};

/* Without a socket yet. 0, -ENOMEM, or an error of epoll_create1(). */
int ck_tcp_create(struct ck_tcp **tcp, const struct ck_tcp_use *use);
void ck_tcp_destroy(struct ck_tcp *tcp); /* NULL is taken; says nothing */
/* Listens at the address; at most once a family. *port gets the bound one. 0 or -errno. */
int ck_tcp_listen(struct ck_tcp *tcp, const struct ck_udp_address *address, uint16_t *port);

/* Readable whenever ck_tcp_serve() has something to do. */
int ck_tcp_fd(const struct ck_tcp *tcp);
/* Takes connections and what came on them, and sends what waited. */
void ck_tcp_serve(struct ck_tcp *tcp, struct ck_mono now);
/* About once a second: cuts off who has had time enough. */
void ck_tcp_tick(struct ck_tcp *tcp, struct ck_mono now);

/* The path's connection belongs to a leg. */
void ck_tcp_prove(struct ck_tcp *tcp, const struct ck_path *path);
/* The path's connection belongs to no leg any more: what waits is sent as far as the network takes
 * it, and the connection is closed at the next flush. gone() is not called. */
void ck_tcp_release(struct ck_tcp *tcp, const struct ck_path *path);

/* Puts a packet behind what waits for the path's connection; what finds no room is lost. */
void ck_tcp_queue(struct ck_tcp *tcp, const struct ck_path *path, const struct ck_packet *packet);
void ck_tcp_flush(struct ck_tcp *tcp);

struct ck_udp_counts ck_tcp_sent(const struct ck_tcp *tcp);
unsigned ck_tcp_connections(const struct ck_tcp *tcp);

#endif
