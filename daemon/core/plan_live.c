/* Plans: making occurrences ahead, and the commands of plans. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/capacity_live.h"
#include "daemon/core/demand.h"
#include "daemon/core/live_impl.h"
#include "daemon/core/plan_request.h"
#include "daemon/core/zone_live.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define NEIGHBOUR_MS (INT64_C(2) * 24 * 3600 * 1000)
#define DATES_PER_TURN 32 /* of one plan; the rest in the next turn */

/* Its draws are named by the beginning of the plan's pseudonym: the message of a draw stays in the
 * log for ever, and so names no row. */
static int name_draws(struct ck_turn *turn, struct ck_plan_frame *frame)
{
    struct ck_pseudonym pseudonym;
    uint64_t name = 0;
    int r = ck_audit_pseudonym(&turn->engine->audit, turn->store, "plan", frame->plan.id,
                               frame->subject.id, &pseudonym);
    for (int i = 0; r == 0 && i < 8; i++) {
        name = name << 8 | pseudonym.bytes[i];
    }
    frame->plan.draw_name = (int64_t)name;
    return r;
}

int ck_plan_frame(struct ck_turn *turn, const struct ck_plan_record *record,
                  struct ck_plan_frame *frame)
{
    struct ck_order_record order;
    int r = ck_subject_load(turn->store, record->person, &frame->subject);
    r = r == 0 ? ck_order_load(turn->store, record->order, &order) : r;
    r = r == 0 ? ck_plan_record_read(record, &order, &frame->subject, &turn->engine->rules.checkin,
                                     &frame->plan, &frame->policy)
               : r;
    r = r == 0 ? ck_zones_find(turn->engine->zones, frame->subject.zone, &frame->zone) : r;
    r = r == 0 ? name_draws(turn, frame) : r;
    return r > 0 ? -EUCLEAN : r;
}

/* ---- occurrences ---- */

/* `waived`: the check-in in whose place it was drawn anew; 0: none. */
static int record_planned(struct ck_turn *turn, const struct ck_checkin_row *row,
                          const struct ck_occurrence *occurrence, enum ck_relation relation,
                          int64_t waived)
{
    char due[CK_WALL_TEXT_SIZE], start[CK_WALL_TEXT_SIZE], end[CK_WALL_TEXT_SIZE];
    char date[CK_DATE_TEXT_SIZE];
    ck_wall_text(row->step.due, due);
    ck_wall_text(row->step.window_start, start);
    ck_wall_text(row->step.window_end, end);
    ck_date_text(row->date, date);
    json_t *open = json_pack("{s:I, s:I, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:I}", "plan",
                             (json_int_t)row->step.plan, "version", (json_int_t)row->plan_version,
                             "date", date, "slot", (json_int_t)ck_plan_slot_of(row), "place",
                             ck_place_name(occurrence->place), "window_start", start, "window_end",
                             end, "zone", row->zone, "zone_version", row->zone_version, "policy",
                             (json_int_t)row->policy);
    json_t *sealed = json_pack("{s:s}", "due", due);
    ck_draw_record(&occurrence->draw, open, sealed);
    if (waived != 0) {
        json_object_set_new(open, "of", json_integer(waived));
        json_object_set_new(open, "redraw", json_integer(row->slot / CK_PLAN_REDRAW_SLOT));
    }
    if (row->reserved != 0) {
        json_object_set_new(open, "reserved", json_integer(row->reserved));
        json_object_set_new(open, "relation", json_string(ck_relation_name(relation)));
    }
    const struct ck_actor actor = ck_actor_system();
    return ck_turn_audit(turn, &actor,
                         &(struct ck_record){
                             .action = "CHECKIN_PLANNED",
                             .object = "checkin",
                             .object_id = row->step.id,
                             .person_id = row->step.person,
                             .open = open,
                             .sealed = sealed,
                         });
}

