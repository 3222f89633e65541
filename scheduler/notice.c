#include "scheduler/notice.h"

#include "scheduler/effects_impl.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define DAY_MS (MINUTE_MS * 60 * 24)

struct ck_notice_policy ck_notice_policy_default(void)
{
    return (struct ck_notice_policy){
        .send_timeout_ms = 90 * SECOND_MS,
        .backoff_first_ms = 5 * SECOND_MS,
        .backoff_max_ms = 2 * MINUTE_MS,
        .switch_after = 2,
        .receipt_wait_ms = 2 * MINUTE_MS,
    };
}

const char *ck_notice_policy_fault(const struct ck_notice_policy *policy)
{
    if (policy->send_timeout_ms < SECOND_MS || policy->send_timeout_ms > DAY_MS) {
        return "send_timeout_ms";
    }
    if (policy->backoff_first_ms < 1 || policy->backoff_first_ms > DAY_MS) {
        return "backoff_first_ms";
    }
    if (policy->backoff_max_ms < policy->backoff_first_ms || policy->backoff_max_ms > DAY_MS) {
        return "backoff_max_ms";
    }
    if (policy->switch_after < 1) {
        return "switch_after";
    }
    if (policy->receipt_wait_ms < SECOND_MS || policy->receipt_wait_ms > DAY_MS) {
        return "receipt_wait_ms";
    }
    return NULL;
}

void ck_notice_begin(struct ck_notice *row, struct ck_wall now)
{
    row->state = CK_NOTICE_QUEUED;
    row->tries = 0;
    row->possible_duplicate = false;
    row->moved_on = false;
    row->unwanted = false;
    row->queued_at = now;
    row->next_at = now;
    row->accepted_at = (struct ck_wall){0};
}

/* One decision in the making. */
struct turn {
    struct ck_notice row;
    struct ck_effects effects;
    const struct ck_notice_event *event;
    const struct ck_notice_policy *policy;
    struct ck_wall now;
};

static void enter(struct turn *turn, enum ck_notice_state state, struct ck_wall next_at)
{
    turn->row.state = state;
    turn->row.next_at = next_at;
    ck_effects_audit(&turn->effects, CK_FACT_NOTICE_STATE, state);
}

static const struct ck_wall rest = {0};

/* The next channel of the list, once. */
static void move_on(struct turn *turn)
{
    struct ck_notice *row = &turn->row;
    if (row->rest[0] == CK_CHANNEL_NONE || row->moved_on) {
        return;
    }
    row->moved_on = true;
    ck_effects_add(&turn->effects, CK_EFFECT_NEXT_CHANNEL)->next_channel.channel = row->rest[0];
}

/* This channel is no use any more. */
static void give_up(struct turn *turn, enum ck_notice_state state)
{
    enter(turn, state, rest);
    if (turn->row.rest[0] == CK_CHANNEL_NONE) {
        ck_effects_add(&turn->effects, CK_EFFECT_UNREACHABLE);
        return;
    }
    move_on(turn);
}

/* Doubling, with a quarter of jitter to either side, so that a thousand do not come back together.
 */
static int64_t backoff_ms(const struct turn *turn)
{
    int64_t ms = turn->policy->backoff_first_ms;
    for (uint32_t i = 1; i < turn->row.tries && ms < turn->policy->backoff_max_ms; i++) {
        ms *= 2;
    }
    if (ms > turn->policy->backoff_max_ms) {
        ms = turn->policy->backoff_max_ms;
    }
    return ms * (768 + turn->event->draw % 512) / 1024;
}

static struct ck_wall earlier(struct ck_wall a, struct ck_wall b)
{
    return ck_wall_before(a, b) ? a : b;
}

/* ---- one function for each way that a pair of state and event can go ---------------------------
 */

static void ignore(struct turn *turn)
{
    (void)turn;
}

static void send_now(struct turn *turn)
{
    struct ck_notice *row = &turn->row;
    if (ck_wall_before(turn->now, row->next_at)) {
        return;
    }
    if (!ck_wall_before(turn->now, row->deadline)) {
        give_up(turn, CK_NOTICE_EXPIRED);
        return;
    }
    row->tries++;
    enter(turn, CK_NOTICE_SENDING, ck_wall_add_ms(turn->now, turn->policy->send_timeout_ms));
    struct ck_effect *effect = ck_effects_add(&turn->effects, CK_EFFECT_SEND);
    effect->send.tries = row->tries;
    effect->send.possible_duplicate = row->possible_duplicate;
    if (row->possible_duplicate) {
        ck_effects_audit(&turn->effects, CK_FACT_NOTICE_REPEATED, row->tries);
    }
}

static void cancel(struct turn *turn)
{
    enter(turn, CK_NOTICE_CANCELLED, rest);
}

/* What comes of a failed try before anything else: the result of an older try says nothing about
 * the present one, and a notice that nobody wants any more ends here. */
static bool is_settled(struct turn *turn)
{
    if (turn->event->tries != 0 && turn->event->tries != turn->row.tries) {
        return true;
    }
    if (turn->row.unwanted) {
        cancel(turn);
    }
    return turn->row.unwanted;
}

/* It is leaving just now: that cannot be stopped, but it is not tried again. */
static void cancel_later(struct turn *turn)
{
    turn->row.unwanted = true;
}

/* Perhaps it arrived, perhaps not: it goes again under the same reference. */
static void fate_unknown(struct turn *turn)
{
    if (is_settled(turn)) {
        return;
    }
    turn->row.possible_duplicate = true;
    struct ck_wall at = ck_wall_add_ms(turn->now, backoff_ms(turn));
    enter(turn, CK_NOTICE_UNKNOWN, earlier(at, turn->row.deadline));
}

