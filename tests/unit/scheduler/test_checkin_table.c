/* Walks the check-in table of scheduler/DESIGN.md line by line: each line is a row in a state, an
 * event under some conditions, and exactly what must come of it. Every pair of state and event must
 * have a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "scheduler/checkin.h"
#include "table.h"

#define DOCUMENT CK_SOURCE_DIR "/scheduler/DESIGN.md"

/* What the words of the column "when" do to the case. */
struct word {
    const char *word;
    void (*apply)(struct checkin_case *c);
};

static void early(struct checkin_case *c)
{
    c->now.ms = c->row.next_at.ms - 1;
}

static void another_live(struct checkin_case *c)
{
    c->event.timer.other_live = 77;
}

static void still_another(struct checkin_case *c)
{
    c->row.merged_into = 77;
}

static void late(struct checkin_case *c)
{
    c->now.ms = c->row.due.ms + 60 * 1000;
}

static void no_room(struct checkin_case *c)
{
    c->row.window_end.ms = c->now.ms + c->policy.response_ms - 1;
}

static void runs_into_a_blackout(struct checkin_case *c)
{
    c->event.timer.excused = true;
}

static void no_window(struct checkin_case *c)
{
    c->row.window_end.ms = 0;
}

static void outage(struct checkin_case *c)
{
    c->event.timer.spread_ms = 600 * 1000;
}

static void outage_no_room_later(struct checkin_case *c)
{
    outage(c);
    c->row.id = 1;
    c->row.window_end.ms = c->now.ms + c->policy.response_ms;
}

static void caught_up(struct checkin_case *c)
{
    c->row.caught_up = true;
}

static void voluntary(struct checkin_case *c)
{
    c->row.mandatory = false;
    c->row.incident = false;
}

static void top_band(struct checkin_case *c)
{
    c->row.band = CK_BAND_TOP;
}

static void high_band(struct checkin_case *c)
{
    c->row.band = CK_BAND_5_6;
}

static void no_safety_check(struct checkin_case *c)
{
    c->policy.safety_check = false;
}

static void make_up(struct checkin_case *c)
{
    c->row.make_up_of = 5;
}

static void inbound(struct checkin_case *c)
{
    c->row.kind = CK_KIND_INBOUND;
}

static void unattended(struct checkin_case *c)
{
    c->row.kind = CK_KIND_UNATTENDED;
}

static void one_attempt(struct checkin_case *c)
{
    c->policy.attempts = 1;
}

static void rings_over(struct checkin_case *c)
{
    c->row.ring_next_at.ms = 0;
    c->row.next_at = c->row.answer_until;
    c->now = c->row.respond_until;
}

static void late_for_ring(struct checkin_case *c)
{
    c->now = c->row.respond_until;
}

static void grace_over(struct checkin_case *c)
{
    c->now = c->row.answer_until;
}

static void rings_used(struct checkin_case *c)
{
    c->row.ring_next_at.ms = 0;
    c->row.next_at = c->row.answer_until;
}

static void longest_call_over(struct checkin_case *c)
{
    c->now = c->row.call_until;
}

static void not_answerable(struct checkin_case *c)
{
    c->row.answerable_ms = c->policy.response_ms * c->policy.answerable_percent / 100 - 1;
    c->event.timer.answerable_ms = c->row.answerable_ms;
}

static void answerable_now(struct checkin_case *c)
{
    c->row.answerable_ms = 0;
    c->event.timer.answerable_ms = c->policy.response_ms;
}

static void notice_refused(struct checkin_case *c)
{
    c->row.evidence &= ~CK_EVIDENCE_BIT(CK_EVIDENCE_NOTICE_ACCEPTED);
}

static void our_fault(struct checkin_case *c)
{
    c->row.faults = CK_FAULT_BIT(CK_FAULT_WORKER_LOST);
}

static void opened(struct checkin_case *c)
{
    c->row.evidence |= CK_EVIDENCE_BIT(CK_EVIDENCE_PAGE_OPENED);
}

static void camera_denied(struct checkin_case *c)
{
    c->row.page_block = CK_CAUSE_CAMERA_DENIED;
}

static void came(struct checkin_case *c)
{
    c->row.came = true;
}

static void no_late_limit(struct checkin_case *c)
{
    c->row.late_until = c->row.answer_until;
}

static void late_limit(struct checkin_case *c)
{
    c->now = c->row.late_until;
}

static void came_late(struct checkin_case *c)
{
    c->row.joined_at.ms = c->row.answer_until.ms + 1;
    c->row.evidence |= CK_EVIDENCE_BIT(CK_EVIDENCE_JOINED);
}

static void before_late_limit(struct checkin_case *c)
{
    c->row.next_at = c->row.ring_next_at = c->now;
}

