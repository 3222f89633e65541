/* The check-in beyond its table: attribution, times, and what holds for every way through it. */
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

/* ---- attribution
 * --------------------------------------------------------------------------------- */

static void know(struct ck_checkin *row, const char *what, const struct ck_checkin_policy *policy)
{
    if (strcmp(what, "a fault of ours touched the attempt") == 0) {
        row->faults = CK_FAULT_BIT(CK_FAULT_SIGNALLING);
    } else if (strcmp(what, "the person was in the room and no inspector came") == 0) {
        row->came = true;
        row->evidence |= CK_EVIDENCE_BIT(CK_EVIDENCE_JOINED);
    } else if (strcmp(what, "no channel accepted the notice, and the page was not opened") == 0) {
        row->evidence &= ~CK_EVIDENCE_BIT(CK_EVIDENCE_NOTICE_ACCEPTED);
    } else if (strcmp(what, "less answerable time than R of the response window") == 0) {
        row->answerable_ms = policy->response_ms * policy->answerable_percent / 100 - 1;
    } else if (strcmp(what, "the page says: camera denied") == 0) {
        row->page_block = CK_CAUSE_CAMERA_DENIED;
    } else if (strcmp(what, "the page says: no camera") == 0) {
        row->page_block = CK_CAUSE_NO_CAMERA;
    } else if (strcmp(what, "the page says: no WebRTC") == 0) {
        row->page_block = CK_CAUSE_NO_WEBRTC;
    } else if (strcmp(what, "the page says: closed on purpose") == 0) {
        row->page_block = CK_CAUSE_CLOSED_ON_PURPOSE;
    } else if (strcmp(what, "the page was opened by a tap, or joined") == 0) {
        row->evidence |= CK_EVIDENCE_BIT(CK_EVIDENCE_PAGE_OPENED);
    } else {
        assert_string_equal(what, "nothing came from the person");
    }
}

static const char *attribution_word(enum ck_attribution attribution)
{
    static const char *const words[] = {"nothing", "late", "officer", "never"};
    return words[attribution];
}

static void check_finding(const struct ck_checkin *row, const struct ck_checkin_policy *policy,
                          const struct table_row *line)
{
    enum ck_cause cause;
    enum ck_outcome finding = ck_checkin_finding(row, policy, &cause);
    assert_string_equal(ck_outcome_name(finding), line->cells[1]);
    assert_string_equal(ck_cause_name(cause), line->cells[2]);
    assert_string_equal(attribution_word(ck_outcome_attribution(finding)), line->cells[3]);
}

/* Each line alone, and each line with any set of later ones: the earlier decides. (Where the page
 * was opened, that no channel took the notice does not matter; so those two do not go together.) */
static void test_attribution_table(void **state)
{
    (void)state;
    struct table table;
    table_load(DOCUMENT, "attribution", &table);
    struct checkin_case c;
    checkin_case_begin(&c, "ringing", "timer");
    c.row.answerable_ms = c.policy.response_ms * c.policy.answerable_percent / 100;
    for (int i = 0; i < table.count; i++) {
        for (unsigned with = 0; with < 1U << (table.count - 1 - i); with++) {
            struct ck_checkin row = c.row;
            bool refused = false, opened = false;
            for (int later = i; later < table.count; later++) {
                if (later != i && (with & 1U << (later - i - 1)) == 0) {
                    continue;
                }
                const char *what = table.rows[later].cells[0];
                if (strncmp(what, "the page says", 13) == 0 && row.page_block != CK_CAUSE_NONE) {
                    continue; /* the page's latest word is one word */
                }
                refused = refused || strstr(what, "no channel accepted") != NULL;
                opened = opened || strstr(what, "opened by a tap") != NULL;
                know(&row, what, &c.policy);
            }
            if (refused && opened && i >= 2) {
                continue;
            }
            check_finding(&row, &c.policy, &table.rows[i]);
        }
    }
    table_free(&table);
}

/* Exactly R is enough; and the page's latest word counts. */
static void test_evidence_that_changes_its_mind(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "ringing", "fact");
    static const struct {
        enum ck_evidence evidence;
        enum ck_cause block;
    } steps[] = {
        {CK_EVIDENCE_CAMERA_DENIED, CK_CAUSE_CAMERA_DENIED},
        {CK_EVIDENCE_PERMISSION_GRANTED, CK_CAUSE_NONE},
        {CK_EVIDENCE_CAMERA_DENIED, CK_CAUSE_CAMERA_DENIED},
        {CK_EVIDENCE_NO_CAMERA, CK_CAUSE_NO_CAMERA},
        {CK_EVIDENCE_FIRST_AUDIO, CK_CAUSE_NO_CAMERA},
        {CK_EVIDENCE_FIRST_FRAME, CK_CAUSE_NONE},
        {CK_EVIDENCE_NO_WEBRTC, CK_CAUSE_NO_WEBRTC},
        {CK_EVIDENCE_CLOSED_ON_PURPOSE, CK_CAUSE_CLOSED_ON_PURPOSE},
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        c.event.fact.evidence = steps[i].evidence;
        checkin_feed(&c, &c.event, NULL);
        assert_int_equal(c.row.page_block, steps[i].block);
    }
}

