/* One run of synthetic 1-to-1 calls (50 packets of 80 bytes and 68 of 1,100 a second each way)
 * through one server, and what it cost: checkin-media, the bare loop (floor.h) or Janus (janus.h).
 * The clients and their traffic are the same for all three. */
#ifndef TESTS_BENCH_RUNS_H
#define TESTS_BENCH_RUNS_H

#include <stdbool.h>

#include "tests/bench/figure.h"

#define CK_RUN_CALLS_MAX 1000
#define CK_RUN_CALL_PACKETS 236 /* a second and call, both ways */

struct ck_run {
    unsigned calls;     /* at most CK_RUN_CALLS_MAX */
    int seconds;        /* of the measurement */
    bool record;        /* both persons of each call (not the floor) */
    bool gso;           /* the floor alone: runs of equal packets to one peer in one send */
    const char *folder; /* of the recordings */
};

struct ck_run_outcome {
    double us_per_packet;        /* CPU of the server's process, per relayed packet */
    double client_us_per_packet; /* CPU of the clients: equal work for every server */
    double loss_percent;
    double packets_per_s;
    double p50_us; /* relay latency, by the kernel's receive time */
    double p99_us;
    double late_us; /* what a client read lay in its socket for so long, at most */
    double turn_us; /* longest turn of checkin-media's packet loop; 0: another server */
    double kib_per_call;
    unsigned threads;
    double core_percent;
    struct ck_figure_machine other; /* during the measurement: not ours */
    bool failed;                    /* what arrived was wrong, or the server ended badly */
};

struct ck_run_outcome ck_run_worker(const struct ck_run *run);
struct ck_run_outcome ck_run_floor(const struct ck_run *run);
/* In the namespace of ck_janus_namespace(). */
struct ck_run_outcome ck_run_janus(const struct ck_run *run);

#endif