static void no_fallback(struct checkin_case *c)
{
    c->policy.unattended_fallback = false;
}

static void media(struct checkin_case *c)
{
    c->row.media = true;
}

static void contact(struct checkin_case *c)
{
    c->row.media = c->row.contact = true;
}

static void no_contact(struct checkin_case *c)
{
    c->row.media = c->row.contact = false;
}

static void missed(struct checkin_case *c)
{
    c->row.finding = CK_OUTCOME_NO_ANSWER;
    c->row.cause = CK_CAUSE_NOBODY_CAME;
    c->row.incident = c->row.mandatory;
}

static void rejoins_used(struct checkin_case *c)
{
    c->row.lost = c->policy.rejoins;
}

static void nobody_named(struct checkin_case *c)
{
    switch (c->event.kind) {
    case CK_CHECKIN_INSPECTOR_ANSWERED:
        c->event.inspector.staff = 0;
        break;
    case CK_CHECKIN_ENDED:
        c->event.ended.staff = 0;
        break;
    case CK_CHECKIN_REVIEWED:
        c->event.reviewed.staff = 0;
        break;
    default:
        c->event.waived.staff = 0;
        break;
    }
}

static void no_inspector_assigned(struct checkin_case *c)
{
    c->row.inspector = 0;
}

static void set_result(struct checkin_case *c, unsigned call, unsigned review)
{
    if (c->event.kind == CK_CHECKIN_ENDED) {
        c->event.ended.result = (enum ck_call_result)call;
    } else {
        c->event.reviewed.result = (enum ck_review_result)review;
    }
}

static void accepted(struct checkin_case *c)
{
    set_result(c, CK_CALL_ACCEPTED, CK_REVIEW_ACCEPTED);
}

static void doubt(struct checkin_case *c)
{
    set_result(c, CK_CALL_DOUBT, CK_REVIEW_DOUBT);
}

static void declined(struct checkin_case *c)
{
    set_result(c, CK_CALL_DECLINED, CK_REVIEW_RESULT_COUNT);
}

static void unusable(struct checkin_case *c)
{
    set_result(c, CK_CALL_UNUSABLE, CK_REVIEW_UNUSABLE);
}

static void no_such_result(struct checkin_case *c)
{
    set_result(c, CK_CALL_RESULT_COUNT, CK_REVIEW_RESULT_COUNT);
}

static void order_ended(struct checkin_case *c)
{
    c->event.waived.cause = CK_CAUSE_WAIVED_ORDER_ENDED;
    c->event.waived.staff = 0;
}

static void no_such_waiver(struct checkin_case *c)
{
    c->event.waived.cause = CK_CAUSE_DOUBT;
}

static void beyond_waivers(struct checkin_case *c)
{
    c->event.waived.cause = CK_CAUSE_COUNT;
}

static void outside_window(struct checkin_case *c)
{
    c->event.moved.due = c->event.moved.window_end;
}

static void before_window(struct checkin_case *c)
{
    c->event.moved.due.ms = c->event.moved.window_start.ms - 1;
}

static void empty_window(struct checkin_case *c)
{
    c->event.moved.window_end = c->event.moved.window_start;
}

static void waits_for_it(struct checkin_case *c)
{
    c->row.merged_into = c->event.elsewhere.checkin;
}

static void seen_before(struct checkin_case *c)
{
    c->row.evidence |= CK_EVIDENCE_BIT(c->event.fact.evidence);
    c->row.faults_seen = c->event.fault.faults;
}

static void fault_seen_before(struct checkin_case *c)
{
    c->row.faults_seen = c->event.fault.faults;
}

static void first_frame(struct checkin_case *c)
{
    c->event.fact.evidence = CK_EVIDENCE_FIRST_FRAME;
}

static void review_sooner(struct checkin_case *c)
{
    struct ck_wall by = {c->now.ms + 1000};
    if (c->event.kind == CK_CHECKIN_CHALLENGE_FINISHED) {
        c->event.challenge.review_by = by;
    }
}

static void incident_open(struct checkin_case *c)
{
    c->row.incident = true;
}

static void review_incident_open(struct checkin_case *c)
{
    c->row.review_incident = true;
    c->row.next_at = (struct ck_wall){0};
}

static void to_low(struct checkin_case *c)
{
    c->event.banded.band = CK_BAND_1;
}

static void order_over_before(struct checkin_case *c)
{
    c->row.order_over = true;
}

