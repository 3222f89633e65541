/* Drawing anew what was waived: by a blackout that ends early or leaves room (S8), or in favour of
 * a plan that never begins (S2). */
#include "daemon/core/live_impl.h"

#define REDRAW_BATCH 64

static bool by_blackout(enum ck_cause cause)
{
    return cause == CK_CAUSE_WAIVED_COURT || cause == CK_CAUSE_WAIVED_HOSPITAL ||
           cause == CK_CAUSE_WAIVED_CUSTODY || cause == CK_CAUSE_WAIVED_ABSENCE ||
           cause == CK_CAUSE_WAIVED_BLACKOUT;
}

typedef int waived_list(struct ck_turn *turn, const void *of, int64_t after, int64_t *ids,
                        size_t *count);
typedef bool waived_for(enum ck_cause cause);

static int redraw(struct ck_turn *turn, waived_list *list, const void *of, waived_for *wanted,
                  int64_t *count)
{
    int64_t ids[REDRAW_BATCH], after = 0;
    size_t found = REDRAW_BATCH;
    int r = 0;
    *count = 0;
    while (r == 0 && found == REDRAW_BATCH) {
        r = list(turn, of, after, ids, &found);
        for (size_t i = 0; r == 0 && i < found; i++) {
            struct ck_checkin_row row;
            bool made = false;
            r = ck_checkin_load(turn->store, ids[i], &row);
            r = r == 0 && wanted(row.step.cause) ? ck_plan_redraw(turn, &row, &made) : r;
            *count += made;
            after = ids[i];
        }
    }
    return r;
}

struct of_person {
    int64_t person;
    struct ck_interval span;
};

static int list_of_person(struct ck_turn *turn, const void *of, int64_t after, int64_t *ids,
                          size_t *count)
{
    const struct of_person *which = of;
    return ck_checkin_waived_in(turn->store, which->person, which->span.from, which->span.until,
                                CK_PLAN_REDRAW_SLOT, after, ids, REDRAW_BATCH, count);
}

int ck_redraw_waived(struct ck_turn *turn, int64_t person, struct ck_interval span, int64_t *count)
{
    return redraw(turn, list_of_person, &(struct of_person){person, span}, by_blackout, count);
}

struct of_plan {
    int64_t plan;
    struct ck_date from;
};

static int list_of_plan(struct ck_turn *turn, const void *of, int64_t after, int64_t *ids,
                        size_t *count)
{
    const struct of_plan *which = of;
    return ck_checkin_waived_of(turn->store, which->plan, which->from, CK_PLAN_REDRAW_SLOT, after,
                                ids, REDRAW_BATCH, count);
}

static bool by_other_plan(enum ck_cause cause)
{
    return cause == CK_CAUSE_WAIVED_PLAN_CHANGED || by_blackout(cause);
}

int ck_redraw_of_plan(struct ck_turn *turn, int64_t plan, struct ck_date from, int64_t *count)
{
    return redraw(turn, list_of_plan, &(struct of_plan){plan, from}, by_other_plan, count);
}
