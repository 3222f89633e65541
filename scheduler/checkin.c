#include "scheduler/checkin.h"

#include "scheduler/checkin_impl.h"
#include "scheduler/effects_impl.h"

/* Every function below decides one or more cells of the table at the end of this file; the table in
 * words is in scheduler/DESIGN.md. */

static struct ck_wall later(struct ck_wall a, struct ck_wall b)
{
    return ck_wall_before(a, b) ? b : a;
}

static bool is_set(struct ck_wall at)
{
    return at.ms != 0;
}

/* ---- any state ------------------------------------------------------------------------------- */

static int ignore(struct ck_checkin_turn *turn)
{
    (void)turn;
    return 0;
}

static int refuse(struct ck_checkin_turn *turn)
{
    (void)turn;
    return CK_E_CONFLICT;
}

static int after_end(struct ck_checkin_turn *turn)
{
    ck_effects_audit(&turn->effects, CK_FACT_AFTER_END, turn->event->kind);
    return 0;
}

static int note_fact(struct ck_checkin_turn *turn)
{
    ck_checkin_note(turn, turn->event->fact.evidence, turn->event->fact.at);
    return 0;
}

static int note_fault(struct ck_checkin_turn *turn)
{
    ck_checkin_note_faults(turn, turn->event->fault.faults);
    return 0;
}

static int note_answerable(struct ck_checkin_turn *turn)
{
    ck_checkin_note_answerable(turn, turn->event->answerable.ms);
    return 0;
}

static int waive(struct ck_checkin_turn *turn)
{
    enum ck_cause cause = turn->event->waived.cause;
    if (cause < CK_CAUSE_WAIVED_COURT || cause >= CK_CAUSE_COUNT) {
        return CK_E_INVALID;
    }
    if (cause < CK_CAUSE_WAIVED_ORDER_ENDED && turn->event->waived.staff == 0) {
        return CK_E_INVALID;
    }
    ck_checkin_finish(turn, CK_OUTCOME_WAIVED, cause);
    return 0;
}

/* Before the first ring it is whatever the person's is now. */
static int banded(struct ck_checkin_turn *turn)
{
    turn->row.band = turn->event->banded.band;
    return 0;
}

/* What has begun is never made light of: only a higher band is taken over. */
static int banded_begun(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (turn->event->banded.band > row->band) {
        row->band = turn->event->banded.band;
        ck_effects_audit(&turn->effects, CK_FACT_BANDED, row->band);
    }
    return 0;
}

static int contact_elsewhere(struct ck_checkin_turn *turn)
{
    turn->row.merged_into = turn->event->elsewhere.checkin;
    ck_checkin_finish_contact(turn, CK_CAUSE_CONTACT_ELSEWHERE);
    return 0;
}

/* ---- ringing and coming in ---------------------------------------------------------------------
 */

/* While RINGING: the next ring, which always lies inside the response window; after the last one
 * the end of grace; after that the late limit. */
static void schedule_ringing(struct ck_checkin *row)
{
    struct ck_wall at = row->finding == CK_OUTCOME_OPEN ? row->answer_until : row->late_until;
    row->next_at = is_set(row->ring_next_at) ? row->ring_next_at : at;
}

static void ring(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    row->attempt++;
    ck_effects_add(&turn->effects, CK_EFFECT_RING)->ring.attempt = row->attempt;
    struct ck_wall next = ck_wall_add_ms(turn->now, turn->policy->ring_spacing_ms);
    bool more = row->attempt < turn->policy->attempts + row->lost &&
                ck_wall_before(next, row->respond_until);
    row->ring_next_at = more ? next : (struct ck_wall){0};
}

/* The response window begins with the first ring that really goes out, not with the time it was
 * due. */
static void open_window(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    row->state = CK_CHECKIN_RINGING;
    row->merged_into = 0;
    row->opened_at = turn->now;
    row->respond_until = ck_wall_add_ms(row->opened_at, turn->policy->response_ms);
    row->answer_until = ck_wall_add_ms(row->respond_until, turn->policy->grace_ms);
    row->late_until = ck_wall_add_ms(row->answer_until, turn->policy->late_ms);
}

static void start_unattended(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    row->phase = CK_PHASE_CHALLENGE;
    row->next_at = ck_wall_add_ms(turn->now, turn->policy->challenge_ms);
    ck_effects_add(&turn->effects, CK_EFFECT_START_UNATTENDED);
}

