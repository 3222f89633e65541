/* Check-ins: from an event over the step function to rows, records and outputs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/capacity_live.h"
#include "daemon/core/live_impl.h"
#include "daemon/store/health.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define SERVED_MAX 16 /* other check-ins of one person that a contact may serve */
#define OPEN_MAX 32   /* open incidents of one person that a contact is told to */

int ck_checkin_policy_of(struct ck_turn *turn, int64_t id, struct ck_checkin_policy *policy)
{
    struct ck_engine *engine = turn->engine;
    size_t slot = (size_t)id % CK_POLICY_CACHE_SIZE;
    if (engine->checkin_policies[slot].id != id) {
        ck_cleanup(ck_freep) char *body = NULL;
        int r = ck_policy_body(turn->store, id, &body);
        if (r == 0) {
            r = ck_checkin_policy_parse(body, &engine->checkin_policies[slot].policy);
        }
        if (r != 0) {
            return r;
        }
        engine->checkin_policies[slot].id = id;
    }
    *policy = engine->checkin_policies[slot].policy;
    return 0;
}

/* ---- records ---- */

static json_t *evidence_names(uint32_t mask)
{
    json_t *names = json_array();
    for (int i = 0; i < CK_EVIDENCE_COUNT; i++) {
        if ((mask & CK_EVIDENCE_BIT(i)) != 0) {
            json_array_append_new(names, json_string(ck_evidence_name((enum ck_evidence)i)));
        }
    }
    return names;
}

static json_t *fault_names(uint32_t mask)
{
    json_t *names = json_array();
    for (int i = 0; i < CK_FAULT_COUNT; i++) {
        if ((mask & CK_FAULT_BIT(i)) != 0) {
            json_array_append_new(names, json_string(ck_fault_name((enum ck_fault)i)));
        }
    }
    return names;
}

/* What stands beside a fact in the leaf. */
static json_t *fact_members(enum ck_fact fact, int64_t value)
{
    switch (fact) {
    case CK_FACT_EVIDENCE:
        return json_pack("{s:s}", "evidence", ck_evidence_name((enum ck_evidence)value));
    case CK_FACT_FAULT:
        return json_pack("{s:o}", "faults", fault_names((uint32_t)value));
    case CK_FACT_MISSED:
    case CK_FACT_OUTCOME_KNOWN:
        return json_pack("{s:s}", "outcome", ck_outcome_name((enum ck_outcome)value));
    case CK_FACT_REVIEW_OVERDUE:
        return NULL;
    case CK_FACT_DEFERRED:
        return json_pack("{s:I}", "other", (json_int_t)value);
    case CK_FACT_INSPECTOR_IN:
        return json_pack("{s:I}", "staff", (json_int_t)value);
    case CK_FACT_BANDED:
        return json_pack("{s:s}", "band", ck_band_name((enum ck_band)value));
    case CK_FACT_ORDER_OVER:
        return NULL;
    case CK_FACT_AFTER_END:
        return json_pack("{s:s}", "event",
                         ck_checkin_event_name((enum ck_checkin_event_kind)value));
    default:
        return json_pack("{s:I}", "value", (json_int_t)value);
    }
}

/* Its instants are as secret as they were before. */
static int record_moved(struct ck_turn *turn, const struct ck_actor *actor,
                        const struct ck_checkin_row *row, const char *action, struct ck_wall old)
{
    char was[CK_WALL_TEXT_SIZE], due[CK_WALL_TEXT_SIZE];
    ck_wall_text(old, was);
    ck_wall_text(row->step.due, due);
    return ck_turn_audit(
        turn, actor,
        &(struct ck_record){
            .action = action,
            .object = "checkin",
            .object_id = row->step.id,
            .person_id = row->step.person,
            .open = json_pack("{s:s, s:s}", "zone", row->zone, "zone_version", row->zone_version),
            .sealed = json_pack("{s:s, s:s}", "was", was, "due", due)});
}

