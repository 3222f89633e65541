/* Our own health over time: what makes a missed call provable. Intervals without overlap; each says
 * what was well during all of it. Time that no interval covers was not well. */
#ifndef DAEMON_STORE_HEALTH_H
#define DAEMON_STORE_HEALTH_H

#include <stdint.h>

#include "daemon/store/store.h"

enum ck_health {
    CK_HEALTH_ENGINE = 1, /* decisions were less than CK_HEALTH_LAG_MS late */
    CK_HEALTH_PROBE = 2,  /* our own request over HTTPS was answered */
    CK_HEALTH_WORKER = 4, /* a media worker had room */
    CK_HEALTH_CLOCK = 8,  /* the clock was synchronised */
    CK_HEALTH_RELAY = 16, /* the TURN servers answered, or there are none */
};
#define CK_HEALTH_ALL 31

/* Reports further apart than this leave the time between them uncovered. */
#define CK_HEALTH_GAP_MAX_MS 15000
#define CK_HEALTH_LAG_MS 1000

/* A report: `bits` is well at `at`; `before` gets what the report before said, CK_HEALTH_ALL where
 * there was none or it is too old, 0 while the clock went back. Between two reports, what both had
 * counts. One of an instant that has passed already (the clock went back) takes away what was said
 * of the time from there on, and nothing counts until the clock has caught up. */
int ck_health_report(struct ck_store *store, struct ck_wall at, unsigned bits, unsigned *before);

/* A daemon begins to run at `at`: before its first report nothing is well, however soon it comes
 * after the last one of an earlier life. */
int ck_health_begin(struct ck_store *store, struct ck_wall at);

/* Milliseconds of [from, until) in which everything was well. */
int ck_health_answerable(struct ck_store *store, struct ck_wall from, struct ck_wall until,
                         int64_t *ms);

/* Removes intervals that ended before `until`. */
int ck_health_clean(struct ck_store *store, struct ck_wall until);

#endif