static void wait_for_inspector(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    row->phase = CK_PHASE_WAITING;
    row->next_at = ck_wall_add_ms(turn->now, turn->policy->live_wait_ms);
    ck_effects_add(&turn->effects, CK_EFFECT_CONSOLE_RING);
}

static int come_in(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (row->page_block == CK_CAUSE_CLOSED_ON_PURPOSE) {
        row->page_block = CK_CAUSE_NONE;
    }
    row->media = false; /* what an earlier connection still said */
    ck_checkin_note(turn, CK_EVIDENCE_JOINED, turn->now);
    ck_effects_audit(&turn->effects, CK_FACT_JOINED, row->attempt);
    if (row->attempt > 0) {
        ck_effects_add(&turn->effects, CK_EFFECT_STOP_RINGING);
    }
    row->state = CK_CHECKIN_CONNECTED;
    row->ring_next_at = (struct ck_wall){0};
    row->joined_at = turn->now;
    row->call_until = ck_wall_add_ms(turn->now, turn->policy->call_max_ms);
    if (row->kind == CK_KIND_UNATTENDED) {
        start_unattended(turn);
    } else {
        wait_for_inspector(turn);
    }
    return 0;
}

/* Out of the room without anything to conclude on: the person is awaited again. */
static void await_again(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (row->phase == CK_PHASE_WAITING) {
        ck_effects_add(&turn->effects, CK_EFFECT_CONSOLE_QUIET);
    }
    ck_effects_add(&turn->effects, CK_EFFECT_END_CALL);
    row->state = CK_CHECKIN_RINGING;
    row->phase = CK_PHASE_NONE;
    row->contact = false;
    row->media = false;
    schedule_ringing(row);
}

/* The same after a failure that may be nobody's: they get time to come back and are rung at once, a
 * limited number of times, so that nobody can put off the end for ever. */
static void call_back(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    await_again(turn);
    row->lost++;
    ck_effects_audit(&turn->effects, CK_FACT_CALL_LOST, row->lost);
    if (row->lost > turn->policy->rejoins || row->order_over) {
        return;
    }
    struct ck_wall until = ck_wall_add_ms(turn->now, turn->policy->rejoin_ms);
    if (row->finding == CK_OUTCOME_OPEN) {
        row->answer_until = later(row->answer_until, until);
    }
    row->late_until = later(row->late_until, until);
    if (row->kind != CK_KIND_INBOUND) {
        ring(turn);
    }
    schedule_ringing(row);
}

/* The call is over and there was contact: its result is to be written down. */
static void await_form(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (row->phase == CK_PHASE_WAITING) {
        ck_effects_add(&turn->effects, CK_EFFECT_CONSOLE_QUIET);
    }
    ck_effects_add(&turn->effects, CK_EFFECT_END_CALL);
    row->phase = CK_PHASE_FORM;
    row->next_at = ck_wall_add_ms(turn->now, turn->policy->form_ms);
}

/* ---- PLANNED and ARMED
 * --------------------------------------------------------------------------- */

static int planned_timer(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (ck_wall_before(turn->now, row->next_at)) {
        return 0;
    }
    row->state = CK_CHECKIN_ARMED;
    row->next_at = row->due;
    ck_effects_audit(&turn->effects, CK_FACT_ARMED, 0);
    return 0;
}

static int planned_moved(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    const struct ck_checkin_event *event = turn->event;
    if (!ck_wall_before(event->moved.window_start, event->moved.window_end) ||
        ck_wall_before(event->moved.due, event->moved.window_start) ||
        !ck_wall_before(event->moved.due, event->moved.window_end)) {
        return CK_E_INVALID;
    }
    ck_effects_audit(&turn->effects, CK_FACT_MOVED, row->due.ms);
    row->due = event->moved.due;
    row->window_start = event->moved.window_start;
    row->window_end = event->moved.window_end;
    row->next_at = ck_wall_add_ms(row->due, -turn->policy->arm_lead_ms);
    return 0;
}

/* Ahead of its time only a make-up is served by a contact elsewhere: it exists for want of one. */
static int planned_elsewhere(struct ck_checkin_turn *turn)
{
    return turn->row.make_up_of != 0 ? contact_elsewhere(turn) : 0;
}

static int armed_elsewhere(struct ck_checkin_turn *turn)
{
    bool waits = turn->row.merged_into == turn->event->elsewhere.checkin;
    return waits || turn->row.make_up_of != 0 ? contact_elsewhere(turn) : 0;
}

/* A stable number below `n` that spreads neighbouring ids: the finalizer of MurmurHash3, a public
 * constant mix. */
