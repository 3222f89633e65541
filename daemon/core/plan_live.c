/* Plans: making occurrences ahead, the keys of their draws, make-ups, and the commands of plans. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/plan_request.h"
#include "daemon/core/wrap.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

#define EPOCH_DAYS 28
#define KEY_PURPOSE "checkind draw key 1"
#define NEIGHBOURS_MAX 64
#define NEIGHBOUR_MS (INT64_C(2) * 24 * 3600 * 1000)
#define PLANNED_MAX 512   /* check-ins of one plan that have not begun */
#define DATES_PER_TURN 32 /* of one plan; the rest in the next turn */
#define MAKE_UP_DAYS 7
#define MAKE_UP_SLOT 1000 /* numbers of make-ups begin here */
#define SLOTS_PER_WINDOW 16

int ck_plan_frame(struct ck_turn *turn, const struct ck_plan_record *record,
                  struct ck_plan_frame *frame)
{
    struct ck_order_brief order;
    struct ck_refusal refusal;
    const char *warning = NULL;
    ck_cleanup(ck_json_decrefp_core) json_t *request = json_loads(record->rule, 0, NULL);
    int r =
        request == NULL ? -EUCLEAN : ck_subject_load(turn->store, record->person, &frame->subject);
    if (r == 0) {
        r = ck_order_brief_load(turn->store, record->order, &order);
    }
    if (r == 0) {
        r = ck_plan_request_read(request, &order, &frame->subject, &turn->engine->rules.checkin,
                                 &frame->plan, &frame->policy, &warning, &refusal);
    }
    if (r == 0) {
        r = ck_zones_find(turn->engine->zones, frame->subject.zone, &frame->zone);
    }
    frame->plan.id = record->id;
    frame->plan.version = (uint32_t)record->version;
    return r > 0 ? -EUCLEAN : r;
}

/* ---- keys of the draws ---- */

struct epoch_key {
    struct ck_turn *turn;
    int64_t epoch;
    uint8_t key[CK_KEY_SIZE];
};

/* The key is committed to in the log before anything is drawn with it. */
static int make_key(struct ck_turn *turn, struct epoch_key *epoch)
{
    uint8_t nonce[CK_GCM_NONCE_SIZE], wrapped[CK_WRAPPED_SIZE], commitment[CK_SHA256_SIZE];
    char text[CK_HEX_SIZE(sizeof commitment)];
    ck_turn_random(turn, epoch->key, sizeof epoch->key);
    ck_turn_random(turn, nonce, sizeof nonce);
    const struct ck_slice slice = {epoch->key, sizeof epoch->key};
    int r = ck_sha256(&slice, 1, commitment);
    if (r == 0) {
        r = ck_key_wrap(ck_turn_master_key(turn), KEY_PURPOSE, epoch->epoch, nonce, epoch->key,
                        wrapped);
    }
    if (r == 0) {
        r = ck_draw_key_insert(turn->store, epoch->epoch, wrapped, sizeof wrapped, commitment,
                               turn->now.wall);
    }
    if (r != 0) {
        return r;
    }
    ck_hex_encode(commitment, sizeof commitment, text);
    const struct ck_actor actor = ck_actor_system();
    return ck_turn_audit(
        turn, &actor,
        &(struct ck_record){
            .action = "DRAW_KEY_COMMITTED",
            .object = "draw_key",
            .object_id = epoch->epoch,
            .open = json_pack("{s:I, s:s}", "epoch", (json_int_t)epoch->epoch, "sha256", text),
        });
}

static int load_key(struct ck_turn *turn, struct ck_date date, struct epoch_key *epoch)
{
    uint8_t wrapped[CK_WRAPPED_SIZE];
    size_t size = 0;
    *epoch = (struct epoch_key){.turn = turn, .epoch = date.day / EPOCH_DAYS};
    int r = ck_draw_key_load(turn->store, epoch->epoch, wrapped, sizeof wrapped, &size);
    if (r == CK_E_NOT_FOUND) {
        return make_key(turn, epoch);
    }
    if (r == 0) {
        r = ck_key_unwrap(ck_turn_master_key(turn), KEY_PURPOSE, epoch->epoch, wrapped, size,
                          epoch->key);
    }
    return r > 0 ? -EUCLEAN : r;
}

static int draw(void *context, const uint8_t *message, size_t size, uint8_t bytes[CK_DRAW_BYTES])
{
    const struct epoch_key *epoch = context;
    const struct ck_slice slice = {message, size};
    return ck_hmac_sha256(epoch->key, sizeof epoch->key, &slice, 1, bytes);
}

/* ---- occurrences ---- */

