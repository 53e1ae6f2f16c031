/** What a defect spoils. */
export type Area = 'translation' | 'caches' | 'faults' | 'queue' | 'assignment';

/** Where a defect like this one shipped. */
export interface Shipped {
  /** Number of the row in the collection of published bugs. */
  readonly row: number;
  /** Product and advisory, commit or patch title. */
  readonly link: string;
  /** What was wrong there, in our words. */
  readonly what: string;
}

/** A defect that is planted by replacing a piece of the source. Plain data. */
export interface Defect {
  /** Short, kebab-case, unique. */
  readonly id: string;
  readonly area: Area;
  readonly shipped: Shipped;
  /** What the planted analogue does, one line. */
  readonly plants: string;
  /** TypeScript source, relative to the root of the repository. */
  readonly file: string;
  /** Text that occurs exactly once in that file. */
  readonly anchor: string;
  /** What stands there instead. Types are stripped, not checked. */
  readonly replacement: string;
  /** Shapes of the engine that have what the defect spoils; a seed takes one of them. */
  readonly shapes: readonly string[];
}

/** The anchor of a defect is not in the source exactly once: the source moved on and the defect must follow. */
export class AnchorLost extends Error {
  constructor({ id, file, anchor }: Defect, count: number) {
    super(`defect ${id}: its anchor occurs ${count} times in ${file}, expected once: ${JSON.stringify(anchor)}`);
    this.name = 'AnchorLost';
  }
}

/**
 * The source of `defect.file` with the defect in it.
 *
 * @throws AnchorLost
 */
export function plantedSource(source: string, defect: Defect): string {
  const [before, after, ...more] = source.split(defect.anchor);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new AnchorLost(defect, source.split(defect.anchor).length - 1);
  }
  return before + defect.replacement + after;
}
