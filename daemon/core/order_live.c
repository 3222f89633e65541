/* Orders: when they end, and their plans with them. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/core/live_impl.h"
#include "daemon/core/zones.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define PLANS_MAX 32 /* of one order, read at a time: more than one person may have active */

/* What was demanded outside of plans was demanded under the orders together: it goes with the last
 * of them. */
static int finish_unplanned(struct ck_turn *turn, const struct ck_actor *actor, int64_t person,
                            struct ck_date today)
{
    ck_cleanup(ck_freep) struct ck_order_record *order = calloc(1, sizeof *order);
    size_t count = 0;
    int r =
        order == NULL ? -ENOMEM : ck_order_in_force(turn->store, person, today, order, 1, &count);
    if (r != 0 || count > 0) {
        return r;
    }
    return ck_checkins_release(turn, actor, ck_checkin_open_unplanned, person,
                               CK_CAUSE_WAIVED_ORDER_ENDED);
}

/* What would have begun after the order's last date never does, and says so now: whatever serves
 * until then goes on. */
static int finish_unbegun(struct ck_turn *turn, const struct ck_actor *actor,
                          const struct ck_order_record *order, const char *reason)
{
    int64_t ids[PLANS_MAX];
    size_t count = 0;
    int r = ck_plan_of_order(turn->store, order->id, ids, PLANS_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        ck_cleanup(ck_plan_record_clear) struct ck_plan_record record = {0};
        r = ck_plan_load(turn->store, ids[i], &record);
        r = r == 0 && record.begins.day > order->rules.until.day
                ? ck_plan_finish(turn, actor, ids[i], reason, CK_CAUSE_WAIVED_ORDER_ENDED)
                : r;
    }
    return r;
}

/* Ends the plans of an order whose last date is over, or sets when that will be: the beginning of
 * the local day after it, looked at anew where the unit changes its zone. */
static int settle(struct ck_turn *turn, const struct ck_actor *actor, struct ck_order_record *order,
                  const char *reason)
{
    struct ck_subject subject;
    const struct ck_zone *zone = NULL;
    struct ck_date after = {order->rules.until.day + 1};
    int r = ck_subject_load(turn->store, order->person, &subject);
    r = r == 0 ? ck_zones_find(turn->engine->zones, subject.zone, &zone) : r;
    if (r != 0) {
        return r > 0 ? -EUCLEAN : r;
    }
    struct ck_wall over = ck_zone_midnight(zone, after);
    bool is_over = turn->now.wall.ms >= over.ms;
    struct ck_date today = ck_zone_local(zone, turn->now.wall).date;
    order->next_at = is_over ? (struct ck_wall){0} : over;
    r = ck_order_save(turn->store, order);
    if (r != 0 || !is_over) {
        return r == 0 ? finish_unbegun(turn, actor, order, reason) : r;
    }
    char until[CK_DATE_TEXT_SIZE];
    ck_date_text(order->rules.until, until);
    r = ck_turn_audit(turn, actor,
                      &(struct ck_record){.action = "ORDER_OVER",
                                          .object = "order",
                                          .object_id = order->id,
                                          .person_id = order->person,
                                          .open = json_pack("{s:s}", "until", until)});
    r = r == 0 ? ck_order_finish_plans(turn, actor, order->id, reason) : r;
    r = r == 0 ? ck_checkins_release(turn, actor, ck_checkin_open_of_order, order->id,
                                     CK_CAUSE_WAIVED_ORDER_ENDED)
               : r; /* what plans have left that ended before */
    r = r == 0 ? finish_unplanned(turn, actor, order->person, today) : r;
    r = r == 0 ? ck_silence_changed(turn, order->person) : r;
    return r == 0 ? ck_retention_person(turn, order->person) : r;
}

int ck_order_due(struct ck_turn *turn, const struct ck_due *due)
{
    const struct ck_actor actor = ck_actor_system();
    struct ck_order_record order;
    int r = ck_order_load(turn->store, due->id, &order);
    if (r == 0 && order.fence != due->fence) {
        r = CK_E_FENCED;
    }
    return r == 0 ? settle(turn, &actor, &order, "the order is over") : r;
}

/* {order, date: from then on it is not in force, reason} */
static int end_order(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                     json_t **result, struct ck_refusal *refusal)
{
    struct ck_order_record order;
    struct ck_subject subject;
    struct ck_date date;
    const char *text = NULL, *reason = NULL;
    int64_t id = 0;
    int r = ck_body_id(body, "order", &id, refusal);
    r = r == 0 ? ck_body_text(body, "date", 10, false, &text, refusal) : r;
    r = r == 0 ? ck_body_text(body, "reason", 1000, false, &reason, refusal) : r;
    if (r == 0 && ck_date_parse(text, &date) != 0) {
        r = ck_refuse(refusal, CK_E_INVALID, "date", "must be a date, YYYY-MM-DD");
    }
    if (r != 0) {
        return r;
    }
    r = ck_order_load(turn->store, id, &order);
    if (r == CK_E_NOT_FOUND) {
        return ck_refuse(refusal, r, "order", "there is no such order");
    }
    r = r == 0 ? ck_subject_load(turn->store, order.person, &subject) : r;
    if (r == 0 && !ck_in_scope(actor, subject.unit, subject.inspector)) {
        return ck_turn_deny(turn, actor, "order", id, order.person, "this order is not yours",
                            refusal);
    }
    if (r == 0 && order.next_at.ms == 0) {
        r = CK_E_CONFLICT;
    }
    r = r == 0 ? ck_order_end(turn->store, id, text, reason) : r;
    if (r == CK_E_CONFLICT) {
        return ck_refuse(refusal, r, "order", "it has ended already");
    }
    if (r == 0) {
        r = ck_turn_audit(turn, actor,
                          &(struct ck_record){.action = "ORDER_ENDED",
                                              .object = "order",
                                              .object_id = id,
                                              .person_id = order.person,
                                              .open = json_pack("{s:s}", "date", text),
                                              .sealed = json_pack("{s:s}", "reason", reason)});
    }
    r = r == 0 ? ck_order_load(turn->store, id, &order) : r;
    r = r == 0 ? settle(turn, actor, &order, reason) : r;
    if (r == 0) {
        *result =
            json_pack("{s:I, s:I}", "order", (json_int_t)id, "person", (json_int_t)order.person);
        r = *result == NULL ? -ENOMEM : 0;
    }
    return r;
}