static void test_media_proves_some_faults_over(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "connected/waiting", "fault");
    c.event.fault.faults = CK_FAULT_BIT(CK_FAULT_WORKER_LOST) | CK_FAULT_BIT(CK_FAULT_CLOCK);
    checkin_feed(&c, &c.event, NULL);
    struct ck_checkin_event frame = {.kind = CK_CHECKIN_FACT,
                                     .fact.evidence = CK_EVIDENCE_FIRST_FRAME};
    checkin_feed(&c, &frame, NULL);
    assert_int_equal(c.row.faults, CK_FAULT_BIT(CK_FAULT_CLOCK));
    assert_int_equal(c.row.faults_seen,
                     CK_FAULT_BIT(CK_FAULT_WORKER_LOST) | CK_FAULT_BIT(CK_FAULT_CLOCK));
}

static void test_evidence_has_its_time(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "ringing", "fact");
    c.event.fact.evidence = CK_EVIDENCE_PAGE_OPENED;
    c.event.fact.at.ms = 12345;
    checkin_feed(&c, &c.event, NULL);
    c.event.fact.at.ms = 99999;
    checkin_feed(&c, &c.event, NULL);
    assert_int_equal(c.row.evidence_at[CK_EVIDENCE_PAGE_OPENED].ms, 12345);
    c.event.fact.evidence = CK_EVIDENCE_ICE_FAILED;
    c.event.fact.at.ms = 0;
    checkin_feed(&c, &c.event, NULL);
    assert_int_equal(c.row.evidence_at[CK_EVIDENCE_ICE_FAILED].ms, c.now.ms);
}

static void test_answerable_reports_only_grow(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "ringing", "answerable");
    c.row.answerable_ms = 7000;
    c.event.answerable.ms = 5000;
    checkin_feed(&c, &c.event, NULL);
    assert_int_equal(c.row.answerable_ms, 7000);
    c.event.answerable.ms = 8000;
    checkin_feed(&c, &c.event, NULL);
    assert_int_equal(c.row.answerable_ms, 8000);
}

/* ---- times
 * ----------------------------------------------------------------------------------------- */

static void timer(struct checkin_case *c, struct ck_effects *effects)
{
    struct ck_checkin_event event = {.kind = CK_CHECKIN_TIMER, .timer.answerable_ms = -1};
    checkin_feed(c, &event, effects);
}

/* Three rings five minutes apart, grace at 20 minutes, the late limit two hours after. */
static void test_the_course_of_a_miss(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "armed", "timer");
    static const int minutes[] = {0, 5, 10, 20, 140};
    static const enum ck_effect_kind kinds[] = {CK_EFFECT_RING, CK_EFFECT_RING, CK_EFFECT_RING,
                                                CK_EFFECT_OPEN_INCIDENT, CK_EFFECT_OUTCOME};
    struct ck_effects effects;
    c.row.evidence = CK_EVIDENCE_BIT(CK_EVIDENCE_NOTICE_ACCEPTED);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(c.row.next_at.ms, FIXTURE_DUE + (int64_t)minutes[i] * 60000);
        c.now = c.row.next_at;
        c.row.answerable_ms = i > 0 ? c.policy.response_ms : 0;
        timer(&c, &effects);
        assert_int_equal(effects_count(&effects, kinds[i]), 1);
    }
    assert_int_equal(c.row.outcome, CK_OUTCOME_NO_ANSWER);
    assert_int_equal(c.row.attempt, 3);
}

static void test_a_ring_that_is_late_is_not_replayed(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "ringing", "timer");
    struct ck_effects effects;
    c.now.ms = FIXTURE_DUE + 12 * 60000; /* the second and the third are both due */
    timer(&c, &effects);
    assert_int_equal(effects_count(&effects, CK_EFFECT_RING), 1);
    assert_int_equal(c.row.attempt, 2);
    /* Five minutes on is beyond the response window: no third. */
    assert_int_equal(c.row.next_at.ms, c.row.answer_until.ms);
}