static int record_planned(struct ck_turn *turn, const struct ck_checkin_row *row,
                          const struct ck_occurrence *occurrence)
{
    char due[CK_WALL_TEXT_SIZE], message[CK_HEX_SIZE(CK_DRAW_MESSAGE_SIZE)] = "";
    char start[CK_WALL_TEXT_SIZE], end[CK_WALL_TEXT_SIZE], date[CK_DATE_TEXT_SIZE];
    ck_wall_text(row->step.due, due);
    ck_wall_text(row->step.window_start, start);
    ck_wall_text(row->step.window_end, end);
    ck_date_text(row->date, date);
    ck_hex_encode(occurrence->draw.message, occurrence->draw.size, message);
    json_t *allowed = json_array();
    for (uint32_t i = 0; occurrence->draw.size > 0 && i < occurrence->draw.allowed.count; i++) {
        json_array_append_new(
            allowed, json_pack("[I, I]", (json_int_t)occurrence->draw.allowed.items[i].from.ms,
                               (json_int_t)occurrence->draw.allowed.items[i].until.ms));
    }
    const struct ck_actor actor = ck_actor_system();
    return ck_turn_audit(
        turn, &actor,
        &(struct ck_record){
            .action = "CHECKIN_PLANNED",
            .object = "checkin",
            .object_id = row->step.id,
            .person_id = row->step.person,
            .open =
                json_pack("{s:I, s:I, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "plan",
                          (json_int_t)row->step.plan, "version", (json_int_t)row->plan_version,
                          "date", date, "slot", (json_int_t)row->slot, "place",
                          ck_place_name(occurrence->place), "window_start", start, "window_end",
                          end, "zone", row->zone, "zone_version", row->zone_version, "draw",
                          message, "policy", (json_int_t)row->policy, "allowed", allowed),
            .sealed = json_pack("{s:s}", "due", due),
        });
}

static int insert_occurrence(struct ck_turn *turn, const struct ck_plan_frame *frame,
                             const struct ck_occurrence *occurrence, int64_t policy)
{
    const struct ck_actor actor = ck_actor_system();
    struct ck_checkin_row row;
    memset(&row, 0, sizeof row);
    ck_plan_checkin(&frame->plan, occurrence, &frame->policy, 0, &row.step);
    row.unit = frame->subject.unit;
    row.policy = policy;
    row.plan_version = frame->plan.version;
    row.date = occurrence->date;
    row.slot = (int64_t)occurrence->window * SLOTS_PER_WINDOW + occurrence->slot;
    row.drawn = occurrence->draw.size > 0;
    row.attempts = frame->policy.attempts;
    snprintf(row.zone, sizeof row.zone, "%s", frame->subject.zone);
    snprintf(row.zone_version, sizeof row.zone_version, "%s",
             ck_zones_version(turn->engine->zones));
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
        r = record_planned(turn, &row, occurrence);
    }
    if (r == 0 && occurrence->due.ms == 0) {
        r = ck_checkin_feed(
            turn, &actor, &row,
            &(struct ck_checkin_event){.kind = CK_CHECKIN_WAIVED,
                                       .waived.cause = ck_place_cause(occurrence->place)});
    }
    return r;
}

static int expand_date(struct ck_turn *turn, const struct ck_plan_frame *frame,
                       struct ck_wall not_before, int64_t policy, struct ck_date date)
{
    struct ck_occurrence *occurrences = calloc(CK_PLAN_SLOTS_MAX, sizeof *occurrences);
    struct ck_wall neighbours[NEIGHBOURS_MAX];
    struct ck_plan_surroundings around = {.not_before = not_before, .neighbours = neighbours};
    struct epoch_key epoch;
    size_t count = 0;
    struct ck_wall noon =
        ck_zone_instant(frame->zone, (struct ck_local){date, 12 * 3600}, CK_ZONE_FIRST, NULL);
    int r = occurrences == NULL ? -ENOMEM : load_key(turn, date, &epoch);
    if (r == 0) {
        r = ck_checkin_neighbours(turn->store, frame->plan.person,
                                  ck_wall_add_ms(noon, -NEIGHBOUR_MS),
                                  ck_wall_add_ms(noon, NEIGHBOUR_MS), neighbours, NEIGHBOURS_MAX,
                                  &around.neighbour_count);
    }
    if (r == 0) {
        r = ck_plan_expand(&frame->plan, frame->zone, date, &around, draw, &epoch, occurrences,
                           &count);
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = insert_occurrence(turn, frame, &occurrences[i], policy);
    }
    ck_wipe(epoch.key, sizeof epoch.key);
    free(occurrences);
    return r;
}

static int intern_policy(struct ck_turn *turn, const struct ck_checkin_policy *policy, int64_t *id)
{
    ck_cleanup(ck_freep) char *text = ck_checkin_policy_text(policy);
    return text == NULL ? -ENOMEM : ck_policy_intern(turn->store, "checkin", text, id);
}

