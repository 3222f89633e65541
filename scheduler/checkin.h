/* The check-in: one occurrence with its window, from PLANNED to its one outcome. Pure: the row, the
 * event, the policy and the time go in; the next row and the effects come out. The table of every
 * (state, event) pair is in scheduler/DESIGN.md.
 *
 * What holds, whatever is thrown at it:
 * - exactly one CK_EFFECT_OUTCOME in the life of a row, with the change to DONE;
 * - a mandatory check-in that passes its grace, or ends, without accepted contact (WAIVED apart)
 * has exactly one CK_EFFECT_OPEN_INCIDENT, in the same step;
 * - NO_ANSWER and PERSON_FAULT only with enough answerable time, an accepted notice and no fault of
 * ours;
 * - no ring is repeated for the same attempt, however the clock jumps;
 * - every state but DONE has a next_at, or a REVIEW_OVERDUE incident that cannot end before it. */
#ifndef SCHEDULER_CHECKIN_H
#define SCHEDULER_CHECKIN_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/error.h"
#include "protocol/base/time.h"
#include "scheduler/draw.h"
#include "scheduler/effects.h"

enum ck_checkin_state {
    CK_CHECKIN_PLANNED = 0,     /* made ahead; may still move */
    CK_CHECKIN_ARMED,           /* fixed; will ring at due, whatever changes */
    CK_CHECKIN_RINGING,         /* the person is being reached, or awaited until the late limit */
    CK_CHECKIN_CONNECTED,       /* the person is in the room (phase says what goes on) */
    CK_CHECKIN_AWAITING_REVIEW, /* recorded; a human has yet to look */
    CK_CHECKIN_DONE,
    CK_CHECKIN_STATE_COUNT,
};

/* What goes on while CONNECTED. */
enum ck_checkin_phase {
    CK_PHASE_NONE = 0,  /* every other state */
    CK_PHASE_WAITING,   /* the console rings, the person waits */
    CK_PHASE_IN_CALL,   /* an inspector is in */
    CK_PHASE_CHALLENGE, /* the unattended part runs */
    CK_PHASE_FORM,      /* the call is over, its result is not yet written */
    CK_PHASE_COUNT,
};

enum ck_checkin_kind {
    CK_KIND_LIVE = 0,
    CK_KIND_UNATTENDED,
    CK_KIND_ON_DEMAND, /* live, started by an inspector now */
    CK_KIND_INBOUND,   /* live, started by the person */
    CK_KIND_COUNT,
};

/* Evidence of one check-in: the bit says that it was seen, evidence_at when first. */
enum ck_evidence {
    CK_EVIDENCE_NOTICE_ACCEPTED = 0, /* a channel took the notice */
    CK_EVIDENCE_NOTICE_DELIVERED,
    CK_EVIDENCE_NOTICE_READ,
    CK_EVIDENCE_NOTICE_FAILED,
    CK_EVIDENCE_LINK_FETCHED, /* a GET: proves nothing, messengers fetch links for previews */
    CK_EVIDENCE_PAGE_OPENED,  /* opened by a tap (a POST) */
    CK_EVIDENCE_OTHER_DEVICE, /* joined without the enrolled device's key */
    CK_EVIDENCE_RIGHTS_READ,  /* rights and recording notice acknowledged */
    CK_EVIDENCE_PERMISSION_ASKED,
    CK_EVIDENCE_PERMISSION_GRANTED,
    CK_EVIDENCE_CAMERA_DENIED,
    CK_EVIDENCE_NO_CAMERA,
    CK_EVIDENCE_NO_WEBRTC,
    CK_EVIDENCE_CLOSED_ON_PURPOSE,
    CK_EVIDENCE_JOINED,
    CK_EVIDENCE_ICE_CONNECTED,
    CK_EVIDENCE_ICE_FAILED,
    CK_EVIDENCE_DTLS_CONNECTED,
    CK_EVIDENCE_DTLS_FAILED,
    CK_EVIDENCE_FIRST_AUDIO,
    CK_EVIDENCE_FIRST_FRAME,
    CK_EVIDENCE_CAMERA_STOPPED,
    CK_EVIDENCE_MEDIA_LOST,
    CK_EVIDENCE_INSPECTOR_IN,
    CK_EVIDENCE_CHALLENGE_STARTED,
    CK_EVIDENCE_CHALLENGE_DONE,
    CK_EVIDENCE_PRIVACY_PAUSE,
    CK_EVIDENCE_COUNT,
};

