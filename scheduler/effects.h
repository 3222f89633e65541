/* Effects: what a decision wants done, as values. A step function fills a list; the engine writes
 * the rows, the audit records and the effects in one transaction and acts only after the commit.
 *
 * Identity: an effect is repeated after a crash, so each one carries what makes its repetition
 * recognisable (attempt; number of the fire). Nothing here points anywhere: a list may be copied
 * and stored. */
#ifndef SCHEDULER_EFFECTS_H
#define SCHEDULER_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/time.h"

/* The most effects one decision can have. A step that wanted more would be a mistake of ours and is
 * asserted against; the tests walk every pair of state and event. */
#define CK_EFFECTS_MAX 40

/* Ways to reach somebody. One file each in the daemon; here only names. */
enum ck_channel {
    CK_CHANNEL_NONE = 0,
    CK_CHANNEL_CONSOLE,
    CK_CHANNEL_EMAIL,
    CK_CHANNEL_WEBHOOK,
    CK_CHANNEL_SMS,
    CK_CHANNEL_VOICE,
    CK_CHANNEL_WEB_PUSH,
    CK_CHANNEL_COUNT,
};

/* A set of channels is a mask of these bits. */
#define CK_CHANNEL_BIT(channel) (UINT32_C(1) << (channel))

/* An ordered list of channels; CK_CHANNEL_NONE fills what is not used. */
#define CK_CHANNELS_MAX 6

/* Bands of the risk score, lowest first. CK_BAND_UNSCORED: not eligible or not scored. CK_BAND_TOP
 * also holds persons whose bounds reach it (odara.h). */
enum ck_band {
    CK_BAND_UNSCORED = 0,
    CK_BAND_0,
    CK_BAND_1,
    CK_BAND_2,
    CK_BAND_3,
    CK_BAND_4,
    CK_BAND_5_6,
    CK_BAND_7_13,
    CK_BAND_COUNT,
    CK_BAND_TOP = CK_BAND_7_13,
};

/* What happened in a check-in (DESIGN.md section 3). OPEN: not over yet. */
enum ck_outcome {
    CK_OUTCOME_OPEN = 0,
    CK_OUTCOME_COMPLETED,
    CK_OUTCOME_LATE,
    CK_OUTCOME_DECLINED,
    CK_OUTCOME_NO_ANSWER,
    CK_OUTCOME_PERSON_FAULT,
    CK_OUTCOME_COULD_NOT_CONNECT,
    CK_OUTCOME_IDENTITY_DOUBT,
    CK_OUTCOME_SYSTEM_FAULT,
    CK_OUTCOME_UNSTAFFED,
    CK_OUTCOME_WAIVED,
    CK_OUTCOME_COUNT,
};

/* Whether an outcome may ever be held against the person. */
enum ck_attribution {
    CK_ATTRIBUTION_NONE = 0, /* contact made: nothing to hold */
    CK_ATTRIBUTION_LATE,     /* contact made: shown as late */
    CK_ATTRIBUTION_OFFICER,  /* a named officer concludes; the system does not */
    CK_ATTRIBUTION_NEVER,    /* never against the person */
};

/* Why an outcome is what it is: the deciding fact. */
enum ck_cause {
    CK_CAUSE_NONE = 0,
    CK_CAUSE_CONTACT,           /* accepted contact */
    CK_CAUSE_CONTACT_ELSEWHERE, /* accepted contact in another check-in of the same person */
    CK_CAUSE_DECLINED,          /* the person said no */
    CK_CAUSE_NOBODY_CAME,
    CK_CAUSE_CAMERA_DENIED,
    CK_CAUSE_NO_CAMERA,
    CK_CAUSE_NO_WEBRTC,
    CK_CAUSE_CLOSED_ON_PURPOSE,
    CK_CAUSE_MEDIA_FAILED,   /* opened by a tap, then no media; cause unproven */
    CK_CAUSE_UNUSABLE,       /* recorded or seen, but nothing could be made out */
    CK_CAUSE_DOUBT,          /* a human says it is not the person */
    CK_CAUSE_NOT_ANSWERABLE, /* too little answerable time */
    CK_CAUSE_NOTICE_REFUSED, /* no channel accepted the notice */
    CK_CAUSE_OUR_FAULT,      /* a fault of ours touched this person's attempt */
    CK_CAUSE_DOWN,           /* it fell due while we could not run it and could not be caught up */
    CK_CAUSE_OVERLAPPED,     /* another check-in of the person went on until no room was left */
    CK_CAUSE_NO_INSPECTOR, /* the person came, no inspector did, and no unattended part could follow
                            */
    CK_CAUSE_WAIVED_COURT,
    CK_CAUSE_WAIVED_HOSPITAL,
    CK_CAUSE_WAIVED_CUSTODY,
    CK_CAUSE_WAIVED_ABSENCE,
    CK_CAUSE_WAIVED_ORDER_ENDED,
    CK_CAUSE_WAIVED_PLAN_CHANGED,
    CK_CAUSE_WAIVED_BLACKOUT, /* blackouts left no room for it (S8) */
    CK_CAUSE_WAIVED_NO_ROOM,  /* the minimum gap left no room for it (S6) */
    CK_CAUSE_COUNT,
};

