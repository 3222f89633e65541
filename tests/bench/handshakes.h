/* The floor of a set-up: nothing but the DTLS 1.2 handshakes of a call's two legs, by OpenSSL as it
 * comes, one after the other over one socket. No ICE, no SDP, no SRTP, no packet relayed, no state.
 *
 * Server and client each have a P-256 certificate and X25519 as their first group, as a worker and
 * a browser do. The server is a process of its own, so that its CPU time is known. */
#ifndef TESTS_BENCH_HANDSHAKES_H
#define TESTS_BENCH_HANDSHAKES_H

struct ck_handshakes_outcome {
    double cpu_ms;   /* of the server, per call: two handshakes */
    unsigned failed; /* calls */
};

/* `calls` of them, `rate` a second; rate 0: back to back. Everything that only a broken machine
 * could cause ends the program with a message. */
struct ck_handshakes_outcome ck_handshakes_run(unsigned calls, unsigned rate);

/* The server's side of one such handshake over and over, both ends in this process and no socket
 * between them, all caches hot: CPU milliseconds for one, in the fastest of ten rounds. It says how
 * fast the machine is. */
double ck_handshakes_hot(unsigned handshakes);

#endif
