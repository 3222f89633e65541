/* The words of the enumerations, as they stand in SQL, on the wire, in the log and in the tests'
 * tables. */
#include <stddef.h>

#include "scheduler/checkin.h"
#include "scheduler/effects.h"
#include "scheduler/incident.h"
#include "scheduler/notice.h"

#define NAME_OF(names, value)                                                                      \
    ((size_t)(value) < sizeof(names) / sizeof((names)[0]) ? (names)[value] : NULL)

static const char *const channel_names[] = {
    [CK_CHANNEL_NONE] = "none",         [CK_CHANNEL_CONSOLE] = "console",
    [CK_CHANNEL_EMAIL] = "email",       [CK_CHANNEL_WEBHOOK] = "webhook",
    [CK_CHANNEL_SMS] = "sms",           [CK_CHANNEL_VOICE] = "voice",
    [CK_CHANNEL_WEB_PUSH] = "web_push",
};

const char *ck_channel_name(enum ck_channel channel)
{
    return NAME_OF(channel_names, channel);
}

static const char *const band_names[] = {
    [CK_BAND_UNSCORED] = "unscored",
    [CK_BAND_0] = "0",
    [CK_BAND_1] = "1",
    [CK_BAND_2] = "2",
    [CK_BAND_3] = "3",
    [CK_BAND_4] = "4",
    [CK_BAND_5_6] = "5_6",
    [CK_BAND_7_13] = "7_13",
};

const char *ck_band_name(enum ck_band band)
{
    return NAME_OF(band_names, band);
}

static const char *const outcome_names[] = {
    [CK_OUTCOME_OPEN] = "open",
    [CK_OUTCOME_COMPLETED] = "completed",
    [CK_OUTCOME_LATE] = "late",
    [CK_OUTCOME_DECLINED] = "declined",
    [CK_OUTCOME_NO_ANSWER] = "no_answer",
    [CK_OUTCOME_PERSON_FAULT] = "person_fault",
    [CK_OUTCOME_COULD_NOT_CONNECT] = "could_not_connect",
    [CK_OUTCOME_IDENTITY_DOUBT] = "identity_doubt",
    [CK_OUTCOME_SYSTEM_FAULT] = "system_fault",
    [CK_OUTCOME_UNSTAFFED] = "unstaffed",
    [CK_OUTCOME_WAIVED] = "waived",
};

const char *ck_outcome_name(enum ck_outcome outcome)
{
    return NAME_OF(outcome_names, outcome);
}

static const char *const cause_names[] = {
    [CK_CAUSE_NONE] = "none",
    [CK_CAUSE_CONTACT] = "contact",
    [CK_CAUSE_CONTACT_ELSEWHERE] = "contact_elsewhere",
    [CK_CAUSE_DECLINED] = "declined",
    [CK_CAUSE_NOBODY_CAME] = "nobody_came",
    [CK_CAUSE_CAMERA_DENIED] = "camera_denied",
    [CK_CAUSE_NO_CAMERA] = "no_camera",
    [CK_CAUSE_NO_WEBRTC] = "no_webrtc",
    [CK_CAUSE_CLOSED_ON_PURPOSE] = "closed_on_purpose",
    [CK_CAUSE_MEDIA_FAILED] = "media_failed",
    [CK_CAUSE_UNUSABLE] = "unusable",
    [CK_CAUSE_DOUBT] = "doubt",
    [CK_CAUSE_NOT_ANSWERABLE] = "not_answerable",
    [CK_CAUSE_NOTICE_REFUSED] = "notice_refused",
    [CK_CAUSE_OUR_FAULT] = "our_fault",
    [CK_CAUSE_DOWN] = "down",
    [CK_CAUSE_OVERLAPPED] = "overlapped",
    [CK_CAUSE_NO_INSPECTOR] = "no_inspector",
    [CK_CAUSE_WAIVED_COURT] = "waived_court",
    [CK_CAUSE_WAIVED_HOSPITAL] = "waived_hospital",
    [CK_CAUSE_WAIVED_CUSTODY] = "waived_custody",
    [CK_CAUSE_WAIVED_ABSENCE] = "waived_absence",
    [CK_CAUSE_WAIVED_ORDER_ENDED] = "waived_order_ended",
    [CK_CAUSE_WAIVED_PLAN_CHANGED] = "waived_plan_changed",
    [CK_CAUSE_WAIVED_BLACKOUT] = "waived_blackout",
    [CK_CAUSE_WAIVED_NO_ROOM] = "waived_no_room",
};