/* Whose time it takes; for the plans' own live check-ins with a place in the window. */
static int64_t take_time(struct ck_capacity_look *look, const struct ck_occurrence *occurrence,
                         enum ck_relation *relation)
{
    bool placed = occurrence->due.ms != 0 && occurrence->place != CK_PLACE_OVER_CAPACITY;
    return look == NULL || !placed ? 0 : ck_capacity_take(look, occurrence->due, relation);
}

/* What surrounds one date: the person's other check-ins and blackouts. */
struct around {
    struct ck_plan_surroundings all;
    struct ck_wall neighbours[CK_PLAN_NEIGHBOURS_MAX];
    struct ck_interval blackouts[CK_PLAN_BLACKOUTS_MAX];
    struct ck_capacity_look *look; /* NULL: the plan needs nobody's time */
    struct ck_interval_set busy;
    int64_t waived; /* the check-in in whose place one is drawn anew; 0: none */
};

/* One that is drawn and lies closer to a fixed time than its plan allows: it goes elsewhere in its
 * window, or where that has no room is waived, as it would be if the fixed time had been there
 * first. Whatever is armed goes on. */
static int give_way(struct ck_turn *turn, int64_t id, struct ck_wall fixed)
{
    const struct ck_actor actor = ck_actor_system();
    ck_cleanup(ck_freep) struct ck_plan_frame *frame = calloc(1, sizeof *frame);
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    struct ck_checkin_row row;
    bool made = false;
    int r = frame == NULL ? -ENOMEM : ck_checkin_load(turn->store, id, &row);
    r = r == 0 ? ck_plan_load(turn->store, row.step.plan, &record) : r;
    r = r == 0 ? ck_plan_frame(turn, &record, frame) : r;
    if (r != 0) {
        return r;
    }
    int64_t by =
        row.step.due.ms < fixed.ms ? fixed.ms - row.step.due.ms : row.step.due.ms - fixed.ms;
    if (by >= frame->plan.min_gap_ms) {
        return 0;
    }
    r = ck_checkin_feed(
        turn, &actor, &row,
        &(struct ck_checkin_event){.kind = CK_CHECKIN_WAIVED,
                                   .waived.cause = ck_place_cause(CK_PLACE_NO_ROOM)});
    return r == 0 ? ck_plan_redraw(turn, &row, &made) : r;
}

/* What was drawn before a fixed time was named keeps its distance to it, too. */
static int make_room(struct ck_turn *turn, const struct ck_checkin_row *fixed)
{
    int64_t ids[CK_PLAN_NEIGHBOURS_MAX];
    size_t count = 0;
    int r = ck_checkin_drawn_around(turn->store, fixed->step.person, fixed->step.plan,
                                    ck_wall_add_ms(fixed->step.due, -NEIGHBOUR_MS),
                                    ck_wall_add_ms(fixed->step.due, NEIGHBOUR_MS),
                                    CK_PLAN_REDRAW_SLOT, ids, CK_PLAN_NEIGHBOURS_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = give_way(turn, ids[i], fixed->step.due);
    }
    return r;
}

static int insert_occurrence(struct ck_turn *turn, const struct ck_plan_frame *frame,
                             const struct ck_occurrence *occurrence, int64_t policy,
                             const struct around *around)
{
    const struct ck_actor actor = ck_actor_system();
    enum ck_relation relation = CK_RELATION_ASSIGNED;
    struct ck_checkin_row row;
    memset(&row, 0, sizeof row);
    ck_plan_checkin(&frame->plan, occurrence, &frame->policy, 0, &row.step);
    row.unit = frame->subject.unit;
    row.policy = policy;
    row.plan_version = frame->plan.version;
    row.date = occurrence->date;
    row.due_local = occurrence->due_local;
    row.slot = (int64_t)occurrence->window * CK_PLAN_SLOTS_PER_WINDOW + occurrence->slot +
               (int64_t)around->all.redraw * CK_PLAN_REDRAW_SLOT;
    row.drawn = occurrence->draw.size > 0;
    row.attempts = frame->policy.attempts;
    row.reserved = take_time(around->look, occurrence, &relation);
    snprintf(row.zone, sizeof row.zone, "%s", frame->subject.zone);
    snprintf(row.zone_version, sizeof row.zone_version, "%s",
             ck_zones_version(turn->engine->zones, row.zone));
    int r = ck_store_savepoint(turn->store);
    if (r != 0) {
        return r;
    }
    r = ck_checkin_insert(turn->store, &row, NULL, turn->now.wall);
    if (r == CK_E_CONFLICT) {
        return ck_store_undo(turn->store); /* made before */
    }
    int released = ck_store_release(turn->store);
    if (r == 0) {
        r = released;
    }
    if (r == 0) {
        r = record_planned(turn, &row, occurrence, relation, around->waived);
    }
    if (r == 0 && occurrence->place == CK_PLACE_OVER_CAPACITY) {
        r = ck_capacity_fault(turn, &row);
    }
    if (r == 0 && frame->plan.draws == 0 && occurrence->due.ms != 0) {
        r = make_room(turn, &row);
    }
    if (r == 0 && occurrence->due.ms == 0) {
        r = ck_checkin_feed(
            turn, &actor, &row,
            &(struct ck_checkin_event){.kind = CK_CHECKIN_WAIVED,
                                       .waived.cause = ck_place_cause(occurrence->place)});
    }
    return r;
}