static void test_a_lost_call_gives_time_to_come_back(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "connected/waiting", "call_lost");
    struct ck_effects effects;
    c.now.ms = c.row.answer_until.ms + 60000; /* in the room when grace passed: not missed */
    checkin_feed(&c, &c.event, &effects);
    assert_int_equal(effects_count(&effects, CK_EFFECT_RING), 1);
    assert_int_equal(c.row.answer_until.ms, c.now.ms + c.policy.rejoin_ms);
    assert_int_equal(c.row.next_at.ms, c.row.answer_until.ms);
    assert_int_equal(c.row.finding, CK_OUTCOME_OPEN);
    struct ck_checkin_event joined = {.kind = CK_CHECKIN_JOINED};
    checkin_feed(&c, &joined, NULL);
    c.row.lost = c.policy.rejoins;
    checkin_feed(&c, &c.event, &effects);
    assert_int_equal(effects_count(&effects, CK_EFFECT_RING), 0);
    timer(&c, &effects); /* no more time is given, so the end of grace is due at once or soon */
    assert_true(c.row.next_at.ms <= c.row.late_until.ms);
}

static void test_sixty_minutes_end_every_call(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "connected/in_call", "timer");
    assert_int_equal(c.row.next_at.ms, c.row.joined_at.ms + CK_CALL_MAX_MS);
    c.policy.call_max_ms = CK_CALL_MAX_MS + 1;
    assert_string_equal(ck_checkin_policy_fault(&c.policy), "call_max_ms");
}

static void test_review_deadlines(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "connected/challenge", "challenge_finished");
    struct checkin_case top = c;
    top.row.band = CK_BAND_TOP;
    struct ck_effects effects;
    checkin_feed(&top, &top.event, &effects);
    assert_int_equal(top.row.review_by.ms, top.now.ms + INT64_C(30) * 60000);
    assert_int_equal(effects_find(&effects, CK_EFFECT_REVIEW)->review.by.ms, top.row.review_by.ms);
    struct checkin_case shift = c;
    shift.event.challenge.review_by.ms = c.now.ms + 5000;
    checkin_feed(&shift, &shift.event, NULL);
    assert_int_equal(shift.row.review_by.ms, c.now.ms + 5000);
    shift = c;
    shift.event.challenge.review_by.ms = c.now.ms + INT64_C(100) * 3600000;
    checkin_feed(&shift, &shift.event, NULL);
    assert_int_equal(shift.row.review_by.ms, c.now.ms + INT64_C(12) * 3600000);
}

static void test_incident_effects(void **state)
{
    (void)state;
    static const struct {
        enum ck_band band;
        enum ck_severity severity;
    } bands[] = {
        {CK_BAND_UNSCORED, CK_SEVERITY_NORMAL},
        {CK_BAND_4, CK_SEVERITY_NORMAL},
        {CK_BAND_5_6, CK_SEVERITY_HIGH},
        {CK_BAND_TOP, CK_SEVERITY_TOP},
    };
    for (size_t i = 0; i < sizeof(bands) / sizeof(bands[0]); i++) {
        struct checkin_case c;
        checkin_case_begin(&c, "ringing", "timer");
        c.row.band = bands[i].band;
        c.row.answerable_ms = 0;
        c.policy.make_up_hold_ms = 600000;
        c.now = c.row.answer_until;
        struct ck_effects effects;
        timer(&c, &effects);
        const struct ck_effect *open = effects_find(&effects, CK_EFFECT_OPEN_INCIDENT);
        assert_int_equal(open->incident.severity, bands[i].severity);
        assert_int_equal(open->incident.finding, CK_OUTCOME_SYSTEM_FAULT);
        assert_int_equal(open->incident.cause, CK_CAUSE_NOT_ANSWERABLE);
        /* A policy may let the ladder wait for the make-up, but never in the top band. */
        bool top = bands[i].band == CK_BAND_TOP;
        assert_int_equal(open->incident.first_step_at.ms - c.now.ms, top ? 0 : 600000);
        assert_int_equal(effects_count(&effects, CK_EFFECT_OPEN_SAFETY), top);
        assert_int_equal(effects_count(&effects, CK_EFFECT_MAKE_UP), 1);
    }
}

static void test_catch_up_is_spread(void **state)
{
    (void)state;
    int64_t earliest = INT64_MAX, latest = 0;
    for (int64_t id = 1; id <= 1000; id++) {
        struct checkin_case c;
        checkin_case_begin(&c, "armed", "timer");
        c.row.id = id;
        c.event.timer.spread_ms = 600000;
        c.now.ms += 3600000;
        struct ck_effects effects;
        checkin_feed(&c, &c.event, &effects);
        assert_int_equal(effects.items[0].audit.value, 3600000);
        assert_int_equal(c.row.state, CK_CHECKIN_ARMED);
        int64_t wait = c.row.next_at.ms - c.now.ms;
        assert_in_range(wait, 0, 599999);
        earliest = wait < earliest ? wait : earliest;
        latest = wait > latest ? wait : latest;
    }
    assert_true(earliest < 6000 && latest > 594000);
}