const char *ck_cause_name(enum ck_cause cause)
{
    return NAME_OF(cause_names, cause);
}

static const char *const incident_kind_names[] = {
    [CK_INCIDENT_NO_CONTACT] = "no_contact",
    [CK_INCIDENT_SILENCE] = "silence",
    [CK_INCIDENT_REVIEW_OVERDUE] = "review_overdue",
    [CK_INCIDENT_SAFETY] = "safety",
    [CK_INCIDENT_STAFF] = "staff",
    [CK_INCIDENT_SYSTEM] = "system",
    [CK_INCIDENT_CONCERN] = "concern",
};

const char *ck_incident_kind_name(enum ck_incident_kind kind)
{
    return NAME_OF(incident_kind_names, kind);
}

static const char *const severity_names[] = {
    [CK_SEVERITY_LOW] = "low",
    [CK_SEVERITY_NORMAL] = "normal",
    [CK_SEVERITY_HIGH] = "high",
    [CK_SEVERITY_TOP] = "top",
};

const char *ck_severity_name(enum ck_severity severity)
{
    return NAME_OF(severity_names, severity);
}

static const char *const template_names[] = {
    [CK_TEMPLATE_RING] = "ring",
    [CK_TEMPLATE_INCIDENT] = "incident",
    [CK_TEMPLATE_ACK_EXPIRED] = "ack_expired",
    [CK_TEMPLATE_ANSWERED_LATE] = "answered_late",
    [CK_TEMPLATE_REVIEW_OVERDUE] = "review_overdue",
    [CK_TEMPLATE_FORM_DUE] = "form_due",
    [CK_TEMPLATE_DIGEST] = "digest",
    [CK_TEMPLATE_CONTACT_TEST] = "contact_test",
    [CK_TEMPLATE_HOLD_REVIEW] = "hold_review",
    [CK_TEMPLATE_CASE_OPENED] = "case_opened",
};

const char *ck_template_name(enum ck_template template)
{
    return NAME_OF(template_names, template);
}

static const char *const fact_names[] = {
    [CK_FACT_ARMED] = "armed",
    [CK_FACT_DELAYED] = "delayed",
    [CK_FACT_CAUGHT_UP] = "caught_up",
    [CK_FACT_DEFERRED] = "deferred",
    [CK_FACT_EVIDENCE] = "evidence",
    [CK_FACT_FAULT] = "fault",
    [CK_FACT_JOINED] = "joined",
    [CK_FACT_INSPECTOR_IN] = "inspector_in",
    [CK_FACT_NO_INSPECTOR] = "no_inspector",
    [CK_FACT_CALL_LOST] = "call_lost",
    [CK_FACT_CALL_OVER] = "call_over",
    [CK_FACT_FORM_MISSING] = "form_missing",
    [CK_FACT_CHALLENGE_DONE] = "challenge_done",
    [CK_FACT_CHALLENGE_CUT] = "challenge_cut",
    [CK_FACT_REVIEW_OVERDUE] = "review_overdue",
    [CK_FACT_MISSED] = "missed",
    [CK_FACT_MOVED] = "moved",
    [CK_FACT_AFTER_END] = "after_end",
    [CK_FACT_STEP_FIRED] = "step_fired",
    [CK_FACT_STEP_SKIPPED] = "step_skipped",
    [CK_FACT_LADDER_WRAPPED] = "ladder_wrapped",
    [CK_FACT_ACKNOWLEDGED] = "acknowledged",
    [CK_FACT_ACK_EXPIRED] = "ack_expired",
    [CK_FACT_ACK_RELEASED] = "ack_released",
    [CK_FACT_UNANSWERED] = "unanswered",
    [CK_FACT_ESCALATED_BY_HAND] = "escalated_by_hand",
    [CK_FACT_REACHED] = "reached",
    [CK_FACT_ANSWERED_LATE] = "answered_late",
    [CK_FACT_OUTCOME_KNOWN] = "outcome_known",
    [CK_FACT_NOTE] = "note",
    [CK_FACT_CONCLUDED] = "concluded",
    [CK_FACT_HELD] = "held",
    [CK_FACT_NOTICE_DELAYED] = "notice_delayed",
    [CK_FACT_NOTICE_REPEATED] = "notice_repeated",
    [CK_FACT_NOTICE_STATE] = "notice_state",
    [CK_FACT_SILENCE] = "silence",
    [CK_FACT_STORM] = "storm",
    [CK_FACT_STORM_OVER] = "storm_over",
    [CK_FACT_BANDED] = "banded",
    [CK_FACT_SILENT_AGAIN] = "silent_again",
    [CK_FACT_ORDER_OVER] = "order_over",
};