static int record_fact(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_checkin_row *row, enum ck_fact fact, int64_t value)
{
    char action[64];
    ck_action_name("checkin_", ck_fact_name(fact), action);
    return fact == CK_FACT_MOVED
               ? record_moved(turn, actor, row, action, (struct ck_wall){value})
               : ck_record_checkin(turn, actor, row, action, fact_members(fact, value));
}

static int record_outcome(struct ck_turn *turn, const struct ck_actor *actor,
                          const struct ck_checkin_row *row, const struct ck_checkin_policy *policy,
                          const struct ck_effect *effect)
{
    static const char *const attributions[] = {"none", "late", "officer", "never"};
    const struct ck_checkin *step = &row->step;
    return ck_record_checkin(
        turn, actor, row, "CHECKIN_OUTCOME",
        json_pack(
            "{s:s, s:s, s:s, s:i, s:I, s:I, s:o, s:o, s:s, s:b, s:I}", "outcome",
            ck_outcome_name(effect->outcome.outcome), "cause", ck_cause_name(effect->outcome.cause),
            "attribution", attributions[effect->outcome.attribution], "attempts",
            (int)step->attempt, "answerable_ms", (json_int_t)step->answerable_ms, "needed_ms",
            (json_int_t)(policy->response_ms * policy->answerable_percent / 100), "evidence",
            evidence_names(step->evidence), "faults", fault_names(step->faults_seen), "receipt",
            row->receipt, "mandatory", (int)step->mandatory, "policy", (json_int_t)row->policy));
}

/* ---- outputs ---- */

static int output(struct ck_turn *turn, enum ck_output_kind kind, const struct ck_checkin_row *row,
                  json_t *body)
{
    return ck_turn_output(turn, &(struct ck_output){
                                    .kind = kind,
                                    .id = row->step.id,
                                    .unit_id = row->unit,
                                    .staff_id = row->step.inspector,
                                    .person_id = row->step.person,
                                    .checkin_id = row->step.id,
                                    .body = body,
                                });
}

/* What the person's page calls the end. */
static const char *person_result(enum ck_outcome outcome)
{
    switch (outcome) {
    case CK_OUTCOME_COMPLETED:
        return "received";
    case CK_OUTCOME_LATE:
        return "received_late";
    case CK_OUTCOME_DECLINED:
        return "declined";
    default:
        return "ended";
    }
}

static int tell_state(struct ck_turn *turn, const struct ck_checkin_row *row)
{
    const char *outcome =
        row->step.outcome == CK_OUTCOME_OPEN ? NULL : ck_outcome_name(row->step.outcome);
    return output(turn, CK_OUTPUT_PERSON_STATE, row,
                  json_pack("{s:s, s:s*}", "state", ck_checkin_state_name(row->step.state),
                            "outcome", outcome));
}

static json_t *time_json(struct ck_wall at)
{
    char text[CK_WALL_TEXT_SIZE];
    ck_wall_text(at, text);
    return json_string(text);
}

/* The caseload, and whoever has their time reserved for it. */
static int console_ring(struct ck_turn *turn, const struct ck_checkin_row *row)
{
    struct ck_checkin_row other = *row;
    other.step.inspector = row->reserved;
    int r = output(turn, CK_OUTPUT_RING, row,
                   json_pack("{s:o}", "since", time_json(row->waiting_since)));
    return r == 0 && row->reserved != 0 && row->reserved != row->step.inspector
               ? output(turn, CK_OUTPUT_RING, &other,
                        json_pack("{s:o}", "since", time_json(row->waiting_since)))
               : r;
}

static int quiet_console(struct ck_turn *turn, const struct ck_checkin_row *row)
{
    const char *reason = row->step.phase == CK_PHASE_IN_CALL     ? "taken"
                         : row->step.phase == CK_PHASE_CHALLENGE ? "unattended"
                                                                 : "gone";
    return output(turn, CK_OUTPUT_RING_STOP, row,
                  row->taken_by == 0
                      ? json_pack("{s:s}", "reason", reason)
                      : json_pack("{s:s, s:I}", "reason", reason, "by", (json_int_t)row->taken_by));
}

/* ---- challenges ---- */

#define CHALLENGE_SECONDS 8

