/* The ladder and the notice beyond their tables: whole ways, and what holds on every way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "scheduler/incident.h"
#include "scheduler/notice.h"

#define MINUTE INT64_C(60000)
#define ALL_CHANNELS UINT32_C(0x7e)

static void person(struct ck_ladder_roster *roster, int step, int64_t staff, uint32_t channels)
{
    uint32_t i = roster->steps[step].count++;
    roster->steps[step].people[i] = (struct ck_ladder_person){staff, channels};
}

static struct ck_incident incident_of(enum ck_incident_kind kind, enum ck_band band,
                                      int64_t first_step_ms)
{
    struct ck_incident row = {.id = 9, .checkin = 42, .band = band, .mandatory = true};
    struct ck_effect_incident effect = {
        .kind = kind,
        .severity = band == CK_BAND_TOP ? CK_SEVERITY_TOP : CK_SEVERITY_NORMAL,
        .finding = CK_OUTCOME_NO_ANSWER,
        .first_step_at = {FIXTURE_DUE + first_step_ms},
    };
    ck_incident_begin(&row, &effect, (struct ck_wall){FIXTURE_DUE});
    return row;
}

/* Officers who sleep: inspector at once, duty officer after 15 minutes and again, supervisor, and
 * so on for ever. */
static void test_a_ladder_nobody_answers(void **state)
{
    (void)state;
    struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    struct ck_ladder_roster roster = {0};
    person(&roster, 0, 11, ALL_CHANNELS);
    person(&roster, 1, 21, ALL_CHANNELS);
    person(&roster, 2, 31, ALL_CHANNELS);
    struct ck_incident row = incident_of(CK_INCIDENT_NO_CONTACT, CK_BAND_3, 0);
    static const int64_t whom[] = {11, 21, 21, 31, 31, 31, 31};
    for (int i = 0; i < 7; i++) {
        struct ck_incident_event event = {.kind = CK_INCIDENT_TIMER, .roster = &roster};
        struct ck_effects effects;
        assert_int_equal(row.next_at.ms, FIXTURE_DUE + i * 15 * MINUTE);
        assert_int_equal(ck_incident_step(&row, &event, &ladder, row.next_at, &row, &effects), 0);
        const struct ck_effect *notify = effects_find(&effects, CK_EFFECT_NOTIFY);
        assert_int_equal(notify->notify.staff, whom[i]);
        assert_int_equal(notify->notify.fire, i + 1);
        assert_int_equal(notify->notify.deadline.ms, row.next_at.ms);
    }
    assert_int_equal(row.unanswered, 3);
}

/* Of an overdue review the repeats come after twice the pause of the one before, up to a limit that
 * a step's own pause does not go below. */
static void test_an_overdue_review_nobody_answers(void **state)
{
    (void)state;
    struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    struct ck_ladder_roster roster = {0};
    person(&roster, 0, 11, ALL_CHANNELS);
    person(&roster, 1, 21, ALL_CHANNELS);
    person(&roster, 2, 31, ALL_CHANNELS);
    struct ck_incident row = incident_of(CK_INCIDENT_REVIEW_OVERDUE, CK_BAND_3, 0);
    static const int64_t minutes[] = {15, 15, 15, 15, 15, 30, 60, 120, 240, 240};
    for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
        struct ck_incident_event event = {.kind = CK_INCIDENT_TIMER, .roster = &roster};
        struct ck_effects effects;
        struct ck_wall now = row.next_at;
        assert_int_equal(ck_incident_step(&row, &event, &ladder, now, &row, &effects), 0);
        assert_int_equal(row.next_at.ms - now.ms, minutes[i] * MINUTE);
        assert_int_equal(effects_find(&effects, CK_EFFECT_NOTIFY)->notify.template,
                         CK_TEMPLATE_REVIEW_OVERDUE);
    }
    ladder.steps[2].ack_timeout_ms = 2 * CK_REVIEW_REPEAT_MAX_MS;
    struct ck_incident_event event = {.kind = CK_INCIDENT_TIMER, .roster = &roster};
    struct ck_wall now = row.next_at;
    struct ck_effects effects;
    assert_int_equal(ck_incident_step(&row, &event, &ladder, now, &row, &effects), 0);
    assert_int_equal(row.next_at.ms - now.ms, 2 * CK_REVIEW_REPEAT_MAX_MS);
}

