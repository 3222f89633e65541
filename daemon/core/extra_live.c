/* Check-ins beside the plans' own dates: make-ups and second checks. Both obey the orders. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/capacity_live.h"
#include "daemon/core/demand.h"
#include "daemon/core/live_impl.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define MAKE_UP_DAYS 7

/* The plan with all dates of its order: what is made up for is owed whatever plan serves then. */
static int load_frame(struct ck_turn *turn, int64_t plan, struct ck_plan_frame *frame)
{
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    int r = ck_plan_load(turn->store, plan, &record);
    record.until = (struct ck_date){0};
    return r == 0 ? ck_plan_frame(turn, &record, frame) : r;
}

/* What the row was made from, with nothing of what has become of it since; for the person as they
 * are now, of whatever band and whosever they were when it was made or rang. */
static int copy_of(struct ck_turn *turn, const struct ck_checkin_row *row, int64_t slot,
                   struct ck_checkin_row *made)
{
    struct ck_subject subject;
    int r = ck_subject_load(turn->store, row->step.person, &subject);
    *made = *row;
    made->receipt[0] = '\0';
    made->waiting_since = made->connected_at = made->decided_at = (struct ck_wall){0};
    made->taken_by = 0;
    made->drawn = false;
    made->reserved = 0;
    made->put_off_to = (struct ck_wall){0};
    made->slot = slot + row->slot;
    if (r == 0) {
        made->step.band = ck_band_of(subject.band);
        made->step.inspector = subject.inspector;
        made->unit = subject.unit;
        snprintf(made->zone, sizeof made->zone, "%s", subject.zone);
        snprintf(made->zone_version, sizeof made->zone_version, "%s",
                 ck_zones_version(turn->engine->zones, subject.zone));
    }
    return r;
}

/* Whether the orders allow this contact; a refusal is no error. */
static int is_allowed(struct ck_turn *turn, const struct ck_checkin_row *made,
                      const struct ck_checkin_policy *policy, struct ck_refusal *refusal,
                      bool *allowed)
{
    const struct ck_zone *zone = NULL;
    int r = ck_zones_find(turn->engine->zones, made->zone, &zone);
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    struct ck_demand demand = {
        .at = ck_zone_local(zone, made->step.due),
        .begin = made->step.due,
        .tail_ms = policy->response_ms + policy->grace_ms,
        .unattended = made->step.kind == CK_KIND_UNATTENDED,
        .mandatory = made->step.mandatory,
    };
    r = ck_demand_extra_any(turn->store, made->step.person, &demand, made->step.mandatory, refusal);
    *allowed = r == 0;
    return r == CK_E_CONFLICT ? 0 : r;
}

int ck_extra_allows(struct ck_turn *turn, const struct ck_checkin_row *waived, struct ck_wall due,
                    bool *allowed)
{
    struct ck_checkin_row again = *waived;
    struct ck_checkin_policy policy;
    struct ck_refusal refusal;
    again.step.due = due;
    int r = ck_checkin_policy_of(turn, again.policy, &policy);
    return r == 0 ? is_allowed(turn, &again, &policy, &refusal, allowed) : r;
}

/* ---- where they are put ---- */

/* What one of the person's is placed beside, in a span: everything but `but`. */
struct beside {
    struct ck_plan_surroundings all;
    struct ck_wall neighbours[CK_PLAN_NEIGHBOURS_MAX];
    struct ck_interval blackouts[CK_PLAN_BLACKOUTS_MAX];
    struct ck_interval_set busy;
};

static int look_beside(struct ck_turn *turn, const struct ck_checkin_row *but, int64_t gap_ms,
                       struct ck_interval span, struct beside *beside)
{
    beside->all = (struct ck_plan_surroundings){.neighbours = beside->neighbours,
                                                .blackouts = beside->blackouts};
    int r = ck_checkin_neighbours(turn->store, but->step.person, but->step.id,
                                  ck_wall_add_ms(span.from, -gap_ms),
                                  ck_wall_add_ms(span.until, gap_ms), beside->neighbours,
                                  CK_PLAN_NEIGHBOURS_MAX, &beside->all.neighbour_count);
    return r == 0 ? ck_blackouts_of(turn->store, but->step.person, span.from, span.until,
                                    beside->blackouts, NULL, CK_PLAN_BLACKOUTS_MAX,
                                    &beside->all.blackout_count)
                  : r;
}