const char *ck_fact_name(enum ck_fact fact)
{
    return NAME_OF(fact_names, fact);
}

static const char *const effect_kind_names[] = {
    [CK_EFFECT_RING] = "ring",
    [CK_EFFECT_STOP_RINGING] = "stop_ringing",
    [CK_EFFECT_CONSOLE_RING] = "console_ring",
    [CK_EFFECT_CONSOLE_QUIET] = "console_quiet",
    [CK_EFFECT_START_UNATTENDED] = "start_unattended",
    [CK_EFFECT_END_CALL] = "end_call",
    [CK_EFFECT_REVIEW] = "review",
    [CK_EFFECT_OUTCOME] = "outcome",
    [CK_EFFECT_OPEN_INCIDENT] = "open_incident",
    [CK_EFFECT_OPEN_SAFETY] = "open_safety",
    [CK_EFFECT_INCIDENT_NEWS] = "incident_news",
    [CK_EFFECT_CONTACT] = "contact",
    [CK_EFFECT_MAKE_UP] = "make_up",
    [CK_EFFECT_NOTIFY] = "notify",
    [CK_EFFECT_STAFF_FAULT] = "staff_fault",
    [CK_EFFECT_ALARM] = "alarm",
    [CK_EFFECT_SEND] = "send",
    [CK_EFFECT_NEXT_CHANNEL] = "next_channel",
    [CK_EFFECT_UNREACHABLE] = "unreachable",
    [CK_EFFECT_AUDIT] = "audit",
};

const char *ck_effect_kind_name(enum ck_effect_kind kind)
{
    return NAME_OF(effect_kind_names, kind);
}

static const char *const checkin_state_names[] = {
    [CK_CHECKIN_PLANNED] = "planned",
    [CK_CHECKIN_ARMED] = "armed",
    [CK_CHECKIN_RINGING] = "ringing",
    [CK_CHECKIN_CONNECTED] = "connected",
    [CK_CHECKIN_AWAITING_REVIEW] = "awaiting_review",
    [CK_CHECKIN_DONE] = "done",
};

const char *ck_checkin_state_name(enum ck_checkin_state state)
{
    return NAME_OF(checkin_state_names, state);
}

static const char *const checkin_phase_names[] = {
    [CK_PHASE_NONE] = "none",       [CK_PHASE_WAITING] = "waiting",
    [CK_PHASE_IN_CALL] = "in_call", [CK_PHASE_CHALLENGE] = "challenge",
    [CK_PHASE_FORM] = "form",
};

const char *ck_checkin_phase_name(enum ck_checkin_phase phase)
{
    return NAME_OF(checkin_phase_names, phase);
}

static const char *const checkin_kind_names[] = {
    [CK_KIND_LIVE] = "live",
    [CK_KIND_UNATTENDED] = "unattended",
    [CK_KIND_ON_DEMAND] = "on_demand",
    [CK_KIND_INBOUND] = "inbound",
};

const char *ck_checkin_kind_name(enum ck_checkin_kind kind)
{
    return NAME_OF(checkin_kind_names, kind);
}

static const char *const evidence_names[] = {
    [CK_EVIDENCE_NOTICE_ACCEPTED] = "notice_accepted",
    [CK_EVIDENCE_NOTICE_DELIVERED] = "notice_delivered",
    [CK_EVIDENCE_NOTICE_READ] = "notice_read",
    [CK_EVIDENCE_NOTICE_FAILED] = "notice_failed",
    [CK_EVIDENCE_LINK_FETCHED] = "link_fetched",
    [CK_EVIDENCE_PAGE_OPENED] = "page_opened",
    [CK_EVIDENCE_OTHER_DEVICE] = "other_device",
    [CK_EVIDENCE_RIGHTS_READ] = "rights_read",
    [CK_EVIDENCE_PERMISSION_ASKED] = "permission_asked",
    [CK_EVIDENCE_PERMISSION_GRANTED] = "permission_granted",
    [CK_EVIDENCE_CAMERA_DENIED] = "camera_denied",
    [CK_EVIDENCE_NO_CAMERA] = "no_camera",
    [CK_EVIDENCE_NO_WEBRTC] = "no_webrtc",
    [CK_EVIDENCE_CLOSED_ON_PURPOSE] = "closed_on_purpose",
    [CK_EVIDENCE_JOINED] = "joined",
    [CK_EVIDENCE_ICE_CONNECTED] = "ice_connected",
    [CK_EVIDENCE_ICE_FAILED] = "ice_failed",
    [CK_EVIDENCE_DTLS_CONNECTED] = "dtls_connected",
    [CK_EVIDENCE_DTLS_FAILED] = "dtls_failed",
    [CK_EVIDENCE_FIRST_AUDIO] = "first_audio",
    [CK_EVIDENCE_FIRST_FRAME] = "first_frame",
    [CK_EVIDENCE_CAMERA_STOPPED] = "camera_stopped",
    [CK_EVIDENCE_MEDIA_LOST] = "media_lost",
    [CK_EVIDENCE_INSPECTOR_IN] = "inspector_in",
    [CK_EVIDENCE_CHALLENGE_STARTED] = "challenge_started",
    [CK_EVIDENCE_CHALLENGE_DONE] = "challenge_done",
    [CK_EVIDENCE_PRIVACY_PAUSE] = "privacy_pause",
};

