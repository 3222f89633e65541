/* A store with a caseload in bulk, for benchmarks: written by SQL in seconds where the engine would
 * take hours. Ends the program where the store refuses. */
#ifndef TESTS_BENCH_CASELOAD_H
#define TESTS_BENCH_CASELOAD_H

#include <stdbool.h>
#include <stdint.h>

/* Ids of what falls due: the number within the peak is added. */
#define CK_CASELOAD_GRACE 100000000
#define CK_CASELOAD_RING 200000000

struct ck_peak {
    int64_t persons;   /* in the store; at least twice as many as are due where others ring */
    int64_t due;       /* how many ends of grace */
    int64_t base_ms;   /* when the first one falls due */
    int64_t spread_ms; /* over so long, evenly */
    bool rings;        /* as many check-ins of others begin to ring */
};

/* A new store: an inspector for 500 persons, an order and a plan each, and a check-in each that is
 * planned for another day. */
void ck_caseload_make(const char *path, int64_t persons);

/* Check-ins that rang, reached their person, could be answered all the time, and whose grace ends
 * in the peak; spread over the persons. Nobody has more than one thing in the peak: who is rung is
 * not among those whose grace ends. */
void ck_caseload_peak(const char *path, const struct ck_peak *peak);

/* When number `number` of a peak falls due. */
int64_t ck_peak_at_ms(const struct ck_peak *peak, int64_t number);

#endif
