#include "scheduler/plan.h"

#include <string.h>

#include "scheduler/plan_impl.h"

#define MINUTE_MS INT64_C(60000)

enum { MINUTE_S = 60 };

static struct ck_date later_date(struct ck_date a, struct ck_date b)
{
    return a.day > b.day ? a : b;
}

/* ---- the row: which dates are made -------------------------------------------------------------
 */

void ck_plan_begin(const struct ck_plan *plan, const struct ck_zone *zone, struct ck_wall now,
                   struct ck_plan_row *row)
{
    struct ck_date today = ck_zone_local(zone, now).date;
    row->expanded.day = later_date(today, plan->order_from).day - 1;
    row->next_at = now;
}

bool ck_plan_step(const struct ck_plan *plan, const struct ck_zone *zone,
                  const struct ck_plan_row *row, struct ck_wall now, struct ck_plan_row *next,
                  struct ck_date *date)
{
    struct ck_date today = ck_zone_local(zone, now).date;
    struct ck_date last = {today.day + (int32_t)plan->horizon_days};
    bool order_ends = plan->order_until.day <= last.day;
    if (order_ends) {
        last = plan->order_until;
    }
    struct ck_rule_walk walk = ck_rule_walk_from(&plan->rule, plan->first);
    struct ck_date found;
    while (ck_rule_walk_next(&plan->rule, plan->first, last, &walk, &found)) {
        if (found.day > row->expanded.day && found.day >= plan->order_from.day) {
            *next = (struct ck_plan_row){.expanded = found, .next_at = now};
            *date = found;
            return true;
        }
    }
    next->expanded = later_date(row->expanded, last);
    next->next_at =
        order_ends ? CK_WALL_NEVER : ck_zone_midnight(zone, (struct ck_date){today.day + 1});
    return false;
}

/* ---- one date: windows, buckets, draws
 * ------------------------------------------------------------ */

/* The part of a window where a check-in may begin: the tail stays free. */
static struct ck_interval span_of(const struct ck_plan *plan, struct ck_interval window)
{
    return (struct ck_interval){window.from, ck_wall_add_ms(window.until, -plan->tail_ms)};
}

struct ck_interval ck_plan_window_of(const struct ck_plan *plan, const struct ck_zone *zone,
                                     struct ck_date date, uint32_t index, bool *extended)
{
    const struct ck_plan_window *window = &plan->windows[index];
    struct ck_local start = {date, window->start_min * MINUTE_S};
    struct ck_local end = {date, window->end_min * MINUTE_S};
    struct ck_interval instants = {
        .from = ck_zone_instant(zone, start, CK_ZONE_FIRST, NULL),
        .until = ck_zone_instant(zone, end, CK_ZONE_LAST, NULL),
    };
    int64_t nominal_ms = (window->end_min - window->start_min) * MINUTE_MS;
    int64_t needed_ms =
        plan->draws == 0 ? nominal_ms : plan->tail_ms + plan->draws * CK_PLAN_FLOOR_MS;
    *extended = instants.until.ms - instants.from.ms < needed_ms;
    if (*extended) {
        instants.until = ck_wall_add_ms(instants.from, needed_ms);
    }
    return instants;
}

/* The making of one date's occurrences. */
struct expansion {
    const struct ck_plan *plan;
    const struct ck_plan_surroundings *around;
    const struct ck_zone *zone;
    ck_draw_function *draw;
    void *draw_context;
    struct ck_occurrence *made;
    size_t count;
};

static void take_before(struct ck_interval_set *set, struct ck_wall not_before)
{
    ck_interval_set_take(set, (struct ck_interval){{INT64_MIN}, not_before});
}

/* A check-in must not run into a blackout either: its tail counts. */
static void take_blackouts(struct ck_interval_set *set, int64_t tail_ms,
                           const struct ck_interval *blackouts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ck_interval hole = {
            .from = ck_wall_add_ms(blackouts[i].from, 1 - tail_ms),
            .until = blackouts[i].until,
        };
        ck_interval_set_take(set, hole);
    }
}

static void take_gap(struct ck_interval_set *set, struct ck_wall neighbour, int64_t gap_ms)
{
    struct ck_interval shadow = {
        .from = ck_wall_add_ms(neighbour, 1 - gap_ms),
        .until = ck_wall_add_ms(neighbour, gap_ms),
    };
    ck_interval_set_take(set, shadow);
}

