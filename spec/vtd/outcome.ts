import type { Evidence } from '../interface/judgement.js';
import type { Access } from './second-stage-rights.js';
import type { Translation } from './second-stage-walk.js';

/** An untranslated request without PASID, inside one 4 KiB page. */
export interface PageRequest {
  readonly sourceId: number;
  readonly address: bigint;
  readonly bytes: number;
  readonly access: Access;
  readonly noSnoop?: boolean | undefined;
}

/** Clauses of the caching rule that decided what is admitted, and where the request falls. */
export interface CachingNotes {
  readonly clauses: readonly string[];
  readonly labels: readonly string[];
}

/** One admissible way for such a request to end. */
export type Outcome = (
  | Translation
  | { readonly kind: 'interrupt'; readonly clauses: readonly string[]; readonly evidence: readonly Evidence[] }
) & {
  /** FPD was 1 in a structure met on the way. */
  readonly faultProcessingDisabled: boolean;
  /** What the caching rule has to say of it. */
  readonly caching?: CachingNotes;
};

/** An end that no FPD can silence. */
export function withoutFpd(translation: Translation): Outcome {
  return { ...translation, faultProcessingDisabled: false };
}

/** Ends that nothing tells apart, as one: the one that memory holds now, if any. */
export function distinct(outcomes: readonly Outcome[]): readonly Outcome[] {
  if (outcomes.length < 2) return outcomes;
  const found = new Map<string, Outcome>();
  for (const outcome of outcomes) {
    const key = outcomeKey(outcome);
    const other = found.get(key);
    if (other === undefined || staleness(outcome) < staleness(other)) found.set(key, outcome);
  }
  return [...found.values()];
}

/** Equal for ends that nothing tells apart. */
export function outcomeKey(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'translated':
      return `${outcome.address}/${outcome.forcedSnoop}`;
    case 'blocked': {
      const conditions = outcome.conditions.map(({ reason, causes }) => `${reason}:${causes.join('+')}`);
      return `${conditions.join()}/${outcome.faultProcessingDisabled}`;
    }
    default:
      return outcome.kind;
  }
}

/** On how many entries it rests that memory does not hold any more. */
export function staleness(outcome: Outcome): number {
  return outcome.kind === 'translated' || outcome.kind === 'blocked' ? outcome.stale.length : 0;
}
