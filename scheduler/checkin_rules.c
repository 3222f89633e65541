#include "scheduler/checkin_impl.h"

#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)

struct ck_checkin_policy ck_checkin_policy_default(void)
{
    return (struct ck_checkin_policy){
        .arm_lead_ms = 10 * MINUTE_MS,
        .attempts = 3,
        .ring_spacing_ms = 5 * MINUTE_MS,
        .response_ms = 15 * MINUTE_MS,
        .grace_ms = 5 * MINUTE_MS,
        .late_ms = 2 * HOUR_MS,
        .answerable_percent = 60,
        .misfire_ms = INT64_C(5000),
        .defer_ms = INT64_C(30000),
        .live_wait_ms = MINUTE_MS,
        .unattended_fallback = true,
        .challenge_ms = 5 * MINUTE_MS,
        .call_max_ms = CK_CALL_MAX_MS,
        .form_ms = 30 * MINUTE_MS,
        .rejoin_ms = 3 * MINUTE_MS,
        .rejoins = 3,
        .review_ms =
            {
                [CK_BAND_UNSCORED] = 12 * HOUR_MS,
                [CK_BAND_0] = 12 * HOUR_MS,
                [CK_BAND_1] = 12 * HOUR_MS,
                [CK_BAND_2] = 12 * HOUR_MS,
                [CK_BAND_3] = 12 * HOUR_MS,
                [CK_BAND_4] = 12 * HOUR_MS,
                [CK_BAND_5_6] = 4 * HOUR_MS,
                [CK_BAND_7_13] = 30 * MINUTE_MS,
            },
        .make_up_delay_ms = 30 * MINUTE_MS,
        .make_up_hold_ms = 0,
        .safety_check = true,
    };
}

/* The longest duration that any field may have: nothing here waits longer than a week. */
#define POLICY_MAX_MS (HOUR_MS * 24 * 7)

const char *ck_checkin_policy_fault(const struct ck_checkin_policy *policy)
{
    const struct {
        const char *name;
        int64_t value, min, max;
    } fields[] = {
        {"arm_lead_ms", policy->arm_lead_ms, 0, POLICY_MAX_MS},
        {"attempts", policy->attempts, 1, CK_ATTEMPTS_MAX},
        {"response_ms", policy->response_ms, 1000, POLICY_MAX_MS},
        {"ring_spacing_ms", policy->ring_spacing_ms, 1000, POLICY_MAX_MS},
        {"grace_ms", policy->grace_ms, 0, POLICY_MAX_MS},
        {"late_ms", policy->late_ms, 0, POLICY_MAX_MS},
        {"answerable_percent", policy->answerable_percent, 1, 100},
        {"misfire_ms", policy->misfire_ms, 0, POLICY_MAX_MS},
        {"defer_ms", policy->defer_ms, 1000, POLICY_MAX_MS},
        {"live_wait_ms", policy->live_wait_ms, 1000, POLICY_MAX_MS},
        {"challenge_ms", policy->challenge_ms, 1000, CK_CALL_MAX_MS},
        {"call_max_ms", policy->call_max_ms, 1000, CK_CALL_MAX_MS},
        {"form_ms", policy->form_ms, 1000, POLICY_MAX_MS},
        {"rejoin_ms", policy->rejoin_ms, 0, HOUR_MS},
        {"rejoins", policy->rejoins, 0, CK_ATTEMPTS_MAX},
        {"make_up_delay_ms", policy->make_up_delay_ms, 0, POLICY_MAX_MS},
        {"make_up_hold_ms", policy->make_up_hold_ms, 0, POLICY_MAX_MS},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].value < fields[i].min || fields[i].value > fields[i].max) {
            return fields[i].name;
        }
    }
    /* All rings fall inside the response window: what is announced is also done. */
    if ((policy->attempts - 1) * policy->ring_spacing_ms >= policy->response_ms) {
        return "ring_spacing_ms";
    }
    for (int band = 0; band < CK_BAND_COUNT; band++) {
        if (policy->review_ms[band] < 1000 || policy->review_ms[band] > POLICY_MAX_MS) {
            return "review_ms";
        }
    }
    return NULL;
}

void ck_checkin_begin(struct ck_checkin *row, const struct ck_checkin_policy *policy)
{
    struct ck_checkin fresh;
    memset(&fresh, 0, sizeof(fresh));
    fresh.id = row->id;
    fresh.person = row->person;
    fresh.plan = row->plan;
    fresh.inspector = row->inspector;
    fresh.make_up_of = row->make_up_of;
    fresh.kind = row->kind;
    fresh.mandatory = row->mandatory;
    fresh.band = row->band;
    fresh.window_start = row->window_start;
    fresh.window_end = row->window_end;
    fresh.due = row->due;
    fresh.state = CK_CHECKIN_PLANNED;
    fresh.next_at = ck_wall_add_ms(row->due, -policy->arm_lead_ms);
    *row = fresh;
}

static bool answerable_enough(const struct ck_checkin *row, const struct ck_checkin_policy *policy)
{
    return row->answerable_ms * 100 >= policy->response_ms * policy->answerable_percent;
}

/* Doubts about ourselves come first: whatever the person did or did not do, it is then not proven.
 * Next what they did, as far as it is proven; and only where nothing at all came from them,
 * NO_ANSWER. */
enum ck_outcome ck_checkin_finding(const struct ck_checkin *row,
                                   const struct ck_checkin_policy *policy, enum ck_cause *cause)
{
    bool opened =
        ck_checkin_has(row, CK_EVIDENCE_PAGE_OPENED) || ck_checkin_has(row, CK_EVIDENCE_JOINED);
    if (row->faults != 0) {
        *cause = CK_CAUSE_OUR_FAULT;
        return CK_OUTCOME_SYSTEM_FAULT;
    }
    if (row->came) {
        *cause = CK_CAUSE_NO_INSPECTOR;
        return CK_OUTCOME_UNSTAFFED;
    }
    /* Who calls in by themselves was not rung: nothing had to be answerable. */
    if (row->kind != CK_KIND_INBOUND) {
        if (!opened && !ck_checkin_has(row, CK_EVIDENCE_NOTICE_ACCEPTED)) {
            *cause = CK_CAUSE_NOTICE_REFUSED;
            return CK_OUTCOME_SYSTEM_FAULT;
        }
        if (!answerable_enough(row, policy)) {
            *cause = CK_CAUSE_NOT_ANSWERABLE;
            return CK_OUTCOME_SYSTEM_FAULT;
        }
    }
    if (row->page_block != CK_CAUSE_NONE) {
        *cause = row->page_block;
        return CK_OUTCOME_PERSON_FAULT;
    }
    if (opened) {
        *cause = CK_CAUSE_MEDIA_FAILED;
        return CK_OUTCOME_COULD_NOT_CONNECT;
    }
    *cause = CK_CAUSE_NOBODY_CAME;
    return CK_OUTCOME_NO_ANSWER;
}
