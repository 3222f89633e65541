// The ring and the alarm, made of two tones each: no sound files, no outside origin. Browsers stay silent until
// somebody tapped the page once; `unlocked` says whether they will.
type Kind = "ring" | "alert";

const PATTERN: Record<Kind, { tones: [number, number][]; pauseMs: number; vibrate: number[] }> = {
  ring: { tones: [[587, 180], [784, 320]], pauseMs: 1_600, vibrate: [200, 100, 300] },
  alert: { tones: [[880, 160], [660, 160], [880, 160], [660, 260]], pauseMs: 2_200, vibrate: [400, 150, 400] },
};

let context: AudioContext | null = null;
let timer: ReturnType<typeof setInterval> | null = null;
let playing: Kind | null = null;

export function unlock(): void {
  const Maker = window.AudioContext || (window as unknown as { webkitAudioContext?: typeof AudioContext }).webkitAudioContext;
  if (!context && Maker) context = new Maker();
  if (context && context.state === "suspended") void context.resume();
}

export function unlocked(): boolean {
  return !!context && context.state === "running";
}

function once(kind: Kind): void {
  const pattern = PATTERN[kind];
  if (navigator.vibrate) navigator.vibrate(pattern.vibrate);
  if (!context || context.state !== "running") return;
  let at = context.currentTime;
  for (const [frequency, ms] of pattern.tones) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.type = "sine";
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + ms / 1000);
    tone.connect(gain).connect(context.destination);
    tone.start(at);
    tone.stop(at + ms / 1000);
    at += ms / 1000;
  }
}

export function play(kind: Kind | null): void {
  if (kind === playing) return;
  playing = kind;
  if (timer) clearInterval(timer);
  timer = null;
  if (!kind) {
    if (navigator.vibrate) navigator.vibrate(0);
    return;
  }
  const length = PATTERN[kind].tones.reduce((sum, tone) => sum + tone[1], 0);
  once(kind);
  timer = setInterval(() => once(kind), length + PATTERN[kind].pauseMs);
}