#define CK_EVIDENCE_BIT(evidence) (UINT32_C(1) << (evidence))

/* Faults of ours that touched this person's attempt, so that nothing may be charged to them. Health
 * that varies over time (engine lag, our probe, channel up, clock in sync) is told by answerable
 * time instead. */
enum ck_fault {
    CK_FAULT_NO_WORKER = 0, /* no media worker had room when they came */
    CK_FAULT_WORKER_LOST,   /* the worker that carried their leg died */
    CK_FAULT_SIGNALLING,    /* our pages or WebSocket failed them */
    CK_FAULT_RELAY,         /* our own transport was down */
    CK_FAULT_CLOCK,         /* our time was not synchronised when it mattered */
    CK_FAULT_STORE,         /* the store stalled or refused */
    CK_FAULT_QUARANTINED,   /* the row had to be taken aside */
    CK_FAULT_COUNT,
};

#define CK_FAULT_BIT(fault) (UINT32_C(1) << (fault))

/* The faults that later media from the same person prove to be over. */
#define CK_FAULTS_CURED_BY_MEDIA                                                                   \
    (CK_FAULT_BIT(CK_FAULT_NO_WORKER) | CK_FAULT_BIT(CK_FAULT_WORKER_LOST) |                       \
     CK_FAULT_BIT(CK_FAULT_SIGNALLING) | CK_FAULT_BIT(CK_FAULT_RELAY))

#define CK_ATTEMPTS_MAX 10
#define CK_CALL_MAX_MS INT64_C(3600000) /* 60 minutes end every call */

/* The deciding values of a check-in's row. The engine stores and loads all of them and changes
 * none. */
struct ck_checkin {
    int64_t id;
    int64_t person;
    int64_t plan;      /* 0: none (on demand, inbound) */
    int64_t inspector; /* assigned */
    int64_t
        make_up_of; /* check-in that this one makes up for; 0: none. A make-up has no make-up. */
    int64_t merged_into; /* ARMED: the check-in whose end it waits for; later: the one whose contact
                            also served it; 0: none */
    enum ck_checkin_kind kind;
    bool mandatory;
    enum ck_band band; /* of the person; from the first ring on it only rises */

    enum ck_checkin_state state;
    enum ck_checkin_phase phase;
    enum ck_outcome outcome; /* OPEN until DONE */
    enum ck_cause cause;     /* of outcome, or of finding */
    enum ck_outcome
        finding; /* set when grace passed without contact: the outcome unless one comes late */

    struct ck_wall window_start; /* of the plan's window that it was drawn in */
    struct ck_wall window_end;
    struct ck_wall due;
    struct ck_wall opened_at;     /* first ring; 0: not yet */
    struct ck_wall respond_until; /* rings end; answerable time is counted from opened_at to here */
    struct ck_wall answer_until;  /* grace ends */
    struct ck_wall late_until;    /* late limit */
    struct ck_wall next_at;       /* 0 only in DONE and where its REVIEW_OVERDUE incident has it */
    struct ck_wall ring_next_at;  /* next attempt while RINGING; 0: no more */

    uint32_t attempt;     /* rings so far */
    uint32_t lost;        /* calls lost so far */
    bool caught_up;       /* run after an outage */
    bool came;            /* was in the room when no inspector answered */
    bool media;           /* received from the person since they came in */
    bool contact;         /* inspector in and media from the person: something to conclude on */
    bool incident;        /* its NO_CONTACT incident has been opened */
    bool review_incident; /* its REVIEW_OVERDUE incident has been opened */
    bool order_over;      /* the order ended during the call: nobody is rung for it any more */

    struct ck_wall joined_at;  /* arrival that counts for lateness; 0: not here */
    struct ck_wall call_until; /* longest duration of the call that goes on */
    struct ck_wall review_by;
    struct ck_wall ended_at;

    int64_t answerable_ms; /* gathered between opened_at and respond_until */
    uint32_t evidence;     /* mask of CK_EVIDENCE_BIT */
    struct ck_wall evidence_at[CK_EVIDENCE_COUNT];
    uint32_t faults;          /* mask of CK_FAULT_BIT that still stand */
    uint32_t faults_seen;     /* all there ever were */
    enum ck_cause page_block; /* latest positive evidence from the page that the device cannot or
                                 will not; CK_CAUSE_NONE where none, or where media came after it */
};

