import type { Evidence, Finding } from '../../../spec/interface/judgement.js';
import type { Operation } from '../../../spec/interface/operations.js';
import type { History } from '../../../spec/interface/scenario.js';
import { writesEntry } from './tables.js';

/** Histories of at most so many operations are told in full. */
const SHORT = 24;

/** Earlier requests through the deciding entry that are told. */
const EARLIER_REQUESTS = 3;

/** Steps told between the one that broke the rule and the one that showed it. */
const MOST_BETWEEN = 40;

/** Steps told before a register that deviates, where no walk says what it has to do with. */
const BEFORE_REGISTER = 16;

/** Registers that are written to clear what they hold, not to set something. */
const CLEARED: ReadonlySet<string> = new Set(['FSTS', 'FRCD', 'ICS']);

/** A stretch of operations that is left out, or one that is told. */
export type Stretch =
  | { readonly kind: 'told'; readonly at: number }
  | { readonly kind: 'folded'; readonly from: number; readonly to: number };

/** Which operations a story tells: those that have to do with the finding; the others in stretches between events. */
export function stretches(
  history: History,
  finding: Finding | undefined,
  explanation: readonly (readonly Evidence[])[],
): readonly Stretch[] {
  const told = toldOperations(history, finding, explanation);
  const events = new Set(history.software?.events.map(({ at }) => at));
  const result: Stretch[] = [];
  for (let at = 0; at < history.steps.length; at += 1) {
    let end = at;
    while (end < history.steps.length && !told.has(end) && (end === at || !events.has(end))) end += 1;
    // A single operation takes no more room than the words that it was left out.
    if (end - at > 1) {
      result.push({ kind: 'folded', from: at, to: end });
      at = end - 1;
    } else {
      result.push({ kind: 'told', at });
    }
  }
  return result;
}

function toldOperations(
  { steps }: History,
  finding: Finding | undefined,
  explanation: readonly (readonly Evidence[])[],
): ReadonlySet<number> {
  const all = [...steps.keys()];
  if (steps.length <= SHORT) return new Set(all);
  if (finding === undefined) return new Set(all.filter((at) => isRequest(steps[at]!.operation)));
  const { at, shownAt } = finding;
  const evidence = finding.evidence.length > 0 ? finding.evidence : (explanation[at] ?? []);
  const between = all.filter((each) => each >= at && each <= shownAt);
  return new Set([
    at,
    shownAt,
    ...(between.length <= MOST_BETWEEN ? between : []),
    ...all.filter((each) => each < at && isPartOf(steps[each]!.operation, evidence)),
    ...lastWrites(steps.slice(0, at).map(({ operation }) => operation)),
    ...through(evidence, explanation, at),
    ...(steps[at] === undefined || isRequest(steps[at].operation)
      ? []
      : all.slice(Math.max(0, at - BEFORE_REGISTER), at)),
  ]);
}

function isRequest({ op }: Operation): boolean {
  return op === 'dma' || op === 'message' || op === 'signal' || op === 'cpu';
}

function isPartOf(operation: Operation, evidence: readonly Evidence[]): boolean {
  return operation.op === 'reset' || (operation.op === 'store' && writesEntry(operation, evidence));
}

/** The last write of each register: what it held. */
function lastWrites(operations: readonly Operation[]): readonly number[] {
  const last = new Map<string, number>();
  operations.forEach((operation, at) => {
    if (operation.op !== 'regWrite' || CLEARED.has(operation.register)) return;
    last.set(`${operation.component}.${operation.register}+${operation.offset ?? 0}`, at);
  });
  return [...last.values()];
}

/** Earlier requests that read the entry on which the finding's walk ended: they may have left it in a cache. */
function through(
  evidence: readonly Evidence[],
  explanation: readonly (readonly Evidence[])[],
  before: number,
): readonly number[] {
  const deciding = evidence.findLast(({ words }) => words !== undefined)?.address;
  if (deciding === undefined) return [];
  const found = explanation.flatMap((lines, at) =>
    at < before && lines.some(({ address, words }) => words !== undefined && address === deciding) ? [at] : [],
  );
  return found.slice(-EARLIER_REQUESTS);
}

/** "… 12 operations: 5 store, 4 regRead, 3 dma; --all shows them". */
export function foldedText({ steps }: History, from: number, to: number, setUp: boolean): string {
  const counts = new Map<string, number>();
  for (const { operation } of steps.slice(from, to)) counts.set(operation.op, (counts.get(operation.op) ?? 0) + 1);
  const kinds = [...counts].map(([op, count]) => `${count} ${op}`).join(', ');
  return `… ${to - from} operations${setUp ? ' of set-up' : ''}: ${kinds} (#${from} to #${to - 1}; --all shows them)`;
}
