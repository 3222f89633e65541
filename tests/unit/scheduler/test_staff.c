/* Staff and the system itself: capacity, silence, lint, storms, the auditor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "scheduler/capacity.h"
#include "scheduler/lint.h"
#include "scheduler/silence.h"
#include "scheduler/storm.h"
#include "scheduler/watch.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static struct ck_interval minutes(int64_t from, int64_t until)
{
    return (struct ck_interval){{from * MINUTE}, {until * MINUTE}};
}

/* ---- capacity
 * ------------------------------------------------------------------------------------------ */

static void test_who_is_free(void **state)
{
    (void)state;
    const struct ck_interval shifts[2] = {minutes(100, 200), minutes(200, 300)};
    const struct ck_interval absences[1] = {minutes(140, 150)};
    const struct ck_interval reserved[1] = {minutes(220, 230)};
    const struct ck_capacity_person person = {
        .staff = 1,
        .shifts = shifts,
        .shift_count = 2,
        .absences = absences,
        .absence_count = 1,
        .reserved = reserved,
        .reserved_count = 1,
    };
    static const struct {
        int from;
        bool free;
    } cases[] = {
        {99, false}, {100, true}, {130, true},  {131, false}, {149, false},
        {150, true}, {195, true}, {210, true},  {211, false}, {229, false},
        {230, true}, {290, true}, {291, false}, {300, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ck_wall at = {cases[i].from * MINUTE};
        assert_int_equal(ck_capacity_is_free(&person, at, 10 * MINUTE), cases[i].free);
    }
}

static void test_who_is_asked_first(void **state)
{
    (void)state;
    const struct ck_interval shift = minutes(0, 100);
    const struct ck_interval taken[2] = {minutes(50, 60), minutes(80, 90)};
    struct ck_capacity_person people[5];
    for (int i = 0; i < 5; i++) {
        people[i] = (struct ck_capacity_person){
            .staff = 10 - i, .relation = CK_RELATION_TEAM, .shifts = &shift, .shift_count = 1};
    }
    size_t index = 99;
    struct ck_wall at = {0};
    people[2].relation = CK_RELATION_ASSIGNED;
    assert_int_equal(ck_capacity_pick(people, 5, at, 10 * MINUTE, &index), 0);
    assert_int_equal(index, 2);
    people[2].shift_count = 0; /* not there: the team, the one with the fewest reservations */
    people[4].reserved = taken;
    people[4].reserved_count = 2;
    people[3].reserved = taken;
    people[3].reserved_count = 1;
    assert_int_equal(ck_capacity_pick(people, 5, at, 10 * MINUTE, &index), 0);
    assert_int_equal(index, 1); /* staff 9 before staff 10 */
    people[0].relation = people[1].relation = people[4].relation = CK_RELATION_DUTY;
    assert_int_equal(ck_capacity_pick(people, 5, at, 10 * MINUTE, &index), 0);
    assert_int_equal(index, 3);
    at.ms = 100 * MINUTE;
    index = 99;
    assert_int_equal(ck_capacity_pick(people, 5, at, 10 * MINUTE, &index), CK_E_NOT_FOUND);
    assert_int_equal(index, 99);
    for (unsigned i = 0; i < CK_RELATION_COUNT; i++) {
        assert_non_null(ck_relation_name(i));
    }
    assert_null(ck_relation_name(CK_RELATION_COUNT));
}

/* The busy beginnings are exactly those at which nobody is free, minute by minute. */
static void test_busy_is_when_nobody_is_free(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int round = 0; round < 300; round++) {
        struct ck_interval items[3][6];
        struct ck_capacity_person people[3];
        for (int p = 0; p < 3; p++) {
            for (int i = 0; i < 6; i++) {
                int64_t from = random_below(&seed, 200);
                items[p][i] = minutes(from, from + random_below(&seed, i < 2 ? 120 : 25));
            }
            people[p] = (struct ck_capacity_person){
                .staff = p,
                .shifts = items[p],
                .shift_count = 2,
                .absences = items[p] + 2,
                .absence_count = 2,
                .reserved = items[p] + 4,
                .reserved_count = 2,
            };
        }
        struct ck_interval_set busy;
        ck_capacity_busy(people, 3, minutes(0, 240), 10 * MINUTE, &busy);
        for (int64_t m = 0; m < 240; m++) {
            struct ck_wall at = {m * MINUTE};
            size_t index;
            bool nobody = ck_capacity_pick(people, 3, at, 10 * MINUTE, &index) != 0;
            bool in = false;
            for (uint32_t i = 0; i < busy.count; i++) {
                in = in || (busy.items[i].from.ms <= at.ms && at.ms < busy.items[i].until.ms);
            }
            if (nobody != in) {
                fail_msg("round %d, minute %d: nobody %d, busy %d", round, (int)m, nobody, in);
            }
        }
    }
}