static void take_neighbours(struct ck_interval_set *set, const struct ck_plan_surroundings *around,
                            int64_t gap_ms)
{
    for (size_t i = 0; i < around->neighbour_count; i++) {
        take_gap(set, around->neighbours[i], gap_ms);
    }
}

static void take_made(struct ck_interval_set *set, const struct expansion *expansion)
{
    for (size_t i = 0; i < expansion->count; i++) {
        if (expansion->made[i].due.ms != 0) {
            take_gap(set, expansion->made[i].due, expansion->plan->min_gap_ms);
        }
    }
}

static void take_busy(struct ck_interval_set *set, const struct ck_plan *plan,
                      const struct ck_plan_surroundings *around)
{
    if (plan->kind == CK_KIND_UNATTENDED) {
        return;
    }
    for (size_t i = 0; i < around->busy_count; i++) {
        ck_interval_set_take(set, around->busy[i]);
    }
}

/* The same relaxed where it leaves nothing: then all of the set stays, and nobody's time with it.
 */
static enum ck_place take_busy_or_none(struct ck_interval_set *set, const struct ck_plan *plan,
                                       const struct ck_plan_surroundings *around)
{
    struct ck_interval_set free = *set;
    take_busy(&free, plan, around);
    if (free.count == 0) {
        return CK_PLACE_OVER_CAPACITY;
    }
    *set = free;
    return CK_PLACE_WINDOW;
}

static struct ck_interval bucket_of(struct ck_interval span, uint32_t slot, uint32_t slots)
{
    int64_t length = span.until.ms - span.from.ms;
    return (struct ck_interval){
        .from = ck_wall_add_ms(span.from, length * slot / slots),
        .until = ck_wall_add_ms(span.from, length * (slot + 1) / slots),
    };
}

static struct ck_local fixed_at(const struct ck_plan *plan, struct ck_date date, uint32_t slot)
{
    return (struct ck_local){date, plan->fixed_min[slot] * MINUTE_S};
}

/* The last instant at which a contact can begin: where it is fixed, or the last minute of its
 * bucket. */
static struct ck_wall latest_of(const struct ck_plan *plan, const struct ck_zone *zone,
                                struct ck_date date, struct ck_interval window, uint32_t slot)
{
    if (plan->draws == 0) {
        return ck_zone_instant(zone, fixed_at(plan, date, slot), CK_ZONE_FIRST, NULL);
    }
    return ck_wall_add_ms(bucket_of(span_of(plan, window), slot, plan->draws).until, -MINUTE_MS);
}

static uint32_t slots_of(const struct ck_plan *plan)
{
    return plan->draws == 0 ? plan->fixed_count : plan->draws;
}

static bool has_slot(const struct ck_plan *plan, uint32_t window, uint32_t slot)
{
    return plan->draws > 0 || (plan->fixed_min[slot] >= plan->windows[window].start_min &&
                               plan->fixed_min[slot] < plan->windows[window].end_min);
}

uint32_t ck_plan_left(const struct ck_plan *plan, const struct ck_zone *zone, struct ck_date date,
                      uint32_t window, struct ck_wall now)
{
    bool extended;
    uint32_t left = 0;
    struct ck_interval instants = ck_plan_window_of(plan, zone, date, window, &extended);
    for (uint32_t slot = 0; slot < slots_of(plan); slot++) {
        left += has_slot(plan, window, slot) &&
                !ck_wall_before(latest_of(plan, zone, date, instants, slot), now);
    }
    return left;
}

/* What is left of an interval: without blackouts and gap shadows, and first also without times when
 * no inspector is free. */
static void allowed_of(const struct expansion *expansion, struct ck_interval interval,
                       bool busy_too, struct ck_interval_set *set)
{
    ck_interval_set_of(interval, set);
    take_before(set, expansion->around->not_before);
    take_blackouts(set, expansion->plan->tail_ms, expansion->around->blackouts,
                   expansion->around->blackout_count);
    take_neighbours(set, expansion->around, expansion->plan->min_gap_ms);
    take_made(set, expansion);
    if (busy_too) {
        take_busy(set, expansion->plan, expansion->around);
    }
}