enum ck_incident_kind {
    CK_INCIDENT_NO_CONTACT = 0, /* a mandatory check-in without accepted contact */
    CK_INCIDENT_SILENCE,        /* no accepted contact for longer than the maximum silence */
    CK_INCIDENT_REVIEW_OVERDUE, /* a staff matter: a recording waits too long for its review */
    CK_INCIDENT_SAFETY,         /* a second officer looks after the victim; restricted */
    CK_INCIDENT_STAFF,          /* a ladder reached nobody, a check-in had no inspector */
    CK_INCIDENT_SYSTEM,         /* a fault of ours that a human must look at */
    CK_INCIDENT_CONCERN,        /* an inspector pressed the concern button; restricted */
    CK_INCIDENT_KIND_COUNT,
};

enum ck_severity {
    CK_SEVERITY_LOW = 0,
    CK_SEVERITY_NORMAL,
    CK_SEVERITY_HIGH,
    CK_SEVERITY_TOP,
};

/* Which words a notice is made of; the words are data of the daemon, in three languages. */
enum ck_template {
    CK_TEMPLATE_RING = 0,       /* to the person: a scheduled call now */
    CK_TEMPLATE_INCIDENT,       /* to staff: an incident needs you */
    CK_TEMPLATE_ACK_EXPIRED,    /* to staff: you took it over; it is still open */
    CK_TEMPLATE_ANSWERED_LATE,  /* to staff: contact has been made since; please conclude */
    CK_TEMPLATE_REVIEW_OVERDUE, /* to staff: it waits too long */
    CK_TEMPLATE_FORM_DUE,       /* to the inspector: the call is over, its result is missing */
    CK_TEMPLATE_DIGEST,         /* to staff: several incidents at once */
    CK_TEMPLATE_CONTACT_TEST,   /* to anybody: can you still be reached? */
    CK_TEMPLATE_HOLD_REVIEW,    /* to supervisors: a legal hold is to be reviewed */
    CK_TEMPLATE_CASE_OPENED,    /* to supervisors: a case outside the own caseload was opened */
    CK_TEMPLATE_COUNT,
};

/* Facts that become audit records. Each names what happened, never what to think of it. `value` of
 * the effect is given in brackets. */
