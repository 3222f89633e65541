// Drawings: what to do in a task, and where a browser hides its permission.
import type { JSX } from "preact";
import type { ChallengeKind } from "../api/wire";
import type { BrowserFamily } from "../rtc/devices";

const line = { fill: "none", stroke: "currentColor", "stroke-width": 4, "stroke-linecap": "round", "stroke-linejoin": "round" } as const;

function Head({ low }: { low: boolean }): JSX.Element {
  return (
    <g {...line} transform={low ? "translate(24 46) scale(0.7)" : undefined}>
      <path d="M80 26c-22 0-36 16-36 40 0 26 16 46 36 46s36-20 36-46c0-24-14-40-36-40Z" />
      <path d="M36 148c4-18 20-26 44-26s40 8 44 26" />
    </g>
  );
}

// The person's own left is on the left of their mirrored picture, so the arrow points there.
export function TaskPicture({ kind }: { kind: ChallengeKind }): JSX.Element {
  return (
    <svg class="task-picture" viewBox="0 0 160 160" aria-hidden="true" focusable="false">
      {kind === "show_hand" ? (
        <path {...line} d="M58 92V46a8 8 0 0 1 16 0v34m0-4V34a8 8 0 0 1 16 0v42m0-34a8 8 0 0 1 16 0v40m0-24a8 8 0 0 1 16 0v38c0 28-16 46-42 46-20 0-30-9-38-25L28 98a9 9 0 0 1 15-9l15 16" />
      ) : (
        <Head low={kind === "look_up"} />
      )}
      {kind === "turn_left" && (
        <g class="task-arrow" {...line}><path d="M58 72H10m18-18L10 72l18 18" /></g>
      )}
      {kind === "turn_right" && (
        <g class="task-arrow" {...line}><path d="M102 72h48m-18-18 18 18-18 18" /></g>
      )}
      {kind === "look_up" && (
        <g class="task-arrow" {...line}><path d="M80 52V8M62 26l18-18 18 18" /></g>
      )}
      {kind === "read_digits" && (
        <g class="task-arrow" {...line}><path d="M70 88c6 5 14 5 20 0M126 70c5 5 5 17 0 22M138 60c10 11 10 31 0 42" /></g>
      )}
    </svg>
  );
}

// A phone with the browser's bar where that browser has it, the sign to tap in a ring.
export function WherePicture({ family, camera, microphone }: { family: BrowserFamily; camera: string; microphone: string }): JSX.Element {
  const bar = family === "safari" || family === "firefox" ? 150 : 24;
  const menu = bar > 100 ? 62 : 62;
  const sign =
    family === "safari" ? <text class="where-sign" x="43" y={bar + 19} text-anchor="middle" font-size="13">aA</text>
    : family === "chrome" ? <path class="where-line" d={`M36 ${bar + 10}h8m4 0h2M36 ${bar + 18}h2m4 0h8`} />
    : <path class="where-line" d={`M38 ${bar + 13}h10v8H38zm2 0v-2a3 3 0 0 1 6 0v2`} />;
  return (
    <svg class="where-picture" viewBox="0 0 240 196" aria-hidden="true" focusable="false">
      <rect class="where-phone" x="20" y="8" width="200" height="180" rx="16" />
      <rect class="where-bar" x="28" y={bar} width="184" height="28" rx="14" />
      <rect class="where-address" x="62" y={bar + 10} width="84" height="8" rx="4" />
      {sign}
      <circle class="where-ring" cx="43" cy={bar + 14} r="16" />
      <rect class="where-menu" x="36" y={menu} width="168" height="76" rx="10" />
      <text class="where-text" x="48" y={menu + 29} font-size="13">{camera}</text>
      <text class="where-text" x="48" y={menu + 61} font-size="13">{microphone}</text>
      <g class="where-switch">
        <rect x="160" y={menu + 15} width="32" height="18" rx="9" />
        <rect x="160" y={menu + 47} width="32" height="18" rx="9" />
      </g>
      <circle class="where-knob" cx="183" cy={menu + 24} r="6.5" />
      <circle class="where-knob" cx="183" cy={menu + 56} r="6.5" />
    </svg>
  );
}