static void test_channels_of_a_notice(void **state)
{
    (void)state;
    struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    struct ck_ladder_roster roster = {0};
    person(&roster, 0, 11,
           CK_CHANNEL_BIT(CK_CHANNEL_EMAIL) | CK_CHANNEL_BIT(CK_CHANNEL_CONSOLE) |
               CK_CHANNEL_BIT(CK_CHANNEL_SMS));
    struct ck_incident row = incident_of(CK_INCIDENT_NO_CONTACT, CK_BAND_3, 0);
    struct ck_incident_event event = {.kind = CK_INCIDENT_TIMER, .roster = &roster};
    struct ck_effects effects;
    assert_int_equal(ck_incident_step(&row, &event, &ladder, row.next_at, &row, &effects), 0);
    const struct ck_effect_notify *notify = &effects_find(&effects, CK_EFFECT_NOTIFY)->notify;
    /* In the step's order, without what the person or the step does not have. */
    assert_int_equal(notify->channels[0], CK_CHANNEL_CONSOLE);
    assert_int_equal(notify->channels[1], CK_CHANNEL_EMAIL);
    assert_int_equal(notify->channels[2], CK_CHANNEL_NONE);
    assert_true(notify->parallel);
}

/* Held by a policy for a make-up: nothing happens before, and then it begins. */
static void test_the_first_step_may_wait(void **state)
{
    (void)state;
    struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    struct ck_ladder_roster roster = {0};
    person(&roster, 0, 11, ALL_CHANNELS);
    struct ck_incident row = incident_of(CK_INCIDENT_NO_CONTACT, CK_BAND_3, 10 * MINUTE);
    struct ck_incident_event event = {.kind = CK_INCIDENT_TIMER, .roster = &roster};
    struct ck_effects effects;
    struct ck_wall now = {FIXTURE_DUE + 10 * MINUTE - 1};
    assert_int_equal(ck_incident_step(&row, &event, &ladder, now, &row, &effects), 0);
    assert_int_equal(effects.count, 0);
    now.ms++;
    assert_int_equal(ck_incident_step(&row, &event, &ladder, now, &row, &effects), 0);
    assert_int_equal(effects_count(&effects, CK_EFFECT_NOTIFY), 1);
}

/* Taken over and let go again: who, when, and that each step has its own count of rounds. */
static void test_holding_and_climbing(void **state)
{
    (void)state;
    struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    ladder.steps[0].rounds = 3;
    ladder.steps[1].rounds = 3;
    struct ck_ladder_roster roster = {0};
    person(&roster, 0, 11, ALL_CHANNELS);
    person(&roster, 1, 21, ALL_CHANNELS);
    person(&roster, 2, 31, ALL_CHANNELS);
    struct ck_incident row = incident_of(CK_INCIDENT_NO_CONTACT, CK_BAND_3, 0);
    struct ck_incident_event timer = {.kind = CK_INCIDENT_TIMER, .roster = &roster};
    struct ck_incident_event escalate = {.kind = CK_INCIDENT_ESCALATE, .staff = 5};
    struct ck_incident_event acknowledge = {.kind = CK_INCIDENT_ACKNOWLEDGE, .staff = 5};
    struct ck_effects effects;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ck_incident_step(&row, &timer, &ladder, row.next_at, &row, &effects), 0);
    }
    assert_int_equal(ck_incident_step(&row, &escalate, &ladder, row.fired_at, &row, &effects), 0);
    assert_int_equal(row.step, 1);
    assert_int_equal(row.round, 0);
    struct ck_wall now = {row.next_at.ms + 1234};
    assert_int_equal(ck_incident_step(&row, &acknowledge, &ladder, now, &row, &effects), 0);
    assert_int_equal(row.acked_by, 5);
    assert_int_equal(row.acked_at.ms, now.ms);
    assert_int_equal(row.next_at.ms, now.ms + ladder.ack_hold_ms);
}