static void test_overload_is_seen_ahead(void **state)
{
    (void)state;
    const struct ck_interval shift = minutes(0, 120);
    const struct ck_interval absence = minutes(60, 70);
    const struct ck_capacity_person people[2] = {
        {.staff = 1, .shifts = &shift, .shift_count = 1},
        {.staff = 2, .shifts = &shift, .shift_count = 1, .absences = &absence, .absence_count = 1},
    };
    const struct ck_wall dues[] = {{10 * MINUTE}, {12 * MINUTE}, {14 * MINUTE},
                                   {62 * MINUTE}, {64 * MINUTE}, {119 * MINUTE}};
    struct ck_overload overloads[CK_OVERLOADS_MAX];
    size_t count =
        ck_capacity_overloads(people, 2, dues, 6, 10 * MINUTE, minutes(0, 130), MINUTE, overloads);
    assert_int_equal(count, 3);
    assert_int_equal(overloads[0].during.from.ms, 14 * MINUTE);
    assert_int_equal(overloads[0].during.until.ms, 20 * MINUTE);
    assert_int_equal(overloads[0].due, 3);
    assert_int_equal(overloads[0].able, 2);
    assert_int_equal(overloads[1].during.from.ms, 64 * MINUTE);
    assert_int_equal(overloads[1].during.until.ms, 70 * MINUTE);
    assert_int_equal(overloads[1].able, 1);
    assert_int_equal(overloads[2].during.from.ms, 120 * MINUTE);
    assert_int_equal(overloads[2].able, 0);
    /* More stretches than fit: the first ones. */
    struct ck_wall many[40];
    for (int i = 0; i < 40; i++) {
        many[i].ms = i * 10 * MINUTE;
    }
    count =
        ck_capacity_overloads(people, 0, many, 40, 5 * MINUTE, minutes(0, 400), MINUTE, overloads);
    assert_int_equal(count, CK_OVERLOADS_MAX);
}

/* ---- silence
 * --------------------------------------------------------------------------------------------- */

static struct ck_silence silence_step(struct ck_silence row, struct ck_silence_event event,
                                      int64_t now, struct ck_effects *effects)
{
    struct ck_silence next;
    ck_silence_step(&row, &event, (struct ck_wall){now}, &next, effects);
    return next;
}

/* A duty that begins at `begins` with one plan that allows max_ms. */
static struct ck_silence silence_of(int64_t max_ms, int64_t begins)
{
    struct ck_effects effects;
    const struct ck_silence_limit limit = {.max_ms = max_ms, .begins = {begins}};
    return silence_step(
        (struct ck_silence){0},
        (struct ck_silence_event){
            .kind = CK_SILENCE_CHANGED, .limits = &limit, .limit_count = 1, .band = CK_BAND_3},
        begins, &effects);
}

