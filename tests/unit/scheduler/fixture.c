#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void begin_row(struct checkin_case *c)
{
    memset(&c->row, 0, sizeof(c->row));
    c->row.id = 42;
    c->row.person = 7;
    c->row.plan = 3;
    c->row.inspector = 11;
    c->row.kind = CK_KIND_LIVE;
    c->row.mandatory = true;
    c->row.band = CK_BAND_3;
    c->row.due.ms = FIXTURE_DUE;
    c->row.window_start.ms = FIXTURE_DUE - INT64_C(3600000);
    c->row.window_end.ms = FIXTURE_DUE + INT64_C(3) * 3600000;
    ck_checkin_begin(&c->row, &c->policy);
    c->now = c->row.next_at;
}

void checkin_feed(struct checkin_case *c, const struct ck_checkin_event *event,
                  struct ck_effects *effects)
{
    struct ck_effects unused;
    int code = ck_checkin_step(&c->row, event, &c->policy, c->now, &c->row,
                               effects == NULL ? &unused : effects);
    assert_int_equal(code, 0);
}

static void feed_timer(struct checkin_case *c)
{
    c->now = c->row.next_at;
    struct ck_checkin_event event = {.kind = CK_CHECKIN_TIMER, .timer.answerable_ms = -1};
    checkin_feed(c, &event, NULL);
}

static void feed_kind(struct checkin_case *c, enum ck_checkin_event_kind kind)
{
    struct ck_checkin_event event = {.kind = kind};
    if (kind == CK_CHECKIN_INSPECTOR_ANSWERED) {
        event.inspector.staff = 11;
    }
    checkin_feed(c, &event, NULL);
}

static void feed_fact(struct checkin_case *c, enum ck_evidence evidence)
{
    struct ck_checkin_event event = {.kind = CK_CHECKIN_FACT, .fact.evidence = evidence};
    checkin_feed(c, &event, NULL);
}

static void to_ringing(struct checkin_case *c)
{
    feed_timer(c);
    feed_timer(c);
    feed_fact(c, CK_EVIDENCE_NOTICE_ACCEPTED);
    struct ck_checkin_event event = {.kind = CK_CHECKIN_ANSWERABLE,
                                     .answerable.ms = c->policy.response_ms};
    checkin_feed(c, &event, NULL);
}

static void to_missed(struct checkin_case *c)
{
    to_ringing(c);
    while (c->row.finding == CK_OUTCOME_OPEN) {
        feed_timer(c);
    }
}

static void to_waiting(struct checkin_case *c)
{
    to_ringing(c);
    feed_kind(c, CK_CHECKIN_JOINED);
}

static void to_in_call(struct checkin_case *c)
{
    to_waiting(c);
    feed_kind(c, CK_CHECKIN_INSPECTOR_ANSWERED);
    feed_fact(c, CK_EVIDENCE_FIRST_FRAME);
}

static void to_challenge(struct checkin_case *c)
{
    to_waiting(c);
    feed_kind(c, CK_CHECKIN_NO_INSPECTOR);
    feed_fact(c, CK_EVIDENCE_FIRST_FRAME);
}

static void to_form(struct checkin_case *c)
{
    to_in_call(c);
    feed_kind(c, CK_CHECKIN_CALL_LOST);
}

static void to_review(struct checkin_case *c)
{
    to_challenge(c);
    feed_kind(c, CK_CHECKIN_CHALLENGE_FINISHED);
}

static void to_done(struct checkin_case *c)
{
    to_review(c);
    struct ck_checkin_event event = {.kind = CK_CHECKIN_REVIEWED, .reviewed.staff = 11};
    checkin_feed(c, &event, NULL);
}

static void to_planned(struct checkin_case *c)
{
    (void)c;
}

static const struct {
    const char *name;
    void (*bring)(struct checkin_case *c);
} states[] = {
    {"planned", to_planned},
    {"armed", feed_timer},
    {"ringing", to_ringing},
    {"ringing/missed", to_missed},
    {"connected/waiting", to_waiting},
    {"connected/in_call", to_in_call},
    {"connected/challenge", to_challenge},
    {"connected/form", to_form},
    {"awaiting_review", to_review},
    {"done", to_done},
};

static void fill_event(struct checkin_case *c)
{
    switch (c->event.kind) {
    case CK_CHECKIN_TIMER:
        c->event.timer.answerable_ms = -1;
        break;
    case CK_CHECKIN_FACT:
        c->event.fact.evidence = CK_EVIDENCE_PERMISSION_ASKED;
        break;
    case CK_CHECKIN_FAULT:
        c->event.fault.faults = CK_FAULT_BIT(CK_FAULT_NO_WORKER);
        break;
    case CK_CHECKIN_ANSWERABLE:
        c->event.answerable.ms = 5000;
        break;
    case CK_CHECKIN_INSPECTOR_ANSWERED:
        c->event.inspector.staff = 11;
        break;
    case CK_CHECKIN_ENDED:
        c->event.ended.staff = 11;
        break;
    case CK_CHECKIN_REVIEWED:
        c->event.reviewed.staff = 11;
        break;
    case CK_CHECKIN_WAIVED:
        c->event.waived.cause = CK_CAUSE_WAIVED_HOSPITAL;
        c->event.waived.staff = 12;
        break;
    case CK_CHECKIN_MOVED:
        c->event.moved.due.ms = c->row.due.ms + 60 * 1000;
        c->event.moved.window_start = c->row.window_start;
        c->event.moved.window_end = c->row.window_end;
        break;
    case CK_CHECKIN_CONTACT_ELSEWHERE:
        c->event.elsewhere.checkin = 77;
        break;
    case CK_CHECKIN_BANDED:
        c->event.banded.band = CK_BAND_TOP;
        break;
    default:
        break;
    }
}