int ck_order_finish_plans(struct ck_turn *turn, const struct ck_actor *actor, int64_t order,
                          const char *reason)
{
    for (;;) {
        int64_t ids[PLANS_MAX];
        size_t count = 0;
        int r = ck_plan_of_order(turn->store, order, ids, PLANS_MAX, &count);
        for (size_t i = 0; r == 0 && i < count; i++) {
            r = ck_plan_finish(turn, actor, ids[i], reason, CK_CAUSE_WAIVED_ORDER_ENDED);
        }
        if (r != 0 || count < PLANS_MAX) {
            return r;
        }
    }
}

/* ---- video in the place of visits ---- */

#define CITATION_MAX 1000

/* The order and requirement that a request {order, requirement, citation} is about. */
static int read_replaces(struct ck_turn *turn, const json_t *body, struct ck_order_record *order,
                         int64_t *requirement, const char **citation, struct ck_refusal *refusal)
{
    const json_t *request = json_object_get(body, "request");
    int64_t id = 0;
    int r = ck_body_id(request, "order", &id, refusal);
    r = r == 0 ? ck_body_id(request, "requirement", requirement, refusal) : r;
    r = r == 0 ? ck_body_text(request, "citation", CITATION_MAX, false, citation, refusal) : r;
    r = r == 0 ? ck_order_load(turn->store, id, order) : r;
    bool theirs = r == 0 && order->person == json_integer_value(json_object_get(body, "person"));
    if (r == CK_E_NOT_FOUND || (r == 0 && (!theirs || order->next_at.ms == 0))) {
        return ck_refuse(refusal, CK_E_INVALID, "order", "the person has no such order in force");
    }
    for (uint32_t i = 0; r == 0 && i < order->rules.requirement_count; i++) {
        const struct ck_requirement *found = &order->rules.requirements[i];
        if (order->requirement_ids[i] != *requirement) {
            continue;
        }
        if (found->video_replaces) {
            return ck_refuse(refusal, CK_E_CONFLICT, "requirement",
                             "video replaces visits already");
        }
        return (found->modes & ~CK_MODE_BIT(CK_MODE_IN_PERSON)) != 0
                   ? 0
                   : ck_refuse(refusal, CK_E_INVALID, "requirement", "allows no video contact");
    }
    return r == 0 ? ck_refuse(refusal, CK_E_INVALID, "requirement", "the order has no such one")
                  : r;
}

static int replaces_proposed(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                             json_t **result, struct ck_refusal *refusal)
{
    struct ck_order_record order;
    const char *citation = NULL;
    int64_t requirement = 0;
    (void)actor;
    (void)result;
    return read_replaces(turn, body, &order, &requirement, &citation, refusal);
}

static int replaces_approved(struct ck_turn *turn, const struct ck_actor *actor, const json_t *body,
                             json_t **result, struct ck_refusal *refusal)
{
    struct ck_order_record order = {.id = 0};
    const char *citation = NULL;
    int64_t requirement = 0;
    int64_t proposer = json_integer_value(json_object_get(body, "proposer"));
    int r = read_replaces(turn, body, &order, &requirement, &citation, refusal);
    r = r == 0 ? ck_requirement_replace(turn->store, order.id, requirement, citation, proposer,
                                        actor->staff_id)
               : r;
    if (r != 0) {
        return r;
    }
    *result = json_pack("{s:I}", "order", (json_int_t)order.id);
    return ck_turn_audit(turn, actor,
                         &(struct ck_record){.action = "ORDER_VIDEO_REPLACES",
                                             .object = "order",
                                             .object_id = order.id,
                                             .person_id = order.person,
                                             .open = json_pack("{s:I, s:I, s:I}", "requirement",
                                                               (json_int_t)requirement, "proposer",
                                                               (json_int_t)proposer, "approver",
                                                               (json_int_t)actor->staff_id),
                                             .sealed = json_pack("{s:s}", "citation", citation)});
}

const struct ck_handler_entry ck_order_handlers[] = {
    {"order.end", end_order},
    {"proposed.order.replaces", replaces_proposed},
    {"approved.order.replaces", replaces_approved},
};
const size_t ck_order_handler_count = sizeof ck_order_handlers / sizeof ck_order_handlers[0];