static const struct word words[] = {
    {"to a lower band", to_low},
    {"order over before", order_over_before},
    {"early", early},
    {"due", NULL},
    {"another check-in is live", another_live},
    {"waits already", still_another},
    {"in a call elsewhere", another_live},
    {"late", late},
    {"no room", no_room},
    {"into a blackout", runs_into_a_blackout},
    {"no window", no_window},
    {"outage", outage},
    {"outage but no room later", outage_no_room_later},
    {"caught up before", caught_up},
    {"voluntary", voluntary},
    {"top band", top_band},
    {"band 5-6", high_band},
    {"no safety check", no_safety_check},
    {"is a make-up", make_up},
    {"inbound", inbound},
    {"unattended", unattended},
    {"one attempt", one_attempt},
    {"rings over", rings_over},
    {"ring due after the response window", late_for_ring},
    {"grace over", grace_over},
    {"rings used up", rings_used},
    {"not answerable", not_answerable},
    {"answerable as of now", answerable_now},
    {"notice refused", notice_refused},
    {"our fault", our_fault},
    {"opened by a tap", opened},
    {"camera denied", camera_denied},
    {"no inspector came", came},
    {"no late limit", no_late_limit},
    {"late limit", late_limit},
    {"came after grace", came_late},
    {"before the late limit", before_late_limit},
    {"no fallback", no_fallback},
    {"media", media},
    {"contact", contact},
    {"no contact", no_contact},
    {"after grace", missed},
    {"rejoins used up", rejoins_used},
    {"nobody named", nobody_named},
    {"no inspector assigned", no_inspector_assigned},
    {"accepted", accepted},
    {"doubt", doubt},
    {"declined", declined},
    {"unusable", unusable},
    {"no such result", no_such_result},
    {"order ended", order_ended},
    {"no such waiver", no_such_waiver},
    {"beyond the waivers", beyond_waivers},
    {"due outside the window", outside_window},
    {"due before the window", before_window},
    {"window empty", empty_window},
    {"waits for it", waits_for_it},
    {"longest call over", longest_call_over},
    {"seen before", seen_before},
    {"fault seen before", fault_seen_before},
    {"first frame", first_frame},
    {"review sooner", review_sooner},
    {"incident open", incident_open},
    {"review incident open", review_incident_open},
};

static void apply_word(struct checkin_case *c, const char *word, int line)
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

/* Prints the line as the code would have it, to be compared and, where the code is right, to be
 * copied. */
static void print_actual(const struct table_row *row, const char *next, const char *effects)
{
    print_error("line %d should be:\n| %s | %s | %s | %s | %s |\n", row->line, row->cells[0],
                row->cells[1], row->cells[2], next, effects);
}

static void walk_row(const struct table_row *row, bool seen[][CK_CHECKIN_EVENT_COUNT], int *wrong)
{
    assert_int_equal(row->count, 5);
    char when_copy[500];
    snprintf(when_copy, sizeof(when_copy), "%s", row->cells[2]);
    struct checkin_case c;
    checkin_case_begin(&c, row->cells[0], row->cells[1]);
    seen[c.row.state][c.event.kind] = true;
    char *tokens[TABLE_TOKENS_MAX];
    int count = table_tokens(when_copy, tokens);
    for (int i = 0; i < count; i++) {
        apply_word(&c, tokens[i], row->line);
    }
    struct ck_checkin next = c.row;
    struct ck_effects effects = {0};
    int code = ck_checkin_step(&c.row, &c.event, &c.policy, c.now, &next, &effects);
    char next_text[100];
    char effects_text[1000];
    if (code != 0) {
        snprintf(next_text, sizeof(next_text), "%s", refusal_name(code));
        snprintf(effects_text, sizeof(effects_text), "-");
        assert_int_equal(effects.count, 0);
        assert_memory_equal(&next, &c.row, sizeof(next));
    } else {
        checkin_state_text(&next, next_text, sizeof(next_text));
        effects_text_of(&effects, effects_text, sizeof(effects_text));
    }
    if (strcmp(next_text, row->cells[3]) != 0 || strcmp(effects_text, row->cells[4]) != 0) {
        print_actual(row, next_text, effects_text);
        (*wrong)++;
    }
}

static void test_every_line_of_the_table(void **state)
{
    (void)state;
    struct table table;
    table_load(DOCUMENT, "check-in", &table);
    static bool seen[CK_CHECKIN_STATE_COUNT][CK_CHECKIN_EVENT_COUNT];
    int wrong = 0;
    for (int i = 0; i < table.count; i++) {
        walk_row(&table.rows[i], seen, &wrong);
    }
    for (unsigned s = 0; s < CK_CHECKIN_STATE_COUNT; s++) {
        for (unsigned e = 0; e < CK_CHECKIN_EVENT_COUNT; e++) {
            if (!seen[s][e]) {
                print_error("no line for %s, %s\n", ck_checkin_state_name(s),
                            ck_checkin_event_name(e));
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
