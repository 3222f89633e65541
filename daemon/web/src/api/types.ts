// The HTTP API as the pages see it. protocol/http.yaml (OpenAPI) and protocol/websocket.md are the
// specification; this file is the same in TypeScript.
//
// Conventions
// - JSON in UTF-8; snake_case; times are RFC 3339 in UTC with milliseconds ("2026-11-21T14:02:05.123Z"), null where
//   not set; dates are "YYYY-MM-DD" and wall times of day "HH:MM", both in the unit's zone; ids are integers below 2^53.
// - GET changes nothing. Everything that changes is POST with Content-Type application/json, the session cookie and
//   the header X-CSRF-Token (value from /api/me or /api/p/state).
// - A failure is {error: ApiError}. Status: 400 invalid, 401 no session, 403 denied, 404 not_found, 405, 409 conflict,
//   413 too large, 429 busy (Retry-After), 503 (Retry-After).
// - Lists are newest first unless said otherwise and end with `next` (pass it as ?before=) where there is more.

export interface ApiError {
  code:
    | "invalid" | "unauthenticated" | "denied" | "not_found" | "conflict" | "limit" | "busy" | "unavailable";
  field: string | null; // JSON path of the offending member, such as "windows[0].end"
  help_phone?: string; // to a person: whom to call
  message: string; // English, for logs and developers; pages show their own text by code and field
}

export type Time = string;
export type DateOnly = string;
export type TimeOfDay = string;
export type Language = "kk" | "ru" | "en";
export type Role = "inspector" | "officer" | "supervisor" | "administrator";
export type Band = "low" | "medium" | "high" | "top";

// ---------------------------------------------------------------- first start, session, staff, units
// GET  /api/setup                      -> Setup             (no session)
// POST /api/setup     SetupRequest     -> Me                (once, while there is no staff at all; starts a session)
// POST /api/login     LoginRequest     -> Me                (no session)
// POST /api/logout    {}               -> {}
// GET  /api/me                         -> Me
// POST /api/me/password {old, new}     -> {}
// POST /api/me/language {language}     -> {}
// POST /api/me/second-factor {code?}   -> SecondFactor      (begins; the present code where there is one)
// POST /api/me/second-factor/confirm {code} -> Me
// GET  /api/me/sessions                -> {sessions: StaffSession[]}
// POST /api/sessions/{id}/end {}       -> {}                (one's own; administrator: anybody's)
// GET  /api/staff/{id}/sessions        -> {sessions: StaffSession[]}  (administrator)
// GET  /api/units                      -> {units: Unit[]}
// POST /api/units     UnitRequest      -> Unit              (administrator)
// POST /api/units/{id}/zone {zone}          -> Unit         (administrator)
// POST /api/units/{id}/zone/preview {zone}  -> ZonePreview  (administrator)
// GET  /api/staff                      -> {staff: Staff[]}  (administrator all; supervisor own unit; inspector, officer: names of own unit)
// POST /api/staff     StaffRequest     -> Staff             (administrator)
// POST /api/staff/{id} StaffChange     -> Staff             (administrator)
// POST /api/staff/{id}/password {password} -> {}            (administrator sets a first password; user must change it)
export interface ZonePreview { was: string; zone: string; from: string; checkins: number; persons: number; minutes: number }
export interface Setup { needed: boolean }
export interface SetupRequest {
  token: string; // printed by checkind at its first start
  login: string; name: string; password: string; language: Language;
  unit: UnitRequest;
}
export interface LoginRequest { login: string; password: string; code?: string } // 401 with field "code": it is needed or wrong
export interface Me {
  id: number; login: string; name: string; roles: Role[]; unit: Unit | null; language: Language;
  csrf: string; server_time: Time; must_change_password: boolean; second_factor: boolean; second_factor_required: boolean; version: string;
  session_until: Time; session_idle_ms: number; // this log-in ends then, and so long after somebody was last here
  utc_offset_min?: number; // of the unit's zone now, minutes east: browsers with an old zone table are put right by it
}
export interface SecondFactor { key: string; uri: string; qr_svg: string }
export interface StaffSession { id: number; created: Time; seen: Time; expires: Time; peer: string; device: string | null; current: boolean }
export interface UnitRequest { name: string; zone: string; phone?: string | null } // zone: IANA name, "Asia/Almaty"
export interface Unit extends UnitRequest { id: number }
export interface StaffRequest {
  login: string; name: string; password: string; roles: Role[]; unit_id: number; language: Language;
  email: string | null; phone: string | null; on_duty: boolean; // on_duty: duty officer of the unit now
}
export interface StaffChange {
  name?: string; roles?: Role[]; unit_id?: number; email?: string | null; phone?: string | null; on_duty?: boolean;
  language?: Language; disabled?: boolean; disabled_reason?: string;
}
export interface Staff {
  id: number; login: string; name: string; roles: Role[]; unit_id: number; language: Language;
  email: string | null; phone: string | null; on_duty: boolean; disabled: boolean;
}