/* Which conclusion fits which incident. */
static void test_conclusions_fit(void **state)
{
    (void)state;
    static const char *const allowed[CK_INCIDENT_KIND_COUNT] = {
        [CK_INCIDENT_NO_CONTACT] = "reached excused breach technical handed_over ",
        [CK_INCIDENT_SILENCE] = "reached excused technical handed_over ",
        [CK_INCIDENT_REVIEW_OVERDUE] = "technical handed_over staff_done ",
        [CK_INCIDENT_SAFETY] = "safe not_safe not_found ",
        [CK_INCIDENT_STAFF] = "technical handed_over staff_done ",
        [CK_INCIDENT_SYSTEM] = "technical staff_done ",
        [CK_INCIDENT_CONCERN] = "handed_over safe not_safe not_found ",
    };
    struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    for (unsigned kind = 0; kind < CK_INCIDENT_KIND_COUNT; kind++) {
        char text[200] = "";
        for (unsigned c = 0; c < CK_CONCLUSION_COUNT; c++) {
            struct ck_incident row = incident_of(kind, CK_BAND_3, 0);
            row.outcome_final = true;
            struct ck_incident_event event = {
                .kind = CK_INCIDENT_CONCLUDE, .staff = 5, .conclusion = c, .has_reason = true};
            struct ck_effects effects;
            if (ck_incident_step(&row, &event, &ladder, row.next_at, &row, &effects) == 0) {
                strcat(text, ck_conclusion_name(c));
                strcat(text, " ");
                assert_int_equal(row.concluded_by, 5);
            }
        }
        assert_string_equal(text, allowed[kind]);
    }
}

/* The safety step and the incident beside it are concluded by two different people, whichever ends
 * first. */
static void test_both_sides_have_their_own_person(void **state)
{
    (void)state;
    static const struct {
        enum ck_incident_kind kind;
        enum ck_conclusion conclusion;
    } sides[] = {{CK_INCIDENT_SAFETY, CK_CONCLUSION_SAFE},
                 {CK_INCIDENT_NO_CONTACT, CK_CONCLUSION_TECHNICAL}};
    struct ck_ladder ladder = ck_ladder_default(CK_BAND_TOP);
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        struct ck_incident row = incident_of(sides[i].kind, CK_BAND_TOP, 0);
        struct ck_incident_event event = {.kind = CK_INCIDENT_CONCLUDE,
                                          .staff = 5,
                                          .beside = 5,
                                          .conclusion = sides[i].conclusion,
                                          .has_reason = true};
        struct ck_effects effects;
        assert_int_equal(ck_incident_step(&row, &event, &ladder, row.next_at, &row, &effects),
                         CK_E_DENIED);
        event.beside = 6;
        assert_int_equal(ck_incident_step(&row, &event, &ladder, row.next_at, &row, &effects), 0);
    }
}

/* Only outcomes that an officer concludes on can be a breach. */
static void test_what_can_be_a_breach(void **state)
{
    (void)state;
    struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    for (unsigned outcome = 0; outcome < CK_OUTCOME_COUNT; outcome++) {
        struct ck_incident row = incident_of(CK_INCIDENT_NO_CONTACT, CK_BAND_3, 0);
        struct ck_incident_event known = {.kind = CK_INCIDENT_OUTCOME_KNOWN, .outcome = outcome};
        struct ck_incident_event breach = {.kind = CK_INCIDENT_CONCLUDE,
                                           .staff = 5,
                                           .conclusion = CK_CONCLUSION_BREACH,
                                           .has_reason = true};
        struct ck_effects effects;
        assert_int_equal(ck_incident_step(&row, &known, &ladder, row.next_at, &row, &effects), 0);
        int code = ck_incident_step(&row, &breach, &ladder, row.next_at, &row, &effects);
        bool counts = ck_outcome_attribution(outcome) == CK_ATTRIBUTION_OFFICER;
        assert_int_equal(code, counts ? 0 : CK_E_INVALID);
    }
}

