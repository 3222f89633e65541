/* A rig: one real checkin-media process, the control socket on which this program plays checkind,
 * and the clients that call through it. One thread; see tests/client/crowd.h.
 *
 * Everything the worker says is kept, in order, until the rig stops, and can be asked for by kind,
 * leg and event. Failures that only a broken machine could cause end the program with a message. */
#ifndef TESTS_MEDIA_RIG_H
#define TESTS_MEDIA_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/worker.h"
#include "tests/client/client.h"

#define CK_RIG_LEGS 16384 /* of one rig, in its life */
#define CK_RIG_ANY UINT64_MAX

struct ck_rig;

struct ck_rig_options {
    struct ck_worker_durations durations; /* zeros = the worker's defaults */
    uint32_t legs_max;                    /* 0 = 512 */
    uint32_t handshakes_max;              /* 0 = legs_max */
    uint32_t recordings_max;              /* 0 = legs_max */
    uint32_t ring_bytes_max;              /* 0 = 64 MiB */
    uint64_t memory_bytes_max;            /* 0 = no limit */
    bool v6;                              /* listen on ::1 as well */
    bool tcp;                             /* and take ICE over TCP */
    const char *preload;                  /* LD_PRELOAD of the worker; NULL = none */
};

/* Starts the worker, sends CONFIG and waits for READY. `options` may be NULL. */
int ck_rig_start(const struct ck_rig_options *options, struct ck_rig **rig);

/* Destroys the legs, closes the control socket, waits for the worker, and gives its wait status.
 * -ETIMEDOUT where it does not end within 10 s (it is killed then). Frees the rig. */
int ck_rig_stop(struct ck_rig *rig, int *status);

struct ck_crowd *ck_rig_crowd(struct ck_rig *rig);
pid_t ck_rig_pid(const struct ck_rig *rig);
/* kill() of the worker. */
void ck_rig_signal(struct ck_rig *rig, int number);
/* Waits up to 10 s for the worker to end without closing the control socket; its wait status. */
int ck_rig_wait_exit(struct ck_rig *rig, int *status);
/* The worker's media port on the loopback address, and that of ICE over TCP. */
struct sockaddr_storage ck_rig_tcp_address(const struct ck_rig *rig, bool v6);
struct sockaddr_storage ck_rig_media_address(const struct ck_rig *rig, bool v6);
/* The control socket, for orders that no honest checkind sends. */
int ck_rig_control(const struct ck_rig *rig);

/* Closes the control socket, as a checkind that died does. */
void ck_rig_end_control(struct ck_rig *rig);

/* Sends an order; `fd` (-1 = none) travels along and stays the caller's. */
void ck_rig_send(struct ck_rig *rig, const struct ck_worker_message *message, int fd);

/* The n-th (from 1) message of `kind` about `leg` (CK_RIG_ANY) with `event` (LEG_EVENT; 0 = any) so
 * far, or NULL. */
const struct ck_worker_message *ck_rig_find(const struct ck_rig *rig, uint16_t kind, uint64_t leg,
                                            uint16_t event, size_t nth);
size_t ck_rig_count(const struct ck_rig *rig, uint16_t kind, uint64_t leg, uint16_t event);

/* Turns the crowd until such a message is there; NULL where `timeout_ms` passed first. */
const struct ck_worker_message *ck_rig_await(struct ck_rig *rig, uint16_t kind, uint64_t leg,
                                             uint16_t event, size_t nth, int timeout_ms);

/* Shared by all clients of the rig. */
struct ck_identity *ck_rig_identity(struct ck_rig *rig);
const struct ck_clip *ck_rig_clip(struct ck_rig *rig, unsigned leg);

/* A client of `call` as `role`: config fields left zero are filled in. The offer is sent at once,
 * and the client gets the answer as soon as it comes. Gives the leg's number, from 1. */
uint64_t ck_rig_open(struct ck_rig *rig, uint64_t call, enum ck_worker_role role,
                     const struct ck_tclient_config *config);
/* A leg of somebody else's, whose offer is `offer`: its answer has to be taken from LEG_ANSWER. */
uint64_t ck_rig_open_foreign(struct ck_rig *rig, uint64_t call, enum ck_worker_role role,
                             const char *offer);
struct ck_tclient *ck_rig_client(struct ck_rig *rig, uint64_t leg);
const struct ck_tclient_stats *ck_rig_stats(struct ck_rig *rig, uint64_t leg);
/* What was wrong with the last answer of the leg; "" = nothing. */
const char *ck_rig_answer_fault(const struct ck_rig *rig, uint64_t leg);

/* ICE restart: a new offer to the worker; the answer goes to the client. */
void ck_rig_restart(struct ck_rig *rig, uint64_t leg, bool new_port);
void ck_rig_close(struct ck_rig *rig, uint64_t leg);
void ck_rig_relay(struct ck_rig *rig, uint64_t call, bool on);
/* Ends a leg's client silently and forgets it. */
void ck_rig_drop_client(struct ck_rig *rig, uint64_t leg);

/* Both legs of a call (person 2n-1, staff 2n in the order of opening), relayed. `legs` gets their
 * numbers. */
void ck_rig_call(struct ck_rig *rig, uint64_t call, const struct ck_tclient_config *config,
                 uint64_t legs[2]);

/* Turns until every client that lives is connected by DTLS and has got its first packet. 0 or
 * CK_E_BUSY. */
int ck_rig_await_media(struct ck_rig *rig, int timeout_ms);
/* The state of all legs and all events so far, on standard error. */
void ck_rig_describe(const struct ck_rig *rig);
/* Turns for a while. */
void ck_rig_run(struct ck_rig *rig, int ms);
/* Stops all sending and turns until everything sent has come or nothing came for 300 ms. */
void ck_rig_settle(struct ck_rig *rig);

/* Marks lost between the two legs of a call, both kinds and directions, counted from each one's
 * first. */
uint64_t ck_rig_lost(struct ck_rig *rig, const uint64_t legs[2]);

/* What the kernel says of the worker. */
struct ck_rig_usage {
    double cpu_s; /* all threads, since its start */
    unsigned threads;
    uint64_t rss_kib;
    uint64_t pss_kib;
    uint64_t space_kib; /* of addresses */
};
struct ck_rig_usage ck_rig_usage(const struct ck_rig *rig);
/* The same of any process. */
struct ck_rig_usage ck_usage_of(pid_t pid);
/* How long a thread runs until another one is let in; 0 where the kernel does not say. */
uint64_t ck_usage_slice_ns(pid_t task);

#endif
