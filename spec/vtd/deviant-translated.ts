import { reasonName } from '../bits.js';
import type { Deviation, Piece } from '../interface/model.js';
import { condition, type FaultCondition, REQUEST_REASONS } from './conditions.js';
import type { Outcome, PageRequest } from './outcome.js';
import { exemptions } from './protected-memory.js';
import { recordedWays, type Way } from './requests.js';
import { mustBeSnooped } from './snoop.js';
import type { VtdState } from './state.js';

/** Departures of requests that the tables let through; see deviant.ts. */

/** A page of a request. */
export type Page = PageRequest & { readonly offset: number };

type Translated = Outcome & { readonly kind: 'translated' };

/** A departure, and the ways on that it stands for, worked out only when it is asked for. */
export interface Sketch {
  readonly deviation: Deviation;
  readonly ways: () => readonly Way[];
  /** It says no more than that the request went elsewhere, or was refused. */
  readonly vague?: boolean;
}

/** VTD-PMR-001 broken: protected memory was reached, or the refusal was recorded. */
export function insteadOfProtecting(state: VtdState, page: Page, outcome: Translated): readonly Sketch[] {
  const deviation = (kind: string, observed: string): Deviation => ({
    identities: [{ clause: 'VTD-PMR-001', kind, discriminator: `protected memory: blocked→${observed}` }],
    expected: 'blocked, not recorded',
    observed,
  });
  const through = deviation('access-let-through', 'let through');
  return [
    way(state, page, { kind: 'memory', address: outcome.address }, outcome, through),
    ...REQUEST_REASONS.map((reason) =>
      recordedAs(state, page, reason, outcome, deviation('fault-recorded', `recorded as ${reasonName(reason)}`)),
    ),
  ];
}

/** A request that is let through went elsewhere, was refused, or was not snooped. */
export function insteadOfTranslating(
  state: VtdState,
  page: Page,
  outcome: Translated,
  seen: readonly bigint[],
): readonly Sketch[] {
  const size = outcome.labels.find((label) => /^(page:|pass-through|zero-length)/.test(label)) ?? 'untranslated';
  const special = outcome.clauses.includes('VTD-IAR-006') ? 'output beside FEEx in a page that overlaps it' : size;
  const clause = outcome.clauses.includes('VTD-IAR-006') ? 'VTD-IAR-006' : (outcome.clauses.at(-1) ?? 'VTD-SS-024');
  const elsewhere = seen
    .filter((address) => address !== outcome.address)
    .map((address): Sketch => {
      const wrong = way(state, page, { kind: 'memory', address }, outcome, {
        identities: [{ clause, kind: 'wrong-address', discriminator: `${special}: output→another address` }],
        expected: `0x${outcome.address.toString(16)}`,
        observed: `0x${address.toString(16)}`,
      });
      return { ...wrong, vague: true };
    });
  const [exemption] = exemptions(state, outcome);
  const refusals = refused(
    state,
    page,
    [exemption ?? clause],
    exemption === undefined ? special : EXEMPT[exemption]!,
    `0x${outcome.address.toString(16)}`,
    outcome,
  );
  return [
    ...notSnooped(state, page, outcome, special),
    ...elsewhere,
    ...overprotected(state, page, outcome),
    ...refusals,
  ];
}

/** What the clauses of `exemptions` are about. */
const EXEMPT: Readonly<Record<string, string>> = {
  'VTD-PMR-002': 'region with limit below base',
  'VTD-PMR-003': 'tables in protected memory',
};

/** VTD-PMR-001 broken: protection reaches beyond the regions. */
function overprotected(state: VtdState, page: Page, outcome: Translated): readonly Sketch[] {
  if (!state.protection || exemptions(state, outcome).length > 0) return [];
  const discriminator = 'beside protected memory: translated→no record';
  return [
    way(state, page, { kind: 'blocked' }, outcome, {
      identities: [{ clause: 'VTD-PMR-001', kind: 'access-refused', discriminator }],
      expected: `0x${outcome.address.toString(16)}`,
      observed: 'refused, no record',
    }),
  ];
}

/** VTD-SNP-001 or VTD-SNP-R01 broken: the access was not snooped although it must be. */
function notSnooped(state: VtdState, page: Page, outcome: Translated, what: string): readonly Sketch[] {
  const clause = mustBeSnooped(page, outcome);
  if (clause === undefined) return [];
  const cause = clause === 'VTD-SNP-001' ? 'SNP=1, NS=1' : 'NS=0';
  const discriminator = `${what}, ${cause}: snooped→not snooped`;
  return [
    way(state, page, { kind: 'memory', address: outcome.address }, outcome, {
      identities: [{ clause, kind: 'not-snooped', discriminator }],
      expected: 'snooped',
      observed: 'not snooped',
    }),
  ];
}

/** An access that is admitted is refused: recorded with some reason, or silently. */
export function refused(
  state: VtdState,
  page: Page,
  clauses: readonly string[],
  what: string,
  expected: string,
  outcome: Pick<Outcome, 'evidence'>,
): readonly Sketch[] {
  const deviation = (observed: string): Deviation => ({
    identities: clauses.map((clause) => ({
      clause,
      kind: 'access-refused',
      discriminator: `${what}: translated→${observed}`,
    })),
    expected,
    observed: `refused, ${observed}`,
  });
  const sketches = [
    ...REQUEST_REASONS.map((reason) => recordedAs(state, page, reason, outcome, deviation(reasonName(reason)))),
    way(state, page, { kind: 'blocked' }, outcome, deviation('no record')),
  ];
  return sketches.map((sketch) => ({ ...sketch, vague: true }));
}

/** Recorded with a reason that is not admitted; the address is the request's, as in any record. */
export function recordedAs(
  state: VtdState,
  page: Page,
  reason: number,
  outcome: Pick<Outcome, 'evidence'>,
  deviation: Deviation,
): Sketch {
  const recorded: FaultCondition = { ...condition(reason, 'VTD-FREC-002', 'other reason'), addressRecorded: true };
  return { deviation, ways: () => recordedWays(state, page, [recorded], outcome.evidence) };
}

/** A departure with one end. */
export function way(
  state: VtdState,
  page: Page,
  effect: Piece['effect'],
  outcome: Pick<Outcome, 'evidence'>,
  deviation: Deviation,
): Sketch {
  const pieces = [{ offset: page.offset, bytes: page.bytes, effect }];
  const ended: Way = { next: state, pieces, clauses: [], evidence: outcome.evidence, labels: [] };
  return { deviation, ways: () => [ended] };
}