static void test_ladders_are_checked(void **state)
{
    (void)state;
    for (unsigned band = 0; band < CK_BAND_COUNT; band++) {
        struct ck_ladder good = ck_ladder_default(band);
        assert_null(ck_ladder_fault(&good));
    }
    struct ck_ladder ladder;
#define FAULT(change, name)                                                                        \
    do {                                                                                           \
        ladder = ck_ladder_default(CK_BAND_3);                                                     \
        struct ck_ladder_step *step = &ladder.steps[1];                                            \
        (void)step;                                                                                \
        change;                                                                                    \
        assert_string_equal(ck_ladder_fault(&ladder), name);                                       \
    } while (0)
    FAULT(ladder.step_count = 0, "step_count");
    FAULT(ladder.step_count = CK_LADDER_STEPS_MAX + 1, "step_count");
    FAULT(step->target_count = 0, "target_count");
    FAULT(step->target_count = CK_STEP_TARGETS_MAX + 1, "target_count");
    FAULT(step->targets[0].kind = CK_TARGET_NONE, "targets");
    FAULT(step->targets[0].kind = CK_TARGET_COUNT, "targets");
    FAULT(step->targets[0].kind = CK_TARGET_NAMED, "targets");
    FAULT(step->channels[0] = CK_CHANNEL_COUNT, "channels");
    FAULT(memset(step->channels, 0, sizeof(step->channels)), "channels");
    FAULT(step->ack_timeout_ms = 999, "ack_timeout_ms");
    FAULT(step->ack_timeout_ms = 1440 * MINUTE + 1, "ack_timeout_ms");
    FAULT(step->rounds = 0, "rounds");
    FAULT(step->min_interval_ms = 999, "min_interval_ms");
    FAULT(step->min_interval_ms = 1440 * MINUTE + 1, "min_interval_ms");
    FAULT(ladder.ack_hold_ms = 0, "ack_hold_ms");
    FAULT(ladder.ack_hold_ms = 1440 * MINUTE + 1, "ack_hold_ms");
    FAULT(ladder.calm_interval_ms = 0, "calm_interval_ms");
    FAULT(ladder.calm_interval_ms = 1440 * MINUTE + 1, "calm_interval_ms");
#undef FAULT
    ladder = ck_ladder_default(CK_BAND_3);
    ladder.steps[1].targets[0] = (struct ck_target){CK_TARGET_NAMED, 77};
    assert_null(ck_ladder_fault(&ladder));
    ladder.ack_hold_ms = ladder.calm_interval_ms = 1000;
    ladder.steps[0].ack_timeout_ms = ladder.steps[0].min_interval_ms = 1000;
    assert_null(ck_ladder_fault(&ladder));
    ladder.ack_hold_ms = ladder.calm_interval_ms = 1440 * MINUTE;
    ladder.steps[0].ack_timeout_ms = ladder.steps[0].min_interval_ms = 1440 * MINUTE;
    assert_null(ck_ladder_fault(&ladder));
}

/* A fire of which every notice is lost; the effects of that in *effects. */
static struct ck_incident fire_and_lose(struct ck_incident row, const struct ck_ladder *ladder,
                                        const struct ck_ladder_roster *roster, int64_t whom,
                                        struct ck_effects *effects)
{
    struct ck_incident_event event = {.kind = CK_INCIDENT_TIMER, .roster = roster};
    struct ck_wall now = row.next_at;
    assert_int_equal(ck_incident_step(&row, &event, ladder, now, &row, effects), 0);
    assert_int_equal(effects_find(effects, CK_EFFECT_NOTIFY)->notify.staff, whom);
    event = (struct ck_incident_event){.kind = CK_INCIDENT_UNREACHABLE, .fire = row.fired};
    now = ck_wall_add_ms(now, 1000);
    assert_int_equal(ck_incident_step(&row, &event, ladder, now, &row, effects), 0);
    assert_int_equal(effects_count(effects, CK_EFFECT_STAFF_FAULT), 1);
    assert_int_equal(row.next_at.ms, now.ms);
    return row;
}

/* No way to anybody works, one step after the other: at rest from the first, and where it is at the
 * last from there down. Everybody is alarmed once, and after five minutes it begins again. */