/* A live one is put where somebody has time, as what is drawn is (S7): where nobody has, anywhere
 * it may be, it is unattended, if its policy allows that, or live with nobody's time. */
static int look_for_time(struct ck_turn *turn, const struct ck_plan_frame *frame,
                         struct ck_interval span, struct beside *beside)
{
    ck_cleanup(ck_capacity_look_destroy) struct ck_capacity_look *look = NULL;
    bool asks = frame->plan.kind == CK_KIND_LIVE && ck_wall_before(span.from, span.until);
    int r = asks
                ? ck_capacity_look(turn, frame->subject.unit, frame->plan.inspector, 0, span, &look)
                : 0;
    if (r == 0 && asks) {
        ck_capacity_look_busy(look, span, &beside->busy);
        beside->all.busy = beside->busy.items;
        beside->all.busy_count = beside->busy.count;
    }
    return r;
}

static enum ck_checkin_kind kind_at(enum ck_place place, const struct ck_plan *plan,
                                    const struct ck_checkin_policy *policy)
{
    bool alone = place == CK_PLACE_OVER_CAPACITY && policy->unattended_fallback;
    return alone ? CK_KIND_UNATTENDED : plan->kind;
}

/* ---- make-ups ---- */

static int place_make_up(struct ck_turn *turn, const struct ck_checkin_row *row,
                         const struct ck_checkin_policy *policy, struct ck_checkin *made,
                         enum ck_place *place)
{
    struct ck_make_up make_up;
    const struct ck_interval span = {turn->now.wall,
                                     ck_wall_add_ms(turn->now.wall, (MAKE_UP_DAYS + 2) * DAY_MS)};
    struct beside beside;
    struct ck_wall earliest = ck_wall_add_ms(turn->now.wall, policy->make_up_delay_ms);
    ck_cleanup(ck_freep) struct ck_plan_frame *frame = calloc(1, sizeof *frame);
    int r = frame == NULL ? -ENOMEM : load_frame(turn, row->step.plan, frame);
    r = r == 0 ? look_beside(turn, row, frame->plan.min_gap_ms, span, &beside) : r;
    r = r == 0 ? ck_make_up_place(&frame->plan, frame->zone, earliest, MAKE_UP_DAYS, &beside.all,
                                  &make_up)
               : r;
    r = r == 0 ? look_for_time(turn, frame, (struct ck_interval){make_up.at, make_up.window.until},
                               &beside)
               : r;
    /* The same window, now with the times at which nobody is free. */
    r = r == 0 ? ck_make_up_place(&frame->plan, frame->zone, earliest, MAKE_UP_DAYS, &beside.all,
                                  &make_up)
               : r;
    if (r == 0) {
        made->kind = kind_at(make_up.place, &frame->plan, policy);
        *place = make_up.place;
        made->due = make_up.at;
        made->window_start = make_up.window.from;
        made->window_end = make_up.window.until;
    }
    return r;
}

/* Whose time it takes, its wall time, and the date that it counts for: the one that it rings on,
 * which may be a later one than that of what it belongs to. */
static int settle(struct ck_turn *turn, struct ck_checkin_row *made)
{
    const struct ck_zone *zone = NULL;
    int r = ck_zones_find(turn->engine->zones, made->zone, &zone);
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    made->due_local = ck_zone_local(zone, made->step.due);
    made->slot += (int64_t)(made->due_local.date.day - made->date.day) * CK_EXTRA_DAY_SLOT;
    made->date = made->due_local.date;
    return ck_capacity_reserve(turn, made);
}

