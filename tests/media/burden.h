/* A share of memory between a test and burden.c in the worker: how long each datagram received
 * keeps the packet loop busy. */
#ifndef TESTS_MEDIA_BURDEN_H
#define TESTS_MEDIA_BURDEN_H

#include <stdint.h>

#define CK_BURDEN_FILE "CK_BURDEN_FILE" /* in the environment: its path */

struct ck_burden {
    _Atomic uint32_t ns_per_datagram;
};

#endif