/* The result that the inspector writes into the form after a call. */
enum ck_call_result {
    CK_CALL_ACCEPTED = 0, /* contact made, it is the person */
    CK_CALL_DOUBT,        /* somebody came; it is not, or may not be, the person */
    CK_CALL_DECLINED,     /* the person said no in the call */
    CK_CALL_UNUSABLE,     /* nothing could be seen or heard: try again */
    CK_CALL_RESULT_COUNT,
};

enum ck_review_result {
    CK_REVIEW_ACCEPTED = 0,
    CK_REVIEW_DOUBT,
    CK_REVIEW_UNUSABLE, /* nothing can be made out on the recording */
    CK_REVIEW_RESULT_COUNT,
};

/* Nobody waits longer for what could not be rung in time. */
#define CK_CATCH_UP_MAX_MS INT64_C(7200000)

/* Facts may come twice and out of order. The engine feeds timers that are due before the events of
 * the same turn; where an event is faster, the seconds count for the person. */
enum ck_checkin_event_kind {
    CK_CHECKIN_TIMER = 0,  /* next_at has come; earlier calls change nothing */
    CK_CHECKIN_FACT,       /* a piece of evidence */
    CK_CHECKIN_FAULT,      /* a fault of ours touched this attempt */
    CK_CHECKIN_ANSWERABLE, /* report of answerable time */
    CK_CHECKIN_JOINED,     /* the person is in the room */
    CK_CHECKIN_INBOUND,    /* the person calls from their own page (kind INBOUND starts with it) */
    CK_CHECKIN_INSPECTOR_ANSWERED, /* request of staff */
    CK_CHECKIN_NO_INSPECTOR,       /* known that nobody will answer */
    CK_CHECKIN_CHALLENGE_FINISHED, /* the unattended part is complete */
    CK_CHECKIN_DECLINED,           /* the person says no on the page, with a reason */
    CK_CHECKIN_LEFT,               /* the person closed the page on purpose */
    CK_CHECKIN_CALL_LOST, /* the person's leg is gone, cause unproven, or our worker or lease is */
    CK_CHECKIN_ENDED,     /* request of staff: the form's result */
    CK_CHECKIN_REVIEWED,  /* request of staff */
    CK_CHECKIN_WAIVED,    /* request of staff, or the end of the order or plan; in a call the end
                             of the order makes it voluntary */
    CK_CHECKIN_MOVED, /* new due time while PLANNED (rule, zone or tzdata change, agreed request) */
    CK_CHECKIN_CONTACT_ELSEWHERE, /* accepted contact in another check-in of this person */
    CK_CHECKIN_CALL_OVER, /* our side ended the call, or lost its own leg; the form follows */
    CK_CHECKIN_BANDED,    /* the person's band is another one: before the first ring it is taken
                             over, after it only a higher one is */
    CK_CHECKIN_EVENT_COUNT,
};

struct ck_checkin_event {
    enum ck_checkin_event_kind kind;
    union {
        struct {
            int64_t answerable_ms; /* as for ANSWERABLE, as of now; -1: nothing new */
            int64_t other_live;    /* another check-in of the person; 0 none. ARMED: one that is
                                      RINGING before its grace is over, or CONNECTED; RINGING: one
                                      that is CONNECTED */
            int64_t spread_ms; /* ARMED and late: over how long the catch-up is to be spread; 0 at
                                  once */
            const struct ck_interval_set *busy; /* then, of a live one: when nobody has time for it
                                                   in the next CK_CATCH_UP_MAX_MS; NULL: nobody is
                                                   asked */
            bool excused; /* ARMED and late: rings that begin now would run into a blackout */
        } timer;
        struct {
            enum ck_evidence evidence;
            struct ck_wall at; /* when it happened; 0: now */
        } fact;
        struct {
            uint32_t faults; /* mask of CK_FAULT_BIT */
        } fault;
        struct {
            int64_t
                ms; /* total since opened_at, not beyond respond_until; a report never lowers it */
        } answerable;
        struct {
            int64_t staff;
        } inspector;
        struct {
            struct ck_wall review_by; /* end of the next shift; 0: policy alone decides */
        } challenge;
        struct {
            enum ck_call_result result;
            int64_t staff; /* never 0: a named person */
            struct ck_wall review_by;
        } ended;
        struct {
            enum ck_review_result result;
            int64_t staff; /* never 0 */
        } reviewed;
        struct {
            enum ck_cause cause; /* one of CK_CAUSE_WAIVED_* */
            int64_t staff;       /* approver; 0 only for ORDER_ENDED, PLAN_CHANGED, BLACKOUT */
        } waived;
        struct {
            struct ck_wall due, window_start, window_end;
        } moved;
        struct {
            int64_t checkin;
        } elsewhere;
        struct {
            enum ck_band band;
        } banded;
    };
};

