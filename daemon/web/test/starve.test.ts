// The steps of the picture on a starving network: looks go in every two seconds.
import { expect, test } from "vitest";
import { Starve, type Step } from "../src/rtc/starve";

// Looks until `seconds` have passed, `rate` being what the network is believed to carry; the steps taken, with their second.
function run(starve: Starve, from: number, seconds: number, rate: (step: Step, second: number) => number): [number, Step][] {
  const steps: [number, Step][] = [];
  for (let s = from; s < from + seconds; s += 2) {
    const before = starve.step;
    const step = starve.look({ at: 1 + s * 1000, available: rate(before, s) });
    if (step !== before) steps.push([s, step]);
  }
  return steps;
}

test("a good network leaves the picture whole", () => {
  expect(run(new Starve(), 0, 600, () => 900_000)).toEqual([]);
});

test("a short dip changes nothing", () => {
  expect(run(new Starve(), 0, 60, (_, s) => (s === 10 || s === 12 ? 50_000 : 900_000))).toEqual([]);
});

test("a narrow network halves the picture, a starving one switches it off", () => {
  const starve = new Starve();
  expect(run(starve, 0, 10, () => 150_000)).toEqual([[4, 1]]);
  expect(run(starve, 10, 8, () => 40_000)).toEqual([[14, 2]]);
  expect(run(new Starve(), 0, 10, () => 40_000)).toEqual([[4, 2]]);
});

test("what is off is tried again, more and more seldom while it fails", () => {
  const tries = run(new Starve(), 0, 400, () => 40_000).filter(([, step]) => step < 2).map(([s]) => s);
  const pauses = tries.slice(1).map((s, i) => s - tries[i]!);
  expect(tries.length).toBeGreaterThanOrEqual(3);
  expect(tries.length).toBeLessThanOrEqual(8);
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
});

test("a network that recovers gets its picture back", () => {
  const starve = new Starve();
  run(starve, 0, 10, () => 40_000);
  expect(starve.step).toBe(2);
  run(starve, 10, 60, (step) => (step === 2 ? 60_000 : 500_000)); // without a picture nothing is known of the network
  expect(starve.step).toBe(0);
});
