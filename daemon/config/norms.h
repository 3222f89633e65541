/* The agency's norm file of the risk score: what stands for a raw sum with items missing, where
 * the bands begin. Lines of words; "#" begins a comment:
 *
 *     version 2026-11                 # once, at most 40 characters without blanks
 *     source Order 12, annex 3        # once: where the figures come from
 *     missing_max 5                   # 0 to 12; with more missing there is no band
 *     band_from 0 1 2 3 4 5 7         # the lowest score of each of the seven bands
 *     prorated 0 0 1 2 … 13           # for 0 missing: the score of each raw sum from 0 to 13
 *     prorated 1 0 1 2 … 13           # for 1 missing: raw sums 0 to 12; and so on to missing_max
 *
 * Everything but comments is needed, and nothing else may stand there. Pure. */
#ifndef DAEMON_CONFIG_NORMS_H
#define DAEMON_CONFIG_NORMS_H

#include <stddef.h>

#include "scheduler/odara.h"

#define CK_NORMS_FILE_MAX 16384
#define CK_NORMS_VERSION_SIZE 41
#define CK_NORMS_SOURCE_SIZE 201

struct ck_norms {
    char version[CK_NORMS_VERSION_SIZE];
    char source[CK_NORMS_SOURCE_SIZE];
    struct ck_odara_norms odara;
};

struct ck_norms_fault {
    size_t line; /* 0: the file as a whole */
    char text[160];
};

/* What holds without a file: bands and proration in proportion, version "proportional". */
struct ck_norms ck_norms_proportional(void);

/* 0, or CK_E_INVALID with *fault and *norms untouched. */
int ck_norms_parse(const char *text, size_t size, struct ck_norms *norms,
                   struct ck_norms_fault *fault);

/* The same from a file. -errno where it cannot be read. */
int ck_norms_load(const char *path, struct ck_norms *norms, struct ck_norms_fault *fault);

#endif