void checkin_case_begin(struct checkin_case *c, const char *state, const char *event)
{
    memset(c, 0, sizeof(*c));
    c->policy = ck_checkin_policy_default();
    begin_row(c);
    size_t i = 0;
    while (i < sizeof(states) / sizeof(states[0]) && strcmp(states[i].name, state) != 0) {
        i++;
    }
    if (i == sizeof(states) / sizeof(states[0])) {
        fail_msg("there is no state %s", state);
    }
    states[i].bring(c);
    unsigned kind = 0;
    while (kind < CK_CHECKIN_EVENT_COUNT && strcmp(ck_checkin_event_name(kind), event) != 0) {
        kind++;
    }
    if (kind == CK_CHECKIN_EVENT_COUNT) {
        fail_msg("there is no event %s", event);
    }
    c->event.kind = (enum ck_checkin_event_kind)kind;
    fill_event(c);
    bool timer = kind == CK_CHECKIN_TIMER && c->row.next_at.ms != 0;
    c->now.ms = timer ? c->row.next_at.ms : c->now.ms + 1000;
}

void checkin_state_text(const struct ck_checkin *row, char *text, size_t size)
{
    if (row->state == CK_CHECKIN_DONE) {
        snprintf(text, size, "%s", ck_checkin_state_name(row->state));
    } else if (row->phase != CK_PHASE_NONE) {
        snprintf(text, size, "%s/%s", ck_checkin_state_name(row->state),
                 ck_checkin_phase_name(row->phase));
    } else if (row->state == CK_CHECKIN_RINGING && row->finding != CK_OUTCOME_OPEN) {
        snprintf(text, size, "ringing/missed");
    } else {
        snprintf(text, size, "%s", ck_checkin_state_name(row->state));
    }
}

static int effect_text(const struct ck_effect *effect, char *text, size_t size)
{
    const char *name = ck_effect_kind_name(effect->kind);
    switch (effect->kind) {
    case CK_EFFECT_RING:
        return snprintf(text, size, "%s %u", name, effect->ring.attempt);
    case CK_EFFECT_OUTCOME:
        return snprintf(text, size, "%s %s (%s)", name, ck_outcome_name(effect->outcome.outcome),
                        ck_cause_name(effect->outcome.cause));
    case CK_EFFECT_OPEN_INCIDENT:
        return snprintf(text, size, "%s %s", name, ck_incident_kind_name(effect->incident.kind));
    case CK_EFFECT_INCIDENT_NEWS:
        return snprintf(text, size, "%s %s", name,
                        effect->incident_news.news == CK_NEWS_OUTCOME ? "outcome"
                                                                      : "answered_late");
    case CK_EFFECT_NOTIFY:
        return snprintf(text, size, "%s %lld %s%s", name, (long long)effect->notify.staff,
                        ck_template_name(effect->notify.template),
                        effect->notify.digest ? " digest" : "");
    case CK_EFFECT_NEXT_CHANNEL:
        return snprintf(text, size, "%s %s", name, ck_channel_name(effect->next_channel.channel));
    case CK_EFFECT_AUDIT:
        if (effect->audit.fact == CK_FACT_MISSED) {
            return snprintf(text, size, "+missed %s", ck_outcome_name(effect->audit.value));
        }
        return snprintf(text, size, "+%s", ck_fact_name(effect->audit.fact));
    default:
        return snprintf(text, size, "%s", name);
    }
}

void effects_text_of(const struct ck_effects *effects, char *text, size_t size)
{
    size_t used = 0;
    snprintf(text, size, "-");
    for (uint32_t i = 0; i < effects->count; i++) {
        if (i > 0) {
            used += (size_t)snprintf(text + used, size - used, ", ");
        }
        used += (size_t)effect_text(&effects->items[i], text + used, size - used);
        assert_true(used < size);
    }
}

const char *refusal_name(int code)
{
    switch (code) {
    case CK_E_CONFLICT:
        return "refused: conflict";
    case CK_E_INVALID:
        return "refused: invalid";
    case CK_E_DENIED:
        return "refused: denied";
    default:
        return "refused for no reason";
    }
}

int effects_count(const struct ck_effects *effects, enum ck_effect_kind kind)
{
    int count = 0;
    for (uint32_t i = 0; i < effects->count; i++) {
        count += effects->items[i].kind == kind;
    }
    return count;
}

int effects_incidents(const struct ck_effects *effects, enum ck_incident_kind kind)
{
    int count = 0;
    for (uint32_t i = 0; i < effects->count; i++) {
        count += effects->items[i].kind == CK_EFFECT_OPEN_INCIDENT &&
                 effects->items[i].incident.kind == kind;
    }
    return count;
}

const struct ck_effect *effects_find(const struct ck_effects *effects, enum ck_effect_kind kind)
{
    for (uint32_t i = 0; i < effects->count; i++) {
        if (effects->items[i].kind == kind) {
            return &effects->items[i];
        }
    }
    return NULL;
}

uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

int64_t random_below(uint64_t *state, int64_t n)
{
    return (int64_t)(random_next(state) % (uint64_t)n);
}