// ---------------------------------------------------------------- persons, orders, plans
// GET  /api/persons?q=&inspector=      -> {persons: PersonRow[]}          (inspector: own caseload; supervisor: unit)
// POST /api/persons   PersonRequest    -> Person
// GET  /api/persons/{id}               -> Person                          (read is logged)
// POST /api/persons/{id} Partial<PersonRequest> -> Person
// POST /api/persons/{id}/photo         body image/jpeg ≤ 2 MiB -> {}      (reference photo)
// GET  /api/persons/{id}/photo         -> image/jpeg
// POST /api/persons/{id}/orders OrderRequest -> Order
// POST /api/orders/{id}/end {date, reason} -> Order
// POST /api/persons/{id}/plans  PlanRequest  -> Plan
// POST /api/persons/{id}/plans/preview PlanRequest -> PlanPreview        (nothing is saved)
// POST /api/plans/{id}/end  {reason}   -> Plan
// GET  /api/plans/{id}/ahead           -> PlanAhead                       (windows, never the drawn moments)
// GET  /api/plans/{id}/instants        -> PlanInstants                    (supervisor; each look is logged)
// POST /api/persons/{id}/blackouts BlackoutRequest -> {blackouts: Blackout[]}
// POST /api/blackouts/{id}/end {reason} -> {blackouts: Blackout[]}
// GET  /api/persons/{id}/checkins?before= -> {checkins: CheckinRow[], next}
// POST /api/persons/{id}/checkins OnDemandRequest -> CheckinRow           (on-demand check-in, now)
// POST /api/persons/{id}/enrol {}      -> {url, qr_svg, expires}          (link for the person's own phone: test and messages)
export interface PersonRequest {
  name: string; birth_date: DateOnly; phone: string | null; // E.164
  email: string | null; language: Language; address: string | null; note: string | null;
  inspector_id: number; unit_id: number; band: Band;
}
export interface PersonRow {
  id: number; name: string; reference: string; // reference: short public number, "P-4821"
  inspector_id: number; inspector_name: string; band: Band; has_photo: boolean;
  strip: StripMark[]; // last 30 days, oldest first
  next_window: { start: Time; end: Time } | null; // window, never the drawn instant
  open_incidents: number; unread_messages: number;
}
export interface StripMark { checkin_id: number; day: DateOnly; mark: Outcome | "open" | "due" }
export interface Person extends PersonRow {
  devices: Device[];
  birth_date: DateOnly; phone: string | null; email: string | null; language: Language;
  address: string | null; note: string | null; unit_id: number; orders: Order[]; plans: Plan[]; blackouts: Blackout[];
}
export type OrderKind = "protective_order" | "special_requirements" | "official_warning" | "other";
export interface OrderRequest {
  kind: OrderKind; article: string; number: string; issuer: string; from: DateOnly; until: DateOnly;
  conditions: string;
  per_day_max: number; // contacts of any kind on one date
  requirements: RequirementRequest[]; // what the order demands; none: only voluntary contacts
  hours_start: TimeOfDay; hours_end: TimeOfDay; // contacts are allowed between these, local time
}
export type ContactMode = "in_person" | "live" | "unattended";
export interface RequirementRequest { source: "court" | "statute" | "agency"; count: number; days: number; modes: ContactMode[]; mandatory: boolean } // days 0: a calendar month
export interface Requirement extends RequirementRequest { id: number; video: "supplements" | "replaces"; citation: string | null; proposer: string | null; approver: string | null }
export interface Order extends OrderRequest {
  id: number; person_id: number; requirements: Requirement[]; in_force: boolean; // its last date is not over
  ended: DateOnly | null; ended_reason: string | null; // ended: from this date on not in force
}
export interface BlackoutRequest { source: "court" | "hospital" | "custody" | "absence"; from: Time; until: Time; reason: string }
export interface Blackout extends BlackoutRequest { id: number; person_id: number; by: string; approver: string; created: Time }
export interface PlanRequest {
  order_id: number; kind: "live" | "unattended"; mandatory: boolean;
  recurrence: string; // RFC 5545 RRULE subset on dates: "FREQ=WEEKLY;BYDAY=MO,TH"
  first_date: DateOnly;
  windows: { start: TimeOfDay; end: TimeOfDay; draws: number }[]; // draws 0: due at start (fixed time); n: n random moments
  attempts: number; // rings, 1..5
  attempt_spacing_s: number; response_window_s: number; // from due; person can answer
  grace_s: number; late_limit_s: number; // after grace the outcome is decided; until the late limit an answer is LATE
  extra_dates?: DateOnly[]; except_dates?: DateOnly[];
  min_gap_s?: number; max_silence_s?: number; // silence 0: not watched
  second?: { percent: number; after_min_s: number; after_max_s: number } | null; // another check after a completed one
  replaces?: number | null; // the plan that serves until this one begins
}
export interface Plan extends PlanRequest { id: number; person_id: number; version: number; ended: Time | null; state: "active" | "ended"; from: DateOnly; until: DateOnly | null; place_of: number | null }
export interface PlanWindow { date: DateOnly; start: Time; end: Time; draws: number; extended: boolean }
export interface PlanPreview {
  windows: PlanWindow[]; warnings: string[];
  refused: { reason: string; text: string; on?: DateOnly } | null; // what the order says against it
  differences: { date: DateOnly; what: "added" | "removed" | "changed"; before: number; after: number }[] | null;
}
export interface PlanAhead { plan: number; person: number; state: "active" | "ended"; zone: string; windows: PlanWindow[] }
export interface PlanInstants { instants: { checkin: number; date: DateOnly; due: Time }[] }
export interface OnDemandRequest { reason: string; kind: "live" | "unattended"; mandatory?: boolean }

