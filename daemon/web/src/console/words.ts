// Sentences about rows: facts in plain words, the same everywhere.
import type { Failure } from "../api/http";
import type { CheckinRow, IncidentRow, Outcome } from "../api/types";
import type { ConsoleTexts } from "../text/console";
import type { Clock } from "../text/time";
import type { IconName } from "../ui/icons";

export type Tone = "act" | "warn" | "good" | "info" | "quiet";

// What each decision of a review is called once it is made.
export const DECIDED = { accept: "review_accepted", doubt: "review_doubted", unusable: "review_not_made_out" } as const;

// Shape (icon) and word of an outcome; red is for "act now" alone, so no outcome is red.
export const OUTCOME_MARK: Record<Outcome, { tone: Tone; icon: IconName }> = {
  completed: { tone: "good", icon: "check" },
  late: { tone: "warn", icon: "clock" },
  declined: { tone: "warn", icon: "hand" },
  no_answer: { tone: "warn", icon: "phone" },
  person_fault: { tone: "warn", icon: "camera_off" },
  could_not_connect: { tone: "info", icon: "offline" },
  identity_doubt: { tone: "warn", icon: "eye" },
  system_fault: { tone: "info", icon: "settings" },
  unstaffed: { tone: "info", icon: "people" },
  waived: { tone: "quiet", icon: "calendar" },
};

// How long something is kept.
export function keepWords(t: ConsoleTexts, days: number): string {
  return days ? t.t("keep_days", { n: days }) : t.t("keep_at_once");
}

export function outcomeWords(t: ConsoleTexts, outcome: Outcome): string {
  return t.maybe("outcome_" + outcome) || outcome;
}

// The person has come and nobody has answered yet.
export function waitsForInspector(row: CheckinRow): boolean {
  return !!row.waiting_since && row.state !== "done";
}

// The call is over, and its outcome can be written by this member of staff alone.
export function outcomeMissing(row: CheckinRow, staff: number): boolean {
  return row.state === "connected" && !!row.next && row.next.what === "form_due" && row.taken_by === staff;
}

// What is so, in one sentence.
export function checkinFact(t: ConsoleTexts, clock: Clock, row: CheckinRow): string {
  if (waitsForInspector(row)) {
    return t.t("fact_waiting", { time: clock.moment(row.waiting_since!), length: clock.length(clock.now() - Date.parse(row.waiting_since!)) });
  }
  switch (row.state) {
    case "planned":
    case "armed":
      return row.due
        ? t.t("fact_due", { at: clock.momentIn(row.due) })
        : t.t("fact_window", { span: clock.span(row.window.start, row.window.end) });
    case "ringing":
      return t.t("fact_ringing", { attempt: row.attempt, attempts: row.attempts });
    case "connected":
      return t.t(row.next && row.next.what === "form_due" ? "fact_form_due" : row.kind === "unattended" ? "fact_recording" : "fact_in_call");
    case "awaiting_review":
      return row.review_deadline ? t.t("fact_review_by", { time: clock.moment(row.review_deadline) }) : t.t("fact_review");
    case "done":
      return row.outcome ? outcomeWords(t, row.outcome) : t.t("fact_done");
  }
}

// What happens next and when.
export function checkinNext(t: ConsoleTexts, clock: Clock, row: CheckinRow): string | null {
  if (!row.next || row.state === "done") return null;
  return t.maybe("next_" + row.next.what, { at: clock.momentIn(row.next.at) });
}

export function checkinAt(row: CheckinRow): string {
  return row.waiting_since || row.due || row.decided || row.window.start;
}

export function incidentFact(t: ConsoleTexts, clock: Clock, row: IncidentRow): string {
  const since = row.last_contact ? t.t("incident_last_contact", { time: clock.moment(row.last_contact) }) : t.t("incident_never_contact");
  const what = t.maybe("incident_" + row.kind) || row.kind;
  return `${what}. ${since}`;
}

export function incidentNext(t: ConsoleTexts, clock: Clock, row: IncidentRow): string | null {
  if (!row.next || row.state === "closed") return null;
  return t.maybe("incident_next_" + row.next.what, {
    target: t.maybe("target_" + row.next.target) || row.next.target, at: clock.momentIn(row.next.at), time: clock.moment(row.next.at),
  });
}

export function failureWords(t: ConsoleTexts, failure: Failure): string {
  return t.maybe("failure_" + failure.code, { seconds: Math.ceil((failure.retryAfterMs || 5000) / 1000) }) || t.t("failure_server");
}