static void test_silence_is_alarmed_once(void **state)
{
    (void)state;
    struct ck_effects effects;
    struct ck_silence row = silence_of(7 * DAY, DAY);
    assert_int_equal(row.next_at.ms, 8 * DAY);
    row = silence_step(row, (struct ck_silence_event){.kind = CK_SILENCE_TIMER}, 8 * DAY - 1,
                       &effects);
    assert_int_equal(effects.count, 0);
    row = silence_step(row, (struct ck_silence_event){.kind = CK_SILENCE_TIMER}, 8 * DAY, &effects);
    assert_int_equal(effects_incidents(&effects, CK_INCIDENT_SILENCE), 1);
    assert_int_equal(effects_find(&effects, CK_EFFECT_OPEN_INCIDENT)->incident.severity,
                     CK_SEVERITY_HIGH);
    assert_int_equal(row.next_at.ms, CK_WALL_NEVER.ms);
    row =
        silence_step(row, (struct ck_silence_event){.kind = CK_SILENCE_TIMER}, 20 * DAY, &effects);
    assert_int_equal(effects.count, 0);
    /* A contact ends it; an older one that is told late does not begin it anew. */
    struct ck_silence_event contact = {.kind = CK_SILENCE_CONTACT, .at = {21 * DAY}};
    row = silence_step(row, contact, 21 * DAY, &effects);
    assert_int_equal(row.next_at.ms, 28 * DAY);
    assert_false(row.alarmed);
    contact.at.ms = 10 * DAY;
    row = silence_step(row, contact, 22 * DAY, &effects);
    assert_int_equal(row.next_at.ms, 28 * DAY);
    row.band = CK_BAND_TOP;
    row =
        silence_step(row, (struct ck_silence_event){.kind = CK_SILENCE_TIMER}, 28 * DAY, &effects);
    assert_int_equal(effects_find(&effects, CK_EFFECT_OPEN_INCIDENT)->incident.severity,
                     CK_SEVERITY_TOP);
}

/* Closing the incident ends no silence: without contact it is alarmed again, counted from there. */
static void test_a_silence_that_is_concluded_goes_on(void **state)
{
    (void)state;
    struct ck_effects effects;
    struct ck_silence row = silence_of(7 * DAY, DAY);
    const struct ck_silence_event timer = {.kind = CK_SILENCE_TIMER};
    const struct ck_silence_event concluded = {.kind = CK_SILENCE_CONCLUDED};
    row = silence_step(row, concluded, 2 * DAY, &effects); /* of an earlier one */
    assert_int_equal(row.next_at.ms, 8 * DAY);
    row = silence_step(row, timer, 8 * DAY, &effects);
    row.excused_ms = DAY;
    row = silence_step(row, concluded, 10 * DAY, &effects);
    assert_int_equal(effects.count, 0);
    assert_int_equal(row.next_at.ms, 17 * DAY);
    row = silence_step(row, timer, 17 * DAY, &effects);
    assert_int_equal(effects_incidents(&effects, CK_INCIDENT_SILENCE), 1);
    row = silence_step(row, (struct ck_silence_event){.kind = CK_SILENCE_CONTACT, .at = {18 * DAY}},
                       18 * DAY, &effects);
    row = silence_step(row, concluded, 20 * DAY, &effects);
    assert_int_equal(row.next_at.ms, 25 * DAY);
}

static void test_blackouts_do_not_count_as_silence(void **state)
{
    (void)state;
    struct ck_effects effects;
    struct ck_silence row = silence_of(7 * DAY, DAY);
    struct ck_silence_event timer = {.kind = CK_SILENCE_TIMER, .excused_ms = 2 * DAY};
    row = silence_step(row, timer, 8 * DAY, &effects);
    assert_int_equal(effects.count, 0);
    assert_int_equal(row.next_at.ms, 10 * DAY);
    timer.excused_ms = DAY; /* never less than was known */
    row = silence_step(row, timer, 9 * DAY, &effects);
    assert_int_equal(row.next_at.ms, 10 * DAY);
    row = silence_step(row, timer, 10 * DAY, &effects);
    assert_int_equal(effects.count, 2);
    const struct ck_interval blackouts[3] = {minutes(10, 20), minutes(15, 30), minutes(90, 200)};
    assert_int_equal(
        ck_silence_excused_ms(blackouts, 3, (struct ck_wall){0}, (struct ck_wall){100 * MINUTE}),
        30 * MINUTE);
    assert_int_equal(ck_silence_excused_ms(blackouts, 3, (struct ck_wall){9}, (struct ck_wall){9}),
                     0);
}

/* What the plans that serve at `now` allow. */
static struct ck_silence limits_at(struct ck_silence row, int64_t now,
                                   const struct ck_silence_limit *limits, size_t count)
{
    struct ck_effects effects;
    return silence_step(
        row,
        (struct ck_silence_event){
            .kind = CK_SILENCE_CHANGED, .limits = limits, .limit_count = count, .band = CK_BAND_4},
        now, &effects);
}

static struct ck_silence limit_at(struct ck_silence row, int64_t now, int64_t max_ms,
                                  int64_t begins)
{
    const struct ck_silence_limit limit = {.max_ms = max_ms, .begins = {begins}};
    return limits_at(row, now, &limit, 1);
}

