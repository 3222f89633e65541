/* The floor: a bare relay, one thread, one socket, that does nothing but receive, unprotect,
 * protect and send. What checkin-media costs beyond it is what it does beyond it. */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CK_FLOOR_KEYS_SIZE 56 /* AEAD_AES_128_GCM, laid out as DTLS-SRTP exports them */

struct ck_floor_leg {
    struct sockaddr_in address;       /* of the client */
    uint8_t keys[CK_FLOOR_KEYS_SIZE]; /* the client's key comes first */
    size_t peer;                      /* index of the leg that gets what this one sends */
};

/* Relays on `fd` (bound, non-blocking) until `stop_fd` becomes readable or reaches its end. Every
 * packet of leg i goes to legs[i].peer with header and payload unchanged. Packets from other
 * addresses, RTCP and packets that do not verify are dropped. With `gso`, neighbours to one peer of
 * one size (the last may be shorter) leave as one send with UDP_SEGMENT. 0 or -errno. */
int ck_floor_run(int fd, const struct ck_floor_leg *legs, size_t count, bool gso, int stop_fd);

/* The same four steps over and over on one key between sockets of this process, all caches hot: CPU
 * microseconds per packet, of 68 packets of 1,100 bytes to 50 of 80. Negative where sockets or
 * ciphers cannot be had. */
double ck_floor_hot(unsigned packets);

#endif