/* More than there is room for in a window is spread over what is left of it, and not rung at once.
 */
static void test_catch_up_fits_into_the_window(void **state)
{
    (void)state;
    int64_t latest = 0, soon = 0;
    for (int64_t id = 1; id <= 1000; id++) {
        struct checkin_case c;
        checkin_case_begin(&c, "armed", "timer");
        c.row.id = id;
        c.event.timer.spread_ms = 7200000;
        c.now.ms += 60000;
        c.row.window_end.ms = c.now.ms + c.policy.response_ms + 600000;
        checkin_feed(&c, &c.event, NULL);
        assert_int_equal(c.row.state, CK_CHECKIN_ARMED);
        int64_t wait = c.row.next_at.ms - c.now.ms;
        assert_in_range(wait, 0, 599999);
        latest = wait > latest ? wait : latest;
        soon += wait < 60000;
    }
    assert_true(latest > 594000 && soon < 150);
}

/* A live one waits for somebody who has time: within the spread, then as long as its window and two
 * hours allow; where nobody has, it is spread as the others are, and goes on unattended (S7). */
static void test_catch_up_waits_for_an_inspector(void **state)
{
    (void)state;
    const struct {
        int64_t busy_from, busy_until, least, most; /* minutes from now */
        bool fallback, alone;
    } cases[] = {
        {1, 2, 0, 10, true, false},  {0, 8, 8, 10, true, false},    {0, 20, 20, 21, true, false},
        {0, 120, 0, 10, true, true}, {0, 120, 0, 10, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct checkin_case c;
        struct ck_interval_set busy = {.count = 1};
        checkin_case_begin(&c, "armed", "timer");
        c.row.kind = CK_KIND_LIVE;
        c.policy.unattended_fallback = cases[i].fallback;
        c.event.timer.spread_ms = 600000;
        c.event.timer.busy = &busy;
        c.now.ms += 60000;
        c.row.window_end.ms = c.now.ms + c.policy.response_ms + 3600000;
        busy.items[0] = (struct ck_interval){{c.now.ms + cases[i].busy_from * 60000},
                                             {c.now.ms + cases[i].busy_until * 60000}};
        checkin_feed(&c, &c.event, NULL);
        assert_int_equal(c.row.state, CK_CHECKIN_ARMED);
        int64_t wait = c.row.next_at.ms - c.now.ms;
        assert_in_range(wait, cases[i].least * 60000, cases[i].most * 60000 - 1);
        assert_int_equal(c.row.kind, cases[i].alone ? CK_KIND_UNATTENDED : CK_KIND_LIVE);
    }
}

/* ---- whole ways
 * ------------------------------------------------------------------------------------- */

static void feed(struct checkin_case *c, enum ck_checkin_event_kind kind)
{
    struct ck_checkin_event event = {.kind = kind};
    checkin_feed(c, &event, NULL);
}

/* The person came, nobody of ours did, and they left before the unattended part was over: not
 * theirs. */
static void test_who_waited_for_us_is_not_charged(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "connected/waiting", "timer");
    timer(&c, NULL);
    assert_int_equal(c.row.phase, CK_PHASE_CHALLENGE);
    feed(&c, CK_CHECKIN_LEFT);
    assert_int_equal(c.row.page_block, CK_CAUSE_CLOSED_ON_PURPOSE);
    c.now = c.row.answer_until;
    timer(&c, NULL);
    assert_int_equal(c.row.finding, CK_OUTCOME_UNSTAFFED);
}

/* An inspector who comes in the end makes up for it: what follows is judged as if it were the first
 * call. */
static void test_a_later_inspector_takes_the_fault_away(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "connected/challenge", "timer");
    assert_true(c.row.came);
    feed(&c, CK_CHECKIN_CALL_LOST);
    feed(&c, CK_CHECKIN_JOINED);
    struct ck_checkin_event answered = {.kind = CK_CHECKIN_INSPECTOR_ANSWERED,
                                        .inspector.staff = 11};
    checkin_feed(&c, &answered, NULL);
    assert_false(c.row.came);
}