static int expand(struct ck_turn *turn, struct ck_plan_record *record,
                  const struct ck_plan_frame *frame)
{
    struct ck_plan_row row = {.expanded = record->expanded, .next_at = record->next_at}, next;
    struct ck_date date;
    int64_t policy = 0;
    int r = intern_policy(turn, &frame->policy, &policy);
    for (int made = 0; r == 0; made++) {
        bool more = ck_plan_step(&frame->plan, frame->zone, &row, turn->now.wall, &next, &date);
        row = next;
        if (!more || made == DATES_PER_TURN) {
            break;
        }
        r = expand_date(turn, frame, record->created, policy, date);
    }
    record->expanded = row.expanded;
    record->next_at = row.next_at;
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
    if (r == 0) {
        r = expand(turn, &record, frame);
    }
    free(frame);
    return r;
}

/* ---- make-ups ---- */

static int place_make_up(struct ck_turn *turn, const struct ck_checkin_row *row,
                         const struct ck_checkin_policy *policy, struct ck_checkin *made)
{
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    struct ck_wall neighbours[NEIGHBOURS_MAX], at;
    struct ck_interval window;
    size_t count = 0;
    struct ck_wall earliest = ck_wall_add_ms(turn->now.wall, policy->make_up_delay_ms);
    struct ck_plan_frame *frame = calloc(1, sizeof *frame);
    int r = frame == NULL ? -ENOMEM : ck_plan_load(turn->store, row->step.plan, &record);
    if (r == 0) {
        r = ck_plan_frame(turn, &record, frame);
    }
    if (r == 0) {
        r = ck_checkin_neighbours(turn->store, row->step.person, turn->now.wall,
                                  ck_wall_add_ms(turn->now.wall, (MAKE_UP_DAYS + 1) * NEIGHBOUR_MS),
                                  neighbours, NEIGHBOURS_MAX, &count);
    }
    if (r == 0) {
        r = ck_make_up_place(&frame->plan, frame->zone, earliest, MAKE_UP_DAYS, NULL, 0, neighbours,
                             count, &at, &window);
    }
    free(frame);
    if (r == 0) {
        made->due = at;
        made->window_start = window.from;
        made->window_end = window.until;
    }
    return r;
}

int ck_make_up(struct ck_turn *turn, const struct ck_checkin_row *row, struct ck_wall at)
{
    const struct ck_actor actor = ck_actor_system();
    struct ck_checkin_policy policy;
    int r = ck_checkin_policy_of(turn, row->policy, &policy);
    if (r != 0) {
        return r;
    }
    struct ck_checkin_row made = *row;
    made.receipt[0] = '\0';
    made.waiting_since = made.connected_at = made.decided_at = (struct ck_wall){0};
    made.taken_by = 0;
    made.drawn = false;
    made.slot = MAKE_UP_SLOT + row->slot;
    made.step.make_up_of = row->step.id;
    made.step.due = at;
    if (at.ms == 0) {
        r = row->step.plan == 0 ? CK_E_NOT_FOUND : place_make_up(turn, row, &policy, &made.step);
        if (r == CK_E_NOT_FOUND) {
            return ck_record_checkin(turn, &actor, row, "CHECKIN_NO_MAKE_UP", NULL);
        }
    }
    if (r != 0) {
        return r;
    }
    ck_checkin_begin(&made.step, &policy);
    r = ck_checkin_insert(turn->store, &made, NULL, turn->now.wall);
    if (r == 0) {
        char due[CK_WALL_TEXT_SIZE];
        ck_wall_text(made.step.due, due);
        r = ck_record_checkin(turn, &actor, &made, "CHECKIN_MAKE_UP",
                              json_pack("{s:I, s:s, s:I}", "of", (json_int_t)row->step.id, "due",
                                        due, "policy", (json_int_t)made.policy));
    }
    return r == 0 ? ck_tell_today(turn, &made) : r;
}

/* ---- commands ---- */

static bool may_plan(const struct ck_actor *actor, const struct ck_subject *subject)
{
    return ck_in_scope(actor, subject->unit, subject->inspector);
}