static int64_t spread(int64_t id, int64_t n)
{
    uint64_t x = (uint64_t)id;
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    x ^= x >> 33;
    return (int64_t)(x % (uint64_t)n);
}

/* Whether the rings still end inside the window when they begin at `at`. On demand it ends with the
 * hours in which calls are allowed. */
static bool has_room(const struct ck_checkin *row, const struct ck_checkin_policy *policy,
                     struct ck_wall at)
{
    return !is_set(row->window_end) || at.ms + policy->response_ms <= row->window_end.ms;
}

/* How much later the rings may begin, of `range`. */
static int64_t room_of(const struct ck_checkin_turn *turn, int64_t range)
{
    const struct ck_checkin *row = &turn->row;
    int64_t room = row->window_end.ms - turn->policy->response_ms - turn->now.ms;
    return is_set(row->window_end) && room < range ? room : range;
}

/* A place within `range` from now on at which somebody has time; false: there is none. */
static bool wait_for_somebody(struct ck_checkin_turn *turn, int64_t range)
{
    const struct ck_interval_set *busy = turn->event->timer.busy;
    struct ck_interval_set free;
    ck_interval_set_of((struct ck_interval){turn->now, ck_wall_add_ms(turn->now, range)}, &free);
    for (uint32_t i = 0; i < busy->count; i++) {
        ck_interval_set_take(&free, busy->items[i]);
    }
    int64_t seconds = ck_interval_set_seconds(&free);
    if (seconds > 0) { /* beyond the spread the first that there is: they part by themselves */
        bool within = range <= turn->event->timer.spread_ms;
        turn->row.next_at = ck_interval_set_at(&free, within ? spread(turn->row.id, seconds) : 0);
    }
    return seconds > 0;
}

/* S12: after an outage what still has room runs now, spread out over the room that each has, never
 * as a burst; a live one where somebody has time for it, then elsewhere in its window, then
 * unattended (S7). The top band does not wait. */
static bool put_off(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    int64_t range = turn->event->timer.spread_ms;
    if (range <= 0 || row->caught_up) {
        return false;
    }
    row->caught_up = true;
    ck_effects_audit(&turn->effects, CK_FACT_CAUGHT_UP, turn->now.ms - row->due.ms);
    if (row->band == CK_BAND_TOP) {
        return false;
    }
    range = room_of(turn, range);
    if (range == 0) {
        return false; /* the last moment for it */
    }
    if (turn->event->timer.busy != NULL) {
        if (wait_for_somebody(turn, range) ||
            wait_for_somebody(turn, room_of(turn, CK_CATCH_UP_MAX_MS))) {
            return true;
        }
        row->kind = turn->policy->unattended_fallback ? CK_KIND_UNATTENDED : row->kind;
    }
    row->next_at = ck_wall_add_ms(turn->now, spread(row->id, range));
    return true;
}

static void defer(struct ck_checkin_turn *turn, int64_t other)
{
    struct ck_checkin *row = &turn->row;
    if (row->merged_into != other) {
        row->merged_into = other;
        ck_effects_audit(&turn->effects, CK_FACT_DEFERRED, other);
    }
    row->next_at = ck_wall_add_ms(turn->now, turn->policy->defer_ms);
}

static int armed_timer(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (ck_wall_before(turn->now, row->next_at)) {
        return 0;
    }
    if (turn->event->timer.other_live != 0) {
        defer(turn, turn->event->timer.other_live);
        return 0;
    }
    int64_t late_ms = turn->now.ms - row->due.ms;
    if (late_ms > turn->policy->misfire_ms) {
        if (turn->event->timer.excused || !has_room(row, turn->policy, turn->now)) {
            ck_effects_audit(&turn->effects, CK_FACT_DELAYED, late_ms);
            ck_checkin_finish(turn, CK_OUTCOME_SYSTEM_FAULT,
                              row->merged_into != 0 ? CK_CAUSE_OVERLAPPED : CK_CAUSE_DOWN);
            return 0;
        }
        if (put_off(turn)) {
            return 0;
        }
        ck_effects_audit(&turn->effects, CK_FACT_DELAYED, late_ms);
    }
    open_window(turn);
    ring(turn);
    schedule_ringing(row);
    return 0;
}

/* Only the kind that starts with the person calling in. */
static int start_inbound(struct ck_checkin_turn *turn)
{
    if (turn->row.kind != CK_KIND_INBOUND) {
        return 0;
    }
    open_window(turn);
    return come_in(turn);
}

