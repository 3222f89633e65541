/* The two SRTP implementations against each other: what one relayed packet costs in ciphers. */
#ifndef TESTS_BENCH_SIBLINGS_H
#define TESTS_BENCH_SIBLINGS_H

#include "media/srtp.h"

/* CPU microseconds of unprotect and protect of one packet (68 of 1,100 bytes to 50 of 80) with
 * AEAD_AES_128_GCM, going round `sessions` pairs of keys. Negative where one cannot be made. */
double ck_siblings_us(const struct ck_srtp_engine *engine, unsigned sessions, unsigned packets);

#endif