const char *ck_evidence_name(enum ck_evidence evidence)
{
    return NAME_OF(evidence_names, evidence);
}

static const char *const fault_names[] = {
    [CK_FAULT_NO_WORKER] = "no_worker",
    [CK_FAULT_WORKER_LOST] = "worker_lost",
    [CK_FAULT_SIGNALLING] = "signalling",
    [CK_FAULT_RELAY] = "relay",
    [CK_FAULT_CLOCK] = "clock",
    [CK_FAULT_STORE] = "store",
    [CK_FAULT_QUARANTINED] = "quarantined",
};

const char *ck_fault_name(enum ck_fault fault)
{
    return NAME_OF(fault_names, fault);
}

static const char *const checkin_event_names[] = {
    [CK_CHECKIN_TIMER] = "timer",
    [CK_CHECKIN_FACT] = "fact",
    [CK_CHECKIN_FAULT] = "fault",
    [CK_CHECKIN_ANSWERABLE] = "answerable",
    [CK_CHECKIN_JOINED] = "joined",
    [CK_CHECKIN_INBOUND] = "inbound",
    [CK_CHECKIN_INSPECTOR_ANSWERED] = "inspector_answered",
    [CK_CHECKIN_NO_INSPECTOR] = "no_inspector",
    [CK_CHECKIN_CHALLENGE_FINISHED] = "challenge_finished",
    [CK_CHECKIN_DECLINED] = "declined",
    [CK_CHECKIN_LEFT] = "left",
    [CK_CHECKIN_CALL_LOST] = "call_lost",
    [CK_CHECKIN_ENDED] = "ended",
    [CK_CHECKIN_REVIEWED] = "reviewed",
    [CK_CHECKIN_WAIVED] = "waived",
    [CK_CHECKIN_MOVED] = "moved",
    [CK_CHECKIN_CONTACT_ELSEWHERE] = "contact_elsewhere",
    [CK_CHECKIN_CALL_OVER] = "call_over",
    [CK_CHECKIN_BANDED] = "banded",
};

const char *ck_checkin_event_name(enum ck_checkin_event_kind kind)
{
    return NAME_OF(checkin_event_names, kind);
}

static const char *const incident_state_names[] = {
    [CK_INCIDENT_OPEN] = "open",
    [CK_INCIDENT_ACKNOWLEDGED] = "acknowledged",
    [CK_INCIDENT_CLOSED] = "closed",
};

const char *ck_incident_state_name(enum ck_incident_state state)
{
    return NAME_OF(incident_state_names, state);
}

static const char *const incident_event_names[] = {
    [CK_INCIDENT_TIMER] = "timer",
    [CK_INCIDENT_ACKNOWLEDGE] = "acknowledge",
    [CK_INCIDENT_RELEASE] = "release",
    [CK_INCIDENT_ESCALATE] = "escalate",
    [CK_INCIDENT_UNREACHABLE] = "unreachable",
    [CK_INCIDENT_REACHED] = "reached",
    [CK_INCIDENT_LATE_ANSWER] = "late_answer",
    [CK_INCIDENT_OUTCOME_KNOWN] = "outcome_known",
    [CK_INCIDENT_NOTE] = "note",
    [CK_INCIDENT_CONCLUDE] = "conclude",
    [CK_INCIDENT_BANDED] = "banded",
    [CK_INCIDENT_SILENT_AGAIN] = "silent_again",
};

const char *ck_incident_event_name(enum ck_incident_event_kind kind)
{
    return NAME_OF(incident_event_names, kind);
}