static void test_every_step_is_tried_before_one_is_again(void **state)
{
    (void)state;
    const struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    struct ck_ladder_roster roster = {0};
    person(&roster, 0, 11, ALL_CHANNELS);
    person(&roster, 1, 21, ALL_CHANNELS);
    person(&roster, 2, 31, ALL_CHANNELS);
    static const int64_t whom[2][3] = {{31, 21, 11}, {11, 21, 31}};
    for (int calm = 0; calm < 2; calm++) {
        struct ck_incident row = incident_of(CK_INCIDENT_NO_CONTACT, CK_BAND_3, 0);
        const struct ck_incident_event timer = {.kind = CK_INCIDENT_TIMER, .roster = &roster};
        struct ck_effects effects;
        row.calm = calm == 1;
        row.step = 2;
        int alarms = 0;
        for (int i = 0; i < 3; i++) {
            row = fire_and_lose(row, &ladder, &roster, whom[calm][i], &effects);
            alarms += effects_count(&effects, CK_EFFECT_ALARM);
        }
        assert_int_equal(alarms, 1);
        assert_int_equal(row.step, 2);
        struct ck_wall now = row.next_at;
        assert_int_equal(ck_incident_step(&row, &timer, &ladder, now, &row, &effects), 0);
        assert_int_equal(effects_count(&effects, CK_EFFECT_NOTIFY), 0);
        assert_int_equal(row.next_at.ms - now.ms, 5 * MINUTE);
        row = fire_and_lose(row, &ladder, &roster, whom[calm][0], &effects);
    }
}

/* ---- whatever happens
 * -------------------------------------------------------------------------------------- */

static void random_roster(uint64_t *seed, struct ck_ladder_roster *roster)
{
    memset(roster, 0, sizeof(*roster));
    for (int step = 0; step < 3; step++) {
        int64_t people = random_below(seed, CK_STEP_PEOPLE_MAX + 1);
        for (int64_t i = 0; i < people; i++) {
            person(roster, step, 1 + random_below(seed, 9),
                   random_below(seed, 3) == 0 ? 0 : ALL_CHANNELS);
        }
    }
}

static void random_incident_event(uint64_t *seed, const struct ck_incident *row,
                                  struct ck_incident_event *event)
{
    *event = (struct ck_incident_event){
        .kind = random_below(seed, 2) == 0 ? CK_INCIDENT_TIMER
                                           : random_below(seed, CK_INCIDENT_EVENT_COUNT),
        .storm = random_below(seed, 2) == 0,
        .staff = random_below(seed, 4),
        .beside = random_below(seed, 4),
        .fire = row->fired,
        .outcome = random_below(seed, CK_OUTCOME_COUNT),
        .conclusion = random_below(seed, CK_CONCLUSION_COUNT + 1),
        .has_reason = random_below(seed, 2) == 0,
        .band = random_below(seed, CK_BAND_COUNT),
    };
    if (random_below(seed, 40) == 0) {
        event->kind = CK_INCIDENT_CONCLUDE;
    }
}

static void walk_incident(uint64_t seed)
{
    uint64_t random = seed;
    struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    ladder.late_answer_calms = random_below(&random, 2) == 0;
    struct ck_incident row =
        incident_of(random_below(&random, CK_INCIDENT_KIND_COUNT),
                    random_below(&random, CK_BAND_COUNT), random_below(&random, 100000));
    struct ck_wall now = {FIXTURE_DUE};
    uint32_t fired = 0;
    for (int i = 0; i < 80; i++) {
        struct ck_ladder_roster roster;
        random_roster(&random, &roster);
        struct ck_incident_event event;
        random_incident_event(&random, &row, &event);
        event.roster = &roster;
        now = row.next_at.ms != 0 && random_below(&random, 2) == 0
                  ? row.next_at
                  : ck_wall_add_ms(now, random_below(&random, 1200000) - 60000);
        struct ck_incident before = row;
        struct ck_effects effects;
        int code = ck_incident_step(&row, &event, &ladder, now, &row, &effects);
        if (code != 0) {
            assert_memory_equal(&before, &row, sizeof(row));
            continue;
        }
        /* Nothing but a person ends or holds it; every notice has a number of its own. */
        assert_true((row.state == CK_INCIDENT_CLOSED) == (row.next_at.ms == 0));
        assert_true(before.state != CK_INCIDENT_OPEN || row.state == CK_INCIDENT_OPEN ||
                    event.staff != 0);
        assert_true(row.state != CK_INCIDENT_CLOSED || row.concluded_by != 0);
        assert_true(before.state != CK_INCIDENT_CLOSED || row.state == CK_INCIDENT_CLOSED);
        bool notified = effects_count(&effects, CK_EFFECT_NOTIFY) > 0;
        assert_int_equal(row.fired, fired + (notified ? 1 : 0));
        fired = row.fired;
        /* A timer that is due always does something: somebody is told, or everybody alarmed, or it
         * is known why not. */
        if (event.kind == CK_INCIDENT_TIMER && before.state != CK_INCIDENT_CLOSED &&
            now.ms >= before.next_at.ms) {
            assert_true(effects.count > 0);
            assert_true(row.next_at.ms > now.ms);
            assert_true(row.next_at.ms - now.ms <= ladder.calm_interval_ms);
        }
    }
}