/* Media of an earlier leg prove nothing about the next. */
static void test_each_leg_has_its_own_media(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "connected/in_call", "ended");
    assert_true(c.row.contact);
    c.event.ended.result = CK_CALL_UNUSABLE;
    checkin_feed(&c, &c.event, NULL);
    feed(&c, CK_CHECKIN_JOINED);
    struct ck_checkin_event answered = {.kind = CK_CHECKIN_INSPECTOR_ANSWERED,
                                        .inspector.staff = 11};
    checkin_feed(&c, &answered, NULL);
    assert_false(c.row.contact);
    c.event.ended.result = CK_CALL_ACCEPTED;
    assert_int_equal(
        ck_checkin_step(&c.row, &c.event, &c.policy, c.now, &c.row, &(struct ck_effects){0}),
        CK_E_CONFLICT);
}

/* What the connection before still said is no media of this one, and who comes in again has not
 * closed it on purpose. */
static void test_coming_in_again_begins_anew(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "connected/waiting", "left");
    feed(&c, CK_CHECKIN_LEFT);
    assert_int_equal(c.row.page_block, CK_CAUSE_CLOSED_ON_PURPOSE);
    struct ck_checkin_event frame = {.kind = CK_CHECKIN_FACT,
                                     .fact.evidence = CK_EVIDENCE_FIRST_AUDIO};
    checkin_feed(&c, &frame, NULL); /* it was on its way */
    feed(&c, CK_CHECKIN_JOINED);
    assert_int_equal(c.row.page_block, CK_CAUSE_NONE);
    assert_false(c.row.media);
    feed(&c, CK_CHECKIN_LEFT);
    c.row.page_block = CK_CAUSE_CAMERA_DENIED;
    feed(&c, CK_CHECKIN_JOINED);
    assert_int_equal(c.row.page_block, CK_CAUSE_CAMERA_DENIED);
}

/* However often the person comes back, the form of a call is due at last. */
static void test_nobody_puts_off_the_form_for_ever(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "connected/form", "joined");
    struct ck_wall last =
        ck_wall_add_ms(c.row.call_until, c.policy.live_wait_ms + c.policy.form_ms);
    for (int i = 0; c.row.state == CK_CHECKIN_CONNECTED && i < 1000; i++) {
        assert_false(ck_wall_before(last, c.row.next_at));
        feed(&c, CK_CHECKIN_JOINED);
        c.now = c.row.next_at;
        timer(&c, NULL);
    }
    assert_int_equal(c.row.state, CK_CHECKIN_AWAITING_REVIEW);
}

/* So many lost calls give time and a ring; one more does not. */
static void test_lost_calls_are_counted(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "connected/waiting", "call_lost");
    c.now = c.row.answer_until;
    for (uint32_t i = 1; i <= c.policy.rejoins + 1; i++) {
        struct ck_effects effects;
        c.now.ms += 1000;
        struct ck_wall before = c.row.answer_until;
        checkin_feed(&c, &c.event, &effects);
        bool helped = i <= c.policy.rejoins;
        assert_int_equal(effects_count(&effects, CK_EFFECT_RING), helped);
        assert_int_equal(c.row.answer_until.ms, helped ? c.now.ms + c.policy.rejoin_ms : before.ms);
        feed(&c, CK_CHECKIN_JOINED);
    }
}

static void test_a_call_lost_near_the_late_limit(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "ringing/missed", "call_lost");
    c.now.ms = c.row.late_until.ms - 1000;
    feed(&c, CK_CHECKIN_JOINED);
    c.now.ms += 30000;
    feed(&c, CK_CHECKIN_CALL_LOST);
    assert_int_equal(c.row.late_until.ms, c.now.ms + c.policy.rejoin_ms);
    assert_int_equal(c.row.next_at.ms, c.row.late_until.ms);
}

/* S14: two at once become one; both refer to each other. */
static void test_two_at_once(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "armed", "timer");
    c.event.timer.other_live = 77;
    checkin_feed(&c, &c.event, NULL);
    assert_int_equal(c.row.merged_into, 77);
    assert_int_equal(c.row.next_at.ms, c.now.ms + c.policy.defer_ms);
    struct checkin_case served = c;
    struct ck_checkin_event contact = {.kind = CK_CHECKIN_CONTACT_ELSEWHERE,
                                       .elsewhere.checkin = 77};
    checkin_feed(&served, &contact, NULL);
    assert_int_equal(served.row.outcome, CK_OUTCOME_COMPLETED);
    assert_int_equal(served.row.merged_into, 77);
    /* The other ended without contact: this one rings. */
    c.now = c.row.next_at;
    timer(&c, NULL);
    assert_int_equal(c.row.state, CK_CHECKIN_RINGING);
    assert_int_equal(c.row.merged_into, 0);
    contact.elsewhere.checkin = 78;
    checkin_feed(&c, &contact, NULL);
    assert_int_equal(c.row.merged_into, 78);
}

