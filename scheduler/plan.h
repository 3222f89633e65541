/* The plan: the rule that makes check-ins, and how dates become due instants.
 *
 * date (recurrence.h) → windows of that date in the unit's zone (zone.h) → k equal buckets → one
 * draw from what is allowed of each bucket → occurrence. Dates are expanded once, in order, for a
 * rolling horizon; a date that passed while nothing ran is expanded all the same, so that no
 * obligation is lost. */
#ifndef SCHEDULER_PLAN_H
#define SCHEDULER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/error.h"
#include "protocol/base/time.h"
#include "scheduler/checkin.h"
#include "scheduler/date.h"
#include "scheduler/draw.h"
#include "scheduler/effects.h"
#include "scheduler/recurrence.h"
#include "scheduler/zone.h"

#define CK_PLAN_WINDOWS_MAX 4
#define CK_PLAN_DRAWS_MAX 6
#define CK_PLAN_FIXED_MAX 8
#define CK_PLAN_SLOTS_MAX (CK_PLAN_WINDOWS_MAX * CK_PLAN_DRAWS_MAX)
#define CK_PLAN_HORIZON_MAX_DAYS 62
/* Predictability: each draw has at least 30 minutes to choose from (S5). */
#define CK_PLAN_FLOOR_MS INT64_C(1800000)
/* A window that blackouts leave less choice than this is waived (S8). */
#define CK_PLAN_TRIM_MS INT64_C(300000)

/* Local minutes of the date; `end_min` up to 48 h, for a window that goes past midnight. */
struct ck_plan_window {
    int32_t start_min;
    int32_t end_min;
};

struct ck_plan {
    int64_t id;
    uint32_t version;
    int64_t draw_name; /* what its draws are named by (S4): of no meaning outside the log */
    int64_t person;
    int64_t inspector;
    enum ck_checkin_kind kind; /* LIVE or UNATTENDED */
    bool mandatory;
    enum ck_band band;

    struct ck_date first; /* where the rule begins */
    struct ck_rule rule;
    struct ck_date order_from, order_until; /* both included; nothing falls outside */

    uint32_t window_count;
    struct ck_plan_window windows[CK_PLAN_WINDOWS_MAX];
    uint32_t draws;       /* per window; 0: the fixed times below instead */
    uint32_t fixed_count; /* local minutes, each inside one of the windows, ascending */
    int32_t fixed_min[CK_PLAN_FIXED_MAX];

    int64_t min_gap_ms;     /* between two due times of the person */
    int64_t max_silence_ms; /* 0: none (silence.h) */
    int64_t tail_ms;        /* of a window's end kept free, so that rings and grace end inside it */
    uint32_t horizon_days;  /* how far ahead occurrences are made (default 14) */

    /* Second checks: after a completed check-in another one follows with this chance, so that being
     * done is no all-clear. 0: none. */
    uint32_t second_percent;
    int64_t second_min_ms; /* after the end of the first */
    int64_t second_max_ms;
};

enum ck_plan_reason {
    CK_PLAN_OK = 0,
    CK_PLAN_NO_WINDOW,
    CK_PLAN_WINDOW_RANGE,
    CK_PLAN_WINDOWS_OVERLAP,
    CK_PLAN_WINDOW_TOO_SHORT, /* the tail does not leave a place to ring */
    CK_PLAN_DRAWS_RANGE,
    CK_PLAN_FIXED_RANGE, /* a fixed time outside the windows, or too late in one */
    CK_PLAN_FIXED_ORDER, /* not ascending, or closer than the minimum gap */
    CK_PLAN_DRAWS_AND_FIXED,
    CK_PLAN_PREDICTABLE,     /* less than 30 min of choice per draw */
    CK_PLAN_GAP_TOO_LARGE,   /* gap × draws does not fit into the window */
    CK_PLAN_GAP_PREDICTABLE, /* a warning: gap × draws over half of the window makes the last draw
                                certain */
    CK_PLAN_ORDER_DATES,
    CK_PLAN_NO_DATES, /* the rule gives no date inside the order */
    CK_PLAN_HORIZON_RANGE,
    CK_PLAN_SILENCE_RANGE,
    CK_PLAN_KIND,
    CK_PLAN_SECOND_RANGE,
    CK_PLAN_REASON_COUNT,
};

