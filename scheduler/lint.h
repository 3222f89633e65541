/* Ladders that reach nobody: what to tell a supervisor before a ladder is used, and every week
 * after. */
#ifndef SCHEDULER_LINT_H
#define SCHEDULER_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/incident.h"

/* Who each step would reach over the time ahead, sampled by the engine (every hour of the next two
 * weeks, say). */
struct ck_lint_sample {
    struct ck_ladder_roster roster;
};

enum ck_lint_reason {
    CK_LINT_STEP_REACHES_NOBODY = 0, /* never, in all samples */
    CK_LINT_STEP_HAS_GAPS,           /* sometimes nobody */
    CK_LINT_LAST_STEP_HAS_GAPS,      /* sometimes nobody in the step that repeats for ever */
    CK_LINT_NOBODY_AT_ALL,           /* at some time no step reaches anybody */
    CK_LINT_ONE_PERSON,              /* at some time all steps come to the same one person */
    CK_LINT_SAME_AS_BEFORE,          /* in all samples exactly the people of the step before */
    CK_LINT_ONLY_CONSOLE,            /* reaches only those who happen to look at a console */
    CK_LINT_SLOW, /* the last step comes later than CK_LINT_TOP_MS in the top band, CK_LINT_ANY_MS
                     otherwise */
    CK_LINT_REASON_COUNT,
};

#define CK_LINT_TOP_MS INT64_C(1800000)  /* 30 min */
#define CK_LINT_ANY_MS INT64_C(14400000) /* 4 h */

struct ck_lint_finding {
    enum ck_lint_reason reason;
    uint32_t step;
    uint32_t samples; /* how many samples show it; 0 where it does not depend on them */
};

#define CK_LINT_FINDINGS_MAX (CK_LADDER_STEPS_MAX * 4 + 4)

/* Looks at a ladder that is sound (ck_ladder_fault()). Returns how many findings there are. */
size_t ck_lint_ladder(const struct ck_ladder *ladder, enum ck_band band,
                      const struct ck_lint_sample *samples, size_t count,
                      struct ck_lint_finding findings[static CK_LINT_FINDINGS_MAX]);

/* Whether any step reaches anybody in this sample. */
bool ck_lint_anybody(const struct ck_ladder *ladder, const struct ck_lint_sample *sample);

const char *ck_lint_reason_text(enum ck_lint_reason reason);

#endif
