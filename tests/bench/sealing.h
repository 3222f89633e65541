/* How fast recordings are sealed and verified, beside plain AES-256-GCM and SHA-256 over the same
 * bytes in the same run, in turns. */
#ifndef TESTS_BENCH_SEALING_H
#define TESTS_BENCH_SEALING_H

#include <stdbool.h>

/* Prints the figures (figure.h) in MiB per CPU second; false where sealing misses its target. */
bool ck_bench_sealing(void);

#endif
