import { addDays, daysBetween } from "../text/time";

// The part of RFC 5545 that plans use, as the form shows it: every day, chosen weekdays, or a day of the month, every
// n-th time, until a date or so many times.
export interface Recurrence {
  kind: "daily" | "weekly" | "monthly";
  interval: number;
  days: readonly string[]; // "MO" … "SU": of weekly all of them, of monthly by weekday one
  ordinal: number; // of monthly: 1 … 4, -1 for the last such weekday; 0: by day of the month
  monthday: number; // of monthly with ordinal 0: 1 … 31, -1 for the last day
  until: string; // "2026-12-31", "" where it has no end of its own
  count: number; // 0: no number
}

export const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export const ORDINALS = [1, 2, 3, 4, -1] as const;
export const INTERVAL_MOST = 30;
const COUNT_MOST = 4000;

export const everyDay: Recurrence = { kind: "daily", interval: 1, days: [], ordinal: 0, monthday: 1, until: "", count: 0 };

export function recurrenceRule(recurrence: Recurrence): string {
  const parts = [`FREQ=${recurrence.kind.toUpperCase()}`];
  if (recurrence.interval > 1) parts.push(`INTERVAL=${recurrence.interval}`);
  if (recurrence.kind === "weekly") parts.push(`BYDAY=${WEEKDAYS.filter((day) => recurrence.days.indexOf(day) >= 0).join(",")}`);
  if (recurrence.kind === "monthly") parts.push(recurrence.ordinal ? `BYDAY=${recurrence.ordinal}${recurrence.days[0] || "MO"}` : `BYMONTHDAY=${recurrence.monthday}`);
  if (recurrence.until) parts.push(`UNTIL=${recurrence.until.replace(/-/g, "")}`);
  else if (recurrence.count > 0) parts.push(`COUNT=${recurrence.count}`);
  return parts.join(";");
}

function isWeekday(day: string): boolean {
  return (WEEKDAYS as readonly string[]).indexOf(day) >= 0;
}

// null where the rule says more than the form can show.
export function parseRecurrence(rule: string): Recurrence | null {
  const members: Record<string, string> = {};
  for (const part of rule.split(";")) {
    const [name = "", value = ""] = part.split("=");
    members[name] = value;
  }
  const known = Object.keys(members).every((name) => ["FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "UNTIL", "COUNT"].indexOf(name) >= 0);
  const interval = Number(members.INTERVAL || 1);
  const count = Number(members.COUNT || 0);
  const until = /^\d{8}$/.test(members.UNTIL || "") ? `${members.UNTIL!.slice(0, 4)}-${members.UNTIL!.slice(4, 6)}-${members.UNTIL!.slice(6)}` : "";
  if (!known || !(interval >= 1 && interval <= INTERVAL_MOST) || !(count >= 0 && count <= COUNT_MOST) || (members.UNTIL && !until)) return null;
  const base = { ...everyDay, interval, until, count };
  const days = (members.BYDAY || "").split(",").filter(Boolean);
  if (members.FREQ === "DAILY" && !days.length && !members.BYMONTHDAY) return base;
  if (members.FREQ === "WEEKLY" && days.length && days.every(isWeekday)) return { ...base, kind: "weekly", days };
  if (members.FREQ !== "MONTHLY") return null;
  const one = days.length === 1 && !members.BYMONTHDAY ? /^(-?\d)([A-Z]{2})$/.exec(days[0]!) : null;
  if (one && isWeekday(one[2]!) && (ORDINALS as readonly number[]).indexOf(Number(one[1])) >= 0) return { ...base, kind: "monthly", days: [one[2]!], ordinal: Number(one[1]) };
  const monthday = Number(members.BYMONTHDAY);
  return !days.length && monthday >= -1 && monthday <= 31 && monthday !== 0 ? { ...base, kind: "monthly", monthday } : null;
}

const MONDAY = "1970-01-05";
const weekOf = (date: string): number => Math.floor(daysBetween(MONDAY, date) / 7);
const monthOf = (date: string): number => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1;

// Where a plan begins that goes on in the step of one whose rule counts from `first`: today, or the first day after it
// whose day, week (from Monday) or month that rule does not leave out.
export function inStep(recurrence: Recurrence, first: string, today: string): string {
  if (first >= today) return first;
  const n = recurrence.interval;
  if (recurrence.kind === "monthly") {
    const left = (n - (monthOf(today) - monthOf(first)) % n) % n;
    const month = monthOf(today) + left;
    return left ? `${Math.floor(month / 12)}-${String(month % 12 + 1).padStart(2, "0")}-01` : today;
  }
  if (recurrence.kind === "daily") return addDays(today, (n - daysBetween(first, today) % n) % n);
  const left = (n - (weekOf(today) - weekOf(first)) % n) % n;
  return left ? addDays(MONDAY, 7 * (weekOf(today) + left)) : today;
}

// Days of a week that lie well apart, for so many contacts.
const SPREAD: readonly (readonly string[])[] = [["MO"], ["MO", "TH"], ["MO", "WE", "FR"], ["MO", "TU", "TH", "SA"], ["MO", "TU", "WE", "FR", "SA"], ["MO", "TU", "WE", "TH", "FR", "SA"]];

export interface Demand { count: number; days: number; modes: readonly string[]; mandatory: boolean }

// What a plan begins with, so that it asks for what the order demands and no more: `count` contacts in `days` days, 0
// for a calendar month. `perDay` of them on each of its days.
export function rhythmFor(demand: Demand | undefined): { recurrence: Recurrence; perDay: number } {
  if (!demand) return { recurrence: { ...everyDay, kind: "weekly", days: SPREAD[0]! }, perDay: 1 };
  const { count, days } = demand;
  if (days === 0) return { recurrence: { ...everyDay, kind: "monthly", monthday: 1 }, perDay: 1 };
  if (count >= days) return { recurrence: everyDay, perDay: Math.floor(count / days) };
  if (days === 7) return { recurrence: { ...everyDay, kind: "weekly", days: SPREAD[count - 1]! }, perDay: 1 };
  const apart = Math.ceil(days / count);
  if (apart > INTERVAL_MOST) return { recurrence: { ...everyDay, kind: "weekly", days: SPREAD[0]!, interval: Math.ceil(apart / 7) }, perDay: 1 };
  return { recurrence: { ...everyDay, interval: apart }, perDay: 1 };
}

// The demand that a plan by video fulfils: a mandatory one first.
export function demandOf(demands: readonly Demand[]): Demand | undefined {
  const by = demands.filter((one) => one.modes.indexOf("live") >= 0 || one.modes.indexOf("unattended") >= 0);
  return by.find((one) => one.mandatory) || by[0];
}