/* S7: bucket, then the whole window, then without an inspector; or nowhere, and why. */
static enum ck_place find_place(const struct expansion *expansion, struct ck_interval span,
                                struct ck_interval bucket, struct ck_interval_set *set)
{
    const struct {
        struct ck_interval from;
        bool busy_too;
        enum ck_place place;
    } tries[] = {
        {bucket, true, CK_PLACE_DRAWN},
        {span, true, CK_PLACE_WINDOW},
        {bucket, false, CK_PLACE_OVER_CAPACITY},
        {span, false, CK_PLACE_OVER_CAPACITY},
    };
    ck_interval_set_of(span, set);
    take_blackouts(set, expansion->plan->tail_ms, expansion->around->blackouts,
                   expansion->around->blackout_count);
    if (ck_interval_set_seconds(set) * 1000 < CK_PLAN_TRIM_MS) {
        return CK_PLACE_BLACKOUT;
    }
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        allowed_of(expansion, tries[i].from, tries[i].busy_too, set);
        if (set->count > 0) {
            return tries[i].place;
        }
    }
    return CK_PLACE_NO_ROOM;
}

/* Whether the version of the plan takes effect too late for this contact: it is then no duty. What
 * is drawn anew was one before, and takes what is left of its window. */
static bool is_before_effect(const struct expansion *expansion, struct ck_date date,
                             struct ck_interval window, uint32_t slot)
{
    const struct ck_plan *plan = expansion->plan;
    bool anew = plan->draws > 0 && expansion->around->redraw > 0;
    struct ck_wall latest =
        latest_of(plan, expansion->zone, date, window, anew ? plan->draws - 1 : slot);
    return ck_wall_before(latest, expansion->around->not_before);
}

static bool is_wanted(const struct expansion *expansion, uint32_t window, uint32_t slot)
{
    const struct ck_plan_slot *only = expansion->around->only;
    return only == NULL || (only->window == window && only->slot == slot);
}

static int draw_slot(struct expansion *expansion, struct ck_date date, uint32_t window_index,
                     struct ck_interval window, bool extended, uint32_t slot)
{
    const struct ck_plan *plan = expansion->plan;
    struct ck_interval span = span_of(plan, window);
    struct ck_interval bucket = bucket_of(span, slot, plan->draws);
    struct ck_occurrence *made = &expansion->made[expansion->count];
    memset(made, 0, sizeof(*made));
    made->date = date;
    made->window = window_index;
    made->slot = slot;
    made->window_start = window.from;
    made->window_end = window.until;
    made->window_extended = extended;
    struct ck_interval_set allowed;
    made->place = find_place(expansion, span, bucket, &allowed);
    if (made->place != CK_PLACE_BLACKOUT && made->place != CK_PLACE_NO_ROOM) {
        made->predictable = ck_interval_set_seconds(&allowed) * 1000 < CK_PLAN_FLOOR_MS;
        struct ck_draw_slot which = {plan->draw_name, plan->version, date.day,
                                     window_index,    slot,          expansion->around->redraw};
        int code = ck_draw_instant(&allowed, &which, expansion->draw, expansion->draw_context,
                                   &made->due, &made->draw);
        if (code != 0) {
            return code;
        }
        made->due_local = ck_zone_local(expansion->zone, made->due);
    }
    expansion->count++;
    return 0;
}

static bool inside_any(const struct ck_interval *intervals, size_t count, struct ck_wall from,
                       struct ck_wall until)
{
    for (size_t i = 0; i < count; i++) {
        if (from.ms < intervals[i].until.ms && intervals[i].from.ms < until.ms) {
            return true;
        }
    }
    return false;
}

/* A fixed time is where it is: only blackouts take it away. */
static int fixed_slot(struct expansion *expansion, struct ck_date date, uint32_t window_index,
                      struct ck_interval window, bool extended, uint32_t slot)
{
    const struct ck_plan *plan = expansion->plan;
    const struct ck_plan_surroundings *around = expansion->around;
    struct ck_local local = fixed_at(plan, date, slot);
    struct ck_wall due = ck_zone_instant(expansion->zone, local, CK_ZONE_FIRST, NULL);
    struct ck_occurrence *made = &expansion->made[expansion->count++];
    memset(made, 0, sizeof(*made));
    made->date = date;
    made->window = window_index;
    made->slot = slot;
    made->window_start = window.from;
    made->window_end = window.until;
    made->window_extended = extended;
    struct ck_wall until = ck_wall_add_ms(due, plan->tail_ms);
    if (inside_any(around->blackouts, around->blackout_count, due, until)) {
        made->place = CK_PLACE_BLACKOUT;
        return 0;
    }
    bool busy = plan->kind != CK_KIND_UNATTENDED &&
                inside_any(around->busy, around->busy_count, due, ck_wall_add_ms(due, 1));
    made->place = busy ? CK_PLACE_OVER_CAPACITY : CK_PLACE_FIXED;
    made->due = due;
    made->due_local = local;
    return 0;
}