static void sending_timer(struct turn *turn)
{
    if (!ck_wall_before(turn->now, turn->row.next_at)) {
        fate_unknown(turn);
    }
}

static void taken(struct turn *turn)
{
    turn->row.accepted_at = turn->now;
    /* Where no receipt can come a next channel is all there is to be sure. */
    bool tells = turn->row.receipts || turn->row.rest[0] != CK_CHANNEL_NONE;
    bool wait = tells && !turn->row.moved_on;
    enter(turn, CK_NOTICE_ACCEPTED,
          wait ? ck_wall_add_ms(turn->now, turn->policy->receipt_wait_ms) : rest);
}

static void refused(struct turn *turn)
{
    if (is_settled(turn)) {
        return;
    }
    struct ck_wall at = ck_wall_add_ms(turn->now, backoff_ms(turn));
    if (ck_wall_before(at, turn->event->until)) {
        at = turn->event->until;
    }
    enter(turn, CK_NOTICE_FAILED_TEMP, earlier(at, turn->row.deadline));
    if (turn->row.tries >= turn->policy->switch_after) {
        move_on(turn);
    }
}

static void rejected(struct turn *turn)
{
    if (is_settled(turn)) {
        return;
    }
    give_up(turn, CK_NOTICE_FAILED_PERM);
}

/* A limit delays and never drops: the deadline moves with it, and the next channel starts where the
 * delay would be longer than the notice is of use. */
static void limited(struct turn *turn)
{
    struct ck_notice *row = &turn->row;
    if (is_settled(turn)) {
        return;
    }
    struct ck_wall until = turn->event->until;
    if (ck_wall_before(until, turn->now)) {
        until = turn->now;
    }
    enter(turn, CK_NOTICE_QUEUED, until);
    ck_effects_audit(&turn->effects, CK_FACT_NOTICE_DELAYED, until.ms);
    struct ck_wall useful = ck_wall_add_ms(until, turn->policy->send_timeout_ms);
    if (ck_wall_before(row->deadline, useful)) {
        row->deadline = useful;
        move_on(turn);
    }
}

/* Before it is known to have arrived: any receipt counts. */
static void receipt(struct turn *turn)
{
    switch (turn->event->receipt) {
    case CK_RECEIPT_DELIVERED:
        enter(turn, CK_NOTICE_DELIVERED, rest);
        break;
    case CK_RECEIPT_READ:
        enter(turn, CK_NOTICE_READ, rest);
        break;
    default:
        give_up(turn, CK_NOTICE_FAILED_PERM);
        break;
    }
}

/* After it was given up or taken back: a late good word counts, a bad one is no news. */
static void late_receipt(struct turn *turn)
{
    if (turn->event->receipt != CK_RECEIPT_FAILED) {
        receipt(turn);
    }
}

static void delivered_receipt(struct turn *turn)
{
    if (turn->event->receipt == CK_RECEIPT_READ) {
        receipt(turn);
    }
}

static void late_taken(struct turn *turn)
{
    turn->row.accepted_at = turn->now;
    enter(turn, CK_NOTICE_ACCEPTED, rest);
}

/* Accepted is not delivered (E6): the next channel starts, this one may still arrive. */
static void accepted_timer(struct turn *turn)
{
    struct ck_notice *row = &turn->row;
    if (row->next_at.ms == 0 || ck_wall_before(turn->now, row->next_at)) {
        return;
    }
    row->next_at = rest;
    move_on(turn);
}

typedef void decide(struct turn *turn);

static decide *const decisions[CK_NOTICE_STATE_COUNT][CK_NOTICE_EVENT_COUNT] = {
    /*                          timer         taken    refused  rejected  no answer     limited
                                receipt            cancel */
    [CK_NOTICE_QUEUED] = {send_now, taken, ignore, ignore, ignore, limited, receipt, cancel},
    [CK_NOTICE_SENDING] = {sending_timer, taken, refused, rejected, fate_unknown, limited, receipt,
                           cancel_later},
    [CK_NOTICE_ACCEPTED] = {accepted_timer, ignore, ignore, ignore, ignore, ignore, receipt,
                            ignore},
    [CK_NOTICE_DELIVERED] = {ignore, ignore, ignore, ignore, ignore, ignore, delivered_receipt,
                             ignore},
    [CK_NOTICE_READ] = {ignore, ignore, ignore, ignore, ignore, ignore, ignore, ignore},
    [CK_NOTICE_FAILED_TEMP] = {send_now, taken, ignore, rejected, ignore, limited, receipt, cancel},
    [CK_NOTICE_FAILED_PERM] = {ignore, late_taken, ignore, ignore, ignore, ignore, late_receipt,
                               ignore},
    [CK_NOTICE_EXPIRED] = {ignore, late_taken, ignore, ignore, ignore, ignore, late_receipt,
                           ignore},
    [CK_NOTICE_UNKNOWN] = {send_now, taken, refused, rejected, ignore, limited, receipt, cancel},
    [CK_NOTICE_CANCELLED] = {ignore, late_taken, ignore, ignore, ignore, ignore, late_receipt,
                             ignore},
};

int ck_notice_step(const struct ck_notice *row, const struct ck_notice_event *event,
                   const struct ck_notice_policy *policy, struct ck_wall now,
                   struct ck_notice *next, struct ck_effects *effects)
{
    assert(row->state < CK_NOTICE_STATE_COUNT && event->kind < CK_NOTICE_EVENT_COUNT);
    struct turn turn = {
        .row = *row, .effects.count = 0, .event = event, .policy = policy, .now = now};
    decisions[row->state][event->kind](&turn);
    *next = turn.row;
    ck_effects_give(&turn.effects, effects);
    return 0;
}