static const char *const conclusion_names[] = {
    [CK_CONCLUSION_NONE] = "none",
    [CK_CONCLUSION_REACHED] = "reached",
    [CK_CONCLUSION_EXCUSED] = "excused",
    [CK_CONCLUSION_BREACH] = "breach",
    [CK_CONCLUSION_TECHNICAL] = "technical",
    [CK_CONCLUSION_HANDED_OVER] = "handed_over",
    [CK_CONCLUSION_STAFF_DONE] = "staff_done",
    [CK_CONCLUSION_SAFE] = "safe",
    [CK_CONCLUSION_NOT_SAFE] = "not_safe",
    [CK_CONCLUSION_NOT_FOUND] = "not_found",
};

const char *ck_conclusion_name(enum ck_conclusion conclusion)
{
    return NAME_OF(conclusion_names, conclusion);
}

static const char *const target_kind_names[] = {
    [CK_TARGET_NONE] = "none",
    [CK_TARGET_INSPECTOR] = "inspector",
    [CK_TARGET_STAND_IN] = "stand_in",
    [CK_TARGET_DUTY] = "duty",
    [CK_TARGET_SUPERVISOR] = "supervisor",
    [CK_TARGET_NAMED] = "named",
};

const char *ck_target_kind_name(enum ck_target_kind kind)
{
    return NAME_OF(target_kind_names, kind);
}

static const char *const notice_state_names[] = {
    [CK_NOTICE_QUEUED] = "queued",
    [CK_NOTICE_SENDING] = "sending",
    [CK_NOTICE_ACCEPTED] = "accepted",
    [CK_NOTICE_DELIVERED] = "delivered",
    [CK_NOTICE_READ] = "read",
    [CK_NOTICE_FAILED_TEMP] = "failed_temp",
    [CK_NOTICE_FAILED_PERM] = "failed_perm",
    [CK_NOTICE_EXPIRED] = "expired",
    [CK_NOTICE_UNKNOWN] = "unknown",
    [CK_NOTICE_CANCELLED] = "cancelled",
};

const char *ck_notice_state_name(enum ck_notice_state state)
{
    return NAME_OF(notice_state_names, state);
}

static const char *const notice_event_names[] = {
    [CK_NOTICE_TIMER] = "timer",         [CK_NOTICE_TAKEN] = "taken",
    [CK_NOTICE_REFUSED] = "refused",     [CK_NOTICE_REJECTED] = "rejected",
    [CK_NOTICE_NO_ANSWER] = "no_answer", [CK_NOTICE_LIMITED] = "limited",
    [CK_NOTICE_RECEIPT] = "receipt",     [CK_NOTICE_CANCEL] = "cancel",
};

const char *ck_notice_event_name(enum ck_notice_event_kind kind)
{
    return NAME_OF(notice_event_names, kind);
}

enum ck_severity ck_incident_severity(enum ck_incident_kind kind, enum ck_band band)
{
    switch (kind) {
    case CK_INCIDENT_NO_CONTACT:
        return band == CK_BAND_TOP   ? CK_SEVERITY_TOP
               : band == CK_BAND_5_6 ? CK_SEVERITY_HIGH
                                     : CK_SEVERITY_NORMAL;
    case CK_INCIDENT_SILENCE:
        return band == CK_BAND_TOP ? CK_SEVERITY_TOP : CK_SEVERITY_HIGH;
    case CK_INCIDENT_REVIEW_OVERDUE:
        return band == CK_BAND_TOP ? CK_SEVERITY_HIGH : CK_SEVERITY_NORMAL;
    default:
        return CK_SEVERITY_NORMAL;
    }
}

enum ck_attribution ck_outcome_attribution(enum ck_outcome outcome)
{
    switch (outcome) {
    case CK_OUTCOME_LATE:
        return CK_ATTRIBUTION_LATE;
    case CK_OUTCOME_DECLINED:
    case CK_OUTCOME_NO_ANSWER:
    case CK_OUTCOME_PERSON_FAULT:
    case CK_OUTCOME_IDENTITY_DOUBT:
        return CK_ATTRIBUTION_OFFICER;
    case CK_OUTCOME_COULD_NOT_CONNECT:
    case CK_OUTCOME_SYSTEM_FAULT:
    case CK_OUTCOME_UNSTAFFED:
    case CK_OUTCOME_WAIVED:
        return CK_ATTRIBUTION_NEVER;
    default:
        return CK_ATTRIBUTION_NONE;
    }
}

bool ck_outcome_is_contact(enum ck_outcome outcome)
{
    return outcome == CK_OUTCOME_COMPLETED || outcome == CK_OUTCOME_LATE;
}