// ---------------------------------------------------------------- risk: a compartment of its own
// GET  /api/persons/{id}/risk -> Risk                                (each read is logged)
// POST /api/persons/{id}/risk/score RiskScoreRequest -> {id}
// POST /api/persons/{id}/risk/judgement {band, reasons} -> {id}
// POST /api/persons/{id}/risk/preview {order_id, basis} -> RiskProposal (nothing is saved)
// POST /api/persons/{id}/risk/proposal {order_id, basis, reason} -> Approval
// GET  /api/cadence -> Cadence                                       (changed by an approval cadence.change)
export interface RiskScoreRequest {
  index_date: DateOnly; eligibility: { known_to_police: boolean; partner: boolean; contact_or_threat: boolean; adult_man_to_woman: boolean };
  items: (0 | 1 | null)[]; note: string;
}
export interface RiskScore extends RiskScoreRequest {
  id: number; by: string; at: Time; norms: { version: string; source: string };
  result: { eligible: boolean; enough: boolean; raw: number; missing: number; prorated: number | null; low: number; high: number; band: string; uncertain: boolean; handled_as: string };
}
export interface RiskJudgement { id: number; by: string; at: Time; band: Band; reasons: string }
export interface Risk { scores: RiskScore[]; judgements: RiskJudgement[] }
export interface RiskProposal { basis: "score" | "judgement"; score_band: string; band: Band; request: PlanRequest; gave_way: string[]; advice: string[] }
export interface CadenceRow { band: string; contacts: number; weeks: number; random: boolean; start: TimeOfDay; end: TimeOfDay; max_silence_h: number; weekly_visit: boolean; supervisor_review: boolean; case_conference: boolean }
export interface Cadence { bands: CadenceRow[]; approved: Time | null }

