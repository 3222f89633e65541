// What becomes of the picture where the network carries little: half its size, then off, and back by trial. The sound is
// never touched. Pure: looks at the network go in, the step comes out.

export type Step = 0 | 1 | 2; // whole, half the width and height, off

export interface Look {
  at: number; // ms
  available: number; // bit/s that the browser believes it may send
}

const NARROW = 200_000; // below this the whole picture is too much
const STARVING = 70_000; // below this any is: sound takes 40,000 with its headers
const WIDE = 350_000; // from here on the whole picture fits
const LOOKS = 3; // in a row, before anything changes
const TRIAL_MS = 20_000; // until the next larger step is tried, as a small picture proves little about the network
const TRIAL_MAX_MS = 160_000;
const TRIAL_FAILS_MS = 12_000; // a step that has to be taken back so soon was a failure

export class Starve {
  step: Step = 0;
  private below = 0;
  private above = 0;
  private since = 0; // this step
  private pause = TRIAL_MS;
  private tried = -TRIAL_FAILS_MS;

  // The step from now on.
  look(look: Look): Step {
    if (!this.since) this.since = look.at;
    const floor = this.step === 0 ? NARROW : STARVING;
    this.below = this.step < 2 && look.available < floor ? this.below + 1 : 0;
    this.above = this.step > 0 && look.available > WIDE ? this.above + 1 : 0;
    if (this.below >= LOOKS) this.down(look);
    else if (this.above >= LOOKS) this.up(look.at, 0);
    else if (this.step > 0 && look.at - this.since >= this.pause) this.up(look.at, (this.step - 1) as Step);
    return this.step;
  }

  private down(look: Look): void {
    if (look.at - this.tried < TRIAL_FAILS_MS) this.pause = Math.min(this.pause * 2, TRIAL_MAX_MS);
    else this.pause = TRIAL_MS;
    this.enter(look.at, look.available < STARVING ? 2 : 1);
  }

  private up(at: number, step: Step): void {
    this.tried = at;
    this.enter(at, step);
  }

  private enter(at: number, step: Step): void {
    this.step = step;
    this.since = at;
    this.below = this.above = 0;
  }
}