/* Checks a plan by itself (obligation.h checks it against the order). OK, or the first reason
 * against it; GAP_PREDICTABLE is a warning and comes only where nothing else does. */
enum ck_plan_reason ck_plan_check(const struct ck_plan *plan);
const char *ck_plan_reason_text(enum ck_plan_reason reason);
/* As in JSON and pages: "gap_predictable". */
const char *ck_plan_reason_name(enum ck_plan_reason reason);

/* How an occurrence found its place. */
enum ck_place {
    CK_PLACE_DRAWN = 0,     /* in its bucket */
    CK_PLACE_FIXED,         /* the plan's fixed time */
    CK_PLACE_WINDOW,        /* the bucket had no room: elsewhere in the window */
    CK_PLACE_OVER_CAPACITY, /* no inspector is free anywhere in the window: unattended, or, where
                               the policy has no fallback, live with nobody's time reserved */
    CK_PLACE_BLACKOUT,      /* none, because of blackouts: insert and waive */
    CK_PLACE_NO_ROOM,       /* none, because of the minimum gap: insert and waive */
    CK_PLACE_COUNT,
};

/* One occurrence. UNIQUE(plan, date, window, slot), whatever the version (S2, S15). */
struct ck_occurrence {
    struct ck_date date;
    uint32_t window;
    uint32_t slot;
    enum ck_place place;
    struct ck_wall window_start, window_end;
    struct ck_wall due;        /* 0 where there is no place */
    struct ck_local due_local; /* as shown; with the zone enough to recompute (S16) */
    bool window_extended;      /* the window was cut by a clock change and its end moved (S3) */
    bool predictable;          /* blackouts left less choice than the floor */
    struct ck_draw draw; /* inputs of the draw, to be logged (S4); size 0 where nothing was drawn */
};

/* Where a date's occurrence has its place: which window, which draw or fixed time. */
struct ck_plan_slot {
    uint32_t window, slot;
};

/* What surrounds one date. All instants; intervals are half-open and need no order. */
struct ck_plan_surroundings {
    struct ck_wall not_before; /* when this version of the plan takes effect: what would lie before
                                  it is no duty, and not made */
    const struct ck_interval *blackouts; /* court, hospital, custody, approved absence (S8) */
    size_t blackout_count;
    const struct ck_interval
        *busy; /* when no live check-in can begin for want of an inspector (S7, capacity.h) */
    size_t busy_count;
    const struct ck_wall *neighbours; /* due times that the minimum gap is kept to (S6): of this
                                         person's other check-ins around the date */
    size_t neighbour_count;
    uint32_t redraw; /* 0; counts recorded events after which this is drawn anew (S4): then all that
                        is left of the window from not_before on is drawn from */
    const struct ck_plan_slot *only; /* NULL: all of the date; else this one alone */
};

/* Makes the occurrences of one date. `occurrences` has room for CK_PLAN_SLOTS_MAX. Plan checked.
 * Returns 0, or what the draw function returned. */
int ck_plan_expand(const struct ck_plan *plan, const struct ck_zone *zone, struct ck_date date,
                   const struct ck_plan_surroundings *around, ck_draw_function *draw,
                   void *draw_context, struct ck_occurrence *occurrences, size_t *count);

/* How many contacts window `window` of a date still gets where the plan takes effect at `now`:
 * those whose bucket has a minute left to draw from, or whose fixed time is not over. 0: nothing of
 * it can be planned any more. */
uint32_t ck_plan_left(const struct ck_plan *plan, const struct ck_zone *zone, struct ck_date date,
                      uint32_t window, struct ck_wall now);

