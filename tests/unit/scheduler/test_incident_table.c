/* Walks the incident table of scheduler/DESIGN.md, line by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "scheduler/incident.h"
#include "table.h"

#define DOCUMENT CK_SOURCE_DIR "/scheduler/DESIGN.md"
#define ALL_CHANNELS UINT32_C(0x7e)

struct incident_case {
    struct ck_incident row;
    struct ck_incident_event event;
    struct ck_ladder ladder;
    struct ck_ladder_roster roster;
    struct ck_wall now;
};

static void person(struct incident_case *c, int step, int64_t staff)
{
    uint32_t i = c->roster.steps[step].count++;
    c->roster.steps[step].people[i] = (struct ck_ladder_person){staff, ALL_CHANNELS};
}

static int feed(struct incident_case *c, struct ck_effects *effects)
{
    return ck_incident_step(&c->row, &c->event, &c->ladder, c->now, &c->row, effects);
}

static void feed_timer(struct incident_case *c)
{
    struct ck_effects effects;
    c->now = c->row.next_at;
    c->event = (struct ck_incident_event){.kind = CK_INCIDENT_TIMER, .roster = &c->roster};
    assert_int_equal(feed(c, &effects), 0);
}

static void feed_staff(struct incident_case *c, enum ck_incident_event_kind kind)
{
    struct ck_effects effects;
    c->event = (struct ck_incident_event){
        .kind = kind, .staff = 11, .conclusion = CK_CONCLUSION_REACHED, .has_reason = true};
    assert_int_equal(feed(c, &effects), 0);
}

static void begin(struct incident_case *c, const char *state, const char *event)
{
    memset(c, 0, sizeof(*c));
    c->ladder = ck_ladder_default(CK_BAND_3);
    person(c, 0, 11);
    person(c, 0, 12);
    person(c, 1, 21);
    person(c, 2, 31);
    person(c, 2, 21);
    c->row.id = 9;
    c->row.checkin = 42;
    c->row.band = CK_BAND_3;
    c->row.mandatory = true;
    c->now.ms = FIXTURE_DUE;
    struct ck_effect_incident effect = {
        .kind = CK_INCIDENT_NO_CONTACT,
        .severity = CK_SEVERITY_NORMAL,
        .finding = CK_OUTCOME_NO_ANSWER,
        .first_step_at = c->now,
    };
    ck_incident_begin(&c->row, &effect, c->now);
    if (strcmp(state, "open") == 0) {
        /* as it is */
    } else if (strcmp(state, "open/fired") == 0) {
        feed_timer(c);
    } else if (strcmp(state, "open/second") == 0) {
        feed_timer(c);
        feed_timer(c);
    } else if (strcmp(state, "open/last") == 0) {
        for (int i = 0; i < 4; i++) {
            feed_timer(c);
        }
    } else if (strcmp(state, "acknowledged") == 0) {
        feed_timer(c);
        feed_staff(c, CK_INCIDENT_ACKNOWLEDGE);
    } else {
        assert_string_equal(state, "closed");
        feed_timer(c);
        feed_staff(c, CK_INCIDENT_CONCLUDE);
    }
    unsigned kind = 0;
    while (kind < CK_INCIDENT_EVENT_COUNT && strcmp(ck_incident_event_name(kind), event) != 0) {
        kind++;
    }
    assert_true(kind < CK_INCIDENT_EVENT_COUNT);
    c->event = (struct ck_incident_event){
        .kind = (enum ck_incident_event_kind)kind,
        .roster = &c->roster,
        .staff = 11,
        .fire = c->row.fired,
        .outcome = CK_OUTCOME_NO_ANSWER,
        .conclusion = CK_CONCLUSION_REACHED,
        .has_reason = true,
        .band = CK_BAND_TOP,
        .safety_check = true,
    };
    if (kind == CK_INCIDENT_TIMER && c->row.next_at.ms != 0) {
        c->now = c->row.next_at;
    } else {
        c->now.ms += 1000;
    }
}

/* ---- the words ---------------------------------------------------------------------------------
 */

static void early(struct incident_case *c)
{
    c->now.ms = c->row.next_at.ms - 1;
}

static void nobody_in(struct incident_case *c, int step)
{
    c->roster.steps[step].count = 0;
}

static void nobody_in_first(struct incident_case *c)
{
    nobody_in(c, 0);
}

static void nobody_in_second(struct incident_case *c)
{
    nobody_in(c, 1);
}

static void nobody_in_last(struct incident_case *c)
{
    nobody_in(c, 2);
}