/* What is late by no more than the misfire threshold is not remarked upon. */
static void test_five_seconds_are_not_late(void **state)
{
    (void)state;
    struct checkin_case c;
    struct ck_effects effects;
    checkin_case_begin(&c, "armed", "timer");
    c.now.ms = FIXTURE_DUE + 5000;
    struct checkin_case later = c;
    timer(&c, &effects);
    assert_int_equal(effects_count(&effects, CK_EFFECT_AUDIT), 0);
    later.now.ms++;
    timer(&later, &effects);
    assert_int_equal(effects.items[0].audit.fact, CK_FACT_DELAYED);
    assert_int_equal(effects.items[0].audit.value, 5001);
}

static void test_moving_moves_the_arming(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "planned", "moved");
    checkin_feed(&c, &c.event, NULL);
    assert_int_equal(c.row.due.ms, FIXTURE_DUE + 60000);
    assert_int_equal(c.row.next_at.ms, c.row.due.ms - c.policy.arm_lead_ms);
}

static void test_a_fresh_row_is_fresh(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "done", "timer");
    struct ck_checkin row = c.row;
    ck_checkin_begin(&row, &c.policy);
    checkin_case_begin(&c, "planned", "timer");
    assert_memory_equal(&row, &c.row, sizeof(row));
}

static void test_policies_are_checked(void **state)
{
    (void)state;
    struct ck_checkin_policy policy = ck_checkin_policy_default();
    assert_null(ck_checkin_policy_fault(&policy));
    policy.attempts = 0;
    assert_string_equal(ck_checkin_policy_fault(&policy), "attempts");
    policy.attempts = CK_ATTEMPTS_MAX + 1;
    assert_string_equal(ck_checkin_policy_fault(&policy), "attempts");
    policy = ck_checkin_policy_default();
    policy.ring_spacing_ms = policy.response_ms / 2; /* the third ring would be outside */
    assert_string_equal(ck_checkin_policy_fault(&policy), "ring_spacing_ms");
    policy = ck_checkin_policy_default();
    policy.review_ms[CK_BAND_TOP] = 0;
    assert_string_equal(ck_checkin_policy_fault(&policy), "review_ms");
    policy.review_ms[CK_BAND_TOP] = INT64_C(8) * 24 * 3600000;
    assert_string_equal(ck_checkin_policy_fault(&policy), "review_ms");
    policy = ck_checkin_policy_default();
    policy.answerable_percent = 0;
    assert_string_equal(ck_checkin_policy_fault(&policy), "answerable_percent");
}

/* ---- whatever happens
 * ------------------------------------------------------------------------------ */

/* What is counted over the life of one check-in. */
struct life {
    int outcomes, incidents, safeties, make_ups, contacts;
    uint32_t attempt;
};

static void count_effects(struct life *life, const struct ck_effects *effects)
{
    life->outcomes += effects_count(effects, CK_EFFECT_OUTCOME);
    life->incidents += effects_incidents(effects, CK_INCIDENT_NO_CONTACT);
    life->safeties += effects_count(effects, CK_EFFECT_OPEN_SAFETY);
    life->make_ups += effects_count(effects, CK_EFFECT_MAKE_UP);
    life->contacts += effects_count(effects, CK_EFFECT_CONTACT);
    for (uint32_t i = 0; i < effects->count; i++) {
        if (effects->items[i].kind == CK_EFFECT_RING) {
            assert_int_equal(effects->items[i].ring.attempt, life->attempt + 1);
            life->attempt++;
        }
    }
}

static void random_event(uint64_t *seed, const struct ck_checkin *row,
                         struct ck_checkin_event *event)
{
    memset(event, 0, sizeof(*event));
    event->kind =
        random_below(seed, 2) == 0 ? CK_CHECKIN_TIMER : random_below(seed, CK_CHECKIN_EVENT_COUNT);
    switch (event->kind) {
    case CK_CHECKIN_TIMER:
        event->timer.answerable_ms = random_below(seed, 1000000) - 1;
        event->timer.other_live = random_below(seed, 8) == 0 ? 77 : 0;
        event->timer.spread_ms = random_below(seed, 4) == 0 ? 600000 : 0;
        break;
    case CK_CHECKIN_FACT:
        event->fact.evidence = random_below(seed, CK_EVIDENCE_COUNT);
        break;
    case CK_CHECKIN_FAULT:
        event->fault.faults = random_below(seed, 6) == 0 ? CK_FAULT_BIT(random_below(seed, 7)) : 0;
        break;
    case CK_CHECKIN_ANSWERABLE:
        event->answerable.ms = random_below(seed, 1000000);
        break;
    case CK_CHECKIN_INSPECTOR_ANSWERED:
        event->inspector.staff = random_below(seed, 3);
        break;
    case CK_CHECKIN_ENDED:
        event->ended.staff = random_below(seed, 3);
        event->ended.result = random_below(seed, CK_CALL_RESULT_COUNT + 1);
        break;
    case CK_CHECKIN_REVIEWED:
        event->reviewed.staff = random_below(seed, 3);
        event->reviewed.result = random_below(seed, CK_REVIEW_RESULT_COUNT + 1);
        break;
    case CK_CHECKIN_WAIVED:
        /* Seldom, or hardly anything else would happen. */
        event->waived.staff = random_below(seed, 20) == 0;
        event->waived.cause = CK_CAUSE_WAIVED_COURT;
        break;
    case CK_CHECKIN_MOVED:
        event->moved.due.ms = row->due.ms + random_below(seed, 100000) - 50000;
        event->moved.window_start = row->window_start;
        event->moved.window_end = row->window_end;
        break;
    case CK_CHECKIN_CONTACT_ELSEWHERE:
        event->elsewhere.checkin = 77;
        break;
    default:
        break;
    }
}