// GET  /api/overload -> Overload                                     (supervisor)
export interface Overload { from: Time; until: Time; inspectors: number; due: number; cut: boolean; unattended: number; nobody: number; overloads: { from: Time; until: Time; due: number; able: number }[] }

// ---------------------------------------------------------------- what needs two persons
// GET  /api/approvals?state=open|closed&before= -> {approvals: Approval[], next}
// POST /api/approvals {kind, request, reason, person?} -> Approval
// GET  /api/approvals/{id} -> Approval
// POST /api/approvals/{id}/decide {approve, reason} -> Approval     (by somebody else; what is approved is done at once)
// POST /api/approvals/{id}/withdraw {reason} -> Approval            (by the proposer)
export interface Approval {
  id: number; kind: string; unit_id: number | null; person_id: number | null; person_name: string | null;
  body: Record<string, unknown>; reason: string; proposer_id: number; proposer: string; created: Time; expires: Time;
  state: "open" | "approved" | "refused" | "withdrawn" | "expired";
  decided_by: string | null; decided: Time | null; decided_reason: string | null; may_decide: boolean; alone: boolean;
}

// ---------------------------------------------------------------- today, check-ins, reviews
// GET  /api/today                      -> Today      (own caseload; officer and supervisor: the unit)
// GET  /api/checkins/{id}              -> Checkin    (read is logged)
// POST /api/checkins/{id}/outcome   OutcomeRequest -> Checkin   (after a live call, by the inspector who conducted it)
// POST /api/checkins/{id}/review    ReviewRequest  -> Checkin   (unattended)
// POST /api/checkins/{id}/conclusion {conclusion: Conclusion, reason} -> Checkin
// POST /api/checkins/{id}/concern   {text} -> {}       (private; no effect on the other side)
// GET  /api/reviews                    -> {reviews: CheckinRow[]}  (review queue, soonest deadline first)
// GET  /api/checkins/{id}/thumbnail    -> image/jpeg
// POST /api/recordings/{id}/view {reason} -> {url, expires}    (logged; url for <video src>)
// GET  /api/recordings/{id}/media?view=TOKEN -> video/webm, Range honoured
export type CheckinState = "planned" | "armed" | "ringing" | "connected" | "awaiting_review" | "done";
export type Outcome =
  | "completed" | "late" | "declined" | "no_answer" | "person_fault" | "could_not_connect" | "identity_doubt"
  | "system_fault" | "unstaffed" | "waived";