static void around_clear(struct around *around)
{
    ck_capacity_look_destroy(&around->look);
}

/* When nobody has time, from the first window's start to the last one's end. */
static int look_at_staff(struct ck_turn *turn, const struct ck_plan_frame *frame,
                         struct ck_date date, struct around *around)
{
    const struct ck_plan *plan = &frame->plan;
    if (plan->kind != CK_KIND_LIVE) {
        return 0;
    }
    int32_t first = plan->windows[0].start_min, last = plan->windows[0].end_min;
    for (uint32_t i = 1; i < plan->window_count; i++) {
        first = plan->windows[i].start_min < first ? plan->windows[i].start_min : first;
        last = plan->windows[i].end_min > last ? plan->windows[i].end_min : last;
    }
    const struct ck_interval span = {
        ck_zone_instant(frame->zone, (struct ck_local){date, first * 60}, CK_ZONE_FIRST, NULL),
        ck_zone_instant(frame->zone, (struct ck_local){date, last * 60}, CK_ZONE_LAST, NULL),
    };
    int r = ck_capacity_look(turn, frame->subject.unit, plan->inspector, 0, span, &around->look);
    if (r == 0) {
        ck_capacity_look_busy(around->look, span, &around->busy);
        around->all.busy = around->busy.items;
        around->all.busy_count = around->busy.count;
    }
    return r;
}

/* The times of a plan that fixes them, on the date, the one before and the one after. */
static void add_fixed_of(const struct ck_plan *plan, const struct ck_zone *zone,
                         struct ck_date date, struct around *around)
{
    const struct ck_date last = {date.day + 1};
    struct ck_rule_walk walk = ck_rule_walk_from(&plan->rule, plan->first);
    struct ck_date found;
    while (ck_rule_walk_next(&plan->rule, plan->first, last, &walk, &found)) {
        bool near = found.day >= date.day - 1 && found.day >= plan->order_from.day &&
                    found.day <= plan->order_until.day;
        for (uint32_t i = 0; near && i < plan->fixed_count; i++) {
            const struct ck_local at = {found, plan->fixed_min[i] * 60};
            if (around->all.neighbour_count < CK_PLAN_NEIGHBOURS_MAX) {
                around->neighbours[around->all.neighbour_count++] =
                    ck_zone_instant(zone, at, CK_ZONE_FIRST, NULL);
            }
        }
    }
}

/* A fixed time stays where it is, so what is drawn keeps its distance to those that the person's
 * other plans have still to make, too. */
