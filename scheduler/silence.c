#include "scheduler/silence.h"

#include "scheduler/effects_impl.h"

static void reschedule(struct ck_silence *row)
{
    bool waits = row->max_ms != 0 && !row->alarmed;
    row->next_at =
        waits ? ck_wall_add_ms(row->since, row->max_ms + row->excused_ms) : CK_WALL_NEVER;
}

void ck_silence_begin(struct ck_silence *row, struct ck_wall now)
{
    row->since = now;
    row->excused_ms = 0;
    row->alarmed = false;
    reschedule(row);
}

static void alarm_now(struct ck_silence *row, struct ck_wall now, struct ck_effects *effects)
{
    row->alarmed = true;
    ck_effects_audit(effects, CK_FACT_SILENCE, now.ms - row->since.ms);
    ck_effects_add(effects, CK_EFFECT_OPEN_INCIDENT)->incident = (struct ck_effect_incident){
        .kind = CK_INCIDENT_SILENCE,
        .severity = ck_incident_severity(CK_INCIDENT_SILENCE, row->band),
        .finding = CK_OUTCOME_OPEN,
        .first_step_at = now,
    };
}

void ck_silence_step(const struct ck_silence *row, const struct ck_silence_event *event,
                     struct ck_wall now, struct ck_silence *next, struct ck_effects *effects)
{
    struct ck_silence turn = *row;
    struct ck_effects made = {.count = 0};
    assert(event->kind < CK_SILENCE_EVENT_COUNT);
    switch (event->kind) {
    case CK_SILENCE_TIMER:
        if (event->excused_ms > turn.excused_ms) {
            turn.excused_ms = event->excused_ms;
            reschedule(&turn);
        }
        if (!ck_wall_before(now, turn.next_at)) {
            alarm_now(&turn, now, &made);
        }
        break;
    case CK_SILENCE_CONTACT:
        if (turn.since.ms != 0 && ck_wall_before(turn.since, event->at)) {
            turn.since = event->at;
            turn.excused_ms = 0;
            turn.alarmed = false;
        }
        break;
    case CK_SILENCE_CONCLUDED:
        if (turn.alarmed) {
            ck_silence_begin(&turn, now);
        }
        break;
    case CK_SILENCE_CHANGED:
        turn.max_ms = event->max_ms;
        turn.band = event->band;
        break;
    default:
        turn = (struct ck_silence){.band = turn.band};
        break;
    }
    reschedule(&turn);
    *next = turn;
    ck_effects_give(&made, effects);
}

int64_t ck_silence_excused_ms(const struct ck_interval *blackouts, size_t count,
                              struct ck_wall from, struct ck_wall until)
{
    /* Measured as what they take away; more pieces than a set holds only excuse less. */
    struct ck_interval_set left;
    ck_interval_set_of((struct ck_interval){from, until}, &left);
    for (size_t i = 0; i < count; i++) {
        ck_interval_set_take(&left, blackouts[i]);
    }
    int64_t rest = 0;
    for (uint32_t i = 0; i < left.count; i++) {
        rest += left.items[i].until.ms - left.items[i].from.ms;
    }
    return until.ms > from.ms ? until.ms - from.ms - rest : 0;
}

const char *ck_silence_event_name(enum ck_silence_event_kind kind)
{
    static const char *const names[CK_SILENCE_EVENT_COUNT] = {
        [CK_SILENCE_TIMER] = "timer",         [CK_SILENCE_CONTACT] = "contact",
        [CK_SILENCE_CHANGED] = "changed",     [CK_SILENCE_ENDED] = "ended",
        [CK_SILENCE_CONCLUDED] = "concluded",
    };
    return (unsigned)kind < CK_SILENCE_EVENT_COUNT ? names[kind] : NULL;
}
