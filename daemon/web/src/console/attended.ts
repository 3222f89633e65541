// Whether somebody is at this console. The server ends a session at which nobody is; it hears of it here, and from every
// change. What a page reads by itself does not count, and a call keeps its session without a word from here.
import { recall, remember } from "../ui/memory";

const EVERY_MS = 60_000;

export class Attendance {
  private touched = 0;
  private told = 0;
  private timer: ReturnType<typeof setInterval> | null = null;

  // `tell` answers whether it could be told.
  constructor(private readonly tell: () => boolean) {
    for (const name of ["pointerdown", "keydown", "wheel", "touchmove", "mousemove"]) {
      window.addEventListener(name, () => this.touch(), { passive: true, capture: true });
    }
  }

  // From log-in on: the log-in was somebody.
  begin(idleMs: number): void {
    this.end();
    this.touched = this.told = Date.now();
    remember("attended", String(this.told));
    this.timer = setInterval(() => this.look(), Math.min(EVERY_MS, idleMs / 4));
    this.everyMs = Math.min(EVERY_MS, idleMs / 4);
  }

  end(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  // When the server was last told, by whichever page of this browser.
  last(): number {
    const other = Number(recall("attended")) || 0;
    return other <= Date.now() && other > this.told ? other : this.told;
  }

  private everyMs = EVERY_MS;

  private touch(): void {
    this.touched = Date.now();
    if (this.timer && this.touched - this.told >= this.everyMs) this.look();
  }

  private look(): void {
    const plays = Array.from(document.querySelectorAll<HTMLMediaElement>("video, audio")).some((media) => !media.paused && !media.ended);
    if (plays) this.touched = Date.now();
    if (this.touched <= this.told || !this.tell()) return;
    this.told = Date.now();
    remember("attended", String(this.told));
  }
}