enum ck_fact {
    CK_FACT_ARMED = 0,
    CK_FACT_DELAYED,      /* started later than due [ms late] */
    CK_FACT_CAUGHT_UP,    /* run after an outage [ms late] */
    CK_FACT_DEFERRED,     /* waits for another check-in of the person to end [its id] */
    CK_FACT_EVIDENCE,     /* a piece of evidence arrived [enum ck_evidence] */
    CK_FACT_FAULT,        /* a fault of ours touched it [mask of enum ck_fault bits] */
    CK_FACT_JOINED,       /* the person is in the room [attempt] */
    CK_FACT_INSPECTOR_IN, /* [staff id] */
    CK_FACT_NO_INSPECTOR, /* nobody answered in time [ms waited] */
    CK_FACT_CALL_LOST,    /* [how often so far] */
    CK_FACT_CALL_OVER,    /* the call reached its longest duration [ms] */
    CK_FACT_FORM_MISSING, /* no result was given in time: goes to review */
    CK_FACT_CHALLENGE_DONE,
    CK_FACT_CHALLENGE_CUT, /* the unattended part reached its longest duration */
    CK_FACT_REVIEW_OVERDUE,
    CK_FACT_MISSED,         /* grace is over without contact [enum ck_outcome it would be] */
    CK_FACT_MOVED,          /* due time changed before it was armed [old due, ms] */
    CK_FACT_AFTER_END,      /* something came in after the outcome [event kind] */
    CK_FACT_STEP_FIRED,     /* ladder step [step << 32 | number of the fire] */
    CK_FACT_STEP_SKIPPED,   /* ladder step without a reachable target [step] */
    CK_FACT_LADDER_WRAPPED, /* the ladder fell back to a lower step, for none above can be reached
                               [step] */
    CK_FACT_ACKNOWLEDGED,   /* [staff id] */
    CK_FACT_ACK_EXPIRED,    /* [staff id] */
    CK_FACT_ACK_RELEASED,   /* [staff id] */
    CK_FACT_UNANSWERED,     /* the last step repeats [how often so far] */
    CK_FACT_ESCALATED_BY_HAND, /* [staff id] */
    CK_FACT_REACHED,           /* contact with the person outside the check-in [check-in id or 0] */
    CK_FACT_ANSWERED_LATE,
    CK_FACT_OUTCOME_KNOWN,   /* the check-in's final outcome [enum ck_outcome] */
    CK_FACT_NOTE,            /* [staff id] */
    CK_FACT_CONCLUDED,       /* [enum ck_conclusion] */
    CK_FACT_HELD,            /* a fire was held back [until, ms] */
    CK_FACT_NOTICE_DELAYED,  /* a limit delays a notice [until, ms] */
    CK_FACT_NOTICE_REPEATED, /* unknown fate: sent again under the same reference [try] */
    CK_FACT_NOTICE_STATE,    /* [enum ck_notice_state] */
    CK_FACT_SILENCE,         /* maximum silence exceeded [ms since last contact] */
    CK_FACT_STORM,           /* many incidents at once: digests begin [opened in the window] */
    CK_FACT_STORM_OVER,      /* [ms it lasted] */
    CK_FACT_BANDED,          /* the person's band rose after it began [enum ck_band] */
    CK_FACT_SILENT_AGAIN,    /* too long once more while the incident of the last time is open */
    CK_FACT_ORDER_OVER,      /* the order ended during the call: it is voluntary from here on */
    CK_FACT_COUNT,
};

/* Facts that the check-in tells its own incident, which was opened before the check-in was over. */
enum ck_incident_news {
    CK_NEWS_ANSWERED_LATE = 0,
    CK_NEWS_OUTCOME,
};

enum ck_effect_kind {
    /* Ring the person on their channels: attempt `ring.attempt`. At most once per (check-in,
       attempt). */
    CK_EFFECT_RING = 0,
    /* Take back notices of this check-in that have not left yet; stop signals on the person's page.
     */
    CK_EFFECT_STOP_RINGING,
    /* Ring the inspector's console (and stand-ins'): the person waits in the room. */
    CK_EFFECT_CONSOLE_RING,
    CK_EFFECT_CONSOLE_QUIET,
    /* Start the challenges on the person's page and the recording. */
    CK_EFFECT_START_UNATTENDED,
    /* End all legs of the call. */
    CK_EFFECT_END_CALL,
    /* Put the check-in into the review queue with this deadline. */
    CK_EFFECT_REVIEW,
    /* The check-in's one terminal outcome. */
    CK_EFFECT_OUTCOME,
    /* Insert an incident row (ck_incident_open() in incident.h), with the person's case thread. */
    CK_EFFECT_OPEN_INCIDENT,
    /* Insert the safety row beside a top-band incident: another officer, own ladder, restricted.
     * Not counted as a second incident of the check-in. */
    CK_EFFECT_OPEN_SAFETY,
    /* Feed the check-in's NO_CONTACT and REVIEW_OVERDUE incidents the event that `news` names. */
    CK_EFFECT_INCIDENT_NEWS,
    /* Accepted contact with the person. Feed CK_CHECKIN_CONTACT_ELSEWHERE to the other check-ins of
     * this person that are RINGING, wait in ARMED, or are make-ups; CK_INCIDENT_REACHED to the open
     * NO_CONTACT and SILENCE incidents of this person that belong to other check-ins;
     * CK_SILENCE_CONTACT (silence.h) to the plan. */
    CK_EFFECT_CONTACT,
    /* Insert one make-up of this check-in, placed by ck_make_up_place() in plan.h from the policy's
     * make_up_delay_ms on, within the same hours and caps. */
    CK_EFFECT_MAKE_UP,
    /* Insert outbox rows for one member of staff; see struct ck_effect_notify. */
    CK_EFFECT_NOTIFY,
    /* Record against ourselves: nobody on duty, unreachable, not answered in time. */
    CK_EFFECT_STAFF_FAULT,
    /* The ladder reaches nobody at all: alarm every console of the unit, the operator and the
       metrics. */
    CK_EFFECT_ALARM,
    /* Notices: hand the bytes to the channel now, under the notice's own reference. */
    CK_EFFECT_SEND,
    /* Notices: insert the sibling row on the next channel of the list. */
    CK_EFFECT_NEXT_CHANNEL,
    /* Notices: this one has failed for good and has no channel left. Where no other notice of the
     * same fire is alive or has arrived, feed the incident CK_INCIDENT_UNREACHABLE. */
    CK_EFFECT_UNREACHABLE,
    /* Append a record to the audit log. */
    CK_EFFECT_AUDIT,
    CK_EFFECT_KIND_COUNT,
};