static void test_random_incidents(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10000; seed++) {
        walk_incident(seed);
    }
}

/* ---- notices
 * -------------------------------------------------------------------------------------------------
 */

static int rank_of(enum ck_notice_state state)
{
    return state == CK_NOTICE_READ ? 2 : state == CK_NOTICE_DELIVERED ? 1 : 0;
}

static void walk_notice(uint64_t seed)
{
    uint64_t random = seed;
    struct ck_notice_policy policy = ck_notice_policy_default();
    struct ck_wall now = {FIXTURE_DUE};
    struct ck_notice row = {.id = 1,
                            .channel = CK_CHANNEL_SMS,
                            .receipts = random_below(&random, 2) == 0,
                            .deadline = {FIXTURE_DUE + 900000}};
    row.rest[0] = random_below(&random, 2) == 0 ? CK_CHANNEL_VOICE : CK_CHANNEL_NONE;
    ck_notice_begin(&row, now);
    int next_channels = 0;
    for (int i = 0; i < 60; i++) {
        struct ck_notice_event event = {
            .kind = random_below(&random, 2) == 0 ? CK_NOTICE_TIMER
                                                  : random_below(&random, CK_NOTICE_EVENT_COUNT),
            .tries = (uint32_t)random_below(&random, row.tries + 1),
            .until = {now.ms + random_below(&random, 2000000) - 1000},
            .receipt = random_below(&random, CK_RECEIPT_COUNT),
            .draw = (uint32_t)random_next(&random),
        };
        now = row.next_at.ms > now.ms && random_below(&random, 2) == 0
                  ? row.next_at
                  : ck_wall_add_ms(now, random_below(&random, 30000));
        struct ck_notice before = row;
        struct ck_effects effects;
        assert_int_equal(ck_notice_step(&row, &event, &policy, now, &row, &effects), 0);
        assert_true(rank_of(row.state) >= rank_of(before.state));
        next_channels += effects_count(&effects, CK_EFFECT_NEXT_CHANNEL);
        assert_true(next_channels <= 1);
        assert_int_equal(effects_count(&effects, CK_EFFECT_SEND),
                         row.tries == before.tries + 1 ? 1 : 0);
        /* On the way it has a next moment; at an end it has none, but for a receipt it waits for.
         */
        bool on_the_way = row.state == CK_NOTICE_QUEUED || row.state == CK_NOTICE_SENDING ||
                          row.state == CK_NOTICE_FAILED_TEMP || row.state == CK_NOTICE_UNKNOWN;
        assert_true(on_the_way ? row.next_at.ms != 0
                               : row.next_at.ms == 0 || row.state == CK_NOTICE_ACCEPTED);
    }
}

static void test_random_notices(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        walk_notice(seed);
    }
}