/* Counted from where its plan began, if that is after the contact; but no later than it was due
 * before, except where the limits of now allow more all the same. */
static void test_a_limit_asks_for_nothing_before_its_plan(void **state)
{
    (void)state;
    struct ck_silence row = limit_at(silence_of(14 * DAY, DAY), 6 * DAY, 2 * DAY, 6 * DAY);
    assert_int_equal(row.next_at.ms, 8 * DAY);
    assert_int_equal(row.max_ms, 2 * DAY);
    row = limit_at(row, 7 * DAY, 2 * DAY, 6 * DAY); /* told again */
    assert_int_equal(row.next_at.ms, 8 * DAY);
    row = limit_at(silence_of(14 * DAY, DAY), 14 * DAY, 2 * DAY, 14 * DAY); /* it was due before */
    assert_int_equal(row.next_at.ms, 15 * DAY);
    row = limit_at(silence_of(2 * DAY, DAY), 2 * DAY, 14 * DAY, 2 * DAY); /* a longer one */
    assert_int_equal(row.next_at.ms, 15 * DAY);
    row = limit_at(silence_of(2 * DAY, 5 * DAY), 6 * DAY, 3 * DAY, DAY); /* it began before */
    assert_int_equal(row.next_at.ms, 8 * DAY);
    row = silence_of(2 * DAY, DAY); /* none for a while puts nothing off */
    row = limits_at(row, 2 * DAY, NULL, 0);
    assert_int_equal(row.next_at.ms, CK_WALL_NEVER.ms);
    row = limit_at(row, 2 * DAY + HOUR, 2 * DAY, 2 * DAY + HOUR);
    assert_int_equal(row.next_at.ms, 3 * DAY);
    row = limits_at(row, 3 * DAY - 1, NULL, 0);
    row = limit_at(row, 5 * DAY, 2 * DAY, 5 * DAY);
    assert_int_equal(row.next_at.ms, 3 * DAY);
}

static void test_the_first_limit_of_several_is_due(void **state)
{
    (void)state;
    /* Six days from the first day on; two from the tenth; four from the second, when there had been
     * a day of blackout. */
    const struct ck_silence_limit limits[] = {
        {.max_ms = 6 * DAY, .begins = {DAY}},
        {.max_ms = 2 * DAY, .begins = {10 * DAY}},
        {.max_ms = 4 * DAY, .begins = {3 * DAY}, .excused_ms = DAY},
        {.max_ms = 6 * DAY, .begins = {DAY}},
    };
    struct ck_silence row = limits_at((struct ck_silence){0}, 10 * DAY, limits, 4);
    assert_int_equal(row.since.ms, DAY);
    assert_int_equal(row.span_ms, 5 * DAY);
    assert_int_equal(row.max_ms, 2 * DAY);
    row = limits_at((struct ck_silence){0}, 10 * DAY, limits + 1, 3);
    assert_int_equal(row.since.ms, DAY);
}

/* A moment at which the limits change by themselves is waited for, also where nothing else is. */
static void test_the_limits_are_looked_at_again(void **state)
{
    (void)state;
    struct ck_effects effects;
    const struct ck_silence_limit limit = {.max_ms = 2 * DAY - 1, .begins = {1}};
    struct ck_silence_event event = {.kind = CK_SILENCE_CHANGED, .look_at = {DAY}};
    struct ck_silence row = silence_step((struct ck_silence){0}, event, 0, &effects);
    assert_int_equal(row.next_at.ms, DAY);
    event.limits = &limit;
    event.limit_count = 1;
    event.look_at.ms = 3 * DAY;
    row = silence_step(row, event, 1, &effects);
    assert_int_equal(row.next_at.ms, 2 * DAY); /* due before that */
    event.look_at.ms = DAY;
    row = silence_step(row, event, 1, &effects);
    assert_int_equal(row.next_at.ms, DAY);
    row = silence_step(row, (struct ck_silence_event){.kind = CK_SILENCE_ENDED, .look_at = {DAY}},
                       2, &effects);
    assert_int_equal(row.next_at.ms, DAY);
    row = silence_step(row, (struct ck_silence_event){.kind = CK_SILENCE_TIMER}, DAY, &effects);
    assert_int_equal(effects.count, 0);
}

