/* Many incidents at once: one digest a recipient instead of hundreds of messages, and a look at
 * ourselves first. */
#ifndef SCHEDULER_STORM_H
#define SCHEDULER_STORM_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/time.h"
#include "scheduler/effects.h"

struct ck_storm_policy {
    uint32_t incidents; /* so many opened (UINT32_MAX: nothing is ever a storm) … */
    int64_t window_ms;  /* … in so short a time are a storm; it is over at half as many */
    int64_t digest_ms;  /* a recipient gets a digest at most this often */
};

struct ck_storm {
    bool on;
    struct ck_wall since; /* of the present storm; 0: none */
};

struct ck_storm_policy ck_storm_policy_default(void);
const char *ck_storm_policy_fault(const struct ck_storm_policy *policy);

/* With what was opened in the last window_ms. A storm that begins is a fact and opens one SYSTEM
 * incident: its common cause may be us. Digests delay; nothing is dropped, and the top severity
 * never waits. */
void ck_storm_step(const struct ck_storm *row, uint32_t opened,
                   const struct ck_storm_policy *policy, struct ck_wall now, struct ck_storm *next,
                   struct ck_effects *effects);

/* When a recipient's next digest may go, whose last one went at `last` (0: none yet). */
struct ck_wall ck_storm_digest_at(struct ck_wall last, const struct ck_storm_policy *policy,
                                  struct ck_wall now);

/* Order within a digest: by severity, then the older first. */
struct ck_digest_line {
    enum ck_severity severity;
    struct ck_wall opened_at;
};
bool ck_digest_before(const struct ck_digest_line *a, const struct ck_digest_line *b);

#endif