static void test_a_notice_taken_back_while_it_leaves(void **state)
{
    (void)state;
    struct ck_notice_policy policy = ck_notice_policy_default();
    struct ck_notice row = {.channel = CK_CHANNEL_SMS, .deadline = {FIXTURE_DUE + 900000}};
    struct ck_effects effects;
    struct ck_wall now = {FIXTURE_DUE};
    static const enum ck_notice_event_kind kinds[] = {CK_NOTICE_TIMER, CK_NOTICE_CANCEL,
                                                      CK_NOTICE_REFUSED};
    ck_notice_begin(&row, now);
    for (size_t i = 0; i < 3; i++) {
        struct ck_notice_event event = {.kind = kinds[i]};
        assert_int_equal(ck_notice_step(&row, &event, &policy, now, &row, &effects), 0);
    }
    assert_int_equal(row.state, CK_NOTICE_CANCELLED);
    assert_true(row.unwanted);
    /* The same row for another message. */
    row.moved_on = row.possible_duplicate = true;
    row.accepted_at = now;
    ck_notice_begin(&row, now);
    assert_false(row.unwanted || row.moved_on || row.possible_duplicate);
    assert_int_equal(row.tries, 0);
    assert_int_equal(row.accepted_at.ms, 0);
    assert_int_equal(row.next_at.ms, now.ms);
    assert_int_equal(row.queued_at.ms, now.ms);
}

/* A limit beyond the deadline delays it and is no reason to drop it. */
static void test_limits_never_drop(void **state)
{
    (void)state;
    struct ck_notice_policy policy = ck_notice_policy_default();
    struct ck_notice row = {.channel = CK_CHANNEL_SMS, .deadline = {FIXTURE_DUE + 60000}};
    struct ck_effects effects;
    struct ck_notice_event timer = {.kind = CK_NOTICE_TIMER};
    struct ck_notice_event limited = {.kind = CK_NOTICE_LIMITED, .until = {FIXTURE_DUE + 3600000}};
    ck_notice_begin(&row, (struct ck_wall){FIXTURE_DUE});
    for (int i = 0; i < 5; i++) {
        struct ck_wall now = row.next_at;
        assert_int_equal(ck_notice_step(&row, &timer, &policy, now, &row, &effects), 0);
        assert_int_equal(row.state, CK_NOTICE_SENDING);
        limited.until.ms += 3600000;
        assert_int_equal(ck_notice_step(&row, &limited, &policy, now, &row, &effects), 0);
        assert_int_equal(row.next_at.ms, limited.until.ms);
        assert_true(row.deadline.ms > row.next_at.ms);
    }
}

/* Whatever a gateway does, a notice comes to an end. */
static void test_every_notice_ends(void **state)
{
    (void)state;
    struct ck_notice_policy policy = ck_notice_policy_default();
    for (int answer = 0; answer < 3; answer++) {
        struct ck_notice row = {.channel = CK_CHANNEL_SMS, .deadline = {FIXTURE_DUE + 900000}};
        ck_notice_begin(&row, (struct ck_wall){FIXTURE_DUE});
        struct ck_wall now = row.next_at;
        int turns = 0;
        while (row.next_at.ms != 0) {
            struct ck_effects effects;
            struct ck_notice_event event = {.kind = CK_NOTICE_TIMER};
            if (row.state == CK_NOTICE_SENDING && answer == 1) {
                event.kind = CK_NOTICE_REFUSED;
            } else if (row.state == CK_NOTICE_SENDING && answer == 2) {
                event.kind = CK_NOTICE_NO_ANSWER;
            } else {
                now = row.next_at;
            }
            assert_int_equal(ck_notice_step(&row, &event, &policy, now, &row, &effects), 0);
            assert_true(++turns < 200);
        }
        assert_int_equal(row.state, CK_NOTICE_EXPIRED);
        assert_true(row.tries > 5);
    }
}