static struct ck_wall random_time(uint64_t *seed, const struct ck_checkin *row, struct ck_wall now,
                                  bool jumps)
{
    if (jumps && random_below(seed, 10) == 0) {
        return ck_wall_add_ms(now, random_below(seed, 7200000) - 3600000);
    }
    if (row->next_at.ms > now.ms && random_below(seed, 2) == 0) {
        return row->next_at;
    }
    return ck_wall_add_ms(now, random_below(seed, 60000));
}

static void check_always(const struct ck_checkin *row, const struct life *life, uint64_t seed)
{
    bool done = row->state == CK_CHECKIN_DONE;
    bool waits = row->state == CK_CHECKIN_AWAITING_REVIEW && row->review_incident;
    bool ok = life->outcomes == (done ? 1 : 0) && (row->outcome != CK_OUTCOME_OPEN) == done &&
              (row->next_at.ms == 0) == (done || waits) && life->incidents <= 1 &&
              life->make_ups <= 1 && life->safeties <= life->incidents &&
              life->attempt == row->attempt &&
              (row->phase != CK_PHASE_NONE) == (row->state == CK_CHECKIN_CONNECTED);
    if (done) {
        bool contact = ck_outcome_is_contact(row->outcome);
        bool owed = row->mandatory && !contact && row->outcome != CK_OUTCOME_WAIVED;
        bool missed = row->mandatory && row->finding != CK_OUTCOME_OPEN;
        ok = ok && life->incidents == (owed || missed ? 1 : 0);
        ok =
            ok && (row->outcome == CK_OUTCOME_LATE) == (contact && row->finding != CK_OUTCOME_OPEN);
        ok = ok && life->contacts == (contact && row->cause != CK_CAUSE_CONTACT_ELSEWHERE);
        ok = ok && life->make_ups == (row->outcome == CK_OUTCOME_SYSTEM_FAULT && row->mandatory &&
                                      row->make_up_of == 0);
    }
    if (!ok) {
        fail_msg("seed %llu: state %s, outcome %s, %d outcomes, %d incidents, %d make-ups",
                 (unsigned long long)seed, ck_checkin_state_name(row->state),
                 ck_outcome_name(row->outcome), life->outcomes, life->incidents, life->make_ups);
    }
}

static void begin_random(uint64_t *seed, struct checkin_case *c)
{
    checkin_case_begin(c, "planned", "timer");
    c->row.kind = random_below(seed, CK_KIND_COUNT);
    c->row.mandatory = random_below(seed, 4) != 0;
    c->row.band = random_below(seed, CK_BAND_COUNT);
    c->row.make_up_of = random_below(seed, 4) == 0 ? 5 : 0;
    c->policy.late_ms = random_below(seed, 2) * c->policy.late_ms;
    c->policy.unattended_fallback = random_below(seed, 2) == 0;
    c->policy.attempts = 1 + (uint32_t)random_below(seed, 3);
}

/* 20,000 lives of random events at random times, some with a clock that jumps both ways; then
 * timers alone must bring each to an end. */
