// Dates and times in words, in the unit's zone and without the browser's own language data: old phones know neither
// Kazakh nor today's time zones (Kazakhstan left UTC+6 in 2024), so the server's own offset corrects theirs.
import type { Language } from "../api/types";

const MONTHS: Record<Language, readonly string[]> = {
  kk: ["қаңтар", "ақпан", "наурыз", "сәуір", "мамыр", "маусым", "шілде", "тамыз", "қыркүйек", "қазан", "қараша", "желтоқсан"],
  ru: ["января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря"],
  en: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
};
const WEEKDAYS: Record<Language, readonly string[]> = {
  kk: ["жексенбі", "дүйсенбі", "сейсенбі", "сәрсенбі", "бейсенбі", "жұма", "сенбі"],
  ru: ["воскресенье", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота"],
  en: ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
};
const SHORT_WEEKDAYS: Record<Language, readonly string[]> = {
  kk: ["жс", "дс", "сс", "ср", "бс", "жм", "сб"],
  ru: ["вс", "пн", "вт", "ср", "чт", "пт", "сб"],
  en: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
};
const RELATIVE: Record<Language, { today: string; tomorrow: string; yesterday: string }> = {
  kk: { today: "бүгін", tomorrow: "ертең", yesterday: "кеше" },
  ru: { today: "сегодня", tomorrow: "завтра", yesterday: "вчера" },
  en: { today: "today", tomorrow: "tomorrow", yesterday: "yesterday" },
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY_MS = 24 * HOUR;

// "2026-11-21" and days of the calendar, wherever the clocks change
export const addDays = (date: string, days: number): string => new Date(Date.parse(date + "T00:00:00Z") + days * DAY_MS).toISOString().slice(0, 10);
export const daysBetween = (from: string, until: string): number => Math.round((Date.parse(until + "T00:00:00Z") - Date.parse(from + "T00:00:00Z")) / DAY_MS);

// Minutes east of UTC that the browser believes for `zone` at `at`; 0 where it does not know the zone.
export function browserOffsetMin(zone: string, at: number): number {
  try {
    const parts = new Intl.DateTimeFormat("en-US", {
      timeZone: zone, hour12: false, year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    }).formatToParts(new Date(at));
    const part = (type: string): number => Number((parts.find((p) => p.type === type) || { value: "0" }).value);
    const local = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour") % 24, part("minute"), part("second"));
    return Math.round((local - at) / MINUTE);
  } catch {
    return 0;
  }
}

interface Wall { year: number; month: number; day: number; weekday: number; hour: number; minute: number; second: number; dayNumber: number }

const two = (n: number): string => (n < 10 ? "0" : "") + n;

export class Clock {
  private readonly skewMs: number; // server minus browser
  private readonly correctionMin: number;

  constructor(readonly language: Language, readonly zone: string, serverTime: string | null, utcOffsetMin: number | null | undefined) {
    const server = serverTime ? Date.parse(serverTime) : Date.now();
    this.skewMs = server - Date.now();
    this.correctionMin = typeof utcOffsetMin === "number" ? utcOffsetMin - browserOffsetMin(zone, server) : 0;
  }

  now(): number {
    return Date.now() + this.skewMs;
  }

  private wall(at: number): Wall {
    const local = new Date(at + (browserOffsetMin(this.zone, at) + this.correctionMin) * MINUTE);
    return {
      year: local.getUTCFullYear(), month: local.getUTCMonth(), day: local.getUTCDate(), weekday: local.getUTCDay(),
      hour: local.getUTCHours(), minute: local.getUTCMinutes(), second: local.getUTCSeconds(), dayNumber: Math.floor(local.getTime() / DAY_MS),
    };
  }

  // "19:02"
  time(at: string): string {
    const w = this.wall(Date.parse(at));
    return `${two(w.hour)}:${two(w.minute)}`;
  }

  seconds(at: string): string {
    return `${this.time(at)}:${two(this.wall(Date.parse(at)).second)}`;
  }

  minuteOfDay(at: string): number {
    const w = this.wall(Date.parse(at));
    return w.hour * 60 + w.minute;
  }

  isoDay(at: number): string {
    const w = this.wall(at);
    return `${w.year}-${two(w.month + 1)}-${two(w.day)}`;
  }

  // "2026-11-21" and "19:02" in the unit's zone as an instant
  instant(day: string, time: string): string {
    const local = Date.parse(`${day}T${time}:00Z`);
    const guess = local - (browserOffsetMin(this.zone, local) + this.correctionMin) * MINUTE;
    return new Date(local - (browserOffsetMin(this.zone, guess) + this.correctionMin) * MINUTE).toISOString();
  }

  private dayWords(w: Pick<Wall, "year" | "month"> & { day: number | string }, year: boolean): string {
    const month = MONTHS[this.language][w.month];
    if (this.language === "kk") return year ? `${w.year} жылғы ${w.day} ${month}` : `${w.day} ${month}`;
    if (this.language === "ru") return year ? `${w.day} ${month} ${w.year} года` : `${w.day} ${month}`;
    return year ? `${w.day} ${month} ${w.year}` : `${w.day} ${month}`;
  }

  // "21 November", with the year where it is not this one
  day(at: string): string {
    const w = this.wall(Date.parse(at));
    return this.dayWords(w, w.year !== this.wall(this.now()).year);
  }

  // A calendar date of the unit ("2026-11-21"), which is no instant.
  date(date: string): string {
    const at = new Date(date + "T00:00:00Z");
    return isNaN(at.getTime()) ? date : this.dayWords({ year: at.getUTCFullYear(), month: at.getUTCMonth(), day: at.getUTCDate() }, true);
  }

  // From one calendar date to another: "16–22 November 2026". What both have in common is said once.
  days(from: string, until: string): string {
    const [a, b] = [from, until].map((date) => {
      const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
      return { year, month: month - 1, day };
    }) as [{ year: number; month: number; day: number }, { year: number; month: number; day: number }];
    if (a.year === b.year && a.month === b.month) return this.dayWords({ ...b, day: `${a.day}–${b.day}` }, true);
    const yearFirst = this.language === "kk";
    const apart = a.year !== b.year;
    return `${this.dayWords(a, apart || yearFirst)} – ${this.dayWords(b, apart || !yearFirst)}`;
  }

  dateNumeric(date: string): string {
    const [year, month, day] = date.split("-");
    return this.language === "en" ? date : `${day}.${month}.${year}`;
  }

  weekday(at: string): string {
    return WEEKDAYS[this.language][this.wall(Date.parse(at)).weekday]!;
  }

  weekdayShort(date: string): string {
    return SHORT_WEEKDAYS[this.language][new Date(date + "T00:00:00Z").getUTCDay()]!;
  }

  // "today", "tomorrow", "yesterday" or "21 November"
  dayNear(at: string): string {
    const distance = this.wall(Date.parse(at)).dayNumber - this.wall(this.now()).dayNumber;
    if (distance === 0) return RELATIVE[this.language].today;
    if (distance === 1) return RELATIVE[this.language].tomorrow;
    if (distance === -1) return RELATIVE[this.language].yesterday;
    return this.day(at);
  }

  // "19:02" today, "yesterday, 19:02", "21 November, 19:02"
  moment(at: string): string {
    const distance = this.wall(Date.parse(at)).dayNumber - this.wall(this.now()).dayNumber;
    return distance === 0 ? this.time(at) : `${this.dayNear(at)}, ${this.time(at)}`;
  }

  // The same inside a sentence about what happens then: "at 19:02", "tomorrow at 19:02", "on 21 November at 19:02"
  momentIn(at: string): string {
    const distance = this.wall(Date.parse(at)).dayNumber - this.wall(this.now()).dayNumber;
    if (this.language === "kk") return this.moment(at); // Kazakh declines the hour itself; the sentences do without
    const preposition = this.language === "ru" ? "в" : "at";
    if (distance === 0) return `${preposition} ${this.time(at)}`;
    const day = this.language === "en" && Math.abs(distance) > 1 ? "on " + this.dayNear(at) : this.dayNear(at);
    return `${day} ${preposition} ${this.time(at)}`;
  }

  // "18:00–22:00" or, over midnight or far away, with the days
  span(start: string, end: string): string {
    if (start === end) return this.moment(start);
    return `${this.moment(start)}–${this.wall(Date.parse(start)).dayNumber === this.wall(Date.parse(end)).dayNumber ? this.time(end) : this.moment(end)}`;
  }

  // "12 min": a length in one or two units
  length(ms: number): string {
    const u = UNITS[this.language];
    const seconds = Math.max(0, Math.round(ms / 1000));
    if (seconds < 60) return `${seconds} ${u.s}`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return `${minutes} ${u.min}`;
    const hours = Math.floor(minutes / 60);
    if (hours < 24) return minutes % 60 && hours < 10 ? `${hours} ${u.h} ${minutes % 60} ${u.min}` : `${hours} ${u.h}`;
    return `${Math.floor(hours / 24)} ${u.d}`;
  }

  // "12 min ago", "in 12 min"
  age(at: string): string {
    const ms = this.now() - Date.parse(at);
    const u = UNITS[this.language];
    if (Math.abs(ms) < 45_000) return u.now;
    return (ms > 0 ? u.ago : u.ahead).replace("{t}", this.length(Math.abs(ms)));
  }

  // Clock time with the age beside it: "18:40, 12 min ago"
  momentAge(at: string): string {
    return `${this.moment(at)}, ${this.age(at)}`;
  }
}

const UNITS: Record<Language, { s: string; min: string; h: string; d: string; ago: string; ahead: string; now: string }> = {
  kk: { s: "с", min: "мин", h: "сағ", d: "күн", ago: "{t} бұрын", ahead: "{t} кейін", now: "қазір ғана" },
  ru: { s: "с", min: "мин", h: "ч", d: "дн.", ago: "{t} назад", ahead: "через {t}", now: "только что" },
  en: { s: "s", min: "min", h: "h", d: "d", ago: "{t} ago", ahead: "in {t}", now: "just now" },
};

// "4:07", for a running call or a countdown
export function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