/* ---- RINGING --------------------------------------------------------------------------------- */

/* The person is with us, in another check-in: nobody rings into that call, and nothing is missed
 * while it lasts. Its contact will serve this one too; without contact it is on record that they
 * came. */
static void wait_elsewhere(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    const struct ck_wall again = ck_wall_add_ms(turn->now, turn->policy->defer_ms);
    ck_checkin_note(turn, CK_EVIDENCE_PAGE_OPENED, turn->now);
    if (is_set(row->ring_next_at)) {
        row->ring_next_at = again;
    }
    if (row->finding == CK_OUTCOME_OPEN && ck_wall_before(row->answer_until, again)) {
        row->answer_until = again;
    }
    if (ck_wall_before(row->late_until, again)) {
        row->late_until = again;
    }
    schedule_ringing(row);
}

/* At most one ring a turn, however late it is: nothing is replayed. */
static int ringing_timer(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    ck_checkin_note_answerable(turn, turn->event->timer.answerable_ms);
    if (ck_wall_before(turn->now, row->next_at)) {
        return 0;
    }
    if (turn->event->timer.other_live != 0) {
        wait_elsewhere(turn);
        return 0;
    }
    if (is_set(row->ring_next_at)) {
        row->ring_next_at = (struct ck_wall){0};
        if (ck_wall_before(turn->now, row->respond_until)) {
            ring(turn);
        }
    }
    if (row->finding == CK_OUTCOME_OPEN) {
        if (!ck_wall_before(turn->now, row->answer_until)) {
            ck_checkin_missed(turn);
        }
    } else if (!ck_wall_before(turn->now, row->late_until)) {
        ck_checkin_finish_late_limit(turn);
    }
    if (row->state == CK_CHECKIN_RINGING) {
        schedule_ringing(row);
    }
    return 0;
}

static int declined(struct ck_checkin_turn *turn)
{
    ck_checkin_finish(turn, CK_OUTCOME_DECLINED, CK_CAUSE_DECLINED);
    return 0;
}

static int ringing_left(struct ck_checkin_turn *turn)
{
    ck_checkin_note(turn, CK_EVIDENCE_CLOSED_ON_PURPOSE, turn->now);
    return 0;
}

/* Once it counts as missed, an excuse is an officer's conclusion on top of the outcome, which
 * stays. */
static int ringing_waived(struct ck_checkin_turn *turn)
{
    return turn->row.finding == CK_OUTCOME_OPEN ? waive(turn) : CK_E_CONFLICT;
}

/* ---- CONNECTED ------------------------------------------------------------------------------- */

static void no_inspector(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    ck_effects_audit(&turn->effects, CK_FACT_NO_INSPECTOR, turn->now.ms - row->joined_at.ms);
    struct ck_effect *fault = ck_effects_add(&turn->effects, CK_EFFECT_STAFF_FAULT);
    fault->staff_fault.cause = CK_CAUSE_NO_INSPECTOR;
    fault->staff_fault.staff = row->inspector;
    if (row->contact) {
        await_form(turn);
        return;
    }
    row->came = true;
    if (turn->policy->unattended_fallback) {
        ck_effects_add(&turn->effects, CK_EFFECT_CONSOLE_QUIET);
        start_unattended(turn);
        return;
    }
    ck_checkin_finish(turn, CK_OUTCOME_UNSTAFFED, CK_CAUSE_NO_INSPECTOR);
}

static void challenge_over(struct ck_checkin_turn *turn, enum ck_fact fact,
                           struct ck_wall review_by)
{
    if (!turn->row.media) {
        call_back(turn);
        return;
    }
    ck_effects_audit(&turn->effects, fact, 0);
    ck_checkin_await_review(turn, review_by);
}

static void call_over(struct ck_checkin_turn *turn)
{
    const struct ck_checkin *row = &turn->row;
    ck_effects_audit(&turn->effects, CK_FACT_CALL_OVER, turn->now.ms - row->joined_at.ms);
    if (!row->contact) {
        call_back(turn);
        return;
    }
    await_form(turn);
    if (row->inspector != 0) {
        struct ck_effect *effect = ck_effects_add(&turn->effects, CK_EFFECT_NOTIFY);
        effect->notify.staff = row->inspector;
        effect->notify.channels[0] = CK_CHANNEL_CONSOLE;
        effect->notify.template = CK_TEMPLATE_FORM_DUE;
        effect->notify.deadline = row->next_at;
    }
}