static int make_challenges(struct ck_turn *turn, const struct ck_checkin_row *row)
{
    static const char *const moves[] = {"turn_left", "turn_right", "look_up", "show_hand"};
    uint8_t random[2 + 2 * CK_CHALLENGES_MAX];
    ck_turn_random(turn, random, sizeof random);
    /* Digits and moves in turn; no move twice before all of them had theirs. */
    unsigned move = random[0] % 4, step = 1 + random[1] % 2 * 2;
    for (int i = 0; i < turn->engine->rules.challenge_count; i++) {
        struct ck_challenge challenge = {.number = i + 1, .seconds = CHALLENGE_SECONDS};
        if (i % 2 == 0) {
            unsigned digits = (unsigned)(random[2 + 2 * i] << 8 | random[3 + 2 * i]) % 10000;
            snprintf(challenge.kind, sizeof challenge.kind, "read_digits");
            snprintf(challenge.digits, sizeof challenge.digits, "%04u", digits);
        } else {
            snprintf(challenge.kind, sizeof challenge.kind, "%s", moves[move]);
            move = (move + step) % 4;
        }
        int r = ck_challenge_insert(turn->store, row->step.id, &challenge);
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

/* The same challenges again where the page came back. */
static int start_unattended(struct ck_turn *turn, const struct ck_checkin_row *row)
{
    int64_t count = 0;
    int r = ck_challenge_count(turn->store, row->step.id, &count);
    if (r == 0 && count == 0) {
        r = make_challenges(turn, row);
        count = turn->engine->rules.challenge_count;
    }
    json_t *list = json_array();
    for (int i = 1; r == 0 && i <= count; i++) {
        struct ck_challenge challenge;
        r = ck_challenge_load(turn->store, row->step.id, i, &challenge);
        if (r == 0) {
            json_t *item = json_pack("{s:i, s:s, s:i}", "number", challenge.number, "kind",
                                     challenge.kind, "seconds", challenge.seconds);
            if (challenge.digits[0] != '\0') {
                json_object_set_new(item, "digits", json_string(challenge.digits));
            }
            json_array_append_new(list, item);
        }
    }
    if (r != 0) {
        json_decref(list);
        return r;
    }
    return output(turn, CK_OUTPUT_START_UNATTENDED, row, json_pack("{s:o}", "challenges", list));
}

/* ---- effects ---- */

static int ring(struct ck_turn *turn, const struct ck_actor *actor,
                const struct ck_checkin_row *row, uint32_t attempt)
{
    int notices = 0;
    int r = ck_attempt_insert(turn->store, row->step.id, attempt, turn->now.wall);
    if (r == 0) {
        r = ck_notice_ring(turn, row, attempt, &notices);
    }
    if (r == 0) {
        r = ck_record_checkin(turn, actor, row, "CHECKIN_RING",
                              json_pack("{s:i, s:i, s:I}", "attempt", (int)attempt, "notices",
                                        notices, "policy", (json_int_t)row->policy));
    }
    return r;
}

static int tell_news(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct ck_checkin_row *row, const struct ck_effect *effect)
{
    static const enum ck_incident_kind kinds[] = {CK_INCIDENT_NO_CONTACT,
                                                  CK_INCIDENT_REVIEW_OVERDUE};
    const struct ck_incident_event event = {
        .kind = effect->incident_news.news == CK_NEWS_ANSWERED_LATE ? CK_INCIDENT_LATE_ANSWER
                                                                    : CK_INCIDENT_OUTCOME_KNOWN,
        .outcome = effect->incident_news.outcome,
        .checkin = row->step.id,
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int64_t id = 0;
        struct ck_incident_row incident;
        int r = ck_incident_of_checkin(turn->store, row->step.id, kinds[i], &id);
        if (r == CK_E_NOT_FOUND) {
            continue;
        }
        if (r == 0) {
            r = ck_incident_load(turn->store, id, &incident);
        }
        if (r == 0) {
            r = ck_incident_feed(turn, actor, &incident, &event);
        }
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

static int staff_fault(struct ck_turn *turn, const struct ck_actor *actor,
                       const struct ck_checkin_row *row, const struct ck_effect *effect)
{
    return ck_record_checkin(turn, actor, row, "STAFF_FAULT",
                             json_pack("{s:s}", "cause", ck_cause_name(effect->staff_fault.cause)));
}

/* When the contact was made: what was reviewed afterwards is no contact of the review's time. */
static struct ck_wall contact_at(const struct ck_turn *turn, const struct ck_checkin *step)
{
    return step->review_by.ms != 0 && step->joined_at.ms != 0 ? step->joined_at : turn->now.wall;
}

/* Whether a contact also serves another check-in: not one that became due only after it, while it
 * waited for its review. A make-up is as old as what it makes up for. */
static int serves(struct ck_turn *turn, const struct ck_checkin_row *row,
                  const struct ck_checkin_row *other, bool *does)
{
    struct ck_checkin_row first;
    struct ck_wall at = contact_at(turn, &row->step), due = other->step.due;
    int r = 0;
    if (other->step.make_up_of != 0) {
        r = ck_checkin_load(turn->store, other->step.make_up_of, &first);
        due = first.step.due;
    }
    *does = other->step.merged_into == row->step.id || row->step.review_by.ms == 0 ||
            !ck_wall_before(at, due);
    return r;
}

static int serve_others(struct ck_turn *turn, const struct ck_actor *actor,
                        const struct ck_checkin_row *row)
{
    int64_t ids[SERVED_MAX];
    size_t count = 0;
    int r =
        ck_checkin_served_of(turn->store, row->step.person, row->step.id, ids, SERVED_MAX, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_checkin_row other;
        bool does = false;
        r = ck_checkin_load(turn->store, ids[i], &other);
        r = r == 0 ? serves(turn, row, &other, &does) : r;
        if (r == 0 && does) {
            r = ck_checkin_feed(turn, actor, &other,
                                &(struct ck_checkin_event){.kind = CK_CHECKIN_CONTACT_ELSEWHERE,
                                                           .elsewhere.checkin = row->step.id});
        }
    }
    return r;
}

int ck_contact_made(struct ck_turn *turn, const struct ck_actor *actor,
                    const struct ck_checkin_row *row)
{
    int64_t ids[OPEN_MAX];
    size_t count = 0;
    struct ck_wall at = contact_at(turn, &row->step);
    int r = ck_silence_contact(turn, row->step.person, at);
    r = r == 0 ? serve_others(turn, actor, row) : r;
    r = r == 0 ? ck_incident_open_of(turn->store, row->step.person, ids, OPEN_MAX, &count) : r;
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct ck_incident_row incident;
        r = ck_incident_load(turn->store, ids[i], &incident);
        bool asks = incident.step.kind == CK_INCIDENT_SILENCE ||
                    (incident.step.kind == CK_INCIDENT_NO_CONTACT &&
                     !ck_wall_before(at, incident.step.opened_at));
        if (r == 0 && asks && incident.step.checkin != row->step.id) {
            r = ck_incident_feed(
                turn, actor, &incident,
                &(struct ck_incident_event){.kind = CK_INCIDENT_REACHED, .checkin = row->step.id});
        }
    }
    return r;
}

static int conclude_outcome(struct ck_turn *turn, const struct ck_actor *actor,
                            const struct ck_checkin_row *row,
                            const struct ck_checkin_policy *policy, const struct ck_effect *effect)
{
    int r = record_outcome(turn, actor, row, policy, effect);
    if (r == 0) {
        r = output(turn, CK_OUTPUT_ENDED, row,
                   json_pack("{s:s, s:s}", "result", person_result(effect->outcome.outcome),
                             "receipt", row->receipt));
    }
    if (r == 0 && effect->outcome.outcome == CK_OUTCOME_COMPLETED && row->step.review_by.ms == 0) {
        r = ck_second_check_after(turn, row);
    }
    return r;
}

/* The person has done their part, and may be called a second time: whoever reviews it comes hours
 * later, when the window is over. */
static int await_review(struct ck_turn *turn, const struct ck_actor *actor,
                        const struct ck_checkin_row *row, const struct ck_effect *effect)
{
    int r = ck_record_checkin(
        turn, actor, row, "CHECKIN_AWAITING_REVIEW",
        json_pack("{s:o, s:s}", "by", time_json(effect->review.by), "receipt", row->receipt));
    return r == 0 && row->step.finding == CK_OUTCOME_OPEN ? ck_second_check_after(turn, row) : r;
}

static int open_incident(struct ck_turn *turn, const struct ck_actor *actor,
                         const struct ck_checkin_row *row, const struct ck_effect *effect)
{
    return ck_incident_open(turn, actor,
                            &(struct ck_incident_opening){.checkin = row,
                                                          .person = row->step.person,
                                                          .unit = row->unit,
                                                          .effect = effect->incident});
}

/* Why the call ends, in the pages' words. */
static const char *end_reason(const struct ck_checkin *step)
{
    if (step->state == CK_CHECKIN_RINGING) {
        return "lost";
    }
    return step->state == CK_CHECKIN_DONE && step->outcome == CK_OUTCOME_DECLINED ? "declined"
                                                                                  : "ended";
}

static int carry_out(struct ck_turn *turn, const struct ck_actor *actor,
                     const struct ck_checkin_row *row, const struct ck_checkin_policy *policy,
                     const struct ck_effect *effect)
{
    switch (effect->kind) {
    case CK_EFFECT_RING:
        return ring(turn, actor, row, effect->ring.attempt);
    case CK_EFFECT_STOP_RINGING:
        return ck_notice_cancel(turn, row);
    case CK_EFFECT_CONSOLE_RING:
        return console_ring(turn, row);
    case CK_EFFECT_CONSOLE_QUIET:
        return quiet_console(turn, row);
    case CK_EFFECT_START_UNATTENDED:
        return start_unattended(turn, row);
    case CK_EFFECT_END_CALL:
        return output(turn, CK_OUTPUT_END_CALL, row,
                      json_pack("{s:s}", "reason", end_reason(&row->step)));
    case CK_EFFECT_REVIEW:
        return await_review(turn, actor, row, effect);
    case CK_EFFECT_OUTCOME:
        return conclude_outcome(turn, actor, row, policy, effect);
    case CK_EFFECT_OPEN_INCIDENT:
    case CK_EFFECT_OPEN_SAFETY:
        return open_incident(turn, actor, row, effect);
    case CK_EFFECT_INCIDENT_NEWS:
        return tell_news(turn, actor, row, effect);
    case CK_EFFECT_CONTACT:
        return ck_contact_made(turn, actor, row);
    case CK_EFFECT_MAKE_UP:
        return ck_make_up(turn, row);
    case CK_EFFECT_NOTIFY:
        return ck_notice_staff(turn,
                               &(struct ck_notice_about){.checkin = row->step.id,
                                                         .unit = row->unit,
                                                         .person = row->step.person},
                               &effect->notify);
    case CK_EFFECT_STAFF_FAULT:
        return staff_fault(turn, actor, row, effect);
    case CK_EFFECT_AUDIT:
        return record_fact(turn, actor, row, effect->audit.fact, effect->audit.value);
    case CK_EFFECT_ALARM:
    case CK_EFFECT_SEND:
    case CK_EFFECT_NEXT_CHANNEL:
    case CK_EFFECT_UNREACHABLE:
    case CK_EFFECT_KIND_COUNT:
        break;
    }
    return -EUCLEAN; /* not an effect of a check-in */
}

/* ---- feeding ---- */

static bool has_effect(const struct ck_effects *effects, enum ck_effect_kind kind)
{
    for (uint32_t i = 0; i < effects->count; i++) {
        if (effects->items[i].kind == kind) {
            return true;
        }
    }
    return false;
}

static int give_receipt(struct ck_turn *turn, struct ck_checkin_row *row)
{
    bool taken = row->receipt[0] == '\0';
    int r = 0;
    for (int tries = 0; r == 0 && taken && tries < CK_REFERENCE_TRIES; tries++) {
        ck_reference_make(turn, 'R', row->receipt);
        r = ck_checkin_receipt_taken(turn->store, row->receipt, &taken);
    }
    return r == 0 && taken ? -EEXIST : r;
}

/* What the daemon keeps beside the deciding values. */
static int keep_beside(struct ck_turn *turn, struct ck_checkin_row *row,
                       const struct ck_checkin_event *event, const struct ck_effects *effects)
{
    const struct ck_checkin *step = &row->step;
    if (has_effect(effects, CK_EFFECT_CONSOLE_RING)) {
        row->waiting_since = turn->now.wall;
    }
    if (step->state != CK_CHECKIN_CONNECTED || step->phase != CK_PHASE_WAITING) {
        row->waiting_since = (struct ck_wall){0};
    }
    if (event->kind == CK_CHECKIN_INSPECTOR_ANSWERED) {
        row->taken_by = event->inspector.staff;
        row->connected_at = turn->now.wall;
    }
    bool decided = has_effect(effects, CK_EFFECT_OUTCOME);
    if (decided) {
        row->decided_at = turn->now.wall;
    }
    /* The person has done their part when it waits for our eyes: the number is theirs already. */
    return decided || has_effect(effects, CK_EFFECT_REVIEW) ? give_receipt(turn, row) : 0;
}

static bool shows(const struct ck_checkin *before, const struct ck_checkin *after)
{
    return before->state != after->state || before->phase != after->phase ||
           before->attempt != after->attempt || before->finding != after->finding ||
           before->outcome != after->outcome;
}

int ck_checkin_feed(struct ck_turn *turn, const struct ck_actor *actor, struct ck_checkin_row *row,
                    const struct ck_checkin_event *event)
{
    struct ck_checkin_policy policy;
    struct ck_checkin next;
    struct ck_effects effects = {.count = 0};
    int r = ck_checkin_policy_of(turn, row->policy, &policy);
    if (r == 0) {
        r = ck_checkin_step(&row->step, event, &policy, turn->now.wall, &next, &effects);
    }
    if (r != 0) {
        return r;
    }
    const struct ck_checkin before = row->step;
    row->step = next;
    r = keep_beside(turn, row, event, &effects);
    if (r == 0) {
        r = ck_checkin_save(turn->store, row);
    }
    for (uint32_t i = 0; r == 0 && i < effects.count; i++) {
        r = carry_out(turn, actor, row, &policy, &effects.items[i]);
    }
    if (r == 0 && shows(&before, &row->step)) {
        r = ck_tell_today(turn, row);
        if (r == 0 && row->step.state >= CK_CHECKIN_RINGING) {
            r = tell_state(turn, row);
        }
    }
    return r;
}

int ck_checkin_evidence(struct ck_turn *turn, const struct ck_actor *actor,
                        struct ck_checkin_row *row, enum ck_evidence evidence, struct ck_wall at)
{
    return ck_checkin_feed(turn, actor, row,
                           &(struct ck_checkin_event){
                               .kind = CK_CHECKIN_FACT, .fact.evidence = evidence, .fact.at = at});
}

/* ---- due ---- */

/* From when on the person can be said to have been reachable by us: the notice that got through
 * first, or the tap that proves it got through. */
static int reached_from(struct ck_turn *turn, const struct ck_checkin *step, struct ck_wall *from)
{
    struct ck_wall reached = {0};
    int r = ck_notice_reached_at(turn->store, step->id, &reached);
    struct ck_wall tapped = step->evidence_at[CK_EVIDENCE_PAGE_OPENED];
    if (tapped.ms != 0 && (reached.ms == 0 || tapped.ms < reached.ms)) {
        reached = tapped;
    }
    if (reached.ms != 0 && reached.ms < step->opened_at.ms) {
        reached = step->opened_at;
    }
    *from = reached;
    return r;
}

static int answerable(struct ck_turn *turn, const struct ck_checkin *step, int64_t *ms)
{
    *ms = -1;
    if (step->opened_at.ms == 0 || step->kind == CK_KIND_INBOUND) {
        return 0;
    }
    struct ck_wall from, until = step->respond_until;
    int r = reached_from(turn, step, &from);
    if (r != 0 || from.ms == 0) {
        return r;
    }
    if (turn->now.wall.ms < until.ms) {
        until = turn->now.wall;
    }
    return ck_health_answerable(turn->store, from, until, ms);
}

#define CATCH_UP_PER_MINUTE 60 /* 7,200 and more go faster: nobody waits for CK_CATCH_UP_MAX_MS */

/* Over how long what piled up while we were away is to be spread. */
static int spread(struct ck_turn *turn, const struct ck_checkin *step,
                  const struct ck_checkin_policy *policy, int64_t *ms)
{
    *ms = 0;
    if (turn->now.wall.ms - step->due.ms <= policy->misfire_ms) {
        return 0;
    }
    if (turn->backlog < 0) {
        int r =
            ck_checkin_backlog(turn->store, turn->now.wall,
                               CATCH_UP_PER_MINUTE * CK_CATCH_UP_MAX_MS / 60000, &turn->backlog);
        if (r != 0) {
            return r;
        }
    }
    *ms = turn->backlog * 60000 / CATCH_UP_PER_MINUTE;
    return 0;
}

/* A late one was placed around the blackouts of another time. Whether the rings and grace of one
 * that begins now would run into one. */
static int excused(struct ck_turn *turn, const struct ck_checkin *step,
                   const struct ck_checkin_policy *policy, bool *is)
{
    struct ck_interval blackout;
    struct ck_wall until = ck_wall_add_ms(turn->now.wall, policy->response_ms + policy->grace_ms);
    size_t count = 0;
    bool late = turn->now.wall.ms - step->due.ms > policy->misfire_ms;
    int r = late ? ck_blackouts_of(turn->store, step->person, turn->now.wall, until, &blackout,
                                   NULL, 1, &count)
                 : 0;
    *is = r == 0 && count > 0;
    return r;
}

int ck_checkin_due(struct ck_turn *turn, const struct ck_due *due)
{
    struct ck_interval_set busy;
    struct ck_checkin_row row;
    struct ck_checkin_policy policy;
    struct ck_checkin_event event = {.kind = CK_CHECKIN_TIMER};
    int r = ck_checkin_load(turn->store, due->id, &row);
    if (r == 0 && row.fence != due->fence) {
        r = CK_E_FENCED;
    }
    if (r == 0) {
        r = ck_checkin_policy_of(turn, row.policy, &policy);
    }
    if (r == 0) {
        r = answerable(turn, &row.step, &event.timer.answerable_ms);
    }
    if (r == 0 && row.step.state == CK_CHECKIN_RINGING) {
        r = ck_checkin_in_call(turn->store, row.step.person, row.step.id, &event.timer.other_live);
    }
    if (r == 0 && row.step.state == CK_CHECKIN_ARMED) {
        r = ck_checkin_other_live(turn->store, row.step.person, row.step.id,
                                  &event.timer.other_live);
        r = r == 0 ? spread(turn, &row.step, &policy, &event.timer.spread_ms) : r;
        r = r == 0 ? excused(turn, &row.step, &policy, &event.timer.excused) : r;
    }
    bool asks = r == 0 && row.step.kind == CK_KIND_LIVE && !row.step.caught_up &&
                row.step.state == CK_CHECKIN_ARMED && event.timer.spread_ms > 0;
    if (asks) {
        r = ck_capacity_catch_up(turn, &row, &busy);
        event.timer.busy = &busy;
    }
    if (r != 0) {
        return r;
    }
    const struct ck_actor actor = ck_actor_system();
    const enum ck_checkin_state before = row.step.state;
    r = ck_checkin_feed(turn, &actor, &row, &event);
    if (r == 0 && asks && row.step.caught_up) {
        return ck_capacity_caught_up(turn, &row);
    }
    if (r == 0 && before == CK_CHECKIN_PLANNED && row.step.state == CK_CHECKIN_ARMED) {
        r = ck_capacity_confirm(turn, &row);
    } else if (r == 0 && before == CK_CHECKIN_ARMED && row.step.state == CK_CHECKIN_RINGING) {
        r = ck_capacity_rung(turn, &row, policy.misfire_ms);
    }
    return r;
}
