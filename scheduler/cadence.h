/* From a band to a proposal: how often, when and how. A proposal only: an inspector makes the plan,
 * the order caps it, statute and court win. The table is the agency's policy, approved by a
 * supervisor. */
#ifndef SCHEDULER_CADENCE_H
#define SCHEDULER_CADENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/obligation.h"
#include "scheduler/plan.h"

struct ck_cadence {
    uint32_t contacts; /* video contacts … */
    uint32_t weeks; /* … in so many weeks; contacts of more than one week's rhythm fall on one date
                       each */
    bool random;    /* drawn in the window; otherwise at its start */
    int32_t start_min; /* window, local minutes */
    int32_t end_min;
    int64_t max_silence_ms;
    bool weekly_visit;      /* advice beside the plan: a visit a week */
    bool supervisor_review; /* … a supervisor looks at the case */
    bool case_conference; /* … and a conference with other services, and a safety plan by another
                             officer */
};

struct ck_cadence_table {
    struct ck_cadence bands[CK_BAND_COUNT];
};

#define CK_CADENCE_CONTACTS_MAX 7
#define CK_CADENCE_WEEKS_MAX 8

struct ck_cadence_table ck_cadence_default(void);

/* NULL, or the name of the first field that is not sound. *band is then the band. */
const char *ck_cadence_fault(const struct ck_cadence_table *table, enum ck_band *band);

/* What had to give way to the order. */
#define CK_CADENCE_FEWER UINT32_C(1)     /* fewer contacts than the band proposes */
#define CK_CADENCE_HOURS UINT32_C(2)     /* the window was cut to the order's hours */
#define CK_CADENCE_VOLUNTARY UINT32_C(4) /* the order requires no video contact: voluntary */
#define CK_CADENCE_FIXED UINT32_C(8)     /* too little room to draw in: at a fixed time */

/* Fills a plan (rule, windows, draws, mandatory, dates, tail, silence, band; ids and person are the
 * caller's and cleared) that passes ck_plan_check() and ck_obligation_check(). `first` is the first
 * date wished, `tail_ms` that of the check-in policy. 0 and the mask of what gave way;
 * CK_E_NOT_FOUND where the order leaves no room at all. */
int ck_cadence_propose(const struct ck_cadence_table *table, enum ck_band band,
                       const struct ck_order *order, struct ck_date first, int64_t tail_ms,
                       struct ck_plan *plan, uint32_t *gave_way);

#endif