/* The limit of two days began on the fifth; who was in contact just before is not due sooner for
 * that. */
static void test_a_contact_never_brings_the_alarm_nearer(void **state)
{
    (void)state;
    struct ck_effects effects;
    struct ck_silence row = limit_at(silence_of(14 * DAY, HOUR), 5 * DAY, 2 * DAY, 5 * DAY);
    struct ck_silence_event contact = {.kind = CK_SILENCE_CONTACT, .at = {5 * DAY - HOUR}};
    row = silence_step(row, contact, 6 * DAY, &effects);
    assert_int_equal(row.next_at.ms, 7 * DAY);
    contact.at.ms = 6 * DAY;
    row = silence_step(row, contact, 6 * DAY, &effects);
    assert_int_equal(row.next_at.ms, 8 * DAY);
    /* Where no limit applies what is allowed is kept for the next one. */
    row = limits_at(row, 6 * DAY, NULL, 0);
    contact.at.ms = 7 * DAY;
    row = silence_step(row, contact, 7 * DAY, &effects);
    row = limit_at(row, 8 * DAY, 2 * DAY, 8 * DAY);
    assert_int_equal(row.next_at.ms, 9 * DAY);
}

/* Alarmed on the 8th, concluded on the 10th; what was recorded on the 9th is reviewed on the 11th.
 */
static void test_a_contact_before_the_conclusion_counts(void **state)
{
    (void)state;
    struct ck_effects effects;
    const struct ck_silence_event timer = {.kind = CK_SILENCE_TIMER};
    const struct ck_silence_event concluded = {.kind = CK_SILENCE_CONCLUDED};
    struct ck_silence_event contact = {.kind = CK_SILENCE_CONTACT, .at = {9 * DAY}};
    struct ck_silence row = silence_step(silence_of(7 * DAY, DAY), timer, 8 * DAY, &effects);
    const struct ck_silence closed = silence_step(row, concluded, 10 * DAY, &effects);
    assert_int_equal(closed.next_at.ms, 17 * DAY);
    row = silence_step(closed, contact, 11 * DAY, &effects);
    assert_int_equal(row.since.ms, 9 * DAY);
    assert_int_equal(row.next_at.ms, 16 * DAY);
    /* One from before the silence is none, and neither is one that is told twice. */
    contact.at.ms = DAY;
    row = silence_step(closed, contact, 11 * DAY, &effects);
    assert_int_equal(row.next_at.ms, 17 * DAY);
    /* On the 2nd: seven days later it was too long as well, and that is what was concluded; but not
     * with two days of blackout in between. */
    contact.at.ms = 2 * DAY;
    row = silence_step(closed, contact, 11 * DAY, &effects);
    assert_int_equal(row.next_at.ms, 17 * DAY);
    assert_int_equal(row.before.ms, 2 * DAY);
    contact.excused_ms = 2 * DAY;
    row = silence_step(closed, contact, 11 * DAY, &effects);
    assert_int_equal(row.since.ms, 2 * DAY);
    /* Concluded a second time, the first contact is still where it was. */
    row = silence_step(closed, timer, 17 * DAY, &effects);
    row = silence_step(row, concluded, 20 * DAY, &effects);
    assert_int_equal(row.before.ms, DAY);
    contact = (struct ck_silence_event){.kind = CK_SILENCE_CONTACT, .at = {19 * DAY}};
    row = silence_step(row, contact, 21 * DAY, &effects);
    assert_int_equal(row.next_at.ms, 26 * DAY);
    assert_int_equal(row.before.ms, 0);
    /* Concluded where no plan asks for contact any more. */
    row = silence_step(silence_of(7 * DAY, DAY), timer, 8 * DAY, &effects);
    row = silence_step(limits_at(row, 9 * DAY, NULL, 0), concluded, 10 * DAY, &effects);
    assert_int_equal(row.next_at.ms, CK_WALL_NEVER.ms);
    assert_int_equal(row.span_ms, 7 * DAY);
}

