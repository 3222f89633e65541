import { describe, expect, test, vi } from "vitest";
import { browserOffsetMin, Clock, stopwatch } from "../src/text/time";

const NOW = "2026-11-21T14:04:00.000Z"; // 19:04 in Almaty

function clock(language: "kk" | "ru" | "en", offset: number | null = 300): Clock {
  vi.useFakeTimers({ now: Date.parse(NOW) });
  return new Clock(language, "Asia/Almaty", NOW, offset);
}

describe("times in the unit's zone", () => {
  test("are clock times of the unit, wherever the browser is", () => {
    expect(clock("en").time("2026-11-21T13:40:00.000Z")).toBe("18:40");
    expect(clock("en").seconds("2026-11-21T13:40:05.900Z")).toBe("18:40:05");
  });
  test("are right on a phone that does not know today's zones", () => {
    // The server says +5 h; whatever this browser believes, the difference is taken off.
    const right = new Clock("en", "Asia/Almaty", NOW, 300);
    const stale = new Clock("en", "Etc/GMT-6", NOW, 300); // a zone table from before 2024 in effect
    expect(stale.time(NOW)).toBe("19:04");
    expect(stale.time(NOW)).toBe(right.time(NOW));
    expect(new Clock("en", "No/Such_Zone", NOW, 300).time(NOW)).toBe("19:04");
  });
  test("follow the server's clock, not the phone's", () => {
    vi.useFakeTimers({ now: Date.parse("2020-01-01T00:00:00Z") });
    const wrong = new Clock("en", "Asia/Almaty", NOW, 300);
    expect(wrong.time(new Date(wrong.now()).toISOString())).toBe("19:04");
  });
  test("know the offset of a zone with summer time", () => {
    expect(browserOffsetMin("Europe/Berlin", Date.parse("2026-07-01T00:00:00Z"))).toBe(120);
    expect(browserOffsetMin("Europe/Berlin", Date.parse("2026-01-01T00:00:00Z"))).toBe(60);
  });
});

describe("days and ages in words", () => {
  test("say today, yesterday, tomorrow, then the date", () => {
    const c = clock("kk");
    expect(c.moment("2026-11-21T13:40:00Z")).toBe("18:40");
    expect(c.moment("2026-11-20T13:40:00Z")).toBe("кеше, 18:40");
    expect(c.moment("2026-11-22T13:40:00Z")).toBe("ертең, 18:40");
    expect(c.moment("2026-11-12T13:40:00Z")).toBe("12 қараша, 18:40");
    expect(clock("ru").day("2025-11-12T13:40:00Z")).toBe("12 ноября 2025 года");
    expect(clock("kk").day("2025-11-12T13:40:00Z")).toBe("2025 жылғы 12 қараша");
    expect(clock("en").weekday(NOW)).toBe("Saturday");
  });
  test("the day changes at the unit's midnight", () => {
    const c = clock("en");
    expect(c.dayNear("2026-11-21T18:59:59Z")).toBe("today");
    expect(c.dayNear("2026-11-21T19:00:00Z")).toBe("tomorrow");
    expect(c.isoDay(Date.parse("2026-11-21T19:00:00Z"))).toBe("2026-11-22");
  });
  test("stand in a sentence", () => {
    const inWords = (language: "kk" | "ru" | "en", at: string): string => clock(language).momentIn(at);
    expect(inWords("ru", "2026-11-21T13:40:00Z")).toBe("в 18:40");
    expect(inWords("ru", "2026-11-22T05:14:00Z")).toBe("завтра в 10:14");
    expect(inWords("en", "2026-11-22T05:14:00Z")).toBe("tomorrow at 10:14");
    expect(inWords("en", "2026-11-29T05:14:00Z")).toBe("on 29 November at 10:14");
    expect(inWords("kk", "2026-11-22T05:14:00Z")).toBe("ертең, 10:14");
  });
  test("stand beside the clock time", () => {
    expect(clock("en").momentAge("2026-11-21T13:52:00Z")).toBe("18:52, 12 min ago");
    expect(clock("ru").age("2026-11-21T14:16:00Z")).toBe("через 12 мин");
    expect(clock("kk").age("2026-11-21T12:00:00Z")).toBe("2 сағ 4 мин бұрын");
    expect(clock("en").age("2026-11-21T14:03:50Z")).toBe("just now");
  });
  test("a week names its month and year once", () => {
    expect(clock("en").days("2026-11-16", "2026-11-22")).toBe("16–22 November 2026");
    expect(clock("ru").days("2026-11-30", "2026-12-06")).toBe("30 ноября – 6 декабря 2026 года");
    expect(clock("kk").days("2026-11-30", "2026-12-06")).toBe("2026 жылғы 30 қараша – 6 желтоқсан");
    expect(clock("en").days("2026-12-28", "2027-01-03")).toBe("28 December 2026 – 3 January 2027");
  });
  test("a span names its day once", () => {
    expect(clock("en").span("2026-11-21T13:00:00Z", "2026-11-21T17:00:00Z")).toBe("18:00–22:00");
    expect(clock("en").span("2026-11-21T17:00:00Z", "2026-11-21T20:00:00Z")).toBe("22:00–tomorrow, 01:00");
  });
  test("a stopwatch counts minutes and hours", () => {
    expect([0, 59_999, 60_000, 247_000, 3_661_000].map(stopwatch)).toEqual(["0:00", "0:59", "1:00", "4:07", "1:01:01"]);
  });
});
