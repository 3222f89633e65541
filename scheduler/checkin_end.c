#include "scheduler/checkin_impl.h"

#include "scheduler/effects_impl.h"

/* One make-up follows a fault of ours, never a make-up of a make-up; and only where something was
 * owed. */
static bool deserves_make_up(const struct ck_checkin *row, enum ck_outcome outcome)
{
    return outcome == CK_OUTCOME_SYSTEM_FAULT && row->mandatory && row->make_up_of == 0;
}

/* Contact decides safety: the same incident whatever the finding, at once. A make-up runs beside
 * it; only below the top band, and only for a fault of ours, a policy may let the ladder's first
 * step wait for it. */
static void open_incident(struct ck_checkin_turn *turn, enum ck_outcome finding,
                          enum ck_cause cause)
{
    struct ck_checkin *row = &turn->row;
    struct ck_effect_incident incident = {
        .kind = CK_INCIDENT_NO_CONTACT,
        .severity = ck_incident_severity(CK_INCIDENT_NO_CONTACT, row->band),
        .finding = finding,
        .cause = cause,
        .first_step_at = turn->now,
    };
    if (row->band != CK_BAND_TOP && deserves_make_up(row, finding)) {
        incident.first_step_at = ck_wall_add_ms(turn->now, turn->policy->make_up_hold_ms);
    }
    ck_effects_add(&turn->effects, CK_EFFECT_OPEN_INCIDENT)->incident = incident;
    row->incident = true;
    if (row->band == CK_BAND_TOP && turn->policy->safety_check) {
        incident.kind = CK_INCIDENT_SAFETY;
        incident.first_step_at = turn->now;
        ck_effects_add(&turn->effects, CK_EFFECT_OPEN_SAFETY)->incident = incident;
    }
}

void ck_checkin_missed(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    enum ck_cause cause;
    enum ck_outcome finding = ck_checkin_finding(row, turn->policy, &cause);
    /* After a fault of ours there is no late answer to wait for: the make-up takes its place. */
    if (finding == CK_OUTCOME_SYSTEM_FAULT || !ck_wall_before(turn->now, row->late_until)) {
        ck_checkin_finish(turn, finding, cause);
        return;
    }
    row->finding = finding;
    row->cause = cause;
    ck_effects_audit(&turn->effects, CK_FACT_MISSED, finding);
    if (row->mandatory) {
        open_incident(turn, finding, cause);
    }
}

static void leave_room(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    if (row->state == CK_CHECKIN_RINGING) {
        ck_effects_add(&turn->effects, CK_EFFECT_STOP_RINGING);
    }
    if (row->state == CK_CHECKIN_CONNECTED) {
        if (row->phase == CK_PHASE_WAITING) {
            ck_effects_add(&turn->effects, CK_EFFECT_CONSOLE_QUIET);
        }
        if (row->phase != CK_PHASE_FORM) {
            ck_effects_add(&turn->effects, CK_EFFECT_END_CALL);
        }
    }
}

static void tell_incident(struct ck_checkin_turn *turn, enum ck_incident_news news,
                          enum ck_outcome outcome)
{
    struct ck_effect *effect = ck_effects_add(&turn->effects, CK_EFFECT_INCIDENT_NEWS);
    effect->incident_news.news = news;
    effect->incident_news.outcome = outcome;
}

void ck_checkin_finish(struct ck_checkin_turn *turn, enum ck_outcome outcome, enum ck_cause cause)
{
    struct ck_checkin *row = &turn->row;
    assert(row->state != CK_CHECKIN_DONE && row->outcome == CK_OUTCOME_OPEN);
    leave_room(turn);
    struct ck_effect *effect = ck_effects_add(&turn->effects, CK_EFFECT_OUTCOME);
    effect->outcome.outcome = outcome;
    effect->outcome.attribution = ck_outcome_attribution(outcome);
    effect->outcome.cause = cause;
    if (ck_outcome_is_contact(outcome) && cause != CK_CAUSE_CONTACT_ELSEWHERE) {
        ck_effects_add(&turn->effects, CK_EFFECT_CONTACT);
    }
    if (row->incident || row->review_incident) {
        if (outcome == CK_OUTCOME_LATE) {
            tell_incident(turn, CK_NEWS_ANSWERED_LATE, outcome);
        }
        tell_incident(turn, CK_NEWS_OUTCOME, outcome);
    }
    if (row->mandatory && !row->incident && !ck_outcome_is_contact(outcome) &&
        outcome != CK_OUTCOME_WAIVED) {
        open_incident(turn, outcome, cause);
    }
    if (deserves_make_up(row, outcome)) {
        ck_effects_add(&turn->effects, CK_EFFECT_MAKE_UP);
    }
    row->state = CK_CHECKIN_DONE;
    row->phase = CK_PHASE_NONE;
    row->outcome = outcome;
    row->cause = cause;
    row->ended_at = turn->now;
    row->next_at = (struct ck_wall){0};
    row->ring_next_at = (struct ck_wall){0};
}

void ck_checkin_finish_contact(struct ck_checkin_turn *turn, enum ck_cause cause)
{
    enum ck_outcome outcome =
        turn->row.finding == CK_OUTCOME_OPEN ? CK_OUTCOME_COMPLETED : CK_OUTCOME_LATE;
    ck_checkin_finish(turn, outcome, cause);
}

/* What was found at the end of grace stands, unless the person came afterwards and it failed then:
 * that is judged anew, on all there is. */
void ck_checkin_finish_late_limit(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    enum ck_outcome outcome = row->finding;
    enum ck_cause cause = row->cause;
    if (ck_wall_before(row->answer_until, row->joined_at)) {
        outcome = ck_checkin_finding(row, turn->policy, &cause);
    }
    ck_checkin_finish(turn, outcome, cause);
}

void ck_checkin_await_review(struct ck_checkin_turn *turn, struct ck_wall review_by)
{
    struct ck_checkin *row = &turn->row;
    struct ck_wall by = ck_wall_add_ms(turn->now, turn->policy->review_ms[row->band]);
    if (review_by.ms != 0 && ck_wall_before(review_by, by)) {
        by = review_by;
    }
    leave_room(turn);
    row->state = CK_CHECKIN_AWAITING_REVIEW;
    row->phase = CK_PHASE_NONE;
    row->review_by = by;
    row->next_at = by;
    ck_effects_add(&turn->effects, CK_EFFECT_REVIEW)->review.by = by;
}

/* A staff matter, opened once: nothing of it touches the person. From here on its incident's ladder
 * climbs, which nobody can conclude before the review is there. */
void ck_checkin_review_overdue(struct ck_checkin_turn *turn)
{
    struct ck_checkin *row = &turn->row;
    ck_effects_audit(&turn->effects, CK_FACT_REVIEW_OVERDUE, 0);
    row->next_at = (struct ck_wall){0};
    row->review_incident = true;
    ck_effects_add(&turn->effects, CK_EFFECT_OPEN_INCIDENT)->incident = (struct ck_effect_incident){
        .kind = CK_INCIDENT_REVIEW_OVERDUE,
        .severity = ck_incident_severity(CK_INCIDENT_REVIEW_OVERDUE, row->band),
        .finding = CK_OUTCOME_OPEN,
        .first_step_at = turn->now,
    };
}