static int insert_make_up(struct ck_turn *turn, struct ck_checkin_row *made,
                          const struct ck_checkin_policy *policy, enum ck_place place)
{
    const struct ck_actor actor = ck_actor_system();
    char due[CK_WALL_TEXT_SIZE];
    ck_checkin_begin(&made->step, policy);
    int r = settle(turn, made);
    r = r == 0 ? ck_checkin_insert(turn->store, made, NULL, turn->now.wall) : r;
    if (r == 0) {
        ck_wall_text(made->step.due, due);
        r = ck_record_checkin(turn, &actor, made, "CHECKIN_MAKE_UP",
                              json_pack("{s:I, s:s, s:I, s:s, s:I}", "of",
                                        (json_int_t)made->step.make_up_of, "due", due, "policy",
                                        (json_int_t)made->policy, "kind",
                                        ck_checkin_kind_name(made->step.kind), "reserved",
                                        (json_int_t)made->reserved));
    }
    if (r == 0 && place == CK_PLACE_OVER_CAPACITY) {
        r = ck_capacity_fault(turn, made);
    }
    return r == 0 ? ck_tell_today(turn, made) : r;
}

int ck_make_up(struct ck_turn *turn, const struct ck_checkin_row *row)
{
    const struct ck_actor actor = ck_actor_system();
    struct ck_checkin_policy policy;
    struct ck_refusal refusal = {.message = "no place in the plan's hours"};
    struct ck_checkin_row made;
    enum ck_place place = CK_PLACE_WINDOW;
    bool allowed = false;
    int r = copy_of(turn, row, CK_MAKE_UP_SLOT, &made);
    made.step.make_up_of = row->step.id;
    r = r == 0 ? ck_checkin_policy_of(turn, row->policy, &policy) : r;
    if (r == 0) {
        r = row->step.plan == 0 ? CK_E_NOT_FOUND
                                : place_make_up(turn, row, &policy, &made.step, &place);
    }
    r = r == 0 ? is_allowed(turn, &made, &policy, &refusal, &allowed) : r;
    if (r != 0 && r != CK_E_NOT_FOUND) {
        return r;
    }
    return allowed ? insert_make_up(turn, &made, &policy, place)
                   : ck_record_checkin(turn, &actor, row, "CHECKIN_NO_MAKE_UP",
                                       json_pack("{s:s}", "why", refusal.message));
}

/* ---- second checks ---- */

/* What the two draws gave: the chance as a number below 100, and, with `sealed`, the moment. */
static json_t *second_record(const struct ck_second *second, const struct ck_plan *plan,
                             const struct ck_checkin_row *of, json_t *sealed)
{
    char message[CK_HEX_SIZE(CK_DRAW_MESSAGE_SIZE)] = "";
    ck_hex_encode(second->chance.message, second->chance.size, message);
    json_t *open = json_pack("{s:I, s:I, s:I, s:s}", "of", (json_int_t)of->step.id, "plan",
                             (json_int_t)plan->id, "percent", (json_int_t)plan->second_percent,
                             "chance", message);
    if (sealed != NULL) {
        char date[CK_DATE_TEXT_SIZE];
        ck_date_text(of->date, date);
        ck_draw_record(&second->moment, open, sealed);
        json_object_set_new(open, "version", json_integer(plan->version));
        json_object_set_new(open, "date", json_string(date));
        json_object_set_new(open, "draw_window",
                            json_integer(ck_plan_slot_of(of) / CK_PLAN_SLOTS_PER_WINDOW));
        json_object_set_new(
            open, "draw_slot",
            json_integer(ck_plan_slot_of(of) % CK_PLAN_SLOTS_PER_WINDOW + CK_SECOND_MOMENT_SLOT));
    }
    return open;
}

/* `row`: the one that was made, or the first where none follows. */
static int record_second(struct ck_turn *turn, const struct ck_checkin_row *row, const char *action,
                         json_t *open, json_t *sealed)
{
    const struct ck_actor actor = ck_actor_system();
    return ck_turn_audit(turn, &actor,
                         &(struct ck_record){.action = action,
                                             .object = "checkin",
                                             .object_id = row->step.id,
                                             .person_id = row->step.person,
                                             .open = open,
                                             .sealed = sealed});
}