static void walk(uint64_t seed, bool jumps)
{
    uint64_t random = seed;
    struct checkin_case c;
    begin_random(&random, &c);
    struct life life = {0};
    struct ck_effects effects;
    struct ck_checkin terminal = {0};
    for (int i = 0; i < 60; i++) {
        random_event(&random, &c.row, &c.event);
        c.now = random_time(&random, &c.row, c.now, jumps);
        if (ck_checkin_step(&c.row, &c.event, &c.policy, c.now, &c.row, &effects) == 0) {
            count_effects(&life, &effects);
        }
        check_always(&c.row, &life, seed);
        if (c.row.state == CK_CHECKIN_DONE && terminal.state != CK_CHECKIN_DONE) {
            terminal = c.row;
        }
    }
    for (int i = 0; i < 60 && c.row.state != CK_CHECKIN_DONE; i++) {
        c.event = (struct ck_checkin_event){.kind = CK_CHECKIN_TIMER, .timer.answerable_ms = -1};
        if (c.row.state == CK_CHECKIN_AWAITING_REVIEW) {
            c.event = (struct ck_checkin_event){.kind = CK_CHECKIN_REVIEWED, .reviewed.staff = 9};
        }
        c.now = c.row.next_at;
        checkin_feed(&c, &c.event, &effects);
        count_effects(&life, &effects);
        check_always(&c.row, &life, seed);
    }
    assert_int_equal(c.row.state, CK_CHECKIN_DONE);
    /* What is over stays as it was. */
    if (terminal.state == CK_CHECKIN_DONE) {
        assert_memory_equal(&terminal, &c.row, sizeof(terminal));
    }
}

static void test_random_lives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        walk(seed, false);
    }
}

static void test_random_lives_with_clock_jumps(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        walk(seed, true);
    }
}

/* Nothing that counts against a person without proof, whatever the mixture of facts. */
static void test_nothing_is_charged_without_proof(void **state)
{
    (void)state;
    struct checkin_case c;
    checkin_case_begin(&c, "ringing", "timer");
    uint64_t random = 7;
    int charged = 0;
    for (int i = 0; i < 200000; i++) {
        struct ck_checkin row = c.row;
        row.kind = random_below(&random, CK_KIND_COUNT);
        row.evidence = (uint32_t)random_next(&random);
        row.faults = random_below(&random, 2) == 0 ? 0 : (uint32_t)random_below(&random, 128);
        row.came = random_below(&random, 2) == 0;
        row.answerable_ms = random_below(&random, c.policy.response_ms + 1);
        row.page_block = random_below(&random, 2) == 0 ? CK_CAUSE_NONE : CK_CAUSE_CAMERA_DENIED;
        enum ck_cause cause;
        enum ck_outcome finding = ck_checkin_finding(&row, &c.policy, &cause);
        assert_false(ck_outcome_is_contact(finding));
        if (ck_outcome_attribution(finding) != CK_ATTRIBUTION_OFFICER) {
            continue;
        }
        charged++;
        assert_int_equal(row.faults, 0);
        assert_false(row.came);
        if (row.kind != CK_KIND_INBOUND) {
            assert_true(row.answerable_ms * 100 >=
                        c.policy.response_ms * c.policy.answerable_percent);
        }
        assert_true(finding == CK_OUTCOME_NO_ANSWER || row.page_block != CK_CAUSE_NONE);
    }
    assert_true(charged > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attribution_table),
        cmocka_unit_test(test_evidence_that_changes_its_mind),
        cmocka_unit_test(test_media_proves_some_faults_over),
        cmocka_unit_test(test_evidence_has_its_time),
        cmocka_unit_test(test_answerable_reports_only_grow),
        cmocka_unit_test(test_the_course_of_a_miss),
        cmocka_unit_test(test_a_ring_that_is_late_is_not_replayed),
        cmocka_unit_test(test_a_lost_call_gives_time_to_come_back),
        cmocka_unit_test(test_sixty_minutes_end_every_call),
        cmocka_unit_test(test_review_deadlines),
        cmocka_unit_test(test_incident_effects),
        cmocka_unit_test(test_catch_up_is_spread),
        cmocka_unit_test(test_catch_up_fits_into_the_window),
        cmocka_unit_test(test_catch_up_waits_for_an_inspector),
        cmocka_unit_test(test_who_waited_for_us_is_not_charged),
        cmocka_unit_test(test_a_later_inspector_takes_the_fault_away),
        cmocka_unit_test(test_each_leg_has_its_own_media),
        cmocka_unit_test(test_coming_in_again_begins_anew),
        cmocka_unit_test(test_nobody_puts_off_the_form_for_ever),
        cmocka_unit_test(test_lost_calls_are_counted),
        cmocka_unit_test(test_a_call_lost_near_the_late_limit),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_five_seconds_are_not_late),
        cmocka_unit_test(test_moving_moves_the_arming),
        cmocka_unit_test(test_a_fresh_row_is_fresh),
        cmocka_unit_test(test_policies_are_checked),
        cmocka_unit_test(test_random_lives),
        cmocka_unit_test(test_random_lives_with_clock_jumps),
        cmocka_unit_test(test_nothing_is_charged_without_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