/* {person, request: PlanRequest} → {plan: id} */
static int plan_create(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                       json_t **result, struct ck_refusal *refusal)
{
    const json_t *request = json_object_get(body, "request");
    ck_cleanup(ck_freep) struct ck_plan_frame *frame = calloc(1, sizeof *frame);
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {.active = true};
    struct ck_order_brief order;
    const char *warning = NULL;
    int r = frame == NULL ? -ENOMEM : ck_body_id(body, "person", &record.person, refusal);
    if (r == 0) {
        r = ck_body_id(request, "order_id", &record.order, refusal);
    }
    if (r != 0) {
        return r;
    }
    r = ck_subject_load(turn->store, record.person, &frame->subject);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "person", "there is no such person");
    }
    if (r == 0 && !may_plan(actor, &frame->subject)) {
        return ck_turn_deny(turn, actor, "person", record.person, record.person,
                            "this person is not yours", refusal);
    }
    if (r == 0) {
        r = ck_order_brief_load(turn->store, record.order, &order);
    }
    if (r == CK_E_NOT_FOUND || (r == 0 && order.person != record.person)) {
        return ck_refuse(refusal, CK_E_NOT_FOUND, "order_id", "the person has no such order");
    }
    if (r == 0 && order.ended) {
        return ck_refuse(refusal, CK_E_CONFLICT, "order_id", "the order has ended");
    }
    if (r == 0) {
        r = ck_plan_request_read(request, &order, &frame->subject, &turn->engine->rules.checkin,
                                 &frame->plan, &frame->policy, &warning, refusal);
    }
    if (r != 0) {
        return r;
    }
    r = ck_zones_find(turn->engine->zones, frame->subject.zone, &frame->zone);
    if (r > 0) {
        return ck_refuse(refusal, CK_E_INVALID, "", "the unit's zone %s is not known",
                         frame->subject.zone);
    }
    struct ck_plan_row row;
    ck_plan_begin(&frame->plan, frame->zone, turn->now.wall, &row);
    record.unattended = frame->plan.kind == CK_KIND_UNATTENDED;
    record.mandatory = frame->plan.mandatory;
    record.rule = ck_plan_request_text(request);
    record.expanded = row.expanded;
    record.next_at = row.next_at;
    record.created = turn->now.wall;
    if (r == 0) {
        r = record.rule == NULL
                ? -ENOMEM
                : ck_plan_insert(turn->store, &record, actor->staff_id, turn->now.wall);
    }
    if (r == 0) {
        r = ck_turn_audit(
            turn, actor,
            &(struct ck_record){
                .action = "PLAN_CREATED",
                .object = "plan",
                .object_id = record.id,
                .person_id = record.person,
                .open = json_pack("{s:I, s:I, s:s}", "order", (json_int_t)record.order, "version",
                                  (json_int_t)record.version, "rule", record.rule),
            });
    }
    /* The occurrences are made here and now, so that whoever asked sees them at once. */
    if (r == 0) {
        frame->plan.id = record.id;
        frame->plan.version = 1;
        r = expand(turn, &record, frame);
    }
    if (r == 0) {
        *result = json_pack("{s:I}", "plan", (json_int_t)record.id);
        r = ck_turn_output(turn, &(struct ck_output){.kind = CK_OUTPUT_TODAY,
                                                     .unit_id = frame->subject.unit,
                                                     .staff_id = frame->subject.inspector,
                                                     .person_id = record.person});
    }
    return r;
}

int ck_plan_finish(struct ck_turn *turn, const struct ck_actor *actor, int64_t plan,
                   const char *reason, enum ck_cause cause)
{
    ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
    ck_cleanup(ck_freep) int64_t *ids = calloc(PLANNED_MAX, sizeof *ids);
    size_t count = 0;
    int r = ids == NULL ? -ENOMEM : ck_plan_load(turn->store, plan, &record);
    if (r == 0) {
        r = ck_plan_end(turn->store, plan, reason, turn->now.wall);
    }
    if (r == 0) {
        r = ck_turn_audit(turn, actor,
                          &(struct ck_record){
                              .action = "PLAN_ENDED",
                              .object = "plan",
                              .object_id = plan,
                              .person_id = record.person,
                              .open = json_pack("{s:s}", "cause", ck_cause_name(cause)),
                              .sealed = json_pack("{s:s}", "reason", reason),
                          });
    }
    if (r == 0) {
        r = ck_checkin_planned_of(turn->store, plan, ids, PLANNED_MAX, &count);
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_checkin_row row;
        r = ck_checkin_load(turn->store, ids[i], &row);
        if (r == 0) {
            r = ck_checkin_feed(turn, actor, &row,
                                &(struct ck_checkin_event){.kind = CK_CHECKIN_WAIVED,
                                                           .waived.cause = cause,
                                                           .waived.staff = actor->staff_id});
        }
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

int ck_order_finish_plans(struct ck_turn *turn, const struct ck_actor *actor, int64_t order,
                          const char *reason)
{
    int64_t ids[PLANNED_MAX];
    size_t count = 0;
    int r = ck_plan_of_order(turn->store, order, ids, PLANNED_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = ck_plan_finish(turn, actor, ids[i], reason, CK_CAUSE_WAIVED_ORDER_ENDED);
    }
    return r;
}

const struct ck_handler_entry ck_plan_handlers[] = {
    {"plan.create", plan_create},
    {"plan.end", plan_end},
};
const size_t ck_plan_handler_count = sizeof ck_plan_handlers / sizeof ck_plan_handlers[0];