static int insert_second(struct ck_turn *turn, struct ck_checkin_row *made,
                         const struct ck_checkin_policy *policy, enum ck_place place, json_t *open,
                         json_t *sealed)
{
    char due[CK_WALL_TEXT_SIZE];
    ck_checkin_begin(&made->step, policy);
    int r = settle(turn, made);
    r = r == 0 ? ck_checkin_insert(turn->store, made, NULL, turn->now.wall) : r;
    if (r != 0) {
        json_decref(open);
        json_decref(sealed);
        return r;
    }
    ck_wall_text(made->step.due, due);
    json_object_set_new(open, "policy", json_integer(made->policy));
    json_object_set_new(open, "kind", json_string(ck_checkin_kind_name(made->step.kind)));
    json_object_set_new(open, "reserved", json_integer(made->reserved));
    json_object_set_new(sealed, "due", json_string(due));
    r = record_second(turn, made, "CHECKIN_SECOND", open, sealed);
    r = r == 0 && place == CK_PLACE_OVER_CAPACITY ? ck_capacity_fault(turn, made) : r;
    return r == 0 ? ck_tell_today(turn, made) : r;
}

static int second_check(struct ck_turn *turn, const struct ck_checkin_row *row,
                        const struct ck_plan_frame *frame, struct ck_draw_key *key)
{
    const struct ck_occurrence first = {
        .date = row->date,
        .window = (uint32_t)(ck_plan_slot_of(row) / CK_PLAN_SLOTS_PER_WINDOW),
        .slot = (uint32_t)(ck_plan_slot_of(row) % CK_PLAN_SLOTS_PER_WINDOW),
        .window_start = row->step.window_start,
        .window_end = row->step.window_end,
    };
    const struct ck_interval span = {turn->now.wall, first.window_end};
    struct beside beside;
    struct ck_second second = {.chance.size = 0};
    struct ck_checkin_policy policy;
    struct ck_refusal refusal;
    struct ck_checkin_row made;
    bool allowed = false;
    int r = copy_of(turn, row, CK_SECOND_SLOT, &made);
    r = r == 0 ? look_beside(turn, row, frame->plan.min_gap_ms, span, &beside) : r;
    r = r == 0 ? ck_checkin_policy_of(turn, row->policy, &policy) : r;
    r = r == 0 ? ck_second_check(&frame->plan, &first, turn->now.wall, &beside.all, ck_draw_bytes,
                                 key, &second)
               : r;
    /* One follows, as few do: only now who has time is asked. The draws are the same ones again. */
    r = r == 0 ? look_for_time(turn, frame, span, &beside) : r;
    r = r == 0 ? ck_second_check(&frame->plan, &first, turn->now.wall, &beside.all, ck_draw_bytes,
                                 key, &second)
               : r;
    if (r == CK_E_NOT_FOUND) {
        return second.chance.size == 0
                   ? 0
                   : record_second(turn, row, "CHECKIN_NO_SECOND",
                                   second_record(&second, &frame->plan, row, NULL), NULL);
    }
    if (r != 0) {
        return r;
    }
    made.drawn = true;
    made.step.make_up_of = 0;
    made.step.due = second.at;
    made.step.kind = kind_at(second.place, &frame->plan, &policy);
    r = is_allowed(turn, &made, &policy, &refusal, &allowed);
    if (r != 0) {
        return r;
    }
    json_t *sealed = json_object();
    json_t *open = second_record(&second, &frame->plan, row, sealed);
    if (allowed) {
        return insert_second(turn, &made, &policy, second.place, open, sealed);
    }
    json_object_set_new(open, "why", json_string(refusal.message));
    return record_second(turn, row, "CHECKIN_NO_SECOND", open, sealed);
}

int ck_second_check_after(struct ck_turn *turn, const struct ck_checkin_row *row)
{
    if (row->step.plan == 0 || ck_plan_slot_of(row) >= CK_MAKE_UP_SLOT) {
        return 0; /* one second check, and none of a make-up */
    }
    ck_cleanup(ck_freep) struct ck_plan_frame *frame = calloc(1, sizeof *frame);
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    struct ck_draw_key key;
    int r = frame == NULL ? -ENOMEM : ck_plan_load(turn->store, row->step.plan, &record);
    r = r == 0 ? ck_plan_frame(turn, &record, frame) : r;
    if (r != 0 || !record.active || frame->plan.second_percent == 0) {
        return r;
    }
    r = ck_draw_key_of(turn, row->date, &key);
    r = r == 0 ? second_check(turn, row, frame, &key) : r;
    ck_wipe(&key, sizeof key);
    return r;
}