export type Conclusion = "no_action" | "excused" | "breach" | "safe" | "help_sent" | "not_found"; // the last three: of safety checks and concerns
export interface CheckinRow {
  id: number; person_id: number; person_name: string; band: Band; inspector_id: number;
  kind: "live" | "unattended" | "on_demand" | "inbound"; mandatory: boolean; state: CheckinState;
  outcome: Outcome | null; window: { start: Time; end: Time };
  due: Time | null; // null for whoever may not know the instant before it comes
  attempt: number; attempts: number; decided: Time | null; review_deadline: Time | null; waiting_since: Time | null; // the person waits for an inspector (and is "connected")
  taken_by: number | null; // who conducts the call; where next.what is "form_due" they alone write its outcome
  incident_id: number | null; next: { what: string; at: Time } | null; // what happens next: "ring", "decide", "unattended", "review_due"
}
export interface Checkin extends CheckinRow {
  device: "own" | "other" | null; // with whose phone the person came
  conclusion: { conclusion: Conclusion; reason: string; by: string; at: Time } | null;
  attempts_made: Attempt[]; evidence: EvidenceFact[]; answerable_s: number; answerable_needed_s: number;
  health: { from: Time; until: Time; ok: boolean; what: string }[]; // our own health around it
  notices: NoticeRow[]; recordings: RecordingRow[]; challenges: ChallengeMark[];
  form: OutcomeRequest | null; review: (ReviewRequest & { by: string; at: Time }) | null;
  concerns: { text: string; by: string; at: Time }[]; declined_reason: string | null; make_up_of: number | null; has_thumbnail: boolean;
}
export interface Attempt { number: number; at: Time; notices: number; accepted: Time | null; delivered: Time | null; opened: Time | null }
export interface EvidenceFact { at: Time; fact: string; detail: string | null } // fact: see websocket.md "facts"
export interface NoticeRow {
  id: number; reference: string; to: string; channel: Channel; state: NoticeState; at: Time;
  accepted: Time | null; delivered: Time | null; failed: string | null; tries: number;
}
export type Channel = "console" | "email" | "sms" | "webhook" | "voice" | "web_push";
export type NoticeState = "queued" | "sending" | "accepted" | "delivered" | "read" | "failed" | "expired" | "unknown";
export interface RecordingRow {
  id: number; leg: "person" | "staff"; from: Time; seconds: number; bytes: number;
  state: "recording" | "closed" | "recovered" | "failed" | "erased"; gaps: { at_s: number; seconds: number; reason: string }[];
  measures: { measure: "black" | "covered" | "frozen" | "silent"; from_ms: number; until_ms: number }[] | null; // null: not measured (yet)
}
export interface ChallengeMark { number: number; kind: string; text: string; at: Time; at_s: number } // at_s: in the recording
export interface OutcomeRequest {
  result: "completed" | "identity_doubt" | "could_not_connect" | "declined"; identity_confirmed: boolean;
  behaviours: string[]; // described behaviour: "calm" | "agitated" | "slurred_speech" | "injury_visible" | "other_person_present" | "refused_question"
  note: string;
}
export type ReviewDecision = "accept" | "doubt" | "unusable"; // unusable: nothing can be made out
export interface ReviewRequest { decision: ReviewDecision; note: string }
export interface Today {
  server_time: Time; day: DateOnly;
  counts: { waiting: number; ringing: number; due: number; reviews: number; incidents: number; unread: number };
  waiting: CheckinRow[]; ringing: CheckinRow[]; connected: CheckinRow[]; due: CheckinRow[]; reviews: CheckinRow[];
  done: CheckinRow[]; incidents: IncidentRow[];
}

// ---------------------------------------------------------------- incidents
// GET  /api/incidents?state=open|closed&before= -> {incidents: IncidentRow[], next}
// GET  /api/incidents/{id}             -> Incident    (read is logged)
// POST /api/incidents/{id}/acknowledge {note?} -> Incident      "I take it"
// POST /api/incidents/{id}/note        {text} -> Incident
// POST /api/incidents/{id}/reached     {how, note} -> Incident  "reached the person": how = phone | visit | video | other
// POST /api/incidents/{id}/safety      {note} -> Incident       another officer checked that nobody is in danger; a line, closes nothing
// POST /api/incidents/{id}/conclude    {conclusion: Conclusion, reason} -> Incident   (closes it)
export type IncidentState = "open" | "acknowledged" | "closed";
export interface IncidentRow {
  id: number; person_id: number; person_name: string; band: Band; kind: "no_contact" | "max_silence" | "review_overdue" | "staff_fault" | "system" | "safety_check" | "concern";
  checkin_id: number | null; outcome: Outcome | null; opened: Time; state: IncidentState; holder: string | null; holder_id: number | null;
  step: number; steps: number; next: { what: string; target: string; at: Time } | null; // "If nobody takes this over, <target> is told at <at>"
  last_contact: Time | null; answered_late: boolean;
}
export interface Incident extends IncidentRow { line: IncidentLine[]; checkin: Checkin | null; conclusion: { conclusion: Conclusion; reason: string; by: string; at: Time } | null }
export interface IncidentLine { at: Time; what: string; who: string | null; channel: Channel | null; state: NoticeState | null; text: string | null; reference: string | null }