static int add_fixed(struct ck_turn *turn, const struct ck_plan_frame *frame, struct ck_date date,
                     struct around *around)
{
    int64_t ids[CK_DEMAND_PLANS_MAX + 1];
    size_t count = 0;
    int r =
        ck_plan_of_person(turn->store, frame->plan.person, ids, CK_DEMAND_PLANS_MAX + 1, &count);
    ck_cleanup(ck_freep) struct ck_plan_frame *other =
        r == 0 && count > 1 ? calloc(1, sizeof *other) : NULL;
    r = r == 0 && count > 1 && other == NULL ? -ENOMEM : r;
    for (size_t i = 0; r == 0 && i < count; i++) {
        ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
        if (ids[i] == frame->plan.id) {
            continue;
        }
        r = ck_plan_load(turn->store, ids[i], &record);
        r = r == 0 ? ck_plan_frame(turn, &record, other) : r;
        if (r == 0) {
            add_fixed_of(&other->plan, frame->zone, date, around);
        }
    }
    return r;
}

static int look_around(struct ck_turn *turn, const struct ck_plan_frame *frame, struct ck_date date,
                       struct around *around)
{
    struct ck_wall noon =
        ck_zone_instant(frame->zone, (struct ck_local){date, 12 * 3600}, CK_ZONE_FIRST, NULL);
    struct ck_wall from = ck_wall_add_ms(noon, -NEIGHBOUR_MS);
    struct ck_wall until = ck_wall_add_ms(noon, NEIGHBOUR_MS);
    around->all.neighbours = around->neighbours;
    around->all.blackouts = around->blackouts;
    int r =
        ck_checkin_neighbours(turn->store, frame->plan.person, 0, from, until, around->neighbours,
                              CK_PLAN_NEIGHBOURS_MAX, &around->all.neighbour_count);
    r = r == 0 && frame->plan.draws > 0 ? add_fixed(turn, frame, date, around) : r;
    r = r == 0 ? ck_blackouts_of(turn->store, frame->plan.person, from, until, around->blackouts,
                                 NULL, CK_PLAN_BLACKOUTS_MAX, &around->all.blackout_count)
               : r;
    return r == 0 ? look_at_staff(turn, frame, date, around) : r;
}

static int draw_date(struct ck_turn *turn, const struct ck_plan_frame *frame, struct ck_date date,
                     struct around *around, struct ck_occurrence *occurrences, size_t *count)
{
    struct ck_draw_key key;
    int r = ck_draw_key_of(turn, date, &key);
    r = r == 0 ? look_around(turn, frame, date, around) : r;
    r = r == 0 ? ck_plan_expand(&frame->plan, frame->zone, date, &around->all, ck_draw_bytes, &key,
                                occurrences, count)
               : r;
    ck_wipe(&key, sizeof key);
    return r;
}

static int expand_date(struct ck_turn *turn, const struct ck_plan_frame *frame,
                       struct ck_wall not_before, int64_t policy, struct ck_date date)
{
    ck_cleanup(ck_freep) struct ck_occurrence *occurrences =
        calloc(CK_PLAN_SLOTS_MAX, sizeof *occurrences);
    ck_cleanup(around_clear) struct around around = {.all = {.not_before = not_before}};
    size_t count = 0;
    int r =
        occurrences == NULL ? -ENOMEM : draw_date(turn, frame, date, &around, occurrences, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = insert_occurrence(turn, frame, &occurrences[i], policy, &around);
    }
    return r;
}

static int intern_policy(struct ck_turn *turn, const struct ck_checkin_policy *policy, int64_t *id)
{
    ck_cleanup(ck_freep) char *text = ck_checkin_policy_text(policy);
    return text == NULL ? -ENOMEM : ck_policy_of(turn, "checkin", text, id);
}

/* When the last window of a date is over, whatever the windows are. */
static struct ck_wall last_end(const struct ck_zone *zone, struct ck_date date)
{
    return ck_zone_midnight(zone, (struct ck_date){date.day + 2});
}

