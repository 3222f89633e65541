/* A bad network in user space: a UDP proxy that loses, delays, shuffles, doubles, throttles and
 * cuts off, by draws from a seed. The n-th datagram of a flow has the same fate in every run of the
 * same seed; only arrival times are the machine's.
 *
 * Clients send to the proxy's address; each of their addresses becomes a flow with a socket of its
 * own towards the server, as behind a NAT. Runs on a crowd's thread. Not thread-safe. */
#ifndef TESTS_IMPAIR_IMPAIR_H
#define TESTS_IMPAIR_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "tests/client/crowd.h"

#define CK_IMPAIR_FLOWS 256 /* client addresses; datagrams of further ones are dropped */

enum ck_impair_direction {
    CK_IMPAIR_UP,   /* client to server */
    CK_IMPAIR_DOWN, /* server to client */
};

/* All zeros: a perfect link. Shares are between 0 and 1. */
struct ck_impair_rules {
    double loss;      /* share of datagrams that never arrive */
    double burst;     /* mean length of a run of losses; below 1 counts as 1: independent */
    double duplicate; /* share that arrives twice */
    double reorder;   /* share that is overtaken: held back by reorder_us more */
    int64_t reorder_us;
    int64_t delay_us;  /* of every datagram */
    int64_t jitter_us; /* up to so much more, order kept */
    double spike;      /* share that is held up, and what comes behind with it, by: */
    int64_t spike_us;
    uint64_t rate_bps;  /* of one flow, UDP payload; 0 = no limit */
    size_t queue_bytes; /* what waits for the rate; 0 = a quarter of a second's worth */
    bool blackout;      /* nothing passes */
};

/* What a script decides about one datagram, before the rules see it. */
enum ck_impair_verdict {
    CK_IMPAIR_PASS,
    CK_IMPAIR_DROP,
    CK_IMPAIR_TWICE,
    CK_IMPAIR_HOLD,  /* goes out after the next one of its flow and direction */
    CK_IMPAIR_MERGE, /* goes out in one datagram with the next one, in front of it */
};

struct ck_impair_stats {
    uint64_t passed;
    uint64_t lost;
    uint64_t doubled;
    uint64_t reordered;
    uint64_t throttled; /* the rate's queue was full */
    uint64_t bytes;
};

struct ck_impair_config {
    struct ck_crowd *crowd;
    uint64_t seed; /* print it */
    const struct sockaddr *server;
    struct ck_impair_rules rules[2]; /* by direction */
    /* May be NULL. `flow` counts from 0 in the order of appearance. */
    enum ck_impair_verdict (*script)(void *arg, enum ck_impair_direction direction, unsigned flow,
                                     const uint8_t *data, size_t size);
    void *arg;
};

struct ck_impair;

/* Binds a free port on the loopback address of the server's family. 0 or -errno. */
int ck_impair_create(const struct ck_impair_config *config, struct ck_impair **impair);
/* Takes NULL. What is on its way is lost. */
void ck_impair_destroy(struct ck_impair *impair);

/* Where clients send to. */
const struct sockaddr *ck_impair_address(const struct ck_impair *impair);

/* New rules for what arrives from now on. */
void ck_impair_set(struct ck_impair *impair, enum ck_impair_direction direction,
                   const struct ck_impair_rules *rules);

struct ck_impair_stats ck_impair_stats(const struct ck_impair *impair,
                                       enum ck_impair_direction direction);

#endif
