/* What may be demanded of a person: plans, on-demand checks, second checks and make-ups, each
 * measured against the orders in the store before it exists (scheduler/obligation.h). On any
 * connection; nothing is written. */
#ifndef DAEMON_CORE_DEMAND_H
#define DAEMON_CORE_DEMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/core/command.h"
#include "daemon/store/order.h"
#include "daemon/store/plan.h"
#include "daemon/store/store.h"
#include "scheduler/obligation.h"
#include "scheduler/plan.h"

#define CK_DEMAND_PLANS_MAX 15 /* active plans of one person, beside a new one */
#define CK_DEMAND_ORDERS_MAX                                                                       \
    16 /* orders of one person in force at once; more are not looked at                            \
        */

/* What the order says against a plan; CK_OBLIGATION_OK: nothing. `excess.from` is 0 where it is not
 * about dates. */
struct ck_demand_fault {
    enum ck_obligation_reason reason;
    struct ck_excess excess;
};

/* Whose plan is asked for, and when. */
struct ck_plan_asked {
    const struct ck_subject *subject;
    const struct ck_checkin_policy *house;
    int64_t replaced;           /* the plan that it takes the place of; 0: none */
    const struct ck_zone *zone; /* of the person's unit */
    struct ck_wall now;
    struct ck_date today; /* there */
};

/* What becomes of the others where a plan takes a place. */
struct ck_succession {
    /* From which date on it demands anything: today; tomorrow where nothing of today can be planned
     * any more, or the day is begun by the plan that serves today; or its own first date, or its
     * order's. */
    struct ck_date begins;
    /* The plan that serves until then: no date is owed twice, and none falls out. 0: none. */
    int64_t leaves;
    /* Those that wait for the place and would have begun on that date or later: they never serve.
     * The last one first. */
    int64_t withdrawn[CK_DEMAND_PLANS_MAX];
    size_t withdrawn_count;
};

/* Whether the place that a request asks for (0: none) can be taken. CK_E_INVALID, CK_E_CONFLICT
 * with *refusal: the plan is not this person's, has ended, or another waits to take its place. */
int ck_demand_replaced(struct ck_store *store, int64_t person, int64_t replaced,
                       struct ck_refusal *refusal);

/* Measures a plan that is to be made beside the person's other active plans, and beside the
 * contacts that there are already: made, failed, going on or drawn. Plans under other orders count
 * for the number on one date, of which the least of all their orders holds. `asked->replaced` can
 * be taken (ck_demand_replaced()). 0 with *succession, what becomes of the others, and *fault;
 * where there are too many plans *succession tells of as many as there can be. */
int ck_demand_plan(struct ck_store *store, const struct ck_order_record *order,
                   const struct ck_plan_asked *asked, const struct ck_plan *plan,
                   struct ck_succession *succession, struct ck_demand_fault *fault);

/* A fault as a refusal: CK_E_INVALID, with what goes beyond, from which date on and by how much. */
int ck_demand_refuse(const struct ck_order *rules, const struct ck_demand_fault *fault,
                     struct ck_refusal *refusal);

/* One contact beside the plans. */
struct ck_demand {
    struct ck_local at;   /* when it rings */
    struct ck_wall begin; /* the same as an instant */
    int64_t tail_ms;      /* its rings and grace */
    bool unattended;
    bool mandatory;
    int32_t hours_end_min; /* out, of ck_demand_extra_any(): the local minute of that date at which
                              calls are over */
};

/* Measures it against one order. *reason is CK_OBLIGATION_OK where it fits. */
int ck_demand_extra(struct ck_store *store, const struct ck_order_record *order,
                    const struct ck_demand *demand, enum ck_obligation_reason *reason);

/* Against all orders of the person in force on its date: the best one decides. In: whether it is
 * wished to be a duty; out: whether it may be. A contact that no order requires, or requires no
 * more, is voluntary where `wished` is only a preference (`must` false); one that is outside hours
 * or above the number for a day is none at all. Without any order it is voluntary and keeps to the
 * usual hours. In a blackout there is none. CK_E_CONFLICT with *refusal. */
int ck_demand_extra_any(struct ck_store *store, int64_t person, struct ck_demand *demand, bool must,
                        struct ck_refusal *refusal);

#endif
