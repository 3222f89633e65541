/* The incident and its ladder: OPEN (step, round) → ACKNOWLEDGED → CLOSED. It does not rest until a
 * named person has taken it over, and does not end until a named person has concluded it with a
 * reason. Tables in scheduler/DESIGN.md.
 *
 * What holds: every state but CLOSED has a next_at; nothing but an acknowledgement or a conclusion
 * by a named person stops the ladder (receipts do not, E6); the last step repeats (of an overdue
 * review each time after twice the pause, at most CK_REVIEW_REPEAT_MAX_MS); a step that reaches
 * nobody is skipped at once and recorded against ourselves; a late timer fires one step, not a
 * replay. */
#ifndef SCHEDULER_INCIDENT_H
#define SCHEDULER_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/error.h"
#include "protocol/base/time.h"
#include "scheduler/effects.h"

#define CK_LADDER_STEPS_MAX 8
#define CK_STEP_TARGETS_MAX 4
#define CK_STEP_PEOPLE_MAX 8
#define CK_REVIEW_REPEAT_MAX_MS INT64_C(14400000) /* the rarest repeat about an overdue review */

enum ck_target_kind {
    CK_TARGET_NONE = 0,
    CK_TARGET_INSPECTOR,  /* assigned to the person */
    CK_TARGET_STAND_IN,   /* whoever stands in for the assigned inspector now */
    CK_TARGET_DUTY,       /* the duty officer of the unit now */
    CK_TARGET_SUPERVISOR, /* of the unit */
    CK_TARGET_NAMED,      /* `staff` of the target */
    CK_TARGET_COUNT,
};

struct ck_target {
    enum ck_target_kind kind;
    int64_t staff; /* for NAMED */
};

struct ck_ladder_step {
    uint32_t target_count;
    struct ck_target targets[CK_STEP_TARGETS_MAX];
    uint8_t channels[CK_CHANNELS_MAX]; /* enum ck_channel, best first */
    bool parallel;
    int64_t ack_timeout_ms; /* after a fire, until the next round or step */
    uint32_t
        rounds; /* fires of this step before the next one, at least 1; the last step ignores it */
    int64_t min_interval_ms; /* two fires of this step are never closer */
};

/* One version of a ladder. An incident keeps the version it was opened with (E2); people are
 * resolved when a step fires. */
struct ck_ladder {
    int64_t id; /* of this version */
    uint32_t step_count;
    struct ck_ladder_step steps[CK_LADDER_STEPS_MAX];
    int64_t ack_hold_ms;    /* an acknowledgement holds this long (default 30 min) */
    bool late_answer_calms; /* contact since: stop climbing, remind the first step; never in the top
                               band */
    int64_t calm_interval_ms; /* between those reminders */
    bool quiet_hours; /* a supervisor switched quiet hours on for incidents below HIGH (E10) */
};

/* Who the targets of each step are now, and how they can be reached: resolved by the engine when it
 * calls. A person who is absent or has none of the step's channels is not listed, or is listed with
 * channels 0. */
struct ck_ladder_person {
    int64_t staff;
    uint32_t channels; /* mask of CK_CHANNEL_BIT that this person can be reached on */
};

struct ck_ladder_roster {
    struct {
        uint32_t count;
        struct ck_ladder_person people[CK_STEP_PEOPLE_MAX];
    } steps[CK_LADDER_STEPS_MAX];
};

enum ck_incident_state {
    CK_INCIDENT_OPEN = 0,
    CK_INCIDENT_ACKNOWLEDGED,
    CK_INCIDENT_CLOSED,
    CK_INCIDENT_STATE_COUNT,
};

/* What a named officer makes of it. */
enum ck_conclusion {
    CK_CONCLUSION_NONE = 0,
    CK_CONCLUSION_REACHED,     /* the person was reached and is accounted for */
    CK_CONCLUSION_EXCUSED,     /* a good reason; the outcome stays */
    CK_CONCLUSION_BREACH,      /* only a named officer, with a reason */
    CK_CONCLUSION_TECHNICAL,   /* nobody's doing */
    CK_CONCLUSION_HANDED_OVER, /* to another unit or service, which has confirmed */
    CK_CONCLUSION_STAFF_DONE,  /* the staff matter behind it is settled */
    CK_CONCLUSION_SAFE,        /* safety row: the officer saw or spoke to the protected person */
    CK_CONCLUSION_NOT_SAFE,    /* safety row: help was sent */
    CK_CONCLUSION_NOT_FOUND,   /* safety row: could not be reached; what was done is in the text */
    CK_CONCLUSION_COUNT,
};

struct ck_incident {
    int64_t id;
    int64_t checkin; /* 0: none */
    int64_t person;  /* 0: none */
    enum ck_incident_kind kind;
    enum ck_severity severity;
    enum ck_band band;
    bool mandatory; /* of the check-in: a voluntary one can never be a breach */

    enum ck_incident_state state;
    uint32_t step;       /* to fire next */
    uint32_t round;      /* fires of that step so far in this climb */
    uint32_t fired;      /* fires so far: identity of outbox rows (notify.fire), never used twice */
    uint32_t fired_step; /* of the last fire */
    uint32_t unanswered; /* repeats of the last step */
    uint32_t lost;       /* mask of the steps whose fires reached nobody, since one did */