static void test_notice_policies_are_checked(void **state)
{
    (void)state;
    const struct ck_notice_policy good = ck_notice_policy_default();
    assert_null(ck_notice_policy_fault(&good));
    struct ck_notice_policy policy;
#define FAULT(change, name)                                                                        \
    do {                                                                                           \
        policy = good;                                                                             \
        change;                                                                                    \
        assert_string_equal(ck_notice_policy_fault(&policy), name);                                \
    } while (0)
    FAULT(policy.send_timeout_ms = 999, "send_timeout_ms");
    FAULT(policy.send_timeout_ms = 1440 * MINUTE + 1, "send_timeout_ms");
    FAULT(policy.backoff_first_ms = 0, "backoff_first_ms");
    FAULT(policy.backoff_first_ms = 1440 * MINUTE + 1, "backoff_first_ms");
    FAULT(policy.backoff_max_ms = policy.backoff_first_ms - 1, "backoff_max_ms");
    FAULT(policy.backoff_max_ms = 1440 * MINUTE + 1, "backoff_max_ms");
    FAULT(policy.switch_after = 0, "switch_after");
    FAULT(policy.receipt_wait_ms = 999, "receipt_wait_ms");
    FAULT(policy.receipt_wait_ms = 1440 * MINUTE + 1, "receipt_wait_ms");
#undef FAULT
    policy =
        (struct ck_notice_policy){1440 * MINUTE, 1440 * MINUTE, 1440 * MINUTE, 1, 1440 * MINUTE};
    assert_null(ck_notice_policy_fault(&policy));
    policy = (struct ck_notice_policy){1000, 1, 1, 1, 1000};
    assert_null(ck_notice_policy_fault(&policy));
}

/* ---- words
 * ------------------------------------------------------------------------------------------------------
 */

static void test_every_word(void **state)
{
    (void)state;
#define WORDS(function, count)                                                                     \
    do {                                                                                           \
        for (unsigned i = 0; i < (count); i++) {                                                   \
            assert_non_null(function(i));                                                          \
            for (unsigned j = 0; j < i; j++) {                                                     \
                assert_string_not_equal(function(i), function(j));                                 \
            }                                                                                      \
        }                                                                                          \
        assert_null(function(count));                                                              \
    } while (0)
    WORDS(ck_channel_name, CK_CHANNEL_COUNT);
    WORDS(ck_band_name, CK_BAND_COUNT);
    WORDS(ck_outcome_name, CK_OUTCOME_COUNT);
    WORDS(ck_cause_name, CK_CAUSE_COUNT);
    WORDS(ck_incident_kind_name, CK_INCIDENT_KIND_COUNT);
    WORDS(ck_severity_name, CK_SEVERITY_TOP + 1);
    WORDS(ck_template_name, CK_TEMPLATE_COUNT);
    WORDS(ck_fact_name, CK_FACT_COUNT);
    WORDS(ck_effect_kind_name, CK_EFFECT_KIND_COUNT);
    WORDS(ck_checkin_state_name, CK_CHECKIN_STATE_COUNT);
    WORDS(ck_checkin_phase_name, CK_PHASE_COUNT);
    WORDS(ck_checkin_kind_name, CK_KIND_COUNT);
    WORDS(ck_evidence_name, CK_EVIDENCE_COUNT);
    WORDS(ck_fault_name, CK_FAULT_COUNT);
    WORDS(ck_checkin_event_name, CK_CHECKIN_EVENT_COUNT);
    WORDS(ck_incident_state_name, CK_INCIDENT_STATE_COUNT);
    WORDS(ck_incident_event_name, CK_INCIDENT_EVENT_COUNT);
    WORDS(ck_conclusion_name, CK_CONCLUSION_COUNT);
    WORDS(ck_target_kind_name, CK_TARGET_COUNT);
    WORDS(ck_notice_state_name, CK_NOTICE_STATE_COUNT);
    WORDS(ck_notice_event_name, CK_NOTICE_EVENT_COUNT);
#undef WORDS
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ladder_nobody_answers),
        cmocka_unit_test(test_an_overdue_review_nobody_answers),
        cmocka_unit_test(test_channels_of_a_notice),
        cmocka_unit_test(test_the_first_step_may_wait),
        cmocka_unit_test(test_holding_and_climbing),
        cmocka_unit_test(test_conclusions_fit),
        cmocka_unit_test(test_both_sides_have_their_own_person),
        cmocka_unit_test(test_what_can_be_a_breach),
        cmocka_unit_test(test_ladders_are_checked),
        cmocka_unit_test(test_every_step_is_tried_before_one_is_again),
        cmocka_unit_test(test_random_incidents),
        cmocka_unit_test(test_random_notices),
        cmocka_unit_test(test_a_notice_taken_back_while_it_leaves),
        cmocka_unit_test(test_limits_never_drop),
        cmocka_unit_test(test_every_notice_ends),
        cmocka_unit_test(test_notice_policies_are_checked),
        cmocka_unit_test(test_every_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
