#include "scheduler/incident.h"

#include "scheduler/effects_impl.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)

/* When nobody at all can be reached, everybody is alarmed again after this. */
#define ALARM_AGAIN_MS (5 * MINUTE_MS)

/* One decision in the making. */
struct turn {
    struct ck_incident row;
    struct ck_effects effects;
    const struct ck_incident_event *event;
    const struct ck_ladder *ladder;
    struct ck_wall now;
};

/* ---- the ladder ------------------------------------------------------------------------------ */

static uint32_t last_step(const struct turn *turn)
{
    return turn->ladder->step_count - 1;
}

static uint32_t channel_mask(const struct ck_ladder_step *step)
{
    uint32_t mask = 0;
    for (int i = 0; i < CK_CHANNELS_MAX; i++) {
        if (step->channels[i] != CK_CHANNEL_NONE) {
            mask |= CK_CHANNEL_BIT(step->channels[i]);
        }
    }
    return mask;
}

static bool reaches(const struct turn *turn, uint32_t at, const struct ck_ladder_person *person)
{
    return (person->channels & channel_mask(&turn->ladder->steps[at])) != 0;
}

static uint32_t step_bit(uint32_t at)
{
    return UINT32_C(1) << at;
}

static bool is_lost(const struct turn *turn, uint32_t at)
{
    return (turn->row.lost & step_bit(at)) != 0;
}

static bool step_reaches_somebody(const struct turn *turn, uint32_t at)
{
    for (uint32_t i = 0; i < turn->event->roster->steps[at].count; i++) {
        if (reaches(turn, at, &turn->event->roster->steps[at].people[i])) {
            return true;
        }
    }
    return false;
}

static void staff_fault(struct turn *turn, uint32_t step, int64_t staff)
{
    struct ck_effect *effect = ck_effects_add(&turn->effects, CK_EFFECT_STAFF_FAULT);
    effect->staff_fault.cause = CK_CAUSE_NO_INSPECTOR;
    effect->staff_fault.staff = staff;
    effect->staff_fault.step = step;
}

/* The first step from `from` on that reaches somebody, each skipped one recorded; where there is
 * none, the highest below it; -1 where nobody can be reached at all. A step whose last fire was
 * lost, which is on record, is not tried again before the others. */
static int find_step(struct turn *turn, uint32_t from)
{
    for (uint32_t at = from; at < turn->ladder->step_count; at++) {
        if (is_lost(turn, at)) {
            continue;
        }
        if (step_reaches_somebody(turn, at)) {
            return (int)at;
        }
        ck_effects_audit(&turn->effects, CK_FACT_STEP_SKIPPED, at);
        staff_fault(turn, at, 0);
    }
    for (uint32_t at = from; at-- > 0;) {
        if (!is_lost(turn, at) && step_reaches_somebody(turn, at)) {
            ck_effects_audit(&turn->effects, CK_FACT_LADDER_WRAPPED, at);
            return (int)at;
        }
    }
    return -1;
}

static int64_t pause_after(const struct ck_ladder_step *step)
{
    return step->ack_timeout_ms > step->min_interval_ms ? step->ack_timeout_ms
                                                        : step->min_interval_ms;
}

/* A staff matter about a review harms nobody by the minute: each repeat of its last step comes
 * after twice the pause of the one before, up to a limit. */
static int64_t pause_of(const struct turn *turn, uint32_t at)
{
    int64_t pause_ms = pause_after(&turn->ladder->steps[at]);
    if (turn->row.kind != CK_INCIDENT_REVIEW_OVERDUE || at != last_step(turn)) {
        return pause_ms;
    }
    for (uint32_t i = 0; i < turn->row.unanswered && pause_ms < CK_REVIEW_REPEAT_MAX_MS; i++) {
        pause_ms = pause_ms < CK_REVIEW_REPEAT_MAX_MS / 2 ? pause_ms * 2 : CK_REVIEW_REPEAT_MAX_MS;
    }
    return pause_ms;
}