    struct ck_wall opened_at;
    struct ck_wall fired_at; /* last fire; 0: none */
    struct ck_wall next_at;  /* 0 only in CLOSED */

    int64_t acked_by; /* current or last holder; 0: never */
    struct ck_wall acked_at;
    bool calm; /* contact since, and the ladder's policy lets it rest */
    /* The end of the quiet hours that it waits for; 0: for none. Where the clock, the zone or the
     * ladder becomes another one it is due at once, and asked again whether it has to wait: as long
     * as before is no news. */
    struct ck_wall held_until;
    bool by_hand; /* a named person wants the next step now: quiet hours do not hold it */
    bool answered_late;
    bool reached;
    enum ck_outcome outcome; /* finding when opened, then the final one */
    bool outcome_final;

    int64_t concluded_by;
    enum ck_conclusion conclusion;
    struct ck_wall closed_at;
};

enum ck_incident_event_kind {
    CK_INCIDENT_TIMER = 0,     /* next_at has come; also the end of an acknowledgement */
    CK_INCIDENT_ACKNOWLEDGE,   /* by a named person */
    CK_INCIDENT_RELEASE,       /* the holder gives it back */
    CK_INCIDENT_ESCALATE,      /* a named person wants the next step now */
    CK_INCIDENT_UNREACHABLE,   /* nobody of the last fire can be reached on any channel */
    CK_INCIDENT_REACHED,       /* contact with the person by another way or a make-up */
    CK_INCIDENT_LATE_ANSWER,   /* the check-in itself was answered late (CK_NEWS_ANSWERED_LATE) */
    CK_INCIDENT_OUTCOME_KNOWN, /* the check-in is over (CK_NEWS_OUTCOME) */
    CK_INCIDENT_NOTE,
    CK_INCIDENT_CONCLUDE, /* by a named person with a reason */
    CK_INCIDENT_BANDED,   /* the person's band is another one: only a higher one is taken over */
    CK_INCIDENT_SILENT_AGAIN, /* the person is silent too long once more, after the contact that let
                                 the incident rest */
    CK_INCIDENT_EVENT_COUNT,
};

struct ck_incident_event {
    enum ck_incident_event_kind kind;
    /* TIMER: who is there now. Never NULL for TIMER; not looked at otherwise. */
    const struct ck_ladder_roster *roster;
    bool storm;                 /* TIMER: many incidents at once: merge into digests (storm.h) */
    struct ck_wall quiet_until; /* TIMER: end of the quiet hours it is in; 0: none */
    int64_t staff;              /* ACKNOWLEDGE, RELEASE, ESCALATE, NOTE, CONCLUDE: who; never 0 */
    /* ACKNOWLEDGE, CONCLUDE: who holds the incident beside this one (of the same check-in, safety
     * against no contact); 0 nobody. The two must be different people. */
    int64_t beside;
    uint32_t fire;   /* UNREACHABLE: which fire (notify.fire); others are out of date and ignored */
    int64_t checkin; /* REACHED: by which check-in; 0: other ways */
    enum ck_outcome outcome;       /* OUTCOME_KNOWN */
    enum ck_conclusion conclusion; /* CONCLUDE */
    bool has_reason;               /* CONCLUDE: a text is given */
    enum ck_band band;             /* BANDED */
    bool safety_check; /* BANDED: open the safety row where the top band is reached without contact
                        */
};

/* Starts a row whose ids, band and mandatory are set, from the effect that opened it. */
void ck_incident_begin(struct ck_incident *row, const struct ck_effect_incident *effect,
                       struct ck_wall now);

/* Decides one event; the same promises as ck_checkin_step(). Requests are refused with
 * CK_E_CONFLICT (closed; not the holder; outcome not final; an overdue review that is not there
 * yet), CK_E_DENIED (the same officer on both
 * sides) or CK_E_INVALID (nobody named, no reason, a conclusion that this incident cannot have:
 * BREACH of a voluntary check-in or of an outcome that never counts against the person; a safety
 * row without a result). */
int ck_incident_step(const struct ck_incident *row, const struct ck_incident_event *event,
                     const struct ck_ladder *ladder, struct ck_wall now, struct ck_incident *next,
                     struct ck_effects *effects);

/* A ladder to start with: inspector and stand-in (console, e-mail, push) → duty officer (console,
 * SMS, voice) → supervisor (all at once), 15 minutes a step, 5 in the top band. */
struct ck_ladder ck_ladder_default(enum ck_band band);

/* NULL where the ladder is sound; otherwise the name of the first field that is not. Whether it
 * reaches anybody is asked with lint.h. */
const char *ck_ladder_fault(const struct ck_ladder *ladder);

const char *ck_incident_state_name(enum ck_incident_state state);
const char *ck_incident_event_name(enum ck_incident_event_kind kind);
const char *ck_conclusion_name(enum ck_conclusion conclusion);
const char *ck_target_kind_name(enum ck_target_kind kind);

#endif