static int expand(struct ck_turn *turn, struct ck_plan_record *record,
                  const struct ck_plan_frame *frame)
{
    struct ck_plan_row row = {.expanded = record->expanded, .next_at = record->next_at}, next;
    bool more = false;
    struct ck_date date;
    int64_t policy = 0;
    int r = intern_policy(turn, &frame->policy, &policy);
    r = r == 0 ? ck_zone_placed_by(turn, frame->subject.zone) : r;
    for (int made = 0; r == 0; made++) {
        more = ck_plan_step(&frame->plan, frame->zone, &row, turn->now.wall, &next, &date);
        row = next;
        if (!more || made == DATES_PER_TURN) {
            break;
        }
        r = expand_date(turn, frame, record->created, policy, date);
    }
    record->expanded = row.expanded;
    record->next_at = row.next_at;
    if (!more && record->until.day != 0 && row.next_at.ms == CK_WALL_NEVER.ms) {
        record->next_at = last_end(frame->zone, record->until);
    }
    return r == 0 ? ck_plan_save(turn->store, record) : r;
}

int ck_plan_due(struct ck_turn *turn, const struct ck_due *due)
{
    struct ck_plan_frame *frame = calloc(1, sizeof *frame);
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    int r = frame == NULL ? -ENOMEM : ck_plan_load(turn->store, due->id, &record);
    if (r == 0 && record.fence != due->fence) {
        r = CK_E_FENCED;
    }
    if (r == 0) {
        r = ck_plan_frame(turn, &record, frame);
    }
    if (r == 0 && record.until.day != 0 &&
        !ck_wall_before(turn->now.wall, last_end(frame->zone, record.until))) {
        r = ck_plan_over(turn, &record);
    } else if (r == 0) {
        r = expand(turn, &record, frame);
        r = r == 0 ? ck_capacity_again(turn, record.id) : r;
    }
    free(frame);
    return r;
}

int ck_plan_redraw(struct ck_turn *turn, const struct ck_checkin_row *waived, bool *made)
{
    ck_cleanup(ck_freep) struct ck_plan_frame *frame = calloc(1, sizeof *frame);
    ck_cleanup(ck_freep) struct ck_occurrence *occurrences =
        calloc(CK_PLAN_SLOTS_MAX, sizeof *occurrences);
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    const struct ck_plan_slot slot = {
        (uint32_t)(ck_plan_slot_of(waived) / CK_PLAN_SLOTS_PER_WINDOW),
        (uint32_t)(ck_plan_slot_of(waived) % CK_PLAN_SLOTS_PER_WINDOW)};
    ck_cleanup(around_clear) struct around around = {
        .all = {.redraw = (uint32_t)(waived->slot / CK_PLAN_REDRAW_SLOT) + 1, .only = &slot},
        .waived = waived->step.id};
    size_t count = 0;
    *made = false;
    int r = frame == NULL || occurrences == NULL
                ? -ENOMEM
                : ck_plan_load(turn->store, waived->step.plan, &record);
    r = r == 0 ? ck_plan_frame(turn, &record, frame) : r;
    if (r != 0 || slot.window >= frame->plan.window_count ||
        waived->date.day > frame->plan.order_until.day) {
        return r;
    }
    /* Nobody is rung the moment that a door opens. */
    around.all.not_before = ck_wall_add_ms(turn->now.wall, frame->policy.arm_lead_ms);
    r = draw_date(turn, frame, waived->date, &around, occurrences, &count);
    *made = r == 0 && count > 0 && occurrences[0].due.ms != 0;
    bool placed = *made;
    /* Something else may have taken its place under the order meanwhile. */
    r = *made ? ck_extra_allows(turn, waived, occurrences[0].due, made) : r;
    /* What the plan serves again and a blackout takes away now is waived for that, and so given
     * back when that ends. */
    bool kept =
        r == 0 && count > 0 && !placed && waived->step.cause == CK_CAUSE_WAIVED_PLAN_CHANGED;
    return *made || kept ? insert_occurrence(turn, frame, &occurrences[0], waived->policy, &around)
                         : r;
}

/* ---- commands ---- */

static bool may_plan(const struct ck_actor *actor, const struct ck_subject *subject)
{
    return ck_in_scope(actor, subject->unit, subject->inspector);
}

static struct ck_plan_asked asked_now(const struct ck_turn *turn, const struct ck_plan_frame *frame,
                                      int64_t replaced)
{
    return (struct ck_plan_asked){.subject = &frame->subject,
                                  .house = &turn->engine->rules.checkin,
                                  .replaced = replaced,
                                  .zone = frame->zone,
                                  .now = turn->now.wall,
                                  .today = ck_zone_local(frame->zone, turn->now.wall).date};
}