int ck_plan_expand(const struct ck_plan *plan, const struct ck_zone *zone, struct ck_date date,
                   const struct ck_plan_surroundings *around, ck_draw_function *draw,
                   void *draw_context, struct ck_occurrence *occurrences, size_t *count)
{
    struct expansion expansion = {plan, around, zone, draw, draw_context, occurrences, 0};
    for (uint32_t index = 0; index < plan->window_count; index++) {
        bool extended;
        struct ck_interval window = ck_plan_window_of(plan, zone, date, index, &extended);
        for (uint32_t slot = 0; slot < slots_of(plan); slot++) {
            if (!has_slot(plan, index, slot) || !is_wanted(&expansion, index, slot) ||
                is_before_effect(&expansion, date, window, slot)) {
                continue;
            }
            int code = plan->draws > 0
                           ? draw_slot(&expansion, date, index, window, extended, slot)
                           : fixed_slot(&expansion, date, index, window, extended, slot);
            if (code != 0) {
                return code;
            }
        }
    }
    *count = expansion.count;
    return 0;
}

/* ---- from an occurrence to a check-in
 * ------------------------------------------------------------- */

enum ck_cause ck_place_cause(enum ck_place place)
{
    switch (place) {
    case CK_PLACE_BLACKOUT:
        return CK_CAUSE_WAIVED_BLACKOUT;
    case CK_PLACE_NO_ROOM:
        return CK_CAUSE_WAIVED_NO_ROOM;
    default:
        return CK_CAUSE_NONE;
    }
}

void ck_plan_checkin(const struct ck_plan *plan, const struct ck_occurrence *occurrence,
                     const struct ck_checkin_policy *policy, int64_t id, struct ck_checkin *row)
{
    memset(row, 0, sizeof(*row));
    row->id = id;
    row->person = plan->person;
    row->plan = plan->id;
    row->inspector = plan->inspector;
    bool alone = occurrence->place == CK_PLACE_OVER_CAPACITY && policy->unattended_fallback;
    row->kind = alone ? CK_KIND_UNATTENDED : plan->kind;
    row->mandatory = plan->mandatory;
    row->band = plan->band;
    row->window_start = occurrence->window_start;
    row->window_end = occurrence->window_end;
    row->due = occurrence->due.ms != 0 ? occurrence->due : occurrence->window_start;
    ck_checkin_begin(row, policy);
}

void ck_occurrence_reconvert(const struct ck_plan *plan, const struct ck_zone *zone,
                             struct ck_occurrence *occurrence)
{
    struct ck_interval window = ck_plan_window_of(plan, zone, occurrence->date, occurrence->window,
                                                  &occurrence->window_extended);
    occurrence->window_start = window.from;
    occurrence->window_end = window.until;
    if (occurrence->due.ms != 0) {
        occurrence->due = ck_zone_instant(zone, occurrence->due_local, CK_ZONE_FIRST, NULL);
    }
}

struct ck_date ck_zone_change_date(const struct ck_zone *old_zone, struct ck_wall at)
{
    return (struct ck_date){ck_zone_local(old_zone, at).date.day + 1};
}

struct ck_wall ck_plan_keep_gap(const struct ck_plan *plan, struct ck_interval window,
                                struct ck_wall at, const struct ck_plan_surroundings *around)
{
    struct ck_interval_set set;
    struct ck_wall best = at;
    int64_t least = INT64_MAX;
    ck_interval_set_of(span_of(plan, window), &set);
    take_neighbours(&set, around, plan->min_gap_ms);
    for (uint32_t i = 0; i < set.count; i++) {
        struct ck_wall last = ck_wall_add_ms(set.items[i].until, -1);
        struct ck_wall from = set.items[i].from;
        struct ck_wall here = ck_wall_before(at, from)   ? from
                              : ck_wall_before(last, at) ? last
                                                         : at;
        int64_t by = here.ms < at.ms ? at.ms - here.ms : here.ms - at.ms;
        if (by < least) {
            least = by;
            best = here;
        }
    }
    return best;
}