static int connected_timer(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    ck_checkin_note_answerable(turn, turn->event->timer.answerable_ms);
    if (ck_wall_before(turn->now, row->next_at)) {
        return 0;
    }
    switch (row->phase) {
    case CK_PHASE_WAITING:
        no_inspector(turn);
        break;
    case CK_PHASE_IN_CALL:
        call_over(turn);
        break;
    case CK_PHASE_CHALLENGE:
        challenge_over(turn, CK_FACT_CHALLENGE_CUT, (struct ck_wall){0});
        break;
    default:
        assert(row->phase == CK_PHASE_FORM);
        ck_effects_audit(&turn->effects, CK_FACT_FORM_MISSING, 0);
        ck_checkin_await_review(turn, (struct ck_wall){0});
        break;
    }
    return 0;
}

static int connected_fact(struct ck_checkin_turn *turn)
{
    note_fact(turn);
    if (turn->row.phase == CK_PHASE_IN_CALL) {
        turn->row.contact = turn->row.contact || turn->row.media;
    }
    return 0;
}

/* Again in the room: a reloaded page, another socket, or back after the call was lost. A call that
 * may not go on is not begun again, so that nobody can put off the form for ever. */
static int connected_joined(struct ck_checkin_turn *turn)
{
    ck_effects_audit(&turn->effects, CK_FACT_JOINED, turn->row.attempt);
    switch (turn->row.phase) {
    case CK_PHASE_CHALLENGE:
        ck_effects_add(&turn->effects, CK_EFFECT_START_UNATTENDED);
        break;
    case CK_PHASE_FORM:
        if (ck_wall_before(turn->now, turn->row.call_until)) {
            wait_for_inspector(turn);
        }
        break;
    default:
        break;
    }
    return 0;
}

static int connected_inspector(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (turn->event->inspector.staff == 0) {
        return CK_E_INVALID;
    }
    if (row->phase != CK_PHASE_WAITING) {
        return CK_E_CONFLICT;
    }
    ck_checkin_note(turn, CK_EVIDENCE_INSPECTOR_IN, turn->now);
    ck_effects_audit(&turn->effects, CK_FACT_INSPECTOR_IN, turn->event->inspector.staff);
    ck_effects_add(&turn->effects, CK_EFFECT_CONSOLE_QUIET);
    row->phase = CK_PHASE_IN_CALL;
    row->came = false;
    row->contact = row->contact || row->media;
    row->next_at = row->call_until;
    return 0;
}

static int connected_no_inspector(struct ck_checkin_turn *turn)
{
    if (turn->row.phase == CK_PHASE_WAITING) {
        no_inspector(turn);
    }
    return 0;
}

static int connected_challenge(struct ck_checkin_turn *turn)
{
    if (turn->row.phase == CK_PHASE_CHALLENGE) {
        ck_checkin_note(turn, CK_EVIDENCE_CHALLENGE_DONE, turn->now);
        challenge_over(turn, CK_FACT_CHALLENGE_DONE, turn->event->challenge.review_by);
    }
    return 0;
}

static int connected_left(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (row->phase == CK_PHASE_FORM) {
        return 0;
    }
    ck_checkin_note(turn, CK_EVIDENCE_CLOSED_ON_PURPOSE, turn->now);
    if (row->contact) {
        await_form(turn);
    } else {
        await_again(turn);
    }
    return 0;
}

static int connected_lost(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (row->phase == CK_PHASE_FORM) {
        return 0;
    }
    ck_checkin_note(turn, CK_EVIDENCE_MEDIA_LOST, turn->now);
    if (row->contact) {
        await_form(turn);
    } else {
        call_back(turn);
    }
    return 0;
}

/* Ended by our side: nothing that could be held against the person. Without contact they are called
 * again. */
static int connected_call_over(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (row->phase == CK_PHASE_FORM) {
        return 0;
    }
    if (row->contact) {
        await_form(turn);
    } else if (row->phase == CK_PHASE_IN_CALL) {
        call_back(turn);
    }
    return 0;
}

/* In a call that has become one, the form says how it went; a tap on "I cannot" there is a way of
 * leaving. */
static int connected_declined(struct ck_checkin_turn *turn)
{
    return turn->row.contact ? connected_left(turn) : declined(turn);
}

/* A result needs a named person, and one that speaks of contact needs contact: an inspector in the
 * call and media from the person. */