static void no_channel_in_first(struct incident_case *c)
{
    c->roster.steps[0].people[0].channels = CK_CHANNEL_BIT(CK_CHANNEL_VOICE);
    c->roster.steps[0].people[1].channels = 0;
}

static void lost_in_first(struct incident_case *c)
{
    c->row.lost |= 1;
}

static void lost_in_second(struct incident_case *c)
{
    c->row.lost |= 2;
}

static void lost_in_last(struct incident_case *c)
{
    c->row.lost |= 4;
}

static void one_unreachable(struct incident_case *c)
{
    c->roster.steps[0].people[0].channels = 0;
}

static void downtime(struct incident_case *c)
{
    c->now.ms += INT64_C(24) * 3600 * 1000;
}

static void quiet_hours(struct incident_case *c)
{
    c->ladder.quiet_hours = true;
    c->event.quiet_until.ms = c->now.ms + 3600 * 1000;
}

static void waits_already(struct incident_case *c)
{
    c->row.held_until = c->event.quiet_until;
}

static void wanted_by_hand(struct incident_case *c)
{
    c->row.by_hand = true;
}

static void not_switched_on(struct incident_case *c)
{
    c->ladder.quiet_hours = false;
}

static void quiet_hours_over(struct incident_case *c)
{
    c->ladder.quiet_hours = true;
    c->event.quiet_until = c->now;
}

static void high(struct incident_case *c)
{
    c->row.severity = CK_SEVERITY_HIGH;
}

static void top_band(struct incident_case *c)
{
    c->row.severity = CK_SEVERITY_TOP;
    c->row.band = CK_BAND_TOP;
}

static void storm(struct incident_case *c)
{
    c->event.storm = true;
}

static void at_once(struct incident_case *c)
{
    c->now.ms = c->row.fired_at.ms + 1000;
    c->row.next_at = c->now;
}

static void calm(struct incident_case *c)
{
    c->row.calm = true;
}

static void never_calms(struct incident_case *c)
{
    c->ladder.late_answer_calms = false;
}

static void nobody_named(struct incident_case *c)
{
    c->event.staff = 0;
}

static void by_another(struct incident_case *c)
{
    c->event.staff = 21;
}

static void holds_the_other(struct incident_case *c)
{
    c->event.beside = c->event.staff;
}

static void earlier_fire(struct incident_case *c)
{
    c->event.fire = c->row.fired - 1;
}

static void silence(struct incident_case *c)
{
    c->row.kind = CK_INCIDENT_SILENCE;
}

static void review_overdue(struct incident_case *c)
{
    c->row.kind = CK_INCIDENT_REVIEW_OVERDUE;
}

static void safety(struct incident_case *c)
{
    c->row.kind = CK_INCIDENT_SAFETY;
}

static void safe(struct incident_case *c)
{
    c->event.conclusion = CK_CONCLUSION_SAFE;
}

static void staff_done(struct incident_case *c)
{
    c->event.conclusion = CK_CONCLUSION_STAFF_DONE;
}

static void breach(struct incident_case *c)
{
    c->event.conclusion = CK_CONCLUSION_BREACH;
}

static void nothing_concluded(struct incident_case *c)
{
    c->event.conclusion = CK_CONCLUSION_NONE;
}

static void no_such_conclusion(struct incident_case *c)
{
    c->event.conclusion = CK_CONCLUSION_COUNT;
}

static void voluntary(struct incident_case *c)
{
    c->row.mandatory = false;
}

static void final_outcome(struct incident_case *c)
{
    c->row.outcome_final = true;
}

static void our_fault(struct incident_case *c)
{
    c->row.outcome = CK_OUTCOME_SYSTEM_FAULT;
}

static void no_reason(struct incident_case *c)
{
    c->event.has_reason = false;
}

static void to_low(struct incident_case *c)
{
    c->event.band = CK_BAND_1;
}

static void to_high(struct incident_case *c)
{
    c->event.band = CK_BAND_5_6;
}

static void no_safety_check(struct incident_case *c)
{
    c->event.safety_check = false;
}

static void answered(struct incident_case *c)
{
    c->row.answered_late = true;
}

static void was_reached(struct incident_case *c)
{
    c->row.reached = true;
}