static void notify(struct turn *turn, uint32_t at, const struct ck_ladder_person *person,
                   enum ck_template template)
{
    const struct ck_ladder_step *step = &turn->ladder->steps[at];
    struct ck_effect *effect = ck_effects_add(&turn->effects, CK_EFFECT_NOTIFY);
    effect->notify.staff = person->staff;
    size_t count = 0;
    for (int i = 0; i < CK_CHANNELS_MAX; i++) {
        if (step->channels[i] != CK_CHANNEL_NONE &&
            (person->channels & CK_CHANNEL_BIT(step->channels[i])) != 0) {
            effect->notify.channels[count++] = step->channels[i];
        }
    }
    effect->notify.parallel = step->parallel;
    effect->notify.digest = turn->event->storm && turn->row.severity != CK_SEVERITY_TOP;
    effect->notify.template = template;
    effect->notify.step = at;
    effect->notify.fire = turn->row.fired;
    effect->notify.deadline = turn->row.next_at;
}

static void fire(struct turn *turn, uint32_t at, int64_t pause_ms, enum ck_template template)
{
    struct ck_incident *row = &turn->row;
    row->by_hand = false;
    row->fired++;
    row->fired_step = at;
    row->fired_at = turn->now;
    row->next_at = ck_wall_add_ms(turn->now, pause_ms);
    ck_effects_audit(&turn->effects, CK_FACT_STEP_FIRED, (int64_t)at << 32 | row->fired);
    for (uint32_t i = 0; i < turn->event->roster->steps[at].count; i++) {
        const struct ck_ladder_person *person = &turn->event->roster->steps[at].people[i];
        if (reaches(turn, at, person)) {
            notify(turn, at, person, template);
        }
    }
}

/* Where the ladder stands after step `at` was fired. The last step repeats for ever. A fire below
 * the present step (wrapped) does not move it: the steps above are tried again next time. */
static void advance(struct turn *turn, uint32_t at)
{
    struct ck_incident *row = &turn->row;
    if (at < row->step) {
        return;
    }
    row->round = at == row->step ? row->round + 1 : 1;
    row->step = at;
    if (at == last_step(turn)) {
        if (row->round > 1) {
            row->unanswered++;
            ck_effects_audit(&turn->effects, CK_FACT_UNANSWERED, row->unanswered);
        }
    } else if (row->round >= turn->ladder->steps[at].rounds) {
        row->step = at + 1;
        row->round = 0;
    }
}

static bool held_by_quiet_hours(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    if (!turn->ladder->quiet_hours || row->by_hand || row->severity >= CK_SEVERITY_HIGH ||
        !ck_wall_before(turn->now, turn->event->quiet_until)) {
        return false;
    }
    row->next_at = turn->event->quiet_until;
    if (row->held_until.ms != row->next_at.ms) {
        row->held_until = row->next_at;
        ck_effects_audit(&turn->effects, CK_FACT_HELD, row->next_at.ms);
    }
    return true;
}

/* Two fires of one step are never closer than it allows, whatever made the second one due. */
static bool held_by_interval(struct turn *turn, uint32_t at)
{
    struct ck_incident *row = &turn->row;
    if (row->fired == 0 || at != row->fired_step) {
        return false;
    }
    struct ck_wall earliest =
        ck_wall_add_ms(row->fired_at, turn->ladder->steps[at].min_interval_ms);
    if (!ck_wall_before(turn->now, earliest)) {
        return false;
    }
    row->next_at = earliest;
    ck_effects_audit(&turn->effects, CK_FACT_HELD, row->next_at.ms);
    return true;
}

/* Nobody is left. Where the last step was lost everybody has been alarmed by that. */
static void alarm_everybody(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    row->next_at = ck_wall_add_ms(turn->now, ALARM_AGAIN_MS);
    if (is_lost(turn, last_step(turn))) {
        ck_effects_audit(&turn->effects, CK_FACT_HELD, row->next_at.ms);
    } else {
        ck_effects_add(&turn->effects, CK_EFFECT_ALARM);
    }
    row->lost = 0;
}