/* All durations in milliseconds. Versioned with the plan; frozen into the row's plan version. */
struct ck_checkin_policy {
    int64_t arm_lead_ms;     /* PLANNED becomes ARMED this long before due */
    uint32_t attempts;       /* rings, 1 to CK_ATTEMPTS_MAX */
    int64_t ring_spacing_ms; /* between rings, inside response_ms */
    int64_t response_ms;     /* response window from the first ring */
    int64_t grace_ms;        /* on top of it, without further rings */
    int64_t late_ms;         /* on top of that, a contact is taken as LATE; 0: none is */
    uint32_t
        answerable_percent; /* R: part of response_ms that must have been answerable, 1 to 100 */
    int64_t misfire_ms;     /* later than this is recorded as delayed (S13) */
    int64_t defer_ms; /* how long to wait before looking again whether another check-in has ended */
    int64_t live_wait_ms;     /* the person waits this long for an inspector */
    bool unattended_fallback; /* then the unattended part starts; otherwise UNSTAFFED */
    int64_t challenge_ms;     /* longest duration of the unattended part */
    int64_t call_max_ms;      /* longest duration of a call, at most CK_CALL_MAX_MS */
    int64_t form_ms;          /* after the call, until the recording goes to review instead */
    int64_t rejoin_ms;        /* after a lost call, how long the person can at least come back */
    uint32_t rejoins;         /* how many lost calls extend the time in this way */
    int64_t review_ms[CK_BAND_COUNT]; /* longest wait for a review */
    int64_t make_up_delay_ms;         /* earliest make-up after the SYSTEM_FAULT */
    int64_t make_up_hold_ms; /* SYSTEM_FAULT: the ladder's first step waits this long; never in the
                                top band */
    bool safety_check;       /* top band: open the safety row beside the incident */
};

/* The product's defaults (practice.md section 5): 3 rings, 15 minutes, and so on. */
struct ck_checkin_policy ck_checkin_policy_default(void);

/* NULL where the policy is sound; otherwise the name of the first field that is not. */
const char *ck_checkin_policy_fault(const struct ck_checkin_policy *policy);

/* Starts the life of a row whose ids, kind, mandatory, band, window and due are set: everything
 * else is cleared, state PLANNED, next_at the time of arming. */
void ck_checkin_begin(struct ck_checkin *row, const struct ck_checkin_policy *policy);

/* Decides one event. `next` and `effects` are filled on 0 and untouched otherwise; `next` may be
 * `row`. An event that changes nothing gives 0, an equal row and perhaps an audit fact.
 *
 * Only requests by people are refused: CK_E_CONFLICT where the state does not allow it,
 * CK_E_INVALID where the request is not complete (no named person) or out of range. Policy and row
 * are ours and asserted. */
int ck_checkin_step(const struct ck_checkin *row, const struct ck_checkin_event *event,
                    const struct ck_checkin_policy *policy, struct ck_wall now,
                    struct ck_checkin *next, struct ck_effects *effects);

/* What the check-in would be if it ended now without contact, and why: the attribution rules alone.
 * Never a contact outcome and never WAIVED. */
enum ck_outcome ck_checkin_finding(const struct ck_checkin *row,
                                   const struct ck_checkin_policy *policy, enum ck_cause *cause);

const char *ck_checkin_state_name(enum ck_checkin_state state);
const char *ck_checkin_phase_name(enum ck_checkin_phase phase);
const char *ck_checkin_kind_name(enum ck_checkin_kind kind);
const char *ck_evidence_name(enum ck_evidence evidence);
const char *ck_fault_name(enum ck_fault fault);
const char *ck_checkin_event_name(enum ck_checkin_event_kind kind);

#endif
