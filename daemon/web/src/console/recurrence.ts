// The part of RFC 5545 that plans use, as the form shows it: every day, or chosen weekdays, every n-th time.
export interface Recurrence {
  kind: "daily" | "weekly";
  interval: number;
  days: readonly string[]; // "MO" … "SU", of weekly
}

export const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export const INTERVAL_MOST = 30;

export function recurrenceRule(recurrence: Recurrence): string {
  const parts = [`FREQ=${recurrence.kind === "daily" ? "DAILY" : "WEEKLY"}`];
  if (recurrence.interval > 1) parts.push(`INTERVAL=${recurrence.interval}`);
  if (recurrence.kind === "weekly") parts.push(`BYDAY=${WEEKDAYS.filter((day) => recurrence.days.indexOf(day) >= 0).join(",")}`);
  return parts.join(";");
}

// null where the rule says more than the form can show.
export function parseRecurrence(rule: string): Recurrence | null {
  const members: Record<string, string> = {};
  for (const part of rule.split(";")) {
    const [name = "", value = ""] = part.split("=");
    members[name] = value;
  }
  const known = Object.keys(members).every((name) => name === "FREQ" || name === "INTERVAL" || name === "BYDAY");
  const interval = Number(members.INTERVAL || 1);
  const days = (members.BYDAY || "").split(",").filter(Boolean);
  const plain = days.every((day) => (WEEKDAYS as readonly string[]).indexOf(day) >= 0);
  if (!known || !plain || !(interval >= 1 && interval <= INTERVAL_MOST)) return null;
  if (members.FREQ === "DAILY" && !days.length) return { kind: "daily", interval, days: [] };
  if (members.FREQ === "WEEKLY" && days.length) return { kind: "weekly", interval, days };
  return null;
}