// ---------------------------------------------------------------- messages (person–inspector thread)
// GET  /api/persons/{id}/messages?before= -> {messages: Message[], next}   (oldest first inside the page)
// POST /api/persons/{id}/messages {client_id, text, file?: {name, data}} -> Message   (≤ 2000 characters, 4 MiB)
// GET  /api/messages/{id}/file, /api/incident-messages/{id}/file, /api/p/messages/{id}/file -> the bytes
// The thread about an incident, among officers: /api/incidents/{id}/messages…, with `readers`
// POST /api/persons/{id}/messages/read {up_to} -> {}
export interface Message {
  id: number; client_id: string; from: "person" | "staff"; author: string; author_id: number | null; text: string | null; // null once erased
  file: FileMark | null; sent: Time; delivered: Time | null; read: Time | null;
}
export interface FileMark { name: string; type: string; size: number }
export interface MessagePage {
  messages: Message[]; next: number | null;
  language?: Language; // of the person, for texts that are kept ready
  readers?: { id: number; name: string; up_to: number; at: Time }[]; // of an incident's thread
}
// GET  /api/opened-cases -> {opened: OpenedCase[]}; POST /api/opened-cases {reference, reason} -> {id, person, until}; /api/opened-cases/{id}/close
export interface OpenedCase { id: number; person_id: number; person_name: string; reference: string; opened: Time; until: Time }
// GET  /api/templates -> {templates: Template[]}; POST /api/templates, /api/templates/{id} {kk, ru, en}; /api/templates/{id}/remove
export interface Template { id: number; kk: string; ru: string; en: string; changed: Time; by: string }

// ---------------------------------------------------------------- log (supervisor)
// GET  /api/log?before=&after=&action=  (action may end in *: "INCIDENT_*")
//      &person=&staff=&from=&until= -> {entries: LogEntry[], next, size, root, verified: Time|null}
// GET  /api/log/{index}                -> LogEntryDetail
export interface LogEntry {
  index: number; at: Time; action: string; actor: string; actor_kind: "staff" | "person" | "system" | "gateway";
  person_id: number | null; person_name: string | null; object: string; result: string; text: Record<string, unknown> | null; // plaintext fields, null when erased
}
// leaf: the canonical text of the entry, hashed as its UTF-8 bytes; hashes are hex
export interface LogEntryDetail extends LogEntry { leaf: string; leaf_hash: string; proof: { size: number; root: string; path: string[] }; checkpoint: { size: number; at: Time; witnesses: number } | null }

// ---------------------------------------------------------------- supervisor figures, system
// GET  /api/figures?weeks= -> Figures     (supervisor)
// GET  /api/system         -> System      (administrator, supervisor)
export interface Figures {
  weeks: { week: DateOnly; on_time: number; total: number; ack_median_s: number | null; system_faults: number; reviews_overdue: number }[];
  now: { on_time_ratio: number | null; ack_median_s: number | null; system_faults: number; reviews_overdue: number };
}
export interface System {
  version: string; started: Time; engine_lag_ms: number; workers: { index: number; pid: number; state: string; legs: number; restarts: number }[];
  channels: { channel: Channel; configured: boolean; last_ok: Time | null; last_error: string | null; queued: number }[];
  clock: { synchronised: boolean; offset_ms: number | null }; quarantined: number;
  log: { size: number; root: string; verified: { at: Time; good: boolean; entry: number } | null };
  certificate: { until: Time; good: boolean }; disk: { free_bytes: number | null; reserve_bytes: number; low: boolean; recordings: boolean };
  signer: { configured: boolean; trouble: string | null }; relay: { configured: boolean; good: boolean; full: boolean }; reaches_persons: boolean;
}