static int open_timer(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    assert(turn->event->roster != NULL);
    if (ck_wall_before(turn->now, row->next_at) || held_by_quiet_hours(turn)) {
        return 0;
    }
    row->held_until = (struct ck_wall){0};
    row->lost = is_lost(turn, row->fired_step) ? row->lost : 0;
    int found = find_step(turn, row->calm ? 0 : row->step);
    if (found < 0) {
        alarm_everybody(turn);
        return 0;
    }
    uint32_t at = (uint32_t)found;
    if (held_by_interval(turn, at)) {
        return 0;
    }
    if (row->calm) {
        fire(turn, at, turn->ladder->calm_interval_ms, CK_TEMPLATE_ANSWERED_LATE);
        return 0;
    }
    fire(turn, at, pause_of(turn, at),
         row->kind == CK_INCIDENT_REVIEW_OVERDUE ? CK_TEMPLATE_REVIEW_OVERDUE
                                                 : CK_TEMPLATE_INCIDENT);
    advance(turn, at);
    return 0;
}

/* ---- acknowledgement ---------------------------------------------------------------------------
 */

static int acknowledge(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    if (turn->event->staff == 0) {
        return CK_E_INVALID;
    }
    if (turn->event->staff == turn->event->beside) {
        return CK_E_DENIED;
    }
    row->state = CK_INCIDENT_ACKNOWLEDGED;
    row->by_hand = false;
    row->held_until = (struct ck_wall){0};
    row->acked_by = turn->event->staff;
    row->acked_at = turn->now;
    row->next_at = ck_wall_add_ms(turn->now, turn->ladder->ack_hold_ms);
    ck_effects_audit(&turn->effects, CK_FACT_ACKNOWLEDGED, row->acked_by);
    return 0;
}

/* It returns to the ladder where that stood; but first the holder is told, on every channel of the
 * step. */
static int acked_timer(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    if (ck_wall_before(turn->now, row->next_at)) {
        return 0;
    }
    const struct ck_ladder_step *step = &turn->ladder->steps[row->fired_step];
    row->state = CK_INCIDENT_OPEN;
    row->fired++;
    row->fired_at = turn->now;
    row->next_at = ck_wall_add_ms(turn->now, step->ack_timeout_ms);
    ck_effects_audit(&turn->effects, CK_FACT_ACK_EXPIRED, row->acked_by);
    struct ck_effect *effect = ck_effects_add(&turn->effects, CK_EFFECT_NOTIFY);
    effect->notify.staff = row->acked_by;
    memcpy(effect->notify.channels, step->channels, sizeof(effect->notify.channels));
    effect->notify.parallel = true;
    effect->notify.template = CK_TEMPLATE_ACK_EXPIRED;
    effect->notify.step = row->fired_step;
    effect->notify.fire = row->fired;
    effect->notify.deadline = row->next_at;
    return 0;
}

static int release(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    if (turn->event->staff == 0) {
        return CK_E_INVALID;
    }
    if (turn->event->staff != row->acked_by) {
        return CK_E_CONFLICT;
    }
    row->state = CK_INCIDENT_OPEN;
    row->next_at = turn->now;
    ck_effects_audit(&turn->effects, CK_FACT_ACK_RELEASED, row->acked_by);
    return 0;
}

/* The step that comes after the one that was fired last, at once. */
static void climb(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    if (row->fired > 0 && row->step == row->fired_step && row->step < last_step(turn)) {
        row->step++;
        row->round = 0;
    }
    row->next_at = turn->now;
}

static int escalate(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    if (turn->event->staff == 0) {
        return CK_E_INVALID;
    }
    row->state = CK_INCIDENT_OPEN;
    row->calm = false;
    row->by_hand = true;
    climb(turn);
    ck_effects_audit(&turn->effects, CK_FACT_ESCALATED_BY_HAND, turn->event->staff);
    return 0;
}