/* The plan's row: how far it is expanded. */
struct ck_plan_row {
    struct ck_date expanded; /* dates up to and with this are made */
    struct ck_wall next_at;  /* CK_WALL_NEVER once the order is over and all is made */
};

/* A plan takes effect today: dates before are no duty. */
void ck_plan_begin(const struct ck_plan *plan, const struct ck_zone *zone, struct ck_wall now,
                   struct ck_plan_row *row);

/* The timer of a plan. Gives the next date to expand in this turn, one at a call: true with *date
 * set and *next advanced behind it, or false with *next resting until the next local day begins.
 * Call until false; each true is expanded and inserted in the same transaction as *next. */
bool ck_plan_step(const struct ck_plan *plan, const struct ck_zone *zone,
                  const struct ck_plan_row *row, struct ck_wall now, struct ck_plan_row *next,
                  struct ck_date *date);

/* Fills a check-in row from an occurrence (ids and times), and begins it. For places without room
 * the caller feeds CK_CHECKIN_WAIVED with the cause that ck_place_cause() names. */
void ck_plan_checkin(const struct ck_plan *plan, const struct ck_occurrence *occurrence,
                     const struct ck_checkin_policy *policy, int64_t id, struct ck_checkin *row);
enum ck_cause ck_place_cause(enum ck_place place);

/* Where a make-up is. */
struct ck_make_up {
    struct ck_wall at;
    struct ck_interval window;
    enum ck_place place; /* WINDOW, or OVER_CAPACITY: no inspector is free in what is left of it */
};

/* Where a make-up may go: the first window of the plan's hours, within the order and up to `days`
 * ahead, that has room from `earliest` on with the tail free, outside the blackouts and with the
 * minimum gap to the neighbours around it; in that the first instant at which an inspector is free,
 * where it needs one, or else the first. 0, or CK_E_NOT_FOUND. */
int ck_make_up_place(const struct ck_plan *plan, const struct ck_zone *zone,
                     struct ck_wall earliest, uint32_t days,
                     const struct ck_plan_surroundings *around, struct ck_make_up *make_up);

/* The instant nearest to `at` in a window, tail free, that keeps the minimum gap to the neighbours
 * around it; `at` itself where the window has none: the contact is owed all the same (S15). */
struct ck_wall ck_plan_keep_gap(const struct ck_plan *plan, struct ck_interval window,
                                struct ck_wall at, const struct ck_plan_surroundings *around);

/* What is added to a slot for the draw of the moment of its second check. */
#define CK_SECOND_MOMENT_SLOT 2000

struct ck_second {
    struct ck_wall at;
    enum ck_place place; /* WINDOW, or OVER_CAPACITY: no inspector is free where it may be */
    struct ck_draw chance, moment;
};

/* Whether a second check follows a check-in that was completed at `completed_at`, and when. Two
 * draws decide, both provable: `chance` (yes where it falls below second_percent of 100) and
 * `moment`. The second lies in the same window, with the tail free, outside the blackouts and with
 * the minimum gap to the neighbours around it, of which the first is none; of that where an
 * inspector is free, if it needs one and one is. That it fits the order is asked with
 * ck_obligation_check_extra(). 0; CK_E_NOT_FOUND where none follows (then the chance says whether
 * it was drawn: size 0 if not); or what the draw function returned. */
int ck_second_check(const struct ck_plan *plan, const struct ck_occurrence *first,
                    struct ck_wall completed_at, const struct ck_plan_surroundings *around,
                    ck_draw_function *draw, void *draw_context, struct ck_second *second);

/* S16: the instants of an occurrence that is not armed yet, recomputed after a change of the zone's
 * rules. */
void ck_occurrence_reconvert(const struct ck_plan *plan, const struct ck_zone *zone,
                             struct ck_occurrence *occurrence);

/* S15: the first date under the new zone when a person changes zone at `at`: dates before it keep
 * the old one, so that each date is served exactly once. */
struct ck_date ck_zone_change_date(const struct ck_zone *old_zone, struct ck_wall at);

const char *ck_place_name(enum ck_place place);

#endif
