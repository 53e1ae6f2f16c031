import type { Defect, DefectResult, HuntMessage } from '../bugs/index.js';
import { clockText } from './duration.js';
import type { Output } from './io.js';

const CLEAR_LINE = '\r\u001b[K';

/** Shows how far the hunt for planted defects is: one line that is rewritten on a terminal, a line for each defect otherwise. */
export class BugsProgress {
  private readonly begun = performance.now();
  private ended = 0;
  private runs = 0;
  private found = 0;
  private drawn = false;

  constructor(
    private readonly output: Output,
    private readonly defects: number,
    private readonly seeds: number,
  ) {}

  /** Takes what the process of a defect told. */
  heard({ id }: Defect, message: HuntMessage): void {
    if (message.kind === 'outcome') {
      this.runs += 1;
      if (message.outcome.found !== undefined) this.found += 1;
    }
    if (this.output.isTTY !== true) return;
    const what = message.kind === 'progress' ? `seed ${message.seed}, ${message.cases} cases` : 'next';
    const width = (this.output.columns ?? 80) - 1;
    this.output.write(`${CLEAR_LINE}${`${this.text()} ${id}: ${what}`.slice(0, width)}`);
    this.drawn = true;
  }

  /** A defect has had all its seeds. */
  done({ defect, outcomes }: DefectResult): void {
    this.ended += 1;
    if (this.output.isTTY === true) return;
    const found = outcomes.filter((outcome) => outcome.found !== undefined).length;
    this.output.write(`${this.text()} ${defect.id}: found with ${found} of ${outcomes.length} seeds\n`);
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (this.drawn) this.output.write(CLEAR_LINE);
    this.drawn = false;
  }

  private text(): string {
    const elapsed = (performance.now() - this.begun) / 1000;
    const share = Math.max(this.ended / this.defects, this.runs / (this.defects * this.seeds) / 2);
    const left = share > 0 ? clockText((elapsed * (1 - share)) / share) : '?';
    const defects = `${this.ended} of ${this.defects} defects`;
    return `${defects}, ${this.found} of ${this.runs} runs found, ${clockText(elapsed)} (ETA ${left})`;
  }
}