/* One that rests stays where it stands, and has the steps after this one tried all the same. */
static int unreachable(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    if (row->fired == 0 || turn->event->fire != row->fired) {
        return 0;
    }
    row->lost |= step_bit(row->fired_step);
    ck_effects_audit(&turn->effects, CK_FACT_STEP_SKIPPED, row->fired_step);
    staff_fault(turn, row->fired_step, 0);
    if (row->fired_step == last_step(turn)) {
        ck_effects_add(&turn->effects, CK_EFFECT_ALARM);
    }
    if (row->calm) {
        row->next_at = turn->now;
    } else {
        climb(turn);
    }
    return 0;
}

/* ---- contact after all -------------------------------------------------------------------------
 */

/* Whether a contact lets the ladder rest is policy, never in the top band; nothing is closed by it.
 * A staff matter about a review rests as soon as the review is there. */
static void calm_down(struct turn *turn, bool allowed)
{
    struct ck_incident *row = &turn->row;
    if (!allowed || row->calm) {
        return;
    }
    row->calm = true;
    if (row->state == CK_INCIDENT_OPEN) {
        row->next_at = turn->now;
    }
}

static bool contact_calms(const struct turn *turn)
{
    enum ck_incident_kind kind = turn->row.kind;
    return turn->ladder->late_answer_calms && turn->row.band != CK_BAND_TOP &&
           (kind == CK_INCIDENT_NO_CONTACT || kind == CK_INCIDENT_SILENCE);
}

static int reached(struct turn *turn)
{
    turn->row.reached = true;
    ck_effects_audit(&turn->effects, CK_FACT_REACHED, turn->event->checkin);
    calm_down(turn, contact_calms(turn));
    return 0;
}

static int late_answer(struct turn *turn)
{
    turn->row.answered_late = true;
    ck_effects_audit(&turn->effects, CK_FACT_ANSWERED_LATE, 0);
    calm_down(turn, contact_calms(turn));
    return 0;
}

static int outcome_known(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    row->outcome = turn->event->outcome;
    row->outcome_final = true;
    ck_effects_audit(&turn->effects, CK_FACT_OUTCOME_KNOWN, row->outcome);
    calm_down(turn, row->kind == CK_INCIDENT_REVIEW_OVERDUE);
    return 0;
}

/* ---- another band ------------------------------------------------------------------------------
 */

/* A higher band makes what is open graver, and asks at once; a lower one never makes it lighter.
 * The ladder stays the one that it was opened with (E2). In the top band nothing lets it rest, and
 * where there was no contact somebody else looks after the other side. */
static int banded(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    if (turn->event->band <= row->band) {
        return 0;
    }
    row->band = turn->event->band;
    ck_effects_audit(&turn->effects, CK_FACT_BANDED, row->band);
    enum ck_severity severity = ck_incident_severity(row->kind, row->band);
    if (severity <= row->severity) {
        return 0;
    }
    row->severity = severity;
    bool asks_for_contact = row->kind != CK_INCIDENT_REVIEW_OVERDUE;
    row->calm = row->calm && (row->band != CK_BAND_TOP || !asks_for_contact);
    if (row->state == CK_INCIDENT_OPEN && !row->calm) {
        row->next_at = turn->now;
    }
    if (row->kind == CK_INCIDENT_NO_CONTACT && row->band == CK_BAND_TOP &&
        turn->event->safety_check && !row->reached && !row->answered_late) {
        ck_effects_add(&turn->effects, CK_EFFECT_OPEN_SAFETY)->incident =
            (struct ck_effect_incident){.kind = CK_INCIDENT_SAFETY,
                                        .severity = CK_SEVERITY_TOP,
                                        .finding = row->outcome,
                                        .first_step_at = turn->now};
    }
    return 0;
}

/* What let it rest is over: it goes on where it stood, at once. */
static int silent_again(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    row->calm = false;
    row->reached = false;
    if (row->state == CK_INCIDENT_OPEN) {
        row->next_at = turn->now;
    }
    ck_effects_audit(&turn->effects, CK_FACT_SILENT_AGAIN, 0);
    return 0;
}