static const struct {
    const char *word;
    void (*apply)(struct incident_case *c);
} words[] = {
    {"to a lower band", to_low},
    {"to band 5-6", to_high},
    {"no safety check", no_safety_check},
    {"answered late", answered},
    {"was reached", was_reached},
    {"early", early},
    {"due", NULL},
    {"nobody in the first step", nobody_in_first},
    {"nobody in the second step", nobody_in_second},
    {"nobody in the last step", nobody_in_last},
    {"no channel of the first step fits", no_channel_in_first},
    {"lost in the first step", lost_in_first},
    {"lost in the second step", lost_in_second},
    {"lost in the last step", lost_in_last},
    {"one of two cannot be reached", one_unreachable},
    {"a day late", downtime},
    {"quiet hours", quiet_hours},
    {"waits for that already", waits_already},
    {"wanted by hand", wanted_by_hand},
    {"not switched on", not_switched_on},
    {"quiet hours just over", quiet_hours_over},
    {"severity high", high},
    {"top band", top_band},
    {"storm", storm},
    {"again within the interval", at_once},
    {"calm", calm},
    {"policy never calms", never_calms},
    {"nobody named", nobody_named},
    {"by another", by_another},
    {"holds the other side", holds_the_other},
    {"of an earlier fire", earlier_fire},
    {"silence", silence},
    {"review overdue", review_overdue},
    {"safety", safety},
    {"safe", safe},
    {"staff done", staff_done},
    {"breach", breach},
    {"nothing concluded", nothing_concluded},
    {"no such conclusion", no_such_conclusion},
    {"voluntary", voluntary},
    {"outcome final", final_outcome},
    {"outcome system_fault", our_fault},
    {"no reason given", no_reason},
};

static void apply_word(struct incident_case *c, const char *word, int line)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, word) == 0) {
            if (words[i].apply != NULL) {
                words[i].apply(c);
            }
            return;
        }
    }
    fail_msg("line %d: nobody knows what \"%s\" means", line, word);
}

static void next_text(const struct ck_incident *row, struct ck_wall now, char *text, size_t size)
{
    if (row->state == CK_INCIDENT_CLOSED) {
        snprintf(text, size, "closed");
        return;
    }
    snprintf(text, size, "%s%s; step %u in %lld s", ck_incident_state_name(row->state),
             row->calm ? " (calm)" : "", row->step, (long long)(row->next_at.ms - now.ms) / 1000);
}

static void walk_row(const struct table_row *row, bool seen[][CK_INCIDENT_EVENT_COUNT], int *wrong)
{
    assert_int_equal(row->count, 5);
    char when[300];
    snprintf(when, sizeof(when), "%s", row->cells[2]);
    struct incident_case c;
    begin(&c, row->cells[0], row->cells[1]);
    seen[c.row.state][c.event.kind] = true;
    char *tokens[TABLE_TOKENS_MAX];
    int count = table_tokens(when, tokens);
    for (int i = 0; i < count; i++) {
        apply_word(&c, tokens[i], row->line);
    }
    struct ck_incident next = c.row;
    struct ck_effects effects = {0};
    int code = ck_incident_step(&c.row, &c.event, &c.ladder, c.now, &next, &effects);
    char next_actual[100];
    char effects_actual[1000] = "-";
    if (code != 0) {
        snprintf(next_actual, sizeof(next_actual), "%s", refusal_name(code));
        assert_memory_equal(&next, &c.row, sizeof(next));
    } else {
        next_text(&next, c.now, next_actual, sizeof(next_actual));
        effects_text_of(&effects, effects_actual, sizeof(effects_actual));
        assert_true((next.next_at.ms != 0) == (next.state != CK_INCIDENT_CLOSED));
    }
    if (strcmp(next_actual, row->cells[3]) != 0 || strcmp(effects_actual, row->cells[4]) != 0) {
        print_error("line %d should be:\n| %s | %s | %s | %s | %s |\n", row->line, row->cells[0],
                    row->cells[1], row->cells[2], next_actual, effects_actual);
        (*wrong)++;
    }
}

static void test_every_line_of_the_table(void **state)
{
    (void)state;
    struct table table;
    table_load(DOCUMENT, "incident", &table);
    static bool seen[CK_INCIDENT_STATE_COUNT][CK_INCIDENT_EVENT_COUNT];
    int wrong = 0;
    for (int i = 0; i < table.count; i++) {
        walk_row(&table.rows[i], seen, &wrong);
    }
    for (unsigned s = 0; s < CK_INCIDENT_STATE_COUNT; s++) {
        for (unsigned e = 0; e < CK_INCIDENT_EVENT_COUNT; e++) {
            if (!seen[s][e]) {
                print_error("no line for %s, %s\n", ck_incident_state_name(s),
                            ck_incident_event_name(e));
                wrong++;
            }
        }
    }
    table_free(&table);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_line_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