/* The engine leaves out channels that this person does not have. */
struct ck_effect_notify {
    int64_t staff;                     /* whom */
    uint8_t channels[CK_CHANNELS_MAX]; /* enum ck_channel, best first */
    bool parallel; /* all channels at once; otherwise the first, and the next where it fails */
    bool digest;   /* storm: merge into the recipient's next digest, ordered by severity */
    enum ck_template template;
    uint32_t step;
    uint32_t fire;           /* with staff and channel the identity of the outbox row (E5) */
    struct ck_wall deadline; /* after this the next ladder step has fired */
};

struct ck_effect_incident {
    enum ck_incident_kind kind;
    enum ck_severity severity;
    enum ck_outcome finding; /* what the check-in is, or would be if nobody comes late */
    enum ck_cause cause;
    struct ck_wall first_step_at;
};

struct ck_effect {
    enum ck_effect_kind kind;
    union {
        struct {
            uint32_t attempt; /* from 1 */
        } ring;
        struct {
            struct ck_wall by;
        } review;
        struct {
            enum ck_outcome outcome;
            enum ck_attribution attribution;
            enum ck_cause cause;
        } outcome;
        struct ck_effect_incident incident; /* OPEN_INCIDENT, OPEN_SAFETY */
        struct {
            enum ck_incident_news news;
            enum ck_outcome outcome;
        } incident_news;
        struct ck_effect_notify notify;
        struct {
            enum ck_cause cause;
            int64_t staff; /* 0: nobody in particular */
            uint32_t step;
        } staff_fault;
        struct {
            uint32_t tries;          /* of this send, from 1 */
            bool possible_duplicate; /* say so in the message: an earlier try's fate is unknown */
        } send;
        struct {
            enum ck_channel channel;
        } next_channel;
        struct {
            enum ck_fact fact;
            int64_t value;
        } audit;
    };
};

struct ck_effects {
    uint32_t count;
    struct ck_effect items[CK_EFFECTS_MAX];
};

/* Names used in SQL, wire, log and pages: lower case, words joined by "_". NULL outside the
 * enumeration. */
const char *ck_channel_name(enum ck_channel channel);
const char *ck_band_name(enum ck_band band);
const char *ck_outcome_name(enum ck_outcome outcome);
const char *ck_cause_name(enum ck_cause cause);
const char *ck_incident_kind_name(enum ck_incident_kind kind);
const char *ck_severity_name(enum ck_severity severity);
const char *ck_template_name(enum ck_template template);
const char *ck_fact_name(enum ck_fact fact);
const char *ck_effect_kind_name(enum ck_effect_kind kind);

/* How grave an incident of this kind is for a person of this band; NORMAL of kinds that do not ask
 * for the band. */
enum ck_severity ck_incident_severity(enum ck_incident_kind kind, enum ck_band band);

enum ck_attribution ck_outcome_attribution(enum ck_outcome outcome);

/* Whether contact was made and accepted: COMPLETED and LATE. */
bool ck_outcome_is_contact(enum ck_outcome outcome);

#endif
