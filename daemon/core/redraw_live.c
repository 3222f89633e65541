/* Drawing anew what a blackout had waived, when the blackout ends early or leaves room (S8). */
#include "daemon/core/live_impl.h"

#define REDRAW_BATCH 64

static bool by_blackout(enum ck_cause cause)
{
    return cause == CK_CAUSE_WAIVED_COURT || cause == CK_CAUSE_WAIVED_HOSPITAL ||
           cause == CK_CAUSE_WAIVED_CUSTODY || cause == CK_CAUSE_WAIVED_ABSENCE ||
           cause == CK_CAUSE_WAIVED_BLACKOUT;
}

int ck_redraw_waived(struct ck_turn *turn, int64_t person, struct ck_interval span, int64_t *count)
{
    int64_t ids[REDRAW_BATCH], after = 0;
    size_t found = REDRAW_BATCH;
    int r = 0;
    *count = 0;
    while (r == 0 && found == REDRAW_BATCH) {
        r = ck_checkin_waived_in(turn->store, person, span.from, span.until, CK_PLAN_REDRAW_SLOT,
                                 after, ids, REDRAW_BATCH, &found);
        for (size_t i = 0; r == 0 && i < found; i++) {
            struct ck_checkin_row row;
            bool made = false;
            r = ck_checkin_load(turn->store, ids[i], &row);
            r = r == 0 && by_blackout(row.step.cause) ? ck_plan_redraw(turn, &row, &made) : r;
            *count += made;
            after = ids[i];
        }
    }
    return r;
}