static void test_silence_limits_change_and_end(void **state)
{
    (void)state;
    struct ck_effects effects;
    struct ck_silence row = limit_at((struct ck_silence){0}, DAY, 3 * DAY, DAY);
    assert_int_equal(row.next_at.ms, 4 * DAY);
    assert_int_equal(row.band, CK_BAND_4);
    row = silence_step(row, (struct ck_silence_event){.kind = CK_SILENCE_ENDED}, DAY, &effects);
    assert_int_equal(row.next_at.ms, CK_WALL_NEVER.ms);
    /* Nothing is owed: a contact begins nothing, and the next duty begins anew. */
    assert_int_equal(row.since.ms, 0);
    row = silence_step(row, (struct ck_silence_event){.kind = CK_SILENCE_CONTACT, .at = {2 * DAY}},
                       2 * DAY, &effects);
    assert_int_equal(row.since.ms, 0);
    for (unsigned i = 0; i < CK_SILENCE_EVENT_COUNT; i++) {
        assert_non_null(ck_silence_event_name(i));
    }
    assert_null(ck_silence_event_name(CK_SILENCE_EVENT_COUNT));
}

/* ---- lint
 * ---------------------------------------------------------------------------------------------------
 */

#define ALL_CHANNELS UINT32_C(0x7e)

static void person(struct ck_lint_sample *sample, int step, int64_t staff, uint32_t channels)
{
    uint32_t i = sample->roster.steps[step].count++;
    sample->roster.steps[step].people[i] = (struct ck_ladder_person){staff, channels};
}

/* Two samples in which everybody of a sound ladder is there. */
static void good_samples(struct ck_lint_sample samples[2])
{
    memset(samples, 0, 2 * sizeof(samples[0]));
    for (int i = 0; i < 2; i++) {
        person(&samples[i], 0, 11, ALL_CHANNELS);
        person(&samples[i], 1, 21, ALL_CHANNELS);
        person(&samples[i], 2, 31, ALL_CHANNELS);
        person(&samples[i], 2, 21, ALL_CHANNELS);
    }
}

static void expect_lint(const struct ck_ladder *ladder, enum ck_band band,
                        const struct ck_lint_sample *samples, const char *expected)
{
    struct ck_lint_finding findings[CK_LINT_FINDINGS_MAX];
    size_t count = ck_lint_ladder(ladder, band, samples, 2, findings);
    char text[400] = "";
    for (size_t i = 0; i < count; i++) {
        char one[60];
        snprintf(one, sizeof(one), "%d@%u:%u ", (int)findings[i].reason, findings[i].step,
                 findings[i].samples);
        strcat(text, one);
    }
    assert_string_equal(text, expected);
}