/* ---- the end -----------------------------------------------------------------------------------
 */

#define ALLOW(conclusion) (UINT32_C(1) << CK_CONCLUSION_##conclusion)

static const uint32_t conclusions[CK_INCIDENT_KIND_COUNT] = {
    [CK_INCIDENT_NO_CONTACT] =
        ALLOW(REACHED) | ALLOW(EXCUSED) | ALLOW(BREACH) | ALLOW(TECHNICAL) | ALLOW(HANDED_OVER),
    [CK_INCIDENT_SILENCE] = ALLOW(REACHED) | ALLOW(EXCUSED) | ALLOW(TECHNICAL) | ALLOW(HANDED_OVER),
    [CK_INCIDENT_REVIEW_OVERDUE] = ALLOW(STAFF_DONE) | ALLOW(TECHNICAL) | ALLOW(HANDED_OVER),
    [CK_INCIDENT_SAFETY] = ALLOW(SAFE) | ALLOW(NOT_SAFE) | ALLOW(NOT_FOUND),
    [CK_INCIDENT_STAFF] = ALLOW(STAFF_DONE) | ALLOW(TECHNICAL) | ALLOW(HANDED_OVER),
    [CK_INCIDENT_SYSTEM] = ALLOW(STAFF_DONE) | ALLOW(TECHNICAL),
    [CK_INCIDENT_CONCERN] = ALLOW(SAFE) | ALLOW(NOT_SAFE) | ALLOW(NOT_FOUND) | ALLOW(HANDED_OVER),
};

/* A breach is only ever of a duty, and only of what counts; never before it is known what it was.
 */
static int may_be_breach(const struct ck_incident *row)
{
    if (!row->mandatory) {
        return CK_E_INVALID;
    }
    if (!row->outcome_final) {
        return CK_E_CONFLICT;
    }
    return ck_outcome_attribution(row->outcome) == CK_ATTRIBUTION_OFFICER ? 0 : CK_E_INVALID;
}

static int conclude(struct turn *turn)
{
    struct ck_incident *row = &turn->row;
    enum ck_conclusion conclusion = turn->event->conclusion;
    if (turn->event->staff == 0 || !turn->event->has_reason || conclusion >= CK_CONCLUSION_COUNT ||
        (conclusions[row->kind] & UINT32_C(1) << conclusion) == 0) {
        return CK_E_INVALID;
    }
    if (turn->event->staff == turn->event->beside) {
        return CK_E_DENIED;
    }
    if (conclusion == CK_CONCLUSION_BREACH) {
        int code = may_be_breach(row);
        if (code != 0) {
            return code;
        }
    }
    if (row->kind == CK_INCIDENT_REVIEW_OVERDUE && !row->outcome_final) {
        return CK_E_CONFLICT; /* nothing else would ask for the review any more */
    }
    row->state = CK_INCIDENT_CLOSED;
    row->next_at = (struct ck_wall){0};
    row->concluded_by = turn->event->staff;
    row->conclusion = conclusion;
    row->closed_at = turn->now;
    ck_effects_audit(&turn->effects, CK_FACT_CONCLUDED, conclusion);
    return 0;
}

static int note(struct turn *turn)
{
    if (turn->event->staff == 0) {
        return CK_E_INVALID;
    }
    ck_effects_audit(&turn->effects, CK_FACT_NOTE, turn->event->staff);
    return 0;
}

static int ignore(struct turn *turn)
{
    (void)turn;
    return 0;
}