static int connected_ended(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (turn->event->ended.staff == 0) {
        return CK_E_INVALID;
    }
    if (row->phase != CK_PHASE_IN_CALL && !row->contact) {
        return CK_E_CONFLICT;
    }
    switch (turn->event->ended.result) {
    case CK_CALL_ACCEPTED:
        if (!row->contact) {
            return CK_E_CONFLICT;
        }
        ck_checkin_finish_contact(turn, CK_CAUSE_CONTACT);
        return 0;
    case CK_CALL_DOUBT:
        if (!row->contact) {
            return CK_E_CONFLICT;
        }
        ck_checkin_finish(turn, CK_OUTCOME_IDENTITY_DOUBT, CK_CAUSE_DOUBT);
        return 0;
    case CK_CALL_DECLINED:
        return declined(turn);
    case CK_CALL_UNUSABLE:
        call_back(turn);
        return 0;
    default:
        return CK_E_INVALID;
    }
}

/* Whoever is in the room when the order ends may go on: what they say is theirs to say, and no
 * longer owed. What was missed before stays missed. */
static int connected_waived(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (turn->event->waived.cause != CK_CAUSE_WAIVED_ORDER_ENDED) {
        return CK_E_CONFLICT;
    }
    if (!row->order_over) {
        row->order_over = true;
        row->mandatory = row->mandatory && row->incident;
        ck_effects_audit(&turn->effects, CK_FACT_ORDER_OVER, 0);
    }
    return 0;
}

/* ---- AWAITING_REVIEW ---------------------------------------------------------------------------
 */

static int review_timer(struct ck_checkin_turn *turn)
{
    if (!turn->row.review_incident && !ck_wall_before(turn->now, turn->row.next_at)) {
        ck_checkin_review_overdue(turn);
    }
    return 0;
}

/* A higher band waits no longer than it would have from now on. */
static int review_banded(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    (void)banded_begun(turn);
    struct ck_wall by = ck_wall_add_ms(turn->now, turn->policy->review_ms[row->band]);
    if (!row->review_incident && ck_wall_before(by, row->review_by)) {
        row->review_by = by;
        row->next_at = by;
    }
    return 0;
}

/* Nothing can be made out: it is too late to ring again, and who is to blame is not proven. */
static void review_unusable(struct ck_checkin_turn *turn)
{
    if (turn->row.faults != 0) {
        ck_checkin_finish(turn, CK_OUTCOME_SYSTEM_FAULT, CK_CAUSE_OUR_FAULT);
    } else {
        ck_checkin_finish(turn, CK_OUTCOME_COULD_NOT_CONNECT, CK_CAUSE_UNUSABLE);
    }
}

static int reviewed(struct ck_checkin_turn *turn)
{
    if (turn->event->reviewed.staff == 0) {
        return CK_E_INVALID;
    }
    switch (turn->event->reviewed.result) {
    case CK_REVIEW_ACCEPTED:
        ck_checkin_finish_contact(turn, CK_CAUSE_CONTACT);
        return 0;
    case CK_REVIEW_DOUBT:
        ck_checkin_finish(turn, CK_OUTCOME_IDENTITY_DOUBT, CK_CAUSE_DOUBT);
        return 0;
    case CK_REVIEW_UNUSABLE:
        review_unusable(turn);
        return 0;
    default:
        return CK_E_INVALID;
    }
}

/* The form of a live call, written after its time: as good as a review, from someone who was there.
 */
static int review_ended(struct ck_checkin_turn *turn)
{
    if (turn->event->ended.staff == 0) {
        return CK_E_INVALID;
    }
    if (!turn->row.contact) {
        return CK_E_CONFLICT;
    }
    switch (turn->event->ended.result) {
    case CK_CALL_ACCEPTED:
        ck_checkin_finish_contact(turn, CK_CAUSE_CONTACT);
        return 0;
    case CK_CALL_DOUBT:
        ck_checkin_finish(turn, CK_OUTCOME_IDENTITY_DOUBT, CK_CAUSE_DOUBT);
        return 0;
    case CK_CALL_DECLINED:
        return declined(turn);
    case CK_CALL_UNUSABLE:
        review_unusable(turn);
        return 0;
    default:
        return CK_E_INVALID;
    }
}

/* ---- DONE ------------------------------------------------------------------------------------ */

/* Evidence that comes after the outcome is recorded, and the outcome stays explainable from the row
 * as it was. */
static int done_fact(struct ck_checkin_turn *turn)
{
    ck_effects_audit(&turn->effects, CK_FACT_EVIDENCE, turn->event->fact.evidence);
    return after_end(turn);
}

/* ---- the table ------------------------------------------------------------------------------- */