/* Whose place a plan takes that is asked for, and what becomes of the others. */
struct placing {
    struct ck_plan_asked asked;
    struct ck_succession succession;
};

/* What the orders say against it. `placing->asked.replaced` is known. */
static int measure(struct ck_turn *turn, const struct ck_order_record *order,
                   struct ck_plan_frame *frame, struct placing *placing, struct ck_refusal *refusal)
{
    struct ck_demand_fault fault;
    int r = ck_zones_find(turn->engine->zones, frame->subject.zone, &frame->zone);
    if (r != 0) {
        return r > 0 ? ck_refuse(refusal, CK_E_INVALID, "", "the unit's zone is not known") : r;
    }
    placing->asked = asked_now(turn, frame, placing->asked.replaced);
    r = ck_demand_replaced(turn->store, frame->subject.id, placing->asked.replaced, refusal);
    if (r != 0) {
        return r;
    }
    r = ck_demand_plan(turn->store, order, &placing->asked, &frame->plan, &placing->succession,
                       &fault);
    return r == 0 && fault.reason != CK_OBLIGATION_OK
               ? ck_demand_refuse(&order->rules, &fault, refusal)
               : r;
}

/* The person, the order and the plan that a request is about; everything checked. */
static int read_create(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       struct ck_plan_frame *frame, struct ck_plan_record *record,
                       struct placing *placing, struct ck_refusal *refusal)
{
    const json_t *request = json_object_get(body, "request");
    struct ck_order_record order;
    enum ck_plan_reason warning = CK_PLAN_OK;
    const struct ck_checkin_policy *house = &turn->engine->rules.checkin;
    int r = ck_body_id(body, "person", &record->person, refusal);
    r = r == 0 ? ck_body_id(request, "order_id", &record->order, refusal) : r;
    r = r == 0 ? ck_plan_replaced(request, &placing->asked.replaced, refusal) : r;
    if (r != 0) {
        return r;
    }
    r = ck_subject_load(turn->store, record->person, &frame->subject);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "person", "there is no such person");
    }
    if (r == 0 && !may_plan(actor, &frame->subject)) {
        return ck_turn_deny(turn, actor, "person", record->person, record->person,
                            "this person is not yours", refusal);
    }
    r = r == 0 ? ck_order_load(turn->store, record->order, &order) : r;
    if (r == CK_E_NOT_FOUND || (r == 0 && order.person != record->person)) {
        return ck_refuse(refusal, CK_E_NOT_FOUND, "order_id", "the person has no such order");
    }
    if (r == 0 && order.next_at.ms == 0) {
        return ck_refuse(refusal, CK_E_CONFLICT, "order_id", "the order has ended");
    }
    r = r == 0 ? ck_plan_request_read(request, &order, &frame->subject, house, &frame->plan,
                                      &frame->policy, &warning, refusal)
               : r;
    return r == 0 ? measure(turn, &order, frame, placing, refusal) : r;
}

/* What the request says, without the rows that it names: those stand beside it. */
static char *rule_of_record(const struct ck_plan_record *record)
{
    ck_cleanup(ck_json_decrefp_core) json_t *request = json_loads(record->rule, 0, NULL);
    json_object_del(request, "order_id");
    json_object_del(request, "replaces");
    return request == NULL ? NULL : ck_plan_request_text(request);
}

static int record_created(struct ck_turn *turn, const struct ck_actor *actor,
                          const struct ck_plan_record *record, int64_t replaced)
{
    char begins[CK_DATE_TEXT_SIZE];
    ck_cleanup(ck_freep) char *rule = rule_of_record(record);
    if (rule == NULL) {
        return -ENOMEM;
    }
    ck_date_text(record->begins, begins);
    json_t *open = json_pack("{s:I, s:I, s:s, s:I, s:s}", "order", (json_int_t)record->order,
                             "version", (json_int_t)record->version, "rule", rule, "replaces",
                             (json_int_t)replaced, "begins", begins);
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){.action = "PLAN_CREATED",
                                             .object = "plan",
                                             .object_id = record->id,
                                             .person_id = record->person,
                                             .open = open});
}

