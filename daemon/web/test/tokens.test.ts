// The contrast of every pair of colours that carries text (4.5:1) or a mark, border or focus ring (3:1), in light and dark
// (WCAG 2.2, 1.4.3 and 1.4.11).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const css = readFileSync(join(__dirname, "../src/style/tokens.css"), "utf8");
const dark = css.slice(css.indexOf("prefers-color-scheme: dark"));
const light = css.slice(0, css.indexOf("prefers-color-scheme: dark"));

function tokens(part: string): Record<string, string> {
  return Object.fromEntries(Array.from(part.matchAll(/--([a-z-]+):\s*(#[0-9a-f]{6})/g), (match) => [match[1]!, match[2]!]));
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const SURFACES = ["ground", "sheet", "well"];
const TEXT: [string, string][] = [
  ...SURFACES.flatMap((surface) => [["ink", surface], ["ink-soft", surface]] as [string, string][]),
  ["accent", "ground"], ["accent", "sheet"], ["accent", "well"], ["on-accent", "accent"], ["on-accent", "accent-press"], ["accent-ink", "accent-soft"], ["ink", "accent-soft"], ["ink-soft", "accent-soft"],
  ["on-act", "act"], ["on-act", "act-press"], ["act-ink", "act-soft"], ["act-ink", "sheet"], ["act-ink", "ground"], ["warn-ink", "warn-soft"], ["good-ink", "good-soft"], ["info-ink", "info-soft"],
  ["ink", "good-soft"], ["ink-soft", "good-soft"], ["on-stage", "stage"], ["on-stage-soft", "stage"],
];
const MARKS: [string, string][] = [
  ...SURFACES.flatMap((surface) => [["focus", surface], ["line-strong", surface], ["accent", surface], ["act", surface]] as [string, string][]),
  ["good", "sheet"], ["warn", "sheet"], ["info", "sheet"], ["good", "well"], ["good", "ground"], ["warn", "ground"], ["info", "ground"],
];

for (const [name, part] of [["light", light], ["dark", dark]] as const) {
  describe(`${name} scheme`, () => {
    const values = { ...tokens(light), ...tokens(part) };
    test.each(TEXT)("text %s on %s", (a, b) => expect(contrast(values[a]!, values[b]!)).toBeGreaterThanOrEqual(4.5));
    test.each(MARKS)("mark %s on %s", (a, b) => expect(contrast(values[a]!, values[b]!)).toBeGreaterThanOrEqual(3));
  });
}

test("both schemes name the same colours", () => {
  const fixed = ["stage", "on-stage", "on-stage-soft", "stage-well", "stage-press"];
  expect(Object.keys(tokens(dark)).sort()).toEqual(Object.keys(tokens(light)).filter((name) => !fixed.includes(name)).sort());
});

test("style sheets take their colours from the tokens", () => {
  for (const name of ["base.css", "person.css", "console.css"]) {
    const sheet = readFileSync(join(__dirname, "../src/style", name), "utf8");
    const own = Array.from(sheet.matchAll(/#[0-9a-f]{3,8}\b/gi), (match) => match[0]);
    // White and black over moving pictures and under a QR code are the same in both schemes.
    expect(own.filter((colour) => !["#ffffff", "#fff", "#000"].includes(colour.toLowerCase())), name).toEqual([]);
  }
});