typedef int decide(struct ck_checkin_turn *turn);
typedef decide *const row_of_events[CK_CHECKIN_EVENT_COUNT];

/* One row a state, one line an event, in the order of their enumerations. */
static row_of_events decisions[CK_CHECKIN_STATE_COUNT] = {
    [CK_CHECKIN_PLANNED] =
        {
            [CK_CHECKIN_TIMER] = planned_timer,
            [CK_CHECKIN_FACT] = note_fact,
            [CK_CHECKIN_FAULT] = note_fault,
            [CK_CHECKIN_ANSWERABLE] = ignore,
            [CK_CHECKIN_JOINED] = ignore,
            [CK_CHECKIN_INBOUND] = start_inbound,
            [CK_CHECKIN_INSPECTOR_ANSWERED] = refuse,
            [CK_CHECKIN_NO_INSPECTOR] = ignore,
            [CK_CHECKIN_CHALLENGE_FINISHED] = ignore,
            [CK_CHECKIN_DECLINED] = ignore,
            [CK_CHECKIN_LEFT] = ignore,
            [CK_CHECKIN_CALL_LOST] = ignore,
            [CK_CHECKIN_ENDED] = refuse,
            [CK_CHECKIN_REVIEWED] = refuse,
            [CK_CHECKIN_WAIVED] = waive,
            [CK_CHECKIN_MOVED] = planned_moved,
            [CK_CHECKIN_CONTACT_ELSEWHERE] = planned_elsewhere,
            [CK_CHECKIN_CALL_OVER] = ignore,
            [CK_CHECKIN_BANDED] = banded,
        },
    [CK_CHECKIN_ARMED] =
        {
            [CK_CHECKIN_TIMER] = armed_timer,
            [CK_CHECKIN_FACT] = note_fact,
            [CK_CHECKIN_FAULT] = note_fault,
            [CK_CHECKIN_ANSWERABLE] = ignore,
            [CK_CHECKIN_JOINED] = ignore,
            [CK_CHECKIN_INBOUND] = start_inbound,
            [CK_CHECKIN_INSPECTOR_ANSWERED] = refuse,
            [CK_CHECKIN_NO_INSPECTOR] = ignore,
            [CK_CHECKIN_CHALLENGE_FINISHED] = ignore,
            [CK_CHECKIN_DECLINED] = ignore,
            [CK_CHECKIN_LEFT] = ignore,
            [CK_CHECKIN_CALL_LOST] = ignore,
            [CK_CHECKIN_ENDED] = refuse,
            [CK_CHECKIN_REVIEWED] = refuse,
            [CK_CHECKIN_WAIVED] = waive,
            [CK_CHECKIN_MOVED] = refuse,
            [CK_CHECKIN_CONTACT_ELSEWHERE] = armed_elsewhere,
            [CK_CHECKIN_CALL_OVER] = ignore,
            [CK_CHECKIN_BANDED] = banded,
        },
    [CK_CHECKIN_RINGING] =
        {
            [CK_CHECKIN_TIMER] = ringing_timer,
            [CK_CHECKIN_FACT] = note_fact,
            [CK_CHECKIN_FAULT] = note_fault,
            [CK_CHECKIN_ANSWERABLE] = note_answerable,
            [CK_CHECKIN_JOINED] = come_in,
            [CK_CHECKIN_INBOUND] = come_in,
            [CK_CHECKIN_INSPECTOR_ANSWERED] = refuse,
            [CK_CHECKIN_NO_INSPECTOR] = ignore,
            [CK_CHECKIN_CHALLENGE_FINISHED] = ignore,
            [CK_CHECKIN_DECLINED] = declined,
            [CK_CHECKIN_LEFT] = ringing_left,
            [CK_CHECKIN_CALL_LOST] = ignore,
            [CK_CHECKIN_ENDED] = refuse,
            [CK_CHECKIN_REVIEWED] = refuse,
            [CK_CHECKIN_WAIVED] = ringing_waived,
            [CK_CHECKIN_MOVED] = refuse,
            [CK_CHECKIN_CONTACT_ELSEWHERE] = contact_elsewhere,
            [CK_CHECKIN_CALL_OVER] = ignore,
            [CK_CHECKIN_BANDED] = banded_begun,
        },
    [CK_CHECKIN_CONNECTED] =
        {
            [CK_CHECKIN_TIMER] = connected_timer,
            [CK_CHECKIN_FACT] = connected_fact,
            [CK_CHECKIN_FAULT] = note_fault,
            [CK_CHECKIN_ANSWERABLE] = note_answerable,
            [CK_CHECKIN_JOINED] = connected_joined,
            [CK_CHECKIN_INBOUND] = connected_joined,
            [CK_CHECKIN_INSPECTOR_ANSWERED] = connected_inspector,
            [CK_CHECKIN_NO_INSPECTOR] = connected_no_inspector,
            [CK_CHECKIN_CHALLENGE_FINISHED] = connected_challenge,
            [CK_CHECKIN_DECLINED] = connected_declined,
            [CK_CHECKIN_LEFT] = connected_left,
            [CK_CHECKIN_CALL_LOST] = connected_lost,
            [CK_CHECKIN_ENDED] = connected_ended,
            [CK_CHECKIN_REVIEWED] = refuse,
            [CK_CHECKIN_WAIVED] = connected_waived,
            [CK_CHECKIN_MOVED] = refuse,
            [CK_CHECKIN_CONTACT_ELSEWHERE] = ignore,
            [CK_CHECKIN_CALL_OVER] = connected_call_over,
            [CK_CHECKIN_BANDED] = banded_begun,
        },
    [CK_CHECKIN_AWAITING_REVIEW] =
        {
            [CK_CHECKIN_TIMER] = review_timer,
            [CK_CHECKIN_FACT] = note_fact,
            [CK_CHECKIN_FAULT] = note_fault,
            [CK_CHECKIN_ANSWERABLE] = ignore,
            [CK_CHECKIN_JOINED] = after_end,
            [CK_CHECKIN_INBOUND] = after_end,
            [CK_CHECKIN_INSPECTOR_ANSWERED] = refuse,
            [CK_CHECKIN_NO_INSPECTOR] = ignore,
            [CK_CHECKIN_CHALLENGE_FINISHED] = ignore,
            [CK_CHECKIN_DECLINED] = after_end,
            [CK_CHECKIN_LEFT] = ignore,
            [CK_CHECKIN_CALL_LOST] = ignore,
            [CK_CHECKIN_ENDED] = review_ended,
            [CK_CHECKIN_REVIEWED] = reviewed,
            [CK_CHECKIN_WAIVED] = refuse,
            [CK_CHECKIN_MOVED] = refuse,
            [CK_CHECKIN_CONTACT_ELSEWHERE] = ignore,
            [CK_CHECKIN_CALL_OVER] = ignore,
            [CK_CHECKIN_BANDED] = review_banded,
        },
    [CK_CHECKIN_DONE] =
        {
            [CK_CHECKIN_TIMER] = ignore,
            [CK_CHECKIN_FACT] = done_fact,
            [CK_CHECKIN_FAULT] = after_end,
            [CK_CHECKIN_ANSWERABLE] = ignore,
            [CK_CHECKIN_JOINED] = after_end,
            [CK_CHECKIN_INBOUND] = after_end,
            [CK_CHECKIN_INSPECTOR_ANSWERED] = refuse,
            [CK_CHECKIN_NO_INSPECTOR] = ignore,
            [CK_CHECKIN_CHALLENGE_FINISHED] = after_end,
            [CK_CHECKIN_DECLINED] = after_end,
            [CK_CHECKIN_LEFT] = ignore,
            [CK_CHECKIN_CALL_LOST] = ignore,
            [CK_CHECKIN_ENDED] = refuse,
            [CK_CHECKIN_REVIEWED] = refuse,
            [CK_CHECKIN_WAIVED] = refuse,
            [CK_CHECKIN_MOVED] = refuse,
            [CK_CHECKIN_CONTACT_ELSEWHERE] = ignore,
            [CK_CHECKIN_CALL_OVER] = ignore,
            [CK_CHECKIN_BANDED] = ignore,
        },
};

int ck_checkin_step(const struct ck_checkin *row, const struct ck_checkin_event *event,
                    const struct ck_checkin_policy *policy, struct ck_wall now,
                    struct ck_checkin *next, struct ck_effects *effects)
{
    assert(row->state < CK_CHECKIN_STATE_COUNT && event->kind < CK_CHECKIN_EVENT_COUNT);
    struct ck_checkin_turn turn = {
        .row = *row, .effects.count = 0, .event = event, .policy = policy, .now = now};
    int code = decisions[row->state][event->kind](&turn);
    if (code != 0) {
        return code;
    }
    assert(turn.row.next_at.ms != 0 || turn.row.state == CK_CHECKIN_DONE ||
           turn.row.review_incident);
    *next = turn.row;
    ck_effects_give(&turn.effects, effects);
    return 0;
}
