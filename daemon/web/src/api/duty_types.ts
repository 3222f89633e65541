// Who is there when, who is told when, and who cannot be reached: shapes of protocol/http.yaml.
import type { DateOnly, Role, Time, TimeOfDay } from "./types";

export type ShiftKind = "work" | "duty";
export type AbsenceReason = "leave" | "sick" | "training" | "other";
export type Presence = "there" | "off" | "absent" | "gone";

export interface Shift { id: number; staff_id: number; kind: ShiftKind; weekday: number; from_date: DateOnly; until_date: DateOnly | null; start: TimeOfDay; end: TimeOfDay }
export interface Absence { id: number; staff_id: number; from: string; until: string; from_at: Time; until_at: Time; reason: AbsenceReason; stand_in_id: number | null }
export interface RosterPerson { id: number; name: string; roles: Role[]; on_duty: boolean; presence: Presence }
export interface Roster {
  monday: DateOnly; from: Time; until: Time; server_time: Time;
  staff: RosterPerson[]; on_duty: number[]; shifts: Shift[]; absences: Absence[];
  stand_ins: { staff_id: number; stand_in_id: number; now: boolean }[];
  gaps: { from: Time; until: Time }[];
}
export interface ShiftRequest { staff: number; kind: ShiftKind; from_date: DateOnly; until_date: DateOnly | null; weekdays?: number[]; start: TimeOfDay; end: TimeOfDay }

export type LadderBand = "low" | "medium" | "high" | "top" | "safety";
export type TargetKind = "inspector" | "stand_in" | "duty" | "supervisor" | "named";
export type LadderChannel = "console" | "email" | "sms" | "voice" | "web_push" | "webhook";
export interface LadderTarget { kind: TargetKind; staff?: number }
export interface LadderStep { targets: LadderTarget[]; channels: LadderChannel[]; parallel: boolean; ack_timeout_s: number; rounds: number; min_interval_s: number }
export interface Ladder { steps: LadderStep[]; ack_hold_s: number; late_answer_calms: boolean; calm_interval_s: number; quiet_hours: boolean }
export interface LadderInForce { band: LadderBand; version: number; by: string | null; approved_by: string | null; at: Time | null; ladder: Ladder }
export interface LadderList { ladders: LadderInForce[]; channels: LadderChannel[] }
export interface LadderRequest { band: LadderBand; ladder: Ladder; apply_open: boolean }
export interface LadderFinding { reason: string; step: number; share: number; channel: LadderChannel | null }
export interface LadderFindings { fatal: boolean; findings: LadderFinding[] }

export interface Proposal {
  id: number; kind: string; body: unknown; reason: string; proposer_id: number; proposer: string; created: Time; expires: Time;
  state: "open" | "approved" | "refused" | "withdrawn" | "expired"; may_decide: boolean;
}

// A member of staff or a person, and one way to reach them.
export interface ContactPath {
  staff_id: number | null; person_id: number | null; name: string; channel: LadderChannel;
  state: "untested" | "testing" | "ok" | "failed"; tested: Time | null; last_ok: Time | null; failure: string | null; next: Time | null;
}
