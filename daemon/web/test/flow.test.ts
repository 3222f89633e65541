import { describe, expect, test } from "vitest";
import type { PersonState } from "../src/api/types";
import { cameTooLate, heals, retryDelayMs, screenOf, type World } from "../src/person/flow";

const NOW = Date.parse("2026-11-21T14:04:00Z");
const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString();

function state(change: Partial<PersonState> = {}, checkin: Partial<NonNullable<PersonState["checkin"]>> | null = {}): PersonState {
  return {
    csrf: "x", language: "kk", server_time: at(0), zone: "Asia/Almaty", unit: "U", inspector: "I", challenge: "c", bound: true, requests: [], notice: { version: 1, acknowledged: at(-1) },
    checkin: checkin && { id: 1, kind: "live", state: "ringing", due: at(-4), answer_until: at(11), late_until: at(71), result: null, receipt: null, ...checkin },
    history: [], unread: 0, next_window: null, ...change,
  };
}

const world = (change: Partial<World> = {}): World => ({ token: null, opening: false, failure: null, state: null, stage: "idle", replaced: false, testing: false, calling: false, ended: null, ...change });

describe("before there is a state", () => {
  test("a link shows the languages, a session loads", () => {
    expect(screenOf(world({ token: "T" }), NOW)).toBe("landing");
    expect(screenOf(world(), NOW)).toBe("loading");
    expect(screenOf(world({ token: "T", opening: true }), NOW)).toBe("loading");
  });
  test.each([
    ["offline", "offline"], ["busy", "busy"], ["unavailable", "busy"], ["server", "server"], ["unauthenticated", "expired"], ["not_found", "expired"], ["conflict", "expired"], ["denied", "expired"], ["invalid", "expired"],
  ] as const)("failure %s shows %s", (failure, screen) => expect(screenOf(world({ token: "T", failure }), NOW)).toBe(screen));
});

describe("with a state", () => {
  test("nothing comes before the notice", () => {
    const unread = state({ notice: { version: 1, acknowledged: null } });
    for (const stage of ["idle", "joining", "waiting", "call", "tasks"] as const) expect(screenOf(world({ state: unread, stage }), NOW)).toBe("notice");
  });
  test("a newer wording of the notice is read again", () => {
    expect(screenOf(world({ state: state({ notice: { version: 0, acknowledged: at(-9000) } }) }), NOW)).toBe("notice");
  });
  test("the stages are the screens", () => {
    expect(screenOf(world({ state: state({ checkin: null }), calling: true }), NOW)).toBe("check");
    expect(screenOf(world({ state: state({ checkin: null, notice: { version: 0, acknowledged: null } }), calling: true }), NOW)).toBe("notice");
    expect(screenOf(world({ state: state({ checkin: null }), calling: true, stage: "joining" }), NOW)).toBe("joining");
    expect(screenOf(world({ state: state() }), NOW)).toBe("check");
    for (const stage of ["joining", "waiting", "call", "tasks"] as const) expect(screenOf(world({ state: state(), stage }), NOW)).toBe(stage);
  });
  test("a session that is for no check-in does not answer one", () => {
    expect(screenOf(world({ state: state({ bound: false }) }), NOW)).toBe("elsewhere");
    expect(screenOf(world({ state: state({ bound: false }), testing: true }), NOW)).toBe("test");
    expect(screenOf(world({ state: state({ bound: false }, null) }), NOW)).toBe("home");
  });
  test("too early and too late have screens of their own, a little early is not early", () => {
    expect(screenOf(world({ state: state({}, { due: at(10) }) }), NOW)).toBe("early");
    expect(screenOf(world({ state: state({}, { due: at(0.4) }) }), NOW)).toBe("check");
    expect(screenOf(world({ state: state({}, { late_until: at(-1) }) }), NOW)).toBe("over");
    expect(screenOf(world({ state: state({}, { late_until: at(-1), state: "connected" }) }), NOW)).toBe("check");
    expect(screenOf(world({ state: state({}, { answer_until: at(-1) }) }), NOW)).toBe("check");
    expect(cameTooLate(state({}, { answer_until: at(-1) }), NOW)).toBe(true);
  });
  test("a result stays whatever the stage was", () => {
    for (const stage of ["idle", "call", "tasks", "ended"] as const) expect(screenOf(world({ state: state({}, { result: "received", receipt: "K" }), stage }), NOW)).toBe("result");
    expect(screenOf(world({ state: state(), stage: "ended", ended: { result: "ended", receipt: null } }), NOW)).toBe("result");
  });
  test("without a check-in it is home, and the test is reachable", () => {
    expect(screenOf(world({ state: state({}, null) }), NOW)).toBe("home");
    expect(screenOf(world({ state: state({}, null), testing: true }), NOW)).toBe("test");
    expect(screenOf(world({ state: state({}, { due: at(10) }), testing: true }), NOW)).toBe("test");
  });
  test("another tab took over", () => expect(screenOf(world({ state: state(), stage: "call", replaced: true }), NOW)).toBe("replaced"));
});

test("what heals is tried again, later each time, never sooner than the server wishes", () => {
  expect(["offline", "busy", "unavailable", "server"].every((code) => heals(code as never))).toBe(true);
  expect(["unauthenticated", "denied", "invalid", "not_found", "conflict", "limit"].some((code) => heals(code as never))).toBe(false);
  expect([0, 1, 2, 3, 4, 99].map((tries) => retryDelayMs(tries, null))).toEqual([3000, 5000, 10000, 20000, 30000, 30000]);
  expect(retryDelayMs(0, 12_000)).toBe(12_000);
});