static void test_lint(void **state)
{
    (void)state;
    struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    struct ck_lint_sample samples[2];
    good_samples(samples);
    expect_lint(&ladder, CK_BAND_3, samples, "");
    samples[1].roster.steps[0].count = 0;
    expect_lint(&ladder, CK_BAND_3, samples, "1@0:1 ");
    samples[0].roster.steps[0].people[0].channels = CK_CHANNEL_BIT(CK_CHANNEL_VOICE);
    expect_lint(&ladder, CK_BAND_3, samples, "0@0:2 ");
    good_samples(samples);
    samples[1].roster.steps[2].count = 0;
    expect_lint(&ladder, CK_BAND_3, samples, "2@2:1 ");
    samples[1].roster.steps[1].count = 0;
    expect_lint(&ladder, CK_BAND_3, samples, "1@1:1 2@2:1 4@0:1 ");
    samples[1].roster.steps[0].count = 0;
    expect_lint(&ladder, CK_BAND_3, samples, "1@0:1 1@1:1 2@2:1 3@0:1 ");
    assert_true(ck_lint_anybody(&ladder, &samples[0]));
    assert_false(ck_lint_anybody(&ladder, &samples[1]));
    good_samples(samples);
    for (int i = 0; i < 2; i++) {
        samples[i].roster.steps[2].people[0].channels = 0;
    }
    expect_lint(&ladder, CK_BAND_3, samples, "5@2:2 ");
    person(&samples[0], 2, 41, ALL_CHANNELS);
    expect_lint(&ladder, CK_BAND_3, samples, "");
    /* In the step before, but out of its reach: not the same people. */
    good_samples(samples);
    for (int i = 0; i < 2; i++) {
        person(&samples[i], 0, 21, CK_CHANNEL_BIT(CK_CHANNEL_VOICE));
        person(&samples[i], 0, 31, CK_CHANNEL_BIT(CK_CHANNEL_VOICE));
    }
    expect_lint(&ladder, CK_BAND_3, samples, "");
    /* Fewer than in the step before: not the same people. */
    good_samples(samples);
    for (int i = 0; i < 2; i++) {
        person(&samples[i], 0, 21, ALL_CHANNELS);
    }
    expect_lint(&ladder, CK_BAND_3, samples, "");
    /* One person in every step. */
    memset(samples, 0, sizeof(samples));
    for (int i = 0; i < 2; i++) {
        for (int step = 0; step < 3; step++) {
            person(&samples[i], step, 11, ALL_CHANNELS);
        }
    }
    expect_lint(&ladder, CK_BAND_3, samples, "5@1:2 5@2:2 4@0:2 ");
    good_samples(samples);
    person(&samples[0], 1, 22, ALL_CHANNELS);
    expect_lint(&ladder, CK_BAND_3, samples, "");
    memset(ladder.steps[1].channels, 0, sizeof(ladder.steps[1].channels));
    ladder.steps[1].channels[2] = CK_CHANNEL_CONSOLE;
    expect_lint(&ladder, CK_BAND_3, samples, "6@1:0 ");
    /* 15 minutes and twice 15: too slow for the top band. */
    ladder = ck_ladder_default(CK_BAND_3);
    expect_lint(&ladder, CK_BAND_TOP, samples, "7@2:0 ");
    ladder.steps[0].rounds = 100;
    expect_lint(&ladder, CK_BAND_3, samples, "7@2:0 ");
    ladder = ck_ladder_default(CK_BAND_TOP);
    expect_lint(&ladder, CK_BAND_TOP, samples, "");
    for (unsigned i = 0; i < CK_LINT_REASON_COUNT; i++) {
        assert_non_null(ck_lint_reason_text(i));
    }
    assert_null(ck_lint_reason_text(CK_LINT_REASON_COUNT));
}

static void test_lint_without_samples(void **state)
{
    (void)state;
    struct ck_ladder ladder = ck_ladder_default(CK_BAND_3);
    struct ck_lint_finding findings[CK_LINT_FINDINGS_MAX];
    assert_int_equal(ck_lint_ladder(&ladder, CK_BAND_3, NULL, 0, findings), 0);
}

/* ---- storms
 * --------------------------------------------------------------------------------------------------
 */

static void test_storms_begin_and_end(void **state)
{
    (void)state;
    struct ck_storm_policy policy = ck_storm_policy_default();
    struct ck_storm row = {0};
    struct ck_effects effects;
    ck_storm_step(&row, 19, &policy, (struct ck_wall){HOUR}, &row, &effects);
    assert_false(row.on);
    assert_int_equal(effects.count, 0);
    ck_storm_step(&row, 20, &policy, (struct ck_wall){HOUR}, &row, &effects);
    assert_true(row.on);
    assert_int_equal(effects_incidents(&effects, CK_INCIDENT_SYSTEM), 1);
    ck_storm_step(&row, 500, &policy, (struct ck_wall){2 * HOUR}, &row, &effects);
    assert_int_equal(effects.count, 0);
    ck_storm_step(&row, 10, &policy, (struct ck_wall){2 * HOUR}, &row, &effects);
    assert_true(row.on);
    ck_storm_step(&row, 9, &policy, (struct ck_wall){3 * HOUR}, &row, &effects);
    assert_false(row.on);
    assert_int_equal(effects.items[0].audit.fact, CK_FACT_STORM_OVER);
    assert_int_equal(effects.items[0].audit.value, 2 * HOUR);
}

