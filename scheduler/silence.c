#include "scheduler/silence.h"

#include "scheduler/effects_impl.h"

static struct ck_wall due_of(const struct ck_silence *row)
{
    bool waits = row->max_ms != 0 && !row->alarmed;
    return waits ? ck_wall_add_ms(row->since, row->span_ms + row->excused_ms) : CK_WALL_NEVER;
}

static void reschedule(struct ck_silence *row)
{
    struct ck_wall due = due_of(row);
    bool looks = row->look_at.ms != 0 && ck_wall_before(row->look_at, due);
    row->next_at = looks ? row->look_at : due;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void begin(struct ck_silence *row, struct ck_wall at)
{
    row->since = at;
    row->before = (struct ck_wall){0};
    row->excused_ms = 0;
    row->alarmed = false;
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

static void timer(struct ck_silence *row, const struct ck_silence_event *event, struct ck_wall now,
                  struct ck_effects *effects)
{
    row->excused_ms = longer(row->excused_ms, event->excused_ms);
    if (!ck_wall_before(now, due_of(row))) {
        alarm_now(row, now, effects);
    }
}

/* A contact never brings the alarm nearer than it was without it: where the limit began after the
 * contact it is due no earlier for that. */
static void contact(struct ck_silence *row, const struct ck_silence_event *event)
{
    int64_t later_ms = event->at.ms - row->since.ms - event->excused_ms;
    if (row->since.ms != 0 && ck_wall_before(row->since, event->at)) {
        begin(row, event->at);
        row->span_ms =
            row->max_ms == 0 ? row->span_ms : longer(row->max_ms, row->span_ms - later_ms);
    } else if (row->before.ms != 0 && ck_wall_before(row->before, event->at)) {
        /* Before the conclusion, which speaks of another silence where this one was not too long
         * by then. */
        int64_t earlier_ms = row->since.ms - event->at.ms - event->excused_ms;
        row->before = event->at;
        if (earlier_ms < row->max_ms) {
            begin(row, event->at);
            row->span_ms = row->max_ms;
        }
    }
}

static void concluded(struct ck_silence *row, struct ck_wall now)
{
    struct ck_wall before = row->before.ms != 0 ? row->before : row->since;
    if (row->alarmed) {
        begin(row, now);
        row->before = before;
        row->span_ms = row->max_ms == 0 ? row->span_ms : row->max_ms;
    }
}

/* Measured as how long this silence may last by each limit, and by those before. */
static void changed(struct ck_silence *row, const struct ck_silence_event *event)
{
    row->band = event->band;
    row->look_at = event->look_at;
    row->max_ms = 0;
    if (event->limit_count == 0) {
        return;
    }
    int64_t span_ms = row->span_ms == 0 ? INT64_MAX : row->span_ms;
    int64_t max_ms = INT64_MAX;
    struct ck_wall first = event->limits[0].begins;
    for (size_t i = 1; i < event->limit_count; i++) {
        first = ck_wall_before(event->limits[i].begins, first) ? event->limits[i].begins : first;
    }
    row->since = row->since.ms == 0 ? first : row->since;
    for (size_t i = 0; i < event->limit_count; i++) {
        const struct ck_silence_limit *limit = &event->limits[i];
        int64_t after_ms = longer(0, limit->begins.ms - row->since.ms - limit->excused_ms);
        span_ms = limit->max_ms + after_ms < span_ms ? limit->max_ms + after_ms : span_ms;
        max_ms = limit->max_ms < max_ms ? limit->max_ms : max_ms;
    }
    row->max_ms = max_ms;
    row->span_ms = longer(max_ms, span_ms);
}

void ck_silence_step(const struct ck_silence *row, const struct ck_silence_event *event,
                     struct ck_wall now, struct ck_silence *next, struct ck_effects *effects)
{
    struct ck_silence turn = *row;
    struct ck_effects made = {.count = 0};
    assert(event->kind < CK_SILENCE_EVENT_COUNT);
    switch (event->kind) {
    case CK_SILENCE_TIMER:
        timer(&turn, event, now, &made);
        break;
    case CK_SILENCE_CONTACT:
        contact(&turn, event);
        break;
    case CK_SILENCE_CONCLUDED:
        concluded(&turn, now);
        break;
    case CK_SILENCE_CHANGED:
        changed(&turn, event);
        break;
    default:
        turn = (struct ck_silence){.band = turn.band, .look_at = event->look_at};
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
