import type { Progress } from '../harness/index.js';
import { clockText } from './duration.js';
import type { Output } from './io.js';

/** Seconds between two lines where the output is no terminal. */
const LINE_EVERY = 10;

const CLEAR_LINE = '\r\u001b[K';

/** Which of several campaigns is under way. */
export interface Place {
  readonly name: string;
  readonly index: number;
  readonly of: number;
}

/** What a run has done so far, over all its campaigns. */
type Counts = Pick<Progress, 'cases' | 'operations' | 'deviations'>;

const NOTHING: Counts = { cases: 0, operations: 0, deviations: 0 };

/** Shows how far a run is: one line that is rewritten on a terminal, a line now and then otherwise. */
export class ProgressDisplay {
  private readonly output: Output;
  private before = 0;
  /** What the campaigns that ended have counted, and the last word of the one under way. */
  private counted = NOTHING;
  private latest = NOTHING;
  private lastLine = 0;
  private drawn = false;

  constructor(output: Output) {
    this.output = output;
  }

  /** Shows the state of the campaign at that place. */
  show(place: Place, progress: Progress): void {
    const elapsed = this.before + progress.elapsedSeconds;
    this.latest = progress;
    const line = this.text(place, progress, elapsed);
    if (this.output.isTTY === true) {
      const width = (this.output.columns ?? 80) - 1;
      this.output.write(`${CLEAR_LINE}${line.slice(0, width)}`);
      this.drawn = true;
    } else if (elapsed - this.lastLine >= LINE_EVERY) {
      this.output.write(`${line}\n`);
      this.lastLine = elapsed;
    }
  }

  /** A campaign ended after so many seconds. */
  finished(seconds: number): void {
    this.before += seconds;
    this.counted = this.total;
    this.latest = NOTHING;
    this.clear();
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (this.drawn) this.output.write(CLEAR_LINE);
    this.drawn = false;
  }

  private get total(): Counts {
    const { counted, latest } = this;
    return {
      cases: counted.cases + latest.cases,
      operations: counted.operations + latest.operations,
      deviations: counted.deviations + latest.deviations,
    };
  }

  private text(place: Place, progress: Progress, elapsed: number): string {
    const share = Math.min(1, (place.index + progress.share) / place.of);
    const left = share > 0 ? clockText((elapsed * (1 - share)) / share) : '?';
    const which = place.of > 1 ? `${place.name} (${place.index + 1}/${place.of})` : place.name;
    const { cases, operations, deviations } = this.total;
    const counted = `${cases} cases, ${operations} operations, ${deviations} deviations`;
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    return `${percent} ${clockText(elapsed)} (ETA ${left}) ${which}: ${progress.phase} ${progress.property}, ${counted}`;
  }
}
