// Which screen the person sees: a pure function of what the page knows. One state, one screen, one thing to do.
import type { PersonState } from "../api/types";
import type { Challenge } from "../api/wire";
import type { FailureCode } from "../api/http";
import type { DeviceProblem } from "../rtc/devices";

export type Stage = "idle" | "joining" | "waiting" | "call" | "tasks" | "ended";

export interface World {
  token: string | null; // of the link, until it is exchanged
  opening: boolean;
  failure: FailureCode | null; // why there is no state
  state: PersonState | null;
  stage: Stage;
  replaced: boolean;
  testing: boolean; // camera test outside a call
  calling: boolean; // the person is about to call in by themselves
  ended: { result: string; receipt: string | null } | null;
}

export type Screen =
  | "loading" | "landing" | "expired" | "busy" | "server" | "offline" | "notice" | "check" | "test" | "early" | "over" | "joining"
  | "waiting" | "call" | "tasks" | "result" | "home" | "elsewhere" | "replaced";

// The wording of the notice on rights and recording in text/person. Whoever changes what it says counts it up: it is
// then shown to everybody again, and the log tells which wording somebody acknowledged.
export const NOTICE_VERSION = 1;

export function mustRead(state: PersonState): boolean {
  return !state.notice.acknowledged || state.notice.version < NOTICE_VERSION;
}

// A person who is a little early is not sent away: the page's clock and the server's may differ.
const EARLY_TOLERANCE_MS = 30_000;

export function screenOf(world: World, now: number): Screen {
  if (world.replaced) return "replaced";
  const state = world.state;
  if (!state) return screenWithoutState(world);
  const checkin = state.checkin;
  if (world.calling) return mustRead(state) ? "notice" : world.stage === "joining" ? "joining" : "check";
  if (world.ended || (checkin && checkin.result)) return world.testing ? "test" : "result";
  if (!checkin) return world.testing ? "test" : "home";
  if (!state.bound) return world.testing ? "test" : "elsewhere";
  if (mustRead(state)) return "notice";
  if (world.stage === "joining") return "joining";
  if (world.stage === "waiting") return "waiting";
  if (world.stage === "call") return "call";
  if (world.stage === "tasks") return "tasks";
  if (world.testing) return "test";
  if (now < Date.parse(checkin.due) - EARLY_TOLERANCE_MS) return "early";
  if (now > Date.parse(checkin.late_until) && checkin.state !== "connected") return "over";
  return "check";
}

function screenWithoutState(world: World): Screen {
  if (world.opening) return "loading";
  switch (world.failure) {
    case null:
      return world.token ? "landing" : "loading";
    case "offline":
      return "offline";
    case "busy":
    case "unavailable":
      return "busy";
    case "unauthenticated":
    case "denied":
    case "not_found":
    case "conflict":
    case "invalid":
      return "expired";
    default:
      return "server";
  }
}

// Failures that heal by themselves: how long until the next try.
const RETRY_MS = [3_000, 5_000, 10_000, 20_000, 30_000];

export function retryDelayMs(tries: number, serverWish: number | null): number {
  return Math.max(serverWish || 0, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]!);
}

export function heals(code: FailureCode): boolean {
  return code === "offline" || code === "busy" || code === "unavailable" || code === "server";
}

export function cameTooLate(state: PersonState, now: number): boolean {
  return !!state.checkin && now > Date.parse(state.checkin.answer_until);
}

export type Picture = DeviceProblem | "ready" | "asking" | "off";
export type { Challenge };