static void test_digests(void **state)
{
    (void)state;
    struct ck_storm_policy policy = ck_storm_policy_default();
    struct ck_wall now = {HOUR};
    assert_int_equal(ck_storm_digest_at((struct ck_wall){0}, &policy, now).ms, HOUR);
    assert_int_equal(ck_storm_digest_at((struct ck_wall){HOUR - MINUTE}, &policy, now).ms,
                     HOUR + 4 * MINUTE);
    assert_int_equal(ck_storm_digest_at((struct ck_wall){MINUTE}, &policy, now).ms, HOUR);
    struct ck_digest_line top = {CK_SEVERITY_TOP, {9}}, old = {CK_SEVERITY_NORMAL, {1}},
                          new = {CK_SEVERITY_NORMAL, {2}};
    assert_true(ck_digest_before(&top, &old));
    assert_false(ck_digest_before(&old, &top));
    assert_true(ck_digest_before(&old, &new));
    assert_false(ck_digest_before(&new, &old));
    assert_null(ck_storm_policy_fault(&policy));
    static const struct ck_storm_policy bad[] = {
        {1, 10 * MINUTE, 5 * MINUTE},  {20, MINUTE - 1, 5 * MINUTE}, {20, DAY + 1, 5 * MINUTE},
        {20, 10 * MINUTE, MINUTE - 1}, {20, 10 * MINUTE, DAY + 1},
    };
    static const char *const names[] = {"incidents", "window_ms", "window_ms", "digest_ms",
                                        "digest_ms"};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(ck_storm_policy_fault(&bad[i]), names[i]);
    }
}

/* ---- the auditor
 * -----------------------------------------------------------------------------------------------
 */

static void test_the_auditor(void **state)
{
    (void)state;
    /* At its limits all is well, but decisions are to be below theirs. */
    const struct ck_watch good = {.step_overdue_ms = CK_WATCH_STEP_MS,
                                  .checkin_overdue_ms = CK_WATCH_CHECKIN_MS,
                                  .outbox_overdue_ms = CK_WATCH_OUTBOX_MS,
                                  .lag_ms = CK_WATCH_LAG_MS - 1,
                                  .unsigned_ms = CK_WATCH_UNSIGNED_MS};
    assert_int_equal(ck_watch_faults(&good), 0);
    struct ck_watch bad[CK_WATCH_FAULT_COUNT], all = good;
    for (unsigned i = 0; i < CK_WATCH_FAULT_COUNT; i++) {
        bad[i] = good;
    }
    bad[CK_WATCH_STEP].step_overdue_ms = ++all.step_overdue_ms;
    bad[CK_WATCH_CHECKIN].checkin_overdue_ms = ++all.checkin_overdue_ms;
    bad[CK_WATCH_OUTBOX].outbox_overdue_ms = ++all.outbox_overdue_ms;
    bad[CK_WATCH_LAG].lag_ms = ++all.lag_ms;
    bad[CK_WATCH_UNSIGNED].unsigned_ms = ++all.unsigned_ms;
    bad[CK_WATCH_CHANNELS].channels_fail = all.channels_fail = true;
    bad[CK_WATCH_DISK].disk_low = all.disk_low = true;
    bad[CK_WATCH_CLOCK].clock_unsynchronised = all.clock_unsynchronised = true;
    bad[CK_WATCH_PAGES].pages_silent = all.pages_silent = true;
    bad[CK_WATCH_RECORDINGS].recordings_unwritable = all.recordings_unwritable = true;
    for (unsigned i = 0; i < CK_WATCH_FAULT_COUNT; i++) {
        assert_int_equal(ck_watch_faults(&bad[i]), 1U << i);
    }
    assert_int_equal(ck_watch_faults(&all), (1U << CK_WATCH_FAULT_COUNT) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_free),
        cmocka_unit_test(test_who_is_asked_first),
        cmocka_unit_test(test_busy_is_when_nobody_is_free),
        cmocka_unit_test(test_overload_is_seen_ahead),
        cmocka_unit_test(test_silence_is_alarmed_once),
        cmocka_unit_test(test_a_silence_that_is_concluded_goes_on),
        cmocka_unit_test(test_blackouts_do_not_count_as_silence),
        cmocka_unit_test(test_a_limit_asks_for_nothing_before_its_plan),
        cmocka_unit_test(test_the_first_limit_of_several_is_due),
        cmocka_unit_test(test_the_limits_are_looked_at_again),
        cmocka_unit_test(test_a_contact_never_brings_the_alarm_nearer),
        cmocka_unit_test(test_a_contact_before_the_conclusion_counts),
        cmocka_unit_test(test_silence_limits_change_and_end),
        cmocka_unit_test(test_lint),
        cmocka_unit_test(test_lint_without_samples),
        cmocka_unit_test(test_storms_begin_and_end),
        cmocka_unit_test(test_digests),
        cmocka_unit_test(test_the_auditor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