int ck_make_up_place(const struct ck_plan *plan, const struct ck_zone *zone,
                     struct ck_wall earliest, uint32_t days,
                     const struct ck_plan_surroundings *around, struct ck_make_up *make_up)
{
    struct ck_date today = ck_zone_local(zone, earliest).date;
    /* Yesterday's last window may go past midnight. */
    for (int32_t day = today.day - 1; day <= today.day + (int32_t)days; day++) {
        if (day < plan->order_from.day || day > plan->order_until.day) {
            continue;
        }
        for (uint32_t index = 0; index < plan->window_count; index++) {
            bool extended;
            struct ck_interval found =
                ck_plan_window_of(plan, zone, (struct ck_date){day}, index, &extended);
            struct ck_interval_set set;
            ck_interval_set_of(span_of(plan, found), &set);
            take_before(&set, earliest);
            take_blackouts(&set, plan->tail_ms, around->blackouts, around->blackout_count);
            take_neighbours(&set, around, plan->min_gap_ms);
            if (set.count > 0) {
                make_up->place = take_busy_or_none(&set, plan, around);
                make_up->window = found;
                make_up->at = set.items[0].from;
                return 0;
            }
        }
    }
    return CK_E_NOT_FOUND;
}

/* Apart from all other draws, as CK_SECOND_MOMENT_SLOT is. */
enum { SECOND_CHANCE_SLOT = 1000 };

int ck_second_check(const struct ck_plan *plan, const struct ck_occurrence *first,
                    struct ck_wall completed_at, const struct ck_plan_surroundings *around,
                    ck_draw_function *draw, void *draw_context, struct ck_second *second)
{
    second->chance.size = 0;
    struct ck_interval wanted = {
        .from = ck_wall_add_ms(completed_at, plan->second_min_ms),
        .until = ck_wall_add_ms(completed_at, plan->second_max_ms),
    };
    struct ck_wall last = ck_wall_add_ms(first->window_end, -plan->tail_ms);
    if (ck_wall_before(last, wanted.until)) {
        wanted.until = last;
    }
    /* A clock that was set back, or one who came early: the hours are the hours. */
    if (ck_wall_before(wanted.from, first->window_start)) {
        wanted.from = first->window_start;
    }
    struct ck_interval_set allowed;
    ck_interval_set_of(wanted, &allowed);
    take_blackouts(&allowed, plan->tail_ms, around->blackouts, around->blackout_count);
    take_neighbours(&allowed, around, plan->min_gap_ms);
    if (plan->second_percent == 0 || allowed.count == 0) {
        return CK_E_NOT_FOUND;
    }
    struct ck_draw_slot slot = {.plan = plan->draw_name,
                                .version = plan->version,
                                .date = first->date.day,
                                .window = first->window,
                                .slot = first->slot + SECOND_CHANCE_SLOT};
    struct ck_interval_set hundred;
    struct ck_wall drawn;
    ck_interval_set_of((struct ck_interval){{0}, {INT64_C(100) * 1000}}, &hundred);
    int code = ck_draw_instant(&hundred, &slot, draw, draw_context, &drawn, &second->chance);
    if (code != 0) {
        return code;
    }
    if (drawn.ms / 1000 >= plan->second_percent) {
        return CK_E_NOT_FOUND;
    }
    slot.slot = first->slot + CK_SECOND_MOMENT_SLOT;
    second->place = take_busy_or_none(&allowed, plan, around);
    return ck_draw_instant(&allowed, &slot, draw, draw_context, &second->at, &second->moment);
}

const char *ck_place_name(enum ck_place place)
{
    static const char *const names[CK_PLACE_COUNT] = {
        [CK_PLACE_DRAWN] = "drawn",       [CK_PLACE_FIXED] = "fixed",
        [CK_PLACE_WINDOW] = "window",     [CK_PLACE_OVER_CAPACITY] = "over_capacity",
        [CK_PLACE_BLACKOUT] = "blackout", [CK_PLACE_NO_ROOM] = "no_room",
    };
    return (unsigned)place < CK_PLACE_COUNT ? names[place] : NULL;
}