// POST /api/devices/{id}/revoke {reason} -> Person
// GET  /api/requests -> {requests: Asking[]}   (inspector, supervisor)
// POST /api/requests/{id}/answer {accept, answer} -> {requests}  (a dispute: supervisor)
export interface OwnRequest { id: number; kind: "reschedule" | "dispute"; receipt: string | null; text: string; at: Time; accepted: boolean | null; answer: string | null; answered: Time | null }
export interface Asking {
  id: number; kind: "reschedule" | "dispute"; person_id: number; person_name: string; checkin_id: number | null; text: string; at: Time;
  accepted: boolean | null; answer: string | null; answered: Time | null; answered_by: string | null;
}
export interface Device { id: number; name: string; created: Time; used: Time | null; revoked: Time | null }

// ---------------------------------------------------------------- person's side
// GET  /c/{token}          -> the person's page (static; proves and changes nothing)
// GET  /p                  -> the person's page for an existing session
// GET  /api/p/challenge    -> {challenge}        (no session; for the phone's own key)
// POST /api/p/enter {device, challenge, signature} -> PersonState  (a session without a link)
// POST /api/p/device {public_key, name} -> {device}  (in a session of an enrolment link)
// POST /api/link {token}   -> PersonState        (a tap; sets the session cookie; valid to the late limit)
// GET  /api/p/state        -> PersonState
// POST /api/p/language {language} -> {}
// POST /api/p/notice {version} -> PersonState    (rights and recording notice acknowledged)
// POST /api/p/requests {kind, text, receipt?} -> PersonState  (another time; or a result is wrong, by its receipt)
// POST /api/p/decline {reason} -> PersonState    (≤ 500 characters)
// POST /api/p/facts {facts: {fact, detail?}[]} -> {}   (evidence from the page while there is no WebSocket)
// GET  /api/p/checkins/{id}/proof -> a .tlog-proof  (409: not signed yet)
// GET  /api/p/messages?before= -> {messages: Message[], next}
// POST /api/p/messages {client_id, text} -> Message
// POST /api/p/messages/read {up_to} -> {}
export interface PersonState {
  csrf: string; language: Language; server_time: Time; zone: string; utc_offset_min?: number; // as in Me
  unit: string; inspector: string; // names to show
  help_phone: string | null; // the duty room
  challenge: string; // what the person's own phone signs in this session
  bound: boolean; // whether this session may answer a check-in
  notice: { version: number; acknowledged: Time | null }; // the wording last acknowledged; the page knows its own and posts it
  checkin: {
    id: number; kind: "live" | "unattended" | "on_demand"; state: CheckinState; due: Time;
    answer_until: Time; late_until: Time; result: "received" | "received_late" | "declined" | "ended" | null; receipt: string | null;
  } | null;
  history: { id: number; at: Time; result: "received" | "received_late" | "declined" | "not_established" | "our_fault" | "waived"; receipt: string }[];
  requests: OwnRequest[];
  unread: number;
  next_window: { start: Time; end: Time; at: Time | null } | null; // at: a fixed time
}

// ---- what is kept how long

export type KeepClass = "recording" | "risk" | "photo" | "contact" | "messages" | "concern" | "case_file" | "access_log";

export interface ExpiryItem {
  id: number; class: KeepClass; state: "kept" | "held" | "erasing" | "erased";
  person_id: number | null; person_name: string | null; person_reference: string | null;
  recording_id: number | null; checkin_id: number | null; leg: "person" | "staff" | null;
  since: string; expires: string | null; erased: string | null;
  hold_id: number | null; // a hold that keeps it
}

export interface Hold {
  id: number; kind: "person" | "incident" | "recording"; person_id: number; person_name: string;
  incident_id: number | null; recording_id: number | null; checkin_id: number | null;
  reason: string; by: string; created: string; review: string; overdue: boolean;
  release_id: number | null; // the request that is open
}

export interface Retention {
  policy: { class: KeepClass; days: number; shorter: number | null }[];
  totals: { class: KeepClass; waiting: number; held: number; first: string | null }[];
  items: ExpiryItem[];
  holds: Hold[];
  cut: boolean;
}