static int insert_plan(struct ck_turn *turn, const struct ck_actor *actor,
                       struct ck_plan_frame *frame, struct ck_plan_record *record,
                       const struct placing *placing)
{
    int64_t replaced = placing->asked.replaced;
    record->begins = placing->succession.begins;
    record->replaces = placing->succession.leaves;
    if (replaced != 0) {
        record->expanded.day = record->begins.day - 1;
    }
    int r = record->rule == NULL
                ? -ENOMEM
                : ck_plan_insert(turn->store, record, actor->staff_id, turn->now.wall);
    if (r == 0) {
        r = record_created(turn, actor, record, replaced);
    }
    if (r == 0) {
        r = ck_plan_make_way(turn, actor, &placing->succession, placing->asked.today, record->id);
    }
    if (r == 0) {
        r = ck_silence_changed(turn, record->person);
    }
    /* The occurrences are made here and now, so that whoever asked sees them at once. */
    if (r == 0) {
        frame->plan.id = record->id;
        frame->plan.version = 1;
        r = name_draws(turn, frame);
    }
    if (r == 0) {
        r = expand(turn, record, frame);
    }
    return r;
}

/* {person, request: PlanRequest} → {plan: id} */
static int plan_create(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    ck_cleanup(ck_freep) struct ck_plan_frame *frame = calloc(1, sizeof *frame);
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {.active = true};
    struct ck_plan_row row;
    struct placing placing = {.asked = {.replaced = 0}};
    int r =
        frame == NULL ? -ENOMEM : read_create(turn, actor, body, frame, &record, &placing, refusal);
    if (r != 0) {
        return r;
    }
    ck_plan_begin(&frame->plan, frame->zone, turn->now.wall, &row);
    record.unattended = frame->plan.kind == CK_KIND_UNATTENDED;
    record.mandatory = frame->plan.mandatory;
    record.rule = ck_plan_request_text(json_object_get(body, "request"));
    record.expanded = row.expanded;
    record.next_at = row.next_at;
    record.created = turn->now.wall;
    r = insert_plan(turn, actor, frame, &record, &placing);
    if (r == 0) {
        *result = json_pack("{s:I}", "plan", (json_int_t)record.id);
        r = ck_turn_output(turn, &(struct ck_output){.kind = CK_OUTPUT_TODAY,
                                                     .unit_id = frame->subject.unit,
                                                     .staff_id = frame->subject.inspector,
                                                     .person_id = record.person});
    }
    return r;
}

/* {plan, reason} */
static int plan_end(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                    json_t **result, struct ck_refusal *refusal)
{
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    struct ck_subject subject;
    int64_t plan = 0;
    const char *reason = NULL;
    (void)result;
    int r = ck_body_id(body, "plan", &plan, refusal);
    if (r == 0) {
        r = ck_body_text(body, "reason", 1000, false, &reason, refusal);
    }
    if (r != 0) {
        return r;
    }
    r = ck_plan_load(turn->store, plan, &record);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "plan", "there is no such plan");
    }
    if (r == 0) {
        r = ck_subject_load(turn->store, record.person, &subject);
    }
    if (r != 0) {
        return r;
    }
    if (!may_plan(actor, &subject)) {
        return ck_turn_deny(turn, actor, "plan", plan, record.person, "this plan is not yours",
                            refusal);
    }
    r = ck_plan_finish(turn, actor, plan, reason, CK_CAUSE_WAIVED_PLAN_CHANGED);
    return r == CK_E_CONFLICT ? ck_refuse(refusal, r, "plan", "the plan has ended") : r;
}

const struct ck_handler_entry ck_plan_handlers[] = {
    {"plan.create", plan_create},
    {"plan.end", plan_end},
};
const size_t ck_plan_handler_count = sizeof ck_plan_handlers / sizeof ck_plan_handlers[0];