static int refuse(struct turn *turn)
{
    (void)turn;
    return CK_E_CONFLICT;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

typedef int decide(struct turn *turn);

static decide *const decisions[CK_INCIDENT_STATE_COUNT][CK_INCIDENT_EVENT_COUNT] = {
    [CK_INCIDENT_OPEN] =
        {
            [CK_INCIDENT_TIMER] = open_timer,
            [CK_INCIDENT_ACKNOWLEDGE] = acknowledge,
            [CK_INCIDENT_RELEASE] = refuse,
            [CK_INCIDENT_ESCALATE] = escalate,
            [CK_INCIDENT_UNREACHABLE] = unreachable,
            [CK_INCIDENT_REACHED] = reached,
            [CK_INCIDENT_LATE_ANSWER] = late_answer,
            [CK_INCIDENT_OUTCOME_KNOWN] = outcome_known,
            [CK_INCIDENT_NOTE] = note,
            [CK_INCIDENT_CONCLUDE] = conclude,
            [CK_INCIDENT_BANDED] = banded,
            [CK_INCIDENT_SILENT_AGAIN] = silent_again,
        },
    [CK_INCIDENT_ACKNOWLEDGED] =
        {
            [CK_INCIDENT_TIMER] = acked_timer,
            [CK_INCIDENT_ACKNOWLEDGE] = acknowledge,
            [CK_INCIDENT_RELEASE] = release,
            [CK_INCIDENT_ESCALATE] = escalate,
            [CK_INCIDENT_UNREACHABLE] = ignore,
            [CK_INCIDENT_REACHED] = reached,
            [CK_INCIDENT_LATE_ANSWER] = late_answer,
            [CK_INCIDENT_OUTCOME_KNOWN] = outcome_known,
            [CK_INCIDENT_NOTE] = note,
            [CK_INCIDENT_CONCLUDE] = conclude,
            [CK_INCIDENT_BANDED] = banded,
            [CK_INCIDENT_SILENT_AGAIN] = silent_again,
        },
    [CK_INCIDENT_CLOSED] =
        {
            [CK_INCIDENT_TIMER] = ignore,
            [CK_INCIDENT_ACKNOWLEDGE] = refuse,
            [CK_INCIDENT_RELEASE] = refuse,
            [CK_INCIDENT_ESCALATE] = refuse,
            [CK_INCIDENT_UNREACHABLE] = ignore,
            [CK_INCIDENT_REACHED] = reached,
            [CK_INCIDENT_LATE_ANSWER] = late_answer,
            [CK_INCIDENT_OUTCOME_KNOWN] = outcome_known,
            [CK_INCIDENT_NOTE] = note,
            [CK_INCIDENT_CONCLUDE] = refuse,
            [CK_INCIDENT_BANDED] = ignore,
            [CK_INCIDENT_SILENT_AGAIN] = ignore,
        },
};

void ck_incident_begin(struct ck_incident *row, const struct ck_effect_incident *effect,
                       struct ck_wall now)
{
    struct ck_incident fresh;
    memset(&fresh, 0, sizeof(fresh));
    fresh.id = row->id;
    fresh.checkin = row->checkin;
    fresh.person = row->person;
    fresh.band = row->band;
    fresh.mandatory = row->mandatory;
    fresh.kind = effect->kind;
    fresh.severity = effect->severity;
    fresh.outcome = effect->finding;
    fresh.state = CK_INCIDENT_OPEN;
    fresh.opened_at = now;
    fresh.next_at = effect->first_step_at;
    *row = fresh;
}

int ck_incident_step(const struct ck_incident *row, const struct ck_incident_event *event,
                     const struct ck_ladder *ladder, struct ck_wall now, struct ck_incident *next,
                     struct ck_effects *effects)
{
    assert(row->state < CK_INCIDENT_STATE_COUNT && event->kind < CK_INCIDENT_EVENT_COUNT);
    assert(row->step < ladder->step_count && row->fired_step < ladder->step_count);
    struct turn turn = {
        .row = *row, .effects.count = 0, .event = event, .ladder = ladder, .now = now};
    int code = decisions[row->state][event->kind](&turn);
    if (code != 0) {
        return code;
    }
    assert(turn.row.next_at.ms != 0 || turn.row.state == CK_INCIDENT_CLOSED);
    *next = turn.row;
    ck_effects_give(&turn.effects, effects);
    return 0;
}

/* ---- ladders as data
 * ----------------------------------------------------------------------------- */

struct ck_ladder ck_ladder_default(enum ck_band band)
{
    int64_t timeout = (band == CK_BAND_TOP ? 5 : 15) * MINUTE_MS;
    return (struct ck_ladder){
        .step_count = 3,
        .steps =
            {
                {
                    .target_count = 2,
                    .targets = {{.kind = CK_TARGET_INSPECTOR}, {.kind = CK_TARGET_STAND_IN}},
                    .channels = {CK_CHANNEL_CONSOLE, CK_CHANNEL_WEB_PUSH, CK_CHANNEL_EMAIL,
                                 CK_CHANNEL_WEBHOOK},
                    .parallel = true,
                    .ack_timeout_ms = timeout,
                    .rounds = 1,
                    .min_interval_ms = MINUTE_MS,
                },
                {
                    .target_count = 1,
                    .targets = {{.kind = CK_TARGET_DUTY}},
                    .channels = {CK_CHANNEL_CONSOLE, CK_CHANNEL_SMS, CK_CHANNEL_VOICE,
                                 CK_CHANNEL_EMAIL, CK_CHANNEL_WEBHOOK},
                    .parallel = true,
                    .ack_timeout_ms = timeout,
                    .rounds = 2,
                    .min_interval_ms = MINUTE_MS,
                },
                {
                    .target_count = 2,
                    .targets = {{.kind = CK_TARGET_SUPERVISOR}, {.kind = CK_TARGET_DUTY}},
                    .channels = {CK_CHANNEL_CONSOLE, CK_CHANNEL_SMS, CK_CHANNEL_VOICE,
                                 CK_CHANNEL_EMAIL, CK_CHANNEL_WEBHOOK, CK_CHANNEL_WEB_PUSH},
                    .parallel = true,
                    .ack_timeout_ms = timeout,
                    .rounds = 1,
                    .min_interval_ms = timeout,
                },
            },
        .ack_hold_ms = 30 * MINUTE_MS,
        .late_answer_calms = true,
        .calm_interval_ms = 12 * HOUR_MS,
        .quiet_hours = false,
    };
}

/* Nothing in a ladder waits longer than a day. */
#define LADDER_MAX_MS (24 * HOUR_MS)

static const char *step_fault(const struct ck_ladder_step *step)
{
    if (step->target_count < 1 || step->target_count > CK_STEP_TARGETS_MAX) {
        return "target_count";
    }
    for (uint32_t i = 0; i < step->target_count; i++) {
        const struct ck_target *target = &step->targets[i];
        if (target->kind <= CK_TARGET_NONE || target->kind >= CK_TARGET_COUNT ||
            (target->kind == CK_TARGET_NAMED && target->staff == 0)) {
            return "targets";
        }
    }
    for (int i = 0; i < CK_CHANNELS_MAX; i++) {
        if (step->channels[i] >= CK_CHANNEL_COUNT) {
            return "channels";
        }
    }
    if (channel_mask(step) == 0) {
        return "channels";
    }
    if (step->ack_timeout_ms < 1000 || step->ack_timeout_ms > LADDER_MAX_MS) {
        return "ack_timeout_ms";
    }
    if (step->rounds < 1) {
        return "rounds";
    }
    if (step->min_interval_ms < 1000 || step->min_interval_ms > LADDER_MAX_MS) {
        return "min_interval_ms";
    }
    return NULL;
}

const char *ck_ladder_fault(const struct ck_ladder *ladder)
{
    if (ladder->step_count < 1 || ladder->step_count > CK_LADDER_STEPS_MAX) {
        return "step_count";
    }
    for (uint32_t i = 0; i < ladder->step_count; i++) {
        const char *fault = step_fault(&ladder->steps[i]);
        if (fault != NULL) {
            return fault;
        }
    }
    if (ladder->ack_hold_ms < 1000 || ladder->ack_hold_ms > LADDER_MAX_MS) {
        return "ack_hold_ms";
    }
    if (ladder->calm_interval_ms < 1000 || ladder->calm_interval_ms > LADDER_MAX_MS) {
        return "calm_interval_ms";
    }
    return NULL;
}
